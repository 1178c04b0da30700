#include "pkg/base/yaml.h"

#include "pkg/base/files.h"
#include "tests/testing/assertions.h"

#include <unistd.h>

/* --- single documents --- */

static const struct good {
    const char *name, *yaml, *json;
} good_rows[] = {
    {.name = "mapping", .yaml = "a: 1\nb: x\n", .json = "{\"a\":1,\"b\":\"x\"}"},
    {.name = "nesting",
     .yaml = "a:\n  b:\n  - 1\n  - c: d\n    e: []\n",
     .json = "{\"a\":{\"b\":[1,{\"c\":\"d\",\"e\":[]}]}}"},
    {.name = "JSON is YAML",
     .yaml = "{\"a\": [1, true, null, \"x\\n\\u00e9\"], \"b\": {}}",
     .json = "{\"a\":[1,true,null,\"x\\n\xc3\xa9\"],\"b\":{}}"},
    {.name = "scalar alone", .yaml = "hello", .json = "\"hello\""},
    {.name = "sequence alone", .yaml = "- a\n- b\n", .json = "[\"a\",\"b\"]"},
    {.name = "comments and blanks", .yaml = "# top\n\na: 1 # one\n", .json = "{\"a\":1}"},
    {.name = "literal block", .yaml = "a: |\n  one\n  two\n", .json = "{\"a\":\"one\\ntwo\\n\"}"},
    {.name = "folded block", .yaml = "a: >-\n  one\n  two\n", .json = "{\"a\":\"one two\"}"},
    {.name = "single quotes", .yaml = "a: 'it''s'", .json = "{\"a\":\"it's\"}"},
    {.name = "start and end marks", .yaml = "---\na: 1\n...\n", .json = "{\"a\":1}"},
    {.name = "directive", .yaml = "%YAML 1.1\n---\na: 1\n", .json = "{\"a\":1}"},
    {.name = "byte order mark",
     .yaml = "\xef\xbb\xbf"
             "a: 1\n",
     .json = "{\"a\":1}"},
    {.name = "line ends of DOS", .yaml = "a: 1\r\nb: 2\r\n", .json = "{\"a\":1,\"b\":2}"},
    {.name = "emoji", .yaml = "a: \xf0\x9f\x90\x91", .json = "{\"a\":\"\xf0\x9f\x90\x91\"}"},
    {.name = "order is kept, quoted keys are strings",
     .yaml = "'1': a\n\"true\": b\n'': c\n",
     .json = "{\"1\":\"a\",\"true\":\"b\",\"\":\"c\"}"},
    {.name = "quoted << is an ordinary key", .yaml = "'<<': 1", .json = "{\"<<\":1}"},
    {.name = "anchor and alias",
     .yaml = "a: &x [1, {b: 2}]\nc: *x\nd: *x\n",
     .json = "{\"a\":[1,{\"b\":2}],\"c\":[1,{\"b\":2}],\"d\":[1,{\"b\":2}]}"},
    {.name = "alias of a scalar", .yaml = "- &x hello\n- *x\n", .json = "[\"hello\",\"hello\"]"},
    {.name = "anchor set again", .yaml = "- &x 1\n- *x\n- &x 2\n- *x\n", .json = "[1,1,2,2]"},
    {.name = "alias inside an alias",
     .yaml = "- &x [1]\n- &y [*x, *x]\n- *y\n",
     .json = "[[1],[[1],[1]],[[1],[1]]]"},
    {.name = "tag makes a string",
     .yaml = "- !!str 12\n- ! true\n- !!str\n",
     .json = "[\"12\",\"true\",\"\"]"},
    {.name = "tags of the core",
     .yaml = "- !!int '12'\n- !!float 1\n- !!bool yes\n- !!null ''\n- !!seq []\n- !!map {}\n",
     .json = "[12,1,true,null,[],{}]"},
    {.name = "value left out", .yaml = "a:\nb: 1\n", .json = "{\"a\":null,\"b\":1}"},
    {.name = "flow with line breaks",
     .yaml = "{a: [1,\n 2], b: {c: d}}",
     .json = "{\"a\":[1,2],\"b\":{\"c\":\"d\"}}"},
};

static void reads(void **state)
{
    const struct good *row = *state;
    AUTO_YAML struct yaml_docs docs = {0};

    assert_no_err(yaml_parse(str_of(row->yaml), "t.yaml", NULL, &docs));
    assert_number(docs.count, 1);
    assert_json_equal(yaml_root(docs.items[0]), row->json);
    assert_text_equal(yaml_name(docs.items[0]), "t.yaml");
}

/* --- plain scalars, as kubectl reads them --- */

static const struct plain {
    const char *name, *json;
} plain_rows[] = {
    {.name = "true", .json = "true"},
    {.name = "True", .json = "true"},
    {.name = "TRUE", .json = "true"},
    {.name = "tRue", .json = "\"tRue\""},
    {.name = "TRue", .json = "\"TRue\""},
    {.name = "false", .json = "false"},
    {.name = "yes", .json = "true"},
    {.name = "Yes", .json = "true"},
    {.name = "y", .json = "true"},
    {.name = "Y", .json = "true"},
    {.name = "on", .json = "true"},
    {.name = "ON", .json = "true"},
    {.name = "oN", .json = "\"oN\""},
    {.name = "no", .json = "false"},
    {.name = "n", .json = "false"},
    {.name = "NO", .json = "false"},
    {.name = "off", .json = "false"},
    {.name = "Off", .json = "false"},
    {.name = "yess", .json = "\"yess\""},
    {.name = "null", .json = "null"},
    {.name = "Null", .json = "null"},
    {.name = "NULL", .json = "null"},
    {.name = "~", .json = "null"},
    {.name = "nil", .json = "\"nil\""},
    {.name = "0", .json = "0"},
    {.name = "-0", .json = "0"},
    {.name = "12", .json = "12"},
    {.name = "+12", .json = "12"},
    {.name = "-12", .json = "-12"},
    {.name = "1_000", .json = "1000"},
    {.name = "0x1F", .json = "31"},
    {.name = "0X1f", .json = "31"},
    {.name = "-0x10", .json = "-16"},
    {.name = "0o17", .json = "15"},
    {.name = "017", .json = "15"},
    {.name = "0b101", .json = "5"},
    {.name = "-0b1", .json = "-1"},
    {.name = "08", .json = "8"},
    {.name = "0x", .json = "\"0x\""},
    {.name = "0b2", .json = "\"0b2\""},
    {.name = "0xg", .json = "\"0xg\""},
    {.name = "12a", .json = "\"12a\""},
    {.name = "-", .json = "[null]"},
    {.name = "+", .json = "\"+\""},
    {.name = ".", .json = "\".\""},
    {.name = "..", .json = "\"..\""},
    {.name = "-.", .json = "\"-.\""},
    {.name = "1.", .json = "1"},
    {.name = ".5", .json = "0.5"},
    {.name = "-1.5e3", .json = "-1500"},
    {.name = "1e3", .json = "1000"},
    {.name = "1E+2", .json = "100"},
    {.name = "1e", .json = "\"1e\""},
    {.name = "1e+", .json = "\"1e+\""},
    {.name = "1.2.3", .json = "\"1.2.3\""},
    {.name = "1e999", .json = "\"1e999\""},
    {.name = "12:30:45", .json = "\"12:30:45\""},
    {.name = "2026-11-22", .json = "\"2026-11-22\""},
    {.name = "2026-11-22T16:00:00Z", .json = "\"2026-11-22T16:00:00Z\""},
    {.name = "111111111111", .json = "111111111111"},
    {.name = "9007199254740992", .json = "9007199254740992"},
    {.name = "arn:aws:rds:x", .json = "\"arn:aws:rds:x\""},
    {.name = "$(databases.main.endpoint)", .json = "\"$(databases.main.endpoint)\""},
    {.name = "=", .json = "\"=\""},
};

static void reads_plain(void **state)
{
    const struct plain *row = *state;
    AUTO_YAML struct yaml_docs docs = {0};
    AUTO_FREE char *text = xasprintf("- %s\n", row->name), *want = xasprintf("[%s]", row->json);

    assert_no_err(yaml_parse(str_of(text), "t.yaml", NULL, &docs));
    assert_json_equal(yaml_root(docs.items[0]), want);
}

/* --- mistakes --- */

static const struct bad {
    const char *name, *yaml, *says;
    struct yaml_limits limits;
} bad_rows[] = {
    {.name = "duplicate key",
     .yaml = "a: 1\nb: 2\na: 3\n",
     .says = "t.yaml:3: the key a is there twice (also in line 1)"},
    {.name = "duplicate key deep down",
     .yaml = "x:\n  - a: 1\n    a: 2\n",
     .says = "t.yaml:3: the key a is there twice"},
    {.name = "duplicate by quoting", .yaml = "a: 1\n'a': 2\n", .says = "twice"},
    {.name = "merge key", .yaml = "a: &x {b: 1}\nc:\n  <<: *x\n", .says = "t.yaml:3: merge keys"},
    {.name = "integer as a key",
     .yaml = "1: a",
     .says = "t.yaml:1: the key 1 is not a string; put it in quotes"},
    {.name = "boolean as a key", .yaml = "a: 1\non: b", .says = "t.yaml:2: the key on is not a string"},
    {.name = "null as a key", .yaml = "{? : b}", .says = "the key (nothing) is not a string"},
    {.name = "sequence as a key", .yaml = "? [a]\n: b", .says = "a key must be a string"},
    {.name = "mapping as a key", .yaml = "{{a: b}: c}", .says = "a key must be a string"},
    {.name = "alias as a key", .yaml = "- &x a\n- {*x : b}", .says = "an alias cannot be a key"},
    {.name = "anchor on a key", .yaml = "&x a: b", .says = "a key cannot have an anchor"},
    {.name = "alias without an anchor",
     .yaml = "a: *x",
     .says = "t.yaml:1: the alias *x has no anchor before it"},
    {.name = "alias of what contains it", .yaml = "a: &x\n  b: *x", .says = "t.yaml:2: the alias *x"},
    {.name = "anchor of another document", .yaml = "a: &x 1\n---\nb: *x\n", .says = "t.yaml:3: the alias *x"},
    {.name = "foreign tag", .yaml = "a: !Ref b", .says = "t.yaml:1: the tag !Ref is not supported"},
    {.name = "binary",
     .yaml = "a: !!binary aGk=",
     .says = "the tag tag:yaml.org,2002:binary is not supported"},
    {.name = "timestamp", .yaml = "a: !!timestamp 2026-11-22", .says = "is not supported"},
    {.name = "foreign tag of a mapping", .yaml = "a: !x {b: c}", .says = "the tag !x is not supported"},
    {.name = "set", .yaml = "a: !!set {b: null}", .says = "is not supported"},
    {.name = "tag that does not fit", .yaml = "a: !!int x", .says = "!!int needs an integer"},
    {.name = "fraction for an integer", .yaml = "a: !!int 1.5", .says = "!!int needs an integer"},
    {.name = "text for a boolean", .yaml = "a: !!bool x", .says = "!!bool needs true or false"},
    {.name = "infinity", .yaml = "a: .inf", .says = "t.yaml:1: infinities and NaN"},
    {.name = "not a number", .yaml = "a: .NaN", .says = "infinities and NaN"},
    {.name = "integer beyond 2^53", .yaml = "a: 9007199254740993", .says = "too large to be exact"},
    {.name = "integer beyond 64 bits",
     .yaml = "a: 99999999999999999999999999",
     .says = "too large to be exact"},
    {.name = "negative beyond 2^53", .yaml = "a: -9007199254740993", .says = "too large to be exact"},
    {.name = "NUL escape", .yaml = "a: \"x\\0y\"", .says = "t.yaml:1: a NUL character"},
    {.name = "NUL in a key", .yaml = "\"x\\0y\": 1", .says = "a NUL character"},
    {.name = "tab for indentation", .yaml = "a:\n\tb: 1\n", .says = "t.yaml:2:"},
    {.name = "bad indentation", .yaml = "a:\n  b: 1\n c: 2\n", .says = "t.yaml:3:"},
    {.name = "unclosed quote", .yaml = "a: \"x\n", .says = "t.yaml:"},
    {.name = "unclosed bracket", .yaml = "a: [1, 2\n", .says = "t.yaml:"},
    {.name = "unknown escape", .yaml = "a: \"\\q\"", .says = "t.yaml:1:"},
    {.name = "bad UTF-8", .yaml = "a: 1\nb: \xff\n", .says = "t.yaml:2: invalid leading UTF-8 octet"},
    {.name = "cut-off UTF-8", .yaml = "a: \xc3", .says = "t.yaml:1: incomplete UTF-8"},
    {.name = "surrogate in UTF-8", .yaml = "a: \xed\xa0\x80", .says = "t.yaml:1: "},
    {.name = "control character", .yaml = "a: \x01", .says = "t.yaml:1: control characters are not allowed"},
    {.name = "UTF-16",
     .yaml = "\xff\xfe"
             "a",
     .says = "t.yaml:1: "},
    {.name = "two values", .yaml = "a: b: c", .says = "t.yaml:1:"},
    {.name = "newer version", .yaml = "%YAML 2.0\n---\na: 1\n", .says = "t.yaml:1:"},
    {.name = "text over the cap",
     .yaml = "a: 12345678",
     .limits = {.max_bytes = 10},
     .says = "larger than 10 bytes"},
    {.name = "values over the cap",
     .yaml = "[1,2,3]",
     .limits = {.max_nodes = 3},
     .says = "t.yaml:1: too many values"},
    {.name = "documents over the cap",
     .yaml = "---\n---\n---\n---\n",
     .limits = {.max_nodes = 3},
     .says = "too many values"},
    {.name = "depth over the cap",
     .yaml = "[[[]]]",
     .limits = {.max_depth = 2},
     .says = "t.yaml:1: nested too deep"},
    {.name = "depth by an alias",
     .yaml = "- &x [[1]]\n- [*x]\n",
     .limits = {.max_depth = 3},
     .says = "t.yaml:2: nested too deep"},
    {.name = "text by aliases",
     .yaml = "- &x 0123456789012345678901234567890123456789\n- [*x, *x, *x, *x, *x, *x]\n",
     .limits = {.max_bytes = 80},
     .says = "too much text"},
};

static void refuses(void **state)
{
    const struct bad *row = *state;
    struct yaml_docs docs = {.count = 77};

    assert_fails(yaml_parse(str_of(row->yaml), "t.yaml", &row->limits, &docs), ERR_INVALID, row->says);
    assert_number(docs.count, 77);
}

static void caps_are_inclusive(void **state)
{
    AUTO_YAML struct yaml_docs docs = {0};

    (void)state;
    assert_no_err(yaml_parse(STR("[[1,2]]"), "t",
                             &(struct yaml_limits){.max_bytes = 7, .max_nodes = 4, .max_depth = 2}, &docs));
    assert_number(docs.count, 1);
}

/* Nine levels of nine aliases each would be 387,420,489 values. */
static void refuses_bomb(void **state)
{
    AUTO_BUF struct buf text = BUF_MAX(MIB);
    struct yaml_docs docs;

    (void)state;
    buf_adds(&text, "a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (char c = 'b'; c <= 'i'; c++) {
        buf_addf(&text, "%c: &%c [", c, c);
        for (int i = 0; i < 9; i++)
            buf_addf(&text, "%s*%c", i ? "," : "", c - 1);
        buf_adds(&text, "]\n");
    }
    assert_fails(yaml_parse(buf_str(&text), "bomb.yaml", NULL, &docs), ERR_INVALID, "too many values");
}

/* A megabyte, a thousand times. */
static void refuses_text_bomb(void **state)
{
    AUTO_BUF struct buf text = BUF_MAX(4 * MIB);
    struct yaml_docs docs;

    (void)state;
    buf_adds(&text, "- &a ");
    while (text.len < MIB)
        buf_adds(&text, "0123456789abcdef");
    buf_adds(&text, "\n- [");
    for (int i = 0; i < 1000; i++)
        buf_adds(&text, "*a, ");
    buf_adds(&text, "]\n");
    assert_fails(yaml_parse(buf_str(&text), "bomb.yaml", NULL, &docs), ERR_INVALID, "too much text");
}

static void refuses_depth_bomb(void **state)
{
    AUTO_BUF struct buf text = BUF_MAX(4 * MIB);
    struct yaml_docs docs;

    (void)state;
    while (text.len < MIB)
        buf_adds(&text, "[");
    assert_fails(yaml_parse(buf_str(&text), "deep.yaml", NULL, &docs), ERR_INVALID, "nested too deep");
}

static void refuses_too_many_anchors(void **state)
{
    AUTO_BUF struct buf text = BUF_MAX(MIB);
    struct yaml_docs docs;

    (void)state;
    for (int i = 0; i < 1001; i++)
        buf_addf(&text, "- &a%d x\n", i);
    assert_fails(yaml_parse(buf_str(&text), "t.yaml", NULL, &docs), ERR_INVALID,
                 "t.yaml:1001: too many anchors");
}

/* Ten megabytes in one mapping: what looks back at each key would never end. */
static void reads_ten_megabytes(void **state)
{
    AUTO_BUF struct buf text = BUF_MAX(16 * MIB);
    AUTO_YAML struct yaml_docs docs = {0};
    struct yaml_limits limits = {.max_bytes = 16 * MIB};
    size_t count = 0;

    (void)state;
    while (text.len < 10 * MIB)
        buf_addf(&text,
                 "key%zu: "
                 "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
                 "123456789\n",
                 count++);
    assert_fails(yaml_parse(buf_str(&text), "large.yaml", NULL, &docs), ERR_INVALID,
                 "large.yaml: larger than 4194304 bytes");
    assert_no_err(yaml_parse(buf_str(&text), "large.yaml", &limits, &docs));
    assert_number(json_count(yaml_root(docs.items[0])), count);
    assert_number(yaml_line_at(docs.items[0], "key5000"), 5001);
}

/* --- several documents --- */

static const struct multi {
    const char *name, *yaml;
    size_t count;
} multi_rows[] = {
    {.name = "nothing", .yaml = "", .count = 0},
    {.name = "white space", .yaml = "  \n\n", .count = 0},
    {.name = "comment", .yaml = "# nothing\n", .count = 0},
    {.name = "marks alone", .yaml = "---\n---\n", .count = 0},
    {.name = "null", .yaml = "null\n", .count = 0},
    {.name = "two", .yaml = "a: 1\n---\nb: 2\n", .count = 2},
    {.name = "two and empty ones", .yaml = "---\na: 1\n---\n# none\n---\nb: 2\n---\n", .count = 2},
    {.name = "end marks", .yaml = "a: 1\n...\n---\nb: 2\n...\n", .count = 2},
};

static void reads_documents(void **state)
{
    const struct multi *row = *state;
    AUTO_YAML struct yaml_docs docs = {0};

    assert_no_err(yaml_parse(str_of(row->yaml), "t", NULL, &docs));
    assert_number(docs.count, row->count);
    if (row->count != 2)
        return;
    assert_json_equal(yaml_root(docs.items[0]), "{\"a\":1}");
    assert_json_equal(yaml_root(docs.items[1]), "{\"b\":2}");
}

static void one_bad_document_spoils_all(void **state)
{
    struct yaml_docs docs = {0};

    (void)state;
    assert_fails(yaml_parse(STR("a: 1\n---\nb: [\n"), "t.yaml", NULL, &docs), ERR_INVALID, "t.yaml:");
    assert_number(docs.count, 0);
}

/* --- lines --- */

static const char lined[] = "# refresh\n"             /* 1 */
                            "kind: StagingRefresh\n"  /* 2 */
                            "spec:\n"                 /* 3 */
                            "  databases:\n"          /* 4 */
                            "  - name: main\n"        /* 5 */
                            "    aurora: &a\n"        /* 6 */
                            "      restore: {x: 1}\n" /* 7 */
                            "  - name: other\n"       /* 8 */
                            "    aurora: *a\n"        /* 9 */
                            "  empty:\n"              /* 10 */
                            "  text: |\n"             /* 11 */
                            "    one\n"               /* 12 */
                            "---\n"                   /* 13 */
                            "second: 1\n";            /* 14 */

static const struct lines {
    const char *name;
    int doc, line;
} line_rows[] = {
    {.name = "", .line = 2},
    {.name = "kind", .line = 2},
    {.name = "spec", .line = 4},
    {.name = "spec.databases", .line = 5},
    {.name = "spec.databases[0]", .line = 5},
    {.name = "spec.databases[0].aurora", .line = 6},
    {.name = "spec.databases[0].aurora.restore.x", .line = 7},
    {.name = "spec.databases[1].name", .line = 8},
    {.name = "spec.databases[1].aurora.restore", .line = 7},
    {.name = "spec.databases[1].aurora.nowhere.deeper", .line = 6},
    {.name = "spec.databases[1].dynamodb", .line = 8},
    {.name = "spec.databases[7].dynamodb", .line = 5},
    {.name = "spec.empty", .line = 10},
    {.name = "spec.text", .line = 11},
    {.name = "spec.missing", .line = 4},
    {.name = "missing", .line = 2},
    {.name = "missing[0].more", .line = 2},
    {.name = "second", .doc = 1, .line = 14},
};

static void knows_lines(void **state)
{
    const struct lines *row = *state;
    AUTO_YAML struct yaml_docs docs = {0};

    assert_no_err(yaml_parse(str_of(lined), "t", NULL, &docs));
    assert_number(docs.count, 2);
    assert_number(yaml_line_at(docs.items[row->doc], row->name), row->line);
}

static void knows_no_line_of_strangers(void **state)
{
    AUTO_YAML struct yaml_docs docs = {0};
    AUTO_JSON struct json *stranger = json_new_null();

    (void)state;
    assert_no_err(yaml_parse(str_of(lined), "t", NULL, &docs));
    assert_number(yaml_line(docs.items[0], stranger), 0);
    assert_number(yaml_line(docs.items[0], NULL), 0);
    assert_number(yaml_line(docs.items[0], yaml_root(docs.items[1])), 0);
    assert_number(yaml_line(docs.items[1], yaml_root(docs.items[1])), 14);
}

/* --- files --- */

static void reads_file(void **state)
{
    AUTO_YAML struct yaml_docs docs = {0};
    char path[] = "/tmp/yaml-test-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_no_err(file_replace(path, STR("a: 1\n"), 0600));
    assert_no_err(yaml_read_file(path, NULL, &docs));
    assert_json_equal(yaml_root(docs.items[0]), "{\"a\":1}");
    assert_text_equal(yaml_name(docs.items[0]), path);
    yaml_docs_done(&docs);
    assert_fails(yaml_read_file(path, &(struct yaml_limits){.max_bytes = 3}, &docs), ERR_INVALID,
                 "larger than 3 bytes");
    unlink(path);
    assert_fails(yaml_read_file(path, NULL, &docs), ERR_NOT_FOUND, path);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, reads, good_rows);
    TEST_ROWS(&tests, reads_plain, plain_rows);
    TEST_ROWS(&tests, refuses, bad_rows);
    TEST(&tests, caps_are_inclusive);
    TEST(&tests, refuses_bomb);
    TEST(&tests, refuses_text_bomb);
    TEST(&tests, refuses_depth_bomb);
    TEST(&tests, refuses_too_many_anchors);
    TEST(&tests, reads_ten_megabytes);
    TEST_ROWS(&tests, reads_documents, multi_rows);
    TEST(&tests, one_bad_document_spoils_all);
    TEST_ROWS(&tests, knows_lines, line_rows);
    TEST(&tests, knows_no_line_of_strangers);
    TEST(&tests, reads_file);
    return tests_run(&tests, "yaml");
}
