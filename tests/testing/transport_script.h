/* A transport that plays a table of exchanges: what must be asked, and what is then answered.
 *
 * Rows are played in order (or, with .any_order, each request takes the first unused row that fits). A
 * request that no row expects, and a row that no request used, fail the test in script_done(), with both
 * sides printed. The request itself then gets ERR_INVALID "script: ...". Threads: any number of transports
 * may play one script; delays and idle streams park on the script's scheduler. */
#ifndef TESTING_TRANSPORT_SCRIPT_H
#define TESTING_TRANSPORT_SCRIPT_H

#include "pkg/base/sched.h"
#include "pkg/http/transport.h"

/* One piece of a streamed answer. */
struct chunk {
    const char *bytes;
    int64_t after_ms;        /* waits before it comes */
    const char *fail;        /* instead of bytes: the stream breaks with this text */
    enum err_kind fail_kind; /* of .fail; zero is ERR_RETRY */
    bool idle;               /* instead of bytes: nothing more ever comes */
};
/* .chunks and .chunk_count of a row: CHUNKS({.bytes = "{"}, {.bytes = "}\n"}, {.idle = true}). The server
 * ends the answer after the last one. */
#define CHUNKS(...)                                \
    .chunks = (const struct chunk[]){__VA_ARGS__}, \
    .chunk_count = sizeof((const struct chunk[]){__VA_ARGS__}) / sizeof(struct chunk)

#define EXCHANGE_CHECKS_MAX 12

struct exchange {
    const char *name; /* for reports; "METHOD path" without one */

    /* The request. What is left out is not looked at. */
    const char *method;
    const char *url;  /* whole; `*` stands for anything */
    const char *host; /* of the URL, without the port */
    const char *path; /* of the URL; with its query when this has a `?`; `*` stands for anything */
    const char
        *headers[EXCHANGE_CHECKS_MAX]; /* each must be part of one line "name: value" (names in lower case) */
    const char *absent[EXCHANGE_CHECKS_MAX]; /* no line may contain this */
    const char *body;                        /* exact */
    const char *body_json;                   /* equal as JSON */
    const char *body_contains[EXCHANGE_CHECKS_MAX];
    const char *body_lacks[EXCHANGE_CHECKS_MAX];

    /* The answer. */
    int status;                                     /* 0: 200 */
    const char *reply_headers[EXCHANGE_CHECKS_MAX]; /* "etag: abc" */
    const char *reply;
    const char *reply_file;  /* below tests/data/ */
    const char *fail;        /* instead of an answer: the call fails with this text */
    enum err_kind fail_kind; /* of .fail; zero is ERR_RETRY */
    int64_t delay_ms; /* before the answer; at the request's own time-out it fails as the real one would */
    const struct chunk *chunks; /* for http_open(); without any, .reply is the whole stream */
    size_t chunk_count;

    int times; /* 0: once; n: n times; -1: as often as asked, also never */
    void (*on_request)(const struct http_request *request,
                       void *arg); /* called when the row was chosen, no lock held */
    void *arg;
};

struct script_options {
    struct sched
        *sched; /* for delays and idle streams; NULL: a delay is skipped and an idle stream fails at once */
    bool any_order;
};

/* What was sent. */
struct sent {
    const char *method;
    const char *url;
    const char *headers; /* "name: value\n" each, names in lower case */
    const char *body;
    size_t body_len;
    bool sensitive;
    int64_t at_ms; /* sched_now_ms(), 0 without a scheduler */
};

struct script;

/* Borrows the rows and what they point to. `options` may be NULL. */
struct script *script_new(const struct exchange *rows, size_t count, const struct script_options *options);
/* A transport that plays this script; freed with transport_free() before script_done(). */
struct transport *script_transport(struct script *script);
/* Appends rows, e.g. in the middle of a test. */
void script_add(struct script *script, const struct exchange *rows, size_t count);
size_t script_sent_count(struct script *script);
/* Lives as long as the script; NULL past the end. */
const struct sent *script_sent(struct script *script, size_t index);
/* For tests of the script itself: gives all faults so far, unused rows among them, and forgets them and the
 * rows. Yours. */
char *script_take_faults(struct script *script);
/* Fails the test when something did not go by the script. Frees the script in any case. NULL is fine. */
void script_done(struct script *script);

#endif
