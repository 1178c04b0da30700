#include "pkg/base/backoff.h"

#include "tests/testing/assertions.h"

static const struct row {
    const char *name;
    struct backoff backoff;
    int failures;
    int64_t bound;
} rows[] = {
    {.name = "first", .backoff = {.base_ms = 500, .max_ms = 60000}, .failures = 1, .bound = 500},
    {.name = "second", .backoff = {.base_ms = 500, .max_ms = 60000}, .failures = 2, .bound = 1000},
    {.name = "seventh", .backoff = {.base_ms = 500, .max_ms = 60000}, .failures = 7, .bound = 32000},
    {.name = "at the maximum", .backoff = {.base_ms = 500, .max_ms = 60000}, .failures = 8, .bound = 60000},
    {.name = "for ever", .backoff = {.base_ms = 500, .max_ms = 60000}, .failures = INT32_MAX, .bound = 60000},
    {.name = "never overflows",
     .backoff = {.base_ms = 1, .max_ms = INT64_MAX},
     .failures = 1000,
     .bound = INT64_MAX},
    {.name = "base over the maximum",
     .backoff = {.base_ms = 90000, .max_ms = 60000},
     .failures = 1,
     .bound = 60000},
    {.name = "no failure counts as one",
     .backoff = {.base_ms = 500, .max_ms = 60000},
     .failures = 0,
     .bound = 500},
};

static void bounds(void **state)
{
    const struct row *row = *state;

    assert_number(backoff_bound_ms(&row->backoff, row->failures), row->bound);
}

static void draws_from_the_upper_half(void **state)
{
    const struct row *row = *state;
    struct random *random = random_seeded_new(11);

    for (int i = 0; i < 200; i++) {
        int64_t ms = backoff_delay_ms(&row->backoff, row->failures, random);

        assert_true(ms >= row->bound / 2 && ms <= row->bound);
    }
    random_free(random);
}

static void spreads(void **state)
{
    static const struct backoff backoff = {.base_ms = 10, .max_ms = 10};
    struct random *random = random_seeded_new(11);
    bool low = false, high = false;

    (void)state;
    for (int i = 0; i < 500; i++) {
        int64_t ms = backoff_delay_ms(&backoff, 1, random);

        low |= ms == 5;
        high |= ms == 10;
    }
    assert_true(low && high);
    random_free(random);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, bounds, rows);
    TEST_ROWS(&tests, draws_from_the_upper_half, rows);
    TEST(&tests, spreads);
    return tests_run(&tests, "backoff");
}
