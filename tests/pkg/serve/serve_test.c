#include "pkg/serve/serve.h"

#include "pkg/base/files.h"
#include "pkg/base/metrics.h"
#include "pkg/http/transport.h"
#include "pkg/serve/address.h"
#include "pkg/serve/health.h"
#include "tests/testing/assertions.h"
#include "tests/testing/certificates.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGE_BYTES (300 * KIB)
#define SOON_MS SECONDS(20)

struct bench {
    struct sched *sched;
    struct transport *transport;
    struct server *server;
    char *host;
};

static void show(void *arg, const struct serve_request *request, struct serve_answer *answer)
{
    (void)arg;
    if (text_equal(request->path, "/large")) {
        for (size_t i = 0; i < LARGE_BYTES / 16; i++)
            buf_addf(&answer->body, "%015zu\n", i);
    } else if (text_equal(request->path, "/too-large")) {
        while (!answer->body.overflow)
            buf_adds(&answer->body, "more and more and more\n");
    } else if (text_equal(request->path, "/missing")) {
        answer->status = 404;
    } else {
        buf_addf(&answer->body, "path=%s query=%s accept=%s", request->path, request->query, request->accept);
    }
}

static struct err *start(struct bench *bench, struct serve_listener listener, int max_connections)
{
    if (!listener.answer)
        listener.answer = show;
    return serve_start(&(struct serve_opts){.listeners = &listener,
                                            .count = 1,
                                            .sched = bench->sched,
                                            .max_connections = max_connections,
                                            .reload_ms = 20},
                       &bench->server);
}

static int set_up(void **state)
{
    struct bench *bench = xcalloc(1, sizeof(*bench));

    transport_curl_init();
    bench->sched = sched_threads_new(1);
    bench->transport = transport_curl_new(bench->sched);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    transport_free(bench->transport);
    serve_stop(bench->server);
    sched_free(bench->sched);
    xfree(bench->host);
    xfree(bench);
    return 0;
}

static void start_plain(struct bench *bench, int max_connections)
{
    assert_no_err(start(bench, (struct serve_listener){.address = "127.0.0.1:0"}, max_connections));
    assert_true(serve_port(bench->server, 0) > 0);
}

static struct err *fetch(struct bench *bench, const char *method, const char *target, struct http_reply *ret)
{
    AUTO_FREE char *url = xasprintf("http://127.0.0.1:%d%s", serve_port(bench->server, 0), target);
    static const struct http_header headers[] = {{"accept", "text/plain"}};

    return http_call(
        bench->transport,
        &(struct http_request){
            .method = method, .url = url, .headers = headers, .header_count = 1, .proxy_url = ""},
        NULL, ret);
}

/* --- requests --- */

static const struct request_row {
    const char *name, *method, *target;
    int status;
    const char *body;
} requests[] = {
    {"a page", "GET", "/readyz", 200, "path=/readyz query= accept=text/plain"},
    {"a query", "GET", "/x?verbose&exclude=a", 200, "path=/x query=verbose&exclude=a accept=text/plain"},
    {"a value with an equals sign", "GET", "/x?a=b=c", 200, "path=/x query=a=b=c accept=text/plain"},
    {"not found", "GET", "/missing", 404, "404\n"},
    {"over the cap", "GET", "/too-large", 500, "500\n"},
    {"another method", "POST", "/x", 405, "405\n"},
    {"deleting", "DELETE", "/x", 405, "405\n"},
    {"head", "HEAD", "/x", 200, ""},
};

static void request(void **state)
{
    const struct request_row *row = *state;
    struct bench bench = {.sched = sched_threads_new(1)};
    AUTO_REPLY struct http_reply reply = {0};

    bench.transport = transport_curl_new(bench.sched);
    start_plain(&bench, 0);
    assert_no_err(fetch(&bench, row->method, row->target, &reply));
    assert_number(reply.status, row->status);
    assert_text_equal(buf_text(&reply.body), row->body);
    assert_text_equal(http_reply_header(&reply, "content-type"), "text/plain; charset=utf-8");
    assert_text_equal(http_reply_header(&reply, "cache-control"), "no-store");
    transport_free(bench.transport);
    serve_stop(bench.server);
    sched_free(bench.sched);
}

static void one_connection_many_requests(void **state)
{
    struct bench *bench = *state;

    start_plain(bench, 1); /* one slot: a second connection would be refused */
    for (int i = 0; i < 50; i++) {
        AUTO_REPLY struct http_reply reply = {0};

        assert_no_err(fetch(bench, "GET", "/again", &reply));
        assert_number(reply.status, 200);
    }
}

static void large_answers_come_whole(void **state)
{
    struct bench *bench = *state;
    AUTO_REPLY struct http_reply reply = {0};

    start_plain(bench, 0);
    assert_no_err(fetch(bench, "GET", "/large", &reply));
    assert_number((int64_t)reply.body.len, LARGE_BYTES);
    assert_text_contains(buf_text(&reply.body), "000000000000000\n000000000000001\n");
    assert_text_contains(buf_text(&reply.body), "000000000019199\n");
}

/* --- raw clients --- */

static int dial_listener(const struct bench *bench, size_t listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)serve_port(bench->server, listener)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_number(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int dial(const struct bench *bench)
{
    return dial_listener(bench, 0);
}

static void put(int fd, const char *text)
{
    assert_number(send(fd, text, strlen(text), MSG_NOSIGNAL), (int64_t)strlen(text));
}

/* All that comes until the server hangs up. */
static char *read_all(int fd)
{
    AUTO_BUF struct buf out = BUF_MAX(4 * MIB);
    char part[4096];
    ssize_t got;

    while ((got = recv(fd, part, sizeof(part), 0)) > 0)
        buf_add(&out, part, (size_t)got);
    close(fd);
    return buf_take(&out);
}

static const struct raw_row {
    const char *name, *sent, *want; /* want NULL: hung up without an answer */
} raws[] = {
    {"no HTTP", "hello\r\n\r\n", NULL},
    {"an empty request line", "\r\n\r\n\r\n", NULL},
    {"binary", "\x16\x03\x01\x02\x01\x01\r\n\r\n", NULL},
    {"an unknown method", "BREW /x HTTP/1.1\r\nHost: a\r\n\r\n", NULL},
    {"HTTP/1.0", "GET /x HTTP/1.0\r\n\r\n", "path=/x query= accept="},
    {"asked to close", "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "path=/x query= accept="},
    {"a path that climbs", "GET /a/../../etc/passwd HTTP/1.0\r\n\r\n", "path=/etc/passwd query= accept="},
};

static void raw(void **state)
{
    const struct raw_row *row = *state;
    struct bench bench = {.sched = sched_threads_new(1)};
    AUTO_FREE char *got = NULL;
    int fd;

    start_plain(&bench, 0);
    fd = dial(&bench);
    put(fd, row->sent);
    if (!row->want)
        shutdown(fd, SHUT_WR);
    got = read_all(fd);
    if (row->want)
        assert_text_contains(got, row->want);
    else
        assert_text_lacks(got, "200 OK");
    serve_stop(bench.server);
    sched_free(bench.sched);
}

static void a_head_that_is_too_long(void **state)
{
    struct bench *bench = *state;
    AUTO_FREE char *got = NULL;
    AUTO_REPLY struct http_reply reply = {0};
    char filler[1024];
    int fd;

    start_plain(bench, 0);
    fd = dial(bench);
    memset(filler, 'a', sizeof(filler));
    put(fd, "GET /x HTTP/1.1\r\n");
    for (int i = 0; i < 64; i++) {
        if (send(fd, "accept: ", 8, MSG_NOSIGNAL) < 0 || send(fd, filler, sizeof(filler), MSG_NOSIGNAL) < 0)
            break; /* hung up already */
        (void)!send(fd, "\r\n", 2, MSG_NOSIGNAL);
    }
    (void)!send(fd, "\r\n", 2, MSG_NOSIGNAL);
    got = read_all(fd);
    assert_text_lacks(got, "200 OK");
    assert_no_err(fetch(bench, "GET", "/still-here", &reply));
    assert_number(reply.status, 200);
}

static void slow_clients_hold_up_nobody(void **state)
{
    struct bench *bench = *state;
    int silent[8], reader;
    AUTO_REPLY struct http_reply reply = {0};

    start_plain(bench, 16);
    for (size_t i = 0; i < COUNT_OF(silent); i++) {
        silent[i] = dial(bench);
        if (i % 2)
            put(silent[i], "GET /x HTT");
    }
    reader = dial(bench); /* never reads its answer */
    put(reader, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_no_err(fetch(bench, "GET", "/fast", &reply));
    assert_number(reply.status, 200);
    serve_stop(TAKE(bench->server)); /* and none of them keeps it from stopping */
    for (size_t i = 0; i < COUNT_OF(silent); i++)
        close(silent[i]);
    close(reader);
}

static void hold(const struct bench *bench, size_t listener, int *held, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char first;

        held[i] = dial_listener(bench, listener);
        put(held[i], "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_number(recv(held[i], &first, 1, 0), 1); /* it is counted */
    }
}

static void assert_is_full(const struct bench *bench, size_t listener)
{
    AUTO_FREE char *got = NULL;
    int fd = dial_listener(bench, listener);

    (void)!send(fd, "GET /x HTTP/1.0\r\n\r\n", 19, MSG_NOSIGNAL);
    got = read_all(fd);
    assert_text_equal(got, "");
}

static void too_many_connections_are_closed(void **state)
{
    struct bench *bench = *state;
    int held[4];
    bool again = false;

    start_plain(bench, COUNT_OF(held));
    hold(bench, 0, held, COUNT_OF(held));
    assert_is_full(bench, 0);
    for (size_t i = 0; i < COUNT_OF(held); i++)
        close(held[i]);
    for (int64_t end = sched_now_ms(bench->sched) + SOON_MS; !again && sched_now_ms(bench->sched) < end;) {
        AUTO_REPLY struct http_reply reply = {0};
        AUTO_ERR struct err *err = fetch(bench, "GET", "/x", &reply);

        again = !err && reply.status == 200;
    }
    assert_true(again);
}

/* Who scrapes metrics, or only dials their port, must not keep a probe from the other. */
static void a_full_listener_keeps_nobody_from_another(void **state)
{
    static const struct serve_listener listeners[] = {{.address = "127.0.0.1:0", .answer = show},
                                                      {.address = "127.0.0.1:0", .answer = show}};
    struct bench *bench = *state;
    AUTO_REPLY struct http_reply reply = {0};
    int held[2][4];

    assert_no_err(serve_start(&(struct serve_opts){.listeners = listeners,
                                                   .count = COUNT_OF(listeners),
                                                   .sched = bench->sched,
                                                   .max_connections = COUNT_OF(held[0])},
                              &bench->server));
    hold(bench, 1, held[1], COUNT_OF(held[1]));
    assert_is_full(bench, 1);
    hold(bench, 0, held[0], COUNT_OF(held[0]) - 1);
    assert_no_err(fetch(bench, "GET", "/healthz", &reply));
    assert_number(reply.status, 200);
    assert_is_full(bench, 0);
    for (size_t i = 0; i < COUNT_OF(held[0]); i++)
        close(held[1][i]);
    for (size_t i = 0; i + 1 < COUNT_OF(held[0]); i++)
        close(held[0][i]);
}

static void stops_while_asked(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 20; i++) {
        int fd;

        start_plain(bench, 0);
        fd = dial(bench);
        put(fd, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        serve_stop(TAKE(bench->server));
        close(fd);
    }
}

/* --- addresses --- */

static const struct address_row {
    const char *name, *text, *host;
    int port; /* -1: none */
} addresses[] = {
    {"all", ":8081", "", 8081},
    {"loopback", "127.0.0.1:0", "127.0.0.1", 0},
    {"a name", "localhost:65535", "127.0.0.1", 65535},
    {"IPv6", "[::1]:80", "::1", 80},
    {"all of IPv6", "[::]:80", "::", 80},
    {"no port", "127.0.0.1", NULL, -1},
    {"empty", "", NULL, -1},
    {"a colon", ":", NULL, -1},
    {"too large a port", ":65536", NULL, -1},
    {"below zero", ":-1", NULL, -1},
    {"a sign", ":+80", NULL, -1},
    {"IPv6 without brackets", "::1:80", NULL, -1},
    {"an empty bracket", "[]:80", NULL, -1},
    {"another name", "example.org:80", NULL, -1},
    {"a long one", "[0000000000000000000000000000000000000000000000000000000000000000000000]:1", NULL, -1},
};

static void address(void **state)
{
    const struct address_row *row = *state;
    struct serve_address got = {0};
    struct err *err = serve_address_parse(row->text, &got);

    if (row->port < 0) {
        assert_fails(err, ERR_INVALID, "is no address to listen at");
        return;
    }
    assert_no_err(err);
    assert_text_equal(got.host, row->host);
    assert_number(got.port, row->port);
}

static void on_ipv6(void **state)
{
    struct bench *bench = *state;
    struct err *err = start(bench, (struct serve_listener){.address = "[::1]:0"}, 0);

    if (err) { /* no IPv6 on this machine */
        assert_fails(err, ERR_RETRY, "[::1]:0");
        return;
    }
    assert_true(serve_port(bench->server, 0) > 0);
}

static void an_address_in_use(void **state)
{
    struct bench *bench = *state;
    struct server *first;
    AUTO_FREE char *taken = NULL;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_number(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_number(listen(fd, 1), 0);
    assert_number(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    taken = xasprintf("127.0.0.1:%d", ntohs(address.sin_port));
    assert_fails(start(bench, (struct serve_listener){.address = taken}, 0), ERR_RETRY, taken);
    close(fd);
    first = bench->server;
    assert_null(first);
}

static void certificate_without_key(void **state)
{
    assert_fails(start(*state, (struct serve_listener){.address = "127.0.0.1:0", .cert_chain = "/x"}, 0),
                 ERR_INVALID, "a certificate needs its key");
}

/* --- TLS --- */

struct files {
    char folder[32];
    char *cert, *key;
    struct certificate_pair authority;
};

static void issue(struct files *files, const char *name)
{
    struct certificate_pair pair = {0};

    certificate_issue(&files->authority,
                      &(struct certificate_options){.name = name, .alt_names = "IP:127.0.0.1"}, &pair);
    assert_no_err(file_replace(files->key, str_of(pair.key), 0600));
    assert_no_err(file_replace(files->cert, str_of(pair.certificate), 0600));
    certificate_pair_done(&pair);
}

static void files_init(struct files *files)
{
    *files = (struct files){.folder = "/tmp/serve-test-XXXXXX"};
    assert_non_null(mkdtemp(files->folder));
    files->cert = xasprintf("%s/tls.crt", files->folder);
    files->key = xasprintf("%s/tls.key", files->folder);
    certificate_authority("ours", &files->authority);
    issue(files, "first");
}

static void files_done(struct files *files)
{
    unlink(files->cert);
    unlink(files->key);
    rmdir(files->folder);
    xfree(files->cert);
    xfree(files->key);
    certificate_pair_done(&files->authority);
}

/* On a connection of its own, trusting one authority. */
static struct err *fetch_tls(const struct bench *bench, const struct certificate_pair *authority)
{
    AUTO_FREE char *url = xasprintf("https://127.0.0.1:%d/x", serve_port(bench->server, 0));
    const struct http_tls tls = {.key = "test", .ca_pem = str_of(authority->certificate)};
    struct transport *transport = transport_curl_new(bench->sched);
    AUTO_REPLY struct http_reply reply = {0};
    struct err *err = http_call(
        transport, &(struct http_request){.method = "GET", .url = url, .tls = &tls, .proxy_url = ""}, NULL,
        &reply);

    transport_free(transport);
    if (!err)
        assert_text_equal(buf_text(&reply.body), "path=/x query= accept=");
    return err;
}

static void with_certificates(void **state)
{
    struct bench *bench = *state;
    struct files files;
    struct certificate_pair old;
    bool reloaded = false;

    files_init(&files);
    assert_no_err(start(
        bench, (struct serve_listener){.address = "127.0.0.1:0", .cert_chain = files.cert, .key = files.key},
        0));
    assert_no_err(fetch_tls(bench, &files.authority));
    /* What does not fit is not served. */
    assert_no_err(file_replace(files.cert, STR("nonsense"), 0600));
    for (int i = 0; i < 5; i++)
        assert_no_err(fetch_tls(bench, &files.authority));
    /* Another authority's pair is, once it is seen. */
    old = files.authority;
    certificate_authority("theirs", &files.authority);
    issue(&files, "second");
    for (int64_t end = sched_now_ms(bench->sched) + SOON_MS; !reloaded && sched_now_ms(bench->sched) < end;) {
        AUTO_ERR struct err *err = fetch_tls(bench, &files.authority);

        reloaded = !err;
    }
    assert_true(reloaded);
    assert_fails(fetch_tls(bench, &old), ERR_INVALID, NULL);
    certificate_pair_done(&old);
    files_done(&files);
}

static void a_pair_that_does_not_fit(void **state)
{
    struct files files;

    files_init(&files);
    assert_no_err(file_replace(files.key, STR("nonsense"), 0600));
    assert_fails(
        start(*state,
              (struct serve_listener){.address = "127.0.0.1:0", .cert_chain = files.cert, .key = files.key},
              0),
        ERR_INVALID, "are no certificate with its key");
    files_done(&files);
}

int main(void)
{
    struct tests tests = {0};

    transport_curl_init();
    TEST_ROWS(&tests, request, requests);
    TEST_ROWS(&tests, raw, raws);
    TEST_ROWS(&tests, address, addresses);
    tests.set_up = set_up;
    tests.tear_down = tear_down;
    TEST(&tests, one_connection_many_requests);
    TEST(&tests, large_answers_come_whole);
    TEST(&tests, a_head_that_is_too_long);
    TEST(&tests, slow_clients_hold_up_nobody);
    TEST(&tests, too_many_connections_are_closed);
    TEST(&tests, a_full_listener_keeps_nobody_from_another);
    TEST(&tests, stops_while_asked);
    TEST(&tests, on_ipv6);
    TEST(&tests, an_address_in_use);
    TEST(&tests, certificate_without_key);
    TEST(&tests, with_certificates);
    TEST(&tests, a_pair_that_does_not_fit);
    return tests_run(&tests, "serve");
}
