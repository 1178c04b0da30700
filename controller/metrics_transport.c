#include "controller/metrics.h"

struct counted {
    struct transport base;
    struct transport *inner;
    struct metrics *metrics; /* borrowed */
    struct sched *sched;     /* borrowed; the real one */
    char *server_url, *host;
};

static bool is_meant(const struct counted *counted, const struct http_request *request)
{
    return str_starts(str_of(request->url), counted->server_url);
}

static void count(const struct counted *counted, const struct http_request *request, const struct err *err,
                  const struct http_reply *reply)
{
    char code[16] = "<error>"; /* as client-go has it when no answer came */

    if (!err)
        snprintf(code, sizeof(code), "%d", reply->status);
    metrics_add(counted->metrics, METRIC_REST_REQUESTS, 1, LABELS(code, request->method, counted->host));
}

static struct err *call(struct transport *self, const struct http_request *request, struct stop *stop,
                        struct http_reply *ret)
{
    const struct counted *counted = (const struct counted *)self;
    int64_t started_ms = sched_now_ms(counted->sched);
    struct err *err = http_call(counted->inner, request, stop, ret);

    if (!is_meant(counted, request))
        return err;
    count(counted, request, err, ret);
    metrics_observe(counted->metrics, METRIC_REST_TIME,
                    (double)(sched_now_ms(counted->sched) - started_ms) / 1000,
                    LABELS(request->method, counted->host));
    return err;
}

/* The stream belongs to the inner transport, which reads and closes it. */
static struct err *open_stream(struct transport *self, const struct http_request *request, struct stop *stop,
                               struct http_reply *ret, struct http_stream **ret_stream)
{
    const struct counted *counted = (const struct counted *)self;
    struct err *err = http_open(counted->inner, request, stop, ret, ret_stream);

    if (is_meant(counted, request))
        count(counted, request, err, ret);
    return err;
}

static void free_counted(struct transport *self)
{
    struct counted *counted = (struct counted *)self;

    transport_free(counted->inner);
    xfree(counted->server_url);
    xfree(counted->host);
    xfree(counted);
}

struct transport *counted_transport_new(struct transport *inner, struct metrics *metrics, struct sched *sched,
                                        const char *server_url)
{
    static const struct transport_ops ops = {.call = call, .open = open_stream, .free = free_counted};
    struct counted *counted = xcalloc(1, sizeof(*counted));
    const char *host = strstr(server_url, "://");

    host = host ? host + strlen("://") : server_url;
    counted->base.ops = &ops;
    counted->inner = inner;
    counted->metrics = metrics;
    counted->sched = sched;
    counted->server_url = xstrdup(server_url);
    counted->host = xstrndup(host, strcspn(host, "/"));
    return &counted->base;
}
