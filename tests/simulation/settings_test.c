/* Settings of copies in whole refreshes: where they come from, what is said of those that differ, and what
 * stops a run. That each property is compared and put right is the business of properties_test.c. */
#include "tests/simulation/invariants.h"
#include "tests/testing/assertions.h"

#define OLD_CLUSTER "shop-stg-20261022-030000-p3c8d"
#define OPEN "billingMode: PayPerRequest\n        timeToLive: {attributeName: expires}\n"
#define REPORT "policy: Automatic"
#define FAIL "differences: Fail\n    policy: Automatic"

struct row {
    const char *name;
    const char *world[6], *manifest[6]; /* edits */
    const char *faults[2];
    const char *failed;      /* the reason; NULL: the run succeeds */
    const char *says[3];     /* in the Restored condition, or in Ready of a run that failed */
    const char *says_not[2]; /* in the Restored condition */
    const char *table[4];    /* in the new table, as the world shows it */
    const char *cluster[3];  /* in the new cluster */
    int64_t targets;         /* scalable ones in staging */
};

#define REFUSE(service, operation, nth, code)                                                      \
    "{\"match\":{\"service\":\"" service "\",\"operation\":\"" operation                           \
    "\",\"account\":\"222222222222\"" nth "},\"action\":\"error\",\"status\":400,\"code\":\"" code \
    "\",\"message\":\"this cannot be\"}"

/* clang-format off */
static const struct row rows[] = {
    {.name = "the source is the model",
     .manifest = {"settingsFrom: PreviousCopy", "settingsFrom: Source"},
     .table = {"NEW_AND_OLD_IMAGES", "\"DeletionProtectionEnabled\":true", "\"pointInTimeRecovery\":true",
               "PAY_PER_REQUEST"}},
    {.name = "the source is the model, its capacity and auto scaling too",
     .manifest = {"settingsFrom: PreviousCopy", "settingsFrom: Source", OPEN, "billingMode: Provisioned\n"},
     .table = {"\"ReadCapacityUnits\":500", "\"timeToLive\":\"expires\""},
     .targets = 3},
    {.name = "the first run has no previous copy",
     .says = {"about sessions: there is no previous copy to take settings from"},
     .says_not = {"differs"},
     .table = {"\"timeToLive\":\"expires\"", "\"pointInTimeRecovery\":false"}},
    {.name = "no model at all",
     .manifest = {"settingsFrom: PreviousCopy", "settingsFrom: None"},
     .says_not = {"no previous copy", "differs"},
     .table = {"\"timeToLive\":\"expires\"", "\"DeletionProtectionEnabled\":false"}},
    {.name = "an alias of a key is that key",
     .manifest = {"key/11111111-2222-3333-4444-555555555555", "alias/staging", REPORT, FAIL},
     .says_not = {"key"}},
    {.name = "what the proxy points at is the copy in use",
     .world = {"backupRetentionDays: 1\n      created: -31d\n      tags: {env: staging}",
               "backupRetentionDays: 7\n      iamAuthentication: true\n      logExports: [audit]\n      created: -31d\n"
               "      tags: {env: staging, owner: shop}",
               "p3c8d-a, class: db.r6g.large", "p3c8d-a, class: db.r6g.xlarge"},
     .manifest = {REPORT, FAIL},
     .says = {"about main: its backup retention in days is 1, the copy in use has 7",
              "its tag owner is absent, the copy in use has shop",
              "instance a's class is db.r6g.large, the copy in use has db.r6g.xlarge"},
     .cluster = {"\"iamAuthentication\":true", "audit"}},
    {.name = "a cluster that differs is reported",
     .manifest = {"backupRetentionDays: 1", "backupRetentionDays: 7"},
     .faults = {REFUSE("rds", "ModifyDBCluster", ",\"nth\":1", "InvalidParameterCombination")},
     .says = {"main differs: its backup retention in days is 1 instead of 7 (cannot be changed: rds ModifyDBCluster: "
              "InvalidParameterCombination: this cannot be"}},
    {.name = "a cluster that differs stops the run",
     .manifest = {"backupRetentionDays: 1", "backupRetentionDays: 7", REPORT, FAIL},
     .faults = {REFUSE("rds", "ModifyDBCluster", ",\"nth\":1", "InvalidParameterCombination")},
     .failed = "CopyDiffers",
     .says = {"is not what was asked for: its backup retention in days is 1 instead of 7",
              "Staging uses what it used before"}},
    {.name = "a table that differs is reported",
     .faults = {REFUSE("dynamodb", "UpdateTimeToLive", "", "ValidationException")},
     .says = {"sessions differs: its time to live is off instead of expires"},
     .table = {"PAY_PER_REQUEST"}},
    {.name = "a table that differs stops the run",
     .manifest = {REPORT, FAIL},
     .faults = {REFUSE("dynamodb", "UpdateTimeToLive", "", "ValidationException")},
     .failed = "CopyDiffers",
     .says = {"sessions: Settings", "its time to live is off instead of expires", "set spec.switchover.differences to Report"}},
};
/* clang-format on */

/* --- looking --- */

static const struct json *named(const struct json *list, const char *key, const char *name)
{
    json_each (item, list) {
        if (str_starts(str_of(json_get_text(item, key, "")), name))
            return item;
    }
    return NULL;
}

static const struct json *staging_of(struct scenario *scenario)
{
    return named(json_at(scenario_world(scenario), "accounts"), "name", "staging");
}

static const char *message_of(struct scenario *scenario, const char *condition)
{
    return json_get_text(named(json_at(scenario_object(scenario), "status.conditions"), "type", condition),
                         "message", "");
}

/* The new one, in the way the world shows it; yours. */
static char *copy_text(struct scenario *scenario, const char *path, const char *key, const char *prefix)
{
    const struct json *copy = named(json_at(staging_of(scenario), path), key, prefix);

    return copy ? json_to_text(copy) : xstrdup("none");
}

static void expect_parts(const char *text, const char *const *parts, size_t count)
{
    for (size_t i = 0; i < count && parts[i]; i++)
        assert_text_contains(text, parts[i]);
}

static void expect_end(struct scenario *scenario, const struct row *row)
{
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    const struct json *journal;

    if (!row->failed)
        check_success(scenario, &faults);
    check_production(scenario, &faults);
    check_history(scenario, &faults);
    assert_text_equal(buf_text(&faults), "");
    if (!row->failed)
        return;
    assert_text_equal(
        json_get_text(named(json_at(scenario_object(scenario), "status.conditions"), "type", "Stalled"),
                      "reason", ""),
        row->failed);
    /* Before the switchover: nothing that staging uses was touched. */
    journal = scenario_journal(scenario);
    assert_number(journal_count(journal, "DeregisterDBProxyTargets", NULL), 0);
    assert_number(journal_count(journal, "PutParameter", NULL), 0);
    assert_number(journal_count(journal, "PutSecretValue", NULL), 0);
    assert_number(journal_count(journal, "UpdateService", NULL), 0);
    assert_text_equal(
        json_get_text(named(json_at(staging_of(scenario), "rds.proxies"), "name", "shop-stg"), "target", ""),
        OLD_CLUSTER);
}

static void ends_as_expected(void **state)
{
    const struct row *row = *state;
    const char *world[12] = {scenario_quick_world[0], scenario_quick_world[1], scenario_quick_world[2],
                             scenario_quick_world[3]};

    for (size_t i = 0; i < COUNT_OF(row->world); i++)
        world[4 + i] = row->world[i];
    AUTO_SCENARIO struct scenario *scenario = scenario_new(&(struct scenario_opts){
        .seed = 4, .world_edits = world, .manifest_edits = row->manifest, .faults = row->faults});
    scenario_run(scenario);
    expect_end(scenario, row);
    expect_parts(message_of(scenario, row->failed ? "Ready" : "Restored"), row->says, COUNT_OF(row->says));
    for (size_t i = 0; i < COUNT_OF(row->says_not) && row->says_not[i]; i++)
        assert_text_lacks(message_of(scenario, "Restored"), row->says_not[i]);
    AUTO_FREE char *table = copy_text(scenario, "dynamodb.tables", "TableName", "stg-sessions-202611");
    AUTO_FREE char *cluster = copy_text(scenario, "rds.clusters", "id", "shop-stg-202611");
    expect_parts(table, row->table, COUNT_OF(row->table));
    expect_parts(cluster, row->cluster, COUNT_OF(row->cluster));
    assert_number((int64_t)json_count(json_at(staging_of(scenario), "applicationAutoScaling.targets")),
                  row->targets);
}

/* --- the second run takes the first one's copy as its model --- */

struct second {
    bool began;
};

/* A stream that only the first run's spec asks for. */
static void begin_second(void *arg, struct scenario *scenario, const struct json *object)
{
    struct second *second = arg;
    AUTO_JSON struct json *patch = NULL;
    struct json *spec;

    if (second->began || !json_at(object, "status.run.completionTime"))
        return;
    second->began = true;
    patch = json_new_object();
    spec = json_new_object();
    json_set_copy(spec, "databases", json_at(object, "spec.databases"));
    json_remove(json_edit(spec, "databases[1].dynamodb.restore"), "stream");
    json_set_text(spec, "trigger", "again");
    json_set(patch, "spec", spec);
    AUTO_FREE char *text = json_to_text(patch);
    memory_patch(scenario_memory(scenario), &scenario_refresh, text);
}

static void the_previous_copy_is_the_model(void **state UNUSED)
{
    const char *edits[] = {
        "        timeToLive: {attributeName: expires}\n",
        "        timeToLive: {attributeName: expires}\n        stream: {viewType: KeysOnly}\n", NULL};
    struct second second = {0};
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = 5,
                                             .world_edits = scenario_quick_world,
                                             .manifest_edits = edits,
                                             .settle_ms = HOURS(3),
                                             .on_write = begin_second,
                                             .on_write_arg = &second});
    int64_t with_stream = 0;

    scenario_run(scenario);
    assert_true(second.began);
    json_each (table, json_at(staging_of(scenario), "dynamodb.tables")) {
        if (str_starts(str_of(json_get_text(table, "TableName", "")), "stg-sessions-202611"))
            with_stream +=
                text_equal(json_get_text(table, "StreamSpecification.StreamViewType", ""), "KEYS_ONLY");
    }
    assert_number(with_stream, 2);
    assert_text_lacks(message_of(scenario, "Restored"), "no previous copy");
    assert_text_equal(json_get_text(scenario_object(scenario), "status.phase", ""), "Succeeded");
}

/* --- a table that takes its time --- */

static int64_t calls_in_staging(struct scenario *scenario, const char *operation)
{
    int64_t count = 0;

    json_each (row, scenario_calls(scenario)) {
        if (text_equal(json_get_text(row, "operation", ""), operation) &&
            text_equal(json_get_text(row, "account", ""), "222222222222"))
            count += json_get_int(row, "count", 0);
    }
    return count;
}

/* Of changes that last twenty minutes each. */
static void a_busy_table_is_asked_for_its_status_alone(void **state UNUSED)
{
    const char *world[] = {scenario_quick_world[0], scenario_quick_world[1], scenario_quick_world[2],
                           "dynamodb: {backup: 20s, copy: 30s, restore: 90s, update: 20m}", NULL};
    const char *edits[] = {
        "        timeToLive: {attributeName: expires}\n",
        "        timeToLive: {attributeName: expires}\n        stream: {viewType: KeysOnly}\n", NULL};
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = 6, .world_edits = world, .manifest_edits = edits});

    scenario_run(scenario);
    assert_text_equal(json_get_text(scenario_object(scenario), "status.phase", ""), "Succeeded");
    print_message("%lld looks at tables, %lld at their time to live\n",
                  (long long)calls_in_staging(scenario, "DescribeTable"),
                  (long long)calls_in_staging(scenario, "DescribeTimeToLive"));
    assert_in_range(calls_in_staging(scenario, "DescribeTable"), 40, 120);
    assert_in_range(calls_in_staging(scenario, "DescribeTimeToLive"), 2, 12);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, ends_as_expected, rows);
    TEST(&tests, the_previous_copy_is_the_model);
    TEST(&tests, a_busy_table_is_asked_for_its_status_alone);
    return tests_run(&tests, "settings");
}
