/* Secrets: tokens, versions and their stages. */
#include "tests/hack/awssim/services_world.h"

static int secret(const char *operation, const char *body)
{
    return awssim_json(&client, "secretsmanager", operation, body);
}

#define TOKEN_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TOKEN_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int put(const char *token, const char *value)
{
    AUTO_FREE char *body = xasprintf(
        "{\"SecretId\":\"db\",\"ClientRequestToken\":\"%s\",\"SecretString\":\"%s\"}", token, value);

    return secret("PutSecretValue", body);
}

static void expect_stage(const char *stage, const char *value)
{
    AUTO_FREE char *body = xasprintf("{\"SecretId\":\"db\",\"VersionStage\":\"%s\"}", stage);

    assert_number(secret("GetSecretValue", body), value ? 200 : 400);
    assert_text_equal(awssim_text(&client, "SecretString"), value);
}

/* ---- refusals ---- */

static const struct refused_row {
    const char *name, *operation, *body, *error;
} refused_rows[] = {
    {.name = "no secret",
     .operation = "GetSecretValue",
     .body = "{\"SecretId\":\"nope\"}",
     .error = "ResourceNotFoundException"},
    {.name = "one that goes",
     .operation = "GetSecretValue",
     .body = "{\"SecretId\":\"gone\"}",
     .error = "InvalidRequestException"},
    {.name = "no such stage",
     .operation = "GetSecretValue",
     .body = "{\"SecretId\":\"db\",\"VersionStage\":\"AWSPREVIOUS\"}",
     .error = "ResourceNotFoundException"},
    {.name = "no token",
     .operation = "PutSecretValue",
     .body = "{\"SecretId\":\"db\",\"SecretString\":\"x\"}",
     .error = "InvalidParameterException"},
    {.name = "short token",
     .operation = "PutSecretValue",
     .body = "{\"SecretId\":\"db\",\"SecretString\":\"x\",\"ClientRequestToken\":\"short\"}",
     .error = "InvalidParameterException"},
    {.name = "no value",
     .operation = "PutSecretValue",
     .body = "{\"SecretId\":\"db\",\"ClientRequestToken\":\"" TOKEN_A "\"}",
     .error = "InvalidParameterException"},
    {.name = "two values",
     .operation = "PutSecretValue",
     .body = "{\"SecretId\":\"db\",\"SecretString\":\"x\",\"SecretBinary\":\"eA==\",\"ClientRequestToken\":"
             "\"" TOKEN_A "\"}",
     .error = "InvalidParameterException"},
    {.name = "a service's own",
     .operation = "PutSecretValue",
     .body = "{\"SecretId\":\"owned\",\"SecretString\":\"x\",\"ClientRequestToken\":\"" TOKEN_A "\"}",
     .error = "InvalidRequestException"},
    {.name = "update a service's own",
     .operation = "UpdateSecret",
     .body = "{\"SecretId\":\"owned\",\"Description\":\"x\"}",
     .error = "InvalidRequestException"},
    {.name = "disabled key",
     .operation = "UpdateSecret",
     .body = "{\"SecretId\":\"db\",\"KmsKeyId\":\"key-off\"}",
     .error = "EncryptionFailure"},
    {.name = "a stage to nowhere",
     .operation = "UpdateSecretVersionStage",
     .body = "{\"SecretId\":\"db\",\"VersionStage\":\"AWSCURRENT\",\"MoveToVersionId\":\"" TOKEN_A "\"}",
     .error = "ResourceNotFoundException"},
    {.name = "no current version at all",
     .operation = "UpdateSecretVersionStage",
     .body = "{\"SecretId\":\"db\",\"VersionStage\":\"AWSCURRENT\"}",
     .error = "InvalidParameterException"},
};

static void test_refused(void **state)
{
    const struct refused_row *row = *state;

    assert_number(secret(row->operation, row->body), 400);
    assert_awssim_error(&client, row->error);
}

/* ---- writing ---- */

static void test_stages_move(void **state)
{
    (void)state;
    assert_number(put(TOKEN_A, "first"), 200);
    expect_effect(&client, "changed", ":secret:db-");
    expect_stage("AWSCURRENT", "first");
    expect_stage("AWSPREVIOUS", "{\"username\":\"admin\",\"password\":\"old-password\"}");
    assert_number(put(TOKEN_B, "second"), 200);
    expect_stage("AWSCURRENT", "second");
    expect_stage("AWSPREVIOUS", "first");
    assert_number(secret("DescribeSecret", "{\"SecretId\":\"db\"}"), 200);
    assert_number(json_count(json_member(client.json, "VersionIdsToStages")), 2);
    assert_text_equal(awssim_text(&client, "VersionIdsToStages." TOKEN_B "[0]"), "AWSCURRENT");
}

static const struct token_row {
    const char *name;
    int64_t later_ms; /* the framework's own memory of tokens ends after an hour */
} token_rows[] = {
    {.name = "at once"},
    {.name = "two hours later", .later_ms = HOURS(2)},
};

static void test_token(void **state)
{
    const struct token_row *row = *state;

    assert_number(put(TOKEN_A, "first"), 200);
    awssim_client_advance(&client, row->later_ms);
    assert_number(put(TOKEN_A, "first"), 200);
    assert_text_equal(awssim_text(&client, "VersionId"), TOKEN_A);
    expect_effect(&client, "replayed", ":secret:db-");
    assert_number(put(TOKEN_A, "other"), 400);
    assert_awssim_error(&client, "ResourceExistsException");
    expect_stage("AWSCURRENT", "first");
}

static void test_a_replay_does_not_undo_what_came_between(void **state)
{
    (void)state;
    assert_number(put(TOKEN_A, "first"), 200);
    assert_number(put(TOKEN_B, "second"), 200);
    assert_number(put(TOKEN_A, "first"), 200);
    expect_stage("AWSCURRENT", "second");
}

static void test_one_token_for_two_secrets(void **state)
{
    (void)state;
    assert_number(put(TOKEN_A, "first"), 200);
    assert_number(secret("PutSecretValue", "{\"SecretId\":\"db-app\",\"ClientRequestToken\":\"" TOKEN_A
                                           "\",\"SecretString\":\"other\"}"),
                  200);
}

static void test_update_refuses_a_used_token(void **state)
{
    const char *body =
        "{\"SecretId\":\"db\",\"ClientRequestToken\":\"" TOKEN_A "\",\"SecretString\":\"first\"}";

    (void)state;
    assert_number(secret("UpdateSecret", body), 200);
    expect_stage("AWSCURRENT", "first");
    assert_number(secret("UpdateSecret", body), 400);
    assert_awssim_error(&client, "ResourceExistsException");
}

static void test_move_a_stage_back(void **state)
{
    (void)state;
    assert_number(put(TOKEN_A, "first"), 200);
    assert_number(put(TOKEN_B, "second"), 200);
    assert_number(secret("UpdateSecretVersionStage",
                         "{\"SecretId\":\"db\",\"VersionStage\":\"AWSCURRENT\",\"MoveToVersionId\":\"" TOKEN_A
                         "\"}"),
                  400);
    assert_awssim_error(&client, "InvalidParameterException");
    assert_number(secret("UpdateSecretVersionStage",
                         "{\"SecretId\":\"db\",\"VersionStage\":\"AWSCURRENT\",\"MoveToVersionId\":\"" TOKEN_A
                         "\",\"RemoveFromVersionId\":\"" TOKEN_B "\"}"),
                  200);
    expect_stage("AWSCURRENT", "first");
    expect_stage("AWSPREVIOUS", "second");
}

static void test_other_stages_leave_the_current_one(void **state)
{
    (void)state;
    assert_number(secret("PutSecretValue",
                         "{\"SecretId\":\"db\",\"ClientRequestToken\":\"" TOKEN_A
                         "\",\"SecretString\":\"next\",\"VersionStages\":[\"AWSPENDING\"]}"),
                  200);
    expect_stage("AWSPENDING", "next");
    expect_stage("AWSCURRENT", "{\"username\":\"admin\",\"password\":\"old-password\"}");
}

static void test_who_writes_too_often_runs_into_the_quota(void **state)
{
    int status = 200;

    (void)state;
    for (int i = 0; i < 100 && status == 200; i++) {
        AUTO_FREE char *token = xasprintf("%032d", i);

        status = put(token, "x");
    }
    assert_number(status, 400);
    assert_awssim_error(&client, "LimitExceededException");
    awssim_client_advance(&client, DAYS(1));
    assert_number(put(TOKEN_A, "x"), 200);
}

/* ---- reading ---- */

static void test_names_arns_and_partial_arns(void **state)
{
    (void)state;
    assert_number(secret("DescribeSecret", "{\"SecretId\":\"db\"}"), 200);
    AUTO_FREE char *full = xasprintf("{\"SecretId\":\"%s\"}", awssim_text(&client, "ARN"));
    assert_number(secret("GetSecretValue", full), 200);
    assert_text_equal(awssim_text(&client, "Name"), "db");
    assert_number(secret("GetSecretValue", "{\"SecretId\":\"" ARN(STG, "secretsmanager", "secret:db") "\"}"),
                  200);
    assert_text_equal(awssim_text(&client, "Name"), "db");
}

static void test_list(void **state)
{
    (void)state;
    assert_number(secret("ListSecrets", "{\"Filters\":[{\"Key\":\"owning-service\",\"Values\":[\"rds\"]}]}"),
                  200);
    assert_number(json_count(json_member(client.json, "SecretList")), 1);
    assert_text_equal(awssim_text(&client, "SecretList[0].Name"), "owned");
    assert_number(secret("ListSecrets", "{}"), 200);
    assert_number(json_count(json_member(client.json, "SecretList")), 3);
    assert_number(secret("ListSecrets", "{\"IncludePlannedDeletion\":true}"), 200);
    assert_number(json_count(json_member(client.json, "SecretList")), 4);
    assert_number(secret("ListSecretVersionIds", "{\"SecretId\":\"db\"}"), 200);
    assert_number(json_count(json_member(client.json, "Versions")), 1);
}

static void test_the_world_shows_no_value(void **state)
{
    (void)state;
    assert_number(put(TOKEN_A, "not-to-be-seen"), 200);
    assert_text_equal(json_get_text(world_part(&client, "secretsmanager.secrets[0].versions[1]"), "id", NULL),
                      TOKEN_A);
    assert_text_lacks(client.reply.body, "not-to-be-seen");
    assert_text_lacks(client.reply.body, "old-password");
    assert_number(awssim_control(&client, "GET", "/_sim/journal", NULL), 200);
    assert_text_lacks(client.reply.body, "not-to-be-seen");
}

int main(void)
{
    struct tests tests = tests_in_services("");

    TEST_ROWS(&tests, test_refused, refused_rows);
    TEST(&tests, test_stages_move);
    TEST_ROWS(&tests, test_token, token_rows);
    TEST(&tests, test_a_replay_does_not_undo_what_came_between);
    TEST(&tests, test_one_token_for_two_secrets);
    TEST(&tests, test_update_refuses_a_used_token);
    TEST(&tests, test_move_a_stage_back);
    TEST(&tests, test_other_stages_leave_the_current_one);
    TEST(&tests, test_who_writes_too_often_runs_into_the_quota);
    TEST(&tests, test_names_arns_and_partial_arns);
    TEST(&tests, test_list);
    TEST(&tests, test_the_world_shows_no_value);
    return tests_run(&tests, "awssim secretsmanager");
}
