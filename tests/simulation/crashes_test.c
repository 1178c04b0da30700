/* kill -9 between any two calls, whatever the interleaving: every refresh succeeds, and AWS is asked for
 * everything once. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define CALLS_DRAWN 250 /* about as many as such a refresh takes */

static char *run_and_check(const struct scenario_opts *opts)
{
    AUTO_SCENARIO struct scenario *scenario = scenario_new(opts);

    scenario_run(scenario);
    return check_all(scenario);
}

static char *check_seed(uint64_t seed, void *arg UNUSED)
{
    AUTO_VARIANT struct variant variant = {0};

    variant_init(&variant, seed);
    if (seed % 2)
        variant_add_crashes(&variant, CALLS_DRAWN);
    return run_and_check(&variant.opts);
}

static void any_seed_succeeds(void **state UNUSED)
{
    assert_true(seeds_run(
        &(struct seeds){.name = "any_seed", .first = 1, .count = 1000, .scales = true, .check = check_seed}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, any_seed_succeeds);
    return tests_run(&tests, "crashes");
}
