/* Which run of a series came last, by what its objects say of themselves. */
#include "controller/succession.h"

#include "tests/testing/assertions.h"

struct series {
    struct objects objects;
    struct json *items;
    const struct json *first; /* who asks */
};

static void see_each(struct objects *self, enum object_kind kind, const char *group, objects_see_fn *see,
                     void *arg)
{
    const struct series *series = (const struct series *)self;

    json_each (item, series->items) {
        if (objects_is_in_group(kind, item, group) && !see(arg, item))
            return;
    }
}

static const struct objects_ops ops = {.each = see_each};

#define SERIES_MAX 4

/* `a` asks; the texts are statuses, NULL: there are no more. Another target has "elsewhere" in front. */
static void fill(struct series *series, const char *const statuses[SERIES_MAX])
{
    *series = (struct series){.objects = {.ops = &ops}, .items = json_new_array()};
    for (size_t i = 0; i < SERIES_MAX && statuses[i]; i++) {
        bool elsewhere = str_starts(str_of(statuses[i]), "elsewhere");
        AUTO_FREE char *text = xasprintf(
            "{\"metadata\":{\"name\":\"%c\",\"uid\":\"u%zu\",\"namespace\":\"staging\"},\"spec\":{\"series\":"
            "\"s\",\"targetRef\":{\"name\":\"%s\"}},\"status\":{%s}}",
            (char)('a' + (int)i), i, elsewhere ? "other" : "target",
            statuses[i] + (elsewhere ? strlen("elsewhere") : 0));
        struct json *item = NULL;

        assert_no_err(json_parse(str_of(text), NULL, &item));
        json_append(series->items, item);
    }
    series->first = json_first(series->items);
}

static void done(struct series *series)
{
    json_free(series->items);
}

#define AT(hour) "\"2026-11-22T0" hour ":00:00Z\""
#define ENTRY(run, result, hour, end_hour)                                                         \
    "{\"runID\":\"" run "\",\"result\":\"" result "\",\"startTime\":" AT(hour) ",\"completionTime" \
                                                                               "\":" AT(end_hour) "}"
#define HISTORY(list) "\"history\":[" list "]"
#define ENDED(run, hour, end_hour) HISTORY(ENTRY(run, "Succeeded", hour, end_hour))
#define COPY(run, role, hour)                                                                                \
    "{\"runID\":\"" run "\",\"identifier\":\"i-" run "\",\"database\":\"main\",\"kind\":\"Aurora\",\"role\"" \
    ":\"" role "\",\"creationTime\":" AT(hour) "}"
#define COPIES(list) "\"copies\":[" list "]"
#define RUN(state) "\"run\":{\"id\":\"r\"" state "}"
#define ROW(name, state) "\"switchover\":{\"steps\":[{\"name\":\"" name "\",\"state\":\"" state "\"}]}"

/* --- who came later --- */

static const struct later_row {
    const char *name, *statuses[SERIES_MAX];
    const char *object, *run; /* NULL: nobody */
} later_rows[] = {
    {"alone", {ENDED("r1", "1", "2")}, NULL, NULL},
    {"a later one", {ENDED("r1", "1", "2"), ENDED("r2", "3", "4")}, "b", "r2"},
    {"an earlier one", {ENDED("r2", "3", "4"), ENDED("r1", "1", "2")}, NULL, NULL},
    {"the last of several",
     {ENDED("r1", "1", "2"), ENDED("r2", "3", "4"), ENDED("r4", "7", "8"), ENDED("r3", "5", "6")},
     "c",
     "r4"},
    {"a later one that failed",
     {ENDED("r1", "1", "2"), HISTORY(ENTRY("r2", "Failed", "3", "4"))},
     NULL,
     NULL},
    {"one that failed after it had succeeded later",
     {ENDED("r1", "1", "2"), HISTORY(ENTRY("r3", "Failed", "5", "6") "," ENTRY("r2", "Succeeded", "3", "4"))},
     "b",
     "r2"},
    {"one that failed after it had succeeded earlier",
     {ENDED("r2", "3", "4"), HISTORY(ENTRY("r3", "Failed", "5", "6") "," ENTRY("r1", "Succeeded", "1", "2"))},
     NULL,
     NULL},
    {"one on another target", {ENDED("r1", "1", "2"), "elsewhere" ENDED("r2", "3", "4")}, NULL, NULL},
    {"of one that has never succeeded", {"", ENDED("r2", "3", "4")}, NULL, NULL},
    {"its success is forgotten, its copies are not",
     {ENDED("r1", "1", "2"), COPIES(COPY("r2", "InUse", "4"))},
     "b",
     "r2"},
    {"one's own success is forgotten, one's copies are not",
     {COPIES(COPY("r2", "InUse", "3")), ENDED("r1", "1", "2")},
     NULL,
     NULL},
    {"in the same second", {ENDED("r1", "1", "2"), ENDED("r2", "1", "2")}, "b", "r2"},
    {"in the same second, the other way", {ENDED("r2", "1", "2"), ENDED("r1", "1", "2")}, NULL, NULL},
};

static void finds_who_came_later(void **state)
{
    const struct later_row *row = *state;
    AUTO_SUCCESSOR struct successor successor = {0};
    struct series series;

    fill(&series, row->statuses);
    succession_find_later(&series.objects, series.first, &successor);
    assert_text_equal(successor.run_id, row->run);
    assert_text_equal(json_get_text(successor.object, "metadata.name", NULL), row->object);
    done(&series);
}

/* --- who is at work --- */

static const struct changing_row {
    const char *name, *statuses[SERIES_MAX];
    bool changing;
} changing_rows[] = {
    {"nobody", {""}, false},
    {"oneself", {RUN("") "," ROW("Proxies/p", "Running")}, false},
    {"a run that makes copies", {"", RUN("") "," ROW("Proxies/p", "Waiting")}, false},
    {"a run at its window", {"", RUN("") "," ROW("Window", "Running")}, false},
    {"a run that is about to", {"", RUN("") "," ROW("Proxies/p", "Intended")}, true},
    {"a run that has", {"", RUN("") "," ROW("Parameters/p", "Done")}, true},
    {"a run that is put back", {"", RUN("") "," ROW("Proxies/p", "Undone")}, true},
    {"a run that has ended", {"", RUN(",\"completionTime\":" AT("4")) "," ROW("Proxies/p", "Done")}, false},
    {"on another target", {"", "elsewhere" RUN("") "," ROW("Proxies/p", "Done")}, false},
};

static void sees_who_is_at_work(void **state)
{
    const struct changing_row *row = *state;
    struct series series;

    fill(&series, row->statuses);
    assert_true(succession_is_changing(&series.objects, series.first) == row->changing);
    done(&series);
}

/* --- who is to hear of it --- */

static void knows_who_believes_its_copies_in_use(void **state UNUSED)
{
    static const char *const statuses[SERIES_MAX] = {
        COPIES(COPY("r4", "InUse", "4")), COPIES(COPY("r1", "Previous", "1") "," COPY("r2", "InUse", "2")),
        COPIES(COPY("r3", "Previous", "3")), RUN("") "," COPIES(COPY("r0", "InUse", "1"))};
    AUTO_JSON struct json *names = NULL;
    AUTO_FREE char *text = NULL;
    struct series series;

    fill(&series, statuses);
    names = succession_others_in_use(&series.objects, series.first);
    text = json_to_text(names);
    assert_text_equal(text, "[\"b\"]");
    done(&series);
}

/* --- which copy is in use --- */

#define BACK(run, of, hour, end_hour)           \
    "{\"runID\":\"" run "\",\"copiesOf\":\"" of \
    "\",\"result\":\"Succeeded\",\"startTime\":" AT(hour) ",\"completionTime\":" AT(end_hour) "}"
#define OTHER_DATABASE(role)                                                                               \
    "{\"runID\":\"r9\",\"identifier\":\"i-r9\",\"database\":\"side\",\"kind\":\"Aurora\",\"role\":\"" role \
    "\"}"
#define OTHER_KIND(role)                                                                                     \
    "{\"runID\":\"r9\",\"identifier\":\"i-r9\",\"database\":\"main\",\"kind\":\"DynamoDB\",\"role\":\"" role \
    "\"}"

static const struct use_row {
    const char *name, *statuses[SERIES_MAX], *identifier;
} use_rows[] = {
    {"nobody has one", {"", HISTORY(ENTRY("r1", "Failed", "1", "2"))}, NULL},
    {"one's own", {ENDED("r1", "1", "3") "," COPIES(COPY("r1", "InUse", "2"))}, "i-r1"},
    {"another object's", {"", ENDED("r1", "1", "3") "," COPIES(COPY("r1", "InUse", "2"))}, "i-r1"},
    {"the latest of those that say so, before they are told",
     {ENDED("r1", "1", "3") "," COPIES(COPY("r1", "InUse", "2")),
      ENDED("r2", "4", "6") "," COPIES(COPY("r2", "InUse", "5")), ""},
     "i-r2"},
    {"the latest, whoever asks",
     {"", ENDED("r2", "4", "6") "," COPIES(COPY("r2", "InUse", "5")),
      ENDED("r1", "1", "3") "," COPIES(COPY("r1", "InUse", "2"))},
     "i-r2"},
    {"what was gone back to",
     {ENDED("r2", "4", "6") "," COPIES(COPY("r2", "InUse", "5")),
      HISTORY(BACK("r3", "r1", "7", "8") "," ENTRY("r1", "Succeeded", "1", "3")) "," COPIES(
          COPY("r1", "InUse", "2"))},
     "i-r1"},
    {"a later run that does not carry the database",
     {ENDED("r1", "1", "3") "," COPIES(COPY("r1", "InUse", "2")),
      ENDED("r9", "4", "6") "," COPIES(OTHER_DATABASE("InUse"))},
     "i-r1"},
    {"another kind of the same name",
     {ENDED("r1", "1", "3") "," COPIES(COPY("r1", "InUse", "2") "," OTHER_KIND("InUse"))},
     "i-r1"},
    {"other roles", {COPIES(COPY("r1", "Previous", "1") "," COPY("r2", "Failed", "2"))}, NULL},
    {"another staging", {"", "elsewhere" COPIES(COPY("r1", "InUse", "2"))}, NULL},
};

static void finds_the_copy_in_use(void **state)
{
    const struct use_row *row = *state;
    AUTO_FREE char *got = NULL;
    struct series series;

    fill(&series, row->statuses);
    got = succession_copy_in_use(&series.objects, series.first, "main", DATABASE_AURORA);
    assert_text_equal(got, row->identifier);
    done(&series);
}

/* --- how long it took --- */

#define STEPS(run, hour, end_hour, seconds)                                                              \
    "{\"runID\":\"" run "\",\"result\":\"Succeeded\",\"startTime\":" AT(hour) ",\"completionTime\":" AT( \
        end_hour) ",\"steps\":[{\"name\":\"main/Backup\",\"seconds\":5},{\"name\":\"main/"               \
                  "Copy\",\"seconds\":" seconds "}]}"

static const struct time_row {
    const char *name, *statuses[SERIES_MAX];
    int64_t run_h, back_h, step_s;
} time_rows[] = {
    {"nobody knows", {"", HISTORY(ENTRY("r1", "Failed", "1", "2"))}, 0, 0, 0},
    {"one's own last run", {HISTORY(STEPS("r1", "1", "3", "60"))}, 2, 0, 60},
    {"another object's", {"", HISTORY(STEPS("r1", "1", "3", "60"))}, 2, 0, 60},
    {"the latest that succeeded",
     {HISTORY(STEPS("r1", "1", "2", "60")),
      HISTORY(ENTRY("r3", "Failed", "6", "7") "," STEPS("r2", "3", "6", "90"))},
     3,
     0,
     90},
    {"one's own is the latest",
     {HISTORY(STEPS("r2", "3", "6", "90")), HISTORY(STEPS("r1", "1", "2", "60"))},
     3,
     0,
     90},
    {"going back is another sort",
     {HISTORY(STEPS("r1", "1", "3", "60")), HISTORY(BACK("r2", "r1", "4", "5"))},
     2,
     1,
     60},
    {"another staging", {"", "elsewhere" HISTORY(STEPS("r1", "1", "3", "60"))}, 0, 0, 0},
};

static void knows_how_long_it_took(void **state)
{
    const struct time_row *row = *state;
    struct series series;

    fill(&series, row->statuses);
    assert_number(succession_run_ms(&series.objects, series.first, false), HOURS(row->run_h));
    assert_number(succession_run_ms(&series.objects, series.first, true), HOURS(row->back_h));
    assert_number(succession_step_ms(&series.objects, series.first, "main/Copy"), SECONDS(row->step_s));
    done(&series);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, finds_who_came_later, later_rows);
    TEST_ROWS(&tests, sees_who_is_at_work, changing_rows);
    TEST_ROWS(&tests, finds_the_copy_in_use, use_rows);
    TEST_ROWS(&tests, knows_how_long_it_took, time_rows);
    TEST(&tests, knows_who_believes_its_copies_in_use);
    return tests_run(&tests, "succession");
}
