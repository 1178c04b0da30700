/* The objects interface on an API server: two watches fill two stores, and status goes out as merge patches
 * that hold only for the version at hand.
 *
 * What keeps "never older than our own last write" true: what a write returns is learned into the store at
 * once; after a write whose answer was lost the object is read live before it is read from the store again.
 *
 * Our own status writes come back through the watch, before their answer or after it, and are kept from the
 * engine; everything else is told. Urgent is what people have changed: another generation, an annotation of
 * ours, a deletion, and what the first list brings that no controller has looked at. Routine are a status
 * that somebody else wrote, and the refreshes that name an AWSAccount when that has changed. */
#ifndef CONTROLLER_OBJECTS_KUBE_H
#define CONTROLLER_OBJECTS_KUBE_H

#include "controller/objects.h"
#include "pkg/kube/workqueue.h"

struct metrics;

struct objects_kube_opts {
    struct kube_client *client; /* borrowed */
    /* Copied, its transport is not used; sched runs at the real pace. What it holds must outlive the objects.
     */
    const struct env *env;
    struct transport *(*new_transport)(
        void *arg); /* one per watch and one for events; freed by the objects */
    void *new_transport_arg;
    const char *instance;  /* who writes the events: the pod's name; copied */
    const char *namespace; /* the controller's own, where the list of leftovers is; copied */
};

/* On a watch's thread; must not park. */
typedef void objects_changed_fn(void *arg, const struct object_id *id, enum work_priority priority);

struct objects *objects_kube_new(const struct objects_kube_opts *opts);
/* Looks whether the server has both kinds and lets us list them, and learns which installation this is. Call
 * it until it succeeds. ERR_NOT_FOUND: the CustomResourceDefinitions are not there (yet); the sentence says
 * what to do. */
struct err *objects_kube_probe(struct objects *objects, const struct env *env) MUST_USE;
/* Starts the watches; after a probe that succeeded. */
struct err *objects_kube_start(struct objects *objects, objects_changed_fn *changed, void *arg) MUST_USE;
/* False when the stop of the env or the deadline (on its scheduler) came first. */
bool objects_kube_wait_synced(struct objects *objects, int64_t deadline_ms);
/* Reads everything anew: what comes after is decided on objects as they were after this call began, or as
 * they are now. For a process that was in reserve: a watch can be minutes behind without knowing it. */
struct err *objects_kube_refresh(struct objects *objects, const struct env *env) MUST_USE;
/* Why the stores are not being kept up at the moment, or NULL; yours. */
char *objects_kube_trouble(struct objects *objects);
/* kube_watch_is_ahead() of one of the watches, once they are started: the process must end. */
bool objects_kube_is_ahead(struct objects *objects);
/* What the watches and the events have done so far. Thread-safe between objects_kube_start() and
 * objects_kube_stop(). */
void objects_kube_count(struct objects *objects, struct metrics *metrics);
/* How long ago the task of a watch went round, the longest of all; kube_watch_stats says how long it may
 * take. As objects_kube_count(). */
int64_t objects_kube_silent_ms(struct objects *objects);
/* Tells every object once more, as routine where nobody has changed it: the safety net under lost news. */
void objects_kube_resync(struct objects *objects);
/* Ends the watches and sends the last events; reading and writing still work. */
void objects_kube_stop(struct objects *objects);
void objects_kube_free(struct objects *objects); /* stopped; NULL is fine */

#endif
