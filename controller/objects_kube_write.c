/* Writing: each write holds only for the version at hand, and an answer that got lost is looked up, never
 * guessed. */
#include "controller/objects_kube_priv.h"
#include "pkg/kube/object.h"

#define REBASES_MAX 3

/* One write under way. */
struct attempt {
    struct collection *collection;
    const struct env *env;
    const struct json *object; /* what it is based on */
    struct object_id id;
    struct kube_ref ref;
};

static struct attempt attempt_on(struct objects *self, const struct env *env, const struct json *object)
{
    struct objects_kube *kube = (struct objects_kube *)self;
    struct attempt attempt = {.env = env, .object = object};

    attempt.id.kind = text_equal(json_get_text(object, "kind", ""), object_kind_name(OBJECT_ACCOUNT))
                          ? OBJECT_ACCOUNT
                          : OBJECT_REFRESH;
    attempt.id.namespace = json_get_text(object, "metadata.namespace", "");
    attempt.id.name = json_get_text(object, "metadata.name", "");
    attempt.collection = &kube->collections[attempt.id.kind];
    attempt.ref = collection_ref(attempt.collection, &attempt.id);
    return attempt;
}

/* The server may have done what it did not confirm. */
static bool may_have_happened(const struct err *err)
{
    int status = err_remote(err)->http_status;

    return status == 0 || status >= 500;
}

static bool is_same_object(const struct json *a, const struct json *b)
{
    return a && text_equal(json_get_text(a, "metadata.uid", ""), json_get_text(b, "metadata.uid", ""));
}

/* The object as it is now. When even that cannot be learned, the next read goes to the server. */
static struct err *look(const struct attempt *attempt, struct json **ret)
{
    struct err *err = collection_get(attempt->collection, attempt->env, &attempt->id, ret);

    if (err) {
        AUTO_FREE char *key = kube_key(attempt->ref.namespace, attempt->ref.name);

        collection_set_uncertain(attempt->collection, key);
    }
    return err;
}

static bool holds(const struct json *live, const struct json *status)
{
    return json_equal(json_member(live, "status"), status);
}

static struct err *patch(const struct attempt *attempt, const char *version, const struct json *status,
                         struct json **ret)
{
    AUTO_JSON struct json *nothing = json_new_object();
    const struct json *before = json_member(attempt->object, "status");
    AUTO_JSON struct json *difference = json_merge_diff(before ? before : nothing, status);

    if (!difference)
        difference = json_new_object(); /* absent and empty */
    return kube_patch_status(attempt->collection->owner->client, attempt->env, &attempt->ref, version,
                             difference, ret);
}

/* What a failed patch means. *ret_version is the version to try again on, yours; NULL: do not. On success
 * (NULL and no version) the status is in place and *ret is the object. */
static struct err *settle(const struct attempt *attempt, struct err *failure, const struct json *status,
                          char **ret_version, struct json **ret)
{
    AUTO_ERR struct err *err = failure;
    AUTO_ERR struct err *trouble = NULL;
    AUTO_JSON struct json *live = NULL;
    bool conflict = err_kind(err) == ERR_CONFLICT;

    if (!conflict && !may_have_happened(err))
        return TAKE(err);
    trouble = look(attempt, &live);
    if (trouble || !is_same_object(live, attempt->object))
        return TAKE(err);
    if (holds(live, status)) {
        *ret = TAKE(live);
        return NULL;
    }
    /* Only somebody's spec, label or annotation came in between: what we mean to write still follows from
     * what we read. */
    if (conflict && json_equal(json_member(live, "status"), json_member(attempt->object, "status"))) {
        *ret_version = xstrdup(json_get_text(live, "metadata.resourceVersion", ""));
        return NULL;
    }
    return TAKE(err);
}

static struct err *write_status(const struct attempt *attempt, const struct json *status, struct json **ret)
{
    AUTO_FREE char *version = xstrdup(json_get_text(attempt->object, "metadata.resourceVersion", ""));
    AUTO_JSON struct json *written = NULL;

    for (int rebases = 0; !written; rebases++) {
        AUTO_FREE char *newer = NULL;
        AUTO_ERR struct err *err = patch(attempt, version, status, &written);

        if (!err)
            break;
        if (rebases == REBASES_MAX)
            return TAKE(err);
        TRY(settle(attempt, TAKE(err), status, &newer, &written));
        if (newer) {
            xfree(version);
            version = TAKE(newer);
        }
    }
    *ret = TAKE(written);
    return NULL;
}

struct err *objects_kube_write_status(struct objects *self, const struct env *env, const struct json *object,
                                      const struct json *status, struct json **ret)
{
    const struct attempt attempt = attempt_on(self, env, object);
    AUTO_FREE char *key = kube_key(attempt.ref.namespace, attempt.ref.name);
    struct err *err;

    collection_begin_write(attempt.collection, key);
    err = write_status(&attempt, status, ret);
    collection_end_write(attempt.collection, key, err ? NULL : *ret);
    return err;
}

/* *ret stays NULL when the object went with its last finalizer. */
static struct err *set_finalizer(const struct attempt *attempt, bool present, struct json **ret)
{
    struct kube_client *client = attempt->collection->owner->client;
    const struct json *object = attempt->object;
    AUTO_JSON struct json *written = NULL;
    AUTO_ERR struct err *err =
        present ? kube_add_finalizer(client, attempt->env, &attempt->ref, object, FINALIZER, &written)
                : kube_remove_finalizer(client, attempt->env, &attempt->ref, object, FINALIZER, &written);

    if (err && !may_have_happened(err))
        return TAKE(err);
    if (err) {
        AUTO_ERR struct err *trouble = look(attempt, &written);

        if (written && !is_same_object(written, object))
            json_free(TAKE(written));
        /* Gone with its last finalizer is what removing it was for. */
        if (trouble || (written ? kube_has_finalizer(written, FINALIZER) != present : present))
            return TAKE(err);
    }
    *ret = TAKE(written);
    return NULL;
}

struct err *objects_kube_set_finalizer(struct objects *self, const struct env *env, const struct json *object,
                                       bool present, struct json **ret)
{
    const struct attempt attempt = attempt_on(self, env, object);
    AUTO_FREE char *key = kube_key(attempt.ref.namespace, attempt.ref.name);
    AUTO_JSON struct json *written = NULL;
    struct err *err;

    collection_begin_write(attempt.collection, key);
    err = set_finalizer(&attempt, present, &written);
    collection_end_write(attempt.collection, key, written);
    TRY(err);
    *ret = written ? TAKE(written) : json_copy(object);
    return NULL;
}
