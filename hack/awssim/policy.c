/* Just enough of IAM's policy language for the access policies of vaults, queues and event buses: Effect,
 * Principal, Action, Resource, and conditions on who the principal or the source is. A condition that is not
 * understood never matches, so a statement with it allows nothing. */
#include "hack/awssim/core.h"

typedef bool match_fn(const char *pattern, const struct policy_question *question);

/* A text or a list of texts: whether any of them matches. */
static bool any_text(const struct json *value, match_fn *matches, const struct policy_question *question)
{
    if (json_is(value, JSON_STRING))
        return matches(json_get_text(value, NULL, ""), question);
    if (!json_is(value, JSON_ARRAY))
        return false;
    json_each (item, value)
        if (matches(json_get_text(item, NULL, ""), question))
            return true;
    return false;
}

static bool is_action(const char *pattern, const struct policy_question *question)
{
    return text_matches(pattern, question->action);
}

/* The account's number and its root stand for everybody in it. */
static bool is_principal(const char *pattern, const struct policy_question *question)
{
    if (text_equal(pattern, "*") || question->service)
        return text_equal(pattern, "*");
    AUTO_FREE char *root = xasprintf(":iam::%s:root", question->account_id);
    return text_equal(pattern, question->account_id) || text_equal(pattern, question->principal_arn) ||
           str_ends(str_of(pattern), root);
}

static bool is_service(const char *pattern, const struct policy_question *question)
{
    return text_equal(pattern, question->service);
}

static bool is_resource(const char *pattern, const struct policy_question *question)
{
    return text_matches(pattern, question->resource);
}

/* ---- conditions ---- */

/* "o-id/r-root/ou-x/": we know no units, so only the organisation's part counts. */
static bool is_organization_path(const char *pattern, const struct policy_question *question)
{
    struct str rest = str_of(pattern), head = {0};

    str_cut(&rest, '/', &head);
    AUTO_FREE char *id = str_dup(head);
    return question->organization && text_matches(id, question->organization);
}

/* What the condition keys are in this question; NULL: not there, so nothing matches it. */
static const char *context_value(const struct policy_question *question, const char *key)
{
    const struct {
        const char *key, *value;
    } values[] = {
        {.key = "aws:PrincipalOrgID", .value = question->service ? NULL : question->organization},
        {.key = "aws:PrincipalAccount", .value = question->service ? NULL : question->account_id},
        {.key = "aws:PrincipalArn", .value = question->principal_arn},
        {.key = "aws:SourceArn", .value = question->source_arn},
        {.key = "aws:SourceAccount", .value = question->source_account},
        {.key = "aws:SourceOrgID", .value = question->source_account ? question->organization : NULL},
    };

    for (size_t i = 0; i < COUNT_OF(values); i++)
        if (str_equal_nocase(str_of(values[i].key), str_of(key)))
            return values[i].value;
    return NULL;
}

static bool value_holds(const struct json *patterns, const char *value, bool exact)
{
    const struct json *item = json_is(patterns, JSON_ARRAY) ? json_first(patterns) : patterns;

    while (item && value) {
        const char *pattern = json_get_text(item, NULL, "");

        if (exact ? text_equal(pattern, value) : text_matches(pattern, value))
            return true;
        item = json_is(patterns, JSON_ARRAY) ? json_next(item) : NULL;
    }
    return false;
}

/* ArnEquals is ArnLike:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
static const struct operator_name {
    const char *name;
    bool exact;
} operator_names[] = {
    {.name = "StringEquals", .exact = true},
    {.name = "StringLike"},
    {.name = "ArnEquals"},
    {.name = "ArnLike"},
};

static const struct operator_name *operator_find(const char *name)
{
    if (str_starts(str_of(name), "ForAnyValue:"))
        name += strlen("ForAnyValue:");
    for (size_t i = 0; i < COUNT_OF(operator_names); i++)
        if (text_equal(operator_names[i].name, name))
            return &operator_names[i];
    return NULL;
}

static bool condition_holds(const struct json *operator, const struct policy_question * question)
{
    const struct operator_name *known = operator_find(json_key(operator));

    if (!known)
        return false;
    json_each (key, operator) {
        bool holds = text_equal(json_key(key), "aws:PrincipalOrgPaths")
                         ? any_text(key, is_organization_path, question)
                         : value_holds(key, context_value(question, json_key(key)), known->exact);

        if (!holds)
            return false;
    }
    return true;
}

static bool statement_matches(const struct json *statement, const struct policy_question *question)
{
    const struct json *principal = json_member(statement, "Principal");
    bool named = any_text(principal, is_principal, question);

    if (json_is(principal, JSON_OBJECT))
        named = any_text(json_member(principal, "AWS"), is_principal, question) ||
                any_text(json_member(principal, "Service"), is_service, question);
    if (!named || !any_text(json_member(statement, "Action"), is_action, question) ||
        (question->resource && !any_text(json_member(statement, "Resource"), is_resource, question)))
        return false;
    json_each (operator, json_member(statement, "Condition"))
        if (!condition_holds(operator, question))
            return false;
    return true;
}

/* One statement need not be in a list. */
static const struct json *statement_at(const struct json *policy, size_t index)
{
    const struct json *list = json_member(policy, "Statement");

    if (json_is(list, JSON_ARRAY))
        return json_item(list, index);
    return index == 0 ? list : NULL;
}

bool sim_policy_allows(const struct json *policy, const struct policy_question *question)
{
    const struct json *statement;
    bool allowed = false;

    for (size_t i = 0; (statement = statement_at(policy, i)); i++) {
        if (!statement_matches(statement, question))
            continue;
        if (text_equal(json_get_text(statement, "Effect", ""), "Deny"))
            return false;
        allowed = allowed || text_equal(json_get_text(statement, "Effect", ""), "Allow");
    }
    return allowed;
}
