/* What the owner of an account sets up in AWS Backup: vaults, and which types it may carry. */
#include "hack/awssim/backup_priv.h"

#define VAULTS_MAX 300

/* ---- CreateBackupVault ---- */

static bool is_vault_name(const char *name)
{
    size_t len = strlen(name);

    return len >= 2 && len <= 50 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

static bool refuse_twin(struct call *call, const struct vault *twin)
{
    call_error_member(call, "Arn", twin->arn);
    call_error_member(call, "CreatorRequestId", twin->creator_request_id);
    return call_refuse(call, 400, "AlreadyExistsException", "Backup vault with the same name already exists");
}

/* The key of another account will do, the name of a key will not. False: refused. */
static bool find_key(struct call *call, const struct kms_key **ret)
{
    const char *wanted = call_text(call, "EncryptionKeyArn");
    struct arn arn;

    if (wanted &&
        (!sim_arn_parse(wanted, &arn) || !str_is(arn.service, "kms") || !str_starts(arn.resource, "key/")))
        return call_refuse(call, 400, "InvalidParameterValueException",
                           "EncryptionKeyArn must be the ARN of a key: %s", wanted);
    *ret = kms_find(call->account, wanted ? wanted : "alias/aws/backup");
    if (!*ret)
        return call_refuse(call, 400, "InvalidParameterValueException", "There is no key %s", wanted);
    AUTO_FREE char *unusable = kms_why_unusable(call->account, kms_arn(*ret));
    return !unusable || call_refuse(call, 400, "InvalidParameterValueException", "%s", unusable);
}

/* What came again with its request's id is answered again; it is refused when the vault was another's. */
static bool answer_twin(struct call *call, const struct vault *twin)
{
    const char *id = call_text(call, "CreatorRequestId");

    if (!id || !text_equal(id, twin->creator_request_id))
        return refuse_twin(call, twin);
    call_effect(call, EFFECT_REPLAYED, twin->arn);
    return true;
}

static void answer(const struct call *call, const struct vault *vault)
{
    json_set_text(call->out, "BackupVaultName", vault->name);
    json_set_text(call->out, "BackupVaultArn", vault->arn);
    json_set(call->out, "CreationDate", call_time(call, vault->created_ms));
}

bool sim_backup_create_vault(struct call *call)
{
    struct backup_state *state = call_state(call);
    const char *name = call_text(call, "BackupVaultName");
    const struct vault *twin = sim_vault_find(call->account, name);
    const struct json *tags = json_member(call->input, "BackupVaultTags");
    const struct kms_key *key = NULL;

    if (!is_vault_name(name))
        return call_refuse(call, 400, "InvalidParameterValueException", "Invalid name of a vault: %s", name);
    if (twin) {
        answer(call, twin);
        return answer_twin(call, twin);
    }
    if (state->vaults.count >= VAULTS_MAX)
        return call_refuse(call, 400, "LimitExceededException", "The limit of %d backup vaults is reached",
                           VAULTS_MAX);
    if (!find_key(call, &key))
        return false;
    struct vault *vault = LIST_ADD(state->vaults);
    *vault = (struct vault){.name = xstrdup(name),
                            .arn = account_arn(call->account, "backup", "backup-vault:%s", name),
                            .key_arn = xstrdup(kms_arn(key)),
                            .creator_request_id = xstrdup_or_null(call_text(call, "CreatorRequestId")),
                            .tags = tags ? json_copy(tags) : json_new_object(),
                            .created_ms = call->now_ms};
    answer(call, vault);
    call_effect(call, EFFECT_CREATED, vault->arn);
    return true;
}

/* ---- UpdateRegionSettings ---- */

static bool are_booleans(const struct json *map)
{
    json_each (item, map)
        if (!json_is(item, JSON_BOOL))
            return false;
    return true;
}

/* Types that the map does not name stay as they are. */
static struct json *changed(const struct json *types, const struct json *map)
{
    struct json *out = json_new_array();

    json_each (type, types)
        if (!json_member(map, json_get_text(type, NULL, "")))
            json_append_text(out, json_get_text(type, NULL, ""));
    json_each (item, map)
        if (json_get_bool(item, NULL, false))
            json_append_text(out, json_key(item));
    return out;
}

static void change(struct json **types, const struct json *map)
{
    struct json *old = *types;

    *types = changed(old, map);
    json_free(old);
}

bool sim_backup_update_region_settings(struct call *call)
{
    struct backup_state *state = call_state(call);
    const struct json *opt_in = json_member(call->input, "ResourceTypeOptInPreference");
    const struct json *management = json_member(call->input, "ResourceTypeManagementPreference");

    if (!are_booleans(opt_in) || !are_booleans(management))
        return call_refuse(call, 400, "InvalidParameterValueException",
                           "A preference is true or false for each resource type");
    change(&state->opt_in, opt_in);
    change(&state->full_management, management);
    return true;
}
