/* Runs one program and takes what it writes to stdout. stdin is empty, stderr is ours. */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include "pkg/base/buf.h"
#include "pkg/base/env.h"
#include "pkg/base/err.h"

struct child {
    const char *command; /* searched in PATH when it has no slash */
    char *const *argv;   /* NULL-terminated, argv[0] included */
    char *const *environment;
    int64_t timeout_ms; /* real time; then it is killed with all of its process group */
};

/* Appends to out, whose maximum is the cap. ERR_NOT_FOUND: no such program; ERR_RETRY: non-zero exit, signal,
 * time-out; ERR_INVALID: wrote too much; ERR_CANCELED: env->stop. It is dead when this returns. */
struct err *child_output(const struct env *env, const struct child *child, struct buf *out) MUST_USE;

#endif
