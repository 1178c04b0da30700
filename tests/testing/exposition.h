/* A strict reader of what Prometheus scrapes: says what is wrong with a page, by the rules of the formats and
 * not by comparing with what we print. */
#ifndef TESTING_EXPOSITION_H
#define TESTING_EXPOSITION_H

#include "pkg/base/metrics.h"

/* NULL: every rule holds. Otherwise one sentence with the line's number, yours. */
char *exposition_check(const char *page, enum metrics_format format);
/* The value of the sample that is spelled so ("runs_total{result=\"Failed\"}"), as it is written; yours.
 * NULL: not there. */
char *exposition_value(const char *page, const char *sample);

#endif
