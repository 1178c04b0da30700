#include "pkg/base/err.h"

#include <errno.h>

#include "tests/testing/assertions.h"

static void says_kind_and_text(void **state)
{
    AUTO_ERR struct err *err = err_new(ERR_DENIED, "not %s %d", "allowed", 7);

    (void)state;
    assert_int_equal(err_kind(err), ERR_DENIED);
    assert_text_equal(err_text(err), "not allowed 7");
    assert_number(err_remote(err)->http_status, 0);
    assert_null(err_remote(err)->code);
}

static void wraps(void **state)
{
    AUTO_ERR struct err *err = err_new(ERR_RETRY, "cause");

    (void)state;
    err = err_wrap(err, "step %d", 2);
    err = err_wrap(err, "run");
    assert_text_equal(err_text(err), "run: step 2: cause");
    assert_int_equal(err_kind(err), ERR_RETRY);
    assert_null(err_wrap(NULL, "nothing"));
}

static void keeps_remote_facts(void **state)
{
    char code[] = "Throttling";
    struct err_remote remote = {.service = "backup",
                                .operation = "StartCopyJob",
                                .code = code,
                                .http_status = 429,
                                .retry_after_ms = 5000};
    AUTO_ERR struct err *err = err_set_remote(err_new(ERR_RETRY, "x"), &remote);

    (void)state;
    code[0] = 'X';
    err = err_wrap(err, "copy");
    assert_true(err_is_code(err, "Throttling"));
    assert_false(err_is_code(err, "Throttlin"));
    assert_false(err_is_code(NULL, "Throttling"));
    assert_text_equal(err_remote(err)->service, "backup");
    assert_null(err_remote(err)->request_id);
    assert_number(err_remote(err)->http_status, 429);
    assert_number(err_remote(err)->retry_after_ms, 5000);
    err = err_set_remote(err, &(struct err_remote){.code = "Other"});
    assert_null(err_remote(err)->service);
    assert_true(err_is_code(err, "Other"));
}

static void can_set_its_own_facts_again(void **state)
{
    AUTO_ERR struct err *err = err_set_remote(err_new(ERR_RETRY, "x"), &(struct err_remote){.code = "A"});

    (void)state;
    err = err_set_remote(err, err_remote(err));
    assert_true(err_is_code(err, "A"));
}

static void can_become_another_kind(void **state)
{
    AUTO_ERR struct err *err = err_set_remote(err_new(ERR_NOT_FOUND, "x"), &(struct err_remote){.code = "A"});

    (void)state;
    err = err_set_kind(err, ERR_DENIED);
    assert_err_kind(err, ERR_DENIED);
    assert_text_equal(err_text(err), "x");
    assert_true(err_is_code(err, "A"));
    assert_null(err_set_kind(NULL, ERR_DENIED));
}

static void names_errno(void **state)
{
    (void)state;
    assert_fails(err_errno(ERR_NOT_FOUND, ENOENT, "open %s", "/x"), ERR_NOT_FOUND,
                 "open /x: No such file or directory");
    assert_fails(err_errno(ERR_RETRY, 99999, "x"), ERR_RETRY, "x: unknown error");
}

static struct err *fails_at(int which, int *ret_reached)
{
    for (int i = 0; i < 3; i++) {
        *ret_reached = i;
        TRY(i == which ? err_new(ERR_INVALID, "at %d", i) : NULL);
    }
    return NULL;
}

static void try_returns_early(void **state)
{
    int reached = 0;

    (void)state;
    assert_fails(fails_at(1, &reached), ERR_INVALID, "at 1");
    assert_number(reached, 1);
    assert_no_err(fails_at(9, &reached));
    assert_number(reached, 2);
}

static void kinds_have_names(void **state)
{
    (void)state;
    for (enum err_kind kind = ERR_RETRY; kind <= ERR_CANCELED; kind++)
        assert_true(strlen(err_kind_name(kind)) > 3);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, says_kind_and_text);
    TEST(&tests, wraps);
    TEST(&tests, keeps_remote_facts);
    TEST(&tests, can_set_its_own_facts_again);
    TEST(&tests, can_become_another_kind);
    TEST(&tests, names_errno);
    TEST(&tests, try_returns_early);
    TEST(&tests, kinds_have_names);
    return tests_run(&tests, "err");
}
