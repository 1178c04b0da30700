/* Scalable targets and policies of tables: what is kept, what is refused. */
#include "tests/hack/awssim/services_world.h"

static int scale(const char *operation, const char *body)
{
    return awssim_json(&client, "application-autoscaling", operation, body);
}

#define OF(resource, dimension)                                    \
    "\"ServiceNamespace\":\"dynamodb\",\"ResourceId\":\"" resource \
    "\",\"ScalableDimension\":\"dynamodb:" dimension "CapacityUnits\""
#define TRACKS(metric, value)                                                        \
    ",\"PolicyName\":\"p\",\"PolicyType\":\"TargetTrackingScaling\","                \
    "\"TargetTrackingScalingPolicyConfiguration\":{\"TargetValue\":" value           \
    ",\"PredefinedMetricSpecification\":{\"PredefinedMetricType\":\"DynamoDB" metric \
    "CapacityUtilization\"}}"

static const struct refused_row {
    const char *name, *operation, *body, *error;
} refused_rows[] = {
    {"no table", "RegisterScalableTarget",
     "{" OF("table/nope", "table:Read") ",\"MinCapacity\":1,\"MaxCapacity\":2}", "ValidationException"},
    {"no index", "RegisterScalableTarget",
     "{" OF("table/guarded/index/i", "index:Read") ",\"MinCapacity\":1,\"MaxCapacity\":2}",
     "ValidationException"},
    {"a dimension of something else", "RegisterScalableTarget",
     "{" OF("table/guarded", "index:Read") ",\"MinCapacity\":1,\"MaxCapacity\":2}", "ValidationException"},
    {"no bounds", "RegisterScalableTarget", "{" OF("table/guarded", "table:Write") "}",
     "ValidationException"},
    {"bounds upside down", "RegisterScalableTarget",
     "{" OF("table/guarded", "table:Write") ",\"MinCapacity\":3,\"MaxCapacity\":2}", "ValidationException"},
    {"another service", "DescribeScalableTargets", "{\"ServiceNamespace\":\"ecs\"}", "ValidationException"},
    {"a policy of no target", "PutScalingPolicy",
     "{" OF("table/guarded", "table:Write") TRACKS("Write", "70") "}", "ObjectNotFoundException"},
    {"a metric of the other capacity", "PutScalingPolicy",
     "{" OF("table/guarded", "table:Read") TRACKS("Write", "70") "}", "ValidationException"},
    {"a value out of range", "PutScalingPolicy",
     "{" OF("table/guarded", "table:Read") TRACKS("Read", "95") "}", "ValidationException"},
    {"no target to deregister", "DeregisterScalableTarget", "{" OF("table/guarded", "table:Write") "}",
     "ObjectNotFoundException"},
    {"an unknown member", "DescribeScalableTargets", "{\"ServiceNamespace\":\"dynamodb\",\"X\":1}",
     "ValidationException"},
};

static void refuses(void **state)
{
    const struct refused_row *row = *state;

    assert_number(scale(row->operation, row->body), 400);
    assert_awssim_error(&client, row->error);
}

static void keeps_what_is_registered(void **state UNUSED)
{
    assert_number(scale("RegisterScalableTarget",
                        "{" OF("table/guarded", "table:Write") ",\"MinCapacity\":1,\"MaxCapacity\":9}"),
                  200);
    assert_text_contains(awssim_text(&client, "ScalableTargetARN"), ":application-autoscaling:");
    expect_effect(&client, "created", "table/guarded");
    assert_number(scale("RegisterScalableTarget",
                        "{" OF("table/guarded", "table:Write") ",\"MinCapacity\":1,\"MaxCapacity\":9}"),
                  200);
    expect_effect(&client, "none", "table/guarded");
    assert_number(scale("PutScalingPolicy", "{" OF("table/guarded", "table:Write") TRACKS("Write", "60") "}"),
                  200);
    expect_effect(&client, "created", "table/guarded");
    assert_number(scale("DescribeScalableTargets",
                        "{\"ServiceNamespace\":\"dynamodb\",\"ResourceIds\":[\"table/guarded\"]}"),
                  200);
    assert_number((int64_t)json_count(json_member(client.json, "ScalableTargets")), 2);
    assert_number(scale("DescribeScalingPolicies",
                        "{\"ServiceNamespace\":\"dynamodb\",\"ResourceId\":\"table/guarded\"}"),
                  200);
    assert_number((int64_t)json_count(json_member(client.json, "ScalingPolicies")), 2);
    assert_number(scale("DescribeScalableTargets",
                        "{\"ServiceNamespace\":\"dynamodb\",\"ResourceIds\":[\"table/plain\"]}"),
                  200);
    assert_number((int64_t)json_count(json_member(client.json, "ScalableTargets")), 0);
}

/* Its policies go with a target. */
static void forgets_what_is_deregistered(void **state UNUSED)
{
    assert_number(scale("DeregisterScalableTarget", "{" OF("table/guarded", "table:Read") "}"), 200);
    expect_effect(&client, "changed", "table/guarded");
    assert_number((int64_t)json_count(world_part(&client, "applicationAutoScaling.targets")), 0);
    assert_number((int64_t)json_count(world_part(&client, "applicationAutoScaling.policies")), 0);
}

static void refuses_a_world_without_the_table(void **state UNUSED)
{
    AUTO_FREE char *text =
        services_world("", "",
                       "  applicationAutoScaling: {targets: [{resource: table/none, capacity: Read, "
                       "min: 1, max: 2}]}\n");
    struct sim *sim = NULL;

    assert_fails(awssim_new(&(struct sim_options){.world = str_of(text), .world_name = "w"}, &sim),
                 ERR_INVALID, "DynamoDB table does not exist: table/none");
}

int main(void)
{
    struct tests tests = tests_in_services(
        "  applicationAutoScaling:\n"
        "    targets: [{resource: table/guarded, capacity: Read, min: 5, max: 50, percent: 70}]\n");

    TEST_ROWS(&tests, refuses, refused_rows);
    TEST(&tests, keeps_what_is_registered);
    TEST(&tests, forgets_what_is_deregistered);
    tests.set_up = tests.tear_down = NULL;
    TEST(&tests, refuses_a_world_without_the_table);
    return tests_run(&tests, "application_autoscaling");
}
