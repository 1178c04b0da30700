#include "controller/pass.h"

#include <stdarg.h>

PRINTF_LIKE(2, 0) static struct outcome with_message(enum verdict verdict, const char *fmt, va_list args)
{
    return (struct outcome){.verdict = verdict, .message = xvasprintf(fmt, args)};
}

struct outcome outcome_done(const char *fmt, ...)
{
    struct outcome outcome;
    va_list args;

    va_start(args, fmt);
    outcome = with_message(VERDICT_DONE, fmt, args);
    va_end(args);
    return outcome;
}

struct outcome outcome_wait(int64_t after_ms, const char *fmt, ...)
{
    struct outcome outcome;
    va_list args;

    va_start(args, fmt);
    outcome = with_message(VERDICT_WAIT, fmt, args);
    va_end(args);
    outcome.after_ms = after_ms;
    return outcome;
}

struct outcome outcome_failed(const char *reason, const char *fmt, ...)
{
    struct outcome outcome;
    va_list args;

    va_start(args, fmt);
    outcome = with_message(VERDICT_FAILED, fmt, args);
    va_end(args);
    outcome.reason = xstrdup(reason);
    return outcome;
}

struct outcome outcome_retryable(const char *reason, const char *fmt, ...)
{
    struct outcome outcome;
    va_list args;

    va_start(args, fmt);
    outcome = with_message(VERDICT_FAILED, fmt, args);
    va_end(args);
    outcome.reason = xstrdup(reason);
    outcome.retryable = true;
    return outcome;
}

void outcome_warn(struct outcome *outcome, const char *reason, const char *text)
{
    xfree(outcome->warning_reason);
    xfree(outcome->warning);
    outcome->warning_reason = xstrdup(reason);
    outcome->warning = xstrdup(text);
}

void outcome_reset(struct outcome *outcome)
{
    xfree(outcome->warning_reason);
    xfree(outcome->warning);
    xfree(outcome->message);
    xfree(outcome->reason);
    *outcome = (struct outcome){0};
}

int64_t stage_age_ms(const struct stage *stage)
{
    return sched_elapsed_ms(stage->pass->env->sched, stage->row->start_ms);
}

void stage_started(struct stage *stage, const char *external_id)
{
    stage->row->state = STEP_RUNNING;
    text_replace(&stage->row->external_id, external_id);
}

struct err *pass_check_live(const struct pass *pass)
{
    const struct object_id id = {.kind = OBJECT_REFRESH, .namespace = pass->namespace, .name = pass->name};
    AUTO_JSON struct json *live = NULL;

    if (stop_requested(pass->env->stop))
        return err_new(ERR_CANCELED, "stopping");
    TRY(objects_read_live(pass->objects, pass->env, &id, &live));
    if (!live || !text_equal(json_get_text(live, "metadata.uid", ""), pass->uid))
        return err_new(ERR_CONFLICT, "the object is not there any more");
    if (json_at(live, "metadata.deletionTimestamp") && !json_at(pass->object, "metadata.deletionTimestamp"))
        return err_new(ERR_CONFLICT, "the object is being deleted");
    if (!text_equal(json_get_text(live, "status.run.id", ""), pass->status->run.id))
        return err_new(ERR_CONFLICT, "another run has begun");
    return NULL;
}
