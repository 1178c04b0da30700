"""For templates_test.py: what the controller asks of its roles, action by action, on ARNs as AWS writes them; and what it must never be
able to do with them. What each action is authorized on: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""
PROD, STG, REGION = "111111111111", "222222222222", "ap-northeast-1"

UUID = "60f15706-a739-b7c7-4c6a-752350c54089"
NONE = "*"  # an action that knows no resources, as IAM asks of it


def here(account, text):
    """"rds cluster:shop" is an ARN in that account. IAM's resources have no Region."""
    service, resource = text.split(" ", 1)
    return f"arn:aws:{service}:{'' if service == 'iam' else REGION}:{account}:{resource}"


def asked(account, table):
    """{action: [ARN]} of a table {resources: actions}."""
    result = {}
    for resources, actions in table.items():
        for action in actions.split():
            result.setdefault(action, []).extend(NONE if each == NONE else here(account, each) for each in resources.split(", "))
    return result


VAULT = "backup backup-vault:staging-refresh"
BACKUP_POINTS = f"rds cluster-snapshot:awsbackup:job-{UUID}, backup recovery-point:{UUID}"
COPIED_POINTS = f"rds cluster-snapshot:awsbackup:copyjob-{UUID}, backup recovery-point:{UUID}"
COPY, COPIED_TABLE = "shop-stg-20261122-030002-k7x4q", "stg-sessions-20261122-030002-k7x4q"
# What each action is called for.
ASKED = {
    "source": asked(PROD, {
        VAULT: "backup:StartBackupJob backup:ListRecoveryPointsByBackupVault backup:DescribeBackupVault backup:GetBackupVaultAccessPolicy",
        BACKUP_POINTS: "backup:StartCopyJob backup:DescribeRecoveryPoint backup:TagResource backup:DeleteRecoveryPoint",
        # Each service tells the tags of its own.
        f"backup recovery-point:{UUID}": "backup:ListTags",
        f"rds cluster-snapshot:awsbackup:job-{UUID}": "rds:ListTagsForResource",
        NONE: "backup:DescribeBackupJob backup:ListBackupJobs backup:StopBackupJob backup:DescribeCopyJob backup:ListCopyJobs "
              "backup:DescribeRegionSettings backup:DescribeGlobalSettings application-autoscaling:DescribeScalableTargets "
              "application-autoscaling:DescribeScalingPolicies",
        "iam role/AWSBackupStagingRefresh": "iam:PassRole",
        "iam role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup": "iam:CreateServiceLinkedRole",
        "rds cluster:shop, rds cluster:*": "rds:DescribeDBClusters",
        "rds db:shop-writer, rds db:*": "rds:DescribeDBInstances",
        "dynamodb table/sessions": "dynamodb:DescribeTable dynamodb:DescribeTimeToLive dynamodb:DescribeContinuousBackups "
                                   "dynamodb:ListTagsOfResource",
        f"kms key/{UUID}": "kms:DescribeKey kms:GetKeyPolicy",
    }),
    "target": asked(STG, {
        VAULT: "backup:ListRecoveryPointsByBackupVault backup:DescribeBackupVault backup:GetBackupVaultAccessPolicy",
        COPIED_POINTS: "backup:StartRestoreJob backup:DescribeRecoveryPoint backup:GetRecoveryPointRestoreMetadata "
                       "backup:DeleteRecoveryPoint",
        f"backup recovery-point:{UUID}": "backup:ListTags",
        f"rds cluster-snapshot:awsbackup:copyjob-{UUID}": "rds:ListTagsForResource",
        NONE: "backup:DescribeRestoreJob backup:ListRestoreJobs backup:DescribeRegionSettings backup:DescribeGlobalSettings "
              "application-autoscaling:DescribeScalableTargets application-autoscaling:DescribeScalingPolicies ssm:DescribeParameters "
              "rds:DescribeOrderableDBInstanceOptions",
        "iam role/AWSBackupStagingRefresh, iam role/shop-stg-proxy": "iam:PassRole",
        "iam role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup, "
        "iam role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS, iam role/aws-service-role/"
        "dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable":
            "iam:CreateServiceLinkedRole",
        f"kms key/{UUID}": "kms:DescribeKey kms:GetKeyPolicy",
        "kms key/11111111-2222-3333-4444-555555555555": "kms:Encrypt kms:Decrypt kms:GenerateDataKey",
        "kms key/managed-1111-2222": "kms:DescribeKey kms:CreateGrant kms:Decrypt kms:GenerateDataKey",
        f"secretsmanager secret:rds!cluster-{UUID}-a1B2c3": "secretsmanager:CreateSecret secretsmanager:TagResource",
        f"rds cluster:{COPY}, rds cluster:*": "rds:DescribeDBClusters",
        f"rds db:{COPY}-a, rds db:*": "rds:DescribeDBInstances",
        "rds subgrp:staging": "rds:DescribeDBSubnetGroups",
        "rds cluster-pg:staging-aurora": "rds:DescribeDBClusterParameterGroups",
        "rds db-proxy:*": "rds:DescribeDBProxies",
        "rds db-proxy:prx-0123456789abcdef0": "rds:DescribeDBProxyTargets rds:ModifyDBProxy",
        "rds target-group:prx-tg-0123456789abcdef0": "rds:DescribeDBProxyTargets rds:RegisterDBProxyTargets rds:DeregisterDBProxyTargets",
        # A proxy's former target, too.
        f"rds cluster:{COPY}, rds cluster:shop-by-hand": "rds:RegisterDBProxyTargets rds:DeregisterDBProxyTargets",
        f"rds es:{COPY}": "rds:DescribeEvents",
        f"rds cluster:{COPY}": "rds:AddTagsToResource rds:ModifyDBCluster rds:DeleteDBCluster rds:CreateDBInstance",
        "rds cluster-pg:staging-aurora, rds og:default": "rds:ModifyDBCluster",
        f"rds db:{COPY}-a": "rds:AddTagsToResource rds:CreateDBInstance rds:RebootDBInstance rds:DeleteDBInstance",
        "rds pg:staging, rds subgrp:staging": "rds:CreateDBInstance",
        f"dynamodb table/{COPIED_TABLE}": "dynamodb:DescribeTable dynamodb:DescribeTimeToLive dynamodb:DescribeContinuousBackups "
                                          "dynamodb:ListTagsOfResource dynamodb:UpdateTable dynamodb:UpdateTimeToLive "
                                          "dynamodb:UpdateContinuousBackups dynamodb:TagResource dynamodb:DeleteTable",
        "application-autoscaling scalable-target/0123456789abcdef": "application-autoscaling:RegisterScalableTarget "
            "application-autoscaling:PutScalingPolicy application-autoscaling:DeregisterScalableTarget",
        f"cloudwatch alarm:TargetTracking-table/{COPIED_TABLE}-AlarmHigh-{UUID}":
            "cloudwatch:DescribeAlarms cloudwatch:PutMetricAlarm cloudwatch:DeleteAlarms",
        "ssm parameter/shop/stg/db_host": "ssm:GetParameter ssm:PutParameter",
        "secretsmanager secret:shop/stg/db-a1B2c3": "secretsmanager:DescribeSecret secretsmanager:GetSecretValue "
                                                    "secretsmanager:PutSecretValue secretsmanager:UpdateSecretVersionStage",
        "ecs service/shop-stg/web": "ecs:DescribeServices ecs:UpdateService",
        "lambda function:refresh-hook": "lambda:InvokeFunction",
        "states stateMachine:mask-staging": "states:StartExecution",
        "states execution:mask-staging:20261122-030002-k7x4q": "states:DescribeExecution",
        "sqs staging-refresh": "sqs:ReceiveMessage sqs:DeleteMessage",
        "events event-bus/default": "events:PutEvents",
    }),
}
# What must stay out of reach.
NEVER = {
    "source": asked(PROD, {
        "backup backup-vault:production": "backup:StartBackupJob backup:ListRecoveryPointsByBackupVault",
        "rds cluster-snapshot:by-hand": "backup:DeleteRecoveryPoint backup:StartCopyJob",
        "iam role/admin": "iam:PassRole",
    }),
    "target": asked(STG, {
        "backup backup-vault:other": "backup:ListRecoveryPointsByBackupVault",
        "rds cluster-snapshot:by-hand": "backup:DeleteRecoveryPoint",
        "iam role/admin": "iam:PassRole",
        "rds cluster:shop, rds db:shop-writer": "rds:ModifyDBCluster rds:DeleteDBCluster rds:DeleteDBInstance rds:AddTagsToResource",
        "dynamodb table/sessions": "dynamodb:UpdateTable dynamodb:DeleteTable dynamodb:TagResource",
        "ssm parameter/other": "ssm:GetParameter ssm:PutParameter",
        "secretsmanager secret:other-a1B2c3": "secretsmanager:GetSecretValue secretsmanager:PutSecretValue "
                                              "secretsmanager:CreateSecret secretsmanager:TagResource",
        f"kms key/{UUID}": "kms:Decrypt kms:CreateGrant",
        "ecs service/other/web": "ecs:UpdateService",
        "lambda function:other": "lambda:InvokeFunction",
        "states stateMachine:other": "states:StartExecution",
        "sqs other": "sqs:ReceiveMessage",
    }),
}
