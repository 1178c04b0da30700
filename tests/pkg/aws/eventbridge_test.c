#include "pkg/aws/eventbridge.h"

#include "tests/pkg/aws/fixture.h"

#define EVENTS .host = "events.ap-northeast-1.amazonaws.com", .method = "POST", .path = "/"

static struct err *put(struct fixture *f)
{
    AUTO_JSON struct json *detail = json_new_object();

    json_set_text(detail, "run", "r1");
    return eventbridge_put(&f->aws, &(struct eventbridge_event){.bus = "default",
                                                                .source = "stagingrefresh.dev",
                                                                .detail_type = "StagingRefresh RunStarted",
                                                                .detail = detail,
                                                                .wall_ms = INT64_C(1795363200000)});
}

static void puts_an_event(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {EVENTS, .headers = {"x-amz-target: AWSEvents.PutEvents", "content-type: application/x-amz-json-1.1"},
         .body_json = "{\"Entries\":[{\"EventBusName\":\"default\",\"Source\":\"stagingrefresh.dev\","
                      "\"DetailType\":\"StagingRefresh RunStarted\",\"Detail\":\"{\\\"run\\\":\\\"r1\\\"}\","
                      "\"Time\":1795363200}]}",
         .reply = "{\"FailedEntryCount\":0,\"Entries\":[{\"EventId\":\"e1\"}]}"},
    };
    struct fixture f;

    FIXTURE(f, rows);
    assert_no_err(put(&f));
    fixture_done(&f);
}

static void a_200_may_be_a_refusal(void **state UNUSED)
{
    static const struct {
        const char *code;
        enum err_kind kind;
    } rows[] = {
        {"InternalFailure", ERR_RETRY},
        {"ThrottlingException", ERR_RETRY},
        {"ResourceNotFoundException", ERR_NOT_FOUND},
        {"NotAuthorizedForSourceException", ERR_INVALID},
        {"InvalidArgument", ERR_INVALID},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *reply = xasprintf("{\"FailedEntryCount\":1,\"Entries\":[{\"ErrorCode\":\"%s\","
                                          "\"ErrorMessage\":\"the bus says no\"}]}",
                                          rows[i].code);
        const struct exchange exchange = {EVENTS, .reply = reply};
        struct fixture f;

        fixture_init(&f, AWS_TARGET, &exchange, 1);
        assert_fails(put(&f), rows[i].kind, "the bus says no");
        fixture_done(&f);
    }
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, puts_an_event);
    TEST(&tests, a_200_may_be_a_refusal);
    return tests_run(&tests, "eventbridge");
}
