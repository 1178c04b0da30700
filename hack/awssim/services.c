#include "hack/awssim/service.h"

/* One line per service, in the order in which advance() runs: what causes comes before what follows. Whoever
 * adds a service adds its line here (and its database kind below). */
extern const struct service sts_service;
extern const struct service iam_service;
extern const struct service kms_service;
extern const struct service backup_service;

const struct service *const services[] = {
    &sts_service,
    &iam_service,
    &kms_service,
    &backup_service,
};
const size_t service_count = COUNT_OF(services);

const struct database_kind *const database_kinds[] = {
    NULL, /* &rds_database_kind, &dynamodb_database_kind */
};
const size_t database_kind_count = 0;
