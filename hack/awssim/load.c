#include "hack/awssim/load.h"

#include "hack/awssim/core.h"
#include "pkg/base/times.h"

/* Finds `wanted` below `node` and writes the way to it: only errors need it, so it may search. */
static bool find_path(const struct json *node, const struct json *wanted, struct buf *path)
{
    size_t mark = path->len, index = 0;

    if (node == wanted)
        return true;
    json_each (item, node) {
        if (json_is(node, JSON_ARRAY))
            buf_addf(path, "[%zu]", index++);
        else
            buf_addf(path, "%s%s", mark ? "." : "", json_key(item));
        if (find_path(item, wanted, path))
            return true;
        path->len = mark;
        if (path->data)
            path->data[mark] = '\0';
    }
    return false;
}

static struct err *error_at(const struct loader *loader, const struct json *node, const char *field,
                            const char *text)
{
    AUTO_BUF struct buf path = BUF_MAX(4 * KIB);
    const struct json *at = field ? json_member(node, field) : NULL;

    if (!find_path(yaml_root(loader->doc), node, &path))
        buf_adds(&path, "?");
    if (field)
        buf_addf(&path, "%s%s", path.len ? "." : "", field);
    return err_new(ERR_INVALID, "%s:%d: %s%s%s", yaml_name(loader->doc),
                   yaml_line(loader->doc, at ? at : node), buf_text(&path), path.len ? ": " : "", text);
}

struct err *load_error(const struct loader *loader, const struct json *node, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    AUTO_FREE char *text = xvasprintf(fmt, args);
    va_end(args);
    return error_at(loader, node, NULL, text);
}

bool load_duration(const char *text, int64_t *ret_ms)
{
    struct str all = str_of(text);
    int64_t days = 0;

    if (str_ends(all, "d") && str_to_int((struct str){all.ptr, all.len - 1}, &days)) {
        if (days < 0 || days > 36500)
            return false;
        *ret_ms = DAYS(days);
        return true;
    }
    return duration_parse(all, ret_ms);
}

static bool load_time(const struct loader *loader, const char *text, int64_t *ret_ms)
{
    int64_t ago = 0;

    if (text[0] != '-')
        return time_parse(str_of(text), ret_ms);
    if (!load_duration(text + 1, &ago))
        return false;
    *ret_ms = loader->start_ms - ago;
    return true;
}

static bool is_choice(const char *choices, const char *text)
{
    struct str rest = str_of(choices), one;

    while (str_cut(&rest, ' ', &one))
        if (str_is(one, text))
            return true;
    return false;
}

static bool all_text(const struct json *value)
{
    json_each (item, value)
        if (!json_is(item, JSON_STRING))
            return false;
    return true;
}

static void put_json(struct json **slot, const struct json *value)
{
    json_free(*slot);
    *slot = json_copy(value);
}

/* NULL: done; else what was expected. */
static const char *load_text_like(const struct loader *loader, const struct load_field *field,
                                  const struct json *value, void *slot)
{
    const char *text = json_get_text(value, NULL, NULL);

    if (!text)
        return "expected text";
    if (field->type == LOAD_DURATION)
        return load_duration(text, slot) ? NULL : "expected a duration such as 12m";
    if (field->type == LOAD_TIME)
        return load_time(loader, text, slot) ? NULL : "expected a time such as 2026-01-31T12:00:00Z or -48h";
    if (field->choices && !is_choice(field->choices, text))
        return field->choices;
    xfree(*(char **)slot);
    *(char **)slot = xstrdup(text);
    return NULL;
}

static const char *load_one(const struct loader *loader, const struct load_field *field,
                            const struct json *value, void *slot)
{
    switch (field->type) {
    case LOAD_INT:
        if (!json_is(value, JSON_NUMBER) || json_get_int(value, NULL, -1) < 0)
            return "expected a whole number, not negative";
        *(int64_t *)slot = json_get_int(value, NULL, 0);
        return NULL;
    case LOAD_NUMBER:
        if (!json_is(value, JSON_NUMBER))
            return "expected a number";
        *(double *)slot = json_get_number(value, NULL, 0);
        return NULL;
    case LOAD_BOOL:
        if (!json_is(value, JSON_BOOL))
            return "expected true or false";
        *(bool *)slot = json_get_bool(value, NULL, false);
        return NULL;
    case LOAD_OBJECT:
        if (!json_is(value, JSON_OBJECT))
            return "expected a mapping";
        *(const struct json **)slot = value;
        return NULL;
    case LOAD_LIST:
        if (!json_is(value, JSON_ARRAY))
            return "expected a list";
        *(const struct json **)slot = value;
        return NULL;
    case LOAD_TEXTS:
        if (!json_is(value, JSON_ARRAY) || !all_text(value))
            return "expected a list of texts";
        put_json(slot, value);
        return NULL;
    case LOAD_MAP:
        if (!json_is(value, JSON_OBJECT) || !all_text(value))
            return "expected a mapping of texts";
        put_json(slot, value);
        return NULL;
    case LOAD_TEXT:
    case LOAD_DURATION:
    case LOAD_TIME:
        break;
    }
    return load_text_like(loader, field, value, slot);
}

static const struct load_field *field_find(const struct load_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(fields[i].name, name))
            return &fields[i];
    return NULL;
}

static struct err *unknown_key(const struct loader *loader, const struct json *object, const char *key,
                               const struct load_field *fields, size_t count)
{
    AUTO_BUF struct buf text = BUF_MAX(4 * KIB);

    buf_adds(&text, "unknown key; known are");
    for (size_t i = 0; i < count; i++)
        buf_addf(&text, "%s %s", i ? "," : "", fields[i].name);
    return error_at(loader, object, key, buf_text(&text));
}

struct err *load_fields(const struct loader *loader, const struct json *object,
                        const struct load_field *fields, size_t count, void *ret)
{
    if (!json_is(object, JSON_OBJECT))
        return load_error(loader, object, "expected a mapping");
    json_each (member, object) {
        const struct load_field *field = field_find(fields, count, json_key(member));

        if (!field)
            return unknown_key(loader, object, json_key(member), fields, count);
        const char *fault = load_one(loader, field, member, (char *)ret + field->offset);
        if (!fault)
            continue;
        AUTO_FREE char *text = xasprintf("%s%s", fault == field->choices ? "must be one of: " : "", fault);
        return error_at(loader, object, field->name, text);
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && !json_member(object, fields[i].name))
            return error_at(loader, object, fields[i].name, "required");
    return NULL;
}
