#include "pkg/aws/dynamodb.h"

#include "tests/pkg/aws/fixture.h"

#define HOST .host = "dynamodb.ap-northeast-1.amazonaws.com", .method = "POST", .path = "/"
#define TARGET(op) .headers = {"x-amz-target: DynamoDB_20120810." op ""}

static void describes_a_table(void **state)
{
    static const struct exchange rows[] = {
        {HOST, TARGET("DescribeTable"), .body_json = "{\"TableName\":\"t\"}",
         .reply =
             "{\"Table\":{\"TableName\":\"t\",\"TableArn\":\"arn:t\",\"TableStatus\":\"ACTIVE\","
             "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":6},"
             "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"g\",\"IndexStatus\":\"CREATING\","
             "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1}}],"
             "\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"NEW_IMAGE\"},"
             "\"LatestStreamArn\":\"arn:st\","
             "\"SSEDescription\":{\"Status\":\"ENABLED\",\"SSEType\":\"KMS\",\"KMSMasterKeyArn\":\"arn:k\"},"
             "\"RestoreSummary\":{\"SourceBackupArn\":\"arn:b\",\"RestoreInProgress\":true},"
             "\"DeletionProtectionEnabled\":true,"
             "\"Replicas\":[{}],\"ItemCount\":7,\"TableSizeBytes\":900,\"CreationDateTime\":1.7953632E9}}"},
        {HOST, .reply = "{\"Table\":{\"TableStatus\":\"ACTIVE\",\"BillingModeSummary\":{\"BillingMode\":"
                        "\"PAY_PER_REQUEST\"}}}"},
        {HOST, .status = 400,
         .reply = "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"message\":"
                  "\"Requested resource not found\"}"},
    };
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};
    AUTO_DYNAMODB_TABLE struct dynamodb_table plain = {0};
    struct dynamodb_table none = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(dynamodb_describe_table(&f.aws, "t", &table));
    assert_text_equal(table.billing_mode, "PROVISIONED");
    assert_number(table.throughput.write_units, 6);
    assert_text_equal(table.indexes[0].status, "CREATING");
    assert_true(table.stream_enabled && table.deletion_protection && table.restore_in_progress);
    assert_text_equal(table.kms_key_arn, "arn:k");
    assert_number((int64_t)table.replica_count, 1);
    assert_number(table.created_ms, 1795363200000);
    assert_false(dynamodb_table_is_ready(&table));
    assert_no_err(dynamodb_describe_table(&f.aws, "t", &plain));
    assert_text_equal(plain.billing_mode, "PAY_PER_REQUEST");
    assert_true(dynamodb_table_is_ready(&plain));
    assert_fails(dynamodb_describe_table(&f.aws, "t", &none), ERR_NOT_FOUND,
                 "ResourceNotFoundException: Requested resource not found");
    fixture_done(&f);
}

static const struct dynamodb_index_throughput indexes[] = {{"g", {7, 8}}};

struct update_row {
    const char *name;
    struct dynamodb_update_opts opts;
    const char *body;
};

static const struct update_row update_rows[] = {
    {"on demand",
     {.table = "t", .change = DYNAMODB_BILLING_MODE, .billing_mode = "PAY_PER_REQUEST"},
     "{\"TableName\":\"t\",\"BillingMode\":\"PAY_PER_REQUEST\"}"},
    {"provisioned, with an index",
     {.table = "t",
      .change = DYNAMODB_BILLING_MODE,
      .billing_mode = "PROVISIONED",
      .throughput = {1, 2},
      .indexes = indexes,
      .index_count = 1},
     "{\"TableName\":\"t\",\"BillingMode\":\"PROVISIONED\",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":"
     "1,\"WriteCapacityUnits\":2},"
     "\"GlobalSecondaryIndexUpdates\":[{\"Update\":{\"IndexName\":\"g\",\"ProvisionedThroughput\":{"
     "\"ReadCapacityUnits\":7,\"WriteCapacityUnits\":8}}}]}"},
    {"an index alone",
     {.table = "t", .change = DYNAMODB_THROUGHPUT, .indexes = indexes, .index_count = 1},
     "{\"TableName\":\"t\",\"GlobalSecondaryIndexUpdates\":[{\"Update\":{\"IndexName\":\"g\","
     "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":7,\"WriteCapacityUnits\":8}}}]}"},
    {"a key of the customer",
     {.table = "t", .change = DYNAMODB_ENCRYPTION, .enabled = true, .kms_key = "arn:k"},
     "{\"TableName\":\"t\",\"SSESpecification\":{\"Enabled\":true,\"SSEType\":\"KMS\",\"KMSMasterKeyId\":"
     "\"arn:k\"}}"},
    {"a key of AWS",
     {.table = "t", .change = DYNAMODB_ENCRYPTION},
     "{\"TableName\":\"t\",\"SSESpecification\":{\"Enabled\":false}}"},
    {"stream",
     {.table = "t", .change = DYNAMODB_STREAM, .enabled = true, .stream_view_type = "KEYS_ONLY"},
     "{\"TableName\":\"t\",\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"KEYS_ONLY\"}"
     "}"},
    {"no stream",
     {.table = "t", .change = DYNAMODB_STREAM, .stream_view_type = "KEYS_ONLY"},
     "{\"TableName\":\"t\",\"StreamSpecification\":{\"StreamEnabled\":false}}"},
    {"deletion protection off",
     {.table = "t", .change = DYNAMODB_DELETION_PROTECTION},
     "{\"TableName\":\"t\",\"DeletionProtectionEnabled\":false}"},
    {"class",
     {.table = "t", .change = DYNAMODB_TABLE_CLASS, .table_class = "STANDARD_INFREQUENT_ACCESS"},
     "{\"TableName\":\"t\",\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\"}"},
    {"throughput",
     {.table = "t", .change = DYNAMODB_THROUGHPUT, .throughput = {3, 4}},
     "{\"TableName\":\"t\",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":3,\"WriteCapacityUnits\":4}}"},
};

static void updates(void **state)
{
    const struct update_row *row = *state;
    const struct exchange rows[] = {
        {HOST, TARGET("UpdateTable"), .body_json = row->body, .reply = "{\"TableDescription\":{}}"}};
    struct fixture f;

    FIXTURE(f, rows);
    assert_no_err(dynamodb_update_table(&f.aws, &row->opts));
    fixture_done(&f);
}

static void sets_everything_else(void **state)
{
    static const struct exchange rows[] = {
        {HOST, TARGET("DeleteTable"), .body_json = "{\"TableName\":\"t\"}", .reply = "{}"},
        {HOST, TARGET("DescribeTimeToLive"), .body_json = "{\"TableName\":\"t\"}",
         .reply =
             "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"ENABLED\",\"AttributeName\":\"expires\"}}"},
        {HOST, TARGET("UpdateTimeToLive"),
         .body_json = "{\"TableName\":\"t\",\"TimeToLiveSpecification\":{\"Enabled\":true,\"AttributeName\":"
                      "\"expires\"}}",
         .reply = "{}"},
        {HOST, TARGET("DescribeContinuousBackups"), .body_json = "{\"TableName\":\"t\"}",
         .reply = "{\"ContinuousBackupsDescription\":{\"ContinuousBackupsStatus\":\"ENABLED\","
                  "\"PointInTimeRecoveryDescription\":"
                  "{\"PointInTimeRecoveryStatus\":\"ENABLED\",\"RecoveryPeriodInDays\":35}}}"},
        {HOST, TARGET("UpdateContinuousBackups"),
         .body_json = "{\"TableName\":\"t\",\"PointInTimeRecoverySpecification\":{"
                      "\"PointInTimeRecoveryEnabled\":false}}",
         .reply = "{}"},
        {HOST, TARGET("TagResource"),
         .body_json = "{\"ResourceArn\":\"arn:t\",\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}", .reply = ""},
        {HOST, TARGET("ListTagsOfResource"), .body_json = "{\"ResourceArn\":\"arn:t\"}",
         .reply = "{\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}],\"NextToken\":\"n\"}"},
        {HOST, .body_json = "{\"ResourceArn\":\"arn:t\",\"NextToken\":\"n\"}",
         .reply = "{\"Tags\":[{\"Key\":\"l\",\"Value\":\"w\"}]}"},
        {HOST, .status = 400, .reply = "{\"__type\":\"x#ResourceInUseException\"}"},
    };
    static const struct aws_pair tags[] = {{"k", "v"}};
    AUTO_DYNAMODB_TTL struct dynamodb_ttl ttl = {0};
    AUTO_TAGS struct aws_tags found = {0};
    struct fixture f;
    bool enabled = false;
    int days = 0;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(dynamodb_delete_table(&f.aws, "t"));
    assert_no_err(dynamodb_describe_ttl(&f.aws, "t", &ttl));
    assert_text_equal(ttl.status, "ENABLED");
    assert_text_equal(ttl.attribute, "expires");
    assert_no_err(dynamodb_update_ttl(&f.aws, "t", "expires", true));
    assert_no_err(dynamodb_describe_recovery(&f.aws, "t", &enabled, &days));
    assert_true(enabled);
    assert_number(days, 35);
    assert_no_err(dynamodb_update_recovery(&f.aws, "t", false));
    assert_no_err(dynamodb_tag(&f.aws, "arn:t", tags, 1));
    assert_no_err(dynamodb_list_tags(&f.aws, "arn:t", &found));
    assert_text_equal(aws_tags_get(&found, "l"), "w");
    assert_fails(dynamodb_delete_table(&f.aws, "t"), ERR_RETRY, "ResourceInUseException");
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, describes_a_table);
    TEST_ROWS(&tests, updates, update_rows);
    TEST(&tests, sets_everything_else);
    return tests_run(&tests, "dynamodb");
}
