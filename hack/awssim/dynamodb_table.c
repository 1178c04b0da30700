/* DescribeTable, ListTables, CreateTable, DeleteTable. */
#include "hack/awssim/dynamodb.h"

bool sim_dynamodb_describe_table(struct call *call)
{
    const struct table *table = sim_table_or_refuse(call, "TableName", "ResourceNotFoundException");

    if (!table)
        return false;
    json_set(call->out, "Table", sim_table_wire(call_state(call), table));
    return true;
}

/* The name that comes next after `after` (NULL: the first), in the order of names. */
static const char *next_name(const struct dynamodb_state *state, const char *after)
{
    const char *best = NULL;

    for (size_t i = 0; i < state->count; i++) {
        const char *name = state->tables[i]->name;

        if ((!after || strcmp(name, after) > 0) && (!best || strcmp(name, best) < 0))
            best = name;
    }
    return best;
}

bool sim_dynamodb_list_tables(struct call *call)
{
    const struct dynamodb_state *state = call_state(call);
    int64_t limit = call_int(call, "Limit", 100);
    const char *name = next_name(state, call_text(call, "ExclusiveStartTableName")), *last = NULL;

    if (limit < 1 || limit > 100)
        return call_refuse(call, 400, "ValidationException", "Limit must be between 1 and 100");
    struct json *names = json_new_array();
    for (; name && limit > 0; limit--, name = next_name(state, name)) {
        json_append_text(names, name);
        last = name;
    }
    json_set(call->out, "TableNames", names);
    if (name)
        json_set_text(call->out, "LastEvaluatedTableName", last);
    return true;
}

/* ---- CreateTable ---- */

static bool check_create(struct call *call)
{
    const char *name = call_text(call, "TableName");
    bool on_demand = text_equal(call_text(call, "BillingMode"), "PAY_PER_REQUEST");

    if (!sim_table_is_name(name))
        return call_refuse(call, 400, "ValidationException",
                           "TableName must be 3 to 255 characters of a-z, A-Z, 0-9, '_', '-' and '.'");
    if (sim_table(call_state(call), name))
        return call_refuse(call, 400, "ResourceInUseException", "Table already exists: %s", name);
    if (on_demand == call_has(call, "ProvisionedThroughput"))
        return call_refuse(
            call, 400, "ValidationException",
            on_demand
                ? "One or more parameter values were invalid: Neither ReadCapacityUnits nor "
                  "WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
                : "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must "
                  "both be specified when BillingMode is PROVISIONED");
    return true;
}

static void copy_list(const struct call *call, const char *member, struct json **slot)
{
    const struct json *list = call_list(call, member);

    if (!list)
        return;
    json_free(*slot);
    *slot = json_copy(list);
}

static void fill(struct call *call, struct table *table)
{
    copy_list(call, "AttributeDefinitions", &table->attributes);
    copy_list(call, "KeySchema", &table->keys);
    copy_list(call, "LocalSecondaryIndexes", &table->local_indexes);
    copy_list(call, "GlobalSecondaryIndexes", &table->indexes);
    table->on_demand = text_equal(call_text(call, "BillingMode"), "PAY_PER_REQUEST");
    table->read_units = call_int(call, "ProvisionedThroughput.ReadCapacityUnits", 0);
    table->write_units = call_int(call, "ProvisionedThroughput.WriteCapacityUnits", 0);
    table->infrequent = text_equal(call_text(call, "TableClass"), "STANDARD_INFREQUENT_ACCESS");
    table->deletion_protection = call_bool(call, "DeletionProtectionEnabled", false);
    if (call_bool(call, "StreamSpecification.StreamEnabled", false)) {
        table->stream_view = xstrdup(call_text(call, "StreamSpecification.StreamViewType"));
        table->stream_ms = call->now_ms;
    }
    json_each (tag, call_list(call, "Tags"))
        json_set_text(table->tags, json_get_text(tag, "Key", ""), json_get_text(tag, "Value", ""));
}

bool sim_dynamodb_create_table(struct call *call)
{
    struct dynamodb_state *state = call_state(call);
    const char *key = call_text(call, "SSESpecification.KMSMasterKeyId");
    AUTO_FREE char *fault = key ? kms_why_unusable(call->account, key) : NULL;

    call_effect(call, EFFECT_CHANGED, call_text(call, "TableName"));

    if (fault)
        return call_refuse(call, 400, "ValidationException", "%s", fault);
    if (!check_create(call))
        return false;
    struct table *table = sim_table_add(state, call_text(call, "TableName"));
    fill(call, table);
    if (call_bool(call, "SSESpecification.Enabled", false))
        sim_table_encrypt(state, table, key ? ENCRYPTED_CUSTOMER : ENCRYPTED_MANAGED, key);
    table->created_ms = call->now_ms;
    table->ready_ms = call->now_ms + sim_duration(call->sim, "dynamodb.create");
    call_effect(call, EFFECT_CREATED, table->arn);
    json_set(call->out, "TableDescription", sim_table_wire(state, table));
    return true;
}

/* ---- DeleteTable ---- */

bool sim_dynamodb_delete_table(struct call *call)
{
    struct table *table = sim_table_or_refuse(call, "TableName", "ResourceNotFoundException");

    if (!table)
        return false;
    if (!sim_table_is(call, table, "ACTIVE"))
        return call_refuse(call, 400, "ResourceInUseException",
                           "Attempt to change a resource which is still in use: Table is in status %s: %s",
                           sim_table_status(call_state(call), table), table->name);
    if (table->deletion_protection)
        return call_refuse(
            call, 400, "ValidationException",
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
            "protection first.");
    table->gone_ms = call->now_ms + sim_duration(call->sim, "dynamodb.delete");
    call_effect(call, EFFECT_CHANGED, table->arn);
    json_set(call->out, "TableDescription", sim_table_wire(call_state(call), table));
    return true;
}
