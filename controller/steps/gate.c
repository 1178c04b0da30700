/* Gates: what the switchover waits for. They look at nothing but the object and the clock, so they cost
 * nothing and are looked at in every pass; what they ask for is live, and an edit counts at once. */
#include "controller/steps/gate.h"

#include "controller/names.h"
#include "controller/window.h"

#define OPENING_LOOK_MS SECONDS(1) /* no look sooner, whatever the clocks say */

static const struct live_spec *live_of(const struct pass *pass)
{
    return pass->live ? &pass->live->live : &pass->spec->live;
}

/* --- approval --- */

static const char *annotation_of(const struct pass *pass, const char *name)
{
    return json_get_text(json_member(json_at(pass->object, "metadata.annotations"), name), NULL, "");
}

/* The command that approves, ready to be pasted. Without a cluster whoever runs the program is asked. */
static char *approve_command(const struct pass *pass)
{
    AUTO_FREE char *value = status_approval(pass->status);

    if (!pass->objects->grants_apply)
        return xstrdup("answer on the terminal, or run the same command with --approve");
    return xasprintf(
        "kubectl annotate stagingrefresh %s -n %s --overwrite " ANNOTATION("approve") "=%s " ANNOTATION(
            "approved-by") "=\"$(kubectl auth whoami -o jsonpath='{.status.userInfo.username}')\"",
        pass->name, pass->namespace, value);
}

/* An earlier attempt's copies may have been looked at before it was approved; those that are restored since
 * were not. */
static bool names_run(const struct stage *stage, const char *approved)
{
    const struct refresh_status *status = stage->pass->status;
    AUTO_FREE char *exact = status_approval(status);

    return text_equal(approved, exact) ||
           (!step_evidence(stage->row, EVIDENCE_NEW_COPY) && text_equal(approved, status->run.id));
}

/* Somebody has approved, but not this: why it does not count; NULL: nobody has. Yours. */
static char *refusal_of(const struct stage *stage)
{
    const char *approved = annotation_of(stage->pass, ANNOTATION("approve"));
    AUTO_FREE char *exact = status_approval(stage->pass->status);

    if (!*approved)
        return NULL;
    if (!names_run(stage, approved))
        return xasprintf("the approval of \"%.80s\" does not count: this run is %s", approved, exact);
    return xasprintf(
        "the approval does not count without " ANNOTATION("approved-by") ", the name of who approves");
}

static bool is_approved(const struct stage *stage)
{
    return names_run(stage, annotation_of(stage->pass, ANNOTATION("approve"))) &&
           *annotation_of(stage->pass, ANNOTATION("approved-by"));
}

static void take_approval(struct pass *pass, struct outcome *out)
{
    text_replace(&pass->status->run.approved_by, annotation_of(pass, ANNOTATION("approved-by")));
    pass->status->run.approval_ms = pass->now_ms;
    *out = outcome_done("approved by %s", pass->status->run.approved_by);
}

/* The policy is live, and so is what the platform team requires: the target may have come to require it since
 * the run began, or the policy was changed to get round it. */
static bool is_required(const struct pass *pass)
{
    return pass->objects->grants_apply && account_requires_approval(pass->target_account, pass->namespace);
}

/* Why the policy does not let it through; NULL: it asks for approval itself. Yours. */
static char *overruled_policy(const struct pass *pass)
{
    if (live_of(pass)->policy != POLICY_AUTOMATIC)
        return NULL;
    return xasprintf("policy Automatic does not count, for AWSAccount %s requires approval for namespace %s",
                     pass->target_account->name, pass->namespace);
}

/* Each refused value is told once. */
static void tell_refusal(struct stage *stage, const char *refusal, struct outcome *out)
{
    if (text_equal(step_evidence(stage->row, "refused"), refusal))
        return;
    step_set_evidence(stage->row, "refused", refusal);
    if (refusal)
        outcome_warn(out, "ApprovalRefused", refusal);
}

static void await_approval(struct stage *stage, struct outcome *out)
{
    AUTO_FREE char *command = approve_command(stage->pass);
    AUTO_FREE char *refusal = refusal_of(stage);
    AUTO_FREE char *overruled = overruled_policy(stage->pass);
    int64_t left_ms = live_of(stage->pass)->timeouts.approval_ms - stage_age_ms(stage);
    char left[TIME_TEXT_MAX];

    duration_text(live_of(stage->pass)->timeouts.approval_ms, left);
    if (left_ms <= 0)
        *out =
            outcome_failed("ApprovalTimedOut", "nobody approved within %s; ask for a retry and approve it%s",
                           left, is_required(stage->pass) ? "" : ", or set policy Automatic");
    else
        *out =
            outcome_wait(left_ms, "waits for approval%s%s%s%s: %s", refusal ? "; " : "",
                         refusal ? refusal : "", overruled ? "; " : "", overruled ? overruled : "", command);
    tell_refusal(stage, refusal, out);
}

struct err *approval_act(struct stage *stage, struct outcome *out)
{
    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, NULL);
    if (live_of(stage->pass)->policy == POLICY_AUTOMATIC && !is_required(stage->pass))
        *out = outcome_done("policy Automatic needs no approval");
    else if (is_approved(stage))
        take_approval(stage->pass, out);
    else
        await_approval(stage, out);
    return NULL;
}

/* --- window --- */

/* 0: it is open, or there is none. */
static struct err *until_window_ms(const struct pass *pass, int64_t *ret_wait_ms)
{
    const struct window_spec *window = &live_of(pass)->window;
    AUTO_ZONE struct zone *zone = NULL;
    int64_t next_ms;

    *ret_wait_ms = 0;
    if (!window->present)
        return NULL;
    TRY(err_wrap(zone_load(window->time_zone, &zone), "spec.switchover.window.timeZone"));
    next_ms = window_next_ms(window, zone, pass->now_ms);
    if (next_ms == NEVER_MS)
        *ret_wait_ms = DAYS(1);
    else if (next_ms > pass->now_ms)
        *ret_wait_ms = next_ms - pass->now_ms > OPENING_LOOK_MS ? next_ms - pass->now_ms : OPENING_LOOK_MS;
    return NULL;
}

struct err *window_act(struct stage *stage, struct outcome *out)
{
    const struct window_spec *window = &live_of(stage->pass)->window;
    AUTO_FREE char *text = window->present ? window_text(window) : NULL;
    int64_t wait_ms = 0;
    char opening[TIME_TEXT_MAX];

    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, NULL);
    TRY(until_window_ms(stage->pass, &wait_ms));
    time_rfc3339(stage->pass->now_ms + wait_ms, opening);
    if (wait_ms)
        *out = outcome_wait(wait_ms, "waits for the window (%s), which opens at %s", text, opening);
    else if (text)
        *out = outcome_done("the window (%s) is open", text);
    else
        *out = outcome_done("no window is set");
    return NULL;
}

/* --- before the first change --- */

/* No row that changes anything is further than that. */
static bool none_is_beyond(const struct pass *pass, enum step_state furthest)
{
    for (size_t i = 0; i < pass->status->switchover_step_count; i++) {
        const struct step_status *row = &pass->status->switchover_steps[i];
        const struct step *step = workflow_switchover_step(row->name);

        if (step && step->undo && row->state != STEP_SKIPPED && row->state > furthest)
            return false;
    }
    return true;
}

/* NULL when the run has no window to keep. */
static struct step_status *passed_window(const struct pass *pass)
{
    for (size_t i = 0; i < pass->status->switchover_step_count; i++) {
        struct step_status *row = &pass->status->switchover_steps[i];

        if (text_equal(row->name, "Window"))
            return row->state == STEP_DONE ? row : NULL;
    }
    return NULL;
}

bool gate_nothing_begun(const struct pass *pass)
{
    return none_is_beyond(pass, STEP_WAITING);
}

struct err *gate_recheck(const struct pass *pass)
{
    struct step_status *window = passed_window(pass);
    int64_t wait_ms = 0;

    if (!window || !gate_nothing_begun(pass))
        return NULL;
    TRY(until_window_ms(pass, &wait_ms));
    if (wait_ms)
        window->state = STEP_RUNNING;
    return NULL;
}

struct err *gate_hold(struct stage *stage, struct outcome *out, bool *ret_held)
{
    int64_t wait_ms = 0;
    char opening[TIME_TEXT_MAX];

    if (stage->row->state != STEP_INTENDED || !passed_window(stage->pass) ||
        !none_is_beyond(stage->pass, STEP_INTENDED))
        return NULL;
    TRY(until_window_ms(stage->pass, &wait_ms));
    if (!wait_ms) {
        if (stage->row->start_ms > stage->pass->now_ms) /* the window was moved or taken away */
            stage->row->start_ms = stage->pass->now_ms;
        return NULL;
    }
    time_rfc3339(stage->pass->now_ms + wait_ms, opening);
    /* Its time runs from when it may begin, and nobody comes before. */
    stage->row->start_ms = stage->pass->now_ms + wait_ms;
    *out = outcome_wait(wait_ms, "the window has closed; it opens again at %s", opening);
    *ret_held = true;
    return NULL;
}
