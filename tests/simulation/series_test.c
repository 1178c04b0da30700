/* Runs of one series that meet, and objects whose time is over. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define FAULTS_MAX (16 * KIB)

static const struct object_id nightly = {.kind = OBJECT_REFRESH, .namespace = "staging", .name = "nightly-b"};

struct play;
struct story {
    const char *name;
    const char *manifest_edits[7];
    /* At each version of the object "shop", and of none other. */
    void (*script)(struct play *play, const struct json *object);
    void (*check)(struct play *play);
    const char *gives_up; /* the patch by which a wish that is about to begin is given up */
};

struct play {
    const struct story *story;
    struct scenario *scenario;
    int scene;
    bool is_speaking;
    char *first_run;
    struct buf faults;
};

/* --- doing --- */

static struct memory *memory_of(struct play *play)
{
    return scenario_memory(play->scenario);
}

/* Another object of the series, as a CronJob would create it. */
static void create_nightly(struct play *play, const struct json *model, const char *spec_patch)
{
    AUTO_JSON struct json *manifest = json_copy(model);
    AUTO_JSON struct json *patch = NULL;
    AUTO_ERR struct err *err = json_parse(str_of(spec_patch), NULL, &patch);
    struct json *metadata = json_new_object();

    if (err)
        abort();
    json_set_text(metadata, "name", nightly.name);
    json_set_text(metadata, "namespace", nightly.namespace);
    json_set(manifest, "metadata", metadata);
    json_remove(manifest, "status");
    json_set_text(json_edit(manifest, "spec"), "series", "shop");
    json_set(manifest, "spec", json_merge_patch(json_copy(json_member(manifest, "spec")), patch));
    play->scene++;
    memory_create(memory_of(play), manifest);
}

static void edit_shop(struct play *play, const char *patch)
{
    play->scene++;
    memory_patch(memory_of(play), &scenario_refresh, patch);
}

static void heard(void *arg, struct scenario *scenario, const struct json *object)
{
    struct play *play = arg;
    const char *run = json_get_text(object, "status.run.id", NULL);

    play->scenario = scenario;
    if (play->is_speaking || !object || !text_equal(json_get_text(object, "metadata.name", ""), "shop"))
        return;
    if (run && !play->first_run)
        play->first_run = xstrdup(run);
    play->is_speaking = true;
    if (play->story->script)
        play->story->script(play, object);
    play->is_speaking = false;
}

/* --- looking --- */

static const char *condition_text(const struct json *object, const char *type, const char *member)
{
    json_each (condition, json_at(object, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), type))
            return json_get_text(condition, member, "");
    }
    return "absent";
}

static bool is_copying(const struct json *object)
{
    json_each (step, json_at(object, "status.databases[0].steps")) {
        if (text_equal(json_get_text(step, "name", ""), "Copy"))
            return text_equal(json_get_text(step, "state", ""), "Running");
    }
    return false;
}

static void want_text(struct play *play, const char *what, const char *got, const char *want)
{
    if (!text_equal(got, want))
        buf_addf(&play->faults, "%s is %s, expected %s\n", what, got ? got : "absent",
                 want ? want : "absent");
}

static void want_part(struct play *play, const char *what, const char *got, const char *part)
{
    if (!strstr(got, part))
        buf_addf(&play->faults, "%s: no \"%s\" in \"%s\"\n", what, part, got);
}

static void want_number(struct play *play, const char *what, int64_t got, int64_t want)
{
    if (got != want)
        buf_addf(&play->faults, "%s: %lld, expected %lld\n", what, (long long)got, (long long)want);
}

static const struct json *shop_of(struct play *play)
{
    return memory_get(memory_of(play), &scenario_refresh);
}

static const struct json *nightly_of(struct play *play)
{
    return memory_get(memory_of(play), &nightly);
}

static int64_t backups(struct play *play)
{
    return journal_count(scenario_journal(play->scenario), "StartBackupJob", "created");
}

/* --- Forbid --- */

static void create_forbidding(struct play *play, const struct json *object)
{
    if (play->scene == 0 && is_copying(object))
        create_nightly(play, object, "{\"concurrencyPolicy\": \"Forbid\"}");
}

static void check_forbidden(struct play *play)
{
    const struct json *object = nightly_of(play);

    want_text(play, "shop", condition_text(shop_of(play), "Succeeded", "status"), "True");
    want_text(play, "reason", condition_text(object, "Stalled", "reason"), "RunForbidden");
    want_part(play, "message", condition_text(object, "Stalled", "message"), play->first_run);
    want_text(play, "its run", json_get_text(object, "status.run.id", NULL), NULL);
    want_text(play, "its trigger", json_get_text(object, "status.lastHandledTrigger", NULL),
              json_get_text(object, "spec.trigger", ""));
    want_number(play, "backups", backups(play), 2);
}

static void ask_again(struct play *play, const struct json *object)
{
    if (play->scene == 0 && is_copying(object))
        edit_shop(play, "{\"spec\": {\"trigger\": \"again\"}}");
}

static void check_forbidden_again(struct play *play)
{
    want_text(play, "shop", condition_text(shop_of(play), "Succeeded", "status"), "True");
    want_text(play, "run", json_get_text(shop_of(play), "status.run.id", NULL), play->first_run);
    want_text(play, "trigger", json_get_text(shop_of(play), "status.lastHandledTrigger", NULL), "again");
    want_part(play, "events", memory_events(memory_of(play)), "RunForbidden");
    want_number(play, "backups", backups(play), 2);
}

/* --- Replace --- */

static void create_replacing(struct play *play, const struct json *object)
{
    if (play->scene == 0 && is_copying(object))
        create_nightly(play, object, "{\"concurrencyPolicy\": \"Replace\"}");
}

static void check_replaced(struct play *play)
{
    want_text(play, "shop", condition_text(shop_of(play), "Succeeded", "reason"), "Cancelled");
    want_text(play, "nightly", condition_text(nightly_of(play), "Succeeded", "status"), "True");
    want_part(play, "events", memory_events(memory_of(play)), "nightly-b asks for another run in its place");
    want_text(play, "shop's run", json_get_text(shop_of(play), "status.run.id", NULL), play->first_run);
}

static void check_replaced_by_itself(struct play *play)
{
    const char *run = json_get_text(shop_of(play), "status.run.id", "");

    want_text(play, "shop", condition_text(shop_of(play), "Succeeded", "status"), "True");
    if (text_equal(run, play->first_run))
        buf_adds(&play->faults, "the first run was not replaced\n");
    want_part(play, "events", memory_events(memory_of(play)), "RunReplaced");
    want_text(play, "trigger", json_get_text(shop_of(play), "status.lastHandledTrigger", NULL), "again");
}

/* --- Queue --- */

static void create_queueing(struct play *play, const struct json *object)
{
    if (play->scene == 0 && is_copying(object))
        create_nightly(play, object, "{\"concurrencyPolicy\": \"Queue\"}");
}

static void check_queued(struct play *play)
{
    want_text(play, "shop", condition_text(shop_of(play), "Succeeded", "status"), "True");
    want_text(play, "nightly", condition_text(nightly_of(play), "Succeeded", "status"), "True");
    want_number(play, "backups", backups(play), 4);
}

/* --- time is over --- */

static void create_forbidding_briefly(struct play *play, const struct json *object)
{
    if (play->scene == 0 && is_copying(object))
        create_nightly(play, object, "{\"concurrencyPolicy\": \"Forbid\", \"ttlSecondsAfterFinished\": 60}");
}

static void check_forbidden_expired(struct play *play)
{
    want_text(play, "shop", condition_text(shop_of(play), "Succeeded", "status"), "True");
    if (nightly_of(play))
        buf_adds(&play->faults, "the refused object is still there\n");
}

static void check_managed(struct play *play)
{
    want_text(play, "reason", condition_text(shop_of(play), "Stalled", "reason"), "ExpiryRefused");
    want_part(play, "message", condition_text(shop_of(play), "Stalled", "message"), "Argo CD");
    want_number(play, "backups", backups(play), 0);
}

/* --- what was said of a wish that is gone --- */

static void wish_in_vain(struct play *play, const struct json *object)
{
    const char *phase = json_get_text(object, "status.phase", "");

    if (play->scene == 0 && text_equal(phase, "Succeeded"))
        edit_shop(play, "{\"spec\": {\"trigger\": \"again\", \"sourceRef\": {\"name\": \"nobody\"}}}");
    else if (play->scene == 1 && text_equal(phase, "Stalled"))
        edit_shop(play, "{\"spec\": {\"trigger\": null, \"sourceRef\": {\"name\": \"production\"}}}");
}

static void check_wish_forgotten(struct play *play)
{
    want_number(play, "scenes", play->scene, 2);
    want_text(play, "phase", json_get_text(shop_of(play), "status.phase", ""), "Succeeded");
    want_text(play, "Ready", condition_text(shop_of(play), "Ready", "status"), "True");
    want_text(play, "Stalled", condition_text(shop_of(play), "Stalled", "status"), "absent");
}

/* --- a wish while nothing may begin --- */

static void wish_while_suspended(struct play *play, const struct json *object)
{
    const char *phase = json_get_text(object, "status.phase", "");

    if (play->scene == 0 && text_equal(phase, "Succeeded")) {
        edit_shop(play, "{\"spec\": {\"trigger\": \"again\", \"suspend\": true}}");
    } else if (play->scene == 1 && text_equal(phase, "Suspended")) {
        want_text(play, "Ready for a wish", condition_text(object, "Ready", "status"), "Unknown");
        want_text(play, "its reason", condition_text(object, "Ready", "reason"), "Suspended");
        edit_shop(play, "{\"spec\": {\"trigger\": \"2026-11-22\"}}");
    }
}

static void check_suspended(struct play *play)
{
    want_number(play, "scenes", play->scene, 2);
    want_number(play, "backups", backups(play), 2);
    want_text(play, "Ready", condition_text(shop_of(play), "Ready", "status"), "True");
}

/* --- a wish that is given up just before it begins --- */

static void give_up_wish(struct play *play, const struct json *object)
{
    const char *phase = json_get_text(object, "status.phase", "");

    if (play->scene == 0 && text_equal(phase, "Succeeded")) {
        edit_shop(play, "{\"spec\": {\"trigger\": \"again\"}}");
    } else if (play->scene == 1 && text_equal(phase, "Pending")) {
        create_nightly(play, object, "{}");
        edit_shop(play, play->story->gives_up);
    }
}

/* The series is free for another object. */
static void check_given_up(struct play *play)
{
    const char *run = json_get_text(shop_of(play), "status.run.id", "");

    want_number(play, "scenes", play->scene, 3);
    if (text_equal(run, play->first_run)) /* else it has begun before it could see that */
        want_text(play, "nightly", condition_text(nightly_of(play), "Succeeded", "status"), "True");
}

/* --- */

#define SHOP_POLICY "concurrencyPolicy: Queue"
#define SHOP_DELETION "deletionPolicy: Retain"
#define SHOP_NAME "name: shop\n  namespace: staging"

static const struct story stories[] = {
    {.name = "another object's run is forbidden", .script = create_forbidding, .check = check_forbidden},
    {.name = "a run of its own is forbidden",
     .manifest_edits = {SHOP_DELETION, SHOP_DELETION "\n  concurrencyPolicy: Forbid"},
     .script = ask_again,
     .check = check_forbidden_again},
    {.name = "replaced by another object's run", .script = create_replacing, .check = check_replaced},
    {.name = "replaced by a run of its own",
     .manifest_edits = {SHOP_DELETION, SHOP_DELETION "\n  concurrencyPolicy: Replace"},
     .script = ask_again,
     .check = check_replaced_by_itself},
    {.name = "another object's run waits", .script = create_queueing, .check = check_queued},
    {.name = "the time of a refused one is over",
     .script = create_forbidding_briefly,
     .check = check_forbidden_expired},
    {.name = "its time must not end",
     .manifest_edits = {SHOP_DELETION, SHOP_DELETION "\n  ttlSecondsAfterFinished: 3600", SHOP_NAME,
                        SHOP_NAME "\n  annotations: {argocd.argoproj.io/tracking-id: \"shop:x\"}"},
     .check = check_managed},
    {.name = "a wish in vain", .script = wish_in_vain, .check = check_wish_forgotten},
    {.name = "a wish while suspended", .script = wish_while_suspended, .check = check_suspended},
    {.name = "a wish suspended on its way",
     .script = give_up_wish,
     .gives_up = "{\"spec\": {\"suspend\": true}}",
     .check = check_given_up},
    {.name = "a wish taken back on its way",
     .script = give_up_wish,
     .gives_up = "{\"spec\": {\"trigger\": \"2026-11-22\"}}",
     .check = check_given_up},
    {.name = "a wish made invalid on its way",
     .script = give_up_wish,
     .gives_up = "{\"spec\": {\"databases\": []}}",
     .check = check_given_up},
    {.name = "a wish not granted on its way",
     .script = give_up_wish,
     .gives_up = "{\"spec\": {\"switchover\": {\"proxies\": [{\"name\": \"x\", \"database\": \"main\"}]}}}",
     .check = check_given_up},
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
    variant.opts.settle_ms = HOURS(6);
    variant.opts.deadline_ms = HOURS(10);
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
    xfree(play.first_run);
    return faults;
}

static void runs_that_meet(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "series",
                                          .first = 0,
                                          .count = 40 * COUNT_OF(stories),
                                          .kind = SEEDS_MANY,
                                          .check = play_story}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, runs_that_meet);
    return tests_run(&tests, "series");
}
