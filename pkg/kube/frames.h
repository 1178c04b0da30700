/* Bytes of a watch cut into events: one JSON object per line, boundaries of chunks fall anywhere. */
#ifndef KUBE_FRAMES_H
#define KUBE_FRAMES_H

#include "pkg/base/buf.h"
#include "pkg/base/err.h"
#include "pkg/base/json.h"

enum kube_event_type {
    KUBE_EVENT_ADDED,
    KUBE_EVENT_MODIFIED,
    KUBE_EVENT_DELETED,
    KUBE_EVENT_BOOKMARK,
    KUBE_EVENT_ERROR
};

struct kube_watch_event {
    enum kube_event_type type;
    struct json *object;
};
void kube_watch_event_done(struct kube_watch_event *event);

/* Append what came to `pending`, then take events until there is none. One read may bring up to four times
 * the longest line. */
struct kube_frames {
    struct buf pending;
    size_t max_line_bytes;
    size_t used;    /* bytes of pending that were handed out */
    size_t scanned; /* bytes of pending known to hold no further line end */
};
#define KUBE_FRAMES(max_bytes) \
    ((struct kube_frames){.pending = BUF_MAX((max_bytes)*4), .max_line_bytes = (max_bytes)})
void kube_frames_done(struct kube_frames *frames);

/* *ret_found is false when the next line is not complete yet. ERR_INVALID: not an event, unknown type, longer
 * than the cap. */
struct err *kube_frames_next(struct kube_frames *frames, struct kube_watch_event *ret,
                             bool *ret_found) MUST_USE;
/* True when a line has begun and has not ended. */
bool kube_frames_is_partial(const struct kube_frames *frames);

#endif
