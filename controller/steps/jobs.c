/* The common life of a job of AWS Backup: started once under a token, searched for when the token may have
 * been forgotten, then observed to its end. */
#include "controller/names.h"
#include "controller/pace.h"
#include "controller/steps/steps.h"
#include "pkg/aws/observer.h"

/* Our clock and theirs. */
#define CLOCKS_MS MINUTES(5)
#define NOT_KNOWN_YET_MS MINUTES(5)
#define HINT_FRESH_MS MINUTES(5)
#define PATIENCE_MAX_MS MINUTES(4)

enum hope {
    FINAL,
    RETRYABLE,
    CROWDED, /* retryable when other jobs have ended */
};

/* Words of AWS Backup, matched as parts because they are for people and change: what they mean for us. The
 * first row that matches decides. Source: the service's troubleshooting pages. */
struct job_message {
    const char *part;
    const char *reason;
    enum hope hope;
    const char *advice;
};

// clang-format off
static const struct job_message job_messages[] = {
    {"member of the same organization", "AccountsNotInOneOrganization", FINAL, "both accounts must be members of one AWS organization"},
    {"Cross-account copy feature is not enabled", "CrossAccountCopyDisabled", FINAL, "the organization's management account must enable cross-account backup in AWS Backup's settings"},
    {"Access Denied trying to call AWS Backup service", "CopyDenied", FINAL, "the target vault's access policy must allow backup:CopyIntoBackupVault to the source account"},
    {"encrypted with the default Backup service managed key", "VaultKeyIsServiceManaged", FINAL, "the target vault must be encrypted with a customer managed key"},
    {"AWS managed key can't be shared", "SourceKeyCannotBeShared", FINAL, "the source cluster is encrypted with aws/rds, which cannot leave its account; move it to a customer managed key"},
    {"default key cannot be shared", "SourceKeyCannotBeShared", FINAL, "the source cluster is encrypted with aws/rds, which cannot leave its account; move it to a customer managed key"},
    {"Given key ID is not accessible", "SourceKeyNotShared", FINAL, "the source key's policy must admit the target account's AWSServiceRoleForBackup"},
    {"KMS key", "KeyNotUsable", FINAL, "check the policies of the source key and of the target vault's key"},
    {"cannot be assumed by AWS Backup", "ServiceRoleNotTrusted", FINAL, "spec.backup.serviceRoleARN must trust backup.amazonaws.com"},
    {"does not have permission", "ServiceRoleLacksPermission", FINAL, "grant the service role what the message names"},
    {"not authorized", "ServiceRoleLacksPermission", FINAL, "grant the service role what the message names"},
    {"running job for the same resource", "ResourceBusy", RETRYABLE, "another job was running for the same resource"},
    {"too many copy jobs", "TooManyJobs", CROWDED, "the account's limit of copy jobs was reached"},
    {"limit exceeded", "LimitExceeded", CROWDED, "a limit of the account was reached"},
    {"maximum concurrent", "TooManyJobs", CROWDED, "the account's limit of jobs was reached"},
    {"not in the available state", "ResourceBusy", RETRYABLE, "the resource was busy"},
    {"maintenance window", "ResourceBusy", RETRYABLE, "the resource was too close to a maintenance window"},
    {"automated backup window", "ResourceBusy", RETRYABLE, "the resource was in its automated backup window"},
    {"expired before completion", "StartWindowPassed", RETRYABLE, "the job could not start within its window"},
    {"retention specified in the job is not within the range", "VaultLockForbidsRetention", FINAL, "spec.retention.recoveryPointDays must fit the vault's lock"},
    {"Feature is not supported for provided resource type", "NotSupportedByAWSBackup", FINAL, "this kind of recovery point cannot be copied; a DynamoDB table needs AWS Backup's advanced features, turned on before the backup"},
    {"restore metadata is invalid", "RestoreSettingsRefused", FINAL, "check spec.databases[].*.restore"},
    {"already exists", "NameTaken", RETRYABLE, "something of that name was there already"},
    {"does not exist", "ResourceGone", FINAL, "the resource named is not there any more"},
    {"Cannot find recovery point", "RecoveryPointGone", FINAL, "the recovery point is not there any more"},
    {"internal error", "AWSInternalError", RETRYABLE, "AWS Backup failed internally"},
    {"fatal error", "AWSInternalError", RETRYABLE, "AWS Backup failed internally"},
};
// clang-format on

static const struct job_message *find_message(const char *text)
{
    for (size_t i = 0; text && i < COUNT_OF(job_messages); i++) {
        if (str_contains_nocase(str_of(text), job_messages[i].part))
            return &job_messages[i];
    }
    return NULL;
}

/* Ends that no message explains better. */
struct job_end {
    const char *reason;
    bool retryable;
    bool is_final; /* whatever the message says */
    const char *advice;
};

static const struct job_end job_ends[] = {
    [BACKUP_STATE_FAILED] = {.reason = "JobFailed", .retryable = true},
    [BACKUP_STATE_EXPIRED] = {.reason = "StartWindowPassed",
                              .retryable = true,
                              .advice = "it could not start within its window"},
    /* Starting it again behind somebody's back would be a fight. */
    [BACKUP_STATE_ABORTED] = {.reason = "JobAborted",
                              .is_final = true,
                              .advice = "somebody stopped it in AWS; ask for a retry when that is over"},
    [BACKUP_STATE_PARTIAL] = {.reason = "JobPartial",
                              .is_final = true,
                              .advice = "what it made is not whole and is not used; look at the job in AWS"},
};

static struct outcome job_failed(const char *noun, const struct backup_job *job)
{
    const struct job_end *end = &job_ends[job->state];
    const struct job_message *known = end->is_final ? NULL : find_message(job->status_message);
    bool retryable = known ? known->hope != FINAL : end->retryable;
    const char *advice = known ? known->advice : end->advice, *reason = known ? known->reason : end->reason;
    AUTO_FREE char *text = xasprintf("%s %s ended as %s: %s%s%s", noun, job->id, job->state_text,
                                     job->status_message ? job->status_message : "AWS gave no reason",
                                     advice ? "; " : "", advice ? advice : "");

    struct outcome out =
        retryable ? outcome_retryable(reason, "%s", text) : outcome_failed(reason, "%s", text);
    out.is_crowded = known && known->hope == CROWDED;
    return out;
}

struct outcome job_end(const char *noun, const struct backup_job *job)
{
    bool has_remark = !text_is_empty(job->status_message);

    if (job->state != BACKUP_STATE_COMPLETED)
        return job_failed(noun, job);
    /* "Completed with issues" is no state of its own. */
    return outcome_done("%s %s completed%s%s", noun, job->id, has_remark ? ", and AWS remarks: " : "",
                        has_remark ? job->status_message : "");
}

static struct err *start(struct stage *stage, const struct job_ops *ops, struct outcome *out)
{
    AUTO_FREE char *id = NULL;
    char token[TOKEN_MAX];

    if (stage_age_ms(stage) > TOKEN_TRUSTED_MS)
        TRY(err_wrap(ops->search(stage, &id), "look for a %s of this run", ops->noun));
    if (!id) {
        name_token(stage, token);
        TRY(err_wrap(ops->start(stage, token, &id), "start the %s", ops->noun));
    }
    if (text_is_empty(id)) {
        xfree(TAKE(id));
        TRY(err_wrap(ops->search(stage, &id), "look for the %s that was started", ops->noun));
    }
    if (!id)
        return err_new(ERR_RETRY, "AWS Backup answered without the id of the %s", ops->noun);
    stage_started(stage, id);
    *out = outcome_wait(PACE_MIN_MS, "%s %s was started", ops->noun, id);
    return NULL;
}

/* While hints come most looks would find nothing new, and far from the end one that is lost costs little. But
 * that a queue can be read is no sign that anybody writes to it: the job's own beginning must have been heard
 * of. Who has had a hint, and found nothing, must not wait for another. */
static int64_t patience_ms(struct stage *stage)
{
    bool hears = stage->pass->hears_events && stage->is_told;
    int64_t pace_ms = stage_pace_ms(stage);

    if (!hears || stage->heard_ms <= HINT_FRESH_MS || pace_ms == PACE_MIN_MS)
        return pace_ms;
    return 4 * pace_ms < PATIENCE_MAX_MS ? 4 * pace_ms : PATIENCE_MAX_MS;
}

static struct err *look(struct stage *stage, const struct job_ops *ops, struct backup_job *ret,
                        int64_t *ret_again_ms)
{
    const struct observer_query query = {
        .kind = ops->kind,
        .id = stage->row->external_id,
        .since_ms = stage->row->start_ms - CLOCKS_MS,
        .max_age_ms = patience_ms(stage),
    };

    return err_wrap(observer_look(ops->on_target ? &stage->pass->target : &stage->pass->source, &query, ret,
                                  ret_again_ms),
                    "look at %s %s", ops->noun, stage->row->external_id);
}

/* Completed, and not a word about what it made. Lists and descriptions lag; what goes on for longer is AWS's
 * way of saying that there is nothing in it. */
static struct err *finish_nameless(struct stage *stage, const struct job_ops *ops, struct backup_job *job,
                                   struct outcome *out)
{
    int64_t since_ms = step_evidence_ms(stage->row, "namelessSince", 0);

    outcome_reset(out);
    if (!since_ms)
        step_set_evidence_ms(stage->row, "namelessSince", stage->pass->now_ms);
    if (!since_ms || sched_elapsed_ms(stage->pass->env->sched, since_ms) < NOT_KNOWN_YET_MS) {
        *out = outcome_wait(PACE_MIN_MS, "%s %s completed; AWS does not say yet what it made", ops->noun,
                            job->id);
        return NULL;
    }
    if (ops->find_made)
        TRY(err_wrap(ops->find_made(stage, &job->created_resource_arn), "look for what %s %s made", ops->noun,
                     job->id));
    if (!ops->made(job)) {
        *out = outcome_retryable(
            "JobMadeNothing", "%s %s completed, but AWS names nothing that it made; look at the job in AWS",
            ops->noun, job->id);
        return NULL;
    }
    *out = job_end(ops->noun, job);
    return ops->finish(stage, job, out);
}

static struct err *observe(struct stage *stage, const struct job_ops *ops, struct outcome *out)
{
    AUTO_BACKUP_JOB struct backup_job job = {0};
    int64_t again_ms;
    struct err *err;

    err = look(stage, ops, &job, &again_ms);
    /* AWS may not know yet what it has just made. */
    if (err && err_kind(err) == ERR_NOT_FOUND && stage_age_ms(stage) < NOT_KNOWN_YET_MS) {
        err_ignore(err, "it shows up within minutes");
        *out = outcome_wait(PACE_MIN_MS, "AWS does not know %s %s yet", ops->noun, stage->row->external_id);
        return NULL;
    }
    TRY(err);
    if (!backup_state_is_final(job.state)) {
        if (job.percent > stage->row->percent)
            stage->row->percent = job.percent < 99 ? job.percent : 99;
        *out =
            outcome_wait(stage_jitter_ms(stage, again_ms), "%s %s is %s", ops->noun, job.id, job.state_text);
        return NULL;
    }
    *out = job_end(ops->noun, &job);
    if (job.state != BACKUP_STATE_COMPLETED)
        return NULL;
    return ops->made(&job) ? ops->finish(stage, &job, out) : finish_nameless(stage, ops, &job, out);
}

struct err *job_act(struct stage *stage, const struct job_ops *ops, struct outcome *out)
{
    return stage->row->state == STEP_INTENDED ? start(stage, ops, out) : observe(stage, ops, out);
}
