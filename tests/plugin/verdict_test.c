#include "plugin/verdict.h"

#include "tests/plugin/plugin_testing.h"

#define ANSWERS ",\"request\":\"mine\""
#define RUN(id, more) "\"run\":{\"id\":\"" id "\",\"attempt\":1," START more "}"
#define SUCCEEDED \
    CONDITIONS(   \
        CONDITION("Succeeded", "True", "R", "") "," CONDITION("Ready", "True", "R", "staging uses them"))
#define FAILED \
    CONDITIONS(CONDITION("Succeeded", "False", "R", "") "," CONDITION("Ready", "False", "R", "no such vault"))
#define STALLED CONDITIONS(CONDITION("Stalled", "True", "R", "not granted"))
#define ASKED(value) ",\"annotations\":{\"stagingrefresh.dev/run-requested\":\"" value "\"}"

/* clang-format off */
static const struct row {
    const char *name, *status, *metadata, *before, *stalled;
    int64_t waited_ms;
    enum verdict_kind want;
    const char *sentence;
} rows[] = {
    {.name = "not seen yet", .metadata = ASKED("mine")},
    {.name = "the last run, which succeeded", .before = "r1", .metadata = ASKED("mine"),
     .status = STATUS("Succeeded", "", RUN("r1", "," END), SUCCEEDED)},
    {.name = "the last run, which failed", .before = "r1", .metadata = ASKED("mine"),
     .status = STATUS("Failed", "", RUN("r1", "," END), FAILED)},
    {.name = "under way", .before = "r1", .metadata = ASKED("mine"),
     .status = STATUS("Copying", "", RUN("r2", ANSWERS), "")},
    {.name = "blocked in its middle: the controller looks again", .before = "r1", .metadata = ASKED("mine"),
     .status = STATUS("Copying", "", RUN("r2", ANSWERS), STALLED)},
    {.name = "succeeded", .before = "r1", .metadata = ASKED("mine"), .want = VERDICT_SUCCEEDED, .sentence = "staging uses them",
     .status = STATUS("Succeeded", "", RUN("r2", ANSWERS "," END), SUCCEEDED)},
    {.name = "failed", .before = "r1", .metadata = ASKED("mine"), .want = VERDICT_FAILED, .sentence = "no such vault",
     .status = STATUS("Failed", "", RUN("r2", ANSWERS "," END), FAILED)},
    {.name = "a run that began just before ours and is not ours", .before = "", .metadata = ASKED("mine"),
     .status = STATUS("Succeeded", "", RUN("r1", "," END), SUCCEEDED)},
    {.name = "one run for many requests", .before = "r1", .metadata = ASKED("theirs"), .want = VERDICT_SUCCEEDED, .sentence = "staging uses them",
     .status = STATUS("Succeeded", "", RUN("r2", ",\"request\":\"theirs\"," END), SUCCEEDED)},
    {.name = "cannot begin", .before = "", .metadata = ASKED("mine"), .want = VERDICT_FAILED, .sentence = "not granted",
     .status = "{\"phase\":\"Stalled\",\"observedGeneration\":1" STALLED "}"},
    {.name = "could not begin, by an older spec", .before = "", .metadata = ASKED("mine"),
     .status = "{\"phase\":\"Stalled\",\"observedGeneration\":0" STALLED "}"},
    {.name = "was stalled before: it is tried again", .before = "", .metadata = ASKED("mine"), .stalled = "not granted", .waited_ms = SECONDS(29),
     .status = "{\"phase\":\"Stalled\",\"observedGeneration\":1" STALLED "}"},
    {.name = "was stalled before, and still is", .before = "", .metadata = ASKED("mine"), .stalled = "not granted", .waited_ms = SECONDS(30),
     .want = VERDICT_FAILED, .sentence = "not granted", .status = "{\"phase\":\"Stalled\",\"observedGeneration\":1" STALLED "}"},
    {.name = "was stalled before by something else", .before = "", .metadata = ASKED("mine"), .stalled = "no such vault",
     .want = VERDICT_FAILED, .sentence = "not granted", .status = "{\"phase\":\"Stalled\",\"observedGeneration\":1" STALLED "}"},
    {.name = "suspended", .before = "", .metadata = ASKED("mine"), .want = VERDICT_FAILED, .sentence = "no run begins while spec.suspend is true",
     .status = "{\"phase\":\"Suspended\",\"observedGeneration\":1}"},
};
/* clang-format on */

static void judges(void **state)
{
    const struct row *row = *state;
    AUTO_JSON struct json *object = object_of(row->status, row->metadata);
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of(object);
    const struct awaited awaited = {.request = "mine",
                                    .before = row->before ? row->before : "",
                                    .stalled = row->stalled,
                                    .waited_ms = row->waited_ms};
    struct verdict got = verdict_of(object, status, &awaited);

    assert_number(got.kind, row->want);
    assert_text_equal(got.sentence, row->sentence);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, judges, rows);
    return tests_run(&tests, "verdict");
}
