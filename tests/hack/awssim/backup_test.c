/* AWS Backup between two accounts: the carry-over itself, tokens, and what is refused late. */
#include "tests/hack/awssim/client_fixture.h"

#include "pkg/base/files.h"
#include "pkg/base/times.h"

#define PROD "111111111111"
#define STG "222222222222"
#define CLUSTER "arn:aws:rds:ap-northeast-1:" PROD ":cluster:shop"
#define TABLE "arn:aws:dynamodb:ap-northeast-1:" PROD ":table/sessions"
#define SERVICE_ROLE(account) "arn:aws:iam::" account ":role/AWSBackupStagingRefresh"
#define VAULT(account) "arn:aws:backup:ap-northeast-1:" account ":backup-vault:staging-refresh"
#define WORLD SR_SOURCE_DIR "/hack/awssim/worlds/shop.yaml"

static int set_up(void **state)
{
    (void)state;
    awssim_client_init_file(&client, WORLD);
    return 0;
}

/* The shop's world with one text in place of another. */
static void use_world(const char *from, const char *to)
{
    AUTO_BUF struct buf text = BUF_MAX(MIB);
    AUTO_BUF struct buf changed = BUF_MAX(MIB);

    assert_no_err(file_read(WORLD, &text));
    const char *at = strstr(buf_text(&text), from);
    assert_non_null(at);
    buf_add(&changed, text.data, (size_t)(at - text.data));
    buf_adds(&changed, to);
    buf_adds(&changed, at + strlen(from));
    awssim_client_done(&client);
    awssim_client_init(&client, buf_text(&changed));
}

static void become(const char *account)
{
    AUTO_FREE char *role = xasprintf("arn:aws:iam::%s:role/staging-refresh", account);

    awssim_client_use(&client, "AKIAEXAMPLE", "example-secret", NULL);
    awssim_client_assume(&client, role, "staging-cluster");
}

/* ---- the three starts; each gives the job's id, yours ---- */

static char *start_backup(const char *resource, const char *more)
{
    AUTO_FREE char *body = xasprintf(
        "{\"BackupVaultName\":\"staging-refresh\",\"ResourceArn\":\"%s\",\"IamRoleArn\":\"%s\"%s%s}",
        resource, SERVICE_ROLE(PROD), *more ? "," : "", more);

    assert_number(awssim_rest(&client, "PUT", "/backup-jobs", body), 200);
    return xstrdup(awssim_text(&client, "BackupJobId"));
}

static char *start_copy(const char *point, const char *vault)
{
    AUTO_FREE char *body =
        xasprintf("{\"RecoveryPointArn\":\"%s\",\"SourceBackupVaultName\":\"staging-refresh\","
                  "\"DestinationBackupVaultArn\":\"%s\",\"IamRoleArn\":\"%s\"}",
                  point, vault, SERVICE_ROLE(PROD));

    assert_number(awssim_rest(&client, "PUT", "/copy-jobs", body), 200);
    return xstrdup(awssim_text(&client, "CopyJobId"));
}

static char *start_restore(const char *point, const char *metadata)
{
    AUTO_FREE char *body = xasprintf("{\"RecoveryPointArn\":\"%s\",\"IamRoleArn\":\"%s\",\"Metadata\":%s}",
                                     point, SERVICE_ROLE(STG), metadata);

    assert_number(awssim_rest(&client, "PUT", "/restore-jobs", body), 200);
    return xstrdup(awssim_text(&client, "RestoreJobId"));
}

static void describe(const char *kind, const char *id)
{
    AUTO_FREE char *target = xasprintf("/%s-jobs/%s", kind, id);

    assert_number(awssim_rest(&client, "GET", target, NULL), 200);
}

static void expect_job(const char *kind, const char *id, const char *member, const char *want)
{
    describe(kind, id);
    assert_text_equal(awssim_text(&client, member), want);
}

/* A backup that is through; its recovery point, yours. */
static char *backed_up(const char *resource)
{
    AUTO_FREE char *id = start_backup(
        resource, "\"Lifecycle\":{\"DeleteAfterDays\":14},\"RecoveryPointTags\":{\"run\":\"r1\"}");

    awssim_client_advance(&client, MINUTES(20));
    expect_job("backup", id, "State", "COMPLETED");
    return xstrdup(awssim_text(&client, "RecoveryPointArn"));
}

static char *copied(const char *resource)
{
    AUTO_FREE char *point = backed_up(resource);
    AUTO_FREE char *id = start_copy(point, VAULT(STG));

    awssim_client_advance(&client, MINUTES(45));
    become(PROD);
    expect_job("copy", id, "CopyJob.State", "COMPLETED");
    return xstrdup(awssim_text(&client, "CopyJob.DestinationRecoveryPointArn"));
}

/* "/backup-vaults/staging-refresh/recovery-points/<encoded ARN><tail>", yours */
static char *point_path(const char *arn, const char *tail)
{
    AUTO_BUF struct buf path = BUF_MAX(4 * KIB);

    buf_adds(&path, "/backup-vaults/staging-refresh/recovery-points/");
    buf_add_uri(&path, str_of(arn));
    buf_adds(&path, tail);
    return buf_take(&path);
}

/* ---- the states of a backup ---- */

static void test_states_of_a_backup(void **state)
{
    static const struct {
        int64_t after_ms;
        const char *state, *percent;
    } steps[] = {
        {0, "CREATED", "0.0"},           {SECONDS(5), "PENDING", "0.0"},      {SECONDS(20), "RUNNING", "0.0"},
        {MINUTES(6), "RUNNING", "50.0"}, {MINUTES(6) - 1, "RUNNING", "99.9"}, {1, "COMPLETED", "100.0"},
    };

    (void)state;
    become(PROD);
    AUTO_FREE char *id = start_backup(CLUSTER, "");
    assert_text_equal(awssim_text(&client, "RecoveryPointArn"), NULL);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        awssim_client_advance(&client, steps[i].after_ms);
        expect_job("backup", id, "State", steps[i].state);
        assert_text_equal(awssim_text(&client, "PercentDone"), steps[i].percent);
    }
    assert_text_contains(awssim_text(&client, "RecoveryPointArn"),
                         "arn:aws:rds:ap-northeast-1:" PROD ":cluster-snapshot:awsbackup:job-");
    assert_number((int64_t)(json_get_number(client.json, "CompletionDate", 0) * 1000),
                  AWSSIM_WALL_MS + SECONDS(25) + MINUTES(12));
}

static void test_table_tells_its_point_at_once(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *id = start_backup(TABLE, "");
    AUTO_FREE char *early = xstrdup(awssim_text(&client, "RecoveryPointArn"));
    awssim_client_advance(&client, MINUTES(10));
    expect_job("backup", id, "State", "COMPLETED");
    assert_text_equal(awssim_text(&client, "RecoveryPointArn"), early);
    assert_text_contains(early, "arn:aws:backup:ap-northeast-1:" PROD ":recovery-point:");
}

static void test_carry_over(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *copy = copied(CLUSTER);
    AUTO_FREE char *path = point_path(copy, "");
    AUTO_FREE char *metadata_path = point_path(copy, "/restore-metadata");
    become(STG);
    assert_number(awssim_rest(&client, "GET", path, NULL), 200);
    assert_text_equal(awssim_text(&client, "Status"), "COMPLETED");
    assert_text_equal(awssim_text(&client, "SourceBackupVaultArn"), VAULT(PROD));
    assert_text_equal(awssim_text(&client, "EncryptionKeyArn"),
                      "arn:aws:kms:ap-northeast-1:" STG ":key/11111111-2222-3333-4444-555555555555");
    /* The copy is as old as the backup. */
    assert_number((int64_t)(json_get_number(client.json, "CreationDate", 0) * 1000), AWSSIM_WALL_MS);
    assert_number(awssim_rest(&client, "GET", metadata_path, NULL), 200);
    assert_text_equal(awssim_text(&client, "RestoreMetadata.DBSubnetGroupName"), "production");

    AUTO_FREE char *id = start_restore(copy, "{\"dbClusterIdentifier\":\"shop-stg-new\",\"engine\":\"aurora-"
                                             "mysql\",\"dbSubnetGroupName\":\"staging\","
                                             "\"vpcSecurityGroupIds\":\"[\\\"sg-0123456789abcdef0\\\"]\"}");
    awssim_client_advance(&client, MINUTES(10));
    expect_job("restore", id, "Status", "RUNNING");
    assert_text_equal(awssim_text(&client, "CreatedResourceArn"), NULL);
    awssim_client_advance(&client, MINUTES(26));
    expect_job("restore", id, "Status", "COMPLETED");
    assert_text_equal(awssim_text(&client, "CreatedResourceArn"),
                      "arn:aws:rds:ap-northeast-1:" STG ":cluster:shop-stg-new");
    assert_number(awssim_query(&client, "rds", "DescribeDBClusters", "DBClusterIdentifier=shop-stg-new"),
                  200);
    AUTO_FREE char *status = awssim_xml(&client, "Status", 0);
    assert_text_equal(status, "available");
}

static void test_carry_a_table_over(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *copy = copied(TABLE);
    assert_text_contains(copy, "arn:aws:backup:ap-northeast-1:" STG ":recovery-point:");
    become(STG);
    AUTO_FREE char *id =
        start_restore(copy, "{\"targetTableName\":\"stg-sessions-new\",\"encryptionType\":\"Default\"}");
    awssim_client_advance(&client, MINUTES(21));
    expect_job("restore", id, "Status", "COMPLETED");
    assert_text_equal(awssim_text(&client, "CreatedResourceArn"),
                      "arn:aws:dynamodb:ap-northeast-1:" STG ":table/stg-sessions-new");
}

/* ---- tokens ---- */

static void test_token_makes_one_job_for_an_hour(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *first = start_backup(CLUSTER, "\"IdempotencyToken\":\"t1\"");
    awssim_client_advance(&client, MINUTES(59));
    AUTO_FREE char *second = start_backup(CLUSTER, "\"IdempotencyToken\":\"t1\"");
    assert_text_equal(second, first);
    awssim_client_advance(&client, MINUTES(1));
    become(PROD);
    AUTO_FREE char *third = start_backup(CLUSTER, "\"IdempotencyToken\":\"t1\"");
    assert_false(text_equal(third, first));

    assert_number(awssim_rest(&client, "PUT", "/backup-jobs",
                              "{\"BackupVaultName\":\"staging-refresh\",\"ResourceArn\":\"" TABLE
                              "\",\"IamRoleArn\":\"" SERVICE_ROLE(PROD) "\",\"IdempotencyToken\":\"t1\"}"),
                  400);
    awssim_control(&client, "GET", "/_sim/journal", NULL);
    assert_text_equal(awssim_text(&client, "[0].effect"), "created");
    assert_text_equal(awssim_text(&client, "[0].token"), "t1");
    assert_text_equal(awssim_text(&client, "[0].resource"), CLUSTER);
    assert_text_equal(awssim_text(&client, "[1].effect"), "replayed");
    assert_text_equal(awssim_text(&client, "[2].effect"), "created");
    assert_text_equal(awssim_text(&client, "[3].effect"), "refused");
}

/* ---- refused at once ---- */

static const struct refused_row {
    const char *name, *body, *error;
} refused_rows[] = {
    {.name = "no such vault",
     .body = "{\"BackupVaultName\":\"none\",\"ResourceArn\":\"" CLUSTER
             "\",\"IamRoleArn\":\"" SERVICE_ROLE(PROD) "\"}",
     .error = "ResourceNotFoundException"},
    {.name = "no ARN",
     .body =
         "{\"BackupVaultName\":\"staging-refresh\",\"ResourceArn\":\"shop\",\"IamRoleArn\":\"" SERVICE_ROLE(
             PROD) "\"}",
     .error = "InvalidParameterValueException"},
    {.name = "a resource of another account",
     .body = "{\"BackupVaultName\":\"staging-refresh\",\"ResourceArn\":\"arn:aws:rds:ap-northeast-1:" STG
             ":cluster:x\",\"IamRoleArn\":\"" SERVICE_ROLE(PROD) "\"}",
     .error = "InvalidParameterValueException"},
    {.name = "a role of another account",
     .body = "{\"BackupVaultName\":\"staging-refresh\",\"ResourceArn\":\"" CLUSTER
             "\",\"IamRoleArn\":\"" SERVICE_ROLE(STG) "\"}",
     .error = "AccessDeniedException"},
    {.name = "too short a start window",
     .body = "{\"BackupVaultName\":\"staging-refresh\",\"ResourceArn\":\"" CLUSTER
             "\",\"IamRoleArn\":\"" SERVICE_ROLE(PROD) "\",\"StartWindowMinutes\":59}",
     .error = "InvalidParameterValueException"},
    {.name = "deleted before it has been cold for 90 days",
     .body = "{\"BackupVaultName\":\"staging-refresh\",\"ResourceArn\":\"" CLUSTER
             "\",\"IamRoleArn\":\"" SERVICE_ROLE(PROD) "\",\"Lifecycle\":{\"MoveToColdStorageAfterDays\":1,"
                                                       "\"DeleteAfterDays\":90}}",
     .error = "InvalidParameterValueException"},
    {.name = "deleted after no day",
     .body = "{\"BackupVaultName\":\"staging-refresh\",\"ResourceArn\":\"" CLUSTER
             "\",\"IamRoleArn\":\"" SERVICE_ROLE(PROD) "\",\"Lifecycle\":{\"DeleteAfterDays\":0}}",
     .error = "InvalidParameterValueException"},
};

static void test_refused(void **state)
{
    const struct refused_row *row = *state;

    become(PROD);
    awssim_rest(&client, "PUT", "/backup-jobs", row->body);
    assert_awssim_error(&client, row->error);
}

static void test_copies_start_in_production(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *point = backed_up(CLUSTER);
    become(STG);
    AUTO_FREE char *body =
        xasprintf("{\"RecoveryPointArn\":\"%s\",\"SourceBackupVaultName\":\"staging-refresh\","
                  "\"DestinationBackupVaultArn\":\"%s\",\"IamRoleArn\":\"%s\"}",
                  point, VAULT(STG), SERVICE_ROLE(STG));
    awssim_rest(&client, "PUT", "/copy-jobs", body);
    assert_awssim_error(&client, "AccessDeniedException"); /* the role of staging may not at all */
}

/* ---- backups that fail late ---- */

static const struct failed_row {
    const char *name, *from, *to, *resource, *message;
} backup_rows[] = {
    {.name = "there is no such cluster", .resource = CLUSTER "x", .message = "does not exist"},
    {.name = "the cluster is being modified",
     .from = "      sizeGiB: 180\n",
     .to = "      sizeGiB: 180\n      status: modifying\n",
     .resource = CLUSTER,
     .message = "not in the available state"},
    {.name = "the role does not trust AWS Backup",
     .from = "trust: [{service: backup.amazonaws.com}]",
     .to = "trust: [{service: ec2.amazonaws.com}]",
     .resource = CLUSTER,
     .message = "cannot be assumed by AWS Backup"},
    {.name = "the role may not",
     .from = "managed: [AWSBackupServiceRolePolicyForBackup]",
     .to = "allow: ['rds:Describe*']",
     .resource = CLUSTER,
     .message = "does not have permission"},
    {.name = "the vault's lock",
     .from = "{name: staging-refresh, key: alias/staging-refresh}",
     .to = "{name: staging-refresh, key: alias/staging-refresh, minRetentionDays: 30}",
     .resource = CLUSTER,
     .message = "not within the range"},
};

static void test_backup_fails_late(void **state)
{
    const struct failed_row *row = *state;

    if (row->from)
        use_world(row->from, row->to);
    become(PROD);
    AUTO_FREE char *id = start_backup(row->resource, "\"Lifecycle\":{\"DeleteAfterDays\":14}");
    awssim_client_advance(&client, MINUTES(3));
    expect_job("backup", id, "State", "RUNNING");
    awssim_client_advance(&client, MINUTES(1));
    expect_job("backup", id, "State", "FAILED");
    assert_text_contains(awssim_text(&client, "StatusMessage"), row->message);
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/staging-refresh/recovery-points/", NULL), 200);
    assert_number((int64_t)json_count(json_at(client.json, "RecoveryPoints")), 0);
}

static void test_one_backup_per_resource(void **state)
{
    (void)state;
    use_world("aurora: {backup: 12m,", "aurora: {backup: 2h,");
    become(PROD);
    AUTO_FREE char *first = start_backup(CLUSTER, "");
    AUTO_FREE char *short_window = start_backup(CLUSTER, "\"StartWindowMinutes\":60");
    AUTO_FREE char *long_window = start_backup(CLUSTER, "\"StartWindowMinutes\":180");
    awssim_client_advance(&client, MINUTES(59));
    expect_job("backup", short_window, "State", "PENDING");
    awssim_client_advance(&client, MINUTES(2));
    become(PROD);
    expect_job("backup", short_window, "State", "EXPIRED");
    assert_text_contains(awssim_text(&client, "StatusMessage"), "running job for the same resource");
    awssim_client_advance(&client, MINUTES(75));
    become(PROD);
    expect_job("backup", first, "State", "COMPLETED");
    expect_job("backup", long_window, "State", "RUNNING");
}

/* ---- copies that fail late ---- */

static const struct copy_row {
    const char *name, *from, *to, *resource, *vault, *message; /* message NULL: it works */
} copy_rows[] = {
    {.name = "fine", .resource = CLUSTER, .vault = VAULT(STG)},
    {.name = "no organisation",
     .from = "organization: {id: o-exampleorg1, crossAccountBackup: true}\n",
     .to = "",
     .resource = CLUSTER,
     .vault = VAULT(STG),
     .message = "member of the same organization"},
    {.name = "not opted in",
     .from = "crossAccountBackup: true",
     .to = "crossAccountBackup: false",
     .resource = CLUSTER,
     .vault = VAULT(STG),
     .message = "Cross-account copy feature is not enabled"},
    {.name = "no such vault",
     .resource = CLUSTER,
     .vault = VAULT(STG) "x",
     .message = "Access Denied trying to call AWS Backup service"},
    {.name = "the vault lets another account in",
     .from = "Principal: {AWS: \"arn:aws:iam::111111111111:root\"}",
     .to = "Principal: {AWS: \"arn:aws:iam::333333333333:root\"}",
     .resource = CLUSTER,
     .vault = VAULT(STG),
     .message = "Access Denied trying to call AWS Backup service"},
    {.name = "the vault lets the role in",
     .from = "Principal: {AWS: \"arn:aws:iam::111111111111:root\"}",
     .to = "Principal: {AWS: \"" SERVICE_ROLE(PROD) "\"}",
     .resource = CLUSTER,
     .vault = VAULT(STG)},
    {.name = "the vault lets the organisation in",
     .from = "Principal: {AWS: \"arn:aws:iam::111111111111:root\"}\n",
     .to = "Principal: \"*\"\n          Condition: {StringEquals: {\"aws:PrincipalOrgID\": o-exampleorg1}}\n",
     .resource = CLUSTER,
     .vault = VAULT(STG)},
    {.name = "the vault lets another organisation in",
     .from = "Principal: {AWS: \"arn:aws:iam::111111111111:root\"}\n",
     .to = "Principal: \"*\"\n          Condition: {StringEquals: {\"aws:PrincipalOrgID\": o-other}}\n",
     .resource = CLUSTER,
     .vault = VAULT(STG),
     .message = "Access Denied trying to call AWS Backup service"},
    {.name = "the vault under aws/backup",
     .from = "      key: alias/staging\n      policy:",
     .to = "      policy:",
     .resource = CLUSTER,
     .vault = VAULT(STG),
     .message = "encrypted with the default Backup service managed key"},
    {.name = "the cluster under aws/rds",
     .from = "      key: alias/shop\n",
     .to = "      key: alias/aws/rds\n",
     .resource = CLUSTER,
     .vault = VAULT(STG),
     .message = "AWS managed key can't be shared"},
    {.name = "the cluster's key is not shared",
     .from = "      alias: alias/shop\n      sharedWith: [\"222222222222\"]\n",
     .to = "      alias: alias/shop\n",
     .resource = CLUSTER,
     .vault = VAULT(STG),
     .message = "Given key ID is not accessible"},
    {.name = "the cluster's key is shared with AWS Backup's role",
     .from = "      alias: alias/shop\n      sharedWith: [\"222222222222\"]\n",
     .to = "      alias: alias/shop\n      sharedWith: "
           "[\"arn:aws:iam::222222222222:role/aws-service-role/backup.amazonaws.com/"
           "AWSServiceRoleForBackup\"]\n",
     .resource = CLUSTER,
     .vault = VAULT(STG)},
    {.name = "the table does not need the cluster's key",
     .from = "      alias: alias/shop\n      sharedWith: [\"222222222222\"]\n",
     .to = "      alias: alias/shop\n",
     .resource = TABLE,
     .vault = VAULT(STG)},
    {.name = "the source vault's key is not shared",
     .from = "      alias: alias/staging-refresh\n      sharedWith: [\"222222222222\"]\n",
     .to = "      alias: alias/staging-refresh\n",
     .resource = TABLE,
     .vault = VAULT(STG),
     .message = "Given key ID is not accessible"},
    {.name = "the table without full management",
     .from = "    fullManagement: [DynamoDB]\n",
     .to = "",
     .resource = TABLE,
     .vault = VAULT(STG),
     .message = "Feature is not supported for provided resource type"},
    {.name = "the vault's lock for the copy",
     .from = "    - name: staging-refresh\n      key: alias/staging\n",
     .to = "    - name: staging-refresh\n      key: alias/staging\n      maxRetentionDays: 7\n",
     .resource = CLUSTER,
     .vault = VAULT(STG),
     .message = "not within the range"},
};

static void test_copy(void **state)
{
    const struct copy_row *row = *state;

    if (row->from)
        use_world(row->from, row->to);
    become(PROD);
    AUTO_FREE char *point = backed_up(row->resource);
    AUTO_FREE char *id = start_copy(point, row->vault);
    awssim_client_advance(&client, MINUTES(2));
    expect_job("copy", id, "CopyJob.State", "RUNNING");
    awssim_client_advance(&client, MINUTES(40));
    become(PROD);
    expect_job("copy", id, "CopyJob.State", row->message ? "FAILED" : "COMPLETED");
    if (row->message)
        assert_text_contains(awssim_text(&client, "CopyJob.StatusMessage"), row->message);
    assert_text_equal(awssim_text(&client, "CopyJob.DestinationRecoveryPointArn") ? "yes" : "no",
                      row->message ? "no" : "yes");
}

static void test_one_copy_per_resource(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *point = backed_up(CLUSTER);
    AUTO_FREE char *first = start_copy(point, VAULT(STG));
    AUTO_FREE char *second = start_copy(point, VAULT(STG));
    awssim_client_advance(&client, MINUTES(45));
    become(PROD);
    expect_job("copy", first, "CopyJob.State", "COMPLETED");
    expect_job("copy", second, "CopyJob.State", "FAILED");
    assert_text_contains(awssim_text(&client, "CopyJob.StatusMessage"), "too many copy jobs");
}

/* ---- restores that fail late ---- */

static const struct restore_row {
    const char *name, *metadata, *message;
} restore_rows[] = {
    {.name = "an unknown key",
     .metadata = "{\"dbClusterIdentifier\":\"new\",\"engine\":\"aurora-mysql\",\"colour\":\"red\"}",
     .message = "metadata"},
    {.name = "the name is in use",
     .metadata = "{\"dbClusterIdentifier\":\"shop-stg-20261022-030000-p3c8d\",\"engine\":\"aurora-mysql\","
                 "\"dbSubnetGroupName\":\"staging\"}",
     .message = "already exists"},
    {.name = "a list that is no JSON text",
     .metadata = "{\"dbClusterIdentifier\":\"new\",\"engine\":\"aurora-mysql\",\"dbSubnetGroupName\":"
                 "\"staging\",\"vpcSecurityGroupIds\":\"sg-0123456789abcdef0\"}",
     .message = "metadata"},
    {.name = "no such subnet group",
     .metadata =
         "{\"dbClusterIdentifier\":\"new\",\"engine\":\"aurora-mysql\",\"dbSubnetGroupName\":\"production\"}",
     .message = "production"},
};

static void test_restore_fails_late(void **state)
{
    const struct restore_row *row = *state;

    become(PROD);
    AUTO_FREE char *copy = copied(CLUSTER);
    become(STG);
    AUTO_FREE char *id = start_restore(copy, row->metadata);
    awssim_client_advance(&client, MINUTES(1));
    expect_job("restore", id, "Status", "RUNNING");
    awssim_client_advance(&client, MINUTES(5));
    expect_job("restore", id, "Status", "FAILED");
    assert_text_contains(awssim_text(&client, "StatusMessage"), row->message);
}

/* ---- recovery points ---- */

static void test_deleting(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *point = backed_up(CLUSTER);
    AUTO_FREE char *path = point_path(point, "");
    AUTO_FREE char *copy = start_copy(point, VAULT(STG));
    awssim_client_advance(&client, MINUTES(10));
    assert_number(awssim_rest(&client, "DELETE", path, NULL), 400);
    assert_awssim_error(&client, "InvalidResourceStateException");
    awssim_client_advance(&client, MINUTES(40));
    become(PROD);
    assert_number(awssim_rest(&client, "DELETE", path, NULL), 200);
    assert_number(awssim_rest(&client, "GET", path, NULL), 200);
    assert_text_equal(awssim_text(&client, "Status"), "DELETING");
    awssim_client_advance(&client, SECONDS(30));
    assert_number(awssim_rest(&client, "GET", path, NULL), 400);
    assert_awssim_error(&client, "ResourceNotFoundException");
}

static void test_deleting_that_does_not_succeed(void **state)
{
    (void)state;
    use_world("{name: staging-refresh, key: alias/staging-refresh}",
              "{name: staging-refresh, key: alias/staging-refresh, deleteFails: true}");
    become(PROD);
    AUTO_FREE char *point = backed_up(CLUSTER);
    AUTO_FREE char *path = point_path(point, "");
    assert_number(awssim_rest(&client, "DELETE", path, NULL), 200);
    assert_number(awssim_rest(&client, "GET", path, NULL), 200);
    assert_text_equal(awssim_text(&client, "Status"), "EXPIRED");
}

static void test_a_lock_keeps_points(void **state)
{
    (void)state;
    use_world("{name: staging-refresh, key: alias/staging-refresh}",
              "{name: staging-refresh, key: alias/staging-refresh, minRetentionDays: 1}");
    become(PROD);
    AUTO_FREE char *point = backed_up(CLUSTER);
    AUTO_FREE char *path = point_path(point, "");
    assert_number(awssim_rest(&client, "DELETE", path, NULL), 400);
    assert_awssim_error(&client, "InvalidRequestException");
    assert_number(awssim_rest(&client, "GET", path, NULL), 200);
    assert_text_equal(awssim_text(&client, "Status"), "COMPLETED");
}

static void test_points_go_by_their_age(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *point = backed_up(CLUSTER);
    AUTO_FREE char *path = point_path(point, "");
    client.world_ms = AWSSIM_WALL_MS + DAYS(14) - 1;
    assert_number(awssim_rest(&client, "GET", path, NULL), 200);
    assert_number((int64_t)(json_get_number(client.json, "CalculatedLifecycle.DeleteAt", 0) * 1000),
                  AWSSIM_WALL_MS + DAYS(14));
    client.world_ms = AWSSIM_WALL_MS + DAYS(14) + HOURS(8);
    assert_number(awssim_rest(&client, "GET", path, NULL), 400);
}

static void test_points_of_the_world(void **state)
{
    (void)state;
    use_world("      key: alias/staging\n      policy:",
              "      key: alias/staging\n      recoveryPoints: [{resource: \"" CLUSTER
              "\", created: -20h, tags: {a: b}}]\n      policy:");
    become(STG);
    assert_number(awssim_rest(&client, "GET",
                              "/backup-vaults/staging-refresh/recovery-points/?resourceType=Aurora", NULL),
                  200);
    assert_text_contains(awssim_text(&client, "RecoveryPoints[0].RecoveryPointArn"),
                         ":" STG ":cluster-snapshot:awsbackup:copyjob-");
    assert_number((int64_t)(json_get_number(client.json, "RecoveryPoints[0].CreationDate", 0) * 1000),
                  AWSSIM_WALL_MS - HOURS(20));
    assert_number(awssim_rest(&client, "GET",
                              "/backup-vaults/staging-refresh/recovery-points/?resourceType=DynamoDB", NULL),
                  200);
    assert_number((int64_t)json_count(json_at(client.json, "RecoveryPoints")), 0);
}

/* ---- lists, stops, faults ---- */

static void test_lists_lag(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *id = start_backup(CLUSTER, "");
    assert_number(awssim_rest(&client, "GET", "/backup-jobs/", NULL), 200);
    assert_number((int64_t)json_count(json_at(client.json, "BackupJobs")), 0);
    awssim_client_advance(&client, SECONDS(2));
    awssim_rest(&client, "GET", "/backup-jobs/?state=CREATED&resourceType=Aurora", NULL);
    assert_text_equal(awssim_text(&client, "BackupJobs[0].BackupJobId"), id);
    awssim_rest(&client, "GET", "/backup-jobs/?createdAfter=2026-11-22T16%3A00%3A00Z", NULL);
    assert_number((int64_t)json_count(json_at(client.json, "BackupJobs")), 0);
    awssim_rest(&client, "GET", "/backup-jobs/?createdAfter=2026-11-22T15%3A59%3A59Z", NULL);
    assert_number((int64_t)json_count(json_at(client.json, "BackupJobs")), 1);
    assert_number(awssim_rest(&client, "GET", "/backup-jobs/?createdAfter=yesterday", NULL), 400);
    awssim_client_advance(&client, DAYS(30));
    become(PROD);
    awssim_rest(&client, "GET", "/backup-jobs/", NULL);
    assert_number((int64_t)json_count(json_at(client.json, "BackupJobs")), 0);
}

static void test_stopping(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *cluster = start_backup(CLUSTER, "");
    AUTO_FREE char *table = start_backup(TABLE, "");
    AUTO_FREE char *cluster_path = xasprintf("/backup-jobs/%s", cluster);
    AUTO_FREE char *table_path = xasprintf("/backup-jobs/%s", table);
    assert_number(awssim_rest(&client, "POST", cluster_path, NULL), 400);
    assert_number(awssim_rest(&client, "POST", table_path, NULL), 200);
    expect_job("backup", table, "State", "ABORTED");
}

static void test_job_faults(void **state)
{
    (void)state;
    become(PROD);
    awssim_control(&client, "POST", "/_sim/faults",
                   "{\"match\":{\"operation\":\"StartBackupJob\",\"nth\":1},\"action\":\"fail-job\","
                   "\"message\":\"An internal error\"}");
    awssim_control(&client, "POST", "/_sim/faults",
                   "{\"match\":{\"operation\":\"StartBackupJob\",\"nth\":2},\"action\":\"stick-job\"}");
    AUTO_FREE char *failing = start_backup(CLUSTER, "");
    AUTO_FREE char *stuck = start_backup(TABLE, "");
    awssim_client_advance(&client, HOURS(20));
    become(PROD);
    expect_job("backup", failing, "StatusMessage", "An internal error");
    expect_job("backup", stuck, "State", "CREATED");
}

static void test_events(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *copy = copied(CLUSTER);
    static const struct told {
        const char *account, *type, *state;
    } told[] = {
        {PROD, "Backup Job State Change", "CREATED"}, {PROD, "Backup Job State Change", "RUNNING"},
        {PROD, "Recovery Point State Change", NULL},  {PROD, "Backup Job State Change", "COMPLETED"},
        {PROD, "Copy Job State Change", "CREATED"},   {PROD, "Copy Job State Change", "RUNNING"},
        {STG, "Recovery Point State Change", NULL},   {PROD, "Copy Job State Change", "COMPLETED"},
    };

    awssim_control(&client, "GET", "/_sim/world", NULL);
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        const struct json *event = json_item(json_member(client.json, "events"), i);

        assert_text_equal(json_get_text(event, "account", NULL), told[i].account);
        assert_text_equal(json_get_text(event, "detail-type", NULL), told[i].type);
        assert_text_equal(json_get_text(event, "detail.state", NULL), told[i].state);
    }
    assert_number(json_count(json_member(client.json, "events")), COUNT_OF(told));
    assert_text_equal(awssim_text(&client, "events[4].detail.copyJobId"), NULL);
    assert_true(json_is(json_at(client.json, "events[5].detail.destinationRecoveryPointArn"), JSON_OBJECT));
    assert_text_equal(awssim_text(&client, "events[7].detail.destinationRecoveryPointArn"), copy);
}

static void test_a_long_jump_is_many_steps(void **state)
{
    (void)state;
    become(PROD);
    AUTO_FREE char *id = start_backup(CLUSTER, "");
    awssim_client_advance(&client, DAYS(3));
    become(PROD);
    describe("backup", id);
    assert_number((int64_t)(json_get_number(client.json, "CompletionDate", 0) * 1000),
                  AWSSIM_WALL_MS + SECONDS(25) + MINUTES(12));
}

/* ---- settings and policies ---- */

static void test_settings(void **state)
{
    (void)state;
    become(PROD);
    assert_number(awssim_rest(&client, "GET", "/account-settings", NULL), 200);
    assert_true(json_get_bool(client.json, "ResourceTypeOptInPreference.Aurora", false));
    assert_true(json_get_bool(client.json, "ResourceTypeManagementPreference.DynamoDB", false));
    assert_number(awssim_rest(&client, "GET", "/global-settings", NULL), 200);
    assert_text_equal(awssim_text(&client, "GlobalSettings.isCrossAccountBackupEnabled"), "true");
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/staging-refresh/access-policy", NULL), 403);
    become(STG);
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/staging-refresh/access-policy", NULL), 200);
    assert_text_contains(awssim_text(&client, "Policy"), "backup:CopyIntoBackupVault");
}

int main(void)
{
    struct tests tests = {.set_up = set_up, .tear_down = client_tear_down};

    TEST(&tests, test_states_of_a_backup);
    TEST(&tests, test_table_tells_its_point_at_once);
    TEST(&tests, test_carry_over);
    TEST(&tests, test_carry_a_table_over);
    TEST(&tests, test_token_makes_one_job_for_an_hour);
    TEST_ROWS(&tests, test_refused, refused_rows);
    TEST(&tests, test_copies_start_in_production);
    TEST_ROWS(&tests, test_backup_fails_late, backup_rows);
    TEST(&tests, test_one_backup_per_resource);
    TEST_ROWS(&tests, test_copy, copy_rows);
    TEST(&tests, test_one_copy_per_resource);
    TEST_ROWS(&tests, test_restore_fails_late, restore_rows);
    TEST(&tests, test_deleting);
    TEST(&tests, test_deleting_that_does_not_succeed);
    TEST(&tests, test_a_lock_keeps_points);
    TEST(&tests, test_points_go_by_their_age);
    TEST(&tests, test_points_of_the_world);
    TEST(&tests, test_lists_lag);
    TEST(&tests, test_stopping);
    TEST(&tests, test_job_faults);
    TEST(&tests, test_events);
    TEST(&tests, test_a_long_jump_is_many_steps);
    TEST(&tests, test_settings);
    return tests_run(&tests, "awssim backup");
}
