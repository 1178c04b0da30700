#include "hack/awssim/service.h"

/* In the order in which they are loaded, checked and advanced: what is referred to comes before what refers
 * to it. Whoever adds a service adds its line here (and its database kind below). */
extern const struct service sts_service;
extern const struct service iam_service;
extern const struct service kms_service;
extern const struct service secretsmanager_service;
extern const struct service rds_service;
extern const struct service dynamodb_service;
extern const struct service autoscaling_service;
extern const struct service ssm_service;
extern const struct service ecs_service;
extern const struct service lambda_service;
extern const struct service states_service;
extern const struct service backup_service;
extern const struct service sqs_service;
extern const struct service events_service;

const struct service *const services[] = {
    &sts_service, &iam_service,      &kms_service,         &secretsmanager_service,
    &rds_service, &dynamodb_service, &autoscaling_service, &ssm_service,
    &ecs_service, &lambda_service,   &states_service,      &backup_service,
    &sqs_service, &events_service,
};
const size_t service_count = COUNT_OF(services);

extern const struct database_kind rds_database_kind;
extern const struct database_kind dynamodb_database_kind;

const struct database_kind *const database_kinds[] = {
    &rds_database_kind,
    &dynamodb_database_kind,
};
const size_t database_kind_count = COUNT_OF(database_kinds);
