/* How often AWS is asked while a crowd runs, by the simulator's count. */
#ifndef SIMULATION_CROWD_RATES_H
#define SIMULATION_CROWD_RATES_H

#include "tests/simulation/crowd.h"

/* What is counted between two moments. */
struct crowd_counts {
    int64_t all, looks, queue; /* looks: Describe... and List... of jobs; queue: of SQS */
};
struct crowd_counts crowd_count_calls(const struct crowd *crowd);

/* All have the step under way for the first time, and for the last. */
enum crowd_moment {
    CROWD_ALL_BACKING_UP,
    CROWD_LAST_BACKING_UP,
    CROWD_ALL_RESTORING,
    CROWD_LAST_RESTORING,
    CROWD_ENDED,
    CROWD_MOMENTS
};

struct crowd_figures {
    int64_t count;           /* of refreshes; the caller's, as the next */
    enum crowd_moment until; /* what is past it need not be measured */
    int64_t at_ms[CROWD_MOMENTS];
    struct crowd_counts counts[CROWD_MOMENTS];
    bool seen[CROWD_MOMENTS];
    int64_t succeeded;
};

/* A crowd_look_fn; `arg` is the figures. */
bool crowd_measure(void *arg, struct crowd *crowd);
/* Tenths per minute between two moments; -1: they never came. */
int64_t crowd_looks_per_minute(const struct crowd_figures *figures, enum crowd_moment from,
                               enum crowd_moment to);

#endif
