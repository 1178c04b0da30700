/* A view of bytes that somebody else owns: for parsing and comparing, passed by value. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pkg/base/alloc.h"

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){.ptr = (literal), .len = sizeof(literal) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr

static inline struct str str_of(const char *text)
{
    return (struct str){.ptr = text ? text : "", .len = text ? strlen(text) : 0};
}

bool str_equal(struct str a, struct str b);
bool str_is(struct str a, const char *text);
bool str_equal_nocase(struct str a, struct str b); /* ASCII */
bool str_starts(struct str text, const char *prefix);
bool str_ends(struct str text, const char *suffix);
bool str_contains(struct str text, const char *needle);
bool str_contains_nocase(struct str text, const char *needle);
struct str str_trim(struct str text); /* ASCII white space */
/* Cuts `*rest` at the first `sep`: gives what is before and leaves what is after. False when rest was already
 * used up; the last piece has no separator. */
bool str_cut(struct str *rest, char sep, struct str *ret_piece);
struct str str_from(struct str text, size_t offset); /* tail; empty when offset is past the end */
/* At most `max_bytes` of UTF-8 text, no character cut in two. */
struct str str_cut_utf8(struct str text, size_t max_bytes);
char *str_dup(struct str text);
/* Bytes of the UTF-8 character that the text begins with (RFC 3629: no overlong forms, no surrogates); 0 when
 * there is none. */
size_t str_utf8_len(struct str text);

/* Whole text as a decimal number, optional sign, nothing else; false leaves *ret alone. */
bool str_to_int(struct str text, int64_t *ret);

/* NULL-safe comparison of C strings: two NULLs are equal. */
bool text_equal(const char *a, const char *b);
bool text_is_empty(const char *a); /* NULL or "" */
/* `*` stands for any run of characters, "/" included. */
bool text_matches(const char *pattern, const char *text);
/* Edit distance (Levenshtein) for "did you mean"; texts longer than 64 bytes are far from everything. */
size_t text_distance(const char *a, const char *b);

#endif
