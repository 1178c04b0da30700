/* Deletion protection of a copy that is to go: our own is lifted, and what somebody else has set keeps it. */
#include "tests/simulation/story.h"
#include "tests/testing/assertions.h"

/* Both copies are protected by the step Settings: one because the spec says so, one because its model is. */
#define PROTECTED                                                                          \
    "deletionProtection: false", "deletionProtection: true", "settingsFrom: PreviousCopy", \
        "settingsFrom: Source", "previousCopies: 1", "previousCopies: 0"

/* As far as the status knows, somebody else has turned it on. */
static void forget_whose_it_is(struct play *play, const struct json *object)
{
    AUTO_JSON struct json *copies = json_copy(json_at(object, "status.copies"));
    AUTO_JSON struct json *patch = json_new_object();
    struct json *status = json_new_object();
    AUTO_FREE char *text = NULL;

    for (size_t i = 0; i < json_count(copies); i++) {
        AUTO_FREE char *path = xasprintf("[%zu]", i);

        json_remove(json_edit(copies, path), "protectedBySettings");
    }
    json_set(patch, "status", status);
    json_set(status, "copies", TAKE(copies));
    text = json_to_text(patch);
    memory_patch(scenario_memory(play->scenario), &scenario_refresh, text);
}

static void run_again(struct play *play, const struct json *object)
{
    if (play->scene == 0 && has_ended(object))
        speak(play, "run-requested", "again");
}

static void run_again_without_knowing(struct play *play, const struct json *object)
{
    if (play->scene || !has_ended(object))
        return;
    forget_whose_it_is(play, object);
    run_again(play, object);
}

static void check_gone(struct play *play, const struct json *object)
{
    check_succeeded(play, object);
    want_number(play, play->run_count, 2);
    want_number(play, count(play, "DeleteTable", "changed"), 1);
    want_number(play, count(play, "DeleteDBCluster", "changed"), 1);
    want_text(play, role_of(object, play->runs[0]), "none");
}

static void check_kept(struct play *play, const struct json *object)
{
    check_succeeded(play, object);
    want_number(play, play->run_count, 2);
    want_number(play, count(play, "DeleteTable", NULL), 0);
    want_number(play, count(play, "DeleteDBInstance", NULL), 0);
    want_text(play, role_of(object, play->runs[0]), "Removing");
    want_part(play, row_text(object, "Retention", "message"),
              "has deletion protection that this controller has not turned on: somebody wants to keep it");
    want_part(play, events(play), "NotRemoved");
}

static const struct story stories[] = {
    {.name = "ours is lifted",
     .edits = {PROTECTED},
     .settle_ms = HOURS(3),
     .script = run_again,
     .check = check_gone},
    {.name = "somebody else's keeps the copy",
     .edits = {PROTECTED},
     .settle_ms = HOURS(3),
     .script = run_again_without_knowing,
     .check = check_kept},
};

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, story_plays, stories);
    return tests_run(&tests, "protection");
}
