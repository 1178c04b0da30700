#include "controller/serving.h"

#include "pkg/serve/health.h"

struct serving {
    struct serving_view view;
    struct metrics *metrics;
    struct health_check live[5], ready[3];
    struct health_page pages[3];
    char *cert, *key;
    struct server *server;
};

static void answer_health(void *arg, const struct serve_request *request, struct serve_answer *answer)
{
    const struct serving *serving = arg;

    if (!health_answer(serving->pages, COUNT_OF(serving->pages), request, answer))
        answer->status = 404;
}

static void answer_metrics(void *arg, const struct serve_request *request, struct serve_answer *answer)
{
    struct serving *serving = arg;
    enum metrics_format format = metrics_format_for(request->accept);

    if (!text_equal(request->path, "/metrics")) {
        answer->status = 404;
        return;
    }
    serving->view.before_scrape(serving->view.arg);
    answer->content_type = metrics_content_type(format);
    metrics_render(serving->metrics, format, &answer->body);
}

static bool is_on(const char *address)
{
    return !text_equal(address, "0");
}

static struct serving *make(const struct serving_opts *opts)
{
    struct serving *serving = xcalloc(1, sizeof(*serving));
    const struct serving_view *view = &opts->view;

    serving->view = *view;
    serving->metrics = opts->metrics;
    serving->live[0] = (struct health_check){.name = "main", .holds = view->main_lives, .arg = view->arg};
    serving->live[1] =
        (struct health_check){.name = "workers", .holds = view->workers_live, .arg = view->arg};
    serving->live[2] = (struct health_check){.name = "lease", .holds = view->lease_lives, .arg = view->arg};
    serving->live[3] =
        (struct health_check){.name = "watches", .holds = view->watches_live, .arg = view->arg};
    serving->live[4] = (struct health_check){.name = "events", .holds = view->events_live, .arg = view->arg};
    serving->ready[0] = (struct health_check){.name = "running", .holds = view->goes_on, .arg = view->arg};
    serving->ready[1] =
        (struct health_check){.name = "caches", .holds = view->caches_filled, .arg = view->arg};
    serving->ready[2] = (struct health_check){.name = "lease", .holds = view->lease_known, .arg = view->arg};
    serving->pages[0] = (struct health_page){"healthz", serving->live, COUNT_OF(serving->live)};
    serving->pages[1] = (struct health_page){"livez", serving->live, COUNT_OF(serving->live)};
    serving->pages[2] = (struct health_page){"readyz", serving->ready, COUNT_OF(serving->ready)};
    if (opts->metrics_cert_path) {
        serving->cert = xasprintf("%s/tls.crt", opts->metrics_cert_path);
        serving->key = xasprintf("%s/tls.key", opts->metrics_cert_path);
    }
    return serving;
}

static void free_serving(struct serving *serving)
{
    serve_stop(serving->server);
    xfree(serving->cert);
    xfree(serving->key);
    xfree(serving);
}

static void say(const struct serving_opts *opts, const char *what, int port)
{
    LOG_INFO(opts->log, "serves", KV("what", what), KV_INT("port", port));
}

struct err *serving_start(const struct serving_opts *opts, struct serving **ret)
{
    struct serving *serving = make(opts);
    struct serve_listener listeners[2];
    const char *names[2];
    size_t count = 0;
    struct err *err;

    if (is_on(opts->health_address)) {
        names[count] = "health";
        listeners[count++] =
            (struct serve_listener){.address = opts->health_address, .answer = answer_health, .arg = serving};
    }
    if (is_on(opts->metrics_address)) {
        names[count] = "metrics";
        listeners[count++] = (struct serve_listener){.address = opts->metrics_address,
                                                     .cert_chain = serving->cert,
                                                     .key = serving->key,
                                                     .answer = answer_metrics,
                                                     .arg = serving};
    }
    err = count ? serve_start(
                      &(struct serve_opts){
                          .listeners = listeners, .count = count, .sched = opts->sched, .log = opts->log},
                      &serving->server)
                : NULL;
    if (err || !count) {
        free_serving(serving);
        return err;
    }
    for (size_t i = 0; i < count; i++)
        say(opts, names[i], serve_port(serving->server, i));
    *ret = serving;
    return NULL;
}

void serving_stop(struct serving *serving)
{
    if (serving)
        free_serving(serving);
}
