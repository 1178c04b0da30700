/* PutParameter. It has no idempotency token: a repeat makes another version. */
#include "hack/awssim/ssm.h"

#include <ctype.h>
#include <regex.h>

static bool is_word(const char *text, const char *first, const char *second)
{
    return text_equal(text, first) || text_equal(text, second);
}

static bool check_name(struct call *call)
{
    const char *name = call_text(call, "Name"), *bare = name + (name[0] == '/');
    int levels = 0;

    for (const char *c = name; *c; c++) {
        levels += *c == '/';
        if (!isalnum((unsigned char)*c) && !strchr("_.-/", *c))
            return call_refuse(call, 400, "ValidationException",
                               "Parameter name: must only contain letters, digits and the symbols _.-/ (%s)",
                               name);
    }
    if (!*bare || strlen(name) > 1011)
        return call_refuse(call, 400, "ValidationException",
                           "Parameter name: 1 to 1011 characters are allowed");
    if (levels > 0 && name[0] != '/')
        return call_refuse(
            call, 400, "ValidationException",
            "Parameter name must be a fully qualified name: it begins with a slash when it has one (%s)",
            name);
    if (levels > 15)
        return call_refuse(call, 400, "HierarchyLevelLimitExceededException",
                           "A hierarchy has at most 15 levels.");
    if (strncasecmp(bare, "aws", 3) == 0 || strncasecmp(bare, "ssm", 3) == 0)
        return call_refuse(call, 400, "ValidationException",
                           "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).");
    return true;
}

static bool is_advanced(const struct call *call, const struct parameter *old)
{
    const char *tier = call_text(call, "Tier");

    return tier ? text_equal(tier, "Advanced") : old && text_equal(old->tier, "Advanced");
}

static bool check_value(struct call *call, const struct parameter *old)
{
    const char *value = call_text(call, "Value");
    size_t most = is_advanced(call, old) ? 8192 : 4096;

    if (!*value)
        return call_refuse(call, 400, "ValidationException",
                           "1 validation error detected: Value '' at 'value' failed to satisfy constraint: "
                           "Member must have length "
                           "greater than or equal to 1.");
    if (strlen(value) > most)
        return call_refuse(call, 400, "ValidationException",
                           "%s tier parameters support a maximum parameter value of %zu characters.",
                           most == 4096 ? "Standard" : "Advanced", most);
    if (strstr(value, "{{"))
        return call_refuse(
            call, 400, "ValidationException",
            "Parameter value: cannot nest another parameter. Do not use \"{{}}\" in the value.");
    return true;
}

static bool check_pattern(struct call *call, const struct parameter *old)
{
    const char *pattern = call_text(call, "AllowedPattern");
    regex_t regex;

    pattern = pattern ? pattern : old ? old->pattern : NULL;
    if (text_is_empty(pattern))
        return true;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
        return call_refuse(call, 400, "InvalidAllowedPatternException", "The pattern %s is not valid.",
                           pattern);
    bool fits = regexec(&regex, call_text(call, "Value"), 0, NULL, 0) == 0;
    regfree(&regex);
    return fits || call_refuse(call, 400, "ParameterPatternMismatchException",
                               "Parameter value, cannot be validated against allowedPattern: %s", pattern);
}

static bool check_type(struct call *call, const struct parameter *old)
{
    const char *type = call_text(call, "Type"), *key = call_text(call, "KeyId");

    if (!type && !old)
        return call_refuse(call, 400, "ValidationException",
                           "A parameter type is required when you create a parameter.");
    if (type && !is_word(type, "String", "StringList") && !text_equal(type, "SecureString"))
        return call_refuse(call, 400, "UnsupportedParameterType", "The parameter type %s is not supported.",
                           type);
    if (type && old && !text_equal(type, old->type))
        return call_refuse(call, 400, "HierarchyTypeMismatchException",
                           "Parameter Store doesn't support changing a parameter's type from %s to %s.",
                           old->type, type);
    if (key && !text_equal(type ? type : old->type, "SecureString"))
        return call_refuse(call, 400, "ValidationException", "KeyId is for parameters of type SecureString.");
    AUTO_FREE char *fault = key ? kms_why_unusable(call->account, key) : NULL;
    return !fault || call_refuse(call, 400, "InvalidKeyId", "%s", fault);
}

static bool check_change(struct call *call, const struct parameter *old)
{
    const char *tier = call_text(call, "Tier");

    if (old && !call_bool(call, "Overwrite", false))
        return call_refuse(call, 400, "ParameterAlreadyExists",
                           "The parameter already exists. To overwrite this value, set the overwrite option "
                           "in the request to true.");
    if (call_has(call, "Tags") && call_bool(call, "Overwrite", false))
        return call_refuse(call, 400, "ValidationException",
                           "Invalid request: tags and overwrite can't be used together. To create a "
                           "parameter with tags, remove the "
                           "overwrite parameter.");
    if (tier && !is_word(tier, "Standard", "Advanced") && !text_equal(tier, "Intelligent-Tiering"))
        return call_refuse(call, 400, "ValidationException", "Unknown tier %s", tier);
    if (old && text_equal(old->tier, "Advanced") && text_equal(tier, "Standard"))
        return call_refuse(
            call, 400, "ValidationException",
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
            "advanced-parameter tier to the standard-parameter tier.");
    return true;
}

static void replace(char **slot, const char *text)
{
    if (!text)
        return;
    xfree(*slot);
    *slot = xstrdup(text);
}

static void fill(struct call *call, struct parameter *parameter)
{
    bool advanced = is_advanced(call, parameter);

    replace(&parameter->type, call_text(call, "Type"));
    replace(&parameter->tier, advanced ? "Advanced" : "Standard");
    replace(&parameter->description, call_text(call, "Description"));
    replace(&parameter->pattern, call_text(call, "AllowedPattern"));
    replace(&parameter->data_type, call_text(call, "DataType"));
    if (!parameter->data_type)
        parameter->data_type = xstrdup("text");
    /* Left out, it is the default key again, whatever it was before. */
    if (text_equal(parameter->type, "SecureString"))
        replace(&parameter->key, call_has(call, "KeyId") ? call_text(call, "KeyId") : "alias/aws/ssm");
    json_each (tag, call_list(call, "Tags"))
        json_set_text(parameter->tags, json_get_text(tag, "Key", ""), json_get_text(tag, "Value", ""));
}

bool sim_ssm_put_parameter(struct call *call)
{
    struct ssm_state *state = call_state(call);
    struct parameter *parameter = sim_parameter(state, call_text(call, "Name"));
    bool created = !parameter;

    call_effect(call, EFFECT_CHANGED, parameter ? parameter->arn : call_text(call, "Name"));

    if (!check_name(call) || !check_change(call, parameter) || !check_type(call, parameter) ||
        !check_value(call, parameter) || !check_pattern(call, parameter))
        return false;
    if (created)
        parameter = sim_parameter_add(state, call_text(call, "Name"));
    fill(call, parameter);
    sim_parameter_put(parameter, call_text(call, "Value"), call->principal, call->now_ms);
    call_effect(call, created ? EFFECT_CREATED : EFFECT_CHANGED, parameter->arn);
    json_set_int(call->out, "Version", parameter->versions[parameter->version_count - 1].number);
    json_set_text(call->out, "Tier", parameter->tier);
    return true;
}
