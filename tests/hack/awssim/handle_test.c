/* The framework as a caller sees it: protocols' errors, permissions, faults, journal, clock, pages. */
#include "tests/hack/awssim/client_fixture.h"
#include "tests/hack/awssim/small_world.h"

#include "pkg/base/times.h"

/* ---- who may ---- */

static const struct denied_row {
    const char *name, *key, *secret;
    const char *query_error, *json_error;
    int query_status, json_status, rest_status;
} denied_rows[] = {
    {.name = "no permission",
     .key = "AKIANOBODY",
     .secret = "example-secret",
     .query_error = "AccessDenied",
     .json_error = "AccessDeniedException",
     .query_status = 403,
     .json_status = 400,
     .rest_status = 403},
    {.name = "a key that nobody has",
     .key = "AKIAUNKNOWN",
     .secret = "x",
     .query_error = "InvalidClientTokenId",
     .json_error = "UnrecognizedClientException",
     .query_status = 403,
     .json_status = 400,
     .rest_status = 403},
    {.name = "a wrong secret",
     .key = "AKIAEXAMPLE",
     .secret = "x",
     .query_error = "SignatureDoesNotMatch",
     .json_error = "InvalidSignatureException",
     .query_status = 403,
     .json_status = 400,
     .rest_status = 403},
};

static void test_denied(void **state)
{
    const struct denied_row *row = *state;

    awssim_client_use(&client, row->key, row->secret, NULL);
    assert_number(awssim_query(&client, "sts", "AssumeRole", "RoleArn=a&RoleSessionName=abc"),
                  row->query_status);
    assert_awssim_error(&client, row->query_error);
    assert_number(awssim_json(&client, "kms", "DescribeKey", "{\"KeyId\":\"x\"}"), row->json_status);
    assert_awssim_error(&client, row->json_error);
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/", NULL), row->rest_status);
    assert_awssim_error(&client, row->json_error);
}

static void test_permissions_are_patterns(void **state)
{
    (void)state;
    awssim_client_assume(&client, "arn:aws:iam::111111111111:role/guarded", "word");
    assert_number(awssim_json(&client, "kms", "DescribeKey", "{\"KeyId\":\"key-one\"}"), 200);
    assert_number(awssim_json(&client, "kms", "GetKeyPolicy", "{\"KeyId\":\"key-one\"}"), 400);
    assert_text_contains(awssim_text(&client, "message"), "kms:GetKeyPolicy");
}

static void test_another_region_is_not_enabled(void **state)
{
    (void)state;
    client.region = "eu-central-1";
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/", NULL), 403);
    assert_awssim_error(&client, "UnrecognizedClientException");
}

static void test_simulate_principal_policy(void **state)
{
    (void)state;
    client.region = "us-east-1"; /* a global service */
    assert_number(
        awssim_query(
            &client, "iam", "SimulatePrincipalPolicy",
            "PolicySourceArn=arn:aws:iam::111111111111:role/guarded&ActionNames.member.1=kms:DescribeKey&"
            "ActionNames.member.2=kms:Decrypt"),
        200);
    AUTO_FREE char *first = awssim_xml(&client, "EvalDecision", 0);
    AUTO_FREE char *second = awssim_xml(&client, "EvalDecision", 1);
    assert_text_equal(first, "allowed");
    assert_text_equal(second, "implicitDeny");
}

static const struct source_row {
    const char *name, *source, *error;
    int status;
} source_rows[] = {
    {.name = "a user", .source = "arn:aws:iam::111111111111:user/me", .status = 200},
    {.name = "no such role",
     .source = "arn:aws:iam::111111111111:role/none",
     .status = 404,
     .error = "NoSuchEntity"},
    {.name = "a session instead of its role",
     .source = "arn:aws:sts::111111111111:assumed-role/all/test",
     .status = 400,
     .error = "InvalidInput"},
    {.name = "a name", .source = "all", .status = 400, .error = "InvalidInput"},
};

static void test_simulated_source(void **state)
{
    const struct source_row *row = *state;
    AUTO_FREE char *form = xasprintf("PolicySourceArn=%s&ActionNames.member.1=kms:DescribeKey", row->source);

    client.region = "us-east-1";
    assert_number(awssim_query(&client, "iam", "SimulatePrincipalPolicy", form), row->status);
    if (row->error)
        assert_awssim_error(&client, row->error);
}

/* ---- what is asked ---- */

static const struct bad_row {
    const char *name, *method, *target, *body, *error;
    int status;
} bad_rows[] = {
    {.name = "no such route",
     .method = "GET",
     .target = "/backup-vault",
     .error = "UnknownOperationException",
     .status = 404},
    {.name = "a list without its slash",
     .method = "GET",
     .target = "/backup-vaults",
     .error = "UnknownOperationException",
     .status = 404},
    {.name = "an unknown member",
     .method = "PUT",
     .target = "/backup-jobs",
     .body = "{\"Colour\":\"red\"}",
     .error = "InvalidParameterValueException",
     .status = 400},
    {.name = "a missing member",
     .method = "PUT",
     .target = "/backup-jobs",
     .body = "{\"BackupVaultName\":\"v1\"}",
     .error = "MissingParameterValueException",
     .status = 400},
    {.name = "a wrong type",
     .method = "PUT",
     .target = "/backup-jobs",
     .body = "{\"BackupVaultName\":1}",
     .error = "InvalidParameterValueException",
     .status = 400},
    {.name = "no JSON",
     .method = "PUT",
     .target = "/backup-jobs",
     .body = "{",
     .error = "SerializationException",
     .status = 400},
    {.name = "not found is 400",
     .method = "GET",
     .target = "/backup-vaults/none",
     .error = "ResourceNotFoundException",
     .status = 400},
};

static void test_bad_request(void **state)
{
    const struct bad_row *row = *state;

    assert_number(awssim_rest(&client, row->method, row->target, row->body), row->status);
    assert_awssim_error(&client, row->error);
    assert_text_contains(awssim_text(&client, "Code"), "ERROR_"); /* the decoy */
    assert_non_null(awssim_header(&client, "x-amzn-RequestId"));
}

static void test_unknown_operations(void **state)
{
    (void)state;
    assert_number(awssim_query(&client, "sts", "GetSessionToken", NULL), 400);
    assert_awssim_error(&client, "InvalidAction");
    assert_number(awssim_json(&client, "kms", "Decrypt", "{}"), 400);
    assert_awssim_error(&client, "UnknownOperationException");
    assert_number(awssim_rest_of(&client, "s3", "GET", "/", NULL), 400);
}

/* ---- pages ---- */

static void test_pages(void **state)
{
    (void)state;
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/?maxResults=2", NULL), 200);
    assert_number((int64_t)json_count(json_at(client.json, "BackupVaultList")), 2);
    AUTO_FREE char *next =
        xasprintf("/backup-vaults/?maxResults=2&nextToken=%s", awssim_text(&client, "NextToken"));
    assert_number(awssim_rest(&client, "GET", next, NULL), 200);
    assert_text_equal(awssim_text(&client, "BackupVaultList[0].BackupVaultName"), "v3");
    assert_text_equal(awssim_text(&client, "NextToken"), NULL);
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/?maxResults=0", NULL), 400);
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/?nextToken=nonsense", NULL), 400);
}

static void test_empty_first_page(void **state)
{
    AUTO_FREE char *world = xasprintf("habits: {emptyPages: true}\n%s", small_world);

    (void)state;
    awssim_client_done(&client);
    awssim_client_init(&client, world);
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/", NULL), 200);
    assert_number((int64_t)json_count(json_at(client.json, "BackupVaultList")), 0);
    AUTO_FREE char *next = xasprintf("/backup-vaults/?nextToken=%s", awssim_text(&client, "NextToken"));
    awssim_rest(&client, "GET", next, NULL);
    assert_number((int64_t)json_count(json_at(client.json, "BackupVaultList")), 3);
    assert_text_equal(awssim_text(&client, "NextToken"), NULL);
}

/* ---- faults ---- */

static void add_fault(const char *body)
{
    assert_number(awssim_control(&client, "POST", "/_sim/faults", body), 200);
}

static int list_vaults(void)
{
    return awssim_rest(&client, "GET", "/backup-vaults/", NULL);
}

static void test_fault_strikes_the_nth_call(void **state)
{
    (void)state;
    add_fault(
        "{\"match\":{\"service\":\"backup\",\"operation\":\"List*\",\"nth\":2},\"action\":\"throttle\"}");
    assert_number(awssim_rest(&client, "GET", "/account-settings", NULL), 200);
    assert_number(list_vaults(), 200);
    assert_number(list_vaults(), 400);
    assert_awssim_error(&client, "ThrottlingException");
    assert_number(list_vaults(), 200);
}

static void test_fault_strikes_so_many_times(void **state)
{
    (void)state;
    add_fault("{\"match\":{\"operation\":\"ListBackupVaults\",\"times\":2},\"action\":\"error\",\"status\":"
              "503,\"code\":\"ServiceUnavailableException\"}");
    assert_number(list_vaults(), 503);
    assert_number(list_vaults(), 503);
    assert_number(list_vaults(), 200);
}

static void test_fault_refuses_with_a_code(void **state)
{
    (void)state;
    add_fault("{\"match\":{\"operation\":\"ListBackupVaults\",\"times\":1},\"action\":\"refuse\","
              "\"code\":\"ResourceNotFoundException\"}");
    assert_number(list_vaults(), 400);
    assert_awssim_error(&client, "ResourceNotFoundException");
    add_fault("{\"match\":{\"operation\":\"ListBackupVaults\",\"times\":1},\"action\":\"refuse\","
              "\"code\":\"ResourceNotFoundException\",\"status\":404}");
    assert_number(list_vaults(), 404);
    assert_number(list_vaults(), 200);
}

static void test_fault_by_account(void **state)
{
    (void)state;
    add_fault("{\"match\":{\"account\":\"two\"},\"action\":\"refuse\"}");
    assert_number(list_vaults(), 200);
    awssim_client_assume(&client, OTHER_ROLE, NULL);
    assert_number(list_vaults(), 403);
    assert_awssim_error(&client, "AccessDeniedException");
    assert_number(awssim_control(&client, "DELETE", "/_sim/faults", NULL), 200);
    assert_number(list_vaults(), 200);
}

static void test_fault_by_chance_follows_the_seed(void **state)
{
    int struck = 0;

    (void)state;
    add_fault("{\"match\":{\"operation\":\"ListBackupVaults\",\"probability\":0.5},\"action\":\"throttle\"}");
    for (int i = 0; i < 200; i++)
        struck += list_vaults() == 400;
    assert_in_range(struck, 60, 140);
}

static void test_dropped_request_did_nothing(void **state)
{
    (void)state;
    add_fault("{\"match\":{\"operation\":\"PutBackupVaultAccessPolicy\"},\"action\":\"drop-request\"}");
    awssim_rest(&client, "PUT", "/backup-vaults/v1/access-policy", "{\"Policy\":\"{\\\"Statement\\\":[]}\"}");
    assert_number(client.reply.drop, SIM_DROP_REQUEST);
    awssim_control(&client, "GET", "/_sim/journal", NULL);
    assert_json_equal(client.json, "[]");
}

static void test_dropped_reply_did_it(void **state)
{
    (void)state;
    add_fault("{\"match\":{\"operation\":\"PutBackupVaultAccessPolicy\"},\"action\":\"drop-reply\","
              "\"delaySeconds\":1.5}");
    awssim_rest(&client, "PUT", "/backup-vaults/v1/access-policy", "{\"Policy\":\"{\\\"Statement\\\":[]}\"}");
    assert_number(client.reply.drop, SIM_DROP_REPLY);
    assert_number(client.reply.delay_ms, 1500);
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/v1/access-policy", NULL), 200);
}

static void test_twice_is_delivered_twice(void **state)
{
    (void)state;
    add_fault("{\"match\":{\"operation\":\"PutBackupVaultAccessPolicy\"},\"action\":\"twice\"}");
    assert_number(awssim_rest(&client, "PUT", "/backup-vaults/v1/access-policy",
                              "{\"Policy\":\"{\\\"Statement\\\":[]}\"}"),
                  200);
    awssim_control(&client, "GET", "/_sim/journal", NULL);
    assert_number((int64_t)json_count(client.json), 2);
}

static void test_error_after_the_deed(void **state)
{
    (void)state;
    add_fault(
        "{\"match\":{\"operation\":\"PutBackupVaultAccessPolicy\"},\"action\":\"error\",\"after\":true}");
    assert_number(awssim_rest(&client, "PUT", "/backup-vaults/v1/access-policy",
                              "{\"Policy\":\"{\\\"Statement\\\":[]}\"}"),
                  500);
    awssim_control(&client, "GET", "/_sim/journal", NULL);
    assert_text_equal(awssim_text(&client, "[0].effect"), "changed");
    assert_number(json_get_int(client.json, "[0].httpStatus", 0), 500);
    assert_number(awssim_rest(&client, "GET", "/backup-vaults/v1/access-policy", NULL), 200);
}

static void test_list_of_faults(void **state)
{
    (void)state;
    add_fault("[{\"match\":{\"operation\":\"ListBackupVaults\",\"nth\":1},\"action\":\"throttle\"},"
              "{\"match\":{\"operation\":\"ListBackupVaults\",\"nth\":3},\"action\":\"refuse\"}]");
    assert_number(list_vaults(), 400);
    assert_number(list_vaults(), 200);
    assert_number(list_vaults(), 403);
    awssim_control(&client, "GET", "/_sim/faults", NULL);
    assert_number(json_get_int(client.json, "[1].struck", 0), 1);
}

#define MATCH(members) "{\"action\":\"throttle\",\"match\":{" members "}}"

static const struct bad_fault_row {
    const char *name, *body;
    const char *message; /* part of it: the key that is wrong */
} bad_fault_rows[] = {
    {.name = "list of numbers", .body = "[1]", .message = "JSON object"},
    {.name = "number", .body = "1", .message = "JSON object"},
    {.name = "no JSON", .body = "{", .message = "JSON"},
    {.name = "no action", .body = "{}", .message = "action"},
    {.name = "unknown action", .body = "{\"action\":\"explode\"}", .message = "action"},
    {.name = "unknown key", .body = "{\"action\":\"refuse\",\"when\":1}", .message = "when"},
    {.name = "unknown key of match", .body = MATCH("\"color\":1"), .message = "match.color"},
    {.name = "match is text", .body = "{\"action\":\"refuse\",\"match\":\"x\"}", .message = "match: "},
    {.name = "nth is text", .body = MATCH("\"nth\":\"2\""), .message = "match.nth"},
    {.name = "nth is half", .body = MATCH("\"nth\":0.5"), .message = "match.nth"},
    {.name = "nth is zero", .body = MATCH("\"nth\":0"), .message = "match.nth"},
    {.name = "times is negative", .body = MATCH("\"times\":-1"), .message = "match.times"},
    {.name = "probability is text", .body = MATCH("\"probability\":\"0\""), .message = "match.probability"},
    {.name = "probability above one", .body = MATCH("\"probability\":2"), .message = "match.probability"},
    {.name = "service is a number", .body = MATCH("\"service\":1"), .message = "match.service"},
    {.name = "unknown service", .body = MATCH("\"service\":\"s3\""), .message = "match.service"},
    {.name = "unknown account", .body = MATCH("\"account\":\"three\""), .message = "match.account"},
    {.name = "unknown operation", .body = MATCH("\"operation\":\"StartJob\""), .message = "match.operation"},
    {.name = "operation of another service",
     .body = MATCH("\"service\":\"sts\",\"operation\":\"ListBackupVaults\""),
     .message = "match.operation"},
    {.name = "action is a number", .body = "{\"action\":1}", .message = "action"},
    {.name = "code is a number", .body = "{\"action\":\"error\",\"code\":1}", .message = "code"},
    {.name = "status is text", .body = "{\"action\":\"error\",\"status\":\"boom\"}", .message = "status"},
    {.name = "status of no error", .body = "{\"action\":\"error\",\"status\":200}", .message = "status"},
    {.name = "delay is text",
     .body = "{\"action\":\"delay\",\"delaySeconds\":\"3\"}",
     .message = "delaySeconds"},
    {.name = "delay is negative",
     .body = "{\"action\":\"delay\",\"delaySeconds\":-1}",
     .message = "delaySeconds"},
    {.name = "after is text", .body = "{\"action\":\"error\",\"after\":\"true\"}", .message = "after"},
};

/* A fault that is not understood must not strike everything. */
static void test_bad_fault(void **state)
{
    const struct bad_fault_row *row = *state;

    assert_number(awssim_control(&client, "POST", "/_sim/faults", row->body), 400);
    assert_text_contains(client.reply.body, row->message);
    assert_number(awssim_control(&client, "GET", "/_sim/faults", NULL), 200);
    assert_json_equal(client.json, "[]");
    assert_number(list_vaults(), 200);
}

static const struct good_fault_row {
    const char *name, *body;
} good_fault_rows[] = {
    {.name = "everything", .body = "{\"action\":\"throttle\"}"},
    {.name = "patterns", .body = MATCH("\"service\":\"back*\",\"operation\":\"List*\",\"account\":\"*\"")},
    {.name = "account by its name", .body = MATCH("\"account\":\"one\"")},
    {.name = "account by its id", .body = MATCH("\"account\":\"111111111111\"")},
    {.name = "numbers",
     .body = "{\"action\":\"throttle\",\"delaySeconds\":0.5,\"match\":{\"nth\":1,\"times\":2,"
             "\"probability\":1}}"},
};

static void test_good_fault(void **state)
{
    const struct good_fault_row *row = *state;

    add_fault(row->body);
    assert_number(list_vaults(), 400);
}

/* ---- bookkeeping ---- */

static void test_journal(void **state)
{
    (void)state;
    awssim_rest(&client, "PUT", "/backup-vaults/v1/access-policy", "{\"Policy\":\"{\\\"Statement\\\":[]}\"}");
    awssim_rest(&client, "PUT", "/backup-vaults/none/access-policy",
                "{\"Policy\":\"{\\\"Statement\\\":[]}\"}");
    list_vaults();
    awssim_control(&client, "GET", "/_sim/journal", NULL);
    assert_json_equal(client.json,
                      "[{\"seq\":1,\"time\":\"2026-11-22T16:00:00.000Z\",\"account\":\"111111111111\","
                      "\"service\":\"backup\","
                      "\"operation\":\"PutBackupVaultAccessPolicy\",\"resource\":\"arn:aws:backup:ap-"
                      "northeast-1:111111111111:backup-vault:v1\","
                      "\"token\":null,\"principal\":\"arn:aws:iam::111111111111:user/"
                      "me\",\"httpStatus\":200,\"error\":null,\"effect\":\"changed\"},"
                      "{\"seq\":2,\"time\":\"2026-11-22T16:00:00.000Z\",\"account\":\"111111111111\","
                      "\"service\":\"backup\","
                      "\"operation\":\"PutBackupVaultAccessPolicy\",\"resource\":\"none\",\"token\":null,"
                      "\"principal\":\"arn:aws:iam::111111111111:user/"
                      "me\",\"httpStatus\":400,\"error\":\"ResourceNotFoundException\","
                      "\"effect\":\"refused\"}]");
}

static void test_calls(void **state)
{
    (void)state;
    list_vaults();
    list_vaults();
    awssim_control(&client, "GET", "/_sim/calls", NULL);
    assert_json_equal(client.json, "[{\"account\":\"111111111111\",\"service\":\"backup\",\"operation\":"
                                   "\"ListBackupVaults\",\"count\":2}]");
}

static void test_clock(void **state)
{
    (void)state;
    assert_number(awssim_control(&client, "POST", "/_sim/clock", "{\"advanceSeconds\": 90}"), 200);
    assert_text_equal(awssim_text(&client, "time"), "2026-11-22T16:01:30.000Z");
    client.world_ms += SECONDS(10);
    awssim_control(&client, "GET", "/_sim/clock", NULL);
    assert_text_equal(awssim_text(&client, "time"), "2026-11-22T16:01:40.000Z");
    assert_number(awssim_control(&client, "POST", "/_sim/clock", "{\"advanceSeconds\": -1}"), 400);
    assert_number(awssim_control(&client, "POST", "/_sim/clock", "{\"seconds\": 1}"), 400);
}

static void test_world_has_no_secrets(void **state)
{
    (void)state;
    awssim_client_assume(&client, ROOT_ROLE, NULL);
    assert_number(awssim_control(&client, "GET", "/_sim/world", NULL), 200);
    assert_text_equal(awssim_text(&client, "accounts[0].id"), "111111111111");
    assert_text_equal(awssim_text(&client, "accounts[0].backup.vaults[0].name"), "v1");
    assert_text_lacks(client.reply.body, "example-secret");
    assert_text_lacks(client.reply.body, client.secret);
    assert_text_lacks(client.reply.body, client.session_token);
}

static void test_same_seed_same_answers(void **state)
{
    struct awssim_client other;

    (void)state;
    awssim_client_init(&other, small_world);
    awssim_client_assume(&client, ROOT_ROLE, NULL);
    awssim_client_assume(&other, ROOT_ROLE, NULL);
    assert_text_equal(client.secret, other.secret);
    awssim_client_done(&other);
}

int main(void)
{
    struct tests tests = tests_in(small_world);

    TEST_ROWS(&tests, test_denied, denied_rows);
    TEST(&tests, test_permissions_are_patterns);
    TEST(&tests, test_another_region_is_not_enabled);
    TEST(&tests, test_simulate_principal_policy);
    TEST_ROWS(&tests, test_simulated_source, source_rows);
    TEST_ROWS(&tests, test_bad_request, bad_rows);
    TEST(&tests, test_unknown_operations);
    TEST(&tests, test_pages);
    TEST(&tests, test_empty_first_page);
    TEST(&tests, test_fault_strikes_the_nth_call);
    TEST(&tests, test_fault_strikes_so_many_times);
    TEST(&tests, test_fault_refuses_with_a_code);
    TEST(&tests, test_fault_by_account);
    TEST(&tests, test_fault_by_chance_follows_the_seed);
    TEST(&tests, test_dropped_request_did_nothing);
    TEST(&tests, test_dropped_reply_did_it);
    TEST(&tests, test_twice_is_delivered_twice);
    TEST(&tests, test_error_after_the_deed);
    TEST(&tests, test_list_of_faults);
    TEST_ROWS(&tests, test_bad_fault, bad_fault_rows);
    TEST_ROWS(&tests, test_good_fault, good_fault_rows);
    TEST(&tests, test_journal);
    TEST(&tests, test_calls);
    TEST(&tests, test_clock);
    TEST(&tests, test_world_has_no_secrets);
    TEST(&tests, test_same_seed_same_answers);
    return tests_run(&tests, "awssim handle");
}
