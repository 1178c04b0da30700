/* The libcurl transport against small servers on 127.0.0.1 that behave, and that do not. */
#include "tests/pkg/http/curl_fixture.h"

/* --- replies --- */

static const struct reply_row {
    const char *name;
    const char *text;
    bool hang_up;
    int status;
    const char *body;
    const char *header, *value;
} reply_rows[] = {
    {.name = "length",
     .text = OK_HEAD "Content-Length: 5\r\nETag:  \"x\" \r\n\r\nhello",
     .status = 200,
     .body = "hello",
     .header = "etag",
     .value = "\"x\""},
    {.name = "chunks",
     .text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
     .status = 200,
     .body = "hello"},
    {.name = "until the end", .text = OK_HEAD "\r\nhello", .hang_up = true, .status = 200, .body = "hello"},
    {.name = "no body", .text = "HTTP/1.1 204 No Content\r\n\r\n", .status = 204, .body = ""},
    {.name = "refusal with a body",
     .text = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
     .status = 403,
     .body = "no"},
    {.name = "server error",
     .text = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
     .status = 503,
     .body = "",
     .header = "retry-after",
     .value = "7"},
    {.name = "redirect is not followed",
     .text = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
     .status = 302,
     .body = "",
     .header = "location",
     .value = "http://127.0.0.1:1/"},
    {.name = "interim head is not the answer",
     .text =
         "HTTP/1.1 103 Early Hints\r\nX-A: early\r\n\r\n" OK_HEAD "X-B: late\r\nContent-Length: 0\r\n\r\n",
     .status = 200,
     .body = "",
     .header = "x-a",
     .value = NULL},
    {.name = "trailer is not a header",
     .text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Late: 1\r\n\r\n",
     .status = 200,
     .body = "a",
     .header = "x-late",
     .value = NULL},
    {.name = "empty header value",
     .text = OK_HEAD "X-Empty:\r\nContent-Length: 0\r\n\r\n",
     .status = 200,
     .body = "",
     .header = "x-empty",
     .value = ""},
    {.name = "first of two headers",
     .text = OK_HEAD "X-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n",
     .status = 200,
     .body = "",
     .header = "x-a",
     .value = "1"},
};

static void check_reply(const struct reply_row *row)
{
    assert_no_err(get("/"));
    assert_number(f.reply.status, row->status);
    assert_text_equal(buf_text(&f.reply.body), row->body);
    if (row->header)
        assert_text_equal(http_reply_header(&f.reply, row->header), row->value);
}

static void gives_reply(void **state)
{
    const struct reply_row *row = *state;

    serve_with(row->hang_up ? answer_and_hang_up : answer, row->text);
    check_reply(row);
}

/* One byte at a time. */
static void gives_reply_in_pieces(void **state)
{
    const struct reply_row *row = *state;

    serve_with(answer_in_bytes, row->text);
    check_reply(row);
}

static void answer_nul(struct loopback *server, void *arg)
{
    (void)arg;
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, OK_HEAD "Content-Length: 3\r\n\r\n");
        loopback_send_bytes(server, "a\0c", 3);
    }
}

static void gives_body_with_nul(void **state)
{
    (void)state;
    serve_with(answer_nul, NULL);
    assert_no_err(get("/"));
    assert_number(f.reply.body.len, 3);
    assert_memory_equal(f.reply.body.data, "a\0c", 3);
}

/* "hello hello hello hello\n" */
static const unsigned char zipped[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                       0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0xb9,
                                       0x00, 0x00, 0x88, 0x59, 0x0b, 0x18, 0x00, 0x00, 0x00};

static void answer_zipped(struct loopback *server, void *arg)
{
    (void)arg;
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, OK_HEAD "Content-Encoding: gzip\r\n\r\n");
        loopback_send_bytes(server, zipped, sizeof(zipped));
        loopback_hang_up(server);
    }
}

static void leaves_gzip_alone_unasked(void **state)
{
    (void)state;
    serve_with(answer_zipped, NULL);
    assert_no_err(get("/"));
    assert_number(f.reply.body.len, sizeof(zipped));
    assert_text_lacks(loopback_seen(f.server, 0), "ccept-");
}

static void unpacks_gzip_when_asked(void **state)
{
    (void)state;
    serve_with(answer_zipped, NULL);
    assert_no_err(call((struct http_request){.accept_gzip = true}, "/"));
    assert_text_equal(buf_text(&f.reply.body), "hello hello hello hello\n");
}

/* --- requests --- */

struct request_row {
    const char *name;
    const char *method, *target;
    struct http_header headers[2];
    const char *body;
    bool gzip;
    const char *want_line;
    const char *want, *lacks;
};

static const struct request_row request_rows[] = {
    {.name = "GET",
     .method = "GET",
     .target = "/a?b=c",
     .want_line = "GET /a?b=c HTTP/1.1\r\n",
     .lacks = "Content-"},
    {.name = "no header of the library's",
     .method = "GET",
     .target = "/",
     .want_line = "GET / HTTP/1.1\r\n",
     .lacks = "Accept"},
    {.name = "raw target",
     .method = "GET",
     .target = "//a/./b/../c%2Fd%2f%7e~//?x=%2f&y=a+b&z='\"<>{}|\\^`",
     .want_line = "GET //a/./b/../c%2Fd%2f%7e~//?x=%2f&y=a+b&z='\"<>{}|\\^` HTTP/1.1\r\n"},
    {.name = "query without a path",
     .method = "GET",
     .target = "?q=1",
     .want_line = "GET /?q=1 HTTP/1.1\r\n"},
    {.name = "empty query is kept", .method = "GET", .target = "/a?", .want_line = "GET /a? HTTP/1.1\r\n"},
    {.name = "headers",
     .method = "GET",
     .target = "/",
     .headers = {{"authorization", "Bearer x"}, {"x-empty", ""}},
     .want_line = "GET /",
     .want = "authorization: Bearer x\r\nx-empty:\r\n"},
    {.name = "POST",
     .method = "POST",
     .target = "/",
     .headers = {{"content-type", "application/json"}},
     .body = "{}",
     .want_line = "POST / HTTP/1.1\r\n",
     .want = "\r\nContent-Length: 2\r\n\r\n{}",
     .lacks = "urlencoded"},
    {.name = "POST of nothing",
     .method = "POST",
     .target = "/",
     .want_line = "POST / HTTP/1.1\r\n",
     .want = "\r\nContent-Length: 0\r\n",
     .lacks = "Content-Type"},
    {.name = "PUT",
     .method = "PUT",
     .target = "/",
     .body = "abc",
     .want_line = "PUT / HTTP/1.1\r\n",
     .want = "\r\n\r\nabc",
     .lacks = "Expect"},
    {.name = "PATCH",
     .method = "PATCH",
     .target = "/",
     .body = "abc",
     .want_line = "PATCH / HTTP/1.1\r\n",
     .want = "\r\n\r\nabc"},
    {.name = "DELETE",
     .method = "DELETE",
     .target = "/",
     .want_line = "DELETE / HTTP/1.1\r\n",
     .lacks = "Content-"},
    {.name = "DELETE with a body",
     .method = "DELETE",
     .target = "/",
     .body = "{}",
     .want_line = "DELETE / HTTP/1.1\r\n",
     .want = "\r\n\r\n{}"},
    {.name = "GET with a body",
     .method = "GET",
     .target = "/",
     .body = "{}",
     .want_line = "GET / HTTP/1.1\r\n",
     .want = "\r\n\r\n{}"},
    {.name = "gzip on demand",
     .method = "GET",
     .target = "/",
     .gzip = true,
     .want_line = "GET /",
     .want = "Accept-Encoding: gzip\r\n"},
    {.name = "own Host",
     .method = "GET",
     .target = "/",
     .headers = {{"host", "shop.example"}},
     .want_line = "GET /",
     .want = "Host: shop.example\r\n",
     .lacks = "127.0.0.1"},
};

static void sends_request(void **state)
{
    const struct request_row *row = *state;
    size_t headers = row->headers[0].name ? row->headers[1].name ? 2 : 1 : 0;
    const char *seen;

    serve_with(answer, OK_EMPTY);
    assert_no_err(call((struct http_request){.method = row->method,
                                             .headers = row->headers,
                                             .header_count = headers,
                                             .body = str_of(row->body),
                                             .accept_gzip = row->gzip},
                       row->target));
    seen = loopback_seen(f.server, 0);
    assert_non_null(seen);
    if (!str_starts(str_of(seen), row->want_line))
        assert_text_equal(seen, row->want_line);
    if (row->want)
        assert_text_contains(seen, row->want);
    if (row->lacks)
        assert_text_lacks(seen, row->lacks);
}

static void sends_head_request(void **state)
{
    (void)state;
    serve_with(answer, OK_HEAD "Content-Length: 500\r\n\r\n");
    assert_no_err(call((struct http_request){.method = "HEAD"}, "/"));
    assert_text_equal(http_reply_header(&f.reply, "content-length"), "500");
    assert_number(f.reply.body.len, 0);
}

static void sends_large_body(void **state)
{
    AUTO_BUF struct buf body = BUF_MAX(8 * MIB);

    (void)state;
    while (body.len < 3 * MIB)
        buf_adds(&body, "0123456789abcdef");
    serve_with(answer, OK_EMPTY);
    assert_no_err(call((struct http_request){.method = "PUT", .body = buf_str(&body)}, "/"));
    assert_text_lacks(loopback_seen(f.server, 0), "Expect");
    assert_text_contains(loopback_seen(f.server, 0), buf_text(&body));
}

static void keeps_connection(void **state)
{
    (void)state;
    serve_with(answer, OK_EMPTY);
    for (int i = 0; i < 5; i++)
        assert_no_err(get("/"));
    assert_number(loopback_connections(f.server), 1);
}

static void keeps_nothing_between_requests(void **state)
{
    (void)state;
    serve_with(answer, OK_EMPTY);
    assert_no_err(call((struct http_request){.method = "POST",
                                             .body = STR("secret"),
                                             .headers = &(struct http_header){"authorization", "Bearer x"},
                                             .header_count = 1},
                       "/"));
    assert_no_err(get("/b"));
    assert_text_equal(buf_text(&f.reply.body), "");
    assert_text_lacks(loopback_seen(f.server, 1), "uthorization");
    assert_text_lacks(loopback_seen(f.server, 1), "secret");
}

static const struct bad_request {
    const char *name, *method, *url, *header, *value, *says;
} bad_requests[] = {
    {.name = "header value with a line end",
     .header = "x",
     .value = "a\r\nb: c",
     .says = "header x has a control character"},
    {.name = "header name with a colon", .header = "x: y", .value = "a", .says = "not a header name"},
    {.name = "empty header name", .header = "", .value = "a", .says = "not a header name"},
    {.name = "no header value", .header = "x", .says = "header x"},
    {.name = "method with a space",
     .method = "GET /",
     .header = "x",
     .value = "a",
     .says = "not an HTTP method"},
    {.name = "empty method", .method = "", .header = "x", .value = "a", .says = "not an HTTP method"},
    {.name = "URL of another kind",
     .url = "file:///etc/passwd",
     .header = "x",
     .value = "a",
     .says = "neither http nor https"},
};

static void refuses_request(void **state)
{
    const struct bad_request *row = *state;

    serve_with(answer, OK_EMPTY);
    assert_fails(call((struct http_request){.method = row->method,
                                            .url = row->url,
                                            .headers = &(struct http_header){row->header, row->value},
                                            .header_count = 1},
                      "/"),
                 ERR_INVALID, row->says);
    assert_number(loopback_connections(f.server), 0);
}

/* --- failures --- */

static const struct failure_row {
    const char *name;
    void (*serve)(struct loopback *server, void *arg);
    const char *text;
    const char *says;
} failure_rows[] = {
    {.name = "closed without an answer",
     .serve = answer_and_hang_up,
     .text = "",
     .says = "closed before an answer came"},
    {.name = "reset without an answer",
     .serve = answer_and_reset,
     .text = "",
     .says = "Connection reset by peer"},
    {.name = "closed in the head",
     .serve = answer_and_hang_up,
     .text = "HTTP/1.1 200 O",
     .says = "read from 127.0.0.1:"},
    {.name = "closed in the body",
     .serve = answer_and_hang_up,
     .text = OK_HEAD "Content-Length: 9\r\n\r\nhalf",
     .says = "in the middle of the answer"},
    {.name = "closed in a chunk",
     .serve = answer_and_hang_up,
     .text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n9\r\nhalf",
     .says = "127.0.0.1:"},
    {.name = "closed between chunks",
     .serve = answer_and_hang_up,
     .text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
     .says = "127.0.0.1:"},
    {.name = "not HTTP", .serve = answer_and_hang_up, .text = "SSH-2.0-OpenSSH_9.2\r\n", .says = "not HTTP"},
    {.name = "broken chunk length",
     .serve = answer_and_hang_up,
     .text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
     .says = "127.0.0.1:"},
};

static void says_what_failed(void **state)
{
    const struct failure_row *row = *state;
    struct err *err;

    serve_with(row->serve, row->text);
    err = get("/");
    assert_err_kind(err, ERR_RETRY);
    assert_err_contains(err, row->says);
    assert_number(err_remote(err)->http_status, 0);
    err_free(err);
    assert_number(f.reply.status, 0);
}

static void says_refused(void **state)
{
    AUTO_FREE char *url = NULL, *want = NULL;
    int port;

    (void)state;
    serve_with(never_answer, NULL);
    port = loopback_port(f.server);
    url = loopback_url(f.server, "/");
    want = xasprintf("connect to 127.0.0.1:%d: Connection refused", port);
    loopback_free(TAKE(f.server));
    assert_fails(
        http_call(f.transport, &(struct http_request){.method = "GET", .url = url}, f.stop, &f.reply),
        ERR_RETRY, want);
}

static void says_unknown_host(void **state)
{
    (void)state;
    assert_fails(http_call(f.transport,
                           &(struct http_request){
                               .method = "GET", .url = "http://no-such-host.invalid/", .proxy_url = ""},
                           f.stop, &f.reply),
                 ERR_RETRY, "look up no-such-host.invalid:80: ");
}

static void times_out(void **state)
{
    (void)state;
    serve_with(never_answer, NULL);
    assert_fails(call((struct http_request){.timeout_ms = 50}, "/"), ERR_RETRY, "timed out after");
}

static void half_answer(struct loopback *server, void *arg)
{
    (void)arg;
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, OK_HEAD "Content-Length: 10\r\n\r\nhalf");
        loopback_wait_gone(server);
    }
}

static void times_out_in_the_body(void **state)
{
    (void)state;
    serve_with(half_answer, NULL);
    assert_fails(call((struct http_request){.timeout_ms = 50}, "/"), ERR_RETRY, "timed out after");
}

/* Whatever the time scale. */
static void times_out_in_real_time(void **state)
{
    (void)state;
    transport_free(f.transport);
    sched_free(f.sched);
    f.sched = sched_threads_new(1000000);
    f.transport = transport_curl_new(f.sched);
    serve_with(answer, OK_EMPTY);
    assert_no_err(call((struct http_request){.timeout_ms = 10000}, "/"));
}

static void works_after_failure(void **state)
{
    static const struct http_request brief = {.timeout_ms = 30};

    (void)state;
    serve_with(never_answer, NULL);
    assert_fails(call(brief, "/"), ERR_RETRY, NULL);
    loopback_free(TAKE(f.server));
    serve_with(answer, OK_EMPTY);
    assert_no_err(get("/"));
}

static void caps_answer(void **state)
{
    (void)state;
    serve_with(answer, OK_HEAD "Content-Length: 6\r\n\r\nabcdef");
    assert_fails(call((struct http_request){.max_reply_bytes = 5}, "/"), ERR_INVALID, "answer of 127.0.0.1");
    assert_no_err(call((struct http_request){.max_reply_bytes = 6}, "/"));
}

static void endless_head(struct loopback *server, void *arg)
{
    (void)arg;
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, OK_HEAD);
        for (int i = 0; i < 10000; i++)
            loopback_send(server, "X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n");
        loopback_wait_gone(server);
    }
}

static void caps_head(void **state)
{
    (void)state;
    serve_with(endless_head, NULL);
    assert_fails(get("/"), ERR_INVALID, "head of the answer");
}

/* The cap counts what comes out. */
static void caps_unzipped_answer(void **state)
{
    (void)state;
    serve_with(answer_zipped, NULL);
    assert_fails(call((struct http_request){.max_reply_bytes = 8, .accept_gzip = true}, "/"), ERR_INVALID,
                 "larger than 8 bytes");
}

/* The connection that was kept open dies with the second request on it: nobody knows whether that was worked
 * on. */
static void die_on_second(struct loopback *server, void *arg)
{
    (void)arg;
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, OK_EMPTY);
        loopback_request(server);
        loopback_hang_up(server);
    }
}

static void never_sends_twice(void **state)
{
    (void)state;
    serve_with(die_on_second, NULL);
    assert_no_err(call((struct http_request){.method = "POST", .body = STR("1")}, "/"));
    assert_fails(call((struct http_request){.method = "POST", .body = STR("2")}, "/"), ERR_RETRY,
                 "closed before an answer came");
    assert_no_err(call((struct http_request){.method = "POST", .body = STR("3")}, "/"));
    assert_text_contains(loopback_seen(f.server, 1), "\r\n\r\n2");
    assert_text_contains(loopback_seen(f.server, 2), "\r\n\r\n3");
    assert_null(loopback_seen(f.server, 3));
}

/* --- stop --- */

/* Only the second request of a connection brings the stop: libcurl's timers of connecting are over by then
 * and cannot wake the client in its place. */
static void request_stop(struct loopback *server, void *arg)
{
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, OK_EMPTY);
        loopback_request(server);
        stop_request(arg);
        loopback_wait_gone(server);
    }
}

/* A stop that did not wake the waiting thread would be overtaken by the time-out. */
static void stops(void **state)
{
    (void)state;
    serve_with(request_stop, f.stop);
    assert_no_err(get("/"));
    assert_fails(call((struct http_request){.timeout_ms = 3000}, "/"), ERR_CANCELED,
                 "stopped while waiting for 127.0.0.1:");
}

static void sends_nothing_after_stop(void **state)
{
    (void)state;
    serve_with(answer, OK_EMPTY);
    stop_request(f.stop);
    assert_fails(get("/"), ERR_CANCELED, NULL);
    assert_number(loopback_connections(f.server), 0);
}

int main(void)
{
    struct tests tests = {.set_up = set_up, .tear_down = tear_down};

    transport_curl_init();
    TEST_ROWS(&tests, gives_reply, reply_rows);
    TEST_ROWS(&tests, gives_reply_in_pieces, reply_rows);
    TEST(&tests, gives_body_with_nul);
    TEST(&tests, leaves_gzip_alone_unasked);
    TEST(&tests, unpacks_gzip_when_asked);
    TEST_ROWS(&tests, sends_request, request_rows);
    TEST(&tests, sends_head_request);
    TEST(&tests, sends_large_body);
    TEST(&tests, keeps_connection);
    TEST(&tests, keeps_nothing_between_requests);
    TEST_ROWS(&tests, refuses_request, bad_requests);
    TEST_ROWS(&tests, says_what_failed, failure_rows);
    TEST(&tests, says_refused);
    TEST(&tests, says_unknown_host);
    TEST(&tests, times_out);
    TEST(&tests, times_out_in_the_body);
    TEST(&tests, times_out_in_real_time);
    TEST(&tests, works_after_failure);
    TEST(&tests, caps_answer);
    TEST(&tests, caps_head);
    TEST(&tests, caps_unzipped_answer);
    TEST(&tests, never_sends_twice);
    TEST(&tests, stops);
    TEST(&tests, sends_nothing_after_stop);
    return tests_run(&tests, "transport_curl");
}
