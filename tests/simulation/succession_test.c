/* Objects of one series that follow one another, as a CronJob creates them: what becomes of the earlier one,
 * and what the later one knows of it. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define FAULTS_MAX (16 * KIB)
#define LOOKS_PER_HOUR 2 /* of one object at parameters of SSM, for drift */

static const struct object_id nightly = {.kind = OBJECT_REFRESH, .namespace = "staging", .name = "nightly-b"};

struct play;
struct story {
    const char *name;
    const char *manifest_edits[5], *world_edits[3];
    const char *patch; /* of the later object's spec; NULL: it is as the earlier one's */
    bool asks_for_less;
    /* At each version of either object. */
    void (*script)(struct play *play, const struct json *object);
    void (*check)(struct play *play);
    bool may_drift; /* somebody does change something */
};

struct play {
    const struct story *story;
    struct scenario *scenario;
    int scene;
    bool is_speaking;
    char *message;         /* of the earlier object, when it was first superseded */
    int64_t looks, hour_0; /* then */
    char *estimate;        /* when the later object's run is to end, as it was said first */
    struct buf faults;
};

/* --- looking --- */

static struct memory *memory_of(struct play *play)
{
    return scenario_memory(play->scenario);
}

static const struct json *shop_of(struct play *play)
{
    return memory_get(memory_of(play), &scenario_refresh);
}

static const struct json *nightly_of(struct play *play)
{
    return memory_get(memory_of(play), &nightly);
}

static bool is_shop(const struct json *object)
{
    return text_equal(json_get_text(object, "metadata.name", ""), "shop");
}

static const struct json *named(const struct json *list, const char *key, const char *name)
{
    json_each (item, list) {
        if (text_equal(json_get_text(item, key, ""), name))
            return item;
    }
    return NULL;
}

static const char *condition_text(const struct json *object, const char *type, const char *member)
{
    return json_get_text(json_member(named(json_at(object, "status.conditions"), "type", type), member), NULL,
                         "absent");
}

static bool has_succeeded(const struct json *object)
{
    return text_equal(condition_text(object, "Succeeded", "status"), "True");
}

static bool is_superseded(const struct json *object)
{
    return text_equal(condition_text(object, "Ready", "reason"), "Superseded");
}

static const struct json *staging_of(struct play *play)
{
    return named(json_at(scenario_world(play->scenario), "accounts"), "name", "staging");
}

static int64_t looks_at_parameters(struct play *play)
{
    int64_t count = 0;

    json_each (row, scenario_calls(play->scenario)) {
        if (text_equal(json_get_text(row, "operation", ""), "GetParameter"))
            count += json_get_int(row, "count", 0);
    }
    return count;
}

static void want_text(struct play *play, const char *what, const char *got, const char *want)
{
    if (!text_equal(got, want))
        buf_addf(&play->faults, "%s is %s, expected %s\n", what, got ? got : "absent", want);
}

static void want_part(struct play *play, const char *what, const char *got, const char *part)
{
    if (!strstr(got, part))
        buf_addf(&play->faults, "%s: no \"%s\" in \"%s\"\n", what, part, got);
}

/* --- doing --- */

/* What is left open is as the copy in use has it. */
static void ask_for_less(struct json *spec)
{
    static const char *const members[] = {"stream", "timeToLive", "tags"};
    struct json *restore = json_edit(spec, "databases[1].dynamodb.restore");

    for (size_t i = 0; i < COUNT_OF(members); i++)
        json_remove(restore, members[i]);
}

static void create_nightly(struct play *play, const struct json *model)
{
    AUTO_JSON struct json *manifest = json_copy(model);
    AUTO_JSON struct json *patch = NULL;
    AUTO_ERR struct err *err =
        json_parse(str_of(play->story->patch ? play->story->patch : "{}"), NULL, &patch);
    struct json *metadata = json_new_object();

    if (err)
        abort();
    json_set_text(metadata, "name", nightly.name);
    json_set_text(metadata, "namespace", nightly.namespace);
    json_set(manifest, "metadata", metadata);
    json_remove(manifest, "status");
    json_set(manifest, "spec", json_merge_patch(json_copy(json_member(manifest, "spec")), patch));
    if (play->story->asks_for_less)
        ask_for_less(json_edit(manifest, "spec"));
    play->scene++;
    memory_create(memory_of(play), manifest);
}

static void note_superseded(struct play *play, const struct json *object)
{
    if (play->message || !is_shop(object) || !is_superseded(object))
        return;
    play->message = xstrdup(condition_text(object, "Ready", "message"));
    play->looks = looks_at_parameters(play);
    play->hour_0 = sched_now_ms(scenario_sched(play->scenario)) / HOURS(1);
}

static void heard(void *arg, struct scenario *scenario, const struct json *object)
{
    struct play *play = arg;

    play->scenario = scenario;
    if (play->is_speaking || !object)
        return;
    play->is_speaking = true;
    note_superseded(play, object);
    if (!play->story->may_drift && !text_equal(condition_text(object, "Drifted", "status"), "absent"))
        buf_addf(&play->faults, "%s: Drifted: %s\n", json_get_text(object, "metadata.name", ""),
                 condition_text(object, "Drifted", "message"));
    play->story->script(play, object);
    play->is_speaking = false;
}

/* --- a later run --- */

static void follow(struct play *play, const struct json *object)
{
    if (play->scene == 0 && is_shop(object) && has_succeeded(object))
        create_nightly(play, object);
}

static void want_superseded(struct play *play, const struct json *object, const struct json *by)
{
    const char *message = condition_text(object, "Ready", "message");

    want_text(play, "Ready", condition_text(object, "Ready", "status"), "True");
    want_text(play, "its reason", condition_text(object, "Ready", "reason"), "Superseded");
    want_text(play, "phase", json_get_text(object, "status.phase", ""), "Succeeded");
    want_text(play, "Stalled", condition_text(object, "Stalled", "status"), "absent");
    want_text(play, "Reconciling", condition_text(object, "Reconciling", "status"), "absent");
    want_part(play, "its message", message, json_get_text(by, "status.run.id", "no run"));
    want_part(play, "its message", message, json_get_text(by, "metadata.name", "nobody"));
    json_each (copy, json_at(object, "status.copies")) {
        if (text_equal(json_get_text(copy, "role", ""), "InUse") &&
            !text_equal(json_get_text(copy, "runID", ""), json_get_text(by, "status.run.copiesOf", "")))
            buf_addf(&play->faults, "%s is InUse\n", json_get_text(copy, "identifier", ""));
    }
}

static void want_in_use(struct play *play, const struct json *object)
{
    want_text(play, "Ready", condition_text(object, "Ready", "status"), "True");
    want_text(play, "its reason", condition_text(object, "Ready", "reason"), "RunSucceeded");
}

/* Of versions of the status. */
static int64_t changes_since_superseded(struct play *play)
{
    const struct json *before = NULL;
    int64_t changes = 0;

    for (size_t i = 0; i < memory_version_count(memory_of(play), &scenario_refresh); i++) {
        const struct json *version = memory_version(memory_of(play), &scenario_refresh, i);

        if (!version || (!before && !is_superseded(version)))
            continue;
        changes += before && !json_equal(json_member(before, "status"), json_member(version, "status"));
        before = version;
    }
    return changes;
}

static void check_superseded(struct play *play)
{
    int64_t hours = sched_now_ms(scenario_sched(play->scenario)) / HOURS(1) - play->hour_0 + 1;
    int64_t looks = looks_at_parameters(play) - play->looks;

    want_superseded(play, shop_of(play), nightly_of(play));
    want_in_use(play, nightly_of(play));
    if (changes_since_superseded(play))
        buf_addf(&play->faults, "%lld changes after it was superseded\n",
                 (long long)changes_since_superseded(play));
    if (!play->message || looks > hours * LOOKS_PER_HOUR)
        buf_addf(&play->faults, "%lld looks in %lld hours\n", (long long)looks, (long long)hours);
    if (strstr(memory_events(memory_of(play)), "Drifted"))
        buf_adds(&play->faults, "an event tells of drift\n");
}

/* --- staging goes back onto the copies of the earlier one --- */

static void go_back(struct play *play, const struct json *object)
{
    follow(play, object);
    if (play->scene == 1 && is_shop(object) && is_superseded(object)) {
        AUTO_FREE char *patch =
            xasprintf("{\"metadata\":{\"annotations\":{\"stagingrefresh.dev/switch-to\":\"%s\"}}}",
                      json_get_text(object, "status.run.id", ""));

        play->scene++;
        memory_patch(memory_of(play), &scenario_refresh, patch);
    }
}

static void check_back(struct play *play)
{
    if (!json_get_text(shop_of(play), "status.run.copiesOf", NULL))
        buf_adds(&play->faults, "nobody has gone back\n");
    want_in_use(play, shop_of(play));
    want_superseded(play, nightly_of(play), shop_of(play));
}

/* --- a later run that has not switched over --- */

static void change_something(struct play *play, const struct json *object)
{
    follow(play, object);
    if (play->scene == 1 && text_equal(json_get_text(object, "status.phase", ""), "AwaitingApproval")) {
        play->scene++;
        memory_patch(memory_of(play), &scenario_refresh,
                     "{\"status\":{\"run\":{\"spec\":{\"switchover\":{\"parameters\":[{\"name\":\"db-host\","
                     "\"value\":\"elsewhere\",\"ssm\":{\"name\":\"/shop/stg/db_host\"}}]}}}}}");
    }
}

static void check_drifted(struct play *play)
{
    want_in_use(play, shop_of(play));
    want_text(play, "Drifted", condition_text(shop_of(play), "Drifted", "status"), "True");
}

/* --- another run of the earlier one was asked for meanwhile, and never begins --- */

static void ask_in_vain(struct play *play, const struct json *object)
{
    follow(play, object);
    if (play->scene == 1 && text_equal(json_get_text(object, "status.phase", ""), "Restoring")) {
        play->scene++;
        memory_patch(memory_of(play), &scenario_refresh,
                     "{\"spec\":{\"trigger\":\"again\",\"concurrencyPolicy\":\"Forbid\"}}");
    }
}

static void check_forbidden(struct play *play)
{
    const struct json *shop = shop_of(play);

    want_text(play, "Stalled", condition_text(shop, "Stalled", "reason"), "RunForbidden");
    want_text(play, "Ready", condition_text(shop, "Ready", "reason"), "RunForbidden");
    want_part(play, "SwitchedOver", condition_text(shop, "SwitchedOver", "message"), nightly.name);
    want_in_use(play, nightly_of(play));
}

/* --- the later object goes --- */

static void delete_the_later(struct play *play, const struct json *object)
{
    follow(play, object);
    if (play->scene == 1 && is_shop(object) && is_superseded(object)) {
        play->scene++;
        memory_delete(memory_of(play), &nightly);
    }
}

static void check_deleted(struct play *play)
{
    if (nightly_of(play))
        buf_adds(&play->faults, "the later object is still there\n");
    want_text(play, "its reason", condition_text(shop_of(play), "Ready", "reason"), "Superseded");
    want_text(play, "its message", condition_text(shop_of(play), "Ready", "message"), play->message);
}

/* --- what the later object knows of the earlier one's run --- */

/* As long as it has not passed it holds, whatever becomes of the earlier object. */
static void want_estimate(struct play *play, const struct json *object)
{
    const char *estimate = json_get_text(object, "status.progress.estimatedCompletionTime", "absent");
    int64_t expected_ms = 0;

    if (is_shop(object) || !json_at(object, "status.run.id") ||
        json_at(object, "status.run.completionTime") || play->faults.len)
        return;
    if (!play->estimate)
        play->estimate = xstrdup(estimate);
    (void)time_parse(str_of(play->estimate), &expected_ms);
    if (!expected_ms ||
        (text_equal(estimate, "absent") && sched_wall_ms(scenario_sched(play->scenario)) < expected_ms))
        buf_addf(&play->faults, "the end is expected: %s, at first: %s\n", estimate, play->estimate);
    else if (!text_equal(estimate, "absent"))
        want_text(play, "the expected end", estimate, play->estimate);
}

static void follow_with_less(struct play *play, const struct json *object)
{
    follow(play, object);
    want_estimate(play, object);
}

static void want_settings(struct play *play)
{
    const struct json *object = nightly_of(play);
    AUTO_FREE char *name = xasprintf("stg-sessions-%s", json_get_text(object, "status.run.id", ""));
    const struct json *table = named(json_at(staging_of(play), "dynamodb.tables"), "TableName", name);
    AUTO_FREE char *text = table ? json_to_text(table) : xstrdup("no table");

    want_in_use(play, object);
    want_part(play, "the table", text, "\"timeToLive\":\"expires\"");
    want_part(play, "the table", text, "KEYS_ONLY");
    want_part(play, "the table", text, "\"team\":\"shop\"");
    if (strstr(condition_text(object, "Restored", "message"), "no previous copy"))
        buf_adds(&play->faults, "there is no previous copy\n");
}

static void check_less(struct play *play)
{
    check_superseded(play);
    want_settings(play);
    want_part(play, "Backup",
              json_get_text(nightly_of(play), "status.databases[1].steps[0].evidence.expectedMs", ""), "000");
}

/* Its time is over while the later one's copies are being made. */
static void delete_the_earlier(struct play *play, const struct json *object)
{
    follow_with_less(play, object);
    if (play->scene == 1 && !is_shop(object) && json_at(object, "status.run.id")) {
        play->scene++;
        memory_delete(memory_of(play), &scenario_refresh);
    }
}

static void check_alone(struct play *play)
{
    if (shop_of(play))
        buf_adds(&play->faults, "the earlier object is still there\n");
    want_settings(play);
}

/* --- */

#define OPEN "        timeToLive: {attributeName: expires}\n"
#define MORE OPEN "        stream: {viewType: KeysOnly}\n        tags: {team: shop}\n"
#define GRANTS "    - {type: ECSService, names: [shop-stg/web]}\n"
#define SLOW_HOOK                                                                            \
    "{\"hooks\": {\"afterSwitchover\": [{\"name\": \"smoke\", \"stateMachine\": {\"name\": " \
    "\"mask-staging\"}, \"timeout\": \"8h\", \"onFailure\": \"Continue\"}]}}"

static const struct story stories[] = {
    {.name = "a later run", .script = follow, .check = check_superseded},
    {.name = "back onto the earlier copies", .script = go_back, .check = check_back},
    {.name = "a later run that waits",
     .patch = "{\"switchover\": {\"policy\": \"Manual\"}}",
     .script = change_something,
     .check = check_drifted,
     .may_drift = true},
    {.name = "a later run in the middle of its switchover",
     .manifest_edits = {GRANTS, GRANTS "    - {type: StateMachine, names: [\"*\"]}\n"},
     .world_edits = {"takes: 20m", "takes: 3h"},
     .patch = SLOW_HOOK,
     .script = follow,
     .check = check_superseded},
    {.name = "a run in vain, and a later run", .script = ask_in_vain, .check = check_forbidden},
    {.name = "settings and time of the earlier one",
     .manifest_edits = {OPEN, MORE},
     .asks_for_less = true,
     .script = follow_with_less,
     .check = check_less},
    {.name = "the earlier object goes",
     .manifest_edits = {OPEN, MORE},
     .asks_for_less = true,
     .script = delete_the_earlier,
     .check = check_alone},
    {.name = "the later object goes", .script = delete_the_later, .check = check_deleted},
};

static char *play_story(uint64_t seed, void *arg UNUSED)
{
    struct play play = {.story = &stories[seed % COUNT_OF(stories)], .faults = BUF_MAX(FAULTS_MAX)};
    AUTO_VARIANT struct variant variant = {0};
    AUTO_SCENARIO struct scenario *scenario = NULL;
    const char *world[COUNT_OF(variant.edits) + COUNT_OF(play.story->world_edits)] = {0};
    char *faults = NULL;

    variant_init(&variant, seed);
    memcpy(world, variant.edits, sizeof(variant.edits));
    memcpy(world + 4, play.story->world_edits, sizeof(play.story->world_edits));
    variant.opts.world_edits = world;
    variant.opts.on_write = heard;
    variant.opts.on_write_arg = &play;
    variant.opts.settle_ms = HOURS(8);
    if (play.story->manifest_edits[0])
        variant.opts.manifest_edits = play.story->manifest_edits;
    if (seed / COUNT_OF(stories) % 2)
        variant_add_crashes(&variant, 700);
    scenario = scenario_new(&variant.opts);
    play.scenario = scenario;
    scenario_run(scenario);
    play.story->check(&play);
    if (play.faults.len)
        faults = xasprintf("%s: %s", play.story->name, buf_text(&play.faults));
    buf_done(&play.faults);
    xfree(play.message);
    xfree(play.estimate);
    return faults;
}

static void objects_that_follow_one_another(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "succession",
                                          .first = 0,
                                          .count = 10 * COUNT_OF(stories),
                                          .kind = SEEDS_MANY,
                                          .check = play_story}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, objects_that_follow_one_another);
    return tests_run(&tests, "succession");
}
