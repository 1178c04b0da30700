/* Step Functions: what starts, what is the same execution, and how it ends. */
#include "tests/hack/awssim/client_fixture.h"

#include "pkg/base/times.h"

#define PROD "111111111111"
#define MACHINE(name) "arn:aws:states:ap-northeast-1:" PROD ":stateMachine:" name
#define EXECUTION(rest) "arn:aws:states:ap-northeast-1:" PROD ":execution:" rest
#define START(rest) "{\"stateMachineArn\":\"" MACHINE("mask") "\"" rest "}"
#define EIGHTY "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhh"

static const char world[] =
    "durations: {states: {visible: 2s}}\n"
    "accounts:\n"
    "- id: '" PROD "'\n"
    "  region: ap-northeast-1\n"
    "  iam:\n"
    "    users:\n"
    "    - {name: me, accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}], allow: ['*']}\n"
    "  states: {stateMachines: [{name: mask, takes: 20m}, {name: bad, takes: 1m, outcome: FAILED}]}\n";

static int states(const char *operation, const char *body)
{
    return awssim_json(&client, "states", operation, body);
}

static const struct row {
    const char *name, *operation, *body, *error;
} rows[] = {
    {.name = "no such machine",
     .operation = "StartExecution",
     .body = "{\"stateMachineArn\":\"" MACHINE("none") "\"}",
     .error = "StateMachineDoesNotExist"},
    {.name = "no ARN",
     .operation = "StartExecution",
     .body = "{\"stateMachineArn\":\"mask\"}",
     .error = "InvalidArn"},
    {.name = "an ARN of something else",
     .operation = "StartExecution",
     .body = "{\"stateMachineArn\":\"" EXECUTION("mask:x") "\"}",
     .error = "InvalidArn"},
    {.name = "a blank in the name",
     .operation = "StartExecution",
     .body = START(",\"name\":\"a b\""),
     .error = "InvalidName"},
    {.name = "no name in the name",
     .operation = "StartExecution",
     .body = START(",\"name\":\"\""),
     .error = "InvalidName"},
    {.name = "81 characters",
     .operation = "StartExecution",
     .body = START(",\"name\":\"" EIGHTY "i\""),
     .error = "InvalidName"},
    {.name = "80 characters", .operation = "StartExecution", .body = START(",\"name\":\"" EIGHTY "\"")},
    {.name = "an input that is no JSON",
     .operation = "StartExecution",
     .body = START(",\"input\":\"{\""),
     .error = "InvalidExecutionInput"},
    {.name = "an input that is text",
     .operation = "StartExecution",
     .body = START(",\"input\":\"\\\"a\\\"\"")},
    {.name = "no such execution",
     .operation = "DescribeExecution",
     .body = "{\"executionArn\":\"" EXECUTION("mask:none") "\"}",
     .error = "ExecutionDoesNotExist"},
    {.name = "the machine's ARN for an execution's",
     .operation = "DescribeExecution",
     .body = "{\"executionArn\":\"" MACHINE("mask") "\"}",
     .error = "InvalidArn"},
};

static void test_row(void **state)
{
    const struct row *row = *state;

    assert_number(states(row->operation, row->body), row->error ? 400 : 200);
    assert_awssim_error(&client, row->error);
}

static void expect(const char *execution, const char *member, const char *want)
{
    AUTO_FREE char *body = xasprintf("{\"executionArn\":\"%s\"}", execution);

    assert_number(states("DescribeExecution", body), 200);
    assert_text_equal(awssim_text(&client, member), want);
}

#define NAMED START(",\"name\":\"one\",\"input\":\"{\\\"a\\\":1}\"")

static void test_the_same_execution_while_it_runs(void **state)
{
    (void)state;
    assert_number(states("StartExecution", NAMED), 200);
    assert_text_equal(awssim_text(&client, "executionArn"), EXECUTION("mask:one"));
    awssim_client_advance(&client, MINUTES(19));
    assert_number(states("StartExecution", NAMED), 200);
    assert_text_equal(awssim_text(&client, "executionArn"), EXECUTION("mask:one"));
    assert_number((int64_t)json_get_number(client.json, "startDate", 0), AWSSIM_WALL_MS / 1000);
    assert_number(states("StartExecution", START(",\"name\":\"one\",\"input\":\"{\\\"a\\\":2}\"")), 400);
    assert_awssim_error(&client, "ExecutionAlreadyExists");
    awssim_client_advance(&client, MINUTES(1));
    assert_number(states("StartExecution", NAMED), 400);
    assert_awssim_error(&client, "ExecutionAlreadyExists");
}

static void test_its_end(void **state)
{
    (void)state;
    assert_number(states("StartExecution", NAMED), 200);
    awssim_client_advance(&client, MINUTES(10));
    expect(EXECUTION("mask:one"), "status", "RUNNING");
    assert_null(json_at(client.json, "stopDate"));
    awssim_client_advance(&client, MINUTES(10));
    expect(EXECUTION("mask:one"), "status", "SUCCEEDED");
    assert_text_equal(awssim_text(&client, "output"), "{}");
    assert_number((int64_t)json_get_number(client.json, "stopDate", 0),
                  (AWSSIM_WALL_MS + MINUTES(20)) / 1000);
}

static void test_its_failure(void **state)
{
    (void)state;
    assert_number(states("StartExecution", "{\"stateMachineArn\":\"" MACHINE("bad") "\",\"name\":\"two\"}"),
                  200);
    awssim_client_advance(&client, MINUTES(1));
    expect(EXECUTION("bad:two"), "status", "FAILED");
    assert_text_equal(awssim_text(&client, "error"), "States.TaskFailed");
    assert_null(json_at(client.json, "output"));
}

/* It is there at once, and not yet to be seen. */
static void test_a_new_execution_is_not_seen_at_once(void **state)
{
    (void)state;
    assert_number(states("StartExecution", NAMED), 200);
    assert_number(states("DescribeExecution", "{\"executionArn\":\"" EXECUTION("mask:one") "\"}"), 400);
    assert_awssim_error(&client, "ExecutionDoesNotExist");
    awssim_client_advance(&client, SECONDS(2));
    expect(EXECUTION("mask:one"), "status", "RUNNING");
}

static void test_a_name_is_free_again_after_90_days(void **state)
{
    (void)state;
    assert_number(states("StartExecution", NAMED), 200);
    awssim_client_advance(&client, DAYS(90));
    assert_number(states("StartExecution", NAMED), 400);
    awssim_client_advance(&client, MINUTES(20));
    assert_number(states("StartExecution", NAMED), 200);
    awssim_client_advance(&client, MINUTES(1));
    expect(EXECUTION("mask:one"), "status", "RUNNING");
}

int main(void)
{
    struct tests tests = tests_in(world);

    TEST_ROWS(&tests, test_row, rows);
    TEST(&tests, test_the_same_execution_while_it_runs);
    TEST(&tests, test_its_end);
    TEST(&tests, test_its_failure);
    TEST(&tests, test_a_new_execution_is_not_seen_at_once);
    TEST(&tests, test_a_name_is_free_again_after_90_days);
    return tests_run(&tests, "awssim states");
}
