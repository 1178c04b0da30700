#include "hack/awssim/rds.h"

/* EventBridge's words for this API's source types. */
static const struct {
    const char *type, *bus_type, *detail_type;
} bus_words[] = {
    {.type = "db-cluster", .bus_type = "CLUSTER", .detail_type = "RDS DB Cluster Event"},
    {.type = "db-instance", .bus_type = "DB_INSTANCE", .detail_type = "RDS DB Instance Event"},
    {.type = "db-proxy", .bus_type = "DB_PROXY", .detail_type = "RDS DB Proxy Event"},
};

static void tell_bus(struct rds_state *state, const struct rds_news *news)
{
    struct json *detail = json_new_object(), *categories = json_new_array();
    size_t i = 0;

    while (i + 1 < COUNT_OF(bus_words) && !text_equal(bus_words[i].type, news->source_type))
        i++;
    json_append_text(categories, news->category);
    json_set(detail, "EventCategories", categories);
    json_set_text(detail, "SourceType", bus_words[i].bus_type);
    json_set_text(detail, "SourceArn", news->arn);
    json_set(detail, "Date", sim_rds_time(news->time_ms));
    json_set_text(detail, "Message", news->message);
    json_set_text(detail, "SourceIdentifier", news->id);
    json_set_text(detail, "EventID", news->event_id);
    sim_emit(state->account, &(struct sim_event){.source = "aws.rds",
                                                 .detail_type = bus_words[i].detail_type,
                                                 .resource = news->arn,
                                                 .time_ms = news->time_ms,
                                                 .detail = detail});
}

void sim_rds_event(struct rds_state *state, const struct rds_news *news)
{
    struct rds_event *event = RDS_ADD(state->events, state->event_count);

    event->source_id = xstrdup(news->id);
    event->source_arn = xstrdup(news->arn);
    event->source_type = xstrdup(news->source_type);
    event->message = xstrdup(news->message);
    event->category = xstrdup(news->category);
    event->time_ms = news->time_ms;
    tell_bus(state, news);
}

/* ---- DescribeEvents ---- */

struct window {
    int64_t from_ms, to_ms;
};

static bool read_window(struct call *call, struct window *ret)
{
    int64_t minutes = call_int(call, "Duration", 60);
    const char *start = call_text(call, "StartTime"), *end = call_text(call, "EndTime");

    if (minutes < 0 || minutes > 20160)
        return call_refuse(call, 400, "InvalidParameterValue",
                           "Duration must be between 0 and 20160 minutes");
    *ret = (struct window){.from_ms = call->now_ms - MINUTES(minutes), .to_ms = call->now_ms};
    if (start && !time_parse(str_of(start), &ret->from_ms))
        return call_refuse(call, 400, "InvalidParameterValue", "Invalid StartTime: %s", start);
    if (end && !time_parse(str_of(end), &ret->to_ms))
        return call_refuse(call, 400, "InvalidParameterValue", "Invalid EndTime: %s", end);
    if (start && end && ret->from_ms > ret->to_ms)
        return call_refuse(call, 400, "InvalidParameterCombination", "EndTime must be after StartTime");
    if (ret->from_ms < call->now_ms - DAYS(14))
        ret->from_ms = call->now_ms - DAYS(14);
    return true;
}

static bool has_category(const struct call *call, const struct rds_event *event)
{
    const struct json *wanted = call_list(call, "EventCategories.EventCategory");

    json_each (item, wanted)
        if (text_equal(json_get_text(item, NULL, ""), event->category))
            return true;
    return !wanted;
}

static bool is_wanted(const struct call *call, const struct rds_event *event, const struct window *window)
{
    const char *id = call_text(call, "SourceIdentifier"), *type = call_text(call, "SourceType");

    return event->time_ms >= window->from_ms && event->time_ms <= window->to_ms &&
           (!id || str_equal_nocase(str_of(id), str_of(event->source_id))) &&
           (!type || text_equal(type, event->source_type)) && has_category(call, event);
}

/* There is no event id in this API. */
static struct json *event_wire(const struct rds_event *event)
{
    struct json *wire = json_new_object(), *categories = json_new_array();

    json_append_text(categories, event->category);
    json_set_text(wire, "SourceIdentifier", event->source_id);
    json_set_text(wire, "SourceType", event->source_type);
    json_set_text(wire, "Message", event->message);
    json_set(wire, "EventCategories", sim_rds_list("EventCategory", categories));
    json_set(wire, "Date", sim_rds_time(event->time_ms));
    json_set_text(wire, "SourceArn", event->source_arn);
    return wire;
}

bool sim_rds_describe_events(struct call *call)
{
    const struct rds_state *state = call_state(call);
    struct window window;

    if (call_has(call, "SourceIdentifier") && !call_has(call, "SourceType"))
        return call_refuse(call, 400, "InvalidParameterCombination",
                           "SourceType must be given together with SourceIdentifier");
    if (!read_window(call, &window) || !sim_rds_filters_known(call, NULL, 0))
        return false;
    struct json *found = json_new_array();
    for (size_t i = 0; i < state->event_count; i++)
        if (is_wanted(call, state->events[i], &window))
            json_append(found, event_wire(state->events[i]));
    return sim_rds_answer_page(call, "Events", "Event", found);
}
