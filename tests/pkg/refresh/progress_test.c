#include "pkg/refresh/progress.h"

#include "tests/testing/assertions.h"

#define START "\"startTime\":\"2026-11-22T16:00:00Z\""
#define NOW_MS INT64_C(1795363505000) /* five minutes and five seconds later */

#define ROW(name, state, percent, more) \
    "{\"name\":\"" name "\",\"state\":\"" state "\",\"attempt\":1,\"percent\":" percent more "}"
#define DONE(name) ROW(name, "Done", "100", "," START ",\"completionTime\":\"2026-11-22T16:01:00Z\"")
#define MESSAGE(text) ",\"message\":\"" text "\""
#define TROUBLE ",\"evidence\":{\"failures\":\"2\"}"
#define DATABASE_AT(name, percent, rows) \
    "{\"name\":\"" name "\",\"percent\":" percent ",\"steps\":[" rows "]}"
#define DATABASE(name, rows) DATABASE_AT(name, "0", rows)
#define RUN "\"run\":{\"id\":\"r1\",\"attempt\":1," START "}"
#define STATUS(phase, databases, switchover)                                           \
    "{\"phase\":\"" phase "\",\"progress\":{\"percent\":40,\"text\":\"40% ~3m\"}," RUN \
    ",\"databases\":[" databases "],\"switchover\":{\"steps\":[" switchover "]}}"

static struct refresh_status *status_of(const char *text)
{
    AUTO_JSON struct json *value = NULL;
    struct refresh_status *status = NULL;

    if (text)
        assert_no_err(json_parse(str_of(text), NULL, &value));
    assert_no_err(refresh_status_parse(value, &status));
    return status;
}

/* --- the picture --- */

#define AURORA_COPYING                                                                                  \
    DATABASE_AT(                                                                                        \
        "main", "29",                                                                                   \
        DONE("Backup") "," ROW(                                                                         \
            "Copy", "Running", "40",                                                                    \
            "," START MESSAGE(                                                                          \
                "copy job c-1 is RUNNING")) "," ROW("Restore", "Waiting", "0",                          \
                                                    "") "," ROW("Instances", "Waiting", "0",            \
                                                                "") "," ROW("Settings", "Waiting", "0", \
                                                                            "") "," ROW("Password",     \
                                                                                        "Waiting", "0", ""))
#define TABLE_READY \
    DATABASE_AT("sessions", "100", DONE("Backup") "," DONE("Copy") "," DONE("Restore") "," DONE("Settings"))

/* clang-format off */
static const struct picture_row {
    const char *name;
    const char *status;
    int width, height;
    bool color;
    const char *want;
} picture_rows[] = {
    {.name = "a run under way", .width = 100, .height = 24,
     .status = STATUS("Copying", AURORA_COPYING "," TABLE_READY, ROW("Proxies/shop-stg", "Waiting", "0", "")),
     .want = "staging/shop  Copying  40% ~3m  run r1  5m05s\n"
             "  main        Copy       [======>                 ]  29%   5m05s  copy job c-1 is RUNNING\n"
             "  sessions    Ready      [========================] 100%   1m00s\n"
             "  switchover  Waiting\n"},
    {.name = "no line reaches the last column", .width = 40, .height = 24,
     .status = STATUS("Copying", AURORA_COPYING, ""),
     .want = "staging/shop  Copying  40% ~3m  run r1 \n"
             "  main        Copy         29%   5m05s \n"},
    {.name = "more databases than rows", .width = 100, .height = 5,
     .status = STATUS("Copying", TABLE_READY "," DATABASE("b", "") "," DATABASE("c", ""), ""),
     .want = "staging/shop  Copying  40% ~3m  run r1  5m05s\n"
             "  sessions    Ready      [========================] 100%   1m00s\n"
             "  ... and 2 more\n"},
    {.name = "the switchover", .width = 100, .height = 24,
     .status = STATUS("SwitchingOver", TABLE_READY, DONE("Proxies/shop-stg") "," ROW("Parameters/db-host", "Running", "0", "," START MESSAGE("is written"))),
     .want = "staging/shop  SwitchingOver  40% ~3m  run r1  5m05s\n"
             "  sessions    Ready      [========================] 100%   1m00s\n"
             "  switchover  1 of 2  Parameters/db-host: is written\n"},
    {.name = "a switchover that is done", .width = 100, .height = 24,
     .status = STATUS("SwitchingOver", "", DONE("Proxies/shop-stg")),
     .want = "staging/shop  SwitchingOver  40% ~3m  run r1  5m05s\n"
             "  switchover  Done       1 of 1\n"},
    {.name = "a failure comes before what is under way", .width = 100, .height = 24,
     .status = STATUS("SwitchingOver", "", ROW("Proxies/a", "Running", "0", "," START) "," ROW("Proxies/b", "Failed", "0", "," START MESSAGE("no such proxy"))),
     .want = "staging/shop  SwitchingOver  40% ~3m  run r1  5m05s\n"
             "  switchover  0 of 2  Proxies/b: failed: no such proxy\n"},
    {.name = "colors", .width = 100, .height = 24, .color = true,
     .status = STATUS("Copying", TABLE_READY "," DATABASE("x", ROW("Backup", "Running", "0", "," START MESSAGE("denied") TROUBLE)) ","
                                 DATABASE("y", ROW("Backup", "Failed", "0", "," START ",\"completionTime\":\"2026-11-22T16:01:00Z\"" MESSAGE("gone"))), ""),
     .want = "\033[1mstaging/shop  Copying  40% ~3m  run r1  5m05s\033[0m\n"
             "\033[32m  sessions    Ready      [========================] 100%   1m00s\033[0m\n"
             "\033[33m  x           Backup     [                        ]   0%   5m05s  denied\033[0m\n"
             "\033[31m  y           Backup     [                        ]   0%   1m00s  failed: gone\033[0m\n"},
    {.name = "what AWS says cannot move the cursor", .width = 100, .height = 24,
     .status = STATUS("Copying", DATABASE("x", ROW("Backup", "Running", "0", "," START MESSAGE("a\\u001b[2Jb\\nc"))), ""),
     .want = "staging/shop  Copying  40% ~3m  run r1  5m05s\n"
             "  x           Backup     [                        ]   0%   5m05s  a [2Jb c\n"},
    {.name = "characters are cut whole", .width = 82, .height = 24,
     .status = STATUS("Copying", DATABASE("x", ROW("Backup", "Running", "0", "," START MESSAGE("äöüäöüäöüäöüäöüäöü"))), ""),
     .want = "staging/shop  Copying  40% ~3m  run r1  5m05s\n"
             "  x           Backup     [                        ]   0%   5m05s  äöüäöüäöüäöüäöü\n"},
    {.name = "nothing yet", .width = 100, .height = 24, .status = "{}", .want = "staging/shop  Starting\n"},
};
/* clang-format on */

static void draws(void **state)
{
    const struct picture_row *row = *state;
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of(row->status);
    const struct progress_view view = {.title = "staging/shop",
                                       .status = status,
                                       .now_ms = NOW_MS,
                                       .width = row->width,
                                       .height = row->height,
                                       .color = row->color};
    AUTO_BUF struct buf out = BUF_MAX(64 * KIB);
    size_t lines = progress_render(&view, &out), newlines = 0;

    for (size_t i = 0; i < out.len; i++)
        newlines += out.data[i] == '\n';
    assert_text_equal(buf_text(&out), row->want);
    assert_number((int64_t)lines, (int64_t)newlines);
}

/* --- changes --- */

/* clang-format off */
static const struct change_row {
    const char *name;
    const char *before, *after;
    const char *want_json; /* lines without the time */
    const char *want_text;
} change_rows[] = {
    {.name = "the first look says what is more than waiting",
     .after = STATUS("BackingUp", DATABASE("x", ROW("Backup", "Intended", "0", "") "," ROW("Copy", "Waiting", "0", "")), ROW("Proxies/a", "Waiting", "0", "")),
     .want_json = "{\"phase\":\"BackingUp\"}\n"
                  "{\"database\":\"x\",\"step\":\"Backup\",\"state\":\"Intended\",\"percent\":0,\"message\":\"\"}\n",
     .want_text = "BackingUp\nx: Backup: Intended\n"},
    {.name = "a percentage is for programs",
     .before = STATUS("BackingUp", DATABASE("x", ROW("Backup", "Running", "1", MESSAGE("m"))), ""),
     .after = STATUS("BackingUp", DATABASE("x", ROW("Backup", "Running", "2", MESSAGE("m"))), ""),
     .want_json = "{\"database\":\"x\",\"step\":\"Backup\",\"state\":\"Running\",\"percent\":2,\"message\":\"m\"}\n",
     .want_text = ""},
    {.name = "a refusal is for people too",
     .before = STATUS("BackingUp", DATABASE("x", ROW("Backup", "Running", "1", MESSAGE("m"))), ""),
     .after = STATUS("BackingUp", DATABASE("x", ROW("Backup", "Running", "1", MESSAGE("denied") TROUBLE)), ""),
     .want_json = "{\"database\":\"x\",\"step\":\"Backup\",\"state\":\"Running\",\"percent\":1,\"message\":\"denied\"}\n",
     .want_text = "x: Backup: Running: denied\n"},
    {.name = "the switchover has no database",
     .before = STATUS("SwitchingOver", "", ROW("Proxies/a", "Running", "0", "")),
     .after = STATUS("SwitchingOver", "", ROW("Proxies/a", "Done", "100", MESSAGE("ok"))),
     .want_json = "{\"step\":\"Proxies/a\",\"state\":\"Done\",\"percent\":100,\"message\":\"ok\"}\n",
     .want_text = "switchover: Proxies/a: Done: ok\n"},
    {.name = "the same again",
     .before = STATUS("BackingUp", DATABASE("x", ROW("Backup", "Running", "1", MESSAGE("m"))), ""),
     .after = STATUS("BackingUp", DATABASE("x", ROW("Backup", "Running", "1", MESSAGE("m"))), ""),
     .want_json = "", .want_text = ""},
    {.name = "rows of another run are new",
     .before = "{\"phase\":\"Succeeded\",\"run\":{\"id\":\"r0\"},\"databases\":[" DATABASE("x", ROW("Backup", "Done", "100", "")) "]}",
     .after = STATUS("BackingUp", DATABASE("x", ROW("Backup", "Waiting", "0", "")), ""),
     .want_json = "{\"phase\":\"BackingUp\"}\n", .want_text = "BackingUp\n"},
};
/* clang-format on */

static void json_line(void *arg, const struct progress_change *change)
{
    progress_json_line(change, NOW_MS, arg);
}

static void text_line(void *arg, const struct progress_change *change)
{
    progress_text_line(change, NOW_MS, arg);
}

static char *without(const struct buf *text, const char *part)
{
    AUTO_BUF struct buf out = BUF_MAX(64 * KIB);
    const char *rest = buf_text(text), *at;

    while ((at = strstr(rest, part))) {
        buf_add(&out, rest, (size_t)(at - rest));
        rest = at + strlen(part);
    }
    buf_adds(&out, rest);
    return buf_take(&out);
}

static void tells_changes(void **state)
{
    const struct change_row *row = *state;
    AUTO_REFRESH_STATUS struct refresh_status *before = row->before ? status_of(row->before) : NULL;
    AUTO_REFRESH_STATUS struct refresh_status *after = status_of(row->after);
    AUTO_BUF struct buf json = BUF_MAX(64 * KIB);
    AUTO_BUF struct buf text = BUF_MAX(64 * KIB);
    AUTO_FREE char *json_lines = NULL;
    AUTO_FREE char *text_lines = NULL;

    progress_changes(before, after, json_line, &json);
    progress_changes(before, after, text_line, &text);
    json_lines = without(&json, "\"time\":\"2026-11-22T16:05:05.000Z\",");
    text_lines = without(&text, "2026-11-22T16:05:05Z  ");
    assert_text_equal(json_lines, row->want_json);
    assert_text_equal(text_lines, row->want_text);
}

/* --- the end --- */

static void ends_with_one_line_for_programs(void **state)
{
    AUTO_JSON struct json *object = NULL;
    AUTO_BUF struct buf out = BUF_MAX(64 * KIB);

    (void)state;
    assert_no_err(
        json_parse(STR("{\"status\":{\"phase\":\"Failed\",\"run\":{\"id\":\"r1\"}}}"), NULL, &object));
    progress_json_result(object, &out);
    assert_text_equal(buf_text(&out),
                      "{\"phase\":\"Failed\",\"runID\":\"r1\",\"status\":{\"phase\":\"Failed\",\"run\":"
                      "{\"id\":\"r1\"}}}\n");
}

static void ends_with_one_line_even_without_a_status(void **state)
{
    AUTO_JSON struct json *object = json_new_object();
    AUTO_BUF struct buf out = BUF_MAX(64 * KIB);

    (void)state;
    progress_json_result(object, &out);
    assert_text_equal(buf_text(&out), "{\"phase\":\"\",\"runID\":\"\",\"status\":{}}\n");
}

/* clang-format off */
static const struct result_row {
    const char *name, *status, *want;
} result_rows[] = {
    {.name = "success names the copies",
     .status = "{\"phase\":\"Succeeded\",\"run\":{\"id\":\"r1\"," START ",\"completionTime\":\"2026-11-22T16:03:00Z\"},"
               "\"databases\":[{\"name\":\"main\",\"copyIdentifier\":\"shop-stg-r1\",\"endpoint\":\"e.example\",\"steps\":[]},"
               "{\"name\":\"sessions\",\"copyIdentifier\":\"stg-r1\",\"steps\":[]}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
               "\"reason\":\"RunSucceeded\",\"message\":\"Staging uses it\",\"lastTransitionTime\":\"2026-11-22T16:03:00Z\"}]}",
     .want = "Succeeded after 3m00s: Staging uses it\n  main: shop-stg-r1 at e.example\n  sessions: stg-r1\n"},
    {.name = "failure says why",
     .status = "{\"phase\":\"Failed\",\"run\":{\"id\":\"r1\"," START ",\"completionTime\":\"2026-11-22T16:03:00Z\"},"
               "\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\",\"reason\":\"X\",\"message\":\"main: Copy: gone\","
               "\"lastTransitionTime\":\"2026-11-22T16:03:00Z\"}]}",
     .want = "Failed after 3m00s: main: Copy: gone\n"},
    {.name = "nothing of a run that goes on", .status = STATUS("Copying", "", ""), .want = ""},
};
/* clang-format on */

static void ends_with_a_sentence_for_people(void **state)
{
    const struct result_row *row = *state;
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of(row->status);
    AUTO_BUF struct buf out = BUF_MAX(64 * KIB);

    progress_text_result(status, &out);
    assert_text_equal(buf_text(&out), row->want);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, draws, picture_rows);
    TEST_ROWS(&tests, tells_changes, change_rows);
    TEST(&tests, ends_with_one_line_for_programs);
    TEST(&tests, ends_with_one_line_even_without_a_status);
    TEST_ROWS(&tests, ends_with_a_sentence_for_people, result_rows);
    return tests_run(&tests, "progress");
}
