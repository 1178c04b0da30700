/* What a run of a spec would do, in order: from the workflow's tables and the spec alone, without a call. */
#ifndef CONTROLLER_PLAN_H
#define CONTROLLER_PLAN_H

#include "controller/admit.h"
#include "pkg/refresh/status.h"

/* {"steps": [{"database"?, "step", "account"?, "does", "expectedSeconds"?}, ...], "expectedSeconds"?}: the
 * databases' pipelines (side by side in truth), then the switchover. `status` is what an earlier run has
 * left, for expected durations; may be NULL. Yours. */
struct json *plan_make(const struct refresh_spec *spec, const struct accounts *accounts,
                       const struct refresh_status *status);

/* Whether a step of the workflow can be told; for the test that none is forgotten. */
bool plan_knows(const char *step);

#endif
