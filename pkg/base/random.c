#include "pkg/base/random.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/random.h>

#include "pkg/base/alloc.h"
#include "pkg/base/lock.h"

struct random {
    bool seeded; /* immutable */
    pthread_mutex_t lock;
    uint64_t state; /* lock */
};

struct random *random_system_new(void)
{
    struct random *random = xcalloc(1, sizeof(*random));

    pthread_mutex_init(&random->lock, NULL);
    return random;
}

struct random *random_seeded_new(uint64_t seed)
{
    struct random *random = random_system_new();

    random->seeded = true;
    random->state = seed;
    return random;
}

void random_free(struct random *random)
{
    if (!random)
        return;
    pthread_mutex_destroy(&random->lock);
    xfree(random);
}

/* splitmix64: good mixing from any seed, no bad states. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void fill_from_system(unsigned char *bytes, size_t len)
{
    while (len) {
        ssize_t got = getrandom(bytes, len, 0);

        if (got < 0)
            continue; /* interrupted; the pool never fails once it is up */
        bytes += got;
        len -= (size_t)got;
    }
}

void random_fill(struct random *random, void *bytes, size_t len)
{
    unsigned char *out = bytes;

    if (!random->seeded) {
        fill_from_system(out, len);
        return;
    }
    LOCK_SCOPE(&random->lock);
    while (len) {
        uint64_t value = next(&random->state);
        size_t take = len < sizeof(value) ? len : sizeof(value);

        memcpy(out, &value, take);
        out += take;
        len -= take;
    }
}

uint64_t random_u64(struct random *random)
{
    uint64_t value;

    random_fill(random, &value, sizeof(value));
    return value;
}

uint64_t random_below(struct random *random, uint64_t limit)
{
    uint64_t floor = -limit % limit; /* 2^64 mod limit: values below it would favour some results */
    uint64_t value;

    do {
        value = random_u64(random);
    } while (value < floor);
    return value % limit;
}

int64_t random_jitter_ms(struct random *random, int64_t ms, int percent)
{
    int64_t spread = ms / 100 * percent + ms % 100 * percent / 100;

    if (spread <= 0)
        return ms;
    return ms - spread + (int64_t)random_below(random, (uint64_t)spread * 2 + 1);
}
