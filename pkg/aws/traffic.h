/* What was learnt of the services while calling them, and who hears of the calls. One for a process: accounts
 * and sessions come and go, what a service was found to bear stays. Thread-safe. */
#ifndef AWS_TRAFFIC_H
#define AWS_TRAFFIC_H

#include "pkg/aws/limiter.h"

/* Of one account in one Region. */
struct aws_lane {
    int64_t skew_ms;                    /* atomic: their clock minus ours */
    int retry_spent[AWS_SERVICE_COUNT]; /* atomic: what retries have cost and successes not given back */
    struct limiter limiter;             /* how fast each service may be asked */
};
/* A static initialiser, as sessions are values. */
#define AWS_LANE_INIT ((struct aws_lane){.limiter = LIMITER_INIT})

/* One request that was sent, and what came of it. */
struct aws_call_seen {
    const char *service, *operation;
    const char *account_id; /* NULL: sent by the controller's own identity, for credentials */
    const char *code;       /* "OK", the service's error code, or "NoAnswer" */
    bool was_throttled;
    bool is_retry; /* repeats an earlier one of the same call, for whatever reason */
    int64_t took_ms;
    int64_t skew_ms; /* by which the clock of its signature was corrected */
};

/* Credentials that were fetched, and found to be the account's own. */
struct aws_credentials_seen {
    const char *account_id; /* NULL: the controller's own identity */
    int64_t fetched_ms;     /* wall clock, both */
    int64_t expires_ms;     /* NEVER_MS: they do not */
};

/* On the thread that called; must be short. NULL: nobody listens. */
struct aws_listener {
    void (*on_call)(void *arg, const struct aws_call_seen *call);
    void (*on_credentials)(void *arg, const struct aws_credentials_seen *credentials);
    void *arg;
};

struct aws_traffic;

struct aws_traffic *aws_traffic_new(const struct aws_listener *listener); /* copied; may be NULL */
void aws_traffic_free(struct aws_traffic *traffic); /* nobody calls any more; NULL is fine */
/* Everybody's who calls that account there; lives as long as `traffic`. `account_id` NULL: the controller's
 * own identity, whose account is not known. */
struct aws_lane *aws_traffic_lane(struct aws_traffic *traffic, const char *account_id, const char *region);
/* Both: NULL is nobody's. */
void aws_traffic_tell_call(struct aws_traffic *traffic, const struct aws_call_seen *call);
void aws_traffic_tell_credentials(struct aws_traffic *traffic,
                                  const struct aws_credentials_seen *credentials);

#endif
