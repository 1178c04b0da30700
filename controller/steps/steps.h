/* The steps, as named in the tables of workflow.c; what each does stands at the top of its file. */
#ifndef CONTROLLER_STEPS_STEPS_H
#define CONTROLLER_STEPS_STEPS_H

#include "controller/pass.h"
#include "pkg/aws/backup.h"

/* backup.c */
struct err *backup_intend_cluster(struct stage *stage) MUST_USE;
struct err *backup_intend_table(struct stage *stage) MUST_USE;
struct err *backup_act(struct stage *stage, struct outcome *out) MUST_USE;
/* copy.c */
struct err *copy_intend(struct stage *stage) MUST_USE;
struct err *copy_act(struct stage *stage, struct outcome *out) MUST_USE;
/* restore_cluster.c, restore_table.c */
struct err *restore_intend_cluster(struct stage *stage) MUST_USE;
struct err *restore_act_cluster(struct stage *stage, struct outcome *out) MUST_USE;
struct err *restore_intend_table(struct stage *stage) MUST_USE;
struct err *restore_act_table(struct stage *stage, struct outcome *out) MUST_USE;
/* instances.c */
struct err *instances_act(struct stage *stage, struct outcome *out) MUST_USE;
/* settings_cluster.c, settings_table.c */
struct err *settings_intend_cluster(struct stage *stage) MUST_USE;
struct err *settings_act_cluster(struct stage *stage, struct outcome *out) MUST_USE;
struct err *settings_intend_table(struct stage *stage) MUST_USE;
struct err *settings_act_table(struct stage *stage, struct outcome *out) MUST_USE;
/* password.c */
struct err *password_act(struct stage *stage, struct outcome *out) MUST_USE;
/* proxy.c */
struct err *proxy_intend(struct stage *stage) MUST_USE;
struct err *proxy_act(struct stage *stage, struct outcome *out) MUST_USE;
struct err *proxy_undo(struct stage *stage, struct outcome *out) MUST_USE;
/* parameter.c */
struct err *parameter_rehearse(struct stage *stage) MUST_USE;
struct err *parameter_intend(struct stage *stage) MUST_USE;
struct err *parameter_act(struct stage *stage, struct outcome *out) MUST_USE;
struct err *parameter_undo(struct stage *stage, struct outcome *out) MUST_USE;
/* hook.c */
struct err *hook_act(struct stage *stage, struct outcome *out) MUST_USE;
/* application.c */
struct err *application_rehearse(struct stage *stage) MUST_USE;
struct err *application_intend(struct stage *stage) MUST_USE;
struct err *application_act(struct stage *stage, struct outcome *out) MUST_USE;
struct err *application_undo(struct stage *stage, struct outcome *out) MUST_USE;
/* retention.c */
struct err *retention_intend(struct stage *stage) MUST_USE;
struct err *retention_act(struct stage *stage, struct outcome *out) MUST_USE;

/* --- shared by the three steps that start a job of AWS Backup (jobs.c) --- */

/* A token is trusted for so long after the intent (the service promises an hour); later we search before we
 * start. */
#define TOKEN_TRUSTED_MS MINUTES(50)

struct job_ops {
    const char *noun; /* "backup job" */
    enum backup_job_kind kind;
    bool on_target; /* the job belongs to the target account */
    struct err *(*start)(struct stage *stage, const char *token, char **ret_id);
    /* *ret_id stays NULL when there is no job of ours. */
    struct err *(*search)(struct stage *stage, char **ret_id);
    /* What a completed job says that it made; NULL: nothing, and then it is not finished either. */
    const char *(*made)(const struct backup_job *job);
    /* It says nothing for minutes: *ret_arn is what is there under the name that was asked for; stays NULL
     * when there is nothing. Yours. Optional. */
    struct err *(*find_made)(struct stage *stage, char **ret_arn);
    /* The job has completed: takes over what it made. */
    struct err *(*finish)(struct stage *stage, const struct backup_job *job, struct outcome *out);
};
/* What a job that has come to its end means, COMPLETED included. */
struct outcome job_end(const char *noun, const struct backup_job *job);
/* Starts or observes; the common life of a job. */
struct err *job_act(struct stage *stage, const struct job_ops *ops, struct outcome *out) MUST_USE;

/* --- shared by the restores (restore.c) --- */
struct err *restore_search(struct stage *stage, char **ret_id) MUST_USE;
const char *restore_made(const struct backup_job *job);
/* Checks the created ARN, books the copy in status.copies. */
struct err *restore_book_copy(struct stage *stage, const struct backup_job *job) MUST_USE;

/* Reads the secret a reference names: from Secrets Manager of the target account, or a Secret of the
 * namespace. */
struct secret;
struct err *secret_ref_read(const struct pass *pass, const struct secret_ref *ref,
                            struct secret **ret) MUST_USE;

#endif
