#include "controller/signals.h"

#include "pkg/base/alloc.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define END_SIGNAL SIGUSR1 /* ours: tells the thread to end */

#define SAME_WISH_MS 1000

struct signals {
    struct sched *sched;
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

/* The next signal, or -1 at the deadline. */
static int next_signal(const struct signals *signals, int64_t deadline_ms)
{
    for (;;) {
        int64_t left_ms = deadline_ms - sched_now_ms(signals->sched);
        const struct timespec left = {.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000};
        int got = left_ms > 0 ? sigtimedwait(&signals->set, NULL, &left) : -1;

        if (got >= 0 || left_ms <= 0 || errno == EAGAIN)
            return got;
    }
}

/* After the first signal: an orderly stop has its time, a second signal ends it. Wrappers such as timeout(1)
 * send one wish to the process and to its group: what comes at once is the same wish. */
static void wait_for_end(const struct signals *signals)
{
    int64_t first_ms = sched_now_ms(signals->sched);
    int got;

    do
        got = next_signal(signals, first_ms + signals->grace_ms);
    while (got >= 0 && got != END_SIGNAL && sched_now_ms(signals->sched) - first_ms < SAME_WISH_MS);
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

    signals->sched = sched;
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
