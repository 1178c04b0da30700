/* Keys that need work, handed to workers with these promises:
 *   - a key is with at most one worker at a time; added meanwhile, it comes again after workqueue_done();
 *   - any number of adds before it is handed out are one; none is lost;
 *   - a delayed key keeps its earliest time; a delay does not hold back an immediate add;
 *   - per key, failures double the delay (5 ms .. 1000 s) until workqueue_forget();
 *   - URGENT keys (new or changed objects) never wait behind ROUTINE ones; added twice, a key is as urgent as
 * its most urgent add; first in, first out otherwise;
 *   - workers that take URGENT keys alone (workqueue_get_at_least) are there for them when all others hang;
 *   - after workqueue_shut_down() nothing is taken in, what is queued is still handed out, then
 * workqueue_get() says false. Threads: everything from any thread. Waits happen on the scheduler given at
 * birth. */
#ifndef KUBE_WORKQUEUE_H
#define KUBE_WORKQUEUE_H

#include <stdbool.h>

#include "pkg/base/sched.h"

enum work_priority { WORK_ROUTINE, WORK_URGENT };

struct workqueue_opts {
    int64_t base_delay_ms; /* after the first failure; 0: 5 ms */
    int64_t max_delay_ms;  /* 0: 1000 s */
    size_t max_keys;       /* adds of further keys are dropped and counted; 0: 100,000 */
    /* How long a key waited for a worker when it is handed out, and was with it when it is done. On the
     * worker's thread, no lock held; must not park. May be NULL. */
    void (*queued)(void *arg, int64_t for_ms);
    void (*worked)(void *arg, int64_t for_ms);
    void *arg;
};

struct workqueue_stats {
    int64_t depth;         /* ready to be handed out, both priorities */
    int64_t depth_routine; /* of these, routine */
    int64_t waiting;       /* delayed */
    int64_t processing;
    int64_t adds;    /* that made a key ready, totals from here on */
    int64_t retries; /* rate-limited adds */
    int64_t dropped;
    int64_t handed_out;
    int64_t queued_ms;     /* summed over keys handed out: ready → handed out */
    int64_t work_ms;       /* summed over keys done: handed out → done */
    int64_t longest_ms;    /* the oldest key now with a worker has been there for */
    int64_t unfinished_ms; /* summed over keys now with a worker */
};

struct workqueue;

struct workqueue *workqueue_new(struct sched *sched,
                                const struct workqueue_opts *opts); /* opts may be NULL */
void workqueue_free(struct workqueue *queue);                       /* nobody waits in it any more */

void workqueue_add(struct workqueue *queue, const char *key, enum work_priority priority);
void workqueue_add_after(struct workqueue *queue, const char *key, int64_t after_ms,
                         enum work_priority priority);
/* Counts a failure of the key and adds it after its back-off, or later if somebody asked for that
 * (`at_least_ms`); gives the delay. */
int64_t workqueue_add_rate_limited(struct workqueue *queue, const char *key, int64_t at_least_ms,
                                   enum work_priority priority);
/* The same for a failure that a moment heals, a race that was lost: 5, 10, 20 and 40 ms, then the back-off.
 */
int64_t workqueue_add_soon(struct workqueue *queue, const char *key, enum work_priority priority);
void workqueue_forget(struct workqueue *queue, const char *key);
int workqueue_failures(struct workqueue *queue, const char *key);

/* Waits for a key; yours. False: shut down and empty. Every key must come back by workqueue_done(). */
bool workqueue_get(struct workqueue *queue, char **ret_key);
/* Takes keys of that priority and above only. Somebody must take the others. */
bool workqueue_get_at_least(struct workqueue *queue, enum work_priority least, char **ret_key);
/* How urgent a key was when it was handed to the worker that has it. */
enum work_priority workqueue_taken_as(struct workqueue *queue, const char *key);
void workqueue_done(struct workqueue *queue, const char *key);

/* Delayed keys are dropped, ready ones are still handed out. */
void workqueue_shut_down(struct workqueue *queue);
/* The same, but what is ready is dropped too: workers end after the key they hold. */
void workqueue_shut_down_now(struct workqueue *queue);
/* Waits until no key is ready or with a worker; false when the deadline came first. */
bool workqueue_drain(struct workqueue *queue, int64_t deadline_ms);

struct workqueue_stats workqueue_stats(struct workqueue *queue);

#endif
