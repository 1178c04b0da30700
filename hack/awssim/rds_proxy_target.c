/* Registering, deregistering and describing the one cluster that a proxy may have, and how healthy its
 * members are. */
#include "hack/awssim/rds.h"

static int64_t now_of(const struct rds_state *state)
{
    return sim_now(state->account->sim);
}

/* ---- tracking ---- */

void sim_proxy_track(struct rds_state *state, struct rds_proxy *proxy, const char *cluster_id)
{
    proxy->cluster_id = xstrdup(cluster_id);
    proxy->leaving_ms = 0;
    if (proxy->targetless_since_ms)
        proxy->targetless_ms += now_of(state) - proxy->targetless_since_ms;
    proxy->targetless_since_ms = 0;
}

static void drop_target(struct rds_proxy *proxy, size_t index)
{
    xfree(proxy->targets[index].instance_id);
    xfree(proxy->targets[index].description);
    proxy->target_count--;
    memmove(&proxy->targets[index], &proxy->targets[index + 1],
            (proxy->target_count - index) * sizeof(struct proxy_target));
}

void sim_proxy_untrack(struct rds_proxy *proxy, int64_t at_ms)
{
    xfree(TAKE(proxy->cluster_id));
    proxy->leaving_ms = 0;
    if (!proxy->targetless_since_ms)
        proxy->targetless_since_ms = at_ms;
    while (proxy->target_count)
        drop_target(proxy, proxy->target_count - 1);
}

static void add_target(const struct rds_state *state, struct rds_proxy *proxy,
                       const struct rds_instance *instance)
{
    int64_t lag_ms = proxy->settled ? 0 : sim_duration(state->account->sim, "rds.register");

    proxy->targets = xgrow(proxy->targets, proxy->target_count, sizeof(*proxy->targets));
    proxy->targets[proxy->target_count++] =
        (struct proxy_target){.instance_id = xstrdup(instance->id), .check_ms = now_of(state) + lag_ms};
}

static bool has_target(const struct rds_proxy *proxy, const char *instance_id)
{
    for (size_t i = 0; i < proxy->target_count; i++)
        if (text_equal(proxy->targets[i].instance_id, instance_id))
            return true;
    return false;
}

static bool has_instance(const struct rds_cluster *cluster, const char *id)
{
    for (size_t i = 0; i < cluster->instance_count; i++)
        if (text_equal(cluster->instances[i]->id, id))
            return true;
    return false;
}

static void follow_members(const struct rds_state *state, struct rds_proxy *proxy,
                           const struct rds_cluster *cluster)
{
    for (size_t i = proxy->target_count; i-- > 0;)
        if (!has_instance(cluster, proxy->targets[i].instance_id))
            drop_target(proxy, i);
    for (size_t i = 0; i < cluster->instance_count; i++)
        if (!has_target(proxy, cluster->instances[i]->id))
            add_target(state, proxy, cluster->instances[i]);
}

void sim_proxy_advance(struct rds_state *state, struct rds_proxy *proxy)
{
    int64_t now_ms = now_of(state);

    if (proxy->leaving_ms && now_ms >= proxy->leaving_ms)
        sim_proxy_untrack(proxy, proxy->leaving_ms);
    const struct rds_cluster *cluster = proxy->cluster_id ? sim_rds_cluster(state, proxy->cluster_id) : NULL;
    if (!cluster)
        return;
    follow_members(state, proxy, cluster);
    proxy->settled = false;
    for (size_t i = 0; i < proxy->target_count; i++) {
        struct proxy_target *target = &proxy->targets[i];

        if (now_ms < target->check_ms)
            continue;
        sim_proxy_look_at(state, proxy, cluster, target);
        target->check_ms = now_ms + sim_duration(state->account->sim, "rds.proxyCheck");
    }
}

/* ---- answers ---- */

static const char *const health_words[] = {
    [HEALTH_REGISTERING] = "REGISTERING",
    [HEALTH_AVAILABLE] = "AVAILABLE",
    [HEALTH_UNAVAILABLE] = "UNAVAILABLE",
};

static struct json *cluster_row(const struct rds_cluster *cluster)
{
    struct json *row = json_new_object();

    json_set_text(row, "RdsResourceId", cluster->id);
    json_set_text(row, "TargetArn", cluster->arn);
    json_set_int(row, "Port", cluster->port);
    json_set_text(row, "Type", "TRACKED_CLUSTER");
    return row;
}

static struct json *instance_row(const struct rds_state *state, const struct rds_cluster *cluster,
                                 const struct proxy_target *target)
{
    const struct rds_instance *instance = sim_rds_instance(state, target->instance_id, NULL);
    AUTO_FREE char *host = sim_rds_host(state, target->instance_id, "");
    struct json *row = json_new_object(), *health = json_new_object();

    json_set_text(health, "State", health_words[target->health]);
    json_set_text(health, "Reason", target->reason);
    json_set_text(health, "Description", target->description);
    json_set_text(row, "Endpoint", host);
    json_set_text(row, "TrackedClusterId", cluster->id);
    json_set_text(row, "RdsResourceId", target->instance_id);
    json_set_text(row, "TargetArn", instance ? instance->arn : NULL);
    json_set_int(row, "Port", cluster->port);
    json_set_text(row, "Type", "RDS_INSTANCE");
    json_set_text(row, "Role", instance && instance->writer ? "READ_WRITE" : "READ_ONLY");
    json_set(row, "TargetHealth", health);
    return row;
}

static struct json *rows(const struct rds_state *state, const struct rds_proxy *proxy)
{
    const struct rds_cluster *cluster = proxy->cluster_id ? sim_rds_cluster(state, proxy->cluster_id) : NULL;
    struct json *array = json_new_array();

    if (!cluster)
        return array;
    json_append(array, cluster_row(cluster));
    for (size_t i = 0; i < proxy->target_count; i++)
        json_append(array, instance_row(state, cluster, &proxy->targets[i]));
    return array;
}

static struct rds_proxy *find_or_refuse(struct call *call)
{
    struct rds_proxy *proxy = sim_proxy_find(call_state(call), call_text(call, "DBProxyName"));
    const char *group = call_text(call, "TargetGroupName");

    call_effect(call, EFFECT_CHANGED, proxy ? proxy->arn : call_text(call, "DBProxyName"));
    if (!proxy) {
        sim_proxy_refuse_missing(call);
    } else if (group && !text_equal(group, "default")) {
        call_refuse(call, 404, "DBProxyTargetGroupNotFoundFault", "DB proxy target group %s was not found",
                    group);
        proxy = NULL;
    }
    return proxy;
}

bool sim_proxy_describe_targets(struct call *call)
{
    const struct rds_proxy *proxy = find_or_refuse(call);

    if (!proxy || !sim_rds_filters_known(call, NULL, 0))
        return false;
    return sim_rds_answer_page(call, "Targets", "member", rows(call_state(call), proxy));
}

/* ---- RegisterDBProxyTargets ---- */

/* The one cluster that the request names. */
static struct rds_cluster *cluster_or_refuse(struct call *call)
{
    const struct json *ids = call_list(call, "DBClusterIdentifiers.member");
    const char *id = json_get_text(json_first(ids), NULL, "");
    struct rds_cluster *cluster = sim_rds_cluster(call_state(call), id);

    if (json_count(ids) != 1 || call_has(call, "DBInstanceIdentifiers"))
        call_refuse(call, 400, "InvalidParameterCombination", "Specify exactly one DB cluster identifier");
    else if (!cluster)
        call_refuse(call, 404, "DBClusterNotFoundFault", "DBCluster %s not found.", id);
    else
        return cluster;
    return NULL;
}

static bool check_proxy(struct call *call, const struct rds_proxy *proxy, const struct rds_cluster *cluster)
{
    const struct rds_state *state = call_state(call);
    bool same = text_equal(proxy->cluster_id, cluster->id);

    if (call->now_ms < proxy->modified_until_ms)
        return call_refuse(call, 400, "InvalidDBProxyStateFault",
                           "DB proxy %s is in an invalid state: modifying", proxy->name);
    if (proxy->cluster_id && !same && state->options.second_target_is_combination)
        return call_refuse(call, 400, "InvalidParameterCombination",
                           "DB proxy %s already has DB cluster %s as its target; deregister it first",
                           proxy->name, proxy->cluster_id);
    if (proxy->cluster_id)
        return call_refuse(call, 400, "DBProxyTargetAlreadyRegisteredFault",
                           "The target group default of DB proxy %s already has a registered target",
                           proxy->name);
    return true;
}

static bool check_fit(struct call *call, const struct rds_proxy *proxy, const struct rds_cluster *cluster)
{
    const char *family = text_equal(cluster->engine, "aurora-postgresql") ? "POSTGRESQL" : "MYSQL";

    if (!text_equal(family, proxy->engine_family))
        return call_refuse(
            call, 400, "InvalidParameterCombination",
            "The engine family %s of DB proxy %s does not match the engine %s of DB cluster %s",
            proxy->engine_family, proxy->name, cluster->engine, cluster->id);
    if (!text_equal(sim_rds_cluster_vpc(call_state(call), cluster), proxy->vpc))
        return call_refuse(call, 400, "InvalidParameterCombination",
                           "DB cluster %s is not in the VPC %s of DB proxy %s", cluster->id, proxy->vpc,
                           proxy->name);
    return true;
}

/* "configuring-log-exports" as this one message spells it: CONFIGURING_LOG_EXPORTS. */
static char *shout(const char *status)
{
    char *text = xstrdup(status);

    for (char *c = text; *c; c++)
        *c = *c == '-' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    return text;
}

static bool check_members(struct call *call, const struct rds_cluster *cluster)
{
    const struct rds_state *state = call_state(call);
    const char *status = sim_rds_cluster_state(state, cluster);

    if (!text_equal(status, "available"))
        return call_refuse(call, 400, "InvalidDBClusterStateFault",
                           "DB Cluster %s is in an unsupported state - %s, needs to be in [available]",
                           cluster->id, status);
    if (!cluster->instance_count)
        return call_refuse(call, 400, "InvalidDBClusterStateFault", "DB Cluster %s has no DB instance",
                           cluster->id);
    for (size_t i = 0; i < cluster->instance_count; i++) {
        const char *is = sim_rds_instance_status(state, cluster->instances[i]);
        AUTO_FREE char *loud = shout(is);

        if (!text_equal(is, "available") && !text_equal(is, "modifying") && !text_equal(is, "backing-up"))
            return call_refuse(
                call, 400, "InvalidDBInstanceState",
                "DB Instance %s is in an unsupported state - %s, needs to be in [AVAILABLE, MODIFYING, "
                "BACKING_UP]",
                cluster->instances[i]->id, loud);
    }
    return true;
}

bool sim_proxy_register(struct call *call)
{
    struct rds_proxy *proxy = find_or_refuse(call);
    struct rds_cluster *cluster = proxy ? cluster_or_refuse(call) : NULL;

    if (!cluster || !check_proxy(call, proxy, cluster) || !check_fit(call, proxy, cluster) ||
        !check_members(call, cluster))
        return false;
    struct rds_state *state = call_state(call);
    sim_proxy_track(state, proxy, cluster->id);
    sim_proxy_advance(state, proxy);
    call_effect(call, EFFECT_CHANGED, proxy->arn);
    json_set(call->out, "DBProxyTargets", sim_rds_list("member", rows(state, proxy)));
    return true;
}

bool sim_proxy_deregister(struct call *call)
{
    struct rds_proxy *proxy = find_or_refuse(call);
    const struct json *ids = call_list(call, "DBClusterIdentifiers.member");
    const char *id = json_get_text(json_first(ids), NULL, "");

    if (!proxy)
        return false;
    if (json_count(ids) != 1 || call_has(call, "DBInstanceIdentifiers"))
        return call_refuse(call, 400, "InvalidParameterCombination",
                           "Specify exactly one DB cluster identifier");
    if (call->now_ms < proxy->modified_until_ms)
        return call_refuse(call, 400, "InvalidDBProxyStateFault",
                           "DB proxy %s is in an invalid state: modifying", proxy->name);
    if (!proxy->cluster_id || proxy->leaving_ms || !str_equal_nocase(str_of(proxy->cluster_id), str_of(id)))
        return call_refuse(call, 404, "DBProxyTargetNotFoundFault",
                           "Target %s is not registered with the target group default of DB proxy %s", id,
                           proxy->name);
    if (!proxy->targetless_since_ms)
        proxy->targetless_since_ms = call->now_ms; /* it serves nobody from now on */
    proxy->leaving_ms = call->now_ms + sim_duration(call->sim, "rds.deregister");
    sim_proxy_advance(call_state(call), proxy);
    call_effect(call, EFFECT_CHANGED, proxy->arn);
    return true;
}

/* ---- the world ---- */

static struct json *dump_targets(const struct rds_proxy *proxy)
{
    struct json *array = json_new_array();

    for (size_t i = 0; i < proxy->target_count; i++) {
        struct json *one = json_new_object();

        json_set_text(one, "instance", proxy->targets[i].instance_id);
        json_set_text(one, "state", health_words[proxy->targets[i].health]);
        json_set_text(one, "reason", proxy->targets[i].reason);
        json_append(array, one);
    }
    return array;
}

struct json *sim_rds_dump_proxies(const struct rds_state *state)
{
    struct json *array = json_new_array();

    for (size_t i = 0; i < state->proxy_count; i++) {
        const struct rds_proxy *proxy = state->proxies[i];
        struct json *one = json_new_object(), *secrets = json_new_array();
        int64_t gap_ms = proxy->targetless_since_ms ? now_of(state) - proxy->targetless_since_ms : 0;

        json_each (item, proxy->auth)
            json_append_text(secrets, json_get_text(item, "SecretArn", ""));
        json_set_text(one, "name", proxy->name);
        json_set_text(one, "arn", proxy->arn);
        json_set_text(one, "target", proxy->leaving_ms ? NULL : proxy->cluster_id);
        json_set(one, "targets", dump_targets(proxy));
        json_set(one, "secrets", secrets);
        json_set(one, "secondsWithoutTarget",
                 json_new_number((double)(proxy->targetless_ms + gap_ms) / 1000.0));
        json_append(array, one);
    }
    return array;
}
