/* Settings of a restored table: a restore loses tags, time to live, stream, point-in-time recovery, deletion
 * protection and auto scaling, and brings production's capacity. What the spec writes wins; for the rest the
 * previous copy or the source is the model when the spec says so. The table takes one kind of change at a
 * time: each look makes at most one. */
#include "controller/names.h"
#include "controller/pace.h"
#include "controller/steps/copy_tags.h"
#include "controller/steps/in_use.h"
#include "controller/steps/key_arn.h"
#include "controller/steps/protection.h"
#include "controller/steps/steps.h"
#include "controller/steps/table_properties.h"

#define TABLE_LOOK_MS SECONDS(10)
/* By so many percent two counts may differ that were not made at the same time. */
#define TOLERANCE 10

/* Which copy is in use is remembered with the intent, so that every look compares with the same one. */
struct err *settings_intend_table(struct stage *stage)
{
    AUTO_FREE char *in_use = NULL;

    TRY(in_use_find(stage, &in_use));
    step_set_evidence(stage->row, IN_USE_EVIDENCE, in_use);
    return NULL;
}

static const struct dynamodb_spec *spec_of(const struct stage *stage)
{
    return &stage->database->dynamodb;
}

/* --- the other sides --- */

/* A table beside the copy; not there is no error. */
struct other {
    struct table_facts facts;
    struct aws_tags tags;
    bool is_there;
};

static void other_done(struct other *other)
{
    table_facts_done(&other->facts);
    aws_tags_done(&other->tags);
}

static struct err *read_in_use(const struct stage *stage, struct other *other)
{
    const char *name = step_evidence(stage->row, IN_USE_EVIDENCE);
    struct err *err;

    if (!name || text_equal(name, stage->copy->copy_identifier))
        return NULL;
    err = table_facts_read(&stage->pass->target, name, &other->facts);
    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "somebody deleted it: then there is nothing to compare with");
        return NULL;
    }
    TRY(err_wrap(err, "look at %s, which staging uses", name));
    TRY(dynamodb_list_tags(&stage->pass->target, other->facts.table.arn, &other->tags));
    other->is_there = true;
    return NULL;
}

static struct err *read_source(const struct stage *stage, struct other *other)
{
    if (spec_of(stage)->settings_from != SETTINGS_SOURCE)
        return NULL;
    TRY(err_wrap(table_facts_read(&stage->pass->source, spec_of(stage)->table_name, &other->facts),
                 "look at the settings of the source"));
    other->is_there = true;
    return NULL;
}

static const struct table_facts *model_of(const struct stage *stage, const struct other *in_use,
                                          const struct other *source)
{
    if (spec_of(stage)->settings_from == SETTINGS_PREVIOUS_COPY && in_use->is_there)
        return &in_use->facts;
    return source->is_there ? &source->facts : NULL;
}

/* What the encryption asked for comes to. */
static struct err *asked_key(const struct stage *stage, char **ret)
{
    bool managed = spec_of(stage)->encryption == ENCRYPTION_AWS_MANAGED;

    return key_arn(&stage->pass->target, managed ? "alias/aws/dynamodb" : spec_of(stage)->kms_key, ret);
}

/* --- counts --- */

static bool is_far_off(int64_t a, int64_t b)
{
    int64_t high = a > b ? a : b, low = a > b ? b : a;

    return (high - low) > high / 100 * TOLERANCE;
}

/* Trouble with looking only means that nothing is said: nobody has asked for it. */
static struct err *unless_canceled(struct err *err)
{
    if (err && err_kind(err) == ERR_CANCELED)
        return err;
    if (err)
        err_ignore(err, "there is one remark less");
    return NULL;
}

static struct err *compare_with_source(const struct stage *stage, const struct dynamodb_table *is,
                                       struct findings *findings)
{
    AUTO_DYNAMODB_TABLE struct dynamodb_table source = {0};

    if (!stage->pass->source.account)
        return NULL;
    TRY(unless_canceled(dynamodb_describe_table(&stage->pass->source, spec_of(stage)->table_name, &source)));
    if (source.name &&
        (is_far_off(is->item_count, source.item_count) || is_far_off(is->size_bytes, source.size_bytes)))
        differences_remark(findings,
                           "it has %lld items and %lld bytes, the source %lld and %lld (as AWS last counted "
                           "them, at most six hours ago)",
                           (long long)is->item_count, (long long)is->size_bytes, (long long)source.item_count,
                           (long long)source.size_bytes);
    return NULL;
}

static struct err *compare_with_backup(const struct stage *stage, const struct dynamodb_table *is,
                                       struct findings *findings)
{
    AUTO_RECOVERY_POINT struct recovery_point point = {0};

    if (!stage->copy->copy_recovery_point_arn)
        return NULL;
    TRY(unless_canceled(backup_describe_recovery_point(&stage->pass->target,
                                                       stage->pass->target_account->vault_name,
                                                       stage->copy->copy_recovery_point_arn, &point)));
    if (point.size_bytes > 0 && is_far_off(is->size_bytes, point.size_bytes))
        differences_remark(findings, "it has %lld bytes, its backup %lld", (long long)is->size_bytes,
                           (long long)point.size_bytes);
    return NULL;
}

/* --- the step --- */

static struct err *ensure_tags(struct stage *stage, const struct other *in_use, const struct aws_tags *there,
                               bool *ret_changed)
{
    const struct dynamodb_spec *spec = spec_of(stage);
    AUTO_COPY_TAGS struct copy_tags tags = copy_tags_new(stage, spec->tags, spec->tag_count);

    /* Production's would say that it is production. */
    if (spec->settings_from == SETTINGS_PREVIOUS_COPY)
        copy_tags_follow(&tags, &in_use->tags);
    *ret_changed = copy_tags_lack(&tags, there);
    return *ret_changed
               ? err_wrap(dynamodb_tag(&stage->pass->target, stage->copy->copy_arn, tags.items, tags.count),
                          "tag table %s", stage->copy->copy_identifier)
               : NULL;
}

static void remark_on_model(const struct sides *sides, struct findings *findings)
{
    const char *name = step_evidence(sides->stage->row, IN_USE_EVIDENCE);

    if (name && !sides->in_use)
        differences_remark(findings, "the copy in use, %s, is not there any more", name);
    if (spec_of(sides->stage)->settings_from == SETTINGS_PREVIOUS_COPY && !sides->model)
        differences_remark(findings, "there is no previous copy to take settings from: what the spec leaves "
                                     "open is as the restore made it");
}

static struct err *settle(const struct sides *sides, const struct other *in_use, const struct aws_tags *tags,
                          struct outcome *out)
{
    const struct table_facts *is = sides->is;
    AUTO_FINDINGS struct findings findings = FINDINGS;

    text_replace(&sides->stage->copy->stream_arn, is->table.stream_arn);
    protection_settle(sides->stage, is->table.deletion_protection);
    differences_find(&table_properties, sides, &findings);
    remark_on_model(sides, &findings);
    if (in_use->is_there)
        copy_tags_compare(tags, &in_use->tags, &findings);
    TRY(compare_with_source(sides->stage, &is->table, &findings));
    TRY(compare_with_backup(sides->stage, &is->table, &findings));
    differences_settle(sides->stage, &findings, out);
    return NULL;
}

static struct err *compare(struct stage *stage, const struct table_facts *is, struct outcome *out)
{
    CLEANUP(other_done) struct other in_use = {0};
    CLEANUP(other_done) struct other source = {0};
    AUTO_TAGS struct aws_tags tags = {0};
    AUTO_FREE char *key = NULL;
    const char *name = NULL;
    bool tagged;

    TRY(read_in_use(stage, &in_use));
    TRY(read_source(stage, &source));
    TRY(asked_key(stage, &key));
    TRY(dynamodb_list_tags(&stage->pass->target, stage->copy->copy_arn, &tags));
    TRY(ensure_tags(stage, &in_use, &tags, &tagged));
    const struct sides sides = {.stage = stage,
                                .kms_key = key,
                                .is = is,
                                .model = model_of(stage, &in_use, &source),
                                .in_use = in_use.is_there ? &in_use.facts : NULL};
    if (!tagged)
        TRY(err_wrap(differences_put_right(&table_properties, &sides, &name), "table %s", is->table.name));
    if (!tagged && !name)
        return settle(&sides, &in_use, &tags, out);
    *out =
        outcome_wait(stage_jitter_ms(stage, TABLE_LOOK_MS), "%s: set as it should be", name ? name : "tags");
    return NULL;
}

struct err *settings_act_table(struct stage *stage, struct outcome *out)
{
    AUTO_TABLE_FACTS struct table_facts is = {0};

    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, stage->copy->copy_identifier);
    TRY(dynamodb_describe_table(&stage->pass->target, stage->copy->copy_identifier, &is.table));
    if (!dynamodb_table_is_ready(&is.table)) {
        *out = outcome_wait(stage_jitter_ms(stage, stage_pace_ms(stage)), "table %s is %s", is.table.name,
                            is.table.status);
        return NULL;
    }
    TRY(table_facts_complete(&stage->pass->target, &is));
    return compare(stage, &is, out);
}
