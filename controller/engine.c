#include "controller/engine.h"

#include "controller/account_troubles.h"
#include "controller/actor.h"
#include "controller/courier.h"
#include "controller/event_queues.h"
#include "controller/metrics.h"
#include "controller/preflight_memo.h"
#include "controller/series_claims.h"
#include "pkg/aws/observer.h"
#include "pkg/aws/traffic.h"
#include "pkg/base/lock.h"
#include "pkg/http/transport.h"
#include "pkg/kube/keymap.h"

struct known_account {
    struct keymap_node node; /* by the object's name */
    char *uid;
    int64_t generation;
    struct aws_account *account;
};

struct worker {
    struct engine *engine;
    struct env env;
    struct task *task;
    enum work_priority least; /* it takes */
};

struct engine {
    struct engine_opts opts;            /* immutable */
    struct aws_config config;           /* immutable; all but .traffic is borrowed */
    struct workqueue *queue;            /* immutable */
    struct credentials_cache *identity; /* immutable */
    struct looks *looks;                /* immutable */
    struct event_queues *events;        /* immutable; NULL: none are read */
    struct courier *courier;            /* immutable */
    struct account_troubles *troubles;  /* immutable */
    struct preflight_memo *memo;        /* immutable */
    struct series_claims *claims;       /* immutable */
    struct worker *workers;
    pthread_mutex_t lock;
    struct keymap accounts; /* lock */
};

/* What forty objects need that become ready together, each three passes of a tenth of a second or two, is
 * done within two seconds. */
#define DEFAULT_WORKERS 16
#define WORKERS_PER_RESERVED 4
#define PROMPT_MS SECONDS(10) /* our clock and theirs may differ, too */
#define SPREAD_FROM_MS SECONDS(10)
#define SPREAD_MAX_MS SECONDS(5)
#define ASKED_MAX_MS MINUTES(5) /* of what a server asks us to wait */

static void read_events(struct engine *engine);
static void hire_courier(struct engine *engine);

struct engine *engine_new(const struct engine_opts *opts)
{
    struct engine *engine = xcalloc(1, sizeof(*engine));
    const struct workqueue_opts queue_opts = {.base_delay_ms = SECONDS(1),
                                              .max_delay_ms = MINUTES(5),
                                              .queued = controller_metrics_queued,
                                              .worked = controller_metrics_worked,
                                              .arg = opts->metrics};
    const struct aws_listener listener = {.on_call = controller_metrics_aws,
                                          .on_credentials = controller_metrics_credentials,
                                          .arg = opts->metrics};

    engine->opts = *opts;
    if (!engine->opts.workers)
        engine->opts.workers = DEFAULT_WORKERS;
    engine->queue = workqueue_new(opts->sched, &queue_opts);
    /* Accounts are made anew when their objects change; what their services bear stays known. */
    engine->config = *opts->config;
    engine->config.traffic = aws_traffic_new(&listener);
    engine->identity = credentials_default_new(&engine->config);
    engine->looks = looks_new();
    engine->troubles = account_troubles_new();
    engine->memo = preflight_memo_new();
    engine->claims = series_claims_new();
    pthread_mutex_init(&engine->lock, NULL);
    hire_courier(engine);
    if (opts->hears_events)
        read_events(engine);
    return engine;
}

/* --- keys: "r/namespace/name", "a/name", and "l" for the list of leftovers --- */

#define LEFTOVERS_KEY "l"

static char *key_of(const struct object_id *id)
{
    if (id->kind == OBJECT_ACCOUNT)
        return xasprintf("a/%s", id->name);
    return xasprintf("r/%s/%s", id->namespace, id->name);
}

void engine_notify(struct engine *engine, const struct object_id *id, enum work_priority priority)
{
    AUTO_FREE char *key = key_of(id);

    workqueue_add(engine->queue, key, priority);
}

void engine_notify_leftovers(struct engine *engine)
{
    workqueue_add(engine->queue, LEFTOVERS_KEY, WORK_ROUTINE);
}

static struct err *reconcile_key(struct engine *engine, const struct env *env, const char *key,
                                 struct requeue *ret)
{
    struct str rest = str_of(key), kind, namespace;

    if (text_equal(key, LEFTOVERS_KEY))
        return reconcile_leftovers(engine, env, ret);
    str_cut(&rest, '/', &kind);
    if (str_is(kind, "a")) {
        const struct object_id id = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = rest.ptr};

        return reconcile_account(engine, env, &id, ret);
    }
    str_cut(&rest, '/', &namespace);
    {
        AUTO_FREE char *owned = str_dup(namespace);
        const struct object_id id = {.kind = OBJECT_REFRESH, .namespace = owned, .name = rest.ptr};

        return reconcile_refresh(engine, env, &id, ret);
    }
}

/* Every line of a pass names its object. */
static struct log *log_of(const struct log *parent, const char *key)
{
    struct str rest = str_of(key), kind, namespace;
    AUTO_FREE char *owned = NULL;

    str_cut(&rest, '/', &kind);
    if (str_is(kind, "a"))
        return log_with(parent, &KV("awsaccount", rest.ptr), 1);
    if (!str_is(kind, "r"))
        return log_with(parent, NULL, 0);
    str_cut(&rest, '/', &namespace);
    owned = str_dup(namespace);
    return log_with(parent, (const struct log_field[]){KV("namespace", owned), KV("name", rest.ptr)}, 2);
}

/* What was urgent stays so, and who has only lost a race to write does not wait at all. */
static int64_t retry(struct workqueue *queue, const char *key, const struct err *err)
{
    enum work_priority priority = workqueue_taken_as(queue, key);
    int64_t asked_ms = err_remote(err)->retry_after_ms;

    if (err_kind(err) == ERR_CONFLICT && asked_ms <= 0)
        return workqueue_add_soon(queue, key, priority);
    return workqueue_add_rate_limited(queue, key, asked_ms < ASKED_MAX_MS ? asked_ms : ASKED_MAX_MS,
                                      priority);
}

/* Thousands that a start has set going together would come together for ever. */
static int64_t spread(const struct engine *engine, int64_t after_ms)
{
    int64_t most = after_ms / 10 < SPREAD_MAX_MS ? after_ms / 10 : SPREAD_MAX_MS;

    return after_ms < SPREAD_FROM_MS
               ? after_ms
               : after_ms + (int64_t)random_below(engine->opts.random, (uint64_t)most + 1);
}

/* The one place where the end of a pass becomes a queue action and a log line. */
static void settle(struct engine *engine, const struct env *env, const char *key, struct err *err,
                   const struct requeue *requeue)
{
    const char *run = requeue->run[0] ? requeue->run : NULL;
    int64_t after_ms = requeue->after_ms;

    if (!err) {
        workqueue_forget(engine->queue, key);
        if (after_ms != NEVER_MS)
            workqueue_add_after(engine->queue, key, spread(engine, after_ms),
                                after_ms ? WORK_ROUTINE : WORK_URGENT);
        return;
    }
    if (err_kind(err) != ERR_CANCELED) {
        int64_t delay_ms = retry(engine->queue, key, err);

        if (err_kind(err) == ERR_CONFLICT)
            LOG_DEBUG(env->log, "looking again", KV("key", key), KV_IF("run", run),
                      KV("because", err_text(err)), KV_INT("after_ms", delay_ms));
        else
            LOG_WARN(env->log, "pass failed", KV("key", key), KV_IF("run", run), KV("error", err_text(err)),
                     KV_IF("request", err_remote(err)->request_id), KV_INT("after_ms", delay_ms));
    }
    err_free(err);
}

static void run_worker(void *arg)
{
    struct worker *worker = arg;
    struct engine *engine = worker->engine;
    char *key;

    while (workqueue_get_at_least(engine->queue, worker->least, &key)) {
        struct requeue requeue = {.after_ms = NEVER_MS};
        int64_t began_ms = sched_now_ms(engine->opts.sched);
        AUTO_LOG struct log *log = log_of(worker->env.log, key);
        struct env env = worker->env;
        struct err *err;

        env.log = log;
        err = reconcile_key(engine, &env, key, &requeue);

        if (!text_equal(key, LEFTOVERS_KEY))
            controller_metrics_pass(
                engine->opts.metrics,
                &(struct pass_end){.is_account = key[0] == 'a',
                                   .err = err,
                                   .after_ms = requeue.after_ms,
                                   .took_ms = sched_now_ms(engine->opts.sched) - began_ms});
        settle(engine, &env, key, err, &requeue);
        workqueue_done(engine->queue, key);
        xfree(key);
    }
}

void engine_start(struct engine *engine)
{
    const struct engine_opts *opts = &engine->opts;

    engine->workers = xcalloc((size_t)opts->workers, sizeof(*engine->workers));
    for (int i = 0; i < opts->workers; i++) {
        struct worker *worker = &engine->workers[i];
        AUTO_FREE char *name = xasprintf("worker-%d", i);

        worker->engine = engine;
        /* Routine passes may all hang in calls that nobody answers: a new object finds a worker all the same.
         */
        worker->least = i < opts->workers / WORKERS_PER_RESERVED ? WORK_URGENT : WORK_ROUTINE;
        worker->env = (struct env){.log = opts->log,
                                   .sched = opts->sched,
                                   .random = opts->random,
                                   .stop = opts->stop,
                                   .transport = opts->new_transport(opts->new_transport_arg)};
        worker->task = sched_spawn(opts->sched, name, run_worker, worker);
    }
    engine_notify_leftovers(engine); /* of a former leader */
}

void engine_stop(struct engine *engine)
{
    workqueue_shut_down_now(engine->queue);
    if (engine->events)
        event_queues_stop(engine->events);
    for (int i = 0; engine->workers && i < engine->opts.workers; i++) {
        sched_join(engine->workers[i].task);
        transport_free(engine->workers[i].env.transport);
    }
    xfree(TAKE(engine->workers));
    if (engine->events) /* what the last passes have begun */
        event_queues_stop(engine->events);
    courier_stop(engine->courier);
}

static void free_account(struct known_account *known)
{
    xfree(known->node.key);
    xfree(known->uid);
    aws_account_unref(known->account);
    xfree(known);
}

void engine_free(struct engine *engine)
{
    struct known_account *known;

    if (!engine)
        return;
    while ((known = keymap_next(&engine->accounts, NULL))) {
        keymap_remove(&engine->accounts, &known->node);
        free_account(known);
    }
    keymap_done(&engine->accounts);
    credentials_cache_free(engine->identity);
    event_queues_free(engine->events);
    courier_free(engine->courier);
    looks_free(engine->looks);
    account_troubles_free(engine->troubles);
    preflight_memo_free(engine->memo);
    series_claims_free(engine->claims);
    workqueue_free(engine->queue);
    aws_traffic_free(engine->config.traffic);
    pthread_mutex_destroy(&engine->lock);
    xfree(engine);
}

struct workqueue_stats engine_queue_stats(struct engine *engine)
{
    return workqueue_stats(engine->queue);
}

struct objects *engine_objects(struct engine *engine)
{
    return engine->opts.objects;
}

struct looks *engine_looks(struct engine *engine)
{
    return engine->looks;
}

struct courier *engine_courier(struct engine *engine)
{
    return engine->courier;
}

int64_t engine_events_silent_ms(struct engine *engine)
{
    return engine->events ? event_queues_silent_ms(engine->events) : 0;
}

struct event_queues *engine_event_queues(struct engine *engine)
{
    return engine->events;
}

struct account_troubles *engine_account_troubles(struct engine *engine)
{
    return engine->troubles;
}

struct preflight_memo *engine_preflight_memo(struct engine *engine)
{
    return engine->memo;
}

void engine_written(struct engine *engine, const struct json *before, const struct json *after)
{
    controller_metrics_written(engine->opts.metrics, before, after);
    if (engine->opts.on_written)
        engine->opts.on_written(engine->opts.on_written_arg, after);
}

/* --- accounts --- */

/* What CloudTrail shows for what all objects share, which is looking; the rest has an actor of its own. */
static void name_session(const struct engine *engine, char name[ACTOR_NAME_MAX + 1])
{
    const char *installation = engine->opts.objects->installation;

    if (text_is_empty(installation))
        snprintf(name, ACTOR_NAME_MAX + 1, "stagingrefresh");
    else
        snprintf(name, ACTOR_NAME_MAX + 1, "stagingrefresh-%s", installation);
    actor_clean_name(name);
}

static struct err *make_account(struct engine *engine, const struct account *account,
                                struct aws_account **ret)
{
    char session_name[ACTOR_NAME_MAX + 1];
    const struct aws_account_opts opts = {
        .account_id = account->account_id,
        .region = account->region,
        .usage = account->usage == USAGE_SOURCE ? AWS_SOURCE : AWS_TARGET,
        .config = &engine->config,
        .identity = engine->identity,
        .role_arn = account->role_arn,
        .external_id = account->external_id,
        .session_name = session_name,
    };

    name_session(engine, session_name);
    return aws_account_new(&opts, ret);
}

/* The lock is held. Its credentials are not renewed any more: nobody must
 * be alarmed by their end. */
static void drop_account(struct engine *engine, struct known_account *dropped)
{
    bool is_left = false;

    keymap_remove(&engine->accounts, &dropped->node);
    for (struct known_account *known = keymap_next(&engine->accounts, NULL); known;
         known = keymap_next(&engine->accounts, &known->node))
        is_left = is_left || text_equal(aws_account_id(known->account), aws_account_id(dropped->account));
    if (!is_left)
        controller_metrics_forget_account(engine->opts.metrics, aws_account_id(dropped->account));
    free_account(dropped);
}

void engine_forget_account(struct engine *engine, const char *name)
{
    struct known_account *known;

    account_troubles_forget(engine->troubles, name);
    LOCK_SCOPE(&engine->lock);
    known = keymap_find(&engine->accounts, name);
    if (known)
        drop_account(engine, known);
}

struct err *engine_account(struct engine *engine, const struct account *account, struct aws_account **ret)
{
    struct known_account *known;
    struct err *err;

    LOCK_SCOPE(&engine->lock);
    known = keymap_find(&engine->accounts, account->name);
    if (known && text_equal(known->uid, account->uid) && known->generation == account->generation) {
        *ret = aws_account_ref(known->account);
        return NULL;
    }
    if (known) /* another version: made anew */
        drop_account(engine, known);
    known = xcalloc(1, sizeof(*known));
    err = make_account(engine, account, &known->account);
    if (err) {
        free_account(known);
        return err;
    }
    known->node.key = xstrdup(account->name);
    known->uid = xstrdup_or_null(account->uid);
    known->generation = account->generation;
    keymap_insert(&engine->accounts, &known->node);
    *ret = aws_account_ref(known->account);
    return NULL;
}

/* --- events --- */

static void hint_observer(struct aws_account *account, const struct aws_event *event)
{
    switch (event->kind) {
    case AWS_EVENT_BACKUP_JOB:
        observer_hint(account, BACKUP_JOB, event->subject);
        break;
    case AWS_EVENT_COPY_JOB:
        observer_hint(account, COPY_JOB, event->subject);
        break;
    case AWS_EVENT_RESTORE_JOB:
        observer_hint(account, RESTORE_JOB, event->subject);
        break;
    case AWS_EVENT_DB_CLUSTER:
        observer_hint_cluster(account, event->subject);
        break;
    case AWS_EVENT_DB_INSTANCE:
        observer_hint_instance(account, event->subject);
        break;
    case AWS_EVENT_KIND_COUNT:
        break;
    }
}

static void hint_observers(struct engine *engine, const struct aws_event *event)
{
    LOCK_SCOPE(&engine->lock);
    for (struct known_account *known = keymap_next(&engine->accounts, NULL); known;
         known = keymap_next(&engine->accounts, &known->node)) {
        if (text_equal(aws_account_id(known->account), event->account))
            hint_observer(known->account, event);
    }
}

/* An event that came minutes late makes nobody believe that the next will not. */
static bool is_prompt(const struct engine *engine, const struct aws_event *event)
{
    int64_t late_ms = sched_wall_ms(engine->opts.sched) - event->time_ms;

    return late_ms < PROMPT_MS && late_ms > -PROMPT_MS;
}

/* The observer first: the pass that follows must not be shown what was known before. */
static size_t hear_event(void *arg, const struct aws_event *event)
{
    struct engine *engine = arg;
    const struct look_news news = {.account = event->account,
                                   .subject = event->subject,
                                   .is_instance = event->kind == AWS_EVENT_DB_INSTANCE,
                                   .is_under_way = !event->is_over};
    AUTO_LOOKS_HEARD struct looks_heard heard = {0};

    if (event->is_over)
        hint_observers(engine, event);
    else if (!is_prompt(engine, event))
        return 0;
    looks_hear(engine->looks, &news, sched_now_ms(engine->opts.sched), &heard);
    for (size_t i = 0; i < heard.count; i++) {
        const struct object_id id = {
            .kind = OBJECT_REFRESH, .namespace = heard.items[i].namespace, .name = heard.items[i].name};
        AUTO_FREE char *key = key_of(&id);

        if (heard.items[i].after_ms)
            workqueue_add_after(engine->queue, key, heard.items[i].after_ms, WORK_URGENT);
        else
            workqueue_add(engine->queue, key, WORK_URGENT);
    }
    metrics_add(engine->opts.metrics, METRIC_EVENT_WAKES, (double)heard.count, LABELS(event->account));
    return heard.count;
}

static void queue_changed(void *arg, const char *account_name)
{
    const struct object_id id = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = account_name};

    engine_notify(arg, &id, WORK_URGENT);
}

static void read_events(struct engine *engine)
{
    const struct engine_opts *opts = &engine->opts;

    engine->events =
        event_queues_new(&(struct event_queues_opts){.objects = opts->objects,
                                                     .sched = opts->sched,
                                                     .random = opts->random,
                                                     .log = opts->log,
                                                     .stop = opts->stop,
                                                     .metrics = opts->metrics,
                                                     .new_transport = opts->new_transport,
                                                     .new_transport_arg = opts->new_transport_arg,
                                                     .hear = hear_event,
                                                     .changed = queue_changed,
                                                     .arg = engine});
}

/* --- notifications --- */

static void courier_changed(void *arg, const struct object_id *id)
{
    engine_notify(arg, id, WORK_ROUTINE);
}

static void hire_courier(struct engine *engine)
{
    const struct engine_opts *opts = &engine->opts;

    engine->courier = courier_new(&(struct courier_opts){.sched = opts->sched,
                                                         .random = opts->random,
                                                         .log = opts->log,
                                                         .stop = opts->stop,
                                                         .metrics = opts->metrics,
                                                         .new_transport = opts->new_transport,
                                                         .new_transport_arg = opts->new_transport_arg,
                                                         .changed = courier_changed,
                                                         .arg = engine});
}

/* --- series --- */

bool engine_claim_series(struct engine *engine, const char *series, const char *holder)
{
    return series_claims_take(engine->claims, series, holder);
}

char *engine_series_holder(struct engine *engine, const char *series)
{
    return series_claims_holder(engine->claims, series);
}

void engine_ask_series(struct engine *engine, const char *series, const char *asker)
{
    series_claims_ask(engine->claims, series, asker);
}

char *engine_series_asker(struct engine *engine, const char *series)
{
    return series_claims_asker(engine->claims, series);
}

void engine_release_series(struct engine *engine, const char *holder)
{
    series_claims_release(engine->claims, holder);
}
