/* The object is going away. Nothing new starts; a switchover under way is put back, unless it is through;
 * what the runs have made and nobody uses is removed. What AWS does not let go yet is handed over to the list
 * of leftovers, and so are copies that stay and that no other object knows of. The finalizer goes after ten
 * minutes at the most, whatever is reachable; only a switchover that is half done holds it for an hour, for
 * nobody else knows how to put it back.
 *
 * Everything is read from the status in each pass, and every removal looks first: a crash at any moment only
 * means another look. */
#include "controller/leftover_look.h"
#include "controller/names.h"
#include "controller/requests.h"
#include "controller/rows.h"
#include "controller/visit.h"

#define DELETE_MAX_MS MINUTES(10)
#define HAND_OVER_MS (DELETE_MAX_MS - MINUTES(1)) /* the rest is for writing it down */
#define PUT_BACK_MAX_MS HOURS(1)
#define LOOK_MAX_MS SECONDS(30)
#define TROUBLE_LOOK_MS SECONDS(10)

struct deletion {
    struct visit *visit;
    struct requeue *ret;
    int64_t age_ms;
    struct refresh_spec *spec; /* of the run; NULL: cannot be read */
    struct accounts accounts;  /* those that are there */
    struct aws_account *source, *target;
    struct pass pass;
    struct leftovers list; /* all there is */
    struct leftovers left; /* what is handed over when the object goes now */
    struct leftovers kept; /* copies that stay when it goes */
    bool waits;            /* a removal is under way, or there is trouble that may pass */
    int64_t next_ms;
    struct buf waiting_for;
};

static void deletion_done(struct deletion *deletion)
{
    leftovers_done(&deletion->list);
    leftovers_done(&deletion->left);
    leftovers_done(&deletion->kept);
    accounts_done(&deletion->accounts);
    aws_account_unref(deletion->source);
    aws_account_unref(deletion->target);
    refresh_spec_free(deletion->spec);
    buf_done(&deletion->waiting_for);
}

static bool is_over(const struct deletion *deletion)
{
    return deletion->age_ms >= HAND_OVER_MS;
}

/* --- what is known --- */

/* One that is not there, or cannot be read, is done without. */
static struct err *read_account(struct visit *visit, const char *name, struct account **ret)
{
    const struct object_id id = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = name};
    AUTO_JSON struct json *object = NULL;
    struct err *err;

    if (!name)
        return NULL;
    TRY(objects_read(visit->objects, visit->env, &id, &object));
    err = object ? account_parse(object, ret) : NULL;
    if (err)
        err_ignore(err, "its entry in the list of leftovers will say so");
    return NULL;
}

static struct err *learn(struct deletion *deletion)
{
    struct visit *visit = deletion->visit;
    struct err *err = visit->status->run.spec
                          ? refresh_spec_parse(visit->status->run.spec, visit->name, &deletion->spec)
                          : NULL;
    int64_t since_ms = visit->summary.now_ms;

    time_parse(str_of(json_get_text(visit->object, "metadata.deletionTimestamp", "")), &since_ms);
    deletion->age_ms = sched_elapsed_ms(visit->env->sched, since_ms);
    if (err)
        err_ignore(err, "without it nothing is known, and this is said at the end");
    if (!deletion->spec)
        return NULL;
    TRY(read_account(visit, deletion->spec->source, &deletion->accounts.source));
    TRY(read_account(visit, deletion->spec->target, &deletion->accounts.target));
    deletion->pass = visit_pass(visit, deletion->spec, &deletion->accounts);
    TRY(visit_client(visit, deletion->accounts.source, &deletion->source, &deletion->pass.source));
    return visit_client(visit, deletion->accounts.target, &deletion->target, &deletion->pass.target);
}

/* --- the run under way --- */

static bool is_active(const struct refresh_status *status)
{
    return status->run.id && !status->run.completion_ms;
}

static bool pipelines_passed(const struct refresh_status *status)
{
    for (size_t i = 0; i < status->database_count; i++) {
        for (size_t k = 0; k < status->databases[i].step_count; k++) {
            if (!row_is_passed(&status->databases[i].steps[k]))
                return false;
        }
    }
    return true;
}

static bool has_open_rows(const struct refresh_status *status)
{
    for (size_t i = 0; i < status->database_count; i++) {
        for (size_t k = 0; k < status->databases[i].step_count; k++) {
            if (row_is_under_way(&status->databases[i].steps[k]))
                return true;
        }
    }
    if (!pipelines_passed(status) || rows_switchover_failed(status))
        return false;
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        if (!row_is_over(&status->switchover_steps[i]))
            return true;
    }
    return false;
}

/* All that staging was to use it uses: only hooks and the like are left. */
static bool is_switched_over(const struct refresh_status *status)
{
    size_t switched = 0;

    for (size_t i = 0; i < status->switchover_step_count; i++) {
        const struct step_status *row = &status->switchover_steps[i];
        const struct step *step = workflow_switchover_step(row->name);

        if (!step || !step->undo)
            continue;
        if (!row_is_passed(row))
            return false;
        switched++;
    }
    return switched > 0 && pipelines_passed(status);
}

/* Staging may use something that nothing but this status can put back. */
static bool is_half_switched(const struct refresh_status *status)
{
    for (size_t i = 0; i < status->switchover_step_count; i++) {
        const struct step_status *row = &status->switchover_steps[i];
        const struct step *step = workflow_switchover_step(row->name);

        if (step && step->undo && row->state != STEP_WAITING && row->state != STEP_SKIPPED &&
            row->state != STEP_UNDONE)
            return true;
    }
    return false;
}

/* How long its end may be waited for. */
static int64_t patience_ms(const struct refresh_status *status)
{
    return is_half_switched(status) ? PUT_BACK_MAX_MS : HAND_OVER_MS;
}

static void end_run(struct deletion *deletion)
{
    struct visit *visit = deletion->visit;
    const struct report report = {.end = RUN_SUCCEEDED};

    visit->summary.spec = deletion->spec;
    if (is_switched_over(visit->status)) {
        visit_end_run(visit, &report);
    } else {
        request_abandon(visit->status, visit->summary.now_ms);
        summary_deleting(&visit->summary, "The object is being deleted: nothing more begins");
    }
}

static struct err *write_end(struct deletion *deletion)
{
    struct visit *visit = deletion->visit;

    looks_forget(engine_looks(visit->engine), visit->uid);
    TRY(visit_write(visit));
    deletion->ret->after_ms = 0;
    return NULL;
}

static bool can_put_back(const struct deletion *deletion)
{
    const struct refresh_status *status = deletion->visit->status;

    return is_active(status) && pipelines_passed(status) && rows_switchover_failed(status) &&
           deletion->age_ms < patience_ms(status) && deletion->target &&
           (deletion->source || !deletion->spec->source);
}

static struct err *put_back(struct deletion *deletion)
{
    TRY(visit_go_on(deletion->visit, deletion->spec, &deletion->accounts, deletion->ret));
    if (deletion->ret->after_ms > LOOK_MAX_MS)
        deletion->ret->after_ms = LOOK_MAX_MS;
    return NULL;
}

/* --- looking at what there is --- */

static void hand_over(struct deletion *deletion, struct leftover *item, const char *message)
{
    text_replace(&item->message, message);
    *leftovers_append(&deletion->left) = *item;
    *item = (struct leftover){0};
}

static void keep(struct deletion *deletion, struct leftover *item)
{
    item->kind = LEFTOVER_KEPT_COPY;
    *leftovers_append(&deletion->kept) = *item;
    *item = (struct leftover){0};
}

static void wait_for(struct deletion *deletion, const char *message, int64_t after_ms)
{
    deletion->waits = true;
    buf_addf(&deletion->waiting_for, "%s%s", deletion->waiting_for.len ? "; " : "", message);
    if (after_ms < deletion->next_ms)
        deletion->next_ms = after_ms;
}

/* A copy that staging was to use, and not one that an unfinished run has made. */
static bool is_kept(const struct deletion *deletion, const struct leftover *item)
{
    const struct refresh_status *status = deletion->visit->status;

    for (size_t i = 0; item->kind == LEFTOVER_COPY && i < status->copy_count; i++) {
        const struct copy_status *copy = &status->copies[i];

        if (text_equal(copy->identifier, item->identifier))
            return copy->role == COPY_IN_USE || copy->role == COPY_PREVIOUS;
    }
    return false;
}

static void take_look(struct deletion *deletion, struct leftover *item, const struct leftover_look *look)
{
    struct visit *visit = deletion->visit;

    switch (look->state) {
    case LEFTOVER_GONE:
        LOG_INFO(visit->log, "nothing is left", KV("message", look->message));
        break;
    case LEFTOVER_GOING:
        wait_for(deletion, look->message, look->after_ms);
        hand_over(deletion, item, look->message);
        break;
    case LEFTOVER_WAITS:
        if (look->is_used && is_kept(deletion, item)) {
            visit_say_once(visit, "CopyStays", xstrdup(look->message));
            keep(deletion, item);
        } else {
            hand_over(deletion, item, look->message);
        }
        break;
    }
}

static struct err *check_live(const void *arg)
{
    return pass_check_live(arg);
}

static struct err *look_at(struct deletion *deletion, struct leftover *item)
{
    const struct leftover_watcher watcher = {.engine = deletion->visit->engine,
                                             .env = deletion->visit->env,
                                             .may_change = check_live,
                                             .arg = &deletion->pass,
                                             .stops_jobs = true,
                                             .holder = deletion->visit->holder};
    AUTO_LEFTOVER_LOOK struct leftover_look look = {0};
    AUTO_ERR struct err *err = NULL;
    enum leftover_kind before;

    do { /* a job that has ended becomes what it has made */
        before = item->kind;
        leftover_look_done(&look);
        err = leftover_look_at(&watcher, item, &look);
    } while (!err && item->kind != before && look.state == LEFTOVER_GOING);
    if (err &&
        (err_kind(err) == ERR_CANCELED || (err_kind(err) == ERR_CONFLICT && !err_remote(err)->http_status)))
        return TAKE(err);
    if (err) {
        wait_for(deletion, err_text(err), TROUBLE_LOOK_MS);
        hand_over(deletion, item, err_text(err));
    } else {
        take_look(deletion, item, &look);
    }
    return NULL;
}

static struct err *look_at_all(struct deletion *deletion)
{
    const struct visit *visit = deletion->visit;
    bool everything = visit->live && visit->live->live.deletion_policy == DELETION_DELETE;

    leftovers_of_object(&deletion->pass, everything, &deletion->list);
    for (size_t i = 0; i < deletion->list.count; i++) {
        struct leftover *item = &deletion->list.items[i];

        if (item->kind == LEFTOVER_KEPT_COPY)
            keep(deletion, item);
        else if (leftover_is_read(&deletion->left, item))
            hand_over(deletion, item, "a job that cannot be stopped still reads it");
        else
            TRY(look_at(deletion, item));
    }
    return NULL;
}

/* --- the end --- */

static struct err *wait(struct deletion *deletion)
{
    AUTO_FREE char *message =
        xasprintf("Removing what the runs have made: %s", buf_text(&deletion->waiting_for));

    summary_deleting(&deletion->visit->summary, message);
    TRY(visit_write(deletion->visit));
    deletion->ret->after_ms = deletion->next_ms;
    return NULL;
}

static char *list_of(const struct leftovers *list)
{
    AUTO_BUF struct buf text = BUF_MAX(700);

    for (size_t i = 0; i < list->count; i++) {
        AUTO_FREE char *subject = leftover_subject(&list->items[i]);

        buf_addf(&text, "%s%s", text.len ? "; " : "", subject);
    }
    return buf_take(&text);
}

static void tell(const struct deletion *deletion, enum event_severity severity, const char *reason,
                 const char *note)
{
    const struct visit *visit = deletion->visit;

    visit_announce(visit, severity, reason, note);
}

static void tell_kept(const struct deletion *deletion, const struct err *trouble)
{
    AUTO_FREE char *list = list_of(&deletion->kept);
    AUTO_FREE char *note =
        trouble ? xasprintf("Kept in AWS, and not written down (%s): %s", err_text(trouble), list)
                : xasprintf("Kept in AWS, until the next object of series %s takes it over: %s",
                            deletion->spec->series, list);

    tell(deletion, trouble ? EVENT_WARNING : EVENT_NORMAL, trouble ? "LeftBehind" : "CopiesKept", note);
}

static void tell_rest(const struct deletion *deletion, const struct err *trouble)
{
    const struct visit *visit = deletion->visit;
    AUTO_FREE char *left = list_of(&deletion->left);
    AUTO_FREE char *note =
        trouble ? xasprintf("Left behind in AWS, and not written down (%s): %s", err_text(trouble), left)
                : xasprintf("Removed later, as AWS lets it: %s", left);

    if (deletion->left.count)
        tell(deletion, trouble ? EVENT_WARNING : EVENT_NORMAL, trouble ? "LeftBehind" : "LeftoversWritten",
             note);
    if (!deletion->spec && (visit->status->run.id || visit->status_fault))
        tell(deletion, EVENT_WARNING, "LeftBehind",
             "What the runs have made is not known, for status cannot be read; look for the tag "
             "stagingrefresh.dev/series in AWS");
    if (is_active(visit->status) && rows_switchover_failed(visit->status) && pipelines_passed(visit->status))
        tell(deletion, EVENT_WARNING, "SwitchoverMixed",
             "The switchover could not be put back in time: staging may use old and new copies; none that "
             "is used is removed");
}

static bool is_orphan(const struct refresh_status *status, const bool *orphans, const struct leftover *item)
{
    for (size_t i = 0; i < status->copy_count; i++) {
        if (text_equal(status->copies[i].arn, item->arn))
            return orphans[i];
    }
    return false;
}

/* Those that another object of the series knows of are its business. */
static void keep_orphans_alone(struct deletion *deletion)
{
    AUTO_FREE bool *orphans =
        deletion->kept.count ? visit_find_orphans(deletion->visit, deletion->spec, false) : NULL;
    struct leftovers orphaned = {0};

    for (size_t i = 0; i < deletion->kept.count; i++) {
        struct leftover *item = &deletion->kept.items[i];

        if (is_orphan(deletion->visit->status, orphans, item)) {
            *leftovers_append(&orphaned) = *item;
            *item = (struct leftover){0};
        }
    }
    leftovers_done(&deletion->kept);
    deletion->kept = orphaned;
}

/* The error is one that nothing can be done about any more. */
static struct err *write_down(struct deletion *deletion, const struct leftovers *list, struct err **ret_lost)
{
    struct err *err = leftovers_write(deletion->visit->objects, deletion->visit->env, list);

    if (err && (err_kind(err) == ERR_CANCELED || deletion->age_ms < DELETE_MAX_MS))
        return err;
    *ret_lost = err;
    return NULL;
}

static struct err *let_go(struct deletion *deletion)
{
    struct visit *visit = deletion->visit;
    AUTO_JSON struct json *written = NULL;
    AUTO_ERR struct err *left_lost = NULL;
    AUTO_ERR struct err *kept_lost = NULL;

    keep_orphans_alone(deletion);
    TRY(write_down(deletion, &deletion->left, &left_lost));
    TRY(write_down(deletion, &deletion->kept, &kept_lost));
    tell_rest(deletion, left_lost);
    if (deletion->kept.count)
        tell_kept(deletion, kept_lost);
    TRY(err_wrap(objects_set_finalizer(visit->objects, visit->env, visit->object, false, &written),
                 "take the finalizer away"));
    LOG_INFO(visit->log, "finalizer is gone", KV_INT("left", (int64_t)deletion->left.count));
    if (deletion->left.count)
        engine_notify_leftovers(visit->engine);
    engine_release_series(visit->engine, visit->holder);
    looks_forget(engine_looks(visit->engine), visit->uid);
    return NULL;
}

/* The run under way, as far as it must end before anything is removed. *ret_over: nothing is left to be done
 * about it. */
static struct err *clear_run(struct deletion *deletion, bool *ret_over)
{
    const struct refresh_status *status = deletion->visit->status;
    bool is_late = deletion->age_ms >= patience_ms(status);

    *ret_over = false;
    if (has_open_rows(status)) {
        end_run(deletion);
        if (!is_late)
            return write_end(deletion);
        /* Whoever does not take the status must not keep the object: what is done from here on follows from
         * it as it would have been written. */
    } else if (can_put_back(deletion)) {
        return put_back(deletion);
    }
    *ret_over = true;
    return NULL;
}

static struct err *clear_up(struct deletion *deletion)
{
    bool has_ended = true;

    TRY(learn(deletion));
    if (deletion->spec && is_active(deletion->visit->status))
        TRY(clear_run(deletion, &has_ended));
    if (!has_ended)
        return NULL;
    if (deletion->spec)
        TRY(look_at_all(deletion));
    return deletion->waits && !is_over(deletion) ? wait(deletion) : let_go(deletion);
}

struct err *visit_delete(struct visit *visit, struct requeue *ret)
{
    CLEANUP(deletion_done)
    struct deletion deletion = {
        .visit = visit, .ret = ret, .next_ms = LOOK_MAX_MS, .waiting_for = BUF_MAX(900)};
    AUTO_ERR struct err *err = NULL;

    if (!objects_has_finalizer(visit->object)) {
        engine_release_series(visit->engine, visit->holder);
        return NULL;
    }
    err = clear_up(&deletion);
    if (!err || err_kind(err) == ERR_CANCELED)
        return TAKE(err);
    /* Not by the queue's back-off, which may be longer than the time that is left. */
    LOG_WARN(visit->log, "deletion", KV("error", err_text(err)),
             KV_IF("request", err_remote(err)->request_id), KV_INT("after_ms", TROUBLE_LOOK_MS));
    ret->after_ms = TROUBLE_LOOK_MS;
    return NULL;
}
