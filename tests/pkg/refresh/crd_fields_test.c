/* The tables that read our kinds against the schemas in crds/: the same fields, with the same types, limits,
 * defaults and spellings. */
#include <regex.h>

#include "pkg/base/times.h"
#include "pkg/base/yaml.h"
#include "pkg/refresh/fields.h"
#include "pkg/refresh/spec.h"
#include "tests/testing/assertions.h"

struct kind {
    const char *name, *file;
    const char *schema; /* the member of the object */
    const struct part *part;
    bool is_status; /* written by us: what the schema allows must hold what we write */
};

static const struct kind kinds[] = {
    {.name = "AWSAccount spec", .file = "crds/awsaccounts.yaml", .schema = "spec", .part = &account_part},
    {.name = "StagingRefresh spec",
     .file = "crds/stagingrefreshes.yaml",
     .schema = "spec",
     .part = &spec_part},
    {.name = "StagingRefresh status",
     .file = "crds/stagingrefreshes.yaml",
     .schema = "status",
     .part = &status_part,
     .is_status = true},
};

/* All differences are collected: one run tells them all. */
struct comparison {
    const struct kind *kind;
    const struct json *schema;
    struct buf differences;
};

#define DIFFERENT(comparison, ...)                         \
    do {                                                   \
        buf_addf(&(comparison)->differences, __VA_ARGS__); \
        buf_addc(&(comparison)->differences, '\n');        \
    } while (0)

static struct yaml_docs read_crd(const struct kind *kind)
{
    AUTO_FREE char *path = xasprintf("%s/%s", SR_SOURCE_DIR, kind->file);
    struct yaml_docs docs = {0};

    assert_no_err(yaml_read_file(path, NULL, &docs));
    assert_number(docs.count, 1);
    return docs;
}

static const struct json *schema_of(const struct yaml_docs *docs, const struct kind *kind)
{
    const struct json *root = json_at(yaml_root(docs->items[0]), "spec.versions[0].schema.openAPIV3Schema");
    const struct json *schema = json_member(json_member(root, "properties"), kind->schema);

    if (!schema)
        fail_msg("%s: no schema of %s", kind->file, kind->schema);
    return schema;
}

/* The schema at "databases[].aurora"; *ret_parent is that of the object around it. */
static const struct json *schema_at(const struct json *schema, const char *path,
                                    const struct json **ret_parent)
{
    struct str rest = str_of(path), piece;

    *ret_parent = NULL;
    while (schema && str_cut(&rest, '.', &piece)) {
        bool is_list = str_ends(piece, "[]");
        AUTO_FREE char *name = str_dup((struct str){.ptr = piece.ptr, .len = piece.len - (is_list ? 2 : 0)});

        *ret_parent = schema;
        schema = json_member(json_member(schema, "properties"), name);
        if (is_list && rest.len)
            schema = json_member(schema, "items");
    }
    return schema;
}

static bool lists_text(const struct json *list, const char *text)
{
    json_each (item, list) {
        if (text_equal(json_get_text(item, NULL, NULL), text))
            return true;
    }
    return false;
}

/* --- from the tables to the schema --- */

static const char *const types[] = {
    [FIELD_OBJECT] = "object",    [FIELD_TEXT] = "string",
    [FIELD_INT] = "integer",      [FIELD_BOOL] = "boolean",
    [FIELD_TRISTATE] = "boolean", [FIELD_ENUM] = "string",
    [FIELD_DURATION] = "string",  [FIELD_TIME] = "string",
    [FIELD_TIME_MS] = "string",   [FIELD_TEXTS] = "array",
    [FIELD_PAIRS] = "object",     [FIELD_NOTES] = "object",
    [FIELD_JSON] = "object",      [FIELD_PART] = "object",
    [FIELD_LIST] = "array",       [FIELD_ANY] = "",
};

static void compare_number(struct comparison *comparison, const char *path, const char *what, int64_t table,
                           int64_t schema)
{
    if (table != schema)
        DIFFERENT(comparison, "%s: %s is %lld in the table, %lld in the schema", path, what, (long long)table,
                  (long long)schema);
}

static void compare_names(struct comparison *comparison, const char *path, const struct field *field,
                          const struct json *schema)
{
    const struct json *list = json_member(schema, "enum");

    if (comparison->kind->is_status && !list)
        return; /* the schema may take more than we write */
    if (json_count(list) != field->names.count)
        DIFFERENT(comparison, "%s: %zu names in the table, %zu in the schema", path, field->names.count,
                  json_count(list));
    for (size_t i = 0; i < field->names.count; i++) {
        if (!lists_text(list, field->names.items[i]))
            DIFFERENT(comparison, "%s: %s is not in the schema", path, field->names.items[i]);
    }
}

static void compare_text(struct comparison *comparison, const char *path, const struct field *field,
                         const struct json *schema, int64_t max)
{
    int64_t shape_max = field->shape ? (int64_t)field->shape->max : 0;
    int64_t wanted = json_get_int(schema, "maxLength", 0);

    if (field->names.count)
        return;
    if (comparison->kind->is_status) {
        int64_t written = field->cut ? (int64_t)field->cut : max;

        if (!written || written > wanted)
            DIFFERENT(comparison, "%s: up to %lld is written, the schema takes %lld", path,
                      (long long)written, (long long)wanted);
        return;
    }
    compare_number(comparison, path, "longest", max ? max : shape_max, wanted);
    if (!field->shape)
        compare_number(comparison, path, "shortest", field->min, json_get_int(schema, "minLength", 0));
    if ((field->shape != NULL) != (json_get_text(schema, "pattern", NULL) != NULL))
        DIFFERENT(comparison, "%s: a shape or a pattern, but not both", path);
}

static void compare_list(struct comparison *comparison, const char *path, const struct field *field,
                         const struct json *schema)
{
    compare_number(comparison, path, "most entries", field->max, json_get_int(schema, "maxItems", 0));
    compare_number(comparison, path, "fewest entries", field->min, json_get_int(schema, "minItems", 0));
    if (field->kind == FIELD_LIST && field->part->key &&
        !text_equal(field->part->key, json_get_text(schema, "x-kubernetes-list-map-keys[0]", NULL)))
        DIFFERENT(comparison, "%s: key is %s in the table only", path, field->part->key);
    if (field->kind == FIELD_TEXTS &&
        !text_equal("set", json_get_text(schema, "x-kubernetes-list-type", NULL)))
        DIFFERENT(comparison, "%s: not a set in the schema", path);
}

static void compare_limits(struct comparison *comparison, const char *path, const struct field *field,
                           const struct json *schema)
{
    const struct json *values = json_member(schema, "additionalProperties");

    if (field->kind == FIELD_TEXT || field->kind == FIELD_ENUM)
        compare_names(comparison, path, field, schema);
    if (field->kind == FIELD_TEXT || field->kind == FIELD_DURATION)
        compare_text(comparison, path, field, schema, field->max);
    if (field->kind == FIELD_LIST || field->kind == FIELD_TEXTS)
        compare_list(comparison, path, field, schema);
    if (field->kind == FIELD_TEXTS)
        compare_names(comparison, path, field, json_member(schema, "items"));
    if (field->kind == FIELD_TEXTS && field->shape)
        compare_text(comparison, path, field, json_member(schema, "items"), field->item_max);
    if (field->kind == FIELD_INT && !comparison->kind->is_status) {
        compare_number(comparison, path, "least", field->min, json_get_int(schema, "minimum", 0));
        compare_number(comparison, path, "most", field->max, json_get_int(schema, "maximum", 0));
    }
    if (field->kind == FIELD_INT && comparison->kind->is_status &&
        field->max > json_get_int(schema, "maximum", INT64_MAX))
        DIFFERENT(comparison, "%s: written up to %lld", path, (long long)field->max);
    if (field->kind == FIELD_PAIRS || field->kind == FIELD_NOTES) {
        compare_number(comparison, path, "longest value", field->item_max,
                       json_get_int(values, "maxLength", 0));
    }
    if (field->kind == FIELD_PAIRS)
        compare_number(comparison, path, "most pairs", field->max, json_get_int(schema, "maxProperties", 0));
}

static void compare_default(struct comparison *comparison, const char *path, const struct field *field,
                            const struct json *schema)
{
    const struct json *value = json_member(schema, "default");
    int64_t number = -1;

    if (!value)
        return;
    if (field->kind == FIELD_INT)
        number = json_get_int(value, NULL, -2);
    else if (field->kind == FIELD_BOOL || field->kind == FIELD_TRISTATE)
        number = json_get_bool(value, NULL, false);
    else if (field->kind == FIELD_DURATION)
        (void)duration_parse(str_of(json_get_text(value, NULL, "")), &number);
    else if (field->kind == FIELD_ENUM)
        while (++number < (int64_t)field->names.count &&
               !text_equal(field->names.items[number], json_get_text(value, NULL, NULL)))
            ;
    else
        return; /* objects: {} or the default of what they hold */
    compare_number(comparison, path, "default", field->otherwise, number);
}

static void compare_field(void *arg, const char *path, const struct field *field)
{
    struct comparison *comparison = arg;
    const struct json *parent, *schema = schema_at(comparison->schema, path, &parent);
    const char *dot = strrchr(field->path, '.');
    bool required = lists_text(json_member(parent, "required"), dot ? dot + 1 : field->path);

    if (!schema) {
        DIFFERENT(comparison, "%s: not in the schema", path);
        return;
    }
    if (!text_equal(types[field->kind], json_get_text(schema, "type", NULL)))
        DIFFERENT(comparison, "%s: %s in the table, %s in the schema", path, types[field->kind],
                  json_get_text(schema, "type", "nothing"));
    if (required != field->required)
        DIFFERENT(comparison, "%s: required in the %s only", path, required ? "schema" : "table");
    compare_limits(comparison, path, field, schema);
    compare_default(comparison, path, field, schema);
}

static struct comparison begin(const struct kind *kind, const struct yaml_docs *docs)
{
    return (struct comparison){
        .kind = kind,
        .schema = schema_of(docs, kind),
        .differences = BUF_MAX(64 * KIB),
    };
}

/* cmocka cuts long messages short. */
static void print_lines(const char *text)
{
    struct str rest = str_of(text), line;

    while (str_cut(&rest, '\n', &line))
        print_error("  " STR_FMT "\n", STR_ARG(line));
}

static void assert_same(struct comparison *comparison)
{
    if (comparison->differences.len) {
        print_error("%s:\n", comparison->kind->file);
        print_lines(buf_text(&comparison->differences));
        fail();
    }
    buf_done(&comparison->differences);
}

static void every_row_is_in_the_schema(void **state)
{
    AUTO_YAML struct yaml_docs docs = read_crd(*state);
    struct comparison comparison = begin(*state, &docs);

    fields_walk(comparison.kind->part, "", compare_field, &comparison);
    assert_same(&comparison);
}

/* --- from the schema to the tables --- */

struct lookup {
    const char *path;
    bool found;
};

static void look_up(void *arg, const char *path, const struct field *field)
{
    struct lookup *lookup = arg;

    (void)field;
    lookup->found = lookup->found || text_equal(path, lookup->path);
}

static void walk_schema(struct comparison *comparison, const struct json *schema, const char *prefix)
{
    json_each (property, json_member(schema, "properties")) {
        const struct json *items = json_member(property, "items");
        bool is_list = json_is(json_member(items, "properties"), JSON_OBJECT);
        AUTO_FREE char *path =
            xasprintf("%s%s%s%s", prefix, *prefix ? "." : "", json_key(property), is_list ? "[]" : "");
        struct lookup lookup = {.path = path};

        fields_walk(comparison->kind->part, "", look_up, &lookup);
        if (!lookup.found)
            DIFFERENT(comparison, "%s: not in the tables", path);
        walk_schema(comparison, is_list ? items : property, path);
    }
}

static void every_property_is_in_the_tables(void **state)
{
    AUTO_YAML struct yaml_docs docs = read_crd(*state);
    struct comparison comparison = begin(*state, &docs);

    walk_schema(&comparison, comparison.schema, "");
    assert_same(&comparison);
}

/* --- shapes against patterns --- */

static const char *const seeds[] = {
    "shop",
    "shop-stg",
    "shop.stg",
    "Shop_Stg",
    "a",
    "ab",
    "7",
    "a-1-b",
    "/shop/stg/db_host",
    "shop/stg/db",
    "sg-0123456789abcdef0",
    "sg-01234567",
    "db.r6g.large",
    "db.serverless",
    "arn:aws:kms:ap-northeast-1:222222222222:key/1111-2222",
    "arn:aws-cn:kms:cn-north-1:222222222222:alias/a/b_c",
    "arn:aws:iam::222222222222:role/path/staging-refresh",
    "arn:aws-us-gov:iam::222222222222:role/a",
    "ap-northeast-1",
    "us-gov-east-1",
    "ap-northeast-12",
    "ap-northeast-1a",
    "us-west-2-lax-1a",
    "222222222222",
    "https://sqs.ap-northeast-1.amazonaws.com/222222222222/staging-refresh",
    "https://localhost:4566/222222222222/q.fifo",
    "http://127.0.0.1:4566/222222222222/q",
    "http://[::1]/222222222222/q_1",
    "http://localhost:1/222222222222/q",
    "0",
    "0.5",
    "12.5",
    "99",
    "128",
    "199.0",
    "249.5",
    "255.5",
    "256",
    "256.0",
    "8h",
    "1h30m",
    "90m5s",
    "1h30m15s",
    "12345s",
    "09:00",
    "19:59",
    "23:30",
    "Asia/Tokyo",
    "America/Argentina/Buenos_Aires",
    "Etc/GMT+9",
    "UTC",
    "refresh-hook:live",
    "refresh_hook:$LATEST",
    "a.b-c_d",
    "staging-cluster@x=y,z+:",
};

struct shape_check {
    struct comparison *comparison;
    const struct shape *shape;
    const char *pattern, *path;
    regex_t compiled;
};

static bool check_one(struct shape_check *check, const char *text)
{
    bool by_pattern = regexec(&check->compiled, text, 0, NULL, 0) == 0;
    bool by_shape = shape_fits(check->shape, str_of(text));

    if (by_pattern == by_shape)
        return true;
    DIFFERENT(check->comparison, "%s: \"%s\" fits the %s only", check->path, text,
              by_pattern ? "pattern" : "shape");
    return false;
}

/* The seed, and what comes of it by changing, leaving out, or doubling each of its characters. */
static void check_seed(struct shape_check *check, const char *seed)
{
    static const char others[] = "aZ059-_./: $@[\n";
    size_t len = strlen(seed);

    if (!check_one(check, seed))
        return;
    for (size_t i = 0; i <= len; i++) {
        AUTO_FREE char *without = xasprintf("%.*s%s", (int)i, seed, i < len ? seed + i + 1 : "");

        if (*without && !check_one(check, without))
            return;
        for (const char *c = others; *c; c++) {
            AUTO_FREE char *changed = xasprintf("%.*s%c%s", (int)i, seed, *c, i < len ? seed + i + 1 : "");
            AUTO_FREE char *longer = xasprintf("%.*s%c%s", (int)i, seed, *c, seed + i);

            if (!check_one(check, changed) || !check_one(check, longer))
                return;
        }
    }
}

static void compare_shape(void *arg, const char *path, const struct field *field)
{
    struct comparison *comparison = arg;
    const struct json *parent, *schema = schema_at(comparison->schema, path, &parent);
    const struct json *text = field->kind == FIELD_TEXTS ? json_member(schema, "items") : schema;
    struct shape_check check = {
        .comparison = comparison,
        .shape = field->shape,
        .pattern = json_get_text(text, "pattern", NULL),
        .path = path,
    };

    if (!check.shape || !check.pattern)
        return;
    if (regcomp(&check.compiled, check.pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        DIFFERENT(comparison, "%s: the pattern does not compile", path);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(seeds); i++)
        check_seed(&check, seeds[i]);
    regfree(&check.compiled);
}

static void shapes_are_patterns(void **state)
{
    AUTO_YAML struct yaml_docs docs = read_crd(*state);
    struct comparison comparison = begin(*state, &docs);

    fields_walk(comparison.kind->part, "", compare_shape, &comparison);
    assert_same(&comparison);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, every_row_is_in_the_schema, kinds);
    TEST_ROWS(&tests, every_property_is_in_the_tables, kinds);
    TEST_ROWS(&tests, shapes_are_patterns, kinds);
    return tests_run(&tests, "crd_fields");
}
