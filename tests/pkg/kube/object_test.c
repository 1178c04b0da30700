#include "pkg/kube/object.h"

#include "tests/pkg/kube/kube_testing.h"

static struct json *parse(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

/* --- status --- */

static void status_is_patched_on_condition(void **state)
{
    static const struct exchange exchanges[] = {
        {.method = "PATCH",
         .path = "/base/apis/example.com/v1/namespaces/n/widgets/x/status?fieldManager=tester",
         .headers = {"content-type: application/merge-patch+json"},
         .body_json = "{\"metadata\":{\"resourceVersion\":\"7\"},\"status\":{\"phase\":\"A\",\"old\":null}}",
         .reply = "{\"metadata\":{\"resourceVersion\":\"8\"}}"},
        {.method = "PATCH", .body_json = "{\"status\":{\"phase\":\"A\",\"old\":null}}", .reply = "{}"},
        {.status = 409, .reply = "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"code\":409}"},
    };
    AUTO_JSON struct json *patch = parse("{\"phase\":\"A\",\"old\":null}"), *answer = NULL;
    struct kube_test t;

    (void)state;
    kube_test_init(&t, 1, exchanges, COUNT_OF(exchanges), NULL);
    assert_no_err(kube_patch_status(t.client, &t.base.env, &widget_x, "7", patch, &answer));
    assert_text_equal(json_get_text(answer, "metadata.resourceVersion", ""), "8");
    assert_no_err(kube_patch_status(t.client, &t.base.env, &widget_x, NULL, patch, NULL));
    assert_fails(kube_patch_status(t.client, &t.base.env, &widget_x, "7", patch, NULL), ERR_CONFLICT, NULL);
    kube_test_done(&t);
}

/* --- finalizers --- */

#define TESTS                                                       \
    "{\"op\":\"test\",\"path\":\"/metadata/uid\",\"value\":\"u\"}," \
    "{\"op\":\"test\",\"path\":\"/metadata/resourceVersion\",\"value\":\"5\"},"
#define WITH(finalizers) "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"5\"" finalizers "}}"

static const struct finalizer_row {
    const char *name, *object;
    bool removes;
    const char *want; /* the patch; NULL: no call */
} finalizer_rows[] = {
    {.name = "first",
     .object = WITH(""),
     .want = "[" TESTS "{\"op\":\"add\",\"path\":\"/metadata/finalizers\",\"value\":[\"d/f\"]}]"},
    {.name = "one more",
     .object = WITH(",\"finalizers\":[\"a\"]"),
     .want = "[" TESTS "{\"op\":\"add\",\"path\":\"/metadata/finalizers/-\",\"value\":\"d/f\"}]"},
    {.name = "there already", .object = WITH(",\"finalizers\":[\"a\",\"d/f\"]")},
    {.name = "remove the second",
     .removes = true,
     .object = WITH(",\"finalizers\":[\"a\",\"d/f\",\"b\"]"),
     .want = "[" TESTS "{\"op\":\"test\",\"path\":\"/metadata/finalizers/1\",\"value\":\"d/"
             "f\"},{\"op\":\"remove\",\"path\":\"/metadata/finalizers/1\"}]"},
    {.name = "remove what is not there", .removes = true, .object = WITH(",\"finalizers\":[\"a\"]")},
};

static void patches_finalizers(void **state)
{
    const struct finalizer_row *row = *state;
    const struct exchange exchanges[] = {{.method = "PATCH",
                                          .path = "*/widgets/x?*",
                                          .headers = {"content-type: application/json-patch+json"},
                                          .body_json = row->want,
                                          .reply = "{\"a\":1}"}};
    AUTO_JSON struct json *object = parse(row->object), *answer = NULL;
    struct kube_test t;

    kube_test_init(&t, 1, exchanges, row->want ? 1 : 0, NULL);
    if (row->removes)
        assert_no_err(kube_remove_finalizer(t.client, &t.base.env, &widget_x, object, "d/f", &answer));
    else
        assert_no_err(kube_add_finalizer(t.client, &t.base.env, &widget_x, object, "d/f", &answer));
    assert_int_equal(answer != NULL, row->want != NULL);
    kube_test_done(&t);
}

static const struct refusal_row {
    const char *name, *message;
    enum err_kind want;
} refusal_rows[] = {
    {.name = "a failed test is a conflict",
     .message = "the server rejected our request due to an error in our request",
     .want = ERR_CONFLICT},
    {.name = "a change that is not allowed is not",
     .message =
         "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted",
     .want = ERR_INVALID},
};

static void tells_conflict_from_refusal(void **state)
{
    const struct refusal_row *row = *state;
    AUTO_FREE char *reply = xasprintf(
        "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"code\":422,\"message\":\"%s\"}", row->message);
    const struct exchange exchanges[] = {{.status = 422, .reply = reply}};
    AUTO_JSON struct json *object = parse(WITH(""));
    struct kube_test t;

    kube_test_init(&t, 1, exchanges, 1, NULL);
    assert_fails(kube_add_finalizer(t.client, &t.base.env, &widget_x, object, "d/f", NULL), row->want,
                 row->message);
    kube_test_done(&t);
}

/* --- conditions --- */

#define READY(status, time, reason, generation)                                                              \
    "{\"type\":\"Ready\",\"status\":\"" status "\",\"lastTransitionTime\":\"" time "\",\"reason\":\"" reason \
    "\",\"message\":\"m\",\"observedGeneration\":" generation "}"
#define OTHER "{\"type\":\"Other\",\"status\":\"True\"}"

static const struct condition_row {
    const char *name, *before;
    struct kube_condition set;
    const char *want;
    bool changes;
} condition_rows[] = {
    {.name = "new",
     .before = "[" OTHER "]",
     .set = {"Ready", "True", "R", "m", 2},
     .want = "[" OTHER "," READY("True", "2026-11-22T16:00:00Z", "R", "2") "]",
     .changes = true},
    {.name = "another status moves the time",
     .before = "[" READY("False", "2026-01-01T00:00:00Z", "R", "2") "," OTHER "]",
     .set = {"Ready", "True", "R", "m", 2},
     .want = "[" READY("True", "2026-11-22T16:00:00Z", "R", "2") "," OTHER "]",
     .changes = true},
    {.name = "another reason does not",
     .before = "[" READY("True", "2026-01-01T00:00:00Z", "Q", "1") "]",
     .set = {"Ready", "True", "R", "m", 2},
     .want = "[" READY("True", "2026-01-01T00:00:00Z", "R", "2") "]",
     .changes = true},
    {.name = "the same again is no change",
     .before = "[" READY("True", "2026-01-01T00:00:00Z", "R", "2") "]",
     .set = {"Ready", "True", "R", "m", 2},
     .want = "[" READY("True", "2026-01-01T00:00:00Z", "R", "2") "]"},
};

static void sets_conditions(void **state)
{
    const struct condition_row *row = *state;
    AUTO_JSON struct json *conditions = parse(row->before);

    assert_int_equal(kube_set_condition(conditions, &row->set, TESTING_WALL_MS), row->changes);
    assert_json_equal(conditions, row->want);
}

static void cuts_long_messages_between_characters(void **state)
{
    AUTO_JSON struct json *conditions = json_new_array();
    AUTO_BUF struct buf message = BUF_MAX(8192);

    (void)state;
    buf_adds(&message, "x");
    for (int i = 0; i < 1000; i++)
        buf_adds(&message, "\xC3\xA9");
    assert_true(kube_set_condition(conditions,
                                   &(struct kube_condition){"Ready", "True", "R", buf_text(&message), 1}, 0));
    assert_number(strlen(json_get_text(kube_find_condition(conditions, "Ready"), "message", "")), 1023);
}

static void removes_conditions(void **state)
{
    AUTO_JSON struct json *conditions = parse("[{\"type\":\"A\"},{\"type\":\"B\"},{\"type\":\"C\"}]");

    (void)state;
    assert_true(kube_remove_condition(conditions, "B"));
    assert_false(kube_remove_condition(conditions, "B"));
    assert_json_equal(conditions, "[{\"type\":\"A\"},{\"type\":\"C\"}]");
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, status_is_patched_on_condition);
    TEST_ROWS(&tests, patches_finalizers, finalizer_rows);
    TEST_ROWS(&tests, tells_conflict_from_refusal, refusal_rows);
    TEST_ROWS(&tests, sets_conditions, condition_rows);
    TEST(&tests, cuts_long_messages_between_characters);
    TEST(&tests, removes_conditions);
    return tests_run(&tests, "pkg/kube/object");
}
