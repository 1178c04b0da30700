/* Which copy of a database staging uses now. */
#ifndef CONTROLLER_STEPS_IN_USE_H
#define CONTROLLER_STEPS_IN_USE_H

#include "controller/pass.h"

/* The identifier of the copy that the last run left in use; for a cluster without one, of what a proxy of the
 * database points at (staging before its first refresh). NULL: neither. Yours. */
struct err *in_use_find(const struct stage *stage, char **ret) MUST_USE;

#endif
