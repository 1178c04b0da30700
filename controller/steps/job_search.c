#include "controller/steps/job_search.h"

#include "controller/names.h"

/* A job looks like ours when nobody's plan made it, with our role, since the intent; the tag of its recovery
 * point proves it. A job that has no recovery point yet cannot be proved and counts as ours: on our vault,
 * with our role, nobody else starts one, and AWS runs one backup of a resource at a time. */
static struct err *is_our_backup(const struct aws_client *source, const struct backup_search *what,
                                 const struct backup_job *job, bool *ret)
{
    AUTO_TAGS struct aws_tags tags = {0};
    const char *proof;

    *ret = false;
    if (job->plan_id || !text_equal(job->role_arn, what->role_arn))
        return NULL;
    if (!job->recovery_point_arn) {
        *ret = true;
        return NULL;
    }
    TRY(backup_list_point_tags(source, job->recovery_point_arn, &tags));
    proof = aws_tags_get(&tags, TAG_POINT_TOKEN);
    *ret = proof && text_equal(proof, what->token);
    return NULL;
}

struct err *job_search_backup(const struct aws_client *source, const struct backup_search *what,
                              char **ret_id)
{
    AUTO_BACKUP_JOBS struct backup_jobs jobs = {0};
    const struct backup_jobs_filter filter = {
        .resource_arn = what->resource_arn,
        .vault_name = what->vault_name,
        .created_after_ms = what->since_ms - JOB_CLOCKS_MS,
    };

    TRY(backup_list_backups(source, &filter, &jobs));
    for (size_t i = 0; i < jobs.count; i++) {
        bool ours;

        TRY(is_our_backup(source, what, &jobs.items[i], &ours));
        if (ours) {
            *ret_id = xstrdup(jobs.items[i].id);
            return NULL;
        }
    }
    return NULL;
}

/* A recovery point of our own is copied once by each attempt: a copy of it into our target vault that has not
 * failed is ours. One that was there before may have been copied by others, too: then only a copy since the
 * intent counts. */
struct err *job_search_copy(const struct aws_client *source, const struct copy_search *what, char **ret_id)
{
    AUTO_BACKUP_JOBS struct backup_jobs jobs = {0};
    const struct backup_jobs_filter filter = {
        .recovery_point_arn = what->recovery_point_arn,
        .destination_vault_arn = what->destination_vault_arn,
    };

    TRY(backup_list_copies(source, &filter, &jobs));
    for (size_t i = 0; i < jobs.count; i++) {
        const struct backup_job *job = &jobs.items[i];
        bool over = backup_state_is_final(job->state) && job->state != BACKUP_STATE_COMPLETED;

        if (over && job->created_ms < what->since_ms)
            continue; /* an earlier attempt */
        if (!what->point_is_ours && job->created_ms < what->since_ms - JOB_CLOCKS_MS)
            continue;
        *ret_id = xstrdup(job->id);
        return NULL;
    }
    return NULL;
}

struct err *job_search_restore(const struct aws_client *target, const struct restore_search *what,
                               char **ret_id)
{
    AUTO_BACKUP_JOBS struct backup_jobs jobs = {0};
    const struct backup_jobs_filter filter = {
        .recovery_point_arn = what->recovery_point_arn,
        .resource_type = what->kind == DATABASE_AURORA ? "Aurora" : "DynamoDB",
    };

    TRY(backup_list_restores(target, &filter, &jobs));
    for (size_t i = 0; i < jobs.count; i++) {
        const struct backup_job *job = &jobs.items[i];
        bool names_ours =
            !job->created_resource_arn || str_ends(str_of(job->created_resource_arn), what->identifier);

        if (!names_ours || job->created_ms < what->since_ms - JOB_CLOCKS_MS)
            continue;
        *ret_id = xstrdup(job->id);
        return NULL;
    }
    return NULL;
}
