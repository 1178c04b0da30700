#include "pkg/base/json.h"

#include <cjson/cJSON.h>
#include <math.h>

/* A struct json is a cJSON under another name: the header keeps the library out of everybody else's sight. */
static cJSON *raw(const struct json *value)
{
    return (cJSON *)(uintptr_t)value;
}

static struct json *ours(cJSON *value)
{
    return (struct json *)value;
}

#define EXACT_MAX 9007199254740992.0 /* 2^53 */

/* --- checks that cJSON does not make --- */

struct scan {
    struct str text;
    size_t at;
    int depth, max_depth;
};

static struct err *bad(const struct scan *scan, const char *what)
{
    return err_new(ERR_INVALID, "JSON: %s at byte %zu", what, scan->at);
}

/* cJSON passes control characters, bad UTF-8 and NUL escapes through; we do not. */
static struct err *check_utf8(struct scan *scan)
{
    for (size_t i = 0; i < scan->text.len;) {
        size_t len = str_utf8_len(str_from(scan->text, i));

        scan->at = i;
        if (!len)
            return bad(scan, "not UTF-8");
        i += len;
    }
    return NULL;
}

/* Strings hold no raw control characters and no \u0000 (it would cut a C string short); nesting stays below
 * the limit. Everything else is cJSON's to judge. */
static struct err *check_tokens(struct scan *scan)
{
    const char *p = scan->text.ptr;
    bool in_string = false;

    for (size_t i = 0; i < scan->text.len; i++) {
        scan->at = i;
        if ((unsigned char)p[i] < 0x20 && (in_string || (p[i] != '\n' && p[i] != '\t' && p[i] != '\r')))
            return bad(scan, "control character");
        if (in_string && p[i] == '\\') {
            if (scan->text.len - i >= 6 && memcmp(p + i, "\\u0000", 6) == 0)
                return bad(scan, "NUL character");
            i++;
        } else if (p[i] == '"') {
            in_string = !in_string;
        } else if (!in_string && (p[i] == '{' || p[i] == '[')) {
            if (++scan->depth > scan->max_depth)
                return bad(scan, "nested too deep");
        } else if (!in_string && (p[i] == '}' || p[i] == ']')) {
            scan->depth--;
        }
    }
    return NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *duplicate_name(const cJSON *object)
{
    size_t count = (size_t)cJSON_GetArraySize(object), i = 0;
    AUTO_FREE const char **names = NULL;
    const cJSON *member;

    if (count < 2)
        return NULL;
    names = xcalloc(count, sizeof(*names));
    cJSON_ArrayForEach(member, object) names[i++] = member->string;
    qsort(names, count, sizeof(*names), compare_names);
    for (i = 1; i < count; i++) {
        if (strcmp(names[i - 1], names[i]) == 0)
            return names[i];
    }
    return NULL;
}

/* Depth is bounded by check_tokens(). */
static struct err *check_tree(const cJSON *value) // NOLINT(misc-no-recursion)
{
    const cJSON *child;

    if (cJSON_IsNumber(value) && !isfinite(value->valuedouble))
        return err_new(ERR_INVALID, "JSON: number out of range");
    if (cJSON_IsObject(value)) {
        const char *name = duplicate_name(value);

        if (name)
            return err_new(ERR_INVALID, "JSON: duplicate key \"%.100s\"", name);
    }
    cJSON_ArrayForEach(child, value) TRY(check_tree(child));
    return NULL;
}

/* cJSON takes numbers that JSON does not know ("01", "+1", "1."). */
static struct err *check_numbers(struct scan *scan)
{
    const char *p = scan->text.ptr, *end = p + scan->text.len;
    bool in_string = false;

    for (; p < end; p++) {
        scan->at = (size_t)(p - scan->text.ptr);
        if (in_string) {
            if (*p == '\\')
                p++;
            else if (*p == '"')
                in_string = false;
        } else if (*p == '"') {
            in_string = true;
        } else if (*p == '-' || (*p >= '0' && *p <= '9')) {
            if (*p == '-')
                p++;
            if (p + 1 < end && *p == '0' && p[1] >= '0' && p[1] <= '9')
                return bad(scan, "bad number");
            while (p < end && ((*p >= '0' && *p <= '9') || strchr("+-.eE", *p))) {
                if (*p == '.' && (p + 1 >= end || p[1] < '0' || p[1] > '9'))
                    return bad(scan, "bad number");
                p++;
            }
            p--;
        } else if (*p == '+' || *p == '.') {
            return bad(scan, "bad number");
        }
    }
    return NULL;
}

struct err *json_parse(struct str text, const struct json_limits *limits, struct json **ret)
{
    size_t max_bytes = limits && limits->max_bytes ? limits->max_bytes : 16 * MIB;
    struct scan scan = {.text = text.ptr ? text : STR(""),
                        .max_depth = limits && limits->max_depth ? limits->max_depth : 64};
    const char *end = NULL;
    cJSON *value;
    struct err *err;

    text = scan.text;
    if (text.len > max_bytes)
        return err_new(ERR_INVALID, "JSON: larger than %zu bytes", max_bytes);
    TRY(check_utf8(&scan));
    TRY(check_tokens(&scan));
    TRY(check_numbers(&scan));
    if (str_starts(text, "\xEF\xBB\xBF"))
        return err_new(ERR_INVALID, "JSON: byte order mark at byte 0");
    value = cJSON_ParseWithLengthOpts(text.ptr, text.len, &end, 0);
    if (!value)
        return err_new(ERR_INVALID, "JSON: syntax error at byte %zu", end ? (size_t)(end - text.ptr) : 0);
    while (end < text.ptr + text.len && (*end == ' ' || *end == '\n' || *end == '\r' || *end == '\t'))
        end++;
    if (end != text.ptr + text.len) {
        cJSON_Delete(value);
        return err_new(ERR_INVALID, "JSON: trailing bytes at byte %zu", (size_t)(end - text.ptr));
    }
    err = check_tree(value);
    if (err) {
        cJSON_Delete(value);
        return err;
    }
    *ret = ours(value);
    return NULL;
}

void json_free(struct json *value)
{
    cJSON_Delete(raw(value));
}

static cJSON *or_die(cJSON *value)
{
    if (!value)
        abort(); /* cJSON builders fail for lack of memory only */
    return value;
}

struct json *json_copy(const struct json *value)
{
    return value ? ours(or_die(cJSON_Duplicate(raw(value), 1))) : NULL;
}

/* Members mostly come in the same order; a search is for the others. */
static bool members_equal(const struct json *a, const struct json *b) // NOLINT(misc-no-recursion)
{
    const struct json *beside = json_first(b);

    json_each (member, a) {
        bool same_place = beside && text_equal(json_key(member), json_key(beside));

        if (!json_equal(member, same_place ? beside : json_member(b, json_key(member))))
            return false;
        beside = beside ? json_next(beside) : NULL;
    }
    return json_count(a) == json_count(b);
}

static bool items_equal(const struct json *a, const struct json *b) // NOLINT(misc-no-recursion)
{
    const struct json *beside = json_first(b);

    json_each (item, a) {
        if (!json_equal(item, beside))
            return false;
        beside = json_next(beside);
    }
    return !beside;
}

/* Not cJSON_Compare(): that takes neighbouring numbers for equal. Depth is bounded by how the values were
 * built. */
bool json_equal(const struct json *a, const struct json *b) // NOLINT(misc-no-recursion)
{
    if (!a || !b)
        return a == b;
    if (json_type(a) != json_type(b))
        return false;
    switch (json_type(a)) {
    case JSON_BOOL:
        return cJSON_IsTrue(raw(a)) == cJSON_IsTrue(raw(b));
    case JSON_NUMBER:
        return raw(a)->valuedouble == raw(b)->valuedouble;
    case JSON_STRING:
        return text_equal(raw(a)->valuestring, raw(b)->valuestring);
    case JSON_ARRAY:
        return items_equal(a, b);
    case JSON_OBJECT:
        return members_equal(a, b);
    case JSON_NULL:
        break;
    }
    return true;
}

static void print_string(const char *text, struct buf *out)
{
    buf_addc(out, '"');
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;

        if (c == '"' || c == '\\')
            buf_add(out, (char[]){'\\', *p}, 2);
        else if (c == '\n')
            buf_adds(out, "\\n");
        else if (c < 0x20 || c == 0x7F)
            buf_addf(out, "\\u%04x", c);
        else
            buf_addc(out, *p);
    }
    buf_addc(out, '"');
}

/* The shortest spelling that reads back as the same number. */
static void print_fraction(double number, struct buf *out)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    buf_adds(out, text);
}

static void print_number(double number, struct buf *out)
{
    if (number >= -EXACT_MAX && number <= EXACT_MAX && number == floor(number))
        buf_addf(out, "%lld", (long long)number);
    else
        print_fraction(number, out);
}

static void newline(struct buf *out, int indent)
{
    if (indent >= 0)
        buf_addf(out, "\n%*s", indent * 2, "");
}

/* indent < 0: compact. Depth is bounded by how the value was built. */
static void print_value(const cJSON *value, int indent, struct buf *out) // NOLINT(misc-no-recursion)
{
    bool is_object = cJSON_IsObject(value);
    const cJSON *child;

    if (!is_object && !cJSON_IsArray(value)) {
        if (cJSON_IsString(value))
            print_string(value->valuestring, out);
        else if (cJSON_IsNumber(value))
            print_number(value->valuedouble, out);
        else
            buf_adds(out, cJSON_IsTrue(value) ? "true" : cJSON_IsFalse(value) ? "false" : "null");
        return;
    }
    buf_addc(out, is_object ? '{' : '[');
    cJSON_ArrayForEach(child, value)
    {
        newline(out, indent < 0 ? -1 : indent + 1);
        if (is_object) {
            print_string(child->string, out);
            buf_adds(out, indent < 0 ? ":" : ": ");
        }
        print_value(child, indent < 0 ? -1 : indent + 1, out);
        if (child->next)
            buf_addc(out, ',');
    }
    if (value->child)
        newline(out, indent);
    buf_addc(out, is_object ? '}' : ']');
}

void json_print(const struct json *value, struct buf *out)
{
    print_value(raw(value), -1, out);
}

void json_print_pretty(const struct json *value, struct buf *out)
{
    print_value(raw(value), 0, out);
}

char *json_to_text(const struct json *value)
{
    AUTO_BUF struct buf out = BUF_MAX(64 * MIB);

    json_print(value, &out);
    return buf_take(&out);
}

/* --- access --- */

enum json_type json_type(const struct json *value)
{
    /* Asked at every step of every path, hence no call per kind. */
    switch (value ? raw(value)->type & 0xFF : cJSON_NULL) {
    case cJSON_Object:
        return JSON_OBJECT;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_True:
    case cJSON_False:
        return JSON_BOOL;
    default:
        return JSON_NULL;
    }
}

bool json_is(const struct json *value, enum json_type type)
{
    return value && json_type(value) == type;
}

const struct json *json_member(const struct json *object, const char *name)
{
    return json_is(object, JSON_OBJECT) ? ours(cJSON_GetObjectItemCaseSensitive(raw(object), name)) : NULL;
}

static const struct json *member_of(const struct json *object, struct str name)
{
    json_each (item, object) {
        const char *key = json_key(item);

        if (key && strncmp(key, name.ptr, name.len) == 0 && !key[name.len])
            return item;
    }
    return NULL;
}

/* One step of a path: "name" or "name[3]" or "[3]". */
static const struct json *step_into(const struct json *value, struct str piece)
{
    const char *bracket = memchr(piece.ptr, '[', piece.len);
    size_t name_len = bracket ? (size_t)(bracket - piece.ptr) : piece.len;
    struct str rest = str_from(piece, name_len);

    if (name_len) {
        if (!json_is(value, JSON_OBJECT))
            return NULL;
        value = member_of(value, (struct str){.ptr = piece.ptr, .len = name_len});
    }
    while (value && rest.len) {
        const char *close = memchr(rest.ptr, ']', rest.len);
        int64_t index;

        if (!close || rest.ptr[0] != '[' ||
            !str_to_int((struct str){.ptr = rest.ptr + 1, .len = (size_t)(close - rest.ptr) - 1}, &index) ||
            index < 0)
            return NULL;
        value = json_item(value, (size_t)index);
        rest = str_from(rest, (size_t)(close - rest.ptr) + 1);
    }
    return value;
}

const struct json *json_at(const struct json *value, const char *path)
{
    struct str rest, piece;

    if (!path)
        return value;
    rest = str_of(path);
    while (value && str_cut(&rest, '.', &piece))
        value = step_into(value, piece);
    return value;
}

size_t json_count(const struct json *value)
{
    if (!json_is(value, JSON_ARRAY) && !json_is(value, JSON_OBJECT))
        return 0;
    return (size_t)cJSON_GetArraySize(raw(value));
}

const struct json *json_item(const struct json *array, size_t index)
{
    return json_is(array, JSON_ARRAY) && index < INT32_MAX ? ours(cJSON_GetArrayItem(raw(array), (int)index))
                                                           : NULL;
}

const char *json_key(const struct json *member)
{
    return member ? raw(member)->string : NULL;
}

const struct json *json_first(const struct json *value)
{
    return json_is(value, JSON_ARRAY) || json_is(value, JSON_OBJECT) ? ours(raw(value)->child) : NULL;
}

const struct json *json_next(const struct json *item)
{
    return ours(raw(item)->next);
}

const char *json_get_text(const struct json *value, const char *path, const char *otherwise)
{
    const struct json *found = json_at(value, path);

    return json_is(found, JSON_STRING) ? raw(found)->valuestring : otherwise;
}

static bool exact_int(const struct json *value, int64_t *ret)
{
    double number;

    if (!json_is(value, JSON_NUMBER))
        return false;
    number = raw(value)->valuedouble;
    if (number < -EXACT_MAX || number > EXACT_MAX || number != floor(number))
        return false;
    *ret = (int64_t)number;
    return true;
}

int64_t json_get_int(const struct json *value, const char *path, int64_t otherwise)
{
    int64_t number = otherwise;

    return exact_int(json_at(value, path), &number) ? number : otherwise;
}

double json_get_number(const struct json *value, const char *path, double otherwise)
{
    const struct json *found = json_at(value, path);

    return json_is(found, JSON_NUMBER) ? raw(found)->valuedouble : otherwise;
}

bool json_get_bool(const struct json *value, const char *path, bool otherwise)
{
    const struct json *found = json_at(value, path);

    return json_is(found, JSON_BOOL) ? cJSON_IsTrue(raw(found)) : otherwise;
}

/* --- building --- */

struct json *json_new_object(void)
{
    return ours(or_die(cJSON_CreateObject()));
}

struct json *json_new_array(void)
{
    return ours(or_die(cJSON_CreateArray()));
}

struct json *json_new_text(const char *text)
{
    return ours(or_die(cJSON_CreateString(text)));
}

struct json *json_new_int(int64_t number)
{
    return ours(or_die(cJSON_CreateNumber((double)number)));
}

struct json *json_new_number(double number)
{
    return ours(or_die(cJSON_CreateNumber(number)));
}

struct json *json_new_bool(bool truth)
{
    return ours(or_die(cJSON_CreateBool(truth)));
}

struct json *json_new_null(void)
{
    return ours(or_die(cJSON_CreateNull()));
}

void json_set(struct json *object, const char *name, struct json *value)
{
    if (!value) {
        json_remove(object, name);
    } else if (json_member(object, name)) {
        cJSON_ReplaceItemInObjectCaseSensitive(raw(object), name, raw(value));
    } else if (!cJSON_AddItemToObject(raw(object), name, raw(value))) {
        abort();
    }
}

void json_set_text(struct json *object, const char *name, const char *text)
{
    json_set(object, name, text ? json_new_text(text) : NULL);
}

void json_set_int(struct json *object, const char *name, int64_t number)
{
    json_set(object, name, json_new_int(number));
}

void json_set_bool(struct json *object, const char *name, bool truth)
{
    json_set(object, name, json_new_bool(truth));
}

void json_set_copy(struct json *object, const char *name, const struct json *value)
{
    json_set(object, name, json_copy(value));
}

void json_add(struct json *object, const char *name, struct json *value)
{
    if (!cJSON_AddItemToObject(raw(object), name, raw(value)))
        abort();
}

void json_append(struct json *array, struct json *value)
{
    if (!cJSON_AddItemToArray(raw(array), raw(value)))
        abort();
}

void json_append_text(struct json *array, const char *text)
{
    json_append(array, json_new_text(text));
}

void json_remove(struct json *object, const char *name)
{
    cJSON_DeleteItemFromObjectCaseSensitive(raw(object), name);
}

struct json *json_take(struct json *object, const char *name)
{
    return ours(cJSON_DetachItemFromObjectCaseSensitive(raw(object), name));
}

void json_remove_item(struct json *array, size_t index)
{
    if (json_is(array, JSON_ARRAY) && index < json_count(array))
        cJSON_DeleteItemFromArray(raw(array), (int)index);
}

struct json *json_edit(struct json *value, const char *path)
{
    return (struct json *)(uintptr_t)json_at(value, path);
}

/* Depth is bounded by how the patch was built. */
struct json *json_merge_patch(struct json *target, const struct json *patch) // NOLINT(misc-no-recursion)
{
    if (!json_is(patch, JSON_OBJECT)) {
        json_free(target);
        return json_copy(patch);
    }
    if (!json_is(target, JSON_OBJECT)) {
        json_free(target);
        target = json_new_object();
    }
    json_each (change, patch) {
        const char *name = json_key(change);
        cJSON *old;

        if (json_is(change, JSON_NULL)) {
            json_remove(target, name);
            continue;
        }
        /* An object merges into what is there, in place; anything else replaces it, in place too. */
        old = raw(json_member(target, name));
        if (json_is(change, JSON_OBJECT) && old && cJSON_IsObject(old))
            json_merge_patch(ours(old), change);
        else
            json_set(target, name, json_merge_patch(NULL, change));
    }
    return target;
}

/* Depth is bounded by how the values were built. */
struct json *json_merge_diff(const struct json *from, const struct json *to) // NOLINT(misc-no-recursion)
{
    AUTO_JSON struct json *patch = NULL;

    if (!json_is(from, JSON_OBJECT) || !json_is(to, JSON_OBJECT))
        return json_equal(from, to) ? NULL : json_copy(to);
    patch = json_new_object();
    json_each (member, from) {
        if (!json_member(to, json_key(member)))
            json_set(patch, json_key(member), json_new_null());
    }
    json_each (member, to) {
        const struct json *old = json_member(from, json_key(member));
        struct json *change = old ? json_merge_diff(old, member) : json_copy(member);

        if (change)
            json_set(patch, json_key(member), change);
    }
    return json_count(patch) ? TAKE(patch) : NULL;
}

/* --- decoding --- */

static const char *type_name(enum json_type type)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",     [JSON_BOOL] = "boolean", [JSON_NUMBER] = "integer",
        [JSON_STRING] = "string", [JSON_ARRAY] = "list",   [JSON_OBJECT] = "object",
    };

    return names[type];
}

static bool store_field(const struct json *found, const struct json_field *field, void *ret)
{
    char *at = (char *)ret + field->offset;
    int64_t number = 0;

    switch (field->type) {
    case JSON_STRING:
        if (!json_is(found, JSON_STRING))
            return false;
        *(char **)(void *)at = xstrdup(raw(found)->valuestring);
        return true;
    case JSON_NUMBER:
        if (!exact_int(found, &number))
            return false;
        *(int64_t *)(void *)at = number;
        return true;
    case JSON_BOOL:
        if (!json_is(found, JSON_BOOL))
            return false;
        *(bool *)(void *)at = cJSON_IsTrue(raw(found));
        return true;
    case JSON_ARRAY:
    case JSON_OBJECT:
        if (!json_is(found, field->type))
            return false;
        *(const struct json **)(void *)at = found;
        return true;
    case JSON_NULL:
        break;
    }
    return false;
}

struct err *json_decode(const struct json *value, const char *where, const struct json_field *fields,
                        size_t count, void *ret)
{
    const char *dot = where && *where ? "." : "";

    for (size_t i = 0; i < count; i++) {
        const struct json *found = json_at(value, fields[i].path);

        if (!found || json_is(found, JSON_NULL)) {
            if (fields[i].required)
                return err_new(ERR_INVALID, "%s%s%s: required", where ? where : "", dot, fields[i].path);
        } else if (!store_field(found, &fields[i], ret)) {
            return err_new(ERR_INVALID, "%s%s%s: expected %s", where ? where : "", dot, fields[i].path,
                           type_name(fields[i].type));
        }
    }
    return NULL;
}
