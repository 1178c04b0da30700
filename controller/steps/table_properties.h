/* What is compared of a table, and what of it can be put right: a constant table. */
#ifndef CONTROLLER_STEPS_TABLE_PROPERTIES_H
#define CONTROLLER_STEPS_TABLE_PROPERTIES_H

#include "controller/steps/differences.h"
#include "pkg/aws/application_autoscaling.h"
#include "pkg/aws/dynamodb.h"

/* The facts of the table. */
struct table_facts {
    struct dynamodb_table table;
    struct dynamodb_ttl ttl;
    bool recovery;              /* point in time */
    struct autoscaling scaling; /* of a table with provisioned capacity */
};
void table_facts_done(struct table_facts *facts);
#define AUTO_TABLE_FACTS CLEANUP(table_facts_done)

/* table_facts.c; ERR_NOT_FOUND when there is no such table. */
struct err *table_facts_read(const struct aws_client *aws, const char *name,
                             struct table_facts *ret) MUST_USE;

/* The rest, when .table is known already. */
struct err *table_facts_complete(const struct aws_client *aws, struct table_facts *facts) MUST_USE;

extern const struct property_table table_properties;

/* --- table_scaling.c --- */

/* "read 5-100 at 70%, write 5-100 at 70%, index by-customer read 1-10 at 70%"; "off". Yours. */
char *table_scaling_text(const struct autoscaling *scaling);
/* Gives the copy all targets and policies of the model, under its own name. */
struct err *table_scaling_put(const struct sides *sides) MUST_USE;

#endif
