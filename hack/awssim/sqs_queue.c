/* Queues and their attributes. */
#include "hack/awssim/sqs.h"

struct sqs_state *sim_sqs_state_of(const struct account *account)
{
    return account_state(account, &sqs_service);
}

bool sim_sqs_name_is_good(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= 80 && strspn(name, ALPHABET_ALNUM "-_") == len;
}

struct sqs_queue *sim_sqs_queue_new(struct account *account, const char *name)
{
    struct sqs_queue *queue = xcalloc(1, sizeof(*queue));

    *LIST_ADD(sim_sqs_state_of(account)->queues) = queue;
    queue->account = account;
    queue->name = xstrdup(name);
    queue->arn = account_arn(account, "sqs", "%s", name);
    queue->settings =
        (struct sqs_settings){.visibility = 30, .max_bytes = MIB, .retention = 345600, .data_key_reuse = 300};
    queue->managed_sse = true;
    queue->tags = json_new_object();
    queue->created_ms = sim_now(account->sim);
    queue->modified_ms = queue->created_ms;
    return queue;
}

void sim_sqs_queue_free(struct sqs_queue *queue)
{
    for (size_t i = 0; i < queue->messages.count; i++)
        sim_sqs_message_free(queue->messages.items[i]);
    xfree(queue->messages.items);
    xfree(queue->name);
    xfree(queue->arn);
    xfree(queue->key);
    xfree(queue->dead_letter);
    json_free(queue->policy);
    json_free(queue->tags);
    xfree(queue);
}

void sim_sqs_queue_remove(struct sqs_queue *queue)
{
    struct sqs_state *state = sim_sqs_state_of(queue->account);
    size_t i = 0;

    while (state->queues.items[i] != queue)
        i++;
    sim_sqs_queue_free(queue);
    state->queues.count--;
    memmove(&state->queues.items[i], &state->queues.items[i + 1],
            (state->queues.count - i) * sizeof(struct sqs_queue *));
}

struct sqs_queue *sim_sqs_find(const struct account *account, const char *name)
{
    const struct sqs_state *state = sim_sqs_state_of(account);

    for (size_t i = 0; i < state->queues.count; i++)
        if (text_equal(state->queues.items[i]->name, name))
            return state->queues.items[i];
    return NULL;
}

struct sqs_queue *sim_sqs_by_arn(const struct sim *sim, const char *text)
{
    const struct account *account = sim_account_of_arn(sim, text);
    struct arn arn;

    if (!account || !sim_arn_parse(text, &arn) || !str_is(arn.service, "sqs"))
        return NULL;
    AUTO_FREE char *name = str_dup(arn.resource);
    return sim_sqs_find(account, name);
}

/* ---- numbers ---- */

static const struct number {
    const char *name;
    size_t offset;
    int64_t min, max;
} numbers[] = {
    {.name = "VisibilityTimeout", .offset = offsetof(struct sqs_settings, visibility), .max = 43200},
    {.name = "DelaySeconds", .offset = offsetof(struct sqs_settings, delay), .max = 900},
    {.name = "MaximumMessageSize",
     .offset = offsetof(struct sqs_settings, max_bytes),
     .min = KIB,
     .max = MIB},
    {.name = "MessageRetentionPeriod",
     .offset = offsetof(struct sqs_settings, retention),
     .min = 60,
     .max = 1209600},
    {.name = "ReceiveMessageWaitTimeSeconds", .offset = offsetof(struct sqs_settings, wait), .max = 20},
    {.name = "KmsDataKeyReusePeriodSeconds",
     .offset = offsetof(struct sqs_settings, data_key_reuse),
     .min = 60,
     .max = 86400},
};

static char *set_number(struct sqs_queue *queue, const struct number *number, const char *value)
{
    int64_t given = 0;

    if (!str_to_int(str_of(value), &given) || given < number->min || given > number->max)
        return xasprintf("Invalid value for the parameter %s.", number->name);
    *(int64_t *)(void *)((char *)&queue->settings + number->offset) = given;
    return NULL;
}

static int64_t get_number(const struct sqs_queue *queue, const struct number *number)
{
    return *(const int64_t *)(const void *)((const char *)&queue->settings + number->offset);
}

/* ---- texts ---- */

static char *set_policy(struct sqs_queue *queue, const char *value)
{
    AUTO_JSON struct json *policy = NULL;

    if (*value) {
        AUTO_ERR struct err *err = json_parse(str_of(value), NULL, &policy);

        if (err || !json_member(policy, "Statement"))
            return xstrdup("Invalid value for the parameter Policy.");
    }
    json_free(queue->policy);
    queue->policy = TAKE(policy);
    return NULL;
}

/* {"deadLetterTargetArn": "...", "maxReceiveCount": 5}; the count also comes as text. */
static char *set_redrive(struct sqs_queue *queue, const char *value)
{
    AUTO_JSON struct json *policy = NULL;
    int64_t count = 0;

    if (*value) {
        AUTO_ERR struct err *err = json_parse(str_of(value), NULL, &policy);
        const char *arn = json_get_text(policy, "deadLetterTargetArn", NULL);
        const char *text = json_get_text(policy, "maxReceiveCount", NULL);

        count = json_get_int(policy, "maxReceiveCount", 0);
        if (err || !arn || (text && !str_to_int(str_of(text), &count)) || count < 1 || count > 1000)
            return xstrdup("Invalid value for the parameter RedrivePolicy.");
        if (!sim_sqs_by_arn(queue->account->sim, arn))
            return xstrdup(
                "Value for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.");
    }
    xfree(queue->dead_letter);
    queue->dead_letter = xstrdup_or_null(json_get_text(policy, "deadLetterTargetArn", NULL));
    queue->max_receives = count;
    return NULL;
}

static char *set_key(struct sqs_queue *queue, const char *value)
{
    xfree(queue->key);
    queue->key = *value ? xstrdup(value) : NULL;
    if (queue->key)
        queue->managed_sse = false;
    return NULL;
}

static char *set_managed_sse(struct sqs_queue *queue, const char *value)
{
    if (!text_equal(value, "true") && !text_equal(value, "false"))
        return xstrdup("Invalid value for the parameter SqsManagedSseEnabled.");
    queue->managed_sse = text_equal(value, "true");
    if (queue->managed_sse)
        set_key(queue, "");
    return NULL;
}

static char *get_policy(const struct sqs_queue *queue)
{
    return queue->policy ? json_to_text(queue->policy) : NULL;
}

static char *get_redrive(const struct sqs_queue *queue)
{
    return queue->dead_letter ? xasprintf("{\"deadLetterTargetArn\":\"%s\",\"maxReceiveCount\":%lld}",
                                          queue->dead_letter, (long long)queue->max_receives)
                              : NULL;
}

static char *get_key(const struct sqs_queue *queue)
{
    return xstrdup_or_null(queue->key);
}

static char *get_managed_sse(const struct sqs_queue *queue)
{
    return xstrdup(queue->managed_sse ? "true" : "false");
}

static char *get_arn(const struct sqs_queue *queue)
{
    return xstrdup(queue->arn);
}

static char *get_created(const struct sqs_queue *queue)
{
    return xasprintf("%lld", (long long)(queue->created_ms / 1000));
}

static char *get_modified(const struct sqs_queue *queue)
{
    return xasprintf("%lld", (long long)(queue->modified_ms / 1000));
}

/* ---- counts ---- */

enum whereabouts { VISIBLE, IN_FLIGHT, DELAYED };

static char *count_text(const struct sqs_queue *queue, enum whereabouts wanted)
{
    int64_t now_ms = sim_now(queue->account->sim), count = 0;

    for (size_t i = 0; i < queue->messages.count; i++) {
        const struct sqs_message *message = queue->messages.items[i];
        enum whereabouts is = message->receives ? IN_FLIGHT : DELAYED;

        count += (message->visible_ms <= now_ms ? VISIBLE : is) == wanted;
    }
    return xasprintf("%lld", (long long)count);
}

static char *get_visible(const struct sqs_queue *queue)
{
    return count_text(queue, VISIBLE);
}

static char *get_in_flight(const struct sqs_queue *queue)
{
    return count_text(queue, IN_FLIGHT);
}

static char *get_delayed(const struct sqs_queue *queue)
{
    return count_text(queue, DELAYED);
}

static const struct text {
    const char *name;
    char *(*set)(struct sqs_queue *queue, const char *value); /* NULL: only read */
    char *(*get)(const struct sqs_queue *queue);
} texts[] = {
    {.name = "QueueArn", .get = get_arn},
    {.name = "ApproximateNumberOfMessages", .get = get_visible},
    {.name = "ApproximateNumberOfMessagesNotVisible", .get = get_in_flight},
    {.name = "ApproximateNumberOfMessagesDelayed", .get = get_delayed},
    {.name = "CreatedTimestamp", .get = get_created},
    {.name = "LastModifiedTimestamp", .get = get_modified},
    {.name = "Policy", .set = set_policy, .get = get_policy},
    {.name = "RedrivePolicy", .set = set_redrive, .get = get_redrive},
    {.name = "KmsMasterKeyId", .set = set_key, .get = get_key},
    {.name = "SqsManagedSseEnabled", .set = set_managed_sse, .get = get_managed_sse},
};

/* ---- all of them ---- */

bool sim_sqs_attribute_set(struct sqs_queue *queue, const char *name, const char *value,
                           const char **ret_code, char **ret_message)
{
    char *fault = NULL;
    bool known = false;

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        if (text_equal(numbers[i].name, name)) {
            known = true;
            fault = set_number(queue, &numbers[i], value);
        }
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (text_equal(texts[i].name, name) && texts[i].set) {
            known = true;
            fault = texts[i].set(queue, value);
        }
    if (known && !fault)
        return true;
    *ret_code = known ? "InvalidAttributeValue" : "InvalidAttributeName";
    *ret_message = known ? fault : xasprintf("Unknown Attribute %s.", name);
    return false;
}

static char *attribute_text(const struct sqs_queue *queue, const char *name, bool *ret_known)
{
    *ret_known = true;
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        if (text_equal(numbers[i].name, name))
            return xasprintf("%lld", (long long)get_number(queue, &numbers[i]));
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (text_equal(texts[i].name, name))
            return texts[i].get(queue);
    *ret_known = false;
    return NULL;
}

static void add_attribute(const struct sqs_queue *queue, const char *name, struct json *out, bool *unknown)
{
    bool known = false;
    AUTO_FREE char *value = attribute_text(queue, name, &known);

    json_set_text(out, name, value);
    *unknown = *unknown || !known;
}

struct json *sim_sqs_attributes(const struct sqs_queue *queue, const struct json *names)
{
    AUTO_JSON struct json *out = json_new_object();
    bool unknown = false;

    json_each (item, names) {
        const char *name = json_get_text(item, NULL, "");

        if (!text_equal(name, "All")) {
            add_attribute(queue, name, out, &unknown);
            continue;
        }
        for (size_t i = 0; i < COUNT_OF(texts); i++)
            add_attribute(queue, texts[i].name, out, &unknown);
        for (size_t i = 0; i < COUNT_OF(numbers); i++)
            add_attribute(queue, numbers[i].name, out, &unknown);
        /* Only with a key of one's own. */
        if (!queue->key)
            json_remove(out, "KmsDataKeyReusePeriodSeconds");
    }
    return unknown ? NULL : TAKE(out);
}
