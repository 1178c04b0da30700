/* The resource policy of a bus: whole, or one statement at a time. */
#include "hack/awssim/events.h"

#define MAX_POLICY (10 * KIB)

static bool is_sid(const char *sid)
{
    size_t len = sid ? strlen(sid) : 0;

    return len > 0 && len <= 64 && strspn(sid, ALPHABET_ALNUM "-_") == len;
}

static bool is_text_of(const struct json *value, const char *prefix)
{
    return str_starts(str_of(json_get_text(value, NULL, "")), prefix);
}

/* A text or texts with that beginning. */
static bool all_begin(const struct json *value, const char *prefix)
{
    if (!json_is(value, JSON_ARRAY))
        return is_text_of(value, prefix);
    json_each (item, value)
        if (!is_text_of(item, prefix))
            return false;
    return json_count(value) > 0;
}

static char *statement_fault(const struct events_bus *bus, const struct json *statement)
{
    const char *sid = json_get_text(statement, "Sid", NULL), *effect = json_get_text(statement, "Effect", "");
    const char *resource = json_get_text(statement, "Resource", NULL);
    size_t len = strlen(bus->arn);

    if (!is_sid(sid))
        return xasprintf("the Sid '%s' is not valid: each statement needs one of [a-zA-Z0-9-_]{1,64}",
                         sid ? sid : "");
    if (!text_equal(effect, "Allow") && !text_equal(effect, "Deny"))
        return xasprintf("statement %s: Effect must be Allow or Deny", sid);
    if (!json_member(statement, "Principal"))
        return xasprintf("statement %s has no Principal", sid);
    if (!all_begin(json_member(statement, "Action"), "events:"))
        return xasprintf("statement %s: actions must be of events", sid);
    /* Rules of the bus have their own ARNs; the bus has exactly one. */
    if (!resource || !(text_equal(resource, bus->arn) || str_contains(str_of(resource), ":rule/")) ||
        strlen(resource) < len / 2)
        return xasprintf("statement %s: Resource must be %s", sid, bus->arn);
    return NULL;
}

char *sim_events_policy_fault(const struct events_bus *bus, const struct json *policy)
{
    const struct json *list = json_member(policy, "Statement");
    const struct json *first = json_is(list, JSON_ARRAY) ? json_first(list) : list;

    if (!first)
        return xstrdup("the policy has no Statement");
    for (const struct json *one = first; one; one = json_is(list, JSON_ARRAY) ? json_next(one) : NULL) {
        char *fault = statement_fault(bus, one);

        if (fault)
            return fault;
        for (const struct json *later = json_is(list, JSON_ARRAY) ? json_next(one) : NULL; later;
             later = json_next(later))
            if (text_equal(json_get_text(later, "Sid", ""), json_get_text(one, "Sid", "")))
                return xasprintf("the Sid %s is there twice", json_get_text(one, "Sid", ""));
    }
    return NULL;
}

static bool keep_policy(struct call *call, struct events_bus *bus, struct json *policy)
{
    AUTO_JSON struct json *mine = policy;
    AUTO_FREE char *text = json_to_text(mine);
    AUTO_FREE char *fault = sim_events_policy_fault(bus, mine);

    if (strlen(text) > MAX_POLICY)
        return call_refuse(call, 400, "PolicyLengthExceededException", "The event bus policy is too long.");
    if (fault)
        return call_refuse(call, 400, "ValidationException", "The policy is not valid: %s", fault);
    json_free(bus->policy);
    bus->policy = TAKE(mine);
    call_effect(call, EFFECT_CHANGED, bus->arn);
    return true;
}

static struct events_bus *bus_of(struct call *call)
{
    struct events_bus *bus = sim_events_bus_find(call->account, call_text(call, "EventBusName"));

    if (!bus)
        call_refuse(call, 400, "ResourceNotFoundException", "Event bus %s does not exist.",
                    call_text(call, "EventBusName"));
    return bus;
}

/* ---- one statement ---- */

static struct json *condition_of(const struct call *call)
{
    struct json *condition = json_new_object(), *inner = json_new_object();

    json_set_text(inner, call_text(call, "Condition.Key"), call_text(call, "Condition.Value"));
    json_set(condition, call_text(call, "Condition.Type"), inner);
    return condition;
}

static struct json *statement_of(const struct call *call, const struct events_bus *bus)
{
    struct json *statement = json_new_object(), *principal = json_new_object();
    const char *who = call_text(call, "Principal");
    AUTO_FREE char *root = xasprintf("arn:%s:iam::%s:root", call->account->partition, who);

    json_set_text(statement, "Sid", call_text(call, "StatementId"));
    json_set_text(statement, "Effect", "Allow");
    if (text_equal(who, "*")) {
        json_free(principal);
        json_set_text(statement, "Principal", "*");
    } else {
        json_set_text(principal, "AWS", root);
        json_set(statement, "Principal", principal);
    }
    json_set_text(statement, "Action", call_text(call, "Action"));
    json_set_text(statement, "Resource", bus->arn);
    if (call_has(call, "Condition"))
        json_set(statement, "Condition", condition_of(call));
    return statement;
}

static bool check_statement(struct call *call)
{
    const char *who = call_text(call, "Principal");

    if (!who || !call_text(call, "Action") || !call_text(call, "StatementId"))
        return call_refuse(call, 400, "ValidationException",
                           "Action, Principal and StatementId are needed, or Policy.");
    if (!text_equal(who, "*") && (strlen(who) != 12 || strspn(who, "0123456789") != 12))
        return call_refuse(call, 400, "ValidationException",
                           "Value '%s' at 'principal' failed to satisfy constraint: (\\d{12}|\\*)", who);
    if (!text_equal(call_text(call, "Action"), "events:PutEvents"))
        return call_refuse(call, 400, "ValidationException",
                           "Provided value in parameter 'action' is not supported.");
    if (!is_sid(call_text(call, "StatementId")))
        return call_refuse(call, 400, "ValidationException",
                           "Value '%s' at 'statementId' failed to satisfy constraint: [a-zA-Z0-9-_]+",
                           call_text(call, "StatementId"));
    if (call_has(call, "Condition") && (!text_equal(call_text(call, "Condition.Type"), "StringEquals") ||
                                        !text_equal(call_text(call, "Condition.Key"), "aws:PrincipalOrgID") ||
                                        !call_text(call, "Condition.Value")))
        return call_refuse(call, 400, "ValidationException",
                           "Condition must be StringEquals on aws:PrincipalOrgID with a value.");
    return true;
}

/* The policy without that statement; one of its own when there is none. Yours. */
static struct json *policy_without(const struct events_bus *bus, const char *sid)
{
    struct json *policy = json_new_object(), *kept = json_new_array();

    json_set_text(policy, "Version", "2012-10-17");
    json_each (statement, json_member(bus->policy, "Statement"))
        if (!text_equal(json_get_text(statement, "Sid", ""), sid))
            json_append(kept, json_copy(statement));
    json_set(policy, "Statement", kept);
    return policy;
}

bool sim_events_put_permission(struct call *call)
{
    const char *text = call_text(call, "Policy");
    struct events_bus *bus = bus_of(call);
    struct json *policy = NULL;

    if (!bus)
        return false;
    if (text) {
        AUTO_ERR struct err *err = json_parse(str_of(text), NULL, &policy);

        if (err)
            return call_refuse(call, 400, "ValidationException", "The policy is no JSON: %s", err_text(err));
        return keep_policy(call, bus, policy);
    }
    if (!check_statement(call))
        return false;
    policy = policy_without(bus, call_text(call, "StatementId"));
    json_append(json_edit(policy, "Statement"), statement_of(call, bus));
    return keep_policy(call, bus, policy);
}

bool sim_events_remove_permission(struct call *call)
{
    struct events_bus *bus = bus_of(call);
    const char *sid = call_text(call, "StatementId");

    if (!bus)
        return false;
    bool everything = call_bool(call, "RemoveAllPermissions", false);
    AUTO_JSON struct json *rest = everything ? NULL : policy_without(bus, sid);
    if (!everything &&
        json_count(json_member(rest, "Statement")) == json_count(json_member(bus->policy, "Statement")))
        return call_refuse(call, 400, "ResourceNotFoundException",
                           "Statement with the provided id does not exist.");
    json_free(bus->policy);
    bus->policy = json_count(json_member(rest, "Statement")) ? TAKE(rest) : NULL;
    call_effect(call, EFFECT_CHANGED, bus->arn);
    return true;
}
