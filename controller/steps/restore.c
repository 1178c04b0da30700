/* What the two restores share: finding a job again, and booking what it made. */
#include "controller/steps/job_search.h"
#include "controller/steps/steps.h"

struct err *restore_search(struct stage *stage, char **ret_id)
{
    const struct restore_search what = {
        .recovery_point_arn = stage->copy->copy_recovery_point_arn,
        .kind = stage->database->kind,
        .identifier = stage->copy->copy_identifier,
        .since_ms = stage->row->start_ms,
    };

    return job_search_restore(&stage->pass->target, &what, ret_id);
}

const char *restore_made(const struct backup_job *job)
{
    return job->created_resource_arn;
}

struct err *restore_book_copy(struct stage *stage, const struct backup_job *job)
{
    struct pass *pass = stage->pass;
    struct copy_status *copy;

    if (!str_ends(str_of(job->created_resource_arn), stage->copy->copy_identifier))
        return err_new(ERR_INVALID, "restore job %s made %s, not the %s that was asked for", job->id,
                       job->created_resource_arn, stage->copy->copy_identifier);
    text_replace(&stage->copy->copy_arn, job->created_resource_arn);
    copy = status_add_copy(pass->status, job->created_resource_arn);
    text_replace(&copy->identifier, stage->copy->copy_identifier);
    text_replace(&copy->database, stage->database->name);
    text_replace(&copy->run_id, pass->status->run.id);
    text_replace(&copy->restore_job_id, job->id);
    copy->kind = stage->database->kind;
    copy->role = COPY_UNFINISHED;
    copy->creation_ms = pass->now_ms;
    return NULL;
}
