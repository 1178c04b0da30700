#include "pkg/base/log.h"

#include <unistd.h>

#include "pkg/base/buf.h"
#include "pkg/base/lock.h"
#include "pkg/base/sched.h"

struct log {
    const struct log *parent; /* immutable */
    int fd;                   /* immutable */
    enum log_level level;     /* immutable */
    enum log_format format;   /* immutable */
    struct sched *sched;      /* immutable */
    struct log_field *fields; /* immutable; key and text owned */
    size_t count;
};

struct log *log_new(int fd, enum log_level level, enum log_format format, struct sched *sched)
{
    struct log *log = xcalloc(1, sizeof(*log));

    *log = (struct log){.fd = fd, .level = level, .format = format, .sched = sched};
    return log;
}

struct log *log_with(const struct log *parent, const struct log_field *fields, size_t count)
{
    struct log *log;

    if (!parent)
        return NULL;
    log = xcalloc(1, sizeof(*log));
    *log = *parent;
    log->parent = parent;
    log->count = count;
    log->fields = xcalloc(count, sizeof(*fields));
    for (size_t i = 0; i < count; i++) {
        log->fields[i] = (struct log_field){.key = xstrdup(fields[i].key),
                                            .text = xstrdup_or_null(fields[i].text),
                                            .number = fields[i].number};
    }
    return log;
}

void log_free(struct log *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->count; i++) {
        xfree((void *)(uintptr_t)log->fields[i].key);
        xfree((void *)(uintptr_t)log->fields[i].text);
    }
    xfree(log->fields);
    xfree(log);
}

bool log_enabled(const struct log *log, enum log_level level)
{
    return log && log->fd >= 0 && level >= log->level;
}

static void add_quoted(struct buf *line, const char *text)
{
    buf_addc(line, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_addf(line, "\\%c", *p);
        else if (*p == '\n')
            buf_adds(line, "\\n");
        else if (*p < 0x20 || *p == 0x7F)
            buf_addf(line, "\\u%04x", *p);
        else
            buf_addc(line, (char)*p);
    }
    buf_addc(line, '"');
}

static void add_fields(struct buf *line, enum log_format format, const struct log_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (format == LOG_FORMAT_JSON) {
            buf_addc(line, ',');
            add_quoted(line, fields[i].key);
            buf_addc(line, ':');
        } else {
            buf_addf(line, " %s=", fields[i].key);
        }
        if (fields[i].text)
            add_quoted(line, fields[i].text);
        else
            buf_addf(line, "%lld", (long long)fields[i].number);
    }
}

/* The outermost fields first, so that every line of an object starts alike. Parents are few. */
static void add_inherited(struct buf *line, const struct log *log) // NOLINT(misc-no-recursion)
{
    if (log->parent)
        add_inherited(line, log->parent);
    add_fields(line, log->format, log->fields, log->count);
}

void log_write(const struct log *log, enum log_level level, const char *message,
               const struct log_field *fields, size_t count)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    static const char *const tags[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
    AUTO_BUF struct buf line = BUF_MAX(64 * KIB);
    char when[TIME_TEXT_MAX];

    time_rfc3339_ms(sched_wall_ms(log->sched), when);
    if (log->format == LOG_FORMAT_JSON) {
        buf_addf(&line, "{\"ts\":\"%s\",\"level\":\"%s\",\"msg\":", when, names[level]);
        add_quoted(&line, message);
    } else {
        buf_addf(&line, "%s %s %s", when, tags[level], message);
    }
    add_inherited(&line, log);
    add_fields(&line, log->format, fields, count);
    buf_adds(&line, log->format == LOG_FORMAT_JSON ? "}\n" : "\n");
    /* One write per line: lines of threads do not mix, and a log that cannot be written is nobody's reason to
     * fail. */
    if (write(log->fd, buf_text(&line), line.len) < 0)
        return;
}
