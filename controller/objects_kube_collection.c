/* One kind: its store, its watch, and what is news to the engine. */
#include "controller/objects_kube_priv.h"
#include "pkg/base/lock.h"
#include "pkg/kube/object.h"

static const struct kube_resource resources[] = {
    [OBJECT_ACCOUNT] = {.group = API_GROUP,
                        .version = "v1alpha1",
                        .plural = "awsaccounts",
                        .kind = "AWSAccount"},
    [OBJECT_REFRESH] = {.group = API_GROUP,
                        .version = "v1alpha1",
                        .plural = "stagingrefreshes",
                        .kind = "StagingRefresh",
                        .namespaced = true},
};

struct tracked {
    struct keymap_node node;
    char *told;        /* fingerprint of the version that the engine was told of */
    char *own_version; /* resourceVersion of our last write */
    char *held;        /* resourceVersion that came while we wrote, and may be the echo; NULL: none */
    bool is_usable;    /* it was so in that version: an account that is Ready */
    bool is_writing;
    bool is_uncertain;
};

static void free_tracked(struct tracked *tracked)
{
    xfree(tracked->node.key);
    xfree(tracked->told);
    xfree(tracked->own_version);
    xfree(tracked->held);
    xfree(tracked);
}

/* The lock is held. */
static struct tracked *track(struct collection *collection, const char *key)
{
    struct tracked *tracked = keymap_find(&collection->tracked, key);

    if (tracked)
        return tracked;
    tracked = xcalloc(1, sizeof(*tracked));
    tracked->node.key = xstrdup(key);
    keymap_insert(&collection->tracked, &tracked->node);
    return tracked;
}

/* The lock is held. */
static void drop(struct collection *collection, const char *key)
{
    struct tracked *tracked = keymap_find(&collection->tracked, key);

    if (!tracked)
        return;
    keymap_remove(&collection->tracked, &tracked->node);
    free_tracked(tracked);
}

static void forget(struct collection *collection, const char *key)
{
    LOCK_SCOPE(&collection->lock);
    drop(collection, key);
}

/* The lock is held. An object that has gone meanwhile is not remembered: nobody would forget it again. */
static void drop_if_gone(struct collection *collection, const char *key)
{
    AUTO_KUBE_OBJECT const struct kube_object *object = kube_store_get(collection->store, key);

    if (!object)
        drop(collection, key);
}

/* --- what is news --- */

static const char *condition_status(const struct kube_object *object, const char *type)
{
    const struct json *condition = kube_find_condition(json_at(object->json, "status.conditions"), type);

    return json_get_text(condition, "status", "");
}

/* What the engine acts on, besides the status that only we write and is_usable(): equal texts mean that there
 * is nothing new. */
static char *fingerprint(const struct collection *collection, const struct kube_object *object)
{
    AUTO_BUF struct buf out = BUF_MAX(64 * KIB);

    buf_addf(&out, "%s %lld %d", object->uid, (long long)object->generation, object->deleting);
    json_each (annotation, json_at(object->json, "metadata.annotations")) {
        if (str_starts(str_of(json_key(annotation)), API_GROUP "/"))
            buf_addf(&out, " %s=%s", json_key(annotation), json_get_text(annotation, NULL, ""));
    }
    if (collection->kind == OBJECT_ACCOUNT)
        buf_addf(&out, " %s", condition_status(object, "EventQueue"));
    return buf_take(&out);
}

/* Refreshes wait for an account to become usable, and only its status says so. That it is not any more need
 * not set all of them going: each learns it when it asks AWS for something. */
static bool is_usable(const struct collection *collection, const struct kube_object *object)
{
    return collection->kind == OBJECT_ACCOUNT && text_equal(condition_status(object, "Ready"), "True");
}

/* NEWS_OTHER: not our own write, and nothing that the engine acts on. Somebody may have touched the status: a
 * look costs little. */
enum news { NEWS_NONE, NEWS_OTHER, NEWS_CHANGED };

static enum news judge(struct collection *collection, const struct kube_object *object)
{
    AUTO_FREE char *now = fingerprint(collection, object);
    struct tracked *tracked;
    bool became_usable;

    LOCK_SCOPE(&collection->lock);
    tracked = track(collection, object->key);
    became_usable = is_usable(collection, object) && !tracked->is_usable;
    tracked->is_usable = is_usable(collection, object);
    if (!text_equal(tracked->told, now) || became_usable) {
        xfree(tracked->told);
        tracked->told = TAKE(now);
        return NEWS_CHANGED;
    }
    if (text_equal(tracked->own_version, object->resource_version))
        return NEWS_NONE;
    if (!tracked->is_writing)
        return NEWS_OTHER;
    /* The watch is often faster than the answer to the write: that tells which version is ours. */
    xfree(tracked->held);
    tracked->held = xstrdup(object->resource_version);
    return NEWS_NONE;
}

/* Whether people want something of the object that no controller has looked at: it was made or changed while
 * none was there. */
static bool is_unhandled(const struct json *object)
{
    const char *request = json_get_text(
        json_member(json_at(object, "metadata.annotations"), API_GROUP "/run-requested"), NULL, "");

    return json_get_int(object, "status.observedGeneration", 0) !=
               json_get_int(object, "metadata.generation", 0) ||
           (*request && !text_equal(request, json_get_text(object, "status.lastHandledRequest", "")));
}

/* --- telling --- */

static void tell(struct collection *collection, const char *key, enum work_priority priority)
{
    struct str namespace, name;
    AUTO_FREE char *owned_namespace = NULL;
    AUTO_FREE char *owned_name = NULL;
    struct object_id id = {.kind = collection->kind};

    kube_key_split(key, &namespace, &name);
    id.namespace = owned_namespace = str_dup(namespace);
    id.name = owned_name = str_dup(name);
    collection->owner->changed(collection->owner->changed_arg, &id, priority);
}

static bool names_account(const struct json *refresh, const char *account)
{
    return text_equal(json_get_text(refresh, "spec.sourceRef.name", NULL), account) ||
           text_equal(json_get_text(refresh, "spec.targetRef.name", NULL), account);
}

/* Nobody has changed them: a new object must not wait until all users of an account were looked at. */
static void tell_users(struct collection *accounts, const char *account)
{
    struct collection *refreshes = &accounts->owner->collections[OBJECT_REFRESH];
    AUTO_KUBE_OBJECTS struct kube_objects all = kube_store_list(refreshes->store, NULL);

    for (size_t i = 0; i < all.count; i++) {
        if (names_account(all.items[i]->json, account))
            tell(refreshes, all.items[i]->key, WORK_ROUTINE);
    }
}

static enum work_priority first_priority(const struct kube_object *object)
{
    return is_unhandled(object->json) ? WORK_URGENT : WORK_ROUTINE;
}

static void on_change(void *arg, const char *key, enum kube_change change)
{
    struct collection *collection = arg;
    AUTO_KUBE_OBJECT const struct kube_object *object = kube_store_get(collection->store, key);
    enum news news = object ? judge(collection, object) : NEWS_CHANGED;

    if (!object)
        forget(collection, key);
    if (news == NEWS_NONE)
        return;
    if (news == NEWS_OTHER)
        tell(collection, key, WORK_ROUTINE);
    else
        tell(collection, key, object && change == KUBE_INITIAL ? first_priority(object) : WORK_URGENT);
    if (collection->kind == OBJECT_ACCOUNT && news == NEWS_CHANGED)
        tell_users(collection, key);
}

void collection_resync(struct collection *collection)
{
    AUTO_KUBE_OBJECTS struct kube_objects all = kube_store_list(collection->store, NULL);

    for (size_t i = 0; i < all.count; i++)
        tell(collection, all.items[i]->key, first_priority(all.items[i]));
}

/* --- life --- */

static char *series_of(const struct kube_object *object)
{
    return objects_group(OBJECT_REFRESH, object->json);
}

static char *account_id_of(const struct kube_object *object)
{
    return objects_group(OBJECT_ACCOUNT, object->json);
}

void collection_init(struct collection *collection, struct objects_kube *owner, enum object_kind kind)
{
    *collection = (struct collection){
        .owner = owner, .kind = kind, .resource = &resources[kind], .store = kube_store_new()};
    pthread_mutex_init(&collection->lock, NULL);
    kube_store_group_by(collection->store, kind == OBJECT_REFRESH ? series_of : account_id_of);
    kube_store_on_change(collection->store, on_change, collection);
}

struct err *collection_start(struct collection *collection)
{
    struct objects_kube *owner = collection->owner;
    const struct kube_watch_opts opts = {.query = {.collection = {.resource = collection->resource}}};

    collection->env = owner->env;
    collection->env.transport = owner->new_transport(owner->new_transport_arg);
    return kube_watch_start(owner->client, &collection->env, &opts, collection->store, &collection->watch);
}

void collection_stop(struct collection *collection)
{
    kube_watch_stop(TAKE(collection->watch));
    transport_free(TAKE(collection->env.transport));
}

void collection_done(struct collection *collection)
{
    for (struct keymap_node *node = keymap_next(&collection->tracked, NULL), *next; node; node = next) {
        next = keymap_next(&collection->tracked, node);
        keymap_remove(&collection->tracked, node);
        free_tracked((struct tracked *)node);
    }
    keymap_done(&collection->tracked);
    kube_store_free(collection->store);
    pthread_mutex_destroy(&collection->lock);
}

/* --- what writers teach --- */

struct kube_ref collection_ref(const struct collection *collection, const struct object_id *id)
{
    return (struct kube_ref){.resource = collection->resource,
                             .namespace = collection->resource->namespaced ? id->namespace : NULL,
                             .name = id->name};
}

void collection_begin_write(struct collection *collection, const char *key)
{
    LOCK_SCOPE(&collection->lock);
    track(collection, key)->is_writing = true;
}

/* The lock is held. */
static void take_own(struct tracked *tracked, const struct json *written)
{
    xfree(tracked->own_version);
    tracked->own_version = xstrdup(json_get_text(written, "metadata.resourceVersion", ""));
    tracked->is_uncertain = false;
}

/* Whether what came meanwhile was not our own. */
static bool end_write(struct collection *collection, const char *key, const struct json *written)
{
    AUTO_FREE char *held = NULL;
    struct tracked *tracked;
    bool was_other;

    LOCK_SCOPE(&collection->lock);
    tracked = track(collection, key);
    tracked->is_writing = false;
    if (written)
        take_own(tracked, written);
    held = TAKE(tracked->held);
    was_other = held && !text_equal(held, tracked->own_version);
    drop_if_gone(collection, key);
    return was_other;
}

void collection_end_write(struct collection *collection, const char *key, const struct json *written)
{
    if (written)
        kube_store_learn(collection->store, written);
    if (end_write(collection, key, written))
        tell(collection, key, WORK_ROUTINE);
}

static void set_uncertain(struct collection *collection, const char *key, bool value)
{
    LOCK_SCOPE(&collection->lock);
    track(collection, key)->is_uncertain = value;
    if (!value)
        drop_if_gone(collection, key);
}

void collection_set_uncertain(struct collection *collection, const char *key)
{
    set_uncertain(collection, key, true);
}

bool collection_is_uncertain(struct collection *collection, const char *key)
{
    const struct tracked *tracked;

    LOCK_SCOPE(&collection->lock);
    tracked = keymap_find(&collection->tracked, key);
    return tracked && tracked->is_uncertain;
}

size_t collection_tracked(struct collection *collection)
{
    LOCK_SCOPE(&collection->lock);
    return collection->tracked.count;
}

struct err *collection_get(struct collection *collection, const struct env *env, const struct object_id *id,
                           struct json **ret)
{
    struct kube_ref ref = collection_ref(collection, id);
    AUTO_FREE char *key = kube_key(ref.namespace, ref.name);
    AUTO_JSON struct json *object = NULL;
    AUTO_ERR struct err *err = kube_get(collection->owner->client, env, &ref, &object);

    if (err && err_kind(err) != ERR_NOT_FOUND)
        return TAKE(err);
    if (object)
        kube_store_learn(collection->store, object);
    if (collection_is_uncertain(collection, key))
        set_uncertain(collection, key, false);
    *ret = TAKE(object);
    return NULL;
}
