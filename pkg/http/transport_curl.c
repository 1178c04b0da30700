/* One multi handle per transport. Waiting happens in curl_multi_poll() alone, which a stop wakes through
 * curl_multi_wakeup(). Time-outs of a request are libcurl's own (real time); only the deadlines of
 * http_read() come from the scheduler. */
#include <signal.h>
#include <stdlib.h>

#include "pkg/http/transport_curl_priv.h"

#define CONNECTIONS_KEPT 32L
#define IDLE_HANDLES 4
#define POLL_MAX_MS 10000 /* the machine may be suspended: the deadline passes, and poll() waits on */

struct curl_transport {
    struct transport base;
    struct sched *sched;
    CURLM *multi;
    CURL *idle[IDLE_HANDLES]; /* reset and ready for the next request */
    size_t idle_count;
};

struct curl_stream {
    struct http_stream base;
    struct transfer transfer;
};

/* --- memory: libcurl is handed tokens and keys, so its blocks are wiped --- */

static void *lib_malloc(size_t size)
{
    return xmalloc(size);
}

static void *lib_calloc(size_t count, size_t size)
{
    return xcalloc(count, size);
}

static char *lib_strdup(const char *text)
{
    return xstrdup(text);
}

void transport_curl_init(void)
{
    /* OpenSSL writes to sockets without MSG_NOSIGNAL: a peer that hangs up must not end the process. */
    signal(SIGPIPE, SIG_IGN);
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, lib_malloc, xfree_wiped, xrealloc_wiped, lib_strdup,
                             lib_calloc) != CURLE_OK)
        abort();
}

/* --- one transfer --- */

static CURL *take_handle(struct curl_transport *self)
{
    CURL *easy;

    if (self->idle_count)
        return self->idle[--self->idle_count];
    easy = curl_easy_init();
    if (!easy)
        abort(); /* only memory can be missing */
    return easy;
}

static void give_handle(struct curl_transport *self, CURL *easy)
{
    if (self->idle_count == IDLE_HANDLES) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    self->idle[self->idle_count++] = easy;
}

/* Idempotent. An unfinished transfer loses its connection. */
static void transfer_done(struct curl_transport *self, struct transfer *transfer)
{
    if (!transfer->easy)
        return;
    curl_multi_remove_handle(self->multi, transfer->easy);
    give_handle(self, TAKE(transfer->easy));
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->connect_to);
    http_reply_done(&transfer->reply);
    buf_done(&transfer->pending);
    xfree(transfer->server);
    *transfer = (struct transfer){0};
}

static struct err *transfer_begin(struct curl_transport *self, struct transfer *transfer,
                                  const struct http_request *request)
{
    transfer->easy = take_handle(self);
    TRY(transfer_set_up(transfer, request));
    if (curl_multi_add_handle(self->multi, transfer->easy) != CURLM_OK)
        return err_new(ERR_RETRY, "exchange with %s cannot be started", transfer->server);
    return NULL;
}

/* --- the loop --- */

static void wake_multi(void *multi)
{
    curl_multi_wakeup(multi);
}

static void collect_results(CURLM *multi)
{
    int left = 0;

    for (CURLMsg *message = curl_multi_info_read(multi, &left); message;
         message = curl_multi_info_read(multi, &left)) {
        struct transfer *transfer = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        transfer->done = true;
        transfer->result = message->data.result;
    }
}

static int poll_ms(struct sched *sched, int64_t deadline_ms)
{
    int64_t left_ms;

    if (deadline_ms == NEVER_MS)
        return POLL_MAX_MS;
    left_ms = sched_real_ms(sched, deadline_ms - sched_now_ms(sched));
    return left_ms < 0 ? 0 : left_ms > POLL_MAX_MS ? POLL_MAX_MS : (int)left_ms;
}

static bool is_done(const struct transfer *transfer)
{
    return transfer->done;
}

static bool has_head(const struct transfer *transfer)
{
    return transfer->done || (transfer->head_done && transfer->reply.status == 200);
}

static bool has_bytes(const struct transfer *transfer)
{
    return transfer->done || transfer->pending.len;
}

/* Runs all transfers until `ready` says so of this one, or the deadline is reached: then *ret_late. */
static struct err *run(struct curl_transport *self, const struct transfer *transfer,
                       bool (*ready)(const struct transfer *transfer), struct stop *stop, int64_t deadline_ms,
                       bool *ret_late)
{
    *ret_late = false;
    for (;;) {
        int running = 0;
        CURLMcode code = curl_multi_perform(self->multi, &running);
        int wait_ms;

        collect_results(self->multi);
        if (ready(transfer))
            return NULL;
        if (stop_requested(stop))
            return err_new(ERR_CANCELED, "stopped while waiting for %s", transfer->server);
        wait_ms = poll_ms(self->sched, deadline_ms);
        *ret_late = wait_ms == 0;
        if (*ret_late)
            return NULL;
        if (code == CURLM_OK)
            code = curl_multi_poll(self->multi, NULL, 0, wait_ms, NULL);
        if (code != CURLM_OK)
            return err_new(ERR_RETRY, "exchange with %s: %s", transfer->server, curl_multi_strerror(code));
    }
}

static struct err *wait_for(struct curl_transport *self, const struct transfer *transfer,
                            bool (*ready)(const struct transfer *transfer), struct stop *stop,
                            int64_t deadline_ms, bool *ret_late)
{
    struct stop_subscription *subscription = stop_subscribe(stop, wake_multi, self->multi);
    struct err *err = run(self, transfer, ready, stop, deadline_ms, ret_late);

    stop_unsubscribe(subscription);
    return err;
}

/* --- the operations --- */

static struct curl_transport *transport_of(struct transport *transport)
{
    return (struct curl_transport *)transport;
}

static void take_reply(struct transfer *transfer, struct http_reply *ret)
{
    *ret = transfer->reply;
    transfer->reply = (struct http_reply){0};
}

static struct err *exchange(struct curl_transport *self, struct transfer *transfer,
                            const struct http_request *request,
                            bool (*ready)(const struct transfer *transfer), struct stop *stop)
{
    bool late;

    TRY(transfer_begin(self, transfer, request));
    TRY(wait_for(self, transfer, ready, stop, NEVER_MS, &late));
    return transfer->done ? transfer_error(transfer) : NULL;
}

static struct err *do_call(struct transport *base, const struct http_request *request, struct stop *stop,
                           struct http_reply *ret)
{
    struct curl_transport *self = transport_of(base);
    struct transfer transfer = {0};
    struct err *err = exchange(self, &transfer, request, is_done, stop);

    if (!err)
        take_reply(&transfer, ret);
    transfer_done(self, &transfer);
    return err;
}

static void do_close(struct http_stream *base)
{
    struct curl_stream *stream = (struct curl_stream *)base;

    transfer_done(transport_of(base->transport), &stream->transfer);
    xfree(stream);
}

static struct err *do_open(struct transport *base, const struct http_request *request, struct stop *stop,
                           struct http_reply *ret, struct http_stream **ret_stream)
{
    struct curl_transport *self = transport_of(base);
    struct curl_stream *stream = xcalloc(1, sizeof(*stream));
    struct err *err;

    stream->base.transport = base;
    stream->transfer.is_stream = true;
    err = exchange(self, &stream->transfer, request, has_head, stop);
    if (err) {
        do_close(&stream->base);
        return err;
    }
    curl_easy_setopt(stream->transfer.easy, CURLOPT_TIMEOUT_MS, 0L); /* it was for the head */
    take_reply(&stream->transfer, ret);
    stream->transfer.reply.status = ret->status;
    *ret_stream = &stream->base;
    return NULL;
}

/* Moves what fits. The reader's buffer being full for good is its own fault, and must not look like a quiet
 * server. */
static struct err *take_pending(struct transfer *transfer, struct buf *out)
{
    size_t room = out->overflow || out->len >= out->max ? 0 : out->max - out->len;
    size_t count = transfer->pending.len < room ? transfer->pending.len : room;

    if (!transfer->pending.len)
        return NULL;
    if (!room)
        return err_new(ERR_INVALID, "the stream from %s does not fit into %zu bytes", transfer->server,
                       out->max);
    buf_add(out, transfer->pending.data, count);
    buf_drop(&transfer->pending, count);
    return NULL;
}

static struct err *idle_error(const struct transfer *transfer)
{
    struct err *err = err_new(ERR_RETRY, "nothing came from %s in time", transfer->server);

    return err_set_remote(err, &(struct err_remote){.code = "Idle"});
}

static struct err *do_read(struct http_stream *base, struct stop *stop, int64_t deadline_ms, struct buf *out,
                           bool *ret_end)
{
    struct curl_stream *stream = (struct curl_stream *)base;
    struct transfer *transfer = &stream->transfer;
    bool late = false;

    if (stop_requested(stop))
        return err_new(ERR_CANCELED, "stopped while reading from %s", transfer->server);
    if (transfer->paused && !transfer->pending.len) {
        transfer->paused = false;
        curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    }
    if (!transfer->pending.len)
        TRY(wait_for(transport_of(base->transport), transfer, has_bytes, stop, deadline_ms, &late));
    if (late)
        return idle_error(transfer);
    if (transfer->done && !transfer->pending.len)
        TRY(transfer_error(transfer));
    TRY(take_pending(transfer, out));
    *ret_end = transfer->done && transfer->result == CURLE_OK && !transfer->pending.len;
    return NULL;
}

static void do_free(struct transport *base)
{
    struct curl_transport *self = transport_of(base);

    while (self->idle_count)
        curl_easy_cleanup(self->idle[--self->idle_count]);
    curl_multi_cleanup(self->multi);
    xfree(self);
}

struct transport *transport_curl_new(struct sched *sched)
{
    static const struct transport_ops ops = {
        .call = do_call,
        .open = do_open,
        .read = do_read,
        .close = do_close,
        .free = do_free,
    };
    struct curl_transport *self = xcalloc(1, sizeof(*self));

    self->base.ops = &ops;
    self->sched = sched;
    self->multi = curl_multi_init();
    if (!self->multi)
        abort(); /* only memory or descriptors can be missing */
    curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    return &self->base;
}
