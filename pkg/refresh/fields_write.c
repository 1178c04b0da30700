#include "pkg/refresh/fields_priv.h"

#include "pkg/base/times.h"
#include "pkg/refresh/spec.h"

#define LATEST_MS 253402300799999 /* the end of the year 9999: RFC 3339 ends there */

/* max 0: any length. */
static struct json *text_value(const char *text, size_t max)
{
    AUTO_FREE char *part = max ? xstrndup(text, text_cut(text, max)) : NULL;

    return json_new_text(part ? part : text);
}

static struct json *write_text(const struct field *field, const void *item)
{
    const char *text = field_pointer(field_at(field, item));

    if (!text)
        return field->always ? json_new_text("") : NULL;
    return text_value(text, field->cut);
}

static struct json *write_int(const struct field *field, const void *item)
{
    int64_t number = *(const int64_t *)field_at(field, item);

    if (number == field->otherwise && !field->always)
        return NULL;
    if (number < field->min)
        number = field->min;
    if (field->max && number > field->max)
        number = field->max;
    return json_new_int(number);
}

static struct json *write_bool(const struct field *field, const void *item)
{
    bool truth = *(const bool *)field_at(field, item);

    return truth == (field->otherwise != 0) && !field->always ? NULL : json_new_bool(truth);
}

static struct json *write_enum(const struct field *field, const void *item)
{
    int index = *(const int *)field_at(field, item);

    return json_new_text(field->names.items[index]);
}

static struct json *write_time(const struct field *field, const void *item)
{
    int64_t wall_ms = *(const int64_t *)field_at(field, item);
    char text[TIME_TEXT_MAX];

    if (wall_ms <= 0 && !field->always)
        return NULL;
    if (wall_ms < 0)
        wall_ms = 0;
    if (wall_ms > LATEST_MS)
        wall_ms = LATEST_MS;
    if (field->kind == FIELD_TIME_MS)
        time_rfc3339_ms(wall_ms, text);
    else
        time_rfc3339(wall_ms, text);
    return json_new_text(text);
}

static struct json *write_texts(const struct field *field, const void *item)
{
    char *const *texts = field_pointer(field_at(field, item));
    size_t count = *(const size_t *)((const char *)item + field->count_offset);
    struct json *list;

    if (!count)
        return NULL;
    list = json_new_array();
    for (size_t i = 0; i < count; i++)
        json_append(list, text_value(texts[i], (size_t)field->item_max));
    return list;
}

static struct json *write_json(const struct field *field, const void *item)
{
    const struct json *value = field_pointer(field_at(field, item));
    struct json *copy;

    if (!value || (field->kind == FIELD_NOTES && !json_count(value)))
        return NULL;
    if (field->kind == FIELD_JSON)
        return json_copy(value);
    copy = json_new_object();
    json_each (member, value)
        json_set(copy, json_key(member),
                 text_value(json_get_text(member, NULL, ""), (size_t)field->item_max));
    return copy;
}

/* Depth is that of the tables. Nothing is cut: an entry that is lost is work that is never done, or a copy
 * that nobody deletes, and whoever keeps the object says so when there are too many. */
static struct json *write_list(const struct field *field, const void *item)
{
    const char *entries = field_pointer(field_at(field, item));
    size_t count = *field_count_at(field, item);
    struct json *list;

    if (!count)
        return NULL;
    list = json_new_array();
    for (size_t i = 0; i < count; i++)
        json_append(list, fields_write(field->part, entries + i * field->part->size));
    return list;
}

typedef struct json *write_fn(const struct field *field, const void *item);

/* What a status is made of; specs are read only. */
static write_fn *const writers[] = {
    [FIELD_OBJECT] = NULL,       [FIELD_TEXT] = write_text, [FIELD_INT] = write_int,
    [FIELD_BOOL] = write_bool,   [FIELD_TRISTATE] = NULL,   [FIELD_ENUM] = write_enum,
    [FIELD_DURATION] = NULL,     [FIELD_TIME] = write_time, [FIELD_TIME_MS] = write_time,
    [FIELD_TEXTS] = write_texts, [FIELD_PAIRS] = NULL,      [FIELD_NOTES] = write_json,
    [FIELD_JSON] = write_json,   [FIELD_PART] = NULL,       [FIELD_LIST] = write_list,
    [FIELD_ANY] = NULL,
};

static const char *last_name(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot ? dot + 1 : path;
}

/* The object that is to hold the row's member; made when `make` is set. */
static struct json *parent_for(struct json *object, const char *path, bool make)
{
    struct str rest = str_of(path), piece;

    while (object && str_cut(&rest, '.', &piece) && rest.len) {
        AUTO_FREE char *name = str_dup(piece);

        if (!json_member(object, name) && make)
            json_set(object, name, json_new_object());
        object = json_edit(object, name);
    }
    return object;
}

/* Holds nothing that would be missed. */
static bool is_empty(const struct field *field, const void *item)
{
    const void *at = field_at(field, item);

    if (field->kind == FIELD_TEXT)
        return field_pointer(at) == NULL;
    if (field->kind == FIELD_INT)
        return *(const int64_t *)at == field->otherwise;
    return (field->kind == FIELD_TIME || field->kind == FIELD_TIME_MS) && *(const int64_t *)at <= 0;
}

struct json *fields_write(const struct part *part, const void *item)
{
    struct json *object = json_new_object();

    for (size_t i = 0; i < part->count; i++) {
        const struct field *field = &part->fields[i];
        struct json *value = writers[field->kind] ? writers[field->kind](field, item) : NULL;
        struct json *parent;

        if (!value)
            continue;
        /* What is written for the sake of being written does not bring its parent into being. */
        parent = parent_for(object, field->path, !is_empty(field, item));
        if (parent)
            json_set(parent, last_name(field->path), value);
        else
            json_free(value);
    }
    return object;
}

/* --- specs that mean the same, made the same --- */

static struct json *default_value(const struct field *field)
{
    if (field->kind == FIELD_ENUM)
        return json_new_text(field->names.items[field->otherwise]);
    if ((field->kind == FIELD_INT || field->kind == FIELD_DURATION) && field->otherwise >= 0)
        return json_new_int(field->otherwise);
    if (field->kind == FIELD_BOOL || (field->kind == FIELD_TRISTATE && field->otherwise != UNSET))
        return json_new_bool(field->otherwise != 0);
    return field->kind == FIELD_OBJECT && field->always ? json_new_object() : NULL;
}

static void normalise_field(const struct field *field, struct json *parent)
{
    const char *name = last_name(field->path);
    struct json *found = json_edit(parent, name);
    int64_t duration_ms;

    if (field->live || json_is(found, JSON_NULL)) {
        json_remove(parent, name);
        found = NULL;
    }
    if (field->live)
        return;
    if (!found) {
        json_set(parent, name, default_value(field));
    } else if (field->kind == FIELD_DURATION &&
               duration_parse(str_of(json_get_text(found, NULL, "")), &duration_ms)) {
        json_set_int(parent, name, duration_ms);
    } else if (field->kind == FIELD_PART) {
        fields_normalise_frozen(field->part, found);
    } else if (field->kind == FIELD_LIST) {
        json_each (entry, found)
            fields_normalise_frozen(field->part, (struct json *)(uintptr_t)entry);
    }
}

void fields_normalise_frozen(const struct part *part, struct json *value)
{
    for (size_t i = 0; i < part->count; i++) {
        struct json *parent = parent_for(value, part->fields[i].path, false);

        if (json_is(parent, JSON_OBJECT))
            normalise_field(&part->fields[i], parent);
    }
}
