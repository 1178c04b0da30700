/* The life of the controller. Start: parts, watches, sync, leadership, everything read anew, engine. Stop, in
 * this order: engine, watches, events, and the lease last, so that a successor begins only when nothing of
 * ours runs any more. */
#include "controller/cmd_controller_priv.h"

#include "controller/objects_kube.h"
#include "pkg/base/lock.h"

#define TRY_AGAIN_MS SECONDS(5)
#define SYNC_COMPLAIN_MS SECONDS(15)
#define TROUBLE_LOOK_MS SECONDS(30)
#define RESYNC_MS HOURS(1)

/* --- start --- */

static void set_started(struct controller *c)
{
    LOCK_SCOPE(&c->lock);
    c->engine_started = true;
}

static bool is_started(struct controller *c)
{
    LOCK_SCOPE(&c->lock);
    return c->engine_started;
}

/* A replica that waits queues nothing: its leader sees to it. Once it leads, it goes through all that there
 * is, and what nobody has looked at comes first. */
static void changed(void *arg, const struct object_id *id, enum work_priority priority)
{
    struct controller *c = arg;

    if (is_started(c))
        engine_notify(c->engine, id, priority);
}

static void make_parts(struct controller *c)
{
    const struct objects_kube_opts objects = {.client = c->client,
                                              .env = &c->env,
                                              .new_transport = controller_new_transport,
                                              .new_transport_arg = c,
                                              .instance = c->identity,
                                              .namespace = controller_namespace(c)};

    c->objects = objects_kube_new(&objects);
    c->engine = engine_new(&(struct engine_opts){.objects = c->objects,
                                                 .config = &c->aws,
                                                 .sched = c->scaled,
                                                 .random = c->random,
                                                 .log = c->log,
                                                 .stop = c->stop,
                                                 .workers = (int)c->options->workers,
                                                 .metrics = c->metrics,
                                                 .new_transport = controller_new_worker_transport,
                                                 .new_transport_arg = c,
                                                 .hears_events = true});
}

static void mark_alive(struct controller *c)
{
    LOCK_SCOPE(&c->lock);
    c->alive_ms = sched_now_ms(c->real);
}

/* What we know is then of another history, and so is what we decide. */
static struct err *check_history(struct controller *c)
{
    if (!objects_kube_is_ahead(c->objects))
        return NULL;
    return err_new(ERR_RETRY, "the API server shows a past state in every list, as after etcd was restored "
                              "from a backup: this process ends, for a new one to begin with what is there");
}

/* Again and again until it succeeds. False: told to stop, or there is no sense in it any more. */
static bool insist(struct controller *c, const char *complaint,
                   struct err *(*attempt)(struct objects *objects, const struct env *env))
{
    for (;;) {
        AUTO_ERR struct err *err = attempt(c->objects, &c->env);

        mark_alive(c);
        if (!err)
            return true;
        if (stop_requested(c->stop) || objects_kube_is_ahead(c->objects))
            return false;
        LOG_ERROR(c->log, complaint, KV("error", err_text(err)), KV_INT("again_after_ms", TRY_AGAIN_MS));
        if (!sched_wait_until(c->real, c->stop, sched_now_ms(c->real) + TRY_AGAIN_MS))
            return false;
    }
}

static void set_synced(struct controller *c, bool value)
{
    LOCK_SCOPE(&c->lock);
    c->is_synced = value;
}

/* False: told to stop. */
static bool wait_synced(struct controller *c)
{
    while (!objects_kube_wait_synced(c->objects, sched_now_ms(c->real) + SYNC_COMPLAIN_MS)) {
        AUTO_FREE char *trouble = objects_kube_trouble(c->objects);

        mark_alive(c);
        if (stop_requested(c->stop))
            return false;
        LOG_WARN(c->log, "not synced yet",
                 KV("because", trouble ? trouble : "the first lists have not come"));
    }
    set_synced(c, true);
    LOG_INFO(c->log, "ready", KV("version", SR_VERSION), KV("identity", c->identity));
    return true;
}

/* A replica may have been in reserve for months, and its watches may be behind at this moment without knowing
 * it. The one before us has started what only its last writes tell of: they are in a list that is asked for
 * from now on. */
static void start_engine(struct controller *c)
{
    if (c->options->leader_elect && !insist(c, "cannot read everything anew", objects_kube_refresh))
        return;
    LOG_INFO(c->log, "works", KV_INT("workers", c->options->workers));
    engine_start(c->engine);
    set_started(c); /* from here on nothing is missed: the stores are walked after it */
    objects_kube_resync(c->objects);
}

/* --- while it runs --- */

static void wake_main(void *arg)
{
    sched_wake(arg);
}

/* Says what is wrong once, and when it is over. */
static void report_trouble(struct controller *c, char **said)
{
    char *trouble = objects_kube_trouble(c->objects);

    if (!trouble && *said)
        LOG_INFO(c->log, "the watches are up again", KV("after", *said));
    else if (trouble && !text_equal(trouble, *said))
        LOG_WARN(c->log, "the API server does not tell us news", KV("because", trouble));
    xfree(*said);
    *said = trouble;
}

/* Until told to stop, or something is so wrong that only another process can go on. */
static struct err *stay(struct controller *c)
{
    struct stop_subscription *subscription = stop_subscribe(c->stop, wake_main, c->spot);
    int64_t resync_ms = sched_now_ms(c->real) + RESYNC_MS;
    AUTO_FREE char *said = NULL;
    struct err *err = NULL;

    while (!err && !stop_requested(c->stop)) {
        if (!c->engine_started && controller_leads(c))
            start_engine(c);
        sched_park(c->spot, sched_now_ms(c->real) + TROUBLE_LOOK_MS);
        mark_alive(c);
        if (!stop_requested(c->stop))
            report_trouble(c, &said);
        if (sched_now_ms(c->real) >= resync_ms) {
            objects_kube_resync(c->objects);
            resync_ms = sched_now_ms(c->real) + RESYNC_MS;
        }
        err = check_history(c);
    }
    stop_unsubscribe(subscription);
    return err;
}

static void shut_down(struct controller *c)
{
    LOG_INFO(c->log, "stops", KV("identity", c->identity));
    if (c->engine_started)
        engine_stop(c->engine);
    set_synced(c, false);
    objects_kube_stop(c->objects);
    serving_stop(TAKE(c->serving));
    controller_finish_lease(c);
    LOG_INFO(c->log, "stopped", KV("identity", c->identity));
}

struct err *controller_work(struct controller *c)
{
    struct err *err = NULL;

    make_parts(c);
    TRY(controller_start_serving(c));
    LOG_INFO(c->log, "starts", KV("version", SR_VERSION), KV("server", kube_config_server(c->kube_config)),
             KV("config", kube_config_origin(c->kube_config)));
    if (kube_config_is_insecure(c->kube_config))
        LOG_WARN(c->log, "the API server's certificate is not checked",
                 KV("config", kube_config_origin(c->kube_config)));
    /* Until the API server answers, serves both kinds and lets us in. */
    if (insist(c, "cannot begin yet", objects_kube_probe)) {
        err = objects_kube_start(c->objects, changed, c);
        if (!err && wait_synced(c)) {
            err = c->options->leader_elect ? controller_start_lease(c) : NULL;
            if (!err)
                err = stay(c);
        }
    }
    stop_request(c->stop);
    shut_down(c);
    return err;
}
