#include "controller/steps/password_judge.h"

/* Looks before the beginning are not looks after the end, and two looks at one moment (after a restart) are
 * one. */
static int64_t count_look(const struct password_signs *signs, bool counts)
{
    if (!counts)
        return 0;
    if (signs->quiet_looks >= PASSWORD_LOOKS_IN_A_ROW ||
        (signs->quiet_looks && signs->quiet_look_age_ms < PASSWORD_LOOK_MS - 1))
        return signs->quiet_looks;
    return signs->quiet_looks + 1;
}

enum password_stage password_judge(const struct password_signs *signs, int64_t *ret_quiet_looks)
{
    bool idle = signs->busy_age_ms > 0;
    bool begun =
        signs->event || signs->busy_age_ms != NEVER_MS || signs->asked_age_ms >= PASSWORD_BEGUN_BY_NOW_MS;
    bool ended = signs->event || signs->busy_age_ms >= PASSWORD_QUIET_MS; /* also when it was never seen */

    *ret_quiet_looks = count_look(signs, idle && begun);
    if (!begun)
        return PASSWORD_NOT_BEGUN;
    if (!idle)
        return PASSWORD_UNDER_WAY;
    return ended && *ret_quiet_looks >= PASSWORD_LOOKS_IN_A_ROW ? PASSWORD_IN_FORCE : PASSWORD_MAKING_SURE;
}
