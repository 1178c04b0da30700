#include "pkg/aws/profile.h"
#include "pkg/aws/session.h"

#define CHAIN_MAX 5

struct profile_source {
    struct credentials_source base;
    const struct aws_config *config;
};

/* A profile that has to be asked for with a program, a browser or a person's device. */
static struct err *refuse_others(const struct profiles *profiles, const char *profile)
{
    static const char *const keys[] = {"credential_process", "sso_session", "sso_start_url", "mfa_serial",
                                       "login_session"};

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (profiles_get(profiles, profile, keys[i]))
            return err_new(ERR_INVALID, "profile \"%.100s\": %s is not supported here", profile, keys[i]);
    }
    return NULL;
}

/* *ret NULL: the profile holds no keys. */
static struct err *static_keys(const struct profiles *profiles, const char *profile, struct credentials **ret)
{
    const char *key = profiles_get(profiles, profile, "aws_access_key_id");
    const char *secret = profiles_get(profiles, profile, "aws_secret_access_key");
    const char *token = profiles_get(profiles, profile, "aws_session_token");

    *ret = NULL;
    if (!key && !secret)
        return NULL;
    if (!key || !secret)
        return err_new(ERR_INVALID,
                       "profile \"%.100s\": aws_access_key_id and aws_secret_access_key belong together",
                       profile);
    *ret = credentials_new(str_of(key), secret_new(str_of(secret)), token ? secret_new(str_of(token)) : NULL,
                           NEVER_MS);
    return NULL;
}

/* The profiles from the one asked for down to one that holds keys: chain[0] is the former. */
static struct err *find_chain(const struct profiles *profiles, const char *profile, const char **chain,
                              size_t *ret_count, struct credentials **ret)
{
    for (size_t count = 0; count < CHAIN_MAX; count++) {
        const char *source = profiles_get(profiles, profile, "source_profile");
        bool is_own_source = count > 0 && text_equal(profile, chain[count - 1]);

        TRY(refuse_others(profiles, profile));
        if (!profiles_get(profiles, profile, "role_arn") || is_own_source) {
            *ret_count = count;
            return static_keys(profiles, profile, ret);
        }
        if (!source)
            return err_new(ERR_INVALID, "profile \"%.100s\": role_arn needs a source_profile", profile);
        if (!profiles_have(profiles, source))
            return err_new(ERR_INVALID, "profile \"%.100s\": its source_profile \"%.100s\" is nowhere",
                           profile, source);
        chain[count] = profile;
        profile = source;
    }
    return err_new(ERR_INVALID, "profile \"%.100s\": source_profile goes round in a circle, or too deep",
                   chain[0]);
}

static struct err *assume(const struct aws_config *config, const struct profiles *profiles,
                          const char *profile, const struct env *env, struct credentials **credentials)
{
    const char *session_name = profiles_get(profiles, profile, "role_session_name");
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};
    struct credentials *fetched = NULL;
    struct aws_session session;

    aws_session_init(&session, config, config->region);
    query_begin(&form, AWS_OP_ASSUME_ROLE);
    query_add(&form, "RoleArn", profiles_get(profiles, profile, "role_arn"));
    query_add(&form, "RoleSessionName", session_name ? session_name : "stagingrefresh");
    query_add(&form, "ExternalId", profiles_get(profiles, profile, "external_id"));
    query_add(&form, "DurationSeconds", profiles_get(profiles, profile, "duration_seconds"));
    TRY(err_wrap(aws_session_call(&session, env,
                                  &(struct aws_request){
                                      .op = AWS_OP_ASSUME_ROLE,
                                      .input = &(struct aws_input){.body = buf_str(&form)},
                                      .as = *credentials,
                                  },
                                  &reply),
                 "profile \"%.100s\"", profile));
    TRY(sts_read_credentials(AWS_OP_ASSUME_ROLE, reply.result, &fetched));
    credentials_unref(*credentials);
    *credentials = fetched;
    return NULL;
}

static struct err *profile_fetch(struct credentials_source *self, const struct env *env,
                                 struct credentials **ret)
{
    const struct aws_config *config = ((struct profile_source *)self)->config;
    const char *profile = config->profile ? config->profile : "default", *chain[CHAIN_MAX];
    AUTO_PROFILES struct profiles profiles = {0};
    AUTO_CREDENTIALS struct credentials *credentials = NULL;
    size_t count = 0;

    *ret = NULL;
    TRY(profiles_read(config, &profiles));
    if (!profiles_have(&profiles, profile)) {
        if (config->profile)
            return err_new(ERR_INVALID, "the AWS profile \"%.100s\" is in none of the shared files", profile);
        return NULL;
    }
    TRY(find_chain(&profiles, profile, chain, &count, &credentials));
    if (!credentials && count)
        return err_new(ERR_INVALID, "profile \"%.100s\": its source_profile holds no keys", chain[count - 1]);
    while (count-- > 0)
        TRY(assume(config, &profiles, chain[count], env, &credentials));
    *ret = TAKE(credentials);
    return NULL;
}

static void profile_free(struct credentials_source *self)
{
    xfree(self);
}

struct credentials_source *credentials_profile_new(const struct aws_config *config)
{
    static const struct credentials_source_ops ops = {
        .name = "the shared files",
        .fetch = profile_fetch,
        .free = profile_free,
    };
    struct profile_source *source = xcalloc(1, sizeof(*source));

    source->base.ops = &ops;
    source->config = config;
    return &source->base;
}
