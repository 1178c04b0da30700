#include "pkg/aws/xml.h"

#include "pkg/base/buf.h"
#include "tests/testing/assertions.h"

struct row {
    const char *name, *in;
    const char *path, *want; /* of an element's text */
    const char *fails;       /* part of the error */
};

static const struct row good[] = {
    {.name = "text", .in = "<a>b</a>", .path = "", .want = "b"},
    {.name = "a path", .in = "<a><b><c>1</c></b></a>", .path = "b.c", .want = "1"},
    {.name = "the first of several", .in = "<a><b>1</b><b>2</b></a>", .path = "b", .want = "1"},
    {.name = "the five entities",
     .in = "<a><b>&lt;&gt;&amp;&quot;&apos;</b></a>",
     .path = "b",
     .want = "<>&\"'"},
    {.name = "character numbers",
     .in = "<a><b>&#65;&#x42;&#xe9;&#x1F600;</b></a>",
     .path = "b",
     .want = "AB\xC3\xA9\xF0\x9F\x98\x80"},
    {.name = "CDATA", .in = "<a><b>x<![CDATA[<&]]>]]y</b></a>", .path = "b", .want = "x<&]]y"},
    {.name = "comment and instruction",
     .in = "<?xml version=\"1.0\"?><!-- <x> --><a><?pi?><b>1<!-- - -->2</b></a>",
     .path = "b",
     .want = "12"},
    {.name = "attributes and namespaces",
     .in = "<n:a xmlns:n='u' x=\"&gt;>\" ><n:b q = '/'>1</n:b ></n:a>",
     .path = "b",
     .want = "1"},
    {.name = "an empty element", .in = "<a><b/><c x='1'/></a>", .path = "c", .want = ""},
    {.name = "blanks inside stay", .in = "<a><b> x </b></a>\n", .path = "b", .want = " x "},
    {.name = "byte order mark", .in = "\xEF\xBB\xBF<a><b>1</b></a>", .path = "b", .want = "1"},
    {.name = "nothing there", .in = "<a><b>1</b></a>", .path = "b.c", .want = NULL},
};

static const struct row bad[] = {
    {.name = "nothing", .in = "", .fails = "ends too early"},
    {.name = "no element", .in = " \n", .fails = "ends too early"},
    {.name = "not closed", .in = "<a><b></b>", .fails = "ends too early"},
    {.name = "crossed", .in = "<a><b></a></b>", .fails = "the end of another element at byte"},
    {.name = "two roots", .in = "<a/><b/>", .fails = "second root"},
    {.name = "text before", .in = "x<a/>", .fails = "outside of the root"},
    {.name = "text behind", .in = "<a/>x", .fails = "outside of the root"},
    {.name = "CDATA outside", .in = "<![CDATA[x]]><a/>", .fails = "outside of the root"},
    {.name = "document type", .in = "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", .fails = "document type"},
    {.name = "unknown entity", .in = "<a>&nbsp;</a>", .fails = "unknown entity"},
    {.name = "unfinished entity", .in = "<a>&lt</a>", .fails = "entity"},
    {.name = "entity at the end", .in = "<a>&", .fails = "entity"},
    {.name = "NUL by number", .in = "<a>&#0;</a>", .fails = "character number"},
    {.name = "surrogate by number", .in = "<a>&#xD800;</a>", .fails = "character number"},
    {.name = "number beyond Unicode", .in = "<a>&#x110000;</a>", .fails = "character number"},
    {.name = "control character", .in = "<a>\x01</a>", .fails = "does not allow"},
    {.name = "overlong UTF-8", .in = "<a>\xC0\xAF</a>", .fails = "does not allow"},
    {.name = "cut UTF-8", .in = "<a>\xE2\x82</a>", .fails = "does not allow"},
    {.name = "attribute without a value", .in = "<a b></a>", .fails = "expected ="},
    {.name = "attribute without quotes", .in = "<a b=c></a>", .fails = "quoted"},
    {.name = "unfinished attribute", .in = "<a b='c></a>", .fails = "unfinished attribute"},
    {.name = "unfinished comment", .in = "<a><!-- </a>", .fails = "unfinished comment"},
    {.name = "a slash alone", .in = "<a / b='1'></a>", .fails = "expected >"},
    {.name = "a prefix alone", .in = "<:/>", .fails = "expected a name"},
    {.name = "a prefix without a name", .in = "<a:></a:>", .fails = "expected a name"},
    {.name = "no name", .in = "<></>", .fails = "expected a name"},
};

static void reads(void **state)
{
    const struct row *row = *state;
    AUTO_XML struct xml *root = NULL;

    assert_no_err(xml_parse(str_of(row->in), NULL, &root));
    assert_text_equal(*row->path ? xml_get_text(root, row->path, NULL) : xml_text(root), row->want);
}

static void refuses(void **state)
{
    const struct row *row = *state;
    struct xml *root = NULL;

    assert_fails(xml_parse(str_of(row->in), NULL, &root), ERR_INVALID, row->fails);
    assert_null(root);
}

static void keeps_its_caps(void **state)
{
    const struct xml_limits limits = {.max_bytes = 30, .max_nodes = 3, .max_depth = 2};
    struct xml *root = NULL;

    (void)state;
    assert_no_err(xml_parse(STR("<a><b/><c/></a>"), &limits, &root));
    xml_free(root);
    assert_fails(xml_parse(STR("<a><b/><c/><d/></a>"), &limits, &root), ERR_INVALID, "too many");
    assert_fails(xml_parse(STR("<a><b><c/></b></a>"), &limits, &root), ERR_INVALID, "too deeply");
    assert_fails(xml_parse(STR("<a>123456789012345678901234567890</a>"), &limits, &root), ERR_INVALID,
                 "longer");
}

static void goes_through_lists(void **state)
{
    AUTO_XML struct xml *root = NULL;
    AUTO_BUF struct buf seen = BUF_MAX(100);

    (void)state;
    assert_no_err(
        xml_parse(STR("<a><l><m><i>1</i></m><m><i>x</i></m><m/></l><t> true </t></a>"), NULL, &root));
    xml_each(item, xml_at(root, "l"))
        buf_addf(&seen, "%s=%lld ", xml_name(item), (long long)xml_get_int(item, "i", -1));
    assert_text_equal(buf_text(&seen), "m=1 m=-1 m=-1 ");
    assert_number((int64_t)xml_count(xml_at(root, "l")), 3);
    assert_true(xml_get_bool(root, "t"));
    assert_false(xml_get_bool(root, "l"));
    assert_text_equal(xml_get_text(NULL, "x", "none"), "none");
}

static void frees_deep_trees_without_recursion(void **state)
{
    const struct xml_limits limits = {.max_depth = 200000};
    AUTO_BUF struct buf text = BUF_MAX(4 * MIB);
    struct xml *root = NULL;

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_adds(&text, "<a>");
    for (int i = 0; i < 100000; i++)
        buf_adds(&text, "</a>");
    assert_no_err(xml_parse(buf_str(&text), &limits, &root));
    xml_free(root);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, reads, good);
    TEST_ROWS(&tests, refuses, bad);
    TEST(&tests, keeps_its_caps);
    TEST(&tests, goes_through_lists);
    TEST(&tests, frees_deep_trees_without_recursion);
    return tests_run(&tests, "xml");
}
