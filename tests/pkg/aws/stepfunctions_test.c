#include "pkg/aws/stepfunctions.h"

#include "tests/pkg/aws/fixture.h"

#define MACHINE "arn:aws:states:ap-northeast-1:222222222222:stateMachine:mask"

static void starts_by_name_and_looks(void **state)
{
    static const struct exchange rows[] = {
        {.host = "states.ap-northeast-1.amazonaws.com",
         .headers = {"x-amz-target: AWSStepFunctions.StartExecution"},
         .body_json = "{\"stateMachineArn\":\"" MACHINE
                      "\",\"name\":\"r1-mask\",\"input\":\"{\\\"run\\\":\\\"r1\\\"}\"}",
         .reply = "{\"executionArn\":\"arn:e\",\"startDate\":1795363200.5}"},
        {.status = 400, .reply = "{\"__type\":\"ExecutionAlreadyExists\",\"message\":\"exists\"}"},
        {.headers = {"x-amz-target: AWSStepFunctions.DescribeExecution"},
         .body_json = "{\"executionArn\":\"arn:e\"}",
         .reply = "{\"status\":\"FAILED\",\"error\":\"States.Timeout\",\"cause\":\"slow\"}"},
        {.status = 400, .reply = "{\"__type\":\"ExecutionDoesNotExist\"}"},
    };
    AUTO_JSON struct json *input = json_new_object();
    AUTO_EXECUTION struct execution execution = {0};
    AUTO_FREE char *arn = NULL;
    struct execution none = {0};
    struct fixture f;
    char *never = NULL;

    (void)state;
    FIXTURE(f, rows);
    json_set_text(input, "run", "r1");
    assert_no_err(stepfunctions_start(&f.aws, MACHINE, "r1-mask", input, &arn));
    assert_text_equal(arn, "arn:e");
    assert_fails(stepfunctions_start(&f.aws, MACHINE, "r1-mask", input, &never), ERR_CONFLICT,
                 "ExecutionAlreadyExists");
    assert_no_err(stepfunctions_describe(&f.aws, "arn:e", &execution));
    assert_text_equal(execution.status, "FAILED");
    assert_text_equal(execution.cause, "slow");
    assert_fails(stepfunctions_describe(&f.aws, "arn:x", &none), ERR_NOT_FOUND, "ExecutionDoesNotExist");
    fixture_done(&f);
}

static void an_execution_is_known_by_its_name(void **state)
{
    AUTO_FREE char *arn = stepfunctions_execution_arn(MACHINE, "r1-mask");

    (void)state;
    assert_text_equal(arn, "arn:aws:states:ap-northeast-1:222222222222:execution:mask:r1-mask");
    assert_null(stepfunctions_execution_arn("arn:aws:states:r:a:activity:mask", "r1"));
    assert_null(stepfunctions_execution_arn("mask", "r1"));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, starts_by_name_and_looks);
    TEST(&tests, an_execution_is_known_by_its_name);
    return tests_run(&tests, "stepfunctions");
}
