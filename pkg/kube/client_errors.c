/* Refusals of the API server as errors.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#response-status-kind
 */
#include "pkg/kube/client_priv.h"

#define BODY_SHOWN 200
#define MESSAGE_MAX 2048 /* a 422 may list every field of a large object */

/* Codes whose kind is not told by their hundred. */
static const struct {
    int status;
    enum err_kind kind;
    const char *reason; /* when the server gave none */
} known[] = {
    {.status = 400, .kind = ERR_INVALID, .reason = "BadRequest"},
    {.status = 401, .kind = ERR_DENIED, .reason = "Unauthorized"},
    {.status = 403, .kind = ERR_DENIED, .reason = "Forbidden"},
    {.status = 404, .kind = ERR_RETRY, .reason = "NotServed"},
    {.status = 405, .kind = ERR_INVALID, .reason = "MethodNotAllowed"},
    {.status = 406, .kind = ERR_INVALID, .reason = "NotAcceptable"},
    {.status = 408, .kind = ERR_RETRY, .reason = "Timeout"},
    {.status = 409, .kind = ERR_CONFLICT, .reason = "Conflict"},
    {.status = 410, .kind = ERR_RETRY, .reason = "Expired"},
    {.status = 413, .kind = ERR_INVALID, .reason = "RequestEntityTooLarge"},
    {.status = 415, .kind = ERR_INVALID, .reason = "UnsupportedMediaType"},
    {.status = 422, .kind = ERR_INVALID, .reason = "Invalid"},
    {.status = 429, .kind = ERR_RETRY, .reason = "TooManyRequests"},
    {.status = 500, .kind = ERR_RETRY, .reason = "InternalError"},
    {.status = 503, .kind = ERR_RETRY, .reason = "ServiceUnavailable"},
    {.status = 504, .kind = ERR_RETRY, .reason = "Timeout"},
};

static enum err_kind kind_of(int status)
{
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (known[i].status == status)
            return known[i].kind;
    }
    return status >= 400 && status < 500 ? ERR_INVALID : ERR_RETRY;
}

static const char *default_reason(int status)
{
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (known[i].status == status)
            return known[i].reason;
    }
    return "UnknownError";
}

/* Causes that say more than the reason they come with. */
static const char *telling_cause(const struct json *status)
{
    static const char *const telling[] = {"NamespaceTerminating", "ResourceVersionTooLarge"};

    json_each (cause, json_at(status, "details.causes")) {
        for (size_t i = 0; i < COUNT_OF(telling); i++) {
            if (text_equal(json_get_text(cause, "reason", NULL), telling[i]))
                return telling[i];
        }
    }
    return NULL;
}

static const char *reason_of(const struct json *status, int code)
{
    const char *reason = json_get_text(status, "reason", ""), *cause = telling_cause(status);

    if (cause)
        return cause;
    if (code == 410) /* "Gone" on older servers */
        return "Expired";
    return *reason ? reason : default_reason(code);
}

static struct err *refusal(enum err_kind kind, const struct err_remote *remote)
{
    AUTO_FREE char *message = str_dup(str_cut_utf8(str_of(remote->message), MESSAGE_MAX));
    struct err_remote cut = *remote;

    cut.message = message;
    return err_set_remote(err_new(kind, "%d %s: %s", cut.http_status, cut.code, message), &cut);
}

static struct err *status_error(const struct json *status, int code, int64_t retry_after_ms)
{
    struct err_remote remote = {
        .service = "kubernetes",
        .code = reason_of(status, code),
        .message = json_get_text(status, "message", ""),
        .http_status = code,
        .retry_after_ms = retry_after_ms,
    };
    int64_t said = json_get_int(status, "details.retryAfterSeconds", 0);
    /* A resource that nobody serves may get a Status, too. */
    bool is_absent = code == 404 && text_equal(json_get_text(status, "reason", NULL), "NotFound") &&
                     !str_contains(str_of(remote.message), "could not find the requested resource");

    if (code == 404 && !is_absent)
        remote.code = "NotServed";
    if (!remote.retry_after_ms && said > 0 && said < 86400)
        remote.retry_after_ms = SECONDS(said);
    if (!remote.retry_after_ms && code == 429)
        remote.retry_after_ms = SECONDS(1);
    return refusal(is_absent ? ERR_NOT_FOUND : kind_of(code), &remote);
}

struct err *kube_status_error(const struct json *status, int http_status)
{
    int64_t code = json_get_int(status, "code", 500);

    return status_error(status, http_status ? http_status : (int)(code > 0 && code < 1000 ? code : 500), 0);
}

static int64_t retry_after_ms(const struct http_reply *reply)
{
    const char *text = http_reply_header(reply, "retry-after");
    int64_t seconds;

    if (!text || !str_to_int(str_trim(str_of(text)), &seconds) || seconds < 0 || seconds > 86400)
        return 0;
    return SECONDS(seconds);
}

/* Whoever answered, it was not the API server's machinery: a plain 404, a proxy's page. */
static struct err *foreign_error(const struct http_reply *reply, int64_t after_ms)
{
    AUTO_BUF struct buf shown = BUF_MAX(BODY_SHOWN);
    struct str body = str_trim(buf_str(&reply->body));

    for (size_t i = 0; i < body.len && i < BODY_SHOWN; i++)
        buf_addc(&shown, body.ptr[i] >= ' ' && body.ptr[i] <= '~' ? body.ptr[i] : ' ');
    return refusal(kind_of(reply->status), &(struct err_remote){
                                               .service = "kubernetes",
                                               .code = default_reason(reply->status),
                                               .message = buf_text(&shown),
                                               .http_status = reply->status,
                                               .retry_after_ms = after_ms,
                                           });
}

struct err *kube_reply_error(const struct http_reply *reply)
{
    AUTO_JSON struct json *status = NULL;
    int64_t after_ms = retry_after_ms(reply);
    struct err *err = json_parse(buf_str(&reply->body), &(struct json_limits){.max_bytes = MIB}, &status);

    err_ignore(err, "then it is not a Status");
    if (!text_equal(json_get_text(status, "kind", NULL), "Status"))
        return foreign_error(reply, after_ms);
    return status_error(status, reply->status, after_ms);
}
