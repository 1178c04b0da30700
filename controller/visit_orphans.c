/* Copies that are kept, and that no object of the series would know of if this one were not there: nobody
 * could go back to them, and no Retention would ever remove them. */
#include "controller/copies.h"
#include "controller/visit.h"

/* What is looked for among the other objects of the series. */
struct heirs {
    const struct visit *visit;
    const struct refresh_spec *spec;
    bool younger_only;
    bool *orphans;
};

static bool is_kept(const struct copy_status *copy)
{
    return copy->role == COPY_IN_USE || copy->role == COPY_PREVIOUS;
}

static bool may_inherit(const struct heirs *heirs, const struct json *item)
{
    const struct visit *visit = heirs->visit;

    return !text_equal(json_get_text(item, "metadata.uid", ""), visit->uid) &&
           !json_at(item, "metadata.deletionTimestamp") && json_at(item, "status.run.spec") &&
           text_equal(json_get_text(item, "spec.targetRef.name", ""), heirs->spec->target) &&
           (!heirs->younger_only || visit_is_older(visit->object, item));
}

static struct err *ask(const struct heirs *heirs, const struct json *item)
{
    const struct refresh_status *status = heirs->visit->status;
    AUTO_REFRESH_STATUS struct refresh_status *other = NULL;
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;

    TRY(refresh_status_parse(json_member(item, "status"), &other));
    TRY(refresh_spec_parse(other->run.spec, json_get_text(item, "metadata.name", ""), &spec));
    for (size_t i = 0; i < status->copy_count; i++) {
        if (copies_are_taken_over(&status->copies[i], heirs->spec, other, spec))
            heirs->orphans[i] = false;
    }
    return NULL;
}

static bool see(void *arg, const struct json *item)
{
    const struct heirs *heirs = arg;

    if (may_inherit(heirs, item))
        err_ignore(ask(heirs, item), "what cannot be read has taken over nothing");
    return true;
}

bool *visit_find_orphans(const struct visit *visit, const struct refresh_spec *spec, bool younger_only)
{
    AUTO_FREE char *series = visit_series_key(visit, spec);
    struct heirs heirs = {.visit = visit,
                          .spec = spec,
                          .younger_only = younger_only,
                          .orphans = xcalloc(visit->status->copy_count + 1, sizeof(*heirs.orphans))};

    for (size_t i = 0; i < visit->status->copy_count; i++)
        heirs.orphans[i] = is_kept(&visit->status->copies[i]);
    objects_each(visit->objects, OBJECT_REFRESH, series, see, &heirs);
    return heirs.orphans;
}
