#include "pkg/kube/object.h"

#define MESSAGE_MAX 1024

struct err *kube_patch_status(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                              const char *resource_version, const struct json *status_patch,
                              struct json **ret)
{
    AUTO_JSON struct json *body = json_new_object();
    struct kube_ref status = *ref;

    status.subresource = "status";
    if (resource_version) {
        struct json *meta = json_new_object();

        json_set_text(meta, "resourceVersion", resource_version);
        json_set(body, "metadata", meta);
    }
    json_set_copy(body, "status", status_patch);
    return kube_patch(client, env, &status, &(struct kube_patch){.type = KUBE_PATCH_MERGE, .body = body},
                      ret);
}

/* --- finalizers --- */

static bool find_finalizer(const struct json *object, const char *finalizer, size_t *ret_index)
{
    const struct json *list = json_at(object, "metadata.finalizers");

    for (size_t i = 0; i < json_count(list); i++) {
        if (text_equal(json_get_text(json_item(list, i), NULL, NULL), finalizer)) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool kube_has_finalizer(const struct json *object, const char *finalizer)
{
    size_t index;

    return find_finalizer(object, finalizer, &index);
}

static void add_operation(struct json *patch, const char *op, const char *path, struct json *value)
{
    struct json *operation = json_new_object();

    json_set_text(operation, "op", op);
    json_set_text(operation, "path", path);
    if (value)
        json_set(operation, "value", value);
    json_append(patch, operation);
}

/* A patch that holds only for this very version of this very object. */
static struct json *conditional_patch(const struct json *object)
{
    struct json *patch = json_new_array();

    add_operation(patch, "test", "/metadata/uid", json_new_text(json_get_text(object, "metadata.uid", "")));
    add_operation(patch, "test", "/metadata/resourceVersion",
                  json_new_text(json_get_text(object, "metadata.resourceVersion", "")));
    return patch;
}

/* A failed test is answered with 422, as is a change that is not allowed. The latter names the field, the
 * former comes with these words alone (they are as old as the patch itself, and still those of 1.36). */
static struct err *conflict_if_test_failed(struct err *err)
{
    static const char words[] = "the server rejected our request due to an error in our request";
    const struct err_remote *remote = err ? err_remote(err) : NULL;

    if (!remote || remote->http_status != 422 || !str_contains(str_of(remote->message), words))
        return err;
    {
        AUTO_ERR struct err *cause = err;
        struct err_remote changed = *remote;

        changed.code = "Conflict";
        return err_set_remote(err_new(ERR_CONFLICT, "%s", err_text(cause)), &changed);
    }
}

static struct err *patch_finalizers(struct kube_client *client, const struct env *env,
                                    const struct kube_ref *ref, const struct json *operations,
                                    struct json **ret)
{
    const struct kube_patch patch = {.type = KUBE_PATCH_JSON, .body = operations};

    return conflict_if_test_failed(kube_patch(client, env, ref, &patch, ret));
}

struct err *kube_add_finalizer(struct kube_client *client, const struct env *env, const struct kube_ref *ref,
                               const struct json *object, const char *finalizer, struct json **ret)
{
    AUTO_JSON struct json *patch = conditional_patch(object);

    if (ret)
        *ret = NULL;
    if (kube_has_finalizer(object, finalizer))
        return NULL;
    if (json_count(json_at(object, "metadata.finalizers"))) {
        add_operation(patch, "add", "/metadata/finalizers/-", json_new_text(finalizer));
    } else {
        struct json *list = json_new_array();

        json_append_text(list, finalizer);
        add_operation(patch, "add", "/metadata/finalizers", list);
    }
    return patch_finalizers(client, env, ref, patch, ret);
}

struct err *kube_remove_finalizer(struct kube_client *client, const struct env *env,
                                  const struct kube_ref *ref, const struct json *object,
                                  const char *finalizer, struct json **ret)
{
    AUTO_JSON struct json *patch = conditional_patch(object);
    AUTO_FREE char *path = NULL;
    size_t index;

    if (ret)
        *ret = NULL;
    if (!find_finalizer(object, finalizer, &index))
        return NULL;
    path = xasprintf("/metadata/finalizers/%zu", index);
    add_operation(patch, "test", path, json_new_text(finalizer));
    add_operation(patch, "remove", path, NULL);
    return patch_finalizers(client, env, ref, patch, ret);
}

/* --- conditions --- */

static bool find_index(const struct json *conditions, const char *type, size_t *ret_index)
{
    for (size_t i = 0; i < json_count(conditions); i++) {
        if (text_equal(json_get_text(json_item(conditions, i), "type", NULL), type)) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

const struct json *kube_find_condition(const struct json *conditions, const char *type)
{
    size_t index;

    return find_index(conditions, type, &index) ? json_item(conditions, index) : NULL;
}

static struct json *edit_condition(struct json *conditions, const char *type)
{
    AUTO_FREE char *path = NULL;
    struct json *added;
    size_t index = json_count(conditions);

    if (!find_index(conditions, type, &index)) {
        added = json_new_object();
        json_set_text(added, "type", type);
        json_append(conditions, added);
    }
    path = xasprintf("[%zu]", index);
    return json_edit(conditions, path);
}

bool kube_set_condition(struct json *conditions, const struct kube_condition *want, int64_t wall_ms)
{
    struct json *condition = edit_condition(conditions, want->type);
    AUTO_JSON struct json *before = json_copy(condition);
    AUTO_FREE char *message = str_dup(str_cut_utf8(str_of(want->message), MESSAGE_MAX));
    char now[TIME_TEXT_MAX];

    if (!text_equal(json_get_text(condition, "status", NULL), want->status) ||
        !json_get_text(condition, "lastTransitionTime", NULL)) {
        time_rfc3339(wall_ms, now);
        json_set_text(condition, "status", want->status);
        json_set_text(condition, "lastTransitionTime", now);
    }
    json_set_text(condition, "reason", want->reason);
    json_set_text(condition, "message", message);
    json_set_int(condition, "observedGeneration", want->observed_generation);
    return !json_equal(before, condition);
}

bool kube_remove_condition(struct json *conditions, const char *type)
{
    size_t index;

    if (!find_index(conditions, type, &index))
        return false;
    json_remove_item(conditions, index);
    return true;
}
