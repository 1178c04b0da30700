/* Objects of one series that wait: those that a younger one makes pointless, and whose turn it is. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define FAULTS_MAX (16 * KIB)

struct play;
struct story {
    const char *name;
    const char *manifest_edits[3];
    void (*script)(struct play *play, const struct json *object);
    void (*check)(struct play *play);
};

struct play {
    const struct story *story;
    struct scenario *scenario;
    int scene;
    bool is_speaking;
    struct json *model;   /* the object "shop" as it was made */
    struct json *account; /* that is away */
    struct buf faults;
};

static const struct object_id production = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "production"};

static struct object_id id_of(const char *name)
{
    return (struct object_id){.kind = OBJECT_REFRESH, .namespace = "staging", .name = name};
}

static struct memory *memory_of(struct play *play)
{
    return scenario_memory(play->scenario);
}

/* Another object of the series, as a CronJob would create it. */
static void create(struct play *play, const char *name, const char *status)
{
    AUTO_JSON struct json *manifest = json_copy(play->model);
    struct json *metadata = json_new_object(), *value = NULL;
    AUTO_ERR struct err *err = status ? json_parse(str_of(status), NULL, &value) : NULL;

    if (err)
        abort();
    json_set_text(metadata, "name", name);
    json_set_text(metadata, "namespace", "staging");
    json_set(manifest, "metadata", metadata);
    json_set_text(json_edit(manifest, "spec"), "series", "shop");
    json_set(manifest, "status", value);
    memory_create(memory_of(play), manifest);
}

static void heard(void *arg, struct scenario *scenario, const struct json *object)
{
    struct play *play = arg;

    play->scenario = scenario;
    if (play->is_speaking || !object)
        return;
    play->is_speaking = true;
    if (!play->model)
        play->model = json_copy(object);
    play->story->script(play, object);
    play->is_speaking = false;
}

static const char *condition_text(const struct json *object, const char *type, const char *member)
{
    json_each (condition, json_at(object, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), type))
            return json_get_text(condition, member, "");
    }
    return "absent";
}

static void want_text(struct play *play, const char *what, const char *got, const char *want)
{
    if (!text_equal(got, want))
        buf_addf(&play->faults, "%s is %s, expected %s\n", what, got, want);
}

/* The last version that there was, of an object that may be gone by now. */
static const struct json *last_of(struct play *play, const char *name)
{
    const struct object_id id = id_of(name);

    for (size_t i = memory_version_count(memory_of(play), &id); i-- > 0;) {
        const struct json *version = memory_version(memory_of(play), &id, i);

        if (version)
            return version;
    }
    return NULL;
}

/* --- three nights in vain: an account is not there --- */

static void second_night(void *arg, struct scenario *scenario UNUSED)
{
    create(arg, "nightly-b", NULL);
}

static void third_night(void *arg, struct scenario *scenario UNUSED)
{
    create(arg, "nightly-a", NULL); /* age counts, not the name */
}

static void put_right(void *arg, struct scenario *scenario UNUSED)
{
    struct play *play = arg;

    json_remove(play->account, "status");
    memory_create(memory_of(play), play->account);
}

static void wait_in_vain(struct play *play, const struct json *object UNUSED)
{
    if (play->scene++)
        return;
    play->account = json_copy(memory_get(memory_of(play), &production));
    memory_delete(memory_of(play), &production);
    scenario_later(play->scenario, HOURS(1), second_night, play);
    scenario_later(play->scenario, HOURS(2), third_night, play);
    scenario_later(play->scenario, HOURS(3), put_right, play);
}

static void check_one_run(struct play *play)
{
    static const char *const in_vain[] = {"shop", "nightly-b"};

    for (size_t i = 0; i < COUNT_OF(in_vain); i++) {
        const struct object_id id = id_of(in_vain[i]);

        want_text(play, in_vain[i], condition_text(last_of(play, in_vain[i]), "Stalled", "reason"),
                  "Superseded");
        if (memory_get(memory_of(play), &id))
            buf_addf(&play->faults, "%s is still there\n", in_vain[i]);
        if (json_at(last_of(play, in_vain[i]), "status.run"))
            buf_addf(&play->faults, "%s has run\n", in_vain[i]);
    }
    want_text(play, "the youngest", condition_text(last_of(play, "nightly-a"), "Succeeded", "status"),
              "True");
    if (journal_count(scenario_journal(play->scenario), "StartBackupJob", "created") != 2)
        buf_adds(&play->faults, "there was not one run\n");
}

/* --- turns go by age --- */

#define RAN_BEFORE                                                                                         \
    "{\"lastHandledTrigger\":\"before\",\"run\":{\"id\":\"20261101-000000-aaaaa\",\"attempt\":1,"          \
    "\"startTime\":\"2026-11-01T00:00:00Z\",\"completionTime\":\"2026-11-01T01:00:00Z\"},\"conditions\":[" \
    "{\"type\":\"Succeeded\",\"status\":\"True\",\"reason\":\"RunSucceeded\",\"message\":\"\","            \
    "\"observedGeneration\":1,\"lastTransitionTime\":\"2026-11-01T01:00:00Z\"}]}"

static void create_older(void *arg, struct scenario *scenario UNUSED)
{
    create(arg, "zeta", RAN_BEFORE);
}

static void create_younger(void *arg, struct scenario *scenario UNUSED)
{
    create(arg, "alpha", RAN_BEFORE);
}

static void queue_up(struct play *play, const struct json *object)
{
    if (play->scene || !text_equal(json_get_text(object, "status.phase", ""), "Copying"))
        return;
    play->scene++;
    scenario_later(play->scenario, SECONDS(1), create_older, play);
    scenario_later(play->scenario, SECONDS(4), create_younger, play);
}

static void check_turns(struct play *play)
{
    const char *first = json_get_text(last_of(play, "zeta"), "status.run.startTime", ""),
               *second = json_get_text(last_of(play, "alpha"), "status.run.startTime", "");

    want_text(play, "zeta", condition_text(last_of(play, "zeta"), "Succeeded", "status"), "True");
    want_text(play, "alpha", condition_text(last_of(play, "alpha"), "Succeeded", "status"), "True");
    if (strcmp(first, second) >= 0)
        buf_addf(&play->faults, "the older began at %s, the younger at %s\n", first, second);
    if (journal_count(scenario_journal(play->scenario), "StartBackupJob", "created") != 6)
        buf_adds(&play->faults, "there were not three runs\n");
}

/* --- a trigger after one that was superseded --- */

static void create_ad_hoc(void *arg, struct scenario *scenario UNUSED)
{
    create(arg, "ad-hoc", NULL);
}

static void edit(struct play *play, const char *patch)
{
    const struct object_id id = id_of("shop");

    play->scene++;
    memory_patch(memory_of(play), &id, patch);
}

/* Somebody's run comes and goes while the object that Git owns is suspended. */
static void ask_again(struct play *play, const struct json *object)
{
    const char *name = json_get_text(object, "metadata.name", "");

    if (play->scene == 0) {
        play->scene++;
        json_remove(json_edit(play->model, "spec"), "suspend");
        scenario_later(play->scenario, SECONDS(1), create_ad_hoc, play);
    } else if (play->scene == 1 && text_equal(name, "ad-hoc") &&
               json_at(object, "status.run.completionTime")) {
        edit(play, "{\"spec\":{\"suspend\":false}}");
    } else if (play->scene == 2 && text_equal(condition_text(object, "Stalled", "reason"), "Superseded")) {
        edit(play, "{\"spec\":{\"trigger\":\"again\"}}");
    }
}

static void check_asked_again(struct play *play)
{
    want_text(play, "ad-hoc", condition_text(last_of(play, "ad-hoc"), "Succeeded", "status"), "True");
    want_text(play, "shop", condition_text(last_of(play, "shop"), "Succeeded", "status"), "True");
    want_text(play, "its trigger", json_get_text(last_of(play, "shop"), "status.run.trigger", ""), "again");
    if (play->scene != 3)
        buf_addf(&play->faults, "it came as far as scene %d\n", play->scene);
    if (journal_count(scenario_journal(play->scenario), "StartBackupJob", "created") != 4)
        buf_adds(&play->faults, "there were not two runs\n");
}

#define DELETION "deletionPolicy: Retain"

static const struct story stories[] = {
    {.name = "three nights in vain",
     .manifest_edits = {DELETION, DELETION "\n  ttlSecondsAfterFinished: 21600"},
     .script = wait_in_vain,
     .check = check_one_run},
    {.name = "turns go by age", .script = queue_up, .check = check_turns},
    {.name = "another trigger asks again",
     .manifest_edits = {DELETION, DELETION "\n  suspend: true"},
     .script = ask_again,
     .check = check_asked_again},
};

static char *play_story(uint64_t seed, void *arg UNUSED)
{
    struct play play = {.story = &stories[seed % COUNT_OF(stories)], .faults = BUF_MAX(FAULTS_MAX)};
    AUTO_VARIANT struct variant variant = {0};
    AUTO_SCENARIO struct scenario *scenario = NULL;
    char *faults = NULL;

    variant_init(&variant, seed);
    variant.opts.on_write = heard;
    variant.opts.on_write_arg = &play;
    variant.opts.settle_ms = HOURS(12);
    if (play.story->manifest_edits[0])
        variant.opts.manifest_edits = play.story->manifest_edits;
    if (seed / COUNT_OF(stories) % 2)
        variant_add_crashes(&variant, 300);
    scenario = scenario_new(&variant.opts);
    play.scenario = scenario;
    scenario_run(scenario);
    play.story->check(&play);
    if (play.faults.len)
        faults = xasprintf("%s: %s", play.story->name, buf_text(&play.faults));
    buf_done(&play.faults);
    json_free(play.model);
    json_free(play.account);
    return faults;
}

static void the_youngest_and_the_longest_waiting(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "line",
                                          .first = 0,
                                          .count = 20 * COUNT_OF(stories),
                                          .kind = SEEDS_MANY,
                                          .check = play_story}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, the_youngest_and_the_longest_waiting);
    return tests_run(&tests, "line");
}
