#include "pkg/base/terminal.h"

#include "tests/testing/assertions.h"

/* --- text --- */

static const struct text_row {
    const char *name, *text;
    int columns;
    const char *want;
} text_rows[] = {
    {.name = "plain", .text = "abc", .columns = 10, .want = "abc"},
    {.name = "cut", .text = "abc", .columns = 2, .want = "ab"},
    {.name = "characters are cut whole", .text = "äöü", .columns = 2, .want = "äö"},
    {.name = "escape", .text = "a\033[2Jb", .columns = 10, .want = "a [2Jb"},
    {.name = "line ends and delete", .text = "a\nb\rc\177d", .columns = 10, .want = "a b c d"},
    {.name = "the other kind of escape",
     .text = "a\302\233Jb\302\240c",
     .columns = 10,
     .want = "a Jb\302\240c"},
    {.name = "half a character", .text = "a\303", .columns = 10, .want = "a\303"},
};

static void adds_text(void **state)
{
    const struct text_row *row = *state;
    AUTO_BUF struct buf out = BUF_MAX(1 * KIB);

    terminal_add_text(row->text, row->columns, &out);
    assert_text_equal(buf_text(&out), row->want);
}

static void erases(void **state)
{
    AUTO_BUF struct buf out = BUF_MAX(1 * KIB);

    (void)state;
    terminal_add_erase(0, &out);
    terminal_add_erase(3, &out);
    assert_text_equal(buf_text(&out), "\r\033[J\033[3A\r\033[J");
}

/* --- environment --- */

#define VARIABLES_MAX 4
static const struct variable_row {
    const char *name;
    const char *variables[VARIABLES_MAX];
    bool utf8, color;
} variable_rows[] = {
    {.name = "nothing", .color = true},
    {.name = "an encoding", .variables = {"LANG=de_DE.UTF-8"}, .utf8 = true, .color = true},
    {.name = "as some write it", .variables = {"LANG=C.utf8"}, .utf8 = true, .color = true},
    {.name = "another one", .variables = {"LANG=de_DE.ISO-8859-1"}, .color = true},
    {.name = "LC_ALL wins", .variables = {"LANG=de_DE.UTF-8", "LC_ALL=C"}, .color = true},
    {.name = "LC_CTYPE before LANG",
     .variables = {"LANG=C", "LC_CTYPE=C.UTF-8"},
     .utf8 = true,
     .color = true},
    {.name = "no color", .variables = {"NO_COLOR=1"}},
    {.name = "an empty wish is none", .variables = {"NO_COLOR="}, .color = true},
};

static void reads_environment(void **state)
{
    const struct variable_row *row = *state;
    char *environment[VARIABLES_MAX + 1] = {0};
    const struct process process = {.environment = environment};

    for (size_t i = 0; i < VARIABLES_MAX && row->variables[i]; i++)
        environment[i] = xstrdup(row->variables[i]);
    assert_number(terminal_takes_utf8(&process), row->utf8);
    assert_number(terminal_wants_color(&process), row->color);
    assert_false(terminal_is_live(&process)); /* no TERM */
    for (size_t i = 0; i < VARIABLES_MAX; i++)
        xfree(environment[i]);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, adds_text, text_rows);
    TEST(&tests, erases);
    TEST_ROWS(&tests, reads_environment, variable_rows);
    return tests_run(&tests, "terminal");
}
