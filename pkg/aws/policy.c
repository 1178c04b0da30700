#include "pkg/aws/policy.h"

#include "pkg/base/alloc.h"
#include "pkg/base/json.h"

typedef bool match_fn(const char *pattern, const struct policy_question *question);

/* A text or a list of texts. */
static bool any_of(const struct json *value, match_fn *matches, const struct policy_question *question)
{
    if (json_is(value, JSON_STRING))
        return matches(json_get_text(value, NULL, ""), question);
    json_each (item, value) {
        if (matches(json_get_text(item, NULL, ""), question))
            return true;
    }
    return false;
}

static bool is_action(const char *pattern, const struct policy_question *question)
{
    return text_matches(pattern, question->action);
}

static bool is_principal(const char *pattern, const struct policy_question *question)
{
    AUTO_FREE char *root = xasprintf(":iam::%s:root", question->account_id);
    AUTO_FREE char *inside = xasprintf("::%s:", question->account_id);

    if (text_equal(pattern, "*") || text_equal(pattern, question->account_id) ||
        str_ends(str_of(pattern), root))
        return true;
    if (!question->role_arn)
        return str_contains(str_of(pattern), inside);
    return text_equal(pattern, question->role_arn);
}

static bool is_about(const struct json *statement, const struct policy_question *question)
{
    const struct json *principal = json_member(statement, "Principal");

    if (json_is(principal, JSON_OBJECT))
        principal = json_member(principal, "AWS");
    return any_of(principal, is_principal, question) &&
           any_of(json_member(statement, "Action"), is_action, question);
}

struct tally {
    bool allows, denies, has_conditions, conditional_denial;
};

static void add_statement(const struct json *statement, const struct policy_question *question,
                          struct tally *tally)
{
    bool denies = text_equal(json_get_text(statement, "Effect", ""), "Deny");

    if (!json_is(statement, JSON_OBJECT) || !is_about(statement, question))
        return;
    if (json_count(json_member(statement, "Condition")))
        tally->has_conditions = true;
    else if (denies)
        tally->denies = true;
    else
        tally->allows = true;
    tally->conditional_denial |= denies;
}

struct err *policy_ask(const char *policy, const struct policy_question *question, enum policy_verdict *ret)
{
    AUTO_JSON struct json *document = NULL;
    const struct json *statements;
    struct tally tally = {0};

    TRY(err_wrap(json_parse(str_of(policy), NULL, &document), "a policy"));
    statements = json_member(document, "Statement");
    if (!json_is(statements, JSON_ARRAY)) { /* one statement need not be in a list */
        add_statement(statements, question, &tally);
    } else {
        json_each (statement, statements)
            add_statement(statement, question, &tally);
    }
    if (tally.denies)
        *ret = POLICY_DENIES;
    else if (tally.allows && !tally.conditional_denial)
        *ret = POLICY_ALLOWS;
    else
        *ret = tally.allows || tally.has_conditions ? POLICY_PERHAPS : POLICY_SILENT;
    return NULL;
}
