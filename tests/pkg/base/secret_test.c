#include "pkg/base/secret.h"

#include "tests/testing/assertions.h"

static void reveals_a_copy(void **state)
{
    char text[] = "s3cret";
    AUTO_SECRET struct secret *secret = secret_new(str_of(text)), *copy = NULL;

    (void)state;
    text[0] = 'X';
    assert_str_equal(secret_reveal(secret), "s3cret");
    assert_text_equal(secret_reveal(secret).ptr, "s3cret");
    copy = secret_copy(secret);
    secret_free(TAKE(secret));
    assert_str_equal(secret_reveal(copy), "s3cret");
    assert_null(secret_copy(NULL));
}

static void holds_any_bytes(void **state)
{
    AUTO_SECRET struct secret *secret = secret_new((struct str){"a\0b", 3}),
                              *empty = secret_new((struct str){0});

    (void)state;
    assert_number((int64_t)secret_reveal(secret).len, 3);
    assert_memory_equal(secret_reveal(secret).ptr, "a\0b", 4);
    assert_str_equal(secret_reveal(empty), "");
}

static void compares(void **state)
{
    AUTO_SECRET struct secret *a = secret_new(STR("a")), *also_a = secret_new(STR("a")),
                              *b = secret_new(STR("b")), *ab = secret_new(STR("ab"));

    (void)state;
    assert_true(secret_equal(a, also_a));
    assert_false(secret_equal(a, b));
    assert_false(secret_equal(a, ab));
    assert_false(secret_equal(a, NULL));
    assert_true(secret_equal(NULL, NULL));
}

static void frees_nothing(void **state)
{
    (void)state;
    secret_free(NULL);
    wipe_free(NULL);
    wipe_free(xstrdup("gone"));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, reveals_a_copy);
    TEST(&tests, holds_any_bytes);
    TEST(&tests, compares);
    TEST(&tests, frees_nothing);
    return tests_run(&tests, "secret");
}
