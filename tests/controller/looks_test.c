#include "controller/looks.h"

#include "pkg/base/buf.h"
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

/* A process lives for months. */
static void one_object_does_not_grow_for_ever(void **state)
{
    struct looks *looks = looks_new();

    (void)state;
    looks_set(looks, "uid-2", "main/Copy", 7);
    for (int i = 0; i < 5000; i++) {
        AUTO_FREE char *row = xasprintf("said/request %d", i);

        looks_set(looks, "uid-1", row, 1);
    }
    assert_number(looks_due_ms(looks, "uid-1", "said/request 2999"), 0);
    assert_number(looks_due_ms(looks, "uid-1", "said/request 3000"), 1);
    assert_number(looks_due_ms(looks, "uid-1", "said/request 4999"), 1);
    assert_number(looks_due_ms(looks, "uid-2", "main/Copy"), 7);
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

/* --- news --- */

static void expect(struct looks *looks, const char *uid, const char *row, const char *job)
{
    looks_expect(looks, uid, row,
                 &(struct look_interest){.namespace = "staging",
                                         .name = uid,
                                         .accounts = {"111111111111", "222222222222"},
                                         .subjects = {job, "shop-stg-1"},
                                         .cluster = "shop-stg-1"});
}

/* "uid-1:0 uid-2:10000": who comes, and when. */
static char *hear(struct looks *looks, struct look_news news, int64_t now_ms)
{
    AUTO_LOOKS_HEARD struct looks_heard heard = {0};
    AUTO_BUF struct buf text = BUF_MAX(1024);

    looks_hear(looks, &news, now_ms, &heard);
    for (size_t i = 0; i < heard.count; i++)
        buf_addf(&text, "%s%s:%lld", i ? " " : "", heard.items[i].name, (long long)heard.items[i].after_ms);
    return buf_take(&text);
}

static void news_makes_the_rows_due_that_wait_for_it(void **state UNUSED)
{
    static const struct {
        const char *name;
        struct look_news news;
        const char *want;
        int64_t due_ms;
    } rows[] = {
        {"its job", {.account = "111111111111", .subject = "J1"}, "uid-1:0", 1000},
        {"its cluster", {.account = "222222222222", .subject = "shop-stg-1"}, "uid-1:0", 1000},
        {"an instance",
         {.account = "222222222222", .subject = "shop-stg-1-a", .is_instance = true},
         "uid-1:0",
         1000},
        {"the cluster's name for an instance",
         {.account = "222222222222", .subject = "shop-stg-1", .is_instance = true},
         "",
         60000},
        {"a longer name",
         {.account = "222222222222", .subject = "shop-stg-10", .is_instance = true},
         "",
         60000},
        {"an instance whose name has more parts",
         {.account = "222222222222", .subject = "shop-stg-1-a-b", .is_instance = true},
         "uid-1:0",
         1000},
        {"another account", {.account = "333333333333", .subject = "J1"}, "", 60000},
        {"another job", {.account = "111111111111", .subject = "J2"}, "", 60000},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct looks *looks = looks_new();
        AUTO_FREE char *got = NULL;

        looks_set(looks, "uid-1", "main/Copy", 60000);
        looks_set(looks, "uid-1", "drift", 60000); /* waits for no news */
        expect(looks, "uid-1", "main/Copy", "J1");
        got = hear(looks, rows[i].news, 1000);
        assert_text_equal(got, rows[i].want);
        assert_number(looks_due_ms(looks, "uid-1", "main/Copy"), rows[i].due_ms);
        looks_free(looks);
    }
}

/* What a row waits for changes with its run, and many wait for the same. */
static void only_the_last_word_of_a_row_counts(void **state UNUSED)
{
    struct looks *looks = looks_new();
    AUTO_FREE char *both = NULL, *before = NULL, *after = NULL, *gone = NULL;

    expect(looks, "uid-1", "main/Copy", "J1");
    expect(looks, "uid-1", "main/Copy", "J1");
    expect(looks, "uid-2", "main/Copy", "shop-stg-1"); /* as its cluster: told once */
    both = hear(looks, (struct look_news){.account = "111111111111", .subject = "shop-stg-1"}, 1000);
    assert_text_equal(both, "uid-2:0 uid-1:0");
    expect(looks, "uid-1", "main/Copy", "J2");
    before = hear(looks, (struct look_news){.account = "111111111111", .subject = "J1"}, 20000);
    assert_text_equal(before, "");
    after = hear(looks, (struct look_news){.account = "111111111111", .subject = "J2"}, 20000);
    assert_text_equal(after, "uid-1:0");
    looks_forget(looks, "uid-1");
    gone = hear(looks, (struct look_news){.account = "111111111111", .subject = "J2"}, 40000);
    assert_text_equal(gone, "");
    looks_free(looks);
}

static void a_flood_of_news_is_no_flood_of_looks(void **state UNUSED)
{
    static const struct look_news news = {.account = "111111111111", .subject = "J1"};
    static const struct look_news other = {.account = "222222222222", .subject = "shop-stg-1"};
    static const struct {
        int64_t at_ms;
        const char *want;
    } rows[] = {
        {1000, "uid-1:0"},    {1000, "uid-1:0"},    {2000, "uid-1:0"}, /* each found nothing */
        {3000, "uid-1:8000"}, {4000, "uid-1:7000"}, {11000, "uid-1:0"}, {11500, "uid-1:9500"},
        {90000, "uid-1:0"},   {90100, "uid-1:0"},   {90200, "uid-1:0"}, {90300, "uid-1:9700"},
    };
    struct looks *looks = looks_new();
    AUTO_FREE char *got = NULL;

    expect(looks, "uid-1", "main/Copy", "J1");
    assert_number(looks_heard_ms(looks, "uid-1", "main/Copy", 1000), NEVER_MS);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *at_once = NULL;

        looks_set(looks, "uid-1", "main/Copy", rows[i].at_ms + 60000);
        at_once = hear(looks, news, rows[i].at_ms);
        assert_text_equal(at_once, rows[i].want);
    }
    assert_number(looks_due_ms(looks, "uid-1", "main/Copy"), 100000);
    assert_number(looks_heard_ms(looks, "uid-1", "main/Copy", 92300), 2000);
    /* What somebody else has to say does not wait for it. */
    got = hear(looks, other, 90400);
    assert_text_equal(got, "uid-1:0");
    looks_free(looks);
}

/* However many come before anybody has looked, they ask for one look. */
static void what_is_due_already_is_not_counted(void **state UNUSED)
{
    static const struct look_news news = {.account = "111111111111", .subject = "J1"};
    struct looks *looks = looks_new();
    AUTO_FREE char *later = NULL;

    looks_set(looks, "uid-1", "main/Copy", 60000);
    expect(looks, "uid-1", "main/Copy", "J1");
    for (int i = 0; i < 20; i++) {
        AUTO_FREE char *got = hear(looks, news, 1000);

        assert_text_equal(got, "uid-1:0");
    }
    looks_set(looks, "uid-1", "main/Copy", 61000);
    later = hear(looks, news, 2000);
    assert_text_equal(later, "uid-1:0");
    looks_free(looks);
}

/* The answer may have been on its way already. */
static void news_that_comes_during_a_look_is_looked_at(void **state UNUSED)
{
    static const struct look_news news = {.account = "111111111111", .subject = "J1"};
    struct looks *looks = looks_new();
    AUTO_FREE char *got = NULL;

    expect(looks, "uid-1", "main/Copy", "J1");
    looks_set(looks, "uid-1", "main/Copy", 1000);
    looks_watched_ms(looks, "uid-1", "main/Copy", 1000);
    got = hear(looks, news, 1050);
    assert_text_equal(got, "uid-1:0");
    looks_set(looks, "uid-1", "main/Copy", 60000);
    assert_number(looks_due_ms(looks, "uid-1", "main/Copy"), 1050);
    looks_watched_ms(looks, "uid-1", "main/Copy", 1100); /* that was before this look */
    looks_set(looks, "uid-1", "main/Copy", 60000);
    assert_number(looks_due_ms(looks, "uid-1", "main/Copy"), 60000);
    looks_free(looks);
}

/* ... and is no way around the limit. */
static void a_flood_during_looks_is_no_flood_of_looks(void **state UNUSED)
{
    static const struct look_news news = {.account = "111111111111", .subject = "J1"};
    static const int64_t want_ms[] = {1010, 1110, 1210, 11010, 11010};
    struct looks *looks = looks_new();

    expect(looks, "uid-1", "main/Copy", "J1");
    for (int i = 0; i < 5; i++) {
        int64_t now_ms = 1000 + 100 * i;

        looks_watched_ms(looks, "uid-1", "main/Copy", now_ms);
        for (int k = 1; k <= 5; k++)
            xfree(hear(looks, news, now_ms + 10 * k));
        looks_set(looks, "uid-1", "main/Copy", 60000);
        assert_number(looks_due_ms(looks, "uid-1", "main/Copy"), want_ms[i]);
    }
    looks_free(looks);
}

static void hears_that_it_is_under_way(void **state UNUSED)
{
    static const struct look_news goes_on = {
        .account = "111111111111", .subject = "J1", .is_under_way = true};
    struct looks *looks = looks_new();
    AUTO_FREE char *got = NULL;

    looks_set(looks, "uid-1", "main/Copy", 60000);
    expect(looks, "uid-1", "main/Copy", "J1");
    assert_false(looks_is_told(looks, "uid-1", "main/Copy"));
    got = hear(looks, goes_on, 1000);
    assert_text_equal(got, "");
    assert_number(looks_due_ms(looks, "uid-1", "main/Copy"), 60000);
    assert_number(looks_heard_ms(looks, "uid-1", "main/Copy", 1000), NEVER_MS);
    assert_true(looks_is_told(looks, "uid-1", "main/Copy"));
    assert_false(looks_is_told(looks, "uid-1", "main/Restore"));
    expect(looks, "uid-1", "main/Copy", "J1");
    assert_true(looks_is_told(looks, "uid-1", "main/Copy"));
    expect(looks, "uid-1", "main/Copy", "J2"); /* another attempt: nothing was heard of this one yet */
    assert_false(looks_is_told(looks, "uid-1", "main/Copy"));
    looks_free(looks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_nobody_has_looked_at_is_due),
        cmocka_unit_test(the_latest_word_counts),
        cmocka_unit_test(forgetting_one_object_leaves_the_others),
        cmocka_unit_test(one_object_does_not_grow_for_ever),
        cmocka_unit_test(a_gap_begins_the_watch_anew),
        cmocka_unit_test(news_makes_the_rows_due_that_wait_for_it),
        cmocka_unit_test(only_the_last_word_of_a_row_counts),
        cmocka_unit_test(a_flood_of_news_is_no_flood_of_looks),
        cmocka_unit_test(what_is_due_already_is_not_counted),
        cmocka_unit_test(news_that_comes_during_a_look_is_looked_at),
        cmocka_unit_test(a_flood_during_looks_is_no_flood_of_looks),
        cmocka_unit_test(hears_that_it_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
