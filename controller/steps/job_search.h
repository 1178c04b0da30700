/* Finding a job of AWS Backup again whose id nobody has written down: the answer to its start was lost.
 *
 * *ret_id is yours, and stays NULL when there is no such job. Lists lag a start by minutes. */
#ifndef CONTROLLER_STEPS_JOB_SEARCH_H
#define CONTROLLER_STEPS_JOB_SEARCH_H

#include "pkg/aws/backup.h"
#include "pkg/refresh/spec.h"

/* Our clock and theirs. */
#define JOB_CLOCKS_MS MINUTES(5)

struct backup_search {
    const char *resource_arn, *vault_name, *role_arn, *token;
    int64_t since_ms; /* the intent */
};
struct err *job_search_backup(const struct aws_client *source, const struct backup_search *what,
                              char **ret_id) MUST_USE;

struct copy_search {
    const char *recovery_point_arn, *destination_vault_arn;
    int64_t since_ms;
    bool point_is_ours; /* else others may have copied it before */
};
struct err *job_search_copy(const struct aws_client *source, const struct copy_search *what,
                            char **ret_id) MUST_USE;

struct restore_search {
    const char *recovery_point_arn;
    enum database_kind kind;
    const char *identifier; /* what the cluster or table is called */
    int64_t since_ms;
};
struct err *job_search_restore(const struct aws_client *target, const struct restore_search *what,
                               char **ret_id) MUST_USE;

#endif
