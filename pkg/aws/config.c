#include "pkg/aws/config.h"

#include "pkg/aws/profile.h"
#include "pkg/base/buf.h"
#include "pkg/base/times.h"

#include <limits.h>

/* What parsing needs beside the result. */
struct reader {
    struct aws_config *config;
    struct str default_region; /* AWS_REGION wins, whatever the order */
    struct str profile, default_profile;
    struct str home;
    struct str legacy_token;
};

enum kind { TEXT, SECRET, TRUTH, WHEN, NUMBER, IP_MODE, RETRY_MODE, VIEW };

struct setting {
    const char *name; /* of the variable */
    const char *key;  /* in a profile; NULL: only a variable */
    enum kind kind;
    size_t offset; /* in struct aws_config; of VIEW: in struct reader */
    int64_t max;   /* of NUMBER, which begins at 1 */
};

#define CONFIG(member) offsetof(struct aws_config, member)
#define READER(member) offsetof(struct reader, member)

/* clang-format off */
static const struct setting settings[] = {
    {.name = "AWS_REGION",                  .kind = TEXT,   .offset = CONFIG(region), .key = "region"},
    {.name = "AWS_DEFAULT_REGION",          .kind = VIEW,   .offset = READER(default_region)},
    {.name = "AWS_DEFAULT_PROFILE",         .kind = VIEW,   .offset = READER(default_profile)},
    {.name = "AWS_PROFILE",                 .kind = VIEW,   .offset = READER(profile)},
    {.name = "HOME",                        .kind = VIEW,   .offset = READER(home)},
    {.name = "AWS_SECURITY_TOKEN",          .kind = VIEW,   .offset = READER(legacy_token)},
    {.name = "AWS_ENDPOINT_URL",            .kind = TEXT,   .offset = CONFIG(endpoint_url), .key = "endpoint_url"},
    {.name = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", .kind = TRUTH, .offset = CONFIG(ignore_endpoint_urls),
     .key = "ignore_configured_endpoint_urls"},
    {.name = "AWS_USE_FIPS_ENDPOINT",       .kind = TRUTH,  .offset = CONFIG(use_fips), .key = "use_fips_endpoint"},
    {.name = "AWS_USE_DUALSTACK_ENDPOINT",  .kind = TRUTH,  .offset = CONFIG(use_dual_stack), .key = "use_dualstack_endpoint"},
    {.name = "AWS_CA_BUNDLE",               .kind = TEXT,   .offset = CONFIG(ca_bundle), .key = "ca_bundle"},
    {.name = "AWS_MAX_ATTEMPTS",            .kind = NUMBER, .offset = CONFIG(max_attempts), .max = 100, .key = "max_attempts"},
    {.name = "AWS_RETRY_MODE",              .kind = RETRY_MODE, .key = "retry_mode"},
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
    {.name = "AWS_EC2_METADATA_SERVICE_ENDPOINT", .kind = TEXT, .offset = CONFIG(metadata_endpoint),
     .key = "ec2_metadata_service_endpoint"},
    {.name = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", .kind = IP_MODE, .offset = CONFIG(metadata_ipv6),
     .key = "ec2_metadata_service_endpoint_mode"},
    {.name = "AWS_METADATA_SERVICE_TIMEOUT",      .kind = NUMBER, .offset = CONFIG(metadata_timeout_s), .max = 60,
     .key = "metadata_service_timeout"},
    {.name = "AWS_METADATA_SERVICE_NUM_ATTEMPTS", .kind = NUMBER, .offset = CONFIG(metadata_attempts), .max = 100,
     .key = "metadata_service_num_attempts"},
    {.name = "AWS_SHARED_CREDENTIALS_FILE", .kind = TEXT,   .offset = CONFIG(credentials_file)},
    {.name = "AWS_CONFIG_FILE",             .kind = TEXT,   .offset = CONFIG(config_file)},
};
/* clang-format on */

_Static_assert(COUNT_OF(settings) <= sizeof(((struct aws_config *)0)->said) * CHAR_BIT, "a bit for each");

/* `name` is of the variable, or the key of a profile. */
static struct err *read_truth(const char *name, struct str value, bool *ret)
{
    bool is_true = str_equal_nocase(value, STR("true"));

    if (!is_true && !str_equal_nocase(value, STR("false")))
        return err_new(ERR_INVALID, "%s must be true or false", name);
    *ret = is_true;
    return NULL;
}

static struct err *read_number(const char *name, struct str value, int64_t max, int64_t *ret)
{
    int64_t number;

    if (!str_to_int(str_trim(value), &number) || number < 1 || number > max)
        return err_new(ERR_INVALID, "%s must be a whole number from 1 to %lld", name, (long long)max);
    *ret = number;
    return NULL;
}

static struct err *read_ip_mode(const char *name, struct str value, bool *ret_v6)
{
    *ret_v6 = str_equal_nocase(value, STR("ipv6"));
    if (!*ret_v6 && !str_equal_nocase(value, STR("ipv4")))
        return err_new(ERR_INVALID, "%s must be IPv4 or IPv6", name);
    return NULL;
}

/* What it says is not followed: repeating is the same in all of them. */
static struct err *check_retry_mode(const char *name, struct str value)
{
    static const char *const modes[] = {"standard", "legacy", "adaptive"};

    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (str_equal_nocase(value, str_of(modes[i])))
            return NULL;
    }
    return err_new(ERR_INVALID, "%s must be standard, legacy or adaptive", name);
}

static struct err *set_value(struct aws_config *config, const struct setting *setting, const char *name,
                             struct str value)
{
    char *member = (char *)config + setting->offset;

    switch (setting->kind) {
    case TEXT:
        xfree(*(char **)(void *)member);
        *(char **)(void *)member = str_dup(value);
        return NULL;
    case SECRET:
        secret_free(*(struct secret **)(void *)member);
        *(struct secret **)(void *)member = secret_new(value);
        return NULL;
    case TRUTH:
        return read_truth(name, value, (bool *)member);
    case WHEN:
        if (!time_parse(value, (int64_t *)(void *)member))
            return err_new(ERR_INVALID, "%s is not a point in time", name);
        return NULL;
    case NUMBER:
        return read_number(name, value, setting->max, (int64_t *)(void *)member);
    case IP_MODE:
        return read_ip_mode(name, value, (bool *)member);
    case RETRY_MODE:
        return check_retry_mode(name, value);
    case VIEW:
        return NULL;
    }
    return NULL;
}

static struct err *set_variable(struct reader *reader, size_t index, struct str value)
{
    const struct setting *setting = &settings[index];

    if (setting->kind == VIEW) {
        *(struct str *)(void *)((char *)reader + setting->offset) = value;
        return NULL;
    }
    reader->config->said |= UINT64_C(1) << index;
    return set_value(reader->config, setting, setting->name, value);
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
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        if (str_is(name, settings[i].name))
            return set_variable(reader, i, value);
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

/* *path: NULL where there is neither a variable nor a home. */
static struct err *settle_path(const struct reader *reader, const char *name, const char *in_home,
                               char **path)
{
    bool is_in_home = *path && (text_equal(*path, "~") || str_starts(str_of(*path), "~/"));
    char *whole;

    if (is_in_home && !reader->home.len)
        return err_new(ERR_INVALID, "%s begins with ~, but HOME is not set", name);
    if (!reader->home.len || (*path && !is_in_home))
        return NULL;
    whole = xasprintf(STR_FMT "%s", STR_ARG(reader->home), is_in_home ? *path + 1 : in_home);
    xfree(*path);
    *path = whole;
    return NULL;
}

static void drop_ignored(struct aws_config *config)
{
    if (!config->ignore_endpoint_urls)
        return;
    drop_text(&config->endpoint_url);
    for (size_t i = 0; i < AWS_SERVICE_COUNT; i++)
        drop_text(&config->service_endpoint_urls[i]);
}

static struct err *settle(struct reader *reader)
{
    struct aws_config *config = reader->config;
    /* botocore's order, of the tokens too. */
    struct str profile = reader->default_profile.len ? reader->default_profile : reader->profile;

    if (!config->region && reader->default_region.len)
        config->region = str_dup(reader->default_region);
    if (profile.len)
        config->profile = str_dup(profile);
    if (reader->legacy_token.len) {
        secret_free(config->session_token);
        config->session_token = secret_new(reader->legacy_token);
    }
    drop_ignored(config);
    TRY(settle_path(reader, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials", &config->credentials_file));
    return settle_path(reader, "AWS_CONFIG_FILE", "/.aws/config", &config->config_file);
}

struct err *aws_config_from_environ(char *const *entries, struct aws_config *ret)
{
    AUTO_AWS_CONFIG struct aws_config config = {0};
    struct reader reader = {.config = &config};

    for (size_t i = 0; entries[i]; i++)
        TRY(read_entry(&reader, entries[i]));
    TRY(settle(&reader));
    keep_environment(&config, entries);
    *ret = config;
    config = (struct aws_config){0};
    return NULL;
}

/* --- profiles --- */

static struct err *add_service_endpoints(struct aws_config *config, const struct profiles *profiles,
                                         const char *profile)
{
    const char *services = profiles_get(profiles, profile, "services");
    AUTO_FREE char *section = xasprintf("services %s", services ? services : "");

    if (services && !ini_section(&profiles->config, section))
        return err_new(ERR_INVALID, "profile \"%.100s\": its services section \"%.100s\" is nowhere", profile,
                       services);
    /* The environment's endpoint for all services wins over a profile's for one. */
    for (size_t i = 0; !config->endpoint_url && i < AWS_SERVICE_COUNT; i++) {
        const char *url = profiles_service_endpoint(profiles, profile, (enum aws_service)i);

        if (url && !config->service_endpoint_urls[i])
            config->service_endpoint_urls[i] = xstrdup(url);
    }
    return NULL;
}

static bool is_said(const struct aws_config *config, size_t index)
{
    const struct setting *setting = &settings[index];

    if (setting->kind == TEXT)
        return *(char *const *)(const void *)((const char *)config + setting->offset);
    return config->said >> index & 1;
}

struct err *aws_config_add_profile(struct aws_config *config)
{
    const char *profile = config->profile ? config->profile : "default";
    AUTO_PROFILES struct profiles profiles = {0};

    TRY(profiles_read(config, &profiles));
    if (config->profile && !profiles_have(&profiles, profile))
        return err_new(ERR_INVALID, "the AWS profile \"%.100s\" is in none of the shared files", profile);
    TRY(add_service_endpoints(config, &profiles, profile));
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        const char *key = settings[i].key, *value = key ? profiles_get(&profiles, profile, key) : NULL;

        if (value && !is_said(config, i))
            TRY(err_wrap(set_value(config, &settings[i], key, str_of(value)), "profile \"%.100s\"", profile));
    }
    drop_ignored(config);
    return NULL;
}

void aws_config_done(struct aws_config *config)
{
    for (size_t i = 0; i < AWS_SERVICE_COUNT; i++)
        xfree(config->service_endpoint_urls[i]);
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        char *member = (char *)config + settings[i].offset;

        if (settings[i].kind == TEXT)
            xfree(*(char **)(void *)member);
        else if (settings[i].kind == SECRET)
            secret_free(*(struct secret **)(void *)member);
    }
    for (size_t i = 0; config->environment && config->environment[i]; i++)
        xfree(config->environment[i]);
    xfree(config->environment);
    xfree(config->profile);
    *config = (struct aws_config){0};
}
