#include <pthread.h>
#include <stdatomic.h>

#include "pkg/base/alloc.h"
#include "pkg/base/lock.h"
#include "pkg/base/sched.h"

struct stop_subscription {
    struct stop *stop;
    void (*fn)(void *arg);
    void *arg;
    struct stop_subscription *next; /* lock */
};

struct stop {
    atomic_bool requested;
    /* Held while subscribers are called, so that stop_unsubscribe() returning means "not running any more".
     * They are short and never come back into this module. */
    pthread_mutex_t lock;
    struct stop_subscription *subscriptions; /* lock */
};

struct stop *stop_new(void)
{
    struct stop *stop = xcalloc(1, sizeof(*stop));

    pthread_mutex_init(&stop->lock, NULL);
    return stop;
}

void stop_free(struct stop *stop)
{
    if (!stop)
        return;
    pthread_mutex_destroy(&stop->lock);
    xfree(stop);
}

void stop_request(struct stop *stop)
{
    LOCK_SCOPE(&stop->lock);
    if (atomic_exchange(&stop->requested, true))
        return;
    for (struct stop_subscription *s = stop->subscriptions; s; s = s->next)
        s->fn(s->arg);
}

bool stop_requested(const struct stop *stop)
{
    return stop && atomic_load(&stop->requested);
}

struct stop_subscription *stop_subscribe(struct stop *stop, void (*fn)(void *arg), void *arg)
{
    struct stop_subscription *subscription;

    if (!stop)
        return NULL;
    subscription = xcalloc(1, sizeof(*subscription));
    *subscription = (struct stop_subscription){.stop = stop, .fn = fn, .arg = arg};
    LOCK_SCOPE(&stop->lock);
    subscription->next = stop->subscriptions;
    stop->subscriptions = subscription;
    if (atomic_load(&stop->requested))
        fn(arg);
    return subscription;
}

void stop_unsubscribe(struct stop_subscription *subscription)
{
    if (!subscription)
        return;
    {
        LOCK_SCOPE(&subscription->stop->lock);
        struct stop_subscription **at = &subscription->stop->subscriptions;

        while (*at != subscription)
            at = &(*at)->next;
        *at = subscription->next;
    }
    xfree(subscription);
}
