/* kubectl delete at any moment, with crashes, lost answers and AWS out of reach: the object goes within ten
 * minutes, or within an hour when a switchover has to be put back; in the end nothing is left of an
 * unfinished run, and nothing that is used has gone. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define SOURCE_ACCOUNT "111111111111"
#define OLD_CLUSTER "shop-stg-20261022-030000-p3c8d"
#define OLD_TABLE "stg-sessions-20261022-030000-p3c8d"
/* The finalizer's ten minutes, and the pass that takes it away with its retries. */
#define GONE_WITHIN_MS (MINUTES(10) + SECONDS(90))
#define PUT_BACK_WITHIN_MS (HOURS(1) + SECONDS(90))
#define FAULTS_MAX (16 * KIB)

#define FAULT(faults, ...)               \
    do {                                 \
        buf_addf((faults), __VA_ARGS__); \
        buf_adds((faults), "\n");        \
    } while (0)

struct removal_story {
    const char *name;
    const char *fault; /* of every call of AWS, from the deletion on, for so long: */
    int64_t fault_ms;
    bool deletes_copies; /* spec.deletionPolicy Delete */
    bool refuses_status; /* the API server, from the deletion on */
};

struct deletion {
    const struct removal_story *story;
    size_t at_version; /* of the refresh */
    struct scenario *scenario;
    bool done, gone;
    bool was_finished; /* its run had done by then what it was for */
    bool was_half_switched;
    int64_t deleted_ms, gone_ms, deleted_wall_ms;
    char *run_id;
};

/* --- deleting --- */

static void reach_again(void *arg UNUSED, struct scenario *scenario)
{
    scenario_control(scenario, "DELETE", "/_sim/faults", NULL);
}

static void cut_off(struct deletion *deletion)
{
    if (!deletion->story->fault)
        return;
    scenario_control(deletion->scenario, "POST", "/_sim/faults", deletion->story->fault);
    scenario_later(deletion->scenario, deletion->story->fault_ms, reach_again, NULL);
}

/* How many of the rows that change what staging uses have begun, and how many are not done. */
static void count_changes(const struct json *object, size_t *ret_begun, size_t *ret_open)
{
    static const char *const changing[] = {"Proxies/", "Passwords/", "Parameters/", "Applications/"};

    *ret_begun = *ret_open = 0;
    json_each (row, json_at(object, "status.switchover.steps")) {
        const char *state = json_get_text(row, "state", "");

        for (size_t i = 0; i < COUNT_OF(changing); i++) {
            if (!str_starts(str_of(json_get_text(row, "name", "")), changing[i]))
                continue;
            *ret_begun += !text_equal(state, "Waiting");
            *ret_open += !text_equal(state, "Done");
        }
    }
}

static bool is_half_switched(const struct json *object)
{
    size_t begun, open;

    count_changes(object, &begun, &open);
    return begun && open;
}

/* Staging uses all of it: what is left, tidying up, makes it no less. */
static bool is_finished(const struct json *object)
{
    size_t begun, open;

    count_changes(object, &begun, &open);
    return begun && !open && !text_equal(json_get_text(object, "status.phase", ""), "PuttingBack") &&
           !text_equal(json_get_text(object, "status.phase", ""), "Failed");
}

static void delete_once(void *arg, struct scenario *scenario, const struct json *object)
{
    struct deletion *deletion = arg;
    struct sched *sched = scenario_sched(scenario);

    deletion->scenario = scenario;
    if (!object && deletion->done && !deletion->gone) {
        deletion->gone = true;
        deletion->gone_ms = sched_now_ms(sched);
    }
    if (object && deletion->done) /* what was under way then is written later */
        deletion->was_half_switched |= is_half_switched(object);
    if (!object || deletion->done ||
        memory_version_count(scenario_memory(scenario), &scenario_refresh) < deletion->at_version)
        return;
    deletion->done = true;
    deletion->deleted_ms = sched_now_ms(sched);
    deletion->deleted_wall_ms = sched_wall_ms(sched);
    deletion->was_finished = is_finished(object);
    deletion->was_half_switched = is_half_switched(object);
    deletion->run_id = xstrdup(json_get_text(object, "status.run.id", "no run"));
    cut_off(deletion);
    if (deletion->story->refuses_status)
        memory_refuse_status(scenario_memory(scenario));
    memory_delete(scenario_memory(scenario), &scenario_refresh);
}

/* --- what must hold --- */

static const struct json *account_named(struct scenario *scenario, const char *name)
{
    json_each (account, json_at(scenario_world(scenario), "accounts")) {
        if (text_equal(json_get_text(account, "name", ""), name))
            return account;
    }
    return NULL;
}

static bool has_id(const struct json *list, const char *key, const char *id)
{
    json_each (item, list) {
        if (text_equal(json_get_text(item, key, ""), id))
            return true;
    }
    return false;
}

static void check_gone(const struct deletion *deletion, struct buf *faults)
{
    if (!deletion->gone)
        FAULT(faults, "the object is still there");
    else if (deletion->gone_ms - deletion->deleted_ms >
             (deletion->was_half_switched ? PUT_BACK_WITHIN_MS : GONE_WITHIN_MS))
        FAULT(faults, "the object went only after %lld s",
              (long long)(deletion->gone_ms - deletion->deleted_ms) / 1000);
}

static const char *parameter_value(const struct json *staging, const char *name)
{
    json_each (parameter, json_at(staging, "ssm.parameters")) {
        if (text_equal(json_get_text(parameter, "name", ""), name))
            return json_get_text(parameter, "value", "");
    }
    return "";
}

static bool is_used(const struct json *staging, const char *name)
{
    return text_equal(json_get_text(staging, "rds.proxies[0].target", ""), name) ||
           strstr(parameter_value(staging, "/shop/stg/db_host"), name) ||
           text_equal(parameter_value(staging, "/shop/stg/sessions_table"), name);
}

/* Only what is used may stay there: of a switchover that could not be put back in time. */
static void check_leftovers(struct scenario *scenario, struct buf *faults)
{
    const struct json *staging = account_named(scenario, "staging");

    json_each (entry, json_member(memory_leftovers(scenario_memory(scenario)), "data")) {
        AUTO_JSON struct json *value = NULL;
        AUTO_ERR struct err *err = json_parse(str_of(json_get_text(entry, NULL, "")), NULL, &value);

        if (err || !is_used(staging, json_get_text(value, "identifier", "none")))
            FAULT(faults, "still a leftover: %s", json_get_text(entry, NULL, ""));
    }
}

static void check_copies(const struct json *staging, const char *list, const char *key, const char *run_id,
                         struct buf *faults)
{
    json_each (item, json_at(staging, list)) {
        const char *name = json_get_text(item, key, "");

        if (strstr(name, run_id) && !is_used(staging, name))
            FAULT(faults, "%s is still there", name);
    }
}

static void check_points(const struct json *account, const char *run_id, struct buf *faults)
{
    json_each (point, json_at(account, "backup.recoveryPoints")) {
        const char *run = json_get_text(
            json_member(json_member(point, "tags"), "stagingrefresh.dev/recovery-point-run"), NULL, "");

        if (text_equal(run, run_id))
            FAULT(faults, "recovery point %s of account %s is still there", json_get_text(point, "arn", ""),
                  json_get_text(account, "name", ""));
    }
}

/* Nothing of the run: a finished run's copies stay, unless they are to go and nobody uses them. */
static void check_nothing_left(const struct deletion *deletion, struct buf *faults)
{
    struct scenario *scenario = deletion->scenario;
    const struct json *staging;

    if (deletion->was_finished)
        return;
    check_points(account_named(scenario, "production"), deletion->run_id, faults);
    staging = account_named(scenario, "staging"); /* a look at the world ends the one before */
    check_points(staging, deletion->run_id, faults);
    check_copies(staging, "dynamodb.tables", "TableName", deletion->run_id, faults);
    check_copies(staging, "rds.clusters", "id", deletion->run_id, faults);
}

static void check_what_is_used(const struct deletion *deletion, struct buf *faults)
{
    const struct json *staging = account_named(deletion->scenario, "staging");
    const char *cluster = json_get_text(staging, "rds.proxies[0].target", "");
    const char *table = parameter_value(staging, "/shop/stg/sessions_table");

    if (!has_id(json_at(staging, "rds.clusters"), "id", cluster))
        FAULT(faults, "the proxy points at %s, which is gone", cluster);
    if (!has_id(json_at(staging, "dynamodb.tables"), "TableName", table))
        FAULT(faults, "the parameter names %s, which is gone", table);
    if (!has_id(json_at(staging, "rds.clusters"), "id", OLD_CLUSTER) ||
        !has_id(json_at(staging, "dynamodb.tables"), "TableName", OLD_TABLE))
        FAULT(faults, "what was there before has gone");
    if (!strstr(parameter_value(staging, "/shop/stg/db_host"), cluster))
        FAULT(faults, "the proxy uses %s, the parameter %s", cluster,
              parameter_value(staging, "/shop/stg/db_host"));
}

/* Production keeps everything but recovery points of ours. */
static void check_production_untouched(struct scenario *scenario, struct buf *faults)
{
    static const char *const allowed[] = {"StartBackupJob", "StartCopyJob", "StopBackupJob",
                                          "DeleteRecoveryPoint"};
    const struct json *production = account_named(scenario, "production");

    json_each (row, scenario_journal(scenario)) {
        const char *operation = json_get_text(row, "operation", "");
        bool fine = !text_equal(json_get_text(row, "account", ""), SOURCE_ACCOUNT);

        for (size_t i = 0; i < COUNT_OF(allowed) && !fine; i++)
            fine = text_equal(operation, allowed[i]);
        if (!fine)
            FAULT(faults, "%s was called in production", operation);
    }
    if (!has_id(json_at(production, "rds.clusters"), "id", "shop") ||
        !has_id(json_at(production, "dynamodb.tables"), "TableName", "sessions"))
        FAULT(faults, "a production database has gone");
}

static void check_one_start_each(struct scenario *scenario, struct buf *faults)
{
    static const char *const starts[] = {"StartBackupJob", "StartCopyJob", "StartRestoreJob"};

    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        int64_t count = journal_count(scenario_journal(scenario), starts[i], "created");

        if (count > 2)
            FAULT(faults, "%s created %lld jobs", starts[i], (long long)count);
    }
}

/* A call that was under way is one that nobody could call back: its answer takes up to 400 ms, and the cache
 * of the API server lags up to 3 s behind. */
#define UNDER_WAY_MS SECONDS(4)

/* Putting back starts nothing either: it registers, writes and restarts. */
static void check_nothing_started(const struct deletion *deletion, struct buf *faults)
{
    json_each (row, scenario_journal(deletion->scenario)) {
        struct str operation = str_of(json_get_text(row, "operation", ""));
        int64_t at_ms = 0;

        time_parse(str_of(json_get_text(row, "time", "")), &at_ms);
        if (at_ms > deletion->deleted_wall_ms + UNDER_WAY_MS &&
            (str_starts(operation, "Start") || str_starts(operation, "Create")))
            FAULT(faults, "%s, %lld ms after the object was deleted", operation.ptr,
                  (long long)(at_ms - deletion->deleted_wall_ms));
    }
}

/* Nothing could be put back that was not recorded. */
static bool may_be_mixed(const struct deletion *deletion)
{
    return deletion->story->refuses_status && deletion->was_half_switched;
}

static char *judge(const struct deletion *deletion, struct scenario *scenario)
{
    AUTO_BUF struct buf faults = BUF_MAX(FAULTS_MAX);

    if (!deletion->done)
        return NULL; /* it was over before */
    check_gone(deletion, &faults);
    check_nothing_started(deletion, &faults);
    check_leftovers(scenario, &faults);
    check_nothing_left(deletion, &faults);
    if (!may_be_mixed(deletion))
        check_what_is_used(deletion, &faults);
    check_production_untouched(scenario, &faults);
    check_one_start_each(scenario, &faults);
    if (!faults.len)
        return NULL;
    return xasprintf("%s, deleted at version %zu (run %s): %s", deletion->story->name, deletion->at_version,
                     deletion->run_id, buf_text(&faults));
}

static char *play(struct deletion *deletion, struct scenario_opts *opts)
{
    static const char *const delete_copies[] = {"deletionPolicy: Retain", "deletionPolicy: Delete", NULL};
    AUTO_SCENARIO struct scenario *scenario = NULL;
    char *faults;

    opts->on_write = delete_once;
    opts->on_write_arg = deletion;
    opts->settle_ms = HOURS(6);
    if (deletion->story->deletes_copies)
        opts->manifest_edits = delete_copies;
    scenario = scenario_new(opts);
    scenario_run(scenario);
    faults = judge(deletion, scenario);
    xfree(deletion->run_id);
    return faults;
}

/* --- at every version of the status, as it goes --- */

#define OUT_OF_REACH "{\"action\": \"drop-request\"}"

static const struct removal_story stories[] = {
    {.name = "all is well"},
    {.name = "AWS out of reach for 20 minutes", .fault = OUT_OF_REACH, .fault_ms = MINUTES(20)},
    {.name = "AWS out of reach for 3 minutes", .fault = OUT_OF_REACH, .fault_ms = MINUTES(3)},
    {.name = "copies are to go, too", .deletes_copies = true},
};

static char *check_version(uint64_t seed, void *arg UNUSED)
{
    struct deletion deletion = {.story = &stories[seed % COUNT_OF(stories)],
                                .at_version = seed / COUNT_OF(stories) + 1};
    AUTO_VARIANT struct variant variant = {0};

    variant_init(&variant, seed);
    return play(&deletion, &variant.opts);
}

static void a_deletion_at_any_version(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "deletion_at_version",
                                          .first = 0,
                                          .count = 80 * COUNT_OF(stories),
                                          .kind = SEEDS_SWEEP,
                                          .check = check_version}));
}

/* --- somebody else answers in AWS's stead --- */

static char *check_stranger(uint64_t seed, void *arg UNUSED)
{
    /* No code of an error: that is nobody's word on what is there. */
    static const struct removal_story story = {
        .name = "a proxy answers 404 to everything for 20 minutes",
        .fault = "{\"action\": \"error\", \"status\": 404, \"code\": \"\", \"message\": \"\"}",
        .fault_ms = MINUTES(20)};
    struct deletion deletion = {.story = &story, .at_version = seed + 1};
    AUTO_VARIANT struct variant variant = {0};

    variant_init(&variant, seed);
    return play(&deletion, &variant.opts);
}

static void a_deletion_that_a_stranger_answers(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){
        .name = "deletion_stranger", .first = 0, .count = 80, .kind = SEEDS_SWEEP, .check = check_stranger}));
}

/* --- the status cannot be written any more --- */

static char *check_refused(uint64_t seed, void *arg UNUSED)
{
    static const struct removal_story story = {.name = "no status is taken", .refuses_status = true};
    struct deletion deletion = {.story = &story, .at_version = seed + 2};
    AUTO_VARIANT struct variant variant = {0};

    variant_init(&variant, seed);
    return play(&deletion, &variant.opts);
}

static void a_deletion_without_a_status(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "deletion_without_status",
                                          .first = 0,
                                          .count = 60,
                                          .kind = SEEDS_SWEEP,
                                          .check = check_refused}));
}

/* --- with a crash at any call --- */

#define CALLS_DRAWN 300
#define VERSIONS_DRAWN 60

static char *check_crash(uint64_t seed, void *arg UNUSED)
{
    struct deletion deletion = {.story = &stories[seed % COUNT_OF(stories)],
                                .at_version = (seed * 7) % VERSIONS_DRAWN + 1};
    AUTO_VARIANT struct variant variant = {0};

    variant_init(&variant, seed);
    variant_add_crashes(&variant, CALLS_DRAWN);
    for (size_t i = 0; i < variant.opts.crash_count; i++)
        variant.opts.crashes[i].down_ms = SECONDS(5);
    return play(&deletion, &variant.opts);
}

static void a_deletion_with_crashes(void **state UNUSED)
{
    assert_true(seeds_run(
        &(struct seeds){.name = "deletion_with_crashes", .first = 1, .count = 300, .check = check_crash}));
}

/* Everywhere in one deletion: the process dies at each call after it. */
static const size_t versions[] = {4, 7, 10, 14, 20, 40, 60};
#define CALLS_SWEPT 150

static char *check_crash_after(uint64_t seed, void *arg UNUSED)
{
    struct deletion deletion = {.story = &stories[0], .at_version = versions[seed / (2 * CALLS_SWEPT)]};
    uint64_t call = seed % (2 * CALLS_SWEPT);
    AUTO_VARIANT struct variant variant = {0};

    variant_init(&variant, 5);
    variant.opts.workers = 2;
    variant.opts.crash_count = 1;
    variant.opts.crashes[0] =
        (struct crash){.at_call = (int64_t)call / 2 + 1, .after_deed = call % 2, .down_ms = SECONDS(5)};
    return play(&deletion, &variant.opts);
}

static void a_crash_at_any_call_of_a_deletion(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "crash_in_deletion",
                                          .first = 0,
                                          .count = 2 * CALLS_SWEPT * COUNT_OF(versions),
                                          .kind = SEEDS_SWEEP,
                                          .check = check_crash_after}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_deletion_at_any_version);
    TEST(&tests, a_deletion_that_a_stranger_answers);
    TEST(&tests, a_deletion_without_a_status);
    TEST(&tests, a_deletion_with_crashes);
    TEST(&tests, a_crash_at_any_call_of_a_deletion);
    return tests_run(&tests, "deletions");
}
