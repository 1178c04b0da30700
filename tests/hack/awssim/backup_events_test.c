/* The shapes of AWS Backup's events: numbers that are texts and texts that are numbers, and a word that
 * changes. */
#include "tests/hack/awssim/client_fixture.h"

#include "pkg/base/times.h"

#define ACCOUNT "111111111111"
#define ROLE "arn:aws:iam::" ACCOUNT ":role/all"
#define VAULT(name) "arn:aws:backup:ap-northeast-1:" ACCOUNT ":backup-vault:" name
#define TABLE "arn:aws:dynamodb:ap-northeast-1:" ACCOUNT ":table/sessions"

static const char world[] =
    "organization: {id: o-one, crossAccountBackup: true}\n"
    "accounts:\n"
    "- id: '" ACCOUNT "'\n"
    "  region: ap-northeast-1\n"
    "  iam:\n"
    "    users:\n"
    "    - {name: me, accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}], allow: ['*']}\n"
    "    roles:\n"
    "    - {name: all, trust: [{service: backup.amazonaws.com}], allow: ['*']}\n"
    "  backup: {optIn: [DynamoDB], fullManagement: [DynamoDB], vaults: [{name: v1}, {name: v2}]}\n"
    "  dynamodb:\n"
    "    tables:\n"
    "    - {name: sessions, hashKey: 'id:S', billingMode: PAY_PER_REQUEST, sizeBytes: 345}\n";

static char *start(const char *path, const char *body, const char *id, int64_t takes_ms)
{
    assert_number(awssim_rest(&client, "PUT", path, body), 200);
    AUTO_FREE char *job = xstrdup(awssim_text(&client, id));
    AUTO_FREE char *target = xasprintf("%s/%s", path, job);

    awssim_client_advance(&client, takes_ms);
    assert_number(awssim_rest(&client, "GET", target, NULL), 200);
    return xstrdup_or_null(awssim_text(&client, "RecoveryPointArn"));
}

/* A table is backed up, copied to another vault and restored. */
static void carry_over(void)
{
    AUTO_FREE char *point = start("/backup-jobs",
                                  "{\"BackupVaultName\":\"v1\",\"ResourceArn\":\"" TABLE
                                  "\",\"IamRoleArn\":\"" ROLE "\",\"Lifecycle\":{\"DeleteAfterDays\":14}}",
                                  "BackupJobId", MINUTES(10));
    AUTO_FREE char *copy =
        xasprintf("{\"RecoveryPointArn\":\"%s\",\"SourceBackupVaultName\":\"v1\","
                  "\"DestinationBackupVaultArn\":\"" VAULT("v2") "\",\"IamRoleArn\":\"" ROLE "\"}",
                  point);
    AUTO_FREE char *restore =
        xasprintf("{\"RecoveryPointArn\":\"%s\",\"IamRoleArn\":\"" ROLE
                  "\",\"Metadata\":{\"targetTableName\":\"again\",\"encryptionType\":\"Default\"}}",
                  point);
    AUTO_FREE char *none = start("/copy-jobs", copy, "CopyJobId", MINUTES(20));
    AUTO_FREE char *same = start("/restore-jobs", restore, "RestoreJobId", MINUTES(40));
}

/* The first (or last) event of a kind. */
static const struct json *event(const char *type, bool last)
{
    const struct json *found = NULL;

    assert_number(awssim_control(&client, "GET", "/_sim/world", NULL), 200);
    json_each (item, json_member(client.json, "events"))
        if (text_equal(json_get_text(item, "detail-type", ""), type) && (!found || last))
            found = item;
    assert_non_null(found);
    return found;
}

static const struct row {
    const char *name, *type, *member;
    bool last;
    enum json_type kind; /* JSON_NULL: not there */
    const char *want;    /* as JSON; NULL: any */
} rows[] = {
    {"a backup's first event is short", "Backup Job State Change", "resourceArn", false, JSON_NULL, NULL},
    {"a backup's state", "Backup Job State Change", "state", true, JSON_STRING, "\"COMPLETED\""},
    {"a backup's percentage", "Backup Job State Change", "percentDone", true, JSON_NUMBER, "100"},
    {"a backup's bytes", "Backup Job State Change", "bytesTransferred", true, JSON_STRING, NULL},
    {"a backup's size", "Backup Job State Change", "backupSizeInBytes", true, JSON_STRING, "\"345\""},
    {"a backup's window", "Backup Job State Change", "startBy", true, JSON_STRING, NULL},
    {"a copy's first event has no id", "Copy Job State Change", "copyJobId", false, JSON_NULL, NULL},
    {"a copy's size", "Copy Job State Change", "backupSizeInBytes", true, JSON_NUMBER, "345"},
    {"a copy's vault", "Copy Job State Change", "destinationBackupVaultArn", true, JSON_STRING,
     "\"" VAULT("v2") "\""},
    {"a restore's first state", "Restore Job State Change", "state", false, JSON_STRING, "\"CREATED\""},
    {"a restore's status", "Restore Job State Change", "status", true, JSON_STRING, "\"COMPLETED\""},
    {"a restore has no state later", "Restore Job State Change", "state", true, JSON_NULL, NULL},
    {"a restore's percentage", "Restore Job State Change", "percentDone", true, JSON_NUMBER, "0"},
    {"a restore's size", "Restore Job State Change", "backupSizeInBytes", true, JSON_STRING, "\"345\""},
    {"a restore's source", "Restore Job State Change", "sourceResourceArn", true, JSON_STRING,
     "\"" TABLE "\""},
    {"a restore's vault", "Restore Job State Change", "backupVaultArn", true, JSON_STRING,
     "\"" VAULT("v1") "\""},
    {"a point's encryption", "Recovery Point State Change", "isEncrypted", false, JSON_STRING, "\"true\""},
    {"a point's lifecycle", "Recovery Point State Change", "lifecycle", false, JSON_OBJECT,
     "{\"deleteAfterDays\":14}"},
    {"a point's end", "Recovery Point State Change", "calculatedLifeCycle", false, JSON_OBJECT, NULL},
};

static void test_shape(void **state)
{
    const struct row *row = *state;

    carry_over();
    const struct json *value = json_at(json_member(event(row->type, row->last), "detail"), row->member);
    assert_int_equal(json_type(value), row->kind);
    if (row->want)
        assert_json_equal(value, row->want);
}

int main(void)
{
    struct tests tests = tests_in(world);

    TEST_ROWS(&tests, test_shape, rows);
    return tests_run(&tests, "awssim backup events");
}
