/* One look at one leftover, and at most one change: a job is watched until it has ended, and what it has made
 * is removed by the rules of controller/removal.h. Nothing is started. */
#ifndef CONTROLLER_LEFTOVER_LOOK_H
#define CONTROLLER_LEFTOVER_LOOK_H

#include "controller/engine.h"
#include "controller/leftovers.h"

enum leftover_state {
    LEFTOVER_GONE,  /* nothing of it is there any more, or nothing of it is ours */
    LEFTOVER_GOING, /* its removal is under way */
    LEFTOVER_WAITS, /* for a job that cannot be stopped, for whoever uses it, or for a person */
};

struct leftover_look {
    enum leftover_state state;
    bool is_used;     /* WAITS: somebody uses it, or a run of its series is under way that may have to */
    int64_t after_ms; /* when to look again */
    char *message;    /* a sentence */
};
void leftover_look_done(struct leftover_look *look);
#define AUTO_LEFTOVER_LOOK CLEANUP(leftover_look_done)

/* Who looks. Borrowed. */
struct leftover_watcher {
    struct engine *engine;
    const struct env *env;
    /* As of struct remover. */
    struct err *(*may_change)(const void *arg);
    const void *arg;
    bool stops_jobs;    /* those that AWS lets be stopped */
    const char *holder; /* by what name it takes a series, so that no run begins during the look */
};

/* May change *item: a job's id that was found, its product once it has ended. Errors: ERR_CONFLICT and
 * ERR_CANCELED end the pass; others are trouble of the moment. */
struct err *leftover_look_at(const struct leftover_watcher *by, struct leftover *item,
                             struct leftover_look *ret) MUST_USE;

/* A recovery point must not go while a job of `list` still reads it. */
bool leftover_is_read(const struct leftovers *list, const struct leftover *item);

#endif
