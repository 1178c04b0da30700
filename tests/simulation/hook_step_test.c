/* Hooks that are Jobs of Kubernetes: looked at before a run, started, given up. */
#include "controller/preflight.h"
#include "tests/simulation/kube_bench.h"

/* --- a hook that cannot be started --- */

struct hook_row {
    const char *name;
    bool is_there; /* the CronJob */
    bool stops;
    int64_t age_ms, watched_ms;
    const char *error; /* NULL: an outcome */
    enum verdict verdict;
    const char *message;
};

static const struct hook_row hooks[] = {
    {.name = "it starts", .is_there = true, .stops = true, .verdict = VERDICT_WAIT, .message = "was created"},
    {.name = "no CronJob, in time",
     .stops = true,
     .age_ms = MINUTES(59),
     .watched_ms = MINUTES(59),
     .error = "read CronJob mask"},
    {.name = "no CronJob, late",
     .stops = true,
     .age_ms = MINUTES(61),
     .watched_ms = MINUTES(61),
     .verdict = VERDICT_FAILED,
     .message = "hook mask failed: not started within 1h00m; the last error: read CronJob mask"},
    {.name = "no CronJob, late, and it may fail",
     .age_ms = MINUTES(61),
     .watched_ms = MINUTES(61),
     .verdict = VERDICT_DONE,
     .message = "onFailure is Continue: not started within 1h00m"},
    {.name = "no CronJob, late, but nobody looked",
     .stops = true,
     .age_ms = HOURS(9),
     .watched_ms = MINUTES(9),
     .error = "read CronJob mask"},
};

#define CRON_JOB "/apis/batch/v1/namespaces/staging/cronjobs/mask"
#define JOB_TEMPLATE \
    "{\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"m\"}]}}}}}}"

static void hook_starts(void **state)
{
    const struct hook_row *row = *state;
    struct hook_spec hook = {.name = TEXT("mask"),
                             .kind = HOOK_CRON_JOB,
                             .target = TEXT("mask"),
                             .timeout_ms = HOURS(1),
                             .stop_on_failure = row->stops};
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    kube_bench_init(&bench, "BeforeHooks/mask");
    bench.spec.before_hooks = &hook;
    bench.spec.before_hook_count = 1;
    bench.stage.step = workflow_switchover_step("BeforeHooks/mask");
    bench.stage.row->start_ms = TESTING_WALL_MS - row->age_ms;
    bench.stage.watched_ms = row->watched_ms;
    if (row->is_there)
        kube_memory_put(&bench.memory, CRON_JOB, JOB_TEMPLATE);
    if (row->error) {
        assert_fails(hook_act(&bench.stage, &out), ERR_NOT_FOUND, row->error);
    } else {
        assert_no_err(hook_act(&bench.stage, &out));
        assert_number(out.verdict, row->verdict);
        assert_text_contains(out.message, row->message);
    }
    kube_bench_done(&bench);
}

/* --- looked at before a run begins --- */

struct look_row {
    const char *name;
    bool is_there, has_cluster;
    enum finding_state state;
    const char *message;
};

static const struct look_row looks[] = {
    {"the CronJob is there", true, true, FINDING_OK, "it is there"},
    {"there is no CronJob", false, true, FINDING_FAIL, "make it, or correct spec.hooks"},
    {"the cluster is not known", true, false, FINDING_UNKNOWN, "not looked at"},
};

static void hook_is_looked_at(void **state)
{
    const struct look_row *row = *state;
    struct hook_spec hooked[] = {{.name = TEXT("tell"), .kind = HOOK_LAMBDA, .target = TEXT("f")},
                                 {.name = TEXT("mask"), .kind = HOOK_CRON_JOB, .target = TEXT("mask")}};
    AUTO_PREFLIGHT_FINDINGS struct preflight_findings findings = {0};
    struct account target = {.name = TEXT("staging"), .account_id = TEXT("222222222222")};
    struct accounts accounts = {.target = &target};
    const struct preflight_check *check = &preflight_hooks.checks[0];
    struct kube_bench bench;

    kube_bench_init(&bench, "BeforeHooks/mask");
    bench.spec.after_hooks = hooked;
    bench.spec.after_hook_count = COUNT_OF(hooked);
    if (row->is_there)
        kube_memory_put(&bench.memory, CRON_JOB, JOB_TEMPLATE);
    struct preflight preflight = {.env = bench.pass.env,
                                  .spec = &bench.spec,
                                  .accounts = &accounts,
                                  .kube = row->has_cluster ? bench.memory.client : NULL,
                                  .namespace = "staging"};
    struct inspection in = {
        .preflight = &preflight, .check = check, .account = &target, .findings = &findings};
    assert_number((int64_t)check->count(&bench.spec, NULL), 1);
    in.subject = check->subject(&in);
    assert_text_equal(in.subject, "CronJob staging/mask");
    assert_no_err(check->look(&in));
    assert_number((int64_t)findings.count, 1);
    assert_number(findings.items[0].state, row->state);
    assert_text_contains(findings.items[0].message, row->message);
    xfree(in.subject);
    kube_bench_done(&bench);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, hook_starts, hooks);
    TEST_ROWS(&tests, hook_is_looked_at, looks);
    return tests_run(&tests, "hook_step");
}
