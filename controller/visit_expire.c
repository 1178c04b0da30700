/* spec.ttlSecondsAfterFinished: the object goes by itself. But one that alone knows which copies are kept
 * takes that knowledge with it: nobody could go back to them, and no Retention would ever remove them. So it
 * stays until a younger object of its series has taken them over. Age decides and never changes, so that no
 * two objects go at once because each relies on the other. */
#include "controller/expiry.h"
#include "controller/visit.h"

#define NAMES_MAX 700

/* The names of the copies that nobody else knows of; yours, NULL: none. */
static char *list_orphans(const struct visit *visit)
{
    AUTO_FREE bool *orphans = visit_find_orphans(visit, visit->live, true);
    AUTO_BUF struct buf names = BUF_MAX(NAMES_MAX);

    for (size_t i = 0; i < visit->status->copy_count; i++) {
        const struct copy_status *copy = &visit->status->copies[i];

        if (orphans[i])
            buf_addf(&names, "%s%s", names.len ? ", " : "", copy->identifier ? copy->identifier : copy->arn);
    }
    return names.len ? buf_take(&names) : NULL;
}

static void hold(struct visit *visit, const char *orphans)
{
    AUTO_FREE char *message = xasprintf(
        "spec.ttlSecondsAfterFinished is over, but the object stays until a younger one of series %s "
        "has succeeded and taken over its copies, for nobody else knows of them: %s",
        visit->live->series, orphans);

    status_set_condition(visit->status, CONDITION_EXPIRY_HELD, CONDITION_TRUE, "CopiesNotTakenOver", message,
                         visit->summary.generation, visit->summary.now_ms);
}

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

struct err *visit_expire(struct visit *visit, struct requeue *ret, bool *ret_held)
{
    AUTO_FREE char *orphans = list_orphans(visit);

    *ret_held = orphans != NULL;
    if (!orphans)
        return expire(visit, ret);
    hold(visit, orphans);
    return NULL;
}
