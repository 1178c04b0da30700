/* What the parameters of a spec hold now, wherever each is kept. */
#ifndef CONTROLLER_VALUES_H
#define CONTROLLER_VALUES_H

#include "controller/pass.h"

struct secret;

/* *ret is yours, wiped when freed; NULL: there is no such thing, or it lacks the key. ERR_INVALID: it is kept
 * in a cluster, and there is none. */
struct err *value_read(const struct pass *pass, const struct parameter_spec *spec,
                       struct secret **ret) MUST_USE;
/* "parameter", "secret", "ConfigMap", "Secret": what `target` of the spec names. */
const char *value_noun(enum parameter_kind kind);

#endif
