/* What AWS Backup tells EventBridge, in the shapes that it is known for: the restore's state is called
 * "status" except in its first event, a copy's first event has no id, and what is not known yet may be an
 * object. https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html */
#include "hack/awssim/backup_priv.h"

static void set_iso(struct json *detail, const char *name, int64_t world_ms)
{
    char text[TIME_TEXT_MAX];

    time_rfc3339_ms(world_ms, text);
    json_set_text(detail, name, text);
}

static void set_vault(struct json *detail, const struct account *account, const char *vault)
{
    AUTO_FREE char *arn = account_arn(account, "backup", "backup-vault:%s", vault);

    json_set_text(detail, "backupVaultName", vault);
    json_set_text(detail, "backupVaultArn", arn);
}

/* Not filled in for Aurora. */
static int64_t size_of(const struct account *account, const struct job *job, const char *point_arn)
{
    const struct point *point = point_arn ? sim_point_find(account, job->vault, point_arn) : NULL;

    return point && text_equal(point->kind->resource_type, "DynamoDB") ? point->size_bytes : 0;
}

/* A number that comes as text. */
static void set_number_text(struct json *detail, const char *name, int64_t number)
{
    AUTO_FREE char *text = xasprintf("%lld", (long long)number);

    json_set_text(detail, name, text);
}

static void set_backup(struct json *detail, const struct account *account, const struct job *job)
{
    set_vault(detail, account, job->vault);
    json_set(detail, "percentDone", json_new_number(job->state == JOB_COMPLETED ? 100.0 : 0.0));
    set_number_text(detail, "bytesTransferred", 0);
    set_number_text(detail, "backupSizeInBytes", size_of(account, job, job->point_arn));
    set_iso(detail, "startBy", job->start_by_ms);
}

static void set_copy(struct json *detail, const struct account *account, const struct job *job)
{
    AUTO_FREE char *source = account_arn(account, "backup", "backup-vault:%s", job->vault);

    json_set_int(detail, "backupSizeInBytes", size_of(account, job, job->source_point_arn));
    json_set_text(detail, "sourceBackupVaultArn", source);
    json_set_text(detail, "destinationBackupVaultArn", job->destination_vault_arn);
    /* An object instead of a text when it is not known yet: that is how AWS sends it. */
    json_set(detail, "destinationRecoveryPointArn",
             job->destination_point_arn ? json_new_text(job->destination_point_arn) : json_new_object());
}

/* Its percentage stays at nought, at the end too. */
static void set_restore(struct json *detail, const struct account *account, const struct job *job)
{
    AUTO_FREE char *vault = account_arn(account, "backup", "backup-vault:%s", job->vault);

    json_set_text(detail, "backupVaultArn", vault);
    json_set_text(detail, "sourceResourceArn", job->resource_arn);
    json_set_int(detail, "percentDone", 0);
    set_number_text(detail, "backupSizeInBytes", size_of(account, job, job->point_arn));
    json_set_text(detail, "createdResourceArn", job->created_arn);
    json_set_text(detail, "recoveryPointArn", job->point_arn);
}

/* The kinds differ in their words and in what the event is about. */
static const struct shape {
    const char *detail_type, *id, *state, *first_state;
    bool first_without_id;
    void (*set)(struct json *detail, const struct account *account, const struct job *job);
} backup_shape = {.detail_type = "Backup Job State Change",
                  .id = "backupJobId",
                  .state = "state",
                  .first_state = "state",
                  .set = set_backup},
  copy_shape = {.detail_type = "Copy Job State Change",
                .id = "copyJobId",
                .state = "state",
                .first_state = "state",
                .first_without_id = true,
                .set = set_copy},
  restore_shape = {.detail_type = "Restore Job State Change",
                   .id = "restoreJobId",
                   .state = "status",
                   .first_state = "state",
                   .set = set_restore};

static const struct shape *shape_of(const struct job *job)
{
    if (job->destination_vault_arn)
        return &copy_shape;
    return job->metadata ? &restore_shape : &backup_shape;
}

static struct json *job_detail(const struct account *account, const struct job *job)
{
    const struct shape *shape = shape_of(job);
    struct json *detail = json_new_object();

    json_set_text(detail, shape->id, job->id);
    json_set_text(detail, shape->state, sim_job_state_name(job->state));
    json_set_text(detail, "statusMessage", job->message);
    if (shape != &restore_shape)
        json_set_text(detail, "resourceArn", job->resource_arn);
    json_set_text(detail, "resourceType", job->kind->resource_type);
    json_set_text(detail, "iamRoleArn", job->role_arn);
    set_iso(detail, "creationDate", job->created_ms);
    if (job->completed_ms)
        set_iso(detail, "completionDate", job->completed_ms);
    shape->set(detail, account, job);
    return detail;
}

static const char *resource_of(const struct job *job)
{
    if (job->destination_vault_arn)
        return job->source_point_arn;
    return job->metadata || job->state == JOB_COMPLETED ? job->point_arn : NULL;
}

void sim_job_emit(struct account *account, const struct job *job)
{
    sim_emit(account, &(struct sim_event){.source = "aws.backup",
                                          .detail_type = shape_of(job)->detail_type,
                                          .resource = resource_of(job),
                                          .time_ms = sim_now(account->sim),
                                          .detail = job_detail(account, job)});
}

void sim_job_emit_created(struct account *account, const struct job *job)
{
    const struct shape *shape = shape_of(job);
    struct json *detail = json_new_object();

    if (!shape->first_without_id)
        json_set_text(detail, shape->id, job->id);
    json_set_text(detail, shape->first_state, "CREATED");
    set_iso(detail, "creationDate", job->created_ms);
    sim_emit(account, &(struct sim_event){.source = "aws.backup",
                                          .detail_type = shape->detail_type,
                                          .time_ms = sim_now(account->sim),
                                          .detail = detail});
}

/* The second one's capital is AWS's. */
static void set_lifecycle(struct json *detail, const struct point *point)
{
    struct json *lifecycle, *calculated;

    if (!point->delete_after_days)
        return;
    lifecycle = json_new_object();
    calculated = json_new_object();
    json_set_int(lifecycle, "deleteAfterDays", point->delete_after_days);
    set_iso(calculated, "deleteAt", point->delete_at_ms);
    json_set(detail, "lifecycle", lifecycle);
    json_set(detail, "calculatedLifeCycle", calculated);
}

void sim_point_emit(struct account *account, const struct point *point)
{
    struct json *detail = json_new_object();

    set_vault(detail, account, point->vault);
    json_set_text(detail, "status", "COMPLETED");
    json_set_text(detail, "resourceArn", point->resource_arn);
    json_set_text(detail, "resourceType", point->kind->resource_type);
    json_set_text(detail, "iamRoleArn", point->role_arn);
    json_set_text(detail, "isEncrypted", point->is_encrypted ? "true" : "false");
    json_set_text(detail, "storageClass", "WARM");
    set_lifecycle(detail, point);
    set_iso(detail, "creationDate", point->created_ms);
    set_iso(detail, "completionDate", point->completed_ms);
    sim_emit(account, &(struct sim_event){.source = "aws.backup",
                                          .detail_type = "Recovery Point State Change",
                                          .resource = point->arn,
                                          .time_ms = sim_now(account->sim),
                                          .detail = detail});
}
