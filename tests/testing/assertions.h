/* What every test includes: cmocka, assertions that show both sides, and lists of named rows.
 *
 * A failed assertion leaves the test by longjmp: cleanups of the scope do not run, and it must happen on the
 * test's own thread. Assertions do not free what they look at, except where they say so. */
#ifndef TESTING_ASSERTIONS_H
#define TESTING_ASSERTIONS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pkg/base/err.h"
#include "pkg/base/json.h"
#include "pkg/base/str.h"

/* Expects NULL; shows the error's text otherwise. */
#define assert_no_err(err) testing_no_err((err), __FILE__, __LINE__)
/* Expects an error of that kind; the error stays the caller's. */
#define assert_err_kind(err, kind) testing_err_kind((err), (kind), __FILE__, __LINE__)
#define assert_err_contains(err, text) testing_err_contains((err), (text), __FILE__, __LINE__)
/* Expects an error of that kind whose text contains `text` (NULL: any), and frees it. */
#define assert_fails(err, kind, text) testing_fails((err), (kind), (text), __FILE__, __LINE__)
/* NULL equals only NULL. */
#define assert_text_equal(got, want) testing_text_equal((got), (want), __FILE__, __LINE__)
#define assert_text_contains(got, part) testing_text_contains((got), (part), __FILE__, __LINE__)
#define assert_text_lacks(got, part) testing_text_lacks((got), (part), __FILE__, __LINE__)
#define assert_str_equal(got, want) testing_str_equal((got), (want), __FILE__, __LINE__)
/* Signed decimal numbers (cmocka's own shows hex). */
#define assert_number(got, want) testing_number((got), (want), __FILE__, __LINE__)
/* A value against the text of the one wanted; the order of members does not matter. */
#define assert_json_equal(got, want_text) testing_json_equal((got), (want_text), __FILE__, __LINE__)
#define assert_json_text_equal(got_text, want_text) \
    testing_json_text_equal((got_text), (want_text), __FILE__, __LINE__)

void testing_no_err(struct err *err, const char *file, int line);
void testing_err_kind(const struct err *err, enum err_kind kind, const char *file, int line);
void testing_err_contains(const struct err *err, const char *text, const char *file, int line);
void testing_fails(struct err *err, enum err_kind kind, const char *text, const char *file, int line);
void testing_text_equal(const char *got, const char *want, const char *file, int line);
void testing_text_contains(const char *got, const char *part, const char *file, int line);
void testing_text_lacks(const char *got, const char *part, const char *file, int line);
void testing_str_equal(struct str got, const char *want, const char *file, int line);
void testing_number(int64_t got, int64_t want, const char *file, int line);
void testing_json_equal(const struct json *got, const char *want_text, const char *file, int line);
void testing_json_text_equal(const char *got_text, const char *want_text, const char *file, int line);

/* The tests of one executable: plain ones, and rows of tables (each row is a test of its own, named by the
 * row). */
struct tests {
    CMFixtureFunction set_up,
        tear_down; /* of the tests added from then on; tear_down runs after a failed test too */
    struct CMUnitTest *items;
    size_t count;
};

void tests_add(struct tests *tests, const char *name, CMUnitTestFunction fn);
/* `fn` finds its row in *state: const struct row *row = *state. */
void tests_add_row(struct tests *tests, const char *name, CMUnitTestFunction fn, const void *row);
/* Runs all, frees the list, gives the exit status for main(). */
int tests_run(struct tests *tests, const char *group);

#define TEST(tests, fn) tests_add((tests), #fn, (fn))
/* Every element of `rows` needs a member `name`. */
#define TEST_ROWS(tests, fn, rows)                                          \
    do {                                                                    \
        for (size_t row_ = 0; row_ < COUNT_OF(rows); row_++)                \
            tests_add_row((tests), (rows)[row_].name, (fn), &(rows)[row_]); \
    } while (0)

#endif
