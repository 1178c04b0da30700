/* How fast one account and Region asks each service: a token bucket per service that slows down when the
 * service throttles and recovers with time. Thread-safe; never waits itself. */
#ifndef AWS_LIMITER_H
#define AWS_LIMITER_H

#include <pthread.h>
#include <stdbool.h>

#include "pkg/aws/endpoint.h"

/* The rate is in thousandths of a call per second, so that slow ones need no fractions. */
struct limiter_bucket {
    int64_t rate_mps;
    int64_t level;     /* millionths of a call; negative: calls that were promised already */
    int64_t seen_ms;   /* when both were brought up to date; monotonic */
    int64_t slowed_ms; /* when the rate went down last */
    bool is_slowed;    /* slowed_ms means something */
    bool is_used;
};

struct limiter {
    pthread_mutex_t lock;
    struct limiter_bucket buckets[AWS_SERVICE_COUNT]; /* lock */
};

/* A static initialiser, as sessions are values. */
#define LIMITER_INIT ((struct limiter){.lock = PTHREAD_MUTEX_INITIALIZER})

/* Takes one call. True: it may be sent after *ret_wait_ms (0: now). False when that would be more than
 * `max_wait_ms`: nothing was taken, and *ret_wait_ms says when to come again. */
bool limiter_take(struct limiter *limiter, enum aws_service service, int64_t now_ms, int64_t max_wait_ms,
                  int64_t *ret_wait_ms);
/* The service has throttled a call. */
void limiter_slow_down(struct limiter *limiter, enum aws_service service, int64_t now_ms);

#endif
