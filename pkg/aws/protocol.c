#include "pkg/aws/protocol.h"

#include "pkg/base/digest.h"

#define RETRY_AFTER_MAX_MS SECONDS(20)

void aws_reply_done(struct aws_reply *reply)
{
    xfree(reply->request_id);
    json_free(reply->json);
    xml_free(reply->xml);
    *reply = (struct aws_reply){0};
}

static bool speaks_query(enum aws_op op)
{
    return aws_service_info(aws_operation(op)->service)->protocol == AWS_QUERY;
}

static const char *request_id_of(const struct http_reply *http)
{
    const char *id = http_reply_header(http, "x-amzn-requestid");

    return id ? id : http_reply_header(http, "x-amz-request-id");
}

struct err *protocol_read_reply(enum aws_op op, const struct http_reply *http, struct aws_reply *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {
        .http_status = http->status,
        .request_id = xstrdup_or_null(request_id_of(http)),
    };
    const char *date = http_reply_header(http, "date");
    AUTO_ERR struct err *err = NULL;

    if (!date || !time_parse_http(str_of(date), &reply.server_ms))
        reply.server_ms = 0;
    err = speaks_query(op) ? protocol_read_xml(op, http, &reply) : protocol_read_json(http, &reply);
    if (err)
        return err_new(ERR_RETRY, "the answer with HTTP status %d cannot be read: %s", http->status,
                       err_text(err));
    *ret = reply;
    reply = (struct aws_reply){0};
    return NULL;
}

struct err *protocol_check_sum(enum aws_op op, const struct http_reply *http)
{
    const char *said = http_reply_header(http, "x-amz-crc32");
    int64_t sum;

    if (aws_operation(op)->service != AWS_DYNAMODB || !said || http_reply_header(http, "content-encoding"))
        return NULL;
    if (str_to_int(str_trim(str_of(said)), &sum) && sum == crc32_of(buf_str(&http->body)))
        return NULL;
    return err_new(ERR_RETRY,
                   "the answer with HTTP status %d was damaged on its way: its x-amz-crc32 is of other bytes",
                   http->status);
}

/* AWS says milliseconds in a header of its own; Lambda and proxies use HTTP's, in seconds. */
static int64_t retry_after_of(const struct http_reply *http)
{
    const char *own = http_reply_header(http, "x-amz-retry-after"),
               *plain = http_reply_header(http, "retry-after");
    int64_t after_ms = 0, seconds;

    if (own && str_to_int(str_trim(str_of(own)), &after_ms) && after_ms > 0)
        return after_ms < RETRY_AFTER_MAX_MS ? after_ms : RETRY_AFTER_MAX_MS;
    if (plain && str_to_int(str_trim(str_of(plain)), &seconds) && seconds > 0)
        return seconds < RETRY_AFTER_MAX_MS / 1000 ? SECONDS(seconds) : RETRY_AFTER_MAX_MS;
    return 0;
}

void protocol_read_error(enum aws_op op, const struct http_reply *http, struct protocol_error *ret)
{
    *ret = (struct protocol_error){
        .request_id = xstrdup_or_null(request_id_of(http)),
        .retry_after_ms = retry_after_of(http),
    };
    if (speaks_query(op))
        protocol_read_xml_error(http, ret);
    else
        protocol_read_json_error(http, ret);
}

void protocol_error_done(struct protocol_error *error)
{
    xfree(error->code);
    xfree(error->message);
    xfree(error->request_id);
    *error = (struct protocol_error){0};
}

static char **text_at(void *item, size_t offset)
{
    return (char **)(void *)((char *)item + offset);
}

void json_take_texts(const struct json *value, const struct aws_text_field *fields, size_t count, void *ret)
{
    for (size_t i = 0; i < count; i++)
        *text_at(ret, fields[i].offset) = json_take_text(value, fields[i].path);
}

void xml_take_texts(const struct xml *node, const struct aws_text_field *fields, size_t count, void *ret)
{
    for (size_t i = 0; i < count; i++)
        *text_at(ret, fields[i].offset) = xml_take_text(node, fields[i].path);
}

void aws_text_fields_copy(const struct aws_text_field *fields, size_t count, void *item)
{
    for (size_t i = 0; i < count; i++) {
        char **text = text_at(item, fields[i].offset);

        *text = xstrdup_or_null(*text);
    }
}

void aws_text_fields_free(const struct aws_text_field *fields, size_t count, void *item)
{
    for (size_t i = 0; i < count; i++)
        xfree(*text_at(item, fields[i].offset));
}
