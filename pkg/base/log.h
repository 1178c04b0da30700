/* Structured log lines: a constant message and fields. Four levels: error = a person should look, warn = we
 * went on, info = state changed, debug. Libraries log at debug only. No function takes a struct secret. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_TEXT };

struct sched;
struct log;

struct log_field {
    const char *key;  /* NULL: it is left out */
    const char *text; /* NULL: number counts */
    int64_t number;
};
static inline const char *log_text_or_empty(const char *text)
{
    return text ? text : "";
}
#define KV(k, v) ((struct log_field){.key = (k), .text = log_text_or_empty(v)})
/* Left out when there is none. */
#define KV_IF(k, v) ((struct log_field){.key = (v) ? (k) : NULL, .text = (v)})
#define KV_INT(k, v) ((struct log_field){.key = (k), .number = (v)})

/* Writes whole lines to `fd` (-1: keeps nothing). Time stamps come from sched's wall clock. */
struct log *log_new(int fd, enum log_level level, enum log_format format, struct sched *sched);
/* A logger that puts these fields on each of its lines; the parent must outlive it. */
struct log *log_with(const struct log *parent, const struct log_field *fields, size_t count);
void log_free(struct log *log);
bool log_enabled(const struct log *log, enum log_level level); /* log NULL: false */
void log_write(const struct log *log, enum log_level level, const char *message,
               const struct log_field *fields, size_t count);

#define LOG_AT(log, level, message, ...)                                                                     \
    do {                                                                                                     \
        if (log_enabled((log), (level))) {                                                                   \
            const struct log_field log_fields_[] = {__VA_ARGS__};                                            \
            log_write((log), (level), (message), log_fields_, sizeof(log_fields_) / sizeof(log_fields_[0])); \
        }                                                                                                    \
    } while (0)
/* LOG_INFO(log, "copy started", KV("database", name), KV_INT("attempt", 1)); at least one field. */
#define LOG_DEBUG(log, message, ...) LOG_AT(log, LOG_LEVEL_DEBUG, message, __VA_ARGS__)
#define LOG_INFO(log, message, ...) LOG_AT(log, LOG_LEVEL_INFO, message, __VA_ARGS__)
#define LOG_WARN(log, message, ...) LOG_AT(log, LOG_LEVEL_WARN, message, __VA_ARGS__)
#define LOG_ERROR(log, message, ...) LOG_AT(log, LOG_LEVEL_ERROR, message, __VA_ARGS__)

static inline void auto_log(struct log **log)
{
    log_free(*log);
}
#define AUTO_LOG __attribute__((cleanup(auto_log)))

#endif
