/* One pass over one AWSAccount: is it what it says, and can we be who we must be in it. */
#include "controller/admit.h"
#include "controller/engine.h"
#include "pkg/aws/sts.h"
#include "pkg/kube/object.h"

#define READY_LOOK_MS HOURS(1)
#define TROUBLE_LOOK_MS MINUTES(1)

static struct err *write_account(struct engine *engine, const struct env *env, const struct json *object,
                                 const struct kube_condition *ready, const char *caller_arn)
{
    AUTO_JSON struct json *status = json_copy(json_member(object, "status"));
    AUTO_JSON struct json *written = NULL;
    struct json *conditions;
    struct kube_condition condition = *ready;

    if (!status)
        status = json_new_object();
    condition.observed_generation = json_get_int(object, "metadata.generation", 0);
    if (!json_member(status, "conditions"))
        json_set(status, "conditions", json_new_array());
    conditions = json_edit(status, "conditions");
    json_set_int(status, "observedGeneration", condition.observed_generation);
    json_set_text(status, "callerARN", caller_arn);
    kube_set_condition(conditions, &condition, sched_wall_ms(env->sched));
    if (text_equal(ready->status, "False")) {
        condition.type = "Stalled";
        condition.status = "True";
        kube_set_condition(conditions, &condition, sched_wall_ms(env->sched));
    } else {
        kube_remove_condition(conditions, "Stalled");
    }
    TRY(objects_write_status(engine_objects(engine), env, object, status, &written));
    if (!json_equal(json_member(object, "status"), status))
        engine_written(engine, object, written);
    return NULL;
}

static struct err *say_refused(struct engine *engine, const struct env *env, const struct json *object,
                               const char *reason, const char *message)
{
    const struct kube_condition ready = {
        .type = "Ready", .status = "False", .reason = reason, .message = message};

    return write_account(engine, env, object, &ready, NULL);
}

static struct err *probe(struct engine *engine, const struct env *env, const struct json *object,
                         const struct account *account, struct requeue *ret)
{
    static const struct kube_condition ready = {.type = "Ready",
                                                .status = "True",
                                                .reason = "IdentityProved",
                                                .message = "The credentials are of this account"};
    AUTO_AWS_ACCOUNT struct aws_account *known = NULL;
    AUTO_STS_IDENTITY struct sts_identity identity = {0};
    struct aws_client client = {.env = env};
    AUTO_ERR struct err *err = engine_account(engine, account, &known);

    client.account = known;
    if (!err)
        err = sts_get_caller_identity(&client, &identity);
    if (err && err_kind(err) == ERR_CANCELED)
        return TAKE(err);
    if (err) {
        const char *code = err_remote(err)->code;

        ret->after_ms = TROUBLE_LOOK_MS;
        return say_refused(engine, env, object, code ? code : "CredentialsNotUsable", err_text(err));
    }
    ret->after_ms = READY_LOOK_MS;
    return write_account(engine, env, object, &ready, identity.arn);
}

struct err *reconcile_account(struct engine *engine, const struct env *env, const struct object_id *id,
                              struct requeue *ret)
{
    AUTO_JSON struct json *object = NULL;
    AUTO_ACCOUNT struct account *account = NULL;
    AUTO_REFUSAL struct refusal refusal = {0};
    AUTO_ERR struct err *fault = NULL;

    TRY(objects_read(engine_objects(engine), env, id, &object));
    if (!object || json_at(object, "metadata.deletionTimestamp"))
        return NULL;
    fault = account_parse(object, &account);
    if (fault)
        return say_refused(engine, env, object, "InvalidSpec", err_text(fault));
    TRY(admit_usage(engine_objects(engine), env, account, &refusal));
    if (refusal.message) {
        ret->after_ms = TROUBLE_LOOK_MS;
        return say_refused(engine, env, object, refusal.reason, refusal.message);
    }
    return probe(engine, env, object, account, ret);
}
