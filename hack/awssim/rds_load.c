/* accounts[].rds of the world file; docs-services.md describes the keys. */
#include "hack/awssim/rds.h"
#include "hack/awssim/secretsmanager.h"
#include "pkg/base/secret.h"

/* ---- networks and groups ---- */

static struct err *load_subnet_group(const struct loader *loader, struct rds_state *state,
                                     const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(rds_subnet_group, "name", LOAD_TEXT, name), .required = true},
        {LOAD_FIELD(rds_subnet_group, "vpc", LOAD_TEXT, vpc), .required = true},
        {LOAD_FIELD(rds_subnet_group, "zones", LOAD_TEXTS, zones)},
        {LOAD_FIELD(rds_subnet_group, "default", LOAD_BOOL, standard)},
    };
    struct rds_subnet_group *group = RDS_ADD(state->subnet_groups, state->subnet_group_count);
    const char *region = state->account->region;

    TRY(load_fields(loader, node, fields, COUNT_OF(fields), group));
    if (!group->zones) {
        AUTO_FREE char *first = xasprintf("%sa", region);
        AUTO_FREE char *second = xasprintf("%sc", region);

        group->zones = json_new_array();
        json_append_text(group->zones, first);
        json_append_text(group->zones, second);
    }
    return NULL;
}

static struct err *load_security_group(const struct loader *loader, struct rds_state *state,
                                       const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(rds_security_group, "id", LOAD_TEXT, id), .required = true},
        {LOAD_FIELD(rds_security_group, "vpc", LOAD_TEXT, vpc), .required = true},
        {LOAD_FIELD(rds_security_group, "from", LOAD_TEXTS, from)},
        {LOAD_FIELD(rds_security_group, "default", LOAD_BOOL, standard)},
    };
    struct rds_security_group *group = RDS_ADD(state->security_groups, state->security_group_count);

    return load_fields(loader, node, fields, COUNT_OF(fields), group);
}

static struct err *load_parameter_group(const struct loader *loader, struct rds_state *state,
                                        const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(rds_parameter_group, "name", LOAD_TEXT, name), .required = true},
        {LOAD_FIELD(rds_parameter_group, "family", LOAD_TEXT, family), .required = true},
    };
    struct rds_parameter_group *group = RDS_ADD(state->parameter_groups, state->parameter_group_count);

    return load_fields(loader, node, fields, COUNT_OF(fields), group);
}

/* ---- instances ---- */

static struct err *load_instance(const struct loader *loader, struct rds_state *state,
                                 struct rds_cluster *cluster, const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(rds_instance, "id", LOAD_TEXT, id), .required = true},
        {LOAD_FIELD(rds_instance, "class", LOAD_TEXT, class_name), .required = true},
        {LOAD_FIELD(rds_instance, "promotionTier", LOAD_INT, promotion_tier)},
        {LOAD_FIELD(rds_instance, "parameterGroup", LOAD_TEXT, parameter_group)},
        {LOAD_FIELD(rds_instance, "zone", LOAD_TEXT, zone)},
        {LOAD_FIELD(rds_instance, "status", LOAD_TEXT, status)},
        {LOAD_FIELD(rds_instance, "tags", LOAD_MAP, tags)},
    };
    const char *id = json_get_text(node, "id", "");

    if (sim_rds_instance(state, id, NULL))
        return load_error(loader, node, "an instance %s is already there", id);
    struct rds_instance *instance = sim_rds_instance_add(state, cluster, id);
    TRY(load_fields(loader, node, fields, COUNT_OF(fields), instance));
    if (!sim_rds_is_identifier(instance->id))
        return load_error(loader, node, "%s is no identifier", instance->id);
    AUTO_FREE char *family = sim_rds_family(cluster->engine, cluster->engine_version);
    if (!instance->parameter_group)
        instance->parameter_group = xasprintf("default.%s", family);
    if (!instance->zone)
        instance->zone = xasprintf("%sa", state->account->region);
    instance->created_ms = cluster->created_ms;
    instance->announced = true;
    return NULL;
}

/* ---- clusters ---- */

static struct json *zones_of(const struct rds_state *state, const char *subnet_group)
{
    const struct rds_subnet_group *group = sim_rds_subnet_group(state, subnet_group);

    return group ? json_copy(group->zones) : json_new_array();
}

struct cluster_section { /* the cluster, and what the file says besides */
    struct rds_cluster cluster;
    char *password;
    struct json *users;
    const struct json *scaling, *instances;
};

static const struct load_field cluster_fields[] = {
    {LOAD_FIELD(cluster_section, "id", LOAD_TEXT, cluster.id), .required = true},
    {LOAD_FIELD(cluster_section, "engine", LOAD_TEXT, cluster.engine), .required = true,
     .choices = "aurora-mysql aurora-postgresql"},
    {LOAD_FIELD(cluster_section, "engineVersion", LOAD_TEXT, cluster.engine_version), .required = true},
    {LOAD_FIELD(cluster_section, "masterUsername", LOAD_TEXT, cluster.master_username), .required = true},
    {LOAD_FIELD(cluster_section, "masterPassword", LOAD_TEXT, password), .required = true},
    {LOAD_FIELD(cluster_section, "users", LOAD_MAP, users)},
    {LOAD_FIELD(cluster_section, "databaseName", LOAD_TEXT, cluster.database_name)},
    {LOAD_FIELD(cluster_section, "port", LOAD_INT, cluster.port)},
    {LOAD_FIELD(cluster_section, "subnetGroup", LOAD_TEXT, cluster.subnet_group), .required = true},
    {LOAD_FIELD(cluster_section, "securityGroups", LOAD_TEXTS, cluster.security_groups), .required = true},
    {LOAD_FIELD(cluster_section, "parameterGroup", LOAD_TEXT, cluster.parameter_group)},
    {LOAD_FIELD(cluster_section, "key", LOAD_TEXT, cluster.kms_key)},
    {LOAD_FIELD(cluster_section, "sizeGiB", LOAD_INT, cluster.size_gib)},
    {LOAD_FIELD(cluster_section, "backupRetentionDays", LOAD_INT, cluster.retention_days)},
    {LOAD_FIELD(cluster_section, "deletionProtection", LOAD_BOOL, cluster.deletion_protection)},
    {LOAD_FIELD(cluster_section, "iamAuthentication", LOAD_BOOL, cluster.iam_auth)},
    {LOAD_FIELD(cluster_section, "copyTagsToSnapshot", LOAD_BOOL, cluster.copy_tags)},
    {LOAD_FIELD(cluster_section, "logExports", LOAD_TEXTS, cluster.log_exports)},
    {LOAD_FIELD(cluster_section, "managedPassword", LOAD_BOOL, cluster.managed)},
    {LOAD_FIELD(cluster_section, "status", LOAD_TEXT, cluster.status)},
    {LOAD_FIELD(cluster_section, "created", LOAD_TIME, cluster.created_ms)},
    {LOAD_FIELD(cluster_section, "tags", LOAD_MAP, cluster.tags)},
    {LOAD_FIELD(cluster_section, "serverlessV2", LOAD_OBJECT, scaling)},
    {LOAD_FIELD(cluster_section, "instances", LOAD_LIST, instances)},
};

static struct err *load_scaling(const struct loader *loader, struct rds_cluster *cluster,
                                const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(rds_cluster, "minACU", LOAD_NUMBER, min_acu), .required = true},
        {LOAD_FIELD(rds_cluster, "maxACU", LOAD_NUMBER, max_acu), .required = true},
        {LOAD_FIELD(rds_cluster, "pauseSeconds", LOAD_INT, pause_s)},
    };

    return node ? load_fields(loader, node, fields, COUNT_OF(fields), cluster) : NULL;
}

static void set_logins(struct rds_state *state, struct rds_cluster *cluster,
                       const struct cluster_section *section)
{
    AUTO_FREE char *login = sim_rds_login_new(state->account->sim, section->password);

    json_set_text(cluster->logins, cluster->master_username, login);
    json_each (user, section->users) {
        AUTO_FREE char *one = sim_rds_login_new(state->account->sim, json_get_text(user, NULL, ""));

        json_set_text(cluster->logins, json_key(user), one);
    }
}

static struct err *check_cluster(const struct loader *loader, const struct rds_state *state,
                                 const struct rds_cluster *cluster, const struct json *node)
{
    AUTO_FREE char *family = sim_rds_family(cluster->engine, cluster->engine_version);
    AUTO_FREE char *fault = sim_rds_parameter_group_fault(state, cluster->parameter_group, family);

    if (!sim_rds_is_identifier(cluster->id))
        return load_error(loader, node, "%s is no identifier", cluster->id);
    if (sim_rds_cluster(state, cluster->id) != cluster)
        return load_error(loader, node, "a cluster %s is already there", cluster->id);
    if (!sim_rds_subnet_group(state, cluster->subnet_group))
        return load_error(loader, node, "there is no subnet group %s", cluster->subnet_group);
    json_each (item, cluster->security_groups)
        if (!sim_rds_security_group(state, json_get_text(item, NULL, "")))
            return load_error(loader, node, "there is no security group %s", json_get_text(item, NULL, ""));
    return fault ? load_error(loader, node, "%s", fault) : NULL;
}

static struct err *load_cluster(const struct loader *loader, struct rds_state *state, const struct json *node)
{
    struct rds_cluster *cluster = sim_rds_cluster_add(state, json_get_text(node, "id", ""));
    struct cluster_section section = {.cluster = *cluster};

    section.cluster.created_ms = sim_now(state->account->sim) - DAYS(400);
    struct err *err = load_fields(loader, node, cluster_fields, COUNT_OF(cluster_fields), &section);
    *cluster = section.cluster;
    if (!err)
        set_logins(state, cluster, &section);
    wipe_free(section.password);
    json_free(section.users);
    TRY(err);
    AUTO_FREE char *family = sim_rds_family(cluster->engine, cluster->engine_version);
    if (!cluster->port)
        cluster->port = text_equal(cluster->engine, "aurora-postgresql") ? 5432 : 3306;
    if (!cluster->parameter_group)
        cluster->parameter_group = xasprintf("default.%s", family);
    if (!json_count(cluster->zones)) {
        json_free(cluster->zones);
        cluster->zones = zones_of(state, cluster->subnet_group);
    }
    TRY(check_cluster(loader, state, cluster, node));
    TRY(load_scaling(loader, cluster, section.scaling));
    json_each (item, section.instances)
        TRY(load_instance(loader, state, cluster, item));
    return NULL;
}

/* ---- options ---- */

static struct err *load_password_reset(const struct loader *loader, struct rds_options *options,
                                       const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(rds_options, "pendingMask", LOAD_BOOL, show_pending)},
        {LOAD_FIELD(rds_options, "status", LOAD_BOOL, show_status)},
        {LOAD_FIELD(rds_options, "event", LOAD_BOOL, show_event)},
        {LOAD_FIELD(rds_options, "needsInstance", LOAD_BOOL, reset_needs_instance)},
    };

    return node ? load_fields(loader, node, fields, COUNT_OF(fields), options) : NULL;
}

static struct err *load_versions(const struct loader *loader, struct rds_options *options,
                                 const struct json *node)
{
    json_each (engine, node) {
        if (!json_is(engine, JSON_ARRAY) || !json_get_text(json_first(engine), NULL, NULL))
            return load_error(loader, engine, "expected a list of versions, the default first");
    }
    options->engine_versions = node ? json_copy(node) : NULL;
    return NULL;
}

struct rds_section {
    const struct json *subnet_groups, *security_groups, *parameter_groups, *clusters, *proxies,
        *password_reset, *versions;
    struct json *outcomes;
    char *second_target, *host;
    bool restore_copies_tags;
};

static const struct load_field section_fields[] = {
    {LOAD_FIELD(rds_section, "hostPart", LOAD_TEXT, host)},
    {LOAD_FIELD(rds_section, "subnetGroups", LOAD_LIST, subnet_groups)},
    {LOAD_FIELD(rds_section, "securityGroups", LOAD_LIST, security_groups)},
    {LOAD_FIELD(rds_section, "clusterParameterGroups", LOAD_LIST, parameter_groups)},
    {LOAD_FIELD(rds_section, "clusters", LOAD_LIST, clusters)},
    {LOAD_FIELD(rds_section, "proxies", LOAD_LIST, proxies)},
    {LOAD_FIELD(rds_section, "passwordReset", LOAD_OBJECT, password_reset)},
    {LOAD_FIELD(rds_section, "engineVersions", LOAD_OBJECT, versions)},
    {LOAD_FIELD(rds_section, "instanceOutcomes", LOAD_MAP, outcomes)},
    {LOAD_FIELD(rds_section, "restoreCopiesTags", LOAD_BOOL, restore_copies_tags)},
    {LOAD_FIELD(rds_section, "secondTarget", LOAD_TEXT, second_target),
     .choices = "AlreadyRegistered InvalidCombination"},
};

static struct err *load_lists(const struct loader *loader, struct rds_state *state,
                              const struct rds_section *section)
{
    json_each (item, section->subnet_groups)
        TRY(load_subnet_group(loader, state, item));
    json_each (item, section->security_groups)
        TRY(load_security_group(loader, state, item));
    json_each (item, section->parameter_groups)
        TRY(load_parameter_group(loader, state, item));
    json_each (item, section->clusters)
        TRY(load_cluster(loader, state, item));
    TRY(load_password_reset(loader, &state->options, section->password_reset));
    TRY(load_versions(loader, &state->options, section->versions));
    return sim_rds_load_proxies(loader, state, section->proxies);
}

struct err *sim_rds_load(const struct loader *loader, struct account *account, const struct json *node)
{
    struct rds_state *state = sim_rds_state(account);
    struct rds_section section = {0};

    state->account = account;
    state->host = sim_new_token(account->sim, "abcdefghijklmnopqrstuvwxyz0123456789", 12);
    state->options = (struct rds_options){.show_pending = true, .show_status = true, .show_event = true};
    if (!node)
        return NULL;
    struct err *err = load_fields(loader, node, section_fields, COUNT_OF(section_fields), &section);
    state->options.instance_outcomes = section.outcomes;
    state->options.restore_copies_tags = section.restore_copies_tags;
    state->options.second_target_is_combination = text_equal(section.second_target, "InvalidCombination");
    xfree(section.second_target);
    if (section.host) {
        xfree(state->host);
        state->host = section.host;
    }
    return err ? err : load_lists(loader, state, &section);
}

/* ---- what lies in other sections ---- */

static struct err *check_key(const struct loader *loader, struct rds_state *state,
                             struct rds_cluster *cluster, const struct json *node)
{
    const struct kms_key *key = cluster->kms_key ? kms_find(state->account, cluster->kms_key) : NULL;

    if (cluster->kms_key && !key)
        return load_error(loader, node, "there is no key %s", cluster->kms_key);
    xfree(cluster->kms_key);
    cluster->kms_key = key ? xstrdup(kms_arn(key)) : NULL;
    return NULL;
}

/* A managed password of the world is in a secret of RDS from the beginning. */
static void make_secret(struct rds_state *state, struct rds_cluster *cluster, const char *password)
{
    AUTO_JSON struct json *value = json_new_object();
    AUTO_FREE char *uuid = sim_new_uuid(state->account->sim);
    AUTO_FREE char *name = xasprintf("rds!cluster-%s", uuid);

    json_set_text(value, "username", cluster->master_username);
    json_set_text(value, "password", password);
    AUTO_FREE char *text = json_to_text(value);
    cluster->secret_kms_key = xstrdup("alias/aws/secretsmanager");
    cluster->secret_arn = sim_secret_create_owned(state->account, "rds", name, text, NULL);
}

struct err *sim_rds_check(const struct loader *loader, struct account *account, const struct json *section)
{
    struct rds_state *state = sim_rds_state(account);
    size_t i = 0;

    json_each (node, json_member(section, "clusters")) {
        struct rds_cluster *cluster = state->clusters[i++];

        TRY(check_key(loader, state, cluster, node));
        if (cluster->managed)
            make_secret(state, cluster, json_get_text(node, "masterPassword", ""));
    }
    return sim_rds_check_proxies(loader, state, json_member(section, "proxies"));
}
