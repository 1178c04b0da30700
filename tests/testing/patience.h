/* For what real sockets and threads do at once when all is well, and only after a time-out, or never, when it
 * is not: who waits for it gives up in between, and the test fails. */
#ifndef TESTING_PATIENCE_H
#define TESTING_PATIENCE_H

#include "pkg/base/sched.h"

/* Half of the shortest time-out that would end an exchange instead (10 s to connect; 30 s in all), and a
 * thousand times what it takes, so that a busy machine fails nothing. */
#define PATIENCE_MS SECONDS(5)

/* Whether all of the flags (atomic) were set in time. */
static inline bool patience_for(struct sched *sched, const bool *const *flags, size_t count)
{
    int64_t deadline_ms = sched_now_ms(sched) + PATIENCE_MS;

    for (size_t i = 0; i < count; i++) {
        while (!__atomic_load_n(flags[i], __ATOMIC_ACQUIRE)) {
            if (sched_now_ms(sched) >= deadline_ms)
                return false;
            sched_wait_until(sched, NULL, sched_now_ms(sched) + 2);
        }
    }
    return true;
}

#endif
