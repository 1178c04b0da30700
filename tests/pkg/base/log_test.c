#include "pkg/base/log.h"

#include <sys/mman.h>
#include <unistd.h>

#include "pkg/base/sched.h"
#include "tests/testing/testing_env.h"

static struct testing_env t;

static int set_up(void **state)
{
    (void)state;
    testing_env_init(&t, 1, NULL, 0, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    testing_env_done(&t);
    return 0;
}

static void writes_json(void **state)
{
    AUTO_FREE char *text = NULL;

    (void)state;
    LOG_INFO(t.env.log, "copy started", KV("database", "main"), KV_INT("attempt", -1),
             KV("none", (const char *)NULL));
    text = testing_env_log(&t);
    assert_json_text_equal(text,
                           "{\"ts\":\"2026-11-22T16:00:00.000Z\",\"level\":\"info\",\"msg\":\"copy started\","
                           "\"database\":\"main\",\"attempt\":-1,\"none\":\"\"}");
    assert_true(str_ends(str_of(text), "}\n"));
}

static void writes_text(void **state)
{
    AUTO_LOG struct log *log = log_new(t.log_fd, LOG_LEVEL_INFO, LOG_FORMAT_TEXT, t.env.sched);
    AUTO_FREE char *text = NULL;

    (void)state;
    LOG_WARN(log, "went on", KV("why", "no \"quota\""), KV_INT("n", 3));
    text = testing_env_log(&t);
    assert_text_equal(text, "2026-11-22T16:00:00.000Z WARN  went on why=\"no \\\"quota\\\"\" n=3\n");
}

static void keeps_to_its_level(void **state)
{
    AUTO_LOG struct log *log = log_new(t.log_fd, LOG_LEVEL_WARN, LOG_FORMAT_JSON, t.env.sched);
    AUTO_FREE char *text = NULL;

    (void)state;
    LOG_DEBUG(log, "no", KV("a", "b"));
    LOG_INFO(log, "no", KV("a", "b"));
    LOG_WARN(log, "yes", KV("a", "b"));
    LOG_ERROR(log, "yes", KV("a", "b"));
    LOG_ERROR((struct log *)NULL, "nobody listens", KV("a", "b"));
    text = testing_env_log(&t);
    assert_text_lacks(text, "\"no\"");
    assert_text_contains(text, "\"level\":\"warn\"");
    assert_text_contains(text, "\"level\":\"error\"");
}

static void inherits_fields_outermost_first(void **state)
{
    AUTO_LOG struct log *outer = log_with(t.env.log, &KV("a", "1"), 1);
    AUTO_LOG struct log *inner = log_with(outer, (struct log_field[]){KV("b", "2"), KV_INT("c", 3)}, 2);
    AUTO_FREE char *text = NULL;

    (void)state;
    LOG_INFO(inner, "x", KV("d", "4"));
    text = testing_env_log(&t);
    assert_text_contains(text, "\"msg\":\"x\",\"a\":\"1\",\"b\":\"2\",\"c\":3,\"d\":\"4\"}");
    assert_null(log_with(NULL, &KV("a", "1"), 1));
}

static void keeps_nothing_without_a_descriptor(void **state)
{
    AUTO_LOG struct log *log = log_new(-1, LOG_LEVEL_DEBUG, LOG_FORMAT_JSON, t.env.sched);

    (void)state;
    assert_false(log_enabled(log, LOG_LEVEL_ERROR));
    LOG_ERROR(log, "x", KV("a", "b"));
}

/* Whatever bytes a server sends us, a line stays one line of valid JSON. */
static const struct nasty {
    const char *name, *text;
} nasties[] = {
    {.name = "line ends", .text = "a\r\nb"},
    {.name = "quotes", .text = "\"}{\\"},
    {.name = "control characters", .text = "\x01\x1b[31m\x7f"},
    {.name = "UTF-8", .text = "\xc3\xa9\xf0\x9f\x90\x91"},
    {.name = "not UTF-8", .text = "\xff\xc3(\xe2\x82"},
    {.name = "overlong", .text = "\xc0\xaf"},
    {.name = "surrogate", .text = "\xed\xa0\x80"},
};

static void writes_valid_lines(void **state)
{
    const struct nasty *row = *state;
    AUTO_JSON struct json *line = NULL;
    AUTO_FREE char *text = NULL;

    LOG_INFO(t.env.log, "x", KV("text", row->text));
    text = testing_env_log(&t);
    assert_number((int64_t)(strchr(text, '\n') - text), (int64_t)strlen(text) - 1);
    assert_no_err(json_parse(str_of(text), NULL, &line));
    if (text_equal(row->name, "UTF-8"))
        assert_text_equal(json_get_text(line, "text", NULL), row->text);
}

static void cuts_endless_lines(void **state)
{
    AUTO_JSON struct json *line = NULL;
    AUTO_BUF struct buf huge = BUF_MAX(MIB);
    AUTO_FREE char *text = NULL;

    (void)state;
    while (huge.len < 100 * KIB)
        buf_adds(&huge, "0123456789");
    LOG_INFO(t.env.log, "x", KV("before", "b"), KV("huge", buf_text(&huge)), KV("after", "c"));
    text = testing_env_log(&t);
    assert_true(strlen(text) <= 64 * KIB);
    assert_true(str_ends(str_of(text), "}\n"));
    assert_no_err(json_parse(str_of(text), NULL, &line));
    assert_text_equal(json_get_text(line, "msg", NULL), "x");
    assert_text_equal(json_get_text(line, "after", NULL), "c");
    assert_true(str_ends(str_of(json_get_text(line, "huge", "")), "..."));
}

static void drops_fields_of_endless_lines(void **state)
{
    struct log_field fields[20];
    AUTO_JSON struct json *line = NULL;
    AUTO_BUF struct buf huge = BUF_MAX(MIB);
    AUTO_FREE char *text = NULL;

    (void)state;
    while (huge.len < 10 * KIB)
        buf_adds(&huge, "\x01");
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        fields[i] = KV("huge", buf_text(&huge));
    log_write(t.env.log, LOG_LEVEL_ERROR, "x", fields, COUNT_OF(fields));
    text = testing_env_log(&t);
    assert_no_err(json_parse(str_of(text), NULL, &line));
    assert_text_equal(json_get_text(line, "msg", NULL), "x");
    assert_text_contains(json_get_text(line, "fields", ""), "dropped");
}

int main(void)
{
    struct tests tests = {.set_up = set_up, .tear_down = tear_down};

    TEST(&tests, writes_json);
    TEST(&tests, writes_text);
    TEST(&tests, keeps_to_its_level);
    TEST(&tests, inherits_fields_outermost_first);
    TEST(&tests, keeps_nothing_without_a_descriptor);
    TEST_ROWS(&tests, writes_valid_lines, nasties);
    TEST(&tests, cuts_endless_lines);
    TEST(&tests, drops_fields_of_endless_lines);
    return tests_run(&tests, "log");
}
