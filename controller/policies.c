#include "controller/policies.h"

#include <stdarg.h>

#include "pkg/aws/endpoint.h"

/* What a spec uses, as bits. */
enum {
    ALWAYS = 1 << 0,
    BACKS_UP = 1 << 1, /* recoveryPoint.from: New */
    COPIES = 1 << 2,   /* New or SourceVault */
    PICKS_SOURCE = 1 << 3,
    PICKS_TARGET = 1 << 4,
    AURORA = 1 << 5,
    TABLE = 1 << 6,
    COPIED_AURORA = 1 << 7,
    COPIED_TABLE = 1 << 8,
    SOURCE_SETTINGS = 1 << 9, /* settingsFrom: Source */
    PROXY = 1 << 10,
    SSM = 1 << 11,
    SECRET = 1 << 12, /* read */
    SECRET_WRITE = 1 << 13,
    MANAGED_PASSWORD = 1 << 14,
    ECS = 1 << 15,
    LAMBDA = 1 << 16,
    STATES = 1 << 17,
    QUEUE = 1 << 18,
    EVENTS = 1 << 19,      /* notifications to a bus */
    MANAGED_KEY = 1 << 20, /* rdsManaged.kmsKeyID */
};

/* What an operation is authorized on; one statement each. The service's own lists:
 * https://docs.aws.amazon.com/service-authorization/latest/reference/ */
enum scope {
    ON_ANYTHING, /* operations without a resource, and lists */
    ON_VAULT,
    ON_POINTS,
    ON_CLUSTERS, /* copies, and the groups a change of them names */
    ON_PROXIES,
    ON_TABLES,
    ON_PARAMETERS,
    ON_SECRETS,
    ON_MANAGED_SECRETS, /* those that RDS keeps */
    ON_MANAGED_KEYS,
    ON_SERVICES,
    ON_FUNCTIONS,
    ON_MACHINES,
    ON_QUEUE,
    ON_BUSES,
    ON_ALARMS,
    ON_LINKED_ROLES,
    SCOPES,
};

struct permission {
    unsigned source, target; /* which bits call for it; 0: never on that side */
    enum scope scope;
    bool needs_none; /* AWS grants it to everybody, or it is the controller's own identity's */
};

// clang-format off
static const struct permission permissions[AWS_OP_COUNT] = {
    [AWS_OP_START_BACKUP_JOB]         = {.source = BACKS_UP, .scope = ON_VAULT},
    [AWS_OP_DESCRIBE_BACKUP_JOB]      = {.source = BACKS_UP},
    [AWS_OP_LIST_BACKUP_JOBS]         = {.source = BACKS_UP},
    [AWS_OP_STOP_BACKUP_JOB]          = {.source = BACKS_UP},
    [AWS_OP_START_COPY_JOB]           = {.source = COPIES, .scope = ON_POINTS},
    [AWS_OP_DESCRIBE_COPY_JOB]        = {.source = COPIES},
    [AWS_OP_LIST_COPY_JOBS]           = {.source = COPIES},
    [AWS_OP_START_RESTORE_JOB]        = {.target = ALWAYS, .scope = ON_POINTS},
    [AWS_OP_DESCRIBE_RESTORE_JOB]     = {.target = ALWAYS},
    [AWS_OP_LIST_RESTORE_JOBS]        = {.target = ALWAYS},
    [AWS_OP_DESCRIBE_RECOVERY_POINT]  = {.source = COPIES, .target = ALWAYS, .scope = ON_POINTS},
    [AWS_OP_LIST_RECOVERY_POINTS]     = {.source = COPIES, .target = ALWAYS, .scope = ON_VAULT},
    [AWS_OP_GET_RESTORE_METADATA]     = {.target = PICKS_TARGET, .scope = ON_POINTS},
    [AWS_OP_DELETE_RECOVERY_POINT]    = {.source = BACKS_UP, .target = ALWAYS, .scope = ON_POINTS},
    [AWS_OP_BACKUP_LIST_TAGS]         = {.source = COPIES, .target = ALWAYS, .scope = ON_POINTS},
    [AWS_OP_DESCRIBE_BACKUP_VAULT]    = {.source = COPIES, .target = ALWAYS, .scope = ON_VAULT},
    [AWS_OP_GET_VAULT_ACCESS_POLICY]  = {.target = COPIES, .scope = ON_VAULT},
    [AWS_OP_DESCRIBE_REGION_SETTINGS] = {.source = COPIES, .target = ALWAYS},
    [AWS_OP_DESCRIBE_GLOBAL_SETTINGS] = {.source = COPIES},

    /* Read by list: a resource cannot be named. */
    [AWS_OP_DESCRIBE_DB_CLUSTERS]     = {.source = COPIED_AURORA, .target = AURORA},
    [AWS_OP_MODIFY_DB_CLUSTER]        = {.target = AURORA, .scope = ON_CLUSTERS},
    [AWS_OP_DELETE_DB_CLUSTER]        = {.target = AURORA, .scope = ON_CLUSTERS},
    [AWS_OP_CREATE_DB_INSTANCE]       = {.target = AURORA, .scope = ON_CLUSTERS},
    [AWS_OP_DESCRIBE_DB_INSTANCES]    = {.source = COPIED_AURORA, .target = AURORA},
    [AWS_OP_DELETE_DB_INSTANCE]       = {.target = AURORA, .scope = ON_CLUSTERS},
    [AWS_OP_REBOOT_DB_INSTANCE]       = {.target = AURORA, .scope = ON_CLUSTERS},
    [AWS_OP_RDS_ADD_TAGS]             = {.target = AURORA, .scope = ON_CLUSTERS},
    [AWS_OP_RDS_LIST_TAGS]            = {.source = AURORA, .target = AURORA, .scope = ON_POINTS},
    [AWS_OP_DESCRIBE_EVENTS]          = {.target = AURORA},
    [AWS_OP_DESCRIBE_DB_SUBNET_GROUPS] = {.target = AURORA},
    [AWS_OP_DESCRIBE_DB_CLUSTER_PARAMETER_GROUPS] = {.target = AURORA},
    [AWS_OP_DESCRIBE_ORDERABLE_INSTANCES] = {.target = AURORA},
    /* Nothing that a proxy points at is deleted, so they are asked for with or without one in the spec. */
    [AWS_OP_DESCRIBE_DB_PROXIES]      = {.target = AURORA},
    [AWS_OP_DESCRIBE_DB_PROXY_TARGETS] = {.target = AURORA},
    [AWS_OP_REGISTER_DB_PROXY_TARGETS] = {.target = PROXY, .scope = ON_PROXIES},
    [AWS_OP_DEREGISTER_DB_PROXY_TARGETS] = {.target = PROXY, .scope = ON_PROXIES},
    [AWS_OP_MODIFY_DB_PROXY]          = {.target = MANAGED_PASSWORD, .scope = ON_PROXIES},

    [AWS_OP_DESCRIBE_TABLE]           = {.source = COPIED_TABLE, .target = TABLE, .scope = ON_TABLES},
    [AWS_OP_UPDATE_TABLE]             = {.target = TABLE, .scope = ON_TABLES},
    [AWS_OP_DELETE_TABLE]             = {.target = TABLE, .scope = ON_TABLES},
    [AWS_OP_DESCRIBE_TIME_TO_LIVE]    = {.source = SOURCE_SETTINGS, .target = TABLE, .scope = ON_TABLES},
    [AWS_OP_UPDATE_TIME_TO_LIVE]      = {.target = TABLE, .scope = ON_TABLES},
    [AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS] = {.source = SOURCE_SETTINGS, .target = TABLE, .scope = ON_TABLES},
    [AWS_OP_UPDATE_CONTINUOUS_BACKUPS] = {.target = TABLE, .scope = ON_TABLES},
    [AWS_OP_DYNAMODB_TAG]             = {.target = TABLE, .scope = ON_TABLES},
    [AWS_OP_DYNAMODB_LIST_TAGS]       = {.target = TABLE, .scope = ON_TABLES},

    [AWS_OP_GET_PARAMETER]            = {.target = SSM, .scope = ON_PARAMETERS},
    [AWS_OP_DESCRIBE_PARAMETERS]      = {.target = SSM},
    [AWS_OP_PUT_PARAMETER]            = {.target = SSM, .scope = ON_PARAMETERS},

    [AWS_OP_GET_SECRET_VALUE]         = {.target = SECRET, .scope = ON_SECRETS},
    [AWS_OP_PUT_SECRET_VALUE]         = {.target = SECRET_WRITE, .scope = ON_SECRETS},
    [AWS_OP_DESCRIBE_SECRET]          = {.target = SECRET, .scope = ON_SECRETS},
    [AWS_OP_UPDATE_SECRET_VERSION_STAGE] = {.target = SECRET_WRITE, .scope = ON_SECRETS},

    [AWS_OP_DESCRIBE_SERVICES]        = {.target = ECS, .scope = ON_SERVICES},
    [AWS_OP_UPDATE_SERVICE]           = {.target = ECS, .scope = ON_SERVICES},

    [AWS_OP_GET_CALLER_IDENTITY]      = {.needs_none = true},
    [AWS_OP_ASSUME_ROLE]              = {.needs_none = true},
    [AWS_OP_ASSUME_ROLE_WITH_WEB_IDENTITY] = {.needs_none = true},

    /* Which keys there are is known only from what they encrypt. */
    [AWS_OP_DESCRIBE_KEY]             = {.source = COPIES, .target = ALWAYS},
    [AWS_OP_GET_KEY_POLICY]           = {.source = COPIES},

    [AWS_OP_INVOKE]                   = {.target = LAMBDA, .scope = ON_FUNCTIONS},
    [AWS_OP_START_EXECUTION]          = {.target = STATES, .scope = ON_MACHINES},
    [AWS_OP_DESCRIBE_EXECUTION]       = {.target = STATES, .scope = ON_MACHINES},

    [AWS_OP_DESCRIBE_SCALABLE_TARGETS] = {.source = SOURCE_SETTINGS, .target = TABLE},
    [AWS_OP_DESCRIBE_SCALING_POLICIES] = {.source = SOURCE_SETTINGS, .target = TABLE},
    [AWS_OP_REGISTER_SCALABLE_TARGET] = {.target = TABLE},
    [AWS_OP_PUT_SCALING_POLICY]       = {.target = TABLE},
    [AWS_OP_DEREGISTER_SCALABLE_TARGET] = {.target = TABLE},

    [AWS_OP_RECEIVE_MESSAGE]          = {.target = QUEUE, .scope = ON_QUEUE},
    [AWS_OP_DELETE_MESSAGE_BATCH]     = {.target = QUEUE, .scope = ON_QUEUE},

    [AWS_OP_PUT_EVENTS]               = {.target = EVENTS, .scope = ON_BUSES},
};

/* Called otherwise in policies than on the wire. */
static const struct {
    enum aws_op op;
    const char *action;
} other_names[] = {
    {AWS_OP_INVOKE, "lambda:InvokeFunction"},
    {AWS_OP_DELETE_MESSAGE_BATCH, "sqs:DeleteMessage"},
};

/* What AWS checks besides when one of our operations is called so. */
static const struct {
    const char *action;
    unsigned source, target;
    enum scope scope;
} implied[] = {
    {"backup:TagResource", BACKS_UP, 0, ON_POINTS},         /* StartBackupJob with tags */
    {"cloudwatch:DescribeAlarms", 0, TABLE, ON_ALARMS},     /* a scaling policy's, made as whoever puts it */
    {"cloudwatch:PutMetricAlarm", 0, TABLE, ON_ALARMS},
    {"cloudwatch:DeleteAlarms", 0, TABLE, ON_ALARMS},
    {"iam:CreateServiceLinkedRole", ALWAYS, ALWAYS, ON_LINKED_ROLES}, /* the first use in an account */
    /* https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html, "Permissions" */
    {"secretsmanager:CreateSecret", 0, MANAGED_PASSWORD, ON_MANAGED_SECRETS},
    {"secretsmanager:TagResource", 0, MANAGED_PASSWORD, ON_MANAGED_SECRETS},
    {"kms:CreateGrant", 0, MANAGED_KEY, ON_MANAGED_KEYS},
    {"kms:Decrypt", 0, MANAGED_KEY, ON_MANAGED_KEYS},
    {"kms:GenerateDataKey", 0, MANAGED_KEY, ON_MANAGED_KEYS},
};
// clang-format on

/* --- what the spec uses --- */

static unsigned bits_of_database(const struct database_spec *database)
{
    bool copied = database->from != FROM_TARGET_VAULT, aurora = database->kind == DATABASE_AURORA;
    const struct password_spec *password = &database->aurora.password;
    unsigned bits = aurora ? AURORA : TABLE;

    if (database->from == FROM_NEW)
        bits |= BACKS_UP;
    if (copied)
        bits |= COPIES | (aurora ? COPIED_AURORA : COPIED_TABLE);
    bits |= database->from == FROM_SOURCE_VAULT ? PICKS_SOURCE : 0;
    bits |= database->from == FROM_TARGET_VAULT ? PICKS_TARGET : 0;
    if (!aurora && database->dynamodb.settings_from == SETTINGS_SOURCE)
        bits |= SOURCE_SETTINGS | COPIED_TABLE;
    if (aurora && password->from.secrets_manager_id)
        bits |= SECRET | (password->kind == PASSWORD_GENERATE ? SECRET_WRITE : 0);
    if (aurora && password->kind == PASSWORD_RDS_MANAGED)
        bits |= MANAGED_PASSWORD | (password->rds_managed_kms_key ? MANAGED_KEY : 0);
    return bits;
}

static unsigned bits_of_hooks(const struct hook_spec *hooks, size_t count)
{
    unsigned bits = 0;

    for (size_t i = 0; i < count; i++)
        bits |= hooks[i].kind == HOOK_LAMBDA ? LAMBDA : hooks[i].kind == HOOK_STATE_MACHINE ? STATES : 0;
    return bits;
}

static unsigned bits_of(const struct refresh_spec *spec, const struct accounts *accounts)
{
    unsigned bits = ALWAYS | (spec->proxy_count ? PROXY : 0);

    for (size_t i = 0; i < spec->database_count; i++)
        bits |= bits_of_database(&spec->databases[i]);
    for (size_t i = 0; i < spec->parameter_count; i++) {
        bits |= spec->parameters[i].kind == PARAMETER_SSM ? SSM : 0;
        bits |= spec->parameters[i].kind == PARAMETER_SECRETS_MANAGER ? SECRET | SECRET_WRITE : 0;
    }
    for (size_t i = 0; i < spec->application_count; i++)
        bits |= spec->applications[i].kind == APPLICATION_ECS_SERVICE ? ECS : 0;
    for (size_t i = 0; i < spec->live.notification_count; i++)
        bits |= spec->live.notifications[i].kind == NOTIFY_EVENT_BRIDGE ? EVENTS : 0;
    bits |= bits_of_hooks(spec->before_hooks, spec->before_hook_count);
    bits |= bits_of_hooks(spec->after_hooks, spec->after_hook_count);
    return bits | (accounts->target->events_queue_url ? QUEUE : 0);
}

/* --- resources --- */

struct writing {
    const struct refresh_spec *spec;
    const struct accounts *accounts;
    const struct account *account; /* whose policy */
    bool is_source;
    struct json *resources; /* being filled */
};

/* "arn:<partition>:<service>:<region>:<account>:<resource>" */
static void PRINTF_LIKE(3, 4) add(const struct writing *writing, const char *service, const char *fmt, ...)
{
    const struct account *account = writing->account;
    va_list args;
    AUTO_FREE char *resource = NULL;
    AUTO_FREE char *arn = NULL;

    va_start(args, fmt);
    resource = xvasprintf(fmt, args);
    va_end(args);
    /* A name may be an ARN already. */
    arn = str_starts(str_of(resource), "arn:")
              ? xstrdup(resource)
              : xasprintf("arn:%s:%s:%s:%s:%s", aws_partition_of(account->region)->id, service,
                          account->region, account->account_id, resource);
    json_each (item, writing->resources) {
        if (text_equal(json_get_text(item, NULL, ""), arn))
            return;
    }
    json_append_text(writing->resources, arn);
}

static void add_anything(const struct writing *writing)
{
    json_append_text(writing->resources, "*");
}

static void add_vault(const struct writing *writing)
{
    add(writing, "backup", "backup-vault:%s", writing->account->vault_name);
}

/* A cluster's recovery point is a snapshot of RDS; a table's is AWS Backup's own. */
static void add_points(const struct writing *writing)
{
    for (size_t i = 0; i < writing->spec->database_count; i++) {
        if (writing->spec->databases[i].kind == DATABASE_AURORA)
            add(writing, "rds", "cluster-snapshot:awsbackup:*");
        else
            add(writing, "backup", "recovery-point:*");
    }
}

static void add_clusters(const struct writing *writing)
{
    for (size_t i = 0; i < writing->spec->database_count; i++) {
        const struct aurora_spec *aurora = &writing->spec->databases[i].aurora;

        if (writing->spec->databases[i].kind != DATABASE_AURORA)
            continue;
        add(writing, "rds", "cluster:%s-*", aurora->identifier_prefix);
        add(writing, "rds", "db:%s-*", aurora->identifier_prefix);
        if (aurora->cluster_parameter_group)
            add(writing, "rds", "cluster-pg:%s", aurora->cluster_parameter_group);
        add(writing, "rds", "pg:*");
        add(writing, "rds", "subgrp:%s", aurora->db_subnet_group);
    }
}

/* Proxies are known by an id that is not their name; and the cluster that goes back in when the new one
 * cannot be reached may be of any name. */
static void add_proxies(const struct writing *writing)
{
    add(writing, "rds", "db-proxy:*");
    add(writing, "rds", "target-group:*");
    add(writing, "rds", "cluster:*");
    add(writing, "rds", "db:*");
}

static void add_tables(const struct writing *writing)
{
    for (size_t i = 0; i < writing->spec->database_count; i++) {
        const struct dynamodb_spec *table = &writing->spec->databases[i].dynamodb;

        if (writing->spec->databases[i].kind != DATABASE_DYNAMODB)
            continue;
        if (writing->is_source)
            add(writing, "dynamodb", "table/%s", table->table_name);
        else
            add(writing, "dynamodb", "table/%s-*", table->table_name_prefix);
    }
}

static void add_parameters(const struct writing *writing)
{
    for (size_t i = 0; i < writing->spec->parameter_count; i++) {
        const char *name = writing->spec->parameters[i].target;

        if (writing->spec->parameters[i].kind == PARAMETER_SSM)
            add(writing, "ssm", "%s%s", str_starts(str_of(name), "arn:") ? "" : "parameter/",
                name + (*name == '/'));
    }
}

/* Secrets Manager puts a dash and six characters of its own behind the name. */
static void add_secret(const struct writing *writing, const char *id)
{
    bool is_arn = str_starts(str_of(id), "arn:");

    add(writing, "secretsmanager", "%s%s%s", is_arn ? "" : "secret:", id, is_arn ? "" : "-??????");
}

static void add_secrets(const struct writing *writing)
{
    for (size_t i = 0; i < writing->spec->database_count; i++) {
        const struct database_spec *database = &writing->spec->databases[i];

        if (database->kind == DATABASE_AURORA && database->aurora.password.from.secrets_manager_id)
            add_secret(writing, database->aurora.password.from.secrets_manager_id);
    }
    for (size_t i = 0; i < writing->spec->parameter_count; i++) {
        if (writing->spec->parameters[i].kind == PARAMETER_SECRETS_MANAGER)
            add_secret(writing, writing->spec->parameters[i].target);
    }
}

static void add_managed_secrets(const struct writing *writing)
{
    add(writing, "secretsmanager", "secret:rds!cluster-*");
}

/* Which key an alias stands for is not known here. */
static void add_managed_keys(const struct writing *writing)
{
    for (size_t i = 0; i < writing->spec->database_count; i++) {
        const char *key = writing->spec->databases[i].aurora.password.rds_managed_kms_key;
        const char *alias = key ? strstr(key, ":alias/") : NULL;

        if (alias)
            add(writing, "kms", "%.*s:key/*", (int)(alias - key), key);
        else if (key)
            add(writing, "kms", "%s", key);
    }
}

static void add_services(const struct writing *writing)
{
    for (size_t i = 0; i < writing->spec->application_count; i++) {
        const struct application_spec *application = &writing->spec->applications[i];

        if (application->kind == APPLICATION_ECS_SERVICE)
            add(writing, "ecs", "service/%s/%s", application->cluster ? application->cluster : "default",
                application->target);
    }
}

static void add_hooks(const struct writing *writing, enum hook_kind kind)
{
    const struct refresh_spec *spec = writing->spec;

    for (size_t i = 0; i < spec->before_hook_count + spec->after_hook_count; i++) {
        const struct hook_spec *hook = i < spec->before_hook_count
                                           ? &spec->before_hooks[i]
                                           : &spec->after_hooks[i - spec->before_hook_count];
        bool is_arn = str_starts(str_of(hook->target), "arn:");

        if (hook->kind != kind)
            continue;
        if (kind == HOOK_LAMBDA) {
            add(writing, "lambda", "%s%s", is_arn ? "" : "function:", hook->target);
            continue;
        }
        add(writing, "states", "%s%s", is_arn ? "" : "stateMachine:", hook->target);
        add(writing, "states", "execution:%s:*", is_arn ? strrchr(hook->target, ':') + 1 : hook->target);
    }
}

static void add_functions(const struct writing *writing)
{
    add_hooks(writing, HOOK_LAMBDA);
}

static void add_machines(const struct writing *writing)
{
    add_hooks(writing, HOOK_STATE_MACHINE);
}

/* https://sqs.<region>.amazonaws.com/<account>/<name> */
static void add_queue(const struct writing *writing)
{
    const char *url = writing->accounts->target->events_queue_url;

    add(writing, "sqs", "%s", strrchr(url, '/') ? strrchr(url, '/') + 1 : url);
}

static void add_buses(const struct writing *writing)
{
    for (size_t i = 0; i < writing->spec->live.notification_count; i++) {
        const struct notification_spec *notification = &writing->spec->live.notifications[i];

        if (notification->kind == NOTIFY_EVENT_BRIDGE)
            add(writing, "events", "%s%s",
                str_starts(str_of(notification->target), "arn:") ? "" : "event-bus/", notification->target);
    }
}

static void add_alarms(const struct writing *writing)
{
    for (size_t i = 0; i < writing->spec->database_count; i++) {
        if (writing->spec->databases[i].kind == DATABASE_DYNAMODB)
            add(writing, "cloudwatch", "alarm:TargetTracking-table/%s-*",
                writing->spec->databases[i].dynamodb.table_name_prefix);
    }
}

/* IAM has no region. */
static void add_linked_roles(const struct writing *writing)
{
    static const char *const services[] = {"backup", "rds", "dynamodb.application-autoscaling"};

    for (size_t i = 0; i < (writing->is_source ? 1 : COUNT_OF(services)); i++) {
        AUTO_FREE char *arn = xasprintf("arn:%s:iam::%s:role/aws-service-role/%s.amazonaws.com/*",
                                        aws_partition_of(writing->account->region)->id,
                                        writing->account->account_id, services[i]);

        json_append_text(writing->resources, arn);
    }
}

static const struct {
    const char *sid;
    void (*add)(const struct writing *writing);
} scopes[SCOPES] = {
    [ON_ANYTHING] = {"Look", add_anything},
    [ON_VAULT] = {"Vault", add_vault},
    [ON_POINTS] = {"RecoveryPoints", add_points},
    [ON_CLUSTERS] = {"Clusters", add_clusters},
    [ON_PROXIES] = {"Proxies", add_proxies},
    [ON_TABLES] = {"Tables", add_tables},
    [ON_PARAMETERS] = {"Parameters", add_parameters},
    [ON_SECRETS] = {"Secrets", add_secrets},
    [ON_MANAGED_SECRETS] = {"ManagedPasswords", add_managed_secrets},
    [ON_MANAGED_KEYS] = {"ManagedPasswordKeys", add_managed_keys},
    [ON_SERVICES] = {"Services", add_services},
    [ON_FUNCTIONS] = {"Functions", add_functions},
    [ON_MACHINES] = {"StateMachines", add_machines},
    [ON_QUEUE] = {"Queue", add_queue},
    [ON_BUSES] = {"Buses", add_buses},
    [ON_ALARMS] = {"Alarms", add_alarms},
    [ON_LINKED_ROLES] = {"FirstUse", add_linked_roles},
};

/* --- statements --- */

static char *action_of(enum aws_op op)
{
    const struct aws_operation *operation = aws_operation(op);

    for (size_t i = 0; i < COUNT_OF(other_names); i++) {
        if (other_names[i].op == op)
            return xstrdup(other_names[i].action);
    }
    return xasprintf("%s:%s", aws_service_info(operation->service)->signing_name, operation->name);
}

static struct json *actions_of(const struct writing *writing, unsigned bits, enum scope scope)
{
    struct json *actions = json_new_array();

    for (int op = 0; op < AWS_OP_COUNT; op++) {
        const struct permission *row = &permissions[op];
        AUTO_FREE char *action = NULL;

        if (row->scope != scope || !((writing->is_source ? row->source : row->target) & bits))
            continue;
        action = action_of((enum aws_op)op);
        json_append_text(actions, action);
    }
    for (size_t i = 0; i < COUNT_OF(implied); i++) {
        if (implied[i].scope == scope &&
            ((writing->is_source ? implied[i].source : implied[i].target) & bits))
            json_append_text(actions, implied[i].action);
    }
    return actions;
}

/* Takes actions and resources over. */
static struct json *add_statement(struct json *statements, const char *sid, struct json *actions,
                                  struct json *resources)
{
    struct json *statement = json_new_object();

    json_set_text(statement, "Sid", sid);
    json_set_text(statement, "Effect", "Allow");
    json_set(statement, "Action", actions);
    json_set(statement, "Resource", resources);
    json_append(statements, statement);
    return statement;
}

static struct json *one_text(const char *text)
{
    struct json *list = json_new_array();

    json_append_text(list, text);
    return list;
}

static struct json *condition(const char *operator, const char * key, struct json *value)
{
    struct json *condition = json_new_object(), *inner = json_new_object();

    json_set(inner, key, value);
    json_set(condition, operator, inner);
    return condition;
}

static struct json *new_policy(struct json *statements)
{
    struct json *policy = json_new_object();

    json_set_text(policy, "Version", "2012-10-17");
    json_set(policy, "Statement", statements);
    return policy;
}

static struct json *role_policy(struct writing *writing, unsigned bits)
{
    struct json *statements = json_new_array(), *pass;

    for (int scope = 0; scope < SCOPES; scope++) {
        struct json *actions = actions_of(writing, bits, (enum scope)scope);

        if (!json_count(actions)) {
            json_free(actions);
            continue;
        }
        writing->resources = json_new_array();
        scopes[scope].add(writing);
        add_statement(statements, scopes[scope].sid, actions, writing->resources);
    }
    pass = add_statement(statements, "PassRole", one_text("iam:PassRole"),
                         one_text(writing->account->service_role_arn));
    json_set(pass, "Condition",
             condition("StringEquals", "iam:PassedToService", json_new_text("backup.amazonaws.com")));
    return new_policy(statements);
}

static struct json *role_section(struct writing *writing, unsigned bits)
{
    struct json *section = json_new_object();

    json_set_text(section, "account", writing->account->account_id);
    json_set_text(section, "role", writing->account->role_arn);
    json_set(section, "policy", role_policy(writing, bits));
    return section;
}

static void set_principal(struct json *statement, const char *arn)
{
    struct json *principal = json_new_object();

    json_set_text(principal, "AWS", arn);
    json_set(statement, "Principal", principal);
}

static struct json *vault_section(const struct accounts *accounts)
{
    struct json *section = json_new_object(), *statements = json_new_array(), *statement;

    statement =
        add_statement(statements, "CopiesFromSource", one_text("backup:CopyIntoBackupVault"), one_text("*"));
    set_principal(statement, accounts->source->service_role_arn);
    json_set_text(section, "account", accounts->target->account_id);
    json_set_text(section, "vault", accounts->target->vault_name);
    json_set(section, "policy", new_policy(statements));
    return section;
}

/* The copy is carried out by AWS Backup's role of the target account, not by ours. */
static struct json *key_section(const struct accounts *accounts)
{
    static const char *const uses[] = {"kms:DescribeKey", "kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt*",
                                       "kms:GenerateDataKey*"};
    static const char *const grants[] = {"kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"};
    struct json *section = json_new_object(), *statements = json_new_array();
    struct json *use = json_new_array(), *grant = json_new_array(), *statement;
    AUTO_FREE char *role =
        xasprintf("arn:%s:iam::%s:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup",
                  aws_partition_of(accounts->target->region)->id, accounts->target->account_id);

    for (size_t i = 0; i < COUNT_OF(uses); i++)
        json_append_text(use, uses[i]);
    for (size_t i = 0; i < COUNT_OF(grants); i++)
        json_append_text(grant, grants[i]);
    set_principal(add_statement(statements, "UseByTarget", use, one_text("*")), role);
    statement = add_statement(statements, "GrantsByTarget", grant, one_text("*"));
    set_principal(statement, role);
    json_set(statement, "Condition", condition("Bool", "kms:GrantIsForAWSResource", json_new_bool(true)));
    json_set_text(section, "account", accounts->source->account_id);
    json_set(section, "statements", statements);
    return section;
}

struct json *policies_make(const struct refresh_spec *spec, const struct accounts *accounts)
{
    unsigned bits = bits_of(spec, accounts);
    struct writing target = {.spec = spec, .accounts = accounts, .account = accounts->target};
    struct writing source = {
        .spec = spec, .accounts = accounts, .account = accounts->source, .is_source = true};
    struct json *all = json_new_object();

    if (accounts->source)
        json_set(all, "source", role_section(&source, bits));
    json_set(all, "target", role_section(&target, bits));
    if (accounts->source && (bits & COPIES)) {
        json_set(all, "vaultAccessPolicy", vault_section(accounts));
        json_set(all, "keyStatements", key_section(accounts));
    }
    return all;
}

bool policies_companion(size_t index, struct policies_companion *ret)
{
    if (index >= COUNT_OF(implied))
        return false;
    *ret = (struct policies_companion){.action = implied[index].action,
                                       .on_source = implied[index].source,
                                       .on_target = implied[index].target};
    return true;
}

bool policies_know(enum aws_op op)
{
    return permissions[op].source || permissions[op].target || permissions[op].needs_none;
}
