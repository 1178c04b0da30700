/* Restore jobs: PENDING -> RUNNING -> COMPLETED | FAILED. What is wrong with the metadata shows only after a
 * while. */
#include "hack/awssim/backup_priv.h"

/* NULL: refused. */
static const struct point *find_source(struct call *call)
{
    const char *arn = call_text(call, "RecoveryPointArn"), *type = call_text(call, "ResourceType");
    const struct point *point = sim_point_find(call->account, NULL, arn);

    if (!point)
        call_refuse(call, 400, "ResourceNotFoundException", "Cannot find recovery point: %s", arn);
    else if (point->status != POINT_COMPLETED)
        call_refuse(call, 400, "InvalidRequestException", "Recovery point %s cannot be restored in its state",
                    arn);
    else if (type && !text_equal(type, point->kind->resource_type))
        call_refuse(call, 400, "InvalidParameterValueException",
                    "The recovery point is not of resource type %s", type);
    else
        return point;
    return NULL;
}

bool sim_restore_start(struct call *call)
{
    struct backup_state *state = call_state(call);
    bool answer = false;

    if (sim_job_is_repeat(call, &answer))
        return answer;
    const struct point *point = sim_job_may_pass_role(call) ? find_source(call) : NULL;
    if (!point || !sim_job_may_start(call, "restore", &state->restores, point->kind))
        return false;
    struct job *job = sim_job_new(call, &state->restores);
    job->kind = point->kind;
    job->state = JOB_PENDING;
    job->vault = xstrdup(point->vault);
    job->point_arn = xstrdup(point->arn);
    job->resource_arn = xstrdup(point->resource_arn);
    job->resource_name = xstrdup(point->resource_name);
    job->metadata = json_copy(json_member(call->input, "Metadata"));
    job->copy_tags = call_bool(call, "CopySourceTagsToRestoredResource", false);
    json_set_text(call->out, "RestoreJobId", job->id);
    sim_job_emit_created(call->account, job);
    call_effect(call, EFFECT_CREATED, job->point_arn);
    return true;
}

/* ---- the life of a restore job ---- */

static void end(struct account *account, struct job *job, const char *failure)
{
    if (failure)
        sim_job_fail(account, job, failure);
    else
        sim_job_complete(account, job, NULL);
    sim_job_emit(account, job);
}

/* Some time into the job, the database appears, or the job fails. */
static void make(struct account *account, struct job *job)
{
    const struct point *point = sim_point_find(account, job->vault, job->point_arn);
    AUTO_FREE char *failure =
        job->fail_message ? xstrdup(job->fail_message) : sim_role_lacks(account->sim, job, "restore");

    job->begun = true;
    if (!failure && !point)
        failure = xasprintf("Cannot find recovery point %s", job->point_arn);
    if (!failure) {
        struct restore_request request = {.account = account,
                                          .snapshot = point->snapshot,
                                          .metadata = job->metadata,
                                          .recovery_point_arn = point->arn,
                                          .source_arn = point->resource_arn,
                                          .kms_key_arn = point->key_arn,
                                          .job_id = job->id,
                                          .copy_source_tags = job->copy_tags,
                                          .now_ms = sim_now(account->sim),
                                          .ready_ms = job->ends_ms};

        job->created_arn = job->kind->restore(&request, &failure);
    }
    if (failure)
        end(account, job, failure);
    else
        job->next_ms = job->ends_ms;
}

static void begin(struct account *account, struct job *job)
{
    int64_t duration = sim_job_duration(account->sim, job, "restore");
    int64_t late = sim_duration(account->sim, "backup.failure");

    job->state = JOB_RUNNING;
    job->started_ms = sim_now(account->sim);
    job->ends_ms = job->started_ms + duration;
    job->next_ms = job->started_ms + (late < duration / 2 ? late : duration / 2);
    sim_job_emit(account, job);
}

void sim_restore_job_step(struct account *account, struct job *job)
{
    const struct backup_state *state = sim_backup_state_of(account);

    if (job->state == JOB_PENDING && sim_job_room(account, "restore", &state->restores, job) == ROOM_LATER)
        job->next_ms = sim_job_look_again_ms(account);
    else if (job->state == JOB_PENDING)
        begin(account, job);
    else if (job->state == JOB_RUNNING && !job->begun)
        make(account, job);
    else if (job->state == JOB_RUNNING)
        end(account, job, NULL);
    else
        job->next_ms = NEVER_MS;
}

/* ---- reading ---- */

static struct json *render(const struct call *call, const struct job *job)
{
    struct json *out = json_new_object();

    json_set_text(out, "AccountId", call->account->id);
    json_set_text(out, "RestoreJobId", job->id);
    json_set_text(out, "RecoveryPointArn", job->point_arn);
    json_set_text(out, "SourceResourceArn", job->resource_arn);
    json_set_text(out, "ResourceType", job->kind->resource_type);
    json_set_text(out, "IamRoleArn", job->role_arn);
    json_set_text(out, "Status", sim_job_state_name(job->state));
    json_set_text(out, "StatusMessage", job->message);
    sim_set_percent(call, job, out);
    json_set_int(out, "ExpectedCompletionTimeMinutes",
                 sim_job_duration(call->sim, job, "restore") / MINUTES(1));
    json_set(out, "CreationDate", call_time(call, job->created_ms));
    if (job->completed_ms)
        json_set(out, "CompletionDate", call_time(call, job->completed_ms));
    if (job->state == JOB_COMPLETED)
        json_set_text(out, "CreatedResourceArn", job->created_arn);
    return out;
}

bool sim_restore_describe(struct call *call)
{
    const struct backup_state *state = call_state(call);
    const char *id = call_text(call, "RestoreJobId");
    const struct job *job = sim_job_find(&state->restores, id);

    if (!job)
        return call_refuse(call, 400, "ResourceNotFoundException", "Cannot find restore job: %s", id);
    json_free(call->out);
    call->out = render(call, job);
    return true;
}

bool sim_restore_list(struct call *call)
{
    const struct backup_state *state = call_state(call);

    return sim_jobs_list(call, &state->restores, "RestoreJobs", render);
}
