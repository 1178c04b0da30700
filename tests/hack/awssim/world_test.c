/* Mistakes in a world file are told with their line. */
#include "hack/awssim/awssim.h"
#include "tests/testing/assertions.h"

#define ACCOUNT "accounts:\n- id: '111111111111'\n  region: r\n"

static const struct row {
    const char *name, *world, *error; /* error NULL: fine */
} rows[] = {
    {.name = "least", .world = ACCOUNT},
    {.name = "no YAML", .world = "a: [", .error = "w.yaml:2"},
    {.name = "no accounts", .world = "organization: {id: o-x}\n", .error = "w.yaml:1: accounts: required"},
    {.name = "unknown key at the top",
     .world = ACCOUNT "colour: red\n",
     .error = "w.yaml:4: colour: unknown key"},
    {.name = "unknown key below",
     .world = "accounts:\n- id: '111111111111'\n  region: r\n  backup:\n    vault: []\n",
     .error = "w.yaml:5: accounts[0].backup.vault: unknown key; known are optIn, fullManagement, vaults"},
    {.name = "an id that YAML takes for a number",
     .world = "accounts:\n- id: 111111111111\n  region: r\n",
     .error = "w.yaml:2: accounts[0].id: expected text"},
    {.name = "a short id",
     .world = "accounts:\n- id: '1'\n  region: r\n",
     .error = "w.yaml:2: accounts[0].id: an account id"},
    {.name = "no region",
     .world = "accounts:\n- id: '111111111111'\n",
     .error = "accounts[0].region: required"},
    {.name = "twice the same account",
     .world = ACCOUNT "- id: '111111111111'\n  region: r\n",
     .error = "w.yaml:4: accounts[1]: account 111111111111 in r is here twice"},
    {.name = "the same account in another Region", .world = ACCOUNT "- id: '111111111111'\n  region: s\n"},
    {.name = "a duration", .world = "durations: {backup: {failure: 90s}, aurora: {copy: 2h}}\n" ACCOUNT},
    {.name = "an unknown duration",
     .world = "durations: {aurora: {nap: 2h}}\n" ACCOUNT,
     .error = "w.yaml:1: durations.aurora.nap: unknown duration"},
    {.name = "a duration without a unit",
     .world = "durations: {aurora: {copy: '2'}}\n" ACCOUNT,
     .error = "expected a duration"},
    {.name = "limits",
     .world = "limits: {backups: 3, atLimit: refuse, requests: {backup: 5, ssm.PutParameter: 3}}\n" ACCOUNT},
    {.name = "an unknown limit",
     .world = "limits: {backupJobs: 300}\n" ACCOUNT,
     .error = "w.yaml:1: limits.backupJobs: unknown key; known are backups,"},
    {.name = "an unknown end of a limit",
     .world = "limits: {atLimit: explode}\n" ACCOUNT,
     .error = "must be one of: wait fail refuse"},
    {.name = "requests of an unknown service",
     .world = "limits: {requests: {s3: 5}}\n" ACCOUNT,
     .error = "w.yaml:1: limits.requests.s3: neither a service nor one of its operations"},
    {.name = "requests of an unknown operation",
     .world = "limits: {requests: {backup.Start: 5}}\n" ACCOUNT,
     .error = "neither a service nor one of its operations"},
    {.name = "requests in words",
     .world = "limits: {requests: {backup: five}}\n" ACCOUNT,
     .error = "expected a whole number"},
    {.name = "a vault's key",
     .world = ACCOUNT "  backup:\n    vaults:\n    - {name: v, key: alias/none}\n",
     .error = "w.yaml:6: accounts[0].backup.vaults[0]: key: there is no key alias/none"},
    {.name = "a recovery point of nothing",
     .world = ACCOUNT "  backup:\n    vaults:\n    - name: v\n      recoveryPoints: [{resource: "
                      "'arn:aws:rds:r:111111111111:cluster:x', created: -2d}]\n",
     .error = "there is no database"},
    {.name = "a role without trust",
     .world = ACCOUNT "  iam:\n    roles:\n    - {name: x}\n",
     .error = "trust: required"},
    {.name = "a trust in two",
     .world = ACCOUNT "  iam:\n    roles:\n    - {name: x, trust: [{service: a, principal: b}]}\n",
     .error = "exactly one of"},
    {.name = "an unknown managed policy",
     .world = ACCOUNT "  iam:\n    roles:\n    - {name: x, trust: [{service: a}], managed: [Admin]}\n",
     .error = "knows no policy Admin"},
    {.name = "a key's state",
     .world = ACCOUNT "  kms: {keys: [{id: k, state: Broken}]}\n",
     .error = "must be one of: Enabled Disabled PendingDeletion"},
    {.name = "an alias that is AWS's",
     .world = ACCOUNT "  kms: {keys: [{id: k, alias: alias/aws/rds}]}\n",
     .error = "alias"},
    {.name = "two documents",
     .world = ACCOUNT "---\n" ACCOUNT,
     .error = "a world is one document, this has 2"},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    struct sim_options options = {
        .world = str_of(row->world), .world_name = "w.yaml", .world_ms = 1795363200000, .seed = 1};
    struct sim *sim = NULL;
    struct err *err = awssim_new(&options, &sim);

    if (!row->error) {
        assert_no_err(err);
        awssim_free(sim);
        return;
    }
    assert_fails(err, ERR_INVALID, row->error);
    assert_null(sim);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, test_row, rows);
    return tests_run(&tests, "awssim world");
}
