#include "pkg/kube/lease.h"

#include "pkg/base/lock.h"
#include "pkg/kube/client_priv.h"

#define RELEASE_MS SECONDS(5)
#define CALL_MIN_MS SECONDS(1)
#define SILENT_DEADLINES 3
#define JITTER_PERCENT 120 /* of the retry period, on top, while waiting for somebody else */

static const struct kube_resource leases = {
    .group = "coordination.k8s.io", .version = "v1", .plural = "leases", .kind = "Lease", .namespaced = true};

struct kube_lease {
    struct kube_client *client; /* our own: time-outs shrink as a deadline comes near */
    struct env env;             /* .stop is our own */
    struct kube_lease_opts opts;
    char *namespace, *name, *identity;
    struct task *task;

    /* The task's own. */
    struct json *seen;   /* the Lease as last seen; NULL: never */
    int64_t seen_ms;     /* when its spec was first seen like this, on our own clock */
    int64_t deadline_ms; /* of the round */
    int64_t transitions; /* of the record that we wrote last */
    int64_t asked_ms;    /* how long the server wants us to stay away after the last try */

    pthread_mutex_t lock;
    bool is_held;       /* lock */
    int64_t tried_ms;   /* lock; when the last try ended */
    int64_t renewed_ms; /* lock; when the last renewal that succeeded was sent off */
    char *holder;       /* lock */
    char *trouble;      /* lock */
};

static int64_t now_ms(const struct kube_lease *lease)
{
    return sched_now_ms(lease->env.sched);
}

static bool has_other_holder(const struct kube_lease *lease)
{
    const char *holder = json_get_text(lease->seen, "spec.holderIdentity", "");

    return *holder && !text_equal(holder, lease->identity);
}

static bool is_ours(const struct kube_lease *lease)
{
    return text_equal(json_get_text(lease->seen, "spec.holderIdentity", ""), lease->identity);
}

static int64_t transitions_of(const struct json *object)
{
    return json_get_int(object, "spec.leaseTransitions", 0);
}

/* Nobody has had it since we wrote it last. */
static bool is_own_record(const struct kube_lease *lease)
{
    return is_ours(lease) && transitions_of(lease->seen) == lease->transitions;
}

/* By the record's own duration, on our own clock, from when we first saw it so. */
static bool is_expired(const struct kube_lease *lease)
{
    int64_t duration =
        SECONDS(json_get_int(lease->seen, "spec.leaseDurationSeconds", lease->opts.duration_ms / 1000));

    return now_ms(lease) - lease->seen_ms >= duration;
}

/* Takes the object over. Only a change of spec is a sign of life. */
static void see(struct kube_lease *lease, struct json *object)
{
    bool is_same = lease->seen && json_equal(json_member(lease->seen, "spec"), json_member(object, "spec"));

    json_free(lease->seen);
    lease->seen = object;
    if (!is_same)
        lease->seen_ms = now_ms(lease);
    LOCK_SCOPE(&lease->lock);
    xfree(lease->holder);
    lease->holder = xstrdup(json_get_text(object, "spec.holderIdentity", ""));
}

static void set_held(struct kube_lease *lease, int64_t sent_ms)
{
    LOCK_SCOPE(&lease->lock);
    lease->is_held = true;
    lease->renewed_ms = sent_ms;
    xfree(TAKE(lease->trouble));
}

static void set_trouble(struct kube_lease *lease, const char *text)
{
    LOCK_SCOPE(&lease->lock);
    xfree(lease->trouble);
    lease->trouble = xstrdup(text);
}

/* --- one try --- */

static struct err *limit_call(struct kube_lease *lease)
{
    int64_t usual = lease->opts.renew_deadline_ms / 2, left = lease->deadline_ms - now_ms(lease);

    if (left <= 0)
        return err_new(ERR_RETRY, "no time is left for another call");
    if (usual < CALL_MIN_MS)
        usual = CALL_MIN_MS;
    kube_client_set_timeout(lease->client, left < usual ? left : usual);
    return NULL;
}

static struct kube_ref ref_of(const struct kube_lease *lease)
{
    return (struct kube_ref){.resource = &leases, .namespace = lease->namespace, .name = lease->name};
}

static struct json *new_object(const struct kube_lease *lease)
{
    struct json *object = json_new_object(), *meta = json_new_object();

    json_set_text(object, "apiVersion", "coordination.k8s.io/v1");
    json_set_text(object, "kind", "Lease");
    json_set_text(meta, "name", lease->name);
    json_set_text(meta, "namespace", lease->namespace);
    json_set(object, "metadata", meta);
    return object;
}

/* The record with us as its holder from now on; what else is in it stays. */
static struct json *our_object(const struct kube_lease *lease)
{
    struct json *object = lease->seen ? json_copy(lease->seen) : new_object(lease);
    int64_t transitions = transitions_of(lease->seen);
    bool is_renewal = is_ours(lease);
    struct json *spec;
    char now[TIME_TEXT_MAX];

    if (!json_is(json_member(object, "spec"), JSON_OBJECT))
        json_set(object, "spec", json_new_object());
    spec = json_edit(object, "spec");
    time_rfc3339_micro(sched_wall_ms(lease->env.sched), now);
    json_set_text(spec, "holderIdentity", lease->identity);
    json_set_int(spec, "leaseDurationSeconds", lease->opts.duration_ms / 1000);
    json_set_text(spec, "renewTime", now);
    if (!is_renewal || !json_get_text(spec, "acquireTime", NULL))
        json_set_text(spec, "acquireTime", now);
    json_set_int(spec, "leaseTransitions", transitions + (lease->seen && !is_renewal));
    return object;
}

/* Creates it when it was not there, else replaces the version last seen and no other. */
static struct err *take(struct kube_lease *lease)
{
    AUTO_JSON struct json *object = our_object(lease);
    struct kube_ref ref = ref_of(lease), collection = ref;
    struct json *answer = NULL;
    int64_t sent_ms = now_ms(lease);

    collection.name = NULL;
    TRY(limit_call(lease));
    if (lease->seen)
        TRY(kube_replace(lease->client, &lease->env, &ref, object, &answer));
    else
        TRY(kube_create(lease->client, &lease->env, &collection, object, &answer));
    see(lease, answer);
    lease->transitions = transitions_of(answer);
    set_held(lease, sent_ms);
    return NULL;
}

static struct err *look(struct kube_lease *lease)
{
    struct kube_ref ref = ref_of(lease);
    struct json *object = NULL;
    struct err *err;

    TRY(limit_call(lease));
    err = kube_get(lease->client, &lease->env, &ref, &object);
    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "then it is ours to create");
        json_free(TAKE(lease->seen));
        return NULL;
    }
    TRY(err);
    see(lease, object);
    return NULL;
}

/* A renewal of what we hold and know needs no look first. False: look. */
static struct err *try_fast(struct kube_lease *lease, bool *ret_done)
{
    struct err *err;

    *ret_done = false;
    if (!lease->seen || !is_ours(lease) || is_expired(lease))
        return NULL;
    err = take(lease);
    if (err && (err_kind(err) == ERR_CONFLICT || err_kind(err) == ERR_NOT_FOUND)) {
        err_ignore(err, "somebody touched it: look");
        return NULL;
    }
    TRY(err);
    *ret_done = true;
    return NULL;
}

/* *ret_held false without an error: somebody else holds it. */
static struct err *try_once(struct kube_lease *lease, bool *ret_held)
{
    *ret_held = false;
    TRY(try_fast(lease, ret_held));
    if (*ret_held)
        return NULL;
    TRY(look(lease));
    /* Whoever held it in the meantime may have acted, also when it is free again or has gone: once lost, it
     * is lost. */
    if (lease->is_held ? !is_own_record(lease) : has_other_holder(lease) && !is_expired(lease))
        return NULL;
    TRY(take(lease));
    *ret_held = true;
    return NULL;
}

static void mark_tried(struct kube_lease *lease)
{
    LOCK_SCOPE(&lease->lock);
    lease->tried_ms = now_ms(lease);
}

static bool try_to_hold(struct kube_lease *lease)
{
    bool is_held = false;
    struct err *err = try_once(lease, &is_held);

    mark_tried(lease);
    lease->asked_ms = err ? err_remote(err)->retry_after_ms : 0;
    if (err) {
        if (err_kind(err) != ERR_CANCELED)
            set_trouble(lease, err_text(err));
        LOG_DEBUG(lease->env.log, "lease could not be taken or renewed", KV("lease", lease->name),
                  KV("error", err_text(err)));
        err_ignore(err, "tried again soon");
    }
    return is_held;
}

/* --- the loop --- */

static bool wait(struct kube_lease *lease, int64_t for_ms)
{
    return sched_wait_until(lease->env.sched, lease->env.stop, now_ms(lease) + for_ms);
}

/* Until the next try: no sooner than the server asks, as far as a lease can wait. */
static int64_t pause_ms(const struct kube_lease *lease)
{
    int64_t asked = lease->asked_ms, most = lease->opts.renew_deadline_ms;

    if (asked > most)
        asked = most;
    return asked > lease->opts.retry_ms ? asked : lease->opts.retry_ms;
}

static bool acquire(struct kube_lease *lease)
{
    int64_t jitter = lease->opts.retry_ms * JITTER_PERCENT / 100;

    while (!stop_requested(lease->env.stop)) {
        lease->deadline_ms = NEVER_MS;
        if (try_to_hold(lease))
            return true;
        (void)wait(lease, pause_ms(lease) + (int64_t)random_below(lease->env.random, (uint64_t)jitter + 1));
    }
    return false;
}

/* One round: false when no renewal succeeded before its deadline, or somebody else has it or had it. */
static bool renew(struct kube_lease *lease)
{
    lease->deadline_ms = now_ms(lease) + lease->opts.renew_deadline_ms;
    while (!stop_requested(lease->env.stop)) {
        int64_t left, pause;

        if (try_to_hold(lease))
            return true;
        left = lease->deadline_ms - now_ms(lease);
        if (left <= 0 || !is_own_record(lease))
            return false;
        /* What the server asks is granted as long as there is time for one more try after it. */
        pause = pause_ms(lease);
        if (pause >= left)
            pause = left < lease->opts.retry_ms ? left : lease->opts.retry_ms;
        (void)wait(lease, pause);
        if (now_ms(lease) >= lease->deadline_ms)
            return false;
    }
    return true;
}

static void lose(struct kube_lease *lease)
{
    {
        LOCK_SCOPE(&lease->lock);
        lease->is_held = false;
    }
    if (lease->opts.lost)
        lease->opts.lost(lease->opts.arg);
}

static void run(void *arg)
{
    struct kube_lease *lease = arg;

    if (!acquire(lease))
        return;
    if (lease->opts.acquired)
        lease->opts.acquired(lease->opts.arg);
    while (wait(lease, lease->opts.retry_ms)) {
        if (!renew(lease)) {
            lose(lease);
            return;
        }
    }
}

/* --- giving it back --- */

static struct err *release_once(struct kube_lease *lease, bool *ret_again)
{
    AUTO_JSON struct json *object = NULL;
    struct kube_ref ref = ref_of(lease);
    struct json *spec;
    struct err *err;
    char now[TIME_TEXT_MAX];

    *ret_again = false;
    TRY(look(lease));
    if (!lease->seen || !is_ours(lease))
        return NULL;
    object = json_copy(lease->seen);
    spec = json_edit(object, "spec");
    time_rfc3339_micro(sched_wall_ms(lease->env.sched), now);
    json_set_text(spec, "holderIdentity", "");
    json_set_int(spec, "leaseDurationSeconds", 1);
    json_set_text(spec, "renewTime", now);
    json_set_text(spec, "acquireTime", now);
    TRY(limit_call(lease));
    err = kube_replace(lease->client, &lease->env, &ref, object, NULL);
    *ret_again = err && err_kind(err) == ERR_CONFLICT;
    return err;
}

/* Best effort: what stays behind runs out by itself. */
static void release(struct kube_lease *lease)
{
    bool again = true;

    lease->env.stop = NULL;
    lease->deadline_ms = now_ms(lease) + RELEASE_MS;
    while (again && now_ms(lease) < lease->deadline_ms) {
        struct err *err = release_once(lease, &again);

        if (err)
            LOG_DEBUG(lease->env.log, "lease could not be given back", KV("lease", lease->name),
                      KV("error", err_text(err)));
        err_ignore(err, "it runs out by itself");
    }
}

/* --- life --- */

static struct err *fill_opts(struct kube_lease_opts *opts)
{
    if (!opts->duration_ms)
        opts->duration_ms = SECONDS(15);
    if (!opts->renew_deadline_ms)
        opts->renew_deadline_ms = SECONDS(10);
    if (!opts->retry_ms)
        opts->retry_ms = SECONDS(2);
    if (text_is_empty(opts->namespace) || text_is_empty(opts->name) || text_is_empty(opts->identity))
        return err_new(ERR_INVALID, "leader election needs a namespace, a name and an identity");
    if (opts->retry_ms < 0 || opts->renew_deadline_ms < 0 || opts->duration_ms < 0 ||
        opts->duration_ms % 1000)
        return err_new(ERR_INVALID, "leader election: times must be positive, the duration whole seconds");
    if (opts->duration_ms <= opts->renew_deadline_ms)
        return err_new(ERR_INVALID, "leader election: the lease's duration must exceed the renew deadline");
    if (opts->renew_deadline_ms * 10 <= opts->retry_ms * 12)
        return err_new(ERR_INVALID,
                       "leader election: the renew deadline must exceed 1.2 times the retry period");
    return NULL;
}

struct err *kube_lease_start(struct kube_client *client, const struct env *env,
                             const struct kube_lease_opts *opts, struct kube_lease **ret)
{
    struct kube_lease_opts filled = *opts;
    struct kube_lease *lease;

    TRY(fill_opts(&filled));
    lease = xcalloc(1, sizeof(*lease));
    lease->opts = filled;
    lease->client = kube_client_copy(client, "/leader-election");
    lease->env = *env;
    lease->env.stop = stop_new();
    lease->namespace = xstrdup(filled.namespace);
    lease->name = xstrdup(filled.name);
    lease->identity = xstrdup(filled.identity);
    lease->tried_ms = now_ms(lease);
    pthread_mutex_init(&lease->lock, NULL);
    lease->task = sched_spawn(env->sched, "lease", run, lease);
    *ret = lease;
    return NULL;
}

static void end(struct kube_lease *lease, bool releases)
{
    struct stop *stop;

    if (!lease)
        return;
    stop = lease->env.stop;
    stop_request(stop);
    sched_join(lease->task);
    if (releases && lease->is_held)
        release(lease);
    stop_free(stop);
    kube_client_free(lease->client);
    json_free(lease->seen);
    xfree(lease->namespace);
    xfree(lease->name);
    xfree(lease->identity);
    xfree(lease->holder);
    xfree(lease->trouble);
    pthread_mutex_destroy(&lease->lock);
    xfree(lease);
}

void kube_lease_finish(struct kube_lease *lease)
{
    end(lease, /* releases= */ true);
}

void kube_lease_abandon(struct kube_lease *lease)
{
    end(lease, /* releases= */ false);
}

bool kube_lease_is_held(struct kube_lease *lease)
{
    LOCK_SCOPE(&lease->lock);
    return lease->is_held;
}

int64_t kube_lease_age_ms(struct kube_lease *lease)
{
    LOCK_SCOPE(&lease->lock);
    return lease->is_held ? now_ms(lease) - lease->renewed_ms : NEVER_MS;
}

bool kube_lease_lives(struct kube_lease *lease)
{
    LOCK_SCOPE(&lease->lock);
    return now_ms(lease) - lease->tried_ms <= SILENT_DEADLINES * lease->opts.renew_deadline_ms;
}

int64_t kube_lease_renew_deadline_ms(const struct kube_lease *lease)
{
    return lease->opts.renew_deadline_ms;
}

char *kube_lease_holder(struct kube_lease *lease)
{
    LOCK_SCOPE(&lease->lock);
    return xstrdup(lease->holder ? lease->holder : "");
}

char *kube_lease_trouble(struct kube_lease *lease)
{
    LOCK_SCOPE(&lease->lock);
    return xstrdup_or_null(lease->trouble);
}
