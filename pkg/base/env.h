/* Everything from outside that a module needs, in one hand: no globals, and a simulation can replace it all.
 * Passed by pointer, borrowed. */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include "pkg/base/log.h"
#include "pkg/base/random.h"
#include "pkg/base/sched.h"

struct transport;

struct env {
    struct log *log;     /* may be NULL: silence */
    struct sched *sched; /* clock and waiting */
    struct random *random;
    struct transport *transport; /* this thread's */
    struct stop *stop;           /* NULL: never */
    /* How long the call under way has waited so far. What is called on its way adds to it, so that a bound
     * holds for all of it; NULL: no call is under way. */
    int64_t *waited_ms;
};

#endif
