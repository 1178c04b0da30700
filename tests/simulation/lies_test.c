/* Looking at jobs when AWS does not say what is: a Describe that does not know yet what was just started,
 * lists that are refused or broken. */
#include "tests/simulation/invariants.h"
#include "tests/testing/assertions.h"

#define FAULT(operation, more) \
    "{\"match\": {\"service\": \"backup\", \"operation\": \"" operation "\", \"times\": 2}, " more "}"
#define UNKNOWN "\"action\": \"refuse\", \"code\": \"ResourceNotFoundException\""
#define DENIED "\"action\": \"refuse\", \"code\": \"AccessDeniedException\""

struct row {
    const char *name;
    const char *const *faults;
};

static const char *const not_known_yet[] = {FAULT("DescribeBackupJob", UNKNOWN),
                                            FAULT("DescribeCopyJob", UNKNOWN),
                                            FAULT("DescribeRestoreJob", UNKNOWN), NULL};
static const char *const lists_denied[] = {FAULT("ListBackupJobs", DENIED), FAULT("ListCopyJobs", DENIED),
                                           FAULT("ListRestoreJobs", DENIED), NULL};
static const char *const lists_broken[] = {FAULT("ListBackupJobs", "\"action\": \"error\""),
                                           FAULT("ListCopyJobs", "\"action\": \"drop-reply\""),
                                           FAULT("ListRestoreJobs", "\"action\": \"throttle\""), NULL};

static const struct row rows[] = {
    {"a Describe that does not know the job yet", not_known_yet},
    {"lists that are denied", lists_denied},
    {"lists that break", lists_broken},
};

static void succeeds_all_the_same(void **state)
{
    const struct row *row = *state;
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = 5, .faults = row->faults});
    AUTO_FREE char *faults = NULL;

    scenario_run(scenario);
    faults = check_all(scenario);
    assert_text_equal(faults, NULL);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, succeeds_all_the_same, rows);
    return tests_run(&tests, "lies");
}
