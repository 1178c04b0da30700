/* A whole refresh, undisturbed: it succeeds, a seed fixes it, it takes no longer than its slowest database,
 * the proxy never sees a password that is not in force, and no secret is shown. */
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/testing/assertions.h"

static void assert_no_faults(char *faults)
{
    AUTO_FREE char *owned = faults;

    assert_text_equal(owned, NULL);
}

static struct scenario *run(const struct scenario_opts *opts)
{
    struct scenario *scenario = scenario_new(opts);

    scenario_run(scenario);
    return scenario;
}

static void a_refresh_succeeds(void **state UNUSED)
{
    struct sched *clock = sched_threads_new(1);
    int64_t began_ms = sched_now_ms(clock);
    AUTO_SCENARIO struct scenario *scenario = run(&(struct scenario_opts){.seed = 1});
    char took[TIME_TEXT_MAX];

    duration_text(scenario_duration_ms(scenario), took);
    printf("a refresh of %s in %lld ms: %lld calls, %zu versions of the status\n", took,
           (long long)(sched_now_ms(clock) - began_ms), (long long)scenario_call_count(scenario),
           memory_version_count(scenario_memory(scenario), &scenario_refresh));
    sched_free(clock);
    assert_no_faults(check_all(scenario));
}

/* --- in whose name --- */

static const char *tag_of(const struct json *session, const char *key)
{
    json_each (tag, json_member(session, "tags")) {
        if (text_equal(json_get_text(tag, "Key", ""), key))
            return json_get_text(tag, "Value", "");
    }
    return NULL;
}

static void check_sessions(struct scenario *scenario, const char *session_name, const char *run)
{
    AUTO_FREE char *tail = xasprintf("/%s", session_name);
    int named = 0;

    json_each (account, json_at(scenario_world(scenario), "accounts")) {
        json_each (session, json_at(account, "sts.sessions")) {
            if (!str_ends(str_of(json_get_text(session, "arn", "")), tail))
                continue;
            named++;
            assert_text_equal(tag_of(session, "stagingrefresh.dev/namespace"), scenario_refresh.namespace);
            assert_text_equal(tag_of(session, "stagingrefresh.dev/name"), scenario_refresh.name);
            assert_text_equal(tag_of(session, "stagingrefresh.dev/run"), run);
        }
    }
    assert_true(named >= 2); /* one in each account */
}

/* Whoever reads CloudTrail sees of every change which object and which run made it. */
static void changes_carry_the_name_of_the_run(void **state UNUSED)
{
    AUTO_SCENARIO struct scenario *scenario = run(&(struct scenario_opts){.seed = 3});
    const char *id = json_get_text(scenario_object(scenario), "status.run.id", "?");
    AUTO_FREE char *name = xasprintf("%s.%s.%s", scenario_refresh.namespace, scenario_refresh.name, id);
    AUTO_FREE char *tail = xasprintf("/%s", name);
    int changes = 0;

    json_each (row, scenario_journal(scenario)) {
        if (text_equal(json_get_text(row, "operation", ""), "AssumeRole"))
            continue;
        changes++;
        if (!str_ends(str_of(json_get_text(row, "principal", "")), tail))
            fail_msg("%s by %s", json_get_text(row, "operation", ""), json_get_text(row, "principal", ""));
    }
    assert_true(changes > 10);
    check_sessions(scenario, name, id);
}

/* --- one seed, one history --- */

static char *history_text(uint64_t seed)
{
    AUTO_BUF struct buf text = BUF_MAX(64 * MIB);
    AUTO_SCENARIO struct scenario *scenario =
        run(&(struct scenario_opts){.seed = seed,
                                    .world_edits = scenario_quick_world,
                                    .api = {.lag_max_ms = 2000,
                                            .meddle_per_mille = 20,
                                            .lost_answer_per_mille = 20,
                                            .own_events_per_mille = 200}});
    size_t count = memory_version_count(scenario_memory(scenario), &scenario_refresh);

    json_print(scenario_journal(scenario), &text);
    for (size_t i = 0; i < count; i++)
        json_print(memory_version(scenario_memory(scenario), &scenario_refresh, i), &text);
    return buf_take(&text);
}

static void a_seed_fixes_everything(void **state UNUSED)
{
    AUTO_FREE char *first = history_text(7), *again = history_text(7), *other = history_text(8);

    assert_text_equal(first, again);
    assert_string_not_equal(first, other);
}

/* RDS takes a first backup of each new instance, for hours: it can be used meanwhile. */
static void a_first_backup_holds_nothing_up(void **state UNUSED)
{
    static const char *const world[] = {"durations:\n", "durations:\n  rds: {instanceBackup: 3h}\n", NULL};
    AUTO_SCENARIO struct scenario *scenario = run(&(struct scenario_opts){.seed = 3, .world_edits = world});

    assert_no_faults(check_all(scenario));
    assert_in_range(scenario_duration_ms(scenario), 1, HOURS(2));
}

/* --- side by side --- */

static const char *const without_sessions[] = {
    "  - name: sessions\n"
    "    recoveryPoint: {from: New}\n"
    "    dynamodb:\n"
    "      tableName: sessions\n"
    "      restore:\n"
    "        tableNamePrefix: stg-sessions\n"
    "        encryption: {type: AWSOwned}\n"
    "        settingsFrom: PreviousCopy\n"
    "        billingMode: PayPerRequest\n"
    "        timeToLive: {attributeName: expires}\n",
    "",
    "    - name: sessions-table\n"
    "      value: $(databases.sessions.tableName)\n"
    "      ssm: {name: /shop/stg/sessions_table}\n",
    "",
    NULL,
};

static int64_t time_at(const struct json *value, const char *path)
{
    int64_t ms = 0;

    time_parse(str_of(json_get_text(value, path, "")), &ms);
    return ms;
}

static int64_t run_ms(struct scenario *scenario)
{
    const struct json *object = scenario_object(scenario);

    return time_at(object, "status.run.completionTime") - time_at(object, "status.run.startTime");
}

/* From the beginning of the run until the database was through its pipeline. */
static int64_t pipeline_ms(struct scenario *scenario, const char *database)
{
    const struct json *object = scenario_object(scenario);
    int64_t end_ms = 0;

    json_each (one, json_at(object, "status.databases")) {
        if (!text_equal(json_get_text(one, "name", ""), database))
            continue;
        json_each (step, json_at(one, "steps"))
            end_ms = time_at(step, "completionTime");
    }
    return end_ms - time_at(object, "status.run.startTime");
}

/* `ms` is at most 2 % longer than `than_ms`. */
static void assert_hardly_longer(const char *what, int64_t ms, int64_t than_ms)
{
    printf("%s: %lld s, against %lld s\n", what, (long long)(ms / 1000), (long long)(than_ms / 1000));
    assert_true(than_ms > 0);
    assert_in_range(ms, 1, than_ms + than_ms / 50);
}

static void two_databases_take_as_long_as_the_slower_one(void **state UNUSED)
{
    AUTO_SCENARIO struct scenario *both = run(&(struct scenario_opts){.seed = 3});
    assert_no_faults(check_all(both));
    int64_t both_ms = run_ms(both), table_ms = pipeline_ms(both, "sessions");
    scenario_free(TAKE(both));

    AUTO_SCENARIO struct scenario *one =
        run(&(struct scenario_opts){.seed = 3, .manifest_edits = without_sessions});
    assert_hardly_longer("both, against the slower alone", both_ms, run_ms(one));
    scenario_free(TAKE(one));
    /* What the world takes for the table: its jobs, and what goes before and after each. */
    assert_hardly_longer("the table, against its jobs", table_ms,
                         MINUTES(3 + 6 + 20) + 3 * SECONDS(25 + 15) + SECONDS(90));
}

static void a_troubled_database_does_not_hold_up_the_other(void **state UNUSED)
{
    static const char *const faults[] = {
        "{\"match\": {\"service\": \"rds\", \"probability\": 0.6}, \"action\": \"throttle\"}", NULL};
    AUTO_SCENARIO struct scenario *calm = run(&(struct scenario_opts){.seed = 3});
    int64_t calm_ms = pipeline_ms(calm, "sessions");
    scenario_free(TAKE(calm));

    AUTO_SCENARIO struct scenario *troubled = run(&(struct scenario_opts){.seed = 3, .faults = faults});
    assert_no_faults(check_all(troubled));
    assert_hardly_longer("the table beside a troubled cluster", pipeline_ms(troubled, "sessions"), calm_ms);
}

/* --- the password --- */

static const struct {
    int64_t lag_s, reset_s;
} resets[] = {{0, 1}, {1, 1}, {8, 20}, {30, 5}, {60, 1}, {100, 10}, {8, 100}, {20, 60}, {55, 55}};

static const char *const signs[] = {
    "{pendingMask: true, status: true, event: true}",    "{pendingMask: false, status: true, event: false}",
    "{pendingMask: false, status: false, event: true}",  "{pendingMask: true, status: false, event: false}",
    "{pendingMask: false, status: false, event: false}",
};

static char *check_reset(uint64_t seed, void *arg UNUSED)
{
    int64_t lag_s = resets[seed % COUNT_OF(resets)].lag_s, reset_s = resets[seed % COUNT_OF(resets)].reset_s;
    AUTO_FREE char *shown = xasprintf("    hostPart: c00000staging\n    passwordReset: %s\n",
                                      signs[seed / COUNT_OF(resets) % COUNT_OF(signs)]);
    AUTO_FREE char *durations = xasprintf("dynamodb: {backup: 20s, copy: 30s, restore: 90s}\n"
                                          "  rds: {passwordLag: %llds, passwordReset: %llds}",
                                          (long long)lag_s, (long long)reset_s);
    const char *const edits[] = {scenario_quick_world[0],
                                 scenario_quick_world[1],
                                 scenario_quick_world[2],
                                 durations,
                                 "    hostPart: c00000staging\n",
                                 shown,
                                 NULL};
    AUTO_SCENARIO struct scenario *scenario = run(
        &(struct scenario_opts){.seed = seed, .world_edits = edits, .password_ms = SECONDS(lag_s + reset_s)});

    return check_all(scenario);
}

static void the_proxy_waits_for_the_password(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "password",
                                          .first = 0,
                                          .count = 2 * COUNT_OF(resets) * COUNT_OF(signs),
                                          .kind = SEEDS_SWEEP,
                                          .check = check_reset}));
}

/* --- secrets --- */

static void no_secret_is_logged(void **state UNUSED)
{
    int fd = memfd_create("log", MFD_CLOEXEC);
    AUTO_SCENARIO struct scenario *scenario =
        run(&(struct scenario_opts){.seed = 1, .world_edits = scenario_quick_world, .log_fd = fd});
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    struct stat about;

    assert_int_equal(fstat(fd, &about), 0);
    assert_true(about.st_size > 1000);
    AUTO_FREE char *text = xcalloc(1, (size_t)about.st_size + 1);
    assert_number(pread(fd, text, (size_t)about.st_size, 0), about.st_size);
    check_no_secret(text, "the log", &faults);
    assert_text_equal(buf_text(&faults), "");
    close(fd);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_refresh_succeeds);
    TEST(&tests, changes_carry_the_name_of_the_run);
    TEST(&tests, a_seed_fixes_everything);
    TEST(&tests, a_first_backup_holds_nothing_up);
    TEST(&tests, two_databases_take_as_long_as_the_slower_one);
    TEST(&tests, a_troubled_database_does_not_hold_up_the_other);
    TEST(&tests, the_proxy_waits_for_the_password);
    TEST(&tests, no_secret_is_logged);
    return tests_run(&tests, "refresh");
}
