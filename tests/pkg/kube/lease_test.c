#include "pkg/kube/lease.h"

#include "tests/pkg/kube/kube_testing.h"

/* --- a server that knows one Lease --- */

struct server {
    struct sched *sched;
    struct json *object; /* NULL: not there */
    int64_t version;
    int writes;
    uint64_t random;      /* of faults; 0: none */
    bool hangs;           /* the call never comes back, not even at its time-out */
    bool is_down;         /* no answer comes: the call takes its whole time-out */
    bool is_busy;         /* 429, come again in 5 s */
    int refusals;         /* of these */
    int64_t slow_ms;      /* it thinks that long before it does anything */
    bool is_pressed;      /* 429 to every second call, come again in 1 s */
    bool drops_one_reply; /* the next write happens, its answer is lost */
};

struct connection {
    struct transport base;
    struct server *server;
};

static void answer(struct http_reply *reply, int status, const struct json *body)
{
    reply->status = status;
    reply->body = BUF_MAX(MIB);
    json_print(body, &reply->body);
}

static void refuse(struct http_reply *reply, int status, const char *reason)
{
    AUTO_JSON struct json *body = json_new_object();

    json_set_text(body, "kind", "Status");
    json_set_text(body, "reason", reason);
    json_set_int(body, "code", status);
    answer(reply, status, body);
}

static void store(struct server *server, struct json *object)
{
    AUTO_FREE char *version = xasprintf("%lld", (long long)++server->version);

    if (object != server->object)
        json_free(server->object);
    server->object = object;
    json_set_text(json_edit(object, "metadata"), "resourceVersion", version);
}

static void serve(struct server *server, const struct http_request *request, struct http_reply *reply)
{
    struct json *sent = NULL;

    if (server->is_busy) {
        server->refusals++;
        refuse(reply, 429, "TooManyRequests");
        http_reply_add_header(reply, STR("Retry-After"), STR("5"));
        return;
    }
    if (server->is_pressed && server->refusals++ % 2 == 0) {
        refuse(reply, 429, "TooManyRequests");
        http_reply_add_header(reply, STR("Retry-After"), STR("1"));
        return;
    }
    if (text_equal(request->method, "GET")) {
        if (server->object)
            answer(reply, 200, server->object);
        else
            refuse(reply, 404, "NotFound");
        return;
    }
    assert_no_err(json_parse(request->body, NULL, &sent));
    if (text_equal(request->method, "POST") && server->object) {
        refuse(reply, 409, "AlreadyExists");
    } else if (text_equal(request->method, "PUT") &&
               !text_equal(json_get_text(sent, "metadata.resourceVersion", ""),
                           json_get_text(server->object, "metadata.resourceVersion", "gone"))) {
        refuse(reply, 409, "Conflict");
    } else {
        server->writes++;
        store(server, TAKE(sent));
        answer(reply, 200, server->object);
    }
    json_free(sent);
}

static uint64_t draw(struct server *server, uint64_t limit)
{
    server->random = server->random * 6364136223846793005u + 1442695040888963407u;
    return (server->random >> 33) % limit;
}

/* False: the way to the server or back is broken this time. */
static bool travel(struct server *server, const struct http_request *request, struct stop *stop)
{
    int64_t took_ms = 1;
    bool arrives = !server->is_down;

    if (server->random) {
        uint64_t luck = draw(server, 25);

        took_ms = (int64_t)draw(server, 400);
        arrives = arrives && luck != 0;
        if (luck == 1)
            took_ms = SECONDS(8);
    }
    if (!arrives || took_ms >= request->timeout_ms) {
        (void)sched_wait_until(server->sched, stop, sched_now_ms(server->sched) + request->timeout_ms);
        return false;
    }
    return sched_wait_until(server->sched, stop, sched_now_ms(server->sched) + took_ms);
}

static struct err *call(struct transport *self, const struct http_request *request, struct stop *stop,
                        struct http_reply *ret)
{
    struct server *server = ((struct connection *)self)->server;
    struct http_reply reply = {0};
    bool is_write = !text_equal(request->method, "GET"), is_slow = server->slow_ms >= request->timeout_ms;

    if (server->hangs) {
        (void)sched_wait_until(server->sched, stop, NEVER_MS);
        return err_new(ERR_CANCELED, "stopped");
    }
    (void)sched_wait_until(server->sched, stop,
                           sched_now_ms(server->sched) + (is_slow ? request->timeout_ms : server->slow_ms));
    if (is_slow || !travel(server, request, stop))
        return err_new(stop_requested(stop) ? ERR_CANCELED : ERR_RETRY, "no answer");
    serve(server, request, &reply);
    if (!travel(server, request, stop) || (is_write && server->drops_one_reply)) {
        server->drops_one_reply = false;
        http_reply_done(&reply);
        return err_new(stop_requested(stop) ? ERR_CANCELED : ERR_RETRY, "the answer got lost");
    }
    *ret = reply;
    return NULL;
}

static void free_connection(struct transport *self)
{
    xfree(self);
}

static struct transport *connect_to(struct server *server)
{
    static const struct transport_ops ops = {.call = call, .free = free_connection};
    struct connection *connection = xcalloc(1, sizeof(*connection));

    connection->base.ops = &ops;
    connection->server = server;
    return &connection->base;
}

/* --- contenders --- */

struct contender {
    struct env env;
    struct kube_lease *lease;
    int acquired, lost;
    int64_t acquired_ms, lost_ms;
};

static void on_acquired(void *arg)
{
    struct contender *contender = arg;

    contender->acquired++;
    contender->acquired_ms = sched_now_ms(contender->env.sched);
}

static void on_lost(void *arg)
{
    struct contender *contender = arg;

    contender->lost++;
    contender->lost_ms = sched_now_ms(contender->env.sched);
}

static void enter(struct contender *contender, struct kube_test *t, struct server *server,
                  const char *identity)
{
    const struct kube_lease_opts opts = {.namespace = "n",
                                         .name = "x",
                                         .identity = identity,
                                         .acquired = on_acquired,
                                         .lost = on_lost,
                                         .arg = contender};

    *contender = (struct contender){.env = t->base.env};
    contender->env.transport = connect_to(server);
    assert_no_err(kube_lease_start(t->client, &contender->env, &opts, &contender->lease));
}

static void leave(struct contender *contender, bool releases)
{
    if (releases)
        kube_lease_finish(contender->lease);
    else
        kube_lease_abandon(contender->lease);
    transport_free(contender->env.transport);
    contender->lease = NULL;
}

static void pass_time(struct kube_test *t, int64_t for_ms)
{
    assert_true(sched_wait_until(t->base.env.sched, NULL, sched_now_ms(t->base.env.sched) + for_ms));
}

struct stage {
    struct kube_test t;
    struct server server;
};

static void open_stage(struct stage *stage, uint64_t seed)
{
    *stage = (struct stage){0};
    kube_test_init(&stage->t, seed, NULL, 0, NULL);
    stage->server.sched = stage->t.base.env.sched;
}

static void close_stage(struct stage *stage)
{
    json_free(stage->server.object);
    kube_test_done(&stage->t);
}

static void put_record(struct server *server, const char *spec)
{
    AUTO_FREE char *text = xasprintf("{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\","
                                     "\"metadata\":{\"name\":\"x\",\"namespace\":\"n\"},\"spec\":%s}",
                                     spec);
    struct json *object = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &object));
    store(server, object);
}

/* --- one contender --- */

static void creates_and_renews(void **state)
{
    struct stage s;
    struct contender a;
    AUTO_FREE char *holder = NULL;

    (void)state;
    open_stage(&s, 1);
    enter(&a, &s.t, &s.server, "a");
    pass_time(&s.t, 10);
    assert_json_equal(
        json_member(s.server.object, "spec"),
        "{\"holderIdentity\":\"a\",\"leaseDurationSeconds\":15,\"renewTime\":\"2026-11-22T16:00:00.002000Z\","
        "\"acquireTime\":\"2026-11-22T16:00:00.002000Z\",\"leaseTransitions\":0}");
    pass_time(&s.t, SECONDS(60));
    assert_number(a.acquired, 1);
    assert_number(a.lost, 0);
    assert_in_range(s.server.writes, 29, 32);
    assert_true(kube_lease_age_ms(a.lease) <= 2010);
    holder = kube_lease_holder(a.lease);
    assert_text_equal(holder, "a");
    assert_text_equal(json_get_text(s.server.object, "spec.acquireTime", ""), "2026-11-22T16:00:00.002000Z");
    leave(&a, true);
    close_stage(&s);
}

/* What the record says of time on other people's clocks must not matter. */
static const struct skew_row {
    const char *name, *spec;
    int64_t want_ms; /* when it may be taken at the earliest: counted from the first look */
} skew_rows[] = {
    {.name = "their clock is an hour ahead",
     .spec = "{\"holderIdentity\":\"b\",\"leaseDurationSeconds\":15,\"renewTime\":\"2026-11-22T17:00:00."
             "000000Z\",\"leaseTransitions\":4}",
     .want_ms = 15000},
    {.name = "their clock is an hour behind",
     .spec = "{\"holderIdentity\":\"b\",\"leaseDurationSeconds\":15,\"renewTime\":\"2026-11-22T15:00:00."
             "000000Z\",\"leaseTransitions\":4}",
     .want_ms = 15000},
    {.name = "their duration counts, not ours",
     .spec = "{\"holderIdentity\":\"b\",\"leaseDurationSeconds\":40,\"leaseTransitions\":4}",
     .want_ms = 40000},
    {.name = "no duration in the record",
     .spec = "{\"holderIdentity\":\"b\",\"leaseTransitions\":4}",
     .want_ms = 15000},
    {.name = "released",
     .spec =
         "{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1,\"leaseTransitions\":4,\"strategy\":\"kept\"}",
     .want_ms = 0},
    {.name = "empty record", .spec = "{\"leaseTransitions\":4}", .want_ms = 0},
};

static void trusts_no_clock_but_its_own(void **state)
{
    const struct skew_row *row = *state;
    struct stage s;
    struct contender a;

    open_stage(&s, 3);
    put_record(&s.server, row->spec);
    enter(&a, &s.t, &s.server, "a");
    pass_time(&s.t, SECONDS(60));
    assert_number(a.acquired, 1);
    assert_in_range(a.acquired_ms, row->want_ms, row->want_ms + 4410);
    assert_number(json_get_int(s.server.object, "spec.leaseTransitions", 0), 5);
    assert_number(json_get_int(s.server.object, "spec.leaseDurationSeconds", 0), 15);
    if (strstr(row->spec, "kept"))
        assert_text_equal(json_get_text(s.server.object, "spec.strategy", ""), "kept");
    leave(&a, true);
    close_stage(&s);
}

static void a_renewed_lease_is_never_taken(void **state)
{
    struct stage s;
    struct contender a;
    AUTO_FREE char *holder = NULL;

    (void)state;
    open_stage(&s, 3);
    enter(&a, &s.t, &s.server, "a");
    for (int i = 0; i < 20; i++) {
        AUTO_FREE char *spec =
            xasprintf("{\"holderIdentity\":\"b\",\"leaseDurationSeconds\":15,\"leaseTransitions\":0,"
                      "\"renewTime\":\"2026-11-22T15:00:%02d.000000Z\"}",
                      i);

        put_record(&s.server, spec);
        pass_time(&s.t, SECONDS(13));
    }
    assert_number(a.acquired, 0);
    assert_true(kube_lease_age_ms(a.lease) == NEVER_MS);
    holder = kube_lease_holder(a.lease);
    assert_text_equal(holder, "b");
    leave(&a, true);
    assert_text_equal(json_get_text(s.server.object, "spec.holderIdentity", ""), "b");
    close_stage(&s);
}

static void lost_when_nothing_can_be_renewed(void **state)
{
    struct stage s;
    struct contender a;
    int64_t down_ms;
    AUTO_FREE char *trouble = NULL;

    (void)state;
    open_stage(&s, 4);
    enter(&a, &s.t, &s.server, "a");
    pass_time(&s.t, SECONDS(21));
    down_ms = sched_now_ms(s.t.base.env.sched);
    s.server.is_down = true;
    pass_time(&s.t, SECONDS(60));
    assert_number(a.lost, 1);
    assert_in_range(a.lost_ms - down_ms, SECONDS(8), SECONDS(13));
    assert_true(kube_lease_age_ms(a.lease) == NEVER_MS);
    trouble = kube_lease_trouble(a.lease);
    assert_text_contains(trouble, "no answer");
    leave(&a, true);
    close_stage(&s);
}

static void a_short_outage_is_survived(void **state)
{
    struct stage s;
    struct contender a;

    (void)state;
    open_stage(&s, 4);
    enter(&a, &s.t, &s.server, "a");
    pass_time(&s.t, SECONDS(21));
    s.server.is_down = true;
    pass_time(&s.t, SECONDS(6));
    s.server.is_down = false;
    pass_time(&s.t, SECONDS(60));
    assert_number(a.lost, 0);
    assert_true(kube_lease_is_held(a.lease));
    leave(&a, true);
    close_stage(&s);
}

/* It is asked as seldom as it wants, and the lease is kept all the same. */
static void a_busy_server_is_left_alone(void **state)
{
    struct stage s;
    struct contender a;

    (void)state;
    open_stage(&s, 4);
    enter(&a, &s.t, &s.server, "a");
    pass_time(&s.t, SECONDS(21));
    s.server.is_busy = true;
    pass_time(&s.t, SECONDS(6));
    s.server.is_busy = false;
    pass_time(&s.t, SECONDS(60));
    assert_number(s.server.refusals, 1);
    assert_number(a.lost, 0);
    assert_true(kube_lease_is_held(a.lease));
    leave(&a, true);
    close_stage(&s);
}

static void a_lost_answer_is_no_lost_lease(void **state)
{
    struct stage s;
    struct contender a;

    (void)state;
    open_stage(&s, 4);
    enter(&a, &s.t, &s.server, "a");
    for (int i = 0; i < 10; i++) {
        s.server.drops_one_reply = true;
        pass_time(&s.t, SECONDS(7));
    }
    assert_number(a.acquired, 1);
    assert_number(a.lost, 0);
    assert_number(json_get_int(s.server.object, "spec.leaseTransitions", -1), 0);
    leave(&a, true);
    close_stage(&s);
}

/* What the leader finds in place of the record that it wrote itself. Whoever was there in between has acted,
 * or may have: even when nobody holds the lease now, what the leader knows of the world is old. */
static const struct found_row {
    const char *name, *spec; /* NULL: the Lease is not there */
    bool stays;
} found_rows[] = {
    {.name = "another holder", .spec = "{\"holderIdentity\":\"b\",\"leaseDurationSeconds\":15}"},
    {.name = "released by another meanwhile",
     .spec = "{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1,\"leaseTransitions\":1}"},
    {.name = "ours again, but not the record that we wrote",
     .spec = "{\"holderIdentity\":\"a\",\"leaseDurationSeconds\":15,\"leaseTransitions\":2}"},
    {.name = "deleted"},
    {.name = "our own record, touched by somebody",
     .spec = "{\"holderIdentity\":\"a\",\"leaseDurationSeconds\":15,\"leaseTransitions\":0}",
     .stays = true},
};

static void lost_at_once_unless_the_record_is_its_own(void **state)
{
    const struct found_row *row = *state;
    struct stage s;
    struct contender a;
    int64_t found_ms;

    open_stage(&s, 4);
    enter(&a, &s.t, &s.server, "a");
    pass_time(&s.t, SECONDS(21));
    found_ms = sched_now_ms(s.t.base.env.sched);
    if (row->spec)
        put_record(&s.server, row->spec);
    else
        json_free(TAKE(s.server.object));
    pass_time(&s.t, SECONDS(60));
    assert_number(a.acquired, 1);
    assert_number(a.lost, !row->stays);
    if (!row->stays)
        assert_in_range(a.lost_ms - found_ms, 0, 2100);
    leave(&a, true);
    if (!row->stays && row->spec)
        assert_json_equal(json_member(s.server.object, "spec"), row->spec);
    close_stage(&s);
}

/* However slow the server: SIGTERM leaves ten seconds, and others need them too. */
static void is_given_back_in_time_or_not_at_all(void **state)
{
    (void)state;
    for (int64_t slow_ms = 100; slow_ms <= 6000; slow_ms += 700) {
        struct stage s;
        struct contender a;
        int64_t left_ms;

        open_stage(&s, 4);
        enter(&a, &s.t, &s.server, "a");
        pass_time(&s.t, SECONDS(21));
        left_ms = sched_now_ms(s.t.base.env.sched);
        s.server.slow_ms = slow_ms;
        s.server.is_pressed = true;
        leave(&a, true);
        assert_in_range(sched_now_ms(s.t.base.env.sched) - left_ms, 0, SECONDS(5) + 10);
        close_stage(&s);
    }
}

/* What a liveness probe asks: trouble elsewhere is none of its business. */
static const struct life_row {
    const char *name;
    bool hangs, is_down, other_holds;
    bool want;
} life_rows[] = {
    {.name = "renews", .want = true},
    {.name = "waits for another", .other_holds = true, .want = true},
    {.name = "the server is away while another holds it", .other_holds = true, .is_down = true, .want = true},
    {.name = "a call never ends", .hangs = true, .want = false},
    {.name = "a call never ends while another holds it", .other_holds = true, .hangs = true, .want = false},
};

static void lives_as_long_as_it_tries(void **state)
{
    const struct life_row *row = *state;
    struct stage s;
    struct contender a;

    open_stage(&s, 4);
    if (row->other_holds)
        put_record(&s.server, "{\"holderIdentity\":\"b\",\"leaseDurationSeconds\":3600}");
    enter(&a, &s.t, &s.server, "a");
    pass_time(&s.t, SECONDS(21));
    s.server.is_down = row->is_down;
    s.server.hangs = row->hangs;
    for (int i = 0; i < 20; i++) {
        assert_true(kube_lease_lives(a.lease));
        pass_time(&s.t, SECONDS(1));
    }
    pass_time(&s.t, SECONDS(60));
    assert_number(kube_lease_lives(a.lease), row->want);
    leave(&a, false);
    close_stage(&s);
}

/* --- several --- */

static const struct handover_row {
    const char *name;
    bool releases;
    int64_t least_ms, most_ms;
} handover_rows[] = {
    {.name = "released: the next one has it soon", .releases = true, .least_ms = 0, .most_ms = 4500},
    {.name = "abandoned: the next one waits it out", .releases = false, .least_ms = 12000, .most_ms = 20000},
};

static void hands_over(void **state)
{
    const struct handover_row *row = *state;
    struct stage s;
    struct contender a, b;
    int64_t left_ms;

    open_stage(&s, 4);
    enter(&a, &s.t, &s.server, "a");
    pass_time(&s.t, SECONDS(1));
    enter(&b, &s.t, &s.server, "b");
    pass_time(&s.t, SECONDS(30));
    assert_number(b.acquired, 0);
    left_ms = sched_now_ms(s.t.base.env.sched);
    leave(&a, row->releases);
    assert_number(a.lost, 0);
    pass_time(&s.t, SECONDS(60));
    assert_number(b.acquired, 1);
    assert_in_range(b.acquired_ms - left_ms, row->least_ms, row->most_ms);
    leave(&b, true);
    assert_json_equal(json_at(s.server.object, "spec.holderIdentity"), "\"\"");
    assert_number(json_get_int(s.server.object, "spec.leaseDurationSeconds", 0), 1);
    close_stage(&s);
}

static int count_acting(struct contender *contenders, size_t count)
{
    int acting = 0;

    for (size_t i = 0; i < count; i++)
        acting += contenders[i].lease &&
                  kube_lease_age_ms(contenders[i].lease) < kube_lease_renew_deadline_ms(contenders[i].lease);
    return acting;
}

/* Slow and broken ways to the server: whatever happens, at most one may act, and somebody does most of the
 * time. */
static void never_two_at_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 25; seed++) {
        struct stage s;
        struct contender contenders[3] = {0};
        static const char *const names[] = {"a", "b", "c"};
        int led = 0;

        open_stage(&s, seed);
        s.server.random = seed * 7919;
        for (size_t i = 0; i < 3; i++)
            enter(&contenders[i], &s.t, &s.server, names[i]);
        for (int i = 0; i < 1200; i++) {
            int acting;

            pass_time(&s.t, 250);
            acting = count_acting(contenders, 3);
            assert_in_range(acting, 0, 1);
            led += acting;
            for (size_t k = 0; k < 3; k++) {
                if (!contenders[k].lost)
                    continue;
                leave(&contenders[k], false);
                enter(&contenders[k], &s.t, &s.server, names[k]);
            }
        }
        assert_true(led > 600);
        for (size_t i = 0; i < 3; i++)
            leave(&contenders[i], true);
        close_stage(&s);
    }
}

/* --- options --- */

static const struct opts_row {
    const char *name;
    struct kube_lease_opts opts;
    const char *want;
} opts_rows[] = {
    {.name = "no identity", .opts = {.namespace = "n", .name = "x"}, .want = "identity"},
    {.name = "deadline as long as the lease",
     .opts = {.namespace = "n", .name = "x", .identity = "a", .renew_deadline_ms = 15000},
     .want = "exceed the renew deadline"},
    {.name = "retry too long",
     .opts = {.namespace = "n", .name = "x", .identity = "a", .retry_ms = 9000},
     .want = "1.2 times"},
    {.name = "broken seconds",
     .opts = {.namespace = "n", .name = "x", .identity = "a", .duration_ms = 15500},
     .want = "whole seconds"},
    {.name = "negative",
     .opts = {.namespace = "n", .name = "x", .identity = "a", .retry_ms = -1},
     .want = "positive"},
};

static void refuses_options(void **state)
{
    const struct opts_row *row = *state;
    struct kube_lease *lease = NULL;
    struct stage s;

    open_stage(&s, 1);
    assert_fails(kube_lease_start(s.t.client, &s.t.base.env, &row->opts, &lease), ERR_INVALID, row->want);
    close_stage(&s);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, creates_and_renews);
    TEST_ROWS(&tests, trusts_no_clock_but_its_own, skew_rows);
    TEST(&tests, a_renewed_lease_is_never_taken);
    TEST(&tests, lost_when_nothing_can_be_renewed);
    TEST(&tests, a_short_outage_is_survived);
    TEST(&tests, a_busy_server_is_left_alone);
    TEST(&tests, a_lost_answer_is_no_lost_lease);
    TEST_ROWS(&tests, lost_at_once_unless_the_record_is_its_own, found_rows);
    TEST(&tests, is_given_back_in_time_or_not_at_all);
    TEST_ROWS(&tests, lives_as_long_as_it_tries, life_rows);
    TEST_ROWS(&tests, hands_over, handover_rows);
    TEST(&tests, never_two_at_once);
    TEST_ROWS(&tests, refuses_options, opts_rows);
    return tests_run(&tests, "pkg/kube/lease");
}
