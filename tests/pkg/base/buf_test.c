#include "pkg/base/buf.h"

#include "tests/testing/assertions.h"

static void begins_empty(void **state)
{
    struct buf buf = BUF_MAX(10);

    (void)state;
    assert_text_equal(buf_text(&buf), "");
    assert_number((int64_t)buf_str(&buf).len, 0);
    buf_done(&buf);
}

static void appends(void **state)
{
    AUTO_BUF struct buf buf = BUF_MAX(100);

    (void)state;
    buf_adds(&buf, "a");
    buf_addc(&buf, 'b');
    buf_add_str(&buf, STR("cd"));
    buf_addf(&buf, "%d-%s", 7, "x");
    buf_add(&buf, NULL, 0);
    assert_text_equal(buf_text(&buf), "abcd7-x");
    assert_false(buf.overflow);
}

static void grows(void **state)
{
    AUTO_BUF struct buf buf = BUF_SECRET(MIB);

    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_addf(&buf, "%03d", i);
    assert_number((int64_t)buf.len, 3000);
    assert_memory_equal(buf_text(&buf), "000001002", 9);
    assert_text_equal(buf_text(&buf) + 2994, "998999");
}

static void takes_up_to_maximum(void **state)
{
    AUTO_BUF struct buf buf = BUF_MAX(3);

    (void)state;
    buf_adds(&buf, "abc");
    assert_false(buf.overflow);
    buf_adds(&buf, "");
    assert_false(buf.overflow);
    buf_addc(&buf, 'd');
    assert_true(buf.overflow);
    assert_text_equal(buf_text(&buf), "abc");
}

/* What comes after the overflow must not be taken for a continuation. */
static void overflow_sticks(void **state)
{
    AUTO_BUF struct buf buf = BUF_MAX(3);

    (void)state;
    buf_adds(&buf, "ab");
    buf_adds(&buf, "cd");
    buf_adds(&buf, "e");
    buf_addf(&buf, "%s", "f");
    assert_text_equal(buf_text(&buf), "ab");
    buf_drop(&buf, 1);
    buf_drop(&buf, 1);
    assert_true(buf.overflow);
    buf_adds(&buf, "g");
    assert_text_equal(buf_text(&buf), "");
    buf_reset(&buf);
    assert_false(buf.overflow);
    buf_adds(&buf, "h");
    assert_text_equal(buf_text(&buf), "h");
}

static void drops_from_the_front(void **state)
{
    AUTO_BUF struct buf buf = BUF_MAX(10);

    (void)state;
    buf_drop(&buf, 0);
    buf_drop(&buf, 5);
    buf_adds(&buf, "abcd");
    buf_drop(&buf, 0);
    assert_text_equal(buf_text(&buf), "abcd");
    buf_drop(&buf, 3);
    assert_text_equal(buf_text(&buf), "d");
    buf_drop(&buf, 99);
    assert_text_equal(buf_text(&buf), "");
}

static void gives_its_text_away(void **state)
{
    AUTO_BUF struct buf buf = BUF_MAX(10);
    AUTO_FREE char *text = NULL, *nothing = NULL;

    (void)state;
    buf_adds(&buf, "abc");
    text = buf_take(&buf);
    assert_text_equal(text, "abc");
    nothing = buf_take(&buf);
    assert_text_equal(nothing, "");
    buf_adds(&buf, "next");
    assert_text_equal(buf_text(&buf), "next");
}

static void wipes(void **state)
{
    AUTO_BUF struct buf buf = BUF_SECRET(100);

    (void)state;
    buf_adds(&buf, "secret");
    buf_reset(&buf);
    for (size_t i = 0; i < buf.cap; i++)
        assert_number(buf.data[i], 0);
}

static const struct code_row {
    const char *name, *uri, *hex, *base64;
} code_rows[] = {
    {.name = "", .uri = "", .hex = "", .base64 = ""},
    {.name = "f", .uri = "f", .hex = "66", .base64 = "Zg=="},
    {.name = "fo", .uri = "fo", .hex = "666f", .base64 = "Zm8="},
    {.name = "foo", .uri = "foo", .hex = "666f6f", .base64 = "Zm9v"},
    {.name = "foob", .uri = "foob", .hex = "666f6f62", .base64 = "Zm9vYg=="},
    {.name = "a b/c~_-.", .uri = "a%20b%2Fc~_-.", .hex = "6120622f637e5f2d2e", .base64 = "YSBiL2N+Xy0u"},
    {.name = "\xff\xfe\x00", .uri = "%FF%FE", .hex = "fffe", .base64 = "//4="},
    {.name = "\xc3\xa9=&+", .uri = "%C3%A9%3D%26%2B", .hex = "c3a93d262b", .base64 = "w6k9Jis="},
};

static void encodes(void **state)
{
    const struct code_row *row = *state;
    AUTO_BUF struct buf uri = BUF_MAX(100), hex = BUF_MAX(100), base64 = BUF_MAX(100);

    buf_add_uri(&uri, str_of(row->name));
    buf_add_hex(&hex, row->name, strlen(row->name));
    buf_add_base64(&base64, row->name, strlen(row->name));
    assert_text_equal(buf_text(&uri), row->uri);
    assert_text_equal(buf_text(&hex), row->hex);
    assert_text_equal(buf_text(&base64), row->base64);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, begins_empty);
    TEST(&tests, appends);
    TEST(&tests, grows);
    TEST(&tests, takes_up_to_maximum);
    TEST(&tests, overflow_sticks);
    TEST(&tests, drops_from_the_front);
    TEST(&tests, gives_its_text_away);
    TEST(&tests, wipes);
    TEST_ROWS(&tests, encodes, code_rows);
    return tests_run(&tests, "buf");
}
