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

/* --- what a password that RDS manages takes --- */

#define KEY "arn:aws:kms:ap-northeast-1:222222222222:"

static const struct managed_row {
    const char *name, *key;
    const char *resource; /* that kms:CreateGrant is allowed on; NULL: on none */
} managed_rows[] = {
    {"the key of AWS", NULL, NULL},
    {"a key", KEY "key/1", "[\"" KEY "key/1\"]"},
    {"a key by its alias", KEY "alias/staging", "[\"" KEY "key/*\"]"},
};

/* The resources of the statement that allows it; NULL: none does. */
static const struct json *resources_of(const struct json *policies, const char *action)
{
    json_each (statement, json_at(policies, "target.policy.Statement")) {
        json_each (item, json_member(statement, "Action")) {
            if (text_equal(json_get_text(item, NULL, ""), action))
                return json_member(statement, "Resource");
        }
    }
    return NULL;
}

static void grants_managed_passwords(void **state)
{
    const struct managed_row *row = *state;
    struct account target = {.account_id = (char[]){"222222222222"},
                             .region = (char[]){"ap-northeast-1"},
                             .vault_name = (char[]){"v"},
                             .role_arn = (char[]){"arn:aws:iam::222222222222:role/ours"},
                             .service_role_arn = (char[]){"arn:aws:iam::222222222222:role/backup"}};
    struct database_spec database = {
        .kind = DATABASE_AURORA,
        .from = FROM_TARGET_VAULT,
        .aurora = {
            .identifier_prefix = (char[]){"shop-stg"},
            .db_subnet_group = (char[]){"staging"},
            .password = {.kind = PASSWORD_RDS_MANAGED, .rds_managed_kms_key = (char *)(uintptr_t)row->key}}};
    const struct refresh_spec spec = {.databases = &database, .database_count = 1};
    AUTO_JSON struct json *policies = policies_make(&spec, &(struct accounts){.target = &target});

    assert_json_equal(resources_of(policies, "secretsmanager:CreateSecret"),
                      "[\"arn:aws:secretsmanager:ap-northeast-1:222222222222:secret:rds!cluster-*\"]");
    if (row->resource)
        assert_json_equal(resources_of(policies, "kms:CreateGrant"), row->resource);
    else
        assert_null(resources_of(policies, "kms:CreateGrant"));
    assert_int_equal(resources_of(policies, "kms:Decrypt") != NULL, row->key != NULL);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, tells_of_every_step);
    TEST(&tests, knows_every_operation);
    TEST_ROWS(&tests, grants_managed_passwords, managed_rows);
    return tests_run(&tests, "plan");
}
