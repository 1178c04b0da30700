#include "tests/simulation/story.h"

#include "tests/testing/assertions.h"

void want(struct play *play, bool holds)
{
    if (!holds && !play->fault)
        play->fault = xasprintf("scene %d: something does not hold", play->scene);
}

void want_text(struct play *play, const char *got, const char *wanted)
{
    if (!text_equal(got, wanted) && !play->fault)
        play->fault = xasprintf("scene %d: \"%s\", expected \"%s\"", play->scene, got, wanted);
}

void want_part(struct play *play, const char *got, const char *part)
{
    if (!strstr(got, part) && !play->fault)
        play->fault = xasprintf("scene %d: no \"%s\" in \"%s\"", play->scene, part, got);
}

void want_number(struct play *play, int64_t got, int64_t wanted)
{
    if (got != wanted && !play->fault)
        play->fault =
            xasprintf("scene %d: %lld, expected %lld", play->scene, (long long)got, (long long)wanted);
}

/* --- speaking --- */

void speak(struct play *play, const char *name, const char *value)
{
    AUTO_FREE char *patch =
        xasprintf("{\"metadata\":{\"annotations\":{\"stagingrefresh.dev/%s\":\"%s\"}}}", name, value);

    play->scene++;
    memory_patch(scenario_memory(play->scenario), &scenario_refresh, patch);
}

void edit(struct play *play, const char *patch)
{
    play->scene++;
    memory_patch(scenario_memory(play->scenario), &scenario_refresh, patch);
}

const struct object_id story_target = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "staging"};

void edit_target(struct play *play, const char *patch)
{
    play->scene++;
    memory_patch(scenario_memory(play->scenario), &story_target, patch);
}

static void heard(void *arg, struct scenario *scenario, const struct json *object)
{
    struct play *play = arg;
    const char *run = json_get_text(object, "status.run.id", "");

    play->scenario = scenario;
    if (play->is_speaking || !play->story->script)
        return;
    if (json_at(object, "status.run.completionTime") && play->run_count < RUNS_MAX &&
        !(play->run_count && text_equal(play->runs[play->run_count - 1], run)))
        play->runs[play->run_count++] = xstrdup(run);
    play->is_speaking = true;
    play->story->script(play, object);
    play->is_speaking = false;
}

/* --- looking --- */

bool phase_is(const struct json *object, const char *phase)
{
    return text_equal(json_get_text(object, "status.phase", ""), phase);
}

bool has_ended(const struct json *object)
{
    return json_at(object, "status.run.completionTime") != NULL;
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

static const struct json *staging_of(struct play *play)
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
    return memory_events(scenario_memory(play->scenario));
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

void say_nothing(struct play *play UNUSED, const struct json *object UNUSED)
{
}

void story_plays(void **state)
{
    struct play play = {.story = *state};
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = 5,
                                             .manifest_edits = play.story->edits,
                                             .settle_ms = play.story->settle_ms,
                                             .on_write = heard,
                                             .on_write_arg = &play});

    scenario_run(scenario);
    play.scenario = scenario;
    want(&play, scenario_has_ended(scenario));
    play.story->check(&play, scenario_object(scenario));
    for (size_t i = 0; i < play.run_count; i++)
        xfree(play.runs[i]);
    AUTO_FREE char *fault = play.fault;
    assert_text_equal(fault, NULL);
}
