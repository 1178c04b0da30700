#include "controller/preflight_memo.h"

#include "pkg/base/times.h"
#include "tests/testing/assertions.h"

static void remembers_for_five_minutes(void **state UNUSED)
{
    struct preflight_memo *memo = preflight_memo_new();

    assert_false(preflight_memo_has(memo, "vault", 0));
    preflight_memo_add(memo, "vault", 0);
    preflight_memo_add(memo, "key", MINUTES(1));
    preflight_memo_add(memo, "vault", MINUTES(2)); /* another run asked, too: no longer for that */
    assert_true(preflight_memo_has(memo, "vault", MINUTES(5) - 1));
    assert_false(preflight_memo_has(memo, "vault", MINUTES(5)));
    assert_true(preflight_memo_has(memo, "key", MINUTES(5)));
    preflight_memo_add(memo, "vault", MINUTES(5));
    assert_true(preflight_memo_has(memo, "vault", MINUTES(6)));
    assert_false(preflight_memo_has(memo, "key", MINUTES(6)));
    preflight_memo_free(memo);
}

/* Thousands of objects with tables of their own. */
static void what_is_new_finds_room(void **state UNUSED)
{
    struct preflight_memo *memo = preflight_memo_new();

    for (int i = 0; i < 40000; i++) {
        AUTO_FREE char *key = xasprintf("111111111111/production/1 222222222222/staging/1 Table %d", i);

        preflight_memo_add(memo, key, i / 1000);
        assert_true(preflight_memo_has(memo, key, i / 1000));
    }
    assert_false(preflight_memo_has(memo, "111111111111/production/1 222222222222/staging/1 Table 0", 100));
    assert_true(
        preflight_memo_has(memo, "111111111111/production/1 222222222222/staging/1 Table 20000", 100));
    preflight_memo_free(memo);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, remembers_for_five_minutes);
    TEST(&tests, what_is_new_finds_room);
    return tests_run(&tests, "preflight_memo");
}
