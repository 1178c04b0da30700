#include "pkg/aws/ssm.h"

#include "tests/pkg/aws/fixture.h"

static void reads_and_writes_parameters(void **state)
{
    static const struct exchange rows[] = {
        {.host = "ssm.ap-northeast-1.amazonaws.com",
         .headers = {"x-amz-target: AmazonSSM.GetParameter", "content-type: application/x-amz-json-1.1"},
         .body_json = "{\"Name\":\"/shop/stg/db_host\",\"WithDecryption\":true}",
         .reply =
             "{\"Parameter\":{\"Name\":\"/shop/stg/"
             "db_host\",\"Type\":\"SecureString\",\"Value\":\"v\\u00e9\",\"Version\":3,\"ARN\":\"arn:p\"}}"},
        {.headers = {"x-amz-target: AmazonSSM.PutParameter"},
         .body_json = "{\"Name\":\"n\",\"Type\":\"SecureString\",\"KeyId\":\"k\",\"Value\":\"a\\\"b\\n\","
                      "\"Overwrite\":true}",
         .reply = "{\"Version\":4}"},
        {.status = 400, .reply = "{\"__type\":\"ParameterNotFound\"}"},
        {.status = 400, .reply = "{\"__type\":\"ParameterAlreadyExists\"}"},
    };
    AUTO_SSM_PARAMETER struct ssm_parameter parameter = {0};
    AUTO_SECRET struct secret *value = secret_new(STR("a\"b\n"));
    struct ssm_parameter none = {0};
    struct fixture f;
    int64_t version = 0;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(ssm_get_parameter(&f.aws, "/shop/stg/db_host", &parameter));
    assert_str_equal(secret_reveal(parameter.value), "v\xC3\xA9");
    assert_text_equal(parameter.type, "SecureString");
    assert_number(parameter.version, 3);
    assert_no_err(ssm_put_parameter(
        &f.aws,
        &(struct ssm_put_opts){
            .name = "n", .type = "SecureString", .kms_key_id = "k", .value = value, .overwrite = true},
        &version));
    assert_number(version, 4);
    assert_fails(ssm_get_parameter(&f.aws, "n", &none), ERR_NOT_FOUND, "ssm GetParameter: ParameterNotFound");
    assert_fails(ssm_put_parameter(&f.aws, &(struct ssm_put_opts){.name = "n", .value = value}, NULL),
                 ERR_CONFLICT, "ParameterAlreadyExists");
    for (size_t i = 1; i <= 4; i++)
        assert_true(script_sent(f.t.script, i)->sensitive);
    fixture_done(&f);
}

static void refuses_half_a_value(void **state)
{
    static const struct exchange none[] = {{.name = "never", .times = -1}};
    AUTO_SECRET struct secret *value = secret_new(STR("a\0b"));
    struct fixture f;

    (void)state;
    fixture_init_bare(&f, AWS_TARGET, none, COUNT_OF(none));
    assert_fails(ssm_put_parameter(&f.aws, &(struct ssm_put_opts){.name = "n", .value = value}, NULL),
                 ERR_INVALID, "NUL byte");
    assert_number((int64_t)script_sent_count(f.t.script), 0);
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, reads_and_writes_parameters);
    TEST(&tests, refuses_half_a_value);
    return tests_run(&tests, "ssm");
}
