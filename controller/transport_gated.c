#include "controller/transport_gated.h"

struct gated {
    struct transport base;
    struct transport *inner;
    bool (*may_send)(void *arg);
    void *arg;
};

static struct err *check(const struct gated *gated, const struct http_request *request)
{
    if (gated->may_send(gated->arg))
        return NULL;
    return err_new(ERR_RETRY, "%s was not sent: leadership is in doubt", request->method);
}

static struct err *call(struct transport *self, const struct http_request *request, struct stop *stop,
                        struct http_reply *ret)
{
    const struct gated *gated = (const struct gated *)self;

    TRY(check(gated, request));
    return http_call(gated->inner, request, stop, ret);
}

/* The stream belongs to the inner transport, which reads and closes it. */
static struct err *open_stream(struct transport *self, const struct http_request *request, struct stop *stop,
                               struct http_reply *ret, struct http_stream **ret_stream)
{
    const struct gated *gated = (const struct gated *)self;

    TRY(check(gated, request));
    return http_open(gated->inner, request, stop, ret, ret_stream);
}

static void free_gated(struct transport *self)
{
    struct gated *gated = (struct gated *)self;

    transport_free(gated->inner);
    xfree(gated);
}

struct transport *gated_transport_new(struct transport *inner, bool (*may_send)(void *arg), void *arg)
{
    static const struct transport_ops ops = {.call = call, .open = open_stream, .free = free_gated};
    struct gated *gated = xcalloc(1, sizeof(*gated));

    gated->base.ops = &ops;
    gated->inner = inner;
    gated->may_send = may_send;
    gated->arg = arg;
    return &gated->base;
}
