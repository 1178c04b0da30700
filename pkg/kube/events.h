/* Tells people what happened to an object, as events.k8s.io/v1 Events. Emitting never waits and never fails:
 * events go through a bounded queue to a task of their own; when it is full they are dropped and counted.
 * Nothing may be built on events.
 *
 * Repeats of (type, reason, action, object) become a series: the second within 6 minutes is written, later
 * ones are counted and written every 30 minutes and at the end. One object gets at most 100 new events at
 * once and one more every minute. */
#ifndef KUBE_EVENTS_H
#define KUBE_EVENTS_H

#include "pkg/kube/client.h"

enum kube_event_severity { KUBE_NORMAL, KUBE_WARNING };

struct kube_event {
    const struct json *regarding; /* an object with apiVersion, kind and metadata (its uid too, else kubectl
                                     does not show it) */
    enum kube_event_severity severity;
    const char *reason; /* CamelCase, at most 128 bytes */
    const char *action; /* CamelCase: what was being done; NULL: the reason */
    const char *note;   /* one sentence; cut to 1024 bytes between characters */
};

struct kube_events_opts {
    const char *controller; /* qualified: "stagingrefresh.dev/controller" */
    const char *instance;   /* the pod's name; cut to 128 bytes */
    size_t max_queue;       /* 0: 1000 */
};

struct kube_events_stats {
    int64_t emitted;
    int64_t sent; /* writes that the server took */
    int64_t dropped;
};

struct kube_events;

/* Starts a task of its own. Borrows client and env (the transport is for this task alone); copies opts. */
struct kube_events *kube_events_start(struct kube_client *client, const struct env *env,
                                      const struct kube_events_opts *opts);
/* Sends what is queued for at most `grace_ms`, then ends the task and frees. */
void kube_events_stop(struct kube_events *events, int64_t grace_ms);

void kube_event_emit(struct kube_events *events,
                     const struct kube_event *event); /* events NULL: nothing happens */
struct kube_events_stats kube_events_stats(struct kube_events *events);

#endif
