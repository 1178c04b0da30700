/* Settings of the source as a model for its copy. */
#include "tests/simulation/invariants.h"
#include "tests/testing/assertions.h"

/* The source has a stream, time to live, recovery and protection; nothing of it is written in the spec. */
static void the_source_is_the_model(void **state)
{
    const char *edits[] = {"settingsFrom: PreviousCopy", "settingsFrom: Source", NULL};
    AUTO_SCENARIO struct scenario *scenario = scenario_new(
        &(struct scenario_opts){.seed = 4, .world_edits = scenario_quick_world, .manifest_edits = edits});
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    const struct json *found = NULL;

    (void)state;
    scenario_run(scenario);
    check_success(scenario, &faults);
    check_production(scenario, &faults);
    assert_text_equal(buf_text(&faults), "");
    json_each (account, json_at(scenario_world(scenario), "accounts")) {
        json_each (table, json_at(account, "dynamodb.tables")) {
            if (str_starts(str_of(json_get_text(table, "TableName", json_get_text(table, "name", ""))),
                           "stg-sessions-2026112"))
                found = table;
        }
    }
    AUTO_FREE char *text = found ? json_to_text(found) : xstrdup("none");
    assert_text_contains(text, "NEW_AND_OLD_IMAGES");
    assert_text_contains(text, "\"DeletionProtectionEnabled\":true");
    assert_text_contains(text, "\"pointInTimeRecovery\":true");
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, the_source_is_the_model);
    return tests_run(&tests, "settings");
}
