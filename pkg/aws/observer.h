/* Looks at the jobs of AWS Backup of one account for everybody: lists them in pages, once for all who ask,
 * instead of describing each. A list is only a hint, as lists lag: the end of a job, and a job that is not in
 * the list, are always read from Describe.
 *
 * Each account has one (client.c hands it out); thread-safe. A list is read by the thread that needs it
 * first; late comers park on spots of their own until it is there. */
#ifndef AWS_OBSERVER_H
#define AWS_OBSERVER_H

#include "pkg/aws/backup.h"

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

/* There may be news of a job: the next look at it is at AWS itself, however fresh what is known. Nothing is
 * believed, and for a job that nobody asks about nothing happens. */
void observer_hint(struct aws_account *account, enum backup_job_kind kind, const char *id);

#endif
