/* The AWS of a simulation: the simulator's core behind struct transport, without a socket. The core's wall
 * clock and world clock are both the scheduler's, so an hour of backups takes as long as its calls. */
#ifndef SIMULATION_SIM_TRANSPORT_H
#define SIMULATION_SIM_TRANSPORT_H

#include "pkg/base/json.h"
#include "pkg/http/transport.h"
#include "tests/simulation/lifetime.h"

struct sim;

/* A transport of one process; `sim` and `life` are borrowed and outlive it. As libcurl would: a dropped
 * connection and an answer that takes too long are ERR_RETRY, an answer over the request's cap ERR_INVALID,
 * the process's end ERR_CANCELED. Streams are refused (ERR_INVALID). */
struct transport *sim_transport_new(struct sim *sim, struct lifetime *life);

/* For tests: asks the simulator itself, as of now and with no time passing. `body` NULL: none. *ret may be
 * NULL. */
struct err *sim_control(struct sim *sim, struct sched *sched, const char *method, const char *path,
                        const char *body, struct json **ret) MUST_USE;

#endif
