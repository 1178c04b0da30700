/* Fields that need a cluster. */
#include "pkg/refresh/spec_parts.h"

static const char *const cluster_parameters[] = {
    [PARAMETER_SSM] = NULL,
    [PARAMETER_SECRETS_MANAGER] = NULL,
    [PARAMETER_CONFIG_MAP] = "configMap",
    [PARAMETER_SECRET] = "secret",
};

static const char *const cluster_applications[] = {
    [APPLICATION_DEPLOYMENT] = "deployment",
    [APPLICATION_STATEFUL_SET] = "statefulSet",
    [APPLICATION_DAEMON_SET] = "daemonSet",
    [APPLICATION_ECS_SERVICE] = NULL,
};

static void add_field(struct buf *out, bool *any, const char *list, const char *name, const char *member)
{
    if (!member)
        return;
    buf_addf(out, "%sspec.%s[%s].%s", *any ? ", " : "", list, name, member);
    *any = true;
}

static void add_databases(const struct refresh_spec *spec, struct buf *out, bool *any)
{
    for (size_t i = 0; i < spec->database_count; i++) {
        const struct database_spec *database = &spec->databases[i];
        const struct password_spec *password = &database->aurora.password;

        if (database->kind == DATABASE_AURORA && password->from.secret_name)
            add_field(out, any, "databases", database->name,
                      password->kind == PASSWORD_GENERATE ? "aurora.masterUserPassword.generate.secret"
                                                          : "aurora.masterUserPassword.fromSecret.secret");
    }
}

static void add_hooks(const struct hook_spec *hooks, size_t count, const char *list, struct buf *out,
                      bool *any)
{
    for (size_t i = 0; i < count; i++)
        add_field(out, any, list, hooks[i].name, hooks[i].kind == HOOK_CRON_JOB ? "cronJob" : NULL);
}

bool refresh_needs_cluster(const struct refresh_spec *spec, struct buf *ret_fields)
{
    bool any = false;

    add_databases(spec, ret_fields, &any);
    add_hooks(spec->before_hooks, spec->before_hook_count, "hooks.beforeSwitchover", ret_fields, &any);
    add_hooks(spec->after_hooks, spec->after_hook_count, "hooks.afterSwitchover", ret_fields, &any);
    for (size_t i = 0; i < spec->parameter_count; i++)
        add_field(ret_fields, &any, "switchover.parameters", spec->parameters[i].name,
                  cluster_parameters[spec->parameters[i].kind]);
    for (size_t i = 0; i < spec->application_count; i++)
        add_field(ret_fields, &any, "switchover.applications", spec->applications[i].name,
                  cluster_applications[spec->applications[i].kind]);
    return any;
}
