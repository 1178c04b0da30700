/* Steps of the switchover called alone, on a run of which nothing else is there, against the simulator. */
#ifndef SIMULATION_STEP_BENCH_H
#define SIMULATION_STEP_BENCH_H

#include "controller/pass.h"
#include "tests/simulation/sim_transport.h"

#define STEP_BENCH_RUN "20261122-160000-abcde"
#define STEP_BENCH_WALL_MS INT64_C(1795363200000) /* when it begins: 2026-11-22T16:00:00Z */

struct step_bench {
    struct sched *sched;
    struct sim *sim;
    struct lifetime *life;
    struct aws_config config;
    struct credentials_cache *identity;
    struct env env;
    struct objects objects;
    struct pass pass; /* .target: everything is allowed, so it is everybody else's client, too; .source: none,
                         unless the test adds one */
    struct json *journal;
};

/* What the staging account of the world has, in YAML, each section indented by two; the spec of a refresh
 * called "shop", in JSON. Faults in either end the test. */
void step_bench_init(struct step_bench *bench, const char *sections, const char *spec);
/* The same with a world of yours, in which staging's access key is AKIAEXAMPLE, and no spec: pass.spec is
 * NULL. */
void step_bench_open(struct step_bench *bench, const char *world, uint64_t seed);
void step_bench_done(struct step_bench *bench);
/* A row of the switchover ("Proxies/p"), added as it is before its intent, or the one that is there; `index`
 * among those of its step. Another row added later moves it: ask again. */
struct stage step_bench_stage(struct step_bench *bench, const char *row_name, size_t index);
/* GET /_sim/journal; borrowed until the next. How many calls there were with that effect. */
const struct json *step_bench_journal(struct step_bench *bench);
int64_t step_bench_count(struct step_bench *bench, const char *operation, const char *effect);
void step_bench_wait(const struct step_bench *bench, int64_t ms);
/* GET /_sim/world; yours. */
struct json *step_bench_world(const struct step_bench *bench);

#endif
