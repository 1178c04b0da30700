/* More refreshes at a time than AWS runs jobs at once: all come through, each backup, copy and restore is
 * made once, and nobody is called for what passes when other jobs end. */
#include "tests/simulation/crowd.h"

#include "pkg/base/buf.h"
#include "pkg/base/sched.h"
#include "tests/testing/assertions.h"

#define COUNT 12
#define FIVE "backups: 5, auroraCopies: 5, auroraRestores: 3, "
#define LIMIT_MS HOURS(10)
/* A step may take 23 hours here. */
#define LONG_LIMIT_MS HOURS(30)

struct seen {
    int64_t count; /* of refreshes */
    bool stalled;
};

static bool is_stalled(const struct json *object)
{
    json_each (condition, json_at(object, "status.conditions"))
        if (text_equal(json_get_text(condition, "type", ""), "Stalled") &&
            text_equal(json_get_text(condition, "status", ""), "True"))
            return true;
    return false;
}

static bool some_run(void *arg, struct crowd *crowd)
{
    struct seen *seen = arg;
    bool runs = false;

    for (int64_t i = 0; i < seen->count; i++) {
        const struct json *object = crowd_refresh(crowd, i);

        runs = runs || !json_at(object, "status.run.completionTime");
        seen->stalled = seen->stalled || is_stalled(object);
    }
    return runs;
}

static void check_end(const struct crowd *crowd, int64_t index, struct buf *faults)
{
    const struct json *object = crowd_refresh(crowd, index);

    if (text_equal(json_get_text(object, "status.phase", ""), "Succeeded"))
        return;
    buf_addf(faults, "shop-%lld is %s: %s\n", (long long)index,
             json_get_text(object, "status.phase", "absent"),
             json_get_text(object, "status.databases[0].lastError", ""));
    json_each (condition, json_at(object, "status.conditions"))
        buf_addf(faults, "  %s %s: %s\n", json_get_text(condition, "type", ""),
                 json_get_text(condition, "reason", ""), json_get_text(condition, "message", ""));
}

static int64_t count_starts(const struct json *journal, const char *operation, const char *effect)
{
    int64_t count = 0;

    json_each (row, journal)
        count += text_equal(json_get_text(row, "operation", ""), operation) &&
                 text_equal(json_get_text(row, "effect", ""), effect);
    return count;
}

static int64_t count_jobs(const struct json *world, int64_t account, const char *path, const char *state)
{
    int64_t count = 0;

    json_each (job, json_at(json_item(json_at(world, "accounts"), (size_t)account), path))
        count += text_equal(json_get_text(job, "state", ""), state);
    return count;
}

static const struct row {
    const char *name, *limits;
    bool refuses, fails; /* starts, jobs */
} rows[] = {
    {.name = "jobs wait", .limits = FIVE "atLimit: wait"},
    {.name = "starts are refused", .limits = FIVE "atLimit: refuse", .refuses = true},
    {.name = "jobs fail", .limits = FIVE "atLimit: fail", .fails = true},
};

static const struct kind {
    const char *operation, *path;
    int64_t account;
} kinds[] = {
    {.operation = "StartBackupJob", .path = "backup.backupJobs", .account = 0},
    {.operation = "StartCopyJob", .path = "backup.copyJobs", .account = 0},
    {.operation = "StartRestoreJob", .path = "backup.restoreJobs", .account = 1},
};

static void all_come_through(void **state)
{
    const struct row *row = *state;
    AUTO_CROWD struct crowd *crowd =
        crowd_new(&(struct crowd_opts){.count = COUNT, .seed = 1, .limits = row->limits});
    AUTO_BUF struct buf faults = BUF_MAX(4 * MIB);
    struct seen seen = {.count = COUNT};

    crowd_run(crowd, LIMIT_MS, some_run, &seen);
    AUTO_JSON struct json *journal = crowd_ask(crowd, "/_sim/journal");
    AUTO_JSON struct json *world = crowd_ask(crowd, "/_sim/world");
    for (int64_t i = 0; i < COUNT; i++)
        check_end(crowd, i, &faults);
    assert_text_equal(buf_text(&faults), "");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        int64_t created = count_starts(journal, kinds[i].operation, "created");
        int64_t completed = count_jobs(world, kinds[i].account, kinds[i].path, "COMPLETED");
        int64_t failed = count_jobs(world, kinds[i].account, kinds[i].path, "FAILED");

        print_message("%s: %lld created, %lld refused, %lld failed\n", kinds[i].operation, (long long)created,
                      (long long)count_starts(journal, kinds[i].operation, "refused"), (long long)failed);
        assert_number(completed, COUNT);
        assert_number(created, COUNT + failed);
        assert_int_equal(failed > 0, row->fails);
        assert_int_equal(count_starts(journal, kinds[i].operation, "refused") > 0, row->refuses);
    }
    print_message("%lld minutes\n", (long long)(crowd_now_ms(crowd) / MINUTES(1)));
    assert_false(seen.stalled);
}

/* The crowd is somebody else's and never goes: the step's time-out ends it, and says why. */
static void a_limit_that_does_not_pass_ends_the_run(void **state UNUSED)
{
    static const char *const faults[] = {
        "{\"match\": {\"operation\": \"StartCopyJob\"}, \"action\": \"fail-job\", "
        "\"message\": \"There are too many copy jobs running for resource.\"}",
        NULL,
    };
    AUTO_CROWD struct crowd *crowd = crowd_new(&(struct crowd_opts){.count = 1, .seed = 1, .faults = faults});
    struct seen seen = {.count = 1};

    crowd_run(crowd, LONG_LIMIT_MS, some_run, &seen);
    const struct json *object = crowd_refresh(crowd, 0);
    assert_text_equal(json_get_text(object, "status.phase", NULL), "Failed");
    assert_true(crowd_now_ms(crowd) > HOURS(23));
    AUTO_FREE char *text = json_to_text(json_at(object, "status.conditions"));
    assert_text_contains(text, "TooManyJobs");
    assert_text_contains(text, "too many copy jobs");
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, all_come_through, rows);
    TEST(&tests, a_limit_that_does_not_pass_ends_the_run);
    return tests_run(&tests, "limits");
}
