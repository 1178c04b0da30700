/* Which fields may change while a run is under way, and which are frozen into it. */
#include "tests/pkg/refresh/spec_edit.h"

struct row {
    const char *name;
    const char *at, *to; /* the member, and its new value as JSON; NULL removes it */
};

/* clang-format off */
static const struct row same_rows[] = {
    {.name = "same: untouched"},
    {.name = "same: trigger", .at = "trigger", .to = "\"tomorrow\""},
    {.name = "same: suspend", .at = "suspend", .to = "true"},
    {.name = "same: policy", .at = "switchover.policy", .to = "\"Automatic\""},
    {.name = "same: window", .at = "switchover.window"},
    {.name = "same: backoffLimit", .at = "backoffLimit", .to = "0"},
    {.name = "same: timeouts", .at = "timeouts", .to = "{\"copy\":\"1h\"}"},
    {.name = "same: retention", .at = "retention"},
    {.name = "same: deletionPolicy", .at = "deletionPolicy", .to = "\"Retain\""},
    {.name = "same: ttl", .at = "ttlSecondsAfterFinished"},
    {.name = "same: default written down", .at = "databases[2].recoveryPoint", .to = "{\"from\":\"New\"}"},
    {.name = "same: default of a hook written down", .at = "hooks.afterSwitchover[0].timeout", .to = "\"60m\""},
    {.name = "same: default of a restore", .at = "databases[3].aurora.restore.backupRetentionDays", .to = "1"},
};
static const struct row other_rows[] = {
    {.name = "other: source", .at = "sourceRef.name", .to = "\"b\""},
    {.name = "other: target", .at = "targetRef.name", .to = "\"b\""},
    {.name = "other: series", .at = "series", .to = "\"b\""},
    {.name = "other: a database's prefix", .at = "databases[0].aurora.restore.identifierPrefix", .to = "\"b\""},
    {.name = "other: a database more", .at = "databases", .to = "[]"},
    {.name = "other: a hook's policy", .at = "hooks.afterSwitchover[0].onFailure", .to = "\"Stop\""},
    {.name = "other: a parameter's value", .at = "switchover.parameters[0].value", .to = "\"b\""},
    {.name = "other: differences", .at = "switchover.differences"},
    {.name = "other: concurrencyPolicy", .at = "concurrencyPolicy"},
};
/* clang-format on */

static bool same_as_full(const struct row *row)
{
    AUTO_JSON struct json *a = full_spec(), *b = full_spec();

    if (row->at)
        edit(b, row->at, row->to);
    return refresh_same_frozen(a, b);
}

static void live_fields_do_not_matter(void **state)
{
    assert_true(same_as_full(*state));
}

static void frozen_fields_matter(void **state)
{
    assert_false(same_as_full(*state));
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, live_fields_do_not_matter, same_rows);
    TEST_ROWS(&tests, frozen_fields_matter, other_rows);
    return tests_run(&tests, "spec_frozen");
}
