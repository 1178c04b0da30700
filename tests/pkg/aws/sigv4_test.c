#include "pkg/aws/sigv4.h"

#include "tests/testing/assertions.h"

/* 2026-01-02T03:04:05Z */
#define WALL_MS INT64_C(1767323045000)

struct row {
    const char *name;
    const char *method, *path, *query, *body, *token, *service;
    struct http_header headers[6];
    /* NULL: not looked at */
    const char *canonical;
    const char *canonical_hash, *signed_headers, *signature;
};

#define FORM "application/x-www-form-urlencoded; charset=utf-8"
#define RDS_HOST "rds.eu-central-1.amazonaws.com"
#define BACKUP_HOST "backup.eu-central-1.amazonaws.com"
#define ARN_ONCE "arn%3Aaws%3Ards%3Aeu-central-1%3A444455556666%3Acluster-snapshot%3Aawsbackup%3Acopyjob-0001"
#define ARN_TWICE                                                                                           \
    "arn%253Aaws%253Ards%253Aeu-central-1%253A444455556666%253Acluster-snapshot%253Aawsbackup%253Acopyjob-" \
    "0001"
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct row rows[] = {
    {
        .name = "A: query POST without a token",
        .method = "POST",
        .path = "/",
        .body = "Action=DescribeDBClusters&Version=2014-10-31&DBClusterIdentifier=stg-1",
        .service = "rds",
        .headers = {{"Host", RDS_HOST}, {"Content-Type", FORM}},
        .canonical = "POST\n/\n\ncontent-type:" FORM "\nhost:" RDS_HOST "\nx-amz-date:20260102T030405Z\n\n"
                     "content-type;host;x-amz-date\n"
                     "d4c0c03d9ca9af00093664bd449248d9190c411d82598afcd3e22c798dcac96e",
        .canonical_hash = "f7cdd8020c1310f7a25315526e05ea503e8f63e83e74835ec91386eacda3aeb2",
        .signed_headers = "content-type;host;x-amz-date",
        .signature = "d3d4cb4bd5a13847361764bd577d15bb3fcaff90b514bddc556f8e1c316f404a",
    },
    {
        .name = "B: an ARN in the path, a session token",
        .method = "GET",
        .path = "/backup-vaults/stg/recovery-points/" ARN_ONCE,
        .query = "backupVaultAccountId=444455556666",
        .token = "TOKENEXAMPLE==",
        .service = "backup",
        .headers = {{"host", BACKUP_HOST}},
        .canonical =
            "GET\n/backup-vaults/stg/recovery-points/" ARN_TWICE "\nbackupVaultAccountId=444455556666\n"
            "host:" BACKUP_HOST "\nx-amz-date:20260102T030405Z\nx-amz-security-token:TOKENEXAMPLE==\n\n"
            "host;x-amz-date;x-amz-security-token\n" EMPTY_HASH,
        .canonical_hash = "4d8baf089465dd7265b6c580ac2b0945e5014a59e8feb6091d5f375bccb67094",
        .signed_headers = "host;x-amz-date;x-amz-security-token",
        .signature = "8e930dda8d2ac2d02aa418f5bb6cd44ffc331b5657afb7449e7daa71e5777ff5",
    },
    {
        .name = "C: the query is sorted",
        .method = "GET",
        .path = "/copy-jobs/",
        .query = "state=RUNNING&maxResults=100&destinationVaultArn="
                 "arn%3Aaws%3Abackup%3Aeu-central-1%3A444455556666%3Abackup-vault%3Astg",
        .service = "backup",
        .headers = {{"host", BACKUP_HOST}},
        .canonical = "GET\n/copy-jobs/\ndestinationVaultArn="
                     "arn%3Aaws%3Abackup%3Aeu-central-1%3A444455556666%3Abackup-vault%3Astg&maxResults=100&"
                     "state=RUNNING\n"
                     "host:" BACKUP_HOST "\nx-amz-date:20260102T030405Z\n\nhost;x-amz-date\n" EMPTY_HASH,
        .signed_headers = "host;x-amz-date",
        .signature = "f036100d6bcf8959159ae87ab5e1ffdf89c172d0901fbd6ab725bf69e3d6f8bd",
    },
    {
        .name = "D: a JSON service with a target",
        .method = "POST",
        .path = "/",
        .body = "{\"TableName\":\"orders\"}",
        .service = "dynamodb",
        .headers = {{"host", "dynamodb.eu-central-1.amazonaws.com"},
                    {"content-type", "application/x-amz-json-1.0"},
                    {"x-amz-target", "DynamoDB_20120810.DescribeTable"}},
        .signed_headers = "content-type;host;x-amz-date;x-amz-target",
        .signature = "13c55dedebbe9e9b953f0c7273666d52d3d8dc904c895af034e9f029dc6c1ef9",
    },
    {
        .name = "an empty path is a slash",
        .method = "GET",
        .path = "",
        .service = "sts",
        .headers = {{"host", "h"}},
        .canonical = "GET\n/\n\nhost:h\nx-amz-date:20260102T030405Z\n\nhost;x-amz-date\n" EMPTY_HASH,
    },
    {
        .name = "dot segments and double slashes go, the last slash stays",
        .method = "GET",
        .path = "/a/./b/../../c//d%2Fe/",
        .service = "sts",
        .headers = {{"host", "h"}},
        .canonical =
            "GET\n/c/d%252Fe/\n\nhost:h\nx-amz-date:20260102T030405Z\n\nhost;x-amz-date\n" EMPTY_HASH,
    },
    {
        .name = "more dots than segments",
        .method = "GET",
        .path = "/../..",
        .service = "sts",
        .headers = {{"host", "h"}},
        .canonical = "GET\n/\n\nhost:h\nx-amz-date:20260102T030405Z\n\nhost;x-amz-date\n" EMPTY_HASH,
    },
    {
        .name = "a parameter without a value, one twice",
        .method = "GET",
        .path = "/",
        .query = "b&a=2&a=1&a-b=0",
        .service = "sts",
        .headers = {{"host", "h"}},
        .canonical =
            "GET\n/\na=1&a=2&a-b=0&b=\nhost:h\nx-amz-date:20260102T030405Z\n\nhost;x-amz-date\n" EMPTY_HASH,
    },
    {
        .name = "headers: trimmed, collapsed, joined, and some left out",
        .method = "GET",
        .path = "/",
        .service = "sts",
        .headers = {{"X-Amz-Two", "  a \t b  "},
                    {"Host", "h"},
                    {"x-amz-two", "c"},
                    {"User-Agent", "u"},
                    {"Accept", "*"}},
        .canonical = "GET\n/\n\nhost:h\nx-amz-date:20260102T030405Z\nx-amz-two:a "
                     "b,c\n\nhost;x-amz-date;x-amz-two\n" EMPTY_HASH,
    },
};

static void signs(void **state)
{
    const struct row *row = *state;
    AUTO_CREDENTIALS struct credentials *credentials =
        credentials_new(STR("AKIDEXAMPLE"), secret_new(STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")),
                        row->token ? secret_new(str_of(row->token)) : NULL, NEVER_MS);
    AUTO_SIGV4 struct sigv4_result result = {0};
    AUTO_FREE char *authorization = NULL;
    AUTO_FREE char *text = NULL;
    char hash[2 * SHA256_BYTES + 1];
    size_t count = 0;

    while (row->headers[count].name)
        count++;
    sigv4_sign(
        &(struct sigv4_request){
            .method = row->method,
            .path = str_of(row->path),
            .query = str_of(row->query),
            .headers = row->headers,
            .header_count = count,
            .body = str_of(row->body),
        },
        credentials,
        &(struct sigv4_scope){.region = "eu-central-1", .service = row->service, .wall_ms = WALL_MS},
        &result);
    assert_text_equal(result.date, "20260102T030405Z");
    if (row->canonical)
        assert_text_equal(buf_text(&result.canonical), row->canonical);
    sha256_hex(buf_str(&result.canonical), hash);
    if (row->canonical_hash)
        assert_text_equal(hash, row->canonical_hash);
    text = xasprintf("AWS4-HMAC-SHA256\n20260102T030405Z\n20260102/eu-central-1/%s/aws4_request\n%s",
                     row->service, hash);
    assert_text_equal(buf_text(&result.string_to_sign), text);
    if (row->signed_headers)
        assert_text_equal(buf_text(&result.signed_headers), row->signed_headers);
    if (row->signature)
        assert_text_equal(result.signature, row->signature);
    authorization =
        xasprintf("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-central-1/%s/aws4_request, "
                  "SignedHeaders=%s, Signature=%s",
                  row->service, buf_text(&result.signed_headers), result.signature);
    assert_text_equal(buf_text(&result.authorization), authorization);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, signs, rows);
    return tests_run(&tests, "sigv4");
}
