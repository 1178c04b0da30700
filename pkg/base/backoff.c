#include "pkg/base/backoff.h"

int64_t backoff_bound_ms(const struct backoff *backoff, int failures)
{
    int64_t bound = backoff->base_ms;

    for (int i = 1; i < failures && bound < backoff->max_ms; i++) {
        if (bound > backoff->max_ms / 2)
            return backoff->max_ms;
        bound *= 2;
    }
    return bound < backoff->max_ms ? bound : backoff->max_ms;
}

int64_t backoff_delay_ms(const struct backoff *backoff, int failures, struct random *random)
{
    int64_t bound = backoff_bound_ms(backoff, failures);

    return bound / 2 + (int64_t)random_below(random, (uint64_t)(bound - bound / 2) + 1);
}
