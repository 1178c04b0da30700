/* Telling others: what a write makes happen is recorded in that very write, and handed to the courier by a
 * pass that reads it there. What has been delivered, or never will be, is taken off the list. */
#include "controller/courier.h"
#include "controller/notices.h"
#include "controller/visit.h"

/* What of a notice is looked at. */
struct telling {
    struct visit *visit;
    const char *id, *name; /* of the notice and of the notification */
    char *key;
};

/* While it lasts the first words stand: request ids differ each time. */
static bool is_said(struct visit *visit, const char *reason, const char *name)
{
    const struct condition *condition = status_condition(visit->status, "NotificationsFailing");
    AUTO_FREE char *prefix = xasprintf("%s: ", name);

    return condition && text_equal(condition->reason, reason) &&
           str_starts(str_of(condition->message), prefix);
}

static void complain(struct visit *visit, const char *reason, const char *name, const char *fault)
{
    AUTO_FREE char *message = xasprintf("%s: %s", name, fault);

    visit->has_complained = true;
    if (is_said(visit, reason, name))
        return;
    status_set_condition(visit->status, "NotificationsFailing", CONDITION_TRUE, reason, message,
                         visit->summary.generation, visit->summary.now_ms);
}

/* Off the list; the courier forgets it once that is written. */
static void settle(const struct telling *telling)
{
    struct visit *visit = telling->visit;

    visit->settled = xgrow(visit->settled, visit->settled_count, sizeof(*visit->settled));
    visit->settled[visit->settled_count++] = xstrdup(telling->key);
    status_notice_settle(visit->status, telling->id, telling->name);
}

static struct err *read_target(struct visit *visit, struct account **ret)
{
    const struct object_id id = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = visit->live->target};
    AUTO_JSON struct json *object = NULL;

    TRY(objects_read(visit->objects, visit->env, &id, &object));
    if (!object)
        return err_new(ERR_NOT_FOUND, "there is no AWSAccount %s", visit->live->target);
    return account_parse(object, ret);
}

static struct err *hand_over(const struct telling *telling, const struct notice *notice,
                             const struct notification_spec *notification)
{
    struct visit *visit = telling->visit;
    AUTO_ACCOUNT struct account *target = NULL;
    AUTO_AWS_ACCOUNT struct aws_account *aws = NULL;
    AUTO_JSON struct json *event = NULL;

    TRY(read_target(visit, &target));
    if (visit->objects->grants_apply && !admit_notification(target, visit->namespace, notification))
        return err_new(ERR_DENIED, "AWSAccount %s does not grant its %s to namespace %s", target->name,
                       notification->kind == NOTIFY_WEBHOOK ? "Webhook" : "EventBus", visit->namespace);
    if (notification->kind == NOTIFY_EVENT_BRIDGE)
        TRY(engine_account(visit->engine, target, &aws));
    event = notice_event(notice, &(struct notice_origin){.installation = visit->objects->installation,
                                                         .namespace = visit->namespace,
                                                         .name = visit->name,
                                                         .uid = visit->uid,
                                                         .series = visit->live->series});
    courier_send(engine_courier(visit->engine),
                 &(struct errand){
                     .key = telling->key,
                     .object = {.kind = OBJECT_REFRESH, .namespace = visit->namespace, .name = visit->name},
                     .kind = notification->kind,
                     .target = notification->target,
                     .account = aws,
                     .run_id = notice->run_id,
                     .transition = notice->transition,
                     .event = event,
                     .since_ms = notice->time_ms});
    return NULL;
}

static void begin(const struct telling *telling, const struct notice *notice)
{
    const struct notification_spec *notification = refresh_notification(telling->visit->live, telling->name);
    AUTO_ERR struct err *err = NULL;

    if (!notification) { /* nobody is there any more */
        settle(telling);
        return;
    }
    err = hand_over(telling, notice, notification);
    if (!err || err_kind(err) == ERR_RETRY || err_kind(err) == ERR_CANCELED)
        return;
    complain(telling->visit, "NotGranted", telling->name, err_text(err));
    settle(telling);
}

static void go_on(const struct telling *telling, const struct notice *notice)
{
    struct visit *visit = telling->visit;
    AUTO_FREE char *fault = NULL;

    switch (courier_look(engine_courier(visit->engine), telling->key, &fault)) {
    case ERRAND_UNKNOWN:
        begin(telling, notice);
        break;
    case ERRAND_UNDER_WAY:
        break;
    case ERRAND_FAILING:
        complain(visit, "DeliveryFailing", telling->name, fault);
        break;
    case ERRAND_DELIVERED:
        visit->has_told = true;
        settle(telling);
        break;
    case ERRAND_GIVEN_UP:
        complain(visit, "DeliveryGivenUp", telling->name, fault);
        settle(telling);
        break;
    }
}

static void tell_notice(struct visit *visit, size_t index)
{
    struct notice *notice = &visit->status->notices[index];

    /* Backwards, as what is settled goes; the notice itself with its last one. */
    for (size_t i = notice->pending_count; i-- > 0;) {
        AUTO_FREE char *id = xstrdup(notice->id);
        AUTO_FREE char *name = xstrdup(notice->pending[i]);
        AUTO_FREE char *key = xasprintf("%s/%s/%s", visit->uid, id, name);
        const struct telling telling = {.visit = visit, .id = id, .name = name, .key = key};

        go_on(&telling, notice);
    }
}

void visit_tell(struct visit *visit)
{
    if (!visit->live) /* nobody knows whom to tell */
        return;
    for (size_t i = visit->status->notice_count; i-- > 0;)
        tell_notice(visit, i);
    if (visit->has_told && !visit->has_complained)
        status_remove_condition(visit->status, "NotificationsFailing");
}

struct err *visit_record_notices(struct visit *visit)
{
    AUTO_REFRESH_STATUS struct refresh_status *before = NULL;
    bool dropped;

    if (!visit->live || !visit->live->live.notification_count)
        return NULL;
    TRY(err_wrap(refresh_status_parse(json_member(visit->object, "status"), &before), "status"));
    if (notices_record(before, visit->status, visit->live, visit->summary.now_ms, &dropped))
        visit->has_recorded = true;
    if (dropped)
        complain(visit, "TooManyNotices", "all", "more happened than could be told; the oldest was dropped");
    return NULL;
}

void visit_forget_told(struct visit *visit)
{
    for (size_t i = 0; i < visit->settled_count; i++)
        courier_forget(engine_courier(visit->engine), visit->settled[i]);
}
