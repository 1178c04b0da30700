#include "controller/plan.h"

#include "controller/names.h"
#include "controller/pace.h"

#define RUN "<run>" /* stands for the run's id in names that are made of it */

struct telling {
    const struct refresh_spec *spec;
    const struct accounts *accounts;
    const struct database_spec *database; /* pipeline */
    size_t index;                         /* switchover */
};

typedef char *tell_fn(const struct telling *t);

static bool is_aurora(const struct telling *t)
{
    return t->database->kind == DATABASE_AURORA;
}

static const char *noun(const struct telling *t)
{
    return is_aurora(t) ? "cluster" : "table";
}

static const char *source_name(const struct telling *t)
{
    return is_aurora(t) ? t->database->aurora.cluster_identifier : t->database->dynamodb.table_name;
}

static char *copy_name(const struct telling *t)
{
    return name_copy(is_aurora(t) ? t->database->aurora.identifier_prefix
                                  : t->database->dynamodb.table_name_prefix,
                     RUN, 1);
}

/* --- the pipeline --- */

static char *tell_backup(const struct telling *t)
{
    const struct account *source = t->accounts->source, *target = t->accounts->target;

    if (t->database->from == FROM_NEW)
        return xasprintf("backs up %s %s into vault %s", noun(t), source_name(t), source->vault_name);
    return xasprintf("takes the newest recovery point of %s %s from vault %s", noun(t), source_name(t),
                     t->database->from == FROM_SOURCE_VAULT ? source->vault_name : target->vault_name);
}

static char *tell_copy(const struct telling *t)
{
    if (t->database->from == FROM_TARGET_VAULT)
        return xstrdup("nothing: the recovery point is in the target's vault already");
    return xasprintf("copies the recovery point into vault %s of account %s", t->accounts->target->vault_name,
                     t->accounts->target->account_id);
}

static char *tell_restore(const struct telling *t)
{
    AUTO_FREE char *copy = copy_name(t);

    if (!is_aurora(t))
        return xasprintf("restores table %s", copy);
    return xasprintf("restores cluster %s into subnet group %s", copy, t->database->aurora.db_subnet_group);
}

static char *tell_instances(const struct telling *t)
{
    AUTO_FREE char *copy = copy_name(t);
    AUTO_BUF struct buf text = BUF_MAX(8 * KIB);

    for (size_t i = 0; i < t->database->aurora.instance_count; i++)
        buf_addf(&text, "%s%s-%s (%s)", i ? ", " : "makes ", copy, t->database->aurora.instances[i].name,
                 t->database->aurora.instances[i].class);
    return buf_take(&text);
}

static char *tell_settings(const struct telling *t)
{
    static const char *const models[] = {[SETTINGS_NONE] = "",
                                         [SETTINGS_PREVIOUS_COPY] = ", the rest as the previous copy has it",
                                         [SETTINGS_SOURCE] = ", the rest as the source has it"};

    return xasprintf("tags the copy and sets what the spec says%s",
                     is_aurora(t) ? "" : models[t->database->dynamodb.settings_from]);
}

static char *tell_password(const struct telling *t)
{
    const struct password_spec *password = &t->database->aurora.password;
    const char *secret =
        password->from.secrets_manager_id ? password->from.secrets_manager_id : password->from.secret_name;

    if (password->kind == PASSWORD_RDS_MANAGED)
        return xstrdup("lets RDS keep the master password in a secret of its own");
    return xasprintf("resets the master password to %s in secret %s",
                     password->kind == PASSWORD_GENERATE ? "a new one, kept" : "the one", secret);
}

/* --- the switchover --- */

static char *tell_hook(const struct hook_spec *hook)
{
    static const char *const nouns[] = {[HOOK_CRON_JOB] = "a Job of CronJob",
                                        [HOOK_LAMBDA] = "function",
                                        [HOOK_STATE_MACHINE] = "state machine"};

    return xasprintf("runs %s %s; a failure %s", nouns[hook->kind], hook->target,
                     hook->stop_on_failure ? "ends the run" : "is only told");
}

static char *tell_before_hook(const struct telling *t)
{
    return tell_hook(&t->spec->before_hooks[t->index]);
}

static char *tell_after_hook(const struct telling *t)
{
    return tell_hook(&t->spec->after_hooks[t->index]);
}

static char *tell_approval(const struct telling *t)
{
    return xstrdup(t->spec->live.policy == POLICY_AUTOMATIC ? "nothing: policy Automatic needs no approval"
                                                            : "waits until somebody approves");
}

static char *tell_window(const struct telling *t)
{
    const struct window_spec *window = &t->spec->live.window;

    if (!window->present)
        return xstrdup("nothing: no window is set");
    return xasprintf("waits for the window, from %02d:%02d to %02d:%02d %s", window->from_minute / 60,
                     window->from_minute % 60, window->to_minute / 60, window->to_minute % 60,
                     window->time_zone ? window->time_zone : "UTC");
}

static char *tell_proxy(const struct telling *t)
{
    const struct proxy_spec *proxy = &t->spec->proxies[t->index];
    struct telling copied = *t;
    AUTO_FREE char *copy = NULL;

    copied.database = refresh_database(t->spec, proxy->database);
    copy = copy_name(&copied);
    return xasprintf("points proxy %s at cluster %s", proxy->name, copy);
}

static char *tell_switched_password(const struct telling *t)
{
    (void)t;
    return xstrdup("makes the new password the present one in its secret");
}

static char *tell_parameter(const struct telling *t)
{
    static const char *const nouns[] = {[PARAMETER_SSM] = "SSM parameter",
                                        [PARAMETER_SECRETS_MANAGER] = "secret",
                                        [PARAMETER_CONFIG_MAP] = "ConfigMap",
                                        [PARAMETER_SECRET] = "Secret"};
    const struct parameter_spec *parameter = &t->spec->parameters[t->index];

    return xasprintf("sets %s%s of %s %s to %s", parameter->key ? "key " : "the value",
                     parameter->key ? parameter->key : "", nouns[parameter->kind], parameter->target,
                     parameter->value);
}

static char *tell_application(const struct telling *t)
{
    static const char *const nouns[] = {[APPLICATION_DEPLOYMENT] = "Deployment",
                                        [APPLICATION_STATEFUL_SET] = "StatefulSet",
                                        [APPLICATION_DAEMON_SET] = "DaemonSet",
                                        [APPLICATION_ECS_SERVICE] = "ECS service"};
    const struct application_spec *application = &t->spec->applications[t->index];

    return xasprintf("restarts %s %s", nouns[application->kind], application->target);
}

static char *tell_retention(const struct telling *t)
{
    const struct retention *retention = &t->spec->live.retention;

    return xasprintf("deletes what is kept no longer: %lld previous and %lld failed copies and %lld recovery "
                     "points stay",
                     (long long)retention->previous_copies, (long long)retention->failed_copies,
                     (long long)retention->recovery_points);
}

enum where { IN_SOURCE, IN_TARGET, NOWHERE };

static const struct {
    const char *step;
    enum where where;
    tell_fn *tell;
} rows[] = {
    {"Backup", IN_SOURCE, tell_backup},
    {"Copy", IN_SOURCE, tell_copy},
    {"Restore", IN_TARGET, tell_restore},
    {"Instances", IN_TARGET, tell_instances},
    {"Settings", IN_TARGET, tell_settings},
    {"Password", IN_TARGET, tell_password},
    {"BeforeHooks", NOWHERE, tell_before_hook},
    {"Approval", NOWHERE, tell_approval},
    {"Window", NOWHERE, tell_window},
    {"Proxies", IN_TARGET, tell_proxy},
    {"Passwords", IN_TARGET, tell_switched_password},
    {"Parameters", NOWHERE, tell_parameter},
    {"Applications", NOWHERE, tell_application},
    {"AfterHooks", NOWHERE, tell_after_hook},
    {"Retention", NOWHERE, tell_retention},
};

static const struct account *account_at(const struct telling *t, enum where where)
{
    const struct account *source = t->accounts->source, *target = t->accounts->target;

    if (where == NOWHERE)
        return NULL;
    if (t->database && t->database->from == FROM_TARGET_VAULT)
        return target;
    return where == IN_SOURCE ? source : target;
}

static void add_step(struct json *steps, const struct telling *t, const char *row_name, const char *step_name,
                     int64_t expected_ms)
{
    struct json *entry = json_new_object();

    if (t->database)
        json_set_text(entry, "database", t->database->name);
    json_set_text(entry, "step", row_name);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *does = NULL;
        const struct account *account;

        if (!text_equal(rows[i].step, step_name))
            continue;
        does = rows[i].tell(t);
        account = account_at(t, rows[i].where);
        json_set_text(entry, "account", account ? account->account_id : NULL);
        json_set_text(entry, "does", does);
    }
    if (expected_ms)
        json_set_int(entry, "expectedSeconds", expected_ms / 1000);
    json_append(steps, entry);
}

static int64_t expected_ms(const struct refresh_status *status, const char *database, const char *row)
{
    return status ? pace_remembered_ms(status, database, row) : 0;
}

/* Gives how long it took the last time. */
static int64_t add_pipeline(struct json *steps, const struct telling *t, const struct refresh_status *status)
{
    const struct step_table *pipeline = workflow_pipeline(t->database->kind);
    int64_t sum_ms = 0;

    for (size_t i = 0; i < pipeline->count; i++) {
        const char *name = pipeline->steps[i].name;
        int64_t step_ms = expected_ms(status, t->database->name, name);

        add_step(steps, t, name, name, step_ms);
        sum_ms += step_ms;
    }
    return sum_ms;
}

static int64_t add_switchover(struct json *steps, struct telling t, const struct refresh_status *status)
{
    const struct step_table *switchover = workflow_switchover();
    int64_t sum_ms = 0;

    for (size_t i = 0; i < switchover->count; i++) {
        int64_t longest_ms = 0;

        for (t.index = 0; t.index < workflow_entry_count(&switchover->steps[i], t.spec); t.index++) {
            AUTO_FREE char *row = workflow_row_name(&switchover->steps[i], t.spec, t.index);
            int64_t row_ms = expected_ms(status, NULL, row);

            add_step(steps, &t, row, switchover->steps[i].name, row_ms);
            longest_ms = row_ms > longest_ms ? row_ms : longest_ms;
        }
        sum_ms += longest_ms;
    }
    return sum_ms;
}

struct json *plan_make(const struct refresh_spec *spec, const struct accounts *accounts,
                       const struct refresh_status *status)
{
    struct telling t = {.spec = spec, .accounts = accounts};
    struct json *plan = json_new_object(), *steps = json_new_array();
    int64_t longest_ms = 0;

    for (size_t i = 0; i < spec->database_count; i++) {
        int64_t pipeline_ms;

        t.database = &spec->databases[i];
        pipeline_ms = add_pipeline(steps, &t, status);
        longest_ms = pipeline_ms > longest_ms ? pipeline_ms : longest_ms;
    }
    t.database = NULL;
    longest_ms += add_switchover(steps, t, status);
    json_set(plan, "steps", steps);
    if (longest_ms)
        json_set_int(plan, "expectedSeconds", longest_ms / 1000);
    return plan;
}

bool plan_knows(const char *step)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (text_equal(rows[i].step, step))
            return true;
    }
    return false;
}
