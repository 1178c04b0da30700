/* Looks at what many wait for in one account, for everybody: jobs of AWS Backup, clusters, the instances of
 * clusters. Lists them in pages, once for all who ask, instead of describing each. A list is only a hint, as
 * lists lag: the end of a wait, and what is not in the list, are always read from Describe. (DynamoDB has no
 * call that describes several tables.)
 *
 * Each account has one (client.c hands it out); thread-safe. A list is read by the thread that needs it
 * first; late comers park on spots of their own until it is there, for two seconds at most. */
#ifndef AWS_OBSERVER_H
#define AWS_OBSERVER_H

#include "pkg/aws/backup.h"
#include "pkg/aws/rds.h"

struct observer;

struct observer *observer_new(void);
void observer_free(struct observer *observer); /* nobody looks any more; NULL is fine */

struct observer_query {
    enum backup_job_kind kind;
    const char *id;
    int64_t since_ms;   /* wall clock: the job was not created before; bounds the list */
    int64_t max_age_ms; /* how old what is known of a running job may be; less than 5 s counts as 5 s */
};

/* *ret_expires_ms: in how many milliseconds what was given will be too old; looking again earlier brings
 * nothing new, and who waits so long shares the next list with the others. Errors as of Describe and List;
 * a list that may not be read, or is too long, is done without. */
struct err *observer_look(const struct aws_client *aws, const struct observer_query *query,
                          struct backup_job *ret, int64_t *ret_expires_ms) MUST_USE;

struct observer_rds_query {
    const char *cluster_id; /* lower case, as RDS keeps it */
    int64_t max_age_ms;     /* as above; long lists are read less often than that */
    int64_t not_before_ms;  /* wall clock: when the asker changed it last. A list that was begun before would
                               show the state before the change. 0: never */
};
struct observation {
    int64_t expires_ms; /* as above */
    int64_t taken_ms;   /* wall clock: when reading began; the same for all that one list gave */
};
/* ERR_NOT_FOUND only from a Describe by name: right after it was made AWS may not know it yet. */
struct err *observer_cluster(const struct aws_client *aws, const struct observer_rds_query *query,
                             struct rds_cluster *ret, struct observation *ret_seen) MUST_USE;
/* The members of the cluster; none is an answer, too. */
struct err *observer_instances(const struct aws_client *aws, const struct observer_rds_query *query,
                               struct rds_instances *ret, struct observation *ret_seen) MUST_USE;

/* There may be news of a job: the next look at it is at AWS itself, however fresh what is known. Nothing is
 * believed, and for a job that nobody asks about nothing happens. */
void observer_hint(struct aws_account *account, enum backup_job_kind kind, const char *id);
/* The same for a cluster and for its instances, */
void observer_hint_cluster(struct aws_account *account, const char *id);
/* and for the instances of the cluster that this one is named after. */
void observer_hint_instance(struct aws_account *account, const char *id);

#endif
