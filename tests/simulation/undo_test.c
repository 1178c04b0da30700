/* Switchovers that meet what does not pass by itself. Each run ends, within its time; what can be put back is
 * put back, and nothing that works is taken away. Each row is played with several seeds, half of them with
 * crashes. */
#include "tests/simulation/seeds.h"
#include "tests/simulation/story.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define SHORT "  retention:\n", "  timeouts: {switchover: 5m}\n  retention:\n"
#define ANY (-1)
/* A hook that fails when all is switched over. */
#define FAILING_HOOK                                                                                     \
    "    - {type: ECSService, names: [shop-stg/web]}\n",                                                 \
        "    - {type: ECSService, names: [shop-stg/web]}\n    - {type: StateMachine, names: [\"*\"]}\n", \
        "  switchover:\n    policy",                                                                     \
        "  hooks:\n    afterSwitchover:\n    - {name: smoke, stateMachine: {name: mask-staging}, "       \
        "onFailure: Stop}\n  switchover:\n    policy"
#define FAILING_MACHINE "takes: 20m", "takes: 20m, outcome: FAILED"
#define SMOKE "AfterHooks/smoke"

/* From the moment that a row of the switchover is in that state. */
struct trouble {
    const char *row, *state, *fault; /* NULL: what there is ceases */
    int64_t after_ms;                /* and so long ago */
};

/* What a run that has failed leaves as it has made it. */
enum left { NOTHING, PARAMETERS, PROXY };

struct row {
    const char *name;
    const char *edits[9];
    const char *world_edits[3];
    struct trouble troubles[3];
    bool succeeds;
    const char *reason, *message; /* of Ready: the reason, and a part of the message */
    int64_t deregistered;         /* how often a target was taken out, without crashes */
    enum left left;
    bool is_mixed;      /* it says that it could not put everything back */
    bool not_restarted; /* there is nothing that could be */
};

struct play_of_row {
    const struct row *row;
    bool has_begun[COUNT_OF(((struct row *)0)->troubles)];
};

static void begin_trouble(struct scenario *scenario, const struct trouble *trouble)
{
    scenario_control(scenario, trouble->fault ? "POST" : "DELETE", "/_sim/faults", trouble->fault);
}

static void begin_later(void *arg, struct scenario *scenario)
{
    begin_trouble(scenario, arg);
}

static void make_trouble(void *arg, struct scenario *scenario, const struct json *object)
{
    struct play_of_row *play = arg;

    for (size_t i = 0; i < COUNT_OF(play->row->troubles); i++) {
        const struct trouble *trouble = &play->row->troubles[i];

        if (play->has_begun[i] || !trouble->row ||
            !text_equal(row_text(object, trouble->row, "state"), trouble->state))
            continue;
        play->has_begun[i] = true;
        if (trouble->after_ms)
            scenario_later(scenario, trouble->after_ms, begin_later, (void *)(uintptr_t)trouble);
        else
            begin_trouble(scenario, trouble);
    }
}

static bool has_effect(const struct json *row)
{
    const char *effect = json_get_text(row, "effect", "");

    return !text_equal(effect, "refused") && !text_equal(effect, "none");
}

/* Who reads what was changed has been restarted since. */
static bool is_restarted(struct scenario *scenario)
{
    static const char *const changes[] = {"RegisterDBProxyTargets", "DeregisterDBProxyTargets",
                                          "PutParameter", "PutSecretValue", "UpdateSecretVersionStage"};
    bool restarted = true;

    json_each (row, scenario_journal(scenario)) {
        const char *operation = json_get_text(row, "operation", "");

        restarted = restarted || (text_equal(operation, "UpdateService") && has_effect(row));
        for (size_t i = 0; i < COUNT_OF(changes); i++)
            restarted = restarted && !(text_equal(operation, changes[i]) && has_effect(row));
    }
    return restarted;
}

static void expect(struct buf *faults, const char *what, const char *got, const char *wanted)
{
    if (!str_starts(str_of(got), wanted))
        buf_addf(faults, "%s is %s, expected %s\n", what, got, wanted);
}

/* What is left is said, and nothing else is left. */
static void check_left(const struct row *row, struct scenario *scenario, struct buf *faults)
{
    struct play play = {.scenario = scenario};
    const struct json *object = scenario_object(scenario);
    const char *copy =
        json_get_text(named(json_at(object, "status.databases"), "name", "main"), "copyIdentifier", "?");

    if (!scenario_has_ended(scenario))
        buf_adds(faults, "the run did not end in time\n");
    expect(faults, "Succeeded", condition_text(object, "Succeeded", "status"), "False");
    expect(faults, "the reason", condition_text(object, "Ready", "reason"), row->reason);
    expect(faults, "SwitchedOver", condition_text(object, "SwitchedOver", "reason"),
           row->is_mixed ? "Mixed" : "PutBack");
    expect(faults, "what staging uses", strstr(condition_text(object, "Ready", "message"), "Staging "),
           row->is_mixed ? "Staging is half switched over" : "Staging uses what it used before");
    expect(faults, "the proxy's target", proxy_target(&play), row->left == PROXY ? copy : OLD_CLUSTER);
    expect(faults, "db_host", parameter(&play, "/shop/stg/db_host"),
           row->left == PARAMETERS ? copy : OLD_CLUSTER);
    if (row->is_mixed && !strstr(events(&play), "SwitchoverMixed"))
        buf_adds(faults, "nobody was told that staging stays mixed\n");
}

static void check_end(const struct row *row, struct scenario *scenario, bool has_crashes, struct buf *faults)
{
    const struct json *object = scenario_object(scenario);
    const char *message = condition_text(object, "Ready", "message");
    int64_t deregistered = journal_count(scenario_journal(scenario), "DeregisterDBProxyTargets", "changed");

    if (row->succeeds)
        check_success(scenario, faults);
    else if (row->left || row->is_mixed)
        check_left(row, scenario, faults);
    else
        check_put_back(scenario, row->reason, faults);
    check_production(scenario, faults);
    if (!row->not_restarted && !is_restarted(scenario))
        buf_adds(faults, "applications were not restarted since the last change\n");
    if (row->message && !strstr(message, row->message))
        buf_addf(faults, "Ready says: %s\n", message);
    if (!has_crashes && row->deregistered != ANY && deregistered != row->deregistered)
        buf_addf(faults, "deregistered: %lld\n", (long long)deregistered);
}

static char *check_row(uint64_t seed, void *arg)
{
    struct play_of_row play = {.row = arg};
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    AUTO_VARIANT struct variant variant = {0};
    AUTO_SCENARIO struct scenario *scenario = NULL;

    variant_init(&variant, seed);
    variant.opts.manifest_edits = play.row->edits;
    if (play.row->world_edits[0])
        variant.opts.world_edits = play.row->world_edits;
    variant.opts.on_write = make_trouble;
    variant.opts.on_write_arg = &play;
    if (seed % 2)
        variant_add_crashes(&variant, 350);
    scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    check_end(play.row, scenario, seed % 2, &faults);
    return faults.len ? buf_take(&faults) : NULL;
}

static const struct row rows[] = {
    {.name = "forbidden_before_the_first_change",
     .edits = {SHORT},
     .troubles = {{"Window", "Done", "{\"match\": {\"operation\": \"GetParameter\"}, \"action\": \"refuse\"}",
                   0}},
     .reason = "TimedOut",
     .message = "Proxies/shop-stg: could not begin within its time-out; the last error: Parameters/db-host: ",
     .deregistered = 0},
    {.name = "a_secret_that_is_no_object",
     .edits = {SHORT, "shop/stg/app, key: DB_HOST", "shop/stg/plain, key: DB_HOST"},
     .world_edits = {"    - name: shop/stg/app\n",
                     "    - {name: shop/stg/plain, value: plain}\n    - name: shop/stg/app\n"},
     .reason = "TimedOut",
     .message = "Parameters/app-secret: ",
     .deregistered = 0},
    {.name = "a_value_that_is_not_known",
     .edits = {SHORT, "value: $(databases.sessions.tableName)", "value: $(databases.sessions.streamARN)"},
     .reason = "TimedOut",
     .message = "Parameters/sessions-table: ",
     .deregistered = 0},
    {.name = "forbidden_when_proxies_are_done",
     .edits = {SHORT},
     .troubles = {{"Proxies/shop-stg", "Done",
                   "{\"match\": {\"operation\": \"GetSecretValue\"}, \"action\": \"refuse\"}", 0}},
     .reason = "TimedOut",
     .message = "Parameters/app-secret: could not begin within its time-out",
     .deregistered = 2},
    {.name = "forbidden_before_applications",
     .edits = {SHORT},
     .troubles = {{"Parameters/db-host", "Done",
                   "{\"match\": {\"operation\": \"DescribeServices\"}, \"action\": \"refuse\"}", 0},
                  {"Applications/api", "Failed", NULL, 0}},
     .reason = "TimedOut",
     .message = "Applications/api: could not begin within its time-out",
     .deregistered = 2},
    {.name = "forbidden_for_a_while",
     .edits = {NULL},
     .troubles = {{"Proxies/shop-stg", "Done",
                   "{\"match\": {\"operation\": \"GetSecretValue\", \"times\": 20}, \"action\": "
                   "\"refuse\"}",
                   0}},
     .succeeds = true,
     .deregistered = 1},

    {.name = "parameters_that_are_gone",
     .edits = {FAILING_HOOK},
     .world_edits = {FAILING_MACHINE},
     .troubles = {{SMOKE, "Running",
                   "{\"match\": {\"operation\": \"GetParameter\"}, \"action\": \"error\", \"status\": 400, "
                   "\"code\": \"ParameterNotFound\"}",
                   0}},
     .reason = "HookFailed",
     .left = PARAMETERS, /* the simulator still has them */
     .deregistered = 2},
    {.name = "parameters_that_may_not_be_read",
     .edits = {FAILING_HOOK},
     .world_edits = {FAILING_MACHINE},
     .troubles = {{SMOKE, "Running", "{\"match\": {\"operation\": \"GetParameter\"}, \"action\": \"refuse\"}",
                   0}},
     .reason = "HookFailed",
     .message = "this could not be put back: Parameters/db-host (",
     .left = PARAMETERS,
     .is_mixed = true,
     .deregistered = 2},
    {.name = "parameters_that_may_not_be_read_for_half_an_hour",
     .edits = {FAILING_HOOK, SHORT},
     .world_edits = {FAILING_MACHINE},
     .troubles = {{SMOKE, "Running", "{\"match\": {\"operation\": \"GetParameter\"}, \"action\": \"refuse\"}",
                   0},
                  {SMOKE, "Failed", NULL, MINUTES(30)}},
     .reason = "HookFailed",
     .deregistered = 2},
    {.name = "an_outage_of_hours",
     .edits = {FAILING_HOOK, SHORT},
     .world_edits = {FAILING_MACHINE},
     .troubles = {{SMOKE, "Running",
                   "{\"match\": {\"service\": \"ssm\"}, \"action\": \"error\", \"status\": 500}", 0},
                  {SMOKE, "Failed", NULL, HOURS(3)}},
     .reason = "HookFailed",
     .deregistered = 2},
    {.name = "applications_that_are_gone",
     .edits = {FAILING_HOOK},
     .world_edits = {FAILING_MACHINE},
     .troubles = {{SMOKE, "Running",
                   "{\"match\": {\"operation\": \"DescribeServices\"}, \"action\": \"error\", "
                   "\"status\": 400, \"code\": \"ClusterNotFoundException\"}",
                   0}},
     .reason = "HookFailed",
     .not_restarted = true,
     .deregistered = 2},
    {.name = "applications_that_may_not_be_restarted",
     .edits = {FAILING_HOOK, SHORT},
     .world_edits = {FAILING_MACHINE},
     .troubles = {{SMOKE, "Running",
                   "{\"match\": {\"operation\": \"DescribeServices\"}, \"action\": \"refuse\"}", 0}},
     .reason = "HookFailed",
     .message = "this could not be put back: Applications/api (",
     .is_mixed = true,
     .not_restarted = true,
     .deregistered = 2},
    {.name = "the_old_cluster_is_gone",
     .edits = {FAILING_HOOK},
     .world_edits = {FAILING_MACHINE},
     .troubles = {{SMOKE, "Failed",
                   "{\"match\": {\"operation\": \"DescribeDBClusters\"}, \"action\": \"error\", "
                   "\"status\": 404, \"code\": \"DBClusterNotFoundFault\"}",
                   0}},
     .reason = "HookFailed",
     .message = "this could not be put back: Proxies/shop-stg (cluster " OLD_CLUSTER ", which",
     .left = PROXY,
     .is_mixed = true,
     .deregistered = 1},
};

static void ends_as_it_should(void **state)
{
    const struct row *row = *state;

    assert_true(seeds_run(&(struct seeds){.name = row->name,
                                          .first = 1,
                                          .count = 8,
                                          .kind = SEEDS_SWEEP,
                                          .check = check_row,
                                          .arg = (void *)(uintptr_t)row}));
}

/* --- and again --- */

#define REFUSED "{\"match\": {\"operation\": \"GetParameter\"}, \"action\": \"refuse\"}"

/* The run ends half switched; people mend what was refused, and ask for a retry, which fails, too. */
static void mend_and_retry(struct play *play, const struct json *object)
{
    AUTO_FREE char *attempt = xasprintf("%s/1", json_get_text(object, "status.run.id", ""));

    if (play->scene == 0 && text_equal(row_text(object, "Applications/api", "state"), "Running")) {
        scenario_control(play->scenario, "POST", "/_sim/faults", REFUSED);
        speak(play, "cancel", attempt);
    } else if (play->scene == 1 && has_ended(object)) {
        want_text(play, condition_text(object, "SwitchedOver", "reason"), "Mixed");
        want_text(play, condition_text(object, "Ready", "reason"), "Cancelled");
        scenario_control(play->scenario, "DELETE", "/_sim/faults", NULL);
        speak(play, "retry", attempt);
    } else if (play->scene == 2 && text_equal(row_text(object, "Applications/api", "state"), "Running")) {
        speak(play, "cancel", json_get_text(object, "status.run.id", ""));
    }
}

/* What was there before the first attempt is remembered still. */
static void check_as_before(struct play *play, const struct json *object)
{
    want_number(play, play->scene, 3);
    want_text(play, condition_text(object, "SwitchedOver", "reason"), "PutBack");
    expect_staging_as_before(play);
}

static void what_was_before_is_remembered(void **state UNUSED)
{
    const struct story story = {.name = "remembered",
                                .edits = {SHORT},
                                .settle_ms = HOURS(8),
                                .script = mend_and_retry,
                                .check = check_as_before};

    story_plays(&(void *){(void *)(uintptr_t)&story});
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, ends_as_it_should, rows);
    TEST(&tests, what_was_before_is_remembered);
    return tests_run(&tests, "undo");
}
