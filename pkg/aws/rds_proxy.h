/* RDS Proxy: one target group ("default"), one cluster in it at a time. */
#ifndef AWS_RDS_PROXY_H
#define AWS_RDS_PROXY_H

#include "pkg/aws/client.h"

struct rds_proxy_auth {
    char *secret_arn;
    char *auth_scheme; /* "SECRETS" */
    char *iam_auth;    /* DISABLED, REQUIRED, ENABLED */
    char *client_password_auth_type;
    char *user_name;
    char *description;
};

struct rds_proxy {
    char *name;
    char *arn; /* by resource id, not by name */
    char *status;
    char *engine_family; /* MYSQL, POSTGRESQL */
    char *endpoint;
    char *vpc_id;
    char *role_arn;
    char *default_auth_scheme; /* NONE, IAM_AUTH; NULL: NONE */
    struct rds_proxy_auth *auth;
    size_t auth_count;
};
void rds_proxy_done(struct rds_proxy *proxy);
#define AUTO_RDS_PROXY CLEANUP(rds_proxy_done)

struct err *rds_proxy_describe(const struct aws_client *aws, const char *name,
                               struct rds_proxy *ret) MUST_USE;

struct rds_proxies {
    struct rds_proxy *items;
    size_t count;
};
void rds_proxies_done(struct rds_proxies *proxies);
#define AUTO_RDS_PROXIES CLEANUP(rds_proxies_done)
/* All proxies of the account: before a cluster is deleted, none may point at it. */
struct err *rds_proxy_list(const struct aws_client *aws, struct rds_proxies *ret) MUST_USE;

/* A cluster has a row of its own (TRACKED_CLUSTER, often without health) and one per instance: health is
 * judged on RDS_INSTANCE rows of role READ_WRITE. */
struct rds_proxy_target {
    char *type;        /* TRACKED_CLUSTER, RDS_INSTANCE */
    char *resource_id; /* id of the cluster or instance */
    char *tracked_cluster_id;
    char *role; /* READ_WRITE, READ_ONLY, UNKNOWN */
    char *endpoint;
    int port;
    char *health_state;       /* REGISTERING, UNAVAILABLE, AVAILABLE, UNUSED; NULL: not said */
    char *health_reason;      /* UNREACHABLE, CONNECTION_FAILED, AUTH_FAILURE, PENDING_PROXY_CAPACITY, ... */
    char *health_description; /* for people */
};
struct rds_proxy_targets {
    struct rds_proxy_target *items;
    size_t count;
};
void rds_proxy_targets_done(struct rds_proxy_targets *targets);
#define AUTO_RDS_PROXY_TARGETS CLEANUP(rds_proxy_targets_done)

struct err *rds_proxy_list_targets(const struct aws_client *aws, const char *name,
                                   struct rds_proxy_targets *ret) MUST_USE;
/* The cluster that the proxy points at, or NULL when it has none; borrowed. */
const char *rds_proxy_targets_cluster(const struct rds_proxy_targets *targets);
/* ERR_CONFLICT (DBProxyTargetAlreadyRegisteredFault): some cluster is registered; look which. ERR_RETRY:
 * cluster, instance or proxy is busy. */
struct err *rds_proxy_register(const struct aws_client *aws, const char *name,
                               const char *cluster_id) MUST_USE;
/* ERR_NOT_FOUND (DBProxyTargetNotFoundFault): was not registered. */
struct err *rds_proxy_deregister(const struct aws_client *aws, const char *name,
                                 const char *cluster_id) MUST_USE;
/* Replaces the whole list: read it first, change, write back. */
struct err *rds_proxy_set_auth(const struct aws_client *aws, const char *name,
                               const struct rds_proxy_auth *auth, size_t count) MUST_USE;

#endif
