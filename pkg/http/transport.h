/* HTTP as values: a request goes in, a reply comes out; streams are pulled. Done by libcurl
 * (transport_curl.c), by a script of exchanges (tests/testing), or by the simulator's core (simulation): the
 * callers cannot tell.
 *
 * A transport belongs to one thread at a time (each worker has its own, so that its connections stay open);
 * transports made from one pool may be used side by side. Nothing here retries and no redirect is followed.
 */
#ifndef HTTP_TRANSPORT_H
#define HTTP_TRANSPORT_H

#include "pkg/base/buf.h"
#include "pkg/base/err.h"
#include "pkg/base/sched.h"
#include "pkg/base/str.h"

struct http_header {
    const char *name;
    const char *value;
};

/* Who we trust and who we are. All optional; contents are PEM. Two requests with an equal `key` share
 * connections. */
struct http_tls {
    const char *key;           /* identifies this setting, for connection reuse */
    struct str ca_pem;         /* empty: the system's roots */
    const char *ca_file;       /* used when ca_pem is empty */
    struct str cert_pem;       /* client certificate */
    struct str key_pem;        /* its private key; never written to a file */
    const char *server_name;   /* SNI and the name checked, when it is not the URL's host */
    bool insecure_skip_verify; /* only for a kubeconfig that says so */
};

struct http_request {
    const char *method;
    const char *url; /* sent byte for byte as it stands here */
    const struct http_header *headers;
    size_t header_count;
    struct str body;
    int64_t timeout_ms;         /* whole exchange, in real time whatever the time scale; 0: 30 s */
    int64_t connect_timeout_ms; /* 0: 10 s */
    size_t max_reply_bytes;     /* 0: 8 MiB */
    const struct http_tls *tls; /* NULL: system roots, no client certificate */
    const char *proxy_url; /* NULL: the environment's; "": none at all; socks5:// looks names up itself */
    bool sensitive;        /* request or reply hold a secret: buffers are wiped, nothing is traced */
    bool accept_gzip;
};

struct http_reply {
    int status;
    struct http_header *headers; /* owned; names lower-case */
    size_t header_count;
    struct buf body;
};

void http_reply_done(struct http_reply *reply);
/* First header of that (lower-case) name, or NULL. */
const char *http_reply_header(const struct http_reply *reply, const char *name);
#define AUTO_REPLY CLEANUP(http_reply_done)

struct transport;
struct http_stream;

/* Any HTTP status is success. Errors: ERR_RETRY when no (whole) answer came: refused, reset, timed out, TLS
 * trouble that may pass; ERR_INVALID for a certificate that does not hold or an answer over the cap;
 * ERR_CANCELED when the stop came first. The error's remote http_status is 0. */
struct err *http_call(struct transport *transport, const struct http_request *request, struct stop *stop,
                      struct http_reply *ret_reply) MUST_USE;

/* Starts a long answer and waits for its head; ret_reply has status and headers, and the body too when the
 * status is not 200. timeout_ms bounds the head only. The stream is freed with http_close() in any case but
 * an error. */
struct err *http_open(struct transport *transport, const struct http_request *request, struct stop *stop,
                      struct http_reply *ret_reply, struct http_stream **ret_stream) MUST_USE;
/* Appends what has come, waiting for at least one byte until `deadline_ms` (sched_now_ms of the transport's
 * scheduler). *ret_end is true when the server has ended the answer. ERR_RETRY: connection lost, or nothing
 * came in time (code "Idle"). */
struct err *http_read(struct http_stream *stream, struct stop *stop, int64_t deadline_ms, struct buf *out,
                      bool *ret_end) MUST_USE;
void http_close(struct http_stream *stream);

void transport_free(struct transport *transport);

/* libcurl with a multi handle of its own, HTTP/1.1. `sched` gives the time for deadlines. Headers are the
 * caller's, plus Host and Content-Length (and Accept-Encoding on demand). A request that may have reached the
 * server is never sent again by the library, except GET and HEAD on a connection that turned out dead. Call
 * transport_curl_init() once, before threads: it also has SIGPIPE ignored. */
void transport_curl_init(void);
struct transport *transport_curl_new(struct sched *sched);

/* For implementers. */
struct transport_ops {
    struct err *(*call)(struct transport *self, const struct http_request *request, struct stop *stop,
                        struct http_reply *ret);
    struct err *(*open)(struct transport *self, const struct http_request *request, struct stop *stop,
                        struct http_reply *ret, struct http_stream **ret_stream);
    struct err *(*read)(struct http_stream *stream, struct stop *stop, int64_t deadline_ms, struct buf *out,
                        bool *ret_end);
    void (*close)(struct http_stream *stream);
    void (*free)(struct transport *self);
};
struct transport {
    const struct transport_ops *ops;
};
struct http_stream {
    struct transport *transport;
};
/* Appends one header (name is lower-cased). */
void http_reply_add_header(struct http_reply *reply, struct str name, struct str value);

#endif
