/* Aurora clusters and their instances. https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/ */
#ifndef AWS_RDS_H
#define AWS_RDS_H

#include "pkg/aws/client.h"

/* Whether a cluster or an instance of that status answers its users and takes changes. The first backup goes
 * on for hours after a restore and is in nobody's way. */
bool rds_status_is_usable(const char *status);

struct rds_member {
    char *instance_id;
    bool is_writer;
    char *parameter_group_status; /* "in-sync", "pending-reboot" */
};

struct rds_cluster {
    char *id; /* lower case */
    char *arn;
    char *resource_id;
    char *status; /* words we do not know mean: in progress */
    char *engine;
    char *engine_version;
    char *engine_mode;
    char *endpoint; /* reachable only once there is an instance */
    char *reader_endpoint;
    int port;
    char *master_username;
    struct rds_member *members;
    size_t member_count;
    struct aws_texts security_group_ids;
    char *subnet_group;
    char *parameter_group;
    char *kms_key_id;
    bool is_encrypted;
    bool deletion_protection;
    bool iam_authentication;
    struct aws_texts log_exports; /* to CloudWatch: "audit", "error", ... */
    bool password_pending;        /* a new password is accepted but not in force */
    char *master_secret_arn;      /* RDS manages the password itself */
    char *master_secret_status;   /* creating active rotating impaired */
    double min_acu, max_acu;      /* Serverless v2; 0: not configured */
    int backup_retention_days;
    char *recovery_point_arn; /* the one AWS Backup made it from, if it says so */
    int64_t created_ms;
    struct aws_tags tags;
};
void rds_cluster_done(struct rds_cluster *cluster);
void rds_cluster_copy(const struct rds_cluster *cluster, struct rds_cluster *ret);
#define AUTO_RDS_CLUSTER CLEANUP(rds_cluster_done)

struct rds_clusters {
    struct rds_cluster *items;
    size_t count;
};
void rds_clusters_done(struct rds_clusters *clusters);
#define AUTO_RDS_CLUSTERS CLEANUP(rds_clusters_done)

/* ERR_NOT_FOUND when there is none of that id. */
struct err *rds_describe_cluster(const struct aws_client *aws, const char *id,
                                 struct rds_cluster *ret) MUST_USE;
struct err *rds_list_clusters(const struct aws_client *aws, struct rds_clusters *ret) MUST_USE;
/* Those of the ids given that there are; `count` 0: all. */
struct err *rds_find_clusters(const struct aws_client *aws, const char *const *ids, size_t count,
                              struct rds_clusters *ret) MUST_USE;

enum rds_switch { RDS_KEEP, RDS_ON, RDS_OFF };

/* Zero means: leave as it is. ApplyImmediately is always sent. */
struct rds_modify_opts {
    const char *cluster_id;
    const struct secret *master_password; /* 8-41 printable ASCII without / " @ */
    enum rds_switch manage_password;      /* RDS keeps the password in a secret of its own */
    const char *password_kms_key_id;
    bool rotate_password; /* of a managed one */
    enum rds_switch deletion_protection;
    enum rds_switch iam_authentication;
    const char *min_acu, *max_acu; /* Serverless v2, as decimal text: "0.5" */
    int backup_retention_days;
    const char *parameter_group;
    const char *const *security_group_ids;
    size_t security_group_count;
    const char *const *logs_on, *const *logs_off; /* exports to CloudWatch, by type */
    size_t logs_on_count, logs_off_count;
};
/* The answer shows the cluster as it was at the call: not returned, look again. *ret_server_ms (may be NULL)
 * is the server's Date: the time from which events are awaited. */
struct err *rds_modify_cluster(const struct aws_client *aws, const struct rds_modify_opts *opts,
                               int64_t *ret_server_ms) MUST_USE;
/* Without a final snapshot, automated backups included. ERR_RETRY while members are still there. */
struct err *rds_delete_cluster(const struct aws_client *aws, const char *id) MUST_USE;

struct rds_instance {
    char *id;
    char *arn;
    char *status;
    char *cluster_id;
    char *class_name;
    char *engine;
    char *resource_id;
    char *endpoint;
    int port;
    int promotion_tier;
    bool is_public;
    char *parameter_group;
    struct aws_tags tags;
};
struct rds_instances {
    struct rds_instance *items;
    size_t count;
};
void rds_instances_done(struct rds_instances *instances);
#define AUTO_RDS_INSTANCES CLEANUP(rds_instances_done)

void rds_instances_copy(const struct rds_instances *instances, struct rds_instances *ret);

/* "shop-stg-20261122-a" is after "shop-stg-20261122", as we name the instances of our copies: what an event,
 * which knows no clusters, may be about. */
bool rds_is_named_after(const char *instance_id, const char *cluster_id);
/* The members of some clusters; `count` 0: all instances. */
struct err *rds_find_instances(const struct aws_client *aws, const char *const *cluster_ids, size_t count,
                               struct rds_instances *ret) MUST_USE;
/* The members of one cluster, or all when `cluster_id` is NULL. */
struct err *rds_list_instances(const struct aws_client *aws, const char *cluster_id,
                               struct rds_instances *ret) MUST_USE;

struct rds_create_instance_opts {
    const char *instance_id;
    const char *cluster_id;
    const char *engine; /* must be the cluster's */
    const char *class_name;
    const char *parameter_group;   /* NULL: the engine's own */
    const char *availability_zone; /* NULL: any */
    int promotion_tier;            /* -1: the service's own */
    bool performance_insights;
    const struct aws_pair *tags;
    size_t tag_count;
};
/* Never publicly accessible. ERR_CONFLICT: an instance of that name is there; look whose it is. */
struct err *rds_create_instance(const struct aws_client *aws,
                                const struct rds_create_instance_opts *opts) MUST_USE;
struct err *rds_delete_instance(const struct aws_client *aws, const char *id) MUST_USE;
/* What makes a parameter group that was given to a running cluster come into force. */
struct err *rds_reboot_instance(const struct aws_client *aws, const char *id) MUST_USE;

struct err *rds_add_tags(const struct aws_client *aws, const char *arn, const struct aws_pair *tags,
                         size_t count) MUST_USE;
struct err *rds_list_tags(const struct aws_client *aws, const char *arn, struct aws_tags *ret) MUST_USE;

struct rds_event {
    char *source_id;
    char *source_arn;
    char *message; /* this API gives no event id: match words */
    int64_t date_ms;
};
struct rds_events {
    struct rds_event *items;
    size_t count;
};
void rds_events_done(struct rds_events *events);
#define AUTO_RDS_EVENTS CLEANUP(rds_events_done)

/* Events of one cluster since a point in time (at most 14 days back). Best effort: some never come. */
struct err *rds_list_cluster_events(const struct aws_client *aws, const char *cluster_id, int64_t since_ms,
                                    struct rds_events *ret) MUST_USE;

struct rds_subnet_group {
    char *name;
    char *status;
    char *vpc_id;
};
void rds_subnet_group_done(struct rds_subnet_group *group);
#define AUTO_RDS_SUBNET_GROUP CLEANUP(rds_subnet_group_done)
struct err *rds_describe_subnet_group(const struct aws_client *aws, const char *name,
                                      struct rds_subnet_group *ret) MUST_USE;
/* *ret_family: "aurora-mysql8.0", yours. */
struct err *rds_describe_cluster_parameter_group(const struct aws_client *aws, const char *name,
                                                 char **ret_family) MUST_USE;
/* Whether the Region offers the class for that engine and version. */
struct err *rds_class_is_orderable(const struct aws_client *aws, const struct rds_cluster *like,
                                   const char *class_name, bool *ret) MUST_USE;

#endif
