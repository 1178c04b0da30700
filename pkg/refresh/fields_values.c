/* One value of JSON into its place: errors say what is wrong, the caller says where. */
#include "pkg/base/times.h"
#include "pkg/refresh/fields_priv.h"
#include "pkg/refresh/spec.h"

struct err *field_expected(const char *type)
{
    return err_new(ERR_INVALID, "expected %s", type);
}

static struct err *check_length(const struct field *field, const char *text, int64_t max)
{
    size_t length = text_characters(text);
    int64_t min = field->min ? field->min : (field->shape ? 1 : 0);

    if (min && !length)
        return err_new(ERR_INVALID, "must not be empty");
    if (field->kind == FIELD_TEXT && (int64_t)length < min)
        return err_new(ERR_INVALID, "must have at least %lld characters", (long long)min);
    if (max && (int64_t)length > max)
        return err_new(ERR_INVALID, "must have at most %lld characters", (long long)max);
    return NULL;
}

static struct err *find_name(const struct field *field, const char *text, size_t *ret)
{
    AUTO_BUF struct buf list = BUF_MAX(KIB);

    for (size_t i = 0; i < field->names.count; i++) {
        if (text_equal(field->names.items[i], text)) {
            *ret = i;
            return NULL;
        }
    }
    fields_list_names(&field->names, "or", &list);
    return err_new(ERR_INVALID, "must be %s", buf_text(&list));
}

struct err *field_check_text(const struct field *field, const struct json *value, int64_t max)
{
    const char *text = json_get_text(value, NULL, NULL);
    size_t index;

    if (!text)
        return field_expected("string");
    if (field->names.count)
        return find_name(field, text, &index);
    if (!field->cut)
        TRY(check_length(field, text, max));
    if (field->shape && !shape_fits(field->shape, str_of(text)))
        return err_new(ERR_INVALID, "%s", field->shape->must);
    return NULL;
}

static struct err *read_text(const struct field *field, const struct json *value, void *item)
{
    TRY(field_check_text(field, value, field->max));
    if (field->offset != NOWHERE) {
        /* Two members that exclude each other may share a place. */
        xfree(field_pointer(field_at(field, item)));
        field_set_pointer(field_at(field, item), xstrdup(json_get_text(value, NULL, "")));
    }
    return NULL;
}

static struct err *read_int(const struct field *field, const struct json *value, void *item)
{
    int64_t number = json_get_int(value, NULL, INT64_MIN);

    if (number == INT64_MIN)
        return field_expected("integer");
    if (field->max && (number < field->min || number > field->max))
        return err_new(ERR_INVALID, "must be between %lld and %lld", (long long)field->min,
                       (long long)field->max);
    if (number < field->min)
        return err_new(ERR_INVALID, "must be at least %lld", (long long)field->min);
    *(int64_t *)field_at(field, item) = number;
    return NULL;
}

static struct err *read_bool(const struct field *field, const struct json *value, void *item)
{
    if (!json_is(value, JSON_BOOL))
        return field_expected("boolean");
    if (field->kind == FIELD_TRISTATE)
        *(int *)field_at(field, item) = json_get_bool(value, NULL, false) ? YES : NO;
    else
        *(bool *)field_at(field, item) = json_get_bool(value, NULL, false);
    return NULL;
}

static struct err *read_enum(const struct field *field, const struct json *value, void *item)
{
    const char *text = json_get_text(value, NULL, NULL);
    size_t index = 0;

    if (!text)
        return field_expected("string");
    TRY(find_name(field, text, &index));
    if (field->offset != NOWHERE)
        *(int *)field_at(field, item) = (int)index;
    return NULL;
}

static struct err *read_duration(const struct field *field, const struct json *value, void *item)
{
    TRY(field_check_text(field, value, field->max));
    if (!duration_parse(str_of(json_get_text(value, NULL, "")), field_at(field, item)))
        return err_new(ERR_INVALID, "%s", field->shape->must);
    return NULL;
}

static struct err *read_time(const struct field *field, const struct json *value, void *item)
{
    const char *text = json_get_text(value, NULL, NULL);

    if (!text)
        return field_expected("string");
    if (!time_parse(str_of(text), field_at(field, item)))
        return err_new(ERR_INVALID, "must be a time such as 2026-11-22T16:00:00Z");
    return NULL;
}

struct err *field_check_entries(const struct field *field, const struct json *value)
{
    int64_t count = (int64_t)json_count(value);

    if (count < field->min)
        return field->min == 1
                   ? err_new(ERR_INVALID, "must have at least one entry")
                   : err_new(ERR_INVALID, "must have at least %lld entries", (long long)field->min);
    if (field->max && count > field->max)
        return err_new(ERR_INVALID, "must have at most %lld entries", (long long)field->max);
    return NULL;
}

static struct err *check_unique(const struct json *list, size_t index)
{
    const char *text = json_get_text(json_item(list, index), NULL, "");

    for (size_t i = 0; i < index; i++) {
        if (text_equal(json_get_text(json_item(list, i), NULL, NULL), text))
            return err_new(ERR_INVALID, "given twice");
    }
    return NULL;
}

static struct err *read_texts(const struct field *field, const struct json *value, void *item)
{
    size_t index = 0;

    if (!json_is(value, JSON_ARRAY))
        return field_expected("list");
    TRY(field_check_entries(field, value));
    json_each (entry, value) {
        struct err *err = field_check_text(field, entry, field->item_max);

        if (!err)
            err = check_unique(value, index);
        if (err)
            return err_wrap(err, "entry %zu", index + 1);
        index++;
        if (field->offset != NOWHERE) {
            char **added = fields_grow(field_at(field, item), field_count_at(field, item), sizeof(char *));

            *added = xstrdup(json_get_text(entry, NULL, ""));
        }
    }
    return NULL;
}

static struct err *read_pairs(const struct field *field, const struct json *value, void *item)
{
    if (!json_is(value, JSON_OBJECT))
        return field_expected("object");
    TRY(field_check_entries(field, value));
    json_each (member, value) {
        const char *text = json_get_text(member, NULL, NULL);
        struct name_value *added;

        if (!text)
            return err_wrap(field_expected("string"), "%.*s", SHOWN(json_key(member)));
        if ((int64_t)text_characters(text) > field->item_max)
            return err_new(ERR_INVALID, "%.*s: must have at most %lld characters", SHOWN(json_key(member)),
                           (long long)field->item_max);
        added = fields_grow(field_at(field, item), field_count_at(field, item), sizeof(*added));
        *added = (struct name_value){.name = xstrdup(json_key(member)), .value = xstrdup(text)};
    }
    return NULL;
}

static struct err *read_json(const struct field *field, const struct json *value, void *item)
{
    if (!json_is(value, JSON_OBJECT))
        return field_expected("object");
    if (field->kind == FIELD_NOTES) {
        json_each (member, value) {
            if (!json_is(member, JSON_STRING))
                return err_wrap(field_expected("string"), "%.*s", SHOWN(json_key(member)));
        }
    }
    json_free(field_pointer(field_at(field, item)));
    field_set_pointer(field_at(field, item), json_copy(value));
    return NULL;
}

static struct err *read_object(const struct field *field, const struct json *value, void *item)
{
    (void)field;
    (void)item;
    return json_is(value, JSON_OBJECT) ? NULL : field_expected("object");
}

static struct err *read_any(const struct field *field, const struct json *value, void *item)
{
    (void)field;
    (void)value;
    (void)item;
    return NULL;
}

typedef struct err *read_fn(const struct field *field, const struct json *value, void *item);

static read_fn *const readers[] = {
    [FIELD_OBJECT] = read_object,     [FIELD_TEXT] = read_text,     [FIELD_INT] = read_int,
    [FIELD_BOOL] = read_bool,         [FIELD_TRISTATE] = read_bool, [FIELD_ENUM] = read_enum,
    [FIELD_DURATION] = read_duration, [FIELD_TIME] = read_time,     [FIELD_TIME_MS] = read_time,
    [FIELD_TEXTS] = read_texts,       [FIELD_PAIRS] = read_pairs,   [FIELD_NOTES] = read_json,
    [FIELD_JSON] = read_json,         [FIELD_PART] = read_object,   [FIELD_LIST] = NULL,
    [FIELD_ANY] = read_any,
};

struct err *field_read_value(const struct field *field, const struct json *value, void *item)
{
    return readers[field->kind](field, value, item);
}
