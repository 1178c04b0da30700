#include "pkg/kube/events.h"

#include "pkg/base/lock.h"
#include "pkg/kube/keymap.h"

/* https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
#define NOTE_MAX 1024
#define FIELD_MAX 128
#define NAME_MAX_BYTES 253
#define SUFFIX_MAX 24 /* "." and up to 16 hex digits, with room */

#define SERIES_MAX 1024
#define SERIES_IDLE_MS MINUTES(6)
#define SERIES_WRITE_MS MINUTES(30)
#define OBJECTS_MAX 4096
#define BURST 100
#define REFILL_MS MINUTES(1)
#define TRIES 12
#define RETRY_MS SECONDS(10)

static const struct kube_resource events_resource = {
    .group = "events.k8s.io", .version = "v1", .plural = "events", .kind = "Event", .namespaced = true};

/* An Event that exists, or will, and what has repeated since. */
struct series {
    struct keymap_node node; /* type, action, reason and object */
    struct json *event;      /* as it was first sent */
    int64_t count;
    int64_t count_written;
    int64_t seen_ms, written_ms;
    int64_t seen_wall_ms;
};

/* How much of its allowance an object has used: the time at which it will all be there again. */
struct allowance {
    struct keymap_node node;
    int64_t full_ms;
};

struct job {
    char *series;  /* key */
    bool is_first; /* create, else write the count */
};

struct kube_events {
    struct kube_client *client;
    struct env env; /* .stop is our own: requested when the grace is over */
    char *controller, *instance;
    size_t max_queue;
    struct task *task;
    struct spot *spot;     /* the task's */
    struct spot *end_spot; /* kube_events_stop() */
    pthread_mutex_t lock;
    struct keymap series; /* lock, as all below */
    struct keymap allowances;
    struct job *queue; /* a ring of max_queue */
    size_t first, queued;
    uint64_t names; /* so that two in one millisecond differ */
    bool is_stopping, has_ended;
    struct kube_events_stats stats;
};

/* --- bodies --- */

static const char *severity_text(enum kube_event_severity severity)
{
    return severity == KUBE_WARNING ? "Warning" : "Normal";
}

static void set_cut(struct json *object, const char *name, const char *text, size_t max)
{
    AUTO_FREE char *cut = str_dup(str_cut_utf8(str_of(text), max));

    json_set_text(object, name, cut);
}

static struct json *regarding_of(const struct json *object)
{
    static const struct {
        const char *from, *to;
    } members[] = {
        {"apiVersion", "apiVersion"},
        {"kind", "kind"},
        {"metadata.namespace", "namespace"},
        {"metadata.name", "name"},
        {"metadata.uid", "uid"},
        {"metadata.resourceVersion", "resourceVersion"},
    };
    struct json *regarding = json_new_object();

    for (size_t i = 0; i < COUNT_OF(members); i++)
        json_set_text(regarding, members[i].to, json_get_text(object, members[i].from, NULL));
    return regarding;
}

/* "<object>.<hex nanoseconds>", which stays a DNS subdomain; the last digits tell apart what fell into one
 * millisecond. */
static char *name_of(struct kube_events *events, const char *object, int64_t wall_ms)
{
    struct str stem = str_cut_utf8(str_of(object), NAME_MAX_BYTES - SUFFIX_MAX);

    while (stem.len && (stem.ptr[stem.len - 1] == '.' || stem.ptr[stem.len - 1] == '-'))
        stem.len--;
    return xasprintf(STR_FMT ".%llx", STR_ARG(stem),
                     (unsigned long long)wall_ms * 1000000 + events->names++ % 1000000);
}

static struct json *metadata_of(struct kube_events *events, const struct json *regarding, int64_t wall_ms)
{
    const char *namespace = json_get_text(regarding, "namespace", "");
    AUTO_FREE char *name = name_of(events, json_get_text(regarding, "name", ""), wall_ms);
    struct json *meta = json_new_object();

    json_set_text(meta, "name", name);
    json_set_text(meta, "namespace", *namespace ? namespace : "default");
    return meta;
}

static struct json *event_body(struct kube_events *events, const struct kube_event *event, int64_t wall_ms)
{
    struct json *body = json_new_object(), *regarding = regarding_of(event->regarding);
    char time[TIME_TEXT_MAX];

    time_rfc3339_micro(wall_ms, time);
    json_set_text(body, "apiVersion", "events.k8s.io/v1");
    json_set_text(body, "kind", "Event");
    json_set(body, "metadata", metadata_of(events, regarding, wall_ms));
    json_set_text(body, "eventTime", time);
    json_set_text(body, "type", severity_text(event->severity));
    set_cut(body, "reason", event->reason, FIELD_MAX);
    set_cut(body, "action", text_is_empty(event->action) ? event->reason : event->action, FIELD_MAX);
    set_cut(body, "note", event->note, NOTE_MAX);
    json_set(body, "regarding", regarding);
    json_set_text(body, "reportingController", events->controller);
    set_cut(body, "reportingInstance", events->instance, FIELD_MAX);
    return body;
}

static struct json *series_patch(const struct series *series)
{
    struct json *patch = json_new_object(), *value = json_new_object();
    char time[TIME_TEXT_MAX];

    time_rfc3339_micro(series->seen_wall_ms, time);
    json_set_int(value, "count", series->count);
    json_set_text(value, "lastObservedTime", time);
    json_set(patch, "series", value);
    return patch;
}

/* --- taking events in --- */

static void free_series(struct kube_events *events, struct series *series)
{
    keymap_remove(&events->series, &series->node);
    json_free(series->event);
    xfree(series->node.key);
    xfree(series);
}

static void drop_oldest_series(struct kube_events *events)
{
    struct series *oldest = NULL;

    for (struct series *s = keymap_next(&events->series, NULL); s;
         s = keymap_next(&events->series, &s->node)) {
        if (!oldest || s->seen_ms < oldest->seen_ms)
            oldest = s;
    }
    if (oldest)
        free_series(events, oldest);
}

static void free_allowance(struct kube_events *events, struct allowance *allowance)
{
    keymap_remove(&events->allowances, &allowance->node);
    xfree(allowance->node.key);
    xfree(allowance);
}

/* Of the object that has used least: forgetting it gives back the fewest events. */
static void drop_fullest_allowance(struct kube_events *events)
{
    struct allowance *fullest = NULL;

    for (struct allowance *a = keymap_next(&events->allowances, NULL); a;
         a = keymap_next(&events->allowances, &a->node)) {
        if (!fullest || a->full_ms < fullest->full_ms)
            fullest = a;
    }
    if (fullest)
        free_allowance(events, fullest);
}

/* A bucket of 100 that gets one back every minute. */
static bool is_allowed(struct kube_events *events, const char *object, int64_t now_ms)
{
    struct allowance *allowance = keymap_find(&events->allowances, object);

    if (!allowance) {
        if (events->allowances.count >= OBJECTS_MAX)
            drop_fullest_allowance(events);
        allowance = xcalloc(1, sizeof(*allowance));
        allowance->node.key = xstrdup(object);
        keymap_insert(&events->allowances, &allowance->node);
    }
    if (allowance->full_ms < now_ms)
        allowance->full_ms = now_ms;
    if (allowance->full_ms - now_ms > (BURST - 1) * REFILL_MS)
        return false;
    allowance->full_ms += REFILL_MS;
    return true;
}

static void enqueue(struct kube_events *events, const char *series, bool is_first)
{
    struct job *job;

    if (events->queued == events->max_queue) {
        events->stats.dropped++;
        return;
    }
    job = &events->queue[(events->first + events->queued++) % events->max_queue];
    *job = (struct job){.series = xstrdup(series), .is_first = is_first};
    sched_wake(events->spot);
}

static char *object_key(const struct json *object)
{
    return xasprintf("%s/%s/%s/%s", json_get_text(object, "kind", ""),
                     json_get_text(object, "metadata.namespace", ""),
                     json_get_text(object, "metadata.name", ""), json_get_text(object, "metadata.uid", ""));
}

/* A repeat within the time that keeps a series alive. */
static bool count_repeat(struct kube_events *events, const char *key, int64_t now_ms)
{
    struct series *series = keymap_find(&events->series, key);

    if (!series || now_ms - series->seen_ms >= SERIES_IDLE_MS)
        return false;
    series->count++;
    series->seen_ms = now_ms;
    series->seen_wall_ms = sched_wall_ms(events->env.sched);
    if (series->count == 2)
        enqueue(events, key, /* is_first= */ false);
    return true;
}

static void begin_series(struct kube_events *events, const char *key, const struct kube_event *event,
                         int64_t now_ms)
{
    struct series *series = keymap_find(&events->series, key);

    if (series)
        free_series(events, series);
    if (events->series.count >= SERIES_MAX)
        drop_oldest_series(events);
    series = xcalloc(1, sizeof(*series));
    series->node.key = xstrdup(key);
    series->count = series->count_written = 1;
    series->seen_ms = series->written_ms = now_ms;
    series->seen_wall_ms = sched_wall_ms(events->env.sched);
    series->event = event_body(events, event, series->seen_wall_ms);
    keymap_insert(&events->series, &series->node);
    enqueue(events, key, /* is_first= */ true);
}

void kube_event_emit(struct kube_events *events, const struct kube_event *event)
{
    AUTO_FREE char *object = NULL, *key = NULL;
    int64_t now_ms;

    if (!events || text_is_empty(event->reason) ||
        text_is_empty(json_get_text(event->regarding, "metadata.name", NULL)))
        return;
    object = object_key(event->regarding);
    key = xasprintf("%s %s %s %s", severity_text(event->severity), event->reason,
                    event->action ? event->action : "", object);
    now_ms = sched_now_ms(events->env.sched);
    LOCK_SCOPE(&events->lock);
    events->stats.emitted++;
    if (events->is_stopping || count_repeat(events, key, now_ms))
        return;
    if (is_allowed(events, object, now_ms))
        begin_series(events, key, event, now_ms);
    else
        events->stats.dropped++;
}

/* --- sending --- */

static bool pop(struct kube_events *events, struct job *ret)
{
    LOCK_SCOPE(&events->lock);
    if (!events->queued)
        return false;
    *ret = events->queue[events->first];
    events->first = (events->first + 1) % events->max_queue;
    events->queued--;
    return true;
}

/* A job made ready to be sent, so that no lock is held meanwhile. */
struct outgoing {
    bool is_first;
    char *namespace, *name;
    struct json *body; /* NULL: the series was forgotten since, there is nothing to send */
};

static void outgoing_done(struct outgoing *outgoing)
{
    xfree(outgoing->namespace);
    xfree(outgoing->name);
    json_free(outgoing->body);
}

static struct outgoing prepare(struct kube_events *events, const struct job *job)
{
    struct outgoing outgoing = {.is_first = job->is_first};

    LOCK_SCOPE(&events->lock);
    struct series *series = keymap_find(&events->series, job->series);

    if (!series)
        return outgoing;
    outgoing.namespace = xstrdup(json_get_text(series->event, "metadata.namespace", ""));
    outgoing.name = xstrdup(json_get_text(series->event, "metadata.name", ""));
    outgoing.body = job->is_first ? json_copy(series->event) : series_patch(series);
    series->written_ms = sched_now_ms(events->env.sched);
    series->count_written = series->count;
    return outgoing;
}

static struct err *send_once(struct kube_events *events, const struct outgoing *outgoing)
{
    const struct kube_patch patch = {.type = KUBE_PATCH_MERGE, .body = outgoing->body};
    struct kube_ref ref = {.resource = &events_resource, .namespace = outgoing->namespace};

    if (outgoing->is_first)
        return kube_create(events->client, &events->env, &ref, outgoing->body, NULL);
    ref.name = outgoing->name;
    return kube_patch(events->client, &events->env, &ref, &patch, NULL);
}

static bool pause_after(struct kube_events *events, const struct err *err, int tries)
{
    struct sched *sched = events->env.sched;

    if (err_kind(err) != ERR_RETRY || tries >= TRIES)
        return false;
    return sched_wait_until(sched, events->env.stop,
                            sched_now_ms(sched) + random_jitter_ms(events->env.random, RETRY_MS, 25));
}

static void count_result(struct kube_events *events, bool is_sent)
{
    LOCK_SCOPE(&events->lock);
    if (is_sent)
        events->stats.sent++;
    else
        events->stats.dropped++;
}

/* The Event of a series has outlived its time on the server: the series begins anew. */
static void begin_again(struct kube_events *events, const char *key)
{
    LOCK_SCOPE(&events->lock);
    struct series *series = keymap_find(&events->series, key);
    char time[TIME_TEXT_MAX];

    if (!series)
        return;
    time_rfc3339_micro(series->seen_wall_ms, time);
    json_set(series->event, "metadata",
             metadata_of(events, json_member(series->event, "regarding"), series->seen_wall_ms));
    json_set_text(series->event, "eventTime", time);
    series->count = series->count_written = 1;
    enqueue(events, key, /* is_first= */ true);
}

static void send(struct kube_events *events, const struct job *job)
{
    CLEANUP(outgoing_done) struct outgoing outgoing = prepare(events, job);
    bool again = outgoing.body != NULL;

    for (int tries = 1; again; tries++) {
        AUTO_ERR struct err *err = send_once(events, &outgoing);

        again = err && pause_after(events, err, tries);
        if (again)
            continue;
        if (err && !job->is_first && err_kind(err) == ERR_NOT_FOUND) {
            begin_again(events, job->series);
            continue;
        }
        if (err)
            LOG_DEBUG(events->env.log, "event could not be written", KV("error", err_text(err)));
        count_result(events, !err || err_is_code(err, "AlreadyExists"));
    }
}

/* Writes the counts that are due; `all`: every one that is not written yet. Gives when to look again. */
static int64_t flush_series(struct kube_events *events, bool all)
{
    int64_t now_ms = sched_now_ms(events->env.sched);
    struct series *s, *next;

    LOCK_SCOPE(&events->lock);
    for (s = keymap_next(&events->series, NULL); s; s = next) {
        bool is_idle = now_ms - s->seen_ms >= SERIES_IDLE_MS, is_unwritten = s->count > s->count_written;

        next = keymap_next(&events->series, &s->node);
        if (is_unwritten && (all || is_idle || now_ms - s->written_ms >= SERIES_WRITE_MS)) {
            s->count_written = s->count; /* asked for; prepare() takes the count of then */
            enqueue(events, s->node.key, /* is_first= */ false);
        } else if (is_idle && !is_unwritten && now_ms - s->written_ms >= SERIES_IDLE_MS) {
            free_series(events, s);
        }
    }
    return events->series.count ? now_ms + MINUTES(1) : NEVER_MS;
}

static bool is_stopping(struct kube_events *events)
{
    LOCK_SCOPE(&events->lock);
    return events->is_stopping;
}

static void send_queued(struct kube_events *events)
{
    struct job job;

    while (!stop_requested(events->env.stop) && pop(events, &job)) {
        send(events, &job);
        xfree(job.series);
    }
}

static void run(void *arg)
{
    struct kube_events *events = arg;

    while (!is_stopping(events)) {
        int64_t until_ms;

        send_queued(events);
        until_ms = flush_series(events, /* all= */ false);
        if (!is_stopping(events))
            (void)sched_park(events->spot, until_ms);
    }
    send_queued(events);
    (void)flush_series(events, /* all= */ true);
    send_queued(events);
    {
        LOCK_SCOPE(&events->lock);
        events->has_ended = true;
    }
    sched_wake(events->end_spot);
}

/* --- life --- */

struct kube_events *kube_events_start(struct kube_client *client, const struct env *env,
                                      const struct kube_events_opts *opts)
{
    struct kube_events *events = xcalloc(1, sizeof(*events));

    events->client = client;
    events->env = *env;
    events->env.stop = stop_new();
    events->controller = xstrdup(opts->controller);
    events->instance = xstrdup(text_is_empty(opts->instance) ? "unknown" : opts->instance);
    events->max_queue = opts->max_queue ? opts->max_queue : 1000;
    events->queue = xcalloc(events->max_queue, sizeof(*events->queue));
    events->spot = sched_spot_new(env->sched);
    events->end_spot = sched_spot_new(env->sched);
    pthread_mutex_init(&events->lock, NULL);
    events->task = sched_spawn(env->sched, "events", run, events);
    return events;
}

static bool has_ended(struct kube_events *events)
{
    LOCK_SCOPE(&events->lock);
    return events->has_ended;
}

static void end_within(struct kube_events *events, int64_t grace_ms)
{
    int64_t deadline_ms = sched_now_ms(events->env.sched) + grace_ms;

    {
        LOCK_SCOPE(&events->lock);
        events->is_stopping = true;
    }
    sched_wake(events->spot);
    while (!has_ended(events) && sched_now_ms(events->env.sched) < deadline_ms)
        (void)sched_park(events->end_spot, deadline_ms);
    stop_request(events->env.stop);
    sched_join(events->task);
}

void kube_events_stop(struct kube_events *events, int64_t grace_ms)
{
    struct allowance *allowance;
    struct series *series;
    struct job job;

    if (!events)
        return;
    end_within(events, grace_ms);
    while (pop(events, &job))
        xfree(job.series);
    while ((series = keymap_next(&events->series, NULL)))
        free_series(events, series);
    while ((allowance = keymap_next(&events->allowances, NULL)))
        free_allowance(events, allowance);
    keymap_done(&events->series);
    keymap_done(&events->allowances);
    sched_spot_free(events->spot);
    sched_spot_free(events->end_spot);
    stop_free(events->env.stop);
    pthread_mutex_destroy(&events->lock);
    xfree(events->queue);
    xfree(events->controller);
    xfree(events->instance);
    xfree(events);
}

struct kube_events_stats kube_events_stats(struct kube_events *events)
{
    LOCK_SCOPE(&events->lock);
    return events->stats;
}
