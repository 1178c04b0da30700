/* How many jobs an account runs at once, and what becomes of one too many.
 *
 * AWS publishes the numbers, and of what happens then only that backups and copies are tried again while they
 * wait; the words of failures and refusals are of the kind that its troubleshooting pages list. */
#include "hack/awssim/backup_priv.h"

static const struct limit {
    const char *work, *resource_type; /* NULL: any */
    size_t offset;                    /* in struct sim_limits; 0 there: none */
    const char *message;
} limits[] = {
    {.work = "backup",
     .offset = offsetof(struct sim_limits, backups),
     .message = "Job limit exceeded: this account already runs the backup jobs that it may"},
    {.work = "copy",
     .resource_type = "Aurora",
     .offset = offsetof(struct sim_limits, aurora_copies),
     .message = "There are too many copy jobs running for this account"},
    {.work = "copy",
     .resource_type = "DynamoDB",
     .offset = offsetof(struct sim_limits, table_copies),
     .message = "There are too many copy jobs running for this account"},
    {.work = "restore",
     .resource_type = "Aurora",
     .offset = offsetof(struct sim_limits, aurora_restores),
     .message = "This account has reached its maximum concurrent restores"},
    {.work = "restore",
     .resource_type = "DynamoDB",
     .offset = offsetof(struct sim_limits, table_restores),
     .message = "This account has reached its maximum concurrent restores"},
};

static const struct limit *limit_of(const char *work, const struct database_kind *kind)
{
    for (size_t i = 0; i < COUNT_OF(limits); i++)
        if (text_equal(limits[i].work, work) &&
            (!limits[i].resource_type || text_equal(limits[i].resource_type, kind->resource_type)))
            return &limits[i];
    return NULL;
}

/* Copies are counted for each Region that they go to. */
static bool goes_elsewhere(const struct job *a, const char *destination_vault_arn)
{
    struct arn one, other;

    return destination_vault_arn && sim_arn_parse(a->destination_vault_arn, &one) &&
           sim_arn_parse(destination_vault_arn, &other) && !str_equal(one.region, other.region);
}

struct question {
    const struct job_list *list;
    const struct database_kind *kind;
    const char *destination_vault_arn; /* NULL: no copy */
    const struct job *but;             /* is not counted; may be NULL */
    bool with_waiting;
};

static bool counts(const struct question *q, const struct limit *limit, const struct job *job)
{
    bool is_running = job->state == JOB_RUNNING && !job->fail_message;

    return job != q->but && (is_running || (q->with_waiting && sim_job_is_live(job))) &&
           (!limit->resource_type || job->kind == q->kind) && !goes_elsewhere(job, q->destination_vault_arn);
}

/* Beyond the Region's number each vault of a fully managed type takes a few more. */
static bool vault_takes_more(const struct sim *sim, const struct question *q, const struct limit *limit,
                             int64_t most)
{
    int64_t others = 0, into_vault = 0;

    if (limit->offset != offsetof(struct sim_limits, table_copies))
        return false;
    for (size_t i = 0; i < q->list->count; i++) {
        const struct job *job = q->list->items[i];

        if (counts(q, limit, job) && others++ >= most)
            into_vault += text_equal(job->destination_vault_arn, q->destination_vault_arn);
    }
    return into_vault < sim->limits.extra_table_copies;
}

static const char *find_fault(const struct sim *sim, const char *work, const struct question *q)
{
    const struct limit *limit = limit_of(work, q->kind);
    int64_t most = limit ? *(const int64_t *)(const void *)((const char *)&sim->limits + limit->offset) : 0;
    int64_t count = 0;

    if (!most)
        return NULL;
    for (size_t i = 0; i < q->list->count; i++)
        count += counts(q, limit, q->list->items[i]);
    return count < most || vault_takes_more(sim, q, limit, most) ? NULL : limit->message;
}

bool sim_job_may_start(struct call *call, const char *work, const struct job_list *list,
                       const struct database_kind *kind)
{
    const struct question q = {.list = list,
                               .kind = kind,
                               .destination_vault_arn = call_text(call, "DestinationBackupVaultArn"),
                               .with_waiting = true};
    const char *fault =
        text_equal(call->sim->limits.at_limit, "refuse") ? find_fault(call->sim, work, &q) : NULL;

    return !fault || call_refuse(call, 400, "LimitExceededException", "%s", fault);
}

enum room sim_job_room(const struct account *account, const char *work, const struct job_list *list,
                       struct job *job)
{
    const struct question q = {
        .list = list, .kind = job->kind, .destination_vault_arn = job->destination_vault_arn, .but = job};
    const char *fault = job->fail_message ? NULL : find_fault(account->sim, work, &q);

    if (!fault)
        return ROOM;
    if (!text_equal(account->sim->limits.at_limit, "fail"))
        return ROOM_LATER;
    job->fail_message = xstrdup(fault);
    return ROOM;
}

int64_t sim_job_look_again_ms(const struct account *account)
{
    return sim_now(account->sim) + sim_duration(account->sim, "backup.retry");
}
