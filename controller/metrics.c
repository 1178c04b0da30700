#include "controller/metrics.h"

#include "controller/pass.h"

#define QUEUE_NAME "stagingrefresh"
#define NAMES LABELS(QUEUE_NAME, QUEUE_NAME)

static const double pass_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60};
static const double work_bounds[] = {1e-08, 1e-07, 1e-06, 1e-05, 0.0001, 0.001, 0.01, 0.1, 1, 10, 100, 1000};
static const double rest_bounds[] = {0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60};
/* A queue is listened to for 20 s at a time. */
static const double aws_bounds[] = {0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 21, 30};
static const double gap_bounds[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600};
static const double hour_bounds[] = {10, 30, 60, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 57600};

#define COUNTER(n, h, ...)                                                          \
    {                                                                               \
        .name = (n), .help = (h), .type = METRIC_COUNTER, .labels = { __VA_ARGS__ } \
    }
#define GAUGE(n, h, ...)                                                          \
    {                                                                             \
        .name = (n), .help = (h), .type = METRIC_GAUGE, .labels = { __VA_ARGS__ } \
    }
#define HISTOGRAM(n, h, b, ...)                                                                          \
    {                                                                                                    \
        .name = (n), .help = (h), .type = METRIC_HISTOGRAM, .buckets = (b), .bucket_count = COUNT_OF(b), \
        .labels = {                                                                                      \
            __VA_ARGS__                                                                                  \
        }                                                                                                \
    }

/* clang-format off */
static const struct metric_family families[CONTROLLER_METRIC_COUNT] = {
    [METRIC_RECONCILES] = COUNTER("controller_runtime_reconcile_total", "Passes, by result.", "controller", "result"),
    [METRIC_RECONCILE_ERRORS] = COUNTER("controller_runtime_reconcile_errors_total", "Passes that ended in an error.", "controller"),
    [METRIC_RECONCILE_TIME] = HISTOGRAM("controller_runtime_reconcile_time_seconds", "How long a pass took.", pass_bounds, "controller"),
    [METRIC_MAX_WORKERS] = GAUGE("controller_runtime_max_concurrent_reconciles", "Workers.", "controller"),
    [METRIC_ACTIVE_WORKERS] = GAUGE("controller_runtime_active_workers", "Workers with an object.", "controller"),
    [METRIC_QUEUE_DEPTH] = GAUGE("workqueue_depth", "Keys ready to be handed out.", "name", "controller", "priority"),
    [METRIC_QUEUE_ADDS] = COUNTER("workqueue_adds_total", "Adds that made a key ready.", "name", "controller"),
    [METRIC_QUEUE_RETRIES] = COUNTER("workqueue_retries_total", "Adds after a failure.", "name", "controller"),
    [METRIC_QUEUE_WAIT_TIME] = HISTOGRAM("workqueue_queue_duration_seconds", "How long a key waited for a worker.", work_bounds, "name", "controller"),
    [METRIC_QUEUE_WORK_TIME] = HISTOGRAM("workqueue_work_duration_seconds", "How long a key was with a worker.", work_bounds, "name", "controller"),
    [METRIC_QUEUE_UNFINISHED] = GAUGE("workqueue_unfinished_work_seconds", "How long the keys now with workers have been there, summed.", "name", "controller"),
    [METRIC_QUEUE_LONGEST] = GAUGE("workqueue_longest_running_processor_seconds", "How long the oldest key now with a worker has been there.", "name", "controller"),
    [METRIC_QUEUE_DROPPED] = COUNTER("stagingrefresh_workqueue_dropped_total", "Adds that found the queue full.", "name", "controller"),
    [METRIC_WATCH_LISTS] = COUNTER("stagingrefresh_watch_lists_total", "Complete lists of a kind: at the start, when a replica begins to lead, and when a version was too old to go on from.", "resource", "way"),
    [METRIC_WATCHES] = COUNTER("stagingrefresh_watches_total", "Watches that were asked for.", "resource"),
    [METRIC_WATCH_EVENTS] = COUNTER("stagingrefresh_watch_events_total", "Events that watches brought.", "resource"),
    [METRIC_WATCH_FAILURES] = COUNTER("stagingrefresh_watch_failures_total", "Lists and watches that ended in trouble.", "resource"),
    [METRIC_KUBE_EVENTS] = COUNTER("stagingrefresh_kube_events_total", "Events about objects: written to the API server, or dropped because there were too many or it did not take them.", "result"),
    [METRIC_REST_REQUESTS] = COUNTER("rest_client_requests_total", "Requests to the API server.", "code", "method", "host"),
    [METRIC_REST_TIME] = HISTOGRAM("rest_client_request_duration_seconds", "How long requests to the API server took; watches are left out.", rest_bounds, "verb", "host"),
    [METRIC_LEADER] = GAUGE("leader_election_master_status", "1 while this process holds the lease.", "name"),
    [METRIC_PROCESS_CPU] = COUNTER("process_cpu_seconds_total", "User and system CPU time.", NULL),
    [METRIC_PROCESS_RESIDENT] = GAUGE("process_resident_memory_bytes", "Resident memory.", NULL),
    [METRIC_PROCESS_VIRTUAL] = GAUGE("process_virtual_memory_bytes", "Virtual memory.", NULL),
    [METRIC_PROCESS_FDS] = GAUGE("process_open_fds", "Open file descriptors.", NULL),
    [METRIC_PROCESS_FDS_MAX] = GAUGE("process_max_fds", "The most file descriptors that may be open.", NULL),
    [METRIC_PROCESS_START] = GAUGE("process_start_time_seconds", "When the process began, since 1970.", NULL),
    [METRIC_BUILD] = GAUGE("stagingrefresh_build_info", "Always 1; the label says what runs.", "version"),
    [METRIC_RUNS] = COUNTER("stagingrefresh_runs_total", "Runs that have ended.", "result"),
    [METRIC_RUN_TIME] = HISTOGRAM("stagingrefresh_run_duration_seconds", "From the start of a run to its end, waiting for people included.", hour_bounds, "result"),
    [METRIC_STEP_TIME] = HISTOGRAM("stagingrefresh_step_duration_seconds", "From the intent of a step to its end.", hour_bounds, "step", "result"),
    [METRIC_PROXY_GAP] = HISTOGRAM("stagingrefresh_proxy_without_target_seconds", "From taking a proxy's old target out until it reaches the new one.", gap_bounds, NULL),
    [METRIC_AWS_REQUESTS] = COUNTER("stagingrefresh_aws_requests_total", "Requests to AWS for an account; code is OK, AWS's error code, or NoAnswer.", "service", "operation", "account", "code"),
    [METRIC_AWS_TIME] = HISTOGRAM("stagingrefresh_aws_request_duration_seconds", "How long requests to AWS took, until the whole answer was there.", aws_bounds, "service", "operation"),
    [METRIC_AWS_RETRIES] = COUNTER("stagingrefresh_aws_retries_total", "Requests to AWS that repeated an earlier one of the same call.", "service", "account"),
    [METRIC_AWS_THROTTLES] = COUNTER("stagingrefresh_aws_throttles_total", "Requests that AWS has throttled.", "service", "account"),
    [METRIC_AWS_CREDENTIALS_EXPIRY] = GAUGE("stagingrefresh_aws_credentials_expiry_timestamp_seconds", "When the newest credentials for an account expire, since 1970; none where they never do.", "account"),
    [METRIC_AWS_CREDENTIALS_FETCHED] = GAUGE("stagingrefresh_aws_credentials_fetched_timestamp_seconds", "When the newest credentials for an account were fetched, since 1970.", "account"),
    [METRIC_AWS_CLOCK_SKEW] = GAUGE("stagingrefresh_aws_clock_skew_seconds", "How far AWS's clock is ahead of ours, as far as it was found out: 0 unless a signature was refused because of it.", "account"),
    [METRIC_EVENTS_RECEIVED] = COUNTER("stagingrefresh_events_received_total", "Messages of an account's event queue, by what they are about.", "account", "kind"),
    [METRIC_EVENTS_IGNORED] = COUNTER("stagingrefresh_events_ignored_total", "Messages of an account's event queue that were of no use, by why.", "account", "reason"),
    [METRIC_EVENT_WAKES] = COUNTER("stagingrefresh_event_wakes_total", "Objects that were looked at sooner because of an event of that account.", "account"),
    [METRIC_EVENT_QUEUE_UP] = GAUGE("stagingrefresh_event_queue_up", "1 while an account's event queue can be read.", "account"),
    [METRIC_NOTIFICATIONS] = COUNTER("stagingrefresh_notifications_total", "Attempts to tell somebody what has happened, by how.", "kind", "result"),
};
/* clang-format on */

static const char *const controllers[] = {"stagingrefresh", "awsaccount"};
static const char *const pass_results[] = {"success", "error", "requeue", "requeue_after"};
static const char *const run_results[] = {"Succeeded", "Failed"};
static const char *const priorities[] = {"routine", "urgent"};

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static void declare_steps(struct metrics *metrics, const struct step_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        metrics_declare(metrics, METRIC_STEP_TIME, LABELS(table->steps[i].name, "Done"));
        metrics_declare(metrics, METRIC_STEP_TIME, LABELS(table->steps[i].name, "Failed"));
    }
}

static void declare_passes(struct metrics *metrics, const char *controller)
{
    for (size_t i = 0; i < COUNT_OF(pass_results); i++)
        metrics_declare(metrics, METRIC_RECONCILES, LABELS(controller, pass_results[i]));
    metrics_declare(metrics, METRIC_RECONCILE_ERRORS, LABELS(controller));
    metrics_declare(metrics, METRIC_RECONCILE_TIME, LABELS(controller));
}

struct metrics *controller_metrics_new(void)
{
    struct metrics *metrics = metrics_new(families, CONTROLLER_METRIC_COUNT);

    for (size_t i = 0; i < COUNT_OF(controllers); i++)
        declare_passes(metrics, controllers[i]);
    for (size_t i = 0; i < COUNT_OF(run_results); i++) {
        metrics_declare(metrics, METRIC_RUNS, LABELS(run_results[i]));
        metrics_declare(metrics, METRIC_RUN_TIME, LABELS(run_results[i]));
    }
    declare_steps(metrics, workflow_pipeline(DATABASE_AURORA));
    declare_steps(metrics, workflow_pipeline(DATABASE_DYNAMODB));
    declare_steps(metrics, workflow_switchover());
    metrics_declare(metrics, METRIC_QUEUE_WAIT_TIME, NAMES);
    metrics_declare(metrics, METRIC_QUEUE_WORK_TIME, NAMES);
    metrics_set(metrics, METRIC_BUILD, 1, LABELS(SR_VERSION));
    return metrics;
}

/* --- passes --- */

/* As controller-runtime calls them. */
static const char *result_of(const struct pass_end *end)
{
    if (end->err)
        return "error";
    if (end->after_ms == NEVER_MS)
        return "success";
    return end->after_ms ? "requeue_after" : "requeue";
}

void controller_metrics_pass(struct metrics *metrics, const struct pass_end *end)
{
    const char *controller = controllers[end->is_account];

    metrics_add(metrics, METRIC_RECONCILES, 1, LABELS(controller, result_of(end)));
    if (end->err)
        metrics_add(metrics, METRIC_RECONCILE_ERRORS, 1, LABELS(controller));
    metrics_observe(metrics, METRIC_RECONCILE_TIME, seconds(end->took_ms), LABELS(controller));
}

void controller_metrics_queued(void *metrics, int64_t for_ms)
{
    metrics_observe(metrics, METRIC_QUEUE_WAIT_TIME, seconds(for_ms), NAMES);
}

void controller_metrics_worked(void *metrics, int64_t for_ms)
{
    metrics_observe(metrics, METRIC_QUEUE_WORK_TIME, seconds(for_ms), NAMES);
}

void controller_metrics_watch(struct metrics *metrics, const char *resource,
                              const struct kube_watch_stats *stats)
{
    metrics_set(metrics, METRIC_WATCH_LISTS, (double)stats->lists, LABELS(resource, "pages"));
    metrics_set(metrics, METRIC_WATCH_LISTS, (double)stats->streamed, LABELS(resource, "stream"));
    metrics_set(metrics, METRIC_WATCHES, (double)stats->watches, LABELS(resource));
    metrics_set(metrics, METRIC_WATCH_EVENTS, (double)stats->events, LABELS(resource));
    metrics_set(metrics, METRIC_WATCH_FAILURES, (double)stats->failures, LABELS(resource));
}

void controller_metrics_kube_events(struct metrics *metrics, const struct kube_events_stats *stats)
{
    metrics_set(metrics, METRIC_KUBE_EVENTS, (double)stats->sent, LABELS("sent"));
    metrics_set(metrics, METRIC_KUBE_EVENTS, (double)stats->dropped, LABELS("dropped"));
}

void controller_metrics_queue(struct metrics *metrics, const struct workqueue_stats *stats, int workers)
{
    const int64_t depths[] = {stats->depth_routine, stats->depth - stats->depth_routine};

    for (size_t i = 0; i < COUNT_OF(priorities); i++)
        metrics_set(metrics, METRIC_QUEUE_DEPTH, (double)depths[i],
                    LABELS(QUEUE_NAME, QUEUE_NAME, priorities[i]));
    metrics_set(metrics, METRIC_QUEUE_ADDS, (double)stats->adds, NAMES);
    metrics_set(metrics, METRIC_QUEUE_RETRIES, (double)stats->retries, NAMES);
    metrics_set(metrics, METRIC_QUEUE_DROPPED, (double)stats->dropped, NAMES);
    metrics_set(metrics, METRIC_QUEUE_UNFINISHED, seconds(stats->unfinished_ms), NAMES);
    metrics_set(metrics, METRIC_QUEUE_LONGEST, seconds(stats->longest_ms), NAMES);
    /* One queue and one set of workers for both kinds. */
    metrics_set(metrics, METRIC_MAX_WORKERS, workers, LABELS(QUEUE_NAME));
    metrics_set(metrics, METRIC_ACTIVE_WORKERS, (double)stats->processing, LABELS(QUEUE_NAME));
}

/* --- what has ended between two versions of a status --- */

static bool has_ended(const struct step_status *row)
{
    return row->completion_ms && (row->state == STEP_DONE || row->state == STEP_FAILED);
}

static const struct step_status *find_row(const struct step_status *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(rows[i].name, name))
            return &rows[i];
    }
    return NULL;
}

static void count_step(struct metrics *metrics, const struct step_status *row)
{
    struct str rest = str_of(row->name), name;
    AUTO_FREE char *step = NULL;

    str_cut(&rest, '/', &name); /* "Proxies/shop-stg": not every proxy is a series */
    step = str_dup(name);
    metrics_observe(metrics, METRIC_STEP_TIME, seconds(row->completion_ms - row->start_ms),
                    LABELS(step, step_state_name(row->state)));
}

/* There and back again are two gaps: the row has their sum. */
static void count_gap(struct metrics *metrics, const struct step_status *was, const struct step_status *row)
{
    int64_t before_s = was ? step_evidence_ms(was, "secondsWithoutTarget", 0) : 0;
    int64_t after_s = step_evidence_ms(row, "secondsWithoutTarget", 0);

    if (after_s > before_s)
        metrics_observe(metrics, METRIC_PROXY_GAP, (double)(after_s - before_s), NO_LABELS);
}

struct rows {
    const struct step_status *items;
    size_t count;
};

static void count_steps(struct metrics *metrics, struct rows before, struct rows after)
{
    for (size_t i = 0; i < after.count; i++) {
        const struct step_status *row = &after.items[i], *was;

        was = find_row(before.items, before.count, row->name);
        count_gap(metrics, was, row);
        if (has_ended(row) && !(was && has_ended(was) && was->completion_ms == row->completion_ms))
            count_step(metrics, row);
    }
}

static struct rows rows_of(struct refresh_status *status, const char *database)
{
    struct database_status *found = status_database(status, database);

    return found ? (struct rows){found->steps, found->step_count} : (struct rows){0};
}

static void count_run(struct metrics *metrics, const struct refresh_status *before,
                      const struct refresh_status *after)
{
    const struct history_entry *last = after->history_count ? &after->history[0] : NULL;

    if (!after->run.completion_ms || !last || !text_equal(last->run_id, after->run.id) ||
        (before->run.completion_ms == after->run.completion_ms && text_equal(before->run.id, after->run.id)))
        return;
    metrics_add(metrics, METRIC_RUNS, 1, LABELS(last->result));
    metrics_observe(metrics, METRIC_RUN_TIME, seconds(after->run.completion_ms - after->run.start_ms),
                    LABELS(last->result));
}

static struct refresh_status *status_of(const struct json *object)
{
    struct refresh_status *status = NULL;
    struct err *err = refresh_status_parse(json_member(object, "status"), &status);

    if (!err)
        return status;
    err_ignore(err, "what cannot be read is not counted; the pass says so");
    return NULL;
}

void controller_metrics_written(struct metrics *metrics, const struct json *before, const struct json *after)
{
    AUTO_REFRESH_STATUS struct refresh_status *was = NULL;
    AUTO_REFRESH_STATUS struct refresh_status *is = NULL;
    bool same_run;

    if (!metrics || !json_at(after, "status.run.id"))
        return;
    was = status_of(before);
    is = status_of(after);
    if (!was || !is)
        return;
    same_run = text_equal(was->run.id, is->run.id);
    for (size_t i = 0; i < is->database_count; i++) {
        const struct database_status *database = &is->databases[i];

        count_steps(metrics, same_run ? rows_of(was, database->name) : (struct rows){0},
                    (struct rows){database->steps, database->step_count});
    }
    count_steps(metrics,
                same_run ? (struct rows){was->switchover_steps, was->switchover_step_count}
                         : (struct rows){0},
                (struct rows){is->switchover_steps, is->switchover_step_count});
    count_run(metrics, was, is);
}

/* --- AWS --- */

static const char *account_label(const char *account_id)
{
    return account_id ? account_id : "identity";
}

void controller_metrics_aws(void *metrics, const struct aws_call_seen *call)
{
    const char *account = account_label(call->account_id);

    metrics_add(metrics, METRIC_AWS_REQUESTS, 1, LABELS(call->service, call->operation, account, call->code));
    metrics_observe(metrics, METRIC_AWS_TIME, seconds(call->took_ms), LABELS(call->service, call->operation));
    if (call->is_retry)
        metrics_add(metrics, METRIC_AWS_RETRIES, 1, LABELS(call->service, account));
    if (call->was_throttled)
        metrics_add(metrics, METRIC_AWS_THROTTLES, 1, LABELS(call->service, account));
    metrics_set(metrics, METRIC_AWS_CLOCK_SKEW, seconds(call->skew_ms), LABELS(account));
}

void controller_metrics_credentials(void *metrics, const struct aws_credentials_seen *credentials)
{
    const char *account = account_label(credentials->account_id);

    metrics_set(metrics, METRIC_AWS_CREDENTIALS_FETCHED, seconds(credentials->fetched_ms), LABELS(account));
    if (credentials->expires_ms == NEVER_MS)
        metrics_forget(metrics, METRIC_AWS_CREDENTIALS_EXPIRY, LABELS(account));
    else
        metrics_set(metrics, METRIC_AWS_CREDENTIALS_EXPIRY, seconds(credentials->expires_ms),
                    LABELS(account));
}

void controller_metrics_forget_account(struct metrics *metrics, const char *account_id)
{
    static const enum controller_metric gone[] = {METRIC_AWS_CREDENTIALS_EXPIRY,
                                                  METRIC_AWS_CREDENTIALS_FETCHED, METRIC_AWS_CLOCK_SKEW};

    for (size_t i = 0; i < COUNT_OF(gone); i++)
        metrics_forget(metrics, gone[i], LABELS(account_id));
}
