/* What people ask for by annotation: what of it holds in this pass, and doing it. */
#include "controller/requests.h"
#include "controller/visit.h"

void visit_say_stale(struct visit *visit)
{
    visit_say_once(visit, "RequestIgnored", request_staleness(visit->status, visit->object, "cancel"));
    visit_say_once(visit, "RequestIgnored", request_staleness(visit->status, visit->object, "retry"));
    visit_say_once(visit, "RequestRefused", request_refuse_switch(visit->status, visit->object));
}

struct err *visit_write_request(struct visit *visit, const char *reason, const char *note,
                                struct requeue *ret)
{
    summary_running(&visit->summary, NULL, NULL, false);
    visit_name_run(visit, visit->status->run.id, visit->status->run.attempt);
    TRY(visit_write(visit));
    visit_announce(visit, EVENT_NORMAL, reason, note);
    ret->after_ms = 0;
    return NULL;
}

struct err *visit_cancel(struct visit *visit, const struct refresh_spec *spec, struct requeue *ret)
{
    AUTO_FREE char *note = xasprintf("Run %s is cancelled: nothing more begins", visit->status->run.id);

    request_cancel(visit->status, spec, request_value(visit->object, "cancel"), visit->summary.now_ms);
    visit->summary.spec = spec;
    looks_forget(engine_looks(visit->engine), visit->uid);
    return visit_write_request(visit, "RunCancelled", note, ret);
}

struct err *visit_replace(struct visit *visit, const struct refresh_spec *spec, struct requeue *ret,
                          bool *ret_done)
{
    AUTO_FREE char *successor = NULL;
    AUTO_FREE char *note = NULL;

    *ret_done = false;
    TRY(visit_find_successor(visit, spec, &successor));
    if (!successor)
        return NULL;
    request_cancel(visit->status, spec, NULL, visit->summary.now_ms);
    if (!request_is_cancelled(visit->status))
        return NULL;
    *ret_done = true;
    visit->summary.spec = spec;
    note = xasprintf("Run %s is cancelled: %s asks for another run in its place", visit->status->run.id,
                     successor);
    looks_forget(engine_looks(visit->engine), visit->uid);
    return visit_write_request(visit, "RunReplaced", note, ret);
}

/* False when no copies are kept that could be switched to; this has been said. */
static bool can_switch(struct visit *visit, const char *value)
{
    char *refusal = NULL;

    visit->switch_to = request_switch_run(visit->status, visit->live, value, &refusal);
    if (!visit->switch_to)
        visit_say_once(visit, "RequestRefused", refusal);
    return visit->switch_to != NULL;
}

/* By something that does not begin a run of its own. */
bool visit_is_asked(struct visit *visit)
{
    const char *value = request_switch(visit->status, visit->object);

    return request_retries(visit->status, visit->object) || (value && can_switch(visit, value));
}
