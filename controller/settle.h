/* What came of a row in this pass, written into its status: states, messages, back-off, what people should
 * hear. */
#ifndef CONTROLLER_SETTLE_H
#define CONTROLLER_SETTLE_H

#include "controller/rows.h"

#define REASON_NOT_PUT_BACK "NotPutBack" /* of a row that had not failed before */

void settle_outcome(struct work *work, struct stage *stage, const struct outcome *out);
/* Of an undo. */
void settle_undone(struct work *work, struct stage *stage, const struct outcome *out);
void settle_undo_error(struct work *work, struct stage *stage, const struct err *err);
/* Nothing was decided: the row is tried again after a back-off, and fails when its time is over. That of a
 * row of the switchover begins with its first error, even before its intent. */
void settle_error(struct work *work, struct stage *stage, const struct err *err);
/* The row has done what was asked of it after errors in a row. */
void settle_forget_trouble(struct stage *stage);

#endif
