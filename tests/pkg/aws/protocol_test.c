#include "pkg/aws/protocol.h"

#include "tests/testing/assertions.h"

static void writes_query_forms(void **state)
{
    static const char *const groups[] = {"sg-1", "sg-2"};
    static const struct aws_pair tags[] = {{"env", "staging"}, {"a b", "c&d=e+%"}};
    AUTO_SECRET struct secret *password = secret_new(STR("p+w/%&= \xC3\xA9"));
    AUTO_BUF struct buf form = {0};

    (void)state;
    query_begin(&form, AWS_OP_MODIFY_DB_CLUSTER);
    query_add(&form, "DBClusterIdentifier", "stg-1");
    query_add(&form, "Left", NULL);
    query_add(&form, "Empty", "");
    query_add_bool(&form, "ApplyImmediately", true);
    query_add_int(&form, "Days", -1);
    query_add_secret(&form, "MasterUserPassword", password);
    query_add_list(&form, "VpcSecurityGroupIds.VpcSecurityGroupId", groups, COUNT_OF(groups));
    query_add_pairs(&form, "Tags.Tag", tags, COUNT_OF(tags));
    assert_text_equal(
        buf_text(&form),
        "Action=ModifyDBCluster&Version=2014-10-31&DBClusterIdentifier=stg-1&Empty="
        "&ApplyImmediately=true&Days=-1&MasterUserPassword=p%2Bw%2F%25%26%3D%20%C3%A9"
        "&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1&VpcSecurityGroupIds.VpcSecurityGroupId.2=sg-2"
        "&Tags.Tag.1.Key=env&Tags.Tag.1.Value=staging"
        "&Tags.Tag.2.Key=a%20b&Tags.Tag.2.Value=c%26d%3De%2B%25");
    assert_true(form.wipe);
}

static void writes_rest_paths(void **state)
{
    AUTO_BUF struct buf path = BUF_MAX(1000);

    (void)state;
    buf_adds(&path, "/x/");
    rest_add_label(&path, "arn:aws:dynamodb:r:a:table/t/backup/1");
    buf_adds(&path, "/y/");
    rest_add_param(&path, "none", NULL);
    rest_add_time(&path, "never", 0);
    rest_add_param(&path, "resourceArn", "a:b/c");
    rest_add_time(&path, "createdAfter", 1767323045999);
    assert_text_equal(buf_text(&path), "/x/arn%3Aaws%3Adynamodb%3Ar%3Aa%3Atable%2Ft%2Fbackup%2F1/y/"
                                       "?resourceArn=a%3Ab%2Fc&createdAfter=2026-01-02T03%3A04%3A05Z");
}

struct error_row {
    const char *name;
    enum aws_op op;
    struct http_header headers[3];
    const char *body;
    const char *code, *message, *request_id;
    int64_t retry_after_ms;
};

static const struct error_row error_rows[] = {
    {.name = "query",
     .op = AWS_OP_DESCRIBE_DB_CLUSTERS,
     .body = "<ErrorResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><Error><Type>Sender</Type>"
             "<Code>DBClusterNotFoundFault</Code><Message>not "
             "&lt;there&gt;</Message></Error><RequestId>r-1</RequestId></ErrorResponse>",
     .code = "DBClusterNotFoundFault",
     .message = "not <there>",
     .request_id = "r-1"},
    {.name = "query: a proxy's page",
     .op = AWS_OP_DESCRIBE_DB_CLUSTERS,
     .body = "<html><body>Bad gateway</body></html>"},
    {.name = "query: not XML", .op = AWS_OP_DESCRIBE_DB_CLUSTERS, .body = "upstream connect error"},
    {.name = "json: namespace in the type",
     .op = AWS_OP_DESCRIBE_TABLE,
     .headers = {{"x-amzn-requestid", "r-2"}},
     .body = "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"message\":\"no "
             "table\"}",
     .code = "ResourceNotFoundException",
     .message = "no table",
     .request_id = "r-2"},
    {.name = "json: type with a URL, other spelling of message",
     .op = AWS_OP_GET_PARAMETER,
     .body = "{\"__type\":\"ParameterNotFound:http://internal/\",\"Message\":\"gone\"}",
     .code = "ParameterNotFound",
     .message = "gone"},
    {.name = "rest: the header wins over the decoy",
     .op = AWS_OP_DESCRIBE_BACKUP_JOB,
     .headers = {{"x-amzn-errortype", "ResourceNotFoundException:http://internal/"},
                 {"x-amzn-requestid", "r-3"}},
     .body = "{\"Code\":\"ERROR_2003\",\"Message\":\"Cannot find job\",\"Type\":\"Client\",\"Context\":null}",
     .code = "ResourceNotFoundException",
     .message = "Cannot find job",
     .request_id = "r-3"},
    {.name = "rest: header alone",
     .op = AWS_OP_DESCRIBE_BACKUP_JOB,
     .headers = {{"x-amzn-errortype", "AccessDeniedException"}},
     .body = "",
     .code = "AccessDeniedException"},
    {.name = "rest: not JSON", .op = AWS_OP_DESCRIBE_BACKUP_JOB, .body = "<html/>"},
    {.name = "the server's hint in ms",
     .op = AWS_OP_DESCRIBE_TABLE,
     .headers = {{"x-amz-retry-after", "700"}, {"retry-after", "9"}},
     .body = "{}",
     .retry_after_ms = 700},
    {.name = "a hint in seconds",
     .op = AWS_OP_DESCRIBE_TABLE,
     .headers = {{"retry-after", "9"}},
     .body = "{}",
     .retry_after_ms = 9000},
    {.name = "a hint with a cap",
     .op = AWS_OP_DESCRIBE_TABLE,
     .headers = {{"retry-after", "900"}},
     .body = "{}",
     .retry_after_ms = 20000},
    {.name = "a hint that is none",
     .op = AWS_OP_DESCRIBE_TABLE,
     .headers = {{"retry-after", "-1"}, {"x-amz-retry-after", "x"}},
     .body = "{}"},
};

static void make_reply(const struct http_header *headers, const char *body, struct http_reply *ret)
{
    *ret = (struct http_reply){.status = 200, .body = BUF_MAX(1 * MIB)};
    for (size_t i = 0; headers[i].name; i++)
        http_reply_add_header(ret, str_of(headers[i].name), str_of(headers[i].value));
    buf_adds(&ret->body, body);
}

static void reads_errors(void **state)
{
    const struct error_row *row = *state;
    AUTO_REPLY struct http_reply http = {0};
    struct protocol_error error;

    make_reply(row->headers, row->body, &http);
    protocol_read_error(row->op, &http, &error);
    assert_text_equal(error.code, row->code);
    assert_text_equal(error.message, row->message);
    assert_text_equal(error.request_id, row->request_id);
    assert_number(error.retry_after_ms, row->retry_after_ms);
    protocol_error_done(&error);
}

struct reply_row {
    const char *name;
    enum aws_op op;
    struct http_header headers[2];
    const char *body;
    const char *request_id;
    int64_t server_ms;
    const char *fails;
};

static const struct reply_row reply_rows[] = {
    {.name = "query",
     .op = AWS_OP_DEREGISTER_DB_PROXY_TARGETS,
     .headers = {{"date", "Sun, 22 Nov 2026 16:00:00 GMT"}},
     .body = "<DeregisterDBProxyTargetsResponse><DeregisterDBProxyTargetsResult/"
             "><ResponseMetadata><RequestId>r</RequestId>"
             "</ResponseMetadata></DeregisterDBProxyTargetsResponse>",
     .request_id = "r",
     .server_ms = 1795363200000},
    {.name = "query: no result at all",
     .op = AWS_OP_RDS_ADD_TAGS,
     .body = "<AddTagsToResourceResponse><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></"
             "AddTagsToResourceResponse>",
     .request_id = "r"},
    {.name = "query: another answer",
     .op = AWS_OP_RDS_ADD_TAGS,
     .body = "<html></html>",
     .fails = "not <AddTagsToResourceResponse>"},
    {.name = "query: empty", .op = AWS_OP_RDS_ADD_TAGS, .body = "", .fails = "cannot be read"},
    {.name = "json",
     .op = AWS_OP_DESCRIBE_TABLE,
     .headers = {{"x-amzn-requestid", "j"}},
     .body = "{\"Table\":{}}",
     .request_id = "j"},
    {.name = "json: cut", .op = AWS_OP_DESCRIBE_TABLE, .body = "{\"Table\":{", .fails = "cannot be read"},
    {.name = "rest: an empty body is fine", .op = AWS_OP_DELETE_RECOVERY_POINT, .body = ""},
    {.name = "a date that is none",
     .op = AWS_OP_DELETE_RECOVERY_POINT,
     .headers = {{"date", "now"}},
     .body = ""},
};

static void reads_replies(void **state)
{
    const struct reply_row *row = *state;
    AUTO_REPLY struct http_reply http = {0};
    AUTO_AWS_REPLY struct aws_reply reply = {0};

    make_reply(row->headers, row->body, &http);
    if (row->fails) {
        assert_fails(protocol_read_reply(row->op, &http, &reply), ERR_RETRY, row->fails);
        return;
    }
    assert_no_err(protocol_read_reply(row->op, &http, &reply));
    assert_text_equal(reply.request_id, row->request_id);
    assert_number(reply.server_ms, row->server_ms);
}

static void reads_times_in_all_spellings(void **state)
{
    AUTO_JSON struct json *json = NULL;
    AUTO_XML struct xml *xml = NULL;

    (void)state;
    assert_no_err(json_parse(STR("{\"a\":1767323045.123,\"b\":1767323045,\"c\":\"2026-01-02T03:04:05.5Z\","
                                 "\"d\":-1,\"e\":{},\"f\":1e300}"),
                             NULL, &json));
    assert_number(json_take_time(json, "a"), 1767323045123);
    assert_number(json_take_time(json, "b"), 1767323045000);
    assert_number(json_take_time(json, "c"), 1767323045500);
    assert_number(json_take_time(json, "d"), 0);
    assert_number(json_take_time(json, "e"), 0);
    assert_number(json_take_time(json, "f"), 0);
    assert_number(json_take_time(json, "none"), 0);
    assert_no_err(xml_parse(STR("<a><b>2026-01-02T03:04:05.123Z</b><c>x</c></a>"), NULL, &xml));
    assert_number(xml_take_time(xml, "b"), 1767323045123);
    assert_number(xml_take_time(xml, "c"), 0);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, writes_query_forms);
    TEST(&tests, writes_rest_paths);
    TEST_ROWS(&tests, reads_errors, error_rows);
    TEST_ROWS(&tests, reads_replies, reply_rows);
    TEST(&tests, reads_times_in_all_spellings);
    return tests_run(&tests, "protocol");
}
