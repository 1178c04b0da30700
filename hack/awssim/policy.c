/* Just enough of IAM's policy language for the access policies of vaults: Effect, Principal, Action, and the
 * two conditions on the organisation. A condition that is not understood never matches, so a statement with
 * it allows nothing. */
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

static bool is_principal(const char *pattern, const struct policy_question *question)
{
    AUTO_FREE char *root = xasprintf(":iam::%s:root", question->account_id);

    return text_equal(pattern, "*") || text_equal(pattern, question->account_id) ||
           text_equal(pattern, question->principal_arn) || str_ends(str_of(pattern), root);
}

static bool is_organization(const char *pattern, const struct policy_question *question)
{
    return question->organization && text_matches(pattern, question->organization);
}

/* "o-id/r-root/ou-x/": we know no units, so only the organisation's part counts. */
static bool is_organization_path(const char *pattern, const struct policy_question *question)
{
    struct str rest = str_of(pattern), head = {0};

    str_cut(&rest, '/', &head);
    AUTO_FREE char *id = str_dup(head);
    return is_organization(id, question);
}

static bool condition_holds(const struct json *operator, const struct policy_question * question)
{
    const char *name = json_key(operator);

    if (!str_contains(str_of(name), "StringEquals") && !str_contains(str_of(name), "StringLike"))
        return false;
    if (str_contains(str_of(name), "Not"))
        return false;
    json_each (key, operator) {
        if (text_equal(json_key(key), "aws:PrincipalOrgID")) {
            if (!any_text(key, is_organization, question))
                return false;
        } else if (text_equal(json_key(key), "aws:PrincipalOrgPaths")) {
            if (!any_text(key, is_organization_path, question))
                return false;
        } else if (text_equal(json_key(key), "aws:PrincipalAccount") ||
                   text_equal(json_key(key), "aws:PrincipalArn")) {
            if (!any_text(key, is_principal, question))
                return false;
        } else {
            return false;
        }
    }
    return true;
}

static bool statement_matches(const struct json *statement, const struct policy_question *question)
{
    const struct json *principal = json_member(statement, "Principal");

    if (json_is(principal, JSON_OBJECT))
        principal = json_member(principal, "AWS");
    if (!any_text(principal, is_principal, question) ||
        !any_text(json_member(statement, "Action"), is_action, question))
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
