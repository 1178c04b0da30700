#include "controller/admit.h"

#include "controller/names.h"
#include "controller/source_grants.h"
#include "controller/window.h"
#include "pkg/aws/endpoint.h"

void accounts_done(struct accounts *accounts)
{
    account_free(accounts->source);
    account_free(accounts->target);
    *accounts = (struct accounts){0};
}

void refusal_done(struct refusal *refusal)
{
    xfree(refusal->message);
    *refusal = (struct refusal){0};
}

static void refuse(struct refusal *refusal, const char *reason, char *message)
{
    if (refusal->message) { /* the first one counts */
        xfree(message);
        return;
    }
    *refusal = (struct refusal){.reason = reason, .message = message};
}

/* --- partitions --- */

static void need_partition(const struct account *account, const char *field, const char *role_arn,
                           struct refusal *refusal)
{
    const char *partition = aws_partition_of(account->region)->id;
    AUTO_FREE char *start = xasprintf("arn:%s:", partition);

    if (role_arn && !str_starts(str_of(role_arn), start))
        refuse(refusal, "OtherPartition",
               xasprintf("AWSAccount %s: spec.%s is %s, but Region %s is of partition %s: a role begins with "
                         "%s there",
                         account->name, field, role_arn, account->region, partition, start));
}

static void admit_roles(const struct account *account, struct refusal *refusal)
{
    need_partition(account, "credentials.assumeRole.roleARN", account->role_arn, refusal);
    need_partition(account, "backup.serviceRoleARN", account->service_role_arn, refusal);
}

/* Only some databases may need a copy between the accounts. */
static bool needs_copies(const struct refresh_spec *spec)
{
    for (size_t i = 0; i < spec->database_count; i++) {
        if (spec->databases[i].from != FROM_TARGET_VAULT)
            return true;
    }
    return false;
}

static void admit_copies(const struct accounts *accounts, const struct refresh_spec *spec,
                         struct refusal *refusal)
{
    const char *from = aws_partition_of(accounts->source->region)->id,
               *to = aws_partition_of(accounts->target->region)->id;

    if (!needs_copies(spec))
        return;
    if (!text_equal(from, to))
        refuse(
            refusal, "OtherPartition",
            xasprintf(
                "AWSAccount %s is in partition %s and %s in %s: AWS Backup copies nothing from one partition "
                "into another",
                spec->source, from, spec->target, to));
    else if (text_equal(from, "aws-cn"))
        refuse(refusal, "CopiesNotOffered",
               xstrdup("AWS Backup copies nothing between accounts in the China Regions: only "
                       "recoveryPoint.from: TargetVault can be used there"));
}

void admit_partitions(const struct accounts *accounts, const struct refresh_spec *spec,
                      struct refusal *ret_refusal)
{
    admit_roles(accounts->target, ret_refusal);
    if (!accounts->source)
        return;
    admit_roles(accounts->source, ret_refusal);
    admit_copies(accounts, spec, ret_refusal);
}

/* Whether another AWSAccount names the same account of AWS for another use. */
struct usage_check {
    const struct account *account;
    struct refusal *refusal;
};

static bool check_usage(void *arg, const struct json *item)
{
    const struct usage_check *check = arg;
    const struct account *account = check->account;
    const char *name = json_get_text(item, "metadata.name", "");

    if (text_equal(name, account->name) ||
        text_equal(json_get_text(item, "spec.usage", ""), account_usage_name(account->usage)))
        return true;
    refuse(check->refusal, "AccountUsedBothWays",
           xasprintf("AWSAccounts %s and %s name the same account %s, one as Source and one as Target: "
                     "production would be "
                     "restored into; remove one of them",
                     account->name, name, account->account_id));
    return false;
}

void admit_usage(struct objects *objects, const struct account *account, struct refusal *ret_refusal)
{
    struct usage_check check = {.account = account, .refusal = ret_refusal};

    admit_roles(account, ret_refusal);
    objects_each(objects, OBJECT_ACCOUNT, account->account_id, check_usage, &check);
}

static struct err *read_account(struct objects *objects, const struct env *env, const char *name,
                                enum account_usage usage, struct account **ret, struct refusal *refusal)
{
    const struct object_id id = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = name};
    AUTO_JSON struct json *object = NULL;
    AUTO_ACCOUNT struct account *account = NULL;
    AUTO_ERR struct err *err = NULL;

    TRY(objects_read(objects, env, &id, &object));
    if (!object) {
        refuse(refusal, "AccountNotFound",
               xasprintf("there is no AWSAccount %s; ask your platform team for it", name));
        return NULL;
    }
    err = account_parse(object, &account);
    if (err) {
        refuse(refusal, "AccountInvalid", xasprintf("AWSAccount %s: %s", name, err_text(err)));
        return NULL;
    }
    if (account->usage != usage) {
        refuse(refusal, "AccountUsage",
               xasprintf("AWSAccount %s has usage %s and cannot be used as %s", name,
                         account_usage_name(account->usage), account_usage_name(usage)));
        return NULL;
    }
    admit_usage(objects, account, refusal);
    *ret = TAKE(account);
    return NULL;
}

struct err *admit_accounts(struct objects *objects, const struct env *env, const struct refresh_spec *spec,
                           struct accounts *ret, struct refusal *ret_refusal)
{
    AUTO_ACCOUNTS struct accounts accounts = {0};

    if (spec->source)
        TRY(read_account(objects, env, spec->source, USAGE_SOURCE, &accounts.source, ret_refusal));
    TRY(read_account(objects, env, spec->target, USAGE_TARGET, &accounts.target, ret_refusal));
    if (ret_refusal->message)
        return NULL;
    if (accounts.source && text_equal(accounts.source->account_id, accounts.target->account_id)) {
        refuse(ret_refusal, "SameAccount",
               xasprintf("AWSAccounts %s and %s are one account, %s: source and target must differ",
                         spec->source, spec->target, accounts.target->account_id));
        return NULL;
    }
    admit_partitions(&accounts, spec, ret_refusal);
    if (ret_refusal->message)
        return NULL;
    *ret = accounts;
    accounts = (struct accounts){0};
    return NULL;
}

void admit_fields(const struct objects *objects, const struct refresh_spec *spec, struct refusal *ret_refusal)
{
    AUTO_ERR struct err *window = window_check(&spec->live.window);
    AUTO_BUF struct buf fields = BUF_MAX(4 * KIB);

    if (window)
        refuse(ret_refusal, "InvalidSpec", xstrdup(err_text(window)));
    if (!objects->kube && refresh_needs_cluster(spec, &fields))
        refuse(ret_refusal, "NeedsCluster",
               xasprintf("%s: these need a cluster, and there is none", buf_text(&fields)));
}

struct grant_check {
    struct objects *objects;
    const struct accounts *accounts;
    const struct refresh_spec *spec;
    const char *namespace;
    struct refusal *refusal;
};

/* The spec names the account that the data comes from. */
static void need_source(const struct grant_check *check, const struct carriage *carriage)
{
    const struct account *source = check->accounts->source;

    if (source_grants_of(source, carriage))
        return;
    refuse(check->refusal, "NotGranted",
           xasprintf("AWSAccount %s does not grant %s %s to namespace %s with target %s; ask your platform "
                     "team for a grant",
                     source->name, source_database_type(carriage->database),
                     source_database_name(carriage->database), carriage->namespace, carriage->target));
}

/* It names none: the data comes from one of those that grant it. */
static void need_any_source(const struct grant_check *check, const struct carriage *carriage)
{
    AUTO_SOURCE_GRANTS struct source_grants grants = {0};

    source_grants_find(check->objects, carriage, &grants);
    if (grants.count)
        return;
    refuse(check->refusal, "NotGranted",
           xasprintf("no AWSAccount of usage Source grants %s %s to namespace %s with target %s, and "
                     "spec.sourceRef names none; ask your platform team for a grant in the AWSAccount whose "
                     "database it is",
                     source_database_type(carriage->database), source_database_name(carriage->database),
                     carriage->namespace, carriage->target));
}

static void need_target(const struct grant_check *check, const char *type, const char *name)
{
    if (account_grants(check->accounts->target, check->namespace, NULL, type, name))
        return;
    refuse(check->refusal, "NotGranted",
           xasprintf("AWSAccount %s does not grant %s %s to namespace %s; ask your platform team for a grant",
                     check->accounts->target->name, type, name, check->namespace));
}

static void check_database(const struct grant_check *check, const struct database_spec *database,
                           const char *run_id)
{
    const struct carriage carriage = {
        .namespace = check->namespace, .target = check->spec->target, .database = database};
    bool aurora = database->kind == DATABASE_AURORA;
    AUTO_FREE char *copy = name_copy(
        aurora ? database->aurora.identifier_prefix : database->dynamodb.table_name_prefix, run_id, 1);

    if (check->accounts->source)
        need_source(check, &carriage);
    else
        need_any_source(check, &carriage);
    need_target(check, source_database_type(database), copy);
    if (aurora && database->aurora.password.from.secrets_manager_id)
        need_target(check, "Secret", database->aurora.password.from.secrets_manager_id);
}

static void check_switchover(const struct grant_check *check)
{
    const struct refresh_spec *spec = check->spec;

    for (size_t i = 0; i < spec->proxy_count; i++)
        need_target(check, "DBProxy", spec->proxies[i].name);
    for (size_t i = 0; i < spec->parameter_count; i++) {
        if (spec->parameters[i].kind == PARAMETER_SSM)
            need_target(check, "SSMParameter", spec->parameters[i].target);
        if (spec->parameters[i].kind == PARAMETER_SECRETS_MANAGER)
            need_target(check, "Secret", spec->parameters[i].target);
    }
    for (size_t i = 0; i < spec->application_count; i++) {
        AUTO_FREE char *service = NULL;

        if (spec->applications[i].kind != APPLICATION_ECS_SERVICE)
            continue;
        service =
            xasprintf("%s/%s", spec->applications[i].cluster ? spec->applications[i].cluster : "default",
                      spec->applications[i].target);
        need_target(check, "ECSService", service);
    }
}

static void check_hooks(const struct grant_check *check, const struct hook_spec *hooks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hooks[i].kind == HOOK_LAMBDA)
            need_target(check, "LambdaFunction", hooks[i].target);
        if (hooks[i].kind == HOOK_STATE_MACHINE)
            need_target(check, "StateMachine", hooks[i].target);
    }
}

bool admit_notification(const struct account *target, const char *namespace,
                        const struct notification_spec *notification)
{
    return account_grants(target, namespace, NULL,
                          notification->kind == NOTIFY_WEBHOOK ? "Webhook" : "EventBus",
                          notification->target);
}

static void check_notifications(const struct grant_check *check)
{
    for (size_t i = 0; i < check->spec->live.notification_count; i++) {
        const struct notification_spec *notification = &check->spec->live.notifications[i];
        bool webhook = notification->kind == NOTIFY_WEBHOOK;

        if (admit_notification(check->accounts->target, check->namespace, notification))
            continue;
        /* A URL may hold what only its owner should know. */
        refuse(check->refusal, "NotGranted",
               xasprintf(
                   "AWSAccount %s does not grant %s %s to namespace %s; ask your platform team for a grant",
                   check->accounts->target->name, webhook ? "the Webhook of notification" : "EventBus",
                   webhook ? notification->name : notification->target, check->namespace));
    }
}

void admit_grants(struct objects *objects, const struct accounts *accounts, const struct refresh_spec *spec,
                  const char *namespace, const char *run_id, struct refusal *ret_refusal)
{
    const struct grant_check check = {.objects = objects,
                                      .accounts = accounts,
                                      .spec = spec,
                                      .namespace = namespace,
                                      .refusal = ret_refusal};

    for (size_t i = 0; i < spec->database_count; i++)
        check_database(&check, &spec->databases[i], run_id);
    check_switchover(&check);
    check_hooks(&check, spec->before_hooks, spec->before_hook_count);
    check_hooks(&check, spec->after_hooks, spec->after_hook_count);
    check_notifications(&check);
    if (spec->live.policy == POLICY_AUTOMATIC && account_requires_approval(accounts->target, namespace))
        refuse(ret_refusal, "ApprovalRequired",
               xasprintf(
                   "AWSAccount %s requires approval for namespace %s: spec.switchover.policy must be Manual",
                   accounts->target->name, namespace));
}
