/* Whose recovery point is taken out of the target's vault, which holds those of many accounts. */
#include "controller/steps/recovery_point.h"

#include "pkg/aws/backup.h"
#include "tests/pkg/aws/fixture.h"
#include "tests/testing/assertions.h"

#define SHOP "111111111111"
#define PAYROLL "333333333333"
#define JAPAN "ap-northeast-1"
#define VIRGINIA "us-east-1"

#define ACCOUNT_OF(usage, id, region, grant)                                                               \
    "{\"metadata\":{\"name\":\"a" id "\"},\"spec\":{\"accountID\":\"" id "\",\"region\":\"" region         \
    "\",\"usage\":\"" usage "\",\"backup\":{\"vaultName\":\"vault\",\"serviceRoleARN\":\"arn:aws:iam::" id \
    ":role/r\"},\"grants\":[" grant "]}}"
#define SOURCE(id, region, grant) ACCOUNT_OF("Source", id, region, grant)
#define GRANT(namespace, target, type, name)                                              \
    "{\"name\":\"g\",\"namespaces\":[\"" namespace "\"],\"targets\":[\"" target           \
                                                   "\"],\"resources\":[{\"type\":\"" type \
                                                   "\",\"names\":[\"" name "\"]}]}"
#define GRANTED GRANT("team-a", "staging", "DynamoDBTable", "orders-*")
#define TARGET_GRANT                                                                                        \
    "{\"name\":\"g\",\"namespaces\":[\"team-a\"],\"resources\":[{\"type\":\"DynamoDBTable\",\"names\":[\"*" \
    "\"]}]}"

/* Of a table called orders-2. */
#define POINT(name, region, account, ago)                                                \
    "{\"RecoveryPointArn\":\"arn:aws:backup:" JAPAN ":222222222222:recovery-point:" name \
    "\",\"Status\":\"COMPLETED\",\"ResourceArn\":\"arn:aws:dynamodb:" region ":" account \
    ":table/orders-2\",\"CreationDate\":" ago "}"
#define OLD "1795359600"    /* an hour ago */
#define NEWER "1795361400"  /* half an hour ago */
#define NEWEST "1795362900" /* five minutes ago */

struct row {
    const char *name;
    const char *accounts[3];
    const char *points;
    const char *taken; /* the end of its ARN; NULL: none */
    const char *fails; /* the end of what is said */
    bool has_source, without_grants;
};

#define OF_BOTH POINT("shop", JAPAN, SHOP, OLD) "," POINT("payroll", JAPAN, PAYROLL, NEWEST)
#define OF_PAYROLL POINT("payroll", JAPAN, PAYROLL, OLD)
#define NOT_GRANTED                                                                                          \
    "made within 1d0h and is granted; the newest is of account " PAYROLL " in " JAPAN ": ask your platform " \
    "team for a grant of DynamoDBTable orders-2 to namespace team-a with target staging in the AWSAccount "  \
    "(usage Source) of that account and Region"

static const struct row rows[] = {
    {.name = "the newest is granted",
     .accounts = {SOURCE(PAYROLL, JAPAN, GRANTED)},
     .points = OF_BOTH,
     .taken = "payroll"},
    {.name = "the newest is not granted",
     .accounts = {SOURCE(PAYROLL, JAPAN, ""), SOURCE(SHOP, JAPAN, GRANTED)},
     .points = OF_BOTH,
     .taken = "shop"},
    {.name = "two accounts grant it",
     .accounts = {SOURCE(SHOP, JAPAN, GRANTED), SOURCE(PAYROLL, JAPAN, GRANTED)},
     .points = POINT("payroll", JAPAN, PAYROLL, OLD) "," POINT("shop", JAPAN, SHOP, NEWER),
     .taken = "shop"},
    {.name = "granted in another Region",
     .accounts = {SOURCE(SHOP, JAPAN, GRANTED)},
     .points = POINT("japan", JAPAN, SHOP, OLD) "," POINT("virginia", VIRGINIA, SHOP, NEWEST),
     .taken = "japan"},
    {.name = "none is granted",
     .accounts = {SOURCE(SHOP, JAPAN, GRANTED)},
     .points = OF_PAYROLL,
     .fails = NOT_GRANTED},
    {.name = "granted to another namespace",
     .accounts = {SOURCE(PAYROLL, JAPAN, GRANT("team-b", "staging", "DynamoDBTable", "orders-*"))},
     .points = OF_PAYROLL,
     .fails = NOT_GRANTED},
    {.name = "granted for another target",
     .accounts = {SOURCE(PAYROLL, JAPAN, GRANT("team-a", "demo", "DynamoDBTable", "orders-*"))},
     .points = OF_PAYROLL,
     .fails = NOT_GRANTED},
    {.name = "a cluster of that name is granted",
     .accounts = {SOURCE(PAYROLL, JAPAN, GRANT("team-a", "staging", "AuroraCluster", "orders-*"))},
     .points = OF_PAYROLL,
     .fails = NOT_GRANTED},
    {.name = "granted by a target",
     .accounts = {ACCOUNT_OF("Target", PAYROLL, JAPAN, TARGET_GRANT)},
     .points = OF_PAYROLL,
     .fails = NOT_GRANTED},
    {.name = "granted by what cannot be read",
     .accounts = {"{\"metadata\":{\"name\":\"x\"},\"spec\":{\"usage\":\"Source\"}}"},
     .points = OF_PAYROLL,
     .fails = NOT_GRANTED},
    {.name = "there is none of that name",
     .accounts = {SOURCE(SHOP, JAPAN, GRANTED)},
     .points = "",
     .fails = "made within 1d0h"},
    {.name = "grants do not apply", .points = OF_BOTH, .taken = "payroll", .without_grants = true},
    {.name = "a source", .points = OF_BOTH, .taken = "shop", .has_source = true},
    {.name = "a source in another Region",
     .points = POINT("virginia", VIRGINIA, SHOP, NEWEST),
     .fails = "made within 1d0h",
     .has_source = true},
    {.name = "a source, where grants do not apply",
     .points = OF_BOTH,
     .taken = "shop",
     .has_source = true,
     .without_grants = true},
};

struct shelf {
    struct objects base;
    const struct row *row;
};

static void show_accounts(struct objects *self, enum object_kind kind UNUSED, const char *group UNUSED,
                          objects_see_fn *see, void *arg)
{
    const struct row *row = ((struct shelf *)self)->row;
    bool go_on = true;

    for (size_t i = 0; i < COUNT_OF(row->accounts) && row->accounts[i] && go_on; i++) {
        AUTO_JSON struct json *object = NULL;

        assert_no_err(json_parse(str_of(row->accounts[i]), NULL, &object));
        go_on = see(arg, object);
    }
}

static void picks(void **state)
{
    static const struct objects_ops ops = {.each = show_accounts};
    const struct row *row = *state;
    struct shelf shelf = {.base = {.ops = &ops, .grants_apply = !row->without_grants}, .row = row};
    AUTO_FREE char *reply = xasprintf("{\"RecoveryPoints\":[%s]}", row->points);
    const struct exchange exchanges[] = {{.reply = reply}};
    struct account source = {.account_id = (char[]){SHOP}, .region = (char[]){JAPAN}},
                   target = {.account_id = (char[]){FIXTURE_ACCOUNT}, .vault_name = (char[]){"v"}};
    struct refresh_spec spec = {.target = (char[]){"staging"}};
    const struct database_spec database = {.kind = DATABASE_DYNAMODB,
                                           .from = FROM_TARGET_VAULT,
                                           .max_age_ms = HOURS(24),
                                           .dynamodb = {.table_name = (char[]){"orders-2"}}};
    struct step_status step = {.name = NULL};
    struct database_status copy = {.name = NULL};
    struct fixture f;

    fixture_init(&f, AWS_TARGET, exchanges, 1);
    struct pass pass = {.env = &f.t.env,
                        .objects = &shelf.base,
                        .namespace = "team-a",
                        .spec = &spec,
                        .source_account = row->has_source ? &source : NULL,
                        .target_account = &target,
                        .target = f.aws,
                        .now_ms = TESTING_WALL_MS};
    struct stage stage = {.pass = &pass, .row = &step, .database = &database, .copy = &copy};

    if (row->taken)
        assert_no_err(recovery_point_pick(&stage));
    else
        assert_fails(recovery_point_pick(&stage), ERR_INVALID, row->fails);
    assert_int_equal(step.state, row->taken ? STEP_SKIPPED : STEP_WAITING);
    if (row->taken)
        assert_text_contains(copy.copy_recovery_point_arn, row->taken);
    else
        assert_text_equal(copy.copy_recovery_point_arn, NULL);
    xfree(step.message);
    xfree(copy.copy_recovery_point_arn);
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, picks, rows);
    return tests_run(&tests, "recovery_point");
}
