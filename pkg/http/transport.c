#include "pkg/http/transport.h"

#include "pkg/http/url.h"

void http_reply_done(struct http_reply *reply)
{
    bool wipe = reply->body.wipe;

    for (size_t i = 0; i < reply->header_count; i++) {
        char *value = (char *)(uintptr_t)reply->headers[i].value;

        if (wipe)
            explicit_bzero(value, strlen(value));
        xfree(value);
        xfree((void *)(uintptr_t)reply->headers[i].name);
    }
    xfree(reply->headers);
    buf_done(&reply->body);
    *reply = (struct http_reply){0};
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        if (text_equal(reply->headers[i].name, name))
            return reply->headers[i].value;
    }
    return NULL;
}

void http_reply_add_header(struct http_reply *reply, struct str name, struct str value)
{
    char *lower = str_dup(name);

    for (char *c = lower; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    reply->headers = xgrow(reply->headers, reply->header_count, sizeof(*reply->headers));
    reply->headers[reply->header_count++] = (struct http_header){.name = lower, .value = str_dup(value)};
}

/* RFC 9110 section 5.6.2. */
static bool is_token(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    if (text_is_empty(text))
        return false;
    for (const char *c = text; *c; c++) {
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && !(*c >= '0' && *c <= '9') &&
            !strchr(others, *c))
            return false;
    }
    return true;
}

/* No line ends: one header must not become two. */
static bool is_header_value(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if ((*c < 0x20 && *c != '\t') || *c == 0x7f)
            return false;
    }
    return true;
}

/* What would let one request become two, or go somewhere else. Values are not shown: they may be secret. */
static struct err *check_request(const struct http_request *request)
{
    struct url url;

    if (!is_token(request->method))
        return err_new(ERR_INVALID, "\"%s\" is not an HTTP method", request->method ? request->method : "");
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];

        if (!is_token(header->name))
            return err_new(ERR_INVALID, "\"%s\" is not a header name", header->name ? header->name : "");
        if (!header->value || !is_header_value(header->value))
            return err_new(ERR_INVALID, "the value of header %s has a control character", header->name);
    }
    return url_parse(request->url, &url);
}

static struct err *check_start(const struct http_request *request, struct stop *stop)
{
    TRY(check_request(request));
    if (stop_requested(stop))
        return err_new(ERR_CANCELED, "stopped before the request was sent");
    return NULL;
}

struct err *http_call(struct transport *transport, const struct http_request *request, struct stop *stop,
                      struct http_reply *ret_reply)
{
    AUTO_REPLY struct http_reply reply = {0};

    TRY(check_start(request, stop));
    TRY(transport->ops->call(transport, request, stop, &reply));
    *ret_reply = reply;
    reply = (struct http_reply){0};
    return NULL;
}

struct err *http_open(struct transport *transport, const struct http_request *request, struct stop *stop,
                      struct http_reply *ret_reply, struct http_stream **ret_stream)
{
    AUTO_REPLY struct http_reply reply = {0};

    TRY(check_start(request, stop));
    TRY(transport->ops->open(transport, request, stop, &reply, ret_stream));
    *ret_reply = reply;
    reply = (struct http_reply){0};
    return NULL;
}

struct err *http_read(struct http_stream *stream, struct stop *stop, int64_t deadline_ms, struct buf *out,
                      bool *ret_end)
{
    return stream->transport->ops->read(stream, stop, deadline_ms, out, ret_end);
}

void http_close(struct http_stream *stream)
{
    if (stream)
        stream->transport->ops->close(stream);
}

void transport_free(struct transport *transport)
{
    if (transport)
        transport->ops->free(transport);
}
