#include "pkg/aws/ini.h"

#include "pkg/base/buf.h"
#include "tests/testing/assertions.h"

struct row {
    const char *name, *in, *section, *key, *want;
};

static const struct row good[] = {
    {"plain", "[default]\nregion = r\n", "default", "region", "r"},
    {"no end of line", "[default]\nregion=r", "default", "region", "r"},
    {"CRLF", "[default]\r\nregion = r\r\n", "default", "region", "r"},
    {"keys in lower case", "[default]\nAWS_Access_Key_ID = A\n", "default", "aws_access_key_id", "A"},
    {"blanks in the name", "[ profile   shop ]\nregion=r\n", "profile shop", "region", "r"},
    {"a quoted name", "[profile \"shop\"]\nregion=r\n", "profile shop", "region", "r"},
    {"two words and two blanks", "[profile 'two  words']\nregion=r\n", "profile two  words", "region", "r"},
    {"half a quote", "[profile \"shop]\nregion=r\n", "profile \"shop", "region", "r"},
    {"an apostrophe", "[profile it's o'clock]\nregion=r\n", "profile it's o'clock", "region", "r"},
    {"colon", "[a]\nx: 1\n", "a", "x", "1"},
    {"colon before =", "[a]\nx:y=1\n", "a", "x", "y=1"},
    {"colon inside of a value", "[a]\nx = arn:aws:y\n", "a", "x", "arn:aws:y"},
    {"colon inside of a nested key", "[a]\ns3 =\n  x:y = 1\n", "a", "s3.x:y", "1"},
    {"comment lines", "# c\n[a]\n; d\nx = 1\n", "a", "x", "1"},
    {"comment behind a value", "[a]\nx = 1 # one\n", "a", "x", "1"},
    {"# inside of a value", "[a]\nx = a#b;c\n", "a", "x", "a#b;c"},
    {"= inside of a value", "[a]\nx = a=b\n", "a", "x", "a=b"},
    {"nested block", "[services l]\nrds =\n  endpoint_url = http://h\nother = 1\n", "services l",
     "rds.endpoint_url", "http://h"},
    {"after a nested block", "[a]\ns3 =\n  x = 1\ny = 2\n", "a", "y", "2"},
    {"sections of one name", "[a]\nx=1\n[b]\n[a]\ny=2\n", "a", "y", "2"},
    {"the later one counts", "[a]\nx=1\nx=2\n", "a", "x", "2"},
    {"not there", "[a]\nx=1\n", "b", "x", NULL},
};

static const struct row bad[] = {
    {.name = "section not closed", .in = "[a\n", .want = "f:1: a section"},
    {.name = "no =", .in = "[a]\nxyz\n", .want = "f:2: expected name = value"},
    {.name = "no name", .in = "[a]\n= s3cret\n", .want = "f:2: expected a name"},
    {.name = "before a section", .in = "\nx = 1\n", .want = "f:2: an entry before"},
};

static void reads(void **state)
{
    const struct row *row = *state;
    AUTO_INI struct ini ini = {0};

    assert_no_err(ini_parse(str_of(row->in), "f", &ini));
    assert_text_equal(ini_get(ini_section(&ini, row->section), row->key), row->want);
}

static void refuses(void **state)
{
    const struct row *row = *state;
    AUTO_INI struct ini ini = {0};
    struct err *err = ini_parse(str_of(row->in), "f", &ini);

    assert_err_kind(err, ERR_INVALID);
    assert_err_contains(err, row->want);
    assert_text_lacks(err_text(err), "s3cret");
    err_free(err);
}

static void keeps_its_caps(void **state)
{
    AUTO_INI struct ini ini = {0};
    AUTO_BUF struct buf text = BUF_MAX(2 * MIB);

    (void)state;
    buf_adds(&text, "[a]\n");
    for (int i = 0; i < 10001; i++)
        buf_adds(&text, "x=1\n");
    assert_fails(ini_parse(buf_str(&text), "f", &ini), ERR_INVALID, "too many");
    while (text.len <= 1 * MIB)
        buf_adds(&text, "# 345678901234567890\n");
    assert_fails(ini_parse(buf_str(&text), "f", &ini), ERR_INVALID, "1 MiB");
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, reads, good);
    TEST_ROWS(&tests, refuses, bad);
    TEST(&tests, keeps_its_caps);
    return tests_run(&tests, "ini");
}
