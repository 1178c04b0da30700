#include "pkg/kube/frames.h"

/* A buffer that grew larger than this is given back once it is empty. */
#define KEEP_BYTES (256 * KIB)

void kube_watch_event_done(struct kube_watch_event *event)
{
    json_free(event->object);
    event->object = NULL;
}

void kube_frames_done(struct kube_frames *frames)
{
    buf_done(&frames->pending);
}

static bool type_of(const char *text, enum kube_event_type *ret)
{
    static const char *const names[] = {
        [KUBE_EVENT_ADDED] = "ADDED",     [KUBE_EVENT_MODIFIED] = "MODIFIED",
        [KUBE_EVENT_DELETED] = "DELETED", [KUBE_EVENT_BOOKMARK] = "BOOKMARK",
        [KUBE_EVENT_ERROR] = "ERROR",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (text_equal(names[i], text)) {
            *ret = (enum kube_event_type)i;
            return true;
        }
    }
    return false;
}

static struct err *decode(const struct kube_frames *frames, struct str line, struct kube_watch_event *ret)
{
    const struct json_limits limits = {.max_bytes = frames->max_line_bytes};
    AUTO_JSON struct json *event = NULL;
    const char *type;
    enum kube_event_type known;

    TRY(err_wrap(json_parse(line, &limits, &event), "watch event"));
    type = json_get_text(event, "type", "");
    if (!type_of(type, &known))
        return err_new(ERR_INVALID, "watch event of unknown type \"%.32s\"", type);
    if (!json_is(json_member(event, "object"), JSON_OBJECT))
        return err_new(ERR_INVALID, "watch event without an object");
    ret->type = known;
    ret->object = json_take(event, "object"); /* the bulk of it: a copy would cost what parsing did */
    return NULL;
}

/* Everything was handed out: start at the front again. */
static void compact(struct kube_frames *frames)
{
    size_t max = frames->pending.max;

    buf_drop(&frames->pending, frames->used);
    frames->scanned -= frames->used;
    frames->used = 0;
    if (frames->pending.len == 0 && frames->pending.cap > KEEP_BYTES) {
        buf_done(&frames->pending);
        frames->pending = BUF_MAX(max);
    }
}

/* The next line without its end, white lines skipped. False: not there yet. */
static bool next_line(struct kube_frames *frames, struct str *ret_line)
{
    const char *text = buf_text(&frames->pending);

    while (frames->scanned < frames->pending.len) {
        const char *end = memchr(text + frames->scanned, '\n', frames->pending.len - frames->scanned);
        struct str line;

        if (!end) {
            frames->scanned = frames->pending.len;
            return false;
        }
        line = str_trim((struct str){.ptr = text + frames->used, .len = (size_t)(end - text) - frames->used});
        frames->used = frames->scanned = (size_t)(end - text) + 1;
        if (line.len) {
            *ret_line = line;
            return true;
        }
    }
    return false;
}

struct err *kube_frames_next(struct kube_frames *frames, struct kube_watch_event *ret, bool *ret_found)
{
    struct str line;

    if (frames->pending.overflow)
        return err_new(ERR_INVALID, "watch: more than %zu bytes at once", frames->pending.max);
    if (next_line(frames, &line)) {
        TRY(decode(frames, line, ret));
        *ret_found = true;
        return NULL;
    }
    compact(frames);
    if (frames->pending.len > frames->max_line_bytes)
        return err_new(ERR_INVALID, "watch: an event is longer than %zu bytes", frames->max_line_bytes);
    *ret_found = false;
    return NULL;
}

bool kube_frames_is_partial(const struct kube_frames *frames)
{
    return frames->pending.len > frames->used;
}
