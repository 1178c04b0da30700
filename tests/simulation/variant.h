/* Scenarios drawn by a seed: how long things take, what the API server is like, when the process dies. */
#ifndef SIMULATION_VARIANT_H
#define SIMULATION_VARIANT_H

#include "pkg/base/random.h"
#include "tests/simulation/scenario.h"

struct variant {
    struct scenario_opts opts;
    char *texts[4]; /* owned, what opts.world_edits points to */
    const char *edits[7];
};

/* A world whose jobs take minutes, so that a simulation has fewer looks at nothing new; an API server with
 * quirks. */
void variant_init(struct variant *variant, uint64_t seed);
/* Rollouts of the ECS service fail, and its circuit breaker rolls them back. */
void variant_fail_rollouts(struct variant *variant);
/* The process dies up to three times, at any of its first `calls` calls, before or after the deed; down for
 * seconds to hours. */
void variant_add_crashes(struct variant *variant, int64_t calls);
void variant_done(struct variant *variant);
#define AUTO_VARIANT CLEANUP(variant_done)

#endif
