#include "pkg/aws/backup.h"

#include "pkg/aws/arn.h"
#include "pkg/aws/protocol.h"
#include "pkg/aws/rds.h"

/* Vaults, the recovery points in them, and the account's settings; jobs are in backup.c. */

#define POINT(member) offsetof(struct recovery_point, member)

static const struct aws_text_field point_fields[] = {
    {.path = "RecoveryPointArn", .offset = POINT(arn)},
    {.path = "Status", .offset = POINT(status)},
    {.path = "StatusMessage", .offset = POINT(status_message)},
    {.path = "ResourceArn", .offset = POINT(resource_arn)},
    {.path = "ResourceType", .offset = POINT(resource_type)},
    {.path = "BackupVaultName", .offset = POINT(vault_name)},
    {.path = "SourceBackupVaultArn", .offset = POINT(source_vault_arn)},
    {.path = "EncryptionKeyArn", .offset = POINT(encryption_key_arn)},
    {.path = "IamRoleArn", .offset = POINT(role_arn)},
    {.path = "CreatedBy.BackupPlanId", .offset = POINT(plan_id)},
};

#define VAULT(member) offsetof(struct backup_vault, member)

static const struct aws_text_field vault_fields[] = {
    {.path = "BackupVaultArn", .offset = VAULT(arn)},
    {.path = "BackupVaultName", .offset = VAULT(name)},
    {.path = "EncryptionKeyArn", .offset = VAULT(encryption_key_arn)},
    {.path = "VaultState", .offset = VAULT(state)},
    {.path = "VaultType", .offset = VAULT(type)},
};

void recovery_point_done(struct recovery_point *point)
{
    aws_text_fields_free(point_fields, COUNT_OF(point_fields), point);
    *point = (struct recovery_point){0};
}

void recovery_points_done(struct recovery_points *points)
{
    for (size_t i = 0; i < points->count; i++)
        recovery_point_done(&points->items[i]);
    xfree(points->items);
    *points = (struct recovery_points){0};
}

static void read_point(const struct json *value, struct recovery_point *ret)
{
    *ret = (struct recovery_point){
        .is_encrypted = json_get_bool(value, "IsEncrypted", false),
        .created_ms = json_take_time(value, "CreationDate"),
        .completed_ms = json_take_time(value, "CompletionDate"),
        .delete_at_ms = json_take_time(value, "CalculatedLifecycle.DeleteAt"),
        .size_bytes = json_get_int(value, "BackupSizeInBytes", -1),
    };
    json_take_texts(value, point_fields, COUNT_OF(point_fields), ret);
}

static void vault_path(struct buf *path, const char *vault_name)
{
    buf_adds(path, "/backup-vaults/");
    rest_add_label(path, vault_name);
}

/* An ARN is one label: its ':' and '/' are encoded. */
static void point_path(struct buf *path, const char *vault_name, const char *arn)
{
    vault_path(path, vault_name);
    buf_adds(path, "/recovery-points/");
    rest_add_label(path, arn);
}

struct err *backup_describe_recovery_point(const struct aws_client *aws, const char *vault_name,
                                           const char *arn, struct recovery_point *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);

    point_path(&path, vault_name, arn);
    TRY(aws_call_rest(aws, AWS_OP_DESCRIBE_RECOVERY_POINT, &path, NULL, &reply));
    TRY(aws_require(AWS_OP_DESCRIBE_RECOVERY_POINT, "Status", json_get_text(reply.json, "Status", NULL)));
    read_point(reply.json, ret);
    if (!ret->arn)
        ret->arn = xstrdup(arn);
    return NULL;
}

static void add_points(const struct json *items, struct recovery_points *points)
{
    json_each (item, items) {
        points->items = xgrow(points->items, points->count, sizeof(*points->items));
        read_point(item, &points->items[points->count++]);
    }
}

struct err *backup_list_recovery_points(const struct aws_client *aws, const char *vault_name,
                                        const char *resource_arn, struct recovery_points *ret)
{
    AUTO_RECOVERY_POINTS struct recovery_points points = {0};
    AUTO_AWS_PAGES struct aws_pages pages = {.op = AWS_OP_LIST_RECOVERY_POINTS};

    while (!pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);

        point_path(&path, vault_name, "");
        rest_add_param(&path, "resourceArn", resource_arn);
        rest_add_param(&path, "maxResults", "1000");
        rest_add_param(&path, "nextToken", pages.token);
        TRY(aws_call_rest(aws, AWS_OP_LIST_RECOVERY_POINTS, &path, NULL, &reply));
        add_points(json_member(reply.json, "RecoveryPoints"), &points);
        TRY(aws_pages_next(&pages, points.count, json_take_text(reply.json, "NextToken")));
    }
    *ret = points;
    points = (struct recovery_points){0};
    return NULL;
}

struct err *backup_delete_recovery_point(const struct aws_client *aws, const char *vault_name,
                                         const char *arn)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);

    /* An empty label would be another route. */
    if (text_is_empty(vault_name) || text_is_empty(arn))
        return err_new(ERR_INVALID, "DeleteRecoveryPoint: vault and recovery point must be named");
    point_path(&path, vault_name, arn);
    return aws_call_rest(aws, AWS_OP_DELETE_RECOVERY_POINT, &path, NULL, &reply);
}

static void add_map(const struct json *map, struct aws_tags *tags)
{
    json_each (member, map)
        aws_tags_add(tags, json_key(member), json_get_text(member, NULL, ""));
}

static struct err *list_tags(const struct aws_client *aws, const char *arn, struct aws_tags *ret)
{
    AUTO_TAGS struct aws_tags tags = {0};
    AUTO_AWS_PAGES struct aws_pages pages = {.op = AWS_OP_BACKUP_LIST_TAGS};

    while (!pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);

        buf_adds(&path, "/tags/");
        rest_add_label(&path, arn);
        buf_addc(&path, '/');
        rest_add_param(&path, "nextToken", pages.token);
        TRY(aws_call_rest(aws, AWS_OP_BACKUP_LIST_TAGS, &path, NULL, &reply));
        add_map(json_member(reply.json, "Tags"), &tags);
        TRY(aws_pages_next(&pages, tags.count, json_take_text(reply.json, "NextToken")));
    }
    *ret = tags;
    tags = (struct aws_tags){0};
    return NULL;
}

struct err *backup_list_point_tags(const struct aws_client *aws, const char *arn, struct aws_tags *ret)
{
    struct arn parts = {0};

    TRY(arn_parse(arn, &parts));
    if (str_is(parts.service, "backup"))
        return list_tags(aws, arn, ret);
    if (str_is(parts.service, "rds"))
        return rds_list_tags(aws, arn, ret);
    *ret = (struct aws_tags){0};
    return NULL;
}

struct err *backup_get_restore_metadata(const struct aws_client *aws, const char *vault_name, const char *arn,
                                        struct aws_tags *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);
    struct aws_tags metadata = {0};

    point_path(&path, vault_name, arn);
    buf_adds(&path, "/restore-metadata");
    TRY(aws_call_rest(aws, AWS_OP_GET_RESTORE_METADATA, &path, NULL, &reply));
    add_map(json_member(reply.json, "RestoreMetadata"), &metadata);
    *ret = metadata;
    return NULL;
}

void backup_vault_done(struct backup_vault *vault)
{
    aws_text_fields_free(vault_fields, COUNT_OF(vault_fields), vault);
    *vault = (struct backup_vault){0};
}

struct err *backup_describe_vault(const struct aws_client *aws, const char *name, struct backup_vault *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);

    vault_path(&path, name);
    TRY(aws_call_rest(aws, AWS_OP_DESCRIBE_BACKUP_VAULT, &path, NULL, &reply));
    TRY(aws_require(AWS_OP_DESCRIBE_BACKUP_VAULT, "BackupVaultArn",
                    json_get_text(reply.json, "BackupVaultArn", NULL)));
    *ret = (struct backup_vault){
        .is_locked = json_get_bool(reply.json, "Locked", false),
        .min_retention_days = json_get_int(reply.json, "MinRetentionDays", 0),
        .max_retention_days = json_get_int(reply.json, "MaxRetentionDays", 0),
    };
    json_take_texts(reply.json, vault_fields, COUNT_OF(vault_fields), ret);
    return NULL;
}

struct err *backup_get_vault_policy(const struct aws_client *aws, const char *name, char **ret_policy)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);
    struct err *err;

    vault_path(&path, name);
    buf_adds(&path, "/access-policy");
    err = aws_call_rest(aws, AWS_OP_GET_VAULT_ACCESS_POLICY, &path, NULL, &reply);
    if (err && err_is_code(err, "ResourceNotFoundException")) {
        err_ignore(err, "this is how a vault without a policy answers");
        *ret_policy = NULL;
        return NULL;
    }
    TRY(err);
    *ret_policy = json_take_text(reply.json, "Policy");
    return NULL;
}

struct err *backup_describe_region_settings(const struct aws_client *aws, struct backup_region_settings *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);

    buf_adds(&path, "/account-settings");
    TRY(aws_call_rest(aws, AWS_OP_DESCRIBE_REGION_SETTINGS, &path, NULL, &reply));
    *ret = (struct backup_region_settings){
        .aurora_opted_in = json_get_bool(reply.json, "ResourceTypeOptInPreference.Aurora", false),
        .dynamodb_opted_in = json_get_bool(reply.json, "ResourceTypeOptInPreference.DynamoDB", false),
        .dynamodb_advanced = json_get_bool(reply.json, "ResourceTypeManagementPreference.DynamoDB", false),
    };
    return NULL;
}

struct err *backup_describe_global_settings(const struct aws_client *aws, bool *ret_cross_account)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf path = BUF_MAX(AWS_URL_MAX);

    buf_adds(&path, "/global-settings");
    TRY(aws_call_rest(aws, AWS_OP_DESCRIBE_GLOBAL_SETTINGS, &path, NULL, &reply));
    /* A text, not a truth value. */
    *ret_cross_account =
        text_equal(json_get_text(reply.json, "GlobalSettings.isCrossAccountBackupEnabled", ""), "true");
    return NULL;
}
