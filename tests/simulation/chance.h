/* What the seed decides beside the order of threads: drawn from the scheduler's own stream, so that one seed
 * fixes a whole simulation. */
#ifndef SIMULATION_CHANCE_H
#define SIMULATION_CHANCE_H

#include "pkg/base/sched.h"

/* low .. high, both included. */
static inline int64_t chance_between(struct sched *sched, int64_t low, int64_t high)
{
    return low + (int64_t)(sched_seeded_random(sched) % (uint64_t)(high - low + 1));
}

/* Draws nothing when it can never happen: what is switched off must not change the stream. */
static inline bool chance_per_mille(struct sched *sched, int64_t per_mille)
{
    return per_mille > 0 && chance_between(sched, 0, 999) < per_mille;
}

#endif
