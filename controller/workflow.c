/* The life of a refresh on one screen. Downwards while there is work: the first step of a database that is
 * not done is acted on; databases advance side by side; the switchover begins when all are done, and the
 * entries of one of its steps advance side by side too. Undoing is the same tables read upwards. */
#include "controller/pass.h"
#include "controller/steps/gate.h"
#include "controller/steps/password.h"
#include "controller/steps/steps.h"

static int64_t backup_timeout(const struct timeouts *timeouts)
{
    return timeouts->backup_ms;
}

static int64_t copy_timeout(const struct timeouts *timeouts)
{
    return timeouts->copy_ms;
}

static int64_t restore_timeout(const struct timeouts *timeouts)
{
    return timeouts->restore_ms;
}

static int64_t switchover_timeout(const struct timeouts *timeouts)
{
    return timeouts->switchover_ms;
}

static size_t before_hook_count(const struct refresh_spec *spec)
{
    return spec->before_hook_count;
}

static const char *before_hook_name(const struct refresh_spec *spec, size_t index)
{
    return spec->before_hooks[index].name;
}

static size_t after_hook_count(const struct refresh_spec *spec)
{
    return spec->after_hook_count;
}

static const char *after_hook_name(const struct refresh_spec *spec, size_t index)
{
    return spec->after_hooks[index].name;
}

static size_t proxy_count(const struct refresh_spec *spec)
{
    return spec->proxy_count;
}

static const char *proxy_name(const struct refresh_spec *spec, size_t index)
{
    return spec->proxies[index].name;
}

static size_t parameter_count(const struct refresh_spec *spec)
{
    return spec->parameter_count;
}

static const char *parameter_name(const struct refresh_spec *spec, size_t index)
{
    return spec->parameters[index].name;
}

static size_t application_count(const struct refresh_spec *spec)
{
    return spec->application_count;
}

static const char *application_name(const struct refresh_spec *spec, size_t index)
{
    return spec->applications[index].name;
}

// clang-format off
static const struct step aurora_steps[] = {
    {.name = "Backup",    .repeat = REPEAT_TOKEN, .timeout_of = backup_timeout,  .weight = 15, .phase = "BackingUp",
     .intend = backup_intend_cluster, .act = backup_act},
    {.name = "Copy",      .repeat = REPEAT_TOKEN, .timeout_of = copy_timeout,    .weight = 35, .phase = "Copying",
     .intend = copy_intend,           .act = copy_act},
    {.name = "Restore",   .repeat = REPEAT_TOKEN, .timeout_of = restore_timeout, .weight = 30, .phase = "Restoring",
     .intend = restore_intend_cluster, .act = restore_act_cluster, .runs_out = true},
    {.name = "Instances", .repeat = REPEAT_NAME,  .timeout_ms = HOURS(2),        .weight = 14, .phase = "Preparing",
     .act = instances_act},
    {.name = "Settings",  .repeat = REPEAT_LOOK,  .timeout_ms = HOURS(1),        .weight = 3,  .phase = "Preparing",
     .intend = settings_intend_cluster, .act = settings_act_cluster},
    {.name = "Password",  .repeat = REPEAT_LOOK,  .timeout_ms = MINUTES(15),     .weight = 3,  .phase = "Preparing",
     .act = password_act},
};

static const struct step dynamodb_steps[] = {
    {.name = "Backup",   .repeat = REPEAT_TOKEN, .timeout_of = backup_timeout,  .weight = 15, .phase = "BackingUp",
     .intend = backup_intend_table,  .act = backup_act},
    {.name = "Copy",     .repeat = REPEAT_TOKEN, .timeout_of = copy_timeout,    .weight = 35, .phase = "Copying",
     .intend = copy_intend,          .act = copy_act},
    {.name = "Restore",  .repeat = REPEAT_TOKEN, .timeout_of = restore_timeout, .weight = 40, .phase = "Restoring",
     .intend = restore_intend_table, .act = restore_act_table, .runs_out = true},
    {.name = "Settings", .repeat = REPEAT_LOOK,  .timeout_ms = HOURS(2),        .weight = 10, .phase = "Preparing",
     .intend = settings_intend_table, .act = settings_act_table},
};

static const struct step switchover_steps[] = {
    {.name = "BeforeHooks",  .repeat = REPEAT_NAME, .phase = "RunningHooks", .in_order = true,
     .act = hook_act,
     .entry_count = before_hook_count, .entry_name = before_hook_name},
    {.name = "Approval",     .repeat = REPEAT_LOOK, .phase = "AwaitingApproval", .every_pass = true,
     .act = approval_act},
    {.name = "Window",       .repeat = REPEAT_LOOK, .phase = "AwaitingWindow",   .every_pass = true,
     .act = window_act},
    {.name = "Proxies",      .repeat = REPEAT_LOOK, .timeout_of = switchover_timeout, .phase = "SwitchingOver",
     .intend = proxy_intend,       .act = proxy_act,       .undo = proxy_undo,
     .entry_count = proxy_count,       .entry_name = proxy_name},
    {.name = "Passwords",    .repeat = REPEAT_LOOK, .timeout_of = switchover_timeout, .phase = "SwitchingOver",
     .intend = password_entry_intend, .act = password_entry_act, .undo = password_entry_undo,
     .entry_count = password_entry_count, .entry_name = password_entry_name},
    {.name = "Parameters",   .repeat = REPEAT_LOOK, .timeout_of = switchover_timeout, .phase = "SwitchingOver",
     .intend = parameter_intend,   .act = parameter_act,   .undo = parameter_undo, .rehearse = parameter_rehearse,
     .entry_count = parameter_count,   .entry_name = parameter_name},
    {.name = "Applications", .repeat = REPEAT_LOOK, .timeout_of = switchover_timeout, .phase = "SwitchingOver",
     .intend = application_intend, .act = application_act, .undo = application_undo, .undo_last = true,
     .rehearse = application_rehearse, .may_be_gone = true,
     .entry_count = application_count, .entry_name = application_name},
    {.name = "AfterHooks",   .repeat = REPEAT_NAME, .phase = "RunningHooks", .in_order = true,
     .act = hook_act,
     .entry_count = after_hook_count,  .entry_name = after_hook_name},
    {.name = "Retention",    .repeat = REPEAT_LOOK, .phase = "CleaningUp", .at_end = true,
     .intend = retention_intend,   .act = retention_act},
};

/* What differs between the kinds of database is one row here. */
static const struct step_table pipelines[] = {
    [DATABASE_AURORA]   = {.steps = aurora_steps,   .count = COUNT_OF(aurora_steps)},
    [DATABASE_DYNAMODB] = {.steps = dynamodb_steps, .count = COUNT_OF(dynamodb_steps)},
};
// clang-format on

static const struct step_table switchover = {.steps = switchover_steps, .count = COUNT_OF(switchover_steps)};

const struct step_table *workflow_pipeline(enum database_kind kind)
{
    return &pipelines[kind];
}

const struct step_table *workflow_switchover(void)
{
    return &switchover;
}

const struct step *workflow_switchover_step(const char *row_name)
{
    struct str rest = str_of(row_name), name = {0};

    str_cut(&rest, '/', &name);
    for (size_t i = 0; i < switchover.count; i++) {
        if (str_is(name, switchover.steps[i].name))
            return &switchover.steps[i];
    }
    return NULL;
}

static bool has_phase(const struct step_table *table, const char *text)
{
    for (size_t i = 0; i < table->count; i++) {
        if (text_equal(table->steps[i].phase, text))
            return true;
    }
    return false;
}

bool workflow_is_phase(const char *text)
{
    for (size_t i = 0; i < COUNT_OF(pipelines); i++) {
        if (has_phase(&pipelines[i], text))
            return true;
    }
    return has_phase(&switchover, text);
}

size_t workflow_entry_count(const struct step *step, const struct refresh_spec *spec)
{
    return step->entry_count ? step->entry_count(spec) : 1;
}

char *workflow_row_name(const struct step *step, const struct refresh_spec *spec, size_t index)
{
    if (!step->entry_name)
        return xstrdup(step->name);
    return xasprintf("%s/%s", step->name, step->entry_name(spec, index));
}
