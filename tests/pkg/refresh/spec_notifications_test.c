#include "tests/pkg/refresh/spec_edit.h"

struct row {
    const char *name, *notifications, *want;
};

/* clang-format off */
static const struct row rows[] = {
    {.name = "notification to nobody", .notifications = "[{\"name\":\"chat\"}]",
     .want = "spec.notifications[chat]: exactly one of eventBridge and webhook must be given"},
    {.name = "notification by both", .notifications = "[{\"name\":\"chat\",\"webhook\":{\"url\":\"https://a/\"},\"eventBridge\":{\"busName\":\"b\"}}]",
     .want = "spec.notifications[chat]: exactly one of eventBridge and webhook must be given"},
    {.name = "bus by ARN", .notifications = "[{\"name\":\"chat\",\"eventBridge\":{\"busName\":\"arn:aws:events:r:a:event-bus/b\"}}]",
     .want = "spec.notifications[chat].eventBridge.busName: must be the name of an event bus: letters, digits, dots, underscores, slashes and hyphens"},
    {.name = "webhook by plain http", .notifications = "[{\"name\":\"chat\",\"webhook\":{\"url\":\"http://hooks.example.com/\"}}]",
     .want = "spec.notifications[chat].webhook.url: must be an https URL, or an http one of a loopback address, without \"#\" and \"*\""},
    {.name = "webhook with a user", .notifications = "[{\"name\":\"chat\",\"webhook\":{\"url\":\"https://a@b/\"}}]",
     .want = "spec.notifications[chat].webhook.url: must be an https URL, or an http one of a loopback address, without \"#\" and \"*\""},
    {.name = "webhook with a fragment", .notifications = "[{\"name\":\"chat\",\"webhook\":{\"url\":\"https://a/#b\"}}]",
     .want = "spec.notifications[chat].webhook.url: must be an https URL, or an http one of a loopback address, without \"#\" and \"*\""},
    {.name = "webhook with a star", .notifications = "[{\"name\":\"chat\",\"webhook\":{\"url\":\"https://a/*\"}}]",
     .want = "spec.notifications[chat].webhook.url: must be an https URL, or an http one of a loopback address, without \"#\" and \"*\""},
    {.name = "webhook with a space", .notifications = "[{\"name\":\"chat\",\"webhook\":{\"url\":\"https://a/ b\"}}]",
     .want = "spec.notifications[chat].webhook.url: must be an https URL, or an http one of a loopback address, without \"#\" and \"*\""},
    {.name = "webhook to the metadata service", .notifications = "[{\"name\":\"chat\",\"webhook\":{\"url\":\"http://169.254.169.254/\"}}]",
     .want = "spec.notifications[chat].webhook.url: must be an https URL, or an http one of a loopback address, without \"#\" and \"*\""},
    {.name = "an unknown transition", .notifications = "[{\"name\":\"chat\",\"webhook\":{\"url\":\"https://a/\"},\"transitions\":[\"Lunch\"]}]",
     .want = "spec.notifications[chat].transitions: entry 1: must be RunStarted, RunRetried, AwaitingApproval, SwitchingOver, "
             "PuttingBack, RunSucceeded, RunFailed, Stalled or Drifted"},
};
/* clang-format on */

static struct err *parse(const char *notifications, struct refresh_spec **ret)
{
    AUTO_JSON struct json *value = full_spec();

    edit(value, "notifications", notifications);
    return refresh_spec_parse(value, "shop", ret);
}

static void refuses_bad_notifications(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
        AUTO_ERR struct err *err = parse(rows[i].notifications, &spec);
        AUTO_FREE char *got = xasprintf("%s: %s", rows[i].name, err ? err_text(err) : "taken");
        AUTO_FREE char *want = xasprintf("%s: %s", rows[i].name, rows[i].want);

        assert_text_equal(got, want);
    }
}

static void reads_who_wants_what(void **state UNUSED)
{
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    const struct notification_spec *chat;

    assert_no_err(
        parse("[{\"name\":\"bus\",\"eventBridge\":{\"busName\":\"default\"}},{\"name\":\"chat\","
              "\"webhook\":{\"url\":\"https://hooks.example.com/x?y\"},\"transitions\":[\"Drifted\"]}]",
              &spec));
    chat = refresh_notification(spec, "chat");
    assert_number(chat->kind, NOTIFY_WEBHOOK);
    assert_text_equal(chat->target, "https://hooks.example.com/x?y");
    assert_true(notification_wants(chat, TRANSITION_DRIFTED));
    assert_false(notification_wants(chat, TRANSITION_RUN_STARTED));
    assert_true(notification_wants(refresh_notification(spec, "bus"), TRANSITION_RUN_STARTED));
    assert_null(refresh_notification(spec, "mail"));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, refuses_bad_notifications);
    TEST(&tests, reads_who_wants_what);
    return tests_run(&tests, "spec_notifications");
}
