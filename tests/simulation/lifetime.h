/* One life of the controller's process, from its start to its kill -9, and the calls that leave it.
 *
 * Every call to the outside (AWS, the API server) goes through lifetime_call(), which counts it. The process
 * can be told to die at a given call, before it is sent or after it was done. From then on nothing leaves any
 * more: calls in flight lose their answer, and the seed decides whether they still arrive. Threads: the
 * seeded scheduler's. */
#ifndef SIMULATION_LIFETIME_H
#define SIMULATION_LIFETIME_H

#include "pkg/base/sched.h"

struct lifetime;

struct lifetime_opts {
    struct sched *sched;                    /* borrowed; seeded */
    int64_t dies_at_call;                   /* 1: the first; 0: never */
    bool dies_after_deed;                   /* the call is done and its answer lost; else it never leaves */
    int64_t latency_min_ms, latency_max_ms; /* each way */
};

struct lifetime *lifetime_new(const struct lifetime_opts *opts);
void lifetime_free(struct lifetime *life);
struct sched *lifetime_sched(const struct lifetime *life);
/* Requested when the process dies or is told to end. */
struct stop *lifetime_stop(const struct lifetime *life);
bool lifetime_is_killed(const struct lifetime *life);
/* How many calls have begun. */
int64_t lifetime_calls(const struct lifetime *life);

enum call_end {
    CALL_ANSWERED,
    CALL_TIMED_OUT, /* it may have been done */
    CALL_CUT,       /* the process has ended meanwhile; it may have been done */
};

struct lifetime_call {
    int64_t timeout_ms;
    /* What happens on the other side, with no time passing unless it parks (a long poll, which then minds
     * lifetime_stop() itself); gives how much later than usual the answer sets out. */
    int64_t (*deed)(void *arg);
    void *arg;
};
enum call_end lifetime_call(struct lifetime *life, const struct lifetime_call *call);

#endif
