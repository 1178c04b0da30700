/* Exponential back-off with full jitter, as a value. */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

#include "pkg/base/random.h"

struct backoff {
    int64_t base_ms; /* the first delay's upper bound */
    int64_t max_ms;
};

/* The upper bound after `failures` failures (1 = first): min(base * 2^(failures-1), max). Never overflows. */
int64_t backoff_bound_ms(const struct backoff *backoff, int failures);
/* Drawn from [bound/2, bound]. */
int64_t backoff_delay_ms(const struct backoff *backoff, int failures, struct random *random);

#endif
