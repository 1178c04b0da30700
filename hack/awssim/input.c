/* Checks the members of an input against the operation's table: a simulator that ignores what it does not
 * know hides mistakes. */
#include "hack/awssim/core.h"

struct member { /* "Name!:type" */
    struct str name, type;
    bool required;
};

static bool next_member(struct str *rest, struct member *ret)
{
    struct str word;

    while (str_cut(rest, ' ', &word)) {
        struct str type = word, name = {0};

        if (!word.len)
            continue;
        str_cut(&type, ':', &name);
        *ret = (struct member){.name = name, .type = type.ptr ? type : STR("text")};
        if (str_ends(ret->name, "!")) {
            ret->required = true;
            ret->name.len--;
        }
        return true;
    }
    return false;
}

static bool is_int_text(const struct json *value)
{
    int64_t number;

    return json_is(value, JSON_STRING) && str_to_int(str_of(json_get_text(value, NULL, "")), &number);
}

static bool is_bool_text(const struct json *value)
{
    const char *text = json_get_text(value, NULL, "");

    return text_equal(text, "true") || text_equal(text, "false");
}

static bool is_map(const struct json *value)
{
    if (!json_is(value, JSON_OBJECT))
        return false;
    json_each (item, value)
        if (!json_is(item, JSON_STRING))
            return false;
    return true;
}

/* `loose`: everything arrives as text (forms, and the keys of a URL). */
static bool fits(const struct json *value, struct str type, bool loose)
{
    if (str_is(type, "text"))
        return json_is(value, JSON_STRING);
    if (str_is(type, "int"))
        return loose ? is_int_text(value) : json_is(value, JSON_NUMBER);
    if (str_is(type, "number"))
        return loose ? json_is(value, JSON_STRING) : json_is(value, JSON_NUMBER);
    if (str_is(type, "bool"))
        return loose ? is_bool_text(value) : json_is(value, JSON_BOOL);
    if (str_is(type, "map"))
        return is_map(value);
    if (str_is(type, "list"))
        return json_is(value, JSON_ARRAY) ||
               (loose && (json_is(value, JSON_OBJECT) || text_equal(json_get_text(value, NULL, NULL), "")));
    return json_is(value, JSON_OBJECT);
}

static bool find_member(const char *table, const char *name, struct member *ret)
{
    struct str rest = str_of(table);

    while (next_member(&rest, ret))
        if (str_is(ret->name, name))
            return true;
    return false;
}

static const char *or_default(const char *own, const char *usual)
{
    return own ? own : usual;
}

static const char *const missing_codes[] = {
    [PROTOCOL_QUERY] = "MissingParameter",
    [PROTOCOL_JSON] = "ValidationException",
    [PROTOCOL_REST] = "MissingParameterValueException",
};
static const char *const invalid_codes[] = {
    [PROTOCOL_QUERY] = "InvalidParameterValue",
    [PROTOCOL_JSON] = "ValidationException",
    [PROTOCOL_REST] = "InvalidParameterValueException",
};

bool sim_input_check(struct call *call)
{
    const struct service *service = call->service;
    const char *table = call->operation->input;
    const char *missing = or_default(service->missing_code, missing_codes[service->protocol]);
    const char *invalid = or_default(service->invalid_code, invalid_codes[service->protocol]);
    struct str rest = str_of(table);
    struct member member;

    if (!table)
        return true;
    json_each (value, call->input) {
        const char *name = json_key(value);
        bool loose = service->protocol == PROTOCOL_QUERY ||
                     (service->protocol == PROTOCOL_REST && name[0] >= 'a' && name[0] <= 'z');

        if (!find_member(table, name, &member))
            return call_refuse(call, 400, invalid, "%s of %s is unknown to this simulator", name,
                               call->operation->name);
        if (!fits(value, member.type, loose))
            return call_refuse(call, 400, invalid, "%s must be of type " STR_FMT, name, STR_ARG(member.type));
    }
    while (next_member(&rest, &member)) {
        AUTO_FREE char *name = str_dup(member.name);

        if (member.required && !json_member(call->input, name))
            return call_refuse(call, 400, missing, "The request must contain the parameter %s", name);
    }
    return true;
}
