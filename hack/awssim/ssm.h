/* Parameter Store: the state that ssm.c and ssm_put.c share. */
#ifndef AWSSIM_SSM_H
#define AWSSIM_SSM_H

#include "hack/awssim/service.h"

struct parameter_version {
    char *value, *user;
    int64_t number, time_ms;
};

struct parameter {
    char *name, *arn, *type, *tier, *data_type;
    char *key;                   /* SecureString only */
    char *description, *pattern; /* NULL: none */
    struct json *tags;
    struct parameter_version *versions; /* oldest first */
    size_t version_count;
};

struct ssm_state {
    struct account *account;
    struct parameter **parameters;
    size_t count;
};

extern const struct service ssm_service;

struct parameter *sim_parameter(const struct ssm_state *state, const char *name); /* by name or ARN */
struct parameter *sim_parameter_add(struct ssm_state *state, const char *name);
void sim_parameter_put(struct parameter *parameter, const char *value, const char *user, int64_t now_ms);
const struct parameter_version *sim_parameter_newest(const struct parameter *parameter);
struct err *sim_ssm_load(const struct loader *loader, struct account *account,
                         const struct json *section) MUST_USE;
struct json *sim_ssm_dump(struct account *account);
bool sim_ssm_put_parameter(struct call *call);

#endif
