#include "pkg/aws/credentials_priv.h"
#include "pkg/aws/profile.h"
#include "pkg/aws/session.h"

#define CHAIN_MAX 5

struct profile_source {
    struct credentials_source base;
    const struct aws_config *config;
};

/* What needs a person. */
static struct err *refuse(const struct profiles *profiles, const char *profile, const char *key,
                          const char *why)
{
    if (!profiles_get(profiles, profile, key))
        return NULL;
    return err_new(ERR_INVALID,
                   "profile \"%.100s\": %s %s, and nobody is here: use a role, or \"aws configure "
                   "export-credentials --profile %.100s --format process\" as the credential_process "
                   "of another profile",
                   profile, key, why, profile);
}

/* Of one file: halves of two files make no key. *ret NULL: it holds none. */
static struct err *static_keys(const struct ini_section *section, const char *profile,
                               struct credentials **ret)
{
    const char *key = ini_get(section, "aws_access_key_id");
    const char *secret = ini_get(section, "aws_secret_access_key");
    const char *legacy = ini_get(section, "aws_security_token");
    const char *token = text_is_empty(legacy) ? ini_get(section, "aws_session_token") : legacy;

    *ret = NULL;
    if (text_is_empty(key) && text_is_empty(secret))
        return NULL;
    if (text_is_empty(key) || text_is_empty(secret))
        return err_new(ERR_INVALID,
                       "profile \"%.100s\": aws_access_key_id and aws_secret_access_key belong together",
                       profile);
    *ret = credentials_new(str_of(key), secret_new(str_of(secret)),
                           text_is_empty(token) ? NULL : secret_new(str_of(token)), NEVER_MS);
    return NULL;
}

static bool has_keys(const struct profiles *profiles, const char *profile)
{
    return profiles_get(profiles, profile, "aws_access_key_id") ||
           profiles_get(profiles, profile, "aws_secret_access_key");
}

/* With a token file it is the business of the web identity. */
static bool has_role(const struct profiles *profiles, const char *profile)
{
    return profiles_get(profiles, profile, "role_arn") &&
           !profiles_get(profiles, profile, "web_identity_token_file");
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

static struct err *from_process(struct search *search, const char *profile)
{
    const char *command = profiles_get(search->profiles, profile, "credential_process");

    if (!command)
        return NULL;
    return err_wrap(credentials_run_process(search->config, search->env, command, &search->credentials),
                    "profile \"%.100s\"", profile);
}

/* Without assuming a role, in botocore's order. search->credentials stays NULL: it has none. */
static struct err *own_credentials(struct search *search, const char *profile)
{
    static const char sso[] = "needs a person to sign in at a browser (SSO)";
    const struct profiles *profiles = search->profiles;
    struct aws_session session;

    aws_session_init(&session, search->config, search->config->region);
    TRY(credentials_find_web_identity(&session, search->env, profiles, profile, NULL, &search->credentials));
    if (search->credentials)
        return NULL;
    TRY(refuse(profiles, profile, "sso_account_id", sso));
    TRY(refuse(profiles, profile, "sso_role_name", sso));
    TRY(static_keys(profiles_in_credentials(profiles, profile), profile, &search->credentials));
    if (search->credentials)
        return NULL;
    TRY(refuse(profiles, profile, "login_session", "needs a person to sign in at a browser"));
    TRY(from_process(search, profile));
    if (search->credentials)
        return NULL;
    return static_keys(profiles_in_config(profiles, profile), profile, &search->credentials);
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

static struct err *check_role(const struct search *search, const char *profile)
{
    const char *source = profiles_get(search->profiles, profile, "source_profile");
    const char *origin = profiles_get(search->profiles, profile, "credential_source");

    TRY(refuse(search->profiles, profile, "mfa_serial", "needs the code of somebody's MFA device"));
    if (source && origin)
        return err_new(ERR_INVALID,
                       "profile \"%.100s\": source_profile and credential_source exclude each other",
                       profile);
    if (!source && !origin)
        return err_new(ERR_INVALID,
                       "profile \"%.100s\": role_arn needs a source_profile or a credential_source", profile);
    if (source && !profiles_have(search->profiles, source))
        return err_new(ERR_INVALID, "profile \"%.100s\": its source_profile \"%.100s\" is nowhere", profile,
                       source);
    return NULL;
}

/* One that names itself means its own keys. */
static bool goes_round(const struct search *search, const char *source)
{
    for (size_t i = 0; i < search->count; i++) {
        bool is_itself = i == search->count - 1 && has_keys(search->profiles, source);

        if (text_equal(search->chain[i], source) && !is_itself)
            return true;
    }
    return false;
}

/* From the profile asked for, which has a role, down to one that holds credentials, or names where they are.
 */
static struct err *find_chain(struct search *search, const char *profile)
{
    while (search->count < CHAIN_MAX) {
        const char *source = profiles_get(search->profiles, profile, "source_profile");
        const char *origin = profiles_get(search->profiles, profile, "credential_source");

        TRY(check_role(search, profile));
        search->chain[search->count++] = profile;
        if (origin)
            return from_source(search, profile, origin);
        if (goes_round(search, source))
            break;
        /* Keys come before a role here: they are what somebody else's role is assumed with. */
        if (!has_keys(search->profiles, source) && has_role(search->profiles, source)) {
            profile = source;
            continue;
        }
        TRY(own_credentials(search, source));
        if (search->credentials)
            return NULL;
        return err_new(ERR_INVALID, "profile \"%.100s\": its source_profile \"%.100s\" holds no credentials",
                       profile, source);
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
    TRY(sts_read_credentials(AWS_OP_ASSUME_ROLE, env, &reply, &fetched));
    credentials_unref(*credentials);
    *credentials = fetched;
    return NULL;
}

static struct err *assume_chain(struct search *search)
{
    while (search->count-- > 0)
        TRY(assume(search->config, search->profiles, search->chain[search->count], search->env,
                   &search->credentials));
    return NULL;
}

static struct err *find(struct search *search, const char *profile, bool with_role)
{
    if (!profiles_have(search->profiles, profile)) {
        if (search->config->profile)
            return err_new(ERR_INVALID, "the AWS profile \"%.100s\" is in none of the shared files", profile);
        return NULL;
    }
    if (!with_role)
        return own_credentials(search, profile);
    if (!has_role(search->profiles, profile))
        return NULL;
    TRY(find_chain(search, profile));
    return assume_chain(search);
}

static struct err *fetch(struct credentials_source *self, const struct env *env, bool with_role,
                         struct credentials **ret)
{
    const struct aws_config *config = ((struct profile_source *)self)->config;
    AUTO_PROFILES struct profiles profiles = {0};
    struct search search = {.config = config, .profiles = &profiles, .env = env};
    struct err *err;

    *ret = NULL;
    TRY(profiles_read(config, &profiles));
    err = find(&search, config->profile ? config->profile : "default", with_role);
    if (err)
        credentials_unref(search.credentials);
    else
        *ret = search.credentials;
    return err;
}

static struct err *role_fetch(struct credentials_source *self, const struct env *env,
                              struct credentials **ret)
{
    return fetch(self, env, true, ret);
}

static struct err *own_fetch(struct credentials_source *self, const struct env *env, struct credentials **ret)
{
    return fetch(self, env, false, ret);
}

static void profile_free(struct credentials_source *self)
{
    xfree(self);
}

static struct credentials_source *make(const struct credentials_source_ops *ops,
                                       const struct aws_config *config)
{
    struct profile_source *source = xcalloc(1, sizeof(*source));

    source->base.ops = ops;
    source->config = config;
    return &source->base;
}

struct credentials_source *credentials_profile_role_new(const struct aws_config *config)
{
    static const struct credentials_source_ops ops = {
        .name = "the shared files",
        .fetch = role_fetch,
        .free = profile_free,
    };

    return make(&ops, config);
}

struct credentials_source *credentials_profile_new(const struct aws_config *config)
{
    static const struct credentials_source_ops ops = {
        .name = "the shared files",
        .fetch = own_fetch,
        .free = profile_free,
    };

    return make(&ops, config);
}
