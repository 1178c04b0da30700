/* Settings of a restored cluster: tags first, then what a restore leaves at its defaults or AWS Backup has no
 * word for. Compared with the spec and changed only where it differs; done when nothing differs any more. */
#include "controller/names.h"
#include "controller/steps/differences.h"
#include "controller/steps/steps.h"
#include "pkg/aws/rds.h"

#define SETTINGS_LOOK_MS SECONDS(10)

static bool has_tag(const struct rds_cluster *cluster, const char *key, const char *value)
{
    return text_equal(aws_tags_get(&cluster->tags, key), value);
}

static struct err *ensure_tags(struct stage *stage, const struct rds_cluster *cluster, bool *ret_changed)
{
    const struct aurora_spec *spec = &stage->database->aurora;
    size_t count = COPY_TAG_COUNT + spec->tag_count;
    AUTO_FREE struct aws_pair *tags = xcalloc(count, sizeof(*tags));
    AUTO_FREE char *series = name_series(stage->pass);
    bool missing = false;

    name_copy_tags(stage, stage->copy->copy_identifier, series, tags);
    for (size_t i = 0; i < spec->tag_count; i++)
        tags[COPY_TAG_COUNT + i] =
            (struct aws_pair){.name = spec->tags[i].name, .value = spec->tags[i].value};
    for (size_t i = 0; i < count; i++)
        missing = missing || !has_tag(cluster, tags[i].name, tags[i].value);
    *ret_changed = missing;
    return missing ? err_wrap(rds_add_tags(&stage->pass->target, cluster->arn, tags, count), "tag cluster %s",
                              cluster->id)
                   : NULL;
}

static bool groups_differ(const struct aurora_spec *spec, const struct rds_cluster *cluster)
{
    if (spec->security_group_count && spec->security_group_count != cluster->security_group_ids.count)
        return true;
    for (size_t i = 0; i < spec->security_group_count; i++) {
        if (!aws_texts_have(&cluster->security_group_ids, spec->security_groups[i]))
            return true;
    }
    return false;
}

/* Fills in what must change; false when nothing must. */
static bool find_changes(const struct aurora_spec *spec, const struct rds_cluster *cluster,
                         struct rds_modify_opts *opts)
{
    bool differ = false;

    if (groups_differ(spec, cluster)) {
        opts->security_group_ids = (const char *const *)spec->security_groups;
        opts->security_group_count = spec->security_group_count;
        differ = true;
    }
    if (spec->cluster_parameter_group &&
        !text_equal(spec->cluster_parameter_group, cluster->parameter_group)) {
        opts->parameter_group = spec->cluster_parameter_group;
        differ = true;
    }
    if (spec->backup_retention_days > 0 && spec->backup_retention_days != cluster->backup_retention_days) {
        opts->backup_retention_days = (int)spec->backup_retention_days;
        differ = true;
    }
    if (spec->deletion_protection != UNSET &&
        (spec->deletion_protection == YES) != cluster->deletion_protection) {
        opts->deletion_protection = spec->deletion_protection == YES ? RDS_ON : RDS_OFF;
        differ = true;
    }
    return differ;
}

/* What no change can put right any more. */
static struct err *compare(struct stage *stage, const struct rds_cluster *cluster, struct buf *list)
{
    const struct aurora_spec *spec = &stage->database->aurora;
    AUTO_RDS_INSTANCES struct rds_instances there = {0};

    differences_add(list, "its subnet group", spec->db_subnet_group, cluster->subnet_group);
    differences_add(list, "its engine version", stage->copy->engine_version, cluster->engine_version);
    differences_add(list, "its key", spec->kms_key, cluster->kms_key_id);
    TRY(rds_list_instances(&stage->pass->target, cluster->id, &there));
    for (size_t i = 0; i < spec->instance_count; i++) {
        AUTO_FREE char *id = xasprintf("%s-%s", cluster->id, spec->instances[i].name);
        AUTO_FREE char *what = xasprintf("the class of instance %s", spec->instances[i].name);

        for (size_t k = 0; k < there.count; k++) {
            if (text_equal(there.items[k].id, id))
                differences_add(list, what, spec->instances[i].class, there.items[k].class_name);
        }
    }
    return NULL;
}

struct err *settings_act_cluster(struct stage *stage, struct outcome *out)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    AUTO_BUF struct buf differences = BUF_MAX(DIFFERENCES_MAX);
    struct rds_modify_opts opts = {.cluster_id = stage->copy->copy_identifier};
    bool tagged;

    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, stage->copy->copy_identifier);
    TRY(rds_describe_cluster(&stage->pass->target, stage->copy->copy_identifier, &cluster));
    TRY(ensure_tags(stage, &cluster, &tagged));
    if (tagged) {
        *out = outcome_wait(SECONDS(5), "tags were set");
        return NULL;
    }
    /* A cluster that takes its first backup can be used and changed. */
    if (!text_equal(cluster.status, "available") && !text_equal(cluster.status, "backing-up")) {
        *out = outcome_wait(SETTINGS_LOOK_MS, "cluster %s is %s", cluster.id, cluster.status);
        return NULL;
    }
    if (!find_changes(&stage->database->aurora, &cluster, &opts)) {
        text_replace(&stage->copy->endpoint, cluster.endpoint);
        text_replace(&stage->copy->reader_endpoint, cluster.reader_endpoint);
        stage->copy->port = cluster.port;
        TRY(compare(stage, &cluster, &differences));
        differences_settle(stage, &differences, out);
        return NULL;
    }
    TRY(err_wrap(rds_modify_cluster(&stage->pass->target, &opts, NULL), "change settings of cluster %s",
                 cluster.id));
    *out = outcome_wait(SETTINGS_LOOK_MS, "settings were changed");
    return NULL;
}
