/* One pass over one AWSAccount: is it what it says, can we be who we must be in it, and do its events reach
 * us. */
#include "controller/account_troubles.h"
#include "controller/admit.h"
#include "controller/engine.h"
#include "controller/event_queues.h"
#include "controller/transitions.h"
#include "pkg/aws/sts.h"
#include "pkg/kube/object.h"
#include "pkg/refresh/status.h"

#define READY_LOOK_MS HOURS(1)
#define TROUBLE_LOOK_MS MINUTES(1)
#define EVENT_QUEUE "EventQueue"

struct account_pass {
    struct engine *engine;
    const struct env *env;
    const struct json *object;
    const char *name;
    struct event_queue_view queue;
};

static void account_pass_done(struct account_pass *pass)
{
    event_queue_view_done(&pass->queue);
}

/* By the rules of status_set_condition(). */
static void set_condition(const struct account_pass *pass, struct json *conditions,
                          struct kube_condition condition)
{
    AUTO_FREE char *reason = condition_reason(condition.reason);
    const struct json *before = kube_find_condition(conditions, condition.type);
    AUTO_FREE char *said = xstrdup(json_get_text(before, "message", ""));

    if (text_equal(json_get_text(before, "status", ""), condition.status) &&
        text_equal(json_get_text(before, "reason", ""), reason) &&
        condition_says_same(said, condition.message))
        condition.message = said;
    condition.reason = reason;
    kube_set_condition(conditions, &condition, sched_wall_ms(pass->env->sched));
}

/* --- what is said of the queue --- */

/* Events stand beside Ready: without them the account is used all the same. */
static void set_queue_condition(const struct account_pass *pass, struct json *conditions, int64_t generation)
{
    static const struct kube_condition texts[] = {
        [EVENT_QUEUE_STARTING] = {.status = "Unknown",
                                  .reason = "Starting",
                                  .message = "The queue is being read for the first time"},
        [EVENT_QUEUE_WORKS] = {.status = "True", .reason = "Receiving", .message = "Events are received"},
        [EVENT_QUEUE_SILENT] = {.status = "False", .reason = "EventsMissing"},
        [EVENT_QUEUE_FAILS] = {.status = "False"},
    };
    struct kube_condition condition = texts[pass->queue.state];
    AUTO_FREE char *sentence = NULL;

    if (pass->queue.state == EVENT_QUEUE_NONE) {
        kube_remove_condition(conditions, EVENT_QUEUE);
        return;
    }
    if (pass->queue.state == EVENT_QUEUE_FAILS) {
        sentence = xasprintf("No events are received, and refreshes are looked at by the clock alone: %s",
                             pass->queue.message);
        condition.reason = pass->queue.reason;
        condition.message = sentence;
    }
    if (pass->queue.state == EVENT_QUEUE_SILENT) {
        sentence =
            xasprintf("The queue can be read, but no events of account %s come, though jobs of it have "
                      "ended: look at the rules that forward them. Refreshes are looked at by the clock",
                      pass->queue.silent_account ? pass->queue.silent_account : "(unknown)");
        condition.message = sentence;
    }
    condition.type = EVENT_QUEUE;
    condition.observed_generation = generation;
    set_condition(pass, conditions, condition);
}

/* --- writing --- */

/* What GitOps tools read stands beside Ready: Stalled when a person must do something, Reconciling while
 * nobody need. */
static void set_ready(const struct account_pass *pass, struct json *conditions,
                      const struct kube_condition *ready)
{
    struct kube_condition beside = *ready;

    set_condition(pass, conditions, *ready);
    beside.status = "True";
    beside.type = "Stalled";
    if (text_equal(ready->status, "False"))
        set_condition(pass, conditions, beside);
    else
        kube_remove_condition(conditions, beside.type);
    beside.type = "Reconciling";
    if (text_equal(ready->status, "Unknown"))
        set_condition(pass, conditions, beside);
    else
        kube_remove_condition(conditions, beside.type);
}

static struct err *write_account(const struct account_pass *pass, struct json *status)
{
    const struct json *object = pass->object;
    struct objects *objects = engine_objects(pass->engine);
    AUTO_JSON struct json *written = NULL;

    TRY(objects_write_status(objects, pass->env, object, status, &written));
    if (!json_equal(json_member(object, "status"), status)) {
        engine_written(pass->engine, object, written);
        transitions_tell(objects, pass->env, object, status);
    }
    return NULL;
}

/* `ready` NULL: what was said of it stands. */
static struct err *say(const struct account_pass *pass, const struct kube_condition *ready,
                       const char *caller_arn)
{
    int64_t generation = json_get_int(pass->object, "metadata.generation", 0);
    AUTO_JSON struct json *status = json_copy(json_member(pass->object, "status"));
    struct json *conditions;

    if (!status)
        status = json_new_object();
    if (!json_member(status, "conditions"))
        json_set(status, "conditions", json_new_array());
    conditions = json_edit(status, "conditions");
    if (ready) {
        struct kube_condition condition = *ready;

        condition.type = "Ready";
        condition.observed_generation = generation;
        set_ready(pass, conditions, &condition);
        json_set_int(status, "observedGeneration", generation);
        json_set_text(status, "callerARN", caller_arn);
    }
    set_queue_condition(pass, conditions, generation);
    return write_account(pass, status);
}

static struct err *say_refused(const struct account_pass *pass, const char *reason, const char *message)
{
    return say(pass, &(struct kube_condition){.status = "False", .reason = reason, .message = message}, NULL);
}

static struct err *say_unknown(const struct account_pass *pass, const char *reason, const char *message)
{
    return say(pass, &(struct kube_condition){.status = "Unknown", .reason = reason, .message = message},
               json_get_text(pass->object, "status.callerARN", NULL));
}

/* --- looking --- */

static void leave_queue(const struct account_pass *pass)
{
    struct event_queues *events = engine_event_queues(pass->engine);

    if (events)
        event_queues_leave(events, pass->name);
}

static void follow_queue(struct account_pass *pass, const struct account *account, struct aws_account *known)
{
    struct event_queues *events = engine_event_queues(pass->engine);

    if (!events)
        return;
    event_queues_follow(events, account, known);
    event_queues_look(events, account->name, &pass->queue);
}

static const struct json *ready_of(const struct account_pass *pass)
{
    return kube_find_condition(json_at(pass->object, "status.conditions"), "Ready");
}

/* Of this generation. */
static struct account_said said_of(const struct account_pass *pass)
{
    const struct json *ready = ready_of(pass);
    bool is_old = json_get_int(pass->object, "status.observedGeneration", 0) !=
                  json_get_int(pass->object, "metadata.generation", 0);

    return (struct account_said){.ready = is_old ? "" : json_get_text(ready, "status", ""),
                                 .reason = is_old ? "" : json_get_text(ready, "reason", "")};
}

static struct err *say_trouble(const struct account_pass *pass, const struct account *account,
                               const struct err *trouble)
{
    const struct account_said said = said_of(pass);
    AUTO_FREE char *reason = account_trouble_reason(trouble);
    enum account_verdict verdict = account_troubles_add(engine_account_troubles(pass->engine), account, &said,
                                                        trouble, sched_now_ms(pass->env->sched));

    switch (verdict) {
    case ACCOUNT_AS_SAID:
        LOG_INFO(pass->env->log, "account cannot be looked at", KV("reason", reason),
                 KV("error", err_text(trouble)));
        return say(pass, NULL, NULL);
    case ACCOUNT_UNKNOWN:
        return say_unknown(pass, reason, err_text(trouble));
    case ACCOUNT_STALLED:
        return say_refused(pass, reason, err_text(trouble));
    }
    return NULL;
}

static struct err *probe(struct account_pass *pass, const struct account *account, struct requeue *ret)
{
    static const struct kube_condition ready = {
        .status = "True", .reason = "IdentityProved", .message = "The credentials are of this account"};
    AUTO_AWS_ACCOUNT struct aws_account *known = NULL;
    AUTO_STS_IDENTITY struct sts_identity identity = {0};
    struct aws_client client = {.env = pass->env};
    AUTO_ERR struct err *err = engine_account(pass->engine, account, &known);

    client.account = known;
    if (!err) {
        follow_queue(pass, account, known);
        err = sts_get_caller_identity(&client, &identity);
    }
    if (err && err_kind(err) == ERR_CANCELED)
        return TAKE(err);
    if (err) {
        ret->after_ms = TROUBLE_LOOK_MS;
        return say_trouble(pass, account, err);
    }
    ret->after_ms = READY_LOOK_MS;
    account_troubles_forget(engine_account_troubles(pass->engine), account->name);
    return say(pass, &ready, identity.arn);
}

/* Something is said before AWS has answered: who reads a status that is not there takes it for done. */
static struct err *look(struct account_pass *pass, const struct account *account, struct requeue *ret)
{
    if (ready_of(pass))
        return probe(pass, account, ret);
    ret->after_ms = 0;
    return say_unknown(pass, ACCOUNT_STARTING, "Who the credentials are is being asked");
}

/* Nobody is asked. */
static struct err *refuse(const struct account_pass *pass, const char *reason, const char *message)
{
    leave_queue(pass);
    account_troubles_forget(engine_account_troubles(pass->engine), pass->name);
    return say_refused(pass, reason, message);
}

struct err *reconcile_account(struct engine *engine, const struct env *env, const struct object_id *id,
                              struct requeue *ret)
{
    AUTO_JSON struct json *object = NULL;
    AUTO_ACCOUNT struct account *account = NULL;
    AUTO_REFUSAL struct refusal refusal = {0};
    AUTO_ERR struct err *fault = NULL;
    CLEANUP(account_pass_done) struct account_pass pass = {.engine = engine, .env = env, .name = id->name};

    TRY(objects_read(engine_objects(engine), env, id, &object));
    pass.object = object;
    if (!object)
        engine_forget_account(engine, id->name);
    if (!object || json_at(object, "metadata.deletionTimestamp")) {
        leave_queue(&pass);
        return NULL;
    }
    fault = account_parse(object, &account);
    if (fault)
        return refuse(&pass, "InvalidSpec", err_text(fault));
    admit_usage(engine_objects(engine), account, &refusal);
    if (refusal.message) {
        ret->after_ms = TROUBLE_LOOK_MS;
        return refuse(&pass, refusal.reason, refusal.message);
    }
    return look(&pass, account, ret);
}
