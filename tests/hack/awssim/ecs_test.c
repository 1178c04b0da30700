/* ECS services: deployments that complete, hang, fail, and roll back. */
#include "tests/hack/awssim/services_world.h"

/* `more`: further keys of the service. */
#define SECTION(more)                           \
    "  ecs:\n"                                  \
    "    taskDefinitions: ['web:1', 'web:2']\n" \
    "    clusters:\n"                           \
    "    - name: c\n"                           \
    "      services: [{name: web, taskDefinition: 'web:1', desiredCount: 4" more "}]\n"

static void use_world(const char *section)
{
    awssim_client_done(&client);
    services_world_init(&client, "", "", section);
}

static int ecs(const char *operation, const char *body)
{
    return awssim_json(&client, "ecs", operation, body);
}

/* A new deployment; its id, yours. */
static char *deploy(const char *more)
{
    AUTO_FREE char *body = xasprintf(
        "{\"cluster\":\"c\",\"service\":\"web\",\"forceNewDeployment\":true%s%s}", *more ? "," : "", more);

    assert_number(ecs("UpdateService", body), 200);
    return xstrdup(awssim_text(&client, "service.deployments[0].id"));
}

static void describe(void)
{
    assert_number(ecs("DescribeServices", "{\"cluster\":\"c\",\"services\":[\"web\"]}"), 200);
}

static void expect_primary(const char *id, const char *state)
{
    describe();
    assert_text_equal(awssim_text(&client, "services[0].deployments[0].status"), "PRIMARY");
    if (id)
        assert_text_equal(awssim_text(&client, "services[0].deployments[0].id"), id);
    assert_text_equal(awssim_text(&client, "services[0].deployments[0].rolloutState"), state);
}

static size_t deployments(void)
{
    return json_count(json_at(client.json, "services[0].deployments"));
}

/* ---- refusals ---- */

static const struct refused_row {
    const char *name, *operation, *body, *error;
} refused_rows[] = {
    {.name = "no cluster",
     .operation = "UpdateService",
     .body = "{\"cluster\":\"nope\",\"service\":\"web\"}",
     .error = "ClusterNotFoundException"},
    {.name = "no default cluster",
     .operation = "UpdateService",
     .body = "{\"service\":\"web\"}",
     .error = "ClusterNotFoundException"},
    {.name = "no service",
     .operation = "UpdateService",
     .body = "{\"cluster\":\"c\",\"service\":\"nope\"}",
     .error = "ServiceNotFoundException"},
    {.name = "unknown task definition",
     .operation = "UpdateService",
     .body = "{\"cluster\":\"c\",\"service\":\"web\",\"taskDefinition\":\"web:9\"}",
     .error = "ClientException"},
    {.name = "too many services",
     .operation = "DescribeServices",
     .body = "{\"cluster\":\"c\",\"services\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\","
             "\"11\"]}",
     .error = "InvalidParameterException"},
    {.name = "unknown member",
     .operation = "UpdateService",
     .body = "{\"cluster\":\"c\",\"service\":\"web\",\"x\":1}",
     .error = "InvalidParameterException"},
};

static void test_refused(void **state)
{
    const struct refused_row *row = *state;

    assert_number(ecs(row->operation, row->body), 400);
    assert_awssim_error(&client, row->error);
}

static void test_a_service_that_goes(void **state)
{
    (void)state;
    use_world(SECTION(", status: DRAINING"));
    assert_number(ecs("UpdateService", "{\"cluster\":\"c\",\"service\":\"web\",\"forceNewDeployment\":true}"),
                  400);
    assert_awssim_error(&client, "ServiceNotActiveException");
}

static void test_missing_services_are_failures_and_the_status_is_200(void **state)
{
    (void)state;
    assert_number(ecs("DescribeServices", "{\"cluster\":\"c\",\"services\":[\"nope\",\"web\"]}"), 200);
    assert_text_equal(awssim_text(&client, "failures[0].reason"), "MISSING");
    assert_text_equal(awssim_text(&client, "failures[0].arn"), ARN(STG, "ecs", "service/c/nope"));
    assert_text_equal(awssim_text(&client, "services[0].serviceName"), "web");
}

static void test_names_and_arns(void **state)
{
    (void)state;
    assert_number(ecs("DescribeServices",
                      "{\"cluster\":\"" ARN(STG, "ecs", "cluster/c") "\",\"services\":[\"" ARN(
                          STG, "ecs", "service/c/web") "\",\"" ARN(STG, "ecs", "service/web") "\"]}"),
                  200);
    assert_number(json_count(json_member(client.json, "services")), 2);
    assert_number(ecs("ListServices", "{\"cluster\":\"c\"}"), 200);
    assert_text_equal(awssim_text(&client, "serviceArns[0]"), ARN(STG, "ecs", "service/c/web"));
    assert_number(ecs("DescribeClusters", "{\"clusters\":[\"c\",\"x\"]}"), 200);
    assert_text_equal(awssim_text(&client, "clusters[0].status"), "ACTIVE");
    assert_text_equal(awssim_text(&client, "failures[0].reason"), "MISSING");
}

/* ---- rollouts ---- */

static void test_a_good_deployment(void **state)
{
    (void)state;
    AUTO_FREE char *id = deploy("");
    assert_text_contains(id, "ecs-svc/");
    expect_effect(&client, "created", "service/c/web");
    awssim_client_advance(&client, SECONDS(45));
    expect_primary(id, "IN_PROGRESS");
    assert_number(deployments(), 2);
    assert_text_equal(awssim_text(&client, "services[0].deployments[1].status"), "ACTIVE");
    assert_number(json_get_int(client.json, "services[0].deployments[0].runningCount", -1), 2);
    assert_number(json_get_int(client.json, "services[0].runningCount", -1), 6);
    awssim_client_advance(&client, SECONDS(45));
    expect_primary(id, "COMPLETED");
    assert_number(deployments(), 1);
    assert_number(json_get_int(client.json, "services[0].runningCount", -1), 4);
    assert_text_contains(awssim_text(&client, "services[0].events[0].message"), "steady state");
}

static void test_a_repeat_is_another_deployment(void **state)
{
    (void)state;
    AUTO_FREE char *first = deploy("");
    AUTO_FREE char *second = deploy("");
    assert_false(text_equal(first, second));
    expect_primary(second, "IN_PROGRESS");
    assert_number(deployments(), 3);
    awssim_client_advance(&client, SECONDS(90));
    expect_primary(second, "COMPLETED");
    assert_number(deployments(), 1);
}

static void test_another_task_definition(void **state)
{
    (void)state;
    assert_number(
        ecs("UpdateService", "{\"cluster\":\"c\",\"service\":\"web\",\"taskDefinition\":\"web:2\"}"), 200);
    expect_effect(&client, "created", "service/c/web");
    assert_number(
        ecs("UpdateService", "{\"cluster\":\"c\",\"service\":\"web\",\"taskDefinition\":\"web:2\"}"), 200);
    expect_effect(&client, "none", "service/c/web");
    describe();
    assert_text_equal(awssim_text(&client, "services[0].taskDefinition"),
                      ARN(STG, "ecs", "task-definition/web:2"));
}

static void test_desired_count(void **state)
{
    (void)state;
    assert_number(ecs("UpdateService", "{\"cluster\":\"c\",\"service\":\"web\",\"desiredCount\":1}"), 200);
    expect_effect(&client, "changed", "service/c/web");
    describe();
    assert_number(deployments(), 1);
    assert_number(json_get_int(client.json, "services[0].runningCount", -1), 1);
}

static void test_no_tasks_complete_at_once(void **state)
{
    (void)state;
    AUTO_FREE char *id = deploy("\"desiredCount\":0");
    expect_primary(id, "COMPLETED");
}

static void test_a_bad_deployment_never_ends(void **state)
{
    (void)state;
    use_world(SECTION(", rollout: bad"));
    AUTO_FREE char *id = deploy("");
    awssim_client_advance(&client, HOURS(5));
    expect_primary(id, "IN_PROGRESS");
    assert_number(json_get_int(client.json, "services[0].deployments[0].failedTasks", -1), 600);
    assert_number(json_get_int(client.json, "services[0].deployments[0].runningCount", -1), 0);
    assert_number(json_get_int(client.json, "services[0].runningCount", -1), 4); /* the old ones stay */
}

static void test_the_circuit_breaker_fails_it(void **state)
{
    (void)state;
    use_world(SECTION(", rollout: bad, circuitBreaker: true"));
    AUTO_FREE char *id = deploy("");
    awssim_client_advance(&client, MINUTES(5));
    expect_primary(id, "FAILED");
}

static void test_a_rollback_looks_like_success(void **state)
{
    (void)state;
    use_world(SECTION(", rollout: bad, circuitBreaker: true, rollback: true"));
    AUTO_FREE char *id = deploy("\"taskDefinition\":\"web:2\"");
    awssim_client_advance(&client, MINUTES(5));
    expect_primary(NULL, "IN_PROGRESS");
    assert_false(text_equal(awssim_text(&client, "services[0].deployments[0].id"), id));
    assert_text_equal(awssim_text(&client, "services[0].deployments[1].id"), id);
    assert_text_equal(awssim_text(&client, "services[0].deployments[1].rolloutState"), "FAILED");
    awssim_client_advance(&client, SECONDS(90));
    expect_primary(NULL, "COMPLETED");
    assert_number(deployments(), 1);
    assert_text_equal(awssim_text(&client, "services[0].taskDefinition"),
                      ARN(STG, "ecs", "task-definition/web:1"));
}

static void test_a_late_look_sees_the_same(void **state)
{
    (void)state;
    use_world(SECTION(", rollout: bad, circuitBreaker: true, rollback: true"));
    AUTO_FREE char *id = deploy("");
    awssim_client_advance(&client, HOURS(1));
    expect_primary(NULL, "COMPLETED");
    assert_false(text_equal(awssim_text(&client, "services[0].deployments[0].id"), id));
    assert_number((int64_t)(json_get_number(client.json, "services[0].deployments[0].updatedAt", 0) * 1000.0),
                  AWSSIM_WALL_MS + MINUTES(5) + SECONDS(90));
}

static void test_other_controllers_have_no_rollout(void **state)
{
    (void)state;
    use_world(SECTION(", controller: CODE_DEPLOY"));
    assert_number(ecs("UpdateService", "{\"cluster\":\"c\",\"service\":\"web\",\"forceNewDeployment\":true}"),
                  400);
    assert_awssim_error(&client, "InvalidParameterException");
    expect_primary(NULL, NULL);
}

int main(void)
{
    struct tests tests = tests_in_services(SECTION(""));

    TEST_ROWS(&tests, test_refused, refused_rows);
    TEST(&tests, test_a_service_that_goes);
    TEST(&tests, test_missing_services_are_failures_and_the_status_is_200);
    TEST(&tests, test_names_and_arns);
    TEST(&tests, test_a_good_deployment);
    TEST(&tests, test_a_repeat_is_another_deployment);
    TEST(&tests, test_another_task_definition);
    TEST(&tests, test_desired_count);
    TEST(&tests, test_no_tasks_complete_at_once);
    TEST(&tests, test_a_bad_deployment_never_ends);
    TEST(&tests, test_the_circuit_breaker_fails_it);
    TEST(&tests, test_a_rollback_looks_like_success);
    TEST(&tests, test_a_late_look_sees_the_same);
    TEST(&tests, test_other_controllers_have_no_rollout);
    return tests_run(&tests, "awssim ecs");
}
