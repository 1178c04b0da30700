/* Which deployment of an ECS service counts as restarted with the old parameters, when the switchover is
 * given up: the step alone runs, against the simulator. */
#include "controller/steps/steps.h"
#include "pkg/aws/ecs.h"
#include "tests/simulation/step_bench.h"
#include "tests/testing/assertions.h"

static const char good_world[] = "  ecs:\n"
                                 "    taskDefinitions: ['web:1']\n"
                                 "    clusters:\n"
                                 "    - name: c\n"
                                 "      services: [{name: web, taskDefinition: 'web:1', desiredCount: 2}]\n";
static const char bad_world[] = "  ecs:\n"
                                "    taskDefinitions: ['web:1']\n"
                                "    clusters:\n"
                                "    - name: c\n"
                                "      services: [{name: web, taskDefinition: 'web:1', desiredCount: 2, "
                                "circuitBreaker: true, rollback: true, rollout: bad}]\n";
static const char stuck_world[] = "  ecs:\n"
                                  "    taskDefinitions: ['web:1']\n"
                                  "    clusters:\n"
                                  "    - name: c\n"
                                  "      services: [{name: web, taskDefinition: 'web:1', desiredCount: 2, "
                                  "circuitBreaker: true, rollout: bad}]\n";

static const char spec_text[] =
    "{\"targetRef\":{\"name\":\"staging\"},\"databases\":[{\"name\":\"sessions\",\"recoveryPoint\":{\"from\":"
    "\"TargetVault\",\"maxAge\":\"1h\"},\"dynamodb\":{\"tableName\":\"sessions\",\"restore\":{"
    "\"tableNamePrefix\":\"stg\",\"encryption\":{\"type\":\"AWSOwned\"},\"settingsFrom\":\"None\"}}}],"
    "\"switchover\":{\"policy\":\"Automatic\",\"applications\":[{\"name\":\"api\",\"ecsService\":{"
    "\"cluster\":\"c\",\"service\":\"web\"}}]}}";

#define ROLLED_MS MINUTES(10) /* longer than a rollout, and than the circuit breaker waits */

static void deploy(struct step_bench *bench)
{
    AUTO_ECS_SERVICE struct ecs_service after = {0};

    assert_no_err(ecs_force_deployment(&bench->pass.target, "c", "web", &after));
}

static void wait_long(struct step_bench *bench)
{
    step_bench_wait(bench, ROLLED_MS);
}

static void deploy_and_wait(struct step_bench *bench)
{
    deploy(bench);
    wait_long(bench);
}

static void nothing(struct step_bench *bench UNUSED)
{
}

struct row {
    const char *name;
    const char *world;
    bool never_began;                              /* the row, though it may have changed something */
    void (*before_undo)(struct step_bench *bench); /* once our deployment has been started */
    void (*after_look)(struct step_bench *bench);  /* once the way back has looked for the first time */
    bool loses_answer;                             /* of what the way back starts */
    int64_t deployments;                           /* ours, everybody else's, and those of the way back */
    enum verdict verdict;
    const char *message;
};

#define DONE "was restarted with the old parameters"

static const struct row rows[] = {
    {"ours is complete", good_world, false, wait_long, nothing, false, 2, VERDICT_DONE, DONE},
    {"ours rolls out still", good_world, false, nothing, nothing, false, 2, VERDICT_DONE, DONE},
    {"the answer is lost", good_world, false, wait_long, nothing, true, 2, VERDICT_DONE, DONE},
    {"nothing of ours was started", good_world, true, nothing, nothing, false, 1, VERDICT_DONE, DONE},
    {"somebody deployed while the parameters were new", good_world, false, deploy_and_wait, nothing, false, 3,
     VERDICT_DONE, DONE},
    {"somebody deploys while the parameters are new", good_world, false, deploy, nothing, false, 3,
     VERDICT_DONE, DONE},
    {"somebody deploys once they are old again", good_world, false, wait_long, deploy, false, 2, VERDICT_DONE,
     DONE},
    {"the circuit breaker rolled back while the parameters were new", bad_world, false, wait_long, nothing,
     false, 2, VERDICT_DONE, DONE},
    {"it does not come up with the old ones either", stuck_world, false, wait_long, nothing, false, 2,
     VERDICT_FAILED, "did not come up"},
};

static struct outcome undo_until_over(struct step_bench *bench, struct stage *stage, const struct row *row)
{
    struct outcome out = {0};
    bool is_lost = false;

    for (int i = 0; i < 200 && out.verdict == VERDICT_WAIT; i++) {
        outcome_reset(&out);
        if (row->loses_answer && i == 1)
            assert_no_err(sim_control(bench->sim, bench->sched, "POST", "/_sim/faults",
                                      "{\"match\": {\"operation\": \"UpdateService\", \"nth\": 1}, "
                                      "\"action\": \"drop-reply\"}",
                                      NULL));
        AUTO_ERR struct err *err = application_undo(stage, &out);
        is_lost = is_lost || err;
        if (i == 0)
            row->after_look(bench);
        step_bench_wait(bench, err ? SECONDS(5) : out.after_ms);
    }
    assert_int_equal(is_lost, row->loses_answer);
    return out;
}

static void is_restarted_with_the_old_parameters(void **state)
{
    const struct row *row = *state;
    AUTO_OUTCOME struct outcome out = {0};
    struct step_bench bench;
    struct stage stage;

    step_bench_init(&bench, row->world, spec_text);
    stage = step_bench_stage(&bench, "Applications/api", 0);
    if (!row->never_began) {
        assert_no_err(application_intend(&stage));
        stage.row->state = STEP_INTENDED;
        assert_no_err(application_act(&stage, &out));
        outcome_reset(&out);
    }
    row->before_undo(&bench);
    out = undo_until_over(&bench, &stage, row);
    assert_number(out.verdict, row->verdict);
    assert_text_contains(out.message, row->message);
    assert_number(step_bench_count(&bench, "UpdateService", "created"), row->deployments);
    step_bench_done(&bench);
}

/* Before anything is switched. */
static void a_service_that_is_not_there_is_told_first(void **state UNUSED)
{
    static const char empty_world[] = "  ecs:\n    clusters:\n    - name: c\n      services: []\n";
    struct step_bench bench;
    struct stage stage;

    step_bench_init(&bench, empty_world, spec_text);
    stage = step_bench_stage(&bench, "Applications/api", 0);
    assert_fails(application_rehearse(&stage), ERR_NOT_FOUND, "look at ECS service c/web");
    step_bench_done(&bench);
    step_bench_init(&bench, good_world, spec_text);
    stage = step_bench_stage(&bench, "Applications/api", 0);
    assert_no_err(application_rehearse(&stage));
    step_bench_done(&bench);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_service_that_is_not_there_is_told_first);
    TEST_ROWS(&tests, is_restarted_with_the_old_parameters, rows);
    return tests_run(&tests, "ecs_step");
}
