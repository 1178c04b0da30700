/* AWS's limits: how many jobs run at once, what becomes of one too many, and how many requests a second may
 * come. */
#include "tests/hack/awssim/client_fixture.h"

#include "pkg/base/times.h"

#define PROD "111111111111"
#define STG "222222222222"
#define ROLE(account) "arn:aws:iam::" account ":role/all"
#define VAULT "arn:aws:backup:ap-northeast-1:" STG ":backup-vault:v"
#define OTHER_VAULT "arn:aws:backup:ap-northeast-1:" STG ":backup-vault:w"
#define CLUSTER(name) "arn:aws:rds:ap-northeast-1:" PROD ":cluster:" name
#define TABLE(name) "arn:aws:dynamodb:ap-northeast-1:" PROD ":table/" name

#define POLICY                                                                             \
    "policy: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: '*', Action: " \
    "'backup:CopyIntoBackupVault', Resource: '*'}]}"
#define ROLES                                                                                        \
    "    roles:\n"                                                                                   \
    "    - name: all\n"                                                                              \
    "      trust: [{service: backup.amazonaws.com}, {principal: 'arn:aws:iam::" PROD ":user/me'}]\n" \
    "      allow: ['*']\n"
#define CLUSTER_OF(name)                                                                            \
    "    - {id: " name ", engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, "           \
    "masterUsername: admin, masterPassword: p, subnetGroup: default, securityGroups: [sg-1], key: " \
    "alias/one, instances: [{id: " name "-1, class: db.r6g.large}]}\n"

static const char world[] =
    "organization: {id: o-one, crossAccountBackup: true}\n"
    "accounts:\n"
    "- id: '" PROD "'\n"
    "  region: ap-northeast-1\n"
    "  iam:\n"
    "    users:\n"
    "    - {name: me, accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}], allow: ['*']}\n" ROLES
    "  kms: {keys: [{id: k1, alias: alias/one, sharedWith: ['" STG "']}]}\n"
    "  backup: {optIn: [Aurora, DynamoDB], fullManagement: [DynamoDB], vaults: [{name: v, key: alias/one}]}\n"
    "  rds:\n"
    "    subnetGroups: [{name: default, vpc: vpc-1, default: true}]\n"
    "    securityGroups: [{id: sg-1, vpc: vpc-1, default: true}]\n"
    "    clusters:\n" CLUSTER_OF("a")
        CLUSTER_OF("b") "  dynamodb:\n"
                        "    tables:\n"
                        "    - {name: table-t, hashKey: 'id:S', billingMode: PAY_PER_REQUEST}\n"
                        "    - {name: table-u, hashKey: 'id:S', billingMode: PAY_PER_REQUEST}\n"
                        "    - {name: table-x, hashKey: 'id:S', billingMode: PAY_PER_REQUEST}\n"
                        "    - {name: table-y, hashKey: 'id:S', billingMode: PAY_PER_REQUEST}\n"
                        "- id: '" STG "'\n"
                        "  region: ap-northeast-1\n"
                        "  iam:\n" ROLES "  kms: {keys: [{id: k2, alias: alias/two}]}\n"
                        "  backup:\n"
                        "    optIn: [Aurora, DynamoDB]\n"
                        "    vaults:\n"
                        "    - {name: v, key: alias/two, " POLICY "}\n"
                        "    - {name: w, key: alias/two, " POLICY "}\n"
                        "  rds:\n"
                        "    subnetGroups: [{name: default, vpc: vpc-2, default: true}]\n"
                        "    securityGroups: [{id: sg-2, vpc: vpc-2, default: true}]\n";

static void use_limits(const char *limits)
{
    AUTO_FREE char *text = xasprintf("limits: {%s}\n%s", limits, world);

    awssim_client_init(&client, text);
}

static void become(const char *account)
{
    AUTO_FREE char *role = xasprintf("arn:aws:iam::%s:role/all", account);

    awssim_client_use(&client, "AKIAEXAMPLE", "example-secret", NULL);
    if (!text_equal(account, PROD))
        awssim_client_assume(&client, role, NULL);
}

/* ---- jobs: each start gives the HTTP status, and the id in the answer ---- */

static int start_backup(const char *resource)
{
    AUTO_FREE char *body = xasprintf(
        "{\"BackupVaultName\":\"v\",\"ResourceArn\":\"%s\",\"IamRoleArn\":\"" ROLE(PROD) "\"}", resource);

    return awssim_rest(&client, "PUT", "/backup-jobs", body);
}

static int start_copy(const char *point, const char *vault)
{
    AUTO_FREE char *body =
        xasprintf("{\"RecoveryPointArn\":\"%s\",\"SourceBackupVaultName\":\"v\","
                  "\"DestinationBackupVaultArn\":\"%s\",\"IamRoleArn\":\"" ROLE(PROD) "\"}",
                  point, vault);

    return awssim_rest(&client, "PUT", "/copy-jobs", body);
}

static int start_restore(const char *point, const char *metadata)
{
    AUTO_FREE char *body =
        xasprintf("{\"RecoveryPointArn\":\"%s\",\"IamRoleArn\":\"" ROLE(STG) "\","
                                                                             "\"Metadata\":%s}",
                  point, metadata);

    return awssim_rest(&client, "PUT", "/restore-jobs", body);
}

static void expect(const char *kind, const char *id, const char *member, const char *want)
{
    AUTO_FREE char *target = xasprintf("/%s-jobs/%s", kind, id);

    assert_number(awssim_rest(&client, "GET", target, NULL), 200);
    assert_text_equal(awssim_text(&client, member), want);
}

static char *begun_backup(const char *resource)
{
    assert_number(start_backup(resource), 200);
    return xstrdup(awssim_text(&client, "BackupJobId"));
}

static char *begun_copy(const char *point, const char *vault)
{
    assert_number(start_copy(point, vault), 200);
    return xstrdup(awssim_text(&client, "CopyJobId"));
}

static char *backed_up(const char *resource)
{
    AUTO_FREE char *id = begun_backup(resource);

    awssim_client_advance(&client, MINUTES(15));
    expect("backup", id, "State", "COMPLETED");
    return xstrdup(awssim_text(&client, "RecoveryPointArn"));
}

/* One backup at a time: the second waits, begins when it looks again, and ends. */
static void test_a_backup_waits_its_turn(void **state)
{
    (void)state;
    use_limits("backups: 1");
    AUTO_FREE char *first = begun_backup(CLUSTER("a"));
    AUTO_FREE char *second = begun_backup(TABLE("table-t"));
    awssim_client_advance(&client, MINUTES(11));
    expect("backup", first, "State", "RUNNING");
    expect("backup", second, "State", "PENDING");
    awssim_client_advance(&client, MINUTES(10));
    expect("backup", first, "State", "COMPLETED");
    expect("backup", second, "State", "RUNNING");
    awssim_client_advance(&client, MINUTES(3));
    expect("backup", second, "State", "COMPLETED");
}

static void test_a_backup_waits_no_longer_than_its_window(void **state)
{
    AUTO_FREE char *long_backup =
        xasprintf("backups: 1}\ndurations: {aurora: {backup: 12h}, backup: {retry: 1h}");

    (void)state;
    use_limits(long_backup);
    AUTO_FREE char *first = begun_backup(CLUSTER("a"));
    AUTO_FREE char *second = begun_backup(CLUSTER("b"));
    awssim_client_advance(&client, HOURS(9));
    expect("backup", first, "State", "RUNNING");
    expect("backup", second, "State", "EXPIRED");
    assert_text_contains(awssim_text(&client, "StatusMessage"), "expired before completion");
}

static void test_a_backup_too_many_fails(void **state)
{
    (void)state;
    use_limits("backups: 1, atLimit: fail");
    AUTO_FREE char *first = begun_backup(CLUSTER("a"));
    AUTO_FREE char *second = begun_backup(CLUSTER("b"));
    awssim_client_advance(&client, MINUTES(1));
    expect("backup", second, "State", "RUNNING");
    AUTO_FREE char *third = begun_backup(TABLE("table-t"));
    awssim_client_advance(&client, MINUTES(4));
    expect("backup", first, "State", "RUNNING");
    expect("backup", second, "State", "FAILED");
    assert_text_contains(awssim_text(&client, "StatusMessage"), "limit exceeded");
    expect("backup", third, "State", "FAILED");
}

static void test_a_start_too_many_is_refused(void **state)
{
    (void)state;
    use_limits("backups: 1, atLimit: refuse");
    AUTO_FREE char *first = begun_backup(CLUSTER("a"));
    assert_number(start_backup(TABLE("table-t")), 400);
    assert_awssim_error(&client, "LimitExceededException");
    awssim_client_advance(&client, MINUTES(15));
    expect("backup", first, "State", "COMPLETED");
    assert_number(start_backup(TABLE("table-t")), 200);
}

static const struct copy_row {
    const char *name, *limits, *resource, *other, *vault, *state;
} copy_rows[] = {
    {.name = "clusters",
     .limits = "auroraCopies: 1",
     .resource = CLUSTER("a"),
     .other = CLUSTER("b"),
     .vault = VAULT,
     .state = "CREATED"},
    {.name = "clusters, and no limit",
     .limits = "auroraCopies: 0",
     .resource = CLUSTER("a"),
     .other = CLUSTER("b"),
     .vault = VAULT,
     .state = "RUNNING"},
    {.name = "a table beside a cluster",
     .limits = "auroraCopies: 1, tableCopies: 1, extraTableCopiesPerVault: 0",
     .resource = CLUSTER("a"),
     .other = TABLE("table-t"),
     .vault = VAULT,
     .state = "RUNNING"},
    {.name = "tables",
     .limits = "tableCopies: 1, extraTableCopiesPerVault: 0",
     .resource = TABLE("table-t"),
     .other = TABLE("table-u"),
     .vault = VAULT,
     .state = "CREATED"},
    {.name = "tables, one more into each vault",
     .limits = "tableCopies: 1, extraTableCopiesPerVault: 1",
     .resource = TABLE("table-t"),
     .other = TABLE("table-u"),
     .vault = VAULT,
     .state = "RUNNING"},
};

/* The limit is counted for each Region that copies go to; here both go to one. */
static void test_copies_at_once(void **state)
{
    const struct copy_row *row = *state;

    use_limits(row->limits);
    AUTO_FREE char *point = backed_up(row->resource);
    AUTO_FREE char *other_point = backed_up(row->other);
    AUTO_FREE char *first = begun_copy(point, VAULT);
    AUTO_FREE char *second = begun_copy(other_point, row->vault);
    awssim_client_advance(&client, MINUTES(5));
    expect("copy", first, "CopyJob.State", "RUNNING");
    expect("copy", second, "CopyJob.State", row->state);
    awssim_client_advance(&client, HOURS(2));
    become(PROD);
    expect("copy", second, "CopyJob.State", "COMPLETED");
}

/* Beyond the Region's number each vault takes so many more. */
static void test_more_table_copies_into_each_vault(void **state)
{
    static const char *const tables[] = {TABLE("table-t"), TABLE("table-u"), TABLE("table-x"),
                                         TABLE("table-y")};
    static const char *const vaults[] = {VAULT, VAULT, VAULT, OTHER_VAULT};
    static const char *const states[] = {"RUNNING", "RUNNING", "CREATED", "RUNNING"};
    char *points[4], *ids[4];

    (void)state;
    use_limits("tableCopies: 1, extraTableCopiesPerVault: 1");
    for (size_t i = 0; i < COUNT_OF(points); i++)
        points[i] = backed_up(tables[i]);
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        ids[i] = begun_copy(points[i], vaults[i]);
    awssim_client_advance(&client, MINUTES(5));
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        expect("copy", ids[i], "CopyJob.State", states[i]);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        xfree(ids[i]);
        xfree(points[i]);
    }
}

static void test_a_copy_too_many_fails(void **state)
{
    (void)state;
    use_limits("auroraCopies: 1, atLimit: fail");
    AUTO_FREE char *point = backed_up(CLUSTER("a"));
    AUTO_FREE char *other_point = backed_up(CLUSTER("b"));
    AUTO_FREE char *first = begun_copy(point, VAULT);
    AUTO_FREE char *second = begun_copy(other_point, VAULT);
    awssim_client_advance(&client, MINUTES(5));
    expect("copy", first, "CopyJob.State", "RUNNING");
    expect("copy", second, "CopyJob.State", "FAILED");
    assert_text_contains(awssim_text(&client, "CopyJob.StatusMessage"), "too many copy jobs");
}

static char *copied(const char *resource)
{
    AUTO_FREE char *point = backed_up(resource);
    AUTO_FREE char *id = begun_copy(point, VAULT);

    awssim_client_advance(&client, MINUTES(45));
    become(PROD);
    expect("copy", id, "CopyJob.State", "COMPLETED");
    return xstrdup(awssim_text(&client, "CopyJob.DestinationRecoveryPointArn"));
}

#define CLUSTER_METADATA(name)                                                             \
    "{\"dbClusterIdentifier\":\"" name "\",\"engine\":\"aurora-mysql\",\"engineVersion\":" \
    "\"8.0.mysql_aurora.3.08.2\"}"
#define TABLE_METADATA(name) "{\"targetTableName\":\"" name "\",\"encryptionType\":\"Default\"}"

static const struct restore_limit_row {
    const char *name, *limits, *resource, *metadata, *other_metadata;
    int status;          /* of the second start */
    const char *at_once; /* the second's state while the first runs */
    const char *message; /* of the second, NULL: it completes in the end */
} restore_limit_rows[] = {
    {.name = "tables wait",
     .limits = "tableRestores: 1",
     .resource = TABLE("table-t"),
     .metadata = TABLE_METADATA("copy-1"),
     .other_metadata = TABLE_METADATA("copy-2"),
     .status = 200,
     .at_once = "PENDING"},
    {.name = "clusters wait",
     .limits = "auroraRestores: 1",
     .resource = CLUSTER("a"),
     .metadata = CLUSTER_METADATA("a1"),
     .other_metadata = CLUSTER_METADATA("a2"),
     .status = 200,
     .at_once = "PENDING"},
    {.name = "clusters have no limit of their own",
     .limits = "tableRestores: 1",
     .resource = CLUSTER("a"),
     .metadata = CLUSTER_METADATA("a1"),
     .other_metadata = CLUSTER_METADATA("a2"),
     .status = 200,
     .at_once = "RUNNING"},
    {.name = "a table too many fails",
     .limits = "tableRestores: 1, atLimit: fail",
     .resource = TABLE("table-t"),
     .metadata = TABLE_METADATA("copy-1"),
     .other_metadata = TABLE_METADATA("copy-2"),
     .status = 200,
     .at_once = "FAILED",
     .message = "maximum concurrent"},
    {.name = "a cluster too many is refused",
     .limits = "auroraRestores: 1, atLimit: refuse",
     .resource = CLUSTER("a"),
     .metadata = CLUSTER_METADATA("a1"),
     .other_metadata = CLUSTER_METADATA("a2"),
     .status = 400},
};

static void test_restores_at_once(void **state)
{
    const struct restore_limit_row *row = *state;

    use_limits(row->limits);
    AUTO_FREE char *point = copied(row->resource);
    become(STG);
    assert_number(start_restore(point, row->metadata), 200);
    AUTO_FREE char *first = xstrdup(awssim_text(&client, "RestoreJobId"));
    assert_number(start_restore(point, row->other_metadata), row->status);
    if (row->status != 200) {
        assert_awssim_error(&client, "LimitExceededException");
        return;
    }
    AUTO_FREE char *second = xstrdup(awssim_text(&client, "RestoreJobId"));
    awssim_client_advance(&client, MINUTES(5));
    expect("restore", first, "Status", "RUNNING");
    expect("restore", second, "Status", row->at_once);
    if (row->message)
        assert_text_contains(awssim_text(&client, "StatusMessage"), row->message);
    awssim_client_advance(&client, HOURS(2));
    become(STG);
    expect("restore", second, "Status", row->message ? "FAILED" : "COMPLETED");
}

/* ---- requests ---- */

static int list_vaults(void)
{
    return awssim_rest(&client, "GET", "/backup-vaults/", NULL);
}

static void test_requests_of_a_service(void **state)
{
    (void)state;
    use_limits("requests: {backup: 2}");
    assert_number(list_vaults(), 200);
    assert_number(awssim_rest(&client, "GET", "/account-settings", NULL), 200);
    assert_number(list_vaults(), 400);
    assert_awssim_error(&client, "ThrottlingException");
    become(STG); /* whose requests are counted apart */
    assert_number(list_vaults(), 200);
    become(PROD);
    awssim_client_advance(&client, 500);
    assert_number(list_vaults(), 200);
    assert_number(list_vaults(), 400);
}

static void test_requests_of_an_operation(void **state)
{
    (void)state;
    use_limits("requests: {backup.ListBackupVaults: 1}");
    assert_number(list_vaults(), 200);
    assert_number(list_vaults(), 400);
    assert_number(awssim_rest(&client, "GET", "/account-settings", NULL), 200);
}

/* A throttled call has done nothing. */
static void test_throttled_starts_nothing(void **state)
{
    (void)state;
    use_limits("requests: {backup.StartBackupJob: 1}");
    assert_number(start_backup(CLUSTER("a")), 200);
    assert_number(start_backup(CLUSTER("b")), 400);
    assert_awssim_error(&client, "ThrottlingException");
    awssim_client_advance(&client, MINUTES(1));
    assert_number(awssim_rest(&client, "GET", "/backup-jobs/", NULL), 200);
    assert_number((int64_t)json_count(json_at(client.json, "BackupJobs")), 1);
}

/* AWS's own: five TagResource a second. */
static void test_tags_of_tables(void **state)
{
    static const char body[] =
        "{\"ResourceArn\":\"" TABLE("table-t") "\",\"Tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}";

    (void)state;
    use_limits("");
    for (int i = 0; i < 5; i++)
        assert_number(awssim_json(&client, "dynamodb", "TagResource", body), 200);
    assert_number(awssim_json(&client, "dynamodb", "TagResource", body), 400);
    assert_awssim_error(&client, "ThrottlingException");
}

int main(void)
{
    struct tests tests = {.tear_down = client_tear_down};

    TEST(&tests, test_a_backup_waits_its_turn);
    TEST(&tests, test_a_backup_waits_no_longer_than_its_window);
    TEST(&tests, test_a_backup_too_many_fails);
    TEST(&tests, test_a_start_too_many_is_refused);
    TEST_ROWS(&tests, test_copies_at_once, copy_rows);
    TEST(&tests, test_more_table_copies_into_each_vault);
    TEST(&tests, test_a_copy_too_many_fails);
    TEST_ROWS(&tests, test_restores_at_once, restore_limit_rows);
    TEST(&tests, test_requests_of_a_service);
    TEST(&tests, test_requests_of_an_operation);
    TEST(&tests, test_throttled_starts_nothing);
    TEST(&tests, test_tags_of_tables);
    return tests_run(&tests, "awssim limits");
}
