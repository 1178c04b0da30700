/* When people are told that the events of an account do not come. */
#include "controller/event_silence.h"

#include "pkg/base/times.h"
#include "tests/testing/assertions.h"

#define PRODUCTION "111111111111"
#define STAGING "222222222222"

struct row {
    const char *name;
    int jobs;             /* of production, that end together at minute 60 */
    int64_t took_min;     /* each */
    int64_t heard_at_min; /* 0: never */
    int64_t now_min;
    const char *want;
};

static const struct row rows[] = {
    {"nothing ever came", 3, 40, 0, 70, PRODUCTION},
    {"it may still come", 3, 40, 0, 69, NULL},
    {"an event may be lost", 2, 40, 0, 600, NULL},
    {"short jobs", 30, 14, 0, 70, NULL},
    {"what came before they began", 3, 40, 19, 70, PRODUCTION},
    {"what came while they ran", 3, 40, 21, 600, NULL},
    {"what came after they ended", 3, 40, 65, 70, NULL},
};

static void tells_of_silence(void **state)
{
    const struct row *row = *state;
    struct event_silence silence = {0};

    event_silence_heard(&silence, STAGING, MINUTES(59));
    if (row->heard_at_min && row->heard_at_min <= 60)
        event_silence_heard(&silence, PRODUCTION, MINUTES(row->heard_at_min));
    for (int i = 0; i < row->jobs; i++) {
        event_silence_job_ended(&silence, PRODUCTION, MINUTES(row->took_min), MINUTES(60));
        event_silence_job_ended(&silence, STAGING, MINUTES(row->took_min), MINUTES(60));
    }
    if (row->heard_at_min > 60)
        event_silence_heard(&silence, PRODUCTION, MINUTES(row->heard_at_min));
    assert_text_equal(event_silence_of(&silence, MINUTES(row->now_min)), row->want);
    event_silence_done(&silence);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, tells_of_silence, rows);
    return tests_run(&tests, "event_silence");
}
