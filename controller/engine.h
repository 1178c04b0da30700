/* The engine: a queue of objects and workers that reconcile them. The controller, `run` and the simulation
 * drive the same one; they differ in the objects interface, the environment and what they show. */
#ifndef CONTROLLER_ENGINE_H
#define CONTROLLER_ENGINE_H

#include "controller/looks.h"
#include "controller/objects.h"
#include "pkg/aws/client.h"
#include "pkg/kube/workqueue.h"
#include "pkg/refresh/account.h"

struct courier;
struct event_queues;
struct metrics;

struct engine_opts {
    struct objects *objects;         /* borrowed */
    const struct aws_config *config; /* borrowed */
    struct sched *sched;             /* borrowed; the scaled clock */
    struct random *random;           /* borrowed */
    struct log *log;                 /* borrowed; may be NULL */
    struct stop *stop;               /* borrowed */
    int workers;                     /* 0: 16; one of four takes only what is new or was changed */
    struct metrics *metrics;         /* of controller/metrics.h; borrowed; may be NULL */
    /* Each worker gets a transport of its own, freed by the engine. */
    struct transport *(*new_transport)(void *arg);
    void *new_transport_arg;
    /* After each status that was written; on the worker's thread, no lock held; must be short. Optional. */
    void (*on_written)(void *arg, const struct json *object);
    void *on_written_arg;
    bool hears_events; /* reads the event queues of AWSAccounts; one process alone may */
};

struct engine;

struct engine *engine_new(const struct engine_opts *opts);
void engine_start(struct engine *engine); /* spawns the workers */
/* A new or changed object. Thread-safe. */
void engine_notify(struct engine *engine, const struct object_id *id, enum work_priority priority);
/* Something was added to the list of leftovers. Thread-safe. */
void engine_notify_leftovers(struct engine *engine);
/* Lets every worker finish the pass it is in, and ends them. The stop must have been requested, or passes run
 * their course. */
void engine_stop(struct engine *engine);
void engine_free(struct engine *engine); /* stopped */
struct workqueue_stats engine_queue_stats(struct engine *engine);
int64_t engine_events_silent_ms(struct engine *engine); /* event_queues_silent_ms(); 0 when none are read */

/* --- for reconcile.c and its parts --- */

/* When to come again; 0: only when something changes. */
struct requeue {
    int64_t after_ms; /* NEVER_MS: not at all; 0: at once */
    char run[64];     /* that the pass was about, for the log; "": none */
};

/* The client side of one account: one credentials cache for all workers, made anew when the object's spec
 * changes. The result is a reference. */
struct err *engine_account(struct engine *engine, const struct account *account,
                           struct aws_account **ret) MUST_USE;
/* The AWSAccount of this name is gone: what was kept for it is let go, and its series of metrics. */
void engine_forget_account(struct engine *engine, const char *name);
struct objects *engine_objects(struct engine *engine);
struct looks *engine_looks(struct engine *engine);
struct courier *engine_courier(struct engine *engine);
struct event_queues *engine_event_queues(struct engine *engine); /* NULL: none are read */
struct account_troubles;
struct account_troubles *engine_account_troubles(struct engine *engine);
struct preflight_memo;
struct preflight_memo *engine_preflight_memo(struct engine *engine);
/* The object as it was read, and as it is now that its status was written. */
void engine_written(struct engine *engine, const struct json *before, const struct json *after);

/* Locks a series ("namespace/series") for one object ("namespace/name"): true when it is free or held by this
 * one already. Within this process; across a crash the run in status holds it. */
bool engine_claim_series(struct engine *engine, const char *series, const char *holder);
/* Who holds it; yours, NULL: nobody. */
char *engine_series_holder(struct engine *engine, const char *series);
/* Another object asks the holder to make room; without a holder nothing happens. */
void engine_ask_series(struct engine *engine, const char *series, const char *asker);
char *engine_series_asker(struct engine *engine, const char *series); /* the last one; yours, NULL: nobody */
/* All that the object holds. */
void engine_release_series(struct engine *engine, const char *holder);

struct err *reconcile_refresh(struct engine *engine, const struct env *env, const struct object_id *id,
                              struct requeue *ret) MUST_USE;
/* What deleted objects have left behind; reconcile_leftovers.c. */
struct err *reconcile_leftovers(struct engine *engine, const struct env *env, struct requeue *ret) MUST_USE;
struct err *reconcile_account(struct engine *engine, const struct env *env, const struct object_id *id,
                              struct requeue *ret) MUST_USE;

#endif
