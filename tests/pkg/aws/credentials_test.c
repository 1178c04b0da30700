#include "pkg/aws/credentials.h"

#include "tests/pkg/aws/credentials_fixture.h"
#include "tests/testing/testing_env.h"

#define CONFIG_FILE SR_SOURCE_DIR "/tests/data/aws/config"
#define CREDENTIALS_FILE SR_SOURCE_DIR "/tests/data/aws/credentials"
#define TOKEN_FILE SR_SOURCE_DIR "/tests/data/aws/token"

struct row {
    const char *name;
    const char *entries[VARIABLES_MAX];
    const char *config; /* text of AWS_CONFIG_FILE, besides the entries */
    struct exchange rows[6];
    size_t count;
    const char *key, *secret, *token;
    int64_t expires_ms;
    enum err_kind kind;
    const char *fails;
};

#define POD "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials"
#define POD_REPLY                                                                              \
    "{\"AccessKeyId\":\"AKIAPOD\",\"SecretAccessKey\":\"pod-secret\",\"Token\":\"pod-token\"," \
    "\"Expiration\":\"2026-11-22T17:00:00+00:00\",\"AccountId\":\"1\"}"
#define FILES "AWS_CONFIG_FILE=" CONFIG_FILE, "AWS_SHARED_CREDENTIALS_FILE=" CREDENTIALS_FILE

#define METADATA "http://169.254.169.254/latest/"
#define METADATA_TOKEN                                                                           \
    {                                                                                            \
        .method = "PUT", .url = METADATA "api/token",                                            \
        .headers = {"x-aws-ec2-metadata-token-ttl-seconds: 21600"}, .reply = "metadata-token\n", \
    }
#define METADATA_ROLE                                                                    \
    {                                                                                    \
        .method = "GET", .url = METADATA "meta-data/iam/security-credentials/",          \
        .headers = {"x-aws-ec2-metadata-token: metadata-token"}, .reply = "node-role\n", \
    }
#define METADATA_KEYS                                                                \
    .method = "GET", .url = METADATA "meta-data/iam/security-credentials/node-role", \
    .headers = {"x-aws-ec2-metadata-token: metadata-token"}
#define METADATA_REPLY(expiration)                                                                  \
    "{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"AKIANODE\",\"SecretAccessKey\":" \
    "\"node-secret\",\"Token\":\"node-token\",\"Expiration\":\"" expiration "\"}"

#define WEB_PROFILE                                     \
    "[profile web]\nrole_arn = arn:aws:iam::1:role/w\n" \
    "web_identity_token_file = " TOKEN_FILE "\n"
#define WEB_IDENTITY(session)                                                                               \
    .url = "https://sts.eu-west-1.amazonaws.com/", .absent = {"authorization", "x-amz-date"},               \
    .body = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fw" \
            "&RoleSessionName=" session "&WebIdentityToken=eyJ.abc.def",                                    \
    .reply = STS_CREDENTIALS("AssumeRoleWithWebIdentity", "AKIAWEB")

static const struct row rows[] = {
    {.name = "environment",
     .entries = {"AWS_ACCESS_KEY_ID=AKIAENV", "AWS_SECRET_ACCESS_KEY=env-secret"},
     .key = "AKIAENV",
     .secret = "env-secret",
     .expires_ms = NEVER_MS},
    {.name = "environment with a token and an end",
     .entries = {"AWS_ACCESS_KEY_ID=AKIAENV", "AWS_SECRET_ACCESS_KEY=env-secret",
                 "AWS_SESSION_TOKEN=env-token", "AWS_CREDENTIAL_EXPIRATION=2026-11-22T17:00:00Z"},
     .key = "AKIAENV",
     .secret = "env-secret",
     .token = "env-token",
     .expires_ms = AT_17},
    {.name = "environment: half",
     .entries = {"AWS_ACCESS_KEY_ID=AKIAENV"},
     .kind = ERR_INVALID,
     .fails = "must be set together"},
    {.name = "nothing anywhere",
     .entries = {"PATH=/bin", "AWS_EC2_METADATA_DISABLED=true"},
     .kind = ERR_DENIED,
     .fails = "no AWS credentials were found"},
    {.name = "environment comes before the web identity",
     .entries = {"AWS_ACCESS_KEY_ID=AKIAENV", "AWS_SECRET_ACCESS_KEY=env-secret", "AWS_ROLE_ARN=r",
                 "AWS_WEB_IDENTITY_TOKEN_FILE=" TOKEN_FILE},
     .key = "AKIAENV",
     .secret = "env-secret",
     .expires_ms = NEVER_MS},

    {.name = "web identity",
     .entries = {"AWS_REGION=eu-west-1", "AWS_ROLE_ARN=arn:aws:iam::1:role/r",
                 "AWS_WEB_IDENTITY_TOKEN_FILE=" TOKEN_FILE},
     .rows =
         {{.method = "POST",
           .url = "https://sts.eu-west-1.amazonaws.com/",
           .absent = {"authorization", "x-amz-date"},
           .body =
               "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"
               "&RoleSessionName=stagingrefresh&WebIdentityToken=eyJ.abc.def",
           .reply = STS_CREDENTIALS("AssumeRoleWithWebIdentity", "AKIAWEB")}},
     .count = 1,
     .key = "AKIAWEB",
     .secret = "role-secret",
     .token = "role-token==",
     .expires_ms = AT_17},
    {.name = "web identity: no role",
     .entries = {"AWS_REGION=r", "AWS_WEB_IDENTITY_TOKEN_FILE=" TOKEN_FILE},
     .kind = ERR_INVALID,
     .fails = "AWS_ROLE_ARN is not"},
    {.name = "web identity: no file",
     .entries = {"AWS_REGION=r", "AWS_ROLE_ARN=r", "AWS_WEB_IDENTITY_TOKEN_FILE=/nowhere"},
     .kind = ERR_NOT_FOUND,
     .fails = "web identity token: /nowhere"},
    {.name = "web identity: refused",
     .entries = {"AWS_REGION=r", "AWS_ROLE_ARN=r", "AWS_WEB_IDENTITY_TOKEN_FILE=" TOKEN_FILE},
     .rows = {{.status = 403,
               .reply = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></"
                        "ErrorResponse>"}},
     .count = 1,
     .kind = ERR_DENIED,
     .fails = "sts AssumeRoleWithWebIdentity: AccessDenied: no"},

    {.name = "profile with a web identity",
     .entries = {"AWS_PROFILE=web", "AWS_REGION=eu-west-1"},
     .config = WEB_PROFILE "role_session_name = from-web\n",
     .rows = {{WEB_IDENTITY("from-web")}},
     .count = 1,
     .key = "AKIAWEB",
     .secret = "role-secret",
     .token = "role-token==",
     .expires_ms = AT_17},
    {.name = "profile with a web identity: no name of the session",
     .entries = {"AWS_PROFILE=web", "AWS_REGION=eu-west-1"},
     .config = WEB_PROFILE,
     .rows = {{WEB_IDENTITY("stagingrefresh")}},
     .count = 1,
     .key = "AKIAWEB",
     .secret = "role-secret",
     .token = "role-token==",
     .expires_ms = AT_17},
    {.name = "profile with a web identity before all else that it says",
     .entries = {"AWS_PROFILE=web", "AWS_REGION=eu-west-1"},
     .config = WEB_PROFILE "source_profile = nowhere\nmfa_serial = m\naws_access_key_id = A\n",
     .rows = {{WEB_IDENTITY("stagingrefresh")}},
     .count = 1,
     .key = "AKIAWEB",
     .secret = "role-secret",
     .token = "role-token==",
     .expires_ms = AT_17},
    {.name = "profile with a web identity as the source of a role",
     .entries = {"AWS_PROFILE=far", "AWS_REGION=eu-west-1"},
     .config = WEB_PROFILE "[profile far]\nrole_arn = arn:aws:iam::1:role/far\nsource_profile = web\n",
     .rows = {{WEB_IDENTITY("stagingrefresh")},
              {.headers = {"Credential=AKIAWEB/"},
               .body_contains = {"Action=AssumeRole&", "role%2Ffar"},
               .reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE")}},
     .count = 2,
     .key = "AKIAROLE",
     .secret = "role-secret",
     .token = "role-token==",
     .expires_ms = AT_17},
    {.name = "profile with a web identity: no role",
     .entries = {"AWS_PROFILE=web", "AWS_REGION=eu-west-1"},
     .config = "[profile web]\nweb_identity_token_file = " TOKEN_FILE "\n",
     .kind = ERR_INVALID,
     .fails = "profile \"web\": web_identity_token_file needs a role_arn"},
    {.name = "profile with a web identity: no file",
     .entries = {"AWS_PROFILE=web", "AWS_REGION=eu-west-1"},
     .config = "[profile web]\nrole_arn = r\nweb_identity_token_file = /nowhere\n",
     .kind = ERR_NOT_FOUND,
     .fails = "profile \"web\": web identity token: /nowhere"},

    {.name = "pod identity",
     .entries = {POD, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=" TOKEN_FILE "-bare"},
     .rows = {{.method = "GET",
               .url = "http://169.254.170.23/v1/credentials",
               .headers = {"authorization: eyJ.abc.def"},
               .reply = POD_REPLY}},
     .count = 1,
     .key = "AKIAPOD",
     .secret = "pod-secret",
     .token = "pod-token",
     .expires_ms = AT_17},
    {.name = "ECS: a relative path, no token",
     .entries = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x", POD},
     .rows = {{.url = "http://169.254.170.2/v2/x", .absent = {"authorization"}, .reply = POD_REPLY}},
     .count = 1,
     .key = "AKIAPOD",
     .secret = "pod-secret",
     .token = "pod-token",
     .expires_ms = AT_17},
    {.name = "ECS: a token of its own",
     .entries = {POD, "AWS_CONTAINER_AUTHORIZATION_TOKEN=Basic x"},
     .rows = {{.headers = {"authorization: Basic x"}, .reply = POD_REPLY}},
     .count = 1,
     .key = "AKIAPOD",
     .secret = "pod-secret",
     .token = "pod-token",
     .expires_ms = AT_17},
    {.name = "container: plain http elsewhere",
     .entries = {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.99/x"},
     .kind = ERR_INVALID,
     .fails = "plain http is accepted on loopback and link-local"},
    {.name = "container: a line break in the token",
     .entries = {POD, "AWS_CONTAINER_AUTHORIZATION_TOKEN=a\r\nb"},
     .kind = ERR_INVALID,
     .fails = "line breaks"},
    {.name = "container: SessionToken is not Token",
     .entries = {POD},
     .rows = {{.reply = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"b\",\"SessionToken\":\"c\","
                        "\"Expiration\":\"2026-11-22T17:00:00Z\"}"}},
     .count = 1,
     .kind = ERR_RETRY,
     .fails = "lacks credentials"},
    {.name = "container: refused",
     .entries = {POD},
     .rows = {{.status = 403}},
     .count = 1,
     .kind = ERR_DENIED,
     .fails = "HTTP status 403"},

    {.name = "profile with keys",
     .entries = {FILES, "AWS_PROFILE=keys-only"},
     .key = "AKIAFILE",
     .secret = "file-secret",
     .expires_ms = NEVER_MS},
    {.name = "profile with a role",
     .entries = {FILES, "AWS_PROFILE=role", "AWS_REGION=eu-west-1"},
     .rows = {{.url = "https://sts.eu-west-1.amazonaws.com/",
               .headers = {"Credential=AKIAFILE/"},
               .body =
                   "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2Fr"
                   "&RoleSessionName=stagingrefresh&ExternalId=ext",
               .reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE")}},
     .count = 1,
     .key = "AKIAROLE",
     .secret = "role-secret",
     .token = "role-token==",
     .expires_ms = AT_17},
    {.name = "profile that is its own source",
     .entries = {FILES, "AWS_PROFILE=self", "AWS_REGION=eu-west-1"},
     .rows = {{.headers = {"Credential=AKIASELF/"}, .reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE")}},
     .count = 1,
     .key = "AKIAROLE",
     .secret = "role-secret",
     .token = "role-token==",
     .expires_ms = AT_17},
    {.name = "profile: circle",
     .entries = {FILES, "AWS_PROFILE=circle"},
     .kind = ERR_INVALID,
     .fails = "circle"},
    {.name = "profile: program",
     .entries = {FILES, "AWS_PROFILE=process"},
     .kind = ERR_RETRY,
     .fails = "profile \"process\": credential_process: /bin/false: exit status 1"},
    {.name = "profile: what a program prints",
     .entries = {FILES, "AWS_PROFILE=program"},
     .key = "AKIAPROG",
     .secret = "program secret",
     .token = "program-token",
     .expires_ms = AT_17},
    {.name = "profile: a program of another version",
     .entries = {FILES, "AWS_PROFILE=program-2"},
     .kind = ERR_INVALID,
     .fails = "the answer must be JSON with \"Version\": 1"},
    {.name = "profile: a program with an open quote",
     .entries = {FILES, "AWS_PROFILE=program-open"},
     .kind = ERR_INVALID,
     .fails = "profile \"program-open\": credential_process: a quote is not closed"},
    {.name = "profile: a program that is not there",
     .entries = {FILES, "AWS_PROFILE=program-gone"},
     .kind = ERR_NOT_FOUND,
     .fails = "/nowhere/program"},
    {.name = "profile: a program that prints text",
     .entries = {FILES, "AWS_PROFILE=program-text"},
     .kind = ERR_RETRY,
     .fails = "credential_process: the answer is not JSON"},
    {.name = "profile: SSO",
     .entries = {FILES, "AWS_PROFILE=sso"},
     .kind = ERR_INVALID,
     .fails =
         "profile \"sso\": sso_session needs a person to sign in at a browser (SSO), and nobody is here: "
         "use a role, or \"aws configure export-credentials --profile sso --format process\""},
    {.name = "profile: MFA",
     .entries = {FILES, "AWS_PROFILE=mfa"},
     .kind = ERR_INVALID,
     .fails = "profile \"mfa\": mfa_serial needs the code of somebody's MFA device"},
    {.name = "profile: a role from the instance",
     .entries = {FILES, "AWS_PROFILE=instance-role", "AWS_REGION=eu-west-1"},
     .rows = {METADATA_TOKEN,
              METADATA_ROLE,
              {METADATA_KEYS, .reply = METADATA_REPLY("2026-11-22T17:00:00Z")},
              {.headers = {"Credential=AKIANODE/"}, .reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE")}},
     .count = 4,
     .key = "AKIAROLE",
     .secret = "role-secret",
     .token = "role-token==",
     .expires_ms = AT_17},
    {.name = "profile: a role from the container",
     .entries = {FILES, "AWS_PROFILE=container-role", "AWS_REGION=eu-west-1", POD},
     .rows = {{.reply = POD_REPLY},
              {.headers = {"Credential=AKIAPOD/"}, .reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE")}},
     .count = 2,
     .key = "AKIAROLE",
     .secret = "role-secret",
     .token = "role-token==",
     .expires_ms = AT_17},
    {.name = "profile: a role from nothing",
     .entries = {FILES, "AWS_PROFILE=environment-role"},
     .kind = ERR_DENIED,
     .fails = "its credential_source Environment has no credentials"},
    {.name = "profile: a role from elsewhere",
     .entries = {FILES, "AWS_PROFILE=other-role"},
     .kind = ERR_INVALID,
     .fails = "credential_source must be"},
    {.name = "profile: two sources",
     .entries = {FILES, "AWS_PROFILE=both"},
     .kind = ERR_INVALID,
     .fails = "exclude each other"},

    {.name = "instance",
     .entries = {"PATH=/bin"},
     .rows = {METADATA_TOKEN,
              METADATA_ROLE,
              {METADATA_KEYS, .reply = METADATA_REPLY("2026-11-22T17:00:00Z")}},
     .count = 3,
     .key = "AKIANODE",
     .secret = "node-secret",
     .token = "node-token",
     .expires_ms = AT_17},
    {.name = "instance: attempts are per request",
     .entries = {"AWS_METADATA_SERVICE_NUM_ATTEMPTS=2"},
     .rows = {{.method = "PUT", .fail = "timed out"},
              METADATA_TOKEN,
              {.method = "GET", .status = 503},
              METADATA_ROLE,
              {METADATA_KEYS, .fail = "connection reset"},
              {METADATA_KEYS, .reply = METADATA_REPLY("2026-11-22T17:00:00Z")}},
     .count = 6,
     .key = "AKIANODE",
     .secret = "node-secret",
     .token = "node-token",
     .expires_ms = AT_17},
    {.name = "instance: attempts come to an end",
     .entries = {"AWS_METADATA_SERVICE_NUM_ATTEMPTS=3"},
     .rows = {METADATA_TOKEN, {.method = "GET", .status = 500, .times = 3}},
     .count = 2,
     .kind = ERR_RETRY,
     .fails = "instance metadata service: HTTP status 500 for the instance's role"},
    {.name = "instance: no attempt after a refusal",
     .entries = {"AWS_METADATA_SERVICE_NUM_ATTEMPTS=3"},
     .rows = {{.method = "PUT", .status = 403}},
     .count = 1,
     .kind = ERR_DENIED,
     .fails = "HTTP status 403"},
    {.name = "instance: patience of 5 s",
     .entries = {"AWS_METADATA_SERVICE_TIMEOUT=5"},
     .rows = {{.method = "PUT", .url = METADATA "api/token", .reply = "metadata-token\n", .delay_ms = 4900},
              METADATA_ROLE,
              {METADATA_KEYS, .reply = METADATA_REPLY("2026-11-22T17:00:00Z")}},
     .count = 3,
     .key = "AKIANODE",
     .secret = "node-secret",
     .token = "node-token",
     .expires_ms = AT_17},
    {.name = "instance: no patience is said",
     .entries = {"PATH=/bin"},
     .rows = {{.method = "PUT", .reply = "metadata-token\n", .delay_ms = 4900}},
     .count = 1,
     .kind = ERR_DENIED,
     .fails = "no AWS credentials were found"},
    {.name = "instance: stale credentials go on for a while",
     .entries = {"PATH=/bin"},
     .rows = {METADATA_TOKEN,
              METADATA_ROLE,
              {METADATA_KEYS, .reply = METADATA_REPLY("2026-11-22T15:00:00Z")}},
     .count = 3,
     .key = "AKIANODE",
     .secret = "node-secret",
     .token = "node-token",
     .expires_ms = TESTING_WALL_MS + MINUTES(15)},
    {.name = "instance: another endpoint",
     .entries = {"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1338/"},
     .rows = {{.method = "PUT", .url = "http://127.0.0.1:1338/latest/api/token", .status = 404}},
     .count = 1,
     .kind = ERR_DENIED,
     .fails = "no AWS credentials were found"},
    {.name = "instance: over IPv6, and there is none",
     .entries = {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6"},
     .rows = {{.url = "http://[fd00:ec2::254]/latest/api/token", .fail = "timed out"}},
     .count = 1,
     .kind = ERR_DENIED,
     .fails = "no AWS credentials were found"},
    {.name = "instance: no version 2",
     .entries = {"PATH=/bin"},
     .rows = {{.method = "PUT", .status = 405}},
     .count = 1,
     .kind = ERR_DENIED,
     .fails = "instance metadata service: HTTP status 405 for a session token (IMDSv2)"},
    {.name = "instance: no role",
     .entries = {"PATH=/bin"},
     .rows = {METADATA_TOKEN, {.method = "GET", .status = 404}},
     .count = 2,
     .kind = ERR_DENIED,
     .fails = "no AWS credentials were found"},
    {.name = "instance: not ready",
     .entries = {"PATH=/bin"},
     .rows = {METADATA_TOKEN,
              METADATA_ROLE,
              {METADATA_KEYS, .reply = "{\"Code\":\"AssumeRoleUnauthorizedAccess\"}"}},
     .count = 3,
     .kind = ERR_RETRY,
     .fails = "the answer has code AssumeRoleUnauthorizedAccess"},
    {.name = "instance: silence after the token is trouble",
     .entries = {"PATH=/bin"},
     .rows = {METADATA_TOKEN, {.method = "GET", .fail = "timed out"}},
     .count = 2,
     .kind = ERR_RETRY,
     .fails = "instance metadata service: timed out"},

    {.name = "profile: half",
     .entries = {FILES, "AWS_PROFILE=half"},
     .kind = ERR_INVALID,
     .fails = "belong together"},
    {.name = "profile: role without a source",
     .entries = {FILES, "AWS_PROFILE=rootless"},
     .kind = ERR_INVALID,
     .fails = "needs a source_profile"},
    {.name = "profile: nowhere",
     .entries = {FILES, "AWS_PROFILE=none"},
     .kind = ERR_INVALID,
     .fails = "in none of the shared files"},
};

static void finds_credentials(void **state)
{
    const struct row *row = *state;
    AUTO_SHARED_FILE struct shared_file file = {0};
    AUTO_AWS_CONFIG struct aws_config config = {0};
    struct credentials_cache *cache;
    struct credentials *got = NULL;
    struct testing_env t;
    struct err *err;

    testing_env_init(&t, 1, row->rows, row->count, NULL);
    read_variables(row->entries, &config);
    if (row->config) {
        shared_file_write(&file, row->config);
        config.config_file = xstrdup(file.path);
    }
    cache = credentials_default_new(&config);
    err = credentials_get(cache, &t.env, &got);
    if (row->fails) {
        assert_fails(err, row->kind, row->fails);
    } else {
        assert_no_err(err);
        assert_text_equal(got->access_key_id, row->key);
        assert_str_equal(secret_reveal(got->secret_key), row->secret);
        assert_text_equal(got->session_token ? secret_reveal(got->session_token).ptr : NULL, row->token);
        assert_number(got->expires_ms, row->expires_ms);
    }
    credentials_unref(got);
    credentials_cache_free(cache);
    testing_env_done(&t);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, finds_credentials, rows);
    return tests_run(&tests, "credentials");
}
