/* Threads that pass one baton. Exactly one task runs at any time; the others wait, each on a condition of its
 * own, for the baton. When the holder parks, yields or ends, the seed picks the next among those that can
 * run; when none can, time jumps to the earliest deadline. All state below is guarded by `lock`; the baton
 * makes everything else single-threaded, so that a seed fixes the interleaving and sanitizers still see real
 * threads. */
#include <pthread.h>

#include "pkg/base/alloc.h"
#include "pkg/base/lock.h"
#include "pkg/base/sched_priv.h"

enum task_state { TASK_READY, TASK_RUNNING, TASK_PARKED, TASK_ENDED };

struct seeded_spot {
    struct spot base;
    bool woken;
    struct seeded_task *waiter;
};

struct seeded_task {
    struct task base;
    struct seeded *owner;
    char *name;
    void (*fn)(void *arg);
    void *arg;
    pthread_t thread;
    pthread_cond_t turn;
    enum task_state state;
    int64_t deadline_ms;        /* while parked */
    struct seeded_spot *spot;   /* while parked */
    struct seeded_task *joiner; /* waits for our end */
    bool timed_out;
    struct seeded_task *next;
};

struct seeded {
    struct sched base;
    pthread_mutex_t lock;
    uint64_t random;
    int64_t now_ms, wall_origin_ms;
    struct seeded_task *tasks; /* in order of birth: the choice must not depend on addresses */
    struct seeded_task *current;
};

static __thread struct seeded_task *my_task; /* which task this thread is: set once, before it first runs */

static struct seeded *seeded_of(struct sched *sched)
{
    return (struct seeded *)sched;
}

static uint64_t draw(struct seeded *s)
{
    uint64_t z = (s->random += 0x9E3779B97F4A7C15u);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void die_of_deadlock(struct seeded *s)
{
    fprintf(stderr, "seeded scheduler: nobody can ever run again at %lld ms:\n", (long long)s->now_ms);
    for (struct seeded_task *t = s->tasks; t; t = t->next)
        fprintf(stderr, "  %s: %s\n", t->name, t->state == TASK_ENDED ? "ended" : "parked for ever");
    abort();
}

/* Makes every parked task ready whose deadline has come. */
static void expire(struct seeded *s)
{
    for (struct seeded_task *t = s->tasks; t; t = t->next) {
        if (t->state != TASK_PARKED || t->deadline_ms > s->now_ms)
            continue;
        t->state = TASK_READY;
        t->timed_out = true;
        if (t->spot)
            t->spot->waiter = NULL;
    }
}

static size_t count_ready(struct seeded *s)
{
    size_t ready = 0;

    for (struct seeded_task *t = s->tasks; t; t = t->next)
        ready += t->state == TASK_READY;
    return ready;
}

static void jump(struct seeded *s)
{
    int64_t earliest = NEVER_MS;

    for (struct seeded_task *t = s->tasks; t; t = t->next) {
        if (t->state == TASK_PARKED && t->deadline_ms < earliest)
            earliest = t->deadline_ms;
    }
    if (earliest == NEVER_MS)
        die_of_deadlock(s);
    if (earliest > s->now_ms)
        s->now_ms = earliest;
    expire(s);
}

/* Hands the baton to one ready task. The caller holds the lock and is not running any more. */
static void dispatch(struct seeded *s)
{
    size_t ready = count_ready(s), pick;

    if (!ready) {
        jump(s);
        ready = count_ready(s);
    }
    pick = ready > 1 ? draw(s) % ready : 0;
    for (struct seeded_task *t = s->tasks; t; t = t->next) {
        if (t->state == TASK_READY && pick-- == 0) {
            t->state = TASK_RUNNING;
            s->current = t;
            pthread_cond_signal(&t->turn);
            return;
        }
    }
}

static void await_turn(struct seeded *s, struct seeded_task *task)
{
    while (task->state != TASK_RUNNING)
        pthread_cond_wait(&task->turn, &s->lock);
}

static struct spot *spot_new(struct sched *self)
{
    struct seeded_spot *spot = xcalloc(1, sizeof(*spot));

    spot->base.sched = self;
    return &spot->base;
}

static void spot_free(struct spot *spot)
{
    xfree(spot);
}

static enum park_result park(struct spot *base, int64_t deadline_ms)
{
    struct seeded_spot *spot = (struct seeded_spot *)base;
    struct seeded *s = seeded_of(base->sched);
    struct seeded_task *task = my_task;

    LOCK_SCOPE(&s->lock);
    task->timed_out = false;
    if (spot->woken) {
        /* Still a point where somebody else may run first. */
        task->state = TASK_READY;
    } else if (deadline_ms <= s->now_ms) {
        task->state = TASK_READY;
        task->timed_out = true;
    } else {
        task->state = TASK_PARKED;
        task->deadline_ms = deadline_ms;
        task->spot = spot;
        spot->waiter = task;
    }
    dispatch(s);
    await_turn(s, task);
    task->spot = NULL;
    if (spot->woken) {
        spot->woken = false;
        return PARK_WOKEN;
    }
    return PARK_TIMEOUT;
}

static void wake(struct spot *base)
{
    struct seeded_spot *spot = (struct seeded_spot *)base;
    struct seeded *s = seeded_of(base->sched);

    LOCK_SCOPE(&s->lock);
    spot->woken = true;
    if (spot->waiter) {
        spot->waiter->state = TASK_READY;
        spot->waiter = NULL;
    }
}

static void *run_task(void *arg)
{
    struct seeded_task *task = arg;
    struct seeded *s = task->owner;

    my_task = task;
    pthread_mutex_lock(&s->lock);
    await_turn(s, task);
    pthread_mutex_unlock(&s->lock);
    task->fn(task->arg);
    LOCK_SCOPE(&s->lock);
    task->state = TASK_ENDED;
    if (task->joiner)
        task->joiner->state = TASK_READY;
    dispatch(s);
    return NULL;
}

static struct seeded_task *add_task(struct seeded *s, const char *name)
{
    struct seeded_task *task = xcalloc(1, sizeof(*task)), **at = &s->tasks;

    task->base.sched = &s->base;
    task->owner = s;
    task->name = xstrdup(name);
    pthread_cond_init(&task->turn, NULL);
    while (*at)
        at = &(*at)->next;
    *at = task;
    return task;
}

static struct task *spawn(struct sched *self, const char *name, void (*fn)(void *arg), void *arg)
{
    struct seeded *s = seeded_of(self);
    struct seeded_task *task;

    LOCK_SCOPE(&s->lock);
    task = add_task(s, name);
    task->fn = fn;
    task->arg = arg;
    if (pthread_create(&task->thread, NULL, run_task, task) != 0)
        abort();
    return &task->base;
}

static void remove_task(struct seeded *s, struct seeded_task *task)
{
    struct seeded_task **at = &s->tasks;

    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    pthread_cond_destroy(&task->turn);
    xfree(task->name);
    xfree(task);
}

static void join(struct task *base)
{
    struct seeded_task *task = (struct seeded_task *)base, *me = my_task;
    struct seeded *s = task->owner;
    pthread_t thread = task->thread;

    pthread_mutex_lock(&s->lock);
    if (task->state != TASK_ENDED) {
        me->state = TASK_PARKED;
        me->deadline_ms = NEVER_MS;
        me->spot = NULL;
        task->joiner = me;
        dispatch(s);
        await_turn(s, me);
    }
    pthread_mutex_unlock(&s->lock);
    pthread_join(thread, NULL);
    LOCK_SCOPE(&s->lock);
    remove_task(s, task);
}

static void yield_now(struct sched *self)
{
    struct seeded *s = seeded_of(self);
    struct seeded_task *me = my_task;

    LOCK_SCOPE(&s->lock);
    me->state = TASK_READY;
    dispatch(s);
    await_turn(s, me);
}

static int64_t now_ms(struct sched *self)
{
    struct seeded *s = seeded_of(self);

    LOCK_SCOPE(&s->lock);
    return s->now_ms;
}

static int64_t wall_ms(struct sched *self)
{
    struct seeded *s = seeded_of(self);

    LOCK_SCOPE(&s->lock);
    return s->wall_origin_ms + s->now_ms;
}

static int64_t elapsed_ms(struct sched *self, int64_t since_wall_ms)
{
    return wall_ms(self) - since_wall_ms;
}

static int64_t real_ms(struct sched *self, int64_t wait_ms)
{
    (void)self;
    return wait_ms > 0 ? wait_ms : 0;
}

static void free_seeded(struct sched *self)
{
    struct seeded *s = seeded_of(self);

    remove_task(s, my_task);
    my_task = NULL;
    pthread_mutex_destroy(&s->lock);
    xfree(s);
}

struct sched *sched_seeded_new(uint64_t seed, int64_t wall_ms_at_start)
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
        .free = free_seeded,
    };
    struct seeded *s = xcalloc(1, sizeof(*s));

    s->base.ops = &ops;
    s->random = seed;
    s->wall_origin_ms = wall_ms_at_start;
    pthread_mutex_init(&s->lock, NULL);
    my_task = add_task(s, "main");
    my_task->state = TASK_RUNNING;
    s->current = my_task;
    return &s->base;
}

uint64_t sched_seeded_random(struct sched *sched)
{
    struct seeded *s = seeded_of(sched);

    LOCK_SCOPE(&s->lock);
    return draw(s);
}
