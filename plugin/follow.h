/* Follows refreshes as they change: a picture that is drawn again in place on a terminal, a line per
 * transition elsewhere. */
#ifndef PLUGIN_FOLLOW_H
#define PLUGIN_FOLLOW_H

#include "plugin/session.h"

struct follow_opts {
    const char *namespace; /* NULL: all */
    const char *name;      /* NULL: all, as a table */
    bool is_quiet;         /* nothing is shown until the end */
    int64_t timeout_ms;    /* 0: none */
    /* After every change of the one refresh; true: that is enough. NULL: for ever. */
    bool (*is_enough)(void *arg, const struct json *object);
    void *arg;
};

/* Until it is enough. ERR_NOT_FOUND: the one refresh is gone; ERR_RETRY: the time is over. */
struct err *follow(struct session *session, const struct follow_opts *opts) MUST_USE;

#endif
