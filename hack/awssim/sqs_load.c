/* Queues of the world file, and what the world's dump says of them. */
#include "hack/awssim/sqs.h"

struct queue_fields {
    char *name, *key, *dead_letter;
    const struct json *policy;
    struct json *tags;
    int64_t visibility_ms, delay_ms, retention_ms, wait_ms, max_bytes, max_receives;
    bool managed_sse;
};
static const struct load_field section_fields[] = {{.name = "queues", .type = LOAD_LIST, .offset = 0}};
static const struct load_field queue_fields[] = {
    {LOAD_FIELD(queue_fields, "name", LOAD_TEXT, name), .required = true},
    {LOAD_FIELD(queue_fields, "policy", LOAD_OBJECT, policy)},
    {LOAD_FIELD(queue_fields, "visibility", LOAD_DURATION, visibility_ms)},
    {LOAD_FIELD(queue_fields, "delay", LOAD_DURATION, delay_ms)},
    {LOAD_FIELD(queue_fields, "retention", LOAD_DURATION, retention_ms)},
    {LOAD_FIELD(queue_fields, "wait", LOAD_DURATION, wait_ms)},
    {LOAD_FIELD(queue_fields, "maxBytes", LOAD_INT, max_bytes)},
    {LOAD_FIELD(queue_fields, "key", LOAD_TEXT, key)},
    {LOAD_FIELD(queue_fields, "managedEncryption", LOAD_BOOL, managed_sse)},
    {LOAD_FIELD(queue_fields, "deadLetters", LOAD_TEXT, dead_letter)},
    {LOAD_FIELD(queue_fields, "maxReceives", LOAD_INT, max_receives)},
    {LOAD_FIELD(queue_fields, "tags", LOAD_MAP, tags)},
};

static void take_fields(struct sqs_queue *queue, struct queue_fields *fields)
{
    queue->settings = (struct sqs_settings){.visibility = fields->visibility_ms / 1000,
                                            .delay = fields->delay_ms / 1000,
                                            .retention = fields->retention_ms / 1000,
                                            .wait = fields->wait_ms / 1000,
                                            .max_bytes = fields->max_bytes,
                                            .data_key_reuse = queue->settings.data_key_reuse};
    queue->policy = fields->policy ? json_copy(fields->policy) : NULL;
    queue->key = TAKE(fields->key);
    queue->managed_sse = fields->managed_sse && !queue->key;
    queue->dead_letter =
        fields->dead_letter ? account_arn(queue->account, "sqs", "%s", fields->dead_letter) : NULL;
    queue->max_receives = fields->max_receives;
    if (fields->tags) {
        json_free(queue->tags);
        queue->tags = TAKE(fields->tags);
    }
}

static struct err *load_queue(const struct loader *loader, struct account *account, const struct json *node)
{
    struct queue_fields fields = {.visibility_ms = SECONDS(30),
                                  .retention_ms = DAYS(4),
                                  .max_bytes = MIB,
                                  .max_receives = 5,
                                  .managed_sse = true};
    struct err *err = load_fields(loader, node, queue_fields, COUNT_OF(queue_fields), &fields);

    if (!err && !sim_sqs_name_is_good(fields.name))
        err = load_error(loader, json_member(node, "name"), "letters, digits, - and _, at most 80");
    if (!err && sim_sqs_find(account, fields.name))
        err = load_error(loader, node, "the queue %s is here twice", fields.name);
    if (!err)
        take_fields(sim_sqs_queue_new(account, fields.name), &fields);
    xfree(fields.name);
    xfree(fields.key);
    xfree(fields.dead_letter);
    json_free(fields.tags);
    return err;
}

struct err *sim_sqs_load(const struct loader *loader, struct account *account, const struct json *section)
{
    AUTO_FREE char *name = xasprintf("sqs/%s/%s", account->id, account->region);
    const struct json *queues = NULL;

    sim_sqs_state_of(account)->stream = sim_new_stream(account->sim, name);
    if (section)
        TRY(load_fields(loader, section, section_fields, COUNT_OF(section_fields), &queues));
    json_each (node, queues)
        TRY(load_queue(loader, account, node));
    return NULL;
}

struct err *sim_sqs_check(const struct loader *loader, struct account *account, const struct json *section)
{
    const struct sqs_state *state = sim_sqs_state_of(account);

    for (size_t i = 0; i < state->queues.count; i++) {
        const struct sqs_queue *queue = state->queues.items[i];

        if (queue->dead_letter && !sim_sqs_by_arn(account->sim, queue->dead_letter))
            return load_error(loader, json_item(json_member(section, "queues"), i), "no queue %s",
                              queue->dead_letter);
        if (queue->key && !kms_find(account, queue->key))
            return load_error(loader, json_item(json_member(section, "queues"), i), "no key %s", queue->key);
    }
    return NULL;
}

static struct json *dump_message(const struct sqs_message *message)
{
    struct json *out = json_new_object();
    char time[TIME_TEXT_MAX];

    json_set_text(out, "id", message->id);
    json_set_text(out, "body", message->body);
    json_set_int(out, "receives", message->receives);
    time_rfc3339_ms(message->sent_ms, time);
    json_set_text(out, "sent", time);
    time_rfc3339_ms(message->visible_ms, time);
    json_set_text(out, "visible", time);
    return out;
}

struct json *sim_sqs_dump(struct account *account)
{
    const struct sqs_state *state = sim_sqs_state_of(account);
    struct json *out = json_new_object(), *queues = json_new_array();

    for (size_t i = 0; i < state->queues.count; i++) {
        const struct sqs_queue *queue = state->queues.items[i];
        struct json *row = json_new_object(), *messages = json_new_array();

        json_set_text(row, "name", queue->name);
        json_set_text(row, "arn", queue->arn);
        for (size_t m = 0; m < queue->messages.count; m++)
            json_append(messages, dump_message(queue->messages.items[m]));
        json_set(row, "messages", messages);
        json_append(queues, row);
    }
    json_set(out, "queues", queues);
    return out;
}
