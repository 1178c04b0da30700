/* Mistakes in the services' sections of a world file are named with their place. */
#include "tests/hack/awssim/services_world.h"

/* `rds` goes into the section rds; `more` behind the tables, where a section may follow. */
static const struct bad_row {
    const char *name, *rds, *more, *error;
} bad_rows[] = {
    {.name = "rds: unknown key", .rds = "    wrong: 1\n", .error = "accounts[0].rds.wrong: unknown key"},
    {.name = "rds: wrong type",
     .rds = "    passwordReset: {event: 1}\n",
     .error = "accounts[0].rds.passwordReset.event: expected true or false"},
    {.name = "rds: bad choice",
     .rds = "    secondTarget: Maybe\n",
     .error = "must be one of: AlreadyRegistered InvalidCombination"},
    {.name = "rds: versions that are no list",
     .rds = "    engineVersions: {aurora-mysql: '1'}\n",
     .error = "expected a list of versions"},
    {.name = "proxy without a cluster",
     .rds = "    - {name: p2, engineFamily: MYSQL, vpc: v, securityGroups: [], role: r, auth: [], target: "
            "nope}\n",
     .error = "accounts[0].rds.proxies[1]: there is no cluster nope"},
    {.name = "proxy with an unknown secret",
     .rds = "    - {name: p2, engineFamily: MYSQL, vpc: v, securityGroups: [], role: r, auth: [{secret: "
            "nope}]}\n",
     .error = "accounts[0].rds.proxies[1].auth[0]: there is no secret nope"},
    {.name = "proxy of an unknown family",
     .rds = "    - {name: p2, engineFamily: ORACLE, vpc: v, securityGroups: [], role: r, auth: []}\n",
     .error = "must be one of: MYSQL POSTGRESQL"},
    {.name = "table without a key",
     .more = "    - {name: abc}\n",
     .error = "dynamodb.tables[2].hashKey: required"},
    {.name = "table with a bad name",
     .more = "    - {name: a/b, hashKey: 'id:S'}\n",
     .error = "dynamodb.tables[2]: 'a/b' is no name of a table"},
    {.name = "table twice", .more = "    - {name: plain, hashKey: 'id:S'}\n", .error = "already there"},
    {.name = "key of no type",
     .more = "    - {name: abc, hashKey: id, billingMode: PAY_PER_REQUEST}\n",
     .error = "a key is written as name:S"},
    {.name = "capacity is missing",
     .more = "    - {name: abc, hashKey: 'id:S'}\n",
     .error = "readUnits and writeUnits"},
    {.name = "index without a key",
     .more = "    - {name: abc, hashKey: 'id:S', billingMode: PAY_PER_REQUEST, indexes: [{name: xyz}]}\n",
     .error = "dynamodb.tables[2].indexes[0]: hashKey is required"},
    {.name = "unknown key of KMS",
     .more = "    - {name: abc, hashKey: 'id:S', billingMode: PAY_PER_REQUEST, encryption: CustomerManaged, "
             "key: nope}\n",
     .error = "dynamodb.tables[2]: there is no key nope"},
    {.name = "customer managed without a key",
     .more =
         "    - {name: abc, hashKey: 'id:S', billingMode: PAY_PER_REQUEST, encryption: CustomerManaged}\n",
     .error = "needs a key"},
    {.name = "parameter without a value",
     .more = "  ssm: {parameters: [{name: /x}]}\n",
     .error = "ssm.parameters[0].value: required"},
    {.name = "parameter twice",
     .more = "  ssm: {parameters: [{name: /x, value: a}, {name: /x, value: b}]}\n",
     .error = "ssm.parameters[1]: a parameter /x is already there"},
    {.name = "service without a task definition",
     .more = "  ecs: {clusters: [{name: c, services: [{name: s}]}]}\n",
     .error = "ecs.clusters[0].services[0].taskDefinition: required"},
    {.name = "rollout of a third kind",
     .more = "  ecs: {clusters: [{name: c, services: [{name: s, taskDefinition: 't:1', rollout: odd}]}]}\n",
     .error = "must be one of: good bad"},
};

static void test_bad_world(void **state)
{
    const struct bad_row *row = *state;
    AUTO_FREE char *text = services_world("", row->rds ? row->rds : "", row->more ? row->more : "");
    struct sim_options options = {
        .world = str_of(text), .world_name = "world.yaml", .world_ms = AWSSIM_WALL_MS, .seed = 1};
    struct sim *sim = NULL;
    struct err *err = awssim_new(&options, &sim);

    assert_err_contains(err, "world.yaml:");
    assert_fails(err, ERR_INVALID, row->error);
}

/* Sections that stand above, each as a small world of its own. */
static const struct small_row {
    const char *name, *section, *error;
} small_rows[] = {
    {.name = "secret with two values",
     .section = "  secretsmanager: {secrets: [{name: s, value: x, fields: {a: b}}]}\n",
     .error = "exactly one of value"},
    {.name = "secret without a value",
     .section = "  secretsmanager: {secrets: [{name: s}]}\n",
     .error = "exactly one of value"},
    {.name = "secret twice",
     .section = "  secretsmanager: {secrets: [{name: s, value: x}, {name: s, value: x}]}\n",
     .error = "already there"},
    {.name = "cluster without a subnet group",
     .section = "  rds: {clusters: [{id: a, engine: aurora-mysql, engineVersion: 8.0.x, masterUsername: a, "
                "masterPassword: b, "
                "subnetGroup: nope, securityGroups: []}]}\n",
     .error = "there is no subnet group nope"},
    {.name = "cluster of another engine",
     .section = "  rds: {clusters: [{id: a, engine: mysql}]}\n",
     .error = "must be one of: aurora-mysql aurora-postgresql"},
    {.name = "cluster with an unknown key",
     .section = "  rds: {subnetGroups: [{name: s, vpc: v}], clusters: [{id: a, engine: aurora-mysql, "
                "engineVersion: 8.0.x, "
                "masterUsername: a, masterPassword: b, subnetGroup: s, securityGroups: [], key: nope}]}\n",
     .error = "rds.clusters[0]: there is no key nope"},
    {.name = "instance twice",
     .section = "  rds: {subnetGroups: [{name: s, vpc: v}], clusters: [{id: a, engine: aurora-mysql, "
                "engineVersion: 8.0.x, "
                "masterUsername: a, masterPassword: b, subnetGroup: s, securityGroups: [], instances: [{id: "
                "i, class: c}, {id: i, "
                "class: c}]}]}\n",
     .error = "rds.clusters[0].instances[1]: an instance i is already there"},
};

static void test_small_world(void **state)
{
    const struct small_row *row = *state;
    AUTO_FREE char *text =
        xasprintf("accounts:\n- id: '" STG "'\n  name: one\n  region: ap-northeast-1\n%s", row->section);
    struct sim_options options = {
        .world = str_of(text), .world_name = "world.yaml", .world_ms = AWSSIM_WALL_MS, .seed = 1};
    struct sim *sim = NULL;

    assert_fails(awssim_new(&options, &sim), ERR_INVALID, row->error);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, test_bad_world, bad_rows);
    TEST_ROWS(&tests, test_small_world, small_rows);
    return tests_run(&tests, "awssim services' world");
}
