#include "pkg/aws/backup.h"

#include "tests/pkg/aws/fixture.h"

#define HOST .host = "backup.ap-northeast-1.amazonaws.com"
#define POINT "arn:aws:rds:ap-northeast-1:222222222222:cluster-snapshot:awsbackup:copyjob-1"
#define POINT_ENCODED \
    "arn%3Aaws%3Ards%3Aap-northeast-1%3A222222222222%3Acluster-snapshot%3Aawsbackup%3Acopyjob-1"
#define TABLE_POINT "arn:aws:dynamodb:r:1:table/t/backup/01"

static void starts_a_backup(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .method = "PUT", .path = "/backup-jobs", .headers = {"content-type: application/json"},
         .body_json = "{\"BackupVaultName\":\"v\",\"ResourceArn\":\"r\",\"IamRoleArn\":\"i\","
                      "\"IdempotencyToken\":\"t\","
                      "\"StartWindowMinutes\":60,\"Lifecycle\":{\"DeleteAfterDays\":14},"
                      "\"RecoveryPointTags\":{\"a\":\"1\",\"b\":\"2\"}}",
         .reply = "{\"BackupJobId\":\"J-1\",\"CreationDate\":1795363200.123}"},
        {HOST,
         .body_json = "{\"BackupVaultName\":\"v\",\"ResourceArn\":\"r\",\"IamRoleArn\":\"i\","
                      "\"IdempotencyToken\":\"t\","
                      "\"StartWindowMinutes\":90,\"CompleteWindowMinutes\":600}",
         .reply = "{\"BackupJobId\":\"J-2\"}"},
        {HOST, .reply = "{}"},
    };
    static const struct aws_pair tags[] = {{"a", "1"}, {"b", "2"}};
    struct backup_start_opts opts = {.vault_name = "v",
                                     .resource_arn = "r",
                                     .role_arn = "i",
                                     .token = "t",
                                     .delete_after_days = 14,
                                     .tags = tags,
                                     .tag_count = 2};
    AUTO_FREE char *first = NULL;
    AUTO_FREE char *second = NULL;
    char *none = NULL;
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(backup_start_backup(&f.aws, &opts, &first));
    assert_text_equal(first, "J-1");
    opts = (struct backup_start_opts){.vault_name = "v",
                                      .resource_arn = "r",
                                      .role_arn = "i",
                                      .token = "t",
                                      .start_window_minutes = 90,
                                      .complete_window_minutes = 600};
    assert_no_err(backup_start_backup(&f.aws, &opts, &second));
    assert_fails(backup_start_backup(&f.aws, &opts, &none), ERR_RETRY,
                 "backup StartBackupJob: the answer lacks BackupJobId");
    opts.token = NULL;
    assert_fails(backup_start_backup(&f.aws, &opts, &none), ERR_INVALID, "a token is required");
    fixture_done(&f);
}

static void starts_copy_and_restore(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .method = "PUT", .path = "/copy-jobs",
         .body_json =
             "{\"RecoveryPointArn\":\"p\",\"SourceBackupVaultName\":\"v\",\"DestinationBackupVaultArn\":"
             "\"d\","
             "\"IamRoleArn\":\"i\",\"IdempotencyToken\":\"t\",\"Lifecycle\":{\"DeleteAfterDays\":3}}",
         .reply = "{\"CopyJobId\":\"C-1\"}"},
        {HOST, .method = "PUT", .path = "/restore-jobs",
         .body_json = "{\"RecoveryPointArn\":\"p\",\"Metadata\":{\"engine\":\"aurora-mysql\","
                      "\"vpcSecurityGroupIds\":\"[\\\"sg-1\\\"]\"},"
                      "\"IamRoleArn\":\"i\",\"IdempotencyToken\":\"t\",\"ResourceType\":\"Aurora\"}",
         .reply = "{\"RestoreJobId\":\"R-1\"}"},
    };
    static const struct aws_pair metadata[] = {{"engine", "aurora-mysql"},
                                               {"vpcSecurityGroupIds", "[\"sg-1\"]"}};
    AUTO_FREE char *copy = NULL;
    AUTO_FREE char *restore = NULL;
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(backup_start_copy(&f.aws,
                                    &(struct copy_start_opts){.recovery_point_arn = "p",
                                                              .source_vault_name = "v",
                                                              .destination_vault_arn = "d",
                                                              .role_arn = "i",
                                                              .token = "t",
                                                              .delete_after_days = 3},
                                    &copy));
    assert_no_err(backup_start_restore(&f.aws,
                                       &(struct restore_start_opts){.recovery_point_arn = "p",
                                                                    .role_arn = "i",
                                                                    .resource_type = "Aurora",
                                                                    .token = "t",
                                                                    .metadata = metadata,
                                                                    .metadata_count = 2},
                                       &restore));
    assert_text_equal(copy, "C-1");
    assert_text_equal(restore, "R-1");
    fixture_done(&f);
}

/* A start with a token is repeated, word for word, when its answer was lost. */
static void repeats_a_lost_start(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .method = "PUT", .path = "/copy-jobs", .fail = "connection reset"},
        {HOST, .method = "PUT", .path = "/copy-jobs", .status = 500, .reply = "{}",
         .reply_headers = {"x-amzn-errortype: ServiceUnavailableException"}},
        {HOST, .method = "PUT", .path = "/copy-jobs", .reply = "{\"CopyJobId\":\"C-1\"}"},
    };
    AUTO_FREE char *id = NULL;
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(
        backup_start_copy(&f.aws, &(struct copy_start_opts){.recovery_point_arn = "p", .token = "t"}, &id));
    assert_text_equal(script_sent(f.t.script, 1)->body, script_sent(f.t.script, 3)->body);
    fixture_done(&f);
}

struct state_row {
    const char *name;
    enum backup_job_state want;
    bool is_final;
};

static const struct state_row state_rows[] = {
    {"CREATED", BACKUP_STATE_CREATED, false},    {"PENDING", BACKUP_STATE_PENDING, false},
    {"RUNNING", BACKUP_STATE_RUNNING, false},    {"ABORTING", BACKUP_STATE_ABORTING, false},
    {"COMPLETED", BACKUP_STATE_COMPLETED, true}, {"FAILED", BACKUP_STATE_FAILED, true},
    {"PARTIAL", BACKUP_STATE_PARTIAL, true},     {"ABORTED", BACKUP_STATE_ABORTED, true},
    {"EXPIRED", BACKUP_STATE_EXPIRED, true},     {"AGGREGATE_ALL", BACKUP_STATE_UNKNOWN, false},
};

static void knows_the_states(void **state)
{
    const struct state_row *row = *state;
    AUTO_FREE char *reply = xasprintf("{\"BackupJobId\":\"J\",\"State\":\"%s\"}", row->name);
    const struct exchange rows[] = {{HOST, .path = "/backup-jobs/J", .reply = reply}};
    AUTO_BACKUP_JOB struct backup_job job = {0};
    struct fixture f;

    FIXTURE(f, rows);
    assert_no_err(backup_describe_backup(&f.aws, "J", &job));
    assert_number(job.state, row->want);
    assert_text_equal(job.state_text, row->name);
    assert_int_equal(backup_state_is_final(job.state), row->is_final);
    fixture_done(&f);
}

static void describes_jobs(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .method = "GET", .path = "/backup-jobs/J", .absent = {"content-type"}, .body = "",
         .reply = "{\"BackupJobId\":\"J\",\"State\":\"COMPLETED\",\"StatusMessage\":\"m\","
                  "\"RecoveryPointArn\":\"" POINT "\","
                  "\"PercentDone\":\"42.5\",\"ResourceArn\":\"r\",\"ResourceType\":\"Aurora\","
                  "\"BackupVaultArn\":\"v\","
                  "\"IamRoleArn\":\"i\",\"CreationDate\":1795363200.123,\"CompletionDate\":1795366800,"
                  "\"BackupSizeInBytes\":0,"
                  "\"MessageCategory\":\"SUCCESS\",\"CreatedBy\":{\"BackupPlanId\":\"plan\"}}"},
        {HOST, .method = "GET", .path = "/copy-jobs/C",
         .reply = "{\"CopyJob\":{\"CopyJobId\":\"C\",\"State\":\"RUNNING\",\"SourceRecoveryPointArn\":\"s\","
                  "\"SourceBackupVaultArn\":\"sv\","
                  "\"DestinationBackupVaultArn\":\"dv\",\"CreationDate\":1795363200}}"},
        {HOST, .method = "GET", .path = "/restore-jobs/R",
         .reply = "{\"RestoreJobId\":\"R\",\"Status\":\"COMPLETED\",\"PercentDone\":\"100.00%\","
                  "\"CreatedResourceArn\":\"c\","
                  "\"RecoveryPointArn\":\"p\"}"},
        {HOST, .path = "/copy-jobs/X", .reply = "{}"},
        {HOST, .path = "/backup-jobs/J2", .status = 400,
         .reply = "{\"Code\":\"ERROR_1\",\"Message\":\"Cannot find\"}",
         .reply_headers = {"x-amzn-errortype: ResourceNotFoundException:http://internal/",
                           "x-amzn-requestid: q"}},
    };
    AUTO_BACKUP_JOB struct backup_job backup = {0};
    AUTO_BACKUP_JOB struct backup_job copy = {0};
    AUTO_BACKUP_JOB struct backup_job restore = {0};
    AUTO_BACKUP_JOB struct backup_job none = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(backup_describe_backup(&f.aws, "J", &backup));
    assert_text_equal(backup.recovery_point_arn, POINT);
    assert_text_equal(backup.plan_id, "plan");
    assert_text_equal(backup.status_message, "m");
    assert_number(backup.percent, 42);
    assert_number(backup.created_ms, 1795363200123);
    assert_number(backup.completed_ms, 1795366800000);
    assert_number(backup.size_bytes, 0);
    assert_no_err(backup_describe_copy(&f.aws, "C", &copy));
    assert_number(copy.kind, COPY_JOB);
    assert_number(copy.state, BACKUP_STATE_RUNNING);
    assert_text_equal(copy.recovery_point_arn, "s");
    assert_text_equal(copy.vault_arn, "sv");
    assert_text_equal(copy.destination_vault_arn, "dv");
    assert_null(copy.destination_recovery_point_arn);
    assert_number(copy.percent, -1);
    assert_number(copy.size_bytes, -1);
    assert_no_err(backup_describe_restore(&f.aws, "R", &restore));
    assert_number(restore.state, BACKUP_STATE_COMPLETED);
    assert_number(restore.percent, 100);
    assert_text_equal(restore.created_resource_arn, "c");
    assert_fails(backup_describe_copy(&f.aws, "X", &none), ERR_RETRY,
                 "backup DescribeCopyJob: the answer lacks State");
    assert_fails(
        backup_describe_backup(&f.aws, "J2", &none), ERR_NOT_FOUND,
        "backup DescribeBackupJob: ResourceNotFoundException: Cannot find (request q, account 222222222222)");
    assert_fails(backup_describe_backup(&f.aws, "", &none), ERR_INVALID, "a job must be named");
    assert_fails(backup_stop_backup(&f.aws, NULL), ERR_INVALID, "a job must be named");
    fixture_done(&f);
}

static void lists_all_pages(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .method = "GET",
         .path =
             "/backup-jobs/"
             "?createdAfter=2026-11-22T16%3A00%3A00Z&resourceArn=a%3Ab%2Fc&backupVaultName=v&maxResults=1000",
         .reply = "{\"BackupJobs\":[{\"BackupJobId\":\"1\",\"State\":\"RUNNING\"},{\"State\":\"RUNNING\"}],"
                  "\"NextToken\":\"n/1=\"}"},
        {HOST,
         .path =
             "/backup-jobs/"
             "?createdAfter=2026-11-22T16%3A00%3A00Z&resourceArn=a%3Ab%2Fc&backupVaultName=v&maxResults=1000"
             "&nextToken=n%2F1%3D",
         .reply = "{\"BackupJobs\":[],\"NextToken\":\"n2\"}"},
        {HOST,
         .path = "/backup-jobs/"
                 "?createdAfter=2026-11-22T16%3A00%3A00Z&resourceArn=a%3Ab%2Fc&backupVaultName=v&maxResults="
                 "1000&nextToken=n2",
         .reply = "{\"BackupJobs\":[{\"BackupJobId\":\"2\",\"State\":\"FAILED\"}]}"},
        {HOST,
         .path =
             "/copy-jobs/?state=RUNNING&destinationVaultArn=dv&sourceRecoveryPointArn=p%3A1&maxResults=1000",
         .reply = "{\"CopyJobs\":[{\"CopyJobId\":\"3\",\"State\":\"RUNNING\"}]}"},
        {HOST, .path = "/restore-jobs/?status=RUNNING&maxResults=1000",
         .reply = "{\"RestoreJobs\":[{\"RestoreJobId\":\"4\",\"RecoveryPointArn\":\"p:1\"},{\"RestoreJobId\":"
                  "\"5\",\"RecoveryPointArn\":\"p:2\"}]}"},
        {HOST, .path = "/restore-jobs/?maxResults=1000", .reply = "{}"},
    };
    const struct backup_jobs_filter of_backups = {
        .resource_arn = "a:b/c", .vault_name = "v", .created_after_ms = TESTING_WALL_MS};
    const struct backup_jobs_filter of_others = {
        .state = "RUNNING", .recovery_point_arn = "p:1", .destination_vault_arn = "dv"};
    AUTO_BACKUP_JOBS struct backup_jobs backups = {0};
    AUTO_BACKUP_JOBS struct backup_jobs copies = {0};
    AUTO_BACKUP_JOBS struct backup_jobs restores = {0};
    AUTO_BACKUP_JOBS struct backup_jobs none = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(backup_list_backups(&f.aws, &of_backups, &backups));
    assert_number((int64_t)backups.count, 2);
    assert_text_equal(backups.items[1].id, "2");
    assert_no_err(backup_list_copies(&f.aws, &of_others, &copies));
    assert_number((int64_t)copies.count, 1);
    assert_no_err(backup_list_restores(&f.aws, &of_others, &restores));
    assert_number((int64_t)restores.count, 1);
    assert_text_equal(restores.items[0].id, "4");
    assert_no_err(backup_list_restores(&f.aws, NULL, &none));
    assert_number((int64_t)none.count, 0);
    fixture_done(&f);
}

static void handles_recovery_points(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .method = "GET", .path = "/backup-vaults/staging/recovery-points/" POINT_ENCODED,
         .reply = "{\"RecoveryPointArn\":\"" POINT
                  "\",\"Status\":\"COMPLETED\",\"BackupVaultName\":\"staging\",\"IsEncrypted\":true,"
                  "\"CreationDate\":1795363200,\"CalculatedLifecycle\":{\"DeleteAt\":1795366800.5},"
                  "\"EncryptionKeyArn\":\"k\","
                  "\"BackupSizeInBytes\":9007199254740992}"},
        {HOST, .path = "/backup-vaults/v/recovery-points/?resourceArn=r%3A1&maxResults=1000",
         .reply = "{\"RecoveryPoints\":[{\"RecoveryPointArn\":\"1\"}],\"NextToken\":\"n\"}"},
        {HOST, .path = "/backup-vaults/v/recovery-points/?resourceArn=r%3A1&maxResults=1000&nextToken=n",
         .reply = "{\"RecoveryPoints\":[{\"RecoveryPointArn\":\"2\",\"Status\":\"EXPIRED\"}]}"},
        {HOST, .method = "DELETE",
         .path = "/backup-vaults/v/recovery-points/arn%3Aaws%3Adynamodb%3Ar%3A1%3Atable%2Ft%2Fbackup%2F01",
         .reply = ""},
        {HOST, .path = "/backup-vaults/v/recovery-points/p/restore-metadata",
         .reply = "{\"RestoreMetadata\":{\"DBSubnetGroupName\":\"prod\",\"VpcSecurityGroupIds\":\"[\\\"sg-"
                  "1\\\"]\"},\"ResourceType\":\"Aurora\"}"},
    };
    AUTO_RECOVERY_POINT struct recovery_point point = {0};
    AUTO_RECOVERY_POINTS struct recovery_points points = {0};
    AUTO_TAGS struct aws_tags metadata = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(backup_describe_recovery_point(&f.aws, "staging", POINT, &point));
    assert_text_equal(point.status, "COMPLETED");
    assert_true(point.is_encrypted);
    assert_number(point.delete_at_ms, 1795366800500);
    assert_no_err(backup_list_recovery_points(&f.aws, "v", "r:1", &points));
    assert_number((int64_t)points.count, 2);
    assert_text_equal(points.items[1].status, "EXPIRED");
    assert_no_err(backup_delete_recovery_point(&f.aws, "v", TABLE_POINT));
    assert_fails(backup_delete_recovery_point(&f.aws, "v", ""), ERR_INVALID, "must be named");
    assert_no_err(backup_get_restore_metadata(&f.aws, "v", "p", &metadata));
    assert_text_equal(aws_tags_get(&metadata, "VpcSecurityGroupIds"), "[\"sg-1\"]");
    fixture_done(&f);
}

/* The tags of a recovery point, by the service that keeps it. */
static const struct tags_row {
    const char *name, *arn;
    struct exchange exchanges[2];
    size_t count;
    const char *value; /* of the tag "run"; NULL: none */
} tags_rows[] = {
    {"managed by AWS Backup",
     "arn:aws:backup:r:1:recovery-point:p",
     {{HOST, .method = "GET", .path = "/tags/arn%3Aaws%3Abackup%3Ar%3A1%3Arecovery-point%3Ap/",
       .reply = "{\"Tags\":{\"a\":\"1\"},\"NextToken\":\"n\"}"},
      {HOST, .path = "/tags/arn%3Aaws%3Abackup%3Ar%3A1%3Arecovery-point%3Ap/?nextToken=n",
       .reply = "{\"Tags\":{\"run\":\"x\"}}"}},
     2,
     "x"},
    {"a snapshot of RDS",
     "arn:aws-cn:rds:r:1:cluster-snapshot:awsbackup:job-1",
     {{.host = "rds.ap-northeast-1.amazonaws.com",
       .body = "Action=ListTagsForResource&Version=2014-10-31&ResourceName=arn%3Aaws-cn%3Ards%3Ar%3A1%3A"
               "cluster-snapshot%3Aawsbackup%3Ajob-1",
       .reply =
           "<ListTagsForResourceResponse><ListTagsForResourceResult><TagList><Tag><Key>run</Key>"
           "<Value>y</Value></Tag></TagList></ListTagsForResourceResult></ListTagsForResourceResponse>"}},
     1,
     "y"},
    {"a backup of DynamoDB's own", TABLE_POINT, {{0}}, 0, NULL},
};

static void asks_who_keeps_it_for_tags(void **state)
{
    const struct tags_row *row = *state;
    AUTO_TAGS struct aws_tags tags = {0};
    struct fixture f;

    if (row->count)
        fixture_init(&f, AWS_TARGET, row->exchanges, row->count);
    else
        fixture_init_bare(&f, AWS_TARGET, NULL, 0);
    assert_no_err(backup_list_point_tags(&f.aws, row->arn, &tags));
    assert_text_equal(aws_tags_get(&tags, "run"), row->value);
    fixture_done(&f);
}

static void describes_vault_and_settings(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .method = "GET", .path = "/backup-vaults/v",
         .reply = "{\"BackupVaultArn\":\"a\",\"BackupVaultName\":\"v\",\"EncryptionKeyArn\":\"k\",\"Locked\":"
                  "true,\"MinRetentionDays\":7}"},
        {HOST, .path = "/backup-vaults/v/access-policy", .reply = "{\"Policy\":\"{\\\"Version\\\":1}\"}"},
        {HOST, .path = "/backup-vaults/w/access-policy", .status = 400, .reply = "{}",
         .reply_headers = {"x-amzn-errortype: ResourceNotFoundException"}},
        {HOST, .path = "/backup-vaults/x/access-policy", .status = 403, .reply = "{}",
         .reply_headers = {"x-amzn-errortype: AccessDeniedException"}},
        {HOST, .path = "/account-settings",
         .reply = "{\"ResourceTypeOptInPreference\":{\"Aurora\":true,\"DynamoDB\":true,\"EC2\":false},"
                  "\"ResourceTypeManagementPreference\":{\"DynamoDB\":false}}"},
        {HOST, .path = "/global-settings",
         .reply = "{\"GlobalSettings\":{\"isCrossAccountBackupEnabled\":\"true\"}}"},
        {HOST, .path = "/global-settings",
         .reply = "{\"GlobalSettings\":{\"isCrossAccountBackupEnabled\":\"false\"}}"},
    };
    AUTO_BACKUP_VAULT struct backup_vault vault = {0};
    AUTO_FREE char *policy = NULL;
    char *none = (char *)&vault;
    struct backup_region_settings settings;
    struct fixture f;
    bool enabled = false;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(backup_describe_vault(&f.aws, "v", &vault));
    assert_true(vault.is_locked);
    assert_number(vault.min_retention_days, 7);
    assert_no_err(backup_get_vault_policy(&f.aws, "v", &policy));
    assert_text_equal(policy, "{\"Version\":1}");
    assert_no_err(backup_get_vault_policy(&f.aws, "w", &none));
    assert_null(none);
    assert_fails(backup_get_vault_policy(&f.aws, "x", &none), ERR_DENIED, "AccessDeniedException");
    assert_no_err(backup_describe_region_settings(&f.aws, &settings));
    assert_true(settings.aurora_opted_in && settings.dynamodb_opted_in && !settings.dynamodb_advanced);
    assert_no_err(backup_describe_global_settings(&f.aws, &enabled));
    assert_true(enabled);
    assert_no_err(backup_describe_global_settings(&f.aws, &enabled));
    assert_false(enabled);
    fixture_done(&f);
}

/* --- pages that lie --- */

struct page_row {
    const char *name;
    const char *pages[4];
    size_t count; /* of jobs; when it works */
    const char *fails;
};

static const struct page_row page_rows[] = {
    {"an empty page in the middle",
     {"{\"BackupJobs\":[{\"BackupJobId\":\"A\"}],\"NextToken\":\"t1\"}",
      "{\"BackupJobs\":[],\"NextToken\":\"t2\"}", "{\"BackupJobs\":[{\"BackupJobId\":\"B\"}]}"},
     2,
     NULL},
    {"a page without a list",
     {"{\"NextToken\":\"t1\"}", "{\"BackupJobs\":[{\"BackupJobId\":\"B\"}]}"},
     1,
     NULL},
    {"an empty token is the end", {"{\"BackupJobs\":[{\"BackupJobId\":\"A\"}],\"NextToken\":\"\"}"}, 1, NULL},
    {"a token that is null", {"{\"BackupJobs\":[{\"BackupJobId\":\"A\"}],\"NextToken\":null}"}, 1, NULL},
    {"a token that repeats",
     {"{\"BackupJobs\":[{\"BackupJobId\":\"A\"}],\"NextToken\":\"t1\"}",
      "{\"BackupJobs\":[{\"BackupJobId\":\"A\"}],\"NextToken\":\"t1\"}"},
     0,
     "backup ListBackupJobs: the same page came twice, the list cannot be relied on"},
};

static void reads_pages_that_lie(void **state)
{
    const struct page_row *row = *state;
    struct exchange rows[4] = {0};
    size_t count = 0;
    AUTO_BACKUP_JOBS struct backup_jobs jobs = {0};
    struct fixture f;

    for (; count < COUNT_OF(row->pages) && row->pages[count]; count++)
        rows[count] = (struct exchange){HOST, .method = "GET", .reply = row->pages[count]};
    fixture_init(&f, AWS_TARGET, rows, count);
    if (row->fails) {
        assert_fails(backup_list_backups(&f.aws, NULL, &jobs), ERR_RETRY, row->fails);
    } else {
        assert_no_err(backup_list_backups(&f.aws, NULL, &jobs));
        assert_number((int64_t)jobs.count, (int64_t)row->count);
    }
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, starts_a_backup);
    TEST(&tests, starts_copy_and_restore);
    TEST(&tests, repeats_a_lost_start);
    TEST_ROWS(&tests, knows_the_states, state_rows);
    TEST(&tests, describes_jobs);
    TEST(&tests, lists_all_pages);
    TEST_ROWS(&tests, reads_pages_that_lie, page_rows);
    TEST(&tests, handles_recovery_points);
    TEST_ROWS(&tests, asks_who_keeps_it_for_tags, tags_rows);
    TEST(&tests, describes_vault_and_settings);
    return tests_run(&tests, "backup");
}
