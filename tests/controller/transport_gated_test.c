#include "controller/transport_gated.h"

#include "tests/testing/testing_env.h"

static bool ask(void *arg)
{
    return *(const bool *)arg;
}

static const struct http_request put = {.method = "PUT", .url = "http://server.example/x"};

static void sends_while_the_gate_is_open(void **state)
{
    const struct exchange rows[] = {{.method = "PUT", .reply = "done"},
                                    {.method = "PUT", CHUNKS({.bytes = "more"})}};
    struct http_reply reply = {0}, head = {0};
    struct http_stream *stream = NULL;
    struct transport *gated;
    struct testing_env t;
    bool open = true;

    (void)state;
    TESTING_ENV_INIT(&t, 1, rows);
    gated = gated_transport_new(t.env.transport, ask, &open);
    assert_no_err(http_call(gated, &put, t.env.stop, &reply));
    assert_str_equal(buf_str(&reply.body), "done");
    assert_no_err(http_open(gated, &put, t.env.stop, &head, &stream));
    http_close(stream);
    http_reply_done(&reply);
    http_reply_done(&head);
    t.env.transport = NULL; /* the gate owns it */
    transport_free(gated);
    testing_env_done(&t);
}

/* The script fails on any request. */
static void nothing_leaves_a_closed_gate(void **state)
{
    struct http_reply reply = {0};
    struct http_stream *stream = NULL;
    struct script *script = script_new(NULL, 0, NULL);
    bool open = false;
    struct transport *gated = gated_transport_new(script_transport(script), ask, &open);

    (void)state;
    assert_fails(http_call(gated, &put, NULL, &reply), ERR_RETRY, "leadership is in doubt");
    assert_fails(http_open(gated, &put, NULL, &reply, &stream), ERR_RETRY, "leadership is in doubt");
    transport_free(gated);
    script_done(script);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, sends_while_the_gate_is_open);
    TEST(&tests, nothing_leaves_a_closed_gate);
    return tests_run(&tests, "transport_gated");
}
