/* Hooks in a whole refresh: before the switchover they hold it back, after it they can take it back, and
 * whatever crashes, an execution is started once. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define GRANTS "    - {type: ECSService, names: [shop-stg/web]}\n"
#define MORE_GRANTS                                                                                  \
    GRANTS "    - {type: LambdaFunction, names: [refresh-hook]}\n    - {type: StateMachine, names: " \
           "[\"*\"]}\n"
#define BEFORE(failure)                                                                                     \
    "  hooks:\n    beforeSwitchover:\n    - {name: mask, stateMachine: {name: mask-staging}, timeout: 2h, " \
    "onFailure: " failure "}\n"
#define AFTER(failure)                                                                         \
    "  hooks:\n    afterSwitchover:\n    - {name: smoke, stateMachine: {name: mask-staging}, " \
    "onFailure: " failure "}\n"                                                                \
    "    - {name: tell, lambda: {functionName: refresh-hook}, onFailure: Continue}\n"
#define EDITS(hooks)                                                                              \
    (const char *const[])                                                                         \
    {                                                                                             \
        GRANTS, MORE_GRANTS, "  switchover:\n    policy", hooks "  switchover:\n    policy", NULL \
    }

static const char *const never_starts[] = {
    "{\"match\": {\"operation\": \"StartExecution\"}, \"action\": \"refuse\"}", NULL};

static const char *const failing_machine[] = {"takes: 20m", "takes: 20m, outcome: FAILED", NULL};

struct row {
    const char *name;
    const char *const *edits;
    bool machine_fails, never_starts;
    bool succeeds;
    int64_t executions, invocations, deregistered;
};

static char *check_row(uint64_t seed, void *arg)
{
    const struct row *row = arg;
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    AUTO_VARIANT struct variant variant = {0};
    AUTO_SCENARIO struct scenario *scenario = NULL;

    variant_init(&variant, seed);
    variant.opts.manifest_edits = row->edits;
    if (row->machine_fails)
        variant.opts.world_edits = failing_machine;
    if (row->never_starts)
        variant.opts.faults = never_starts;
    if (seed % 2)
        variant_add_crashes(&variant, 350);
    scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    if (row->succeeds)
        check_success(scenario, &faults);
    else
        check_put_back(scenario, "HookFailed", &faults);
    check_production(scenario, &faults);
    if (!row->never_starts) /* then people are called meanwhile */
        check_history(scenario, &faults);
    if (journal_count(scenario_journal(scenario), "StartExecution", "created") != row->executions)
        buf_addf(&faults, "executions started: %lld;",
                 (long long)journal_count(scenario_journal(scenario), "StartExecution", "created"));
    /* Once or more is what is promised of Lambda: answers get lost. */
    if (journal_count(scenario_journal(scenario), "Invoke", "created") < row->invocations)
        buf_addf(&faults, "no invocation;");
    if (seed % 2 == 0 &&
        journal_count(scenario_journal(scenario), "DeregisterDBProxyTargets", "changed") != row->deregistered)
        buf_addf(&faults, "deregistered: %lld;",
                 (long long)journal_count(scenario_journal(scenario), "DeregisterDBProxyTargets", "changed"));
    return faults.len ? buf_take(&faults) : NULL;
}

static void run_row(struct row *row)
{
    assert_true(seeds_run(&(struct seeds){
        .name = row->name, .first = 1, .count = 10, .kind = SEEDS_SWEEP, .check = check_row, .arg = row}));
}

static void a_hook_holds_the_switchover_back_until_it_has_passed(void **state UNUSED)
{
    run_row(&(struct row){.name = "hook_before",
                          .edits = EDITS(BEFORE("Stop")),
                          .succeeds = true,
                          .executions = 1,
                          .deregistered = 1});
}

static void a_hook_that_fails_before_leaves_staging_alone(void **state UNUSED)
{
    run_row(&(struct row){.name = "hook_before_fails",
                          .edits = EDITS(BEFORE("Stop")),
                          .machine_fails = true,
                          .executions = 1,
                          .deregistered = 0});
}

static void a_hook_that_may_fail_stops_nothing(void **state UNUSED)
{
    run_row(&(struct row){.name = "hook_before_continues",
                          .edits = EDITS(BEFORE("Continue")),
                          .machine_fails = true,
                          .succeeds = true,
                          .executions = 1,
                          .deregistered = 1});
}

static void hooks_after_run_in_order(void **state UNUSED)
{
    run_row(&(struct row){.name = "hook_after",
                          .edits = EDITS(AFTER("Stop")),
                          .succeeds = true,
                          .executions = 1,
                          .invocations = 1,
                          .deregistered = 1});
}

static void a_hook_that_fails_after_takes_the_switchover_back(void **state UNUSED)
{
    run_row(&(struct row){.name = "hook_after_fails",
                          .edits = EDITS(AFTER("Stop")),
                          .machine_fails = true,
                          .executions = 1,
                          .deregistered = 2});
}

static void a_hook_that_cannot_start_has_failed(void **state UNUSED)
{
    run_row(&(struct row){.name = "hook_cannot_start",
                          .edits = EDITS(BEFORE("Stop")),
                          .never_starts = true,
                          .executions = 0,
                          .deregistered = 0});
}

static void a_hook_that_cannot_start_and_may_fail_stops_nothing(void **state UNUSED)
{
    run_row(&(struct row){.name = "hook_cannot_start_continues",
                          .edits = EDITS(AFTER("Continue")),
                          .never_starts = true,
                          .succeeds = true,
                          .executions = 0,
                          .invocations = 1,
                          .deregistered = 1});
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_hook_holds_the_switchover_back_until_it_has_passed);
    TEST(&tests, a_hook_that_fails_before_leaves_staging_alone);
    TEST(&tests, a_hook_that_may_fail_stops_nothing);
    TEST(&tests, hooks_after_run_in_order);
    TEST(&tests, a_hook_that_fails_after_takes_the_switchover_back);
    TEST(&tests, a_hook_that_cannot_start_has_failed);
    TEST(&tests, a_hook_that_cannot_start_and_may_fail_stops_nothing);
    return tests_run(&tests, "hooks");
}
