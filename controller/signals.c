#include "controller/signals.h"

#include "pkg/base/alloc.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define END_SIGNAL SIGUSR1 /* ours: tells the thread to end */

struct signals {
    struct stop *stop;
    int64_t grace_ms;
    sigset_t set;
    struct task *task;
    atomic_bool came;
};

static void say(const char *text)
{
    ssize_t put = write(STDERR_FILENO, text, strlen(text));

    (void)put; /* nobody may be listening any more */
}

/* After the first signal: an orderly stop has its time, a second signal ends it. */
static void wait_for_end(const struct signals *signals)
{
    const struct timespec grace = {.tv_sec = signals->grace_ms / 1000,
                                   .tv_nsec = signals->grace_ms % 1000 * 1000000};
    int got;

    do
        got = sigtimedwait(&signals->set, NULL, &grace);
    while (got < 0 && errno == EINTR);
    if (got == END_SIGNAL)
        return;
    say(got < 0 ? "stagingrefresh: could not stop in time, ends now\n" : "stagingrefresh: ends now\n");
    _exit(SIGNALS_EXIT_STATUS);
}

static void run(void *arg)
{
    struct signals *signals = arg;
    int number;

    while (sigwait(&signals->set, &number) != 0)
        ;
    if (number == END_SIGNAL)
        return;
    atomic_store(&signals->came, true);
    stop_request(signals->stop);
    wait_for_end(signals);
}

struct signals *signals_start(struct sched *sched, struct stop *stop, int64_t grace_ms)
{
    struct signals *signals = xcalloc(1, sizeof(*signals));

    signals->stop = stop;
    signals->grace_ms = grace_ms;
    sigemptyset(&signals->set);
    sigaddset(&signals->set, SIGINT);
    sigaddset(&signals->set, SIGTERM);
    sigaddset(&signals->set, SIGHUP);
    sigaddset(&signals->set, END_SIGNAL);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
    signals->task = sched_spawn(sched, "signals", run, signals);
    return signals;
}

void signals_end(struct signals *signals)
{
    if (!signals)
        return;
    kill(getpid(), END_SIGNAL); /* blocked everywhere, so only sigwait() takes it */
    sched_join(signals->task);
    xfree(signals);
}

bool signals_came(const struct signals *signals)
{
    return atomic_load(&signals->came);
}
