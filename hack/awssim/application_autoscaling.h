/* Application Auto Scaling: which capacities of tables may move, and what moves them. Nothing moves here;
 * targets and policies are kept, and refused as the service refuses them. */
#ifndef AWSSIM_APPLICATION_AUTOSCALING_H
#define AWSSIM_APPLICATION_AUTOSCALING_H

#include "hack/awssim/core.h"

struct scalable_target {
    char *resource, *dimension, *arn;
    int64_t min, max, created_ms;
};

struct scaling_policy {
    char *name, *resource, *dimension, *arn;
    struct json *tracking;
    int64_t created_ms;
};

struct autoscaling_state {
    LIST(struct scalable_target) targets;
    LIST(struct scaling_policy) policies;
};

extern const struct service autoscaling_service;

/* ---- application_autoscaling.c ---- */
struct autoscaling_state *sim_autoscaling_state(const struct account *account);
/* "table/T" or "table/T/index/I" of what there is, with a dimension of that kind. NULL: fine; else why not.
 */
const char *sim_autoscaling_fault(const struct account *account, const char *resource, const char *dimension);
/* A made-up one, yours; `name` NULL: none. */
char *sim_autoscaling_arn(const struct account *account, const char *kind, const char *name);

/* ---- application_autoscaling_load.c ---- */
struct err *sim_autoscaling_load(const struct loader *loader, struct account *account,
                                 const struct json *section) MUST_USE;
struct err *sim_autoscaling_check(const struct loader *loader, struct account *account,
                                  const struct json *section) MUST_USE;

#endif
