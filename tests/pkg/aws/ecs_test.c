#include "pkg/aws/ecs.h"

#include "tests/pkg/aws/fixture.h"

static void rolls_services_out(void **state)
{
    static const struct exchange rows[] = {
        {.host = "ecs.ap-northeast-1.amazonaws.com",
         .headers = {"x-amz-target: AmazonEC2ContainerServiceV20141113.DescribeServices"},
         .body_json = "{\"cluster\":\"c\",\"services\":[\"web\"]}",
         .reply =
             "{\"services\":[{\"serviceArn\":\"arn:s\",\"serviceName\":\"web\",\"status\":\"ACTIVE\","
             "\"desiredCount\":2,\"runningCount\":1,"
             "\"taskDefinition\":\"td\",\"deployments\":[{\"id\":\"ecs-svc/"
             "2\",\"status\":\"PRIMARY\",\"rolloutState\":\"IN_PROGRESS\","
             "\"createdAt\":1795363200.25,\"failedTasks\":1},{\"id\":\"ecs-svc/1\",\"status\":\"ACTIVE\"}],"
             "\"events\":[{\"message\":\"e1\"},{\"message\":\"e2\"}]}],\"failures\":[]}"},
        {.reply = "{\"services\":[],\"failures\":[{\"arn\":\"a\",\"reason\":\"MISSING\"}]}"},
        {.headers = {"x-amz-target: AmazonEC2ContainerServiceV20141113.UpdateService"},
         .body_json = "{\"cluster\":\"c\",\"service\":\"web\",\"forceNewDeployment\":true}",
         .reply = "{\"service\":{\"status\":\"ACTIVE\",\"deployments\":[{\"id\":\"ecs-svc/"
                  "3\",\"status\":\"PRIMARY\"}]}}"},
    };
    AUTO_ECS_SERVICE struct ecs_service service = {0};
    AUTO_ECS_SERVICE struct ecs_service forced = {0};
    struct ecs_service none = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(ecs_describe_service(&f.aws, "c", "web", &service));
    assert_number(service.desired_count, 2);
    assert_number(service.running_count, 1);
    assert_text_equal(ecs_service_primary(&service)->id, "ecs-svc/2");
    assert_number(ecs_service_primary(&service)->created_ms, 1795363200250);
    assert_number(ecs_service_primary(&service)->failed_tasks, 1);
    assert_text_equal(service.events.items[1], "e2");
    assert_fails(ecs_describe_service(&f.aws, "c", "none", &none), ERR_NOT_FOUND,
                 "ecs DescribeServices: none: MISSING (account 222222222222)");
    assert_no_err(ecs_force_deployment(&f.aws, "c", "web", &forced));
    assert_text_equal(ecs_service_primary(&forced)->id, "ecs-svc/3");
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, rolls_services_out);
    return tests_run(&tests, "ecs");
}
