#include "plugin/follow.h"

#include "pkg/base/terminal.h"
#include "pkg/base/times.h"
#include "pkg/kube/watch.h"
#include "plugin/list.h"
#include "plugin/tree.h"

#define CLOCK_MS SECONDS(1)  /* elapsed times go on without news */
#define REDRAW_MS 200        /* between two pictures */
#define SYNC_MS SECONDS(30)  /* for the first list */
#define OUTPUT_MAX (8 * MIB) /* the status of many, and what is drawn of it */

/* What was last seen of one refresh, to tell what has changed. */
struct seen {
    char *key;
    struct refresh_status *status;
};

struct following {
    struct session *session;
    const struct follow_opts *opts;
    struct kube_store *store;
    struct kube_watch *watch;
    struct env env; /* the watch's */
    struct spot *spot;
    struct seen *seen;
    size_t seen_count;
    size_t lines; /* of the picture above the cursor */
};

static void on_change(void *arg, const char *key UNUSED, enum kube_change change UNUSED)
{
    struct following *following = arg;

    sched_wake(following->spot);
}

/* --- life --- */

static struct err *start(struct following *f)
{
    AUTO_FREE char *selector = f->opts->name ? xasprintf("metadata.name=%s", f->opts->name) : NULL;
    const struct kube_watch_opts opts = {
        .query = {.collection = {.resource = &cluster_refreshes, .namespace = f->opts->namespace},
                  .field_selector = selector}};
    int64_t deadline_ms = sched_now_ms(f->session->sched) + SYNC_MS;

    kube_store_on_change(f->store, on_change, f);
    TRY(kube_watch_start(f->session->client, &f->env, &opts, f->store, &f->watch));
    if (!kube_store_wait_synced(f->store, f->session->sched, f->session->stop, deadline_ms)) {
        AUTO_FREE char *trouble = kube_watch_trouble(f->watch);

        return err_new(ERR_RETRY, "cannot follow: %s", trouble ? trouble : "the API server does not answer");
    }
    return NULL;
}

static void end(struct following *f)
{
    kube_watch_stop(f->watch);
    kube_store_free(f->store);
    transport_free(f->env.transport);
    sched_spot_free(f->spot);
    for (size_t i = 0; i < f->seen_count; i++) {
        xfree(f->seen[i].key);
        refresh_status_free(f->seen[i].status);
    }
    xfree(f->seen);
}

/* --- the picture --- */

static void add_table(struct following *f, const struct kube_objects *objects, int width, struct buf *out)
{
    const struct json **items = xcalloc(objects->count ? objects->count : 1, sizeof(*items));
    const struct list_view view = {.objects = items,
                                   .count = objects->count,
                                   .now_ms = sched_wall_ms(f->session->sched),
                                   .width = width,
                                   .color = f->session->color,
                                   .namespaces = !f->opts->namespace};

    for (size_t i = 0; i < objects->count; i++)
        items[i] = objects->items[i]->json;
    f->lines += list_render(&view, out);
    xfree(items);
}

static void add_tree(struct following *f, const struct json *object, int width, struct buf *out)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = NULL;
    struct err *err = refresh_status_parse(json_member(object, "status"), &status);

    if (err) {
        err_ignore(err, "the next version may be readable");
        return;
    }
    f->lines += tree_render(&(struct tree_view){.object = object,
                                                .status = status,
                                                .now_ms = sched_wall_ms(f->session->sched),
                                                .width = width,
                                                .color = f->session->color,
                                                .utf8 = f->session->utf8},
                            out);
}

/* More lines than the screen has could not be erased again: the first ones are shown. Gives how many bytes
 * that is. */
static size_t cut_to_screen(struct following *f, int rows, const struct buf *picture)
{
    size_t room = rows > 2 ? (size_t)rows - 1 : SIZE_MAX, lines = 0;

    if (f->lines <= room)
        return picture->len;
    f->lines = room;
    for (size_t i = 0; i < picture->len; i++) {
        lines += picture->data[i] == '\n';
        if (lines == room)
            return i + 1;
    }
    return picture->len;
}

static void draw(struct following *f, const struct kube_objects *objects)
{
    AUTO_BUF struct buf out = BUF_MAX(OUTPUT_MAX);
    AUTO_BUF struct buf picture = BUF_MAX(OUTPUT_MAX);
    AUTO_FREE char *trouble = kube_watch_trouble(f->watch);
    int columns, rows;

    terminal_measure(&columns, &rows);
    terminal_add_erase(f->lines, &out);
    f->lines = 0;
    if (!f->opts->name)
        add_table(f, objects, columns, &picture);
    else if (objects->count)
        add_tree(f, objects->items[0]->json, columns, &picture);
    if (trouble) {
        buf_adds(&picture, "(no news: ");
        terminal_add_text(trouble, columns > 20 ? columns - 20 : 1, &picture);
        buf_adds(&picture, ")\n");
        f->lines++;
    }
    buf_add(&out, buf_text(&picture), cut_to_screen(f, rows, &picture));
    terminal_print(&out);
}

/* --- lines --- */

struct printer {
    const char *key;
    int64_t now_ms;
    struct buf out;
};

static void add_change(void *arg, const struct progress_change *change)
{
    struct printer *printer = arg;
    AUTO_BUF struct buf line = BUF_MAX(64 * KIB);

    progress_text_line(change, printer->now_ms, &line);
    if (line.len)
        buf_addf(&printer->out, "%s  %s", printer->key, buf_text(&line));
}

static struct seen *seen_of(struct following *f, const char *key)
{
    for (size_t i = 0; i < f->seen_count; i++) {
        if (text_equal(f->seen[i].key, key))
            return &f->seen[i];
    }
    f->seen = xgrow(f->seen, f->seen_count, sizeof(*f->seen));
    f->seen[f->seen_count] = (struct seen){.key = xstrdup(key)};
    return &f->seen[f->seen_count++];
}

static void print_changes(struct following *f, const struct kube_object *object)
{
    struct seen *seen = seen_of(f, object->key);
    struct printer printer = {
        .key = object->key, .now_ms = sched_wall_ms(f->session->sched), .out = BUF_MAX(OUTPUT_MAX)};
    struct refresh_status *status = NULL;
    struct err *err = refresh_status_parse(json_member(object->json, "status"), &status);

    if (err) {
        err_ignore(err, "the next version may be readable");
        return;
    }
    /* What ended before anybody looked is not news. */
    if (seen->status || !status->run.completion_ms)
        progress_changes(seen->status, status, add_change, &printer);
    terminal_print(&printer.out);
    buf_done(&printer.out);
    refresh_status_free(seen->status);
    seen->status = status;
}

/* --- going on --- */

static void show(struct following *f, const struct kube_objects *objects)
{
    if (f->opts->is_quiet)
        return;
    if (f->session->is_live) {
        draw(f, objects);
        return;
    }
    for (size_t i = 0; i < objects->count; i++)
        print_changes(f, objects->items[i]);
}

static struct err *go_on(struct following *f)
{
    struct sched *sched = f->session->sched;
    int64_t deadline_ms = f->opts->timeout_ms ? sched_now_ms(sched) + f->opts->timeout_ms : NEVER_MS;

    for (;;) {
        AUTO_KUBE_OBJECTS struct kube_objects objects = kube_store_list(f->store, NULL);
        int64_t next_ms = sched_now_ms(sched) + CLOCK_MS;

        show(f, &objects);
        if (f->opts->name && !objects.count)
            return err_new(ERR_NOT_FOUND, "StagingRefresh %s is gone", f->opts->name);
        if (f->opts->is_enough && f->opts->is_enough(f->opts->arg, objects.items[0]->json))
            return NULL;
        if (sched_now_ms(sched) >= deadline_ms)
            return err_new(ERR_RETRY, "the time is over; what was asked for goes on all the same");
        sched_park(f->spot, next_ms < deadline_ms ? next_ms : deadline_ms);
        sched_wait_until(sched, f->session->stop, sched_now_ms(sched) + REDRAW_MS);
    }
}

struct err *follow(struct session *session, const struct follow_opts *opts)
{
    struct following f = {.session = session,
                          .opts = opts,
                          .store = kube_store_new(),
                          .spot = sched_spot_new(session->sched),
                          .env = session->env};
    struct err *err;

    f.env.transport = transport_curl_new(session->sched);
    err = start(&f);
    if (!err)
        err = go_on(&f);
    stop_request(session->stop);
    end(&f);
    return err;
}
