/* A run is asked for and has not begun: what is said of it before anything outside is asked, and when the
 * answers do not come. */
#include "controller/visit.h"

#define PREFLIGHT_FAILED "PreflightFailed"

/* It is read in the status of this very spec that the object waits for its start. What has been looked at and
 * was not in place stays said until it has been looked at again. */
static bool is_said(const struct visit *visit)
{
    const struct condition *stalled = status_condition(visit->status, "Stalled");

    if (visit->status->observed_generation != visit->summary.generation)
        return false;
    return text_equal(visit->status->phase, "Pending") ||
           (text_equal(visit->status->phase, "Stalled") && stalled &&
            text_equal(stalled->reason, PREFLIGHT_FAILED));
}

struct err *visit_pend(struct visit *visit, struct requeue *ret, bool *ret_written)
{
    *ret_written = !is_said(visit);
    if (!*ret_written)
        return NULL;
    summary_pending(&visit->summary, "The run begins once all that it needs has been looked at");
    ret->after_ms = 0;
    return visit_write(visit);
}

struct err *visit_fail_preflight(struct visit *visit, const char *failures, int64_t after_ms,
                                 struct requeue *ret)
{
    return visit_stall(visit, PREFLIGHT_FAILED, failures, after_ms, ret);
}

struct err *visit_read_again(struct visit *visit)
{
    AUTO_REFRESH_STATUS struct refresh_status *before = NULL;

    TRY(err_wrap(refresh_status_parse(json_member(visit->object, "status"), &before), "status"));
    refresh_status_free(visit->status);
    visit->status = TAKE(before);
    visit->summary.status = visit->status;
    return NULL;
}

/* The same trouble is written once: with each round its request ids are others, and nothing else. */
static struct err *say(struct visit *visit, const struct err *trouble)
{
    const char *code = err_remote(trouble)->code;
    AUTO_FREE char *reason = condition_reason(code ? code : err_kind_name(err_kind(trouble)));
    AUTO_FREE char *message =
        xasprintf("Not all could be looked at, and AWS is asked again: %s", err_text(trouble));
    const struct condition *passed;

    TRY(visit_read_again(visit));
    passed = status_condition(visit->status, "PreflightPassed");
    if (!text_equal(visit->status->phase, "Pending") ||
        (passed && passed->status == CONDITION_UNKNOWN && text_equal(passed->reason, reason)))
        return NULL;
    status_set_condition(visit->status, "PreflightPassed", CONDITION_UNKNOWN, reason, message,
                         visit->summary.generation, visit->summary.now_ms);
    summary_pending(&visit->summary, message);
    return visit_write(visit);
}

struct err *visit_say_trouble(struct visit *visit, struct err *trouble)
{
    AUTO_ERR struct err *err = trouble;

    if (err && err_kind(err) != ERR_CANCELED && err_kind(err) != ERR_CONFLICT)
        TRY(say(visit, err));
    return TAKE(err);
}
