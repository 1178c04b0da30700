/* Parameters in Secrets Manager: one key of a secret, or the whole. What was there before is remembered by
 * its version, and put back by moving AWSCURRENT to it, or when others have written other keys since by a
 * version that has these, too. */
#ifndef CONTROLLER_STEPS_PARAMETER_SECRET_H
#define CONTROLLER_STEPS_PARAMETER_SECRET_H

#include "controller/pass.h"

#define PARAMETER_VALUE_MAX (8 * KIB)

/* The spec's value with its templates filled in (parameter.c). */
struct err *parameter_value(const struct pass *pass, const struct parameter_spec *spec,
                            struct buf *ret) MUST_USE;

/* As of struct place_ops in parameter.c. */
struct err *parameter_secret_remember(struct stage *stage, const struct parameter_spec *spec) MUST_USE;
/* Writes the keys of all rows that are under way or done, in one version: AWS keeps a hundred of them, and
 * none that is younger than a day gives way. */
struct err *parameter_secret_apply(struct stage *stage, const struct parameter_spec *spec, const char *value,
                                   bool *ret_changed) MUST_USE;
struct err *parameter_secret_restore(struct stage *stage, const struct parameter_spec *spec,
                                     const char *value, const struct previous_status *previous) MUST_USE;

#endif
