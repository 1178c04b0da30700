/* The shapes of answers, and of GET /_sim/world. */
#include "hack/awssim/rds.h"

struct json *sim_rds_list(const char *member, struct json *array)
{
    struct json *list = json_new_object();

    if (json_count(array))
        json_set(list, member, array);
    else
        json_free(array);
    return list;
}

struct json *sim_rds_time(int64_t world_ms)
{
    char text[TIME_TEXT_MAX];

    time_rfc3339_ms(world_ms, text);
    return json_new_text(text);
}

struct json *sim_rds_tags(const struct json *tags)
{
    struct json *array = json_new_array();

    json_each (tag, tags) {
        struct json *pair = json_new_object();

        json_set_text(pair, "Key", json_key(tag));
        json_set_text(pair, "Value", json_get_text(tag, NULL, ""));
        json_append(array, pair);
    }
    return sim_rds_list("Tag", array);
}

char *sim_rds_host(const struct rds_state *state, const char *label, const char *kind)
{
    const char *suffix =
        text_equal(state->account->partition, "aws-cn") ? "amazonaws.com.cn" : "amazonaws.com";

    return xasprintf("%s.%s%s.%s.rds.%s", label, kind, state->host, state->account->region, suffix);
}

static struct json *copy_texts(const struct json *texts)
{
    return texts ? json_copy(texts) : json_new_array();
}

static struct json *memberships(const struct json *security_groups)
{
    struct json *array = json_new_array();

    json_each (group, security_groups) {
        struct json *one = json_new_object();

        json_set_text(one, "VpcSecurityGroupId", json_get_text(group, NULL, ""));
        json_set_text(one, "Status", "active");
        json_append(array, one);
    }
    return sim_rds_list("VpcSecurityGroupMembership", array);
}

/* ---- clusters ---- */

static struct json *members_wire(const struct rds_state *state, const struct rds_cluster *cluster)
{
    struct json *array = json_new_array();

    for (size_t i = 0; i < cluster->instance_count; i++) {
        const struct rds_instance *instance = cluster->instances[i];
        struct json *member = json_new_object();

        if (sim_rds_is_hidden(state, instance->created_ms)) {
            json_free(member);
            continue;
        }
        json_set_text(member, "DBInstanceIdentifier", instance->id);
        json_set_bool(member, "IsClusterWriter", instance->writer);
        json_set_text(member, "DBClusterParameterGroupStatus",
                      instance->pending_reboot ? "pending-reboot" : "in-sync");
        json_set_int(member, "PromotionTier", instance->promotion_tier);
        json_append(array, member);
    }
    return sim_rds_list("DBClusterMember", array);
}

static void put_endpoints(const struct rds_state *state, const struct rds_cluster *cluster, struct json *wire)
{
    AUTO_FREE char *writer = sim_rds_host(state, cluster->id, "cluster-");
    AUTO_FREE char *reader = sim_rds_host(state, cluster->id, "cluster-ro-");

    json_set_text(wire, "Endpoint", writer);
    json_set_text(wire, "ReaderEndpoint", reader);
    json_set_int(wire, "Port", cluster->port);
}

static void put_password(const struct rds_state *state, const struct rds_cluster *cluster, struct json *wire)
{
    json_set_text(wire, "MasterUsername", cluster->master_username);
    if (cluster->reset == RESET_PASSWORD && state->options.show_pending) {
        struct json *pending = json_new_object();

        json_set_text(pending, "MasterUserPassword", "****");
        json_set(wire, "PendingModifiedValues", pending);
    }
    if (cluster->secret_arn) {
        struct json *secret = json_new_object();

        json_set_text(secret, "SecretArn", cluster->secret_arn);
        json_set_text(secret, "SecretStatus", sim_rds_secret_status(cluster));
        json_set_text(secret, "KmsKeyId", cluster->secret_kms_key);
        json_set(wire, "MasterUserSecret", secret);
    }
}

static void put_scaling(const struct rds_cluster *cluster, struct json *wire)
{
    if (cluster->max_acu <= 0)
        return;
    struct json *scaling = json_new_object();

    json_set(scaling, "MinCapacity", json_new_number(cluster->min_acu));
    json_set(scaling, "MaxCapacity", json_new_number(cluster->max_acu));
    if (cluster->pause_s >= 0)
        json_set_int(scaling, "SecondsUntilAutoPause", cluster->pause_s);
    json_set(wire, "ServerlessV2ScalingConfiguration", scaling);
}

static void put_settings(const struct rds_cluster *cluster, struct json *wire)
{
    json_set_int(wire, "AllocatedStorage", 1);
    json_set(wire, "AvailabilityZones", sim_rds_list("AvailabilityZone", copy_texts(cluster->zones)));
    json_set_int(wire, "BackupRetentionPeriod", cluster->retention_days);
    json_set_text(wire, "DatabaseName", cluster->database_name);
    json_set_text(wire, "DBClusterParameterGroup", cluster->parameter_group);
    json_set_text(wire, "DBSubnetGroup", cluster->subnet_group);
    json_set(wire, "VpcSecurityGroups", memberships(cluster->security_groups));
    json_set_bool(wire, "StorageEncrypted", cluster->kms_key != NULL);
    json_set_text(wire, "KmsKeyId", cluster->kms_key);
    json_set_bool(wire, "IAMDatabaseAuthenticationEnabled", cluster->iam_auth);
    json_set(wire, "EnabledCloudwatchLogsExports", sim_rds_list("member", copy_texts(cluster->log_exports)));
    json_set_bool(wire, "DeletionProtection", cluster->deletion_protection);
    json_set_bool(wire, "CopyTagsToSnapshot", cluster->copy_tags);
    json_set_bool(wire, "MultiAZ", cluster->instance_count > 1);
    put_scaling(cluster, wire);
}

struct json *sim_rds_cluster_wire(const struct rds_state *state, const struct rds_cluster *cluster)
{
    struct json *wire = json_new_object();

    json_set_text(wire, "DBClusterIdentifier", cluster->id);
    json_set_text(wire, "DBClusterArn", cluster->arn);
    json_set_text(wire, "DbClusterResourceId", cluster->resource_id);
    json_set_text(wire, "Status", sim_rds_cluster_status(state, cluster));
    json_set_text(wire, "Engine", cluster->engine);
    json_set_text(wire, "EngineVersion", cluster->engine_version);
    json_set_text(wire, "EngineMode", "provisioned");
    put_endpoints(state, cluster, wire);
    put_password(state, cluster, wire);
    json_set(wire, "DBClusterMembers", members_wire(state, cluster));
    put_settings(cluster, wire);
    json_set(wire, "ClusterCreateTime", sim_rds_time(cluster->created_ms));
    json_set(wire, "TagList", sim_rds_tags(cluster->tags));
    json_set_text(wire, "AwsBackupRecoveryPointArn", cluster->backup_arn);
    return wire;
}

/* ---- instances ---- */

static void put_instance_endpoint(const struct rds_state *state, const struct rds_cluster *cluster,
                                  const struct rds_instance *instance, struct json *wire)
{
    AUTO_FREE char *host = sim_rds_host(state, instance->id, "");
    struct json *endpoint = json_new_object();

    json_set_text(endpoint, "Address", host);
    json_set_int(endpoint, "Port", cluster->port);
    json_set(wire, "Endpoint", endpoint);
}

struct json *sim_rds_subnet_group_wire(const struct rds_state *state, const struct rds_subnet_group *group)
{
    struct json *wire = json_new_object(), *subnets = json_new_array();
    AUTO_FREE char *arn = account_arn(state->account, "rds", "subgrp:%s", group->name);
    size_t number = 0;

    json_each (zone, group->zones) {
        struct json *subnet = json_new_object(), *where = json_new_object();
        AUTO_FREE char *id =
            xasprintf("subnet-%s-%zu", group->vpc + (strlen(group->vpc) > 4 ? 4 : 0), ++number);

        json_set_text(where, "Name", json_get_text(zone, NULL, ""));
        json_set_text(subnet, "SubnetIdentifier", id);
        json_set(subnet, "SubnetAvailabilityZone", where);
        json_set_text(subnet, "SubnetStatus", "Active");
        json_append(subnets, subnet);
    }
    json_set_text(wire, "DBSubnetGroupName", group->name);
    json_set_text(wire, "DBSubnetGroupDescription", group->name);
    json_set_text(wire, "VpcId", group->vpc);
    json_set_text(wire, "SubnetGroupStatus", "Complete");
    json_set(wire, "Subnets", sim_rds_list("Subnet", subnets));
    json_set_text(wire, "DBSubnetGroupArn", arn);
    return wire;
}

static void put_instance_groups(const struct rds_state *state, const struct rds_cluster *cluster,
                                const struct rds_instance *instance, struct json *wire)
{
    const struct rds_subnet_group *subnets = sim_rds_subnet_group(state, cluster->subnet_group);
    struct json *groups = json_new_array(), *group = json_new_object();

    json_set_text(group, "DBParameterGroupName", instance->parameter_group);
    json_set_text(group, "ParameterApplyStatus", "in-sync");
    json_append(groups, group);
    json_set(wire, "DBParameterGroups", sim_rds_list("DBParameterGroup", groups));
    json_set(wire, "VpcSecurityGroups", memberships(cluster->security_groups));
    if (subnets)
        json_set(wire, "DBSubnetGroup", sim_rds_subnet_group_wire(state, subnets));
}

struct json *sim_rds_instance_wire(const struct rds_state *state, const struct rds_cluster *cluster,
                                   const struct rds_instance *instance)
{
    struct json *wire = json_new_object();
    const char *status = sim_rds_instance_status(state, instance);

    json_set_text(wire, "DBInstanceIdentifier", instance->id);
    json_set_text(wire, "DBInstanceArn", instance->arn);
    json_set_text(wire, "DbiResourceId", instance->resource_id);
    json_set_text(wire, "DBInstanceClass", instance->class_name);
    json_set_text(wire, "DBInstanceStatus", status);
    json_set_text(wire, "DBClusterIdentifier", cluster->id);
    json_set_text(wire, "Engine", cluster->engine);
    json_set_text(wire, "EngineVersion", cluster->engine_version);
    json_set_text(wire, "MasterUsername", cluster->master_username);
    if (!text_equal(status, "creating"))
        put_instance_endpoint(state, cluster, instance, wire);
    put_instance_groups(state, cluster, instance, wire);
    json_set_text(wire, "AvailabilityZone", instance->zone);
    json_set_int(wire, "PromotionTier", instance->promotion_tier);
    json_set_bool(wire, "PubliclyAccessible", instance->public_access);
    json_set_bool(wire, "PerformanceInsightsEnabled", instance->insights);
    json_set_bool(wire, "StorageEncrypted", cluster->kms_key != NULL);
    json_set_text(wire, "KmsKeyId", cluster->kms_key);
    json_set_text(wire, "StorageType", "aurora");
    json_set(wire, "InstanceCreateTime", sim_rds_time(instance->created_ms));
    json_set(wire, "TagList", sim_rds_tags(instance->tags));
    return wire;
}

/* ---- the world ---- */

static struct json *dump_instances(const struct rds_state *state, const struct rds_cluster *cluster)
{
    struct json *array = json_new_array();

    for (size_t i = 0; i < cluster->instance_count; i++) {
        const struct rds_instance *instance = cluster->instances[i];
        struct json *one = json_new_object();

        json_set_text(one, "id", instance->id);
        json_set_text(one, "arn", instance->arn);
        json_set_text(one, "class", instance->class_name);
        json_set_text(one, "status", sim_rds_instance_status(state, instance));
        json_set_bool(one, "writer", instance->writer);
        json_set_bool(one, "publiclyAccessible", instance->public_access);
        json_set_copy(one, "tags", instance->tags);
        json_append(array, one);
    }
    return array;
}

static struct json *dump_cluster(const struct rds_state *state, const struct rds_cluster *cluster)
{
    struct json *one = json_new_object();

    json_set_text(one, "id", cluster->id);
    json_set_text(one, "arn", cluster->arn);
    json_set_text(one, "status", sim_rds_cluster_state(state, cluster));
    json_set_text(one, "engine", cluster->engine);
    json_set_text(one, "engineVersion", cluster->engine_version);
    put_endpoints(state, cluster, one);
    json_set_text(one, "subnetGroup", cluster->subnet_group);
    json_set_copy(one, "securityGroups", cluster->security_groups);
    json_set_text(one, "parameterGroup", cluster->parameter_group);
    json_set_text(one, "kmsKey", cluster->kms_key);
    json_set_int(one, "backupRetentionDays", cluster->retention_days);
    json_set_bool(one, "deletionProtection", cluster->deletion_protection);
    json_set_bool(one, "iamAuthentication", cluster->iam_auth);
    json_set_copy(one, "logExports", cluster->log_exports);
    put_scaling(cluster, one);
    json_set_text(one, "masterUsername", cluster->master_username);
    json_set_bool(one, "passwordResetPending", cluster->reset != RESET_NONE);
    json_set_text(one, "masterSecretArn", cluster->secret_arn);
    json_set_text(one, "recoveryPointArn", cluster->backup_arn);
    json_set(one, "created", sim_rds_time(cluster->created_ms));
    json_set_copy(one, "tags", cluster->tags);
    json_set(one, "instances", dump_instances(state, cluster));
    return one;
}

struct json *sim_rds_dump(struct account *account)
{
    const struct rds_state *state = sim_rds_state(account);
    struct json *all = json_new_object(), *clusters = json_new_array();

    for (size_t i = 0; i < state->cluster_count; i++)
        json_append(clusters, dump_cluster(state, state->clusters[i]));
    json_set(all, "clusters", clusters);
    json_set(all, "proxies", sim_rds_dump_proxies(state));
    return all;
}
