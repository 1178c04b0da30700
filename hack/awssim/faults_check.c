/* Whether a fault is understood: one that is not could strike everything, or nothing. */
#include "hack/awssim/core.h"

#define COUNT_MAX 1e9

static const char *const actions[] = {"refuse",     "throttle", "error",    "delay",    "drop-request",
                                      "drop-reply", "twice",    "fail-job", "stick-job"};
#define ACTIONS                                                                                  \
    "must be one of refuse, throttle, error, delay, drop-request, drop-reply, twice, fail-job, " \
    "stick-job"

/* NULL: fine; else what was expected. */
typedef const char *check_fn(const struct sim *sim, const struct json *fault, const struct json *value);

static const char *check_text(const struct sim *sim UNUSED, const struct json *fault UNUSED,
                              const struct json *value)
{
    return json_is(value, JSON_STRING) ? NULL : "expected text";
}

static const char *check_object(const struct sim *sim UNUSED, const struct json *fault UNUSED,
                                const struct json *value)
{
    return json_is(value, JSON_OBJECT) ? NULL : "expected a JSON object";
}

static const char *check_bool(const struct sim *sim UNUSED, const struct json *fault UNUSED,
                              const struct json *value)
{
    return json_is(value, JSON_BOOL) ? NULL : "expected true or false";
}

static const char *check_count(const struct sim *sim UNUSED, const struct json *fault UNUSED,
                               const struct json *value)
{
    double number = json_get_number(value, NULL, 0);

    return number >= 1 && number <= COUNT_MAX && number == (double)(int64_t)number
               ? NULL
               : "expected a whole number from 1 on";
}

static const char *check_chance(const struct sim *sim UNUSED, const struct json *fault UNUSED,
                                const struct json *value)
{
    double number = json_get_number(value, NULL, -1);

    return number >= 0 && number <= 1 ? NULL : "expected a number from 0 to 1";
}

static const char *check_status(const struct sim *sim UNUSED, const struct json *fault UNUSED,
                                const struct json *value)
{
    double number = json_get_number(value, NULL, 0);

    return number >= 400 && number <= 599 && number == (double)(int64_t)number
               ? NULL
               : "expected an HTTP status from 400 to 599";
}

static const char *check_delay(const struct sim *sim UNUSED, const struct json *fault UNUSED,
                               const struct json *value)
{
    double number = json_get_number(value, NULL, -1);

    return number >= 0 && number <= 86400 ? NULL : "expected a number from 0 to 86400";
}

static const char *check_action(const struct sim *sim UNUSED, const struct json *fault UNUSED,
                                const struct json *value)
{
    for (size_t i = 0; i < COUNT_OF(actions); i++)
        if (text_equal(actions[i], json_get_text(value, NULL, NULL)))
            return NULL;
    return ACTIONS;
}

static const char *check_account(const struct sim *sim, const struct json *fault UNUSED,
                                 const struct json *value)
{
    const char *pattern = json_get_text(value, NULL, "");

    for (size_t i = 0; i < sim->account_count; i++)
        if (text_equal(sim->accounts[i]->name, pattern) || text_matches(pattern, sim->accounts[i]->id))
            return NULL;
    return "matches no account of this world";
}

static const char *check_service(const struct sim *sim UNUSED, const struct json *fault UNUSED,
                                 const struct json *value)
{
    for (size_t i = 0; i < service_count; i++)
        if (text_matches(json_get_text(value, NULL, ""), services[i]->name))
            return NULL;
    return "matches no service";
}

static bool has_operation(const struct service *service, const char *pattern)
{
    for (size_t i = 0; i < service->operation_count; i++)
        if (text_matches(pattern, service->operations[i].name))
            return true;
    return false;
}

static const char *check_operation(const struct sim *sim UNUSED, const struct json *fault,
                                   const struct json *value)
{
    const char *service = json_get_text(fault, "match.service", "*");

    for (size_t i = 0; i < service_count; i++)
        if (text_matches(service, services[i]->name) &&
            has_operation(services[i], json_get_text(value, NULL, "")))
            return NULL;
    return "matches no operation of that service";
}

struct key {
    const char *name;
    check_fn *check;
};
static const struct key top_keys[] = {
    {.name = "match", .check = check_object},  {.name = "action", .check = check_action},
    {.name = "code", .check = check_text},     {.name = "message", .check = check_text},
    {.name = "status", .check = check_status}, {.name = "delaySeconds", .check = check_delay},
    {.name = "after", .check = check_bool},
};
static const struct key match_keys[] = {
    {.name = "service", .check = check_service}, {.name = "operation", .check = check_operation},
    {.name = "account", .check = check_account}, {.name = "nth", .check = check_count},
    {.name = "times", .check = check_count},     {.name = "probability", .check = check_chance},
};

static struct err *check_member(const struct sim *sim, const struct json *fault, const struct json *member,
                                const char *where, const struct key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!text_equal(json_key(member), keys[i].name))
            continue;
        const char *wrong = keys[i].check(sim, fault, member);

        return wrong ? err_new(ERR_INVALID, "%s%s: %s", where, keys[i].name, wrong) : NULL;
    }
    return err_new(ERR_INVALID, "%s%s: unknown key", where, json_key(member));
}

struct err *sim_fault_check(const struct sim *sim, const struct json *fault)
{
    if (!json_is(fault, JSON_OBJECT))
        return err_new(ERR_INVALID, "a fault is a JSON object");
    if (!json_member(fault, "action"))
        return err_new(ERR_INVALID, "action: " ACTIONS);
    json_each (member, fault)
        TRY(check_member(sim, fault, member, "", top_keys, COUNT_OF(top_keys)));
    json_each (member, json_member(fault, "match"))
        TRY(check_member(sim, fault, member, "match.", match_keys, COUNT_OF(match_keys)));
    return NULL;
}
