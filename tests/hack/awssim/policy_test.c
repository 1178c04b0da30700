#include "hack/awssim/core.h"
#include "tests/testing/assertions.h"

#define ROLE "arn:aws:iam::111111111111:role/copier"
#define ALLOW(principal, rest) \
    "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"backup:Copy\",\"Principal\":" principal rest "}]}"

static const struct row {
    const char *name, *policy;
    bool allowed;
} rows[] = {
    {.name = "no statement", .policy = "{}"},
    {.name = "everybody", .policy = ALLOW("\"*\"", ""), .allowed = true},
    {.name = "the account's root",
     .policy = ALLOW("{\"AWS\":\"arn:aws:iam::111111111111:root\"}", ""),
     .allowed = true},
    {.name = "the account's number", .policy = ALLOW("{\"AWS\":\"111111111111\"}", ""), .allowed = true},
    {.name = "the role, in a list", .policy = ALLOW("{\"AWS\":[\"x\",\"" ROLE "\"]}", ""), .allowed = true},
    {.name = "another account", .policy = ALLOW("{\"AWS\":\"arn:aws:iam::222222222222:root\"}", "")},
    {.name = "a service", .policy = ALLOW("{\"Service\":\"backup.amazonaws.com\"}", "")},
    {.name = "the organisation",
     .policy =
         ALLOW("\"*\"", ",\"Condition\":{\"StringEquals\":{\"aws:PrincipalOrgID\":[\"o-x\",\"o-one\"]}}"),
     .allowed = true},
    {.name = "another organisation",
     .policy = ALLOW("\"*\"", ",\"Condition\":{\"StringEquals\":{\"aws:PrincipalOrgID\":\"o-x\"}}")},
    {.name = "a path in the organisation",
     .policy = ALLOW("\"*\"",
                     ",\"Condition\":{\"ForAnyValue:StringLike\":{\"aws:PrincipalOrgPaths\":\"o-one/*\"}}"),
     .allowed = true},
    {.name = "a condition that is not understood",
     .policy = ALLOW("\"*\"", ",\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":\"vpc-1\"}}")},
    {.name = "an operator that is not understood",
     .policy = ALLOW("\"*\"", ",\"Condition\":{\"StringNotEquals\":{\"aws:PrincipalOrgID\":\"o-one\"}}")},
    {.name = "another action",
     .policy = "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"backup:Delete\",\"Principal\":\"*\"}}"},
    {.name = "one statement without a list, actions in one",
     .policy =
         "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":[\"a\",\"backup:Copy\"],\"Principal\":\"*\"}}",
     .allowed = true},
    {.name = "denied after all",
     .policy = "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"backup:Copy\",\"Principal\":\"*\"},"
               "{\"Effect\":\"Deny\",\"Action\":\"backup:Copy\",\"Principal\":{\"AWS\":\"" ROLE "\"}}]}"},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    AUTO_JSON struct json *policy = NULL;
    struct policy_question question = {.action = "backup:Copy",
                                       .principal_arn = ROLE,
                                       .account_id = "111111111111",
                                       .organization = "o-one"};

    assert_no_err(json_parse(str_of(row->policy), NULL, &policy));
    assert_int_equal(sim_policy_allows(policy, &question), row->allowed);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, test_row, rows);
    return tests_run(&tests, "awssim policy");
}
