/* Tables: what may be changed when, what a restore loses. */
#include "tests/hack/awssim/services_world.h"

#include "hack/awssim/dynamodb.h"

static int ddb(const char *operation, const char *body)
{
    return awssim_json(&client, "dynamodb", operation, body);
}

static void expect_table(const char *name, const char *path, const char *want)
{
    AUTO_FREE char *body = xasprintf("{\"TableName\":\"%s\"}", name);

    assert_number(ddb("DescribeTable", body), 200);
    assert_text_equal(awssim_text(&client, path), want);
}

/* ---- refusals ---- */

static const struct refused_row {
    const char *name, *operation, *body, *error;
} refused_rows[] = {
    {.name = "no table",
     .operation = "DescribeTable",
     .body = "{\"TableName\":\"nope\"}",
     .error = "ResourceNotFoundException"},
    {.name = "backups of no table",
     .operation = "DescribeContinuousBackups",
     .body = "{\"TableName\":\"nope\"}",
     .error = "TableNotFoundException"},
    {.name = "two kinds of change",
     .operation = "UpdateTable",
     .body = "{\"TableName\":\"plain\",\"DeletionProtectionEnabled\":true,\"StreamSpecification\":{"
             "\"StreamEnabled\":"
             "true,"
             "\"StreamViewType\":\"NEW_IMAGE\"}}",
     .error = "ValidationException"},
    {.name = "no change",
     .operation = "UpdateTable",
     .body = "{\"TableName\":\"plain\"}",
     .error = "ValidationException"},
    {.name = "the same throughput",
     .operation = "UpdateTable",
     .body = "{\"TableName\":\"guarded\",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5,"
             "\"WriteCapacityUnits\":5}"
             "}",
     .error = "ValidationException"},
    {.name = "throughput on demand",
     .operation = "UpdateTable",
     .body = "{\"TableName\":\"plain\",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5,"
             "\"WriteCapacityUnits\":5}}",
     .error = "ValidationException"},
    {.name = "provisioned without throughput",
     .operation = "UpdateTable",
     .body = "{\"TableName\":\"plain\",\"BillingMode\":\"PROVISIONED\"}",
     .error = "ValidationException"},
    {.name = "stream off that is not on",
     .operation = "UpdateTable",
     .body = "{\"TableName\":\"plain\",\"StreamSpecification\":{\"StreamEnabled\":false}}",
     .error = "ValidationException"},
    {.name = "stream without a view",
     .operation = "UpdateTable",
     .body = "{\"TableName\":\"plain\",\"StreamSpecification\":{\"StreamEnabled\":true}}",
     .error = "ValidationException"},
    {.name = "disabled key",
     .operation = "UpdateTable",
     .body = "{\"TableName\":\"plain\",\"SSESpecification\":{\"Enabled\":true,\"SSEType\":\"KMS\","
             "\"KMSMasterKeyId\":"
             "\"key-off\"}}",
     .error = "ValidationException"},
    {.name = "time to live off that is not on",
     .operation = "UpdateTimeToLive",
     .body =
         "{\"TableName\":\"plain\",\"TimeToLiveSpecification\":{\"Enabled\":false,\"AttributeName\":\"e\"}}",
     .error = "ValidationException"},
    {.name = "36 days of recovery",
     .operation = "UpdateContinuousBackups",
     .body =
         "{\"TableName\":\"plain\",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":true,"
         "\"RecoveryPeriodInDays\":36}}",
     .error = "ValidationException"},
    {.name = "delete a protected one",
     .operation = "DeleteTable",
     .body = "{\"TableName\":\"guarded\"}",
     .error = "ValidationException"},
    {.name = "tags of nothing",
     .operation = "ListTagsOfResource",
     .body = "{\"ResourceArn\":\"arn:aws:dynamodb:ap-northeast-1:222222222222:table/nope\"}",
     .error = "ResourceNotFoundException"},
    {.name = "create twice",
     .operation = "CreateTable",
     .body =
         "{\"TableName\":\"plain\",\"AttributeDefinitions\":[],\"KeySchema\":[],\"BillingMode\":\"PAY_PER_"
         "REQUEST\"}",
     .error = "ResourceInUseException"},
    {.name = "unknown member",
     .operation = "DescribeTable",
     .body = "{\"TableName\":\"plain\",\"X\":1}",
     .error = "ValidationException"},
};

static void test_refused(void **state)
{
    const struct refused_row *row = *state;

    assert_number(ddb(row->operation, row->body), 400);
    assert_awssim_error(&client, row->error);
}

static void test_answers_carry_a_checksum(void **state)
{
    (void)state;
    assert_number(ddb("ListTables", "{}"), 200);
    assert_non_null(awssim_header(&client, "x-amz-crc32"));
    assert_text_equal(client.reply.body, "{\"TableNames\":[\"guarded\",\"plain\"]}");
    assert_text_equal(awssim_header(&client, "x-amz-crc32"), "2711279586");
}

static void test_names_in_pages(void **state)
{
    (void)state;
    assert_number(ddb("ListTables", "{\"Limit\":1}"), 200);
    assert_text_equal(awssim_text(&client, "TableNames[0]"), "guarded");
    assert_text_equal(awssim_text(&client, "LastEvaluatedTableName"), "guarded");
    assert_number(ddb("ListTables", "{\"Limit\":1,\"ExclusiveStartTableName\":\"guarded\"}"), 200);
    assert_text_equal(awssim_text(&client, "TableNames[0]"), "plain");
    assert_text_equal(awssim_text(&client, "LastEvaluatedTableName"), NULL);
}

/* ---- updates ---- */

static const struct update_row {
    const char *name, *body, *effect, *status, *path, *want;
} update_rows[] = {
    {.name = "stream",
     .body = "\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"KEYS_ONLY\"}",
     .effect = "changed",
     .status = "UPDATING",
     .path = "Table.StreamSpecification.StreamViewType",
     .want = "KEYS_ONLY"},
    {.name = "protection",
     .body = "\"DeletionProtectionEnabled\":true",
     .effect = "changed",
     .status = "UPDATING",
     .path = "Table.TableName",
     .want = "plain"},
    {.name = "the same protection",
     .body = "\"DeletionProtectionEnabled\":false",
     .effect = "none",
     .status = "ACTIVE",
     .path = "Table.TableName",
     .want = "plain"},
    {.name = "managed key",
     .body = "\"SSESpecification\":{\"Enabled\":true}",
     .effect = "changed",
     .status = "UPDATING",
     .path = "Table.SSEDescription.SSEType",
     .want = "KMS"},
    {.name = "own key",
     .body = "\"SSESpecification\":{\"Enabled\":true,\"KMSMasterKeyId\":\"alias/staging\"}",
     .effect = "changed",
     .status = "UPDATING",
     .path = "Table.SSEDescription.KMSMasterKeyArn",
     .want = "arn:aws:kms:ap-northeast-1:222222222222:key/key-stg"},
    {.name = "provisioned",
     .body = "\"BillingMode\":\"PROVISIONED\",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1,"
             "\"WriteCapacityUnits\":1}",
     .effect = "changed",
     .status = "UPDATING",
     .path = "Table.BillingModeSummary.BillingMode"},
    {.name = "the same billing",
     .body = "\"BillingMode\":\"PAY_PER_REQUEST\"",
     .effect = "none",
     .status = "ACTIVE",
     .path = "Table.BillingModeSummary.BillingMode",
     .want = "PAY_PER_REQUEST"},
    {.name = "class",
     .body = "\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\"",
     .effect = "changed",
     .status = "UPDATING",
     .path = "Table.TableClassSummary.TableClass",
     .want = "STANDARD_INFREQUENT_ACCESS"},
};

static void test_update(void **state)
{
    const struct update_row *row = *state;
    AUTO_FREE char *body = xasprintf("{\"TableName\":\"plain\",%s}", row->body);

    assert_number(ddb("UpdateTable", body), 200);
    expect_effect(&client, row->effect, "table/plain");
    expect_table("plain", "Table.TableStatus", row->status);
    expect_table("plain", row->path, row->want);
    if (text_equal(row->status, "UPDATING")) {
        assert_number(ddb("UpdateTable", body), 400);
        assert_awssim_error(&client, "ResourceInUseException");
        expect_effect(&client, "refused", "table/plain");
    }
    awssim_client_advance(&client, SECONDS(12));
    expect_table("plain", "Table.TableStatus", "ACTIVE");
}

static void test_time_to_live_is_locked_for_an_hour(void **state)
{
    const char *on =
        "{\"TableName\":\"plain\",\"TimeToLiveSpecification\":{\"Enabled\":true,\"AttributeName\":\"e\"}}";
    const char *off =
        "{\"TableName\":\"plain\",\"TimeToLiveSpecification\":{\"Enabled\":false,\"AttributeName\":\"e\"}}";

    (void)state;
    assert_number(ddb("UpdateTimeToLive", on), 200);
    assert_number(ddb("DescribeTimeToLive", "{\"TableName\":\"plain\"}"), 200);
    assert_text_equal(awssim_text(&client, "TimeToLiveDescription.TimeToLiveStatus"), "ENABLING");
    awssim_client_advance(&client, MINUTES(59));
    assert_number(ddb("DescribeTimeToLive", "{\"TableName\":\"plain\"}"), 200);
    assert_text_equal(awssim_text(&client, "TimeToLiveDescription.TimeToLiveStatus"), "ENABLED");
    assert_number(ddb("UpdateTimeToLive", off), 400);
    awssim_client_advance(&client, MINUTES(1));
    assert_number(ddb("UpdateTimeToLive", on), 400);
    assert_text_equal(awssim_text(&client, "message"), "TimeToLive is already enabled");
    assert_number(ddb("UpdateTimeToLive", off), 200);
}

static void test_continuous_backups(void **state)
{
    const char *on = "{\"TableName\":\"plain\",\"PointInTimeRecoverySpecification\":{"
                     "\"PointInTimeRecoveryEnabled\":true}}";

    (void)state;
    assert_number(ddb("UpdateContinuousBackups", on), 200);
    expect_effect(&client, "changed", "table/plain");
    assert_number(ddb("UpdateContinuousBackups", on), 200);
    expect_effect(&client, "none", "table/plain");
    assert_number(ddb("DescribeContinuousBackups", "{\"TableName\":\"plain\"}"), 200);
    assert_text_equal(
        awssim_text(&client,
                    "ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus"),
        "ENABLED");
}

static void test_a_new_table(void **state)
{
    (void)state;
    assert_number(
        ddb("CreateTable",
            "{\"TableName\":\"fresh\",\"AttributeDefinitions\":[{\"AttributeName\":\"id\","
            "\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],"
            "\"BillingMode\":\"PAY_PER_REQUEST\"}"),
        200);
    expect_effect(&client, "created", "table/fresh");
    expect_table("fresh", "Table.TableStatus", "CREATING");
    assert_number(ddb("DeleteTable", "{\"TableName\":\"fresh\"}"), 400);
    assert_awssim_error(&client, "ResourceInUseException");
    awssim_client_advance(&client, SECONDS(15));
    expect_table("fresh", "Table.TableStatus", "ACTIVE");
    assert_number(ddb("UpdateContinuousBackups",
                      "{\"TableName\":\"fresh\",\"PointInTimeRecoverySpecification\":"
                      "{\"PointInTimeRecoveryEnabled\":true}}"),
                  400);
    assert_awssim_error(&client, "ContinuousBackupsUnavailableException");
    assert_number(ddb("DeleteTable", "{\"TableName\":\"fresh\"}"), 200);
    expect_table("fresh", "Table.TableStatus", "DELETING");
    awssim_client_advance(&client, SECONDS(30));
    assert_number(ddb("DescribeTable", "{\"TableName\":\"fresh\"}"), 400);
}

static void test_tags(void **state)
{
    const char *add = "{\"ResourceArn\":\"" ARN(
        STG, "dynamodb", "table/plain") "\",\"Tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}";

    (void)state;
    assert_number(ddb("TagResource", add), 200);
    expect_effect(&client, "changed", "table/plain");
    assert_number(ddb("TagResource", add), 200);
    expect_effect(&client, "none", "table/plain");
    assert_number(ddb("UntagResource",
                      "{\"ResourceArn\":\"" ARN(STG, "dynamodb", "table/plain") "\",\"TagKeys\":[\"env\"]}"),
                  200);
    assert_number(ddb("ListTagsOfResource", "{\"ResourceArn\":\"" ARN(STG, "dynamodb", "table/plain") "\"}"),
                  200);
    assert_json_equal(client.json, "{\"Tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}");
}

/* ---- restores ---- */

static char *restore(const char *metadata, bool copy_tags, char **ret_failure)
{
    struct account *production = sim_account(client.sim, PROD, NULL);
    AUTO_JSON struct json *snapshot =
        dynamodb_database_kind.snapshot(production, ARN(PROD, "dynamodb", "table/sessions"));
    AUTO_JSON struct json *parsed = NULL;

    assert_no_err(json_parse(str_of(metadata), NULL, &parsed));
    struct restore_request request = {.account = sim_account(client.sim, STG, NULL),
                                      .snapshot = snapshot,
                                      .metadata = parsed,
                                      .recovery_point_arn = "rp",
                                      .source_arn = ARN(PROD, "dynamodb", "table/sessions"),
                                      .copy_source_tags = copy_tags,
                                      .now_ms = client.world_ms,
                                      .ready_ms = client.world_ms + MINUTES(5)};
    *ret_failure = NULL;
    return dynamodb_database_kind.restore(&request, ret_failure);
}

static const struct restore_row {
    const char *name, *metadata, *failure; /* NULL: it works */
    bool copy_tags;
} restore_rows[] = {
    {.name = "default encryption",
     .metadata = "{\"targetTableName\":\"copy\",\"encryptionType\":\"Default\"}"},
    {.name = "keys in another case",
     .metadata = "{\"TARGETTABLENAME\":\"copy\",\"EncryptionType\":\"default\"}"},
    {.name = "managed key", .metadata = "{\"targetTableName\":\"copy\",\"encryptionType\":\"KMS\"}"},
    {.name = "own key",
     .metadata =
         "{\"targetTableName\":\"copy\",\"encryptionType\":\"KMS\",\"kmsMasterKeyArn\":\"arn:aws:kms:ap-"
         "northeast-1:222222222222:key/"
         "key-stg\"}"},
    {.name = "no encryption: the source's key is tried",
     .metadata = "{\"targetTableName\":\"copy\"}",
     .failure = "KMS"},
    {.name = "disabled key",
     .metadata = "{\"targetTableName\":\"copy\",\"encryptionType\":\"KMS\",\"kmsMasterKeyArn\":\"key-off\"}",
     .failure = "KMS"},
    {.name = "key with Default",
     .metadata =
         "{\"targetTableName\":\"copy\",\"encryptionType\":\"Default\",\"kmsMasterKeyArn\":\"key-stg\"}",
     .failure = "goes with"},
    {.name = "unknown type",
     .metadata = "{\"targetTableName\":\"copy\",\"encryptionType\":\"AES256\"}",
     .failure = "must be Default or KMS"},
    {.name = "no name",
     .metadata = "{\"encryptionType\":\"Default\"}",
     .failure = "targetTableName is required"},
    {.name = "bad name",
     .metadata = "{\"targetTableName\":\"a/b\",\"encryptionType\":\"Default\"}",
     .failure = "no name of a table"},
    {.name = "name in use",
     .metadata = "{\"targetTableName\":\"plain\",\"encryptionType\":\"Default\"}",
     .failure = "already exists"},
    {.name = "unknown key",
     .metadata = "{\"targetTableName\":\"copy\",\"billingMode\":\"x\"}",
     .failure = "unknown key"},
    {.name = "tags asked for",
     .metadata = "{\"targetTableName\":\"copy\",\"encryptionType\":\"Default\"}",
     .failure = "tags",
     .copy_tags = true},
};

static void test_restore(void **state)
{
    const struct restore_row *row = *state;
    char *failure = NULL;
    AUTO_FREE char *arn = restore(row->metadata, row->copy_tags, &failure);
    AUTO_FREE char *owned = failure;

    if (row->failure) {
        assert_text_equal(arn, NULL);
        assert_text_contains(owned, row->failure);
        return;
    }
    assert_text_equal(owned, NULL);
    assert_text_equal(arn, ARN(STG, "dynamodb", "table/copy"));
}

static void test_restored_table(void **state)
{
    char *failure = NULL;
    AUTO_FREE char *arn =
        restore("{\"targetTableName\":\"copy\",\"encryptionType\":\"Default\"}", false, &failure);

    (void)state;
    assert_text_equal(failure, NULL);
    expect_table("copy", "Table.TableStatus", "CREATING");
    assert_true(json_get_bool(client.json, "Table.RestoreSummary.RestoreInProgress", false));
    awssim_client_advance(&client, MINUTES(5));
    expect_table("copy", "Table.TableStatus", "ACTIVE");
    assert_false(json_get_bool(client.json, "Table.RestoreSummary.RestoreInProgress", true));
    assert_text_equal(awssim_text(&client, "Table.GlobalSecondaryIndexes[0].IndexStatus"), "CREATING");
    awssim_client_advance(&client, SECONDS(10));
    expect_table("copy", "Table.GlobalSecondaryIndexes[0].IndexStatus", "ACTIVE");
    assert_text_equal(awssim_text(&client, "Table.LocalSecondaryIndexes[0].IndexName"), "by-age");
    assert_number(json_get_int(client.json, "Table.ProvisionedThroughput.ReadCapacityUnits", 0), 50);
    assert_number(json_get_int(client.json, "Table.ItemCount", 0), 12);
}

static void test_what_a_restore_loses(void **state)
{
    char *failure = NULL;
    AUTO_FREE char *arn =
        restore("{\"targetTableName\":\"copy\",\"encryptionType\":\"Default\"}", false, &failure);

    (void)state;
    assert_text_equal(failure, NULL);
    awssim_client_advance(&client, MINUTES(5));
    expect_table("copy", "Table.StreamSpecification.StreamViewType", NULL);
    assert_false(json_get_bool(client.json, "Table.DeletionProtectionEnabled", true));
    assert_number(ddb("DescribeTimeToLive", "{\"TableName\":\"copy\"}"), 200);
    assert_text_equal(awssim_text(&client, "TimeToLiveDescription.TimeToLiveStatus"), "DISABLED");
    assert_number(ddb("DescribeContinuousBackups", "{\"TableName\":\"copy\"}"), 200);
    assert_text_equal(
        awssim_text(&client,
                    "ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus"),
        "DISABLED");
    assert_number(ddb("ListTagsOfResource", "{\"ResourceArn\":\"" ARN(STG, "dynamodb", "table/copy") "\"}"),
                  200);
    assert_json_equal(client.json, "{\"Tags\":[]}");
}

int main(void)
{
    struct tests tests = tests_in_services("");

    TEST_ROWS(&tests, test_refused, refused_rows);
    TEST(&tests, test_answers_carry_a_checksum);
    TEST(&tests, test_names_in_pages);
    TEST_ROWS(&tests, test_update, update_rows);
    TEST(&tests, test_time_to_live_is_locked_for_an_hour);
    TEST(&tests, test_continuous_backups);
    TEST(&tests, test_a_new_table);
    TEST(&tests, test_tags);
    TEST_ROWS(&tests, test_restore, restore_rows);
    TEST(&tests, test_restored_table);
    TEST(&tests, test_what_a_restore_loses);
    return tests_run(&tests, "awssim dynamodb");
}
