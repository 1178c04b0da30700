#include "pkg/base/metrics.h"

#include "pkg/base/lock.h"

#include <math.h>

#define OTHER "other"
#define COUNTER_SUFFIX "_total"

struct labels {
    char *values[METRIC_LABELS_MAX]; /* owned */
};

struct series {
    struct labels labels;
    double value;     /* of a histogram: the sum */
    uint64_t *counts; /* of a histogram: per bucket, +Inf last; not cumulative */
    struct series *next;
};

struct family {
    const struct metric_family *def;
    size_t label_count;
    struct series *first, **end;
    size_t count;
};

struct metrics {
    pthread_mutex_t lock;
    struct family *families; /* lock, but for def and label_count */
    size_t family_count;
};

/* --- series --- */

static struct series *find(const struct family *family, const struct labels *labels)
{
    for (struct series *series = family->first; series; series = series->next) {
        size_t i = 0;

        while (i < family->label_count && text_equal(series->labels.values[i], labels->values[i]))
            i++;
        if (i == family->label_count)
            return series;
    }
    return NULL;
}

static void labels_done(struct labels *labels)
{
    for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
        xfree(labels->values[i]);
}

/* Takes the labels over. */
static struct series *append(struct family *family, struct labels *labels)
{
    struct series *series = xcalloc(1, sizeof(*series));

    series->labels = *labels;
    *labels = (struct labels){0};
    if (family->def->type == METRIC_HISTOGRAM)
        series->counts = xcalloc(family->def->bucket_count + 1, sizeof(*series->counts));
    *family->end = series;
    family->end = &series->next;
    family->count++;
    return series;
}

/* Cut, and every byte that is no part of a character replaced. */
static char *clean(const char *value)
{
    AUTO_BUF struct buf out = BUF_MAX(METRIC_LABEL_BYTES);
    struct str rest = str_of(value);

    while (rest.len) {
        size_t len = str_utf8_len(rest);

        if (out.len + (len ? len : 1) > METRIC_LABEL_BYTES)
            break;
        if (len)
            buf_add(&out, rest.ptr, len);
        else
            buf_addc(&out, '?');
        rest = str_from(rest, len ? len : 1);
    }
    return xstrdup(buf_text(&out));
}

/* NULL: a gauge over the limit. */
static struct series *take_series(struct family *family, const char *const labels[METRIC_LABELS_MAX])
{
    CLEANUP(labels_done) struct labels cleaned = {0};
    struct series *found;

    for (size_t i = 0; i < family->label_count; i++)
        cleaned.values[i] = clean(labels[i]);
    found = find(family, &cleaned);
    if (found)
        return found;
    if (family->count + 1 < METRIC_SERIES_MAX)
        return append(family, &cleaned);
    if (family->def->type == METRIC_GAUGE)
        return NULL;
    for (size_t i = 0; i < family->label_count; i++) {
        xfree(cleaned.values[i]);
        cleaned.values[i] = xstrdup(OTHER);
    }
    found = find(family, &cleaned);
    return found ? found : append(family, &cleaned);
}

static void free_series(struct series *series)
{
    labels_done(&series->labels);
    xfree(series->counts);
    xfree(series);
}

/* --- life --- */

struct metrics *metrics_new(const struct metric_family *families, size_t count)
{
    struct metrics *metrics = xcalloc(1, sizeof(*metrics));

    pthread_mutex_init(&metrics->lock, NULL);
    metrics->families = xcalloc(count, sizeof(*metrics->families));
    metrics->family_count = count;
    for (size_t i = 0; i < count; i++) {
        struct family *family = &metrics->families[i];

        family->def = &families[i];
        family->end = &family->first;
        while (family->label_count < METRIC_LABELS_MAX && families[i].labels[family->label_count])
            family->label_count++;
        if (!family->label_count)
            append(family, &(struct labels){0});
    }
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < metrics->family_count; i++) {
        struct series *next;

        for (struct series *series = metrics->families[i].first; series; series = next) {
            next = series->next;
            free_series(series);
        }
    }
    xfree(metrics->families);
    pthread_mutex_destroy(&metrics->lock);
    xfree(metrics);
}

/* --- counting --- */

void metrics_declare(struct metrics *metrics, size_t family, const char *const labels[METRIC_LABELS_MAX])
{
    if (!metrics)
        return;
    LOCK_SCOPE(&metrics->lock);
    (void)take_series(&metrics->families[family], labels);
}

void metrics_add(struct metrics *metrics, size_t family, double amount,
                 const char *const labels[METRIC_LABELS_MAX])
{
    struct series *series;

    if (!metrics)
        return;
    LOCK_SCOPE(&metrics->lock);
    series = take_series(&metrics->families[family], labels);
    if (series && (amount >= 0 || metrics->families[family].def->type == METRIC_GAUGE))
        series->value += amount;
}

void metrics_set(struct metrics *metrics, size_t family, double value,
                 const char *const labels[METRIC_LABELS_MAX])
{
    struct series *series;

    if (!metrics)
        return;
    LOCK_SCOPE(&metrics->lock);
    series = take_series(&metrics->families[family], labels);
    if (series && (value >= series->value || metrics->families[family].def->type == METRIC_GAUGE))
        series->value = value;
}

void metrics_observe(struct metrics *metrics, size_t family, double value,
                     const char *const labels[METRIC_LABELS_MAX])
{
    const struct metric_family *def;
    struct series *series;
    size_t bucket = 0;

    if (!metrics || isnan(value))
        return;
    LOCK_SCOPE(&metrics->lock);
    def = metrics->families[family].def;
    series = take_series(&metrics->families[family], labels);
    while (bucket < def->bucket_count && value > def->buckets[bucket])
        bucket++;
    series->counts[bucket]++;
    series->value += value;
}

void metrics_forget(struct metrics *metrics, size_t family, const char *const labels[METRIC_LABELS_MAX])
{
    CLEANUP(labels_done) struct labels cleaned = {0};
    struct series **at, *gone;
    struct family *of;

    if (!metrics)
        return;
    LOCK_SCOPE(&metrics->lock);
    of = &metrics->families[family];
    for (size_t i = 0; i < of->label_count; i++)
        cleaned.values[i] = clean(labels[i]);
    gone = find(of, &cleaned);
    if (!gone)
        return;
    for (at = &of->first; *at != gone; at = &(*at)->next)
        ;
    *at = gone->next;
    if (!*at)
        of->end = at;
    of->count--;
    free_series(gone);
}

/* --- rendering --- */

static void add_escaped(struct buf *out, const char *text, bool quotes)
{
    for (; *text; text++) {
        if (*text == '\n')
            buf_adds(out, "\\n");
        else if (*text == '\\' || (quotes && *text == '"'))
            buf_addf(out, "\\%c", *text);
        else
            buf_addc(out, *text);
    }
}

/* The shortest spelling that reads back as the same number. */
static void add_number(struct buf *out, double value)
{
    char text[32];

    if (isnan(value) || isinf(value)) {
        buf_adds(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
        return;
    }
    if (value >= 0 && value < 1e15 && value == floor(value)) {
        buf_addf(out, "%.0f", value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_adds(out, text);
}

/* OpenMetrics wants bounds that are seen to be floats. */
static void add_bound(struct buf *out, double bound, enum metrics_format format)
{
    size_t before = out->len;

    add_number(out, bound);
    if (format == METRICS_OPEN && out->len > before && !strpbrk(out->data + before, ".e"))
        buf_adds(out, ".0");
}

struct page {
    struct buf *out;
    enum metrics_format format;
    const struct family *family;
};

/* `{a="1",le="0.5"}`; `bound` NULL: no le. */
static void add_labels(const struct page *page, const struct series *series, const double *bound)
{
    const struct family *family = page->family;
    char before = '{';

    for (size_t i = 0; i < family->label_count; i++) {
        buf_addf(page->out, "%c%s=\"", before, family->def->labels[i]);
        add_escaped(page->out, series->labels.values[i], true);
        buf_addc(page->out, '"');
        before = ',';
    }
    if (bound) {
        buf_addf(page->out, "%cle=\"", before);
        add_bound(page->out, *bound, isinf(*bound) ? METRICS_CLASSIC : page->format);
        buf_addc(page->out, '"');
        before = ',';
    }
    if (before == ',')
        buf_addc(page->out, '}');
}

static void add_sample(const struct page *page, const struct series *series, const char *suffix, double value)
{
    buf_addf(page->out, "%s%s", page->family->def->name, suffix);
    add_labels(page, series, NULL);
    buf_addc(page->out, ' ');
    add_number(page->out, value);
    buf_addc(page->out, '\n');
}

static void add_histogram(const struct page *page, const struct series *series)
{
    const struct metric_family *def = page->family->def;
    uint64_t total = 0;

    for (size_t i = 0; i <= def->bucket_count; i++) {
        double bound = i < def->bucket_count ? def->buckets[i] : (double)INFINITY;

        total += series->counts[i];
        buf_addf(page->out, "%s_bucket", def->name);
        add_labels(page, series, &bound);
        buf_addf(page->out, " %llu\n", (unsigned long long)total);
    }
    add_sample(page, series, "_sum", series->value);
    add_sample(page, series, "_count", (double)total);
}

static void add_heading(const struct page *page)
{
    static const char *const types[] = {
        [METRIC_GAUGE] = "gauge", [METRIC_COUNTER] = "counter", [METRIC_HISTOGRAM] = "histogram"};
    const struct metric_family *def = page->family->def;
    struct str name = str_of(def->name);

    if (page->format == METRICS_OPEN && def->type == METRIC_COUNTER && str_ends(name, COUNTER_SUFFIX))
        name.len -= strlen(COUNTER_SUFFIX);
    buf_addf(page->out, "# HELP " STR_FMT " ", STR_ARG(name));
    add_escaped(page->out, def->help, page->format == METRICS_OPEN);
    buf_addf(page->out, "\n# TYPE " STR_FMT " %s\n", STR_ARG(name), types[def->type]);
}

static void add_family(const struct page *page)
{
    if (!page->family->first)
        return;
    add_heading(page);
    for (const struct series *series = page->family->first; series; series = series->next) {
        if (page->family->def->type == METRIC_HISTOGRAM)
            add_histogram(page, series);
        else
            add_sample(page, series, "", series->value);
    }
}

void metrics_render(struct metrics *metrics, enum metrics_format format, struct buf *out)
{
    {
        LOCK_SCOPE(&metrics->lock);
        for (size_t i = 0; i < metrics->family_count; i++)
            add_family(&(struct page){.out = out, .format = format, .family = &metrics->families[i]});
    }
    if (format == METRICS_OPEN)
        buf_adds(out, "# EOF\n");
}

/* --- what the scraper prefers --- */

/* The q of one entry in thousandths; 1000 when it says none. */
static int weight_of(struct str params)
{
    struct str param;

    while (str_cut(&params, ';', &param)) {
        AUTO_FREE char *text = NULL;
        double value;

        param = str_trim(param);
        if (!str_starts(param, "q=") && !str_starts(param, "Q="))
            continue;
        text = str_dup(str_from(param, 2));
        value = strtod(text, NULL);
        return value >= 0 && value <= 1 ? (int)(value * 1000) : 0;
    }
    return 1000;
}

static bool speaks_version(struct str params)
{
    struct str param;

    while (str_cut(&params, ';', &param)) {
        param = str_trim(param);
        if (str_starts(param, "version="))
            return str_is(param, "version=1.0.0") || str_is(param, "version=\"1.0.0\"");
    }
    return true;
}

enum metrics_format metrics_format_for(const char *accept)
{
    struct str rest = str_of(accept), entry;
    int open = 0, classic = 0;

    while (str_cut(&rest, ',', &entry)) {
        struct str type;
        int weight;

        if (!str_cut(&entry, ';', &type))
            continue;
        type = str_trim(type);
        weight = weight_of(entry);
        if (str_equal_nocase(type, STR("application/openmetrics-text")) && speaks_version(entry))
            open = weight > open ? weight : open;
        else if (str_equal_nocase(type, STR("text/plain")) || str_is(type, "*/*") || str_is(type, "text/*"))
            classic = weight > classic ? weight : classic;
    }
    return open && open >= classic ? METRICS_OPEN : METRICS_CLASSIC;
}

const char *metrics_content_type(enum metrics_format format)
{
    return format == METRICS_OPEN ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                  : "text/plain; version=0.0.4; charset=utf-8";
}
