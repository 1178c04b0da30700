/* What AWS Backup makes of an Aurora cluster in another account. */
#include "tests/hack/awssim/services_world.h"

#include "hack/awssim/core.h"
#include "hack/awssim/rds.h"

static void use_world(const char *top, const char *section)
{
    awssim_client_done(&client);
    services_world_init(&client, top, section, "");
}

static int rds(const char *operation, const char *form)
{
    return awssim_query(&client, "rds", operation, form);
}

static void succeed(const char *operation, const char *form)
{
    int status = rds(operation, form);

    if (status != 200)
        assert_awssim_error(&client, "none");
    assert_number(status, 200);
}

static void expect_cluster(const char *id, const char *status)
{
    AUTO_FREE char *form = xasprintf("DBClusterIdentifier=%s", id);

    succeed("DescribeDBClusters", form);
    expect_xml(&client, "Status", 0, status);
}

static char *restore(const char *metadata, char **ret_failure)
{
    struct account *production = sim_account(client.sim, PROD, NULL);
    AUTO_JSON struct json *snapshot =
        rds_database_kind.snapshot(production, ARN(PROD, "rds", "cluster:shop"));
    AUTO_JSON struct json *parsed = NULL;

    assert_no_err(json_parse(str_of(metadata), NULL, &parsed));
    struct restore_request request = {.account = sim_account(client.sim, STG, NULL),
                                      .snapshot = snapshot,
                                      .metadata = parsed,
                                      .recovery_point_arn = "rp",
                                      .source_arn = ARN(PROD, "rds", "cluster:shop"),
                                      .kms_key_arn = ARN(STG, "kms", "key/key-stg"),
                                      .now_ms = client.world_ms,
                                      .ready_ms = client.world_ms + MINUTES(5)};
    *ret_failure = NULL;
    return rds_database_kind.restore(&request, ret_failure);
}

#define GOOD                                                                                               \
    "\"dbClusterIdentifier\":\"copy\",\"engine\":\"aurora-mysql\",\"engineVersion\":\"8.0.mysql_aurora.3." \
    "04.0\""
#define NETWORK "\"dbSubnetGroupName\":\"stg\",\"vpcSecurityGroupIds\":\"[\\\"sg-db\\\"]\""

static const struct restore_row {
    const char *name, *metadata, *failure; /* NULL: it works */
} restore_rows[] = {
    {.name = "all given", .metadata = "{" GOOD "," NETWORK "}"},
    {.name = "keys in another case",
     .metadata = "{\"DBClusterIdentifier\":\"copy\",\"Engine\":\"aurora-mysql\"}"},
    {.name = "one key in two cases",
     .metadata = "{" GOOD ",\"Engine\":\"aurora-mysql\"}",
     .failure = "given twice"},
    {.name = "unknown key",
     .metadata = "{" GOOD ",\"serverlessV2ScalingConfiguration\":\"{}\"}",
     .failure = "unknown key"},
    {.name = "list that is no JSON",
     .metadata = "{" GOOD ",\"dbSubnetGroupName\":\"stg\",\"vpcSecurityGroupIds\":\"sg-db\"}",
     .failure = "cannot be parsed"},
    {.name = "list of numbers",
     .metadata = "{" GOOD ",\"dbSubnetGroupName\":\"stg\",\"vpcSecurityGroupIds\":\"[1]\"}",
     .failure = "cannot be parsed"},
    {.name = "port that is no number",
     .metadata = "{" GOOD ",\"port\":\"x\"}",
     .failure = "cannot be parsed"},
    {.name = "no engine", .metadata = "{\"dbClusterIdentifier\":\"copy\"}", .failure = "required"},
    {.name = "other engine",
     .metadata = "{\"dbClusterIdentifier\":\"copy\",\"engine\":\"aurora-postgresql\"}",
     .failure = "does not match"},
    {.name = "unknown version",
     .metadata = "{\"dbClusterIdentifier\":\"copy\",\"engine\":\"aurora-mysql\",\"engineVersion\":\"9\"}",
     .failure = "Cannot find version"},
    {.name = "name in use",
     .metadata = "{\"dbClusterIdentifier\":\"OLD\",\"engine\":\"aurora-mysql\"}",
     .failure = "already exists"},
    {.name = "bad name",
     .metadata = "{\"dbClusterIdentifier\":\"a--b\",\"engine\":\"aurora-mysql\"}",
     .failure = "not a valid identifier"},
    {.name = "unknown subnet group",
     .metadata = "{" GOOD ",\"dbSubnetGroupName\":\"prod\"}",
     .failure = "'prod' does not exist"},
    {.name = "security group of another VPC",
     .metadata = "{" GOOD ",\"dbSubnetGroupName\":\"stg\",\"vpcSecurityGroupIds\":\"[\\\"sg-else\\\"]\"}",
     .failure = "different VPCs"},
    {.name = "production's security group",
     .metadata = "{" GOOD ",\"dbSubnetGroupName\":\"stg\",\"vpcSecurityGroupIds\":\"[\\\"sg-prod\\\"]\"}",
     .failure = "Invalid security group"},
    {.name = "unknown parameter group",
     .metadata = "{" GOOD ",\"dbClusterParameterGroupName\":\"x\"}",
     .failure = "DBClusterParameterGroup not found"},
    {.name = "parameter group of another family",
     .metadata = "{" GOOD ",\"dbClusterParameterGroupName\":\"pg16\"}",
     .failure = "cannot be used"},
    {.name = "production's key",
     .metadata = "{" GOOD ",\"kmsKeyId\":\"arn:aws:kms:ap-northeast-1:111111111111:key/key-prod\"}",
     .failure = "KMSKeyNotAccessible"},
    {.name = "disabled key",
     .metadata = "{" GOOD ",\"kmsKeyId\":\"key-off\"}",
     .failure = "KMSKeyNotAccessible"},
};

static void test_restore(void **state)
{
    const struct restore_row *row = *state;
    char *failure = NULL;
    AUTO_FREE char *arn = restore(row->metadata, &failure);
    AUTO_FREE char *owned = failure;

    if (row->failure) {
        assert_text_equal(arn, NULL);
        assert_text_contains(owned, row->failure);
        return;
    }
    assert_text_equal(owned, NULL);
    assert_text_equal(arn, ARN(STG, "rds", "cluster:copy"));
}

static void test_restored_cluster(void **state)
{
    char *failure = NULL;
    AUTO_FREE char *arn = restore("{" GOOD "," NETWORK "}", &failure);

    (void)state;
    assert_text_equal(failure, NULL);
    expect_cluster("copy", "creating");
    assert_number(rds("ModifyDBCluster", "DBClusterIdentifier=copy&DeletionProtection=true"), 400);
    awssim_client_advance(&client, MINUTES(5));
    expect_cluster("copy", "available");
    expect_xml(&client, "MasterUsername", 0, "root");
    expect_xml(&client, "DBClusterMembers", 0, "");
    expect_xml(&client, "DBSubnetGroup", 0, "stg");
    expect_xml(&client, "VpcSecurityGroupId", 0, "sg-db");
    expect_xml(&client, "DeletionProtection", 0, "false");
    expect_xml(&client, "BackupRetentionPeriod", 0, "1");
    expect_xml(&client, "KmsKeyId", 0, ARN(STG, "kms", "key/key-stg"));
    expect_xml(&client, "DBClusterParameterGroup", 0, "default.aurora-mysql8.0");
    expect_xml(&client, "Key", 0, NULL); /* no tags */
}

/* The event comes when the cluster can be used, in this API and on the bus, where it has its number. */
static void test_a_restored_cluster_is_announced(void **state)
{
    char *failure = NULL;
    AUTO_FREE char *arn = restore("{" GOOD "," NETWORK "}", &failure);

    (void)state;
    assert_text_equal(failure, NULL);
    succeed("DescribeEvents", "SourceType=db-cluster&SourceIdentifier=copy");
    expect_xml(&client, "Message", 0, NULL);
    awssim_client_advance(&client, MINUTES(6));
    succeed("DescribeEvents", "SourceType=db-cluster&SourceIdentifier=copy");
    expect_xml(&client, "Message", 0, "DB cluster created");
    expect_xml(&client, "EventCategory", 0, "creation");
    expect_xml(&client, "Date", 0, "2026-11-22T16:05:00.000Z");
    expect_xml(&client, "Message", 1, NULL);
    assert_true(client.sim->events.count > 0);
    const struct sim_event_kept *event = &client.sim->events.items[client.sim->events.count - 1];
    assert_text_equal(event->detail_type, "RDS DB Cluster Event");
    assert_text_equal(event->resource, arn);
    assert_text_equal(json_get_text(event->detail, "EventID", NULL), "RDS-EVENT-0170");
}

static void test_restore_that_names_no_network_lands_in_the_default_one(void **state)
{
    char *failure = NULL;
    AUTO_FREE char *arn = restore("{\"dbClusterIdentifier\":\"copy\",\"engine\":\"aurora-mysql\"}", &failure);

    (void)state;
    assert_text_equal(failure, NULL);
    succeed("DescribeDBClusters", "DBClusterIdentifier=copy");
    expect_xml(&client, "DBSubnetGroup", 0, "default");
    expect_xml(&client, "VpcSecurityGroupId", 0, "sg-default");
    expect_xml(&client, "EngineVersion", 0, "8.0.mysql_aurora.3.08.2"); /* not the source's */
}

static void test_restore_may_bring_tags(void **state)
{
    char *failure = NULL;

    (void)state;
    use_world("", "    restoreCopiesTags: true\n");
    AUTO_FREE char *arn = restore("{" GOOD "}", &failure);
    assert_text_equal(failure, NULL);
    succeed("DescribeDBClusters", "DBClusterIdentifier=copy");
    expect_xml(&client, "Value", 0, "production");
}

static void test_restore_metadata_is_production_s(void **state)
{
    AUTO_JSON struct json *snapshot =
        rds_database_kind.snapshot(sim_account(client.sim, PROD, NULL), ARN(PROD, "rds", "cluster:shop"));
    AUTO_JSON struct json *metadata = rds_database_kind.restore_metadata(snapshot);

    (void)state;
    assert_text_equal(json_get_text(metadata, "VpcSecurityGroupIds", NULL), "[\"sg-prod\"]");
    assert_text_equal(json_get_text(metadata, "DBSubnetGroupName", NULL), "prod");
    assert_text_equal(json_get_text(metadata, "KmsKeyId", NULL), ARN(PROD, "kms", "key/key-prod"));
    AUTO_FREE char *text = json_to_text(metadata);
    assert_text_lacks(text, "password");
}

int main(void)
{
    struct tests tests = tests_in_services("");

    TEST_ROWS(&tests, test_restore, restore_rows);
    TEST(&tests, test_restored_cluster);
    TEST(&tests, test_a_restored_cluster_is_announced);
    TEST(&tests, test_restore_that_names_no_network_lands_in_the_default_one);
    TEST(&tests, test_restore_may_bring_tags);
    TEST(&tests, test_restore_metadata_is_production_s);
    return tests_run(&tests, "awssim rds restore");
}
