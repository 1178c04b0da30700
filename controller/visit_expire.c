/* spec.ttlSecondsAfterFinished: the object goes by itself. But one that alone knows which copies are kept
 * takes that knowledge with it: nobody could go back to them, and no Retention would ever remove them. So it
 * stays until a younger object of its series has taken them over. Age decides and never changes, so that no
 * two objects go at once because each relies on the other. */
#include "controller/copies.h"
#include "controller/expiry.h"
#include "controller/visit.h"

#define NAMES_MAX 700

/* What is looked for among the other objects of the series. */
struct heirs {
    const struct visit *visit;
    bool *found; /* of each copy of the status */
};

static bool is_kept(const struct copy_status *copy)
{
    return copy->role == COPY_IN_USE || copy->role == COPY_PREVIOUS;
}

static bool may_inherit(const struct visit *visit, const struct json *item)
{
    return visit_is_older(visit->object, item) && !json_at(item, "metadata.deletionTimestamp") &&
           json_at(item, "status.run.spec") &&
           text_equal(json_get_text(item, "spec.targetRef.name", ""), visit->live->target);
}

static struct err *ask(const struct heirs *heirs, const struct json *item)
{
    const struct visit *visit = heirs->visit;
    AUTO_REFRESH_STATUS struct refresh_status *other = NULL;
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;

    TRY(refresh_status_parse(json_member(item, "status"), &other));
    TRY(refresh_spec_parse(other->run.spec, json_get_text(item, "metadata.name", ""), &spec));
    for (size_t i = 0; i < visit->status->copy_count; i++)
        heirs->found[i] =
            heirs->found[i] || copies_are_taken_over(&visit->status->copies[i], visit->live, other, spec);
    return NULL;
}

static bool see(void *arg, const struct json *item)
{
    const struct heirs *heirs = arg;

    if (may_inherit(heirs->visit, item))
        err_ignore(ask(heirs, item), "what cannot be read has taken over nothing");
    return true;
}

/* The copies that nobody else knows of; yours, NULL: none. */
static char *find_orphans(const struct visit *visit)
{
    AUTO_FREE char *series = visit_series_key(visit, visit->live);
    AUTO_FREE bool *found = xcalloc(visit->status->copy_count + 1, sizeof(*found));
    struct heirs heirs = {.visit = visit, .found = found};
    AUTO_BUF struct buf names = BUF_MAX(NAMES_MAX);

    objects_each(visit->objects, OBJECT_REFRESH, series, see, &heirs);
    for (size_t i = 0; i < visit->status->copy_count; i++) {
        const struct copy_status *copy = &visit->status->copies[i];

        if (is_kept(copy) && !found[i])
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
    AUTO_FREE char *orphans = find_orphans(visit);

    *ret_held = orphans != NULL;
    if (!orphans)
        return expire(visit, ret);
    hold(visit, orphans);
    return NULL;
}
