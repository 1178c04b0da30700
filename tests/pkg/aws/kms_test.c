#include "pkg/aws/kms.h"

#include "pkg/aws/sts.h"
#include "tests/pkg/aws/fixture.h"

static void looks_at_keys_and_identity(void **state)
{
    static const struct exchange rows[] = {
        {.host = "kms.ap-northeast-1.amazonaws.com",
         .headers = {"x-amz-target: TrentService.DescribeKey"},
         .body_json = "{\"KeyId\":\"k\"}",
         .reply = "{\"KeyMetadata\":{\"Arn\":\"arn:k\",\"AWSAccountId\":\"1\",\"KeyState\":\"Enabled\","
                  "\"KeyManager\":\"CUSTOMER\","
                  "\"KeyUsage\":\"ENCRYPT_DECRYPT\",\"KeySpec\":\"SYMMETRIC_DEFAULT\"}}"},
        {.headers = {"x-amz-target: TrentService.GetKeyPolicy"},
         .body_json = "{\"KeyId\":\"k\",\"PolicyName\":\"default\"}",
         .reply = "{\"Policy\":\"{}\"}"},
        WHOAMI(FIXTURE_ACCOUNT),
    };
    AUTO_KMS_KEY struct kms_key key = {0};
    AUTO_STS_IDENTITY struct sts_identity identity = {0};
    AUTO_FREE char *policy = NULL;
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(kms_describe_key(&f.aws, "k", &key));
    assert_text_equal(key.manager, "CUSTOMER");
    assert_text_equal(key.state, "Enabled");
    assert_no_err(kms_get_key_policy(&f.aws, "k", &policy));
    assert_text_equal(policy, "{}");
    assert_no_err(sts_get_caller_identity(&f.aws, &identity));
    assert_text_equal(identity.account, FIXTURE_ACCOUNT);
    assert_text_equal(identity.arn, "arn:aws:sts::222222222222:assumed-role/r/s");
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, looks_at_keys_and_identity);
    return tests_run(&tests, "kms");
}
