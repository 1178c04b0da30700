#include "controller/objects_kube.h"

#include "controller/metrics.h"
#include "controller/objects_kube_priv.h"

#define EVENTS_GRACE_MS SECONDS(2)

static const struct kube_resource namespaces = {.version = "v1", .plural = "namespaces", .kind = "Namespace"};

static struct objects_kube *kube_of(struct objects *objects)
{
    return (struct objects_kube *)objects;
}

/* --- reading --- */

static struct err *read_live(struct objects *self, const struct env *env, const struct object_id *id,
                             struct json **ret)
{
    return collection_get(&kube_of(self)->collections[id->kind], env, id, ret);
}

static struct err *read_stored(struct objects *self, const struct env *env, const struct object_id *id,
                               struct json **ret)
{
    struct collection *collection = &kube_of(self)->collections[id->kind];
    AUTO_FREE char *key = kube_key(id->namespace, id->name);
    AUTO_KUBE_OBJECT const struct kube_object *object = NULL;

    if (collection_is_uncertain(collection, key))
        return collection_get(collection, env, id, ret);
    object = kube_store_get(collection->store, key);
    *ret = object ? json_copy(object->json) : NULL;
    return NULL;
}

static void each_stored(struct objects *self, enum object_kind kind, const char *group, objects_see_fn *see,
                        void *arg)
{
    struct kube_store *store = kube_of(self)->collections[kind].store;
    AUTO_KUBE_OBJECTS struct kube_objects objects =
        group ? kube_store_list_group(store, group) : kube_store_list(store, NULL);

    for (size_t i = 0; i < objects.count; i++) {
        if (!see(arg, objects.items[i]->json))
            return;
    }
}

/* "main: Copy" of "main: Copy: copy job ... completed"; yours, NULL when the note is about no step. Without
 * it the Copy of one database would count as a repeat of another's. */
static char *action_of(const char *note)
{
    struct str rest = str_of(note), subject = {0}, step = {0};

    if (!str_cut(&rest, ':', &subject) || !str_cut(&rest, ':', &step))
        return NULL;
    step = str_trim(step);
    if (!subject.len || !step.len || str_contains(subject, " ") || str_contains(step, " "))
        return NULL;
    return xasprintf("%.*s: %.*s", (int)subject.len, subject.ptr, (int)step.len, step.ptr);
}

static void emit(struct objects *self, const struct env *env, const struct json *object,
                 enum event_severity severity, const char *reason, const char *note)
{
    AUTO_FREE char *action = action_of(note);
    const struct kube_event event = {.regarding = object,
                                     .severity = severity == EVENT_WARNING ? KUBE_WARNING : KUBE_NORMAL,
                                     .reason = reason,
                                     .action = action,
                                     .note = note};

    (void)env;
    kube_event_emit(kube_of(self)->events, &event);
}

static const struct objects_ops ops = {
    .read = read_stored,
    .read_live = read_live,
    .each = each_stored,
    .write_status = objects_kube_write_status,
    .set_finalizer = objects_kube_set_finalizer,
    .remove = objects_kube_remove,
    .read_leftovers = objects_kube_read_leftovers,
    .write_leftovers = objects_kube_write_leftovers,
    .emit = emit,
};

/* --- life --- */

struct objects *objects_kube_new(const struct objects_kube_opts *opts)
{
    struct objects_kube *kube = xcalloc(1, sizeof(*kube));

    kube->base = (struct objects){.ops = &ops, .kube = opts->client, .grants_apply = true};
    kube->client = opts->client;
    kube->env = *opts->env;
    kube->env.transport = NULL;
    kube->new_transport = opts->new_transport;
    kube->new_transport_arg = opts->new_transport_arg;
    kube->instance = xstrdup_or_null(opts->instance);
    kube->namespace = xstrdup(opts->namespace ? opts->namespace : "default");
    for (int kind = 0; kind < COLLECTION_COUNT; kind++)
        collection_init(&kube->collections[kind], kube, kind);
    return &kube->base;
}

static struct err *probe_kind(struct objects_kube *kube, const struct env *env, enum object_kind kind)
{
    const struct kube_resource *resource = kube->collections[kind].resource;
    const struct kube_query query = {.collection = {.resource = resource}, .page_size = 1};
    AUTO_KUBE_PAGE struct kube_page page = {0};
    AUTO_ERR struct err *err = kube_list_page(kube->client, env, &query, NULL, &page);

    if (err && err_is_code(err, "NotServed"))
        return err_new(
            ERR_NOT_FOUND,
            "the API server does not know the kind %s: its CustomResourceDefinition is not installed "
            "(kubectl apply --server-side -k crds)",
            resource->kind);
    return err_wrap(TAKE(err), "list %s", resource->plural);
}

static struct err *learn_installation(struct objects_kube *kube, const struct env *env)
{
    const struct kube_ref ref = {.resource = &namespaces, .name = "kube-system"};
    AUTO_JSON struct json *object = NULL;
    const char *uid;

    TRY(err_wrap(kube_get(kube->client, env, &ref, &object),
                 "read the namespace kube-system, whose UID names this cluster"));
    uid = json_get_text(object, "metadata.uid", "");
    if (!*uid)
        return err_new(ERR_RETRY, "the namespace kube-system has no UID");
    xfree(kube->installation);
    kube->installation = xstrdup(uid);
    kube->base.installation = kube->installation;
    return NULL;
}

struct err *objects_kube_probe(struct objects *objects, const struct env *env)
{
    struct objects_kube *kube = kube_of(objects);

    for (int kind = 0; kind < COLLECTION_COUNT; kind++)
        TRY(probe_kind(kube, env, kind));
    return kube->installation ? NULL : learn_installation(kube, env);
}

struct err *objects_kube_start(struct objects *objects, objects_changed_fn *changed, void *arg)
{
    struct objects_kube *kube = kube_of(objects);
    const struct kube_events_opts events = {.controller = API_GROUP "/controller",
                                            .instance = kube->instance};

    kube->changed = changed;
    kube->changed_arg = arg;
    kube->events_env = kube->env;
    kube->events_env.transport = kube->new_transport(kube->new_transport_arg);
    kube->events = kube_events_start(kube->client, &kube->events_env, &events);
    for (int kind = 0; kind < COLLECTION_COUNT; kind++)
        TRY(collection_start(&kube->collections[kind]));
    return NULL;
}

bool objects_kube_wait_synced(struct objects *objects, int64_t deadline_ms)
{
    struct objects_kube *kube = kube_of(objects);

    for (int kind = 0; kind < COLLECTION_COUNT; kind++) {
        if (!kube_store_wait_synced(kube->collections[kind].store, kube->env.sched, kube->env.stop,
                                    deadline_ms))
            return false;
    }
    return true;
}

struct err *objects_kube_refresh(struct objects *objects, const struct env *env)
{
    struct objects_kube *kube = kube_of(objects);

    for (int kind = 0; kind < COLLECTION_COUNT; kind++) {
        const struct collection *collection = &kube->collections[kind];

        TRY(err_wrap(kube_watch_list_now(collection->watch, env), "list %s", collection->resource->plural));
    }
    return NULL;
}

char *objects_kube_trouble(struct objects *objects)
{
    struct objects_kube *kube = kube_of(objects);
    char *trouble = NULL;

    for (int kind = 0; kind < COLLECTION_COUNT && !trouble; kind++) {
        struct collection *collection = &kube->collections[kind];
        AUTO_FREE char *text = collection->watch ? kube_watch_trouble(collection->watch) : NULL;

        if (text)
            trouble = xasprintf("%s: %s", collection->resource->plural, text);
    }
    return trouble;
}

bool objects_kube_is_ahead(struct objects *objects)
{
    struct objects_kube *kube = kube_of(objects);

    for (int kind = 0; kind < COLLECTION_COUNT; kind++) {
        struct kube_watch *watch = kube->collections[kind].watch;

        if (watch && kube_watch_is_ahead(watch))
            return true;
    }
    return false;
}

void objects_kube_count(struct objects *objects, struct metrics *metrics)
{
    struct objects_kube *kube = kube_of(objects);
    const struct kube_events_stats events = kube_events_stats(kube->events);

    controller_metrics_kube_events(metrics, &events);
    for (int kind = 0; kind < COLLECTION_COUNT; kind++) {
        const struct collection *collection = &kube->collections[kind];
        const struct kube_watch_stats stats = kube_watch_stats(collection->watch);

        controller_metrics_watch(metrics, collection->resource->plural, &stats);
    }
}

int64_t objects_kube_silent_ms(struct objects *objects)
{
    struct objects_kube *kube = kube_of(objects);
    int64_t now_ms = sched_now_ms(kube->env.sched), longest_ms = 0;

    for (int kind = 0; kind < COLLECTION_COUNT; kind++) {
        int64_t silent_ms = now_ms - kube_watch_stats(kube->collections[kind].watch).turned_ms;

        longest_ms = silent_ms > longest_ms ? silent_ms : longest_ms;
    }
    return longest_ms;
}

void objects_kube_resync(struct objects *objects)
{
    for (int kind = 0; kind < COLLECTION_COUNT; kind++)
        collection_resync(&kube_of(objects)->collections[kind]);
}

void objects_kube_stop(struct objects *objects)
{
    struct objects_kube *kube = kube_of(objects);

    for (int kind = 0; kind < COLLECTION_COUNT; kind++)
        collection_stop(&kube->collections[kind]);
    if (!kube->events)
        return;
    kube_events_stop(TAKE(kube->events), EVENTS_GRACE_MS);
    transport_free(TAKE(kube->events_env.transport));
}

void objects_kube_free(struct objects *objects)
{
    struct objects_kube *kube = kube_of(objects);

    if (!kube)
        return;
    for (int kind = 0; kind < COLLECTION_COUNT; kind++)
        collection_done(&kube->collections[kind]);
    xfree(kube->instance);
    xfree(kube->namespace);
    xfree(kube->installation);
    xfree(kube);
}
