/* One pass over the list of leftovers: those that are due are looked at, and what came of it is written in
 * one go. An entry goes when nothing of it is there any more, or after a month. */
#include "controller/leftover_look.h"

#include "controller/names.h"

#define AGE_MAX_MS DAYS(30)
#define LOOKS_PER_PASS 20  /* a pass is short: the rest comes at once */
#define RESYNC_MS HOURS(1) /* somebody may have written into the list by hand */
#define TROUBLE_LOOK_MS MINUTES(1)
#define HOLDER "leftovers"    /* of a series; those of objects have a slash */
#define LOOKS_UID "leftovers" /* no UID of an object looks like this */

struct entry {
    const char *key, *before; /* inside the document */
    char *after;              /* NULL: it goes */
    bool changed;
};

struct sweep {
    struct engine *engine;
    const struct env *env;
    struct json *document;
    struct leftovers list;
    struct entry *entries; /* as many */
    int64_t next_ms;
    size_t looked;
};

static void sweep_done(struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->list.count; i++)
        xfree(sweep->entries[i].after);
    xfree(sweep->entries);
    leftovers_done(&sweep->list);
    json_free(sweep->document);
}

/* Once per process and text. */
static void say(const struct sweep *sweep, const char *reason, const char *text)
{
    struct looks *looks = engine_looks(sweep->engine);
    AUTO_FREE char *key = xasprintf("said/%s", text);

    if (looks_due_ms(looks, LOOKS_UID, key))
        return;
    looks_set(looks, LOOKS_UID, key, 1);
    LOG_WARN(sweep->env->log, "leftover", KV("reason", reason), KV("message", text));
    objects_emit(engine_objects(sweep->engine), sweep->env, sweep->document, EVENT_WARNING, reason, text);
}

/* --- reading --- */

static void read_entry(struct sweep *sweep, const struct json *member)
{
    AUTO_JSON struct json *value = NULL;
    AUTO_LEFTOVER struct leftover item = {0};
    const char *text = json_get_text(member, NULL, "");
    AUTO_ERR struct err *err = json_parse(str_of(text), NULL, &value);

    if (!err)
        err = leftover_parse(value, &item);
    if (err) {
        AUTO_FREE char *note = xasprintf("entry %s is left alone: %s", json_key(member), err_text(err));

        say(sweep, "LeftoverNotReadable", note);
        return;
    }
    sweep->entries = xgrow(sweep->entries, sweep->list.count, sizeof(*sweep->entries));
    sweep->entries[sweep->list.count] = (struct entry){.key = json_key(member), .before = text};
    *leftovers_append(&sweep->list) = item;
    item = (struct leftover){0};
}

static struct err *read_all(struct sweep *sweep)
{
    TRY(objects_read_leftovers(engine_objects(sweep->engine), sweep->env, &sweep->document));
    json_each (member, json_member(sweep->document, "data"))
        read_entry(sweep, member);
    return NULL;
}

/* --- looking --- */

struct guard {
    const struct sweep *sweep;
    const struct entry *entry;
};

/* Before a change: the entry is still there as it was read. Two leaders would not both see that for long. */
static struct err *check_entry(const void *arg)
{
    const struct guard *guard = arg;
    AUTO_JSON struct json *document = NULL;
    const struct json *entry;

    if (stop_requested(guard->sweep->env->stop))
        return err_new(ERR_CANCELED, "stopping");
    TRY(objects_read_leftovers(engine_objects(guard->sweep->engine), guard->sweep->env, &document));
    entry = json_member(json_member(document, "data"), guard->entry->key);
    if (!text_equal(json_get_text(entry, NULL, NULL), guard->entry->before))
        return err_new(ERR_CONFLICT, "leftover %s was changed by somebody else", guard->entry->key);
    return NULL;
}

static void set_due(struct sweep *sweep, const struct entry *entry, int64_t after_ms)
{
    looks_set(engine_looks(sweep->engine), LOOKS_UID, entry->key, sched_now_ms(sweep->env->sched) + after_ms);
    if (after_ms < sweep->next_ms)
        sweep->next_ms = after_ms;
}

static char *text_of(const struct leftover *item)
{
    AUTO_JSON struct json *value = leftover_to_json(item);

    return json_to_text(value);
}

/* Words alone are not written: they change with every look. */
static void keep(struct sweep *sweep, size_t index, int64_t after_ms, const char *message)
{
    struct entry *entry = &sweep->entries[index];
    struct leftover *item = &sweep->list.items[index];
    AUTO_FREE char *same = text_of(item);

    entry->changed = !text_equal(same, entry->before) || !item->message;
    text_replace(&item->message, message);
    if (entry->changed)
        entry->after = text_of(item);
    set_due(sweep, entry, after_ms);
}

static void drop(struct sweep *sweep, size_t index, const char *message)
{
    AUTO_FREE char *subject = leftover_subject(&sweep->list.items[index]);

    LOG_INFO(sweep->env->log, "leftover is done with", KV("leftover", subject), KV("message", message));
    sweep->entries[index].changed = true;
}

static bool is_too_old(struct sweep *sweep, size_t index)
{
    const struct leftover *item = &sweep->list.items[index];
    AUTO_FREE char *subject = NULL;
    AUTO_FREE char *note = NULL;

    if (!item->left_ms || sched_elapsed_ms(sweep->env->sched, item->left_ms) < AGE_MAX_MS)
        return false;
    subject = leftover_subject(item);
    note = item->kind == LEFTOVER_KEPT_COPY
               ? xasprintf(
                     "%s was taken over by no object of its series in 30 days and is forgotten, though it is "
                     "kept; when nobody uses it, remove it by hand",
                     subject)
               : xasprintf(
                     "%s could not be removed in 30 days and is forgotten; remove it by hand. Last seen: %s",
                     subject, item->message ? item->message : "nothing");
    say(sweep, "LeftoverForgotten", note);
    return true;
}

/* Trouble of the moment stays with its entry. */
static struct err *look_at(struct sweep *sweep, size_t index)
{
    struct leftover *item = &sweep->list.items[index];
    const struct guard guard = {.sweep = sweep, .entry = &sweep->entries[index]};
    const struct leftover_watcher watcher = {.engine = sweep->engine,
                                             .env = sweep->env,
                                             .may_change = check_entry,
                                             .arg = &guard,
                                             .holder = HOLDER};
    AUTO_LEFTOVER_LOOK struct leftover_look look = {0};
    AUTO_ERR struct err *err = NULL;

    if (is_too_old(sweep, index)) {
        drop(sweep, index, "too old");
        return NULL;
    }
    if (item->kind == LEFTOVER_KEPT_COPY)
        return NULL; /* for the next object of its series */
    err = leftover_look_at(&watcher, item, &look);
    if (err && err_kind(err) == ERR_CANCELED)
        return TAKE(err);
    if (err)
        keep(sweep, index, TROUBLE_LOOK_MS, err_text(err));
    else if (look.state == LEFTOVER_GONE)
        drop(sweep, index, look.message);
    else
        keep(sweep, index, look.after_ms, look.message);
    return NULL;
}

static bool is_due(struct sweep *sweep, size_t index)
{
    int64_t now_ms = sched_now_ms(sweep->env->sched);
    int64_t due_ms = looks_due_ms(engine_looks(sweep->engine), LOOKS_UID, sweep->entries[index].key);

    if (leftover_is_read(&sweep->list, &sweep->list.items[index]))
        return false; /* the job's entry says when */
    if (due_ms <= now_ms)
        return true;
    if (due_ms - now_ms < sweep->next_ms)
        sweep->next_ms = due_ms - now_ms;
    return false;
}

static struct err *look_at_all(struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->list.count; i++) {
        if (!is_due(sweep, i))
            continue;
        if (sweep->list.items[i].kind != LEFTOVER_KEPT_COPY && sweep->looked++ == LOOKS_PER_PASS) {
            sweep->next_ms = 0;
            return NULL;
        }
        TRY(look_at(sweep, i));
    }
    return NULL;
}

/* --- writing --- */

static struct err *write_changes(struct sweep *sweep)
{
    AUTO_FREE struct leftover_change *changes = xcalloc(sweep->list.count + 1, sizeof(*changes));
    size_t count = 0;
    bool gone = false;

    for (size_t i = 0; i < sweep->list.count; i++) {
        const struct entry *entry = &sweep->entries[i];

        if (!entry->changed)
            continue;
        gone = gone || !entry->after;
        changes[count++] =
            (struct leftover_change){.key = entry->key, .before = entry->before, .after = entry->after};
    }
    if (gone) /* what hung on it may be looked at now */
        sweep->next_ms = 0;
    return leftovers_change(engine_objects(sweep->engine), sweep->env, changes, count);
}

struct err *reconcile_leftovers(struct engine *engine, const struct env *env, struct requeue *ret)
{
    CLEANUP(sweep_done) struct sweep sweep = {.engine = engine, .env = env, .next_ms = RESYNC_MS};

    TRY(read_all(&sweep));
    TRY(look_at_all(&sweep));
    TRY(write_changes(&sweep));
    ret->after_ms = sweep.next_ms;
    return NULL;
}
