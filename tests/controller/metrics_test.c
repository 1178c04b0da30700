#include "controller/metrics.h"

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
    const struct workqueue_stats stats = {.depth = 3, .depth_routine = 2, .adds = 9, .longest_ms = 1500};

    (void)state;
    controller_metrics_queue(metrics, &stats, 4);
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
    {"a proxy without a target", RUN(""),
     RUN("") ", \"switchover\": {\"steps\": [{\"name\": \"Proxies/shop\", \"attempt\": 1, \"state\": "
             "\"Done\","
             " \"startTime\": " T("00:00") ", \"completionTime\": " T(
                 "01:00") ","
                          " \"evidence\": {\"switched\": \"1795363258000\"}}]}",
     "stagingrefresh_proxy_without_target_seconds_sum", "2"},
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

static void requests_to_aws(void **state)
{
    AUTO_METRICS struct metrics *metrics = controller_metrics_new();

    (void)state;
    controller_metrics_aws(metrics, &(struct aws_call_seen){.service = "backup",
                                                            .operation = "StartCopyJob",
                                                            .account_id = "111111111111",
                                                            .code = "ThrottlingException",
                                                            .was_throttled = true});
    assert_sample(metrics,
                  "stagingrefresh_aws_requests_total{service=\"backup\",operation=\"StartCopyJob\",account="
                  "\"111111111111\",code=\"ThrottlingException\"}",
                  "1");
    assert_sample(metrics, "stagingrefresh_aws_throttles_total{service=\"backup\",account=\"111111111111\"}",
                  "1");
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, the_page_holds_to_the_rules);
    TEST(&tests, what_is_known_before_is_at_0);
    TEST(&tests, requests_to_aws);
    TEST_ROWS(&tests, pass, passes);
    TEST_ROWS(&tests, written, writtens);
    return tests_run(&tests, "metrics");
}
