#include "tests/simulation/schema.h"

#include <pthread.h>
#include <regex.h>

#include "pkg/base/yaml.h"

#define PATTERNS_MAX 8
#define PATH_MAX_BYTES 512

/* Once per process; regular expressions are dear. */
static struct {
    struct yaml_docs docs[2];
    const struct json *status[2];
    struct {
        const char *text;
        regex_t compiled;
    } patterns[PATTERNS_MAX];
    size_t pattern_count;
} crds;

static void load(enum object_kind kind, const char *file)
{
    AUTO_FREE char *path = xasprintf("%s/crds/%s", SR_SOURCE_DIR, file);
    struct err *err = yaml_read_file(path, NULL, &crds.docs[kind]);

    if (err) {
        fprintf(stderr, "schema: %s\n", err_text(err));
        abort();
    }
    crds.status[kind] = json_at(yaml_root(crds.docs[kind].items[0]),
                                "spec.versions[0].schema.openAPIV3Schema.properties.status");
}

static void load_all(void)
{
    load(OBJECT_ACCOUNT, "awsaccounts.yaml");
    load(OBJECT_REFRESH, "stagingrefreshes.yaml");
}

static const regex_t *pattern_of(const char *text)
{
    for (size_t i = 0; i < crds.pattern_count; i++) {
        if (text_equal(crds.patterns[i].text, text))
            return &crds.patterns[i].compiled;
    }
    if (crds.pattern_count == PATTERNS_MAX ||
        regcomp(&crds.patterns[crds.pattern_count].compiled, text, REG_EXTENDED | REG_NOSUB)) {
        fprintf(stderr, "schema: pattern %s\n", text);
        abort();
    }
    crds.patterns[crds.pattern_count].text = text;
    return &crds.patterns[crds.pattern_count++].compiled;
}

/* --- values --- */

struct place {
    const struct place *parent;
    const char *name; /* NULL: an item */
    size_t index;
};

static void print_place(const struct place *place, struct buf *out)
{
    if (!place)
        return;
    print_place(place->parent, out);
    if (place->name)
        buf_addf(out, "%s%s", out->len ? "." : "", place->name);
    else
        buf_addf(out, "[%zu]", place->index);
}

static char *refuse(const struct place *place, const char *why, const char *value)
{
    AUTO_BUF struct buf path = BUF_MAX(PATH_MAX_BYTES);

    print_place(place, &path);
    return xasprintf("%s: %s: %.100s", buf_text(&path), why, value);
}

static int64_t characters(const char *text)
{
    int64_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static bool is_in_enum(const struct json *values, const char *text)
{
    json_each (value, values) {
        if (text_equal(json_get_text(value, NULL, NULL), text))
            return true;
    }
    return !values;
}

static char *check_text(const struct json *schema, const struct json *value, const struct place *place)
{
    const char *text = json_get_text(value, NULL, NULL), *pattern = json_get_text(schema, "pattern", NULL);
    int64_t length;

    if (!text)
        return refuse(place, "not a text", "");
    length = characters(text);
    if (length > json_get_int(schema, "maxLength", INT64_MAX))
        return refuse(place, "too long", text);
    if (length < json_get_int(schema, "minLength", 0))
        return refuse(place, "too short", text);
    if (!is_in_enum(json_member(schema, "enum"), text))
        return refuse(place, "not a value of the enum", text);
    if (pattern && regexec(pattern_of(pattern), text, 0, NULL, 0))
        return refuse(place, "does not match the pattern", text);
    return NULL;
}

static char *check_number(const struct json *schema, const struct json *value, const struct place *place)
{
    int64_t number = json_get_int(value, NULL, INT64_MIN);

    if (number < json_get_int(schema, "minimum", INT64_MIN + 1))
        return refuse(place, "too small, or not a number", "");
    return number > json_get_int(schema, "maximum", INT64_MAX) ? refuse(place, "too large", "") : NULL;
}

static char *check(const struct json *schema, const struct json *value, const struct place *place);

static char *check_object(const struct json *schema, const struct json *value, const struct place *place)
{
    const struct json *others = json_member(schema, "additionalProperties");
    char *fault = NULL;

    json_each (name, json_member(schema, "required")) {
        if (!json_member(value, json_get_text(name, NULL, "")))
            return refuse(place, "lacks", json_get_text(name, NULL, ""));
    }
    if ((int64_t)json_count(value) > json_get_int(schema, "maxProperties", INT64_MAX))
        return refuse(place, "too many members", "");
    json_each (member, value) {
        const struct place at = {.parent = place, .name = json_key(member)};
        const struct json *known = json_member(json_member(schema, "properties"), at.name);

        if (!fault && (known || others))
            fault = check(known ? known : others, member, &at);
        else if (!fault && !json_get_bool(schema, "x-kubernetes-preserve-unknown-fields", false))
            fault = refuse(&at, "unknown, it would be pruned", "");
    }
    return fault;
}

static bool is_same_key(const struct json *keys, const struct json *a, const struct json *b)
{
    json_each (key, keys) {
        const char *name = json_get_text(key, NULL, "");

        if (!text_equal(json_get_text(a, name, ""), json_get_text(b, name, "")))
            return false;
    }
    return true;
}

static char *check_keys(const struct json *schema, const struct json *value, const struct place *place)
{
    const struct json *keys = json_member(schema, "x-kubernetes-list-map-keys");

    if (!keys)
        return NULL;
    json_each (item, value) {
        for (const struct json *other = json_next(item); other; other = json_next(other)) {
            if (is_same_key(keys, item, other))
                return refuse(place, "twice",
                              json_get_text(item, json_get_text(json_first(keys), NULL, ""), ""));
        }
    }
    return NULL;
}

static char *check_list(const struct json *schema, const struct json *value, const struct place *place)
{
    struct place at = {.parent = place};
    char *fault = NULL;

    if ((int64_t)json_count(value) > json_get_int(schema, "maxItems", INT64_MAX))
        return refuse(place, "too many items", "");
    json_each (item, value) {
        if (!fault)
            fault = check(json_member(schema, "items"), item, &at);
        at.index++;
    }
    return fault ? fault : check_keys(schema, value, place);
}

static char *check(const struct json *schema, const struct json *value, const struct place *place)
{
    static const struct {
        const char *type;
        char *(*check)(const struct json *schema, const struct json *value, const struct place *place);
    } types[] = {
        {"string", check_text}, {"integer", check_number}, {"object", check_object}, {"array", check_list}};
    const char *type = json_get_text(schema, "type", "");

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (text_equal(types[i].type, type))
            return types[i].check(schema, value, place);
    }
    return NULL;
}

char *schema_refusal(enum object_kind kind, const struct json *status)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load_all);
    return check(crds.status[kind], status, NULL);
}
