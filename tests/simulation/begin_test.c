/* What people see of a refresh that has been asked for and has not begun. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define FAULTS_MAX (16 * KIB)

static const char *const throttled[] = {"{\"match\": {\"service\": \"backup\"}, \"action\": \"throttle\"}",
                                        NULL};
static const char *const silent[] = {"{\"match\": {\"service\": \"backup\"}, \"action\": \"drop-request\"}",
                                     NULL};
static const char *const shut_out[] = {"{\"match\": {\"service\": \"sts\"}, \"action\": \"refuse\"}", NULL};

static const struct story {
    const char *name;
    const char *const *faults;
    int64_t deadline_ms; /* 0: it ends well */
    bool needs_somebody; /* a refusal, which does not pass by itself */
} stories[] = {
    {.name = "all is well"},
    {.name = "AWS throttles", .faults = throttled, .deadline_ms = HOURS(3)},
    {.name = "AWS does not answer", .faults = silent, .deadline_ms = HOURS(3)},
    {.name = "no way in", .faults = shut_out, .deadline_ms = HOURS(3), .needs_somebody = true},
};

struct play {
    const struct story *story;
    size_t statuses; /* versions of it that were written */
    struct buf faults;
};

static const struct json *condition_of(const struct json *object, const char *type)
{
    json_each (condition, json_at(object, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), type))
            return condition;
    }
    return NULL;
}

static void want(struct play *play, const char *what, const char *got, const char *wanted)
{
    if (!text_equal(got, wanted))
        buf_addf(&play->faults, "%s is %s, expected %s\n", what, got, wanted);
}

/* Who we are is asked for the AWSAccounts, whose objects came at the same time. */
static void want_nothing_asked(struct play *play, struct scenario *scenario)
{
    json_each (row, scenario_calls(scenario)) {
        const char *service = json_get_text(row, "service", "");

        if (!text_equal(service, "sts"))
            buf_addf(&play->faults, "%s was asked before the first status\n", service);
    }
}

static void check_first(struct play *play, struct scenario *scenario, const struct json *object)
{
    want(play, "phase", json_get_text(object, "status.phase", ""), "Pending");
    want(play, "Ready", json_get_text(condition_of(object, "Ready"), "status", ""), "Unknown");
    want(play, "Reconciling", json_get_text(condition_of(object, "Reconciling"), "status", ""), "True");
    want_nothing_asked(play, scenario);
    if (json_get_int(object, "status.observedGeneration", 0) != 1)
        buf_adds(&play->faults, "the generation was not observed\n");
    if (json_at(object, "status.run"))
        buf_adds(&play->faults, "the first status has a run already\n");
}

static void heard(void *arg, struct scenario *scenario, const struct json *object)
{
    struct play *play = arg;

    if (!object || !json_at(object, "status.phase"))
        return;
    if (!play->statuses++)
        check_first(play, scenario, object);
}

static void check_waiting(struct play *play, const struct json *object)
{
    const struct json *passed = condition_of(object, "PreflightPassed");
    const char *message = json_get_text(condition_of(object, "Reconciling"), "message", "");
    bool stalls = play->story->needs_somebody;

    want(play, "phase at last", json_get_text(object, "status.phase", ""), stalls ? "Stalled" : "Pending");
    want(play, "PreflightPassed", json_get_text(passed, "status", "absent"), stalls ? "False" : "Unknown");
    if (!stalls && (!strstr(message, "AWS") || !strstr(message, json_get_text(passed, "message", "?"))))
        buf_addf(&play->faults, "Reconciling says \"%s\"\n", message);
    if (play->statuses > 8) /* the reason may change once or twice */
        buf_addf(&play->faults, "%zu statuses while nothing happened\n", play->statuses);
}

/* Each minute it is refused anew, with another request id. */
static void check_account(struct play *play, struct scenario *scenario)
{
    static const struct object_id production = {
        .kind = OBJECT_ACCOUNT, .namespace = "", .name = "production"};
    size_t versions = memory_version_count(scenario_memory(scenario), &production);

    if (versions > 4)
        buf_addf(&play->faults, "the AWSAccount was written %zu times\n", versions);
}

static char *play_story(uint64_t seed, void *arg UNUSED)
{
    struct play play = {.story = &stories[seed % COUNT_OF(stories)], .faults = BUF_MAX(FAULTS_MAX)};
    struct scenario_opts opts = {.seed = seed,
                                 .world_edits = scenario_quick_world,
                                 .faults = play.story->faults,
                                 .deadline_ms = play.story->deadline_ms,
                                 .settle_ms = SECONDS(1),
                                 .on_write = heard,
                                 .on_write_arg = &play};
    AUTO_SCENARIO struct scenario *scenario = scenario_new(&opts);
    char *faults = NULL;

    scenario_run(scenario);
    if (!play.story->deadline_ms)
        check_success(scenario, &play.faults);
    else
        check_waiting(&play, scenario_object(scenario));
    check_account(&play, scenario);
    if (play.faults.len)
        faults = xasprintf("%s: %s", play.story->name, buf_text(&play.faults));
    buf_done(&play.faults);
    return faults;
}

static void a_new_object_has_a_status_at_once(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "begin",
                                          .first = 0,
                                          .count = 4 * COUNT_OF(stories),
                                          .kind = SEEDS_SWEEP,
                                          .check = play_story}));
}

/* --- long texts --- */

static const struct ask {
    const char *name;
    const char *annotation; /* NULL: the trigger */
    const char *piece;
    int count;
    int64_t runs;
} asks[] = {
    {.name = "a trigger of 256 characters of three bytes", .piece = "進", .count = 256, .runs = 2},
    {.name = "a request of 300 bytes", .annotation = "run-requested", .piece = "x", .count = 300, .runs = 2},
    {.name = "a request of 5 KiB", .annotation = "run-requested", .piece = "進", .count = 1707, .runs = 2},
    {.name = "switch-to with a tail of 4 KiB",
     .annotation = "switch-to",
     .piece = "x",
     .count = 4096,
     .runs = 2},
};

struct asking {
    const struct ask *ask;
    bool has_asked;
};

/* What follows the slash of a switch-to only makes it another one. */
static void ask_once(void *arg, struct scenario *scenario, const struct json *object)
{
    struct asking *asking = arg;
    const struct ask *ask = asking->ask;
    AUTO_BUF struct buf text = BUF_MAX(16 * KIB);

    if (asking->has_asked || !text_equal(json_get_text(object, "status.phase", ""), "Succeeded"))
        return;
    asking->has_asked = true;
    if (ask->annotation)
        buf_addf(&text, "{\"metadata\":{\"annotations\":{\"stagingrefresh.dev/%s\":\"", ask->annotation);
    else
        buf_adds(&text, "{\"spec\":{\"trigger\":\"");
    if (text_equal(ask->annotation, "switch-to"))
        buf_addf(&text, "%s/", json_get_text(object, "status.run.id", ""));
    for (int i = 0; i < ask->count; i++)
        buf_adds(&text, ask->piece);
    buf_adds(&text, ask->annotation ? "\"}}}" : "\"}}");
    memory_patch(scenario_memory(scenario), &scenario_refresh, buf_text(&text));
}

static void a_long_text_asks_once(void **state)
{
    struct asking asking = {.ask = *state};
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = 3,
                                             .world_edits = scenario_quick_world,
                                             .settle_ms = HOURS(6),
                                             .on_write = ask_once,
                                             .on_write_arg = &asking});

    scenario_run(scenario);
    assert_true(asking.has_asked);
    assert_text_equal(json_get_text(scenario_object(scenario), "status.phase", ""), "Succeeded");
    assert_number(json_count(json_at(scenario_object(scenario), "status.history")), asking.ask->runs);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_new_object_has_a_status_at_once);
    TEST_ROWS(&tests, a_long_text_asks_once, asks);
    return tests_run(&tests, "begin");
}
