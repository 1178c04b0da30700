/* Rules and their targets. */
#include "hack/awssim/events.h"

#define MAX_TARGETS 5 /* of a rule */

/* ---- keeping ---- */

struct events_rule *sim_events_rule_find(const struct account *account, const char *bus, const char *name)
{
    const struct events_state *state = sim_events_state_of(account);

    for (size_t i = 0; i < state->rules.count; i++)
        if (text_equal(state->rules.items[i].name, name) && text_equal(state->rules.items[i].bus, bus))
            return &state->rules.items[i];
    return NULL;
}

struct events_rule *sim_events_rule_add(struct account *account, const char *bus, const char *name)
{
    struct events_rule *rule = LIST_ADD(sim_events_state_of(account)->rules);
    bool is_default = text_equal(bus, "default");

    rule->name = xstrdup(name);
    rule->bus = xstrdup(bus);
    rule->arn =
        account_arn(account, "events", "rule/%s%s%s", is_default ? "" : bus, is_default ? "" : "/", name);
    return rule;
}

void sim_events_target_done(struct events_target *target)
{
    xfree(target->id);
    xfree(target->arn);
    xfree(target->role_arn);
    xfree(target->dead_letter);
    xfree(target->failure);
    json_free(target->wire);
}

void sim_events_rule_remove(struct account *account, struct events_rule *rule)
{
    struct events_state *state = sim_events_state_of(account);
    size_t index = (size_t)(rule - state->rules.items);
    char *texts[] = {rule->name, rule->bus, rule->arn, rule->description, rule->role_arn, rule->pattern_text};

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        xfree(texts[i]);
    json_free(rule->pattern);
    for (size_t i = 0; i < rule->targets.count; i++)
        sim_events_target_done(&rule->targets.items[i]);
    xfree(rule->targets.items);
    state->rules.count--;
    memmove(rule, rule + 1, (state->rules.count - index) * sizeof(*rule));
}

bool sim_events_name_is_good(const char *name, size_t max)
{
    size_t len = strlen(name);

    return len > 0 && len <= max && strspn(name, ALPHABET_ALNUM ".-_") == len;
}

/* ---- rules ---- */

/* The bus of the call, which must exist. */
static const struct events_bus *bus_of(struct call *call)
{
    const char *name = call_text(call, "EventBusName");
    const struct events_bus *bus = sim_events_bus_find(call->account, name);

    if (!bus)
        call_refuse(call, 400, "ResourceNotFoundException", "Event bus %s does not exist.", name);
    return bus;
}

static struct events_rule *rule_of(struct call *call, const char *member)
{
    const struct events_bus *bus = bus_of(call);
    const char *name = call_text(call, member);
    struct events_rule *rule = bus ? sim_events_rule_find(call->account, bus->name, name) : NULL;

    if (bus && !rule)
        call_refuse(call, 400, "ResourceNotFoundException", "Rule %s does not exist on EventBus %s.", name,
                    bus->name);
    return rule;
}

static bool read_pattern(struct call *call, struct json **ret)
{
    const char *text = call_text(call, "EventPattern");
    AUTO_JSON struct json *pattern = NULL;

    if (text_is_empty(text))
        return call_refuse(call, 400, "ValidationException",
                           "Parameter(s) EventPattern or ScheduleExpression must be specified.");
    if (strlen(text) > 4096)
        return call_refuse(call, 400, "ValidationException", "EventPattern has at most 4096 characters");
    AUTO_ERR struct err *err = json_parse(str_of(text), NULL, &pattern);
    AUTO_FREE char *fault = err ? xstrdup(err_text(err)) : sim_pattern_fault(pattern);
    if (fault)
        return call_refuse(call, 400, "InvalidEventPatternException",
                           "Event pattern is not valid. Reason: %s", fault);
    *ret = TAKE(pattern);
    return true;
}

static void replace_text(char **slot, const char *text)
{
    xfree(*slot);
    *slot = xstrdup_or_null(text);
}

/* What the call does not say is cleared, besides the targets. */
bool sim_events_put_rule(struct call *call)
{
    const char *name = call_text(call, "Name"), *state = call_text(call, "State");
    const struct events_bus *bus = bus_of(call);
    AUTO_JSON struct json *pattern = NULL;

    if (!bus)
        return false;
    if (!sim_events_name_is_good(name, 64))
        return call_refuse(
            call, 400, "ValidationException",
            "1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
            name);
    if (state && !text_equal(state, "ENABLED") && !text_equal(state, "DISABLED"))
        return call_refuse(call, 400, "ValidationException", "State must be ENABLED or DISABLED, not %s",
                           state);
    if (!read_pattern(call, &pattern))
        return false;
    struct events_rule *rule = sim_events_rule_find(call->account, bus->name, name);
    enum effect effect = rule ? EFFECT_CHANGED : EFFECT_CREATED;
    if (!rule)
        rule = sim_events_rule_add(call->account, bus->name, name);
    json_free(rule->pattern);
    rule->pattern = TAKE(pattern);
    replace_text(&rule->pattern_text, call_text(call, "EventPattern"));
    replace_text(&rule->description, call_text(call, "Description"));
    replace_text(&rule->role_arn, call_text(call, "RoleArn"));
    rule->disabled = text_equal(state, "DISABLED");
    json_set_text(call->out, "RuleArn", rule->arn);
    call_effect(call, effect, rule->arn);
    return true;
}

static void render_rule(const struct events_rule *rule, struct json *out)
{
    json_set_text(out, "Name", rule->name);
    json_set_text(out, "Arn", rule->arn);
    json_set_text(out, "EventPattern", rule->pattern_text);
    json_set_text(out, "State", rule->disabled ? "DISABLED" : "ENABLED");
    json_set_text(out, "Description", rule->description);
    json_set_text(out, "RoleArn", rule->role_arn);
    json_set_text(out, "EventBusName", rule->bus);
}

bool sim_events_describe_rule(struct call *call)
{
    const struct events_rule *rule = rule_of(call, "Name");

    if (rule)
        render_rule(rule, call->out);
    return rule != NULL;
}

bool sim_events_list_rules(struct call *call)
{
    const struct events_state *state = call_state(call);
    const char *prefix = call_text(call, "NamePrefix");
    const struct events_bus *bus = bus_of(call);
    struct json *rules = json_new_array();

    json_set(call->out, "Rules", rules);
    for (size_t i = 0; bus && i < state->rules.count; i++) {
        const struct events_rule *rule = &state->rules.items[i];
        struct json *row;

        if (!text_equal(rule->bus, bus->name) || (prefix && !str_starts(str_of(rule->name), prefix)))
            continue;
        row = json_new_object();
        render_rule(rule, row);
        json_append(rules, row);
    }
    return bus != NULL;
}

bool sim_events_delete_rule(struct call *call)
{
    const struct events_bus *bus = bus_of(call);
    struct events_rule *rule =
        bus ? sim_events_rule_find(call->account, bus->name, call_text(call, "Name")) : NULL;

    if (!bus)
        return false;
    call_effect(call, rule ? EFFECT_CHANGED : EFFECT_NONE, rule ? rule->arn : call_text(call, "Name"));
    if (rule && rule->targets.count)
        return call_refuse(call, 400, "ValidationException", "Rule can't be deleted since it has targets.");
    if (rule)
        sim_events_rule_remove(call->account, rule);
    return true;
}

static bool switch_rule(struct call *call, bool disabled)
{
    struct events_rule *rule = rule_of(call, "Name");

    if (!rule)
        return false;
    rule->disabled = disabled;
    call_effect(call, EFFECT_CHANGED, rule->arn);
    return true;
}

bool sim_events_enable_rule(struct call *call)
{
    return switch_rule(call, false);
}

bool sim_events_disable_rule(struct call *call)
{
    return switch_rule(call, true);
}

/* ---- targets ---- */

static struct events_target *target_find(const struct events_rule *rule, const char *id)
{
    for (size_t i = 0; i < rule->targets.count; i++)
        if (text_equal(rule->targets.items[i].id, id))
            return &rule->targets.items[i];
    return NULL;
}

void sim_events_target_put(struct events_rule *rule, const struct json *wire)
{
    const char *id = json_get_text(wire, "Id", "");
    struct events_target *target = target_find(rule, id);

    if (target)
        sim_events_target_done(target);
    else
        target = LIST_ADD(rule->targets);
    *target = (struct events_target){.id = xstrdup(id),
                                     .arn = xstrdup(json_get_text(wire, "Arn", "")),
                                     .role_arn = xstrdup_or_null(json_get_text(wire, "RoleArn", NULL)),
                                     .dead_letter =
                                         xstrdup_or_null(json_get_text(wire, "DeadLetterConfig.Arn", NULL)),
                                     .wire = json_copy(wire)};
}

static char *role_fault(const struct account *account, const char *role_arn)
{
    struct arn arn;

    if (!sim_arn_parse(role_arn, &arn) || !str_is(arn.account, account->id) ||
        !str_starts(arn.resource, "role/"))
        return xasprintf("RoleArn %s is not a role of this account", role_arn);
    if (!sim_role_trusts_service(account->sim, role_arn, EVENTS_PRINCIPAL))
        return xasprintf("Provided role '%s' cannot be assumed by principal '%s'.", role_arn,
                         EVENTS_PRINCIPAL);
    return NULL;
}

char *sim_events_target_fault(const struct account *account, const struct json *wire)
{
    static const char *const known[] = {"Id", "Arn", "RoleArn", "DeadLetterConfig", "RetryPolicy"};
    const char *text = json_get_text(wire, "Arn", ""), *role = json_get_text(wire, "RoleArn", NULL);
    const char *id = json_get_text(wire, "Id", "");
    struct arn arn;

    json_each (member, wire) {
        bool found = false;

        for (size_t i = 0; i < COUNT_OF(known); i++)
            found = found || text_equal(known[i], json_key(member));
        if (!found)
            return xasprintf("%s of a target is unknown to this simulator", json_key(member));
    }
    if (!sim_events_name_is_good(id, 64))
        return xasprintf("Value '%s' at 'targets.1.member.id' failed to satisfy constraint", id);
    if (!sim_arn_parse(text, &arn) || !arn.region.len ||
        !(str_is(arn.service, "sqs") ||
          (str_is(arn.service, "events") && str_starts(arn.resource, "event-bus/"))))
        return xasprintf(
            "Parameter %s is not valid. Reason: Provided Arn is not in correct format, or of a service "
            "that this simulator has as a target.",
            text);
    if (str_is(arn.service, "sqs") && !str_is(arn.region, account->region))
        return xasprintf("Parameter %s is not valid. Reason: Target must be in the same region.", text);
    /* https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html */
    if (!role && (str_is(arn.service, "events") || !str_is(arn.account, account->id)))
        return xasprintf("RoleArn is required for target %s.", text);
    return role ? role_fault(account, role) : NULL;
}

static bool check_targets(struct call *call, const struct events_rule *rule, const struct json *targets)
{
    size_t added = 0;

    if (!json_count(targets) || json_count(targets) > 10)
        return call_refuse(call, 400, "ValidationException", "between 1 and 10 targets are put at a time");
    json_each (wire, targets) {
        AUTO_FREE char *fault = sim_events_target_fault(call->account, wire);

        if (fault)
            return call_refuse(call, 400, "ValidationException", "%s", fault);
        if (json_get_text(wire, "RoleArn", NULL) && !call_may(call, "iam:PassRole"))
            return call_refuse(call, 400, "AccessDeniedException",
                               "User: %s is not authorized to perform: iam:PassRole on resource: %s",
                               call->principal, json_get_text(wire, "RoleArn", ""));
        added += !target_find(rule, json_get_text(wire, "Id", ""));
    }
    if (rule->targets.count + added > MAX_TARGETS)
        return call_refuse(call, 400, "LimitExceededException",
                           "The requested resource exceeds the maximum number allowed.");
    return true;
}

static void answer_failures(struct call *call, struct json *failures)
{
    json_set_int(call->out, "FailedEntryCount", (int64_t)json_count(failures));
    json_set(call->out, "FailedEntries", failures);
}

bool sim_events_put_targets(struct call *call)
{
    const struct json *targets = call_list(call, "Targets");
    struct events_rule *rule = rule_of(call, "Rule");

    if (!rule || !check_targets(call, rule, targets))
        return false;
    json_each (wire, targets)
        sim_events_target_put(rule, wire);
    answer_failures(call, json_new_array());
    call_effect(call, EFFECT_CHANGED, rule->arn);
    return true;
}

bool sim_events_remove_targets(struct call *call)
{
    struct events_rule *rule = rule_of(call, "Rule");
    struct json *failures;

    if (!rule)
        return false;
    failures = json_new_array();
    json_each (item, call_list(call, "Ids")) {
        const char *id = json_get_text(item, NULL, "");
        struct events_target *target = target_find(rule, id);

        if (!target) {
            struct json *row = json_new_object();

            json_set_text(row, "TargetId", id);
            json_set_text(row, "ErrorCode", "ResourceNotFoundException");
            json_set_text(row, "ErrorMessage", "The rule has no such target.");
            json_append(failures, row);
            continue;
        }
        sim_events_target_done(target);
        rule->targets.count--;
        memmove(target, target + 1,
                (rule->targets.count - (size_t)(target - rule->targets.items)) * sizeof(*target));
    }
    answer_failures(call, failures);
    call_effect(call, EFFECT_CHANGED, rule->arn);
    return true;
}

bool sim_events_list_targets(struct call *call)
{
    const struct events_rule *rule = rule_of(call, "Rule");
    struct json *targets;

    if (!rule)
        return false;
    targets = json_new_array();
    for (size_t i = 0; i < rule->targets.count; i++)
        json_append(targets, json_copy(rule->targets.items[i].wire));
    json_set(call->out, "Targets", targets);
    return true;
}
