#include "controller/summary.h"

#include "controller/rows.h"
#include "controller/steps/differences.h"

#define PIPELINE_SHARE 95 /* percent of a run that is not switchover */

/* Thousandths of the pipeline that are behind this database. */
static int64_t database_share(const struct database_status *database, const struct step_table *pipeline)
{
    int64_t share = 0;

    for (size_t i = 0; i < database->step_count && i < pipeline->count; i++) {
        const struct step_status *row = &database->steps[i];

        if (row_is_passed(row))
            share += pipeline->steps[i].weight * 10;
        else if (row->state == STEP_RUNNING)
            share += pipeline->steps[i].weight * row->percent / 10;
    }
    return share;
}

static int64_t percent_of(const struct summary_input *in)
{
    const struct refresh_status *status = in->status;
    int64_t pipelines = 0, passed = 0, percent;

    for (size_t i = 0; i < status->database_count; i++) {
        const struct database_spec *spec = refresh_database(in->spec, status->databases[i].name);

        if (spec)
            pipelines += database_share(&status->databases[i], workflow_pipeline(spec->kind));
    }
    for (size_t i = 0; i < status->switchover_step_count; i++)
        passed += row_is_passed(&status->switchover_steps[i]);
    percent =
        status->database_count ? pipelines * PIPELINE_SHARE / 1000 / (int64_t)status->database_count : 0;
    if (status->switchover_step_count)
        percent += (100 - PIPELINE_SHARE) * passed / (int64_t)status->switchover_step_count;
    return percent < 99 ? percent : 99; /* 100 is said when the run has succeeded */
}

static const struct step *first_open_step(const struct database_status *database,
                                          const struct step_table *pipeline, size_t *ret_index)
{
    for (size_t i = 0; i < database->step_count && i < pipeline->count; i++) {
        if (!row_is_passed(&database->steps[i])) {
            *ret_index = i;
            return &pipeline->steps[i];
        }
    }
    return NULL;
}

/* Of the first row of the switchover that is not passed; NULL when all are. */
static const struct step_status *open_switchover_row(const struct refresh_status *status)
{
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        if (!row_is_passed(&status->switchover_steps[i]))
            return &status->switchover_steps[i];
    }
    return NULL;
}

static const char *switchover_phase(const struct refresh_status *status)
{
    const struct step_status *row = open_switchover_row(status);
    const struct step *step = row ? workflow_switchover_step(row->name) : NULL;

    return step ? step->phase : "SwitchingOver";
}

/* The stage of the database that is furthest behind; the switchover's when all are through. */
static const char *phase_of(const struct summary_input *in)
{
    const char *phase = NULL;
    int64_t least = INT64_MAX;

    for (size_t i = 0; i < in->status->database_count; i++) {
        const struct database_status *database = &in->status->databases[i];
        const struct database_spec *spec = refresh_database(in->spec, database->name);
        const struct step *step;
        size_t index;

        if (!spec)
            continue;
        step = first_open_step(database, workflow_pipeline(spec->kind), &index);
        if (step && database_share(database, workflow_pipeline(spec->kind)) < least) {
            least = database_share(database, workflow_pipeline(spec->kind));
            phase = step->phase;
        }
    }
    return phase ? phase : switchover_phase(in->status);
}

static bool pipelines_passed(const struct refresh_status *status)
{
    for (size_t i = 0; i < status->database_count; i++) {
        for (size_t k = 0; k < status->databases[i].step_count; k++) {
            if (!row_is_passed(&status->databases[i].steps[k]))
                return false;
        }
    }
    return status->database_count > 0;
}

/* The end that was expected when the run began, or went on, holds until it has passed. */
static void set_progress(const struct summary_input *in)
{
    struct refresh_status *status = in->status;
    int64_t percent = percent_of(in), left_ms = status->estimated_completion_ms - in->now_ms;
    char left[TIME_TEXT_MAX];
    AUTO_FREE char *text = NULL;

    if (percent > status->percent)
        status->percent = percent;
    if (left_ms > 0) {
        if (left_ms >= HOURS(1))
            snprintf(left, sizeof(left), "%lldh%02lldm", (long long)(left_ms / HOURS(1)),
                     (long long)(left_ms / MINUTES(1) % 60));
        else
            snprintf(left, sizeof(left), "%lldm", (long long)((left_ms + MINUTES(1) - 1) / MINUTES(1)));
        text = xasprintf("%lld%% ~%s", (long long)status->percent, left);
    } else {
        status->estimated_completion_ms = 0;
        text = xasprintf("%lld%%", (long long)status->percent);
    }
    text_replace(&status->progress_text, text);
}

static void set(const struct summary_input *in, const char *type, enum condition_status value,
                const char *reason, const char *message)
{
    status_set_condition(in->status, type, value, reason, message, in->generation, in->now_ms);
}

/* How the copies differ from what was asked for, and from the copies in use: what the Settings steps have
 * found. */
static char *restored_message(const struct refresh_status *status)
{
    AUTO_BUF struct buf text = BUF_MAX(4 * KIB);

    buf_adds(&text, "Every database has a copy in staging that is ready to be used");
    for (size_t i = 0; i < status->database_count; i++) {
        const struct database_status *database = &status->databases[i];

        for (size_t k = 0; k < database->step_count; k++) {
            const char *found = step_evidence(&database->steps[k], DIFFERENCES_EVIDENCE),
                       *remarks = step_evidence(&database->steps[k], REMARKS_EVIDENCE);

            if (found)
                buf_addf(&text, "; %s differs: %s", database->name, found);
            if (remarks)
                buf_addf(&text, "; about %s: %s", database->name, remarks);
        }
    }
    return buf_take(&text);
}

static void set_database_percents(const struct summary_input *in)
{
    for (size_t i = 0; i < in->status->database_count; i++) {
        struct database_status *database = &in->status->databases[i];
        const struct database_spec *spec = refresh_database(in->spec, database->name);

        if (spec)
            database->percent = database_share(database, workflow_pipeline(spec->kind)) / 10;
    }
}

static void set_milestones(const struct summary_input *in)
{
    bool restored = pipelines_passed(in->status);
    AUTO_FREE char *message = restored_message(in->status);

    set_database_percents(in);
    set(in, "Restored", restored ? CONDITION_TRUE : CONDITION_FALSE,
        restored ? "AllCopiesReady" : "InProgress", restored ? message : "Copies are being made");
}

/* The gate that the switchover waits at, with a message of what for; NULL: at none. */
static const struct step_status *waiting_gate(const struct refresh_status *status)
{
    const struct step_status *row = pipelines_passed(status) ? open_switchover_row(status) : NULL;
    const struct step *step = row ? workflow_switchover_step(row->name) : NULL;

    return step && step->every_pass && row->state == STEP_RUNNING && row->message ? row : NULL;
}

/* What follows when nothing is left to change, under way; NULL: it is not. */
static const struct step_status *last_row(const struct refresh_status *status)
{
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        const struct step_status *row = &status->switchover_steps[i];
        const struct step *step = workflow_switchover_step(row->name);

        if (step && step->at_end && row_is_under_way(row))
            return row;
    }
    return NULL;
}

static char *what_is_left(const struct refresh_status *status)
{
    AUTO_BUF struct buf text = BUF_MAX(2 * KIB);

    for (size_t i = 0; i < status->switchover_step_count; i++) {
        const struct step_status *row = &status->switchover_steps[i];

        if (row_left(row))
            buf_addf(&text, "%s%s (%s)", text.len ? "; " : "", row->name, row_left(row));
    }
    return text.len ? buf_take(&text) : NULL;
}

/* What staging uses after a failure: rows of the switchover that were done are on the copies. Yours. */
static char *what_staging_uses(const struct refresh_status *status)
{
    AUTO_FREE char *left = what_is_left(status);
    size_t done = 0, changing = 0;

    for (size_t i = 0; i < status->switchover_step_count; i++) {
        const struct step *step = workflow_switchover_step(status->switchover_steps[i].name);

        if (!step || !step->undo) /* it changes nothing */
            continue;
        changing++;
        done += row_is_passed(&status->switchover_steps[i]);
    }
    if (left)
        return xasprintf("Staging is half switched over, for this could not be put back: %s", left);
    if (!done)
        return xstrdup("Staging uses what it used before");
    return xstrdup(done == changing ? "Staging uses the copies"
                                    : "Staging is partly switched over: status.switchover.steps "
                                      "says what uses the copies (Done) and what does not");
}

/* And what could not be removed, where there is such. */
static char *success_message(const struct refresh_status *status)
{
    const char *left = NULL;

    for (size_t i = 0; i < status->switchover_step_count; i++) {
        const struct step_status *row = &status->switchover_steps[i];

        if (step_evidence(row, "left"))
            left = row->message;
    }
    return xasprintf("Staging uses the copies of run %s%s%s%s%s%s", status_copies_run(status),
                     status->run.copies_of ? " (run " : "", status->run.copies_of ? status->run.id : "",
                     status->run.copies_of ? " has put it back onto them)" : "", left ? "; " : "",
                     left ? left : "");
}

static void set_given_up(const struct summary_input *in)
{
    AUTO_FREE char *uses = what_staging_uses(in->status);
    AUTO_FREE char *left = what_is_left(in->status);

    set(in, "SwitchedOver", CONDITION_FALSE, left ? "Mixed" : "PutBack", uses);
}

/* All is switched over, or put back; what is not kept is being deleted. */
static void set_over_but_for_last(const struct summary_input *in)
{
    AUTO_FREE char *message = success_message(in->status);

    if (rows_run_failed(in->status))
        set_given_up(in);
    else
        set(in, "SwitchedOver", CONDITION_TRUE, "AllSwitched", message);
}

/* While the switchover is being put back staging is neither wholly old nor wholly new: what is still new is
 * listed. */
static void set_switched_over(const struct summary_input *in)
{
    AUTO_BUF struct buf mixed = BUF_MAX(900);

    const struct step_status *gate = waiting_gate(in->status);

    if (last_row(in->status)) {
        set_over_but_for_last(in);
        return;
    }
    if (gate) {
        set(in, "SwitchedOver", CONDITION_FALSE, workflow_switchover_step(gate->name)->phase, gate->message);
        return;
    }
    if (!rows_switchover_failed(in->status)) {
        set(in, "SwitchedOver", CONDITION_FALSE, "NotYet",
            "Staging uses what it used before, or is being switched over");
        return;
    }
    buf_adds(&mixed, "The switchover is being put back; not yet as before:");
    for (size_t i = 0; i < in->status->switchover_step_count; i++) {
        const struct step_status *row = &in->status->switchover_steps[i];
        bool open = row->state == STEP_DONE || row->state == STEP_RUNNING || row->state == STEP_INTENDED ||
                    (row->state == STEP_FAILED && !step_evidence(row, EVIDENCE_UNDONE));

        if (open)
            buf_addf(&mixed, " %s", row->name);
    }
    set(in, "SwitchedOver", CONDITION_FALSE, "Mixed", buf_text(&mixed));
}

/* "main: Copy; sessions: Restore" */
static char *what_is_going_on(const struct summary_input *in)
{
    AUTO_BUF struct buf text = BUF_MAX(900);

    for (size_t i = 0; i < in->status->database_count; i++) {
        const struct database_status *database = &in->status->databases[i];
        const struct database_spec *spec = refresh_database(in->spec, database->name);
        const struct step *step;
        size_t index = 0;

        step = spec ? first_open_step(database, workflow_pipeline(spec->kind), &index) : NULL;
        if (step)
            buf_addf(&text, "%s%s: %s", text.len ? "; " : "", database->name, step->name);
    }
    for (size_t i = 0; i < in->status->switchover_step_count && pipelines_passed(in->status); i++) {
        const struct step_status *row = &in->status->switchover_steps[i];

        if (row->state == STEP_INTENDED || row->state == STEP_RUNNING)
            buf_addf(&text, "%s%s", text.len ? "; " : "",
                     row == waiting_gate(in->status) ? row->message : row->name);
    }
    return text.len ? buf_take(&text) : xstrdup("The run goes on");
}

void summary_running(const struct summary_input *in, const char *blocked_reason, const char *blocked_message,
                     bool suspended)
{
    const struct step_status *last = last_row(in->status);
    const char *phase = last                                 ? workflow_switchover_step(last->name)->phase
                        : rows_switchover_failed(in->status) ? "PuttingBack"
                                                             : phase_of(in);
    AUTO_FREE char *now = what_is_going_on(in);

    text_replace(&in->status->phase, suspended ? "Suspended" : phase);
    in->status->observed_generation = in->generation;
    set_progress(in);
    set_milestones(in);
    set(in, "Ready", CONDITION_UNKNOWN, suspended ? "Suspended" : phase, now);
    set(in, "Succeeded", CONDITION_UNKNOWN, suspended ? "Suspended" : phase, "The run has not ended yet");
    set_switched_over(in);
    /* One of the two: kstatus goes by the first that it meets. */
    if (blocked_message) {
        set(in, "Stalled", CONDITION_TRUE, blocked_reason, blocked_message);
        status_remove_condition(in->status, "Reconciling");
    } else {
        set(in, "Reconciling", CONDITION_TRUE, suspended ? "Suspended" : phase, now);
        status_remove_condition(in->status, "Stalled");
    }
}

bool summary_is_superseded(const struct summary_input *in)
{
    const struct condition *over = status_condition(in->status, "SwitchedOver");

    return over && over->status == CONDITION_TRUE && text_equal(over->reason, REASON_SUPERSEDED);
}

void summary_superseded(const struct summary_input *in, const char *message)
{
    set(in, "SwitchedOver", CONDITION_TRUE, REASON_SUPERSEDED, message);
    set(in, "Succeeded", CONDITION_TRUE, "RunSucceeded", message);
    if (!status_condition(in->status, "Stalled")) /* else another run was asked for and never began */
        set(in, "Ready", CONDITION_TRUE, REASON_SUPERSEDED, message);
    status_remove_condition(in->status, "Drifted");
}

static void set_success(const struct summary_input *in)
{
    AUTO_FREE char *message = success_message(in->status);

    set(in, "SwitchedOver", CONDITION_TRUE, "AllSwitched", message);
    set(in, "Succeeded", CONDITION_TRUE, "RunSucceeded", message);
    set(in, "Ready", CONDITION_TRUE, "RunSucceeded", message);
}

void summary_succeeded(const struct summary_input *in)
{
    AUTO_FREE char *superseded =
        summary_is_superseded(in) ? xstrdup(status_condition(in->status, "SwitchedOver")->message) : NULL;

    in->status->observed_generation = in->generation;
    in->status->percent = 100;
    in->status->estimated_completion_ms = 0;
    text_replace(&in->status->phase, "Succeeded");
    text_replace(&in->status->progress_text, "100%");
    set_milestones(in);
    status_remove_condition(in->status, "Reconciling");
    status_remove_condition(in->status, "Stalled");
    if (superseded)
        summary_superseded(in, superseded);
    else
        set_success(in);
}

void summary_failed(const struct summary_input *in, const char *reason, const char *message)
{
    AUTO_FREE char *uses = what_staging_uses(in->status);
    AUTO_FREE char *sentence = xasprintf("%s. %s", message, uses);
    AUTO_FREE char *percent = xasprintf("%lld%%", (long long)in->status->percent);

    in->status->observed_generation = in->generation;
    in->status->estimated_completion_ms = 0;
    text_replace(&in->status->phase, "Failed");
    text_replace(&in->status->progress_text, percent);
    set_milestones(in);
    set_given_up(in);
    set(in, "Succeeded", CONDITION_FALSE, reason, message);
    set(in, "Ready", CONDITION_FALSE, reason, sentence);
    set(in, "Stalled", CONDITION_TRUE, reason, sentence);
    status_remove_condition(in->status, "Reconciling");
}

bool summary_never_begins(const char *reason)
{
    return text_equal(reason, REASON_FORBIDDEN) || text_equal(reason, REASON_SUPERSEDED);
}

void summary_stalled(const struct summary_input *in, const char *reason, const char *message)
{
    in->status->observed_generation = in->generation;
    text_replace(&in->status->phase, "Stalled");
    set(in, "Ready", CONDITION_FALSE, reason, message);
    set(in, "Stalled", CONDITION_TRUE, reason, message);
    status_remove_condition(in->status, "Reconciling");
}

/* A run is asked for and has not begun; nobody has to do anything about it. */
static void set_waiting(const struct summary_input *in, const char *phase, const char *message)
{
    in->status->observed_generation = in->generation;
    text_replace(&in->status->phase, phase);
    set(in, "Ready", CONDITION_UNKNOWN, phase, message);
    set(in, "Reconciling", CONDITION_TRUE, phase, message);
    status_remove_condition(in->status, "Stalled");
}

void summary_pending(const struct summary_input *in, const char *message)
{
    set_waiting(in, "Pending", message);
}

void summary_queued(const struct summary_input *in, const char *message)
{
    set_waiting(in, "Queued", message);
}

void summary_suspended(const struct summary_input *in, bool wanted)
{
    in->status->observed_generation = in->generation;
    text_replace(&in->status->phase, "Suspended");
    if (wanted || !status_condition(in->status, "Ready"))
        set(in, "Ready", CONDITION_UNKNOWN, "Suspended",
            "The run that is asked for does not begin while spec.suspend is true");
    status_remove_condition(in->status, "Reconciling");
    status_remove_condition(in->status, "Stalled");
}

void summary_deleting(const struct summary_input *in, const char *message)
{
    in->status->observed_generation = in->generation;
    in->status->estimated_completion_ms = 0;
    text_replace(&in->status->phase, "Deleting");
    set(in, "Ready", CONDITION_UNKNOWN, "Deleting", message);
    set(in, "Reconciling", CONDITION_TRUE, "Deleting", message);
    status_remove_condition(in->status, "Stalled");
}
