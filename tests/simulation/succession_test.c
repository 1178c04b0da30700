/* Objects of one series that follow one another, as a CronJob creates them: what becomes of the earlier one,
 * and what the later one knows of it. */
#include "tests/simulation/story.h"
#include "tests/testing/assertions.h"

#define LOOKS_PER_HOUR 2 /* of one object at parameters of SSM, for drift */
#define NIGHTLY "nightly-b"

/* When the earlier object was first superseded. */
struct notes {
    bool is_superseded;
    int64_t looks, hour;
};

/* --- looking --- */

static const struct json *nightly_of(struct play *play)
{
    return refresh_of(play, NIGHTLY);
}

static bool is_shop(const struct json *object)
{
    return text_equal(json_get_text(object, "metadata.name", ""), "shop");
}

static bool has_succeeded(const struct json *object)
{
    return text_equal(condition_text(object, "Succeeded", "status"), "True");
}

static bool is_superseded(const struct json *object)
{
    return text_equal(condition_text(object, "Ready", "reason"), "Superseded");
}

static int64_t looks_at_parameters(struct play *play)
{
    int64_t looks = 0;

    json_each (row, scenario_calls(play->scenario)) {
        if (text_equal(json_get_text(row, "operation", ""), "GetParameter"))
            looks += json_get_int(row, "count", 0);
    }
    return looks;
}

/* --- a later run --- */

static void note_superseded(struct play *play, const struct json *object)
{
    struct notes *notes = play->notes;

    if (notes->is_superseded || !is_shop(object) || !is_superseded(object))
        return;
    notes->is_superseded = true;
    notes->looks = looks_at_parameters(play);
    notes->hour = sched_now_ms(scenario_sched(play->scenario)) / HOURS(1);
}

static bool is_time_to_follow(struct play *play, const struct json *object)
{
    return play->scene == 0 && is_shop(object) && has_succeeded(object);
}

static void follow_whatever_drifts(struct play *play, const struct json *object)
{
    note_superseded(play, object);
    if (is_time_to_follow(play, object))
        create_refresh(play, NIGHTLY, play->story->arg ? play->story->arg : "{}");
}

static void follow(struct play *play, const struct json *object)
{
    follow_whatever_drifts(play, object);
    if (*condition_text(object, "Drifted", "status"))
        add_fault(play, "%s: Drifted: %s", json_get_text(object, "metadata.name", ""),
                  condition_text(object, "Drifted", "message"));
}

static void want_superseded(struct play *play, const struct json *object, const struct json *by)
{
    const char *message = condition_text(object, "Ready", "message");

    want_text(play, condition_text(object, "Ready", "status"), "True");
    want_text(play, condition_text(object, "Ready", "reason"), "Superseded");
    want_text(play, json_get_text(object, "status.phase", ""), "Succeeded");
    want_text(play, condition_text(object, "Stalled", "status"), "");
    want_text(play, condition_text(object, "Reconciling", "status"), "");
    want_part(play, message, json_get_text(by, "status.run.id", "no run"));
    want_part(play, message, json_get_text(by, "metadata.name", "nobody"));
    json_each (copy, json_at(object, "status.copies")) {
        if (text_equal(json_get_text(copy, "role", ""), "InUse") &&
            !text_equal(json_get_text(copy, "runID", ""), json_get_text(by, "status.run.copiesOf", "")))
            add_fault(play, "%s is InUse", json_get_text(copy, "identifier", ""));
    }
}

static void want_in_use(struct play *play, const struct json *object)
{
    want_text(play, condition_text(object, "Ready", "status"), "True");
    want_text(play, condition_text(object, "Ready", "reason"), "RunSucceeded");
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

static void check_superseded(struct play *play, const struct json *shop)
{
    const struct notes *notes = play->notes;
    int64_t hours = sched_now_ms(scenario_sched(play->scenario)) / HOURS(1) - notes->hour + 1;
    int64_t looks = looks_at_parameters(play) - notes->looks;

    want_superseded(play, shop, nightly_of(play));
    want_in_use(play, nightly_of(play));
    want_number(play, changes_since_superseded(play), 0);
    if (!notes->is_superseded || looks > hours * LOOKS_PER_HOUR)
        add_fault(play, "%lld looks in %lld hours", (long long)looks, (long long)hours);
    want(play, !strstr(events(play), "Drifted"));
}

/* --- staging goes back onto the copies of the earlier one --- */

static void go_back(struct play *play, const struct json *object)
{
    follow(play, object);
    if (play->scene == 1 && is_shop(object) && is_superseded(object))
        speak(play, "switch-to", json_get_text(object, "status.run.id", ""));
}

static void check_back(struct play *play, const struct json *shop)
{
    want(play, json_at(shop, "status.run.copiesOf"));
    want_in_use(play, shop);
    want_superseded(play, nightly_of(play), shop);
}

/* --- a later run that has not switched over --- */

static void change_something(struct play *play, const struct json *object)
{
    follow_whatever_drifts(play, object);
    if (play->scene == 1 && phase_is(object, "AwaitingApproval"))
        edit(play, "{\"status\":{\"run\":{\"spec\":{\"switchover\":{\"parameters\":[{\"name\":\"db-host\","
                   "\"value\":\"elsewhere\",\"ssm\":{\"name\":\"/shop/stg/db_host\"}}]}}}}}");
}

static void check_drifted(struct play *play, const struct json *shop)
{
    want_in_use(play, shop);
    want_text(play, condition_text(shop, "Drifted", "status"), "True");
}

/* --- another run of the earlier one was asked for meanwhile, and never begins --- */

static void ask_in_vain(struct play *play, const struct json *object)
{
    follow(play, object);
    if (play->scene == 1 && phase_is(object, "Restoring"))
        edit(play, "{\"spec\":{\"trigger\":\"again\",\"concurrencyPolicy\":\"Forbid\"}}");
}

static void check_forbidden(struct play *play, const struct json *shop)
{
    want_text(play, condition_text(shop, "Stalled", "reason"), "RunForbidden");
    want_text(play, condition_text(shop, "Ready", "reason"), "RunForbidden");
    want_part(play, condition_text(shop, "SwitchedOver", "message"), NIGHTLY);
    want_in_use(play, nightly_of(play));
}

/* --- the later object goes --- */

static void delete_the_later(struct play *play, const struct json *object)
{
    follow(play, object);
    if (play->scene == 1 && is_shop(object) && is_superseded(object))
        delete_refresh(play, NIGHTLY);
}

static void check_deleted(struct play *play, const struct json *shop)
{
    want(play, !nightly_of(play));
    want_text(play, condition_text(shop, "Ready", "reason"), "Superseded");
    want_text(play, condition_text(shop, "Ready", "message"),
              condition_text(first_version(play, "shop", is_superseded), "Ready", "message"));
}

/* --- what the later object knows of the earlier one's run --- */

/* As long as it has not passed it holds, whatever becomes of the earlier object. */
static void want_estimate(struct play *play, const struct json *object)
{
    static const char member[] = "status.progress.estimatedCompletionTime";
    const char *estimate = json_get_text(object, member, ""), *first;
    int64_t expected_ms = 0;

    if (is_shop(object) || !has_run(object) || has_ended(object) || play->faults.len)
        return;
    first = json_get_text(first_version(play, NIGHTLY, has_run), member, "");
    (void)time_parse(str_of(first), &expected_ms);
    if (!expected_ms || (!*estimate && sched_wall_ms(scenario_sched(play->scenario)) < expected_ms))
        add_fault(play, "the end is expected: %s, at first: %s", estimate, first);
    else if (*estimate)
        want_text(play, estimate, first);
}

/* What is left open is as the copy in use has it. */
static void ask_for_less(struct json *spec)
{
    static const char *const members[] = {"stream", "timeToLive", "tags"};
    struct json *restore = json_edit(spec, "databases[1].dynamodb.restore");

    for (size_t i = 0; i < COUNT_OF(members); i++)
        json_remove(restore, members[i]);
}

static void follow_with_less(struct play *play, const struct json *object)
{
    if (is_time_to_follow(play, object))
        ask_for_less(json_edit(play->model, "spec"));
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
    want_part(play, text, "\"timeToLive\":\"expires\"");
    want_part(play, text, "KEYS_ONLY");
    want_part(play, text, "\"team\":\"shop\"");
    want(play, !strstr(condition_text(object, "Restored", "message"), "no previous copy"));
}

static void check_less(struct play *play, const struct json *shop)
{
    check_superseded(play, shop);
    want_settings(play);
    want_part(play, json_get_text(nightly_of(play), "status.databases[1].steps[0].evidence.expectedMs", ""),
              "000");
}

/* Its time is over while the later one's copies are being made. */
static void delete_the_earlier(struct play *play, const struct json *object)
{
    follow_with_less(play, object);
    if (play->scene == 1 && !is_shop(object) && has_run(object))
        delete_refresh(play, "shop");
}

static void check_alone(struct play *play, const struct json *shop)
{
    want(play, !shop);
    want_settings(play);
}

/* --- */

#define OPEN "        timeToLive: {attributeName: expires}\n"
#define MORE OPEN "        stream: {viewType: KeysOnly}\n        tags: {team: shop}\n"
#define GRANTS "    - {type: ECSService, names: [shop-stg/web]}\n"
#define SLOW_HOOK                                                                                       \
    "{\"spec\": {\"hooks\": {\"afterSwitchover\": [{\"name\": \"smoke\", \"stateMachine\": {\"name\": " \
    "\"mask-staging\"}, \"timeout\": \"8h\", \"onFailure\": \"Continue\"}]}}}"

/* The text is how the later object differs. */
static const struct story stories[] = {
    {.name = "a later run", .script = follow, .check = check_superseded},
    {.name = "back onto the earlier copies", .script = go_back, .check = check_back},
    {.name = "a later run that waits",
     .arg = "{\"spec\": {\"switchover\": {\"policy\": \"Manual\"}}}",
     .script = change_something,
     .check = check_drifted},
    {.name = "a later run in the middle of its switchover",
     .edits = {GRANTS, GRANTS "    - {type: StateMachine, names: [\"*\"]}\n"},
     .world_edits = {"takes: 20m", "takes: 3h"},
     .arg = SLOW_HOOK,
     .script = follow,
     .check = check_superseded},
    {.name = "a run in vain, and a later run", .script = ask_in_vain, .check = check_forbidden},
    {.name = "settings and time of the earlier one",
     .edits = {OPEN, MORE},
     .script = follow_with_less,
     .check = check_less},
    {.name = "the earlier object goes",
     .edits = {OPEN, MORE},
     .script = delete_the_earlier,
     .check = check_alone},
    {.name = "the later object goes", .script = delete_the_later, .check = check_deleted},
};

static void objects_that_follow_one_another(void **state UNUSED)
{
    assert_true(stories_play(&(struct stories){.name = "succession",
                                               .items = stories,
                                               .count = COUNT_OF(stories),
                                               .rounds = 10,
                                               .crash_calls = 700,
                                               .settle_ms = HOURS(8),
                                               .notes_size = sizeof(struct notes)}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, objects_that_follow_one_another);
    return tests_run(&tests, "succession");
}
