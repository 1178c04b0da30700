#include "hack/awssim/dynamodb.h"

#include <ctype.h>

/* ---- tables ---- */

struct dynamodb_state *sim_dynamodb_state(const struct account *account)
{
    return account_state(account, &dynamodb_service);
}

struct table *sim_table_add(struct dynamodb_state *state, const char *name)
{
    struct table *table = xcalloc(1, sizeof(*table));

    state->tables = xgrow(state->tables, state->count, sizeof(struct table *));
    state->tables[state->count++] = table;
    table->name = xstrdup(name);
    table->arn = account_arn(state->account, "dynamodb", "table/%s", name);
    table->id = sim_new_uuid(state->account->sim);
    table->attributes = json_new_array();
    table->keys = json_new_array();
    table->local_indexes = json_new_array();
    table->indexes = json_new_array();
    table->tags = json_new_object();
    table->pitr_days = 35;
    return table;
}

struct table *sim_table(const struct dynamodb_state *state, const char *name)
{
    for (size_t i = 0; i < state->count; i++)
        if (text_equal(state->tables[i]->name, name) || text_equal(state->tables[i]->arn, name))
            return state->tables[i];
    return NULL;
}

struct table *sim_table_or_refuse(struct call *call, const char *member, const char *code)
{
    const char *name = call_text(call, member);
    struct table *table = sim_table(call_state(call), name);

    call_effect(call, EFFECT_CHANGED, table ? table->arn : name);

    if (table && call->now_ms >= table->created_ms + sim_duration(call->sim, "dynamodb.visible"))
        return table;
    if (text_equal(code, "TableNotFoundException"))
        call_refuse(call, 400, code, "Table not found: %s", name);
    else
        call_refuse(call, 400, code, "Requested resource not found: Table: %s not found", name);
    return NULL;
}

bool sim_table_is_name(const char *name)
{
    size_t len = strlen(name);

    if (len < 3 || len > 255)
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
            return false;
    return true;
}

const char *sim_table_status(const struct dynamodb_state *state, const struct table *table)
{
    int64_t now_ms = sim_now(state->account->sim);

    if (table->gone_ms)
        return "DELETING";
    if (now_ms < table->ready_ms)
        return "CREATING";
    if (table->status)
        return table->status;
    return now_ms < table->busy_until_ms ? "UPDATING" : "ACTIVE";
}

bool sim_table_is(const struct call *call, const struct table *table, const char *status)
{
    return text_equal(sim_table_status(call_state(call), table), status);
}

void sim_table_encrypt(struct dynamodb_state *state, struct table *table, enum table_encryption encryption,
                       const char *key)
{
    const struct kms_key *known = kms_find(state->account, key ? key : "alias/aws/dynamodb");

    xfree(TAKE(table->kms_key));
    table->encryption = encryption;
    if (encryption == ENCRYPTED_BY_AWS)
        return;
    AUTO_FREE char *uuid = sim_new_uuid(state->account->sim);
    table->kms_key = known ? xstrdup(kms_arn(known)) : account_arn(state->account, "kms", "key/%s", uuid);
}

/* ---- their shape ---- */

struct json *sim_throughput(int64_t read_units, int64_t write_units)
{
    struct json *wire = json_new_object();

    json_set_int(wire, "ReadCapacityUnits", read_units);
    json_set_int(wire, "WriteCapacityUnits", write_units);
    return wire;
}

static struct json *time_wire(int64_t world_ms)
{
    return json_new_number((double)world_ms / 1000.0);
}

static struct json *table_throughput(int64_t read_units, int64_t write_units)
{
    struct json *wire = sim_throughput(read_units, write_units);

    json_set_int(wire, "NumberOfDecreasesToday", 0);
    return wire;
}

/* A restored table's indexes follow it after a while. */
static const char *index_status(const struct dynamodb_state *state, const struct table *table)
{
    const struct sim *sim = state->account->sim;
    bool building =
        table->source_table_arn && sim_now(sim) < table->ready_ms + sim_duration(sim, "dynamodb.indexes");

    if (sim_now(sim) < table->ready_ms || building)
        return "CREATING";
    return table->gone_ms ? "DELETING" : "ACTIVE";
}

static struct json *indexes_wire(const struct dynamodb_state *state, const struct table *table,
                                 const struct json *list, bool global)
{
    struct json *wire = json_new_array();

    json_each (item, list) {
        struct json *index = json_copy(item);
        AUTO_FREE char *arn = xasprintf("%s/index/%s", table->arn, json_get_text(item, "IndexName", ""));

        json_set_text(index, "IndexArn", arn);
        json_set_int(index, "ItemCount", table->items);
        if (global)
            json_set_text(index, "IndexStatus", index_status(state, table));
        json_append(wire, index);
    }
    return wire;
}

static void put_billing(const struct table *table, struct json *wire)
{
    struct json *billing = json_new_object();

    json_set(wire, "ProvisionedThroughput",
             table_throughput(table->on_demand ? 0 : table->read_units,
                              table->on_demand ? 0 : table->write_units));
    if (!table->on_demand) { /* never was on demand: AWS leaves the summary out */
        json_free(billing);
        return;
    }
    json_set_text(billing, "BillingMode", "PAY_PER_REQUEST");
    json_set(wire, "BillingModeSummary", billing);
}

static void put_stream(const struct table *table, struct json *wire)
{
    char stamp[TIME_TEXT_MAX];

    if (!table->stream_ms)
        return;
    time_rfc3339_ms(table->stream_ms, stamp);
    stamp[strlen(stamp) - 1] = '\0'; /* a label has no zone */
    AUTO_FREE char *arn = xasprintf("%s/stream/%s", table->arn, stamp);
    json_set_text(wire, "LatestStreamLabel", stamp);
    json_set_text(wire, "LatestStreamArn", arn);
    if (!table->stream_view)
        return;
    struct json *stream = json_new_object();
    json_set_bool(stream, "StreamEnabled", true);
    json_set_text(stream, "StreamViewType", table->stream_view);
    json_set(wire, "StreamSpecification", stream);
}

static void put_encryption(const struct table *table, struct json *wire)
{
    if (table->encryption == ENCRYPTED_BY_AWS)
        return;
    struct json *sse = json_new_object();

    json_set_text(sse, "Status", "ENABLED");
    json_set_text(sse, "SSEType", "KMS");
    json_set_text(sse, "KMSMasterKeyArn", table->kms_key);
    json_set(wire, "SSEDescription", sse);
}

static void put_restore(const struct dynamodb_state *state, const struct table *table, struct json *wire)
{
    if (!table->source_table_arn)
        return;
    struct json *restore = json_new_object();

    json_set_text(restore, "SourceBackupArn", table->source_backup_arn);
    json_set_text(restore, "SourceTableArn", table->source_table_arn);
    json_set(restore, "RestoreDateTime", time_wire(table->created_ms));
    json_set_bool(restore, "RestoreInProgress", sim_now(state->account->sim) < table->ready_ms);
    json_set(wire, "RestoreSummary", restore);
}

struct json *sim_table_wire(const struct dynamodb_state *state, const struct table *table)
{
    struct json *wire = json_new_object(), *class = json_new_object();

    json_set_copy(wire, "AttributeDefinitions", table->attributes);
    json_set_text(wire, "TableName", table->name);
    json_set_copy(wire, "KeySchema", table->keys);
    json_set_text(wire, "TableStatus", sim_table_status(state, table));
    json_set(wire, "CreationDateTime", time_wire(table->created_ms));
    put_billing(table, wire);
    json_set_int(wire, "TableSizeBytes", table->size_bytes);
    json_set_int(wire, "ItemCount", table->items);
    json_set_text(wire, "TableArn", table->arn);
    json_set_text(wire, "TableId", table->id);
    if (json_count(table->local_indexes))
        json_set(wire, "LocalSecondaryIndexes", indexes_wire(state, table, table->local_indexes, false));
    if (json_count(table->indexes))
        json_set(wire, "GlobalSecondaryIndexes", indexes_wire(state, table, table->indexes, true));
    put_stream(table, wire);
    put_restore(state, table, wire);
    put_encryption(table, wire);
    json_set_text(class, "TableClass", table->infrequent ? "STANDARD_INFREQUENT_ACCESS" : "STANDARD");
    json_set(wire, "TableClassSummary", class);
    json_set_bool(wire, "DeletionProtectionEnabled", table->deletion_protection);
    return wire;
}

/* ---- the service ---- */

static void table_free(struct table *table)
{
    char *texts[] = {table->name,
                     table->arn,
                     table->id,
                     table->kms_key,
                     table->stream_view,
                     table->ttl_attribute,
                     table->status,
                     table->source_backup_arn,
                     table->source_table_arn};

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        xfree(texts[i]);
    json_free(table->attributes);
    json_free(table->keys);
    json_free(table->local_indexes);
    json_free(table->indexes);
    json_free(table->tags);
    xfree(table);
}

static void advance(struct account *account)
{
    struct dynamodb_state *state = sim_dynamodb_state(account);

    for (size_t i = state->count; i-- > 0;) {
        if (!state->tables[i]->gone_ms || sim_now(account->sim) < state->tables[i]->gone_ms)
            continue;
        table_free(state->tables[i]);
        state->count--;
        memmove(&state->tables[i], &state->tables[i + 1], (state->count - i) * sizeof(struct table *));
    }
}

static struct json *dump(struct account *account)
{
    const struct dynamodb_state *state = sim_dynamodb_state(account);
    struct json *all = json_new_object(), *tables = json_new_array();

    for (size_t i = 0; i < state->count; i++) {
        const struct table *table = state->tables[i];
        struct json *one = sim_table_wire(state, table);

        json_set_text(one, "timeToLive", table->ttl_enabled ? table->ttl_attribute : NULL);
        json_set_bool(one, "pointInTimeRecovery", table->pitr);
        json_set_copy(one, "tags", table->tags);
        json_append(tables, one);
    }
    json_set(all, "tables", tables);
    return all;
}

static void done(struct account *account)
{
    struct dynamodb_state *state = sim_dynamodb_state(account);

    for (size_t i = 0; i < state->count; i++)
        table_free(state->tables[i]);
    xfree(state->tables);
}

static const struct operation operations[] = {
    {.name = "DescribeTable", .handle = sim_dynamodb_describe_table, .input = "TableName!"},
    {.name = "ListTables", .handle = sim_dynamodb_list_tables, .input = "ExclusiveStartTableName Limit:int"},
    {.name = "CreateTable",
     .handle = sim_dynamodb_create_table,
     .input =
         "TableName! AttributeDefinitions!:list KeySchema!:list BillingMode ProvisionedThroughput:object "
         "LocalSecondaryIndexes:list GlobalSecondaryIndexes:list StreamSpecification:object "
         "SSESpecification:object "
         "Tags:list TableClass DeletionProtectionEnabled:bool",
     .mutating = true},
    {.name = "UpdateTable",
     .handle = sim_dynamodb_update_table,
     .input =
         "TableName! AttributeDefinitions:list BillingMode ProvisionedThroughput:object "
         "StreamSpecification:object "
         "SSESpecification:object DeletionProtectionEnabled:bool TableClass GlobalSecondaryIndexUpdates:list",
     .mutating = true},
    {.name = "DeleteTable", .handle = sim_dynamodb_delete_table, .input = "TableName!", .mutating = true},
    {.name = "DescribeTimeToLive", .handle = sim_dynamodb_describe_ttl, .input = "TableName!"},
    {.name = "UpdateTimeToLive",
     .handle = sim_dynamodb_update_ttl,
     .input = "TableName! TimeToLiveSpecification!:object",
     .mutating = true},
    {.name = "DescribeContinuousBackups", .handle = sim_dynamodb_describe_backups, .input = "TableName!"},
    {.name = "UpdateContinuousBackups",
     .handle = sim_dynamodb_update_backups,
     .input = "TableName! PointInTimeRecoverySpecification!:object",
     .mutating = true},
    {.name = "TagResource", .handle = sim_dynamodb_tag, .input = "ResourceArn! Tags!:list", .mutating = true},
    {.name = "UntagResource",
     .handle = sim_dynamodb_untag,
     .input = "ResourceArn! TagKeys!:list",
     .mutating = true},
    {.name = "ListTagsOfResource", .handle = sim_dynamodb_list_tags, .input = "ResourceArn! NextToken"},
};

static const struct duration durations[] = {
    {.name = "dynamodb.visible", .default_ms = 0},
    {.name = "dynamodb.create", .default_ms = SECONDS(15)},
    {.name = "dynamodb.update", .default_ms = SECONDS(12)},
    {.name = "dynamodb.delete", .default_ms = SECONDS(30)},
    {.name = "dynamodb.indexes", .default_ms = SECONDS(10)},
    {.name = "dynamodb.timeToLive", .default_ms = MINUTES(1)},
    {.name = "dynamodb.timeToLiveLock", .default_ms = HOURS(1)},
    {.name = "dynamodb.continuousBackups", .default_ms = SECONDS(10)},
};

const struct service dynamodb_service = {
    .name = "dynamodb",
    .section = "dynamodb",
    .protocol = PROTOCOL_JSON,
    .target_prefix = "DynamoDB_20120810",
    .json_version = "1.0",
    .error_namespace = "com.amazonaws.dynamodb.v20120810",
    .crc32 = true,
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .durations = durations,
    .duration_count = COUNT_OF(durations),
    .state_size = sizeof(struct dynamodb_state),
    .load = sim_dynamodb_load,
    .check = sim_dynamodb_check,
    .advance = advance,
    .dump = dump,
    .done = done,
};
