/* The engine: any property, equal, different, absent on either side, put right or not. */
#include "controller/steps/differences.h"

#include "tests/testing/assertions.h"

struct thing {
    char *colour;
};

/* What the only row of the table does when it is put right. */
enum deed { CANNOT, WORKS, IS_REFUSED, FAILS, CHANGES_NOTHING };

static char *colour_of(const void *facts)
{
    return xstrdup_or_null(((const struct thing *)facts)->colour);
}

static char *asked_colour(const struct sides *sides)
{
    return xstrdup_or_null(sides->part);
}

static struct err *paint(const struct sides *sides, const char *wanted)
{
    struct thing *is = (struct thing *)(uintptr_t)sides->is;

    xfree(is->colour);
    is->colour = xstrdup(wanted);
    return NULL;
}

static struct err *refuse(const struct sides *sides UNUSED, const char *wanted UNUSED)
{
    return err_new(ERR_INVALID, "no such\ncolour");
}

static struct err *be_busy(const struct sides *sides UNUSED, const char *wanted UNUSED)
{
    return err_new(ERR_RETRY, "busy");
}

static struct err *nothing(const struct sides *sides UNUSED, const char *wanted UNUSED)
{
    return NULL;
}

struct row {
    const char *name;
    const char *asked, *model, *is, *in_use;
    enum deed deed;
    bool follows;
    enum differences_policy policy;
    enum verdict verdict;
    const char *differences, *remarks;
};

static const struct row rows[] = {
    {.name = "equal", .asked = "red", .is = "red", .in_use = "red"},
    {.name = "nothing asked", .is = "red"},
    {.name = "nothing asked and nothing there"},
    {.name = "different, put right", .asked = "red", .is = "blue", .deed = WORKS},
    {.name = "absent, put right", .asked = "red", .deed = WORKS},
    {.name = "different, reported",
     .asked = "red",
     .is = "blue",
     .verdict = VERDICT_DONE,
     .differences = "its colour is blue instead of red"},
    {.name = "absent, reported", .asked = "red", .differences = "its colour is absent instead of red"},
    {.name = "different, stops",
     .asked = "red",
     .is = "blue",
     .policy = DIFFERENCES_FAIL,
     .verdict = VERDICT_FAILED,
     .differences = "its colour is blue instead of red"},
    {.name = "equal under Fail", .asked = "red", .is = "red", .policy = DIFFERENCES_FAIL},
    {.name = "refused by AWS",
     .asked = "red",
     .is = "blue",
     .deed = IS_REFUSED,
     .differences = "its colour is blue instead of red (cannot be changed: no such colour)"},
    {.name = "never comes into force",
     .asked = "red",
     .is = "blue",
     .deed = CHANGES_NOTHING,
     .differences = "its colour is blue instead of red"},
    {.name = "the model counts where the spec is silent",
     .model = "red",
     .is = "blue",
     .follows = true,
     .deed = WORKS},
    {.name = "the spec wins over the model",
     .asked = "red",
     .model = "green",
     .is = "blue",
     .follows = true,
     .differences = "its colour is blue instead of red"},
    {.name = "a model that is not followed", .model = "red", .is = "blue"},
    {.name = "a model that says nothing", .follows = true, .is = "blue"},
    {.name = "another than the copy in use, as asked",
     .asked = "red",
     .is = "red",
     .in_use = "blue",
     .policy = DIFFERENCES_FAIL,
     .remarks = "its colour is red, the copy in use has blue"},
    {.name = "absent, unlike the copy in use",
     .in_use = "blue",
     .remarks = "its colour is absent, the copy in use has blue"},
    {.name = "the copy in use says nothing", .is = "red"},
};

static struct err *(*const deeds[])(const struct sides *, const char *) = {
    [CANNOT] = NULL, [WORKS] = paint, [IS_REFUSED] = refuse, [FAILS] = be_busy, [CHANGES_NOTHING] = nothing};

static struct property property_of(const struct row *row)
{
    return (struct property){.name = "colour",
                             .asked = asked_colour,
                             .of = colour_of,
                             .follows = row->follows,
                             .put_right = deeds[row->deed]};
}

static void settles(void **state)
{
    const struct row *row = *state;
    const struct property property = property_of(row);
    const struct property_table table = {&property, 1};
    struct refresh_spec spec = {.differences = row->policy};
    struct pass pass = {.spec = &spec};
    struct step_status status = {0};
    struct database_status copy = {.copy_identifier = (char[]){"copy"}};
    struct stage stage = {.pass = &pass, .row = &status, .copy = &copy};
    struct thing is = {xstrdup_or_null(row->is)}, in_use = {(char *)(uintptr_t)row->in_use},
                 model = {(char *)(uintptr_t)row->model};
    const struct sides sides = {.stage = &stage,
                                .part = row->asked,
                                .is = &is,
                                .model = row->model ? &model : NULL,
                                .in_use = row->in_use ? &in_use : NULL};
    AUTO_FINDINGS struct findings findings = FINDINGS;
    AUTO_OUTCOME struct outcome out = {0};
    const char *name = NULL;
    int looks = 0;

    do {
        name = NULL;
        assert_no_err(differences_put_right(&table, &sides, &name));
        looks++;
    } while (name && looks < 20);
    assert_true(looks < 20);
    differences_find(&table, &sides, &findings);
    differences_settle(&stage, &findings, &out);
    assert_number(out.verdict, row->verdict ? row->verdict : VERDICT_DONE);
    assert_text_equal(step_evidence(&status, DIFFERENCES_EVIDENCE), row->differences);
    assert_text_equal(step_evidence(&status, REMARKS_EVIDENCE), row->remarks);
    json_free(status.evidence);
    xfree(is.colour);
}

/* Trouble that passes is the caller's: the next look tries again, and nothing is given up. */
static void passes_trouble_on(void **state UNUSED)
{
    const struct row row = {.deed = FAILS};
    const struct property property = property_of(&row);
    const struct property_table table = {&property, 1};
    struct step_status status = {0};
    struct stage stage = {.row = &status};
    struct thing is = {NULL};
    const struct sides sides = {.stage = &stage, .part = "red", .is = &is};
    const char *name = NULL;

    for (int i = 0; i < 9; i++)
        assert_fails(differences_put_right(&table, &sides, &name), ERR_RETRY, "set colour: busy");
    assert_null(name);
    assert_null(status.evidence);
}

/* Long lists are cut, not refused. */
static void keeps_within_its_room(void **state UNUSED)
{
    AUTO_FINDINGS struct findings findings = FINDINGS;

    for (int i = 0; i < 100; i++)
        differences_remark(&findings, "remark number %d of very many", i);
    assert_true(findings.remarks.len <= DIFFERENCES_MAX);
    assert_text_contains(buf_text(&findings.remarks), "remark number 0 of very many, remark number 1");
}

static void joins_and_parts(void **state UNUSED)
{
    const char *const items[] = {"slow", "audit", "error"};
    AUTO_FREE char *all = text_join(items, 3);
    AUTO_FREE char *none = text_join(NULL, 0);
    struct str parts[4];

    assert_text_equal(all, "audit, error, slow");
    assert_text_equal(none, "none");
    assert_number((int64_t)text_parts(all, "error", parts, 4), 2);
    assert_str_equal(parts[1], "slow");
    assert_number((int64_t)text_parts(all, "none", parts, 4), 3);
    assert_number((int64_t)text_parts("none", all, parts, 4), 0);
    assert_number((int64_t)text_parts(all, "none", parts, 2), 2);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, settles, rows);
    TEST(&tests, passes_trouble_on);
    TEST(&tests, keeps_within_its_room);
    TEST(&tests, joins_and_parts);
    return tests_run(&tests, "differences");
}
