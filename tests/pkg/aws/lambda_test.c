#include "pkg/aws/lambda.h"

#include "tests/pkg/aws/fixture.h"

static void queues_an_invocation(void **state)
{
    static const struct exchange rows[] = {
        {.method = "POST",
         .host = "lambda.ap-northeast-1.amazonaws.com",
         .path = "/2015-03-31/functions/refresh-hook/invocations",
         .headers = {"x-amz-invocation-type: Event", "content-type: application/json"},
         .body_json = "{\"run\":\"r1\"}",
         .status = 202},
        {.status = 404, .reply_headers = {"x-amzn-errortype: ResourceNotFoundException"}, .reply = "{}"},
    };
    AUTO_JSON struct json *payload = json_new_object();
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    json_set_text(payload, "run", "r1");
    assert_no_err(lambda_invoke_async(&f.aws, "refresh-hook", payload));
    assert_fails(lambda_invoke_async(&f.aws, "gone", payload), ERR_NOT_FOUND, "lambda Invoke");
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, queues_an_invocation);
    return tests_run(&tests, "lambda");
}
