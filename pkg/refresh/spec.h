/* The spec of a StagingRefresh as plain structs: parsed from JSON by tables, validated with the field's path
 * in each message. Immutable after parsing. Optional text is NULL when absent, optional numbers are -1. */
#ifndef REFRESH_SPEC_H
#define REFRESH_SPEC_H

#include "pkg/base/err.h"
#include "pkg/base/json.h"
#include "pkg/base/yaml.h"

enum database_kind { DATABASE_AURORA, DATABASE_DYNAMODB };
enum recovery_from { FROM_NEW, FROM_SOURCE_VAULT, FROM_TARGET_VAULT };
enum switch_policy { POLICY_AUTOMATIC, POLICY_MANUAL };
enum differences_policy { DIFFERENCES_REPORT, DIFFERENCES_FAIL };
enum concurrency_policy { CONCURRENCY_QUEUE, CONCURRENCY_FORBID, CONCURRENCY_REPLACE };
enum deletion_policy { DELETION_RETAIN, DELETION_DELETE };
enum tristate { UNSET = -1, NO = 0, YES = 1 };

struct name_value {
    char *name, *value;
};

/* Where a secret lives: exactly one of the two. */
struct secret_ref {
    char *secrets_manager_id, *secrets_manager_key; /* key NULL: the whole value */
    char *secret_name, *secret_key;                 /* a Secret of the object's namespace */
};

enum password_kind { PASSWORD_NONE, PASSWORD_FROM_SECRET, PASSWORD_GENERATE, PASSWORD_RDS_MANAGED };
struct password_spec {
    enum password_kind kind;
    struct secret_ref from;    /* FROM_SECRET: read; GENERATE: written */
    int64_t length;            /* GENERATE */
    char *rds_managed_kms_key; /* RDS_MANAGED, optional */
};

struct instance_spec {
    char *name, *class, *parameter_group, *availability_zone; /* the latter two optional */
    int64_t promotion_tier;                                   /* -1 */
};

struct aurora_spec {
    char *cluster_identifier;
    char *identifier_prefix;
    char *db_subnet_group;
    char **security_groups;
    size_t security_group_count;
    char *cluster_parameter_group;
    char *kms_key;
    struct instance_spec *instances;
    size_t instance_count;
    char *min_acu, *max_acu; /* serverlessV2Scaling */
    int64_t port;            /* -1 */
    int64_t backup_retention_days;
    enum tristate deletion_protection;
    struct name_value *tags;
    size_t tag_count;
    struct password_spec password;
};

enum encryption_kind { ENCRYPTION_AWS_OWNED, ENCRYPTION_AWS_MANAGED, ENCRYPTION_CUSTOMER };
enum settings_from { SETTINGS_NONE, SETTINGS_PREVIOUS_COPY, SETTINGS_SOURCE };
struct dynamodb_spec {
    char *table_name;
    char *table_name_prefix;
    enum encryption_kind encryption;
    char *kms_key;
    enum settings_from settings_from;
    char *billing_mode; /* PayPerRequest | Provisioned | NULL */
    int64_t read_capacity, write_capacity;
    char *ttl_attribute;
    char *stream_view_type; /* NewImage, OldImage, NewAndOldImages, KeysOnly */
    enum tristate point_in_time_recovery;
    enum tristate deletion_protection;
    struct name_value *tags;
    size_t tag_count;
};

struct database_spec {
    char *name;
    enum database_kind kind;
    enum recovery_from from;
    int64_t max_age_ms; /* with the vaults */
    struct aurora_spec aurora;
    struct dynamodb_spec dynamodb;
};

enum hook_kind { HOOK_CRON_JOB, HOOK_LAMBDA, HOOK_STATE_MACHINE };
struct hook_spec {
    char *name;
    enum hook_kind kind;
    char *target; /* CronJob name, function name, state machine ARN or name */
    int64_t timeout_ms;
    bool stop_on_failure;
};

struct proxy_spec {
    char *name;
    char *database;
};

enum parameter_kind { PARAMETER_SSM, PARAMETER_SECRETS_MANAGER, PARAMETER_CONFIG_MAP, PARAMETER_SECRET };
struct parameter_spec {
    char *name;
    char *value; /* template */
    enum parameter_kind kind;
    char *target;   /* SSM name, secret id, ConfigMap or Secret name */
    char *key;      /* inside it; NULL: whole (SSM always) */
    bool unwritten; /* not of a spec: no run of ours has written it yet, so that what may not be read names
                       nothing */
};

enum application_kind {
    APPLICATION_DEPLOYMENT,
    APPLICATION_STATEFUL_SET,
    APPLICATION_DAEMON_SET,
    APPLICATION_ECS_SERVICE
};
struct application_spec {
    char *name;
    enum application_kind kind;
    char *target;  /* object or service name */
    char *cluster; /* ECS */
};

struct window_spec {
    bool present;
    uint8_t days; /* bit 0: Sunday; none given: all */
    int from_minute, to_minute;
    char *time_zone;
};

struct timeouts {
    int64_t backup_ms, copy_ms, restore_ms, switchover_ms, approval_ms;
};

struct retention {
    int64_t previous_copies, failed_copies, recovery_points, recovery_point_days;
};

/* What others are told of. */
enum transition {
    TRANSITION_RUN_STARTED,
    TRANSITION_RUN_RETRIED,
    TRANSITION_AWAITING,
    TRANSITION_SWITCHING,
    TRANSITION_PUTTING_BACK,
    TRANSITION_RUN_SUCCEEDED,
    TRANSITION_RUN_FAILED,
    TRANSITION_STALLED,
    TRANSITION_DRIFTED,
    TRANSITION_COUNT,
};
const char *transition_name(enum transition transition); /* "RunStarted" */

enum notification_kind { NOTIFY_EVENT_BRIDGE, NOTIFY_WEBHOOK };
struct notification_spec {
    char *name;
    enum notification_kind kind;
    char *target;       /* name of an event bus of the target account, or a URL */
    char **transitions; /* none: all */
    size_t transition_count;
};
bool notification_wants(const struct notification_spec *notification, enum transition transition);

/* What may change while a run is under way. */
struct live_spec {
    char *trigger; /* "" when absent */
    bool suspend;
    enum switch_policy policy;
    struct window_spec window;
    int64_t backoff_limit;
    struct timeouts timeouts;
    struct retention retention;
    enum deletion_policy deletion_policy;
    int64_t ttl_seconds_after_finished; /* -1 */
    struct notification_spec *notifications;
    size_t notification_count;
};

struct refresh_spec {
    char *source; /* AWSAccount names; source may be NULL */
    char *target;
    char *series;
    struct database_spec *databases;
    size_t database_count;
    struct hook_spec *before_hooks, *after_hooks;
    size_t before_hook_count, after_hook_count;
    enum differences_policy differences;
    struct proxy_spec *proxies;
    size_t proxy_count;
    struct parameter_spec *parameters;
    size_t parameter_count;
    struct application_spec *applications;
    size_t application_count;
    enum concurrency_policy concurrency;
    struct live_spec live;
};

/* `spec` is the object's .spec (or the frozen status.run.spec); `name` is metadata.name, the default of
 * series. ERR_INVALID "spec.databases[main].aurora.restore.instances: required"; the first fault found. Also
 * checks across fields: one-of, names and references that exist, templates, lengths and spelling of names
 * that will be formed. */
struct err *refresh_spec_parse(const struct json *spec, const char *name, struct refresh_spec **ret) MUST_USE;
void refresh_spec_free(struct refresh_spec *spec);

/* Fields that need a cluster (configMap, secret, deployment, cronJob ...): appends their paths, comma
 * separated; false when there are none. */
bool refresh_needs_cluster(const struct refresh_spec *spec, struct buf *ret_fields);
/* Live fields that differ must not matter: the parts that were frozen and may not change (sourceRef,
 * databases ...)? Not an error here; for `run`. */
bool refresh_same_frozen(const struct json *spec_a, const struct json *spec_b);

const struct database_spec *refresh_database(const struct refresh_spec *spec, const char *name);
/* NULL: none of that name. */
const struct notification_spec *refresh_notification(const struct refresh_spec *spec, const char *name);
const char *database_kind_name(enum database_kind kind); /* "Aurora", "DynamoDB" */

/* Unknown fields of a document of ours (an AWSAccount or StagingRefresh): ERR_INVALID with the nearest known
 * name: "refresh.yaml:14: spec.databases[0].auora: unknown field, did you mean \"aurora\"?". Knows both kinds
 * by one table of all paths. */
struct err *refresh_check_known(const struct yaml_doc *doc) MUST_USE;

/* Values for templates:
 * $(databases.<name>.endpoint|readerEndpoint|port|tableName|arn|streamARN|clusterIdentifier), $(run.id), $$.
 */
struct template_value {
    const char *name; /* "databases.main.endpoint" */
    const char *value;
};
/* Unknown names are ERR_INVALID. Appends to out. */
struct err *template_expand(const char *text, const struct template_value *values, size_t count,
                            struct buf *out) MUST_USE;

static inline void auto_refresh_spec(struct refresh_spec **spec)
{
    refresh_spec_free(*spec);
}
#define AUTO_REFRESH_SPEC CLEANUP(auto_refresh_spec)

#endif
