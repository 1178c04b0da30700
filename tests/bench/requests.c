/* How many requests AWS gets per hour for so many refreshes at a time, by the simulator's count: the engine,
 * the AWS clients and the simulator's core under one seeded scheduler, no sockets.
 *
 * bench_requests [COUNT...]: 1, 10, 100 and 1,000 without arguments. Each refresh carries one cluster over
 * and sets one parameter; once by the clock alone, once with a queue of events. */
#include <stdio.h>

#include "pkg/base/sched.h"
#include "pkg/base/str.h"
#include "tests/simulation/crowd.h"

#define LIMIT_MS HOURS(24)

/* What is counted between two moments. */
struct counts {
    int64_t all, looks, queue; /* looks: Describe... and List... of jobs; queue: of SQS */
};

/* --- counting --- */

static struct counts count_calls(const struct crowd *crowd)
{
    AUTO_JSON struct json *calls = crowd_ask(crowd, "/_sim/calls");
    struct counts counts = {0};

    json_each (row, calls) {
        int64_t count = json_get_int(row, "count", 0);
        struct str operation = str_of(json_get_text(row, "operation", ""));
        bool is_look = str_starts(operation, "Describe") || str_starts(operation, "List");

        counts.all += count;
        if (is_look)
            counts.looks += count;
        if (text_equal(json_get_text(row, "service", ""), "sqs"))
            counts.queue += count;
    }
    return counts;
}

enum moment { ALL_BACKING_UP, NONE_BACKING_UP, ALL_RESTORING, NONE_RESTORING, ENDED, MOMENTS };

static const char *step_state(const struct json *object, size_t index)
{
    return json_get_text(
        json_item(json_at(json_item(json_at(object, "status.databases"), 0), "steps"), index), "state", "");
}

/* How many have the step RUNNING, how many are past it, how many runs have ended. */
struct tally {
    int64_t backing_up, past_backup, restoring, past_restore, ended, succeeded;
};

static struct tally tally_of(const struct crowd *crowd, int64_t count)
{
    struct tally tally = {0};

    for (int64_t i = 0; i < count; i++) {
        const struct json *object = crowd_refresh(crowd, i);

        tally.backing_up += text_equal(step_state(object, 0), "Running");
        tally.past_backup += text_equal(step_state(object, 0), "Done");
        tally.restoring += text_equal(step_state(object, 2), "Running");
        tally.past_restore += text_equal(step_state(object, 2), "Done");
        tally.ended += json_at(object, "status.run.completionTime") != NULL;
        tally.succeeded += text_equal(json_get_text(object, "status.phase", ""), "Succeeded");
    }
    return tally;
}

struct figures {
    int64_t count; /* of refreshes */
    int64_t at_ms[MOMENTS];
    struct counts counts[MOMENTS];
    bool seen[MOMENTS];
    int64_t succeeded;
};

static void note(const struct crowd *crowd, struct figures *figures, enum moment moment, bool is_now)
{
    if (!is_now || figures->seen[moment])
        return;
    figures->seen[moment] = true;
    figures->at_ms[moment] = crowd_now_ms(crowd);
    figures->counts[moment] = count_calls(crowd);
}

/* The moment before the first has left a step is what counts: it is overwritten until then. */
static void note_last(const struct crowd *crowd, struct figures *figures, enum moment moment, bool is_so)
{
    figures->seen[moment] = figures->seen[moment] && !is_so;
    note(crowd, figures, moment, is_so);
}

static bool watch(void *arg, struct crowd *crowd)
{
    struct figures *figures = arg;
    struct tally tally = tally_of(crowd, figures->count);

    note(crowd, figures, ALL_BACKING_UP, tally.backing_up == figures->count);
    note_last(crowd, figures, NONE_BACKING_UP, tally.backing_up == figures->count);
    note(crowd, figures, ALL_RESTORING, tally.restoring == figures->count);
    note_last(crowd, figures, NONE_RESTORING, tally.restoring == figures->count);
    note(crowd, figures, ENDED, tally.ended == figures->count);
    figures->succeeded = tally.succeeded;
    return tally.ended < figures->count;
}

/* --- one size --- */

/* Tenths per minute between two moments; -1: they never came. */
static int64_t looks_per_minute(const struct figures *figures, enum moment from, enum moment to)
{
    int64_t took_ms = figures->at_ms[to] - figures->at_ms[from];

    if (!figures->seen[from] || !figures->seen[to] || took_ms <= 0)
        return -1;
    return (figures->counts[to].looks - figures->counts[from].looks) * 10 * MINUTES(1) / took_ms;
}

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
    struct figures figures = {.count = count};
    struct counts counts;
    int64_t minutes;

    crowd_run(crowd, LIMIT_MS, watch, &figures);
    minutes = crowd_now_ms(crowd) / MINUTES(1);
    counts = count_calls(crowd);
    printf("  %9lld %7lld %8lld %8lld", (long long)figures.succeeded, (long long)minutes,
           (long long)counts.all, (long long)(minutes ? counts.all * 60 / minutes : 0));
    if (hears_events)
        printf(" %8lld", (long long)(minutes ? counts.queue * 60 / minutes : 0));
    print_rate(looks_per_minute(&figures, ALL_BACKING_UP, NONE_BACKING_UP));
    print_rate(looks_per_minute(&figures, ALL_RESTORING, NONE_RESTORING));
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
