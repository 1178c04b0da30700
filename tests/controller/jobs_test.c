/* What the ends of AWS Backup's jobs mean for us, lies and oddities included. */
#include "controller/steps/steps.h"
#include "tests/pkg/aws/fixture.h"
#include "tests/testing/assertions.h"

struct row {
    const char *name;
    enum backup_job_state state;
    const char *state_text, *words;
    enum verdict verdict;
    bool retryable;
    const char *reason, *message;
    bool is_crowded;
};

static const struct row rows[] = {
    {"completed", BACKUP_STATE_COMPLETED, "COMPLETED", NULL, VERDICT_DONE, false, NULL,
     "copy job J completed", false},
    {"completed with a remark", BACKUP_STATE_COMPLETED, "COMPLETED", "Some tags were not copied",
     VERDICT_DONE, false, NULL, "copy job J completed, and AWS remarks: Some tags were not copied", false},
    {"failed without a word", BACKUP_STATE_FAILED, "FAILED", NULL, VERDICT_FAILED, true, "JobFailed",
     "copy job J ended as FAILED: AWS gave no reason", false},
    {"failed for a reason that passes", BACKUP_STATE_FAILED, "FAILED",
     "There is a running job for the same resource.", VERDICT_FAILED, true, "ResourceBusy",
     "copy job J ended as FAILED: There is a running job for the same resource.; another job was running for "
     "the same resource",
     false},
    {"failed in a crowd", BACKUP_STATE_FAILED, "FAILED", "There are too many copy jobs running for resource.",
     VERDICT_FAILED, true, "TooManyJobs",
     "copy job J ended as FAILED: There are too many copy jobs running for resource.; the account's limit of "
     "copy jobs was reached",
     true},
    {"failed at a limit", BACKUP_STATE_FAILED, "FAILED", "Job limit exceeded", VERDICT_FAILED, true,
     "LimitExceeded", "copy job J ended as FAILED: Job limit exceeded; a limit of the account was reached",
     true},
    {"failed for a reason that a person must settle", BACKUP_STATE_FAILED, "FAILED",
     "Access Denied trying to call AWS Backup service", VERDICT_FAILED, false, "CopyDenied",
     "copy job J ended as FAILED: Access Denied trying to call AWS Backup service; the target vault's access "
     "policy must allow backup:CopyIntoBackupVault to the source account",
     false},
    {"expired", BACKUP_STATE_EXPIRED, "EXPIRED", NULL, VERDICT_FAILED, true, "StartWindowPassed",
     "copy job J ended as EXPIRED: AWS gave no reason; it could not start within its window", false},
    {"expired, and AWS says why", BACKUP_STATE_EXPIRED, "EXPIRED", "Backup job expired before completion",
     VERDICT_FAILED, true, "StartWindowPassed",
     "copy job J ended as EXPIRED: Backup job expired before completion; the job could not start within its "
     "window",
     false},
    {"aborted", BACKUP_STATE_ABORTED, "ABORTED", NULL, VERDICT_FAILED, false, "JobAborted",
     "copy job J ended as ABORTED: AWS gave no reason; somebody stopped it in AWS; ask for a retry when that "
     "is over",
     false},
    {"aborted with words that would pass", BACKUP_STATE_ABORTED, "ABORTED", "internal error", VERDICT_FAILED,
     false, "JobAborted",
     "copy job J ended as ABORTED: internal error; somebody stopped it in AWS; ask for a retry when that is "
     "over",
     false},
    {"partial", BACKUP_STATE_PARTIAL, "PARTIAL", "1 of 2", VERDICT_FAILED, false, "JobPartial",
     "copy job J ended as PARTIAL: 1 of 2; what it made is not whole and is not used; look at the job in "
     "AWS",
     false},
};

static void judges_an_end(void **state)
{
    const struct row *row = *state;
    char id[] = "J";
    const struct backup_job job = {.kind = COPY_JOB,
                                   .id = id,
                                   .state = row->state,
                                   .state_text = (char *)(uintptr_t)row->state_text,
                                   .status_message = (char *)(uintptr_t)row->words};
    AUTO_OUTCOME struct outcome out = job_end("copy job", &job);

    assert_int_equal(out.verdict, row->verdict);
    assert_int_equal(out.retryable, row->retryable);
    assert_int_equal(out.is_crowded, row->is_crowded);
    assert_text_equal(out.reason, row->reason);
    assert_text_equal(out.message, row->message);
}

/* --- completed, and nothing in it --- */

#define RESTORED "arn:aws:rds:ap-northeast-1:222222222222:cluster:shop-x"
#define TABLE "arn:aws:dynamodb:ap-northeast-1:222222222222:table/shop-x"
#define POINT "arn:aws:backup:ap-northeast-1:222222222222:recovery-point:p"

#define CLUSTER_REPLY                                                                                    \
    "<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster><DBClusterIdentifier>" \
    "shop-x</DBClusterIdentifier><DBClusterArn>" RESTORED "</DBClusterArn><Status>available</Status>"    \
    "</DBCluster></DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>"
#define NO_CLUSTER                                                                      \
    .status = 404, .reply = "<ErrorResponse><Error><Code>DBClusterNotFoundFault</Code>" \
                            "<Message>no</Message></Error></ErrorResponse>"
#define TAGGED "<AddTagsToResourceResponse/>"
#define EMPTY_RESTORE "{\"RestoreJobId\":\"J\",\"Status\":\"COMPLETED\"}"
#define EMPTY_BACKUP "{\"BackupJobId\":\"J\",\"State\":\"COMPLETED\"}"
#define EMPTY_COPY "{\"CopyJob\":{\"CopyJobId\":\"J\",\"State\":\"COMPLETED\"}}"

struct nameless_row {
    const char *name;
    struct err *(*act)(struct stage *stage, struct outcome *out);
    int64_t since_ms; /* it has been so for that long; 0: seen for the first time */
    struct exchange exchanges[4];
    size_t count;
    enum verdict verdict;
    const char *message;
    const char *booked; /* copy in the status; NULL: none */
};

static const struct nameless_row nameless_rows[] = {
    {"a backup, just completed",
     backup_act,
     0,
     {{.reply = EMPTY_BACKUP}},
     1,
     VERDICT_WAIT,
     "backup job J completed; AWS does not say yet what it made",
     NULL},
    {"a backup, for minutes",
     backup_act,
     MINUTES(6),
     {{.reply = EMPTY_BACKUP}},
     1,
     VERDICT_FAILED,
     "backup job J completed, but AWS names nothing that it made; look at the job in AWS",
     NULL},
    {"a copy, for one minute",
     copy_act,
     MINUTES(1),
     {{.reply = EMPTY_COPY}},
     1,
     VERDICT_WAIT,
     "copy job J completed; AWS does not say yet what it made",
     NULL},
    {"a copy, for minutes",
     copy_act,
     MINUTES(6),
     {{.reply = EMPTY_COPY}},
     1,
     VERDICT_FAILED,
     "copy job J completed, but AWS names nothing that it made; look at the job in AWS",
     NULL},
    {"a restore, just completed",
     restore_act_cluster,
     0,
     {{.reply = EMPTY_RESTORE}},
     1,
     VERDICT_WAIT,
     "restore job J completed; AWS does not say yet what it made",
     NULL},
    {"a restore, and there is a cluster",
     restore_act_cluster,
     MINUTES(6),
     {{.reply = EMPTY_RESTORE},
      {.reply = CLUSTER_REPLY},
      {.body_contains = {"Action=AddTagsToResource"}, .reply = TAGGED},
      {.reply = CLUSTER_REPLY}},
     4,
     VERDICT_DONE,
     "restore job J completed",
     RESTORED},
    {"a restore, and there is no cluster",
     restore_act_cluster,
     MINUTES(6),
     {{.reply = EMPTY_RESTORE}, {NO_CLUSTER}},
     2,
     VERDICT_FAILED,
     "restore job J completed, but AWS names nothing that it made; look at the job in AWS",
     NULL},
    {"a restore, and there is a table",
     restore_act_table,
     MINUTES(6),
     {{.reply = EMPTY_RESTORE},
      {.reply =
           "{\"Table\":{\"TableName\":\"shop-x\",\"TableStatus\":\"ACTIVE\",\"TableArn\":\"" TABLE "\"}}"},
      {.headers = {"TagResource"}, .reply = "{}"}},
     3,
     VERDICT_DONE,
     "restore job J completed",
     TABLE},
};

/* A pass over one row of a run, with a script for AWS. */
struct scene {
    struct fixture f;
    struct objects objects;
    struct account account;
    struct refresh_spec spec;
    struct database_spec database;
    struct database_status copy;
    struct pass pass;
    struct step_status row;
    struct stage stage;
};

static void scene_init(struct scene *scene, const struct exchange *exchanges, size_t count)
{
    *scene = (struct scene){.objects = {.installation = "here"},
                            .account = {.account_id = (char[]){"222222222222"}, .vault_name = (char[]){"v"}},
                            .database = {.name = (char[]){"main"}}};
    fixture_init(&scene->f, AWS_TARGET, exchanges, count);
    scene->copy.copy_identifier = xstrdup("shop-x");
    scene->copy.recovery_point_arn = xstrdup(POINT);
    scene->row = (struct step_status){
        .state = STEP_RUNNING, .external_id = xstrdup("J"), .start_ms = TESTING_WALL_MS - HOURS(1)};
    scene->pass = (struct pass){.env = &scene->f.t.env,
                                .objects = &scene->objects,
                                .namespace = "n",
                                .name = "o",
                                .uid = "u",
                                .spec = &scene->spec,
                                .status = refresh_status_new(),
                                .source_account = &scene->account,
                                .target_account = &scene->account,
                                .source = scene->f.aws,
                                .target = scene->f.aws,
                                .now_ms = TESTING_WALL_MS};
    scene->pass.status->run.id = xstrdup("r");
    scene->stage = (struct stage){.pass = &scene->pass,
                                  .row = &scene->row,
                                  .database = &scene->database,
                                  .copy = &scene->copy,
                                  .heard_ms = NEVER_MS};
}

static void scene_done(struct scene *scene)
{
    refresh_status_free(scene->pass.status);
    xfree(scene->copy.copy_identifier);
    xfree(scene->copy.recovery_point_arn);
    xfree(scene->copy.copy_arn);
    xfree(scene->copy.endpoint);
    xfree(scene->copy.reader_endpoint);
    xfree(scene->row.external_id);
    xfree(scene->row.message);
    json_free(scene->row.evidence);
    fixture_done(&scene->f);
}

static void looks_for_what_was_made(void **state)
{
    const struct nameless_row *row = *state;
    AUTO_OUTCOME struct outcome out = {0};
    struct scene scene;

    scene_init(&scene, row->exchanges, row->count);
    if (row->since_ms)
        step_set_evidence_ms(&scene.row, "namelessSince", TESTING_WALL_MS - row->since_ms);
    assert_no_err(row->act(&scene.stage, &out));
    assert_text_contains(out.message, row->message);
    assert_int_equal(out.verdict, row->verdict);
    assert_number((int64_t)scene.pass.status->copy_count, row->booked ? 1 : 0);
    if (row->booked)
        assert_text_equal(scene.pass.status->copies[0].arn, row->booked);
    scene_done(&scene);
}

static const struct point_row {
    const char *name, *status, *fails;
} points[] = {
    {"whole", "COMPLETED", NULL},
    {"usable", "AVAILABLE", NULL},
    {"in parts", "PARTIAL", "recovery point " POINT " is PARTIAL: it cannot be copied as a whole"},
    {"to be deleted", "EXPIRED", "is EXPIRED"},
};

static void copies_what_is_whole(void **state)
{
    const struct point_row *row = *state;
    AUTO_FREE char *reply = xasprintf("{\"RecoveryPointArn\":\"" POINT "\",\"Status\":\"%s\"}", row->status);
    const struct exchange exchanges[] = {{.reply = reply}};
    struct scene scene;

    scene_init(&scene, exchanges, 1);
    if (row->fails)
        assert_fails(copy_intend(&scene.stage), ERR_INVALID, row->fails);
    else
        assert_no_err(copy_intend(&scene.stage));
    scene_done(&scene);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, judges_an_end, rows);
    TEST_ROWS(&tests, looks_for_what_was_made, nameless_rows);
    TEST_ROWS(&tests, copies_what_is_whole, points);
    return tests_run(&tests, "jobs");
}
