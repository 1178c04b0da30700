/* What the two halves of objects_kube share: one kind's store and what we remember of its objects. */
#ifndef CONTROLLER_OBJECTS_KUBE_PRIV_H
#define CONTROLLER_OBJECTS_KUBE_PRIV_H

#include <pthread.h>

#include "controller/objects_kube.h"
#include "pkg/kube/client.h"
#include "pkg/kube/events.h"
#include "pkg/kube/keymap.h"
#include "pkg/kube/store.h"
#include "pkg/kube/watch.h"

struct objects_kube;

struct collection {
    struct objects_kube *owner;
    enum object_kind kind;
    const struct kube_resource *resource;
    struct kube_store *store;
    struct kube_watch *watch; /* NULL: not started */
    struct env env;           /* of the watch */
    pthread_mutex_t lock;
    struct keymap tracked; /* lock; struct tracked by the store's key */
};

#define COLLECTION_COUNT 2

struct objects_kube {
    struct objects base;
    struct kube_client *client;
    struct env env;
    struct transport *(*new_transport)(void *arg);
    void *new_transport_arg;
    char *instance;
    char *namespace;
    char *installation;                              /* base.installation points here */
    struct collection collections[COLLECTION_COUNT]; /* by enum object_kind */
    struct kube_events *events;                      /* NULL: not started */
    struct env events_env;
    objects_changed_fn *changed;
    void *changed_arg;
};

void collection_init(struct collection *collection, struct objects_kube *owner, enum object_kind kind);
void collection_done(struct collection *collection);
struct err *collection_start(struct collection *collection) MUST_USE;
void collection_stop(struct collection *collection);
void collection_resync(struct collection *collection);

struct kube_ref collection_ref(const struct collection *collection, const struct object_id *id);
/* Around each write of ours, whatever becomes of it; one at a time per key. `written` is what came back,
 * NULL: nothing did. The store knows it then, and its echo is not news, whether it comes before or after the
 * answer. */
void collection_begin_write(struct collection *collection, const char *key);
void collection_end_write(struct collection *collection, const char *key, const struct json *written);
/* How many objects something is remembered of. */
size_t collection_tracked(struct collection *collection);
/* Whether a write of ours may have happened that nobody has seen yet. */
void collection_set_uncertain(struct collection *collection, const char *key);
bool collection_is_uncertain(struct collection *collection, const char *key);

/* Reads live and learns; *ret is NULL when there is no such object. */
struct err *collection_get(struct collection *collection, const struct env *env, const struct object_id *id,
                           struct json **ret) MUST_USE;

/* objects_kube_write.c */
struct err *objects_kube_write_status(struct objects *self, const struct env *env, const struct json *object,
                                      const struct json *status, struct json **ret) MUST_USE;
struct err *objects_kube_set_finalizer(struct objects *self, const struct env *env, const struct json *object,
                                       bool present, struct json **ret) MUST_USE;
/* objects_kube_leftovers.c */
struct err *objects_kube_remove(struct objects *self, const struct env *env,
                                const struct json *object) MUST_USE;
struct err *objects_kube_read_leftovers(struct objects *self, const struct env *env,
                                        struct json **ret) MUST_USE;
struct err *objects_kube_write_leftovers(struct objects *self, const struct env *env,
                                         const struct json *document) MUST_USE;

#endif
