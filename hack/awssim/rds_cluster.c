/* DescribeDBClusters, ModifyDBCluster, DeleteDBCluster, DescribeDBClusterSnapshots. */
#include "hack/awssim/rds.h"

static bool id_matches(const void *item, const char *value)
{
    const struct rds_cluster *cluster = item;

    return text_equal(cluster->arn, value) || str_equal_nocase(str_of(cluster->id), str_of(value));
}

static bool engine_matches(const void *item, const char *value)
{
    return text_equal(((const struct rds_cluster *)item)->engine, value);
}

static bool resource_id_matches(const void *item, const char *value)
{
    return text_equal(((const struct rds_cluster *)item)->resource_id, value);
}

static const struct rds_filter filters[] = {
    {.name = "db-cluster-id", .matches = id_matches},
    {.name = "engine", .matches = engine_matches},
    {.name = "db-cluster-resource-id", .matches = resource_id_matches},
};

/* Says early what the call is about, so that the journal knows it of refused ones, too. */
static struct rds_cluster *find_or_refuse(struct call *call)
{
    const char *id = call_text(call, "DBClusterIdentifier");
    struct rds_cluster *cluster = sim_rds_cluster(call_state(call), id);

    call_effect(call, EFFECT_CHANGED, cluster ? cluster->arn : id);
    if (!cluster)
        call_refuse(call, 404, "DBClusterNotFoundFault", "DBCluster %s not found.", id);
    return cluster;
}

bool sim_rds_describe_clusters(struct call *call)
{
    const struct rds_state *state = call_state(call);
    const char *id = call_text(call, "DBClusterIdentifier");
    const struct rds_cluster *wanted = id ? sim_rds_cluster(state, id) : NULL;

    if (!sim_rds_filters_known(call, filters, COUNT_OF(filters)))
        return false;
    if (id && (!wanted || sim_rds_is_hidden(state, wanted->created_ms)))
        return call_refuse(call, 404, "DBClusterNotFoundFault", "DBCluster %s not found.", id);
    struct json *found = json_new_array();
    for (size_t i = 0; i < state->cluster_count; i++) {
        const struct rds_cluster *cluster = state->clusters[i];

        if ((!wanted || cluster == wanted) && !sim_rds_is_hidden(state, cluster->created_ms) &&
            sim_rds_filters_match(call, filters, COUNT_OF(filters), cluster))
            json_append(found, sim_rds_cluster_wire(state, cluster));
    }
    return sim_rds_answer_page(call, "DBClusters", "DBCluster", found);
}

/* ---- ModifyDBCluster ---- */

static bool is_modifiable(struct call *call, const struct rds_cluster *cluster)
{
    const char *status = sim_rds_cluster_state(call_state(call), cluster);

    if (text_equal(status, "available"))
        return true;
    return call_refuse(call, 400, "InvalidDBClusterStateFault",
                       "DB cluster %s is not in available state: its status is %s.", cluster->id, status);
}

static bool check_groups(struct call *call, const struct rds_cluster *cluster)
{
    const struct rds_state *state = call_state(call);
    const char *vpc = sim_rds_cluster_vpc(state, cluster),
               *group = call_text(call, "DBClusterParameterGroupName");

    json_each (item, call_list(call, "VpcSecurityGroupIds.VpcSecurityGroupId")) {
        const char *id = json_get_text(item, NULL, "");
        const struct rds_security_group *known = sim_rds_security_group(state, id);

        if (!known)
            return call_refuse(call, 400, "InvalidParameterValue",
                               "Invalid security group, groupId= %s, groupName=.", id);
        if (vpc && !text_equal(known->vpc, vpc))
            return call_refuse(call, 400, "InvalidVPCNetworkStateFault",
                               "The DB cluster and EC2 security group %s are not in the same VPC.", id);
    }
    if (!group)
        return true;
    AUTO_FREE char *family = sim_rds_family(cluster->engine, cluster->engine_version);
    AUTO_FREE char *fault = sim_rds_parameter_group_fault(state, group, family);
    if (!fault)
        return true;
    if (!sim_rds_parameter_group(state, group))
        return call_refuse(call, 404, "DBClusterParameterGroupNotFound", "%s", fault);
    return call_refuse(call, 400, "InvalidParameterCombination", "%s", fault);
}

static bool is_half_step(double acu)
{
    return acu * 2 - (double)(int64_t)(acu * 2) == 0; /* half steps are exact in binary */
}

static bool check_values(struct call *call, const struct rds_cluster *cluster)
{
    int64_t days = call_int(call, "BackupRetentionPeriod", 1);
    double min = call_number(call, "ServerlessV2ScalingConfiguration.MinCapacity", cluster->min_acu);
    double max = call_number(call, "ServerlessV2ScalingConfiguration.MaxCapacity", cluster->max_acu);

    if (days < 1 || days > 35)
        return call_refuse(
            call, 400, "InvalidParameterValue",
            "Invalid backup retention period: %lld. Retention period must be between 1 and 35.",
            (long long)days);
    if (!call_has(call, "ServerlessV2ScalingConfiguration"))
        return true;
    if (min < 0 || min > max || max < 1 || max > 256 || !is_half_step(min) || !is_half_step(max))
        return call_refuse(call, 400, "InvalidParameterValue",
                           "Serverless v2 capacity has half steps, a minimum from 0 and a maximum from 1 to "
                           "256 ACU; not %g and %g.",
                           min, max);
    return true;
}

static void set_groups(struct call *call, struct rds_cluster *cluster)
{
    const struct json *groups = call_list(call, "VpcSecurityGroupIds.VpcSecurityGroupId");
    const char *parameters = call_text(call, "DBClusterParameterGroupName");

    if (groups) {
        json_free(cluster->security_groups);
        cluster->security_groups = json_copy(groups);
    }
    if (!parameters || text_equal(parameters, cluster->parameter_group))
        return;
    xfree(cluster->parameter_group);
    cluster->parameter_group = xstrdup(parameters);
    for (size_t i = 0; i < cluster->instance_count; i++)
        cluster->instances[i]->pending_reboot = true;
}

static void set_log_exports(struct call *call, struct rds_cluster *cluster)
{
    struct json *exports = json_new_object(), *after = json_new_array();

    json_each (item, cluster->log_exports)
        json_set_bool(exports, json_get_text(item, NULL, ""), true);
    json_each (item, call_list(call, "CloudwatchLogsExportConfiguration.EnableLogTypes.member"))
        json_set_bool(exports, json_get_text(item, NULL, ""), true);
    json_each (item, call_list(call, "CloudwatchLogsExportConfiguration.DisableLogTypes.member"))
        json_remove(exports, json_get_text(item, NULL, ""));
    json_each (item, exports)
        json_append_text(after, json_key(item));
    json_free(exports);
    json_free(cluster->log_exports);
    cluster->log_exports = after;
}

static void set_settings(struct call *call, struct rds_cluster *cluster)
{
    cluster->retention_days = call_int(call, "BackupRetentionPeriod", cluster->retention_days);
    cluster->iam_auth = call_bool(call, "EnableIAMDatabaseAuthentication", cluster->iam_auth);
    cluster->min_acu = call_number(call, "ServerlessV2ScalingConfiguration.MinCapacity", cluster->min_acu);
    cluster->max_acu = call_number(call, "ServerlessV2ScalingConfiguration.MaxCapacity", cluster->max_acu);
    cluster->pause_s =
        call_int(call, "ServerlessV2ScalingConfiguration.SecondsUntilAutoPause", cluster->pause_s);
    set_groups(call, cluster);
    set_log_exports(call, cluster);
}

/* Whether something changed that the status shows as "modifying" for a while: not a mere flag. */
static bool apply(struct call *call, struct rds_cluster *cluster, bool *ret_any)
{
    const struct rds_state *state = call_state(call);
    AUTO_JSON struct json *before = sim_rds_cluster_wire(state, cluster);

    set_settings(call, cluster);
    AUTO_JSON struct json *settled = sim_rds_cluster_wire(state, cluster);
    cluster->deletion_protection = call_bool(call, "DeletionProtection", cluster->deletion_protection);
    cluster->copy_tags = call_bool(call, "CopyTagsToSnapshot", cluster->copy_tags);
    AUTO_JSON struct json *after = sim_rds_cluster_wire(state, cluster);
    *ret_any = !json_equal(before, after);
    return !json_equal(before, settled);
}

bool sim_rds_modify_cluster(struct call *call)
{
    struct rds_cluster *cluster = find_or_refuse(call);
    bool reset = false, any = false;

    if (!cluster || !is_modifiable(call, cluster) || !check_groups(call, cluster) ||
        !check_values(call, cluster) || !sim_rds_modify_password(call, cluster, &reset))
        return false;
    bool visible = apply(call, cluster, &any);
    call_effect(call, reset || any ? EFFECT_CHANGED : EFFECT_NONE, cluster->arn);
    json_set(call->out, "DBCluster", sim_rds_cluster_wire(call_state(call), cluster));
    if (visible)
        cluster->modified_until_ms = call->now_ms + sim_duration(call->sim, "rds.modify");
    return true;
}

/* ---- DeleteDBCluster ---- */

static bool check_deletable(struct call *call, const struct rds_cluster *cluster)
{
    const char *status = sim_rds_cluster_state(call_state(call), cluster);
    bool skip = call_bool(call, "SkipFinalSnapshot", false),
         named = call_has(call, "FinalDBSnapshotIdentifier");

    if (skip == named)
        return call_refuse(
            call, 400, "InvalidParameterCombination",
            skip ? "FinalDBSnapshotIdentifier cannot be specified when SkipFinalSnapshot is true."
                 : "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.");
    if (cluster->deletion_protection)
        return call_refuse(
            call, 400, "InvalidParameterCombination",
            "Cannot delete protected Cluster, please disable deletion protection and try again.");
    for (size_t i = 0; i < cluster->instance_count; i++)
        if (!cluster->instances[i]->gone_ms)
            return call_refuse(
                call, 400, "InvalidDBClusterStateFault",
                "Cluster cannot be deleted, it still contains DB instances in non-deleting state.");
    if (!text_equal(status, "available") && !cluster->status)
        return call_refuse(call, 400, "InvalidDBClusterStateFault",
                           "DB cluster %s is not in available state: its status is %s.", cluster->id, status);
    return true;
}

static void keep_snapshot(struct call *call, const struct rds_cluster *cluster)
{
    struct rds_state *state = call_state(call);
    struct rds_snapshot *snapshot = RDS_ADD(state->snapshots, state->snapshot_count);

    *snapshot = (struct rds_snapshot){.id = xstrdup(call_text(call, "FinalDBSnapshotIdentifier")),
                                      .cluster_id = xstrdup(cluster->id),
                                      .engine = xstrdup(cluster->engine),
                                      .engine_version = xstrdup(cluster->engine_version),
                                      .master_username = xstrdup(cluster->master_username),
                                      .kms_key = xstrdup_or_null(cluster->kms_key),
                                      .created_ms = call->now_ms};
}

bool sim_rds_delete_cluster(struct call *call)
{
    struct rds_cluster *cluster = find_or_refuse(call);

    if (!cluster || !check_deletable(call, cluster))
        return false;
    if (call_has(call, "FinalDBSnapshotIdentifier"))
        keep_snapshot(call, cluster);
    cluster->gone_ms = call->now_ms + sim_duration(call->sim, "rds.clusterDelete");
    for (size_t i = 0; i < cluster->instance_count; i++)
        if (cluster->instances[i]->gone_ms >= cluster->gone_ms)
            cluster->gone_ms = cluster->instances[i]->gone_ms + 1;
    call_effect(call, EFFECT_CHANGED, cluster->arn);
    json_set(call->out, "DBCluster", sim_rds_cluster_wire(call_state(call), cluster));
    return true;
}

/* ---- final snapshots ---- */

static struct json *snapshot_wire(const struct rds_state *state, const struct rds_snapshot *snapshot)
{
    struct json *wire = json_new_object();
    AUTO_FREE char *arn = account_arn(state->account, "rds", "cluster-snapshot:%s", snapshot->id);

    json_set_text(wire, "DBClusterSnapshotIdentifier", snapshot->id);
    json_set_text(wire, "DBClusterSnapshotArn", arn);
    json_set_text(wire, "DBClusterIdentifier", snapshot->cluster_id);
    json_set_text(wire, "SnapshotType", "manual");
    json_set_text(wire, "Status", "available");
    json_set_int(wire, "PercentProgress", 100);
    json_set_text(wire, "Engine", snapshot->engine);
    json_set_text(wire, "EngineVersion", snapshot->engine_version);
    json_set_text(wire, "MasterUsername", snapshot->master_username);
    json_set_bool(wire, "StorageEncrypted", snapshot->kms_key != NULL);
    json_set_text(wire, "KmsKeyId", snapshot->kms_key);
    json_set(wire, "SnapshotCreateTime", sim_rds_time(snapshot->created_ms));
    return wire;
}

/* Only the final ones; AWS Backup's are in its vaults. */
bool sim_rds_describe_snapshots(struct call *call)
{
    const struct rds_state *state = call_state(call);
    const char *id = call_text(call, "DBClusterSnapshotIdentifier"),
               *cluster = call_text(call, "DBClusterIdentifier");
    const char *type = call_text(call, "SnapshotType");
    struct json *found = json_new_array();

    for (size_t i = 0; i < state->snapshot_count; i++) {
        const struct rds_snapshot *snapshot = state->snapshots[i];

        if ((!id || str_equal_nocase(str_of(id), str_of(snapshot->id))) &&
            (!cluster || str_equal_nocase(str_of(cluster), str_of(snapshot->cluster_id))) &&
            (!type || text_equal(type, "manual")))
            json_append(found, snapshot_wire(state, snapshot));
    }
    if (id && !json_count(found)) {
        json_free(found);
        return call_refuse(call, 404, "DBClusterSnapshotNotFoundFault", "DBClusterSnapshot %s not found.",
                           id);
    }
    return sim_rds_answer_page(call, "DBClusterSnapshots", "DBClusterSnapshot", found);
}
