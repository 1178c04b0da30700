/* When each running step wants to be looked at next: kept in memory only, so that one object's pass for a
 * fast database does not also poll its slow one, and waiting costs no status write. Forgotten in a crash,
 * which costs one early look. Thread-safe. */
#ifndef CONTROLLER_LOOKS_H
#define CONTROLLER_LOOKS_H

#include <stdint.h>

struct looks;

struct looks *looks_new(void);
void looks_free(struct looks *looks);
/* On the scheduler's monotonic clock; 0 when nothing is known. */
int64_t looks_due_ms(struct looks *looks, const char *uid, const char *row);
void looks_set(struct looks *looks, const char *uid, const char *row, int64_t due_ms);
/* Called at each look: for how long this process has been looking at the row without a gap. 0 at the first
 * look, and at one that comes minutes after it was due: nobody was looking then, whatever the reason. */
int64_t looks_watched_ms(struct looks *looks, const char *uid, const char *row, int64_t now_ms);
/* The run has ended, or the object is gone. */
void looks_forget(struct looks *looks, const char *uid);

#endif
