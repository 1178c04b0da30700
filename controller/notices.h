/* What others are to be told: which transitions lie between two versions of a status, and the event that
 * tells of one (CloudEvents 1.0). Pure. */
#ifndef CONTROLLER_NOTICES_H
#define CONTROLLER_NOTICES_H

#include "pkg/refresh/status.h"

/* Adds a notice to `after` for each transition since `before` that somebody in `spec` wants to hear of. Gives
 * how many. *ret_dropped: older ones had to go. */
size_t notices_record(struct refresh_status *before, struct refresh_status *after,
                      const struct refresh_spec *spec, int64_t now_ms, bool *ret_dropped);

struct notice_origin {
    const char *installation; /* may be NULL or "" */
    const char *namespace, *name, *uid, *series;
};
/* In CloudEvents' structured form; holds no secret, as messages hold none. Yours. */
struct json *notice_event(const struct notice *notice, const struct notice_origin *origin);

#endif
