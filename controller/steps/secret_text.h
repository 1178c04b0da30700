/* Members of secrets that are JSON objects. Error texts never quote the secret. */
#ifndef CONTROLLER_STEPS_SECRET_TEXT_H
#define CONTROLLER_STEPS_SECRET_TEXT_H

#include "pkg/base/err.h"
#include "pkg/base/secret.h"

#define SECRET_TEXT_MAX (64 * 1024)

/* One text member; `id` names the secret in errors. ERR_INVALID: no object, or no such text. */
struct err *secret_text_get(const struct secret *text, const char *id, const char *key,
                            struct secret **ret) MUST_USE;
/* The same object with one member set. *ret stays NULL when that member has the value already. */
struct err *secret_text_with(const struct secret *text, const char *id, const char *key,
                             const struct secret *value, struct secret **ret) MUST_USE;

/* The same object with one member as it is in `before`; without it when it is not there. */
struct err *secret_text_back(const struct secret *text, const struct secret *before, const char *id,
                             const char *key, struct secret **ret) MUST_USE;
/* Both have the same members, in whatever order and layout. */
struct err *secret_text_same(const struct secret *a, const struct secret *b, const char *id,
                             bool *ret) MUST_USE;

#endif
