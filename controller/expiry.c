#include "controller/expiry.h"

#include "controller/summary.h"

/* By what these tools leave on the objects they apply. Sources: Argo CD's docs on resource tracking (the
 * annotation is the default, the label the older way), Flux's on kustomize-controller and helm-controller. */
struct mark {
    const char *in;     /* "annotations", "labels" */
    const char *prefix; /* of the name */
    const char *manager;
};

// clang-format off
static const struct mark marks[] = {
    {.in = "annotations", .prefix = "argocd.argoproj.io/tracking-id",   .manager = "Argo CD"},
    {.in = "labels",      .prefix = "argocd.argoproj.io/instance",      .manager = "Argo CD"},
    {.in = "labels",      .prefix = "app.kubernetes.io/instance",       .manager = "Argo CD"},
    {.in = "labels",      .prefix = "kustomize.toolkit.fluxcd.io/",     .manager = "Flux"},
    {.in = "labels",      .prefix = "helm.toolkit.fluxcd.io/",          .manager = "Flux"},
};
// clang-format on

static const char *manager_of(const struct json *object)
{
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        json_each (member, json_member(json_member(object, "metadata"), marks[i].in)) {
            if (str_starts(str_of(json_key(member)), marks[i].prefix))
                return marks[i].manager;
        }
    }
    return NULL;
}

/* When it finished; a run that never begins has finished, too. 0: not at all. */
static int64_t finished_ms(struct refresh_status *status)
{
    const struct condition *stalled = status_condition(status, "Stalled");

    if (stalled && summary_never_begins(stalled->reason))
        return stalled->transition_ms;
    return status->run.completion_ms;
}

struct expiry expiry_of(const struct json *object, struct refresh_status *status,
                        const struct refresh_spec *spec, struct sched *sched)
{
    struct expiry expiry = {.left_ms = NEVER_MS};
    int64_t since_ms = finished_ms(status);

    if (spec->live.ttl_seconds_after_finished < 0)
        return expiry;
    expiry.manager = manager_of(object);
    if (expiry.manager || !since_ms)
        return expiry;
    expiry.left_ms = SECONDS(spec->live.ttl_seconds_after_finished) - sched_elapsed_ms(sched, since_ms);
    if (expiry.left_ms < 0)
        expiry.left_ms = 0;
    return expiry;
}

const char *expiry_refusal(const struct expiry *expiry)
{
    return text_equal(expiry->manager, "Flux")
               ? "spec.ttlSecondsAfterFinished: Flux manages this object and would create it again, and with "
                 "it a new refresh; leave the field out"
               : "spec.ttlSecondsAfterFinished: Argo CD manages this object and would create it again, and "
                 "with it a new refresh; leave the field out";
}
