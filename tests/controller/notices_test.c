#include "controller/notices.h"

#include "tests/testing/assertions.h"

#define NOW_MS INT64_C(1795363200000)
#define RUN "\"run\":{\"id\":\"r1\",\"attempt\":1,\"startTime\":\"2026-11-22T15:00:00Z\""
#define ENDED "\"completionTime\":\"2026-11-22T16:00:00Z\"}"
#define ROWS(approval, proxy)                                                 \
    "\"switchover\":{\"steps\":[{\"name\":\"Approval\",\"state\":\"" approval \
    "\"},{\"name\":\"Proxies/shop-"                                           \
    "stg\",\"state\":\"" proxy "\",\"startTime\":\"2026-11-22T15:30:00Z\"}]}"
#define CONDITION(type, status)                                                              \
    "{\"type\":\"" type "\",\"status\":\"" status "\",\"reason\":\"R\",\"message\":\"words " \
    "of " type "\",\"lastTransitionTime\":\"2026-11-22T15:00:00Z\"}"
#define CONDITIONS(...) "\"conditions\":[" __VA_ARGS__ "]"

struct row {
    const char *name, *before, *after;
    const char *want; /* ids, without the run's */
};

/* clang-format off */
static const struct row rows[] = {
    {"nothing new", "{" RUN "}}", "{" RUN "}}", ""},
    {"the first run", "{}", "{" RUN "}}", "RunStarted "},
    {"another run", "{\"run\":{\"id\":\"r0\",\"attempt\":1," ENDED "}", "{" RUN "}}", "RunStarted "},
    {"approval is awaited", "{" RUN "}," ROWS("Intended", "Waiting") "}", "{" RUN "}," ROWS("Running", "Waiting") "}", "AwaitingApproval "},
    {"and still is", "{" RUN "}," ROWS("Running", "Waiting") "}", "{" RUN "}," ROWS("Running", "Waiting") "}", ""},
    {"the first proxy is intended", "{" RUN "}," ROWS("Done", "Waiting") "}", "{" RUN "}," ROWS("Done", "Intended") "}", "SwitchingOver "},
    {"it goes on", "{" RUN "}," ROWS("Done", "Intended") "}", "{" RUN "}," ROWS("Done", "Running") "}", ""},
    {"nothing has to be switched", "{" RUN "}," ROWS("Done", "Waiting") "}", "{" RUN "}," ROWS("Done", "Skipped") "}", ""},
    {"the switchover fails", "{" RUN "}," ROWS("Done", "Running") "}", "{" RUN "}," ROWS("Done", "Failed") "}", "PuttingBack "},
    {"nobody approved", "{" RUN "}," ROWS("Running", "Waiting") "}", "{" RUN "}," ROWS("Failed", "Waiting") "}", ""},
    {"success", "{" RUN "}}", "{" RUN "," ENDED "," CONDITIONS(CONDITION("Succeeded", "True")) "}", "RunSucceeded "},
    {"failure", "{" RUN "}}", "{" RUN "," ENDED "," CONDITIONS(CONDITION("Succeeded", "False") "," CONDITION("Stalled", "True")) "}", "RunFailed "},
    {"an old end", "{" RUN "," ENDED "}", "{" RUN "," ENDED "}", ""},
    {"a retry", "{" RUN "," ENDED "," CONDITIONS(CONDITION("Stalled", "True")) "}", "{" RUN "}}", "RunRetried "},
    {"a person must do something", "{" RUN "}}", "{" RUN "}," CONDITIONS(CONDITION("Stalled", "True")) "}", "Stalled "},
    {"drift", "{" RUN "," ENDED "}", "{" RUN "," ENDED "," CONDITIONS(CONDITION("Drifted", "True")) "}", "Drifted "},
    {"drift that is known", "{" RUN "," ENDED "," CONDITIONS(CONDITION("Drifted", "True")) "}",
     "{" RUN "," ENDED "," CONDITIONS(CONDITION("Drifted", "True")) "}", ""},
};
/* clang-format on */

static struct refresh_status *status_of(const char *text)
{
    AUTO_JSON struct json *json = NULL;
    struct refresh_status *status = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &json));
    assert_no_err(refresh_status_parse(json, &status));
    return status;
}

static char bus_name[] = "bus", chat_name[] = "chat", failed_text[] = "RunFailed";
static char *only_failures[] = {failed_text};
static struct notification_spec notifications[] = {
    {.name = bus_name},
    {.name = chat_name, .transitions = only_failures, .transition_count = 1},
};
static const struct refresh_spec two = {.live = {.notifications = notifications, .notification_count = 2}};
static const struct refresh_spec picky = {
    .live = {.notifications = notifications + 1, .notification_count = 1}};

static char *transitions_of(const struct refresh_status *status)
{
    AUTO_BUF struct buf text = BUF_MAX(1024);

    for (size_t i = 0; i < status->notice_count; i++)
        buf_addf(&text, "%s ", status->notices[i].transition);
    return text.len ? buf_take(&text) : xstrdup("");
}

static void finds_what_lies_between_two_versions(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_REFRESH_STATUS struct refresh_status *before = status_of(rows[i].before);
        AUTO_REFRESH_STATUS struct refresh_status *after = status_of(rows[i].after);
        AUTO_FREE char *got = NULL;
        AUTO_FREE char *both = NULL, *want = NULL;
        bool dropped;

        notices_record(before, after, &two, NOW_MS, &dropped);
        got = transitions_of(after);
        both = xasprintf("%s: %s", rows[i].name, got);
        want = xasprintf("%s: %s", rows[i].name, rows[i].want);
        assert_text_equal(both, want);
        assert_false(dropped);
    }
}

static void keeps_whom_to_tell(void **state UNUSED)
{
    AUTO_REFRESH_STATUS struct refresh_status *before = status_of("{}"), *start = status_of("{" RUN "}}"),
                                              *end = status_of("{" RUN "," ENDED "}");
    bool dropped;

    assert_number((int64_t)notices_record(before, start, &picky, NOW_MS, &dropped), 0);
    notices_record(before, start, &two, NOW_MS, &dropped);
    assert_number((int64_t)start->notices[0].pending_count, 1);
    assert_text_equal(start->notices[0].id, "r1.RunStarted.1795363200000");
    notices_record(start, end, &two, NOW_MS, &dropped);
    assert_number((int64_t)end->notices[0].pending_count, 2);
    status_notice_settle(end, end->notices[0].id, "bus");
    assert_text_equal(end->notices[0].pending[0], "chat");
    status_notice_settle(end, "another", "chat");
    status_notice_settle(end, "r1.RunFailed.1795363200000", "chat");
    assert_number((int64_t)end->notice_count, 0);
}

/* What is recorded is read by a later process. */
static void survives_being_written(void **state UNUSED)
{
    AUTO_REFRESH_STATUS struct refresh_status *before = status_of("{}"),
                                              *end = status_of("{" RUN "," ENDED "}");
    AUTO_REFRESH_STATUS struct refresh_status *again = NULL;
    AUTO_JSON struct json *written = NULL;
    bool dropped;

    notices_record(before, end, &two, NOW_MS, &dropped);
    written = refresh_status_to_json(end);
    assert_no_err(refresh_status_parse(written, &again));
    assert_number((int64_t)again->notice_count, 2);
    assert_text_equal(again->notices[1].id, "r1.RunFailed.1795363200000");
    assert_number((int64_t)again->notices[1].pending_count, 2);
    assert_text_equal(again->notices[1].pending[1], "chat");
    assert_number(again->notices[1].time_ms, NOW_MS);
}

static void the_list_has_an_end(void **state UNUSED)
{
    AUTO_REFRESH_STATUS struct refresh_status *before = status_of("{}"), *after = status_of("{" RUN "}}");
    bool dropped = false;

    for (int64_t i = 0; i < 40; i++) {
        notices_record(before, after, &two, NOW_MS + i, &dropped);
        assert_int_equal(dropped, i >= 32);
    }
    assert_number((int64_t)after->notice_count, 32);
    assert_text_equal(after->notices[0].id, "r1.RunStarted.1795363200008");
}

static void the_event_is_a_cloud_event(void **state UNUSED)
{
    char id[] = "r1.RunFailed.1", transition[] = "RunFailed", run[] = "r1", message[] = "no";
    const struct notice notice = {.id = id,
                                  .transition = transition,
                                  .run_id = run,
                                  .attempt = 2,
                                  .time_ms = NOW_MS + 250,
                                  .message = message};
    AUTO_JSON struct json *event = notice_event(
        &notice,
        &(struct notice_origin){
            .installation = "i1", .namespace = "staging", .name = "shop", .uid = "u1", .series = "shop"});
    AUTO_FREE char *text = json_to_text(event);

    assert_text_equal(
        text, "{\"specversion\":\"1.0\",\"id\":\"r1.RunFailed.1\",\"source\":\"/stagingrefresh.dev/i1/"
              "namespaces/staging/stagingrefreshes/shop\",\"type\":\"dev.stagingrefresh.RunFailed\","
              "\"subject\":\"r1\",\"time\":\"2026-11-22T16:00:00.250Z\",\"datacontenttype\":\"application/"
              "json\",\"data\":{\"transition\":\"RunFailed\",\"namespace\":\"staging\",\"name\":\"shop\","
              "\"uid\":\"u1\",\"series\":\"shop\",\"runID\":\"r1\",\"attempt\":2,\"message\":\"no\"}}");
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, finds_what_lies_between_two_versions);
    TEST(&tests, keeps_whom_to_tell);
    TEST(&tests, survives_being_written);
    TEST(&tests, the_list_has_an_end);
    TEST(&tests, the_event_is_a_cloud_event);
    return tests_run(&tests, "notices");
}
