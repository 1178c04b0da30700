#include "pkg/aws/dynamodb.h"

#include "pkg/aws/protocol.h"

#define TABLE(member) offsetof(struct dynamodb_table, member)

static const struct aws_text_field table_fields[] = {
    {.path = "TableName", .offset = TABLE(name)},
    {.path = "TableArn", .offset = TABLE(arn)},
    {.path = "TableId", .offset = TABLE(id)},
    {.path = "TableStatus", .offset = TABLE(status)},
    {.path = "BillingModeSummary.BillingMode", .offset = TABLE(billing_mode)},
    {.path = "StreamSpecification.StreamViewType", .offset = TABLE(stream_view_type)},
    {.path = "LatestStreamArn", .offset = TABLE(stream_arn)},
    {.path = "SSEDescription.SSEType", .offset = TABLE(sse_type)},
    {.path = "SSEDescription.Status", .offset = TABLE(sse_status)},
    {.path = "SSEDescription.KMSMasterKeyArn", .offset = TABLE(kms_key_arn)},
    {.path = "TableClassSummary.TableClass", .offset = TABLE(table_class)},
    {.path = "RestoreSummary.SourceBackupArn", .offset = TABLE(restore_source_backup_arn)},
    {.path = "RestoreSummary.SourceTableArn", .offset = TABLE(restore_source_table_arn)},
};

#define INDEX(member) offsetof(struct dynamodb_index, member)

static const struct aws_text_field index_fields[] = {
    {.path = "IndexName", .offset = INDEX(name)},
    {.path = "IndexStatus", .offset = INDEX(status)},
};

void dynamodb_table_done(struct dynamodb_table *table)
{
    aws_text_fields_free(table_fields, COUNT_OF(table_fields), table);
    for (size_t i = 0; i < table->index_count; i++)
        aws_text_fields_free(index_fields, COUNT_OF(index_fields), &table->indexes[i]);
    xfree(table->indexes);
    *table = (struct dynamodb_table){0};
}

bool dynamodb_table_is_ready(const struct dynamodb_table *table)
{
    for (size_t i = 0; i < table->index_count; i++) {
        if (!text_equal(table->indexes[i].status, "ACTIVE"))
            return false;
    }
    return text_equal(table->status, "ACTIVE") && !table->restore_in_progress;
}

static struct dynamodb_throughput read_throughput(const struct json *value)
{
    return (struct dynamodb_throughput){
        .read_units = json_get_int(value, "ProvisionedThroughput.ReadCapacityUnits", 0),
        .write_units = json_get_int(value, "ProvisionedThroughput.WriteCapacityUnits", 0),
    };
}

static void read_indexes(const struct json *list, struct dynamodb_table *table)
{
    json_each (item, list) {
        struct dynamodb_index *index;

        table->indexes = xgrow(table->indexes, table->index_count, sizeof(*table->indexes));
        index = &table->indexes[table->index_count++];
        *index = (struct dynamodb_index){.throughput = read_throughput(item)};
        json_take_texts(item, index_fields, COUNT_OF(index_fields), index);
    }
}

static void read_table(const struct json *value, struct dynamodb_table *ret)
{
    *ret = (struct dynamodb_table){
        .throughput = read_throughput(value),
        .stream_enabled = json_get_bool(value, "StreamSpecification.StreamEnabled", false),
        .deletion_protection = json_get_bool(value, "DeletionProtectionEnabled", false),
        .restore_in_progress = json_get_bool(value, "RestoreSummary.RestoreInProgress", false),
        .replica_count = json_count(json_member(value, "Replicas")),
        .item_count = json_get_int(value, "ItemCount", 0),
        .size_bytes = json_get_int(value, "TableSizeBytes", 0),
        .created_ms = json_take_time(value, "CreationDateTime"),
    };
    json_take_texts(value, table_fields, COUNT_OF(table_fields), ret);
    read_indexes(json_member(value, "GlobalSecondaryIndexes"), ret);
    /* Tables that were never anything else do not say so. */
    if (!ret->billing_mode)
        ret->billing_mode = xstrdup("PROVISIONED");
}

/* The body of most requests. */
static struct json *of_table(const char *table)
{
    struct json *body = json_new_object();

    json_set_text(body, "TableName", table);
    return body;
}

struct err *dynamodb_describe_table(const struct aws_client *aws, const char *name,
                                    struct dynamodb_table *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = of_table(name);
    const struct json *found;

    TRY(aws_call_json(aws, AWS_OP_DESCRIBE_TABLE, body, &reply));
    found = json_member(reply.json, "Table");
    TRY(aws_require(AWS_OP_DESCRIBE_TABLE, "Table.TableStatus", json_get_text(found, "TableStatus", NULL)));
    read_table(found, ret);
    return NULL;
}

static struct json *throughput_of(const struct dynamodb_throughput *throughput)
{
    struct json *value = json_new_object();

    json_set_int(value, "ReadCapacityUnits", throughput->read_units);
    json_set_int(value, "WriteCapacityUnits", throughput->write_units);
    return value;
}

static void set_index_throughput(struct json *body, const struct dynamodb_update_opts *opts)
{
    struct json *updates = json_new_array();

    for (size_t i = 0; i < opts->index_count; i++) {
        struct json *update = json_new_object(), *item = json_new_object();

        json_set_text(update, "IndexName", opts->indexes[i].name);
        json_set(update, "ProvisionedThroughput", throughput_of(&opts->indexes[i].throughput));
        json_set(item, "Update", update);
        json_append(updates, item);
    }
    json_set(body, "GlobalSecondaryIndexUpdates", updates);
}

static void set_throughput(struct json *body, const struct dynamodb_update_opts *opts)
{
    if (opts->throughput.read_units)
        json_set(body, "ProvisionedThroughput", throughput_of(&opts->throughput));
    if (opts->index_count)
        set_index_throughput(body, opts);
}

static void set_encryption(struct json *body, const struct dynamodb_update_opts *opts)
{
    struct json *encryption = json_new_object();

    json_set_bool(encryption, "Enabled", opts->enabled);
    if (opts->enabled) {
        json_set_text(encryption, "SSEType", "KMS");
        json_set_text(encryption, "KMSMasterKeyId", opts->kms_key);
    }
    json_set(body, "SSESpecification", encryption);
}

static void set_stream(struct json *body, const struct dynamodb_update_opts *opts)
{
    struct json *stream = json_new_object();

    json_set_bool(stream, "StreamEnabled", opts->enabled);
    if (opts->enabled)
        json_set_text(stream, "StreamViewType", opts->stream_view_type);
    json_set(body, "StreamSpecification", stream);
}

static void set_change(struct json *body, const struct dynamodb_update_opts *opts)
{
    switch (opts->change) {
    case DYNAMODB_BILLING_MODE:
        json_set_text(body, "BillingMode", opts->billing_mode);
        if (text_equal(opts->billing_mode, "PROVISIONED"))
            set_throughput(body, opts);
        return;
    case DYNAMODB_STREAM:
        set_stream(body, opts);
        return;
    case DYNAMODB_DELETION_PROTECTION:
        json_set_bool(body, "DeletionProtectionEnabled", opts->enabled);
        return;
    case DYNAMODB_TABLE_CLASS:
        json_set_text(body, "TableClass", opts->table_class);
        return;
    case DYNAMODB_THROUGHPUT:
        set_throughput(body, opts);
        return;
    case DYNAMODB_ENCRYPTION:
        set_encryption(body, opts);
        return;
    }
}

struct err *dynamodb_update_table(const struct aws_client *aws, const struct dynamodb_update_opts *opts)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = of_table(opts->table);

    set_change(body, opts);
    return aws_call_json(aws, AWS_OP_UPDATE_TABLE, body, &reply);
}

struct err *dynamodb_delete_table(const struct aws_client *aws, const char *name)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = of_table(name);

    return aws_call_json(aws, AWS_OP_DELETE_TABLE, body, &reply);
}

void dynamodb_ttl_done(struct dynamodb_ttl *ttl)
{
    xfree(ttl->status);
    xfree(ttl->attribute);
    *ttl = (struct dynamodb_ttl){0};
}

struct err *dynamodb_describe_ttl(const struct aws_client *aws, const char *table, struct dynamodb_ttl *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = of_table(table);
    const struct json *found;

    TRY(aws_call_json(aws, AWS_OP_DESCRIBE_TIME_TO_LIVE, body, &reply));
    found = json_member(reply.json, "TimeToLiveDescription");
    TRY(aws_require(AWS_OP_DESCRIBE_TIME_TO_LIVE, "TimeToLiveDescription", found));
    ret->status = json_take_text(found, "TimeToLiveStatus");
    ret->attribute = json_take_text(found, "AttributeName");
    return NULL;
}

struct err *dynamodb_update_ttl(const struct aws_client *aws, const char *table, const char *attribute,
                                bool enabled)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = of_table(table);
    struct json *wanted = json_new_object();

    json_set_bool(wanted, "Enabled", enabled);
    json_set_text(wanted, "AttributeName", attribute);
    json_set(body, "TimeToLiveSpecification", wanted);
    return aws_call_json(aws, AWS_OP_UPDATE_TIME_TO_LIVE, body, &reply);
}

struct err *dynamodb_describe_recovery(const struct aws_client *aws, const char *table, bool *ret_enabled,
                                       int *ret_days)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = of_table(table);
    const struct json *found;
    bool enabled;

    TRY(aws_call_json(aws, AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, body, &reply));
    found = json_at(reply.json, "ContinuousBackupsDescription.PointInTimeRecoveryDescription");
    TRY(aws_require(AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, "PointInTimeRecoveryDescription", found));
    enabled = text_equal(json_get_text(found, "PointInTimeRecoveryStatus", ""), "ENABLED");
    *ret_enabled = enabled;
    if (ret_days)
        *ret_days = enabled ? json_take_count(found, "RecoveryPeriodInDays") : 0;
    return NULL;
}

struct err *dynamodb_update_recovery(const struct aws_client *aws, const char *table, bool enabled)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = of_table(table);
    struct json *wanted = json_new_object();

    json_set_bool(wanted, "PointInTimeRecoveryEnabled", enabled);
    json_set(body, "PointInTimeRecoverySpecification", wanted);
    return aws_call_json(aws, AWS_OP_UPDATE_CONTINUOUS_BACKUPS, body, &reply);
}

struct err *dynamodb_tag(const struct aws_client *aws, const char *table_arn, const struct aws_pair *tags,
                         size_t count)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();
    struct json *list = json_new_array();

    for (size_t i = 0; i < count; i++) {
        struct json *tag = json_new_object();

        json_set_text(tag, "Key", tags[i].name);
        json_set_text(tag, "Value", tags[i].value);
        json_append(list, tag);
    }
    json_set_text(body, "ResourceArn", table_arn);
    json_set(body, "Tags", list);
    return aws_call_json(aws, AWS_OP_DYNAMODB_TAG, body, &reply);
}

struct err *dynamodb_list_tags(const struct aws_client *aws, const char *table_arn, struct aws_tags *ret)
{
    AUTO_TAGS struct aws_tags tags = {0};
    AUTO_AWS_PAGES struct aws_pages pages = {.op = AWS_OP_DYNAMODB_LIST_TAGS};

    while (!pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_JSON struct json *body = json_new_object();

        json_set_text(body, "ResourceArn", table_arn);
        json_set_text(body, "NextToken", pages.token);
        TRY(aws_call_json(aws, AWS_OP_DYNAMODB_LIST_TAGS, body, &reply));
        json_each (item, json_member(reply.json, "Tags"))
            aws_tags_add(&tags, json_get_text(item, "Key", ""), json_get_text(item, "Value", ""));
        TRY(aws_pages_next(&pages, tags.count, json_take_text(reply.json, "NextToken")));
    }
    *ret = tags;
    tags = (struct aws_tags){0};
    return NULL;
}
