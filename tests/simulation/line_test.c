/* Objects of one series that wait: those that a younger one makes pointless, and whose turn it is. */
#include "tests/simulation/story.h"
#include "tests/testing/assertions.h"

static const struct object_id production = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "production"};

static const struct json *last_of(struct play *play, const char *name)
{
    const struct object_id id = refresh_id(name);

    return last_version(play, &id);
}

/* --- three nights in vain: an account is not there --- */

static void second_night(void *arg, struct scenario *scenario UNUSED)
{
    create_refresh(arg, "nightly-b", "{}");
}

static void third_night(void *arg, struct scenario *scenario UNUSED)
{
    create_refresh(arg, "nightly-a", "{}"); /* age counts, not the name */
}

static void put_right(void *arg, struct scenario *scenario UNUSED)
{
    AUTO_JSON struct json *account = json_copy(last_version(arg, &production));

    json_remove(account, "status");
    memory_create(memory_of(arg), account);
}

static void wait_in_vain(struct play *play, const struct json *object UNUSED)
{
    if (play->scene++)
        return;
    memory_delete(memory_of(play), &production);
    scenario_later(play->scenario, HOURS(1), second_night, play);
    scenario_later(play->scenario, HOURS(2), third_night, play);
    scenario_later(play->scenario, HOURS(3), put_right, play);
}

static void check_one_run(struct play *play, const struct json *shop UNUSED)
{
    static const char *const in_vain[] = {"shop", "nightly-b"};

    for (size_t i = 0; i < COUNT_OF(in_vain); i++) {
        want_text_named(play, in_vain[i], condition_text(last_of(play, in_vain[i]), "Stalled", "reason"),
                        "Superseded");
        if (refresh_of(play, in_vain[i]))
            add_fault(play, "%s is still there", in_vain[i]);
        if (json_at(last_of(play, in_vain[i]), "status.run"))
            add_fault(play, "%s has run", in_vain[i]);
    }
    want_text(play, condition_text(last_of(play, "nightly-a"), "Succeeded", "status"), "True");
    want_number(play, count(play, "StartBackupJob", "created"), 2); /* of one run */
}

/* --- turns go by age --- */

#define RAN_BEFORE                                                                                       \
    "{\"status\":{\"lastHandledTrigger\":\"before\",\"run\":{\"id\":\"20261101-000000-aaaaa\","          \
    "\"attempt\":1,\"startTime\":\"2026-11-01T00:00:00Z\",\"completionTime\":\"2026-11-01T01:00:00Z\"}," \
    "\"conditions\":[{\"type\":\"Succeeded\",\"status\":\"True\",\"reason\":\"RunSucceeded\","           \
    "\"message\":\"\",\"observedGeneration\":1,\"lastTransitionTime\":\"2026-11-01T01:00:00Z\"}]}}"

static void create_older(void *arg, struct scenario *scenario UNUSED)
{
    create_refresh(arg, "zeta", RAN_BEFORE);
}

static void create_younger(void *arg, struct scenario *scenario UNUSED)
{
    create_refresh(arg, "alpha", RAN_BEFORE);
}

static void queue_up(struct play *play, const struct json *object)
{
    if (play->scene || !phase_is(object, "Copying"))
        return;
    play->scene++;
    scenario_later(play->scenario, SECONDS(1), create_older, play);
    scenario_later(play->scenario, SECONDS(4), create_younger, play);
}

static void check_turns(struct play *play, const struct json *shop UNUSED)
{
    const char *first = json_get_text(last_of(play, "zeta"), "status.run.startTime", ""),
               *second = json_get_text(last_of(play, "alpha"), "status.run.startTime", "");

    want_text(play, condition_text(last_of(play, "zeta"), "Succeeded", "status"), "True");
    want_text(play, condition_text(last_of(play, "alpha"), "Succeeded", "status"), "True");
    if (strcmp(first, second) >= 0)
        add_fault(play, "the older began at %s, the younger at %s", first, second);
    want_number(play, count(play, "StartBackupJob", "created"), 6); /* of three runs */
}

/* --- a trigger after one that was superseded --- */

static void create_ad_hoc(void *arg, struct scenario *scenario UNUSED)
{
    create_refresh(arg, "ad-hoc", "{\"spec\":{\"suspend\":null}}");
}

/* Somebody's run comes and goes while the object that Git owns is suspended. */
static void ask_again(struct play *play, const struct json *object)
{
    const char *name = json_get_text(object, "metadata.name", "");

    if (play->scene == 0) {
        play->scene++;
        scenario_later(play->scenario, SECONDS(1), create_ad_hoc, play);
    } else if (play->scene == 2 && text_equal(name, "ad-hoc") && has_ended(object)) {
        edit(play, "{\"spec\":{\"suspend\":false}}");
    } else if (play->scene == 3 && text_equal(condition_text(object, "Stalled", "reason"), "Superseded")) {
        edit(play, "{\"spec\":{\"trigger\":\"again\"}}");
    }
}

static void check_asked_again(struct play *play, const struct json *shop)
{
    want_text(play, condition_text(last_of(play, "ad-hoc"), "Succeeded", "status"), "True");
    want_text(play, condition_text(shop, "Succeeded", "status"), "True");
    want_text(play, json_get_text(shop, "status.run.trigger", ""), "again");
    want_number(play, play->scene, 4);
    want_number(play, count(play, "StartBackupJob", "created"), 4); /* of two runs */
}

#define DELETION "deletionPolicy: Retain"

static const struct story stories[] = {
    {.name = "three nights in vain",
     .edits = {DELETION, DELETION "\n  ttlSecondsAfterFinished: 21600"},
     .script = wait_in_vain,
     .check = check_one_run},
    {.name = "turns go by age", .script = queue_up, .check = check_turns},
    {.name = "another trigger asks again",
     .edits = {DELETION, DELETION "\n  suspend: true"},
     .script = ask_again,
     .check = check_asked_again},
};

static void the_youngest_and_the_longest_waiting(void **state UNUSED)
{
    assert_true(stories_play(&(struct stories){
        .name = "line", .items = stories, .count = COUNT_OF(stories), .rounds = 20, .settle_ms = HOURS(12)}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, the_youngest_and_the_longest_waiting);
    return tests_run(&tests, "line");
}
