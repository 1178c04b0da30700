/* Somebody else in the staging account of a scenario, with the rights of its role: what people and pipelines
 * do there while a refresh goes on. */
#ifndef SIMULATION_BYSTANDER_H
#define SIMULATION_BYSTANDER_H

#include "pkg/aws/client.h"
#include "tests/simulation/scenario.h"

struct bystander;

/* The scenario is borrowed, and outlives it. */
struct bystander *bystander_new(struct scenario *scenario);
void bystander_free(struct bystander *bystander);
/* Its calls take time: from a task of one's own (scenario_later()), or after the scenario. */
const struct aws_client *bystander_aws(const struct bystander *bystander);

static inline void auto_bystander(struct bystander **bystander)
{
    bystander_free(*bystander);
}
#define AUTO_BYSTANDER CLEANUP(auto_bystander)

#endif
