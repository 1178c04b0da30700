/* Refreshes that cannot succeed: they end, they say why, and staging uses what it used before. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

/* A security group of the same network that lets nobody in: the proxy never reaches the new cluster. */
static const char *const closed_group[] = {"sg-0123456789abcdef0", "sg-00000000000000001", NULL};

static const char *const all_troubles[] = {
    "{\"match\": {\"probability\": 0.1}, \"action\": \"throttle\"}",
    "{\"match\": {\"probability\": 0.05}, \"action\": \"error\"}",
    NULL,
};

static char *check_one(uint64_t seed, void *arg UNUSED)
{
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    AUTO_VARIANT struct variant variant = {0};
    AUTO_SCENARIO struct scenario *scenario = NULL;

    variant_init(&variant, seed);
    variant.opts.manifest_edits = closed_group;
    if (seed % 2)
        variant_add_crashes(&variant, 350);
    if (seed % 3 == 0)
        variant.opts.faults = all_troubles;
    scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    check_put_back(scenario, "ProxyTargetNotHealthy", &faults);
    check_production(scenario, &faults);
    check_history(scenario, &faults);
    return faults.len ? buf_take(&faults) : NULL;
}

static void a_switchover_that_fails_is_put_back(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){
        .name = "put_back", .first = 1, .count = 60, .kind = SEEDS_SWEEP, .check = check_one}));
}

/* The circuit breaker rolls the new tasks back while the parameters are new; the next ones are no better.
 * What it put in their place completes, and counts neither there nor back. */
static char *check_rolled_back(uint64_t seed, void *arg UNUSED)
{
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    AUTO_VARIANT struct variant variant = {0};
    AUTO_SCENARIO struct scenario *scenario = NULL;
    int64_t restarts;

    variant_init(&variant, seed);
    variant_fail_rollouts(&variant);
    if (seed % 2)
        variant_add_crashes(&variant, 400);
    scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    check_put_back(scenario, "RolloutFailed", &faults);
    check_history(scenario, &faults);
    restarts = journal_count(scenario_journal(scenario), "UpdateService", "created");
    if (restarts != 2)
        buf_addf(&faults, "%lld restarts instead of one there and one back\n", (long long)restarts);
    return faults.len ? buf_take(&faults) : NULL;
}

static void a_rollout_that_fails_is_put_back(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){
        .name = "rolled_back", .first = 1, .count = 60, .kind = SEEDS_SWEEP, .check = check_rolled_back}));
}

/* Codes that are no word as the reason of a condition has to be. */
static const char *const odd_codes[][2] = {
    {"{\"match\": {\"operation\": \"StartCopyJob\", \"nth\": 1, \"times\": 40}, \"action\": \"error\", "
     "\"status\": 404, \"code\": \"not found\"}",
     NULL},
    {"{\"match\": {\"operation\": \"StartCopyJob\", \"nth\": 1, \"times\": 40}, \"action\": \"error\", "
     "\"status\": 400, \"code\": \"AWS.SimpleQueueService.NonExistentQueue\"}",
     NULL},
};

static void see_stalled(void *arg, struct scenario *scenario UNUSED, const struct json *object)
{
    bool *seen = arg;

    json_each (condition, json_at(object, "status.conditions"))
        *seen = *seen || text_equal(json_get_text(condition, "type", ""), "Stalled");
}

static char *check_odd_code(uint64_t seed, void *arg UNUSED)
{
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    bool stalled = false;
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = seed,
                                             .world_edits = scenario_quick_world,
                                             .faults = odd_codes[seed % COUNT_OF(odd_codes)],
                                             .on_write = see_stalled,
                                             .on_write_arg = &stalled});

    scenario_run(scenario);
    check_success(scenario, &faults);
    if (!stalled)
        buf_adds(&faults, "it was never said that the run is blocked\n");
    return faults.len ? buf_take(&faults) : NULL;
}

static void whatever_the_code_is_it_is_written(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){
        .name = "odd_codes", .first = 0, .count = 4, .kind = SEEDS_SWEEP, .check = check_odd_code}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_switchover_that_fails_is_put_back);
    TEST(&tests, a_rollout_that_fails_is_put_back);
    TEST(&tests, whatever_the_code_is_it_is_written);
    return tests_run(&tests, "failures");
}
