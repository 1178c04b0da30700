#include "pkg/base/str.h"

#include <strings.h>

bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_is(struct str a, const char *text)
{
    return str_equal(a, str_of(text));
}

bool str_equal_nocase(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_starts(struct str text, const char *prefix)
{
    size_t len = strlen(prefix);

    return text.len >= len && (!len || memcmp(text.ptr, prefix, len) == 0);
}

bool str_ends(struct str text, const char *suffix)
{
    size_t len = strlen(suffix);

    return text.len >= len && (!len || memcmp(text.ptr + text.len - len, suffix, len) == 0);
}

bool str_contains(struct str text, const char *needle)
{
    return text.len && memmem(text.ptr, text.len, needle, strlen(needle)) != NULL;
}

bool str_contains_nocase(struct str text, const char *needle)
{
    size_t len = strlen(needle);

    if (!len)
        return true;
    for (size_t i = 0; i + len <= text.len; i++) {
        if (strncasecmp(text.ptr + i, needle, len) == 0)
            return true;
    }
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str text)
{
    while (text.len && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

bool str_cut(struct str *rest, char sep, struct str *ret_piece)
{
    const char *found;

    if (!rest->ptr)
        return false;
    found = rest->len ? memchr(rest->ptr, sep, rest->len) : NULL;
    if (!found) {
        *ret_piece = *rest;
        *rest = (struct str){0};
        return true;
    }
    *ret_piece = (struct str){.ptr = rest->ptr, .len = (size_t)(found - rest->ptr)};
    rest->len -= ret_piece->len + 1;
    rest->ptr = found + 1;
    return true;
}

struct str str_from(struct str text, size_t offset)
{
    if (offset > text.len)
        offset = text.len;
    /* A view of nothing may have no address, and nothing is added to that. */
    return (struct str){.ptr = offset ? text.ptr + offset : text.ptr, .len = text.len - offset};
}

struct str str_cut_utf8(struct str text, size_t max_bytes)
{
    if (text.len <= max_bytes)
        return text;
    text.len = max_bytes;
    while (text.len && ((unsigned char)text.ptr[text.len] & 0xC0) == 0x80)
        text.len--;
    return text;
}

char *str_dup(struct str text)
{
    return xstrndup(text.ptr, text.len);
}

/* The second byte's range is what keeps overlong forms, surrogates and what lies beyond U+10FFFF out. */
static const struct utf8_lead {
    unsigned char first, last;
    unsigned char second_low, second_high;
    size_t len;
} utf8_leads[] = {
    {.first = 0xC2, .last = 0xDF, .second_low = 0x80, .second_high = 0xBF, .len = 2},
    {.first = 0xE0, .last = 0xE0, .second_low = 0xA0, .second_high = 0xBF, .len = 3},
    {.first = 0xE1, .last = 0xEC, .second_low = 0x80, .second_high = 0xBF, .len = 3},
    {.first = 0xED, .last = 0xED, .second_low = 0x80, .second_high = 0x9F, .len = 3},
    {.first = 0xEE, .last = 0xEF, .second_low = 0x80, .second_high = 0xBF, .len = 3},
    {.first = 0xF0, .last = 0xF0, .second_low = 0x90, .second_high = 0xBF, .len = 4},
    {.first = 0xF1, .last = 0xF3, .second_low = 0x80, .second_high = 0xBF, .len = 4},
    {.first = 0xF4, .last = 0xF4, .second_low = 0x80, .second_high = 0x8F, .len = 4},
};

static bool has_utf8_tail(const unsigned char *p, const struct utf8_lead *lead)
{
    if (p[1] < lead->second_low || p[1] > lead->second_high)
        return false;
    for (size_t i = 2; i < lead->len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return false;
    }
    return true;
}

size_t str_utf8_len(struct str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;

    if (!text.len)
        return 0;
    if (p[0] < 0x80)
        return 1;
    for (size_t i = 0; i < COUNT_OF(utf8_leads); i++) {
        const struct utf8_lead *lead = &utf8_leads[i];

        if (p[0] >= lead->first && p[0] <= lead->last)
            return text.len >= lead->len && has_utf8_tail(p, lead) ? lead->len : 0;
    }
    return 0;
}

bool str_to_int(struct str text, int64_t *ret)
{
    bool negative = false;
    int64_t value = 0;

    if (text.len && (text.ptr[0] == '-' || text.ptr[0] == '+')) {
        negative = text.ptr[0] == '-';
        text = str_from(text, 1);
    }
    if (!text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = text.ptr[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value))
            return false;
        if (negative ? __builtin_sub_overflow(value, digit, &value)
                     : __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret = value;
    return true;
}

bool text_equal(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}

bool text_is_empty(const char *a)
{
    return !a || !*a;
}

bool text_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

#define DISTANCE_MAX 64

size_t text_distance(const char *a, const char *b)
{
    size_t row[DISTANCE_MAX + 1], len_a = strlen(a), len_b = strlen(b);

    if (len_a > DISTANCE_MAX || len_b > DISTANCE_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= len_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= len_a; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= len_b; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[len_b];
}
