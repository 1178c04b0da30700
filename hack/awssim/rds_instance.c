/* CreateDBInstance, DescribeDBInstances, DeleteDBInstance, RebootDBInstance: members of Aurora clusters only.
 */
#include "hack/awssim/rds.h"

/* ---- DescribeDBInstances ---- */

struct member {
    const struct rds_cluster *cluster;
    const struct rds_instance *instance;
};

static bool cluster_matches(const void *item, const char *value)
{
    const struct rds_cluster *cluster = ((const struct member *)item)->cluster;

    return text_equal(cluster->arn, value) || str_equal_nocase(str_of(cluster->id), str_of(value));
}

static bool id_matches(const void *item, const char *value)
{
    const struct rds_instance *instance = ((const struct member *)item)->instance;

    return text_equal(instance->arn, value) || str_equal_nocase(str_of(instance->id), str_of(value));
}

static bool resource_id_matches(const void *item, const char *value)
{
    return text_equal(((const struct member *)item)->instance->resource_id, value);
}

static bool engine_matches(const void *item, const char *value)
{
    return text_equal(((const struct member *)item)->cluster->engine, value);
}

static const struct rds_filter filters[] = {
    {.name = "db-cluster-id", .matches = cluster_matches},
    {.name = "db-instance-id", .matches = id_matches},
    {.name = "dbi-resource-id", .matches = resource_id_matches},
    {.name = "engine", .matches = engine_matches},
};

static void add_members(const struct call *call, const struct rds_cluster *cluster,
                        const struct rds_instance *wanted, struct json *found)
{
    const struct rds_state *state = call_state(call);

    for (size_t i = 0; i < cluster->instance_count; i++) {
        struct member member = {.cluster = cluster, .instance = cluster->instances[i]};

        if ((!wanted || member.instance == wanted) &&
            !sim_rds_is_hidden(state, member.instance->created_ms) &&
            sim_rds_filters_match(call, filters, COUNT_OF(filters), &member))
            json_append(found, sim_rds_instance_wire(state, cluster, member.instance));
    }
}

bool sim_rds_describe_instances(struct call *call)
{
    const struct rds_state *state = call_state(call);
    const char *id = call_text(call, "DBInstanceIdentifier");
    const struct rds_instance *wanted = id ? sim_rds_instance(state, id, NULL) : NULL;

    if (!sim_rds_filters_known(call, filters, COUNT_OF(filters)))
        return false;
    if (id && (!wanted || sim_rds_is_hidden(state, wanted->created_ms)))
        return call_refuse(call, 404, "DBInstanceNotFound", "DBInstance %s not found.", id);
    struct json *found = json_new_array();
    for (size_t i = 0; i < state->cluster_count; i++)
        add_members(call, state->clusters[i], wanted, found);
    return sim_rds_answer_page(call, "DBInstances", "DBInstance", found);
}

/* ---- CreateDBInstance ---- */

static bool is_one_of(const char *const *list, size_t count, struct str text)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(text, list[i]))
            return true;
    return false;
}

/* "db.r6g.large", "db.serverless" */
bool sim_rds_is_class(const char *text)
{
    static const char *const families[] = {"r5", "r6g", "r6i", "r7g", "r7i", "r8g", "t3", "t4g", "x2g"};
    static const char *const sizes[] = {"small",   "medium",   "large",    "xlarge",   "2xlarge", "4xlarge",
                                        "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge"};
    struct str rest = str_of(text), head, family;

    if (text_equal(text, "db.serverless"))
        return true;
    return str_cut(&rest, '.', &head) && str_is(head, "db") && str_cut(&rest, '.', &family) && rest.ptr &&
           is_one_of(families, COUNT_OF(families), family) && is_one_of(sizes, COUNT_OF(sizes), rest);
}

static bool check_names(struct call *call)
{
    const char *id = call_text(call, "DBInstanceIdentifier"), *class = call_text(call, "DBInstanceClass");

    if (!sim_rds_is_identifier(id))
        return call_refuse(call, 400, "InvalidParameterValue",
                           "The parameter DBInstanceIdentifier is not a valid identifier. Identifiers must "
                           "begin with a letter; "
                           "must contain only ASCII letters, digits, and hyphens; and must not end with a "
                           "hyphen or contain two "
                           "consecutive hyphens.");
    if (sim_rds_instance(call_state(call), id, NULL))
        return call_refuse(call, 400, "DBInstanceAlreadyExists", "DB instance already exists");
    if (!sim_rds_is_class(class))
        return call_refuse(call, 400, "InvalidParameterValue", "Invalid DB Instance class: %s", class);
    return true;
}

static bool check_cluster(struct call *call, const struct rds_cluster *cluster)
{
    const char *status = sim_rds_cluster_state(call_state(call), cluster);
    int64_t tier = call_int(call, "PromotionTier", 1);

    if (!text_equal(status, "available"))
        return call_refuse(call, 400, "InvalidDBClusterStateFault",
                           "DB cluster %s is not in available state: its status is %s.", cluster->id, status);
    if (!text_equal(call_text(call, "Engine"), cluster->engine))
        return call_refuse(call, 400, "InvalidParameterCombination",
                           "The engine name requested for your DB instance (%s) doesn't match the engine "
                           "name of your DB cluster "
                           "(%s).",
                           call_text(call, "Engine"), cluster->engine);
    if (text_equal(call_text(call, "DBInstanceClass"), "db.serverless") && cluster->max_acu <= 0)
        return call_refuse(call, 400, "InvalidDBClusterStateFault",
                           "Set the Serverless v2 scaling configuration on the parent DB cluster before "
                           "creating a Serverless v2 "
                           "DB instance.");
    if (tier < 0 || tier > 15)
        return call_refuse(call, 400, "InvalidParameterValue", "PromotionTier must be between 0 and 15.");
    return true;
}

static char *outcome_of(const struct rds_state *state, const char *id)
{
    json_each (rule, state->options.instance_outcomes)
        if (text_matches(json_key(rule), id))
            return xstrdup(json_get_text(rule, NULL, ""));
    return NULL;
}

static char *first_text(const struct json *texts, const char *otherwise)
{
    return xstrdup(json_get_text(json_first(texts), NULL, otherwise));
}

static void fill(struct call *call, const struct rds_cluster *cluster, struct rds_instance *instance)
{
    const struct rds_state *state = call_state(call);
    const char *zone = call_text(call, "AvailabilityZone"), *group = call_text(call, "DBParameterGroupName");
    AUTO_FREE char *family = sim_rds_family(cluster->engine, cluster->engine_version);
    AUTO_FREE char *region_zone = xasprintf("%sa", call->account->region);

    instance->class_name = xstrdup(call_text(call, "DBInstanceClass"));
    instance->parameter_group = group ? xstrdup(group) : xasprintf("default.%s", family);
    instance->zone = zone ? xstrdup(zone) : first_text(cluster->zones, region_zone);
    instance->promotion_tier = call_int(call, "PromotionTier", 1);
    instance->public_access = call_bool(call, "PubliclyAccessible", false);
    instance->insights = call_bool(call, "EnablePerformanceInsights", false);
    instance->created_ms = call->now_ms;
    instance->status = outcome_of(state, instance->id);
    sim_rds_take_tags(instance->tags, call_list(call, "Tags.Tag"));
}

bool sim_rds_create_instance(struct call *call)
{
    struct rds_state *state = call_state(call);
    const char *cluster_id = call_text(call, "DBClusterIdentifier");
    struct rds_cluster *cluster = cluster_id ? sim_rds_cluster(state, cluster_id) : NULL;
    AUTO_FREE char *arn = account_arn(call->account, "rds", "db:%s", call_text(call, "DBInstanceIdentifier"));

    call_effect(call, EFFECT_CHANGED, arn);
    if (!cluster_id)
        return call_refuse(
            call, 400, "InvalidParameterCombination",
            "This simulator has members of Aurora clusters only: DBClusterIdentifier is required.");
    if (!cluster)
        return call_refuse(call, 404, "DBClusterNotFoundFault", "DBCluster %s not found.", cluster_id);
    if (!check_names(call) || !check_cluster(call, cluster))
        return false;
    struct rds_instance *instance =
        sim_rds_instance_add(state, cluster, call_text(call, "DBInstanceIdentifier"));
    fill(call, cluster, instance);
    call_effect(call, EFFECT_CREATED, instance->arn);
    json_set(call->out, "DBInstance", sim_rds_instance_wire(state, cluster, instance));
    return true;
}

/* ---- DeleteDBInstance, RebootDBInstance ---- */

static struct rds_instance *find_or_refuse(struct call *call, struct rds_cluster **ret_cluster)
{
    const char *id = call_text(call, "DBInstanceIdentifier");
    struct rds_instance *instance = sim_rds_instance(call_state(call), id, ret_cluster);

    call_effect(call, EFFECT_CHANGED, instance ? instance->arn : id);
    if (!instance)
        call_refuse(call, 404, "DBInstanceNotFound", "DBInstance %s not found.", id);
    return instance;
}

bool sim_rds_delete_instance(struct call *call)
{
    struct rds_cluster *cluster = NULL;
    struct rds_instance *instance = find_or_refuse(call, &cluster);

    if (!instance)
        return false;
    const char *status = sim_rds_instance_status(call_state(call), instance);
    if (text_equal(status, "creating") || instance->gone_ms)
        return call_refuse(call, 400, "InvalidDBInstanceState", "Instance %s is currently %s.", instance->id,
                           status);
    if (call_has(call, "FinalDBSnapshotIdentifier"))
        return call_refuse(call, 400, "InvalidParameterCombination",
                           "FinalDBSnapshotIdentifier can not be specified when deleting a cluster instance");
    instance->gone_ms = call->now_ms + sim_duration(call->sim, "rds.instanceDelete");
    call_effect(call, EFFECT_CHANGED, instance->arn);
    json_set(call->out, "DBInstance", sim_rds_instance_wire(call_state(call), cluster, instance));
    return true;
}

bool sim_rds_reboot_instance(struct call *call)
{
    struct rds_cluster *cluster = NULL;
    struct rds_instance *instance = find_or_refuse(call, &cluster);

    if (!instance)
        return false;
    const char *status = sim_rds_instance_status(call_state(call), instance);
    if (!text_equal(status, "available"))
        return call_refuse(call, 400, "InvalidDBInstanceState", "Instance %s is currently %s.", instance->id,
                           status);
    instance->reboot_until_ms = call->now_ms + sim_duration(call->sim, "rds.instanceReboot");
    instance->pending_reboot = false;
    call_effect(call, EFFECT_CHANGED, instance->arn);
    json_set(call->out, "DBInstance", sim_rds_instance_wire(call_state(call), cluster, instance));
    return true;
}
