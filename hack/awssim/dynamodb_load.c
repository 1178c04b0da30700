/* accounts[].dynamodb of the world file; docs-services.md describes the keys. */
#include "hack/awssim/dynamodb.h"

struct table_section {
    struct table table;
    char *name, *hash_key, *range_key, *billing, *encryption;
    const struct json *indexes, *local_indexes;
};

static const struct load_field table_fields[] = {
    {LOAD_FIELD(table_section, "name", LOAD_TEXT, name), .required = true},
    {LOAD_FIELD(table_section, "hashKey", LOAD_TEXT, hash_key), .required = true},
    {LOAD_FIELD(table_section, "rangeKey", LOAD_TEXT, range_key)},
    {LOAD_FIELD(table_section, "indexes", LOAD_LIST, indexes)},
    {LOAD_FIELD(table_section, "localIndexes", LOAD_LIST, local_indexes)},
    {LOAD_FIELD(table_section, "billingMode", LOAD_TEXT, billing), .choices = "PROVISIONED PAY_PER_REQUEST"},
    {LOAD_FIELD(table_section, "readUnits", LOAD_INT, table.read_units)},
    {LOAD_FIELD(table_section, "writeUnits", LOAD_INT, table.write_units)},
    {LOAD_FIELD(table_section, "encryption", LOAD_TEXT, encryption),
     .choices = "AWSOwned AWSManaged CustomerManaged"},
    {LOAD_FIELD(table_section, "key", LOAD_TEXT, table.kms_key)},
    {LOAD_FIELD(table_section, "stream", LOAD_TEXT, table.stream_view),
     .choices = "NEW_IMAGE OLD_IMAGE NEW_AND_OLD_IMAGES KEYS_ONLY"},
    {LOAD_FIELD(table_section, "timeToLive", LOAD_TEXT, table.ttl_attribute)},
    {LOAD_FIELD(table_section, "pointInTimeRecovery", LOAD_BOOL, table.pitr)},
    {LOAD_FIELD(table_section, "deletionProtection", LOAD_BOOL, table.deletion_protection)},
    {LOAD_FIELD(table_section, "infrequentAccess", LOAD_BOOL, table.infrequent)},
    {LOAD_FIELD(table_section, "items", LOAD_INT, table.items)},
    {LOAD_FIELD(table_section, "sizeBytes", LOAD_INT, table.size_bytes)},
    {LOAD_FIELD(table_section, "status", LOAD_TEXT, table.status)},
    {LOAD_FIELD(table_section, "created", LOAD_TIME, table.created_ms)},
    {LOAD_FIELD(table_section, "tags", LOAD_MAP, table.tags)},
};

/* ---- keys: "id:S" ---- */

static bool has_attribute(const struct json *attributes, const char *name)
{
    json_each (item, attributes)
        if (text_equal(json_get_text(item, "AttributeName", ""), name))
            return true;
    return false;
}

static struct err *add_key(const struct loader *loader, const struct json *node, const char *text,
                           const char *key_type, struct json *attributes, struct json *schema)
{
    struct str type = str_of(text), name = {0};

    if (!text)
        return NULL;
    if (!str_cut(&type, ':', &name) || !name.len ||
        (!str_is(type, "S") && !str_is(type, "N") && !str_is(type, "B")))
        return load_error(loader, node, "a key is written as name:S, name:N or name:B, not %s", text);
    AUTO_FREE char *name_text = str_dup(name);
    AUTO_FREE char *type_text = str_dup(type);
    struct json *key = json_new_object();
    json_set_text(key, "AttributeName", name_text);
    json_set_text(key, "KeyType", key_type);
    json_append(schema, key);
    if (has_attribute(attributes, name_text))
        return NULL;
    struct json *attribute = json_new_object();
    json_set_text(attribute, "AttributeName", name_text);
    json_set_text(attribute, "AttributeType", type_text);
    json_append(attributes, attribute);
    return NULL;
}

/* ---- indexes ---- */

struct index_section {
    char *name, *hash_key, *range_key;
    int64_t read_units, write_units;
};

static struct err *read_index(const struct loader *loader, const struct json *node, struct index_section *ret)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(index_section, "name", LOAD_TEXT, name), .required = true},
        {LOAD_FIELD(index_section, "hashKey", LOAD_TEXT, hash_key)},
        {LOAD_FIELD(index_section, "rangeKey", LOAD_TEXT, range_key)},
        {LOAD_FIELD(index_section, "readUnits", LOAD_INT, read_units)},
        {LOAD_FIELD(index_section, "writeUnits", LOAD_INT, write_units)},
    };

    return load_fields(loader, node, fields, COUNT_OF(fields), ret);
}

static struct json *index_wire(const struct index_section *section, struct json *schema, bool global)
{
    struct json *index = json_new_object(), *projection = json_new_object();

    json_set_text(projection, "ProjectionType", "ALL");
    json_set_text(index, "IndexName", section->name);
    json_set(index, "KeySchema", schema);
    json_set(index, "Projection", projection);
    if (global)
        json_set(index, "ProvisionedThroughput", sim_throughput(section->read_units, section->write_units));
    return index;
}

static struct err *load_index(const struct loader *loader, struct table *table, const struct json *node,
                              bool global)
{
    struct index_section section = {0};
    struct err *err = read_index(loader, node, &section);
    AUTO_FREE char *name = section.name;
    AUTO_FREE char *hash_key = section.hash_key;
    AUTO_FREE char *range_key = section.range_key;

    TRY(err);
    if (global != (hash_key != NULL))
        return load_error(loader, node, global ? "hashKey is required" : "hashKey is the table's");
    AUTO_JSON struct json *schema = json_new_array();
    if (!global)
        json_append(schema, json_copy(json_first(table->keys)));
    TRY(add_key(loader, node, hash_key, "HASH", table->attributes, schema));
    TRY(add_key(loader, node, range_key, "RANGE", table->attributes, schema));
    json_append(global ? table->indexes : table->local_indexes, index_wire(&section, TAKE(schema), global));
    return NULL;
}

/* ---- tables ---- */

static const struct {
    const char *name;
    enum table_encryption value;
} encryptions[] = {
    {.name = "AWSOwned", .value = ENCRYPTED_BY_AWS},
    {.name = "AWSManaged", .value = ENCRYPTED_MANAGED},
    {.name = "CustomerManaged", .value = ENCRYPTED_CUSTOMER},
};

static void settle(struct table *table, const struct table_section *section)
{
    table->on_demand = text_equal(section->billing, "PAY_PER_REQUEST");
    for (size_t i = 0; i < COUNT_OF(encryptions); i++)
        if (text_equal(encryptions[i].name, section->encryption))
            table->encryption = encryptions[i].value;
    table->ttl_enabled = table->ttl_attribute != NULL;
    table->stream_ms = table->stream_view ? table->created_ms : 0;
}

static struct err *load_table_parts(const struct loader *loader, struct table *table,
                                    const struct table_section *section, const struct json *node)
{
    TRY(add_key(loader, node, section->hash_key, "HASH", table->attributes, table->keys));
    TRY(add_key(loader, node, section->range_key, "RANGE", table->attributes, table->keys));
    json_each (item, section->indexes)
        TRY(load_index(loader, table, item, true));
    json_each (item, section->local_indexes)
        TRY(load_index(loader, table, item, false));
    if (table->encryption == ENCRYPTED_CUSTOMER && !table->kms_key)
        return load_error(loader, node, "encryption CustomerManaged needs a key");
    if (!table->on_demand && (!table->read_units || !table->write_units))
        return load_error(loader, node,
                          "readUnits and writeUnits are required unless billingMode is PAY_PER_REQUEST");
    return NULL;
}

static struct err *load_table(const struct loader *loader, struct dynamodb_state *state,
                              const struct json *node)
{
    const char *name = json_get_text(node, "name", "");

    if (!sim_table_is_name(name))
        return load_error(loader, node, "'%s' is no name of a table", name);
    if (sim_table(state, name))
        return load_error(loader, node, "a table %s is already there", name);
    struct table *table = sim_table_add(state, name);
    struct table_section section = {.table = *table};
    section.table.created_ms = sim_now(state->account->sim) - DAYS(400);
    struct err *err = load_fields(loader, node, table_fields, COUNT_OF(table_fields), &section);
    *table = section.table;
    settle(table, &section);
    if (!err)
        err = load_table_parts(loader, table, &section, node);
    xfree(section.name);
    xfree(section.hash_key);
    xfree(section.range_key);
    xfree(section.billing);
    xfree(section.encryption);
    return err;
}

struct dynamodb_section {
    const struct json *tables;
};

struct err *sim_dynamodb_load(const struct loader *loader, struct account *account, const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(dynamodb_section, "tables", LOAD_LIST, tables)},
    };
    struct dynamodb_state *state = sim_dynamodb_state(account);
    struct dynamodb_section section = {0};

    state->account = account;
    if (!node)
        return NULL;
    TRY(load_fields(loader, node, fields, COUNT_OF(fields), &section));
    json_each (item, section.tables)
        TRY(load_table(loader, state, item));
    return NULL;
}

/* Keys are known only now. */
struct err *sim_dynamodb_check(const struct loader *loader, struct account *account,
                               const struct json *section)
{
    struct dynamodb_state *state = sim_dynamodb_state(account);
    size_t i = 0;

    json_each (node, json_member(section, "tables")) {
        struct table *table = state->tables[i++];
        AUTO_FREE char *key = TAKE(table->kms_key);

        if (key && !kms_find(account, key))
            return load_error(loader, node, "there is no key %s", key);
        sim_table_encrypt(state, table, table->encryption, key);
    }
    return NULL;
}
