/* Many refreshes at a time in one process: the engine, the AWS clients, the simulator's core and the API
 * server in memory, under one seeded scheduler. Each refresh carries one cluster over and sets one parameter.
 */
#ifndef SIMULATION_CROWD_H
#define SIMULATION_CROWD_H

#include "pkg/base/json.h"

struct crowd;

struct crowd_opts {
    int64_t count; /* of refreshes */
    uint64_t seed;
    bool hears_events;         /* production's and staging's events come to a queue that the engine reads */
    const char *limits;        /* of the world: "backups: 5, atLimit: fail"; NULL: no limit of jobs */
    const char *const *faults; /* bodies for POST /_sim/faults, up to NULL; NULL: none */
    const char *events_take;   /* the world's durations.events, as "{backup: 0s}"; NULL: its default */
    const char *rds_takes;     /* durations of RDS, as the world writes them; NULL: the usual ones */
    const char *habits;        /* the world's; NULL: its defaults */
};

struct crowd *crowd_new(const struct crowd_opts *opts);
void crowd_free(struct crowd *crowd);

/* False ends it. */
typedef bool crowd_look_fn(void *arg, struct crowd *crowd);
/* Calls `look` every 30 s of virtual time until it says so or the deadline. Once. */
void crowd_run(struct crowd *crowd, int64_t deadline_ms, crowd_look_fn *look, void *arg);

/* Virtual time since the start. */
int64_t crowd_now_ms(const struct crowd *crowd);
/* The refresh as it is now, from 0 on; borrowed until the next write. */
const struct json *crowd_refresh(const struct crowd *crowd, int64_t index);
/* The AWSAccount "production" or "staging", in the same way. */
const struct json *crowd_account(const struct crowd *crowd, const char *name);
/* The answer of GET /_sim/..., yours. */
struct json *crowd_ask(const struct crowd *crowd, const char *path);
/* Requests to AWS for an account that failed, as the client saw it; a repeat counts by itself. */
int64_t crowd_failed_requests(const struct crowd *crowd);

static inline void auto_crowd(struct crowd **crowd)
{
    crowd_free(*crowd);
}
#define AUTO_CROWD CLEANUP(auto_crowd)

#endif
