/* Runs of one series that meet, and objects whose time is over. */
#include "tests/simulation/story.h"
#include "tests/testing/assertions.h"

#define NIGHTLY "nightly-b"

/* --- looking --- */

static bool is_copying(const struct json *object)
{
    json_each (step, json_at(object, "status.databases[0].steps")) {
        if (text_equal(json_get_text(step, "name", ""), "Copy"))
            return text_equal(json_get_text(step, "state", ""), "Running");
    }
    return false;
}

static const struct json *nightly_of(struct play *play)
{
    return refresh_of(play, NIGHTLY);
}

static int64_t backups(struct play *play)
{
    return count(play, "StartBackupJob", "created");
}

static const char *first_run(struct play *play)
{
    return json_get_text(first_version(play, "shop", has_run), "status.run.id", "");
}

/* --- Forbid --- */

static void create_forbidding(struct play *play, const struct json *object)
{
    if (play->scene == 0 && is_copying(object))
        create_refresh(play, NIGHTLY, "{\"spec\": {\"concurrencyPolicy\": \"Forbid\"}}");
}

static void check_forbidden(struct play *play, const struct json *shop)
{
    const struct json *object = nightly_of(play);

    want_text(play, condition_text(shop, "Succeeded", "status"), "True");
    want_text(play, condition_text(object, "Stalled", "reason"), "RunForbidden");
    want_part(play, condition_text(object, "Stalled", "message"), first_run(play));
    want_text(play, json_get_text(object, "status.run.id", NULL), NULL);
    want_text(play, json_get_text(object, "status.lastHandledTrigger", NULL),
              json_get_text(object, "spec.trigger", ""));
    want_number(play, backups(play), 2);
}

static void ask_again(struct play *play, const struct json *object)
{
    if (play->scene == 0 && is_copying(object))
        edit(play, "{\"spec\": {\"trigger\": \"again\"}}");
}

static void check_forbidden_again(struct play *play, const struct json *shop)
{
    want_text(play, condition_text(shop, "Succeeded", "status"), "True");
    want_text(play, json_get_text(shop, "status.run.id", NULL), first_run(play));
    want_text(play, json_get_text(shop, "status.lastHandledTrigger", NULL), "again");
    want_part(play, events(play), "RunForbidden");
    want_number(play, backups(play), 2);
}

/* --- Replace --- */

static void create_replacing(struct play *play, const struct json *object)
{
    if (play->scene == 0 && is_copying(object))
        create_refresh(play, NIGHTLY, "{\"spec\": {\"concurrencyPolicy\": \"Replace\"}}");
}

static void check_replaced(struct play *play, const struct json *shop)
{
    want_text(play, condition_text(shop, "Succeeded", "reason"), "Cancelled");
    want_text(play, condition_text(nightly_of(play), "Succeeded", "status"), "True");
    want_part(play, events(play), "nightly-b asks for another run in its place");
    want_text(play, json_get_text(shop, "status.run.id", NULL), first_run(play));
}

static void check_replaced_by_itself(struct play *play, const struct json *shop)
{
    const char *run = json_get_text(shop, "status.run.id", "");

    want_text(play, condition_text(shop, "Succeeded", "status"), "True");
    if (text_equal(run, first_run(play)))
        add_fault(play, "the first run was not replaced");
    want_part(play, events(play), "RunReplaced");
    want_text(play, json_get_text(shop, "status.lastHandledTrigger", NULL), "again");
}

/* --- Queue --- */

static void create_queueing(struct play *play, const struct json *object)
{
    if (play->scene == 0 && is_copying(object))
        create_refresh(play, NIGHTLY, "{\"spec\": {\"concurrencyPolicy\": \"Queue\"}}");
}

static void check_queued(struct play *play, const struct json *shop)
{
    want_text(play, condition_text(shop, "Succeeded", "status"), "True");
    want_text(play, condition_text(nightly_of(play), "Succeeded", "status"), "True");
    want_number(play, backups(play), 4);
}

/* --- time is over --- */

static void create_forbidding_briefly(struct play *play, const struct json *object)
{
    if (play->scene == 0 && is_copying(object))
        create_refresh(play, NIGHTLY,
                       "{\"spec\": {\"concurrencyPolicy\": \"Forbid\", \"ttlSecondsAfterFinished\": 60}}");
}

static void check_forbidden_expired(struct play *play, const struct json *shop)
{
    want_text(play, condition_text(shop, "Succeeded", "status"), "True");
    want(play, !nightly_of(play));
}

static void check_managed(struct play *play, const struct json *shop)
{
    want_text(play, condition_text(shop, "Stalled", "reason"), "ExpiryRefused");
    want_part(play, condition_text(shop, "Stalled", "message"), "Argo CD");
    want_number(play, backups(play), 0);
}

/* --- what was said of a wish that is gone --- */

static void wish_in_vain(struct play *play, const struct json *object)
{
    if (play->scene == 0 && phase_is(object, "Succeeded"))
        edit(play, "{\"spec\": {\"trigger\": \"again\", \"sourceRef\": {\"name\": \"nobody\"}}}");
    else if (play->scene == 1 && phase_is(object, "Stalled"))
        edit(play, "{\"spec\": {\"trigger\": null, \"sourceRef\": {\"name\": \"production\"}}}");
}

static void check_wish_forgotten(struct play *play, const struct json *shop)
{
    want_number(play, play->scene, 2);
    want_text(play, json_get_text(shop, "status.phase", ""), "Succeeded");
    want_text(play, condition_text(shop, "Ready", "status"), "True");
    want_text(play, condition_text(shop, "Stalled", "status"), "");
}

/* --- a wish while nothing may begin --- */

static void wish_while_suspended(struct play *play, const struct json *object)
{
    if (play->scene == 0 && phase_is(object, "Succeeded")) {
        edit(play, "{\"spec\": {\"trigger\": \"again\", \"suspend\": true}}");
    } else if (play->scene == 1 && phase_is(object, "Suspended")) {
        want_text(play, condition_text(object, "Ready", "status"), "Unknown");
        want_text(play, condition_text(object, "Ready", "reason"), "Suspended");
        edit(play, "{\"spec\": {\"trigger\": \"2026-11-22\"}}");
    }
}

static void check_suspended(struct play *play, const struct json *shop)
{
    want_number(play, play->scene, 2);
    want_number(play, backups(play), 2);
    want_text(play, condition_text(shop, "Ready", "status"), "True");
}

/* --- a wish that is given up just before it begins --- */

static void give_up_wish(struct play *play, const struct json *object)
{
    if (play->scene == 0 && phase_is(object, "Succeeded")) {
        edit(play, "{\"spec\": {\"trigger\": \"again\"}}");
    } else if (play->scene == 1 && phase_is(object, "Pending")) {
        create_refresh(play, NIGHTLY, "{\"spec\": {\"trigger\": \"again\"}}");
        edit(play, play->story->arg);
    }
}

/* The series is free for another object. */
static void check_given_up(struct play *play, const struct json *shop)
{
    const char *run = json_get_text(shop, "status.run.id", "");

    want_number(play, play->scene, 3);
    if (text_equal(run, first_run(play))) /* else it has begun before it could see that */
        want_text(play, condition_text(nightly_of(play), "Succeeded", "status"), "True");
}

/* --- */

#define SHOP_DELETION "deletionPolicy: Retain"
#define SHOP_NAME "name: shop\n  namespace: staging"

/* The text is how a wish is given up that is about to begin. */
static const struct story stories[] = {
    {.name = "another object's run is forbidden", .script = create_forbidding, .check = check_forbidden},
    {.name = "a run of its own is forbidden",
     .edits = {SHOP_DELETION, SHOP_DELETION "\n  concurrencyPolicy: Forbid"},
     .script = ask_again,
     .check = check_forbidden_again},
    {.name = "replaced by another object's run", .script = create_replacing, .check = check_replaced},
    {.name = "replaced by a run of its own",
     .edits = {SHOP_DELETION, SHOP_DELETION "\n  concurrencyPolicy: Replace"},
     .script = ask_again,
     .check = check_replaced_by_itself},
    {.name = "another object's run waits", .script = create_queueing, .check = check_queued},
    {.name = "the time of a refused one is over",
     .script = create_forbidding_briefly,
     .check = check_forbidden_expired},
    {.name = "its time must not end",
     .edits = {SHOP_DELETION, SHOP_DELETION "\n  ttlSecondsAfterFinished: 3600", SHOP_NAME,
               SHOP_NAME "\n  annotations: {argocd.argoproj.io/tracking-id: \"shop:x\"}"},
     .check = check_managed},
    {.name = "a wish in vain", .script = wish_in_vain, .check = check_wish_forgotten},
    {.name = "a wish while suspended", .script = wish_while_suspended, .check = check_suspended},
    {.name = "a wish suspended on its way",
     .script = give_up_wish,
     .arg = "{\"spec\": {\"suspend\": true}}",
     .check = check_given_up},
    {.name = "a wish taken back on its way",
     .script = give_up_wish,
     .arg = "{\"spec\": {\"trigger\": \"2026-11-22\"}}",
     .check = check_given_up},
    {.name = "a wish made invalid on its way",
     .script = give_up_wish,
     .arg = "{\"spec\": {\"databases\": []}}",
     .check = check_given_up},
    {.name = "a wish not granted on its way",
     .script = give_up_wish,
     .arg = "{\"spec\": {\"switchover\": {\"proxies\": [{\"name\": \"x\", \"database\": \"main\"}]}}}",
     .check = check_given_up},
};

static void runs_that_meet(void **state UNUSED)
{
    assert_true(stories_play(&(struct stories){.name = "series",
                                               .items = stories,
                                               .count = COUNT_OF(stories),
                                               .rounds = 40,
                                               .settle_ms = HOURS(6),
                                               .deadline_ms = HOURS(10)}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, runs_that_meet);
    return tests_run(&tests, "series");
}
