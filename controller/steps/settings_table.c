/* Settings of a restored table: a restore loses tags, time to live, stream, point-in-time recovery, deletion
 * protection and brings production's capacity. What the spec writes wins; for the rest the previous copy is
 * taken as the model when the spec says so. The table takes one kind of change at a time: each look makes at
 * most one. */
#include "controller/names.h"
#include "controller/steps/differences.h"
#include "controller/steps/steps.h"
#include "pkg/aws/dynamodb.h"

#define TABLE_LOOK_MS SECONDS(10)

/* What the table should be; texts are owned. */
struct wanted {
    char *billing_mode;
    struct dynamodb_throughput throughput;
    char *ttl_attribute;
    char *stream_view_type;
    enum tristate recovery, protection;
};

static void wanted_done(struct wanted *wanted)
{
    xfree(wanted->billing_mode);
    xfree(wanted->ttl_attribute);
    xfree(wanted->stream_view_type);
}

static const struct {
    const char *ours, *theirs;
} words[] = {
    {"PayPerRequest", "PAY_PER_REQUEST"},
    {"Provisioned", "PROVISIONED"},
    {"NewImage", "NEW_IMAGE"},
    {"OldImage", "OLD_IMAGE"},
    {"NewAndOldImages", "NEW_AND_OLD_IMAGES"},
    {"KeysOnly", "KEYS_ONLY"},
};

static const char *word_of(const char *ours)
{
    for (size_t i = 0; ours && i < COUNT_OF(words); i++) {
        if (text_equal(words[i].ours, ours))
            return words[i].theirs;
    }
    return NULL;
}

static const char *previous_copy(const struct stage *stage)
{
    for (size_t i = 0; i < stage->pass->status->copy_count; i++) {
        const struct copy_status *copy = &stage->pass->status->copies[i];

        if (copy->role == COPY_IN_USE && text_equal(copy->database, stage->database->name))
            return copy->identifier;
    }
    return NULL;
}

/* The model is remembered with the intent, so that every look compares with the same one. A first refresh has
 * none. */
struct err *settings_intend_table(struct stage *stage)
{
    if (stage->database->dynamodb.settings_from == SETTINGS_PREVIOUS_COPY)
        step_set_evidence(stage->row, "model", previous_copy(stage));
    if (stage->database->dynamodb.settings_from == SETTINGS_SOURCE)
        step_set_evidence(stage->row, "model", stage->database->dynamodb.table_name);
    return NULL;
}

static struct err *read_model(struct stage *stage, struct wanted *wanted)
{
    const char *model = step_evidence(stage->row, "model");
    const struct aws_client *aws = stage->database->dynamodb.settings_from == SETTINGS_SOURCE
                                       ? &stage->pass->source
                                       : &stage->pass->target;
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};
    AUTO_DYNAMODB_TTL struct dynamodb_ttl ttl = {0};
    bool recovery;
    struct err *err;

    if (!model)
        return NULL;
    err = dynamodb_describe_table(aws, model, &table);
    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "somebody deleted the previous copy: then only the spec counts");
        return NULL;
    }
    TRY(err);
    TRY(dynamodb_describe_ttl(aws, model, &ttl));
    TRY(dynamodb_describe_recovery(aws, model, &recovery, NULL));
    wanted->billing_mode = xstrdup(table.billing_mode);
    wanted->throughput = table.throughput;
    wanted->ttl_attribute = text_equal(ttl.status, "ENABLED") || text_equal(ttl.status, "ENABLING")
                                ? xstrdup_or_null(ttl.attribute)
                                : NULL;
    wanted->stream_view_type = table.stream_enabled ? xstrdup_or_null(table.stream_view_type) : NULL;
    wanted->recovery = recovery ? YES : NO;
    wanted->protection = table.deletion_protection ? YES : NO;
    return NULL;
}

static void apply_spec(const struct dynamodb_spec *spec, struct wanted *wanted)
{
    if (spec->billing_mode) {
        text_replace(&wanted->billing_mode, word_of(spec->billing_mode));
        if (spec->read_capacity > 0)
            wanted->throughput = (struct dynamodb_throughput){.read_units = spec->read_capacity,
                                                              .write_units = spec->write_capacity};
    }
    if (spec->ttl_attribute)
        text_replace(&wanted->ttl_attribute, spec->ttl_attribute);
    if (spec->stream_view_type)
        text_replace(&wanted->stream_view_type, word_of(spec->stream_view_type));
    if (spec->point_in_time_recovery != UNSET)
        wanted->recovery = spec->point_in_time_recovery;
    if (spec->deletion_protection != UNSET)
        wanted->protection = spec->deletion_protection;
}

static struct err *ensure_tags(struct stage *stage, bool *ret_changed)
{
    const struct dynamodb_spec *spec = &stage->database->dynamodb;
    size_t count = COPY_TAG_COUNT + spec->tag_count;
    AUTO_FREE struct aws_pair *tags = xcalloc(count, sizeof(*tags));
    AUTO_FREE char *series = name_series(stage->pass);
    AUTO_TAGS struct aws_tags there = {0};
    bool missing = false;

    TRY(dynamodb_list_tags(&stage->pass->target, stage->copy->copy_arn, &there));
    name_copy_tags(stage, stage->copy->copy_identifier, series, tags);
    for (size_t i = 0; i < spec->tag_count; i++)
        tags[COPY_TAG_COUNT + i] =
            (struct aws_pair){.name = spec->tags[i].name, .value = spec->tags[i].value};
    for (size_t i = 0; i < count; i++)
        missing = missing || !text_equal(aws_tags_get(&there, tags[i].name), tags[i].value);
    *ret_changed = missing;
    return missing ? dynamodb_tag(&stage->pass->target, stage->copy->copy_arn, tags, count) : NULL;
}

/* One change of the table itself; *ret_what names it, NULL when there is none to make. */
static struct err *change_table(struct stage *stage, const struct wanted *wanted,
                                const struct dynamodb_table *table, const char **ret_what)
{
    struct dynamodb_update_opts opts = {.table = table->name};

    if (wanted->billing_mode && !text_equal(wanted->billing_mode, table->billing_mode)) {
        *ret_what = "billing mode";
        opts.change = DYNAMODB_BILLING_MODE;
        opts.billing_mode = wanted->billing_mode;
        opts.throughput = wanted->throughput;
    } else if (wanted->stream_view_type && !table->stream_enabled) {
        *ret_what = "stream";
        opts.change = DYNAMODB_STREAM;
        opts.enabled = true;
        opts.stream_view_type = wanted->stream_view_type;
    } else if (wanted->protection != UNSET && (wanted->protection == YES) != table->deletion_protection) {
        *ret_what = "deletion protection";
        opts.change = DYNAMODB_DELETION_PROTECTION;
        opts.enabled = wanted->protection == YES;
    } else {
        return NULL;
    }
    return dynamodb_update_table(&stage->pass->target, &opts);
}

static struct err *change_ttl(struct stage *stage, const struct wanted *wanted, const char **ret_what)
{
    AUTO_DYNAMODB_TTL struct dynamodb_ttl ttl = {0};

    if (!wanted->ttl_attribute)
        return NULL;
    TRY(dynamodb_describe_ttl(&stage->pass->target, stage->copy->copy_identifier, &ttl));
    if (text_equal(ttl.status, "ENABLED") || text_equal(ttl.status, "ENABLING"))
        return NULL;
    *ret_what = "time to live";
    return dynamodb_update_ttl(&stage->pass->target, stage->copy->copy_identifier, wanted->ttl_attribute,
                               true);
}

static struct err *change_recovery(struct stage *stage, const struct wanted *wanted, const char **ret_what)
{
    bool enabled;

    if (wanted->recovery == UNSET)
        return NULL;
    TRY(dynamodb_describe_recovery(&stage->pass->target, stage->copy->copy_identifier, &enabled, NULL));
    if (enabled == (wanted->recovery == YES))
        return NULL;
    *ret_what = "point-in-time recovery";
    return dynamodb_update_recovery(&stage->pass->target, stage->copy->copy_identifier,
                                    wanted->recovery == YES);
}

static struct err *change_one(struct stage *stage, const struct wanted *wanted,
                              const struct dynamodb_table *table, const char **ret_what)
{
    bool tagged;

    TRY(ensure_tags(stage, &tagged));
    if (tagged)
        *ret_what = "tags";
    if (!*ret_what)
        TRY(change_table(stage, wanted, table, ret_what));
    if (!*ret_what)
        TRY(change_ttl(stage, wanted, ret_what));
    if (!*ret_what)
        TRY(change_recovery(stage, wanted, ret_what));
    return NULL;
}

/* What no change can put right any more. */
static void compare(const struct stage *stage, const struct wanted *wanted,
                    const struct dynamodb_table *table, struct buf *list)
{
    const struct dynamodb_spec *spec = &stage->database->dynamodb;
    bool is_kms = spec->encryption != ENCRYPTION_AWS_OWNED;

    differences_add(list, "its encryption", is_kms ? "KMS" : "AWS owned",
                    table->sse_type ? table->sse_type : "AWS owned");
    if (wanted->stream_view_type)
        differences_add(list, "its stream", wanted->stream_view_type, table->stream_view_type);
}

struct err *settings_act_table(struct stage *stage, struct outcome *out)
{
    CLEANUP(wanted_done) struct wanted wanted = {.recovery = UNSET, .protection = UNSET};
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};
    AUTO_BUF struct buf differences = BUF_MAX(DIFFERENCES_MAX);
    const char *what = NULL;
    struct err *err;

    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, stage->copy->copy_identifier);
    TRY(dynamodb_describe_table(&stage->pass->target, stage->copy->copy_identifier, &table));
    if (!dynamodb_table_is_ready(&table)) {
        *out = outcome_wait(TABLE_LOOK_MS, "table %s is %s", table.name, table.status);
        return NULL;
    }
    TRY(read_model(stage, &wanted));
    apply_spec(&stage->database->dynamodb, &wanted);
    err = change_one(stage, &wanted, &table, &what);
    TRY(err_wrap(err, "set %s of table %s", what ? what : "settings", table.name));
    if (what) {
        *out = outcome_wait(TABLE_LOOK_MS, "%s was set", what);
        return NULL;
    }
    text_replace(&stage->copy->stream_arn, table.stream_arn);
    compare(stage, &wanted, &table, &differences);
    differences_settle(stage, &differences, out);
    return NULL;
}
