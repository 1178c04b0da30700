#include "pkg/base/flags.h"

#include "tests/testing/assertions.h"

struct options {
    struct flag_texts files;
    const char *dir;
    int64_t scale;
    bool elect;
    int output;
};

static const char *const outputs[] = {"auto", "json", "text", NULL};

/* clang-format off */
static const struct flag flags[] = {
    {.name = "filename", .letter = 'f', .kind = FLAG_TEXTS, .offset = offsetof(struct options, files), .value = "FILE", .help = "what to run"},
    {.name = "state-dir", .kind = FLAG_TEXT, .offset = offsetof(struct options, dir), .value = "DIR", .help = "where state is kept", .required = true},
    {.name = "time-scale", .kind = FLAG_NUMBER, .offset = offsetof(struct options, scale), .value = "N", .help = "for developers", .min = 1, .max = 1000},
    {.name = "leader-elect", .kind = FLAG_SWITCH, .offset = offsetof(struct options, elect), .help = "one of many"},
    {.name = "output", .letter = 'o', .kind = FLAG_CHOICE, .offset = offsetof(struct options, output), .choices = outputs, .help = "what to print"},
};
/* clang-format on */
static const struct flag_table table = {.flags = flags, .count = COUNT_OF(flags)};

#define ARGS_MAX 8
/* clang-format off */
static const struct row {
    const char *name;
    const char *args[ARGS_MAX];
    const char *want;  /* files|dir|scale|elect|output */
    const char *fails; /* part of the error */
    bool help;
} rows[] = {
    {.name = "values follow", .args = {"-f", "a", "--filename", "b", "--state-dir", "d"}, .want = "a,b,|d|1|no|0"},
    {.name = "values behind an equals sign", .args = {"--filename=a=b", "--state-dir=d", "--time-scale=600"}, .want = "a=b,|d|600|no|0"},
    {.name = "value glued to the letter", .args = {"-fa", "--state-dir", "d", "-ojson"}, .want = "a,|d|1|no|1"},
    {.name = "switch", .args = {"--state-dir", "d", "--leader-elect"}, .want = "|d|1|yes|0"},
    {.name = "switch turned off", .args = {"--state-dir", "d", "--leader-elect", "--leader-elect=false"}, .want = "|d|1|no|0"},
    {.name = "the last one counts", .args = {"--state-dir", "d", "--state-dir", "e"}, .want = "|e|1|no|0"},
    {.name = "help wins over what is missing", .args = {"--help"}, .help = true},
    {.name = "help by letter", .args = {"-f", "a", "-h", "--nonsense"}, .help = true},
    {.name = "slip", .args = {"--state-dri", "d"}, .fails = "unknown flag --state-dri, did you mean --state-dir?"},
    {.name = "nothing near", .args = {"--frobnicate"}, .fails = "unknown flag --frobnicate"},
    {.name = "unknown letter", .args = {"-x"}, .fails = "unknown flag -x"},
    {.name = "argument", .args = {"file.yaml"}, .fails = "unexpected argument \"file.yaml\""},
    {.name = "two dashes", .args = {"--"}, .fails = "unexpected argument \"--\""},
    {.name = "one dash", .args = {"-"}, .fails = "unexpected argument \"-\""},
    {.name = "value missing", .args = {"--state-dir"}, .fails = "--state-dir: DIR is missing"},
    {.name = "value empty", .args = {"--state-dir="}, .fails = "--state-dir: DIR is missing"},
    {.name = "required", .args = {"-f", "a"}, .fails = "--state-dir DIR is required"},
    {.name = "number too large", .args = {"--time-scale", "1001"}, .fails = "--time-scale: \"1001\" is not a number from 1 to 1000"},
    {.name = "no number", .args = {"--time-scale", "fast"}, .fails = "\"fast\" is not a number"},
    {.name = "no such choice", .args = {"-o", "yaml"}, .fails = "--output: \"yaml\" is not one of auto, json, text"},
    {.name = "no truth", .args = {"--leader-elect=maybe"}, .fails = "neither true nor false"},
};
/* clang-format on */

static char *spell(const struct options *options)
{
    AUTO_BUF struct buf out = BUF_MAX(1 * KIB);

    for (size_t i = 0; i < options->files.count; i++)
        buf_addf(&out, "%s,", options->files.items[i]);
    buf_addf(&out, "|%s|%lld|%s|%d", options->dir, (long long)options->scale, options->elect ? "yes" : "no",
             options->output);
    return buf_take(&out);
}

static void parses(void **state)
{
    const struct row *row = *state;
    struct options options = {.scale = 1};
    char *args[ARGS_MAX];
    int count = 0;
    bool help;
    struct err *err;

    for (; row->args[count]; count++)
        args[count] = xstrdup(row->args[count]);
    err = flags_parse(&table, count, args, &options, &help);
    if (row->fails) {
        assert_fails(err, ERR_INVALID, row->fails);
    } else {
        assert_no_err(err);
        assert_number(help, row->help);
    }
    if (row->want) {
        AUTO_FREE char *got = spell(&options);

        assert_text_equal(got, row->want);
    }
    flags_done(&table, &options);
    for (int i = 0; i < count; i++)
        xfree(args[i]);
}

static void help_names_every_flag(void **state)
{
    AUTO_BUF struct buf out = BUF_MAX(4 * KIB);

    (void)state;
    flags_help(&table, &out);
    assert_text_equal(buf_text(&out), "  -f, --filename FILE           what to run\n"
                                      "      --state-dir DIR           where state is kept\n"
                                      "      --time-scale N            for developers\n"
                                      "      --leader-elect            one of many\n"
                                      "  -o, --output auto|json|text   what to print\n"
                                      "  -h, --help                    this text\n");
}

/* clang-format off */
static const struct flag names = {.name = "NAME", .kind = FLAG_TEXTS, .offset = offsetof(struct options, files), .max = 2};
static const struct flag_table with_names = {.flags = flags + 2, .count = COUNT_OF(flags) - 2, .operands = &names};
static const struct operand_row {
    const char *name;
    const char *args[ARGS_MAX];
    const char *want, *fails;
} operand_rows[] = {
    {.name = "anywhere between flags", .args = {"a", "--leader-elect", "b", "-ojson"}, .want = "a,b,|(null)|1|yes|1"},
    {.name = "a dash is one", .args = {"-"}, .want = "-,|(null)|1|no|0"},
    {.name = "one too many", .args = {"a", "b", "c"}, .want = "a,b,|(null)|1|no|0", .fails = "unexpected argument \"c\""},
    {.name = "not a flag's value", .args = {"--time-scale", "7", "a"}, .want = "a,|(null)|7|no|0"},
};
/* clang-format on */

static void takes_operands(void **state)
{
    const struct operand_row *row = *state;
    struct options options = {.dir = "(null)", .scale = 1};
    char *args[ARGS_MAX];
    AUTO_FREE char *got = NULL;
    int count = 0;
    bool help;
    struct err *err;

    for (; row->args[count]; count++)
        args[count] = xstrdup(row->args[count]);
    err = flags_parse(&with_names, count, args, &options, &help);
    if (row->fails)
        assert_fails(err, ERR_INVALID, row->fails);
    else
        assert_no_err(err);
    got = spell(&options);
    assert_text_equal(got, row->want);
    flags_done(&with_names, &options);
    for (int i = 0; i < count; i++)
        xfree(args[i]);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, parses, rows);
    TEST_ROWS(&tests, takes_operands, operand_rows);
    TEST(&tests, help_names_every_flag);
    return tests_run(&tests, "flags");
}
