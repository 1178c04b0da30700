#include "pkg/base/str.h"

#include "tests/testing/assertions.h"

static const struct int_row {
    const char *name;
    bool ok;
    int64_t want;
} int_rows[] = {
    {.name = "0", .ok = true, .want = 0},
    {.name = "-0", .ok = true, .want = 0},
    {.name = "+7", .ok = true, .want = 7},
    {.name = "007", .ok = true, .want = 7},
    {.name = "9223372036854775807", .ok = true, .want = INT64_MAX},
    {.name = "-9223372036854775808", .ok = true, .want = INT64_MIN},
    {.name = "9223372036854775808"},
    {.name = "-9223372036854775809"},
    {.name = "99999999999999999999999"},
    {.name = ""},
    {.name = "-"},
    {.name = "+"},
    {.name = " 1"},
    {.name = "1 "},
    {.name = "1.0"},
    {.name = "0x1"},
    {.name = "--1"},
};

static void reads_int(void **state)
{
    const struct int_row *row = *state;
    int64_t got = 42;

    assert_int_equal(str_to_int(str_of(row->name), &got), row->ok);
    assert_number(got, row->ok ? row->want : 42);
}

static const struct pattern {
    const char *name, *pattern, *text;
    bool want;
} patterns[] = {
    {.name = "equal", .pattern = "abc", .text = "abc", .want = true},
    {.name = "shorter text", .pattern = "abc", .text = "ab"},
    {.name = "longer text", .pattern = "abc", .text = "abcd"},
    {.name = "both empty", .pattern = "", .text = "", .want = true},
    {.name = "empty pattern", .pattern = "", .text = "a"},
    {.name = "star takes nothing", .pattern = "*", .text = "", .want = true},
    {.name = "star takes all", .pattern = "*", .text = "a/b/c", .want = true},
    {.name = "star takes slashes", .pattern = "/shop/*", .text = "/shop/stg/db", .want = true},
    {.name = "star in the middle", .pattern = "a*c", .text = "abbbc", .want = true},
    {.name = "star must end right", .pattern = "a*c", .text = "abcb"},
    {.name = "star steps back", .pattern = "*ab", .text = "aab", .want = true},
    {.name = "two stars", .pattern = "*b*d", .text = "abcbcd", .want = true},
    {.name = "stars in a row", .pattern = "a**b", .text = "ab", .want = true},
    {.name = "case counts", .pattern = "A*", .text = "abc"},
    {.name = "question mark is itself", .pattern = "a?", .text = "ab"},
    {.name = "prefix is not enough", .pattern = "shop-stg-*", .text = "shop-stg"},
    {.name = "many stars, no match",
     .pattern = "*a*a*a*a*a*b",
     .text = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
};

static void matches(void **state)
{
    const struct pattern *row = *state;

    assert_int_equal(text_matches(row->pattern, row->text), row->want);
}

static const struct distance {
    const char *name, *a, *b;
    size_t want;
} distances[] = {
    {.name = "equal", .a = "trigger", .b = "trigger", .want = 0},
    {.name = "one letter more", .a = "trigger", .b = "triggers", .want = 1},
    {.name = "one letter other", .a = "trigger", .b = "triggar", .want = 1},
    {.name = "two swapped", .a = "ab", .b = "ba", .want = 2},
    {.name = "against nothing", .a = "", .b = "abc", .want = 3},
    {.name = "known pair", .a = "kitten", .b = "sitting", .want = 3},
    {.name = "too long",
     .a = "0123456789012345678901234567890123456789012345678901234567890123x",
     .b = "a",
     .want = SIZE_MAX},
};

static void measures_distance(void **state)
{
    const struct distance *row = *state;

    assert_number((int64_t)text_distance(row->a, row->b), (int64_t)row->want);
    assert_number((int64_t)text_distance(row->b, row->a), (int64_t)row->want);
}

static void cuts(void **state)
{
    struct str rest = STR("a,,b"), piece;

    (void)state;
    assert_true(str_cut(&rest, ',', &piece));
    assert_str_equal(piece, "a");
    assert_true(str_cut(&rest, ',', &piece));
    assert_str_equal(piece, "");
    assert_true(str_cut(&rest, ',', &piece));
    assert_str_equal(piece, "b");
    assert_false(str_cut(&rest, ',', &piece));
}

static void cuts_after_last_separator(void **state)
{
    struct str rest = STR("a,"), piece;

    (void)state;
    assert_true(str_cut(&rest, ',', &piece));
    assert_true(str_cut(&rest, ',', &piece));
    assert_str_equal(piece, "");
    assert_false(str_cut(&rest, ',', &piece));
}

static void cuts_empty_text_once(void **state)
{
    struct str rest = str_of(""), piece;

    (void)state;
    assert_true(str_cut(&rest, ',', &piece));
    assert_str_equal(piece, "");
    assert_false(str_cut(&rest, ',', &piece));
}

static void compares(void **state)
{
    (void)state;
    assert_true(str_equal(STR("a"), STR("a")));
    assert_false(str_equal(STR("a"), STR("ab")));
    assert_true(str_equal_nocase(STR("Content-Type"), STR("content-type")));
    assert_false(str_equal_nocase(STR("a"), STR("b")));
    assert_true(str_starts(STR("abc"), "ab"));
    assert_false(str_starts(STR("a"), "ab"));
    assert_true(str_ends(STR("abc"), "bc"));
    assert_false(str_ends(STR("c"), "bc"));
    assert_true(str_contains(STR("abc"), "b"));
    assert_false(str_contains(STR("abc"), "d"));
    assert_true(str_contains_nocase(STR("aBc"), "bC"));
    assert_false(str_contains_nocase(STR("aBc"), "bd"));
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_true(text_is_empty(NULL));
    assert_true(text_is_empty(""));
    assert_false(text_is_empty(" "));
}

/* A view of nothing is a text like any other. */
static void takes_views_of_nothing(void **state)
{
    struct str none = {0};
    AUTO_FREE char *copy = str_dup(none);

    (void)state;
    assert_text_equal(copy, "");
    assert_true(str_equal(none, STR("")));
    assert_true(str_equal_nocase(none, STR("")));
    assert_true(str_is(none, ""));
    assert_true(str_is(none, NULL));
    assert_true(str_starts(none, ""));
    assert_true(str_ends(none, ""));
    assert_false(str_starts(none, "a"));
    assert_false(str_contains(none, "a"));
    assert_true(str_contains_nocase(none, ""));
    assert_number((int64_t)str_from(none, 3).len, 0);
    assert_number((int64_t)str_trim(none).len, 0);
}

static void trims(void **state)
{
    (void)state;
    assert_str_equal(str_trim(STR(" \t a b \r\n")), "a b");
    assert_str_equal(str_trim(STR(" \n ")), "");
}

static void gives_tails(void **state)
{
    (void)state;
    assert_str_equal(str_from(STR("abc"), 1), "bc");
    assert_str_equal(str_from(STR("abc"), 3), "");
    assert_str_equal(str_from(STR("abc"), 99), "");
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, reads_int, int_rows);
    TEST_ROWS(&tests, matches, patterns);
    TEST_ROWS(&tests, measures_distance, distances);
    TEST(&tests, cuts);
    TEST(&tests, cuts_after_last_separator);
    TEST(&tests, cuts_empty_text_once);
    TEST(&tests, compares);
    TEST(&tests, takes_views_of_nothing);
    TEST(&tests, trims);
    TEST(&tests, gives_tails);
    return tests_run(&tests, "str");
}
