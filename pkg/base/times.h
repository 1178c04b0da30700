/* Points in time as milliseconds since 1970 UTC, and the spellings that Kubernetes and AWS use. */
#ifndef BASE_TIMES_H
#define BASE_TIMES_H

#include "pkg/base/str.h"

#define SECONDS(n) ((int64_t)(n)*1000)
#define MINUTES(n) (SECONDS(n) * 60)
#define HOURS(n) (MINUTES(n) * 60)
#define DAYS(n) (HOURS(n) * 24)
#define NEVER_MS INT64_MAX

#define TIME_TEXT_MAX 40

struct time_parts {
    int year, month, day; /* 1-based */
    int hour, minute, second, ms;
    int weekday; /* 0: Sunday */
};

struct time_parts time_parts_of(int64_t wall_ms);
int64_t time_from_parts(const struct time_parts *parts); /* weekday is ignored */

void time_rfc3339(int64_t wall_ms, char ret[TIME_TEXT_MAX]);    /* 2026-11-22T16:00:00Z (metav1.Time) */
void time_rfc3339_ms(int64_t wall_ms, char ret[TIME_TEXT_MAX]); /* 2026-11-22T16:00:00.123Z */
void time_rfc3339_micro(int64_t wall_ms,
                        char ret[TIME_TEXT_MAX]);         /* 2026-11-22T16:00:00.123000Z (metav1.MicroTime) */
void time_amz(int64_t wall_ms, char ret[TIME_TEXT_MAX]);  /* 20261122T160000Z (SigV4) */
void time_http(int64_t wall_ms, char ret[TIME_TEXT_MAX]); /* Sun, 22 Nov 2026 16:00:00 GMT */
/* RFC 3339 with any fraction and offset, "Z" or "+00:00"; also without a zone (taken as UTC). */
bool time_parse(struct str text, int64_t *ret_wall_ms);
bool time_parse_http(struct str text, int64_t *ret_wall_ms);
bool time_parse_amz(struct str text, int64_t *ret_wall_ms);

/* Go's duration syntax as Kubernetes users write it ("1h30m", "90s", "500ms"); no sign. False on anything
 * else. */
bool duration_parse(struct str text, int64_t *ret_ms);
/* For people: "45s", "3m12s", "2h05m", "3d4h". */
void duration_text(int64_t ms, char ret[TIME_TEXT_MAX]);

#endif
