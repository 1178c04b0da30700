/* When each running step wants to be looked at next: kept in memory only, so that one object's pass for a
 * fast database does not also poll its slow one, and waiting costs no status write. Forgotten in a crash,
 * which costs one early look; so are the oldest of an object with more than 2000. Thread-safe. */
#ifndef CONTROLLER_LOOKS_H
#define CONTROLLER_LOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct looks;

struct looks *looks_new(void);
void looks_free(struct looks *looks);
/* On the scheduler's monotonic clock; 0 when nothing is known. */
int64_t looks_due_ms(struct looks *looks, const char *uid, const char *row);
/* A look has ended; news that came during it makes the row due earlier. */
void looks_set(struct looks *looks, const char *uid, const char *row, int64_t due_ms);
/* Called when a look begins: for how long this process has been looking at the row without a gap. 0 at the
 * first look, and at one that comes minutes after it was due: nobody was looking then, whatever the reason.
 */
int64_t looks_watched_ms(struct looks *looks, const char *uid, const char *row, int64_t now_ms);

/* What news would concern a row: so that it can be found by it. Copied. */
struct look_interest {
    const char *namespace, *name; /* of the object */
    const char *accounts[2];      /* account ids; NULL: none */
    const char *subjects[2];      /* ids; the first is the job's; NULL: none */
    const char *cluster;          /* whose instances it waits for, too; NULL: none */
};
void looks_expect(struct looks *looks, const char *uid, const char *row,
                  const struct look_interest *interest);

/* A hint that something has happened to `subject` in an account. */
struct look_news {
    const char *account;
    const char *subject;
    bool is_instance;  /* of a cluster, whose name its own begins with */
    bool is_under_way; /* it goes on as expected: there is nothing to look at */
};
/* An object with rows that are due in `after_ms`, because of the news. Owned. */
struct look_heard {
    char *namespace, *name;
    int64_t after_ms;
};
struct looks_heard {
    struct look_heard *items;
    size_t count;
};
void looks_heard_done(struct looks_heard *heard);
#define AUTO_LOOKS_HEARD CLEANUP(looks_heard_done)
/* Rows that wait for the subject, unless it is under way, become due: at once, or, when a row has heard of
 * this subject several times within seconds, a little later, so that a flood of hints is no flood of looks.
 */
void looks_hear(struct looks *looks, const struct look_news *news, int64_t now_ms, struct looks_heard *ret);
/* How long ago the row's last news was; NEVER_MS: there was none. */
int64_t looks_heard_ms(struct looks *looks, const char *uid, const char *row, int64_t now_ms);
/* News of what the row waits for does come: there was some of its being under way. */
bool looks_is_told(struct looks *looks, const char *uid, const char *row);

/* The run has ended, or the object is gone. */
void looks_forget(struct looks *looks, const char *uid);

#endif
