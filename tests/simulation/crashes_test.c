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

/* --- anything, anywhere --- */

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
    assert_true(
        seeds_run(&(struct seeds){.name = "any_seed", .first = 1, .count = 1000, .check = check_seed}));
}

/* --- one crash at every call of one run --- */

static const struct crash ways_to_die[] = {
    {.after_deed = false, .down_ms = SECONDS(5)},
    {.after_deed = true, .down_ms = SECONDS(5)},
    /* Long enough for AWS Backup to have forgotten the tokens. */
    {.after_deed = true, .down_ms = MINUTES(70)},
};

static struct scenario_opts sweep_opts(void)
{
    return (struct scenario_opts){
        .seed = 5, .workers = 2, .world_edits = scenario_quick_world, .api = {.lag_max_ms = 1000}};
}

/* Seeds count calls and ways: call 1 in each way, call 2 in each way, ... */
static char *check_crash(uint64_t seed, void *arg UNUSED)
{
    struct scenario_opts opts = sweep_opts();

    opts.crashes[0] = ways_to_die[seed % COUNT_OF(ways_to_die)];
    opts.crashes[0].at_call = (int64_t)(seed / COUNT_OF(ways_to_die)) + 1;
    opts.crash_count = 1;
    return run_and_check(&opts);
}

static void a_crash_at_any_call_does_no_harm(void **state UNUSED)
{
    const struct scenario_opts opts = sweep_opts();
    AUTO_SCENARIO struct scenario *reference = scenario_new(&opts);
    size_t calls;

    scenario_run(reference);
    AUTO_FREE char *faults = check_all(reference);
    assert_text_equal(faults, NULL);
    calls = (size_t)scenario_call_count(reference);
    scenario_free(TAKE(reference));
    assert_true(calls > 100);
    assert_true(seeds_run(&(struct seeds){.name = "crash_at_call",
                                          .first = 0,
                                          .count = calls * COUNT_OF(ways_to_die),
                                          .kind = SEEDS_SWEEP,
                                          .check = check_crash}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, any_seed_succeeds);
    TEST(&tests, a_crash_at_any_call_does_no_harm);
    return tests_run(&tests, "crashes");
}
