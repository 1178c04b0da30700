#include "controller/window.h"

#include "pkg/base/buf.h"
#include "pkg/base/times.h"

#define SEARCH_MS DAYS(16)

static const char *const day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static bool has_day(const struct window_spec *window, int weekday)
{
    return !window->days || (window->days & 1u << weekday) != 0;
}

bool window_is_open(const struct window_spec *window, const struct zone *zone, int64_t wall_ms)
{
    struct time_parts local = time_parts_of(wall_ms + SECONDS(zone_offset_s(zone, wall_ms)));
    int minute = local.hour * 60 + local.minute;

    if (window->from_minute < window->to_minute)
        return has_day(window, local.weekday) && minute >= window->from_minute && minute < window->to_minute;
    return (has_day(window, local.weekday) && minute >= window->from_minute) ||
           (has_day(window, (local.weekday + 6) % 7) && minute < window->to_minute);
}

/* Minute by minute: gaps and repeated hours need no thought then, and it takes a millisecond. */
int64_t window_next_ms(const struct window_spec *window, const struct zone *zone, int64_t wall_ms)
{
    int64_t at_ms = wall_ms;

    while (at_ms < wall_ms + SEARCH_MS) {
        if (window_is_open(window, zone, at_ms))
            return at_ms;
        at_ms += MINUTES(1) - at_ms % MINUTES(1);
    }
    return NEVER_MS;
}

char *window_text(const struct window_spec *window)
{
    AUTO_BUF struct buf text = BUF_MAX(256);

    for (int day = 0; day < (int)COUNT_OF(day_names); day++) {
        if (window->days && has_day(window, day))
            buf_addf(&text, "%s%s", text.len ? ", " : "", day_names[day]);
    }
    buf_addf(&text, "%s%02d:%02d to %02d:%02d %s", text.len ? " " : "", window->from_minute / 60,
             window->from_minute % 60, window->to_minute / 60, window->to_minute % 60, window->time_zone);
    return buf_take(&text);
}

struct err *window_check(const struct window_spec *window)
{
    AUTO_ZONE struct zone *zone = NULL;

    return window->present ? err_wrap(zone_load(window->time_zone, &zone), "spec.switchover.window.timeZone")
                           : NULL;
}
