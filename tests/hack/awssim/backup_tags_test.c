/* Who tells the tags of a recovery point: AWS Backup those of what it fully manages, RDS those of its own
 * snapshots, and DynamoDB none of its backups. */
#include "tests/hack/awssim/client_fixture.h"

#define CLUSTER "arn:aws:rds:ap-northeast-1:111111111111:cluster:shop"
#define TABLE "arn:aws:dynamodb:ap-northeast-1:111111111111:table/sessions"
#define OLD_TABLE "arn:aws:dynamodb:ap-northeast-1:222222222222:table/old"

/* The second account leaves its tables to DynamoDB. */
static const char world[] =
    "accounts:\n"
    "- id: '111111111111'\n"
    "  region: ap-northeast-1\n"
    "  iam:\n"
    "    users:\n"
    "    - {name: me, accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}], allow: ['*']}\n"
    "  backup:\n"
    "    fullManagement: [DynamoDB]\n"
    "    vaults:\n"
    "    - name: v\n"
    "      recoveryPoints:\n"
    "      - {resource: '" CLUSTER "', created: -2h, tags: {run: r1}}\n"
    "      - {resource: '" TABLE "', created: -2h, tags: {run: r1}}\n"
    "      - {resource: '" OLD_TABLE "', created: -2h, tags: {run: r1}}\n"
    "  rds:\n"
    "    subnetGroups: [{name: net, vpc: vpc-1}]\n"
    "    securityGroups: [{id: sg-1, vpc: vpc-1}]\n"
    "    clusters:\n"
    "    - {id: shop, engine: aurora-mysql, engineVersion: 8.0.mysql_aurora.3.08.2, masterUsername: admin,\n"
    "       masterPassword: example-password, subnetGroup: net, securityGroups: [sg-1]}\n"
    "  dynamodb:\n"
    "    tables:\n"
    "    - {name: sessions, hashKey: 'id:S', billingMode: PAY_PER_REQUEST}\n"
    "- id: '222222222222'\n"
    "  region: ap-northeast-1\n"
    "  dynamodb:\n"
    "    tables:\n"
    "    - {name: old, hashKey: 'id:S', billingMode: PAY_PER_REQUEST}\n";

/* The recovery point of that database, its ARN encoded; yours. */
static char *point_of(const char *resource)
{
    AUTO_BUF struct buf path = BUF_MAX(KIB);
    AUTO_BUF struct buf encoded = BUF_MAX(KIB);

    buf_adds(&path, "/backup-vaults/v/recovery-points/?resourceArn=");
    buf_add_uri(&path, str_of(resource));
    assert_number(awssim_rest(&client, "GET", buf_text(&path), NULL), 200);
    assert_non_null(awssim_text(&client, "RecoveryPoints[0].RecoveryPointArn"));
    buf_add_uri(&encoded, str_of(awssim_text(&client, "RecoveryPoints[0].RecoveryPointArn")));
    return buf_take(&encoded);
}

static void test_snapshots_are_told_by_rds(void **state)
{
    (void)state;
    AUTO_FREE char *point = point_of(CLUSTER);
    AUTO_FREE char *form = xasprintf("ResourceName=%s", point);
    assert_number(awssim_query(&client, "rds", "ListTagsForResource", form), 200);
    AUTO_FREE char *key = awssim_xml(&client, "Key", 0);
    AUTO_FREE char *value = awssim_xml(&client, "Value", 0);
    assert_text_equal(key, "run");
    assert_text_equal(value, "r1");
}

static const struct told_row {
    const char *name, *resource;
    const char *error; /* of AWS Backup; NULL: it tells */
} told_rows[] = {
    {.name = "a table, fully managed", .resource = TABLE},
    {.name = "a cluster", .resource = CLUSTER, .error = "InvalidParameterValueException"},
    {.name = "a table, left to DynamoDB", .resource = OLD_TABLE, .error = "InvalidParameterValueException"},
};

static void test_told_and_changed_by_aws_backup(void **state)
{
    const struct told_row *row = *state;
    AUTO_FREE char *point = point_of(row->resource);
    AUTO_FREE char *tag = xasprintf("/tags/%s", point), *list = xasprintf("/tags/%s/", point),
                   *untag = xasprintf("/untag/%s", point);

    assert_number(awssim_rest(&client, "POST", tag, "{\"Tags\":{\"more\":\"m\"}}"), row->error ? 400 : 200);
    assert_awssim_error(&client, row->error);
    assert_number(awssim_rest(&client, "GET", list, NULL), row->error ? 400 : 200);
    assert_awssim_error(&client, row->error);
    if (!row->error)
        assert_json_equal(json_at(client.json, "Tags"), "{\"run\":\"r1\",\"more\":\"m\"}");
    assert_number(awssim_rest(&client, "POST", untag, "{\"TagKeyList\":[\"run\"]}"), row->error ? 400 : 200);
    assert_awssim_error(&client, row->error);
}

int main(void)
{
    struct tests tests = tests_in(world);

    TEST(&tests, test_snapshots_are_told_by_rds);
    TEST_ROWS(&tests, test_told_and_changed_by_aws_backup, told_rows);
    return tests_run(&tests, "awssim backup tags");
}
