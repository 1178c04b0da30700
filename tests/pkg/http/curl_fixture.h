/* What the tests of the libcurl transport share: a transport, a server that misbehaves on demand, and
 * cleaning up after both. */
#ifndef HTTP_CURL_FIXTURE_H
#define HTTP_CURL_FIXTURE_H

#include "pkg/http/transport.h"
#include "tests/testing/assertions.h"
#include "tests/testing/loopback.h"

struct fixture {
    struct sched *sched;
    struct transport *transport;
    struct stop *stop;
    struct loopback *server;
    struct certificate_pair authority, certificate, client, client_authority;
    struct buf out;
    struct http_reply reply;
    struct http_stream *stream;
};

static struct fixture f;

UNUSED static int set_up(void **state)
{
    (void)state;
    f = (struct fixture){.out = BUF_MAX(16 * MIB)};
    f.sched = sched_threads_new(1);
    f.transport = transport_curl_new(f.sched);
    f.stop = stop_new();
    return 0;
}

/* Also frees what a failed test left behind. */
UNUSED static int tear_down(void **state)
{
    (void)state;
    http_close(f.stream);
    http_reply_done(&f.reply);
    transport_free(f.transport);
    loopback_free(f.server);
    stop_free(f.stop);
    sched_free(f.sched);
    certificate_pair_done(&f.authority);
    certificate_pair_done(&f.certificate);
    certificate_pair_done(&f.client);
    certificate_pair_done(&f.client_authority);
    buf_done(&f.out);
    return 0;
}

UNUSED static void serve_with(void (*serve)(struct loopback *server, void *arg), const void *arg)
{
    f.server = loopback_new(&(struct loopback_options){.serve = serve, .arg = (void *)(uintptr_t)arg});
}

UNUSED static struct err *call(struct http_request request, const char *target)
{
    AUTO_FREE char *url = loopback_url(f.server, target);

    if (!request.url)
        request.url = url;
    if (!request.method)
        request.method = "GET";
    http_reply_done(&f.reply);
    return http_call(f.transport, &request, f.stop, &f.reply);
}

UNUSED static struct err *get(const char *target)
{
    return call((struct http_request){0}, target);
}

UNUSED static struct err *open_stream(struct http_request request, const char *target)
{
    AUTO_FREE char *url = loopback_url(f.server, target);

    request.url = url;
    request.method = "GET";
    return http_open(f.transport, &request, f.stop, &f.reply, &f.stream);
}

/* --- servers --- */

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define OK_EMPTY OK_HEAD "Content-Length: 0\r\n\r\n"

/* Answers every request of every connection with the same text. */
UNUSED static void answer(struct loopback *server, void *arg)
{
    while (loopback_accept(server)) {
        while (loopback_request(server))
            loopback_send(server, arg);
    }
}

UNUSED static void answer_in_bytes(struct loopback *server, void *arg)
{
    while (loopback_accept(server)) {
        loopback_request(server);
        for (const char *c = arg; *c; c++)
            loopback_send_bytes(server, c, 1);
    }
}

UNUSED static void answer_and_hang_up(struct loopback *server, void *arg)
{
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, arg);
        loopback_hang_up(server);
    }
}

UNUSED static void answer_and_reset(struct loopback *server, void *arg)
{
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_send(server, arg);
        loopback_reset(server);
    }
}

UNUSED static void never_answer(struct loopback *server, void *arg)
{
    (void)arg;
    while (loopback_accept(server)) {
        loopback_request(server);
        loopback_wait_gone(server);
    }
}

#endif
