/* When a row that ran into trouble is looked at again, and when it is given up. */
#include "controller/settle.h"

#include "controller/looks.h"
#include "tests/testing/testing_env.h"

struct row {
    const char *name;
    bool in_switchover;
    enum err_kind kind;
    int64_t hint_ms;
    int failures;              /* before */
    int64_t least_ms, most_ms; /* when it is looked at again */
};

static const struct row rows[] = {
    {"the first time", false, ERR_RETRY, 0, 0, 0, SECONDS(4)},
    {"for the tenth time", false, ERR_RETRY, 0, 9, SECONDS(16), MINUTES(5)},
    {"in the switchover", true, ERR_RETRY, 0, 9, 0, SECONDS(15)},
    {"as AWS asks", false, ERR_RETRY, SECONDS(20), 0, SECONDS(20), SECONDS(20)},
    {"as AWS asks, in the switchover", true, ERR_RETRY, SECONDS(20), 0, SECONDS(20), SECONDS(20)},
    {"as AWS asks, for the tenth time", true, ERR_RETRY, SECONDS(20), 9, SECONDS(20), SECONDS(20)},
    {"far too long, in the switchover", true, ERR_RETRY, HOURS(1), 0, SECONDS(20), SECONDS(20)},
    {"a refusal that may pass", false, ERR_DENIED, 0, 9, 0, MINUTES(1)},
};

static void looks_again(void **state)
{
    const struct row *row = *state;
    struct testing_env t;
    struct account target = {.account_id = (char[]){"222222222222"}};
    struct refresh_spec spec = {0};
    struct step_status status = {.name = (char[]){"Proxies/p"}, .state = STEP_RUNNING};
    struct database_spec database = {.name = (char[]){"main"}};
    struct database_status copy = {0};
    static const struct step step = {.name = "Proxies"};
    AUTO_ERR struct err *err =
        err_set_remote(err_new(row->kind, "no"), &(struct err_remote){.retry_after_ms = row->hint_ms});
    AUTO_REPORT struct report report = {0};
    struct work *work = xcalloc(1, sizeof(*work));

    testing_env_init(&t, 1, NULL, 0, NULL);
    struct pass pass = {.env = &t.env,
                        .namespace = "n",
                        .name = "o",
                        .uid = "u",
                        .spec = &spec,
                        .target_account = &target,
                        .now_ms = TESTING_WALL_MS};
    struct stage stage = {.pass = &pass, .step = &step, .row = &status};
    if (!row->in_switchover) {
        stage.database = &database;
        stage.copy = &copy;
    }
    step_set_evidence_ms(&status, "failures", row->failures);
    *work = (struct work){.pass = &pass, .looks = looks_new(), .report = &report, .after_ms = NEVER_MS};
    settle_error(work, &stage, err);
    assert_in_range(work->after_ms, row->least_ms, row->most_ms);
    looks_free(work->looks);
    xfree(work);
    xfree(copy.last_error);
    xfree(status.message);
    json_free(status.evidence);
    testing_env_done(&t);
}

/* --- given up --- */

#define TIMEOUT_MS HOURS(1)

struct late_row {
    const char *name;
    enum step_state state;
    int64_t begun_ms;   /* how long ago its intent was written; 0: it was not */
    int64_t trouble_ms; /* how long ago its first error was; 0: this is the first */
    int64_t before_ms;  /* how long ago what comes before it was done */
    int64_t watched_ms;
    bool is_given_up;
};

static const struct late_row late_rows[] = {
    {"under way, in time", STEP_RUNNING, MINUTES(59), 0, HOURS(9), HOURS(9), false},
    {"under way, late", STEP_RUNNING, MINUTES(61), 0, HOURS(9), HOURS(9), true},
    {"under way, late, nobody looked", STEP_RUNNING, MINUTES(61), 0, HOURS(9), MINUTES(9), false},
    {"does not begin, the first error", STEP_WAITING, 0, 0, HOURS(9), HOURS(9), false},
    {"does not begin, in time", STEP_WAITING, 0, MINUTES(59), HOURS(9), HOURS(9), false},
    {"does not begin, late", STEP_WAITING, 0, MINUTES(61), HOURS(9), HOURS(9), true},
    {"does not begin, late, nobody looked", STEP_WAITING, 0, MINUTES(61), HOURS(9), MINUTES(9), false},
    {"does not begin, could not have", STEP_WAITING, 0, HOURS(9), MINUTES(59), HOURS(9), false},
    {"does not begin, could have for long", STEP_WAITING, 0, HOURS(9), MINUTES(61), HOURS(9), true},
};

static int64_t ago(int64_t ms)
{
    return ms ? TESTING_WALL_MS - ms : 0;
}

static struct pass pass_of(struct testing_env *t, struct refresh_spec *spec, struct refresh_status *status,
                           struct account *target)
{
    return (struct pass){.env = &t->env,
                         .namespace = "n",
                         .name = "o",
                         .uid = "u",
                         .spec = spec,
                         .status = status,
                         .target_account = target,
                         .now_ms = TESTING_WALL_MS};
}

static void gives_up(void **state)
{
    const struct late_row *row = *state;
    struct testing_env t;
    struct account target = {.account_id = (char[]){"222222222222"}};
    struct refresh_spec spec = {.live.timeouts.switchover_ms = TIMEOUT_MS};
    struct refresh_status *status = refresh_status_new();
    struct step_status *late;
    AUTO_ERR struct err *err = err_new(ERR_DENIED, "no");
    AUTO_REPORT struct report report = {0};
    struct work *work = xcalloc(1, sizeof(*work));

    testing_env_init(&t, 1, NULL, 0, NULL);
    status_add_step(&status->switchover_steps, &status->switchover_step_count, "Proxies/p")->completion_ms =
        ago(row->before_ms);
    /* One of its own step is no reason to wait. */
    status_add_step(&status->switchover_steps, &status->switchover_step_count, "Parameters/a")
        ->completion_ms = ago(1);
    late = status_add_step(&status->switchover_steps, &status->switchover_step_count, "Parameters/b");
    late->state = row->state;
    late->start_ms = ago(row->begun_ms);
    if (row->trouble_ms)
        step_set_evidence_ms(late, "heldUpSince", ago(row->trouble_ms));
    struct pass pass = pass_of(&t, &spec, status, &target);
    struct stage stage = {.pass = &pass,
                          .step = workflow_switchover_step("Parameters/b"),
                          .row = late,
                          .watched_ms = row->watched_ms};
    *work = (struct work){.pass = &pass, .looks = looks_new(), .report = &report, .after_ms = NEVER_MS};
    settle_error(work, &stage, err);
    assert_number(late->state, row->is_given_up ? STEP_FAILED : row->state);
    assert_text_equal(step_evidence(late, "reason"), row->is_given_up ? "TimedOut" : NULL);
    looks_free(work->looks);
    xfree(work);
    refresh_status_free(status);
    testing_env_done(&t);
}

/* --- what cannot be put back --- */

struct undo_row {
    const char *name;
    const char *row;
    enum step_state state;
    enum err_kind kind;
    int64_t undo_ms;    /* how long ago it was tried for the first time; 0: now */
    int64_t refused_ms; /* how long ago this was said for the first time; 0: now */
    int64_t watched_ms;
    int64_t timeout_ms;
    bool is_left;
};

static const struct undo_row undo_rows[] = {
    {"a parameter, refused at once", "Parameters/p", STEP_DONE, ERR_DENIED, 0, 0, 0, HOURS(1), false},
    {"a parameter, refused for less than an hour", "Parameters/p", STEP_DONE, ERR_DENIED, MINUTES(59),
     MINUTES(59), HOURS(9), MINUTES(5), false},
    {"a parameter, refused for an hour", "Parameters/p", STEP_DONE, ERR_DENIED, MINUTES(61), MINUTES(61),
     HOURS(9), MINUTES(5), true},
    {"a parameter, refused for less than the time-out", "Parameters/p", STEP_DONE, ERR_DENIED, MINUTES(61),
     MINUTES(61), HOURS(9), HOURS(2), false},
    {"a parameter, refused since long before", "Parameters/p", STEP_DONE, ERR_DENIED, MINUTES(59), HOURS(9),
     HOURS(9), HOURS(1), false},
    {"a parameter, refused after an outage", "Parameters/p", STEP_DONE, ERR_DENIED, HOURS(9), MINUTES(59),
     HOURS(9), HOURS(1), false},
    {"a parameter, refused, nobody looked", "Parameters/p", STEP_DONE, ERR_DENIED, HOURS(9), HOURS(9),
     MINUTES(9), HOURS(1), false},
    {"a parameter, an outage", "Parameters/p", STEP_DONE, ERR_RETRY, HOURS(9), 0, HOURS(9), HOURS(1), false},
    {"a proxy that has failed, refused", "Proxies/p", STEP_FAILED, ERR_NOT_FOUND, HOURS(9), HOURS(9),
     HOURS(9), HOURS(1), true},
    {"an application in time", "Applications/p", STEP_DONE, ERR_RETRY, MINUTES(59), 0, HOURS(9), MINUTES(5),
     false},
    {"an application, an outage", "Applications/p", STEP_DONE, ERR_RETRY, MINUTES(61), 0, HOURS(9),
     MINUTES(5), true},
};

static void leaves(void **state)
{
    const struct undo_row *row = *state;
    struct testing_env t;
    struct account target = {.account_id = (char[]){"222222222222"}};
    struct refresh_spec spec = {.live.timeouts.switchover_ms = row->timeout_ms};
    struct refresh_status *status = refresh_status_new();
    struct step_status *step =
        status_add_step(&status->switchover_steps, &status->switchover_step_count, row->row);
    AUTO_ERR struct err *err = err_new(row->kind, "no");
    AUTO_REPORT struct report report = {0};
    struct work *work = xcalloc(1, sizeof(*work));

    testing_env_init(&t, 1, NULL, 0, NULL);
    step->state = row->state;
    step->start_ms = ago(HOURS(10));
    text_replace(&step->message, "why it failed");
    step_set_evidence(step, "reason", row->state == STEP_FAILED ? "Cause" : NULL);
    if (row->undo_ms)
        step_set_evidence_ms(step, EVIDENCE_UNDO_SINCE, ago(row->undo_ms));
    if (row->refused_ms) {
        step_set_evidence_ms(step, "failingSince", ago(row->refused_ms));
        step_set_evidence(step, "failingCode", err_kind_name(row->kind));
    }
    struct pass pass = pass_of(&t, &spec, status, &target);
    struct stage stage = {.pass = &pass,
                          .step = workflow_switchover_step(row->row),
                          .row = step,
                          .watched_ms = row->watched_ms};
    *work = (struct work){.pass = &pass, .looks = looks_new(), .report = &report, .after_ms = NEVER_MS};
    settle_undo_error(work, &stage, err);
    assert_text_equal(row_left(step), row->is_left ? "no" : NULL);
    assert_number(stage_needs_undo(&stage), !row->is_left);
    assert_number((int64_t)report.happening_count, row->is_left);
    /* What failed first stays what the run failed of. */
    assert_text_equal(step_evidence(step, "reason"), row->state == STEP_FAILED ? "Cause"
                                                     : row->is_left            ? "NotPutBack"
                                                                               : NULL);
    if (row->state == STEP_FAILED)
        assert_text_equal(step->message, "why it failed");
    looks_free(work->looks);
    xfree(work);
    refresh_status_free(status);
    testing_env_done(&t);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, looks_again, rows);
    TEST_ROWS(&tests, gives_up, late_rows);
    TEST_ROWS(&tests, leaves, undo_rows);
    return tests_run(&tests, "settle");
}
