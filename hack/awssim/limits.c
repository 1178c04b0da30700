/* limits of the world file: how many jobs run at once (backup_limits.c asks for those), and how many requests
 * a second an account may make. */
#include "hack/awssim/core.h"

static const struct load_field limit_fields[] = {
    {.name = "backups", .type = LOAD_INT, .offset = offsetof(struct sim_limits, backups)},
    {.name = "tableCopies", .type = LOAD_INT, .offset = offsetof(struct sim_limits, table_copies)},
    {.name = "extraTableCopiesPerVault",
     .type = LOAD_INT,
     .offset = offsetof(struct sim_limits, extra_table_copies)},
    {.name = "auroraCopies", .type = LOAD_INT, .offset = offsetof(struct sim_limits, aurora_copies)},
    {.name = "auroraRestores", .type = LOAD_INT, .offset = offsetof(struct sim_limits, aurora_restores)},
    {.name = "tableRestores", .type = LOAD_INT, .offset = offsetof(struct sim_limits, table_restores)},
    {.name = "atLimit",
     .type = LOAD_TEXT,
     .offset = offsetof(struct sim_limits, at_limit),
     .choices = "wait fail refuse"},
    {.name = "requests", .type = LOAD_OBJECT, .offset = offsetof(struct sim_limits, requests)},
};

/* https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html, and RDS's limit of snapshot
 * copies under way. */
static const struct sim_limits aws_limits = {
    .backups = 300, .table_copies = 100, .extra_table_copies = 5, .aurora_copies = 5, .table_restores = 50};

/* The reference pages of these operations. */
static const struct {
    const char *name;
    int64_t per_second;
} aws_rates[] = {
    {.name = "dynamodb.TagResource", .per_second = 5},
    {.name = "dynamodb.ListTagsOfResource", .per_second = 10},
};

static bool is_operation(const struct service *service, struct str name)
{
    for (size_t i = 0; i < service->operation_count; i++)
        if (str_is(name, service->operations[i].name))
            return true;
    return false;
}

/* "backup" or "backup.StartCopyJob". */
static bool is_rate_name(const char *name)
{
    struct str rest = str_of(name), service;
    bool is_one_operation = str_cut(&rest, '.', &service) && rest.len;
    AUTO_FREE char *text = str_dup(service);
    const struct service *found = sim_service_find(text);

    return found && (!is_one_operation || is_operation(found, rest));
}

static void set_rate(struct sim *sim, const char *name, int64_t per_second)
{
    for (size_t i = 0; i < sim->rates.count; i++)
        if (text_equal(sim->rates.items[i].name, name)) {
            sim->rates.items[i].per_second = per_second;
            return;
        }
    *LIST_ADD(sim->rates) = (struct rate){.name = xstrdup(name), .per_second = per_second};
}

struct err *sim_limits_load(struct sim *sim, const struct loader *loader, const struct json *node)
{
    sim->limits = aws_limits;
    sim->limits.at_limit = xstrdup("wait");
    for (size_t i = 0; i < COUNT_OF(aws_rates); i++)
        set_rate(sim, aws_rates[i].name, aws_rates[i].per_second);
    if (node)
        TRY(load_fields(loader, node, limit_fields, COUNT_OF(limit_fields), &sim->limits));
    json_each (rate, sim->limits.requests) {
        if (!is_rate_name(json_key(rate)))
            return load_error(loader, rate, "neither a service nor one of its operations");
        if (!json_is(rate, JSON_NUMBER) || json_get_int(rate, NULL, -1) < 0)
            return load_error(loader, rate, "expected a whole number, not negative");
        set_rate(sim, json_key(rate), json_get_int(rate, NULL, 0));
    }
    return NULL;
}

void sim_limits_done(struct sim *sim)
{
    xfree(sim->limits.at_limit);
    for (size_t i = 0; i < sim->rates.count; i++)
        xfree(sim->rates.items[i].name);
    xfree(sim->rates.items);
    for (size_t i = 0; i < sim->buckets.count; i++)
        xfree(sim->buckets.items[i].account);
    xfree(sim->buckets.items);
}

/* ---- requests ---- */

static bool covers(const struct rate *rate, const struct call *call)
{
    struct str rest = str_of(rate->name), service;

    str_cut(&rest, '.', &service);
    return rate->per_second && str_is(service, call->service->name) &&
           (!rest.len || str_is(rest, call->operation->name));
}

static struct bucket *bucket_of(struct sim *sim, size_t rate, const char *account, int64_t wall_ms)
{
    for (size_t i = 0; i < sim->buckets.count; i++)
        if (sim->buckets.items[i].rate == rate && text_equal(sim->buckets.items[i].account, account))
            return &sim->buckets.items[i];
    struct bucket *bucket = LIST_ADD(sim->buckets);
    *bucket = (struct bucket){.rate = rate,
                              .account = xstrdup(account),
                              .seen_ms = wall_ms,
                              .level = sim->rates.items[rate].per_second * 1000};
    return bucket;
}

/* Filled at the rate, up to a second's worth; the level is in thousandths of a call. */
static bool take(struct bucket *bucket, int64_t per_second, int64_t wall_ms)
{
    int64_t passed_ms = wall_ms - bucket->seen_ms;

    passed_ms = passed_ms < 0 ? 0 : passed_ms > 1000 ? 1000 : passed_ms;
    bucket->level += passed_ms * per_second;
    if (bucket->level > per_second * 1000)
        bucket->level = per_second * 1000;
    bucket->seen_ms = wall_ms;
    if (bucket->level < 1000)
        return false;
    bucket->level -= 1000;
    return true;
}

bool sim_limits_request(struct call *call)
{
    struct sim *sim = call->sim;
    bool is_granted = true;

    if (!call->account || call->request->attempt != SIM_FIRST)
        return true;
    for (size_t i = 0; i < sim->rates.count; i++)
        if (covers(&sim->rates.items[i], call))
            is_granted = take(bucket_of(sim, i, call->account->id, call->wall_ms),
                              sim->rates.items[i].per_second, call->wall_ms) &&
                         is_granted;
    return is_granted;
}
