/* Shared by the files of the libcurl transport; the only header that knows the library. */
#ifndef HTTP_TRANSPORT_CURL_PRIV_H
#define HTTP_TRANSPORT_CURL_PRIV_H

#include <curl/curl.h>
#include <netinet/in.h>

#include "pkg/http/transport.h"

/* One request and its answer, from curl_multi_add_handle() to its removal. */
struct transfer {
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    char error[CURL_ERROR_SIZE];
    char *server;                    /* "host:port", for error texts */
    int port;                        /* of the server */
    char peer[INET6_ADDRSTRLEN + 8]; /* "address:port" that was connected to last; "": none */
    int peer_port;
    bool is_stream;
    bool is_idempotent;
    int sends; /* how often libcurl has (re)sent the request */

    struct http_reply reply;
    size_t head_bytes;
    bool head_done;
    struct buf pending;    /* of a stream: come, but not read yet */
    bool paused;           /* pending was full enough; libcurl holds the rest back */
    const char *too_large; /* what went over its cap */
    size_t cap;

    bool done;
    CURLcode result;
};

/* Tells `easy` all about the request. Borrows the request's body unless it is a stream's. */
struct err *transfer_set_up(struct transfer *transfer, const struct http_request *request) MUST_USE;

/* What went wrong, as a sentence; NULL when `result` is fine. */
struct err *transfer_error(struct transfer *transfer) MUST_USE;

#endif
