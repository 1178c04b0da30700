/* Many simulations, in several processes, each with a time limit. From the environment: SR_SEEDS how many (a
 * test's own default counts without it, and is a maximum where it says so), SR_SEED only that one and
 * SR_TEST only in the test of that name, SR_JOBS
 * how many processes (default: two). */
#ifndef SIMULATION_SEEDS_H
#define SIMULATION_SEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL: all is well; else what is wrong, yours. */
typedef char *seed_check_fn(uint64_t seed, void *arg);

enum seeds_kind {
    SEEDS_MANY,  /* SR_SEEDS counts instead of .count */
    SEEDS_SWEEP, /* each is a case of its own: with a smaller SR_SEEDS that many, evenly spread */
};

struct seeds {
    const char *name; /* of the test, for reports */
    uint64_t first;   /* seeds first .. first + count - 1 */
    size_t count;
    enum seeds_kind kind;
    seed_check_fn *check;
    void *arg;
};

/* Prints every failure with the way to repeat it, and how fast it was. True when all is well. */
bool seeds_run(const struct seeds *seeds);

#endif
