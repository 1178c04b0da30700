/* With a queue: how soon after an event the next step's call is made, by the world's clock, however many
 * refreshes wait. */
#include "tests/simulation/crowd.h"

#include <string.h>

#include "pkg/base/str.h"
#include "pkg/base/times.h"
#include "tests/testing/assertions.h"

#define LIMIT_MS SECONDS(2)
/* A new password is proved by three looks, five seconds apart or, where many share them, up to ten. */
#define PASSWORD_LIMIT_MS (SECONDS(20) + LIMIT_MS)

/* --- an event and the call that is to follow --- */

struct pair {
    const char *name;
    const char *detail_type, *path, *value; /* the event, and what it must say */
    char *(*key)(const struct json *event); /* part of what the journal says that the call was about; yours */
    const char *next;
    int64_t limit_ms;
};

static char *recovery_point_made(const struct json *event)
{
    return xstrdup(json_get_text(event, "resource", "?"));
}

static char *recovery_point_copied(const struct json *event)
{
    return xstrdup(json_get_text(event, "detail.destinationRecoveryPointArn", "?"));
}

static char *instances_of_restored(const struct json *event)
{
    const char *cluster = strrchr(json_get_text(event, "detail.createdResourceArn", ":?"), ':');

    return xasprintf(":db%s-", cluster);
}

/* "s3-20261122-160000-x4d9q-a" is the only instance of "s3-20261122-160000-x4d9q". */
static char *cluster_of_instance(const struct json *event)
{
    const char *instance = json_get_text(event, "detail.SourceIdentifier", "?");
    const char *dash = strrchr(instance, '-');

    return xasprintf(":cluster:%.*s", dash ? (int)(dash - instance) : 0, instance);
}

/* "s3-..." is the copy of "shop-3". */
static char *parameter_of_cluster(const struct json *event)
{
    struct str rest = str_of(json_get_text(event, "detail.SourceIdentifier", "s?-")), series;

    str_cut(&rest, '-', &series);
    return xasprintf("/shop/%.*s/db_host", (int)series.len - 1, series.ptr + 1);
}

static const struct pair pairs[] = {
    {"a backup has ended", "Backup Job State Change", "detail.state", "COMPLETED", recovery_point_made,
     "StartCopyJob", LIMIT_MS},
    {"a copy has ended", "Copy Job State Change", "detail.state", "COMPLETED", recovery_point_copied,
     "StartRestoreJob", LIMIT_MS},
    {"a restore has ended", "Restore Job State Change", "detail.status", "COMPLETED", instances_of_restored,
     "CreateDBInstance", LIMIT_MS},
    {"an instance is there", "RDS DB Instance Event", "detail.EventID", "RDS-EVENT-0005", cluster_of_instance,
     "ModifyDBCluster", LIMIT_MS},
    {"a password is reset", "RDS DB Cluster Event", "detail.EventID", "RDS-EVENT-0016", parameter_of_cluster,
     "PutParameter", PASSWORD_LIMIT_MS},
};

/* --- how long it took --- */

static int64_t time_of(const struct json *row)
{
    int64_t wall_ms = 0;

    time_parse(str_of(json_get_text(row, "time", "")), &wall_ms);
    return wall_ms;
}

/* -1: it was never made. */
static int64_t gap_ms(const struct json *journal, const struct pair *pair, const struct json *event)
{
    AUTO_FREE char *key = pair->key(event);
    int64_t at_ms = time_of(event);

    json_each (row, journal) {
        if (text_equal(json_get_text(row, "operation", ""), pair->next) && time_of(row) >= at_ms &&
            strstr(json_get_text(row, "resource", ""), key))
            return time_of(row) - at_ms;
    }
    return -1;
}

static void check_pair(const struct json *world, const struct json *journal, const struct pair *pair,
                       int64_t want_count)
{
    int64_t worst_ms = 0, count = 0;

    json_each (event, json_at(world, "events")) {
        int64_t took_ms;

        if (!text_equal(json_get_text(event, "detail-type", ""), pair->detail_type) ||
            !text_equal(json_get_text(event, pair->path, ""), pair->value))
            continue;
        took_ms = gap_ms(journal, pair, event);
        if (took_ms < 0)
            fail_msg("%s: no %s followed", pair->name, pair->next);
        count++;
        if (took_ms > worst_ms)
            worst_ms = took_ms;
    }
    print_message("  %s: %s after at most %lld ms\n", pair->name, pair->next, (long long)worst_ms);
    assert_number(count, want_count);
    assert_in_range(worst_ms, 1, pair->limit_ms);
}

static bool some_run(void *arg, struct crowd *crowd)
{
    const int64_t *count = arg;

    for (int64_t i = 0; i < *count; i++) {
        if (!json_at(crowd_refresh(crowd, i), "status.run.completionTime"))
            return true;
    }
    return false;
}

struct row {
    const char *name;
    int64_t count;
    uint64_t seed;
};

static const struct row rows[] = {
    {"one refresh", 1, 1},
    {"three refreshes", 3, 1},
    {"forty refreshes", 40, 1},
};

static void the_next_call_follows_an_event_within_two_seconds(void **state)
{
    const struct row *row = *state;
    int64_t count = row->count;
    AUTO_CROWD struct crowd *crowd = crowd_new(&(struct crowd_opts){
        .count = count,
        .seed = row->seed,
        .hears_events = true,
        .events_take = "{backup: 0s, rds: 0s, delivery: 0s}",
        /* While it takes its first backup an instance is used already, before its event. */
        .rds_takes = "{instanceBackup: 0s}",
        .habits = "{lostEvents: 0, duplicatedEvents: 0}",
    });
    AUTO_JSON struct json *world = NULL, *journal = NULL;

    crowd_run(crowd, HOURS(3), some_run, &count);
    world = crowd_ask(crowd, "/_sim/world");
    journal = crowd_ask(crowd, "/_sim/journal");
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        check_pair(world, journal, &pairs[i], count);
}

/* --- a queue that can be read, and brings nothing --- */

static int64_t run_takes_ms(const struct crowd_opts *opts)
{
    AUTO_CROWD struct crowd *crowd = crowd_new(opts);
    int64_t count = opts->count;

    crowd_run(crowd, HOURS(5), some_run, &count);
    return crowd_now_ms(crowd);
}

struct bad_queue {
    const char *name, *events_take, *habits;
};

static const struct bad_queue bad_queues[] = {
    {"a queue that brings nothing", NULL, "{lostEvents: 1}"},
    {"a queue that brings everything up to ten minutes late", "{backup: 10m, rds: 10m}", NULL},
};

/* But for how the looks happen to fall, and what happens to be prompt: two minutes for each run at most. */
static void a_bad_queue_costs_no_time(void **state)
{
    const struct bad_queue *bad = *state;
    int64_t without_ms = 0, with_ms = 0;

    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct crowd_opts opts = {.count = 1 + 3 * ((int64_t)seed % 2), .seed = seed};

        without_ms += run_takes_ms(&opts);
        opts.hears_events = true;
        opts.events_take = bad->events_take;
        opts.habits = bad->habits;
        with_ms += run_takes_ms(&opts);
    }
    print_message("  four runs: %lld s without a queue, %lld s with it\n", (long long)(without_ms / 1000),
                  (long long)(with_ms / 1000));
    assert_in_range(with_ms, 1, without_ms + 4 * MINUTES(2));
}

/* --- what people are told --- */

struct told {
    const char *name, *habits, *want; /* status and reason of the condition EventQueue */
};

static const struct told told[] = {
    {"events come, as they use to", NULL, "True Receiving"},
    {"no events come", "{lostEvents: 1}", "False EventsMissing"},
};

static void tells_whether_events_come(void **state)
{
    const struct told *row = *state;
    int64_t count = 4;
    AUTO_CROWD struct crowd *crowd = crowd_new(
        &(struct crowd_opts){.count = count, .seed = 1, .hears_events = true, .habits = row->habits});
    AUTO_FREE char *got = NULL;

    crowd_run(crowd, HOURS(3), some_run, &count);
    json_each (condition, json_at(crowd_account(crowd, "staging"), "status.conditions")) {
        if (text_equal(json_get_text(condition, "type", ""), "EventQueue"))
            got = xasprintf("%s %s", json_get_text(condition, "status", ""),
                            json_get_text(condition, "reason", ""));
    }
    assert_text_equal(got, row->want);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, the_next_call_follows_an_event_within_two_seconds, rows);
    TEST_ROWS(&tests, a_bad_queue_costs_no_time, bad_queues);
    TEST_ROWS(&tests, tells_whether_events_come, told);
    return tests_run(&tests, "promptness");
}
