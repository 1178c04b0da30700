#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "pkg/http/transport_curl_priv.h"
#include "pkg/http/url.h"

#define CONNECT_TIMEOUT_MS SECONDS(10)
#define TIMEOUT_MS SECONDS(30)
#define REPLY_MAX (8 * MIB)
#define HEAD_BYTES_MAX (256 * KIB)
#define HEADERS_MAX 256
#define STREAM_PENDING_HIGH (256 * KIB) /* from here on the server has to wait */
#define STREAM_PENDING_MAX (4 * MIB)
#define UNACKNOWLEDGED_MAX_MS 30000 /* a peer that vanished is noticed after this */

/* --- callbacks: what libcurl hands us --- */

/* A head begins (maybe after a 1xx one): only the last counts. */
static void begin_head(struct transfer *transfer, struct str line)
{
    struct str piece;
    int64_t status = 0;

    http_reply_done(&transfer->reply);
    transfer->reply.body = (struct buf){.max = transfer->cap, .wipe = transfer->pending.wipe};
    str_cut(&line, ' ', &piece);
    if (str_cut(&line, ' ', &piece) && str_to_int(str_trim(piece), &status))
        transfer->reply.status = (int)status;
}

static size_t refuse(struct transfer *transfer, const char *what, size_t cap)
{
    transfer->too_large = what;
    transfer->cap = cap;
    return CURL_WRITEFUNC_ERROR;
}

static size_t on_header(char *bytes, size_t one, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    struct str line = str_trim((struct str){.ptr = bytes, .len = count}), name;
    bool folded = count && (bytes[0] == ' ' || bytes[0] == '\t');

    (void)one;
    if (transfer->head_done) /* trailers */
        return count;
    transfer->head_bytes += count;
    if (transfer->head_bytes > HEAD_BYTES_MAX || transfer->reply.header_count >= HEADERS_MAX)
        return refuse(transfer, "head of the answer", HEAD_BYTES_MAX);
    if (str_starts(line, "HTTP/"))
        begin_head(transfer, line);
    else if (!line.len)
        transfer->head_done = transfer->reply.status >= 200;
    else if (!folded && str_contains(line, ":") && str_cut(&line, ':', &name))
        http_reply_add_header(&transfer->reply, name, str_trim(line));
    return count;
}

static size_t on_body(char *bytes, size_t one, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    bool streamed = transfer->is_stream && transfer->reply.status == 200;
    struct buf *sink = streamed ? &transfer->pending : &transfer->reply.body;

    (void)one;
    if (streamed && sink->len >= STREAM_PENDING_HIGH) {
        transfer->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    buf_add(sink, bytes, count);
    return sink->overflow ? refuse(transfer, "answer", sink->max) : count;
}

/* Called each time libcurl is about to send: also when it tries again by itself because a connection that was
 * kept open turned out dead. Nobody can tell whether the first copy was worked on, so only harmless methods
 * may go twice. */
static int before_send(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct transfer *transfer = arg;

    (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
    return transfer->sends++ && !transfer->is_idempotent ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void note_peer(struct transfer *transfer, const struct curl_sockaddr *address)
{
    const void *ip = NULL;
    char text[INET6_ADDRSTRLEN] = "";

    transfer->peer[0] = '\0';
    if (address->family == AF_INET) {
        const struct sockaddr_in *in = (const void *)&address->addr;

        ip = &in->sin_addr;
        transfer->peer_port = ntohs(in->sin_port);
    } else if (address->family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)&address->addr;

        ip = &in->sin6_addr;
        transfer->peer_port = ntohs(in->sin6_port);
    }
    if (ip && inet_ntop(address->family, ip, text, sizeof(text)))
        snprintf(transfer->peer, sizeof(transfer->peer), "%s:%d", text, transfer->peer_port);
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    unsigned int unacknowledged_ms = UNACKNOWLEDGED_MAX_MS;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    note_peer(arg, address);
    if (fd >= 0 && address->socktype == SOCK_STREAM)
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof(unacknowledged_ms));
    return fd;
}

/* --- options --- */

static void set_policy(struct transfer *transfer)
{
    CURL *easy = transfer->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A stop or a time-out leaves the thread that looks a name up to itself; resolv.conf may give it half a
     * minute. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* One lost HTTP/2 connection would fail every stream on it at once, and a transport rarely has two. */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 64L * 1024);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 15L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
}

static void set_method(struct transfer *transfer, const struct http_request *request)
{
    CURL *easy = transfer->easy;
    bool takes_body = text_equal(request->method, "POST") || text_equal(request->method, "PUT") ||
                      text_equal(request->method, "PATCH");

    transfer->is_idempotent = text_equal(request->method, "GET") || text_equal(request->method, "HEAD");
    if (text_equal(request->method, "HEAD")) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (takes_body || request->body.len) {
        /* An empty body is sent as such: Content-Length: 0. */
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        curl_easy_setopt(easy, transfer->is_stream ? CURLOPT_COPYPOSTFIELDS : CURLOPT_POSTFIELDS,
                         request->body.len ? request->body.ptr : "");
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static bool has_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (str_equal_nocase(str_of(request->headers[i].name), str_of(name)))
            return true;
    }
    return false;
}

static void add_line(struct transfer *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, line);

    if (!longer)
        abort(); /* our allocator has already ended the process */
    transfer->headers = longer;
}

/* Exactly the caller's headers, plus Host, Content-Length and Accept-Encoding. "Name:" switches one of
 * libcurl's own off and "Name;" is its spelling of an empty value. */
static void set_headers(struct transfer *transfer, const struct http_request *request, const struct url *url)
{
    static const char *const unwanted[] = {"Accept", "Content-Type", "Expect"};

    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        AUTO_BUF struct buf line = BUF_SECRET(MIB);

        buf_addf(&line, "%s%s%s", header->name, *header->value ? ": " : ";", header->value);
        add_line(transfer, buf_text(&line));
    }
    for (size_t i = 0; i < COUNT_OF(unwanted); i++) {
        AUTO_FREE char *line = xasprintf("%s:", unwanted[i]);

        if (!has_header(request, unwanted[i]))
            add_line(transfer, line);
    }
    if (request->tls && !text_is_empty(request->tls->server_name) && !has_header(request, "Host")) {
        AUTO_FREE char *port = url->has_port ? xasprintf(":%d", url->port) : xstrdup("");
        AUTO_FREE char *line = xasprintf("Host: %s" STR_FMT "%s%s", url->is_ipv6 ? "[" : "",
                                         STR_ARG(url->host), url->is_ipv6 ? "]" : "", port);

        add_line(transfer, line);
    }
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_blob(CURL *easy, CURLoption option, struct str pem)
{
    struct curl_blob blob = {.data = (void *)(uintptr_t)pem.ptr, .len = pem.len, .flags = CURL_BLOB_COPY};

    if (pem.len)
        curl_easy_setopt(easy, option, &blob);
}

static void set_trust(CURL *easy, const struct http_tls *tls)
{
    if (tls->insecure_skip_verify) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!tls->ca_pem.len && text_is_empty(tls->ca_file))
        return;
    /* Without this the system's roots would be trusted as well. */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (tls->ca_pem.len)
        set_blob(easy, CURLOPT_CAINFO_BLOB, tls->ca_pem);
    else
        curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca_file);
}

static void set_tls(CURL *easy, const struct http_tls *tls)
{
    if (!tls)
        return;
    set_trust(easy, tls);
    set_blob(easy, CURLOPT_SSLCERT_BLOB, tls->cert_pem);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, tls->key_pem);
}

/* libcurl has no option for "connect here, but check that name": the name goes into the URL and CONNECT_TO
 * leads the connection to where the URL really pointed. The path stays byte for byte. */
static void set_url(struct transfer *transfer, const struct http_request *request, const struct url *url)
{
    const char *name = request->tls ? request->tls->server_name : NULL;
    AUTO_FREE char *renamed = NULL, *route = NULL;
    bool named_ipv6 = name && strchr(name, ':');

    if (text_is_empty(name) || str_is(url->host, name)) {
        curl_easy_setopt(transfer->easy, CURLOPT_URL, request->url);
        return;
    }
    renamed = xasprintf(STR_FMT "://%s%s%s:%d%s", STR_ARG(url->scheme), named_ipv6 ? "[" : "", name,
                        named_ipv6 ? "]" : "", url->port, url->path.ptr);
    route =
        xasprintf("%s%s%s:%d:%s" STR_FMT "%s:%d", named_ipv6 ? "[" : "", name, named_ipv6 ? "]" : "",
                  url->port, url->is_ipv6 ? "[" : "", STR_ARG(url->host), url->is_ipv6 ? "]" : "", url->port);
    transfer->connect_to = curl_slist_append(NULL, route);
    curl_easy_setopt(transfer->easy, CURLOPT_URL, renamed);
    curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_TO, transfer->connect_to);
}

/* What others mean by socks5, libcurl calls socks5h: the proxy looks the name up, who may be the only one
 * that can. */
static void set_proxy(CURL *easy, const char *proxy_url)
{
    static const char socks5[] = "socks5://";
    AUTO_FREE char *by_name = NULL;

    if (!proxy_url)
        return;
    if (strncasecmp(proxy_url, socks5, strlen(socks5)) == 0)
        by_name = xasprintf("socks5h://%s", proxy_url + strlen(socks5));
    curl_easy_setopt(easy, CURLOPT_PROXY, by_name ? by_name : proxy_url);
}

struct err *transfer_set_up(struct transfer *transfer, const struct http_request *request)
{
    CURL *easy = transfer->easy;
    struct url url;

    TRY(url_parse(request->url, &url));
    transfer->server = xasprintf(STR_FMT ":%d", STR_ARG(url.host), url.port);
    transfer->port = url.port;
    transfer->cap = request->max_reply_bytes ? request->max_reply_bytes : REPLY_MAX;
    transfer->pending = (struct buf){.max = STREAM_PENDING_MAX, .wipe = request->sensitive};
    set_policy(transfer);
    set_method(transfer, request);
    set_headers(transfer, request, &url);
    set_tls(easy, request->tls);
    set_url(transfer, request, &url);
    set_proxy(easy, request->proxy_url);
    if (request->accept_gzip)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     (long)(request->timeout_ms ? request->timeout_ms : TIMEOUT_MS));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS));
    return NULL;
}
