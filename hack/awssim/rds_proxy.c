/* RDS Proxy: the proxies themselves and their one target group. */
#include "hack/awssim/rds.h"
#include "hack/awssim/secretsmanager.h"

struct rds_proxy *sim_proxy_find(const struct rds_state *state, const char *name)
{
    for (size_t i = 0; i < state->proxy_count; i++)
        if (str_equal_nocase(str_of(state->proxies[i]->name), str_of(name)))
            return state->proxies[i];
    return NULL;
}

bool sim_proxy_refuse_missing(struct call *call)
{
    return call_refuse(call, 404, "DBProxyNotFoundFault", "DB proxy %s was not found",
                       call_text(call, "DBProxyName"));
}

void sim_proxy_free(struct rds_proxy *proxy)
{
    for (size_t i = 0; i < proxy->target_count; i++) {
        xfree(proxy->targets[i].instance_id);
        xfree(proxy->targets[i].description);
    }
    xfree(proxy->targets);
    xfree(proxy->name);
    xfree(proxy->arn);
    xfree(proxy->resource_id);
    xfree(proxy->group_arn);
    xfree(proxy->engine_family);
    xfree(proxy->vpc);
    xfree(proxy->role_arn);
    xfree(proxy->cluster_id);
    json_free(proxy->subnets);
    json_free(proxy->security_groups);
    json_free(proxy->auth);
    json_free(proxy->tags);
    xfree(proxy);
}

/* ---- describing ---- */

static const char *proxy_status(const struct call *call, const struct rds_proxy *proxy)
{
    return call->now_ms < proxy->modified_until_ms ? "modifying" : "available";
}

static struct json *texts(const struct json *array)
{
    return sim_rds_list("member", json_copy(array));
}

static struct json *proxy_wire(const struct call *call, const struct rds_proxy *proxy)
{
    struct json *wire = json_new_object();
    AUTO_FREE char *host = sim_rds_host(call_state(call), proxy->name, "proxy-");

    json_set_text(wire, "DBProxyName", proxy->name);
    json_set_text(wire, "DBProxyArn", proxy->arn);
    json_set_text(wire, "Status", proxy_status(call, proxy));
    json_set_text(wire, "EngineFamily", proxy->engine_family);
    json_set_text(wire, "VpcId", proxy->vpc);
    json_set(wire, "VpcSubnetIds", texts(proxy->subnets));
    json_set(wire, "VpcSecurityGroupIds", texts(proxy->security_groups));
    json_set_text(wire, "DefaultAuthScheme", "NONE");
    json_set(wire, "Auth", texts(proxy->auth));
    json_set_text(wire, "RoleArn", proxy->role_arn);
    json_set_text(wire, "Endpoint", host);
    json_set_bool(wire, "RequireTLS", proxy->require_tls);
    json_set_int(wire, "IdleClientTimeout", proxy->idle_timeout_s);
    json_set_bool(wire, "DebugLogging", proxy->debug_logging);
    json_set(wire, "CreatedDate", sim_rds_time(proxy->created_ms));
    json_set(wire, "UpdatedDate", sim_rds_time(proxy->updated_ms));
    return wire;
}

bool sim_proxy_describe(struct call *call)
{
    const struct rds_state *state = call_state(call);
    const char *name = call_text(call, "DBProxyName");
    const struct rds_proxy *wanted = name ? sim_proxy_find(state, name) : NULL;

    if (name && !wanted)
        return sim_proxy_refuse_missing(call);
    if (!sim_rds_filters_known(call, NULL, 0))
        return false;
    struct json *found = json_new_array();
    for (size_t i = 0; i < state->proxy_count; i++)
        if (!wanted || state->proxies[i] == wanted)
            json_append(found, proxy_wire(call, state->proxies[i]));
    return sim_rds_answer_page(call, "DBProxies", "member", found);
}

static struct json *group_wire(const struct rds_proxy *proxy)
{
    struct json *wire = json_new_object(), *pool = json_new_object();

    json_set_int(pool, "MaxConnectionsPercent", 100);
    json_set_int(pool, "MaxIdleConnectionsPercent", 50);
    json_set_int(pool, "ConnectionBorrowTimeout", 120);
    json_set(pool, "SessionPinningFilters", json_new_object());
    json_set_text(wire, "DBProxyName", proxy->name);
    json_set_text(wire, "TargetGroupName", "default");
    json_set_text(wire, "TargetGroupArn", proxy->group_arn);
    json_set_bool(wire, "IsDefault", true);
    json_set_text(wire, "Status", "available");
    json_set(wire, "ConnectionPoolConfig", pool);
    json_set(wire, "CreatedDate", sim_rds_time(proxy->created_ms));
    json_set(wire, "UpdatedDate", sim_rds_time(proxy->updated_ms));
    return wire;
}

bool sim_proxy_describe_groups(struct call *call)
{
    const struct rds_proxy *proxy = sim_proxy_find(call_state(call), call_text(call, "DBProxyName"));
    const char *group = call_text(call, "TargetGroupName");

    if (!proxy)
        return sim_proxy_refuse_missing(call);
    if (group && !text_equal(group, "default"))
        return call_refuse(call, 404, "DBProxyTargetGroupNotFoundFault",
                           "DB proxy target group %s was not found", group);
    struct json *found = json_new_array();
    json_append(found, group_wire(proxy));
    return sim_rds_answer_page(call, "TargetGroups", "member", found);
}

/* ---- ModifyDBProxy ---- */

static bool is_secret_arn(const char *text)
{
    struct arn arn;

    return sim_arn_parse(text, &arn) && str_is(arn.service, "secretsmanager") &&
           str_starts(arn.resource, "secret:");
}

/* One item of Auth as Describe shows it; what is left out gets the API's defaults. */
static struct json *auth_item(const struct rds_proxy *proxy, const char *secret_arn, const struct json *given)
{
    bool mysql = text_equal(proxy->engine_family, "MYSQL");
    struct json *item = json_new_object();

    json_set_text(item, "Description", json_get_text(given, "Description", NULL));
    json_set_text(item, "UserName", json_get_text(given, "UserName", NULL));
    json_set_text(item, "AuthScheme", "SECRETS");
    json_set_text(item, "SecretArn", secret_arn);
    json_set_text(item, "IAMAuth", json_get_text(given, "IAMAuth", "DISABLED"));
    json_set_text(item, "ClientPasswordAuthType",
                  json_get_text(given, "ClientPasswordAuthType",
                                mysql ? "MYSQL_NATIVE_PASSWORD" : "POSTGRES_SCRAM_SHA_256"));
    return item;
}

static bool check_modify(struct call *call, const struct rds_proxy *proxy)
{
    if (!text_equal(proxy_status(call, proxy), "available"))
        return call_refuse(call, 400, "InvalidDBProxyStateFault",
                           "DB proxy %s is in an invalid state: modifying", proxy->name);
    json_each (item, call_list(call, "Auth.member")) {
        const char *scheme = json_get_text(item, "AuthScheme", "SECRETS"),
                   *secret = json_get_text(item, "SecretArn", "");

        if (!text_equal(scheme, "SECRETS"))
            return call_refuse(call, 400, "InvalidParameterValue", "AuthScheme must be SECRETS");
        if (!is_secret_arn(secret))
            return call_refuse(call, 400, "InvalidParameterValue", "Invalid secret ARN: %s", secret);
    }
    json_each (item, call_list(call, "SecurityGroups.member"))
        if (!sim_rds_security_group(call_state(call), json_get_text(item, NULL, "")))
            return call_refuse(call, 400, "InvalidParameterValue", "Invalid security group %s",
                               json_get_text(item, NULL, ""));
    return true;
}

static void apply_modify(struct call *call, struct rds_proxy *proxy)
{
    const struct json *auth = call_list(call, "Auth.member"),
                      *groups = call_list(call, "SecurityGroups.member");
    const char *role = call_text(call, "RoleArn");

    if (auth) {
        json_free(proxy->auth);
        proxy->auth = json_new_array();
        json_each (item, auth)
            json_append(proxy->auth, auth_item(proxy, json_get_text(item, "SecretArn", ""), item));
    }
    if (groups) {
        json_free(proxy->security_groups);
        proxy->security_groups = json_copy(groups);
    }
    if (role) {
        xfree(proxy->role_arn);
        proxy->role_arn = xstrdup(role);
    }
    proxy->require_tls = call_bool(call, "RequireTLS", proxy->require_tls);
    proxy->debug_logging = call_bool(call, "DebugLogging", proxy->debug_logging);
    proxy->idle_timeout_s = call_int(call, "IdleClientTimeout", proxy->idle_timeout_s);
}

bool sim_proxy_modify(struct call *call)
{
    struct rds_proxy *proxy = sim_proxy_find(call_state(call), call_text(call, "DBProxyName"));

    call_effect(call, EFFECT_CHANGED, proxy ? proxy->arn : call_text(call, "DBProxyName"));
    if (!proxy)
        return sim_proxy_refuse_missing(call);
    if (!check_modify(call, proxy))
        return false;
    AUTO_JSON struct json *before = proxy_wire(call, proxy);
    apply_modify(call, proxy);
    AUTO_JSON struct json *after = proxy_wire(call, proxy);
    bool changed = !json_equal(before, after);
    if (changed) {
        proxy->updated_ms = call->now_ms;
        proxy->modified_until_ms = call->now_ms + sim_duration(call->sim, "rds.proxyModify");
    }
    call_effect(call, changed ? EFFECT_CHANGED : EFFECT_NONE, proxy->arn);
    json_set(call->out, "DBProxy", proxy_wire(call, proxy));
    return true;
}

/* ---- the world file ---- */

struct proxy_section {
    struct rds_proxy proxy;
    const struct json *auth;
};

static const struct load_field proxy_fields[] = {
    {LOAD_FIELD(proxy_section, "name", LOAD_TEXT, proxy.name), .required = true},
    {LOAD_FIELD(proxy_section, "engineFamily", LOAD_TEXT, proxy.engine_family), .required = true,
     .choices = "MYSQL POSTGRESQL"},
    {LOAD_FIELD(proxy_section, "vpc", LOAD_TEXT, proxy.vpc), .required = true},
    {LOAD_FIELD(proxy_section, "subnets", LOAD_TEXTS, proxy.subnets)},
    {LOAD_FIELD(proxy_section, "securityGroups", LOAD_TEXTS, proxy.security_groups), .required = true},
    {LOAD_FIELD(proxy_section, "role", LOAD_TEXT, proxy.role_arn), .required = true},
    {LOAD_FIELD(proxy_section, "auth", LOAD_LIST, auth), .required = true},
    {LOAD_FIELD(proxy_section, "target", LOAD_TEXT, proxy.cluster_id)},
    {LOAD_FIELD(proxy_section, "requireTLS", LOAD_BOOL, proxy.require_tls)},
    {LOAD_FIELD(proxy_section, "idleClientTimeout", LOAD_INT, proxy.idle_timeout_s)},
    {LOAD_FIELD(proxy_section, "tags", LOAD_MAP, proxy.tags)},
};

static void name_proxy(struct rds_state *state, struct rds_proxy *proxy)
{
    AUTO_FREE char *id = sim_new_token(state->account->sim, ALPHABET_HEX, 17);
    AUTO_FREE char *group = sim_new_token(state->account->sim, ALPHABET_HEX, 17);

    proxy->resource_id = xasprintf("prx-%s", id);
    proxy->arn = account_arn(state->account, "rds", "db-proxy:%s", proxy->resource_id);
    proxy->group_arn = account_arn(state->account, "rds", "target-group:prx-tg-%s", group);
    proxy->created_ms = proxy->updated_ms = sim_now(state->account->sim) - DAYS(400);
}

static struct err *load_proxy(const struct loader *loader, struct rds_state *state, const struct json *node)
{
    struct rds_proxy *proxy = RDS_ADD(state->proxies, state->proxy_count);
    struct proxy_section section = {.proxy = {.idle_timeout_s = 1800}};

    struct err *err = load_fields(loader, node, proxy_fields, COUNT_OF(proxy_fields), &section);
    *proxy = section.proxy;
    TRY(err);
    name_proxy(state, proxy);
    proxy->auth = json_new_array();
    if (!proxy->tags)
        proxy->tags = json_new_object();
    if (!proxy->subnets)
        proxy->subnets = json_new_array();
    AUTO_FREE char *target = TAKE(proxy->cluster_id);
    if (target && !sim_rds_cluster(state, target))
        return load_error(loader, node, "there is no cluster %s", target);
    proxy->settled = true;
    if (target)
        sim_proxy_track(state, proxy, target);
    return NULL;
}

struct err *sim_rds_load_proxies(const struct loader *loader, struct rds_state *state,
                                 const struct json *list)
{
    json_each (item, list)
        TRY(load_proxy(loader, state, item));
    return NULL;
}

struct auth_section {
    char *secret, *user;
};

static struct err *check_auth(const struct loader *loader, struct rds_state *state, struct rds_proxy *proxy,
                              const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(auth_section, "secret", LOAD_TEXT, secret), .required = true},
        {LOAD_FIELD(auth_section, "userName", LOAD_TEXT, user)},
    };
    struct auth_section section = {0};
    struct err *err = load_fields(loader, node, fields, COUNT_OF(fields), &section);
    AUTO_FREE char *secret = section.secret;
    AUTO_FREE char *user = section.user;

    TRY(err);
    AUTO_FREE char *arn = sim_secret_arn(state->account, secret);
    if (!arn)
        return load_error(loader, node, "there is no secret %s", secret);
    AUTO_JSON struct json *given = json_new_object();
    json_set_text(given, "UserName", user);
    json_append(proxy->auth, auth_item(proxy, arn, given));
    return NULL;
}

/* Secrets are known only now: their names become ARNs. */
struct err *sim_rds_check_proxies(const struct loader *loader, struct rds_state *state,
                                  const struct json *list)
{
    size_t i = 0;

    json_each (node, list) {
        struct rds_proxy *proxy = state->proxies[i++];

        json_each (auth, json_member(node, "auth"))
            TRY(check_auth(loader, state, proxy, auth));
    }
    return NULL;
}
