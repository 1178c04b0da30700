/* The reply's helpers, and the script of exchanges itself: what it accepts, what it reports, and that the two
 * sides of a difference are shown. */
#include "pkg/http/transport.h"

#include "tests/testing/testing_env.h"

static void keeps_headers(void **state)
{
    struct http_reply reply = {.body = BUF_SECRET(100)};

    (void)state;
    http_reply_add_header(&reply, STR("ETag"), STR("\"1\""));
    http_reply_add_header(&reply, STR("X-Empty"), STR(""));
    http_reply_add_header(&reply, STR("etag"), STR("second"));
    buf_adds(&reply.body, "secret");
    assert_text_equal(http_reply_header(&reply, "etag"), "\"1\"");
    assert_text_equal(http_reply_header(&reply, "x-empty"), "");
    assert_null(http_reply_header(&reply, "ETag"));
    http_reply_done(&reply);
    assert_number((int64_t)reply.header_count, 0);
    http_reply_done(&reply);
    http_close(NULL);
    transport_free(NULL);
}

static struct script *script;
static struct transport *transport;
static struct http_reply reply;

static void play(const struct exchange *rows, size_t count, const struct script_options *options)
{
    script = script_new(rows, count, options);
    transport = script_transport(script);
}

static int tear_down(void **state)
{
    (void)state;
    http_reply_done(&reply);
    transport_free(transport);
    transport = NULL;
    script_done(TAKE(script));
    return 0;
}

static struct err *send(const char *method, const char *url, const char *body)
{
    static const struct http_header headers[] = {{.name = "X-Amz-Target", .value = "Backup.Start"},
                                                 {.name = "Accept", .value = "application/json"}};
    struct http_request request = {.method = method,
                                   .url = url,
                                   .body = str_of(body),
                                   .headers = headers,
                                   .header_count = COUNT_OF(headers)};

    http_reply_done(&reply);
    return http_call(transport, &request, NULL, &reply);
}

static void plays_in_order(void **state)
{
    static const struct exchange rows[] = {
        {.method = "PUT",
         .path = "/copy-jobs",
         .host = "backup.*",
         .headers = {"x-amz-target: Backup.Start", "accept:"},
         .absent = {"authorization"},
         .body_json = "{\"b\":1,\"a\":2}",
         .body_contains = {"\"a\"", "\"b\""},
         .status = 500,
         .reply = "{}",
         .reply_headers = {"X-Amzn-RequestId: r-1"}},
        {.url = "https://*/copy-jobs/c-17", .body = ""},
        {.path = "/list?max=*"},
    };

    (void)state;
    play(rows, COUNT_OF(rows), NULL);
    assert_no_err(send("PUT", "https://backup.eu.example/copy-jobs?x=y", "{\"a\":2,\"b\":1}"));
    assert_number(reply.status, 500);
    assert_text_equal(buf_text(&reply.body), "{}");
    assert_text_equal(http_reply_header(&reply, "x-amzn-requestid"), "r-1");
    assert_no_err(send("GET", "https://a/copy-jobs/c-17", ""));
    assert_number(reply.status, 200);
    assert_no_err(send("GET", "https://a/list?max=10", ""));
    assert_number((int64_t)script_sent_count(script), 3);
    assert_text_equal(script_sent(script, 0)->headers,
                      "x-amz-target: Backup.Start\naccept: application/json\n");
    assert_text_equal(script_sent(script, 0)->body, "{\"a\":2,\"b\":1}");
    assert_null(script_sent(script, 3));
}

static const struct mismatch {
    const char *name;
    struct exchange row;
    const char *says[3];
} mismatches[] = {
    {.name = "method", .row = {.method = "GET"}, .says = {"method: expected GET, got PUT"}},
    {.name = "path",
     .row = {.name = "start", .path = "/b"},
     .says = {"start: * /b", "url: expected /b, got https://h/a?q=1"}},
    {.name = "query", .row = {.path = "/a?q=2"}, .says = {"expected /a?q=2"}},
    {.name = "host", .row = {.host = "other"}, .says = {"expected other"}},
    {.name = "header",
     .row = {.headers = {"x-amz-target: Backup.Stop"}},
     .says = {"header missing: x-amz-target: Backup.Stop", "x-amz-target: Backup.Start"}},
    {.name = "header not wanted",
     .row = {.absent = {"x-amz-target"}},
     .says = {"header not wanted: x-amz-target"}},
    {.name = "body", .row = {.body = "other"}, .says = {"body: expected other", "{\"a\":1}"}},
    {.name = "JSON body",
     .row = {.body_json = "{\"a\":2}"},
     .says = {"expected JSON {\"a\":2}", "{\"a\":1}"}},
    {.name = "part of the body", .row = {.body_contains = {"zebra"}}, .says = {"body lacks: zebra"}},
};

static void shows_both_sides(void **state)
{
    const struct mismatch *row = *state;
    AUTO_FREE char *faults = NULL;

    play(&row->row, 1, NULL);
    assert_fails(send("PUT", "https://h/a?q=1", "{\"a\":1}"), ERR_INVALID,
                 "script: PUT https://h/a?q=1 was not expected");
    faults = script_take_faults(script);
    for (size_t i = 0; i < COUNT_OF(row->says) && row->says[i]; i++)
        assert_text_contains(faults, row->says[i]);
    assert_text_contains(faults, "the request was: PUT https://h/a?q=1");
    assert_text_contains(faults, "exchange 1 was used 0 of 1 times");
}

static void reports_one_request_too_many(void **state)
{
    static const struct exchange rows[] = {{.path = "/a"}};
    AUTO_FREE char *faults = NULL;

    (void)state;
    play(rows, COUNT_OF(rows), NULL);
    assert_no_err(send("GET", "https://h/a", ""));
    assert_fails(send("GET", "https://h/a", ""), ERR_INVALID, "was not expected");
    faults = script_take_faults(script);
    assert_text_contains(faults, "all exchanges are used up");
}

static void counts_times(void **state)
{
    static const struct exchange rows[] = {
        {.path = "/poll", .times = -1},
        {.path = "/twice", .times = 2},
        {.path = "/never", .times = -1},
        {.path = "/last"},
    };

    (void)state;
    play(rows, COUNT_OF(rows), NULL);
    assert_no_err(send("GET", "https://h/poll", ""));
    assert_no_err(send("GET", "https://h/poll", ""));
    assert_no_err(send("GET", "https://h/twice", ""));
    assert_no_err(send("GET", "https://h/poll", ""));
    assert_no_err(send("GET", "https://h/twice", ""));
    assert_no_err(send("GET", "https://h/last", ""));
}

static void plays_in_any_order(void **state)
{
    static const struct exchange rows[] = {{.path = "/a"}, {.path = "/b"}, {.path = "/a", .status = 404}};

    (void)state;
    play(rows, COUNT_OF(rows), &(struct script_options){.any_order = true});
    assert_no_err(send("GET", "https://h/b", ""));
    assert_no_err(send("GET", "https://h/a", ""));
    assert_number(reply.status, 200);
    assert_no_err(send("GET", "https://h/a", ""));
    assert_number(reply.status, 404);
}

static void fails_as_told(void **state)
{
    static const struct exchange rows[] = {
        {.path = "/a", .fail = "connection lost"},
        {.path = "/b", .fail = "wrong certificate", .fail_kind = ERR_INVALID}};

    (void)state;
    play(rows, COUNT_OF(rows), NULL);
    assert_fails(send("GET", "https://h/a", ""), ERR_RETRY, "connection lost");
    assert_fails(send("GET", "https://h/b", ""), ERR_INVALID, "wrong certificate");
}

/* --- with a scheduler --- */

static void delays_and_times_out(void **state)
{
    static const struct exchange rows[] = {{.path = "/a", .delay_ms = 1500},
                                           {.path = "/b", .delay_ms = 60000}};
    struct http_request request = {.method = "GET", .url = "https://h/a"};
    struct testing_env t;

    (void)state;
    TESTING_ENV_INIT(&t, 1, rows);
    assert_no_err(http_call(t.env.transport, &request, t.env.stop, &reply));
    assert_number(sched_now_ms(t.env.sched), 1500);
    request.url = "https://h/b";
    http_reply_done(&reply);
    assert_fails(http_call(t.env.transport, &request, t.env.stop, &reply), ERR_RETRY,
                 "no answer within 30000 ms");
    assert_number(sched_now_ms(t.env.sched), 31500);
    assert_number(script_sent(t.script, 1)->at_ms, 1500);
    testing_env_done(&t);
}

static void streams(void **state)
{
    const struct exchange rows[] = {
        {.path = "/watch", CHUNKS({.bytes = "one\n"}, {.bytes = "two\n", .after_ms = 100}, {.fail = "cut"})},
    };
    struct http_stream *stream = NULL;
    AUTO_BUF struct buf out = BUF_MAX(100);
    struct testing_env t;
    struct err *err;
    bool end = true;

    (void)state;
    TESTING_ENV_INIT(&t, 1, rows);
    assert_no_err(http_open(t.env.transport,
                            &(struct http_request){.method = "GET", .url = "https://h/watch"}, t.env.stop,
                            &reply, &stream));
    assert_no_err(http_read(stream, t.env.stop, NEVER_MS, &out, &end));
    assert_text_equal(buf_text(&out), "one\n");
    assert_false(end);
    err = http_read(stream, t.env.stop, 40, &out, &end);
    assert_true(err_is_code(err, "Idle"));
    err_free(err);
    assert_no_err(http_read(stream, t.env.stop, 400, &out, &end));
    assert_text_equal(buf_text(&out), "one\ntwo\n");
    assert_number(sched_now_ms(t.env.sched), 100);
    assert_fails(http_read(stream, t.env.stop, NEVER_MS, &out, &end), ERR_RETRY, "cut");
    http_close(stream);
    testing_env_done(&t);
}

static void ask_to_stop(void *arg)
{
    stop_request(arg);
}

static void stop_ends_idle_stream(void **state)
{
    const struct exchange rows[] = {{.path = "/watch", CHUNKS({.idle = true})}};
    struct http_stream *stream = NULL;
    AUTO_BUF struct buf out = BUF_MAX(100);
    struct testing_env t;
    struct task *task;
    bool end = false;

    (void)state;
    TESTING_ENV_INIT(&t, 1, rows);
    assert_no_err(http_open(t.env.transport,
                            &(struct http_request){.method = "GET", .url = "https://h/watch"}, t.env.stop,
                            &reply, &stream));
    task = sched_spawn(t.env.sched, "stopper", ask_to_stop, t.env.stop);
    assert_fails(http_read(stream, t.env.stop, NEVER_MS, &out, &end), ERR_CANCELED, NULL);
    sched_join(task);
    http_close(stream);
    testing_env_done(&t);
}

static void stream_of_a_plain_reply(void **state)
{
    static const struct exchange rows[] = {{.path = "/a", .reply = "all"},
                                           {.path = "/b", .status = 410, .reply = "gone"}};
    struct http_request request = {.method = "GET", .url = "https://h/a"};
    struct http_stream *stream = NULL;
    AUTO_BUF struct buf out = BUF_MAX(100);
    bool end = false;

    (void)state;
    play(rows, COUNT_OF(rows), NULL);
    assert_no_err(http_open(transport, &request, NULL, &reply, &stream));
    while (!end)
        assert_no_err(http_read(stream, NULL, NEVER_MS, &out, &end));
    assert_text_equal(buf_text(&out), "all");
    http_close(stream);
    request.url = "https://h/b";
    http_reply_done(&reply);
    assert_no_err(http_open(transport, &request, NULL, &reply, &stream));
    assert_text_equal(buf_text(&reply.body), "gone");
    assert_no_err(http_read(stream, NULL, NEVER_MS, &out, &end));
    assert_true(end);
    http_close(stream);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, keeps_headers);
    tests.tear_down = tear_down;
    TEST(&tests, plays_in_order);
    TEST_ROWS(&tests, shows_both_sides, mismatches);
    TEST(&tests, reports_one_request_too_many);
    TEST(&tests, counts_times);
    TEST(&tests, plays_in_any_order);
    TEST(&tests, fails_as_told);
    TEST(&tests, delays_and_times_out);
    TEST(&tests, streams);
    TEST(&tests, stop_ends_idle_stream);
    TEST(&tests, stream_of_a_plain_reply);
    return tests_run(&tests, "transport");
}
