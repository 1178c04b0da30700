/* recoveryPoint.from SourceVault and TargetVault. */
#ifndef CONTROLLER_STEPS_RECOVERY_POINT_H
#define CONTROLLER_STEPS_RECOVERY_POINT_H

#include "controller/pass.h"

/* For the intent of the Backup step: takes the newest usable recovery point over and skips the row.
 * ERR_INVALID: there is none that is young enough. */
struct err *recovery_point_pick(struct stage *stage) MUST_USE;

#endif
