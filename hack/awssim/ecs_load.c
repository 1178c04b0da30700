/* accounts[].ecs of the world file; docs-services.md describes the keys. */
#include "hack/awssim/ecs.h"

struct service_section {
    struct ecs_service service;
    char *rollout;
};

static const struct load_field service_fields[] = {
    {LOAD_FIELD(service_section, "name", LOAD_TEXT, service.name), .required = true},
    {LOAD_FIELD(service_section, "taskDefinition", LOAD_TEXT, service.task_definition), .required = true},
    {LOAD_FIELD(service_section, "desiredCount", LOAD_INT, service.desired)},
    {LOAD_FIELD(service_section, "circuitBreaker", LOAD_BOOL, service.breaker)},
    {LOAD_FIELD(service_section, "rollback", LOAD_BOOL, service.rollback)},
    {LOAD_FIELD(service_section, "rollout", LOAD_TEXT, rollout), .choices = "good bad"},
    {LOAD_FIELD(service_section, "status", LOAD_TEXT, service.status), .choices = "ACTIVE DRAINING INACTIVE"},
    {LOAD_FIELD(service_section, "launchType", LOAD_TEXT, service.launch_type),
     .choices = "FARGATE EC2 EXTERNAL"},
    {LOAD_FIELD(service_section, "controller", LOAD_TEXT, service.controller),
     .choices = "ECS CODE_DEPLOY EXTERNAL"},
};

static void set_default(char **slot, const char *text)
{
    if (!*slot)
        *slot = xstrdup(text);
}

/* The world's own deployment is good and long complete, also where the next ones are bad. */
static void settle(struct ecs_state *state, const struct ecs_cluster *cluster, struct ecs_service *service)
{
    AUTO_FREE char *definition = TAKE(service->task_definition);

    service->task_definition = sim_ecs_task_definition_arn(state, definition);
    service->arn = account_arn(state->account, "ecs", "service/%s/%s", cluster->name, service->name);
    service->cluster_arn = xstrdup(cluster->arn);
    service->created_ms = sim_now(state->account->sim) - DAYS(400);
    set_default(&service->status, "ACTIVE");
    set_default(&service->launch_type, "FARGATE");
    set_default(&service->controller, "ECS");
    struct deployment *deployment = sim_ecs_deploy(state, service, sim_now(state->account->sim) - DAYS(30));
    deployment->outcome = OUTCOME_GOOD;
    deployment->ended_ms = deployment->created_ms + MINUTES(2);
}

static struct err *load_service(const struct loader *loader, struct ecs_state *state,
                                struct ecs_cluster *cluster, const struct json *node)
{
    struct ecs_service *service = xcalloc(1, sizeof(*service));
    struct service_section section = {.service = {.desired = 1}};

    cluster->services = xgrow(cluster->services, cluster->service_count, sizeof(struct ecs_service *));
    cluster->services[cluster->service_count++] = service;
    struct err *err = load_fields(loader, node, service_fields, COUNT_OF(service_fields), &section);
    *service = section.service;
    service->outcome = text_equal(section.rollout, "bad") ? OUTCOME_BAD : OUTCOME_GOOD;
    xfree(section.rollout);
    TRY(err);
    settle(state, cluster, service);
    return NULL;
}

struct cluster_section {
    char *name;
    const struct json *services;
};

static struct err *load_cluster(const struct loader *loader, struct ecs_state *state, const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(cluster_section, "name", LOAD_TEXT, name), .required = true},
        {LOAD_FIELD(cluster_section, "services", LOAD_LIST, services)},
    };
    struct ecs_cluster *cluster = xcalloc(1, sizeof(*cluster));
    struct cluster_section section = {0};

    state->clusters = xgrow(state->clusters, state->cluster_count, sizeof(struct ecs_cluster *));
    state->clusters[state->cluster_count++] = cluster;
    struct err *err = load_fields(loader, node, fields, COUNT_OF(fields), &section);
    cluster->name = section.name;
    TRY(err);
    cluster->arn = account_arn(state->account, "ecs", "cluster/%s", cluster->name);
    json_each (item, section.services)
        TRY(load_service(loader, state, cluster, item));
    return NULL;
}

struct ecs_section {
    const struct json *clusters;
    struct json *task_definitions;
};

struct err *sim_ecs_load(const struct loader *loader, struct account *account, const struct json *node)
{
    static const struct load_field fields[] = {
        {LOAD_FIELD(ecs_section, "clusters", LOAD_LIST, clusters)},
        {LOAD_FIELD(ecs_section, "taskDefinitions", LOAD_TEXTS, task_definitions)},
    };
    struct ecs_state *state = sim_ecs_state(account);
    struct ecs_section section = {0};

    state->account = account;
    if (!node)
        return NULL;
    struct err *err = load_fields(loader, node, fields, COUNT_OF(fields), &section);
    state->task_definitions = section.task_definitions;
    TRY(err);
    json_each (item, section.clusters)
        TRY(load_cluster(loader, state, item));
    return NULL;
}
