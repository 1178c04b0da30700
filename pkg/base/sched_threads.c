#include <pthread.h>

#include "pkg/base/alloc.h"
#include "pkg/base/lock.h"
#include "pkg/base/sched_priv.h"

#define LOOK_MS SECONDS(10)

struct threads {
    struct sched base;
    int64_t scale;
    read_clock_fn *read_clock;
    int64_t origin_ms; /* real time at birth: scaled time starts at 1 and never overflows early */
};

struct thread_spot {
    struct spot base;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool woken; /* lock */
};

struct thread_task {
    struct task base;
    pthread_t thread;
    void (*fn)(void *arg);
    void *arg;
};

static int64_t read_clock_ms(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct threads *threads_of(struct sched *sched)
{
    return (struct threads *)sched;
}

/* Of the clocks that nobody sets, the one that goes on while the machine is suspended: who wakes up must know
 * that his lease has run out, and that what he remembers is old. */
static int64_t now_ms(struct sched *self)
{
    struct threads *t = threads_of(self);

    return (t->read_clock(CLOCK_BOOTTIME) - t->origin_ms) * t->scale + 1;
}

static int64_t wall_ms(struct sched *self)
{
    (void)self;
    return read_clock_ms(CLOCK_REALTIME);
}

static int64_t elapsed_ms(struct sched *self, int64_t since_wall_ms)
{
    int64_t real = wall_ms(self) - since_wall_ms, scaled;

    return __builtin_mul_overflow(real, threads_of(self)->scale, &scaled) ? INT64_MAX : scaled;
}

static int64_t real_ms(struct sched *self, int64_t wait_ms)
{
    int64_t scale = threads_of(self)->scale;

    return wait_ms > 0 ? wait_ms / scale + (wait_ms % scale > 0) : 0;
}

static struct spot *spot_new(struct sched *self)
{
    struct thread_spot *spot = xcalloc(1, sizeof(*spot));
    pthread_condattr_t attr;

    spot->base.sched = self;
    pthread_mutex_init(&spot->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&spot->cond, &attr);
    pthread_condattr_destroy(&attr);
    return &spot->base;
}

static void spot_free(struct spot *base)
{
    struct thread_spot *spot = (struct thread_spot *)base;

    /* A waker may still be inside wake(), just after it made us run. */
    pthread_mutex_lock(&spot->lock);
    pthread_mutex_unlock(&spot->lock);
    pthread_cond_destroy(&spot->cond);
    pthread_mutex_destroy(&spot->lock);
    xfree(spot);
}

/* Condition variables know only a clock that stands still while the machine is suspended: a deadline that
 * passes meanwhile is seen soon after. */
static struct timespec next_look(struct threads *t, int64_t left_ms)
{
    int64_t wait_ms = real_ms(&t->base, left_ms), at_ms;

    at_ms = t->read_clock(CLOCK_MONOTONIC) + (wait_ms < LOOK_MS ? wait_ms : LOOK_MS);
    return (struct timespec){.tv_sec = at_ms / 1000, .tv_nsec = (long)(at_ms % 1000) * 1000000};
}

static enum park_result park(struct spot *base, int64_t deadline_ms)
{
    struct thread_spot *spot = (struct thread_spot *)base;
    struct threads *t = threads_of(base->sched);

    LOCK_SCOPE(&spot->lock);
    while (!spot->woken && deadline_ms == NEVER_MS)
        pthread_cond_wait(&spot->cond, &spot->lock);
    while (!spot->woken) {
        int64_t now = now_ms(base->sched);
        struct timespec until;

        if (deadline_ms <= now)
            return PARK_TIMEOUT;
        until = next_look(t, deadline_ms - now);
        (void)pthread_cond_timedwait(&spot->cond, &spot->lock, &until);
    }
    spot->woken = false;
    return PARK_WOKEN;
}

static void wake(struct spot *base)
{
    struct thread_spot *spot = (struct thread_spot *)base;

    LOCK_SCOPE(&spot->lock);
    spot->woken = true;
    pthread_cond_signal(&spot->cond);
}

static void *run_task(void *arg)
{
    struct thread_task *task = arg;

    task->fn(task->arg);
    return NULL;
}

static struct task *spawn(struct sched *self, const char *name, void (*fn)(void *arg), void *arg)
{
    struct thread_task *task = xcalloc(1, sizeof(*task));

    *task = (struct thread_task){.base.sched = self, .fn = fn, .arg = arg};
    if (pthread_create(&task->thread, NULL, run_task, task) != 0)
        abort(); /* no thread to be had is no memory to be had */
    {
        AUTO_FREE char *short_name = xstrndup(name, strnlen(name, 15)); /* the kernel's limit */

        pthread_setname_np(task->thread, short_name);
    }
    return &task->base;
}

static void join(struct task *base)
{
    struct thread_task *task = (struct thread_task *)base;

    pthread_join(task->thread, NULL);
    xfree(task);
}

static void yield_now(struct sched *self)
{
    (void)self;
}

static void free_threads(struct sched *self)
{
    xfree(self);
}

struct sched *sched_threads_new(int64_t scale)
{
    return sched_threads_new_by(scale, read_clock_ms);
}

struct sched *sched_threads_new_by(int64_t scale, read_clock_fn *read_clock)
{
    static const struct sched_ops ops = {
        .spot_new = spot_new,
        .spot_free = spot_free,
        .park = park,
        .wake = wake,
        .spawn = spawn,
        .join = join,
        .yield_now = yield_now,
        .now_ms = now_ms,
        .wall_ms = wall_ms,
        .elapsed_ms = elapsed_ms,
        .real_ms = real_ms,
        .free = free_threads,
    };
    struct threads *threads = xcalloc(1, sizeof(*threads));

    threads->base.ops = &ops;
    threads->scale = scale > 1 ? scale : 1;
    threads->read_clock = read_clock;
    threads->origin_ms = read_clock(CLOCK_BOOTTIME);
    return &threads->base;
}
