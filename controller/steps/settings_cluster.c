/* Settings of a restored cluster: tags first, then what a restore leaves at its defaults or AWS Backup has no
 * word for. Compared with the spec and with the copy in use; changed only where it differs, one property at a
 * time; done when nothing is left that could be put right. */
#include "controller/names.h"
#include "controller/steps/cluster_properties.h"
#include "controller/steps/copy_tags.h"
#include "controller/steps/in_use.h"
#include "controller/steps/key_arn.h"
#include "controller/steps/protection.h"
#include "controller/steps/steps.h"

#define SETTINGS_LOOK_MS SECONDS(10)

/* Which copy is in use is remembered with the intent, so that every look compares with the same one. */
struct err *settings_intend_cluster(struct stage *stage)
{
    AUTO_FREE char *in_use = NULL;

    TRY(in_use_find(stage, &in_use));
    step_set_evidence(stage->row, IN_USE_EVIDENCE, in_use);
    return NULL;
}

static struct err *ensure_tags(struct stage *stage, const struct rds_cluster *cluster, bool *ret_changed)
{
    const struct aurora_spec *spec = &stage->database->aurora;
    AUTO_COPY_TAGS struct copy_tags tags = copy_tags_new(stage, spec->tags, spec->tag_count);

    *ret_changed = copy_tags_lack(&tags, &cluster->tags);
    return *ret_changed ? err_wrap(rds_add_tags(&stage->pass->target, cluster->arn, tags.items, tags.count),
                                   "tag cluster %s", cluster->id)
                        : NULL;
}

/* NULL: the cluster is idle, and so is every instance; else what it does, yours. */
static char *what_it_does(const struct cluster_facts *facts)
{
    const char *status = facts->cluster.status;

    if (!rds_status_is_usable(status))
        return xasprintf("cluster %s is %s", facts->cluster.id, status);
    for (size_t i = 0; i < facts->instances.count; i++) {
        const struct rds_instance *instance = &facts->instances.items[i];

        if (!rds_status_is_usable(instance->status))
            return xasprintf("instance %s is %s", instance->id, instance->status);
    }
    return NULL;
}

/* NULL in *ret: staging uses none, or it is not there any more. */
static struct err *read_in_use(struct stage *stage, struct cluster_facts *facts,
                               const struct cluster_facts **ret)
{
    const char *id = step_evidence(stage->row, IN_USE_EVIDENCE);
    struct err *err;

    if (!id || text_equal(id, stage->copy->copy_identifier))
        return NULL;
    err = cluster_facts_read(&stage->pass->target, id, facts);
    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "then there is nothing to compare with");
        return NULL;
    }
    TRY(err_wrap(err, "look at %s, which staging uses", id));
    *ret = facts;
    return NULL;
}

static void find_in_instances(const struct sides *sides, struct findings *findings)
{
    const struct aurora_spec *spec = &sides->stage->database->aurora;

    for (size_t i = 0; i < spec->instance_count; i++) {
        const char *name = spec->instances[i].name;
        AUTO_FREE char *whose = xasprintf("instance %s's", name);
        struct sides of_instance = *sides;

        of_instance.part = &spec->instances[i];
        of_instance.whose = whose;
        of_instance.is = cluster_facts_instance(sides->is, name);
        of_instance.in_use = sides->in_use ? cluster_facts_instance(sides->in_use, name) : NULL;
        if (of_instance.is) /* else the number of them says it */
            differences_find(&instance_properties, &of_instance, findings);
    }
}

static void settle(const struct sides *sides, struct outcome *out)
{
    struct stage *stage = sides->stage;
    const struct cluster_facts *is = sides->is, *in_use = sides->in_use;
    AUTO_FINDINGS struct findings findings = FINDINGS;

    text_replace(&stage->copy->endpoint, is->cluster.endpoint);
    text_replace(&stage->copy->reader_endpoint, is->cluster.reader_endpoint);
    stage->copy->port = is->cluster.port;
    protection_settle(stage, is->cluster.deletion_protection);
    differences_find(&cluster_properties, sides, &findings);
    find_in_instances(sides, &findings);
    if (in_use)
        copy_tags_compare(&is->cluster.tags, &in_use->cluster.tags, &findings);
    else if (step_evidence(stage->row, IN_USE_EVIDENCE))
        differences_remark(&findings, "the copy in use, %s, is not there any more",
                           step_evidence(stage->row, IN_USE_EVIDENCE));
    differences_settle(stage, &findings, out);
}

static struct err *compare(struct stage *stage, const struct cluster_facts *is, struct outcome *out)
{
    AUTO_CLUSTER_FACTS struct cluster_facts facts = {0};
    const struct cluster_facts *in_use = NULL;
    AUTO_FREE char *key = NULL;
    const char *name = NULL;

    TRY(read_in_use(stage, &facts, &in_use));
    TRY(key_arn(&stage->pass->target, stage->database->aurora.kms_key, &key));
    const struct sides sides = {.stage = stage, .kms_key = key, .is = is, .model = in_use, .in_use = in_use};
    TRY(err_wrap(differences_put_right(&cluster_properties, &sides, &name), "cluster %s", is->cluster.id));
    if (name)
        *out = outcome_wait(SETTINGS_LOOK_MS, "%s: set as it should be", name);
    else
        settle(&sides, out);
    return NULL;
}

struct err *settings_act_cluster(struct stage *stage, struct outcome *out)
{
    AUTO_CLUSTER_FACTS struct cluster_facts is = {0};
    AUTO_FREE char *busy = NULL;
    bool tagged;

    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, stage->copy->copy_identifier);
    TRY(cluster_facts_read(&stage->pass->target, stage->copy->copy_identifier, &is));
    TRY(ensure_tags(stage, &is.cluster, &tagged));
    busy = what_it_does(&is);
    if (tagged)
        *out = outcome_wait(SECONDS(5), "tags were set");
    else if (busy)
        *out = outcome_wait(SETTINGS_LOOK_MS, "%s", busy);
    else
        return compare(stage, &is, out);
    return NULL;
}
