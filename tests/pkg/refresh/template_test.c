#include "pkg/refresh/spec.h"
#include "tests/testing/assertions.h"

static const struct template_value values[] = {
    {.name = "databases.main.endpoint", .value = "shop.example"},
    {.name = "databases.main.port", .value = "3306"},
    {.name = "databases.main.arn", .value = NULL},
    {.name = "run.id", .value = "$(run.id)"},
};

struct row {
    const char *name, *in, *want;
    const char *error;
};

static const struct row rows[] = {
    {.name = "nothing", .in = "", .want = ""},
    {.name = "plain text", .in = "a b", .want = "a b"},
    {.name = "one name", .in = "$(databases.main.endpoint)", .want = "shop.example"},
    {.name = "names in text",
     .in = "tcp://$(databases.main.endpoint):$(databases.main.port)/x",
     .want = "tcp://shop.example:3306/x"},
    {.name = "two dollar signs are one", .in = "a$$b", .want = "a$b"},
    {.name = "three are one and what follows", .in = "$$$(databases.main.port)", .want = "$3306"},
    {.name = "an escaped name", .in = "$$(databases.main.port)", .want = "$(databases.main.port)"},
    {.name = "four are two", .in = "$$$$", .want = "$$"},
    {.name = "one alone", .in = "a$b", .want = "a$b"},
    {.name = "one at the end", .in = "a$", .want = "a$"},
    {.name = "values are not looked into", .in = "$(run.id)", .want = "$(run.id)"},
    {.name = "brackets alone", .in = "(a)", .want = "(a)"},
    {.name = "not closed", .in = "x$(a", .error = "\"$(\" without \")\"; write \"$$\" for a dollar sign"},
    {.name = "unknown", .in = "$(databases.other.port)", .error = "$(databases.other.port): no such value"},
    {.name = "known, without a value",
     .in = "$(databases.main.arn)",
     .error = "$(databases.main.arn): no such value"},
    {.name = "empty name", .in = "$()", .error = "$(): no such value"},
    {.name = "spaces count", .in = "$( run.id)", .error = "$( run.id): no such value"},
};

static void expands(void **state)
{
    const struct row *row = *state;
    AUTO_BUF struct buf out = BUF_MAX(KIB);
    AUTO_ERR struct err *err = template_expand(row->in, values, COUNT_OF(values), &out);

    if (row->error) {
        assert_err_kind(err, ERR_INVALID);
        assert_text_equal(err_text(err), row->error);
        return;
    }
    assert_no_err(err);
    assert_text_equal(buf_text(&out), row->want);
}

static void appends(void **state)
{
    AUTO_BUF struct buf out = BUF_MAX(KIB);

    (void)state;
    buf_adds(&out, "before ");
    assert_no_err(template_expand("$(databases.main.port)", values, COUNT_OF(values), &out));
    assert_text_equal(buf_text(&out), "before 3306");
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, expands, rows);
    TEST(&tests, appends);
    return tests_run(&tests, "template");
}
