/* Randomness as an input: the system's in the product, a seeded stream in tests and simulation. Thread-safe.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random;

struct random *random_system_new(void);
struct random *random_seeded_new(uint64_t seed);
void random_free(struct random *random);
void random_fill(struct random *random, void *bytes, size_t len);
uint64_t random_u64(struct random *random);
uint64_t random_below(struct random *random, uint64_t limit); /* 0 .. limit-1, limit > 0 */
/* A value in [ms - ms*percent/100, ms + ms*percent/100]. */
int64_t random_jitter_ms(struct random *random, int64_t ms, int percent);

#endif
