/* What people say while a refresh goes on or has ended: approve, cancel, retry, switch-to, and windows. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define OLD_CLUSTER "shop-stg-20261022-030000-p3c8d"
#define RUNS_MAX 8

struct play;
struct story {
    const char *name;
    const char *edits[9];
    int64_t settle_ms;
    /* At each version of the object: says what comes next when its time has come. */
    void (*script)(struct play *play, const struct json *object);
    void (*check)(struct play *play, const struct json *object);
};

struct play {
    const struct story *story;
    struct scenario *scenario;
    int scene;
    bool is_speaking;
    char *runs[RUNS_MAX]; /* in order, by their ends */
    size_t run_count;
    char *fault; /* the first; scripts run on the engine's threads, where nothing can be asserted */
};

static void want(struct play *play, bool holds)
{
    if (!holds && !play->fault)
        play->fault = xasprintf("scene %d: something does not hold", play->scene);
}

static void want_text(struct play *play, const char *got, const char *wanted)
{
    if (!text_equal(got, wanted) && !play->fault)
        play->fault = xasprintf("scene %d: \"%s\", expected \"%s\"", play->scene, got, wanted);
}

static void want_part(struct play *play, const char *got, const char *part)
{
    if (!strstr(got, part) && !play->fault)
        play->fault = xasprintf("scene %d: no \"%s\" in \"%s\"", play->scene, part, got);
}

static void want_number(struct play *play, int64_t got, int64_t wanted)
{
    if (got != wanted && !play->fault)
        play->fault =
            xasprintf("scene %d: %lld, expected %lld", play->scene, (long long)got, (long long)wanted);
}

/* --- speaking --- */

static void speak(struct play *play, const char *name, const char *value)
{
    AUTO_FREE char *patch =
        xasprintf("{\"metadata\":{\"annotations\":{\"stagingrefresh.dev/%s\":\"%s\"}}}", name, value);

    play->scene++;
    memory_patch(scenario_memory(play->scenario), &scenario_refresh, patch);
}

static void edit(struct play *play, const char *patch)
{
    play->scene++;
    memory_patch(scenario_memory(play->scenario), &scenario_refresh, patch);
}

static const struct object_id target = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "staging"};

static void edit_target(struct play *play, const char *patch)
{
    play->scene++;
    memory_patch(scenario_memory(play->scenario), &target, patch);
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

static bool phase_is(const struct json *object, const char *phase)
{
    return text_equal(json_get_text(object, "status.phase", ""), phase);
}

static bool has_ended(const struct json *object)
{
    return json_at(object, "status.run.completionTime") != NULL;
}

static const struct json *named(const struct json *list, const char *key, const char *name)
{
    json_each (item, list) {
        if (text_equal(json_get_text(item, key, ""), name))
            return item;
    }
    return NULL;
}

static const char *row_text(const struct json *object, const char *row, const char *member)
{
    return json_get_text(json_member(named(json_at(object, "status.switchover.steps"), "name", row), member),
                         NULL, "");
}

static const char *role_of(const struct json *object, const char *run)
{
    return json_get_text(named(json_at(object, "status.copies"), "runID", run), "role", "none");
}

static const char *condition_text(const struct json *object, const char *type, const char *member)
{
    return json_get_text(json_member(named(json_at(object, "status.conditions"), "type", type), member), NULL,
                         "");
}

static const struct json *staging_of(struct play *play)
{
    return named(json_at(scenario_world(play->scenario), "accounts"), "name", "staging");
}

static const char *proxy_target(struct play *play)
{
    return json_get_text(named(json_at(staging_of(play), "rds.proxies"), "name", "shop-stg"), "target",
                         "none");
}

static const char *parameter(struct play *play, const char *name)
{
    return json_get_text(named(json_at(staging_of(play), "ssm.parameters"), "name", name), "value", "none");
}

static int64_t count(struct play *play, const char *operation, const char *effect)
{
    return journal_count(scenario_journal(play->scenario), operation, effect);
}

static const char *events(struct play *play)
{
    return memory_events(scenario_memory(play->scenario));
}

static void expect_staging_as_before(struct play *play)
{
    want_text(play, proxy_target(play), OLD_CLUSTER);
    want_text(play, parameter(play, "/shop/stg/sessions_table"), "stg-sessions-20261022-030000-p3c8d");
    want_part(play, parameter(play, "/shop/stg/db_host"), OLD_CLUSTER);
}

static void expect_staging_on(struct play *play, const char *run)
{
    AUTO_FREE char *cluster = xasprintf("shop-stg-%s", run);
    AUTO_FREE char *table = xasprintf("stg-sessions-%s", run);

    want_text(play, proxy_target(play), cluster);
    want_text(play, parameter(play, "/shop/stg/sessions_table"), table);
    want_part(play, parameter(play, "/shop/stg/db_host"), cluster);
}

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

static void say_nothing(struct play *play UNUSED, const struct json *object UNUSED)
{
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
        const struct json *account = memory_get(scenario_memory(play->scenario), &target);
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

static void check_succeeded(struct play *play, const struct json *object)
{
    want_text(play, condition_text(object, "Succeeded", "status"), "True");
    expect_staging_on(play, json_get_text(object, "status.run.id", ""));
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

/* --- cancel and retry --- */

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

#define MANUAL "policy: Automatic", "policy: Manual"
#define ECS_GRANT "    - {type: ECSService, names: [shop-stg/web]}\n"
#define MASK                                                                                                \
    ECS_GRANT, ECS_GRANT "    - {type: StateMachine, names: [\"*\"]}\n", "  switchover:\n    policy",       \
        "  hooks:\n    beforeSwitchover:\n    - {name: mask, stateMachine: {name: mask-staging}, timeout: " \
        "2h, onFailure: Stop}\n  switchover:\n    policy"
#define REQUIRED "requireApproval: false", "requireApproval: true"
#define FROM_SECRET "fromSecret:\n          secretsManager: {secretID: shop/stg/db, key: password}"
#define GENERATE FROM_SECRET, "generate:\n          secretsManager: {secretID: shop/stg/db, key: password}"
#define MANAGED FROM_SECRET, "rdsManaged: {}"
#define WINDOW           \
    "policy: Automatic", \
        "policy: Automatic\n    window: {days: [Mon], from: \"09:00\", to: \"10:00\", timeZone: Asia/Tokyo}"
#define SHORT_APPROVAL "  retention:\n", "  timeouts: {approval: 30m}\n  retention:\n"

static const struct story stories[] = {
    {"approval, at the third try", {MANUAL}, 0, approve_wrongly_at_first, check_approved},
    {"nobody approves", {MANUAL, SHORT_APPROVAL}, 0, say_nothing, check_timed_out},
    {"the policy becomes Automatic", {MANUAL}, 0, make_automatic, check_succeeded},
    {"the policy becomes Automatic where approval is required",
     {MANUAL, REQUIRED},
     0,
     make_automatic_and_approve,
     check_required},
    {"approval comes to be required", {NULL}, 0, require_approval, check_required},
    {"a window", {WINDOW}, 0, say_nothing, check_opened_on_monday},
    {"the window goes", {WINDOW}, 0, open_the_window, check_opened_at_once},
    {"cancel while copying, retry", {NULL}, HOURS(4), cancel_copying, check_retried},
    {"cancel while restoring, retry", {NULL}, HOURS(4), cancel_restoring, check_retried_with_its_copies},
    {"cancel in the switchover, retry", {NULL}, HOURS(4), cancel_switchover, check_retried_with_its_copies},
    {"retry, the table is gone",
     {MANUAL, MASK},
     HOURS(8),
     retry_without_the_table,
     check_retried_without_the_table},
    {"retry, with fewer grants at first",
     {NULL},
     HOURS(4),
     retry_with_fewer_grants,
     check_retried_as_granted},
    {"cancel of another run", {NULL}, 0, cancel_another, check_ignored},
    {"switch-to, there and back", {NULL}, HOURS(6), switch_back_and_forth, check_switched},
    {"switch-to, generated passwords",
     {GENERATE},
     HOURS(6),
     switch_back_and_forth,
     check_switched_with_passwords},
    {"switch-to, passwords of RDS",
     {MANAGED},
     HOURS(6),
     switch_back_and_forth,
     check_switched_with_passwords},
    {"switch-to, before there was a generated one",
     {NULL},
     HOURS(6),
     generate_and_return,
     check_refused_switch},
    {"switch-to, before RDS kept it", {NULL}, HOURS(6), let_rds_keep_and_return, check_refused_switch},
    {"drift, there and back", {NULL}, HOURS(4), drift_and_return, check_drift},
    {"drift after switch-to", {NULL}, HOURS(8), drift_after_switching, check_drift_after_switching},
    {"no drift", {NULL}, HOURS(4), say_nothing, check_no_drift},
    {"switch-to is not repeated", {NULL}, HOURS(8), refresh_after_switching, check_stayed},
};

static void plays(void **state)
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

    TEST_ROWS(&tests, plays, stories);
    TEST(&tests, windows_hold_over_crashes);
    return tests_run(&tests, "requests");
}
