#include "controller/steps/differences.h"

#include "tests/testing/assertions.h"

struct row {
    const char *name;
    enum differences_policy policy;
    const char *wanted, *is;
    enum verdict verdict;
    const char *evidence;
};

static const struct row rows[] = {
    {"equal", DIFFERENCES_FAIL, "a", "a", VERDICT_DONE, NULL},
    {"nothing wanted", DIFFERENCES_FAIL, NULL, "a", VERDICT_DONE, NULL},
    {"reported", DIFFERENCES_REPORT, "a", "b", VERDICT_DONE, "its key is b instead of a"},
    {"stops", DIFFERENCES_FAIL, "a", NULL, VERDICT_FAILED, "its key is absent instead of a"},
};

static void settles(void **state)
{
    const struct row *row = *state;
    struct refresh_spec spec = {.differences = row->policy};
    struct pass pass = {.spec = &spec};
    struct step_status status = {0};
    struct database_status copy = {.copy_identifier = (char[]){"copy"}};
    struct stage stage = {.pass = &pass, .row = &status, .copy = &copy};
    AUTO_BUF struct buf list = BUF_MAX(DIFFERENCES_MAX);
    AUTO_OUTCOME struct outcome out = {0};

    differences_add(&list, "its key", row->wanted, row->is);
    differences_settle(&stage, &list, &out);
    assert_number(out.verdict, row->verdict);
    assert_text_equal(step_evidence(&status, DIFFERENCES_EVIDENCE), row->evidence);
    json_free(status.evidence);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, settles, rows);
    return tests_run(&tests, "differences");
}
