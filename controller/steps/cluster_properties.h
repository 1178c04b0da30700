/* What is compared of a cluster and of its instances, and what of it can be put right: constant tables. */
#ifndef CONTROLLER_STEPS_CLUSTER_PROPERTIES_H
#define CONTROLLER_STEPS_CLUSTER_PROPERTIES_H

#include "controller/steps/differences.h"
#include "pkg/aws/rds.h"

/* The facts of the table of clusters. */
struct cluster_facts {
    struct rds_cluster cluster;
    struct rds_instances instances;
};
void cluster_facts_done(struct cluster_facts *facts);
#define AUTO_CLUSTER_FACTS CLEANUP(cluster_facts_done)

/* ERR_NOT_FOUND when there is no such cluster. */
struct err *cluster_facts_read(const struct aws_client *aws, const char *id,
                               struct cluster_facts *ret) MUST_USE;
/* The instance of that name in the spec ("a" is "<cluster>-a"); NULL: none. */
const struct rds_instance *cluster_facts_instance(const struct cluster_facts *facts, const char *name);

extern const struct property_table cluster_properties;
/* Facts are struct rds_instance, the part is struct instance_spec. */
extern const struct property_table instance_properties;

#endif
