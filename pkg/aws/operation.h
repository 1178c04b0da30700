/* Every operation that this client can ask of AWS, as one constant table; and which of them a Source account
 * may be asked. */
#ifndef AWS_OPERATION_H
#define AWS_OPERATION_H

#include "pkg/aws/endpoint.h"

enum aws_op {
    AWS_OP_START_BACKUP_JOB,
    AWS_OP_DESCRIBE_BACKUP_JOB,
    AWS_OP_LIST_BACKUP_JOBS,
    AWS_OP_STOP_BACKUP_JOB,
    AWS_OP_START_COPY_JOB,
    AWS_OP_DESCRIBE_COPY_JOB,
    AWS_OP_LIST_COPY_JOBS,
    AWS_OP_START_RESTORE_JOB,
    AWS_OP_DESCRIBE_RESTORE_JOB,
    AWS_OP_LIST_RESTORE_JOBS,
    AWS_OP_DESCRIBE_RECOVERY_POINT,
    AWS_OP_LIST_RECOVERY_POINTS,
    AWS_OP_GET_RESTORE_METADATA,
    AWS_OP_DELETE_RECOVERY_POINT,
    AWS_OP_BACKUP_LIST_TAGS,
    AWS_OP_DESCRIBE_BACKUP_VAULT,
    AWS_OP_GET_VAULT_ACCESS_POLICY,
    AWS_OP_DESCRIBE_REGION_SETTINGS,
    AWS_OP_DESCRIBE_GLOBAL_SETTINGS,

    AWS_OP_DESCRIBE_DB_CLUSTERS,
    AWS_OP_MODIFY_DB_CLUSTER,
    AWS_OP_DELETE_DB_CLUSTER,
    AWS_OP_CREATE_DB_INSTANCE,
    AWS_OP_DESCRIBE_DB_INSTANCES,
    AWS_OP_DELETE_DB_INSTANCE,
    AWS_OP_REBOOT_DB_INSTANCE,
    AWS_OP_RDS_ADD_TAGS,
    AWS_OP_RDS_LIST_TAGS,
    AWS_OP_DESCRIBE_EVENTS,
    AWS_OP_DESCRIBE_DB_SUBNET_GROUPS,
    AWS_OP_DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS,
    AWS_OP_DESCRIBE_ORDERABLE_INSTANCES,
    AWS_OP_DESCRIBE_DB_PROXIES,
    AWS_OP_DESCRIBE_DB_PROXY_TARGETS,
    AWS_OP_REGISTER_DB_PROXY_TARGETS,
    AWS_OP_DEREGISTER_DB_PROXY_TARGETS,
    AWS_OP_MODIFY_DB_PROXY,

    AWS_OP_DESCRIBE_TABLE,
    AWS_OP_UPDATE_TABLE,
    AWS_OP_DELETE_TABLE,
    AWS_OP_DESCRIBE_TIME_TO_LIVE,
    AWS_OP_UPDATE_TIME_TO_LIVE,
    AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS,
    AWS_OP_UPDATE_CONTINUOUS_BACKUPS,
    AWS_OP_DYNAMODB_TAG,
    AWS_OP_DYNAMODB_LIST_TAGS,

    AWS_OP_DESCRIBE_SCALABLE_TARGETS,
    AWS_OP_DESCRIBE_SCALING_POLICIES,
    AWS_OP_REGISTER_SCALABLE_TARGET,
    AWS_OP_PUT_SCALING_POLICY,
    AWS_OP_DEREGISTER_SCALABLE_TARGET,

    AWS_OP_GET_PARAMETER,
    AWS_OP_DESCRIBE_PARAMETERS,
    AWS_OP_PUT_PARAMETER,

    AWS_OP_GET_SECRET_VALUE,
    AWS_OP_PUT_SECRET_VALUE,
    AWS_OP_DESCRIBE_SECRET,
    AWS_OP_UPDATE_SECRET_VERSION_STAGE,

    AWS_OP_DESCRIBE_SERVICES,
    AWS_OP_UPDATE_SERVICE,

    AWS_OP_GET_CALLER_IDENTITY,
    AWS_OP_ASSUME_ROLE,
    AWS_OP_ASSUME_ROLE_WITH_WEB_IDENTITY,

    AWS_OP_DESCRIBE_KEY,
    AWS_OP_GET_KEY_POLICY,

    AWS_OP_INVOKE,
    AWS_OP_START_EXECUTION,
    AWS_OP_DESCRIBE_EXECUTION,

    AWS_OP_RECEIVE_MESSAGE,
    AWS_OP_DELETE_MESSAGE_BATCH,

    AWS_OP_PUT_EVENTS,

    AWS_OP_COUNT,
};

struct aws_operation {
    enum aws_service service;
    const char *name;   /* on the wire: "StartCopyJob" */
    const char *method; /* rest-json; NULL: POST */
    bool is_repeatable; /* may be sent again although the first one may have arrived: reads, a token or a
                           name, or the same value */
    bool is_sensitive;  /* request or reply hold a secret */
    bool is_unsigned;
    const char *header, *header_value; /* one that this operation always carries */
};

const struct aws_operation *aws_operation(enum aws_op op);

/* Looks and changes nothing, and shows nothing that is secret: Describe... and List... */
bool aws_operation_looks(enum aws_op op);

/* The allow-list of Source accounts: nothing that belongs to production is ever changed, besides recovery
 * points that we make. */
bool aws_operation_on_source(enum aws_op op);

#endif
