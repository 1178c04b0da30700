#include "controller/runner.h"

#include "pkg/base/backoff.h"

#define STAGES_MAX 256
/* A refusal that lies in AWS may pass by itself (fresh roles take minutes to be known); the same one for so
 * long will not. */
#define BLOCKED_AFTER_MS MINUTES(5)
#define BLOCKED_LOOK_MS MINUTES(10)
/* While the switchover is under way staging may be half switched: never far from the next try. */
#define SWITCHOVER_BACKOFF_MAX_MS SECONDS(15)

static const struct backoff trouble_backoff = {.base_ms = SECONDS(4), .max_ms = MINUTES(5)};

void report_done(struct report *report)
{
    xfree(report->fail_reason);
    xfree(report->fail_message);
    xfree(report->blocked_reason);
    xfree(report->blocked_message);
    for (size_t i = 0; i < report->happening_count; i++) {
        xfree(report->happenings[i].reason);
        xfree(report->happenings[i].note);
    }
    xfree(report->happenings);
    *report = (struct report){0};
}

static void tell(struct report *report, enum event_severity severity, const char *reason, char *note)
{
    report->happenings = xgrow(report->happenings, report->happening_count, sizeof(*report->happenings));
    report->happenings[report->happening_count++] =
        (struct happening){.severity = severity, .reason = xstrdup(reason), .note = note};
}

/* --- laying out --- */

void runner_lay_out(struct refresh_status *status, const struct refresh_spec *spec)
{
    const struct step_table *switchover = workflow_switchover();

    for (size_t i = 0; i < spec->database_count; i++) {
        const struct step_table *pipeline = workflow_pipeline(spec->databases[i].kind);
        struct database_status *database = status_add_database(status, spec->databases[i].name);

        for (size_t k = 0; k < pipeline->count; k++)
            status_add_step(&database->steps, &database->step_count, pipeline->steps[k].name)->attempt = 1;
    }
    for (size_t k = 0; k < switchover->count; k++) {
        const struct step *step = &switchover->steps[k];

        for (size_t i = 0; i < workflow_entry_count(step, spec); i++) {
            AUTO_FREE char *name = xasprintf("%s/%s", step->name, workflow_entry_name(step, spec, i));

            status_add_step(&status->switchover_steps, &status->switchover_step_count, name)->attempt = 1;
        }
    }
}

/* --- which rows are due --- */

struct work {
    struct pass *pass;
    struct looks *looks;
    struct report *report;
    struct stage stages[STAGES_MAX];
    size_t count;
    bool start_nothing; /* suspended, or the run has failed: only what is under way goes on */
    bool is_suspended;  /* then an intent that may not have been acted on is left alone, too */
    int64_t after_ms;   /* earliest of what is not due yet */
};

static void not_before(struct work *work, int64_t after_ms)
{
    if (after_ms < work->after_ms)
        work->after_ms = after_ms > 0 ? after_ms : 0;
}

/* Unique within an object: "main/Copy", "/Proxies/shop-stg". */
static char *row_key(const struct stage *stage)
{
    return xasprintf("%s/%s", stage->database ? stage->database->name : "", stage->row->name);
}

static bool is_over(const struct step_status *row)
{
    return row->state == STEP_DONE || row->state == STEP_FAILED || row->state == STEP_SKIPPED ||
           row->state == STEP_UNDONE;
}

static bool is_under_way(const struct step_status *row)
{
    return row->state == STEP_INTENDED || row->state == STEP_RUNNING;
}

static bool is_passed(const struct step_status *row)
{
    return row->state == STEP_DONE || row->state == STEP_SKIPPED;
}

static void offer(struct work *work, const struct stage *stage)
{
    struct sched *sched = work->pass->env->sched;
    AUTO_FREE char *key = row_key(stage);
    int64_t due_ms = looks_due_ms(work->looks, work->pass->uid, key), now_ms = sched_now_ms(sched);

    if ((work->start_nothing && stage->row->state == STEP_WAITING) ||
        (work->is_suspended && stage->row->state == STEP_INTENDED))
        return;
    if (due_ms > now_ms) {
        not_before(work, due_ms - now_ms);
        return;
    }
    if (work->count < STAGES_MAX)
        work->stages[work->count++] = *stage;
}

/* True when the database is through its pipeline. */
static bool offer_database(struct work *work, const struct database_spec *spec)
{
    const struct step_table *pipeline = workflow_pipeline(spec->kind);
    struct database_status *copy = status_database(work->pass->status, spec->name);

    for (size_t i = 0; copy && i < copy->step_count && i < pipeline->count; i++) {
        struct stage stage = {.pass = work->pass,
                              .step = &pipeline->steps[i],
                              .row = &copy->steps[i],
                              .database = spec,
                              .copy = copy};

        if (is_passed(stage.row))
            continue;
        if (!is_over(stage.row))
            offer(work, &stage);
        return false;
    }
    return copy != NULL;
}

static void offer_switchover(struct work *work)
{
    const struct step_table *switchover = workflow_switchover();
    struct refresh_status *status = work->pass->status;
    size_t row = 0;

    for (size_t k = 0; k < switchover->count; k++) {
        const struct step *step = &switchover->steps[k];
        size_t entries = workflow_entry_count(step, work->pass->spec);
        bool passed = true;

        for (size_t i = 0; i < entries && row < status->switchover_step_count; i++, row++) {
            struct stage stage = {
                .pass = work->pass, .step = step, .row = &status->switchover_steps[row], .index = i};

            passed = passed && is_passed(stage.row);
            if (!is_over(stage.row))
                offer(work, &stage);
        }
        if (!passed)
            return; /* the next step waits for every entry of this one */
    }
}

static void collect(struct work *work)
{
    bool all_passed = true;

    for (size_t i = 0; i < work->pass->spec->database_count; i++)
        all_passed = offer_database(work, &work->pass->spec->databases[i]) && all_passed;
    if (all_passed)
        offer_switchover(work);
}

/* --- trouble: errors in a row of one row, kept so that a restart does not hammer --- */

static const char *subject_of(const struct stage *stage)
{
    return stage->database ? stage->database->name : "switchover";
}

static void forget_trouble(struct stage *stage)
{
    step_set_evidence(stage->row, "failures", NULL);
    step_set_evidence(stage->row, "failingSince", NULL);
    step_set_evidence(stage->row, "failingCode", NULL);
    if (stage->copy) {
        stage->copy->failures = 0;
        stage->copy->back_off_until_ms = 0;
        text_replace(&stage->copy->last_error, NULL);
    }
}

static bool is_refusal(const struct err *err)
{
    return err_kind(err) == ERR_DENIED || err_kind(err) == ERR_INVALID || err_kind(err) == ERR_NOT_FOUND;
}

static const char *code_of(const struct err *err)
{
    return err_remote(err)->code ? err_remote(err)->code : err_kind_name(err_kind(err));
}

/* The refusal has been the same for long enough to call a person. */
static bool is_blocked(struct stage *stage, const struct err *err)
{
    int64_t since_ms = step_evidence_ms(stage->row, "failingSince", 0);

    if (!is_refusal(err) || !since_ms ||
        !text_equal(step_evidence(stage->row, "failingCode"), code_of(err))) {
        step_set_evidence_ms(stage->row, "failingSince", stage->pass->now_ms);
        step_set_evidence(stage->row, "failingCode", code_of(err));
        return false;
    }
    return sched_elapsed_ms(stage->pass->env->sched, since_ms) >= BLOCKED_AFTER_MS;
}

static int64_t trouble_delay_ms(struct stage *stage, const struct err *err, bool blocked)
{
    int64_t failures = step_evidence_ms(stage->row, "failures", 0) + 1;
    int64_t delay_ms = blocked ? BLOCKED_LOOK_MS
                               : backoff_delay_ms(&trouble_backoff, (int)failures, stage->pass->env->random);

    step_set_evidence_ms(stage->row, "failures", failures < 1000 ? failures : 1000);
    if (err_remote(err)->retry_after_ms > delay_ms)
        delay_ms = err_remote(err)->retry_after_ms;
    if (!stage->database && delay_ms > SWITCHOVER_BACKOFF_MAX_MS)
        delay_ms = SWITCHOVER_BACKOFF_MAX_MS;
    if (is_refusal(err) && !blocked && delay_ms > MINUTES(1))
        delay_ms = MINUTES(1); /* not to miss the five minutes by much */
    return delay_ms;
}

/* Not before `after_ms` from now, for this row alone. */
static void look_after(struct work *work, const struct stage *stage, int64_t after_ms)
{
    AUTO_FREE char *key = row_key(stage);

    looks_set(work->looks, work->pass->uid, key, sched_now_ms(work->pass->env->sched) + after_ms);
    not_before(work, after_ms);
}

/* --- outcomes --- */

static int64_t timeout_of(const struct stage *stage)
{
    const struct refresh_spec *spec = stage->pass->live ? stage->pass->live : stage->pass->spec;

    return stage->step->timeout_of ? stage->step->timeout_of(&spec->live.timeouts) : stage->step->timeout_ms;
}

static bool is_too_late(const struct stage *stage)
{
    int64_t timeout_ms = timeout_of(stage);

    return timeout_ms > 0 && is_under_way(stage->row) && stage_age_ms(stage) > timeout_ms;
}

static void fail_row(struct work *work, struct stage *stage, const char *reason, const char *message)
{
    char *note = xasprintf("%s: %s: %s", subject_of(stage), stage->row->name, message);

    stage->row->state = STEP_FAILED;
    stage->row->completion_ms = stage->pass->now_ms;
    text_replace(&stage->row->message, message);
    step_set_evidence(stage->row, "reason", reason);
    tell(work->report, EVENT_WARNING, reason, note);
}

/* Another attempt has other tokens and names; what the failed one left is no longer looked at. */
static void start_over(struct work *work, struct stage *stage, const struct outcome *out)
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
    if (stage->pass->status->run.attempt < attempt + 1)
        stage->pass->status->run.attempt = attempt + 1;
    look_after(work, stage, MINUTES(1) * attempt);
}

static void apply_failure(struct work *work, struct stage *stage, const struct outcome *out)
{
    const struct refresh_spec *spec = stage->pass->live ? stage->pass->live : stage->pass->spec;

    if (out->retryable && stage->row->attempt <= spec->live.backoff_limit)
        start_over(work, stage, out);
    else
        fail_row(work, stage, out->reason, out->message);
}

static void tell_done(struct report *report, const struct stage *stage, const char *message)
{
    AUTO_FREE char *reason = xasprintf("%sDone", stage->step->name);

    tell(report, EVENT_NORMAL, reason, xasprintf("%s: %s: %s", subject_of(stage), stage->row->name, message));
}

static void apply_outcome(struct work *work, struct stage *stage, const struct outcome *out)
{
    forget_trouble(stage);
    switch (out->verdict) {
    case VERDICT_DONE:
        stage->row->state = STEP_DONE;
        stage->row->completion_ms = stage->pass->now_ms;
        stage->row->percent = 100;
        text_replace(&stage->row->message, out->message);
        tell_done(work->report, stage, out->message);
        not_before(work, 0);
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

static void apply_error(struct work *work, struct stage *stage, const struct err *err)
{
    bool blocked = is_blocked(stage, err);
    int64_t delay_ms = trouble_delay_ms(stage, err, blocked);

    if (is_too_late(stage)) {
        AUTO_FREE char *message =
            xasprintf("not done within its time-out; the last error: %s", err_text(err));

        fail_row(work, stage, "TimedOut", message);
        return;
    }
    text_replace(&stage->row->message, err_text(err));
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

/* --- record or act --- */

static bool has_intents(const struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        if (work->stages[i].row->state == STEP_WAITING)
            return true;
    }
    return false;
}

static bool ends_pass(const struct err *err)
{
    return err && (err_kind(err) == ERR_CANCELED ||
                   (err_kind(err) == ERR_CONFLICT && !err_remote(err)->http_status));
}

static struct err *record(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        struct stage *stage = &work->stages[i];
        AUTO_ERR struct err *err = NULL;

        if (stage->row->state != STEP_WAITING)
            continue;
        err = stage->step->intend ? stage->step->intend(stage) : NULL;
        if (ends_pass(err))
            return TAKE(err);
        if (err) {
            apply_error(work, stage, err);
            continue;
        }
        forget_trouble(stage);
        stage->row->state = STEP_INTENDED;
        stage->row->start_ms = work->pass->now_ms;
    }
    work->report->recorded = true;
    return NULL;
}

static struct err *act(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        struct stage *stage = &work->stages[i];
        AUTO_OUTCOME struct outcome out = {0};
        AUTO_ERR struct err *err = stage->step->act(stage, &out);

        if (ends_pass(err))
            return TAKE(err);
        if (err)
            apply_error(work, stage, err);
        else
            apply_outcome(work, stage, &out);
    }
    return NULL;
}

/* --- the end --- */

struct tally {
    size_t under_way, passed, total;
    const struct step_status *failed;
    const char *failed_subject;
};

static void count_rows(struct tally *tally, const struct step_status *rows, size_t count, const char *subject)
{
    for (size_t i = 0; i < count; i++) {
        tally->total++;
        tally->passed += is_passed(&rows[i]);
        tally->under_way += is_under_way(&rows[i]);
        if (rows[i].state == STEP_FAILED && !tally->failed) {
            tally->failed = &rows[i];
            tally->failed_subject = subject;
        }
    }
}

static struct tally tally_of(const struct refresh_status *status)
{
    struct tally tally = {0};

    for (size_t i = 0; i < status->database_count; i++)
        count_rows(&tally, status->databases[i].steps, status->databases[i].step_count,
                   status->databases[i].name);
    count_rows(&tally, status->switchover_steps, status->switchover_step_count, "switchover");
    return tally;
}

static void judge_end(struct report *report, const struct refresh_status *status)
{
    struct tally tally = tally_of(status);

    if (tally.passed == tally.total) {
        report->end = RUN_SUCCEEDED;
    } else if (tally.failed && !tally.under_way) {
        const char *reason = step_evidence(tally.failed, "reason");

        report->end = RUN_FAILED;
        report->fail_reason = xstrdup(reason ? reason : "StepFailed");
        report->fail_message = xasprintf("%s: %s: %s", tally.failed_subject, tally.failed->name,
                                         tally.failed->message ? tally.failed->message : "failed");
    }
}

struct err *runner_advance(struct pass *pass, struct looks *looks, struct report *ret)
{
    AUTO_FREE struct work *work = xcalloc(1, sizeof(*work));
    struct err *err;

    *work = (struct work){.pass = pass, .looks = looks, .report = ret, .after_ms = NEVER_MS};
    work->is_suspended = pass->live && pass->live->live.suspend;
    work->start_nothing = work->is_suspended || tally_of(pass->status).failed != NULL;
    collect(work);
    err = has_intents(work) ? record(work) : act(work);
    ret->after_ms = ret->recorded ? 0 : work->after_ms;
    if (!err)
        judge_end(ret, pass->status);
    return err;
}
