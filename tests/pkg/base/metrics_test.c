#include "pkg/base/metrics.h"

#include "tests/testing/assertions.h"
#include "tests/testing/exposition.h"

#include <pthread.h>

enum { RUNS, DEPTH, TOOK, PLAIN, FAMILY_COUNT };

static const double bounds[] = {1e-08, 0.005, 0.1, 1, 60};
static const struct metric_family families[FAMILY_COUNT] = {
    [RUNS] = {.name = "runs_total",
              .help = "Runs, by \"result\" \\ and\nmore.",
              .type = METRIC_COUNTER,
              .labels = {"controller", "result"}},
    [DEPTH] = {.name = "depth", .help = "Keys waiting.", .labels = {"name"}},
    [TOOK] = {.name = "took_seconds",
              .help = "How long it took.",
              .type = METRIC_HISTOGRAM,
              .labels = {"step"},
              .buckets = bounds,
              .bucket_count = COUNT_OF(bounds)},
    [PLAIN] = {.name = "plain", .help = "No labels."},
};

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

static void assert_valid(struct metrics *metrics)
{
    for (int format = METRICS_CLASSIC; format <= METRICS_OPEN; format++) {
        AUTO_FREE char *page = render(metrics, (enum metrics_format)format);
        AUTO_FREE char *wrong = exposition_check(page, (enum metrics_format)format);

        assert_text_equal(wrong, NULL);
    }
}

static struct metrics *filled(void)
{
    struct metrics *metrics = metrics_new(families, FAMILY_COUNT);

    metrics_declare(metrics, RUNS, LABELS("refresh", "Failed"));
    metrics_add(metrics, RUNS, 2, LABELS("refresh", "Succeeded"));
    metrics_set(metrics, DEPTH, -1.5, LABELS("a \"b\" \\ c\nd"));
    metrics_observe(metrics, TOOK, 0.0625, LABELS("Copy"));
    metrics_observe(metrics, TOOK, 1, LABELS("Copy"));
    metrics_observe(metrics, TOOK, 3600, LABELS("Copy"));
    return metrics;
}

static void classic(void **state)
{
    AUTO_METRICS struct metrics *metrics = filled();
    AUTO_FREE char *page = render(metrics, METRICS_CLASSIC);

    (void)state;
    assert_text_equal(page, "# HELP runs_total Runs, by \"result\" \\\\ and\\nmore.\n"
                            "# TYPE runs_total counter\n"
                            "runs_total{controller=\"refresh\",result=\"Failed\"} 0\n"
                            "runs_total{controller=\"refresh\",result=\"Succeeded\"} 2\n"
                            "# HELP depth Keys waiting.\n"
                            "# TYPE depth gauge\n"
                            "depth{name=\"a \\\"b\\\" \\\\ c\\nd\"} -1.5\n"
                            "# HELP took_seconds How long it took.\n"
                            "# TYPE took_seconds histogram\n"
                            "took_seconds_bucket{step=\"Copy\",le=\"1e-08\"} 0\n"
                            "took_seconds_bucket{step=\"Copy\",le=\"0.005\"} 0\n"
                            "took_seconds_bucket{step=\"Copy\",le=\"0.1\"} 1\n"
                            "took_seconds_bucket{step=\"Copy\",le=\"1\"} 2\n"
                            "took_seconds_bucket{step=\"Copy\",le=\"60\"} 2\n"
                            "took_seconds_bucket{step=\"Copy\",le=\"+Inf\"} 3\n"
                            "took_seconds_sum{step=\"Copy\"} 3601.0625\n"
                            "took_seconds_count{step=\"Copy\"} 3\n"
                            "# HELP plain No labels.\n"
                            "# TYPE plain gauge\n"
                            "plain 0\n");
}

static void open_metrics(void **state)
{
    AUTO_METRICS struct metrics *metrics = filled();
    AUTO_FREE char *page = render(metrics, METRICS_OPEN);

    (void)state;
    assert_text_contains(page, "# HELP runs Runs, by \\\"result\\\"");
    assert_text_contains(page, "# TYPE runs counter\nruns_total{");
    assert_text_contains(page, "le=\"1.0\"} 2\n");
    assert_text_contains(page, "le=\"60.0\"} 2\n");
    assert_text_contains(page, "plain 0\n# EOF\n");
    assert_valid(metrics);
}

static void only_goes_up(void **state)
{
    AUTO_METRICS struct metrics *metrics = metrics_new(families, FAMILY_COUNT);

    (void)state;
    metrics_set(metrics, RUNS, 7, LABELS("c", "r"));
    metrics_set(metrics, RUNS, 3, LABELS("c", "r"));
    metrics_add(metrics, RUNS, -2, LABELS("c", "r"));
    assert_sample(metrics, "runs_total{controller=\"c\",result=\"r\"}", "7");
    metrics_add(metrics, PLAIN, 5, NO_LABELS);
    metrics_add(metrics, PLAIN, -7, NO_LABELS);
    assert_sample(metrics, "plain", "-2");
}

static void is_bounded(void **state)
{
    AUTO_METRICS struct metrics *metrics = metrics_new(families, FAMILY_COUNT);

    (void)state;
    for (int i = 0; i < 3 * METRIC_SERIES_MAX; i++) {
        AUTO_FREE char *name = xasprintf("n%d", i);

        metrics_add(metrics, RUNS, 1, LABELS("c", name));
        metrics_set(metrics, DEPTH, i, LABELS(name));
    }
    assert_sample(metrics, "runs_total{controller=\"other\",result=\"other\"}", "1001");
    assert_sample(metrics, "depth{name=\"other\"}", NULL);
    assert_sample(metrics, "depth{name=\"n498\"}", "498");
    assert_valid(metrics);
}

static void cleans_values(void **state)
{
    AUTO_METRICS struct metrics *metrics = metrics_new(families, FAMILY_COUNT);
    char longer[2 * METRIC_LABEL_BYTES + 1];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(longer); i += 2)
        memcpy(longer + i, "\xc3\xa4", 2);
    longer[sizeof(longer) - 1] = '\0';
    metrics_set(metrics, DEPTH, 1, LABELS("a\xff\xc0\xaf z"));
    metrics_set(metrics, DEPTH, 2, LABELS(longer));
    assert_sample(metrics, "depth{name=\"a??? z\"}", "1");
    assert_valid(metrics);
}

static void forgets(void **state)
{
    AUTO_METRICS struct metrics *metrics = metrics_new(families, FAMILY_COUNT);

    (void)state;
    metrics_set(metrics, DEPTH, 1, LABELS("one"));
    metrics_set(metrics, DEPTH, 2, LABELS("two"));
    metrics_forget(metrics, DEPTH, LABELS("two"));
    metrics_forget(metrics, DEPTH, LABELS("never was"));
    metrics_set(metrics, DEPTH, 3, LABELS("three"));
    assert_sample(metrics, "depth{name=\"one\"}", "1");
    assert_sample(metrics, "depth{name=\"two\"}", NULL);
    assert_sample(metrics, "depth{name=\"three\"}", "3");
}

static void without_a_registry(void **state)
{
    (void)state;
    metrics_declare(NULL, RUNS, NO_LABELS);
    metrics_add(NULL, RUNS, 1, NO_LABELS);
    metrics_set(NULL, RUNS, 1, NO_LABELS);
    metrics_observe(NULL, TOOK, 1, NO_LABELS);
    metrics_forget(NULL, RUNS, NO_LABELS);
}

/* --- threads --- */

#define THREADS 4
#define TIMES 1000

static void *count_up(void *arg)
{
    for (int i = 0; i < TIMES; i++) {
        metrics_add(arg, RUNS, 1, LABELS("c", i % 2 ? "odd" : "even"));
        metrics_observe(arg, TOOK, 0.5, LABELS("s"));
    }
    return NULL;
}

static void from_many_threads(void **state)
{
    AUTO_METRICS struct metrics *metrics = metrics_new(families, FAMILY_COUNT);
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_number(pthread_create(&threads[i], NULL, count_up, metrics), 0);
    assert_valid(metrics);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_sample(metrics, "runs_total{controller=\"c\",result=\"odd\"}", "2000");
    assert_sample(metrics, "took_seconds_count{step=\"s\"}", "4000");
}

/* --- what the scraper prefers --- */

static const struct accept_row {
    const char *name, *accept;
    enum metrics_format want;
} accepts[] = {
    {"none", NULL, METRICS_CLASSIC},
    {"empty", "", METRICS_CLASSIC},
    {"a browser", "text/html,application/xhtml+xml,*/*;q=0.8", METRICS_CLASSIC},
    {"curl", "*/*", METRICS_CLASSIC},
    {"Prometheus",
     "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/"
     "openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
     METRICS_OPEN},
    {"only a version that we do not speak", "application/openmetrics-text;version=0.0.1", METRICS_CLASSIC},
    {"text preferred", "application/openmetrics-text;q=0.3, text/plain;q=0.9", METRICS_CLASSIC},
    {"refused by q=0", "application/openmetrics-text;q=0", METRICS_CLASSIC},
    {"upper case", "Application/OpenMetrics-Text", METRICS_OPEN},
    {"a weight that is none", "application/openmetrics-text;q=x9,;;,=,", METRICS_CLASSIC},
};

static void accept(void **state)
{
    const struct accept_row *row = *state;

    assert_number(metrics_format_for(row->accept), row->want);
}

/* --- the checker itself finds what is wrong --- */

static const struct wrong_row {
    const char *name, *page, *want;
} wrongs[] = {
    {"no EOF", "# HELP a b\n# TYPE a gauge\na 1\n", "# EOF is missing"},
    {"twice", "# HELP a b\n# TYPE a gauge\na 1\na 2\n# EOF\n", "line 4: a series twice"},
    {"blank", "# HELP a b\n\n# EOF\n", "line 2: a blank line"},
    {"total", "# HELP a_total b\n# TYPE a_total counter\n# EOF\n",
     "line 2: OpenMetrics names a counter's family without _total"},
    {"falling", "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1.0\"} 2\na_bucket{le=\"+Inf\"} 1\n# EOF\n",
     "line 4: buckets do not rise"},
    {"le", "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 2\n# EOF\n",
     "line 3: le is no canonical float"},
    {"count", "# HELP a b\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_count 1\n# EOF\n",
     "line 4: the last bucket is not +Inf with the count"},
    {"escape", "# HELP a b\n# TYPE a gauge\na{b=\"\\t\"} 1\n# EOF\n",
     "line 3: an escape that does not exist"},
};

static void checker(void **state)
{
    const struct wrong_row *row = *state;
    AUTO_FREE char *got = exposition_check(row->page, METRICS_OPEN);

    assert_text_equal(got, row->want);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, classic);
    TEST(&tests, open_metrics);
    TEST(&tests, only_goes_up);
    TEST(&tests, is_bounded);
    TEST(&tests, cleans_values);
    TEST(&tests, forgets);
    TEST(&tests, without_a_registry);
    TEST(&tests, from_many_threads);
    TEST_ROWS(&tests, accept, accepts);
    TEST_ROWS(&tests, checker, wrongs);
    return tests_run(&tests, "metrics");
}
