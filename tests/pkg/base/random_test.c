#include "pkg/base/random.h"

#include "tests/testing/assertions.h"

static void seed_fixes_stream(void **state)
{
    struct random *a = random_seeded_new(7), *b = random_seeded_new(7), *c = random_seeded_new(8);
    bool differs = false;

    (void)state;
    for (int i = 0; i < 100; i++) {
        uint64_t value = random_u64(a);

        assert_true(value == random_u64(b));
        differs |= value != random_u64(c);
    }
    assert_true(differs);
    random_free(a);
    random_free(b);
    random_free(c);
}

static void system_differs(void **state)
{
    struct random *random = random_system_new();

    (void)state;
    assert_true(random_u64(random) != random_u64(random));
    random_free(random);
}

static void fills_any_length(void **state)
{
    struct random *random = random_seeded_new(1);

    (void)state;
    for (size_t len = 0; len < 40; len++) {
        unsigned char bytes[41];

        memset(bytes, 0xAA, sizeof(bytes));
        random_fill(random, bytes, len);
        for (size_t i = len; i < sizeof(bytes); i++)
            assert_number(bytes[i], 0xAA);
    }
    random_free(random);
}

static void stays_below(void **state)
{
    struct random *random = random_seeded_new(3);
    int seen[6] = {0};

    (void)state;
    for (int i = 0; i < 6000; i++)
        seen[random_below(random, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 800, 1200);
    assert_number((int64_t)random_below(random, 1), 0);
    assert_true(random_below(random, UINT64_MAX) < UINT64_MAX);
    random_free(random);
}

static void jitters(void **state)
{
    struct random *random = random_seeded_new(5);
    int64_t low = INT64_MAX, high = INT64_MIN;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        int64_t ms = random_jitter_ms(random, 1000, 10);

        low = ms < low ? ms : low;
        high = ms > high ? ms : high;
    }
    assert_number(low, 900);
    assert_number(high, 1100);
    assert_number(random_jitter_ms(random, 1000, 0), 1000);
    assert_number(random_jitter_ms(random, 0, 50), 0);
    random_free(random);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, seed_fixes_stream);
    TEST(&tests, system_differs);
    TEST(&tests, fills_any_length);
    TEST(&tests, stays_below);
    TEST(&tests, jitters);
    return tests_run(&tests, "random");
}
