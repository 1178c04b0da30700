#include "controller/objects.h"

struct err *objects_read(struct objects *objects, const struct env *env, const struct object_id *id,
                         struct json **ret)
{
    return objects->ops->read(objects, env, id, ret);
}

struct err *objects_read_live(struct objects *objects, const struct env *env, const struct object_id *id,
                              struct json **ret)
{
    return objects->ops->read_live(objects, env, id, ret);
}

void objects_each(struct objects *objects, enum object_kind kind, const char *group, objects_see_fn *see,
                  void *arg)
{
    objects->ops->each(objects, kind, group, see, arg);
}

static bool keep_copy(void *items, const struct json *object)
{
    json_append(items, json_copy(object));
    return true;
}

struct json *objects_list(struct objects *objects, enum object_kind kind, const char *group)
{
    struct json *items = json_new_array();

    objects_each(objects, kind, group, keep_copy, items);
    return items;
}

bool objects_is_in_group(enum object_kind kind, const struct json *object, const char *group)
{
    AUTO_FREE char *its = objects_group(kind, object);

    return !group || text_equal(its, group);
}

char *objects_series(const char *namespace, const char *series)
{
    return xasprintf("%s/%s", namespace, series);
}

char *objects_group(enum object_kind kind, const struct json *object)
{
    const char *name = json_get_text(object, "metadata.name", "");

    if (kind == OBJECT_ACCOUNT)
        return xstrdup(json_get_text(object, "spec.accountID", ""));
    return objects_series(json_get_text(object, "metadata.namespace", ""),
                          json_get_text(object, "spec.series", name));
}

struct err *objects_write_status(struct objects *objects, const struct env *env, const struct json *object,
                                 const struct json *status, struct json **ret)
{
    *ret = NULL;
    if (json_equal(json_member(object, "status"), status))
        return NULL;
    return objects->ops->write_status(objects, env, object, status, ret);
}

struct err *objects_set_finalizer(struct objects *objects, const struct env *env, const struct json *object,
                                  bool present, struct json **ret)
{
    return objects->ops->set_finalizer(objects, env, object, present, ret);
}

bool objects_has_finalizer(const struct json *object)
{
    json_each (item, json_at(object, "metadata.finalizers")) {
        if (text_equal(json_get_text(item, NULL, ""), FINALIZER))
            return true;
    }
    return false;
}

bool objects_can_remove(const struct objects *objects)
{
    return objects->ops->remove != NULL;
}

struct err *objects_remove(struct objects *objects, const struct env *env, const struct json *object)
{
    return objects->ops->remove(objects, env, object);
}

struct err *objects_read_leftovers(struct objects *objects, const struct env *env, struct json **ret)
{
    return objects->ops->read_leftovers(objects, env, ret);
}

struct err *objects_write_leftovers(struct objects *objects, const struct env *env,
                                    const struct json *document)
{
    return objects->ops->write_leftovers(objects, env, document);
}

void objects_emit(struct objects *objects, const struct env *env, const struct json *object,
                  enum event_severity severity, const char *reason, const char *note)
{
    objects->ops->emit(objects, env, object, severity, reason, note);
}

const char *object_kind_name(enum object_kind kind)
{
    return kind == OBJECT_ACCOUNT ? "AWSAccount" : "StagingRefresh";
}
