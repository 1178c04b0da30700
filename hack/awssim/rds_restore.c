/* What AWS Backup does with Aurora clusters. A restored cluster has no instance, production's users and
 * passwords, and the default network unless the metadata says otherwise. */
#include "hack/awssim/rds.h"

/* ---- the source ---- */

static bool owns(const char *text)
{
    struct arn arn;

    return sim_arn_parse(text, &arn) && str_is(arn.service, "rds") && str_starts(arn.resource, "cluster:");
}

static bool source(const struct account *account, const char *arn, struct backup_source *ret)
{
    const struct rds_state *state = sim_rds_state(account);
    const struct rds_cluster *cluster = owns(arn) ? sim_rds_cluster(state, arn) : NULL;

    if (!cluster)
        return false;
    const char *status = sim_rds_cluster_state(state, cluster);
    *ret = (struct backup_source){.backupable = text_equal(status, "available"),
                                  .state = status,
                                  .encrypted = cluster->kms_key != NULL,
                                  .kms_key_arn = cluster->kms_key,
                                  .size_bytes = cluster->size_gib * 1024 * 1024 * 1024,
                                  .name = cluster->id};
    return true;
}

static struct json *snapshot(const struct account *account, const char *arn)
{
    const struct rds_cluster *cluster = sim_rds_cluster(sim_rds_state(account), arn);

    if (!cluster)
        return NULL;
    struct json *kept = json_new_object();
    json_set_text(kept, "engine", cluster->engine);
    json_set_text(kept, "engineVersion", cluster->engine_version);
    json_set_text(kept, "masterUsername", cluster->master_username);
    json_set_text(kept, "databaseName", cluster->database_name);
    json_set_int(kept, "port", cluster->port);
    json_set_int(kept, "sizeGiB", cluster->size_gib);
    json_set_copy(kept, "logins", cluster->logins);
    json_set_copy(kept, "tags", cluster->tags);
    json_set_copy(kept, "zones", cluster->zones);
    json_set_copy(kept, "logExports", cluster->log_exports);
    json_set_copy(kept, "securityGroups", cluster->security_groups);
    json_set_text(kept, "subnetGroup", cluster->subnet_group);
    json_set_text(kept, "parameterGroup", cluster->parameter_group);
    json_set_text(kept, "kmsKey", cluster->kms_key);
    json_set_bool(kept, "iamAuth", cluster->iam_auth);
    json_set_bool(kept, "copyTags", cluster->copy_tags);
    return kept;
}

static void put_list(struct json *metadata, const char *name, const struct json *texts)
{
    AUTO_FREE char *text = json_to_text(texts);

    if (json_count(texts))
        json_set_text(metadata, name, text);
}

/* Describes the environment of the source: replaying it elsewhere fails, or lands in a wrong network. */
static struct json *restore_metadata(const struct json *kept)
{
    struct json *metadata = json_new_object();
    AUTO_FREE char *port = xasprintf("%lld", (long long)json_get_int(kept, "port", 0));

    json_set_text(metadata, "Engine", json_get_text(kept, "engine", NULL));
    json_set_text(metadata, "EngineVersion", json_get_text(kept, "engineVersion", NULL));
    json_set_text(metadata, "EngineMode", "provisioned");
    json_set_text(metadata, "Port", port);
    json_set_text(metadata, "DatabaseName", json_get_text(kept, "databaseName", NULL));
    json_set_text(metadata, "DBSubnetGroupName", json_get_text(kept, "subnetGroup", NULL));
    put_list(metadata, "VpcSecurityGroupIds", json_member(kept, "securityGroups"));
    put_list(metadata, "AvailabilityZones", json_member(kept, "zones"));
    put_list(metadata, "EnableCloudwatchLogsExports", json_member(kept, "logExports"));
    json_set_text(metadata, "DBClusterParameterGroupName", json_get_text(kept, "parameterGroup", NULL));
    json_set_text(metadata, "KmsKeyId", json_get_text(kept, "kmsKey", NULL));
    json_set_text(metadata, "EnableIAMDatabaseAuthentication",
                  json_get_bool(kept, "iamAuth", false) ? "true" : "false");
    json_set_text(metadata, "CopyTagsToSnapshot", json_get_bool(kept, "copyTags", false) ? "true" : "false");
    return metadata;
}

/* ---- reading the metadata ---- */

enum key_type { KEY_TEXT, KEY_INT, KEY_BOOL, KEY_LIST, KEY_UNUSED };

static const struct {
    const char *name;
    enum key_type type;
} known_keys[] = {
    {.name = "dbClusterIdentifier", .type = KEY_TEXT},
    {.name = "engine", .type = KEY_TEXT},
    {.name = "engineVersion", .type = KEY_TEXT},
    {.name = "engineMode", .type = KEY_TEXT},
    {.name = "dbSubnetGroupName", .type = KEY_TEXT},
    {.name = "vpcSecurityGroupIds", .type = KEY_LIST},
    {.name = "availabilityZones", .type = KEY_LIST},
    {.name = "port", .type = KEY_INT},
    {.name = "databaseName", .type = KEY_TEXT},
    {.name = "dbClusterParameterGroupName", .type = KEY_TEXT},
    {.name = "optionGroupName", .type = KEY_UNUSED},
    {.name = "kmsKeyId", .type = KEY_TEXT},
    {.name = "enableIAMDatabaseAuthentication", .type = KEY_BOOL},
    {.name = "enableCloudwatchLogsExports", .type = KEY_LIST},
    {.name = "copyTagsToSnapshot", .type = KEY_BOOL},
    {.name = "backtrackWindow", .type = KEY_UNUSED},
    {.name = "scalingConfiguration", .type = KEY_UNUSED},
};

static struct json *text_list(const char *text)
{
    struct json *list = NULL;
    AUTO_ERR struct err *err = json_parse(str_of(text), NULL, &list);

    if (err || !json_is(list, JSON_ARRAY)) {
        json_free(list);
        return NULL;
    }
    json_each (item, list) {
        if (json_is(item, JSON_STRING))
            continue;
        json_free(list);
        return NULL;
    }
    return list;
}

/* The value with its own type, NULL when it is not one. */
static struct json *typed(enum key_type type, const char *text)
{
    int64_t number = 0;

    switch (type) {
    case KEY_LIST:
        return text_list(text);
    case KEY_INT:
        return str_to_int(str_of(text), &number) ? json_new_int(number) : NULL;
    case KEY_BOOL:
        if (!text_equal(text, "true") && !text_equal(text, "false"))
            return NULL;
        return json_new_bool(text_equal(text, "true"));
    case KEY_TEXT:
    case KEY_UNUSED:
        break;
    }
    return json_new_text(text);
}

static bool take_key(struct json *values, const char *key, const char *text, char **ret_failure)
{
    for (size_t i = 0; i < COUNT_OF(known_keys); i++) {
        if (!str_equal_nocase(str_of(known_keys[i].name), str_of(key)))
            continue;
        struct json *value = typed(known_keys[i].type, text);
        if (value && !json_member(values, known_keys[i].name)) {
            json_set(values, known_keys[i].name, value);
            return true;
        }
        *ret_failure = xasprintf("The restore metadata is invalid: %s %s", key,
                                 value ? "is given twice" : "cannot be parsed");
        json_free(value);
        return false;
    }
    *ret_failure = xasprintf("The restore metadata is invalid: unknown key %s", key);
    return false;
}

/* {lower-camel key: typed value}, or NULL with the failure. Keys are taken in any case, as they come from
 * GetRecoveryPointRestoreMetadata in another one than the documentation's. */
static struct json *read_metadata(const struct json *metadata, char **ret_failure)
{
    struct json *values = json_new_object();

    json_each (item, metadata) {
        if (take_key(values, json_key(item), json_get_text(item, NULL, ""), ret_failure))
            continue;
        json_free(values);
        return NULL;
    }
    return values;
}

/* ---- checking it ---- */

static char *rds_fault(int status, const char *code, const char *text)
{
    return xasprintf("%s (Service: AmazonRDS; Status Code: %d; Error Code: %s; Proxy: null)", text, status,
                     code);
}

static char *name_fault(const struct rds_state *state, const struct json *values)
{
    const char *id = json_get_text(values, "dbClusterIdentifier", NULL);

    if (text_is_empty(id) || !json_get_text(values, "engine", NULL))
        return xstrdup("The restore metadata is invalid: dbClusterIdentifier and engine are required");
    if (!sim_rds_is_identifier(id))
        return rds_fault(400, "InvalidParameterValue",
                         "The parameter DBClusterIdentifier is not a valid identifier.");
    if (sim_rds_cluster(state, id))
        return rds_fault(400, "DBClusterAlreadyExistsFault", "DB Cluster already exists");
    return NULL;
}

static const char *default_version(const struct rds_state *state, const char *engine)
{
    const struct json *versions = json_member(state->options.engine_versions, engine);

    return json_get_text(json_first(versions), NULL,
                         text_equal(engine, "aurora-postgresql") ? "16.8" : "8.0.mysql_aurora.3.08.2");
}

static const char *version_of(const struct rds_state *state, const struct json *values)
{
    const char *given = json_get_text(values, "engineVersion", NULL);

    return given ? given : default_version(state, json_get_text(values, "engine", ""));
}

static char *engine_fault(const struct rds_state *state, const struct json *values, const struct json *kept)
{
    const char *engine = json_get_text(values, "engine", ""), *version = version_of(state, values);
    const struct json *others = json_member(state->options.engine_versions, engine);

    if (!text_equal(engine, json_get_text(kept, "engine", "")))
        return rds_fault(400, "InvalidParameterCombination",
                         "The engine does not match the engine of the snapshot");
    if (text_equal(version, json_get_text(kept, "engineVersion", "")) ||
        text_equal(version, default_version(state, engine)))
        return NULL;
    json_each (item, others)
        if (text_equal(json_get_text(item, NULL, ""), version))
            return NULL;
    AUTO_FREE char *text = xasprintf("Cannot find version %s for %s", version, engine);
    return rds_fault(400, "InvalidParameterCombination", text);
}

static const struct rds_subnet_group *subnet_group_of(const struct rds_state *state,
                                                      const struct json *values)
{
    const char *name = json_get_text(values, "dbSubnetGroupName", NULL);

    if (name)
        return sim_rds_subnet_group(state, name);
    for (size_t i = 0; i < state->subnet_group_count; i++)
        if (state->subnet_groups[i]->standard)
            return state->subnet_groups[i];
    return NULL;
}

/* The security groups asked for, or the VPC's default one. Yours. */
static struct json *security_groups_of(const struct rds_state *state, const struct json *values,
                                       const char *vpc)
{
    const struct json *given = json_member(values, "vpcSecurityGroupIds");
    struct json *standard = NULL;

    if (json_count(given))
        return json_copy(given);
    standard = json_new_array();
    for (size_t i = 0; i < state->security_group_count; i++)
        if (state->security_groups[i]->standard && text_equal(state->security_groups[i]->vpc, vpc))
            json_append_text(standard, state->security_groups[i]->id);
    return standard;
}

static char *network_fault(const struct rds_state *state, const struct json *values)
{
    const struct rds_subnet_group *subnets = subnet_group_of(state, values);
    const char *name = json_get_text(values, "dbSubnetGroupName", "default");

    if (!subnets) {
        AUTO_FREE char *text = xasprintf("DB subnet group '%s' does not exist.", name);

        return rds_fault(404, "DBSubnetGroupNotFoundFault", text);
    }
    AUTO_JSON struct json *groups = security_groups_of(state, values, subnets->vpc);
    json_each (item, groups) {
        const char *id = json_get_text(item, NULL, "");
        const struct rds_security_group *group = sim_rds_security_group(state, id);
        AUTO_FREE char *missing = xasprintf("Invalid security group, groupId= %s, groupName=.", id);

        if (!group)
            return rds_fault(400, "InvalidParameterValue", missing);
        if (!text_equal(group->vpc, subnets->vpc))
            return rds_fault(400, "InvalidVPCNetworkStateFault",
                             "The DB instance and EC2 security group are in different VPCs.");
    }
    return NULL;
}

static char *parameter_group_name(const struct json *values, const char *family)
{
    const char *given = json_get_text(values, "dbClusterParameterGroupName", NULL);

    return given ? xstrdup(given) : xasprintf("default.%s", family);
}

static char *parameter_fault(const struct rds_state *state, const struct json *values)
{
    AUTO_FREE char *family = sim_rds_family(json_get_text(values, "engine", ""), version_of(state, values));
    AUTO_FREE char *name = parameter_group_name(values, family);
    AUTO_FREE char *fault = sim_rds_parameter_group_fault(state, name, family);

    if (!fault)
        return NULL;
    bool missing = !sim_rds_parameter_group(state, name);
    return rds_fault(missing ? 404 : 400,
                     missing ? "DBClusterParameterGroupNotFound" : "InvalidParameterCombination", fault);
}

static char *key_fault(const struct restore_request *request, const struct json *values)
{
    const char *key = json_get_text(values, "kmsKeyId", request->kms_key_arn);
    AUTO_FREE char *why = key ? kms_why_unusable(request->account, key) : NULL;

    return why ? rds_fault(400, "KMSKeyNotAccessibleFault", why) : NULL;
}

static char *find_fault(const struct restore_request *request, const struct json *values)
{
    const struct rds_state *state = sim_rds_state(request->account);
    char *fault = name_fault(state, values);

    if (!fault)
        fault = engine_fault(state, values, request->snapshot);
    if (!fault)
        fault = network_fault(state, values);
    if (!fault)
        fault = parameter_fault(state, values);
    return fault ? fault : key_fault(request, values);
}

/* ---- restoring ---- */

static void replace(struct json **slot, struct json *value)
{
    if (!value)
        return;
    json_free(*slot);
    *slot = value;
}

static void set_contents(struct rds_cluster *cluster, const struct json *kept)
{
    cluster->master_username = xstrdup(json_get_text(kept, "masterUsername", "admin"));
    cluster->database_name = xstrdup_or_null(json_get_text(kept, "databaseName", NULL));
    cluster->size_gib = json_get_int(kept, "sizeGiB", 1);
    replace(&cluster->logins, json_copy(json_member(kept, "logins")));
}

static void set_place(const struct rds_state *state, struct rds_cluster *cluster,
                      const struct restore_request *request, const struct json *values)
{
    const struct rds_subnet_group *subnets = subnet_group_of(state, values);
    const char *key = json_get_text(values, "kmsKeyId", request->kms_key_arn);
    const struct kms_key *known = key ? kms_find(request->account, key) : NULL;

    cluster->subnet_group = xstrdup(subnets->name);
    replace(&cluster->security_groups, security_groups_of(state, values, subnets->vpc));
    if (json_member(values, "availabilityZones"))
        replace(&cluster->zones, json_copy(json_member(values, "availabilityZones")));
    else
        replace(&cluster->zones, json_copy(subnets->zones));
    cluster->kms_key = known ? xstrdup(kms_arn(known)) : NULL;
}

static void set_engine(const struct rds_state *state, struct rds_cluster *cluster, const struct json *values,
                       const struct json *kept)
{
    cluster->engine = xstrdup(json_get_text(values, "engine", ""));
    cluster->engine_version = xstrdup(version_of(state, values));
    AUTO_FREE char *family = sim_rds_family(cluster->engine, cluster->engine_version);
    cluster->parameter_group = parameter_group_name(values, family);
    cluster->port = json_get_int(values, "port", json_get_int(kept, "port", 3306));
    cluster->iam_auth = json_get_bool(values, "enableIAMDatabaseAuthentication", false);
    cluster->copy_tags = json_get_bool(values, "copyTagsToSnapshot", false);
    if (json_member(values, "enableCloudwatchLogsExports"))
        replace(&cluster->log_exports, json_copy(json_member(values, "enableCloudwatchLogsExports")));
}

static char *restore(const struct restore_request *request, char **ret_failure)
{
    struct rds_state *state = sim_rds_state(request->account);
    AUTO_JSON struct json *values = read_metadata(request->metadata, ret_failure);

    if (!values)
        return NULL;
    *ret_failure = find_fault(request, values);
    if (*ret_failure)
        return NULL;
    struct rds_cluster *cluster =
        sim_rds_cluster_add(state, json_get_text(values, "dbClusterIdentifier", ""));
    set_engine(state, cluster, values, request->snapshot);
    set_contents(cluster, request->snapshot);
    set_place(state, cluster, request, values);
    cluster->created_ms = request->now_ms;
    cluster->ready_ms = request->ready_ms;
    cluster->announces = true;
    cluster->backup_arn = xstrdup_or_null(request->recovery_point_arn);
    if (request->copy_source_tags || state->options.restore_copies_tags)
        replace(&cluster->tags, json_copy(json_member(request->snapshot, "tags")));
    return xstrdup(cluster->arn);
}

const struct database_kind rds_database_kind = {
    .resource_type = "Aurora",
    .duration_name = "aurora",
    .source = source,
    .snapshot = snapshot,
    .restore_metadata = restore_metadata,
    .restore = restore,
    .owns = owns,
};
