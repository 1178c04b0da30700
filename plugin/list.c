#include "plugin/list.h"

#include "pkg/base/times.h"
#include "pkg/refresh/progress.h"
#include "plugin/facts.h"

#define COLUMNS 6
#define LINE_BYTES_MAX (4 * KIB)
#define UNCUT 4000 /* columns */

struct cells {
    char *texts[COLUMNS + 1]; /* the last one is the note, which has no width */
    enum progress_mood mood;
};

static const char *const headings[COLUMNS + 1] = {"NAMESPACE", "NAME", "PHASE", "PROGRESS",
                                                  "RUN",       "TIME", "NOTE"};

static void free_cells(struct cells *cells)
{
    for (size_t i = 0; i <= COLUMNS; i++)
        xfree(cells->texts[i]);
}

static enum progress_mood mood_of(const struct refresh_status *status)
{
    if (facts_is_true(status, "Stalled"))
        return MOOD_BAD;
    if (facts_is_true(status, "Drifted") || facts_awaits_approval(status))
        return MOOD_TROUBLED;
    return facts_is_true(status, "Ready") ? MOOD_GOOD : MOOD_PLAIN;
}

static const char *note_of(const struct refresh_status *status)
{
    static const char *const types[] = {"Stalled", "Drifted", "Reconciling"};

    if (facts_awaits_approval(status))
        return "waits for approval";
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (facts_is_true(status, types[i]))
            return facts_condition(status, types[i])->message;
    }
    return "";
}

static char *time_of(const struct refresh_status *status, int64_t now_ms)
{
    int64_t end_ms = status->run.completion_ms ? status->run.completion_ms : now_ms;
    char text[TIME_TEXT_MAX] = "";

    if (status->run.start_ms && end_ms > status->run.start_ms)
        duration_text(end_ms - status->run.start_ms, text);
    return xstrdup(text);
}

static void fill(struct cells *cells, const struct json *object, int64_t now_ms)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = NULL;
    AUTO_ERR struct err *err = refresh_status_parse(json_member(object, "status"), &status);

    cells->texts[0] = xstrdup(json_get_text(object, "metadata.namespace", ""));
    cells->texts[1] = xstrdup(json_get_text(object, "metadata.name", ""));
    if (err) {
        cells->texts[COLUMNS] = xasprintf("its status cannot be read: %s", err_text(err));
        cells->mood = MOOD_BAD;
        return;
    }
    cells->texts[2] = xstrdup(status->phase ? status->phase : "New");
    cells->texts[3] = xstrdup(status->progress_text ? status->progress_text : "");
    cells->texts[4] = xstrdup(status->run.id ? status->run.id : "");
    cells->texts[5] = time_of(status, now_ms);
    cells->texts[COLUMNS] = xstrdup(note_of(status));
    cells->mood = mood_of(status);
}

static void measure(const struct cells *rows, size_t count, int widths[COLUMNS])
{
    for (size_t k = 0; k < COLUMNS; k++) {
        size_t width = strlen(headings[k]);

        for (size_t i = 0; i < count; i++) {
            size_t len = rows[i].texts[k] ? strlen(rows[i].texts[k]) : 0;

            width = len > width ? len : width;
        }
        widths[k] = (int)width;
    }
}

static void add_row(const struct list_view *view, const char *const *texts, enum progress_mood mood,
                    const int widths[COLUMNS], struct buf *out)
{
    const struct progress_view progress = {.width = view->width ? view->width : UNCUT, .color = view->color};
    AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);

    for (size_t k = view->namespaces ? 0 : 1; k < COLUMNS; k++)
        buf_addf(&line, "%-*s   ", widths[k], texts[k] ? texts[k] : "");
    buf_adds(&line, texts[COLUMNS] ? texts[COLUMNS] : "");
    progress_add_line(&progress, mood, &line, out);
}

size_t list_render(const struct list_view *view, struct buf *out)
{
    struct cells *rows = xcalloc(view->count ? view->count : 1, sizeof(*rows));
    int widths[COLUMNS];

    for (size_t i = 0; i < view->count; i++)
        fill(&rows[i], view->objects[i], view->now_ms);
    measure(rows, view->count, widths);
    add_row(view, headings, MOOD_TITLE, widths, out);
    for (size_t i = 0; i < view->count; i++)
        add_row(view, (const char *const *)rows[i].texts, rows[i].mood, widths, out);
    for (size_t i = 0; i < view->count; i++)
        free_cells(&rows[i]);
    xfree(rows);
    return view->count + 1;
}
