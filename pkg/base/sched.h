/* The seam: time, waiting and threads. Everything that waits does so in sched_park(), or in one of the few
 * files that own a system wait (the HTTP transport, the HTTP server); nothing else in the product sleeps,
 * polls or waits on a condition.
 *
 * In the product that is plain threads (sched_threads.c). In simulation (sched_seeded.c) the same threads
 * pass one baton and a seed picks who runs next; time stands still while anyone runs and jumps to the
 * earliest deadline when nobody can.
 *
 * Rules: no lock is held across a park. A spot is a binary signal: a wake before the park is not lost, two
 * wakes are one. The waiter's pattern is: look under the lock, unlock, park, look again. */
#ifndef BASE_SCHED_H
#define BASE_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "pkg/base/times.h"

struct sched;
struct spot; /* where one thread waits; never shared by two waiters */
struct task; /* a thread that was spawned */

enum park_result { PARK_WOKEN, PARK_TIMEOUT };

struct spot *sched_spot_new(struct sched *sched);
void sched_spot_free(struct spot *spot);
/* Waits until the spot is woken or sched_now_ms() reaches `deadline_ms` (NEVER_MS: no deadline). */
enum park_result sched_park(struct spot *spot, int64_t deadline_ms);
void sched_wake(struct spot *spot); /* from any thread */

struct task *sched_spawn(struct sched *sched, const char *name, void (*fn)(void *arg), void *arg);
void sched_join(struct task *task); /* waits for its end and frees it; in simulation this parks */
/* Lets others run. Does nothing with plain threads; in simulation it is a point where the seed may switch. */
void sched_yield_now(struct sched *sched);

/* Monotonic, and goes on while the machine is suspended; for intervals and deadlines. Runs `scale` times
 * faster than the real one (see sched_threads_new). */
int64_t sched_now_ms(struct sched *sched);
/* The real time of day, for signatures, expiry and timestamps. Never subtract two of them to get an interval:
 * use sched_elapsed_ms(), which knows the time scale. */
int64_t sched_wall_ms(struct sched *sched);
/* How much time has passed since a wall-clock stamp (one that was written into a status, maybe by an earlier
 * process). Never negative. */
int64_t sched_elapsed_ms(struct sched *sched, int64_t since_wall_ms);
/* How long in real time a wait of `wait_ms` takes, rounded up: for the few files that own a system wait. */
int64_t sched_real_ms(struct sched *sched, int64_t wait_ms);

/* Plain threads. `scale` >= 1 divides waits and multiplies elapsed time: the developer's --time-scale. */
struct sched *sched_threads_new(int64_t scale);

/* One baton, one seed; the calling thread becomes the first task and holds the baton. Starts at `wall_ms`.
 * Ends the process with a list of who waits where when nobody can ever run again. */
struct sched *sched_seeded_new(uint64_t seed, int64_t wall_ms);
/* Draws from the scheduler's own random stream (the seed decides), so that a simulation needs only one seed.
 */
uint64_t sched_seeded_random(struct sched *sched);

void sched_free(struct sched *sched); /* all tasks joined, all spots freed */

/* A request to stop, with everybody who waits told. Rooms that wait subscribe; stop_requested() is cheap. */
struct stop;
struct stop *stop_new(void);
void stop_free(struct stop *stop);
void stop_request(
    struct stop *stop); /* from any thread; calls the subscribers once, on the caller's thread */
bool stop_requested(const struct stop *stop); /* NULL: false */
/* `fn` must be short and must not park (sched_wake or curl_multi_wakeup). Called at once when the stop was
 * already requested. */
struct stop_subscription;
struct stop_subscription *stop_subscribe(struct stop *stop, void (*fn)(void *arg),
                                         void *arg); /* stop NULL: NULL */
void stop_unsubscribe(
    struct stop_subscription *subscription); /* NULL is fine; fn is not running any more when it returns */

/* Waits on a spot of its own: false when the stop came first (or had come), true when the deadline was
 * reached. */
bool sched_wait_until(struct sched *sched, struct stop *stop, int64_t deadline_ms);

#endif
