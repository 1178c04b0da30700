#include "controller/names.h"

#include "tests/testing/assertions.h"

static void run_ids_sort_by_time_and_fit_into_cluster_names(void **state)
{
    struct random *random = random_seeded_new(1);
    char first[RUN_ID_MAX], second[RUN_ID_MAX], later[RUN_ID_MAX];
    AUTO_FREE char *cluster = NULL;

    (void)state;
    name_run_id(INT64_C(1795363200000), random, first);
    name_run_id(INT64_C(1795363200000), random, second);
    name_run_id(INT64_C(1795363201000), random, later);
    assert_int_equal(strlen(first), 21);
    assert_memory_equal(first, "20261122-160000-", 16);
    assert_string_not_equal(first, second);
    assert_true(strcmp(first, later) < 0 && strcmp(second, later) < 0);
    /* 30 characters of prefix, "-", the id, "-9", and an instance name of 7 after "-": 63 is what RDS takes.
     */
    cluster = name_copy("abcdefghijabcdefghijabcdefghij", first, 9);
    assert_true(strlen(cluster) + 1 + 7 <= 63);
    random_free(random);
}

static void the_first_attempt_has_no_number(void **state)
{
    static const struct {
        int64_t attempt;
        const char *want;
    } rows[] = {{1, "stg-r1"}, {2, "stg-r1-2"}, {10, "stg-r1-10"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *name = name_copy("stg", "r1", rows[i].attempt);

        assert_string_equal(name, rows[i].want);
    }
}

struct token_row {
    const char *name, *uid, *run, *database, *step;
    int64_t attempt;
};

static void token_of(const struct token_row *row, char ret[TOKEN_MAX])
{
    struct refresh_status status = {.run = {.id = (char *)(uintptr_t)row->run}};
    struct pass pass = {.uid = row->uid, .status = &status};
    struct step_status line = {.attempt = row->attempt};
    const struct step step = {.name = row->step};
    const struct database_spec database = {.name = (char *)(uintptr_t)row->database};
    const struct stage stage = {.pass = &pass, .step = &step, .row = &line, .database = &database};

    name_token(&stage, ret);
}

static void a_token_is_of_one_intent_only(void **state)
{
    static const struct token_row rows[] = {
        {"base", "u", "r", "main", "Copy", 1},
        {"another object", "v", "r", "main", "Copy", 1},
        {"another run", "u", "s", "main", "Copy", 1},
        {"another database", "u", "r", "side", "Copy", 1},
        {"another step", "u", "r", "main", "Backup", 1},
        {"another attempt", "u", "r", "main", "Copy", 2},
        {"parts that run together", "u", "r", "mainC", "opy", 1},
    };
    char tokens[COUNT_OF(rows)][TOKEN_MAX], again[TOKEN_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        token_of(&rows[i], tokens[i]);
        token_of(&rows[i], again);
        assert_string_equal(tokens[i], again);
        assert_int_equal(strlen(tokens[i]), 50);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(tokens[i], tokens[k]);
    }
}

static void a_name_is_found_but_not_in_a_longer_one(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } rows[] = {
        {"stg-r1", true},
        {"stg-r1.cluster-abc.ap-northeast-1.rds.amazonaws.com", true},
        {"STG-R1.cluster-abc", true},
        {"mysql://u@stg-r1:3306/x", true},
        {"arn:aws:dynamodb:r:1:table/stg-r1", true},
        {"stg-r1-a.abc.rds.amazonaws.com", true}, /* an instance of it */
        {"stg-r1-2", false},                      /* another attempt */
        {"stg-r1-2.cluster-abc", false},
        {"stg-r1-2,stg-r1", true},
        {"stg-r1-2x", true},
        {"stg-r12", false},
        {"shop-stg-r1", false},
        {"xstg-r1", false},
        {"stg-r", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (name_is_mentioned(str_of(rows[i].text), "stg-r1") != rows[i].want)
            fail_msg("%s: expected %d", rows[i].text, rows[i].want);
    }
    assert_false(name_is_mentioned(STR("anything"), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_ids_sort_by_time_and_fit_into_cluster_names),
        cmocka_unit_test(the_first_attempt_has_no_number),
        cmocka_unit_test(a_token_is_of_one_intent_only),
        cmocka_unit_test(a_name_is_found_but_not_in_a_longer_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
