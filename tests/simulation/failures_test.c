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

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_switchover_that_fails_is_put_back);
    return tests_run(&tests, "failures");
}
