/* What is there in both accounts after several runs, with switch-to, failures and kills between them: what
 * the numbers of spec.retention say, and everything that is not ours. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define OLD "20261022-030000-p3c8d" /* last month's, that nobody knows the maker of */
#define SERIES "11111111-2222-3333-4444-555555555555/staging/shop"
#define LOOK_ALIKE "shop-stg-pitr"
#define LOOK_ALIKE_ARN "arn:aws:rds:ap-northeast-1:222222222222:cluster:" LOOK_ALIKE
#define RUNS_MAX 8

struct play;
struct story {
    const char *name;
    int previous, failed, points; /* of spec.retention */
    /* At each version of the object: says what comes next when its time has come. */
    void (*script)(struct play *play, const struct json *object);
    const char *const *faults;
    /* At the end. */
    size_t runs;          /* that have ended */
    const char *in_use;   /* "1": the copies of the second run that ended */
    const char *roles;    /* of the copies of database main, in order of their making: "Previous InUse" */
    size_t source_points; /* ours in each vault, of each database */
    const char *event;    /* must have been told */
};

struct play {
    const struct story *story;
    struct scenario *scenario;
    char *runs[RUNS_MAX]; /* in order, by their ends */
    size_t run_count;
    int said;
    bool is_speaking;
    char *fault; /* the first that was seen on the way */
};

/* --- on the way --- */

/* What was asked to go was Removing before, and is never anything else again. */
static void check_intents(struct play *play, const struct json *object)
{
    const struct json *journal = play->run_count ? scenario_journal(play->scenario) : NULL;

    json_each (row, journal) {
        const char *resource = json_get_text(row, "resource", "");

        if (!str_starts(str_of(json_get_text(row, "operation", "")), "DeleteDBCluster") &&
            !text_equal(json_get_text(row, "operation", ""), "DeleteTable"))
            continue;
        json_each (copy, json_at(object, "status.copies")) {
            if (!play->fault && text_equal(json_get_text(copy, "arn", "?"), resource) &&
                !text_equal(json_get_text(copy, "role", ""), "Removing"))
                play->fault =
                    xasprintf("%s was to be deleted and is %s", resource, json_get_text(copy, "role", ""));
        }
    }
}

/* --- speaking --- */

static void speak(struct play *play, const char *name, const char *value)
{
    AUTO_FREE char *patch =
        xasprintf("{\"metadata\":{\"annotations\":{\"stagingrefresh.dev/%s\":\"%s\"}}}", name, value);

    play->said++;
    memory_patch(scenario_memory(play->scenario), &scenario_refresh, patch);
}

static void heard(void *arg, struct scenario *scenario, const struct json *object)
{
    struct play *play = arg;
    const char *run = json_get_text(object, "status.run.id", "");

    play->scenario = scenario;
    if (play->is_speaking)
        return;
    if (json_at(object, "status.run.completionTime") && play->run_count < RUNS_MAX &&
        !(play->run_count && text_equal(play->runs[play->run_count - 1], run)))
        play->runs[play->run_count++] = xstrdup(run);
    check_intents(play, object);
    play->is_speaking = true;
    play->story->script(play, object);
    play->is_speaking = false;
}

static bool ended(const struct play *play, const struct json *object, size_t runs)
{
    return json_at(object, "status.run.completionTime") && play->run_count == runs &&
           (size_t)play->said == runs - 1;
}

static void run_again(struct play *play, const struct json *object)
{
    AUTO_FREE char *value = xasprintf("again-%zu", play->run_count);

    if (play->run_count && ended(play, object, play->run_count) && play->run_count < play->story->runs)
        speak(play, "run-requested", value);
}

/* Three runs, back to the second, and on: the first is not kept any more. */
static void go_back(struct play *play, const struct json *object)
{
    if (ended(play, object, 1) || ended(play, object, 2))
        run_again(play, object);
    else if (ended(play, object, 3))
        speak(play, "switch-to", "previous");
    else if (ended(play, object, 4))
        run_again(play, object);
    else if (ended(play, object, 5))
        speak(play, "switch-to", play->runs[0]); /* gone by now */
}

/* The second run is given up while its copies are being made. */
static void give_up_the_second(struct play *play, const struct json *object)
{
    if (ended(play, object, 1)) {
        run_again(play, object);
    } else if (play->run_count == 1 && play->said == 1 &&
               text_equal(json_get_text(object, "status.phase", ""), "Restoring") &&
               json_get_text(object, "status.databases[0].steps[2].externalID", NULL)) {
        memory_patch(scenario_memory(play->scenario), &scenario_refresh,
                     "{\"metadata\":{\"annotations\":{\"stagingrefresh.dev/cancel\":\"\"}}}");
        speak(play, "cancel", json_get_text(object, "status.run.id", ""));
    } else if (json_at(object, "status.run.completionTime") && play->run_count == 2 && play->said == 2) {
        speak(play, "run-requested", "after the failure");
    }
}

/* Somebody has made a point-in-time restore of a copy, and it got into the status. */
static void meet_a_look_alike(struct play *play, const struct json *object)
{
    if (!ended(play, object, 1))
        return;
    AUTO_JSON struct json *copies = json_copy(json_at(object, "status.copies"));
    AUTO_JSON struct json *copy = json_copy(json_at(object, "status.copies[0]"));
    AUTO_BUF struct buf patch = BUF_MAX(64 * KIB);

    json_set_text(copy, "arn", LOOK_ALIKE_ARN);
    json_set_text(copy, "identifier", LOOK_ALIKE);
    json_set_text(copy, "database", "main");
    json_set_text(copy, "kind", "Aurora");
    json_set_text(copy, "role", "Previous");
    json_append(copies, TAKE(copy));
    buf_adds(&patch, "{\"status\":{\"copies\":");
    json_print(copies, &patch);
    buf_adds(&patch, "}}");
    memory_patch(scenario_memory(play->scenario), &scenario_refresh, buf_text(&patch));
    run_again(play, object);
}

/* --- looking --- */

#define FAULT(faults, ...)               \
    do {                                 \
        buf_addf((faults), __VA_ARGS__); \
        buf_adds((faults), "\n");        \
    } while (0)

static const struct json *named(const struct json *list, const char *key, const char *name)
{
    json_each (item, list) {
        if (text_equal(json_get_text(item, key, ""), name))
            return item;
    }
    return NULL;
}

static const struct json *account(struct scenario *scenario, const char *name)
{
    return named(json_at(scenario_world(scenario), "accounts"), "name", name);
}

/* "Previous InUse" */
static char *roles_of(const struct json *object, const char *database)
{
    AUTO_BUF struct buf text = BUF_MAX(KIB);

    json_each (copy, json_at(object, "status.copies")) {
        if (text_equal(json_get_text(copy, "database", ""), database))
            buf_addf(&text, "%s%s", text.len ? " " : "", json_get_text(copy, "role", "?"));
    }
    return buf_take(&text);
}

/* The world holds what the status says, what is not ours, and nothing else. */
static void check_copies(struct scenario *scenario, struct buf *faults)
{
    const struct json *staging = account(scenario, "staging"), *object = scenario_object(scenario);
    const struct json *clusters = json_at(staging, "rds.clusters"),
                      *tables = json_at(staging, "dynamodb.tables");
    size_t known = 0;

    json_each (copy, json_at(object, "status.copies")) {
        const char *id = json_get_text(copy, "identifier", "");

        known++;
        if (!named(clusters, "id", id) && !named(tables, "TableName", id))
            FAULT(faults, "%s (%s) is not there", id, json_get_text(copy, "role", ""));
    }
    if (json_count(clusters) + json_count(tables) != known + 3)
        FAULT(faults, "%zu clusters and %zu tables are there; the status knows %zu copies",
              json_count(clusters), json_count(tables), known);
    if (!named(clusters, "id", "shop-stg-" OLD) || !named(clusters, "id", LOOK_ALIKE) ||
        !named(tables, "TableName", "stg-sessions-" OLD))
        FAULT(faults, "something that is not ours was deleted");
}

static size_t count_points(const struct json *account, const char *resource, bool ours)
{
    size_t count = 0;

    json_each (point, json_at(account, "backup.recoveryPoints")) {
        const char *series = json_get_text(
            json_member(json_member(point, "tags"), "stagingrefresh.dev/recovery-point-series"), NULL, NULL);

        count += str_ends(str_of(json_get_text(point, "resourceArn", "")), resource) &&
                 text_equal(series, SERIES) == ours &&
                 !text_equal(json_get_text(point, "status", ""), "DELETING");
    }
    return count;
}

static void check_points(struct scenario *scenario, size_t want, struct buf *faults)
{
    static const char *const accounts[] = {"production", "staging"}, *const resources[] = {":cluster:shop",
                                                                                           ":table/sessions"};

    for (size_t a = 0; a < COUNT_OF(accounts); a++) {
        for (size_t r = 0; r < COUNT_OF(resources); r++) {
            size_t got = count_points(account(scenario, accounts[a]), resources[r], true);

            if (got != want)
                FAULT(faults, "%zu recovery points of %s in %s, expected %zu", got, resources[r], accounts[a],
                      want);
        }
    }
    if (count_points(account(scenario, "production"), ":cluster:shop", false) != 1)
        FAULT(faults, "production's own recovery point was deleted");
}

/* In production nothing was called but what makes and deletes recovery points. */
static void check_production_calls(struct scenario *scenario, struct buf *faults)
{
    json_each (row, scenario_journal(scenario)) {
        const char *operation = json_get_text(row, "operation", "");

        if (text_equal(json_get_text(row, "account", ""), "111111111111") &&
            !text_equal(operation, "StartBackupJob") && !text_equal(operation, "StartCopyJob") &&
            !text_equal(operation, "DeleteRecoveryPoint"))
            FAULT(faults, "%s was called in production", operation);
    }
}

/* Nothing of these was ever asked to go, whatever came of it. */
static void check_never_touched(struct scenario *scenario, struct buf *faults)
{
    json_each (row, scenario_journal(scenario)) {
        const char *operation = json_get_text(row, "operation", ""),
                   *resource = json_get_text(row, "resource", "");

        if (str_starts(str_of(operation), "Delete") &&
            (strstr(resource, OLD) || strstr(resource, LOOK_ALIKE)))
            FAULT(faults, "%s was called for %s", operation, resource);
    }
}

static void check_in_use(struct scenario *scenario, const char *run, struct buf *faults)
{
    const struct json *staging = account(scenario, "staging");
    const struct json *proxy = named(json_at(staging, "rds.proxies"), "name", "shop-stg");
    const struct json *table = named(json_at(staging, "ssm.parameters"), "name", "/shop/stg/sessions_table");
    AUTO_FREE char *cluster = xasprintf("shop-stg-%s", run), *name = xasprintf("stg-sessions-%s", run);

    if (!text_equal(json_get_text(proxy, "target", "none"), cluster) ||
        !text_equal(json_get_text(proxy, "targets[0].state", "none"), "AVAILABLE"))
        FAULT(faults, "the proxy points at %s, which is %s; expected %s",
              json_get_text(proxy, "target", "none"), json_get_text(proxy, "targets[0].state", "none"),
              cluster);
    if (!text_equal(json_get_text(table, "value", ""), name))
        FAULT(faults, "the parameter names %s, expected %s", json_get_text(table, "value", ""), name);
}

static void check(struct play *play, struct buf *faults)
{
    const struct story *story = play->story;
    const struct json *object = scenario_object(play->scenario);
    AUTO_FREE char *main_roles = roles_of(object, "main"), *other_roles = roles_of(object, "sessions");
    size_t in_use = (size_t)(story->in_use[0] - '0');

    if (play->fault)
        FAULT(faults, "%s", play->fault);
    if (play->run_count != story->runs)
        FAULT(faults, "%zu runs have ended, expected %zu", play->run_count, story->runs);
    if (!text_equal(main_roles, story->roles) || !text_equal(other_roles, story->roles))
        FAULT(faults, "copies are %s and %s, expected %s", main_roles, other_roles, story->roles);
    if (story->event && !strstr(memory_events(scenario_memory(play->scenario)), story->event))
        FAULT(faults, "nobody was told %s", story->event);
    if (in_use < play->run_count)
        check_in_use(play->scenario, play->runs[in_use], faults);
    check_copies(play->scenario, faults);
    check_points(play->scenario, story->source_points, faults);
    check_production_calls(play->scenario, faults);
    check_never_touched(play->scenario, faults);
}

/* --- stories --- */

static const char *const one_refusal[] = {
    "{\"match\": {\"operation\": \"DeleteDBCluster\", \"times\": 400}, \"action\": \"refuse\"}", NULL};

// clang-format off
static const struct story stories[] = {
    {.name = "none is kept", .previous = 0, .points = 1, .script = run_again, .runs = 3,
     .in_use = "2", .roles = "InUse", .source_points = 1},
    {.name = "one is kept", .previous = 1, .points = 2, .script = run_again, .runs = 4,
     .in_use = "3", .roles = "Previous InUse", .source_points = 2},
    {.name = "two are kept", .previous = 2, .points = 100, .script = run_again, .runs = 4,
     .in_use = "3", .roles = "Previous Previous InUse", .source_points = 4},
    {.name = "back to an older one, and on", .previous = 2, .points = 2, .script = go_back, .runs = 5,
     .in_use = "4", .roles = "Previous Previous InUse", .source_points = 2, .event = "RequestRefused"},
    {.name = "a run that failed", .previous = 1, .points = 2, .script = give_up_the_second, .runs = 3,
     .in_use = "2", .roles = "Previous InUse", .source_points = 2},
    {.name = "a run that failed is looked at", .previous = 1, .failed = 1, .points = 2, .script = give_up_the_second,
     .runs = 3, .in_use = "2", .roles = "Previous Failed InUse", .source_points = 2},
    {.name = "a look-alike", .previous = 0, .points = 2, .script = meet_a_look_alike, .runs = 2,
     .in_use = "1", .roles = "InUse", .source_points = 2, .event = "NotRemoved"},
};
// clang-format on

#define LOOK_ALIKE_CLUSTER                                                                                  \
    "    - id: " LOOK_ALIKE "\n      engine: aurora-mysql\n"                                                \
    "      engineVersion: 8.0.mysql_aurora.3.08.2\n      databaseName: shop\n      masterUsername: admin\n" \
    "      masterPassword: staging-password\n      subnetGroup: staging\n"                                  \
    "      securityGroups: [sg-0123456789abcdef0]\n      parameterGroup: staging-aurora\n"                  \
    "      key: alias/staging\n"                                                                            \
    "      tags: {stagingrefresh.dev/self: shop-stg-20261122-000000-bcdfg, stagingrefresh.dev/series: "     \
    "\"" SERIES "\"}\n"
#define OWN_POINT                                                                                  \
    "    - name: staging-refresh\n      key: alias/staging-refresh\n      recoveryPoints:\n"       \
    "      - {resource: \"arn:aws:rds:ap-northeast-1:111111111111:cluster:shop\", created: -40d, " \
    "tags: {team: dba}}\n"

#define WORLD_EDITS                                                                                         \
    "    proxies:\n", LOOK_ALIKE_CLUSTER "    proxies:\n",                                                  \
        "    - {name: staging-refresh, key: alias/staging-refresh}\n", OWN_POINT,                           \
        "aurora: {backup: 12m, copy: 40m, restore: 35m}", "aurora: {backup: 40s, copy: 70s, restore: 60s}", \
        "dynamodb: {backup: 3m, copy: 6m, restore: 20m}", "dynamodb: {backup: 20s, copy: 30s, restore: 90s}"

static char *play_story(const struct story *story, struct scenario_opts *opts)
{
    static const char *const world_edits[] = {WORLD_EDITS, NULL};
    AUTO_FREE char *numbers =
        xasprintf("    previousCopies: %d\n    failedCopies: %d\n", story->previous, story->failed);
    AUTO_FREE char *points = xasprintf("    recoveryPoints: %d\n", story->points);
    const char *const manifest_edits[] = {"    previousCopies: 1\n    failedCopies: 0\n", numbers,
                                          "    recoveryPoints: 2\n", points, NULL};
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    struct play play = {.story = story};
    AUTO_SCENARIO struct scenario *scenario = NULL;

    opts->world_edits = world_edits;
    opts->manifest_edits = manifest_edits;
    opts->faults = story->faults;
    opts->settle_ms = HOURS(3);
    opts->on_write = heard;
    opts->on_write_arg = &play;
    scenario = play.scenario = scenario_new(opts);
    scenario_run(scenario);
    check(&play, &faults);
    xfree(play.fault);
    for (size_t i = 0; i < play.run_count; i++)
        xfree(play.runs[i]);
    return faults.len ? buf_take(&faults) : NULL;
}

static void keeps_what_it_should(void **state)
{
    struct scenario_opts opts = {.seed = 5};
    AUTO_FREE char *fault = play_story(*state, &opts);

    assert_text_equal(fault, NULL);
}

/* --- one object per run, as a CronJob creates them --- */

static const struct object_id second_object = {
    .kind = OBJECT_REFRESH, .namespace = "staging", .name = "shop-2"};

static void create_the_second(void *arg, struct scenario *scenario, const struct json *object)
{
    bool *created = arg;

    if (*created || !json_at(object, "status.run.completionTime"))
        return;
    *created = true;
    AUTO_JSON struct json *manifest = json_new_object();
    struct json *metadata = json_new_object(), *spec = json_copy(json_member(object, "spec"));

    json_set_text(manifest, "apiVersion", json_get_text(object, "apiVersion", ""));
    json_set_text(manifest, "kind", json_get_text(object, "kind", ""));
    json_set_text(metadata, "name", second_object.name);
    json_set_text(metadata, "namespace", second_object.namespace);
    json_set(manifest, "metadata", metadata);
    json_set_text(spec, "series", "shop");
    json_set(manifest, "spec", spec);
    memory_create(scenario_memory(scenario), manifest);
}

/* The second run knows what the first object has made, and removes it. */
static void objects_of_a_series_follow_one_another(void **state UNUSED)
{
    static const char *const world_edits[] = {WORLD_EDITS, NULL};
    static const char *const manifest_edits[] = {"    previousCopies: 1\n", "    previousCopies: 0\n", NULL};
    bool created = false;
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = 5,
                                             .world_edits = world_edits,
                                             .manifest_edits = manifest_edits,
                                             .settle_ms = HOURS(2),
                                             .on_write = create_the_second,
                                             .on_write_arg = &created});
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    const struct json *second;

    scenario_run(scenario);
    second = memory_get(scenario_memory(scenario), &second_object);
    AUTO_FREE char *first_roles = roles_of(scenario_object(scenario), "main");
    AUTO_FREE char *second_roles = roles_of(second, "main");

    assert_text_equal(json_get_text(second, "status.phase", ""), "Succeeded");
    assert_text_equal(first_roles, "Previous"); /* that it is gone is the second one's to know */
    assert_text_equal(second_roles, "InUse");
    assert_number((int64_t)json_count(json_at(account(scenario, "staging"), "rds.clusters")), 3);
    assert_number((int64_t)json_count(json_at(account(scenario, "staging"), "dynamodb.tables")), 2);
    check_never_touched(scenario, &faults);
    check_in_use(scenario, json_get_text(second, "status.run.id", ""), &faults);
    assert_text_equal(buf_text(&faults), "");
}

/* --- a copy that somebody has deleted --- */

#define NOWHERE "shop-stg-20250101-000000-zzzzz"

struct deleted {
    int scene;
    bool is_speaking;
};

/* The status names a copy that is not there, and somebody wants to go back to it. */
static void ask_for_what_is_gone(void *arg, struct scenario *scenario, const struct json *object)
{
    struct deleted *deleted = arg;

    if (deleted->is_speaking || deleted->scene || !json_at(object, "status.run.completionTime"))
        return;
    deleted->scene++;
    AUTO_JSON struct json *copies = json_copy(json_at(object, "status.copies"));
    AUTO_BUF struct buf patch = BUF_MAX(64 * KIB);

    json_each (copy, json_at(object, "status.copies")) {
        struct json *gone = json_copy(copy);
        bool aurora = text_equal(json_get_text(copy, "database", ""), "main");
        AUTO_FREE char *arn = xasprintf("arn:aws:rds:ap-northeast-1:222222222222:cluster:" NOWHERE "%s",
                                        aurora ? "" : "-table");

        json_set_text(gone, "arn", arn);
        json_set_text(gone, "identifier", NOWHERE);
        json_set_text(gone, "runID", "20250101-000000-zzzzz");
        json_set_text(gone, "role", "Previous");
        json_append(copies, gone);
    }
    buf_adds(&patch, "{\"metadata\":{\"annotations\":{\"stagingrefresh.dev/switch-to\":\"previous\"}},"
                     "\"status\":{\"copies\":");
    json_print(copies, &patch);
    buf_adds(&patch, "}}");
    deleted->is_speaking = true;
    memory_patch(scenario_memory(scenario), &scenario_refresh, buf_text(&patch));
    deleted->is_speaking = false;
}

static void nobody_goes_back_to_what_is_gone(void **state UNUSED)
{
    static const char *const world_edits[] = {WORLD_EDITS, NULL};
    struct deleted deleted = {0};
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = 5,
                                             .world_edits = world_edits,
                                             .settle_ms = HOURS(1),
                                             .on_write = ask_for_what_is_gone,
                                             .on_write_arg = &deleted});
    const struct json *object;

    scenario_run(scenario);
    object = scenario_object(scenario);
    AUTO_FREE char *roles = roles_of(object, "main");
    assert_text_contains(memory_events(scenario_memory(scenario)), "is not there any more");
    assert_text_contains(memory_events(scenario_memory(scenario)), "no copy of database main is kept");
    assert_text_equal(roles, "InUse");
    assert_text_equal(json_get_text(object, "status.phase", ""), "Succeeded");
    assert_number((int64_t)json_count(json_at(object, "status.history")), 1);
}

/* --- refusals --- */

/* AWS refuses for ever: the runs succeed all the same, and say what is left. */
static void a_refusal_fails_no_run(void **state UNUSED)
{
    static const struct story story = {.name = "refused",
                                       .previous = 0,
                                       .points = 2,
                                       .script = run_again,
                                       .faults = one_refusal,
                                       .runs = 2,
                                       .in_use = "1",
                                       .roles = "",
                                       .source_points = 2,
                                       .event = "NotRemoved"};
    struct scenario_opts opts = {.seed = 5};
    AUTO_FREE char *fault = play_story(&story, &opts);

    /* The table went, the cluster could not. */
    assert_text_equal(fault, "copies are Removing InUse and InUse, expected \n");
}

/* --- killed at any call --- */

static char *check_seed(uint64_t seed, void *arg UNUSED)
{
    AUTO_VARIANT struct variant variant = {0};
    char *fault;

    variant_init(&variant, seed);
    variant_add_crashes(&variant, 900);
    fault = play_story(&stories[seed % COUNT_OF(stories)], &variant.opts);
    return fault;
}

static void a_kill_between_any_two_calls_does_no_harm(void **state UNUSED)
{
    assert_true(
        seeds_run(&(struct seeds){.name = "retention", .first = 1, .count = 60, .check = check_seed}));
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, keeps_what_it_should, stories);
    TEST(&tests, objects_of_a_series_follow_one_another);
    TEST(&tests, nobody_goes_back_to_what_is_gone);
    TEST(&tests, a_refusal_fails_no_run);
    TEST(&tests, a_kill_between_any_two_calls_does_no_harm);
    return tests_run(&tests, "retention");
}
