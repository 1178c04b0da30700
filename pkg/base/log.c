#include "pkg/base/log.h"

#include <unistd.h>

#include "pkg/base/buf.h"
#include "pkg/base/lock.h"
#include "pkg/base/sched.h"

#define LINE_MAX_BYTES (64 * KIB)
#define TEXT_MAX (8 * KIB)

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
        log->fields[i] = (struct log_field){.key = xstrdup_or_null(fields[i].key),
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

/* Texts come from servers: whatever they hold, a line stays one line, valid, and of bounded length. */
static void add_quoted(struct buf *line, const char *text)
{
    struct str rest = str_of(text);
    size_t whole = rest.len;

    buf_addc(line, '"');
    while (rest.len && whole - rest.len < TEXT_MAX) {
        size_t len = str_utf8_len(rest);
        unsigned char c = (unsigned char)rest.ptr[0];

        if (!len)
            buf_adds(line, "\xEF\xBF\xBD"); /* U+FFFD */
        else if (c == '"' || c == '\\')
            buf_addf(line, "\\%c", c);
        else if (c == '\n')
            buf_adds(line, "\\n");
        else if (c < 0x20 || c == 0x7F)
            buf_addf(line, "\\u%04x", c);
        else
            buf_add(line, rest.ptr, len);
        rest = str_from(rest, len ? len : 1);
    }
    buf_adds(line, rest.len ? "...\"" : "\"");
}

static void add_fields(struct buf *line, enum log_format format, const struct log_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!fields[i].key)
            continue;
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

static void begin_line(struct buf *line, const struct log *log, enum log_level level, const char *message)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    static const char *const tags[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
    char when[TIME_TEXT_MAX];

    time_rfc3339_ms(sched_wall_ms(log->sched), when);
    if (log->format == LOG_FORMAT_JSON) {
        buf_addf(line, "{\"ts\":\"%s\",\"level\":\"%s\",\"msg\":", when, names[level]);
        add_quoted(line, message);
    } else {
        buf_addf(line, "%s %s %s", when, tags[level], message);
    }
}

void log_write(const struct log *log, enum log_level level, const char *message,
               const struct log_field *fields, size_t count)
{
    static const struct log_field dropped = {.key = "fields", .text = "dropped: the line is too long"};
    const char *end = log->format == LOG_FORMAT_JSON ? "}\n" : "\n";
    AUTO_BUF struct buf line = BUF_MAX(LINE_MAX_BYTES);

    begin_line(&line, log, level, message);
    add_inherited(&line, log);
    add_fields(&line, log->format, fields, count);
    buf_adds(&line, end);
    if (line.overflow) {
        buf_reset(&line);
        begin_line(&line, log, level, message);
        add_fields(&line, log->format, &dropped, 1);
        buf_adds(&line, end);
    }
    /* One write per line: lines of threads do not mix, and a log that cannot be written is nobody's reason to
     * fail. */
    if (write(log->fd, buf_text(&line), line.len) < 0)
        return;
}
