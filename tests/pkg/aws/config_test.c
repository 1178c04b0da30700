#include "pkg/aws/config.h"

#include "tests/pkg/aws/credentials_fixture.h"

#define ENTRIES_MAX 6

struct row {
    const char *name;
    const char *entries[ENTRIES_MAX];
    const char *region, *profile, *endpoint, *backup_endpoint, *token, *credentials_file;
    bool use_fips;
    int64_t expires_ms, metadata_timeout_s, metadata_attempts, max_attempts;
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
    {.name = "the legacy token wins",
     .entries = {"AWS_SECURITY_TOKEN=old", "AWS_SESSION_TOKEN=new"},
     .token = "old"},
    {.name = "home", .entries = {"HOME=/h"}, .credentials_file = "/h/.aws/credentials"},
    {.name = "file of its own",
     .entries = {"HOME=/h", "AWS_SHARED_CREDENTIALS_FILE=/x"},
     .credentials_file = "/x"},
    {.name = "file at home",
     .entries = {"AWS_SHARED_CREDENTIALS_FILE=~/x/y", "HOME=/h"},
     .credentials_file = "/h/x/y"},
    {.name = "home itself",
     .entries = {"AWS_SHARED_CREDENTIALS_FILE=~", "HOME=/h"},
     .credentials_file = "/h"},
    {.name = "somebody else's home is a name like others",
     .entries = {"AWS_SHARED_CREDENTIALS_FILE=~root/x", "HOME=/h"},
     .credentials_file = "~root/x"},
    {.name = "file at home, but there is none",
     .entries = {"AWS_CONFIG_FILE=~/x"},
     .fails = "AWS_CONFIG_FILE begins with ~, but HOME is not set"},
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
    {.name = "attempts", .entries = {"AWS_MAX_ATTEMPTS=1"}, .max_attempts = 1},
    {.name = "no attempt at all",
     .entries = {"AWS_MAX_ATTEMPTS=0"},
     .fails = "AWS_MAX_ATTEMPTS must be a whole number from 1 to 100"},
    {.name = "retry mode: standard", .entries = {"AWS_RETRY_MODE=standard"}},
    {.name = "retry mode: legacy", .entries = {"AWS_RETRY_MODE=LEGACY"}},
    {.name = "retry mode: adaptive", .entries = {"AWS_RETRY_MODE=adaptive"}},
    {.name = "another retry mode",
     .entries = {"AWS_RETRY_MODE=always"},
     .fails = "AWS_RETRY_MODE must be standard, legacy or adaptive"},
    {.name = "another IP",
     .entries = {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv5"},
     .fails = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE must be IPv4 or IPv6"},
    {.name = "no truth", .entries = {"AWS_USE_FIPS_ENDPOINT=1"}, .fails = "AWS_USE_FIPS_ENDPOINT must be"},
    {.name = "no time", .entries = {"AWS_CREDENTIAL_EXPIRATION=soon"}, .fails = "AWS_CREDENTIAL_EXPIRATION"},
};

static struct err *read_entries(const char *const *texts, struct aws_config *config)
{
    char *entries[ENTRIES_MAX + 1] = {0};
    struct err *err;

    for (size_t i = 0; texts[i]; i++)
        entries[i] = xstrdup(texts[i]);
    err = aws_config_from_environ(entries, config);
    for (size_t i = 0; entries[i]; i++)
        xfree(entries[i]);
    return err;
}

static void reads_environ(void **state)
{
    const struct row *row = *state;
    AUTO_AWS_CONFIG struct aws_config config = {0};
    struct err *err = read_entries(row->entries, &config);

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
    assert_number(config.max_attempts, row->max_attempts);
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

/* Variables and a config file with [default] of this text. */
struct both_row {
    const char *name;
    const char *entries[ENTRIES_MAX];
    const char *text;
    const char *ca_bundle, *endpoint, *metadata_endpoint;
    bool use_fips, use_dual_stack, metadata_ipv6;
    int64_t metadata_timeout_s, metadata_attempts, max_attempts;
    const char *fails;
};

static const struct both_row both_rows[] = {
    {.name = "roots", .text = "ca_bundle = /ca.pem\n", .ca_bundle = "/ca.pem"},
    {.name = "roots: the environment wins",
     .entries = {"AWS_CA_BUNDLE=/env.pem"},
     .text = "ca_bundle = /ca.pem\n",
     .ca_bundle = "/env.pem"},
    {.name = "FIPS", .text = "use_fips_endpoint = true\n", .use_fips = true},
    {.name = "FIPS: the environment wins",
     .entries = {"AWS_USE_FIPS_ENDPOINT=false"},
     .text = "use_fips_endpoint = true\n"},
    {.name = "FIPS: no truth",
     .text = "use_fips_endpoint = yes\n",
     .fails = "profile \"default\": use_fips_endpoint must be true or false"},
    {.name = "dual stack", .text = "use_dualstack_endpoint = TRUE\n", .use_dual_stack = true},
    {.name = "attempts", .text = "max_attempts = 5\nretry_mode = adaptive\n", .max_attempts = 5},
    {.name = "attempts: the environment wins",
     .entries = {"AWS_MAX_ATTEMPTS=2"},
     .text = "max_attempts = 5\n",
     .max_attempts = 2},
    {.name = "attempts: no number",
     .text = "max_attempts = many\n",
     .fails = "profile \"default\": max_attempts must be a whole number from 1 to 100"},
    {.name = "another retry mode",
     .text = "retry_mode = always\n",
     .fails = "profile \"default\": retry_mode must be standard, legacy or adaptive"},
    {.name = "another retry mode, but the environment wins",
     .entries = {"AWS_RETRY_MODE=standard"},
     .text = "retry_mode = always\n"},
    {.name = "endpoints ignored",
     .entries = {"AWS_ENDPOINT_URL=http://127.0.0.1:1"},
     .text = "ignore_configured_endpoint_urls = true\nendpoint_url = http://127.0.0.1:2\n"},
    {.name = "endpoints not ignored: the environment wins",
     .entries = {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false"},
     .text = "ignore_configured_endpoint_urls = true\nendpoint_url = http://127.0.0.1:2\n",
     .endpoint = "http://127.0.0.1:2"},
    {.name = "the metadata service",
     .text = "ec2_metadata_service_endpoint = http://127.0.0.1:3\nec2_metadata_service_endpoint_mode = IPv6\n"
             "metadata_service_timeout = 4\nmetadata_service_num_attempts = 6\n",
     .metadata_endpoint = "http://127.0.0.1:3",
     .metadata_ipv6 = true,
     .metadata_timeout_s = 4,
     .metadata_attempts = 6},
    {.name = "the metadata service: the environment wins",
     .entries = {"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:7",
                 "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=ipv4", "AWS_METADATA_SERVICE_TIMEOUT=8",
                 "AWS_METADATA_SERVICE_NUM_ATTEMPTS=9"},
     .text = "ec2_metadata_service_endpoint = http://127.0.0.1:3\nec2_metadata_service_endpoint_mode = IPv6\n"
             "metadata_service_timeout = 4\nmetadata_service_num_attempts = 6\n",
     .metadata_endpoint = "http://127.0.0.1:7",
     .metadata_timeout_s = 8,
     .metadata_attempts = 9},
    {.name = "services that are nowhere",
     .text = "services = mine\n",
     .fails = "profile \"default\": its services section \"mine\" is nowhere"},
};

static void reads_both(void **state)
{
    const struct both_row *row = *state;
    AUTO_SHARED_FILE struct shared_file file = {0};
    AUTO_FREE char *text = xasprintf("[default]\n%s", row->text);
    AUTO_AWS_CONFIG struct aws_config config = {0};

    shared_file_write(&file, text);
    assert_no_err(read_entries(row->entries, &config));
    config.config_file = xstrdup(file.path);
    if (row->fails) {
        assert_fails(aws_config_add_profile(&config), ERR_INVALID, row->fails);
        return;
    }
    assert_no_err(aws_config_add_profile(&config));
    assert_text_equal(config.ca_bundle, row->ca_bundle);
    assert_text_equal(config.endpoint_url, row->endpoint);
    assert_text_equal(config.metadata_endpoint, row->metadata_endpoint);
    assert_int_equal(config.use_fips, row->use_fips);
    assert_int_equal(config.use_dual_stack, row->use_dual_stack);
    assert_int_equal(config.metadata_ipv6, row->metadata_ipv6);
    assert_number(config.metadata_timeout_s, row->metadata_timeout_s);
    assert_number(config.metadata_attempts, row->metadata_attempts);
    assert_number(config.max_attempts, row->max_attempts);
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
    TEST_ROWS(&tests, reads_both, both_rows);
    TEST(&tests, lives_without_files);
    return tests_run(&tests, "config");
}
