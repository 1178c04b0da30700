/* The gates before the switchover, and the look at them before its first change (gate.c). */
#ifndef CONTROLLER_STEPS_GATE_H
#define CONTROLLER_STEPS_GATE_H

#include "controller/pass.h"

struct err *approval_act(struct stage *stage, struct outcome *out) MUST_USE;
struct err *window_act(struct stage *stage, struct outcome *out) MUST_USE;

/* No row that changes anything has come to its intent yet. */
bool gate_nothing_begun(const struct pass *pass);
/* Before intents of the first change are written: the window may have closed since its row was done (a crash,
 * a back-off); the row is then opened again. */
struct err *gate_recheck(const struct pass *pass) MUST_USE;
/* The same for an intent that was written in time and nobody has acted on: *ret_held, and *out waits for the
 * next opening. Never holds when the switchover has begun elsewhere. */
struct err *gate_hold(struct stage *stage, struct outcome *out, bool *ret_held) MUST_USE;

#endif
