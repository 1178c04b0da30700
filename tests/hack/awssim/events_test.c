/* EventBridge. */
#include "tests/hack/awssim/services_world.h"

#define QUEUE_ARN ARN(STG, "sqs", "events")
#define URL "https://sqs.ap-northeast-1.amazonaws.com/" STG "/events"

static const char world[] =
    "organization: {id: o-one}\n"
    "habits: {lostEvents: 0, duplicatedEvents: 0}\n"
    "durations: {events: {rds: 0s, delivery: 1s}}\n"
    "accounts:\n"
    "- id: '" STG "'\n"
    "  region: ap-northeast-1\n"
    "  iam:\n"
    "    users:\n"
    "    - {name: me, accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}], allow: ['*']}\n"
    "  sqs:\n"
    "    queues:\n"
    "    - name: events\n"
    "      policy:\n"
    "        Statement:\n"
    "        - Effect: Allow\n"
    "          Principal: {Service: events.amazonaws.com}\n"
    "          Action: sqs:SendMessage\n"
    "          Resource: '" QUEUE_ARN "'\n"
    "          Condition: {ArnEquals: {aws:SourceArn: '" ARN(
        STG, "events",
        "rule/*") "'}}\n"
                  "    - {name: closed}\n"
                  "  events:\n"
                  "    buses: [{name: guests}]\n"
                  "    rules:\n"
                  "    - name: guests\n"
                  "      bus: guests\n"
                  "      pattern: {source: [app]}\n"
                  "      targets: [{id: q, arn: '" QUEUE_ARN "'}]\n"
                  "- id: '" PROD "'\n"
                  "  region: ap-northeast-1\n"
                  "  iam:\n"
                  "    users:\n"
                  "    - {name: me, accessKeys: [{id: AKIAPROD, secret: example-secret}], allow: ['*']}\n"
                  "    roles:\n"
                  "    - {name: sender, trust: [{service: events.amazonaws.com}], allow: "
                  "['events:PutEvents', 'sqs:SendMessage']}\n"
                  "    - {name: weak, trust: [{service: events.amazonaws.com}], allow: ['x:*']}\n"
                  "    - {name: other, trust: [{service: backup.amazonaws.com}], allow: ['*']}\n";

static void as_production(void)
{
    awssim_client_use(&client, "AKIAPROD", "example-secret", NULL);
}

static void as_staging(void)
{
    awssim_client_use(&client, "AKIAEXAMPLE", "example-secret", NULL);
}

static int events(const char *operation, const char *body)
{
    return awssim_json(&client, "events", operation, body);
}

/* How many messages are in the queue a while later. */
static size_t arrived(void)
{
    awssim_client_advance(&client, SECONDS(5));
    as_staging();
    assert_number(awssim_json(&client, "sqs", "ReceiveMessage",
                              "{\"QueueUrl\":\"" URL "\",\"MaxNumberOfMessages\":10}"),
                  200);
    return json_count(json_member(client.json, "Messages"));
}

static void put_rule(const char *name, const char *pattern, const char *target)
{
    AUTO_JSON struct json *rule = json_new_object();
    AUTO_FREE char *targets = xasprintf("{\"Rule\":\"%s\",\"Targets\":[%s]}", name, target);

    json_set_text(rule, "Name", name);
    json_set_text(rule, "EventPattern", pattern);
    AUTO_FREE char *body = json_to_text(rule);
    assert_number(events("PutRule", body), 200);
    assert_number(events("PutTargets", targets), 200);
    assert_number(json_get_int(client.json, "FailedEntryCount", -1), 0);
}

#define ENTRY "{\"Source\":\"app\",\"DetailType\":\"Hello\",\"Detail\":\"{\\\"n\\\":1}\"}"
#define TO_QUEUE "{\"Id\":\"q\",\"Arn\":\"" QUEUE_ARN "\"}"

/* ---- patterns ---- */

#define EVENT                                                                                      \
    "{\"source\":\"aws.backup\",\"account\":\"111111111111\",\"resources\":[\"arn:a\",\"arn:b\"]," \
    "\"detail\":{\"state\":\"COMPLETED\",\"percent\":42,\"none\":null,\"inner\":{\"deep\":true}}}"

static const struct pattern_row {
    const char *name, *pattern;
    bool matches;
} pattern_rows[] = {
    {.name = "a value", .pattern = "{\"source\":[\"aws.backup\"]}", .matches = true},
    {.name = "one of several", .pattern = "{\"source\":[\"aws.rds\",\"aws.backup\"]}", .matches = true},
    {.name = "another value", .pattern = "{\"source\":[\"aws.rds\"]}"},
    {.name = "nested", .pattern = "{\"detail\":{\"state\":[\"COMPLETED\"]}}", .matches = true},
    {.name = "deeply", .pattern = "{\"detail\":{\"inner\":{\"deep\":[true]}}}", .matches = true},
    {.name = "deeply, another", .pattern = "{\"detail\":{\"inner\":{\"deep\":[false]}}}"},
    {.name = "below what is no object", .pattern = "{\"source\":{\"a\":[1]}}"},
    {.name = "a number", .pattern = "{\"detail\":{\"percent\":[42]}}", .matches = true},
    {.name = "a number is no text", .pattern = "{\"detail\":{\"percent\":[\"42\"]}}"},
    {.name = "null", .pattern = "{\"detail\":{\"none\":[null]}}", .matches = true},
    {.name = "one of a list of values", .pattern = "{\"resources\":[\"arn:b\"]}", .matches = true},
    {.name = "prefix", .pattern = "{\"source\":[{\"prefix\":\"aws.\"}]}", .matches = true},
    {.name = "another prefix", .pattern = "{\"source\":[{\"prefix\":\"x\"}]}"},
    {.name = "suffix", .pattern = "{\"source\":[{\"suffix\":\"up\"}]}", .matches = true},
    {.name = "any case",
     .pattern = "{\"source\":[{\"equals-ignore-case\":\"AWS.Backup\"}]}",
     .matches = true},
    {.name = "wildcard", .pattern = "{\"source\":[{\"wildcard\":\"a*.b*\"}]}", .matches = true},
    {.name = "anything but", .pattern = "{\"source\":[{\"anything-but\":\"aws.rds\"}]}", .matches = true},
    {.name = "anything but that",
     .pattern = "{\"source\":[{\"anything-but\":[\"aws.rds\",\"aws.backup\"]}]}"},
    {.name = "anything but a prefix", .pattern = "{\"source\":[{\"anything-but\":{\"prefix\":\"aws.\"}}]}"},
    {.name = "anything but needs a value", .pattern = "{\"absent\":[{\"anything-but\":\"x\"}]}"},
    {.name = "a range",
     .pattern = "{\"detail\":{\"percent\":[{\"numeric\":[\">\",0,\"<=\",42]}]}}",
     .matches = true},
    {.name = "out of range", .pattern = "{\"detail\":{\"percent\":[{\"numeric\":[\">\",42]}]}}"},
    {.name = "exists", .pattern = "{\"detail\":{\"state\":[{\"exists\":true}]}}", .matches = true},
    {.name = "does not exist", .pattern = "{\"detail\":{\"absent\":[{\"exists\":false}]}}", .matches = true},
    {.name = "exists after all", .pattern = "{\"detail\":{\"state\":[{\"exists\":false}]}}"},
    {.name = "all members count", .pattern = "{\"source\":[\"aws.backup\"],\"account\":[\"222222222222\"]}"},
};

static void test_pattern(void **state)
{
    const struct pattern_row *row = *state;
    AUTO_JSON struct json *input = json_new_object();

    json_set_text(input, "EventPattern", row->pattern);
    json_set_text(input, "Event", EVENT);
    AUTO_FREE char *body = json_to_text(input);
    assert_number(events("TestEventPattern", body), 200);
    assert_int_equal(json_get_bool(client.json, "Result", !row->matches), row->matches);
}

/* ---- what is refused ---- */

#define RULE(rest) "{\"Name\":\"r\",\"EventPattern\":" rest "}"

static const struct refused_row {
    const char *name, *operation, *body, *error;
} refused_rows[] = {
    {.name = "no pattern",
     .operation = "PutRule",
     .body = "{\"Name\":\"r\"}",
     .error = "ValidationException"},
    {.name = "a bad name",
     .operation = "PutRule",
     .body = "{\"Name\":\"a b\",\"EventPattern\":\"{\\\"source\\\":[\\\"a\\\"]}\"}",
     .error = "ValidationException"},
    {.name = "an empty pattern",
     .operation = "PutRule",
     .body = RULE("\"{}\""),
     .error = "InvalidEventPatternException"},
    {.name = "a pattern without a list",
     .operation = "PutRule",
     .body = RULE("\"{\\\"source\\\":\\\"a\\\"}\""),
     .error = "InvalidEventPatternException"},
    {.name = "an empty list",
     .operation = "PutRule",
     .body = RULE("\"{\\\"source\\\":[]}\""),
     .error = "InvalidEventPatternException"},
    {.name = "an unknown matcher",
     .operation = "PutRule",
     .body = RULE("\"{\\\"source\\\":[{\\\"like\\\":\\\"a\\\"}]}\""),
     .error = "InvalidEventPatternException"},
    {.name = "no such bus",
     .operation = "PutRule",
     .body = "{\"Name\":\"r\",\"EventBusName\":\"none\",\"EventPattern\":\"{\\\"source\\\":[\\\"a\\\"]}\"}",
     .error = "ResourceNotFoundException"},
    {.name = "targets of no rule",
     .operation = "PutTargets",
     .body = "{\"Rule\":\"none\",\"Targets\":[" TO_QUEUE "]}",
     .error = "ResourceNotFoundException"},
    {.name = "a rule with targets is not deleted",
     .operation = "DeleteRule",
     .body = "{\"Name\":\"guests\",\"EventBusName\":\"guests\"}",
     .error = "ValidationException"},
    {.name = "another account's bus without a role",
     .operation = "PutTargets",
     .body = "{\"Rule\":\"guests\",\"EventBusName\":\"guests\",\"Targets\":[{\"Id\":\"b\",\"Arn\":"
             "\"" ARN(PROD, "events", "event-bus/default") "\"}]}",
     .error = "ValidationException"},
    {.name = "a policy statement without Sid",
     .operation = "PutPermission",
     .body = "{\"EventBusName\":\"guests\",\"Policy\":\"{\\\"Statement\\\":[{\\\"Effect\\\":\\\"Allow\\\","
             "\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":\\\"events:PutEvents\\\",\\\"Resource\\\":"
             "\\\"" ARN(STG, "events", "event-bus/guests") "\\\"}]}\"}",
     .error = "ValidationException"},
    {.name = "a policy statement with an empty Sid",
     .operation = "PutPermission",
     .body =
         "{\"EventBusName\":\"guests\",\"Policy\":\"{\\\"Statement\\\":[{\\\"Sid\\\":\\\"\\\",\\\"Effect\\\":"
         "\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":\\\"events:PutEvents\\\",\\\"Resource\\\":"
         "\\\"" ARN(STG, "events", "event-bus/guests") "\\\"}]}\"}",
     .error = "ValidationException"},
    {.name = "a policy for another bus",
     .operation = "PutPermission",
     .body =
         "{\"EventBusName\":\"guests\",\"Policy\":\"{\\\"Statement\\\":[{\\\"Sid\\\":\\\"a\\\","
         "\\\"Effect\\\":"
         "\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":\\\"events:PutEvents\\\",\\\"Resource\\\":"
         "\\\"" ARN(STG, "events", "event-bus/default") "\\\"}]}\"}",
     .error = "ValidationException"},
    {.name = "an empty statement id",
     .operation = "PutPermission",
     .body = "{\"Action\":\"events:PutEvents\",\"Principal\":\"" PROD "\",\"StatementId\":\"\"}",
     .error = "ValidationException"},
    {.name = "no entries",
     .operation = "PutEvents",
     .body = "{\"Entries\":[]}",
     .error = "ValidationException"},
    {.name = "eleven entries",
     .operation = "PutEvents",
     .body = "{\"Entries\":[{},{},{},{},{},{},{},{},{},{},{}]}",
     .error = "ValidationException"},
    {.name = "a bus of that name is there",
     .operation = "CreateEventBus",
     .body = "{\"Name\":\"guests\"}",
     .error = "ResourceAlreadyExistsException"},
    {.name = "the default bus stays",
     .operation = "DeleteEventBus",
     .body = "{\"Name\":\"default\"}",
     .error = "ValidationException"},
    {.name = "a bus with rules stays",
     .operation = "DeleteEventBus",
     .body = "{\"Name\":\"guests\"}",
     .error = "ValidationException"},
};

static void test_refused(void **state)
{
    const struct refused_row *row = *state;

    assert_number(events(row->operation, row->body), 400);
    assert_awssim_error(&client, row->error);
}

/* ---- PutEvents ---- */

static const struct entry_row {
    const char *name, *entry, *error;
} entry_rows[] = {
    {.name = "good", .entry = ENTRY},
    {.name = "for a bus that is not there",
     .entry = "{\"Source\":\"app\",\"DetailType\":\"t\",\"Detail\":\"{}\",\"EventBusName\":\"none\"}"},
    {.name = "a source of AWS",
     .entry = "{\"Source\":\"aws.backup\",\"DetailType\":\"t\",\"Detail\":\"{}\"}",
     .error = "NotAuthorizedForSourceException"},
    {.name = "without a type", .entry = "{\"Source\":\"app\",\"Detail\":\"{}\"}", .error = "InvalidArgument"},
    {.name = "a detail that is no JSON",
     .entry = "{\"Source\":\"app\",\"DetailType\":\"t\",\"Detail\":\"hi\"}",
     .error = "MalformedDetail"},
    {.name = "a detail that is no object",
     .entry = "{\"Source\":\"app\",\"DetailType\":\"t\",\"Detail\":\"[]\"}",
     .error = "MalformedDetail"},
};

/* One bad entry spoils only itself, and the status says nothing of it. */
static void test_entry(void **state)
{
    const struct entry_row *row = *state;
    AUTO_FREE char *body = xasprintf("{\"Entries\":[" ENTRY ",%s]}", row->entry);

    assert_number(events("PutEvents", body), 200);
    assert_number(json_get_int(client.json, "FailedEntryCount", -1), row->error ? 1 : 0);
    assert_text_equal(awssim_text(&client, "Entries[1].ErrorCode"), row->error);
    assert_true(awssim_text(&client, "Entries[0].EventId") != NULL);
}

static void test_too_large(void **state)
{
    size_t size = 256 * KIB;
    AUTO_FREE char *filler = xcalloc(1, size + 1);

    (void)state;
    memset(filler, 'x', size);
    AUTO_FREE char *body = xasprintf(
        "{\"Entries\":[{\"Source\":\"app\",\"DetailType\":\"t\",\"Detail\":\"{\\\"a\\\":\\\"%s\\\"}\"}]}",
        filler);
    assert_number(events("PutEvents", body), 400);
    assert_awssim_error(&client, "ValidationException");
}

/* ---- delivery ---- */

static void test_an_event_reaches_the_queue(void **state)
{
    AUTO_JSON struct json *event = NULL;

    (void)state;
    put_rule("mine", "{\"source\":[\"app\"],\"detail\":{\"n\":[1]}}", TO_QUEUE);
    assert_number(events("PutEvents", "{\"Entries\":[" ENTRY "]}"), 200);
    AUTO_FREE char *id = xstrdup(awssim_text(&client, "Entries[0].EventId"));
    assert_number((int64_t)arrived(), 1);
    assert_no_err(json_parse(str_of(awssim_text(&client, "Messages[0].Body")), NULL, &event));
    assert_text_equal(json_get_text(event, "id", NULL), id);
    assert_text_equal(json_get_text(event, "account", NULL), STG);
    assert_text_equal(json_get_text(event, "detail-type", NULL), "Hello");
    assert_text_equal(json_get_text(event, "time", NULL), "2026-11-22T16:00:00Z");
    assert_number(json_get_int(event, "detail.n", 0), 1);
}

static void test_a_rule_that_is_off_or_does_not_match_sends_nothing(void **state)
{
    (void)state;
    put_rule("mine", "{\"source\":[\"app\"]}", TO_QUEUE);
    put_rule("other", "{\"source\":[\"else\"]}", TO_QUEUE);
    assert_number(events("DisableRule", "{\"Name\":\"mine\"}"), 200);
    assert_number(events("PutEvents", "{\"Entries\":[" ENTRY "]}"), 200);
    assert_number((int64_t)arrived(), 0);
    assert_number(events("EnableRule", "{\"Name\":\"mine\"}"), 200);
    assert_number(events("PutEvents", "{\"Entries\":[" ENTRY "]}"), 200);
    assert_number((int64_t)arrived(), 1);
}

static void test_a_queue_without_a_policy_gets_nothing(void **state)
{
    (void)state;
    put_rule("mine", "{\"source\":[\"app\"]}", "{\"Id\":\"q\",\"Arn\":\"" ARN(STG, "sqs", "closed") "\"}");
    assert_number(events("PutEvents", "{\"Entries\":[" ENTRY "]}"), 200);
    awssim_client_advance(&client, SECONDS(5));
    const struct json *target = world_part(&client, "events.rules[1].targets[0]");
    assert_number(json_get_int(target, "failed", 0), 1);
    assert_text_contains(json_get_text(target, "failure", ""), "does not allow sqs:SendMessage");
}

/* ---- between accounts ---- */

#define TO_BUS(role)                                                                                        \
    "{\"Id\":\"b\",\"Arn\":\"" ARN(STG, "events", "event-bus/guests") "\",\"RoleArn\":\"arn:aws:iam::" PROD \
                                                                      ":role/" role "\"}"

static void allow_production(void)
{
    as_staging();
    assert_number(events("PutPermission",
                         "{\"EventBusName\":\"guests\",\"Action\":\"events:PutEvents\",\"Principal\":\"" PROD
                         "\",\"StatementId\":\"production\"}"),
                  200);
}

static void test_forwarding_needs_the_policy_of_the_bus(void **state)
{
    AUTO_JSON struct json *event = NULL;

    (void)state;
    as_production();
    put_rule("forward", "{\"source\":[\"app\"]}", TO_BUS("sender"));
    assert_number(events("PutEvents", "{\"Entries\":[" ENTRY "]}"), 200);
    assert_number((int64_t)arrived(), 0);
    allow_production();
    as_production();
    assert_number(events("PutEvents", "{\"Entries\":[" ENTRY "]}"), 200);
    assert_number((int64_t)arrived(), 1);
    assert_no_err(json_parse(str_of(awssim_text(&client, "Messages[0].Body")), NULL, &event));
    assert_text_equal(json_get_text(event, "account", NULL), PROD);
    assert_number(events("RemovePermission", "{\"EventBusName\":\"guests\",\"StatementId\":\"production\"}"),
                  200);
    as_production();
    assert_number(events("PutEvents", "{\"Entries\":[" ENTRY "]}"), 200);
    assert_number((int64_t)arrived(), 0);
}

static void test_the_organisation_may_be_let_in(void **state)
{
    (void)state;
    assert_number(events("PutPermission", "{\"EventBusName\":\"guests\",\"Action\":\"events:PutEvents\","
                                          "\"Principal\":\"*\",\"StatementId\":"
                                          "\"all\",\"Condition\":{\"Type\":\"StringEquals\",\"Key\":\"aws:"
                                          "PrincipalOrgID\",\"Value\":\"o-one\"}}"),
                  200);
    as_production();
    put_rule("forward", "{\"source\":[\"app\"]}", TO_BUS("sender"));
    assert_number(events("PutEvents", "{\"Entries\":[" ENTRY "]}"), 200);
    assert_number((int64_t)arrived(), 1);
}

static void test_forwarding_needs_a_role_that_may(void **state)
{
    (void)state;
    allow_production();
    as_production();
    put_rule("forward", "{\"source\":[\"app\"]}", TO_BUS("weak"));
    assert_number(events("PutEvents", "{\"Entries\":[" ENTRY "]}"), 200);
    assert_number((int64_t)arrived(), 0);
    as_production();
    assert_number(events("PutTargets", "{\"Rule\":\"forward\",\"Targets\":[" TO_BUS("other") "]}"), 400);
    assert_text_contains(awssim_text(&client, "message"), "cannot be assumed by principal");
}

/* What a second PutRule does not say is cleared; targets stay. */
static void test_a_rule_is_replaced(void **state)
{
    (void)state;
    assert_number(events("PutRule", "{\"Name\":\"r\",\"EventPattern\":\"{\\\"source\\\":[\\\"a\\\"]}\","
                                    "\"Description\":\"d\",\"State\":\"DISABLED\"}"),
                  200);
    assert_number(events("PutTargets", "{\"Rule\":\"r\",\"Targets\":[" TO_QUEUE "]}"), 200);
    assert_number(events("PutRule", "{\"Name\":\"r\",\"EventPattern\":\"{\\\"source\\\":[\\\"b\\\"]}\"}"),
                  200);
    assert_number(events("DescribeRule", "{\"Name\":\"r\"}"), 200);
    assert_text_equal(awssim_text(&client, "Description"), NULL);
    assert_text_equal(awssim_text(&client, "State"), "ENABLED");
    assert_text_contains(awssim_text(&client, "EventPattern"), "\"b\"");
    assert_number(events("ListTargetsByRule", "{\"Rule\":\"r\"}"), 200);
    assert_number((int64_t)json_count(json_at(client.json, "Targets")), 1);
}

static void test_a_rule_has_five_targets(void **state)
{
    (void)state;
    assert_number(events("PutRule", "{\"Name\":\"r\",\"EventPattern\":\"{\\\"source\\\":[\\\"a\\\"]}\"}"),
                  200);
    for (int i = 0; i < 6; i++) {
        AUTO_FREE char *body =
            xasprintf("{\"Rule\":\"r\",\"Targets\":[{\"Id\":\"t%d\",\"Arn\":\"" QUEUE_ARN "\"}]}", i);

        assert_number(events("PutTargets", body), i < 5 ? 200 : 400);
    }
    assert_awssim_error(&client, "LimitExceededException");
}

static void test_a_policy_of_a_bus_has_ten_kilobytes(void **state)
{
    AUTO_BUF struct buf sid = BUF_MAX(16 * KIB);

    (void)state;
    while (sid.len < 10 * KIB)
        buf_adds(&sid, "aaaaaaaaaaaaaaaa");
    AUTO_FREE char *body =
        xasprintf("{\"EventBusName\":\"guests\",\"Policy\":\"{\\\"Statement\\\":[{\\\"Sid\\\":\\\"%s\\\","
                  "\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":"
                  "\\\"events:PutEvents\\\"}]}\"}",
                  buf_text(&sid));
    assert_number(events("PutPermission", body), 400);
    assert_awssim_error(&client, "PolicyLengthExceededException");
}

static void test_targets_are_removed_and_the_rule_goes(void **state)
{
    (void)state;
    assert_number(
        events("RemoveTargets", "{\"Rule\":\"guests\",\"EventBusName\":\"guests\",\"Ids\":[\"q\",\"none\"]}"),
        200);
    assert_number(json_get_int(client.json, "FailedEntryCount", 0), 1);
    assert_number(events("DeleteRule", "{\"Name\":\"guests\",\"EventBusName\":\"guests\"}"), 200);
    assert_number(events("DescribeRule", "{\"Name\":\"guests\",\"EventBusName\":\"guests\"}"), 400);
    assert_number(events("DeleteEventBus", "{\"Name\":\"guests\"}"), 200);
    assert_number(events("DescribeEventBus", "{\"Name\":\"guests\"}"), 400);
}

int main(void)
{
    struct tests tests = tests_in(world);

    TEST_ROWS(&tests, test_pattern, pattern_rows);
    TEST_ROWS(&tests, test_refused, refused_rows);
    TEST_ROWS(&tests, test_entry, entry_rows);
    TEST(&tests, test_too_large);
    TEST(&tests, test_an_event_reaches_the_queue);
    TEST(&tests, test_a_rule_that_is_off_or_does_not_match_sends_nothing);
    TEST(&tests, test_a_queue_without_a_policy_gets_nothing);
    TEST(&tests, test_forwarding_needs_the_policy_of_the_bus);
    TEST(&tests, test_the_organisation_may_be_let_in);
    TEST(&tests, test_forwarding_needs_a_role_that_may);
    TEST(&tests, test_a_rule_is_replaced);
    TEST(&tests, test_a_rule_has_five_targets);
    TEST(&tests, test_a_policy_of_a_bus_has_ten_kilobytes);
    TEST(&tests, test_targets_are_removed_and_the_rule_goes);
    return tests_run(&tests, "awssim events");
}
