/* What we know of a collection: namespace/name → the newest version seen of the object. A watch fills it;
 * writers teach it their own writes at once, so that nobody reads something older than what this process has
 * written.
 *
 * An entry never goes back in time: a version that is older than the one known is dropped, a uid that was
 * seen deleted never returns, what a list lacked does not come with an event from before that list, and a
 * list that vanished keys are judged by must be younger than the entry. Versions are compared as
 * Kubernetes 1.35 defines it (decimal strings by length, then bytes); any other spelling counts as
 * "different", and then the watch's order decides.
 *
 * Threads: everything from any thread. Objects are immutable and shared by reference. Handlers run on the
 * thread that brought the news, with no lock held; they must not park and get keys only. */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H

#include "pkg/base/json.h"
#include "pkg/base/sched.h"

/* One version of one object, without metadata.managedFields and the last-applied annotation. */
struct kube_object {
    const struct json *json;
    const char *key;       /* "namespace/name", or "name" when cluster-scoped */
    const char *namespace; /* "" when cluster-scoped */
    const char *name;
    const char *uid;
    const char *resource_version;
    int64_t generation; /* 0: none */
    bool deleting;      /* deletionTimestamp is set */
};

/* Takes the value over; ERR_INVALID when metadata.name is missing or longer than names can be. */
struct err *kube_object_new(struct json *object, const struct kube_object **ret) MUST_USE;
const struct kube_object *kube_object_ref(const struct kube_object *object); /* NULL is fine */
void kube_object_unref(const struct kube_object *object);

static inline void auto_kube_object(const struct kube_object **object)
{
    kube_object_unref(*object);
}
#define AUTO_KUBE_OBJECT CLEANUP(auto_kube_object)

/* Older, same, newer, or no telling. "" and "0" are not versions of an object and compare as unknown. */
enum kube_order { KUBE_OLDER = -1, KUBE_SAME = 0, KUBE_NEWER = 1, KUBE_UNKNOWN = 2 };
enum kube_order kube_version_compare(const char *a, const char *b); /* KUBE_NEWER: a is newer than b */

char *kube_key(const char *namespace, const char *name); /* namespace NULL or "": just the name */
/* Views into key. */
void kube_key_split(const char *key, struct str *ret_namespace, struct str *ret_name);

struct kube_store;

struct kube_store *kube_store_new(void);
void kube_store_free(struct kube_store *store); /* its watch is gone */

/* A reference of yours, or NULL. */
const struct kube_object *kube_store_get(struct kube_store *store, const char *key) MUST_USE;

struct kube_objects {
    const struct kube_object **items; /* sorted by key; each a reference */
    size_t count;
};
/* `namespace` NULL: all of them. */
struct kube_objects kube_store_list(struct kube_store *store, const char *namespace);
void kube_objects_done(struct kube_objects *objects);
#define AUTO_KUBE_OBJECTS CLEANUP(kube_objects_done)
size_t kube_store_count(struct kube_store *store);

/* The group that an object belongs to; yours, NULL: none. Must depend on the object alone. */
typedef char *kube_group_fn(const struct kube_object *object);
/* From now on objects can be found by their group; before the first object. */
void kube_store_group_by(struct kube_store *store, kube_group_fn *fn);
/* The members of one group; costs what they are many, not what the store holds. */
struct kube_objects kube_store_list_group(struct kube_store *store, const char *group);

/* Takes over what a write returned. Calls no handler: the watch will report the same version, and then it
 * does. */
void kube_store_learn(struct kube_store *store, const struct json *object);

/* INITIAL: found by the first list. CHANGED: added, modified, or replaced by one with another uid. DELETED:
 * gone. Every event of the watch is reported, our own writes coming back included: a handler that only
 * enqueues keys loses nothing. */
enum kube_change { KUBE_INITIAL, KUBE_CHANGED, KUBE_DELETED };
typedef void kube_change_fn(void *arg, const char *key, enum kube_change change);
/* Before the watch starts. */
void kube_store_on_change(struct kube_store *store, kube_change_fn *fn, void *arg);

/* True once the first list is in and its handlers have been called. */
bool kube_store_has_synced(struct kube_store *store);
/* False when the stop or the deadline came first. */
bool kube_store_wait_synced(struct kube_store *store, struct sched *sched, struct stop *stop,
                            int64_t deadline_ms);

/* For the watch and for who lists besides it. The list's objects are taken over (array too). When it is
 * refused nothing changes, and the objects are gone. ERR_RETRY "TimeTravel": the list is older than what was
 * seen already. ERR_RETRY "HistoryWentBack": an object in it is older than what was seen of it, and the list
 * is younger, which no server shows whose history only goes on. */
struct err *kube_store_replace(struct kube_store *store, struct kube_objects *list,
                               const char *resource_version) MUST_USE;
/* Takes a reference of its own. */
void kube_store_apply(struct kube_store *store, const struct kube_object *object, bool deleted);
/* Up to where everything is in it; yours, NULL before the first list. */
char *kube_store_version(struct kube_store *store);
/* The watch has delivered everything up to here. */
void kube_store_advance(struct kube_store *store, const char *resource_version);

#endif
