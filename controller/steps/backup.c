/* Backup: an on-demand backup of the database in the source account, into the vault that is kept for this
 * controller. */
#include "controller/names.h"
#include "controller/source_grants.h"
#include "controller/steps/job_search.h"
#include "controller/steps/recovery_point.h"
#include "controller/steps/steps.h"
#include "pkg/aws/arn.h"
#include "pkg/aws/dynamodb.h"
#include "pkg/aws/rds.h"

/* What the restore must know of the source: a restore without a version may come up as another one. */
struct err *backup_intend_cluster(struct stage *stage)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};

    if (stage->database->from != FROM_NEW)
        return recovery_point_pick(stage);
    TRY(err_wrap(
        rds_describe_cluster(&stage->pass->source, stage->database->aurora.cluster_identifier, &cluster),
        "look at source cluster %s", stage->database->aurora.cluster_identifier));
    text_replace(&stage->copy->engine, cluster.engine);
    text_replace(&stage->copy->engine_version, cluster.engine_version);
    text_replace(&stage->copy->master_username, cluster.master_username);
    stage->copy->port = cluster.port;
    return NULL;
}

struct err *backup_intend_table(struct stage *stage)
{
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};

    if (stage->database->from != FROM_NEW)
        return recovery_point_pick(stage);
    return err_wrap(
        dynamodb_describe_table(&stage->pass->source, stage->database->dynamodb.table_name, &table),
        "look at source table %s", stage->database->dynamodb.table_name);
}

static struct err *start(struct stage *stage, const char *token, char **ret_id)
{
    const struct pass *pass = stage->pass;
    AUTO_FREE char *resource = source_database_arn(stage->pass->source_account, stage->database);
    AUTO_FREE char *series = name_series(pass);
    const struct aws_pair tags[] = {
        {TAG_POINT_SERIES, series},
        {TAG_POINT_RUN, pass->status->run.id},
        {TAG_POINT_TOKEN, token},
    };
    const struct backup_start_opts opts = {
        .vault_name = pass->source_account->vault_name,
        .resource_arn = resource,
        .role_arn = pass->source_account->service_role_arn,
        .token = token,
        .delete_after_days = (int)pass->spec->live.retention.recovery_point_days,
        .tags = tags,
        .tag_count = COUNT_OF(tags),
    };

    return backup_start_backup(&pass->source, &opts, ret_id);
}

static struct err *search(struct stage *stage, char **ret_id)
{
    AUTO_FREE char *resource = source_database_arn(stage->pass->source_account, stage->database);
    char token[TOKEN_MAX];
    const struct backup_search what = {
        .resource_arn = resource,
        .vault_name = stage->pass->source_account->vault_name,
        .role_arn = stage->pass->source_account->service_role_arn,
        .token = token,
        .since_ms = stage->row->start_ms,
    };

    name_token(stage, token);
    return job_search_backup(&stage->pass->source, &what, ret_id);
}

static const char *made(const struct backup_job *job)
{
    return job->recovery_point_arn;
}

static struct err *finish(struct stage *stage, const struct backup_job *job, struct outcome *out)
{
    struct arn arn;

    TRY(arn_parse(job->recovery_point_arn, &arn));
    /* Without AWS Backup's advanced features a table's recovery point belongs to DynamoDB and never leaves
     * the account. */
    if (str_is(arn.service, "dynamodb")) {
        outcome_reset(out);
        *out = outcome_failed(
            "AdvancedFeaturesOff",
            "recovery point %s was made without AWS Backup's advanced features for DynamoDB and cannot be "
            "copied to another account; turn them on in account %s and start a new run",
            job->recovery_point_arn, stage->pass->source_account->account_id);
        return NULL;
    }
    text_replace(&stage->copy->recovery_point_arn, job->recovery_point_arn);
    return NULL;
}

struct err *backup_act(struct stage *stage, struct outcome *out)
{
    static const struct job_ops ops = {.noun = "backup job",
                                       .kind = BACKUP_JOB,
                                       .start = start,
                                       .search = search,
                                       .made = made,
                                       .finish = finish};

    return job_act(stage, &ops, out);
}
