/* How often something that takes long is looked at. */
#include "controller/pace.h"
#include "pkg/base/times.h"
#include "tests/testing/assertions.h"

struct row {
    const char *name;
    struct pace_signs signs;
    int64_t want_s;
};

static const struct row rows[] = {
    {"just begun, nothing known", {.age_ms = SECONDS(1)}, 15},
    {"long under way, nothing known", {.age_ms = MINUTES(45)}, 120},
    {"hours left by the last time", {.age_ms = MINUTES(1), .expected_ms = HOURS(2)}, 120},
    {"minutes left by the last time", {.age_ms = MINUTES(36), .expected_ms = MINUTES(40)}, 60},
    {"about to end by the last time", {.age_ms = MINUTES(39), .expected_ms = MINUTES(40)}, 15},
    {"just overdue", {.age_ms = MINUTES(41), .expected_ms = MINUTES(40)}, 15},
    {"long overdue", {.age_ms = MINUTES(60), .expected_ms = MINUTES(40)}, 120},
    {"far from the end by its own figure", {.age_ms = MINUTES(10), .percent = 10}, 120},
    {"near the end by its own figure", {.age_ms = MINUTES(10), .percent = 95}, 15},
    {"its own figure counts more", {.age_ms = MINUTES(10), .percent = 95, .expected_ms = HOURS(2)}, 15},
    {"a figure of a hundred says nothing", {.age_ms = MINUTES(5), .percent = 100}, 15},
};

static void paces(void **state)
{
    const struct row *row = *state;

    assert_number(pace_ms(&row->signs) / 1000, row->want_s);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, paces, rows);
    return tests_run(&tests, "pace");
}
