#include "tests/testing/testing_env.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void testing_env_init(struct testing_env *t, uint64_t seed, const struct exchange *rows, size_t count,
                      const struct script_options *options)
{
    struct script_options used = options ? *options : (struct script_options){0};

    *t = (struct testing_env){.log_fd = memfd_create("log", MFD_CLOEXEC)};
    assert_true(t->log_fd >= 0);
    t->env.sched = sched_seeded_new(seed, TESTING_WALL_MS);
    t->env.random = random_seeded_new(seed);
    t->env.stop = stop_new();
    t->env.log = log_new(t->log_fd, LOG_LEVEL_DEBUG, LOG_FORMAT_JSON, t->env.sched);
    if (!count)
        return;
    used.sched = t->env.sched;
    t->script = script_new(rows, count, &used);
    t->env.transport = script_transport(t->script);
}

void testing_env_done(struct testing_env *t)
{
    struct script *script = TAKE(t->script);

    transport_free(t->env.transport);
    log_free(t->env.log);
    stop_free(t->env.stop);
    random_free(t->env.random);
    sched_free(t->env.sched);
    close(t->log_fd);
    t->env = (struct env){0};
    script_done(script);
}

char *testing_env_log(struct testing_env *t)
{
    struct stat about;
    char *text;
    ssize_t got;

    assert_int_equal(fstat(t->log_fd, &about), 0);
    text = xcalloc(1, (size_t)about.st_size + 1);
    got = pread(t->log_fd, text, (size_t)about.st_size, 0);
    assert_number(got, about.st_size);
    return text;
}
