#include "controller/series_claims.h"

#include "tests/testing/assertions.h"

static void assert_held(struct series_claims *claims, const char *series, const char *want)
{
    AUTO_FREE char *holder = series_claims_holder(claims, series);

    assert_text_equal(holder, want);
}

static void assert_asked(struct series_claims *claims, const char *series, const char *want)
{
    AUTO_FREE char *asker = series_claims_asker(claims, series);

    assert_text_equal(asker, want);
}

static void one_at_a_time_has_a_series(void **state UNUSED)
{
    struct series_claims *claims = series_claims_new();

    assert_held(claims, "staging/shop", NULL);
    assert_true(series_claims_take(claims, "staging/shop", "staging/a"));
    assert_true(series_claims_take(claims, "staging/shop", "staging/a"));
    assert_false(series_claims_take(claims, "staging/shop", "staging/b"));
    assert_true(series_claims_take(claims, "qa/shop", "staging/b"));
    assert_held(claims, "staging/shop", "staging/a");
    series_claims_release(claims, "staging/a");
    assert_true(series_claims_take(claims, "staging/shop", "staging/b"));
    series_claims_free(claims);
}

static void a_release_gives_back_all_of_one(void **state UNUSED)
{
    struct series_claims *claims = series_claims_new();

    for (int i = 0; i < 100; i++) {
        AUTO_FREE char *series = xasprintf("staging/%d", i);

        assert_true(series_claims_take(claims, series, i % 2 ? "staging/odd" : "staging/even"));
    }
    series_claims_release(claims, "staging/odd");
    series_claims_release(claims, "staging/nobody");
    for (int i = 0; i < 100; i++) {
        AUTO_FREE char *series = xasprintf("staging/%d", i);

        assert_held(claims, series, i % 2 ? NULL : "staging/even");
    }
    series_claims_free(claims);
}

static void the_last_asker_counts_until_the_release(void **state UNUSED)
{
    struct series_claims *claims = series_claims_new();

    series_claims_ask(claims, "staging/shop", "staging/early");
    assert_asked(claims, "staging/shop", NULL);
    assert_true(series_claims_take(claims, "staging/shop", "staging/a"));
    series_claims_ask(claims, "staging/shop", "staging/b");
    series_claims_ask(claims, "staging/shop", "staging/c");
    assert_asked(claims, "staging/shop", "staging/c");
    series_claims_release(claims, "staging/a");
    assert_true(series_claims_take(claims, "staging/shop", "staging/c"));
    assert_asked(claims, "staging/shop", NULL);
    series_claims_free(claims);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, one_at_a_time_has_a_series);
    TEST(&tests, a_release_gives_back_all_of_one);
    TEST(&tests, the_last_asker_counts_until_the_release);
    return tests_run(&tests, "series_claims");
}
