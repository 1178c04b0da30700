#include "pkg/aws/rds.h"

#include "tests/pkg/aws/fixture.h"

#define HOST .host = "rds.ap-northeast-1.amazonaws.com", .method = "POST", .path = "/"
#define ANSWER(op, result) \
    "<" op "Response xmlns=\"u\"><" op "Result>" result "</" op "Result></" op "Response>"
#define REFUSAL(code, message)                                                        \
    "<ErrorResponse><Error><Type>Sender</Type><Code>" code "</Code><Message>" message \
    "</Message></Error><RequestId>q</RequestId></ErrorResponse>"

#define CLUSTER                                                                                             \
    "<DBCluster><DBClusterIdentifier>shop-stg-1</DBClusterIdentifier><DBClusterArn>arn:c</DBClusterArn>"    \
    "<Status>available</Status><Engine>aurora-mysql</Engine><EngineVersion>8.0</EngineVersion><Port>3306</" \
    "Port>"                                                                                                 \
    "<Endpoint>e.example</Endpoint><MasterUsername>admin</MasterUsername><StorageEncrypted>true</"          \
    "StorageEncrypted>"                                                                                     \
    "<KmsKeyId>arn:k</KmsKeyId><DeletionProtection>false</DeletionProtection><DBSubnetGroup>g</"            \
    "DBSubnetGroup>"                                                                                        \
    "<DBClusterParameterGroup>pg</DBClusterParameterGroup><BackupRetentionPeriod>1</BackupRetentionPeriod>" \
    "<ClusterCreateTime>2026-11-22T16:00:00.123Z</ClusterCreateTime>"                                       \
    "<PendingModifiedValues><MasterUserPassword>****</MasterUserPassword></PendingModifiedValues>"          \
    "<MasterUserSecret><SecretArn>arn:s</SecretArn><SecretStatus>active</SecretStatus></MasterUserSecret>"  \
    "<ServerlessV2ScalingConfiguration><MinCapacity>0.5</MinCapacity><MaxCapacity>8.0</MaxCapacity>"        \
    "</ServerlessV2ScalingConfiguration>"                                                                   \
    "<DBClusterMembers><DBClusterMember><DBInstanceIdentifier>i-a</"                                        \
    "DBInstanceIdentifier><IsClusterWriter>true"                                                            \
    "</IsClusterWriter><DBClusterParameterGroupStatus>in-sync</DBClusterParameterGroupStatus></"            \
    "DBClusterMember>"                                                                                      \
    "<DBClusterMember><DBInstanceIdentifier>i-b</DBInstanceIdentifier><IsClusterWriter>false</"             \
    "IsClusterWriter>"                                                                                      \
    "</DBClusterMember></DBClusterMembers>"                                                                 \
    "<VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId>"          \
    "</VpcSecurityGroupMembership></VpcSecurityGroups>"                                                     \
    "<TagList><Tag><Key>stagingrefresh.dev/self</Key><Value>shop-stg-1</Value></Tag></TagList></DBCluster>"

static void describes_a_cluster(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .headers = {"content-type: application/x-www-form-urlencoded; charset=utf-8"},
         .body = "Action=DescribeDBClusters&Version=2014-10-31&DBClusterIdentifier=shop-stg-1",
         .reply = ANSWER("DescribeDBClusters", "<DBClusters>" CLUSTER "</DBClusters>")},
        {HOST, .reply = ANSWER("DescribeDBClusters", "<DBClusters/>")},
        {HOST, .status = 404, .reply = REFUSAL("DBClusterNotFoundFault", "DBCluster x not found.")},
    };
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    struct rds_cluster none = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(rds_describe_cluster(&f.aws, "shop-stg-1", &cluster));
    assert_text_equal(cluster.id, "shop-stg-1");
    assert_text_equal(cluster.status, "available");
    assert_text_equal(cluster.kms_key_id, "arn:k");
    assert_number(cluster.port, 3306);
    assert_true(cluster.is_encrypted && cluster.password_pending && !cluster.deletion_protection);
    assert_text_equal(cluster.master_secret_status, "active");
    assert_true(cluster.min_acu > 0.49 && cluster.min_acu < 0.51 && cluster.max_acu > 7.9);
    assert_number(cluster.created_ms, 1795363200123);
    assert_number((int64_t)cluster.member_count, 2);
    assert_true(cluster.members[0].is_writer && !cluster.members[1].is_writer);
    assert_text_equal(cluster.members[0].parameter_group_status, "in-sync");
    assert_text_equal(cluster.members[1].instance_id, "i-b");
    assert_true(aws_texts_have(&cluster.security_group_ids, "sg-1"));
    assert_text_equal(aws_tags_get(&cluster.tags, "stagingrefresh.dev/self"), "shop-stg-1");
    assert_fails(rds_describe_cluster(&f.aws, "x", &none), ERR_NOT_FOUND, "there is no cluster x");
    assert_fails(rds_describe_cluster(&f.aws, "x", &none), ERR_NOT_FOUND,
                 "DBClusterNotFoundFault: DBCluster x not found.");
    assert_fails(rds_describe_cluster(&f.aws, "", &none), ERR_INVALID, "must be named");
    fixture_done(&f);
}

static void lists_clusters_by_marker(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .body = "Action=DescribeDBClusters&Version=2014-10-31&MaxRecords=100",
         .reply = ANSWER("DescribeDBClusters", "<Marker>m/1</Marker><DBClusters>" CLUSTER "</DBClusters>")},
        {HOST, .body = "Action=DescribeDBClusters&Version=2014-10-31&MaxRecords=100&Marker=m%2F1",
         .reply = ANSWER("DescribeDBClusters", "<DBClusters>" CLUSTER "</DBClusters>")},
    };
    AUTO_RDS_CLUSTERS struct rds_clusters clusters = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(rds_list_clusters(&f.aws, &clusters));
    assert_number((int64_t)clusters.count, 2);
    fixture_done(&f);
}

static void modifies_a_cluster(void **state)
{
    static const struct exchange rows[] = {
        {HOST,
         .body = "Action=ModifyDBCluster&Version=2014-10-31&DBClusterIdentifier=c&ApplyImmediately=true"
                 "&MasterUserPassword=p%2B%25%26w",
         .reply = ANSWER("ModifyDBCluster", CLUSTER),
         .reply_headers = {"date: Sun, 22 Nov 2026 16:00:07 GMT"}},
        {HOST,
         .body = "Action=ModifyDBCluster&Version=2014-10-31&DBClusterIdentifier=c&ApplyImmediately=true"
                 "&ManageMasterUserPassword=true&DeletionProtection=false"
                 "&ServerlessV2ScalingConfiguration.MinCapacity=0.5&ServerlessV2ScalingConfiguration."
                 "MaxCapacity=8"
                 "&BackupRetentionPeriod=1&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1"
                 "&CloudwatchLogsExportConfiguration.EnableLogTypes.member.1=audit"
                 "&CloudwatchLogsExportConfiguration.DisableLogTypes.member.1=error",
         .reply = ANSWER("ModifyDBCluster", CLUSTER)},
        {HOST, .status = 400, .reply = REFUSAL("InvalidDBClusterStateFault", "busy")},
    };
    static const char *const groups[] = {"sg-1"}, *const on[] = {"audit"}, *const off[] = {"error"};
    AUTO_SECRET struct secret *password = secret_new(STR("p+%&w"));
    struct fixture f;
    int64_t server_ms = 0;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(rds_modify_cluster(
        &f.aws, &(struct rds_modify_opts){.cluster_id = "c", .master_password = password}, &server_ms));
    assert_number(server_ms, TESTING_WALL_MS + 7000);
    assert_true(script_sent(f.t.script, 1)->sensitive);
    assert_no_err(rds_modify_cluster(&f.aws,
                                     &(struct rds_modify_opts){.cluster_id = "c",
                                                               .manage_password = RDS_ON,
                                                               .deletion_protection = RDS_OFF,
                                                               .min_acu = "0.5",
                                                               .max_acu = "8",
                                                               .backup_retention_days = 1,
                                                               .security_group_ids = groups,
                                                               .security_group_count = 1,
                                                               .logs_on = on,
                                                               .logs_on_count = 1,
                                                               .logs_off = off,
                                                               .logs_off_count = 1},
                                     NULL));
    assert_fails(rds_modify_cluster(&f.aws, &(struct rds_modify_opts){.cluster_id = "c"}, NULL), ERR_RETRY,
                 "InvalidDBClusterStateFault");
    fixture_done(&f);
}

static void reads_flags_and_reboots(void **state)
{
    static const struct exchange rows[] = {
        {HOST, .reply = ANSWER("DescribeDBClusters",
                               "<DBClusters><DBCluster><DBClusterIdentifier>c</DBClusterIdentifier>"
                               "<IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled>"
                               "<EnabledCloudwatchLogsExports><member>audit</member><member>error</member>"
                               "</EnabledCloudwatchLogsExports></DBCluster></DBClusters>")},
        {HOST, .body = "Action=RebootDBInstance&Version=2014-10-31&DBInstanceIdentifier=c-a",
         .reply = ANSWER("RebootDBInstance", "<DBInstance/>")},
    };
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(rds_describe_cluster(&f.aws, "c", &cluster));
    assert_true(cluster.iam_authentication);
    assert_true(cluster.log_exports.count == 2 && aws_texts_have(&cluster.log_exports, "error"));
    assert_no_err(rds_reboot_instance(&f.aws, "c-a"));
    fixture_done(&f);
}

static void makes_and_deletes_instances(void **state)
{
    static const struct exchange rows[] = {
        {HOST,
         .body = "Action=CreateDBInstance&Version=2014-10-31&DBInstanceIdentifier=c-a&DBClusterIdentifier=c&"
                 "Engine=aurora-mysql"
                 "&DBInstanceClass=db.r6g.large&PubliclyAccessible=false&PromotionTier=0&Tags.Tag.1.Key=k&"
                 "Tags.Tag.1.Value=v",
         .reply = ANSWER("CreateDBInstance", "<DBInstance/>")},
        {HOST, .status = 400, .reply = REFUSAL("DBInstanceAlreadyExists", "there")},
        {HOST,
         .body = "Action=DescribeDBInstances&Version=2014-10-31&Filters.Filter.1.Name=db-cluster-id"
                 "&Filters.Filter.1.Values.Value.1=c&MaxRecords=100",
         .reply = ANSWER(
             "DescribeDBInstances",
             "<DBInstances><DBInstance><DBInstanceIdentifier>c-a</"
             "DBInstanceIdentifier><DBInstanceStatus>creating"
             "</DBInstanceStatus><DBClusterIdentifier>c</DBClusterIdentifier><PubliclyAccessible>false</"
             "PubliclyAccessible>"
             "<PromotionTier>1</PromotionTier><Endpoint><Address>h</Address><Port>3306</Port></Endpoint>"
             "<DBParameterGroups><DBParameterGroup><DBParameterGroupName>pg</DBParameterGroupName></"
             "DBParameterGroup>"
             "</DBParameterGroups><TagList><Tag><Key>k</Key><Value>v</Value></Tag></TagList></DBInstance></"
             "DBInstances>")},
        {HOST, .body = "Action=DescribeDBInstances&Version=2014-10-31&MaxRecords=100",
         .reply = ANSWER("DescribeDBInstances", "")},
        {HOST,
         .body = "Action=DeleteDBInstance&Version=2014-10-31&DBInstanceIdentifier=c-a&SkipFinalSnapshot=true",
         .reply = ANSWER("DeleteDBInstance", "<DBInstance/>")},
        {HOST,
         .body = "Action=DeleteDBCluster&Version=2014-10-31&DBClusterIdentifier=c&SkipFinalSnapshot=true&"
                 "DeleteAutomatedBackups=true",
         .reply = ANSWER("DeleteDBCluster", CLUSTER)},
    };
    static const struct aws_pair tags[] = {{"k", "v"}};
    const struct rds_create_instance_opts opts = {.instance_id = "c-a",
                                                  .cluster_id = "c",
                                                  .engine = "aurora-mysql",
                                                  .class_name = "db.r6g.large",
                                                  .tags = tags,
                                                  .tag_count = 1};
    AUTO_RDS_INSTANCES struct rds_instances instances = {0};
    AUTO_RDS_INSTANCES struct rds_instances none = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(rds_create_instance(&f.aws, &opts));
    assert_fails(rds_create_instance(&f.aws, &opts), ERR_CONFLICT, "DBInstanceAlreadyExists");
    assert_no_err(rds_list_instances(&f.aws, "c", &instances));
    assert_number((int64_t)instances.count, 1);
    assert_text_equal(instances.items[0].status, "creating");
    assert_text_equal(instances.items[0].endpoint, "h");
    assert_text_equal(instances.items[0].parameter_group, "pg");
    assert_number(instances.items[0].port, 3306);
    assert_text_equal(aws_tags_get(&instances.items[0].tags, "k"), "v");
    assert_no_err(rds_list_instances(&f.aws, NULL, &none));
    assert_no_err(rds_delete_instance(&f.aws, "c-a"));
    assert_no_err(rds_delete_cluster(&f.aws, "c"));
    fixture_done(&f);
}

static void reads_tags_events_and_subnets(void **state)
{
    static const struct exchange rows[] = {
        {HOST,
         .body = "Action=AddTagsToResource&Version=2014-10-31&ResourceName=arn%3Ac&Tags.Tag.1.Key=k&Tags.Tag."
                 "1.Value=v",
         .reply = "<AddTagsToResourceResponse><ResponseMetadata/></AddTagsToResourceResponse>"},
        {HOST, .body = "Action=ListTagsForResource&Version=2014-10-31&ResourceName=arn%3Ac",
         .reply = ANSWER("ListTagsForResource", "<TagList><Tag><Key>k</Key><Value/></Tag></TagList>")},
        {HOST,
         .body = "Action=DescribeEvents&Version=2014-10-31&SourceIdentifier=c&SourceType=db-cluster&"
                 "StartTime=2026-11-22T16%3A00%3A00Z",
         .reply =
             ANSWER("DescribeEvents",
                    "<Events><Event><SourceIdentifier>c</SourceIdentifier><Message>Reset master "
                    "credentials</Message>"
                    "<Date>2026-11-22T16:00:09.500Z</Date><SourceArn>arn:c</SourceArn></Event></Events>")},
        {HOST, .body = "Action=DescribeDBSubnetGroups&Version=2014-10-31&DBSubnetGroupName=g",
         .reply = ANSWER("DescribeDBSubnetGroups",
                         "<DBSubnetGroups><DBSubnetGroup><DBSubnetGroupName>g</DBSubnetGroupName>"
                         "<VpcId>vpc-1</VpcId><SubnetGroupStatus>Complete</SubnetGroupStatus>"
                         "</DBSubnetGroup></DBSubnetGroups>")},
    };
    static const struct aws_pair tags[] = {{"k", "v"}};
    AUTO_TAGS struct aws_tags found = {0};
    AUTO_RDS_EVENTS struct rds_events events = {0};
    AUTO_RDS_SUBNET_GROUP struct rds_subnet_group group = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(rds_add_tags(&f.aws, "arn:c", tags, 1));
    assert_no_err(rds_list_tags(&f.aws, "arn:c", &found));
    assert_text_equal(aws_tags_get(&found, "k"), "");
    assert_no_err(rds_list_cluster_events(&f.aws, "c", TESTING_WALL_MS, &events));
    assert_number((int64_t)events.count, 1);
    assert_text_equal(events.items[0].message, "Reset master credentials");
    assert_number(events.items[0].date_ms, TESTING_WALL_MS + 9500);
    assert_no_err(rds_describe_subnet_group(&f.aws, "g", &group));
    assert_text_equal(group.vpc_id, "vpc-1");
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, describes_a_cluster);
    TEST(&tests, lists_clusters_by_marker);
    TEST(&tests, modifies_a_cluster);
    TEST(&tests, reads_flags_and_reboots);
    TEST(&tests, makes_and_deletes_instances);
    TEST(&tests, reads_tags_events_and_subnets);
    return tests_run(&tests, "rds");
}
