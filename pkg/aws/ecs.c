#include "pkg/aws/ecs.h"

#include "pkg/aws/protocol.h"

#define EVENTS_MAX 10

#define SERVICE(member) offsetof(struct ecs_service, member)

static const struct aws_text_field service_fields[] = {
    {.path = "serviceArn", .offset = SERVICE(arn)},
    {.path = "serviceName", .offset = SERVICE(name)},
    {.path = "status", .offset = SERVICE(status)},
    {.path = "taskDefinition", .offset = SERVICE(task_definition)},
};

#define DEPLOYMENT(member) offsetof(struct ecs_deployment, member)

static const struct aws_text_field deployment_fields[] = {
    {.path = "id", .offset = DEPLOYMENT(id)},
    {.path = "status", .offset = DEPLOYMENT(status)},
    {.path = "rolloutState", .offset = DEPLOYMENT(rollout_state)},
    {.path = "rolloutStateReason", .offset = DEPLOYMENT(rollout_reason)},
    {.path = "taskDefinition", .offset = DEPLOYMENT(task_definition)},
};

void ecs_service_done(struct ecs_service *service)
{
    aws_text_fields_free(service_fields, COUNT_OF(service_fields), service);
    for (size_t i = 0; i < service->deployment_count; i++)
        aws_text_fields_free(deployment_fields, COUNT_OF(deployment_fields), &service->deployments[i]);
    xfree(service->deployments);
    aws_texts_done(&service->events);
    *service = (struct ecs_service){0};
}

const struct ecs_deployment *ecs_service_primary(const struct ecs_service *service)
{
    for (size_t i = 0; i < service->deployment_count; i++) {
        if (text_equal(service->deployments[i].status, "PRIMARY"))
            return &service->deployments[i];
    }
    return NULL;
}

static void read_deployments(const struct json *list, struct ecs_service *service)
{
    json_each (item, list) {
        struct ecs_deployment *deployment;

        service->deployments =
            xgrow(service->deployments, service->deployment_count, sizeof(*service->deployments));
        deployment = &service->deployments[service->deployment_count++];
        *deployment = (struct ecs_deployment){
            .failed_tasks = json_take_count(item, "failedTasks"),
            .desired_count = json_take_count(item, "desiredCount"),
            .running_count = json_take_count(item, "runningCount"),
            .pending_count = json_take_count(item, "pendingCount"),
            .created_ms = json_take_time(item, "createdAt"),
        };
        json_take_texts(item, deployment_fields, COUNT_OF(deployment_fields), deployment);
    }
}

static void read_service(const struct json *value, struct ecs_service *ret)
{
    *ret = (struct ecs_service){
        .desired_count = json_take_count(value, "desiredCount"),
        .running_count = json_take_count(value, "runningCount"),
        .pending_count = json_take_count(value, "pendingCount"),
    };
    json_take_texts(value, service_fields, COUNT_OF(service_fields), ret);
    read_deployments(json_member(value, "deployments"), ret);
    json_each (event, json_member(value, "events")) {
        if (ret->events.count < EVENTS_MAX)
            aws_texts_add(&ret->events, json_get_text(event, "message", ""));
    }
}

/* What is missing comes among the failures of an answer with status 200. */
static struct err *missing(const struct aws_client *aws, const struct json *reply, const char *service)
{
    const char *reason = json_get_text(reply, "failures[0].reason", "MISSING");
    enum err_kind kind = text_equal(reason, "MISSING") ? ERR_NOT_FOUND : ERR_RETRY;

    return err_set_remote(
        err_new(kind, "ecs DescribeServices: %s: %s (account %s)", service, reason,
                aws_account_id(aws->account)),
        &(struct err_remote){
            .service = "ecs", .operation = "DescribeServices", .code = reason, .http_status = 200});
}

struct err *ecs_describe_service(const struct aws_client *aws, const char *cluster, const char *service,
                                 struct ecs_service *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();
    struct json *services = json_new_array();
    const struct json *found;

    json_append_text(services, service);
    json_set_text(body, "cluster", cluster);
    json_set(body, "services", services);
    TRY(aws_call_json(aws, AWS_OP_DESCRIBE_SERVICES, body, &reply));
    found = json_at(reply.json, "services[0]");
    if (!found)
        return missing(aws, reply.json, service);
    read_service(found, ret);
    return NULL;
}

struct err *ecs_force_deployment(const struct aws_client *aws, const char *cluster, const char *service,
                                 struct ecs_service *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = json_new_object();
    const struct json *found;

    json_set_text(body, "cluster", cluster);
    json_set_text(body, "service", service);
    json_set_bool(body, "forceNewDeployment", true);
    TRY(aws_call_json(aws, AWS_OP_UPDATE_SERVICE, body, &reply));
    found = json_member(reply.json, "service");
    TRY(aws_require(AWS_OP_UPDATE_SERVICE, "service", found));
    read_service(found, ret);
    return NULL;
}
