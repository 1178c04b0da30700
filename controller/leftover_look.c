#include "controller/leftover_look.h"

#include "controller/actor.h"
#include "controller/admit.h"
#include "controller/removal.h"
#include "controller/steps/job_search.h"
#include "pkg/aws/arn.h"
#include "pkg/aws/observer.h"

#define JOB_LOOK_MS MINUTES(1)
#define STOP_LOOK_MS SECONDS(15)
/* Whoever uses it, or must do something, is a person. */
#define PERSON_LOOK_MS MINUTES(10)
#define RUN_LOOK_MS MINUTES(2)
/* Lists lag a start, and a start that is under way arrives within this time. */
#define UNKNOWN_FOR_MS HOURS(1)
/* AWS may not know yet what it has just made. */
#define NOT_KNOWN_YET_MS MINUTES(15)

void leftover_look_done(struct leftover_look *look)
{
    xfree(look->message);
    *look = (struct leftover_look){0};
}

/* Takes the message. */
static void conclude(struct leftover_look *out, enum leftover_state state, int64_t after_ms, char *message)
{
    leftover_look_done(out);
    *out = (struct leftover_look){.state = state, .after_ms = after_ms, .message = message};
}

/* --- the account --- */

struct access {
    struct account *account;
    struct aws_account *aws_account;
    struct actor actor;
    struct aws_client aws;
};

static void access_done(struct access *access)
{
    account_free(access->account);
    aws_account_unref(access->aws_account);
}

static char *misfit_of(const struct account *account, const char *account_id)
{
    if (!account_id || text_equal(account->account_id, account_id))
        return NULL;
    return xasprintf("AWSAccount %s is account %s now; what is left is in account %s", account->name,
                     account->account_id, account_id);
}

/* *ret_trouble: a sentence why it cannot be used, yours. */
static struct err *read_account(const struct leftover_watcher *by, const char *name, const char *account_id,
                                struct account **ret, char **ret_trouble)
{
    struct objects *objects = engine_objects(by->engine);
    const struct object_id id = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = name};
    AUTO_JSON struct json *object = NULL;
    AUTO_REFUSAL struct refusal refusal = {0};
    AUTO_ERR struct err *fault = NULL;

    TRY(objects_read(objects, by->env, &id, &object));
    if (!object) {
        *ret_trouble = xasprintf("there is no AWSAccount %s any more; with it back this goes on", name);
        return NULL;
    }
    fault = account_parse(object, ret);
    if (fault) {
        *ret_trouble = xasprintf("AWSAccount %s: %s", name, err_text(fault));
        return NULL;
    }
    admit_usage(objects, *ret, &refusal);
    *ret_trouble = refusal.message ? xstrdup(refusal.message) : misfit_of(*ret, account_id);
    return NULL;
}

static struct err *open_access(const struct leftover_watcher *by, const struct leftover *item,
                               struct access *ret, char **ret_trouble)
{
    TRY(read_account(by, item->account, item->account_id, &ret->account, ret_trouble));
    if (*ret_trouble)
        return NULL;
    TRY(err_wrap(engine_account(by->engine, ret->account, &ret->aws_account), "AWSAccount %s",
                 item->account));
    ret->aws = (struct aws_client){.account = ret->aws_account, .env = by->env};
    if (!text_is_empty(item->name) && !text_is_empty(item->run_id)) {
        actor_init(&ret->actor, item->namespace, item->name, item->run_id);
        ret->aws.actor = &ret->actor.aws;
    }
    return NULL;
}

/* --- jobs --- */

struct look {
    const struct leftover_watcher *by;
    struct leftover *item;
    const struct access *access;
    struct leftover_look *out;
};

static int64_t age_ms(const struct look *look)
{
    return sched_elapsed_ms(look->by->env->sched, look->item->since_ms);
}

static struct err *search_backup(const struct look *look, char **ret_id)
{
    const struct leftover *item = look->item;
    const struct backup_search what = {.resource_arn = item->source_arn,
                                       .vault_name = item->vault,
                                       .role_arn = item->role_arn,
                                       .token = item->token,
                                       .since_ms = item->since_ms};

    return item->source_arn ? job_search_backup(&look->access->aws, &what, ret_id) : NULL;
}

static struct err *search_copy(const struct look *look, char **ret_id)
{
    const struct leftover *item = look->item;
    AUTO_ACCOUNT struct account *target = NULL;
    AUTO_FREE char *trouble = NULL;
    AUTO_FREE char *vault_arn = NULL;

    if (!item->source_arn || !item->destination)
        return NULL;
    TRY(read_account(look->by, item->destination, item->destination_id, &target, &trouble));
    if (trouble)
        return err_new(ERR_RETRY, "%s", trouble);
    vault_arn = arn_of_backup_vault(target->region, target->account_id, target->vault_name);
    const struct copy_search what = {.recovery_point_arn = item->source_arn,
                                     .destination_vault_arn = vault_arn,
                                     .since_ms = item->since_ms,
                                     .point_is_ours = item->point_is_ours};
    return job_search_copy(&look->access->aws, &what, ret_id);
}

static struct err *search_restore(const struct look *look, char **ret_id)
{
    const struct leftover *item = look->item;
    const struct restore_search what = {.recovery_point_arn = item->source_arn,
                                        .kind = item->database_kind,
                                        .identifier = item->identifier,
                                        .since_ms = item->since_ms};

    return item->source_arn && item->identifier ? job_search_restore(&look->access->aws, &what, ret_id)
                                                : NULL;
}

/* Becomes what the job has made. */
static void become(struct leftover *item, enum leftover_kind kind, const char *arn)
{
    item->kind = kind;
    text_replace(&item->arn, arn);
}

static bool end_backup(struct leftover *item, const struct backup_job *job)
{
    if (job && job->recovery_point_arn)
        become(item, LEFTOVER_RECOVERY_POINT, job->recovery_point_arn);
    return job && job->recovery_point_arn;
}

static bool end_copy(struct leftover *item, const struct backup_job *job)
{
    if (!job || !job->destination_recovery_point_arn || !item->destination)
        return false;
    become(item, LEFTOVER_RECOVERY_POINT, job->destination_recovery_point_arn);
    text_replace(&item->account, item->destination);
    text_replace(&item->account_id, item->destination_id);
    text_replace(&item->vault, NULL); /* the one of that account */
    return true;
}

/* Whatever its end: AWS may leave half of it. */
static bool end_restore(struct leftover *item, const struct backup_job *job)
{
    become(item, LEFTOVER_COPY, job ? job->created_resource_arn : NULL);
    return item->identifier != NULL;
}

struct job_row {
    const char *noun;
    enum backup_job_kind kind;
    struct err *(*search)(const struct look *look, char **ret_id);
    /* The job has ended, or is not known (job NULL): true when the item has become its product, false when
     * there is none. */
    bool (*end)(struct leftover *item, const struct backup_job *job);
};

// clang-format off
static const struct job_row job_rows[] = {
    [LEFTOVER_BACKUP_JOB]  = {.noun = "backup job",  .kind = BACKUP_JOB,  .search = search_backup,  .end = end_backup},
    [LEFTOVER_COPY_JOB]    = {.noun = "copy job",    .kind = COPY_JOB,    .search = search_copy,    .end = end_copy},
    [LEFTOVER_RESTORE_JOB] = {.noun = "restore job", .kind = RESTORE_JOB, .search = search_restore, .end = end_restore},
};
// clang-format on

static void end_job(const struct look *look, const struct job_row *row, const struct backup_job *job)
{
    bool has_product = row->end(look->item, job);

    conclude(look->out, has_product ? LEFTOVER_GOING : LEFTOVER_GONE, 0,
             xasprintf("%s %s has ended%s%s", row->noun, look->item->job_id ? look->item->job_id : "of no id",
                       job ? " as " : "", job ? job->state_text : ""));
}

/* Only where AWS lets them be stopped: not Aurora's, and a table's only before they run. */
static struct err *stop_job(const struct look *look, const struct backup_job *job, bool *ret_stopped)
{
    struct err *err;

    *ret_stopped = false;
    if (!look->by->stops_jobs || look->item->kind != LEFTOVER_BACKUP_JOB ||
        look->item->database_kind == DATABASE_AURORA)
        return NULL;
    TRY(look->by->may_change(look->by->arg));
    err = backup_stop_backup(&look->access->aws, job->id);
    if (err && err_remote(err)->http_status) {
        err_ignore(err, "AWS does not let it be stopped: it goes on to its end");
        return NULL;
    }
    *ret_stopped = !err;
    return err;
}

static struct err *find_job(const struct look *look, const struct job_row *row)
{
    AUTO_FREE char *id = NULL;

    TRY(err_wrap(row->search(look, &id), "look for a %s that may have been started", row->noun));
    if (id)
        text_replace(&look->item->job_id, id);
    else if (age_ms(look) < UNKNOWN_FOR_MS)
        conclude(look->out, LEFTOVER_WAITS, 2 * JOB_LOOK_MS,
                 xasprintf("whether a %s was started is not known yet", row->noun));
    else
        end_job(look, row, NULL);
    return NULL;
}

static struct err *watch_job(const struct look *look, const struct job_row *row)
{
    AUTO_BACKUP_JOB struct backup_job job = {0};
    const struct observer_query query = {.kind = row->kind,
                                         .id = look->item->job_id,
                                         .since_ms = look->item->since_ms - JOB_CLOCKS_MS,
                                         .max_age_ms = JOB_LOOK_MS};
    int64_t again_ms;
    bool stopped;
    struct err *err = observer_look(&look->access->aws, &query, &job, &again_ms);

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "it shows up within minutes, or AWS has forgotten it");
        if (age_ms(look) < NOT_KNOWN_YET_MS)
            conclude(look->out, LEFTOVER_WAITS, JOB_LOOK_MS,
                     xasprintf("AWS does not know %s %s yet", row->noun, look->item->job_id));
        else
            end_job(look, row, NULL);
        return NULL;
    }
    TRY(err_wrap(err, "look at %s %s", row->noun, look->item->job_id));
    if (backup_state_is_final(job.state)) {
        end_job(look, row, &job);
        return NULL;
    }
    TRY(stop_job(look, &job, &stopped));
    conclude(look->out, stopped ? LEFTOVER_GOING : LEFTOVER_WAITS, stopped ? STOP_LOOK_MS : JOB_LOOK_MS,
             xasprintf("%s %s is %s%s", row->noun, job.id, job.state_text,
                       stopped ? " and was told to stop" : ""));
    return NULL;
}

static struct err *look_at_job(const struct look *look)
{
    const struct job_row *row = &job_rows[look->item->kind];

    if (!look->item->job_id)
        TRY(find_job(look, row));
    return look->item->job_id && !look->out->message ? watch_job(look, row) : NULL;
}

/* --- things --- */

static void take_removal(const struct look *look, struct removal *removal)
{
    // clang-format off
    static const struct {
        enum leftover_state state;
        int64_t after_ms;
    } meanings[] = {
        [REMOVAL_GONE]    = {LEFTOVER_GONE, 0},
        [REMOVAL_FOREIGN] = {LEFTOVER_GONE, 0},
        [REMOVAL_RUNNING] = {LEFTOVER_GOING, 0},
        [REMOVAL_IN_USE]  = {LEFTOVER_WAITS, PERSON_LOOK_MS},
        [REMOVAL_BLOCKED] = {LEFTOVER_WAITS, PERSON_LOOK_MS},
    };
    // clang-format on
    int64_t after_ms = meanings[removal->state].after_ms;

    conclude(look->out, meanings[removal->state].state, after_ms ? after_ms : removal->after_ms,
             TAKE(removal->message));
    look->out->is_used = removal->state == REMOVAL_IN_USE;
}

/* What must not name the copy, as a spec: the object's own is gone. */
static struct refresh_spec spec_of(const struct leftover *item)
{
    return (struct refresh_spec){.series = item->series,
                                 .target = item->account,
                                 .parameters = item->parameters,
                                 .parameter_count = item->parameter_count};
}

/* --- runs under way --- */

struct runner {
    const struct leftover *item;
    char *name; /* NULL: nobody runs */
};

/* The object's own run is the business of who deletes it. */
static bool see_run(void *arg, const struct json *object)
{
    struct runner *runner = arg;

    if (text_equal(json_get_text(object, "metadata.uid", ""), runner->item->uid) ||
        !*json_get_text(object, "status.run.id", "") || json_at(object, "status.run.completionTime"))
        return true;
    runner->name = xstrdup(json_get_text(object, "metadata.name", ""));
    return false;
}

/* False: somebody else's run is under way, or about to begin, and this has been said. It may have taken
 * staging off the copy and have to put it back. Else none begins before the series is given back. */
static bool take_series(const struct look *look)
{
    struct runner runner = {.item = look->item};
    AUTO_FREE char *series = objects_series(look->item->namespace, look->item->series);
    bool taken = engine_claim_series(look->by->engine, series, look->by->holder);

    objects_each(engine_objects(look->by->engine), OBJECT_REFRESH, series, see_run, &runner);
    AUTO_FREE char *name = runner.name;
    if (taken && !name)
        return true;
    conclude(look->out, LEFTOVER_WAITS, RUN_LOOK_MS,
             xasprintf("%s may be needed: the run of %s in series %s may have to be put back onto it",
                       look->item->identifier, name ? name : "another object", look->item->series));
    look->out->is_used = true;
    if (taken)
        engine_release_series(look->by->engine, look->by->holder);
    return false;
}

static struct err *remove_copy(const struct look *look, const struct remover *remover)
{
    const struct leftover *item = look->item;
    AUTO_REMOVAL struct removal removal = {0};
    const struct removal_copy what = {.kind = item->database_kind,
                                      .identifier = item->identifier,
                                      .arn = item->arn,
                                      .restore_job_id = item->job_id,
                                      .run_id = item->run_id,
                                      .database = item->database,
                                      .may_unprotect = item->may_unprotect};
    struct refresh_spec spec = spec_of(item);
    const struct pass pass = {.env = look->by->env,
                              .objects = engine_objects(look->by->engine),
                              .namespace = item->namespace,
                              .name = item->name ? item->name : "",
                              .uid = item->uid ? item->uid : "",
                              .spec = &spec,
                              .target_account = look->access->account,
                              .target = look->access->aws};
    struct remover with_pass = *remover;

    with_pass.pass = &pass;
    TRY(removal_of_copy(&with_pass, &what, &removal));
    take_removal(look, &removal);
    return NULL;
}

static struct err *look_at_copy(const struct look *look, const struct remover *remover)
{
    struct err *err;

    if (!take_series(look))
        return NULL;
    err = remove_copy(look, remover);
    engine_release_series(look->by->engine, look->by->holder);
    return err;
}

static struct err *look_at_point(const struct look *look, const struct remover *remover)
{
    const struct leftover *item = look->item;
    AUTO_REMOVAL struct removal removal = {0};

    TRY(removal_of_recovery_point(remover, item->vault ? item->vault : look->access->account->vault_name,
                                  item->arn, &removal));
    take_removal(look, &removal);
    return NULL;
}

static struct err *look_at_thing(const struct look *look)
{
    AUTO_FREE char *series = xasprintf("%s/%s/%s", engine_objects(look->by->engine)->installation,
                                       look->item->namespace, look->item->series);
    const struct remover remover = {
        .aws = look->access->aws, .series = series, .may_change = look->by->may_change, .arg = look->by->arg};

    return look->item->kind == LEFTOVER_COPY ? look_at_copy(look, &remover) : look_at_point(look, &remover);
}

struct err *leftover_look_at(const struct leftover_watcher *by, struct leftover *item,
                             struct leftover_look *ret)
{
    CLEANUP(access_done) struct access access = {0};
    AUTO_LEFTOVER_LOOK struct leftover_look out = {0};
    AUTO_FREE char *trouble = NULL;
    const struct look look = {.by = by, .item = item, .access = &access, .out = &out};
    struct err *err = open_access(by, item, &access, &trouble);

    if (!err && trouble)
        conclude(&out, LEFTOVER_WAITS, PERSON_LOOK_MS, xstrdup(trouble));
    else if (!err)
        err = item->kind <= LEFTOVER_RESTORE_JOB ? look_at_job(&look) : look_at_thing(&look);
    if (err)
        return err;
    *ret = out;
    out = (struct leftover_look){0};
    return NULL;
}

bool leftover_is_read(const struct leftovers *list, const struct leftover *item)
{
    if (item->kind != LEFTOVER_RECOVERY_POINT)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct leftover *other = &list->items[i];

        if ((other->kind == LEFTOVER_COPY_JOB || other->kind == LEFTOVER_RESTORE_JOB) &&
            text_equal(other->uid, item->uid) && text_equal(other->run_id, item->run_id) &&
            text_equal(other->database, item->database))
            return true;
    }
    return false;
}
