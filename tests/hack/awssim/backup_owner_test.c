/* What the owner of an account sets up in AWS Backup. */
#include "tests/hack/awssim/client_fixture.h"
#include "tests/hack/awssim/small_world.h"

#define KEY(account, id) "arn:aws:kms:ap-northeast-1:" account ":key/" id
#define VAULT_ARN "arn:aws:backup:ap-northeast-1:111111111111:backup-vault:new"

static int create(const char *name, const char *body)
{
    AUTO_FREE char *target = xasprintf("/backup-vaults/%s", name);

    return awssim_rest(&client, "PUT", target, body);
}

static void test_a_new_vault(void **state)
{
    (void)state;
    assert_number(create("new", "{\"EncryptionKeyArn\":\"" KEY(
                                    "111111111111", "key-one") "\","
                                                               "\"BackupVaultTags\":{\"a\":\"b\"}}"),
                  200);
    assert_text_equal(awssim_text(&client, "BackupVaultArn"), VAULT_ARN);
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/new", NULL), 200);
    assert_text_equal(awssim_text(&client, "EncryptionKeyArn"), KEY("111111111111", "key-one"));
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/new/access-policy", NULL), 400);
    assert_awssim_error(&client, "ResourceNotFoundException");
}

static void test_an_existing_vault_is_named(void **state)
{
    (void)state;
    assert_number(create("new", "{\"CreatorRequestId\":\"one\"}"), 200);
    assert_number(create("new", "{\"CreatorRequestId\":\"one\"}"), 200);
    assert_number(create("new", "{\"CreatorRequestId\":\"two\"}"), 400);
    assert_awssim_error(&client, "AlreadyExistsException");
    assert_text_equal(awssim_text(&client, "Arn"), VAULT_ARN);
    assert_number(create("v1", "{}"), 400);
    assert_awssim_error(&client, "AlreadyExistsException");
}

static const struct refused_row {
    const char *name, *vault, *body;
} refused_rows[] = {
    {.name = "a short name", .vault = "a", .body = "{}"},
    {.name = "a name with a dot", .vault = "a.b", .body = "{}"},
    {.name = "an alias", .vault = "new", .body = "{\"EncryptionKeyArn\":\"alias/one\"}"},
    {.name = "the ARN of an alias",
     .vault = "new",
     .body = "{\"EncryptionKeyArn\":\"arn:aws:kms:ap-northeast-1:111111111111:alias/one\"}"},
    {.name = "no such key",
     .vault = "new",
     .body = "{\"EncryptionKeyArn\":\"" KEY("111111111111", "none") "\"}"},
};

static void test_refused(void **state)
{
    const struct refused_row *row = *state;

    assert_number(create(row->vault, row->body), 400);
    assert_awssim_error(&client, "InvalidParameterValueException");
}

static void test_so_many_vaults(void **state)
{
    (void)state;
    for (int i = 3; i < 300; i++) {
        AUTO_FREE char *name = xasprintf("vault-%d", i);

        assert_number(create(name, "{}"), 200);
    }
    assert_number(create("new", "{}"), 400);
    assert_awssim_error(&client, "LimitExceededException");
}

static void test_fifty_tags(void **state)
{
    static const char path[] = "/tags/arn%3Aaws%3Abackup%3Aap-northeast-1%3A111111111111%3Abackup-vault%3Av1";

    (void)state;
    for (int i = 0; i < 50; i++) {
        AUTO_FREE char *body = xasprintf("{\"Tags\":{\"tag-%d\":\"x\"}}", i);

        assert_number(awssim_rest(&client, "POST", path, body), 200);
    }
    assert_number(awssim_rest(&client, "POST", path, "{\"Tags\":{\"tag-1\":\"other\"}}"), 200);
    assert_number(awssim_rest(&client, "POST", path, "{\"Tags\":{\"tag-50\":\"x\"}}"), 400);
    assert_awssim_error(&client, "LimitExceededException");
}

static void test_opting_in(void **state)
{
    (void)state;
    assert_number(awssim_rest(&client, "PUT", "/account-settings",
                              "{\"ResourceTypeOptInPreference\":{\"Aurora\":true,\"DynamoDB\":true},"
                              "\"ResourceTypeManagementPreference\":{\"DynamoDB\":true}}"),
                  200);
    assert_number(awssim_rest(&client, "PUT", "/account-settings",
                              "{\"ResourceTypeOptInPreference\":{\"DynamoDB\":false}}"),
                  200);
    assert_number(awssim_rest(&client, "GET", "/account-settings", NULL), 200);
    assert_true(json_get_bool(client.json, "ResourceTypeOptInPreference.Aurora", false));
    assert_false(json_get_bool(client.json, "ResourceTypeOptInPreference.DynamoDB", true));
    assert_true(json_get_bool(client.json, "ResourceTypeManagementPreference.DynamoDB", false));
    assert_number(awssim_rest(&client, "PUT", "/account-settings",
                              "{\"ResourceTypeOptInPreference\":{\"DynamoDB\":\"yes\"}}"),
                  400);
}

int main(void)
{
    struct tests tests = tests_in(small_world);

    TEST(&tests, test_a_new_vault);
    TEST(&tests, test_an_existing_vault_is_named);
    TEST_ROWS(&tests, test_refused, refused_rows);
    TEST(&tests, test_so_many_vaults);
    TEST(&tests, test_fifty_tags);
    TEST(&tests, test_opting_in);
    return tests_run(&tests, "awssim backup owner");
}
