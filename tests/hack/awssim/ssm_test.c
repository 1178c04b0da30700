/* Parameter Store. */
#include "tests/hack/awssim/services_world.h"

#define SECTION                                                    \
    "  ssm:\n"                                                     \
    "    parameters:\n"                                            \
    "    - {name: /a/text, value: one}\n"                          \
    "    - {name: /a/b/list, value: 'x,y', type: StringList}\n"    \
    "    - {name: /a/secret, value: hidden, type: SecureString}\n" \
    "    - {name: big, value: one, tier: Advanced}\n"              \
    "    - {name: shaped, value: one, allowedPattern: '^[a-z]+$'}\n"

static int ssm(const char *operation, const char *body)
{
    return awssim_json(&client, "ssm", operation, body);
}

/* ---- reading ---- */

static const struct get_row {
    const char *name, *body, *value, *error;
    int64_t version;
} get_rows[] = {
    {.name = "text", .body = "{\"Name\":\"/a/text\"}", .value = "one", .version = 1},
    {.name = "by ARN",
     .body = "{\"Name\":\"arn:aws:ssm:ap-northeast-1:222222222222:parameter/a/text\"}",
     .value = "one",
     .version = 1},
    {.name = "a name without a slash",
     .body = "{\"Name\":\"arn:aws:ssm:ap-northeast-1:222222222222:parameter/big\"}",
     .value = "one",
     .version = 1},
    {.name = "by version", .body = "{\"Name\":\"/a/text:1\"}", .value = "one", .version = 1},
    {.name = "decrypted",
     .body = "{\"Name\":\"/a/secret\",\"WithDecryption\":true}",
     .value = "hidden",
     .version = 1},
    {.name = "no such version", .body = "{\"Name\":\"/a/text:7\"}", .error = "ParameterVersionNotFound"},
    {.name = "no such parameter", .body = "{\"Name\":\"/nope\"}", .error = "ParameterNotFound"},
};

static void test_get(void **state)
{
    const struct get_row *row = *state;

    assert_number(ssm("GetParameter", row->body), row->error ? 400 : 200);
    assert_awssim_error(&client, row->error);
    assert_text_equal(awssim_text(&client, "Parameter.Value"), row->value);
    assert_number(json_get_int(client.json, "Parameter.Version", 0), row->version);
}

static void test_secure_strings_are_ciphertext_unless_decrypted(void **state)
{
    (void)state;
    assert_number(ssm("GetParameter", "{\"Name\":\"/a/secret\"}"), 200);
    assert_text_contains(awssim_text(&client, "Parameter.Value"), "AQICAH");
    assert_number(ssm("GetParameters", "{\"Names\":[\"/a/secret\"]}"), 200);
    assert_text_lacks(client.reply.body, "hidden");
    assert_number(awssim_control(&client, "GET", "/_sim/world", NULL), 200);
    assert_text_lacks(client.reply.body, "hidden");
}

static void test_missing_names_are_listed_and_the_status_is_200(void **state)
{
    (void)state;
    assert_number(ssm("GetParameters", "{\"Names\":[\"/nope\",\"/a/text\"]}"), 200);
    assert_text_equal(awssim_text(&client, "InvalidParameters[0]"), "/nope");
    assert_text_equal(awssim_text(&client, "Parameters[0].Name"), "/a/text");
}

static void test_lists(void **state)
{
    (void)state;
    assert_number(ssm("GetParametersByPath", "{\"Path\":\"/a\"}"), 200);
    assert_number(json_count(json_member(client.json, "Parameters")), 2);
    assert_number(ssm("GetParametersByPath", "{\"Path\":\"/a\",\"Recursive\":true}"), 200);
    assert_number(json_count(json_member(client.json, "Parameters")), 3);
    assert_number(
        ssm("DescribeParameters",
            "{\"ParameterFilters\":[{\"Key\":\"Name\",\"Option\":\"BeginsWith\",\"Values\":[\"/a/\"]},"
            "{\"Key\":\"Type\",\"Values\":[\"StringList\"]}]}"),
        200);
    assert_number(json_count(json_member(client.json, "Parameters")), 1);
    assert_text_equal(awssim_text(&client, "Parameters[0].Name"), "/a/b/list");
    assert_number(ssm("DescribeParameters", "{\"MaxResults\":2}"), 200);
    AUTO_FREE char *next =
        xasprintf("{\"MaxResults\":50,\"NextToken\":\"%s\"}", awssim_text(&client, "NextToken"));
    assert_number(ssm("DescribeParameters", next), 200);
    assert_number(json_count(json_member(client.json, "Parameters")), 3);
}

/* ---- writing ---- */

static const struct put_row {
    const char *name, *body, *error, *effect;
    int64_t version;
} put_rows[] = {
    {.name = "create",
     .body = "\"Name\":\"/new\",\"Value\":\"v\",\"Type\":\"String\"",
     .effect = "created",
     .version = 1},
    {.name = "overwrite",
     .body = "\"Name\":\"/a/text\",\"Value\":\"two\",\"Overwrite\":true",
     .effect = "changed",
     .version = 2},
    {.name = "overwrite with the same value",
     .body = "\"Name\":\"/a/text\",\"Value\":\"one\",\"Overwrite\":true",
     .effect = "changed",
     .version = 2},
    {.name = "overwrite is not the default",
     .body = "\"Name\":\"/a/text\",\"Value\":\"two\"",
     .error = "ParameterAlreadyExists",
     .effect = "refused"},
    {.name = "no type for a new one",
     .body = "\"Name\":\"/new\",\"Value\":\"v\"",
     .error = "ValidationException",
     .effect = "refused"},
    {.name = "another type",
     .body = "\"Name\":\"/a/text\",\"Value\":\"v\",\"Type\":\"SecureString\",\"Overwrite\":true",
     .error = "HierarchyTypeMismatchException",
     .effect = "refused"},
    {.name = "unknown type",
     .body = "\"Name\":\"/new\",\"Value\":\"v\",\"Type\":\"Text\"",
     .error = "UnsupportedParameterType",
     .effect = "refused"},
    {.name = "nested",
     .body = "\"Name\":\"/a/text\",\"Value\":\"{{x}}\",\"Overwrite\":true",
     .error = "ValidationException",
     .effect = "refused"},
    {.name = "empty",
     .body = "\"Name\":\"/a/text\",\"Value\":\"\",\"Overwrite\":true",
     .error = "ValidationException",
     .effect = "refused"},
    {.name = "tags with overwrite",
     .body =
         "\"Name\":\"/a/text\",\"Value\":\"v\",\"Overwrite\":true,\"Tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]",
     .error = "ValidationException",
     .effect = "refused"},
    {.name = "disabled key",
     .body = "\"Name\":\"/a/secret\",\"Value\":\"v\",\"Overwrite\":true,\"KeyId\":\"key-off\"",
     .error = "InvalidKeyId",
     .effect = "refused"},
    {.name = "own key",
     .body = "\"Name\":\"/a/secret\",\"Value\":\"v\",\"Overwrite\":true,\"KeyId\":\"alias/staging\"",
     .effect = "changed",
     .version = 2},
    {.name = "key for text",
     .body = "\"Name\":\"/a/text\",\"Value\":\"v\",\"Overwrite\":true,\"KeyId\":\"alias/staging\"",
     .error = "ValidationException",
     .effect = "refused"},
    {.name = "advanced to standard",
     .body = "\"Name\":\"big\",\"Value\":\"v\",\"Overwrite\":true,\"Tier\":\"Standard\"",
     .error = "ValidationException",
     .effect = "refused"},
    {.name = "pattern",
     .body = "\"Name\":\"shaped\",\"Value\":\"UPPER\",\"Overwrite\":true",
     .error = "ParameterPatternMismatchException",
     .effect = "refused"},
    {.name = "path without a first slash",
     .body = "\"Name\":\"a/b\",\"Value\":\"v\",\"Type\":\"String\"",
     .error = "ValidationException",
     .effect = "refused"},
    {.name = "name of AWS",
     .body = "\"Name\":\"/aws/b\",\"Value\":\"v\",\"Type\":\"String\"",
     .error = "ValidationException",
     .effect = "refused"},
    {.name = "sixteen levels",
     .body = "\"Name\":\"/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6\",\"Value\":\"v\",\"Type\":\"String\"",
     .error = "HierarchyLevelLimitExceededException",
     .effect = "refused"},
};

static void test_put(void **state)
{
    const struct put_row *row = *state;
    AUTO_FREE char *body = xasprintf("{%s}", row->body);

    assert_number(ssm("PutParameter", body), row->error ? 400 : 200);
    assert_awssim_error(&client, row->error);
    assert_number(json_get_int(client.json, "Version", 0), row->version);
    expect_effect(&client, row->effect, "");
}

static const struct size_row {
    const char *name, *parameter;
    size_t size;
    int status;
} size_rows[] = {
    {.name = "standard holds 4 KiB", .parameter = "/a/text", .size = 4096, .status = 200},
    {.name = "and no more", .parameter = "/a/text", .size = 4097, .status = 400},
    {.name = "advanced holds 8 KiB", .parameter = "big", .size = 8192, .status = 200},
    {.name = "and not a byte more", .parameter = "big", .size = 8193, .status = 400},
};

static void test_sizes(void **state)
{
    const struct size_row *row = *state;
    AUTO_FREE char *value = xcalloc(1, row->size + 1);

    memset(value, 'x', row->size);
    AUTO_FREE char *body =
        xasprintf("{\"Name\":\"%s\",\"Value\":\"%s\",\"Overwrite\":true}", row->parameter, value);
    assert_number(ssm("PutParameter", body), row->status);
}

static void test_history(void **state)
{
    (void)state;
    assert_number(ssm("PutParameter", "{\"Name\":\"/a/text\",\"Value\":\"two\",\"Overwrite\":true}"), 200);
    assert_number(ssm("GetParameterHistory", "{\"Name\":\"/a/text\"}"), 200);
    assert_text_equal(awssim_text(&client, "Parameters[0].Value"), "one");
    assert_text_equal(awssim_text(&client, "Parameters[1].Value"), "two");
    assert_text_equal(awssim_text(&client, "Parameters[1].LastModifiedUser"),
                      "arn:aws:iam::222222222222:user/me");
    for (int i = 0; i < 120; i++)
        assert_number(ssm("PutParameter", "{\"Name\":\"/a/text\",\"Value\":\"x\",\"Overwrite\":true}"), 200);
    assert_number(json_get_int(client.json, "Version", 0), 122);
    assert_number(ssm("GetParameterHistory", "{\"Name\":\"/a/text\"}"), 200);
    assert_number(json_get_int(client.json, "Parameters[0].Version", 0), 23); /* a hundred are kept */
}

static void test_delete(void **state)
{
    (void)state;
    assert_number(ssm("DeleteParameter", "{\"Name\":\"/a/text\"}"), 200);
    assert_number(ssm("DeleteParameter", "{\"Name\":\"/a/text\"}"), 400);
    assert_awssim_error(&client, "ParameterNotFound");
}

int main(void)
{
    struct tests tests = tests_in_services(SECTION);

    TEST_ROWS(&tests, test_get, get_rows);
    TEST(&tests, test_secure_strings_are_ciphertext_unless_decrypted);
    TEST(&tests, test_missing_names_are_listed_and_the_status_is_200);
    TEST(&tests, test_lists);
    TEST_ROWS(&tests, test_put, put_rows);
    TEST_ROWS(&tests, test_sizes, size_rows);
    TEST(&tests, test_history);
    TEST(&tests, test_delete);
    return tests_run(&tests, "awssim ssm");
}
