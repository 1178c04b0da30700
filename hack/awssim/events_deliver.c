/* From a service or PutEvents to a bus, from the bus through its rules to queues and other accounts' buses.
 */
#include "hack/awssim/events.h"
#include "hack/awssim/sqs.h"

#include "pkg/base/random.h"

/* ---- on the way to a bus ---- */

struct json *sim_events_envelope(struct account *account, const struct sim_event *event)
{
    struct json *out = json_new_object(), *resources = json_new_array();
    AUTO_FREE char *id = sim_stream_uuid(sim_events_state_of(account)->stream);
    char time[TIME_TEXT_MAX];

    time_rfc3339(event->time_ms, time);
    if (event->resource)
        json_append_text(resources, event->resource);
    json_set_text(out, "version", "0");
    json_set_text(out, "id", id);
    json_set_text(out, "detail-type", event->detail_type);
    json_set_text(out, "source", event->source);
    json_set_text(out, "account", account->id);
    json_set_text(out, "time", time);
    json_set_text(out, "region", account->region);
    json_set(out, "resources", resources);
    json_set_copy(out, "detail", event->detail);
    return out;
}

static void add_pending(struct account *account, struct events_pending pending)
{
    *LIST_ADD(sim_events_state_of(account)->pending) = pending;
}

void sim_events_send(struct account *account, const char *bus, struct json *event, int64_t due_ms)
{
    add_pending(account, (struct events_pending){.due_ms = due_ms, .bus = xstrdup(bus), .event = event});
}

static bool has_rules(const struct account *account, const char *bus)
{
    const struct events_state *state = sim_events_state_of(account);

    for (size_t i = 0; i < state->rules.count; i++)
        if (text_equal(state->rules.items[i].bus, bus))
            return true;
    return false;
}

static bool happens(struct random *stream, double chance)
{
    return (double)random_below(stream, 1000000) < chance * 1e6;
}

/* AWS Backup is the slow one: "about every five minutes, best effort". */
static int64_t lateness(const struct account *account, const struct sim_event *event)
{
    bool is_backup = text_equal(event->source, "aws.backup");
    int64_t most_ms = sim_duration(account->sim, is_backup ? "events.backup" : "events.rds");

    return (int64_t)random_below(sim_events_state_of(account)->stream, (uint64_t)most_ms + 1);
}

void sim_events_publish(struct account *account, const struct sim_event *event)
{
    struct sim *sim = account->sim;
    struct random *stream = sim_events_state_of(account)->stream;

    if (!has_rules(account, "default"))
        return;
    bool is_lost = happens(stream, sim->lost_events), is_twice = happens(stream, sim->duplicated_events);
    int64_t due_ms = event->time_ms + lateness(account, event),
            again_ms = event->time_ms + lateness(account, event);
    struct json *envelope = sim_events_envelope(account, event);
    if (is_twice && !is_lost)
        sim_events_send(account, "default", json_copy(envelope), again_ms);
    if (is_lost)
        json_free(envelope);
    else
        sim_events_send(account, "default", envelope, due_ms);
}

/* ---- to the targets ---- */

/* NULL: delivered; else why not, yours. */
static char *to_queue(struct account *account, const struct events_rule *rule,
                      const struct events_target *target, const char *body)
{
    struct sqs_queue *queue = sim_sqs_by_arn(account->sim, target->arn);
    const struct sqs_delivery delivery = {
        .rule_arn = rule->arn, .account_id = account->id, .role_arn = target->role_arn, .body = body};

    if (!queue)
        return xasprintf("there is no queue %s", target->arn);
    return sim_sqs_deliver(queue, &delivery);
}

static char *to_bus(struct account *account, const struct events_target *target,
                    const struct events_pending *item)
{
    struct account *receiver = NULL;
    const struct events_bus *bus = sim_events_bus_by_arn(account->sim, target->arn, &receiver);
    struct policy_question question = {.action = "events:PutEvents",
                                       .principal_arn = target->role_arn,
                                       .account_id = account->id,
                                       .organization = account->sim->organization,
                                       .resource = target->arn};

    if (item->forwarded)
        return xstrdup("the event came from another bus: it goes to no third one");
    if (!bus)
        return xasprintf("there is no event bus %s", target->arn);
    if (!target->role_arn || !sim_role_may(account->sim, target->role_arn, "events:PutEvents"))
        return xasprintf("%s is not allowed events:PutEvents",
                         target->role_arn ? target->role_arn : "(no role)");
    if (receiver != account && !sim_policy_allows(bus->policy, &question))
        return xasprintf("the policy of %s does not allow events:PutEvents by %s", bus->arn,
                         target->role_arn);
    add_pending(receiver, (struct events_pending){.due_ms = sim_now(account->sim) +
                                                            sim_duration(account->sim, "events.delivery"),
                                                  .bus = xstrdup(bus->name),
                                                  .event = json_copy(item->event),
                                                  .forwarded = true});
    return NULL;
}

/* What could not be delivered may go to a queue of the target's own. */
static void to_dead_letters(struct account *account, const struct events_rule *rule,
                            const struct events_target *target, const char *body)
{
    struct sqs_queue *queue = target->dead_letter ? sim_sqs_by_arn(account->sim, target->dead_letter) : NULL;
    const struct sqs_delivery delivery = {.rule_arn = rule->arn, .account_id = account->id, .body = body};

    if (queue) {
        AUTO_FREE char *failure = sim_sqs_deliver(queue, &delivery);
    }
}

static void to_target(struct account *account, const struct events_rule *rule, struct events_target *target,
                      const struct events_pending *item)
{
    AUTO_FREE char *body = json_to_text(item->event);
    struct arn arn;
    bool is_queue = sim_arn_parse(target->arn, &arn) && str_is(arn.service, "sqs");
    char *failure = is_queue ? to_queue(account, rule, target, body) : to_bus(account, target, item);

    if (!failure) {
        target->delivered++;
        return;
    }
    target->failed++;
    xfree(target->failure);
    target->failure = failure;
    to_dead_letters(account, rule, target, body);
}

static void arrive(struct account *account, const struct events_pending *item)
{
    struct events_state *state = sim_events_state_of(account);

    for (size_t r = 0; r < state->rules.count; r++) {
        struct events_rule *rule = &state->rules.items[r];

        if (rule->disabled || !text_equal(rule->bus, item->bus) ||
            !sim_pattern_matches(rule->pattern, item->event))
            continue;
        for (size_t t = 0; t < rule->targets.count; t++)
            to_target(account, rule, &rule->targets.items[t], item);
    }
}

/* ---- time ---- */

static size_t earliest(const struct events_state *state)
{
    size_t best = 0;

    for (size_t i = 1; i < state->pending.count; i++)
        if (state->pending.items[i].due_ms < state->pending.items[best].due_ms)
            best = i;
    return best;
}

int64_t sim_events_next_ms(struct account *account)
{
    const struct events_state *state = sim_events_state_of(account);

    return state->pending.count ? state->pending.items[earliest(state)].due_ms : NEVER_MS;
}

void sim_events_advance(struct account *account)
{
    struct events_state *state = sim_events_state_of(account);

    while (state->pending.count) {
        size_t i = earliest(state);
        struct events_pending item = state->pending.items[i];

        if (item.due_ms > sim_now(account->sim))
            return;
        state->pending.count--;
        memmove(&state->pending.items[i], &state->pending.items[i + 1],
                (state->pending.count - i) * sizeof(struct events_pending));
        arrive(account, &item);
        xfree(item.bus);
        json_free(item.event);
    }
}
