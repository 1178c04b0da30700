/* Where StagingRefreshes and AWSAccounts live and where their status is written: the API server
 * (objects_kube.c), a state directory (objects_file.c), or memory in a simulation. The engine sees only this.
 *
 * The contract that "exactly once" leans on: objects_read() never gives a version older than our own last
 * write through this interface, and objects_write_status() succeeds only when nobody wrote in between. */
#ifndef CONTROLLER_OBJECTS_H
#define CONTROLLER_OBJECTS_H

#include "pkg/base/env.h"
#include "pkg/base/json.h"

struct kube_client;

enum object_kind { OBJECT_ACCOUNT, OBJECT_REFRESH };

struct object_id {
    enum object_kind kind;
    const char *namespace; /* "" for accounts */
    const char *name;
};

/* Sees one object, borrowed for the call; must neither wait nor call the objects. False: that was enough. */
typedef bool objects_see_fn(void *arg, const struct json *object);

enum event_severity { EVENT_NORMAL, EVENT_WARNING };

struct objects;
struct objects_ops {
    struct err *(*read)(struct objects *self, const struct env *env, const struct object_id *id,
                        struct json **ret);
    struct err *(*read_live)(struct objects *self, const struct env *env, const struct object_id *id,
                             struct json **ret);
    void (*each)(struct objects *self, enum object_kind kind, const char *group, objects_see_fn *see,
                 void *arg);
    struct err *(*write_status)(struct objects *self, const struct env *env, const struct json *object,
                                const struct json *status, struct json **ret);
    struct err *(*set_finalizer)(struct objects *self, const struct env *env, const struct json *object,
                                 bool present, struct json **ret);
    /* NULL: objects are never deleted here. */
    struct err *(*remove)(struct objects *self, const struct env *env, const struct json *object);
    struct err *(*read_leftovers)(struct objects *self, const struct env *env, struct json **ret);
    struct err *(*write_leftovers)(struct objects *self, const struct env *env, const struct json *document);
    void (*emit)(struct objects *self, const struct env *env, const struct json *object,
                 enum event_severity severity, const char *reason, const char *note);
};
struct objects {
    const struct objects_ops *ops;
    /* Names this installation in tags: the UID of the namespace kube-system, or an id in the state directory.
     */
    const char *installation;
    struct kube_client *kube; /* ConfigMaps, Secrets, Deployments; NULL: there is no cluster */
    bool grants_apply;        /* false for `run`: whoever runs it holds the credentials himself */
};

/* *ret is a copy of yours, NULL when there is no such object. */
struct err *objects_read(struct objects *objects, const struct env *env, const struct object_id *id,
                         struct json **ret) MUST_USE;
/* Straight from where it is stored: for checks before something that cannot be taken back. */
struct err *objects_read_live(struct objects *objects, const struct env *env, const struct object_id *id,
                              struct json **ret) MUST_USE;
/* Shows the objects of a group, as objects_read() would give them; NULL: of the kind. Nothing is copied, and
 * in a cluster it costs what the group is large. */
void objects_each(struct objects *objects, enum object_kind kind, const char *group, objects_see_fn *see,
                  void *arg);
/* Copies of them: an array of yours. */
struct json *objects_list(struct objects *objects, enum object_kind kind, const char *group);
/* What belongs together: the StagingRefreshes of a series ("namespace/series"), the AWSAccounts that name one
 * account of AWS (its id). Yours. */
char *objects_group(enum object_kind kind, const struct json *object);
char *objects_series(const char *namespace, const char *series); /* the group of that series; yours */
bool objects_is_in_group(enum object_kind kind, const struct json *object, const char *group); /* NULL: any */
/* Writes the whole status of the object, on condition that it is still the version at hand; *ret is the new
 * version. ERR_CONFLICT otherwise. Nothing is written when nothing changed (*ret is then NULL). */
struct err *objects_write_status(struct objects *objects, const struct env *env, const struct json *object,
                                 const struct json *status, struct json **ret) MUST_USE;
struct err *objects_set_finalizer(struct objects *objects, const struct env *env, const struct json *object,
                                  bool present, struct json **ret) MUST_USE;
bool objects_has_finalizer(const struct json *object);
/* Asks for the object's deletion, on condition that it is still the version at hand, both here and where it
 * is stored: ERR_CONFLICT otherwise. Gone already is fine. Only where objects_can_remove(). */
struct err *objects_remove(struct objects *objects, const struct env *env,
                           const struct json *object) MUST_USE;
bool objects_can_remove(const struct objects *objects);

/* The list of leftovers, one document per installation, straight from where it is stored:
 * {"metadata": {"resourceVersion": ...}, "data": {<key>: <text>, ...}}; a ConfigMap in a cluster. NULL: there
 * is none yet. */
struct err *objects_read_leftovers(struct objects *objects, const struct env *env,
                                   struct json **ret) MUST_USE;
/* Writes a document that was read and changed, on condition that nobody wrote in between (ERR_CONFLICT);
 * without a resourceVersion: that there is none yet. */
struct err *objects_write_leftovers(struct objects *objects, const struct env *env,
                                    const struct json *document) MUST_USE;

/* Best effort; for people. The log is told by the caller. */
void objects_emit(struct objects *objects, const struct env *env, const struct json *object,
                  enum event_severity severity, const char *reason, const char *note);

#define API_GROUP "stagingrefresh.dev"
#define API_VERSION "stagingrefresh.dev/v1alpha1"
#define FINALIZER "stagingrefresh.dev/cleanup"
const char *object_kind_name(enum object_kind kind); /* "AWSAccount", "StagingRefresh" */

#endif
