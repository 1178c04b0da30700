#include "pkg/aws/refusal.h"

#include "pkg/base/buf.h"

#define ANY AWS_SERVICE_COUNT
#define MESSAGE_MAX 1024

struct rule {
    const char *code; /* without "Exception" or "Fault"; `*` stands for anything */
    enum aws_service service;
    struct aws_verdict verdict;
};

/* The first row that fits counts. */
/* clang-format off */
static const struct rule rules[] = {
    {.code = "Throttling",          .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "Throttled",           .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "RequestThrottled",    .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "EC2Throttled",        .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "TooManyRequests",     .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "RequestLimitExceeded", .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "BandwidthLimitExceeded", .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "ProvisionedThroughputExceeded", .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "TransactionInProgress", .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "PriorRequestNotComplete", .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "SlowDown",            .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "*KmsThrottled",       .service = AWS_SQS, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},
    {.code = "TooManyUpdates",      .service = AWS_SSM, .verdict = {.kind = ERR_RETRY, .reaction = AWS_THROTTLED}},

    {.code = "RequestTimeout",      .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_TRANSIENT}},
    {.code = "InternalFailure",     .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_TRANSIENT}},
    {.code = "Internal*Error",      .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_TRANSIENT}},
    {.code = "ServiceUnavailable",  .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_TRANSIENT}},
    {.code = "DependencyFailure",   .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_TRANSIENT}},
    {.code = "DependencyTimeout",   .service = ANY, .verdict = {.kind = ERR_RETRY, .reaction = AWS_TRANSIENT}},
    {.code = "KMSInternal",         .service = AWS_KMS, .verdict = {.kind = ERR_RETRY, .reaction = AWS_TRANSIENT}},
    {.code = "Server",              .service = AWS_ECS, .verdict = {.kind = ERR_RETRY, .reaction = AWS_TRANSIENT}},
    {.code = "IDPCommunicationError", .service = AWS_STS, .verdict = {.kind = ERR_RETRY, .reaction = AWS_TRANSIENT}},

    {.code = "ExpiredToken",        .service = ANY, .verdict = {.kind = ERR_DENIED, .reaction = AWS_RENEW}},
    {.code = "InvalidClientTokenId", .service = ANY, .verdict = {.kind = ERR_DENIED, .reaction = AWS_RENEW}},
    {.code = "UnrecognizedClient",  .service = ANY, .verdict = {.kind = ERR_DENIED, .reaction = AWS_RENEW}},

    {.code = "RequestExpired",      .service = ANY, .verdict = {.kind = ERR_DENIED, .reaction = AWS_CLOCK_SKEW}},
    {.code = "RequestTimeTooSkewed", .service = ANY, .verdict = {.kind = ERR_DENIED, .reaction = AWS_CLOCK_SKEW}},
    {.code = "RequestInTheFuture",  .service = ANY, .verdict = {.kind = ERR_DENIED, .reaction = AWS_CLOCK_SKEW}},
    {.code = "SignatureDoesNotMatch", .service = ANY, .verdict = {.kind = ERR_DENIED, .reaction = AWS_CLOCK_SKEW}},
    {.code = "InvalidSignature",    .service = ANY, .verdict = {.kind = ERR_DENIED, .reaction = AWS_CLOCK_SKEW}},
    {.code = "AuthFailure",         .service = ANY, .verdict = {.kind = ERR_DENIED, .reaction = AWS_CLOCK_SKEW}},

    {.code = "AccessDenied",        .service = ANY, .verdict = {.kind = ERR_DENIED}},
    {.code = "UnauthorizedOperation", .service = ANY, .verdict = {.kind = ERR_DENIED}},
    {.code = "NotAuthorized",       .service = ANY, .verdict = {.kind = ERR_DENIED}},
    {.code = "AuthorizationError",  .service = ANY, .verdict = {.kind = ERR_DENIED}},
    {.code = "OptInRequired",       .service = ANY, .verdict = {.kind = ERR_DENIED}},
    {.code = "RegionDisabled",      .service = ANY, .verdict = {.kind = ERR_DENIED}},
    {.code = "IncompleteSignature", .service = ANY, .verdict = {.kind = ERR_DENIED}},
    {.code = "MissingAuthenticationToken", .service = ANY, .verdict = {.kind = ERR_DENIED}},
    {.code = "InvalidIdentityToken", .service = AWS_STS, .verdict = {.kind = ERR_DENIED}},
    {.code = "IDPRejectedClaim",    .service = AWS_STS, .verdict = {.kind = ERR_DENIED}},
    {.code = "KMSInvalidState",     .service = ANY, .verdict = {.kind = ERR_DENIED}},
    {.code = "KMSKeyNotAccessible", .service = ANY, .verdict = {.kind = ERR_DENIED}},

    /* Too many jobs run, or too many tables are being changed, at once: it passes; elsewhere a real quota. */
    {.code = "LimitExceeded",       .service = AWS_BACKUP, .verdict = {.kind = ERR_RETRY}},
    {.code = "LimitExceeded",       .service = AWS_DYNAMODB, .verdict = {.kind = ERR_RETRY}},
    {.code = "OverLimit",           .service = AWS_SQS, .verdict = {.kind = ERR_RETRY}},
    {.code = "*Kms*",               .service = AWS_SQS, .verdict = {.kind = ERR_DENIED}}, /* its key, not the queue */
    {.code = "*LimitExceeded",      .service = ANY, .verdict = {.kind = ERR_DENIED}},
    {.code = "*QuotaExceeded",      .service = ANY, .verdict = {.kind = ERR_DENIED}},
    {.code = "Insufficient*Capacity", .service = AWS_RDS, .verdict = {.kind = ERR_RETRY}},

    /* The thing is busy: it passes, but not within a call. */
    {.code = "InvalidDB*State",     .service = AWS_RDS, .verdict = {.kind = ERR_RETRY}},
    {.code = "InvalidResourceState", .service = AWS_BACKUP, .verdict = {.kind = ERR_RETRY}},
    {.code = "ResourceInUse",       .service = AWS_DYNAMODB, .verdict = {.kind = ERR_RETRY}},
    {.code = "ContinuousBackupsUnavailable", .service = AWS_DYNAMODB, .verdict = {.kind = ERR_RETRY}},
    {.code = "ConcurrentModification", .service = ANY, .verdict = {.kind = ERR_RETRY}},
    {.code = "ConcurrentUpdate",    .service = AWS_AUTO_SCALING, .verdict = {.kind = ERR_RETRY}},

    {.code = "*AlreadyExists",      .service = ANY, .verdict = {.kind = ERR_CONFLICT}},
    {.code = "*AlreadyRegistered",  .service = AWS_RDS, .verdict = {.kind = ERR_CONFLICT}},
    {.code = "ResourceExists",      .service = AWS_SECRETS_MANAGER, .verdict = {.kind = ERR_CONFLICT}},
    {.code = "*NotFound",           .service = ANY, .verdict = {.kind = ERR_NOT_FOUND}},
    {.code = "*DoesNotExist",       .service = AWS_SFN, .verdict = {.kind = ERR_NOT_FOUND}},
    {.code = "QueueDoesNotExist",   .service = AWS_SQS, .verdict = {.kind = ERR_NOT_FOUND}},
    {.code = "*NonExistentQueue",   .service = AWS_SQS, .verdict = {.kind = ERR_NOT_FOUND}},
    {.code = "NoSuchEntity",        .service = AWS_IAM, .verdict = {.kind = ERR_NOT_FOUND}},
    /* With HTTP status 404 from some services: it is the operation that is not there. */
    {.code = "UnknownOperation",    .service = ANY, .verdict = {.kind = ERR_INVALID}},
};
/* clang-format on */

static struct str without(struct str code, const char *suffix)
{
    if (str_ends(code, suffix) && code.len > strlen(suffix))
        code.len -= strlen(suffix);
    return code;
}

/* A refusal of AWS always has a code: without one, somebody in between may have answered, and who sees a 404
 * must not take what is called for gone. */
static struct aws_verdict by_status(int http_status, bool has_code)
{
    if (http_status == 429)
        return (struct aws_verdict){ERR_RETRY, AWS_THROTTLED};
    if (http_status >= 500 || http_status < 300)
        return (struct aws_verdict){ERR_RETRY, AWS_TRANSIENT};
    if (http_status == 401 || http_status == 403)
        return (struct aws_verdict){ERR_DENIED, AWS_GIVE_UP};
    if (http_status == 404 && has_code)
        return (struct aws_verdict){ERR_NOT_FOUND, AWS_GIVE_UP};
    if (http_status == 409)
        return (struct aws_verdict){ERR_CONFLICT, AWS_GIVE_UP};
    if (http_status == 404 || http_status == 408)
        return (struct aws_verdict){ERR_RETRY, AWS_TRANSIENT};
    return (struct aws_verdict){ERR_INVALID, AWS_GIVE_UP};
}

struct aws_verdict aws_verdict_of(enum aws_service service, const char *code, int http_status)
{
    AUTO_FREE char *bare = str_dup(without(without(str_of(code), "Exception"), "Fault"));

    for (size_t i = 0; code && i < COUNT_OF(rules); i++) {
        if ((rules[i].service == ANY || rules[i].service == service) && text_matches(rules[i].code, bare))
            return rules[i].verdict;
    }
    return by_status(http_status, code);
}

bool aws_refusal_is_explicit(const char *code, const char *message)
{
    return code && message && str_starts(str_of(code), "AccessDenied") && strstr(message, "explicit deny");
}

static char *clean_message(const char *message)
{
    /* A signature mismatch is answered with the canonical request, session token included. */
    const char *echo = strstr(message, "The Canonical String");
    size_t len = echo ? (size_t)(echo - message) : strlen(message);
    struct str text = str_trim((struct str){.ptr = message, .len = len});
    AUTO_BUF struct buf out = BUF_MAX(MESSAGE_MAX + 3);
    size_t cut = text.len < MESSAGE_MAX ? text.len : MESSAGE_MAX;

    /* Not in the middle of a character. */
    while (cut < text.len && cut > 0 && ((unsigned char)text.ptr[cut] & 0xC0) == 0x80)
        cut--;
    for (size_t i = 0; i < cut; i++)
        buf_addc(&out, (unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f ? ' ' : text.ptr[i]);
    if (cut < text.len)
        buf_adds(&out, "...");
    return buf_take(&out);
}

/* " (request 7f3c..., account 111111111111)", as far as both are known. */
static void add_origin(struct buf *text, const struct aws_refusal *refusal)
{
    bool has_request = !text_is_empty(refusal->request_id), has_account = !text_is_empty(refusal->account_id);

    if (has_request)
        buf_addf(text, " (request %.100s", refusal->request_id);
    if (has_account)
        buf_addf(text, "%saccount %s", has_request ? ", " : " (", refusal->account_id);
    if (has_request || has_account)
        buf_addc(text, ')');
}

struct err *aws_refusal_err(const struct aws_refusal *refusal)
{
    const struct aws_operation *operation = aws_operation(refusal->op);
    const char *service = aws_service_info(operation->service)->name;
    AUTO_FREE char *message = clean_message(refusal->message ? refusal->message : "");
    AUTO_BUF struct buf text = BUF_MAX(8 * KIB);
    struct aws_verdict verdict = aws_verdict_of(operation->service, refusal->code, refusal->http_status);

    buf_addf(&text, "%s %s: ", service, operation->name);
    if (refusal->code)
        buf_addf(&text, "%.200s", refusal->code);
    else
        buf_addf(&text, "HTTP status %d", refusal->http_status);
    if (*message)
        buf_addf(&text, ": %s", message);
    add_origin(&text, refusal);
    return err_set_remote(err_new(verdict.kind, "%s", buf_text(&text)),
                          &(struct err_remote){
                              .service = service,
                              .operation = operation->name,
                              .code = refusal->code,
                              .message = message,
                              .request_id = refusal->request_id,
                              .http_status = refusal->http_status,
                              .retry_after_ms = refusal->retry_after_ms,
                          });
}
