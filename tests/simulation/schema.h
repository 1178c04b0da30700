/* What the CustomResourceDefinitions in crds/ refuse of a status: the part of the API server's validation
 * that our schemas use (types, enum, pattern, lengths, ranges, required members, keys of lists). */
#ifndef SIMULATION_SCHEMA_H
#define SIMULATION_SCHEMA_H

#include "controller/objects.h"

/* The first thing that is refused, "conditions[0].reason: not found"; yours, NULL: nothing is. */
char *schema_refusal(enum object_kind kind, const struct json *status);

#endif
