/* One pass over one StagingRefresh. It reads the object as last written, looks at the world, and then either
 * records (a new run, intents) in one write, or acts on the intents it read and writes what came back in one
 * write; never both. */
#include "controller/requests.h"
#include "controller/visit.h"

static struct err *dispatch(struct visit *visit, struct requeue *ret)
{
    bool active = visit->status->run.id && !visit->status->run.completion_ms, held_now = false;

    if (json_at(visit->object, "metadata.deletionTimestamp"))
        return visit_delete(visit, ret);
    if (visit->status->run.id) /* somebody may have taken it away */
        TRY(visit_hold(visit, ret, &held_now));
    if (held_now)
        return NULL;
    requests_forget(visit->status, visit->object);
    visit_say_stale(visit);
    visit_tell(visit);
    if (active)
        return visit_advance(visit, ret);
    if (!visit->live)
        return visit_stall(visit, "InvalidSpec", err_text(visit->live_fault), NEVER_MS, ret);
    if (!visit_is_wanted(visit) && !visit_is_asked(visit))
        return visit_idle(visit, ret);
    if (visit->live->live.suspend) {
        summary_suspended(&visit->summary, visit_is_wanted(visit));
        return visit_write(visit);
    }
    if (!visit_is_wanted(visit) && request_retries(visit->status, visit->object))
        return visit_retry(visit, ret);
    return visit_begin(visit, ret);
}

static struct err *pass_over(struct visit *visit, struct engine *engine, const struct env *env,
                             const struct object_id *id, struct requeue *ret)
{
    TRY(visit_init(visit, engine, env, id));
    return visit->object ? dispatch(visit, ret) : NULL;
}

struct err *reconcile_refresh(struct engine *engine, const struct env *env, const struct object_id *id,
                              struct requeue *ret)
{
    CLEANUP(visit_done) struct visit visit = {0};
    struct err *err = err_wrap(pass_over(&visit, engine, env, id, ret), "%s/%s", id->namespace, id->name);

    if (visit.object || !err) /* else it could not be read */
        visit_leave_series(&visit);
    snprintf(ret->run, sizeof(ret->run), "%s", log_text_or_empty(visit.run));
    if (!err && visit.has_recorded)
        ret->after_ms = 0;
    return err;
}
