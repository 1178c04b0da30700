/* What the last switchover set, looked at again: somebody else may have changed it. Nothing is put right; it
 * is said. */
#ifndef CONTROLLER_DRIFT_H
#define CONTROLLER_DRIFT_H

#include "controller/pass.h"

#define DRIFT_LOOK_MS HOURS(1)

/* Appends a sentence per proxy and parameter that is not as the run left it; no secret's content. The pass is
 * that of the run that succeeded. An error: something could not be looked at. */
struct err *drift_look(const struct pass *pass, struct buf *out) MUST_USE;

#endif
