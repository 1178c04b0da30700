/* Every change of a condition's status or reason, and every step that begins, has one event and one line in
 * the log, and every line names the object and its run. Expected is what the versions of the objects say. */
#include <unistd.h>

#include "pkg/base/files.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/story.h"
#include "tests/testing/assertions.h"

#define TEXT_MAX (16 * MIB)

/* "name reason: message" and how often. */
struct notes {
    const char *log_path;
    struct json *expected, *told, *logged;
};

/* --- what is expected --- */

static void tally(struct json *lines, const char *name, const char *reason, const char *message)
{
    AUTO_FREE char *line = xasprintf("%s %s: %s", name, reason, message);

    json_set_int(lines, line, json_get_int(json_member(lines, line), NULL, 0) + 1);
}

static bool is_changed(const struct json *before, const struct json *after, const char *type)
{
    return !text_equal(condition_text(before, type, "status"), condition_text(after, type, "status")) ||
           !text_equal(condition_text(before, type, "reason"), condition_text(after, type, "reason")) ||
           (text_equal(type, "Drifted") &&
            !text_equal(condition_text(before, type, "message"), condition_text(after, type, "message")));
}

static bool ends_run(const struct json *before, const struct json *after)
{
    return is_changed(before, after, "Succeeded") && *condition_text(after, "Succeeded", "status") &&
           !text_equal(condition_text(after, "Succeeded", "status"), "Unknown");
}

/* What sums up which step a run is at. */
static bool is_told_by_steps(const struct json *after, const char *type)
{
    static const char *const sums[] = {"Ready", "Reconciling", "Stalled", "Succeeded"};
    static const char *const phases[] = {"BackingUp",      "Copying",       "Restoring",
                                         "Preparing",      "RunningHooks",  "AwaitingApproval",
                                         "AwaitingWindow", "SwitchingOver", "CleaningUp"};

    for (size_t i = 0; i < COUNT_OF(sums); i++) {
        for (size_t k = 0; k < COUNT_OF(phases); k++) {
            if (text_equal(type, sums[i]) && text_equal(condition_text(after, type, "reason"), phases[k]))
                return true;
        }
    }
    return false;
}

/* By the run's own events. */
static bool is_told_by_run(const struct json *before, const struct json *after, const char *type)
{
    static const char *const of_run[] = {"Ready",     "Reconciling", "Stalled",
                                         "Succeeded", "Restored",    "SwitchedOver"};

    if (text_equal(condition_text(after, type, "reason"), "InProgress") ||
        text_equal(condition_text(after, type, "reason"), "NotYet") || is_told_by_steps(after, type))
        return true;
    for (size_t i = 0; i < COUNT_OF(of_run); i++) {
        if (ends_run(before, after) && text_equal(type, of_run[i]))
            return true;
    }
    return false;
}

static bool is_news(const struct json *before, const struct json *after, const char *type)
{
    return is_changed(before, after, type) && !is_told_by_run(before, after, type);
}

static const char *first_of_reason(const struct json *before, const struct json *after, const char *reason)
{
    json_each (condition, json_at(after, "status.conditions")) {
        const char *type = json_get_text(condition, "type", "");

        if (text_equal(json_get_text(condition, "reason", ""), reason) && is_news(before, after, type))
            return type;
    }
    return "";
}

static void expect_conditions(struct notes *notes, const struct json *before, const struct json *after)
{
    const char *name = json_get_text(after, "metadata.name", "");

    json_each (condition, json_at(after, "status.conditions")) {
        const char *type = json_get_text(condition, "type", ""),
                   *reason = json_get_text(condition, "reason", "");

        if (is_news(before, after, type) && text_equal(first_of_reason(before, after, reason), type))
            tally(notes->expected, name, text_equal(type, "Drifted") ? type : reason,
                  json_get_text(condition, "message", ""));
    }
    if (ends_run(before, after))
        tally(notes->expected, name,
              text_equal(condition_text(after, "Succeeded", "status"), "True") ? "RunSucceeded" : "RunFailed",
              condition_text(after, "Ready", "message"));
    json_each (condition, json_at(before, "status.conditions")) {
        const char *type = json_get_text(condition, "type", "");
        AUTO_FREE char *reason = xasprintf("%sOver", type);
        AUTO_FREE char *message = xasprintf("No longer so: %s", json_get_text(condition, "message", ""));

        if (!*condition_text(after, type, "status") && is_news(before, after, type) &&
            !text_equal(type, "Reconciling"))
            tally(notes->expected, name, reason, message);
    }
}

static bool is_under_way(const struct json *row)
{
    const char *state = json_get_text(row, "state", "");

    return text_equal(state, "Intended") || text_equal(state, "Running");
}

static void expect_rows(struct notes *notes, const char *name, const char *subject, const struct json *before,
                        const struct json *after)
{
    json_each (row, after) {
        const char *step = json_get_text(row, "name", "");
        const struct json *old = named(before, "name", step);
        AUTO_FREE char *reason = xasprintf("%.*sStarted", (int)strcspn(step, "/"), step);
        AUTO_FREE char *message = xasprintf("%s: %s begins", subject, step);

        if (is_under_way(row) && !is_under_way(old))
            tally(notes->expected, name, reason, message);
    }
}

static void expect(struct notes *notes, const struct json *before, const struct json *after)
{
    const char *name = json_get_text(after, "metadata.name", "");

    expect_conditions(notes, before, after);
    json_each (database, json_at(after, "status.databases")) {
        const char *subject = json_get_text(database, "name", "");

        expect_rows(notes, name, subject,
                    json_member(named(json_at(before, "status.databases"), "name", subject), "steps"),
                    json_member(database, "steps"));
    }
    expect_rows(notes, name, "switchover", json_at(before, "status.switchover.steps"),
                json_at(after, "status.switchover.steps"));
}

static void expect_all(struct play *play)
{
    static const struct object_id accounts[] = {
        {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "production"},
        {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "staging"}};
    const struct object_id *ids[] = {&scenario_refresh, &accounts[0], &accounts[1]};
    struct memory *memory = memory_of(play);

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        for (size_t k = 1; k < memory_version_count(memory, ids[i]); k++) {
            const struct json *after = memory_version(memory, ids[i], k);

            if (after)
                expect(play->notes, memory_version(memory, ids[i], k - 1), after);
        }
    }
}

/* --- what was told --- */

/* "Normal shop RunStarted: Run ... has begun" */
static void read_events(struct play *play)
{
    struct notes *notes = play->notes;
    struct str rest = str_of(events(play)), line, severity;

    while (rest.len && str_cut(&rest, '\n', &line)) {
        AUTO_FREE char *text = NULL;

        str_cut(&line, ' ', &severity);
        text = str_dup(line);
        json_set_int(notes->told, text, json_get_int(json_member(notes->told, text), NULL, 0) + 1);
    }
}

static void read_line(struct play *play, struct str text, bool *is_running)
{
    struct notes *notes = play->notes;
    AUTO_JSON struct json *line = NULL;
    AUTO_ERR struct err *err = json_parse(text, NULL, &line);
    const char *name = json_get_text(line, "name", json_get_text(line, "awsaccount", "")),
               *reason = json_get_text(line, "reason", NULL);

    if (err) {
        add_fault(play, "a line of the log is no JSON: %s", err_text(err));
        return;
    }
    if (reason && !text_equal(json_get_text(line, "level", ""), "debug"))
        tally(notes->logged, name, reason, json_get_text(line, "message", ""));
    *is_running = (*is_running || text_equal(reason, "RunStarted")) && !text_equal(reason, "RunSucceeded") &&
                  !text_equal(reason, "RunFailed");
    if (*is_running && text_equal(name, "shop") && text_is_empty(json_get_text(line, "run", "")))
        add_fault(play, "a line without its run: " STR_FMT, STR_ARG(text));
}

static void read_log(struct play *play)
{
    const struct notes *notes = play->notes;
    AUTO_BUF struct buf text = BUF_MAX(TEXT_MAX);
    struct str rest, line;
    bool is_running = false;

    assert_no_err(file_read(notes->log_path, &text));
    rest = buf_str(&text);
    while (rest.len && str_cut(&rest, '\n', &line))
        read_line(play, line, &is_running);
}

static void compare(struct play *play, const char *what, const struct json *expected, const struct json *got)
{
    json_each (line, expected) {
        int64_t times = json_get_int(json_member(got, json_key(line)), NULL, 0);

        if (times != json_get_int(line, NULL, 0))
            add_fault(play, "%s: %lld times, expected %lld: %s", what, (long long)times,
                      (long long)json_get_int(line, NULL, 0), json_key(line));
    }
}

static bool is_expected(const struct notes *notes, const char *part)
{
    json_each (line, notes->expected) {
        if (strstr(json_key(line), part))
            return true;
    }
    return false;
}

static void judge(struct play *play, const struct json *object UNUSED)
{
    const struct notes *notes = play->notes;

    expect_all(play);
    read_events(play);
    read_log(play);
    compare(play, "event", notes->expected, notes->told);
    compare(play, "line for the event", notes->told, notes->logged);
    if (!is_expected(notes, play->story->arg))
        add_fault(play, "nothing of \"%s\" has happened", play->story->arg);
}

/* --- stories --- */

static void suspend_and_go_on(struct play *play, const struct json *object)
{
    if (play->scene == 0 && phase_is(object, "Copying"))
        edit(play, "{\"spec\": {\"suspend\": true}}");
    else if (play->scene == 1 && phase_is(object, "Suspended"))
        edit(play, "{\"spec\": {\"suspend\": false}}");
}

static void wish_in_vain(struct play *play, const struct json *object)
{
    if (play->scene == 0 && phase_is(object, "Succeeded"))
        edit(play, "{\"spec\": {\"trigger\": \"again\", \"sourceRef\": {\"name\": \"nobody\"}}}");
    else if (play->scene == 1 && phase_is(object, "Stalled"))
        edit(play, "{\"spec\": {\"sourceRef\": {\"name\": \"production\"}}}");
}

static void delete_while_copying(struct play *play, const struct json *object)
{
    if (play->scene == 0 && phase_is(object, "Copying"))
        delete_refresh(play, "shop");
}

static void change_something(struct play *play, const struct json *object)
{
    if (play->scene == 0 && phase_is(object, "Succeeded"))
        edit(play, "{\"status\":{\"run\":{\"spec\":{\"switchover\":{\"parameters\":[{\"name\":\"db-host\","
                   "\"value\":\"elsewhere\",\"ssm\":{\"name\":\"/shop/stg/db_host\"}}]}}}}}");
}

#define REFUSED_COPIES \
    "{\"match\": {\"operation\": \"StartCopyJob\", \"nth\": 1, \"times\": 40}, \"action\": \"refuse\"}"
#define TARGET_BACKUP "    serviceRoleARN: arn:aws:iam::222222222222:role/AWSBackupStagingRefresh\n"
#define SILENT_BACKUP \
    "{\"match\": {\"service\": \"backup\", \"nth\": 1, \"times\": 30}, \"action\": \"throttle\"}"

/* The text is of a line that must be among those expected. */
static const struct story stories[] = {
    {.name = "all is well", .arg = "shop RunSucceeded", .check = judge},
    {.name = "put back",
     .edits = {"sg-0123456789abcdef0", "sg-00000000000000001"},
     .arg = "shop RunFailed",
     .check = judge},
    {.name = "blocked for a while", .faults = {REFUSED_COPIES}, .arg = "shop StalledOver", .check = judge},
    {.name = "AWS answers late", .faults = {SILENT_BACKUP}, .arg = "shop Throttling", .check = judge},
    {.name = "suspended for a while", .script = suspend_and_go_on, .arg = "shop Suspended", .check = judge},
    {.name = "a wish in vain",
     .script = wish_in_vain,
     .settle_ms = HOURS(6),
     .arg = "shop AccountNotFound",
     .check = judge},
    {.name = "approval",
     .edits = {MANUAL},
     .deadline_ms = HOURS(8),
     .arg = "shop AwaitingApproval: waits for approval: kubectl annotate",
     .check = judge},
    {.name = "deleted", .script = delete_while_copying, .arg = "shop Deleting", .check = judge},
    {.name = "drifted",
     .script = change_something,
     .settle_ms = HOURS(4),
     .arg = "shop Drifted",
     .check = judge},
    {.name = "a queue that is not there",
     .edits = {TARGET_BACKUP, TARGET_BACKUP "  events:\n    queueURL: https://sqs.ap-northeast-1."
                                            "amazonaws.com/222222222222/not-there\n"},
     .arg = "staging QueueDoesNotExist",
     .check = judge},
};

static char *play_seed(uint64_t seed, void *arg UNUSED)
{
    char path[] = "/tmp/transitions-XXXXXX";
    struct scenario_opts opts = {.seed = seed, .world_edits = scenario_quick_world, .log_fd = mkstemp(path)};
    struct notes notes = {.log_path = path,
                          .expected = json_new_object(),
                          .told = json_new_object(),
                          .logged = json_new_object()};
    char *faults = story_play(&stories[seed % COUNT_OF(stories)], &opts, &notes);

    json_free(notes.expected);
    json_free(notes.told);
    json_free(notes.logged);
    close(opts.log_fd);
    unlink(path);
    return faults;
}

static void every_transition_is_told_once(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "transitions",
                                          .first = 0,
                                          .count = 3 * COUNT_OF(stories),
                                          .kind = SEEDS_SWEEP,
                                          .check = play_seed}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, every_transition_is_told_once);
    return tests_run(&tests, "transitions");
}
