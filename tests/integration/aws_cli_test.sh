#!/usr/bin/env bash
# The real aws command line against the simulator: every operation that the controller uses, a refresh from the
# backup to the clean-up, and AWS's own waiters. What the command parses out of the answers is what is checked.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$here/../../hack/lib/paths.sh"
# shellcheck source=tests/integration/awssim.sh
source "$here/awssim.sh"

[[ -x $SR_AWS ]] || SR_AWS=$(command -v aws || :)
if [[ -z $SR_AWS ]]; then
    echo 'skipped: no aws command; hack/setup.sh --tests installs one'
    exit 77
fi

SIM_DIR=$(mktemp -d)
SIM_PID=
trap 'stop_awssim || :; rm -rf -- "$SIM_DIR"' EXIT
start_awssim "$1" --world "$here/../../hack/awssim/worlds/shop.yaml" --time-scale 0 --seed 1

export AWS_ENDPOINT_URL=$SIM_URL AWS_DEFAULT_REGION=ap-northeast-1 AWS_MAX_ATTEMPTS=1 AWS_PAGER='' \
    AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION

prod=111111111111
stg=222222222222
region=$AWS_DEFAULT_REGION
prod_role=arn:aws:iam::$prod:role/AWSBackupStagingRefresh
stg_role=arn:aws:iam::$stg:role/AWSBackupStagingRefresh
prod_vault=arn:aws:backup:$region:$prod:backup-vault:staging-refresh
stg_vault=arn:aws:backup:$region:$stg:backup-vault:staging-refresh
cluster_arn=arn:aws:rds:$region:$prod:cluster:shop
table_arn=arn:aws:dynamodb:$region:$prod:table/sessions
stg_key=arn:aws:kms:$region:$stg:key/11111111-2222-3333-4444-555555555555
old=shop-stg-20261022-030000-p3c8d
new=shop-stg-20261122-030000-k7x4q
new_table="stg-sessions-20261122-030000-k7x4q"

# ---- who calls ----

as_user() {
    AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=example-secret "$SR_AWS" "$@"
}

# credentials_of ACCOUNT: key, secret and token of a session of the controller's role.
credentials_of() {
    as_user sts assume-role --role-arn "arn:aws:iam::$1:role/staging-refresh" --role-session-name stagingrefresh \
        --external-id staging-cluster --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text
}

read -r prod_id prod_secret prod_token <<<"$(credentials_of $prod)"
read -r stg_id stg_secret stg_token <<<"$(credentials_of $stg)"

as_prod() {
    AWS_ACCESS_KEY_ID=$prod_id AWS_SECRET_ACCESS_KEY=$prod_secret AWS_SESSION_TOKEN=$prod_token "$SR_AWS" "$@"
}

as_stg() {
    AWS_ACCESS_KEY_ID=$stg_id AWS_SECRET_ACCESS_KEY=$stg_secret AWS_SESSION_TOKEN=$stg_token "$SR_AWS" "$@"
}

# is WANT WHO ARGUMENT...: the command's text is WANT (what --query selects, blanks between).
is() {
    local want=$1 got
    shift
    got=$("$@" --output text 2>&1) || :
    check "$*" "${got//[$'\t\n']/ }" "$want"
}

# has PART WHO ARGUMENT...
has() {
    local part=$1 got
    shift
    got=$("$@" --output text 2>&1) || :
    check_has "$*" "$got" "$part"
}

# refused CODE WHO ARGUMENT...: the command fails with that error of AWS's.
refused() {
    local code=$1 got status=0
    shift
    got=$("$@" 2>&1) || status=$?
    check_has "$*" "$status $got" "An error occurred ($code)"
}

# quiet WHO ARGUMENT...: the command works.
quiet() {
    local got status=0
    got=$("$@" 2>&1) || status=$?
    check "$*" "$status${got:+ $got}" "0${got:+ $got}"
}

# ---- identity ----

is "$stg arn:aws:iam::$stg:user/stagingrefresh" as_user sts get-caller-identity --query '[Account,Arn]'
is "$prod arn:aws:sts::$prod:assumed-role/staging-refresh/stagingrefresh" as_prod sts get-caller-identity --query '[Account,Arn]'
refused AccessDenied as_user sts assume-role --role-arn "arn:aws:iam::$prod:role/staging-refresh" \
    --role-session-name x1 --external-id other
refused ValidationError as_user sts assume-role --role-arn "arn:aws:iam::$prod:role/staging-refresh" \
    --role-session-name x1 --external-id staging-cluster --duration-seconds 43200
refused InvalidClientTokenId env AWS_ACCESS_KEY_ID=AKIANOBODY AWS_SECRET_ACCESS_KEY=x "$SR_AWS" sts get-caller-identity
refused SignatureDoesNotMatch env AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=x "$SR_AWS" sts get-caller-identity
refused UnrecognizedClientException env AWS_ACCESS_KEY_ID=AKIANOBODY AWS_SECRET_ACCESS_KEY=x "$SR_AWS" dynamodb list-tables

# ---- preflight ----

is "True True" as_prod backup describe-region-settings \
    --query '[ResourceTypeOptInPreference.Aurora,ResourceTypeManagementPreference.DynamoDB]'
is true as_prod backup describe-global-settings --query GlobalSettings.isCrossAccountBackupEnabled
is "$prod_vault False" as_prod backup describe-backup-vault --backup-vault-name staging-refresh --query '[BackupVaultArn,Locked]'
is "$stg_key" as_stg backup describe-backup-vault --backup-vault-name staging-refresh --query EncryptionKeyArn
refused ResourceNotFoundException as_stg backup describe-backup-vault --backup-vault-name none
has backup:CopyIntoBackupVault as_stg backup get-backup-vault-access-policy --backup-vault-name staging-refresh --query Policy
prod_key=$(as_prod rds describe-db-clusters --db-cluster-identifier shop --query 'DBClusters[0].KmsKeyId' --output text)
is "CUSTOMER Enabled" as_prod kms describe-key --key-id "$prod_key" --query 'KeyMetadata.[KeyManager,KeyState]'
is "$prod" as_stg kms describe-key --key-id "$prod_key" --query KeyMetadata.AWSAccountId
has ":iam::$stg:root" as_prod kms get-key-policy --key-id "$prod_key" --policy-name default --query Policy
is "shop available aurora-mysql" as_prod rds describe-db-clusters --db-cluster-identifier shop \
    --query 'DBClusters[0].[DBClusterIdentifier,Status,Engine]'
is "ACTIVE" as_prod dynamodb describe-table --table-name sessions --query Table.TableStatus
is "ENABLED expires" as_prod dynamodb describe-time-to-live --table-name sessions \
    --query 'TimeToLiveDescription.[TimeToLiveStatus,AttributeName]'
is ENABLED as_prod dynamodb describe-continuous-backups --table-name sessions \
    --query ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus
has vpc-stg as_stg rds describe-db-subnet-groups --db-subnet-group-name staging --query 'DBSubnetGroups[0].VpcId'
refused DBSubnetGroupNotFoundFault as_stg rds describe-db-subnet-groups --db-subnet-group-name none
refused DBClusterNotFoundFault as_stg rds describe-db-clusters --db-cluster-identifier none
refused DBInstanceNotFound as_stg rds describe-db-instances --db-instance-identifier none
refused ResourceNotFoundException as_stg dynamodb describe-table --table-name none
is "$old" as_stg rds describe-db-proxy-targets --db-proxy-name shop-stg \
    --query "Targets[?Type=='TRACKED_CLUSTER'].RdsResourceId"

# Production is never written to.
refused AccessDenied as_prod rds modify-db-cluster --db-cluster-identifier shop --no-deletion-protection
refused AccessDenied as_prod rds delete-db-cluster --db-cluster-identifier shop --skip-final-snapshot
refused AccessDeniedException as_prod dynamodb delete-table --table-name sessions
refused AccessDeniedException as_prod backup start-restore-job --recovery-point-arn x --metadata a=b --iam-role-arn "$prod_role"

# ---- backup ----

start_backup() {
    as_prod backup start-backup-job --backup-vault-name staging-refresh --resource-arn "$1" --iam-role-arn "$prod_role" \
        --idempotency-token "$2" --start-window-minutes 60 --lifecycle DeleteAfterDays=14 \
        --recovery-point-tags stagingrefresh.dev/run=r1 --query BackupJobId --output text
}
cluster_backup=$(start_backup "$cluster_arn" token-cluster)
check 'a token starts one job' "$(start_backup "$cluster_arn" token-cluster)" "$cluster_backup"
table_backup=$(start_backup "$table_arn" token-table)
refused InvalidRequestException as_prod backup stop-backup-job --backup-job-id "$cluster_backup"
is CREATED as_prod backup describe-backup-job --backup-job-id "$cluster_backup" --query State
advance 385
is "RUNNING 50.0" as_prod backup describe-backup-job --backup-job-id "$cluster_backup" --query '[State,PercentDone]'
is "$table_backup COMPLETED" as_prod backup list-backup-jobs --by-resource-arn "$table_arn" --query 'BackupJobs[].[BackupJobId,State]'
advance 360
is COMPLETED as_prod backup describe-backup-job --backup-job-id "$cluster_backup" --query State
cluster_point=$(as_prod backup describe-backup-job --backup-job-id "$cluster_backup" --query RecoveryPointArn --output text)
table_point=$(as_prod backup describe-backup-job --backup-job-id "$table_backup" --query RecoveryPointArn --output text)
check_has 'Aurora point' "$cluster_point" "arn:aws:rds:$region:$prod:cluster-snapshot:awsbackup:job-"
check_has 'table point' "$table_point" "arn:aws:backup:$region:$prod:recovery-point:"
is r1 as_prod backup list-tags --resource-arn "$table_point" --query 'Tags."stagingrefresh.dev/run"'
quiet as_prod backup tag-resource --resource-arn "$table_point" --tags more=tags
# A cluster's recovery point is RDS's to tell about.
refused InvalidParameterValueException as_prod backup list-tags --resource-arn "$cluster_point"
is r1 as_prod rds list-tags-for-resource --resource-name "$cluster_point" --query "TagList[?Key=='stagingrefresh.dev/run'].Value"

# ---- copy ----

start_copy() {
    as_prod backup start-copy-job --recovery-point-arn "$1" --source-backup-vault-name staging-refresh \
        --destination-backup-vault-arn "$stg_vault" --iam-role-arn "$prod_role" --idempotency-token "$2" \
        --lifecycle DeleteAfterDays=14 --query CopyJobId --output text
}
cluster_copy=$(start_copy "$cluster_point" copy-cluster)
table_copy=$(start_copy "$table_point" copy-table)
check 'a token starts one copy' "$(start_copy "$cluster_point" copy-cluster)" "$cluster_copy"
refused AccessDeniedException as_stg backup start-copy-job --recovery-point-arn "$cluster_point" \
    --source-backup-vault-name staging-refresh --destination-backup-vault-arn "$stg_vault" --iam-role-arn "$stg_role"
advance 60
is RUNNING as_prod backup describe-copy-job --copy-job-id "$cluster_copy" --query CopyJob.State
refused InvalidResourceStateException as_prod backup delete-recovery-point --backup-vault-name staging-refresh \
    --recovery-point-arn "$cluster_point"
advance 2400
is "$cluster_copy COMPLETED" as_prod backup list-copy-jobs --by-destination-vault-arn "$stg_vault" \
    --by-source-recovery-point-arn "$cluster_point" --query 'CopyJobs[].[CopyJobId,State]'
is COMPLETED as_prod backup describe-copy-job --copy-job-id "$table_copy" --query CopyJob.State
copied_of() {
    as_prod backup describe-copy-job --copy-job-id "$1" --query CopyJob.DestinationRecoveryPointArn --output text
}
cluster_copied=$(copied_of "$cluster_copy")
table_copied=$(copied_of "$table_copy")
is "COMPLETED $prod_vault True" as_stg backup describe-recovery-point --backup-vault-name staging-refresh \
    --recovery-point-arn "$cluster_copied" --query '[Status,SourceBackupVaultArn,IsEncrypted]'
is "$cluster_copied" as_stg backup list-recovery-points-by-backup-vault --backup-vault-name staging-refresh \
    --by-resource-type Aurora --query 'RecoveryPoints[].RecoveryPointArn'

# ---- restore ----

is "production aurora-mysql" as_stg backup get-recovery-point-restore-metadata --backup-vault-name staging-refresh \
    --recovery-point-arn "$cluster_copied" --query 'RestoreMetadata.[DBSubnetGroupName,Engine]'
version=$(as_prod rds describe-db-clusters --db-cluster-identifier shop --query 'DBClusters[0].EngineVersion' --output text)
cluster_metadata=$(printf '{"dbClusterIdentifier":"%s","engine":"aurora-mysql","engineVersion":"%s","dbSubnetGroupName":"staging",' \
    "$new" "$version"
    printf '"vpcSecurityGroupIds":"[\\"sg-0123456789abcdef0\\"]","dbClusterParameterGroupName":"staging-aurora","kmsKeyId":"%s"}' "$stg_key")
start_restore() {
    as_stg backup start-restore-job --recovery-point-arn "$1" --iam-role-arn "$stg_role" --resource-type "$2" \
        --idempotency-token "$3" --metadata "$4" --query RestoreJobId --output text
}
cluster_restore=$(start_restore "$cluster_copied" Aurora restore-cluster "$cluster_metadata")
check 'a token starts one restore' "$(start_restore "$cluster_copied" Aurora restore-cluster "$cluster_metadata")" "$cluster_restore"
table_restore=$(start_restore "$table_copied" DynamoDB restore-table "{\"targetTableName\":\"$new_table\",\"encryptionType\":\"Default\"}")
clash=$(start_restore "$table_copied" DynamoDB restore-clash "{\"targetTableName\":\"stg-sessions-20261022-030000-p3c8d\",\"encryptionType\":\"Default\"}")
advance 900
is RUNNING as_stg backup describe-restore-job --restore-job-id "$cluster_restore" --query Status
is FAILED as_stg backup describe-restore-job --restore-job-id "$clash" --query Status
is creating as_stg rds describe-db-clusters --db-cluster-identifier "$new" --query 'DBClusters[0].Status'
is "$cluster_restore" as_stg backup list-restore-jobs --by-status RUNNING --by-resource-type Aurora --query 'RestoreJobs[].RestoreJobId'
# A waiter that has to look twice: it looks now, and again after the table is there.
as_stg dynamodb wait table-exists --table-name "$new_table" >"$SIM_DIR/wait-table" 2>&1 &
wait_table=$!
as_stg rds wait db-cluster-available --db-cluster-identifier "$new" >"$SIM_DIR/wait-cluster" 2>&1 &
wait_cluster=$!
advance 1300
is "COMPLETED arn:aws:rds:$region:$stg:cluster:$new" as_stg backup describe-restore-job --restore-job-id "$cluster_restore" \
    --query '[Status,CreatedResourceArn]'
is "COMPLETED arn:aws:dynamodb:$region:$stg:table/$new_table" as_stg backup describe-restore-job \
    --restore-job-id "$table_restore" --query '[Status,CreatedResourceArn]'

# ---- the cluster: instances, settings, password ----

is "available 0" as_stg rds describe-db-clusters --db-cluster-identifier "$new" --query 'DBClusters[0].[Status,length(DBClusterMembers)]'
quiet as_stg rds add-tags-to-resource --resource-name "arn:aws:rds:$region:$stg:cluster:$new" \
    --tags Key=env,Value=staging "Key=stagingrefresh.dev/self,Value=$new"
is "$new" as_stg rds list-tags-for-resource --resource-name "arn:aws:rds:$region:$stg:cluster:$new" \
    --query "TagList[?Key=='stagingrefresh.dev/self'].Value"
is "$new-a creating" as_stg rds create-db-instance --db-instance-identifier "$new-a" --db-cluster-identifier "$new" \
    --engine aurora-mysql --db-instance-class db.r6g.large --no-publicly-accessible --promotion-tier 0 \
    --tags Key=env,Value=staging --query 'DBInstance.[DBInstanceIdentifier,DBInstanceStatus]'
refused DBInstanceAlreadyExists as_stg rds create-db-instance --db-instance-identifier "$new-a" \
    --db-cluster-identifier "$new" --engine aurora-mysql --db-instance-class db.r6g.large
as_stg rds wait db-instance-available --db-instance-identifier "$new-a" >"$SIM_DIR/wait-instance" 2>&1 &
wait_instance=$!
advance 660
is "available False" as_stg rds describe-db-instances --filters "Name=db-cluster-id,Values=$new" \
    --query 'DBInstances[].[DBInstanceStatus,PubliclyAccessible]'
is available as_stg rds modify-db-cluster --db-cluster-identifier "$new" --apply-immediately \
    --master-user-password staging-password --query DBCluster.Status
advance 10
is resetting-master-credentials as_stg rds describe-db-clusters --db-cluster-identifier "$new" --query 'DBClusters[0].Status'
advance 30
is available as_stg rds describe-db-clusters --db-cluster-identifier "$new" --query 'DBClusters[0].Status'
has 'Reset master credentials' as_stg rds describe-events --source-identifier "$new" --source-type db-cluster \
    --start-time "$(sim GET clock | sed 's/.*"time":"\([^.]*\).*/\1/; s/T.*/T00:00:00Z/')" --query 'Events[].Message'
quiet as_stg rds modify-db-cluster --db-cluster-identifier "$new" --apply-immediately --backup-retention-period 1 --deletion-protection
advance 60
is "1 True" as_stg rds describe-db-clusters --db-cluster-identifier "$new" \
    --query 'DBClusters[0].[BackupRetentionPeriod,DeletionProtection]'

# ---- the table ----

is "ACTIVE by-customer" as_stg dynamodb describe-table --table-name "$new_table" \
    --query 'Table.[TableStatus,GlobalSecondaryIndexes[0].IndexName]'
is UPDATING as_stg dynamodb update-table --table-name "$new_table" --billing-mode PAY_PER_REQUEST --query TableDescription.TableStatus
refused ResourceInUseException as_stg dynamodb update-table --table-name "$new_table" \
    --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES
advance 60
quiet as_stg dynamodb update-table --table-name "$new_table" --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES
advance 60
is "PAY_PER_REQUEST NEW_AND_OLD_IMAGES" as_stg dynamodb describe-table --table-name "$new_table" \
    --query 'Table.[BillingModeSummary.BillingMode,StreamSpecification.StreamViewType]'
is expires as_stg dynamodb update-time-to-live --table-name "$new_table" \
    --time-to-live-specification Enabled=true,AttributeName=expires --query TimeToLiveSpecification.AttributeName
refused ValidationException as_stg dynamodb update-time-to-live --table-name "$new_table" \
    --time-to-live-specification Enabled=true,AttributeName=expires
advance 120
is ENABLED as_stg dynamodb describe-time-to-live --table-name "$new_table" --query TimeToLiveDescription.TimeToLiveStatus
quiet as_stg dynamodb update-continuous-backups --table-name "$new_table" \
    --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true
is ENABLED as_stg dynamodb describe-continuous-backups --table-name "$new_table" \
    --query ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus
quiet as_stg dynamodb tag-resource --resource-arn "arn:aws:dynamodb:$region:$stg:table/$new_table" --tags Key=env,Value=staging
is staging as_stg dynamodb list-tags-of-resource --resource-arn "arn:aws:dynamodb:$region:$stg:table/$new_table" \
    --query "Tags[?Key=='env'].Value"

# ---- the proxy ----

is "available MYSQL" as_stg rds describe-db-proxies --db-proxy-name shop-stg --query 'DBProxies[0].[Status,EngineFamily]'
is default as_stg rds describe-db-proxy-target-groups --db-proxy-name shop-stg --query 'TargetGroups[0].TargetGroupName'
refused DBProxyTargetAlreadyRegisteredFault as_stg rds register-db-proxy-targets --db-proxy-name shop-stg --db-cluster-identifiers "$new"
quiet as_stg rds deregister-db-proxy-targets --db-proxy-name shop-stg --db-cluster-identifiers "$old"
advance 5
is '' as_stg rds describe-db-proxy-targets --db-proxy-name shop-stg --query 'Targets[]'
refused DBProxyTargetNotFoundFault as_stg rds deregister-db-proxy-targets --db-proxy-name shop-stg --db-cluster-identifiers "$old"
has "$new" as_stg rds register-db-proxy-targets --db-proxy-name shop-stg --db-cluster-identifiers "$new" \
    --query 'DBProxyTargets[].RdsResourceId'
is REGISTERING as_stg rds describe-db-proxy-targets --db-proxy-name shop-stg --query "Targets[?Type=='RDS_INSTANCE'].TargetHealth.State"
advance 60
is "AVAILABLE READ_WRITE" as_stg rds describe-db-proxy-targets --db-proxy-name shop-stg \
    --query "Targets[?Type=='RDS_INSTANCE'].[TargetHealth.State,Role]"
secret_arn=$(as_stg secretsmanager describe-secret --secret-id shop/stg/db --query ARN --output text)
quiet as_stg rds modify-db-proxy --db-proxy-name shop-stg --auth "AuthScheme=SECRETS,SecretArn=$secret_arn,IAMAuth=DISABLED"
advance 30
is "$secret_arn" as_stg rds describe-db-proxies --db-proxy-name shop-stg --query 'DBProxies[0].Auth[].SecretArn'

# ---- parameters and secrets ----

has "$old" as_stg ssm get-parameter --name /shop/stg/db_host --query Parameter.Value
refused ParameterAlreadyExists as_stg ssm put-parameter --name /shop/stg/db_host --value x --type String
is 2 as_stg ssm put-parameter --name /shop/stg/db_host --value "$new" --type String --overwrite --query Version
is "$new 2" as_stg ssm get-parameter --name /shop/stg/db_host --query 'Parameter.[Value,Version]'
refused ParameterNotFound as_stg ssm get-parameter --name /shop/stg/none
is not-a-real-token as_stg ssm get-parameter --name /shop/stg/api_token --with-decryption --query Parameter.Value
has '"username"' as_stg secretsmanager get-secret-value --secret-id shop/stg/db --query SecretString
version_id=aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee
put_secret() {
    as_stg secretsmanager put-secret-value --secret-id shop/stg/app --client-request-token "$version_id" --secret-string "$1" "${@:2}"
}
is "$version_id" put_secret "{\"DB_HOST\":\"$new\",\"DB_USER\":\"app\"}" --query VersionId
is "$version_id" put_secret "{\"DB_HOST\":\"$new\",\"DB_USER\":\"app\"}" --query VersionId
refused ResourceExistsException put_secret '{"DB_HOST":"other"}'
is AWSCURRENT as_stg secretsmanager get-secret-value --secret-id shop/stg/app --query 'VersionStages[]'
previous=$(as_stg secretsmanager get-secret-value --secret-id shop/stg/app --version-stage AWSPREVIOUS --query VersionId --output text)
quiet as_stg secretsmanager update-secret-version-stage --secret-id shop/stg/app --version-stage AWSCURRENT \
    --move-to-version-id "$previous" --remove-from-version-id "$version_id"
is "$previous" as_stg secretsmanager get-secret-value --secret-id shop/stg/app --query VersionId
refused ResourceNotFoundException as_stg secretsmanager get-secret-value --secret-id shop/stg/none

# ---- applications ----

is "ACTIVE 2 2" as_stg ecs describe-services --cluster shop-stg --services web --query 'services[0].[status,desiredCount,runningCount]'
is MISSING as_stg ecs describe-services --cluster shop-stg --services none --query 'failures[].reason'
deployment=$(as_stg ecs update-service --cluster shop-stg --service web --force-new-deployment \
    --query "service.deployments[?status=='PRIMARY'].id" --output text)
check_has 'a deployment' "$deployment" ecs-svc/
is IN_PROGRESS as_stg ecs describe-services --cluster shop-stg --services web --query "services[0].deployments[?id=='$deployment'].rolloutState"
advance 900
is "1 COMPLETED" as_stg ecs describe-services --cluster shop-stg --services web \
    --query 'services[0].[length(deployments),deployments[0].rolloutState]'
quiet as_stg ecs wait services-stable --cluster shop-stg --services web

# ---- hooks ----

is 202 as_stg lambda invoke --function-name refresh-hook --qualifier live --invocation-type Event --payload '[1]' \
    "$SIM_DIR/payload" --query StatusCode
refused InvalidRequestContentException as_stg lambda invoke --function-name refresh-hook --invocation-type Event \
    --payload '{' "$SIM_DIR/payload"
mask() {
    as_stg stepfunctions start-execution --state-machine-arn "arn:aws:states:$region:$stg:stateMachine:mask-staging" "$@"
}
execution=arn:aws:states:$region:$stg:execution:mask-staging:r1
is "$execution" mask --name r1 --input '{"a":1}' --query executionArn
is "$execution" mask --name r1 --input '{"a":1}' --query executionArn
refused ExecutionAlreadyExists mask --name r1 --input '{"a":2}'
refused InvalidExecutionInput mask --name r2 --input '{'
is RUNNING as_stg stepfunctions describe-execution --execution-arn "$execution" --query status
advance 1200
is 'SUCCEEDED {}' as_stg stepfunctions describe-execution --execution-arn "$execution" --query '[status,output]'

# ---- auto scaling of a table ----

scalable=(--service-namespace dynamodb --resource-id table/sessions --scalable-dimension dynamodb:table:ReadCapacityUnits)
is "table/sessions 100 4000" as_prod application-autoscaling describe-scalable-targets --service-namespace dynamodb \
    --resource-ids table/sessions --scalable-dimension dynamodb:table:ReadCapacityUnits \
    --query 'ScalableTargets[0].[ResourceId,MinCapacity,MaxCapacity]'
is 70 as_prod application-autoscaling describe-scaling-policies "${scalable[@]}" \
    --query 'ScalingPolicies[0].TargetTrackingScalingPolicyConfiguration.TargetValue'
refused AccessDeniedException as_prod application-autoscaling deregister-scalable-target "${scalable[@]}"
refused ValidationException as_stg application-autoscaling register-scalable-target "${scalable[@]}" --min-capacity 1 --max-capacity 9
scalable[3]="table/stg-sessions-20261022-030000-p3c8d"
tracking='{"TargetValue":70,"PredefinedMetricSpecification":{"PredefinedMetricType":"DynamoDBReadCapacityUtilization"}}'
refused ObjectNotFoundException as_stg application-autoscaling put-scaling-policy "${scalable[@]}" --policy-name reads \
    --policy-type TargetTrackingScaling --target-tracking-scaling-policy-configuration "$tracking"
has scalable-target as_stg application-autoscaling register-scalable-target "${scalable[@]}" --min-capacity 1 --max-capacity 9 \
    --query ScalableTargetARN
has policyName/reads as_stg application-autoscaling put-scaling-policy "${scalable[@]}" --policy-name reads \
    --policy-type TargetTrackingScaling --target-tracking-scaling-policy-configuration "$tracking" --query PolicyARN
is reads as_stg application-autoscaling describe-scaling-policies --service-namespace dynamodb --query 'ScalingPolicies[].PolicyName'
quiet as_stg application-autoscaling deregister-scalable-target "${scalable[@]}"
is 0 as_stg application-autoscaling describe-scaling-policies --service-namespace dynamodb --query 'length(ScalingPolicies)'

# ---- queue and events ----

# This command does not look at AWS_ENDPOINT_URL for SQS.
sqs() {
    as_stg --endpoint-url "$SIM_URL" sqs "$@"
}
queue=https://sqs.$region.amazonaws.com/$stg/staging-refresh
has "/$stg/staging-refresh" sqs get-queue-url --queue-name staging-refresh --query QueueUrl
refused AWS.SimpleQueueService.NonExistentQueue sqs receive-message --queue-url "${queue}x"
quiet sqs purge-queue --queue-url "$queue"
sqs receive-message --queue-url "$queue" --wait-time-seconds 20 --query 'Messages[0].Body' --output text >"$SIM_DIR/poll" 2>&1 &
poll=$!
for _ in {1..200}; do
    [[ $(sim GET calls) == *'"ReceiveMessage"'*'"count":2'* ]] && break
    read -rt 0.05 <> <(:) || :
done
is 5d41402abc4b2a76b9719d911017c592 sqs send-message --queue-url "$queue" --message-body hello --query MD5OfMessageBody
wait "$poll" || :
check 'a long poll is answered by a message that comes' "$(<"$SIM_DIR/poll")" hello
is '1 NotAuthorizedForSourceException' as_stg events put-events --query '[FailedEntryCount,Entries[0].ErrorCode]' \
    --entries '[{"Source":"aws.backup","DetailType":"Feigned","Detail":"{}"}]'
refused AccessDeniedException as_prod events put-rule --name mine --event-pattern '{"source":["aws.backup"]}'

# ---- retention ----

refused InvalidParameterCombination as_stg rds delete-db-cluster --db-cluster-identifier "$new" --skip-final-snapshot
refused InvalidDBClusterStateFault as_stg rds delete-db-cluster --db-cluster-identifier "$old" --skip-final-snapshot
is deleting as_stg rds delete-db-instance --db-instance-identifier "$old-a" --skip-final-snapshot --query DBInstance.DBInstanceStatus
is deleting as_stg rds delete-db-cluster --db-cluster-identifier "$old" --skip-final-snapshot --delete-automated-backups --query DBCluster.Status
is DELETING as_stg dynamodb delete-table --table-name stg-sessions-20261022-030000-p3c8d --query TableDescription.TableStatus
advance 900
refused DBClusterNotFoundFault as_stg rds describe-db-clusters --db-cluster-identifier "$old"
quiet as_stg dynamodb wait table-not-exists --table-name stg-sessions-20261022-030000-p3c8d
quiet as_stg rds wait db-instance-deleted --db-instance-identifier "$old-a"
quiet as_prod backup delete-recovery-point --backup-vault-name staging-refresh --recovery-point-arn "$cluster_point"
quiet as_stg backup delete-recovery-point --backup-vault-name staging-refresh --recovery-point-arn "$table_copied"
advance 60
refused ResourceNotFoundException as_stg backup describe-recovery-point --backup-vault-name staging-refresh --recovery-point-arn "$table_copied"

# ---- throttling, and what the simulator says of it all ----

sim POST faults '{"match": {"service": "dynamodb", "times": 1}, "action": "throttle"}' >/dev/null
refused ThrottlingException as_stg dynamodb list-tables
sim DELETE faults >/dev/null
quiet as_stg dynamodb list-tables

for one in "$wait_table:wait-table" "$wait_cluster:wait-cluster" "$wait_instance:wait-instance"; do
    status=0
    wait "${one%%:*}" || status=$?
    check "${one#*:}" "$status$(<"$SIM_DIR/${one#*:}")" 0
done

# Each of the three was created once and replayed once; the second database and the name clash add their own.
count() {
    sim GET journal | python3 -c '
import json, sys
print(sum(1 for e in json.load(sys.stdin) if e["operation"] == sys.argv[1] and e["effect"] == sys.argv[2]))' "$@"
}
check 'backups' "$(count StartBackupJob created) $(count StartBackupJob replayed)" '2 1'
check 'copies' "$(count StartCopyJob created) $(count StartCopyJob replayed)" '2 1'
check 'restores' "$(count StartRestoreJob created) $(count StartRestoreJob replayed)" '3 1'
check 'no secrets in the world' "$(sim GET world | grep -c -e staging-password -e production-password -e example-secret || :)" 0
status=0
stop_awssim || status=$?
check 'it ends cleanly' "$status $(grep -v ': serving on ' "$SIM_DIR/log" || :)" '0 '
finish
