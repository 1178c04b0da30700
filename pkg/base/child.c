#include "pkg/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkg/base/lock.h"

/* Two tasks do the blocking system calls, so that the caller can park with a deadline: one reads the pipe,
 * one waits for the child. When the child has ended, the latter writes a NUL into the pipe: the reader then
 * ends, even if some grandchild still holds the pipe open. (JSON holds no NUL.) */
struct run {
    pthread_mutex_t lock;
    pid_t pid;
    bool has_group; /* its own */
    int read_fd, write_fd;
    struct spot *spot;      /* the caller's */
    struct buf *out;        /* the reader's until it is joined */
    atomic_bool has_exited; /* set before the NUL is written */
    bool is_reaped;         /* lock; pid may belong to somebody else from now on */
    int wait_status;        /* after the waiter was joined */
    atomic_bool is_read;
};

static void read_all(void *arg)
{
    struct run *run = arg;
    char bytes[4096];
    ssize_t got;

    while ((got = read(run->read_fd, bytes, sizeof(bytes))) != 0) {
        const char *end = NULL;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        if (atomic_load(&run->has_exited))
            end = memchr(bytes, '\0', (size_t)got);
        buf_add(run->out, bytes, end ? (size_t)(end - bytes) : (size_t)got);
        if (end)
            break;
    }
    explicit_bzero(bytes, sizeof(bytes));
    atomic_store(&run->is_read, true);
    sched_wake(run->spot);
}

static void await_exit(void *arg)
{
    struct run *run = arg;
    siginfo_t info;

    while (waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    {
        LOCK_SCOPE(&run->lock);
        while (waitpid(run->pid, &run->wait_status, 0) < 0 && errno == EINTR)
            ;
        run->is_reaped = true;
    }
    atomic_store(&run->has_exited, true);
    while (write(run->write_fd, "", 1) < 0 && errno == EINTR)
        ;
}

static void kill_group(struct run *run)
{
    LOCK_SCOPE(&run->lock);
    if (!run->is_reaped)
        kill(run->has_group ? -run->pid : run->pid, SIGKILL);
}

static struct err *spawn(const struct child *child, struct run *run)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    int failure;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    posix_spawn_file_actions_init(&actions);
    if (!child->is_interactive)
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, run->write_fd, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                  (run->has_group ? POSIX_SPAWN_SETPGROUP : 0)));
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    failure = posix_spawnp(&run->pid, child->command, &actions, &attributes, child->argv, child->environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failure)
        return err_errno(failure == ENOENT ? ERR_NOT_FOUND : ERR_RETRY, failure, "run %s", child->command);
    return NULL;
}

static void wake_spot(void *spot)
{
    sched_wake(spot);
}

/* Real time, whatever the time scale: the program knows of no scale. */
static int64_t deadline_of(struct sched *sched, int64_t timeout_ms)
{
    int64_t real = sched_real_ms(sched, SECONDS(1000)), scale = real > 0 ? SECONDS(1000) / real : 1;

    return sched_now_ms(sched) + timeout_ms * (scale > 1 ? scale : 1);
}

/* False: the stop or the time came first, and the child was killed. */
static bool supervise(const struct env *env, const struct child *child, struct run *run)
{
    struct task *reader = sched_spawn(env->sched, "child-read", read_all, run);
    struct task *waiter = sched_spawn(env->sched, "child-wait", await_exit, run);
    struct stop_subscription *subscription = stop_subscribe(env->stop, wake_spot, run->spot);
    int64_t deadline = deadline_of(env->sched, child->timeout_ms);
    bool in_time;

    while (!atomic_load(&run->is_read) && !stop_requested(env->stop) && sched_now_ms(env->sched) < deadline)
        (void)sched_park(run->spot, deadline);
    in_time = atomic_load(&run->is_read);
    if (!in_time)
        kill_group(run);
    sched_join(waiter);
    sched_join(reader);
    stop_unsubscribe(subscription);
    return in_time;
}

static struct err *judge(const struct env *env, const struct child *child, const struct run *run,
                         bool in_time)
{
    if (!in_time && stop_requested(env->stop))
        return err_new(ERR_CANCELED, "%s: stopped", child->command);
    if (!in_time)
        return err_new(ERR_RETRY, "%s: no answer within %lld s", child->command,
                       (long long)child->timeout_ms / 1000);
    if (WIFSIGNALED(run->wait_status))
        return err_new(ERR_RETRY, "%s: killed by signal %d", child->command, WTERMSIG(run->wait_status));
    if (WEXITSTATUS(run->wait_status) != 0)
        return err_new(ERR_RETRY, "%s: exit status %d", child->command, WEXITSTATUS(run->wait_status));
    if (run->out->overflow)
        return err_new(ERR_INVALID, "%s: wrote more than %zu bytes", child->command, run->out->max);
    return NULL;
}

struct err *child_output(const struct env *env, const struct child *child, struct buf *out)
{
    struct run run = {.lock = PTHREAD_MUTEX_INITIALIZER, .out = out, .has_group = !child->is_interactive};
    int fds[2];
    struct err *err;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_errno(ERR_RETRY, errno, "pipe");
    run.read_fd = fds[0];
    run.write_fd = fds[1];
    run.spot = sched_spot_new(env->sched);
    err = spawn(child, &run);
    if (!err)
        err = judge(env, child, &run, supervise(env, child, &run));
    sched_spot_free(run.spot);
    close(run.read_fd);
    close(run.write_fd);
    return err;
}
