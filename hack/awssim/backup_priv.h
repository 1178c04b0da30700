/* AWS Backup's own files share this: vaults with recovery points, and the three kinds of job. */
#ifndef AWSSIM_BACKUP_PRIV_H
#define AWSSIM_BACKUP_PRIV_H

#include "hack/awssim/core.h"

struct vault {
    char *name, *arn, *key_arn;
    char *creator_request_id; /* NULL: it was there from the beginning, or was made without one */
    struct json *policy;      /* NULL: none */
    struct json *tags;
    int64_t created_ms, min_days, max_days; /* days 0: no lock */
    bool delete_fails; /* the role behind deletions lacks a permission: 200, then EXPIRED */
};

enum point_status { POINT_CREATING, POINT_COMPLETED, POINT_DELETING, POINT_EXPIRED, POINT_GONE };

struct point {
    char *arn, *vault, *resource_arn, *resource_name, *source_vault_arn, *key_arn, *role_arn;
    const struct database_kind *kind;
    struct json *snapshot, *tags;
    enum point_status status;
    int64_t created_ms, completed_ms, size_bytes;
    int64_t delete_after_days, delete_at_ms; /* 0: never */
    int64_t vanish_ms;                       /* when it really goes: up to 8 hours after delete_at_ms */
    int64_t gone_ms;                         /* while DELETING */
    bool is_encrypted;
};

/* The state changes of all jobs are stored times; a job at rest has next_ms NEVER_MS. */
enum job_state { JOB_CREATED, JOB_PENDING, JOB_RUNNING, JOB_COMPLETED, JOB_FAILED, JOB_EXPIRED, JOB_ABORTED };

struct job {
    char *id, *vault, *resource_arn, *resource_name, *role_arn, *point_arn, *token;
    const struct database_kind *kind;
    enum job_state state;
    char *message;
    char *fail_message; /* of a fault: the job will fail with it */
    bool stuck;         /* of a fault: stays as it was created */
    int64_t created_ms, started_ms, ends_ms, completed_ms, next_ms;
    int64_t start_by_ms;       /* backup: end of the start window */
    int64_t delete_after_days; /* 0: never, -1: as the source (copy) */
    struct json *tags;
    char *destination_vault_arn, *destination_point_arn, *source_point_arn; /* copy */
    struct json *metadata;                                                  /* restore */
    char *created_arn;                                                      /* restore */
    bool copy_tags, begun;                                                  /* restore */
};

LIST_TYPE(vault_list, struct vault);
LIST_TYPE(point_list, struct point *);
LIST_TYPE(job_list, struct job *);

struct backup_state {
    struct vault_list vaults;
    struct point_list points;
    struct job_list backups, copies, restores;
    struct json *opt_in, *full_management; /* names of resource types */
};

extern const struct service backup_service;
struct backup_state *sim_backup_state_of(const struct account *account);

/* backup_load.c: the hooks of struct service */
struct err *sim_backup_load(const struct loader *loader, struct account *account,
                            const struct json *node) MUST_USE;
struct err *sim_backup_check(const struct loader *loader, struct account *account,
                             const struct json *node) MUST_USE;

/* ---- vaults and points (backup_vaults.c) ---- */

struct vault *sim_vault_find(const struct account *account, const char *name);
struct vault *sim_vault_by_arn(const struct sim *sim, const char *arn, struct account **ret_account);
struct point *sim_point_find(const struct account *account, const char *vault,
                             const char *arn); /* vault NULL: any */
/* What the ARN of a new recovery point is made of. */
struct point_name {
    const struct database_kind *kind;
    const char *resource_name;
    const char *infix; /* "job" or "copyjob" */
    const char *id;    /* of the job */
    bool full;         /* fully managed by AWS Backup */
};
char *sim_point_arn(const struct account *account, const struct point_name *name); /* yours */
/* CREATING, created now, with copies of what is given. */
struct point *sim_point_add(struct account *account, const struct vault *vault,
                            const struct point_name *name);
/* Sets when it is deleted by its age; days 0: never. */
void sim_point_set_lifecycle(struct sim *sim, struct point *point, int64_t days);
void sim_points_advance(struct account *account);
int64_t sim_points_next(const struct account *account);
void sim_point_free(struct point *point);
const struct database_kind *sim_kind_of_resource(const char *arn); /* NULL: none of ours */
bool sim_texts_have(const struct json *texts, const char *text);
/* The vault's lock allows this retention? days 0: for ever. */
bool sim_vault_lock_allows(const struct vault *vault, int64_t days);

/* backup_owner.c */
bool sim_backup_create_vault(struct call *call);
bool sim_backup_update_region_settings(struct call *call);

bool sim_backup_describe_vault(struct call *call);
bool sim_backup_list_vaults(struct call *call);
bool sim_backup_get_policy(struct call *call);
bool sim_backup_put_policy(struct call *call);
bool sim_backup_describe_point(struct call *call);
bool sim_backup_list_points(struct call *call);
bool sim_backup_delete_point(struct call *call);
bool sim_backup_restore_metadata(struct call *call);
bool sim_backup_list_tags(struct call *call);
bool sim_backup_tag(struct call *call);
bool sim_backup_untag(struct call *call);

/* ---- jobs (backup_jobs.c) ---- */

struct job *sim_job_new(struct call *call, struct job_list *list);
struct job *sim_job_find(const struct job_list *list, const char *id);
void sim_job_free(struct job *job);
void sim_job_fail(struct account *account, struct job *job, const char *message);
void sim_job_complete(struct account *account, struct job *job, const char *message);
bool sim_job_is_live(const struct job *job);
const char *sim_job_state_name(enum job_state state);
/* Whether a copy or restore of this recovery point is under way anywhere. */
bool sim_point_is_used(const struct sim *sim, const char *point_arn);
/* Another job of the list runs on the same database. */
bool sim_resource_is_busy(const struct job_list *list, const struct job *job);
/* The call's token was used before: *ret_answer is what the handler gives. */
bool sim_job_is_repeat(struct call *call, bool *ret_answer);
/* iam:PassRole on IamRoleArn; whether the role works shows only when the job runs. */
bool sim_job_may_pass_role(struct call *call);
/* backup_limits.c: how many jobs run at once; `work` as below. The start of one too many is refused, fails,
 * or waits, as the world says. */
bool sim_job_may_start(struct call *call, const char *work, const struct job_list *list,
                       const struct database_kind *kind);
enum room {
    ROOM, /* it may begin; if only to fail, its fail_message is set */
    ROOM_LATER,
};
enum room sim_job_room(const struct account *account, const char *work, const struct job_list *list,
                       struct job *job);
int64_t sim_job_look_again_ms(const struct account *account);
/* What the service role lacks for a kind of work, NULL: nothing. `work` is "backup", "copy" or "restore".
 * Yours. */
char *sim_role_lacks(const struct sim *sim, const struct job *job, const char *work);
bool sim_lifecycle_read(struct call *call, int64_t *ret_days);
void sim_set_percent(const struct call *call, const struct job *job, struct json *out);
/* backup_events.c: the job is in a new state; it was created; a recovery point is complete. */
void sim_job_emit(struct account *account, const struct job *job);
void sim_job_emit_created(struct account *account, const struct job *job);
void sim_point_emit(struct account *account, const struct point *point);
/* Lists the jobs of a list that pass the call's filters, rendered by `render`, under `member`. */
typedef struct json *job_render_fn(const struct call *call, const struct job *job);
bool sim_jobs_list(struct call *call, const struct job_list *list, const char *member, job_render_fn *render);
int64_t sim_job_duration(const struct sim *sim, const struct job *job, const char *work);

bool sim_backup_start(struct call *call);
bool sim_backup_describe(struct call *call);
bool sim_backup_list(struct call *call);
bool sim_backup_stop(struct call *call);
void sim_backup_job_step(struct account *account, struct job *job);

bool sim_copy_start(struct call *call);
bool sim_copy_describe(struct call *call);
bool sim_copy_list(struct call *call);
void sim_copy_job_step(struct account *account, struct job *job);

bool sim_restore_start(struct call *call);
bool sim_restore_describe(struct call *call);
bool sim_restore_list(struct call *call);
void sim_restore_job_step(struct account *account, struct job *job);

#endif
