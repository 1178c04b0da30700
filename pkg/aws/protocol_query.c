#include "pkg/aws/protocol.h"

void query_begin(struct buf *form, enum aws_op op)
{
    const struct aws_operation *operation = aws_operation(op);

    *form = BUF_SECRET(AWS_BODY_MAX);
    buf_addf(form, "Action=%s&Version=%s", operation->name, aws_service_info(operation->service)->version);
}

static void add_str(struct buf *form, const char *name, struct str value)
{
    buf_addc(form, '&');
    buf_add_uri(form, str_of(name));
    buf_addc(form, '=');
    buf_add_uri(form, value);
}

void query_add(struct buf *form, const char *name, const char *value)
{
    if (value)
        add_str(form, name, str_of(value));
}

void query_add_int(struct buf *form, const char *name, int64_t value)
{
    buf_addf(form, "&%s=%lld", name, (long long)value);
}

void query_add_bool(struct buf *form, const char *name, bool value)
{
    query_add(form, name, value ? "true" : "false");
}

void query_add_secret(struct buf *form, const char *name, const struct secret *value)
{
    if (value)
        add_str(form, name, secret_reveal(value));
}

void query_add_list(struct buf *form, const char *name, const char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *key = xasprintf("%s.%zu", name, i + 1);

        query_add(form, key, items[i]);
    }
}

void query_add_pairs(struct buf *form, const char *name, const struct aws_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *key = xasprintf("%s.%zu.Key", name, i + 1);
        AUTO_FREE char *value = xasprintf("%s.%zu.Value", name, i + 1);

        query_add(form, key, pairs[i].name);
        query_add(form, value, pairs[i].value);
    }
}

struct err *protocol_read_xml(enum aws_op op, const struct http_reply *http, struct aws_reply *ret)
{
    AUTO_FREE char *response = xasprintf("%sResponse", aws_operation(op)->name);
    AUTO_FREE char *result = xasprintf("%sResult", aws_operation(op)->name);
    AUTO_XML struct xml *root = NULL;

    TRY(xml_parse(buf_str(&http->body), NULL, &root));
    if (!text_equal(xml_name(root), response))
        return err_new(ERR_INVALID, "the answer is <%s>, not <%s>", xml_name(root), response);
    if (!ret->request_id)
        ret->request_id = xml_take_text(root, "ResponseMetadata.RequestId");
    ret->result = xml_at(root, result);
    ret->xml = TAKE(root);
    return NULL;
}

void protocol_read_xml_error(const struct http_reply *http, struct protocol_error *ret)
{
    AUTO_XML struct xml *root = NULL;

    err_ignore(xml_parse(buf_str(&http->body), NULL, &root), "the HTTP status alone tells then");
    ret->code = xml_take_text(root, "Error.Code");
    ret->message = xml_take_text(root, "Error.Message");
    if (!ret->request_id)
        ret->request_id = xml_take_text(root, "RequestId");
}

char *xml_take_text(const struct xml *node, const char *path)
{
    const char *text = xml_get_text(node, path, NULL);

    return text_is_empty(text) ? NULL : xstrdup(text);
}

int64_t xml_take_time(const struct xml *node, const char *path)
{
    int64_t wall_ms;

    return time_parse(str_of(xml_get_text(node, path, "")), &wall_ms) ? wall_ms : 0;
}
