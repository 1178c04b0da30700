#include "pkg/aws/sqs.h"

#include "tests/pkg/aws/fixture.h"

#define QUEUE "https://sqs.ap-northeast-1.amazonaws.com/222222222222/staging-refresh"
#define SQS .host = "sqs.ap-northeast-1.amazonaws.com", .method = "POST", .path = "/"

static void receives_and_deletes(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {SQS,
         .headers = {"x-amz-target: AmazonSQS.ReceiveMessage", "content-type: application/x-amz-json-1.0"},
         .body_json = "{\"QueueUrl\":\"" QUEUE "\",\"MaxNumberOfMessages\":10,\"WaitTimeSeconds\":20}",
         .reply = "{\"Messages\":[{\"MessageId\":\"m1\",\"ReceiptHandle\":\"r1\",\"Body\":\"one\"},"
                  "{\"MessageId\":\"m2\",\"Body\":\"cannot be deleted\"},"
                  "{\"ReceiptHandle\":\"r3\"}]}"},
        /* 200, and not all of it was done. */
        {SQS, .headers = {"x-amz-target: AmazonSQS.DeleteMessageBatch"},
         .body_json = "{\"QueueUrl\":\"" QUEUE "\",\"Entries\":[{\"Id\":\"0\",\"ReceiptHandle\":\"r1\"},"
                      "{\"Id\":\"1\",\"ReceiptHandle\":\"r3\"}]}",
         .reply = "{\"Successful\":[{\"Id\":\"0\"}],\"Failed\":[{\"Id\":\"1\",\"Code\":\"InternalError\","
                  "\"SenderFault\":false}]}"},
    };
    AUTO_SQS_MESSAGES struct sqs_messages messages = {0};
    size_t left = 99;
    struct fixture f;

    FIXTURE(f, rows);
    assert_no_err(sqs_receive(&f.aws, QUEUE, 10, 20, &messages));
    assert_number((int64_t)messages.count, 2);
    assert_text_equal(messages.items[0].body, "one");
    assert_text_equal(messages.items[1].receipt, "r3");
    assert_text_equal(messages.items[1].body, "");
    assert_no_err(sqs_delete(&f.aws, QUEUE, &messages, &left));
    assert_number((int64_t)left, 1);
    fixture_done(&f);
}

static void an_empty_queue_is_an_empty_list(void **state UNUSED)
{
    static const struct exchange rows[] = {{SQS, .reply = "{}"}, {SQS, .reply = "{\"Messages\":[]}"}};
    AUTO_SQS_MESSAGES struct sqs_messages messages = {0};
    struct fixture f;

    FIXTURE(f, rows);
    assert_no_err(sqs_receive(&f.aws, QUEUE, 1, 20, &messages));
    assert_no_err(sqs_receive(&f.aws, QUEUE, 1, 20, &messages));
    assert_number((int64_t)messages.count, 0);
    fixture_done(&f);
}

static void a_missing_queue_is_known_by_either_name(void **state UNUSED)
{
    static const struct {
        const char *code;
        enum err_kind kind;
    } rows[] = {
        {"com.amazonaws.sqs#QueueDoesNotExist", ERR_NOT_FOUND},
        {"AWS.SimpleQueueService.NonExistentQueue", ERR_NOT_FOUND},
        {"com.amazonaws.sqs#KmsAccessDenied", ERR_DENIED},
        {"com.amazon.coral.service#AccessDeniedException", ERR_DENIED},
        {"com.amazonaws.sqs#OverLimit", ERR_RETRY},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *reply = xasprintf("{\"__type\":\"%s\",\"message\":\"no\"}", rows[i].code);
        const struct exchange exchange = {SQS, .status = 400, .reply = reply};
        AUTO_SQS_MESSAGES struct sqs_messages messages = {0};
        struct fixture f;

        fixture_init(&f, AWS_TARGET, &exchange, 1);
        assert_fails(sqs_receive(&f.aws, QUEUE, 1, 20, &messages), rows[i].kind, "no");
        fixture_done(&f);
    }
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, receives_and_deletes);
    TEST(&tests, an_empty_queue_is_an_empty_list);
    TEST(&tests, a_missing_queue_is_known_by_either_name);
    return tests_run(&tests, "sqs");
}
