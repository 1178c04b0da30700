#include "controller/courier.h"

#include "controller/actor.h"
#include "controller/metrics.h"
#include "pkg/aws/eventbridge.h"
#include "pkg/base/lock.h"
#include "pkg/http/url.h"
#include "pkg/kube/workqueue.h"

#define THREADS 2 /* one server that hangs does not keep all others waiting */
#define ANSWER_MS SECONDS(10)
#define CONNECT_MS SECONDS(5)
#define ANSWER_MAX (64 * KIB) /* nobody reads it */
#define FIRST_RETRY_MS SECONDS(2)
#define LAST_RETRY_MS MINUTES(5)
#define GIVEN_UP_AFTER_MS HOURS(1)
#define TRIES_MIN 3

/* Immutable but for the last members. */
struct parcel {
    char *key, *namespace, *name, *run_id, *target, *transition;
    enum notification_kind kind;
    struct aws_account *account;
    struct json *event;
    int64_t since_ms;
    /* courier's lock: */
    enum errand_state state;
    int failures;
    char *fault;
    bool is_out;       /* with a thread */
    bool is_forgotten; /* while it was out */
    struct parcel *next;
};

struct carrier {
    struct courier *courier;
    struct env env;
    struct task *task;
};

struct courier {
    struct courier_opts opts; /* immutable */
    struct workqueue *queue;  /* immutable */
    pthread_mutex_t lock;
    struct parcel *parcels; /* lock */
    bool has_begun;         /* lock */
    struct carrier carriers[THREADS];
};

static const char *const kind_names[] = {[NOTIFY_EVENT_BRIDGE] = "eventBridge", [NOTIFY_WEBHOOK] = "webhook"};

struct courier *courier_new(const struct courier_opts *opts)
{
    struct courier *courier = xcalloc(1, sizeof(*courier));

    courier->opts = *opts;
    courier->queue = workqueue_new(opts->sched, &(struct workqueue_opts){.base_delay_ms = FIRST_RETRY_MS,
                                                                         .max_delay_ms = LAST_RETRY_MS});
    pthread_mutex_init(&courier->lock, NULL);
    return courier;
}

static void parcel_free(struct parcel *parcel)
{
    xfree(parcel->key);
    xfree(parcel->namespace);
    xfree(parcel->name);
    xfree(parcel->run_id);
    xfree(parcel->target);
    xfree(parcel->transition);
    aws_account_unref(parcel->account);
    json_free(parcel->event);
    xfree(parcel->fault);
    xfree(parcel);
}

void courier_free(struct courier *courier)
{
    if (!courier)
        return;
    while (courier->parcels) {
        struct parcel *parcel = courier->parcels;

        courier->parcels = parcel->next;
        parcel_free(parcel);
    }
    workqueue_free(courier->queue);
    pthread_mutex_destroy(&courier->lock);
    xfree(courier);
}

/* The lock is held. */
static struct parcel **find(struct courier *courier, const char *key)
{
    struct parcel **at = &courier->parcels;

    while (*at && !text_equal((*at)->key, key))
        at = &(*at)->next;
    return at;
}

/* --- delivering --- */

static struct err *put_on_bus(const struct env *env, const struct parcel *parcel)
{
    struct aws_client aws = {.account = parcel->account, .env = env};
    AUTO_FREE char *detail_type = xasprintf("StagingRefresh %s", parcel->transition);
    struct actor actor;

    if (parcel->run_id) {
        actor_init(&actor, parcel->namespace, parcel->name, parcel->run_id);
        aws.actor = &actor.aws;
    }
    return eventbridge_put(&aws, &(struct eventbridge_event){.bus = parcel->target,
                                                             .source = "stagingrefresh.dev",
                                                             .detail_type = detail_type,
                                                             .detail = parcel->event,
                                                             .wall_ms = parcel->since_ms});
}

/* The path may hold what only its owner should know, and an answer anything at all: of both nothing is said.
 */
static struct err *post(const struct env *env, const struct parcel *parcel)
{
    static const struct http_header headers[] = {
        {.name = "content-type", .value = "application/cloudevents+json; charset=utf-8"},
        {.name = "user-agent", .value = "stagingrefresh/" SR_VERSION},
    };
    AUTO_REPLY struct http_reply reply = {0};
    AUTO_FREE char *body = json_to_text(parcel->event);
    AUTO_FREE char *host = NULL;
    struct url url;

    TRY(url_parse(parcel->target, &url));
    host = str_dup(url.host);
    TRY(http_call(env->transport,
                  &(struct http_request){.method = "POST",
                                         .url = parcel->target,
                                         .headers = headers,
                                         .header_count = COUNT_OF(headers),
                                         .body = str_of(body),
                                         .timeout_ms = ANSWER_MS,
                                         .connect_timeout_ms = CONNECT_MS,
                                         .max_reply_bytes = ANSWER_MAX,
                                         .sensitive = true},
                  env->stop, &reply));
    if (reply.status >= 200 && reply.status < 300)
        return NULL;
    return err_new(ERR_RETRY, "%s answered with HTTP status %d", host, reply.status);
}

static struct err *(*const deliveries[])(const struct env *env, const struct parcel *parcel) = {
    [NOTIFY_EVENT_BRIDGE] = put_on_bus,
    [NOTIFY_WEBHOOK] = post,
};

/* --- what comes of it --- */

/* NULL: nobody waits for it any more. */
static struct parcel *take_out(struct courier *courier, const char *key)
{
    LOCK_SCOPE(&courier->lock);
    struct parcel *parcel = *find(courier, key);

    if (!parcel || parcel->state == ERRAND_DELIVERED || parcel->state == ERRAND_GIVEN_UP)
        return NULL;
    parcel->is_out = true;
    return parcel;
}

/* The lock is held. */
static bool is_hopeless(const struct courier *courier, const struct parcel *parcel)
{
    return parcel->failures >= TRIES_MIN &&
           sched_elapsed_ms(courier->opts.sched, parcel->since_ms) > GIVEN_UP_AFTER_MS;
}

/* True when its state is news. */
static bool book(struct courier *courier, struct parcel *parcel, const struct err *err)
{
    LOCK_SCOPE(&courier->lock);
    enum errand_state was = parcel->state;

    if (!err) {
        parcel->state = ERRAND_DELIVERED;
        return true;
    }
    parcel->failures++;
    xfree(parcel->fault);
    parcel->fault = xstrdup(err_text(err));
    if (is_hopeless(courier, parcel))
        parcel->state = ERRAND_GIVEN_UP;
    else if (parcel->failures >= TRIES_MIN)
        parcel->state = ERRAND_FAILING;
    return parcel->state != was;
}

/* Back in its place; frees it when it was forgotten meanwhile. */
static bool put_back(struct courier *courier, struct parcel *parcel)
{
    LOCK_SCOPE(&courier->lock);
    bool goes_on = parcel->state == ERRAND_UNDER_WAY || parcel->state == ERRAND_FAILING;

    parcel->is_out = false;
    if (!parcel->is_forgotten)
        return goes_on;
    *find(courier, parcel->key) = parcel->next;
    parcel_free(parcel);
    return false;
}

static void tell(struct courier *courier, const struct parcel *parcel, const struct err *err)
{
    const struct object_id id = {
        .kind = OBJECT_REFRESH, .namespace = parcel->namespace, .name = parcel->name};

    if (err)
        LOG_WARN(courier->opts.log, "notification failed", KV("namespace", parcel->namespace),
                 KV("name", parcel->name), KV("notice", parcel->key), KV("error", err_text(err)),
                 KV_IF("request", err_remote(err)->request_id));
    courier->opts.changed(courier->opts.arg, &id);
}

static void carry(struct carrier *carrier, const char *key)
{
    struct courier *courier = carrier->courier;
    struct parcel *parcel = take_out(courier, key);
    AUTO_ERR struct err *err = NULL;

    if (!parcel) {
        workqueue_forget(courier->queue, key);
        return;
    }
    err = deliveries[parcel->kind](&carrier->env, parcel);
    if (err && err_kind(err) == ERR_CANCELED) {
        put_back(courier, parcel);
        return;
    }
    metrics_add(courier->opts.metrics, METRIC_NOTIFICATIONS, 1,
                LABELS(kind_names[parcel->kind], err ? "failed" : "delivered"));
    if (book(courier, parcel, err))
        tell(courier, parcel, err);
    if (put_back(courier, parcel))
        workqueue_add_rate_limited(courier->queue, key, err ? err_remote(err)->retry_after_ms : 0,
                                   WORK_ROUTINE);
    else
        workqueue_forget(courier->queue, key);
}

static void run_carrier(void *arg)
{
    struct carrier *carrier = arg;
    char *key;

    while (workqueue_get(carrier->courier->queue, &key)) {
        carry(carrier, key);
        workqueue_done(carrier->courier->queue, key);
        xfree(key);
    }
}

/* --- threads: only once there is something to carry --- */

/* The lock is held. */
static void begin(struct courier *courier)
{
    const struct courier_opts *opts = &courier->opts;

    courier->has_begun = true;
    for (size_t i = 0; i < THREADS; i++) {
        struct carrier *carrier = &courier->carriers[i];

        *carrier = (struct carrier){
            .courier = courier,
            .env = {.log = opts->log,
                    .sched = opts->sched,
                    .random = opts->random,
                    .stop = opts->stop,
                    .transport = opts->new_transport(opts->new_transport_arg)},
        };
        carrier->task = sched_spawn(opts->sched, "courier", run_carrier, carrier);
    }
}

void courier_stop(struct courier *courier)
{
    bool has_begun;

    workqueue_shut_down_now(courier->queue);
    {
        LOCK_SCOPE(&courier->lock);
        has_begun = courier->has_begun;
    }
    for (size_t i = 0; i < THREADS && has_begun; i++) {
        if (!courier->carriers[i].task)
            continue;
        sched_join(TAKE(courier->carriers[i].task));
        transport_free(TAKE(courier->carriers[i].env.transport));
    }
}

/* --- for passes --- */

static struct parcel *parcel_new(const struct errand *errand)
{
    struct parcel *parcel = xcalloc(1, sizeof(*parcel));

    parcel->key = xstrdup(errand->key);
    parcel->namespace = xstrdup(errand->object.namespace);
    parcel->name = xstrdup(errand->object.name);
    parcel->run_id = xstrdup_or_null(errand->run_id);
    parcel->target = xstrdup(errand->target);
    parcel->transition = xstrdup(errand->transition);
    parcel->kind = errand->kind;
    parcel->account = errand->account ? aws_account_ref(errand->account) : NULL;
    parcel->event = json_copy(errand->event);
    parcel->since_ms = errand->since_ms;
    parcel->state = ERRAND_UNDER_WAY;
    return parcel;
}

/* What no object asks about any more, as it was deleted. The lock is held. */
static void sweep(struct courier *courier)
{
    struct parcel **at = &courier->parcels;

    while (*at) {
        struct parcel *parcel = *at;
        bool is_over = parcel->state == ERRAND_DELIVERED || parcel->state == ERRAND_GIVEN_UP;

        if (!is_over || parcel->is_out ||
            sched_elapsed_ms(courier->opts.sched, parcel->since_ms) < 2 * GIVEN_UP_AFTER_MS) {
            at = &parcel->next;
            continue;
        }
        *at = parcel->next;
        parcel_free(parcel);
    }
}

void courier_send(struct courier *courier, const struct errand *errand)
{
    {
        LOCK_SCOPE(&courier->lock);
        struct parcel **at;

        sweep(courier);
        at = find(courier, errand->key);
        if (stop_requested(courier->opts.stop))
            return;
        if (*at) {
            (*at)->is_forgotten = false;
            return;
        }
        *at = parcel_new(errand);
        if (!courier->has_begun)
            begin(courier);
    }
    workqueue_add(courier->queue, errand->key, WORK_ROUTINE);
}

enum errand_state courier_look(struct courier *courier, const char *key, char **ret_fault)
{
    LOCK_SCOPE(&courier->lock);
    const struct parcel *parcel = *find(courier, key);

    *ret_fault = parcel ? xstrdup_or_null(parcel->fault) : NULL;
    return parcel ? parcel->state : ERRAND_UNKNOWN;
}

void courier_forget(struct courier *courier, const char *key)
{
    LOCK_SCOPE(&courier->lock);
    struct parcel **at = find(courier, key), *parcel = *at;

    if (!parcel)
        return;
    if (parcel->is_out) {
        parcel->is_forgotten = true;
        return;
    }
    *at = parcel->next;
    parcel_free(parcel);
}
