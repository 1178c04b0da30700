#include "pkg/aws/application_autoscaling.h"

#include "pkg/aws/protocol.h"

#define TARGET(member) offsetof(struct autoscaling_target, member)

static const struct aws_text_field target_fields[] = {
    {.path = "ResourceId", .offset = TARGET(resource_id)},
    {.path = "ScalableDimension", .offset = TARGET(dimension)},
};

#define POLICY(member) offsetof(struct autoscaling_policy, member)
#define TRACKING "TargetTrackingScalingPolicyConfiguration"

static const struct aws_text_field policy_fields[] = {
    {.path = "PolicyName", .offset = POLICY(name)},
    {.path = "ResourceId", .offset = POLICY(resource_id)},
    {.path = "ScalableDimension", .offset = POLICY(dimension)},
    {.path = TRACKING ".PredefinedMetricSpecification.PredefinedMetricType", .offset = POLICY(metric)},
};

void autoscaling_done(struct autoscaling *scaling)
{
    for (size_t i = 0; i < scaling->target_count; i++)
        aws_text_fields_free(target_fields, COUNT_OF(target_fields), &scaling->targets[i]);
    for (size_t i = 0; i < scaling->policy_count; i++)
        aws_text_fields_free(policy_fields, COUNT_OF(policy_fields), &scaling->policies[i]);
    xfree(scaling->targets);
    xfree(scaling->policies);
    *scaling = (struct autoscaling){0};
}

/* The body of every request. */
static struct json *of_dynamodb(void)
{
    struct json *body = json_new_object();

    json_set_text(body, "ServiceNamespace", "dynamodb");
    return body;
}

static struct json *of_target(const char *resource_id, const char *dimension)
{
    struct json *body = of_dynamodb();

    json_set_text(body, "ResourceId", resource_id);
    json_set_text(body, "ScalableDimension", dimension);
    return body;
}

static void read_target(const struct json *item, struct autoscaling *scaling)
{
    struct autoscaling_target *target;

    scaling->targets = xgrow(scaling->targets, scaling->target_count, sizeof(*scaling->targets));
    target = &scaling->targets[scaling->target_count++];
    *target = (struct autoscaling_target){.min = json_get_int(item, "MinCapacity", 0),
                                          .max = json_get_int(item, "MaxCapacity", 0)};
    json_take_texts(item, target_fields, COUNT_OF(target_fields), target);
}

static void read_policy(const struct json *item, struct autoscaling *scaling)
{
    struct autoscaling_policy *policy;

    scaling->policies = xgrow(scaling->policies, scaling->policy_count, sizeof(*scaling->policies));
    policy = &scaling->policies[scaling->policy_count++];
    *policy = (struct autoscaling_policy){
        .target = json_get_number(item, TRACKING ".TargetValue", 0),
        .in_cooldown_s = json_get_int(item, TRACKING ".ScaleInCooldown", -1),
        .out_cooldown_s = json_get_int(item, TRACKING ".ScaleOutCooldown", -1),
        .never_in = json_get_bool(item, TRACKING ".DisableScaleIn", false),
    };
    json_take_texts(item, policy_fields, COUNT_OF(policy_fields), policy);
}

/* One of the two lists, page by page; takes the body over. */
struct listing {
    enum aws_op op;
    const char *member;
    void (*read)(const struct json *item, struct autoscaling *scaling);
};

static struct err *list(const struct aws_client *aws, const struct listing *listing, struct json *body,
                        struct autoscaling *ret)
{
    AUTO_JSON struct json *owned = body;
    AUTO_AWS_PAGES struct aws_pages pages = {.op = listing->op};

    while (!pages.is_over) {
        AUTO_AWS_REPLY struct aws_reply reply = {0};

        json_set_text(owned, "NextToken", pages.token);
        TRY(aws_call_json(aws, listing->op, owned, &reply));
        json_each (item, json_member(reply.json, listing->member))
            listing->read(item, ret);
        TRY(aws_pages_next(&pages, ret->target_count + ret->policy_count,
                           json_take_text(reply.json, "NextToken")));
    }
    return NULL;
}

/* At most so many resources in one request. */
#define RESOURCES_MAX 50

static struct err *list_targets(const struct aws_client *aws, const char *table, const char *const *indexes,
                                size_t index_count, struct autoscaling *ret)
{
    static const struct listing targets = {AWS_OP_DESCRIBE_SCALABLE_TARGETS, "ScalableTargets", read_target};
    struct json *body = of_dynamodb(), *ids = json_new_array();
    AUTO_FREE char *id = xasprintf("table/%s", table);

    json_append_text(ids, id);
    for (size_t i = 0; i < index_count && i + 1 < RESOURCES_MAX; i++) {
        AUTO_FREE char *index = xasprintf("table/%s/index/%s", table, indexes[i]);

        json_append_text(ids, index);
    }
    json_set(body, "ResourceIds", ids);
    return list(aws, &targets, body, ret);
}

static struct err *list_policies(const struct aws_client *aws, const char *resource_id,
                                 struct autoscaling *ret)
{
    static const struct listing policies = {AWS_OP_DESCRIBE_SCALING_POLICIES, "ScalingPolicies", read_policy};

    return list(aws, &policies, of_target(resource_id, NULL), ret);
}

/* Both capacities of a resource are targets of their own, and their policies come in one list. */
static bool is_first_of_resource(const struct autoscaling *scaling, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (text_equal(scaling->targets[i].resource_id, scaling->targets[index].resource_id))
            return false;
    }
    return true;
}

struct err *autoscaling_describe(const struct aws_client *aws, const char *table, const char *const *indexes,
                                 size_t index_count, struct autoscaling *ret)
{
    AUTO_AUTOSCALING struct autoscaling scaling = {0};

    TRY(list_targets(aws, table, indexes, index_count, &scaling));
    for (size_t i = 0; i < scaling.target_count; i++) {
        if (is_first_of_resource(&scaling, i))
            TRY(list_policies(aws, scaling.targets[i].resource_id, &scaling));
    }
    *ret = scaling;
    scaling = (struct autoscaling){0};
    return NULL;
}

struct err *autoscaling_register(const struct aws_client *aws, const struct autoscaling_target *target)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = of_target(target->resource_id, target->dimension);

    json_set_int(body, "MinCapacity", target->min);
    json_set_int(body, "MaxCapacity", target->max);
    return aws_call_json(aws, AWS_OP_REGISTER_SCALABLE_TARGET, body, &reply);
}

static struct json *tracking_of(const struct autoscaling_policy *policy)
{
    struct json *tracking = json_new_object(), *metric = json_new_object();

    json_set(tracking, "TargetValue", json_new_number(policy->target));
    json_set_text(metric, "PredefinedMetricType", policy->metric);
    json_set(tracking, "PredefinedMetricSpecification", metric);
    if (policy->out_cooldown_s >= 0)
        json_set_int(tracking, "ScaleOutCooldown", policy->out_cooldown_s);
    if (policy->in_cooldown_s >= 0)
        json_set_int(tracking, "ScaleInCooldown", policy->in_cooldown_s);
    if (policy->never_in)
        json_set_bool(tracking, "DisableScaleIn", true);
    return tracking;
}

struct err *autoscaling_put_policy(const struct aws_client *aws, const struct autoscaling_policy *policy)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = of_target(policy->resource_id, policy->dimension);

    if (!policy->metric)
        return err_new(ERR_INVALID, "scaling policy %s goes by a metric of its own", policy->name);
    json_set_text(body, "PolicyName", policy->name);
    json_set_text(body, "PolicyType", "TargetTrackingScaling");
    json_set(body, TRACKING, tracking_of(policy));
    return aws_call_json(aws, AWS_OP_PUT_SCALING_POLICY, body, &reply);
}

struct err *autoscaling_deregister(const struct aws_client *aws, const struct autoscaling_target *target)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_JSON struct json *body = of_target(target->resource_id, target->dimension);

    return aws_call_json(aws, AWS_OP_DEREGISTER_SCALABLE_TARGET, body, &reply);
}
