#include "tests/testing/exposition.h"

#include <ctype.h>
#include <math.h>

struct seen {
    char **items;
    size_t count;
};

struct reader {
    enum metrics_format format;
    int line;
    struct seen families, samples;
    char *family, *type; /* current */
    bool has_type;
    char *group; /* histogram: labels without le of the buckets being read */
    double last_bound, last_count;
    bool is_open; /* histogram: buckets came, _count did not */
    bool ended;
    char *wrong;
};

static bool wrong(struct reader *reader, const char *what)
{
    if (!reader->wrong)
        reader->wrong = xasprintf("line %d: %s", reader->line, what);
    return false;
}

static bool add_new(struct seen *seen, const char *text)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (text_equal(seen->items[i], text))
            return false;
    }
    seen->items = xgrow(seen->items, seen->count, sizeof(*seen->items));
    seen->items[seen->count++] = xstrdup(text);
    return true;
}

static void seen_done(struct seen *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        xfree(seen->items[i]);
    xfree(seen->items);
}

static bool is_name(const char *text, const char *more)
{
    if (!*text || isdigit((unsigned char)*text))
        return false;
    for (; *text; text++) {
        if (!isalnum((unsigned char)*text) && *text != '_' && !strchr(more, *text))
            return false;
    }
    return true;
}

static bool is_number(const char *text, double *ret)
{
    char *end;

    if (!*text || isspace((unsigned char)*text))
        return false;
    *ret = strtod(text, &end);
    return !*end;
}

static void set(char **member, char *value)
{
    xfree(*member);
    *member = value;
}

/* --- comments --- */

static bool close_family(struct reader *reader)
{
    return !reader->is_open || wrong(reader, "a histogram's buckets without its _count");
}

static bool read_help(struct reader *reader, const char *rest)
{
    AUTO_FREE char *name = xstrndup(rest, strcspn(rest, " "));

    if (!close_family(reader))
        return false;
    if (!is_name(name, ":"))
        return wrong(reader, "HELP of what is no name");
    if (!add_new(&reader->families, name))
        return wrong(reader, "HELP twice for one family");
    set(&reader->family, TAKE(name));
    set(&reader->type, NULL);
    return true;
}

static bool read_type(struct reader *reader, const char *rest)
{
    size_t len = strcspn(rest, " ");

    if (!reader->family || strlen(reader->family) != len || strncmp(reader->family, rest, len) != 0)
        return wrong(reader, "TYPE of another family than HELP");
    if (reader->type)
        return wrong(reader, "TYPE twice");
    if (!text_equal(rest + len, " counter") && !text_equal(rest + len, " gauge") &&
        !text_equal(rest + len, " histogram"))
        return wrong(reader, "a type that does not exist");
    if (reader->format == METRICS_OPEN && text_equal(rest + len, " counter") &&
        str_ends(str_of(reader->family), "_total"))
        return wrong(reader, "OpenMetrics names a counter's family without _total");
    set(&reader->type, xstrdup(rest + len + 1));
    return true;
}

static bool read_comment(struct reader *reader, const char *line)
{
    if (text_equal(line, "# EOF") && reader->format == METRICS_OPEN) {
        reader->ended = true;
        return close_family(reader);
    }
    if (strncmp(line, "# HELP ", 7) == 0)
        return read_help(reader, line + 7);
    if (strncmp(line, "# TYPE ", 7) == 0)
        return read_type(reader, line + 7);
    return wrong(reader, "a comment that means nothing");
}

/* --- samples --- */

struct sample {
    char *name, *group, *bound; /* group: labels without le */
    double value;
};

static void sample_done(struct sample *sample)
{
    xfree(sample->name);
    xfree(sample->group);
    xfree(sample->bound);
}

/* One name="value"; *at is left behind the closing quote. */
static bool read_label(struct reader *reader, const char **at, struct sample *sample, struct buf *group)
{
    size_t len = strcspn(*at, "=");
    AUTO_FREE char *name = xstrndup(*at, len);
    AUTO_BUF struct buf value = BUF_MAX(4096);
    const char *p = *at + len;

    if (!is_name(name, "") || p[0] != '=' || p[1] != '"')
        return wrong(reader, "a label without name or value");
    for (p += 2; *p && *p != '"'; p++) {
        if (*p == '\\' && !strchr("\\\"n", p[1]))
            return wrong(reader, "an escape that does not exist");
        if (*p == '\\')
            buf_addc(&value, *p++);
        buf_addc(&value, *p);
    }
    if (*p != '"')
        return wrong(reader, "a label value without end");
    if (text_equal(name, "le"))
        set(&sample->bound, xstrdup(buf_text(&value)));
    else
        buf_addf(group, "%s=%s;", name, buf_text(&value));
    *at = p + 1;
    return true;
}

static bool read_labels(struct reader *reader, const char **at, struct sample *sample)
{
    AUTO_BUF struct buf group = BUF_MAX(16384);

    if (**at == '{') {
        do {
            ++*at;
            if (!read_label(reader, at, sample, &group))
                return false;
        } while (**at == ',');
        if (**at != '}')
            return wrong(reader, "labels without end");
        ++*at;
    }
    sample->group = xstrdup(buf_text(&group));
    return true;
}

static bool check_bucket(struct reader *reader, const struct sample *sample)
{
    double bound;

    if (!sample->bound || !is_number(sample->bound, &bound))
        return wrong(reader, "a bucket without le");
    if (reader->format == METRICS_OPEN && !strpbrk(sample->bound, ".e") && !text_equal(sample->bound, "+Inf"))
        return wrong(reader, "le is no canonical float");
    if (!reader->is_open) {
        set(&reader->group, xstrdup(sample->group));
        reader->is_open = true;
    } else if (!text_equal(reader->group, sample->group)) {
        return wrong(reader, "buckets of two series mixed");
    } else if (bound <= reader->last_bound || sample->value < reader->last_count) {
        return wrong(reader, "buckets do not rise");
    }
    reader->last_bound = bound;
    reader->last_count = sample->value;
    return true;
}

static bool check_histogram(struct reader *reader, const struct sample *sample, const char *suffix)
{
    if (text_equal(suffix, "_bucket"))
        return check_bucket(reader, sample);
    if (!reader->is_open || !text_equal(reader->group, sample->group))
        return wrong(reader, "a sum or count without its buckets");
    if (text_equal(suffix, "_sum"))
        return true;
    if (!text_equal(suffix, "_count"))
        return wrong(reader, "no sample of a histogram");
    if (!isinf(reader->last_bound) || fabs(reader->last_count - sample->value) > 0)
        return wrong(reader, "the last bucket is not +Inf with the count");
    reader->is_open = false;
    return true;
}

static bool check_sample(struct reader *reader, const struct sample *sample)
{
    size_t len = reader->family ? strlen(reader->family) : 0;
    const char *suffix = sample->name + len;

    if (!reader->type || strncmp(sample->name, reader->family, len) != 0)
        return wrong(reader, "a sample outside of its family");
    if (text_equal(reader->type, "histogram"))
        return check_histogram(reader, sample, suffix);
    if (sample->bound)
        return wrong(reader, "le outside of a histogram");
    if (text_equal(reader->type, "counter")) {
        if (!str_ends(str_of(sample->name), "_total") || !(sample->value >= 0))
            return wrong(reader, "a counter is called _total and is not negative");
        return text_equal(suffix, reader->format == METRICS_OPEN ? "_total" : "") ||
               wrong(reader, "another name than the family's");
    }
    return !*suffix || wrong(reader, "another name than the family's");
}

static bool read_sample(struct reader *reader, const char *line)
{
    struct sample sample __attribute__((cleanup(sample_done))) = {0};
    const char *at = line + strcspn(line, "{ ");
    AUTO_FREE char *series = NULL;

    sample.name = xstrndup(line, (size_t)(at - line));
    if (!is_name(sample.name, ":"))
        return wrong(reader, "a sample without a name");
    if (!read_labels(reader, &at, &sample))
        return false;
    series = xstrndup(line, (size_t)(at - line));
    if (!add_new(&reader->samples, series))
        return wrong(reader, "a series twice");
    if (*at != ' ' || !is_number(at + 1, &sample.value))
        return wrong(reader, "a value that is no number");
    return check_sample(reader, &sample);
}

static bool read_line(struct reader *reader, const char *line)
{
    reader->line++;
    if (reader->ended)
        return wrong(reader, "something after # EOF");
    for (struct str rest = str_of(line); rest.len; rest = str_from(rest, str_utf8_len(rest))) {
        if (!str_utf8_len(rest))
            return wrong(reader, "not UTF-8");
    }
    if (!*line)
        return wrong(reader, "a blank line");
    return *line == '#' ? read_comment(reader, line) : read_sample(reader, line);
}

char *exposition_check(const char *page, enum metrics_format format)
{
    struct reader reader = {.format = format};
    struct str rest = str_of(page), piece;

    if (!str_ends(rest, "\n"))
        return xstrdup("the last line does not end");
    rest.len--;
    while (str_cut(&rest, '\n', &piece)) {
        AUTO_FREE char *line = str_dup(piece);

        if (!read_line(&reader, line))
            break;
    }
    if (!reader.wrong && format == METRICS_OPEN && !reader.ended)
        reader.wrong = xstrdup("# EOF is missing");
    if (!reader.wrong && reader.is_open)
        reader.wrong = xstrdup("a histogram's buckets without its _count");
    seen_done(&reader.families);
    seen_done(&reader.samples);
    xfree(reader.family);
    xfree(reader.type);
    xfree(reader.group);
    return reader.wrong;
}

char *exposition_value(const char *page, const char *sample)
{
    struct str rest = str_of(page), line;
    size_t len = strlen(sample);

    while (str_cut(&rest, '\n', &line)) {
        if (str_starts(line, sample) && line.len > len && line.ptr[len] == ' ')
            return str_dup(str_from(line, len + 1));
    }
    return NULL;
}
