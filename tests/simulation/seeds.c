#include "tests/simulation/seeds.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkg/base/buf.h"
#include "pkg/base/sched.h"

#define JOBS_DEFAULT 2
#define JOBS_MAX 64
#define SEED_LIMIT_S 120 /* one simulation takes milliseconds; this catches one that goes round for ever */
#define FAILURES_SHOWN 5

static int64_t number_from(const char *name, int64_t otherwise)
{
    int64_t number;

    return str_to_int(str_of(getenv(name)), &number) ? number : otherwise;
}

/* What a child tells its parent: "+<seed>" before a simulation, "!<text>" when it went wrong. */
static void report(int fd, const char *line)
{
    size_t len = strlen(line);

    while (len) {
        ssize_t wrote = write(fd, line, len);

        if (wrote <= 0)
            _exit(3);
        line += wrote;
        len -= (size_t)wrote;
    }
}

/* How the work is parted. */
struct plan {
    size_t jobs;
    size_t stride; /* every so manieth seed is run */
};

static void run_share(const struct seeds *seeds, const struct plan *plan, size_t share, int fd)
{
    for (size_t i = share * plan->stride; i < seeds->count; i += plan->jobs * plan->stride) {
        uint64_t seed = seeds->first + i;
        AUTO_FREE char *begun = xasprintf("+%llu\n", (unsigned long long)seed);
        AUTO_FREE char *fault = NULL;
        AUTO_FREE char *line = NULL;

        report(fd, begun);
        alarm(SEED_LIMIT_S);
        fault = seeds->check(seed, seeds->arg);
        alarm(0);
        if (!fault)
            continue;
        for (char *c = fault; *c; c++) {
            if (*c == '\n')
                *c = ';';
        }
        line = xasprintf("!%s\n", fault);
        report(fd, line);
    }
}

struct child {
    pid_t pid;
    int fd;
};

static struct child start_child(const struct seeds *seeds, const struct plan *plan, size_t share)
{
    struct child child;
    int ends[2];

    fflush(NULL);
    if (pipe(ends) != 0 || (child.pid = fork()) < 0)
        abort();
    if (child.pid == 0) {
        close(ends[0]);
        run_share(seeds, plan, share, ends[1]);
        exit(0);
    }
    close(ends[1]);
    child.fd = ends[0];
    return child;
}

static void complain(const struct seeds *seeds, uint64_t seed, struct str what, size_t *failures)
{
    if (++*failures <= FAILURES_SHOWN)
        fprintf(stderr, "%s: seed %llu: " STR_FMT "\n    again: SR_TEST=%s SR_SEED=%llu %s\n", seeds->name,
                (unsigned long long)seed, STR_ARG(what), seeds->name, (unsigned long long)seed,
                program_invocation_name);
}

/* Reads what the child has to say, to its end. */
static size_t finish_child(const struct seeds *seeds, const struct child *child)
{
    AUTO_BUF struct buf said = BUF_MAX(256 * MIB);
    uint64_t seed = seeds->first;
    size_t failures = 0;
    char chunk[4096];
    ssize_t got;
    int status;

    while ((got = read(child->fd, chunk, sizeof(chunk))) > 0)
        buf_add(&said, chunk, (size_t)got);
    close(child->fd);
    if (waitpid(child->pid, &status, 0) != child->pid)
        abort();
    struct str rest = buf_str(&said), line;
    while (str_cut(&rest, '\n', &line)) {
        int64_t number;

        if (str_starts(line, "+") && str_to_int(str_from(line, 1), &number))
            seed = (uint64_t)number;
        else if (str_starts(line, "!"))
            complain(seeds, seed, str_from(line, 1), &failures);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        AUTO_FREE char *end = WIFSIGNALED(status)
                                  ? xasprintf("the process was ended by signal %d%s", WTERMSIG(status),
                                              WTERMSIG(status) == SIGALRM ? ": too long" : "")
                                  : xasprintf("the process ended with status %d", WEXITSTATUS(status));

        complain(seeds, seed, str_of(end), &failures);
    }
    return failures;
}

static bool run_one(const struct seeds *seeds, uint64_t seed)
{
    AUTO_FREE char *fault = seeds->check(seed, seeds->arg);

    if (fault)
        fprintf(stderr, "%s: seed %llu: %s\n", seeds->name, (unsigned long long)seed, fault);
    return !fault;
}

static struct plan make_plan(struct seeds *seeds)
{
    size_t wanted = (size_t)number_from("SR_SEEDS", (int64_t)seeds->count),
           jobs = (size_t)number_from("SR_JOBS", JOBS_DEFAULT);
    struct plan plan = {.jobs = jobs >= 1 && jobs <= JOBS_MAX ? jobs : JOBS_DEFAULT, .stride = 1};

    if (seeds->kind == SEEDS_MANY)
        seeds->count = wanted;
    else if (wanted && wanted < seeds->count)
        plan.stride = (seeds->count + wanted - 1) / wanted;
    return plan;
}

static size_t run_all(const struct seeds *seeds, const struct plan *plan)
{
    struct child children[JOBS_MAX];
    size_t failures = 0;

    for (size_t i = 0; i < plan->jobs; i++)
        children[i] = start_child(seeds, plan, i);
    for (size_t i = 0; i < plan->jobs; i++)
        failures += finish_child(seeds, &children[i]);
    return failures;
}

bool seeds_run(const struct seeds *wanted)
{
    struct seeds seeds = *wanted;
    struct plan plan = make_plan(&seeds);
    size_t ran = (seeds.count + plan.stride - 1) / plan.stride, failures;
    struct sched *clock;
    int64_t took_ms;

    if (getenv("SR_TEST") && !text_equal(getenv("SR_TEST"), seeds.name))
        return true;
    if (getenv("SR_SEED"))
        return run_one(&seeds, (uint64_t)number_from("SR_SEED", 1));
    clock = sched_threads_new(1);
    took_ms = -sched_now_ms(clock);
    failures = run_all(&seeds, &plan);
    took_ms += sched_now_ms(clock);
    sched_free(clock);
    printf("%s: %zu seeds, %zu failed, %lld ms, %.0f seeds/s\n", seeds.name, ran, failures,
           (long long)took_ms, took_ms ? (double)ran * 1000 / (double)took_ms : 0.0);
    fflush(stdout);
    return failures == 0;
}
