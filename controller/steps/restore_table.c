/* Restore of a DynamoDB table. The encryption is always said: without it the restore tries production's key.
 */
#include "controller/names.h"
#include "controller/steps/steps.h"
#include "pkg/aws/dynamodb.h"

struct err *restore_intend_table(struct stage *stage)
{
    const struct dynamodb_spec *spec = &stage->database->dynamodb;
    AUTO_FREE char *name =
        name_copy(spec->table_name_prefix, stage->pass->status->run.id, stage->row->attempt);
    AUTO_DYNAMODB_TABLE struct dynamodb_table there = {0};
    struct err *err = dynamodb_describe_table(&stage->pass->target, name, &there);

    if (!err)
        return err_new(ERR_INVALID, "a table %s is there already in account %s; nothing is restored over it",
                       name, stage->pass->target_account->account_id);
    if (err_kind(err) != ERR_NOT_FOUND)
        return err;
    err_ignore(err, "free is what the name should be");
    text_replace(&stage->copy->copy_identifier, name);
    return NULL;
}

static struct err *start(struct stage *stage, const char *token, char **ret_id)
{
    const struct dynamodb_spec *spec = &stage->database->dynamodb;
    bool customer = spec->encryption == ENCRYPTION_CUSTOMER;
    const struct aws_pair metadata[] = {
        {"targetTableName", stage->copy->copy_identifier},
        {"encryptionType", spec->encryption == ENCRYPTION_AWS_OWNED ? "Default" : "KMS"},
        {"kmsMasterKeyArn", spec->kms_key},
    };
    const struct restore_start_opts opts = {
        .recovery_point_arn = stage->copy->copy_recovery_point_arn,
        .role_arn = stage->pass->target_account->service_role_arn,
        .resource_type = "DynamoDB",
        .token = token,
        .metadata = metadata,
        .metadata_count = customer ? 3 : 2,
    };

    return backup_start_restore(&stage->pass->target, &opts, ret_id);
}

/* Its name was free when the restore was intended. */
static struct err *find_made(struct stage *stage, char **ret_arn)
{
    AUTO_DYNAMODB_TABLE struct dynamodb_table there = {0};
    struct err *err = dynamodb_describe_table(&stage->pass->target, stage->copy->copy_identifier, &there);

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "NULL says it");
        return NULL;
    }
    TRY(err);
    *ret_arn = TAKE(there.arn);
    return NULL;
}

static struct err *finish(struct stage *stage, const struct backup_job *job, struct outcome *out)
{
    AUTO_FREE char *series = name_series(stage->pass);
    struct aws_pair tags[COPY_TAG_COUNT];

    (void)out;
    TRY(restore_book_copy(stage, job));
    name_copy_tags(stage, stage->copy->copy_identifier, series, tags);
    return err_wrap(dynamodb_tag(&stage->pass->target, stage->copy->copy_arn, tags, COPY_TAG_COUNT),
                    "tag table %s", stage->copy->copy_identifier);
}

struct err *restore_act_table(struct stage *stage, struct outcome *out)
{
    static const struct job_ops ops = {.noun = "restore job",
                                       .start = start,
                                       .search = restore_search,
                                       .kind = RESTORE_JOB,
                                       .on_target = true,
                                       .made = restore_made,
                                       .find_made = find_made,
                                       .finish = finish};

    return job_act(stage, &ops, out);
}
