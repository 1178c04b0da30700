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
/* Another team's production, which has a database of the same name. */
#define PAYROLL                                                                                   \
    "- id: \"222222222222\"\n  name: staging",                                                    \
        "- id: \"333333333333\"\n"                                                                \
        "  name: payroll\n"                                                                       \
        "  region: ap-northeast-1\n"                                                              \
        "  kms: {keys: [{id: 99999999-8888-7777-6666-333333333333, alias: alias/payroll}]}\n"     \
        "  rds:\n"                                                                                \
        "    hostPart: c0payroll\n"                                                               \
        "    subnetGroups: [{name: payroll, vpc: vpc-payroll}]\n"                                 \
        "    securityGroups: [{id: sg-0fedcba9876543333, vpc: vpc-payroll}]\n"                    \
        "    clusterParameterGroups: [{name: payroll-aurora, family: aurora-mysql8.0}]\n"         \
        "    clusters:\n"                                                                         \
        "    - {id: shop, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2,\n"        \
        "       masterUsername: admin, masterPassword: payroll-password, subnetGroup: payroll,\n" \
        "       securityGroups: [sg-0fedcba9876543333], parameterGroup: payroll-aurora,\n"        \
        "       key: alias/payroll, sizeGiB: 10}\n"                                               \
        "- id: \"222222222222\"\n"                                                                \
        "  name: staging"
#define PAYROLL_CLUSTER "\"arn:aws:rds:ap-northeast-1:333333333333:cluster:shop\""
#define TARGET_VAULT "      key: alias/staging\n      policy:"
#define TARGET_VAULT_OF(created, cluster, cluster_created)                                               \
    "      key: alias/staging\n      recoveryPoints: [{resource: " cluster ", created: " cluster_created \
    "}, {resource: " CLUSTER ", created: " created "}, {resource: " TABLE ", created: " created "}]\n"   \
    "      policy:"
#define TARGET_VAULT_WITH(created) "      key: alias/staging\n      " POINTS(created) "\n      policy:"

struct row {
    const char *name;
    const char *world_edits[5], *manifest_edits[7];
    int64_t copies;
    const char *says;    /* in the first row of the pipeline; NULL: anything */
    const char *stalled; /* nothing begins, and the message holds this */
    bool fails;
};

#define FROM_TARGET_VAULT "{from: New}", "{from: TargetVault, maxAge: 24h}"
#define NO_SOURCE FROM_TARGET_VAULT, "  sourceRef: {name: production}\n", ""
#define GRANT "{type: AuroraCluster, names: [shop]}"

static const struct row rows[] = {
    {.name = "source vault",
     .world_edits = {SOURCE_VAULT, SOURCE_VAULT_WITH("-5h")},
     .manifest_edits = {"{from: New}", "{from: SourceVault, maxAge: 24h}"},
     .copies = 2},
    {.name = "target vault",
     .world_edits = {TARGET_VAULT, TARGET_VAULT_WITH("-5h")},
     .manifest_edits = {FROM_TARGET_VAULT}},
    {.name = "target vault without a source",
     .world_edits = {TARGET_VAULT, TARGET_VAULT_WITH("-5h")},
     .manifest_edits = {NO_SOURCE}},
    {.name = "without a source, what nobody grants",
     .world_edits = {TARGET_VAULT, TARGET_VAULT_WITH("-5h")},
     .manifest_edits = {NO_SOURCE, GRANT, "{type: AuroraCluster, names: [ship]}"},
     .stalled = "no AWSAccount of usage Source grants AuroraCluster shop to namespace staging with target "
                "staging"},
    {.name = "without a source, the newest is of an account that grants nothing",
     .world_edits = {TARGET_VAULT, TARGET_VAULT_OF("-5h", PAYROLL_CLUSTER, "-1h"), PAYROLL},
     .manifest_edits = {NO_SOURCE},
     .says = " is 5h00m old"},
    {.name = "without a source, all there is is of an account that grants nothing",
     .world_edits = {TARGET_VAULT, TARGET_VAULT_OF("-30h", PAYROLL_CLUSTER, "-1h"), PAYROLL},
     .manifest_edits = {NO_SOURCE},
     .says = "vault staging-refresh in account 222222222222 has no usable recovery point of shop that was "
             "made within 1d0h and is granted; the newest is of account 333333333333 in ap-northeast-1: ask "
             "your platform team for a grant of AuroraCluster shop to namespace staging with target staging "
             "in the AWSAccount (usage Source) of that account and Region",
     .fails = true},
    {.name = "too old",
     .world_edits = {TARGET_VAULT, TARGET_VAULT_WITH("-30h")},
     .manifest_edits = {FROM_TARGET_VAULT},
     .says = "no usable recovery point of shop that was made within",
     .fails = true},
};

static const char *stalled_message(const struct json *object)
{
    json_each (condition, json_at(object, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), "Stalled"))
            return json_get_text(condition, "message", "");
    }
    return "";
}

static void uses_what_is_there(void **state)
{
    const struct row *row = *state;
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = 3,
                                             .world_edits = row->world_edits,
                                             .manifest_edits = row->manifest_edits,
                                             .deadline_ms = HOURS(6)});
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);
    const char *said;

    scenario_run(scenario);
    assert_number(journal_count(scenario_journal(scenario), "StartBackupJob", NULL), 0);
    assert_number(journal_count(scenario_journal(scenario), "StartCopyJob", NULL), row->copies);
    if (row->stalled) {
        assert_text_equal(json_get_text(scenario_object(scenario), "status.phase", ""), "Stalled");
        assert_text_contains(stalled_message(scenario_object(scenario)), row->stalled);
        return;
    }
    said = json_get_text(scenario_object(scenario), "status.databases[0].steps[0].message", "");
    if (row->says)
        assert_text_contains(said, row->says);
    if (row->fails)
        return;
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
