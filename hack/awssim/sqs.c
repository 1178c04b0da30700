/* SQS's operations on queues. Standard queues only. */
#include "hack/awssim/sqs.h"

#include "pkg/base/random.h"

/* ---- errors ---- */

/* What the query protocol called it:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html The SDKs ask for it
 * by x-amzn-query-mode and take it as the error's name. */
static const struct query_name {
    const char *code, *query;
} query_names[] = {
    {.code = "QueueDoesNotExist", .query = "NonExistentQueue"},
    {.code = "QueueNameExists", .query = "QueueAlreadyExists"},
};
static const char *const prefixed[] = {
    "QueueDoesNotExist",        "QueueDeletedRecently", "PurgeQueueInProgress",
    "EmptyBatchRequest",        "InvalidBatchEntryId",  "TooManyEntriesInBatchRequest",
    "BatchEntryIdsNotDistinct", "MessageNotInflight",   "UnsupportedOperation",
};

static char *query_error(const char *code)
{
    const char *name = code, *prefix = "";

    for (size_t i = 0; i < COUNT_OF(query_names); i++)
        if (text_equal(query_names[i].code, code))
            name = query_names[i].query;
    for (size_t i = 0; i < COUNT_OF(prefixed); i++)
        if (text_equal(prefixed[i], code))
            prefix = "AWS.SimpleQueueService.";
    return xasprintf("%s%s;Sender", prefix, name);
}

bool sim_sqs_refuse(struct call *call, const char *code, const char *fmt, ...)
{
    AUTO_FREE char *query = query_error(code);
    va_list args;

    va_start(args, fmt);
    AUTO_FREE char *message = xvasprintf(fmt, args);
    va_end(args);
    if (text_equal(sim_request_header(call->request, "x-amzn-query-mode"), "true"))
        call_header(call, "x-amzn-query-error", query);
    return call_refuse(call, 400, code, "%s", message);
}

/* ---- URLs ---- */

/* As the caller reached us: AWS's own host name through an override of the endpoint too. */
static char *url_of(const struct call *call, const struct sqs_queue *queue)
{
    const char *host = sim_request_header(call->request, "host");
    bool is_aws = host && str_contains(str_of(host), ".amazonaws.com");

    return xasprintf("%s://%s/%s/%s", is_aws ? "https" : "http", host ? host : "localhost",
                     queue->account->id, queue->name);
}

/* "https://host/222222222222/name". The host must be AWS's for this Region, or the one of this request. */
static bool url_parse_queue(const struct call *call, const char *url, char **ret_account, char **ret_name)
{
    struct str rest = str_of(strstr(url, "://")), host = {0}, account = {0};
    const char *own = sim_request_header(call->request, "host");

    if (!rest.len)
        return false;
    rest = str_from(rest, strlen("://"));
    if (!str_cut(&rest, '/', &host) || !str_cut(&rest, '/', &account) || !rest.len)
        return false;
    AUTO_FREE char *aws = xasprintf("sqs.%s.amazonaws.com", call->account->region);
    if (!str_is(host, aws) && !(own && str_is(host, own)) &&
        !(str_starts(host, aws) && str_ends(host, ".cn")))
        return false;
    *ret_account = str_dup(account);
    *ret_name = str_dup(rest);
    return true;
}

static bool is_allowed(const struct call *call, const struct sqs_queue *queue)
{
    AUTO_FREE char *usual = xasprintf("sqs:%s", call->operation->name);
    struct policy_question question = {.action = call->operation->action ? call->operation->action : usual,
                                       .principal_arn = call->principal,
                                       .account_id = call->account->id,
                                       .organization = call->sim->organization,
                                       .resource = queue->arn};

    return text_equal(queue->account->id, call->account->id) || sim_policy_allows(queue->policy, &question);
}

struct sqs_queue *sim_sqs_of_call(struct call *call)
{
    const char *url = call_text(call, "QueueUrl");
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *name = NULL;

    if (!url_parse_queue(call, url, &id, &name)) {
        sim_sqs_refuse(call, "InvalidAddress", "The address %s is not valid for this endpoint.", url);
        return NULL;
    }
    const struct account *account = sim_account(call->sim, id, call->account->region);
    struct sqs_queue *queue = account ? sim_sqs_find(account, name) : NULL;
    if (!queue) {
        sim_sqs_refuse(call, "QueueDoesNotExist", "The specified queue does not exist.");
        return NULL;
    }
    if (!is_allowed(call, queue)) {
        sim_sqs_refuse(
            call, "AccessDenied",
            "User: %s is not authorized to perform: sqs:%s on resource: %s because no resource-based "
            "policy allows it",
            call->principal, call->operation->name, queue->arn);
        return NULL;
    }
    return queue;
}

/* ---- creating and reading ---- */

/* All or nothing: a queue that half changed would hide the mistake. */
static bool set_attributes(struct call *call, struct sqs_queue *queue)
{
    json_each (attribute, json_member(call->input, "Attributes")) {
        const char *code = NULL;
        AUTO_FREE char *message = NULL;

        if (!sim_sqs_attribute_set(queue, json_key(attribute), json_get_text(attribute, NULL, ""), &code,
                                   &message))
            return sim_sqs_refuse(call, code, "%s", message);
    }
    queue->modified_ms = call->now_ms;
    return true;
}

/* The same name with the same attributes is the same queue. */
static bool same_attributes(struct call *call, const struct sqs_queue *queue)
{
    json_each (attribute, json_member(call->input, "Attributes")) {
        AUTO_JSON struct json *names = json_new_array();

        json_append_text(names, json_key(attribute));
        AUTO_JSON struct json *have = sim_sqs_attributes(queue, names);
        const char *is = json_get_text(json_member(have, json_key(attribute)), NULL, "");
        if (!text_equal(is, json_get_text(attribute, NULL, "")))
            return sim_sqs_refuse(
                call, "QueueNameExists",
                "A queue already exists with the same name and a different value for attribute %s",
                json_key(attribute));
    }
    return true;
}

static bool create(struct call *call)
{
    const char *name = call_text(call, "QueueName");
    struct sqs_queue *queue;

    if (str_ends(str_of(name), ".fifo"))
        return sim_sqs_refuse(call, "UnsupportedOperation", "this simulator has standard queues only");
    if (!sim_sqs_name_is_good(name))
        return sim_sqs_refuse(
            call, "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
    queue = sim_sqs_find(call->account, name);
    if (queue) {
        call_effect(call, EFFECT_NONE, queue->arn);
        if (!same_attributes(call, queue))
            return false;
    } else {
        queue = sim_sqs_queue_new(call->account, name);
        if (!set_attributes(call, queue)) {
            sim_sqs_queue_remove(queue);
            return false;
        }
        json_each (tag, json_member(call->input, "tags"))
            json_set_copy(queue->tags, json_key(tag), tag);
        call_effect(call, EFFECT_CREATED, queue->arn);
    }
    AUTO_FREE char *url = url_of(call, queue);
    json_set_text(call->out, "QueueUrl", url);
    return true;
}

static bool get_url(struct call *call)
{
    const char *owner = call_text(call, "QueueOwnerAWSAccountId");
    const struct account *account =
        owner ? sim_account(call->sim, owner, call->account->region) : call->account;
    const struct sqs_queue *queue = account ? sim_sqs_find(account, call_text(call, "QueueName")) : NULL;

    if (!queue || !is_allowed(call, queue))
        return sim_sqs_refuse(call, "QueueDoesNotExist", "The specified queue does not exist.");
    AUTO_FREE char *url = url_of(call, queue);
    json_set_text(call->out, "QueueUrl", url);
    return true;
}

static bool list(struct call *call)
{
    const struct sqs_state *state = call_state(call);
    const char *prefix = call_text(call, "QueueNamePrefix");
    struct json *urls = json_new_array();

    for (size_t i = 0; i < state->queues.count; i++) {
        AUTO_FREE char *url = url_of(call, state->queues.items[i]);

        if (!prefix || str_starts(str_of(state->queues.items[i]->name), prefix))
            json_append_text(urls, url);
    }
    json_set(call->out, "QueueUrls", urls);
    if (!json_count(urls))
        json_remove(call->out, "QueueUrls");
    return true;
}

static bool get_attributes(struct call *call)
{
    const struct sqs_queue *queue = sim_sqs_of_call(call);

    if (!queue)
        return false;
    struct json *attributes = sim_sqs_attributes(queue, call_list(call, "AttributeNames"));
    if (!attributes)
        return sim_sqs_refuse(call, "InvalidAttributeName", "Unknown Attribute.");
    if (json_count(attributes))
        json_set(call->out, "Attributes", attributes);
    else
        json_free(attributes);
    return true;
}

static bool put_attributes(struct call *call)
{
    struct sqs_queue *queue = sim_sqs_of_call(call);

    if (!queue)
        return false;
    call_effect(call, EFFECT_CHANGED, queue->arn);
    return set_attributes(call, queue);
}

static bool delete_queue(struct call *call)
{
    struct sqs_queue *queue = sim_sqs_of_call(call);

    if (!queue)
        return false;
    call_effect(call, EFFECT_CHANGED, queue->arn);
    sim_sqs_queue_remove(queue);
    return true;
}

static bool purge(struct call *call)
{
    struct sqs_queue *queue = sim_sqs_of_call(call);

    if (!queue)
        return false;
    if (queue->purged_ms && call->now_ms - queue->purged_ms < SECONDS(60))
        return sim_sqs_refuse(call, "PurgeQueueInProgress",
                              "Only one PurgeQueue operation on %s is allowed every 60 seconds.",
                              queue->name);
    for (size_t i = 0; i < queue->messages.count; i++)
        sim_sqs_message_free(queue->messages.items[i]);
    queue->messages.count = 0;
    queue->purged_ms = call->now_ms;
    call_effect(call, EFFECT_CHANGED, queue->arn);
    return true;
}

/* ---- the service ---- */

static void done(struct account *account)
{
    struct sqs_state *state = sim_sqs_state_of(account);

    for (size_t i = 0; i < state->queues.count; i++)
        sim_sqs_queue_free(state->queues.items[i]);
    xfree(state->queues.items);
    if (state->stream)
        random_free(state->stream);
}

static const struct operation operations[] = {
    {.name = "CreateQueue",
     .handle = create,
     .input = "QueueName! Attributes:map tags:map",
     .mutating = true},
    {.name = "DeleteQueue", .handle = delete_queue, .input = "QueueUrl!", .mutating = true},
    {.name = "GetQueueUrl", .handle = get_url, .input = "QueueName! QueueOwnerAWSAccountId"},
    {.name = "ListQueues", .handle = list, .input = "QueueNamePrefix MaxResults:int NextToken"},
    {.name = "GetQueueAttributes", .handle = get_attributes, .input = "QueueUrl! AttributeNames:list"},
    {.name = "SetQueueAttributes",
     .handle = put_attributes,
     .input = "QueueUrl! Attributes!:map",
     .mutating = true},
    {.name = "PurgeQueue", .handle = purge, .input = "QueueUrl!", .mutating = true},
    {.name = "SendMessage",
     .handle = sim_sqs_send,
     .input = "QueueUrl! MessageBody! DelaySeconds:int",
     .mutating = true},
    {.name = "SendMessageBatch",
     .handle = sim_sqs_send_batch,
     .input = "QueueUrl! Entries!:list",
     .action = "sqs:SendMessage",
     .mutating = true},
    {.name = "ReceiveMessage",
     .handle = sim_sqs_receive,
     .input = "QueueUrl! AttributeNames:list MessageSystemAttributeNames:list MessageAttributeNames:list "
              "MaxNumberOfMessages:int VisibilityTimeout:int WaitTimeSeconds:int"},
    {.name = "DeleteMessage",
     .handle = sim_sqs_delete,
     .input = "QueueUrl! ReceiptHandle!",
     .mutating = true},
    {.name = "DeleteMessageBatch",
     .handle = sim_sqs_delete_batch,
     .input = "QueueUrl! Entries!:list",
     .action = "sqs:DeleteMessage",
     .mutating = true},
    {.name = "ChangeMessageVisibility",
     .handle = sim_sqs_change_visibility,
     .input = "QueueUrl! ReceiptHandle! VisibilityTimeout!:int",
     .mutating = true},
    {.name = "ChangeMessageVisibilityBatch",
     .handle = sim_sqs_change_visibility_batch,
     .input = "QueueUrl! Entries!:list",
     .action = "sqs:ChangeMessageVisibility",
     .mutating = true},
};

const struct service sqs_service = {
    .name = "sqs",
    .section = "sqs",
    .protocol = PROTOCOL_JSON,
    .target_prefix = "AmazonSQS",
    .json_version = "1.0",
    .error_namespace = "com.amazonaws.sqs",
    .missing_code = "MissingParameter",
    .invalid_code = "InvalidParameterValue",
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .state_size = sizeof(struct sqs_state),
    .load = sim_sqs_load,
    .check = sim_sqs_check,
    .dump = sim_sqs_dump,
    .done = done,
};
