/* How a run looks to people and programs: a picture of its state for a terminal, and what has changed between
 * two states, as lines. Pure functions of what they are given; who prints, and when, is for their callers.
 */
#ifndef REFRESH_PROGRESS_H
#define REFRESH_PROGRESS_H

#include "pkg/base/buf.h"
#include "pkg/refresh/status.h"

struct progress_view {
    const char *title; /* "staging/shop" */
    const struct refresh_status *status;
    int64_t now_ms; /* wall clock */
    int width;      /* columns; lines are shorter by one, so that none wraps */
    int height;     /* rows; 0: any number */
    bool color;
};

/* Appends the picture, one line per database and one for the switchover, each ending in a newline. Gives the
 * number of lines. */
size_t progress_render(const struct progress_view *view, struct buf *out);

/* --- the parts of the picture, for those who draw another one --- */

enum progress_mood { MOOD_PLAIN, MOOD_TITLE, MOOD_GOOD, MOOD_TROUBLED, MOOD_BAD };
/* Of a step: failed, in trouble, or just there. NULL: all are done. */
enum progress_mood progress_mood(const struct step_status *row);
/* Appends the line in its color, cut to the width, with its end. */
void progress_add_line(const struct progress_view *view, enum progress_mood mood, const struct buf *line,
                       struct buf *out);
/* These append to a line: the refresh as a whole; "main  Copy  [====>  ]  29%   5m05s"; "switchover  1 of 2";
 * and seven columns of how long something took (nothing when it has not begun). */
void progress_add_title(const struct progress_view *view, struct buf *line);
enum progress_mood progress_add_database(const struct progress_view *view,
                                         const struct database_status *database, struct buf *line);
enum progress_mood progress_add_switchover(const struct progress_view *view, struct buf *line);
void progress_add_elapsed(struct buf *line, int64_t start_ms, int64_t end_ms);

/* --- changes --- */

struct progress_change {
    const char *phase;    /* set: the run as a whole; nothing else is */
    const char *database; /* NULL: a step of the switchover */
    const char *step;
    const char *state; /* "Running" */
    bool state_changed;
    bool is_troubled; /* the last tries failed; message says how */
    int64_t percent;
    const char *message; /* never NULL */
};
typedef void progress_change_fn(void *arg, const struct progress_change *change);
/* Calls `fn` for each difference of phase, state, percent or message; texts live as long as `after`. `before`
 * NULL: everything that is not just waiting is new. */
void progress_changes(const struct refresh_status *before, const struct refresh_status *after,
                      progress_change_fn *fn, void *arg);

/* One change as a line: JSON for programs, or a sentence for people. */
void progress_json_line(const struct progress_change *change, int64_t now_ms, struct buf *out);
void progress_text_line(const struct progress_change *change, int64_t now_ms, struct buf *out);
/* The last line for programs: {"phase", "runID", "status"}. */
void progress_json_result(const struct json *object, struct buf *out);
/* The last lines for people: how it ended, and what staging uses. Nothing for a run that has not. */
void progress_text_result(const struct refresh_status *status, struct buf *out);

#endif
