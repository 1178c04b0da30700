/* Runs one program and takes what it writes to stdout. stderr is ours. */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include "pkg/base/buf.h"
#include "pkg/base/env.h"
#include "pkg/base/err.h"

struct child {
    const char *command; /* searched in PATH when it has no slash */
    char *const *argv;   /* NULL-terminated, argv[0] included */
    char *const *environment;
    bool is_interactive; /* stdin is ours, and it stays in our process group, else it could not read from the
                            terminal; otherwise stdin is empty and the group its own */
    int64_t timeout_ms;  /* real time; then it is killed, with all of its process group if that is its own */
};

/* Appends to out, whose maximum is the cap. ERR_NOT_FOUND: no such program; ERR_RETRY: non-zero exit, signal,
 * time-out; ERR_INVALID: wrote too much; ERR_CANCELED: env->stop. It is dead when this returns. */
struct err *child_output(const struct env *env, const struct child *child, struct buf *out) MUST_USE;

#endif
