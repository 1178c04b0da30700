#include "pkg/base/json.h"

#include "tests/testing/assertions.h"

/* --- parsing --- */

/* The text printed again; NULL: the same. */
static const struct good {
    const char *name, *text, *printed;
} good_rows[] = {
    {.name = "object", .text = "{\"b\":1,\"a\":[true,false,null]}"},
    {.name = "white space", .text = " \t\r\n{ \"a\" : [ 1 , 2 ] }\n ", .printed = "{\"a\":[1,2]}"},
    {.name = "scalar", .text = "\"x\""},
    {.name = "empty containers", .text = "[{},[]]"},
    {.name = "escapes",
     .text = "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"",
     .printed = "\"\\\"\\\\/\\u0008\\u000c\\n\\u000d\\u0009A\""},
    {.name = "UTF-8", .text = "\"\xc3\xa9\xf0\x9f\x90\x91\""},
    {.name = "surrogate pair", .text = "\"\\ud83d\\udc11\"", .printed = "\"\xf0\x9f\x90\x91\""},
    {.name = "escaped backslash before u0000", .text = "\"\\\\u0000\""},
    {.name = "zero", .text = "[0,-0,0.0,0e5]", .printed = "[0,0,0,0]"},
    {.name = "integers", .text = "[9007199254740992,-9007199254740992,4503599627370497]"},
    {.name = "fractions", .text = "[0.5,0.1,-1.25,3.141592653589793]"},
    {.name = "exponents", .text = "[1e3,1E+2,5e-1]", .printed = "[1000,100,0.5]"},
    {.name = "large", .text = "[1e300]", .printed = "[1e+300]"},
    {.name = "names that differ in case", .text = "{\"a\":1,\"A\":2}"},
    {.name = "empty name", .text = "{\"\":1}"},
    {.name = "brackets inside strings do not nest", .text = "\"[[[[{{{{\""},
};

static void reads(void **state)
{
    const struct good *row = *state;
    AUTO_JSON struct json *value = NULL;
    AUTO_FREE char *text = NULL;

    assert_no_err(json_parse(str_of(row->text), NULL, &value));
    text = json_to_text(value);
    assert_text_equal(text, row->printed ? row->printed : row->text);
}

static const struct bad {
    const char *name, *text;
    const char *says;
} bad_rows[] = {
    {.name = "nothing", .text = ""},
    {.name = "white space", .text = "  "},
    {.name = "cut off", .text = "{\"a\":"},
    {.name = "cut-off string", .text = "\"abc"},
    {.name = "trailing bytes", .text = "{} x", .says = "trailing bytes at byte 3"},
    {.name = "two values", .text = "1 2"},
    {.name = "trailing comma", .text = "[1,]"},
    {.name = "missing comma", .text = "[1 2]"},
    {.name = "single quotes", .text = "{'a':1}"},
    {.name = "bare name", .text = "{a:1}"},
    {.name = "number as a name", .text = "{1:1}"},
    {.name = "comment", .text = "/* x */ 1"},
    {.name = "duplicate name", .text = "{\"a\":1,\"b\":2,\"a\":3}", .says = "duplicate key \"a\""},
    {.name = "duplicate name deep down",
     .text = "[{\"x\":{\"a\":1,\"\\u0061\":2}}]",
     .says = "duplicate key \"a\""},
    {.name = "NaN", .text = "[NaN]"},
    {.name = "infinity", .text = "[Infinity]"},
    {.name = "beyond a double", .text = "[1e999]"},
    {.name = "beyond a double, negative", .text = "[-1e999]"},
    {.name = "leading zero", .text = "[01]", .says = "bad number at byte 1"},
    {.name = "plus", .text = "[+1]"},
    {.name = "point first", .text = "[.5]"},
    {.name = "point last", .text = "[1.]"},
    {.name = "point before an exponent", .text = "[1.e5]"},
    {.name = "bare minus", .text = "[-]"},
    {.name = "bare exponent", .text = "[1e]"},
    {.name = "hexadecimal", .text = "[0x10]"},
    {.name = "two points", .text = "[1.2.3]"},
    {.name = "capital TRUE", .text = "[TRUE]"},
    {.name = "NUL escape", .text = "\"a\\u0000b\"", .says = "NUL character at byte 2"},
    {.name = "lone high surrogate", .text = "\"\\ud83d\""},
    {.name = "lone low surrogate", .text = "\"\\udc11\""},
    {.name = "unknown escape", .text = "\"\\q\""},
    {.name = "short escape", .text = "\"\\u12\""},
    {.name = "raw line end in a string", .text = "\"a\nb\"", .says = "control character at byte 2"},
    {.name = "form feed between tokens", .text = "[\f1]"},
    {.name = "bad UTF-8", .text = "\"\xff\"", .says = "not UTF-8 at byte 1"},
    {.name = "overlong UTF-8", .text = "\"\xc0\xaf\""},
    {.name = "overlong three bytes", .text = "\"\xe0\x80\xaf\""},
    {.name = "surrogate in UTF-8", .text = "\"\xed\xa0\x80\""},
    {.name = "beyond Unicode", .text = "\"\xf4\x90\x80\x80\""},
    {.name = "cut-off UTF-8", .text = "\"\xe2\x82"},
    {.name = "byte order mark", .text = "\xef\xbb\xbf{}"},
    {.name = "closing alone", .text = "]"},
    {.name = "mismatched brackets", .text = "[1}"},
};

static void refuses(void **state)
{
    const struct bad *row = *state;
    struct json *value = NULL;

    assert_fails(json_parse(str_of(row->text), NULL, &value), ERR_INVALID, row->says);
    assert_null(value);
}

static void refuses_nul_byte(void **state)
{
    struct json *value = NULL;

    (void)state;
    assert_fails(json_parse((struct str){"[1]\0", 4}, NULL, &value), ERR_INVALID, NULL);
    assert_fails(json_parse((struct str){0}, NULL, &value), ERR_INVALID, NULL);
}

static void keeps_to_limits(void **state)
{
    struct json_limits limits = {.max_bytes = 6, .max_depth = 2};
    struct json *value = NULL;

    (void)state;
    assert_no_err(json_parse(STR("[[10]]"), &limits, &value));
    json_free(value);
    value = NULL;
    assert_fails(json_parse(STR("[[100]]"), &limits, &value), ERR_INVALID, "larger than 6 bytes");
    assert_fails(json_parse(STR("[[[]]]"), &limits, &value), ERR_INVALID, "nested too deep at byte 2");
    assert_null(value);
}

static void survives_depth(void **state)
{
    AUTO_BUF struct buf text = BUF_MAX(2 * MIB);
    struct json *value = NULL;

    (void)state;
    while (text.len < MIB)
        buf_adds(&text, "[");
    assert_fails(json_parse(buf_str(&text), NULL, &value), ERR_INVALID, "nested too deep at byte 64");
}

static void reads_many_members_fast(void **state)
{
    AUTO_BUF struct buf text = BUF_MAX(8 * MIB);
    AUTO_JSON struct json *value = NULL;

    (void)state;
    buf_adds(&text, "{");
    for (int i = 0; i < 200000; i++)
        buf_addf(&text, "%s\"key-%d\":%d", i ? "," : "", i, i);
    buf_adds(&text, "}");
    assert_no_err(json_parse(buf_str(&text), NULL, &value));
    assert_number((int64_t)json_count(value), 200000);
}

/* --- access --- */

static struct json *parsed(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

static const char sample[] =
    "{\"spec\":{\"databases\":[{\"name\":\"main\",\"n\":7},{\"name\":\"other\"}],\"on\":true,\"x\":1.5,"
    "\"matrix\":[[1,2],[3]]},\"a.b/c\":\"dotted\",\"none\":null}";

static const struct path_row {
    const char *name;
    const char *json; /* NULL: absent */
} path_rows[] = {
    {.name = "spec.databases[0].name", .json = "\"main\""},
    {.name = "spec.databases[1].name", .json = "\"other\""},
    {.name = "spec.databases[0]", .json = "{\"name\":\"main\",\"n\":7}"},
    {.name = "spec.matrix[0][1]", .json = "2"},
    {.name = "none", .json = "null"},
    {.name = "spec.databases[2]"},
    {.name = "spec.databases[-1]"},
    {.name = "spec.databases[x]"},
    {.name = "spec.databases[0"},
    {.name = "spec.databases[]"},
    {.name = "spec.databases.name"},
    {.name = "spec[0]"},
    {.name = "Spec"},
    {.name = "spec.on.more"},
    {.name = "a.b/c"},
};

static void finds(void **state)
{
    const struct path_row *row = *state;
    AUTO_JSON struct json *value = parsed(sample);
    const struct json *found = json_at(value, row->name);

    if (row->json)
        assert_json_equal(found, row->json);
    else
        assert_null(found);
}

static void gives_typed(void **state)
{
    AUTO_JSON struct json *value = parsed(sample);

    (void)state;
    assert_text_equal(json_get_text(value, "spec.databases[0].name", "-"), "main");
    assert_text_equal(json_get_text(value, "spec.on", "-"), "-");
    assert_text_equal(json_get_text(value, "nowhere", NULL), NULL);
    assert_number(json_get_int(value, "spec.databases[0].n", -1), 7);
    assert_number(json_get_int(value, "spec.x", -1), -1);
    assert_number(json_get_int(value, "none", -1), -1);
    assert_true(json_get_number(value, "spec.x", 0) > 1.4);
    assert_true(json_get_bool(value, "spec.on", false));
    assert_true(json_get_bool(value, "spec.x", true));
    assert_text_equal(json_get_text(json_member(value, "a.b/c"), NULL, NULL), "dotted");
    assert_null(json_member(value, "A.b/c"));
    assert_null(json_member(NULL, "x"));
    assert_null(json_at(NULL, "x"));
    assert_number((int64_t)json_count(NULL), 0);
    assert_int_equal(json_type(NULL), JSON_NULL);
    assert_false(json_is(NULL, JSON_NULL));
}

static void walks(void **state)
{
    AUTO_JSON struct json *value = parsed("{\"a\":[1,2,3],\"b\":{}}");
    int64_t sum = 0;
    int members = 0;

    (void)state;
    json_each (item, json_at(value, "a"))
        sum += json_get_int(item, NULL, 0);
    json_each (member, value)
        assert_text_equal(json_key(member), members++ ? "b" : "a");
    json_each (item, json_at(value, "b"))
        fail();
    assert_number(sum, 6);
    assert_number(members, 2);
    assert_null(json_item(json_at(value, "a"), 3));
    assert_null(json_key(value));
}

static const struct exact_row {
    const char *name;
    int64_t want;
} exact_rows[] = {
    {.name = "9007199254740992", .want = INT64_C(9007199254740992)},
    {.name = "-9007199254740992", .want = INT64_C(-9007199254740992)},
    {.name = "9007199254740994", .want = 5},
    {.name = "1e300", .want = 5},
    {.name = "0.5", .want = 5},
    {.name = "\"7\"", .want = 5},
    {.name = "1e3", .want = 1000},
};

static void gives_exact_integers_only(void **state)
{
    const struct exact_row *row = *state;
    AUTO_JSON struct json *value = parsed(row->name);

    assert_number(json_get_int(value, NULL, 5), row->want);
}

/* --- comparing --- */

static const struct pair {
    const char *name, *a, *b;
    bool equal;
} pairs[] = {
    {.name = "order of members", .a = "{\"a\":1,\"b\":2}", .b = "{\"b\":2,\"a\":1}", .equal = true},
    {.name = "order of items", .a = "[1,2]", .b = "[2,1]"},
    {.name = "member more", .a = "{\"a\":1}", .b = "{\"a\":1,\"b\":2}"},
    {.name = "member less", .a = "{\"a\":1,\"b\":2}", .b = "{\"a\":1}"},
    {.name = "item more", .a = "[1]", .b = "[1,1]"},
    {.name = "case of a name", .a = "{\"a\":1}", .b = "{\"A\":1}"},
    {.name = "null is not absent", .a = "{\"a\":null}", .b = "{}"},
    {.name = "null is not false", .a = "null", .b = "false"},
    {.name = "true and false", .a = "true", .b = "false"},
    {.name = "number and text", .a = "1", .b = "\"1\""},
    {.name = "one number, two spellings", .a = "1.0", .b = "1", .equal = true},
    {.name = "large integers side by side", .a = "4503599627370497", .b = "4503599627370496"},
    {.name = "small difference", .a = "0.1", .b = "0.10000000000000002"},
    {.name = "deep",
     .a = "{\"a\":[{\"b\":[1,{\"c\":null}]}]}",
     .b = "{\"a\":[{\"b\":[1,{\"c\":null}]}]}",
     .equal = true},
    {.name = "deep difference",
     .a = "{\"a\":[{\"b\":[1,{\"c\":null}]}]}",
     .b = "{\"a\":[{\"b\":[1,{\"c\":0}]}]}"},
};

static void compares(void **state)
{
    const struct pair *row = *state;
    AUTO_JSON struct json *a = parsed(row->a), *b = parsed(row->b);

    assert_int_equal(json_equal(a, b), row->equal);
    assert_int_equal(json_equal(b, a), row->equal);
    assert_true(json_equal(NULL, NULL));
    assert_false(json_equal(a, NULL));
}

/* --- building --- */

static void builds(void **state)
{
    AUTO_JSON struct json *value = json_new_object();
    struct json *list = json_new_array();

    (void)state;
    json_set_text(value, "text", "a\"b");
    json_set_int(value, "int", -5);
    json_set_bool(value, "bool", true);
    json_set(value, "null", json_new_null());
    json_append_text(list, "x");
    json_append(list, json_new_number(0.25));
    json_set(value, "list", list);
    json_set_copy(value, "copy", list);
    json_add(value, "last", json_new_object());
    assert_json_equal(value,
                      "{\"text\":\"a\\\"b\",\"int\":-5,\"bool\":true,\"null\":null,\"list\":[\"x\",0.25],"
                      "\"copy\":[\"x\",0.25],\"last\":{}}");
}

static void replaces_in_place(void **state)
{
    AUTO_JSON struct json *value = parsed("{\"a\":1,\"b\":2,\"c\":3}");
    AUTO_JSON struct json *taken = NULL;
    AUTO_FREE char *text = NULL;

    (void)state;
    json_set_text(value, "b", "new");
    json_set(value, "a", NULL);
    json_set_text(value, "c", NULL);
    json_remove(value, "nowhere");
    assert_null(json_take(value, "nowhere"));
    json_set_int(value, "d", 4);
    text = json_to_text(value);
    assert_text_equal(text, "{\"b\":\"new\",\"d\":4}");
    json_set_int(json_edit(value, NULL), "d", 5);
    json_set(value, "e", json_new_array());
    taken = json_take(value, "e");
    assert_json_equal(taken, "[]");
    assert_json_equal(value, "{\"b\":\"new\",\"d\":5}");
}

static void edits_inside(void **state)
{
    AUTO_JSON struct json *value = parsed(sample);

    (void)state;
    json_set_text(json_edit(value, "spec.databases[1]"), "name", "third");
    assert_text_equal(json_get_text(value, "spec.databases[1].name", NULL), "third");
    assert_null(json_edit(value, "nowhere"));
}

static void prints_pretty(void **state)
{
    AUTO_JSON struct json *value = parsed("{\"a\":[1,{\"b\":2}],\"c\":{},\"d\":[]}");
    AUTO_BUF struct buf out = BUF_MAX(1000);

    (void)state;
    json_print_pretty(value, &out);
    assert_text_equal(
        buf_text(&out),
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}");
}

/* --- merge patches: the examples of RFC 7396, appendix A --- */

static const struct merge {
    const char *name, *target, *patch, *result;
} merges[] = {
    {.name = "replace", .target = "{\"a\":\"b\"}", .patch = "{\"a\":\"c\"}", .result = "{\"a\":\"c\"}"},
    {.name = "add",
     .target = "{\"a\":\"b\"}",
     .patch = "{\"b\":\"c\"}",
     .result = "{\"a\":\"b\",\"b\":\"c\"}"},
    {.name = "remove", .target = "{\"a\":\"b\"}", .patch = "{\"a\":null}", .result = "{}"},
    {.name = "remove one of two",
     .target = "{\"a\":\"b\",\"b\":\"c\"}",
     .patch = "{\"a\":null}",
     .result = "{\"b\":\"c\"}"},
    {.name = "list by text",
     .target = "{\"a\":[\"b\"]}",
     .patch = "{\"a\":\"c\"}",
     .result = "{\"a\":\"c\"}"},
    {.name = "text by list",
     .target = "{\"a\":\"c\"}",
     .patch = "{\"a\":[\"b\"]}",
     .result = "{\"a\":[\"b\"]}"},
    {.name = "inside",
     .target = "{\"a\":{\"b\":\"c\"}}",
     .patch = "{\"a\":{\"b\":\"d\",\"c\":null}}",
     .result = "{\"a\":{\"b\":\"d\"}}"},
    {.name = "lists are whole",
     .target = "{\"a\":[{\"b\":\"c\"}]}",
     .patch = "{\"a\":[1]}",
     .result = "{\"a\":[1]}"},
    {.name = "list as the target",
     .target = "[\"a\",\"b\"]",
     .patch = "[\"c\",\"d\"]",
     .result = "[\"c\",\"d\"]"},
    {.name = "object by list", .target = "{\"a\":\"b\"}", .patch = "[\"c\"]", .result = "[\"c\"]"},
    {.name = "by null", .target = "{\"a\":\"foo\"}", .patch = "null", .result = "null"},
    {.name = "by text", .target = "{\"a\":\"foo\"}", .patch = "\"bar\"", .result = "\"bar\""},
    {.name = "null in the target stays",
     .target = "{\"e\":null}",
     .patch = "{\"a\":1}",
     .result = "{\"e\":null,\"a\":1}"},
    {.name = "list by object",
     .target = "[1,2]",
     .patch = "{\"a\":\"b\",\"c\":null}",
     .result = "{\"a\":\"b\"}"},
    {.name = "nulls of a new object",
     .target = "{}",
     .patch = "{\"a\":{\"bb\":{\"ccc\":null}}}",
     .result = "{\"a\":{\"bb\":{}}}"},
};

static void merges_patch(void **state)
{
    const struct merge *row = *state;
    AUTO_JSON struct json *patch = parsed(row->patch);
    AUTO_JSON struct json *result = json_merge_patch(parsed(row->target), patch);

    assert_json_equal(result, row->result);
    assert_json_equal(patch, row->patch);
}

static const struct diff {
    const char *name, *from, *to, *patch; /* patch NULL: equal */
} diffs[] = {
    {.name = "equal", .from = "{\"a\":1,\"b\":{\"c\":2}}", .to = "{\"b\":{\"c\":2},\"a\":1}"},
    {.name = "changed", .from = "{\"a\":1,\"b\":2}", .to = "{\"a\":1,\"b\":3}", .patch = "{\"b\":3}"},
    {.name = "added", .from = "{}", .to = "{\"a\":{\"b\":1}}", .patch = "{\"a\":{\"b\":1}}"},
    {.name = "removed", .from = "{\"a\":1,\"b\":2}", .to = "{\"a\":1}", .patch = "{\"b\":null}"},
    {.name = "inside",
     .from = "{\"a\":{\"b\":1,\"c\":2}}",
     .to = "{\"a\":{\"b\":1,\"d\":3}}",
     .patch = "{\"a\":{\"c\":null,\"d\":3}}"},
    {.name = "lists are whole", .from = "{\"a\":[1,2]}", .to = "{\"a\":[1,3]}", .patch = "{\"a\":[1,3]}"},
    {.name = "object becomes a list", .from = "{\"a\":{\"b\":1}}", .to = "{\"a\":[]}", .patch = "{\"a\":[]}"},
    {.name = "list becomes an object",
     .from = "{\"a\":[1]}",
     .to = "{\"a\":{\"b\":1}}",
     .patch = "{\"a\":{\"b\":1}}"},
    {.name = "emptied", .from = "{\"a\":{\"b\":1}}", .to = "{\"a\":{}}", .patch = "{\"a\":{\"b\":null}}"},
};

static void finds_smallest_patch(void **state)
{
    const struct diff *row = *state;
    AUTO_JSON struct json *from = parsed(row->from), *to = parsed(row->to);
    AUTO_JSON struct json *patch = json_merge_diff(from, to), *result = NULL;

    if (!row->patch) {
        assert_null(patch);
        return;
    }
    assert_json_equal(patch, row->patch);
    result = json_merge_patch(parsed(row->from), patch);
    assert_json_equal(result, row->to);
}

/* --- decoding --- */

struct thing {
    char *name, *note;
    int64_t days;
    bool on;
    const struct json *list;
};

static const struct json_field thing_fields[] = {
    {.path = "meta.name", .type = JSON_STRING, .offset = offsetof(struct thing, name), .required = true},
    {.path = "note", .type = JSON_STRING, .offset = offsetof(struct thing, note)},
    {.path = "days", .type = JSON_NUMBER, .offset = offsetof(struct thing, days)},
    {.path = "on", .type = JSON_BOOL, .offset = offsetof(struct thing, on)},
    {.path = "list", .type = JSON_ARRAY, .offset = offsetof(struct thing, list)},
};

static void decodes(void **state)
{
    AUTO_JSON struct json *value =
        parsed("{\"meta\":{\"name\":\"shop\"},\"days\":14,\"on\":true,\"list\":[1],\"unknown\":1}");
    struct thing thing = {0};

    (void)state;
    assert_no_err(json_decode(value, "thing", thing_fields, COUNT_OF(thing_fields), &thing));
    assert_text_equal(thing.name, "shop");
    assert_null(thing.note);
    assert_number(thing.days, 14);
    assert_true(thing.on);
    assert_ptr_equal(thing.list, json_at(value, "list"));
    xfree(thing.name);
}

static const struct decode_row {
    const char *name, *text, *says;
} decode_rows[] = {
    {.name = "required and absent", .text = "{}", .says = "thing.meta.name"},
    {.name = "required and null", .text = "{\"meta\":{\"name\":null}}", .says = "thing.meta.name"},
    {.name = "text for an integer",
     .text = "{\"meta\":{\"name\":\"x\"},\"days\":\"14\"}",
     .says = "thing.days: expected integer"},
    {.name = "fraction for an integer",
     .text = "{\"meta\":{\"name\":\"x\"},\"days\":1.5}",
     .says = "thing.days: expected integer"},
    {.name = "integer beyond 2^53",
     .text = "{\"meta\":{\"name\":\"x\"},\"days\":9007199254740994}",
     .says = "thing.days: expected integer"},
    {.name = "text for a boolean",
     .text = "{\"meta\":{\"name\":\"x\"},\"on\":\"true\"}",
     .says = "thing.on: expected"},
    {.name = "object for a list",
     .text = "{\"meta\":{\"name\":\"x\"},\"list\":{}}",
     .says = "thing.list: expected"},
    {.name = "number for a text", .text = "{\"meta\":{\"name\":7}}", .says = "thing.meta.name: expected"},
};

static void decode_refuses(void **state)
{
    const struct decode_row *row = *state;
    AUTO_JSON struct json *value = parsed(row->text);
    struct thing thing = {0};

    assert_fails(json_decode(value, "thing", thing_fields, COUNT_OF(thing_fields), &thing), ERR_INVALID,
                 row->says);
    xfree(thing.name);
    xfree(thing.note);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, reads, good_rows);
    TEST_ROWS(&tests, refuses, bad_rows);
    TEST(&tests, refuses_nul_byte);
    TEST(&tests, keeps_to_limits);
    TEST(&tests, survives_depth);
    TEST(&tests, reads_many_members_fast);
    TEST_ROWS(&tests, finds, path_rows);
    TEST(&tests, gives_typed);
    TEST(&tests, walks);
    TEST_ROWS(&tests, gives_exact_integers_only, exact_rows);
    TEST_ROWS(&tests, compares, pairs);
    TEST(&tests, builds);
    TEST(&tests, replaces_in_place);
    TEST(&tests, edits_inside);
    TEST(&tests, prints_pretty);
    TEST_ROWS(&tests, merges_patch, merges);
    TEST_ROWS(&tests, finds_smallest_patch, diffs);
    TEST(&tests, decodes);
    TEST_ROWS(&tests, decode_refuses, decode_rows);
    return tests_run(&tests, "json");
}
