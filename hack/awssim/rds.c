/* The table of the service. */
#include "hack/awssim/rds.h"

/* What ModifyDBCluster takes here; a member that is not listed is refused. */
#define MODIFY_CLUSTER                                                                               \
    "DBClusterIdentifier! ApplyImmediately:bool MasterUserPassword ManageMasterUserPassword:bool "   \
    "RotateMasterUserPassword:bool MasterUserSecretKmsKeyId DeletionProtection:bool "                \
    "VpcSecurityGroupIds:list "                                                                      \
    "DBClusterParameterGroupName BackupRetentionPeriod:int ServerlessV2ScalingConfiguration:object " \
    "EnableIAMDatabaseAuthentication:bool CopyTagsToSnapshot:bool CloudwatchLogsExportConfiguration:object"
#define CREATE_INSTANCE                                                                                \
    "DBInstanceIdentifier! DBInstanceClass! Engine! DBClusterIdentifier DBParameterGroupName "         \
    "PromotionTier:int "                                                                               \
    "AvailabilityZone PubliclyAccessible:bool AutoMinorVersionUpgrade:bool CACertificateIdentifier "   \
    "MonitoringInterval:int MonitoringRoleArn EnablePerformanceInsights:bool CopyTagsToSnapshot:bool " \
    "EngineVersion Tags:list"
#define PAGES " Filters:list MaxRecords:int Marker"

static const struct operation operations[] = {
    {.name = "DescribeDBClusters",
     .handle = sim_rds_describe_clusters,
     .input = "DBClusterIdentifier IncludeShared:bool" PAGES},
    {.name = "ModifyDBCluster", .handle = sim_rds_modify_cluster, .input = MODIFY_CLUSTER, .mutating = true},
    {.name = "DeleteDBCluster",
     .handle = sim_rds_delete_cluster,
     .input =
         "DBClusterIdentifier! SkipFinalSnapshot:bool FinalDBSnapshotIdentifier DeleteAutomatedBackups:bool",
     .mutating = true},
    {.name = "DescribeDBClusterSnapshots",
     .handle = sim_rds_describe_snapshots,
     .input = "DBClusterIdentifier DBClusterSnapshotIdentifier SnapshotType IncludeShared:bool "
              "IncludePublic:bool" PAGES},
    {.name = "DescribeDBInstances",
     .handle = sim_rds_describe_instances,
     .input = "DBInstanceIdentifier" PAGES},
    {.name = "CreateDBInstance",
     .handle = sim_rds_create_instance,
     .input = CREATE_INSTANCE,
     .mutating = true},
    {.name = "DeleteDBInstance",
     .handle = sim_rds_delete_instance,
     .input =
         "DBInstanceIdentifier! SkipFinalSnapshot:bool FinalDBSnapshotIdentifier DeleteAutomatedBackups:bool",
     .mutating = true},
    {.name = "RebootDBInstance",
     .handle = sim_rds_reboot_instance,
     .input = "DBInstanceIdentifier! ForceFailover:bool",
     .mutating = true},
    {.name = "AddTagsToResource",
     .handle = sim_rds_add_tags,
     .input = "ResourceName! Tags!:list",
     .mutating = true},
    {.name = "ListTagsForResource", .handle = sim_rds_list_tags, .input = "ResourceName! Filters:list"},
    {.name = "RemoveTagsFromResource",
     .handle = sim_rds_remove_tags,
     .input = "ResourceName! TagKeys!:list",
     .mutating = true},
    {.name = "DescribeDBSubnetGroups",
     .handle = sim_rds_describe_subnet_groups,
     .input = "DBSubnetGroupName" PAGES},
    {.name = "DescribeDBClusterParameterGroups",
     .handle = sim_rds_describe_parameter_groups,
     .input = "DBClusterParameterGroupName" PAGES},
    {.name = "DescribeOrderableDBInstanceOptions",
     .handle = sim_rds_describe_orderable,
     .input = "Engine! EngineVersion DBInstanceClass LicenseModel Vpc:bool" PAGES},
    {.name = "DescribeEvents",
     .handle = sim_rds_describe_events,
     .input = "SourceIdentifier SourceType StartTime EndTime Duration:int EventCategories:list" PAGES},
    {.name = "DescribeDBProxies", .handle = sim_proxy_describe, .input = "DBProxyName" PAGES},
    {.name = "DescribeDBProxyTargetGroups",
     .handle = sim_proxy_describe_groups,
     .input = "DBProxyName! TargetGroupName" PAGES},
    {.name = "DescribeDBProxyTargets",
     .handle = sim_proxy_describe_targets,
     .input = "DBProxyName! TargetGroupName" PAGES},
    {.name = "RegisterDBProxyTargets",
     .handle = sim_proxy_register,
     .input = "DBProxyName! TargetGroupName DBClusterIdentifiers:list DBInstanceIdentifiers:list",
     .mutating = true},
    {.name = "DeregisterDBProxyTargets",
     .handle = sim_proxy_deregister,
     .input = "DBProxyName! TargetGroupName DBClusterIdentifiers:list DBInstanceIdentifiers:list",
     .mutating = true},
    {.name = "ModifyDBProxy",
     .handle = sim_proxy_modify,
     .input = "DBProxyName! Auth:list RoleArn RequireTLS:bool IdleClientTimeout:int DebugLogging:bool "
              "SecurityGroups:list",
     .mutating = true},
};

static const struct duration durations[] = {
    {.name = "rds.visible", .default_ms = 0},
    {.name = "rds.passwordLag", .default_ms = SECONDS(8)},
    {.name = "rds.passwordReset", .default_ms = SECONDS(20)},
    {.name = "rds.modify", .default_ms = SECONDS(4)},
    {.name = "rds.clusterDelete", .default_ms = MINUTES(2)},
    {.name = "rds.instanceCreate", .default_ms = MINUTES(6)},
    {.name = "rds.instanceLogExports", .default_ms = SECONDS(40)},
    {.name = "rds.instanceBackup", .default_ms = SECONDS(50)},
    {.name = "rds.instanceFirstAvailable", .default_ms = 0},
    {.name = "rds.instanceModifying", .default_ms = 0},
    {.name = "rds.instanceReboot", .default_ms = SECONDS(45)},
    {.name = "rds.instanceDelete", .default_ms = MINUTES(4)},
    {.name = "rds.register", .default_ms = SECONDS(20)},
    {.name = "rds.deregister", .default_ms = SECONDS(2)},
    {.name = "rds.proxyCheck", .default_ms = SECONDS(10)},
    {.name = "rds.proxyModify", .default_ms = SECONDS(15)},
};

const struct service rds_service = {
    .name = "rds",
    .section = "rds",
    .protocol = PROTOCOL_QUERY,
    .version = "2014-10-31",
    .xml_namespace = "http://rds.amazonaws.com/doc/2014-10-31/",
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .durations = durations,
    .duration_count = COUNT_OF(durations),
    .state_size = sizeof(struct rds_state),
    .load = sim_rds_load,
    .check = sim_rds_check,
    .advance = sim_rds_advance,
    .next_ms = sim_rds_next_ms,
    .dump = sim_rds_dump,
    .done = sim_rds_done,
};
