/* Telling a bus of a refresh: each transition arrives once or more under one id, whatever crashes, and what
 * cannot be told changes nothing. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define ECS_GRANT "    - {type: ECSService, names: [shop-stg/web]}\n"
#define BUS_GRANT ECS_GRANT "    - {type: EventBus, names: [default]}\n"
#define TELL "  notifications:\n  - {name: bus, eventBridge: {busName: default}}\n"
#define MAY "      - events:PutEvents\n"
#define RDS_RULE \
    "        source: [aws.rds]\n        detail-type: [RDS DB Cluster Event, RDS DB Instance Event]\n"

static const char *const tells_a_bus[] = {ECS_GRANT, BUS_GRANT, "  switchover:\n    policy",
                                          TELL "  switchover:\n    policy", NULL};
/* The queue keeps what the bus was told: nobody reads it. */
#define WORLD RDS_RULE, "        source: [stagingrefresh.dev]\n"
static const char *const deaf_world[] = {MAY, "", WORLD, NULL};

static const char *const wanted[] = {"RunStarted", "SwitchingOver", "RunSucceeded"};

static void check_message(const char *body, char *ids[COUNT_OF(wanted)], size_t *counts, struct buf *faults)
{
    AUTO_JSON struct json *event = NULL;
    struct err *err = json_parse(str_of(body), NULL, &event);

    if (err) {
        err_ignore(err, "not one of ours");
        return;
    }
    check_no_secret(body, "a notification", faults);
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        const char *id = json_get_text(event, "detail.id", "");

        if (!text_equal(json_get_text(event, "detail.data.transition", ""), wanted[i]))
            continue;
        counts[i]++;
        if (!ids[i])
            ids[i] = xstrdup(id);
        if (!text_equal(ids[i], id))
            buf_addf(faults, "%s came as %s and as %s\n", wanted[i], ids[i], id);
    }
}

static const struct json *messages_of(const struct json *world)
{
    json_each (account, json_member(world, "accounts")) {
        const struct json *found = json_at(account, "sqs.queues[0].messages");

        if (found)
            return found;
    }
    return NULL;
}

static void check_told(struct scenario *scenario, struct buf *faults)
{
    char *ids[COUNT_OF(wanted)] = {0};
    size_t counts[COUNT_OF(wanted)] = {0};

    json_each (message, messages_of(scenario_world(scenario)))
        check_message(json_get_text(message, "body", ""), ids, counts, faults);
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        if (!counts[i])
            buf_addf(faults, "nobody was told of %s\n", wanted[i]);
        xfree(ids[i]);
    }
    if (json_count(json_at(scenario_object(scenario), "status.notifications")))
        buf_addf(faults, "something is still to be told\n");
}

static char *check_one(uint64_t seed, void *arg UNUSED)
{
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    AUTO_FREE char *all = NULL;
    AUTO_VARIANT struct variant variant = {0};
    AUTO_SCENARIO struct scenario *scenario = NULL;
    const char *edits[10] = {WORLD};

    variant_init(&variant, seed);
    for (size_t i = 0; i < COUNT_OF(variant.edits); i++)
        edits[2 + i] = variant.edits[i];
    variant.opts.world_edits = edits;
    variant.opts.manifest_edits = tells_a_bus;
    if (seed % 4)
        variant_add_crashes(&variant, 400);
    scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    all = check_all(scenario);
    if (all)
        buf_adds(&faults, all);
    check_told(scenario, &faults);
    return faults.len ? buf_take(&faults) : NULL;
}

static void each_transition_is_told_under_one_id(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){
        .name = "notifications", .first = 1, .count = 40, .kind = SEEDS_MANY, .check = check_one}));
}

/* The role may not put events: the run goes on, and a condition says what is wrong. */
static void what_cannot_be_told_changes_nothing(void **state UNUSED)
{
    AUTO_SCENARIO struct scenario *scenario = scenario_new(
        &(struct scenario_opts){.seed = 5, .world_edits = deaf_world, .manifest_edits = tells_a_bus});
    AUTO_FREE char *faults = NULL;
    bool said = false;

    scenario_run(scenario);
    faults = check_all(scenario);
    assert_text_equal(faults, NULL);
    json_each (condition, json_at(scenario_object(scenario), "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), "NotificationsFailing"))
            said = strstr(json_get_text(condition, "message", ""), "bus: events PutEvents: AccessDenied") !=
                   NULL;
    }
    assert_true(said);
}

static void a_bus_that_is_not_granted_is_refused(void **state UNUSED)
{
    static const char *const edits[] = {"  switchover:\n    policy", TELL "  switchover:\n    policy", NULL};
    AUTO_SCENARIO struct scenario *scenario = scenario_new(&(struct scenario_opts){
        .seed = 5, .manifest_edits = edits, .deadline_ms = MINUTES(5), .settle_ms = SECONDS(1)});

    scenario_run(scenario);
    assert_text_equal(json_get_text(scenario_object(scenario), "status.phase", ""), "Stalled");
    assert_non_null(strstr(memory_events(scenario_memory(scenario)), "does not grant EventBus default"));
    assert_number(journal_count(scenario_journal(scenario), "PutEvents", NULL), 0);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, each_transition_is_told_under_one_id);
    TEST(&tests, what_cannot_be_told_changes_nothing);
    TEST(&tests, a_bus_that_is_not_granted_is_refused);
    return tests_run(&tests, "notifications");
}
