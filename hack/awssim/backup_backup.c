/* Backup jobs. */
#include "hack/awssim/backup_priv.h"

/* ---- StartBackupJob ---- */

static bool check_resource(struct call *call, const struct database_kind **ret)
{
    const struct backup_state *state = call_state(call);
    const char *arn = call_text(call, "ResourceArn");
    const struct database_kind *kind = sim_kind_of_resource(arn);
    struct arn parts;

    if (!sim_arn_parse(arn, &parts) || !kind)
        return call_refuse(call, 400, "InvalidParameterValueException",
                           "Invalid ARN, or a type of resource that is not supported: %s", arn);
    if (!str_is(parts.account, call->account->id) || !str_is(parts.region, call->account->region))
        return call_refuse(call, 400, "InvalidParameterValueException",
                           "The resource %s is not in this account and Region", arn);
    if (!sim_texts_have(state->opt_in, kind->resource_type))
        return call_refuse(call, 400, "InvalidRequestException",
                           "The service %s is not opted in for this account", kind->resource_type);
    *ret = kind;
    return true;
}

static bool check_windows(struct call *call, int64_t *ret_start_minutes)
{
    int64_t start = call_int(call, "StartWindowMinutes", 480);

    if (start < 60)
        return call_refuse(call, 400, "InvalidParameterValueException",
                           "StartWindowMinutes must be at least 60");
    if (call_has(call, "CompleteWindowMinutes") && call_int(call, "CompleteWindowMinutes", 0) < start + 60)
        return call_refuse(call, 400, "InvalidParameterValueException",
                           "CompleteWindowMinutes must be at least 60 minutes more than StartWindowMinutes");
    *ret_start_minutes = start;
    return true;
}

/* The recovery point's ARN is known at once only where AWS Backup makes it itself. */
static void set_early_arn(struct call *call, const struct job *job)
{
    const struct backup_state *state = call_state(call);
    struct point_name name = {.kind = job->kind, .infix = "job", .id = job->id, .full = true};

    if (!sim_texts_have(state->full_management, job->kind->resource_type))
        return;
    AUTO_FREE char *arn = sim_point_arn(call->account, &name);
    json_set_text(call->out, "RecoveryPointArn", arn);
}

bool sim_backup_start(struct call *call)
{
    struct backup_state *state = call_state(call);
    const struct database_kind *kind = NULL;
    const char *vault = call_text(call, "BackupVaultName");
    int64_t days = 0, start_minutes = 0;
    bool answer = false;

    if (sim_job_is_repeat(call, &answer))
        return answer;
    if (!sim_vault_find(call->account, vault))
        return call_refuse(call, 400, "ResourceNotFoundException", "Backup vault %s cannot be found.", vault);
    if (!sim_job_may_pass_role(call) || !check_resource(call, &kind) || !sim_lifecycle_read(call, &days) ||
        !check_windows(call, &start_minutes))
        return false;
    if (days < 0)
        return call_refuse(call, 400, "InvalidParameterValueException", "DeleteAfterDays must be at least 1");
    if (json_count(json_member(call->input, "RecoveryPointTags")) > 50)
        return call_refuse(call, 400, "InvalidParameterValueException",
                           "A recovery point has at most 50 tags");
    if (!sim_job_may_start(call, "backup", &state->backups, kind))
        return false;
    struct job *job = sim_job_new(call, &state->backups);
    job->kind = kind;
    job->vault = xstrdup(vault);
    job->resource_arn = xstrdup(call_text(call, "ResourceArn"));
    job->delete_after_days = days;
    job->start_by_ms = call->now_ms + MINUTES(start_minutes);
    job->tags = call_has(call, "RecoveryPointTags") ? json_copy(json_member(call->input, "RecoveryPointTags"))
                                                    : json_new_object();
    json_set_text(call->out, "BackupJobId", job->id);
    json_set(call->out, "CreationDate", call_time(call, job->created_ms));
    json_set_bool(call->out, "IsParent", false);
    set_early_arn(call, job);
    sim_job_emit_created(call->account, job);
    call_effect(call, EFFECT_CREATED, job->resource_arn);
    return true;
}

/* ---- the life of a backup job ---- */

static void end(struct account *account, struct job *job, const char *failure)
{
    struct point *point = job->point_arn ? sim_point_find(account, job->vault, job->point_arn) : NULL;

    if (failure) {
        sim_job_fail(account, job, failure);
        if (point)
            point->status = POINT_GONE;
    } else if (point) {
        sim_job_complete(account, job, NULL);
        point->status = POINT_COMPLETED;
        point->completed_ms = sim_now(account->sim);
        sim_point_emit(account, point);
    }
    sim_job_emit(account, job);
}

/* What is wrong with this job, NULL: nothing. Yours. */
static char *find_fault(struct account *account, const struct job *job)
{
    const struct vault *vault = sim_vault_find(account, job->vault);
    struct backup_source source = {0};

    if (job->fail_message)
        return xstrdup(job->fail_message);
    if (!job->kind->source(account, job->resource_arn, &source))
        return xasprintf("The resource %s does not exist", job->resource_arn);
    if (!source.backupable)
        return xasprintf("The resource %s is not in the available state: %s", job->resource_arn,
                         source.state);
    if (!sim_vault_lock_allows(vault, job->delete_after_days))
        return xstrdup("The retention specified in the job is not within the range of the vault's lock");
    return sim_role_lacks(account->sim, job, "backup");
}

/* Takes the picture: what is in the database now is what the recovery point holds. */
static void take_snapshot(struct account *account, struct job *job)
{
    const struct backup_state *state = sim_backup_state_of(account);
    const struct vault *vault = sim_vault_find(account, job->vault);
    struct backup_source source = {0};

    job->kind->source(account, job->resource_arn, &source);
    bool full = sim_texts_have(state->full_management, job->kind->resource_type);
    struct point_name name = {
        .kind = job->kind, .resource_name = source.name, .infix = "job", .id = job->id, .full = full};
    struct point *point = sim_point_add(account, vault, &name);
    point->resource_arn = xstrdup(job->resource_arn);
    point->role_arn = xstrdup(job->role_arn);
    point->snapshot = job->kind->snapshot(account, job->resource_arn);
    point->is_encrypted = full || source.encrypted;
    point->key_arn = full ? xstrdup_or_null(vault->key_arn) : xstrdup_or_null(source.kms_key_arn);
    point->size_bytes = source.size_bytes;
    point->created_ms = job->created_ms;
    sim_point_set_lifecycle(account->sim, point, job->delete_after_days);
    json_free(point->tags);
    point->tags = json_copy(job->tags);
    job->point_arn = xstrdup(point->arn);
    xfree(job->resource_name);
    job->resource_name = xstrdup(source.name);
}

static void begin(struct account *account, struct job *job)
{
    const struct sim *sim = account->sim;
    int64_t now = sim_now(sim);
    AUTO_FREE char *fault = find_fault(account, job);

    job->state = JOB_RUNNING;
    job->started_ms = now;
    job->ends_ms = now + sim_job_duration(sim, job, "backup");
    job->next_ms = job->ends_ms;
    if (fault) {
        xfree(job->fail_message);
        job->fail_message = TAKE(fault);
        job->next_ms = now + sim_duration(sim, "backup.failure");
    } else {
        take_snapshot(account, job);
    }
    sim_job_emit(account, job);
}

/* Another backup of the same database runs, or too many in all: this one looks again every ten minutes until
 * its start window is over. */
static void wait_or_begin(struct account *account, struct job *job)
{
    const struct backup_state *state = sim_backup_state_of(account);
    int64_t now = sim_now(account->sim);
    int64_t again = sim_job_look_again_ms(account);
    bool is_busy = sim_resource_is_busy(&state->backups, job);

    if (!is_busy && sim_job_room(account, "backup", &state->backups, job) == ROOM) {
        begin(account, job);
    } else if (now >= job->start_by_ms) {
        job->state = JOB_EXPIRED;
        job->completed_ms = now;
        job->next_ms = NEVER_MS;
        job->message = xstrdup(
            is_busy ? "Backup job expired before completion: there was a running job for the same resource"
                    : "Backup job expired before completion");
        sim_job_emit(account, job);
    } else {
        job->next_ms = again < job->start_by_ms ? again : job->start_by_ms;
    }
}

void sim_backup_job_step(struct account *account, struct job *job)
{
    switch (job->state) {
    case JOB_CREATED:
        job->state = JOB_PENDING;
        job->next_ms += sim_duration(account->sim, "backup.pending");
        return;
    case JOB_PENDING:
        wait_or_begin(account, job);
        return;
    case JOB_RUNNING:
        end(account, job, job->fail_message);
        return;
    case JOB_COMPLETED:
    case JOB_FAILED:
    case JOB_EXPIRED:
    case JOB_ABORTED:
        job->next_ms = NEVER_MS;
        return;
    }
}

/* ---- reading ---- */

static struct json *render(const struct call *call, const struct job *job)
{
    struct json *out = json_new_object();
    AUTO_FREE char *vault = account_arn(call->account, "backup", "backup-vault:%s", job->vault);

    json_set_text(out, "AccountId", call->account->id);
    json_set_text(out, "BackupJobId", job->id);
    json_set_text(out, "BackupVaultName", job->vault);
    json_set_text(out, "BackupVaultArn", vault);
    json_set_text(out, "RecoveryPointArn", job->point_arn);
    json_set_text(out, "ResourceArn", job->resource_arn);
    json_set_text(out, "ResourceType", job->kind->resource_type);
    json_set_text(out, "ResourceName", job->resource_name);
    json_set_text(out, "IamRoleArn", job->role_arn);
    json_set_text(out, "State", sim_job_state_name(job->state));
    json_set_text(out, "StatusMessage", job->message);
    sim_set_percent(call, job, out);
    json_set(out, "CreationDate", call_time(call, job->created_ms));
    json_set(out, "StartBy", call_time(call, job->start_by_ms));
    if (job->completed_ms)
        json_set(out, "CompletionDate", call_time(call, job->completed_ms));
    json_set_bool(out, "IsParent", false);
    if (job->state == JOB_COMPLETED)
        json_set_text(out, "MessageCategory", "SUCCESS");
    return out;
}

bool sim_backup_describe(struct call *call)
{
    const struct backup_state *state = call_state(call);
    const char *id = call_text(call, "BackupJobId");
    const struct job *job = sim_job_find(&state->backups, id);

    if (!job)
        return call_refuse(call, 400, "ResourceNotFoundException", "Cannot find Backup job: %s", id);
    json_free(call->out);
    call->out = render(call, job);
    return true;
}

bool sim_backup_list(struct call *call)
{
    const struct backup_state *state = call_state(call);

    return sim_jobs_list(call, &state->backups, "BackupJobs", render);
}

/* What is running cannot be stopped for these types; what still waits can. */
bool sim_backup_stop(struct call *call)
{
    const struct backup_state *state = call_state(call);
    const char *id = call_text(call, "BackupJobId");
    struct job *job = sim_job_find(&state->backups, id);

    if (!job)
        return call_refuse(call, 400, "ResourceNotFoundException", "Cannot find Backup job: %s", id);
    if (!sim_job_is_live(job))
        return call_refuse(call, 400, "InvalidRequestException",
                           "Backup job %s is in state %s and cannot be stopped", id,
                           sim_job_state_name(job->state));
    if (job->state == JOB_RUNNING || text_equal(job->kind->resource_type, "Aurora"))
        return call_refuse(call, 400, "InvalidRequestException",
                           "Stopping a job is not supported for resource type %s", job->kind->resource_type);
    job->state = JOB_ABORTED;
    job->completed_ms = call->now_ms;
    job->next_ms = NEVER_MS;
    sim_job_emit(call->account, job);
    call_effect(call, EFFECT_CHANGED, job->id);
    return true;
}
