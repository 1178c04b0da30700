/* Sending, receiving and deleting. A message that was received is hidden until its visibility time-out is
 * over or it is deleted by the handle of its latest receive. */
#include <openssl/evp.h>

#include "hack/awssim/sqs.h"
#include "pkg/base/random.h"

#define MAX_IN_FLIGHT 120000
#define MAX_BATCH 10
#define HANDLE_PREFIX "AQEB"

/* ---- messages ---- */

static char *md5_text(const char *body)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    AUTO_BUF struct buf hex = BUF_MAX(KIB);

    EVP_Digest(body, strlen(body), digest, &len, EVP_md5(), NULL);
    buf_add_hex(&hex, digest, len);
    return buf_take(&hex);
}

struct sqs_message *sim_sqs_put(struct sqs_queue *queue, const char *body, const char *sender,
                                int64_t delay_ms)
{
    struct sqs_message *message = xcalloc(1, sizeof(*message));
    struct sim *sim = queue->account->sim;

    *LIST_ADD(queue->messages) = message;
    message->id = sim_stream_uuid(sim_sqs_state_of(queue->account)->stream);
    message->body = xstrdup(body);
    message->md5 = md5_text(body);
    message->sender = xstrdup(sender);
    message->sent_ms = sim_now(sim);
    message->visible_ms = message->sent_ms + delay_ms;
    sim_tell(sim);
    return message;
}

void sim_sqs_message_free(struct sqs_message *message)
{
    xfree(message->id);
    xfree(message->body);
    xfree(message->md5);
    xfree(message->sender);
    xfree(message->handle);
    xfree(message);
}

void sim_sqs_message_remove(struct sqs_queue *queue, size_t index)
{
    queue->messages.count--;
    memmove(&queue->messages.items[index], &queue->messages.items[index + 1],
            (queue->messages.count - index) * sizeof(struct sqs_message *));
}

/* What has been there for too long goes, whether anybody looks or not. */
static void forget_old(struct sqs_queue *queue)
{
    int64_t oldest_ms = sim_now(queue->account->sim) - SECONDS(queue->settings.retention);

    while (queue->messages.count && queue->messages.items[0]->sent_ms <= oldest_ms) {
        sim_sqs_message_free(queue->messages.items[0]);
        sim_sqs_message_remove(queue, 0);
    }
}

/* ---- delivery by EventBridge ---- */

static char *why_not_encrypted(const struct sqs_queue *queue)
{
    const struct kms_key *key = kms_find(queue->account, queue->key);

    if (!queue->key)
        return NULL;
    if (!key || !kms_is_enabled(key))
        return xasprintf("KMS.NotFoundException: key %s is not there or not enabled", queue->key);
    if (kms_is_aws_managed(key) || !kms_is_shared_with(key, "events.amazonaws.com"))
        return xasprintf(
            "KMS.AccessDeniedException: the policy of %s does not let events.amazonaws.com use it",
            kms_arn(key));
    return NULL;
}

char *sim_sqs_deliver(struct sqs_queue *queue, const struct sqs_delivery *delivery)
{
    const struct sim *sim = queue->account->sim;
    bool foreign = !text_equal(queue->account->id, delivery->account_id);
    struct policy_question question = {.action = "sqs:SendMessage",
                                       .resource = queue->arn,
                                       .organization = sim->organization,
                                       .account_id = delivery->account_id,
                                       .principal_arn = delivery->role_arn,
                                       .service = delivery->role_arn ? NULL : "events.amazonaws.com",
                                       .source_arn = delivery->rule_arn,
                                       .source_account = delivery->account_id};
    char *fault;

    if (delivery->role_arn && !sim_role_may(sim, delivery->role_arn, "sqs:SendMessage"))
        return xasprintf("%s is not allowed sqs:SendMessage", delivery->role_arn);
    /* Inside the account, a role's own permission is enough. */
    if ((foreign || !delivery->role_arn) && !sim_policy_allows(queue->policy, &question))
        return xasprintf("the policy of %s does not allow sqs:SendMessage by %s for %s", queue->arn,
                         delivery->role_arn ? delivery->role_arn : question.service, delivery->rule_arn);
    if ((fault = why_not_encrypted(queue)))
        return fault;
    if ((int64_t)strlen(delivery->body) > queue->settings.max_bytes)
        return xasprintf("the event is larger than %s takes", queue->arn);
    sim_sqs_put(queue, delivery->body, "AIDAIENQZJOLO23YVJ4VO", SECONDS(queue->settings.delay));
    return NULL;
}

/* ---- sending ---- */

/* XML's characters, as SQS takes them: #x9 | #xA | #xD | #x20 and above. */
static bool has_good_characters(const char *body)
{
    for (const char *c = body; *c; c++)
        if ((unsigned char)*c < 0x20 && !strchr("\t\n\r", *c))
            return false;
    return true;
}

/* NULL: fine, else the error's code and *ret_message (yours). */
static const char *wrong_body(const struct sqs_queue *queue, const char *body, int64_t delay,
                              char **ret_message)
{
    *ret_message = NULL;
    if (!body || !*body) {
        *ret_message = xstrdup("The request must contain the parameter MessageBody.");
        return "MissingParameter";
    }
    if ((int64_t)strlen(body) > queue->settings.max_bytes) {
        *ret_message =
            xasprintf("One or more parameters are invalid. Reason: Message must be shorter than %lld bytes.",
                      (long long)queue->settings.max_bytes);
        return "InvalidParameterValue";
    }
    if (!has_good_characters(body)) {
        *ret_message = xstrdup("Invalid characters found in the message body.");
        return "InvalidMessageContents";
    }
    if (delay < 0 || delay > 900) {
        *ret_message =
            xasprintf("Value %lld for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 "
                      "and <= 900.",
                      (long long)delay);
        return "InvalidParameterValue";
    }
    return NULL;
}

bool sim_sqs_send(struct call *call)
{
    struct sqs_queue *queue = sim_sqs_of_call(call);
    AUTO_FREE char *message_text = NULL;

    if (!queue)
        return false;
    int64_t delay = call_int(call, "DelaySeconds", queue->settings.delay);
    const char *body = call_text(call, "MessageBody");
    const char *code = wrong_body(queue, body, delay, &message_text);
    if (code)
        return sim_sqs_refuse(call, code, "%s", message_text);
    const struct sqs_message *message = sim_sqs_put(queue, body, call->principal, SECONDS(delay));
    json_set_text(call->out, "MessageId", message->id);
    json_set_text(call->out, "MD5OfMessageBody", message->md5);
    call_effect(call, EFFECT_CREATED, queue->arn);
    return true;
}

/* ---- batches ---- */

static bool is_batch_id(const char *id)
{
    size_t len = id ? strlen(id) : 0;

    return len > 0 && len <= 80 && strspn(id, ALPHABET_ALNUM "-_") == len;
}

static bool check_batch(struct call *call)
{
    const struct json *entries = call_list(call, "Entries");

    if (json_count(entries) == 0)
        return sim_sqs_refuse(call, "EmptyBatchRequest",
                              "There should be at least one entry in the request.");
    if (json_count(entries) > MAX_BATCH)
        return sim_sqs_refuse(call, "TooManyEntriesInBatchRequest",
                              "Maximum number of entries per request are 10. You have sent %zu.",
                              json_count(entries));
    json_each (entry, entries) {
        const char *id = json_get_text(entry, "Id", NULL);

        if (!is_batch_id(id))
            return sim_sqs_refuse(call, "InvalidBatchEntryId",
                                  "A batch entry id can only contain alphanumeric characters, hyphens and "
                                  "underscores. It can be at most 80 letters long.");
        for (const struct json *later = json_next(entry); later; later = json_next(later))
            if (text_equal(json_get_text(later, "Id", NULL), id))
                return sim_sqs_refuse(call, "BatchEntryIdsNotDistinct", "Id %s repeated.", id);
    }
    return true;
}

/* One entry's work: NULL and members in `ret`, or the error's code and *ret_message (yours). */
typedef const char *entry_fn(struct sqs_queue *queue, const struct json *entry, const char *sender,
                             struct json *ret, char **ret_message);

/* The status is 200 whatever became of the entries. */
static bool do_batch(struct call *call, entry_fn *each)
{
    struct sqs_queue *queue = sim_sqs_of_call(call);
    struct json *done = json_new_array(), *failed = json_new_array();

    json_set(call->out, "Successful", done);
    json_set(call->out, "Failed", failed);
    if (!queue || !check_batch(call))
        return false;
    json_each (entry, call_list(call, "Entries")) {
        struct json *row = json_new_object();
        AUTO_FREE char *message = NULL;
        const char *code = each(queue, entry, call->principal, row, &message);

        json_set_text(row, "Id", json_get_text(entry, "Id", ""));
        if (code) {
            json_set_text(row, "Code", code);
            json_set_text(row, "Message", message);
            json_set_bool(row, "SenderFault", true);
        }
        json_append(code ? failed : done, row);
    }
    if (json_count(failed) == 0)
        json_remove(call->out, "Failed");
    call_effect(call, EFFECT_CHANGED, queue->arn);
    return true;
}

static const char *send_entry(struct sqs_queue *queue, const struct json *entry, const char *sender,
                              struct json *ret, char **ret_message)
{
    const char *body = json_get_text(entry, "MessageBody", NULL);
    int64_t delay = json_get_int(entry, "DelaySeconds", queue->settings.delay);
    const char *code = wrong_body(queue, body, delay, ret_message);

    if (code)
        return code;
    const struct sqs_message *message = sim_sqs_put(queue, body, sender, SECONDS(delay));
    json_set_text(ret, "MessageId", message->id);
    json_set_text(ret, "MD5OfMessageBody", message->md5);
    return NULL;
}

bool sim_sqs_send_batch(struct call *call)
{
    return do_batch(call, send_entry);
}

/* ---- receiving ---- */

/* What was received often enough goes where somebody may look why. */
static bool is_dead(struct sqs_queue *queue, size_t index)
{
    struct sqs_message *message = queue->messages.items[index];
    struct sqs_queue *dead =
        queue->dead_letter ? sim_sqs_by_arn(queue->account->sim, queue->dead_letter) : NULL;

    if (!dead || message->receives < queue->max_receives)
        return false;
    sim_sqs_message_remove(queue, index);
    message->visible_ms = sim_now(queue->account->sim);
    *LIST_ADD(dead->messages) = message;
    return true;
}

static bool wants(const struct call *call, const char *name)
{
    static const char *const lists[] = {"MessageSystemAttributeNames", "AttributeNames"};

    for (size_t i = 0; i < COUNT_OF(lists); i++)
        json_each (item, call_list(call, lists[i])) {
            const char *wanted = json_get_text(item, NULL, "");

            if (text_equal(wanted, "All") || text_equal(wanted, name))
                return true;
        }
    return false;
}

static void add_number(const struct call *call, struct json *out, const char *name, int64_t number)
{
    AUTO_FREE char *text = xasprintf("%lld", (long long)number);

    if (wants(call, name))
        json_set_text(out, name, text);
}

static struct json *render(const struct call *call, const struct sqs_message *message)
{
    struct json *out = json_new_object(), *attributes = json_new_object();

    json_set_text(out, "MessageId", message->id);
    json_set_text(out, "ReceiptHandle", message->handle);
    json_set_text(out, "MD5OfBody", message->md5);
    json_set_text(out, "Body", message->body);
    add_number(call, attributes, "ApproximateReceiveCount", message->receives);
    add_number(call, attributes, "ApproximateFirstReceiveTimestamp", message->received_ms);
    add_number(call, attributes, "SentTimestamp", message->sent_ms);
    if (wants(call, "SenderId"))
        json_set_text(attributes, "SenderId", message->sender);
    json_set(out, "Attributes", json_count(attributes) ? attributes : NULL);
    if (!json_count(attributes))
        json_free(attributes);
    return out;
}

static void take(struct sqs_queue *queue, struct sqs_message *message, int64_t visibility)
{
    int64_t now_ms = sim_now(queue->account->sim);
    AUTO_FREE char *token = sim_stream_token(sim_sqs_state_of(queue->account)->stream, ALPHABET_ALNUM, 60);

    xfree(message->handle);
    message->handle = xasprintf("%s%s", HANDLE_PREFIX, token);
    message->receives++;
    message->received_ms = message->received_ms ? message->received_ms : now_ms;
    message->visible_ms = now_ms + SECONDS(visibility);
    message->taken_ms = now_ms;
}

struct receive {
    int64_t max, visibility, wait;
};

static bool read_receive(struct call *call, const struct sqs_queue *queue, struct receive *ret)
{
    *ret = (struct receive){.max = call_int(call, "MaxNumberOfMessages", 1),
                            .visibility = call_int(call, "VisibilityTimeout", queue->settings.visibility),
                            .wait = call_int(call, "WaitTimeSeconds", queue->settings.wait)};
    if (ret->max < 1 || ret->max > MAX_BATCH)
        return sim_sqs_refuse(
            call, "InvalidParameterValue",
            "Value %lld for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and "
            "10, if provided.",
            (long long)ret->max);
    if (ret->wait < 0 || ret->wait > 20)
        return sim_sqs_refuse(
            call, "InvalidParameterValue",
            "Value %lld for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if "
            "provided.",
            (long long)ret->wait);
    if (ret->visibility < 0 || ret->visibility > 43200)
        return sim_sqs_refuse(
            call, "InvalidParameterValue",
            "Value %lld for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and "
            "43200, if provided.",
            (long long)ret->visibility);
    return true;
}

bool sim_sqs_receive(struct call *call)
{
    struct sqs_queue *queue = sim_sqs_of_call(call);
    struct json *messages = json_new_array();
    int64_t next_ms = NEVER_MS, in_flight = 0;
    struct receive wanted;

    json_set(call->out, "Messages", messages);
    if (!queue || !read_receive(call, queue, &wanted))
        return false;
    forget_old(queue);
    for (size_t i = 0; i < queue->messages.count && (int64_t)json_count(messages) < wanted.max; i++) {
        struct sqs_message *message = queue->messages.items[i];

        if (message->visible_ms > call->now_ms) {
            next_ms = message->visible_ms < next_ms ? message->visible_ms : next_ms;
            in_flight += message->receives > 0;
        } else if (is_dead(queue, i)) {
            i--;
        } else {
            take(queue, message, wanted.visibility);
            json_append(messages, render(call, message));
        }
    }
    if (in_flight >= MAX_IN_FLIGHT)
        return sim_sqs_refuse(call, "OverLimit", "Too many messages in flight.");
    if (json_count(messages) > 0)
        return true;
    json_remove(call->out, "Messages"); /* AWS leaves the member out */
    if (wanted.wait > 0)
        call_wait(call, SECONDS(wanted.wait), next_ms);
    return true;
}

/* ---- deleting, giving back ---- */

/* A handle of an earlier receive is a good one too, and finds nothing. */
static const char *find_by_handle(const struct sqs_queue *queue, const char *handle, size_t *ret_index,
                                  char **ret_message)
{
    *ret_index = queue->messages.count;
    if (!handle || !str_starts(str_of(handle), HANDLE_PREFIX)) {
        *ret_message =
            xasprintf("The input receipt handle \"%s\" is not a valid receipt handle.", handle ? handle : "");
        return "ReceiptHandleIsInvalid";
    }
    for (size_t i = 0; i < queue->messages.count; i++)
        if (text_equal(queue->messages.items[i]->handle, handle))
            *ret_index = i;
    return NULL;
}

static const char *delete_one(struct sqs_queue *queue, const struct json *entry, const char *sender UNUSED,
                              struct json *ret UNUSED, char **ret_message)
{
    size_t index;
    const char *code =
        find_by_handle(queue, json_get_text(entry, "ReceiptHandle", NULL), &index, ret_message);

    if (code || index == queue->messages.count)
        return code;
    sim_sqs_message_free(queue->messages.items[index]);
    sim_sqs_message_remove(queue, index);
    return NULL;
}

static const char *change_one(struct sqs_queue *queue, const struct json *entry, const char *sender UNUSED,
                              struct json *ret UNUSED, char **ret_message)
{
    int64_t now_ms = sim_now(queue->account->sim), timeout = json_get_int(entry, "VisibilityTimeout", -1);
    size_t index;
    const char *code =
        find_by_handle(queue, json_get_text(entry, "ReceiptHandle", NULL), &index, ret_message);

    if (code)
        return code;
    if (timeout < 0 || timeout > 43200) {
        *ret_message =
            xasprintf("Value %lld for parameter VisibilityTimeout is invalid.", (long long)timeout);
        return "InvalidParameterValue";
    }
    if (index == queue->messages.count || queue->messages.items[index]->visible_ms <= now_ms) {
        *ret_message = xstrdup("The message referred to isn't in flight.");
        return "MessageNotInflight";
    }
    if (now_ms + SECONDS(timeout) > queue->messages.items[index]->taken_ms + HOURS(12)) {
        *ret_message = xasprintf("Value %lld for parameter VisibilityTimeout is invalid. Reason: Total "
                                 "VisibilityTimeout for the message is beyond the limit [43200 seconds].",
                                 (long long)timeout);
        return "InvalidParameterValue";
    }
    queue->messages.items[index]->visible_ms = now_ms + SECONDS(timeout);
    sim_tell(queue->account->sim);
    return NULL;
}

static bool do_one(struct call *call, entry_fn *each)
{
    struct sqs_queue *queue = sim_sqs_of_call(call);
    AUTO_JSON struct json *nothing = json_new_object();
    AUTO_FREE char *message = NULL;

    if (!queue)
        return false;
    size_t before = queue->messages.count;
    const char *code = each(queue, call->input, call->principal, nothing, &message);
    if (code)
        return sim_sqs_refuse(call, code, "%s", message);
    call_effect(call, before == queue->messages.count && each == delete_one ? EFFECT_NONE : EFFECT_CHANGED,
                queue->arn);
    return true;
}

bool sim_sqs_delete(struct call *call)
{
    return do_one(call, delete_one);
}

bool sim_sqs_delete_batch(struct call *call)
{
    return do_batch(call, delete_one);
}

bool sim_sqs_change_visibility(struct call *call)
{
    return do_one(call, change_one);
}

bool sim_sqs_change_visibility_batch(struct call *call)
{
    return do_batch(call, change_one);
}
