#include "pkg/refresh/progress.h"

#include "pkg/base/terminal.h"
#include "pkg/base/times.h"

#define NAME_COLUMNS_MAX 24
#define STEP_COLUMNS 10
#define BAR_COLUMNS 24
#define BAR_FROM_WIDTH 64 /* narrower terminals go without a bar */
#define LINE_BYTES_MAX (4 * KIB)
#define SWITCHOVER "switchover"

static const char *const colors[] = {[MOOD_TITLE] = "\033[1m",
                                     [MOOD_GOOD] = "\033[32m",
                                     [MOOD_TROUBLED] = "\033[33m",
                                     [MOOD_BAD] = "\033[31m"};

static bool is_passed(const struct step_status *row)
{
    return row->state == STEP_DONE || row->state == STEP_SKIPPED;
}

static bool is_troubled(const struct step_status *row)
{
    return step_evidence(row, "failures") != NULL;
}

/* The step a database is at; NULL when it is through. */
static const struct step_status *current_step(const struct database_status *database)
{
    for (size_t i = 0; i < database->step_count; i++) {
        if (!is_passed(&database->steps[i]))
            return &database->steps[i];
    }
    return NULL;
}

/* --- lines --- */

void progress_add_line(const struct progress_view *view, enum progress_mood mood, const struct buf *line,
                       struct buf *out)
{
    bool colored = view->color && colors[mood];
    size_t len = line->len;
    AUTO_FREE char *text = NULL;

    while (len && line->data[len - 1] == ' ') /* of a column that nothing follows */
        len--;
    text = str_dup((struct str){.ptr = buf_text(line), .len = len});
    if (colored)
        buf_adds(out, colors[mood]);
    terminal_add_text(text, view->width > 1 ? view->width - 1 : 1, out);
    if (colored)
        buf_adds(out, "\033[0m");
    buf_addc(out, '\n');
}

static int64_t elapsed_ms(int64_t start_ms, int64_t end_ms)
{
    return end_ms > start_ms ? end_ms - start_ms : 0;
}

void progress_add_elapsed(struct buf *line, int64_t start_ms, int64_t end_ms)
{
    char text[TIME_TEXT_MAX] = "";

    if (start_ms)
        duration_text(elapsed_ms(start_ms, end_ms), text);
    buf_addf(line, " %7s", text);
}

static void add_bar(struct buf *line, int64_t percent)
{
    int filled = (int)(percent * BAR_COLUMNS / 100);

    buf_addc(line, '[');
    for (int i = 0; i < BAR_COLUMNS; i++)
        buf_addc(line, i < filled ? '=' : i == filled && percent ? '>' : ' ');
    buf_addc(line, ']');
}

void progress_add_title(const struct progress_view *view, struct buf *line)
{
    const struct refresh_status *status = view->status;

    buf_addf(line, "%s  %s", view->title, status->phase ? status->phase : "Starting");
    if (status->progress_text)
        buf_addf(line, "  %s", status->progress_text);
    if (status->run.id) {
        char elapsed[TIME_TEXT_MAX];

        duration_text(elapsed_ms(status->run.start_ms,
                                 status->run.completion_ms ? status->run.completion_ms : view->now_ms),
                      elapsed);
        buf_addf(line, "  run %s  %s", status->run.id, elapsed);
    }
}

static void render_title(const struct progress_view *view, struct buf *out)
{
    AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);

    progress_add_title(view, &line);
    progress_add_line(view, MOOD_TITLE, &line, out);
}

static int name_columns(const struct progress_view *view)
{
    size_t columns = strlen(SWITCHOVER);

    for (size_t i = 0; i < view->status->database_count; i++) {
        size_t len = strlen(view->status->databases[i].name);

        columns = len > columns ? len : columns;
    }
    return columns < NAME_COLUMNS_MAX ? (int)columns : NAME_COLUMNS_MAX;
}

enum progress_mood progress_mood(const struct step_status *row)
{
    if (!row)
        return MOOD_GOOD;
    if (row->state == STEP_FAILED)
        return MOOD_BAD;
    return is_troubled(row) ? MOOD_TROUBLED : MOOD_PLAIN;
}

static int64_t last_completion_ms(const struct database_status *database)
{
    int64_t last_ms = 0;

    for (size_t i = 0; i < database->step_count; i++) {
        if (database->steps[i].completion_ms > last_ms)
            last_ms = database->steps[i].completion_ms;
    }
    return last_ms;
}

enum progress_mood progress_add_database(const struct progress_view *view,
                                         const struct database_status *database, struct buf *line)
{
    const struct step_status *row = current_step(database);
    bool over = !row || row->state == STEP_FAILED;

    buf_addf(line, "%-*.*s  %-*s ", name_columns(view), NAME_COLUMNS_MAX, database->name, STEP_COLUMNS,
             row ? row->name : "Ready");
    if (view->width >= BAR_FROM_WIDTH)
        add_bar(line, database->percent);
    buf_addf(line, " %3d%%", (int)database->percent);
    progress_add_elapsed(line, database->step_count ? database->steps[0].start_ms : 0,
                         over ? last_completion_ms(database) : view->now_ms);
    return progress_mood(row);
}

static void render_database(const struct progress_view *view, const struct database_status *database,
                            struct buf *out)
{
    const struct step_status *row = current_step(database);
    AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);
    enum progress_mood mood;

    buf_adds(&line, "  ");
    mood = progress_add_database(view, database, &line);
    if (row && row->message)
        buf_addf(&line, "  %s%s", row->state == STEP_FAILED ? "failed: " : "", row->message);
    progress_add_line(view, mood, &line, out);
}

/* The entry to show: one that failed or is in trouble before one that is just under way. */
static const struct step_status *switchover_row(const struct refresh_status *status)
{
    const struct step_status *shown = NULL;

    for (size_t i = 0; i < status->switchover_step_count; i++) {
        const struct step_status *row = &status->switchover_steps[i];

        if (is_passed(row) || row->state == STEP_WAITING)
            continue;
        if (!shown || progress_mood(row) > progress_mood(shown))
            shown = row;
    }
    return shown;
}

enum progress_mood progress_add_switchover(const struct progress_view *view, struct buf *line)
{
    const struct refresh_status *status = view->status;
    const struct step_status *row = switchover_row(status);
    size_t passed = 0;

    for (size_t i = 0; i < status->switchover_step_count; i++)
        passed += is_passed(&status->switchover_steps[i]);
    buf_addf(line, "%-*s  ", name_columns(view), SWITCHOVER);
    if (passed == status->switchover_step_count) {
        buf_addf(line, "Done       %zu of %zu", passed, passed);
        return MOOD_GOOD;
    }
    if (!row && !passed)
        buf_adds(line, "Waiting");
    else
        buf_addf(line, "%zu of %zu", passed, status->switchover_step_count);
    return row ? progress_mood(row) : MOOD_PLAIN;
}

static void render_switchover(const struct progress_view *view, struct buf *out)
{
    const struct step_status *row = switchover_row(view->status);
    AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);
    enum progress_mood mood;

    buf_adds(&line, "  ");
    mood = progress_add_switchover(view, &line);
    if (row)
        buf_addf(&line, "  %s%s%s%s", row->name, row->state == STEP_FAILED ? ": failed" : "",
                 row->message ? ": " : "", row->message ? row->message : "");
    progress_add_line(view, mood, &line, out);
}

size_t progress_render(const struct progress_view *view, struct buf *out)
{
    const struct refresh_status *status = view->status;
    size_t room = view->height > 4 ? (size_t)view->height - 4 : view->height ? 1 : SIZE_MAX;
    size_t shown = status->database_count < room ? status->database_count : room;
    size_t lines = 1 + shown;

    render_title(view, out);
    for (size_t i = 0; i < shown; i++)
        render_database(view, &status->databases[i], out);
    if (shown < status->database_count) {
        AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);

        buf_addf(&line, "  ... and %zu more", status->database_count - shown);
        progress_add_line(view, MOOD_PLAIN, &line, out);
        lines++;
    }
    if (status->switchover_step_count) {
        render_switchover(view, out);
        lines++;
    }
    return lines;
}

/* --- changes --- */

static const struct step_status *find_step(const struct step_status *steps, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(steps[i].name, name))
            return &steps[i];
    }
    return NULL;
}

static bool texts_differ(const char *a, const char *b)
{
    return !text_equal(a ? a : "", b ? b : "");
}

static void compare_step(const struct step_status *before, const struct step_status *after,
                         const char *database, progress_change_fn *fn, void *arg)
{
    static const struct step_status nothing = {.state = STEP_WAITING};
    const struct progress_change change = {
        .database = database,
        .step = after->name,
        .state = step_state_name(after->state),
        .state_changed = (before ? before : &nothing)->state != after->state,
        .is_troubled = is_troubled(after),
        .percent = after->percent,
        .message = after->message ? after->message : "",
    };

    if (!before)
        before = &nothing;
    if (change.state_changed || before->percent != after->percent ||
        texts_differ(before->message, after->message))
        fn(arg, &change);
}

static const struct database_status *find_database(const struct refresh_status *status, const char *name)
{
    for (size_t i = 0; status && i < status->database_count; i++) {
        if (text_equal(status->databases[i].name, name))
            return &status->databases[i];
    }
    return NULL;
}

static void compare_database(const struct database_status *before, const struct database_status *after,
                             progress_change_fn *fn, void *arg)
{
    for (size_t i = 0; i < after->step_count; i++) {
        const struct step_status *row = &after->steps[i];

        compare_step(before ? find_step(before->steps, before->step_count, row->name) : NULL, row,
                     after->name, fn, arg);
    }
}

void progress_changes(const struct refresh_status *before, const struct refresh_status *after,
                      progress_change_fn *fn, void *arg)
{
    /* Rows of another run are not what these rows were. */
    if (before && texts_differ(before->run.id, after->run.id))
        before = NULL;
    if (texts_differ(before ? before->phase : NULL, after->phase))
        fn(arg, &(struct progress_change){.phase = after->phase, .message = ""});
    for (size_t i = 0; i < after->database_count; i++)
        compare_database(find_database(before, after->databases[i].name), &after->databases[i], fn, arg);
    for (size_t i = 0; i < after->switchover_step_count; i++) {
        const struct step_status *row = &after->switchover_steps[i];

        compare_step(before ? find_step(before->switchover_steps, before->switchover_step_count, row->name)
                            : NULL,
                     row, NULL, fn, arg);
    }
}

void progress_json_line(const struct progress_change *change, int64_t now_ms, struct buf *out)
{
    AUTO_JSON struct json *line = json_new_object();
    char time[TIME_TEXT_MAX];

    time_rfc3339_ms(now_ms, time);
    json_set_text(line, "time", time);
    json_set_text(line, "phase", change->phase);
    if (!change->phase) {
        json_set_text(line, "database", change->database);
        json_set_text(line, "step", change->step);
        json_set_text(line, "state", change->state);
        json_set_int(line, "percent", change->percent);
        json_set_text(line, "message", change->message);
    }
    json_print(line, out);
    buf_addc(out, '\n');
}

void progress_text_line(const struct progress_change *change, int64_t now_ms, struct buf *out)
{
    AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);
    char time[TIME_TEXT_MAX];

    if (!change->phase && !change->state_changed && !change->is_troubled)
        return;
    time_rfc3339(now_ms, time);
    buf_addf(&line, "%s  ", time);
    if (change->phase)
        buf_adds(&line, change->phase);
    else
        buf_addf(&line, "%s: %s: %s%s%s", change->database ? change->database : SWITCHOVER, change->step,
                 change->state, *change->message ? ": " : "", change->message);
    terminal_add_text(buf_text(&line), INT32_MAX, out);
    buf_addc(out, '\n');
}

/* --- the end --- */

void progress_json_result(const struct json *object, struct buf *out)
{
    AUTO_JSON struct json *result = json_new_object();
    AUTO_JSON struct json *nothing = json_new_object();
    const struct json *status = json_member(object, "status");

    json_set_text(result, "phase", json_get_text(status, "phase", ""));
    json_set_text(result, "runID", json_get_text(status, "run.id", ""));
    json_set_copy(result, "status", status ? status : nothing);
    json_print(result, out);
    buf_addc(out, '\n');
}

static const struct condition *find_condition(const struct refresh_status *status, const char *type)
{
    for (size_t i = 0; i < status->condition_count; i++) {
        if (text_equal(status->conditions[i].type, type))
            return &status->conditions[i];
    }
    return NULL;
}

void progress_text_result(const struct refresh_status *status, struct buf *out)
{
    const struct condition *ready = find_condition(status, "Ready");
    bool succeeded = text_equal(status->phase, "Succeeded");
    AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);

    if (!succeeded && !text_equal(status->phase, "Failed"))
        return;
    buf_adds(&line, status->phase);
    if (status->run.start_ms && status->run.completion_ms) {
        char took[TIME_TEXT_MAX];

        duration_text(status->run.completion_ms - status->run.start_ms, took);
        buf_addf(&line, " after %s", took);
    }
    if (ready && ready->message)
        buf_addf(&line, ": %s", ready->message);
    terminal_add_text(buf_text(&line), INT32_MAX, out);
    buf_addc(out, '\n');
    for (size_t i = 0; succeeded && i < status->database_count; i++) {
        const struct database_status *database = &status->databases[i];

        buf_addf(out, "  %s: %s%s%s\n", database->name,
                 database->copy_identifier ? database->copy_identifier : "?",
                 database->endpoint ? " at " : "", database->endpoint ? database->endpoint : "");
    }
}
