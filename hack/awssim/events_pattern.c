/* Event patterns: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 * Known are values, prefix, suffix, equals-ignore-case, anything-but, wildcard, numeric and exists, at any
 * depth; others are refused, as a pattern that is misread matches the wrong events. */
#include "hack/awssim/events.h"

/* ---- values ---- */

static bool is_scalar(const struct json *value)
{
    return !json_is(value, JSON_ARRAY) && !json_is(value, JSON_OBJECT);
}

static const char *text_of(const struct json *value)
{
    return json_get_text(value, NULL, NULL);
}

static bool has_prefix(const struct json *want, const struct json *value)
{
    return text_of(value) && str_starts(str_of(text_of(value)), text_of(want));
}

static bool has_suffix(const struct json *want, const struct json *value)
{
    return text_of(value) && str_ends(str_of(text_of(value)), text_of(want));
}

static bool is_nocase(const struct json *want, const struct json *value)
{
    return text_of(value) && str_equal_nocase(str_of(text_of(value)), str_of(text_of(want)));
}

static bool is_like(const struct json *want, const struct json *value)
{
    return text_of(value) && text_matches(text_of(want), text_of(value));
}

static bool is_text(const struct json *want)
{
    return json_is(want, JSON_STRING);
}

/* ---- numeric: ["<=", 5, ">", 0] ---- */

static bool compare(const char *operator, double value, double limit)
{
    if (text_equal(operator, "<"))
        return value < limit;
    if (text_equal(operator, "<="))
        return value <= limit;
    if (text_equal(operator, ">"))
        return value > limit;
    if (text_equal(operator, ">="))
        return value >= limit;
    return value >= limit && value <= limit;
}

static bool is_numeric(const struct json *want)
{
    bool good = json_count(want) == 2 || json_count(want) == 4;

    for (size_t i = 0; good && i + 1 < json_count(want); i += 2) {
        const char *operator= text_of(json_item(want, i));

        good = operator&& strlen(operator) <= 2 && strspn(operator, "<>=") == strlen(operator) &&
               json_is(json_item(want, i + 1), JSON_NUMBER);
    }
    return good;
}

static bool in_range(const struct json *want, const struct json *value)
{
    if (!json_is(value, JSON_NUMBER))
        return false;
    for (size_t i = 0; i + 1 < json_count(want); i += 2)
        if (!compare(text_of(json_item(want, i)), json_get_number(value, NULL, 0),
                     json_get_number(json_item(want, i + 1), NULL, 0)))
            return false;
    return true;
}

/* ---- anything-but: a value, a list of values, or {prefix|suffix|...: a text or a list of texts} ---- */

typedef bool matcher_fn(const struct json *want, const struct json *value);

static const struct text_matcher {
    const char *name;
    matcher_fn *matches;
} text_matchers[] = {
    {.name = "prefix", .matches = has_prefix},
    {.name = "suffix", .matches = has_suffix},
    {.name = "equals-ignore-case", .matches = is_nocase},
    {.name = "wildcard", .matches = is_like},
};

static const struct text_matcher *text_matcher_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(text_matchers); i++)
        if (text_equal(text_matchers[i].name, name))
            return &text_matchers[i];
    return NULL;
}

static bool all(const struct json *list, bool (*is)(const struct json *item))
{
    json_each (item, list)
        if (!is(item))
            return false;
    return json_count(list) > 0;
}

static bool is_anything_but(const struct json *want)
{
    if (json_is(want, JSON_ARRAY))
        return all(want, is_scalar);
    if (!json_is(want, JSON_OBJECT))
        return json_is(want, JSON_STRING) || json_is(want, JSON_NUMBER);
    const struct json *inner = json_first(want);
    return json_count(want) == 1 && text_matcher_find(json_key(inner)) &&
           (is_text(inner) || (json_is(inner, JSON_ARRAY) && all(inner, is_text)));
}

static bool is_anything_else(const struct json *want, const struct json *value)
{
    const struct text_matcher *matcher = NULL;

    if (json_is(want, JSON_OBJECT)) {
        want = json_first(want);
        matcher = text_matcher_find(json_key(want));
    }
    const struct json *item = json_is(want, JSON_ARRAY) ? json_first(want) : want;
    for (; item; item = json_is(want, JSON_ARRAY) ? json_next(item) : NULL)
        if (matcher ? matcher->matches(item, value) : json_equal(item, value))
            return false;
    return true;
}

/* ---- one matcher ---- */

static bool is_flag(const struct json *want)
{
    return json_is(want, JSON_BOOL);
}

static const struct matcher {
    const char *name;
    bool (*is)(const struct json *want);
    matcher_fn *matches; /* NULL: looks at whether there is a value */
} matchers[] = {
    {.name = "prefix", .is = is_text, .matches = has_prefix},
    {.name = "suffix", .is = is_text, .matches = has_suffix},
    {.name = "equals-ignore-case", .is = is_text, .matches = is_nocase},
    {.name = "wildcard", .is = is_text, .matches = is_like},
    {.name = "anything-but", .is = is_anything_but, .matches = is_anything_else},
    {.name = "numeric", .is = is_numeric, .matches = in_range},
    {.name = "exists", .is = is_flag},
};

static const struct matcher *matcher_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(matchers); i++)
        if (text_equal(matchers[i].name, name))
            return &matchers[i];
    return NULL;
}

static char *matcher_fault(const struct json *want)
{
    const struct json *inner = json_first(want);
    const struct matcher *matcher = json_count(want) == 1 ? matcher_find(json_key(inner)) : NULL;

    if (!matcher)
        return xasprintf("Unrecognized match type %s", inner ? json_key(inner) : "");
    return matcher->is(inner) ? NULL : xasprintf("wrong value for match type %s", matcher->name);
}

static char *list_fault(const struct json *list, const char *name)
{
    if (!json_count(list))
        return xasprintf("Empty arrays are not allowed: \"%s\"", name);
    json_each (want, list) {
        char *fault = NULL;

        if (json_is(want, JSON_ARRAY))
            return xasprintf("\"%s\": a list in a list is not allowed", name);
        if (json_is(want, JSON_OBJECT) && (fault = matcher_fault(want)))
            return fault;
    }
    return NULL;
}

/* ---- patterns ---- */

char *sim_pattern_fault(const struct json *pattern)
{
    struct todo {
        const struct json *items[64];
        size_t count;
    } todo = {.items = {pattern}, .count = 1};

    while (todo.count) {
        const struct json *object = todo.items[--todo.count];

        if (!json_is(object, JSON_OBJECT) || !json_count(object))
            return xstrdup("Event pattern must be an object that is not empty");
        json_each (member, object) {
            char *fault = NULL;

            if (json_is(member, JSON_OBJECT)) {
                if (todo.count == COUNT_OF(todo.items))
                    return xstrdup("too many nested objects");
                todo.items[todo.count++] = member;
            } else if (!json_is(member, JSON_ARRAY)) {
                return xasprintf("\"%s\" must be an object or an array", json_key(member));
            } else if ((fault = list_fault(member, json_key(member)))) {
                return fault;
            }
        }
    }
    return NULL;
}

static bool value_matches(const struct json *want, const struct json *value)
{
    if (!json_is(want, JSON_OBJECT))
        return value && is_scalar(value) && json_type(want) == json_type(value) && json_equal(want, value);
    const struct json *inner = json_first(want);
    const struct matcher *matcher = matcher_find(json_key(inner));
    if (!matcher)
        return false;
    if (!matcher->matches)
        return json_get_bool(inner, NULL, true) == (value != NULL);
    return value && is_scalar(value) && matcher->matches(inner, value);
}

/* One of the wanted values; of a list of values, one of them. */
static bool leaf_matches(const struct json *wanted, const struct json *value)
{
    json_each (want, wanted) {
        if (!json_is(value, JSON_ARRAY)) {
            if (value_matches(want, value))
                return true;
            continue;
        }
        json_each (item, value)
            if (value_matches(want, item))
                return true;
    }
    return false;
}

/* Both trees side by side: an explicit stack, as deep as a pattern may nest. */
bool sim_pattern_matches(const struct json *pattern, const struct json *event)
{
    struct pair {
        const struct json *pattern, *value;
    } todo[64] = {{.pattern = pattern, .value = event}};
    size_t count = 1;

    while (count) {
        struct pair pair = todo[--count];

        json_each (member, pair.pattern) {
            const struct json *value =
                json_is(pair.value, JSON_OBJECT) ? json_member(pair.value, json_key(member)) : NULL;

            if (json_is(member, JSON_OBJECT) && count < COUNT_OF(todo))
                todo[count++] = (struct pair){.pattern = member, .value = value};
            else if (!leaf_matches(member, value))
                return false;
        }
    }
    return true;
}
