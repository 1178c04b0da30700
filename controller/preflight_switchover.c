/* What the switchover touches in the target account, and the password that opens the copies. */
#include "controller/preflight.h"
#include "pkg/aws/ecs.h"
#include "pkg/aws/rds.h"
#include "pkg/aws/rds_proxy.h"
#include "pkg/aws/secretsmanager.h"
#include "pkg/aws/ssm.h"

static const struct refresh_spec *spec_of(const struct inspection *in)
{
    return in->preflight->spec;
}

/* --- proxies --- */

static size_t proxy_count(const struct refresh_spec *spec, const struct database_spec *database)
{
    (void)database;
    return spec->proxy_count;
}

static char *proxy_subject(const struct inspection *in)
{
    return xasprintf("proxy %s", spec_of(in)->proxies[in->index].name);
}

static const struct database_spec *proxied(const struct inspection *in)
{
    return refresh_database(spec_of(in), spec_of(in)->proxies[in->index].database);
}

/* A proxy reaches clusters of its own VPC alone. */
static struct err *check_network(const struct inspection *in, const struct rds_proxy *proxy, bool *ret_fits)
{
    AUTO_RDS_SUBNET_GROUP struct rds_subnet_group group = {0};
    const char *name = proxied(in)->aurora.db_subnet_group;
    struct err *err = rds_describe_subnet_group(in->aws, name, &group);

    *ret_fits = true;
    if (err && (err_kind(err) == ERR_DENIED || err_kind(err) == ERR_NOT_FOUND)) {
        err_ignore(err, "another check says so");
        return NULL;
    }
    TRY(err);
    if (!proxy->vpc_id || !group.vpc_id || text_equal(proxy->vpc_id, group.vpc_id))
        return NULL;
    *ret_fits = false;
    preflight_fail(in,
                   "it is in %s, and the copy will be in %s (subnet group %s): a proxy reaches clusters "
                   "of its own VPC alone",
                   proxy->vpc_id, group.vpc_id, name);
    return NULL;
}

static bool proxy_uses(const struct rds_proxy *proxy, const char *secret_arn)
{
    for (size_t i = 0; i < proxy->auth_count; i++) {
        if (text_equal(proxy->auth[i].secret_arn, secret_arn))
            return true;
    }
    return false;
}

/* The proxy logs in with its own secrets: one of them should be the password's. */
static struct err *check_secret(const struct inspection *in, const struct rds_proxy *proxy)
{
    const struct password_spec *password = &proxied(in)->aurora.password;
    AUTO_SECRET_DESCRIPTION struct secret_description secret = {0};
    struct err *err;

    if (!proxy->auth_count && !text_equal(proxy->default_auth_scheme, "IAM_AUTH")) {
        preflight_fail(in, "it has no secret to log in with: give it one");
        return NULL;
    }
    preflight_ok(in, "it is there, %s, with %zu secret%s", proxy->status, proxy->auth_count,
                 proxy->auth_count == 1 ? "" : "s");
    if (password->kind != PASSWORD_FROM_SECRET || !password->from.secrets_manager_id)
        return NULL;
    err = secretsmanager_describe(in->aws, password->from.secrets_manager_id, &secret);
    if (err && (err_kind(err) == ERR_DENIED || err_kind(err) == ERR_NOT_FOUND)) {
        err_ignore(err, "another check says so");
        return NULL;
    }
    TRY(err);
    if (!proxy_uses(proxy, secret.arn))
        preflight_unknown(in,
                          "none of its secrets is %s: it can log in only if one of them holds the same "
                          "password",
                          password->from.secrets_manager_id);
    return NULL;
}

static struct err *look_at_proxy(const struct inspection *in)
{
    AUTO_RDS_PROXY struct rds_proxy proxy = {0};
    bool fits;

    TRY(rds_proxy_describe(in->aws, spec_of(in)->proxies[in->index].name, &proxy));
    if (!text_equal(proxy.status, "available") && !text_equal(proxy.status, "modifying")) {
        preflight_fail(in, "it is %s: see to it", proxy.status);
        return NULL;
    }
    TRY(check_network(in, &proxy, &fits));
    return fits ? check_secret(in, &proxy) : NULL;
}

/* --- parameters and secrets --- */

static size_t parameter_count(const struct refresh_spec *spec, const struct database_spec *database)
{
    (void)database;
    return spec->parameter_count;
}

static const struct parameter_spec *parameter_of(const struct inspection *in)
{
    return &spec_of(in)->parameters[in->index];
}

static char *parameter_subject(const struct inspection *in)
{
    static const char *const nouns[] = {[PARAMETER_SSM] = "parameter",
                                        [PARAMETER_SECRETS_MANAGER] = "secret",
                                        [PARAMETER_CONFIG_MAP] = "ConfigMap",
                                        [PARAMETER_SECRET] = "Secret"};

    return xasprintf("%s %s", nouns[parameter_of(in)->kind], parameter_of(in)->target);
}

/* Whether a secret of Secrets Manager is there and may be written; its value is not read. */
static struct err *look_at_secret(const struct inspection *in, const char *id, bool is_written)
{
    AUTO_SECRET_DESCRIPTION struct secret_description secret = {0};

    TRY(secretsmanager_describe(in->aws, id, &secret));
    if (secret.is_deleted)
        preflight_fail(in, "it is scheduled for deletion: restore it, or choose another one");
    else if (is_written && secret.owning_service)
        preflight_fail(in, "%s keeps it, and its values are not ours to write: choose another one",
                       secret.owning_service);
    else if (is_written && secret.rotation_enabled)
        preflight_unknown(in, "it is there, but its rotation may overwrite what a run writes");
    else
        preflight_ok(in, "it is there");
    return NULL;
}

static struct err *look_at_parameter(const struct inspection *in)
{
    const struct parameter_spec *parameter = parameter_of(in);
    AUTO_SSM_DESCRIPTION struct ssm_description description = {0};

    if (parameter->kind == PARAMETER_SECRETS_MANAGER)
        return look_at_secret(in, parameter->target, true);
    if (parameter->kind != PARAMETER_SSM)
        return NULL; /* in the cluster: looked at before anything is switched (parameter_rehearse) */
    TRY(ssm_describe_parameter(in->aws, parameter->target, &description));
    preflight_ok(in, "it is there, a %s", description.type ? description.type : "String");
    return NULL;
}

static bool has_password_secret(const struct refresh_spec *spec, const struct database_spec *database)
{
    (void)spec;
    return database->kind == DATABASE_AURORA && database->aurora.password.from.secrets_manager_id;
}

static char *password_subject(const struct inspection *in)
{
    return xasprintf("secret %s", in->database->aurora.password.from.secrets_manager_id);
}

static struct err *look_at_password(const struct inspection *in)
{
    const struct password_spec *password = &in->database->aurora.password;

    return look_at_secret(in, password->from.secrets_manager_id, password->kind == PASSWORD_GENERATE);
}

/* --- applications --- */

static size_t application_count(const struct refresh_spec *spec, const struct database_spec *database)
{
    (void)database;
    return spec->application_count;
}

static char *application_subject(const struct inspection *in)
{
    const struct application_spec *application = &spec_of(in)->applications[in->index];

    return application->kind == APPLICATION_ECS_SERVICE
               ? xasprintf("ECS service %s/%s", application->cluster ? application->cluster : "default",
                           application->target)
               : xasprintf("workload %s", application->target);
}

static struct err *look_at_application(const struct inspection *in)
{
    const struct application_spec *application = &spec_of(in)->applications[in->index];
    AUTO_ECS_SERVICE struct ecs_service service = {0};

    if (application->kind != APPLICATION_ECS_SERVICE)
        return NULL;
    TRY(ecs_describe_service(in->aws, application->cluster, application->target, &service));
    if (text_equal(service.status, "ACTIVE"))
        preflight_ok(in, "it is there, %d of %d tasks run", service.running_count, service.desired_count);
    else
        preflight_fail(in, "it is %s: make it anew, or leave it out", service.status);
    return NULL;
}

// clang-format off
static const struct preflight_check checks[] = {
    {.name = "PasswordSecret", .side = SIDE_TARGET, .per_database = true, .is_optional = true,
     .applies = has_password_secret, .subject = password_subject, .look = look_at_password,
     .missing = "make the secret, or correct masterUserPassword"},
    {.name = "Proxy", .side = SIDE_TARGET, .of_switchover = true, .count = proxy_count, .subject = proxy_subject,
     .look = look_at_proxy, .missing = "make the proxy, or correct switchover.proxies"},
    {.name = "Parameter", .side = SIDE_TARGET, .of_switchover = true, .is_optional = true, .count = parameter_count,
     .subject = parameter_subject, .look = look_at_parameter,
     .missing = "make it with any value, or correct switchover.parameters"},
    {.name = "Application", .side = SIDE_TARGET, .of_switchover = true, .count = application_count,
     .subject = application_subject, .look = look_at_application,
     .missing = "make the service, or correct switchover.applications"},
};
// clang-format on

const struct preflight_table preflight_switchover = {.checks = checks, .count = COUNT_OF(checks)};
