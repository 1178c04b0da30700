/* How long a proxy is without a target: whole refreshes under the seeded scheduler, each with a world and an
 * API server of its own making, no crashes. What AWS saw (old target out until new one in) beside what the
 * status says (until the proxy reaches the new one).
 *
 * bench_proxy_gap [RUNS]: 100 without an argument. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/simulation/invariants.h"
#include "tests/simulation/variant.h"

#define RUNS_MAX 10000

struct figures {
    int64_t *items;
    size_t count;
};

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static double at(const struct figures *figures, size_t percent)
{
    size_t index = (figures->count - 1) * percent / 100;

    return (double)figures->items[index] / 1000;
}

static void print_row(const char *name, struct figures *figures)
{
    qsort(figures->items, figures->count, sizeof(*figures->items), compare);
    printf("| %-26s | %6.2f | %6.2f | %6.2f | %6.2f | %6.2f |\n", name, at(figures, 0), at(figures, 50),
           at(figures, 90), at(figures, 99), at(figures, 100));
}

int main(int argc, char **argv)
{
    int64_t runs = 100;
    struct figures seen = {0}, said = {0};

    if (argc > 1 && (!str_to_int(str_of(argv[1]), &runs) || runs < 1 || runs > RUNS_MAX)) {
        fprintf(stderr, "usage: %s [RUNS]\n", argv[0]);
        return 2;
    }
    seen.items = xcalloc((size_t)runs, sizeof(*seen.items));
    said.items = xcalloc((size_t)runs, sizeof(*said.items));
    for (int64_t seed = 1; seed <= runs; seed++) {
        AUTO_VARIANT struct variant variant = {0};
        AUTO_SCENARIO struct scenario *scenario = NULL;
        int64_t seen_ms, said_s;

        variant_init(&variant, (uint64_t)seed);
        scenario = scenario_new(&variant.opts);
        scenario_run(scenario);
        seen_ms = gap_seen_ms(scenario_journal(scenario));
        said_s = gap_said_s(scenario_object(scenario));
        if (seen_ms < 0 || said_s < 0)
            continue;
        seen.items[seen.count++] = seen_ms;
        said.items[said.count++] = said_s * 1000;
    }
    printf("seconds without a proxy target, %zu of %lld runs switched over\n", seen.count, (long long)runs);
    printf("| %-26s | %6s | %6s | %6s | %6s | %6s |\n", "", "least", "median", "90 %", "99 %", "most");
    if (seen.count) {
        print_row("out until in (AWS)", &seen);
        print_row("out until reached (status)", &said);
    }
    xfree(seen.items);
    xfree(said.items);
    return seen.count ? 0 : 1;
}
