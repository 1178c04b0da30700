#include "pkg/aws/protocol.h"
#include "tests/pkg/aws/fixture.h"

/* Written down a second time on purpose: whoever widens the list has to say so twice. */
static const char *const allowed_on_source[] = {
    "backup StartBackupJob",
    "backup DescribeBackupJob",
    "backup ListBackupJobs",
    "backup StopBackupJob",
    "backup StartCopyJob",
    "backup DescribeCopyJob",
    "backup ListCopyJobs",
    "backup DescribeRecoveryPoint",
    "backup ListRecoveryPointsByBackupVault",
    "backup DeleteRecoveryPoint",
    "backup ListTags",
    "backup DescribeBackupVault",
    "backup GetBackupVaultAccessPolicy",
    "backup DescribeRegionSettings",
    "backup DescribeGlobalSettings",
    "rds DescribeDBClusters",
    "rds DescribeDBInstances",
    "rds ListTagsForResource",
    "dynamodb DescribeTable",
    "dynamodb DescribeTimeToLive",
    "dynamodb DescribeContinuousBackups",
    "dynamodb ListTagsOfResource",
    "sts GetCallerIdentity",
    "sts AssumeRole",
    "kms DescribeKey",
    "kms GetKeyPolicy",
    "application-autoscaling DescribeScalableTargets",
    "application-autoscaling DescribeScalingPolicies",
};

static bool is_allowed(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(allowed_on_source); i++) {
        if (text_equal(allowed_on_source[i], name))
            return true;
    }
    return false;
}

static char *name_of(enum aws_op op)
{
    const struct aws_operation *operation = aws_operation(op);

    return xasprintf("%s %s", aws_service_info(operation->service)->name, operation->name);
}

static void has_every_row(void **state)
{
    (void)state;
    for (int i = 0; i < AWS_OP_COUNT; i++) {
        const struct aws_operation *operation = aws_operation((enum aws_op)i);

        assert_non_null(operation->name);
        assert_int_equal(aws_service_info(operation->service)->protocol == AWS_REST_JSON,
                         operation->method != NULL);
        for (int k = 0; k < i; k++)
            assert_false(aws_operation((enum aws_op)k)->service == operation->service &&
                         text_equal(aws_operation((enum aws_op)k)->name, operation->name));
    }
}

static void allows_exactly_the_list(void **state)
{
    size_t count = 0;

    (void)state;
    for (int i = 0; i < AWS_OP_COUNT; i++) {
        AUTO_FREE char *name = name_of((enum aws_op)i);

        if (aws_operation_on_source((enum aws_op)i) != is_allowed(name))
            fail_msg("%s: is %s on a Source", name, is_allowed(name) ? "not allowed" : "allowed");
        count += is_allowed(name);
    }
    assert_number((int64_t)count, COUNT_OF(allowed_on_source));
}

/* Every other operation of the table, through the one function that all typed ones use. Nothing is sent, not
 * even for credentials. */
static void refuses_everything_else_before_signing(void **state)
{
    static const struct exchange none[] = {{.name = "never", .times = -1, .status = 500}};
    struct fixture f;
    size_t refused = 0;

    (void)state;
    fixture_init_bare(&f, AWS_SOURCE, none, COUNT_OF(none));
    for (int i = 0; i < AWS_OP_COUNT; i++) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_FREE char *name = name_of((enum aws_op)i);
        struct err *err;

        if (aws_operation_on_source((enum aws_op)i))
            continue;
        err = aws_call(&f.aws, (enum aws_op)i, &(struct aws_input){.body = STR("{}")}, &reply);
        assert_err_kind(err, ERR_DENIED);
        assert_err_contains(err, name);
        assert_err_contains(err, "222222222222");
        assert_true(err_is_code(err, "RefusedOnSource"));
        err_free(err);
        refused++;
    }
    assert_number((int64_t)refused, (int64_t)(AWS_OP_COUNT - COUNT_OF(allowed_on_source)));
    assert_number((int64_t)script_sent_count(f.t.script), 0);
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, has_every_row);
    TEST(&tests, allows_exactly_the_list);
    TEST(&tests, refuses_everything_else_before_signing);
    return tests_run(&tests, "operation");
}
