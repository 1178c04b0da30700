/* Every property that the Settings step compares, on its own: the step alone runs, against the simulator, on
 * a copy that is there already, beside a copy in use. */
#include "controller/steps/differences.h"
#include "controller/steps/in_use.h"
#include "controller/steps/steps.h"
#include "tests/simulation/step_bench.h"
#include "tests/testing/assertions.h"
#include "tests/testing/fill_gaps.h"

#define KEY_ARN "arn:aws:kms:ap-northeast-1:222222222222:key/key-stg"
#define ALIAS_ARN "arn:aws:kms:ap-northeast-1:222222222222:alias/staging"
#define OF_AWS "by a key that AWS owns"

/* --- a world with a copy and the copy in use; what a row adds wins --- */

static const char world_format[] =
    "durations: {rds: {modify: 1s}, dynamodb: {update: 1s, continuousBackups: 0s}}\n"
    "accounts:\n"
    "- id: '222222222222'\n"
    "  name: staging\n"
    "  region: ap-northeast-1\n"
    "  iam: {users: [{name: me, accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}], allow: ['*']}]}\n"
    "  kms: {keys: [{id: key-stg, alias: alias/staging}, {id: key-two, alias: alias/two}]}\n"
    "  backup: {vaults: [{name: vault, key: alias/staging}]}\n"
    "  rds:\n"
    "    subnetGroups: [{name: staging, vpc: vpc-1}, {name: other, vpc: vpc-1}]\n"
    "    securityGroups: [{id: sg-11111111, vpc: vpc-1}, {id: sg-22222222, vpc: vpc-1}]\n"
    "    clusterParameterGroups: [{name: my8, family: aurora-mysql8.0}, {name: other8, family: "
    "aurora-mysql8.0}]\n"
    "    clusters:\n"
    "    - {id: copy, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, masterUsername: admin,\n"
    "       masterPassword: x, key: alias/staging, %s}\n"
    "    - {id: used, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, masterUsername: admin,\n"
    "       masterPassword: x, key: alias/staging, %s}\n"
    "  dynamodb:\n"
    "    tables:\n"
    "    - {name: copy, hashKey: 'id:S', %s}\n"
    "    - {name: used, hashKey: 'id:S', %s}\n"
    "  applicationAutoScaling: {targets: [%s]}\n"
    "- id: '111111111111'\n"
    "  name: production\n"
    "  region: ap-northeast-1\n"
    "  dynamodb: {tables: [{name: source, hashKey: 'id:S', billingMode: PAY_PER_REQUEST, %s}]}\n"
    "  iam: {roles: [{name: reader, trust: [{principal: 'arn:aws:iam::222222222222:user/me'}], allow: "
    "['*']}]}\n";

#define CLUSTER                                                                               \
    "subnetGroup: staging, securityGroups: [sg-11111111], parameterGroup: my8, instances: [{" \
    "id: copy-a, class: db.r6g.large, promotionTier: 1}]"
#define USED                                                                                  \
    "subnetGroup: staging, securityGroups: [sg-11111111], parameterGroup: my8, instances: [{" \
    "id: used-a, class: db.r6g.large, promotionTier: 1}]"
#define ON_DEMAND "billingMode: PAY_PER_REQUEST"

static const char cluster_spec[] =
    "{\"name\":\"main\",\"aurora\":{\"clusterIdentifier\":\"shop\",\"restore\":{\"identifierPrefix\":"
    "\"shop-stg\",\"dbSubnetGroupName\":\"staging\",\"vpcSecurityGroupIDs\":[\"sg-11111111\"],"
    "\"instances\":[{\"name\":\"a\",\"class\":\"db.r6g.large\"}]},"
    "\"masterUserPassword\":{\"rdsManaged\":{}}}}";
static const char table_spec[] =
    "{\"name\":\"main\",\"dynamodb\":{\"tableName\":\"source\",\"restore\":{\"tableNamePrefix\":\"stg\","
    "\"encryption\":{\"type\":\"AWSOwned\"},\"settingsFrom\":\"PreviousCopy\"}}}";

struct row {
    const char *name;
    bool is_cluster;
    const char *copy, *used;    /* of the world; NULL: an ordinary one */
    const char *scaling;        /* targets */
    const char *source;         /* of the table in production */
    const char *asked;          /* patch of the spec's restore */
    bool nothing_in_use;        /* this is the first refresh */
    const char *in_use;         /* NULL: "used" */
    const char *engine_version; /* of the source; NULL: the copy's */
    const char *differences, *remarks;
    const char *world; /* a part of what GET /_sim/world says in the end */
    int64_t changes;   /* how many calls changed something */
};

/* clang-format off */
static const struct row cluster_rows[] = {
    {.name = "cluster: as asked and as before", .is_cluster = true},
    {.name = "cluster: first refresh", .is_cluster = true, .nothing_in_use = true},
    {.name = "cluster: the copy in use is gone", .is_cluster = true, .in_use = "gone",
     .remarks = "the copy in use, gone, is not there any more"},

    {.name = "security groups: put right", .is_cluster = true,
     .copy = "subnetGroup: staging, securityGroups: [sg-22222222], parameterGroup: my8, instances: [{id: copy-a, class: db.r6g.large, promotionTier: 1}]",
     .changes = 1},
    {.name = "security groups: more than asked", .is_cluster = true,
     .copy = "subnetGroup: staging, securityGroups: [sg-22222222, sg-11111111], parameterGroup: my8, instances: [{id: copy-a, class: db.r6g.large, promotionTier: 1}]",
     .changes = 1},
    {.name = "security groups: another than in use", .is_cluster = true,
     .used = "subnetGroup: staging, securityGroups: [sg-22222222], parameterGroup: my8, instances: [{id: used-a, class: db.r6g.large, promotionTier: 1}]",
     .remarks = "its security groups is sg-11111111, the copy in use has sg-22222222"},
    {.name = "subnet group: different", .is_cluster = true,
     .copy = "subnetGroup: other, securityGroups: [sg-11111111], parameterGroup: my8, instances: [{id: copy-a, class: db.r6g.large, promotionTier: 1}]",
     .differences = "its subnet group is other instead of staging",
     .remarks = "its subnet group is other, the copy in use has staging"},
    {.name = "port: different", .is_cluster = true, .asked = "{\"port\":3307}",
     .differences = "its port is 3306 instead of 3307"},
    {.name = "port: as asked", .is_cluster = true, .asked = "{\"port\":3306}"},
    {.name = "engine version: not the source's", .is_cluster = true, .engine_version = "8.0.mysql_aurora.3.04.0",
     .differences = "its engine version is 8.0.mysql_aurora.3.08.2 instead of 8.0.mysql_aurora.3.04.0"},
    {.name = "key: an alias is its key", .is_cluster = true, .asked = "{\"kmsKeyID\":\"" ALIAS_ARN "\"}"},
    {.name = "key: an ARN", .is_cluster = true, .asked = "{\"kmsKeyID\":\"" KEY_ARN "\"}"},
    {.name = "key: another", .is_cluster = true,
     .asked = "{\"kmsKeyID\":\"arn:aws:kms:ap-northeast-1:222222222222:alias/two\"}",
     .differences = "its key is " KEY_ARN " instead of arn:aws:kms:ap-northeast-1:222222222222:key/key-two"},
    {.name = "cluster parameter group: put right, and in force", .is_cluster = true,
     .asked = "{\"dbClusterParameterGroupName\":\"other8\"}", .changes = 2, .world = "other8",
     .remarks = "its cluster parameter group is other8, the copy in use has my8"},
    {.name = "cluster parameter group: not asked for", .is_cluster = true,
     .copy = "subnetGroup: staging, securityGroups: [sg-11111111], parameterGroup: other8, instances: [{id: copy-a, class: db.r6g.large, promotionTier: 1}]",
     .remarks = "its cluster parameter group is other8, the copy in use has my8"},
    {.name = "backup retention: put right", .is_cluster = true, .copy = CLUSTER ", backupRetentionDays: 7",
     .changes = 1},
    {.name = "backup retention: another than in use", .is_cluster = true, .used = USED ", backupRetentionDays: 7",
     .remarks = "its backup retention in days is 1, the copy in use has 7"},
    {.name = "serverless capacity: put right", .is_cluster = true,
     .copy = "subnetGroup: staging, securityGroups: [sg-11111111], parameterGroup: my8, serverlessV2: {minACU: 1, maxACU: 2}, instances: [{id: copy-a, class: db.serverless, promotionTier: 1}]",
     .asked = "{\"serverlessV2Scaling\":{\"minACU\":\"0.5\",\"maxACU\":\"8.0\"},\"instances\":[{\"name\":\"a\",\"class\":\"db.serverless\"}]}",
     .changes = 1,
     .remarks = "its serverless capacity is 0.5 to 8, the copy in use has none, "
                "instance a's class is db.serverless, the copy in use has db.r6g.large"},
    {.name = "IAM authentication: as in use", .is_cluster = true, .used = USED ", iamAuthentication: true", .changes = 1},
    {.name = "IAM authentication: off as in use", .is_cluster = true, .copy = CLUSTER ", iamAuthentication: true",
     .changes = 1},
    {.name = "IAM authentication: nothing to go by", .is_cluster = true, .nothing_in_use = true,
     .copy = CLUSTER ", iamAuthentication: true"},
    {.name = "log exports: as in use", .is_cluster = true, .copy = CLUSTER ", logExports: [error, slowquery]",
     .used = USED ", logExports: [audit, error]", .changes = 1, .world = "\"audit\""},
    {.name = "number of instances: one more", .is_cluster = true,
     .copy = "subnetGroup: staging, securityGroups: [sg-11111111], parameterGroup: my8, instances: [{id: copy-a, class: db.r6g.large, promotionTier: 1}, {id: copy-z, class: db.r6g.large}]",
     .differences = "its number of instances is 2 instead of 1",
     .remarks = "its number of instances is 2, the copy in use has 1"},
    {.name = "number of instances: none", .is_cluster = true,
     .copy = "subnetGroup: staging, securityGroups: [sg-11111111], parameterGroup: my8",
     .differences = "its number of instances is 0 instead of 1",
     .remarks = "its number of instances is 0, the copy in use has 1"},
    {.name = "deletion protection: put right", .is_cluster = true, .asked = "{\"deletionProtection\":true}",
     .changes = 1, .remarks = "its deletion protection is on, the copy in use has off"},
    {.name = "class: different", .is_cluster = true,
     .asked = "{\"instances\":[{\"name\":\"a\",\"class\":\"db.r6g.xlarge\"}]}",
     .differences = "instance a's class is db.r6g.large instead of db.r6g.xlarge"},
    {.name = "promotion tier: different", .is_cluster = true,
     .asked = "{\"instances\":[{\"name\":\"a\",\"class\":\"db.r6g.large\",\"promotionTier\":3}]}",
     .differences = "instance a's promotion tier is 1 instead of 3"},
    {.name = "instance parameter group: different", .is_cluster = true,
     .asked = "{\"instances\":[{\"name\":\"a\",\"class\":\"db.r6g.large\",\"dbParameterGroupName\":\"mine\"}]}",
     .differences = "instance a's parameter group is default.aurora-mysql8.0 instead of mine"},
    {.name = "tags: those asked for", .is_cluster = true, .asked = "{\"tags\":{\"env\":\"staging\"}}", .changes = 0,
     .world = "\"env\":\"staging\"", .remarks = "its tag env is staging, the copy in use has none"},
    {.name = "tags: of the copy in use", .is_cluster = true, .used = USED ", tags: {team: shop}",
     .remarks = "its tag team is absent, the copy in use has shop"},
};

static const struct row table_rows[] = {
    {.name = "table: as asked and as before"},
    {.name = "table: first refresh", .nothing_in_use = true,
     .remarks = "there is no previous copy to take settings from: what the spec leaves open is as the restore made it"},
    {.name = "table: first refresh, nothing to follow", .nothing_in_use = true, .asked = "{\"settingsFrom\":\"None\"}"},
    {.name = "table: the previous copy is gone", .in_use = "gone",
     .remarks = "the copy in use, gone, is not there any more, there is no previous copy to take settings from: what "
                "the spec leaves open is as the restore made it"},

    {.name = "encryption: put right", .asked = "{\"encryption\":{\"type\":\"CustomerManaged\",\"kmsKeyID\":\"" ALIAS_ARN "\"}}",
     .changes = 1, .remarks = "its encryption is " KEY_ARN ", the copy in use has " OF_AWS},
    {.name = "encryption: an alias is its key", .copy = ON_DEMAND ", encryption: CustomerManaged, key: alias/staging",
     .used = ON_DEMAND ", encryption: CustomerManaged, key: alias/staging",
     .asked = "{\"encryption\":{\"type\":\"CustomerManaged\",\"kmsKeyID\":\"" ALIAS_ARN "\"}}"},
    {.name = "encryption: AWS-owned, put right", .copy = ON_DEMAND ", encryption: CustomerManaged, key: alias/staging",
     .changes = 1},
    {.name = "billing mode: as before", .copy = "readUnits: 500, writeUnits: 250", .changes = 1,
     .world = "PAY_PER_REQUEST"},
    {.name = "billing mode: the spec wins", .copy = "readUnits: 500, writeUnits: 250",
     .asked = "{\"billingMode\":\"Provisioned\",\"provisionedThroughput\":{\"readCapacityUnits\":5,\"writeCapacityUnits\":6}}",
     .changes = 1, .world = "\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":6",
     .remarks = "its billing mode is PROVISIONED, the copy in use has PAY_PER_REQUEST"},
    {.name = "billing mode: provisioned, indexes too",
     .copy = ON_DEMAND ", indexes: [{name: by-user, hashKey: 'user:S'}]",
     .used = "readUnits: 7, writeUnits: 8, indexes: [{name: by-user, hashKey: 'user:S', readUnits: 3, writeUnits: 4}]",
     .changes = 1, .world = "\"ReadCapacityUnits\":3,\"WriteCapacityUnits\":4"},
    {.name = "capacity: as before", .copy = "readUnits: 500, writeUnits: 250", .used = "readUnits: 5, writeUnits: 5",
     .changes = 1},
    {.name = "capacity: nothing to follow", .copy = "readUnits: 500, writeUnits: 250",
     .used = "readUnits: 5, writeUnits: 5", .asked = "{\"settingsFrom\":\"None\"}",
     .remarks = "its capacity is 500 read, 250 write units, the copy in use has 5 read, 5 write units"},
    {.name = "capacity of indexes: as before, indexes themselves as restored",
     .copy = "readUnits: 5, writeUnits: 5, indexes: [{name: by-user, hashKey: 'user:S', readUnits: 200, writeUnits: 100}, "
             "{name: new, hashKey: 'new:S', readUnits: 9, writeUnits: 9}]",
     .used = "readUnits: 5, writeUnits: 5, indexes: [{name: by-user, hashKey: 'user:S', readUnits: 3, writeUnits: 4}]",
     .changes = 1,
     .remarks = "its capacity of indexes is by-user with 3 read, 4 write units, new with 9 read, 9 write units, the copy "
                "in use has by-user with 3 read, 4 write units, its indexes is by-user, new, the copy in use has by-user"},
    {.name = "auto scaling: as before", .copy = "readUnits: 500, writeUnits: 250", .used = "readUnits: 5, writeUnits: 5",
     .scaling = "{resource: table/used, capacity: Read, min: 5, max: 50, percent: 70}",
     .changes = 3, .world = "\"ResourceId\":\"table/copy\",\"ScalableDimension\":\"dynamodb:table:ReadCapacityUnits\""},
    {.name = "auto scaling: nothing to follow", .copy = "readUnits: 5, writeUnits: 5", .used = "readUnits: 5, writeUnits: 5",
     .scaling = "{resource: table/used, capacity: Read, min: 5, max: 50, percent: 70}",
     .asked = "{\"settingsFrom\":\"None\"}",
     .remarks = "its auto scaling is off, the copy in use has read 5-50 at 70%"},
    {.name = "auto scaling: a capacity that the spec fixes", .copy = "readUnits: 5, writeUnits: 6",
     .used = "readUnits: 5, writeUnits: 6",
     .scaling = "{resource: table/used, capacity: Read, min: 5, max: 50, percent: 70}",
     .asked = "{\"billingMode\":\"Provisioned\",\"provisionedThroughput\":{\"readCapacityUnits\":5,\"writeCapacityUnits\":6}}"},
    {.name = "auto scaling: on demand there is none", .used = "readUnits: 5, writeUnits: 6",
     .scaling = "{resource: table/used, capacity: Read, min: 5, max: 50, percent: 70}",
     .asked = "{\"billingMode\":\"PayPerRequest\"}",
     .remarks = "its billing mode is PAY_PER_REQUEST, the copy in use has PROVISIONED"},
    {.name = "time to live: as asked", .asked = "{\"timeToLive\":{\"attributeName\":\"expires\"}}", .changes = 1,
     .remarks = "its time to live is expires, the copy in use has off"},
    {.name = "time to live: as before", .used = ON_DEMAND ", timeToLive: expires", .changes = 1},
    {.name = "time to live: another attribute", .copy = ON_DEMAND ", timeToLive: gone_at",
     .used = ON_DEMAND ", timeToLive: expires", .asked = "{\"timeToLive\":{\"attributeName\":\"expires\"}}",
     .differences = "its time to live is gone_at instead of expires (cannot be changed: it takes an hour to go from one "
                    "attribute to another)",
     .remarks = "its time to live is gone_at, the copy in use has expires"},
    {.name = "stream: as before", .used = ON_DEMAND ", stream: NEW_IMAGE", .changes = 1},
    {.name = "stream: another view", .copy = ON_DEMAND ", stream: OLD_IMAGE", .used = ON_DEMAND ", stream: NEW_IMAGE",
     .changes = 2},
    {.name = "stream: asked for", .asked = "{\"stream\":{\"viewType\":\"KeysOnly\"}}", .changes = 1,
     .remarks = "its stream is KEYS_ONLY, the copy in use has off"},
    {.name = "point-in-time recovery: as before", .used = ON_DEMAND ", pointInTimeRecovery: true", .changes = 1},
    {.name = "point-in-time recovery: the spec wins", .used = ON_DEMAND ", pointInTimeRecovery: true",
     .asked = "{\"pointInTimeRecovery\":false}",
     .remarks = "its point-in-time recovery is off, the copy in use has on"},
    {.name = "table class: as before", .used = ON_DEMAND ", infrequentAccess: true", .changes = 1},
    {.name = "deletion protection: as before", .used = ON_DEMAND ", deletionProtection: true", .changes = 1},
    {.name = "deletion protection: asked for", .asked = "{\"deletionProtection\":true}", .changes = 1,
     .remarks = "its deletion protection is on, the copy in use has off"},
    {.name = "tags: as before", .used = ON_DEMAND ", tags: {team: shop}", .world = "\"team\":\"shop\""},
    {.name = "tags: nothing to follow", .used = ON_DEMAND ", tags: {team: shop}", .asked = "{\"settingsFrom\":\"None\"}",
     .remarks = "its tag team is absent, the copy in use has shop"},

    {.name = "source: its settings are the model", .used = ON_DEMAND,
     .source = "stream: KEYS_ONLY, timeToLive: expires, pointInTimeRecovery: true, tags: {env: production}",
     .asked = "{\"settingsFrom\":\"Source\"}", .changes = 3,
     .remarks = "its time to live is expires, the copy in use has off, its stream is KEYS_ONLY, the copy in use has off, "
                "its point-in-time recovery is on, the copy in use has off"},
    {.name = "counts: within the tolerance", .copy = ON_DEMAND ", items: 1000, sizeBytes: 5000",
     .source = "items: 1050, sizeBytes: 5100"},
    {.name = "counts: far off", .copy = ON_DEMAND ", items: 10, sizeBytes: 50", .source = "items: 1000, sizeBytes: 5000",
     .remarks = "it has 10 items and 50 bytes, the source 1000 and 5000 (as AWS last counted them, at most six hours ago)"},
};
/* clang-format on */

/* --- the step on it --- */

struct bench {
    struct step_bench base;
    struct account target;
    struct stage stage;
};

static const char * or (const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static char *world_of(const struct row *row)
{
    const char *parts[] = { or (row->is_cluster ? row->copy : NULL, CLUSTER),
                            or (row->is_cluster ? row->used : NULL, USED),
                            or (row->is_cluster ? NULL : row->copy, ON_DEMAND),
                            or (row->is_cluster ? NULL : row->used, ON_DEMAND),
                            or (row->scaling, ""),
                            or (row->source, "tags: {}")};

    return fill_gaps(world_format, parts);
}

static struct refresh_spec *spec_of(const struct row *row)
{
    struct json *database = NULL, *patch = NULL;
    AUTO_JSON struct json *spec = NULL;
    struct refresh_spec *parsed = NULL;

    assert_no_err(json_parse(str_of(row->is_cluster ? cluster_spec : table_spec), NULL, &database));
    if (row->asked) {
        struct json *part = json_edit(database, row->is_cluster ? "aurora" : "dynamodb");

        assert_no_err(json_parse(str_of(row->asked), NULL, &patch));
        json_set(part, "restore", json_merge_patch(json_copy(json_member(part, "restore")), patch));
        json_free(patch);
    }
    assert_no_err(
        json_parse(STR("{\"sourceRef\":{\"name\":\"production\"},\"targetRef\":{\"name\":\"staging\"},"
                       "\"databases\":[],\"switchover\":{\"policy\":\"Automatic\"}}"),
                   NULL, &spec));
    json_append(json_edit(spec, "databases"), database);
    assert_no_err(refresh_spec_parse(spec, "shop", &parsed));
    return parsed;
}

static void open_source(struct step_bench *bench)
{
    bench->pass.source.env = &bench->env;
    assert_no_err(
        aws_account_new(&(struct aws_account_opts){.account_id = "111111111111",
                                                   .region = "ap-northeast-1",
                                                   .usage = AWS_SOURCE,
                                                   .role_arn = "arn:aws:iam::111111111111:role/reader",
                                                   .config = &bench->config,
                                                   .identity = bench->identity},
                        &bench->pass.source.account));
}

static void init_status(struct bench *bench, const struct row *row)
{
    struct pass *pass = &bench->base.pass;
    struct database_status *copy = status_add_database(pass->status, "main");

    text_replace(&copy->copy_identifier, "copy");
    text_replace(&copy->copy_arn, "arn:aws:dynamodb:ap-northeast-1:222222222222:table/copy");
    text_replace(&copy->engine_version, or (row->engine_version, "8.0.mysql_aurora.3.08.2"));
    bench->stage = (struct stage){.pass = pass,
                                  .row = status_add_step(&copy->steps, &copy->step_count, "Settings"),
                                  .database = &pass->spec->databases[0],
                                  .copy = copy};
    if (row->nothing_in_use)
        return;
    step_set_evidence(bench->stage.row, IN_USE_EVIDENCE, or (row->in_use, "used")); /* when the run began */
}

/* The series has had no run. */
static void see_none(struct objects *self UNUSED, enum object_kind kind UNUSED, const char *group UNUSED,
                     objects_see_fn *see UNUSED, void *arg UNUSED)
{
}

static void bench_init(struct bench *bench, const struct row *row)
{
    static const struct objects_ops ops = {.each = see_none};
    struct pass *pass = &bench->base.pass;
    AUTO_FREE char *world = world_of(row);

    step_bench_open(&bench->base, world, 1);
    bench->base.objects = (struct objects){.ops = &ops, .installation = "here"};
    bench->target = (struct account){.vault_name = (char[]){"vault"}};
    pass->spec = spec_of(row);
    pass->namespace = "staging";
    pass->target_account = &bench->target;
    open_source(&bench->base);
    init_status(bench, row);
}

static void run_step(struct bench *bench, bool is_cluster)
{
    AUTO_OUTCOME struct outcome out = {0};

    bench->stage.row->state = STEP_INTENDED;
    assert_no_err(is_cluster ? settings_intend_cluster(&bench->stage) : settings_intend_table(&bench->stage));
    for (int looks = 0; looks < 100; looks++) {
        outcome_reset(&out);
        bench->base.pass.now_ms = sched_wall_ms(bench->base.sched);
        assert_no_err(is_cluster ? settings_act_cluster(&bench->stage, &out)
                                 : settings_act_table(&bench->stage, &out));
        if (out.verdict != VERDICT_WAIT)
            break;
        step_bench_wait(&bench->base, out.after_ms);
    }
    assert_number(out.verdict, VERDICT_DONE);
}

/* Calls that changed something, tags apart: every copy gets ours. */
static int64_t changes_of(struct bench *bench)
{
    int64_t count = 0;

    json_each (row, step_bench_journal(&bench->base)) {
        const char *effect = json_get_text(row, "effect", ""), *op = json_get_text(row, "operation", "");

        count += (text_equal(effect, "changed") || text_equal(effect, "created")) &&
                 !str_contains(str_of(op), "Tag") && !text_equal(op, "AssumeRole");
    }
    return count;
}

static void compares(void **state)
{
    const struct row *row = *state;
    struct bench bench;

    bench_init(&bench, row);
    run_step(&bench, row->is_cluster);
    assert_text_equal(step_evidence(bench.stage.row, DIFFERENCES_EVIDENCE), row->differences);
    assert_text_equal(step_evidence(bench.stage.row, REMARKS_EVIDENCE), row->remarks);
    assert_number(changes_of(&bench), row->changes);
    AUTO_JSON struct json *world = step_bench_world(&bench.base);
    AUTO_FREE char *text = json_to_text(json_item(json_member(world, "accounts"), 0));
    assert_text_contains(text, row->world ? row->world : "");
    step_bench_done(&bench.base);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, compares, cluster_rows);
    TEST_ROWS(&tests, compares, table_rows);
    return tests_run(&tests, "properties");
}
