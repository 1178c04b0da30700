/* Structs that are read from JSON, and written to it, by constant tables. One table serves everything that
 * must agree about a part of an object: which fields there are, their types, limits and defaults, what a
 * mistake is called, where the value goes, and how it is written and freed. Private to pkg/refresh. */
#ifndef REFRESH_FIELDS_H
#define REFRESH_FIELDS_H

#include "pkg/base/err.h"
#include "pkg/base/json.h"
#include "pkg/refresh/shapes.h"

enum field_kind {
    FIELD_OBJECT,   /* is there to hold other fields; stores nothing */
    FIELD_TEXT,     /* char *, NULL when absent */
    FIELD_INT,      /* int64_t */
    FIELD_BOOL,     /* bool */
    FIELD_TRISTATE, /* enum tristate, from a boolean */
    FIELD_ENUM,     /* an enum, by its .names */
    FIELD_DURATION, /* int64_t, milliseconds */
    FIELD_TIME,     /* int64_t, wall-clock milliseconds, 0 when absent; written in whole seconds */
    FIELD_TIME_MS,  /* the same, written with milliseconds */
    FIELD_TEXTS,    /* char ** and a size_t; a set */
    FIELD_PAIRS,    /* struct name_value * and a size_t, from an object of texts */
    FIELD_NOTES,    /* struct json *, an object of texts */
    FIELD_JSON,     /* struct json *, any object */
    FIELD_PART,     /* a struct inside, by its own table */
    FIELD_LIST,     /* structs of one table and a size_t */
    FIELD_ANY,      /* known, not looked at */
};

#define NOWHERE SIZE_MAX /* .offset of what is checked but not stored */

struct names {
    const char *const *items;
    size_t count;
};
/* Initialises a struct names; (struct names)NAMES(array) where a value is wanted. */
#define NAMES(array)                               \
    {                                              \
        .items = (array), .count = COUNT_OF(array) \
    }

struct field {
    const char *path; /* below the part, members joined with '.'; parents come before their children */
    enum field_kind kind;
    bool required; /* once its parent is there */
    bool always;   /* written, once its parent is there, even when empty */
    bool live;     /* this and all below may change while a run is under way */
    size_t offset;
    size_t count_offset; /* TEXTS, PAIRS, LIST */
    int64_t min, max;    /* of a number; characters of a text; entries of a list read. max 0: none */
    int64_t item_max;    /* characters of each text of a list or pair */
    size_t cut;          /* a text is cut to so many bytes when it is written, and not measured when read */
    int64_t otherwise;   /* number, truth, index of the name, milliseconds when absent */
    const struct shape *shape;
    struct names names;
    const struct part *part;
};

struct part {
    const struct field *fields;
    size_t count;
    size_t size;
    const char *key; /* of a list's entries: the text field that names them, and differs */
    /* What no row can say. `value` is what was read, `where` its path. */
    struct err *(*check)(void *item, const struct json *value, const char *where);
};

/* Fills the struct at `ret` (zeroed; freed by fields_free() also after an error): first the defaults of all
 * rows, then what is there. Null counts as absent. */
struct err *fields_read(const struct part *part, const struct json *value, const char *where,
                        void *ret) MUST_USE;
/* What equals its default is left out. */
struct json *fields_write(const struct part *part, const void *item);
/* Everything that the struct owns; the struct itself is its owner's. */
void fields_free(const struct part *part, void *item);
/* Writes the defaults of all rows into a JSON value where they are missing, and takes live fields away. */
void fields_normalise_frozen(const struct part *part, struct json *value);

/* A zeroed entry more in a list; earlier entries may move. */
void *fields_grow(void *items_ptr, size_t *count, size_t size);

/* Exactly one of the members must be there: gives its index, or "<where>: exactly one of a and b must be
 * given". */
struct err *fields_one_of(const struct json *value, const char *where, const struct names *names,
                          size_t *ret_index) MUST_USE;
/* Given and not null. */
bool fields_has(const struct json *value, const char *path);
/* "a, b and c" */
void fields_list_names(const struct names *names, const char *last_word, struct buf *out);
/* Length in characters of UTF-8. */
size_t text_characters(const char *text);
/* How many bytes of a text fit into `max`, when no character of UTF-8 may be cut in two. */
size_t text_cut(const char *text, size_t max);
/* Words of a stranger in an error: "%.*s" takes SHOWN(text). */
#define SHOWN(text) (int)text_cut((text), 100), (text)

/* Every row of a table and of the tables below it, lists as "[]". */
typedef void fields_visit_fn(void *arg, const char *path, const struct field *field);
void fields_walk(const struct part *part, const char *prefix, fields_visit_fn *visit, void *arg);

extern const struct part account_part; /* AWSAccount .spec */
extern const struct part spec_part;    /* StagingRefresh .spec */
extern const struct part status_part;  /* StagingRefresh .status */

#endif
