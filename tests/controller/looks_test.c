#include "controller/looks.h"

#include "pkg/base/times.h"
#include "tests/testing/assertions.h"

static void a_row_that_nobody_has_looked_at_is_due(void **state)
{
    struct looks *looks = looks_new();

    (void)state;
    assert_int_equal(looks_due_ms(looks, "uid-1", "main/Copy"), 0);
    looks_free(looks);
}

static void the_latest_word_counts(void **state)
{
    struct looks *looks = looks_new();

    (void)state;
    looks_set(looks, "uid-1", "main/Copy", 100);
    looks_set(looks, "uid-1", "main/Copy", 50);
    looks_set(looks, "uid-1", "main/Restore", 70);
    assert_int_equal(looks_due_ms(looks, "uid-1", "main/Copy"), 50);
    assert_int_equal(looks_due_ms(looks, "uid-1", "main/Restore"), 70);
    looks_free(looks);
}

static void forgetting_one_object_leaves_the_others(void **state)
{
    struct looks *looks = looks_new();

    (void)state;
    for (int i = 0; i < 3000; i++) {
        AUTO_FREE char *uid = xasprintf("uid-%d", i);

        looks_set(looks, uid, "main/Copy", 1000 + i);
        looks_set(looks, uid, "/Proxies/shop", 2000 + i);
    }
    looks_forget(looks, "uid-7");
    assert_int_equal(looks_due_ms(looks, "uid-7", "main/Copy"), 0);
    assert_int_equal(looks_due_ms(looks, "uid-7", "/Proxies/shop"), 0);
    for (int i = 0; i < 3000; i += 499) {
        AUTO_FREE char *uid = xasprintf("uid-%d", i);

        assert_int_equal(looks_due_ms(looks, uid, "main/Copy"), i == 7 ? 0 : 1000 + i);
    }
    looks_free(looks);
}

/* Time-outs count only time in which somebody looked. */
static void a_gap_begins_the_watch_anew(void **state)
{
    struct looks *looks = looks_new();

    (void)state;
    assert_number(looks_watched_ms(looks, "uid-1", "main/Copy", SECONDS(100)), 0);
    looks_set(looks, "uid-1", "main/Copy", SECONDS(115));
    assert_number(looks_watched_ms(looks, "uid-1", "main/Copy", SECONDS(116)), SECONDS(16));
    looks_set(looks, "uid-1", "main/Copy", SECONDS(716)); /* a long wait that was meant is no gap */
    assert_number(looks_watched_ms(looks, "uid-1", "main/Copy", SECONDS(716)), SECONDS(616));
    looks_set(looks, "uid-1", "main/Copy", SECONDS(731));
    assert_number(looks_watched_ms(looks, "uid-1", "main/Copy", SECONDS(731) + MINUTES(3)), 0);
    assert_number(looks_watched_ms(looks, "uid-1", "main/Restore", SECONDS(800)), 0);
    looks_free(looks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_nobody_has_looked_at_is_due),
        cmocka_unit_test(the_latest_word_counts),
        cmocka_unit_test(forgetting_one_object_leaves_the_others),
        cmocka_unit_test(a_gap_begins_the_watch_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
