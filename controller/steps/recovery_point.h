/* recoveryPoint.from SourceVault and TargetVault. */
#ifndef CONTROLLER_STEPS_RECOVERY_POINT_H
#define CONTROLLER_STEPS_RECOVERY_POINT_H

#include "controller/pass.h"

/* For the intent of the Backup step: takes the newest usable recovery point over and skips the row.
 * ERR_INVALID: there is none that is young enough. */
struct err *recovery_point_pick(struct stage *stage) MUST_USE;
/* Everything is in it, and it is to stay. */
struct recovery_point;
bool recovery_point_is_whole(const struct recovery_point *point);

#endif
