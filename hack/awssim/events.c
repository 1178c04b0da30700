/* EventBridge: the buses, PutEvents and the table of operations. */
#include "hack/awssim/events.h"

#include "pkg/base/random.h"

#define MAX_ENTRIES 10
#define MAX_PUT_BYTES (256 * KIB)

struct events_state *sim_events_state_of(const struct account *account)
{
    return account_state(account, &events_service);
}

/* ---- buses ---- */

struct events_bus *sim_events_bus_find(const struct account *account, const char *name)
{
    const struct events_state *state = sim_events_state_of(account);

    if (text_is_empty(name))
        name = "default";
    for (size_t i = 0; i < state->buses.count; i++)
        if (text_equal(state->buses.items[i].name, name) || text_equal(state->buses.items[i].arn, name))
            return &state->buses.items[i];
    return NULL;
}

struct events_bus *sim_events_bus_by_arn(const struct sim *sim, const char *arn, struct account **ret_account)
{
    struct account *account = sim_account_of_arn(sim, arn);
    struct events_bus *bus = account ? sim_events_bus_find(account, arn) : NULL;

    *ret_account = account;
    return bus;
}

struct events_bus *sim_events_bus_add(struct account *account, const char *name)
{
    struct events_bus *bus = LIST_ADD(sim_events_state_of(account)->buses);

    bus->name = xstrdup(name);
    bus->arn = account_arn(account, "events", "event-bus/%s", name);
    bus->created_ms = sim_now(account->sim);
    return bus;
}

static void bus_done(struct events_bus *bus)
{
    xfree(bus->name);
    xfree(bus->arn);
    json_free(bus->policy);
}

static bool create_bus(struct call *call)
{
    const char *name = call_text(call, "Name");

    if (!sim_events_name_is_good(name, 256) || text_equal(name, "default"))
        return call_refuse(call, 400, "ValidationException", "Event bus name '%s' is not valid.", name);
    if (sim_events_bus_find(call->account, name))
        return call_refuse(call, 400, "ResourceAlreadyExistsException", "Event bus %s already exists.", name);
    const struct events_bus *bus = sim_events_bus_add(call->account, name);
    json_set_text(call->out, "EventBusArn", bus->arn);
    call_effect(call, EFFECT_CREATED, bus->arn);
    return true;
}

static bool delete_bus(struct call *call)
{
    struct events_state *state = call_state(call);
    const char *name = call_text(call, "Name");
    struct events_bus *bus = sim_events_bus_find(call->account, name);

    call_effect(call, bus ? EFFECT_CHANGED : EFFECT_NONE, bus ? bus->arn : name);
    if (!bus)
        return true;
    if (text_equal(bus->name, "default"))
        return call_refuse(call, 400, "ValidationException", "Cannot delete event bus default.");
    for (size_t i = 0; i < state->rules.count; i++)
        if (text_equal(state->rules.items[i].bus, bus->name))
            return call_refuse(call, 400, "ValidationException",
                               "Event bus can't be deleted since it has rules.");
    size_t index = (size_t)(bus - state->buses.items);
    bus_done(bus);
    state->buses.count--;
    memmove(bus, bus + 1, (state->buses.count - index) * sizeof(*bus));
    return true;
}

static void render_bus(const struct call *call, const struct events_bus *bus, struct json *out)
{
    AUTO_FREE char *policy = bus->policy ? json_to_text(bus->policy) : NULL;

    json_set_text(out, "Name", bus->name);
    json_set_text(out, "Arn", bus->arn);
    json_set_text(out, "Policy", policy);
    json_set(out, "CreationTime", call_time(call, bus->created_ms));
}

static bool describe_bus(struct call *call)
{
    const char *name = call_text(call, "Name");
    const struct events_bus *bus = sim_events_bus_find(call->account, name);

    if (!bus)
        return call_refuse(call, 400, "ResourceNotFoundException", "Event bus %s does not exist.", name);
    render_bus(call, bus, call->out);
    return true;
}

static bool list_buses(struct call *call)
{
    const struct events_state *state = call_state(call);
    const char *prefix = call_text(call, "NamePrefix");
    struct json *buses = json_new_array();

    for (size_t i = 0; i < state->buses.count; i++) {
        struct json *row;

        if (prefix && !str_starts(str_of(state->buses.items[i].name), prefix))
            continue;
        row = json_new_object();
        render_bus(call, &state->buses.items[i], row);
        json_append(buses, row);
    }
    json_set(call->out, "EventBuses", buses);
    return true;
}

/* ---- PutEvents ---- */

/* https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-event-entry-size */
static size_t entry_size(const struct json *entry)
{
    size_t size = json_member(entry, "Time") ? 14 : 0;
    static const char *const texts[] = {"Source", "DetailType", "Detail"};

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        size += strlen(json_get_text(entry, texts[i], ""));
    json_each (resource, json_member(entry, "Resources"))
        size += strlen(json_get_text(resource, NULL, ""));
    return size;
}

static bool check_entries(struct call *call)
{
    const struct json *entries = call_list(call, "Entries");
    size_t total = 0;

    if (!json_count(entries) || json_count(entries) > MAX_ENTRIES)
        return call_refuse(
            call, 400, "ValidationException",
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must "
            "have length less than or equal to 10 and greater than or equal to 1");
    json_each (entry, entries)
        total += entry_size(entry);
    if (total > MAX_PUT_BYTES)
        return call_refuse(call, 400, "ValidationException",
                           "Total size of the entries in the request is over the limit.");
    return true;
}

/* NULL: fine; else the code, and *ret_message (yours). */
static const char *entry_fault(const struct json *entry, struct json **ret_detail, char **ret_message)
{
    static const char *const required[] = {"Source", "DetailType", "Detail"};
    AUTO_JSON struct json *detail = NULL;

    for (size_t i = 0; i < COUNT_OF(required); i++)
        if (text_is_empty(json_get_text(entry, required[i], NULL))) {
            *ret_message = xasprintf("Parameter %s is not valid. Reason: %s is a required argument.",
                                     required[i], required[i]);
            return "InvalidArgument";
        }
    if (str_starts(str_of(json_get_text(entry, "Source", "")), "aws.")) {
        *ret_message = xstrdup("Not authorized for the source.");
        return "NotAuthorizedForSourceException";
    }
    AUTO_ERR struct err *err = json_parse(str_of(json_get_text(entry, "Detail", "")), NULL, &detail);
    if (err || !json_is(detail, JSON_OBJECT)) {
        *ret_message = xstrdup("Detail is malformed.");
        return "MalformedDetail";
    }
    *ret_detail = TAKE(detail);
    return NULL;
}

/* Where the entry goes; NULL: nowhere, and *ret_code says if that is told. */
static struct events_bus *entry_bus(const struct call *call, const char *name, struct account **ret_account,
                                    const char **ret_code)
{
    struct account *account = sim_account_of_arn(call->sim, name);
    struct events_bus *bus;

    if (!account)
        account = call->account;
    bus = sim_events_bus_find(account, name);
    *ret_account = account;
    if (!bus || account == call->account)
        return bus;
    struct policy_question question = {.action = "events:PutEvents",
                                       .principal_arn = call->principal,
                                       .account_id = call->account->id,
                                       .organization = call->sim->organization,
                                       .resource = bus->arn};
    if (sim_policy_allows(bus->policy, &question))
        return bus;
    *ret_code = "AccessDeniedException";
    return NULL;
}

/* Resources may be many, which sim_events_envelope does not know. */
static struct json *entry_envelope(const struct call *call, const struct json *entry, struct json *detail)
{
    double time = json_get_number(entry, "Time", (double)call->now_ms / 1000.0);
    struct sim_event event = {.source = json_get_text(entry, "Source", ""),
                              .detail_type = json_get_text(entry, "DetailType", ""),
                              .time_ms = (int64_t)(time * 1000.0),
                              .detail = detail};
    struct json *envelope = sim_events_envelope(call->account, &event);

    if (json_member(entry, "Resources"))
        json_set_copy(envelope, "resources", json_member(entry, "Resources"));
    return envelope;
}

/* A bus that does not exist swallows what is sent to it: the entry counts as accepted. */
static struct json *put_entry(struct call *call, const struct json *entry, bool *failed)
{
    struct json *row = json_new_object();
    AUTO_JSON struct json *detail = NULL;
    AUTO_FREE char *message = NULL;
    struct account *account = NULL;
    struct events_bus *bus = NULL;
    const char *name = json_get_text(entry, "EventBusName", NULL);
    const char *code = entry_fault(entry, &detail, &message);

    if (!code)
        bus = entry_bus(call, name, &account, &code);
    if (code) {
        *failed = true;
        json_set_text(row, "ErrorCode", code);
        json_set_text(row, "ErrorMessage",
                      message ? message : "Not authorized to put events on this event bus.");
        return row;
    }
    struct json *envelope = entry_envelope(call, entry, detail);
    json_set_text(row, "EventId", json_get_text(envelope, "id", ""));
    if (bus)
        sim_events_send(account, bus->name, envelope,
                        call->now_ms + sim_duration(call->sim, "events.delivery"));
    else
        json_free(envelope);
    return row;
}

bool sim_events_put_events(struct call *call)
{
    struct json *rows = json_new_array();
    int64_t failures = 0;

    json_set(call->out, "Entries", rows);
    if (!check_entries(call))
        return false;
    json_each (entry, call_list(call, "Entries")) {
        bool failed = false;

        json_append(rows, put_entry(call, entry, &failed));
        failures += failed;
    }
    json_set_int(call->out, "FailedEntryCount", failures);
    call_effect(call, failures < (int64_t)json_count(rows) ? EFFECT_CREATED : EFFECT_NONE,
                json_get_text(call->input, "Entries[0].DetailType", ""));
    return true;
}

static bool test_pattern(struct call *call)
{
    AUTO_JSON struct json *pattern = NULL;
    AUTO_JSON struct json *event = NULL;
    AUTO_ERR struct err *err = json_parse(str_of(call_text(call, "EventPattern")), NULL, &pattern);
    AUTO_ERR struct err *event_err = json_parse(str_of(call_text(call, "Event")), NULL, &event);
    AUTO_FREE char *fault = err ? xstrdup(err_text(err)) : sim_pattern_fault(pattern);

    if (fault)
        return call_refuse(call, 400, "InvalidEventPatternException",
                           "Event pattern is not valid. Reason: %s", fault);
    if (event_err || !json_is(event, JSON_OBJECT))
        return call_refuse(call, 400, "ValidationException", "Parameter Event is not valid.");
    json_set_bool(call->out, "Result", sim_pattern_matches(pattern, event));
    return true;
}

/* ---- the service ---- */

static void done(struct account *account)
{
    struct events_state *state = sim_events_state_of(account);

    while (state->rules.count)
        sim_events_rule_remove(account, &state->rules.items[state->rules.count - 1]);
    for (size_t i = 0; i < state->buses.count; i++)
        bus_done(&state->buses.items[i]);
    for (size_t i = 0; i < state->pending.count; i++) {
        xfree(state->pending.items[i].bus);
        json_free(state->pending.items[i].event);
    }
    xfree(state->rules.items);
    xfree(state->buses.items);
    xfree(state->pending.items);
    if (state->stream)
        random_free(state->stream);
}

static const struct duration durations[] = {
    {.name = "events.backup", .default_ms = MINUTES(5)},
    {.name = "events.rds", .default_ms = SECONDS(20)},
    {.name = "events.delivery", .default_ms = 500},
};

static const struct operation operations[] = {
    {.name = "CreateEventBus",
     .handle = create_bus,
     .input = "Name! Description Tags:list",
     .mutating = true},
    {.name = "DeleteEventBus", .handle = delete_bus, .input = "Name!", .mutating = true},
    {.name = "DescribeEventBus", .handle = describe_bus, .input = "Name"},
    {.name = "ListEventBuses", .handle = list_buses, .input = "NamePrefix NextToken Limit:int"},
    {.name = "PutRule",
     .handle = sim_events_put_rule,
     .input = "Name! EventPattern State Description RoleArn Tags:list EventBusName",
     .mutating = true},
    {.name = "DescribeRule", .handle = sim_events_describe_rule, .input = "Name! EventBusName"},
    {.name = "ListRules",
     .handle = sim_events_list_rules,
     .input = "NamePrefix EventBusName NextToken Limit:int"},
    {.name = "DeleteRule",
     .handle = sim_events_delete_rule,
     .input = "Name! EventBusName Force:bool",
     .mutating = true},
    {.name = "EnableRule", .handle = sim_events_enable_rule, .input = "Name! EventBusName", .mutating = true},
    {.name = "DisableRule",
     .handle = sim_events_disable_rule,
     .input = "Name! EventBusName",
     .mutating = true},
    {.name = "PutTargets",
     .handle = sim_events_put_targets,
     .input = "Rule! EventBusName Targets!:list",
     .mutating = true},
    {.name = "RemoveTargets",
     .handle = sim_events_remove_targets,
     .input = "Rule! EventBusName Ids!:list Force:bool",
     .mutating = true},
    {.name = "ListTargetsByRule",
     .handle = sim_events_list_targets,
     .input = "Rule! EventBusName NextToken Limit:int"},
    {.name = "PutPermission",
     .handle = sim_events_put_permission,
     .input = "EventBusName Action Principal StatementId Condition:object Policy",
     .mutating = true},
    {.name = "RemovePermission",
     .handle = sim_events_remove_permission,
     .input = "StatementId RemoveAllPermissions:bool EventBusName",
     .mutating = true},
    {.name = "PutEvents", .handle = sim_events_put_events, .input = "Entries!:list", .mutating = true},
    {.name = "TestEventPattern", .handle = test_pattern, .input = "EventPattern! Event!"},
};

const struct service events_service = {
    .name = "events",
    .section = "events",
    .protocol = PROTOCOL_JSON,
    .target_prefix = "AWSEvents",
    .json_version = "1.1",
    .operations = operations,
    .operation_count = COUNT_OF(operations),
    .durations = durations,
    .duration_count = COUNT_OF(durations),
    .state_size = sizeof(struct events_state),
    .load = sim_events_load,
    .check = sim_events_check,
    .advance = sim_events_advance,
    .next_ms = sim_events_next_ms,
    .dump = sim_events_dump,
    .done = done,
};
