/* Application Auto Scaling, for tables of DynamoDB: between which bounds their capacity moves, and what
 * moves it. https://docs.aws.amazon.com/autoscaling/application/APIReference/ */
#ifndef AWS_APPLICATION_AUTOSCALING_H
#define AWS_APPLICATION_AUTOSCALING_H

#include "pkg/aws/client.h"

/* One capacity of a table or of one of its indexes that may move. */
struct autoscaling_target {
    char *resource_id; /* "table/sessions", "table/sessions/index/by-customer" */
    char *dimension;   /* "dynamodb:table:ReadCapacityUnits", "dynamodb:index:WriteCapacityUnits" */
    int64_t min, max;
};

/* Keeps a metric at a value. Other kinds of policy are not made for tables. */
struct autoscaling_policy {
    char *name; /* one of a kind per resource and dimension */
    char *resource_id;
    char *dimension;
    char *metric;  /* "DynamoDBReadCapacityUtilization"; NULL: a metric of the customer's own */
    double target; /* percent */
    int64_t in_cooldown_s, out_cooldown_s; /* -1: not said */
    bool never_in;                         /* capacity only grows */
};

struct autoscaling {
    struct autoscaling_target *targets;
    size_t target_count;
    struct autoscaling_policy *policies;
    size_t policy_count;
};
void autoscaling_done(struct autoscaling *scaling);
#define AUTO_AUTOSCALING CLEANUP(autoscaling_done)

/* What is registered for a table and its indexes; nothing is no error. */
struct err *autoscaling_describe(const struct aws_client *aws, const char *table, const char *const *indexes,
                                 size_t index_count, struct autoscaling *ret) MUST_USE;
/* Makes it, or gives it other bounds. The first one of an account makes the service's own role, for which the
 * caller needs iam:CreateServiceLinkedRole. */
struct err *autoscaling_register(const struct aws_client *aws,
                                 const struct autoscaling_target *target) MUST_USE;
/* ERR_NOT_FOUND when there is no such target. ERR_INVALID with a metric of the customer's own: nobody knows
 * what it would be for another table. */
struct err *autoscaling_put_policy(const struct aws_client *aws,
                                   const struct autoscaling_policy *policy) MUST_USE;
/* With its policies and their alarms: before a table goes. */
struct err *autoscaling_deregister(const struct aws_client *aws,
                                   const struct autoscaling_target *target) MUST_USE;

#endif
