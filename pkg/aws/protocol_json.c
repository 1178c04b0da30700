#include "pkg/aws/protocol.h"

#include <math.h>

struct err *protocol_read_json(const struct http_reply *http, struct aws_reply *ret)
{
    if (!str_trim(buf_str(&http->body)).len)
        return NULL;
    return json_parse(buf_str(&http->body), NULL, &ret->json);
}

/* "com.amazonaws.x#Name:http://internal/": what is after the last '#' and before the first ':' that follows.
 */
static char *bare_code(const char *text)
{
    struct str rest = str_of(text), name = {0};
    const char *hash = rest.len ? memrchr(rest.ptr, '#', rest.len) : NULL;

    if (hash)
        rest = str_from(rest, (size_t)(hash - rest.ptr) + 1);
    str_cut(&rest, ':', &name);
    name = str_trim(name);
    return name.len ? str_dup(name) : NULL;
}

/* The body's own "Code" is an internal one in AWS Backup: it counts only when nothing else is said. */
static const char *find_code(const struct http_reply *http, const struct json *body)
{
    const char *header = http_reply_header(http, "x-amzn-errortype");

    if (!text_is_empty(header))
        return header;
    return json_get_text(body, "__type", json_get_text(body, "code", json_get_text(body, "Code", NULL)));
}

void protocol_read_json_error(const struct http_reply *http, struct protocol_error *ret)
{
    AUTO_JSON struct json *body = NULL;
    const char *code;

    err_ignore(json_parse(buf_str(&http->body), NULL, &body), "the header or the HTTP status tells then");
    code = find_code(http, body);
    ret->code = code ? bare_code(code) : NULL;
    ret->message = xstrdup_or_null(json_get_text(body, "message", json_get_text(body, "Message", NULL)));
}

char *json_take_text(const struct json *value, const char *path)
{
    return xstrdup_or_null(json_get_text(value, path, NULL));
}

int64_t json_take_time(const struct json *value, const char *path)
{
    double seconds = json_get_number(value, path, 0);
    const char *text = json_get_text(value, path, NULL);
    int64_t wall_ms;

    if (text)
        return time_parse(str_of(text), &wall_ms) ? wall_ms : 0;
    return seconds > 0 && seconds < 1e11 ? llround(seconds * 1000) : 0;
}

int json_take_count(const struct json *value, const char *path)
{
    int64_t count = json_get_int(value, path, 0);

    return count > INT32_MAX || count < INT32_MIN ? 0 : (int)count;
}
