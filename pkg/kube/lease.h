/* Leader election on a coordination.k8s.io/v1 Lease, as client-go does it, so that both can compete for one
 * lease.
 *
 * No clock of another machine is trusted: a lease is expired when the record has not changed for its duration
 * on our own monotonic clock, counted from when we first saw it so. A holder that slept and finds any other
 * record than its own has lost the lease, even when nobody holds it now: somebody may have acted meanwhile.
 * Election is not fencing: check kube_lease_age_ms() before whatever cannot be taken back. */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include "pkg/kube/client.h"

struct kube_lease_opts {
    const char *namespace;
    const char *name;
    const char *identity;      /* unique per process: "<host>_<uuid>" */
    int64_t duration_ms;       /* 0: 15 s; whole seconds */
    int64_t renew_deadline_ms; /* 0: 10 s; must be shorter than duration_ms */
    int64_t retry_ms;          /* 0: 2 s; renew_deadline_ms must exceed 1.2 times this */
    /* On the lease's own thread, no lock held; must be short. `acquired` comes at most once, `lost` only
     * after it and never after kube_lease_finish() was called. After `lost` nothing more happens: stop acting
     * and end the process. */
    void (*acquired)(void *arg);
    void (*lost)(void *arg);
    void *arg;
};

struct kube_lease;

/* Starts a task of its own. Borrows env and client's config; calls are made with time-outs that fit the
 * deadlines. env->transport should serve nobody else, so that a slow list cannot keep a renewal waiting, and
 * env->sched run at the real pace. env->stop does not end it: the lease is held until kube_lease_finish(), so
 * that work can drain under it. Errors: ERR_INVALID for times that do not fit together. */
struct err *kube_lease_start(struct kube_client *client, const struct env *env,
                             const struct kube_lease_opts *opts, struct kube_lease **ret) MUST_USE;
/* To be called when all guarded work has ended: gives the lease back if we hold it (at most 5 s), waits for
 * the task, frees. */
void kube_lease_finish(struct kube_lease *lease);
/* For a process that must not release (guarded work may still run): ends the task and frees; the lease runs
 * out. */
void kube_lease_abandon(struct kube_lease *lease);

bool kube_lease_is_held(struct kube_lease *lease);
/* Monotonic time since the last renewal that succeeded was sent off; NEVER_MS when we do not hold it. Act
 * only while it is below kube_lease_renew_deadline_ms(). */
int64_t kube_lease_age_ms(struct kube_lease *lease);
int64_t kube_lease_renew_deadline_ms(const struct kube_lease *lease);
/* False: the lease's own thread has been silent for three renew deadlines, and neither renews nor says that
 * the lease is lost. Whatever happens to the server, it goes on trying. */
bool kube_lease_lives(struct kube_lease *lease);
char *kube_lease_holder(struct kube_lease *lease); /* last seen; yours; "" when nobody */
/* Why the last round failed, or NULL; yours. */
char *kube_lease_trouble(struct kube_lease *lease);

#endif
