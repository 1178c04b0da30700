#include "pkg/kube/watch.h"

#include "pkg/base/backoff.h"
#include "pkg/base/lock.h"
#include "pkg/kube/client_priv.h"
#include "pkg/kube/frames.h"

#define SLACK_MS SECONDS(30)    /* a server that outlives its own timeoutSeconds by more is gone */
#define TOO_SHORT_MS SECONDS(1) /* a watch that ends sooner and brought nothing has failed */
#define RELIST_AFTER 5          /* streams broken in a row after which the version itself is doubted */
#define WARN_AFTER 3
#define INITIAL_IDLE_MS SECONDS(30) /* a streaming list that is silent for so long is none */
#define INITIAL_OBJECTS_MAX 100000
#define STREAMS_AGAIN_MS MINUTES(30) /* the server was updated, or only overloaded */
/* That lists show a past state so often and for so long is no fault of one server. */
#define PAST_LISTS 5
#define PAST_MS MINUTES(3)

/* The first pause is 0.8 to 1.6 s, the longest 15 to 30 s. */
static const struct backoff pauses = {.base_ms = 1600, .max_ms = SECONDS(30)};

enum listing { LIST_STREAMED, LIST_PAGED_ONCE, LIST_PAGED };

/* What a list has brought so far. */
struct listed {
    struct kube_watch *turning; /* each page is a turn of its task; NULL: another thread lists */
    const struct kube_resource *resource;
    struct kube_objects objects;
    char *version;
    char *known; /* what the store knew when it was asked for; NULL: nothing */
};

struct kube_watch {
    struct kube_client *client;
    struct kube_store *store;
    struct env env; /* .stop is our own */
    struct stop_subscription *subscription;
    struct kube_watch_opts opts; /* texts owned */
    char *namespace, *labels, *fields;
    struct task *task;
    char *version;          /* the task's: everything up to here is in the store; NULL: list first */
    int failures;           /* the task's: in a row */
    int broken;             /* the task's: of these, such that may be the version's fault */
    enum listing listing;   /* the task's: how the next list is to come */
    int64_t streams_ms;     /* the task's: LIST_PAGED holds until then */
    struct listed *initial; /* the task's: while a streaming list comes in */
    pthread_mutex_t lock;
    char *trouble;                 /* lock */
    int past_lists;                /* lock; lists of a past state in a row */
    int64_t past_since_ms;         /* lock; the first of them */
    struct kube_watch_stats stats; /* lock */
};

static void count(struct kube_watch *watch, int64_t *counter)
{
    LOCK_SCOPE(&watch->lock);
    ++*counter;
}

static void mark_turn(struct kube_watch *watch)
{
    LOCK_SCOPE(&watch->lock);
    watch->stats.turned_ms = sched_now_ms(watch->env.sched);
}

static void set_trouble(struct kube_watch *watch, const char *text)
{
    LOCK_SCOPE(&watch->lock);
    xfree(watch->trouble);
    watch->trouble = xstrdup_or_null(text);
}

static void set_version(struct kube_watch *watch, const char *version)
{
    if (text_is_empty(version))
        return;
    xfree(watch->version);
    watch->version = xstrdup(version);
}

/* News came: whatever was wrong is over. */
static void set_healthy(struct kube_watch *watch)
{
    watch->failures = watch->broken = 0;
    set_trouble(watch, NULL);
}

/* --- list --- */

static struct listed begin_list(struct kube_watch *watch)
{
    return (struct listed){.resource = watch->opts.query.collection.resource,
                           .known = kube_store_version(watch->store)};
}

static void listed_done(struct listed *listed)
{
    kube_objects_done(&listed->objects);
    xfree(TAKE(listed->version));
    xfree(TAKE(listed->known));
}

static void restart_list(void *arg)
{
    struct listed *listed = arg;

    kube_objects_done(&listed->objects);
}

/* Takes the value over. */
static struct err *add_listed(struct listed *listed, struct json *item)
{
    struct kube_objects *objects = &listed->objects;
    const struct kube_object *object = NULL;

    TRY(kube_object_new(item, &object));
    objects->items = xgrow(objects->items, objects->count, sizeof(*objects->items));
    objects->items[objects->count++] = object;
    return NULL;
}

static struct err *add_page(void *arg, const struct kube_page *page)
{
    struct listed *listed = arg;

    if (listed->turning)
        mark_turn(listed->turning);
    json_each (item, json_member(page->list, "items"))
        TRY(add_listed(listed, kube_page_item(item, listed->resource)));
    xfree(listed->version);
    listed->version = xstrdup(page->resource_version);
    return NULL;
}

static void note_past(struct kube_watch *watch)
{
    LOCK_SCOPE(&watch->lock);
    if (!watch->past_lists++)
        watch->past_since_ms = sched_now_ms(watch->env.sched);
}

static void forget_past(struct kube_watch *watch)
{
    LOCK_SCOPE(&watch->lock);
    watch->past_lists = 0;
}

bool kube_watch_is_ahead(struct kube_watch *watch)
{
    LOCK_SCOPE(&watch->lock);
    return watch->past_lists >= PAST_LISTS &&
           sched_now_ms(watch->env.sched) - watch->past_since_ms >= PAST_MS;
}

/* A list is as new as anything that was known when it was asked for; whoever brought the store further while
 * it came in has brought all that is in it. */
static struct err *take_list(struct kube_watch *watch, struct listed *listed)
{
    struct err *err = kube_store_replace(watch->store, &listed->objects, listed->version);
    bool is_overtaken =
        err_is_code(err, "TimeTravel") && kube_version_compare(listed->version, listed->known) != KUBE_OLDER;

    if (err && !is_overtaken) {
        note_past(watch);
        return err;
    }
    forget_past(watch);
    err_ignore(err, "the store is newer than the list");
    return NULL;
}

/* Always consistent (no resourceVersion): a list from some server's cache could show a past state. */
static struct err *list_pages(struct kube_watch *watch, const struct env *env, struct listed *listed)
{
    struct kube_page_visitor visitor = {.page = add_page, .restart = restart_list, .arg = listed};

    count(watch, &watch->stats.lists);
    TRY(kube_list_each(watch->client, env, &watch->opts.query, &visitor));
    return take_list(watch, listed);
}

/* The watch goes on from what the list has shown. */
static void go_on_from(struct kube_watch *watch, const struct listed *listed)
{
    set_version(watch, listed->version);
    set_trouble(watch, NULL);
}

static struct err *list(struct kube_watch *watch)
{
    CLEANUP(listed_done) struct listed listed = begin_list(watch);

    listed.turning = watch;
    TRY(list_pages(watch, &watch->env, &listed));
    go_on_from(watch, &listed);
    if (watch->listing == LIST_PAGED_ONCE)
        watch->listing = LIST_STREAMED;
    return NULL;
}

struct err *kube_watch_list_now(struct kube_watch *watch, const struct env *env)
{
    CLEANUP(listed_done) struct listed listed = begin_list(watch);

    return list_pages(watch, env, &listed);
}

/* --- the list that a stream begins with --- */

/* What goes away before the list has ended is not in it. Takes the value over. */
static struct err *remove_listed(struct listed *listed, struct json *item)
{
    AUTO_KUBE_OBJECT const struct kube_object *gone = NULL;
    size_t left = 0;

    TRY(kube_object_new(item, &gone));
    for (size_t i = 0; i < listed->objects.count; i++) {
        const struct kube_object *object = listed->objects.items[i];

        if (text_equal(object->key, gone->key))
            kube_object_unref(object);
        else
            listed->objects.items[left++] = object;
    }
    listed->objects.count = left;
    return NULL;
}

static struct err *collect(struct kube_watch *watch, struct kube_watch_event *event)
{
    struct listed *listed = watch->initial;

    if (event->type == KUBE_EVENT_DELETED)
        return remove_listed(listed, TAKE(event->object));
    if (listed->objects.count == INITIAL_OBJECTS_MAX)
        return err_new(ERR_INVALID, "watch: more than %d objects in a streamed list", INITIAL_OBJECTS_MAX);
    return add_listed(listed, TAKE(event->object));
}

static void set_paged(struct kube_watch *watch)
{
    watch->listing = LIST_PAGED;
    watch->streams_ms = sched_now_ms(watch->env.sched) + STREAMS_AGAIN_MS;
}

static struct err *end_list(struct kube_watch *watch, const struct json *bookmark)
{
    struct listed *listed = TAKE(watch->initial);

    listed->version = xstrdup(json_get_text(bookmark, "metadata.resourceVersion", ""));
    if (!*listed->version) {
        set_paged(watch);
        return err_new(ERR_INVALID, "watch: the end of the list names no version");
    }
    TRY(take_list(watch, listed));
    go_on_from(watch, listed);
    watch->failures = watch->broken = 0;
    count(watch, &watch->stats.streamed);
    return NULL;
}

/* A streamed list did not come to its end: what becomes of the next one. Somebody who is away or busy says
 * nothing about streams. NULL: pages are there to be asked for at once. */
static struct err *judge_stream(struct kube_watch *watch, struct err *err, bool was_opened)
{
    bool is_no_stream = !err || err_kind(err) == ERR_INVALID || err_is_code(err, "Idle");

    if (!is_no_stream) {
        if (was_opened)
            watch->listing = LIST_PAGED_ONCE;
        return err;
    }
    set_paged(watch);
    LOG_DEBUG(watch->env.log, "no streaming lists here: pages are asked for",
              KV("resource", watch->opts.query.collection.resource->plural),
              KV("because", err ? err_text(err) : "the stream ended before its list did"));
    err_ignore(err, "there is another way");
    return NULL;
}

/* --- watch --- */

static struct err *apply(struct kube_watch *watch, struct kube_watch_event *event)
{
    AUTO_KUBE_OBJECT const struct kube_object *object = NULL;

    count(watch, &watch->stats.events);
    TRY(kube_object_new(TAKE(event->object), &object));
    kube_store_apply(watch->store, object, event->type == KUBE_EVENT_DELETED);
    set_version(watch, object->resource_version);
    set_healthy(watch);
    return NULL;
}

static void apply_bookmark(struct kube_watch *watch, const struct json *object)
{
    const char *version = json_get_text(object, "metadata.resourceVersion", "");

    count(watch, &watch->stats.bookmarks);
    kube_store_advance(watch->store, version);
    set_version(watch, version);
    set_healthy(watch);
}

static struct err *handle(struct kube_watch *watch, struct kube_watch_event *event)
{
    switch (event->type) {
    case KUBE_EVENT_ADDED:
    case KUBE_EVENT_MODIFIED:
    case KUBE_EVENT_DELETED:
        return watch->initial ? collect(watch, event) : apply(watch, event);
    case KUBE_EVENT_BOOKMARK:
        if (!watch->initial)
            apply_bookmark(watch, event->object);
        else if (kube_ends_initial_events(event->object))
            return end_list(watch, event->object);
        return NULL;
    case KUBE_EVENT_ERROR:
        return err_wrap(kube_status_error(event->object, 0), "watch");
    }
    return NULL;
}

static struct err *handle_all(struct kube_watch *watch, struct kube_frames *frames, int64_t *events)
{
    for (;;) {
        CLEANUP(kube_watch_event_done) struct kube_watch_event event = {0};
        bool found = false;

        TRY(kube_frames_next(frames, &event, &found));
        if (!found)
            return NULL;
        ++*events;
        TRY(handle(watch, &event));
        if (stop_requested(watch->env.stop))
            return err_new(ERR_CANCELED, "watch: stopped");
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* NULL: the server ended the stream, as it does from time to time. */
static struct err *follow(struct kube_watch *watch, struct http_stream *stream, int64_t until_ms,
                          int64_t *events)
{
    CLEANUP(kube_frames_done) struct kube_frames frames = KUBE_FRAMES(watch->opts.max_line_bytes);
    bool is_end = false;

    while (!is_end) {
        int64_t idle_ms = watch->initial ? INITIAL_IDLE_MS : watch->opts.idle_ms;
        int64_t deadline = sooner(sched_now_ms(watch->env.sched) + idle_ms, until_ms);

        mark_turn(watch);
        TRY(http_read(stream, watch->env.stop, deadline, &frames.pending, &is_end));
        TRY(handle_all(watch, &frames, events));
    }
    if (kube_frames_is_partial(&frames))
        return err_new(ERR_RETRY, "watch: the stream ended inside an event");
    return NULL;
}

/* Without a version it begins with a list. */
static struct err *watch_once(struct kube_watch *watch)
{
    CLEANUP(listed_done) struct listed initial = begin_list(watch);
    struct kube_query query = watch->opts.query;
    int64_t min_ms = watch->opts.min_timeout_ms;
    int64_t timeout_ms = min_ms + (int64_t)random_below(watch->env.random, (uint64_t)min_ms + 1);
    int64_t begun_ms = sched_now_ms(watch->env.sched), events = 0;
    struct http_stream *stream = NULL;
    struct err *err;

    query.resource_version = watch->version;
    query.initial_events = !watch->version;
    count(watch, &watch->stats.watches);
    err = kube_watch_open(watch->client, &watch->env, &query, timeout_ms, &stream);
    if (err)
        return query.initial_events ? judge_stream(watch, err, /* was_opened= */ false) : err;
    if (query.initial_events)
        watch->initial = &initial;
    else
        set_trouble(watch, NULL);
    err = follow(watch, stream, begun_ms + timeout_ms + SLACK_MS, &events);
    http_close(stream);
    if (TAKE(watch->initial))
        return judge_stream(watch, err, /* was_opened= */ true);
    watch->broken++;
    if (!err && !events && sched_now_ms(watch->env.sched) - begun_ms < TOO_SHORT_MS)
        return err_new(ERR_RETRY, "watch: ended at once, without an event");
    if (!err)
        watch->failures = watch->broken = 0;
    return err;
}

/* --- the loop --- */

/* A stream that broke, a server that is busy, away or in trouble, for however long: the version still holds,
 * and all replicas asking for everything would not help it. Anything else puts it in doubt. */
static bool keeps_version(const struct kube_watch *watch, const struct err *err)
{
    int status = err_remote(err)->http_status;

    if (watch->broken >= RELIST_AFTER)
        return false;
    return err_kind(err) == ERR_RETRY && (status == 0 || status == 429 || status >= 500);
}

static void report(struct kube_watch *watch, const struct err *err)
{
    enum log_level level = watch->failures == WARN_AFTER ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;

    set_trouble(watch, err_text(err));
    LOG_AT(watch->env.log, level, "watch is in trouble",
           KV("resource", watch->opts.query.collection.resource->plural), KV("error", err_text(err)),
           KV_INT("failures", watch->failures));
}

static int64_t pause_ms(const struct kube_watch *watch, const struct err *err)
{
    int64_t asked = err_remote(err)->retry_after_ms;
    int64_t drawn = backoff_delay_ms(&pauses, watch->failures, watch->env.random);

    /* That versions grow old is part of the protocol: the first time costs nothing but a list. */
    if (err_is_code(err, "Expired") && watch->failures == 1)
        return 0;
    return asked > drawn ? sooner(asked, MINUTES(5)) : drawn;
}

static void recover(struct kube_watch *watch, struct err *err)
{
    AUTO_ERR struct err *cause = err;
    struct sched *sched = watch->env.sched;

    if (err_kind(cause) == ERR_CANCELED)
        return;
    watch->failures++;
    watch->broken += watch->version && err_remote(cause)->http_status == 500;
    count(watch, &watch->stats.failures);
    report(watch, cause);
    if (!keeps_version(watch, cause)) {
        xfree(TAKE(watch->version));
        watch->broken = 0;
    }
    (void)sched_wait_until(sched, watch->env.stop, sched_now_ms(sched) + pause_ms(watch, cause));
}

static bool wants_pages(struct kube_watch *watch)
{
    if (watch->version)
        return false;
    if (watch->listing == LIST_PAGED && sched_now_ms(watch->env.sched) >= watch->streams_ms)
        watch->listing = LIST_STREAMED;
    return watch->listing != LIST_STREAMED;
}

static void run(void *arg)
{
    struct kube_watch *watch = arg;

    while (!stop_requested(watch->env.stop)) {
        struct err *err;

        mark_turn(watch);
        err = wants_pages(watch) ? list(watch) : watch_once(watch);
        if (err)
            recover(watch, err);
    }
}

/* --- life --- */

static void forward_stop(void *stop)
{
    stop_request(stop);
}

static void copy_opts(struct kube_watch *watch, const struct kube_watch_opts *opts)
{
    struct kube_query *query = &watch->opts.query;

    watch->opts = *opts;
    watch->listing = opts->lists_in_pages ? LIST_PAGED : LIST_STREAMED;
    watch->streams_ms = NEVER_MS;
    query->collection.namespace = watch->namespace = xstrdup_or_null(query->collection.namespace);
    query->collection.name = query->collection.subresource = NULL;
    query->label_selector = watch->labels = xstrdup_or_null(query->label_selector);
    query->field_selector = watch->fields = xstrdup_or_null(query->field_selector);
    query->resource_version = NULL;
    query->initial_events = false;
    if (watch->opts.idle_ms <= 0)
        watch->opts.idle_ms = MINUTES(3);
    if (watch->opts.min_timeout_ms <= 0)
        watch->opts.min_timeout_ms = MINUTES(5);
    if (!watch->opts.max_line_bytes)
        watch->opts.max_line_bytes = 4 * MIB;
}

struct err *kube_watch_start(struct kube_client *client, const struct env *env,
                             const struct kube_watch_opts *opts, struct kube_store *store,
                             struct kube_watch **ret)
{
    struct kube_watch *watch;

    if (!opts->query.collection.resource)
        return err_new(ERR_INVALID, "a watch needs a resource");
    watch = xcalloc(1, sizeof(*watch));
    watch->client = client;
    watch->store = store;
    watch->env = *env;
    watch->env.stop = stop_new();
    pthread_mutex_init(&watch->lock, NULL);
    copy_opts(watch, opts);
    mark_turn(watch);
    watch->subscription = stop_subscribe(env->stop, forward_stop, watch->env.stop);
    watch->task = sched_spawn(env->sched, "watch", run, watch);
    *ret = watch;
    return NULL;
}

void kube_watch_stop(struct kube_watch *watch)
{
    if (!watch)
        return;
    stop_request(watch->env.stop);
    sched_join(watch->task);
    stop_unsubscribe(watch->subscription);
    stop_free(watch->env.stop);
    xfree(watch->namespace);
    xfree(watch->labels);
    xfree(watch->fields);
    xfree(watch->version);
    xfree(watch->trouble);
    pthread_mutex_destroy(&watch->lock);
    xfree(watch);
}

char *kube_watch_trouble(struct kube_watch *watch)
{
    LOCK_SCOPE(&watch->lock);
    return xstrdup_or_null(watch->trouble);
}

struct kube_watch_stats kube_watch_stats(struct kube_watch *watch)
{
    LOCK_SCOPE(&watch->lock);
    return watch->stats;
}
