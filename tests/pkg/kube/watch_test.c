#include "pkg/kube/watch.h"

#include "tests/pkg/kube/kube_testing.h"

#define LIST_PATH "/base/apis/example.com/v1/widgets?limit=500"
#define WATCH_FROM(version)                                                                       \
    "/base/apis/example.com/v1/widgets?watch=1&allowWatchBookmarks=true&resourceVersion=" version \
    "&timeoutSeconds=*"
#define OBJECT(name, version)                                                  \
    "{\"metadata\":{\"namespace\":\"n\",\"name\":\"" name "\",\"uid\":\"" name \
    "\",\"resourceVersion\":\"" version "\"}}"
#define LIST_OF(version, items) "{\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[" items "]}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define BOOKMARK_AT(version) EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"" version "\"}}")
#define GONE \
    "{\"kind\":\"Status\",\"reason\":\"Expired\",\"code\":410,\"message\":\"too old resource version\"}"

#define STREAM_PATH                                                                             \
    "/base/apis/example.com/v1/widgets?watch=1&allowWatchBookmarks=true&sendInitialEvents=true" \
    "&resourceVersionMatch=NotOlderThan&timeoutSeconds=*"
#define LIST_ENDS_AT(version)                                         \
    EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"" version \
                      "\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}")
#define FORBIDDEN \
    "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"code\":422,\"message\":\"sendInitialEvents: Forbidden\"}"

/* The last row of a story: nothing more happens. */
#define QUIET(version)                                      \
    {                                                       \
        .path = WATCH_FROM(version), CHUNKS({.idle = true}) \
    }

#define ROWS_MAX 8

static const struct story {
    const char *name;
    struct exchange rows[ROWS_MAX];
    const char *want; /* what the store holds in the end */
    struct kube_watch_stats stats;
    int64_t for_ms; /* 0: 5 minutes */
} stories[] = {
    {.name = "list, then events",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5") "," OBJECT("b", "6"))},
              {.path = WATCH_FROM("10"),
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("c", "11"))},
                      {.bytes = EVENT("MODIFIED", OBJECT("a", "12")) EVENT("DELETED", OBJECT("b", "13"))},
                      {.idle = true})}},
     .want = "n/a@12 n/c@11",
     .stats = {.lists = 1, .watches = 1, .events = 3}},
    {.name = "the list is of many pages",
     .rows = {{.path = LIST_PATH,
               .reply = "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"t\"},\"items\":[" OBJECT(
                   "a", "5") "]}"},
              {.path = LIST_PATH "&continue=t", .reply = LIST_OF("10", OBJECT("b", "6"))},
              QUIET("10")},
     .want = "n/a@5 n/b@6",
     .stats = {.lists = 1, .watches = 1}},
    {.name = "a page expires on the way",
     .rows = {{.path = LIST_PATH,
               .reply = "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"t\"},\"items\":[" OBJECT(
                   "a", "5") "]}"},
              {.path = LIST_PATH "&continue=t", .status = 410, .reply = GONE},
              {.path = "/base/apis/example.com/v1/widgets", .reply = LIST_OF("20", OBJECT("b", "15"))},
              QUIET("20")},
     .want = "n/b@15",
     .stats = {.lists = 1, .watches = 1}},
    {.name = "goes on from the last event after the server's end",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", "")},
              {.path = WATCH_FROM("10"),
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "11")), .after_ms = 5000})},
              QUIET("11")},
     .want = "n/a@11",
     .stats = {.lists = 1, .watches = 2, .events = 1}},
    {.name = "goes on from a bookmark",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", "")},
              {.path = WATCH_FROM("10"),
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "11")) BOOKMARK_AT("40"), .after_ms = 5000})},
              QUIET("40")},
     .want = "n/a@11",
     .stats = {.lists = 1, .watches = 2, .events = 1, .bookmarks = 1}},
    {.name = "goes on after the stream broke",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", "")},
              {.path = WATCH_FROM("10"),
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "11"))}, {.fail = "reset"})},
              QUIET("11")},
     .want = "n/a@11",
     .stats = {.lists = 1, .watches = 2, .events = 1, .failures = 1}},
    {.name = "half an event at the end is not an event",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", "")},
              {.path = WATCH_FROM("10"),
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "11")) "{\"type\":\"DELE"})},
              QUIET("11")},
     .want = "n/a@11",
     .stats = {.lists = 1, .watches = 2, .events = 1, .failures = 1}},
    {.name = "410 inside a 200 stream means a new list",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5") "," OBJECT("b", "6"))},
              {.path = WATCH_FROM("10"), CHUNKS({.bytes = EVENT("ERROR", GONE)})},
              {.path = LIST_PATH, .reply = LIST_OF("90", OBJECT("a", "80"))},
              QUIET("90")},
     .want = "n/a@80",
     .stats = {.lists = 2, .watches = 2, .failures = 1}},
    {.name = "410 as a status means a new list",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5"))},
              {.path = WATCH_FROM("10"), .status = 410, .reply = GONE},
              {.path = LIST_PATH, .reply = LIST_OF("90", OBJECT("b", "80"))},
              QUIET("90")},
     .want = "n/b@80",
     .stats = {.lists = 2, .watches = 2, .failures = 1}},
    {.name = "429 keeps the version",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5"))},
              {.path = WATCH_FROM("10"), .status = 429, .reply = ""},
              {.path = WATCH_FROM("10"), .fail = "connection refused"},
              QUIET("10")},
     .want = "n/a@5",
     .stats = {.lists = 1, .watches = 3, .failures = 2}},
    {.name = "a server that is away for long keeps the version",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5"))},
              {.path = WATCH_FROM("10"), .fail = "connection refused", .times = 4},
              {.path = WATCH_FROM("10"), .status = 429, .reply = "", .times = 4},
              QUIET("10")},
     .want = "n/a@5",
     .stats = {.lists = 1, .watches = 9, .failures = 8}},
    {.name = "streams that break again and again put the version in doubt",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5"))},
              {.path = WATCH_FROM("10"), CHUNKS({.fail = "reset"}), .times = 5},
              {.path = LIST_PATH, .reply = LIST_OF("12", OBJECT("a", "5"))},
              QUIET("12")},
     .want = "n/a@5",
     .stats = {.lists = 2, .watches = 6, .failures = 5}},
    {.name = "a server in trouble is not asked for everything",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5"))},
              {.path = WATCH_FROM("10"), .status = 503, .reply = "", .times = 3},
              {.path = WATCH_FROM("10"), .status = 504, .reply = "", .times = 3},
              {.path = WATCH_FROM("10"), .status = 500, .reply = "", .times = 2},
              QUIET("10")},
     .want = "n/a@5",
     .stats = {.lists = 1, .watches = 9, .failures = 8}},
    {.name = "500 again and again puts the version in doubt",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5"))},
              {.path = WATCH_FROM("10"), .status = 500, .reply = "", .times = 5},
              {.path = LIST_PATH, .reply = LIST_OF("12", OBJECT("a", "5"))},
              QUIET("12")},
     .want = "n/a@5",
     .stats = {.lists = 2, .watches = 6, .failures = 5}},
    {.name = "the list fails at first",
     .rows = {{.path = LIST_PATH, .fail = "connection refused"},
              {.path = LIST_PATH, .status = 403, .reply = ""},
              {.path = LIST_PATH, .reply = LIST_OF("12", OBJECT("a", "5"))},
              QUIET("12")},
     .want = "n/a@5",
     .stats = {.lists = 3, .watches = 1, .failures = 2}},
    {.name = "ended at once without an event is trouble",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", "")},
              {.path = WATCH_FROM("10"), .reply = ""},
              {.path = WATCH_FROM("10"), .reply = ""},
              QUIET("10")},
     .want = "",
     .stats = {.lists = 1, .watches = 3, .failures = 2}},
    {.name = "garbage in the stream",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", "")},
              {.path = WATCH_FROM("10"), CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "11")) "<html>\n"})},
              {.path = LIST_PATH, .reply = LIST_OF("12", OBJECT("a", "11"))},
              QUIET("12")},
     .want = "n/a@11",
     .stats = {.lists = 2, .watches = 2, .events = 1, .failures = 1}},
    {.name = "a list of a past state is not believed",
     .rows = {{.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5"))},
              {.path = WATCH_FROM("10"), CHUNKS({.bytes = EVENT("ERROR", GONE)})},
              {.path = LIST_PATH, .reply = LIST_OF("8", "")},
              {.path = LIST_PATH, .reply = LIST_OF("30", OBJECT("a", "5"))},
              QUIET("30")},
     .want = "n/a@5",
     .stats = {.lists = 3, .watches = 2, .failures = 2}},
};

/* The list as the first part of a watch. */
static const struct story streams[] = {
    {.name = "a streamed list, then events on the same stream",
     .rows = {{.path = STREAM_PATH,
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("b", "9")) EVENT("ADDED", OBJECT("a", "5"))},
                      {.bytes = LIST_ENDS_AT("10") EVENT("MODIFIED", OBJECT("a", "12"))}, {.idle = true})}},
     .want = "n/a@12 n/b@9",
     .stats = {.streamed = 1, .watches = 1, .events = 1}},
    {.name = "goes on from the end of the streamed list",
     .rows = {{.path = STREAM_PATH,
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "5"))}, {.bytes = LIST_ENDS_AT("10")},
                      {.fail = "reset"})},
              QUIET("10")},
     .want = "n/a@5",
     .stats = {.streamed = 1, .watches = 2, .failures = 1}},
    {.name = "refused: pages, for a while",
     .rows = {{.path = STREAM_PATH, .status = 422, .reply = FORBIDDEN},
              {.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5"))},
              {.path = WATCH_FROM("10"), CHUNKS({.bytes = EVENT("ERROR", GONE)})},
              {.path = LIST_PATH, .reply = LIST_OF("20", OBJECT("a", "15"))},
              QUIET("20")},
     .want = "n/a@15",
     .stats = {.lists = 2, .watches = 3, .failures = 1}},
    {.name = "later another stream is tried",
     .rows = {{.path = STREAM_PATH, CHUNKS({.idle = true})}, /* it was only overloaded */
              {.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5"))},
              {.path = WATCH_FROM("10"), CHUNKS({.after_ms = MINUTES(40), .bytes = EVENT("ERROR", GONE)})},
              {.path = STREAM_PATH,
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "15")) LIST_ENDS_AT("20")}, {.idle = true})}},
     .want = "n/a@15",
     .stats = {.lists = 1, .streamed = 1, .watches = 3, .failures = 1},
     .for_ms = MINUTES(50)},
    {.name = "an object goes away before the list has ended",
     .rows = {{.path = STREAM_PATH,
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "5")) EVENT("ADDED", OBJECT("b", "6"))},
                      {.bytes = EVENT("MODIFIED", OBJECT("a", "11")) EVENT("DELETED", OBJECT("a", "12"))},
                      {.bytes = EVENT("DELETED", OBJECT("c", "13")) LIST_ENDS_AT("14")}, {.idle = true})}},
     .want = "n/b@6",
     .stats = {.streamed = 1, .watches = 1}},
    {.name = "and comes back",
     .rows = {{.path = STREAM_PATH,
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "5")) EVENT("DELETED", OBJECT("a", "12"))
                           EVENT("ADDED", OBJECT("a", "13")) LIST_ENDS_AT("14")},
                      {.idle = true})}},
     .want = "n/a@13",
     .stats = {.streamed = 1, .watches = 1}},
    {.name = "taken no notice of: pages, for a while",
     .rows = {{.path = STREAM_PATH, CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "5"))}, {.idle = true})},
              {.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5"))},
              {.path = WATCH_FROM("10"), CHUNKS({.bytes = EVENT("ERROR", GONE)})},
              {.path = LIST_PATH, .reply = LIST_OF("20", OBJECT("a", "15"))},
              QUIET("20")},
     .want = "n/a@15",
     .stats = {.lists = 2, .watches = 3, .failures = 1}},
    {.name = "ends before the list does: pages",
     .rows = {{.path = STREAM_PATH, CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "5"))})},
              {.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("b", "5"))},
              QUIET("10")},
     .want = "n/b@5",
     .stats = {.lists = 1, .watches = 2}},
    {.name = "broken on the way: pages once, then a stream again",
     .rows = {{.path = STREAM_PATH, CHUNKS({.bytes = EVENT("ADDED", OBJECT("x", "5"))}, {.fail = "reset"})},
              {.path = LIST_PATH, .reply = LIST_OF("10", OBJECT("a", "5"))},
              {.path = WATCH_FROM("10"), CHUNKS({.bytes = EVENT("ERROR", GONE)})},
              {.path = STREAM_PATH,
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "15")) LIST_ENDS_AT("20")}, {.idle = true})}},
     .want = "n/a@15",
     .stats = {.lists = 1, .streamed = 1, .watches = 3, .failures = 2}},
    {.name = "an error inside the streamed list: pages once",
     .rows = {{.path = STREAM_PATH, CHUNKS({.bytes = EVENT("ADDED", OBJECT("x", "5")) EVENT("ERROR", GONE)})},
              {.path = LIST_PATH, .reply = LIST_OF("10", "")},
              QUIET("10")},
     .want = "",
     .stats = {.lists = 1, .watches = 2, .failures = 1}},
    {.name = "a server that is away or busy says nothing about streams",
     .rows = {{.path = STREAM_PATH, .fail = "connection refused"},
              {.path = STREAM_PATH, .status = 429, .reply = ""},
              {.path = STREAM_PATH, .status = 500, .reply = ""},
              {.path = STREAM_PATH, CHUNKS({.bytes = LIST_ENDS_AT("20")}, {.idle = true})}},
     .want = "",
     .stats = {.streamed = 1, .watches = 4, .failures = 3}},
    {.name = "410 inside a 200 stream means another streamed list, and what it lacks is gone",
     .rows = {{.path = STREAM_PATH,
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "5")) EVENT("ADDED", OBJECT("b", "6"))},
                      {.bytes = LIST_ENDS_AT("10") EVENT("ERROR", GONE)})},
              {.path = STREAM_PATH,
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("b", "16")) LIST_ENDS_AT("20")}, {.idle = true})}},
     .want = "n/b@16",
     .stats = {.streamed = 2, .watches = 2, .failures = 1}},
    {.name = "a plain bookmark does not end the list",
     .rows = {{.path = STREAM_PATH,
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "5")) BOOKMARK_AT("7")},
                      {.bytes = EVENT("ADDED", OBJECT("b", "6")) LIST_ENDS_AT("10")}, {.idle = true})}},
     .want = "n/a@5 n/b@6",
     .stats = {.streamed = 1, .watches = 1}},
    {.name = "a streamed list of a past state is not believed",
     .rows = {{.path = STREAM_PATH,
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "5")) LIST_ENDS_AT("10") EVENT("ERROR", GONE)})},
              {.path = STREAM_PATH, CHUNKS({.bytes = LIST_ENDS_AT("8")}, {.idle = true})},
              {.path = STREAM_PATH,
               CHUNKS({.bytes = EVENT("ADDED", OBJECT("a", "5")) LIST_ENDS_AT("30")}, {.idle = true})}},
     .want = "n/a@5",
     .stats = {.streamed = 2, .watches = 3, .failures = 2}},
};

static char *content(struct kube_store *store)
{
    AUTO_KUBE_OBJECTS struct kube_objects all = kube_store_list(store, NULL);
    AUTO_BUF struct buf text = BUF_MAX(4096);

    buf_adds(&text, "");
    for (size_t i = 0; i < all.count; i++)
        buf_addf(&text, "%s%s@%s", i ? " " : "", all.items[i]->key, all.items[i]->resource_version);
    return xstrdup(buf_text(&text));
}

static size_t count_rows(const struct exchange *rows)
{
    size_t count = 0;

    while (count < ROWS_MAX && rows[count].path)
        count++;
    return count;
}

/* Long enough for every pause, shorter than the patience with a quiet stream. */
static const struct kube_watch_opts patient = {.query = {.collection = {.resource = &widgets}},
                                               .idle_ms = HOURS(1),
                                               .min_timeout_ms = HOURS(1),
                                               .lists_in_pages = true};

static void play(const struct story *story, bool lists_in_pages)
{
    struct kube_watch_opts opts = patient;
    struct kube_test t;
    struct kube_store *store = kube_store_new();
    struct kube_watch *watch = NULL;
    struct kube_watch_stats stats;
    AUTO_FREE char *got = NULL, *trouble = NULL;

    opts.lists_in_pages = lists_in_pages;
    kube_test_init(&t, 11, story->rows, count_rows(story->rows), NULL);
    assert_no_err(kube_watch_start(t.client, &t.base.env, &opts, store, &watch));
    assert_true(sched_wait_until(t.base.env.sched, NULL, story->for_ms ? story->for_ms : MINUTES(5)));
    got = content(store);
    stats = kube_watch_stats(watch);
    trouble = kube_watch_trouble(watch);
    kube_watch_stop(watch);
    kube_test_done(&t);
    assert_text_equal(got, story->want);
    assert_text_equal(trouble, NULL);
    assert_true(kube_store_has_synced(store));
    assert_number(stats.lists, story->stats.lists);
    assert_number(stats.streamed, story->stats.streamed);
    assert_number(stats.watches, story->stats.watches);
    assert_number(stats.events, story->stats.events);
    assert_number(stats.bookmarks, story->stats.bookmarks);
    assert_number(stats.failures, story->stats.failures);
    kube_store_free(store);
}

static void keeps_the_store_equal(void **state)
{
    play(*state, /* lists_in_pages= */ true);
}

static void lists_by_a_stream(void **state)
{
    play(*state, /* lists_in_pages= */ false);
}

/* --- a server whose history went back, as when etcd is restored --- */

#define KNOWS_90_OF_100                                                    \
    {.path = LIST_PATH, .reply = LIST_OF("100", OBJECT("a", "90"))},       \
    {                                                                      \
        .path = WATCH_FROM("100"), CHUNKS({.bytes = EVENT("ERROR", GONE)}) \
    }

static const struct history {
    const char *name;
    struct exchange rows[ROWS_MAX];
    int64_t after_ms;
    bool is_ahead;
} histories[] = {
    {.name = "every list is of a past state",
     .rows = {KNOWS_90_OF_100, {.path = LIST_PATH, .reply = LIST_OF("50", OBJECT("a", "40")), .times = -1}},
     .after_ms = MINUTES(5),
     .is_ahead = true},
    {.name = "not for long yet",
     .rows = {KNOWS_90_OF_100, {.path = LIST_PATH, .reply = LIST_OF("50", OBJECT("a", "40")), .times = -1}},
     .after_ms = MINUTES(2)},
    {.name = "its versions have come further meanwhile, but not those of the objects",
     .rows = {KNOWS_90_OF_100, {.path = LIST_PATH, .reply = LIST_OF("120", OBJECT("a", "40")), .times = -1}},
     .after_ms = MINUTES(5),
     .is_ahead = true},
    {.name = "away meanwhile",
     .rows = {KNOWS_90_OF_100,
              {.path = LIST_PATH, .reply = LIST_OF("50", ""), .times = 3},
              {.path = LIST_PATH, .fail = "connection refused", .times = 20},
              {.path = LIST_PATH, .reply = LIST_OF("50", ""), .times = -1}},
     .after_ms = MINUTES(15),
     .is_ahead = true},
    {.name = "no more than two lists",
     .rows = {KNOWS_90_OF_100,
              {.path = LIST_PATH, .reply = LIST_OF("50", ""), .times = 2},
              {.path = LIST_PATH, .fail = "connection refused", .times = -1}},
     .after_ms = MINUTES(15)},
    {.name = "another list in between",
     .rows = {KNOWS_90_OF_100,
              {.path = LIST_PATH, .reply = LIST_OF("50", ""), .times = 5},
              {.path = LIST_PATH, .reply = LIST_OF("101", "")},
              {.path = WATCH_FROM("101"), CHUNKS({.after_ms = MINUTES(10), .bytes = EVENT("ERROR", GONE)})},
              {.path = LIST_PATH, .reply = LIST_OF("50", ""), .times = -1}},
     .after_ms = MINUTES(11)},
};

static void sees_that_history_went_back(void **state)
{
    const struct history *row = *state;
    struct kube_test t;
    struct kube_store *store = kube_store_new();
    struct kube_watch *watch = NULL;
    bool is_ahead;

    kube_test_init(&t, 11, row->rows, count_rows(row->rows), NULL);
    assert_no_err(kube_watch_start(t.client, &t.base.env, &patient, store, &watch));
    assert_true(sched_wait_until(t.base.env.sched, NULL, row->after_ms));
    is_ahead = kube_watch_is_ahead(watch);
    kube_watch_stop(watch);
    kube_test_done(&t);
    kube_store_free(store);
    assert_int_equal(is_ahead, row->is_ahead);
}

/* The same stream in pieces of one byte. */
static void byte_by_byte(void **state)
{
    static const char bytes[] = EVENT("ADDED", OBJECT("\xC3\xA9", "11"))
        EVENT("MODIFIED", OBJECT("\xC3\xA9", "12")) BOOKMARK_AT("30");
    struct chunk chunks[sizeof(bytes)];
    char texts[sizeof(bytes)][2] = {0};
    struct exchange rows[] = {{.path = LIST_PATH, .reply = LIST_OF("10", "")},
                              {.path = WATCH_FROM("10"), .chunks = chunks, .chunk_count = sizeof(bytes) - 1},
                              QUIET("30")};
    struct kube_test t;
    struct kube_store *store = kube_store_new();
    struct kube_watch *watch = NULL;
    AUTO_FREE char *got = NULL;

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(bytes); i++) {
        texts[i][0] = bytes[i];
        chunks[i] = (struct chunk){.bytes = texts[i], .after_ms = 10};
    }
    kube_test_init(&t, 1, rows, COUNT_OF(rows), NULL);
    assert_no_err(kube_watch_start(t.client, &t.base.env, &patient, store, &watch));
    assert_true(sched_wait_until(t.base.env.sched, NULL, MINUTES(5)));
    got = content(store);
    kube_watch_stop(watch);
    kube_test_done(&t);
    assert_text_equal(got, "n/\xC3\xA9@12");
    kube_store_free(store);
}

/* Seconds from the first list on at which each request was made. */
static void pauses_grow_to_half_a_minute(void **state)
{
    const struct exchange rows[] = {{.path = LIST_PATH, .fail = "connection refused", .times = 12},
                                    {.path = LIST_PATH, .reply = LIST_OF("10", "")},
                                    QUIET("10")};
    struct kube_test t;
    struct kube_store *store = kube_store_new();
    struct kube_watch *watch = NULL;
    AUTO_FREE char *trouble = NULL;

    (void)state;
    kube_test_init(&t, 5, rows, COUNT_OF(rows), NULL);
    assert_no_err(kube_watch_start(t.client, &t.base.env, &patient, store, &watch));
    assert_true(sched_wait_until(t.base.env.sched, NULL, MINUTES(1)));
    trouble = kube_watch_trouble(watch);
    assert_text_contains(trouble, "connection refused");
    assert_false(kube_store_has_synced(store));
    assert_true(sched_wait_until(t.base.env.sched, NULL, MINUTES(10)));
    assert_true(kube_store_has_synced(store));
    for (size_t i = 1; i <= 12; i++) {
        int64_t pause = script_sent(t.base.script, i)->at_ms - script_sent(t.base.script, i - 1)->at_ms;
        int64_t most = i > 5 ? SECONDS(30) : 1600 * (INT64_C(1) << (i - 1));

        assert_in_range(pause, most / 2, most);
    }
    kube_watch_stop(watch);
    kube_test_done(&t);
    kube_store_free(store);
}

static void a_silent_stream_is_dropped(void **state)
{
    const struct exchange rows[] = {
        {.path = LIST_PATH, .reply = LIST_OF("10", "")},
        {.path = WATCH_FROM("10"), CHUNKS({.bytes = BOOKMARK_AT("20"), .after_ms = 170000}, {.idle = true})},
        QUIET("20"),
    };
    const struct kube_watch_opts opts = {.query = {.collection = {.resource = &widgets}},
                                         .lists_in_pages = true};
    struct kube_test t;
    struct kube_store *store = kube_store_new();
    struct kube_watch *watch = NULL;

    (void)state;
    kube_test_init(&t, 5, rows, COUNT_OF(rows), NULL);
    assert_no_err(kube_watch_start(t.client, &t.base.env, &opts, store, &watch));
    assert_true(sched_wait_until(t.base.env.sched, NULL, SECONDS(170 + 180 + 2)));
    kube_watch_stop(watch);
    assert_number(script_sent_count(t.base.script), 3);
    assert_in_range(script_sent(t.base.script, 2)->at_ms, SECONDS(350), SECONDS(352));
    kube_test_done(&t);
    kube_store_free(store);
}

/* Seconds from the start at which one looks, and at which the watch had then last gone round. */
static void says_when_it_last_went_round(void **state)
{
    static const int64_t looks[][2] = {{10, 0}, {50, 20}, {150, 120}, {290, 120}, {310, 300}};
    const struct exchange rows[] = {
        {.path = LIST_PATH, .reply = LIST_OF("10", ""), .delay_ms = 20000},
        {.path = WATCH_FROM("10"), CHUNKS({.bytes = BOOKMARK_AT("20"), .after_ms = 100000}, {.idle = true})},
        QUIET("20"),
    };
    const struct kube_watch_opts opts = {.query = {.collection = {.resource = &widgets}},
                                         .lists_in_pages = true};
    struct kube_test t;
    struct kube_store *store = kube_store_new();
    struct kube_watch *watch = NULL;

    (void)state;
    kube_test_init(&t, 5, rows, COUNT_OF(rows), NULL);
    assert_no_err(kube_watch_start(t.client, &t.base.env, &opts, store, &watch));
    for (size_t i = 0; i < COUNT_OF(looks); i++) {
        assert_true(sched_wait_until(t.base.env.sched, NULL, SECONDS(looks[i][0])));
        assert_in_range(kube_watch_stats(watch).turned_ms, SECONDS(looks[i][1]), SECONDS(looks[i][1] + 2));
    }
    kube_watch_stop(watch);
    kube_test_done(&t);
    kube_store_free(store);
}

static void asks_for_five_to_ten_minutes(void **state)
{
    const struct exchange rows[] = {
        {.path = LIST_PATH, .reply = LIST_OF("10", "")},
        {.path = WATCH_FROM("10"), .times = -1, CHUNKS({.bytes = BOOKMARK_AT("10"), .after_ms = 2000})}};
    const struct kube_watch_opts opts = {.query = {.collection = {.resource = &widgets}},
                                         .lists_in_pages = true};
    struct kube_test t;
    struct kube_store *store = kube_store_new();
    struct kube_watch *watch = NULL;
    int64_t least = INT64_MAX, most = 0;

    (void)state;
    kube_test_init(&t, 5, rows, COUNT_OF(rows), NULL);
    assert_no_err(kube_watch_start(t.client, &t.base.env, &opts, store, &watch));
    assert_true(sched_wait_until(t.base.env.sched, NULL, MINUTES(3)));
    kube_watch_stop(watch);
    for (size_t i = 1; i < script_sent_count(t.base.script); i++) {
        const char *at = strstr(script_sent(t.base.script, i)->url, "timeoutSeconds=");
        int64_t seconds = 0;

        assert_non_null(at);
        assert_true(str_to_int(str_of(at + strlen("timeoutSeconds=")), &seconds));
        least = seconds < least ? seconds : least;
        most = seconds > most ? seconds : most;
    }
    assert_in_range(least, 300, 400);
    assert_in_range(most, 500, 600);
    kube_test_done(&t);
    kube_store_free(store);
}

static const struct stop_row {
    const char *name;
    bool by_env;
    int64_t at_ms;
} stop_rows[] = {
    {.name = "stopped while the list is under way", .at_ms = 500},
    {.name = "stopped while it pauses", .at_ms = 1500},
    {.name = "stopped while the stream is quiet", .at_ms = 100000},
    {.name = "stopped by the environment", .by_env = true, .at_ms = 100000},
};

static void stops_at_once(void **state)
{
    const struct exchange rows[] = {
        {.path = LIST_PATH, .fail = "refused", .delay_ms = 1000, .times = -1},
        {.path = LIST_PATH, .reply = LIST_OF("10", ""), .times = -1},
        {.path = WATCH_FROM("10"), CHUNKS({.idle = true}), .times = -1},
    };
    const struct stop_row *row = *state;
    struct kube_test t;
    struct kube_store *store = kube_store_new();
    struct kube_watch *watch = NULL;

    kube_test_init(&t, 5, row->at_ms < 100000 ? rows : rows + 1, row->at_ms < 100000 ? 1 : 2, NULL);
    assert_no_err(kube_watch_start(t.client, &t.base.env, &patient, store, &watch));
    assert_true(sched_wait_until(t.base.env.sched, NULL, row->at_ms));
    if (row->by_env)
        stop_request(t.base.env.stop);
    kube_watch_stop(watch);
    assert_in_range(sched_now_ms(t.base.env.sched), row->at_ms, row->at_ms + 1000);
    kube_test_done(&t);
    kube_store_free(store);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, keeps_the_store_equal, stories);
    TEST_ROWS(&tests, lists_by_a_stream, streams);
    TEST_ROWS(&tests, sees_that_history_went_back, histories);
    TEST(&tests, byte_by_byte);
    TEST(&tests, pauses_grow_to_half_a_minute);
    TEST(&tests, a_silent_stream_is_dropped);
    TEST(&tests, says_when_it_last_went_round);
    TEST(&tests, asks_for_five_to_ten_minutes);
    TEST_ROWS(&tests, stops_at_once, stop_rows);
    return tests_run(&tests, "pkg/kube/watch");
}
