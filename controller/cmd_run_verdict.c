#include "controller/cmd_run.h"

#include "controller/names.h"

/* Refusals that only another file can change. Everything else may be settled in AWS. */
static const char *const input_reasons[] = {
    "InvalidSpec", "NeedsCluster",        "AccountNotFound", "AccountInvalid",   "AccountUsage",
    "SameAccount", "AccountUsedBothWays", "NotGranted",      "ApprovalRequired",
};

static const struct json *find_condition(const struct json *object, const char *type)
{
    json_each (condition, json_at(object, "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), type))
            return condition;
    }
    return NULL;
}

static bool is_true(const struct json *condition)
{
    return text_equal(json_get_text(condition, "status", ""), "True");
}

static bool lies_in_the_input(const struct json *stalled)
{
    for (size_t i = 0; i < COUNT_OF(input_reasons); i++) {
        if (text_equal(json_get_text(stalled, "reason", ""), input_reasons[i]))
            return true;
    }
    return false;
}

bool run_is_wanted(const struct json *object)
{
    const char *trigger = json_get_text(object, "spec.trigger", "");
    const struct json *request =
        json_member(json_at(object, "metadata.annotations"), ANNOTATION("run-requested"));

    if (!status_is_answered(json_get_text(object, "status.lastHandledTrigger", NULL), trigger))
        return true;
    return request && !status_is_answered(json_get_text(object, "status.lastHandledRequest", ""),
                                          json_get_text(request, NULL, ""));
}

struct run_verdict run_judge(const struct json *object, const char *before)
{
    const char *id = json_get_text(object, "status.run.id", "");
    bool has_ended = *id && !text_equal(id, before) && json_at(object, "status.run.completionTime");
    const struct json *stalled = find_condition(object, "Stalled");

    if (has_ended) {
        /* A trigger that changed in the meantime is answered by another run, at once. */
        if (run_is_wanted(object))
            return (struct run_verdict){0};
        return (struct run_verdict){
            .is_over = true, .code = is_true(find_condition(object, "Succeeded")) ? EXIT_DONE : EXIT_FAILED};
    }
    if (is_true(stalled))
        return (struct run_verdict){.is_over = true,
                                    .code = lies_in_the_input(stalled) ? EXIT_BAD_INPUT : EXIT_FAILED,
                                    .sentence = json_get_text(stalled, "message", "")};
    return (struct run_verdict){0};
}
