/* The controller's pages: /healthz, /livez and /readyz at one address, /metrics at another.
 *
 * livez looks at threads of this process alone, so that no trouble elsewhere has it restarted; readyz says
 * whether the caches are filled, the lease is known and nobody has told us to stop. */
#ifndef CONTROLLER_SERVING_H
#define CONTROLLER_SERVING_H

#include "pkg/base/metrics.h"
#include "pkg/serve/serve.h"

/* What the pages ask; called on the server's thread, must be short. */
struct serving_view {
    bool (*main_lives)(void *arg);
    bool (*workers_live)(void *arg);
    bool (*lease_lives)(void *arg);
    bool (*watches_live)(void *arg);
    bool (*events_live)(void *arg);
    bool (*caches_filled)(void *arg);
    bool (*lease_known)(void *arg);
    bool (*goes_on)(void *arg);       /* false once told to stop */
    void (*before_scrape)(void *arg); /* brings gauges up to date */
    void *arg;
};

struct serving_opts {
    const char *health_address, *metrics_address; /* "0": not served */
    const char *metrics_cert_path; /* folder with tls.crt and tls.key: metrics by TLS; NULL: plain */
    struct serving_view view;
    struct metrics *metrics; /* borrowed, as are these */
    struct sched *sched;
    struct log *log;
};

struct serving;

/* *ret stays NULL when nothing is to be served. Errors as serve_start(). */
struct err *serving_start(const struct serving_opts *opts, struct serving **ret) MUST_USE;
void serving_stop(struct serving *serving); /* NULL is fine */

#endif
