/* Retention: what a run has made superfluous goes: copies that were in use before, copies made in vain, and
 * recovery points of ours, beyond the numbers of spec.retention. It is the last row of every run, also of one
 * that has failed (then what the run itself has made stays, so that it can be retried). The intent is in
 * status.copies: what is Removing there is removed, and nobody can switch to it any more. Recovery points
 * need no other intent than the row: which they are follows from their tags and dates.
 *
 * It never fails a run: what cannot be removed is said, stays Removing, and is tried again by the next run.
 */
#include "controller/copies.h"
#include "controller/names.h"
#include "controller/removal.h"
#include "controller/rows.h"
#include "controller/steps/steps.h"
#include "pkg/aws/arn.h"
#include "pkg/aws/backup.h"

/* Deletions take minutes; a person who waits for the end of a failed run is not kept waiting for them. */
#define PATIENCE_MS MINUTES(30)
#define PATIENCE_FAILED_MS MINUTES(5)
#define TROUBLE_LOOK_MS SECONDS(30)
#define COPIES_PER_LOOK 16
#define LEFT_MAX 800
/* One may be a recovery point's own; so many are AWS's, and the rest is left to the next look. */
#define TROUBLES_PER_LOOK 3
#define LISTED "listed" /* evidence: what is known here is on the list of leftovers, too */

static const struct refresh_spec *present_spec(const struct pass *pass)
{
    return pass->live ? pass->live : pass->spec;
}

/* --- what is to go --- */

static bool is_other_of_target(const struct pass *pass, const struct json *item)
{
    return !text_equal(json_get_text(item, "metadata.uid", ""), pass->uid) &&
           text_equal(json_get_text(item, "spec.targetRef.name", ""), pass->spec->target);
}

static struct err *adopt_from(const struct pass *pass, const struct json *item, bool succeeded)
{
    AUTO_REFRESH_STATUS struct refresh_status *other = NULL;
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    AUTO_REFRESH_SPEC struct refresh_spec *frozen = NULL;
    const char *name = json_get_text(item, "metadata.name", "");

    TRY(refresh_status_parse(json_member(item, "status"), &other));
    TRY(refresh_spec_parse(json_member(item, "spec"), name, &spec));
    if (other->run.spec)
        TRY(refresh_spec_parse(other->run.spec, name, &frozen));
    copies_adopt(pass->status, pass->spec,
                 &(struct copies_owner){.status = other, .spec = spec, .frozen = frozen}, succeeded);
    return NULL;
}

/* Objects that a CronJob creates follow one another in a series: what the earlier ones have made is this
 * one's business now. */
static void adopt(const struct pass *pass, bool succeeded)
{
    AUTO_FREE char *series = objects_series(pass->namespace, pass->spec->series);
    AUTO_JSON struct json *items = objects_list(pass->objects, OBJECT_REFRESH, series);

    json_each (item, items) {
        if (is_other_of_target(pass, item))
            err_ignore(adopt_from(pass, item, succeeded), "what cannot be read is left alone");
    }
}

/* And what the objects have left that are not there any more. Once this is written the list need not hold it:
 * so the row remembers that it does. Trouble fails no run: the next one takes them over. */
static void adopt_kept(struct stage *stage)
{
    const struct pass *pass = stage->pass;
    AUTO_LEFTOVERS struct leftovers kept = {0};
    struct err *err =
        leftovers_read_kept(pass->objects, pass->env, pass->namespace, pass->spec->series, &kept);

    if (err)
        err_ignore(err, "they stay on the list");
    for (size_t i = 0; i < kept.count; i++) {
        const struct leftover *item = &kept.items[i];

        if (!text_equal(item->account, pass->spec->target) ||
            (item->account_id && !text_equal(item->account_id, pass->target_account->account_id)))
            continue;
        copies_adopt_kept(pass->status, pass->spec, item);
        if (copies_are_known(pass->status, item->arn))
            step_set_evidence(stage->row, LISTED, "true");
    }
}

struct err *retention_intend(struct stage *stage)
{
    const struct pass *pass = stage->pass;
    bool failed = rows_run_failed(pass->status);

    copies_book(pass->status, !failed);
    if (failed)
        copies_book_unseen(pass->status, pass->spec, pass->target_account);
    adopt(pass, !failed);
    if (!failed)
        adopt_kept(stage);
    copies_mark(pass->status, &present_spec(pass)->live.retention, failed ? pass->status->run.id : NULL);
    return NULL;
}

/* --- one look --- */

struct tidy {
    struct stage *stage;
    struct pass *pass;
    char *series;
    bool failed;      /* the run has: what AWS does by itself is not waited for */
    int64_t after_ms; /* of what is to be looked at again; NEVER_MS: nothing */
    size_t removed;
    size_t troubles; /* with single recovery points */
    struct buf left; /* what stays, and why */
};

static void tidy_done(struct tidy *tidy)
{
    xfree(tidy->series);
    buf_done(&tidy->left);
}

static void look_again(struct tidy *tidy, int64_t after_ms)
{
    if (after_ms < tidy->after_ms)
        tidy->after_ms = after_ms;
}

static void say_left(struct tidy *tidy, const char *message)
{
    if (tidy->left.len + strlen(message) + 2 < LEFT_MAX)
        buf_addf(&tidy->left, "%s%s", tidy->left.len ? "; " : "", message);
}

/* What is not removed by now. */
static void note(struct tidy *tidy, const struct removal *removal)
{
    if (removal->state == REMOVAL_RUNNING && !(tidy->failed && removal->is_asked))
        look_again(tidy, removal->after_ms);
    if (removal->state != REMOVAL_GONE && !removal->is_asked)
        say_left(tidy, removal->message);
}

/* Trouble of the moment; what ends the pass is passed on. */
static struct err *note_trouble(struct tidy *tidy, struct err *err)
{
    if (err_kind(err) == ERR_CANCELED || (err_kind(err) == ERR_CONFLICT && !err_remote(err)->http_status))
        return err;
    look_again(tidy, TROUBLE_LOOK_MS);
    say_left(tidy, err_text(err));
    err_ignore(err, "said in the message, and tried again");
    return NULL;
}

static struct err *note_any(struct tidy *tidy, struct err *err)
{
    return err ? note_trouble(tidy, err) : NULL;
}

static struct remover remover_of(const struct tidy *tidy, const struct aws_client *aws)
{
    return (struct remover){.aws = *aws,
                            .series = tidy->series,
                            .pass = tidy->pass,
                            .may_change = removal_check_run,
                            .arg = tidy->pass};
}

/* --- copies --- */

/* It will not be looked at again; the end of the row still says so. */
static void remember_foreign(struct step_status *row, const char *message)
{
    const char *before = step_evidence(row, "leftAlone");
    AUTO_FREE char *all = before ? xasprintf("%s; %s", before, message) : xstrdup(message);

    if (strlen(all) < LEFT_MAX)
        step_set_evidence(row, "leftAlone", all);
}

/* True when it is not in the status any more. */
static struct err *tidy_copy(struct tidy *tidy, size_t index, bool *ret_dropped)
{
    const struct removal_copy what = removal_copy_of(&tidy->pass->status->copies[index]);
    const struct remover by = remover_of(tidy, &tidy->pass->target);
    AUTO_REMOVAL struct removal removal = {0};
    struct err *err = removal_of_copy(&by, &what, &removal);

    *ret_dropped = false;
    if (err)
        return note_trouble(tidy, err);
    note(tidy, &removal);
    tidy->removed += removal.state == REMOVAL_GONE;
    /* What is not ours is left alone for good. */
    if (removal.state == REMOVAL_FOREIGN)
        remember_foreign(tidy->stage->row, removal.message);
    *ret_dropped = removal.state == REMOVAL_GONE || removal.state == REMOVAL_FOREIGN;
    if (*ret_dropped)
        status_remove_copy(tidy->pass->status, index);
    return NULL;
}

/* Not all in one pass: the next one goes on where this one has stopped. */
static struct err *tidy_copies(struct tidy *tidy)
{
    struct refresh_status *status = tidy->pass->status;
    size_t looks = 0, first = (size_t)step_evidence_ms(tidy->stage->row, "next", 0);

    for (size_t i = first < status->copy_count ? first : 0; i < status->copy_count;) {
        bool dropped = false;

        if (status->copies[i].role == COPY_REMOVING && looks++ == COPIES_PER_LOOK) {
            step_set_evidence_ms(tidy->stage->row, "next", (int64_t)i);
            look_again(tidy, SECONDS(1));
            return NULL;
        }
        if (status->copies[i].role == COPY_REMOVING)
            TRY(tidy_copy(tidy, i, &dropped));
        i += !dropped;
    }
    if (first)
        look_again(tidy, SECONDS(1)); /* those at the beginning */
    step_set_evidence(tidy->stage->row, "next", NULL);
    return NULL;
}

/* What the status knows of need not be on the list of leftovers any more. */
static struct err *clear_list(struct tidy *tidy)
{
    const struct pass *pass = tidy->pass;
    AUTO_LEFTOVERS struct leftovers kept = {0};
    AUTO_LEFTOVERS struct leftovers known = {0};

    if (!step_evidence(tidy->stage->row, LISTED))
        return NULL;
    TRY(leftovers_read_kept(pass->objects, pass->env, pass->namespace, pass->spec->series, &kept));
    for (size_t i = 0; i < kept.count; i++) {
        if (!copies_are_known(pass->status, kept.items[i].arn))
            continue;
        *leftovers_append(&known) = kept.items[i];
        kept.items[i] = (struct leftover){0};
    }
    TRY(err_wrap(leftovers_drop(pass->objects, pass->env, &known),
                 "take what is taken over off the list of leftovers"));
    step_set_evidence(tidy->stage->row, LISTED, NULL);
    return NULL;
}

/* --- recovery points --- */

static bool is_usable(const struct recovery_point *point)
{
    return text_equal(point->status, "COMPLETED") || text_equal(point->status, "AVAILABLE");
}

/* The run itself, or its retry, may need it. */
static bool is_of_run(const struct refresh_status *status, const char *arn)
{
    for (size_t i = 0; i < status->database_count; i++) {
        if (text_equal(status->databases[i].recovery_point_arn, arn) ||
            text_equal(status->databases[i].copy_recovery_point_arn, arn))
            return true;
    }
    return false;
}

static int newest_first(const void *a, const void *b)
{
    const struct recovery_point *left = a, *right = b;

    if (left->created_ms != right->created_ms)
        return left->created_ms > right->created_ms ? -1 : 1;
    return strcmp(right->arn, left->arn);
}

static struct err *is_ours(const struct tidy *tidy, const struct aws_client *aws,
                           const struct recovery_point *point, bool *ret)
{
    AUTO_TAGS struct aws_tags tags = {0};

    TRY(err_wrap(backup_list_point_tags(aws, point->arn, &tags), "read the tags of recovery point %s",
                 point->arn));
    *ret = text_equal(aws_tags_get(&tags, TAG_POINT_SERIES), tidy->series);
    return NULL;
}

/* What AWS answers about one recovery point says nothing of the others: it stays, and they are looked at. */
static struct err *note_answer(struct tidy *tidy, struct err *err)
{
    if (!err || !err_remote(err)->http_status)
        return err;
    bool passes = err_kind(err) == ERR_RETRY || err_kind(err) == ERR_CONFLICT;
    if (passes && ++tidy->troubles >= TROUBLES_PER_LOOK)
        return err;
    if (passes)
        look_again(tidy, TROUBLE_LOOK_MS);
    if (err_kind(err) != ERR_NOT_FOUND)
        say_left(tidy, err_text(err));
    err_ignore(err, "said in the message, or it has just gone");
    return NULL;
}

static struct err *tidy_point(struct tidy *tidy, const struct aws_client *aws, const char *vault,
                              const char *arn)
{
    const struct remover by = remover_of(tidy, aws);
    AUTO_REMOVAL struct removal removal = {0};

    TRY(removal_of_recovery_point(&by, vault, arn, &removal));
    note(tidy, &removal);
    return NULL;
}

/* The newest of ours stay; what is ours and good for nothing goes. */
static struct err *tidy_vault(struct tidy *tidy, const struct aws_client *aws, const char *vault,
                              const char *resource_arn)
{
    int64_t kept = 0, keep = present_spec(tidy->pass)->live.retention.recovery_points;
    AUTO_RECOVERY_POINTS struct recovery_points points = {0};

    TRY(err_wrap(backup_list_recovery_points(aws, vault, resource_arn, &points),
                 "list the recovery points of vault %s", vault));
    if (points.count > 1)
        qsort(points.items, points.count, sizeof(*points.items), newest_first);
    for (size_t i = 0; i < points.count; i++) {
        const struct recovery_point *point = &points.items[i];
        bool ours = false;

        if (!point->plan_id)
            TRY(note_answer(tidy, is_ours(tidy, aws, point, &ours)));
        if (!ours || text_equal(point->status, "CREATING"))
            continue;
        if (is_of_run(tidy->pass->status, point->arn) || (is_usable(point) && kept < keep))
            kept += is_usable(point);
        else
            TRY(note_answer(tidy, tidy_point(tidy, aws, vault, point->arn)));
    }
    return NULL;
}

static char *resource_arn(const struct account *source, const struct database_spec *database)
{
    if (database->kind == DATABASE_AURORA)
        return arn_of_db_cluster(source->region, source->account_id, database->aurora.cluster_identifier);
    return arn_of_table(source->region, source->account_id, database->dynamodb.table_name);
}

/* Without a source nothing was backed up. */
static struct err *tidy_points(struct tidy *tidy)
{
    const struct pass *pass = tidy->pass;

    for (size_t i = 0; pass->source_account && i < pass->spec->database_count; i++) {
        AUTO_FREE char *resource = resource_arn(pass->source_account, &pass->spec->databases[i]);
        struct err *err = tidy_vault(tidy, &pass->source, pass->source_account->vault_name, resource);

        if (err)
            TRY(note_trouble(tidy, err));
        err = tidy_vault(tidy, &pass->target, pass->target_account->vault_name, resource);
        if (err)
            TRY(note_trouble(tidy, err));
    }
    return NULL;
}

/* --- */

static void end(struct tidy *tidy, struct outcome *out)
{
    step_set_evidence(tidy->stage->row, "left", tidy->left.len ? "true" : NULL);
    if (!tidy->left.len) {
        *out = outcome_done("what is not kept is gone, or going");
        return;
    }
    *out = outcome_done("not removed, to be tried again by the next run: %s", buf_text(&tidy->left));
    outcome_warn(out, "NotRemoved", buf_text(&tidy->left));
}

/* Of the time since the intent, what this process has seen: after an outage it looks at least once. */
static int64_t waited_ms(const struct stage *stage)
{
    int64_t age_ms = stage_age_ms(stage);

    return age_ms < stage->watched_ms ? age_ms : stage->watched_ms;
}

struct err *retention_act(struct stage *stage, struct outcome *out)
{
    CLEANUP(tidy_done)
    struct tidy tidy = {.stage = stage,
                        .pass = stage->pass,
                        .series = name_series(stage->pass),
                        .failed = rows_run_failed(stage->pass->status),
                        .after_ms = NEVER_MS,
                        .left = BUF_MAX(LEFT_MAX + 1)};
    int64_t patience_ms = tidy.failed ? PATIENCE_FAILED_MS : PATIENCE_MS;

    if (step_evidence(stage->row, "leftAlone"))
        say_left(&tidy, step_evidence(stage->row, "leftAlone"));
    TRY(note_any(&tidy, clear_list(&tidy)));
    TRY(tidy_copies(&tidy));
    TRY(tidy_points(&tidy));
    if (stage->row->state == STEP_INTENDED)
        stage_started(stage, NULL);
    if (tidy.after_ms < NEVER_MS && waited_ms(stage) < patience_ms)
        *out = outcome_wait(tidy.after_ms, "%s",
                            tidy.left.len ? buf_text(&tidy.left) : "AWS is deleting what is not kept");
    else
        end(&tidy, out);
    return NULL;
}
