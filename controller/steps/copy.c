/* Copy: the recovery point goes into the target account's vault. The job belongs to the source account. */
#include "controller/names.h"
#include "controller/steps/job_search.h"
#include "controller/steps/recovery_point.h"
#include "controller/steps/steps.h"
#include "pkg/aws/arn.h"

static char *destination_vault(const struct stage *stage)
{
    const struct account *target = stage->pass->target_account;

    return arn_of_backup_vault(target->region, target->account_id, target->vault_name);
}

/* The copy job names the recovery point: it must be there before we promise to copy it. */
struct err *copy_intend(struct stage *stage)
{
    AUTO_RECOVERY_POINT struct recovery_point point = {0};

    if (stage->database->from == FROM_TARGET_VAULT) {
        text_replace(&stage->row->message, "the recovery point is in the target's vault already");
        stage->row->state = STEP_SKIPPED;
        stage->row->completion_ms = stage->pass->now_ms;
        stage->row->percent = 100;
        return NULL;
    }
    TRY(err_wrap(backup_describe_recovery_point(&stage->pass->source, stage->pass->source_account->vault_name,
                                                stage->copy->recovery_point_arn, &point),
                 "look at recovery point %s", stage->copy->recovery_point_arn));
    if (point.status && !recovery_point_is_whole(&point))
        return err_new(ERR_INVALID, "recovery point %s is %s: it cannot be copied as a whole",
                       stage->copy->recovery_point_arn, point.status);
    return NULL;
}

static struct err *start(struct stage *stage, const char *token, char **ret_id)
{
    const struct pass *pass = stage->pass;
    AUTO_FREE char *destination = destination_vault(stage);
    const struct copy_start_opts opts = {
        .recovery_point_arn = stage->copy->recovery_point_arn,
        .source_vault_name = pass->source_account->vault_name,
        .destination_vault_arn = destination,
        .role_arn = pass->source_account->service_role_arn,
        .token = token,
        .delete_after_days = (int)pass->spec->live.retention.recovery_point_days,
    };

    return backup_start_copy(&pass->source, &opts, ret_id);
}

static struct err *search(struct stage *stage, char **ret_id)
{
    AUTO_FREE char *destination = destination_vault(stage);
    const struct copy_search what = {
        .recovery_point_arn = stage->copy->recovery_point_arn,
        .destination_vault_arn = destination,
        .since_ms = stage->row->start_ms,
        .point_is_ours = stage->database->from == FROM_NEW,
    };

    return job_search_copy(&stage->pass->source, &what, ret_id);
}

static const char *made(const struct backup_job *job)
{
    return job->destination_recovery_point_arn;
}

static struct err *finish(struct stage *stage, const struct backup_job *job, struct outcome *out)
{
    (void)out;
    text_replace(&stage->copy->copy_recovery_point_arn, job->destination_recovery_point_arn);
    return NULL;
}

struct err *copy_act(struct stage *stage, struct outcome *out)
{
    static const struct job_ops ops = {.noun = "copy job",
                                       .kind = COPY_JOB,
                                       .start = start,
                                       .search = search,
                                       .made = made,
                                       .finish = finish};

    return job_act(stage, &ops, out);
}
