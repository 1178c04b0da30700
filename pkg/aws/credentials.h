/* Credentials, the sources they come from, and the cache that fetches them anew in time.
 *
 * A source (provider) is one file: credentials_<source>.c. Sources stack: a chain asks each in turn,
 * AssumeRole wraps another source, a cache stands in front. */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include "pkg/aws/config.h"
#include "pkg/base/env.h"

/* Pairs that go out: restore metadata, tags. Borrowed. */
struct aws_pair {
    const char *name;
    const char *value;
};

/* Immutable and ref-counted. */
struct credentials {
    char *access_key_id;
    struct secret *secret_key;
    struct secret *session_token; /* NULL: long-lived keys */
    int64_t expires_ms;           /* real wall clock, ours; NEVER_MS */
    unsigned refs;                /* atomic */
};

/* Takes the secrets over. */
struct credentials *credentials_new(struct str access_key_id, struct secret *secret_key,
                                    struct secret *session_token, int64_t expires_ms);
struct credentials *credentials_ref(struct credentials *credentials);
void credentials_unref(struct credentials *credentials); /* NULL is fine */
bool credentials_are_same(const struct credentials *a, const struct credentials *b);

static inline void auto_credentials(struct credentials **credentials)
{
    credentials_unref(*credentials);
}
#define AUTO_CREDENTIALS CLEANUP(auto_credentials)

struct credentials_source;
struct credentials_source_ops {
    const char *name;
    /* *ret NULL without an error: this source is not configured, ask the next one. Uses env's transport and
     * scheduler; may be called from any thread, but never from two at once (the cache in front sees to it).
     */
    struct err *(*fetch)(struct credentials_source *self, const struct env *env, struct credentials **ret);
    /* The server called these credentials expired. Optional. */
    void (*forget)(struct credentials_source *self, const struct credentials *rejected);
    void (*free)(struct credentials_source *self);
};
struct credentials_source {
    const struct credentials_source_ops *ops;
};
void credentials_source_free(struct credentials_source *source); /* NULL is fine */

/* Asks the sources in order and gives the first answer. Takes them over. */
struct credentials_source *credentials_chain_new(struct credentials_source **sources, size_t count);
/* The variables AWS_ACCESS_KEY_ID and so on; borrows config, as all of these do. */
struct credentials_source *credentials_environment_new(const struct aws_config *config);
/* The role that a profile of the shared files names, assumed with another profile's credentials, or with
 * those of the environment, the container or the instance. What needs a person (MFA) is ERR_INVALID. */
struct credentials_source *credentials_profile_role_new(const struct aws_config *config);
/* AssumeRoleWithWebIdentity with a token file that is read anew each time, as the variables say (EKS: IAM
 * roles for service accounts) or else the profile. */
struct credentials_source *credentials_web_identity_new(const struct aws_config *config);
/* What a profile has of its own: keys of the credentials file, a program that prints them
 * (credential_process), keys of the config file. What needs a person (SSO) is ERR_INVALID. */
struct credentials_source *credentials_profile_new(const struct aws_config *config);
/* The role of the EC2 instance (IMDSv2 only). Where nothing answers there is none. */
struct credentials_source *credentials_instance_new(const struct aws_config *config);
/* The endpoint of ECS and of EKS Pod Identity; asked up to three times, a second apart. */
struct credentials_source *credentials_container_new(const struct aws_config *config);

struct credentials_cache;

/* In whose name something is changed, for those who read CloudTrail: what a session of a role is called, and
 * its tags. Borrowed. */
struct aws_actor {
    const char *session_name; /* 2-64 of [A-Za-z0-9_+=,.@-] */
    const struct aws_pair *tags;
    size_t tag_count;
};

struct assume_role_opts {
    const char *role_arn;
    const char *external_id;       /* NULL: none */
    const char *session_name;      /* 2-64 of [A-Za-z0-9_+=,.@-] */
    int duration_s;                /* 0: 3600, the most that a chained role may have */
    const char *region;            /* whose STS is asked */
    const struct aws_actor *actor; /* its name takes the place of session_name; its tags; NULL: none */
    /* A role may be assumable, but not with tags (sts:TagSession): then it is assumed without, and until when
     * nobody is to try again with tags is kept here (monotonic; atomic; shared by all who assume the role;
     * borrowed). With an actor only. */
    int64_t *untagged_until_ms;
};
/* Signs with what `base` holds; borrows base and config, copies the options. */
struct credentials_source *credentials_assume_role_new(const struct aws_config *config,
                                                       struct credentials_cache *base,
                                                       const struct assume_role_opts *opts);
/* What another cache holds. Borrows it. */
struct credentials_source *credentials_shared_new(struct credentials_cache *cache);

/* Takes the source over. Thread-safe: one fetch is in flight for all threads; late comers wait for it on
 * spots of their own and get its result. Credentials are fetched anew 15 minutes before they expire (a
 * failure is tolerated) and are not given out any more 10 minutes before (a failure is the caller's error);
 * both windows shrink with short lifetimes. Errors: ERR_DENIED no source of the chain has any, what one
 * needs is not there, or STS refuses; ERR_INVALID one is told something that cannot be; ERR_RETRY;
 * ERR_CANCELED. Never ERR_NOT_FOUND nor ERR_CONFLICT, which are about what is called with them. */
struct credentials_cache *credentials_cache_new(struct credentials_source *source);
void credentials_cache_free(struct credentials_cache *cache);
struct err *credentials_get(struct credentials_cache *cache, const struct env *env,
                            struct credentials **ret) MUST_USE;
/* The server refused them: they are dropped, unless newer ones are already there. */
void credentials_invalidate(struct credentials_cache *cache, const struct credentials *rejected);

/* The server refused them for what may be a reason that new ones do not have. True: they are dropped, or
 * others are there already. False: they stay, as they are keys for ever, or began less than a minute ago, or
 * somebody has doubted in the last 5 minutes. */
bool credentials_doubt(struct credentials_cache *cache, const struct env *env,
                       const struct credentials *doubted);

/* The controller's own identity, which is the one that the aws command has in the same environment: keys of
 * the environment, a role of the profile, web identity, what the profile has of its own, container, instance.
 * Borrows config. */
struct credentials_cache *credentials_default_new(const struct aws_config *config);

#endif
