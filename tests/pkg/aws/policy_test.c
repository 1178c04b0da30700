/* What the text of a resource policy says about one principal. */
#include "pkg/aws/policy.h"

#include "tests/testing/assertions.h"

#define ROLE "arn:aws:iam::111111111111:role/AWSBackupStagingRefresh"
#define STATEMENT(effect, principal, action) \
    "{\"Effect\":\"" effect "\",\"Principal\":" principal ",\"Action\":" action ",\"Resource\":\"*\"}"
#define CONDITIONAL(effect)                                                                      \
    "{\"Effect\":\"" effect "\",\"Principal\":\"*\",\"Action\":\"backup:*\",\"Resource\":\"*\"," \
    "\"Condition\":{\"StringEquals\":{\"aws:PrincipalOrgID\":\"o-1\"}}}"
#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":" statements "}"
#define COPY "\"backup:CopyIntoBackupVault\""

static const struct row {
    const char *name, *policy;
    enum policy_verdict want;
} rows[] = {
    {"the account", POLICY("[" STATEMENT("Allow", "{\"AWS\":\"arn:aws:iam::111111111111:root\"}", COPY) "]"),
     POLICY_ALLOWS},
    {"the role", POLICY("[" STATEMENT("Allow", "{\"AWS\":[\"x\",\"" ROLE "\"]}", COPY) "]"), POLICY_ALLOWS},
    {"one statement without a list", POLICY(STATEMENT("Allow", "\"*\"", "[" COPY "]")), POLICY_ALLOWS},
    {"another role", POLICY("[" STATEMENT("Allow", "{\"AWS\":\"" ROLE "X\"}", COPY) "]"), POLICY_SILENT},
    {"another account", POLICY("[" STATEMENT("Allow", "{\"AWS\":\"333333333333\"}", COPY) "]"),
     POLICY_SILENT},
    {"another action", POLICY("[" STATEMENT("Allow", "\"*\"", "\"backup:StartCopyJob\"") "]"), POLICY_SILENT},
    {"denied", POLICY("[" STATEMENT("Allow", "\"*\"", COPY) "," STATEMENT("Deny", "\"*\"", "\"*\"") "]"),
     POLICY_DENIES},
    {"under a condition", POLICY("[" CONDITIONAL("Allow") "]"), POLICY_PERHAPS},
    {"allowed, and perhaps denied", POLICY("[" STATEMENT("Allow", "\"*\"", COPY) "," CONDITIONAL("Deny") "]"),
     POLICY_PERHAPS},
    {"allowed anyhow", POLICY("[" STATEMENT("Allow", "\"*\"", COPY) "," CONDITIONAL("Allow") "]"),
     POLICY_ALLOWS},
    {"no statement", "{}", POLICY_SILENT},
};

static void reads(void **state)
{
    const struct row *row = *state;
    const struct policy_question question = {
        .action = "backup:CopyIntoBackupVault", .account_id = "111111111111", .role_arn = ROLE};
    enum policy_verdict got;

    assert_no_err(policy_ask(row->policy, &question, &got));
    assert_number(got, row->want);
}

static void refuses_what_is_no_policy(void **state UNUSED)
{
    const struct policy_question question = {.action = "a:b", .account_id = "1"};
    enum policy_verdict got;
    struct err *err = policy_ask("not JSON", &question, &got);

    assert_err_kind(err, ERR_INVALID);
    err_free(err);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, reads, rows);
    TEST(&tests, refuses_what_is_no_policy);
    return tests_run(&tests, "policy");
}
