/* What people say while a refresh goes on or has ended: approve, switch-to, and windows. */
#include "tests/simulation/seeds.h"
#include "tests/simulation/story.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

/* --- approval --- */

static void approve_wrongly_at_first(struct play *play, const struct json *object)
{
    if (play->scene == 0 && text_equal(row_text(object, "Approval", "state"), "Running")) {
        want_part(play, condition_text(object, "Ready", "message"),
                  "kubectl annotate stagingrefresh shop -n staging --overwrite stagingrefresh.dev/approve=");
        speak(play, "approve", "20250101-000000-xxxxx");
    } else if (play->scene == 1 &&
               strstr(row_text(object, "Approval", "message"), "does not count: this run is")) {
        speak(play, "approve", json_get_text(object, "status.run.id", ""));
    } else if (play->scene == 2 &&
               strstr(row_text(object, "Approval", "message"), "does not count without")) {
        want_number(play, count(play, "DeregisterDBProxyTargets", NULL), 0);
        speak(play, "approved-by", "alice");
    }
}

static void check_approved(struct play *play, const struct json *object)
{
    want_text(play, condition_text(object, "Succeeded", "status"), "True");
    want_text(play, json_get_text(object, "status.run.approval.by", ""), "alice");
    want_part(play, events(play), "ApprovalRefused");
    want_number(play, play->scene, 3);
}

static void check_timed_out(struct play *play, const struct json *object)
{
    want_text(play, condition_text(object, "Succeeded", "reason"), "ApprovalTimedOut");
    want_part(play, condition_text(object, "Ready", "message"), "Staging uses what it used before");
    expect_staging_as_before(play);
}

static void make_automatic(struct play *play, const struct json *object)
{
    if (play->scene == 0 && phase_is(object, "AwaitingApproval"))
        edit(play, "{\"spec\":{\"switchover\":{\"policy\":\"Automatic\"}}}");
}

/* Whoever may edit cannot take the approval away that the platform team requires. */
static void make_automatic_and_approve(struct play *play, const struct json *object)
{
    if (play->scene == 0 && phase_is(object, "AwaitingApproval")) {
        edit(play, "{\"spec\":{\"switchover\":{\"policy\":\"Automatic\"}}}");
    } else if (play->scene == 1 &&
               strstr(row_text(object, "Approval", "message"),
                      "policy Automatic does not count, for AWSAccount staging requires approval")) {
        want_number(play, count(play, "DeregisterDBProxyTargets", NULL), 0);
        speak(play, "approve", json_get_text(object, "status.run.id", ""));
        speak(play, "approved-by", "anna");
    }
}

static void check_required(struct play *play, const struct json *object)
{
    want_text(play, condition_text(object, "Succeeded", "status"), "True");
    want_text(play, json_get_text(object, "status.run.approval.by", ""), "anna");
    want_number(play, play->scene, 3);
}

/* The account has come to require it since the run began. */
static void require_approval(struct play *play, const struct json *object)
{
    if (play->scene == 0 && phase_is(object, "Copying")) {
        AUTO_JSON struct json *patch = json_new_object();
        const struct json *account = memory_get(scenario_memory(play->scenario), &story_target);
        struct json *spec = json_new_object();

        json_set(patch, "spec", spec);
        json_set_copy(spec, "grants", json_at(account, "spec.grants"));
        json_set(json_edit(spec, "grants[0]"), "requireApproval", json_new_bool(true));
        AUTO_FREE char *text = json_to_text(patch);
        edit_target(play, text);
    } else {
        make_automatic_and_approve(play, object);
    }
}

/* --- windows: the world begins on Sunday, 16:00 UTC --- */

static int64_t first_time(struct play *play, const char *operation)
{
    int64_t at_ms = 0;

    json_each (row, scenario_journal(play->scenario)) {
        if (text_equal(json_get_text(row, "operation", ""), operation)) {
            want(play, time_parse(str_of(json_get_text(row, "time", "")), &at_ms));
            return at_ms;
        }
    }
    return 0;
}

static void check_opened_on_monday(struct play *play, const struct json *object)
{
    int64_t opening_ms = 0;

    check_succeeded(play, object);
    want(play, time_parse(STR("2026-11-23T00:00:00Z"), &opening_ms));
    want(play, first_time(play, "DeregisterDBProxyTargets") >= opening_ms);
    want(play, first_time(play, "DeregisterDBProxyTargets") < opening_ms + MINUTES(5));
}

static void open_the_window(struct play *play, const struct json *object)
{
    if (play->scene == 0 && text_equal(row_text(object, "Window", "state"), "Running")) {
        want_part(play, condition_text(object, "Ready", "message"), "which opens at 2026-11-23T00:00:00Z");
        edit(play, "{\"spec\":{\"switchover\":{\"window\":null}}}");
    }
}

static void check_opened_at_once(struct play *play, const struct json *object)
{
    int64_t opening_ms = 0;

    check_succeeded(play, object);
    want(play, time_parse(STR("2026-11-23T00:00:00Z"), &opening_ms));
    want(play, first_time(play, "DeregisterDBProxyTargets") < opening_ms);
}

/* --- switch-to --- */

static void switch_back_and_forth(struct play *play, const struct json *object)
{
    if (!has_ended(object) || play->run_count != (size_t)play->scene + 1)
        return;
    switch (play->scene) {
    case 0:
        expect_staging_on(play, play->runs[0]);
        speak(play, "run-requested", "again");
        break;
    case 1:
        expect_staging_on(play, play->runs[1]);
        speak(play, "switch-to", "previous");
        break;
    case 2:
        expect_staging_on(play, play->runs[0]);
        want_text(play, role_of(object, play->runs[0]), "InUse");
        want_text(play, role_of(object, play->runs[1]), "Previous");
        want_part(play, condition_text(object, "Succeeded", "message"), play->runs[0]);
        want_text(play, json_get_text(object, "status.history[0].copiesOf", ""), play->runs[0]);
        speak(play, "switch-to", play->runs[1]);
        break;
    case 3:
        expect_staging_on(play, play->runs[1]);
        speak(play, "switch-to", play->runs[0]);
        break;
    case 4:
        expect_staging_on(play, play->runs[0]);
        speak(play, "switch-to", "20250101-000000-xxxxx");
        break;
    default:
        break;
    }
}

static void check_switched(struct play *play, const struct json *object)
{
    want_number(play, play->scene, 5);
    want_number(play, play->run_count, 5);
    want_text(play, condition_text(object, "Succeeded", "status"), "True");
    expect_staging_on(play, play->runs[0]);
    want_number(play, count(play, "StartRestoreJob", "created"), 4); /* of two runs */
    want_part(play, events(play), condition_text(object, "Succeeded", "message"));
    want_part(play, events(play), "RequestRefused");
    want_part(play, events(play), "no copy of database main is kept of that run");
}

/* Whoever asks meant staging as it was then, and another run is about to change that. */
static void switch_during_a_run(struct play *play, const struct json *object)
{
    if (play->scene == 0 && has_ended(object))
        speak(play, "run-requested", "again");
    else if (play->scene == 1 && !has_ended(object) && phase_is(object, "Copying"))
        speak(play, "switch-to", play->runs[0]);
}

static void check_refused_during_a_run(struct play *play, const struct json *object)
{
    want_number(play, play->scene, 2);
    want_number(play, play->run_count, 2);
    want_text(play, condition_text(object, "Succeeded", "status"), "True");
    expect_staging_on(play, play->runs[1]);
    want_part(play, events(play), "RequestRefused");
    want_part(play, events(play), "is under way");
}

/* The proxy logs in to what it points at: who was put back had the password that opens it. */
static void check_switched_with_passwords(struct play *play, const struct json *object)
{
    check_switched(play, object);
    want_text(play,
              json_get_text(named(json_at(object, "status.switchover.steps"), "name", "Proxies/shop-stg"),
                            "state", ""),
              "Done");
}

/* The spec as it is, with another way to a password, and a new run. */
static void change_password_kind(struct play *play, const struct json *object, const char *password)
{
    AUTO_JSON struct json *patch = json_new_object();
    struct json *spec = json_new_object(), *kind = NULL;

    err_ignore(json_parse(str_of(password), NULL, &kind), "text of this test");
    json_set_copy(spec, "databases", json_at(object, "spec.databases"));
    json_set(json_edit(spec, "databases[0].aurora"), "masterUserPassword", kind);
    json_set_text(spec, "trigger", "with another password");
    json_set(patch, "spec", spec);
    AUTO_FREE char *text = json_to_text(patch);
    edit(play, text);
}

#define SECRET_JSON "{\"secretsManager\":{\"secretID\":\"shop/stg/db\",\"key\":\"password\"}}"

static void generate_and_return(struct play *play, const struct json *object)
{
    if (!has_ended(object) || play->run_count != (size_t)play->scene + 1)
        return;
    if (play->scene == 0)
        change_password_kind(play, object, "{\"generate\":" SECRET_JSON "}");
    else if (play->scene == 1)
        speak(play, "switch-to", "previous");
}

static void let_rds_keep_and_return(struct play *play, const struct json *object)
{
    if (!has_ended(object) || play->run_count != (size_t)play->scene + 1)
        return;
    if (play->scene == 0)
        change_password_kind(play, object, "{\"rdsManaged\":{}}");
    else if (play->scene == 1)
        speak(play, "switch-to", "previous");
}

/* Refused before anything was touched, and said why. */
static void check_refused_switch(struct play *play, const struct json *object)
{
    want_number(play, play->run_count, 3);
    want_text(play, condition_text(object, "Ready", "reason"), "PasswordNotKnown");
    want_part(play, condition_text(object, "Ready", "message"),
              "set its master password to what staging uses");
    expect_staging_on(play, play->runs[1]);
    want_number(play, count(play, "DeregisterDBProxyTargets", "changed"), 2);
}

/* A request that was answered does not come back after the next refresh. */
static void refresh_after_switching(struct play *play, const struct json *object)
{
    if (!has_ended(object) || play->run_count != (size_t)play->scene + 1)
        return;
    if (play->scene == 0)
        speak(play, "run-requested", "again");
    else if (play->scene == 1)
        speak(play, "switch-to", "previous");
    else if (play->scene == 2)
        speak(play, "run-requested", "once more");
}

static void check_stayed(struct play *play, const struct json *object)
{
    want_number(play, play->run_count, 4);
    want_text(play, condition_text(object, "Succeeded", "status"), "True");
    expect_staging_on(play, play->runs[3]);
}

/* --- drift: what was set is remembered as something else, as if somebody had changed it since --- */

static void drift_and_return(struct play *play, const struct json *object)
{
    const char *drifted = condition_text(object, "Drifted", "status");

    if (play->scene == 0 && has_ended(object)) {
        edit(play, "{\"status\":{\"run\":{\"spec\":{\"switchover\":{\"parameters\":[{\"name\":\"db-host\","
                   "\"value\":\"elsewhere\",\"ssm\":{\"name\":\"/shop/stg/db_host\"}}]}}}}}");
    } else if (play->scene == 1 && text_equal(drifted, "True")) {
        want_part(play, condition_text(object, "Drifted", "message"),
                  "parameter /shop/stg/db_host does not hold what parameter db-host was set to");
        want_text(play, condition_text(object, "Ready", "status"), "True");
        edit(play,
             "{\"status\":{\"run\":{\"spec\":{\"switchover\":{\"parameters\":[{\"name\":\"db-host\","
             "\"value\":\"$(databases.main.endpoint)\",\"ssm\":{\"name\":\"/shop/stg/db_host\"}}]}}}}}");
    } else if (play->scene == 2 && !*drifted) {
        play->scene++;
    }
}

static void check_drift(struct play *play, const struct json *object)
{
    check_succeeded(play, object);
    want_number(play, play->scene, 3);
    want_number(play, count(play, "PutParameter", "changed"), 2);
    want_part(play, events(play), "Drifted");
}

/* After a switch-to it is the kept run that can be asked for again, and by the same words too. */
#define DB_HOST_VALUE(text)                                                                            \
    "{\"status\":{\"run\":{\"spec\":{\"switchover\":{\"parameters\":[{\"name\":\"db-host\",\"value\":" \
    "\"" text "\",\"ssm\":{\"name\":\"/shop/stg/db_host\"}}]}}}}}"

static void drift_after_switching(struct play *play, const struct json *object)
{
    const char *message = condition_text(object, "Drifted", "message");
    AUTO_FREE char *again = xasprintf("%s/again", play->runs[0] ? play->runs[0] : "");

    if (!has_ended(object))
        return;
    if (play->scene == 0 && play->run_count == 1) {
        speak(play, "run-requested", "again");
    } else if (play->scene == 1 && play->run_count == 2) {
        speak(play, "switch-to", play->runs[0]);
    } else if (play->scene == 2 && play->run_count == 3) {
        edit(play, DB_HOST_VALUE("elsewhere"));
    } else if (play->scene == 3 && *message) {
        want_part(play, message, play->runs[0]);
        want(play, !strstr(message, play->runs[2]));
        speak(play, "switch-to", again);
    } else if (play->scene == 4 && play->run_count == 4) {
        want_text(play, condition_text(object, "Succeeded", "status"), "True");
        play->scene++;
    }
}

static void check_drift_after_switching(struct play *play, const struct json *object)
{
    want_number(play, play->scene, 5);
    want_text(play, condition_text(object, "Drifted", "status"), "");
    expect_staging_on(play, play->runs[0]);
    want_text(play, json_get_text(object, "status.run.copiesOf", ""), play->runs[0]);
}

/* Nobody has changed anything. */
static void check_no_drift(struct play *play, const struct json *object)
{
    check_succeeded(play, object);
    want_text(play, condition_text(object, "Drifted", "status"), "");
}

/* --- */

#define REQUIRED "requireApproval: false", "requireApproval: true"
#define FROM_SECRET "fromSecret:\n          secretsManager: {secretID: shop/stg/db, key: password}"
#define GENERATE FROM_SECRET, "generate:\n          secretsManager: {secretID: shop/stg/db, key: password}"
#define MANAGED FROM_SECRET, "rdsManaged: {}"
#define WINDOW           \
    "policy: Automatic", \
        "policy: Automatic\n    window: {days: [Mon], from: \"09:00\", to: \"10:00\", timeZone: Asia/Tokyo}"
#define SHORT_APPROVAL "  retention:\n", "  timeouts: {approval: 30m}\n  retention:\n"

static const struct story stories[] = {
    {.name = "approval, at the third try",
     .edits = {MANUAL},
     .script = approve_wrongly_at_first,
     .check = check_approved},
    {.name = "nobody approves", .edits = {MANUAL, SHORT_APPROVAL}, .check = check_timed_out},
    {.name = "the policy becomes Automatic",
     .edits = {MANUAL},
     .script = make_automatic,
     .check = check_succeeded},
    {.name = "the policy becomes Automatic where approval is required",
     .edits = {MANUAL, REQUIRED},
     .script = make_automatic_and_approve,
     .check = check_required},
    {.name = "approval comes to be required", .script = require_approval, .check = check_required},
    {.name = "a window", .edits = {WINDOW}, .check = check_opened_on_monday},
    {.name = "the window goes", .edits = {WINDOW}, .script = open_the_window, .check = check_opened_at_once},
    {.name = "switch-to, there and back",
     .settle_ms = HOURS(6),
     .script = switch_back_and_forth,
     .check = check_switched},
    {.name = "switch-to during a run",
     .settle_ms = HOURS(6),
     .script = switch_during_a_run,
     .check = check_refused_during_a_run},
    {.name = "switch-to, generated passwords",
     .edits = {GENERATE},
     .settle_ms = HOURS(6),
     .script = switch_back_and_forth,
     .check = check_switched_with_passwords},
    {.name = "switch-to, passwords of RDS",
     .edits = {MANAGED},
     .settle_ms = HOURS(6),
     .script = switch_back_and_forth,
     .check = check_switched_with_passwords},
    {.name = "switch-to, before there was a generated one",
     .settle_ms = HOURS(6),
     .script = generate_and_return,
     .check = check_refused_switch},
    {.name = "switch-to, before RDS kept it",
     .settle_ms = HOURS(6),
     .script = let_rds_keep_and_return,
     .check = check_refused_switch},
    {.name = "drift, there and back",
     .settle_ms = HOURS(4),
     .script = drift_and_return,
     .check = check_drift},
    {.name = "drift after switch-to",
     .settle_ms = HOURS(8),
     .script = drift_after_switching,
     .check = check_drift_after_switching},
    {.name = "no drift", .settle_ms = HOURS(4), .check = check_no_drift},
    {.name = "switch-to is not repeated",
     .settle_ms = HOURS(8),
     .script = refresh_after_switching,
     .check = check_stayed},
};

/* --- whatever happens, the proxy is touched only inside the window --- */

static char *check_window(uint64_t seed, void *arg UNUSED)
{
    AUTO_VARIANT struct variant variant = {0};
    static const char *const edits[] = {
        "policy: Automatic",
        "policy: Automatic\n    window: {from: \"04:00\", to: \"04:20\", timeZone: Asia/Tokyo}", NULL};
    AUTO_SCENARIO struct scenario *scenario = NULL;
    struct play play = {0};
    int64_t at_ms;

    variant_init(&variant, seed);
    variant_add_crashes(&variant, 250);
    variant.opts.manifest_edits = edits;
    scenario = play.scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    if (!text_equal(condition_text(scenario_object(scenario), "Succeeded", "status"), "True"))
        return xasprintf("not succeeded: %s", condition_text(scenario_object(scenario), "Ready", "message"));
    at_ms = first_time(&play, "DeregisterDBProxyTargets") % DAYS(1); /* 04:00 in Tokyo is 19:00 UTC */
    if (at_ms < HOURS(19) || at_ms >= HOURS(19) + MINUTES(20) + SECONDS(30))
        return xasprintf("switched %lld s after the opening", (long long)(at_ms - HOURS(19)) / 1000);
    return NULL;
}

static void windows_hold_over_crashes(void **state UNUSED)
{
    assert_true(
        seeds_run(&(struct seeds){.name = "window", .first = 1, .count = 100, .check = check_window}));
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, story_plays, stories);
    TEST(&tests, windows_hold_over_crashes);
    return tests_run(&tests, "requests");
}
