#include "hack/awssim/application_autoscaling.h"

#include "hack/awssim/dynamodb.h"

struct autoscaling_state *sim_autoscaling_state(const struct account *account)
{
    return account_state(account, &autoscaling_service);
}

/* ---- finding ---- */

static struct scalable_target *find_target(const struct autoscaling_state *state, const char *resource,
                                           const char *dimension)
{
    for (size_t i = 0; i < state->targets.count; i++) {
        if (text_equal(state->targets.items[i].resource, resource) &&
            text_equal(state->targets.items[i].dimension, dimension))
            return &state->targets.items[i];
    }
    return NULL;
}

static struct scaling_policy *find_policy(const struct autoscaling_state *state, const char *resource,
                                          const char *dimension, const char *name)
{
    for (size_t i = 0; i < state->policies.count; i++) {
        const struct scaling_policy *policy = &state->policies.items[i];

        if (text_equal(policy->resource, resource) && text_equal(policy->dimension, dimension) &&
            text_equal(policy->name, name))
            return &state->policies.items[i];
    }
    return NULL;
}

static bool has_index(const struct table *table, struct str name)
{
    json_each (index, table->indexes)
        if (str_is(name, json_get_text(index, "IndexName", "")))
            return true;
    return false;
}

const char *sim_autoscaling_fault(const struct account *account, const char *resource, const char *dimension)
{
    struct str rest = str_of(resource), kind, name, index;

    if (!str_cut(&rest, '/', &kind) || !str_is(kind, "table") || !str_cut(&rest, '/', &name))
        return "Unsupported service namespace, resource type or scalable dimension";
    bool of_index = str_cut(&rest, '/', &index);
    if (!str_starts(str_of(dimension), of_index ? "dynamodb:index:" : "dynamodb:table:") ||
        (!str_ends(str_of(dimension), ":ReadCapacityUnits") &&
         !str_ends(str_of(dimension), ":WriteCapacityUnits")))
        return "Unsupported service namespace, resource type or scalable dimension";
    AUTO_FREE char *table_name = str_dup(name);
    const struct table *table = sim_table(sim_dynamodb_state(account), table_name);
    if (!table || table->gone_ms)
        return "DynamoDB table does not exist";
    if (of_index && !has_index(table, rest))
        return "DynamoDB index does not exist";
    return NULL;
}

static bool check_namespace(struct call *call)
{
    return text_equal(call_text(call, "ServiceNamespace"), "dynamodb") ||
           call_refuse(call, 400, "ValidationException", "this world scales tables only, not %s",
                       call_text(call, "ServiceNamespace"));
}

char *sim_autoscaling_arn(const struct account *account, const char *kind, const char *name)
{
    AUTO_FREE char *uuid = sim_new_uuid(account->sim);

    return account_arn(account, "application-autoscaling", "%s/%s%s%s", kind, uuid,
                       name ? ":policyName/" : "", name ? name : "");
}

/* ---- targets ---- */

static bool register_target(struct call *call)
{
    struct autoscaling_state *state = call_state(call);
    const char *resource = call_text(call, "ResourceId"), *dimension = call_text(call, "ScalableDimension");
    struct scalable_target *target = find_target(state, resource, dimension);
    int64_t min = call_int(call, "MinCapacity", target ? target->min : -1),
            max = call_int(call, "MaxCapacity", target ? target->max : -1);
    const char *fault = sim_autoscaling_fault(call->account, resource, dimension);

    call_effect(call, EFFECT_CHANGED, resource);
    if (!check_namespace(call))
        return false;
    if (fault)
        return call_refuse(call, 400, "ValidationException", "%s: %s", fault, resource);
    if (min < 1 || max < min)
        return call_refuse(call, 400, "ValidationException",
                           "MinCapacity and MaxCapacity are required, at least 1, and in this order");
    bool is_new = !target;
    if (is_new) {
        target = LIST_ADD(state->targets);
        *target = (struct scalable_target){.resource = xstrdup(resource),
                                           .dimension = xstrdup(dimension),
                                           .arn = sim_autoscaling_arn(call->account, "scalable-target", NULL),
                                           .created_ms = call->now_ms};
    }
    bool same = target->min == min && target->max == max;
    target->min = min;
    target->max = max;
    call_effect(call, is_new ? EFFECT_CREATED : same ? EFFECT_NONE : EFFECT_CHANGED, resource);
    json_set_text(call->out, "ScalableTargetARN", target->arn);
    return true;
}

static void free_policy(struct scaling_policy *policy)
{
    xfree(policy->name);
    xfree(policy->resource);
    xfree(policy->dimension);
    xfree(policy->arn);
    json_free(policy->tracking);
}

static void free_target(struct scalable_target *target)
{
    xfree(target->resource);
    xfree(target->dimension);
    xfree(target->arn);
}

static void drop_policies(struct autoscaling_state *state, const char *resource, const char *dimension)
{
    for (size_t i = state->policies.count; i-- > 0;) {
        struct scaling_policy *policy = &state->policies.items[i];

        if (!text_equal(policy->resource, resource) || !text_equal(policy->dimension, dimension))
            continue;
        free_policy(policy);
        *policy = state->policies.items[--state->policies.count];
    }
}

static bool refuse_target(struct call *call)
{
    return call_refuse(call, 400, "ObjectNotFoundException",
                       "No scalable target registered for service namespace: dynamodb, resource ID: %s, "
                       "scalable dimension: %s",
                       call_text(call, "ResourceId"), call_text(call, "ScalableDimension"));
}

static bool deregister_target(struct call *call)
{
    struct autoscaling_state *state = call_state(call);
    const char *resource = call_text(call, "ResourceId"), *dimension = call_text(call, "ScalableDimension");
    struct scalable_target *target = find_target(state, resource, dimension);

    call_effect(call, EFFECT_CHANGED, resource);
    if (!check_namespace(call))
        return false;
    if (!target)
        return refuse_target(call);
    drop_policies(state, resource, dimension);
    free_target(target);
    *target = state->targets.items[--state->targets.count];
    return true;
}

static struct json *target_wire(const struct scalable_target *target)
{
    struct json *wire = json_new_object();

    json_set_text(wire, "ServiceNamespace", "dynamodb");
    json_set_text(wire, "ResourceId", target->resource);
    json_set_text(wire, "ScalableDimension", target->dimension);
    json_set_text(wire, "ScalableTargetARN", target->arn);
    json_set_int(wire, "MinCapacity", target->min);
    json_set_int(wire, "MaxCapacity", target->max);
    json_set(wire, "CreationTime", json_new_number((double)target->created_ms / 1000.0));
    return wire;
}

/* No filter: all. */
static bool is_named(const struct json *names, const char *name)
{
    json_each (item, names)
        if (text_equal(json_get_text(item, NULL, ""), name))
            return true;
    return !names;
}

static bool is_of(const struct call *call, const char *member, const char *value)
{
    const char *wanted = call_text(call, member);

    return !wanted || text_equal(wanted, value);
}

/* Gives the part of `found` that the page shows; takes it over. */
static bool answer_page(struct call *call, const char *member, struct json *found)
{
    static const struct page_rule rule = {.size_member = "MaxResults",
                                          .token_member = "NextToken",
                                          .out_member = "NextToken",
                                          .min = 1,
                                          .max = 50,
                                          .otherwise = 50,
                                          .error = "InvalidNextTokenException"};
    AUTO_JSON struct json *all = found;
    size_t first = 0, count = 0;

    if (!call_page(call, &rule, json_count(all), &first, &count))
        return false;
    struct json *shown = json_new_array();
    for (size_t i = first; i < first + count; i++)
        json_append(shown, json_copy(json_item(all, i)));
    json_set(call->out, member, shown);
    return true;
}

static bool describe_targets(struct call *call)
{
    const struct autoscaling_state *state = call_state(call);

    if (!check_namespace(call))
        return false;
    struct json *found = json_new_array();
    for (size_t i = 0; i < state->targets.count; i++) {
        const struct scalable_target *target = &state->targets.items[i];

        if (is_named(call_list(call, "ResourceIds"), target->resource) &&
            is_of(call, "ScalableDimension", target->dimension))
            json_append(found, target_wire(target));
    }
    return answer_page(call, "ScalableTargets", found);
}

/* ---- policies ---- */

static bool check_tracking(struct call *call)
{
    double value = call_number(call, "TargetTrackingScalingPolicyConfiguration.TargetValue", 0);
    const char *metric =
        call_text(call, "TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification."
                        "PredefinedMetricType");
    bool reads = str_ends(str_of(call_text(call, "ScalableDimension")), ":ReadCapacityUnits");

    if (!text_equal(call_text(call, "PolicyType"), "TargetTrackingScaling"))
        return call_refuse(call, 400, "ValidationException",
                           "Only target tracking scaling policies are supported for DynamoDB");
    if (value < 20 || value > 90)
        return call_refuse(call, 400, "ValidationException", "TargetValue must be between 20 and 90");
    if (!text_equal(metric, reads ? "DynamoDBReadCapacityUtilization" : "DynamoDBWriteCapacityUtilization"))
        return call_refuse(call, 400, "ValidationException",
                           "The metric %s does not go with this scalable dimension", metric ? metric : "");
    return true;
}

static bool put_policy(struct call *call)
{
    struct autoscaling_state *state = call_state(call);
    const char *resource = call_text(call, "ResourceId"), *dimension = call_text(call, "ScalableDimension"),
               *name = call_text(call, "PolicyName");
    struct scaling_policy *policy = find_policy(state, resource, dimension, name);

    call_effect(call, EFFECT_CHANGED, resource);
    if (!check_namespace(call))
        return false;
    if (!find_target(state, resource, dimension))
        return refuse_target(call);
    if (!check_tracking(call))
        return false;
    call_effect(call, policy ? EFFECT_CHANGED : EFFECT_CREATED, resource);
    if (!policy) {
        policy = LIST_ADD(state->policies);
        *policy = (struct scaling_policy){.name = xstrdup(name),
                                          .resource = xstrdup(resource),
                                          .dimension = xstrdup(dimension),
                                          .arn = sim_autoscaling_arn(call->account, "scalingPolicy", name),
                                          .created_ms = call->now_ms};
    }
    json_free(policy->tracking);
    policy->tracking = json_copy(json_member(call->input, "TargetTrackingScalingPolicyConfiguration"));
    json_set_text(call->out, "PolicyARN", policy->arn);
    json_set(call->out, "Alarms", json_new_array());
    return true;
}

static struct json *policy_wire(const struct scaling_policy *policy)
{
    struct json *wire = json_new_object();

    json_set_text(wire, "PolicyARN", policy->arn);
    json_set_text(wire, "PolicyName", policy->name);
    json_set_text(wire, "ServiceNamespace", "dynamodb");
    json_set_text(wire, "ResourceId", policy->resource);
    json_set_text(wire, "ScalableDimension", policy->dimension);
    json_set_text(wire, "PolicyType", "TargetTrackingScaling");
    json_set_copy(wire, "TargetTrackingScalingPolicyConfiguration", policy->tracking);
    json_set(wire, "CreationTime", json_new_number((double)policy->created_ms / 1000.0));
    return wire;
}

static bool describe_policies(struct call *call)
{
    const struct autoscaling_state *state = call_state(call);

    if (!check_namespace(call))
        return false;
    struct json *found = json_new_array();
    for (size_t i = 0; i < state->policies.count; i++) {
        const struct scaling_policy *policy = &state->policies.items[i];

        if (is_named(call_list(call, "PolicyNames"), policy->name) &&
            is_of(call, "ResourceId", policy->resource) &&
            is_of(call, "ScalableDimension", policy->dimension))
            json_append(found, policy_wire(policy));
    }
    return answer_page(call, "ScalingPolicies", found);
}

static struct json *dump(struct account *account)
{
    const struct autoscaling_state *state = sim_autoscaling_state(account);
    struct json *dump = json_new_object(), *targets = json_new_array(), *policies = json_new_array();

    for (size_t i = 0; i < state->targets.count; i++)
        json_append(targets, target_wire(&state->targets.items[i]));
    for (size_t i = 0; i < state->policies.count; i++)
        json_append(policies, policy_wire(&state->policies.items[i]));
    json_set(dump, "targets", targets);
    json_set(dump, "policies", policies);
    return dump;
}

static void done(struct account *account)
{
    struct autoscaling_state *state = sim_autoscaling_state(account);

    for (size_t i = 0; i < state->targets.count; i++)
        free_target(&state->targets.items[i]);
    for (size_t i = 0; i < state->policies.count; i++)
        free_policy(&state->policies.items[i]);
    xfree(state->targets.items);
    xfree(state->policies.items);
}

#define TARGET "ServiceNamespace! ResourceId! ScalableDimension!"

static const struct operation operations[] = {
    {.name = "RegisterScalableTarget",
     .handle = register_target,
     .input = TARGET " MinCapacity:int MaxCapacity:int RoleARN SuspendedState:object Tags:map",
     .mutating = true},
    {.name = "DeregisterScalableTarget", .handle = deregister_target, .input = TARGET, .mutating = true},
    {.name = "DescribeScalableTargets",
     .handle = describe_targets,
     .input = "ServiceNamespace! ResourceIds:list ScalableDimension MaxResults:int NextToken"},
    {.name = "PutScalingPolicy",
     .handle = put_policy,
     .input = TARGET " PolicyName! PolicyType TargetTrackingScalingPolicyConfiguration:object",
     .mutating = true},
    {.name = "DescribeScalingPolicies",
     .handle = describe_policies,
     .input = "ServiceNamespace! PolicyNames:list ResourceId ScalableDimension MaxResults:int NextToken"},
};

const struct service autoscaling_service = {
    .name = "application-autoscaling",
    .section = "applicationAutoScaling",
    .protocol = PROTOCOL_JSON,
    .target_prefix = "AnyScaleFrontendService",
    .json_version = "1.1",
    .message_key = "Message",
    .missing_code = "ValidationException",
    .invalid_code = "ValidationException",
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .state_size = sizeof(struct autoscaling_state),
    .load = sim_autoscaling_load,
    .check = sim_autoscaling_check,
    .dump = dump,
    .done = done,
};
