#include "controller/transitions.h"

#include "controller/pass.h"
#include "pkg/base/log.h"
#include "pkg/refresh/status.h"

struct telling {
    struct objects *objects;
    const struct env *env;
    const struct json *object; /* as it was before */
    const struct json *before, *after;
    bool ends_run; /* by this write */
};

/* --- conditions --- */

struct kind {
    const char *type;
    const char *bad;     /* the status that is a warning; NULL: none is */
    bool is_of_run;      /* told by the run's end */
    bool message_counts; /* it says of what */
    bool sums_up;        /* another of the same reason says more */
    const char *event;   /* the reason of the event; NULL: that of the condition */
};

// clang-format off
static const struct kind kinds[] = {
    {.type = "Ready",                .bad = "False", .is_of_run = true, .sums_up = true},
    {.type = "Reconciling",                          .is_of_run = true, .sums_up = true},
    {.type = "Stalled",              .bad = "True",  .is_of_run = true, .sums_up = true},
    {.type = "Succeeded",            .bad = "False", .is_of_run = true, .sums_up = true},
    {.type = "Restored",                             .is_of_run = true},
    {.type = "SwitchedOver",                         .is_of_run = true},
    {.type = "PreflightPassed",      .bad = "False"},
    {.type = "Drifted",              .bad = "True",  .message_counts = true, .event = "Drifted"},
    {.type = "NotificationsFailing", .bad = "True",  .message_counts = true},
    {.type = "EventQueue",           .bad = "False"},
};

/* How a run begins: told by who begins it. */
static const char *const beginnings[][2] = {{"Restored", "InProgress"}, {"SwitchedOver", "NotYet"}};
// clang-format on

static const struct kind *kind_of(const struct json *condition)
{
    static const struct kind other = {.type = ""};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (text_equal(kinds[i].type, json_get_text(condition, "type", "")))
            return &kinds[i];
    }
    return &other;
}

static const struct json *same_type(const struct json *status, const struct json *condition)
{
    json_each (other, json_member(status, "conditions")) {
        if (text_equal(json_get_text(other, "type", ""), json_get_text(condition, "type", "")))
            return other;
    }
    return NULL;
}

static bool is_same(const struct json *a, const struct json *b, const char *member)
{
    return text_equal(json_get_text(a, member, ""), json_get_text(b, member, ""));
}

static bool has_changed(const struct telling *telling, const struct json *condition)
{
    const struct json *before = same_type(telling->before, condition);

    return !before || !is_same(before, condition, "status") || !is_same(before, condition, "reason") ||
           (kind_of(condition)->message_counts && !is_same(before, condition, "message"));
}

static bool is_told_otherwise(const struct telling *telling, const struct json *condition)
{
    for (size_t i = 0; i < COUNT_OF(beginnings); i++) {
        if (text_equal(json_get_text(condition, "type", ""), beginnings[i][0]) &&
            text_equal(json_get_text(condition, "reason", ""), beginnings[i][1]))
            return true;
    }
    if (kind_of(condition)->sums_up && workflow_is_phase(json_get_text(condition, "reason", "")))
        return true; /* the steps that begin and end, and the gate, say more */
    return telling->ends_run && kind_of(condition)->is_of_run;
}

static bool is_news(const struct telling *telling, const struct json *condition)
{
    return has_changed(telling, condition) && !is_told_otherwise(telling, condition);
}

static enum log_level level_of(const struct json *condition)
{
    const struct kind *kind = kind_of(condition);

    if (!kind->bad || !text_equal(kind->bad, json_get_text(condition, "status", "")))
        return LOG_LEVEL_INFO;
    return text_equal(kind->type, "Stalled") ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN;
}

static void tell(const struct telling *telling, enum log_level level, const char *what, const char *reason,
                 const char *message)
{
    AUTO_FREE char *request = condition_request(message);

    LOG_AT(telling->env->log, level, "transition", KV("what", what), KV("reason", reason),
           KV("message", message), KV_IF("request", request));
    objects_emit(telling->objects, telling->env, telling->object,
                 level >= LOG_LEVEL_WARN ? EVENT_WARNING : EVENT_NORMAL, reason, message);
}

/* One for all that have changed and give this reason; the one that says most tells it. */
static void tell_condition(const struct telling *telling, const struct json *condition)
{
    const struct kind *kind = kind_of(condition);
    const char *reason = json_get_text(condition, "reason", "");
    enum log_level level = LOG_LEVEL_DEBUG;
    AUTO_BUF struct buf what = BUF_MAX(512);
    const struct json *teller = NULL;

    json_each (other, json_member(telling->after, "conditions")) {
        if (!text_equal(json_get_text(other, "reason", ""), reason) || !is_news(telling, other))
            continue;
        if (!teller || (kind_of(teller)->sums_up && !kind_of(other)->sums_up))
            teller = other;
        level = level_of(other) > level ? level_of(other) : level;
        buf_addf(&what, "%s%s=%s", what.len ? " " : "", json_get_text(other, "type", ""),
                 json_get_text(other, "status", ""));
    }
    if (teller == condition)
        tell(telling, level, buf_text(&what), kind->event ? kind->event : reason,
             json_get_text(condition, "message", ""));
}

/* Reconciling goes with whatever comes in its place. */
static void tell_gone(const struct telling *telling, const struct json *condition)
{
    const char *type = json_get_text(condition, "type", "");
    AUTO_FREE char *reason = xasprintf("%sOver", type);
    AUTO_FREE char *message = xasprintf("No longer so: %s", json_get_text(condition, "message", ""));

    if (text_equal(type, "Reconciling") || same_type(telling->after, condition) ||
        is_told_otherwise(telling, condition))
        return;
    tell(telling, LOG_LEVEL_INFO, type, reason, message);
}

/* --- the end of a run --- */

static const struct json *named_condition(const struct json *status, const char *type)
{
    json_each (condition, json_member(status, "conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), type))
            return condition;
    }
    return NULL;
}

static bool ends_run(const struct telling *telling)
{
    const struct json *succeeded = named_condition(telling->after, "Succeeded");

    return succeeded && !text_equal(json_get_text(succeeded, "status", ""), "Unknown") &&
           has_changed(telling, succeeded);
}

static void tell_end(const struct telling *telling)
{
    const struct json *ready = named_condition(telling->after, "Ready");
    const struct json *succeeded = named_condition(telling->after, "Succeeded");
    bool is_good = text_equal(json_get_text(succeeded, "status", ""), "True");
    const char *reason = json_get_text(ready, "reason", "");
    AUTO_FREE char *what = is_good ? xstrdup("Ready=True") : xasprintf("Ready=False, %s", reason);

    tell(telling, is_good ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, what, is_good ? reason : "RunFailed",
         json_get_text(ready, "message", ""));
}

/* --- steps --- */

static const struct json *named_row(const struct json *rows, const char *name)
{
    json_each (row, rows) {
        if (text_equal(json_get_text(row, "name", ""), name))
            return row;
    }
    return NULL;
}

static bool is_under_way(const struct json *row)
{
    const char *state = json_get_text(row, "state", "");

    return text_equal(state, step_state_name(STEP_INTENDED)) ||
           text_equal(state, step_state_name(STEP_RUNNING));
}

static void tell_rows(const struct telling *telling, const char *subject, const struct json *before,
                      const struct json *after)
{
    json_each (row, after) {
        const char *name = json_get_text(row, "name", "");
        const struct json *old = named_row(before, name);
        int64_t attempt = json_get_int(row, "attempt", 1);
        AUTO_FREE char *reason = NULL;
        AUTO_FREE char *note = NULL;

        if (!is_under_way(row) || (is_under_way(old) && json_get_int(old, "attempt", 1) == attempt))
            continue;
        reason = xasprintf("%.*sStarted", (int)strcspn(name, "/"), name);
        note = attempt > 1 ? xasprintf("%s: %s: attempt %lld begins", subject, name, (long long)attempt)
                           : xasprintf("%s: %s begins", subject, name);
        tell(telling, LOG_LEVEL_INFO, "step", reason, note);
    }
}

static void tell_steps(const struct telling *telling)
{
    json_each (database, json_member(telling->after, "databases")) {
        const char *name = json_get_text(database, "name", "");

        tell_rows(telling, name,
                  json_member(named_row(json_member(telling->before, "databases"), name), "steps"),
                  json_member(database, "steps"));
    }
    tell_rows(telling, "switchover", json_at(telling->before, "switchover.steps"),
              json_at(telling->after, "switchover.steps"));
}

void transitions_tell(struct objects *objects, const struct env *env, const struct json *object,
                      const struct json *status)
{
    struct telling telling = {.objects = objects,
                              .env = env,
                              .object = object,
                              .before = json_member(object, "status"),
                              .after = status};

    telling.ends_run = ends_run(&telling);
    tell_steps(&telling);
    json_each (condition, json_member(telling.before, "conditions"))
        tell_gone(&telling, condition);
    json_each (condition, json_member(status, "conditions"))
        tell_condition(&telling, condition);
    if (telling.ends_run)
        tell_end(&telling);
}
