/* The AWS client: an account that everybody shares, and a small value per worker that calls it.
 *
 * What every typed function of the services (backup.h, rds.h, ...) does: refuses what a Source account must
 * not be asked (ERR_DENIED, before anything is signed), signs with credentials that are known to be of the
 * account named, sends, retries throttling and transient trouble for at most 2 s of waiting in total, what
 * its credentials take included (30 s for one exchange), and turns a refusal into an error:
 *
 *   "backup StartCopyJob: AccessDeniedException: <message> (request 7f3c..., account 111111111111)"
 *
 * with err_remote() filled in. Kinds: ERR_RETRY throttled, transient, or a state that passes; ERR_CONFLICT
 * something of that name or that job is already there; ERR_NOT_FOUND the service itself has said
 * so, never for want of a file of ours; ERR_DENIED permission, credentials, quota or a subscription that a
 * person must settle; ERR_INVALID input; ERR_CANCELED env's stop came. */
#ifndef AWS_CLIENT_H
#define AWS_CLIENT_H

#include "pkg/aws/config.h"
#include "pkg/aws/credentials.h"
#include "pkg/base/env.h"

enum aws_usage { AWS_SOURCE, AWS_TARGET };

struct aws_account; /* immutable but for its credentials; ref-counted; thread-safe */

struct aws_account_opts {
    const char
        *account_id; /* 12 digits: what GetCallerIdentity must answer after every refresh of credentials */
    const char *region;
    enum aws_usage usage;
    const struct aws_config *config;    /* borrowed */
    struct credentials_cache *identity; /* the controller's own; borrowed */
    const char *role_arn;               /* NULL: the controller's own identity is used as it is */
    const char *external_id;            /* NULL: none */
    const char *session_name;           /* NULL: "stagingrefresh" */
    int session_duration_s;             /* 0: 3600 */
};

/* ERR_INVALID: an account id that is not 12 digits, a missing Region, a role of another account. Makes no
 * call. */
struct err *aws_account_new(const struct aws_account_opts *opts, struct aws_account **ret) MUST_USE;
struct aws_account *aws_account_ref(struct aws_account *account);
void aws_account_unref(struct aws_account *account); /* NULL is fine */
const char *aws_account_id(const struct aws_account *account);
const char *aws_account_region(const struct aws_account *account);
const char *aws_account_partition(const struct aws_account *account);
enum aws_usage aws_account_usage(const struct aws_account *account);
/* How far the servers' clocks were seen to be ahead of ours; 0 unless a signature was refused because of it.
 */
int64_t aws_account_clock_skew_ms(struct aws_account *account);

static inline void auto_aws_account(struct aws_account **account)
{
    aws_account_unref(*account);
}
#define AUTO_AWS_ACCOUNT CLEANUP(auto_aws_account)

/* Copied freely; borrows all. What many share, Describe and List, is always asked by the account's own
 * session; all else by one that carries the actor's name, when there is an actor and a role to assume. */
struct aws_client {
    struct aws_account *account;
    const struct env *env;
    const struct aws_actor *actor; /* NULL: nobody in particular */
};

/* Pairs that came back. Owned. */
struct aws_tag {
    char *key;
    char *value;
};
struct aws_tags {
    struct aws_tag *items;
    size_t count;
};
void aws_tags_done(struct aws_tags *tags);
const char *aws_tags_get(const struct aws_tags *tags, const char *key); /* NULL: not there */
#define AUTO_TAGS CLEANUP(aws_tags_done)

/* Texts that came back. Owned. */
struct aws_texts {
    char **items;
    size_t count;
};
void aws_texts_done(struct aws_texts *texts);
bool aws_texts_have(const struct aws_texts *texts, const char *text);

#endif
