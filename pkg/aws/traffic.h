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

struct aws_traffic;

struct aws_traffic *aws_traffic_new(void);
void aws_traffic_free(struct aws_traffic *traffic); /* nobody calls any more; NULL is fine */
/* Everybody's who calls that account there; lives as long as `traffic`. `account_id` NULL: the controller's
 * own identity, whose account is not known. */
struct aws_lane *aws_traffic_lane(struct aws_traffic *traffic, const char *account_id, const char *region);

#endif
