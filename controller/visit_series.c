/* One run at a time per namespace and series: who has it, and what spec.concurrencyPolicy makes of that. The
 * policy of the run that is asked for counts: it waits (Queue), is refused (Forbid), or takes the place of
 * the one under way (Replace). With Replace nobody writes into another object's status: the holder is asked
 * to make room, looks whether this is still wanted, and cancels itself. */
#include "controller/names.h"
#include "controller/requests.h"
#include "controller/visit.h"

#define QUEUE_LOOK_MS SECONDS(15)

/* Another object of the series that has a run under way; the name stays NULL when there is none. */
struct rival {
    const char *of_uid;  /* in the way of this object */
    char *name, *run_id; /* run_id NULL: it is about to begin, or has just ended */
    char *older;         /* nobody runs, and this one has waited for longer; NULL: none */
};

static void rival_done(struct rival *rival)
{
    xfree(rival->name);
    xfree(rival->older);
    xfree(rival->run_id);
}

static bool has_active_run(const struct json *object)
{
    return *json_get_text(object, "status.run.id", "") && !json_at(object, "status.run.completionTime");
}

static bool is_no_rival(void *arg, const struct json *item)
{
    struct rival *rival = arg;

    if (text_equal(json_get_text(item, "metadata.uid", ""), rival->of_uid) || !has_active_run(item))
        return true;
    rival->name = xstrdup(json_get_text(item, "metadata.name", ""));
    rival->run_id = xstrdup(json_get_text(item, "status.run.id", ""));
    return false;
}

static struct err *wait_for(struct visit *visit, const struct rival *rival, struct requeue *ret)
{
    AUTO_FREE char *message = xasprintf("Waits for the run of %s in series %s",
                                        rival->name ? rival->name : "another object", visit->live->series);

    summary_queued(&visit->summary, message);
    ret->after_ms = QUEUE_LOOK_MS;
    return visit_write(visit);
}

static struct err *forbid(struct visit *visit, const struct rival *rival, struct requeue *ret)
{
    AUTO_FREE char *message =
        xasprintf("Not started: run %s of %s is under way in series %s, and spec.concurrencyPolicy is "
                  "Forbid; another trigger asks again",
                  rival->run_id, rival->name, visit->live->series);

    visit_mark_handled(visit); /* so that it does not begin once the series is free */
    return visit_stall(visit, REASON_FORBIDDEN, message, 0, ret);
}

static struct err *ask_for_room(struct visit *visit, const struct rival *rival, struct requeue *ret)
{
    AUTO_FREE char *series = visit_series_key(visit, visit->live);
    const struct object_id id = {.kind = OBJECT_REFRESH, .namespace = visit->namespace, .name = rival->name};

    engine_ask_series(visit->engine, series, visit->holder);
    engine_notify(visit->engine, &id, WORK_URGENT);
    return wait_for(visit, rival, ret);
}

static struct err *yield_to(struct visit *visit, const struct rival *rival, struct requeue *ret)
{
    bool is_new_run = visit_is_wanted(visit) && rival->run_id;

    if (is_new_run && visit->live->concurrency == CONCURRENCY_FORBID)
        return forbid(visit, rival, ret);
    if (is_new_run && visit->live->concurrency == CONCURRENCY_REPLACE)
        return ask_for_room(visit, rival, ret);
    return wait_for(visit, rival, ret);
}

/* It need not wait for its next look. */
static struct err *let_pass(struct visit *visit, struct rival *rival, struct requeue *ret)
{
    const struct object_id id = {.kind = OBJECT_REFRESH, .namespace = visit->namespace, .name = rival->older};

    engine_notify(visit->engine, &id, WORK_URGENT);
    rival->name = TAKE(rival->older);
    return wait_for(visit, rival, ret);
}

struct err *visit_take_series(struct visit *visit, struct requeue *ret, bool *ret_taken)
{
    AUTO_FREE char *series = visit_series_key(visit, visit->live);
    CLEANUP(rival_done) struct rival rival = {.of_uid = visit->uid};
    bool claimed = engine_claim_series(visit->engine, series, visit->holder);

    objects_each(visit->objects, OBJECT_REFRESH, series, is_no_rival, &rival);
    if (claimed && !rival.name && visit_is_wanted(visit))
        rival.older = visit_find_older(visit);
    *ret_taken = claimed && !rival.name && !rival.older;
    if (*ret_taken)
        return NULL;
    if (claimed)
        engine_release_series(visit->engine, visit->holder);
    return rival.older ? let_pass(visit, &rival, ret) : yield_to(visit, &rival, ret);
}

void visit_leave_series(const struct visit *visit)
{
    const struct refresh_status *status = visit->status;
    bool is_active = status && status->run.id && !status->run.completion_ms;

    if (!is_active && !visit->is_beginning)
        engine_release_series(visit->engine, visit->holder);
}

/* --- while a run of one's own is under way --- */

bool visit_object_wants_run(const struct json *object)
{
    const char *handled = json_get_text(object, "status.lastHandledTrigger", NULL);
    const char *request = json_get_text(
        json_member(json_at(object, "metadata.annotations"), ANNOTATION("run-requested")), NULL, "");

    if (!object || json_at(object, "metadata.deletionTimestamp") ||
        json_get_bool(object, "spec.suspend", false))
        return false;
    return !status_is_answered(handled, json_get_text(object, "spec.trigger", "")) ||
           (*request && !status_is_answered(json_get_text(object, "status.lastHandledRequest", ""), request));
}

static struct err *find_successor(struct visit *visit, const struct refresh_spec *spec, char **ret)
{
    AUTO_FREE char *series = visit_series_key(visit, spec);
    AUTO_FREE char *asker = engine_series_asker(visit->engine, series);
    AUTO_JSON struct json *object = NULL;
    struct str rest = str_of(asker), namespace;

    if (!asker || text_equal(asker, visit->holder))
        return NULL;
    str_cut(&rest, '/', &namespace);
    const struct object_id id = {.kind = OBJECT_REFRESH, .namespace = visit->namespace, .name = rest.ptr};
    TRY(objects_read(visit->objects, visit->env, &id, &object));
    if (visit_object_wants_run(object) &&
        text_equal(json_get_text(object, "spec.concurrencyPolicy", ""), "Replace"))
        *ret = xstrdup(rest.ptr);
    return NULL;
}

static bool is_asked_again(const struct visit *visit, enum concurrency_policy policy)
{
    return visit->live && visit->live->concurrency == policy && !visit->live->live.suspend &&
           visit_is_wanted(visit);
}

struct err *visit_find_successor(struct visit *visit, const struct refresh_spec *spec, char **ret)
{
    if (request_is_cancelled(visit->status))
        return NULL;
    if (is_asked_again(visit, CONCURRENCY_REPLACE)) {
        *ret = xstrdup(visit->name);
        return NULL;
    }
    return find_successor(visit, spec, ret);
}

bool visit_is_forbidden(const struct visit *visit)
{
    return is_asked_again(visit, CONCURRENCY_FORBID);
}

struct err *visit_forbid(struct visit *visit, struct requeue *ret)
{
    AUTO_FREE char *note = xasprintf("Another run was asked for and is not started: run %s is under way, and "
                                     "spec.concurrencyPolicy is Forbid",
                                     visit->status->run.id);

    visit_mark_handled(visit);
    TRY(visit_write(visit));
    visit_announce(visit, EVENT_WARNING, REASON_FORBIDDEN, note);
    ret->after_ms = 0;
    return NULL;
}
