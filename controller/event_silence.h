/* Which account's events do not come through a queue, though jobs of it end: as when a rule is missing.
 * Nobody but people need to know, as looking goes on by the clock. Not thread-safe; times are monotonic. */
#ifndef CONTROLLER_EVENT_SILENCE_H
#define CONTROLLER_EVENT_SILENCE_H

#include <stddef.h>
#include <stdint.h>

/* Zero is empty. */
struct event_silence {
    struct event_sender *senders; /* owned */
    size_t count;
};
void event_silence_done(struct event_silence *silence);

/* An event of the account has come, whatever of. */
void event_silence_heard(struct event_silence *silence, const char *account_id, int64_t now_ms);
/* A job of the account has ended that took so long. Short ones do not count: AWS Backup's events may be
 * minutes late. */
void event_silence_job_ended(struct event_silence *silence, const char *account_id, int64_t took_ms,
                             int64_t now_ms);
/* An account of which nothing came while several jobs ran and ended, nor for minutes after; borrowed until
 * the next call. NULL: there is none. */
const char *event_silence_of(const struct event_silence *silence, int64_t now_ms);

#endif
