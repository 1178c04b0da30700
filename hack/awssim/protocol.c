/* Answers on the wire. */
#include "hack/awssim/core.h"
#include "pkg/base/digest.h"

void sim_reply_header(struct sim_reply *reply, const char *name, const char *value)
{
    reply->headers = xgrow(reply->headers, reply->header_count, sizeof(struct sim_header));
    reply->headers[reply->header_count++] =
        (struct sim_header){.name = xstrdup(name), .value = xstrdup(value)};
}

void sim_reply_done(struct sim_reply *reply)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        AUTO_FREE char *name = (char *)(uintptr_t)reply->headers[i].name;
        AUTO_FREE char *value = (char *)(uintptr_t)reply->headers[i].value;
    }
    xfree(reply->headers);
    xfree(reply->body);
    *reply = (struct sim_reply){0};
}

/* ---- XML ---- */

static void xml_text(struct buf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        switch (*c) {
        case '&':
            buf_adds(out, "&amp;");
            break;
        case '<':
            buf_adds(out, "&lt;");
            break;
        case '>':
            buf_adds(out, "&gt;");
            break;
        case '"':
            buf_adds(out, "&quot;");
            break;
        default:
            buf_addc(out, *c);
        }
    }
}

void sim_xml_print(const struct json *value, const char *name, struct buf *out)
{
    if (json_is(value, JSON_ARRAY)) {
        json_each (item, value)
            sim_xml_print(item, name, out);
        return;
    }
    if (json_is(value, JSON_NULL))
        return;
    buf_addf(out, "<%s>", name);
    if (json_is(value, JSON_OBJECT)) {
        json_each (member, value)
            sim_xml_print(member, json_key(member), out);
    } else if (json_is(value, JSON_STRING)) {
        xml_text(out, json_get_text(value, NULL, ""));
    } else {
        json_print(value, out);
    }
    buf_addf(out, "</%s>", name);
}

/* ---- errors every service knows ---- */

static const struct common {
    const char *query;
    const char *json;
    int query_status, json_status, rest_status;
} commons[] = {
    {"AccessDenied", "AccessDeniedException", 403, 400, 403},
    {"Throttling", "ThrottlingException", 400, 400, 400},
    {"ExpiredToken", "ExpiredTokenException", 403, 400, 403},
    {"SignatureDoesNotMatch", "InvalidSignatureException", 403, 400, 403},
    {"InvalidClientTokenId", "UnrecognizedClientException", 403, 400, 403},
    {"IncompleteSignature", "IncompleteSignatureException", 400, 400, 400},
    {"MissingAuthenticationToken", "MissingAuthenticationTokenException", 403, 400, 403},
    {"InternalFailure", "InternalServerError", 500, 500, 500},
    {"ServiceUnavailable", "ServiceUnavailableException", 503, 503, 500},
    {"UnknownOperationException", "UnknownOperationException", 404, 400, 404},
};

struct common_error sim_protocol_error(const struct service *service, const char *query_code)
{
    enum protocol protocol = service ? service->protocol : PROTOCOL_QUERY;

    for (size_t i = 0; i < COUNT_OF(commons); i++) {
        const struct common *row = &commons[i];

        if (!text_equal(row->query, query_code))
            continue;
        if (protocol == PROTOCOL_QUERY)
            return (struct common_error){.code = row->query, .status = row->query_status};
        return (struct common_error){
            .code = row->json, .status = protocol == PROTOCOL_JSON ? row->json_status : row->rest_status};
    }
    return (struct common_error){.code = query_code, .status = 400};
}

/* ---- replies ---- */

static void query_body(const struct call *call, struct buf *body)
{
    const struct call_private *priv = call->priv;
    const char *namespace = call->service->xml_namespace ? call->service->xml_namespace : "";

    if (priv->error_code) {
        AUTO_JSON struct json *error = json_new_object();

        json_set_text(error, "Type", priv->status >= 500 ? "Receiver" : "Sender");
        json_set_text(error, "Code", priv->error_code);
        json_set_text(error, "Message", priv->error_message);
        json_each (member, priv->error_members)
            json_set_copy(error, json_key(member), member);
        buf_addf(body, "<ErrorResponse xmlns=\"%s\">", namespace);
        sim_xml_print(error, "Error", body);
        buf_addf(body, "<RequestId>%s</RequestId></ErrorResponse>", call->request_id);
        return;
    }
    AUTO_FREE char *result = xasprintf("%sResult", call->operation->name);
    buf_addf(body, "<%sResponse xmlns=\"%s\">", call->operation->name, namespace);
    sim_xml_print(call->out, result, body);
    buf_addf(body, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>",
             call->request_id, call->operation->name);
}

static void json_body(const struct call *call, struct buf *body)
{
    const struct call_private *priv = call->priv;
    const char *message_key = call->service->message_key ? call->service->message_key : "message";

    if (!priv->error_code) {
        json_print(call->out, body);
        return;
    }
    AUTO_JSON struct json *error = json_new_object();
    AUTO_FREE char *type = call->service->error_namespace
                               ? xasprintf("%s#%s", call->service->error_namespace, priv->error_code)
                               : xstrdup(priv->error_code);
    json_set_text(error, "__type", type);
    json_set_text(error, message_key, priv->error_message);
    json_each (member, priv->error_members)
        json_set_copy(error, json_key(member), member);
    json_print(error, body);
}

/* The type is in the header. The body's Code is an internal one, there to catch those who read the body
 * first. */
static void rest_body(const struct call *call, struct buf *body, struct sim_reply *ret)
{
    const struct call_private *priv = call->priv;

    if (!priv->error_code) {
        if (json_count(call->out))
            json_print(call->out, body);
        return;
    }
    AUTO_JSON struct json *error = json_new_object();
    AUTO_FREE char *type = xasprintf("%s:http://internal.amazon.com/coral/com.amazonaws.%s/",
                                     priv->error_code, call->service->name);
    AUTO_FREE char *decoy = xasprintf("ERROR_%d", 2000 + priv->status);
    sim_reply_header(ret, "x-amzn-errortype", type);
    json_set_text(error, "Code", decoy);
    json_set_text(error, "Message", priv->error_message);
    json_each (member, priv->error_members)
        json_set_copy(error, json_key(member), member);
    json_print(error, body);
}

static void render_body(const struct call *call, struct buf *body, struct sim_reply *ret)
{
    switch (call->service->protocol) {
    case PROTOCOL_QUERY:
        query_body(call, body);
        sim_reply_header(ret, "Content-Type", "text/xml");
        return;
    case PROTOCOL_JSON: {
        AUTO_FREE char *type = xasprintf("application/x-amz-json-%s", call->service->json_version);

        json_body(call, body);
        sim_reply_header(ret, "Content-Type", type);
        return;
    }
    case PROTOCOL_REST:
        rest_body(call, body, ret);
        sim_reply_header(ret, "Content-Type", "application/json");
        return;
    }
}

void sim_protocol_reply(const struct call *call, struct sim_reply *ret)
{
    const struct call_private *priv = call->priv;
    AUTO_BUF struct buf body = BUF_MAX(64 * MIB);

    ret->status = priv->status ? priv->status : 200;
    sim_reply_header(ret, call->service->protocol == PROTOCOL_REST ? "x-amzn-RequestId" : "x-amzn-requestid",
                     call->request_id);
    for (size_t i = 0; i < priv->headers.count; i++)
        sim_reply_header(ret, priv->headers.items[i].name, priv->headers.items[i].value);
    if (priv->payload && !priv->error_code) {
        sim_reply_header(ret, "Content-Type", priv->payload_type);
        buf_add(&body, priv->payload, priv->payload_len);
    } else {
        render_body(call, &body, ret);
    }
    if (call->service->crc32) {
        AUTO_FREE char *crc = xasprintf("%u", crc32_of(buf_str(&body)));

        sim_reply_header(ret, "x-amz-crc32", crc);
    }
    ret->body_len = body.len;
    ret->body = xstrndup(buf_text(&body), body.len);
}
