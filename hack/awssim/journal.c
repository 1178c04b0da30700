/* What was asked and what came of it, for the checks from outside; also the end of everything that is kept in
 * lists. */
#include "hack/awssim/core.h"

static const char *const effects[] = {
    [EFFECT_CREATED] = "created", [EFFECT_REPLAYED] = "replayed", [EFFECT_CHANGED] = "changed",
    [EFFECT_NONE] = "none",       [EFFECT_REFUSED] = "refused",
};

/* What a call that was refused was about, as far as its input says so. */
static const char *named_resource(const struct call *call)
{
    static const char *const members[] = {"DBInstanceIdentifier",
                                          "DBClusterIdentifier",
                                          "DBProxyName",
                                          "TableName",
                                          "ResourceArn",
                                          "ResourceName",
                                          "RecoveryPointArn",
                                          "BackupVaultName",
                                          "Name",
                                          "SecretId",
                                          "service",
                                          "RoleArn",
                                          "FunctionName",
                                          "QueueUrl",
                                          "QueueName",
                                          "Rule"};

    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (json_get_text(call->input, members[i], NULL))
            return json_get_text(call->input, members[i], NULL);
    return NULL;
}

void sim_journal_add(struct sim *sim, const struct call *call, int status)
{
    const struct call_private *priv = call->priv;
    struct journal_entry *entry = LIST_ADD(sim->journal);

    *entry = (struct journal_entry){
        .seq = (int64_t)sim->journal.count,
        .time_ms = call->now_ms,
        .account = xstrdup(call->account ? call->account->id : ""),
        .service = xstrdup(call->service->name),
        .operation = xstrdup(call->operation->name),
        .resource = xstrdup_or_null(priv->resource ? priv->resource : named_resource(call)),
        .token = xstrdup_or_null(priv->token),
        .principal = xstrdup(call->principal),
        .error = xstrdup_or_null(priv->error_code),
        .status = status,
        .effect = priv->effect};
}

static struct json *text_or_null(const char *text)
{
    return text ? json_new_text(text) : json_new_null();
}

struct json *sim_journal_dump(const struct sim *sim)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < sim->journal.count; i++) {
        const struct journal_entry *entry = &sim->journal.items[i];
        struct json *row = json_new_object();
        char time[TIME_TEXT_MAX];

        time_rfc3339_ms(entry->time_ms, time);
        json_set_int(row, "seq", entry->seq);
        json_set_text(row, "time", time);
        json_set_text(row, "account", entry->account);
        json_set_text(row, "service", entry->service);
        json_set_text(row, "operation", entry->operation);
        json_set(row, "resource", text_or_null(entry->resource));
        json_set(row, "token", text_or_null(entry->token));
        json_set_text(row, "principal", entry->principal);
        json_set_int(row, "httpStatus", entry->status);
        json_set(row, "error", text_or_null(entry->error));
        json_set_text(row, "effect", effects[entry->effect]);
        json_append(list, row);
    }
    return list;
}

/* ---- counts ---- */

void sim_calls_add(struct sim *sim, const char *account, const char *service, const char *operation)
{
    for (size_t i = 0; i < sim->calls.count; i++) {
        struct call_count *row = &sim->calls.items[i];

        if (text_equal(row->account, account) && text_equal(row->service, service) &&
            text_equal(row->operation, operation)) {
            row->count++;
            return;
        }
    }
    *LIST_ADD(sim->calls) = (struct call_count){.account = xstrdup(account),
                                                .service = xstrdup(service),
                                                .operation = xstrdup(operation),
                                                .count = 1};
}

struct json *sim_calls_dump(const struct sim *sim)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < sim->calls.count; i++) {
        const struct call_count *count = &sim->calls.items[i];
        struct json *row = json_new_object();

        json_set_text(row, "account", count->account);
        json_set_text(row, "service", count->service);
        json_set_text(row, "operation", count->operation);
        json_set_int(row, "count", count->count);
        json_append(list, row);
    }
    return list;
}

/* ---- the end ---- */

static void free_texts(char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        xfree(texts[i]);
}

static void sessions_done(struct sim *sim)
{
    for (size_t i = 0; i < sim->sessions.count; i++)
        session_done(&sim->sessions.items[i]);
    xfree(sim->sessions.items);
}

void sim_bookkeeping_done(struct sim *sim)
{
    for (size_t i = 0; i < sim->journal.count; i++) {
        struct journal_entry *e = &sim->journal.items[i];

        free_texts(
            (char *[]){e->account, e->service, e->operation, e->resource, e->token, e->principal, e->error},
            7);
    }
    for (size_t i = 0; i < sim->calls.count; i++) {
        struct call_count *c = &sim->calls.items[i];

        free_texts((char *[]){c->account, c->service, c->operation}, 3);
    }
    for (size_t i = 0; i < sim->answers.count; i++) {
        struct kept_answer *a = &sim->answers.items[i];

        free_texts((char *[]){a->account, a->operation, a->token, a->digest}, 4);
        json_free(a->out);
    }
    for (size_t i = 0; i < sim->events.count; i++) {
        struct sim_event_kept *e = &sim->events.items[i];

        free_texts((char *[]){e->account, e->region, e->source, e->detail_type, e->resource}, 5);
        json_free(e->detail);
    }
    sessions_done(sim);
    sim_faults_clear(sim);
    xfree(sim->journal.items);
    xfree(sim->calls.items);
    xfree(sim->answers.items);
    xfree(sim->events.items);
}
