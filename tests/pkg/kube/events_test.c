#include "pkg/kube/events.h"

#include "tests/pkg/kube/kube_testing.h"

#define EVENTS_PATH "/base/apis/events.k8s.io/v1/namespaces/n/events"
#define GONE "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"code\":404}"

struct scene {
    struct kube_test t;
    struct kube_events *events;
    struct json *widget;
};

static void open_scene(struct scene *scene, const struct exchange *rows, size_t count, size_t max_queue)
{
    *scene = (struct scene){0};
    kube_test_init(&scene->t, 2, rows, count, NULL);
    assert_no_err(json_parse(
        STR("{\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\",\"metadata\":{\"namespace\":\"n\","
            "\"name\":\"x\",\"uid\":\"u\",\"resourceVersion\":\"5\"}}"),
        NULL, &scene->widget));
    scene->events = kube_events_start(scene->t.client, &scene->t.base.env,
                                      &(struct kube_events_opts){.controller = "example.com/tester",
                                                                 .instance = "pod-1",
                                                                 .max_queue = max_queue});
}

static void close_scene(struct scene *scene)
{
    kube_events_stop(scene->events, SECONDS(5));
    json_free(scene->widget);
    kube_test_done(&scene->t);
}

static void emit(struct scene *scene, const char *reason, const char *note)
{
    kube_event_emit(scene->events, &(struct kube_event){.regarding = scene->widget,
                                                        .severity = KUBE_WARNING,
                                                        .reason = reason,
                                                        .action = "Try",
                                                        .note = note});
}

static void pass_time(struct scene *scene, int64_t for_ms)
{
    struct sched *sched = scene->t.base.env.sched;

    assert_true(sched_wait_until(sched, NULL, sched_now_ms(sched) + for_ms));
}

static struct json *sent_body(struct scene *scene, size_t index)
{
    const struct sent *sent = script_sent(scene->t.base.script, index);
    struct json *body = NULL;

    assert_non_null(sent);
    assert_no_err(json_parse((struct str){sent->body, sent->body_len}, NULL, &body));
    return body;
}

static void an_event_says_what_happened_to_what(void **state)
{
    static const struct exchange rows[] = {
        {.method = "POST",
         .path = EVENTS_PATH "?fieldManager=tester",
         .body_json =
             "{\"apiVersion\":\"events.k8s.io/"
             "v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"x.18ea695172cf0000\",\"namespace\":\"n\"},"
             "\"eventTime\":\"2026-11-22T16:00:00.000000Z\",\"type\":\"Warning\",\"reason\":\"Broken\","
             "\"action\":\"Try\","
             "\"note\":\"it "
             "broke\",\"regarding\":{\"apiVersion\":\"example.com/"
             "v1\",\"kind\":\"Widget\",\"namespace\":\"n\",\"name\":\"x\","
             "\"uid\":\"u\",\"resourceVersion\":\"5\"},\"reportingController\":\"example.com/"
             "tester\",\"reportingInstance\":\"pod-1\"}",
         .status = 201,
         .reply = "{}"},
    };
    struct scene s;

    (void)state;
    open_scene(&s, rows, COUNT_OF(rows), 0);
    emit(&s, "Broken", "it broke");
    pass_time(&s, 10);
    assert_number(kube_events_stats(s.events).sent, 1);
    close_scene(&s);
}

static void repeats_become_a_series(void **state)
{
    static const struct exchange rows[] = {
        {.method = "POST", .path = EVENTS_PATH "?*", .reply = "{}"},
        {.method = "PATCH",
         .path = EVENTS_PATH "/x.*",
         .body_json = "{\"series\":{\"count\":2,\"lastObservedTime\":\"2026-11-22T16:01:00.000000Z\"}}",
         .reply = "{}"},
        {.method = "PATCH", .path = EVENTS_PATH "/x.*", .body_contains = {"\"count\":11"}, .reply = "{}"},
        {.method = "PATCH", .path = EVENTS_PATH "/x.*", .body_contains = {"\"count\":13"}, .reply = "{}"},
        {.method = "POST", .path = EVENTS_PATH "?*", .reply = "{}"},
    };
    struct scene s;

    (void)state;
    open_scene(&s, rows, COUNT_OF(rows), 0);
    emit(&s, "Broken", "first");
    pass_time(&s, MINUTES(1));
    for (int i = 0; i < 11; i++) {
        emit(&s, "Broken", "again");
        pass_time(&s, MINUTES(3) + SECONDS(1));
    }
    assert_number(kube_events_stats(s.events).sent, 3);
    emit(&s, "Broken", "and once more");
    pass_time(&s, MINUTES(8));
    assert_number(kube_events_stats(s.events).sent, 4);
    emit(&s, "Broken", "long after");
    pass_time(&s, MINUTES(1));
    close_scene(&s);
}

static void other_reasons_are_other_events(void **state)
{
    static const struct exchange rows[] = {{.method = "POST", .reply = "{}", .times = 2}};
    struct scene s;
    const char *first, *second;

    (void)state;
    open_scene(&s, rows, COUNT_OF(rows), 0);
    emit(&s, "Broken", "a");
    emit(&s, "Mended", "b");
    pass_time(&s, 10);
    {
        AUTO_JSON struct json *a = sent_body(&s, 0), *b = sent_body(&s, 1);

        first = json_get_text(a, "metadata.name", "");
        second = json_get_text(b, "metadata.name", "");
        assert_string_not_equal(first, second);
    }
    close_scene(&s);
}

static void a_series_whose_event_is_gone_begins_anew(void **state)
{
    static const struct exchange rows[] = {
        {.method = "POST", .reply = "{}"},
        {.method = "PATCH", .status = 404, .reply = GONE},
        {.method = "POST", .body_contains = {"16:01:00.000000Z"}, .reply = "{}"},
    };
    struct scene s;

    (void)state;
    open_scene(&s, rows, COUNT_OF(rows), 0);
    emit(&s, "Broken", "a");
    pass_time(&s, MINUTES(1));
    emit(&s, "Broken", "a");
    pass_time(&s, MINUTES(1));
    close_scene(&s);
}

static const struct failure_row {
    const char *name;
    struct exchange first, second;
    size_t want_calls;
    int64_t want_sent;
} failure_rows[] = {
    {.name = "no connection: again",
     .first = {.fail = "refused"},
     .second = {.reply = "{}"},
     .want_calls = 2,
     .want_sent = 1},
    {.name = "server error: again",
     .first = {.status = 500, .reply = ""},
     .second = {.reply = "{}"},
     .want_calls = 2,
     .want_sent = 1},
    {.name = "written, answer lost",
     .first = {.fail = "reset"},
     .second = {.status = 409, .reply = "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\",\"code\":409}"},
     .want_calls = 2,
     .want_sent = 1},
    {.name = "refused: dropped",
     .first = {.status = 403, .reply = "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"code\":403}"},
     .want_calls = 1,
     .want_sent = 0},
};

static void tries_again_when_it_may_help(void **state)
{
    const struct failure_row *row = *state;
    const struct exchange rows[] = {row->first, row->second};
    struct scene s;

    open_scene(&s, rows, row->want_calls, 0);
    emit(&s, "Broken", "a");
    pass_time(&s, MINUTES(5));
    assert_number(kube_events_stats(s.events).sent, row->want_sent);
    assert_number(kube_events_stats(s.events).dropped, 1 - row->want_sent);
    assert_number(script_sent_count(s.t.base.script), row->want_calls);
    close_scene(&s);
}

static void gives_up_after_a_dozen_tries(void **state)
{
    static const struct exchange rows[] = {{.fail = "refused", .times = 12}};
    struct scene s;

    (void)state;
    open_scene(&s, rows, COUNT_OF(rows), 0);
    emit(&s, "Broken", "a");
    pass_time(&s, MINUTES(5));
    assert_number(kube_events_stats(s.events).dropped, 1);
    close_scene(&s);
}

static void one_object_cannot_flood(void **state)
{
    static const struct exchange rows[] = {{.method = "POST", .reply = "{}", .times = 101}};
    struct scene s;

    (void)state;
    open_scene(&s, rows, COUNT_OF(rows), 0);
    for (int i = 0; i < 115; i++) {
        AUTO_FREE char *reason = xasprintf("Reason%d", i);

        emit(&s, reason, "a");
    }
    pass_time(&s, SECONDS(10));
    assert_number(kube_events_stats(s.events).sent, 100);
    assert_number(kube_events_stats(s.events).dropped, 15);
    pass_time(&s, MINUTES(1));
    emit(&s, "Later", "a");
    pass_time(&s, SECONDS(1));
    assert_number(kube_events_stats(s.events).sent, 101);
    close_scene(&s);
}

static void emit_of(struct scene *scene, const char *object, int number)
{
    AUTO_FREE char *reason = xasprintf("Reason%d", number);

    json_set_text(json_edit(scene->widget, "metadata"), "name", object);
    emit(scene, reason, "a");
}

/* As many objects as a large cluster has: each may say something, and one that floods is not forgotten. */
static void the_least_busy_object_makes_room(void **state)
{
    static const struct exchange rows[] = {{.method = "POST", .reply = "{}", .times = -1}};
    struct scene s;

    (void)state;
    open_scene(&s, rows, COUNT_OF(rows), 10000);
    for (int i = 0; i < 90; i++)
        emit_of(&s, "busy", i);
    for (int i = 0; i < 5000; i++) {
        AUTO_FREE char *object = xasprintf("many-%d", i);

        emit_of(&s, object, 0);
        if (i % 500 == 499)
            pass_time(&s, 1); /* the sender's turn: what waits is limited too */
    }
    assert_number(kube_events_stats(s.events).dropped, 0);
    for (int i = 0; i < 20; i++)
        emit_of(&s, "busy", 100 + i);
    assert_number(kube_events_stats(s.events).dropped, 10);
    close_scene(&s);
}

static void a_full_queue_drops(void **state)
{
    static const struct exchange rows[] = {{.method = "POST", .reply = "{}", .times = 3}};
    struct scene s;

    (void)state;
    open_scene(&s, rows, COUNT_OF(rows), 3);
    for (int i = 0; i < 10; i++) {
        AUTO_FREE char *reason = xasprintf("Reason%d", i);

        emit(&s, reason, "a");
    }
    pass_time(&s, SECONDS(10));
    assert_number(kube_events_stats(s.events).dropped, 7);
    close_scene(&s);
}

static void long_texts_are_cut_between_characters(void **state)
{
    static const struct exchange rows[] = {{.method = "POST", .reply = "{}"}};
    AUTO_BUF struct buf note = BUF_MAX(8192);
    struct scene s;

    (void)state;
    buf_adds(&note, "x");
    for (int i = 0; i < 1000; i++)
        buf_adds(&note, "\xC3\xA9");
    open_scene(&s, rows, COUNT_OF(rows), 0);
    emit(&s, buf_text(&note), buf_text(&note));
    pass_time(&s, 10);
    {
        AUTO_JSON struct json *body = sent_body(&s, 0);

        assert_number(strlen(json_get_text(body, "note", "")), 1023);
        assert_number(strlen(json_get_text(body, "reason", "")), 127);
    }
    close_scene(&s);
}

static const struct name_row {
    const char *name, *namespace, *object, *want_path, *want_stem;
} name_rows[] = {
    {.name = "cluster-scoped goes to default",
     .object = "x",
     .want_path = "/base/apis/events.k8s.io/v1/namespaces/default/events",
     .want_stem = "x."},
    {.name = "a long name is cut",
     .namespace = "n",
     .object = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
               "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
               "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
               "ddddddddddddddddddddddddddddddddddddddddddddddd.e.fffffffffffffffffffffff",
     .want_path = EVENTS_PATH,
     .want_stem = "aaaaaaaaa"},
};

static void names_are_valid(void **state)
{
    const struct name_row *row = *state;
    const struct exchange rows[] = {{.method = "POST", .reply = "{}"}};
    struct scene s;

    open_scene(&s, rows, COUNT_OF(rows), 0);
    json_set_text(json_edit(s.widget, "metadata"), "namespace", row->namespace);
    json_set_text(json_edit(s.widget, "metadata"), "name", row->object);
    emit(&s, "Broken", "a");
    pass_time(&s, 10);
    {
        AUTO_JSON struct json *body = sent_body(&s, 0);
        const char *name = json_get_text(body, "metadata.name", "");

        assert_text_contains(script_sent(s.t.base.script, 0)->url, row->want_path);
        assert_true(str_starts(str_of(name), row->want_stem));
        assert_true(strlen(name) <= 253);
        assert_null(strstr(name, ".."));
    }
    close_scene(&s);
}

static void the_end_writes_what_is_left(void **state)
{
    static const struct exchange rows[] = {
        {.method = "POST", .reply = "{}"},
        {.method = "PATCH", .body_contains = {"\"count\":2"}, .reply = "{}"},
        {.method = "PATCH", .body_contains = {"\"count\":3"}, .reply = "{}"},
    };
    struct scene s;

    (void)state;
    open_scene(&s, rows, COUNT_OF(rows), 0);
    emit(&s, "Broken", "a");
    pass_time(&s, 10);
    emit(&s, "Broken", "a");
    pass_time(&s, 10);
    emit(&s, "Broken", "a");
    close_scene(&s);
}

static void the_end_does_not_wait_for_ever(void **state)
{
    static const struct exchange rows[] = {{.method = "POST", .reply = "{}", .delay_ms = 20000}};
    struct scene s;
    struct sched *sched;

    (void)state;
    open_scene(&s, rows, COUNT_OF(rows), 0);
    sched = s.t.base.env.sched;
    emit(&s, "Broken", "a");
    pass_time(&s, 10);
    kube_events_stop(TAKE(s.events), SECONDS(2));
    assert_in_range(sched_now_ms(sched), 2000, 2100);
    close_scene(&s);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, an_event_says_what_happened_to_what);
    TEST(&tests, repeats_become_a_series);
    TEST(&tests, other_reasons_are_other_events);
    TEST(&tests, a_series_whose_event_is_gone_begins_anew);
    TEST_ROWS(&tests, tries_again_when_it_may_help, failure_rows);
    TEST(&tests, gives_up_after_a_dozen_tries);
    TEST(&tests, one_object_cannot_flood);
    TEST(&tests, the_least_busy_object_makes_room);
    TEST(&tests, a_full_queue_drops);
    TEST(&tests, long_texts_are_cut_between_characters);
    TEST_ROWS(&tests, names_are_valid, name_rows);
    TEST(&tests, the_end_writes_what_is_left);
    TEST(&tests, the_end_does_not_wait_for_ever);
    return tests_run(&tests, "pkg/kube/events");
}
