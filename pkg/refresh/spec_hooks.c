#include "pkg/base/times.h"
#include "pkg/refresh/spec_parts.h"

static const char *const on_failures[] = {"Stop", "Continue"};
static const char *const kinds[] = {
    [HOOK_CRON_JOB] = "cronJob",
    [HOOK_LAMBDA] = "lambda",
    [HOOK_STATE_MACHINE] = "stateMachine",
};

#define AT(member) offsetof(struct hook_spec, member)
/* clang-format off */
static const struct field hook_fields[] = {
    {.path = "name", .kind = FIELD_TEXT, .offset = AT(name), .required = true, .max = 32, .shape = &shape_label},
    {.path = "cronJob",             .kind = FIELD_OBJECT},
    {.path = "cronJob.name",        .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 52,
     .shape = &shape_subdomain},
    {.path = "lambda",              .kind = FIELD_OBJECT},
    {.path = "lambda.functionName", .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 193,
     .shape = &shape_function_name},
    {.path = "stateMachine",        .kind = FIELD_OBJECT},
    {.path = "stateMachine.name",   .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 80,
     .shape = &shape_aws_name},
    {DURATION_ROW("timeout", AT(timeout_ms), HOURS(1))},
    {.path = "onFailure", .kind = FIELD_ENUM, .offset = NOWHERE, .required = true, .names = NAMES(on_failures)},
};
/* clang-format on */
#undef AT

static struct err *check_hook(void *item, const struct json *value, const char *where)
{
    struct hook_spec *hook = item;
    size_t kind = 0;

    TRY(fields_one_of(value, where, &(struct names)NAMES(kinds), &kind));
    hook->kind = (enum hook_kind)kind;
    hook->stop_on_failure = text_equal(json_get_text(value, "onFailure", NULL), "Stop");
    return NULL;
}

const struct part hook_part = {
    .fields = hook_fields,
    .count = COUNT_OF(hook_fields),
    .size = sizeof(struct hook_spec),
    .key = "name",
    .check = check_hook,
};
