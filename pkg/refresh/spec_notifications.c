#include "pkg/refresh/spec_parts.h"

static const char *const kinds[] = {
    [NOTIFY_EVENT_BRIDGE] = "eventBridge",
    [NOTIFY_WEBHOOK] = "webhook",
};

static const char *const transitions[] = {
    [TRANSITION_RUN_STARTED] = "RunStarted",    [TRANSITION_RUN_RETRIED] = "RunRetried",
    [TRANSITION_AWAITING] = "AwaitingApproval", [TRANSITION_SWITCHING] = "SwitchingOver",
    [TRANSITION_PUTTING_BACK] = "PuttingBack",  [TRANSITION_RUN_SUCCEEDED] = "RunSucceeded",
    [TRANSITION_RUN_FAILED] = "RunFailed",      [TRANSITION_STALLED] = "Stalled",
    [TRANSITION_DRIFTED] = "Drifted",
};

#define AT(member) offsetof(struct notification_spec, member)
/* clang-format off */
static const struct field notification_fields[] = {
    {.path = "name", .kind = FIELD_TEXT, .offset = AT(name), .required = true, .max = 63, .shape = &shape_label},
    {.path = "eventBridge",         .kind = FIELD_OBJECT},
    {.path = "eventBridge.busName", .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 256,
     .shape = &shape_bus_name},
    {.path = "webhook",             .kind = FIELD_OBJECT},
    {.path = "webhook.url",         .kind = FIELD_TEXT, .offset = AT(target), .required = true, .max = 1024,
     .shape = &shape_webhook_url},
    {.path = "transitions", .kind = FIELD_TEXTS, .offset = AT(transitions), .count_offset = AT(transition_count),
     .min = 1, .max = TRANSITION_COUNT, .names = NAMES(transitions)},
};
/* clang-format on */
#undef AT

static struct err *check_notification(void *item, const struct json *value, const char *where)
{
    struct notification_spec *notification = item;
    size_t kind = 0;

    TRY(fields_one_of(value, where, &(struct names)NAMES(kinds), &kind));
    notification->kind = (enum notification_kind)kind;
    return NULL;
}

const struct part notification_part = {
    .fields = notification_fields,
    .count = COUNT_OF(notification_fields),
    .size = sizeof(struct notification_spec),
    .key = "name",
    .check = check_notification,
};

const char *transition_name(enum transition transition)
{
    return transitions[transition];
}

bool notification_wants(const struct notification_spec *notification, enum transition transition)
{
    for (size_t i = 0; i < notification->transition_count; i++) {
        if (text_equal(notification->transitions[i], transitions[transition]))
            return true;
    }
    return !notification->transition_count;
}

const struct notification_spec *refresh_notification(const struct refresh_spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->live.notification_count; i++) {
        if (text_equal(spec->live.notifications[i].name, name))
            return &spec->live.notifications[i];
    }
    return NULL;
}
