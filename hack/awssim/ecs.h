/* ECS: the state that ecs.c, ecs_rollout.c and ecs_load.c share. Services roll over from one deployment to
 * the next; there are no tasks, only their number. */
#ifndef AWSSIM_ECS_H
#define AWSSIM_ECS_H

#include "hack/awssim/service.h"

enum ecs_outcome { OUTCOME_GOOD, OUTCOME_BAD }; /* bad: its tasks never stay up */

struct deployment {
    char *id, *task_definition; /* ARN */
    char *reason;               /* rolloutStateReason; NULL: by state */
    enum ecs_outcome outcome;
    int64_t created_ms;
    int64_t ended_ms; /* 0: in progress */
    bool failed;      /* by the circuit breaker */
    bool is_rollback;
};

struct ecs_event {
    char *id, *message;
    int64_t time_ms;
};

struct ecs_service {
    char *name, *arn, *cluster_arn, *status, *launch_type, *controller;
    char *task_definition; /* of the service, as last asked for or rolled back to */
    int64_t desired, created_ms;
    bool breaker, rollback;
    enum ecs_outcome outcome;        /* of its next deployments */
    struct deployment **deployments; /* newest first */
    size_t deployment_count;
    struct ecs_event **events; /* newest first, at most 100 */
    size_t event_count;
};

struct ecs_cluster {
    char *name, *arn;
    struct ecs_service **services;
    size_t service_count;
};

struct ecs_state {
    struct account *account;
    struct ecs_cluster **clusters;
    size_t cluster_count;
    struct json *task_definitions; /* "family:revision" that exist; NULL: all */
};

extern const struct service ecs_service;

struct ecs_state *sim_ecs_state(const struct account *account);
struct err *sim_ecs_load(const struct loader *loader, struct account *account,
                         const struct json *section) MUST_USE;
char *sim_ecs_task_definition_arn(const struct ecs_state *state,
                                  const char *name); /* "web:3" or an ARN; yours */

/* ---- ecs_rollout.c ---- */
/* A new PRIMARY deployment. Gives it; the service owns it. */
struct deployment *sim_ecs_deploy(struct ecs_state *state, struct ecs_service *service, int64_t now_ms);
void sim_ecs_event(struct ecs_state *state, struct ecs_service *service, const char *message, int64_t now_ms);
void sim_ecs_advance(struct account *account);
struct json *sim_ecs_service_wire(const struct ecs_state *state, const struct ecs_service *service);
struct json *sim_ecs_dump(struct account *account);
void sim_ecs_done(struct account *account);

#endif
