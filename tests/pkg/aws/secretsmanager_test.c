#include "pkg/aws/secretsmanager.h"

#include "tests/pkg/aws/fixture.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

static void reads_and_writes_secrets(void **state)
{
    static const struct exchange rows[] = {
        {.host = "secretsmanager.ap-northeast-1.amazonaws.com",
         .headers = {"x-amz-target: secretsmanager.GetSecretValue"},
         .body_json = "{\"SecretId\":\"shop/stg/db\"}",
         .reply = "{\"ARN\":\"arn:s\",\"VersionId\":\"v1\",\"SecretString\":\"{\\\"password\\\":\\\"x\\\"}\","
                  "\"VersionStages\":[\"AWSCURRENT\"]}"},
        {.body_json = "{\"SecretId\":\"s\",\"VersionStage\":\"AWSPREVIOUS\"}",
         .reply = "{\"VersionId\":\"v0\",\"SecretBinary\":\"aGVsbG8=\"}"},
        {.headers = {"x-amz-target: secretsmanager.PutSecretValue"},
         .body_json = "{\"SecretId\":\"s\",\"ClientRequestToken\":\"" TOKEN "\",\"SecretString\":\"new\"}",
         .reply = "{\"VersionId\":\"" TOKEN "\"}"},
        {.headers = {"x-amz-target: secretsmanager.DescribeSecret"},
         .reply = "{\"ARN\":\"arn:s\",\"Name\":\"s\",\"RotationEnabled\":true,\"OwningService\":\"rds\","
                  "\"DeletedDate\":1795363200,"
                  "\"VersionIdsToStages\":{\"v1\":[\"AWSPREVIOUS\"],\"v2\":[\"AWSCURRENT\",\"x\"]}}"},
        {.headers = {"x-amz-target: secretsmanager.UpdateSecretVersionStage"},
         .body_json = "{\"SecretId\":\"s\",\"VersionStage\":\"AWSCURRENT\",\"MoveToVersionId\":\"v1\","
                      "\"RemoveFromVersionId\":\"v2\"}",
         .reply = "{}"},
        {.reply = "{\"ARN\":\"arn:s\"}"},
        {.status = 400, .reply = "{\"__type\":\"ResourceExistsException\"}"},
    };
    AUTO_SECRET_VALUE struct secret_value value = {0};
    AUTO_SECRET_VALUE struct secret_value binary = {0};
    AUTO_SECRET_DESCRIPTION struct secret_description description = {0};
    AUTO_SECRET struct secret *text = secret_new(STR("new"));
    AUTO_FREE char *version = NULL;
    struct secret_value none = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(secretsmanager_get_value(&f.aws, "shop/stg/db", NULL, NULL, &value));
    assert_str_equal(secret_reveal(value.text), "{\"password\":\"x\"}");
    assert_true(aws_texts_have(&value.stages, "AWSCURRENT"));
    assert_no_err(secretsmanager_get_value(&f.aws, "s", NULL, "AWSPREVIOUS", &binary));
    assert_true(binary.is_binary);
    assert_str_equal(secret_reveal(binary.text), "hello");
    assert_no_err(secretsmanager_put_value(&f.aws, "s", TOKEN, text, &version));
    assert_text_equal(version, TOKEN);
    assert_no_err(secretsmanager_describe(&f.aws, "s", &description));
    assert_text_equal(secret_description_version(&description, "AWSCURRENT"), "v2");
    assert_null(secret_description_version(&description, "AWSPENDING"));
    assert_true(description.rotation_enabled && description.is_deleted);
    assert_no_err(secretsmanager_move_stage(&f.aws, "s", "AWSCURRENT", "v1", "v2"));
    assert_fails(secretsmanager_get_value(&f.aws, "s", NULL, NULL, &none), ERR_RETRY,
                 "the answer lacks SecretString");
    assert_fails(secretsmanager_put_value(&f.aws, "s", TOKEN, text, NULL), ERR_CONFLICT,
                 "ResourceExistsException");
    assert_fails(secretsmanager_put_value(&f.aws, "s", "", text, NULL), ERR_INVALID, "token");
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, reads_and_writes_secrets);
    return tests_run(&tests, "secretsmanager");
}
