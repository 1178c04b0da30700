#include "controller/window.h"

#include "pkg/base/times.h"
#include "tests/testing/assertions.h"

#define HHMM(h, m) ((h)*60 + (m))
#define MON 2
#define WEEKDAYS 0x3e

static char tokyo[] = "Asia/Tokyo", berlin[] = "Europe/Berlin", new_york[] = "America/New_York",
            utc[] = "UTC";

static const struct row {
    const char *name;
    struct window_spec window;
    const char *at, *next; /* the same: it is open */
} rows[] = {
    {"before the hours",
     {true, 0, HHMM(9, 0), HHMM(11, 0), utc},
     "2026-11-22T08:59:59.500Z",
     "2026-11-22T09:00:00Z"},
    {"its first minute",
     {true, 0, HHMM(9, 0), HHMM(11, 0), utc},
     "2026-11-22T09:00:00Z",
     "2026-11-22T09:00:00Z"},
    {"its last second",
     {true, 0, HHMM(9, 0), HHMM(11, 0), utc},
     "2026-11-22T10:59:59Z",
     "2026-11-22T10:59:59Z"},
    {"the end is outside",
     {true, 0, HHMM(9, 0), HHMM(11, 0), utc},
     "2026-11-22T11:00:00Z",
     "2026-11-23T09:00:00Z"},
    {"a local clock",
     {true, 0, HHMM(9, 0), HHMM(11, 0), tokyo},
     "2026-11-22T12:00:00Z",
     "2026-11-23T00:00:00Z"},
    {"the day is the local one",
     {true, MON, HHMM(0, 0), HHMM(1, 0), tokyo},
     "2026-11-22T15:30:00Z",
     "2026-11-22T15:30:00Z"},
    {"over the weekend",
     {true, WEEKDAYS, HHMM(9, 0), HHMM(11, 0), utc},
     "2026-11-20T11:00:00Z",
     "2026-11-23T09:00:00Z"},
    {"over midnight, evening",
     {true, MON, HHMM(22, 0), HHMM(2, 0), utc},
     "2026-11-23T22:00:00Z",
     "2026-11-23T22:00:00Z"},
    {"over midnight, morning",
     {true, MON, HHMM(22, 0), HHMM(2, 0), utc},
     "2026-11-24T01:59:00Z",
     "2026-11-24T01:59:00Z"},
    {"over midnight, the morning before",
     {true, MON, HHMM(22, 0), HHMM(2, 0), utc},
     "2026-11-23T01:00:00Z",
     "2026-11-23T22:00:00Z"},
    {"over midnight, over",
     {true, MON, HHMM(22, 0), HHMM(2, 0), utc},
     "2026-11-24T02:00:00Z",
     "2026-11-30T22:00:00Z"},
    {"winter", {true, 0, HHMM(9, 0), HHMM(11, 0), berlin}, "2026-01-15T00:00:00Z", "2026-01-15T08:00:00Z"},
    {"summer", {true, 0, HHMM(9, 0), HHMM(11, 0), berlin}, "2026-07-15T00:00:00Z", "2026-07-15T07:00:00Z"},
    {"begins in the hour that is skipped",
     {true, 0, HHMM(2, 30), HHMM(5, 0), berlin},
     "2026-03-29T00:00:00Z",
     "2026-03-29T01:00:00Z"},
    {"is skipped as a whole",
     {true, 0, HHMM(2, 10), HHMM(2, 50), berlin},
     "2026-03-29T00:00:00Z",
     "2026-03-30T00:10:00Z"},
    {"is skipped on its only day",
     {true, 1, HHMM(2, 10), HHMM(2, 50), berlin},
     "2026-03-29T00:00:00Z",
     "2026-04-05T00:10:00Z"},
    {"the repeated hour, first time",
     {true, 0, HHMM(2, 30), HHMM(3, 0), berlin},
     "2026-10-25T00:00:00Z",
     "2026-10-25T00:30:00Z"},
    {"the repeated hour, between",
     {true, 0, HHMM(2, 30), HHMM(3, 0), berlin},
     "2026-10-25T01:00:00Z",
     "2026-10-25T01:30:00Z"},
    {"over midnight and the change",
     {true, 1, HHMM(23, 0), HHMM(3, 0), new_york},
     "2026-03-08T08:00:00Z",
     "2026-03-09T03:00:00Z"},
};

static void next_opening(void **state)
{
    const struct row *row = *state;
    AUTO_ZONE struct zone *zone = NULL;
    char got[TIME_TEXT_MAX], want[TIME_TEXT_MAX];
    int64_t at_ms = 0, next_ms = 0;

    assert_no_err(zone_load(row->window.time_zone, &zone));
    assert_true(time_parse(str_of(row->at), &at_ms) && time_parse(str_of(row->next), &next_ms));
    time_rfc3339(window_next_ms(&row->window, zone, at_ms), got);
    time_rfc3339(next_ms, want);
    assert_text_equal(got, want);
    assert_int_equal(window_is_open(&row->window, zone, at_ms), at_ms == next_ms);
}

static void text(void **state UNUSED)
{
    AUTO_FREE char *days = window_text(&(struct window_spec){true, WEEKDAYS, HHMM(22, 5), HHMM(2, 0), tokyo});
    AUTO_FREE char *all = window_text(&(struct window_spec){true, 0, HHMM(9, 0), HHMM(11, 0), utc});

    assert_text_equal(days, "Mon, Tue, Wed, Thu, Fri 22:05 to 02:00 Asia/Tokyo");
    assert_text_equal(all, "09:00 to 11:00 UTC");
}

static void unknown_zone(void **state UNUSED)
{
    char name[] = "Mars/Phobos";
    struct window_spec window = {true, 0, 0, 60, name};

    assert_fails(window_check(&window), ERR_INVALID,
                 "spec.switchover.window.timeZone: there is no time zone");
    window.present = false;
    assert_no_err(window_check(&window));
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, next_opening, rows);
    TEST(&tests, text);
    TEST(&tests, unknown_zone);
    return tests_run(&tests, "window");
}
