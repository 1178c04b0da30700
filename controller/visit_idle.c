/* Between runs. */
#include "controller/expiry.h"
#include "controller/visit.h"

#define HELD_LOOK_MS MINUTES(10) /* at what is known already: nobody is asked */

/* Said of something that did not come to be, and is not asked for any more: the last run's end is what holds
 * again. */
static bool is_outdated(const struct visit *visit)
{
    static const char *const passing[] = {"Stalled", "Pending", "Queued", "Suspended"};
    struct condition *stalled = status_condition(visit->status, "Stalled");

    if (!visit->status->run.completion_ms || (stalled && summary_never_begins(stalled->reason)))
        return false;
    for (size_t i = 0; i < COUNT_OF(passing); i++) {
        if (text_equal(visit->status->phase, passing[i]))
            return true;
    }
    return false;
}

static void say_end_again(struct visit *visit)
{
    const struct condition *end = status_condition(visit->status, "Succeeded");

    if (end && end->status == CONDITION_TRUE) {
        summary_succeeded(&visit->summary);
    } else if (end && end->status == CONDITION_FALSE) {
        AUTO_FREE char *reason = xstrdup(end->reason);
        AUTO_FREE char *message = xstrdup(end->message);

        summary_failed(&visit->summary, reason, message);
    }
}

/* What was said of a generation that asked for nothing new still holds for this one. */
static void confirm(struct visit *visit)
{
    if (!status_condition(visit->status, "Ready") ||
        visit->status->observed_generation == visit->summary.generation)
        return;
    visit->status->observed_generation = visit->summary.generation;
    for (size_t i = 0; i < visit->status->condition_count; i++)
        visit->status->conditions[i].observed_generation = visit->summary.generation;
}

struct err *visit_idle(struct visit *visit, struct requeue *ret)
{
    struct expiry expiry = expiry_of(visit->object, visit->status, visit->live, visit->env->sched);
    int64_t left_ms = objects_can_remove(visit->objects) ? expiry.left_ms : NEVER_MS;
    bool held = false;

    ret->after_ms = NEVER_MS;
    if (expiry.manager)
        return visit_stall(visit, REASON_NOT_EXPIRED, expiry_refusal(&expiry), NEVER_MS, ret);
    if (is_outdated(visit))
        say_end_again(visit);
    confirm(visit);
    if (left_ms <= 0) {
        TRY(visit_expire(visit, ret, &held));
        if (!held)
            return NULL;
        left_ms = HELD_LOOK_MS;
    } else {
        status_remove_condition(visit->status, CONDITION_EXPIRY_HELD);
    }
    visit_watch_drift(visit, ret);
    if (left_ms < ret->after_ms)
        ret->after_ms = left_ms;
    return visit_write(visit);
}
