/* The check values were computed with botocore. */
#include "hack/awssim/core.h"
#include "tests/testing/assertions.h"

/* 2026-01-02T03:04:05Z */
#define WALL_MS INT64_C(1767323045000)
#define FORM "application/x-www-form-urlencoded; charset=utf-8"
#define CREDENTIAL(service) \
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-central-1/" service "/aws4_request, "
#define ARN "arn%3Aaws%3Ards%3Aeu-central-1%3A444455556666%3Acluster-snapshot%3Aawsbackup%3Acopyjob-0001"

static const struct row {
    const char *name, *method, *target, *body, *token;
    struct sim_header headers[6];
    const char *code; /* NULL: accepted */
    int64_t late_ms;
    const char *message;
} rows[] = {
    {.name = "A: query POST without a token",
     .method = "POST",
     .target = "/",
     .body = "Action=DescribeDBClusters&Version=2014-10-31&DBClusterIdentifier=stg-1",
     .headers = {{"Host", "rds.eu-central-1.amazonaws.com"},
                 {"Content-Type", FORM},
                 {"X-Amz-Date", "20260102T030405Z"},
                 {"Authorization",
                  CREDENTIAL(
                      "rds") "SignedHeaders=content-type;host;x-amz-date, "
                             "Signature=d3d4cb4bd5a13847361764bd577d15bb3fcaff90b514bddc556f8e1c316f404a"}}},
    {.name = "B: ARN in the path, session token",
     .method = "GET",
     .target = "/backup-vaults/stg/recovery-points/" ARN "?backupVaultAccountId=444455556666",
     .body = "",
     .token = "TOKENEXAMPLE==",
     .headers =
         {{"host", "backup.eu-central-1.amazonaws.com"},
          {"x-amz-date", "20260102T030405Z"},
          {"x-amz-security-token", "TOKENEXAMPLE=="},
          {"Authorization",
           CREDENTIAL(
               "backup") "SignedHeaders=host;x-amz-date;x-amz-security-token, "
                         "Signature=8e930dda8d2ac2d02aa418f5bb6cd44ffc331b5657afb7449e7daa71e5777ff5"}}},
    {.name = "C: the query is sorted",
     .method = "GET",
     .target = "/copy-jobs/"
               "?state=RUNNING&maxResults=100&destinationVaultArn=arn%3Aaws%3Abackup%3Aeu-central-1%"
               "3A444455556666%3Abackup-vault%3Astg",
     .body = "",
     .headers =
         {{"host", "backup.eu-central-1.amazonaws.com"},
          {"x-amz-date", "20260102T030405Z"},
          {"Authorization",
           CREDENTIAL(
               "backup") "SignedHeaders=host;x-amz-date, "
                         "Signature=f036100d6bcf8959159ae87ab5e1ffdf89c172d0901fbd6ab725bf69e3d6f8bd"}}},
    {.name = "D: DynamoDB",
     .method = "POST",
     .target = "/",
     .body = "{\"TableName\":\"orders\"}",
     .headers =
         {{"host", "dynamodb.eu-central-1.amazonaws.com"},
          {"content-type", "application/x-amz-json-1.0"},
          {"x-amz-target", "DynamoDB_20120810.DescribeTable"},
          {"x-amz-date", "20260102T030405Z"},
          {"Authorization",
           CREDENTIAL(
               "dynamodb") "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
                           "Signature=13c55dedebbe9e9b953f0c7273666d52d3d8dc904c895af034e9f029dc6c1ef9"}}},
    {.name = "another body",
     .method = "POST",
     .target = "/",
     .body = "{\"TableName\":\"others\"}",
     .headers =
         {{"host", "dynamodb.eu-central-1.amazonaws.com"},
          {"content-type", "application/x-amz-json-1.0"},
          {"x-amz-target", "DynamoDB_20120810.DescribeTable"},
          {"x-amz-date", "20260102T030405Z"},
          {"Authorization",
           CREDENTIAL(
               "dynamodb") "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
                           "Signature=13c55dedebbe9e9b953f0c7273666d52d3d8dc904c895af034e9f029dc6c1ef9"}},
     .code = "SignatureDoesNotMatch",
     .message = "does not match"},
    {.name = "the path decoded on the way",
     .method = "GET",
     .target = "/backup-vaults/stg/recovery-points/"
               "arn:aws:rds:eu-central-1:444455556666:cluster-snapshot:awsbackup:copyjob-0001?"
               "backupVaultAccountId=444455556666",
     .body = "",
     .token = "TOKENEXAMPLE==",
     .headers =
         {{"host", "backup.eu-central-1.amazonaws.com"},
          {"x-amz-date", "20260102T030405Z"},
          {"x-amz-security-token", "TOKENEXAMPLE=="},
          {"Authorization",
           CREDENTIAL(
               "backup") "SignedHeaders=host;x-amz-date;x-amz-security-token, "
                         "Signature=8e930dda8d2ac2d02aa418f5bb6cd44ffc331b5657afb7449e7daa71e5777ff5"}},
     .code = "SignatureDoesNotMatch",
     .message = "does not match"},
    {.name = "six minutes late",
     .method = "GET",
     .target = "/copy-jobs/",
     .body = "",
     .late_ms = MINUTES(6),
     .headers = {{"host", "x"},
                 {"x-amz-date", "20260102T030405Z"},
                 {"Authorization", CREDENTIAL("backup") "SignedHeaders=host;x-amz-date, Signature=00"}},
     .code = "SignatureDoesNotMatch",
     .message = "Signature expired: 20260102T030405Z is now earlier than 20260102T030505Z (20260102T031005Z "
                "- 5 min.)"},
    {.name = "six minutes early",
     .method = "GET",
     .target = "/copy-jobs/",
     .body = "",
     .late_ms = -MINUTES(6),
     .headers = {{"host", "x"},
                 {"x-amz-date", "20260102T030405Z"},
                 {"Authorization", CREDENTIAL("backup") "SignedHeaders=host;x-amz-date, Signature=00"}},
     .code = "SignatureDoesNotMatch",
     .message = "Signature not yet current:"},
    {.name = "the host is not signed",
     .method = "GET",
     .target = "/copy-jobs/",
     .body = "",
     .headers = {{"host", "x"},
                 {"x-amz-date", "20260102T030405Z"},
                 {"Authorization", CREDENTIAL("backup") "SignedHeaders=x-amz-date, Signature=00"}},
     .code = "IncompleteSignature",
     .message = "'host'"},
    {.name = "the session token is not signed",
     .method = "GET",
     .target = "/copy-jobs/",
     .body = "",
     .token = "TOKENEXAMPLE==",
     .headers = {{"host", "x"},
                 {"x-amz-date", "20260102T030405Z"},
                 {"x-amz-security-token", "TOKENEXAMPLE=="},
                 {"Authorization", CREDENTIAL("backup") "SignedHeaders=host;x-amz-date, Signature=00"}},
     .code = "IncompleteSignature",
     .message = "'x-amz-security-token'"},
    {.name = "another day in the scope",
     .method = "GET",
     .target = "/copy-jobs/",
     .body = "",
     .headers = {{"host", "x"},
                 {"x-amz-date", "20260102T030405Z"},
                 {"Authorization",
                  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/backup/aws4_request, "
                  "SignedHeaders=host;x-amz-date, Signature=00"}},
     .code = "SignatureDoesNotMatch",
     .message = "Date in Credential scope"},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    struct principal who = {.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                            .session_token = row->token,
                            .expires_wall_ms = WALL_MS + HOURS(1)};
    struct sim_request request = {
        .method = row->method, .target = row->target, .headers = row->headers, .body = str_of(row->body)};
    struct signature claim;
    const char *code = NULL;
    AUTO_FREE char *message = NULL;

    while (request.header_count < COUNT_OF(row->headers) && row->headers[request.header_count].name)
        request.header_count++;
    assert_true(sim_signature_parse(&request, &claim));
    assert_str_equal(claim.access_key_id, "AKIDEXAMPLE");
    bool fine = sim_signature_check(&request, &claim, &who, WALL_MS + row->late_ms, &code, &message);
    assert_text_equal(fine ? NULL : code, row->code);
    if (row->message)
        assert_text_contains(message, row->message);
}

static void test_expired_token(void **state)
{
    const struct row *row = &rows[1];
    struct principal who = {.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                            .session_token = row->token,
                            .expires_wall_ms = WALL_MS};
    struct sim_request request = {.method = row->method,
                                  .target = row->target,
                                  .headers = row->headers,
                                  .header_count = 4,
                                  .body = str_of(row->body)};
    struct signature claim;
    const char *code = NULL;
    AUTO_FREE char *message = NULL;

    (void)state;
    assert_true(sim_signature_parse(&request, &claim));
    assert_false(sim_signature_check(&request, &claim, &who, WALL_MS, &code, &message));
    assert_text_equal(code, "ExpiredToken");
}

static void test_other_authorization(void **state)
{
    static const char *const texts[] = {"", "Bearer x",
                                        "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=1",
                                        "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, Signature=1"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct sim_header header = {.name = "Authorization", .value = texts[i]};
        struct sim_request request = {.method = "GET", .target = "/", .headers = &header, .header_count = 1};
        struct signature claim;

        assert_false(sim_signature_parse(&request, &claim));
    }
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, test_row, rows);
    TEST(&tests, test_expired_token);
    TEST(&tests, test_other_authorization);
    return tests_run(&tests, "awssim signature");
}
