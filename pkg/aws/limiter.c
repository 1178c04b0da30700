#include "pkg/aws/limiter.h"

#include "pkg/base/lock.h"
#include "pkg/base/times.h"

/* AWS publishes no limits for most of these operations; the lowest that are known (DynamoDB's control plane,
 * SSM's PutParameter) are tens and single calls per second. */
#define RATE_MAX_MPS 20000
#define RATE_MIN_MPS 1000
#define BURST 120             /* three calls for each of forty things that end together */
#define RECOVERY_MPS_PER_MS 1 /* a call per second, each second */
/* A burst that is throttled as a whole is one piece of news. */
#define SLOW_AGAIN_MS 1000

#define CALL INT64_C(1000000)

static struct limiter_bucket *refreshed(struct limiter *limiter, enum aws_service service, int64_t now_ms)
{
    struct limiter_bucket *bucket = &limiter->buckets[service];
    int64_t passed_ms = now_ms - bucket->seen_ms, full = BURST * CALL;

    if (!bucket->is_used) {
        *bucket = (struct limiter_bucket){
            .rate_mps = RATE_MAX_MPS, .level = full, .seen_ms = now_ms, .is_used = true};
        return bucket;
    }
    if (passed_ms <= 0)
        return bucket;
    /* So long a pause fills and heals everything; and the products below stay small. */
    if (passed_ms > MINUTES(10))
        passed_ms = MINUTES(10);
    bucket->level += bucket->rate_mps * passed_ms;
    if (bucket->level > full)
        bucket->level = full;
    bucket->rate_mps += RECOVERY_MPS_PER_MS * passed_ms;
    if (bucket->rate_mps > RATE_MAX_MPS)
        bucket->rate_mps = RATE_MAX_MPS;
    bucket->seen_ms = now_ms;
    return bucket;
}

bool limiter_take(struct limiter *limiter, enum aws_service service, int64_t now_ms, int64_t max_wait_ms,
                  int64_t *ret_wait_ms)
{
    LOCK_SCOPE(&limiter->lock);
    struct limiter_bucket *bucket = refreshed(limiter, service, now_ms);
    int64_t missing = CALL - bucket->level;

    *ret_wait_ms = missing <= 0 ? 0 : (missing + bucket->rate_mps - 1) / bucket->rate_mps;
    if (*ret_wait_ms > max_wait_ms)
        return false;
    bucket->level -= CALL;
    return true;
}

void limiter_slow_down(struct limiter *limiter, enum aws_service service, int64_t now_ms)
{
    LOCK_SCOPE(&limiter->lock);
    struct limiter_bucket *bucket = refreshed(limiter, service, now_ms);

    if (bucket->is_slowed && now_ms - bucket->slowed_ms < SLOW_AGAIN_MS)
        return;
    bucket->is_slowed = true;
    bucket->slowed_ms = now_ms;
    bucket->rate_mps = bucket->rate_mps * 7 / 10;
    if (bucket->rate_mps < RATE_MIN_MPS)
        bucket->rate_mps = RATE_MIN_MPS;
    /* What was saved up is part of what was too much. */
    if (bucket->level > CALL)
        bucket->level = CALL;
}
