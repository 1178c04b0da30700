/* UpdateTable: one kind of change at a time; the table is UPDATING for a while. */
#include "hack/awssim/dynamodb.h"

/* ---- billing and throughput ---- */

static bool update_billing(struct call *call, struct table *table)
{
    const char *mode = call_text(call, "BillingMode");
    bool on_demand = mode ? text_equal(mode, "PAY_PER_REQUEST") : table->on_demand;
    bool given = call_has(call, "ProvisionedThroughput");
    int64_t read = call_int(call, "ProvisionedThroughput.ReadCapacityUnits", table->read_units);
    int64_t write = call_int(call, "ProvisionedThroughput.WriteCapacityUnits", table->write_units);

    if (mode && !on_demand && !text_equal(mode, "PROVISIONED"))
        return call_refuse(call, 400, "ValidationException",
                           "BillingMode must be PROVISIONED or PAY_PER_REQUEST");
    if (given && on_demand)
        return call_refuse(call, 400, "ValidationException",
                           "One or more parameter values were invalid: Neither ReadCapacityUnits nor "
                           "WriteCapacityUnits can be "
                           "specified when BillingMode is PAY_PER_REQUEST");
    if (!on_demand && table->on_demand && !given)
        return call_refuse(call, 400, "ValidationException",
                           "One or more parameter values were invalid: ProvisionedThroughput must be "
                           "specified when BillingMode is "
                           "PROVISIONED");
    if (given && (read < 1 || write < 1))
        return call_refuse(call, 400, "ValidationException", "Capacity units must be at least 1");
    if (given && !table->on_demand && read == table->read_units && write == table->write_units && !mode)
        return call_refuse(call, 400, "ValidationException",
                           "The provisioned throughput for the table will not change. The requested value "
                           "equals the current "
                           "value.");
    table->on_demand = on_demand;
    table->read_units = on_demand ? 0 : read;
    table->write_units = on_demand ? 0 : write;
    return true;
}

/* ---- indexes ---- */

static struct json *index_find(struct table *table, const char *name, size_t *ret_number)
{
    size_t number = 0;

    json_each (item, table->indexes) {
        AUTO_FREE char *path = xasprintf("[%zu]", number);

        *ret_number = number++;
        if (text_equal(json_get_text(item, "IndexName", NULL), name))
            return json_edit(table->indexes, path);
    }
    return NULL;
}

static void index_drop(struct table *table, size_t number)
{
    struct json *kept = json_new_array();
    size_t i = 0;

    json_each (item, table->indexes)
        if (i++ != number)
            json_append(kept, json_copy(item));
    json_free(table->indexes);
    table->indexes = kept;
}

static bool update_index(struct call *call, struct table *table, const struct json *change)
{
    const struct json *drop = json_member(change, "Delete"), *update = json_member(change, "Update");
    const char *name = json_get_text(drop ? drop : update, "IndexName", "");
    size_t number = 0;
    struct json *index = index_find(table, name, &number);

    if (!drop && !update)
        return call_refuse(call, 400, "ValidationException",
                           "This simulator does not create indexes on existing tables");
    if (!index)
        return call_refuse(call, 400, "ResourceNotFoundException", "Requested resource not found: Index: %s",
                           name);
    if (drop)
        index_drop(table, number);
    else if (json_member(update, "ProvisionedThroughput"))
        json_set_copy(index, "ProvisionedThroughput", json_member(update, "ProvisionedThroughput"));
    return true;
}

static bool update_indexes(struct call *call, struct table *table)
{
    json_each (change, call_list(call, "GlobalSecondaryIndexUpdates"))
        if (!update_index(call, table, change))
            return false;
    return true;
}

/* ---- stream, encryption, flags ---- */

static bool is_view(const char *text)
{
    static const char *const views[] = {"NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"};

    for (size_t i = 0; i < COUNT_OF(views); i++)
        if (text_equal(views[i], text))
            return true;
    return false;
}

static bool update_stream(struct call *call, struct table *table)
{
    bool enable = call_bool(call, "StreamSpecification.StreamEnabled", false);
    const char *view = call_text(call, "StreamSpecification.StreamViewType");

    if (enable == (table->stream_view != NULL))
        return call_refuse(call, 400, "ValidationException",
                           enable ? "Table already has an enabled stream: TableName: %s"
                                  : "Table has no stream to disable: TableName: %s",
                           table->name);
    if (enable && !is_view(view))
        return call_refuse(call, 400, "ValidationException", "StreamViewType is missing or unknown");
    xfree(TAKE(table->stream_view));
    if (!enable)
        return true;
    table->stream_view = xstrdup(view);
    table->stream_ms = call->now_ms;
    return true;
}

static bool update_encryption(struct call *call, struct table *table)
{
    bool enable = call_bool(call, "SSESpecification.Enabled", false);
    const char *key = call_text(call, "SSESpecification.KMSMasterKeyId");
    AUTO_FREE char *fault = key ? kms_why_unusable(call->account, key) : NULL;

    if (fault)
        return call_refuse(call, 400, "ValidationException", "%s", fault);
    if (!enable && table->encryption == ENCRYPTED_BY_AWS)
        return call_refuse(
            call, 400, "ValidationException",
            "One or more parameter values were invalid: Table is already encrypted by default");
    if (!enable)
        sim_table_encrypt(call_state(call), table, ENCRYPTED_BY_AWS, NULL);
    else
        sim_table_encrypt(call_state(call), table, key ? ENCRYPTED_CUSTOMER : ENCRYPTED_MANAGED, key);
    return true;
}

static bool update_protection(struct call *call, struct table *table)
{
    table->deletion_protection = call_bool(call, "DeletionProtectionEnabled", false);
    return true;
}

static bool update_class(struct call *call, struct table *table)
{
    table->infrequent = text_equal(call_text(call, "TableClass"), "STANDARD_INFREQUENT_ACCESS");
    return true;
}

/* ---- the call ---- */

/* Kinds of change; BillingMode and ProvisionedThroughput, with the indexes' throughput, are one. */
static const struct {
    const char *member;
    int kind;
    bool (*apply)(struct call *call, struct table *table);
} kinds[] = {
    {.member = "BillingMode", .kind = 0, .apply = update_billing},
    {.member = "ProvisionedThroughput", .kind = 0, .apply = update_billing},
    {.member = "GlobalSecondaryIndexUpdates", .kind = 0, .apply = update_indexes},
    {.member = "StreamSpecification", .kind = 1, .apply = update_stream},
    {.member = "SSESpecification", .kind = 2, .apply = update_encryption},
    {.member = "DeletionProtectionEnabled", .kind = 3, .apply = update_protection},
    {.member = "TableClass", .kind = 4, .apply = update_class},
};

static bool check_update(struct call *call, const struct table *table)
{
    int seen = -1;

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!call_has(call, kinds[i].member))
            continue;
        if (seen >= 0 && seen != kinds[i].kind)
            return call_refuse(
                call, 400, "ValidationException",
                "One or more parameter values were invalid: only one kind of change can be made at a time");
        seen = kinds[i].kind;
    }
    if (seen < 0)
        return call_refuse(call, 400, "ValidationException",
                           "At least one of ProvisionedThroughput, BillingMode, "
                           "StreamSpecification, SSESpecification, TableClass, "
                           "DeletionProtectionEnabled or GlobalSecondaryIndexUpdates is required");
    if (sim_table_is(call, table, "ACTIVE"))
        return true;
    return call_refuse(call, 400, "ResourceInUseException",
                       "Attempt to change a resource which is still in use: Table is in status %s: %s",
                       sim_table_status(call_state(call), table), table->name);
}

static bool apply_all(struct call *call, struct table *table)
{
    bool (*last)(struct call *, struct table *) = NULL;

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!call_has(call, kinds[i].member) || kinds[i].apply == last)
            continue;
        last = kinds[i].apply;
        if (!last(call, table))
            return false;
    }
    return true;
}

bool sim_dynamodb_update_table(struct call *call)
{
    struct table *table = sim_table_or_refuse(call, "TableName", "ResourceNotFoundException");

    if (!table || !check_update(call, table))
        return false;
    AUTO_JSON struct json *before = sim_table_wire(call_state(call), table);
    if (!apply_all(call, table))
        return false;
    AUTO_JSON struct json *after = sim_table_wire(call_state(call), table);
    bool changed = !json_equal(before, after);
    if (changed)
        table->busy_until_ms = call->now_ms + sim_duration(call->sim, "dynamodb.update");
    call_effect(call, changed ? EFFECT_CHANGED : EFFECT_NONE, table->arn);
    json_set(call->out, "TableDescription", sim_table_wire(call_state(call), table));
    return true;
}
