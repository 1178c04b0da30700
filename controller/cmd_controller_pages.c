/* What the pages for probes and metrics ask of the running controller. */
#include "controller/cmd_controller_priv.h"

#include "controller/objects_kube.h"
#include "pkg/base/lock.h"

/* The main thread looks round every half minute; a pass waits for AWS at times, but not so long. */
#define MAIN_SILENT_MS MINUTES(5)
#define PASS_STUCK_MS MINUTES(30)
/* What they wait for has time-outs of some minutes: only a thread that is stuck says nothing for so long. */
#define LISTENER_STUCK_MS MINUTES(30)

static bool main_lives(void *arg)
{
    struct controller *c = arg;

    LOCK_SCOPE(&c->lock);
    return sched_now_ms(c->real) - c->alive_ms < MAIN_SILENT_MS;
}

static bool workers_live(void *arg)
{
    struct controller *c = arg;

    return sched_real_ms(c->scaled, engine_queue_stats(c->engine).longest_ms) < PASS_STUCK_MS;
}

static bool watches_live(void *arg)
{
    struct controller *c = arg;

    LOCK_SCOPE(&c->lock);
    /* Else the watches may come or go right now. */
    return !c->is_synced || objects_kube_silent_ms(c->objects) < LISTENER_STUCK_MS;
}

static bool events_live(void *arg)
{
    struct controller *c = arg;

    return sched_real_ms(c->scaled, engine_events_silent_ms(c->engine)) < LISTENER_STUCK_MS;
}

static bool caches_filled(void *arg)
{
    struct controller *c = arg;

    LOCK_SCOPE(&c->lock);
    return c->is_synced;
}

static bool goes_on(void *arg)
{
    struct controller *c = arg;

    return !stop_requested(c->stop);
}

static void before_scrape(void *arg)
{
    struct controller *c = arg;
    struct workqueue_stats stats = engine_queue_stats(c->engine);

    controller_metrics_queue(c->metrics, &stats, (int)c->options->workers);
    controller_metrics_process(c->metrics);
    metrics_set(c->metrics, METRIC_LEADER, controller_leads(c), LABELS(LEASE_NAME));
    LOCK_SCOPE(&c->lock);
    if (c->is_synced) /* as in watches_live() */
        objects_kube_count(c->objects, c->metrics);
}

struct err *controller_start_serving(struct controller *c)
{
    const struct serving_opts opts = {.health_address = c->options->health_address,
                                      .metrics_address = c->options->metrics_address,
                                      .metrics_cert_path = c->options->metrics_cert_path,
                                      .view = {.main_lives = main_lives,
                                               .workers_live = workers_live,
                                               .lease_lives = controller_lease_lives,
                                               .watches_live = watches_live,
                                               .events_live = events_live,
                                               .caches_filled = caches_filled,
                                               .lease_known = controller_lease_known,
                                               .goes_on = goes_on,
                                               .before_scrape = before_scrape,
                                               .arg = c},
                                      .metrics = c->metrics,
                                      .sched = c->real,
                                      .log = c->log};

    return serving_start(&opts, &c->serving);
}
