#include "pkg/base/yaml_scalar.h"

#include <math.h>
#include <stdlib.h>

#define EXACT_MAX (UINT64_C(1) << 53)

static const struct word {
    const char *text;
    enum json_type type;
    bool truth;
} words[] = {
    {.text = "", .type = JSON_NULL},
    {.text = "~", .type = JSON_NULL},
    {.text = "null", .type = JSON_NULL},
    {.text = "true", .type = JSON_BOOL, .truth = true},
    {.text = "yes", .type = JSON_BOOL, .truth = true},
    {.text = "y", .type = JSON_BOOL, .truth = true},
    {.text = "on", .type = JSON_BOOL, .truth = true},
    {.text = "false", .type = JSON_BOOL, .truth = false},
    {.text = "no", .type = JSON_BOOL, .truth = false},
    {.text = "n", .type = JSON_BOOL, .truth = false},
    {.text = "off", .type = JSON_BOOL, .truth = false},
};

static const char *const no_numbers[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                         "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* "null", "Null" and "NULL", but not "nULL": the rest is in one case, and in capitals only after a capital.
 */
static bool is_spelled(const char *text, const char *word)
{
    size_t len = strlen(text);

    if (!str_equal_nocase(str_of(text), str_of(word)))
        return false;
    for (size_t i = 2; i < len; i++) {
        if (is_upper(text[i]) != is_upper(text[1]))
            return false;
    }
    return len < 2 || is_upper(text[0]) || !is_upper(text[1]);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* The base that a prefix names, which is cut off. */
static int cut_base(struct str *digits)
{
    static const struct {
        char letter;
        int base;
    } prefixes[] = {{.letter = 'x', .base = 16}, {.letter = 'o', .base = 8}, {.letter = 'b', .base = 2}};

    if (digits->len < 2 || digits->ptr[0] != '0')
        return 10;
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        if ((digits->ptr[1] | 0x20) == prefixes[i].letter) {
            *digits = str_from(*digits, 2);
            return prefixes[i].base;
        }
    }
    *digits = str_from(*digits, 1);
    return 8;
}

/* False when it is no integer. A magnitude that does not fit counts as the largest there is. */
static bool read_int(struct str text, bool *ret_negative, uint64_t *ret_magnitude)
{
    uint64_t magnitude = 0;
    int base;

    *ret_negative = str_starts(text, "-");
    if (str_starts(text, "-") || str_starts(text, "+"))
        text = str_from(text, 1);
    base = cut_base(&text);
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.ptr[i]);

        if (digit >= base)
            return false;
        if (__builtin_mul_overflow(magnitude, (uint64_t)base, &magnitude) ||
            __builtin_add_overflow(magnitude, (uint64_t)digit, &magnitude))
            magnitude = UINT64_MAX / 32;
    }
    *ret_magnitude = magnitude;
    return text.len > 0;
}

static size_t count_digits(struct str text, size_t at)
{
    size_t count = 0;

    while (at + count < text.len && text.ptr[at + count] >= '0' && text.ptr[at + count] <= '9')
        count++;
    return count;
}

static bool is_sign(struct str text, size_t at)
{
    return at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-');
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_float(struct str text)
{
    size_t at = is_sign(text, 0), whole = count_digits(text, at), fraction = 0, exponent;

    at += whole;
    if (at < text.len && text.ptr[at] == '.') {
        fraction = count_digits(text, ++at);
        at += fraction;
    }
    if (!whole && !fraction)
        return false;
    if (at == text.len)
        return true;
    if ((text.ptr[at++] | 0x20) != 'e')
        return false;
    at += is_sign(text, at);
    exponent = count_digits(text, at);
    return exponent && at + exponent == text.len;
}

static struct json *read_number(const char *text, const char **ret_problem)
{
    AUTO_BUF struct buf plain = BUF_MAX(MIB);
    uint64_t magnitude;
    bool negative;
    double number;

    for (const char *c = text; *c; c++) {
        if (*c != '_')
            buf_addc(&plain, *c);
    }
    if (read_int(buf_str(&plain), &negative, &magnitude)) {
        if (magnitude <= EXACT_MAX)
            return json_new_int(negative ? -(int64_t)magnitude : (int64_t)magnitude);
        *ret_problem = "the integer is too large to be exact; put it in quotes to make it a string";
        return NULL;
    }
    if (plain.overflow || !is_float(buf_str(&plain)))
        return NULL;
    number = strtod(buf_text(&plain), NULL);
    return isfinite(number) ? json_new_number(number) : NULL;
}

static bool may_be_number(const char *text)
{
    return *text == '+' || *text == '-' || *text == '.' || (*text >= '0' && *text <= '9');
}

struct json *yaml_resolve_plain(const char *text, const char **ret_problem)
{
    struct json *number = NULL;

    *ret_problem = NULL;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (is_spelled(text, words[i].text))
            return words[i].type == JSON_NULL ? json_new_null() : json_new_bool(words[i].truth);
    }
    for (size_t i = 0; i < COUNT_OF(no_numbers); i++) {
        if (text_equal(text, no_numbers[i])) {
            *ret_problem = "infinities and NaN are not supported";
            return NULL;
        }
    }
    if (may_be_number(text))
        number = read_number(text, ret_problem);
    return number || *ret_problem ? number : json_new_text(text);
}
