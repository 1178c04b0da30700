#include "pkg/aws/eventbridge.h"

#include "pkg/aws/protocol.h"
#include "pkg/aws/refusal.h"

static struct json *entry_of(const struct eventbridge_event *event)
{
    struct json *entry = json_new_object();
    AUTO_FREE char *detail = json_to_text(event->detail);

    json_set_text(entry, "EventBusName", event->bus);
    json_set_text(entry, "Source", event->source);
    json_set_text(entry, "DetailType", event->detail_type);
    json_set_text(entry, "Detail", detail);
    json_set_int(entry, "Time", event->wall_ms / 1000);
    return entry;
}

/* A 200 that is a failure. */
static struct err *refused(const struct aws_client *aws, const struct aws_reply *reply)
{
    const struct json *entry = json_at(reply->json, "Entries[0]");

    return aws_refusal_err(&(struct aws_refusal){
        .op = AWS_OP_PUT_EVENTS,
        .code = json_get_text(entry, "ErrorCode", "FailedEntry"),
        .message = json_get_text(entry, "ErrorMessage", "the event was not taken"),
        .request_id = reply->request_id,
        .account_id = aws_account_id(aws->account),
        .http_status = 400,
    });
}

struct err *eventbridge_put(const struct aws_client *aws, const struct eventbridge_event *event)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();
    struct json *entries = json_new_array();

    json_append(entries, entry_of(event));
    json_set(body, "Entries", entries);
    TRY(aws_call_json(aws, AWS_OP_PUT_EVENTS, body, &reply));
    if (json_get_int(reply.json, "FailedEntryCount", 0) > 0 || json_at(reply.json, "Entries[0].ErrorCode"))
        return refused(aws, &reply);
    return NULL;
}
