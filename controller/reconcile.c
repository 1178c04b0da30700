/* One pass over one StagingRefresh. It reads the object as last written, looks at the world, and then either
 * records (a new run, intents) in one write, or acts on the intents it read and writes what came back in one
 * write; never both. */
#include "controller/requests.h"
#include "controller/visit.h"

static struct err *idle(struct visit *visit, struct requeue *ret)
{
    struct condition *ready = status_condition(visit->status, "Ready");

    ret->after_ms = NEVER_MS;
    visit_watch_drift(visit, ret);
    /* What was said of a generation that asked for nothing new still holds for this one. */
    if (ready && visit->status->observed_generation != visit->summary.generation) {
        visit->status->observed_generation = visit->summary.generation;
        for (size_t i = 0; i < visit->status->condition_count; i++)
            visit->status->conditions[i].observed_generation = visit->summary.generation;
    }
    return visit_write(visit);
}

static struct err *dispatch(struct visit *visit, struct requeue *ret)
{
    bool active = visit->status->run.id && !visit->status->run.completion_ms;

    if (json_at(visit->object, "metadata.deletionTimestamp")) {
        engine_release_series(visit->engine, visit->holder);
        return NULL; /* nothing new starts for an object that is going away */
    }
    requests_forget(visit->status, visit->object);
    visit_say_stale(visit);
    visit_tell(visit);
    if (active)
        return visit_advance(visit, ret);
    if (!visit->live)
        return visit_stall(visit, "InvalidSpec", err_text(visit->live_fault), NEVER_MS, ret);
    if (!visit_is_wanted(visit) && !visit_is_asked(visit))
        return idle(visit, ret);
    if (visit->live->live.suspend) {
        summary_suspended(&visit->summary);
        return visit_write(visit);
    }
    if (!visit_is_wanted(visit) && request_retries(visit->status, visit->object))
        return visit_retry(visit, ret);
    return visit_begin(visit, ret);
}

struct err *reconcile_refresh(struct engine *engine, const struct env *env, const struct object_id *id,
                              struct requeue *ret)
{
    CLEANUP(visit_done) struct visit visit = {0};
    struct env logged = *env;
    const struct log_field fields[] = {KV("namespace", id->namespace), KV("name", id->name)};

    TRY(err_wrap(visit_init(&visit, engine, env, id), "%s/%s", id->namespace, id->name));
    if (!visit.object) {
        engine_release_series(engine, visit.holder);
        return NULL;
    }
    visit.log = log_with(env->log, fields, COUNT_OF(fields));
    logged.log = visit.log;
    visit.env = &logged;
    TRY(err_wrap(dispatch(&visit, ret), "%s/%s", id->namespace, id->name));
    if (visit.has_recorded)
        ret->after_ms = 0;
    return NULL;
}
