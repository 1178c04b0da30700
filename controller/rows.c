#include "controller/rows.h"

void rows_not_before(struct work *work, int64_t after_ms)
{
    if (after_ms < work->after_ms)
        work->after_ms = after_ms > 0 ? after_ms : 0;
}

char *rows_key(const struct stage *stage)
{
    return xasprintf("%s/%s", stage->database ? stage->database->name : "", stage->row->name);
}

bool row_is_over(const struct step_status *row)
{
    return row->state == STEP_DONE || row->state == STEP_FAILED || row->state == STEP_SKIPPED ||
           row->state == STEP_UNDONE;
}

bool row_is_under_way(const struct step_status *row)
{
    return row->state == STEP_INTENDED || row->state == STEP_RUNNING;
}

const char *row_left(const struct step_status *row)
{
    return row->state == STEP_FAILED ? step_evidence(row, EVIDENCE_LEFT) : NULL;
}

bool row_is_passed(const struct step_status *row)
{
    return row->state == STEP_DONE || row->state == STEP_SKIPPED;
}

static void offer(struct work *work, const struct stage *stage)
{
    struct sched *sched = work->pass->env->sched;
    AUTO_FREE char *key = rows_key(stage);
    int64_t due_ms = looks_due_ms(work->looks, work->pass->uid, key), now_ms = sched_now_ms(sched);

    if ((work->start_nothing && stage->row->state == STEP_WAITING) ||
        (work->is_suspended && !work->is_undoing && stage->row->state == STEP_INTENDED))
        return;
    if (due_ms > now_ms && !stage->step->every_pass) {
        rows_not_before(work, due_ms - now_ms);
        return;
    }
    if (work->count == STAGES_MAX)
        return;
    work->stages[work->count] = *stage;
    work->stages[work->count].heard_ms = looks_heard_ms(work->looks, work->pass->uid, key, now_ms);
    work->stages[work->count].is_told = looks_is_told(work->looks, work->pass->uid, key);
    work->stages[work->count++].watched_ms = looks_watched_ms(work->looks, work->pass->uid, key, now_ms);
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

        if (row_is_passed(stage.row))
            continue;
        if (!row_is_over(stage.row))
            offer(work, &stage);
        return false;
    }
    return copy != NULL;
}

struct row_range rows_of_step(const struct work *work, size_t step_index)
{
    const struct step_table *table = workflow_switchover();
    struct row_range range = {.step = &table->steps[step_index]};
    size_t total = work->pass->status->switchover_step_count;

    for (size_t k = 0; k < step_index; k++)
        range.first += workflow_entry_count(&table->steps[k], work->pass->spec);
    range.count = workflow_entry_count(range.step, work->pass->spec);
    if (range.first + range.count > total) /* a status of another version: leave alone what we do not know */
        range.count = range.first < total ? total - range.first : 0;
    return range;
}

struct stage rows_stage(const struct work *work, const struct row_range *range, size_t index)
{
    return (struct stage){.pass = work->pass,
                          .step = range->step,
                          .row = &work->pass->status->switchover_steps[range->first + index],
                          .index = index};
}

static void offer_switchover(struct work *work)
{
    for (size_t k = 0; k < workflow_switchover()->count; k++) {
        struct row_range range = rows_of_step(work, k);
        bool passed = true;

        for (size_t i = 0; i < range.count; i++) {
            struct stage stage = rows_stage(work, &range, i);

            passed = passed && row_is_passed(stage.row);
            if (!row_is_over(stage.row))
                offer(work, &stage);
            if (!passed && range.step->in_order)
                return;
        }
        if (!passed)
            return; /* the next step waits for every entry of this one */
    }
}

/* --- putting back --- */

/* Some row has acted, or may have. */
static bool was_touched(const struct refresh_status *status)
{
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        const struct step_status *row = &status->switchover_steps[i];
        const struct step *step = workflow_switchover_step(row->name);

        if (step && step->undo && row->start_ms && row->state != STEP_WAITING && row->state != STEP_SKIPPED)
            return true;
    }
    return false;
}

bool stage_needs_undo(const struct stage *stage)
{
    const struct step_status *row = stage->row;
    bool has_failed = row->state == STEP_FAILED;

    if (!stage->step->undo || row->state == STEP_SKIPPED || row->state == STEP_UNDONE || row_left(row) ||
        (has_failed && step_evidence(row, EVIDENCE_UNDONE)))
        return false;
    /* Who reads what has been changed may have read it, by itself, though its row never began. */
    if (row->state == STEP_WAITING || (has_failed && !row->start_ms))
        return stage->step->undo_last && was_touched(stage->pass->status);
    return true;
}

/* What is not put back of a step. */
enum rest {
    REST_NONE,
    REST_STUCK, /* rows that have met nothing but errors */
    REST_OPEN,
};

/* So many in a row are no hiccup. */
#define STUCK_AFTER 3

static bool is_stuck(const struct step_status *row)
{
    return step_evidence(row, EVIDENCE_UNDO_SINCE) && step_evidence_ms(row, "failures", 0) >= STUCK_AFTER;
}

static enum rest offer_undo_of(struct work *work, const struct row_range *range)
{
    enum rest rest = REST_NONE;

    for (size_t i = 0; i < range->count; i++) {
        struct stage stage = rows_stage(work, range, i);

        if (stage_needs_undo(&stage)) {
            if (rest != REST_OPEN)
                rest = is_stuck(stage.row) ? REST_STUCK : REST_OPEN;
            if (stage.row->state == STEP_WAITING) {
                stage.row->state = STEP_INTENDED;
                stage.row->start_ms = work->pass->now_ms;
            }
            offer(work, &stage);
        } else if (!stage.step->undo && !stage.step->at_end && row_is_under_way(stage.row)) {
            offer(work, &stage); /* nothing to put back: it runs to its end */
        }
    }
    return rest;
}

/* One step after the other, from the last to the first; what is stuck is tried again and holds up no other
 * step. True when nothing is left. */
static bool offer_undo_steps(struct work *work, bool last)
{
    bool clean = true;

    for (size_t k = workflow_switchover()->count; k-- > 0;) {
        struct row_range range = rows_of_step(work, k);
        enum rest rest = range.step->undo_last == last ? offer_undo_of(work, &range) : REST_NONE;

        if (rest == REST_OPEN)
            return false;
        clean = clean && rest == REST_NONE;
    }
    return clean;
}

/* Who reads what the others have changed waits for what is stuck, too: what went back after it would not be
 * read. */
static void offer_undo(struct work *work)
{
    if (offer_undo_steps(work, false))
        offer_undo_steps(work, true);
}

void rows_collect(struct work *work)
{
    bool all_passed = true;

    for (size_t i = 0; i < work->pass->spec->database_count; i++)
        all_passed = offer_database(work, &work->pass->spec->databases[i]) && all_passed;
    if (all_passed && work->is_undoing)
        offer_undo(work);
    else if (all_passed)
        offer_switchover(work);
}

/* --- the last of a run that has failed --- */

void rows_collect_last(struct work *work)
{
    for (size_t k = 0; k < workflow_switchover()->count; k++) {
        struct row_range range = rows_of_step(work, k);

        for (size_t i = 0; range.step->at_end && i < range.count; i++) {
            struct stage stage = rows_stage(work, &range, i);

            work->start_nothing = work->is_suspended;
            if (!row_is_over(stage.row))
                offer(work, &stage);
        }
    }
}

bool rows_last_is_over(const struct work *work)
{
    for (size_t k = 0; k < workflow_switchover()->count; k++) {
        struct row_range range = rows_of_step(work, k);

        for (size_t i = 0; range.step->at_end && i < range.count; i++) {
            const struct step_status *row = rows_stage(work, &range, i).row;

            if (!row_is_over(row) && !(work->is_suspended && row->state == STEP_WAITING))
                return false;
        }
    }
    return true;
}

static bool has_failed_row(const struct step_status *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].state == STEP_FAILED)
            return true;
    }
    return false;
}

bool rows_run_failed(const struct refresh_status *status)
{
    for (size_t i = 0; i < status->database_count; i++) {
        if (has_failed_row(status->databases[i].steps, status->databases[i].step_count))
            return true;
    }
    return rows_switchover_failed(status);
}

bool rows_switchover_failed(const struct refresh_status *status)
{
    return has_failed_row(status->switchover_steps, status->switchover_step_count);
}
