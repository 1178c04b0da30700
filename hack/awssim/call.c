/* What a handler may ask and say: service.h, "one request". */
#include "hack/awssim/core.h"
#include "pkg/base/digest.h"

void *call_state(const struct call *call)
{
    return account_state(call->account, call->service);
}

/* ---- input ---- */

const char *call_text(const struct call *call, const char *path)
{
    return json_get_text(call->input, path, NULL);
}

int64_t call_int(const struct call *call, const char *path, int64_t otherwise)
{
    const char *text = call_text(call, path);
    int64_t number = 0;

    if (text)
        return str_to_int(str_of(text), &number) ? number : otherwise;
    return json_get_int(call->input, path, otherwise);
}

double call_number(const struct call *call, const char *path, double otherwise)
{
    const char *text = call_text(call, path);
    char *end = NULL;

    if (!text)
        return json_get_number(call->input, path, otherwise);
    double number = strtod(text, &end);
    return end == text || *end ? otherwise : number;
}

bool call_bool(const struct call *call, const char *path, bool otherwise)
{
    const char *text = call_text(call, path);

    return text ? text_equal(text, "true") : json_get_bool(call->input, path, otherwise);
}

bool call_has(const struct call *call, const char *path)
{
    return json_at(call->input, path) != NULL;
}

const struct json *call_list(const struct call *call, const char *path)
{
    const struct json *list = json_at(call->input, path);

    return json_is(list, JSON_ARRAY) ? list : NULL;
}

/* ---- answer ---- */

bool call_refuse(struct call *call, int status, const char *code, const char *fmt, ...)
{
    struct call_private *priv = call->priv;
    va_list args;

    xfree(priv->error_code);
    xfree(priv->error_message);
    va_start(args, fmt);
    priv->error_message = xvasprintf(fmt, args);
    va_end(args);
    priv->error_code = xstrdup(code);
    priv->status = status;
    return false;
}

void call_error_member(struct call *call, const char *name, const char *text)
{
    if (!call->priv->error_members)
        call->priv->error_members = json_new_object();
    json_set_text(call->priv->error_members, name, text);
}

struct json *call_time(const struct call *call, int64_t world_ms)
{
    char text[TIME_TEXT_MAX];

    if (call->service->protocol != PROTOCOL_QUERY)
        return json_new_number((double)world_ms / 1000.0);
    time_rfc3339_ms(world_ms, text);
    return json_new_text(text);
}

void call_payload(struct call *call, int status, const char *content_type, struct str bytes)
{
    struct call_private *priv = call->priv;

    xfree(priv->payload);
    xfree(priv->payload_type);
    priv->payload = str_dup(bytes);
    priv->payload_len = bytes.len;
    priv->payload_type = xstrdup(content_type);
    priv->status = status;
}

void call_header(struct call *call, const char *name, const char *value)
{
    *LIST_ADD(call->priv->headers) = (struct sim_header){.name = xstrdup(name), .value = xstrdup(value)};
}

void call_status(struct call *call, int status)
{
    call->priv->status = status;
}

void call_effect(struct call *call, enum effect effect, const char *resource)
{
    AUTO_FREE char *old = TAKE(call->priv->resource);

    call->priv->effect = effect;
    call->priv->resource = xstrdup_or_null(resource ? resource : old);
}

void call_wait(struct call *call, int64_t wait_ms, int64_t look_ms)
{
    call->priv->wait_ms = wait_ms;
    call->priv->look_ms = look_ms;
}

/* ---- tokens ---- */

static const struct kept_answer *answer_find(const struct call *call, const char *token)
{
    const struct sim *sim = call->sim;

    for (size_t i = sim->answers.count; i-- > 0;) {
        const struct kept_answer *kept = &sim->answers.items[i];

        if (text_equal(kept->token, token) && text_equal(kept->account, call->account->id) &&
            text_equal(kept->operation, call->operation->name) && call->now_ms - kept->time_ms < HOURS(1))
            return kept;
    }
    return NULL;
}

enum token_result call_token(struct call *call, const char *token)
{
    struct call_private *priv = call->priv;
    char digest[2 * SHA256_BYTES + 1];

    if (text_is_empty(token))
        return TOKEN_NEW;
    AUTO_FREE char *input = json_to_text(call->input);
    sha256_hex(str_of(input), digest);
    xfree(priv->token);
    priv->token = xstrdup(token);
    const struct kept_answer *kept = answer_find(call, token);
    if (!kept) {
        xfree(priv->pending.digest);
        priv->pending.digest = xstrdup(digest);
        return TOKEN_NEW;
    }
    if (!text_equal(kept->digest, digest))
        return TOKEN_CLASH;
    json_free(call->out);
    call->out = json_copy(json_member(kept->out, "out"));
    call_effect(call, EFFECT_REPLAYED, json_get_text(kept->out, "resource", NULL));
    return TOKEN_REPLAYED;
}

void sim_token_keep(struct call *call)
{
    struct call_private *priv = call->priv;

    if (!priv->pending.digest)
        return;
    struct kept_answer *kept = LIST_ADD(call->sim->answers);
    *kept = (struct kept_answer){.account = xstrdup(call->account->id),
                                 .operation = xstrdup(call->operation->name),
                                 .token = xstrdup(priv->token),
                                 .digest = TAKE(priv->pending.digest),
                                 .time_ms = call->now_ms,
                                 .out = json_new_object()};
    json_set_copy(kept->out, "out", call->out);
    json_set_text(kept->out, "resource", priv->resource);
}

const struct fault *sim_call_job_fault(const struct call *call)
{
    const struct fault *fault = call->priv->fault;

    return fault && str_ends(str_of(fault->action), "-job") ? fault : NULL;
}

/* ---- pages ---- */

/* A token says where to go on; its look says that it is opaque. */
static bool page_start(const char *token, size_t total, size_t *ret_first)
{
    int64_t first = 0;

    if (!str_starts(str_of(token), "page-") || !str_to_int(str_of(token + 5), &first) || first < 0 ||
        (size_t)first > total)
        return false;
    *ret_first = (size_t)first;
    return true;
}

bool call_page(struct call *call, const struct page_rule *rule, size_t total, size_t *ret_first,
               size_t *ret_count)
{
    int64_t size = call_int(call, rule->size_member, rule->otherwise);
    const char *token = call_text(call, rule->token_member);
    size_t first = 0;

    if (size < rule->min || size > rule->max)
        return call_refuse(call, 400, rule->error, "%s must be between %lld and %lld", rule->size_member,
                           (long long)rule->min, (long long)rule->max);
    if (!text_is_empty(token) && !page_start(token, total, &first))
        return call_refuse(call, 400, rule->error, "%s is no token of this list", rule->token_member);
    if (call->sim->empty_pages && text_is_empty(token))
        size = 0;
    size_t left = total - first;
    size_t count = left < (size_t)size ? left : (size_t)size;
    if (count < left || (size == 0 && call->sim->empty_pages)) {
        AUTO_FREE char *next = xasprintf("page-%zu", first + count);

        json_set_text(call->out, rule->out_member, next);
    }
    *ret_first = first;
    *ret_count = count;
    return true;
}

/* ---- permissions ---- */

bool call_may(const struct call *call, const char *action)
{
    return sim_principal_may(call->priv->who, action);
}

char *call_pass_role(struct call *call, const char *role_arn, const char *service_principal)
{
    struct arn arn;

    if (!call_may(call, "iam:PassRole"))
        return xasprintf("User: %s is not authorized to perform: iam:PassRole on resource: %s",
                         call->principal, role_arn);
    if (!sim_arn_parse(role_arn, &arn) || !str_is(arn.service, "iam") || !str_starts(arn.resource, "role/"))
        return xasprintf("%s is not the ARN of a role", role_arn);
    if (!str_is(arn.account, call->account->id))
        return xstrdup("Cross-account pass role is not allowed.");
    if (!sim_role_trusts_service(call->sim, role_arn, service_principal))
        return xasprintf("IAM Role %s cannot be assumed by %s", role_arn, service_principal);
    return NULL;
}
