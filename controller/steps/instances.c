/* Instances: AWS Backup restores a cluster without any. The first one made becomes the writer; the others
 * follow when it can be used. Names follow from the copy's, so that a repeat finds what is there. */
#include "controller/names.h"
#include "controller/pace.h"
#include "controller/steps/steps.h"
#include "pkg/aws/observer.h"

static const struct rds_instance *find_instance(const struct rds_instances *there, const char *id)
{
    for (size_t i = 0; i < there->count; i++) {
        if (text_equal(there->items[i].id, id))
            return &there->items[i];
    }
    return NULL;
}

/* Status words that no waiting will mend. */
static bool is_broken(const char *status)
{
    static const char *const words[] = {"failed", "incompatible-", "insufficient-capacity", "inaccessible-",
                                        "restore-error"};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_starts(str_of(status), words[i]))
            return true;
    }
    return false;
}

static struct err *create(struct stage *stage, const struct instance_spec *spec, const char *id)
{
    AUTO_FREE char *series = name_series(stage->pass);
    struct aws_pair tags[COPY_TAG_COUNT];
    const struct rds_create_instance_opts opts = {
        .instance_id = id,
        .cluster_id = stage->copy->copy_identifier,
        .engine = stage->copy->engine,
        .class_name = spec->class,
        .parameter_group = spec->parameter_group,
        .availability_zone = spec->availability_zone,
        .promotion_tier = (int)spec->promotion_tier,
        .tags = tags,
        .tag_count = COPY_TAG_COUNT,
    };
    struct err *err;

    name_copy_tags(stage, id, series, tags);
    err = rds_create_instance(&stage->pass->target, &opts);
    if (err && err_kind(err) == ERR_CONFLICT) {
        /* Made by an earlier pass whose answer was lost; the next look shows whether it belongs to this
         * cluster. */
        err_ignore(err, "the next look decides");
        return NULL;
    }
    return err_wrap(err, "create instance %s", id);
}

/* A class that scales needs to know between what first. */
static struct err *ensure_scaling(struct stage *stage)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    const struct aurora_spec *spec = &stage->database->aurora;
    const struct rds_modify_opts opts = {
        .cluster_id = stage->copy->copy_identifier, .min_acu = spec->min_acu, .max_acu = spec->max_acu};

    if (!spec->max_acu || step_evidence(stage->row, "scaling"))
        return NULL;
    TRY(rds_describe_cluster(&stage->pass->target, stage->copy->copy_identifier, &cluster));
    if (cluster.max_acu > 0) {
        step_set_evidence(stage->row, "scaling", "set");
        return NULL;
    }
    return err_wrap(rds_modify_cluster(&stage->pass->target, &opts, NULL), "set the scaling of cluster %s",
                    stage->copy->copy_identifier);
}

struct count {
    size_t created, usable;
    char *waiting_for; /* owned: "shop-stg-...-a is creating" */
};

/* Creates what is missing, the writer first, and counts what is there. */
static struct err *advance(struct stage *stage, const struct rds_instances *there, struct count *count,
                           struct outcome *out)
{
    const struct aurora_spec *spec = &stage->database->aurora;

    for (size_t i = 0; i < spec->instance_count; i++) {
        AUTO_FREE char *id = xasprintf("%s-%s", stage->copy->copy_identifier, spec->instances[i].name);
        const struct rds_instance *instance = find_instance(there, id);

        if (!instance) {
            if (i > 0 && count->usable == 0)
                continue; /* the writer first */
            TRY(create(stage, &spec->instances[i], id));
            count->created++;
        } else if (rds_status_is_usable(instance->status)) {
            count->usable++;
        } else if (is_broken(instance->status)) {
            *out = outcome_failed("InstanceBroken", "instance %s is %s; see the account's RDS events", id,
                                  instance->status);
            return NULL;
        }
        if (!count->waiting_for && !(instance && rds_status_is_usable(instance->status)))
            count->waiting_for = xasprintf("%s is %s", id, instance ? instance->status : "being created");
    }
    return NULL;
}

/* As they are now, or as a look of somebody else has just shown them; never as they were before our own last
 * change. */
static struct err *look(struct stage *stage, struct rds_instances *ret, int64_t *ret_again_ms)
{
    const struct observer_rds_query query = {
        .cluster_id = stage->copy->copy_identifier,
        .max_age_ms = stage_pace_ms(stage),
        .not_before_ms = step_evidence_ms(stage->row, "made", 0),
    };
    struct observation seen;

    TRY(observer_instances(&stage->pass->target, &query, ret, &seen));
    *ret_again_ms = seen.expires_ms;
    return NULL;
}

struct err *instances_act(struct stage *stage, struct outcome *out)
{
    const struct aurora_spec *spec = &stage->database->aurora;
    AUTO_RDS_INSTANCES struct rds_instances there = {0};
    struct count count = {0};
    int64_t again_ms;
    struct err *err;

    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, stage->copy->copy_identifier);
    TRY(ensure_scaling(stage));
    TRY(look(stage, &there, &again_ms));
    err = advance(stage, &there, &count, out);
    if (count.created) {
        step_set_evidence_ms(stage->row, "made", sched_wall_ms(stage->pass->env->sched));
        again_ms = PACE_MIN_MS;
    }
    if (err || out->verdict == VERDICT_FAILED) {
        xfree(count.waiting_for);
        return err;
    }
    stage->row->percent = (int64_t)(count.usable * 100 / spec->instance_count);
    if (count.usable == spec->instance_count)
        *out = outcome_done("%zu of %zu instances are available", count.usable, spec->instance_count);
    else
        *out = outcome_wait(stage_jitter_ms(stage, again_ms), "%zu of %zu instances are available, %s",
                            count.usable, spec->instance_count, count.waiting_for ? count.waiting_for : "");
    xfree(count.waiting_for);
    return NULL;
}
