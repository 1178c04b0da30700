/* That nothing is forgotten: each step is told of, each operation is somebody's to grant. */
#include "controller/plan.h"

#include "controller/pass.h"
#include "controller/policies.h"
#include "tests/testing/assertions.h"

static void assert_told(const struct step_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (!plan_knows(table->steps[i].name))
            fail_msg("plan does not tell of step %s", table->steps[i].name);
    }
}

static void tells_of_every_step(void **state UNUSED)
{
    assert_told(workflow_pipeline(DATABASE_AURORA));
    assert_told(workflow_pipeline(DATABASE_DYNAMODB));
    assert_told(workflow_switchover());
}

static void knows_every_operation(void **state UNUSED)
{
    for (int op = 0; op < AWS_OP_COUNT; op++) {
        if (!policies_know((enum aws_op)op))
            fail_msg("policies say nothing of %s", aws_operation((enum aws_op)op)->name);
    }
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, tells_of_every_step);
    TEST(&tests, knows_every_operation);
    return tests_run(&tests, "plan");
}
