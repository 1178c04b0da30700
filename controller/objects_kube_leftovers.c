/* The list of leftovers, a ConfigMap in the controller's own namespace, and deleting an object of ours. */
#include "controller/objects_kube_priv.h"

#define LEFTOVERS_NAME "stagingrefresh-leftovers"

static const struct kube_resource config_maps = {
    .version = "v1", .plural = "configmaps", .kind = "ConfigMap", .namespaced = true};

static struct kube_ref leftovers_ref(const struct objects_kube *kube, bool is_collection)
{
    return (struct kube_ref){.resource = &config_maps,
                             .namespace = kube->namespace,
                             .name = is_collection ? NULL : LEFTOVERS_NAME};
}

struct err *objects_kube_read_leftovers(struct objects *self, const struct env *env, struct json **ret)
{
    struct objects_kube *kube = (struct objects_kube *)self;
    const struct kube_ref ref = leftovers_ref(kube, false);
    struct err *err = kube_get(kube->client, env, &ref, ret);

    if (!err || err_kind(err) != ERR_NOT_FOUND)
        return err_wrap(err, "read ConfigMap %s/%s", kube->namespace, LEFTOVERS_NAME);
    err_ignore(err, "nothing has been left behind yet");
    *ret = NULL;
    return NULL;
}

struct err *objects_kube_write_leftovers(struct objects *self, const struct env *env,
                                         const struct json *document)
{
    struct objects_kube *kube = (struct objects_kube *)self;
    bool is_new = !*json_get_text(document, "metadata.resourceVersion", "");
    const struct kube_ref ref = leftovers_ref(kube, is_new);
    AUTO_JSON struct json *object = json_copy(document);
    struct json *metadata;

    json_set_text(object, "apiVersion", "v1");
    json_set_text(object, "kind", "ConfigMap");
    if (!json_member(object, "metadata"))
        json_set(object, "metadata", json_new_object());
    metadata = json_edit(object, "metadata");
    json_set_text(metadata, "name", LEFTOVERS_NAME);
    json_set_text(metadata, "namespace", kube->namespace);
    return err_wrap(is_new ? kube_create(kube->client, env, &ref, object, NULL)
                           : kube_replace(kube->client, env, &ref, object, NULL),
                    "write ConfigMap %s/%s", kube->namespace, LEFTOVERS_NAME);
}

struct err *objects_kube_remove(struct objects *self, const struct env *env, const struct json *object)
{
    struct objects_kube *kube = (struct objects_kube *)self;
    const struct object_id id = {.kind = OBJECT_REFRESH,
                                 .namespace = json_get_text(object, "metadata.namespace", ""),
                                 .name = json_get_text(object, "metadata.name", "")};
    struct collection *collection = &kube->collections[id.kind];
    const struct kube_ref ref = collection_ref(collection, &id);
    const struct kube_delete_opts opts = {
        .uid = json_get_text(object, "metadata.uid", ""),
        .resource_version = json_get_text(object, "metadata.resourceVersion", ""),
    };
    struct err *err = kube_delete(kube->client, env, &ref, &opts);

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "gone is what it should be");
        return NULL;
    }
    return err;
}
