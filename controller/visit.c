#include "controller/visit.h"

#include "controller/names.h"
#include "controller/transitions.h"

void visit_done(struct visit *visit)
{
    json_free(visit->object);
    refresh_status_free(visit->status);
    refresh_spec_free(visit->live);
    err_free(visit->live_fault);
    log_free(visit->log);
    xfree(visit->run);
    xfree(visit->holder);
    xfree(visit->actor_run);
    xfree(visit->switch_to);
    for (size_t i = 0; i < visit->settled_count; i++)
        xfree(visit->settled[i]);
    xfree(visit->settled);
}

/* What cannot be read must not keep an object from going away. */
static struct err *read_status(struct visit *visit)
{
    struct err *err = refresh_status_parse(json_member(visit->object, "status"), &visit->status);

    if (!err || !json_at(visit->object, "metadata.deletionTimestamp"))
        return err_wrap(err, "status");
    err_ignore(err, "said when the object goes");
    visit->status = refresh_status_new();
    visit->status_fault = true;
    return NULL;
}

void visit_name_run(struct visit *visit, const char *run_id, int64_t attempt)
{
    const struct log_field fields[] = {KV("run", run_id), KV_INT("attempt", attempt)};

    log_free(visit->log);
    visit->log = log_with(visit->unnamed, fields, run_id ? COUNT_OF(fields) : 0);
    visit->own_env.log = visit->log;
    text_replace(&visit->run, run_id);
}

struct err *visit_init(struct visit *visit, struct engine *engine, const struct env *env,
                       const struct object_id *id)
{
    *visit = (struct visit){.engine = engine, .own_env = *env, .objects = engine_objects(engine)};
    visit->env = &visit->own_env;
    visit->unnamed = env->log;
    visit->holder = xasprintf("%s/%s", id->namespace, id->name);
    TRY(objects_read(visit->objects, env, id, &visit->object));
    if (!visit->object)
        return NULL;
    visit->namespace = json_get_text(visit->object, "metadata.namespace", "");
    visit->name = json_get_text(visit->object, "metadata.name", "");
    visit->uid = json_get_text(visit->object, "metadata.uid", "");
    visit->request = json_get_text(
        json_member(json_at(visit->object, "metadata.annotations"), ANNOTATION("run-requested")), NULL, "");
    TRY(read_status(visit));
    visit_name_run(visit, visit->status->run.id, visit->status->run.attempt);
    visit->live_fault = refresh_spec_parse(json_member(visit->object, "spec"), visit->name, &visit->live);
    visit->summary =
        (struct summary_input){.status = visit->status,
                               .spec = visit->live,
                               .generation = json_get_int(visit->object, "metadata.generation", 0),
                               .now_ms = sched_wall_ms(env->sched),
                               .sched = env->sched};
    return NULL;
}

struct err *visit_hold(struct visit *visit, struct requeue *ret, bool *ret_written)
{
    AUTO_JSON struct json *written = NULL;

    *ret_written = false;
    if (objects_has_finalizer(visit->object))
        return NULL;
    TRY(err_wrap(objects_set_finalizer(visit->objects, visit->env, visit->object, true, &written),
                 "set the finalizer"));
    *ret_written = true;
    ret->after_ms = 0;
    return NULL;
}

struct err *visit_write(struct visit *visit)
{
    AUTO_JSON struct json *status = NULL;
    AUTO_JSON struct json *written = NULL;
    bool changed;

    TRY(visit_record_notices(visit));
    status = refresh_status_to_json(visit->status);
    changed = !json_equal(status, json_member(visit->object, "status"));
    TRY(objects_write_status(visit->objects, visit->env, visit->object, status, &written));
    if (changed && written)
        engine_written(visit->engine, visit->object, written);
    if (changed)
        transitions_tell(visit->objects, visit->env, visit->object, status);
    visit_forget_told(visit);
    return NULL;
}

char *visit_series_key(const struct visit *visit, const struct refresh_spec *spec)
{
    return objects_series(visit->namespace, spec->series);
}

/* NULL: no run is at work. The status, and the run in it, may be put away before the client is. */
static const struct aws_actor *actor_of(struct visit *visit)
{
    const char *run_id = visit->status->run.id;
    bool is_leaving = json_at(visit->object, "metadata.deletionTimestamp") != NULL;

    if (!run_id || (visit->status->run.completion_ms && !is_leaving))
        return NULL;
    if (!text_equal(visit->actor_run, run_id)) {
        text_replace(&visit->actor_run, run_id);
        actor_init(&visit->actor, visit->namespace, visit->name, visit->actor_run);
    }
    return &visit->actor.aws;
}

struct err *visit_client(struct visit *visit, const struct account *account, struct aws_account **ret_account,
                         struct aws_client *ret)
{
    if (!account)
        return NULL;
    TRY(err_wrap(engine_account(visit->engine, account, ret_account), "AWSAccount %s", account->name));
    *ret = (struct aws_client){.account = *ret_account, .env = visit->env, .actor = actor_of(visit)};
    return NULL;
}

struct pass visit_pass(const struct visit *visit, struct refresh_spec *spec, const struct accounts *accounts)
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

struct err *visit_stall(struct visit *visit, const char *reason, const char *message, int64_t after_ms,
                        struct requeue *ret)
{
    summary_stalled(&visit->summary, reason, message);
    TRY(visit_write(visit));
    ret->after_ms = after_ms;
    return NULL;
}

void visit_announce(const struct visit *visit, enum event_severity severity, const char *reason,
                    const char *note)
{
    AUTO_FREE char *request = condition_request(note);

    LOG_AT(visit->log, severity == EVENT_WARNING ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "event",
           KV("reason", reason), KV("message", note), KV_IF("request", request));
    objects_emit(visit->objects, visit->env, visit->object, severity, reason, note);
}

void visit_say_once(struct visit *visit, const char *reason, char *text)
{
    struct looks *looks = engine_looks(visit->engine);
    AUTO_FREE char *owned = text;
    AUTO_FREE char *key = xasprintf("said/%s", owned ? owned : "");

    if (!owned || looks_due_ms(looks, visit->uid, key))
        return;
    looks_set(looks, visit->uid, key, 1);
    visit_announce(visit, EVENT_WARNING, reason, owned);
}
