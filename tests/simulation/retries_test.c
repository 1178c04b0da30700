/* Runs that are cancelled, and go on when people ask for a retry. */
#include "tests/simulation/story.h"
#include "tests/testing/assertions.h"

static void cancel_in(struct play *play, const struct json *object, const char *phase)
{
    AUTO_FREE char *attempt = xasprintf("%s/%lld", json_get_text(object, "status.run.id", ""),
                                        (long long)json_get_int(object, "status.run.attempt", 0));

    if (play->scene == 0 && phase_is(object, phase)) {
        speak(play, "cancel", json_get_text(object, "status.run.id", ""));
    } else if (play->scene == 1 && has_ended(object)) {
        want_text(play, condition_text(object, "Succeeded", "reason"), "Cancelled");
        want_part(play, condition_text(object, "Ready", "message"), "Staging uses what it used before");
        expect_staging_as_before(play);
        speak(play, "retry", "20250101-000000-xxxxx/1");
        speak(play, "retry", attempt);
    }
}

static void cancel_copying(struct play *play, const struct json *object)
{
    cancel_in(play, object, "Copying");
}

static void cancel_restoring(struct play *play, const struct json *object)
{
    const struct json *main_steps =
        json_at(named(json_at(object, "status.databases"), "name", "main"), "steps");

    if (play->scene == 0 &&
        !text_equal(json_get_text(named(main_steps, "name", "Restore"), "state", ""), "Running"))
        return;
    cancel_in(play, object, "Restoring");
}

static void cancel_switchover(struct play *play, const struct json *object)
{
    if (play->scene == 0 && !text_equal(row_text(object, "Parameters/db-host", "state"), "Running"))
        return;
    cancel_in(play, object, "SwitchingOver");
}

static void check_retried(struct play *play, const struct json *object)
{
    want_number(play, play->scene, 3);
    want_text(play, condition_text(object, "Succeeded", "status"), "True");
    want_number(play, json_get_int(object, "status.run.attempt", 0), 2);
    want_part(play, events(play), "RunCancelled");
    want_part(play, events(play), "RunRetried");
    want(play, !strstr(events(play), "RequestIgnored")); /* the annotation is still there, and was answered */
    want_text(
        play, proxy_target(play),
        json_get_text(named(json_at(object, "status.databases"), "name", "main"), "copyIdentifier", "?"));
}

/* What was restored is not restored again. */
static void check_retried_with_its_copies(struct play *play, const struct json *object)
{
    check_retried(play, object);
    want_number(play, count(play, "StartRestoreJob", "created"), 2);
    expect_staging_on(play, json_get_text(object, "status.run.id", ""));
}

/* --- what has changed since the run failed --- */

#define GONE_TABLE "stg-sessions-20250101-000000-zzzzz"

/* As if another table had been made, and deleted since. */
static void lose_table(struct play *play, const struct json *object)
{
    AUTO_JSON struct json *patch = json_new_object();
    struct json *status = json_new_object();
    const char *const arn = "arn:aws:dynamodb:ap-northeast-1:222222222222:table/" GONE_TABLE;

    json_set(patch, "status", status);
    json_set_copy(status, "databases", json_at(object, "status.databases"));
    json_set_copy(status, "copies", json_at(object, "status.copies"));
    for (size_t i = 0; i < 2; i++) {
        AUTO_FREE char *database = xasprintf("databases[%zu]", i), *copy = xasprintf("copies[%zu]", i);

        if (text_equal(json_get_text(json_at(status, database), "name", ""), "sessions")) {
            json_set_text(json_edit(status, database), "copyIdentifier", GONE_TABLE);
            json_set_text(json_edit(status, database), "copyARN", arn);
        }
        if (text_equal(json_get_text(json_at(status, copy), "database", ""), "sessions")) {
            json_set_text(json_edit(status, copy), "identifier", GONE_TABLE);
            json_set_text(json_edit(status, copy), "arn", arn);
        }
    }
    AUTO_FREE char *text = json_to_text(patch);
    edit(play, text);
}

static void retry_without_the_table(struct play *play, const struct json *object)
{
    const char *run = json_get_text(object, "status.run.id", "");
    AUTO_FREE char *first = xasprintf("%s/1", run), *second = xasprintf("%s/2", run);

    if (play->scene == 0 && phase_is(object, "AwaitingApproval")) {
        speak(play, "approve", run);
        speak(play, "approved-by", "alice");
    } else if (play->scene == 2 && text_equal(row_text(object, "Parameters/db-host", "state"), "Running")) {
        speak(play, "cancel", run);
    } else if (play->scene == 3 && has_ended(object)) {
        lose_table(play, object);
        speak(play, "retry", first);
    } else if (play->scene == 5 && strstr(row_text(object, "Approval", "message"), "does not count")) {
        want_part(play, row_text(object, "Approval", "message"), second);
        want_number(play, count(play, "StartRestoreJob", "created"), 3);
        want_number(play, count(play, "StartExecution", "created"), 2);
        expect_staging_as_before(play);
        speak(play, "approve", second);
    }
}

/* Restored anew, masked again, approved again. */
static void check_retried_without_the_table(struct play *play, const struct json *object)
{
    want_number(play, play->scene, 6);
    want_text(play, condition_text(object, "Succeeded", "status"), "True");
    want_text(play, json_get_text(object, "status.run.approval.by", ""), "alice");
    want_part(play, events(play), GONE_TABLE " is not there any more and is restored anew");
    want_text(
        play, parameter(play, "/shop/stg/sessions_table"),
        json_get_text(named(json_at(object, "status.databases"), "name", "sessions"), "copyIdentifier", "?"));
    want_text(play, role_of(object, json_get_text(object, "status.run.id", "")), "InUse");
}

static void retry_with_fewer_grants(struct play *play, const struct json *object)
{
    AUTO_FREE char *first = xasprintf("%s/1", json_get_text(object, "status.run.id", ""));

    if (play->scene == 0 && text_equal(row_text(object, "Parameters/db-host", "state"), "Running")) {
        speak(play, "cancel", json_get_text(object, "status.run.id", ""));
    } else if (play->scene == 1 && has_ended(object)) {
        edit_target(play, "{\"spec\":{\"grants\":[{\"name\":\"shop\",\"namespaces\":[\"staging\"],"
                          "\"resources\":[{\"type\":\"DynamoDBTable\",\"names\":[\"*\"]}]}]}}");
        speak(play, "retry", first);
    } else if (play->scene == 3 && text_equal(condition_text(object, "Stalled", "reason"), "NotGranted")) {
        want_number(play, json_get_int(object, "status.run.attempt", 0), 1);
        expect_staging_as_before(play);
        edit_target(
            play,
            "{\"spec\":{\"grants\":[{\"name\":\"shop\",\"namespaces\":[\"staging\"],\"requireApproval\":true,"
            "\"resources\":[{\"type\":\"DynamoDBTable\",\"names\":[\"*\"]},"
            "{\"type\":\"AuroraCluster\",\"names\":[\"*\"]},{\"type\":\"DBProxy\",\"names\":[\"*\"]},"
            "{\"type\":\"SSMParameter\",\"names\":[\"*\"]},{\"type\":\"Secret\",\"names\":[\"*\"]},"
            "{\"type\":\"ECSService\",\"names\":[\"*\"]}]}]}}");
    } else if (play->scene == 4 &&
               text_equal(condition_text(object, "Stalled", "reason"), "ApprovalRequired")) {
        edit(play, "{\"spec\":{\"switchover\":{\"policy\":\"Manual\"}}}");
    } else if (play->scene == 5 && text_equal(row_text(object, "Approval", "state"), "Running")) {
        speak(play, "approve", json_get_text(object, "status.run.id", ""));
        speak(play, "approved-by", "anna");
    }
}

/* It was Automatic when the run began; nobody was asked then. */
static void check_retried_as_granted(struct play *play, const struct json *object)
{
    want_number(play, play->scene, 7);
    check_succeeded(play, object);
    want_text(play, json_get_text(object, "status.run.approval.by", ""), "anna");
    want_number(play, count(play, "StartRestoreJob", "created"), 2);
}

static void cancel_another(struct play *play, const struct json *object)
{
    if (play->scene == 0 && phase_is(object, "Copying"))
        speak(play, "cancel", "20250101-000000-xxxxx");
}

static void check_ignored(struct play *play, const struct json *object)
{
    check_succeeded(play, object);
    want_part(play, events(play), "RequestIgnored");
}

/* --- */

#define ECS_GRANT "    - {type: ECSService, names: [shop-stg/web]}\n"
#define MASK                                                                                                \
    ECS_GRANT, ECS_GRANT "    - {type: StateMachine, names: [\"*\"]}\n", "  switchover:\n    policy",       \
        "  hooks:\n    beforeSwitchover:\n    - {name: mask, stateMachine: {name: mask-staging}, timeout: " \
        "2h, onFailure: Stop}\n  switchover:\n    policy"

static const struct story stories[] = {
    {.name = "cancel while copying, retry",
     .settle_ms = HOURS(4),
     .script = cancel_copying,
     .check = check_retried},
    {.name = "cancel while restoring, retry",
     .settle_ms = HOURS(4),
     .script = cancel_restoring,
     .check = check_retried_with_its_copies},
    {.name = "cancel in the switchover, retry",
     .settle_ms = HOURS(4),
     .script = cancel_switchover,
     .check = check_retried_with_its_copies},
    {.name = "retry, the table is gone",
     .edits = {MANUAL, MASK},
     .settle_ms = HOURS(8),
     .script = retry_without_the_table,
     .check = check_retried_without_the_table},
    {.name = "retry, with fewer grants at first",
     .settle_ms = HOURS(4),
     .script = retry_with_fewer_grants,
     .check = check_retried_as_granted},
    {.name = "cancel of another run", .script = cancel_another, .check = check_ignored},
};

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, story_plays, stories);
    return tests_run(&tests, "retries");
}
