#include "pkg/aws/backup.h"
#include "pkg/aws/protocol.h"
#include "pkg/aws/secretsmanager.h"
#include "pkg/aws/stepfunctions.h"
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

/* --- once more --- */

/* Written down a second time, too: what may have happened already and must not happen twice. */
static const char *const never_repeated[] = {
    "rds CreateDBInstance",      "rds RegisterDBProxyTargets", "dynamodb UpdateTable",
    "dynamodb UpdateTimeToLive", "ssm PutParameter",           "secretsmanager UpdateSecretVersionStage",
    "ecs UpdateService",
};

static bool is_never_repeated(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(never_repeated); i++) {
        if (text_equal(never_repeated[i], name))
            return true;
    }
    return false;
}

/* Every operation of the table, when the answer gets lost: nobody knows whether it was done. */
static void repeats_what_does_no_harm(void **state)
{
    static const struct exchange lost[] = {
        {.name = "who",
         .body = "Action=GetCallerIdentity&Version=2011-06-15",
         .times = -1,
         .reply = WHOAMI_REPLY(FIXTURE_ACCOUNT)},
        {.name = "lost", .times = -1, .fail = "connection reset"},
    };
    size_t once = 0;

    (void)state;
    for (int i = 0; i < AWS_OP_COUNT; i++) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};
        AUTO_FREE char *name = name_of((enum aws_op)i);
        struct fixture f;
        size_t sent;

        fixture_init_bare(&f, AWS_TARGET, lost, COUNT_OF(lost));
        assert_fails(aws_call(&f.aws, (enum aws_op)i, &(struct aws_input){.body = STR("{}")}, &reply),
                     ERR_RETRY, "connection reset");
        sent = script_sent_count(f.t.script);
        if (!aws_operation((enum aws_op)i)->is_unsigned)
            sent--; /* GetCallerIdentity, of the credentials */
        if ((sent == 1) != is_never_repeated(name))
            fail_msg("%s: was sent %zu times", name, sent);
        once += sent == 1;
        fixture_done(&f);
    }
    assert_number((int64_t)once, COUNT_OF(never_repeated));
}

static struct err *start_backup(const struct aws_client *aws)
{
    AUTO_FREE char *id = NULL;

    return backup_start_backup(aws, &(struct backup_start_opts){.vault_name = "v"}, &id);
}

static struct err *start_copy(const struct aws_client *aws)
{
    AUTO_FREE char *id = NULL;

    return backup_start_copy(aws, &(struct copy_start_opts){.token = ""}, &id);
}

static struct err *start_restore(const struct aws_client *aws)
{
    AUTO_FREE char *id = NULL;

    return backup_start_restore(aws, &(struct restore_start_opts){.resource_type = "Aurora"}, &id);
}

static struct err *put_value(const struct aws_client *aws)
{
    AUTO_SECRET struct secret *text = secret_new(STR("x"));

    return secretsmanager_put_value(aws, "s", NULL, text, NULL);
}

static struct err *stage_value(const struct aws_client *aws)
{
    AUTO_SECRET struct secret *text = secret_new(STR("x"));

    return secretsmanager_stage_value(
        aws, &(struct secretsmanager_put_opts){.secret_id = "s", .text = text, .stage = "l"});
}

static struct err *start_execution(const struct aws_client *aws)
{
    AUTO_JSON struct json *input = json_new_object();
    AUTO_FREE char *arn = NULL;

    return stepfunctions_start(aws, "arn:aws:states:r:1:stateMachine:m", NULL, input, &arn);
}

static const struct start_row {
    const char *name;
    struct err *(*start)(const struct aws_client *aws);
    const char *fails;
} starts[] = {
    {"StartBackupJob", start_backup, "StartBackupJob: a token is required"},
    {"StartCopyJob", start_copy, "StartCopyJob: a token is required"},
    {"StartRestoreJob", start_restore, "StartRestoreJob: a token is required"},
    {"PutSecretValue", put_value, "PutSecretValue: a token is required"},
    {"PutSecretValue with a label", stage_value, "PutSecretValue: a token is required"},
    {"StartExecution", start_execution, "StartExecution: a name is required"},
};

/* What is repeatable because of its token is not even sent without one. */
static void starts_nothing_without_a_token(void **state)
{
    static const struct exchange none[] = {{.name = "never", .times = -1, .status = 500}};
    const struct start_row *row = *state;
    struct fixture f;

    fixture_init_bare(&f, AWS_TARGET, none, COUNT_OF(none));
    assert_fails(row->start(&f.aws), ERR_INVALID, row->fails);
    assert_number((int64_t)script_sent_count(f.t.script), 0);
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, has_every_row);
    TEST(&tests, allows_exactly_the_list);
    TEST(&tests, refuses_everything_else_before_signing);
    TEST(&tests, repeats_what_does_no_harm);
    TEST_ROWS(&tests, starts_nothing_without_a_token, starts);
    return tests_run(&tests, "operation");
}
