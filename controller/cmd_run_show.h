/* What `run` prints on stdout: a picture that is redrawn in place, a line per transition, or a JSON line per
 * change. For one thread. */
#ifndef CONTROLLER_CMD_RUN_SHOW_H
#define CONTROLLER_CMD_RUN_SHOW_H

#include "pkg/base/sched.h"
#include "pkg/refresh/progress.h"

enum show_mode { SHOW_JSON, SHOW_LINES, SHOW_LIVE };

struct show_opts {
    enum show_mode mode;
    const char *title;   /* borrowed */
    struct sched *sched; /* borrowed; at the real pace */
    bool color;
};

struct show;

struct show *show_new(const struct show_opts *opts);
void show_free(struct show *show);
/* The object as it is now: prints what has changed. A picture is drawn by show_draw(). */
void show_update(struct show *show, const struct json *object);
/* LIVE: draws when it is time to, at most five times a second. Gives the moment (sched_now_ms) to be called
 * again. */
int64_t show_draw(struct show *show);
/* A sentence for people; in JSON {"time", "message"}. */
void show_note(struct show *show, const char *text);
/* LIVE: a question below the picture, which stands still until the next draw; the cursor stays behind it. */
void show_ask(struct show *show, const char *question);
/* The end: the last picture and the result. */
void show_result(struct show *show, const struct json *object);

#endif
