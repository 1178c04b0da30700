/* Shared by the two schedulers. */
#ifndef BASE_SCHED_PRIV_H
#define BASE_SCHED_PRIV_H

#include <time.h>

#include "pkg/base/sched.h"

/* Milliseconds of a clock of the system. */
typedef int64_t read_clock_fn(clockid_t id);
/* sched_threads_new() by other clocks than the system's. */
struct sched *sched_threads_new_by(int64_t scale, read_clock_fn *read_clock);

struct sched_ops {
    struct spot *(*spot_new)(struct sched *self);
    void (*spot_free)(struct spot *spot);
    enum park_result (*park)(struct spot *spot, int64_t deadline_ms);
    void (*wake)(struct spot *spot);
    struct task *(*spawn)(struct sched *self, const char *name, void (*fn)(void *arg), void *arg);
    void (*join)(struct task *task);
    void (*yield_now)(struct sched *self);
    int64_t (*now_ms)(struct sched *self);
    int64_t (*wall_ms)(struct sched *self);
    int64_t (*elapsed_ms)(struct sched *self, int64_t since_wall_ms);
    int64_t (*real_ms)(struct sched *self, int64_t wait_ms);
    void (*free)(struct sched *self);
};

struct sched {
    const struct sched_ops *ops;
};

struct spot {
    struct sched *sched;
};

struct task {
    struct sched *sched;
};

#endif
