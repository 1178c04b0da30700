/* One request through the framework: route, faults, signature, permission, input, handler, answer, journal.
 */
#include "hack/awssim/core.h"

struct exchange { /* what is known of a request before there is a call */
    struct sim *sim;
    const struct sim_request *request;
    int64_t wall_ms;
    struct signature claim;
    bool is_signed;
    struct principal who;
    struct account *account;
    struct route route;
    const struct fault *fault;
    char *request_id;
};

static void call_done(struct call *call)
{
    struct call_private *priv = call->priv;

    json_free(call->out);
    json_free(priv->error_members);
    xfree(priv->resource);
    xfree(priv->token);
    xfree(priv->error_code);
    xfree(priv->error_message);
    xfree(priv->pending.digest);
    xfree(priv->payload);
    xfree(priv->payload_type);
    for (size_t i = 0; i < priv->headers.count; i++) {
        AUTO_FREE char *name = (char *)(uintptr_t)priv->headers.items[i].name;
        AUTO_FREE char *value = (char *)(uintptr_t)priv->headers.items[i].value;
    }
    xfree(priv->headers.items);
}

static bool refuse_common(struct call *call, const char *query_code, const char *message)
{
    struct common_error error = sim_protocol_error(call->service, query_code);

    return call_refuse(call, error.status, error.code, "%s", message);
}

/* ---- who calls ---- */

/* AssumeRoleWithWebIdentity comes without a signature; everything else has one. */
static bool is_anonymous_call(const struct operation *operation)
{
    return operation && text_equal(operation->name, "AssumeRoleWithWebIdentity");
}

static bool authenticate(struct exchange *exchange, struct call *call)
{
    const char *code = NULL;
    AUTO_FREE char *message = NULL;

    if (!exchange->is_signed && is_anonymous_call(call->operation))
        return true;
    if (!exchange->is_signed)
        return refuse_common(call, "MissingAuthenticationToken", "Request is missing Authentication Token");
    if (!exchange->account)
        return refuse_common(call, "InvalidClientTokenId",
                             "The security token included in the request is invalid.");
    if (!sim_signature_check(exchange->request, &exchange->claim, &exchange->who, exchange->wall_ms, &code,
                             &message))
        return refuse_common(call, code, message);
    return true;
}

static bool authorize(struct call *call)
{
    const struct operation *operation = call->operation;
    AUTO_FREE char *usual = xasprintf("%s:%s", call->service->name, operation->name);
    const char *action = operation->action ? operation->action : usual;

    if (!*action || sim_principal_may(call->priv->who, action))
        return true;
    AUTO_FREE char *message =
        xasprintf("User: %s is not authorized to perform: %s because no identity-based policy "
                  "allows the %s action",
                  call->principal, action, action);
    return refuse_common(call, "AccessDenied", message);
}

/* ---- faults ---- */

static bool strike(struct call *call, const struct fault *fault)
{
    bool is_refusal = text_equal(fault->action, "refuse");
    const char *message =
        fault->message || !is_refusal ? fault->message : "Refused by a fault of the simulator";

    if (is_refusal && fault->code)
        return call_refuse(call, fault->status ? (int)fault->status : 400, fault->code, "%s", message);
    if (is_refusal)
        return refuse_common(call, "AccessDenied", message);
    if (text_equal(fault->action, "throttle"))
        return refuse_common(call, "Throttling", message ? message : "Rate exceeded");
    return call_refuse(call, fault->status ? (int)fault->status : 500,
                       fault->code ? fault->code : "InternalFailure", "%s",
                       message ? message : "An internal error, by a fault of the simulator");
}

static bool fault_is(const struct fault *fault, const char *action)
{
    return fault && text_equal(fault->action, action);
}

static bool ends_call(const struct fault *fault)
{
    return fault_is(fault, "refuse") || fault_is(fault, "throttle") ||
           (fault_is(fault, "error") && !fault->after);
}

/* ---- the call ---- */

static bool perform(struct exchange *exchange, struct call *call)
{
    const struct fault *fault = exchange->fault;

    if (!authenticate(exchange, call))
        return false;
    if (ends_call(fault))
        return strike(call, fault);
    if (!sim_limits_request(call))
        return refuse_common(call, "Throttling", "Rate exceeded");
    if (!authorize(call) || !sim_input_check(call) || !call->operation->handle(call))
        return false;
    sim_token_keep(call);
    return true;
}

/* A carrier's clock does not know what POST clock has added. */
static int64_t carrier_ms(const struct sim *sim, int64_t world_ms)
{
    return world_ms == NEVER_MS ? NEVER_MS : world_ms - sim->skipped_ms;
}

/* Whether the call goes on waiting instead of answering. A fault ends the wait: it is about an answer. */
static bool waits(const struct exchange *exchange, const struct call *call, struct sim_reply *ret)
{
    const struct call_private *priv = call->priv;
    int64_t next_ms = sim_next_change(exchange->sim);

    if (!priv->wait_ms || priv->error_code || exchange->fault || exchange->request->attempt == SIM_LAST)
        return false;
    ret->wait_ms = priv->wait_ms;
    ret->look_ms = carrier_ms(exchange->sim, priv->look_ms < next_ms ? priv->look_ms : next_ms);
    return true;
}

static void run_call(struct exchange *exchange, struct sim_reply *ret)
{
    struct call_private priv = {.who = &exchange->who, .fault = exchange->fault};
    struct call call = {.sim = exchange->sim,
                        .account = exchange->account,
                        .service = exchange->route.service,
                        .operation = exchange->route.operation,
                        .now_ms = sim_now(exchange->sim),
                        .wall_ms = exchange->wall_ms,
                        .principal = exchange->who.arn ? exchange->who.arn : "anonymous",
                        .input = exchange->route.input,
                        .out = json_new_object(),
                        .request = exchange->request,
                        .request_id = exchange->request_id,
                        .priv = &priv};

    if (!perform(exchange, &call)) {
        priv.effect = EFFECT_REFUSED;
    } else if (fault_is(exchange->fault, "error")) {
        strike(&call, exchange->fault); /* after the deed: the effect stays what it was */
    }
    if (waits(exchange, &call, ret)) {
        call_done(&call);
        return;
    }
    sim_protocol_reply(&call, ret);
    if (call.operation->mutating)
        sim_journal_add(exchange->sim, &call, ret->status);
    call_done(&call);
}

/* A request that names no operation of ours: an error in the shape of its service, if that much is known. */
static void refuse_route(struct exchange *exchange, const char *code, const char *message,
                         struct sim_reply *ret)
{
    static const struct operation nothing = {.name = "Unknown"};
    static const struct service unknown = {
        .name = "unknown", .protocol = PROTOCOL_JSON, .json_version = "1.1"};
    struct call_private priv = {0};
    struct call call = {.sim = exchange->sim,
                        .service = exchange->route.service ? exchange->route.service : &unknown,
                        .operation = &nothing,
                        .out = json_new_object(),
                        .request_id = exchange->request_id,
                        .priv = &priv};

    refuse_common(&call, code, message);
    sim_protocol_reply(&call, ret);
    call_done(&call);
}

static void identify(struct exchange *exchange)
{
    exchange->is_signed = sim_signature_parse(exchange->request, &exchange->claim);
    if (!exchange->is_signed)
        return;
    AUTO_FREE char *key_id = str_dup(exchange->claim.access_key_id);
    AUTO_FREE char *region = str_dup(exchange->claim.region);
    if (!sim_principal_find(exchange->sim, key_id, &exchange->who))
        return;
    exchange->account = sim_account(exchange->sim, exchange->who.account_id, region);
    /* Global services (iam) are signed for us-east-1 wherever the account's things are. */
    if (!exchange->account && str_is(exchange->claim.service, "iam"))
        exchange->account = sim_account(exchange->sim, exchange->who.account_id, NULL);
}

/* Which service an unsigned request means; the signature's scope says it otherwise. */
static const char *guess_service(const struct sim_request *request)
{
    const char *target = sim_request_header(request, "x-amz-target");

    for (size_t i = 0; i < service_count; i++)
        if (services[i]->target_prefix && str_starts(str_of(target), services[i]->target_prefix))
            return services[i]->name;
    return text_equal(request->target, "/") ? "sts" : "backup";
}

static void handle_aws(struct exchange *exchange, struct sim_reply *ret)
{
    const char *code = NULL;
    AUTO_FREE char *message = NULL;
    AUTO_FREE char *service =
        exchange->is_signed ? str_dup(exchange->claim.service) : xstrdup(guess_service(exchange->request));

    if (!sim_route_find(exchange->request, service, &exchange->route, &code, &message)) {
        refuse_route(exchange, exchange->is_signed ? code : "MissingAuthenticationToken", message, ret);
        return;
    }
    const char *account = exchange->account ? exchange->account->id : "";
    const char *operation = exchange->route.operation->name;
    if (exchange->request->attempt != SIM_FIRST) {
        run_call(exchange, ret);
        return;
    }
    struct fault *fault = sim_faults_match(exchange->sim, account, service, operation);
    exchange->fault = fault;
    if (fault_is(fault, "drop-request")) {
        ret->drop = SIM_DROP_REQUEST;
        return;
    }
    sim_calls_add(exchange->sim, account, service, operation);
    run_call(exchange, ret);
    if (fault_is(fault, "twice")) {
        sim_calls_add(exchange->sim, account, service, operation);
        sim_reply_done(ret);
        run_call(exchange, ret);
    }
    if (fault_is(fault, "drop-reply"))
        ret->drop = SIM_DROP_REPLY;
    if (fault)
        ret->delay_ms = fault->delay_ms;
}

static void wake_watches(struct sim *sim)
{
    int64_t next_ms = sim->watches ? carrier_ms(sim, sim_next_change(sim)) : NEVER_MS;

    for (const struct sim_watch *watch = sim->watches; watch; watch = watch->next)
        if (sim->news || next_ms < watch->look_ms)
            watch->wake(watch->arg);
    sim->news = false;
}

static void handle(struct sim *sim, const struct sim_request *request, int64_t wall_ms, struct sim_reply *ret)
{
    struct exchange exchange = {.sim = sim, .request = request, .wall_ms = wall_ms};

    if (str_starts(str_of(request->target), "/_sim/")) {
        sim_control_handle(sim, request, ret);
        return;
    }
    exchange.request_id = sim_new_uuid(sim);
    identify(&exchange);
    handle_aws(&exchange, ret);
    sim_route_done(&exchange.route);
    xfree(exchange.request_id);
}

void awssim_handle(struct sim *sim, const struct sim_request *request, int64_t wall_ms, int64_t world_ms,
                   struct sim_reply *ret)
{
    *ret = (struct sim_reply){0};
    sim_advance(sim, world_ms + sim->skipped_ms);
    handle(sim, request, wall_ms, ret);
    wake_watches(sim);
}
