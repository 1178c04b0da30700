#include "controller/settle.h"

#include "controller/pace.h"
#include "pkg/base/backoff.h"

/* A refusal that lies in AWS may pass by itself (fresh roles take minutes to be known); the same one for so
 * long will not. */
#define BLOCKED_AFTER_MS MINUTES(5)
#define BLOCKED_LOOK_MS MINUTES(10)
/* A time-out is not meant for the hours in which nobody looked: after a restart a row that is late still gets
 * so long. */
#define GRACE_MS MINUTES(10)
/* While the switchover is under way staging may be half switched: never far from the next try. */
#define SWITCHOVER_BACKOFF_MAX_MS SECONDS(15)
#define SWITCHOVER_ASKED_MAX_MS SECONDS(20) /* the longest that AWS asks for */
/* However short the time-out: nobody but this run can put staging back. */
#define IN_VAIN_MS HOURS(1)
#define LEFT_MAX 400 /* characters of why something was left as it is */
/* What AWS does not do beside so much else it will do when other jobs have ended. Attempts have two digits at
 * most: they are part of names. */
#define CROWDED_LOOK_MS MINUTES(20)
#define ATTEMPT_MAX 90

/* Evidence of a row of the switchover that does not come to its intent: when its first error was. */
#define HELD_UP_SINCE "heldUpSince"

static const struct backoff trouble_backoff = {.base_ms = SECONDS(4), .max_ms = MINUTES(5)};

static void tell(struct report *report, enum event_severity severity, const char *reason, char *note)
{
    report->happenings = xgrow(report->happenings, report->happening_count, sizeof(*report->happenings));
    report->happenings[report->happening_count++] =
        (struct happening){.severity = severity, .reason = xstrdup(reason), .note = note};
}

/* --- trouble: errors in a row of one row, kept so that a restart does not hammer --- */

static const char *subject_of(const struct stage *stage)
{
    return stage->database ? stage->database->name : "switchover";
}

void settle_forget_trouble(struct stage *stage)
{
    step_set_evidence(stage->row, "failures", NULL);
    step_set_evidence(stage->row, "failingSince", NULL);
    step_set_evidence(stage->row, "failingCode", NULL);
    step_set_evidence(stage->row, HELD_UP_SINCE, NULL);
    if (stage->copy) {
        stage->copy->failures = 0;
        stage->copy->back_off_until_ms = 0;
        text_replace(&stage->copy->last_error, NULL);
    }
}

static const char *code_of(const struct err *err)
{
    return err_remote(err)->code ? err_remote(err)->code : err_kind_name(err_kind(err));
}

/* The refusal has been the same for long enough to call a person. */
static bool is_blocked(struct stage *stage, const struct err *err)
{
    int64_t since_ms = step_evidence_ms(stage->row, "failingSince", 0);

    if (!err_is_refusal(err) || !since_ms ||
        !text_equal(step_evidence(stage->row, "failingCode"), code_of(err))) {
        step_set_evidence_ms(stage->row, "failingSince", stage->pass->now_ms);
        step_set_evidence(stage->row, "failingCode", code_of(err));
        return false;
    }
    return sched_elapsed_ms(stage->pass->env->sched, since_ms) >= BLOCKED_AFTER_MS;
}

static int64_t trouble_delay_ms(struct stage *stage, const struct err *err, bool blocked)
{
    int64_t failures = step_evidence_ms(stage->row, "failures", 0) + 1,
            asked_ms = err_remote(err)->retry_after_ms;
    int64_t delay_ms = blocked ? BLOCKED_LOOK_MS
                               : backoff_delay_ms(&trouble_backoff, (int)failures, stage->pass->env->random);

    step_set_evidence_ms(stage->row, "failures", failures < 1000 ? failures : 1000);
    if (!stage->database && delay_ms > SWITCHOVER_BACKOFF_MAX_MS)
        delay_ms = SWITCHOVER_BACKOFF_MAX_MS;
    if (err_is_refusal(err) && !blocked && delay_ms > MINUTES(1))
        delay_ms = MINUTES(1); /* not to miss the five minutes by much */
    /* Coming earlier would be refused again. */
    if (!stage->database && asked_ms > SWITCHOVER_ASKED_MAX_MS)
        asked_ms = SWITCHOVER_ASKED_MAX_MS;
    return asked_ms > delay_ms ? asked_ms : delay_ms;
}

/* What somebody may tell us of before the row is due. */
static void expect_news(struct work *work, const struct stage *stage, const char *key)
{
    const struct pass *pass = work->pass;
    const struct database_status *copy = stage->copy;
    const struct look_interest interest = {
        .namespace = pass->namespace,
        .name = pass->name,
        .accounts = {pass->source_account ? pass->source_account->account_id : NULL,
                     pass->target_account->account_id},
        .subjects = {stage->row->external_id, copy ? copy->copy_identifier : NULL},
        .cluster = copy ? copy->copy_identifier : NULL,
    };

    looks_expect(work->looks, pass->uid, key, &interest);
}

/* Not before `after_ms` from now, for this row alone. */
static void look_after(struct work *work, const struct stage *stage, int64_t after_ms)
{
    AUTO_FREE char *key = rows_key(stage);

    looks_set(work->looks, work->pass->uid, key, sched_now_ms(work->pass->env->sched) + after_ms);
    expect_news(work, stage, key);
    rows_not_before(work, after_ms);
}

/* --- outcomes --- */

static int64_t timeout_of(const struct stage *stage)
{
    const struct refresh_spec *spec = stage->pass->live ? stage->pass->live : stage->pass->spec;

    return stage->step->timeout_of ? stage->step->timeout_of(&spec->live.timeouts) : stage->step->timeout_ms;
}

/* When the steps before it were through: a window may have closed meanwhile, and opened again. */
static int64_t could_begin_ms(const struct stage *stage)
{
    const struct refresh_status *status = stage->pass->status;
    int64_t since_ms = 0;

    for (size_t i = 0; i < status->switchover_step_count; i++) {
        const struct step_status *row = &status->switchover_steps[i];

        if (workflow_switchover_step(row->name) == stage->step)
            break;
        since_ms = row->completion_ms > since_ms ? row->completion_ms : since_ms;
    }
    return since_ms;
}

/* How long one that does not come to its intent has been able to. */
static int64_t held_up_ms(const struct stage *stage)
{
    int64_t since_ms = step_evidence_ms(stage->row, HELD_UP_SINCE, 0), could_ms = could_begin_ms(stage);

    return since_ms ? sched_elapsed_ms(stage->pass->env->sched, since_ms > could_ms ? since_ms : could_ms)
                    : 0;
}

/* A row of the switchover that does not even begin keeps staging half switched just as well. */
static bool is_held_up(const struct stage *stage)
{
    return !stage->database && stage->row->state == STEP_WAITING;
}

static int64_t age_ms(const struct stage *stage)
{
    if (is_held_up(stage))
        return held_up_ms(stage);
    return row_is_under_way(stage->row) ? stage_age_ms(stage) : 0;
}

static bool is_too_late(const struct stage *stage)
{
    int64_t timeout_ms = timeout_of(stage), enough_ms = timeout_ms < GRACE_MS ? timeout_ms : GRACE_MS;

    return timeout_ms > 0 && age_ms(stage) > timeout_ms && stage->watched_ms >= enough_ms;
}

/* Why a row has failed is what people must read in the end: what comes of putting it back stands beside it.
 */
static void say(struct stage *stage, const char *message)
{
    if (stage->row->state == STEP_FAILED)
        step_set_evidence(stage->row, "undo", message);
    else
        text_replace(&stage->row->message, message);
}

static void fail_row(struct work *work, struct stage *stage, const char *reason, const char *message)
{
    char *note = xasprintf("%s: %s: %s", subject_of(stage), stage->row->name, message);

    stage->row->state = STEP_FAILED;
    stage->row->completion_ms = stage->pass->now_ms;
    text_replace(&stage->row->message, message);
    step_set_evidence(stage->row, "reason", reason);
    tell(work->report, EVENT_WARNING, reason, note);
    rows_not_before(work, 0); /* what was changed is to be put back */
}

/* What becomes of attempts that failed in a crowd: they are not the row's fault. */
struct crowded {
    int64_t count, since_ms; /* since_ms 0: there was none */
};

static struct crowded crowded_of(const struct stage *stage)
{
    return (struct crowded){.count = step_evidence_ms(stage->row, "crowded", 0),
                            .since_ms = step_evidence_ms(stage->row, "crowdedSince", 0)};
}

/* As long as the step may take, and no longer. */
static bool waits_for_room(const struct stage *stage, const struct outcome *out)
{
    int64_t since_ms = crowded_of(stage).since_ms;

    return out->is_crowded && stage->row->attempt < ATTEMPT_MAX &&
           (!since_ms || sched_elapsed_ms(stage->pass->env->sched, since_ms) < timeout_of(stage));
}

static void keep_crowded(struct stage *stage, struct crowded crowded)
{
    if (!crowded.since_ms)
        return;
    step_set_evidence_ms(stage->row, "crowded", crowded.count);
    step_set_evidence_ms(stage->row, "crowdedSince", crowded.since_ms);
}

/* Another attempt has other tokens and names; what the failed one left is no longer looked at. */
static void start_over(struct work *work, struct stage *stage, const struct outcome *out,
                       struct crowded crowded)
{
    int64_t attempt = stage->row->attempt;

    tell(work->report, EVENT_WARNING, out->reason,
         xasprintf("%s: %s: %s; attempt %lld follows", subject_of(stage), stage->row->name, out->message,
                   (long long)attempt + 1));
    stage->row->state = STEP_WAITING;
    stage->row->attempt = attempt + 1;
    stage->row->start_ms = 0;
    stage->row->percent = 0;
    text_replace(&stage->row->external_id, NULL);
    text_replace(&stage->row->message, out->message);
    json_free(TAKE(stage->row->evidence));
    keep_crowded(stage, crowded);
    if (stage->pass->status->run.attempt < attempt + 1)
        stage->pass->status->run.attempt = attempt + 1;
    look_after(work, stage, out->is_crowded ? stage_jitter_ms(stage, CROWDED_LOOK_MS) : MINUTES(1) * attempt);
}

static void apply_failure(struct work *work, struct stage *stage, const struct outcome *out)
{
    const struct refresh_spec *spec = stage->pass->live ? stage->pass->live : stage->pass->spec;
    struct crowded crowded = crowded_of(stage);

    if (waits_for_room(stage, out)) {
        crowded.count++;
        crowded.since_ms = crowded.since_ms ? crowded.since_ms : stage->pass->now_ms;
        start_over(work, stage, out, crowded);
    } else if (out->retryable && !out->is_crowded &&
               stage->row->attempt - crowded.count <= spec->live.backoff_limit)
        start_over(work, stage, out, crowded);
    else
        fail_row(work, stage, out->reason, out->message);
}

static void tell_done(struct report *report, const struct stage *stage, const char *message)
{
    AUTO_FREE char *reason = xasprintf("%sDone", stage->step->name);

    tell(report, EVENT_NORMAL, reason, xasprintf("%s: %s: %s", subject_of(stage), stage->row->name, message));
}

void settle_outcome(struct work *work, struct stage *stage, const struct outcome *out)
{
    settle_forget_trouble(stage);
    if (out->warning)
        tell(work->report, EVENT_WARNING, out->warning_reason,
             xasprintf("%s: %s: %s", subject_of(stage), stage->row->name, out->warning));
    switch (out->verdict) {
    case VERDICT_DONE:
        stage->row->state = STEP_DONE;
        stage->row->completion_ms = stage->pass->now_ms;
        stage->row->percent = 100;
        text_replace(&stage->row->message, out->message);
        tell_done(work->report, stage, out->message);
        rows_not_before(work, 0);
        break;
    case VERDICT_WAIT:
        if (is_too_late(stage)) {
            AUTO_FREE char *message = xasprintf(
                "not done within its time-out; last seen: %s. Look at it in AWS, then ask for a retry",
                out->message);

            fail_row(work, stage, "TimedOut", message);
            break;
        }
        text_replace(&stage->row->message, out->message);
        look_after(work, stage, out->after_ms);
        break;
    case VERDICT_FAILED:
        apply_failure(work, stage, out);
        break;
    }
}

/* The error is told, and the row is tried again. */
static void stay(struct work *work, struct stage *stage, const struct err *err, bool blocked,
                 int64_t delay_ms)
{
    say(stage, err_text(err));
    if (stage->copy) {
        stage->copy->failures = step_evidence_ms(stage->row, "failures", 0);
        stage->copy->back_off_until_ms = 0;
        text_replace(&stage->copy->last_error, err_text(err));
    }
    if (blocked && !work->report->blocked_message) {
        work->report->blocked_reason = xstrdup(code_of(err));
        work->report->blocked_message =
            xasprintf("%s: %s: %s", subject_of(stage), stage->row->name, err_text(err));
    }
    look_after(work, stage, delay_ms);
}

void settle_error(struct work *work, struct stage *stage, const struct err *err)
{
    bool blocked = is_blocked(stage, err);
    int64_t delay_ms = trouble_delay_ms(stage, err, blocked);

    if (is_held_up(stage) && !step_evidence(stage->row, HELD_UP_SINCE))
        step_set_evidence_ms(stage->row, HELD_UP_SINCE, stage->pass->now_ms);
    if (is_too_late(stage)) {
        AUTO_FREE char *message =
            xasprintf("%s within its time-out; the last error: %s",
                      is_held_up(stage) ? "could not begin" : "not done", err_text(err));

        fail_row(work, stage, "TimedOut", message);
        return;
    }
    stay(work, stage, err, blocked, delay_ms);
}

/* --- putting back --- */

static void note_undo(struct stage *stage)
{
    if (!step_evidence(stage->row, EVIDENCE_UNDO_SINCE))
        step_set_evidence_ms(stage->row, EVIDENCE_UNDO_SINCE, stage->pass->now_ms);
}

static bool undo_is_over(const struct stage *stage, int64_t since_ms, int64_t patience_ms)
{
    int64_t enough_ms = patience_ms < GRACE_MS ? patience_ms : GRACE_MS;

    return patience_ms > 0 && sched_elapsed_ms(stage->pass->env->sched, since_ms) > patience_ms &&
           stage->watched_ms >= enough_ms;
}

/* A rollout that never completes must not keep a run from ending: all that could be put back has been by
 * then. */
static bool undo_is_too_late(const struct stage *stage)
{
    return stage->step->undo_last &&
           undo_is_over(stage, step_evidence_ms(stage->row, EVIDENCE_UNDO_SINCE, 0), timeout_of(stage));
}

/* Proxies and parameters are tried for as long as an outage lasts: while they are mixed, the run has not
 * ended. Only what is refused, by the same words all the time, is a person's business. */
static bool is_in_vain(const struct stage *stage, const struct err *err)
{
    int64_t since_ms = step_evidence_ms(stage->row, EVIDENCE_UNDO_SINCE, 0), timeout_ms = timeout_of(stage),
            refused_ms = step_evidence_ms(stage->row, "failingSince", 0);

    if (!stage->step->undo_last && refused_ms > since_ms)
        since_ms = refused_ms;
    return (stage->step->undo_last || err_is_refusal(err)) &&
           undo_is_over(stage, since_ms, timeout_ms > IN_VAIN_MS ? timeout_ms : IN_VAIN_MS);
}

/* Staging stays mixed. The run ends with it: people must put right what it cannot. */
static void leave(struct work *work, struct stage *stage, const char *why)
{
    AUTO_FREE char *message = xasprintf("could not be put back: %s", why);
    AUTO_FREE char *kept = xasprintf("%.*s", LEFT_MAX, why);

    say(stage, message);
    if (stage->row->state != STEP_FAILED) {
        stage->row->state = STEP_FAILED;
        stage->row->completion_ms = stage->pass->now_ms;
        step_set_evidence(stage->row, "reason", REASON_NOT_PUT_BACK);
    }
    step_set_evidence(stage->row, EVIDENCE_LEFT, kept);
    tell(work->report, EVENT_WARNING, "SwitchoverMixed",
         xasprintf("switchover: %s: %s. Put it back by hand, or ask for a retry", stage->row->name, message));
    rows_not_before(work, 0);
}

void settle_undo_error(struct work *work, struct stage *stage, const struct err *err)
{
    bool blocked = is_blocked(stage, err);
    int64_t delay_ms = trouble_delay_ms(stage, err, blocked);

    note_undo(stage);
    if (is_in_vain(stage, err))
        leave(work, stage, err_text(err));
    else
        stay(work, stage, err, blocked, delay_ms);
}

void settle_undone(struct work *work, struct stage *stage, const struct outcome *out)
{
    settle_forget_trouble(stage);
    note_undo(stage);
    /* Of those that come last it means that they did not come up; restarted they were. */
    if (out->verdict == VERDICT_FAILED && !stage->step->undo_last) {
        leave(work, stage, out->message);
        return;
    }
    say(stage, out->message);
    if (out->verdict == VERDICT_WAIT && !undo_is_too_late(stage)) {
        look_after(work, stage, out->after_ms);
        return;
    }
    if (stage->row->state == STEP_FAILED)
        step_set_evidence(stage->row, EVIDENCE_UNDONE, "true");
    else
        stage->row->state = STEP_UNDONE;
    tell(work->report, EVENT_NORMAL, "PutBack",
         xasprintf("switchover: %s: %s", stage->row->name, out->message));
    rows_not_before(work, 0);
}
