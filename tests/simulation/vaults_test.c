/* Recovery points that are there already: the newest one that is young enough is used, and nothing is backed
 * up (or copied) for it. */
#include "tests/simulation/invariants.h"
#include "tests/testing/assertions.h"

#define CLUSTER "\"arn:aws:rds:ap-northeast-1:111111111111:cluster:shop\""
#define TABLE "\"arn:aws:dynamodb:ap-northeast-1:111111111111:table/sessions\""
#define POINTS(created)                                                \
    "recoveryPoints: [{resource: " CLUSTER ", created: " created "}, " \
    "{resource: " TABLE ", created: " created "}]"
#define SOURCE_VAULT "{name: staging-refresh, key: alias/staging-refresh}"
#define SOURCE_VAULT_WITH(created) "{name: staging-refresh, key: alias/staging-refresh, " POINTS(created) "}"
#define TARGET_VAULT "      key: alias/staging\n      policy:"
#define TARGET_VAULT_WITH(created) "      key: alias/staging\n      " POINTS(created) "\n      policy:"

struct row {
    const char *name;
    const char *world_edits[3], *manifest_edits[5];
    int64_t copies;
    bool fails;
};

static const struct row rows[] = {
    {.name = "source vault",
     .world_edits = {SOURCE_VAULT, SOURCE_VAULT_WITH("-5h")},
     .manifest_edits = {"{from: New}", "{from: SourceVault, maxAge: 24h}"},
     .copies = 2},
    {.name = "target vault",
     .world_edits = {TARGET_VAULT, TARGET_VAULT_WITH("-5h")},
     .manifest_edits = {"{from: New}", "{from: TargetVault, maxAge: 24h}"}},
    {.name = "target vault without a source",
     .world_edits = {TARGET_VAULT, TARGET_VAULT_WITH("-5h")},
     .manifest_edits = {"{from: New}", "{from: TargetVault, maxAge: 24h}",
                        "  sourceRef: {name: production}\n", ""}},
    {.name = "too old",
     .world_edits = {TARGET_VAULT, TARGET_VAULT_WITH("-30h")},
     .manifest_edits = {"{from: New}", "{from: TargetVault, maxAge: 24h}"},
     .fails = true},
};

static void uses_what_is_there(void **state)
{
    const struct row *row = *state;
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = 3,
                                             .world_edits = row->world_edits,
                                             .manifest_edits = row->manifest_edits,
                                             .deadline_ms = HOURS(6)});
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);

    scenario_run(scenario);
    assert_number(journal_count(scenario_journal(scenario), "StartBackupJob", NULL), 0);
    assert_number(journal_count(scenario_journal(scenario), "StartCopyJob", NULL), row->copies);
    if (row->fails) {
        assert_text_contains(
            json_get_text(scenario_object(scenario), "status.databases[0].steps[0].message", ""),
            "no usable recovery point of shop that was made within");
        return;
    }
    check_success(scenario, &faults);
    check_production(scenario, &faults);
    check_history(scenario, &faults);
    check_password(scenario, &faults);
    assert_text_equal(buf_text(&faults), "");
    assert_text_equal(json_get_text(scenario_object(scenario), "status.databases[0].steps[0].state", ""),
                      "Skipped");
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, uses_what_is_there, rows);
    return tests_run(&tests, "vaults");
}
