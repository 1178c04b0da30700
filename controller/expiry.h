/* spec.ttlSecondsAfterFinished: when the object's time is over, and on which objects it is refused. A tool
 * that keeps a cluster as Git says would create a deleted object again, and a new object is a new refresh. */
#ifndef CONTROLLER_EXPIRY_H
#define CONTROLLER_EXPIRY_H

#include "pkg/base/sched.h"
#include "pkg/refresh/status.h"

#define REASON_NOT_EXPIRED "ExpiryRefused"

struct expiry {
    const char *manager; /* "Argo CD", "Flux": the field is set, and must not be; NULL: fine */
    int64_t left_ms;     /* 0: over; NEVER_MS: the field is not set, or nothing has finished */
};

struct expiry expiry_of(const struct json *object, struct refresh_status *status,
                        const struct refresh_spec *spec, struct sched *sched);
/* A sentence for people. */
const char *expiry_refusal(const struct expiry *expiry);

#endif
