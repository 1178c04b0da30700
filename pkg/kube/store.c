#include "pkg/kube/store.h"

#include <stdatomic.h>

#include "pkg/base/lock.h"
#include "pkg/kube/keymap.h"

#define NAME_MAX_BYTES 253
#define GRAVES_MAX 1024
#define HANDLERS_MAX 16

/* --- objects --- */

struct held_object {
    struct kube_object view; /* first: what others see */
    atomic_int refs;
    struct json *json;
    char *key;
};

static const char last_applied[] = "kubectl.kubernetes.io/last-applied-configuration";

/* Often most of the bytes, and of no use to a reader. */
static void trim(struct json *object)
{
    struct json *meta = json_edit(object, "metadata"),
                *annotations = json_edit(object, "metadata.annotations");

    if (json_is(annotations, JSON_OBJECT))
        json_remove(annotations, last_applied);
    json_remove(meta, "managedFields");
}

struct err *kube_object_new(struct json *object, const struct kube_object **ret)
{
    const char *name = json_get_text(object, "metadata.name", "");
    const char *namespace = json_get_text(object, "metadata.namespace", "");
    struct held_object *held;

    if (!*name || strlen(name) > NAME_MAX_BYTES || strlen(namespace) > NAME_MAX_BYTES) {
        json_free(object);
        return err_new(ERR_INVALID, "not an object: metadata.name is missing or too long");
    }
    trim(object);
    held = xcalloc(1, sizeof(*held));
    atomic_init(&held->refs, 1);
    held->json = object;
    held->key = kube_key(namespace, name);
    held->view = (struct kube_object){
        .json = object,
        .key = held->key,
        .namespace = namespace,
        .name = name,
        .uid = json_get_text(object, "metadata.uid", ""),
        .resource_version = json_get_text(object, "metadata.resourceVersion", ""),
        .generation = json_get_int(object, "metadata.generation", 0),
        .deleting = !text_is_empty(json_get_text(object, "metadata.deletionTimestamp", NULL)),
    };
    *ret = &held->view;
    return NULL;
}

static struct held_object *held_of(const struct kube_object *object)
{
    return (struct held_object *)(uintptr_t)object;
}

const struct kube_object *kube_object_ref(const struct kube_object *object)
{
    if (object)
        atomic_fetch_add(&held_of(object)->refs, 1);
    return object;
}

void kube_object_unref(const struct kube_object *object)
{
    struct held_object *held = held_of(object);

    if (!object || atomic_fetch_sub(&held->refs, 1) > 1)
        return;
    json_free(held->json);
    xfree(held->key);
    xfree(held);
}

char *kube_key(const char *namespace, const char *name)
{
    return text_is_empty(namespace) ? xstrdup(name) : xasprintf("%s/%s", namespace, name);
}

void kube_key_split(const char *key, struct str *ret_namespace, struct str *ret_name)
{
    struct str rest = str_of(key), first = {0};

    str_cut(&rest, '/', &first);
    *ret_namespace = strchr(key, '/') ? first : str_of("");
    *ret_name = strchr(key, '/') ? rest : first;
}

/* --- versions --- */

static bool is_version(const char *text)
{
    if (!text || *text < '1' || *text > '9')
        return false;
    return strspn(text, "0123456789") == strlen(text);
}

enum kube_order kube_version_compare(const char *a, const char *b)
{
    size_t a_len, b_len;
    int order;

    if (!is_version(a) || !is_version(b))
        return KUBE_UNKNOWN;
    a_len = strlen(a);
    b_len = strlen(b);
    if (a_len != b_len)
        return a_len < b_len ? KUBE_OLDER : KUBE_NEWER;
    order = memcmp(a, b, a_len);
    return order < 0 ? KUBE_OLDER : order > 0 ? KUBE_NEWER : KUBE_SAME;
}

/* --- the store --- */

/* Objects that belong together; exists as long as it has members. */
struct group {
    struct keymap_node node;
    struct entry *first;
    size_t count;
};

struct entry {
    struct keymap_node node;
    const struct kube_object *object;
    struct group *group; /* NULL: none */
    struct entry *group_next, *group_prev;
    bool is_told;   /* handlers know this version; false after kube_store_learn() */
    bool is_listed; /* scratch of replace */
};

/* Where an object was seen to go: it comes back only in a younger version (it may have left a selector and
 * returned). */
struct grave {
    char *uid;
    char *resource_version;
};

struct kube_store {
    pthread_mutex_t lock;
    kube_group_fn *group_of; /* immutable once there are objects; NULL: there are no groups */
    struct keymap entries;   /* lock */
    struct keymap groups;    /* lock */
    char *resource_version;  /* lock; the watch has delivered everything up to here; NULL before the list */
    struct grave graves[GRAVES_MAX]; /* lock; a ring */
    size_t next_grave;               /* lock */
    bool has_synced;                 /* lock */
    struct spot **waiting;           /* lock; in kube_store_wait_synced() */
    size_t waiting_count;            /* lock */
    struct {
        kube_change_fn *fn;
        void *arg;
    } handlers[HANDLERS_MAX]; /* immutable once the watch runs */
    size_t handler_count;
};

struct kube_store *kube_store_new(void)
{
    struct kube_store *store = xcalloc(1, sizeof(*store));

    pthread_mutex_init(&store->lock, NULL);
    return store;
}

/* --- groups --- */

static void leave_group(struct kube_store *store, struct entry *entry)
{
    struct group *group = TAKE(entry->group);

    if (!group)
        return;
    *(entry->group_prev ? &entry->group_prev->group_next : &group->first) = entry->group_next;
    if (entry->group_next)
        entry->group_next->group_prev = entry->group_prev;
    entry->group_next = entry->group_prev = NULL;
    if (--group->count)
        return;
    keymap_remove(&store->groups, &group->node);
    xfree(group->node.key);
    xfree(group);
}

/* `name` is taken over. */
static struct group *get_group(struct kube_store *store, char *name)
{
    AUTO_FREE char *owned = name;
    struct group *group = keymap_find(&store->groups, name);

    if (group)
        return group;
    group = xcalloc(1, sizeof(*group));
    group->node.key = TAKE(owned);
    keymap_insert(&store->groups, &group->node);
    return group;
}

static void join_group(struct kube_store *store, struct entry *entry)
{
    char *name = store->group_of ? store->group_of(entry->object) : NULL;
    struct group *group = name ? get_group(store, name) : NULL;

    if (!group)
        return;
    entry->group = group;
    entry->group_next = group->first;
    if (group->first)
        group->first->group_prev = entry;
    group->first = entry;
    group->count++;
}

void kube_store_group_by(struct kube_store *store, kube_group_fn *fn)
{
    store->group_of = fn;
}

/* --- reading --- */

static void drop_entry(struct kube_store *store, struct entry *entry)
{
    leave_group(store, entry);
    keymap_remove(&store->entries, &entry->node);
    kube_object_unref(entry->object);
    xfree(entry->node.key);
    xfree(entry);
}

void kube_store_free(struct kube_store *store)
{
    struct entry *entry;

    if (!store)
        return;
    while ((entry = keymap_next(&store->entries, NULL)))
        drop_entry(store, entry);
    keymap_done(&store->entries);
    keymap_done(&store->groups);
    for (size_t i = 0; i < GRAVES_MAX; i++) {
        xfree(store->graves[i].uid);
        xfree(store->graves[i].resource_version);
    }
    xfree(store->resource_version);
    xfree(store->waiting);
    pthread_mutex_destroy(&store->lock);
    xfree(store);
}

const struct kube_object *kube_store_get(struct kube_store *store, const char *key)
{
    LOCK_SCOPE(&store->lock);
    struct entry *entry = keymap_find(&store->entries, key);

    return entry ? kube_object_ref(entry->object) : NULL;
}

static int compare_keys(const void *a, const void *b)
{
    const struct kube_object *const *x = a, *const *y = b;

    return strcmp((*x)->key, (*y)->key);
}

struct kube_objects kube_store_list(struct kube_store *store, const char *namespace)
{
    struct kube_objects list = {0};

    {
        LOCK_SCOPE(&store->lock);
        list.items = xcalloc(store->entries.count + 1, sizeof(*list.items));
        for (struct entry *e = keymap_next(&store->entries, NULL); e;
             e = keymap_next(&store->entries, &e->node)) {
            if (!namespace || text_equal(e->object->namespace, namespace))
                list.items[list.count++] = kube_object_ref(e->object);
        }
    }
    qsort(list.items, list.count, sizeof(*list.items), compare_keys);
    return list;
}

struct kube_objects kube_store_list_group(struct kube_store *store, const char *name)
{
    struct kube_objects list = {0};

    {
        LOCK_SCOPE(&store->lock);
        const struct group *group = keymap_find(&store->groups, name);

        list.items = xcalloc(group ? group->count : 1, sizeof(*list.items));
        for (const struct entry *e = group ? group->first : NULL; e; e = e->group_next)
            list.items[list.count++] = kube_object_ref(e->object);
    }
    qsort(list.items, list.count, sizeof(*list.items), compare_keys);
    return list;
}

void kube_objects_done(struct kube_objects *objects)
{
    for (size_t i = 0; i < objects->count; i++)
        kube_object_unref(objects->items[i]);
    xfree(objects->items);
    *objects = (struct kube_objects){0};
}

size_t kube_store_count(struct kube_store *store)
{
    LOCK_SCOPE(&store->lock);
    return store->entries.count;
}

static void advance(struct kube_store *store, const char *resource_version)
{
    if (text_is_empty(resource_version) ||
        kube_version_compare(resource_version, store->resource_version) == KUBE_OLDER)
        return;
    xfree(store->resource_version);
    store->resource_version = xstrdup(resource_version);
}

static void bury(struct kube_store *store, const char *uid, const char *resource_version)
{
    struct grave *grave = &store->graves[store->next_grave];

    if (text_is_empty(uid))
        return;
    xfree(grave->uid);
    xfree(grave->resource_version);
    grave->uid = xstrdup(uid);
    grave->resource_version = xstrdup(resource_version);
    store->next_grave = (store->next_grave + 1) % GRAVES_MAX;
}

/* The newest burial counts, so the ring is walked backwards. */
static const struct grave *find_grave(const struct kube_store *store, const char *uid)
{
    for (size_t i = 1; i <= GRAVES_MAX && !text_is_empty(uid); i++) {
        const struct grave *grave = &store->graves[(store->next_grave + GRAVES_MAX - i) % GRAVES_MAX];

        if (!grave->uid)
            return NULL;
        if (text_equal(grave->uid, uid))
            return grave;
    }
    return NULL;
}

static struct entry *add_entry(struct kube_store *store, const char *key)
{
    struct entry *entry = xcalloc(1, sizeof(*entry));

    entry->node.key = xstrdup(key);
    keymap_insert(&store->entries, &entry->node);
    return entry;
}

static void put(struct kube_store *store, struct entry *entry, const struct kube_object *object)
{
    if (!entry)
        entry = add_entry(store, object->key);
    leave_group(store, entry);
    kube_object_ref(object);
    kube_object_unref(entry->object);
    entry->object = object;
    entry->is_told = false;
    join_group(store, entry);
}

/* Everything up to this version is in the store already: what it lacks has gone since. */
static bool is_past(const struct kube_store *store, const char *resource_version)
{
    enum kube_order order = kube_version_compare(resource_version, store->resource_version);

    return order == KUBE_OLDER || order == KUBE_SAME;
}

/* Whether a version that the server's stream or list shows may replace what is known. */
static bool is_news(const struct kube_store *store, const struct entry *entry,
                    const struct kube_object *object)
{
    const struct grave *grave;

    if (entry &&
        kube_version_compare(object->resource_version, entry->object->resource_version) == KUBE_OLDER)
        return false;
    grave = entry && text_equal(entry->object->uid, object->uid) ? NULL : find_grave(store, object->uid);
    if (!grave)
        return true;
    switch (kube_version_compare(object->resource_version, grave->resource_version)) {
    case KUBE_NEWER:
    case KUBE_UNKNOWN:
        return true;
    case KUBE_OLDER:
    case KUBE_SAME:
        break;
    }
    return false;
}

static void learn(struct kube_store *store, const struct kube_object *object)
{
    struct entry *entry = keymap_find(&store->entries, object->key);

    if (entry) {
        bool is_same = text_equal(entry->object->resource_version, object->resource_version);

        if (is_same || !is_news(store, entry, object))
            return;
        put(store, entry, object);
        return;
    }
    if (!find_grave(store, object->uid) && !is_past(store, object->resource_version))
        put(store, NULL, object);
}

void kube_store_learn(struct kube_store *store, const struct json *object)
{
    AUTO_KUBE_OBJECT const struct kube_object *held = NULL;
    struct err *err = kube_object_new(json_copy(object), &held);

    if (err) {
        err_ignore(err, "an answer that is not an object teaches nothing");
        return;
    }
    LOCK_SCOPE(&store->lock);
    learn(store, held);
}

void kube_store_on_change(struct kube_store *store, kube_change_fn *fn, void *arg)
{
    if (store->handler_count == HANDLERS_MAX)
        abort();
    store->handlers[store->handler_count].fn = fn;
    store->handlers[store->handler_count++].arg = arg;
}

static void tell(const struct kube_store *store, const char *key, enum kube_change change)
{
    for (size_t i = 0; i < store->handler_count; i++)
        store->handlers[i].fn(store->handlers[i].arg, key, change);
}

/* An entry with another uid stays when it is younger than the deletion. */
static void remove_deleted(struct kube_store *store, struct entry *entry, const struct kube_object *object)
{
    bury(store, object->uid, object->resource_version);
    if (!entry)
        return;
    if (!text_equal(entry->object->uid, object->uid) &&
        kube_version_compare(object->resource_version, entry->object->resource_version) == KUBE_OLDER)
        return;
    drop_entry(store, entry);
}

void kube_store_apply(struct kube_store *store, const struct kube_object *object, bool deleted)
{
    {
        LOCK_SCOPE(&store->lock);
        struct entry *entry = keymap_find(&store->entries, object->key);

        if (deleted)
            remove_deleted(store, entry, object);
        else if (is_news(store, entry, object) && (entry || !is_past(store, object->resource_version)))
            put(store, entry, object);
        entry = keymap_find(&store->entries, object->key);
        if (entry)
            entry->is_told = true;
        advance(store, object->resource_version);
    }
    tell(store, object->key, deleted ? KUBE_DELETED : KUBE_CHANGED);
}

char *kube_store_version(struct kube_store *store)
{
    LOCK_SCOPE(&store->lock);
    return xstrdup_or_null(store->resource_version);
}

void kube_store_advance(struct kube_store *store, const char *resource_version)
{
    LOCK_SCOPE(&store->lock);
    advance(store, resource_version);
}

/* --- a new list --- */

struct news {
    struct {
        char *key;
        enum kube_change change;
    } * items;
    size_t count;
};

static void add_news(struct news *news, const char *key, enum kube_change change)
{
    news->items = xgrow(news->items, news->count, sizeof(*news->items));
    news->items[news->count].key = xstrdup(key);
    news->items[news->count++].change = change;
}

static void take_listed(struct kube_store *store, const struct kube_object *object, struct news *news)
{
    enum kube_change change = store->has_synced ? KUBE_CHANGED : KUBE_INITIAL;
    struct entry *entry = keymap_find(&store->entries, object->key);
    bool is_same = entry && text_equal(entry->object->uid, object->uid) &&
                   text_equal(entry->object->resource_version, object->resource_version);

    if (!is_same && is_news(store, entry, object)) {
        put(store, entry, object);
        entry = keymap_find(&store->entries, object->key);
    }
    if (!entry)
        return;
    if (!entry->is_told)
        add_news(news, object->key, change);
    entry->is_told = true;
    entry->is_listed = true;
}

/* What the list lacks is gone, unless we wrote it after the list was made. */
static void drop_vanished(struct kube_store *store, const char *resource_version, struct news *news)
{
    struct entry *entry = keymap_next(&store->entries, NULL), *next;

    for (; entry; entry = next) {
        next = keymap_next(&store->entries, &entry->node);
        if (entry->is_listed) {
            entry->is_listed = false;
            continue;
        }
        if (kube_version_compare(entry->object->resource_version, resource_version) == KUBE_NEWER)
            continue;
        bury(store, entry->object->uid, resource_version);
        add_news(news, entry->node.key, KUBE_DELETED);
        drop_entry(store, entry);
    }
}

static struct err *refuse(const char *code, struct err *err)
{
    return err_set_remote(err, &(struct err_remote){.service = "kubernetes", .code = code});
}

/* What was written up to the list's version is in it. */
static bool has_gone_back(const struct entry *entry, const struct kube_object *listed,
                          const char *resource_version)
{
    const char *known = entry->object->resource_version;
    enum kube_order order = kube_version_compare(known, resource_version);

    return kube_version_compare(listed->resource_version, known) == KUBE_OLDER &&
           (order == KUBE_OLDER || order == KUBE_SAME);
}

/* NULL: none. Of an object that is in the list more than once, as in one that came by a stream, the last
 * counts. */
static const struct kube_object *find_gone_back(struct kube_store *store, const struct kube_objects *list,
                                                const char *resource_version)
{
    const struct kube_object *found = NULL;

    for (size_t i = list->count; i-- > 0;) {
        struct entry *entry = keymap_find(&store->entries, list->items[i]->key);

        if (!entry || entry->is_listed)
            continue;
        entry->is_listed = true;
        if (has_gone_back(entry, list->items[i], resource_version))
            found = list->items[i];
    }
    for (size_t i = 0; i < list->count; i++) {
        struct entry *entry = keymap_find(&store->entries, list->items[i]->key);

        if (entry)
            entry->is_listed = false;
    }
    return found;
}

static struct err *check_history(struct kube_store *store, const struct kube_objects *list,
                                 const char *resource_version)
{
    const struct kube_object *gone_back;

    if (kube_version_compare(resource_version, store->resource_version) == KUBE_OLDER)
        return refuse("TimeTravel", err_new(ERR_RETRY, "the list is of version %s, but %s was seen already",
                                            resource_version, store->resource_version));
    gone_back = find_gone_back(store, list, resource_version);
    if (gone_back)
        return refuse(
            "HistoryWentBack",
            err_new(ERR_RETRY,
                    "the list is of version %s and shows %s at %s, but a later one was seen already",
                    resource_version, gone_back->key, gone_back->resource_version));
    return NULL;
}

static struct err *replace(struct kube_store *store, const struct kube_objects *list,
                           const char *resource_version, struct news *news)
{
    LOCK_SCOPE(&store->lock);

    TRY(check_history(store, list, resource_version));
    for (size_t i = 0; i < list->count; i++)
        take_listed(store, list->items[i], news);
    drop_vanished(store, resource_version, news);
    advance(store, resource_version);
    return NULL;
}

static void set_synced(struct kube_store *store)
{
    LOCK_SCOPE(&store->lock);
    store->has_synced = true;
    for (size_t i = 0; i < store->waiting_count; i++)
        sched_wake(store->waiting[i]);
}

struct err *kube_store_replace(struct kube_store *store, struct kube_objects *list,
                               const char *resource_version)
{
    struct news news = {0};
    struct err *err = replace(store, list, resource_version, &news);

    for (size_t i = 0; i < news.count; i++) {
        tell(store, news.items[i].key, news.items[i].change);
        xfree(news.items[i].key);
    }
    xfree(news.items);
    kube_objects_done(list);
    if (!err)
        set_synced(store);
    return err;
}

bool kube_store_has_synced(struct kube_store *store)
{
    LOCK_SCOPE(&store->lock);
    return store->has_synced;
}

/* --- waiting for the first list --- */

static void add_waiting(struct kube_store *store, struct spot *spot)
{
    LOCK_SCOPE(&store->lock);
    store->waiting = xgrow(store->waiting, store->waiting_count, sizeof(struct spot *));
    store->waiting[store->waiting_count++] = spot;
}

static void remove_waiting(struct kube_store *store, const struct spot *spot)
{
    LOCK_SCOPE(&store->lock);
    for (size_t i = 0; i < store->waiting_count; i++) {
        if (store->waiting[i] == spot) {
            store->waiting[i] = store->waiting[--store->waiting_count];
            return;
        }
    }
}

static void wake_spot(void *spot)
{
    sched_wake(spot);
}

bool kube_store_wait_synced(struct kube_store *store, struct sched *sched, struct stop *stop,
                            int64_t deadline_ms)
{
    struct spot *spot = sched_spot_new(sched);
    struct stop_subscription *subscription = stop_subscribe(stop, wake_spot, spot);

    add_waiting(store, spot);
    while (!kube_store_has_synced(store) && !stop_requested(stop) && sched_now_ms(sched) < deadline_ms)
        (void)sched_park(spot, deadline_ms);
    remove_waiting(store, spot);
    stop_unsubscribe(subscription);
    sched_spot_free(spot);
    return kube_store_has_synced(store);
}
