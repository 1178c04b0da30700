/* The inside of the server, for the files of this folder. */
#ifndef SERVE_SERVE_PRIV_H
#define SERVE_SERVE_PRIV_H

#include "pkg/serve/address.h"
#include "pkg/serve/serve.h"

#include <stdatomic.h>

#include <libwebsockets.h>

/* One listener. All but the first line belongs to the server's thread once it runs. */
struct port {
    struct server *server;
    struct serve_listener listener;
    struct serve_address address;
    struct lws_vhost *vhost;
    SSL_CTX *tls;         /* libwebsockets'; NULL: plain */
    struct buf cert, key; /* as they were loaded, to see a change; the key is wiped */
    int bound_port;
    int connections;
};

struct server {
    struct sched *sched;
    struct log *log;
    int max_connections; /* of each port */
    int64_t reload_ms;
    struct port ports[SERVE_PORTS_MAX];
    size_t port_count;
    struct lws_context *context;
    struct task *task;
    atomic_bool stopping;
    /* the server's thread */
    int under_way; /* answers that are not sent yet */
    bool stop_seen, grace_over;
    lws_sorted_usec_list_t grace, reload;
};

/* Looks whether the files hold a pair that fits, and remembers them. */
struct err *tls_check(struct port *port) MUST_USE;
/* Loads the files into the listener's TLS when they have changed and fit; what is served stays otherwise. */
void tls_reload(struct port *port);
void tls_done(struct port *port);

/* What libwebsockets calls; ends with an empty row. */
extern const struct lws_protocols exchange_protocols[];

#endif
