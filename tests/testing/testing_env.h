/* A struct env for tests: seeded scheduler and randomness, a scripted transport, and a log that the test can
 * read. */
#ifndef TESTING_TESTING_ENV_H
#define TESTING_TESTING_ENV_H

#include "pkg/base/env.h"
#include "tests/testing/assertions.h"
#include "tests/testing/transport_script.h"

/* Sunday 2026-11-22 16:00:00 UTC. */
#define TESTING_WALL_MS INT64_C(1795363200000)

struct testing_env {
    struct env env;        /* what the code under test gets; .transport plays the script */
    struct script *script; /* NULL when there are no rows: then .env.transport is NULL too */
    int log_fd;
};

/* The calling thread becomes the scheduler's first task. All levels are logged, as JSON. `options` may be
 * NULL; its .sched is ignored. */
void testing_env_init(struct testing_env *t, uint64_t seed, const struct exchange *rows, size_t count,
                      const struct script_options *options);
/* Checks the script (script_done) after everything was freed. */
void testing_env_done(struct testing_env *t);
/* All log lines so far, yours. */
char *testing_env_log(struct testing_env *t);

#define TESTING_ENV_INIT(t, seed, rows) testing_env_init((t), (seed), (rows), COUNT_OF(rows), NULL)

#endif
