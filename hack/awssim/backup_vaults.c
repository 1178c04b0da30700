/* Vaults, their access policies, and the recovery points in them. */
#include "hack/awssim/backup_priv.h"

#define MAX_POLICY (20 * KIB)
#define MAX_TAGS 50

/* ---- finding ---- */

struct vault *sim_vault_find(const struct account *account, const char *name)
{
    struct backup_state *state = sim_backup_state_of(account);

    for (size_t i = 0; i < state->vaults.count; i++)
        if (text_equal(state->vaults.items[i].name, name))
            return &state->vaults.items[i];
    return NULL;
}

struct vault *sim_vault_by_arn(const struct sim *sim, const char *arn, struct account **ret_account)
{
    struct account *account = sim_account_of_arn(sim, arn);
    struct backup_state *state = account ? sim_backup_state_of(account) : NULL;

    for (size_t i = 0; state && i < state->vaults.count; i++)
        if (text_equal(state->vaults.items[i].arn, arn)) {
            *ret_account = account;
            return &state->vaults.items[i];
        }
    return NULL;
}

struct point *sim_point_find(const struct account *account, const char *vault, const char *arn)
{
    const struct backup_state *state = sim_backup_state_of(account);

    for (size_t i = 0; i < state->points.count; i++) {
        struct point *point = state->points.items[i];

        if (point->status != POINT_GONE && text_equal(point->arn, arn) &&
            (!vault || text_equal(point->vault, vault)))
            return point;
    }
    return NULL;
}

bool sim_vault_lock_allows(const struct vault *vault, int64_t days)
{
    if (vault->min_days && days && days < vault->min_days)
        return false;
    return !vault->max_days || (days && days <= vault->max_days);
}

/* ---- the life of a recovery point ---- */

/* Aurora: a cluster snapshot whose name has the job's id in lower case. A table: AWS Backup's own ARN, or a
 * backup of DynamoDB's if AWS Backup does not fully manage the type. */
char *sim_point_arn(const struct account *account, const struct point_name *name)
{
    AUTO_FREE char *id = xstrdup(name->id);

    for (char *c = id; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    if (text_equal(name->kind->resource_type, "Aurora"))
        return account_arn(account, "rds", "cluster-snapshot:awsbackup:%s-%s", name->infix, id);
    if (name->full)
        return account_arn(account, "backup", "recovery-point:%s", id);
    return account_arn(account, "dynamodb", "table/%s/backup/%.17s", name->resource_name, id);
}

struct point *sim_point_add(struct account *account, const struct vault *vault, const struct point_name *name)
{
    struct backup_state *state = sim_backup_state_of(account);
    struct point *point = xcalloc(1, sizeof(*point));

    *LIST_ADD(state->points) = point;
    *point = (struct point){.arn = sim_point_arn(account, name),
                            .vault = xstrdup(vault->name),
                            .resource_name = xstrdup(name->resource_name),
                            .kind = name->kind,
                            .tags = json_new_object(),
                            .created_ms = sim_now(account->sim),
                            .vanish_ms = NEVER_MS};
    return point;
}

void sim_point_set_lifecycle(struct sim *sim, struct point *point, int64_t days)
{
    point->delete_after_days = days;
    point->delete_at_ms = days ? point->created_ms + DAYS(days) : 0;
    point->vanish_ms = days ? point->delete_at_ms + (int64_t)sim_random_below(sim, HOURS(8)) : NEVER_MS;
}

void sim_point_free(struct point *point)
{
    xfree(point->arn);
    xfree(point->vault);
    xfree(point->resource_arn);
    xfree(point->resource_name);
    xfree(point->source_vault_arn);
    xfree(point->key_arn);
    xfree(point->role_arn);
    json_free(point->snapshot);
    json_free(point->tags);
    xfree(point);
}

static int64_t point_next(const struct point *point)
{
    if (point->status == POINT_DELETING)
        return point->gone_ms;
    return point->status == POINT_COMPLETED ? point->vanish_ms : NEVER_MS;
}

int64_t sim_points_next(const struct account *account)
{
    const struct backup_state *state = sim_backup_state_of(account);
    int64_t next = NEVER_MS;

    for (size_t i = 0; i < state->points.count; i++) {
        int64_t at = point_next(state->points.items[i]);

        next = at < next ? at : next;
    }
    return next;
}

void sim_points_advance(struct account *account)
{
    const struct backup_state *state = sim_backup_state_of(account);
    int64_t now = sim_now(account->sim);

    for (size_t i = 0; i < state->points.count; i++) {
        struct point *point = state->points.items[i];

        if (point_next(point) > now)
            continue;
        if (point->status == POINT_COMPLETED && sim_point_is_used(account->sim, point->arn))
            point->vanish_ms = now + HOURS(1);
        else
            point->status = POINT_GONE;
    }
}

/* ---- vaults ---- */

static bool find_vault(struct call *call, struct vault **ret)
{
    const char *name = call_text(call, "BackupVaultName");

    *ret = sim_vault_find(call->account, name);
    if (!*ret)
        return call_refuse(call, 400, "ResourceNotFoundException", "Backup vault %s cannot be found.", name);
    return true;
}

static struct json *vault_json(const struct call *call, const struct vault *vault)
{
    const struct backup_state *state = call_state(call);
    const struct kms_key *key = kms_find(call->account, vault->key_arn);
    struct json *out = json_new_object();
    int64_t points = 0;

    for (size_t i = 0; i < state->points.count; i++)
        points += state->points.items[i]->status != POINT_GONE &&
                  text_equal(state->points.items[i]->vault, vault->name);
    json_set_text(out, "BackupVaultName", vault->name);
    json_set_text(out, "BackupVaultArn", vault->arn);
    json_set_text(out, "VaultType", "BACKUP_VAULT");
    json_set_text(out, "VaultState", "AVAILABLE");
    json_set_text(out, "EncryptionKeyArn", vault->key_arn);
    json_set_text(out, "EncryptionKeyType",
                  key && kms_is_aws_managed(key) ? "AWS_OWNED_KMS_KEY" : "CUSTOMER_MANAGED_KMS_KEY");
    json_set(out, "CreationDate", call_time(call, vault->created_ms));
    json_set_int(out, "NumberOfRecoveryPoints", points);
    json_set_bool(out, "Locked", vault->min_days || vault->max_days);
    if (vault->min_days)
        json_set_int(out, "MinRetentionDays", vault->min_days);
    if (vault->max_days)
        json_set_int(out, "MaxRetentionDays", vault->max_days);
    return out;
}

bool sim_backup_describe_vault(struct call *call)
{
    struct vault *vault = NULL;

    if (!find_vault(call, &vault))
        return false;
    json_free(call->out);
    call->out = vault_json(call, vault);
    return true;
}

static const struct page_rule page_rule = {
    .size_member = "maxResults",
    .token_member = "nextToken",
    .out_member = "NextToken",
    .min = 1,
    .max = 1000,
    .otherwise = 1000,
    .error = "InvalidParameterValueException",
};

bool sim_backup_list_vaults(struct call *call)
{
    const struct backup_state *state = call_state(call);
    struct json *list = json_new_array();
    size_t first = 0, count = 0;

    json_set(call->out, "BackupVaultList", list);
    if (!call_page(call, &page_rule, state->vaults.count, &first, &count))
        return false;
    for (size_t i = first; i < first + count; i++)
        json_append(list, vault_json(call, &state->vaults.items[i]));
    return true;
}

bool sim_backup_get_policy(struct call *call)
{
    struct vault *vault = NULL;

    if (!find_vault(call, &vault))
        return false;
    if (!vault->policy)
        return call_refuse(call, 400, "ResourceNotFoundException",
                           "Resource policy does not exist for vault %s", vault->name);
    AUTO_FREE char *text = json_to_text(vault->policy);
    json_set_text(call->out, "BackupVaultName", vault->name);
    json_set_text(call->out, "BackupVaultArn", vault->arn);
    json_set_text(call->out, "Policy", text);
    return true;
}

/* No wildcards in an action, and nothing but AWS Backup's actions. */
static bool is_policy_action(const struct json *action)
{
    const char *text = json_get_text(action, NULL, "");

    return str_starts(str_of(text), "backup:") && !strchr(text, '*');
}

static bool are_statements_fine(const struct json *policy)
{
    const struct json *statements = json_member(policy, "Statement");

    if (!json_is(statements, JSON_ARRAY))
        return false;
    json_each (statement, statements) {
        const struct json *actions = json_member(statement, "Action");

        if (json_is(actions, JSON_STRING) && !is_policy_action(actions))
            return false;
        if (json_is(actions, JSON_ARRAY))
            json_each (action, actions)
                if (!is_policy_action(action))
                    return false;
        if (!actions || !json_member(statement, "Principal") || !json_member(statement, "Effect"))
            return false;
    }
    return true;
}

bool sim_backup_put_policy(struct call *call)
{
    const struct json_limits limits = {.max_bytes = MAX_POLICY};
    AUTO_JSON struct json *policy = NULL;
    struct vault *vault = NULL;

    if (!find_vault(call, &vault))
        return false;
    struct err *err = json_parse(str_of(call_text(call, "Policy")), &limits, &policy);
    if (err || !are_statements_fine(policy)) {
        err_ignore(err, "the caller is told that it is malformed");
        return call_refuse(call, 400, "InvalidParameterValueException",
                           "The policy is malformed: it needs statements with an effect, a principal and "
                           "actions of AWS Backup "
                           "without wildcards");
    }
    json_free(vault->policy);
    vault->policy = TAKE(policy);
    call_effect(call, EFFECT_CHANGED, vault->arn);
    return true;
}

/* ---- recovery points ---- */

static const char *const status_names[] = {"CREATING", "COMPLETED", "DELETING", "EXPIRED", "GONE"};

static struct json *point_json(const struct call *call, const struct point *point)
{
    struct json *out = json_new_object(), *lifecycle = json_new_object(), *calculated = json_new_object();
    const struct vault *vault = sim_vault_find(call->account, point->vault);

    json_set_text(out, "RecoveryPointArn", point->arn);
    json_set_text(out, "BackupVaultName", point->vault);
    json_set_text(out, "BackupVaultArn", vault ? vault->arn : NULL);
    json_set_text(out, "SourceBackupVaultArn", point->source_vault_arn);
    json_set_text(out, "ResourceArn", point->resource_arn);
    json_set_text(out, "ResourceType", point->kind->resource_type);
    json_set_text(out, "ResourceName", point->resource_name);
    json_set_text(out, "IamRoleArn", point->role_arn);
    json_set_text(out, "Status", status_names[point->status]);
    if (point->status == POINT_EXPIRED)
        json_set_text(out, "StatusMessage",
                      "AWS Backup does not have permission to delete the recovery point");
    json_set(out, "CreationDate", call_time(call, point->created_ms));
    if (point->completed_ms)
        json_set(out, "CompletionDate", call_time(call, point->completed_ms));
    /* Not filled in for Aurora. */
    if (text_equal(point->kind->resource_type, "DynamoDB"))
        json_set_int(out, "BackupSizeInBytes", point->size_bytes);
    json_set_bool(out, "IsEncrypted", point->is_encrypted);
    json_set_text(out, "EncryptionKeyArn", point->key_arn);
    if (point->delete_after_days) {
        json_set_int(lifecycle, "DeleteAfterDays", point->delete_after_days);
        json_set(calculated, "DeleteAt", call_time(call, point->delete_at_ms));
    }
    json_set(out, "Lifecycle", lifecycle);
    json_set(out, "CalculatedLifecycle", calculated);
    json_set_text(out, "VaultType", "BACKUP_VAULT");
    return out;
}

static bool find_point(struct call *call, struct vault **ret_vault, struct point **ret)
{
    const char *arn = call_text(call, "RecoveryPointArn");

    if (!find_vault(call, ret_vault))
        return false;
    *ret = sim_point_find(call->account, (*ret_vault)->name, arn);
    if (!*ret)
        return call_refuse(call, 400, "ResourceNotFoundException", "Cannot find recovery point: %s", arn);
    return true;
}

bool sim_backup_describe_point(struct call *call)
{
    struct vault *vault = NULL;
    struct point *point = NULL;

    if (!find_point(call, &vault, &point))
        return false;
    json_free(call->out);
    call->out = point_json(call, point);
    json_set_text(call->out, "StorageClass", "WARM");
    return true;
}

static bool is_listed(const struct call *call, const struct point *point)
{
    const char *resource = call_text(call, "resourceArn"), *type = call_text(call, "resourceType");
    int64_t before = NEVER_MS, after = INT64_MIN;

    if (call_has(call, "createdBefore"))
        time_parse(str_of(call_text(call, "createdBefore")), &before);
    if (call_has(call, "createdAfter"))
        time_parse(str_of(call_text(call, "createdAfter")), &after);
    return point->status != POINT_GONE && text_equal(point->vault, call_text(call, "BackupVaultName")) &&
           (!resource || text_equal(resource, point->resource_arn)) &&
           (!type || text_equal(type, point->kind->resource_type)) && !call_has(call, "backupPlanId") &&
           !call_has(call, "parentRecoveryPointArn") && point->created_ms < before &&
           point->created_ms > after;
}

bool sim_backup_list_points(struct call *call)
{
    const struct backup_state *state = call_state(call);
    struct json *list = json_new_array();
    struct vault *vault = NULL;
    size_t total = 0, first = 0, count = 0, index = 0;

    json_set(call->out, "RecoveryPoints", list);
    if (!find_vault(call, &vault))
        return false;
    for (size_t i = 0; i < state->points.count; i++)
        total += is_listed(call, state->points.items[i]);
    if (!call_page(call, &page_rule, total, &first, &count))
        return false;
    for (size_t i = 0; i < state->points.count; i++) {
        if (!is_listed(call, state->points.items[i]))
            continue;
        if (index >= first && index < first + count)
            json_append(list, point_json(call, state->points.items[i]));
        index++;
    }
    return true;
}

bool sim_backup_delete_point(struct call *call)
{
    struct vault *vault = NULL;
    struct point *point = NULL;

    if (!find_point(call, &vault, &point))
        return false;
    if (point->status == POINT_CREATING || point->status == POINT_DELETING ||
        sim_point_is_used(call->sim, point->arn))
        return call_refuse(call, 400, "InvalidResourceStateException",
                           "Recovery point %s is being used by another action", point->arn);
    if (vault->min_days || vault->max_days)
        return call_refuse(call, 400, "InvalidRequestException",
                           "Backup vault %s is locked: its recovery points cannot be deleted by hand",
                           vault->name);
    if (vault->delete_fails) {
        point->status = POINT_EXPIRED;
        point->vanish_ms = NEVER_MS;
    } else {
        point->status = POINT_DELETING;
        point->gone_ms = call->now_ms + sim_duration(call->sim, "backup.delete");
    }
    call_effect(call, EFFECT_CHANGED, point->arn);
    return true;
}

bool sim_backup_restore_metadata(struct call *call)
{
    struct vault *vault = NULL;
    struct point *point = NULL;

    if (!find_point(call, &vault, &point))
        return false;
    if (!point->snapshot)
        return call_refuse(call, 400, "InvalidResourceStateException", "Recovery point %s is being created",
                           point->arn);
    json_set_text(call->out, "BackupVaultArn", vault->arn);
    json_set_text(call->out, "RecoveryPointArn", point->arn);
    json_set(call->out, "RestoreMetadata", point->kind->restore_metadata(point->snapshot));
    json_set_text(call->out, "ResourceType", point->kind->resource_type);
    return true;
}

/* ---- tags ---- */

struct json *sim_point_tags(const struct account *account, const char *arn)
{
    struct point *point = sim_point_find(account, NULL, arn);

    return point ? point->tags : NULL;
}

/* The tags of a vault or a recovery point. Those of a recovery point that another service keeps are that
 * service's: with such an ARN AWS "may return one of the exceptions" of the call, so here it always does.
 * https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListTags.html */
static bool find_tags(struct call *call, struct json **ret)
{
    const char *arn = call_text(call, "ResourceArn");
    struct account *owner = NULL;
    struct arn parts;

    if (!sim_arn_parse(arn, &parts) || !str_is(parts.service, "backup"))
        return call_refuse(call, 400, "InvalidParameterValueException",
                           "%s is not fully managed by AWS Backup", arn);
    struct vault *vault = sim_vault_by_arn(call->sim, arn, &owner);
    struct point *point = sim_point_find(call->account, NULL, arn);

    if (vault && owner == call->account)
        *ret = vault->tags;
    else if (point)
        *ret = point->tags;
    else
        return call_refuse(call, 400, "ResourceNotFoundException", "%s cannot be found.", arn);
    return true;
}

bool sim_backup_list_tags(struct call *call)
{
    struct json *tags = NULL;

    if (!find_tags(call, &tags))
        return false;
    json_set_copy(call->out, "Tags", tags);
    return true;
}

bool sim_backup_tag(struct call *call)
{
    struct json *tags = NULL;
    size_t count = 0;

    if (!find_tags(call, &tags))
        return false;
    json_each (tag, json_member(call->input, "Tags"))
        count += !json_member(tags, json_key(tag));
    if (json_count(tags) + count > MAX_TAGS)
        return call_refuse(call, 400, "LimitExceededException", "A resource has at most %d tags", MAX_TAGS);
    json_each (tag, json_member(call->input, "Tags"))
        json_set_copy(tags, json_key(tag), tag);
    call_effect(call, EFFECT_CHANGED, call_text(call, "ResourceArn"));
    return true;
}

bool sim_backup_untag(struct call *call)
{
    struct json *tags = NULL;

    if (!find_tags(call, &tags))
        return false;
    json_each (key, json_member(call->input, "TagKeyList"))
        json_remove(tags, json_get_text(key, NULL, ""));
    call_effect(call, EFFECT_CHANGED, call_text(call, "ResourceArn"));
    return true;
}
