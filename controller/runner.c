#include "controller/runner.h"

#include "controller/pace.h"
#include "controller/rows.h"
#include "controller/settle.h"
#include "controller/steps/gate.h"

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
            AUTO_FREE char *name = workflow_row_name(step, spec, i);

            status_add_step(&status->switchover_steps, &status->switchover_step_count, name)->attempt = 1;
        }
    }
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

/* Some row that changes staging is about to come to its intent, the first of all. */
static bool is_first_change(const struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        if (work->stages[i].row->state == STEP_WAITING && !work->stages[i].database &&
            work->stages[i].step->undo)
            return gate_nothing_begun(work->pass);
    }
    return false;
}

static struct err *rehearse_step(const struct work *work, size_t step_index)
{
    struct row_range range = rows_of_step(work, step_index);

    for (size_t i = 0; range.step->rehearse && i < range.count; i++) {
        struct stage stage = rows_stage(work, &range, i);

        if (stage.row->state == STEP_WAITING)
            TRY(err_wrap(range.step->rehearse(&stage), "%s", stage.row->name));
    }
    return NULL;
}

/* What people get wrong lies in steps that come late; nothing is switched before they could go through. */
static struct err *rehearse(const struct work *work)
{
    for (size_t k = 0; k < workflow_switchover()->count; k++)
        TRY(rehearse_step(work, k));
    return NULL;
}

/* `obstacle`: why nothing may change yet; NULL: nothing speaks against it. */
static struct err *record_row(struct work *work, struct stage *stage, const struct err *obstacle)
{
    bool is_held = obstacle && !stage->database && stage->step->undo;
    AUTO_ERR struct err *err = !is_held && stage->step->intend ? stage->step->intend(stage) : NULL;

    if (ends_pass(err))
        return TAKE(err);
    if (err || is_held) {
        settle_error(work, stage, err ? err : obstacle);
        return NULL;
    }
    settle_forget_trouble(stage);
    if (stage->row->state == STEP_SKIPPED)
        return NULL; /* there is nothing to do */
    stage->row->state = STEP_INTENDED;
    stage->row->start_ms = work->pass->now_ms;
    if (stage->database)
        pace_expect(stage);
    return NULL;
}

static struct err *record(struct work *work)
{
    AUTO_ERR struct err *obstacle = is_first_change(work) ? rehearse(work) : NULL;

    if (ends_pass(obstacle))
        return TAKE(obstacle);
    for (size_t i = 0; i < work->count; i++) {
        if (work->stages[i].row->state == STEP_WAITING)
            TRY(record_row(work, &work->stages[i], obstacle));
    }
    work->report->recorded = true;
    return NULL;
}

static struct err *put_back(struct stage *stage, struct outcome *out)
{
    struct err *err = stage->step->undo(stage, out);

    if (!err || err_kind(err) != ERR_NOT_FOUND || !stage->step->may_be_gone)
        return err;
    outcome_reset(out);
    *out = outcome_done("not there any more, so that nothing is to be put back: %s", err_text(err));
    err_ignore(err, "said in the row's message");
    return NULL;
}

static struct err *act(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        struct stage *stage = &work->stages[i];
        bool undo = work->is_undoing && !stage->database && stage->step->undo;
        AUTO_OUTCOME struct outcome out = {0};
        AUTO_ERR struct err *err = undo ? put_back(stage, &out) : stage->step->act(stage, &out);

        if (ends_pass(err))
            return TAKE(err);
        if (err && undo)
            settle_undo_error(work, stage, err);
        else if (err)
            settle_error(work, stage, err);
        else if (undo)
            settle_undone(work, stage, &out);
        else
            settle_outcome(work, stage, &out);
    }
    return NULL;
}

/* --- the end --- */

struct tally {
    size_t under_way, passed, total; /* under_way: but for the last */
    const struct step_status *failed;
    const char *failed_subject;
};

#define SWITCHOVER "switchover"

static bool is_last(const struct step_status *row, const char *subject)
{
    const struct step *step = text_equal(subject, SWITCHOVER) ? workflow_switchover_step(row->name) : NULL;

    return step && step->at_end;
}

/* What failed first of all, and not what could not be put back because of it. */
static bool is_cause(const struct step_status *row)
{
    return !text_equal(step_evidence(row, "reason"), REASON_NOT_PUT_BACK);
}

static void count_rows(struct tally *tally, const struct step_status *rows, size_t count, const char *subject)
{
    for (size_t i = 0; i < count; i++) {
        tally->total++;
        tally->passed += row_is_passed(&rows[i]);
        tally->under_way += row_is_under_way(&rows[i]) && !is_last(&rows[i], subject);
        if (rows[i].state == STEP_FAILED &&
            (!tally->failed || (!is_cause(tally->failed) && is_cause(&rows[i])))) {
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
    count_rows(&tally, status->switchover_steps, status->switchover_step_count, SWITCHOVER);
    return tally;
}

static bool is_undone(const struct work *work)
{
    for (size_t k = 0; k < workflow_switchover()->count; k++) {
        struct row_range range = rows_of_step(work, k);

        for (size_t i = 0; i < range.count; i++) {
            struct stage stage = rows_stage(work, &range, i);

            if (stage_needs_undo(&stage))
                return false;
        }
    }
    return true;
}

/* The run has failed, and all is put back. */
static bool is_lost(const struct work *work)
{
    struct tally tally = tally_of(work->pass->status);

    return tally.failed && !tally.under_way &&
           (!rows_switchover_failed(work->pass->status) || is_undone(work));
}

static void judge_end(struct report *report, const struct work *work)
{
    const struct refresh_status *status = work->pass->status;
    struct tally tally = tally_of(status);

    if (tally.passed == tally.total) {
        report->end = RUN_SUCCEEDED;
    } else if (is_lost(work) && rows_last_is_over(work)) {
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
    work->is_undoing = rows_switchover_failed(pass->status);
    work->start_nothing = work->is_suspended || tally_of(pass->status).failed != NULL;
    TRY(gate_recheck(pass));
    rows_collect(work);
    if (is_lost(work))
        rows_collect_last(work);
    err = has_intents(work) ? record(work) : act(work);
    ret->after_ms = ret->recorded ? 0 : work->after_ms;
    if (!err)
        judge_end(ret, work);
    return err;
}
