/* Accounts that no run may start with. */
#include "controller/admit.h"
#include "tests/testing/testing_env.h"

#define ROLE(partition, account) "arn:" partition ":iam::" account ":role/r"

struct side {
    const char *region, *role, *service_role;
};

#define JAPAN(account)                                               \
    {                                                                \
        "ap-northeast-1", ROLE("aws", account), ROLE("aws", account) \
    }
#define CHINA(account)                                                 \
    {                                                                  \
        "cn-north-1", ROLE("aws-cn", account), ROLE("aws-cn", account) \
    }
#define GOV(account)                                                              \
    {                                                                             \
        "us-gov-west-1", ROLE("aws-us-gov", account), ROLE("aws-us-gov", account) \
    }
#define A "111111111111"
#define B "222222222222"

struct row {
    const char *name;
    struct side source, target;
    enum recovery_from from;
    const char *reason, *message; /* NULL: admitted */
};

static const struct row rows[] = {
    {"one partition", JAPAN(A), JAPAN(B), FROM_NEW, NULL, NULL},
    {"GovCloud", GOV(A), GOV(B), FROM_NEW, NULL, NULL},
    {"no role to assume", {"ap-northeast-1", NULL, ROLE("aws", A)}, JAPAN(B), FROM_NEW, NULL, NULL},
    {"a role of another partition",
     JAPAN(A),
     {"cn-north-1", ROLE("aws", B), ROLE("aws-cn", B)},
     FROM_NEW,
     "OtherPartition",
     "AWSAccount staging: spec.credentials.assumeRole.roleARN is " ROLE(
         "aws", B) ", but Region cn-north-1 is of "
                   "partition aws-cn: a role begins with arn:aws-cn: there"},
    {"a service role of another partition",
     {"us-gov-west-1", ROLE("aws-us-gov", A), ROLE("aws", A)},
     GOV(B),
     FROM_NEW,
     "OtherPartition",
     "AWSAccount production: spec.backup.serviceRoleARN is " ROLE("aws", A)},
    {"two partitions", JAPAN(A), GOV(B), FROM_NEW, "OtherPartition",
     "AWSAccount production is in partition aws and staging in aws-us-gov"},
    {"China", CHINA(A), CHINA(B), FROM_SOURCE_VAULT, "CopiesNotOffered",
     "AWS Backup copies nothing between accounts in the China Regions"},
    {"China, and nothing is to be copied", CHINA(A), CHINA(B), FROM_TARGET_VAULT, NULL, NULL},
};

static struct json *object_of(const char *name, const char *id, const char *usage, const struct side *side)
{
    AUTO_FREE char *credentials =
        side->role ? xasprintf("\"credentials\":{\"assumeRole\":{\"roleARN\":\"%s\"}},", side->role)
                   : xstrdup("");
    AUTO_FREE char *text = xasprintf(
        "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"accountID\":\"%s\",\"region\":\"%s\",\"usage\":\"%s\",%s"
        "\"backup\":{\"vaultName\":\"vault\",\"serviceRoleARN\":\"%s\"}}}",
        name, id, side->region, usage, credentials, side->service_role);
    struct json *object = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &object));
    return object;
}

struct shelf {
    struct objects base;
    const struct row *row;
};

static struct err *read_account(struct objects *self, const struct env *env UNUSED,
                                const struct object_id *id, struct json **ret)
{
    const struct row *row = ((struct shelf *)self)->row;

    *ret = text_equal(id->name, "production") ? object_of("production", A, "Source", &row->source)
                                              : object_of("staging", B, "Target", &row->target);
    return NULL;
}

static void show_none(struct objects *self UNUSED, enum object_kind kind UNUSED, const char *group UNUSED,
                      objects_see_fn *see UNUSED, void *arg UNUSED)
{
}

static void admits(void **state)
{
    static const struct objects_ops ops = {.read = read_account, .each = show_none};
    const struct row *row = *state;
    struct shelf shelf = {.base.ops = &ops, .row = row};
    struct database_spec database = {.from = row->from};
    const struct refresh_spec spec = {.source = (char[]){"production"},
                                      .target = (char[]){"staging"},
                                      .databases = &database,
                                      .database_count = 1};
    AUTO_ACCOUNTS struct accounts accounts = {0};
    AUTO_REFUSAL struct refusal refusal = {0};
    struct testing_env t;

    testing_env_init(&t, 1, NULL, 0, NULL);
    assert_no_err(admit_accounts(&shelf.base, &t.env, &spec, &accounts, &refusal));
    if (!row->reason)
        assert_text_equal(refusal.message, NULL);
    assert_text_equal(refusal.reason, row->reason);
    if (row->reason)
        assert_text_contains(refusal.message, row->message);
    else
        assert_non_null(accounts.target);
    testing_env_done(&t);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, admits, rows);
    return tests_run(&tests, "admit");
}
