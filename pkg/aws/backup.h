/* AWS Backup. https://docs.aws.amazon.com/aws-backup/latest/devguide/api-reference.html
 * Backup and copy jobs live in the account that holds the source vault (a copy is started there), restore
 * jobs in the account that restores. */
#ifndef AWS_BACKUP_H
#define AWS_BACKUP_H

#include "pkg/aws/client.h"

enum backup_job_kind { BACKUP_JOB, COPY_JOB, RESTORE_JOB };

enum backup_job_state {
    BACKUP_STATE_UNKNOWN, /* a word we do not know: treat as running */
    BACKUP_STATE_CREATED,
    BACKUP_STATE_PENDING,
    BACKUP_STATE_RUNNING,
    BACKUP_STATE_ABORTING,
    BACKUP_STATE_COMPLETED,
    BACKUP_STATE_FAILED,
    BACKUP_STATE_PARTIAL, /* never good for our kinds */
    BACKUP_STATE_ABORTED,
    BACKUP_STATE_EXPIRED, /* never got to run within its start window */
};
/* COMPLETED, FAILED, PARTIAL, ABORTED, EXPIRED. */
bool backup_state_is_final(enum backup_job_state state);

/* One shape for the three kinds of job; what a kind does not have is NULL or 0. */
struct backup_job {
    enum backup_job_kind kind;
    char *id;
    enum backup_job_state state;
    char *state_text;                     /* as it came */
    char *status_message;                 /* the words of AWS; also set on some that completed */
    char *message_category;               /* "SUCCESS" when clean */
    int percent;                          /* -1: not said; may stick: never wait for it */
    char *resource_arn;                   /* of the database that was backed up */
    char *resource_type;                  /* "Aurora", "DynamoDB" */
    char *recovery_point_arn;             /* backup: made by it; copy: copied from; restore: restored from */
    char *destination_recovery_point_arn; /* copy */
    char *vault_arn;                      /* backup: where to; copy: source vault */
    char *destination_vault_arn;          /* copy */
    char *created_resource_arn;           /* restore: read it at COMPLETED */
    char *role_arn;
    char *plan_id;        /* a backup plan started it, not we */
    int64_t created_ms;   /* 0: not said */
    int64_t completed_ms; /* 0: not yet */
    int64_t size_bytes;   /* -1: not said */
};
void backup_job_done(struct backup_job *job);
void backup_job_copy(const struct backup_job *job, struct backup_job *ret);
#define AUTO_BACKUP_JOB CLEANUP(backup_job_done)

struct backup_jobs {
    struct backup_job *items;
    size_t count;
};
void backup_jobs_done(struct backup_jobs *jobs);
#define AUTO_BACKUP_JOBS CLEANUP(backup_jobs_done)

struct backup_start_opts {
    const char *vault_name;
    const char *resource_arn;
    const char *role_arn;        /* handed to AWS Backup */
    const char *token;           /* makes a repeat harmless; required */
    int start_window_minutes;    /* 0: 60, the smallest */
    int complete_window_minutes; /* 0: the service's own */
    int delete_after_days;       /* 0: never */
    const struct aws_pair *tags; /* of the recovery point */
    size_t tag_count;
};
/* The recovery point's ARN is not known yet: it is in the job. */
struct err *backup_start_backup(const struct aws_client *aws, const struct backup_start_opts *opts,
                                char **ret_job_id) MUST_USE;
struct err *backup_describe_backup(const struct aws_client *aws, const char *job_id,
                                   struct backup_job *ret) MUST_USE;
/* ERR_INVALID or ERR_CONFLICT-like refusals are usual: Aurora backups cannot be stopped. */
struct err *backup_stop_backup(const struct aws_client *aws, const char *job_id) MUST_USE;

struct copy_start_opts {
    const char *recovery_point_arn;
    const char *source_vault_name;     /* a name */
    const char *destination_vault_arn; /* an ARN, of the target account */
    const char *role_arn;
    const char *token;
    int delete_after_days; /* counted from the source's creation date; 0: never */
};
struct err *backup_start_copy(const struct aws_client *aws, const struct copy_start_opts *opts,
                              char **ret_job_id) MUST_USE;
struct err *backup_describe_copy(const struct aws_client *aws, const char *job_id,
                                 struct backup_job *ret) MUST_USE;

struct restore_start_opts {
    const char *recovery_point_arn;
    const char *role_arn;
    const char *resource_type; /* "Aurora" or "DynamoDB" */
    const char *token;
    const struct aws_pair *metadata; /* every value a text; lists are JSON text */
    size_t metadata_count;
};
struct err *backup_start_restore(const struct aws_client *aws, const struct restore_start_opts *opts,
                                 char **ret_job_id) MUST_USE;
struct err *backup_describe_restore(const struct aws_client *aws, const char *job_id,
                                    struct backup_job *ret) MUST_USE;

/* Filters: NULL and 0 mean any. Lists hold about the last 30 days and may lag a start: describe by id first.
 */
struct backup_jobs_filter {
    const char *resource_arn; /* backup, copy */
    const char *vault_name;   /* backup */
    const char *state;        /* "RUNNING", ... */
    const char *resource_type;
    const char *recovery_point_arn;    /* copy: the source (asked of AWS); restore: matched here */
    const char *destination_vault_arn; /* copy */
    int64_t created_after_ms;
};
/* All pages, at most 20,000 jobs (ERR_INVALID beyond: filter more). */
struct err *backup_list_backups(const struct aws_client *aws, const struct backup_jobs_filter *filter,
                                struct backup_jobs *ret) MUST_USE;
struct err *backup_list_copies(const struct aws_client *aws, const struct backup_jobs_filter *filter,
                               struct backup_jobs *ret) MUST_USE;
struct err *backup_list_restores(const struct aws_client *aws, const struct backup_jobs_filter *filter,
                                 struct backup_jobs *ret) MUST_USE;

struct recovery_point {
    char *arn;
    char *status; /* CREATING COMPLETED AVAILABLE PARTIAL DELETING EXPIRED (a delete that failed) STOPPED */
    char *status_message;
    char *resource_arn;
    char *resource_type;
    char *vault_name;
    char *source_vault_arn; /* a copy: where it came from */
    char *encryption_key_arn;
    char *role_arn;
    char *plan_id; /* NULL: no backup plan made it */
    bool is_encrypted;
    int64_t created_ms; /* a copy keeps its source's */
    int64_t completed_ms;
    int64_t delete_at_ms; /* 0: never */
    int64_t size_bytes;   /* -1: not said */
};
void recovery_point_done(struct recovery_point *point);
#define AUTO_RECOVERY_POINT CLEANUP(recovery_point_done)

struct recovery_points {
    struct recovery_point *items;
    size_t count;
};
void recovery_points_done(struct recovery_points *points);
#define AUTO_RECOVERY_POINTS CLEANUP(recovery_points_done)

struct err *backup_describe_recovery_point(const struct aws_client *aws, const char *vault_name,
                                           const char *arn, struct recovery_point *ret) MUST_USE;
/* `resource_arn` NULL: all of the vault. */
struct err *backup_list_recovery_points(const struct aws_client *aws, const char *vault_name,
                                        const char *resource_arn, struct recovery_points *ret) MUST_USE;
/* Done is not gone: without permission the recovery point turns EXPIRED. Look again. */
struct err *backup_delete_recovery_point(const struct aws_client *aws, const char *vault_name,
                                         const char *arn) MUST_USE;
/* The tags of a recovery point, asked of the service that its ARN names. AWS Backup answers for what it fully
 * manages (a table's, with advanced features) and may refuse all others; a cluster's is a snapshot of RDS.
 * DynamoDB tells no tags of its own kind of backup, so these have none here: they are nobody's.
 * https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListTags.html */
struct err *backup_list_point_tags(const struct aws_client *aws, const char *arn,
                                   struct aws_tags *ret) MUST_USE;
/* Describes the source's environment (subnets, keys of production): never to be replayed as it is. Keys in
 * PascalCase. */
struct err *backup_get_restore_metadata(const struct aws_client *aws, const char *vault_name, const char *arn,
                                        struct aws_tags *ret) MUST_USE;

struct backup_vault {
    char *arn;
    char *name;
    char *encryption_key_arn;
    char *state; /* NULL: available */
    char *type;
    bool is_locked;
    int64_t min_retention_days; /* 0: not limited */
    int64_t max_retention_days;
};
void backup_vault_done(struct backup_vault *vault);
#define AUTO_BACKUP_VAULT CLEANUP(backup_vault_done)

/* A missing vault may also read as ERR_DENIED. */
struct err *backup_describe_vault(const struct aws_client *aws, const char *name,
                                  struct backup_vault *ret) MUST_USE;
/* The policy document as JSON text, yours; NULL when the vault has none. */
struct err *backup_get_vault_policy(const struct aws_client *aws, const char *name,
                                    char **ret_policy) MUST_USE;

struct backup_region_settings {
    bool aurora_opted_in;
    bool dynamodb_opted_in;
    bool dynamodb_advanced; /* without it a table's recovery points cannot leave the account */
};
struct err *backup_describe_region_settings(const struct aws_client *aws,
                                            struct backup_region_settings *ret) MUST_USE;
/* Whether the organization allows copies to other accounts. An account in no organization is an error. */
struct err *backup_describe_global_settings(const struct aws_client *aws, bool *ret_cross_account) MUST_USE;

#endif
