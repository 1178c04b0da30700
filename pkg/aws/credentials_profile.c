#include "pkg/aws/credentials_priv.h"
#include "pkg/aws/profile.h"
#include "pkg/aws/session.h"

#define CHAIN_MAX 5

struct profile_source {
    struct credentials_source base;
    const struct aws_config *config;
};

/* What needs a person. */
static struct err *refuse_others(const struct profiles *profiles, const char *profile)
{
    static const struct {
        const char *key, *why;
    } rows[] = {
        {"sso_session", "needs a person to sign in at a browser (SSO)"},
        {"sso_start_url", "needs a person to sign in at a browser (SSO)"},
        {"login_session", "needs a person to sign in at a browser"},
        {"mfa_serial", "needs the code of somebody's MFA device"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (profiles_get(profiles, profile, rows[i].key))
            return err_new(ERR_INVALID,
                           "profile \"%.100s\": %s %s, and nobody is here: use a role, or \"aws configure "
                           "export-credentials --profile %.100s --format process\" as the credential_process "
                           "of another profile",
                           profile, rows[i].key, rows[i].why, profile);
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

/* What a fetch finds on its way. */
struct search {
    const struct aws_config *config;
    const struct profiles *profiles;
    const struct env *env;
    const char *chain[CHAIN_MAX]; /* the profiles whose roles have to be assumed; the one asked for first */
    size_t count;
    struct credentials *credentials; /* to begin with */
};

/* web_identity_token_file of a profile. */
static struct err *from_web_identity(struct search *search, const char *profile, const char *token_file)
{
    const struct web_identity identity = {
        .role_arn = profiles_get(search->profiles, profile, "role_arn"),
        .session_name = profiles_get(search->profiles, profile, "role_session_name"),
        .token_file = token_file,
    };
    struct aws_session session;

    if (!identity.role_arn)
        return err_new(ERR_INVALID, "profile \"%.100s\": web_identity_token_file needs a role_arn", profile);
    aws_session_init(&session, search->config, search->config->region);
    return err_wrap(credentials_of_web_identity(&session, search->env, &identity, &search->credentials),
                    "profile \"%.100s\"", profile);
}

static struct err *own_credentials(struct search *search, const char *profile)
{
    const char *command = profiles_get(search->profiles, profile, "credential_process");

    TRY(static_keys(search->profiles, profile, &search->credentials));
    if (search->credentials || !command)
        return NULL;
    return err_wrap(credentials_run_process(search->config, search->env, command, &search->credentials),
                    "profile \"%.100s\"", profile);
}

/* credential_source of a profile. */
static struct err *from_source(struct search *search, const char *profile, const char *name)
{
    static const struct {
        const char *name;
        struct credentials_source *(*make)(const struct aws_config *config);
    } rows[] = {
        {"Environment", credentials_environment_new},
        {"EcsContainer", credentials_container_new},
        {"Ec2InstanceMetadata", credentials_instance_new},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials_source *source;
        struct err *err;

        if (!text_equal(rows[i].name, name))
            continue;
        source = rows[i].make(search->config);
        err = source->ops->fetch(source, search->env, &search->credentials);
        credentials_source_free(source);
        if (!err && !search->credentials)
            return err_new(ERR_DENIED, "profile \"%.100s\": its credential_source %s has no credentials",
                           profile, name);
        return err_wrap(err, "profile \"%.100s\"", profile);
    }
    return err_new(
        ERR_INVALID,
        "profile \"%.100s\": credential_source must be Environment, EcsContainer or Ec2InstanceMetadata",
        profile);
}

/* From the profile asked for down to one that holds credentials, or names where they are. */
static struct err *find_chain(struct search *search, const char *profile)
{
    while (search->count < CHAIN_MAX) {
        const char *source = profiles_get(search->profiles, profile, "source_profile");
        const char *origin = profiles_get(search->profiles, profile, "credential_source");
        const char *token_file = profiles_get(search->profiles, profile, "web_identity_token_file");
        bool is_own_source = search->count > 0 && text_equal(profile, search->chain[search->count - 1]);

        /* botocore's order: before anything else that the profile says. */
        if (token_file)
            return from_web_identity(search, profile, token_file);
        TRY(refuse_others(search->profiles, profile));
        if (!profiles_get(search->profiles, profile, "role_arn") || is_own_source)
            return own_credentials(search, profile);
        if (source && origin)
            return err_new(ERR_INVALID,
                           "profile \"%.100s\": source_profile and credential_source exclude each other",
                           profile);
        search->chain[search->count++] = profile;
        if (origin)
            return from_source(search, profile, origin);
        if (!source)
            return err_new(ERR_INVALID,
                           "profile \"%.100s\": role_arn needs a source_profile or a credential_source",
                           profile);
        if (!profiles_have(search->profiles, source))
            return err_new(ERR_INVALID, "profile \"%.100s\": its source_profile \"%.100s\" is nowhere",
                           profile, source);
        profile = source;
    }
    return err_new(ERR_INVALID, "profile \"%.100s\": source_profile goes round in a circle, or too deep",
                   search->chain[0]);
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
    const char *profile = config->profile ? config->profile : "default";
    AUTO_PROFILES struct profiles profiles = {0};
    struct search search = {.config = config, .profiles = &profiles, .env = env};
    AUTO_CREDENTIALS struct credentials *credentials = NULL;
    struct err *err;

    *ret = NULL;
    TRY(profiles_read(config, &profiles));
    if (!profiles_have(&profiles, profile)) {
        if (config->profile)
            return err_new(ERR_INVALID, "the AWS profile \"%.100s\" is in none of the shared files", profile);
        return NULL;
    }
    err = find_chain(&search, profile);
    credentials = search.credentials;
    TRY(err);
    if (!credentials && search.count)
        return err_new(ERR_INVALID, "profile \"%.100s\": its source_profile holds no keys",
                       search.chain[search.count - 1]);
    while (search.count-- > 0)
        TRY(assume(config, &profiles, search.chain[search.count], env, &credentials));
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
