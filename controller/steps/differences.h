/* How a copy differs from what was asked for, or from its source, where nothing can put it right: collected
 * while the Settings step makes sure that it is done, listed in the Restored condition. */
#ifndef CONTROLLER_STEPS_DIFFERENCES_H
#define CONTROLLER_STEPS_DIFFERENCES_H

#include "controller/pass.h"

#define DIFFERENCES_MAX 900
#define DIFFERENCES_EVIDENCE "differences"

/* Nothing when both texts are equal, or nothing is wanted. */
void differences_add(struct buf *list, const char *what, const char *wanted, const char *is);
/* Writes the list into the row. *out is DONE, or FAILED when there are differences and the spec says Fail. */
void differences_settle(struct stage *stage, const struct buf *list, struct outcome *out);

#endif
