#include "controller/metrics.h"

#include "pkg/base/files.h"
#include "tests/testing/assertions.h"
#include "tests/testing/exposition.h"

static char *render(struct metrics *metrics, enum metrics_format format)
{
    AUTO_BUF struct buf out = BUF_MAX(MIB);

    metrics_render(metrics, format, &out);
    assert_false(out.overflow);
    return buf_take(&out);
}

static void assert_sample(struct metrics *metrics, const char *sample, const char *want)
{
    AUTO_FREE char *page = render(metrics, METRICS_CLASSIC);
    AUTO_FREE char *got = exposition_value(page, sample);

    assert_text_equal(got, want);
}

static void the_page_holds_to_the_rules(void **state)
{
    AUTO_METRICS struct metrics *metrics = controller_metrics_new();
    const struct workqueue_stats stats = {
        .depth = 3, .depth_routine = 2, .adds = 9, .dropped = 2, .longest_ms = 1500};
    const struct kube_events_stats events = {.emitted = 9, .sent = 5, .dropped = 4};

    (void)state;
    controller_metrics_queue(metrics, &stats, 4);
    controller_metrics_kube_events(metrics, &events);
    controller_metrics_process(metrics);
    for (int format = METRICS_CLASSIC; format <= METRICS_OPEN; format++) {
        AUTO_FREE char *page = render(metrics, (enum metrics_format)format);
        AUTO_FREE char *wrong = exposition_check(page, (enum metrics_format)format);

        assert_text_equal(wrong, NULL);
    }
    assert_sample(
        metrics, "workqueue_depth{name=\"stagingrefresh\",controller=\"stagingrefresh\",priority=\"urgent\"}",
        "1");
    assert_sample(
        metrics,
        "workqueue_longest_running_processor_seconds{name=\"stagingrefresh\",controller=\"stagingrefresh\"}",
        "1.5");
    assert_sample(
        metrics,
        "stagingrefresh_workqueue_dropped_total{name=\"stagingrefresh\",controller=\"stagingrefresh\"}", "2");
    assert_sample(metrics, "stagingrefresh_kube_events_total{result=\"dropped\"}", "4");
}

static void what_is_known_before_is_at_0(void **state)
{
    static const char *const samples[] = {
        "stagingrefresh_runs_total{result=\"Succeeded\"}",
        "stagingrefresh_runs_total{result=\"Failed\"}",
        "stagingrefresh_step_duration_seconds_count{step=\"Copy\",result=\"Done\"}",
        "stagingrefresh_step_duration_seconds_count{step=\"Proxies\",result=\"Failed\"}",
        "stagingrefresh_proxy_without_target_seconds_count",
        "controller_runtime_reconcile_total{controller=\"awsaccount\",result=\"error\"}",
        "controller_runtime_reconcile_errors_total{controller=\"stagingrefresh\"}",
    };
    AUTO_METRICS struct metrics *metrics = controller_metrics_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(samples); i++)
        assert_sample(metrics, samples[i], "0");
}

/* --- the page of the documentation --- */

/* Labels of the rendered series, as the page has them: "name, controller". */
static char *labels_of(const char *page, const char *name)
{
    AUTO_BUF struct buf labels = BUF_MAX(KIB);
    struct str rest = str_of(page), line, label;

    while (str_cut(&rest, '\n', &line)) {
        if (!str_starts(line, name) || !str_contains(line, "{"))
            continue;
        line = str_from(line, strlen(name));
        if (line.ptr[0] != '{' && !str_starts(line, "_bucket{"))
            continue;
        str_cut(&line, '{', &label);
        while (str_cut(&line, '=', &label) && label.len) {
            struct str value;

            if (!str_is(label, "le"))
                buf_addf(&labels, "%s" STR_FMT, labels.len ? ", " : "", STR_ARG(label));
            line = str_from(line, 1);
            str_cut(&line, '"', &value);
            if (!str_starts(line, ","))
                break;
            line = str_from(line, 1);
        }
        break;
    }
    buf_adds(&labels, "");
    return xstrdup(buf_text(&labels));
}

/* The line that the documentation must have for what the page says of one family; the labels of one that has
 * no series yet stand for themselves. */
static void assert_documented(const char *docs, const char *page, struct str help, struct str type)
{
    struct str name, kind;
    AUTO_FREE char *owned = NULL;
    AUTO_FREE char *labels = NULL;
    AUTO_FREE char *start = NULL;
    AUTO_FREE char *end = NULL;
    const char *at;
    struct str line, rest;

    str_cut(&help, ' ', &name);
    str_cut(&type, ' ', &kind); /* the name again */
    owned = str_dup(name);
    labels = labels_of(page, owned);
    start = xasprintf("\n| `%s` | " STR_FMT " | %s%s", owned, STR_ARG(type), labels, *labels ? " |" : "");
    end = xasprintf("| " STR_FMT " |", STR_ARG(help));
    at = strstr(docs, start);
    if (!at)
        fail_msg("docs/metrics.md lacks a line that begins with %s", start + 1);
    rest = str_of(at + 1);
    str_cut(&rest, '\n', &line);
    if (!str_ends(line, end))
        fail_msg("docs/metrics.md should say of %s: %s", owned, end);
}

/* So that every family has a series: one without is not served. */
static void count_something_of_each(struct metrics *metrics)
{
    controller_metrics_queue(metrics, &(struct workqueue_stats){.adds = 1}, 4);
    controller_metrics_process(metrics);
    controller_metrics_kube_events(metrics, &(struct kube_events_stats){.sent = 1});
    controller_metrics_watch(metrics, "stagingrefreshes", &(struct kube_watch_stats){.watches = 1});
    controller_metrics_aws(
        metrics, &(struct aws_call_seen){.service = "backup", .was_throttled = true, .is_retry = true});
    controller_metrics_credentials(metrics, &(struct aws_credentials_seen){.expires_ms = SECONDS(1)});
    metrics_add(metrics, METRIC_REST_REQUESTS, 1, LABELS("200", "GET", "server"));
    metrics_observe(metrics, METRIC_REST_TIME, 1, LABELS("GET", "server"));
    metrics_set(metrics, METRIC_LEADER, 1, LABELS("stagingrefresh-controller"));
    metrics_add(metrics, METRIC_EVENTS_RECEIVED, 1, LABELS("222222222222", "backup_job"));
    metrics_add(metrics, METRIC_EVENTS_IGNORED, 1, LABELS("222222222222", "foreign"));
    metrics_add(metrics, METRIC_EVENT_WAKES, 1, LABELS("111111111111"));
    metrics_set(metrics, METRIC_EVENT_QUEUE_UP, 1, LABELS("222222222222"));
    metrics_add(metrics, METRIC_NOTIFICATIONS, 1, LABELS("webhook", "delivered"));
}

static void the_documentation_has_what_is_served(void **state)
{
    AUTO_METRICS struct metrics *metrics = controller_metrics_new();
    AUTO_FREE char *page = NULL;
    AUTO_BUF struct buf docs = BUF_MAX(MIB);
    struct str rest, line;
    size_t served = 0, documented = 0;

    (void)state;
    count_something_of_each(metrics);
    page = render(metrics, METRICS_CLASSIC);
    rest = str_of(page);
    assert_no_err(file_read(SR_SOURCE_DIR "/docs/metrics.md", &docs));
    while (str_cut(&rest, '\n', &line)) {
        struct str help = str_from(line, strlen("# HELP "));

        if (!str_starts(line, "# HELP "))
            continue;
        assert_true(str_cut(&rest, '\n', &line) && str_starts(line, "# TYPE "));
        assert_documented(buf_text(&docs), page, help, str_from(line, strlen("# TYPE ")));
        served++;
    }
    for (const char *at = buf_text(&docs); (at = strstr(at, "\n| `")); at++)
        documented++;
    assert_number(served, CONTROLLER_METRIC_COUNT);
    assert_number(documented, served);
}

/* --- passes --- */

static const struct pass_row {
    const char *name;
    bool fails;
    int64_t after_ms;
    const char *result;
} passes[] = {
    {"nothing more", false, NEVER_MS, "success"},
    {"at once", false, 0, "requeue"},
    {"later", false, 5000, "requeue_after"},
    {"an error", true, NEVER_MS, "error"},
};

static void pass(void **state)
{
    const struct pass_row *row = *state;
    AUTO_METRICS struct metrics *metrics = controller_metrics_new();
    AUTO_ERR struct err *err = row->fails ? err_new(ERR_RETRY, "no") : NULL;
    AUTO_FREE char *sample = xasprintf(
        "controller_runtime_reconcile_total{controller=\"stagingrefresh\",result=\"%s\"}", row->result);

    controller_metrics_pass(metrics,
                            &(struct pass_end){.err = err, .after_ms = row->after_ms, .took_ms = 250});
    assert_sample(metrics, sample, "1");
    assert_sample(metrics, "controller_runtime_reconcile_errors_total{controller=\"stagingrefresh\"}",
                  row->fails ? "1" : "0");
    assert_sample(metrics, "controller_runtime_reconcile_time_seconds_sum{controller=\"stagingrefresh\"}",
                  "0.25");
}

/* --- between two versions of a status --- */

#define T(s) "\"2026-11-22T16:" s "Z\""
#define RUN(more) "\"run\": {\"id\": \"r1\", \"attempt\": 1, \"startTime\": " T("00:00") more "}"
#define COPY(more) \
    "\"databases\": [{\"name\": \"main\", \"steps\": [{\"name\": \"Copy\", \"attempt\": 1, " more "}]}]"
#define COPY_RUNNING COPY("\"state\": \"Running\", \"startTime\": " T("00:00"))
#define COPY_DONE COPY("\"state\": \"Done\", \"startTime\": " T("00:00") ", \"completionTime\": " T("02:00"))
#define ENDED(result)                                           \
    RUN(", \"completionTime\": " T("10:00"))                    \
    ", \"history\": [{\"runID\": \"r1\", \"result\": \"" result \
    "\", \"attempt\": 1, \"startTime\": " T("00:00") ", \"completionTime\": " T("10:00") "}]"

#define GAP(seconds)                                                                                      \
    RUN("")                                                                                               \
    ", \"switchover\": {\"steps\": [{\"name\": \"Proxies/shop\", \"attempt\": 1, \"state\": \"Running\"," \
    " \"evidence\": {\"secondsWithoutTarget\": \"" seconds "\"}}]}"

static const struct written_row {
    const char *name, *before, *after, *sample, *want;
} writtens[] = {
    {"a step has ended", RUN("") "," COPY_RUNNING, RUN("") "," COPY_DONE,
     "stagingrefresh_step_duration_seconds_sum{step=\"Copy\",result=\"Done\"}", "120"},
    {"it had ended before", RUN("") "," COPY_DONE, RUN("") "," COPY_DONE,
     "stagingrefresh_step_duration_seconds_count{step=\"Copy\",result=\"Done\"}", "0"},
    {"it goes on", RUN("") "," COPY_RUNNING, RUN("") "," COPY_RUNNING,
     "stagingrefresh_step_duration_seconds_count{step=\"Copy\",result=\"Done\"}", "0"},
    {"the run has ended", RUN(""), ENDED("Succeeded"), "stagingrefresh_runs_total{result=\"Succeeded\"}",
     "1"},
    {"it has failed", RUN(""), ENDED("Failed"), "stagingrefresh_runs_total{result=\"Failed\"}", "1"},
    {"how long it took", RUN(""), ENDED("Failed"),
     "stagingrefresh_run_duration_seconds_sum{result=\"Failed\"}", "600"},
    {"it had ended, too", ENDED("Succeeded"), ENDED("Succeeded"),
     "stagingrefresh_runs_total{result=\"Succeeded\"}", "0"},
    {"a proxy without a target", RUN(""), GAP("2"), "stagingrefresh_proxy_without_target_seconds_sum", "2"},
    {"and on the way back", GAP("9"), GAP("14"), "stagingrefresh_proxy_without_target_seconds_sum", "5"},
    {"the same gap again", GAP("9"), GAP("9"), "stagingrefresh_proxy_without_target_seconds_count", "0"},
};

static struct json *object_of(const char *status)
{
    AUTO_FREE char *text = xasprintf("{\"kind\": \"StagingRefresh\", \"status\": {%s}}", status);
    struct json *object = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &object));
    return object;
}

static void written(void **state)
{
    const struct written_row *row = *state;
    AUTO_METRICS struct metrics *metrics = controller_metrics_new();
    AUTO_JSON struct json *before = object_of(row->before);
    AUTO_JSON struct json *after = object_of(row->after);

    controller_metrics_written(metrics, before, after);
    controller_metrics_written(NULL, before, after);
    assert_sample(metrics, row->sample, row->want);
}

#define TO_AWS "service=\"backup\",operation=\"StartCopyJob\""
#define IN_BACKUP "{service=\"backup\",account=\"111111111111\"}"

static const struct aws_row {
    const char *name;
    struct aws_call_seen call;
    const char *sample, *want;
} requests_to_aws[] = {
    {"by code",
     {.account_id = "111111111111", .code = "ThrottlingException"},
     "stagingrefresh_aws_requests_total{" TO_AWS ",account=\"111111111111\",code=\"ThrottlingException\"}",
     "1"},
    {"for credentials",
     {.code = "OK"},
     "stagingrefresh_aws_requests_total{" TO_AWS ",account=\"identity\",code=\"OK\"}",
     "1"},
    {"throttled",
     {.account_id = "111111111111", .was_throttled = true},
     "stagingrefresh_aws_throttles_total" IN_BACKUP,
     "1"},
    {"not throttled", {.account_id = "111111111111"}, "stagingrefresh_aws_throttles_total" IN_BACKUP, NULL},
    {"once more",
     {.account_id = "111111111111", .is_retry = true},
     "stagingrefresh_aws_retries_total" IN_BACKUP,
     "1"},
    {"not once more", {.account_id = "111111111111"}, "stagingrefresh_aws_retries_total" IN_BACKUP, NULL},
    {"how long", {.took_ms = 250}, "stagingrefresh_aws_request_duration_seconds_sum{" TO_AWS "}", "0.25"},
    {"a clock that is behind",
     {.account_id = "111111111111", .skew_ms = 600000},
     "stagingrefresh_aws_clock_skew_seconds{account=\"111111111111\"}",
     "600"},
};

static void request_to_aws(void **state)
{
    const struct aws_row *row = *state;
    AUTO_METRICS struct metrics *metrics = controller_metrics_new();
    struct aws_call_seen call = row->call;

    call.service = "backup";
    call.operation = "StartCopyJob";
    controller_metrics_aws(metrics, &call);
    assert_sample(metrics, row->sample, row->want);
}

#define CREDENTIALS(what, account) "stagingrefresh_aws_credentials_" what "{account=\"" account "\"}"

static void ages_of_credentials(void **state)
{
    static const char *const expiry = CREDENTIALS("expiry_timestamp_seconds", "111111111111"),
                             *const fetched = CREDENTIALS("fetched_timestamp_seconds", "111111111111");
    struct aws_credentials_seen seen = {
        .account_id = "111111111111", .fetched_ms = SECONDS(30), .expires_ms = SECONDS(90)};
    AUTO_METRICS struct metrics *metrics = controller_metrics_new();

    (void)state;
    controller_metrics_credentials(metrics, &seen);
    assert_sample(metrics, expiry, "90");
    assert_sample(metrics, fetched, "30");
    seen.expires_ms = INT64_C(1795366800500);
    controller_metrics_credentials(metrics, &seen);
    assert_sample(metrics, expiry, "1795366800.5");
    seen.expires_ms = NEVER_MS;
    controller_metrics_credentials(metrics, &seen);
    assert_sample(metrics, expiry, NULL);
    controller_metrics_forget_account(metrics, "111111111111");
    assert_sample(metrics, fetched, NULL);
    seen.account_id = NULL;
    controller_metrics_credentials(metrics, &seen);
    assert_sample(metrics, CREDENTIALS("fetched_timestamp_seconds", "identity"), "30");
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, the_page_holds_to_the_rules);
    TEST(&tests, what_is_known_before_is_at_0);
    TEST(&tests, the_documentation_has_what_is_served);
    TEST_ROWS(&tests, request_to_aws, requests_to_aws);
    TEST(&tests, ages_of_credentials);
    TEST_ROWS(&tests, pass, passes);
    TEST_ROWS(&tests, written, writtens);
    return tests_run(&tests, "metrics");
}
