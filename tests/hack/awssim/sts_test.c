#include "tests/hack/awssim/client_fixture.h"
#include "tests/hack/awssim/small_world.h"

#include "pkg/base/times.h"

#define ROLE(name) "RoleArn=arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2F" name "&RoleSessionName=abc"

#define TAG(n, key, value) "&Tags.member." n ".Key=" key "&Tags.member." n ".Value=" value

static const struct row {
    const char *name, *form, *error;
} rows[] = {
    {.name = "the account's root is trusted", .form = ROLE("all")},
    {.name = "a longer session within the role's maximum", .form = ROLE("all") "&DurationSeconds=7200"},
    {.name = "beyond the role's maximum",
     .form = ROLE("all") "&DurationSeconds=7201",
     .error = "ValidationError"},
    {.name = "too short a session", .form = ROLE("all") "&DurationSeconds=60", .error = "ValidationError"},
    {.name = "the external id is right", .form = ROLE("guarded") "&ExternalId=word"},
    {.name = "the external id is wrong",
     .form = ROLE("guarded") "&ExternalId=other",
     .error = "AccessDenied"},
    {.name = "the external id is missing", .form = ROLE("guarded"), .error = "AccessDenied"},
    {.name = "tags, and the trust lets them be given",
     .form = ROLE("guarded") "&ExternalId=word" TAG("1", "run", "one") TAG("2", "name", "shop")},
    {.name = "tags, and the trust does not let them be given",
     .form = ROLE("all") TAG("1", "run", "one"),
     .error = "AccessDenied"},
    {.name = "a tag without a value",
     .form = ROLE("guarded") "&ExternalId=word&Tags.member.1.Key=run",
     .error = "ValidationError"},
    {.name = "the same tag twice, but for the case",
     .form = ROLE("guarded") "&ExternalId=word" TAG("1", "run", "one") TAG("2", "Run", "two"),
     .error = "InvalidParameterValue"},
    {.name = "no such role", .form = ROLE("none"), .error = "AccessDenied"},
    {.name = "a bad session name",
     .form = "RoleArn=arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2Fall&RoleSessionName=a%20b",
     .error = "ValidationError"},
    {.name = "no session name",
     .form = "RoleArn=arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2Fall",
     .error = "ValidationError"},
    {.name = "an unknown parameter", .form = ROLE("all") "&Colour=red", .error = "ValidationError"},
};

static void test_assume(void **state)
{
    const struct row *row = *state;

    awssim_query(&client, "sts", "AssumeRole", row->form);
    assert_awssim_error(&client, row->error);
}

static void test_identity(void **state)
{
    (void)state;
    assert_number(awssim_query(&client, "sts", "GetCallerIdentity", NULL), 200);
    AUTO_FREE char *arn = awssim_xml(&client, "Arn", 0);
    assert_text_equal(arn, "arn:aws:iam::111111111111:user/me");
    awssim_client_assume(&client, OTHER_ROLE, NULL);
    assert_number(awssim_query(&client, "sts", "GetCallerIdentity", NULL), 200);
    AUTO_FREE char *session = awssim_xml(&client, "Arn", 0);
    AUTO_FREE char *account = awssim_xml(&client, "Account", 0);
    assert_text_equal(session, "arn:aws:sts::222222222222:assumed-role/all/test");
    assert_text_equal(account, "222222222222");
}

static void test_nobody_may_ask_who_it_is(void **state)
{
    (void)state;
    awssim_client_use(&client, "AKIANOBODY", "example-secret", NULL);
    assert_number(awssim_query(&client, "sts", "GetCallerIdentity", NULL), 200);
    assert_number(awssim_query(&client, "sts", "AssumeRole", ROLE("all")), 403);
}

static void test_chained_sessions_are_an_hour_at_most(void **state)
{
    (void)state;
    awssim_client_assume(&client, ROOT_ROLE, NULL);
    assert_number(awssim_query(&client, "sts", "AssumeRole", ROLE("all") "&DurationSeconds=3600"), 200);
    assert_number(awssim_query(&client, "sts", "AssumeRole", ROLE("all") "&DurationSeconds=3601"), 400);
    assert_awssim_error(&client, "ValidationError");
}

static void test_sessions_end_by_the_real_clock(void **state)
{
    (void)state;
    awssim_client_assume(&client, ROOT_ROLE, NULL);
    client.world_ms += DAYS(3);
    assert_number(awssim_query(&client, "sts", "GetCallerIdentity", NULL), 200);
    client.wall_ms += HOURS(1) - 1;
    assert_number(awssim_query(&client, "sts", "GetCallerIdentity", NULL), 200);
    client.wall_ms += 1;
    assert_number(awssim_query(&client, "sts", "GetCallerIdentity", NULL), 403);
    assert_awssim_error(&client, "ExpiredToken");
    assert_number(awssim_json(&client, "kms", "DescribeKey", "{\"KeyId\":\"alias/one\"}"), 400);
    assert_awssim_error(&client, "ExpiredTokenException");
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/", NULL), 403);
    assert_awssim_error(&client, "ExpiredTokenException");
}

static void test_token_belongs_to_its_key(void **state)
{
    (void)state;
    awssim_client_assume(&client, ROOT_ROLE, NULL);
    AUTO_FREE char *key = xstrdup(client.access_key_id);
    AUTO_FREE char *secret = xstrdup(client.secret);
    awssim_client_use(&client, key, secret, "another");
    assert_number(awssim_query(&client, "sts", "GetCallerIdentity", NULL), 403);
    assert_awssim_error(&client, "InvalidClientTokenId");
}

/* ---- web identity ---- */

static char *make_token(const char *claims)
{
    AUTO_BUF struct buf out = BUF_MAX(4 * KIB);

    buf_adds(&out, "e30.");
    buf_add_base64(&out, claims, strlen(claims));
    while (out.len && out.data[out.len - 1] == '=')
        out.data[--out.len] = '\0';
    buf_adds(&out, ".c2ln");
    for (char *c = out.data; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    return buf_take(&out);
}

static const struct web_row {
    const char *name, *claims, *error;
} web_rows[] = {
    {.name = "web: fine",
     .claims = "{\"iss\":\"https://"
               "oidc.example\",\"sub\":\"system:serviceaccount:a:b\",\"aud\":[\"sts\"],\"exp\":1795363201}"},
    {.name = "web: expired",
     .claims = "{\"iss\":\"https://"
               "oidc.example\",\"sub\":\"system:serviceaccount:a:b\",\"aud\":[\"sts\"],\"exp\":1795363200}",
     .error = "ExpiredTokenException"},
    {.name = "web: another issuer",
     .claims = "{\"iss\":\"https://"
               "other.example\",\"sub\":\"system:serviceaccount:a:b\",\"aud\":[\"sts\"],\"exp\":1795363201}",
     .error = "AccessDenied"},
    {.name = "web: another subject",
     .claims = "{\"iss\":\"https://"
               "oidc.example\",\"sub\":\"system:serviceaccount:c:b\",\"aud\":[\"sts\"],\"exp\":1795363201}",
     .error = "AccessDenied"},
    {.name = "web: another audience",
     .claims = "{\"iss\":\"https://"
               "oidc.example\",\"sub\":\"system:serviceaccount:a:b\",\"aud\":\"else\",\"exp\":1795363201}",
     .error = "AccessDenied"},
    {.name = "web: no JSON", .claims = "nonsense", .error = "InvalidIdentityToken"},
};

static void send_unsigned(const char *form)
{
    struct sim_header header = {.name = "Content-Type", .value = "application/x-www-form-urlencoded"};
    struct sim_request request = {
        .method = "POST", .target = "/", .headers = &header, .header_count = 1, .body = str_of(form)};

    sim_reply_done(&client.reply);
    awssim_handle(client.sim, &request, client.wall_ms, client.world_ms, &client.reply);
}

static void test_web_identity(void **state)
{
    const struct web_row *row = *state;
    AUTO_FREE char *token = make_token(row->claims);
    AUTO_FREE char *form = xasprintf(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&%s&WebIdentityToken=%s", ROLE("web"), token);

    send_unsigned(form);
    assert_awssim_error(&client, row->error);
    if (row->error)
        return;
    AUTO_FREE char *subject = awssim_xml(&client, "SubjectFromWebIdentityToken", 0);
    AUTO_FREE char *key = awssim_xml(&client, "AccessKeyId", 0);
    AUTO_FREE char *secret = awssim_xml(&client, "SecretAccessKey", 0);
    AUTO_FREE char *session = awssim_xml(&client, "SessionToken", 0);
    assert_text_equal(subject, "system:serviceaccount:a:b");
    awssim_client_use(&client, key, secret, session);
    assert_number(awssim_query(&client, "sts", "GetCallerIdentity", NULL), 200);
}

static void test_anything_else_needs_a_signature(void **state)
{
    (void)state;
    send_unsigned("Action=GetCallerIdentity&Version=2011-06-15");
    assert_number(client.reply.status, 403);
    assert_awssim_error(&client, "MissingAuthenticationToken");
}

int main(void)
{
    struct tests tests = tests_in(small_world);

    TEST_ROWS(&tests, test_assume, rows);
    TEST(&tests, test_identity);
    TEST(&tests, test_nobody_may_ask_who_it_is);
    TEST(&tests, test_chained_sessions_are_an_hour_at_most);
    TEST(&tests, test_sessions_end_by_the_real_clock);
    TEST(&tests, test_token_belongs_to_its_key);
    TEST_ROWS(&tests, test_web_identity, web_rows);
    TEST(&tests, test_anything_else_needs_a_signature);
    return tests_run(&tests, "awssim sts");
}
