#include "tests/simulation/sim_transport.h"

#include "hack/awssim/awssim.h"
#include "pkg/http/url.h"

#define DEFAULT_TIMEOUT_MS SECONDS(30)
#define DEFAULT_REPLY_MAX (8 * MIB)

struct sim_transport {
    struct transport base;
    struct sim *sim;
    struct lifetime *life;
};

/* One request on its way. */
struct trip {
    struct sim_transport *transport;
    const struct http_request *request;
    struct sim_reply reply;
};

/* "/path?query" as it stands in the URL. */
static const char *target_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *slash = host ? strchr(host + strlen("://"), '/') : NULL;

    return slash ? slash : "/";
}

static void wake_spot(void *arg)
{
    sched_wake(arg);
}

/* A long poll parks until the simulator has something; the process's end ends it. */
static void ask(const struct trip *trip, struct sim_request *sent, struct sim_reply *reply)
{
    struct sim *sim = trip->transport->sim;
    struct sched *sched = lifetime_sched(trip->transport->life);
    struct stop *stop = lifetime_stop(trip->transport->life);
    int64_t began_ms = sched_now_ms(sched);

    awssim_handle(sim, sent, sched_wall_ms(sched), sched_wall_ms(sched), reply);
    if (!reply->wait_ms)
        return;
    struct spot *spot = sched_spot_new(sched);
    struct stop_subscription *subscription = stop_subscribe(stop, wake_spot, spot);
    while (reply->wait_ms && !stop_requested(stop)) {
        struct sim_watch watch = {.wake = wake_spot, .arg = spot, .look_ms = reply->look_ms};
        int64_t deadline_ms = began_ms + reply->wait_ms, look_ms = NEVER_MS;

        if (reply->look_ms != NEVER_MS)
            look_ms = sched_now_ms(sched) + reply->look_ms - sched_wall_ms(sched);
        awssim_watch(sim, &watch);
        sched_park(spot, look_ms < deadline_ms ? look_ms : deadline_ms);
        awssim_unwatch(sim, &watch);
        sent->attempt = sched_now_ms(sched) >= deadline_ms ? SIM_LAST : SIM_AGAIN;
        if (!stop_requested(stop))
            awssim_handle(sim, sent, sched_wall_ms(sched), sched_wall_ms(sched), reply);
    }
    stop_unsubscribe(subscription);
    sched_spot_free(spot);
}

static int64_t handle(void *arg)
{
    struct trip *trip = arg;
    const struct http_request *request = trip->request;
    struct sim_header *headers = xcalloc(request->header_count + 1, sizeof(*headers));
    struct sim_request sent = {.method = request->method,
                               .target = target_of(request->url),
                               .headers = headers,
                               .header_count = request->header_count,
                               .body = request->body};

    for (size_t i = 0; i < request->header_count; i++)
        headers[i] =
            (struct sim_header){.name = request->headers[i].name, .value = request->headers[i].value};
    ask(trip, &sent, &trip->reply);
    xfree(headers);
    return trip->reply.delay_ms;
}

static struct err *take_reply(const struct trip *trip, const char *server, struct http_reply *ret)
{
    const struct sim_reply *reply = &trip->reply;
    char date[TIME_TEXT_MAX];

    ret->status = reply->status;
    for (size_t i = 0; i < reply->header_count; i++)
        http_reply_add_header(ret, str_of(reply->headers[i].name), str_of(reply->headers[i].value));
    time_http(sched_wall_ms(lifetime_sched(trip->transport->life)), date);
    http_reply_add_header(ret, STR("date"), str_of(date));
    ret->body.max = trip->request->max_reply_bytes ? trip->request->max_reply_bytes : DEFAULT_REPLY_MAX;
    ret->body.wipe = trip->request->sensitive;
    buf_add(&ret->body, reply->body, reply->body_len);
    if (ret->body.overflow)
        return err_new(ERR_INVALID, "the answer of %s is larger than %zu bytes", server, ret->body.max);
    return NULL;
}

static struct err *judge(const struct trip *trip, enum call_end end, int64_t timeout_ms,
                         struct http_reply *ret)
{
    struct url url;

    TRY(url_parse(trip->request->url, &url));
    AUTO_FREE char *server = str_dup(url.host);
    switch (end) {
    case CALL_CUT:
        return err_new(ERR_CANCELED, "stopped while waiting for %s", server);
    case CALL_TIMED_OUT:
        return err_new(ERR_RETRY, "read from %s: timed out after %lld ms", server, (long long)timeout_ms);
    case CALL_ANSWERED:
        break;
    }
    if (trip->reply.drop != SIM_KEEP)
        return err_new(ERR_RETRY, "read from %s: the connection was closed before an answer came", server);
    return take_reply(trip, server, ret);
}

static struct err *do_call(struct transport *base, const struct http_request *request, struct stop *stop,
                           struct http_reply *ret)
{
    struct sim_transport *self = (struct sim_transport *)base;
    struct trip trip = {.transport = self, .request = request};
    int64_t timeout_ms = request->timeout_ms ? request->timeout_ms : DEFAULT_TIMEOUT_MS;

    if (stop_requested(stop))
        return err_new(ERR_CANCELED, "stopped before the request was sent");
    enum call_end end = lifetime_call(
        self->life, &(struct lifetime_call){.timeout_ms = timeout_ms, .deed = handle, .arg = &trip});
    struct err *err = judge(&trip, end, timeout_ms, ret);
    sim_reply_done(&trip.reply);
    return err;
}

static struct err *do_open(struct transport *base UNUSED, const struct http_request *request,
                           struct stop *stop UNUSED, struct http_reply *ret UNUSED,
                           struct http_stream **ret_stream UNUSED)
{
    return err_new(ERR_INVALID, "%s: AWS has no streams", request->url);
}

static void do_free(struct transport *base)
{
    xfree(base);
}

struct transport *sim_transport_new(struct sim *sim, struct lifetime *life)
{
    static const struct transport_ops ops = {.call = do_call, .open = do_open, .free = do_free};
    struct sim_transport *self = xcalloc(1, sizeof(*self));

    self->base.ops = &ops;
    self->sim = sim;
    self->life = life;
    return &self->base;
}

struct err *sim_control(struct sim *sim, struct sched *sched, const char *method, const char *path,
                        const char *body, struct json **ret)
{
    const struct sim_request request = {.method = method, .target = path, .body = str_of(body)};
    struct sim_reply reply = {0};
    AUTO_JSON struct json *answer = NULL;
    struct err *err = NULL;

    awssim_handle(sim, &request, sched_wall_ms(sched), sched_wall_ms(sched), &reply);
    if (reply.status != 200)
        err = err_new(ERR_INVALID, "%s %s: %d %s", method, path, reply.status, reply.body ? reply.body : "");
    else
        err = json_parse((struct str){.ptr = reply.body, .len = reply.body_len}, NULL, &answer);
    sim_reply_done(&reply);
    if (!err && ret)
        *ret = TAKE(answer);
    return err;
}
