/* What people and GitOps tools see of an AWSAccount while AWS does not say who we are in it. */
#include "tests/simulation/scenario.h"
#include "tests/simulation/seeds.h"
#include "tests/testing/assertions.h"

#define TEXT_MAX (16 * KIB)
#define TURNS_MAX 4

#define WHO_AM_I "{\"match\": {\"service\": \"sts\", \"operation\": \"GetCallerIdentity\"}, "
#define IN_TROUBLE WHO_AM_I "\"action\": \"error\"}"
#define MUTE WHO_AM_I "\"action\": \"drop-request\"}"
#define REFUSES WHO_AM_I "\"action\": \"refuse\"}"
#define WELL NULL

#define FIRST "Unknown Starting R, "
#define USABLE "True IdentityProved, "
#define UNREACHABLE "Unknown Unreachable R, "
#define DOUBTFUL "Unknown AccessDenied R, "
#define SHUT "False AccessDenied S, "

/* How STS is from a minute on. */
struct turn {
    int64_t at_ms;
    const char *fault;
};

/* The account is looked at every hour, and every minute when something is wrong. */
/* clang-format off */
static const struct story {
    const char *name;
    struct turn turns[TURNS_MAX];
    const char *want; /* Ready and its reason, and whether Reconciling or Stalled stands beside it */
} stories[] = {
    {.name = "all is well", .want = FIRST USABLE},
    {.name = "in trouble at first", .turns = {{0, IN_TROUBLE}, {MINUTES(3), WELL}}, .want = FIRST UNREACHABLE USABLE},
    {.name = "mute at first", .turns = {{0, MUTE}, {MINUTES(3), WELL}}, .want = FIRST UNREACHABLE USABLE},
    {.name = "in trouble for long", .turns = {{0, IN_TROUBLE}, {MINUTES(40), WELL}}, .want = FIRST UNREACHABLE USABLE},
    {.name = "refuses at first", .turns = {{0, REFUSES}, {MINUTES(3), WELL}}, .want = FIRST DOUBTFUL USABLE},
    {.name = "refuses", .turns = {{0, REFUSES}, {MINUTES(20), WELL}}, .want = FIRST DOUBTFUL SHUT USABLE},
    {.name = "refuses, and is in trouble for a moment",
     .turns = {{0, REFUSES}, {MINUTES(10), IN_TROUBLE}, {MINUTES(12), REFUSES}, {MINUTES(20), WELL}},
     .want = FIRST DOUBTFUL SHUT USABLE},
    {.name = "refuses, and is in trouble for long",
     .turns = {{0, REFUSES}, {MINUTES(10), IN_TROUBLE}, {MINUTES(30), WELL}},
     .want = FIRST DOUBTFUL SHUT UNREACHABLE USABLE},
    {.name = "in trouble for a moment, later", .turns = {{MINUTES(58), IN_TROUBLE}, {MINUTES(62), WELL}}, .want = FIRST USABLE},
    {.name = "refuses for a moment, later", .turns = {{MINUTES(58), REFUSES}, {MINUTES(62), WELL}}, .want = FIRST USABLE},
    {.name = "in trouble for long, later", .turns = {{MINUTES(58), IN_TROUBLE}, {MINUTES(80), WELL}},
     .want = FIRST USABLE UNREACHABLE USABLE},
    {.name = "refuses, later", .turns = {{MINUTES(58), REFUSES}, {MINUTES(80), WELL}}, .want = FIRST USABLE SHUT USABLE},
};
/* clang-format on */

static void turn(void *arg, struct scenario *scenario)
{
    const struct turn *now = arg;

    scenario_control(scenario, "DELETE", "/_sim/faults", NULL);
    if (now->fault)
        scenario_control(scenario, "POST", "/_sim/faults", now->fault);
}

static const char *text_of(const struct json *object, const char *type, const char *member)
{
    json_each (condition, json_at(object, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), type))
            return json_get_text(condition, member, "");
    }
    return "";
}

static char *sight(const struct json *object)
{
    return xasprintf("%s %s%s%s, ", text_of(object, "Ready", "status"), text_of(object, "Ready", "reason"),
                     text_equal(text_of(object, "Reconciling", "status"), "True") ? " R" : "",
                     text_equal(text_of(object, "Stalled", "status"), "True") ? " S" : "");
}

static void read_sights(struct scenario *scenario, struct buf *out)
{
    static const struct object_id id = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "production"};
    struct memory *memory = scenario_memory(scenario);
    AUTO_FREE char *last = NULL;

    buf_adds(out, "");
    for (size_t i = 0; i < memory_version_count(memory, &id); i++) {
        const struct json *object = memory_version(memory, &id, i);
        AUTO_FREE char *now = json_at(object, "status.conditions") ? sight(object) : NULL;

        if (!now || text_equal(now, last))
            continue;
        buf_adds(out, now);
        xfree(last);
        last = TAKE(now);
    }
}

static void begin(struct scenario *scenario, const struct story *story)
{
    for (size_t i = 0; i < TURNS_MAX && (i == 0 || story->turns[i].at_ms); i++) {
        struct turn *at = (struct turn *)(uintptr_t)&story->turns[i];

        if (at->at_ms)
            scenario_later(scenario, at->at_ms, turn, at);
        else
            turn(at, scenario);
    }
}

static char *play_story(uint64_t seed, void *arg UNUSED)
{
    const struct story *story = &stories[seed % COUNT_OF(stories)];
    struct scenario_opts opts = {
        .seed = seed, .world_edits = scenario_quick_world, .settle_ms = MINUTES(150)};
    AUTO_SCENARIO struct scenario *scenario = scenario_new(&opts);
    AUTO_BUF struct buf seen = BUF_MAX(TEXT_MAX);

    begin(scenario, story);
    scenario_run(scenario);
    read_sights(scenario, &seen);
    if (text_equal(buf_text(&seen), story->want))
        return NULL;
    return xasprintf("%s:\nexpected %s\ngot      %s\n", story->name, story->want, buf_text(&seen));
}

static void stalls_only_when_it_lasts(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "accounts",
                                          .first = 0,
                                          .count = 2 * COUNT_OF(stories),
                                          .kind = SEEDS_SWEEP,
                                          .check = play_story}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, stalls_only_when_it_lasts);
    return tests_run(&tests, "accounts");
}
