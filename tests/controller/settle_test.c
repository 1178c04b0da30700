/* When a row that ran into trouble is looked at again. */
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

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, looks_again, rows);
    return tests_run(&tests, "settle");
}
