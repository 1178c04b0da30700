/* When a switchover may start: days and hours of a local clock. Pure functions of the clock given. */
#ifndef CONTROLLER_WINDOW_H
#define CONTROLLER_WINDOW_H

#include "pkg/base/zone.h"
#include "pkg/refresh/spec.h"

/* A window over midnight belongs to the day it begins on. */
bool window_is_open(const struct window_spec *window, const struct zone *zone, int64_t wall_ms);
/* The first moment from then on at which it is open; NEVER_MS when there is none within sixteen days (the
 * hours are skipped by daylight saving, again and again). */
int64_t window_next_ms(const struct window_spec *window, const struct zone *zone, int64_t wall_ms);
/* "Mon, Tue 22:00 to 02:00 Asia/Tokyo"; yours. */
char *window_text(const struct window_spec *window);
/* Whether the zone is known here. ERR_INVALID. */
struct err *window_check(const struct window_spec *window) MUST_USE;

#endif
