/* Streams of the libcurl transport. */
#include <stdatomic.h>

#include "tests/pkg/http/curl_fixture.h"

static void stream_two(struct loopback *server, void *arg)
{
    (void)arg;
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, OK_HEAD "X-A: b\r\nTransfer-Encoding: chunked\r\n\r\n");
        loopback_wait(server);
        loopback_send(server, "4\r\none\n\r\n");
        loopback_wait(server);
        loopback_send(server, "4\r\ntwo\n\r\n0\r\n\r\n");
    }
}

static void streams(void **state)
{
    bool end = true;

    (void)state;
    serve_with(stream_two, NULL);
    assert_no_err(open_stream((struct http_request){0}, "/watch"));
    assert_number(f.reply.status, 200);
    assert_text_equal(http_reply_header(&f.reply, "x-a"), "b");
    loopback_signal(f.server);
    assert_no_err(http_read(f.stream, f.stop, NEVER_MS, &f.out, &end));
    assert_text_equal(buf_text(&f.out), "one\n");
    assert_false(end);
    loopback_signal(f.server);
    while (!end)
        assert_no_err(http_read(f.stream, f.stop, NEVER_MS, &f.out, &end));
    assert_text_equal(buf_text(&f.out), "one\ntwo\n");
}

/* Past the time-out of the head, and a deadline of the reader's does not end the stream. */
static void stream_outlives_timeout(void **state)
{
    bool end = true;
    struct err *err;

    (void)state;
    serve_with(stream_two, NULL);
    assert_no_err(open_stream((struct http_request){.timeout_ms = 100}, "/watch"));
    err = http_read(f.stream, f.stop, sched_now_ms(f.sched) + 150, &f.out, &end);
    assert_err_kind(err, ERR_RETRY);
    assert_true(err_is_code(err, "Idle"));
    err_free(err);
    loopback_signal(f.server);
    assert_no_err(http_read(f.stream, f.stop, NEVER_MS, &f.out, &end));
    assert_text_equal(buf_text(&f.out), "one\n");
}

static void stream_deadline_follows_scale(void **state)
{
    bool end = false;
    struct err *err;

    (void)state;
    transport_free(f.transport);
    sched_free(f.sched);
    f.sched = sched_threads_new(3600);
    f.transport = transport_curl_new(f.sched);
    serve_with(stream_two, NULL);
    assert_no_err(open_stream((struct http_request){0}, "/watch"));
    err = http_read(f.stream, f.stop, sched_now_ms(f.sched) + MINUTES(5), &f.out, &end);
    assert_true(err_is_code(err, "Idle"));
    err_free(err);
}

static void stream_timeout_bounds_head(void **state)
{
    (void)state;
    serve_with(never_answer, NULL);
    assert_fails(open_stream((struct http_request){.timeout_ms = 50}, "/watch"), ERR_RETRY,
                 "timed out after");
    assert_null(f.stream);
}

static void stream_refusal_has_body(void **state)
{
    bool end = false;

    (void)state;
    serve_with(answer, "HTTP/1.1 410 Gone\r\nContent-Length: 7\r\n\r\nexpired");
    assert_no_err(open_stream((struct http_request){0}, "/watch"));
    assert_number(f.reply.status, 410);
    assert_text_equal(buf_text(&f.reply.body), "expired");
    assert_no_err(http_read(f.stream, f.stop, NEVER_MS, &f.out, &end));
    assert_true(end);
    assert_number(f.out.len, 0);
}

static void break_stream(struct loopback *server, void *arg)
{
    (void)arg;
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n9\r\nha");
        loopback_wait(server);
        loopback_reset(server);
    }
}

static void stream_breaks(void **state)
{
    bool end = false;

    (void)state;
    serve_with(break_stream, NULL);
    assert_no_err(open_stream((struct http_request){0}, "/watch"));
    while (f.out.len < 6)
        assert_no_err(http_read(f.stream, f.stop, NEVER_MS, &f.out, &end));
    loopback_signal(f.server);
    assert_fails(http_read(f.stream, f.stop, NEVER_MS, &f.out, &end), ERR_RETRY, "Connection reset by peer");
    assert_text_equal(buf_text(&f.out), "one\nha");
    assert_false(end);
}

static void stop_stream(struct loopback *server, void *arg)
{
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, OK_HEAD "\r\n");
        loopback_wait(server);
        stop_request(arg);
        loopback_wait_gone(server);
    }
}

static void stream_stops(void **state)
{
    bool end = false;

    (void)state;
    serve_with(stop_stream, f.stop);
    assert_no_err(open_stream((struct http_request){0}, "/watch"));
    loopback_signal(f.server);
    assert_fails(http_read(f.stream, f.stop, NEVER_MS, &f.out, &end), ERR_CANCELED, "stopped");
    assert_fails(http_read(f.stream, f.stop, NEVER_MS, &f.out, &end), ERR_CANCELED, "stopped");
}

#define FLOOD_BYTES (24u * MIB)

static atomic_size_t flood_sent;

static void flood(struct loopback *server, void *arg)
{
    char line[4096];

    (void)arg;
    memset(line, 'x', sizeof(line));
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, OK_HEAD "\r\n");
        for (size_t i = 0; i < FLOOD_BYTES; i += sizeof(line)) {
            loopback_send_bytes(server, line, sizeof(line));
            atomic_fetch_add(&flood_sent, sizeof(line));
        }
        loopback_hang_up(server);
    }
}

/* Whoever does not read makes the server wait: what has come is bounded, and nothing of it is lost. */
static void stream_pushes_back(void **state)
{
    bool end = false;
    size_t total = 0;

    (void)state;
    atomic_store(&flood_sent, 0);
    serve_with(flood, NULL);
    assert_no_err(open_stream((struct http_request){0}, "/watch"));
    for (int i = 0; i < 50; i++) {
        /* An answer on another connection gives libcurl every chance to read on. */
        struct http_stream *other = NULL;

        assert_fails(http_open(f.transport,
                               &(struct http_request){.method = "GET", .url = "http://127.0.0.1:1/"}, f.stop,
                               &f.reply, &other),
                     ERR_RETRY, NULL);
    }
    assert_true(atomic_load(&flood_sent) < FLOOD_BYTES);
    while (!end) {
        assert_no_err(http_read(f.stream, f.stop, NEVER_MS, &f.out, &end));
        total += f.out.len;
        buf_reset(&f.out);
    }
    assert_number(total, FLOOD_BYTES);
}

static void stream_respects_reader(void **state)
{
    AUTO_BUF struct buf small = BUF_MAX(3);
    bool end = true;

    (void)state;
    serve_with(answer_and_hang_up, OK_HEAD "\r\nhello");
    assert_no_err(open_stream((struct http_request){0}, "/watch"));
    assert_no_err(http_read(f.stream, f.stop, NEVER_MS, &small, &end));
    assert_text_equal(buf_text(&small), "hel");
    assert_false(end);
    assert_fails(http_read(f.stream, f.stop, NEVER_MS, &small, &end), ERR_INVALID,
                 "does not fit into 3 bytes");
}

int main(void)
{
    struct tests tests = {.set_up = set_up, .tear_down = tear_down};

    transport_curl_init();
    TEST(&tests, streams);
    TEST(&tests, stream_outlives_timeout);
    TEST(&tests, stream_deadline_follows_scale);
    TEST(&tests, stream_timeout_bounds_head);
    TEST(&tests, stream_refusal_has_body);
    TEST(&tests, stream_breaks);
    TEST(&tests, stream_stops);
    TEST(&tests, stream_pushes_back);
    TEST(&tests, stream_respects_reader);
    return tests_run(&tests, "transport_curl_stream");
}
