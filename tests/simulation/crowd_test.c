/* Many refreshes at a time while nearly a third of all calls to AWS fails: all come through, and nothing is
 * started twice. */
#include "tests/simulation/crowd.h"

#include <stdlib.h>
#include <string.h>

#include "pkg/base/buf.h"
#include "pkg/base/sched.h"
#include "tests/testing/assertions.h"

#define COUNT 200
#define COUNT_IN_BRIEF 20
/* Without trouble it is 99 minutes, most of it the jobs' own time. */
#define LIMIT_MS HOURS(3)

/* Each is drawn by itself and the oldest strikes: together 30 of 100 calls, 15 throttled, 7.5 refused with a
 * 500, 3.75 done all the same, and 3.75 done without an answer. */
static const char *const trouble[] = {
    "{\"match\": {\"probability\": 0.15}, \"action\": \"throttle\"}",
    "{\"match\": {\"probability\": 0.0882}, \"action\": \"error\"}",
    "{\"match\": {\"probability\": 0.0484}, \"action\": \"error\", \"after\": true}",
    "{\"match\": {\"probability\": 0.0508}, \"action\": \"drop-reply\"}",
    NULL,
};

/* The whole crowd takes half a minute, many times that with sanitizers: it comes where nothing limits the
 * seeds. */
static bool in_brief(void)
{
    int64_t wanted = 0;

    return getenv("SR_SEEDS") && str_to_int(str_of(getenv("SR_SEEDS")), &wanted) && wanted <= 200;
}

static uint64_t wanted_seed(void)
{
    int64_t seed = 1;

    if (getenv("SR_SEED") && !str_to_int(str_of(getenv("SR_SEED")), &seed))
        fail_msg("SR_SEED is not a number");
    return (uint64_t)seed;
}

/* --- while it runs --- */

static bool some_run(void *arg, struct crowd *crowd)
{
    const int64_t *count = arg;

    for (int64_t i = 0; i < *count; i++) {
        if (!json_at(crowd_refresh(crowd, i), "status.run.completionTime"))
            return true;
    }
    return false;
}

/* --- what came of it --- */

static void check_end(const struct crowd *crowd, int64_t index, struct buf *faults)
{
    const struct json *object = crowd_refresh(crowd, index);

    if (text_equal(json_get_text(object, "status.phase", ""), "Succeeded"))
        return;
    buf_addf(faults, "shop-%lld is %s:", (long long)index, json_get_text(object, "status.phase", "absent"));
    json_each (condition, json_at(object, "status.conditions"))
        buf_addf(faults, " %s %s: %s;", json_get_text(condition, "type", ""),
                 json_get_text(condition, "reason", ""), json_get_text(condition, "message", ""));
    buf_adds(faults, "\n");
}

static void check_parameters(const struct crowd *crowd, struct buf *faults)
{
    AUTO_JSON struct json *world = crowd_ask(crowd, "/_sim/world");
    const struct json *staging = json_item(json_at(world, "accounts"), 1);

    json_each (parameter, json_at(staging, "ssm.parameters")) {
        const char *name = json_get_text(parameter, "name", "");
        int64_t index = -1;

        struct str rest = str_from(str_of(name), strlen("/shop/")), piece;
        if (!str_cut(&rest, '/', &piece) || !str_to_int(piece, &index))
            fail_msg("what parameter is %s?", name);
        const char *want =
            json_get_text(crowd_refresh(crowd, index), "status.databases[0].endpoint", "absent");
        const char *got = json_get_text(parameter, "value", "");
        if (!text_equal(got, want))
            buf_addf(faults, "%s is %s, expected %s\n", name, got, want);
    }
}

/* One effect for each database or recovery point, each under a token of its own. */
static void check_once(const struct json *journal, const char *operation, int64_t count, struct buf *faults)
{
    AUTO_JSON struct json *resources = json_new_object();
    AUTO_JSON struct json *tokens = json_new_object();
    int64_t created = 0;

    json_each (row, journal) {
        if (!text_equal(json_get_text(row, "operation", ""), operation) ||
            !text_equal(json_get_text(row, "effect", ""), "created"))
            continue;
        created++;
        json_set_bool(resources, json_get_text(row, "resource", ""), true);
        json_set_bool(tokens, json_get_text(row, "token", ""), true);
    }
    if (created != count || json_count(resources) != (size_t)count || json_count(tokens) != (size_t)count)
        buf_addf(faults, "%s: %lld created, of %zu things, under %zu tokens; expected %lld each\n", operation,
                 (long long)created, json_count(resources), json_count(tokens), (long long)count);
}

static int64_t count_calls(const struct crowd *crowd)
{
    AUTO_JSON struct json *calls = crowd_ask(crowd, "/_sim/calls");
    int64_t sum = 0;

    json_each (row, calls)
        sum += json_get_int(row, "count", 0);
    return sum;
}

static void all_come_through_and_nothing_is_started_twice(void **state UNUSED)
{
    static const char *const once[] = {"StartBackupJob", "StartCopyJob", "StartRestoreJob"};
    int64_t count = in_brief() ? COUNT_IN_BRIEF : COUNT;
    AUTO_CROWD struct crowd *crowd =
        crowd_new(&(struct crowd_opts){.count = count, .seed = wanted_seed(), .faults = trouble});
    AUTO_JSON struct json *journal = NULL;
    AUTO_BUF struct buf faults = BUF_MAX(4 * MIB);

    crowd_run(crowd, LIMIT_MS, some_run, &count);
    print_message("%lld refreshes: %lld minutes, %lld calls, %lld of them failed and were made again\n",
                  (long long)count, (long long)(crowd_now_ms(crowd) / MINUTES(1)),
                  (long long)count_calls(crowd), (long long)crowd_failed_requests(crowd));
    journal = crowd_ask(crowd, "/_sim/journal");
    for (int64_t i = 0; i < count; i++)
        check_end(crowd, i, &faults);
    check_parameters(crowd, &faults);
    for (size_t i = 0; i < COUNT_OF(once); i++)
        check_once(journal, once[i], count, &faults);
    assert_text_equal(buf_text(&faults), "");
    /* The trouble was there. */
    assert_in_range(crowd_failed_requests(crowd), count_calls(crowd) / 4, count_calls(crowd) * 2 / 5);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, all_come_through_and_nothing_is_started_twice);
    return tests_run(&tests, "crowd");
}
