/* What is under /_sim/: for those who test against the simulator. Not signed. */
#include "hack/awssim/core.h"

static void reply_json(struct sim_reply *ret, int status, const struct json *value)
{
    AUTO_BUF struct buf body = BUF_MAX(256 * MIB);

    json_print(value, &body);
    buf_addc(&body, '\n');
    ret->status = status;
    sim_reply_header(ret, "Content-Type", "application/json");
    ret->body_len = body.len;
    ret->body = xstrndup(buf_text(&body), body.len);
}

static void reply_error(struct sim_reply *ret, int status, const char *text)
{
    AUTO_JSON struct json *error = json_new_object();

    json_set_text(error, "error", text);
    reply_json(ret, status, error);
}

static struct err *parse_body(const struct sim_request *request, struct json **ret)
{
    TRY(json_parse(request->body, NULL, ret));
    return json_is(*ret, JSON_OBJECT) ? NULL : err_new(ERR_INVALID, "the body must be a JSON object");
}

static struct err *get_journal(struct sim *sim, const struct sim_request *request UNUSED, struct json **ret)
{
    *ret = sim_journal_dump(sim);
    return NULL;
}

static struct err *get_calls(struct sim *sim, const struct sim_request *request UNUSED, struct json **ret)
{
    *ret = sim_calls_dump(sim);
    return NULL;
}

static struct json *dump_account(struct account *account)
{
    struct json *out = json_new_object();

    json_set_text(out, "id", account->id);
    json_set_text(out, "name", account->name);
    json_set_text(out, "region", account->region);
    for (size_t i = 0; i < service_count; i++)
        if (services[i]->dump)
            json_set(out, services[i]->section ? services[i]->section : services[i]->name,
                     services[i]->dump(account));
    return out;
}

static struct json *dump_events(const struct sim *sim)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < sim->events.count; i++) {
        const struct sim_event_kept *event = &sim->events.items[i];
        struct json *row = json_new_object();
        char time[TIME_TEXT_MAX];

        time_rfc3339_ms(event->time_ms, time);
        json_set_text(row, "time", time);
        json_set_text(row, "account", event->account);
        json_set_text(row, "region", event->region);
        json_set_text(row, "source", event->source);
        json_set_text(row, "detail-type", event->detail_type);
        json_set_text(row, "resource", event->resource);
        json_set_copy(row, "detail", event->detail);
        json_append(list, row);
    }
    return list;
}

static void set_clock(const struct sim *sim, struct json *out)
{
    char time[TIME_TEXT_MAX];

    time_rfc3339_ms(sim->now_ms, time);
    json_set_text(out, "time", time);
    json_set_int(out, "timeMs", sim->now_ms);
}

static struct err *get_world(struct sim *sim, const struct sim_request *request UNUSED, struct json **ret)
{
    struct json *out = json_new_object(), *accounts = json_new_array();

    set_clock(sim, out);
    json_set_text(out, "organization", sim->organization);
    for (size_t i = 0; i < sim->account_count; i++)
        json_append(accounts, dump_account(sim->accounts[i]));
    json_set(out, "accounts", accounts);
    json_set(out, "events", dump_events(sim));
    *ret = out;
    return NULL;
}

static struct err *get_clock(struct sim *sim, const struct sim_request *request UNUSED, struct json **ret)
{
    *ret = json_new_object();
    set_clock(sim, *ret);
    return NULL;
}

static struct err *post_clock(struct sim *sim, const struct sim_request *request, struct json **ret)
{
    AUTO_JSON struct json *body = NULL;

    TRY(parse_body(request, &body));
    double seconds = json_get_number(body, "advanceSeconds", -1);
    if (seconds < 0 || seconds > 1e9 || json_count(body) != 1)
        return err_new(ERR_INVALID, "expected {\"advanceSeconds\": N} with N from 0 to 1e9");
    sim->skipped_ms += (int64_t)(seconds * 1000);
    sim_advance(sim, sim->now_ms + (int64_t)(seconds * 1000));
    return get_clock(sim, request, ret);
}

static struct err *get_faults(struct sim *sim, const struct sim_request *request UNUSED, struct json **ret)
{
    *ret = sim_faults_dump(sim);
    return NULL;
}

/* One fault, or a list of them: the first bad one ends it, those before it stay. */
static struct err *post_faults(struct sim *sim, const struct sim_request *request, struct json **ret)
{
    AUTO_JSON struct json *body = NULL;
    AUTO_JSON struct json *answers = json_new_array();

    TRY(json_parse(request->body, NULL, &body));
    if (!json_is(body, JSON_ARRAY))
        return sim_faults_add(sim, body, ret);
    json_each (item, body) {
        struct json *answer = NULL;

        TRY(sim_faults_add(sim, item, &answer));
        json_append(answers, answer);
    }
    *ret = TAKE(answers);
    return NULL;
}

static struct err *delete_faults(struct sim *sim, const struct sim_request *request UNUSED, struct json **ret)
{
    sim_faults_clear(sim);
    *ret = json_new_object();
    return NULL;
}

static const struct endpoint {
    const char *method, *path;
    struct err *(*handle)(struct sim *sim, const struct sim_request *request, struct json **ret);
} endpoints[] = {
    {.method = "GET", .path = "/_sim/journal", .handle = get_journal},
    {.method = "GET", .path = "/_sim/calls", .handle = get_calls},
    {.method = "GET", .path = "/_sim/world", .handle = get_world},
    {.method = "GET", .path = "/_sim/clock", .handle = get_clock},
    {.method = "POST", .path = "/_sim/clock", .handle = post_clock},
    {.method = "GET", .path = "/_sim/faults", .handle = get_faults},
    {.method = "POST", .path = "/_sim/faults", .handle = post_faults},
    {.method = "DELETE", .path = "/_sim/faults", .handle = delete_faults},
};

void sim_control_handle(struct sim *sim, const struct sim_request *request, struct sim_reply *ret)
{
    for (size_t i = 0; i < COUNT_OF(endpoints); i++) {
        AUTO_JSON struct json *answer = NULL;

        if (!text_equal(endpoints[i].method, request->method) ||
            !text_equal(endpoints[i].path, request->target))
            continue;
        AUTO_ERR struct err *err = endpoints[i].handle(sim, request, &answer);
        if (err)
            reply_error(ret, 400, err_text(err));
        else
            reply_json(ret, 200, answer);
        return;
    }
    reply_error(ret, 404, "no such endpoint; see hack/awssim/README.md");
}
