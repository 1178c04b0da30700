#include "controller/steps/table_properties.h"

#include "controller/steps/protection.h"

#define ON_DEMAND "PAY_PER_REQUEST"
#define PROVISIONED "PROVISIONED"
#define INDEXES_MAX 64

static const struct dynamodb_spec *spec_of(const struct sides *sides)
{
    return &sides->stage->database->dynamodb;
}

static const struct table_facts *facts_of(const void *facts)
{
    return facts;
}

static const struct dynamodb_table *table_of(const void *facts)
{
    return &facts_of(facts)->table;
}

static bool is_provisioned(const void *facts)
{
    return facts && text_equal(table_of(facts)->billing_mode, PROVISIONED);
}

static struct err *update(const struct sides *sides, struct dynamodb_update_opts opts)
{
    opts.table = sides->stage->copy->copy_identifier;
    return dynamodb_update_table(&sides->stage->pass->target, &opts);
}

/* The service's words for ours. */
static const struct {
    const char *ours, *theirs;
} words[] = {
    {"PayPerRequest", ON_DEMAND},
    {"Provisioned", PROVISIONED},
    {"NewImage", "NEW_IMAGE"},
    {"OldImage", "OLD_IMAGE"},
    {"NewAndOldImages", "NEW_AND_OLD_IMAGES"},
    {"KeysOnly", "KEYS_ONLY"},
};

static char *word_of(const char *ours)
{
    for (size_t i = 0; ours && i < COUNT_OF(words); i++) {
        if (text_equal(words[i].ours, ours))
            return xstrdup(words[i].theirs);
    }
    return NULL;
}

static char *asked_switch(enum tristate wanted)
{
    return wanted == UNSET ? NULL : text_switch(wanted == YES);
}

/* --- encryption --- */

#define OF_AWS "by a key that AWS owns"

static char *asked_encryption(const struct sides *sides)
{
    return xstrdup(spec_of(sides)->encryption == ENCRYPTION_AWS_OWNED ? OF_AWS : sides->kms_key);
}

static char *encryption_of(const void *facts)
{
    const struct dynamodb_table *table = table_of(facts);

    return xstrdup(table->sse_type && table->kms_key_arn ? table->kms_key_arn : OF_AWS);
}

static struct err *put_encryption(const struct sides *sides, const char *wanted UNUSED)
{
    enum encryption_kind kind = spec_of(sides)->encryption;

    return update(
        sides, (struct dynamodb_update_opts){.change = DYNAMODB_ENCRYPTION,
                                             .enabled = kind != ENCRYPTION_AWS_OWNED,
                                             .kms_key = kind == ENCRYPTION_CUSTOMER ? sides->kms_key : NULL});
}

/* --- capacity --- */

static char *asked_billing(const struct sides *sides)
{
    return word_of(spec_of(sides)->billing_mode);
}

static char *billing_of(const void *facts)
{
    return xstrdup(table_of(facts)->billing_mode);
}

/* Zero: nobody says. */
static struct dynamodb_throughput wanted_throughput(const struct sides *sides)
{
    const struct dynamodb_spec *spec = spec_of(sides);

    if (spec->read_capacity > 0)
        return (struct dynamodb_throughput){.read_units = spec->read_capacity,
                                            .write_units = spec->write_capacity};
    return is_provisioned(sides->model) ? table_of(sides->model)->throughput
                                        : table_of(sides->is)->throughput;
}

static const struct dynamodb_index *index_of(const struct dynamodb_table *table, const char *name)
{
    for (size_t i = 0; i < table->index_count; i++) {
        if (text_equal(table->indexes[i].name, name))
            return &table->indexes[i];
    }
    return NULL;
}

/* The model's, else what the index has, else what the table gets. */
static struct dynamodb_throughput wanted_of_index(const struct sides *sides,
                                                  const struct dynamodb_index *index)
{
    const struct dynamodb_index *model =
        is_provisioned(sides->model) ? index_of(table_of(sides->model), index->name) : NULL;

    if (model && model->throughput.read_units)
        return model->throughput;
    return index->throughput.read_units ? index->throughput : wanted_throughput(sides);
}

static bool same_throughput(struct dynamodb_throughput a, struct dynamodb_throughput b)
{
    return a.read_units == b.read_units && a.write_units == b.write_units;
}

/* Those that `all` or that differ. */
static size_t collect_indexes(const struct sides *sides, bool all, struct dynamodb_index_throughput *ret)
{
    const struct dynamodb_table *table = table_of(sides->is);
    size_t count = 0;

    for (size_t i = 0; i < table->index_count && count < INDEXES_MAX; i++) {
        struct dynamodb_throughput wanted = wanted_of_index(sides, &table->indexes[i]);

        if (all || !same_throughput(wanted, table->indexes[i].throughput))
            ret[count++] = (struct dynamodb_index_throughput){table->indexes[i].name, wanted};
    }
    return count;
}

static struct err *put_billing(const struct sides *sides, const char *wanted)
{
    struct dynamodb_index_throughput indexes[INDEXES_MAX];
    bool provisioned = text_equal(wanted, PROVISIONED);

    return update(sides, (struct dynamodb_update_opts){
                             .change = DYNAMODB_BILLING_MODE,
                             .billing_mode = wanted,
                             .throughput = wanted_throughput(sides),
                             .indexes = indexes,
                             .index_count = provisioned ? collect_indexes(sides, true, indexes) : 0});
}

/* Where it scales by itself, it moves. */
static bool has_fixed_capacity(const struct sides *sides)
{
    return is_provisioned(sides->is) && !facts_of(sides->is)->scaling.target_count;
}

static char *throughput_text(struct dynamodb_throughput throughput)
{
    return xasprintf("%lld read, %lld write units", (long long)throughput.read_units,
                     (long long)throughput.write_units);
}

static char *asked_capacity(const struct sides *sides)
{
    return spec_of(sides)->read_capacity > 0 ? throughput_text(wanted_throughput(sides)) : NULL;
}

static char *capacity_of(const void *facts)
{
    return is_provisioned(facts) ? throughput_text(table_of(facts)->throughput) : NULL;
}

static struct err *put_capacity(const struct sides *sides, const char *wanted UNUSED)
{
    return update(sides, (struct dynamodb_update_opts){.change = DYNAMODB_THROUGHPUT,
                                                       .throughput = wanted_throughput(sides)});
}

static char *index_text(const char *name, struct dynamodb_throughput throughput)
{
    AUTO_FREE char *text = throughput_text(throughput);

    return xasprintf("%s with %s", name, text);
}

/* `sides` NULL: as it is; else as it is wanted. */
static char *indexes_text(const struct dynamodb_table *table, const struct sides *sides)
{
    char *texts[INDEXES_MAX] = {NULL}, *joined;
    size_t count = 0;

    for (; count < table->index_count && count < INDEXES_MAX; count++) {
        const struct dynamodb_index *index = &table->indexes[count];

        texts[count] = index_text(index->name, sides ? wanted_of_index(sides, index) : index->throughput);
    }
    joined = text_join((const char *const *)texts, count);
    for (size_t i = 0; i < count; i++)
        xfree(texts[i]);
    return joined;
}

static char *asked_index_capacity(const struct sides *sides)
{
    return is_provisioned(sides->model) ? indexes_text(table_of(sides->is), sides) : NULL;
}

static char *index_capacity_of(const void *facts)
{
    return is_provisioned(facts) ? indexes_text(table_of(facts), NULL) : NULL;
}

static struct err *put_index_capacity(const struct sides *sides, const char *wanted UNUSED)
{
    struct dynamodb_index_throughput indexes[INDEXES_MAX];

    return update(sides,
                  (struct dynamodb_update_opts){.change = DYNAMODB_THROUGHPUT,
                                                .indexes = indexes,
                                                .index_count = collect_indexes(sides, false, indexes)});
}

/* A capacity that the spec fixes does not move. */
static bool may_scale(const struct sides *sides)
{
    return is_provisioned(sides->is) && spec_of(sides)->read_capacity <= 0;
}

static char *scaling_of(const void *facts)
{
    return is_provisioned(facts) ? table_scaling_text(&facts_of(facts)->scaling) : NULL;
}

static struct err *put_scaling(const struct sides *sides, const char *wanted UNUSED)
{
    return table_scaling_put(sides);
}

/* Made by the restore; none is added or dropped. */
static char *index_names_of(const void *facts)
{
    const struct dynamodb_table *table = table_of(facts);
    const char *names[INDEXES_MAX] = {NULL};
    size_t count = 0;

    for (; count < table->index_count && count < INDEXES_MAX; count++)
        names[count] = table->indexes[count].name;
    return text_join(names, count);
}

/* --- what a restore loses --- */

#define OFF "off"

static char *asked_ttl(const struct sides *sides)
{
    return xstrdup_or_null(spec_of(sides)->ttl_attribute);
}

static char *ttl_of(const void *facts)
{
    const struct dynamodb_ttl *ttl = &facts_of(facts)->ttl;
    bool on = text_equal(ttl->status, "ENABLED") || text_equal(ttl->status, "ENABLING");

    return xstrdup(on && ttl->attribute ? ttl->attribute : OFF);
}

static struct err *put_ttl(const struct sides *sides, const char *wanted)
{
    AUTO_FREE char *is = ttl_of(sides->is);

    if (!text_equal(is, OFF))
        return err_new(ERR_INVALID, "it takes an hour to go from one attribute to another");
    return dynamodb_update_ttl(&sides->stage->pass->target, sides->stage->copy->copy_identifier, wanted,
                               true);
}

static char *asked_stream(const struct sides *sides)
{
    return word_of(spec_of(sides)->stream_view_type);
}

static char *stream_of(const void *facts)
{
    const struct dynamodb_table *table = table_of(facts);

    return xstrdup(table->stream_enabled && table->stream_view_type ? table->stream_view_type : OFF);
}

/* A stream keeps its view for life: another one goes first. */
static struct err *put_stream(const struct sides *sides, const char *wanted)
{
    bool enabled = !table_of(sides->is)->stream_enabled;

    return update(sides, (struct dynamodb_update_opts){.change = DYNAMODB_STREAM,
                                                       .enabled = enabled,
                                                       .stream_view_type = enabled ? wanted : NULL});
}

static char *asked_recovery(const struct sides *sides)
{
    return asked_switch(spec_of(sides)->point_in_time_recovery);
}

static char *recovery_of(const void *facts)
{
    return text_switch(facts_of(facts)->recovery);
}

static struct err *put_recovery(const struct sides *sides, const char *wanted)
{
    return dynamodb_update_recovery(&sides->stage->pass->target, sides->stage->copy->copy_identifier,
                                    text_equal(wanted, "on"));
}

static char *class_of(const void *facts)
{
    const char *class = table_of(facts)->table_class;

    return xstrdup(class ? class : "STANDARD");
}

static struct err *put_class(const struct sides *sides, const char *wanted)
{
    return update(sides,
                  (struct dynamodb_update_opts){.change = DYNAMODB_TABLE_CLASS, .table_class = wanted});
}

static char *asked_protection(const struct sides *sides)
{
    return asked_switch(spec_of(sides)->deletion_protection);
}

static char *protection_of(const void *facts)
{
    return text_switch(table_of(facts)->deletion_protection);
}

static struct err *put_protection(const struct sides *sides, const char *wanted)
{
    if (text_equal(wanted, "on") && protection_record(sides->stage))
        return NULL;
    return update(sides, (struct dynamodb_update_opts){.change = DYNAMODB_DELETION_PROTECTION,
                                                       .enabled = text_equal(wanted, "on")});
}

/* In the order in which they are put right: capacity needs the billing mode, and scaling both. */
/* clang-format off */
static const struct property rows[] = {
    {.name = "encryption",             .asked = asked_encryption,  .of = encryption_of, .put_right = put_encryption},
    {.name = "billing mode",           .asked = asked_billing,     .of = billing_of,    .put_right = put_billing,
     .follows = true},
    {.name = "capacity",               .asked = asked_capacity,    .of = capacity_of,   .put_right = put_capacity,
     .follows = true, .applies = has_fixed_capacity},
    {.name = "capacity of indexes",    .asked = asked_index_capacity, .of = index_capacity_of,
     .put_right = put_index_capacity, .applies = has_fixed_capacity},
    {.name = "auto scaling",           .of = scaling_of,           .put_right = put_scaling,
     .follows = true, .applies = may_scale},
    {.name = "indexes",                .of = index_names_of},
    {.name = "time to live",           .asked = asked_ttl,         .of = ttl_of,        .put_right = put_ttl,
     .follows = true},
    {.name = "stream",                 .asked = asked_stream,      .of = stream_of,     .put_right = put_stream,
     .follows = true},
    {.name = "point-in-time recovery", .asked = asked_recovery,    .of = recovery_of,   .put_right = put_recovery,
     .follows = true},
    {.name = "table class",            .of = class_of,             .put_right = put_class, .follows = true},
    {.name = "deletion protection",    .asked = asked_protection,  .of = protection_of, .put_right = put_protection,
     .follows = true},
};
/* clang-format on */

const struct property_table table_properties = {.rows = rows, .count = COUNT_OF(rows)};
