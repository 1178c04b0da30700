/* Counters, gauges and histograms under constant names, and the text that Prometheus reads: the classic
 * format (text/plain; version=0.0.4) or OpenMetrics 1.0.0, as the scraper asks.
 *
 * What may be counted is a constant table of families, addressed by index. A family has at most
 * METRIC_SERIES_MAX series: what comes after that is counted under the label value "other" (a gauge is
 * dropped), so that no outside name can fill memory. Label values are cut at METRIC_LABEL_BYTES and made
 * valid UTF-8.
 *
 * Threads: everything from any thread. Nothing waits; no callback runs under the lock. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "pkg/base/buf.h"

#define METRIC_LABELS_MAX 5
#define METRIC_LABEL_BYTES 128
#define METRIC_SERIES_MAX 500

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

struct metric_family {
    const char *name; /* as on samples: a counter's ends in "_total" */
    const char *help; /* one sentence */
    enum metric_type type;
    const char *labels[METRIC_LABELS_MAX];
    const double *buckets; /* histograms: upper bounds, rising, without +Inf */
    size_t bucket_count;
};

struct metrics;

/* Label values in the order of the family's names; missing ones are "". */
#define LABELS(...) ((const char *const[METRIC_LABELS_MAX]){__VA_ARGS__})
#define NO_LABELS ((const char *const[METRIC_LABELS_MAX]){NULL})

/* Borrows the table. A family without labels has its one series, at 0, from the start. */
struct metrics *metrics_new(const struct metric_family *families, size_t count);
void metrics_free(struct metrics *metrics);

/* All of these: metrics NULL does nothing. */
/* Makes the series at 0, so that a rate can be taken from its first event on. */
void metrics_declare(struct metrics *metrics, size_t family, const char *const labels[METRIC_LABELS_MAX]);
/* Counters only go up: a negative amount is ignored. */
void metrics_add(struct metrics *metrics, size_t family, double amount,
                 const char *const labels[METRIC_LABELS_MAX]);
/* A gauge's value; or a counter's total as counted elsewhere, which is ignored when it is below the present
 * one. */
void metrics_set(struct metrics *metrics, size_t family, double value,
                 const char *const labels[METRIC_LABELS_MAX]);
void metrics_observe(struct metrics *metrics, size_t family, double value,
                     const char *const labels[METRIC_LABELS_MAX]);
/* The series goes: what it was about is gone. */
void metrics_forget(struct metrics *metrics, size_t family, const char *const labels[METRIC_LABELS_MAX]);

enum metrics_format { METRICS_CLASSIC, METRICS_OPEN };

/* What the value of an Accept header prefers; NULL or anything unknown: classic. */
enum metrics_format metrics_format_for(const char *accept);
const char *metrics_content_type(enum metrics_format format);
/* Appends all families; `out` overflows when its maximum is too small. */
void metrics_render(struct metrics *metrics, enum metrics_format format, struct buf *out);

static inline void auto_metrics(struct metrics **metrics)
{
    metrics_free(*metrics);
}
#define AUTO_METRICS CLEANUP(auto_metrics)

#endif
