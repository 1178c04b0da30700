#include "hack/awssim/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include "pkg/base/lock.h"

#define MAX_BODY (8 * MIB)
#define MAX_CONNECTIONS 1000
#define IDLE_SECONDS 75

struct server {
    struct sim *sim; /* lock */
    struct sched *sched;
    struct MHD_Daemon *daemon;
    struct stop *stop;
    pthread_mutex_t lock;
    double time_scale;
    int64_t start_ms, started_at_ms;
};

/* What arrives of one request. The target is kept as it was sent: what the library decodes cannot be signed
 * any more. */
struct incoming {
    struct server *server;
    char *target;
    struct buf body;
    bool begun;
    struct sim_header *headers;
    size_t header_count;
    struct sim_reply reply;
};

static void *take_target(void *arg, const char *uri, struct MHD_Connection *connection)
{
    struct incoming *incoming = xcalloc(1, sizeof(*incoming));

    (void)connection;
    incoming->server = arg;
    incoming->target = xstrdup(uri);
    incoming->body = BUF_MAX(MAX_BODY);
    return incoming;
}

/* Off: the URL is passed on as it is. */
static size_t keep_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg;
    (void)connection;
    return strlen(text);
}

static void request_done(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct incoming *incoming = *state;

    (void)arg;
    (void)connection;
    (void)code;
    if (!incoming)
        return;
    xfree(incoming->target);
    buf_done(&incoming->body);
    xfree(incoming->headers);
    sim_reply_done(&incoming->reply);
    xfree(incoming);
    *state = NULL;
}

static enum MHD_Result add_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct incoming *incoming = arg;

    (void)kind;
    incoming->headers = xgrow(incoming->headers, incoming->header_count, sizeof(struct sim_header));
    incoming->headers[incoming->header_count++] =
        (struct sim_header){.name = name, .value = value ? value : ""};
    return MHD_YES;
}

static int64_t world_ms(const struct server *server)
{
    double elapsed = (double)(sched_now_ms(server->sched) - server->started_at_ms);

    return server->start_ms + (int64_t)(elapsed * server->time_scale);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct sim_reply *reply)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body_len, reply->body, MHD_RESPMEM_MUST_COPY);

    for (size_t i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- long polls ---- */

static void wake_spot(void *arg)
{
    sched_wake(arg);
}

/* When the world clock reads `look_ms`; a world that stands still gets there only when it is told. */
static int64_t real_ms_of(const struct server *server, int64_t look_ms)
{
    if (look_ms == NEVER_MS || server->time_scale <= 0)
        return NEVER_MS;
    return server->started_at_ms + (int64_t)((double)(look_ms - server->start_ms) / server->time_scale) + 1;
}

static void handle(struct server *server, const struct sim_request *request, struct sim_watch *watch,
                   struct sim_reply *reply)
{
    LOCK_SCOPE(&server->lock);
    awssim_handle(server->sim, request, sched_wall_ms(server->sched), world_ms(server), reply);
    watch->look_ms = reply->look_ms;
    if (reply->wait_ms)
        awssim_watch(server->sim, watch);
}

static void unwatch(struct server *server, struct sim_watch *watch)
{
    LOCK_SCOPE(&server->lock);
    awssim_unwatch(server->sim, watch);
}

/* Asks until there is an answer, or the poll's time is over. */
static void ask(struct server *server, struct sim_request *request, struct sim_reply *reply)
{
    struct spot *spot = sched_spot_new(server->sched);
    struct stop_subscription *subscription = stop_subscribe(server->stop, wake_spot, spot);
    struct sim_watch watch = {.wake = wake_spot, .arg = spot};
    int64_t began_ms = sched_now_ms(server->sched);

    for (handle(server, request, &watch, reply); reply->wait_ms; handle(server, request, &watch, reply)) {
        int64_t deadline_ms = began_ms + reply->wait_ms, look_ms = real_ms_of(server, reply->look_ms);

        sched_park(spot, look_ms < deadline_ms ? look_ms : deadline_ms);
        unwatch(server, &watch);
        bool is_over = sched_now_ms(server->sched) >= deadline_ms || stop_requested(server->stop);
        request->attempt = is_over ? SIM_LAST : SIM_AGAIN;
    }
    stop_unsubscribe(subscription);
    sched_spot_free(spot);
}

static enum MHD_Result answer(struct incoming *incoming, struct MHD_Connection *connection,
                              const char *method)
{
    struct server *server = incoming->server;
    struct sim_reply *reply = &incoming->reply;

    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, incoming);
    struct sim_request request = {.method = method,
                                  .target = incoming->target,
                                  .headers = incoming->headers,
                                  .header_count = incoming->header_count,
                                  .body = buf_str(&incoming->body)};
    ask(server, &request, reply);
    if (reply->delay_ms > 0)
        sched_wait_until(server->sched, server->stop, sched_now_ms(server->sched) + reply->delay_ms);
    return reply->drop == SIM_KEEP ? send_reply(connection, reply) : MHD_NO; /* NO closes the connection */
}

static enum MHD_Result too_large(struct MHD_Connection *connection)
{
    struct sim_reply reply = {.status = 413};

    return send_reply(connection, &reply);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data, size_t *data_len,
                                  void **state)
{
    struct incoming *incoming = *state;

    (void)arg;
    (void)url;
    (void)version;
    if (!incoming->begun) { /* the headers only */
        incoming->begun = true;
        return MHD_YES;
    }
    if (*data_len) {
        buf_add(&incoming->body, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }
    return incoming->body.overflow ? too_large(connection) : answer(incoming, connection, method);
}

static struct err *listen_on(struct server *server, const struct server_options *options)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};

    if (inet_pton(AF_INET, options->address, &address.sin_addr) != 1)
        return err_new(ERR_INVALID, "%s is not an IPv4 address", options->address);
    server->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, options->port, NULL,
        NULL, on_request, server, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_URI_LOG_CALLBACK, take_target,
        server, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED, request_done,
        NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_SECONDS, MHD_OPTION_END);
    if (!server->daemon)
        return err_errno(ERR_RETRY, errno, "listen on %s:%u", options->address, (unsigned)options->port);
    return NULL;
}

struct err *server_start(struct sim *sim, struct sched *sched, const struct server_options *options,
                         struct server **ret)
{
    struct server *server = xcalloc(1, sizeof(*server));

    server->sim = sim;
    server->sched = sched;
    server->stop = stop_new();
    server->time_scale = options->time_scale;
    server->start_ms = options->start_ms;
    server->started_at_ms = sched_now_ms(sched);
    pthread_mutex_init(&server->lock, NULL);
    struct err *err = listen_on(server, options);
    if (err) {
        server_stop(server);
        return err;
    }
    *ret = server;
    return NULL;
}

uint16_t server_port(const struct server *server)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);

    return info ? info->port : 0;
}

void server_stop(struct server *server)
{
    if (!server)
        return;
    stop_request(server->stop);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    pthread_mutex_destroy(&server->lock);
    stop_free(server->stop);
    xfree(server);
}
