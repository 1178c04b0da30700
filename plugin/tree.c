#include "plugin/tree.h"

#include "pkg/base/terminal.h"
#include "pkg/base/times.h"
#include "plugin/advice.h"

#define LINE_BYTES_MAX (4 * KIB)
#define NAME_COLUMNS_MAX 36
#define HISTORY_SHOWN 3
#define UNCUT 4000 /* columns */

struct glyphs {
    const char *branch, *last, *through, *blank;
    const char *states[STEP_UNDONE + 1];
};
static const struct glyphs ascii = {
    .branch = "|-- ",
    .last = "`-- ",
    .through = "|   ",
    .blank = "    ",
    .states = {[STEP_WAITING] = ".",
               [STEP_INTENDED] = ">",
               [STEP_RUNNING] = ">",
               [STEP_DONE] = "+",
               [STEP_FAILED] = "x",
               [STEP_SKIPPED] = "-",
               [STEP_UNDONE] = "<"},
};
static const struct glyphs drawn = {
    .branch = "├── ",
    .last = "└── ",
    .through = "│   ",
    .blank = "    ",
    .states = {[STEP_WAITING] = "·",
               [STEP_INTENDED] = "▸",
               [STEP_RUNNING] = "▸",
               [STEP_DONE] = "✔",
               [STEP_FAILED] = "✘",
               [STEP_SKIPPED] = "–",
               [STEP_UNDONE] = "↩"},
};

struct tree {
    const struct tree_view *view;
    const struct refresh_status *status;
    struct progress_view progress;
    const struct glyphs *glyphs;
    struct buf *out;
    size_t lines;
};

static void end_line(struct tree *tree, enum progress_mood mood, const struct buf *line)
{
    progress_add_line(&tree->progress, mood, line, tree->out);
    tree->lines++;
}

static void say(struct tree *tree, enum progress_mood mood, const char *label, const char *text)
{
    AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);

    buf_addf(&line, "%-9s %s", label, text);
    end_line(tree, mood, &line);
}

/* --- steps --- */

/* A gate's message holds a long command, for those who have no plugin. Yours. */
static char *message_of(const struct step_status *row)
{
    const char *refused = step_evidence(row, "refused");

    if (text_equal(row->name, "Approval") && row->state == STEP_RUNNING)
        return xasprintf("waits for approval%s%s", refused ? "; " : "", refused ? refused : "");
    return xstrdup(row->message ? row->message : "");
}

static int name_columns(const struct step_status *rows, size_t count)
{
    size_t columns = 0;

    for (size_t i = 0; i < count; i++)
        columns = strlen(rows[i].name) > columns ? strlen(rows[i].name) : columns;
    return columns < NAME_COLUMNS_MAX ? (int)columns : NAME_COLUMNS_MAX;
}

static enum progress_mood mood_of(const struct step_status *row)
{
    return row->state == STEP_DONE ? MOOD_GOOD : progress_mood(row);
}

static void add_row(struct tree *tree, const char *indent, const struct step_status *row, int columns)
{
    AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);
    AUTO_FREE char *message = message_of(row);
    bool is_open = row->state == STEP_RUNNING || row->state == STEP_INTENDED;

    buf_addf(&line, "%s%s ", indent, tree->glyphs->states[row->state]);
    buf_addf(&line, "%-*.*s", row->start_ms || *message ? columns : 0, NAME_COLUMNS_MAX, row->name);
    if (row->start_ms)
        progress_add_elapsed(&line, row->start_ms,
                             row->completion_ms ? row->completion_ms : tree->progress.now_ms);
    if (is_open && row->percent)
        buf_addf(&line, "  %d%%", (int)row->percent);
    if (row->attempt > 1)
        buf_addf(&line, "  attempt %lld", (long long)row->attempt);
    if (*message)
        buf_addf(&line, "%*s  %s", row->start_ms ? 0 : 8, "", message);
    end_line(tree, mood_of(row), &line);
}

static void add_rows(struct tree *tree, bool is_last, const struct step_status *rows, size_t count)
{
    int columns = name_columns(rows, count);

    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *indent = xasprintf("%s%s", is_last ? tree->glyphs->blank : tree->glyphs->through,
                                           i + 1 < count ? tree->glyphs->branch : tree->glyphs->last);

        add_row(tree, indent, &rows[i], columns);
    }
}

/* All are skipped, for one reason: a switch-to makes no copies. */
static bool is_skipped(const struct database_status *database)
{
    for (size_t i = 0; i < database->step_count; i++) {
        if (database->steps[i].state != STEP_SKIPPED ||
            !text_equal(database->steps[i].message, database->steps[0].message))
            return false;
    }
    return database->step_count && database->steps[0].message;
}

static void add_database(struct tree *tree, const struct database_status *database, bool is_last)
{
    AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);
    enum progress_mood mood;

    buf_adds(&line, is_last ? tree->glyphs->last : tree->glyphs->branch);
    mood = progress_add_database(&tree->progress, database, &line);
    if (is_skipped(database))
        buf_addf(&line, "  %s", database->steps[0].message);
    end_line(tree, mood, &line);
    if (!is_skipped(database))
        add_rows(tree, is_last, database->steps, database->step_count);
}

static void add_run(struct tree *tree)
{
    const struct refresh_status *status = tree->status;

    for (size_t i = 0; i < status->database_count; i++) {
        bool is_last = i + 1 == status->database_count && !status->switchover_step_count;

        add_database(tree, &status->databases[i], is_last);
    }
    if (status->switchover_step_count) {
        AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);

        buf_adds(&line, tree->glyphs->last);
        end_line(tree, progress_add_switchover(&tree->progress, &line), &line);
        add_rows(tree, true, status->switchover_steps, status->switchover_step_count);
    }
}

/* --- what staging uses, and could use --- */

static void add_used(struct tree *tree)
{
    bool superseded = facts_is_superseded(tree->status), any = false;

    for (size_t i = 0; i < tree->status->copy_count; i++) {
        const struct copy_status *copy = &tree->status->copies[i];
        AUTO_FREE char *text = NULL;

        if (copy->role != COPY_IN_USE)
            continue;
        text = xasprintf("%s: %s, of run %s", copy->database ? copy->database : "?",
                         copy->identifier ? copy->identifier : copy->arn, copy->run_id ? copy->run_id : "?");
        say(tree, MOOD_PLAIN, any ? "" : "uses", text);
        any = true;
    }
    if (!any)
        say(tree, MOOD_PLAIN, "uses",
            superseded ? "what a later run of the series has set"
                       : "no copy of ours yet: what staging had before the first refresh");
}

static void add_kept(struct tree *tree)
{
    struct kept_run runs[KEPT_RUNS_MAX];
    size_t count = facts_is_superseded(tree->status) ? 0 : facts_kept_runs(tree->status, runs);
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *text = NULL;
        char age[TIME_TEXT_MAX] = "?";

        if (runs[i].is_used)
            continue;
        if (runs[i].creation_ms && tree->view->now_ms > runs[i].creation_ms)
            duration_text(tree->view->now_ms - runs[i].creation_ms, age);
        text = xasprintf("run %s: %zu %s, %s old", runs[i].id, runs[i].copies,
                         runs[i].copies == 1 ? "copy" : "copies", age);
        say(tree, MOOD_PLAIN, any ? "" : "kept", text);
        any = true;
    }
}

static void add_history(struct tree *tree)
{
    size_t shown = 0;

    for (size_t i = 0; i < tree->status->history_count && shown < HISTORY_SHOWN; i++) {
        const struct history_entry *entry = &tree->status->history[i];
        AUTO_FREE char *text = NULL;
        char took[TIME_TEXT_MAX] = "?";

        if (text_equal(entry->run_id, tree->status->run.id) && entry->attempt == tree->status->run.attempt)
            continue; /* the tree is about it */
        if (entry->completion_ms > entry->start_ms)
            duration_text(entry->completion_ms - entry->start_ms, took);
        text = xasprintf("%s  %s after %s%s%s%s%s", entry->run_id, entry->result ? entry->result : "?", took,
                         entry->copies_of ? ", back to run " : "", entry->copies_of ? entry->copies_of : "",
                         entry->message ? ": " : "", entry->message ? entry->message : "");
        say(tree, MOOD_PLAIN, shown ? "" : "before", text);
        shown++;
    }
}

/* --- sentences --- */

/* Which conditions are told, and how; those above say it better when two say the same. */
static const struct voice {
    const char *type, *label;
    enum condition_status status;
    const char *reason; /* NULL: any */
    enum progress_mood mood;
} voices[] = {
    {.type = "Stalled", .label = "stalled", .status = CONDITION_TRUE, .mood = MOOD_BAD},
    {.type = "SwitchedOver",
     .label = "mixed",
     .status = CONDITION_FALSE,
     .reason = "Mixed",
     .mood = MOOD_BAD},
    {.type = "Drifted", .label = "drifted", .status = CONDITION_TRUE, .mood = MOOD_TROUBLED},
    {.type = "ExpiryHeld", .label = "stays", .status = CONDITION_TRUE, .mood = MOOD_PLAIN},
    {.type = "Restored", .label = "copies", .status = CONDITION_TRUE, .mood = MOOD_PLAIN},
    {.type = "Ready", .label = "ready", .status = CONDITION_TRUE, .mood = MOOD_GOOD},
    {.type = "Ready", .label = "not ready", .status = CONDITION_FALSE, .mood = MOOD_BAD},
    {.type = "Reconciling", .label = "now", .status = CONDITION_TRUE, .mood = MOOD_PLAIN},
};

static const struct condition *heard(const struct tree *tree, const struct voice *voice)
{
    const struct condition *condition = facts_condition(tree->status, voice->type);
    bool fits = condition && condition->status == voice->status && !text_is_empty(condition->message) &&
                (!voice->reason || text_equal(condition->reason, voice->reason));

    return fits ? condition : NULL;
}

static bool was_said(const struct tree *tree, size_t index, const char *message)
{
    for (size_t i = 0; i < index; i++) {
        const struct condition *condition = heard(tree, &voices[i]);

        if (condition && text_equal(condition->message, message))
            return true;
    }
    return false;
}

static void add_sentences(struct tree *tree)
{
    for (size_t i = 0; i < COUNT_OF(voices); i++) {
        const struct condition *condition = heard(tree, &voices[i]);

        if (!condition || was_said(tree, i, condition->message))
            continue;
        if (text_equal(voices[i].type, "Restored") && !strstr(condition->message, " differs: "))
            continue;
        /* The advice below is shorter than the gate's own. */
        if (text_equal(voices[i].type, "Reconciling") && facts_awaits_approval(tree->status))
            continue;
        say(tree, voices[i].mood, voices[i].label, condition->message);
    }
}

static void add_advice(struct tree *tree)
{
    AUTO_ADVICES struct advices advices = advices_of(tree->view->object, tree->status);

    for (size_t i = 0; i < advices.count; i++) {
        const struct advice *advice = &advices.items[i];
        AUTO_FREE char *text = xasprintf("%s%s%s", advice->text, advice->command ? ": " : "",
                                         advice->command ? advice->command : "");

        say(tree, MOOD_PLAIN, i ? "" : "next", text);
    }
}

/* --- the whole --- */

static void add_title(struct tree *tree)
{
    const struct refresh_status *status = tree->status;
    AUTO_BUF struct buf line = BUF_MAX(LINE_BYTES_MAX);

    progress_add_title(&tree->progress, &line);
    if (status->run.attempt > 1)
        buf_addf(&line, "  attempt %lld", (long long)status->run.attempt);
    if (status->run.copies_of)
        buf_addf(&line, "  back to run %s", status->run.copies_of);
    if (status->run.approved_by)
        buf_addf(&line, "  approved by %s", status->run.approved_by);
    end_line(tree, MOOD_TITLE, &line);
}

static struct tree tree_of(const struct tree_view *view, const char *title, struct buf *out)
{
    const struct refresh_status *status = view->status;

    return (struct tree){
        .view = view,
        .status = status,
        .progress = {.title = title,
                     .status = status,
                     .now_ms = status->run.completion_ms ? status->run.completion_ms : view->now_ms,
                     .width = view->width ? view->width : UNCUT,
                     .color = view->color},
        .glyphs = view->utf8 ? &drawn : &ascii,
        .out = out,
    };
}

size_t tree_render(const struct tree_view *view, struct buf *out)
{
    AUTO_FREE char *title = xasprintf("%s/%s", json_get_text(view->object, "metadata.namespace", ""),
                                      json_get_text(view->object, "metadata.name", ""));
    struct tree tree = tree_of(view, title, out);

    add_title(&tree);
    add_run(&tree);
    if (!facts_has_run(view->status))
        say(&tree, MOOD_PLAIN, "run", "there has been none yet");
    add_used(&tree);
    add_kept(&tree);
    add_history(&tree);
    add_sentences(&tree);
    add_advice(&tree);
    return tree.lines;
}

/* --- for programs --- */

static struct json *kept_to_json(const struct refresh_status *status)
{
    struct json *list = json_new_array();
    struct kept_run runs[KEPT_RUNS_MAX];
    size_t count = facts_kept_runs(status, runs);

    for (size_t i = 0; i < count; i++) {
        struct json *item = json_new_object();

        json_set_text(item, "run", runs[i].id);
        json_set_int(item, "copies", (int64_t)runs[i].copies);
        json_set_bool(item, "inUse", runs[i].is_used);
        json_append(list, item);
    }
    return list;
}

static struct json *advices_to_json(const struct tree_view *view)
{
    AUTO_ADVICES struct advices advices = advices_of(view->object, view->status);
    struct json *list = json_new_array();

    for (size_t i = 0; i < advices.count; i++) {
        struct json *item = json_new_object();

        json_set_text(item, "message", advices.items[i].text);
        json_set_text(item, "command", advices.items[i].command);
        json_append(list, item);
    }
    return list;
}

struct json *tree_to_json(const struct tree_view *view)
{
    AUTO_JSON struct json *nothing = json_new_object();
    const struct json *status = json_member(view->object, "status");
    struct json *item = json_new_object();

    json_set_text(item, "namespace", json_get_text(view->object, "metadata.namespace", ""));
    json_set_text(item, "name", json_get_text(view->object, "metadata.name", ""));
    json_set_text(item, "phase", view->status->phase);
    json_set_text(item, "run", view->status->run.id);
    json_set_bool(item, "awaitsApproval", facts_awaits_approval(view->status));
    json_set(item, "kept", kept_to_json(view->status));
    json_set(item, "next", advices_to_json(view));
    json_set_copy(item, "status", status ? status : nothing);
    return item;
}
