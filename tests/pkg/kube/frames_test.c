#include "pkg/kube/frames.h"

#include "tests/testing/assertions.h"

static const char stream[] =
    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n"
    "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"\xC3\xA9\xF0\x9F\x90\x98\"}}}\r\n"
    "\n"
    "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"b\"}}}\n"
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"name\":\"c\"}}}\n"
    "{\"type\":\"ERROR\",\"object\":{\"metadata\":{\"name\":\"d\"}}}\n";
static const char wanted[] = "0 a\n1 \xC3\xA9\xF0\x9F\x90\x98\n2 b\n3 c\n4 d\n";

static void drain(struct kube_frames *frames, struct buf *seen)
{
    for (;;) {
        CLEANUP(kube_watch_event_done) struct kube_watch_event event = {0};
        bool found = false;

        assert_no_err(kube_frames_next(frames, &event, &found));
        if (!found)
            return;
        buf_addf(seen, "%d %s\n", (int)event.type, json_get_text(event.object, "metadata.name", "?"));
    }
}

/* Every way to cut the stream in two, and every size of equal pieces. */
static void boundaries_fall_anywhere(void **state)
{
    size_t len = sizeof(stream) - 1;

    (void)state;
    for (size_t piece = 1; piece <= len; piece++) {
        CLEANUP(kube_frames_done) struct kube_frames frames = KUBE_FRAMES(4096);
        AUTO_BUF struct buf seen = BUF_MAX(4096);

        for (size_t at = 0; at < len; at += piece) {
            buf_add(&frames.pending, stream + at, at + piece < len ? piece : len - at);
            drain(&frames, &seen);
        }
        assert_text_equal(buf_text(&seen), wanted);
        assert_false(kube_frames_is_partial(&frames));
    }
}

static void an_event_that_has_begun_is_partial(void **state)
{
    CLEANUP(kube_frames_done) struct kube_frames frames = KUBE_FRAMES(4096);
    AUTO_BUF struct buf seen = BUF_MAX(4096);

    (void)state;
    buf_adds(&frames.pending, stream);
    buf_adds(&frames.pending, "{\"type\":");
    drain(&frames, &seen);
    assert_text_equal(buf_text(&seen), wanted);
    assert_true(kube_frames_is_partial(&frames));
}

static const struct row {
    const char *name, *bytes, *want;
} rows[] = {
    {.name = "not JSON", .bytes = "hello\n", .want = "watch event"},
    {.name = "an HTML page", .bytes = "<html>\n", .want = "watch event"},
    {.name = "not an object", .bytes = "[1]\n", .want = "unknown type"},
    {.name = "unknown type", .bytes = "{\"type\":\"PING\",\"object\":{}}\n", .want = "\"PING\""},
    {.name = "no object", .bytes = "{\"type\":\"ADDED\"}\n", .want = "without an object"},
    {.name = "object is a text",
     .bytes = "{\"type\":\"ADDED\",\"object\":\"x\"}\n",
     .want = "without an object"},
    {.name = "a line too long that never ends",
     .bytes = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"aaaaaaaaaaaaaaaaaa",
     .want = "longer than 48 bytes"},
    {.name = "a line too long",
     .bytes = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaa\"}}}\n",
     .want = "watch event"},
};

static void refuses(void **state)
{
    const struct row *row = *state;
    CLEANUP(kube_frames_done) struct kube_frames frames = KUBE_FRAMES(48);
    struct kube_watch_event event = {0};
    bool found = false;

    buf_adds(&frames.pending, row->bytes);
    assert_fails(kube_frames_next(&frames, &event, &found), ERR_INVALID, row->want);
}

static void gives_memory_back(void **state)
{
    CLEANUP(kube_frames_done) struct kube_frames frames = KUBE_FRAMES(4 * MIB);
    AUTO_BUF struct buf seen = BUF_MAX(4096);
    AUTO_FREE char *padding = xcalloc(1, MIB + 1);

    (void)state;
    memset(padding, ' ', MIB);
    buf_adds(&frames.pending, padding);
    buf_adds(&frames.pending, stream);
    drain(&frames, &seen);
    assert_text_equal(buf_text(&seen), wanted);
    assert_true(frames.pending.cap < MIB);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, boundaries_fall_anywhere);
    TEST(&tests, an_event_that_has_begun_is_partial);
    TEST_ROWS(&tests, refuses, rows);
    TEST(&tests, gives_memory_back);
    return tests_run(&tests, "pkg/kube/frames");
}
