/* Clusters, instances, events and tags of Aurora. */
#include "tests/hack/awssim/services_world.h"

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

/* ---- refusals ---- */

static const struct refused_row {
    const char *name, *operation, *form, *error;
    int status;
} refused_rows[] = {
    {.name = "modify what is not there",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=nope",
     .error = "DBClusterNotFoundFault",
     .status = 404},
    {.name = "modify while backing up",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=postgres&DeletionProtection=true",
     .error = "InvalidDBClusterStateFault",
     .status = 400},
    {.name = "short password",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&MasterUserPassword=short",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "slash in a password",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&MasterUserPassword=long/enough",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "space in a password",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&MasterUserPassword=long%20enough",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "42 characters",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&MasterUserPassword=123456789012345678901234567890123456789012",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "manage and own password",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&ManageMasterUserPassword=true&MasterUserPassword=long-enough",
     .error = "InvalidParameterCombination",
     .status = 400},
    {.name = "rotate what is not managed",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&RotateMasterUserPassword=true&ApplyImmediately=true",
     .error = "InvalidParameterCombination",
     .status = 400},
    {.name = "key without manage",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&MasterUserSecretKmsKeyId=key-stg",
     .error = "InvalidParameterCombination",
     .status = 400},
    {.name = "disabled key",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&ManageMasterUserPassword=true&MasterUserSecretKmsKeyId=key-off",
     .error = "KMSKeyNotAccessibleFault",
     .status = 400},
    {.name = "unknown security group",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-x",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "security group of another VPC",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-else",
     .error = "InvalidVPCNetworkStateFault",
     .status = 400},
    {.name = "unknown parameter group",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&DBClusterParameterGroupName=x",
     .error = "DBClusterParameterGroupNotFound",
     .status = 404},
    {.name = "parameter group of another family",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&DBClusterParameterGroupName=pg16",
     .error = "InvalidParameterCombination",
     .status = 400},
    {.name = "no retention",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&BackupRetentionPeriod=0",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "third of an ACU",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&ServerlessV2ScalingConfiguration.MinCapacity=0.3&"
             "ServerlessV2ScalingConfiguration.MaxCapacity=4",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "unknown member",
     .operation = "ModifyDBCluster",
     .form = "DBClusterIdentifier=new&NewDBClusterIdentifier=x",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "instance of no cluster",
     .operation = "CreateDBInstance",
     .form =
         "DBInstanceIdentifier=x&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=nope",
     .error = "DBClusterNotFoundFault",
     .status = 404},
    {.name = "instance twice",
     .operation = "CreateDBInstance",
     .form = "DBInstanceIdentifier=OLD-A&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&"
             "DBClusterIdentifier=new",
     .error = "DBInstanceAlreadyExists",
     .status = 400},
    {.name = "two hyphens",
     .operation = "CreateDBInstance",
     .form =
         "DBInstanceIdentifier=a--b&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=new",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "a hyphen at the end",
     .operation = "CreateDBInstance",
     .form =
         "DBInstanceIdentifier=e-&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=empty",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "a digit in front",
     .operation = "CreateDBInstance",
     .form =
         "DBInstanceIdentifier=1e&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=empty",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "no such class",
     .operation = "CreateDBInstance",
     .form = "DBInstanceIdentifier=x&DBInstanceClass=r6g.large&Engine=aurora-mysql&DBClusterIdentifier=new",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "other engine",
     .operation = "CreateDBInstance",
     .form = "DBInstanceIdentifier=x&DBInstanceClass=db.r6g.large&Engine=aurora-postgresql&"
             "DBClusterIdentifier=new",
     .error = "InvalidParameterCombination",
     .status = 400},
    {.name = "serverless without scaling",
     .operation = "CreateDBInstance",
     .form =
         "DBInstanceIdentifier=x&DBInstanceClass=db.serverless&Engine=aurora-mysql&DBClusterIdentifier=new",
     .error = "InvalidDBClusterStateFault",
     .status = 400},
    {.name = "tier 16",
     .operation = "CreateDBInstance",
     .form =
         "DBInstanceIdentifier=x&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&DBClusterIdentifier=new&"
         "PromotionTier=16",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "class is missing",
     .operation = "CreateDBInstance",
     .form = "DBInstanceIdentifier=x&Engine=aurora-mysql",
     .error = "MissingParameter",
     .status = 400},
    {.name = "describe no instance",
     .operation = "DescribeDBInstances",
     .form = "DBInstanceIdentifier=nope",
     .error = "DBInstanceNotFound",
     .status = 404},
    {.name = "delete no instance",
     .operation = "DeleteDBInstance",
     .form = "DBInstanceIdentifier=nope",
     .error = "DBInstanceNotFound",
     .status = 404},
    {.name = "final snapshot of a member",
     .operation = "DeleteDBInstance",
     .form = "DBInstanceIdentifier=old-a&FinalDBSnapshotIdentifier=x",
     .error = "InvalidParameterCombination",
     .status = 400},
    {.name = "delete with members",
     .operation = "DeleteDBCluster",
     .form = "DBClusterIdentifier=old&SkipFinalSnapshot=true",
     .error = "InvalidDBClusterStateFault",
     .status = 400},
    {.name = "delete without a word on snapshots",
     .operation = "DeleteDBCluster",
     .form = "DBClusterIdentifier=empty",
     .error = "InvalidParameterCombination",
     .status = 400},
    {.name = "delete a protected one",
     .operation = "DeleteDBCluster",
     .form = "DBClusterIdentifier=guarded&SkipFinalSnapshot=true",
     .error = "InvalidParameterCombination",
     .status = 400},
    {.name = "describe no cluster",
     .operation = "DescribeDBClusters",
     .form = "DBClusterIdentifier=nope",
     .error = "DBClusterNotFoundFault",
     .status = 404},
    {.name = "ARN of another account",
     .operation = "DescribeDBClusters",
     .form = "DBClusterIdentifier=arn%3Aaws%3Ards%3Aap-northeast-1%3A111111111111%3Acluster%3Aold",
     .error = "DBClusterNotFoundFault",
     .status = 404},
    {.name = "unknown filter",
     .operation = "DescribeDBClusters",
     .form = "Filters.Filter.1.Name=x&Filters.Filter.1.Values.Value.1=y",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "pages too small",
     .operation = "DescribeDBClusters",
     .form = "MaxRecords=19",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "events of an id without type",
     .operation = "DescribeEvents",
     .form = "SourceIdentifier=old",
     .error = "InvalidParameterCombination",
     .status = 400},
    {.name = "events of 15 days",
     .operation = "DescribeEvents",
     .form = "Duration=21600",
     .error = "InvalidParameterValue",
     .status = 400},
    {.name = "no such subnet group",
     .operation = "DescribeDBSubnetGroups",
     .form = "DBSubnetGroupName=nope",
     .error = "DBSubnetGroupNotFoundFault",
     .status = 404},
    {.name = "no such parameter group",
     .operation = "DescribeDBClusterParameterGroups",
     .form = "DBClusterParameterGroupName=nope",
     .error = "DBParameterGroupNotFound",
     .status = 404},
    {.name = "tags of nothing",
     .operation = "ListTagsForResource",
     .form = "ResourceName=arn%3Aaws%3Ards%3Aap-northeast-1%3A222222222222%3Acluster%3Anope",
     .error = "DBClusterNotFoundFault",
     .status = 404},
    {.name = "tags of no snapshot",
     .operation = "ListTagsForResource",
     .form = "ResourceName=arn%3Aaws%3Ards%3Aap-northeast-1%3A222222222222%3Acluster-snapshot%3Aawsbackup%3A"
             "job-1",
     .error = "DBClusterSnapshotNotFoundFault",
     .status = 404},
    {.name = "tag that AWS keeps",
     .operation = "AddTagsToResource",
     .form = "ResourceName=arn%3Aaws%3Ards%3Aap-northeast-1%3A222222222222%3Acluster%3Aold&Tags.Tag.1.Key="
             "aws%3Ax&"
             "Tags.Tag.1.Value=y",
     .error = "InvalidParameterValue",
     .status = 400},
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
    use_world("durations: {rds: {visible: 5s}}\n", "");
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
    {.name = "retention",
     .form = "BackupRetentionPeriod=3",
     .effect = "changed",
     .status = "modifying",
     .tag = "BackupRetentionPeriod",
     .want = "3"},
    {.name = "the same retention",
     .form = "BackupRetentionPeriod=1",
     .effect = "none",
     .status = "available",
     .tag = "BackupRetentionPeriod",
     .want = "1"},
    {.name = "protection",
     .form = "DeletionProtection=true",
     .effect = "changed",
     .status = "available",
     .tag = "DeletionProtection",
     .want = "true"},
    {.name = "the same protection",
     .form = "DeletionProtection=false",
     .effect = "none",
     .status = "available",
     .tag = "DeletionProtection",
     .want = "false"},
    {.name = "security groups",
     .form = "VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-closed",
     .effect = "changed",
     .status = "modifying",
     .tag = "VpcSecurityGroupId",
     .want = "sg-closed"},
    {.name = "scaling",
     .form =
         "ServerlessV2ScalingConfiguration.MinCapacity=0.5&ServerlessV2ScalingConfiguration.MaxCapacity=8",
     .effect = "changed",
     .status = "modifying",
     .tag = "MinCapacity",
     .want = "0.5"},
    {.name = "parameter group",
     .form = "DBClusterParameterGroupName=my8",
     .effect = "changed",
     .status = "modifying",
     .tag = "DBClusterParameterGroupStatus",
     .want = "pending-reboot"},
    {.name = "logs",
     .form = "CloudwatchLogsExportConfiguration.EnableLogTypes.member.1=audit",
     .effect = "changed",
     .status = "modifying",
     .tag = "EnabledCloudwatchLogsExports",
     .want = "<member>audit</member>"},
    {.name = "nothing",
     .form = "ApplyImmediately=true",
     .effect = "none",
     .status = "available",
     .tag = "Status",
     .want = "available"},
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
    {.name = "all evidence",
     .switches = "",
     .status_during = "resetting-master-credentials",
     .mask = true,
     .event = true},
    {.name = "no mask",
     .switches = "    passwordReset: {pendingMask: false}\n",
     .status_during = "resetting-master-credentials",
     .event = true},
    {.name = "no status",
     .switches = "    passwordReset: {status: false}\n",
     .status_during = "available",
     .mask = true,
     .event = true},
    {.name = "no event",
     .switches = "    passwordReset: {event: false}\n",
     .status_during = "resetting-master-credentials",
     .mask = true},
    {.name = "no evidence",
     .switches = "    passwordReset: {event: false, status: false, pendingMask: false}\n",
     .status_during = "available"},
};

static void expect_reset_picture(const struct reset_row *row, const char *status, bool pending)
{
    expect_cluster("new", status);
    expect_xml(&client, "MasterUserPassword", 0, pending && row->mask ? "****" : NULL);
}

static void test_password_reset(void **state)
{
    const struct reset_row *row = *state;
    use_world("", row->switches);
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
    {.name = "at once", .status = "creating"},
    {.name = "before the end of creating", .after_s = 359, .status = "creating"},
    {.name = "log exports", .after_s = 360, .status = "configuring-log-exports"},
    {.name = "its first backup", .after_s = 400, .status = "backing-up"},
    {.name = "at last", .after_s = 450, .status = "available"},
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
    use_world("", "    instanceOutcomes: {'*-bad': insufficient-capacity}\n");
    succeed("CreateDBInstance", "DBInstanceIdentifier=e-bad&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&"
                                "DBClusterIdentifier=empty");
    awssim_client_advance(&client, MINUTES(6));
    succeed("DescribeDBInstances", "DBInstanceIdentifier=e-bad");
    expect_xml(&client, "DBInstanceStatus", 0, "insufficient-capacity");
}

static void test_bounce_after_available(void **state)
{
    (void)state;
    use_world("durations: {rds: {instanceFirstAvailable: 10s, instanceModifying: 5s}}\n", "");
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

/* Kept in lower case; the first one writes. */
static void test_names_of_instances(void **state)
{
    (void)state;
    succeed("CreateDBInstance", "DBInstanceIdentifier=E1&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&"
                                "DBClusterIdentifier=Empty");
    expect_xml(&client, "DBInstanceIdentifier", 0, "e1");
    assert_number(rds("CreateDBInstance", "DBInstanceIdentifier=e1&DBInstanceClass=db.r6g.large&Engine="
                                          "aurora-mysql&DBClusterIdentifier=empty"),
                  400);
    assert_awssim_error(&client, "DBInstanceAlreadyExists");
    awssim_client_advance(&client, MINUTES(10));
    succeed("CreateDBInstance", "DBInstanceIdentifier=e2&DBInstanceClass=db.r6g.large&Engine=aurora-mysql&"
                                "DBClusterIdentifier=empty&PromotionTier=0");
    succeed("DescribeDBClusters", "DBClusterIdentifier=empty");
    expect_xml(&client, "IsClusterWriter", 0, "true");
    expect_xml(&client, "IsClusterWriter", 1, "false");
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

int main(void)
{
    struct tests tests = tests_in_services("");

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
    TEST(&tests, test_names_of_instances);
    TEST(&tests, test_serverless_after_scaling);
    TEST(&tests, test_deletion);
    TEST(&tests, test_final_snapshot);
    TEST(&tests, test_tags);
    return tests_run(&tests, "awssim rds");
}
