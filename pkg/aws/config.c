#include "pkg/aws/config.h"

#include "pkg/base/buf.h"
#include "pkg/base/times.h"

/* What parsing needs beside the result. */
struct reader {
    struct aws_config *config;
    struct str region, default_region; /* the former wins, whatever the order */
    struct str profile, default_profile;
    struct str home;
    struct str legacy_token;
    struct str metadata_mode;
};

enum kind { TEXT, SECRET, TRUTH, WHEN, NUMBER, VIEW };

struct variable {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct aws_config; of VIEW: in struct reader */
    int64_t max;   /* of NUMBER, which begins at 1 */
};

#define CONFIG(member) offsetof(struct aws_config, member)
#define READER(member) offsetof(struct reader, member)

/* clang-format off */
static const struct variable variables[] = {
    {.name = "AWS_REGION",                  .kind = VIEW,   .offset = READER(region)},
    {.name = "AWS_DEFAULT_REGION",          .kind = VIEW,   .offset = READER(default_region)},
    {.name = "AWS_DEFAULT_PROFILE",         .kind = VIEW,   .offset = READER(default_profile)},
    {.name = "AWS_PROFILE",                 .kind = VIEW,   .offset = READER(profile)},
    {.name = "HOME",                        .kind = VIEW,   .offset = READER(home)},
    {.name = "AWS_SECURITY_TOKEN",          .kind = VIEW,   .offset = READER(legacy_token)},
    {.name = "AWS_ENDPOINT_URL",            .kind = TEXT,   .offset = CONFIG(endpoint_url)},
    {.name = "AWS_USE_FIPS_ENDPOINT",       .kind = TRUTH,  .offset = CONFIG(use_fips)},
    {.name = "AWS_USE_DUALSTACK_ENDPOINT",  .kind = TRUTH,  .offset = CONFIG(use_dual_stack)},
    {.name = "AWS_CA_BUNDLE",               .kind = TEXT,   .offset = CONFIG(ca_bundle)},
    {.name = "AWS_ACCESS_KEY_ID",           .kind = TEXT,   .offset = CONFIG(access_key_id)},
    {.name = "AWS_SECRET_ACCESS_KEY",       .kind = SECRET, .offset = CONFIG(secret_access_key)},
    {.name = "AWS_SESSION_TOKEN",           .kind = SECRET, .offset = CONFIG(session_token)},
    {.name = "AWS_CREDENTIAL_EXPIRATION",   .kind = WHEN,   .offset = CONFIG(credential_expiration_ms)},
    {.name = "AWS_ROLE_ARN",                .kind = TEXT,   .offset = CONFIG(role_arn)},
    {.name = "AWS_ROLE_SESSION_NAME",       .kind = TEXT,   .offset = CONFIG(role_session_name)},
    {.name = "AWS_WEB_IDENTITY_TOKEN_FILE", .kind = TEXT,   .offset = CONFIG(web_identity_token_file)},
    {.name = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", .kind = TEXT, .offset = CONFIG(container_relative_uri)},
    {.name = "AWS_CONTAINER_CREDENTIALS_FULL_URI",     .kind = TEXT, .offset = CONFIG(container_full_uri)},
    {.name = "AWS_CONTAINER_AUTHORIZATION_TOKEN",      .kind = SECRET, .offset = CONFIG(container_token)},
    {.name = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", .kind = TEXT, .offset = CONFIG(container_token_file)},
    {.name = "AWS_EC2_METADATA_DISABLED",   .kind = TRUTH,  .offset = CONFIG(metadata_disabled)},
    {.name = "AWS_EC2_METADATA_SERVICE_ENDPOINT", .kind = TEXT, .offset = CONFIG(metadata_endpoint)},
    {.name = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", .kind = VIEW, .offset = READER(metadata_mode)},
    {.name = "AWS_METADATA_SERVICE_TIMEOUT",      .kind = NUMBER, .offset = CONFIG(metadata_timeout_s), .max = 60},
    {.name = "AWS_METADATA_SERVICE_NUM_ATTEMPTS", .kind = NUMBER, .offset = CONFIG(metadata_attempts), .max = 100},
    {.name = "AWS_SHARED_CREDENTIALS_FILE", .kind = TEXT,   .offset = CONFIG(credentials_file)},
    {.name = "AWS_CONFIG_FILE",             .kind = TEXT,   .offset = CONFIG(config_file)},
};
/* clang-format on */

static struct err *read_truth(const char *name, struct str value, bool *ret)
{
    bool is_true = str_equal_nocase(value, STR("true"));

    if (!is_true && !str_equal_nocase(value, STR("false")))
        return err_new(ERR_INVALID, "%s must be true or false", name);
    *ret = is_true;
    return NULL;
}

static struct err *read_number(const struct variable *variable, struct str value, int64_t *ret)
{
    int64_t number;

    if (!str_to_int(str_trim(value), &number) || number < 1 || number > variable->max)
        return err_new(ERR_INVALID, "%s must be a whole number from 1 to %lld", variable->name,
                       (long long)variable->max);
    *ret = number;
    return NULL;
}

static struct err *set_variable(struct reader *reader, const struct variable *variable, struct str value)
{
    char *member = (char *)reader->config + variable->offset;

    switch (variable->kind) {
    case TEXT:
        xfree(*(char **)(void *)member);
        *(char **)(void *)member = str_dup(value);
        return NULL;
    case SECRET:
        secret_free(*(struct secret **)(void *)member);
        *(struct secret **)(void *)member = secret_new(value);
        return NULL;
    case TRUTH:
        return read_truth(variable->name, value, (bool *)member);
    case WHEN:
        if (!time_parse(value, (int64_t *)(void *)member))
            return err_new(ERR_INVALID, "%s is not a point in time", variable->name);
        return NULL;
    case NUMBER:
        return read_number(variable, value, (int64_t *)(void *)member);
    case VIEW:
        *(struct str *)(void *)((char *)reader + variable->offset) = value;
        return NULL;
    }
    return NULL;
}

static void set_service_endpoint(struct aws_config *config, struct str id, struct str value)
{
    for (size_t i = 0; i < AWS_SERVICE_COUNT; i++) {
        if (str_is(id, aws_service_info((enum aws_service)i)->id)) {
            xfree(config->service_endpoint_urls[i]);
            config->service_endpoint_urls[i] = str_dup(value);
        }
    }
}

#define ENDPOINT_PREFIX "AWS_ENDPOINT_URL_"

static struct err *read_entry(struct reader *reader, const char *entry)
{
    struct str value = str_of(entry), name;

    str_cut(&value, '=', &name);
    if (!value.len)
        return NULL;
    if (str_starts(name, ENDPOINT_PREFIX)) {
        set_service_endpoint(reader->config, str_from(name, sizeof(ENDPOINT_PREFIX) - 1), value);
        return NULL;
    }
    if (str_is(name, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
        return read_truth("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", value,
                          &reader->config->ignore_endpoint_urls);
    for (size_t i = 0; i < COUNT_OF(variables); i++) {
        if (str_is(name, variables[i].name))
            return set_variable(reader, &variables[i], value);
    }
    return NULL;
}

static void drop_text(char **text)
{
    xfree(*text);
    *text = NULL;
}

/* A program that is started gets everything but what is secret. */
static void keep_environment(struct aws_config *config, char *const *entries)
{
    static const char *const secrets[] = {"AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=",
                                          "AWS_SECURITY_TOKEN=", "AWS_CONTAINER_AUTHORIZATION_TOKEN="};
    size_t count = 0, kept = 0;

    while (entries[count])
        count++;
    config->environment = xcalloc(count + 1, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        bool is_secret = false;

        for (size_t k = 0; k < COUNT_OF(secrets); k++)
            is_secret = is_secret || str_starts(str_of(entries[i]), secrets[k]);
        if (!is_secret)
            config->environment[kept++] = xstrdup(entries[i]);
    }
}

static struct err *read_metadata_mode(struct reader *reader)
{
    reader->config->metadata_ipv6 = str_equal_nocase(reader->metadata_mode, STR("ipv6"));
    if (reader->metadata_mode.len && !reader->config->metadata_ipv6 &&
        !str_equal_nocase(reader->metadata_mode, STR("ipv4")))
        return err_new(ERR_INVALID, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE must be IPv4 or IPv6");
    return NULL;
}

static void settle(struct reader *reader)
{
    struct aws_config *config = reader->config;
    struct str region = reader->region.len ? reader->region : reader->default_region;
    /* botocore's order. */
    struct str profile = reader->default_profile.len ? reader->default_profile : reader->profile;

    if (region.len)
        config->region = str_dup(region);
    if (profile.len)
        config->profile = str_dup(profile);
    if (!config->session_token && reader->legacy_token.len)
        config->session_token = secret_new(reader->legacy_token);
    if (!config->credentials_file && reader->home.len)
        config->credentials_file = xasprintf(STR_FMT "/.aws/credentials", STR_ARG(reader->home));
    if (!config->config_file && reader->home.len)
        config->config_file = xasprintf(STR_FMT "/.aws/config", STR_ARG(reader->home));
    if (!config->ignore_endpoint_urls)
        return;
    drop_text(&config->endpoint_url);
    for (size_t i = 0; i < AWS_SERVICE_COUNT; i++)
        drop_text(&config->service_endpoint_urls[i]);
}

struct err *aws_config_from_environ(char *const *entries, struct aws_config *ret)
{
    AUTO_AWS_CONFIG struct aws_config config = {0};
    struct reader reader = {.config = &config};

    for (size_t i = 0; entries[i]; i++)
        TRY(read_entry(&reader, entries[i]));
    TRY(read_metadata_mode(&reader));
    settle(&reader);
    keep_environment(&config, entries);
    *ret = config;
    config = (struct aws_config){0};
    return NULL;
}

void aws_config_done(struct aws_config *config)
{
    xfree(config->region);
    for (size_t i = 0; i < AWS_SERVICE_COUNT; i++)
        xfree(config->service_endpoint_urls[i]);
    for (size_t i = 0; i < COUNT_OF(variables); i++) {
        char *member = (char *)config + variables[i].offset;

        if (variables[i].kind == TEXT)
            xfree(*(char **)(void *)member);
        else if (variables[i].kind == SECRET)
            secret_free(*(struct secret **)(void *)member);
    }
    for (size_t i = 0; config->environment && config->environment[i]; i++)
        xfree(config->environment[i]);
    xfree(config->environment);
    xfree(config->profile);
    *config = (struct aws_config){0};
}
