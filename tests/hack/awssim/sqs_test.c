/* SQS. */
#include "tests/hack/awssim/services_world.h"

#define QUEUE_ARN ARN(STG, "sqs", "events")
#define URL "https://sqs.ap-northeast-1.amazonaws.com/" STG "/events"
#define AT(url) "\"QueueUrl\":\"" url "\""
#define SECTION                                                                                   \
    "  sqs:\n"                                                                                    \
    "    queues:\n"                                                                               \
    "    - {name: events, visibility: 30s}\n"                                                     \
    "    - {name: dead}\n"                                                                        \
    "    - {name: fragile, deadLetters: dead, maxReceives: 2, visibility: 10s, maxBytes: 1024}\n" \
    "    - name: shared\n"                                                                        \
    "      policy: {Statement: [{Effect: Allow, Principal: {AWS: '" PROD                          \
    "'}, Action: 'sqs:SendMessage', Resource: '*'}]}\n"

static int sqs(const char *operation, const char *body)
{
    return awssim_json(&client, "sqs", operation, body);
}

static void send_text(const char *url, const char *text)
{
    AUTO_FREE char *body = xasprintf("{\"QueueUrl\":\"%s\",\"MessageBody\":\"%s\"}", url, text);

    assert_number(sqs("SendMessage", body), 200);
}

/* The first message's text and, yours, its handle; NULL when there is none. */
static char *receive(const char *url, const char *want)
{
    AUTO_FREE char *body =
        xasprintf("{\"QueueUrl\":\"%s\",\"MessageSystemAttributeNames\":[\"ApproximateReceiveCount\"]}", url);

    assert_number(sqs("ReceiveMessage", body), 200);
    assert_text_equal(awssim_text(&client, "Messages[0].Body"), want);
    return xstrdup_or_null(awssim_text(&client, "Messages[0].ReceiptHandle"));
}

/* ---- queues ---- */

static const struct refused_row {
    const char *name, *operation, *body, *error;
} refused_rows[] = {
    {.name = "no such queue",
     .operation = "ReceiveMessage",
     .body = "{" AT("https://sqs.ap-northeast-1.amazonaws.com/" STG "/none") "}",
     .error = "QueueDoesNotExist"},
    {.name = "another Region's host",
     .operation = "ReceiveMessage",
     .body = "{" AT("https://sqs.eu-central-1.amazonaws.com/" STG "/events") "}",
     .error = "InvalidAddress"},
    {.name = "no URL",
     .operation = "ReceiveMessage",
     .body = "{" AT("events") "}",
     .error = "InvalidAddress"},
    {.name = "URL missing", .operation = "ReceiveMessage", .body = "{}", .error = "MissingParameter"},
    {.name = "eleven at a time",
     .operation = "ReceiveMessage",
     .body = "{" AT(URL) ",\"MaxNumberOfMessages\":11}",
     .error = "InvalidParameterValue"},
    {.name = "a long wait",
     .operation = "ReceiveMessage",
     .body = "{" AT(URL) ",\"WaitTimeSeconds\":21}",
     .error = "InvalidParameterValue"},
    {.name = "an empty message",
     .operation = "SendMessage",
     .body = "{" AT(URL) ",\"MessageBody\":\"\"}",
     .error = "MissingParameter"},
    {.name = "a control character",
     .operation = "SendMessage",
     .body = "{" AT(URL) ",\"MessageBody\":\"a\\u0001\"}",
     .error = "InvalidMessageContents"},
    {.name = "no handle",
     .operation = "DeleteMessage",
     .body = "{" AT(URL) ",\"ReceiptHandle\":\"x\"}",
     .error = "ReceiptHandleIsInvalid"},
    {.name = "an empty batch",
     .operation = "DeleteMessageBatch",
     .body = "{" AT(URL) ",\"Entries\":[]}",
     .error = "EmptyBatchRequest"},
    {.name = "the same id twice",
     .operation = "DeleteMessageBatch",
     .body = "{" AT(URL) ",\"Entries\":[{\"Id\":\"a\",\"ReceiptHandle\":\"AQEBx\"},{\"Id\":\"a\","
                         "\"ReceiptHandle\":\"AQEBy\"}]}",
     .error = "BatchEntryIdsNotDistinct"},
    {.name = "a queue of orders",
     .operation = "CreateQueue",
     .body = "{\"QueueName\":\"a.fifo\"}",
     .error = "UnsupportedOperation"},
    {.name = "a bad name",
     .operation = "CreateQueue",
     .body = "{\"QueueName\":\"a b\"}",
     .error = "InvalidParameterValue"},
    {.name = "the same name, other attributes",
     .operation = "CreateQueue",
     .body = "{\"QueueName\":\"events\",\"Attributes\":{\"VisibilityTimeout\":\"60\"}}",
     .error = "QueueNameExists"},
    {.name = "an unknown attribute",
     .operation = "SetQueueAttributes",
     .body = "{" AT(URL) ",\"Attributes\":{\"Speed\":\"1\"}}",
     .error = "InvalidAttributeName"},
    {.name = "a value out of range",
     .operation = "SetQueueAttributes",
     .body = "{" AT(URL) ",\"Attributes\":{\"VisibilityTimeout\":\"50000\"}}",
     .error = "InvalidAttributeValue"},
    {.name = "a policy that is none",
     .operation = "SetQueueAttributes",
     .body = "{" AT(URL) ",\"Attributes\":{\"Policy\":\"allow\"}}",
     .error = "InvalidAttributeValue"},
};

static void test_refused(void **state)
{
    const struct refused_row *row = *state;

    assert_number(sqs(row->operation, row->body), 400);
    assert_awssim_error(&client, row->error);
}

static void test_create_is_idempotent(void **state)
{
    (void)state;
    assert_number(sqs("CreateQueue", "{\"QueueName\":\"new\",\"Attributes\":{\"VisibilityTimeout\":\"60\"}}"),
                  200);
    AUTO_FREE char *url = xstrdup(awssim_text(&client, "QueueUrl"));
    assert_text_contains(url, "/" STG "/new");
    expect_effect(&client, "created", "new");
    assert_number(sqs("CreateQueue", "{\"QueueName\":\"new\",\"Attributes\":{\"VisibilityTimeout\":\"60\"}}"),
                  200);
    expect_effect(&client, "none", "new");
    AUTO_FREE char *body = xasprintf("{\"QueueUrl\":\"%s\",\"AttributeNames\":[\"All\"]}", url);
    assert_number(sqs("GetQueueAttributes", body), 200);
    assert_text_equal(awssim_text(&client, "Attributes.VisibilityTimeout"), "60");
    assert_text_equal(awssim_text(&client, "Attributes.QueueArn"), ARN(STG, "sqs", "new"));
    assert_text_equal(awssim_text(&client, "Attributes.SqsManagedSseEnabled"), "true");
}

/* ---- messages ---- */

static void test_a_message_is_hidden_until_its_time_is_over(void **state)
{
    (void)state;
    send_text(URL, "hi");
    assert_text_equal(awssim_text(&client, "MD5OfMessageBody"), "49f68a5c8493ec2c0bf489821c21fc3b");
    AUTO_FREE char *first = receive(URL, "hi");
    assert_text_equal(awssim_text(&client, "Messages[0].MD5OfBody"), "49f68a5c8493ec2c0bf489821c21fc3b");
    AUTO_FREE char *none = receive(URL, NULL);
    assert_text_equal(client.reply.body, "{}");
    awssim_client_advance(&client, SECONDS(30));
    AUTO_FREE char *second = receive(URL, "hi");
    assert_text_equal(awssim_text(&client, "Messages[0].Attributes.ApproximateReceiveCount"), "2");

    /* The first handle is good, and deletes nothing any more. */
    AUTO_FREE char *old = xasprintf("{" AT(URL) ",\"ReceiptHandle\":\"%s\"}", first);
    AUTO_FREE char *new = xasprintf("{" AT(URL) ",\"ReceiptHandle\":\"%s\"}", second);
    assert_number(sqs("DeleteMessage", old), 200);
    expect_effect(&client, "none", "events");
    assert_number(sqs("DeleteMessage", new), 200);
    expect_effect(&client, "changed", "events");
    awssim_client_advance(&client, SECONDS(31));
    AUTO_FREE char *gone = receive(URL, NULL);
}

static void test_visibility_is_changed(void **state)
{
    (void)state;
    send_text(URL, "a");
    AUTO_FREE char *handle = receive(URL, "a");
    AUTO_FREE char *body =
        xasprintf("{" AT(URL) ",\"ReceiptHandle\":\"%s\",\"VisibilityTimeout\":0}", handle);
    assert_number(sqs("ChangeMessageVisibility", body), 200);
    AUTO_FREE char *again = receive(URL, "a");
    assert_number(sqs("ChangeMessageVisibility", body), 400);
    assert_awssim_error(&client, "MessageNotInflight");
}

/* Twelve hours in all since it was received, however often that is put off. */
static void test_visibility_is_no_more_than_twelve_hours(void **state)
{
    (void)state;
    send_text(URL, "a");
    AUTO_FREE char *handle = receive(URL, "a");
    AUTO_FREE char *all =
        xasprintf("{" AT(URL) ",\"ReceiptHandle\":\"%s\",\"VisibilityTimeout\":43200}", handle);
    AUTO_FREE char *rest =
        xasprintf("{" AT(URL) ",\"ReceiptHandle\":\"%s\",\"VisibilityTimeout\":43190}", handle);
    assert_number(sqs("ChangeMessageVisibility", all), 200);
    awssim_client_advance(&client, SECONDS(10));
    assert_number(sqs("ChangeMessageVisibility", all), 400);
    assert_awssim_error(&client, "InvalidParameterValue");
    assert_number(sqs("ChangeMessageVisibility", rest), 200);
}

static void test_a_batch_says_what_failed(void **state)
{
    (void)state;
    send_text(URL, "a");
    AUTO_FREE char *handle = receive(URL, "a");
    AUTO_FREE char *body = xasprintf("{" AT(URL) ",\"Entries\":[{\"Id\":\"good\",\"ReceiptHandle\":\"%s\"},"
                                                 "{\"Id\":\"bad\",\"ReceiptHandle\":\"nonsense\"}]}",
                                     handle);
    assert_number(sqs("DeleteMessageBatch", body), 200);
    assert_text_equal(awssim_text(&client, "Successful[0].Id"), "good");
    assert_text_equal(awssim_text(&client, "Failed[0].Id"), "bad");
    assert_text_equal(awssim_text(&client, "Failed[0].Code"), "ReceiptHandleIsInvalid");
    awssim_client_advance(&client, MINUTES(1));
    AUTO_FREE char *gone = receive(URL, NULL);
}

static void test_delayed_and_purged(void **state)
{
    (void)state;
    assert_number(sqs("SendMessage", "{" AT(URL) ",\"MessageBody\":\"late\",\"DelaySeconds\":5}"), 200);
    AUTO_FREE char *none = receive(URL, NULL);
    assert_number(sqs("GetQueueAttributes", "{" AT(URL) ",\"AttributeNames\":[\"All\"]}"), 200);
    assert_text_equal(awssim_text(&client, "Attributes.ApproximateNumberOfMessagesDelayed"), "1");
    awssim_client_advance(&client, SECONDS(5));
    AUTO_FREE char *late = receive(URL, "late");
    assert_number(sqs("PurgeQueue", "{" AT(URL) "}"), 200);
    awssim_client_advance(&client, SECONDS(31));
    AUTO_FREE char *gone = receive(URL, NULL);
    assert_number(sqs("PurgeQueue", "{" AT(URL) "}"), 400);
    assert_awssim_error(&client, "PurgeQueueInProgress");
}

static void test_retention(void **state)
{
    (void)state;
    send_text(URL, "old");
    awssim_client_advance(&client, DAYS(4));
    AUTO_FREE char *gone = receive(URL, NULL);
}

static void test_what_nobody_can_use_goes_to_the_dead_letters(void **state)
{
    static const char fragile[] = "https://sqs.ap-northeast-1.amazonaws.com/" STG "/fragile";
    static const char dead[] = "https://sqs.ap-northeast-1.amazonaws.com/" STG "/dead";

    (void)state;
    send_text(fragile, "poison");
    for (int i = 0; i < 2; i++) {
        AUTO_FREE char *handle = receive(fragile, "poison");

        awssim_client_advance(&client, SECONDS(11));
    }
    AUTO_FREE char *none = receive(fragile, NULL);
    AUTO_FREE char *found = receive(dead, "poison");
}

static void test_too_large(void **state)
{
    AUTO_FREE char *text = xcalloc(1, 1026);
    AUTO_FREE char *body = NULL;

    (void)state;
    memset(text, 'x', 1025);
    body = xasprintf(
        "{" AT("https://sqs.ap-northeast-1.amazonaws.com/" STG "/fragile") ",\"MessageBody\":\"%s\"}", text);
    assert_number(sqs("SendMessage", body), 400);
    assert_awssim_error(&client, "InvalidParameterValue");
}

/* ---- long polls ---- */

static int woken;

static void count_wake(void *arg)
{
    (void)arg;
    woken++;
}

/* The carrier's part, by hand: a poll that waits is handed in again when it is woken. */
static void test_a_long_poll_waits_for_a_message(void **state)
{
    struct sim_watch watch = {.wake = count_wake};

    (void)state;
    woken = 0;
    assert_number(sqs("ReceiveMessage", "{" AT(URL) ",\"WaitTimeSeconds\":20}"), 0);
    assert_number(client.reply.wait_ms, 20000);
    assert_true(client.reply.look_ms == NEVER_MS);
    watch.look_ms = client.reply.look_ms;
    awssim_watch(client.sim, &watch);
    assert_number(sqs("ListQueues", "{}"), 200);
    assert_number(woken, 0);
    send_text(URL, "now");
    assert_number(woken, 1);
    awssim_unwatch(client.sim, &watch);
    send_text(URL, "more");
    assert_number(woken, 1);
    assert_number(sqs("ReceiveMessage", "{" AT(URL) ",\"WaitTimeSeconds\":20}"), 200);
    assert_text_equal(awssim_text(&client, "Messages[0].Body"), "now");
}

static void test_a_long_poll_looks_when_a_message_comes_back(void **state)
{
    (void)state;
    send_text(URL, "a");
    AUTO_FREE char *handle = receive(URL, "a");
    assert_number(sqs("ReceiveMessage", "{" AT(URL) ",\"WaitTimeSeconds\":20}"), 0);
    assert_number(client.reply.look_ms - client.world_ms, 30000);
}

static void test_a_fault_ends_the_wait(void **state)
{
    (void)state;
    awssim_control(&client, "POST", "/_sim/faults",
                   "{\"match\":{\"operation\":\"ReceiveMessage\",\"times\":1},\"action\":\"drop-reply\"}");
    assert_number(sqs("ReceiveMessage", "{" AT(URL) ",\"WaitTimeSeconds\":20}"), 200);
    assert_int_equal(client.reply.drop, SIM_DROP_REPLY);
    assert_number(client.reply.wait_ms, 0);
}

int main(void)
{
    struct tests tests = tests_in_services(SECTION);

    TEST_ROWS(&tests, test_refused, refused_rows);
    TEST(&tests, test_create_is_idempotent);
    TEST(&tests, test_a_message_is_hidden_until_its_time_is_over);
    TEST(&tests, test_visibility_is_changed);
    TEST(&tests, test_visibility_is_no_more_than_twelve_hours);
    TEST(&tests, test_a_batch_says_what_failed);
    TEST(&tests, test_delayed_and_purged);
    TEST(&tests, test_retention);
    TEST(&tests, test_what_nobody_can_use_goes_to_the_dead_letters);
    TEST(&tests, test_too_large);
    TEST(&tests, test_a_long_poll_waits_for_a_message);
    TEST(&tests, test_a_long_poll_looks_when_a_message_comes_back);
    TEST(&tests, test_a_fault_ends_the_wait);
    return tests_run(&tests, "awssim sqs");
}
