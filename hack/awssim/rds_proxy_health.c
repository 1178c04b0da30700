/* What a proxy finds when it tries to reach a member of its cluster. */
#include "hack/awssim/rds.h"
#include "hack/awssim/secretsmanager.h"

static bool contains(const struct json *texts, const char *text)
{
    json_each (item, texts)
        if (text_equal(json_get_text(item, NULL, ""), text))
            return true;
    return false;
}

static bool is_reachable(const struct rds_state *state, const struct rds_proxy *proxy,
                         const struct rds_cluster *cluster)
{
    json_each (item, cluster->security_groups) {
        const struct rds_security_group *group = sim_rds_security_group(state, json_get_text(item, NULL, ""));

        json_each (from, proxy->security_groups)
            if (group && contains(group->from, json_get_text(from, NULL, "")))
                return true;
    }
    return false;
}

static bool secret_logs_in(const struct rds_state *state, const struct rds_cluster *cluster,
                           const char *secret_arn)
{
    const char *value = sim_secret_current(state->account, secret_arn);
    AUTO_JSON struct json *parsed = NULL;

    if (!value)
        return false;
    AUTO_ERR struct err *err = json_parse(str_of(value), NULL, &parsed);
    if (err)
        return false;
    const char *user = json_get_text(parsed, "username", ""),
               *password = json_get_text(parsed, "password", "");
    return sim_rds_login_fits(json_get_text(json_member(cluster->logins, user), NULL, NULL), password);
}

static bool some_secret_logs_in(const struct rds_state *state, const struct rds_proxy *proxy,
                                const struct rds_cluster *cluster)
{
    json_each (item, proxy->auth)
        if (secret_logs_in(state, cluster, json_get_text(item, "SecretArn", "")))
            return true;
    return false;
}

static bool answers(const char *instance_status)
{
    static const char *const deaf[] = {"creating", "deleting", "rebooting", "failed", "stopped"};

    for (size_t i = 0; i < COUNT_OF(deaf); i++)
        if (text_equal(deaf[i], instance_status))
            return false;
    return !str_starts(str_of(instance_status), "incompatible-");
}

static void set_health(struct proxy_target *target, const char *reason, const char *description)
{
    xfree(target->description);
    target->health = reason ? HEALTH_UNAVAILABLE : HEALTH_AVAILABLE;
    target->reason = reason;
    target->description = xstrdup_or_null(description);
}

void sim_proxy_look_at(const struct rds_state *state, const struct rds_proxy *proxy,
                       const struct rds_cluster *cluster, struct proxy_target *target)
{
    const struct rds_instance *instance = sim_rds_instance(state, target->instance_id, NULL);

    if (!is_reachable(state, proxy, cluster))
        set_health(
            target, "UNREACHABLE",
            "DBProxy Target unavailable due to an internal error: no route through the security groups");
    else if (!json_count(proxy->auth))
        set_health(target, "AUTH_FAILURE", "Proxy does not have any registered credentials");
    else if (!instance || !answers(sim_rds_instance_status(state, instance)))
        set_health(target, "CONNECTION_FAILED", "The database does not accept connections");
    else if (!some_secret_logs_in(state, proxy, cluster))
        set_health(target, "AUTH_FAILURE", "Database rejected the credentials of the proxy's secrets");
    else
        set_health(target, NULL, NULL);
}
