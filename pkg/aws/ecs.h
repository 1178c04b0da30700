/* ECS services, as far as a rollout of new tasks goes. */
#ifndef AWS_ECS_H
#define AWS_ECS_H

#include "pkg/aws/client.h"

struct ecs_deployment {
    char *id;
    char *status;        /* PRIMARY, ACTIVE, INACTIVE */
    char *rollout_state; /* COMPLETED, FAILED, IN_PROGRESS; NULL: not a rolling deployment */
    char *rollout_reason;
    char *task_definition;
    int failed_tasks;
    int desired_count, running_count, pending_count;
    int64_t created_ms;
};
struct ecs_service {
    char *arn;
    char *name;
    char *status; /* ACTIVE, DRAINING, INACTIVE */
    char *task_definition;
    int desired_count, running_count, pending_count;
    struct ecs_deployment *deployments;
    size_t deployment_count;
    struct aws_texts events; /* newest first, as the service words them; at most 10 */
};
void ecs_service_done(struct ecs_service *service);
#define AUTO_ECS_SERVICE CLEANUP(ecs_service_done)

/* The PRIMARY deployment, or NULL; borrowed. */
const struct ecs_deployment *ecs_service_primary(const struct ecs_service *service);

/* `cluster` NULL: "default". ERR_NOT_FOUND when the answer lists it among the failures (with HTTP status
 * 200). */
struct err *ecs_describe_service(const struct aws_client *aws, const char *cluster, const char *service,
                                 struct ecs_service *ret) MUST_USE;
/* Starts new tasks of the same definition. There is no token: a repeat is another deployment, so look at
 * `created_ms` of the primary one first. Not retried once it may have arrived. *ret is the service right
 * after; its primary deployment is ours. */
struct err *ecs_force_deployment(const struct aws_client *aws, const char *cluster, const char *service,
                                 struct ecs_service *ret) MUST_USE;

#endif
