#include "controller/objects_file_join.h"

/* What the schema calls immutable. */
static const struct {
    enum object_kind kind;
    const char *path;
    const char *otherwise; /* path of its default; NULL: none */
} immutables[] = {
    {.kind = OBJECT_ACCOUNT, .path = "spec.accountID"},
    {.kind = OBJECT_ACCOUNT, .path = "spec.region"},
    {.kind = OBJECT_ACCOUNT, .path = "spec.usage"},
    {.kind = OBJECT_REFRESH, .path = "spec.targetRef.name"},
    {.kind = OBJECT_REFRESH, .path = "spec.series", .otherwise = "metadata.name"},
};

static const char *value_of(const struct json *object, const char *path, const char *otherwise)
{
    return json_get_text(object, path, otherwise ? json_get_text(object, otherwise, "") : "");
}

static struct err *check_immutables(const struct json *document, const struct json *stored)
{
    const char *kind = json_get_text(document, "kind", "");

    for (size_t i = 0; i < COUNT_OF(immutables); i++) {
        const char *was = value_of(stored, immutables[i].path, immutables[i].otherwise);
        const char *is = value_of(document, immutables[i].path, immutables[i].otherwise);

        if (!text_equal(kind, object_kind_name(immutables[i].kind)) || text_equal(was, is))
            continue;
        return err_new(
            ERR_INVALID,
            "%s: cannot change from \"%s\" to \"%s\": what was made under the old value would be lost. "
            "Give another --state-dir to begin anew",
            immutables[i].path, was, is);
    }
    return NULL;
}

/* Put into the state by the command, not into the file. */
static const char *const own_annotations[] = {API_GROUP "/run-requested", API_GROUP "/approve",
                                              API_GROUP "/approved-by"};

static void join_annotations(struct json *meta, const struct json *document, const struct json *stored)
{
    const struct json *written = json_at(document, "metadata.annotations");
    const struct json *known = json_at(stored, "metadata.annotations");
    struct json *joined = json_is(written, JSON_OBJECT) ? json_copy(written) : json_new_object();

    for (size_t i = 0; i < COUNT_OF(own_annotations); i++) {
        if (json_member(known, own_annotations[i]) && !json_member(joined, own_annotations[i]))
            json_set_copy(joined, own_annotations[i], json_member(known, own_annotations[i]));
    }
    if (json_count(joined))
        json_set(meta, "annotations", joined);
    else
        json_free(joined);
}

static struct json *join_metadata(const struct json *document, const struct json *stored, const char *uid)
{
    struct json *meta = json_new_object();
    bool is_refresh = text_equal(json_get_text(document, "kind", ""), object_kind_name(OBJECT_REFRESH));
    bool same_spec = stored && json_equal(json_member(document, "spec"), json_member(stored, "spec"));
    int64_t generation = json_get_int(stored, "metadata.generation", 0);

    json_set_text(meta, "name", json_get_text(document, "metadata.name", ""));
    if (is_refresh)
        json_set_text(meta, "namespace", json_get_text(document, "metadata.namespace", "default"));
    json_set_text(meta, "uid", json_get_text(stored, "metadata.uid", uid));
    json_set_text(meta, "resourceVersion", json_get_text(stored, "metadata.resourceVersion", "1"));
    json_set_int(meta, "generation", same_spec ? generation : generation + 1);
    if (json_at(document, "metadata.labels"))
        json_set_copy(meta, "labels", json_at(document, "metadata.labels"));
    if (json_at(stored, "metadata.finalizers"))
        json_set_copy(meta, "finalizers", json_at(stored, "metadata.finalizers"));
    join_annotations(meta, document, stored);
    return meta;
}

struct err *objects_file_join(const struct json *document, const struct json *stored, const char *uid,
                              struct json **ret)
{
    struct json *joined;

    if (stored)
        TRY(check_immutables(document, stored));
    joined = json_new_object();
    json_set_text(joined, "apiVersion", json_get_text(document, "apiVersion", API_VERSION));
    json_set_text(joined, "kind", json_get_text(document, "kind", ""));
    json_set(joined, "metadata", join_metadata(document, stored, uid));
    json_set_copy(joined, "spec", json_member(document, "spec"));
    if (json_member(stored, "status"))
        json_set_copy(joined, "status", json_member(stored, "status"));
    *ret = joined;
    return NULL;
}
