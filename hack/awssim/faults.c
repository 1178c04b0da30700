/* Failures on demand. A fault counts the calls that match it; it strikes the nth, or each, as often as it
 * says. */
#include "hack/awssim/core.h"

static bool fits(const char *pattern, const char *text)
{
    return !pattern || text_matches(pattern, text);
}

/* Drawn only for a fault that has a probability: others must not change the random stream. */
static bool is_drawn(struct sim *sim, const struct fault *fault)
{
    return fault->probability >= 1 || (double)random_below(sim->random, 1000000) < fault->probability * 1e6;
}

static bool strikes(struct sim *sim, struct fault *fault)
{
    int64_t times = fault->times ? fault->times : fault->nth ? 1 : NEVER_MS;

    fault->seen++;
    if (fault->done >= times || fault->seen < fault->nth || !is_drawn(sim, fault))
        return false;
    fault->done++;
    return true;
}

struct fault *sim_faults_match(struct sim *sim, const char *account, const char *service,
                               const char *operation)
{
    struct fault *first = NULL;

    for (size_t i = 0; i < sim->faults.count; i++) {
        struct fault *fault = &sim->faults.items[i];

        if (fits(fault->service, service) && fits(fault->operation, operation) &&
            fits(fault->account, account) && strikes(sim, fault) && !first)
            first = fault;
    }
    return first;
}

/* ---- POST faults ---- */

/* Accounts may be given by their name in the world file. */
static char *account_pattern(const struct sim *sim, const char *text)
{
    for (size_t i = 0; text && i < sim->account_count; i++)
        if (text_equal(sim->accounts[i]->name, text))
            return xstrdup(sim->accounts[i]->id);
    return xstrdup_or_null(text);
}

struct err *sim_faults_add(struct sim *sim, const struct json *body, struct json **ret_answer)
{
    TRY(sim_fault_check(sim, body));
    struct fault *fault = LIST_ADD(sim->faults);
    *fault = (struct fault){
        .id = ++sim->last_fault_id,
        .service = xstrdup_or_null(json_get_text(body, "match.service", NULL)),
        .operation = xstrdup_or_null(json_get_text(body, "match.operation", NULL)),
        .account = account_pattern(sim, json_get_text(body, "match.account", NULL)),
        .nth = json_get_int(body, "match.nth", 0),
        .times = json_get_int(body, "match.times", 0),
        .probability = json_get_number(body, "match.probability", 1),
        .action = xstrdup(json_get_text(body, "action", "")),
        .code = xstrdup_or_null(json_get_text(body, "code", NULL)),
        .message = xstrdup_or_null(json_get_text(body, "message", NULL)),
        .status = json_get_int(body, "status", 0),
        .delay_ms = (int64_t)(json_get_number(body, "delaySeconds", 0) * 1000),
        .after = json_get_bool(body, "after", false),
    };
    *ret_answer = json_new_object();
    json_set_int(*ret_answer, "id", fault->id);
    return NULL;
}

struct json *sim_faults_dump(const struct sim *sim)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < sim->faults.count; i++) {
        const struct fault *fault = &sim->faults.items[i];
        struct json *row = json_new_object();

        json_set_int(row, "id", fault->id);
        json_set_text(row, "service", fault->service);
        json_set_text(row, "operation", fault->operation);
        json_set_text(row, "account", fault->account);
        json_set_text(row, "action", fault->action);
        json_set_int(row, "seen", fault->seen);
        json_set_int(row, "struck", fault->done);
        json_append(list, row);
    }
    return list;
}

void sim_faults_clear(struct sim *sim)
{
    for (size_t i = 0; i < sim->faults.count; i++) {
        struct fault *fault = &sim->faults.items[i];

        xfree(fault->service);
        xfree(fault->operation);
        xfree(fault->account);
        xfree(fault->action);
        xfree(fault->code);
        xfree(fault->message);
    }
    xfree(sim->faults.items);
    sim->faults.items = NULL;
    sim->faults.count = 0;
}
