#include "pkg/aws/rds_proxy.h"

#include "pkg/aws/protocol.h"

#define PROXY(member) offsetof(struct rds_proxy, member)

static const struct aws_text_field proxy_fields[] = {
    {.path = "DBProxyName", .offset = PROXY(name)},
    {.path = "DBProxyArn", .offset = PROXY(arn)},
    {.path = "Status", .offset = PROXY(status)},
    {.path = "EngineFamily", .offset = PROXY(engine_family)},
    {.path = "Endpoint", .offset = PROXY(endpoint)},
    {.path = "VpcId", .offset = PROXY(vpc_id)},
    {.path = "RoleArn", .offset = PROXY(role_arn)},
    {.path = "DefaultAuthScheme", .offset = PROXY(default_auth_scheme)},
};

#define AUTH(member) offsetof(struct rds_proxy_auth, member)

/* The names are the same in requests. */
static const struct aws_text_field auth_fields[] = {
    {.path = "SecretArn", .offset = AUTH(secret_arn)},
    {.path = "AuthScheme", .offset = AUTH(auth_scheme)},
    {.path = "IAMAuth", .offset = AUTH(iam_auth)},
    {.path = "ClientPasswordAuthType", .offset = AUTH(client_password_auth_type)},
    {.path = "UserName", .offset = AUTH(user_name)},
    {.path = "Description", .offset = AUTH(description)},
};

#define TARGET(member) offsetof(struct rds_proxy_target, member)

static const struct aws_text_field target_fields[] = {
    {.path = "Type", .offset = TARGET(type)},
    {.path = "RdsResourceId", .offset = TARGET(resource_id)},
    {.path = "TrackedClusterId", .offset = TARGET(tracked_cluster_id)},
    {.path = "Role", .offset = TARGET(role)},
    {.path = "Endpoint", .offset = TARGET(endpoint)},
    {.path = "TargetHealth.State", .offset = TARGET(health_state)},
    {.path = "TargetHealth.Reason", .offset = TARGET(health_reason)},
    {.path = "TargetHealth.Description", .offset = TARGET(health_description)},
};

void rds_proxy_done(struct rds_proxy *proxy)
{
    aws_text_fields_free(proxy_fields, COUNT_OF(proxy_fields), proxy);
    for (size_t i = 0; i < proxy->auth_count; i++)
        aws_text_fields_free(auth_fields, COUNT_OF(auth_fields), &proxy->auth[i]);
    xfree(proxy->auth);
    *proxy = (struct rds_proxy){0};
}

void rds_proxies_done(struct rds_proxies *proxies)
{
    for (size_t i = 0; i < proxies->count; i++)
        rds_proxy_done(&proxies->items[i]);
    xfree(proxies->items);
    *proxies = (struct rds_proxies){0};
}

static void read_proxy(const struct xml *node, struct rds_proxy *ret)
{
    *ret = (struct rds_proxy){0};
    xml_take_texts(node, proxy_fields, COUNT_OF(proxy_fields), ret);
    xml_each(item, xml_at(node, "Auth"))
    {
        ret->auth = xgrow(ret->auth, ret->auth_count, sizeof(*ret->auth));
        xml_take_texts(item, auth_fields, COUNT_OF(auth_fields), &ret->auth[ret->auth_count++]);
    }
}

static void add_proxies(const struct xml *list, struct rds_proxies *proxies)
{
    xml_each(item, list)
    {
        proxies->items = xgrow(proxies->items, proxies->count, sizeof(*proxies->items));
        read_proxy(item, &proxies->items[proxies->count++]);
    }
}

/* `name` NULL: all. */
static struct err *describe_proxies(const struct aws_client *aws, const char *name, struct rds_proxies *ret)
{
    AUTO_RDS_PROXIES struct rds_proxies proxies = {0};
    AUTO_AWS_PAGES struct aws_pages pages = {.op = AWS_OP_DESCRIBE_DB_PROXIES};

    while (!pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_BUF struct buf form = {0};

        query_begin(&form, AWS_OP_DESCRIBE_DB_PROXIES);
        query_add(&form, "DBProxyName", name);
        query_add(&form, "Marker", pages.token);
        TRY(aws_call_query(aws, AWS_OP_DESCRIBE_DB_PROXIES, &form, &reply));
        add_proxies(xml_at(reply.result, "DBProxies"), &proxies);
        TRY(aws_pages_next(&pages, proxies.count, xml_take_text(reply.result, "Marker")));
    }
    *ret = proxies;
    proxies = (struct rds_proxies){0};
    return NULL;
}

struct err *rds_proxy_list(const struct aws_client *aws, struct rds_proxies *ret)
{
    return describe_proxies(aws, NULL, ret);
}

struct err *rds_proxy_describe(const struct aws_client *aws, const char *name, struct rds_proxy *ret)
{
    AUTO_RDS_PROXIES struct rds_proxies proxies = {0};

    TRY(describe_proxies(aws, name, &proxies));
    if (proxies.count != 1)
        return err_new(ERR_NOT_FOUND, "rds DescribeDBProxies: there is no proxy %s in account %s", name,
                       aws_account_id(aws->account));
    *ret = proxies.items[0];
    proxies.items[0] = (struct rds_proxy){0};
    return NULL;
}

void rds_proxy_targets_done(struct rds_proxy_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        aws_text_fields_free(target_fields, COUNT_OF(target_fields), &targets->items[i]);
    xfree(targets->items);
    *targets = (struct rds_proxy_targets){0};
}

static void add_targets(const struct xml *list, struct rds_proxy_targets *targets)
{
    xml_each(item, list)
    {
        struct rds_proxy_target *target;

        targets->items = xgrow(targets->items, targets->count, sizeof(*targets->items));
        target = &targets->items[targets->count++];
        *target = (struct rds_proxy_target){.port = (int)xml_get_int(item, "Port", 0)};
        xml_take_texts(item, target_fields, COUNT_OF(target_fields), target);
    }
}

struct err *rds_proxy_list_targets(const struct aws_client *aws, const char *name,
                                   struct rds_proxy_targets *ret)
{
    AUTO_RDS_PROXY_TARGETS struct rds_proxy_targets targets = {0};
    AUTO_AWS_PAGES struct aws_pages pages = {.op = AWS_OP_DESCRIBE_DB_PROXY_TARGETS};

    while (!pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_BUF struct buf form = {0};

        query_begin(&form, AWS_OP_DESCRIBE_DB_PROXY_TARGETS);
        query_add(&form, "DBProxyName", name);
        query_add(&form, "Marker", pages.token);
        TRY(aws_call_query(aws, AWS_OP_DESCRIBE_DB_PROXY_TARGETS, &form, &reply));
        add_targets(xml_at(reply.result, "Targets"), &targets);
        TRY(aws_pages_next(&pages, targets.count, xml_take_text(reply.result, "Marker")));
    }
    *ret = targets;
    targets = (struct rds_proxy_targets){0};
    return NULL;
}

const char *rds_proxy_targets_cluster(const struct rds_proxy_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        if (text_equal(targets->items[i].type, "TRACKED_CLUSTER"))
            return targets->items[i].resource_id;
    }
    for (size_t i = 0; i < targets->count; i++) {
        if (targets->items[i].tracked_cluster_id)
            return targets->items[i].tracked_cluster_id;
    }
    return NULL;
}

static struct err *change_targets(const struct aws_client *aws, enum aws_op op, const char *name,
                                  const char *cluster_id)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};

    query_begin(&form, op);
    query_add(&form, "DBProxyName", name);
    query_add(&form, "TargetGroupName", "default");
    query_add_list(&form, "DBClusterIdentifiers.member", &cluster_id, 1);
    return aws_call_query(aws, op, &form, &reply);
}

struct err *rds_proxy_register(const struct aws_client *aws, const char *name, const char *cluster_id)
{
    return change_targets(aws, AWS_OP_REGISTER_DB_PROXY_TARGETS, name, cluster_id);
}

struct err *rds_proxy_deregister(const struct aws_client *aws, const char *name, const char *cluster_id)
{
    return change_targets(aws, AWS_OP_DEREGISTER_DB_PROXY_TARGETS, name, cluster_id);
}

struct err *rds_proxy_set_auth(const struct aws_client *aws, const char *name,
                               const struct rds_proxy_auth *auth, size_t count)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};

    query_begin(&form, AWS_OP_MODIFY_DB_PROXY);
    query_add(&form, "DBProxyName", name);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < COUNT_OF(auth_fields); k++) {
            AUTO_FREE char *key = xasprintf("Auth.member.%zu.%s", i + 1, auth_fields[k].path);

            query_add(&form, key,
                      *(char *const *)(const void *)((const char *)&auth[i] + auth_fields[k].offset));
        }
    }
    return aws_call_query(aws, AWS_OP_MODIFY_DB_PROXY, &form, &reply);
}
