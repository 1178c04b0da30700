/* Which rows of a run are due in this pass. */
#ifndef CONTROLLER_ROWS_H
#define CONTROLLER_ROWS_H

#include "controller/runner.h"

#define STAGES_MAX 256

/* Evidence of a row that is put back: since when, and that it was though it has failed. */
#define EVIDENCE_UNDO_SINCE "undoSince"
#define EVIDENCE_UNDONE "undone"

/* One pass, while it goes on. */
struct work {
    struct pass *pass;
    struct looks *looks;
    struct report *report;
    struct stage stages[STAGES_MAX];
    size_t count;
    bool start_nothing; /* suspended, or the run has failed: only what is under way goes on */
    bool is_undoing;    /* the switchover is given up: what it has changed is put back */
    bool is_suspended;  /* then an intent that may not have been acted on is left alone, too */
    int64_t after_ms;   /* earliest of what is not due yet */
};

/* The rows of one switchover step stand together, in the order of the table. */
struct row_range {
    const struct step *step;
    size_t first, count;
};

/* Fills in work->stages and work->after_ms. */
void rows_collect(struct work *work);
struct row_range rows_of_step(const struct work *work, size_t step_index);
struct stage rows_stage(const struct work *work, const struct row_range *range, size_t index);
/* Something is due again no later than that. */
void rows_not_before(struct work *work, int64_t after_ms);
/* Unique within an object: "main/Copy", "/Proxies/shop-stg"; yours. */
char *rows_key(const struct stage *stage);

/* Adds what a run that has failed does last: call once all else is over. */
void rows_collect_last(struct work *work);
/* False while that is to be waited for; while the object is suspended it never begins. */
bool rows_last_is_over(const struct work *work);
/* Some row has failed. */
bool rows_run_failed(const struct refresh_status *status);

bool row_is_over(const struct step_status *row);
bool row_is_under_way(const struct step_status *row);
bool row_is_passed(const struct step_status *row);
/* Why a row of a switchover that was given up could not be put back; NULL: it was, or is not given up on. */
const char *row_left(const struct step_status *row);
#define EVIDENCE_LEFT "notPutBack"
/* Touched by a switchover that is given up, and not put back yet. */
bool stage_needs_undo(const struct stage *stage);
/* The switchover is given up: what it has changed is put back. */
bool rows_switchover_failed(const struct refresh_status *status);

#endif
