#include "controller/notices.h"

#include "controller/rows.h"

struct change {
    struct refresh_status *before, *after;
    bool same_run;
};

/* --- the transitions --- */

static const struct step_status *row_named(const struct refresh_status *status, const char *name)
{
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        if (text_equal(status->switchover_steps[i].name, name))
            return &status->switchover_steps[i];
    }
    return NULL;
}

static bool awaits_approval(const struct refresh_status *status)
{
    const struct step_status *row = row_named(status, "Approval");

    return row && row->state == STEP_RUNNING;
}

/* Something that changes staging has been intended. */
static bool is_switching(const struct refresh_status *status)
{
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        const struct step_status *row = &status->switchover_steps[i];
        const struct step *step = workflow_switchover_step(row->name);

        if (step && step->undo && row->state != STEP_WAITING && row->state != STEP_SKIPPED)
            return true;
    }
    return false;
}

static bool is_true(struct refresh_status *status, const char *type)
{
    const struct condition *condition = status_condition(status, type);

    return condition && condition->status == CONDITION_TRUE;
}

static bool run_started(const struct change *change)
{
    return change->after->run.id && !change->same_run;
}

static bool run_retried(const struct change *change)
{
    return change->same_run && change->before->run.completion_ms && !change->after->run.completion_ms;
}

static bool now_awaits_approval(const struct change *change)
{
    return awaits_approval(change->after) && !(change->same_run && awaits_approval(change->before));
}

static bool now_switches(const struct change *change)
{
    return !change->after->run.completion_ms && is_switching(change->after) &&
           !(change->same_run && is_switching(change->before));
}

static bool now_puts_back(const struct change *change)
{
    return is_switching(change->after) && rows_switchover_failed(change->after) &&
           !(change->same_run && rows_switchover_failed(change->before));
}

static bool run_ended(const struct change *change)
{
    return change->after->run.completion_ms &&
           !(change->same_run && change->before->run.completion_ms == change->after->run.completion_ms);
}

static bool run_succeeded(const struct change *change)
{
    return run_ended(change) && is_true(change->after, "Succeeded");
}

static bool run_failed(const struct change *change)
{
    return run_ended(change) && !is_true(change->after, "Succeeded");
}

/* A failed run says so itself. */
static bool now_stalled(const struct change *change)
{
    return is_true(change->after, "Stalled") && !is_true(change->before, "Stalled") && !run_ended(change);
}

static bool now_drifted(const struct change *change)
{
    return is_true(change->after, "Drifted") && !is_true(change->before, "Drifted");
}

static const struct {
    bool (*has_happened)(const struct change *change);
    const char *condition; /* whose message says more */
} transitions[TRANSITION_COUNT] = {
    [TRANSITION_RUN_STARTED] = {.has_happened = run_started, .condition = "Ready"},
    [TRANSITION_RUN_RETRIED] = {.has_happened = run_retried, .condition = "Ready"},
    [TRANSITION_AWAITING] = {.has_happened = now_awaits_approval, .condition = "SwitchedOver"},
    [TRANSITION_SWITCHING] = {.has_happened = now_switches, .condition = "Ready"},
    [TRANSITION_PUTTING_BACK] = {.has_happened = now_puts_back, .condition = "SwitchedOver"},
    [TRANSITION_RUN_SUCCEEDED] = {.has_happened = run_succeeded, .condition = "Ready"},
    [TRANSITION_RUN_FAILED] = {.has_happened = run_failed, .condition = "Ready"},
    [TRANSITION_STALLED] = {.has_happened = now_stalled, .condition = "Stalled"},
    [TRANSITION_DRIFTED] = {.has_happened = now_drifted, .condition = "Drifted"},
};

/* --- recording --- */

/* Written in the patch that makes the transition: there is one such moment, and so one id. */
static char *id_of(const struct refresh_status *status, enum transition transition, int64_t now_ms)
{
    return xasprintf("%s.%s.%lld", status->run.id ? status->run.id : "none", transition_name(transition),
                     (long long)now_ms);
}

static bool add_notice(struct refresh_status *status, const struct refresh_spec *spec,
                       enum transition transition, int64_t now_ms)
{
    const struct condition *condition = status_condition(status, transitions[transition].condition);
    AUTO_FREE char *id = id_of(status, transition, now_ms);
    AUTO_FREE char *name = xstrdup(transition_name(transition));
    bool dropped;

    dropped = status_add_notice(status, &(struct notice){.id = id,
                                                         .transition = name,
                                                         .run_id = status->run.id,
                                                         .attempt = status->run.id ? status->run.attempt : 0,
                                                         .time_ms = now_ms,
                                                         .message = condition ? condition->message : NULL});
    for (size_t i = 0; i < spec->live.notification_count; i++) {
        if (notification_wants(&spec->live.notifications[i], transition))
            status_notice_pend(&status->notices[status->notice_count - 1], spec->live.notifications[i].name);
    }
    return dropped;
}

static bool somebody_wants(const struct refresh_spec *spec, enum transition transition)
{
    for (size_t i = 0; i < spec->live.notification_count; i++) {
        if (notification_wants(&spec->live.notifications[i], transition))
            return true;
    }
    return false;
}

size_t notices_record(struct refresh_status *before, struct refresh_status *after,
                      const struct refresh_spec *spec, int64_t now_ms, bool *ret_dropped)
{
    const struct change change = {
        .before = before,
        .after = after,
        .same_run = after->run.id && text_equal(before->run.id, after->run.id),
    };
    size_t count = 0;

    *ret_dropped = false;
    for (int i = 0; i < TRANSITION_COUNT; i++) {
        if (!somebody_wants(spec, (enum transition)i) || !transitions[i].has_happened(&change))
            continue;
        *ret_dropped = add_notice(after, spec, (enum transition)i, now_ms) || *ret_dropped;
        count++;
    }
    return count;
}

/* --- the event --- */

static struct json *data_of(const struct notice *notice, const struct notice_origin *origin)
{
    struct json *data = json_new_object();

    json_set_text(data, "transition", notice->transition);
    json_set_text(data, "namespace", origin->namespace);
    json_set_text(data, "name", origin->name);
    json_set_text(data, "uid", origin->uid);
    json_set_text(data, "series", origin->series);
    json_set_text(data, "runID", notice->run_id);
    if (notice->run_id)
        json_set_int(data, "attempt", notice->attempt);
    json_set_text(data, "message", notice->message);
    return data;
}

struct json *notice_event(const struct notice *notice, const struct notice_origin *origin)
{
    struct json *event = json_new_object();
    AUTO_FREE char *source = xasprintf("/stagingrefresh.dev/%s/namespaces/%s/stagingrefreshes/%s",
                                       text_is_empty(origin->installation) ? "local" : origin->installation,
                                       origin->namespace, origin->name);
    AUTO_FREE char *type = xasprintf("dev.stagingrefresh.%s", notice->transition);
    char time[TIME_TEXT_MAX];

    time_rfc3339_ms(notice->time_ms, time);
    json_set_text(event, "specversion", "1.0");
    json_set_text(event, "id", notice->id);
    json_set_text(event, "source", source);
    json_set_text(event, "type", type);
    json_set_text(event, "subject", notice->run_id);
    json_set_text(event, "time", time);
    json_set_text(event, "datacontenttype", "application/json");
    json_set(event, "data", data_of(notice, origin));
    return event;
}
