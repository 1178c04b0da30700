/* Reading the world file: every mistake is reported as "file:line: path: what", every unknown key is one. */
#ifndef AWSSIM_LOAD_H
#define AWSSIM_LOAD_H

#include "pkg/base/err.h"
#include "pkg/base/json.h"

struct loader; /* the file being read */

enum load_type {
    LOAD_TEXT,     /* char *, yours */
    LOAD_INT,      /* int64_t, not negative */
    LOAD_BOOL,     /* bool */
    LOAD_NUMBER,   /* double */
    LOAD_DURATION, /* int64_t ms: "12m", "90s", "30d", "250ms" */
    LOAD_TIME,     /* int64_t world ms: RFC 3339, or "-48h" before the world's start */
    LOAD_OBJECT,   /* const struct json *, borrowed: lives as long as the loading */
    LOAD_LIST,     /* const struct json *, borrowed */
    LOAD_TEXTS,    /* struct json *, yours: an array of text */
    LOAD_MAP,      /* struct json *, yours: an object whose values are text */
};

struct load_field {
    const char *name;
    enum load_type type;
    size_t offset;
    bool required;
    const char *choices; /* LOAD_TEXT: "MYSQL POSTGRESQL"; NULL: any */
};

/* {LOAD_FIELD(table, "name", LOAD_TEXT, id), .required = true}: the key "name" goes to struct table's member
 * id. */
#define LOAD_FIELD(struct_tag, key, load_type, member) \
    .name = (key), .type = (load_type), .offset = offsetof(struct struct_tag, member)

/* Writes the fields that are there into `ret` and leaves the others alone (set defaults before; a default
 * text is on the heap). `object` that is no object, unknown keys, wrong types and missing required fields are
 * errors. */
struct err *load_fields(const struct loader *loader, const struct json *object,
                        const struct load_field *fields, size_t count, void *ret) MUST_USE;
/* "shop.yaml:31: accounts[0].rds.clusters[1]: <text>", where `node` is. */
struct err *load_error(const struct loader *loader, const struct json *node, const char *fmt, ...) MUST_USE
    PRINTF_LIKE(3, 4);
/* For durations and relative times in text of ours: also "30d". */
bool load_duration(const char *text, int64_t *ret_ms);

#endif
