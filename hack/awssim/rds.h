/* The state of RDS in one account, shared by the rds_*.c files. Names carry sim_rds_ because the simulation
 * links the controller's RDS client as well.
 *
 * Nothing here holds a password: a login is "salt:hex(sha256(salt, password))". */
#ifndef AWSSIM_RDS_H
#define AWSSIM_RDS_H

#include "hack/awssim/service.h"

struct rds_instance {
    char *id, *arn, *resource_id, *class_name, *parameter_group, *zone;
    char *status; /* fixed by the world file, or where creation will end ("incompatible-parameters"); NULL:
                     the usual way */
    struct json *tags;
    int64_t promotion_tier;
    bool writer, public_access, insights;
    bool pending_reboot; /* has an older cluster parameter group */
    bool announced;      /* its creation event is out */
    int64_t created_ms;
    int64_t reboot_until_ms;
    int64_t gone_ms; /* 0: not being deleted */
};

enum rds_reset_kind { RESET_NONE, RESET_PASSWORD, RESET_MANAGE, RESET_ROTATE };

struct rds_cluster {
    char *id, *arn, *resource_id, *engine, *engine_version, *master_username, *database_name;
    char *subnet_group, *parameter_group;
    char *kms_key;                                      /* ARN; NULL: not encrypted */
    char *backup_arn;                                   /* the recovery point it was restored from */
    char *status;                                       /* fixed by the world file; NULL: the usual way */
    struct json *security_groups, *zones, *log_exports; /* texts */
    struct json *tags;                                  /* {key: value} */
    struct json *logins;                                /* {user: login}, in force */
    int64_t port, retention_days, size_gib;
    bool iam_auth, copy_tags, deletion_protection, managed;
    double min_acu, max_acu; /* max 0: no Serverless v2 configuration */
    int64_t pause_s;         /* -1: not given */
    int64_t created_ms, ready_ms, modified_until_ms;
    bool announces;  /* its creation event is still to come, at ready_ms */
    int64_t gone_ms; /* 0: not being deleted */
    /* A change of the master password: nothing to be seen, then the reset, then in force. */
    enum rds_reset_kind reset;
    int64_t reset_start_ms, reset_end_ms;
    char *next_login;
    char *secret_arn, *secret_kms_key; /* managed by RDS in Secrets Manager */
    struct rds_instance **instances;
    size_t instance_count;
};

struct rds_snapshot { /* a final one */
    char *id, *cluster_id, *engine, *engine_version, *master_username, *kms_key;
    int64_t created_ms;
};

struct rds_event {
    char *source_id, *source_arn, *source_type, *message, *category;
    int64_t time_ms;
};

struct rds_subnet_group {
    char *name, *vpc;
    struct json *zones;
    bool standard; /* what a restore gets that names none */
};

struct rds_security_group {
    char *id, *vpc;
    struct json *from; /* security groups that are let in */
    bool standard;
};

struct rds_parameter_group {
    char *name, *family;
};

enum proxy_health { HEALTH_REGISTERING, HEALTH_AVAILABLE, HEALTH_UNAVAILABLE };

struct proxy_target { /* one member of the tracked cluster */
    char *instance_id;
    enum proxy_health health;
    const char *reason; /* NULL: none */
    char *description;
    int64_t check_ms; /* the next look at it */
};

struct rds_proxy {
    char *name, *arn, *resource_id, *group_arn, *engine_family, *vpc, *role_arn;
    struct json *subnets, *security_groups; /* texts */
    struct json *auth;                      /* as the API shows it: [{SecretArn, AuthScheme, IAMAuth, ..}] */
    struct json *tags;
    bool require_tls, debug_logging;
    int64_t idle_timeout_s;
    int64_t created_ms, updated_ms, modified_until_ms;
    bool settled;                /* the world file's own target is healthy at once */
    char *cluster_id;            /* the tracked cluster, NULL: none */
    int64_t leaving_ms;          /* when a deregistered target is gone; 0: it stays */
    int64_t targetless_since_ms; /* 0: it has a target */
    int64_t targetless_ms;       /* all gaps so far */
    struct proxy_target *targets;
    size_t target_count;
};

struct rds_options { /* the world file's rds.passwordReset and friends */
    bool show_pending, show_status, show_event;
    bool reset_needs_instance; /* without one, the reset goes by and changes nothing */
    bool restore_copies_tags;
    bool second_target_is_combination; /* the code with which a second cluster is refused; see README */
    struct json *engine_versions;      /* {engine: [default, others...]} */
    struct json *instance_outcomes;    /* {pattern: status} */
};

struct rds_state {
    struct account *account;
    struct rds_options options;
    char *host; /* the account's part of host names */
    struct rds_cluster **clusters;
    struct rds_snapshot **snapshots;
    struct rds_event **events;
    struct rds_subnet_group **subnet_groups;
    struct rds_security_group **security_groups;
    struct rds_parameter_group **parameter_groups;
    struct rds_proxy **proxies;
    size_t cluster_count, snapshot_count, event_count, subnet_group_count, security_group_count,
        parameter_group_count, proxy_count;
};

extern const struct service rds_service;
extern const struct database_kind rds_database_kind;

struct rds_state *sim_rds_state(const struct account *account);

/* Adds a zeroed item to one of the arrays above and gives it. */
#define RDS_ADD(items, count)                                \
    __extension__({                                          \
        (items) = xgrow((items), (count), sizeof(*(items))); \
        (items)[(count)++] = xcalloc(1, sizeof(**(items)));  \
    })

/* ---- rds_state.c: making, finding, changing with time ---- */

struct rds_cluster *sim_rds_cluster_add(struct rds_state *state, const char *id);
struct rds_instance *sim_rds_instance_add(struct rds_state *state, struct rds_cluster *cluster,
                                          const char *id);
/* By identifier (any case) or ARN; NULL when there is none (or it is already gone). */
struct rds_cluster *sim_rds_cluster(const struct rds_state *state, const char *id);
struct rds_instance *sim_rds_instance(const struct rds_state *state, const char *id,
                                      struct rds_cluster **ret_cluster);
/* Letters, digits, single hyphens; begins with a letter; at most 63. */
bool sim_rds_is_identifier(const char *id);
void sim_rds_advance(struct account *account);
int64_t sim_rds_next_ms(struct account *account);
void sim_rds_done(struct account *account);

/* What is so, and what Describe shows (a reset may be hidden by the world file). */
const char *sim_rds_cluster_state(const struct rds_state *state, const struct rds_cluster *cluster);
const char *sim_rds_cluster_status(const struct rds_state *state, const struct rds_cluster *cluster);
const char *sim_rds_instance_status(const struct rds_state *state, const struct rds_instance *instance);
/* How long the usual creation of an instance takes. */
int64_t sim_rds_instance_creation_ms(const struct rds_state *state);
/* Describe does not show it yet. */
bool sim_rds_is_hidden(const struct rds_state *state, int64_t created_ms);

/* ---- rds_load.c ---- */
struct err *sim_rds_load(const struct loader *loader, struct account *account,
                         const struct json *section) MUST_USE;
struct err *sim_rds_check(const struct loader *loader, struct account *account,
                          const struct json *section) MUST_USE;
struct err *sim_rds_load_proxies(const struct loader *loader, struct rds_state *state,
                                 const struct json *list) MUST_USE;
struct err *sim_rds_check_proxies(const struct loader *loader, struct rds_state *state,
                                  const struct json *list) MUST_USE;

/* ---- rds_wire.c: answers, dump ---- */
struct json *sim_rds_list(const char *member,
                          struct json *array); /* {"member": array}; takes the array over */
struct json *sim_rds_time(int64_t world_ms);
struct json *sim_rds_tags(const struct json *tags); /* {"Tag": [{Key, Value}]} */
struct json *sim_rds_cluster_wire(const struct rds_state *state, const struct rds_cluster *cluster);
struct json *sim_rds_instance_wire(const struct rds_state *state, const struct rds_cluster *cluster,
                                   const struct rds_instance *instance);
struct json *sim_rds_subnet_group_wire(const struct rds_state *state, const struct rds_subnet_group *group);
struct json *sim_rds_dump(struct account *account);
struct json *sim_rds_dump_proxies(const struct rds_state *state);
/* "<label>.<account's host>.<region>.rds.amazonaws.com", yours. */
char *sim_rds_host(const struct rds_state *state, const char *label, const char *kind);

/* ---- rds_events.c ---- */
struct rds_news {
    const char *source_type; /* "db-cluster", "db-instance", "db-proxy" */
    const char *id, *arn;
    const char *category, *message, *event_id;
    int64_t time_ms;
};
void sim_rds_event(struct rds_state *state, const struct rds_news *news);
bool sim_rds_describe_events(struct call *call);

/* ---- rds_groups.c ---- */
const struct rds_subnet_group *sim_rds_subnet_group(const struct rds_state *state, const char *name);
const struct rds_security_group *sim_rds_security_group(const struct rds_state *state, const char *id);
const struct rds_parameter_group *sim_rds_parameter_group(const struct rds_state *state, const char *name);
/* "aurora-mysql8.0", yours. */
char *sim_rds_family(const char *engine, const char *engine_version);
/* Built in ("default.aurora-mysql8.0") or of the world, and of the right family. NULL: fine; else why not,
 * yours. */
char *sim_rds_parameter_group_fault(const struct rds_state *state, const char *name, const char *family);
const char *sim_rds_cluster_vpc(const struct rds_state *state, const struct rds_cluster *cluster);
bool sim_rds_describe_subnet_groups(struct call *call);
bool sim_rds_describe_orderable(struct call *call);
bool sim_rds_is_class(const char *text); /* of a class that Aurora is sold on */
bool sim_rds_describe_parameter_groups(struct call *call);

/* ---- rds_tags.c ---- */
bool sim_rds_add_tags(struct call *call);
bool sim_rds_list_tags(struct call *call);
bool sim_rds_remove_tags(struct call *call);
/* Puts Tags.Tag[] of a list into a {key: value}. */
void sim_rds_take_tags(struct json *tags, const struct json *list);

/* ---- rds_filter.c ---- */
struct rds_filter {
    const char *name;
    /* The object's texts under that name: whether one of them is `value`. */
    bool (*matches)(const void *item, const char *value);
};
/* False: refused, the request has a filter that the table does not know. */
bool sim_rds_filters_known(struct call *call, const struct rds_filter *filters, size_t count);
bool sim_rds_filters_match(const struct call *call, const struct rds_filter *filters, size_t count,
                           const void *item);
/* Puts one page of `array` (taken over) into the answer as {name: {member: [..]}}. */
bool sim_rds_answer_page(struct call *call, const char *name, const char *member, struct json *array);

/* ---- clusters, instances ---- */
bool sim_rds_describe_clusters(struct call *call);
bool sim_rds_modify_cluster(struct call *call);
bool sim_rds_delete_cluster(struct call *call);
bool sim_rds_describe_snapshots(struct call *call);
bool sim_rds_describe_instances(struct call *call);
bool sim_rds_create_instance(struct call *call);
bool sim_rds_delete_instance(struct call *call);
bool sim_rds_reboot_instance(struct call *call);

/* ---- rds_password.c ---- */
char *sim_rds_login_new(struct sim *sim, const char *password); /* yours */
bool sim_rds_login_fits(const char *login, const char *password);
/* The password part of ModifyDBCluster. False: refused. *ret_started says whether anything was begun. */
bool sim_rds_modify_password(struct call *call, struct rds_cluster *cluster, bool *ret_started);
/* The reset's end: what was asked for is in force. */
void sim_rds_finish_reset(struct rds_state *state, struct rds_cluster *cluster);
const char *sim_rds_secret_status(const struct rds_cluster *cluster);
void sim_rds_drop_secret(struct rds_state *state, struct rds_cluster *cluster);

/* ---- rds_proxy.c, rds_proxy_target.c, rds_proxy_health.c ---- */
struct rds_proxy *sim_proxy_find(const struct rds_state *state, const char *name);
bool sim_proxy_refuse_missing(struct call *call);
bool sim_proxy_describe(struct call *call);
bool sim_proxy_modify(struct call *call);
bool sim_proxy_describe_groups(struct call *call);
bool sim_proxy_describe_targets(struct call *call);
bool sim_proxy_register(struct call *call);
bool sim_proxy_deregister(struct call *call);
void sim_proxy_track(struct rds_state *state, struct rds_proxy *proxy, const char *cluster_id);
void sim_proxy_untrack(struct rds_proxy *proxy, int64_t at_ms);
/* Follows the members of the tracked cluster and looks at the health of those that are due. */
void sim_proxy_advance(struct rds_state *state, struct rds_proxy *proxy);
/* Sets the target's health, reason and description. */
void sim_proxy_look_at(const struct rds_state *state, const struct rds_proxy *proxy,
                       const struct rds_cluster *cluster, struct proxy_target *target);
void sim_proxy_free(struct rds_proxy *proxy);

#endif
