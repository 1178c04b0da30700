#include "pkg/base/sched.h"

#include "pkg/base/sched_priv.h"

struct spot *sched_spot_new(struct sched *sched)
{
    return sched->ops->spot_new(sched);
}

void sched_spot_free(struct spot *spot)
{
    if (spot)
        spot->sched->ops->spot_free(spot);
}

enum park_result sched_park(struct spot *spot, int64_t deadline_ms)
{
    return spot->sched->ops->park(spot, deadline_ms);
}

void sched_wake(struct spot *spot)
{
    spot->sched->ops->wake(spot);
}

struct task *sched_spawn(struct sched *sched, const char *name, void (*fn)(void *arg), void *arg)
{
    return sched->ops->spawn(sched, name, fn, arg);
}

void sched_join(struct task *task)
{
    if (task)
        task->sched->ops->join(task);
}

void sched_yield_now(struct sched *sched)
{
    sched->ops->yield_now(sched);
}

int64_t sched_now_ms(struct sched *sched)
{
    return sched->ops->now_ms(sched);
}

int64_t sched_wall_ms(struct sched *sched)
{
    return sched->ops->wall_ms(sched);
}

int64_t sched_elapsed_ms(struct sched *sched, int64_t since_wall_ms)
{
    int64_t elapsed = sched->ops->elapsed_ms(sched, since_wall_ms);

    return elapsed > 0 ? elapsed : 0;
}

int64_t sched_real_ms(struct sched *sched, int64_t wait_ms)
{
    return sched->ops->real_ms(sched, wait_ms);
}

void sched_free(struct sched *sched)
{
    if (sched)
        sched->ops->free(sched);
}

static void wake_spot(void *arg)
{
    sched_wake(arg);
}

bool sched_wait_until(struct sched *sched, struct stop *stop, int64_t deadline_ms)
{
    struct spot *spot = sched_spot_new(sched);
    struct stop_subscription *subscription = stop_subscribe(stop, wake_spot, spot);

    while (!stop_requested(stop) && sched_park(spot, deadline_ms) == PARK_WOKEN)
        ;
    stop_unsubscribe(subscription);
    sched_spot_free(spot);
    return !stop_requested(stop);
}
