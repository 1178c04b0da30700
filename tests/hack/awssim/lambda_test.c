/* Lambda's Invoke, as far as it goes here. */
#include "tests/hack/awssim/client_fixture.h"

#define PROD "111111111111"
#define INVOKE "/2015-03-31/functions/hook/invocations"

static const char world[] =
    "accounts:\n"
    "- id: '" PROD "'\n"
    "  region: ap-northeast-1\n"
    "  iam:\n"
    "    users:\n"
    "    - {name: me, accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}], allow: ['*']}\n"
    "  lambda: {functions: [{name: hook}]}\n";

static const struct row {
    const char *name, *target, *body;
    int status;
    const char *error;   /* NULL: accepted */
    const char *payload; /* what is kept of it */
} rows[] = {
    {.name = "an object", .target = INVOKE, .body = "{\"a\":1}", .status = 202, .payload = "{\"a\":1}"},
    {.name = "a list", .target = INVOKE, .body = "[1,2]", .status = 202, .payload = "[1,2]"},
    {.name = "no payload", .target = INVOKE, .status = 202, .payload = "{}"},
    {.name = "by ARN",
     .target =
         "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aap-northeast-1%3A" PROD "%3Afunction%3Ahook/invocations",
     .body = "{}",
     .status = 202,
     .payload = "{}"},
    {.name = "a version behind the name",
     .target = "/2015-03-31/functions/hook%3Alive/invocations",
     .body = "{}",
     .status = 202,
     .payload = "{}"},
    {.name = "a version as the qualifier",
     .target = INVOKE "?Qualifier=live",
     .body = "{\"FunctionName\":1}",
     .status = 202,
     .payload = "{\"FunctionName\":1}"},
    {.name = "another function",
     .target = "/2015-03-31/functions/hooks/invocations",
     .body = "{}",
     .status = 404,
     .error = "ResourceNotFoundException"},
    {.name = "no JSON",
     .target = INVOKE,
     .body = "{",
     .status = 400,
     .error = "InvalidRequestContentException"},
};

static int invoke(const char *target, const char *body)
{
    return awssim_rest_of(&client, "lambda", "POST", target, body);
}

static void test_invoke(void **state)
{
    const struct row *row = *state;

    client.invocation_type = "Event";
    assert_number(invoke(row->target, row->body), row->status);
    if (row->error)
        assert_awssim_error(&client, row->error);
    awssim_control(&client, "GET", "/_sim/world", NULL);
    const struct json *function = json_at(client.json, "accounts[0].lambda.functions[0]");
    assert_number(json_get_int(function, "invocations", -1), row->error ? 0 : 1);
    if (row->payload)
        assert_json_equal(json_at(function, "payloads[0]"), row->payload);
}

static void test_only_asynchronous_invocations(void **state)
{
    (void)state;
    assert_number(invoke(INVOKE, "{}"), 400);
    assert_awssim_error(&client, "InvalidParameterValueException");
}

static void test_large_payload(void **state)
{
    AUTO_BUF struct buf body = BUF_MAX(2 * MIB);

    (void)state;
    client.invocation_type = "Event";
    buf_addc(&body, '"');
    while (body.len < MIB)
        buf_adds(&body, "0123456789abcdef");
    buf_addc(&body, '"');
    assert_number(invoke(INVOKE, buf_text(&body)), 413);
    assert_awssim_error(&client, "RequestTooLargeException");
}

int main(void)
{
    struct tests tests = tests_in(world);

    TEST_ROWS(&tests, test_invoke, rows);
    TEST(&tests, test_only_asynchronous_invocations);
    TEST(&tests, test_large_payload);
    return tests_run(&tests, "awssim lambda");
}
