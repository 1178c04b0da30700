/* Which copy of a database staging uses now. */
#ifndef CONTROLLER_STEPS_IN_USE_H
#define CONTROLLER_STEPS_IN_USE_H

#include "controller/pass.h"

#define IN_USE_EVIDENCE "inUse" /* of the row Settings: the identifier */

/* When a run begins or goes on, each row Settings that has not begun is given the copy that the last run of
 * the series has left in use, whichever object that run belongs to: the object may be gone by the time of the
 * step.
 */
void in_use_remember(struct objects *objects, const struct json *object, const struct refresh_spec *spec,
                     struct refresh_status *status);
/* What is remembered, or as if it were remembered now; for a cluster without one, what a proxy of the
 * database points at (staging before its first refresh). NULL: neither. Yours. */
struct err *in_use_find(const struct stage *stage, char **ret) MUST_USE;

#endif
