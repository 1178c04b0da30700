/* AWS Backup: the table of its operations, its section of the world file, its clock. */
#include "hack/awssim/backup_priv.h"

struct backup_state *sim_backup_state_of(const struct account *account)
{
    return account_state(account, &backup_service);
}

const struct database_kind *sim_kind_of_resource(const char *arn)
{
    for (size_t i = 0; i < database_kind_count; i++)
        if (database_kinds[i]->owns(arn))
            return database_kinds[i];
    return NULL;
}

bool sim_texts_have(const struct json *texts, const char *text)
{
    json_each (item, texts)
        if (text_equal(json_get_text(item, NULL, NULL), text))
            return true;
    return false;
}

/* ---- time ---- */

typedef void job_step_fn(struct account *account, struct job *job);

static int64_t jobs_next(const struct job_list *list)
{
    int64_t next = NEVER_MS;

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->next_ms < next)
            next = list->items[i]->next_ms;
    return next;
}

static int64_t backup_next(struct account *account)
{
    const struct backup_state *state = sim_backup_state_of(account);
    int64_t times[] = {jobs_next(&state->backups), jobs_next(&state->copies), jobs_next(&state->restores),
                       sim_points_next(account)};
    int64_t next = NEVER_MS;

    for (size_t i = 0; i < COUNT_OF(times); i++)
        next = times[i] < next ? times[i] : next;
    return next;
}

static void jobs_advance(struct account *account, struct job_list *list, job_step_fn *step)
{
    for (size_t i = 0; i < list->count; i++)
        while (list->items[i]->next_ms <= sim_now(account->sim))
            step(account, list->items[i]);
}

static void backup_advance(struct account *account)
{
    struct backup_state *state = sim_backup_state_of(account);

    jobs_advance(account, &state->backups, sim_backup_job_step);
    jobs_advance(account, &state->copies, sim_copy_job_step);
    jobs_advance(account, &state->restores, sim_restore_job_step);
    sim_points_advance(account);
}

/* ---- settings ---- */

static struct json *type_map(const struct json *enabled)
{
    static const char *const types[] = {"Aurora", "DynamoDB", "RDS", "EBS", "EFS", "S3"};
    struct json *map = json_new_object();

    for (size_t i = 0; i < COUNT_OF(types); i++)
        json_set_bool(map, types[i], sim_texts_have(enabled, types[i]));
    return map;
}

static bool describe_region_settings(struct call *call)
{
    const struct backup_state *state = call_state(call);

    json_set(call->out, "ResourceTypeOptInPreference", type_map(state->opt_in));
    json_set(call->out, "ResourceTypeManagementPreference", type_map(state->full_management));
    return true;
}

static bool describe_global_settings(struct call *call)
{
    struct json *settings = json_new_object();

    json_set(call->out, "GlobalSettings", settings);
    if (!call->sim->organization)
        return call_refuse(call, 400, "InvalidRequestException",
                           "Account %s is not a member of an organization", call->account->id);
    json_set_text(settings, "isCrossAccountBackupEnabled",
                  call->sim->cross_account_backup ? "true" : "false");
    json_set(call->out, "LastUpdateTime",
             call_time(call, sim_backup_state_of(call->account)->vaults.count
                                 ? sim_backup_state_of(call->account)->vaults.items[0].created_ms
                                 : call->now_ms));
    return true;
}

/* ---- dump and end ---- */

static struct json *dump_point(const struct point *point)
{
    static const char *const names[] = {"CREATING", "COMPLETED", "DELETING", "EXPIRED", "GONE"};
    struct json *row = json_new_object();

    json_set_text(row, "arn", point->arn);
    json_set_text(row, "vault", point->vault);
    json_set_text(row, "resourceArn", point->resource_arn);
    json_set_text(row, "status", names[point->status]);
    json_set_int(row, "createdMs", point->created_ms);
    json_set_int(row, "deleteAfterDays", point->delete_after_days);
    json_set_copy(row, "tags", point->tags);
    return row;
}

static struct json *dump_job(const struct job *job)
{
    struct json *row = json_new_object();

    json_set_text(row, "id", job->id);
    json_set_text(row, "state", sim_job_state_name(job->state));
    json_set_text(row, "message", job->message);
    json_set_text(row, "resourceArn", job->resource_arn);
    json_set_text(row, "recoveryPointArn", job->point_arn);
    json_set_text(row, "sourceRecoveryPointArn", job->source_point_arn);
    json_set_text(row, "destinationVaultArn", job->destination_vault_arn);
    json_set_text(row, "destinationRecoveryPointArn", job->destination_point_arn);
    json_set_text(row, "createdResourceArn", job->created_arn);
    json_set_text(row, "token", job->token);
    json_set_int(row, "createdMs", job->created_ms);
    json_set_int(row, "completedMs", job->completed_ms);
    return row;
}

static struct json *dump_jobs(const struct job_list *list)
{
    struct json *out = json_new_array();

    for (size_t i = 0; i < list->count; i++)
        json_append(out, dump_job(list->items[i]));
    return out;
}

static struct json *backup_dump(struct account *account)
{
    const struct backup_state *state = sim_backup_state_of(account);
    struct json *out = json_new_object(), *vaults = json_new_array(), *points = json_new_array();

    for (size_t i = 0; i < state->vaults.count; i++) {
        struct json *row = json_new_object();

        json_set_text(row, "name", state->vaults.items[i].name);
        json_set_text(row, "keyArn", state->vaults.items[i].key_arn);
        json_append(vaults, row);
    }
    for (size_t i = 0; i < state->points.count; i++)
        if (state->points.items[i]->status != POINT_GONE)
            json_append(points, dump_point(state->points.items[i]));
    json_set(out, "vaults", vaults);
    json_set(out, "recoveryPoints", points);
    json_set(out, "backupJobs", dump_jobs(&state->backups));
    json_set(out, "copyJobs", dump_jobs(&state->copies));
    json_set(out, "restoreJobs", dump_jobs(&state->restores));
    return out;
}

static void jobs_done(struct job_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        sim_job_free(list->items[i]);
    xfree(list->items);
}

static void backup_done(struct account *account)
{
    struct backup_state *state = sim_backup_state_of(account);

    for (size_t i = 0; i < state->vaults.count; i++) {
        struct vault *vault = &state->vaults.items[i];

        xfree(vault->name);
        xfree(vault->arn);
        xfree(vault->key_arn);
        xfree(vault->creator_request_id);
        json_free(vault->policy);
        json_free(vault->tags);
    }
    for (size_t i = 0; i < state->points.count; i++)
        sim_point_free(state->points.items[i]);
    xfree(state->vaults.items);
    xfree(state->points.items);
    jobs_done(&state->backups);
    jobs_done(&state->copies);
    jobs_done(&state->restores);
    json_free(state->opt_in);
    json_free(state->full_management);
}

/* ---- the table ---- */

#define VAULT "/backup-vaults/{BackupVaultName}"
#define POINT VAULT "/recovery-points/{RecoveryPointArn}"
#define JOB_FILTERS                                                                                      \
    "resourceArn state backupVaultName createdBefore createdAfter resourceType accountId completeAfter " \
    "completeBefore parentJobId messageCategory maxResults:int nextToken"

static const struct operation operations[] = {
    {.name = "StartBackupJob",
     .method = "PUT",
     .path = "/backup-jobs",
     .handle = sim_backup_start,
     .mutating = true,
     .input = "BackupVaultName! ResourceArn! IamRoleArn! IdempotencyToken StartWindowMinutes:int "
              "CompleteWindowMinutes:int Lifecycle:object RecoveryPointTags:map"},
    {.name = "DescribeBackupJob",
     .method = "GET",
     .path = "/backup-jobs/{BackupJobId}",
     .handle = sim_backup_describe,
     .input = "BackupJobId!"},
    {.name = "ListBackupJobs",
     .method = "GET",
     .path = "/backup-jobs/",
     .handle = sim_backup_list,
     .input = JOB_FILTERS},
    {.name = "StopBackupJob",
     .method = "POST",
     .path = "/backup-jobs/{BackupJobId}",
     .handle = sim_backup_stop,
     .mutating = true,
     .input = "BackupJobId!"},
    {.name = "StartCopyJob",
     .method = "PUT",
     .path = "/copy-jobs",
     .handle = sim_copy_start,
     .mutating = true,
     .input =
         "RecoveryPointArn! SourceBackupVaultName! DestinationBackupVaultArn! IamRoleArn! IdempotencyToken "
         "Lifecycle:object"},
    {.name = "DescribeCopyJob",
     .method = "GET",
     .path = "/copy-jobs/{CopyJobId}",
     .handle = sim_copy_describe,
     .input = "CopyJobId!"},
    {.name = "ListCopyJobs",
     .method = "GET",
     .path = "/copy-jobs/",
     .handle = sim_copy_list,
     .input = JOB_FILTERS " destinationVaultArn sourceRecoveryPointArn"},
    {.name = "StartRestoreJob",
     .method = "PUT",
     .path = "/restore-jobs",
     .handle = sim_restore_start,
     .mutating = true,
     .input = "RecoveryPointArn! Metadata!:map IamRoleArn ResourceType IdempotencyToken "
              "CopySourceTagsToRestoredResource:bool"},
    {.name = "DescribeRestoreJob",
     .method = "GET",
     .path = "/restore-jobs/{RestoreJobId}",
     .handle = sim_restore_describe,
     .input = "RestoreJobId!"},
    {.name = "ListRestoreJobs",
     .method = "GET",
     .path = "/restore-jobs/",
     .handle = sim_restore_list,
     .input = JOB_FILTERS " status restoreTestingPlanArn"},
    {.name = "CreateBackupVault",
     .method = "PUT",
     .path = VAULT,
     .handle = sim_backup_create_vault,
     .mutating = true,
     .input = "BackupVaultName! EncryptionKeyArn BackupVaultTags:map CreatorRequestId"},
    {.name = "DescribeBackupVault",
     .method = "GET",
     .path = VAULT,
     .handle = sim_backup_describe_vault,
     .input = "BackupVaultName! backupVaultAccountId"},
    {.name = "ListBackupVaults",
     .method = "GET",
     .path = "/backup-vaults/",
     .handle = sim_backup_list_vaults,
     .input = "maxResults:int nextToken vaultType shared"},
    {.name = "GetBackupVaultAccessPolicy",
     .method = "GET",
     .path = VAULT "/access-policy",
     .handle = sim_backup_get_policy,
     .input = "BackupVaultName!"},
    {.name = "PutBackupVaultAccessPolicy",
     .method = "PUT",
     .path = VAULT "/access-policy",
     .handle = sim_backup_put_policy,
     .mutating = true,
     .input = "BackupVaultName! Policy"},
    {.name = "ListRecoveryPointsByBackupVault",
     .method = "GET",
     .path = VAULT "/recovery-points/",
     .handle = sim_backup_list_points,
     .input = "BackupVaultName! resourceArn resourceType backupPlanId createdBefore createdAfter "
              "parentRecoveryPointArn backupVaultAccountId maxResults:int nextToken"},
    {.name = "DescribeRecoveryPoint",
     .method = "GET",
     .path = POINT,
     .handle = sim_backup_describe_point,
     .input = "BackupVaultName! RecoveryPointArn! backupVaultAccountId"},
    {.name = "DeleteRecoveryPoint",
     .method = "DELETE",
     .path = POINT,
     .handle = sim_backup_delete_point,
     .mutating = true,
     .input = "BackupVaultName! RecoveryPointArn!"},
    {.name = "GetRecoveryPointRestoreMetadata",
     .method = "GET",
     .path = POINT "/restore-metadata",
     .handle = sim_backup_restore_metadata,
     .input = "BackupVaultName! RecoveryPointArn! backupVaultAccountId"},
    {.name = "DescribeRegionSettings",
     .method = "GET",
     .path = "/account-settings",
     .handle = describe_region_settings,
     .input = ""},
    {.name = "UpdateRegionSettings",
     .method = "PUT",
     .path = "/account-settings",
     .handle = sim_backup_update_region_settings,
     .mutating = true,
     .input = "ResourceTypeOptInPreference:object ResourceTypeManagementPreference:object"},
    {.name = "DescribeGlobalSettings",
     .method = "GET",
     .path = "/global-settings",
     .handle = describe_global_settings,
     .input = ""},
    {.name = "ListTags",
     .method = "GET",
     .path = "/tags/{ResourceArn}/",
     .handle = sim_backup_list_tags,
     .input = "ResourceArn! maxResults:int nextToken"},
    {.name = "TagResource",
     .method = "POST",
     .path = "/tags/{ResourceArn}",
     .handle = sim_backup_tag,
     .mutating = true,
     .input = "ResourceArn! Tags!:map"},
    {.name = "UntagResource",
     .method = "POST",
     .path = "/untag/{ResourceArn}",
     .handle = sim_backup_untag,
     .mutating = true,
     .input = "ResourceArn! TagKeyList!:list"},
};

static const struct duration durations[] = {
    {.name = "aurora.backup", .default_ms = MINUTES(12)},
    {.name = "aurora.copy", .default_ms = MINUTES(40)},
    {.name = "aurora.restore", .default_ms = MINUTES(35)},
    {.name = "dynamodb.backup", .default_ms = MINUTES(3)},
    {.name = "dynamodb.copy", .default_ms = MINUTES(6)},
    {.name = "dynamodb.restore", .default_ms = MINUTES(20)},
    {.name = "backup.created", .default_ms = SECONDS(5)},  /* until a job leaves CREATED */
    {.name = "backup.pending", .default_ms = SECONDS(20)}, /* until it then leaves PENDING */
    {.name = "backup.failure", .default_ms = MINUTES(3)},  /* from RUNNING until AWS notices what is wrong */
    {.name = "backup.retry", .default_ms = MINUTES(10)},   /* how often a waiting backup looks again */
    {.name = "backup.delete", .default_ms = SECONDS(30)},  /* a recovery point is DELETING */
    {.name = "backup.listLag", .default_ms = SECONDS(2)},  /* until a job shows in lists */
};

const struct service backup_service = {
    .name = "backup",
    .section = "backup",
    .protocol = PROTOCOL_REST,
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .durations = durations,
    .duration_count = COUNT_OF(durations),
    .state_size = sizeof(struct backup_state),
    .load = sim_backup_load,
    .check = sim_backup_check,
    .advance = backup_advance,
    .next_ms = backup_next,
    .dump = backup_dump,
    .done = backup_done,
};
