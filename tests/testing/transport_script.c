#include "tests/testing/transport_script.h"

#include "pkg/base/files.h"
#include "pkg/base/json.h"
#include "pkg/base/lock.h"
#include "pkg/http/url.h"
#include "tests/testing/assertions.h"

#define TEXT_MAX (64 * MIB)
#define DEFAULT_TIMEOUT_MS SECONDS(30)
#define DEFAULT_REPLY_MAX (8 * MIB)

struct row {
    const struct exchange *exchange;
    int used;
};

struct script {
    pthread_mutex_t lock;
    struct sched *sched; /* immutable */
    bool any_order;      /* immutable */
    struct row *rows;    /* lock */
    size_t row_count;    /* lock */
    struct sent **sent;  /* lock; the items stay where they are */
    size_t sent_count;   /* lock */
    struct buf faults;   /* lock */
};

struct script_transport {
    struct transport base;
    struct script *script;
};

struct script_stream {
    struct http_stream base;
    struct script *script;
    const struct exchange *exchange;
    const struct chunk *chunks;
    size_t chunk_count;
    size_t next;
    int64_t ready_ms;   /* when chunks[next] comes; -1: not begun */
    struct chunk whole; /* the only chunk of a row without any */
    char *reply;
};

static const struct transport_ops ops;

struct script *script_new(const struct exchange *rows, size_t count, const struct script_options *options)
{
    struct script *script = xcalloc(1, sizeof(*script));

    pthread_mutex_init(&script->lock, NULL);
    script->faults = BUF_MAX(TEXT_MAX);
    if (options) {
        script->sched = options->sched;
        script->any_order = options->any_order;
    }
    script_add(script, rows, count);
    return script;
}

void script_add(struct script *script, const struct exchange *rows, size_t count)
{
    LOCK_SCOPE(&script->lock);

    for (size_t i = 0; i < count; i++) {
        script->rows = xgrow(script->rows, script->row_count, sizeof(*script->rows));
        script->rows[script->row_count++] = (struct row){.exchange = &rows[i]};
    }
}

struct transport *script_transport(struct script *script)
{
    struct script_transport *self = xcalloc(1, sizeof(*self));

    self->base.ops = &ops;
    self->script = script;
    return &self->base;
}

size_t script_sent_count(struct script *script)
{
    LOCK_SCOPE(&script->lock);

    return script->sent_count;
}

const struct sent *script_sent(struct script *script, size_t index)
{
    LOCK_SCOPE(&script->lock);

    return index < script->sent_count ? script->sent[index] : NULL;
}

/* What a row is called, and what it asks for. */
static void describe_row(const struct exchange *row, struct buf *out)
{
    const char *where = row->path ? row->path : row->url ? row->url : "*";

    buf_addf(out, "%s%s%s %s", row->name ? row->name : "", row->name ? ": " : "",
             row->method ? row->method : "*", where);
    if (row->host)
        buf_addf(out, " at %s", row->host);
}

static void describe_sent(const struct sent *sent, struct buf *out)
{
    buf_addf(out, "%s %s\n%s%s%.*s%s", sent->method, sent->url, sent->headers, sent->body_len ? "\n" : "",
             (int)sent->body_len, sent->body, sent->body_len ? "\n" : "");
}

static void sent_free(struct sent *sent)
{
    xfree((void *)(uintptr_t)sent->method);
    xfree((void *)(uintptr_t)sent->url);
    xfree((void *)(uintptr_t)sent->headers);
    xfree((void *)(uintptr_t)sent->body);
    xfree(sent);
}

static void add_unused(struct script *script)
{
    for (size_t i = 0; i < script->row_count; i++) {
        const struct exchange *row = script->rows[i].exchange;
        int want = row->times ? row->times : 1;

        if (want < 0 || script->rows[i].used >= want)
            continue;
        buf_addf(&script->faults, "exchange %zu was used %d of %d times: ", i + 1, script->rows[i].used,
                 want);
        describe_row(row, &script->faults);
        buf_adds(&script->faults, "\n");
    }
}

char *script_take_faults(struct script *script)
{
    LOCK_SCOPE(&script->lock);

    add_unused(script);
    script->row_count = 0;
    xfree(TAKE(script->rows));
    return buf_take(&script->faults);
}

static void add_history(struct script *script)
{
    buf_addf(&script->faults, "sent in all: %zu\n", script->sent_count);
    for (size_t i = 0; i < script->sent_count; i++)
        buf_addf(&script->faults, "  %zu. %s %s\n", i + 1, script->sent[i]->method, script->sent[i]->url);
}

void script_done(struct script *script)
{
    AUTO_FREE char *faults = NULL;

    if (!script)
        return;
    add_unused(script);
    if (script->faults.len)
        add_history(script);
    faults = buf_take(&script->faults);
    for (size_t i = 0; i < script->sent_count; i++)
        sent_free(script->sent[i]);
    xfree(script->sent);
    xfree(script->rows);
    buf_done(&script->faults);
    pthread_mutex_destroy(&script->lock);
    xfree(script);
    if (*faults) {
        print_error("the script was not followed:\n%s", faults);
        fail();
    }
}

static struct sent *record(struct script *script, const struct http_request *request)
{
    AUTO_BUF struct buf headers = BUF_MAX(TEXT_MAX);
    struct sent *sent = xcalloc(1, sizeof(*sent));

    for (size_t i = 0; i < request->header_count; i++) {
        for (const char *c = request->headers[i].name; *c; c++)
            buf_addc(&headers, *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
        buf_addf(&headers, ": %s\n", request->headers[i].value);
    }
    sent->method = xstrdup(request->method);
    sent->url = xstrdup(request->url);
    sent->headers = buf_take(&headers);
    sent->body = xstrndup(request->body.ptr, request->body.len);
    sent->body_len = request->body.len;
    sent->sensitive = request->sensitive;
    sent->at_ms = script->sched ? sched_now_ms(script->sched) : 0;
    script->sent = xgrow(script->sent, script->sent_count, sizeof(struct sent *));
    script->sent[script->sent_count++] = sent;
    return sent;
}

static bool has_line(const char *lines, const char *part)
{
    struct str rest = str_of(lines), line;

    while (str_cut(&rest, '\n', &line)) {
        if (line.len && str_contains(line, part))
            return true;
    }
    return false;
}

static bool url_differs(const struct exchange *row, const struct sent *sent)
{
    AUTO_FREE char *host = NULL, *target = NULL;
    struct url url;
    struct err *err = url_parse(sent->url, &url);

    if (err) {
        err_ignore(err, "an URL that does not parse fits no row");
        return true;
    }
    host = str_dup(url.host);
    target = row->path && strchr(row->path, '?') && url.query.len
                 ? xasprintf(STR_FMT "?" STR_FMT, STR_ARG(url.path), STR_ARG(url.query))
                 : str_dup(url.path);
    return (row->url && !text_matches(row->url, sent->url)) ||
           (row->host && !text_matches(row->host, host)) || (row->path && !text_matches(row->path, target));
}

static bool json_differs(const char *want_text, const struct sent *sent)
{
    AUTO_JSON struct json *got = NULL, *want = NULL;
    struct err *err = json_parse((struct str){sent->body, sent->body_len}, NULL, &got);

    if (!err)
        err = json_parse(str_of(want_text), NULL, &want);
    if (err) {
        err_ignore(err, "shown as a difference");
        return true;
    }
    return !json_equal(got, want);
}

/* Appends every difference; nothing when the request is what the row asks for. */
static void compare(const struct exchange *row, const struct sent *sent, struct buf *out)
{
    struct str body = {sent->body, sent->body_len};

    if (row->method && !text_equal(row->method, sent->method))
        buf_addf(out, "  method: expected %s, got %s\n", row->method, sent->method);
    if ((row->url || row->host || row->path) && url_differs(row, sent))
        buf_addf(out, "  url: expected %s%s%s, got %s\n", row->host ? row->host : "", row->host ? " " : "",
                 row->path  ? row->path
                 : row->url ? row->url
                            : "",
                 sent->url);
    for (size_t i = 0; i < EXCHANGE_CHECKS_MAX && row->headers[i]; i++) {
        if (!has_line(sent->headers, row->headers[i]))
            buf_addf(out, "  header missing: %s\n", row->headers[i]);
    }
    for (size_t i = 0; i < EXCHANGE_CHECKS_MAX && row->absent[i]; i++) {
        if (has_line(sent->headers, row->absent[i]))
            buf_addf(out, "  header not wanted: %s\n", row->absent[i]);
    }
    if (row->body && !str_is(body, row->body))
        buf_addf(out, "  body: expected %s\n", row->body);
    if (row->body_json && json_differs(row->body_json, sent))
        buf_addf(out, "  body: expected JSON %s\n", row->body_json);
    for (size_t i = 0; i < EXCHANGE_CHECKS_MAX && row->body_contains[i]; i++) {
        if (!str_contains(body, row->body_contains[i]))
            buf_addf(out, "  body lacks: %s\n", row->body_contains[i]);
    }
    for (size_t i = 0; i < EXCHANGE_CHECKS_MAX && row->body_lacks[i]; i++) {
        if (str_contains(body, row->body_lacks[i]))
            buf_addf(out, "  body has: %s\n", row->body_lacks[i]);
    }
}

static bool is_used_up(const struct row *row)
{
    int times = row->exchange->times ? row->exchange->times : 1;

    return times > 0 && row->used >= times;
}

/* In order: the first row with uses left; a row of "as often as asked" steps aside for its successor when it
 * does not fit. */
static struct row *choose(struct script *script, const struct sent *sent, struct buf *differences)
{
    for (size_t i = 0; i < script->row_count; i++) {
        struct row *row = &script->rows[i];
        AUTO_BUF struct buf found = BUF_MAX(TEXT_MAX);

        if (is_used_up(row))
            continue;
        compare(row->exchange, sent, &found);
        if (!found.len)
            return row;
        buf_addf(differences, " exchange %zu ", i + 1);
        describe_row(row->exchange, differences);
        buf_adds(differences, "\n");
        buf_add_str(differences, buf_str(&found));
        if (!script->any_order && row->exchange->times >= 0)
            return NULL;
    }
    return NULL;
}

/* NULL and *ret_err when no row fits. */
static const struct exchange *find_exchange(struct script *script, const struct http_request *request,
                                            struct err **ret_err)
{
    AUTO_BUF struct buf differences = BUF_MAX(TEXT_MAX);
    LOCK_SCOPE(&script->lock);
    struct sent *sent = record(script, request);
    struct row *row = choose(script, sent, &differences);

    if (row) {
        row->used++;
        return row->exchange;
    }
    buf_addf(&script->faults, "request %zu is not in the script%s:\n", script->sent_count,
             differences.len ? "" : " (all exchanges are used up)");
    buf_add_str(&script->faults, buf_str(&differences));
    buf_adds(&script->faults, " the request was: ");
    describe_sent(sent, &script->faults);
    *ret_err = err_new(ERR_INVALID, "script: %s %s was not expected:\n%s", sent->method, sent->url,
                       buf_text(&differences));
    return NULL;
}

static struct err *canceled(void)
{
    return err_new(ERR_CANCELED, "stopped while waiting for the server");
}

static struct err *delay(struct script *script, const struct exchange *row,
                         const struct http_request *request, struct stop *stop)
{
    int64_t timeout_ms = request->timeout_ms ? request->timeout_ms : DEFAULT_TIMEOUT_MS;
    bool late = row->delay_ms >= timeout_ms;

    if (!row->delay_ms)
        return NULL;
    if (script->sched && !sched_wait_until(script->sched, stop,
                                           sched_now_ms(script->sched) + (late ? timeout_ms : row->delay_ms)))
        return canceled();
    if (late)
        return err_new(ERR_RETRY, "no answer within %lld ms", (long long)timeout_ms);
    return NULL;
}

static struct err *load_reply(const struct exchange *row, struct buf *out)
{
    AUTO_FREE char *path = NULL;

    if (row->reply)
        buf_adds(out, row->reply);
    if (!row->reply_file)
        return NULL;
    path = xasprintf("tests/data/%s", row->reply_file);
    return file_read(path, out);
}

static void add_headers(const struct exchange *row, struct http_reply *ret)
{
    for (size_t i = 0; i < EXCHANGE_CHECKS_MAX && row->reply_headers[i]; i++) {
        struct str rest = str_of(row->reply_headers[i]), name;

        if (str_cut(&rest, ':', &name))
            http_reply_add_header(ret, name, str_trim(rest));
    }
}

/* Status and headers, or the failure that the row orders. */
static struct err *answer_head(struct script *script, const struct http_request *request, struct stop *stop,
                               struct http_reply *ret, const struct exchange **ret_row)
{
    const struct exchange *row;
    struct err *err = NULL;

    if (stop_requested(stop))
        return canceled();
    row = find_exchange(script, request, &err);
    if (!row)
        return err;
    if (row->on_request)
        row->on_request(request, row->arg);
    TRY(delay(script, row, request, stop));
    if (row->fail)
        return err_new(row->fail_kind, "%s", row->fail);
    ret->status = row->status ? row->status : 200;
    add_headers(row, ret);
    *ret_row = row;
    return NULL;
}

static struct err *answer_body(const struct exchange *row, const struct http_request *request,
                               struct http_reply *ret)
{
    ret->body.max = request->max_reply_bytes ? request->max_reply_bytes : DEFAULT_REPLY_MAX;
    ret->body.wipe = request->sensitive;
    TRY(load_reply(row, &ret->body));
    if (ret->body.overflow)
        return err_new(ERR_INVALID, "the answer is larger than %zu bytes", ret->body.max);
    return NULL;
}

static struct err *script_call(struct transport *transport, const struct http_request *request,
                               struct stop *stop, struct http_reply *ret)
{
    struct script_transport *self = (struct script_transport *)transport;
    const struct exchange *row = NULL;

    TRY(answer_head(self->script, request, stop, ret, &row));
    return answer_body(row, request, ret);
}

static void fill_stream(struct script_stream *stream, const struct exchange *row, struct buf *body)
{
    stream->exchange = row;
    stream->ready_ms = -1;
    if (row->chunk_count) {
        stream->chunks = row->chunks;
        stream->chunk_count = row->chunk_count;
        return;
    }
    if (!body->len)
        return;
    stream->reply = buf_take(body);
    stream->whole.bytes = stream->reply;
    stream->chunks = &stream->whole;
    stream->chunk_count = 1;
}

static struct err *script_open(struct transport *transport, const struct http_request *request,
                               struct stop *stop, struct http_reply *ret, struct http_stream **ret_stream)
{
    struct script_transport *self = (struct script_transport *)transport;
    AUTO_BUF struct buf body = BUF_MAX(TEXT_MAX);
    const struct exchange *row = NULL;
    struct script_stream *stream;

    TRY(answer_head(self->script, request, stop, ret, &row));
    if (ret->status != 200)
        TRY(answer_body(row, request, ret));
    else
        TRY(load_reply(row, &body));
    stream = xcalloc(1, sizeof(*stream));
    stream->base.transport = transport;
    stream->script = self->script;
    if (ret->status == 200)
        fill_stream(stream, row, &body);
    *ret_stream = &stream->base;
    return NULL;
}

static struct err *idle_error(void)
{
    return err_set_remote(err_new(ERR_RETRY, "nothing came in time"), &(struct err_remote){.code = "Idle"});
}

/* Waits until the next chunk is due. */
static struct err *wait_for_chunk(struct script_stream *stream, struct stop *stop, int64_t deadline_ms)
{
    struct script *script = stream->script;
    const struct chunk *chunk = &stream->chunks[stream->next];
    int64_t now_ms;

    if (!script->sched)
        return chunk->idle ? idle_error() : NULL;
    now_ms = sched_now_ms(script->sched);
    if (stream->ready_ms < 0)
        stream->ready_ms = chunk->idle ? NEVER_MS : now_ms + chunk->after_ms;
    if (stream->ready_ms <= now_ms)
        return NULL;
    if (!sched_wait_until(script->sched, stop,
                          stream->ready_ms < deadline_ms ? stream->ready_ms : deadline_ms))
        return canceled();
    return sched_now_ms(script->sched) >= stream->ready_ms ? NULL : idle_error();
}

static struct err *script_read(struct http_stream *base, struct stop *stop, int64_t deadline_ms,
                               struct buf *out, bool *ret_end)
{
    struct script_stream *stream = (struct script_stream *)base;
    const struct chunk *chunk;

    if (stop_requested(stop))
        return canceled();
    *ret_end = stream->next >= stream->chunk_count;
    if (*ret_end)
        return NULL;
    TRY(wait_for_chunk(stream, stop, deadline_ms));
    chunk = &stream->chunks[stream->next];
    if (chunk->fail)
        return err_new(chunk->fail_kind, "%s", chunk->fail);
    buf_adds(out, chunk->bytes ? chunk->bytes : "");
    stream->next++;
    stream->ready_ms = -1;
    return NULL;
}

static void script_close(struct http_stream *base)
{
    struct script_stream *stream = (struct script_stream *)base;

    xfree(stream->reply);
    xfree(stream);
}

static void script_free(struct transport *transport)
{
    xfree(transport);
}

static const struct transport_ops ops = {
    .call = script_call,
    .open = script_open,
    .read = script_read,
    .close = script_close,
    .free = script_free,
};
