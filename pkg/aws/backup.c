#include "pkg/aws/backup.h"

#include "pkg/aws/protocol.h"

/* What the jobs of AWS Backup have in common; recovery points and vaults are in backup_vault.c. */

#define JOB(member) offsetof(struct backup_job, member)

static const struct aws_text_field backup_fields[] = {
    {.path = "BackupJobId", .offset = JOB(id)},
    {.path = "State", .offset = JOB(state_text)},
    {.path = "StatusMessage", .offset = JOB(status_message)},
    {.path = "MessageCategory", .offset = JOB(message_category)},
    {.path = "ResourceArn", .offset = JOB(resource_arn)},
    {.path = "ResourceType", .offset = JOB(resource_type)},
    {.path = "RecoveryPointArn", .offset = JOB(recovery_point_arn)},
    {.path = "BackupVaultArn", .offset = JOB(vault_arn)},
    {.path = "IamRoleArn", .offset = JOB(role_arn)},
    {.path = "CreatedBy.BackupPlanId", .offset = JOB(plan_id)},
};

static const struct aws_text_field copy_fields[] = {
    {.path = "CopyJobId", .offset = JOB(id)},
    {.path = "State", .offset = JOB(state_text)},
    {.path = "StatusMessage", .offset = JOB(status_message)},
    {.path = "MessageCategory", .offset = JOB(message_category)},
    {.path = "ResourceArn", .offset = JOB(resource_arn)},
    {.path = "ResourceType", .offset = JOB(resource_type)},
    {.path = "SourceRecoveryPointArn", .offset = JOB(recovery_point_arn)},
    {.path = "DestinationRecoveryPointArn", .offset = JOB(destination_recovery_point_arn)},
    {.path = "SourceBackupVaultArn", .offset = JOB(vault_arn)},
    {.path = "DestinationBackupVaultArn", .offset = JOB(destination_vault_arn)},
    {.path = "IamRoleArn", .offset = JOB(role_arn)},
    {.path = "CreatedBy.BackupPlanId", .offset = JOB(plan_id)},
};

/* Here the state is called Status. */
static const struct aws_text_field restore_fields[] = {
    {.path = "RestoreJobId", .offset = JOB(id)},
    {.path = "Status", .offset = JOB(state_text)},
    {.path = "StatusMessage", .offset = JOB(status_message)},
    {.path = "SourceResourceArn", .offset = JOB(resource_arn)},
    {.path = "ResourceType", .offset = JOB(resource_type)},
    {.path = "RecoveryPointArn", .offset = JOB(recovery_point_arn)},
    {.path = "CreatedResourceArn", .offset = JOB(created_resource_arn)},
    {.path = "IamRoleArn", .offset = JOB(role_arn)},
};

struct kind_info {
    const struct aws_text_field *fields;
    size_t field_count;
    enum aws_op list_op;
    enum aws_op describe_op;
    const char *route;   /* of lists; without the last slash also of single jobs */
    const char *items;   /* in the answer to a list */
    const char *wrapper; /* in the answer to a describe; NULL: none */
    const char *state_param;
};

static const struct kind_info kinds[] = {
    [BACKUP_JOB] = {.fields = backup_fields,
                    .field_count = COUNT_OF(backup_fields),
                    .list_op = AWS_OP_LIST_BACKUP_JOBS,
                    .describe_op = AWS_OP_DESCRIBE_BACKUP_JOB,
                    .route = "/backup-jobs/",
                    .items = "BackupJobs",
                    .state_param = "state"},
    [COPY_JOB] = {.fields = copy_fields,
                  .field_count = COUNT_OF(copy_fields),
                  .list_op = AWS_OP_LIST_COPY_JOBS,
                  .describe_op = AWS_OP_DESCRIBE_COPY_JOB,
                  .route = "/copy-jobs/",
                  .items = "CopyJobs",
                  .wrapper = "CopyJob",
                  .state_param = "state"},
    [RESTORE_JOB] = {.fields = restore_fields,
                     .field_count = COUNT_OF(restore_fields),
                     .list_op = AWS_OP_LIST_RESTORE_JOBS,
                     .describe_op = AWS_OP_DESCRIBE_RESTORE_JOB,
                     .route = "/restore-jobs/",
                     .items = "RestoreJobs",
                     .state_param = "status"},
};

bool backup_state_is_final(enum backup_job_state state)
{
    return state >= BACKUP_STATE_COMPLETED;
}

void backup_job_done(struct backup_job *job)
{
    aws_text_fields_free(kinds[job->kind].fields, kinds[job->kind].field_count, job);
    *job = (struct backup_job){0};
}

void backup_job_copy(const struct backup_job *job, struct backup_job *ret)
{
    const struct kind_info *info = &kinds[job->kind];

    *ret = *job;
    aws_text_fields_copy(info->fields, info->field_count, ret);
}

void backup_jobs_done(struct backup_jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++)
        backup_job_done(&jobs->items[i]);
    xfree(jobs->items);
    *jobs = (struct backup_jobs){0};
}

static enum backup_job_state state_of(const char *text)
{
    static const char *const names[] = {
        [BACKUP_STATE_CREATED] = "CREATED",     [BACKUP_STATE_PENDING] = "PENDING",
        [BACKUP_STATE_RUNNING] = "RUNNING",     [BACKUP_STATE_ABORTING] = "ABORTING",
        [BACKUP_STATE_COMPLETED] = "COMPLETED", [BACKUP_STATE_FAILED] = "FAILED",
        [BACKUP_STATE_PARTIAL] = "PARTIAL",     [BACKUP_STATE_ABORTED] = "ABORTED",
        [BACKUP_STATE_EXPIRED] = "EXPIRED",
    };

    for (size_t i = BACKUP_STATE_CREATED; text && i < COUNT_OF(names); i++) {
        if (strcmp(names[i], text) == 0)
            return (enum backup_job_state)i;
    }
    return BACKUP_STATE_UNKNOWN;
}

/* "42.0", sometimes a number, often nothing. */
static int percent_of(const struct json *value)
{
    struct str rest = str_of(json_get_text(value, NULL, "")), whole = {0};
    int64_t percent = -1;

    if (json_is(value, JSON_NUMBER))
        percent = (int64_t)json_get_number(value, NULL, -1);
    else if (!str_cut(&rest, '.', &whole) || !str_to_int(str_trim(whole), &percent))
        return -1;
    return percent < 0 || percent > 100 ? -1 : (int)percent;
}

static void read_job(enum backup_job_kind kind, const struct json *value, struct backup_job *ret)
{
    *ret = (struct backup_job){
        .kind = kind,
        .percent = percent_of(json_member(value, "PercentDone")),
        .created_ms = json_take_time(value, "CreationDate"),
        .completed_ms = json_take_time(value, "CompletionDate"),
        .size_bytes = json_get_int(value, "BackupSizeInBytes", -1),
    };
    json_take_texts(value, kinds[kind].fields, kinds[kind].field_count, ret);
    ret->state = state_of(ret->state_text);
}

/* An empty id would be the route of the list. */
static struct err *job_path(enum backup_job_kind kind, enum aws_op op, const char *id, struct buf *path)
{
    if (text_is_empty(id))
        return err_new(ERR_INVALID, "%s: a job must be named", aws_operation(op)->name);
    buf_adds(path, kinds[kind].route);
    rest_add_label(path, id);
    return NULL;
}

static struct err *describe_job(const struct aws_client *aws, enum backup_job_kind kind, const char *id,
                                struct backup_job *ret)
{
    const struct kind_info *info = &kinds[kind];
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);
    const struct json *found;

    TRY(job_path(kind, info->describe_op, id, &path));
    TRY(aws_call_rest(aws, info->describe_op, &path, NULL, &reply));
    found = info->wrapper ? json_member(reply.json, info->wrapper) : reply.json;
    TRY(aws_require(info->describe_op, info->fields[1].path,
                    json_get_text(found, info->fields[1].path, NULL)));
    read_job(kind, found, ret);
    if (!ret->id)
        ret->id = xstrdup(id);
    return NULL;
}

struct err *backup_describe_backup(const struct aws_client *aws, const char *job_id, struct backup_job *ret)
{
    return describe_job(aws, BACKUP_JOB, job_id, ret);
}

struct err *backup_describe_copy(const struct aws_client *aws, const char *job_id, struct backup_job *ret)
{
    return describe_job(aws, COPY_JOB, job_id, ret);
}

struct err *backup_describe_restore(const struct aws_client *aws, const char *job_id, struct backup_job *ret)
{
    return describe_job(aws, RESTORE_JOB, job_id, ret);
}

static void list_path(const struct kind_info *info, const struct backup_jobs_filter *filter,
                      const char *token, struct buf *path)
{
    buf_adds(path, info->route);
    rest_add_time(path, "createdAfter", filter->created_after_ms);
    rest_add_param(path, "resourceType", filter->resource_type);
    rest_add_param(path, info->state_param, filter->state);
    if (info != &kinds[RESTORE_JOB])
        rest_add_param(path, "resourceArn", filter->resource_arn);
    if (info == &kinds[BACKUP_JOB])
        rest_add_param(path, "backupVaultName", filter->vault_name);
    if (info == &kinds[COPY_JOB]) {
        rest_add_param(path, "destinationVaultArn", filter->destination_vault_arn);
        rest_add_param(path, "sourceRecoveryPointArn", filter->recovery_point_arn);
    }
    rest_add_param(path, "maxResults", "1000");
    rest_add_param(path, "nextToken", token);
}

/* Restores cannot be asked for by recovery point. */
static bool passes(const struct backup_job *job, const struct backup_jobs_filter *filter)
{
    return job->kind != RESTORE_JOB || !filter->recovery_point_arn ||
           text_equal(job->recovery_point_arn, filter->recovery_point_arn);
}

static void add_jobs(enum backup_job_kind kind, const struct json *items,
                     const struct backup_jobs_filter *filter, struct backup_jobs *jobs)
{
    json_each (item, items) {
        AUTO_BACKUP_JOB struct backup_job job = {0};

        read_job(kind, item, &job);
        if (!job.id || !passes(&job, filter))
            continue;
        jobs->items = xgrow(jobs->items, jobs->count, sizeof(*jobs->items));
        jobs->items[jobs->count++] = job;
        job = (struct backup_job){0};
    }
}

static struct err *list_jobs(const struct aws_client *aws, enum backup_job_kind kind,
                             const struct backup_jobs_filter *filter, struct backup_jobs *ret)
{
    const struct kind_info *info = &kinds[kind];
    const struct backup_jobs_filter none = {0};
    AUTO_BACKUP_JOBS struct backup_jobs jobs = {0};
    AUTO_AWS_PAGES struct aws_pages pages = {.op = info->list_op};

    while (!pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);

        list_path(info, filter ? filter : &none, pages.token, &path);
        TRY(aws_call_rest(aws, info->list_op, &path, NULL, &reply));
        add_jobs(kind, json_member(reply.json, info->items), filter ? filter : &none, &jobs);
        TRY(aws_pages_next(&pages, jobs.count, json_take_text(reply.json, "NextToken")));
    }
    *ret = jobs;
    jobs = (struct backup_jobs){0};
    return NULL;
}

struct err *backup_list_backups(const struct aws_client *aws, const struct backup_jobs_filter *filter,
                                struct backup_jobs *ret)
{
    return list_jobs(aws, BACKUP_JOB, filter, ret);
}

struct err *backup_list_copies(const struct aws_client *aws, const struct backup_jobs_filter *filter,
                               struct backup_jobs *ret)
{
    return list_jobs(aws, COPY_JOB, filter, ret);
}

struct err *backup_list_restores(const struct aws_client *aws, const struct backup_jobs_filter *filter,
                                 struct backup_jobs *ret)
{
    return list_jobs(aws, RESTORE_JOB, filter, ret);
}

/* --- starting and stopping --- */

static void set_lifecycle(struct json *body, int delete_after_days)
{
    struct json *lifecycle;

    if (!delete_after_days)
        return;
    lifecycle = json_new_object();
    json_set_int(lifecycle, "DeleteAfterDays", delete_after_days);
    json_set(body, "Lifecycle", lifecycle);
}

static void set_pairs(struct json *body, const char *name, const struct aws_pair *pairs, size_t count)
{
    struct json *map = json_new_object();

    for (size_t i = 0; i < count; i++)
        json_set_text(map, pairs[i].name, pairs[i].value);
    json_set(body, name, map);
}

static struct err *start_job(const struct aws_client *aws, enum aws_op op, const char *route,
                             const struct json *body, const char *id_member, char **ret_job_id)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);
    const char *id;

    /* Without it the in-call repeat would start a second job. */
    if (text_is_empty(json_get_text(body, "IdempotencyToken", NULL)))
        return err_new(ERR_INVALID, "%s: a token is required", aws_operation(op)->name);
    buf_adds(&path, route);
    TRY(aws_call_rest(aws, op, &path, body, &reply));
    id = json_get_text(reply.json, id_member, NULL);
    TRY(aws_require(op, id_member, id));
    *ret_job_id = xstrdup(id);
    return NULL;
}

#define START_WINDOW_MIN 60

struct err *backup_start_backup(const struct aws_client *aws, const struct backup_start_opts *opts,
                                char **ret_job_id)
{
    AUTO_JSON struct json *body = json_new_object();

    json_set_text(body, "BackupVaultName", opts->vault_name);
    json_set_text(body, "ResourceArn", opts->resource_arn);
    json_set_text(body, "IamRoleArn", opts->role_arn);
    json_set_text(body, "IdempotencyToken", opts->token);
    json_set_int(body, "StartWindowMinutes",
                 opts->start_window_minutes ? opts->start_window_minutes : START_WINDOW_MIN);
    if (opts->complete_window_minutes)
        json_set_int(body, "CompleteWindowMinutes", opts->complete_window_minutes);
    set_lifecycle(body, opts->delete_after_days);
    if (opts->tag_count)
        set_pairs(body, "RecoveryPointTags", opts->tags, opts->tag_count);
    return start_job(aws, AWS_OP_START_BACKUP_JOB, "/backup-jobs", body, "BackupJobId", ret_job_id);
}

struct err *backup_stop_backup(const struct aws_client *aws, const char *job_id)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);

    TRY(job_path(BACKUP_JOB, AWS_OP_STOP_BACKUP_JOB, job_id, &path));
    return aws_call_rest(aws, AWS_OP_STOP_BACKUP_JOB, &path, NULL, &reply);
}

struct err *backup_start_copy(const struct aws_client *aws, const struct copy_start_opts *opts,
                              char **ret_job_id)
{
    AUTO_JSON struct json *body = json_new_object();

    json_set_text(body, "RecoveryPointArn", opts->recovery_point_arn);
    json_set_text(body, "SourceBackupVaultName", opts->source_vault_name);
    json_set_text(body, "DestinationBackupVaultArn", opts->destination_vault_arn);
    json_set_text(body, "IamRoleArn", opts->role_arn);
    json_set_text(body, "IdempotencyToken", opts->token);
    set_lifecycle(body, opts->delete_after_days);
    return start_job(aws, AWS_OP_START_COPY_JOB, "/copy-jobs", body, "CopyJobId", ret_job_id);
}

struct err *backup_start_restore(const struct aws_client *aws, const struct restore_start_opts *opts,
                                 char **ret_job_id)
{
    AUTO_JSON struct json *body = json_new_object();

    json_set_text(body, "RecoveryPointArn", opts->recovery_point_arn);
    set_pairs(body, "Metadata", opts->metadata, opts->metadata_count);
    json_set_text(body, "IamRoleArn", opts->role_arn);
    json_set_text(body, "IdempotencyToken", opts->token);
    json_set_text(body, "ResourceType", opts->resource_type);
    return start_job(aws, AWS_OP_START_RESTORE_JOB, "/restore-jobs", body, "RestoreJobId", ret_job_id);
}
