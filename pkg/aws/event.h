/* What EventBridge puts into a queue, read as a hint and nothing more: which job, cluster or
 * instance there may be news of. Whoever can write to the queue can write anything, and what AWS writes comes
 * late, twice, in any order or never: nothing of it is believed, and what is not understood is dropped.
 * https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.Messages.html */
#ifndef AWS_EVENT_H
#define AWS_EVENT_H

#include "pkg/base/str.h"

/* Larger than what EventBridge sends. */
#define AWS_EVENT_MAX_BYTES (256 * 1024)
#define AWS_EVENT_TEXT_MAX 2048 /* of an account, a Region or a subject */

enum aws_event_kind {
    AWS_EVENT_BACKUP_JOB,
    AWS_EVENT_COPY_JOB,
    AWS_EVENT_RESTORE_JOB,
    AWS_EVENT_DB_CLUSTER,
    AWS_EVENT_DB_INSTANCE,
    AWS_EVENT_KIND_COUNT,
};
const char *aws_event_kind_name(enum aws_event_kind kind); /* "backup_job" */

struct aws_event {
    enum aws_event_kind kind;
    char *account, *region; /* where it happened, by its own words */
    char *subject;          /* a job's id, a cluster's or an instance's identifier */
    int64_t time_ms;        /* when, by its own words; 0: not said */
    bool is_over;           /* not about a job that is only beginning or under way */
};
void aws_event_done(struct aws_event *event);
#define AUTO_AWS_EVENT CLEANUP(aws_event_done)

enum aws_event_fault {
    AWS_EVENT_FINE, /* *ret is filled in; otherwise it is left alone */
    AWS_EVENT_TOO_LARGE,
    AWS_EVENT_MALFORMED,  /* no JSON object, or one without what its kind must say */
    AWS_EVENT_OTHER_KIND, /* an event, but none of those above */
};

/* `body` is the event, or one in the "Message" of an SNS notification. */
enum aws_event_fault aws_event_parse(struct str body, struct aws_event *ret);

#endif
