/* With a queue of events: a job's end is heard of within seconds, AWS is asked far less often, and nothing
 * that a queue does or fails to do changes what comes of a refresh. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define TARGET_BACKUP "    serviceRoleARN: arn:aws:iam::222222222222:role/AWSBackupStagingRefresh\n"
#define QUEUE(name)                                                                                          \
    TARGET_BACKUP,                                                                                           \
        TARGET_BACKUP "  events:\n    queueURL: https://sqs.ap-northeast-1.amazonaws.com/222222222222/" name \
                      "\n",                                                                                  \
        NULL

static const char *const with_queue[] = {QUEUE("staging-refresh")};
static const char *const with_missing_queue[] = {QUEUE("not-there")};

/* The event is at the bus the moment it happens: what is left is the way through the queue to the next call.
 */
static const char *const prompt_world[] = {
    "durations:\n", "durations:\n  events: {backup: 0s, rds: 0s, delivery: 0s}\n", NULL};

static int64_t time_of(const struct json *row, const char *path)
{
    int64_t wall_ms = 0;

    time_parse(str_of(json_get_text(row, path, "")), &wall_ms);
    return wall_ms;
}

/* The next call that the journal has at or after that moment. */
static int64_t next_start_ms(const struct json *journal, const char *operation, int64_t after_ms)
{
    json_each (row, journal) {
        int64_t at_ms = time_of(row, "time");

        if (text_equal(json_get_text(row, "operation", ""), operation) && at_ms >= after_ms)
            return at_ms;
    }
    return 0;
}

/* From the end of each backup and copy to the start of what follows: the worst one. */
static int64_t worst_gap_ms(struct scenario *scenario)
{
    static const struct {
        const char *step, *next;
    } pairs[] = {{"StartBackupJob", "StartCopyJob"}, {"StartCopyJob", "StartRestoreJob"}};
    /* Of the world's file, with the time before a job runs. */
    static const int64_t takes_ms[][2] = {{MINUTES(12) + SECONDS(25), MINUTES(3) + SECONDS(25)},
                                          {MINUTES(40) + SECONDS(5), MINUTES(6) + SECONDS(5)}};
    const struct json *journal = scenario_journal(scenario);
    int64_t worst_ms = 0;

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        json_each (row, journal) {
            bool table = strstr(json_get_text(row, "resource", ""), "table/") != NULL ||
                         strstr(json_get_text(row, "resource", ""), "recovery-point:") != NULL;
            int64_t end_ms = time_of(row, "time") + takes_ms[i][table], next_ms;

            if (!text_equal(json_get_text(row, "operation", ""), pairs[i].step))
                continue;
            next_ms = next_start_ms(journal, pairs[i].next, end_ms);
            if (next_ms - end_ms > worst_ms)
                worst_ms = next_ms - end_ms;
        }
    }
    return worst_ms;
}

/* Looks at jobs of AWS Backup. */
static int64_t looks_at_jobs(struct scenario *scenario)
{
    int64_t count = 0;

    json_each (row, scenario_calls(scenario)) {
        const char *operation = json_get_text(row, "operation", "");

        if (str_ends(str_of(operation), "Job") || str_ends(str_of(operation), "Jobs"))
            count += str_starts(str_of(operation), "Start") ? 0 : json_get_int(row, "count", 0);
    }
    return count;
}

static void hears_within_seconds_and_asks_less(void **state UNUSED)
{
    int64_t looks[2], worst[2];

    for (int hears = 0; hears <= 1; hears++) {
        AUTO_SCENARIO struct scenario *scenario = scenario_new(&(struct scenario_opts){
            .seed = 7, .world_edits = prompt_world, .manifest_edits = hears ? with_queue : NULL});
        AUTO_FREE char *faults = NULL;

        scenario_run(scenario);
        faults = check_all(scenario);
        assert_text_equal(faults, NULL);
        looks[hears] = looks_at_jobs(scenario);
        worst[hears] = worst_gap_ms(scenario);
    }
    print_message("from a job's end to the next call: %lld ms without a queue, %lld ms with one, at worst\n",
                  (long long)worst[0], (long long)worst[1]);
    print_message("looks at jobs: %lld without, %lld with\n", (long long)looks[0], (long long)looks[1]);
    /* Virtual time: the way there and back takes up to 0.4 s for each call. */
    assert_in_range(worst[1], 1, 2000);
    assert_true(worst[1] < worst[0]);
    assert_in_range(looks[1], 1, looks[0] * 2 / 3);
}

/* --- whatever the queue does --- */

static const char *const bad_queues[] = {
    "{\"match\": {\"service\": \"sqs\", \"probability\": 0.3}, \"action\": \"throttle\"}",
    "{\"match\": {\"service\": \"sqs\", \"probability\": 0.3}, \"action\": \"error\"}",
    "{\"match\": {\"service\": \"sqs\", \"probability\": 0.2}, \"action\": \"drop-reply\"}",
    NULL,
};

static char *check_one(uint64_t seed, void *arg UNUSED)
{
    AUTO_VARIANT struct variant variant = {0};
    AUTO_SCENARIO struct scenario *scenario = NULL;

    variant_init(&variant, seed);
    variant.opts.manifest_edits = seed % 5 ? with_queue : with_missing_queue;
    if (seed % 2)
        variant_add_crashes(&variant, 350);
    if (seed % 3 == 0)
        variant.opts.faults = bad_queues;
    scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    return check_all(scenario);
}

static void nothing_that_a_queue_does_matters(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){
        .name = "event_queue", .first = 1, .count = 40, .kind = SEEDS_MANY, .check = check_one}));
}

static void a_queue_that_is_missing_is_said(void **state UNUSED)
{
    static const struct object_id staging = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "staging"};
    AUTO_SCENARIO struct scenario *scenario = scenario_new(&(struct scenario_opts){
        .seed = 3, .world_edits = scenario_quick_world, .manifest_edits = with_missing_queue});
    const struct json *account;
    bool found = false;

    scenario_run(scenario);
    account = memory_get(scenario_memory(scenario), &staging);
    json_each (condition, json_at(account, "status.conditions")) {
        if (!text_equal(json_get_text(condition, "type", ""), "EventQueue"))
            continue;
        found = true;
        assert_text_equal(json_get_text(condition, "status", ""), "False");
        assert_text_equal(json_get_text(condition, "reason", ""), "QueueDoesNotExist");
        assert_non_null(strstr(json_get_text(condition, "message", ""), "looked at by the clock alone"));
    }
    assert_true(found);
    assert_non_null(strstr(memory_events(scenario_memory(scenario)),
                           "Warning staging QueueDoesNotExist: No events are received"));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, hears_within_seconds_and_asks_less);
    TEST(&tests, a_queue_that_is_missing_is_said);
    TEST(&tests, nothing_that_a_queue_does_matters);
    return tests_run(&tests, "events");
}
