#include "pkg/aws/config.h"

#include "tests/testing/assertions.h"

#define ENTRIES_MAX 6

struct row {
    const char *name;
    const char *entries[ENTRIES_MAX];
    const char *region, *profile, *endpoint, *backup_endpoint, *token, *credentials_file;
    bool use_fips;
    int64_t expires_ms, metadata_timeout_s, metadata_attempts;
    const char *fails;
};

static const struct row rows[] = {
    {.name = "nothing", .entries = {"PATH=/bin", "AWSX=1"}},
    {.name = "AWS_REGION wins", .entries = {"AWS_DEFAULT_REGION=b", "AWS_REGION=a"}, .region = "a"},
    {.name = "AWS_REGION wins, the other way round",
     .entries = {"AWS_REGION=a", "AWS_DEFAULT_REGION=b"},
     .region = "a"},
    {.name = "AWS_DEFAULT_REGION", .entries = {"AWS_DEFAULT_REGION=b"}, .region = "b"},
    {.name = "empty is absent", .entries = {"AWS_REGION=", "AWS_DEFAULT_REGION=b"}, .region = "b"},
    {.name = "AWS_DEFAULT_PROFILE wins",
     .entries = {"AWS_PROFILE=a", "AWS_DEFAULT_PROFILE=b"},
     .profile = "b"},
    {.name = "endpoints",
     .entries = {"AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_ENDPOINT_URL_BACKUP=http://127.0.0.1:2"},
     .endpoint = "http://127.0.0.1:1",
     .backup_endpoint = "http://127.0.0.1:2"},
    {.name = "endpoint of a service nobody knows", .entries = {"AWS_ENDPOINT_URL_S3=http://127.0.0.1:1"}},
    {.name = "endpoints ignored",
     .entries = {"AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
                 "AWS_ENDPOINT_URL_BACKUP=http://127.0.0.1:2"}},
    {.name = "legacy token", .entries = {"AWS_SECURITY_TOKEN=old"}, .token = "old"},
    {.name = "token wins over the legacy one",
     .entries = {"AWS_SECURITY_TOKEN=old", "AWS_SESSION_TOKEN=new"},
     .token = "new"},
    {.name = "home", .entries = {"HOME=/h"}, .credentials_file = "/h/.aws/credentials"},
    {.name = "file of its own",
     .entries = {"HOME=/h", "AWS_SHARED_CREDENTIALS_FILE=/x"},
     .credentials_file = "/x"},
    {.name = "FIPS", .entries = {"AWS_USE_FIPS_ENDPOINT=TRUE"}, .use_fips = true},
    {.name = "expiration",
     .entries = {"AWS_CREDENTIAL_EXPIRATION=2026-01-02T03:04:05Z"},
     .expires_ms = 1767323045000},
    {.name = "the last of two", .entries = {"AWS_ENDPOINT_URL=a", "AWS_ENDPOINT_URL=b"}, .endpoint = "b"},
    {.name = "the metadata service's patience",
     .entries = {"AWS_METADATA_SERVICE_TIMEOUT=5", "AWS_METADATA_SERVICE_NUM_ATTEMPTS=20"},
     .metadata_timeout_s = 5,
     .metadata_attempts = 20},
    {.name = "the metadata service's patience: the most",
     .entries = {"AWS_METADATA_SERVICE_TIMEOUT=60", "AWS_METADATA_SERVICE_NUM_ATTEMPTS=100"},
     .metadata_timeout_s = 60,
     .metadata_attempts = 100},
    {.name = "the metadata service's patience: empty",
     .entries = {"AWS_METADATA_SERVICE_TIMEOUT=", "AWS_METADATA_SERVICE_NUM_ATTEMPTS="}},
    {.name = "a time-out that is no number",
     .entries = {"AWS_METADATA_SERVICE_TIMEOUT=1.5"},
     .fails = "AWS_METADATA_SERVICE_TIMEOUT must be a whole number from 1 to 60"},
    {.name = "no time at all",
     .entries = {"AWS_METADATA_SERVICE_TIMEOUT=0"},
     .fails = "AWS_METADATA_SERVICE_TIMEOUT must be a whole number from 1 to 60"},
    {.name = "too long a time-out",
     .entries = {"AWS_METADATA_SERVICE_TIMEOUT=61"},
     .fails = "AWS_METADATA_SERVICE_TIMEOUT must be"},
    {.name = "fewer attempts than none",
     .entries = {"AWS_METADATA_SERVICE_NUM_ATTEMPTS=-1"},
     .fails = "AWS_METADATA_SERVICE_NUM_ATTEMPTS must be a whole number from 1 to 100"},
    {.name = "too many attempts",
     .entries = {"AWS_METADATA_SERVICE_NUM_ATTEMPTS=101"},
     .fails = "AWS_METADATA_SERVICE_NUM_ATTEMPTS must be"},
    {.name = "no truth", .entries = {"AWS_USE_FIPS_ENDPOINT=1"}, .fails = "AWS_USE_FIPS_ENDPOINT must be"},
    {.name = "no time", .entries = {"AWS_CREDENTIAL_EXPIRATION=soon"}, .fails = "AWS_CREDENTIAL_EXPIRATION"},
};

static void reads_environ(void **state)
{
    const struct row *row = *state;
    AUTO_AWS_CONFIG struct aws_config config = {0};
    char *entries[ENTRIES_MAX + 1] = {0};
    struct err *err;

    for (size_t i = 0; row->entries[i]; i++)
        entries[i] = xstrdup(row->entries[i]);
    err = aws_config_from_environ(entries, &config);
    for (size_t i = 0; entries[i]; i++)
        xfree(entries[i]);
    if (row->fails) {
        assert_fails(err, ERR_INVALID, row->fails);
        return;
    }
    assert_no_err(err);
    assert_text_equal(config.region, row->region);
    assert_text_equal(config.profile, row->profile);
    assert_text_equal(config.endpoint_url, row->endpoint);
    assert_text_equal(config.service_endpoint_urls[AWS_BACKUP], row->backup_endpoint);
    assert_text_equal(config.session_token ? secret_reveal(config.session_token).ptr : NULL, row->token);
    assert_text_equal(config.credentials_file, row->credentials_file);
    assert_int_equal(config.use_fips, row->use_fips);
    assert_number(config.credential_expiration_ms, row->expires_ms);
    assert_number(config.metadata_timeout_s, row->metadata_timeout_s);
    assert_number(config.metadata_attempts, row->metadata_attempts);
}

struct profile_row {
    const char *name;
    const char *profile;
    const char *region, *endpoint, *backup; /* already said */
    bool ignore;
    const char *want_region, *want_endpoint, *want_backup;
    const char *fails;
};

static const struct profile_row profile_rows[] = {
    {.name = "default profile", .want_region = "eu-west-1", .want_endpoint = NULL},
    {.name = "named profile",
     .profile = "shop",
     .want_region = "ap-northeast-1",
     .want_endpoint = "https://all.example.test",
     .want_backup = "https://backup.example.test"},
    {.name = "what was said stays",
     .profile = "shop",
     .region = "r",
     .endpoint = "e",
     .want_region = "r",
     .want_endpoint = "e"},
    {.name = "endpoint of a service stays",
     .profile = "shop",
     .backup = "b",
     .want_region = "ap-northeast-1",
     .want_endpoint = "https://all.example.test",
     .want_backup = "b"},
    {.name = "endpoints ignored", .profile = "shop", .ignore = true, .want_region = "ap-northeast-1"},
    {.name = "only in the credentials file", .profile = "keys-only"},
    {.name = "nowhere", .profile = "none", .fails = "\"none\" is in none"},
};

static void reads_profile(void **state)
{
    const struct profile_row *row = *state;
    AUTO_AWS_CONFIG struct aws_config config = {.ignore_endpoint_urls = row->ignore};

    config.profile = xstrdup_or_null(row->profile);
    config.region = xstrdup_or_null(row->region);
    config.endpoint_url = xstrdup_or_null(row->endpoint);
    config.service_endpoint_urls[AWS_BACKUP] = xstrdup_or_null(row->backup);
    config.config_file = xstrdup(SR_SOURCE_DIR "/tests/data/aws/config");
    config.credentials_file = xstrdup(SR_SOURCE_DIR "/tests/data/aws/credentials");
    if (row->fails) {
        assert_fails(aws_config_add_profile(&config), ERR_INVALID, row->fails);
        return;
    }
    assert_no_err(aws_config_add_profile(&config));
    assert_text_equal(config.region, row->want_region);
    assert_text_equal(config.endpoint_url, row->want_endpoint);
    assert_text_equal(config.service_endpoint_urls[AWS_BACKUP], row->want_backup);
}

static void lives_without_files(void **state)
{
    AUTO_AWS_CONFIG struct aws_config config = {0};

    (void)state;
    config.config_file = xstrdup("/nowhere/config");
    assert_no_err(aws_config_add_profile(&config));
    assert_null(config.region);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, reads_environ, rows);
    TEST_ROWS(&tests, reads_profile, profile_rows);
    TEST(&tests, lives_without_files);
    return tests_run(&tests, "config");
}
