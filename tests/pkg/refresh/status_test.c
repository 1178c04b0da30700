#include "pkg/refresh/status.h"

#include "pkg/base/times.h"
#include "tests/testing/assertions.h"

static struct json *read_json(const char *text)
{
    struct json *value = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &value));
    return value;
}

static struct refresh_status *parse(const char *text)
{
    AUTO_JSON struct json *value = read_json(text);
    struct refresh_status *status = NULL;

    assert_no_err(refresh_status_parse(value, &status));
    return status;
}

/* --- both ways --- */

/* Every member there is, none with the value that is left out. */
static const char full_text[] =
    "{\"observedGeneration\":3,\"phase\":\"Restoring\","
    "\"progress\":{\"percent\":62,\"text\":\"62% "
    "~41m\",\"estimatedCompletionTime\":\"2026-11-22T05:00:00Z\"},"
    "\"lastHandledTrigger\":\"2026-11-22\",\"lastHandledRequest\":\"\","
    "\"run\":{\"id\":\"20261122-030002-k7x4q\",\"attempt\":2,\"trigger\":\"2026-11-22\",\"request\":\"r\","
    "\"copiesOf\":\"20261022-030002-p3c8d\","
    "\"controllerVersion\":\"0.1.0\",\"startTime\":\"2026-11-22T03:00:02Z\",\"completionTime\":\"2026-11-"
    "22T04:00:02Z\","
    "\"approval\":{\"by\":\"kate\",\"time\":\"2026-11-22T03:30:00Z\"},\"spec\":{\"series\":\"shop\","
    "\"other\":[1,2.5]}},"
    "\"databases\":[{\"name\":\"main\",\"recoveryPointARN\":\"arn:1\",\"copyRecoveryPointARN\":\"arn:2\","
    "\"copyIdentifier\":\"shop-stg-1\",\"copyARN\":\"arn:3\",\"endpoint\":\"e\",\"readerEndpoint\":\"r\","
    "\"port\":3306,"
    "\"streamARN\":\"arn:4\",\"engine\":\"aurora-mysql\",\"engineVersion\":\"8.0\",\"masterUsername\":"
    "\"admin\","
    "\"percent\":40,\"failures\":2,\"backOffUntil\":\"2026-11-22T03:40:00.250Z\",\"lastError\":\"no\","
    "\"steps\":["
    "{\"name\":\"Backup\",\"state\":\"Done\",\"attempt\":1,\"externalID\":\"job\",\"startTime\":"
    "\"2026-11-22T03:00:02.001Z\",\"completionTime\":\"2026-11-22T03:10:00.999Z\",\"percent\":100,"
    "\"message\":\"m\","
    "\"evidence\":{\"a\":\"b\",\"c\":\"\"}},{\"name\":\"Copy\",\"state\":\"Waiting\"}]},{\"name\":"
    "\"sessions\"}],"
    "\"copies\":[{\"arn\":\"arn:3\",\"identifier\":\"shop-stg-1\",\"kind\":\"Aurora\",\"database\":\"main\","
    "\"runID\":"
    "\"x\",\"role\":\"InUse\",\"restoreJobID\":\"j\",\"creationTime\":\"2026-11-22T03:20:00Z\","
    "\"protectedBySettings\":true,"
    "\"places\":[{\"kind\":\"SSM\",\"target\":\"/a\"},{\"kind\":\"Secret\",\"target\":\"b\",\"key\":"
    "\"c\"}]},{\"arn\":"
    "\"arn:9\","
    "\"kind\":\"DynamoDB\",\"role\":\"Unfinished\"}],"
    "\"switchover\":{\"steps\":[{\"name\":\"Proxies\",\"state\":\"Intended\",\"attempt\":2}],\"previous\":[{"
    "\"kind\":"
    "\"Proxy\",\"name\":\"shop-stg\",\"value\":\"old\",\"version\":\"3\"}]},"
    "\"history\":[{\"runID\":\"h\",\"attempt\":1,\"result\":\"Succeeded\",\"startTime\":\"2026-10-22T03:00:"
    "00Z\","
    "\"completionTime\":\"2026-10-22T05:00:00Z\",\"copiesOf\":\"g\",\"message\":\"fine\"}],"
    "\"conditions\":[{\"type\":\"Ready\",\"status\":\"Unknown\",\"observedGeneration\":3,"
    "\"lastTransitionTime\":"
    "\"2026-11-22T03:00:02Z\",\"reason\":\"Running\",\"message\":\"m\"}]}";

static void reads_every_member(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = parse(full_text);
    const struct database_status *main_database = status_database(status, "main");
    const struct step_status *step = &main_database->steps[0];

    (void)state;
    assert_number(status->observed_generation, 3);
    assert_text_equal(status->phase, "Restoring");
    assert_number(status->percent, 62);
    assert_text_equal(status->last_handled_request, "");
    assert_text_equal(status->run.id, "20261122-030002-k7x4q");
    assert_number(status->run.attempt, 2);
    assert_text_equal(status->run.approved_by, "kate");
    assert_json_equal(status->run.spec, "{\"series\":\"shop\",\"other\":[1,2.5]}");
    assert_number(main_database->port, 3306);
    assert_number(main_database->back_off_until_ms % 1000, 250);
    assert_text_equal(main_database->last_error, "no");
    assert_number(main_database->step_count, 2);
    assert_int_equal(step->state, STEP_DONE);
    assert_number(step->completion_ms - step->start_ms, MINUTES(9) + SECONDS(58) + 998);
    assert_text_equal(step_evidence(step, "a"), "b");
    assert_int_equal(status->copies[0].role, COPY_IN_USE);
    assert_true(status->copies[0].protected_by_settings);
    assert_int_equal(status->copies[1].kind, DATABASE_DYNAMODB);
    assert_false(status->copies[1].protected_by_settings); /* as of an older controller */
    assert_int_equal(status->switchover_steps[0].state, STEP_INTENDED);
    assert_text_equal(status_previous(status, "Proxy", "shop-stg")->version, "3");
    assert_text_equal(status->history[0].result, "Succeeded");
    assert_int_equal(status_condition(status, "Ready")->status, CONDITION_UNKNOWN);
}

struct trip {
    const char *name, *text;
};

static const struct trip trips[] = {
    {.name = "trip: everything", .text = full_text},
    {.name = "trip: nothing", .text = "{}"},
    {.name = "trip: handled, and it was empty",
     .text = "{\"lastHandledTrigger\":\"\",\"lastHandledRequest\":\"\"}"},
    {.name = "trip: nothing handled", .text = "{\"phase\":\"Pending\"}"},
    {.name = "trip: a run that has just begun", .text = "{\"run\":{\"id\":\"a\",\"attempt\":1,\"spec\":{}}}"},
    {.name = "trip: text of many bytes",
     .text = "{\"phase\":\"\",\"progress\":{\"text\":\"進捗 👍\",\"percent\":0}}"},
    {.name = "trip: a condition without a time",
     .text = "{\"conditions\":[{\"type\":\"A\",\"status\":\"False\",\"lastTransitionTime\":\"1970-01-01T00:"
             "00:00Z\","
             "\"reason\":\"B\",\"message\":\"\"}]}"},
};

static void goes_both_ways(void **state)
{
    const struct trip *trip = *state;
    AUTO_REFRESH_STATUS struct refresh_status *status = parse(trip->text);
    AUTO_JSON struct json *written = refresh_status_to_json(status);

    assert_json_equal(written, trip->text);
}

static void a_fresh_object_has_an_empty_status(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = NULL;
    AUTO_JSON struct json *written = NULL;

    (void)state;
    assert_no_err(refresh_status_parse(NULL, &status));
    assert_text_equal(status->run.id, NULL);
    assert_text_equal(status->last_handled_trigger, NULL);
    written = refresh_status_to_json(status);
    assert_json_equal(written, "{}");
}

static void what_belongs_to_no_run_is_not_written(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();
    AUTO_JSON struct json *written = NULL;

    (void)state;
    status->run.attempt = 1;
    status->run.trigger = xstrdup("x");
    written = refresh_status_to_json(status);
    assert_json_equal(written, "{}");
}

static void a_run_that_was_not_approved_has_no_approval(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();
    AUTO_JSON struct json *written = NULL;

    (void)state;
    status->run.id = xstrdup("x");
    status->run.approval_ms = 1000;
    written = refresh_status_to_json(status);
    assert_json_equal(written, "{\"run\":{\"id\":\"x\"}}");
}

/* --- nonsense --- */

struct bad_row {
    const char *name, *text, *want;
};

/* clang-format off */
static const struct bad_row bad_rows[] = {
    {.name = "bad: a list", .text = "[]", .want = "status: expected object"},
    {.name = "bad: a run without id", .text = "{\"run\":{\"attempt\":1}}", .want = "status.run.id: required"},
    {.name = "bad: an unknown state", .text = "{\"databases\":[{\"name\":\"a\",\"steps\":[{\"name\":\"b\",\"state\":\"Odd\"}]}]}",
     .want = "status.databases[a].steps[b].state: must be Waiting, Intended, Running, Done, Failed, Skipped or Undone"},
    {.name = "bad: a time of another kind", .text = "{\"run\":{\"id\":\"a\",\"startTime\":\"yesterday\"}}",
     .want = "status.run.startTime: must be a time such as 2026-11-22T16:00:00Z"},
    {.name = "bad: evidence of numbers", .text = "{\"switchover\":{\"steps\":[{\"name\":\"b\",\"state\":\"Done\",\"evidence\":{\"n\":1}}]}}",
     .want = "status.switchover.steps[b].evidence: n: expected string"},
    {.name = "bad: a frozen spec that is none", .text = "{\"run\":{\"id\":\"a\",\"spec\":\"x\"}}", .want = "status.run.spec: expected object"},
    {.name = "bad: percent beyond", .text = "{\"progress\":{\"percent\":101}}", .want = "status.progress.percent: must be between 0 and 100"},
    {.name = "bad: an unknown role", .text = "{\"copies\":[{\"arn\":\"a\",\"role\":\"Mine\"}]}",
     .want = "status.copies[a].role: must be Unfinished, InUse, Previous, Failed or Removing"},
    {.name = "bad: a copy twice", .text = "{\"copies\":[{\"arn\":\"a\",\"role\":\"InUse\"},{\"arn\":\"a\",\"role\":\"InUse\"}]}",
     .want = "status.copies[a]: two entries have this arn"},
    {.name = "bad: too much history", .text = "{\"history\":[{\"runID\":\"1\"},{\"runID\":\"2\"},{\"runID\":\"3\"},{\"runID\":\"4\"},"
     "{\"runID\":\"5\"},{\"runID\":\"6\"},{\"runID\":\"7\"},{\"runID\":\"8\"},{\"runID\":\"9\"},{\"runID\":\"10\"},{\"runID\":\"11\"}]}",
     .want = "status.history: must have at most 10 entries"},
};
/* clang-format on */

static void refuses_nonsense(void **state)
{
    const struct bad_row *row = *state;
    AUTO_JSON struct json *value = read_json(row->text);
    struct refresh_status *status = NULL;
    AUTO_ERR struct err *err = refresh_status_parse(value, &status);

    assert_err_kind(err, ERR_INVALID);
    assert_text_equal(err_text(err), row->want);
    assert_true(status == NULL);
}

static void unknown_members_are_left_alone(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = parse("{\"phase\":\"x\",\"later\":{\"a\":1}}");

    (void)state;
    assert_text_equal(status->phase, "x");
}

/* --- bounds --- */

static char *repeat(const char *piece, size_t count)
{
    AUTO_BUF struct buf text = BUF_MAX(MIB);

    for (size_t i = 0; i < count; i++)
        buf_adds(&text, piece);
    return buf_take(&text);
}

struct cut_row {
    const char *name, *piece;
    size_t count, want; /* bytes written */
};

static const struct cut_row cut_rows[] = {
    {.name = "cut: as long as allowed", .piece = "x", .count = 1024, .want = 1024},
    {.name = "cut: one too long", .piece = "x", .count = 1025, .want = 1024},
    {.name = "cut: characters of two bytes", .piece = "é", .count = 600, .want = 1024},
    {.name = "cut: characters of three bytes stay whole", .piece = "進", .count = 600, .want = 1023},
    {.name = "cut: characters of four bytes", .piece = "👍", .count = 600, .want = 1024},
};

static void messages_are_cut_between_characters(void **state)
{
    const struct cut_row *row = *state;
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new(), *back = NULL;
    AUTO_FREE char *text = repeat(row->piece, row->count);
    AUTO_JSON struct json *written = NULL;

    status_set_condition(status, "Ready", CONDITION_TRUE, "Fine", text, 1, 1000);
    written = refresh_status_to_json(status);
    assert_number((int64_t)strlen(json_get_text(written, "conditions[0].message", "")), (int64_t)row->want);
    assert_no_err(refresh_status_parse(written, &back));
    assert_number((int64_t)strlen(back->conditions[0].message), (int64_t)row->want);
}

static void numbers_are_kept_in_their_range(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();
    AUTO_JSON struct json *written = NULL;

    (void)state;
    status->percent = 140;
    status->progress_text = xstrdup("x");
    status_add_database(status, "a")->back_off_until_ms = NEVER_MS;
    written = refresh_status_to_json(status);
    assert_number(json_get_int(written, "progress.percent", -1), 100);
    assert_text_equal(json_get_text(written, "databases[0].backOffUntil", NULL), "9999-12-31T23:59:59.999Z");
}

static void history_keeps_the_last_ten(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();

    (void)state;
    status->run.id = xstrdup("run-12");
    status->run.attempt = 2;
    status->run.start_ms = 1000;
    status->run.completion_ms = 5000;
    for (int i = 1; i <= 12; i++) {
        AUTO_FREE char *id = xasprintf("run-%d", i);

        status_add_history(status, id, "Succeeded", i % 2 ? NULL : "even");
    }
    assert_number(status->history_count, 10);
    assert_text_equal(status->history[0].run_id, "run-12");
    assert_text_equal(status->history[0].message, "even");
    assert_number(status->history[0].attempt, 2);
    assert_number(status->history[0].completion_ms, 5000);
    assert_text_equal(status->history[9].run_id, "run-3");
    assert_number(status->history[9].attempt, 0);
}

/* --- conditions --- */

struct condition_row {
    const char *name;
    enum condition_status first, second;
    int64_t transition_ms;
};

static const struct condition_row condition_rows[] = {
    {.name = "condition: the same status keeps its time",
     .first = CONDITION_TRUE,
     .second = CONDITION_TRUE,
     .transition_ms = 1000},
    {.name = "condition: True to False moves it",
     .first = CONDITION_TRUE,
     .second = CONDITION_FALSE,
     .transition_ms = 2000},
    {.name = "condition: Unknown to False moves it",
     .first = CONDITION_UNKNOWN,
     .second = CONDITION_FALSE,
     .transition_ms = 2000},
};

static void transitions_move_with_the_status(void **state)
{
    const struct condition_row *row = *state;
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();
    const struct condition *condition;

    status_set_condition(status, "Ready", row->first, "First", "one", 1, 1000);
    status_set_condition(status, "Ready", row->second, "Second", "two", 2, 2000);
    condition = status_condition(status, "Ready");
    assert_number(status->condition_count, 1);
    assert_number(condition->transition_ms, row->transition_ms);
    assert_int_equal(condition->status, row->second);
    assert_text_equal(condition->reason, "Second");
    assert_text_equal(condition->message, "two");
    assert_number(condition->observed_generation, 2);
}

/* The pattern of the CRD: ^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$ */
struct reason_row {
    const char *name, *code, *want;
};

static const struct reason_row reason_rows[] = {
    {"reason: as it should be", "AccessDeniedException", "AccessDeniedException"},
    {"reason: a kind of error", "not found", "NotFound"},
    {"reason: with dots", "AWS.SimpleQueueService.NonExistentQueue", "AWSSimpleQueueServiceNonExistentQueue"},
    {"reason: in small letters", "retry", "Retry"},
    {"reason: begins with a digit", "404 gone", "Gone"},
    {"reason: a whole address", "com.amazonaws#Throttled:", "ComAmazonawsThrottled"},
    {"reason: an underscore", "UNKNOWN_ERROR", "UNKNOWN_ERROR"},
    {"reason: no letter", "4.0", "Unknown"},
    {"reason: nothing", "", "Unknown"},
    {"reason: none", NULL, "Unknown"},
};

static void reasons_are_what_the_crd_takes(void **state)
{
    const struct reason_row *row = *state;
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();

    status_set_condition(status, "Stalled", CONDITION_TRUE, row->code, "no", 1, 1);
    assert_text_equal(status->conditions[0].reason, row->want);
}

static void long_reasons_are_cut(void **state)
{
    AUTO_FREE char *code = repeat("x", 2000);
    AUTO_FREE char *reason = condition_reason(code);

    (void)state;
    assert_number((int64_t)strlen(reason), 1024);
}

struct same_row {
    const char *name, *a, *b;
    bool want;
};

#define REFUSED(id) "sts AssumeRole: AccessDenied: no (request " id ", account 111111111111). Ask"
static const struct same_row same_rows[] = {
    {"same: equal", "no", "no", true},
    {"same: other words", "no", "yes", false},
    {"same: longer", "no", "no more", false},
    {"same: another request", REFUSED("7f3c"), REFUSED("0a"), true},
    {"same: another request, and more", REFUSED("7f3c"), REFUSED("0a") " x", false},
    {"same: two requests", REFUSED("1") REFUSED("2"), REFUSED("3") REFUSED("4"), true},
    {"same: one has none", REFUSED("1"), "sts AssumeRole: AccessDenied: no (account 111111111111). Ask",
     false},
    {"same: cut in the middle", "no (request 12", "no (request 34", false},
    {"same: nothing", NULL, "", true},
};

static void a_message_that_says_the_same_stays(void **state)
{
    const struct same_row *row = *state;
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();

    assert_int_equal(condition_says_same(row->a, row->b), row->want);
    assert_int_equal(condition_says_same(row->b, row->a), row->want);
    status_set_condition(status, "Stalled", CONDITION_TRUE, "No", row->a ? row->a : "", 1, 1);
    status_set_condition(status, "Stalled", CONDITION_TRUE, "No", row->b, 2, 2);
    assert_text_equal(status->conditions[0].message, row->want && row->a ? row->a : row->b);
    status_set_condition(status, "Stalled", CONDITION_TRUE, "Other", row->b, 2, 2);
    assert_text_equal(status->conditions[0].message, row->b);
}

static void the_order_of_conditions_is_stable(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();

    (void)state;
    status_set_condition(status, "Ready", CONDITION_TRUE, "A", "", 1, 1);
    status_set_condition(status, "Reconciling", CONDITION_TRUE, "B", "", 1, 1);
    status_set_condition(status, "Stalled", CONDITION_TRUE, "C", "", 1, 1);
    status_set_condition(status, "Ready", CONDITION_FALSE, "D", "", 1, 2);
    status_remove_condition(status, "Reconciling");
    status_remove_condition(status, "Reconciling");
    assert_number(status->condition_count, 2);
    assert_text_equal(status->conditions[0].type, "Ready");
    assert_text_equal(status->conditions[1].type, "Stalled");
    assert_true(status_condition(status, "Reconciling") == NULL);
}

/* --- editing --- */

static void rows_are_found_or_added(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();
    struct database_status *database;

    (void)state;
    for (int i = 0; i < 20; i++) {
        AUTO_FREE char *name = xasprintf("d%d", i);

        assert_text_equal(status_add_database(status, name)->name, name);
    }
    database = status_database(status, "d7");
    assert_true(status_add_database(status, "d7") == database);
    assert_number(status->database_count, 20);
    assert_true(status_database(status, "d20") == NULL);
    status_add_step(&database->steps, &database->step_count, "Backup")->attempt = 2;
    assert_number(status_add_step(&database->steps, &database->step_count, "Backup")->attempt, 2);
    assert_number(database->step_count, 1);
    status_add_copy(status, "arn:1")->role = COPY_FAILED;
    assert_int_equal(status_add_copy(status, "arn:1")->role, COPY_FAILED);
    assert_int_equal(status_add_copy(status, "arn:2")->role, COPY_UNFINISHED);
    assert_number(status->copy_count, 2);
}

static void previous_values_go_by_kind_and_name(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();

    (void)state;
    assert_true(status_previous(status, "Proxy", "a") == NULL);
    text_replace(&status_set_previous(status, "Proxy", "a")->value, "one");
    text_replace(&status_set_previous(status, "SSM", "a")->value, "two");
    text_replace(&status_set_previous(status, "Proxy", "a")->value, "three");
    assert_number(status->previous_count, 2);
    assert_text_equal(status_previous(status, "Proxy", "a")->value, "three");
    assert_text_equal(status_previous(status, "SSM", "a")->value, "two");
}

static void a_new_run_starts_with_empty_rows(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = parse(full_text);

    (void)state;
    status_reset_run(status);
    assert_number(status->database_count, 0);
    assert_number(status->switchover_step_count, 0);
    assert_number(status->previous_count, 0);
    assert_number(status->copy_count, 2);
    assert_number(status->history_count, 1);
    assert_number(status->condition_count, 1);
    assert_text_equal(status_add_database(status, "main")->endpoint, NULL);
}

static void evidence_is_text_by_name(void **state)
{
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();
    struct step_status *step =
        status_add_step(&status->switchover_steps, &status->switchover_step_count, "Proxies");

    (void)state;
    assert_text_equal(step_evidence(step, "a"), NULL);
    step_set_evidence(step, "a", NULL);
    assert_true(step->evidence == NULL);
    step_set_evidence(step, "a", "1");
    step_set_evidence(step, "a.b", "2");
    step_set_evidence(step, "a", "3");
    assert_text_equal(step_evidence(step, "a"), "3");
    assert_text_equal(step_evidence(step, "a.b"), "2");
    step_set_evidence_ms(step, "since", 1790000000123);
    assert_number(step_evidence_ms(step, "since", -1), 1790000000123);
    assert_number(step_evidence_ms(step, "until", -1), -1);
    step_set_evidence(step, "since", "soon");
    assert_number(step_evidence_ms(step, "since", 7), 7);
    step_set_evidence(step, "a", NULL);
    step_set_evidence(step, "a.b", NULL);
    step_set_evidence(step, "since", NULL);
    assert_true(step->evidence == NULL);
}

static void a_text_may_replace_itself(void **state)
{
    char *text = xstrdup("abc");

    (void)state;
    text_replace(&text, text + 1);
    assert_text_equal(text, "bc");
    text_replace(&text, NULL);
    assert_text_equal(text, NULL);
}

static void states_have_names(void **state)
{
    (void)state;
    assert_text_equal(step_state_name(STEP_WAITING), "Waiting");
    assert_text_equal(step_state_name(STEP_UNDONE), "Undone");
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, reads_every_member);
    TEST_ROWS(&tests, goes_both_ways, trips);
    TEST(&tests, a_fresh_object_has_an_empty_status);
    TEST(&tests, what_belongs_to_no_run_is_not_written);
    TEST(&tests, a_run_that_was_not_approved_has_no_approval);
    TEST_ROWS(&tests, refuses_nonsense, bad_rows);
    TEST(&tests, unknown_members_are_left_alone);
    TEST_ROWS(&tests, messages_are_cut_between_characters, cut_rows);
    TEST(&tests, numbers_are_kept_in_their_range);
    TEST(&tests, history_keeps_the_last_ten);
    TEST_ROWS(&tests, transitions_move_with_the_status, condition_rows);
    TEST_ROWS(&tests, reasons_are_what_the_crd_takes, reason_rows);
    TEST(&tests, long_reasons_are_cut);
    TEST_ROWS(&tests, a_message_that_says_the_same_stays, same_rows);
    TEST(&tests, the_order_of_conditions_is_stable);
    TEST(&tests, rows_are_found_or_added);
    TEST(&tests, previous_values_go_by_kind_and_name);
    TEST(&tests, a_new_run_starts_with_empty_rows);
    TEST(&tests, evidence_is_text_by_name);
    TEST(&tests, a_text_may_replace_itself);
    TEST(&tests, states_have_names);
    return tests_run(&tests, "status");
}
