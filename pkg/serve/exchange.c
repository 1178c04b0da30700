/* One request and its answer, as libwebsockets tells it: all on the server's thread. */
#include "pkg/serve/serve_priv.h"

#define PATH_MAX_BYTES 1024
#define QUERY_MAX_BYTES 1024
#define ACCEPT_MAX_BYTES 1024
#define HEAD_BYTES 1024
#define CHUNK_BYTES 16384
#define SEND_WITHIN_S 10
#define GRACE_MS SECONDS(1)

enum status { OK = 200, NOT_FOUND = 404, WRONG_METHOD = 405, TOO_LONG = 414, BROKEN = 500 };

struct exchange {
    struct server *server;
    struct serve_answer answer;
    size_t sent;
    bool head_only, close_after;
};

struct connection { /* kept by libwebsockets, zeroed at birth */
    struct exchange *exchange;
};

static struct server *server_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

static struct port *port_of(struct lws *wsi)
{
    return lws_vhost_user(lws_get_vhost(wsi));
}

static void drop(struct connection *connection)
{
    struct exchange *exchange = connection ? TAKE(connection->exchange) : NULL;

    if (!exchange)
        return;
    exchange->server->under_way--;
    buf_done(&exchange->answer.body);
    xfree(exchange);
}

/* --- reading --- */

/* What libwebsockets has cut at each "&", whole again. */
static bool read_query(struct lws *wsi, struct buf *out)
{
    char part[QUERY_MAX_BYTES];
    int len;

    for (int i = 0; lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS) > 0; i++) {
        len = lws_hdr_copy_fragment(wsi, part, sizeof(part), WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len == -1)
            break;
        if (len < 0)
            return false;
        if (out->len)
            buf_addc(out, '&');
        buf_add(out, part, (size_t)len);
    }
    return !out->overflow;
}

static void make_answer(struct exchange *exchange, const struct port *port,
                        const struct serve_request *request)
{
    struct serve_answer *answer = &exchange->answer;

    port->listener.answer(port->listener.arg, request, answer);
    if (!answer->body.overflow)
        return;
    buf_reset(&answer->body);
    answer->status = BROKEN;
}

/* Fills the answer in; a request that we do not like gets a status alone. */
static void answer(struct lws *wsi, struct exchange *exchange, const char *path)
{
    AUTO_BUF struct buf query = BUF_MAX(QUERY_MAX_BYTES);
    const struct port *port = port_of(wsi);
    char accept[ACCEPT_MAX_BYTES] = "";
    char *uri;
    int uri_len, method = lws_http_get_uri_and_method(wsi, &uri, &uri_len);

    exchange->head_only = method == LWSHUMETH_HEAD;
    if (method != LWSHUMETH_GET && method != LWSHUMETH_HEAD) {
        exchange->answer.status = WRONG_METHOD;
        exchange->close_after = true; /* a body may follow that nobody reads */
    } else if (strlen(path) > PATH_MAX_BYTES || !read_query(wsi, &query)) {
        exchange->answer.status = TOO_LONG;
    } else {
        if (lws_hdr_copy(wsi, accept, sizeof(accept), WSI_TOKEN_HTTP_ACCEPT) < 0)
            accept[0] = '\0';
        make_answer(exchange, port,
                    &(struct serve_request){.path = path, .query = buf_text(&query), .accept = accept});
    }
    if (exchange->answer.status != OK && !exchange->answer.body.len)
        buf_addf(&exchange->answer.body, "%d\n", exchange->answer.status);
}

/* --- writing --- */

static int send_head(struct lws *wsi, const struct exchange *exchange)
{
    unsigned char room[LWS_PRE + HEAD_BYTES], *start = room + LWS_PRE, *at = start,
                                              *end = room + sizeof(room) - 1;
    const struct serve_answer *answer = &exchange->answer;

    if (lws_add_http_common_headers(wsi, (unsigned)answer->status, answer->content_type, answer->body.len,
                                    &at, end) ||
        lws_add_http_header_by_name(wsi, (const unsigned char *)"x-content-type-options:",
                                    (const unsigned char *)"nosniff", 7, &at, end) ||
        lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CACHE_CONTROL, (const unsigned char *)"no-store", 8,
                                     &at, end))
        return -1;
    return lws_finalize_write_http_header(wsi, start, &at, end);
}

static int finish(struct lws *wsi, struct connection *connection)
{
    bool close = connection->exchange->close_after || connection->exchange->server->stop_seen;

    drop(connection);
    return close || lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int go_on(struct lws *wsi, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    unsigned char room[LWS_PRE + CHUNK_BYTES];
    size_t left;
    bool last;

    if (!exchange)
        return 0;
    if (exchange->head_only)
        return finish(wsi, connection);
    left = exchange->answer.body.len - exchange->sent;
    last = left <= CHUNK_BYTES;
    if (!last)
        left = CHUNK_BYTES;
    if (left)
        memcpy(room + LWS_PRE, exchange->answer.body.data + exchange->sent, left);
    if (lws_write(wsi, room + LWS_PRE, left, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)left)
        return -1;
    exchange->sent += left;
    if (last)
        return finish(wsi, connection);
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, SEND_WITHIN_S);
    lws_callback_on_writable(wsi);
    return 0;
}

static int begin(struct lws *wsi, struct connection *connection, const char *path)
{
    struct exchange *exchange = xcalloc(1, sizeof(*exchange));

    drop(connection);
    exchange->server = server_of(wsi);
    exchange->server->under_way++;
    exchange->answer = (struct serve_answer){
        .status = OK, .content_type = "text/plain; charset=utf-8", .body = BUF_MAX(SERVE_BODY_MAX)};
    connection->exchange = exchange;
    answer(wsi, exchange, path);
    if (send_head(wsi, exchange))
        return -1;
    if (exchange->close_after) /* libwebsockets waits for a body now, and would not tell when to write */
        return go_on(wsi, connection);
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, SEND_WITHIN_S);
    lws_callback_on_writable(wsi);
    return 0;
}

/* --- what libwebsockets tells --- */

struct told {
    struct lws *wsi;
    struct connection *connection;
    void *user, *in;
};

static int on_request(const struct told *told)
{
    return begin(told->wsi, told->connection, told->in);
}

static int on_writeable(const struct told *told)
{
    return go_on(told->wsi, told->connection);
}

static int on_gone(const struct told *told)
{
    drop(told->connection);
    return 0;
}

/* Before anything is kept for a new connection. */
static int on_knock(const struct told *told)
{
    const struct port *port = port_of(told->wsi);

    return port->connections >= port->server->max_connections || port->server->stop_seen;
}

static int on_connected(const struct told *told)
{
    struct port *port = port_of(told->wsi);

    lws_set_opaque_user_data(told->wsi, port);
    port->connections++;
    return 0;
}

/* Also told of what is no connection of a client. */
static int on_destroyed(const struct told *told)
{
    struct port *port = lws_get_opaque_user_data(told->wsi);

    if (port)
        port->connections--;
    return 0;
}

static int on_tls_made(const struct told *told)
{
    struct server *server = server_of(told->wsi);

    for (size_t i = 0; i < server->port_count; i++) {
        if (lws_vhost_user(told->in) == &server->ports[i])
            server->ports[i].tls = told->user;
    }
    return 0;
}

static void grace_is_over(lws_sorted_usec_list_t *grace)
{
    lws_container_of(grace, struct server, grace)->grace_over = true;
}

/* Somebody called serve_stop(). */
static int on_woken(const struct told *told)
{
    struct server *server = server_of(told->wsi);

    if (!atomic_load(&server->stopping) || server->stop_seen)
        return 0;
    server->stop_seen = true;
    lws_sul_schedule(server->context, 0, &server->grace, grace_is_over, GRACE_MS * LWS_US_PER_MS);
    return 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    static const struct {
        enum lws_callback_reasons reason;
        int (*fn)(const struct told *told);
    } rows[] = {
        {LWS_CALLBACK_HTTP, on_request},
        {LWS_CALLBACK_HTTP_WRITEABLE, on_writeable},
        {LWS_CALLBACK_CLOSED_HTTP, on_gone},
        {LWS_CALLBACK_HTTP_DROP_PROTOCOL, on_gone},
        {LWS_CALLBACK_FILTER_NETWORK_CONNECTION, on_knock},
        {LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED, on_connected},
        {LWS_CALLBACK_WSI_DESTROY, on_destroyed},
        {LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS, on_tls_made},
        {LWS_CALLBACK_EVENT_WAIT_CANCELLED, on_woken},
    };
    const struct told told = {.wsi = wsi, .connection = user, .user = user, .in = in};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].reason == reason)
            return rows[i].fn(&told);
    }
    return lws_callback_http_dummy(wsi, reason, user, in, len);
}

const struct lws_protocols exchange_protocols[] = {
    {.name = "http", .callback = callback, .per_session_data_size = sizeof(struct connection)}, {0}};
