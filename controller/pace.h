/* How often something that takes long is looked at: slow far from its expected end, fast near it. */
#ifndef CONTROLLER_PACE_H
#define CONTROLLER_PACE_H

#include <stdint.h>

/* The fastest pace. */
#define PACE_MIN_MS SECONDS(15)

struct pace_signs {
    int64_t age_ms;      /* since it began */
    int64_t percent;     /* by its own figure; 0: none. May stick: it only steers the pace */
    int64_t expected_ms; /* how long it took the last time; 0: unknown */
};

/* One of a few paces, so that all who wait for an account's things look at the same list. Pure. */
int64_t pace_ms(const struct pace_signs *signs);

struct stage;

/* A row is about to begin: how long its step took in the last run of the series is kept with the intent. */
void pace_expect(const struct stage *stage);
/* The pace of a row of a run. */
int64_t stage_pace_ms(const struct stage *stage);
/* Up to a tenth more, so that what began together does not look together for ever. */
int64_t stage_jitter_ms(const struct stage *stage, int64_t after_ms);

struct refresh_status;
struct sched;

/* The run has succeeded: how long each of its steps took is kept with the newest entry of the history, and
 * only there. Scaled time. */
void pace_remember(struct refresh_status *status, struct sched *sched);
/* In milliseconds; 0: not known. `database` NULL: a step of the switchover. */
int64_t pace_remembered_ms(const struct refresh_status *status, const char *database, const char *step);

#endif
