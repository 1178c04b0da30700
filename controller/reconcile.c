/* One pass over one StagingRefresh. It reads the object as last written, looks at the world, and then either
 * records (a new run, intents) in one write, or acts on the intents it read and writes what came back in one
 * write; never both. */
#include "controller/admit.h"
#include "controller/drift.h"
#include "controller/engine.h"
#include "controller/names.h"
#include "controller/requests.h"
#include "controller/runner.h"
#include "controller/summary.h"
#include "pkg/aws/dynamodb.h"
#include "pkg/aws/rds.h"

#define ACCOUNT_LOOK_MS SECONDS(30)
#define QUEUE_LOOK_MS SECONDS(15)
#define INVALID_LOOK_MS MINUTES(10)

struct visit {
    struct engine *engine;
    const struct env *env;
    struct log *log;
    struct objects *objects;
    struct json *object;
    struct refresh_status *status;
    struct refresh_spec *live; /* NULL: cannot be read */
    struct err *live_fault;    /* why not */
    struct summary_input summary;
    const char *namespace, *name, *uid, *request;
    char *holder;    /* "namespace/name": who holds a series */
    char *switch_to; /* the run whose copies are asked for; NULL: a run of its own */
};

static void visit_done(struct visit *visit)
{
    json_free(visit->object);
    refresh_status_free(visit->status);
    refresh_spec_free(visit->live);
    err_free(visit->live_fault);
    log_free(visit->log);
    xfree(visit->holder);
    xfree(visit->switch_to);
}

static struct err *visit_init(struct visit *visit, struct engine *engine, const struct env *env,
                              const struct object_id *id)
{
    *visit = (struct visit){.engine = engine, .env = env, .objects = engine_objects(engine)};
    visit->holder = xasprintf("%s/%s", id->namespace, id->name);
    TRY(objects_read(visit->objects, env, id, &visit->object));
    if (!visit->object)
        return NULL;
    visit->namespace = json_get_text(visit->object, "metadata.namespace", "");
    visit->name = json_get_text(visit->object, "metadata.name", "");
    visit->uid = json_get_text(visit->object, "metadata.uid", "");
    visit->request = json_get_text(
        json_member(json_at(visit->object, "metadata.annotations"), ANNOTATION("run-requested")), NULL, "");
    TRY(err_wrap(refresh_status_parse(json_member(visit->object, "status"), &visit->status), "status"));
    visit->live_fault = refresh_spec_parse(json_member(visit->object, "spec"), visit->name, &visit->live);
    visit->summary =
        (struct summary_input){.status = visit->status,
                               .spec = visit->live,
                               .generation = json_get_int(visit->object, "metadata.generation", 0),
                               .now_ms = sched_wall_ms(env->sched),
                               .sched = env->sched};
    return NULL;
}

/* The one write of a pass. */
static struct err *write_status(struct visit *visit)
{
    AUTO_JSON struct json *status = refresh_status_to_json(visit->status);
    AUTO_JSON struct json *written = NULL;
    bool changed = !json_equal(status, json_member(visit->object, "status"));

    TRY(objects_write_status(visit->objects, visit->env, visit->object, status, &written));
    if (changed && written)
        engine_written(visit->engine, visit->object, written);
    return NULL;
}

static char *series_key(const struct visit *visit, const struct refresh_spec *spec)
{
    return xasprintf("%s/%s", visit->namespace, spec->series);
}

/* --- starting a run --- */

static bool is_wanted(const struct visit *visit)
{
    const struct refresh_status *status = visit->status;

    if (!text_equal(status->last_handled_trigger, visit->live->live.trigger))
        return true;
    return *visit->request && !text_equal(status->last_handled_request, visit->request);
}

static bool has_active_run(const struct json *object)
{
    return *json_get_text(object, "status.run.id", "") && !json_at(object, "status.run.completionTime");
}

/* Another object of the series has a run under way: *ret_other names it, yours; NULL when none has. */
static struct err *find_other_run(struct visit *visit, char **ret_other)
{
    AUTO_JSON struct json *items = NULL;

    TRY(objects_list(visit->objects, visit->env, OBJECT_REFRESH, &items));
    json_each (item, items) {
        const char *name = json_get_text(item, "metadata.name", "");

        if (text_equal(json_get_text(item, "metadata.uid", ""), visit->uid) ||
            !text_equal(json_get_text(item, "metadata.namespace", ""), visit->namespace) ||
            !text_equal(json_get_text(item, "spec.series", name), visit->live->series) ||
            !has_active_run(item))
            continue;
        *ret_other = xstrdup(name);
        return NULL;
    }
    return NULL;
}

static struct err *stall(struct visit *visit, const char *reason, const char *message, int64_t after_ms,
                         struct requeue *ret)
{
    struct condition *before = status_condition(visit->status, "Stalled");
    bool news = !before || !text_equal(before->reason, reason);

    summary_stalled(&visit->summary, reason, message);
    TRY(write_status(visit));
    if (news) {
        LOG_ERROR(visit->log, "cannot start", KV("reason", reason), KV("message", message));
        objects_emit(visit->objects, visit->env, visit->object, EVENT_WARNING, reason, message);
    }
    ret->after_ms = after_ms;
    return NULL;
}

static struct err *wait_for_series(struct visit *visit, const char *other, struct requeue *ret)
{
    AUTO_FREE char *message = xasprintf("Waits for the run of %s in series %s", other, visit->live->series);

    summary_queued(&visit->summary, message);
    ret->after_ms = QUEUE_LOOK_MS;
    return write_status(visit);
}

/* The trigger that is answered is written in the same patch as the run's id: neither is ever there without
 * the other. */
static void lay_out_run(struct visit *visit, const char *run_id)
{
    struct refresh_status *status = visit->status;
    AUTO_FREE char *answered = requests_take_answered(status);

    status_reset_run(status);
    json_free(status->run.spec);
    text_replace(&status->run.id, run_id);
    text_replace(&status->run.trigger, visit->live->live.trigger);
    text_replace(&status->run.request, *visit->request ? visit->request : NULL);
    text_replace(&status->run.controller_version, SR_VERSION);
    text_replace(&status->run.approved_by, NULL);
    status->run.approval_ms = 0;
    status->run.attempt = 1;
    status->run.start_ms = visit->summary.now_ms;
    status->run.completion_ms = 0;
    status->run.spec = json_copy(json_member(visit->object, "spec"));
    status->percent = 0;
    text_replace(&status->last_handled_trigger, visit->live->live.trigger);
    text_replace(&status->last_handled_request, visit->request);
    runner_lay_out(status, visit->live);
    requests_put_answered(status, visit->switch_to ? request_value(visit->object, "switch-to") : answered);
    if (visit->switch_to)
        request_lay_out_switch(status, visit->switch_to);
    status_remove_condition(status, "Drifted"); /* of what the last run had set */
    summary_running(&visit->summary, NULL, NULL, false);
}

static struct err *make_client(struct visit *visit, const struct account *account,
                               struct aws_account **ret_account, struct aws_client *ret)
{
    if (!account)
        return NULL;
    TRY(err_wrap(engine_account(visit->engine, account, ret_account), "AWSAccount %s", account->name));
    *ret = (struct aws_client){.account = *ret_account, .env = visit->env};
    return NULL;
}

static struct err *describe_cluster(const struct aws_client *aws, struct database_status *database)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};

    TRY(rds_describe_cluster(aws, database->copy_identifier, &cluster));
    text_replace(&database->endpoint, cluster.endpoint);
    text_replace(&database->reader_endpoint, cluster.reader_endpoint);
    text_replace(&database->engine, cluster.engine);
    text_replace(&database->engine_version, cluster.engine_version);
    text_replace(&database->master_username, cluster.master_username);
    database->port = cluster.port;
    return NULL;
}

static struct err *describe_table(const struct aws_client *aws, struct database_status *database)
{
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};

    TRY(dynamodb_describe_table(aws, database->copy_identifier, &table));
    text_replace(&database->stream_arn, table.stream_arn);
    return NULL;
}

/* What the switchover needs to know of kept copies, as they are now. */
static struct err *describe_copies(struct visit *visit, const struct account *target)
{
    AUTO_AWS_ACCOUNT struct aws_account *account = NULL;
    struct aws_client aws = {0};

    TRY(make_client(visit, target, &account, &aws));
    for (size_t i = 0; i < visit->status->database_count; i++) {
        struct database_status *database = &visit->status->databases[i];
        bool aurora = refresh_database(visit->live, database->name)->kind == DATABASE_AURORA;

        TRY(err_wrap(aurora ? describe_cluster(&aws, database) : describe_table(&aws, database),
                     "look at the kept copy %s", database->copy_identifier));
    }
    return NULL;
}

static struct err *record_run(struct visit *visit, const char *run_id, const struct account *target,
                              struct requeue *ret)
{
    AUTO_FREE char *note =
        visit->switch_to ? xasprintf("Run %s has begun: staging goes onto the copies of run %s, on request",
                                     run_id, visit->switch_to)
                         : xasprintf("Run %s has begun", run_id);

    lay_out_run(visit, run_id);
    if (visit->switch_to)
        TRY(describe_copies(visit, target));
    TRY(write_status(visit));
    LOG_INFO(visit->log, "run begins", KV("run", run_id), KV("trigger", visit->live->live.trigger));
    objects_emit(visit->objects, visit->env, visit->object, EVENT_NORMAL, "RunStarted", note);
    ret->after_ms = 0;
    return NULL;
}

/* False: somebody else has the series, and this has been said. */
static struct err *take_series(struct visit *visit, struct requeue *ret, bool *ret_taken)
{
    AUTO_FREE char *series = series_key(visit, visit->live);
    AUTO_FREE char *other = NULL;

    *ret_taken = false;
    if (!engine_claim_series(visit->engine, series, visit->holder))
        return wait_for_series(visit, "another object", ret);
    TRY(find_other_run(visit, &other));
    if (other) {
        engine_release_series(visit->engine, visit->holder);
        return wait_for_series(visit, other, ret);
    }
    *ret_taken = true;
    return NULL;
}

static struct err *begin_in_series(struct visit *visit, const char *run_id, const struct account *target,
                                   struct requeue *ret)
{
    bool taken;
    struct err *err;

    TRY(take_series(visit, ret, &taken));
    err = taken ? record_run(visit, run_id, target, ret) : NULL;
    if (err) /* another object must not wait for what has not begun */
        engine_release_series(visit->engine, visit->holder);
    return err;
}

static struct err *begin(struct visit *visit, struct requeue *ret)
{
    AUTO_ACCOUNTS struct accounts accounts = {0};
    AUTO_REFUSAL struct refusal refusal = {0};
    char run_id[RUN_ID_MAX];

    name_run_id(visit->summary.now_ms, visit->env->random, run_id);
    admit_fields(visit->objects, visit->live, &refusal);
    if (refusal.message)
        return stall(visit, refusal.reason, refusal.message, NEVER_MS, ret);
    TRY(admit_accounts(visit->objects, visit->env, visit->live, &accounts, &refusal));
    if (!refusal.message && visit->objects->grants_apply)
        admit_grants(&accounts, visit->live, visit->namespace, run_id, &refusal);
    if (refusal.message)
        return stall(visit, refusal.reason, refusal.message, ACCOUNT_LOOK_MS, ret);
    return begin_in_series(visit, run_id, accounts.target, ret);
}

/* --- requests --- */

/* Once per process and text. */
static void say_once(struct visit *visit, const char *reason, char *text)
{
    struct looks *looks = engine_looks(visit->engine);
    AUTO_FREE char *owned = text;
    AUTO_FREE char *key = xasprintf("said/%s", owned ? owned : "");

    if (!owned || looks_due_ms(looks, visit->uid, key))
        return;
    looks_set(looks, visit->uid, key, 1);
    LOG_WARN(visit->log, "request refused", KV("message", owned));
    objects_emit(visit->objects, visit->env, visit->object, EVENT_WARNING, reason, owned);
}

static void say_stale(struct visit *visit)
{
    say_once(visit, "RequestIgnored", request_staleness(visit->status, visit->object, "cancel"));
    say_once(visit, "RequestIgnored", request_staleness(visit->status, visit->object, "retry"));
}

static struct err *write_request(struct visit *visit, const char *reason, const char *note,
                                 struct requeue *ret)
{
    summary_running(&visit->summary, NULL, NULL, false);
    TRY(write_status(visit));
    LOG_INFO(visit->log, "request", KV("run", visit->status->run.id), KV("reason", reason));
    objects_emit(visit->objects, visit->env, visit->object, EVENT_NORMAL, reason, note);
    ret->after_ms = 0;
    return NULL;
}

static struct err *cancel(struct visit *visit, const struct refresh_spec *spec, struct requeue *ret)
{
    AUTO_FREE char *note = xasprintf("Run %s is cancelled: nothing more begins", visit->status->run.id);

    request_cancel(visit->status, spec, request_value(visit->object, "cancel"), visit->summary.now_ms);
    visit->summary.spec = spec;
    looks_forget(engine_looks(visit->engine), visit->uid);
    return write_request(visit, "RunCancelled", note, ret);
}

static struct err *retry(struct visit *visit, struct requeue *ret)
{
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    AUTO_FREE char *note = NULL;
    bool taken;

    TRY(err_wrap(refresh_spec_parse(visit->status->run.spec, visit->name, &spec), "status.run"));
    TRY(take_series(visit, ret, &taken));
    if (!taken)
        return NULL;
    request_retry(visit->status, spec);
    visit->summary.spec = spec;
    note = xasprintf("Run %s goes on, attempt %lld", visit->status->run.id,
                     (long long)visit->status->run.attempt);
    return write_request(visit, "RunRetried", note, ret);
}

/* False when no copies are kept that could be switched to; this has been said. */
static bool can_switch(struct visit *visit, const char *value)
{
    char *refusal = NULL;

    visit->switch_to = request_switch_run(visit->status, visit->live, value, &refusal);
    if (!visit->switch_to)
        say_once(visit, "RequestRefused", refusal);
    return visit->switch_to != NULL;
}

/* --- going on with a run --- */

static bool is_used(const struct refresh_status *status, const struct copy_status *copy)
{
    for (size_t i = 0; i < status->database_count; i++) {
        if (text_equal(status->databases[i].copy_arn, copy->arn))
            return true;
    }
    return false;
}

/* What the run has switched to is what staging uses now; what it used before is kept as previous. Copies that
 * the run made in vain have failed. */
static void book_copies(struct refresh_status *status, bool succeeded)
{
    for (size_t i = 0; i < status->copy_count; i++) {
        struct copy_status *copy = &status->copies[i];

        if (succeeded && is_used(status, copy))
            copy->role = COPY_IN_USE;
        else if (text_equal(copy->run_id, status->run.id))
            copy->role = COPY_FAILED;
        else if (succeeded && copy->role == COPY_IN_USE)
            copy->role = COPY_PREVIOUS;
    }
}

static void end_run(struct visit *visit, const struct report *report)
{
    struct refresh_status *status = visit->status;
    bool succeeded = report->end == RUN_SUCCEEDED;

    status->run.completion_ms = visit->summary.now_ms;
    book_copies(status, succeeded);
    status_add_history(status, status->run.id, succeeded ? "Succeeded" : "Failed",
                       succeeded ? NULL : report->fail_message);
    if (succeeded)
        summary_succeeded(&visit->summary);
    else
        summary_failed(&visit->summary, report->fail_reason, report->fail_message);
}

static void announce(struct visit *visit, const struct report *report)
{
    for (size_t i = 0; i < report->happening_count; i++) {
        const struct happening *happening = &report->happenings[i];

        LOG_INFO(visit->log, "step", KV("reason", happening->reason), KV("note", happening->note));
        objects_emit(visit->objects, visit->env, visit->object, happening->severity, happening->reason,
                     happening->note);
    }
    if (report->end == RUN_SUCCEEDED) {
        LOG_INFO(visit->log, "run succeeded", KV("run", visit->status->run.id));
        objects_emit(visit->objects, visit->env, visit->object, EVENT_NORMAL, "RunSucceeded",
                     "Staging uses the new copies");
    } else if (report->end == RUN_FAILED) {
        LOG_ERROR(visit->log, "run failed", KV("run", visit->status->run.id),
                  KV("reason", report->fail_reason), KV("message", report->fail_message));
        objects_emit(visit->objects, visit->env, visit->object, EVENT_WARNING, "RunFailed",
                     report->fail_message);
    }
}

static struct pass make_pass(const struct visit *visit, struct refresh_spec *spec,
                             const struct accounts *accounts)
{
    return (struct pass){
        .env = visit->env,
        .objects = visit->objects,
        .object = visit->object,
        .namespace = visit->namespace,
        .name = visit->name,
        .uid = visit->uid,
        .generation = visit->summary.generation,
        .spec = spec,
        .live = visit->live,
        .status = visit->status,
        .source_account = accounts->source,
        .target_account = accounts->target,
        .now_ms = visit->summary.now_ms,
    };
}

static struct err *advance_with(struct visit *visit, struct refresh_spec *spec,
                                const struct accounts *accounts, struct requeue *ret)
{
    AUTO_AWS_ACCOUNT struct aws_account *source = NULL;
    AUTO_AWS_ACCOUNT struct aws_account *target = NULL;
    AUTO_REPORT struct report report = {0};
    struct looks *looks = engine_looks(visit->engine);
    struct pass pass = make_pass(visit, spec, accounts);

    TRY(make_client(visit, accounts->source, &source, &pass.source));
    TRY(make_client(visit, accounts->target, &target, &pass.target));
    TRY(runner_advance(&pass, looks, &report));
    visit->summary.spec = spec;
    if (report.end == RUN_GOES_ON)
        summary_running(&visit->summary, report.blocked_reason, report.blocked_message,
                        visit->live && visit->live->live.suspend);
    else
        end_run(visit, &report);
    TRY(write_status(visit));
    announce(visit, &report);
    if (report.end != RUN_GOES_ON) {
        looks_forget(looks, visit->uid);
        engine_release_series(visit->engine, visit->holder);
        report.after_ms = 0; /* a trigger may have come meanwhile */
    }
    ret->after_ms = report.after_ms;
    return NULL;
}

static struct err *advance(struct visit *visit, struct requeue *ret)
{
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    AUTO_ACCOUNTS struct accounts accounts = {0};
    AUTO_REFUSAL struct refusal refusal = {0};
    AUTO_FREE char *series = NULL;

    TRY(err_wrap(refresh_spec_parse(visit->status->run.spec, visit->name, &spec), "status.run"));
    if (request_cancels(visit->status, visit->object))
        return cancel(visit, spec, ret);
    series = series_key(visit, spec);
    engine_claim_series(visit->engine, series,
                        visit->holder); /* after a restart; a run in status holds it anyway */
    TRY(admit_accounts(visit->objects, visit->env, spec, &accounts, &refusal));
    if (!refusal.message)
        return advance_with(visit, spec, &accounts, ret);
    visit->summary.spec = spec;
    summary_running(&visit->summary, refusal.reason, refusal.message, false);
    ret->after_ms = ACCOUNT_LOOK_MS;
    return write_status(visit);
}

/* --- drift --- */

static void say_drift(struct visit *visit, const struct buf *drift)
{
    struct condition *before = status_condition(visit->status, "Drifted");
    AUTO_FREE char *message = NULL;

    if (!drift->len) {
        status_remove_condition(visit->status, "Drifted");
        return;
    }
    message = xasprintf("Changed by somebody else since the switchover: %s. Nothing is put right by itself; "
                        "switch-to %s sets it again",
                        buf_text(drift), visit->status->run.id);
    if (!before || !text_equal(before->message, message)) {
        LOG_WARN(visit->log, "drifted", KV("message", message));
        objects_emit(visit->objects, visit->env, visit->object, EVENT_WARNING, "Drifted", message);
    }
    status_set_condition(visit->status, "Drifted", CONDITION_TRUE, "ChangedByOthers", message,
                         visit->summary.generation, visit->summary.now_ms);
}

static struct err *look_for_drift(struct visit *visit)
{
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    AUTO_ACCOUNTS struct accounts accounts = {0};
    AUTO_REFUSAL struct refusal refusal = {0};
    AUTO_AWS_ACCOUNT struct aws_account *target = NULL;
    AUTO_BUF struct buf drift = BUF_MAX(700);
    struct pass pass;

    TRY(err_wrap(refresh_spec_parse(visit->status->run.spec, visit->name, &spec), "status.run"));
    TRY(admit_accounts(visit->objects, visit->env, spec, &accounts, &refusal));
    if (refusal.message)
        return NULL;
    pass = make_pass(visit, spec, &accounts);
    TRY(make_client(visit, accounts.target, &target, &pass.target));
    TRY(drift_look(&pass, &drift));
    say_drift(visit, &drift);
    return NULL;
}

static bool has_succeeded(struct visit *visit)
{
    const struct condition *succeeded = status_condition(visit->status, "Succeeded");

    return succeeded && succeeded->status == CONDITION_TRUE && visit->status->run.completion_ms;
}

/* Once an hour. The first look after a start falls anywhere in the hour, so that thousands of objects do not
 * look together. Trouble only means: next time. */
static void watch_drift(struct visit *visit, struct requeue *ret)
{
    struct looks *looks = engine_looks(visit->engine);
    int64_t now_ms = sched_now_ms(visit->env->sched), due_ms = looks_due_ms(looks, visit->uid, "drift");

    if (!has_succeeded(visit))
        return;
    if (due_ms && due_ms <= now_ms) {
        AUTO_ERR struct err *err = look_for_drift(visit);

        if (err)
            LOG_DEBUG(visit->log, "cannot look for drift", KV("error", err_text(err)));
        due_ms = now_ms + DRIFT_LOOK_MS;
    } else if (!due_ms) {
        due_ms = now_ms + 1 + (int64_t)random_below(visit->env->random, DRIFT_LOOK_MS);
    }
    looks_set(looks, visit->uid, "drift", due_ms);
    ret->after_ms = due_ms - now_ms;
}

/* --- */

static struct err *idle(struct visit *visit, struct requeue *ret)
{
    struct condition *ready = status_condition(visit->status, "Ready");

    ret->after_ms = NEVER_MS;
    watch_drift(visit, ret);
    /* What was said of a generation that asked for nothing new still holds for this one. */
    if (ready && visit->status->observed_generation != visit->summary.generation) {
        visit->status->observed_generation = visit->summary.generation;
        for (size_t i = 0; i < visit->status->condition_count; i++)
            visit->status->conditions[i].observed_generation = visit->summary.generation;
    }
    return write_status(visit);
}

/* By something that does not begin a run of its own. */
static bool is_asked(struct visit *visit)
{
    const char *value = request_switch(visit->status, visit->object);

    return request_retries(visit->status, visit->object) || (value && can_switch(visit, value));
}

static struct err *dispatch(struct visit *visit, struct requeue *ret)
{
    bool active = visit->status->run.id && !visit->status->run.completion_ms;

    if (json_at(visit->object, "metadata.deletionTimestamp")) {
        engine_release_series(visit->engine, visit->holder);
        return NULL; /* nothing new starts for an object that is going away */
    }
    requests_forget(visit->status, visit->object);
    say_stale(visit);
    if (active)
        return advance(visit, ret);
    if (!visit->live)
        return stall(visit, "InvalidSpec", err_text(visit->live_fault), NEVER_MS, ret);
    if (!is_wanted(visit) && !is_asked(visit))
        return idle(visit, ret);
    if (visit->live->live.suspend) {
        summary_suspended(&visit->summary);
        return write_status(visit);
    }
    if (!is_wanted(visit) && request_retries(visit->status, visit->object))
        return retry(visit, ret);
    return begin(visit, ret);
}

struct err *reconcile_refresh(struct engine *engine, const struct env *env, const struct object_id *id,
                              struct requeue *ret)
{
    CLEANUP(visit_done) struct visit visit = {0};
    struct env logged = *env;
    const struct log_field fields[] = {KV("namespace", id->namespace), KV("name", id->name)};

    TRY(err_wrap(visit_init(&visit, engine, env, id), "%s/%s", id->namespace, id->name));
    if (!visit.object) {
        engine_release_series(engine, visit.holder);
        return NULL;
    }
    visit.log = log_with(env->log, fields, COUNT_OF(fields));
    logged.log = visit.log;
    visit.env = &logged;
    return err_wrap(dispatch(&visit, ret), "%s/%s", id->namespace, id->name);
}
