#include "pkg/aws/session.h"

#include "pkg/aws/refusal.h"
#include "pkg/aws/sigv4.h"

#define CALL_TIMEOUT_MS SECONDS(30)
#define ATTEMPTS_MAX 3
#define BACKOFF_BASE_MS 1000
#define SKEW_MIN_MS MINUTES(4)
#define HEADERS_MAX 8

/* What retries cost of the quota, and what a success gives back (botocore's "standard" mode). */
#define QUOTA_FULL 500
#define QUOTA_RETRY 5
#define QUOTA_RETRY_TIMEOUT 10
#define QUOTA_SUCCESS 1

void aws_session_init(struct aws_session *session, const struct aws_config *config, const char *region)
{
    *session = (struct aws_session){.config = config, .region = region, .own = AWS_LANE_INIT};
}

struct aws_lane *aws_session_lane(struct aws_session *session)
{
    struct aws_traffic *traffic = session->config->traffic;

    return traffic ? aws_traffic_lane(traffic, session->account_id, session->region) : &session->own;
}

/* One call while it lasts. */
struct exchange {
    struct aws_session *session;
    struct aws_lane *lane;
    struct env env; /* whose waits count for the call that this one is part of */
    const struct aws_request *request;
    const struct aws_operation *operation;
    struct aws_endpoint endpoint;
    char *url;
    struct credentials *credentials;
    int64_t own_waited_ms; /* not part of another */
    int64_t skew_ms;       /* that the attempt under way is signed with */
    int sends;
    int attempts; /* that count */
    int last_cost;
    bool has_renewed;
    bool has_corrected_clock;
};

static void exchange_done(struct exchange *exchange)
{
    aws_endpoint_done(&exchange->endpoint);
    xfree(exchange->url);
    credentials_unref(exchange->credentials);
}

static struct err *exchange_begin(struct exchange *exchange)
{
    const struct aws_input *input = exchange->request->input;
    const char *path = input->path ? input->path : "/";

    if (strlen(path) > AWS_URL_MAX || input->body.len > AWS_BODY_MAX)
        return err_new(ERR_INVALID, "%s: the request is too large", exchange->operation->name);
    TRY(aws_endpoint_resolve(exchange->session->config, exchange->operation->service,
                             exchange->session->region, &exchange->endpoint));
    exchange->url = xasprintf("%s%s", exchange->endpoint.base_url, path);
    return NULL;
}

/* --- signing and sending once --- */

struct wire {
    struct http_header headers[HEADERS_MAX];
    size_t count;
    char *target;
    struct sigv4_result signature;
};

static void wire_done(struct wire *wire)
{
    xfree(wire->target);
    sigv4_result_done(&wire->signature);
}

static void wire_add(struct wire *wire, const char *name, const char *value)
{
    wire->headers[wire->count++] = (struct http_header){.name = name, .value = value};
}

/* What is signed is what is sent: taken from the URL's own bytes. */
static struct sigv4_request signable(const struct exchange *exchange, const struct wire *wire)
{
    struct str path = str_of(strstr(exchange->url, "://") + strlen("://")), target, query = {.ptr = ""};
    const char *slash = strchr(path.ptr, '/');

    path = str_of(slash ? slash : "");
    if (str_contains(path, "?")) {
        query = path;
        str_cut(&query, '?', &target);
        path = target;
    }
    return (struct sigv4_request){
        .method = exchange->operation->method ? exchange->operation->method : "POST",
        .path = path,
        .query = query,
        .headers = wire->headers,
        .header_count = wire->count,
        .body = exchange->request->input->body,
    };
}

static void dress(const struct exchange *exchange, struct wire *wire)
{
    const struct aws_service_info *service = aws_service_info(exchange->operation->service);
    struct sigv4_request request;

    wire_add(wire, "host", exchange->endpoint.host);
    if (exchange->request->input->body.len)
        wire_add(wire, "content-type", service->content_type);
    if (service->target_prefix) {
        wire->target = xasprintf("%s%s", service->target_prefix, exchange->operation->name);
        wire_add(wire, "x-amz-target", wire->target);
    }
    if (exchange->operation->header)
        wire_add(wire, exchange->operation->header, exchange->operation->header_value);
    if (exchange->operation->is_unsigned)
        return;
    request = signable(exchange, wire);
    sigv4_sign(&request, exchange->credentials,
               &(struct sigv4_scope){
                   .region = exchange->endpoint.region,
                   .service = service->signing_name,
                   .wall_ms = sched_wall_ms(exchange->env.sched) + exchange->skew_ms,
               },
               &wire->signature);
    wire_add(wire, "x-amz-date", wire->signature.date);
    if (exchange->credentials->session_token)
        wire_add(wire, "x-amz-security-token", secret_reveal(exchange->credentials->session_token).ptr);
    wire_add(wire, "authorization", buf_text(&wire->signature.authorization));
}

static struct err *send_once(const struct exchange *exchange, struct http_reply *ret)
{
    struct wire wire __attribute__((cleanup(wire_done))) = {0};
    const char *ca_bundle = exchange->session->config->ca_bundle;
    const struct http_tls tls = {.key = "aws", .ca_file = ca_bundle};

    dress(exchange, &wire);
    return http_call(exchange->env.transport,
                     &(struct http_request){
                         .method = exchange->operation->method ? exchange->operation->method : "POST",
                         .url = exchange->url,
                         .headers = wire.headers,
                         .header_count = wire.count,
                         .body = exchange->request->input->body,
                         .timeout_ms = CALL_TIMEOUT_MS,
                         .tls = ca_bundle ? &tls : NULL,
                         .sensitive = exchange->operation->is_sensitive,
                     },
                     exchange->env.stop, ret);
}

/* --- what came of it --- */

struct outcome {
    struct err *err; /* NULL: it worked */
    enum aws_reaction reaction;
    int64_t server_ms;
};

/* Validation errors quote the value that they do not like. */
static bool repeats_secret(const struct exchange *exchange, const char *message)
{
    const struct secret *secret = exchange->request->input->secret;

    if (!secret || !message)
        return false;
    return strstr(message, secret_reveal(secret).ptr) || strstr(message, "Value '");
}

static struct outcome read_refusal(const struct exchange *exchange, const struct http_reply *http)
{
    struct protocol_error error __attribute__((cleanup(protocol_error_done))) = {0};
    const char *date = http_reply_header(http, "date");
    struct outcome outcome = {0};

    protocol_read_error(exchange->request->op, http, &error);
    if (!date || !time_parse_http(str_of(date), &outcome.server_ms))
        outcome.server_ms = 0;
    outcome.reaction = aws_verdict_of(exchange->operation->service, error.code, http->status).reaction;
    if (aws_refusal_is_explicit(error.code, error.message))
        outcome.reaction = AWS_REVOKED;
    outcome.err = aws_refusal_err(&(struct aws_refusal){
        .op = exchange->request->op,
        .code = error.code,
        .message = repeats_secret(exchange, error.message) ? "the message is withheld, it quotes a secret"
                                                           : error.message,
        .request_id = error.request_id,
        .account_id = exchange->session->account_id,
        .http_status = http->status,
        .retry_after_ms = error.retry_after_ms,
    });
    return outcome;
}

/* No answer, or one that nobody can read: service and operation are said, and what had come. */
static struct err *no_answer(const struct exchange *exchange, struct err *err)
{
    const char *service = aws_service_info(exchange->operation->service)->name;
    struct err_remote remote = *err_remote(err);
    AUTO_FREE char *code = xstrdup_or_null(remote.code);
    AUTO_FREE char *message = xstrdup_or_null(remote.message);

    remote.service = service;
    remote.operation = exchange->operation->name;
    remote.code = code;
    remote.message = message;
    remote.request_id = NULL;
    err = err_set_remote(err, &remote);
    if (!exchange->session->account_id)
        return err_wrap(err, "%s %s", service, exchange->operation->name);
    return err_wrap(err, "%s %s (account %s)", service, exchange->operation->name,
                    exchange->session->account_id);
}

static void log_call(const struct exchange *exchange, const struct http_reply *http, int64_t took_ms,
                     const struct err *err)
{
    const char *id = http_reply_header(http, "x-amzn-requestid");

    LOG_DEBUG(exchange->env.log, "aws call",
              KV("service", aws_service_info(exchange->operation->service)->name),
              KV("operation", exchange->operation->name), KV("account", exchange->session->account_id),
              KV_INT("status", http->status), KV_INT("took_ms", took_ms), KV("request", id),
              KV("error", err ? err_remote(err)->code : NULL));
}

static void tell(const struct exchange *exchange, const struct outcome *outcome, int64_t took_ms)
{
    const char *code = outcome->err ? err_remote(outcome->err)->code : "OK";

    if (outcome->err && !err_remote(outcome->err)->http_status)
        code = "NoAnswer";
    aws_traffic_tell_call(
        exchange->session->config->traffic,
        &(struct aws_call_seen){.service = aws_service_info(exchange->operation->service)->name,
                                .operation = exchange->operation->name,
                                .account_id = exchange->session->account_id,
                                .code = code ? code : "Unknown",
                                .was_throttled = outcome->reaction == AWS_THROTTLED,
                                .is_retry = exchange->sends > 1,
                                .took_ms = took_ms,
                                .skew_ms = exchange->skew_ms});
}

static struct outcome attempt(const struct exchange *exchange, struct aws_reply *ret)
{
    AUTO_REPLY struct http_reply http = {0};
    int64_t started_ms = sched_now_ms(exchange->env.sched);
    struct outcome outcome = {.err = send_once(exchange, &http)};
    int64_t took_ms;

    if (!outcome.err)
        outcome.err = protocol_check_sum(exchange->request->op, &http);
    if (outcome.err) {
        outcome.reaction = err_kind(outcome.err) == ERR_RETRY ? AWS_TRANSIENT : AWS_GIVE_UP;
        outcome.err = no_answer(exchange, outcome.err);
    } else if (http.status < 200 || http.status >= 300) {
        outcome = read_refusal(exchange, &http);
    } else {
        outcome.err = protocol_read_reply(exchange->request->op, &http, ret);
        outcome.reaction = AWS_TRANSIENT;
        if (outcome.err)
            outcome.err = no_answer(exchange, outcome.err);
    }
    took_ms = sched_now_ms(exchange->env.sched) - started_ms;
    log_call(exchange, &http, took_ms, outcome.err);
    tell(exchange, &outcome, took_ms);
    return outcome;
}

/* --- once more? --- */

static bool take_quota(struct exchange *exchange, bool had_answer)
{
    int cost = had_answer ? QUOTA_RETRY : QUOTA_RETRY_TIMEOUT;
    int *spent = &exchange->lane->retry_spent[exchange->operation->service];

    if (__atomic_add_fetch(spent, cost, __ATOMIC_RELAXED) > QUOTA_FULL) {
        __atomic_sub_fetch(spent, cost, __ATOMIC_RELAXED);
        return false;
    }
    exchange->last_cost = cost;
    return true;
}

static void give_back_quota(struct exchange *exchange)
{
    int *spent = &exchange->lane->retry_spent[exchange->operation->service];
    int amount = exchange->last_cost ? exchange->last_cost : QUOTA_SUCCESS;

    if (__atomic_load_n(spent, __ATOMIC_RELAXED) >= amount)
        __atomic_sub_fetch(spent, amount, __ATOMIC_RELAXED);
}

static struct err *wait_ms_of(struct exchange *exchange, int64_t wait_ms)
{
    const struct env *env = &exchange->env;

    *env->waited_ms += wait_ms;
    if (wait_ms && !sched_wait_until(env->sched, env->stop, sched_now_ms(env->sched) + wait_ms))
        return err_new(ERR_CANCELED, "%s: stopped", exchange->operation->name);
    return NULL;
}

/* Waits for the service's turn. What would take longer than a call may wait goes back to the queue. */
static struct err *pace(struct exchange *exchange)
{
    const struct aws_service_info *service = aws_service_info(exchange->operation->service);
    int64_t wait_ms;

    if (limiter_take(&exchange->lane->limiter, exchange->operation->service,
                     sched_now_ms(exchange->env.sched), aws_wait_left_ms(&exchange->env), &wait_ms))
        return wait_ms_of(exchange, wait_ms);
    return err_set_remote(
        err_new(ERR_RETRY, "%s %s: held back for %lld ms, as the service has throttled account %s",
                service->name, exchange->operation->name, (long long)wait_ms,
                exchange->session->account_id ? exchange->session->account_id : "(unknown)"),
        &(struct err_remote){.service = service->name,
                             .operation = exchange->operation->name,
                             .code = "HeldBack",
                             .retry_after_ms = wait_ms});
}

/* How long to wait before the next attempt; negative when there is to be none. */
static int64_t next_wait_ms(struct exchange *exchange, const struct outcome *outcome)
{
    int64_t left_ms = aws_wait_left_ms(&exchange->env), hint_ms = err_remote(outcome->err)->retry_after_ms;
    int64_t bound_ms, wait_ms, most = exchange->session->config->max_attempts;

    if (outcome->reaction == AWS_TRANSIENT && !exchange->operation->is_repeatable)
        return -1;
    if (++exchange->attempts >= (most ? most : ATTEMPTS_MAX) || left_ms <= 0)
        return -1;
    /* Twice as long each time, until it is more than may be waited anyway. */
    bound_ms = exchange->attempts < 3 ? BACKOFF_BASE_MS * exchange->attempts : AWS_WAIT_MAX_MS;
    wait_ms = (int64_t)random_below(exchange->env.random, (uint64_t)bound_ms + 1);
    if (wait_ms > left_ms)
        wait_ms = left_ms;
    if (hint_ms > wait_ms)
        wait_ms = hint_ms;
    if (wait_ms > left_ms)
        return -1;
    if (!take_quota(exchange, err_remote(outcome->err)->http_status != 0))
        return -1;
    return wait_ms;
}

/* True when the clock that this was signed with was off and the next signature will be made with theirs.
 * Others may have found out meanwhile. */
static bool correct_clock(struct exchange *exchange, const struct outcome *outcome)
{
    int64_t skew_ms = outcome->server_ms - sched_wall_ms(exchange->env.sched);
    int64_t delta_ms = skew_ms - exchange->skew_ms;

    if (exchange->has_corrected_clock || !outcome->server_ms)
        return false;
    if (delta_ms > -SKEW_MIN_MS && delta_ms < SKEW_MIN_MS)
        return false;
    __atomic_store_n(&exchange->lane->skew_ms, skew_ms, __ATOMIC_RELAXED);
    exchange->has_corrected_clock = true;
    return true;
}

static struct credentials_cache *cache_of(const struct exchange *exchange)
{
    return exchange->request->cache ? exchange->request->cache : exchange->session->cache;
}

static bool renew(struct exchange *exchange, enum aws_reaction reaction)
{
    if (exchange->has_renewed || exchange->request->as || !exchange->credentials)
        return false;
    if (reaction == AWS_RENEW)
        credentials_invalidate(cache_of(exchange), exchange->credentials);
    else if (!credentials_doubt(cache_of(exchange), &exchange->env, exchange->credentials))
        return false;
    credentials_unref(exchange->credentials);
    exchange->credentials = NULL;
    exchange->has_renewed = true;
    return true;
}

/* NULL: go on. An error ends the call; outcome's is used up either way. */
static struct err *react(struct exchange *exchange, const struct outcome *outcome)
{
    int64_t wait_ms;

    switch (outcome->reaction) {
    case AWS_RENEW:
    case AWS_REVOKED:
        if (!renew(exchange, outcome->reaction))
            return outcome->err;
        break;
    case AWS_CLOCK_SKEW:
        if (!correct_clock(exchange, outcome))
            return outcome->err;
        break;
    case AWS_THROTTLED:
        limiter_slow_down(&exchange->lane->limiter, exchange->operation->service,
                          sched_now_ms(exchange->env.sched));
        __attribute__((fallthrough));
    case AWS_TRANSIENT:
        wait_ms = next_wait_ms(exchange, outcome);
        if (wait_ms < 0)
            return outcome->err;
        err_ignore(outcome->err, "tried again");
        return wait_ms_of(exchange, wait_ms);
    case AWS_GIVE_UP:
        return outcome->err;
    }
    err_ignore(outcome->err, "tried again");
    return NULL;
}

static struct err *have_credentials(struct exchange *exchange)
{
    if (exchange->operation->is_unsigned || exchange->credentials)
        return NULL;
    if (exchange->request->as) {
        exchange->credentials = credentials_ref(exchange->request->as);
        return NULL;
    }
    return err_wrap(credentials_get(cache_of(exchange), &exchange->env, &exchange->credentials),
                    "credentials of %s%s",
                    exchange->session->account_id ? "account " : "the controller's own identity",
                    exchange->session->account_id ? exchange->session->account_id : "");
}

struct err *aws_session_call(struct aws_session *session, const struct env *env,
                             const struct aws_request *request, struct aws_reply *ret)
{
    struct exchange exchange __attribute__((cleanup(exchange_done))) = {
        .session = session,
        .lane = aws_session_lane(session),
        .env = *env,
        .request = request,
        .operation = aws_operation(request->op),
    };

    if (!env->waited_ms)
        exchange.env.waited_ms = &exchange.own_waited_ms;
    TRY(exchange_begin(&exchange));
    for (;;) {
        struct outcome outcome;

        if (stop_requested(env->stop))
            return err_new(ERR_CANCELED, "%s: stopped", exchange.operation->name);
        TRY(have_credentials(&exchange));
        TRY(pace(&exchange));
        exchange.skew_ms = __atomic_load_n(&exchange.lane->skew_ms, __ATOMIC_RELAXED);
        exchange.sends++;
        outcome = attempt(&exchange, ret);
        if (!outcome.err) {
            give_back_quota(&exchange);
            return NULL;
        }
        TRY(react(&exchange, &outcome));
    }
}
