/* A small HTTP/1.1 server for pages that are made on the spot: health, metrics. GET and HEAD only. One
 * thread serves all listeners.
 *
 * Caps: 4 KiB of request head, SERVE_BODY_MAX of answer, a number of connections to each listener beyond
 * which new ones are closed at once, 10 s for a client to send its head or to take the next piece of its
 * answer, 30 s idle. A client that is slow or says nothing holds up nobody else. */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "pkg/base/buf.h"
#include "pkg/base/err.h"
#include "pkg/base/log.h"
#include "pkg/base/sched.h"

#define SERVE_BODY_MAX (1 * MIB)
#define SERVE_PORTS_MAX 4

/* Decoded; lives as long as the call. */
struct serve_request {
    const char *path;   /* begins with "/" */
    const char *query;  /* "a&b=c", "" when there is none */
    const char *accept; /* "" when there is none */
};

struct serve_answer {
    int status;               /* 200 unless changed */
    const char *content_type; /* text/plain; charset=utf-8 unless changed; not copied */
    struct buf body;
};

/* On the server's own thread: must be short and wait for nothing. */
typedef void serve_fn(void *arg, const struct serve_request *request, struct serve_answer *answer);

struct serve_listener {
    const char *address;    /* "127.0.0.1:8081", "[::1]:8081", ":8080" (all addresses); port 0: a free one */
    const char *cert_chain; /* PEM files; both or neither: plain HTTP. Read anew when they change. */
    const char *key;
    serve_fn *answer;
    void *arg;
};

struct serve_opts {
    const struct serve_listener *listeners; /* copied; the texts are borrowed until serve_stop() */
    size_t count;                           /* at most SERVE_PORTS_MAX */
    struct sched *sched;                    /* borrowed; plain threads */
    struct log *log;                        /* borrowed; may be NULL */
    int max_connections;                    /* to each listener; 0: 32 */
    int64_t reload_ms;                      /* how often certificates are looked at, in real time; 0: 10 s */
};

struct server;

/* Serves from when it returns. ERR_INVALID: an address that is none, certificate and key that do not fit or
 * cannot be read; ERR_RETRY: an address that is in use or not ours. */
struct err *serve_start(const struct serve_opts *opts, struct server **ret) MUST_USE;
int serve_port(const struct server *server, size_t listener);
/* New connections are refused, answers under way get one second, then the thread ends. NULL is fine. */
void serve_stop(struct server *server);

/* True when the query has the parameter, with or without a value. */
bool serve_query_has(const struct serve_request *request, const char *name);
/* True when the query has name=value. */
bool serve_query_says(const struct serve_request *request, const char *name, const char *value);

#endif
