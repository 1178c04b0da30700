/* A server on 127.0.0.1 whose every byte the test decides: a function of the test runs on a thread of its own
 * and accepts, reads, sends and hangs up as it likes. It must not assert (that is for the test's own thread):
 * it writes down what it saw. All calls on the server's thread end quickly once the test calls
 * loopback_free(). */
#ifndef TESTING_LOOPBACK_H
#define TESTING_LOOPBACK_H

#include <stdbool.h>

#include "tests/testing/certificates.h"

struct loopback;

struct loopback_options {
    void (*serve)(struct loopback *server, void *arg);
    void *arg;
    const struct certificate_pair *tls;       /* NULL: plain */
    const struct certificate_pair *client_ca; /* a client certificate signed by it is demanded */
};

/* For the test's thread. */
struct loopback *loopback_new(const struct loopback_options *options);
int loopback_port(const struct loopback *server);
char *loopback_url(const struct loopback *server,
                   const char *target);        /* http(s)://127.0.0.1:port + target, yours */
void loopback_signal(struct loopback *server); /* lets one loopback_wait() go on */
void loopback_free(struct loopback *server);   /* ends the thread and waits for it */
int loopback_connections(struct loopback *server);
/* The index-th request read by loopback_request(), head and body; NULL when there was none. Lives as long as
 * the server. */
const char *loopback_seen(struct loopback *server, int index);

/* For the serving function. */
bool loopback_accept(
    struct loopback *server); /* the next connection, after closing the one before; false: it is over */
bool loopback_request(
    struct loopback *server); /* reads one request, head and body; false: the peer hung up */
void loopback_send(struct loopback *server, const char *text);
void loopback_send_bytes(struct loopback *server, const void *bytes, size_t len);
void loopback_hang_up(struct loopback *server);   /* FIN */
void loopback_reset(struct loopback *server);     /* RST */
void loopback_wait(struct loopback *server);      /* until loopback_signal(), or the end */
void loopback_wait_gone(struct loopback *server); /* until the peer hangs up, or the end */

#endif
