/* Applications: restarted after the last change, so that they read the new parameters; done when the rollout
 * is. */
#include "controller/names.h"
#include "controller/steps/steps.h"
#include "pkg/aws/ecs.h"
#include "pkg/kube/client.h"

#define ROLLOUT_LOOK_MS SECONDS(10)

static const struct kube_resource deployments = {
    .group = "apps", .version = "v1", .plural = "deployments", .kind = "Deployment", .namespaced = true};

static const struct application_spec *application_of(const struct stage *stage)
{
    return &stage->pass->spec->applications[stage->index];
}

/* --- ECS service: a forced deployment has no token, so the primary deployment of before is remembered with
 * the intent; another one that came after it has read the new parameters too, whoever started it. --- */

static struct err *describe_service(struct stage *stage, struct ecs_service *ret)
{
    const struct application_spec *spec = application_of(stage);

    return err_wrap(ecs_describe_service(&stage->pass->target, spec->cluster, spec->target, ret),
                    "look at ECS service %s/%s", spec->cluster ? spec->cluster : "default", spec->target);
}

static struct err *ecs_intend(struct stage *stage)
{
    AUTO_ECS_SERVICE struct ecs_service service = {0};
    const struct ecs_deployment *primary;

    TRY(describe_service(stage, &service));
    primary = ecs_service_primary(&service);
    step_set_evidence(stage->row, "before", primary ? primary->id : NULL);
    return NULL;
}

static struct err *ecs_start(struct stage *stage, struct outcome *out)
{
    const struct application_spec *spec = application_of(stage);
    AUTO_ECS_SERVICE struct ecs_service service = {0};
    AUTO_ECS_SERVICE struct ecs_service after = {0};
    const struct ecs_deployment *primary;

    TRY(describe_service(stage, &service));
    primary = ecs_service_primary(&service);
    if (!primary || text_equal(primary->id, step_evidence(stage->row, "before"))) {
        TRY(err_wrap(ecs_force_deployment(&stage->pass->target, spec->cluster, spec->target, &after),
                     "restart ECS service %s", spec->target));
        primary = ecs_service_primary(&after);
    }
    if (!primary)
        return err_new(ERR_RETRY, "ECS service %s has no primary deployment", spec->target);
    stage_started(stage, primary->id);
    *out = outcome_wait(ROLLOUT_LOOK_MS, "deployment %s of ECS service %s was started", primary->id,
                        spec->target);
    return NULL;
}

static const struct ecs_deployment *find_deployment(const struct ecs_service *service, const char *id)
{
    for (size_t i = 0; i < service->deployment_count; i++) {
        if (text_equal(service->deployments[i].id, id))
            return &service->deployments[i];
    }
    return NULL;
}

static struct err *ecs_observe(struct stage *stage, struct outcome *out)
{
    const char *id = stage->row->external_id;
    AUTO_ECS_SERVICE struct ecs_service service = {0};
    const struct ecs_deployment *ours;

    TRY(describe_service(stage, &service));
    ours = find_deployment(&service, id);
    /* A circuit breaker's roll-back is a new primary deployment that completes: only our own id counts. */
    if (!ours || !text_equal(ours->status, "PRIMARY") || text_equal(ours->rollout_state, "FAILED")) {
        *out = outcome_failed("RolloutFailed", "deployment %s of ECS service %s did not come up: %s", id,
                              service.name,
                              ours && ours->rollout_reason ? ours->rollout_reason
                              : service.events.count       ? service.events.items[0]
                                                           : "another deployment took its place");
        return NULL;
    }
    if (text_equal(ours->rollout_state, "COMPLETED")) {
        *out = outcome_done("ECS service %s runs deployment %s", service.name, id);
        return NULL;
    }
    *out = outcome_wait(ROLLOUT_LOOK_MS, "deployment %s of ECS service %s: %d of %d tasks run%s", id,
                        service.name, ours->running_count, ours->desired_count,
                        ours->failed_tasks ? ", some have failed" : "");
    return NULL;
}

static struct err *ecs_act(struct stage *stage, struct outcome *out)
{
    return stage->row->state == STEP_INTENDED ? ecs_start(stage, out) : ecs_observe(stage, out);
}

/* Once more, now that the parameters are as before. The deployment to get away from is the row's, or the one
 * whose answer was lost; whatever is primary instead of it has read the old parameters. */
static struct err *ecs_undo(struct stage *stage, struct outcome *out)
{
    const struct application_spec *spec = application_of(stage);
    AUTO_ECS_SERVICE struct ecs_service service = {0};
    AUTO_ECS_SERVICE struct ecs_service after = {0};
    const struct ecs_deployment *primary;

    TRY(describe_service(stage, &service));
    primary = ecs_service_primary(&service);
    if (!primary)
        return err_new(ERR_RETRY, "ECS service %s has no primary deployment", spec->target);
    if (!stage->row->external_id) {
        text_replace(&stage->row->external_id, primary->id);
        *out = outcome_wait(0, "ECS service %s runs deployment %s", spec->target, primary->id);
        return NULL;
    }
    if (text_equal(primary->id, stage->row->external_id)) {
        TRY(err_wrap(ecs_force_deployment(&stage->pass->target, spec->cluster, spec->target, &after),
                     "restart ECS service %s", spec->target));
        *out = outcome_wait(ROLLOUT_LOOK_MS, "ECS service %s restarts with the old parameters", spec->target);
    } else if (text_equal(primary->rollout_state, "IN_PROGRESS")) {
        *out = outcome_wait(ROLLOUT_LOOK_MS, "ECS service %s restarts with the old parameters", spec->target);
    } else {
        *out = outcome_done("ECS service %s was restarted with the old parameters", spec->target);
    }
    return NULL;
}

/* --- Deployment: the run's id in an annotation of the pod template, as `kubectl rollout restart` does it
 * with a time. --- */

static struct err *deployment_restart(struct stage *stage, const char *mark)
{
    const struct application_spec *spec = application_of(stage);
    const struct kube_ref at = {
        .resource = &deployments, .namespace = stage->pass->namespace, .name = spec->target};
    AUTO_JSON struct json *body = NULL;
    AUTO_FREE char *text = NULL;

    text = xasprintf("{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"%s\":\"%s\"}}}}}", TAG_RUN,
                     mark);
    TRY(json_parse(str_of(text), NULL, &body));
    const struct kube_patch patch = {.type = KUBE_PATCH_MERGE, .body = body};

    return err_wrap(kube_patch(stage->pass->objects->kube, stage->pass->env, &at, &patch, NULL),
                    "restart Deployment %s", spec->target);
}

static bool rollout_is_complete(const struct json *d)
{
    int64_t wanted = json_get_int(d, "spec.replicas", 1);

    return json_get_int(d, "status.observedGeneration", 0) >= json_get_int(d, "metadata.generation", 0) &&
           json_get_int(d, "status.updatedReplicas", 0) >= wanted &&
           json_get_int(d, "status.replicas", 0) == json_get_int(d, "status.updatedReplicas", 0) &&
           json_get_int(d, "status.availableReplicas", 0) >= json_get_int(d, "status.updatedReplicas", 0);
}

static bool deadline_is_over(const struct json *deployment)
{
    json_each (condition, json_at(deployment, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", NULL), "Progressing") &&
            text_equal(json_get_text(condition, "reason", NULL), "ProgressDeadlineExceeded"))
            return true;
    }
    return false;
}

/* Restarts it unless its template carries the mark already, and judges the rollout. */
static struct err *deployment_roll(struct stage *stage, const char *mark, struct outcome *out)
{
    const struct application_spec *spec = application_of(stage);
    const struct kube_ref at = {
        .resource = &deployments, .namespace = stage->pass->namespace, .name = spec->target};
    AUTO_JSON struct json *deployment = NULL;
    const struct json *annotations;

    if (!stage->pass->objects->kube)
        return err_new(ERR_INVALID, "Deployment %s needs a cluster, and there is none", spec->target);
    TRY(err_wrap(kube_get(stage->pass->objects->kube, stage->pass->env, &at, &deployment),
                 "look at Deployment %s", spec->target));
    annotations = json_at(deployment, "spec.template.metadata.annotations");
    if (!text_equal(json_get_text(json_member(annotations, TAG_RUN), NULL, NULL), mark)) {
        TRY(deployment_restart(stage, mark));
        *out = outcome_wait(SECONDS(2), "Deployment %s was restarted", spec->target);
    } else if (rollout_is_complete(deployment)) {
        *out = outcome_done("Deployment %s has rolled out", spec->target);
    } else if (json_get_int(deployment, "status.observedGeneration", 0) >=
                   json_get_int(deployment, "metadata.generation", 0) &&
               deadline_is_over(deployment)) {
        *out = outcome_failed("RolloutFailed", "Deployment %s did not come up within its progress deadline",
                              spec->target);
    } else {
        *out = outcome_wait(SECONDS(5), "Deployment %s: %lld of %lld replicas are new and available",
                            spec->target, (long long)json_get_int(deployment, "status.updatedReplicas", 0),
                            (long long)json_get_int(deployment, "spec.replicas", 1));
    }
    return NULL;
}

static struct err *deployment_act(struct stage *stage, struct outcome *out)
{
    TRY(deployment_roll(stage, stage->pass->status->run.id, out));
    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, application_of(stage)->target);
    return NULL;
}

static struct err *deployment_undo(struct stage *stage, struct outcome *out)
{
    AUTO_FREE char *mark = xasprintf("%s-undone", stage->pass->status->run.id);

    return deployment_roll(stage, mark, out);
}

/* --- */

static const struct {
    struct err *(*intend)(struct stage *stage);
    struct err *(*act)(struct stage *stage, struct outcome *out);
    struct err *(*undo)(struct stage *stage, struct outcome *out);
} kinds[] = {
    [APPLICATION_DEPLOYMENT] = {.act = deployment_act, .undo = deployment_undo},
    [APPLICATION_STATEFUL_SET] = {0}, /* these two are refused before a run starts */
    [APPLICATION_DAEMON_SET] = {0},
    [APPLICATION_ECS_SERVICE] = {.intend = ecs_intend, .act = ecs_act, .undo = ecs_undo},
};

struct err *application_intend(struct stage *stage)
{
    enum application_kind kind = application_of(stage)->kind;

    return kinds[kind].intend ? kinds[kind].intend(stage) : NULL;
}

struct err *application_act(struct stage *stage, struct outcome *out)
{
    return kinds[application_of(stage)->kind].act(stage, out);
}

struct err *application_undo(struct stage *stage, struct outcome *out)
{
    return kinds[application_of(stage)->kind].undo(stage, out);
}
