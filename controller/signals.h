/* SIGINT and SIGTERM as a request to stop: the first asks; one more, a second later or more, ends the process
 * at once, and so does the end of the time that an orderly stop may take. SIGHUP counts as SIGTERM (a
 * terminal that went away), SIGPIPE is ignored. */
#ifndef CONTROLLER_SIGNALS_H
#define CONTROLLER_SIGNALS_H

#include "pkg/base/sched.h"

#define SIGNALS_EXIT_STATUS 130 /* of a process that was interrupted */

struct signals;

/* Starts a thread that waits for signals; call it before any other thread is there, because all of them
 * inherit that these signals are blocked. Borrows sched, which runs at the real pace, and stop. */
struct signals *signals_start(struct sched *sched, struct stop *stop, int64_t grace_ms);
/* Ends the thread; signals stay blocked. */
void signals_end(struct signals *signals);
bool signals_came(const struct signals *signals);

#endif
