/* Between runs. */
#include "controller/expiry.h"
#include "controller/visit.h"

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

/* --- the time after the end --- */

/* On condition that it is still as it was judged: a trigger may have come, or somebody may hold it dear now.
 */
static struct err *expire(struct visit *visit, struct requeue *ret)
{
    const struct object_id id = {.kind = OBJECT_REFRESH, .namespace = visit->namespace, .name = visit->name};
    AUTO_JSON struct json *live = NULL;

    TRY(objects_read_live(visit->objects, visit->env, &id, &live));
    if (!live || !text_equal(json_get_text(live, "metadata.resourceVersion", ""),
                             json_get_text(visit->object, "metadata.resourceVersion", ""))) {
        ret->after_ms = SECONDS(1);
        return NULL;
    }
    TRY(err_wrap(objects_remove(visit->objects, visit->env, visit->object),
                 "delete the object, its time is over"));
    LOG_INFO(visit->log, "time after the end is over", KV("deleted", visit->name));
    return NULL;
}

struct err *visit_idle(struct visit *visit, struct requeue *ret)
{
    struct expiry expiry = expiry_of(visit->object, visit->status, visit->live, visit->env->sched);

    ret->after_ms = NEVER_MS;
    if (expiry.manager)
        return visit_stall(visit, REASON_NOT_EXPIRED, expiry_refusal(&expiry), NEVER_MS, ret);
    if (is_outdated(visit))
        say_end_again(visit);
    confirm(visit);
    if (expiry.left_ms <= 0 && objects_can_remove(visit->objects))
        return expire(visit, ret);
    visit_watch_drift(visit, ret);
    if (objects_can_remove(visit->objects) && expiry.left_ms < ret->after_ms)
        ret->after_ms = expiry.left_ms;
    return visit_write(visit);
}
