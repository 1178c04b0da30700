#include "pkg/aws/operation.h"

#include "pkg/base/alloc.h"
#include "pkg/base/str.h"

/* clang-format off */
static const struct aws_operation operations[AWS_OP_COUNT] = {
    /* A token makes the three starts repeatable. */
    [AWS_OP_START_BACKUP_JOB]         = {.service = AWS_BACKUP, .name = "StartBackupJob", .method = "PUT", .is_repeatable = true},
    [AWS_OP_DESCRIBE_BACKUP_JOB]      = {.service = AWS_BACKUP, .name = "DescribeBackupJob", .method = "GET", .is_repeatable = true},
    [AWS_OP_LIST_BACKUP_JOBS]         = {.service = AWS_BACKUP, .name = "ListBackupJobs", .method = "GET", .is_repeatable = true},
    [AWS_OP_STOP_BACKUP_JOB]          = {.service = AWS_BACKUP, .name = "StopBackupJob", .method = "POST", .is_repeatable = true},
    [AWS_OP_START_COPY_JOB]           = {.service = AWS_BACKUP, .name = "StartCopyJob", .method = "PUT", .is_repeatable = true},
    [AWS_OP_DESCRIBE_COPY_JOB]        = {.service = AWS_BACKUP, .name = "DescribeCopyJob", .method = "GET", .is_repeatable = true},
    [AWS_OP_LIST_COPY_JOBS]           = {.service = AWS_BACKUP, .name = "ListCopyJobs", .method = "GET", .is_repeatable = true},
    [AWS_OP_START_RESTORE_JOB]        = {.service = AWS_BACKUP, .name = "StartRestoreJob", .method = "PUT", .is_repeatable = true},
    [AWS_OP_DESCRIBE_RESTORE_JOB]     = {.service = AWS_BACKUP, .name = "DescribeRestoreJob", .method = "GET", .is_repeatable = true},
    [AWS_OP_LIST_RESTORE_JOBS]        = {.service = AWS_BACKUP, .name = "ListRestoreJobs", .method = "GET", .is_repeatable = true},
    [AWS_OP_DESCRIBE_RECOVERY_POINT]  = {.service = AWS_BACKUP, .name = "DescribeRecoveryPoint", .method = "GET", .is_repeatable = true},
    [AWS_OP_LIST_RECOVERY_POINTS]     = {.service = AWS_BACKUP, .name = "ListRecoveryPointsByBackupVault", .method = "GET", .is_repeatable = true},
    [AWS_OP_GET_RESTORE_METADATA]     = {.service = AWS_BACKUP, .name = "GetRecoveryPointRestoreMetadata", .method = "GET", .is_repeatable = true, .is_sensitive = true},
    [AWS_OP_DELETE_RECOVERY_POINT]    = {.service = AWS_BACKUP, .name = "DeleteRecoveryPoint", .method = "DELETE", .is_repeatable = true},
    [AWS_OP_BACKUP_LIST_TAGS]         = {.service = AWS_BACKUP, .name = "ListTags", .method = "GET", .is_repeatable = true},
    [AWS_OP_DESCRIBE_BACKUP_VAULT]    = {.service = AWS_BACKUP, .name = "DescribeBackupVault", .method = "GET", .is_repeatable = true},
    [AWS_OP_GET_VAULT_ACCESS_POLICY]  = {.service = AWS_BACKUP, .name = "GetBackupVaultAccessPolicy", .method = "GET", .is_repeatable = true},
    [AWS_OP_DESCRIBE_REGION_SETTINGS] = {.service = AWS_BACKUP, .name = "DescribeRegionSettings", .method = "GET", .is_repeatable = true},
    [AWS_OP_DESCRIBE_GLOBAL_SETTINGS] = {.service = AWS_BACKUP, .name = "DescribeGlobalSettings", .method = "GET", .is_repeatable = true},

    [AWS_OP_DESCRIBE_DB_CLUSTERS]     = {.service = AWS_RDS, .name = "DescribeDBClusters", .is_repeatable = true},
    [AWS_OP_MODIFY_DB_CLUSTER]        = {.service = AWS_RDS, .name = "ModifyDBCluster", .is_repeatable = true, .is_sensitive = true},
    [AWS_OP_DELETE_DB_CLUSTER]        = {.service = AWS_RDS, .name = "DeleteDBCluster", .is_repeatable = true},
    /* The second one would read as somebody else's: the caller looks first. */
    [AWS_OP_CREATE_DB_INSTANCE]       = {.service = AWS_RDS, .name = "CreateDBInstance"},
    [AWS_OP_DESCRIBE_DB_INSTANCES]    = {.service = AWS_RDS, .name = "DescribeDBInstances", .is_repeatable = true},
    [AWS_OP_DELETE_DB_INSTANCE]       = {.service = AWS_RDS, .name = "DeleteDBInstance", .is_repeatable = true},
    /* Of a copy that nobody uses yet: once more does no harm. */
    [AWS_OP_REBOOT_DB_INSTANCE]       = {.service = AWS_RDS, .name = "RebootDBInstance", .is_repeatable = true},
    [AWS_OP_RDS_ADD_TAGS]             = {.service = AWS_RDS, .name = "AddTagsToResource", .is_repeatable = true},
    [AWS_OP_RDS_LIST_TAGS]            = {.service = AWS_RDS, .name = "ListTagsForResource", .is_repeatable = true},
    [AWS_OP_DESCRIBE_EVENTS]          = {.service = AWS_RDS, .name = "DescribeEvents", .is_repeatable = true},
    [AWS_OP_DESCRIBE_DB_SUBNET_GROUPS] = {.service = AWS_RDS, .name = "DescribeDBSubnetGroups", .is_repeatable = true},
    [AWS_OP_DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS] = {.service = AWS_RDS, .name = "DescribeDBClusterParameterGroups", .is_repeatable = true},
    [AWS_OP_DESCRIBE_ORDERABLE_INSTANCES] = {.service = AWS_RDS, .name = "DescribeOrderableDBInstanceOptions", .is_repeatable = true},
    [AWS_OP_DESCRIBE_DB_PROXIES]      = {.service = AWS_RDS, .name = "DescribeDBProxies", .is_repeatable = true},
    [AWS_OP_DESCRIBE_DB_PROXY_TARGETS] = {.service = AWS_RDS, .name = "DescribeDBProxyTargets", .is_repeatable = true},
    [AWS_OP_REGISTER_DB_PROXY_TARGETS] = {.service = AWS_RDS, .name = "RegisterDBProxyTargets"},
    [AWS_OP_DEREGISTER_DB_PROXY_TARGETS] = {.service = AWS_RDS, .name = "DeregisterDBProxyTargets", .is_repeatable = true},
    [AWS_OP_MODIFY_DB_PROXY]          = {.service = AWS_RDS, .name = "ModifyDBProxy", .is_repeatable = true},

    [AWS_OP_DESCRIBE_TABLE]           = {.service = AWS_DYNAMODB, .name = "DescribeTable", .is_repeatable = true},
    [AWS_OP_UPDATE_TABLE]             = {.service = AWS_DYNAMODB, .name = "UpdateTable"},
    [AWS_OP_DELETE_TABLE]             = {.service = AWS_DYNAMODB, .name = "DeleteTable", .is_repeatable = true},
    [AWS_OP_DESCRIBE_TIME_TO_LIVE]    = {.service = AWS_DYNAMODB, .name = "DescribeTimeToLive", .is_repeatable = true},
    [AWS_OP_UPDATE_TIME_TO_LIVE]      = {.service = AWS_DYNAMODB, .name = "UpdateTimeToLive"},
    [AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS] = {.service = AWS_DYNAMODB, .name = "DescribeContinuousBackups", .is_repeatable = true},
    [AWS_OP_UPDATE_CONTINUOUS_BACKUPS] = {.service = AWS_DYNAMODB, .name = "UpdateContinuousBackups", .is_repeatable = true},
    [AWS_OP_DYNAMODB_TAG]             = {.service = AWS_DYNAMODB, .name = "TagResource", .is_repeatable = true},
    [AWS_OP_DYNAMODB_LIST_TAGS]       = {.service = AWS_DYNAMODB, .name = "ListTagsOfResource", .is_repeatable = true},

    /* Registering and putting set what is given: the same again changes nothing. */
    [AWS_OP_DESCRIBE_SCALABLE_TARGETS] = {.service = AWS_AUTO_SCALING, .name = "DescribeScalableTargets", .is_repeatable = true},
    [AWS_OP_DESCRIBE_SCALING_POLICIES] = {.service = AWS_AUTO_SCALING, .name = "DescribeScalingPolicies", .is_repeatable = true},
    [AWS_OP_REGISTER_SCALABLE_TARGET] = {.service = AWS_AUTO_SCALING, .name = "RegisterScalableTarget", .is_repeatable = true},
    [AWS_OP_PUT_SCALING_POLICY]       = {.service = AWS_AUTO_SCALING, .name = "PutScalingPolicy", .is_repeatable = true},
    [AWS_OP_DEREGISTER_SCALABLE_TARGET] = {.service = AWS_AUTO_SCALING, .name = "DeregisterScalableTarget", .is_repeatable = true},

    [AWS_OP_GET_PARAMETER]            = {.service = AWS_SSM, .name = "GetParameter", .is_repeatable = true, .is_sensitive = true},
    [AWS_OP_DESCRIBE_PARAMETERS]      = {.service = AWS_SSM, .name = "DescribeParameters", .is_repeatable = true},
    [AWS_OP_PUT_PARAMETER]            = {.service = AWS_SSM, .name = "PutParameter", .is_sensitive = true},

    [AWS_OP_GET_SECRET_VALUE]         = {.service = AWS_SECRETS_MANAGER, .name = "GetSecretValue", .is_repeatable = true, .is_sensitive = true},
    [AWS_OP_PUT_SECRET_VALUE]         = {.service = AWS_SECRETS_MANAGER, .name = "PutSecretValue", .is_repeatable = true, .is_sensitive = true},
    [AWS_OP_DESCRIBE_SECRET]          = {.service = AWS_SECRETS_MANAGER, .name = "DescribeSecret", .is_repeatable = true},
    [AWS_OP_UPDATE_SECRET_VERSION_STAGE] = {.service = AWS_SECRETS_MANAGER, .name = "UpdateSecretVersionStage"},

    [AWS_OP_DESCRIBE_SERVICES]        = {.service = AWS_ECS, .name = "DescribeServices", .is_repeatable = true},
    [AWS_OP_UPDATE_SERVICE]           = {.service = AWS_ECS, .name = "UpdateService"},

    [AWS_OP_GET_CALLER_IDENTITY]      = {.service = AWS_STS, .name = "GetCallerIdentity", .is_repeatable = true},
    [AWS_OP_ASSUME_ROLE]              = {.service = AWS_STS, .name = "AssumeRole", .is_repeatable = true, .is_sensitive = true},
    [AWS_OP_ASSUME_ROLE_WITH_WEB_IDENTITY] = {.service = AWS_STS, .name = "AssumeRoleWithWebIdentity", .is_repeatable = true, .is_sensitive = true, .is_unsigned = true},

    [AWS_OP_DESCRIBE_KEY]             = {.service = AWS_KMS, .name = "DescribeKey", .is_repeatable = true},
    [AWS_OP_GET_KEY_POLICY]           = {.service = AWS_KMS, .name = "GetKeyPolicy", .is_repeatable = true},

    /* Queued and run later, maybe twice: whoever asks for it has said that this is fine. */
    [AWS_OP_INVOKE]                   = {.service = AWS_LAMBDA, .name = "Invoke", .method = "POST", .is_repeatable = true,
                                         .header = "x-amz-invocation-type", .header_value = "Event"},
    /* The name makes the start repeatable. */
    [AWS_OP_START_EXECUTION]          = {.service = AWS_SFN, .name = "StartExecution", .is_repeatable = true},
    [AWS_OP_DESCRIBE_EXECUTION]       = {.service = AWS_SFN, .name = "DescribeExecution", .is_repeatable = true},

    /* Messages whose answer got lost come again. */
    [AWS_OP_RECEIVE_MESSAGE]          = {.service = AWS_SQS, .name = "ReceiveMessage", .is_repeatable = true},
    [AWS_OP_DELETE_MESSAGE_BATCH]     = {.service = AWS_SQS, .name = "DeleteMessageBatch", .is_repeatable = true},

    /* Once or more: whoever listens knows an event by its id. */
    [AWS_OP_PUT_EVENTS]               = {.service = AWS_EVENTBRIDGE, .name = "PutEvents", .is_repeatable = true},
};

/* Reading, and the life of our own recovery points: their backup, their copy, their end. */
static const enum aws_op on_source[] = {
    AWS_OP_START_BACKUP_JOB,
    AWS_OP_DESCRIBE_BACKUP_JOB,
    AWS_OP_LIST_BACKUP_JOBS,
    AWS_OP_STOP_BACKUP_JOB,
    AWS_OP_START_COPY_JOB,
    AWS_OP_DESCRIBE_COPY_JOB,
    AWS_OP_LIST_COPY_JOBS,
    AWS_OP_DESCRIBE_RECOVERY_POINT,
    AWS_OP_LIST_RECOVERY_POINTS,
    AWS_OP_DELETE_RECOVERY_POINT,
    AWS_OP_BACKUP_LIST_TAGS,
    AWS_OP_DESCRIBE_BACKUP_VAULT,
    AWS_OP_GET_VAULT_ACCESS_POLICY,
    AWS_OP_DESCRIBE_REGION_SETTINGS,
    AWS_OP_DESCRIBE_GLOBAL_SETTINGS,
    AWS_OP_DESCRIBE_DB_CLUSTERS,
    AWS_OP_DESCRIBE_DB_INSTANCES,
    AWS_OP_RDS_LIST_TAGS,
    AWS_OP_DESCRIBE_TABLE,
    AWS_OP_DESCRIBE_TIME_TO_LIVE,
    AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS,
    AWS_OP_DYNAMODB_LIST_TAGS,
    AWS_OP_DESCRIBE_SCALABLE_TARGETS,
    AWS_OP_DESCRIBE_SCALING_POLICIES,
    AWS_OP_GET_CALLER_IDENTITY,
    AWS_OP_ASSUME_ROLE,
    AWS_OP_DESCRIBE_KEY,
    AWS_OP_GET_KEY_POLICY,
};
/* clang-format on */

const struct aws_operation *aws_operation(enum aws_op op)
{
    return &operations[op];
}

bool aws_operation_looks(enum aws_op op)
{
    struct str name = str_of(operations[op].name);

    return str_starts(name, "Describe") || str_starts(name, "List");
}

bool aws_operation_on_source(enum aws_op op)
{
    for (size_t i = 0; i < COUNT_OF(on_source); i++) {
        if (on_source[i] == op)
            return true;
    }
    return false;
}
