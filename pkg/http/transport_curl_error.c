#include <stdlib.h>

#include "pkg/http/transport_curl_priv.h"

/* Where the exchange ended, for the sentence. */
enum stage { STAGE_CONNECT, STAGE_HANDSHAKE, STAGE_EXCHANGE };

struct failure {
    CURLcode code;
    enum err_kind kind;
    const char *text;  /* put in front of the server's name */
    const char *cause; /* NULL: the library's words */
};

/* What is not here is ERR_RETRY with the library's words. */
static const struct failure failures[] = {
    {.code = CURLE_COULDNT_RESOLVE_HOST,
     .kind = ERR_RETRY,
     .text = "look up",
     .cause = "no such host, or no answer from the name server"},
    {.code = CURLE_COULDNT_RESOLVE_PROXY, .kind = ERR_RETRY, .text = "look up the proxy for"},
    {.code = CURLE_PROXY, .kind = ERR_RETRY, .text = "reach through the proxy"},
    {.code = CURLE_GOT_NOTHING,
     .kind = ERR_RETRY,
     .text = "read from",
     .cause = "the connection was closed before an answer came"},
    {.code = CURLE_PARTIAL_FILE,
     .kind = ERR_RETRY,
     .text = "read from",
     .cause = "the connection was closed in the middle of the answer"},
    {.code = CURLE_SEND_ERROR, .kind = ERR_RETRY, .text = "send to"},
    {.code = CURLE_RECV_ERROR, .kind = ERR_RETRY, .text = "read from"},
    {.code = CURLE_WEIRD_SERVER_REPLY,
     .kind = ERR_RETRY,
     .text = "read from",
     .cause = "the answer is not HTTP"},
    {.code = CURLE_UNSUPPORTED_PROTOCOL,
     .kind = ERR_RETRY,
     .text = "read from",
     .cause = "the answer is not HTTP"},
    {.code = CURLE_BAD_CONTENT_ENCODING,
     .kind = ERR_RETRY,
     .text = "read from",
     .cause = "the answer's compression is broken"},
    {.code = CURLE_SSL_CONNECT_ERROR, .kind = ERR_RETRY, .text = "TLS handshake with"},
    {.code = CURLE_SSL_CERTPROBLEM, .kind = ERR_INVALID, .text = "use the client certificate and key for"},
    {.code = CURLE_SSL_CACERT_BADFILE, .kind = ERR_INVALID, .text = "read the CA bundle for"},
    {.code = CURLE_URL_MALFORMAT, .kind = ERR_INVALID, .text = "use the URL of"},
};

/* What a person can do about a certificate, by a part of OpenSSL's or libcurl's words. */
static const struct advice {
    const char *part;
    const char *text;
} advices[] = {
    {.part = "has expired", .text = "renew it, or set this machine's clock"},
    {.part = "not yet valid", .text = "set this machine's clock"},
    {.part = "subject name", .text = "it is for another name: use that name, or set the TLS server name"},
    {.part = "", .text = "if it is the right server, trust the issuer by giving its CA bundle"},
};

static int64_t info_micro(CURL *easy, CURLINFO info)
{
    curl_off_t value = 0;

    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

static long info_long(CURL *easy, CURLINFO info)
{
    long value = 0;

    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

static enum stage stage_of(CURL *easy)
{
    if (info_micro(easy, CURLINFO_PRETRANSFER_TIME_T))
        return STAGE_EXCHANGE;
    return info_long(easy, CURLINFO_LOCAL_PORT) ? STAGE_HANDSHAKE : STAGE_CONNECT;
}

static const char *words(const struct transfer *transfer)
{
    return *transfer->error ? transfer->error : curl_easy_strerror(transfer->result);
}

/* The server, and the proxy when it was one that was connected to: the environment may name one, and libcurl
 * does not say whether it was used. Yours. */
static char *party(const struct transfer *transfer)
{
    if (!*transfer->peer || transfer->peer_port == transfer->port)
        return xstrdup(transfer->server);
    return xasprintf("%s by the proxy at %s", transfer->server, transfer->peer);
}

static struct err *connect_error(const struct transfer *transfer)
{
    long number = info_long(transfer->easy, CURLINFO_OS_ERRNO);
    AUTO_FREE char *whom = party(transfer);

    if (number)
        return err_errno(ERR_RETRY, (int)number, "connect to %s", whom);
    return err_new(ERR_RETRY, "connect to %s: %s", whom, words(transfer));
}

static struct err *timeout_error(const struct transfer *transfer)
{
    static const char *const doing[] = {
        [STAGE_CONNECT] = "connect to",
        [STAGE_HANDSHAKE] = "TLS handshake with",
        [STAGE_EXCHANGE] = "read from",
    };
    int64_t ms = info_micro(transfer->easy, CURLINFO_TOTAL_TIME_T) / 1000;
    AUTO_FREE char *whom = party(transfer);

    return err_new(ERR_RETRY, "%s %s: timed out after %lld ms", doing[stage_of(transfer->easy)], whom,
                   (long long)ms);
}

static struct err *certificate_error(const struct transfer *transfer)
{
    const struct advice *advice = advices;

    while (!strstr(words(transfer), advice->part))
        advice++;
    return err_new(ERR_INVALID, "the certificate of %s does not hold: %s; %s", transfer->server,
                   words(transfer), advice->text);
}

struct err *transfer_error(struct transfer *transfer)
{
    CURLcode code = transfer->result;

    if (code == CURLE_OK)
        return NULL;
    if (transfer->too_large)
        return err_new(ERR_INVALID, "the %s of %s is larger than %zu bytes", transfer->too_large,
                       transfer->server, transfer->cap);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return err_new(ERR_RETRY, "read from %s: the connection was closed before an answer came",
                       transfer->server);
    if (code == CURLE_COULDNT_CONNECT)
        return connect_error(transfer);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return timeout_error(transfer);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return certificate_error(transfer);
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        const struct failure *failure = &failures[i];

        if (failure->code == code)
            return err_new(failure->kind, "%s %s: %s", failure->text, transfer->server,
                           failure->cause ? failure->cause : words(transfer));
    }
    return err_new(ERR_RETRY, "exchange with %s: %s", transfer->server, words(transfer));
}
