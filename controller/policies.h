/* The least that must be granted for a spec: made from the spec and the table of operations, so that nothing
 * is asked of AWS that is not in here, and nothing is in here that is not asked. */
#ifndef CONTROLLER_POLICIES_H
#define CONTROLLER_POLICIES_H

#include "controller/admit.h"
#include "pkg/aws/operation.h"

/* {"source": {account, role, policy}, "target": {account, role, policy}, "vaultAccessPolicy": {account,
 * vault, policy}, "keyStatements": {account, statements}}; what the spec needs no source for is left out.
 * Yours. */
struct json *policies_make(const struct refresh_spec *spec, const struct accounts *accounts);

/* Whether the table says of an operation who needs it; for the test that none is forgotten. */
bool policies_know(enum aws_op op);

/* What AWS checks besides the actions of our operations, whatever the spec; for the test that the templates
 * of manifests/aws allow it. False past the last one. */
struct policies_companion {
    const char *action;
    bool on_source, on_target;
};
bool policies_companion(size_t index, struct policies_companion *ret);

#endif
