/* How deployments come and go.
 *
 * A new deployment is PRIMARY at once and IN_PROGRESS for ecs.rollout; the one before it stays ACTIVE until
 * then. A bad one stays IN_PROGRESS for ever, unless the circuit breaker ends it after ecs.circuitBreaker: it
 * is FAILED then, and with rollback another deployment of the last good task definition becomes PRIMARY and
 * completes, which a careless reader takes for success. */
#include "hack/awssim/ecs.h"

#define MAX_EVENTS 100

static int64_t now_of(const struct ecs_state *state)
{
    return sim_now(state->account->sim);
}

void sim_ecs_event(struct ecs_state *state, struct ecs_service *service, const char *message, int64_t now_ms)
{
    struct ecs_event *event = xcalloc(1, sizeof(*event));

    event->id = sim_new_uuid(state->account->sim);
    event->message = xasprintf("(service %s) %s", service->name, message);
    event->time_ms = now_ms;
    if (service->event_count == MAX_EVENTS) {
        struct ecs_event *oldest = service->events[--service->event_count];

        xfree(oldest->id);
        xfree(oldest->message);
        xfree(oldest);
    } else {
        service->events = xgrow(service->events, service->event_count, sizeof(struct ecs_event *));
    }
    memmove(service->events + 1, service->events, service->event_count++ * sizeof(struct ecs_event *));
    service->events[0] = event;
}

struct deployment *sim_ecs_deploy(struct ecs_state *state, struct ecs_service *service, int64_t now_ms)
{
    struct deployment *deployment = xcalloc(1, sizeof(*deployment));
    AUTO_FREE char *digits = sim_new_token(state->account->sim, "123456789", 19);

    deployment->id = xasprintf("ecs-svc/%s", digits);
    deployment->task_definition = xstrdup(service->task_definition);
    deployment->outcome = service->outcome;
    deployment->created_ms = now_ms;
    service->deployments =
        xgrow(service->deployments, service->deployment_count, sizeof(struct deployment *));
    memmove(service->deployments + 1, service->deployments,
            service->deployment_count++ * sizeof(struct deployment *));
    service->deployments[0] = deployment;
    return deployment;
}

static void deployment_free(struct deployment *deployment)
{
    xfree(deployment->id);
    xfree(deployment->task_definition);
    xfree(deployment->reason);
    xfree(deployment);
}

/* The primary is complete: the others go. */
static void drop_others(struct ecs_service *service)
{
    while (service->deployment_count > 1)
        deployment_free(service->deployments[--service->deployment_count]);
}

/* The newest that completed before the primary; NULL: none. */
static const struct deployment *last_good(const struct ecs_service *service)
{
    for (size_t i = 1; i < service->deployment_count; i++)
        if (service->deployments[i]->ended_ms && !service->deployments[i]->failed)
            return service->deployments[i];
    return NULL;
}

static void roll_back(struct ecs_state *state, struct ecs_service *service, const struct deployment *failed)
{
    const struct deployment *good = last_good(service);
    AUTO_FREE char *reason = xasprintf("ECS deployment circuit breaker: rolling back to deploymentId %s.",
                                       good ? good->id : "none");

    if (!good)
        return;
    xfree(service->task_definition);
    service->task_definition = xstrdup(good->task_definition);
    sim_ecs_event(state, service, "rolling back to the last completed deployment.", failed->ended_ms);
    struct deployment *deployment = sim_ecs_deploy(state, service, failed->ended_ms);
    deployment->outcome = OUTCOME_GOOD;
    deployment->is_rollback = true;
    deployment->reason = TAKE(reason);
}

static void complete(struct ecs_state *state, struct ecs_service *service, struct deployment *deployment,
                     int64_t at_ms)
{
    deployment->ended_ms = at_ms;
    drop_others(service);
    sim_ecs_event(state, service, "has reached a steady state.", at_ms);
}

/* True when the primary changed, so that there may be more to do. */
static bool advance_service(struct ecs_state *state, struct ecs_service *service)
{
    struct deployment *primary = service->deployment_count ? service->deployments[0] : NULL;
    const struct sim *sim = state->account->sim;

    if (!primary || primary->ended_ms)
        return false;
    int64_t good_ms = primary->created_ms + (service->desired ? sim_duration(sim, "ecs.rollout") : 0);
    int64_t bad_ms = primary->created_ms + sim_duration(sim, "ecs.circuitBreaker");
    if (primary->outcome == OUTCOME_GOOD || !service->desired) {
        if (now_of(state) >= good_ms)
            complete(state, service, primary, good_ms);
        return false;
    }
    if (!service->breaker || now_of(state) < bad_ms)
        return false;
    primary->ended_ms = bad_ms;
    primary->failed = true;
    sim_ecs_event(state, service, "deployment failed: tasks failed to start.", bad_ms);
    if (service->rollback)
        roll_back(state, service, primary);
    return service->rollback;
}

void sim_ecs_advance(struct account *account)
{
    struct ecs_state *state = sim_ecs_state(account);

    for (size_t i = 0; i < state->cluster_count; i++)
        for (size_t k = 0; k < state->clusters[i]->service_count; k++)
            while (advance_service(state, state->clusters[i]->services[k]))
                continue;
}

/* ---- numbers of tasks ---- */

static int64_t running_of(const struct ecs_state *state, const struct ecs_service *service, size_t index)
{
    const struct deployment *deployment = service->deployments[index];
    int64_t rollout_ms = sim_duration(state->account->sim, "ecs.rollout");

    if (index > 0) /* stays up until the primary is complete */
        return deployment->ended_ms && !deployment->failed ? service->desired : 0;
    if (deployment->ended_ms && !deployment->failed)
        return service->desired;
    if (deployment->outcome == OUTCOME_BAD || deployment->failed || !rollout_ms)
        return 0;
    return service->desired * (now_of(state) - deployment->created_ms) / rollout_ms;
}

/* A bad task is tried again every 30 seconds. */
static int64_t failed_of(const struct ecs_state *state, const struct deployment *deployment)
{
    int64_t until_ms = deployment->ended_ms ? deployment->ended_ms : now_of(state);

    return deployment->outcome == OUTCOME_BAD ? (until_ms - deployment->created_ms) / SECONDS(30) : 0;
}

static int64_t running_total(const struct ecs_state *state, const struct ecs_service *service)
{
    int64_t total = 0;

    for (size_t i = 0; i < service->deployment_count; i++)
        total += running_of(state, service, i);
    return total;
}

static int64_t pending_of(const struct ecs_state *state, const struct ecs_service *service, size_t index)
{
    bool starting = index == 0 && !service->deployments[0]->ended_ms;

    return starting ? service->desired - running_of(state, service, 0) : 0;
}

/* ---- answers ---- */

static struct json *time_wire(int64_t world_ms)
{
    return json_new_number((double)world_ms / 1000.0);
}

static void put_rollout(const struct ecs_service *service, const struct deployment *deployment,
                        struct json *wire)
{
    const char *state = deployment->failed ? "FAILED" : deployment->ended_ms ? "COMPLETED" : "IN_PROGRESS";
    AUTO_FREE char *usual =
        xasprintf("ECS deployment %s %s.", deployment->id,
                  deployment->ended_ms ? deployment->failed ? "failed: tasks failed to start" : "completed"
                                       : "in progress");

    if (!text_equal(service->controller, "ECS"))
        return;
    json_set_text(wire, "rolloutState", state);
    json_set_text(wire, "rolloutStateReason", deployment->reason ? deployment->reason : usual);
}

static struct json *deployment_wire(const struct ecs_state *state, const struct ecs_service *service,
                                    size_t index)
{
    const struct deployment *deployment = service->deployments[index];
    struct json *wire = json_new_object();

    json_set_text(wire, "id", deployment->id);
    json_set_text(wire, "status", index ? "ACTIVE" : "PRIMARY");
    json_set_text(wire, "taskDefinition", deployment->task_definition);
    json_set_int(wire, "desiredCount", deployment->failed ? 0 : service->desired);
    json_set_int(wire, "runningCount", running_of(state, service, index));
    json_set_int(wire, "pendingCount", pending_of(state, service, index));
    json_set_int(wire, "failedTasks", failed_of(state, deployment));
    json_set(wire, "createdAt", time_wire(deployment->created_ms));
    json_set(wire, "updatedAt",
             time_wire(deployment->ended_ms ? deployment->ended_ms : deployment->created_ms));
    json_set_text(wire, "launchType", service->launch_type);
    put_rollout(service, deployment, wire);
    return wire;
}

static struct json *events_wire(const struct ecs_service *service)
{
    struct json *array = json_new_array();

    for (size_t i = 0; i < service->event_count; i++) {
        struct json *one = json_new_object();

        json_set_text(one, "id", service->events[i]->id);
        json_set(one, "createdAt", time_wire(service->events[i]->time_ms));
        json_set_text(one, "message", service->events[i]->message);
        json_append(array, one);
    }
    return array;
}

static struct json *configuration_wire(const struct ecs_service *service)
{
    struct json *configuration = json_new_object(), *breaker = json_new_object();

    json_set_bool(breaker, "enable", service->breaker);
    json_set_bool(breaker, "rollback", service->rollback);
    json_set(configuration, "deploymentCircuitBreaker", breaker);
    json_set_int(configuration, "maximumPercent", 200);
    json_set_int(configuration, "minimumHealthyPercent", 100);
    return configuration;
}

struct json *sim_ecs_service_wire(const struct ecs_state *state, const struct ecs_service *service)
{
    struct json *wire = json_new_object(), *deployments = json_new_array(), *controller = json_new_object();

    for (size_t i = 0; i < service->deployment_count; i++)
        json_append(deployments, deployment_wire(state, service, i));
    json_set_text(controller, "type", service->controller);
    json_set_text(wire, "serviceArn", service->arn);
    json_set_text(wire, "serviceName", service->name);
    json_set_text(wire, "clusterArn", service->cluster_arn);
    json_set_text(wire, "status", service->status);
    json_set_int(wire, "desiredCount", service->desired);
    json_set_int(wire, "runningCount", running_total(state, service));
    json_set_int(wire, "pendingCount", service->deployment_count ? pending_of(state, service, 0) : 0);
    json_set_text(wire, "launchType", service->launch_type);
    json_set_text(wire, "taskDefinition", service->task_definition);
    json_set(wire, "deploymentConfiguration", configuration_wire(service));
    json_set(wire, "deployments", deployments);
    json_set(wire, "events", events_wire(service));
    json_set(wire, "createdAt", time_wire(service->created_ms));
    json_set(wire, "deploymentController", controller);
    json_set_text(wire, "schedulingStrategy", "REPLICA");
    return wire;
}

struct json *sim_ecs_dump(struct account *account)
{
    const struct ecs_state *state = sim_ecs_state(account);
    struct json *all = json_new_object(), *found = json_new_array();

    for (size_t i = 0; i < state->cluster_count; i++)
        for (size_t k = 0; k < state->clusters[i]->service_count; k++) {
            struct json *one = sim_ecs_service_wire(state, state->clusters[i]->services[k]);

            json_remove(one, "events");
            json_append(found, one);
        }
    json_set(all, "services", found);
    return all;
}

/* ---- end ---- */

static void service_free(struct ecs_service *service)
{
    while (service->deployment_count)
        deployment_free(service->deployments[--service->deployment_count]);
    for (size_t i = 0; i < service->event_count; i++) {
        xfree(service->events[i]->id);
        xfree(service->events[i]->message);
        xfree(service->events[i]);
    }
    xfree(service->deployments);
    xfree(service->events);
    xfree(service->name);
    xfree(service->arn);
    xfree(service->cluster_arn);
    xfree(service->status);
    xfree(service->launch_type);
    xfree(service->controller);
    xfree(service->task_definition);
    xfree(service);
}

void sim_ecs_done(struct account *account)
{
    struct ecs_state *state = sim_ecs_state(account);

    for (size_t i = 0; i < state->cluster_count; i++) {
        struct ecs_cluster *cluster = state->clusters[i];

        for (size_t k = 0; k < cluster->service_count; k++)
            service_free(cluster->services[k]);
        xfree(cluster->services);
        xfree(cluster->name);
        xfree(cluster->arn);
        xfree(cluster);
    }
    xfree(state->clusters);
    json_free(state->task_definitions);
}
