#include "plugin/advice.h"

struct place {
    const char *namespace, *name;
    struct advices *advices;
};

static void advise(struct place *place, const char *text, char *command)
{
    struct advices *advices = place->advices;

    if (advices->count == ADVICE_MAX) {
        xfree(command);
        return;
    }
    advices->items[advices->count++] = (struct advice){.text = text, .command = command};
}

/* "kubectl stagingrefresh VERB shop MORE -n staging" */
static char *command(const struct place *place, const char *verb, const char *more)
{
    return xasprintf("kubectl stagingrefresh %s %s%s%s -n %s", verb, place->name, more ? " " : "",
                     more ? more : "", place->namespace);
}

static void advise_active(struct place *place, const struct refresh_status *status)
{
    if (facts_awaits_approval(status))
        advise(place, "the copies are ready; to let staging use them", command(place, "approve", NULL));
    if (facts_is_true(status, "Stalled"))
        advise(place, "it is looked at again every ten minutes, and goes on once this is put right", NULL);
    if (facts_is_cancelled(status))
        advise(place, "it is cancelled, and ends when what is under way has ended", NULL);
    else
        advise(place, "to stop this run", command(place, "cancel", NULL));
}

static void advise_ended(struct place *place, const struct refresh_status *status)
{
    const char *previous = facts_previous_run(status), *used = facts_used_run(status);

    if (facts_can_retry(status))
        advise(place,
               facts_is_cancelled(status) ? "to do what was cancelled"
                                          : "once what stood in the way is put right",
               command(place, "retry", NULL));
    else if (facts_is_true(status, "Stalled"))
        advise(place, "it begins by itself once this is put right", NULL);
    if (facts_is_true(status, "Drifted") && used)
        advise(place, "to set again what somebody else has changed", command(place, "switch-to", used));
    if (previous && !facts_is_superseded(status))
        advise(place, "to put staging onto the other copies that are kept",
               command(place, "switch-to", "previous"));
    advise(place, "for new copies", command(place, "run", NULL));
}

struct advices advices_of(const struct json *object, const struct refresh_status *status)
{
    struct advices advices = {0};
    struct place place = {.namespace = json_get_text(object, "metadata.namespace", ""),
                          .name = json_get_text(object, "metadata.name", ""),
                          .advices = &advices};

    if (json_at(object, "metadata.deletionTimestamp"))
        return advices;
    if (json_get_bool(object, "spec.suspend", false))
        advise(&place, "spec.suspend holds it back; to let it go on",
               xasprintf(
                   "kubectl patch stagingrefresh %s -n %s --type merge -p '{\"spec\":{\"suspend\":false}}'",
                   place.name, place.namespace));
    if (facts_is_active(status))
        advise_active(&place, status);
    else
        advise_ended(&place, status);
    return advices;
}

void advices_done(struct advices *advices)
{
    for (size_t i = 0; i < advices->count; i++)
        xfree(advices->items[i].command);
}
