#include "tests/simulation/crowd_rates.h"

#include "pkg/base/sched.h"
#include "pkg/base/str.h"
#include "pkg/base/times.h"

struct crowd_counts crowd_count_calls(const struct crowd *crowd)
{
    AUTO_JSON struct json *calls = crowd_ask(crowd, "/_sim/calls");
    struct crowd_counts counts = {0};

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

static const char *step_state(const struct json *object, size_t index)
{
    return json_get_text(
        json_item(json_at(json_item(json_at(object, "status.databases"), 0), "steps"), index), "state", "");
}

/* How many have the step RUNNING, how many runs have ended. */
struct tally {
    int64_t backing_up, restoring, ended, succeeded;
};

static struct tally tally_of(const struct crowd *crowd, int64_t count)
{
    struct tally tally = {0};

    for (int64_t i = 0; i < count; i++) {
        const struct json *object = crowd_refresh(crowd, i);

        tally.backing_up += text_equal(step_state(object, 0), "Running");
        tally.restoring += text_equal(step_state(object, 2), "Running");
        tally.ended += json_at(object, "status.run.completionTime") != NULL;
        tally.succeeded += text_equal(json_get_text(object, "status.phase", ""), "Succeeded");
    }
    return tally;
}

static void note(const struct crowd *crowd, struct crowd_figures *figures, enum crowd_moment moment,
                 bool is_now)
{
    if (!is_now || figures->seen[moment])
        return;
    figures->seen[moment] = true;
    figures->at_ms[moment] = crowd_now_ms(crowd);
    figures->counts[moment] = crowd_count_calls(crowd);
}

/* The moment before the first has left a step is what counts: it is overwritten until then. */
static void note_last(const struct crowd *crowd, struct crowd_figures *figures, enum crowd_moment moment,
                      bool is_so)
{
    figures->seen[moment] = figures->seen[moment] && !is_so;
    note(crowd, figures, moment, is_so);
}

static bool is_past(const struct crowd_figures *figures, const struct tally *tally)
{
    switch (figures->until) {
    case CROWD_LAST_BACKING_UP:
        return figures->seen[CROWD_LAST_BACKING_UP] && tally->backing_up < figures->count;
    case CROWD_LAST_RESTORING:
        return figures->seen[CROWD_LAST_RESTORING] && tally->restoring < figures->count;
    case CROWD_ALL_BACKING_UP:
    case CROWD_ALL_RESTORING:
    case CROWD_ENDED:
    case CROWD_MOMENTS:
        break;
    }
    return tally->ended == figures->count;
}

bool crowd_measure(void *arg, struct crowd *crowd)
{
    struct crowd_figures *figures = arg;
    struct tally tally = tally_of(crowd, figures->count);

    note(crowd, figures, CROWD_ALL_BACKING_UP, tally.backing_up == figures->count);
    note_last(crowd, figures, CROWD_LAST_BACKING_UP, tally.backing_up == figures->count);
    note(crowd, figures, CROWD_ALL_RESTORING, tally.restoring == figures->count);
    note_last(crowd, figures, CROWD_LAST_RESTORING, tally.restoring == figures->count);
    note(crowd, figures, CROWD_ENDED, tally.ended == figures->count);
    figures->succeeded = tally.succeeded;
    return !is_past(figures, &tally);
}

int64_t crowd_looks_per_minute(const struct crowd_figures *figures, enum crowd_moment from,
                               enum crowd_moment to)
{
    int64_t took_ms = figures->at_ms[to] - figures->at_ms[from];

    if (!figures->seen[from] || !figures->seen[to] || took_ms <= 0)
        return -1;
    return (figures->counts[to].looks - figures->counts[from].looks) * 10 * MINUTES(1) / took_ms;
}
