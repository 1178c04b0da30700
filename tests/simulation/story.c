#include "tests/simulation/story.h"

#include <stdarg.h>

#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define FAULTS_MAX (16 * KIB)
#define WORLD_EDITS_MAX 10

void add_fault(struct play *play, const char *format, ...)
{
    va_list args;
    AUTO_FREE char *text = NULL;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    buf_addf(&play->faults, "scene %d: %s\n", play->scene, text);
}

void want_named(struct play *play, const char *what, bool holds)
{
    if (!holds)
        add_fault(play, "it is not so: %s", what);
}

void want_text_named(struct play *play, const char *what, const char *got, const char *wanted)
{
    if (!text_equal(got, wanted))
        add_fault(play, "%s is \"%s\", expected \"%s\"", what, got ? got : "(none)",
                  wanted ? wanted : "(none)");
}

void want_part_named(struct play *play, const char *what, const char *got, const char *part)
{
    if (!strstr(got, part))
        add_fault(play, "%s: no \"%s\" in \"%s\"", what, part, got);
}

void want_number_named(struct play *play, const char *what, int64_t got, int64_t wanted)
{
    if (got != wanted)
        add_fault(play, "%s is %lld, expected %lld", what, (long long)got, (long long)wanted);
}

/* --- speaking --- */

const struct object_id story_target = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "staging"};

struct object_id refresh_id(const char *name)
{
    return (struct object_id){.kind = OBJECT_REFRESH, .namespace = "staging", .name = name};
}

struct memory *memory_of(struct play *play)
{
    return scenario_memory(play->scenario);
}

void speak(struct play *play, const char *name, const char *value)
{
    AUTO_FREE char *patch =
        xasprintf("{\"metadata\":{\"annotations\":{\"stagingrefresh.dev/%s\":\"%s\"}}}", name, value);

    edit(play, patch);
}

void edit(struct play *play, const char *patch)
{
    play->scene++;
    memory_patch(memory_of(play), &scenario_refresh, patch);
}

void edit_target(struct play *play, const char *patch)
{
    play->scene++;
    memory_patch(memory_of(play), &story_target, patch);
}

void create_refresh(struct play *play, const char *name, const char *patch_text)
{
    AUTO_JSON struct json *manifest = json_copy(play->model);
    AUTO_JSON struct json *patch = NULL;
    AUTO_ERR struct err *err = json_parse(str_of(patch_text), NULL, &patch);
    struct json *metadata = json_new_object();

    if (err)
        abort();
    json_set_text(metadata, "name", name);
    json_set_text(metadata, "namespace", "staging");
    json_set(manifest, "metadata", metadata);
    json_remove(manifest, "status");
    manifest = json_merge_patch(manifest, patch);
    play->scene++;
    memory_create(memory_of(play), manifest);
}

void delete_refresh(struct play *play, const char *name)
{
    const struct object_id id = refresh_id(name);

    play->scene++;
    memory_delete(memory_of(play), &id);
}

static void note_end(struct play *play, const struct json *object)
{
    const char *run = json_get_text(object, "status.run.id", "");

    if (has_ended(object) && play->run_count < RUNS_MAX &&
        !(play->run_count && text_equal(play->runs[play->run_count - 1], run)))
        play->runs[play->run_count++] = xstrdup(run);
}

static void heard(void *arg, struct scenario *scenario, const struct json *object)
{
    struct play *play = arg;

    play->scenario = scenario;
    if (!play->model)
        play->model = json_copy(object);
    if (play->is_speaking)
        return;
    note_end(play, object);
    if (!play->story->script)
        return;
    play->is_speaking = true;
    play->story->script(play, object);
    play->is_speaking = false;
}

/* --- looking --- */

bool phase_is(const struct json *object, const char *phase)
{
    return text_equal(json_get_text(object, "status.phase", ""), phase);
}

bool has_run(const struct json *object)
{
    return json_at(object, "status.run.id") != NULL;
}

bool has_ended(const struct json *object)
{
    return json_at(object, "status.run.completionTime") != NULL;
}

const struct json *refresh_of(struct play *play, const char *name)
{
    const struct object_id id = refresh_id(name);

    return memory_get(memory_of(play), &id);
}

const struct json *first_version(struct play *play, const char *name,
                                 bool (*holds)(const struct json *version))
{
    const struct object_id id = refresh_id(name);

    for (size_t i = 0; i < memory_version_count(memory_of(play), &id); i++) {
        const struct json *version = memory_version(memory_of(play), &id, i);

        if (version && holds(version))
            return version;
    }
    return NULL;
}

const struct json *last_version(struct play *play, const struct object_id *id)
{
    for (size_t i = memory_version_count(memory_of(play), id); i-- > 0;) {
        const struct json *version = memory_version(memory_of(play), id, i);

        if (version)
            return version;
    }
    return NULL;
}

const struct json *named(const struct json *list, const char *key, const char *name)
{
    json_each (item, list) {
        if (text_equal(json_get_text(item, key, ""), name))
            return item;
    }
    return NULL;
}

const char *row_text(const struct json *object, const char *row, const char *member)
{
    return json_get_text(json_member(named(json_at(object, "status.switchover.steps"), "name", row), member),
                         NULL, "");
}

const char *role_of(const struct json *object, const char *run)
{
    return json_get_text(named(json_at(object, "status.copies"), "runID", run), "role", "none");
}

const char *condition_text(const struct json *object, const char *type, const char *member)
{
    return json_get_text(json_member(named(json_at(object, "status.conditions"), "type", type), member), NULL,
                         "");
}

const struct json *staging_of(struct play *play)
{
    return named(json_at(scenario_world(play->scenario), "accounts"), "name", "staging");
}

const char *proxy_target(struct play *play)
{
    return json_get_text(named(json_at(staging_of(play), "rds.proxies"), "name", "shop-stg"), "target",
                         "none");
}

const char *parameter(struct play *play, const char *name)
{
    return json_get_text(named(json_at(staging_of(play), "ssm.parameters"), "name", name), "value", "none");
}

int64_t count(struct play *play, const char *operation, const char *effect)
{
    return journal_count(scenario_journal(play->scenario), operation, effect);
}

const char *events(struct play *play)
{
    return memory_events(memory_of(play));
}

void expect_staging_as_before(struct play *play)
{
    want_text(play, proxy_target(play), OLD_CLUSTER);
    want_text(play, parameter(play, "/shop/stg/sessions_table"), "stg-sessions-20261022-030000-p3c8d");
    want_part(play, parameter(play, "/shop/stg/db_host"), OLD_CLUSTER);
}

void expect_staging_on(struct play *play, const char *run)
{
    AUTO_FREE char *cluster = xasprintf("shop-stg-%s", run);
    AUTO_FREE char *table = xasprintf("stg-sessions-%s", run);

    want_text(play, proxy_target(play), cluster);
    want_text(play, parameter(play, "/shop/stg/sessions_table"), table);
    want_part(play, parameter(play, "/shop/stg/db_host"), cluster);
}

void check_succeeded(struct play *play, const struct json *object)
{
    want_text(play, condition_text(object, "Succeeded", "status"), "True");
    expect_staging_on(play, json_get_text(object, "status.run.id", ""));
}

/* --- playing --- */

static size_t join(const char **edits, size_t count, const char *const *more)
{
    for (; more && *more; more++) {
        if (count + 1 == WORLD_EDITS_MAX)
            abort();
        edits[count++] = *more;
    }
    return count;
}

static void play_through(struct play *play, const struct scenario_opts *wanted)
{
    const struct story *story = play->story;
    const char *world_edits[WORLD_EDITS_MAX] = {0};
    struct scenario_opts opts = *wanted;

    join(world_edits, join(world_edits, 0, opts.world_edits), story->world_edits);
    opts.world_edits = world_edits;
    opts.manifest_edits = story->edits;
    opts.faults = story->faults;
    if (story->settle_ms)
        opts.settle_ms = story->settle_ms;
    if (story->deadline_ms)
        opts.deadline_ms = story->deadline_ms;
    opts.on_write = heard;
    opts.on_write_arg = play;
    play->scenario = scenario_new(&opts);
    scenario_run(play->scenario);
    story->check(play, scenario_object(play->scenario));
}

/* What is wrong, yours. */
static char *play_done(struct play *play)
{
    char *faults = play->faults.len ? xasprintf("%s: %s", play->story->name, buf_text(&play->faults)) : NULL;

    scenario_free(play->scenario);
    json_free(play->model);
    for (size_t i = 0; i < play->run_count; i++)
        xfree(play->runs[i]);
    buf_done(&play->faults);
    return faults;
}

static struct play new_play(const struct story *story, void *notes)
{
    return (struct play){.story = story, .notes = notes, .faults = BUF_MAX(FAULTS_MAX)};
}

void story_plays(void **state)
{
    struct play play = new_play(*state, NULL);

    play_through(&play, &(struct scenario_opts){.seed = 5});
    want(&play, scenario_has_ended(play.scenario));
    AUTO_FREE char *faults = play_done(&play);
    assert_text_equal(faults, NULL);
}

char *story_play(const struct story *story, const struct scenario_opts *opts, void *notes)
{
    struct play play = new_play(story, notes);

    play_through(&play, opts);
    return play_done(&play);
}

static char *play_seed(uint64_t seed, void *arg)
{
    const struct stories *stories = arg;
    AUTO_VARIANT struct variant variant = {0};
    AUTO_FREE void *notes = stories->notes_size ? xcalloc(1, stories->notes_size) : NULL;

    variant_init(&variant, seed);
    variant.opts.settle_ms = stories->settle_ms;
    variant.opts.deadline_ms = stories->deadline_ms;
    if (seed / stories->count % 2)
        variant_add_crashes(&variant, stories->crash_calls ? stories->crash_calls : 300);
    return story_play(&stories->items[seed % stories->count], &variant.opts, notes);
}

bool stories_play(const struct stories *stories)
{
    return seeds_run(&(struct seeds){.name = stories->name,
                                     .first = 0,
                                     .count = stories->rounds * stories->count,
                                     .kind = SEEDS_MANY,
                                     .check = play_seed,
                                     .arg = (void *)(uintptr_t)stories});
}
