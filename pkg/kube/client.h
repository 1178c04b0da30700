/* Calls to the API server on JSON objects and resource paths; knows no kind. A client is shared by all
 * threads, each of which brings its own env (transport, stop) per call.
 *
 * Two refusals are met here, whatever the verb, because nothing was done yet: a 401 is answered once with
 * fresh credentials, and a 429 whose Retry-After is short is waited out, two seconds per call at most. What
 * asks for more comes back as retry_after_ms. After an error of a write whose http_status is 0 the write may
 * have happened: read before repeating it.
 *
 * Errors carry the server's reason as remote code, its message, its status and retry_after_ms:
 *   401, 403                ERR_DENIED     "Unauthorized", "Forbidden", "NamespaceTerminating" (a cause of
 * 403) 404 with reason         ERR_NOT_FOUND  "NotFound": the object is not there 404 without ERR_RETRY
 * "NotServed": nobody serves this path (yet); says nothing about objects 409                     ERR_CONFLICT
 * "Conflict" (stale) or "AlreadyExists" 410                     ERR_RETRY      "Expired": list again 429, 5xx
 * ERR_RETRY      "TooManyRequests", "ServiceUnavailable", "ResourceVersionTooLarge" ... other 4xx ERR_INVALID
 * "Invalid", "BadRequest" ...: the same request will not pass later no answer               as http_call() */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include "pkg/base/env.h"
#include "pkg/base/json.h"
#include "pkg/http/transport.h"
#include "pkg/kube/config.h"

struct kube_resource {
    const char *group; /* "" or NULL: core */
    const char *version;
    const char *plural;
    const char *kind; /* optional here; for those who build objects and events */
    bool namespaced;
};

/* One object, or a collection when name is NULL. */
struct kube_ref {
    const struct kube_resource *resource;
    const char *namespace; /* NULL in a list or watch: all; must be absent for cluster-scoped resources */
    const char *name;
    const char *subresource; /* "status" */
};

struct kube_client_opts {
    const char *user_agent;    /* NULL: "kube-client" */
    const char *field_manager; /* sent with every write; NULL: not sent */
    int64_t timeout_ms;        /* of a whole call, in real time; 0: 30 s */
    size_t max_object_bytes;   /* 0: 4 MiB */
    size_t max_list_bytes;     /* per page; 0: 64 MiB */
};

struct kube_client;

/* Borrows config, which must outlive the client; copies opts. */
struct kube_client *kube_client_new(struct kube_config *config, const struct kube_client_opts *opts);
void kube_client_free(struct kube_client *client);
struct kube_config *kube_client_config(const struct kube_client *client);

struct err *kube_get(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                     struct json **ret) MUST_USE;
/* For answers that hold a secret: buffers are wiped on the way. Free it soon. */
struct err *kube_get_sensitive(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                               struct json **ret) MUST_USE;
/* Any path below the server's URL ("/version"); the answer must be JSON. */
struct err *kube_get_path(struct kube_client *client, const struct env *env, const char *path,
                          struct json **ret) MUST_USE;

/* Writes. `ret` may be NULL when the answer is of no interest. */
struct err *kube_create(struct kube_client *client, const struct env *env, const struct kube_ref *collection,
                        const struct json *object, struct json **ret) MUST_USE;
struct err *kube_replace(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                         const struct json *object, struct json **ret) MUST_USE;

enum kube_patch_type { KUBE_PATCH_MERGE, KUBE_PATCH_JSON };
struct kube_patch {
    enum kube_patch_type type;
    const struct json *body;
    bool sensitive;
};
struct err *kube_patch(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                       const struct kube_patch *patch, struct json **ret) MUST_USE;

struct kube_delete_opts {
    const char *uid;              /* precondition; mismatch is ERR_CONFLICT */
    const char *resource_version; /* precondition */
    const char *propagation;      /* "Background", "Foreground", "Orphan"; NULL: the server's default */
};
/* Success also when finalizers still hold the object. `opts` may be NULL. */
struct err *kube_delete(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                        const struct kube_delete_opts *opts) MUST_USE;

struct kube_query {
    struct kube_ref collection;
    const char *label_selector;
    const char *field_selector;
    const char *resource_version; /* NULL or "": the most recent, consistent */
    size_t page_size;             /* 0: 500 */
    bool initial_events; /* of a watch: begins with all that is there (a streaming list), consistent; then a
                            bookmark says that this was all (kube_ends_initial_events) */
};

struct kube_page {
    struct json *list; /* the answer; items under "items" (kind and apiVersion may be missing in them) */
    const char *resource_version; /* of the snapshot; inside list */
    const char *next;             /* continue token for the next page, or NULL; inside list */
};
/* `token` NULL: the first page. A 410 on a later page is ERR_RETRY "Expired": start over. */
struct err *kube_list_page(struct kube_client *client, const struct env *env, const struct kube_query *query,
                           const char *token, struct kube_page *ret) MUST_USE;
void kube_page_done(struct kube_page *page);
#define AUTO_KUBE_PAGE CLEANUP(kube_page_done)

/* All pages as one array of objects, with apiVersion and kind filled in when the resource has a kind. When a
 * continue token expires on the way the list is taken once more without pages. */
struct err *kube_list(struct kube_client *client, const struct env *env, const struct kube_query *query,
                      struct json **ret_items) MUST_USE;

/* The raw stream of a watch from query->resource_version, with bookmarks; pull it with http_read().
 * `timeout_ms` is what the server is asked for. With query->initial_events the version is left out; a server
 * that offers no streaming lists refuses with ERR_INVALID, or takes no notice.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists */
struct err *kube_watch_open(struct kube_client *client, const struct env *env, const struct kube_query *query,
                            int64_t timeout_ms, struct http_stream **ret) MUST_USE;

/* Whether this bookmark's object closes the first part of such a stream. */
bool kube_ends_initial_events(const struct json *bookmark);

/* A Status object ({"kind": "Status", "code": 410, "reason": "Expired", ...}) as an error; `http_status` 0:
 * its code. */
struct err *kube_status_error(const struct json *status, int http_status) MUST_USE;

static inline void auto_kube_client(struct kube_client **client)
{
    kube_client_free(*client);
}
#define AUTO_KUBE_CLIENT CLEANUP(auto_kube_client)

#endif
