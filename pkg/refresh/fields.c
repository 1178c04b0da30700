#include "pkg/refresh/fields.h"

#include "pkg/refresh/fields_priv.h"
#include "pkg/refresh/spec.h"

/* --- small things --- */

size_t text_characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

size_t text_cut(const char *text, size_t max)
{
    size_t len = strlen(text);

    if (len <= max)
        return len;
    while (max && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

bool fields_has(const struct json *value, const char *path)
{
    const struct json *found = json_at(value, path);

    return found && !json_is(found, JSON_NULL);
}

/* Array pointers of many types are handled here; memcpy is how C lets one do that. */
void *field_pointer(const void *at)
{
    void *pointer;

    memcpy(&pointer, at, sizeof(pointer));
    return pointer;
}

void field_set_pointer(void *at, void *pointer)
{
    memcpy(at, &pointer, sizeof(pointer));
}

void *field_at(const struct field *field, const void *item)
{
    return (char *)(uintptr_t)item + field->offset;
}

size_t *field_count_at(const struct field *field, const void *item)
{
    return (size_t *)(void *)((char *)(uintptr_t)item + field->count_offset);
}

void *fields_grow(void *items_ptr, size_t *count, size_t size)
{
    char *items = xgrow(field_pointer(items_ptr), *count, size);
    void *added = items + *count * size;

    field_set_pointer(items_ptr, items);
    memset(added, 0, size);
    (*count)++;
    return added;
}

void fields_list_names(const struct names *names, const char *last_word, struct buf *out)
{
    for (size_t i = 0; i < names->count; i++) {
        if (i && i + 1 == names->count)
            buf_addf(out, " %s ", last_word);
        else if (i)
            buf_adds(out, ", ");
        buf_adds(out, names->items[i]);
    }
}

struct err *fields_one_of(const struct json *value, const char *where, const struct names *names,
                          size_t *ret_index)
{
    AUTO_BUF struct buf list = BUF_MAX(KIB);
    size_t found = 0;

    for (size_t i = 0; i < names->count; i++) {
        if (fields_has(value, names->items[i])) {
            found++;
            *ret_index = i;
        }
    }
    if (found == 1)
        return NULL;
    fields_list_names(names, "and", &list);
    return err_new(ERR_INVALID, "%s: exactly one of %s must be given", where, buf_text(&list));
}

/* --- defaults --- */

/* Depth is that of the tables. */
static void set_defaults(const struct part *part, void *item)
{
    for (size_t i = 0; i < part->count; i++) {
        const struct field *field = &part->fields[i];
        void *at;

        if (field->offset == NOWHERE)
            continue;
        at = field_at(field, item);
        if (field->kind == FIELD_INT || field->kind == FIELD_DURATION)
            *(int64_t *)at = field->otherwise;
        else if (field->kind == FIELD_ENUM || field->kind == FIELD_TRISTATE)
            *(int *)at = (int)field->otherwise;
        else if (field->kind == FIELD_BOOL)
            *(bool *)at = field->otherwise != 0;
        else if (field->kind == FIELD_PART)
            set_defaults(field->part, at);
    }
}

/* --- reading structs --- */

static struct err *read_part(const struct part *part, const struct json *value, const char *where,
                             void *item);

/* Whether the entry's name is well-formed, and so fit to be shown in a path. */
static bool has_good_name(const struct part *part, const struct json *entry)
{
    for (size_t i = 0; part->key && i < part->count; i++) {
        const struct field *field = &part->fields[i];

        if (text_equal(field->path, part->key)) {
            AUTO_ERR struct err *err = field_check_text(field, json_member(entry, part->key), field->max);

            return !err;
        }
    }
    return false;
}

/* "where[main]", or "where[3]". */
static char *entry_path(const struct part *part, const struct json *entry, const char *where, size_t index)
{
    if (has_good_name(part, entry))
        return xasprintf("%s[%.*s]", where, SHOWN(json_get_text(json_member(entry, part->key), NULL, "")));
    return xasprintf("%s[%zu]", where, index);
}

static struct err *check_key(const struct part *part, const struct json *list, size_t index, const char *path)
{
    const char *name = part->key ? json_get_text(json_item(list, index), part->key, NULL) : NULL;

    for (size_t i = 0; name && i < index; i++) {
        if (text_equal(json_get_text(json_item(list, i), part->key, NULL), name))
            return err_new(ERR_INVALID, "%s: two entries have this %s", path, part->key);
    }
    return NULL;
}

/* Depth is that of the tables. */
static struct err *read_list(const struct field *field, const struct json *value, const char *where,
                             void *item)
{
    size_t index = 0;

    if (!json_is(value, JSON_ARRAY))
        return err_wrap(field_expected("list"), "%s", where);
    TRY(err_wrap(field_check_entries(field, value), "%s", where));
    json_each (entry, value) {
        AUTO_FREE char *path = entry_path(field->part, entry, where, index);
        void *added;

        if (!json_is(entry, JSON_OBJECT))
            return err_wrap(field_expected("object"), "%s", path);
        TRY(check_key(field->part, value, index, path));
        added = fields_grow(field_at(field, item), field_count_at(field, item), field->part->size);
        set_defaults(field->part, added);
        TRY(read_part(field->part, entry, path, added));
        index++;
    }
    return NULL;
}

/* The value that holds the row's last member; NULL when it is not there. */
static const struct json *parent_of(const struct json *value, const char *path)
{
    const char *dot = strrchr(path, '.');
    AUTO_FREE char *parent = dot ? xstrndup(path, (size_t)(dot - path)) : NULL;

    return parent ? json_at(value, parent) : value;
}

static char *path_of(const struct field *field, const char *where)
{
    return xasprintf("%s%s%s", where, *where ? "." : "", field->path);
}

/* Paths are for errors and for what is below: most rows need none. */
static struct err *read_field(const struct field *field, const struct json *value, const char *where,
                              void *item)
{
    const struct json *found = json_at(value, field->path);
    AUTO_FREE char *path = NULL;
    struct err *err;

    if (!found || json_is(found, JSON_NULL)) {
        if (!field->required || !json_is(parent_of(value, field->path), JSON_OBJECT))
            return NULL;
        path = path_of(field, where);
        return err_new(ERR_INVALID, "%s: required", path);
    }
    err = field->kind == FIELD_LIST ? NULL : field_read_value(field, found, item);
    if (!err && field->kind != FIELD_LIST && field->kind != FIELD_PART)
        return NULL;
    path = path_of(field, where);
    if (err)
        return err_wrap(err, "%s", path);
    if (field->kind == FIELD_LIST)
        return read_list(field, found, path, item);
    return read_part(field->part, found, path, field_at(field, item));
}

static struct err *read_part(const struct part *part, const struct json *value, const char *where, void *item)
{
    for (size_t i = 0; i < part->count; i++)
        TRY(read_field(&part->fields[i], value, where, item));
    return part->check ? part->check(item, value, where) : NULL;
}

struct err *fields_read(const struct part *part, const struct json *value, const char *where, void *ret)
{
    set_defaults(part, ret);
    if (!json_is(value, JSON_OBJECT))
        return err_wrap(field_expected("object"), "%s", where);
    return read_part(part, value, where, ret);
}

/* --- freeing --- */

static void free_texts(const struct field *field, void *item)
{
    char **texts = field_pointer(field_at(field, item));

    for (size_t i = 0; i < *field_count_at(field, item); i++)
        xfree(texts[i]);
    xfree(texts);
}

static void free_pairs(const struct field *field, void *item)
{
    struct name_value *pairs = field_pointer(field_at(field, item));

    for (size_t i = 0; i < *field_count_at(field, item); i++) {
        xfree(pairs[i].name);
        xfree(pairs[i].value);
    }
    xfree(pairs);
}

static void free_list(const struct field *field, void *item)
{
    char *entries = field_pointer(field_at(field, item));

    for (size_t i = 0; i < *field_count_at(field, item); i++)
        fields_free(field->part, entries + i * field->part->size);
    xfree(entries);
}

static void free_field(const struct field *field, void *item)
{
    bool is_list = field->kind == FIELD_TEXTS || field->kind == FIELD_PAIRS || field->kind == FIELD_LIST;

    if (field->kind == FIELD_TEXT)
        xfree(field_pointer(field_at(field, item)));
    else if (field->kind == FIELD_JSON || field->kind == FIELD_NOTES)
        json_free(field_pointer(field_at(field, item)));
    else if (field->kind == FIELD_TEXTS)
        free_texts(field, item);
    else if (field->kind == FIELD_PAIRS)
        free_pairs(field, item);
    else if (field->kind == FIELD_LIST)
        free_list(field, item);
    else if (field->kind == FIELD_PART)
        fields_free(field->part, field_at(field, item));
    else
        return;
    /* Rows may share a place: the next one finds it empty. */
    if (is_list)
        *field_count_at(field, item) = 0;
    if (field->kind != FIELD_PART)
        field_set_pointer(field_at(field, item), NULL);
}

void fields_free(const struct part *part, void *item)
{
    for (size_t i = 0; i < part->count; i++) {
        if (part->fields[i].offset != NOWHERE)
            free_field(&part->fields[i], item);
    }
}

/* --- looking at tables --- */

void fields_walk(const struct part *part, const char *prefix, fields_visit_fn *visit, void *arg)
{
    for (size_t i = 0; i < part->count; i++) {
        const struct field *field = &part->fields[i];
        bool is_list = field->kind == FIELD_LIST;
        AUTO_FREE char *path =
            xasprintf("%s%s%s%s", prefix, *prefix ? "." : "", field->path, is_list ? "[]" : "");

        visit(arg, path, field);
        if (field->part)
            fields_walk(field->part, path, visit, arg);
    }
}
