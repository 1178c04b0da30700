/* What hangs on a table: time to live, point-in-time recovery, tags. */
#include "hack/awssim/dynamodb.h"

/* ---- time to live ---- */

static const char *ttl_status(const struct call *call, const struct table *table)
{
    bool busy = table->ttl_changed_ms &&
                call->now_ms < table->ttl_changed_ms + sim_duration(call->sim, "dynamodb.timeToLive");

    if (table->ttl_enabled)
        return busy ? "ENABLING" : "ENABLED";
    return busy ? "DISABLING" : "DISABLED";
}

bool sim_dynamodb_describe_ttl(struct call *call)
{
    const struct table *table = sim_table_or_refuse(call, "TableName", "ResourceNotFoundException");
    struct json *description = NULL;

    if (!table)
        return false;
    description = json_new_object();
    json_set_text(description, "TimeToLiveStatus", ttl_status(call, table));
    if (!text_equal(ttl_status(call, table), "DISABLED"))
        json_set_text(description, "AttributeName", table->ttl_attribute);
    json_set(call->out, "TimeToLiveDescription", description);
    return true;
}

static bool check_ttl(struct call *call, const struct table *table)
{
    bool enable = call_bool(call, "TimeToLiveSpecification.Enabled", false);
    const char *attribute = call_text(call, "TimeToLiveSpecification.AttributeName");

    if (text_is_empty(attribute))
        return call_refuse(call, 400, "ValidationException",
                           "TimeToLiveSpecification.AttributeName must not be empty");
    if (!sim_table_is(call, table, "ACTIVE") && !sim_table_is(call, table, "UPDATING"))
        return call_refuse(call, 400, "ResourceInUseException",
                           "Attempt to change a resource which is still in use: Table is in status %s: %s",
                           sim_table_status(call_state(call), table), table->name);
    if (table->ttl_changed_ms &&
        call->now_ms < table->ttl_changed_ms + sim_duration(call->sim, "dynamodb.timeToLiveLock"))
        return call_refuse(call, 400, "ValidationException",
                           "Time to live has been modified multiple times within a fixed interval");
    if (enable && table->ttl_enabled)
        return call_refuse(call, 400, "ValidationException", "TimeToLive is already enabled");
    if (!enable && !table->ttl_enabled)
        return call_refuse(call, 400, "ValidationException", "TimeToLive is already disabled");
    if (!enable && !text_equal(attribute, table->ttl_attribute))
        return call_refuse(call, 400, "ValidationException",
                           "TimeToLive is active on a different AttributeName: current AttributeName is %s",
                           table->ttl_attribute);
    return true;
}

bool sim_dynamodb_update_ttl(struct call *call)
{
    struct table *table = sim_table_or_refuse(call, "TableName", "ResourceNotFoundException");

    if (!table || !check_ttl(call, table))
        return false;
    xfree(table->ttl_attribute);
    table->ttl_attribute = xstrdup(call_text(call, "TimeToLiveSpecification.AttributeName"));
    table->ttl_enabled = call_bool(call, "TimeToLiveSpecification.Enabled", false);
    table->ttl_changed_ms = call->now_ms;
    call_effect(call, EFFECT_CHANGED, table->arn);
    json_set_copy(call->out, "TimeToLiveSpecification", json_member(call->input, "TimeToLiveSpecification"));
    return true;
}

/* ---- point-in-time recovery ---- */

static void answer_backups(struct call *call, const struct table *table)
{
    struct json *description = json_new_object(), *pitr = json_new_object();

    json_set_text(pitr, "PointInTimeRecoveryStatus", table->pitr ? "ENABLED" : "DISABLED");
    if (table->pitr)
        json_set_int(pitr, "RecoveryPeriodInDays", table->pitr_days);
    json_set_text(description, "ContinuousBackupsStatus", "ENABLED");
    json_set(description, "PointInTimeRecoveryDescription", pitr);
    json_set(call->out, "ContinuousBackupsDescription", description);
}

bool sim_dynamodb_describe_backups(struct call *call)
{
    const struct table *table = sim_table_or_refuse(call, "TableName", "TableNotFoundException");

    if (!table)
        return false;
    answer_backups(call, table);
    return true;
}

bool sim_dynamodb_update_backups(struct call *call)
{
    struct table *table = sim_table_or_refuse(call, "TableName", "TableNotFoundException");
    bool enable = call_bool(call, "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", false);

    if (!table)
        return false;
    int64_t days = call_int(call, "PointInTimeRecoverySpecification.RecoveryPeriodInDays",
                            table->pitr ? table->pitr_days : 35);
    if (days < 1 || days > 35)
        return call_refuse(call, 400, "ValidationException", "RecoveryPeriodInDays must be between 1 and 35");
    if (table->gone_ms ||
        call->now_ms < table->ready_ms + sim_duration(call->sim, "dynamodb.continuousBackups"))
        return call_refuse(call, 400, "ContinuousBackupsUnavailableException",
                           "Backups are being enabled for the table: %s. Please retry later", table->name);
    bool same = table->pitr == enable && (!enable || table->pitr_days == days);
    table->pitr = enable;
    table->pitr_days = days;
    call_effect(call, same ? EFFECT_NONE : EFFECT_CHANGED, table->arn);
    answer_backups(call, table);
    return true;
}

/* ---- tags ---- */

static struct table *taggable(struct call *call)
{
    struct table *table = sim_table_or_refuse(call, "ResourceArn", "ResourceNotFoundException");
    struct arn arn;

    if (table && !sim_arn_parse(call_text(call, "ResourceArn"), &arn)) {
        call_refuse(call, 400, "ValidationException", "Invalid ResourceArn: %s",
                    call_text(call, "ResourceArn"));
        return NULL;
    }
    return table;
}

static bool is_settled(struct call *call, const struct table *table)
{
    if (sim_table_is(call, table, "ACTIVE") || sim_table_is(call, table, "UPDATING"))
        return true;
    return call_refuse(call, 400, "ResourceInUseException", "Table is in status %s: %s",
                       sim_table_status(call_state(call), table), table->name);
}

bool sim_dynamodb_tag(struct call *call)
{
    struct table *table = taggable(call);

    if (!table || !is_settled(call, table))
        return false;
    AUTO_JSON struct json *after = json_copy(table->tags);
    json_each (tag, call_list(call, "Tags")) {
        const char *key = json_get_text(tag, "Key", "");

        if (!*key || strlen(key) > 128 || str_starts(str_of(key), "aws:"))
            return call_refuse(call, 400, "ValidationException", "Invalid tag key: %s", key);
        json_set_text(after, key, json_get_text(tag, "Value", ""));
    }
    if (json_count(after) > 50)
        return call_refuse(call, 400, "LimitExceededException", "A table has at most 50 tags");
    call_effect(call, json_equal(after, table->tags) ? EFFECT_NONE : EFFECT_CHANGED, table->arn);
    json_free(table->tags);
    table->tags = TAKE(after);
    return true;
}

bool sim_dynamodb_untag(struct call *call)
{
    struct table *table = taggable(call);

    if (!table || !is_settled(call, table))
        return false;
    size_t before = json_count(table->tags);
    json_each (key, call_list(call, "TagKeys"))
        json_remove(table->tags, json_get_text(key, NULL, ""));
    call_effect(call, json_count(table->tags) == before ? EFFECT_NONE : EFFECT_CHANGED, table->arn);
    return true;
}

/* Ten to a page, as the service does: there is no size to ask for. */
bool sim_dynamodb_list_tags(struct call *call)
{
    static const struct page_rule rule = {.size_member = "Limit",
                                          .token_member = "NextToken",
                                          .out_member = "NextToken",
                                          .min = 1,
                                          .max = 10,
                                          .otherwise = 10,
                                          .error = "ValidationException"};
    const struct table *table = taggable(call);
    size_t first = 0, count = 0, number = 0;

    if (!table || !call_page(call, &rule, json_count(table->tags), &first, &count))
        return false;
    struct json *tags = json_new_array();
    json_each (item, table->tags) {
        if (number++ < first || number > first + count)
            continue;
        struct json *tag = json_new_object();
        json_set_text(tag, "Key", json_key(item));
        json_set_text(tag, "Value", json_get_text(item, NULL, ""));
        json_append(tags, tag);
    }
    json_set(call->out, "Tags", tags);
    return true;
}
