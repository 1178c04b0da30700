/* JSON values: parsing with caps, case-sensitive typed access by path, building, printing. The only place
 * that knows cJSON. A path is member names joined with '.', array items as [n]: "spec.databases[0].name".
 * Names with dots (annotations) go through json_member(). Absent is NULL or the caller's default, never an
 * error; a wrong type counts as absent in the json_get_* family and as an error in json_decode(). Integers
 * are exact up to 2^53 and refused beyond. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "pkg/base/buf.h"
#include "pkg/base/err.h"
#include "pkg/base/str.h"

struct json; /* a value, and everything below it */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_limits {
    size_t max_bytes; /* 0: 16 MiB */
    int max_depth;    /* 0: 64 */
};

/* The whole text is one value: trailing bytes, duplicate keys, bad UTF-8, NaN, numbers outside the double
 * range are ERR_INVALID with the byte offset. `limits` may be NULL. */
struct err *json_parse(struct str text, const struct json_limits *limits, struct json **ret) MUST_USE;
void json_free(struct json *value);
struct json *json_copy(const struct json *value);
bool json_equal(const struct json *a,
                const struct json *b); /* order of members does not matter, order of items does */
void json_print(const struct json *value,
                struct buf *out); /* compact; members in the order they were added */
void json_print_pretty(const struct json *value, struct buf *out);
char *json_to_text(const struct json *value); /* compact, yours; at most 64 MiB */

enum json_type json_type(const struct json *value); /* JSON_NULL for NULL */
bool json_is(const struct json *value, enum json_type type);
const struct json *json_member(const struct json *object, const char *name);
const struct json *json_at(const struct json *value, const char *path);
size_t json_count(const struct json *value); /* items or members; 0 for anything else */
const struct json *json_item(const struct json *array, size_t index);
const char *json_key(const struct json *member);         /* its name inside its object, or NULL */
const struct json *json_first(const struct json *value); /* of an array or object */
const struct json *json_next(const struct json *item);

/* json_each(item, array) { ... }: items of an array or members of an object. */
#define json_each(item, value) for (const struct json *item = json_first(value); item; item = json_next(item))

/* `path` NULL means the value itself. */
const char *json_get_text(const struct json *value, const char *path, const char *otherwise);
int64_t json_get_int(const struct json *value, const char *path, int64_t otherwise);
double json_get_number(const struct json *value, const char *path, double otherwise);
bool json_get_bool(const struct json *value, const char *path, bool otherwise);

/* Building. Values handed in are taken over; text is copied. A setter replaces a member of that name, in
 * place. */
struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_text(const char *text);
struct json *json_new_int(int64_t number);
struct json *json_new_number(double number);
struct json *json_new_bool(bool truth);
struct json *json_new_null(void);
void json_set(struct json *object, const char *name, struct json *value); /* value NULL: removes the member */
void json_set_text(struct json *object, const char *name,
                   const char *text); /* text NULL: removes the member */
void json_set_int(struct json *object, const char *name, int64_t number);
void json_set_bool(struct json *object, const char *name, bool truth);
void json_set_copy(struct json *object, const char *name, const struct json *value);
/* Appends a member whose name the caller knows to be new: at once, however many there are. */
void json_add(struct json *object, const char *name, struct json *value);
void json_append(struct json *array, struct json *value);
void json_append_text(struct json *array, const char *text);
void json_remove(struct json *object, const char *name);
struct json *json_take(struct json *object, const char *name); /* removes a member: it is yours; NULL: none */
void json_remove_item(struct json *array, size_t index);       /* past the end: nothing */
struct json *json_edit(struct json *value, const char *path);  /* json_at() of a value one owns */
/* RFC 7396; gives the patched value, `target` is taken over. */
struct json *json_merge_patch(struct json *target, const struct json *patch);
/* The smallest RFC 7396 patch from one to the other; NULL when they are equal. */
struct json *json_merge_diff(const struct json *from, const struct json *to);

static inline void auto_json(struct json **value)
{
    json_free(*value);
}
#define AUTO_JSON CLEANUP(auto_json)

/* Decoding a struct by a table. Text fields are xstrdup'd into a char * (NULL when absent), ints into
 * int64_t, bools into bool. The first fault ends it: ERR_INVALID "<where>.<path>: expected integer". */
struct json_field {
    const char *path;
    enum json_type type; /* JSON_STRING, JSON_NUMBER (an integer), JSON_BOOL; JSON_OBJECT and JSON_ARRAY:
                            borrowed const struct json * */
    size_t offset;
    bool required;
};
struct err *json_decode(const struct json *value, const char *where, const struct json_field *fields,
                        size_t count, void *ret) MUST_USE;

#endif
