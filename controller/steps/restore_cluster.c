/* Restore of an Aurora cluster. The whole network, key and parameter set comes from the spec: what the
 * recovery point says about it is production's, and what is omitted would come from the account's default
 * VPC. AWS Backup restores the cluster without any instance. */
#include "controller/names.h"
#include "controller/steps/steps.h"
#include "pkg/aws/rds.h"

struct err *restore_intend_cluster(struct stage *stage)
{
    const struct aurora_spec *spec = &stage->database->aurora;
    AUTO_FREE char *name =
        name_copy(spec->identifier_prefix, stage->pass->status->run.id, stage->row->attempt);
    AUTO_RDS_CLUSTER struct rds_cluster there = {0};
    struct err *err = rds_describe_cluster(&stage->pass->target, name, &there);

    if (!err)
        return err_new(ERR_INVALID,
                       "a cluster %s is there already in account %s; nothing is restored over it", name,
                       stage->pass->target_account->account_id);
    if (err_kind(err) != ERR_NOT_FOUND)
        return err;
    err_ignore(err, "free is what the name should be");
    text_replace(&stage->copy->copy_identifier, name);
    return NULL;
}

#define METADATA_MAX 12

struct metadata {
    struct aws_pair pairs[METADATA_MAX];
    size_t count;
};

static void add(struct metadata *metadata, const char *name, const char *value)
{
    if (value)
        metadata->pairs[metadata->count++] = (struct aws_pair){.name = name, .value = value};
}

/* Lists are JSON text inside a text. */
static char *security_groups_text(const struct aurora_spec *spec)
{
    AUTO_JSON struct json *list = json_new_array();

    for (size_t i = 0; i < spec->security_group_count; i++)
        json_append_text(list, spec->security_groups[i]);
    return spec->security_group_count ? json_to_text(list) : NULL;
}

static struct err *start(struct stage *stage, const char *token, char **ret_id)
{
    const struct aurora_spec *spec = &stage->database->aurora;
    int64_t port = spec->port > 0 ? spec->port : stage->copy->port;
    AUTO_FREE char *port_text = port > 0 ? xasprintf("%lld", (long long)port) : NULL;
    AUTO_FREE char *groups = security_groups_text(spec);
    struct metadata metadata = {0};

    add(&metadata, "dbClusterIdentifier", stage->copy->copy_identifier);
    add(&metadata, "engine", stage->copy->engine);
    add(&metadata, "engineVersion", stage->copy->engine_version);
    add(&metadata, "port", port_text);
    add(&metadata, "dbSubnetGroupName", spec->db_subnet_group);
    add(&metadata, "vpcSecurityGroupIds", groups);
    add(&metadata, "dbClusterParameterGroupName", spec->cluster_parameter_group);
    add(&metadata, "kmsKeyId", spec->kms_key);
    add(&metadata, "copyTagsToSnapshot", "true");
    const struct restore_start_opts opts = {
        .recovery_point_arn = stage->copy->copy_recovery_point_arn,
        .role_arn = stage->pass->target_account->service_role_arn,
        .resource_type = "Aurora",
        .token = token,
        .metadata = metadata.pairs,
        .metadata_count = metadata.count,
    };

    return backup_start_restore(&stage->pass->target, &opts, ret_id);
}

/* Its name was free when the restore was intended. */
static struct err *find_made(struct stage *stage, char **ret_arn)
{
    AUTO_RDS_CLUSTER struct rds_cluster there = {0};
    struct err *err = rds_describe_cluster(&stage->pass->target, stage->copy->copy_identifier, &there);

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "NULL says it");
        return NULL;
    }
    TRY(err);
    *ret_arn = TAKE(there.arn);
    return NULL;
}

/* Ours from here on: tagged before anything else is done with it. */
static struct err *finish(struct stage *stage, const struct backup_job *job, struct outcome *out)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    AUTO_FREE char *series = name_series(stage->pass);
    struct aws_pair tags[COPY_TAG_COUNT];

    (void)out;
    TRY(restore_book_copy(stage, job));
    name_copy_tags(stage, stage->copy->copy_identifier, series, tags);
    TRY(err_wrap(rds_add_tags(&stage->pass->target, stage->copy->copy_arn, tags, COPY_TAG_COUNT),
                 "tag cluster %s", stage->copy->copy_identifier));
    TRY(rds_describe_cluster(&stage->pass->target, stage->copy->copy_identifier, &cluster));
    text_replace(&stage->copy->endpoint, cluster.endpoint);
    text_replace(&stage->copy->reader_endpoint, cluster.reader_endpoint);
    stage->copy->port = cluster.port;
    return NULL;
}

struct err *restore_act_cluster(struct stage *stage, struct outcome *out)
{
    static const struct job_ops ops = {.noun = "restore job",
                                       .start = start,
                                       .search = restore_search,
                                       .kind = RESTORE_JOB,
                                       .on_target = true,
                                       .made = restore_made,
                                       .find_made = find_made,
                                       .finish = finish};

    return job_act(stage, &ops, out);
}
