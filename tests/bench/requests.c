/* How many requests AWS gets per hour for so many refreshes at a time, by the simulator's count: the engine,
 * the AWS clients and the simulator's core under one seeded scheduler, no sockets.
 *
 * bench_requests [COUNT...]: 1, 10, 100 and 1,000 without arguments. Each refresh carries one cluster over
 * and sets one parameter; once by the clock alone, once with a queue of events. */
#include <stdio.h>

#include "pkg/base/sched.h"
#include "pkg/base/str.h"
#include "tests/simulation/crowd_rates.h"

#define LIMIT_MS HOURS(24)

/* --- one size --- */

static void print_rate(int64_t tenths)
{
    if (tenths < 0)
        printf(" %9s", "-");
    else
        printf(" %7lld.%lld", (long long)(tenths / 10), (long long)(tenths % 10));
}

static void measure(int64_t count, bool hears_events)
{
    AUTO_CROWD struct crowd *crowd =
        crowd_new(&(struct crowd_opts){.count = count, .seed = 1, .hears_events = hears_events});
    struct crowd_figures figures = {.count = count, .until = CROWD_ENDED};
    struct crowd_counts counts;
    int64_t minutes;

    crowd_run(crowd, LIMIT_MS, crowd_measure, &figures);
    minutes = crowd_now_ms(crowd) / MINUTES(1);
    counts = crowd_count_calls(crowd);
    printf("  %9lld %7lld %8lld %8lld", (long long)figures.succeeded, (long long)minutes,
           (long long)counts.all, (long long)(minutes ? counts.all * 60 / minutes : 0));
    if (hears_events)
        printf(" %8lld", (long long)(minutes ? counts.queue * 60 / minutes : 0));
    print_rate(crowd_looks_per_minute(&figures, CROWD_ALL_BACKING_UP, CROWD_LAST_BACKING_UP));
    print_rate(crowd_looks_per_minute(&figures, CROWD_ALL_RESTORING, CROWD_LAST_RESTORING));
    fflush(stdout);
}

static void print_head(void)
{
    static const char *const heads[][2] = {
        {"succeeded minutes requests per hour looks/min looks/min",
         "                                    (backups) (restores)"},
        {"succeeded minutes requests per hour  (queue) looks/min looks/min",
         "                                             (backups) (restores)"}};

    printf("requests by the simulator's count, per world hour; (queue): those of SQS among them;\n"
           "looks/min: Describe and List while all jobs of that kind run\n\n");
    printf("%9s  %-56s  %s\n", "", "by the clock", "with a queue of events");
    printf("refreshes  %-56s  %s\n", heads[0][0], heads[1][0]);
    printf("%9s  %-56s  %s\n", "", heads[0][1], heads[1][1]);
}

static void print_row(int64_t count)
{
    printf("%9lld", (long long)count);
    measure(count, false);
    measure(count, true);
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const int64_t sizes[] = {1, 10, 100, 1000};

    print_head();
    for (int i = 1; i < argc; i++) {
        int64_t count = 0;

        if (!str_to_int(str_of(argv[i]), &count) || count < 1) {
            fprintf(stderr, "usage: %s [COUNT...]\n", argv[0]);
            return 2;
        }
        print_row(count);
    }
    for (size_t i = 0; argc == 1 && i < COUNT_OF(sizes); i++)
        print_row(sizes[i]);
    return 0;
}
