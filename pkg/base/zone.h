/* Time zones by their IANA names, from the system's compiled database (TZif, RFC 9636; the rule behind the
 * last transition as in POSIX TZ). The process's own TZ plays no part. Immutable after loading. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "pkg/base/err.h"
#include "pkg/base/str.h"

struct zone;

/* "Asia/Tokyo". ERR_INVALID: not a name, not there, or not readable. UTC is known without any file. */
struct err *zone_load(const char *name, struct zone **ret) MUST_USE;
/* The content of such a file. ERR_INVALID for anything else. */
struct err *zone_parse(struct str content, struct zone **ret) MUST_USE;
void zone_free(struct zone *zone);
/* Seconds that the local clock is ahead of UTC at that moment. */
int64_t zone_offset_s(const struct zone *zone, int64_t wall_ms);

static inline void auto_zone(struct zone **zone)
{
    zone_free(*zone);
}
#define AUTO_ZONE CLEANUP(auto_zone)

#endif
