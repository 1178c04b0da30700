/* Applications: restarted after the last change, so that they read the new parameters; done when the rollout
 * is. */
#include "controller/names.h"
#include "controller/steps/steps.h"
#include "pkg/aws/ecs.h"
#include "pkg/kube/client.h"

#define ROLLOUT_LOOK_MS SECONDS(10)

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

static struct err *ecs_rehearse(struct stage *stage)
{
    AUTO_ECS_SERVICE struct ecs_service service = {0};

    return describe_service(stage, &service);
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

/* --- and once more, when all else is as before. Whatever was primary until then, whoever started it, may
 * have read the new parameters: that one is remembered at the first look. What becomes primary after it has
 * read the old ones. --- */

#define UNDO_FROM "undoFrom"
#define UNDO_DEPLOYMENT "undoDeployment" /* ours: not to start a second one when ECS rolls it back */

static struct err *ecs_force_back(struct stage *stage, struct outcome *out)
{
    const struct application_spec *spec = application_of(stage);
    AUTO_ECS_SERVICE struct ecs_service after = {0};
    const struct ecs_deployment *primary;

    TRY(err_wrap(ecs_force_deployment(&stage->pass->target, spec->cluster, spec->target, &after),
                 "restart ECS service %s", spec->target));
    primary = ecs_service_primary(&after);
    step_set_evidence(stage->row, UNDO_DEPLOYMENT, primary ? primary->id : NULL);
    *out = outcome_wait(ROLLOUT_LOOK_MS, "ECS service %s restarts with the old parameters", spec->target);
    return NULL;
}

static struct outcome judge_back(const struct ecs_service *service, const struct ecs_deployment *deployment)
{
    const char *state = deployment ? deployment->rollout_state : "IN_PROGRESS"; /* it does not show yet */

    if (text_equal(state, "FAILED"))
        return outcome_failed("RolloutFailed",
                              "ECS service %s was restarted with the old parameters, but deployment %s did "
                              "not come up: %s",
                              service->name, deployment->id,
                              deployment->rollout_reason ? deployment->rollout_reason : "see its events");
    if (text_equal(state, "IN_PROGRESS"))
        return outcome_wait(ROLLOUT_LOOK_MS, "ECS service %s restarts with the old parameters",
                            service->name);
    return outcome_done("ECS service %s was restarted with the old parameters", service->name);
}

static struct err *ecs_undo(struct stage *stage, struct outcome *out)
{
    const char *from = step_evidence(stage->row, UNDO_FROM);
    const char *ours = step_evidence(stage->row, UNDO_DEPLOYMENT);
    AUTO_ECS_SERVICE struct ecs_service service = {0};
    const struct ecs_deployment *primary;

    TRY(describe_service(stage, &service));
    primary = ecs_service_primary(&service);
    if (!primary)
        return err_new(ERR_RETRY, "ECS service %s has no primary deployment", application_of(stage)->target);
    if (!from) {
        step_set_evidence(stage->row, UNDO_FROM, primary->id);
        *out = outcome_wait(0, "ECS service %s runs deployment %s", service.name, primary->id);
        return NULL;
    }
    if (!text_equal(primary->id, from))
        *out = judge_back(&service, primary);
    else if (ours)
        *out = judge_back(&service, find_deployment(&service, ours));
    else
        return ecs_force_back(stage, out);
    return NULL;
}

/* --- workloads of Kubernetes: a mark of the run's attempt in an annotation of the pod template, as `kubectl
 * rollout restart` does it with a time. --- */

/* The words of a kind's status. */
struct workload {
    struct kube_resource resource;
    const char *wanted; /* how many pods there should be */
    int64_t otherwise;  /* when it does not say */
    const char *total, *updated, *available;
    const char *strategy; /* "OnDelete" there: nothing restarts by itself */
};

static const struct workload workloads[] = {
    [APPLICATION_DEPLOYMENT] = {.resource = {"apps", "v1", "deployments", "Deployment", true},
                                .wanted = "spec.replicas",
                                .otherwise = 1,
                                .total = "status.replicas",
                                .updated = "status.updatedReplicas",
                                .available = "status.availableReplicas",
                                .strategy = "spec.strategy.type"},
    [APPLICATION_STATEFUL_SET] = {.resource = {"apps", "v1", "statefulsets", "StatefulSet", true},
                                  .wanted = "spec.replicas",
                                  .otherwise = 1,
                                  .total = "status.replicas",
                                  .updated = "status.updatedReplicas",
                                  .available = "status.availableReplicas",
                                  .strategy = "spec.updateStrategy.type"},
    [APPLICATION_DAEMON_SET] = {.resource = {"apps", "v1", "daemonsets", "DaemonSet", true},
                                .wanted = "status.desiredNumberScheduled",
                                .total = "status.currentNumberScheduled",
                                .updated = "status.updatedNumberScheduled",
                                .available = "status.numberAvailable",
                                .strategy = "spec.updateStrategy.type"},
};

static const struct workload *workload_of(const struct stage *stage)
{
    return &workloads[application_of(stage)->kind];
}

static struct kube_ref workload_ref(const struct stage *stage)
{
    return (struct kube_ref){.resource = &workload_of(stage)->resource,
                             .namespace = stage->pass->namespace,
                             .name = application_of(stage)->target};
}

static struct err *workload_restart(struct stage *stage, const char *mark)
{
    const struct kube_ref at = workload_ref(stage);
    AUTO_JSON struct json *body = NULL;
    AUTO_FREE char *text = NULL;

    text = xasprintf("{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"%s\":\"%s\"}}}}}", TAG_RUN,
                     mark);
    TRY(json_parse(str_of(text), NULL, &body));
    const struct kube_patch patch = {.type = KUBE_PATCH_MERGE, .body = body};

    return err_wrap(kube_patch(stage->pass->objects->kube, stage->pass->env, &at, &patch, NULL),
                    "restart %s %s", at.resource->kind, at.name);
}

static bool is_observed(const struct json *object)
{
    return json_get_int(object, "status.observedGeneration", 0) >=
           json_get_int(object, "metadata.generation", 0);
}

static bool rollout_is_complete(const struct workload *workload, const struct json *object)
{
    int64_t wanted = json_get_int(object, workload->wanted, workload->otherwise);
    int64_t updated = json_get_int(object, workload->updated, 0);

    return is_observed(object) && updated >= wanted && json_get_int(object, workload->total, 0) == updated &&
           json_get_int(object, workload->available, 0) >= updated;
}

static bool deadline_is_over(const struct json *object)
{
    json_each (condition, json_at(object, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", NULL), "Progressing") &&
            text_equal(json_get_text(condition, "reason", NULL), "ProgressDeadlineExceeded"))
            return is_observed(object);
    }
    return false;
}

/* Of a StatefulSet: where the rollout stops. */
#define PARTITION "spec.updateStrategy.rollingUpdate.partition"

/* Why new pods would not come up by themselves; yours, NULL: they would. */
static char *find_obstacle(const struct kube_ref *at, const struct workload *workload,
                           const struct json *object)
{
    int64_t partition = json_get_int(object, PARTITION, 0);

    if (text_equal(json_get_text(object, workload->strategy, NULL), "OnDelete"))
        return xasprintf("%s %s has the update strategy OnDelete: nothing restarts its pods",
                         at->resource->kind, at->name);
    if (partition > 0)
        return xasprintf("%s %s has the partition %lld: its pods below that number are not restarted",
                         at->resource->kind, at->name, (long long)partition);
    return NULL;
}

static struct outcome judge_rollout(const struct kube_ref *at, const struct workload *workload,
                                    const struct json *object)
{
    const char *kind = at->resource->kind;
    AUTO_FREE char *obstacle = find_obstacle(at, workload, object);

    if (rollout_is_complete(workload, object))
        return outcome_done("%s %s has rolled out", kind, at->name);
    if (obstacle)
        return outcome_failed("RolloutFailed", "%s", obstacle);
    if (deadline_is_over(object))
        return outcome_failed("RolloutFailed", "%s %s did not come up within its progress deadline", kind,
                              at->name);
    return outcome_wait(SECONDS(5), "%s %s: %lld of %lld pods are new, %lld available", kind, at->name,
                        (long long)json_get_int(object, workload->updated, 0),
                        (long long)json_get_int(object, workload->wanted, workload->otherwise),
                        (long long)json_get_int(object, workload->available, 0));
}

static struct err *look_at_workload(struct stage *stage, const struct kube_ref *at, struct json **ret)
{
    if (!stage->pass->objects->kube)
        return err_new(ERR_INVALID, "%s %s needs a cluster, and there is none", at->resource->kind, at->name);
    return err_wrap(kube_get(stage->pass->objects->kube, stage->pass->env, at, ret), "look at %s %s",
                    at->resource->kind, at->name);
}

static struct err *workload_rehearse(struct stage *stage)
{
    const struct workload *workload = workload_of(stage);
    const struct kube_ref at = workload_ref(stage);
    AUTO_JSON struct json *object = NULL;
    AUTO_FREE char *obstacle = NULL;

    TRY(look_at_workload(stage, &at, &object));
    if (json_get_int(object, workload->wanted, workload->otherwise) > 0)
        obstacle = find_obstacle(&at, workload, object);
    return obstacle ? err_new(ERR_INVALID, "%s", obstacle) : NULL;
}

/* Restarts it unless its template carries the mark already, and judges the rollout. */
static struct err *workload_roll(struct stage *stage, const char *mark, struct outcome *out)
{
    const struct kube_ref at = workload_ref(stage);
    AUTO_JSON struct json *object = NULL;
    const struct json *annotations;

    TRY(look_at_workload(stage, &at, &object));
    annotations = json_at(object, "spec.template.metadata.annotations");
    if (text_equal(json_get_text(json_member(annotations, TAG_RUN), NULL, NULL), mark)) {
        *out = judge_rollout(&at, workload_of(stage), object);
        return NULL;
    }
    TRY(workload_restart(stage, mark));
    *out = outcome_wait(SECONDS(2), "%s %s was restarted", at.resource->kind, at.name);
    return NULL;
}

#define MARK "mark"
#define UNDO_MARK "undoMark"

/* "<run>", from the second attempt on "<run>-<attempt>": what the attempt before has left is no restart of
 * this one. Yours. */
static char *mark_of(const struct stage *stage, const char *suffix)
{
    const char *run_id = stage->pass->status->run.id;

    return stage->row->attempt > 1 ? xasprintf("%s-%lld%s", run_id, (long long)stage->row->attempt, suffix)
                                   : xasprintf("%s%s", run_id, suffix);
}

static struct err *workload_intend(struct stage *stage)
{
    AUTO_FREE char *mark = mark_of(stage, "");

    step_set_evidence(stage->row, MARK, mark);
    return NULL;
}

static struct err *workload_act(struct stage *stage, struct outcome *out)
{
    const char *mark = step_evidence(stage->row, MARK);

    /* Without one an earlier version of the controller has intended it, which did not count attempts. */
    TRY(workload_roll(stage, mark ? mark : stage->pass->status->run.id, out));
    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, application_of(stage)->target);
    return NULL;
}

/* As above: what such a version has begun to put back is not restarted once more. */
static void choose_undo_mark(struct stage *stage)
{
    bool has_begun = step_evidence(stage->row, "undoSince") != NULL;
    AUTO_FREE char *mark =
        has_begun ? xasprintf("%s-undone", stage->pass->status->run.id) : mark_of(stage, "-undone");

    if (!step_evidence(stage->row, UNDO_MARK))
        step_set_evidence(stage->row, UNDO_MARK, mark);
}

static struct err *workload_undo(struct stage *stage, struct outcome *out)
{
    choose_undo_mark(stage);
    return workload_roll(stage, step_evidence(stage->row, UNDO_MARK), out);
}

/* --- */

#define WORKLOAD                                                                       \
    {                                                                                  \
        .rehearse = workload_rehearse, .intend = workload_intend, .act = workload_act, \
        .undo = workload_undo,                                                         \
    }

static const struct {
    struct err *(*rehearse)(struct stage *stage);
    struct err *(*intend)(struct stage *stage);
    struct err *(*act)(struct stage *stage, struct outcome *out);
    struct err *(*undo)(struct stage *stage, struct outcome *out);
} kinds[] = {
    [APPLICATION_DEPLOYMENT] = WORKLOAD,
    [APPLICATION_STATEFUL_SET] = WORKLOAD,
    [APPLICATION_DAEMON_SET] = WORKLOAD,
    [APPLICATION_ECS_SERVICE] = {.rehearse = ecs_rehearse,
                                 .intend = ecs_intend,
                                 .act = ecs_act,
                                 .undo = ecs_undo},
};

struct err *application_rehearse(struct stage *stage)
{
    return kinds[application_of(stage)->kind].rehearse(stage);
}

struct err *application_intend(struct stage *stage)
{
    return kinds[application_of(stage)->kind].intend(stage);
}

struct err *application_act(struct stage *stage, struct outcome *out)
{
    return kinds[application_of(stage)->kind].act(stage, out);
}

struct err *application_undo(struct stage *stage, struct outcome *out)
{
    return kinds[application_of(stage)->kind].undo(stage, out);
}
