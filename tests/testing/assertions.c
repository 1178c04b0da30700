#include "tests/testing/assertions.h"

static const char *shown(const char *text)
{
    return text ? text : "(NULL)";
}

/* Ends the test; `fmt` names what was wrong. */
#define FAIL_AT(file, line, ...)  \
    do {                          \
        print_error(__VA_ARGS__); \
        print_error("\n");        \
        _fail((file), (line));    \
    } while (0)

void testing_no_err(struct err *err, const char *file, int line)
{
    if (err)
        FAIL_AT(file, line, "expected no error, got one (%s): %s", err_kind_name(err_kind(err)),
                err_text(err));
}

void testing_err_kind(const struct err *err, enum err_kind kind, const char *file, int line)
{
    if (!err)
        FAIL_AT(file, line, "expected an error (%s), got none", err_kind_name(kind));
    else if (err_kind(err) != kind)
        FAIL_AT(file, line, "expected an error (%s), got (%s): %s", err_kind_name(kind),
                err_kind_name(err_kind(err)), err_text(err));
}

void testing_err_contains(const struct err *err, const char *text, const char *file, int line)
{
    if (!err)
        FAIL_AT(file, line, "expected an error with \"%s\", got none", text);
    else
        testing_text_contains(err_text(err), text, file, line);
}

void testing_fails(struct err *err, enum err_kind kind, const char *text, const char *file, int line)
{
    testing_err_kind(err, kind, file, line);
    if (text)
        testing_err_contains(err, text, file, line);
    err_free(err);
}

void testing_text_equal(const char *got, const char *want, const char *file, int line)
{
    if (!text_equal(got, want))
        FAIL_AT(file, line, "expected: %s\n     got: %s", shown(want), shown(got));
}

void testing_text_contains(const char *got, const char *part, const char *file, int line)
{
    if (!got || !strstr(got, part))
        FAIL_AT(file, line, "expected a text with: %s\n                 got: %s", part, shown(got));
}

void testing_text_lacks(const char *got, const char *part, const char *file, int line)
{
    if (got && strstr(got, part))
        FAIL_AT(file, line, "expected a text without: %s\n                    got: %s", part, got);
}

void testing_str_equal(struct str got, const char *want, const char *file, int line)
{
    if (!str_is(got, want))
        FAIL_AT(file, line, "expected: %s\n     got: " STR_FMT, want, STR_ARG(got));
}

void testing_number(int64_t got, int64_t want, const char *file, int line)
{
    if (got != want)
        FAIL_AT(file, line, "expected: %lld\n     got: %lld", (long long)want, (long long)got);
}

void testing_json_equal(const struct json *got, const char *want_text, const char *file, int line)
{
    AUTO_JSON struct json *want = NULL;
    AUTO_BUF struct buf got_text = BUF_MAX(64 * MIB), wanted = BUF_MAX(64 * MIB);
    struct err *err = json_parse(str_of(want_text), NULL, &want);

    if (err)
        FAIL_AT(file, line, "the expected JSON does not parse: %s", err_text(err));
    if (got && json_equal(got, want))
        return;
    if (got)
        json_print_pretty(got, &got_text);
    json_print_pretty(want, &wanted);
    FAIL_AT(file, line, "expected: %s\n     got: %s", buf_text(&wanted),
            got ? buf_text(&got_text) : "(NULL)");
}

void testing_json_text_equal(const char *got_text, const char *want_text, const char *file, int line)
{
    AUTO_JSON struct json *got = NULL;
    struct err *err = json_parse(str_of(got_text), NULL, &got);

    if (err)
        FAIL_AT(file, line, "expected JSON: %s\n          got: %s\n             : %s", want_text,
                shown(got_text), err_text(err));
    testing_json_equal(got, want_text, file, line);
}

void tests_add_row(struct tests *tests, const char *name, CMUnitTestFunction fn, const void *row)
{
    tests->items = xgrow(tests->items, tests->count, sizeof(*tests->items));
    tests->items[tests->count++] = (struct CMUnitTest){
        .name = name ? name : "(row without a name)",
        .test_func = fn,
        .setup_func = tests->set_up,
        .teardown_func = tests->tear_down,
        .initial_state = (void *)(uintptr_t)row,
    };
}

void tests_add(struct tests *tests, const char *name, CMUnitTestFunction fn)
{
    tests_add_row(tests, name, fn, NULL);
}

int tests_run(struct tests *tests, const char *group)
{
    int failed = _cmocka_run_group_tests(group, tests->items, tests->count, NULL, NULL);

    xfree(tests->items);
    *tests = (struct tests){0};
    return failed ? 1 : 0;
}
