/* What backup, copy and restore jobs have in common, and the backup jobs.
 *
 *   CREATED -> PENDING -> RUNNING -> COMPLETED | FAILED;   CREATED, PENDING -> EXPIRED when the start window
 * is over
 *
 * A job's next_ms says when it moves next; its step function moves it once and sets the next one. */
#include "hack/awssim/backup_priv.h"

const char *sim_job_state_name(enum job_state state)
{
    static const char *const names[] = {"CREATED", "PENDING", "RUNNING", "COMPLETED",
                                        "FAILED",  "EXPIRED", "ABORTED"};

    return names[state];
}

bool sim_job_is_live(const struct job *job)
{
    return job->state <= JOB_RUNNING;
}

struct job *sim_job_new(struct call *call, struct job_list *list)
{
    const struct fault *fault = sim_call_job_fault(call);
    struct job *job = xcalloc(1, sizeof(*job));

    *LIST_ADD(*list) = job;
    *job = (struct job){.id = sim_new_uuid_upper(call->sim),
                        .role_arn = xstrdup_or_null(call_text(call, "IamRoleArn")),
                        .token = xstrdup_or_null(call_text(call, "IdempotencyToken")),
                        .created_ms = call->now_ms,
                        .next_ms = call->now_ms + sim_duration(call->sim, "backup.created")};
    if (fault && text_equal(fault->action, "fail-job"))
        job->fail_message = xstrdup(fault->message ? fault->message : "An internal error occurred.");
    if (fault && text_equal(fault->action, "stick-job")) {
        job->stuck = true;
        job->next_ms = NEVER_MS;
    }
    return job;
}

struct job *sim_job_find(const struct job_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_equal(list->items[i]->id, id))
            return list->items[i];
    return NULL;
}

void sim_job_free(struct job *job)
{
    char *texts[] = {job->id,
                     job->vault,
                     job->resource_arn,
                     job->resource_name,
                     job->role_arn,
                     job->point_arn,
                     job->token,
                     job->message,
                     job->fail_message,
                     job->destination_vault_arn,
                     job->destination_point_arn,
                     job->source_point_arn,
                     job->created_arn};

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        xfree(texts[i]);
    json_free(job->tags);
    json_free(job->metadata);
    xfree(job);
}

static void job_end(struct account *account, struct job *job, enum job_state state, const char *message)
{
    job->state = state;
    job->completed_ms = sim_now(account->sim);
    job->next_ms = NEVER_MS;
    xfree(job->message);
    job->message = xstrdup_or_null(message);
}

void sim_job_fail(struct account *account, struct job *job, const char *message)
{
    job_end(account, job, JOB_FAILED, message);
}

void sim_job_complete(struct account *account, struct job *job, const char *message)
{
    job_end(account, job, JOB_COMPLETED, message);
}

static bool list_uses(const struct job_list *list, const char *point_arn)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct job *job = list->items[i];

        if (sim_job_is_live(job) &&
            (text_equal(job->source_point_arn, point_arn) || text_equal(job->point_arn, point_arn)))
            return true;
    }
    return false;
}

bool sim_point_is_used(const struct sim *sim, const char *point_arn)
{
    for (size_t a = 0; a < sim->account_count; a++) {
        const struct backup_state *state = sim_backup_state_of(sim->accounts[a]);

        if (list_uses(&state->copies, point_arn) || list_uses(&state->restores, point_arn))
            return true;
    }
    return false;
}

bool sim_resource_is_busy(const struct job_list *list, const struct job *job)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] != job && list->items[i]->state == JOB_RUNNING &&
            text_equal(list->items[i]->resource_arn, job->resource_arn))
            return true;
    return false;
}

/* ---- what the service role must be allowed to do ---- */

static const struct needed {
    const char *resource_type, *work, *actions;
} needed[] = {
    {.resource_type = "Aurora",
     .work = "backup",
     .actions = "rds:CreateDBClusterSnapshot rds:DescribeDBClusters"},
    {.resource_type = "Aurora",
     .work = "copy",
     .actions = "rds:CopyDBClusterSnapshot rds:ModifyDBClusterSnapshotAttribute backup:CopyFromBackupVault "
                "backup:CopyIntoBackupVault"},
    {.resource_type = "Aurora",
     .work = "restore",
     .actions = "rds:RestoreDBClusterFromSnapshot rds:DescribeDBClusters"},
    {.resource_type = "DynamoDB",
     .work = "backup",
     .actions = "dynamodb:StartAwsBackupJob dynamodb:DescribeTable"},
    {.resource_type = "DynamoDB",
     .work = "copy",
     .actions = "backup:CopyFromBackupVault backup:CopyIntoBackupVault"},
    {.resource_type = "DynamoDB",
     .work = "restore",
     .actions = "dynamodb:RestoreTableFromAwsBackup dynamodb:DescribeTable"},
};

char *sim_role_lacks(const struct sim *sim, const struct job *job, const char *work)
{
    struct str action;

    if (!sim_role_trusts_service(sim, job->role_arn, "backup.amazonaws.com"))
        return xasprintf("IAM Role %s cannot be assumed by AWS Backup", job->role_arn);
    for (size_t i = 0; i < COUNT_OF(needed); i++) {
        struct str rest = str_of(needed[i].actions);

        if (!text_equal(needed[i].resource_type, job->kind->resource_type) ||
            !text_equal(needed[i].work, work))
            continue;
        while (str_cut(&rest, ' ', &action)) {
            AUTO_FREE char *one = str_dup(action);

            if (!sim_role_may(sim, job->role_arn, one))
                return xasprintf("IAM Role %s does not have permission to perform %s", job->role_arn, one);
        }
    }
    return NULL;
}

int64_t sim_job_duration(const struct sim *sim, const struct job *job, const char *work)
{
    AUTO_FREE char *name = xasprintf("%s.%s", job->kind->duration_name, work);

    return sim_duration(sim, name);
}

/* ---- starting ---- */

/* The answer of a repeat is that of the first call, even when it would be refused by now. */
bool sim_job_is_repeat(struct call *call, bool *ret_answer)
{
    switch (call_token(call, call_text(call, "IdempotencyToken"))) {
    case TOKEN_REPLAYED:
        *ret_answer = true;
        return true;
    case TOKEN_CLASH:
        *ret_answer = call_refuse(call, 400, "InvalidParameterValueException",
                                  "The idempotency token was used with other parameters");
        return true;
    case TOKEN_NEW:
        return false;
    }
    return false;
}

bool sim_job_may_pass_role(struct call *call)
{
    const char *role = call_text(call, "IamRoleArn");
    struct arn arn;

    if (!role)
        return call_refuse(call, 400, "MissingParameterValueException", "IamRoleArn is required");
    if (!call_may(call, "iam:PassRole"))
        return call_refuse(call, 403, "AccessDeniedException",
                           "User: %s is not authorized to perform: iam:PassRole on resource: %s",
                           call->principal, role);
    if (!sim_arn_parse(role, &arn) || !str_is(arn.service, "iam") || !str_starts(arn.resource, "role/"))
        return call_refuse(call, 400, "InvalidParameterValueException", "Invalid role ARN: %s", role);
    if (!str_is(arn.account, call->account->id))
        return call_refuse(call, 403, "AccessDeniedException", "Cross-account pass role is not allowed.");
    return true;
}

/* ---- members that several calls read or write ---- */

bool sim_lifecycle_read(struct call *call, int64_t *ret_days)
{
    int64_t days = call_int(call, "Lifecycle.DeleteAfterDays", 0);
    int64_t cold = call_int(call, "Lifecycle.MoveToColdStorageAfterDays", -1);

    if (call_has(call, "Lifecycle.DeleteAfterDays") && days < 1 && days != -1)
        return call_refuse(call, 400, "InvalidParameterValueException", "DeleteAfterDays must be at least 1");
    if (cold >= 0 && days > 0 && days < cold + 90)
        return call_refuse(
            call, 400, "InvalidParameterValueException",
            "DeleteAfterDays must be at least 90 days greater than MoveToColdStorageAfterDays");
    *ret_days = days;
    return true;
}

void sim_set_percent(const struct call *call, const struct job *job, struct json *out)
{
    double percent = 0;

    if (job->state == JOB_COMPLETED)
        percent = 100;
    else if (job->state == JOB_RUNNING && job->ends_ms > job->started_ms)
        percent = 100.0 * (double)(call->now_ms - job->started_ms) / (double)(job->ends_ms - job->started_ms);
    AUTO_FREE char *text = xasprintf("%.1f", percent > 99.9 && job->state != JOB_COMPLETED ? 99.9 : percent);
    json_set_text(out, "PercentDone", text);
}

/* ---- lists ---- */

static bool filter_text(const struct call *call, const char *member, const char *value)
{
    const char *wanted = call_text(call, member);

    return !wanted || text_equal(wanted, value);
}

static bool filter_time(const struct call *call, const char *before_member, const char *after_member,
                        int64_t time_ms)
{
    int64_t before = NEVER_MS, after = INT64_MIN;

    if (call_has(call, before_member) && !time_parse(str_of(call_text(call, before_member)), &before))
        return false;
    if (call_has(call, after_member) && !time_parse(str_of(call_text(call, after_member)), &after))
        return false;
    return time_ms < before && time_ms > after;
}

static bool passes(const struct call *call, const struct job *job)
{
    const char *state = sim_job_state_name(job->state);

    return call->now_ms - job->created_ms >= sim_duration(call->sim, "backup.listLag") &&
           call->now_ms - job->created_ms < DAYS(30) && filter_text(call, "resourceArn", job->resource_arn) &&
           filter_text(call, "state", state) && filter_text(call, "status", state) &&
           filter_text(call, "backupVaultName", job->vault) &&
           filter_text(call, "resourceType", job->kind->resource_type) &&
           filter_text(call, "accountId", call->account->id) && !call_has(call, "parentJobId") &&
           filter_text(call, "destinationVaultArn", job->destination_vault_arn) &&
           filter_text(call, "sourceRecoveryPointArn", job->source_point_arn) &&
           filter_time(call, "createdBefore", "createdAfter", job->created_ms) &&
           filter_time(call, "completeBefore", "completeAfter", job->completed_ms ? job->completed_ms : 0);
}

static bool check_times(struct call *call)
{
    static const char *const members[] = {"createdBefore", "createdAfter", "completeBefore", "completeAfter"};
    int64_t time_ms = 0;

    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (call_has(call, members[i]) && !time_parse(str_of(call_text(call, members[i])), &time_ms))
            return call_refuse(call, 400, "InvalidParameterValueException", "%s is no timestamp", members[i]);
    return true;
}

static const struct page_rule job_pages = {
    .size_member = "maxResults",
    .token_member = "nextToken",
    .out_member = "NextToken",
    .min = 1,
    .max = 1000,
    .otherwise = 1000,
    .error = "InvalidParameterValueException",
};

bool sim_jobs_list(struct call *call, const struct job_list *list, const char *member, job_render_fn *render)
{
    struct json *out = json_new_array();
    size_t total = 0, first = 0, count = 0, index = 0;

    json_set(call->out, member, out);
    if (!check_times(call))
        return false;
    for (size_t i = 0; i < list->count; i++)
        total += passes(call, list->items[i]);
    if (!call_page(call, &job_pages, total, &first, &count))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (!passes(call, list->items[i]))
            continue;
        if (index >= first && index < first + count)
            json_append(out, render(call, list->items[i]));
        index++;
    }
    return true;
}
