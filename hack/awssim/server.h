/* The simulator behind a socket: libmicrohttpd, one thread per connection, the core under one mutex. */
#ifndef AWSSIM_SERVER_H
#define AWSSIM_SERVER_H

#include "hack/awssim/awssim.h"
#include "pkg/base/sched.h"

struct server;

struct server_options {
    const char *address; /* IPv4, "127.0.0.1" */
    uint16_t port;       /* 0: a free one */
    double time_scale;   /* world seconds per real second; 0: stands still until told */
    int64_t start_ms;    /* the world clock's first reading */
};

/* Borrows both. Serves from now on. ERR_RETRY when the address cannot be had. */
struct err *server_start(struct sim *sim, struct sched *sched, const struct server_options *options,
                         struct server **ret) MUST_USE;
uint16_t server_port(const struct server *server);
/* Ends connections, waits for their threads, frees. */
void server_stop(struct server *server);

#endif
