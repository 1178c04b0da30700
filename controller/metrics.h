/* What the controller counts: under the names of controller-runtime and client-go where dashboards know
 * them, the rest under stagingrefresh_. No label holds an object's name.
 *
 * Everything is thread-safe; a registry that is NULL counts nothing. */
#ifndef CONTROLLER_METRICS_H
#define CONTROLLER_METRICS_H

#include "pkg/aws/traffic.h"
#include "pkg/base/json.h"
#include "pkg/base/metrics.h"
#include "pkg/http/transport.h"
#include "pkg/kube/events.h"
#include "pkg/kube/watch.h"
#include "pkg/kube/workqueue.h"

enum controller_metric {
    METRIC_RECONCILES,
    METRIC_RECONCILE_ERRORS,
    METRIC_RECONCILE_TIME,
    METRIC_MAX_WORKERS,
    METRIC_ACTIVE_WORKERS,
    METRIC_QUEUE_DEPTH,
    METRIC_QUEUE_ADDS,
    METRIC_QUEUE_RETRIES,
    METRIC_QUEUE_WAIT_TIME,
    METRIC_QUEUE_WORK_TIME,
    METRIC_QUEUE_UNFINISHED,
    METRIC_QUEUE_LONGEST,
    METRIC_QUEUE_DROPPED,
    METRIC_WATCH_LISTS,
    METRIC_WATCHES,
    METRIC_WATCH_EVENTS,
    METRIC_WATCH_FAILURES,
    METRIC_KUBE_EVENTS,
    METRIC_REST_REQUESTS,
    METRIC_REST_TIME,
    METRIC_LEADER,
    METRIC_PROCESS_CPU,
    METRIC_PROCESS_RESIDENT,
    METRIC_PROCESS_VIRTUAL,
    METRIC_PROCESS_FDS,
    METRIC_PROCESS_FDS_MAX,
    METRIC_PROCESS_START,
    METRIC_BUILD,
    METRIC_RUNS,
    METRIC_RUN_TIME,
    METRIC_STEP_TIME,
    METRIC_PROXY_GAP,
    METRIC_AWS_REQUESTS,
    METRIC_AWS_TIME,
    METRIC_AWS_RETRIES,
    METRIC_AWS_THROTTLES,
    METRIC_AWS_CREDENTIALS_EXPIRY,
    METRIC_AWS_CREDENTIALS_FETCHED,
    METRIC_AWS_CLOCK_SKEW,
    METRIC_EVENTS_RECEIVED,
    METRIC_EVENTS_IGNORED,
    METRIC_EVENT_WAKES,
    METRIC_EVENT_QUEUE_UP,
    METRIC_NOTIFICATIONS,
    CONTROLLER_METRIC_COUNT,
};

/* With all that can be known before at 0. */
struct metrics *controller_metrics_new(void);

/* A pass over the object behind a key of the engine's queue has ended. `after_ms`: when it comes again. */
struct pass_end {
    bool is_account;
    const struct err *err; /* NULL: it went well */
    int64_t after_ms;
    int64_t took_ms;
};
void controller_metrics_pass(struct metrics *metrics, const struct pass_end *end);
/* A status was written: what has ended between the two versions of a StagingRefresh is counted. */
void controller_metrics_written(struct metrics *metrics, const struct json *before, const struct json *after);
/* Both of an aws_listener. The controller's own identity is the account "identity". What never expires has no
 * series of its end. */
void controller_metrics_aws(void *metrics, const struct aws_call_seen *call);
void controller_metrics_credentials(void *metrics, const struct aws_credentials_seen *credentials);
/* Nobody uses the account any more: nobody must be alarmed by it. */
void controller_metrics_forget_account(struct metrics *metrics, const char *account_id);

/* For the queue's options. Queue times are of the clock that the queue goes by. */
void controller_metrics_queued(void *metrics, int64_t for_ms);
void controller_metrics_worked(void *metrics, int64_t for_ms);

/* Just before a scrape. */
void controller_metrics_watch(struct metrics *metrics, const char *resource,
                              const struct kube_watch_stats *stats);
void controller_metrics_kube_events(struct metrics *metrics, const struct kube_events_stats *stats);
void controller_metrics_queue(struct metrics *metrics, const struct workqueue_stats *stats, int workers);
void controller_metrics_process(struct metrics *metrics);

/* Counts what goes to the API server, and hands everything on. Takes `inner` over; borrows the others. */
struct transport *counted_transport_new(struct transport *inner, struct metrics *metrics, struct sched *sched,
                                        const char *server_url);

#endif
