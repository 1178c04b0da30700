/* Buses and rules of the world file, and what the world's dump says of them. */
#include "hack/awssim/events.h"

static const struct load_field section_fields[] = {
    {.name = "buses", .type = LOAD_LIST, .offset = 0},
    {.name = "rules", .type = LOAD_LIST, .offset = sizeof(const struct json *)},
};
struct section {
    const struct json *buses, *rules;
};

struct bus_fields {
    char *name;
    const struct json *policy;
};
static const struct load_field bus_fields[] = {
    {LOAD_FIELD(bus_fields, "name", LOAD_TEXT, name), .required = true},
    {LOAD_FIELD(bus_fields, "policy", LOAD_OBJECT, policy)},
};

struct rule_fields {
    char *name, *bus, *state, *description;
    const struct json *pattern, *targets;
};
static const struct load_field rule_fields[] = {
    {LOAD_FIELD(rule_fields, "name", LOAD_TEXT, name), .required = true},
    {LOAD_FIELD(rule_fields, "bus", LOAD_TEXT, bus)},
    {LOAD_FIELD(rule_fields, "state", LOAD_TEXT, state), .choices = "ENABLED DISABLED"},
    {LOAD_FIELD(rule_fields, "description", LOAD_TEXT, description)},
    {LOAD_FIELD(rule_fields, "pattern", LOAD_OBJECT, pattern), .required = true},
    {LOAD_FIELD(rule_fields, "targets", LOAD_LIST, targets)},
};

struct target_fields {
    char *id, *arn, *role, *dead_letters;
};
static const struct load_field target_fields[] = {
    {LOAD_FIELD(target_fields, "id", LOAD_TEXT, id), .required = true},
    {LOAD_FIELD(target_fields, "arn", LOAD_TEXT, arn), .required = true},
    {LOAD_FIELD(target_fields, "role", LOAD_TEXT, role)},
    {LOAD_FIELD(target_fields, "deadLetters", LOAD_TEXT, dead_letters)},
};

/* ---- buses ---- */

static struct err *load_bus(const struct loader *loader, struct account *account, const struct json *node)
{
    struct bus_fields fields = {0};
    struct err *err = load_fields(loader, node, bus_fields, COUNT_OF(bus_fields), &fields);
    struct events_bus *bus = err ? NULL : sim_events_bus_find(account, fields.name);

    if (!err && !sim_events_name_is_good(fields.name, 256))
        err = load_error(loader, json_member(node, "name"), "letters, digits, '.', '-' and '_'");
    if (!err && bus && !text_equal(bus->name, "default"))
        err = load_error(loader, node, "the bus %s is here twice", fields.name);
    if (!err && !bus)
        bus = sim_events_bus_add(account, fields.name);
    AUTO_FREE char *fault = !err && fields.policy ? sim_events_policy_fault(bus, fields.policy) : NULL;
    if (fault)
        err = load_error(loader, json_member(node, "policy"), "%s", fault);
    if (!err && fields.policy) {
        json_free(bus->policy);
        bus->policy = json_copy(fields.policy);
    }
    xfree(fields.name);
    return err;
}

/* ---- rules ---- */

static struct err *load_target(const struct loader *loader, struct account *account, struct events_rule *rule,
                               const struct json *node)
{
    struct target_fields fields = {0};
    AUTO_JSON struct json *wire = json_new_object();
    struct err *err = load_fields(loader, node, target_fields, COUNT_OF(target_fields), &fields);

    json_set_text(wire, "Id", fields.id);
    json_set_text(wire, "Arn", fields.arn);
    json_set_text(wire, "RoleArn", fields.role);
    if (fields.dead_letters) {
        struct json *config = json_new_object();

        json_set_text(config, "Arn", fields.dead_letters);
        json_set(wire, "DeadLetterConfig", config);
    }
    AUTO_FREE char *fault = err ? NULL : sim_events_target_fault(account, wire);
    if (fault)
        err = load_error(loader, node, "%s", fault);
    if (!err)
        sim_events_target_put(rule, wire);
    xfree(fields.id);
    xfree(fields.arn);
    xfree(fields.role);
    xfree(fields.dead_letters);
    return err;
}

static struct err *take_rule(const struct loader *loader, struct account *account, const struct json *node,
                             const struct rule_fields *fields)
{
    const struct events_bus *bus = sim_events_bus_find(account, fields->bus);
    AUTO_FREE char *fault = sim_pattern_fault(fields->pattern);

    if (!bus)
        return load_error(loader, json_member(node, "bus"), "there is no bus %s", fields->bus);
    if (!sim_events_name_is_good(fields->name, 64))
        return load_error(loader, json_member(node, "name"), "letters, digits, '.', '-' and '_', at most 64");
    if (fault)
        return load_error(loader, json_member(node, "pattern"), "%s", fault);
    if (sim_events_rule_find(account, bus->name, fields->name))
        return load_error(loader, node, "the rule %s is here twice", fields->name);
    struct events_rule *rule = sim_events_rule_add(account, bus->name, fields->name);
    rule->pattern = json_copy(fields->pattern);
    rule->pattern_text = json_to_text(fields->pattern);
    rule->description = xstrdup_or_null(fields->description);
    rule->disabled = text_equal(fields->state, "DISABLED");
    json_each (target, fields->targets)
        TRY(load_target(loader, account, rule, target));
    return NULL;
}

static struct err *load_rule(const struct loader *loader, struct account *account, const struct json *node)
{
    struct rule_fields fields = {0};
    struct err *err = load_fields(loader, node, rule_fields, COUNT_OF(rule_fields), &fields);

    if (!err)
        err = take_rule(loader, account, node, &fields);
    xfree(fields.name);
    xfree(fields.bus);
    xfree(fields.state);
    xfree(fields.description);
    return err;
}

struct err *sim_events_load(const struct loader *loader, struct account *account, const struct json *section)
{
    AUTO_FREE char *name = xasprintf("events/%s/%s", account->id, account->region);
    struct section fields = {0};

    sim_events_state_of(account)->stream = sim_new_stream(account->sim, name);
    sim_events_bus_add(account, "default");
    if (section)
        TRY(load_fields(loader, section, section_fields, COUNT_OF(section_fields), &fields));
    json_each (node, fields.buses)
        TRY(load_bus(loader, account, node));
    return NULL;
}

/* Rules come last: their targets are in other accounts, too. */
struct err *sim_events_check(const struct loader *loader, struct account *account, const struct json *section)
{
    json_each (node, json_member(section, "rules"))
        TRY(load_rule(loader, account, node));
    return NULL;
}

/* ---- dump ---- */

static struct json *dump_target(const struct events_target *target)
{
    struct json *out = json_new_object();

    json_set_text(out, "id", target->id);
    json_set_text(out, "arn", target->arn);
    json_set_text(out, "role", target->role_arn);
    json_set_int(out, "delivered", target->delivered);
    json_set_int(out, "failed", target->failed);
    json_set_text(out, "failure", target->failure);
    return out;
}

static struct json *dump_rule(const struct events_rule *rule)
{
    struct json *out = json_new_object(), *targets = json_new_array();

    json_set_text(out, "name", rule->name);
    json_set_text(out, "bus", rule->bus);
    json_set_text(out, "state", rule->disabled ? "DISABLED" : "ENABLED");
    json_set_copy(out, "pattern", rule->pattern);
    for (size_t i = 0; i < rule->targets.count; i++)
        json_append(targets, dump_target(&rule->targets.items[i]));
    json_set(out, "targets", targets);
    return out;
}

struct json *sim_events_dump(struct account *account)
{
    const struct events_state *state = sim_events_state_of(account);
    struct json *out = json_new_object(), *buses = json_new_array(), *rules = json_new_array();

    for (size_t i = 0; i < state->buses.count; i++) {
        struct json *bus = json_new_object();

        json_set_text(bus, "name", state->buses.items[i].name);
        json_set_text(bus, "arn", state->buses.items[i].arn);
        json_set_copy(bus, "policy", state->buses.items[i].policy);
        json_append(buses, bus);
    }
    for (size_t i = 0; i < state->rules.count; i++)
        json_append(rules, dump_rule(&state->rules.items[i]));
    json_set(out, "buses", buses);
    json_set(out, "rules", rules);
    json_set_int(out, "underWay", (int64_t)state->pending.count);
    return out;
}
