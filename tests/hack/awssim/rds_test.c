/* Clusters, instances, events, tags and restores of Aurora. */
#include "tests/hack/awssim/services_world.h"

#include "hack/awssim/rds.h"

static struct awssim_client client;

static int set_up(void **state)
{
    (void)state;
    awssim_client_init(&client, PLAIN_WORLD);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    awssim_client_done(&client);
    return 0;
}

static void use_world(const char *world)
{
    awssim_client_done(&client);
    awssim_client_init(&client, world);
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

/* ---- refusals ---- */

static const struct refused_row {
    const char *name, *operation, *form, *error;
    int status;
} refused_rows[] = {
    {"modify what is not there", "ModifyDBCluster", "DBClusterIdentifier=nope", "DBClusterNotFoundFault",
     404},
    {"modify while backing up", "ModifyDBCluster", "DBClusterIdentifier=postgres&DeletionProtection=true",
     "InvalidDBClusterStateFault", 400},
    {"short password", "ModifyDBCluster", "DBClusterIdentifier=new&MasterUserPassword=short",
     "InvalidParameterValue", 400},
    {"slash in a password", "ModifyDBCluster", "DBClusterIdentifier=new&MasterUserPassword=long/enough",
     "InvalidParameterValue", 400},
    {"space in a password", "ModifyDBCluster", "DBClusterIdentifier=new&MasterUserPassword=long%20enough",
     "InvalidParameterValue", 400},
    {"42 characters", "ModifyDBCluster",
     "DBClusterIdentifier=new&MasterUserPassword=123456789012345678901234567890123456789012",
     "InvalidParameterValue", 400},
    {"manage and own password", "ModifyDBCluster",
     "DBClusterIdentifier=new&ManageMasterUserPassword=true&MasterUserPassword=long-enough",
     "InvalidParameterCombination", 400},
    {"rotate what is not managed", "ModifyDBCluster",
     "DBClusterIdentifier=new&RotateMasterUserPassword=true&ApplyImmediately=true",
     "InvalidParameterCombination", 400},
    {"key without manage", "ModifyDBCluster", "DBClusterIdentifier=new&MasterUserSecretKmsKeyId=key-stg",
     "InvalidParameterCombination", 400},
    {"disabled key", "ModifyDBCluster",
     "DBClusterIdentifier=new&ManageMasterUserPassword=true&MasterUserSecretKmsKeyId=key-off",
     "KMSKeyNotAccessibleFault", 400},
    {"unknown security group", "ModifyDBCluster",
     "DBClusterIdentifier=new&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-x", "InvalidParameterValue", 400},
    {"security group of another VPC", "ModifyDBCluster",
     "DBClusterIdentifier=new&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-else",
     "InvalidVPCNetworkStateFault", 400},
    {"unknown parameter group", "ModifyDBCluster", "DBClusterIdentifier=new&DBClusterParameterGroupName=x",
     "DBClusterParameterGroupNotFound", 404},
    {"parameter group of another family", "ModifyDBCluster",
     "DBClusterIdentifier=new&DBClusterParameterGroupName=pg16", "InvalidParameterCombination", 400},
    {"no retention", "ModifyDBCluster", "DBClusterIdentifier=new&BackupRetentionPeriod=0",
     "InvalidParameterValue", 400},
    {"third of an ACU", "ModifyDBCluster",
     "DBClusterIdentifier=new&ServerlessV2ScalingConfiguration.MinCapacity=0.3&"
     "ServerlessV2ScalingConfiguration.MaxCapacity=4",
     "InvalidParameterValue", 400},
    {"unknown member", "ModifyDBCluster", "DBClusterIdentifier=new&NewDBClusterIdentifier=x",
     "InvalidParameterValue", 400},
    {"instance of no cluster", "CreateDBInstance",
     "DBInstanceIdentifier=x&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=nope",
     "DBClusterNotFoundFault", 404},
    {"instance twice", "CreateDBInstance",
     "DBInstanceIdentifier=OLD-A&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=new",
     "DBInstanceAlreadyExists", 400},
    {"two hyphens", "CreateDBInstance",
     "DBInstanceIdentifier=a--b&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=new",
     "InvalidParameterValue", 400},
    {"no such class", "CreateDBInstance",
     "DBInstanceIdentifier=x&DBInstanceClass=r6g.large&Engine=aurora-mysql&DBClusterIdentifier=new",
     "InvalidParameterValue", 400},
    {"other engine", "CreateDBInstance",
     "DBInstanceIdentifier=x&DBInstanceClass=db.r6g.large&Engine=aurora-postgresql&DBClusterIdentifier=new",
     "InvalidParameterCombination", 400},
    {"serverless without scaling", "CreateDBInstance",
     "DBInstanceIdentifier=x&DBInstanceClass=db.serverless&Engine=aurora-mysql&DBClusterIdentifier=new",
     "InvalidDBClusterStateFault", 400},
    {"tier 16", "CreateDBInstance",
     "DBInstanceIdentifier=x&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=new&"
     "PromotionTier=16",
     "InvalidParameterValue", 400},
    {"class is missing", "CreateDBInstance", "DBInstanceIdentifier=x&Engine=aurora-mysql", "MissingParameter",
     400},
    {"describe no instance", "DescribeDBInstances", "DBInstanceIdentifier=nope", "DBInstanceNotFound", 404},
    {"delete no instance", "DeleteDBInstance", "DBInstanceIdentifier=nope", "DBInstanceNotFound", 404},
    {"final snapshot of a member", "DeleteDBInstance",
     "DBInstanceIdentifier=old-a&FinalDBSnapshotIdentifier=x", "InvalidParameterCombination", 400},
    {"delete with members", "DeleteDBCluster", "DBClusterIdentifier=old&SkipFinalSnapshot=true",
     "InvalidDBClusterStateFault", 400},
    {"delete without a word on snapshots", "DeleteDBCluster", "DBClusterIdentifier=empty",
     "InvalidParameterCombination", 400},
    {"delete a protected one", "DeleteDBCluster", "DBClusterIdentifier=guarded&SkipFinalSnapshot=true",
     "InvalidParameterCombination", 400},
    {"describe no cluster", "DescribeDBClusters", "DBClusterIdentifier=nope", "DBClusterNotFoundFault", 404},
    {"ARN of another account", "DescribeDBClusters",
     "DBClusterIdentifier=arn%3Aaws%3Ards%3Aap-northeast-1%3A111111111111%3Acluster%3Aold",
     "DBClusterNotFoundFault", 404},
    {"unknown filter", "DescribeDBClusters", "Filters.Filter.1.Name=x&Filters.Filter.1.Values.Value.1=y",
     "InvalidParameterValue", 400},
    {"pages too small", "DescribeDBClusters", "MaxRecords=19", "InvalidParameterValue", 400},
    {"events of an id without type", "DescribeEvents", "SourceIdentifier=old", "InvalidParameterCombination",
     400},
    {"events of 15 days", "DescribeEvents", "Duration=21600", "InvalidParameterValue", 400},
    {"no such subnet group", "DescribeDBSubnetGroups", "DBSubnetGroupName=nope", "DBSubnetGroupNotFoundFault",
     404},
    {"no such parameter group", "DescribeDBClusterParameterGroups", "DBClusterParameterGroupName=nope",
     "DBParameterGroupNotFound", 404},
    {"tags of nothing", "ListTagsForResource",
     "ResourceName=arn%3Aaws%3Ards%3Aap-northeast-1%3A222222222222%3Acluster%3Anope",
     "DBClusterNotFoundFault", 404},
    {"tag that AWS keeps", "AddTagsToResource",
     "ResourceName=arn%3Aaws%3Ards%3Aap-northeast-1%3A222222222222%3Acluster%3Aold&Tags.Tag.1.Key=aws%3Ax&"
     "Tags.Tag.1.Value=y",
     "InvalidParameterValue", 400},
};

static void test_refused(void **state)
{
    const struct refused_row *row = *state;

    assert_number(rds(row->operation, row->form), row->status);
    assert_awssim_error(&client, row->error);
}

static void test_refused_calls_are_in_the_journal(void **state)
{
    (void)state;
    assert_number(rds("DeleteDBCluster", "DBClusterIdentifier=old&SkipFinalSnapshot=true"), 400);
    expect_effect(&client, "refused", ARN(STG, "rds", "cluster:old"));
}

/* ---- describing ---- */

static void test_filters(void **state)
{
    (void)state;
    succeed("DescribeDBClusters",
            "Filters.Filter.1.Name=engine&Filters.Filter.1.Values.Value.1=aurora-postgresql");
    expect_xml(&client, "DBClusterIdentifier", 0, "postgres");
    expect_xml(&client, "DBClusterIdentifier", 1, NULL);
    succeed("DescribeDBInstances", "Filters.Filter.1.Name=db-cluster-id&Filters.Filter.1.Values.Value.1=new");
    expect_xml(&client, "DBInstanceIdentifier", 1, "new-b");
    expect_xml(&client, "DBInstanceIdentifier", 2, NULL);
}

static void test_identifier_in_any_case_or_as_arn(void **state)
{
    (void)state;
    succeed("DescribeDBClusters", "DBClusterIdentifier=OLD");
    expect_xml(&client, "DBClusterIdentifier", 0, "old");
    expect_xml(&client, "Endpoint", 0, "old.cluster-chost.ap-northeast-1.rds.amazonaws.com");
    succeed("DescribeDBClusters",
            "DBClusterIdentifier=arn%3Aaws%3Ards%3Aap-northeast-1%3A222222222222%3Acluster%3Aold");
    expect_xml(&client, "DBClusterIdentifier", 0, "old");
}

static void test_new_things_are_hidden_for_a_while(void **state)
{
    (void)state;
    use_world(SERVICES_WORLD("durations: {rds: {visible: 5s}}\n", "", ""));
    succeed("CreateDBInstance", "DBInstanceIdentifier=new-c&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&"
                                "DBClusterIdentifier=new");
    assert_number(rds("DescribeDBInstances", "DBInstanceIdentifier=new-c"), 404);
    awssim_client_advance(&client, SECONDS(5));
    succeed("DescribeDBInstances", "DBInstanceIdentifier=new-c");
}

/* ---- ModifyDBCluster ---- */

static const struct modify_row {
    const char *name, *form, *effect, *status; /* right after the call */
    const char *tag, *want;
} modify_rows[] = {
    {"retention", "BackupRetentionPeriod=3", "changed", "modifying", "BackupRetentionPeriod", "3"},
    {"the same retention", "BackupRetentionPeriod=1", "none", "available", "BackupRetentionPeriod", "1"},
    {"protection", "DeletionProtection=true", "changed", "available", "DeletionProtection", "true"},
    {"the same protection", "DeletionProtection=false", "none", "available", "DeletionProtection", "false"},
    {"security groups", "VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-closed", "changed", "modifying",
     "VpcSecurityGroupId", "sg-closed"},
    {"scaling",
     "ServerlessV2ScalingConfiguration.MinCapacity=0.5&ServerlessV2ScalingConfiguration.MaxCapacity=8",
     "changed", "modifying", "MinCapacity", "0.5"},
    {"parameter group", "DBClusterParameterGroupName=my8", "changed", "modifying",
     "DBClusterParameterGroupStatus", "pending-reboot"},
    {"logs", "CloudwatchLogsExportConfiguration.EnableLogTypes.member.1=audit", "changed", "modifying",
     "EnabledCloudwatchLogsExports", "<member>audit</member>"},
    {"nothing", "ApplyImmediately=true", "none", "available", "Status", "available"},
};

static void test_modify(void **state)
{
    const struct modify_row *row = *state;
    AUTO_FREE char *form = xasprintf("DBClusterIdentifier=new&%s", row->form);

    succeed("ModifyDBCluster", form);
    expect_xml(&client, "Status", 0, "available"); /* as it was at the call */
    expect_xml(&client, row->tag, 0, row->want);
    expect_effect(&client, row->effect, "cluster:new");
    expect_cluster("new", row->status);
    awssim_client_advance(&client, SECONDS(5));
    expect_cluster("new", "available");
}

static void test_reboot_takes_the_parameter_group(void **state)
{
    (void)state;
    succeed("ModifyDBCluster", "DBClusterIdentifier=new&DBClusterParameterGroupName=my8");
    succeed("RebootDBInstance", "DBInstanceIdentifier=new-a");
    expect_xml(&client, "DBInstanceStatus", 0, "rebooting");
    assert_number(rds("RebootDBInstance", "DBInstanceIdentifier=new-a"), 400);
    expect_cluster("new", "modifying");
    expect_xml(&client, "DBClusterParameterGroupStatus", 0, "in-sync");
    expect_xml(&client, "DBClusterParameterGroupStatus", 1, "pending-reboot");
}

/* ---- the password ---- */

static const struct reset_row {
    const char *name, *switches;
    const char *status_during;
    bool mask, event;
} reset_rows[] = {
    {"all evidence", "", "resetting-master-credentials", true, true},
    {"no mask", "    passwordReset: {pendingMask: false}\n", "resetting-master-credentials", false, true},
    {"no status", "    passwordReset: {status: false}\n", "available", true, true},
    {"no event", "    passwordReset: {event: false}\n", "resetting-master-credentials", true, false},
    {"no evidence", "    passwordReset: {event: false, status: false, pendingMask: false}\n", "available",
     false, false},
};

static void expect_reset_picture(const struct reset_row *row, const char *status, bool pending)
{
    expect_cluster("new", status);
    expect_xml(&client, "MasterUserPassword", 0, pending && row->mask ? "****" : NULL);
}

static void test_password_reset(void **state)
{
    const struct reset_row *row = *state;
    AUTO_FREE char *text = xasprintf(SERVICES_WORLD("", "%s", ""), row->switches);
    use_world(text);
    succeed("ModifyDBCluster",
            "DBClusterIdentifier=new&MasterUserPassword=next-password&ApplyImmediately=true");
    expect_effect(&client, "changed", "cluster:new");
    expect_reset_picture(row, "available", true);
    awssim_client_advance(&client, SECONDS(7));
    expect_reset_picture(row, "available", true);
    awssim_client_advance(&client, SECONDS(1));
    expect_reset_picture(row, row->status_during, true);
    assert_number(rds("ModifyDBCluster", "DBClusterIdentifier=new&DeletionProtection=true"), 400);
    awssim_client_advance(&client, SECONDS(20));
    expect_reset_picture(row, "available", false);
    succeed("DescribeEvents", "SourceType=db-cluster&SourceIdentifier=new");
    expect_xml(&client, "Message", 0, row->event ? "Reset master credentials" : NULL);
    expect_xml(&client, "Date", 0, row->event ? "2026-11-22T16:00:28.000Z" : NULL);
    expect_xml(&client, "EventCategory", 0, row->event ? "configuration change" : NULL);
}

static void test_event_has_its_time_however_late_we_look(void **state)
{
    (void)state;
    succeed("ModifyDBCluster", "DBClusterIdentifier=new&MasterUserPassword=next-password");
    awssim_client_advance(&client, MINUTES(59));
    succeed("DescribeEvents", "SourceType=db-cluster&SourceIdentifier=new");
    expect_xml(&client, "Date", 0, "2026-11-22T16:00:28.000Z");
    awssim_client_advance(&client, MINUTES(2));
    succeed("DescribeEvents", "SourceType=db-cluster&SourceIdentifier=new");
    expect_xml(&client, "Date", 0, NULL); /* an hour is the default */
    succeed("DescribeEvents", "SourceType=db-cluster&SourceIdentifier=new&Duration=120");
    expect_xml(&client, "Date", 0, "2026-11-22T16:00:28.000Z");
    succeed("DescribeEvents", "SourceType=db-cluster&StartTime=2026-11-22T16%3A00%3A29Z");
    expect_xml(&client, "Date", 0, NULL);
    succeed("DescribeEvents",
            "StartTime=2026-11-22T16%3A00%3A28Z&EventCategories.EventCategory.1=configuration%20change");
    expect_xml(&client, "SourceIdentifier", 0, "new");
    succeed("DescribeEvents", "Duration=120&EventCategories.EventCategory.1=deletion");
    expect_xml(&client, "SourceIdentifier", 0, NULL);
    awssim_client_advance(&client, DAYS(14));
    succeed("DescribeEvents", "StartTime=2026-11-22T16%3A00%3A00Z");
    expect_xml(&client, "Date", 0, NULL);
}

static void test_managed_password(void **state)
{
    (void)state;
    succeed("ModifyDBCluster",
            "DBClusterIdentifier=new&ManageMasterUserPassword=true&MasterUserSecretKmsKeyId=alias%2Fstaging");
    expect_xml(&client, "SecretStatus", 0, "creating");
    AUTO_FREE char *arn = awssim_xml(&client, "SecretArn", 0);
    AUTO_FREE char *body = xasprintf("{\"SecretId\":\"%s\"}", arn);
    AUTO_FREE char *write = xasprintf("{\"SecretId\":\"%s\",\"SecretString\":\"x\",\"ClientRequestToken\":"
                                      "\"01234567890123456789012345678901\"}",
                                      arn);
    assert_number(awssim_json(&client, "secretsmanager", "PutSecretValue", write), 400);
    assert_awssim_error(&client, "InvalidRequestException");
    awssim_client_advance(&client, SECONDS(30));
    expect_cluster("new", "available");
    expect_xml(&client, "SecretStatus", 0, "active");
    assert_number(rds("ModifyDBCluster", "DBClusterIdentifier=new&MasterUserPassword=next-password"), 400);
    assert_awssim_error(&client, "InvalidParameterCombination");
    assert_number(rds("ModifyDBCluster", "DBClusterIdentifier=new&RotateMasterUserPassword=true"), 400);
    succeed("ModifyDBCluster", "DBClusterIdentifier=new&RotateMasterUserPassword=true&ApplyImmediately=true");
    expect_xml(&client, "SecretStatus", 0, "rotating");
    assert_number(awssim_json(&client, "secretsmanager", "GetSecretValue", body), 200);
    AUTO_FREE char *before = xstrdup(awssim_text(&client, "SecretString"));
    awssim_client_advance(&client, SECONDS(30));
    assert_number(awssim_json(&client, "secretsmanager", "GetSecretValue", body), 200);
    assert_false(text_equal(before, awssim_text(&client, "SecretString")));
    succeed("ModifyDBCluster",
            "DBClusterIdentifier=new&ManageMasterUserPassword=false&MasterUserPassword=next-password");
    expect_xml(&client, "SecretArn", 0, NULL);
    assert_number(awssim_json(&client, "secretsmanager", "DescribeSecret", body), 400);
}

/* ---- instances ---- */

static const struct phase_row {
    const char *name;
    int64_t after_s;
    const char *status;
} phase_rows[] = {
    {"at once", 0, "creating"},
    {"before the end of creating", 359, "creating"},
    {"log exports", 360, "configuring-log-exports"},
    {"its first backup", 400, "backing-up"},
    {"at last", 450, "available"},
};

static void test_instance_phases(void **state)
{
    const struct phase_row *row = *state;

    succeed(
        "CreateDBInstance",
        "DBInstanceIdentifier=e1&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=empty"
        "&Tags.Tag.1.Key=a&Tags.Tag.1.Value=b");
    expect_effect(&client, "created", ":db:e1");
    awssim_client_advance(&client, SECONDS(row->after_s));
    succeed("DescribeDBInstances", "DBInstanceIdentifier=e1");
    expect_xml(&client, "DBInstanceStatus", 0, row->status);
    expect_xml(&client, "Key", 0, "a");
    expect_cluster("empty", "available");
    expect_xml(&client, "IsClusterWriter", 0, "true");
}

static void test_instance_may_end_badly(void **state)
{
    (void)state;
    use_world(SERVICES_WORLD("", "    instanceOutcomes: {'*-bad': insufficient-capacity}\n", ""));
    succeed("CreateDBInstance", "DBInstanceIdentifier=e-bad&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&"
                                "DBClusterIdentifier=empty");
    awssim_client_advance(&client, MINUTES(6));
    succeed("DescribeDBInstances", "DBInstanceIdentifier=e-bad");
    expect_xml(&client, "DBInstanceStatus", 0, "insufficient-capacity");
}

static void test_bounce_after_available(void **state)
{
    (void)state;
    use_world(
        SERVICES_WORLD("durations: {rds: {instanceFirstAvailable: 10s, instanceModifying: 5s}}\n", "", ""));
    succeed(
        "CreateDBInstance",
        "DBInstanceIdentifier=e1&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=empty");
    awssim_client_advance(&client, SECONDS(455));
    succeed("DescribeDBInstances", "DBInstanceIdentifier=e1");
    expect_xml(&client, "DBInstanceStatus", 0, "available");
    awssim_client_advance(&client, SECONDS(6));
    succeed("DescribeDBInstances", "DBInstanceIdentifier=e1");
    expect_xml(&client, "DBInstanceStatus", 0, "modifying");
    awssim_client_advance(&client, SECONDS(6));
    succeed("DescribeDBInstances", "DBInstanceIdentifier=e1");
    expect_xml(&client, "DBInstanceStatus", 0, "available");
}

static void test_serverless_after_scaling(void **state)
{
    (void)state;
    succeed("ModifyDBCluster", "DBClusterIdentifier=empty&ServerlessV2ScalingConfiguration.MinCapacity=0.5"
                               "&ServerlessV2ScalingConfiguration.MaxCapacity=8");
    assert_number(rds("CreateDBInstance", "DBInstanceIdentifier=e1&DBInstanceClass=db.serverless&Engine="
                                          "aurora-mysql&DBClusterIdentifier=empty"),
                  400);
    assert_awssim_error(&client, "InvalidDBClusterStateFault"); /* still modifying */
    awssim_client_advance(&client, SECONDS(4));
    succeed("CreateDBInstance", "DBInstanceIdentifier=e1&DBInstanceClass=db.serverless&Engine=aurora-mysql&"
                                "DBClusterIdentifier=empty");
}

/* ---- the end of a cluster ---- */

static void test_deletion(void **state)
{
    (void)state;
    succeed("DeleteDBInstance", "DBInstanceIdentifier=new-a&SkipFinalSnapshot=true");
    assert_number(rds("DeleteDBInstance", "DBInstanceIdentifier=new-a&SkipFinalSnapshot=true"), 400);
    assert_awssim_error(&client, "InvalidDBInstanceState");
    awssim_client_advance(&client, MINUTES(4));
    expect_cluster("new", "available");
    expect_xml(&client, "DBInstanceIdentifier", 0, "new-b");
    expect_xml(&client, "IsClusterWriter", 0, "true"); /* the reader took over */
    succeed("DeleteDBInstance", "DBInstanceIdentifier=new-b&SkipFinalSnapshot=true");
    succeed("DeleteDBCluster", "DBClusterIdentifier=new&SkipFinalSnapshot=true");
    expect_effect(&client, "changed", "cluster:new");
    expect_cluster("new", "deleting");
    assert_number(rds("DeleteDBCluster", "DBClusterIdentifier=new&SkipFinalSnapshot=true"), 400);
    awssim_client_advance(&client, MINUTES(5));
    assert_number(rds("DescribeDBClusters", "DBClusterIdentifier=new"), 404);
    assert_number(rds("DescribeDBInstances", "DBInstanceIdentifier=new-b"), 404);
}

static void test_final_snapshot(void **state)
{
    (void)state;
    succeed("DeleteDBCluster", "DBClusterIdentifier=empty&FinalDBSnapshotIdentifier=last");
    succeed("DescribeDBClusterSnapshots", "DBClusterSnapshotIdentifier=last");
    expect_xml(&client, "DBClusterIdentifier", 0, "empty");
    assert_number(rds("DescribeDBClusterSnapshots", "DBClusterSnapshotIdentifier=other"), 404);
}

/* ---- tags ---- */

#define OLD_CLUSTER "ResourceName=arn%3Aaws%3Ards%3Aap-northeast-1%3A222222222222%3Acluster%3Aold"

static void test_tags(void **state)
{
    (void)state;
    succeed("AddTagsToResource", OLD_CLUSTER "&Tags.Tag.1.Key=a&Tags.Tag.1.Value=b");
    expect_effect(&client, "changed", "cluster:old");
    succeed("AddTagsToResource", OLD_CLUSTER "&Tags.Tag.1.Key=a&Tags.Tag.1.Value=b");
    expect_effect(&client, "none", "cluster:old");
    succeed("RemoveTagsFromResource", OLD_CLUSTER "&TagKeys.member.1=env");
    succeed("ListTagsForResource", OLD_CLUSTER);
    expect_xml(&client, "Key", 0, "a");
    expect_xml(&client, "Key", 1, NULL);
}

/* ---- restores ---- */

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
    {"all given", "{" GOOD "," NETWORK "}", NULL},
    {"keys in another case", "{\"DBClusterIdentifier\":\"copy\",\"Engine\":\"aurora-mysql\"}", NULL},
    {"one key in two cases", "{" GOOD ",\"Engine\":\"aurora-mysql\"}", "given twice"},
    {"unknown key", "{" GOOD ",\"serverlessV2ScalingConfiguration\":\"{}\"}", "unknown key"},
    {"list that is no JSON", "{" GOOD ",\"dbSubnetGroupName\":\"stg\",\"vpcSecurityGroupIds\":\"sg-db\"}",
     "cannot be parsed"},
    {"list of numbers", "{" GOOD ",\"dbSubnetGroupName\":\"stg\",\"vpcSecurityGroupIds\":\"[1]\"}",
     "cannot be parsed"},
    {"port that is no number", "{" GOOD ",\"port\":\"x\"}", "cannot be parsed"},
    {"no engine", "{\"dbClusterIdentifier\":\"copy\"}", "required"},
    {"other engine", "{\"dbClusterIdentifier\":\"copy\",\"engine\":\"aurora-postgresql\"}", "does not match"},
    {"unknown version",
     "{\"dbClusterIdentifier\":\"copy\",\"engine\":\"aurora-mysql\",\"engineVersion\":\"9\"}",
     "Cannot find version"},
    {"name in use", "{\"dbClusterIdentifier\":\"OLD\",\"engine\":\"aurora-mysql\"}", "already exists"},
    {"bad name", "{\"dbClusterIdentifier\":\"a--b\",\"engine\":\"aurora-mysql\"}", "not a valid identifier"},
    {"unknown subnet group", "{" GOOD ",\"dbSubnetGroupName\":\"prod\"}", "'prod' does not exist"},
    {"security group of another VPC",
     "{" GOOD ",\"dbSubnetGroupName\":\"stg\",\"vpcSecurityGroupIds\":\"[\\\"sg-else\\\"]\"}",
     "different VPCs"},
    {"production's security group",
     "{" GOOD ",\"dbSubnetGroupName\":\"stg\",\"vpcSecurityGroupIds\":\"[\\\"sg-prod\\\"]\"}",
     "Invalid security group"},
    {"unknown parameter group", "{" GOOD ",\"dbClusterParameterGroupName\":\"x\"}",
     "DBClusterParameterGroup not found"},
    {"parameter group of another family", "{" GOOD ",\"dbClusterParameterGroupName\":\"pg16\"}",
     "cannot be used"},
    {"production's key", "{" GOOD ",\"kmsKeyId\":\"arn:aws:kms:ap-northeast-1:111111111111:key/key-prod\"}",
     "KMSKeyNotAccessible"},
    {"disabled key", "{" GOOD ",\"kmsKeyId\":\"key-off\"}", "KMSKeyNotAccessible"},
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
    use_world(SERVICES_WORLD("", "    restoreCopiesTags: true\n", ""));
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

/* ---- the world file ---- */

static const struct bad_row {
    const char *name, *rds, *error;
} bad_rows[] = {
    {"unknown key", "    wrong: 1\n", "accounts[0].rds.wrong: unknown key"},
    {"wrong type", "    passwordReset: {event: 1}\n",
     "accounts[0].rds.passwordReset.event: expected true or false"},
    {"bad choice", "    secondTarget: Maybe\n", "must be one of: AlreadyRegistered InvalidCombination"},
    {"versions that are no list", "    engineVersions: {aurora-mysql: '1'}\n", "expected a list of versions"},
};

static void test_bad_world(void **state)
{
    const struct bad_row *row = *state;
    AUTO_FREE char *text = xasprintf(SERVICES_WORLD("", "%s", ""), row->rds);
    struct sim_options options = {
        .world = str_of(text), .world_name = "world.yaml", .world_ms = AWSSIM_WALL_MS, .seed = 1};
    struct sim *sim = NULL;

    assert_fails(awssim_new(&options, &sim), ERR_INVALID, row->error);
}

int main(void)
{
    struct tests tests = {.set_up = set_up, .tear_down = tear_down};

    TEST_ROWS(&tests, test_refused, refused_rows);
    TEST(&tests, test_refused_calls_are_in_the_journal);
    TEST(&tests, test_filters);
    TEST(&tests, test_identifier_in_any_case_or_as_arn);
    TEST(&tests, test_new_things_are_hidden_for_a_while);
    TEST_ROWS(&tests, test_modify, modify_rows);
    TEST(&tests, test_reboot_takes_the_parameter_group);
    TEST_ROWS(&tests, test_password_reset, reset_rows);
    TEST(&tests, test_event_has_its_time_however_late_we_look);
    TEST(&tests, test_managed_password);
    TEST_ROWS(&tests, test_instance_phases, phase_rows);
    TEST(&tests, test_instance_may_end_badly);
    TEST(&tests, test_bounce_after_available);
    TEST(&tests, test_serverless_after_scaling);
    TEST(&tests, test_deletion);
    TEST(&tests, test_final_snapshot);
    TEST(&tests, test_tags);
    TEST_ROWS(&tests, test_restore, restore_rows);
    TEST(&tests, test_restored_cluster);
    TEST(&tests, test_restore_that_names_no_network_lands_in_the_default_one);
    TEST(&tests, test_restore_may_bring_tags);
    TEST(&tests, test_restore_metadata_is_production_s);
    TEST_ROWS(&tests, test_bad_world, bad_rows);
    return tests_run(&tests, "awssim rds");
}
