#include "tests/hack/awssim/client_fixture.h"
#include "tests/hack/awssim/small_world.h"

#define KEY(id) "arn:aws:kms:ap-northeast-1:111111111111:key/" id

static const struct row {
    const char *name, *operation, *key, *error, *path, *want;
    bool other_account;
} rows[] = {
    {.name = "by alias",
     .operation = "DescribeKey",
     .key = "alias/one",
     .path = "KeyMetadata.Arn",
     .want = KEY("key-one")},
    {.name = "by id",
     .operation = "DescribeKey",
     .key = "key-one",
     .path = "KeyMetadata.KeyManager",
     .want = "CUSTOMER"},
    {.name = "by alias ARN",
     .operation = "DescribeKey",
     .key = "arn:aws:kms:ap-northeast-1:111111111111:alias/one",
     .path = "KeyMetadata.Arn",
     .want = KEY("key-one")},
    {.name = "AWS's own",
     .operation = "DescribeKey",
     .key = "alias/aws/backup",
     .path = "KeyMetadata.KeyManager",
     .want = "AWS"},
    {.name = "disabled",
     .operation = "DescribeKey",
     .key = "key-off",
     .path = "KeyMetadata.KeyState",
     .want = "Disabled"},
    {.name = "none such", .operation = "DescribeKey", .key = "key-none", .error = "NotFoundException"},
    {.name = "no KMS ARN",
     .operation = "DescribeKey",
     .key = "arn:aws:rds:x:111111111111:cluster:y",
     .error = "InvalidArnException"},
    {.name = "shared with the account",
     .operation = "DescribeKey",
     .key = KEY("key-one"),
     .other_account = true,
     .path = "KeyMetadata.AWSAccountId",
     .want = "111111111111"},
    {.name = "shared with AWS Backup's role alone",
     .operation = "DescribeKey",
     .key = KEY("key-backup"),
     .other_account = true,
     .error = "AccessDeniedException"},
    {.name = "not shared",
     .operation = "DescribeKey",
     .key = KEY("key-off"),
     .other_account = true,
     .error = "AccessDeniedException"},
    {.name = "policy",
     .operation = "GetKeyPolicy",
     .key = "key-one",
     .path = "PolicyName",
     .want = "default"},
    {.name = "policy by alias",
     .operation = "GetKeyPolicy",
     .key = "alias/one",
     .error = "NotFoundException"},
    {.name = "policy by alias ARN",
     .operation = "GetKeyPolicy",
     .key = "arn:aws:kms:ap-northeast-1:111111111111:alias/one",
     .error = "NotFoundException"},
    {.name = "policy of another account",
     .operation = "GetKeyPolicy",
     .key = KEY("key-one"),
     .other_account = true,
     .error = "AccessDeniedException"},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    AUTO_FREE char *body = xasprintf("{\"KeyId\":\"%s\"}", row->key);

    if (row->other_account)
        awssim_client_assume(&client, OTHER_ROLE, NULL);
    assert_number(awssim_json(&client, "kms", row->operation, body), row->error ? 400 : 200);
    assert_awssim_error(&client, row->error);
    if (row->path)
        assert_text_equal(awssim_text(&client, row->path), row->want);
}

static void test_policy_names_whom_it_is_shared_with(void **state)
{
    (void)state;
    awssim_json(&client, "kms", "GetKeyPolicy", "{\"KeyId\":\"key-one\",\"PolicyName\":\"default\"}");
    assert_text_contains(awssim_text(&client, "Policy"), "arn:aws:iam::222222222222:root");
    awssim_json(&client, "kms", "GetKeyPolicy", "{\"KeyId\":\"key-off\"}");
    assert_text_lacks(awssim_text(&client, "Policy"), "222222222222");
    assert_number(
        awssim_json(&client, "kms", "GetKeyPolicy", "{\"KeyId\":\"key-one\",\"PolicyName\":\"mine\"}"), 400);
    assert_awssim_error(&client, "NotFoundException");
}

int main(void)
{
    struct tests tests = tests_in(small_world);

    TEST_ROWS(&tests, test_row, rows);
    TEST(&tests, test_policy_names_whom_it_is_shared_with);
    return tests_run(&tests, "awssim kms");
}
