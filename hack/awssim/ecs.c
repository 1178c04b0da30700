#include "hack/awssim/ecs.h"

struct ecs_state *sim_ecs_state(const struct account *account)
{
    return account_state(account, &ecs_service);
}

/* ---- finding ---- */

static struct str last_part(const char *text)
{
    const char *slash = strrchr(text, '/');

    return str_of(slash ? slash + 1 : text);
}

/* By name or ARN; NULL given means "default". */
static struct ecs_cluster *cluster_find(const struct ecs_state *state, const char *id)
{
    for (size_t i = 0; i < state->cluster_count; i++) {
        struct ecs_cluster *cluster = state->clusters[i];

        if (text_equal(cluster->arn, id) || text_equal(cluster->name, id ? id : "default"))
            return cluster;
    }
    return NULL;
}

static struct ecs_cluster *cluster_or_refuse(struct call *call)
{
    struct ecs_cluster *cluster = cluster_find(call_state(call), call_text(call, "cluster"));

    if (!cluster)
        call_refuse(call, 400, "ClusterNotFoundException", "Cluster not found.");
    return cluster;
}

/* By name, or by an ARN in the long form (service/cluster/name) or the old short one (service/name). */
static struct ecs_service *service_find(const struct ecs_state *state, const struct ecs_cluster *cluster,
                                        const char *id)
{
    AUTO_FREE char *name = str_dup(last_part(id));
    AUTO_FREE char *short_arn = account_arn(state->account, "ecs", "service/%s", name);

    for (size_t i = 0; i < cluster->service_count; i++) {
        struct ecs_service *service = cluster->services[i];

        if (text_equal(service->name, id) || text_equal(service->arn, id) ||
            (text_equal(service->name, name) && text_equal(short_arn, id)))
            return service;
    }
    return NULL;
}

char *sim_ecs_task_definition_arn(const struct ecs_state *state, const char *name)
{
    return str_starts(str_of(name), "arn:") ? xstrdup(name)
                                            : account_arn(state->account, "ecs", "task-definition/%s", name);
}

/* ---- describing ---- */

static bool describe_services(struct call *call)
{
    const struct ecs_state *state = call_state(call);
    const struct ecs_cluster *cluster = cluster_or_refuse(call);
    const struct json *ids = call_list(call, "services");

    if (!cluster)
        return false;
    if (json_count(ids) < 1 || json_count(ids) > 10)
        return call_refuse(call, 400, "InvalidParameterException", "Services must have 1 to 10 items.");
    struct json *found = json_new_array(), *failures = json_new_array();
    json_each (item, ids) {
        const char *id = json_get_text(item, NULL, "");
        const struct ecs_service *service = service_find(state, cluster, id);
        AUTO_FREE char *arn = account_arn(state->account, "ecs", "service/%s/%s", cluster->name, id);

        if (service) {
            json_append(found, sim_ecs_service_wire(state, service));
            continue;
        }
        struct json *failure = json_new_object();
        json_set_text(failure, "arn", str_starts(str_of(id), "arn:") ? id : arn);
        json_set_text(failure, "reason", "MISSING");
        json_append(failures, failure);
    }
    json_set(call->out, "services", found);
    json_set(call->out, "failures", failures);
    return true;
}

static bool list_services(struct call *call)
{
    static const struct page_rule rule = {.size_member = "maxResults",
                                          .token_member = "nextToken",
                                          .out_member = "nextToken",
                                          .min = 1,
                                          .max = 100,
                                          .otherwise = 10,
                                          .error = "InvalidParameterException"};
    const struct ecs_cluster *cluster = cluster_or_refuse(call);
    size_t first = 0, count = 0;

    if (!cluster || !call_page(call, &rule, cluster->service_count, &first, &count))
        return false;
    struct json *arns = json_new_array();
    for (size_t i = first; i < first + count; i++)
        json_append_text(arns, cluster->services[i]->arn);
    json_set(call->out, "serviceArns", arns);
    return true;
}

static struct json *cluster_wire(const struct ecs_cluster *cluster)
{
    struct json *wire = json_new_object();

    json_set_text(wire, "clusterArn", cluster->arn);
    json_set_text(wire, "clusterName", cluster->name);
    json_set_text(wire, "status", "ACTIVE");
    json_set_int(wire, "activeServicesCount", (int64_t)cluster->service_count);
    return wire;
}

static bool describe_clusters(struct call *call)
{
    const struct ecs_state *state = call_state(call);
    const struct json *ids = call_list(call, "clusters");
    struct json *clusters = json_new_array(), *failures = json_new_array();

    if (!ids && cluster_find(state, NULL))
        json_append(clusters, cluster_wire(cluster_find(state, NULL)));
    json_each (item, ids) {
        const char *id = json_get_text(item, NULL, "");
        const struct ecs_cluster *cluster = cluster_find(state, id);

        if (cluster) {
            json_append(clusters, cluster_wire(cluster));
            continue;
        }
        struct json *failure = json_new_object();
        AUTO_FREE char *arn = account_arn(state->account, "ecs", "cluster/%s", id);
        json_set_text(failure, "arn", arn);
        json_set_text(failure, "reason", "MISSING");
        json_append(failures, failure);
    }
    json_set(call->out, "clusters", clusters);
    json_set(call->out, "failures", failures);
    return true;
}

/* ---- UpdateService ---- */

static bool is_known_definition(const struct ecs_state *state, const char *name)
{
    AUTO_FREE char *short_name = str_dup(last_part(name));

    json_each (item, state->task_definitions)
        if (text_equal(json_get_text(item, NULL, ""), short_name))
            return true;
    return !state->task_definitions;
}

static bool check_update(struct call *call, const struct ecs_service *service)
{
    const char *definition = call_text(call, "taskDefinition");

    if (!service)
        return call_refuse(call, 400, "ServiceNotFoundException", "Service not found.");
    if (!text_equal(service->status, "ACTIVE"))
        return call_refuse(call, 400, "ServiceNotActiveException", "Service was not ACTIVE.");
    if (!text_equal(service->controller, "ECS") &&
        (definition || call_bool(call, "forceNewDeployment", false)))
        return call_refuse(call, 400, "InvalidParameterException",
                           "Unable to update task definition on services with a %s deployment controller.",
                           service->controller);
    if (call_int(call, "desiredCount", 0) < 0)
        return call_refuse(call, 400, "InvalidParameterException", "desiredCount must not be negative.");
    if (definition && !is_known_definition(call_state(call), definition))
        return call_refuse(call, 400, "ClientException", "TaskDefinition not found.");
    return true;
}

static void set_breaker(struct call *call, struct ecs_service *service)
{
    service->breaker =
        call_bool(call, "deploymentConfiguration.deploymentCircuitBreaker.enable", service->breaker);
    service->rollback =
        call_bool(call, "deploymentConfiguration.deploymentCircuitBreaker.rollback", service->rollback);
}

static bool set_definition(struct call *call, struct ecs_service *service)
{
    const char *given = call_text(call, "taskDefinition");
    AUTO_FREE char *arn = given ? sim_ecs_task_definition_arn(call_state(call), given) : NULL;

    if (!given || text_equal(arn, service->task_definition))
        return false;
    xfree(service->task_definition);
    service->task_definition = TAKE(arn);
    return true;
}

static bool update_service(struct call *call)
{
    struct ecs_state *state = call_state(call);
    const struct ecs_cluster *cluster = cluster_or_refuse(call);
    struct ecs_service *service = cluster ? service_find(state, cluster, call_text(call, "service")) : NULL;

    call_effect(call, EFFECT_CHANGED, service ? service->arn : call_text(call, "service"));
    if (!cluster || !check_update(call, service))
        return false;
    AUTO_JSON struct json *before = sim_ecs_service_wire(state, service);
    service->desired = call_int(call, "desiredCount", service->desired);
    set_breaker(call, service);
    bool deploys = set_definition(call, service) || call_bool(call, "forceNewDeployment", false);
    if (deploys) {
        sim_ecs_deploy(state, service, call->now_ms);
        sim_ecs_event(state, service, "has begun a new deployment.", call->now_ms);
    }
    sim_ecs_advance(call->account);
    AUTO_JSON struct json *after = sim_ecs_service_wire(state, service);
    bool same = json_equal(before, after);
    call_effect(call, deploys ? EFFECT_CREATED : same ? EFFECT_NONE : EFFECT_CHANGED, service->arn);
    json_set(call->out, "service", TAKE(after));
    return true;
}

static const struct operation operations[] = {
    {.name = "DescribeServices", .handle = describe_services, .input = "cluster services!:list include:list"},
    {.name = "ListServices",
     .handle = list_services,
     .input = "cluster nextToken maxResults:int launchType schedulingStrategy"},
    {.name = "DescribeClusters", .handle = describe_clusters, .input = "clusters:list include:list"},
    {.name = "UpdateService",
     .handle = update_service,
     .input = "cluster service! desiredCount:int taskDefinition forceNewDeployment:bool "
              "deploymentConfiguration:object",
     .mutating = true},
};

static const struct duration durations[] = {
    {.name = "ecs.rollout", .default_ms = SECONDS(90)},
    {.name = "ecs.circuitBreaker", .default_ms = MINUTES(5)},
};

const struct service ecs_service = {
    .name = "ecs",
    .section = "ecs",
    .protocol = PROTOCOL_JSON,
    .target_prefix = "AmazonEC2ContainerServiceV20141113",
    .json_version = "1.1",
    .missing_code = "InvalidParameterException",
    .invalid_code = "InvalidParameterException",
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .durations = durations,
    .duration_count = COUNT_OF(durations),
    .state_size = sizeof(struct ecs_state),
    .load = sim_ecs_load,
    .advance = sim_ecs_advance,
    .dump = sim_ecs_dump,
    .done = sim_ecs_done,
};
