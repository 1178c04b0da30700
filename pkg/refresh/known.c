/* Unknown fields. The API server prunes or refuses them by the schema; a file that `run` reads has only us.
 */
#include "pkg/refresh/fields.h"
#include "pkg/refresh/spec.h"

#define NEAR_ENOUGH 3 /* edits, at most a third of the name */
#define PATH_MAX_TEXT 512

/* What Kubernetes' ObjectMeta holds. */
static const struct field metadata_fields[] = {
    {.path = "name", .kind = FIELD_ANY},
    {.path = "generateName", .kind = FIELD_ANY},
    {.path = "namespace", .kind = FIELD_ANY},
    {.path = "labels", .kind = FIELD_ANY},
    {.path = "annotations", .kind = FIELD_ANY},
    {.path = "finalizers", .kind = FIELD_ANY},
    {.path = "ownerReferences", .kind = FIELD_ANY},
    {.path = "managedFields", .kind = FIELD_ANY},
    {.path = "uid", .kind = FIELD_ANY},
    {.path = "generation", .kind = FIELD_ANY},
    {.path = "resourceVersion", .kind = FIELD_ANY},
    {.path = "selfLink", .kind = FIELD_ANY},
    {.path = "creationTimestamp", .kind = FIELD_ANY},
    {.path = "deletionTimestamp", .kind = FIELD_ANY},
    {.path = "deletionGracePeriodSeconds", .kind = FIELD_ANY},
};
static const struct part metadata_part = {.fields = metadata_fields, .count = COUNT_OF(metadata_fields)};

/* Status is the controller's own; in a file it is what somebody copied along. */
static const struct field account_object_fields[] = {
    {.path = "apiVersion", .kind = FIELD_ANY},
    {.path = "kind", .kind = FIELD_ANY},
    {.path = "metadata", .kind = FIELD_PART, .part = &metadata_part},
    {.path = "spec", .kind = FIELD_PART, .part = &account_part},
    {.path = "status", .kind = FIELD_ANY},
};
static const struct field refresh_object_fields[] = {
    {.path = "apiVersion", .kind = FIELD_ANY},
    {.path = "kind", .kind = FIELD_ANY},
    {.path = "metadata", .kind = FIELD_PART, .part = &metadata_part},
    {.path = "spec", .kind = FIELD_PART, .part = &spec_part},
    {.path = "status", .kind = FIELD_ANY},
};

static const struct {
    const char *kind;
    struct part part;
} objects[] = {
    {.kind = "AWSAccount",
     .part = {.fields = account_object_fields, .count = COUNT_OF(account_object_fields)}},
    {.kind = "StagingRefresh",
     .part = {.fields = refresh_object_fields, .count = COUNT_OF(refresh_object_fields)}},
};

struct search {
    const struct yaml_doc *doc;
    const struct part *object; /* the whole kind */
};

/* One level: members of one object against the rows of `part` that lie directly below `below`. */
struct level {
    const struct part *part;
    const char *below; /* path in the part: "" or "restore" */
    const char *where; /* path in the document */
};

/* The row's last name when it lies directly in this level, else NULL. */
static const char *name_in_level(const struct field *field, const struct level *level)
{
    size_t len = strlen(level->below);
    const char *name = field->path;

    if (len) {
        if (strncmp(field->path, level->below, len) != 0 || field->path[len] != '.')
            return NULL;
        name += len + 1;
    }
    return strchr(name, '.') ? NULL : name;
}

static const struct field *find_row(const struct level *level, const char *name)
{
    for (size_t i = 0; i < level->part->count; i++) {
        if (text_equal(name_in_level(&level->part->fields[i], level), name))
            return &level->part->fields[i];
    }
    return NULL;
}

static const char *nearest(const struct level *level, const char *name)
{
    size_t best = strlen(name) / 3 + 1;
    const char *found = NULL;

    if (best > NEAR_ENOUGH)
        best = NEAR_ENOUGH;
    for (size_t i = 0; i < level->part->count; i++) {
        const char *candidate = name_in_level(&level->part->fields[i], level);
        size_t distance = candidate ? text_distance(candidate, name) : SIZE_MAX;

        if (distance <= best && !(found && distance == best)) {
            best = distance;
            found = candidate;
        }
    }
    return found;
}

struct elsewhere {
    const char *name;
    char path[PATH_MAX_TEXT];
    size_t count;
};

static void look_elsewhere(void *arg, const char *path, const struct field *field)
{
    struct elsewhere *elsewhere = arg;
    const char *dot = strrchr(path, '.');

    (void)field;
    if (text_equal(dot ? dot + 1 : path, elsewhere->name)) {
        snprintf(elsewhere->path, sizeof(elsewhere->path), "%s", path);
        elsewhere->count++;
    }
}

static struct err *unknown_field(const struct search *search, const struct level *level,
                                 const struct json *member)
{
    const char *name = json_key(member), *near = nearest(level, name);
    const char *file = yaml_name(search->doc), *dot = *level->where ? "." : "";
    int line = yaml_line(search->doc, member);
    struct elsewhere elsewhere = {.name = name};

    if (near)
        return err_new(ERR_INVALID, "%s:%d: %s%s%.*s: unknown field, did you mean \"%s\"?", file, line,
                       level->where, dot, SHOWN(name), near);
    fields_walk(search->object, "", look_elsewhere, &elsewhere);
    if (elsewhere.count == 1)
        return err_new(ERR_INVALID, "%s:%d: %s%s%.*s: unknown field, did you mean %s?", file, line,
                       level->where, dot, SHOWN(name), elsewhere.path);
    return err_new(ERR_INVALID, "%s:%d: %s%s%.*s: unknown field", file, line, level->where, dot, SHOWN(name));
}

static struct err *check_level(const struct search *search, const struct level *level,
                               const struct json *object);

static struct err *check_list(const struct search *search, const struct part *part, const char *where,
                              const struct json *list)
{
    size_t index = 0;

    if (!json_is(list, JSON_ARRAY))
        return NULL;
    json_each (entry, list) {
        AUTO_FREE char *path = xasprintf("%s[%zu]", where, index++);

        TRY(check_level(search, &(struct level){.part = part, .below = "", .where = path}, entry));
    }
    return NULL;
}

/* Depth is that of the tables. */
static struct err *check_member(const struct search *search, const struct level *level,
                                const struct json *member)
{
    const struct field *field = find_row(level, json_key(member));
    AUTO_FREE char *path = NULL;

    if (!field)
        return unknown_field(search, level, member);
    path = xasprintf("%s%s%s", level->where, *level->where ? "." : "", json_key(member));
    if (field->kind == FIELD_LIST)
        return check_list(search, field->part, path, member);
    if (field->kind == FIELD_PART)
        return check_level(search, &(struct level){.part = field->part, .below = "", .where = path}, member);
    if (field->kind == FIELD_OBJECT)
        return check_level(search, &(struct level){.part = level->part, .below = field->path, .where = path},
                           member);
    return NULL;
}

/* Values of another type than an object are for the parser to refuse. */
static struct err *check_level(const struct search *search, const struct level *level,
                               const struct json *object)
{
    if (!json_is(object, JSON_OBJECT))
        return NULL;
    json_each (member, object)
        TRY(check_member(search, level, member));
    return NULL;
}

struct err *refresh_check_known(const struct yaml_doc *doc)
{
    const char *kind = json_get_text(yaml_root(doc), "kind", NULL);

    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        struct search search = {.doc = doc, .object = &objects[i].part};

        if (text_equal(objects[i].kind, kind))
            return check_level(&search, &(struct level){.part = &objects[i].part, .below = "", .where = ""},
                               yaml_root(doc));
    }
    return NULL;
}
