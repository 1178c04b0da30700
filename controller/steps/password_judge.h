/* When a new master password is in force, as a rule over what was seen: pure, so that it can be tried over
 * every way in which a reset may show.
 *
 * The answer to the reset, and the status for seconds to tens of seconds after it, still say "available" with
 * the old password in force. So "available" alone proves nothing; we wait on evidence that the reset has
 * begun and then ended. Begun: the status was seen not to be available, or a new password was pending, or the
 * event came; failing all of these, two minutes have passed. Ended: available and nothing pending in three
 * looks in a row, and the event came or a minute has passed since the last sign that it was still going on.
 * Each sign may be missing (events are best effort, the reset may be shorter than our looks), so none is
 * required. */
#ifndef CONTROLLER_STEPS_PASSWORD_JUDGE_H
#define CONTROLLER_STEPS_PASSWORD_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "pkg/base/times.h"

#define PASSWORD_LOOK_MS SECONDS(5)
#define PASSWORD_BEGUN_BY_NOW_MS SECONDS(120)
#define PASSWORD_QUIET_MS SECONDS(60)
#define PASSWORD_LOOKS_IN_A_ROW 3

/* At one look. Ages are in scaled time; NEVER_MS: it has not been. */
struct password_signs {
    int64_t asked_age_ms;      /* since the reset was asked for */
    int64_t busy_age_ms;       /* since it was last seen going on; 0: it is */
    bool event;                /* the event has come, at this look or before */
    int64_t quiet_looks;       /* in a row, before this look */
    int64_t quiet_look_age_ms; /* since the last that counted */
};

enum password_stage { PASSWORD_NOT_BEGUN, PASSWORD_UNDER_WAY, PASSWORD_MAKING_SURE, PASSWORD_IN_FORCE };

/* *ret_quiet_looks is what the next look must be told. */
enum password_stage password_judge(const struct password_signs *signs, int64_t *ret_quiet_looks);

#endif
