#include "pkg/aws/session.h"
#include "pkg/base/lock.h"
#include "pkg/base/times.h"

#define ADVISORY_MS MINUTES(15)
#define MANDATORY_MS MINUTES(10)
/* After a failure that was tolerated, others are left in peace for a while. */
#define QUIET_MS SECONDS(30)

/* Whoever is denied something for good is not to begin a session at every call. */
#define YOUNG_MS MINUTES(1)
#define DOUBT_MS MINUTES(5)

/* A thread that waits for somebody else's fetch; on that thread's stack. */
struct waiter {
    struct spot *spot;
    struct waiter *next;
    bool is_done;
    bool must_look_again; /* the fetch was called off by its own thread's stop, which is not ours */
    struct credentials *result;
    struct err *err;
};

struct credentials_cache {
    struct credentials_source *source; /* immutable */
    pthread_mutex_t lock;
    struct credentials *current; /* lock */
    int64_t fetched_ms;          /* lock; wall clock */
    int64_t quiet_until_ms;      /* lock; monotonic, as the next two */
    int64_t began_ms;            /* lock; when `current` came */
    int64_t no_doubt_until_ms;   /* lock */
    bool in_flight;              /* lock */
    struct waiter *waiters;      /* lock */
};

struct credentials_cache *credentials_cache_new(struct credentials_source *source)
{
    struct credentials_cache *cache = xcalloc(1, sizeof(*cache));

    pthread_mutex_init(&cache->lock, NULL);
    cache->source = source;
    return cache;
}

void credentials_cache_free(struct credentials_cache *cache)
{
    if (!cache)
        return;
    credentials_unref(cache->current);
    credentials_source_free(cache->source);
    pthread_mutex_destroy(&cache->lock);
    xfree(cache);
}

enum freshness { STALE, USABLE, FRESH };

static enum freshness freshness_of(const struct credentials_cache *cache, int64_t wall_ms)
{
    int64_t left_ms, lifetime_ms;

    if (!cache->current)
        return STALE;
    if (cache->current->expires_ms == NEVER_MS)
        return FRESH;
    left_ms = cache->current->expires_ms - wall_ms;
    lifetime_ms = cache->current->expires_ms - cache->fetched_ms;
    /* Sessions shorter than the windows would be fetched anew at every call. */
    if (left_ms <= 0 || left_ms <= (MANDATORY_MS < lifetime_ms / 6 ? MANDATORY_MS : lifetime_ms / 6))
        return STALE;
    return left_ms <= (ADVISORY_MS < lifetime_ms / 4 ? ADVISORY_MS : lifetime_ms / 4) ? USABLE : FRESH;
}

static struct err *copy_err(const struct err *err)
{
    return err_set_remote(err_new(err_kind(err), "%s", err_text(err)), err_remote(err));
}

static void finish_flight(struct credentials_cache *cache, const struct env *env, struct credentials *fetched,
                          const struct err *err)
{
    LOCK_SCOPE(&cache->lock);

    cache->in_flight = false;
    if (fetched) {
        credentials_unref(cache->current);
        cache->current = credentials_ref(fetched);
        cache->fetched_ms = sched_wall_ms(env->sched);
        cache->began_ms = sched_now_ms(env->sched);
    } else {
        cache->quiet_until_ms = sched_now_ms(env->sched) + QUIET_MS;
    }
    /* Woken under the lock: a waiter looks under it too, so that its spot lives until then. */
    while (cache->waiters) {
        struct waiter *waiter = cache->waiters;

        cache->waiters = waiter->next;
        waiter->is_done = true;
        if (fetched)
            waiter->result = credentials_ref(fetched);
        else if (err_kind(err) == ERR_CANCELED)
            waiter->must_look_again = true;
        else
            waiter->err = copy_err(err);
        sched_wake(waiter->spot);
    }
}

static struct err *check_end(const struct credentials *fetched, int64_t now_ms)
{
    char end[TIME_TEXT_MAX], now[TIME_TEXT_MAX];

    if (fetched->expires_ms > now_ms)
        return NULL;
    time_rfc3339(fetched->expires_ms, end);
    time_rfc3339(now_ms, now);
    return err_new(ERR_DENIED,
                   "the AWS credentials that were fetched expired at %s already, while our clock says %s",
                   end, now);
}

/* A source's kinds are about its own file, program or STS call, and whoever asks takes kinds to be about what
 * is called with these credentials: it would seem to be gone, there already, or ill-named. */
static struct err *as_denied(struct err *err)
{
    bool is_refusal;

    if (!err)
        return NULL;
    is_refusal = err_kind(err) == ERR_INVALID && err_remote(err)->http_status;
    if (is_refusal || err_kind(err) == ERR_NOT_FOUND || err_kind(err) == ERR_CONFLICT)
        return err_set_kind(err, ERR_DENIED);
    return err;
}

static struct err *fetch_checked(struct credentials_cache *cache, const struct env *env,
                                 struct credentials **ret)
{
    AUTO_CREDENTIALS struct credentials *fetched = NULL;

    TRY(as_denied(cache->source->ops->fetch(cache->source, env, &fetched)));
    if (!fetched)
        return err_new(ERR_DENIED,
                       "no AWS credentials were found in the environment, a web identity, the shared files, "
                       "a container endpoint or the role of an EC2 instance");
    TRY(check_end(fetched, sched_wall_ms(env->sched)));
    *ret = TAKE(fetched);
    return NULL;
}

/* We are the one who fetches. What is held already is good enough when the fetch fails inside the advisory
 * window. */
static struct err *fly(struct credentials_cache *cache, const struct env *env, struct credentials *held,
                       struct credentials **ret)
{
    struct credentials *fetched = NULL;
    struct err *err = fetch_checked(cache, env, &fetched);

    finish_flight(cache, env, fetched, err);
    if (err && held) {
        err_ignore(err, "the credentials in hand are still good; the next caller tries again");
        *ret = credentials_ref(held);
        return NULL;
    }
    *ret = fetched;
    return err;
}

static void wake_spot(void *spot)
{
    sched_wake(spot);
}

static void leave(struct credentials_cache *cache, struct waiter *waiter)
{
    LOCK_SCOPE(&cache->lock);

    for (struct waiter **at = &cache->waiters; *at; at = &(*at)->next) {
        if (*at == waiter) {
            *at = waiter->next;
            return;
        }
    }
}

static bool look(struct credentials_cache *cache, const struct waiter *waiter)
{
    LOCK_SCOPE(&cache->lock);

    return waiter->is_done;
}

/* `waiter` is in the list already. *ret stays NULL when the caller must look again. */
static struct err *wait_for_flight(struct credentials_cache *cache, const struct env *env,
                                   struct waiter *waiter, struct credentials **ret)
{
    struct stop_subscription *subscription = stop_subscribe(env->stop, wake_spot, waiter->spot);
    int64_t began_ms = sched_now_ms(env->sched), deadline_ms = began_ms + aws_wait_left_ms(env);
    bool is_late = false;

    while (!look(cache, waiter) && !stop_requested(env->stop) && !is_late)
        is_late = sched_park(waiter->spot, deadline_ms) == PARK_TIMEOUT;
    stop_unsubscribe(subscription);
    leave(cache, waiter);
    sched_spot_free(waiter->spot);
    if (env->waited_ms)
        *env->waited_ms += sched_now_ms(env->sched) - began_ms;
    if (waiter->is_done) {
        *ret = waiter->result;
        return waiter->err;
    }
    if (stop_requested(env->stop))
        return err_new(ERR_CANCELED, "stopped while waiting for AWS credentials");
    return err_new(ERR_RETRY, "the AWS credentials are still being fetched");
}

enum role { TAKES_HELD, FLIES, WAITS };

/* Decides under the lock what this caller does; *ret_held is a reference to what is good still, or NULL. */
static enum role join(struct credentials_cache *cache, const struct env *env, struct waiter *waiter,
                      struct credentials **ret_held)
{
    LOCK_SCOPE(&cache->lock);
    enum freshness freshness = freshness_of(cache, sched_wall_ms(env->sched));

    *ret_held = freshness == STALE ? NULL : credentials_ref(cache->current);
    if (freshness == FRESH)
        return TAKES_HELD;
    if (freshness == USABLE && (cache->in_flight || sched_now_ms(env->sched) < cache->quiet_until_ms))
        return TAKES_HELD;
    if (!cache->in_flight) {
        cache->in_flight = true;
        return FLIES;
    }
    waiter->next = cache->waiters;
    cache->waiters = waiter;
    return WAITS;
}

struct err *credentials_get(struct credentials_cache *cache, const struct env *env, struct credentials **ret)
{
    while (!stop_requested(env->stop)) {
        AUTO_CREDENTIALS struct credentials *held = NULL;
        struct waiter waiter = {.spot = sched_spot_new(env->sched)};
        enum role role = join(cache, env, &waiter, &held);
        struct credentials *result = NULL;

        if (role == WAITS) {
            TRY(wait_for_flight(cache, env, &waiter, &result));
            if (!result)
                continue;
            *ret = result;
            return NULL;
        }
        sched_spot_free(waiter.spot);
        if (role == FLIES)
            return fly(cache, env, held, ret);
        *ret = TAKE(held);
        return NULL;
    }
    return err_new(ERR_CANCELED, "stopped before AWS credentials were there");
}

static bool holds(const struct credentials_cache *cache, const struct credentials *credentials)
{
    return cache->current && text_equal(cache->current->access_key_id, credentials->access_key_id);
}

void credentials_invalidate(struct credentials_cache *cache, const struct credentials *rejected)
{
    if (cache->source->ops->forget)
        cache->source->ops->forget(cache->source, rejected);

    LOCK_SCOPE(&cache->lock);

    if (holds(cache, rejected)) {
        credentials_unref(cache->current);
        cache->current = NULL;
    }
}

enum doubt { REFUTED, NEW, OLD_NEWS };

static enum doubt judge(struct credentials_cache *cache, const struct env *env,
                        const struct credentials *doubted)
{
    LOCK_SCOPE(&cache->lock);
    int64_t now_ms = sched_now_ms(env->sched);

    if (!holds(cache, doubted))
        return OLD_NEWS;
    if (!doubted->session_token || now_ms - cache->began_ms < YOUNG_MS || now_ms < cache->no_doubt_until_ms)
        return REFUTED;
    cache->no_doubt_until_ms = now_ms + DOUBT_MS;
    return NEW;
}

bool credentials_doubt(struct credentials_cache *cache, const struct env *env,
                       const struct credentials *doubted)
{
    enum doubt doubt = judge(cache, env, doubted);

    if (doubt == NEW)
        credentials_invalidate(cache, doubted);
    return doubt != REFUTED;
}
