/* The same bytes in one piece and in pieces of every size that the first byte asks for: the same events, and
 * the same end. What comes out is an object; it goes into a store without harm. */
#include "pkg/kube/frames.h"
#include "pkg/kube/store.h"
#include "tests/fuzz/fuzz.h"

#define LINE_MAX_BYTES 4096

/* Everything that comes out, as text; false when the stream was refused. */
static bool drain(struct kube_frames *frames, struct kube_store *store, struct buf *seen)
{
    for (;;) {
        CLEANUP(kube_watch_event_done) struct kube_watch_event event = {0};
        AUTO_KUBE_OBJECT const struct kube_object *object = NULL;
        bool found = false;
        struct err *err = kube_frames_next(frames, &event, &found);

        if (err) {
            FUZZ_EXPECT(err_kind(err) == ERR_INVALID);
            err_free(err);
            return false;
        }
        if (!found)
            return true;
        FUZZ_EXPECT(json_is(event.object, JSON_OBJECT));
        buf_addf(seen, "%d", (int)event.type);
        json_print(event.object, seen);
        err = kube_object_new(json_copy(event.object), &object);
        if (object)
            kube_store_apply(store, object, event.type == KUBE_EVENT_DELETED);
        err_free(err);
    }
}

static bool run(const uint8_t *data, size_t size, size_t piece, struct buf *seen)
{
    CLEANUP(kube_frames_done) struct kube_frames frames = KUBE_FRAMES(LINE_MAX_BYTES);
    struct kube_store *store = kube_store_new();
    bool accepted = true;

    for (size_t at = 0; at < size && accepted; at += piece) {
        buf_add(&frames.pending, data + at, size - at < piece ? size - at : piece);
        accepted = drain(&frames, store, seen);
    }
    kube_store_free(store);
    return accepted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF struct buf whole = BUF_MAX(MIB), pieces = BUF_MAX(MIB);

    if (size < 2 || size > LINE_MAX_BYTES)
        return 0;
    FUZZ_EXPECT(run(data + 1, size - 1, size, &whole) == run(data + 1, size - 1, data[0] % 64 + 1u, &pieces));
    FUZZ_EXPECT(str_equal(buf_str(&whole), buf_str(&pieces)));
    return 0;
}
