#include "pkg/aws/application_autoscaling.h"

#include "tests/pkg/aws/fixture.h"

#define HOST .host = "application-autoscaling.ap-northeast-1.amazonaws.com", .method = "POST", .path = "/"
#define TARGET(op) .headers = {"x-amz-target: AnyScaleFrontendService." op ""}
#define READS "dynamodb:table:ReadCapacityUnits"
#define TARGET_JSON(id, dimension, min, max)                                                          \
    "{\"ServiceNamespace\":\"dynamodb\",\"ResourceId\":\"" id "\",\"ScalableDimension\":\"" dimension \
    "\",\"MinCapacity\":" min ",\"MaxCapacity\":" max "}"

static void describes(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {HOST, TARGET("DescribeScalableTargets"),
         .body_json = "{\"ServiceNamespace\":\"dynamodb\",\"ResourceIds\":[\"table/t\",\"table/t/index/g\"]}",
         .reply = "{\"ScalableTargets\":[" TARGET_JSON("table/t", READS, "5", "50") "],\"NextToken\":\"n\"}"},
        {HOST,
         .body_json = "{\"ServiceNamespace\":\"dynamodb\",\"ResourceIds\":[\"table/t\",\"table/t/index/g\"],"
                      "\"NextToken\":\"n\"}",
         .reply = "{\"ScalableTargets\":[" TARGET_JSON("table/t", "dynamodb:table:WriteCapacityUnits", "1",
                                                       "9") "]}"},
        {HOST, TARGET("DescribeScalingPolicies"),
         .body_json = "{\"ServiceNamespace\":\"dynamodb\",\"ResourceId\":\"table/t\"}",
         .reply = "{\"ScalingPolicies\":[{\"PolicyName\":\"p\",\"ResourceId\":\"table/t\","
                  "\"ScalableDimension\":\"" READS "\",\"PolicyType\":\"TargetTrackingScaling\","
                  "\"TargetTrackingScalingPolicyConfiguration\":{\"TargetValue\":70.0,\"ScaleInCooldown\":60,"
                  "\"DisableScaleIn\":true,\"PredefinedMetricSpecification\":{\"PredefinedMetricType\":"
                  "\"DynamoDBReadCapacityUtilization\"}}}]}"},
        {HOST, TARGET("DescribeScalableTargets"), .reply = "{\"ScalableTargets\":[]}"},
    };
    static const char *const indexes[] = {"g"};
    AUTO_AUTOSCALING struct autoscaling scaling = {0};
    AUTO_AUTOSCALING struct autoscaling none = {0};
    struct fixture f;

    FIXTURE(f, rows);
    assert_no_err(autoscaling_describe(&f.aws, "t", indexes, 1, &scaling));
    assert_number((int64_t)scaling.target_count, 2);
    assert_number(scaling.targets[0].max, 50);
    assert_text_equal(scaling.targets[1].dimension, "dynamodb:table:WriteCapacityUnits");
    assert_number((int64_t)scaling.policy_count, 1);
    assert_text_equal(scaling.policies[0].metric, "DynamoDBReadCapacityUtilization");
    assert_true(scaling.policies[0].target > 69.9 && scaling.policies[0].target < 70.1);
    assert_number(scaling.policies[0].in_cooldown_s, 60);
    assert_number(scaling.policies[0].out_cooldown_s, -1);
    assert_true(scaling.policies[0].never_in);
    assert_no_err(autoscaling_describe(&f.aws, "t", NULL, 0, &none));
    assert_number((int64_t)none.target_count, 0);
    fixture_done(&f);
}

static void registers(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {HOST, TARGET("RegisterScalableTarget"), .body_json = TARGET_JSON("table/t", READS, "5", "50"),
         .reply = "{\"ScalableTargetARN\":\"arn\"}"},
        {HOST, TARGET("PutScalingPolicy"),
         .body_json = "{\"ServiceNamespace\":\"dynamodb\",\"ResourceId\":\"table/t\",\"ScalableDimension\":"
                      "\"" READS "\",\"PolicyName\":\"p\",\"PolicyType\":\"TargetTrackingScaling\","
                      "\"TargetTrackingScalingPolicyConfiguration\":{\"TargetValue\":70,"
                      "\"PredefinedMetricSpecification\":{\"PredefinedMetricType\":\"m\"},"
                      "\"ScaleOutCooldown\":30}}",
         .reply = "{\"PolicyARN\":\"arn\",\"Alarms\":[]}"},
        {HOST, TARGET("DeregisterScalableTarget"), .status = 400,
         .reply = "{\"__type\":\"ObjectNotFoundException\",\"Message\":\"none\"}"},
        {HOST, .status = 400, .reply = "{\"__type\":\"ConcurrentUpdateException\",\"Message\":\"wait\"}"},
    };
    struct autoscaling_target target = {
        .resource_id = (char[]){"table/t"}, .dimension = (char[]){READS}, .min = 5, .max = 50};
    struct autoscaling_policy policy = {.name = (char[]){"p"},
                                        .resource_id = (char[]){"table/t"},
                                        .dimension = (char[]){READS},
                                        .metric = (char[]){"m"},
                                        .target = 70,
                                        .in_cooldown_s = -1,
                                        .out_cooldown_s = 30};
    struct fixture f;

    FIXTURE(f, rows);
    assert_no_err(autoscaling_register(&f.aws, &target));
    assert_no_err(autoscaling_put_policy(&f.aws, &policy));
    policy.metric = NULL;
    assert_fails(autoscaling_put_policy(&f.aws, &policy), ERR_INVALID, "a metric of its own");
    assert_fails(autoscaling_deregister(&f.aws, &target), ERR_NOT_FOUND, "ObjectNotFoundException");
    assert_fails(autoscaling_register(&f.aws, &target), ERR_RETRY, "ConcurrentUpdateException");
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, describes);
    TEST(&tests, registers);
    return tests_run(&tests, "application_autoscaling");
}
