#include "tests/simulation/invariants.h"

#define FAULTS_MAX (64 * KIB)
#define SOURCE_ACCOUNT "111111111111"

/* Every secret of worlds/shop.yaml and of the controller's own credentials. */
static const char *const canaries[] = {
    "production-password", "production-app-password", "staging-password",
    "not-a-real-token",    "example-secret",
};

#define FAULT(faults, ...)               \
    do {                                 \
        buf_addf((faults), __VA_ARGS__); \
        buf_adds((faults), "\n");        \
    } while (0)

/* --- reading --- */

int64_t journal_count(const struct json *journal, const char *operation, const char *effect)
{
    int64_t count = 0;

    json_each (row, journal)
        count += (!operation || text_equal(json_get_text(row, "operation", ""), operation)) &&
                 (!effect || text_equal(json_get_text(row, "effect", ""), effect));
    return count;
}

static const struct json *named(const struct json *list, const char *name)
{
    json_each (item, list) {
        if (text_equal(json_get_text(item, "name", ""), name))
            return item;
    }
    return NULL;
}

static const struct json *condition_of(const struct json *object, const char *type)
{
    json_each (item, json_at(object, "status.conditions")) {
        if (text_equal(json_get_text(item, "type", ""), type))
            return item;
    }
    return NULL;
}

static const char *condition_status(const struct json *object, const char *type)
{
    return json_get_text(condition_of(object, type), "status", "absent");
}

static const struct json *target_account(struct scenario *scenario)
{
    return named(json_at(scenario_world(scenario), "accounts"), "staging");
}

/* --- the end --- */

static void expect_text(struct buf *faults, const char *what, const char *got, const char *want)
{
    if (!text_equal(got, want))
        FAULT(faults, "%s is %s, expected %s", what, got ? got : "absent", want ? want : "absent");
}

static void check_end_conditions(const struct json *object, struct buf *faults)
{
    static const struct {
        const char *type, *status;
    } rows[] = {
        {"Succeeded", "True"},    {"Ready", "True"},         {"Restored", "True"},
        {"SwitchedOver", "True"}, {"Reconciling", "absent"}, {"Stalled", "absent"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(faults, rows[i].type, condition_status(object, rows[i].type), rows[i].status);
    expect_text(faults, "phase", json_get_text(object, "status.phase", NULL), "Succeeded");
    if (json_get_int(object, "status.progress.percent", -1) != 100)
        FAULT(faults, "percent is %lld at the end",
              (long long)json_get_int(object, "status.progress.percent", -1));
    if (json_get_int(object, "status.observedGeneration", -1) !=
        json_get_int(object, "metadata.generation", -2))
        FAULT(faults, "observedGeneration is %lld, generation %lld",
              (long long)json_get_int(object, "status.observedGeneration", -1),
              (long long)json_get_int(object, "metadata.generation", -2));
}

static const char *row_message(const struct json *rows, const char *state)
{
    json_each (row, rows) {
        if (text_equal(json_get_text(row, "state", ""), state))
            return json_get_text(row, "message", "");
    }
    return NULL;
}

static void say_why(const struct json *object, struct buf *faults)
{
    const struct json *ready = condition_of(object, "Ready");

    FAULT(faults, "phase %s, Ready: %s: %s", json_get_text(object, "status.phase", "absent"),
          json_get_text(ready, "reason", ""), json_get_text(ready, "message", ""));
    json_each (database, json_at(object, "status.databases")) {
        if (json_get_text(database, "lastError", NULL))
            FAULT(faults, "%s: %s", json_get_text(database, "name", ""),
                  json_get_text(database, "lastError", ""));
    }
    const char *running = row_message(json_at(object, "status.switchover.steps"), "Running");
    if (running)
        FAULT(faults, "switchover: %s", running);
}

static void check_parameter(const struct json *ssm, const char *name, const char *want, struct buf *faults)
{
    const struct json *parameter = named(json_at(ssm, "parameters"), name);

    expect_text(faults, name, json_get_text(parameter, "value", NULL), want);
    if (json_get_int(parameter, "version", 0) != 2)
        FAULT(faults, "%s was written %lld times", name,
              (long long)json_get_int(parameter, "version", 0) - 1);
}

static void check_staging(struct scenario *scenario, const struct json *object, struct buf *faults)
{
    const struct json *staging = target_account(scenario);
    const struct json *main_copy = named(json_at(object, "status.databases"), "main");
    const struct json *sessions = named(json_at(object, "status.databases"), "sessions");
    const struct json *proxy = named(json_at(staging, "rds.proxies"), "shop-stg");
    const struct json *secret = named(json_at(staging, "secretsmanager.secrets"), "shop/stg/app");

    expect_text(faults, "the proxy's target", json_get_text(proxy, "target", NULL),
                json_get_text(main_copy, "copyIdentifier", "?"));
    expect_text(faults, "the proxy's health", json_get_text(proxy, "targets[0].state", NULL), "AVAILABLE");
    check_parameter(json_at(staging, "ssm"), "/shop/stg/db_host", json_get_text(main_copy, "endpoint", "?"),
                    faults);
    check_parameter(json_at(staging, "ssm"), "/shop/stg/sessions_table",
                    json_get_text(sessions, "copyIdentifier", "?"), faults);
    if (json_count(json_at(secret, "versions")) != 2)
        FAULT(faults, "secret shop/stg/app has %zu versions, expected 2",
              json_count(json_at(secret, "versions")));
    if (json_count(json_at(object, "status.history")) != 1)
        FAULT(faults, "%zu runs in the history", json_count(json_at(object, "status.history")));
}

void check_success(struct scenario *scenario, struct buf *faults)
{
    const struct json *object = scenario_object(scenario);

    if (!scenario_has_ended(scenario))
        FAULT(faults, "the run did not end in time");
    check_end_conditions(object, faults);
    if (faults->len) {
        say_why(object, faults);
        return;
    }
    check_staging(scenario, object, faults);
}

#define OLD_CLUSTER "shop-stg-20261022-030000-p3c8d"
#define OLD_TABLE "stg-sessions-20261022-030000-p3c8d"

void check_put_back(struct scenario *scenario, const char *reason, struct buf *faults)
{
    const struct json *object = scenario_object(scenario), *ready = condition_of(object, "Ready");
    const struct json *staging = target_account(scenario);
    const struct json *proxy = named(json_at(staging, "rds.proxies"), "shop-stg");
    const struct json *host = named(json_at(staging, "ssm.parameters"), "/shop/stg/db_host");
    const struct json *table = named(json_at(staging, "ssm.parameters"), "/shop/stg/sessions_table");

    if (!scenario_has_ended(scenario))
        FAULT(faults, "the run did not end in time");
    expect_text(faults, "phase", json_get_text(object, "status.phase", NULL), "Failed");
    expect_text(faults, "Succeeded", condition_status(object, "Succeeded"), "False");
    expect_text(faults, "Ready", condition_status(object, "Ready"), "False");
    expect_text(faults, "Stalled", condition_status(object, "Stalled"), "True");
    expect_text(faults, "Reconciling", condition_status(object, "Reconciling"), "absent");
    expect_text(faults, "the reason", json_get_text(ready, "reason", NULL), reason);
    if (!strstr(json_get_text(ready, "message", ""), "Staging uses what it used before"))
        FAULT(faults, "Ready does not say what staging uses: %s", json_get_text(ready, "message", ""));
    expect_text(faults, "the proxy's target", json_get_text(proxy, "target", NULL), OLD_CLUSTER);
    expect_text(faults, "the proxy's health", json_get_text(proxy, "targets[0].state", NULL), "AVAILABLE");
    if (!str_starts(str_of(json_get_text(host, "value", "")), OLD_CLUSTER))
        FAULT(faults, "/shop/stg/db_host is %s", json_get_text(host, "value", ""));
    expect_text(faults, "/shop/stg/sessions_table", json_get_text(table, "value", NULL), OLD_TABLE);
}

/* --- AWS's view --- */

/* Effects of the whole run in staging and production, as the fault-free run has them. */
static void check_started_once(const struct json *journal, const char *operation, size_t databases,
                               struct buf *faults)
{
    AUTO_JSON struct json *tokens = json_new_object();

    json_each (row, journal) {
        const char *token = json_get_text(row, "token", "");

        if (!text_equal(json_get_text(row, "operation", ""), operation) ||
            !text_equal(json_get_text(row, "effect", ""), "created"))
            continue;
        if (strlen(token) != 50)
            FAULT(faults, "%s has the token \"%s\"", operation, token);
        json_set_bool(tokens, token, true);
    }
    if (json_count(tokens) != databases || journal_count(journal, operation, "created") != (int64_t)databases)
        FAULT(faults, "%s: %lld were created under %zu tokens, expected %zu", operation,
              (long long)journal_count(journal, operation, "created"), json_count(tokens), databases);
}

static void check_effects(const struct json *journal, struct buf *faults)
{
    static const struct {
        const char *operation, *effect;
        int64_t want;
    } rows[] = {
        {"CreateDBInstance", "created", 1}, {"DeregisterDBProxyTargets", "changed", 1},
        {"PutParameter", "changed", 2},     {"UpdateService", "created", 1},
        {"DeleteDBCluster", NULL, 0},       {"DeleteDBInstance", NULL, 0},
        {"DeleteTable", NULL, 0},           {"DeleteRecoveryPoint", NULL, 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t count = journal_count(journal, rows[i].operation, rows[i].effect);

        if (count != rows[i].want)
            FAULT(faults, "%s: %lld %s, expected %lld", rows[i].operation, (long long)count,
                  rows[i].effect ? rows[i].effect : "calls", (long long)rows[i].want);
    }
}

void check_exactly_once(struct scenario *scenario, struct buf *faults)
{
    const struct json *journal = scenario_journal(scenario);
    size_t databases = json_count(json_at(scenario_object(scenario), "status.run.spec.databases"));

    check_started_once(journal, "StartBackupJob", databases, faults);
    check_started_once(journal, "StartCopyJob", databases, faults);
    check_started_once(journal, "StartRestoreJob", databases, faults);
    check_effects(journal, faults);
}

void check_production(struct scenario *scenario, struct buf *faults)
{
    json_each (row, scenario_journal(scenario)) {
        const char *operation = json_get_text(row, "operation", "");

        if (text_equal(json_get_text(row, "account", ""), SOURCE_ACCOUNT) &&
            !text_equal(operation, "StartBackupJob") && !text_equal(operation, "StartCopyJob"))
            FAULT(faults, "%s was called in production", operation);
    }
}

/* --- the status over time --- */

struct memory_of_status { /* of the version before */
    char *run_id;
    int64_t percent;
    const struct json *object;
};

static int state_rank(const char *state)
{
    static const char *const states[] = {"Waiting", "Intended", "Running", "Done"};

    for (int i = 0; i < (int)COUNT_OF(states); i++) {
        if (text_equal(states[i], state))
            return i;
    }
    return (int)COUNT_OF(states);
}

static void check_rows(const struct json *before, const struct json *after, struct buf *faults)
{
    json_each (row, after) {
        const struct json *old = named(before, json_get_text(row, "name", ""));
        const char *was = json_get_text(old, "state", "Waiting"), *is = json_get_text(row, "state", "");

        if (json_get_int(old, "attempt", 1) == json_get_int(row, "attempt", 1) &&
            state_rank(is) < state_rank(was))
            FAULT(faults, "step %s went back from %s to %s", json_get_text(row, "name", ""), was, is);
        if (old && state_rank(is) > state_rank(was) + 1 && state_rank(is) <= 3 && state_rank(was) < 1)
            FAULT(faults, "step %s went from %s to %s: nothing was acted on that was not an intent before",
                  json_get_text(row, "name", ""), was, is);
    }
}

static void check_steps(const struct json *before, const struct json *after, struct buf *faults)
{
    json_each (database, json_at(after, "status.databases"))
        check_rows(
            json_at(named(json_at(before, "status.databases"), json_get_text(database, "name", "")), "steps"),
            json_at(database, "steps"), faults);
    check_rows(json_at(before, "status.switchover.steps"), json_at(after, "status.switchover.steps"), faults);
}

static void check_one_condition(const struct json *before, const struct json *object,
                                const struct json *condition, struct buf *faults)
{
    const char *type = json_get_text(condition, "type", "?");
    const struct json *old = condition_of(before, type);
    bool same = text_equal(json_get_text(old, "status", NULL), json_get_text(condition, "status", ""));
    bool moved = !text_equal(json_get_text(old, "lastTransitionTime", ""),
                             json_get_text(condition, "lastTransitionTime", ""));

    if (json_get_int(condition, "observedGeneration", 0) > json_get_int(object, "metadata.generation", 0) ||
        json_get_int(condition, "observedGeneration", 0) < 1)
        FAULT(faults, "%s observed generation %lld of %lld", type,
              (long long)json_get_int(condition, "observedGeneration", 0),
              (long long)json_get_int(object, "metadata.generation", 0));
    if (old && same && moved)
        FAULT(faults, "%s: the transition time moved, the status did not", type);
    if (text_is_empty(json_get_text(condition, "reason", "")) ||
        text_is_empty(json_get_text(condition, "lastTransitionTime", "")))
        FAULT(faults, "%s lacks a reason or a time", type);
    if (condition_of(object, type) != condition)
        FAULT(faults, "%s is there twice", type);
}

static void check_conditions(const struct json *before, const struct json *object, struct buf *faults)
{
    bool running = json_at(object, "status.run.id") && !json_at(object, "status.run.completionTime");

    json_each (condition, json_at(object, "status.conditions"))
        check_one_condition(before, object, condition, faults);
    if (running) {
        expect_text(faults, "Ready during the run", condition_status(object, "Ready"), "Unknown");
        expect_text(faults, "Reconciling during the run", condition_status(object, "Reconciling"), "True");
        expect_text(faults, "Stalled during the run", condition_status(object, "Stalled"), "absent");
    }
    if (text_equal(condition_status(object, "Reconciling"), "False") ||
        text_equal(condition_status(object, "Stalled"), "False"))
        FAULT(faults, "Reconciling and Stalled are there only while true");
}

void check_no_secret(const char *text, const char *where, struct buf *faults)
{
    for (size_t i = 0; i < COUNT_OF(canaries); i++) {
        if (strstr(text, canaries[i]))
            FAULT(faults, "%s shows the secret %s", where, canaries[i]);
    }
}

static void check_version(struct memory_of_status *last, const struct json *object, struct buf *faults)
{
    const char *run_id = json_get_text(object, "status.run.id", NULL);
    int64_t percent = json_get_int(object, "status.progress.percent", 0);
    bool same_run = text_equal(run_id, last->run_id);

    if (last->run_id && !same_run)
        FAULT(faults, "run %s followed run %s", run_id ? run_id : "(none)", last->run_id);
    if (same_run && percent < last->percent)
        FAULT(faults, "percent went back from %lld to %lld", (long long)last->percent, (long long)percent);
    if (percent == 100 && !text_equal(condition_status(object, "Succeeded"), "True"))
        FAULT(faults, "100 percent, and not succeeded");
    if (same_run)
        check_steps(last->object, object, faults);
    if (json_member(object, "status"))
        check_conditions(last->object, object, faults);
    xfree(last->run_id);
    *last =
        (struct memory_of_status){.run_id = xstrdup_or_null(run_id), .percent = percent, .object = object};
}

void check_history(struct scenario *scenario, struct buf *faults)
{
    const struct memory *memory = scenario_memory(scenario);
    size_t count = memory_version_count(memory, &scenario_refresh);
    struct memory_of_status last = {0};
    AUTO_BUF struct buf text = BUF_MAX(16 * MIB);

    for (size_t i = 0; i < count && faults->len < FAULTS_MAX / 2; i++) {
        const struct json *object = memory_version(memory, &scenario_refresh, i);

        if (!object)
            continue; /* deleted */
        buf_reset(&text);
        json_print(object, &text);
        check_no_secret(buf_text(&text), "a status", faults);
        check_version(&last, object, faults);
    }
    xfree(last.run_id);
    check_no_secret(memory_events(memory), "an event", faults);
}

/* --- the password --- */

void check_password(struct scenario *scenario, struct buf *faults)
{
    int64_t in_force_ms = 0;
    bool registered = false;

    json_each (row, scenario_journal(scenario)) {
        const char *operation = json_get_text(row, "operation", "");
        bool done = !text_equal(json_get_text(row, "effect", ""), "refused");
        int64_t at_ms = 0;

        time_parse(str_of(json_get_text(row, "time", "")), &at_ms);
        if (text_equal(operation, "ModifyDBCluster") && done)
            in_force_ms = at_ms + scenario_password_ms(scenario);
        if (!text_equal(operation, "RegisterDBProxyTargets"))
            continue;
        registered = true;
        if (!in_force_ms || at_ms < in_force_ms)
            FAULT(faults, "the proxy got the new cluster %lld ms before its password was in force",
                  (long long)(in_force_ms - at_ms));
    }
    if (!registered)
        FAULT(faults, "the proxy never got the new cluster");
}

int64_t gap_seen_ms(const struct json *journal)
{
    int64_t out_ms = 0, at_ms = 0;

    json_each (row, journal) {
        const char *operation = json_get_text(row, "operation", "");

        if (!text_equal(json_get_text(row, "effect", ""), "changed") &&
            !text_equal(json_get_text(row, "effect", ""), "created"))
            continue;
        time_parse(str_of(json_get_text(row, "time", "")), &at_ms);
        if (text_equal(operation, "DeregisterDBProxyTargets") && !out_ms)
            out_ms = at_ms;
        if (text_equal(operation, "RegisterDBProxyTargets") && out_ms)
            return at_ms - out_ms;
    }
    return -1;
}

int64_t gap_said_s(const struct json *object)
{
    const struct json *row = named(json_at(object, "status.switchover.steps"), "Proxies/shop-stg");
    const char *said = json_get_text(row, "evidence.secondsWithoutTarget", "");
    int64_t seconds = 0;

    return str_to_int(str_of(said), &seconds) ? seconds : -1;
}

/* It is measured until the proxy reaches the new target; looks and a process that died make it longer. */
#define GAP_SLACK_S (4 * 3600)

void check_gap(struct scenario *scenario, struct buf *faults)
{
    int64_t seen_ms = gap_seen_ms(scenario_journal(scenario));
    int64_t said_s = gap_said_s(scenario_object(scenario));

    if (seen_ms < 0)
        FAULT(faults, "the proxy's target was never exchanged");
    else if (said_s * 1000 < seen_ms || said_s * 1000 > seen_ms + SECONDS(GAP_SLACK_S))
        FAULT(faults, "the status says %lld s without a target; AWS saw at least %lld ms", (long long)said_s,
              (long long)seen_ms);
}

char *check_all(struct scenario *scenario)
{
    AUTO_BUF struct buf faults = BUF_MAX(FAULTS_MAX);

    check_success(scenario, &faults);
    check_exactly_once(scenario, &faults);
    check_production(scenario, &faults);
    check_history(scenario, &faults);
    check_password(scenario, &faults);
    check_gap(scenario, &faults);
    return faults.len ? buf_take(&faults) : NULL;
}
