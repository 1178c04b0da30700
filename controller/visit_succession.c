/* Objects of a series that follow one another: staging is whose run has switched it over last. The earlier
 * ones say so, once, and mind their own business from then on. */
#include "controller/copies.h"
#include "controller/steps/in_use.h"
#include "controller/succession.h"
#include "controller/visit.h"

static bool has_copies_in_use(const struct visit *visit)
{
    for (size_t i = 0; i < visit->status->copy_count; i++) {
        if (visit->status->copies[i].role == COPY_IN_USE)
            return true;
    }
    return false;
}

bool visit_has_succeeded(const struct visit *visit)
{
    const struct condition *succeeded = status_condition(visit->status, "Succeeded");

    return succeeded && succeeded->status == CONDITION_TRUE && visit->status->run.completion_ms;
}

static struct err *hand_over(struct visit *visit, const struct json *object)
{
    AUTO_REFRESH_STATUS struct refresh_status *later = NULL;
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;

    TRY(refresh_status_parse(json_member(object, "status"), &later));
    TRY(refresh_spec_parse(json_member(object, "spec"), json_get_text(object, "metadata.name", ""), &spec));
    copies_hand_over(visit->status, visit->live, later, spec);
    return NULL;
}

static void say_superseded(struct visit *visit, const struct successor *successor)
{
    AUTO_FREE char *message = xasprintf(
        "Run %s has succeeded, and run %s of %s has switched staging over since", visit->status->run.id,
        successor->run_id, json_get_text(successor->object, "metadata.name", "?"));

    summary_superseded(&visit->summary, message);
}

bool visit_is_superseded(struct visit *visit)
{
    AUTO_SUCCESSOR struct successor successor = {0};

    if (summary_is_superseded(&visit->summary))
        return true;
    if (!visit_has_succeeded(visit) && !has_copies_in_use(visit))
        return false;
    succession_find_later(visit->objects, visit->object, &successor);
    if (!successor.object)
        return false;
    err_ignore(hand_over(visit, successor.object), "what cannot be read is left alone");
    if (visit_has_succeeded(visit)) /* else what there is to say is that its last run has failed */
        say_superseded(visit, &successor);
    return true;
}

void visit_look_back(struct visit *visit, const struct refresh_spec *spec)
{
    struct refresh_status *status = visit->status;
    int64_t took_ms = succession_run_ms(visit->objects, visit->object, status->run.copies_of != NULL);

    status->estimated_completion_ms = took_ms ? status->run.start_ms + took_ms : 0;
    in_use_remember(visit->objects, visit->object, spec, status);
}

void visit_tell_earlier(const struct visit *visit)
{
    AUTO_JSON struct json *names = succession_others_in_use(visit->objects, visit->object);

    json_each (name, names) {
        const struct object_id id = {
            .kind = OBJECT_REFRESH, .namespace = visit->namespace, .name = json_get_text(name, NULL, "")};

        engine_notify(visit->engine, &id, WORK_ROUTINE);
    }
}
