#include "pkg/kube/store.h"

#include "tests/testing/assertions.h"

/* --- versions --- */

static const struct compare_row {
    const char *name, *a, *b;
    enum kube_order want;
} compare_rows[] = {
    {.name = "same", .a = "12", .b = "12", .want = KUBE_SAME},
    {.name = "shorter is older", .a = "9", .b = "10", .want = KUBE_OLDER},
    {.name = "longer is newer", .a = "100", .b = "99", .want = KUBE_NEWER},
    {.name = "bytes decide", .a = "123", .b = "124", .want = KUBE_OLDER},
    {.name = "beyond 64 bits",
     .a = "99999999999999999999999",
     .b = "99999999999999999999998",
     .want = KUBE_NEWER},
    {.name = "zero is no version", .a = "0", .b = "1", .want = KUBE_UNKNOWN},
    {.name = "empty is no version", .a = "", .b = "1", .want = KUBE_UNKNOWN},
    {.name = "missing is no version", .a = NULL, .b = "1", .want = KUBE_UNKNOWN},
    {.name = "leading zero", .a = "012", .b = "13", .want = KUBE_UNKNOWN},
    {.name = "not a number", .a = "12a", .b = "13", .want = KUBE_UNKNOWN},
    {.name = "sign", .a = "-1", .b = "13", .want = KUBE_UNKNOWN},
};

static void compares_versions(void **state)
{
    const struct compare_row *row = *state;

    assert_number(kube_version_compare(row->a, row->b), row->want);
}

/* --- time travel: a story of what arrives, and what is known at its end --- */

enum source { LIST, EVENT, GONE, LEARN, BOOKMARK };

struct step {
    enum source source;
    const char *uid, *version;        /* of object "x"; a list with uid NULL is empty */
    const char *list_version, *again; /* of the list; `again`: a version of it that comes later in there */
    const char *refused;              /* the list must be, with this code */
};

#define CAME(from, of, at)                       \
    {                                            \
        .source = from, .uid = of, .version = at \
    }
#define MARKED(at)                        \
    {                                     \
        .source = BOOKMARK, .version = at \
    }
#define LISTED(of, at, list_at)                                           \
    {                                                                     \
        .source = LIST, .uid = of, .version = at, .list_version = list_at \
    }
#define LISTED_EMPTY(list_at)                   \
    {                                           \
        .source = LIST, .list_version = list_at \
    }
#define LISTED_PAST(list_at)                                             \
    {                                                                    \
        .source = LIST, .list_version = list_at, .refused = "TimeTravel" \
    }
#define LISTED_GONE_BACK(of, at, list_at)                                                               \
    {                                                                                                   \
        .source = LIST, .uid = of, .version = at, .list_version = list_at, .refused = "HistoryWentBack" \
    }
#define LISTED_TWICE(of, at, then_at, list_at)                                              \
    {                                                                                       \
        .source = LIST, .uid = of, .version = at, .again = then_at, .list_version = list_at \
    }

static const struct story {
    const char *name;
    struct step steps[6];
    const char *want; /* "uid@version", or "" when it must not be there */
} stories[] = {
    {.name = "event after list", .steps = {LISTED("u", "5", "10"), CAME(EVENT, "u", "11")}, .want = "u@11"},
    {.name = "older event is dropped",
     .steps = {LISTED("u", "9", "10"), CAME(EVENT, "u", "8")},
     .want = "u@9"},
    {.name = "own write is known at once",
     .steps = {LISTED("u", "5", "10"), CAME(LEARN, "u", "12")},
     .want = "u@12"},
    {.name = "event older than own write",
     .steps = {LISTED("u", "5", "10"), CAME(LEARN, "u", "12"), CAME(EVENT, "u", "11")},
     .want = "u@12"},
    {.name = "event younger than own write",
     .steps = {LISTED("u", "5", "10"), CAME(LEARN, "u", "12"), CAME(EVENT, "u", "13")},
     .want = "u@13"},
    {.name = "answer that comes late",
     .steps = {LISTED("u", "5", "10"), CAME(EVENT, "u", "13"), CAME(LEARN, "u", "12")},
     .want = "u@13"},
    {.name = "deleted", .steps = {LISTED("u", "5", "10"), CAME(GONE, "u", "14")}, .want = ""},
    {.name = "answer after the deletion does not resurrect",
     .steps = {LISTED("u", "5", "10"), CAME(GONE, "u", "14"), CAME(LEARN, "u", "12")},
     .want = ""},
    {.name = "event after the deletion does not resurrect",
     .steps = {LISTED("u", "5", "10"), CAME(GONE, "u", "14"), CAME(EVENT, "u", "13")},
     .want = ""},
    {.name = "answer with the version of the deletion",
     .steps = {LISTED("u", "5", "10"), CAME(GONE, "u", "14"), CAME(LEARN, "u", "14")},
     .want = ""},
    {.name = "made anew under the same name",
     .steps = {LISTED("u", "5", "10"), CAME(GONE, "u", "14"), CAME(EVENT, "v", "15")},
     .want = "v@15"},
    {.name = "deletion of the one before",
     .steps = {LISTED("u", "5", "10"), CAME(LEARN, "v", "15"), CAME(GONE, "u", "14")},
     .want = "v@15"},
    {.name = "left the selection and came back",
     .steps = {LISTED("u", "5", "10"), CAME(GONE, "u", "14"), CAME(EVENT, "u", "16")},
     .want = "u@16"},
    {.name = "created by us, not listed yet",
     .steps = {LISTED_EMPTY("10"), CAME(LEARN, "u", "12")},
     .want = "u@12"},
    {.name = "created by us, gone before the answer came",
     .steps = {LISTED_EMPTY("10"), MARKED("20"), CAME(LEARN, "u", "12")},
     .want = ""},
    {.name = "new list without it", .steps = {LISTED("u", "5", "10"), LISTED_EMPTY("20")}, .want = ""},
    {.name = "new list older than own write",
     .steps = {LISTED("u", "5", "10"), CAME(LEARN, "u", "25"), LISTED("u", "15", "20")},
     .want = "u@25"},
    {.name = "new list made before our creation",
     .steps = {LISTED_EMPTY("10"), CAME(LEARN, "u", "25"), LISTED_EMPTY("20")},
     .want = "u@25"},
    {.name = "answer after a list without it",
     .steps = {LISTED("u", "5", "10"), LISTED_EMPTY("20"), CAME(LEARN, "u", "18")},
     .want = ""},
    {.name = "list of a past state is refused",
     .steps = {LISTED("u", "5", "10"), CAME(EVENT, "u", "30"), LISTED_PAST("20")},
     .want = "u@30"},
    {.name = "list that shows what was before a change that it is younger than",
     .steps = {LISTED("u", "5", "10"), CAME(EVENT, "u", "30"), LISTED_GONE_BACK("u", "8", "40")},
     .want = "u@30"},
    {.name = "list that shows what was before our own write, which it is younger than",
     .steps = {LISTED("u", "5", "10"), CAME(LEARN, "u", "30"), LISTED_GONE_BACK("u", "8", "30")},
     .want = "u@30"},
    {.name = "list that shows our own write after what was before it, as a stream does",
     .steps = {LISTED("u", "5", "10"), CAME(LEARN, "u", "30"), LISTED_TWICE("u", "8", "30", "40")},
     .want = "u@30"},
    {.name = "event from before a list that lacks it",
     .steps = {LISTED_EMPTY("20"), CAME(EVENT, "u", "12")},
     .want = ""},
    {.name = "event from before a bookmark",
     .steps = {LISTED_EMPTY("10"), MARKED("20"), CAME(EVENT, "u", "12")},
     .want = ""},
    {.name = "unknown spelling: the stream decides",
     .steps = {LISTED("u", "a", "b"), CAME(EVENT, "u", "c")},
     .want = "u@c"},
    {.name = "unknown spelling: own write is known",
     .steps = {LISTED("u", "a", "b"), CAME(LEARN, "u", "c")},
     .want = "u@c"},
    {.name = "unknown spelling: no resurrection by an answer",
     .steps = {LISTED("u", "a", "b"), CAME(GONE, "u", "c"), CAME(LEARN, "u", "d")},
     .want = ""},
    {.name = "learned before the first list",
     .steps = {CAME(LEARN, "u", "12"), LISTED("u", "5", "10")},
     .want = "u@12"},
};

static struct json *json_x(const char *uid, const char *version)
{
    AUTO_FREE char *text = xasprintf("{\"metadata\":{\"namespace\":\"n\",\"name\":\"x\",\"uid\":\"%s\","
                                     "\"resourceVersion\":\"%s\"}}",
                                     uid, version);
    struct json *object = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &object));
    return object;
}

static const struct kube_object *object_x(const char *uid, const char *version)
{
    const struct kube_object *object = NULL;

    assert_no_err(kube_object_new(json_x(uid, version), &object));
    return object;
}

static void play_list(struct kube_store *store, const struct step *step)
{
    struct kube_objects list = {0};
    struct err *err;

    if (step->uid) {
        list.items = xcalloc(2, sizeof(*list.items));
        list.items[list.count++] = object_x(step->uid, step->version);
        if (step->again)
            list.items[list.count++] = object_x(step->uid, step->again);
    }
    err = kube_store_replace(store, &list, step->list_version);
    if (!step->refused) {
        assert_no_err(err);
        return;
    }
    assert_true(err_is_code(err, step->refused));
    assert_fails(err, ERR_RETRY, "seen already");
}

static void play(struct kube_store *store, const struct step *step)
{
    AUTO_KUBE_OBJECT const struct kube_object *object = step->uid ? object_x(step->uid, step->version) : NULL;

    switch (step->source) {
    case LIST:
        play_list(store, step);
        break;
    case EVENT:
        kube_store_apply(store, object, /* deleted= */ false);
        break;
    case GONE:
        kube_store_apply(store, object, /* deleted= */ true);
        break;
    case LEARN:
        kube_store_learn(store, object->json);
        break;
    case BOOKMARK:
        kube_store_advance(store, step->version);
        break;
    }
}

static void never_goes_back_in_time(void **state)
{
    const struct story *story = *state;
    struct kube_store *store = kube_store_new();
    AUTO_KUBE_OBJECT const struct kube_object *known = NULL;
    AUTO_FREE char *got = NULL;

    for (size_t i = 0; i < COUNT_OF(story->steps); i++) {
        const struct step *step = &story->steps[i];

        if (step->uid || step->version || step->list_version)
            play(store, step);
    }
    known = kube_store_get(store, "n/x");
    got = known ? xasprintf("%s@%s", known->uid, known->resource_version) : xstrdup("");
    assert_text_equal(got, story->want);
    kube_store_free(store);
}

/* --- handlers --- */

static void record(void *arg, const char *key, enum kube_change change)
{
    static const char *const names[] = {
        [KUBE_INITIAL] = "initial", [KUBE_CHANGED] = "changed", [KUBE_DELETED] = "deleted"};

    buf_addf(arg, "%s %s\n", names[change], key);
}

static const struct {
    const char *name;
    struct step steps[6];
    const char *want;
} told_rows[] = {
    {.name = "first list, event, deletion",
     .steps = {LISTED("u", "5", "10"), CAME(EVENT, "u", "11"), CAME(GONE, "u", "12")},
     .want = "initial n/x\nchanged n/x\ndeleted n/x\n"},
    {.name = "same list again is no news",
     .steps = {LISTED("u", "5", "10"), LISTED("u", "5", "20")},
     .want = "initial n/x\n"},
    {.name = "new list with another version",
     .steps = {LISTED("u", "5", "10"), LISTED("u", "15", "20")},
     .want = "initial n/x\nchanged n/x\n"},
    {.name = "vanished from the list",
     .steps = {LISTED("u", "5", "10"), LISTED_EMPTY("20")},
     .want = "initial n/x\ndeleted n/x\n"},
    {.name = "own write alone is not told, its echo is",
     .steps = {LISTED("u", "5", "10"), CAME(LEARN, "u", "12"), CAME(EVENT, "u", "12")},
     .want = "initial n/x\nchanged n/x\n"},
    {.name = "somebody's change before our write is told",
     .steps = {LISTED("u", "5", "10"), CAME(LEARN, "u", "12"), CAME(EVENT, "u", "11")},
     .want = "initial n/x\nchanged n/x\n"},
    {.name = "own write whose echo a list replaces is told",
     .steps = {LISTED("u", "5", "10"), CAME(LEARN, "u", "12"), LISTED("u", "12", "20")},
     .want = "initial n/x\nchanged n/x\n"},
};

static void tells_handlers(void **state)
{
    const struct step *steps = *state;
    const char *want = NULL;
    struct kube_store *store = kube_store_new();
    AUTO_BUF struct buf told = BUF_MAX(4096);

    for (size_t i = 0; i < COUNT_OF(told_rows); i++) {
        if (told_rows[i].steps == steps)
            want = told_rows[i].want;
    }
    kube_store_on_change(store, record, &told);
    for (size_t i = 0; i < 6; i++) {
        if (steps[i].uid || steps[i].list_version)
            play(store, &steps[i]);
    }
    assert_text_equal(buf_text(&told), want);
    kube_store_free(store);
}

/* --- objects --- */

static void drops_what_nobody_reads(void **state)
{
    struct json *json = NULL;
    AUTO_KUBE_OBJECT const struct kube_object *object = NULL;

    (void)state;
    assert_no_err(
        json_parse(STR("{\"metadata\":{\"name\":\"x\",\"managedFields\":[{}],\"generation\":3,"
                       "\"deletionTimestamp\":\"2026-11-22T16:00:00Z\",\"annotations\":{"
                       "\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\",\"a\":\"b\"}}}"),
                   NULL, &json));
    assert_no_err(kube_object_new(json, &object));
    assert_json_equal(object->json,
                      "{\"metadata\":{\"name\":\"x\",\"generation\":3,"
                      "\"deletionTimestamp\":\"2026-11-22T16:00:00Z\",\"annotations\":{\"a\":\"b\"}}}");
    assert_text_equal(object->key, "x");
    assert_number(object->generation, 3);
    assert_true(object->deleting);
}

static void refuses_what_is_no_object(void **state)
{
    const struct kube_object *object = NULL;

    (void)state;
    assert_fails(kube_object_new(json_new_object(), &object), ERR_INVALID, "metadata.name");
}

static void a_reader_keeps_its_version(void **state)
{
    struct kube_store *store = kube_store_new();
    AUTO_KUBE_OBJECT const struct kube_object *first = object_x("u", "1"), *second = object_x("u", "2"),
                                              *held = NULL;

    (void)state;
    kube_store_apply(store, first, false);
    held = kube_store_get(store, "n/x");
    kube_store_apply(store, second, false);
    assert_text_equal(held->resource_version, "1");
    kube_store_free(store);
    assert_text_equal(json_get_text(held->json, "metadata.uid", ""), "u");
}

static void lists_by_namespace_sorted(void **state)
{
    static const char *const keys[][2] = {{"b", "2"}, {"a", "9"}, {"b", "1"}, {"a", "1"}};
    struct kube_store *store = kube_store_new();
    AUTO_BUF struct buf seen = BUF_MAX(1024);
    AUTO_KUBE_OBJECTS struct kube_objects all = {0}, some = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        AUTO_JSON struct json *json = json_x("u", "1");

        json_set_text(json_edit(json, "metadata"), "namespace", keys[i][0]);
        json_set_text(json_edit(json, "metadata"), "name", keys[i][1]);
        kube_store_learn(store, json);
    }
    all = kube_store_list(store, NULL);
    some = kube_store_list(store, "b");
    for (size_t i = 0; i < all.count; i++)
        buf_addf(&seen, "%s ", all.items[i]->key);
    assert_text_equal(buf_text(&seen), "a/1 a/9 b/1 b/2 ");
    assert_number(some.count, 2);
    assert_text_equal(some.items[0]->key, "b/1");
    kube_store_free(store);
}

static void splits_keys(void **state)
{
    struct str namespace, name;
    AUTO_FREE char *key = kube_key("n", "x"), *cluster_key = kube_key("", "x");

    (void)state;
    kube_key_split(key, &namespace, &name);
    assert_str_equal(namespace, "n");
    assert_str_equal(name, "x");
    kube_key_split(cluster_key, &namespace, &name);
    assert_str_equal(namespace, "");
    assert_str_equal(name, "x");
}

/* --- waiting for the first list --- */

struct waiting {
    struct sched *sched;
    struct kube_store *store;
    bool synced;
};

static void wait_for_sync(void *arg)
{
    struct waiting *waiting = arg;

    waiting->synced = kube_store_wait_synced(waiting->store, waiting->sched, NULL, NEVER_MS);
}

static void not_synced_yet(void *arg, const char *key, enum kube_change change)
{
    (void)key;
    (void)change;
    assert_false(kube_store_has_synced(arg));
}

static void synced_only_after_handlers(void **state)
{
    struct sched *sched = sched_seeded_new(3, 0);
    struct waiting waiting = {.sched = sched, .store = kube_store_new()};
    struct task *task;

    (void)state;
    kube_store_on_change(waiting.store, not_synced_yet, waiting.store);
    assert_false(kube_store_wait_synced(waiting.store, sched, NULL, 100));
    assert_number(sched_now_ms(sched), 100);
    task = sched_spawn(sched, "waiter", wait_for_sync, &waiting);
    sched_yield_now(sched);
    play(waiting.store, &(struct step)LISTED("u", "5", "10"));
    sched_join(task);
    assert_true(waiting.synced);
    kube_store_free(waiting.store);
    sched_free(sched);
}

/* --- groups --- */

static char *color_of(const struct kube_object *object)
{
    return xstrdup_or_null(json_get_text(object->json, "spec.color", NULL));
}

/* Version `version` of the object, of that color; NULL: of none. */
static const struct kube_object *colored(const char *name, const char *version, const char *color)
{
    const struct kube_object *object = NULL;
    struct json *json = json_x(name, version), *spec = json_new_object();

    json_set_text(json_edit(json, "metadata"), "name", name);
    json_set_text(spec, "color", color);
    json_set(json, "spec", spec);
    assert_no_err(kube_object_new(json, &object));
    return object;
}

static const struct group_row {
    const char *name;
    struct {
        enum source source; /* EVENT, GONE or LEARN */
        const char *object, *version, *color;
    } steps[6];
    const char *want; /* the red ones */
} group_rows[] = {
    {.name = "nobody", .want = ""},
    {.name = "members, sorted",
     .steps = {{EVENT, "b", "1", "red"}, {EVENT, "c", "2", "blue"}, {EVENT, "a", "3", "red"}},
     .want = "a b "},
    {.name = "no group", .steps = {{EVENT, "a", "1", NULL}}, .want = ""},
    {.name = "another version stays",
     .steps = {{EVENT, "a", "1", "red"}, {EVENT, "a", "2", "red"}},
     .want = "a "},
    {.name = "our own write counts",
     .steps = {{EVENT, "a", "1", NULL}, {LEARN, "a", "2", "red"}},
     .want = "a "},
    {.name = "leaves",
     .steps = {{EVENT, "a", "1", "red"}, {EVENT, "b", "2", "red"}, {EVENT, "a", "3", "blue"}},
     .want = "b "},
    {.name = "goes",
     .steps = {{EVENT, "a", "1", "red"},
               {EVENT, "b", "2", "red"},
               {EVENT, "c", "3", "red"},
               {GONE, "b", "4", "red"}},
     .want = "a c "},
    {.name = "the last one goes, another comes",
     .steps = {{EVENT, "a", "1", "red"}, {GONE, "a", "2", "red"}, {EVENT, "b", "3", "red"}},
     .want = "b "},
};

static void keeps_groups(void **state)
{
    const struct group_row *row = *state;
    struct kube_store *store = kube_store_new();
    AUTO_BUF struct buf seen = BUF_MAX(1024);

    kube_store_group_by(store, color_of);
    for (size_t i = 0; i < COUNT_OF(row->steps) && row->steps[i].object; i++) {
        AUTO_KUBE_OBJECT const struct kube_object *object =
            colored(row->steps[i].object, row->steps[i].version, row->steps[i].color);

        if (row->steps[i].source == LEARN)
            kube_store_learn(store, object->json);
        else
            kube_store_apply(store, object, row->steps[i].source == GONE);
    }
    {
        AUTO_KUBE_OBJECTS struct kube_objects red = kube_store_list_group(store, "red");

        for (size_t i = 0; i < red.count; i++)
            buf_addf(&seen, "%s ", red.items[i]->name);
    }
    assert_text_equal(buf_text(&seen), row->want);
    kube_store_free(store);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, compares_versions, compare_rows);
    TEST_ROWS(&tests, never_goes_back_in_time, stories);
    for (size_t i = 0; i < COUNT_OF(told_rows); i++)
        tests_add_row(&tests, told_rows[i].name, tells_handlers, told_rows[i].steps);
    TEST(&tests, drops_what_nobody_reads);
    TEST(&tests, refuses_what_is_no_object);
    TEST(&tests, a_reader_keeps_its_version);
    TEST(&tests, lists_by_namespace_sorted);
    TEST_ROWS(&tests, keeps_groups, group_rows);
    TEST(&tests, splits_keys);
    TEST(&tests, synced_only_after_handlers);
    return tests_run(&tests, "pkg/kube/store");
}
