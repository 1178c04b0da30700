#include "pkg/aws/sqs.h"

#include "pkg/aws/protocol.h"

void sqs_messages_done(struct sqs_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++) {
        xfree(messages->items[i].id);
        xfree(messages->items[i].receipt);
        xfree(messages->items[i].body);
    }
    xfree(messages->items);
    *messages = (struct sqs_messages){0};
}

static void add_message(struct sqs_messages *messages, const struct json *item)
{
    const char *receipt = json_get_text(item, "ReceiptHandle", NULL);

    if (!receipt || messages->count == SQS_BATCH_MAX) /* could not be deleted */
        return;
    messages->items = xgrow(messages->items, messages->count, sizeof(*messages->items));
    messages->items[messages->count++] = (struct sqs_message){
        .id = json_take_text(item, "MessageId"),
        .receipt = xstrdup(receipt),
        .body = xstrdup(json_get_text(item, "Body", "")),
    };
}

struct err *sqs_receive(const struct aws_client *aws, const char *queue_url, int max_messages, int wait_s,
                        struct sqs_messages *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();

    json_set_text(body, "QueueUrl", queue_url);
    json_set_int(body, "MaxNumberOfMessages", max_messages);
    json_set_int(body, "WaitTimeSeconds", wait_s);
    TRY(aws_call_json(aws, AWS_OP_RECEIVE_MESSAGE, body, &reply));
    json_each (item, json_member(reply.json, "Messages"))
        add_message(ret, item);
    return NULL;
}

struct err *sqs_delete(const struct aws_client *aws, const char *queue_url,
                       const struct sqs_messages *messages, size_t *ret_left)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();
    struct json *entries = json_new_array();

    json_set_text(body, "QueueUrl", queue_url);
    for (size_t i = 0; i < messages->count; i++) {
        struct json *entry = json_new_object();
        AUTO_FREE char *id = xasprintf("%zu", i);

        json_set_text(entry, "Id", id);
        json_set_text(entry, "ReceiptHandle", messages->items[i].receipt);
        json_append(entries, entry);
    }
    json_set(body, "Entries", entries);
    TRY(aws_call_json(aws, AWS_OP_DELETE_MESSAGE_BATCH, body, &reply));
    *ret_left = json_count(json_member(reply.json, "Failed"));
    return NULL;
}
