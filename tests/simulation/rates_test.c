/* However many jobs run, AWS is asked about them hardly more often than about one: describe and list requests
 * per minute, while all run, are at most twelve times those for one. */
#include "tests/simulation/crowd_rates.h"

#include <stdlib.h>

#include "pkg/base/str.h"
#include "pkg/base/times.h"
#include "tests/testing/assertions.h"

#define TIMES_MAX 12

struct row {
    const char *name;
    enum crowd_moment from, to;
    int64_t many, many_in_brief; /* the later the moment, the longer takes what is before it */
    bool hears_events;
};

static const struct row rows[] = {
    {"backups", CROWD_ALL_BACKING_UP, CROWD_LAST_BACKING_UP, 200, 50, false},
    {"backups, with a queue", CROWD_ALL_BACKING_UP, CROWD_LAST_BACKING_UP, 50, 20, true},
    {"restores", CROWD_ALL_RESTORING, CROWD_LAST_RESTORING, 40, 20, false},
};

/* With sanitizers it takes many times as long: there something limits the seeds. */
static bool in_brief(void)
{
    int64_t wanted = 0;

    return getenv("SR_SEEDS") && str_to_int(str_of(getenv("SR_SEEDS")), &wanted) && wanted <= 200;
}

/* In tenths per minute. */
static int64_t looks_for(const struct row *row, int64_t count)
{
    AUTO_CROWD struct crowd *crowd =
        crowd_new(&(struct crowd_opts){.count = count, .seed = 1, .hears_events = row->hears_events});
    struct crowd_figures figures = {.count = count, .until = row->to};

    crowd_run(crowd, HOURS(3), crowd_measure, &figures);
    return crowd_looks_per_minute(&figures, row->from, row->to);
}

static void many_cost_hardly_more_than_one(void **state)
{
    const struct row *row = *state;
    int64_t count = in_brief() ? row->many_in_brief : row->many;
    int64_t one = looks_for(row, 1), many = looks_for(row, count);

    print_message("%s: %lld.%lld looks per minute for one, %lld.%lld for %lld\n", row->name,
                  (long long)one / 10, (long long)one % 10, (long long)many / 10, (long long)many % 10,
                  (long long)count);
    assert_in_range(one, 1, 100);
    assert_in_range(many, 1, TIMES_MAX * one);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, many_cost_hardly_more_than_one, rows);
    return tests_run(&tests, "rates");
}
