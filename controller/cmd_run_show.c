#include "controller/cmd_run_show.h"

#include "pkg/base/terminal.h"

#define REDRAW_MS 200        /* between two pictures */
#define CLOCK_MS SECONDS(1)  /* elapsed times go on without news */
#define OUTPUT_MAX (4 * MIB) /* one status, and what is drawn of it */

struct show {
    struct show_opts opts;
    struct refresh_status *status; /* as last seen; NULL: nothing yet */
    bool is_stale;                 /* LIVE: news since the last picture */
    int64_t drawn_ms;              /* sched_now_ms of the last picture; 0: none yet */
    size_t lines;                  /* of the last picture, above the cursor */
};

struct show *show_new(const struct show_opts *opts)
{
    struct show *show = xcalloc(1, sizeof(*show));

    show->opts = *opts;
    return show;
}

void show_free(struct show *show)
{
    if (!show)
        return;
    refresh_status_free(show->status);
    xfree(show);
}

/* --- lines --- */

struct line_printer {
    const struct show *show;
    struct buf out;
};

static void add_change(void *arg, const struct progress_change *change)
{
    struct line_printer *printer = arg;
    int64_t now_ms = sched_wall_ms(printer->show->opts.sched);

    if (printer->show->opts.mode == SHOW_JSON)
        progress_json_line(change, now_ms, &printer->out);
    else
        progress_text_line(change, now_ms, &printer->out);
}

void show_update(struct show *show, const struct json *object)
{
    struct refresh_status *status = NULL;
    struct err *err = refresh_status_parse(json_member(object, "status"), &status);

    if (err) {
        err_ignore(err, "the engine says what is wrong with it");
        return;
    }
    if (show->opts.mode != SHOW_LIVE) {
        struct line_printer printer = {.show = show, .out = BUF_MAX(OUTPUT_MAX)};

        progress_changes(show->status, status, add_change, &printer);
        terminal_print(&printer.out);
        buf_done(&printer.out);
    }
    refresh_status_free(show->status);
    show->status = status;
    show->is_stale = true;
}

/* --- the picture --- */

static void draw(struct show *show)
{
    struct progress_view view = {.title = show->opts.title,
                                 .status = show->status,
                                 .now_ms = sched_wall_ms(show->opts.sched),
                                 .color = show->opts.color};
    AUTO_BUF struct buf out = BUF_MAX(OUTPUT_MAX);

    terminal_measure(&view.width, &view.height);
    terminal_add_erase(show->lines, &out);
    show->lines = progress_render(&view, &out);
    terminal_print(&out);
    show->is_stale = false;
    show->drawn_ms = sched_now_ms(show->opts.sched);
}

int64_t show_draw(struct show *show)
{
    int64_t now_ms = sched_now_ms(show->opts.sched), due_ms;

    if (show->opts.mode != SHOW_LIVE || !show->status)
        return NEVER_MS;
    due_ms = show->drawn_ms ? show->drawn_ms + (show->is_stale ? REDRAW_MS : CLOCK_MS) : now_ms;
    if (now_ms < due_ms)
        return due_ms;
    draw(show);
    return show->drawn_ms + CLOCK_MS;
}

/* --- sentences --- */

static void add_note(const struct show *show, const char *text, struct buf *out)
{
    AUTO_JSON struct json *line = NULL;
    char time[TIME_TEXT_MAX];

    if (show->opts.mode != SHOW_JSON) {
        buf_addf(out, "%s\n", text);
        return;
    }
    line = json_new_object();
    time_rfc3339_ms(sched_wall_ms(show->opts.sched), time);
    json_set_text(line, "time", time);
    json_set_text(line, "message", text);
    json_print(line, out);
    buf_addc(out, '\n');
}

/* A picture moves down to make room for what is said above it. */
void show_note(struct show *show, const char *text)
{
    AUTO_BUF struct buf out = BUF_MAX(OUTPUT_MAX);

    if (show->opts.mode == SHOW_LIVE)
        terminal_add_erase(show->lines, &out);
    add_note(show, text, &out);
    terminal_print(&out);
    show->lines = 0;
    if (show->opts.mode == SHOW_LIVE && show->status)
        draw(show);
}

void show_ask(struct show *show, const char *question)
{
    if (show->status)
        draw(show);
    fputs(question, stdout);
    fflush(stdout);
    show->lines = 0;
}

void show_result(struct show *show, const struct json *object)
{
    AUTO_BUF struct buf out = BUF_MAX(OUTPUT_MAX);

    show_update(show, object);
    if (show->opts.mode == SHOW_JSON) {
        progress_json_result(object, &out);
    } else if (show->status) {
        if (show->opts.mode == SHOW_LIVE)
            draw(show);
        progress_text_result(show->status, &out);
    }
    terminal_print(&out);
}
