#include "pkg/base/alloc.h"

#include "tests/testing/assertions.h"

static void grows_at_powers_of_two(void **state)
{
    int *items = NULL;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        items = xgrow(items, (size_t)i, sizeof(*items));
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_number(items[i], i);
    xfree(items);
}

static void wiped_blocks_keep_content_while_they_grow(void **state)
{
    char *block = xrealloc_wiped(NULL, 4);

    (void)state;
    memcpy(block, "abc", 4);
    block = xrealloc_wiped(block, 4096);
    assert_text_equal(block, "abc");
    block = xrealloc_wiped(block, 2);
    assert_memory_equal(block, "ab", 2);
    xfree_wiped(block);
    xfree_wiped(NULL);
}

static void copies(void **state)
{
    AUTO_FREE char *copy = xstrdup("abc"), *part = xstrndup("abc", 2), *made = xasprintf("%d%s", 1, "a");

    (void)state;
    assert_text_equal(copy, "abc");
    assert_text_equal(part, "ab");
    assert_text_equal(made, "1a");
    assert_null(xstrdup_or_null(NULL));
}

static void nothing_is_something(void **state)
{
    AUTO_FREE char *a = xmalloc(0), *b = xcalloc(0, 0), *c = xstrndup(NULL, 0);

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_text_equal(c, "");
}

static void take_leaves_null(void **state)
{
    char *text = xstrdup("x"), *taken = TAKE(text);

    (void)state;
    assert_null(text);
    assert_text_equal(taken, "x");
    xfree(taken);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, grows_at_powers_of_two);
    TEST(&tests, wiped_blocks_keep_content_while_they_grow);
    TEST(&tests, copies);
    TEST(&tests, nothing_is_something);
    TEST(&tests, take_leaves_null);
    return tests_run(&tests, "alloc");
}
