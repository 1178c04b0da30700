/* Step Functions: STANDARD state machines whose executions take some time and end as the world file says. */
#include "hack/awssim/core.h"

struct execution {
    char *name, *arn, *input;
    int64_t start_ms;
};

struct machine {
    char *name, *arn;
    char *outcome; /* SUCCEEDED FAILED TIMED_OUT ABORTED */
    int64_t takes_ms;
    LIST(struct execution) executions;
};

struct states_state {
    struct machine **machines;
    size_t count;
};

#define INPUT_MAX (256 * KIB)
#define NAME_KEPT_MS DAYS(90) /* after its end an execution is forgotten, and its name is free again */

extern const struct service states_service;

static struct states_state *state_of(const struct account *account)
{
    return account_state(account, &states_service);
}

struct section {
    const struct json *machines;
};
static const struct load_field section_fields[] = {{.name = "stateMachines", .type = LOAD_LIST, .offset = 0}};
static const struct load_field machine_fields[] = {
    {.name = "name", .type = LOAD_TEXT, .offset = offsetof(struct machine, name), .required = true},
    {.name = "takes", .type = LOAD_DURATION, .offset = offsetof(struct machine, takes_ms)},
    {.name = "outcome",
     .type = LOAD_TEXT,
     .offset = offsetof(struct machine, outcome),
     .choices = "SUCCEEDED FAILED TIMED_OUT ABORTED"},
};

static struct err *states_load(const struct loader *loader, struct account *account, const struct json *node)
{
    struct states_state *state = state_of(account);
    struct section section = {0};

    if (node)
        TRY(load_fields(loader, node, section_fields, COUNT_OF(section_fields), &section));
    json_each (entry, section.machines) {
        struct machine *machine = xcalloc(1, sizeof(*machine));

        state->machines = xgrow(state->machines, state->count, sizeof(struct machine *));
        state->machines[state->count++] = machine;
        machine->takes_ms = MINUTES(5);
        TRY(load_fields(loader, entry, machine_fields, COUNT_OF(machine_fields), machine));
        if (!machine->outcome)
            machine->outcome = xstrdup("SUCCEEDED");
        machine->arn = account_arn(account, "states", "stateMachine:%s", machine->name);
    }
    return NULL;
}

static void machine_free(struct machine *machine)
{
    for (size_t i = 0; i < machine->executions.count; i++) {
        xfree(machine->executions.items[i].name);
        xfree(machine->executions.items[i].arn);
        xfree(machine->executions.items[i].input);
    }
    xfree(machine->executions.items);
    xfree(machine->name);
    xfree(machine->arn);
    xfree(machine->outcome);
    xfree(machine);
}

static void states_done(struct account *account)
{
    struct states_state *state = state_of(account);

    for (size_t i = 0; i < state->count; i++)
        machine_free(state->machines[i]);
    xfree(state->machines);
}

static const char *status_of(const struct machine *machine, const struct execution *execution, int64_t now_ms)
{
    return now_ms < execution->start_ms + machine->takes_ms ? "RUNNING" : machine->outcome;
}

static struct json *states_dump(struct account *account)
{
    const struct states_state *state = state_of(account);
    struct json *dump = json_new_object(), *executions = json_new_array();

    for (size_t i = 0; i < state->count; i++) {
        const struct machine *machine = state->machines[i];

        for (size_t k = 0; k < machine->executions.count; k++) {
            const struct execution *execution = &machine->executions.items[k];
            struct json *entry = json_new_object();

            json_set_text(entry, "stateMachine", machine->name);
            json_set_text(entry, "name", execution->name);
            json_set_text(entry, "input", execution->input);
            json_set_text(entry, "status", status_of(machine, execution, sim_now(account->sim)));
            json_append(executions, entry);
        }
    }
    json_set(dump, "executions", executions);
    return dump;
}

static struct machine *find_machine(const struct states_state *state, const char *arn)
{
    for (size_t i = 0; i < state->count; i++) {
        if (text_equal(state->machines[i]->arn, arn))
            return state->machines[i];
    }
    return NULL;
}

static bool is_forgotten(const struct machine *machine, const struct execution *execution, int64_t now_ms)
{
    return now_ms >= execution->start_ms + machine->takes_ms + NAME_KEPT_MS;
}

static struct execution *find_execution(const struct machine *machine, const char *name, int64_t now_ms)
{
    for (size_t i = 0; i < machine->executions.count; i++) {
        if (text_equal(machine->executions.items[i].name, name) &&
            !is_forgotten(machine, &machine->executions.items[i], now_ms))
            return &machine->executions.items[i];
    }
    return NULL;
}

static void answer_start(struct call *call, const struct execution *execution)
{
    json_set_text(call->out, "executionArn", execution->arn);
    json_set(call->out, "startDate", call_time(call, execution->start_ms));
}

/* The same name and input while it runs is the same execution; anything else under that name is refused. */
static bool answer_existing(struct call *call, const struct machine *machine, const struct execution *there)
{
    if (!text_equal(status_of(machine, there, call->now_ms), "RUNNING") ||
        !text_equal(there->input, call_text(call, "input")))
        return call_refuse(call, 400, "ExecutionAlreadyExists", "Execution Already Exists: '%s'", there->arn);
    answer_start(call, there);
    call_effect(call, EFFECT_REPLAYED, there->arn);
    return true;
}

static bool is_arn_of(const char *text, const char *kind)
{
    struct arn arn;

    return sim_arn_parse(text, &arn) && str_is(arn.service, "states") && str_starts(arn.resource, kind);
}

static bool is_json(const char *text)
{
    AUTO_JSON struct json *value = NULL;
    struct err *err = json_parse(str_of(text), NULL, &value);

    err_ignore(err, "the caller is told that it is none");
    return value != NULL;
}

static bool check_start(struct call *call)
{
    const char *arn = call_text(call, "stateMachineArn"), *name = call_text(call, "name");
    const char *input = call_text(call, "input");

    if (!is_arn_of(arn, "stateMachine:"))
        return call_refuse(call, 400, "InvalidArn", "Invalid Arn: '%s'", arn);
    if (name && (!*name || strlen(name) > 80 || strpbrk(name, " <>{}[]?*\"#%\\^|~`$&,;:/")))
        return call_refuse(call, 400, "InvalidName", "Invalid Name: '%s'", name);
    if (input && (strlen(input) > INPUT_MAX || !is_json(input)))
        return call_refuse(call, 400, "InvalidExecutionInput",
                           "Invalid State Machine Execution Input: '%.40s'", input);
    return true;
}

static bool start_execution(struct call *call)
{
    struct machine *machine = find_machine(call_state(call), call_text(call, "stateMachineArn"));
    const char *name = call_text(call, "name"), *input = call_text(call, "input");
    struct execution *execution;

    if (!check_start(call))
        return false;
    if (!machine)
        return call_refuse(call, 400, "StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'",
                           call_text(call, "stateMachineArn"));
    execution = name ? find_execution(machine, name, call->now_ms) : NULL;
    if (execution)
        return answer_existing(call, machine, execution);
    execution = LIST_ADD(machine->executions);
    execution->name = name ? xstrdup(name) : sim_new_uuid(call->sim);
    execution->arn = account_arn(call->account, "states", "execution:%s:%s", machine->name, execution->name);
    execution->input = xstrdup(input ? input : "{}");
    execution->start_ms = call->now_ms;
    answer_start(call, execution);
    call_effect(call, EFFECT_CREATED, execution->arn);
    return true;
}

static void answer_describe(const struct call *call, const struct machine *machine,
                            const struct execution *execution)
{
    const char *status = status_of(machine, execution, call->now_ms);

    json_set_text(call->out, "executionArn", execution->arn);
    json_set_text(call->out, "stateMachineArn", machine->arn);
    json_set_text(call->out, "name", execution->name);
    json_set_text(call->out, "status", status);
    json_set(call->out, "startDate", call_time(call, execution->start_ms));
    json_set_text(call->out, "input", execution->input);
    if (!text_equal(status, "RUNNING"))
        json_set(call->out, "stopDate", call_time(call, execution->start_ms + machine->takes_ms));
    if (text_equal(status, "SUCCEEDED"))
        json_set_text(call->out, "output", "{}");
    if (text_equal(status, "FAILED")) {
        json_set_text(call->out, "error", "States.TaskFailed");
        json_set_text(call->out, "cause", "the world file says that it fails");
    }
}

static bool describe_execution(struct call *call)
{
    const struct states_state *state = call_state(call);
    const char *arn = call_text(call, "executionArn");
    int64_t seen_ms = call->now_ms - sim_duration(call->sim, "states.visible");

    if (!is_arn_of(arn, "execution:"))
        return call_refuse(call, 400, "InvalidArn", "Invalid Arn: '%s'", arn);
    for (size_t i = 0; i < state->count; i++) {
        const struct machine *machine = state->machines[i];

        for (size_t k = 0; k < machine->executions.count; k++) {
            const struct execution *execution = &machine->executions.items[k];

            if (!text_equal(execution->arn, arn) || execution->start_ms > seen_ms ||
                is_forgotten(machine, execution, call->now_ms))
                continue;
            answer_describe(call, machine, execution);
            return true;
        }
    }
    return call_refuse(call, 400, "ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", arn);
}

static const struct operation operations[] = {
    {.name = "StartExecution",
     .handle = start_execution,
     .input = "stateMachineArn! name input traceHeader",
     .mutating = true},
    {.name = "DescribeExecution", .handle = describe_execution, .input = "executionArn! includedData"},
};

static const struct duration durations[] = {
    {.name = "states.visible", .default_ms = 0}, /* until DescribeExecution knows a new execution */
};

const struct service states_service = {
    .name = "states",
    .section = "states",
    .protocol = PROTOCOL_JSON,
    .target_prefix = "AWSStepFunctions",
    .json_version = "1.0",
    .missing_code = "ValidationException",
    .invalid_code = "ValidationException",
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .durations = durations,
    .duration_count = COUNT_OF(durations),
    .state_size = sizeof(struct states_state),
    .load = states_load,
    .dump = states_dump,
    .done = states_done,
};
