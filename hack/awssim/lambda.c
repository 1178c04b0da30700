/* Lambda: functions that can be invoked asynchronously. Nothing runs; each invocation is counted, and what
 * its payload said is kept for whoever asks for the world. */
#include "hack/awssim/core.h"

#define KEPT_INVOCATIONS 100
#define PAYLOAD_MAX MIB /* of an asynchronous invocation */

struct function {
    char *name, *arn;
    struct json *payloads; /* the latest ones */
    int64_t invocations;
};

struct lambda_state {
    LIST(struct function) functions;
};

extern const struct service lambda_service;

static struct lambda_state *state_of(const struct account *account)
{
    return account_state(account, &lambda_service);
}

struct function_entry {
    char *name;
};
static const struct load_field section_fields[] = {{.name = "functions", .type = LOAD_LIST, .offset = 0}};
static const struct load_field function_fields[] = {
    {.name = "name", .type = LOAD_TEXT, .offset = offsetof(struct function_entry, name), .required = true},
};

static struct err *lambda_load(const struct loader *loader, struct account *account,
                               const struct json *section)
{
    const struct json *functions = NULL;

    if (section)
        TRY(load_fields(loader, section, section_fields, COUNT_OF(section_fields), &functions));
    json_each (node, functions) {
        struct function_entry entry = {0};
        struct function *function;

        TRY(load_fields(loader, node, function_fields, COUNT_OF(function_fields), &entry));
        function = LIST_ADD(state_of(account)->functions);
        function->name = entry.name;
        function->arn = account_arn(account, "lambda", "function:%s", entry.name);
        function->payloads = json_new_array();
    }
    return NULL;
}

static void lambda_done(struct account *account)
{
    struct lambda_state *state = state_of(account);

    for (size_t i = 0; i < state->functions.count; i++) {
        xfree(state->functions.items[i].name);
        xfree(state->functions.items[i].arn);
        json_free(state->functions.items[i].payloads);
    }
    xfree(state->functions.items);
}

static struct json *lambda_dump(struct account *account)
{
    const struct lambda_state *state = state_of(account);
    struct json *dump = json_new_object(), *functions = json_new_array();

    for (size_t i = 0; i < state->functions.count; i++) {
        struct json *function = json_new_object();

        json_set_text(function, "name", state->functions.items[i].name);
        json_set_int(function, "invocations", state->functions.items[i].invocations);
        json_set_copy(function, "payloads", state->functions.items[i].payloads);
        json_append(functions, function);
    }
    json_set(dump, "functions", functions);
    return dump;
}

static bool is_or_has_qualifier(struct str given, const char *name)
{
    return str_starts(given, name) && (given.len == strlen(name) || given.ptr[strlen(name)] == ':');
}

/* By name, or by ARN, either with the name of a version behind it: this world has all of them. */
static struct function *find_function(const struct lambda_state *state, const char *name)
{
    for (size_t i = 0; i < state->functions.count; i++) {
        if (is_or_has_qualifier(str_of(name), state->functions.items[i].name) ||
            is_or_has_qualifier(str_of(name), state->functions.items[i].arn))
            return &state->functions.items[i];
    }
    return NULL;
}

static const char *invocation_type(const struct call *call)
{
    for (size_t i = 0; i < call->request->header_count; i++) {
        if (str_equal_nocase(str_of(call->request->headers[i].name), STR("x-amz-invocation-type")))
            return call->request->headers[i].value;
    }
    return "RequestResponse";
}

static bool invoke(struct call *call)
{
    struct function *function = find_function(call_state(call), call_text(call, "FunctionName"));
    struct json *payload = NULL;

    if (!function)
        return call_refuse(call, 404, "ResourceNotFoundException", "Function not found: %s",
                           call_text(call, "FunctionName"));
    if (!text_equal(invocation_type(call), "Event"))
        return call_refuse(call, 400, "InvalidParameterValueException",
                           "this world runs no functions: only invocation type Event is known here");
    if (call->request->body.len > PAYLOAD_MAX)
        return call_refuse(call, 413, "RequestTooLargeException",
                           "Request must be smaller than %d bytes for the InvokeFunction operation",
                           PAYLOAD_MAX);
    if (call->request->body.len)
        err_ignore(json_parse(call->request->body, NULL, &payload), "the framework has read it before");
    payload = payload ? payload : json_new_object();
    if (json_count(function->payloads) == KEPT_INVOCATIONS)
        json_remove_item(function->payloads, 0);
    json_append(function->payloads, payload);
    function->invocations++;
    call_effect(call, EFFECT_CREATED, function->arn);
    call_payload(call, 202, "application/json", (struct str){0});
    return true;
}

static const struct operation operations[] = {
    {.name = "Invoke",
     .handle = invoke,
     .method = "POST",
     .path = "/2015-03-31/functions/{FunctionName}/invocations",
     .action = "lambda:InvokeFunction",
     .input = "FunctionName! Qualifier:text",
     .mutating = true},
};

const struct service lambda_service = {
    .name = "lambda",
    .section = "lambda",
    .protocol = PROTOCOL_REST,
    .malformed_code = "InvalidRequestContentException",
    .free_body = true,
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .state_size = sizeof(struct lambda_state),
    .load = lambda_load,
    .dump = lambda_dump,
    .done = lambda_done,
};
