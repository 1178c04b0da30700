/* One fault at a time in each step of the switchover: once it ceases, proxies and parameters are wholly new
 * or wholly old, the status says which, and applications were restarted after the last change. */
#include "tests/simulation/invariants.h"
#include "tests/testing/assertions.h"

#define OLD_CLUSTER "shop-stg-20261022-030000-p3c8d"
#define OLD_TABLE "stg-sessions-20261022-030000-p3c8d"

/* --- what staging is --- */

static const struct json *named(const struct json *list, const char *key, const char *name)
{
    json_each (item, list) {
        if (text_equal(json_get_text(item, key, ""), name))
            return item;
    }
    return NULL;
}

struct staging {
    const char *proxy, *health, *host, *table;
};

static struct staging look(struct scenario *scenario)
{
    const struct json *account = named(json_at(scenario_world(scenario), "accounts"), "name", "staging");
    const struct json *proxy = named(json_at(account, "rds.proxies"), "name", "shop-stg");
    const struct json *parameters = json_at(account, "ssm.parameters");

    return (struct staging){
        .proxy = json_get_text(proxy, "target", "none"),
        .health = json_get_text(proxy, "targets[0].state", "none"),
        .host = json_get_text(named(parameters, "name", "/shop/stg/db_host"), "value", "none"),
        .table = json_get_text(named(parameters, "name", "/shop/stg/sessions_table"), "value", "none"),
    };
}

static bool is_on(const struct staging *staging, const char *cluster, const char *table)
{
    return text_equal(staging->proxy, cluster) && text_equal(staging->health, "AVAILABLE") &&
           str_starts(str_of(staging->host), cluster) && text_equal(staging->table, table);
}

static bool restarted_after_the_last_change(const struct json *journal)
{
    static const char *const changes[] = {"RegisterDBProxyTargets", "DeregisterDBProxyTargets",
                                          "PutParameter", "PutSecretValue", "UpdateSecretVersionStage"};
    bool restarted = true;

    json_each (row, journal) {
        const char *operation = json_get_text(row, "operation", ""),
                   *effect = json_get_text(row, "effect", "");

        if (text_equal(effect, "refused") || text_equal(effect, "none"))
            continue;
        if (text_equal(operation, "UpdateService"))
            restarted = true;
        for (size_t i = 0; i < COUNT_OF(changes); i++) {
            if (text_equal(operation, changes[i]))
                restarted = false;
        }
    }
    return restarted;
}

/* The secret's content is not shown, but how often it went there and back is. */
static bool secret_is_new(const struct json *journal)
{
    bool is_new = false;

    json_each (row, journal) {
        const char *operation = json_get_text(row, "operation", ""),
                   *effect = json_get_text(row, "effect", "");

        if (text_equal(effect, "refused") || text_equal(effect, "none"))
            continue;
        if (text_equal(operation, "PutSecretValue"))
            is_new = true;
        if (text_equal(operation, "UpdateSecretVersionStage"))
            is_new = false;
    }
    return is_new;
}

enum end { END_NEW, END_OLD, END_WRONG };

static enum end judge(struct scenario *scenario, char **ret_fault)
{
    const struct json *object = scenario_object(scenario), *journal = scenario_journal(scenario);
    const struct json *databases = json_at(object, "status.databases");
    const struct json *succeeded = named(json_at(object, "status.conditions"), "type", "Succeeded");
    const char *status = json_get_text(succeeded, "status", "absent");
    struct staging staging = look(scenario);
    bool is_new = is_on(&staging, json_get_text(named(databases, "name", "main"), "copyIdentifier", "?"),
                        json_get_text(named(databases, "name", "sessions"), "copyIdentifier", "?")) &&
                  secret_is_new(journal);
    bool is_old = is_on(&staging, OLD_CLUSTER, OLD_TABLE) && !secret_is_new(journal);

    if (scenario_has_ended(scenario) && restarted_after_the_last_change(journal)) {
        if (is_new && text_equal(status, "True"))
            return END_NEW;
        if (is_old && text_equal(status, "False"))
            return END_OLD;
    }
    *ret_fault =
        xasprintf("proxy %s %s, host %.40s, table %s, secret %s, %s; Succeeded %s: %s", staging.proxy,
                  staging.health, staging.host, staging.table, secret_is_new(journal) ? "new" : "old",
                  restarted_after_the_last_change(journal) ? "restarted" : "not restarted since", status,
                  json_get_text(succeeded, "message", ""));
    return END_WRONG;
}

/* --- the table --- */

static const struct place {
    const char *step, *operation;
} places[] = {
    {"Proxies", "DeregisterDBProxyTargets"}, {"Proxies", "RegisterDBProxyTargets"},
    {"Proxies", "DescribeDBProxyTargets"},   {"Parameters", "PutParameter"},
    {"Parameters", "PutSecretValue"},        {"Applications", "UpdateService"},
    {"Applications", "DescribeServices"},
};

static const struct way {
    const char *name, *action; /* of a fault */
} ways[] = {
    {"failed before", "\"action\": \"error\", \"status\": 500"},
    {"refused", "\"action\": \"refuse\""},
    {"failed after", "\"action\": \"error\", \"status\": 500, \"after\": true"},
    {"answer lost", "\"action\": \"drop-reply\""},
};

/* How long it lasts: one call; until the switchover was given up; until the first tries to put back. */
static const int lengths[] = {1, 40, 160};

#define EDITS                                                                  \
    {                                                                          \
        "  retention:\n", "  timeouts: {switchover: 5m}\n  retention:\n", NULL \
    }
static const char *const edits[] = EDITS;

struct cell {
    size_t ends[END_WRONG + 1];
};

static void note_step(void *arg, struct scenario *scenario, const struct json *object);

static char *play(uint64_t seed, const char *fault, const struct crash *crash, void *where, enum end *ret_end)
{
    const char *const faults[] = {fault, NULL};
    struct scenario_opts opts = {.seed = seed,
                                 .world_edits = scenario_quick_world,
                                 .manifest_edits = edits,
                                 .faults = fault ? faults : NULL};
    AUTO_SCENARIO struct scenario *scenario = NULL;
    char *wrong = NULL;

    if (crash) {
        opts.crashes[0] = *crash;
        opts.crash_count = 1;
        opts.on_write = note_step;
        opts.on_write_arg = where;
    }
    scenario = scenario_new(&opts);
    scenario_run(scenario);
    *ret_end = judge(scenario, &wrong);
    return wrong;
}

static void print_row(const char *step, const char *where, const char *how, const struct cell *cell)
{
    printf("| %-12s | %-24s | %-24s | %4zu | %4zu | %4zu |\n", step, where, how, cell->ends[END_NEW],
           cell->ends[END_OLD], cell->ends[END_WRONG]);
}

#define SEEDS_PER_CELL 2

static size_t play_faults(const struct place *place, const struct way *way, int times)
{
    struct cell cell = {0};
    AUTO_FREE char *fault = xasprintf("{\"match\": {\"operation\": \"%s\", \"times\": %d}, %s}",
                                      place->operation, times, way->action);
    AUTO_FREE char *how = xasprintf("%s, %d x", way->name, times);

    for (uint64_t seed = 1; seed <= SEEDS_PER_CELL; seed++) {
        enum end end;
        AUTO_FREE char *wrong = play(seed, fault, NULL, NULL, &end);

        cell.ends[end]++;
        if (wrong)
            printf("%s: seed %llu: %s\n", fault, (unsigned long long)seed, wrong);
    }
    print_row(place->step, place->operation, how, &cell);
    return cell.ends[END_WRONG];
}

static void print_head(void)
{
    printf("| %-12s | %-24s | %-24s | %4s | %4s | %4s |\n", "step", "call", "fault", "new", "old", "else");
}

/* Under sanitizers a part must do: SR_SEEDS asks for fewer simulations. */
static bool in_brief(void)
{
    const char *wanted = getenv("SR_SEEDS");

    return wanted && strlen(wanted) < 3;
}

static void wholly_new_or_wholly_old(void **state UNUSED)
{
    size_t wrong = 0;

    print_head();
    for (size_t p = 0; p < COUNT_OF(places); p++) {
        for (size_t w = 0; w < COUNT_OF(ways); w++) {
            for (size_t l = 0; l < (in_brief() ? 1 : COUNT_OF(lengths)); l++)
                wrong += play_faults(&places[p], &ways[w], lengths[l]);
        }
    }
    assert_int_equal(wrong, 0);
}

/* --- killed --- */

enum where { BEFORE, PROXIES, PARAMETERS, APPLICATIONS, WHERE_COUNT };
static const char *const steps[] = {"before", "Proxies", "Parameters", "Applications"};

/* The step that the first process had come to when it died. */
static void note_step(void *arg, struct scenario *scenario, const struct json *object)
{
    enum where *where = arg;

    if (scenario_life_count(scenario))
        return;
    json_each (row, json_at(object, "status.switchover.steps")) {
        for (int i = PROXIES; i < WHERE_COUNT; i++) {
            if (str_starts(str_of(json_get_text(row, "name", "")), steps[i]) &&
                !text_equal(json_get_text(row, "state", ""), "Waiting"))
                *where = (enum where)i;
        }
    }
}

static void play_kill(int64_t call, bool after_deed, struct cell cells[WHERE_COUNT])
{
    const struct crash crash = {.at_call = call, .after_deed = after_deed, .down_ms = SECONDS(20)};
    enum where where = BEFORE;
    enum end end;
    AUTO_FREE char *wrong = play(1, NULL, &crash, &where, &end);

    cells[where].ends[end]++;
    if (wrong)
        printf("killed at call %lld: %s\n", (long long)call, wrong);
}

#define LAST_CALLS 110 /* of the run: the switchover, and what follows */

static void killed_anywhere(void **state UNUSED)
{
    AUTO_SCENARIO struct scenario *reference = scenario_new(
        &(struct scenario_opts){.seed = 1, .world_edits = scenario_quick_world, .manifest_edits = edits});
    struct cell cells[2][WHERE_COUNT] = {0};
    int64_t last;

    scenario_run(reference);
    last = scenario_call_count(reference);
    scenario_free(TAKE(reference)); /* one at a time */
    for (int64_t call = last - LAST_CALLS; call <= last; call += in_brief() ? 8 : 1) {
        play_kill(call, false, cells[0]);
        play_kill(call, true, cells[1]);
    }
    print_head();
    for (int after = 0; after <= 1; after++) {
        for (int i = PROXIES; i < WHERE_COUNT; i++) {
            print_row(steps[i], "every call", after ? "killed after" : "killed before", &cells[after][i]);
            assert_int_equal(cells[after][i].ends[END_WRONG], 0);
            assert_true(in_brief() || cells[after][i].ends[END_NEW] > 3);
        }
    }
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, wholly_new_or_wholly_old);
    TEST(&tests, killed_anywhere);
    return tests_run(&tests, "switchover");
}
