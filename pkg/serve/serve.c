#include "pkg/serve/serve_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 32
#define RELOAD_MS SECONDS(10)
#define REQUEST_HEAD_BYTES 4096
#define HEAD_WITHIN_S 10
#define IDLE_S 30

/* --- the thread --- */

static void look_at_certificates(lws_sorted_usec_list_t *timer)
{
    struct server *server = lws_container_of(timer, struct server, reload);

    for (size_t i = 0; i < server->port_count; i++)
        tls_reload(&server->ports[i]);
    lws_sul_schedule(server->context, 0, &server->reload, look_at_certificates,
                     server->reload_ms * LWS_US_PER_MS);
}

static bool is_over(const struct server *server)
{
    return server->stop_seen && (!server->under_way || server->grace_over);
}

static void serve(void *arg)
{
    struct server *server = arg;

    while (!is_over(server) && lws_service(server->context, 0) >= 0)
        ;
}

/* --- start --- */

/* libwebsockets does not say why; the system does. */
static struct err *cannot_bind(const struct port *port)
{
    const struct serve_address *address = &port->address;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)address->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)address->port)};
    int fd = socket(address->is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result, number;

    if (address->is_ipv6) {
        inet_pton(AF_INET6, address->host, &v6.sin6_addr);
        result = bind(fd, (const struct sockaddr *)&v6, sizeof(v6));
    } else {
        if (address->host[0])
            inet_pton(AF_INET, address->host, &v4.sin_addr);
        result = bind(fd, (const struct sockaddr *)&v4, sizeof(v4));
    }
    number = errno;
    close(fd);
    if (result == 0)
        return err_new(ERR_RETRY, "cannot listen at %s", port->listener.address);
    return err_errno(ERR_RETRY, number, "listen at %s", port->listener.address);
}

static void secure(const struct port *port, struct lws_context_creation_info *info)
{
    info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info->ssl_cert_filepath = port->listener.cert_chain;
    info->ssl_private_key_filepath = port->listener.key;
    info->ssl_options_set = SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1;
    info->alpn = "http/1.1";
}

static struct err *open_port(struct port *port)
{
    const struct serve_address *address = &port->address;
    struct lws_context_creation_info info = {
        .port = address->port,
        .iface = address->host[0] ? address->host : NULL,
        .protocols = exchange_protocols,
        .user = port,
        .vhost_name = port->listener.address,
        .keepalive_timeout = IDLE_S,
        .timeout_secs = HEAD_WITHIN_S,
        .timeout_secs_ah_idle = HEAD_WITHIN_S,
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
    };

    if (address->host[0] && !address->is_ipv6)
        info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
    if (port->listener.cert_chain)
        secure(port, &info);
    port->vhost = lws_create_vhost(port->server->context, &info);
    if (!port->vhost)
        return cannot_bind(port);
    port->bound_port = lws_get_vhost_listen_port(port->vhost);
    return NULL;
}

static struct err *make_context(struct server *server)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .user = server,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .max_http_header_data = REQUEST_HEAD_BYTES,
        .max_http_header_pool = (unsigned short)(server->max_connections * (int)server->port_count),
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
    };

    for (size_t i = 0; i < server->port_count; i++) {
        if (server->ports[i].listener.cert_chain)
            info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    }
    lws_set_log_level(0, NULL); /* what matters comes back as an error */
    server->context = lws_create_context(&info);
    return server->context ? NULL : err_new(ERR_RETRY, "the HTTP server cannot be set up");
}

static void free_server(struct server *server)
{
    if (server->context)
        lws_context_destroy(server->context);
    for (size_t i = 0; i < server->port_count; i++)
        tls_done(&server->ports[i]);
    xfree(server);
}

static struct err *prepare(struct port *port)
{
    TRY(serve_address_parse(port->listener.address, &port->address));
    if (!port->listener.cert_chain != !port->listener.key)
        return err_new(ERR_INVALID, "%s: a certificate needs its key", port->listener.address);
    return port->listener.cert_chain ? tls_check(port) : NULL;
}

static struct err *set_up(struct server *server)
{
    for (size_t i = 0; i < server->port_count; i++)
        TRY(prepare(&server->ports[i]));
    TRY(make_context(server));
    for (size_t i = 0; i < server->port_count; i++)
        TRY(open_port(&server->ports[i]));
    return NULL;
}

struct err *serve_start(const struct serve_opts *opts, struct server **ret)
{
    struct server *server = xcalloc(1, sizeof(*server));
    struct err *err;

    server->sched = opts->sched;
    server->log = opts->log;
    server->max_connections = opts->max_connections ? opts->max_connections : MAX_CONNECTIONS;
    server->reload_ms = opts->reload_ms ? opts->reload_ms : RELOAD_MS;
    server->port_count = opts->count < SERVE_PORTS_MAX ? opts->count : SERVE_PORTS_MAX;
    for (size_t i = 0; i < server->port_count; i++)
        server->ports[i] = (struct port){.server = server, .listener = opts->listeners[i]};
    err = set_up(server);
    if (err) {
        free_server(server);
        return err;
    }
    lws_sul_schedule(server->context, 0, &server->reload, look_at_certificates,
                     server->reload_ms * LWS_US_PER_MS);
    server->task = sched_spawn(server->sched, "serve", serve, server);
    *ret = server;
    return NULL;
}

int serve_port(const struct server *server, size_t listener)
{
    return server->ports[listener].bound_port;
}

void serve_stop(struct server *server)
{
    if (!server)
        return;
    atomic_store(&server->stopping, true);
    lws_cancel_service(server->context);
    sched_join(server->task);
    free_server(server);
}

/* --- queries --- */

static bool find_parameter(const struct serve_request *request, const char *name, const char *value)
{
    struct str rest = str_of(request->query), entry;

    while (str_cut(&rest, '&', &entry)) {
        struct str left = entry, found;

        str_cut(&left, '=', &found);
        if (str_is(found, name) && (!value || str_is(left, value)))
            return true;
    }
    return false;
}

bool serve_query_has(const struct serve_request *request, const char *name)
{
    return find_parameter(request, name, NULL);
}

bool serve_query_says(const struct serve_request *request, const char *name, const char *value)
{
    return find_parameter(request, name, value);
}
