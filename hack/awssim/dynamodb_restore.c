/* What AWS Backup does with tables. A restored table has the items, keys, indexes and capacity of its source,
 * and none of its tags, stream, time to live, point-in-time recovery and deletion protection. */
#include "hack/awssim/dynamodb.h"

static bool owns(const char *text)
{
    struct arn arn;

    return sim_arn_parse(text, &arn) && str_is(arn.service, "dynamodb") && str_starts(arn.resource, "table/");
}

static bool source(const struct account *account, const char *arn, struct backup_source *ret)
{
    const struct dynamodb_state *state = sim_dynamodb_state(account);
    const struct table *table = owns(arn) ? sim_table(state, arn) : NULL;

    if (!table)
        return false;
    const char *status = sim_table_status(state, table);
    *ret = (struct backup_source){.backupable = text_equal(status, "ACTIVE"),
                                  .state = status,
                                  .encrypted = true,
                                  .kms_key_arn = table->kms_key,
                                  .size_bytes = table->size_bytes,
                                  .name = table->name};
    return true;
}

static struct json *snapshot(const struct account *account, const char *arn)
{
    const struct table *table = sim_table(sim_dynamodb_state(account), arn);
    struct json *kept = NULL;

    if (!table)
        return NULL;
    kept = json_new_object();
    json_set_text(kept, "tableArn", table->arn);
    json_set_text(kept, "tableName", table->name);
    json_set_copy(kept, "attributes", table->attributes);
    json_set_copy(kept, "keys", table->keys);
    json_set_copy(kept, "localIndexes", table->local_indexes);
    json_set_copy(kept, "indexes", table->indexes);
    json_set_bool(kept, "onDemand", table->on_demand);
    json_set_bool(kept, "infrequent", table->infrequent);
    json_set_int(kept, "readUnits", table->read_units);
    json_set_int(kept, "writeUnits", table->write_units);
    json_set_int(kept, "items", table->items);
    json_set_int(kept, "sizeBytes", table->size_bytes);
    json_set_text(kept, "kmsKey", table->kms_key);
    return kept;
}

static struct json *restore_metadata(const struct json *kept)
{
    struct json *metadata = json_new_object();
    const char *key = json_get_text(kept, "kmsKey", NULL);

    json_set_text(metadata, "originalTableName", json_get_text(kept, "tableName", NULL));
    json_set_text(metadata, "encryptionType", key ? "KMS" : "Default");
    json_set_text(metadata, "kmsMasterKeyArn", key);
    return metadata;
}

/* ---- the metadata, keys in any case ---- */

static const char *const known_keys[] = {"targetTableName", "originalTableName", "encryptionType",
                                         "kmsMasterKeyArn", "aws:backup:request-id"};

static const char *value_of(const struct json *metadata, const char *key)
{
    json_each (item, metadata)
        if (str_equal_nocase(str_of(json_key(item)), str_of(key)))
            return json_get_text(item, NULL, "");
    return NULL;
}

static char *key_name_fault(const struct json *metadata)
{
    json_each (item, metadata) {
        bool known = false;

        for (size_t i = 0; i < COUNT_OF(known_keys); i++)
            known = known || str_equal_nocase(str_of(json_key(item)), str_of(known_keys[i]));
        if (!known)
            return xasprintf("The restore metadata is invalid: unknown key %s", json_key(item));
    }
    return NULL;
}

struct wanted_encryption {
    enum table_encryption type;
    const char *key; /* NULL: the account's aws/dynamodb */
};

/* Without encryptionType the source's key is tried: across accounts that works only if it is shared. */
static char *read_encryption(const struct restore_request *request, struct wanted_encryption *ret)
{
    const char *type = value_of(request->metadata, "encryptionType"),
               *key = value_of(request->metadata, "kmsMasterKeyArn");
    const char *source_key = json_get_text(request->snapshot, "kmsKey", NULL);

    *ret = (struct wanted_encryption){.type = ENCRYPTED_BY_AWS};
    if (!type && !key && source_key)
        *ret = (struct wanted_encryption){.type = ENCRYPTED_CUSTOMER, .key = source_key};
    else if (str_equal_nocase(str_of(type), STR("KMS")))
        *ret = (struct wanted_encryption){.type = key ? ENCRYPTED_CUSTOMER : ENCRYPTED_MANAGED, .key = key};
    else if (type && !str_equal_nocase(str_of(type), STR("Default")))
        return xasprintf("The restore metadata is invalid: encryptionType must be Default or KMS, not %s",
                         type);
    else if (key)
        return xstrdup("The restore metadata is invalid: kmsMasterKeyArn goes with encryptionType KMS");
    if (!ret->key)
        return NULL;
    AUTO_FREE char *why = kms_why_unusable(request->account, ret->key);
    return why ? xasprintf("KMS validation error: %s", why) : NULL;
}

static char *find_fault(const struct restore_request *request, struct wanted_encryption *ret)
{
    const char *name = value_of(request->metadata, "targetTableName");
    char *fault = key_name_fault(request->metadata);

    if (fault)
        return fault;
    if (request->copy_source_tags)
        return xstrdup("Copying tags to the restored resource is not supported for DynamoDB");
    if (text_is_empty(name))
        return xstrdup("The restore metadata is invalid: targetTableName is required");
    if (!sim_table_is_name(name))
        return xasprintf("The restore metadata is invalid: %s is no name of a table", name);
    if (sim_table(sim_dynamodb_state(request->account), name))
        return xasprintf("Table already exists: %s", name);
    return read_encryption(request, ret);
}

/* ---- restoring ---- */

static void copy_over(const struct json *kept, const char *name, struct json **slot)
{
    json_free(*slot);
    *slot = json_copy(json_member(kept, name));
}

static char *restore(const struct restore_request *request, char **ret_failure)
{
    struct dynamodb_state *state = sim_dynamodb_state(request->account);
    const struct json *kept = request->snapshot;
    struct wanted_encryption encryption;

    *ret_failure = find_fault(request, &encryption);
    if (*ret_failure)
        return NULL;
    struct table *table = sim_table_add(state, value_of(request->metadata, "targetTableName"));
    copy_over(kept, "attributes", &table->attributes);
    copy_over(kept, "keys", &table->keys);
    copy_over(kept, "localIndexes", &table->local_indexes);
    copy_over(kept, "indexes", &table->indexes);
    table->on_demand = json_get_bool(kept, "onDemand", false);
    table->infrequent = json_get_bool(kept, "infrequent", false);
    table->read_units = json_get_int(kept, "readUnits", 0);
    table->write_units = json_get_int(kept, "writeUnits", 0);
    table->items = json_get_int(kept, "items", 0);
    table->size_bytes = json_get_int(kept, "sizeBytes", 0);
    table->source_table_arn = xstrdup(request->source_arn);
    table->source_backup_arn = xstrdup_or_null(request->recovery_point_arn);
    table->created_ms = request->now_ms;
    table->ready_ms = request->ready_ms;
    sim_table_encrypt(state, table, encryption.type, encryption.key);
    return xstrdup(table->arn);
}

const struct database_kind dynamodb_database_kind = {
    .resource_type = "DynamoDB",
    .duration_name = "dynamodb",
    .source = source,
    .snapshot = snapshot,
    .restore_metadata = restore_metadata,
    .restore = restore,
    .owns = owns,
};
