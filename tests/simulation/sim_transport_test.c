/* The simulator's core behind struct transport: what comes back, how long it takes, and what a crash leaves.
 */
#include "tests/simulation/sim_transport.h"

#include "hack/awssim/awssim.h"
#include "pkg/aws/client.h"
#include "pkg/aws/eventbridge.h"
#include "pkg/aws/sqs.h"
#include "pkg/aws/sts.h"
#include "pkg/base/log.h"
#include "pkg/base/secret.h"
#include "tests/testing/assertions.h"

#define WALL_MS INT64_C(1795363200000) /* 2026-11-22T16:00:00Z */

#define QUEUE "arn:aws:sqs:ap-northeast-1:222222222222:hints"
#define QUEUE_URL "https://sqs.ap-northeast-1.amazonaws.com/222222222222/hints"

static const char world[] =
    "durations: {events: {delivery: 1s}}\n"
    "accounts:\n"
    "- id: \"222222222222\"\n"
    "  name: staging\n"
    "  region: ap-northeast-1\n"
    "  iam:\n"
    "    users:\n"
    "    - name: stagingrefresh\n"
    "      accessKeys: [{id: AKIAEXAMPLE, secret: example-secret}]\n"
    "      allow: [\"sts:AssumeRole\"]\n"
    "    roles:\n"
    "    - name: staging-refresh\n"
    "      trust:\n"
    "      - {principal: \"arn:aws:iam::222222222222:user/stagingrefresh\"}\n"
    "      allow: [\"sqs:*\", \"events:*\"]\n"
    "  sqs:\n"
    "    queues:\n"
    "    - name: hints\n"
    "      policy: {Statement: [{Effect: Allow, Principal: '*', Action: 'sqs:*', "
    "Resource: '" QUEUE "'}]}\n"
    "  events:\n"
    "    rules:\n"
    "    - {name: all, pattern: {source: [app]}, targets: [{id: q, arn: '" QUEUE "'}]}\n";

struct fixture {
    struct sched *sched;
    struct sim *sim;
    struct lifetime *life;
    struct aws_config config;
    struct credentials_cache *identity;
    struct aws_account *account;
    struct env env;
};

static void fixture_init(struct fixture *f, int64_t dies_at_call, bool dies_after_deed)
{
    *f = (struct fixture){.sched = sched_seeded_new(1, WALL_MS)};
    assert_no_err(awssim_new(
        &(struct sim_options){.world = STR(world), .world_name = "world", .world_ms = WALL_MS, .seed = 1},
        &f->sim));
    f->life = lifetime_new(&(struct lifetime_opts){.sched = f->sched,
                                                   .dies_at_call = dies_at_call,
                                                   .dies_after_deed = dies_after_deed,
                                                   .latency_min_ms = 10,
                                                   .latency_max_ms = 10});
    f->config = (struct aws_config){.region = xstrdup("ap-northeast-1"),
                                    .access_key_id = xstrdup("AKIAEXAMPLE"),
                                    .secret_access_key = secret_new(STR("example-secret"))};
    f->identity = credentials_default_new(&f->config);
    assert_no_err(aws_account_new(
        &(struct aws_account_opts){.account_id = "222222222222",
                                   .region = "ap-northeast-1",
                                   .usage = AWS_TARGET,
                                   .config = &f->config,
                                   .identity = f->identity,
                                   .role_arn = "arn:aws:iam::222222222222:role/staging-refresh"},
        &f->account));
    f->env = (struct env){.sched = f->sched,
                          .random = random_seeded_new(1),
                          .transport = sim_transport_new(f->sim, f->life),
                          .stop = lifetime_stop(f->life)};
}

static void fixture_done(struct fixture *f)
{
    transport_free(f->env.transport);
    random_free(f->env.random);
    aws_account_unref(f->account);
    credentials_cache_free(f->identity);
    aws_config_done(&f->config);
    lifetime_free(f->life);
    awssim_free(f->sim);
    sched_free(f->sched);
}

static struct err *who_am_i(struct fixture *f)
{
    AUTO_STS_IDENTITY struct sts_identity identity = {0};
    struct aws_client aws = {.account = f->account, .env = &f->env};

    return sts_get_caller_identity(&aws, &identity);
}

static int64_t count_calls(struct fixture *f, const char *operation)
{
    AUTO_JSON struct json *calls = NULL;

    assert_no_err(sim_control(f->sim, f->sched, "GET", "/_sim/calls", NULL, &calls));
    json_each (row, calls) {
        if (text_equal(json_get_text(row, "operation", ""), operation))
            return json_get_int(row, "count", 0);
    }
    return 0;
}

static void a_signed_call_is_answered(void **state UNUSED)
{
    struct fixture f;

    fixture_init(&f, 0, false);
    assert_no_err(who_am_i(&f));
    assert_number(count_calls(&f, "AssumeRole"), 1);
    /* Two ways of 10 ms each. */
    assert_number(sched_now_ms(f.sched), 20 * lifetime_calls(f.life));
    fixture_done(&f);
}

static void a_wrong_signature_is_refused(void **state UNUSED)
{
    struct fixture f;

    fixture_init(&f, 0, false);
    secret_free(f.config.secret_access_key);
    f.config.secret_access_key = secret_new(STR("another-secret"));
    assert_fails(who_am_i(&f), ERR_DENIED, "SignatureDoesNotMatch");
    fixture_done(&f);
}

static const struct fault_row {
    const char *name, *body, *want;
    int64_t assumed;
} fault_rows[] = {
    {.name = "a dropped request was not done",
     .body = "{\"match\":{\"operation\":\"AssumeRole\",\"nth\":1,\"times\":9},\"action\":\"drop-request\"}",
     .want = "connection was closed",
     .assumed = 0},
    {.name = "a dropped answer was done",
     .body = "{\"match\":{\"operation\":\"AssumeRole\",\"nth\":1,\"times\":9},\"action\":\"drop-reply\"}",
     .want = "connection was closed",
     .assumed = 3},
    {.name = "an answer that takes too long was done",
     .body = "{\"match\":{\"operation\":\"AssumeRole\",\"nth\":1,\"times\":9},\"action\":\"delay\","
             "\"delaySeconds\":60}",
     .want = "timed out after 30000 ms",
     .assumed = 3},
};

static void faults_look_like_a_network(void **state)
{
    const struct fault_row *row = *state;
    struct fixture f;

    fixture_init(&f, 0, false);
    assert_no_err(sim_control(f.sim, f.sched, "POST", "/_sim/faults", row->body, NULL));
    assert_fails(who_am_i(&f), ERR_RETRY, row->want);
    assert_number(count_calls(&f, "AssumeRole"), row->assumed);
    fixture_done(&f);
}

static const struct death_row {
    const char *name;
    bool after_deed;
    int64_t assumed;
} death_rows[] = {
    {.name = "killed before the call", .after_deed = false, .assumed = 0},
    {.name = "killed after the deed", .after_deed = true, .assumed = 1},
};

static void a_dead_process_calls_nobody(void **state)
{
    const struct death_row *row = *state;
    struct fixture f;

    fixture_init(&f, 1, row->after_deed);
    assert_fails(who_am_i(&f), ERR_CANCELED, NULL);
    assert_true(lifetime_is_killed(f.life));
    assert_fails(who_am_i(&f), ERR_CANCELED, NULL);
    assert_number(count_calls(&f, "AssumeRole"), row->assumed);
    assert_number(lifetime_calls(f.life), 1);
    fixture_done(&f);
}

/* ---- long polls ---- */

static struct err *put_event(struct fixture *f)
{
    AUTO_JSON struct json *detail = json_new_object();
    struct aws_client aws = {.account = f->account, .env = &f->env};

    return eventbridge_put(&aws, &(struct eventbridge_event){.bus = "default",
                                                             .source = "app",
                                                             .detail_type = "Hello",
                                                             .detail = detail,
                                                             .wall_ms = sched_wall_ms(f->sched)});
}

/* How many messages a poll of 20 s brought, and how long that took. */
static size_t poll_queue(struct fixture *f, int64_t *ret_ms)
{
    AUTO_SQS_MESSAGES struct sqs_messages messages = {0};
    struct aws_client aws = {.account = f->account, .env = &f->env};
    int64_t began_ms = sched_now_ms(f->sched);

    assert_no_err(sqs_receive(&aws, QUEUE_URL, SQS_BATCH_MAX, SQS_WAIT_MAX_S, &messages));
    *ret_ms = sched_now_ms(f->sched) - began_ms;
    return messages.count;
}

static void a_poll_ends_empty_when_its_time_is_over(void **state UNUSED)
{
    struct fixture f;
    int64_t took_ms = 0;

    fixture_init(&f, 0, false);
    assert_no_err(who_am_i(&f)); /* so that the session is there */
    assert_number((int64_t)poll_queue(&f, &took_ms), 0);
    assert_number(took_ms, 20020);
    assert_number(count_calls(&f, "ReceiveMessage"), 1);
    fixture_done(&f);
}

/* The event is on its way: nobody calls until it is there. */
static void a_poll_ends_when_the_world_brings_a_message(void **state UNUSED)
{
    struct fixture f;
    int64_t took_ms = 0;

    fixture_init(&f, 0, false);
    assert_no_err(put_event(&f));
    assert_number((int64_t)poll_queue(&f, &took_ms), 1);
    /* The answer to PutEvents took 10 ms of the second. */
    assert_number(took_ms, 1000);
    fixture_done(&f);
}

static void put_later(void *arg)
{
    struct fixture *f = arg;

    sched_wait_until(f->sched, NULL, sched_now_ms(f->sched) + SECONDS(5));
    assert_no_err(put_event(f));
}

/* The next change of the world comes sooner than the poll knew when it began to wait. */
static void a_poll_ends_when_a_call_brings_a_message(void **state UNUSED)
{
    struct fixture f;
    int64_t took_ms = 0;

    fixture_init(&f, 0, false);
    assert_no_err(who_am_i(&f));
    struct task *task = sched_spawn(f.sched, "put", put_later, &f);
    assert_number((int64_t)poll_queue(&f, &took_ms), 1);
    sched_join(task);
    /* Five seconds, 10 ms to the bus, a second to the queue, 10 ms back. */
    assert_number(took_ms, 6020);
    assert_number(count_calls(&f, "ReceiveMessage"), 1);
    fixture_done(&f);
}

static void end_later(void *arg)
{
    struct fixture *f = arg;

    sched_wait_until(f->sched, NULL, sched_now_ms(f->sched) + SECONDS(5));
    stop_request(lifetime_stop(f->life));
}

static void the_end_of_the_process_ends_its_poll(void **state UNUSED)
{
    AUTO_SQS_MESSAGES struct sqs_messages messages = {0};
    struct fixture f;

    fixture_init(&f, 0, false);
    assert_no_err(who_am_i(&f));
    struct aws_client aws = {.account = f.account, .env = &f.env};
    int64_t began_ms = sched_now_ms(f.sched);
    struct task *task = sched_spawn(f.sched, "end", end_later, &f);
    assert_fails(sqs_receive(&aws, QUEUE_URL, 1, SQS_WAIT_MAX_S, &messages), ERR_CANCELED, NULL);
    sched_join(task);
    assert_number(sched_now_ms(f.sched) - began_ms, 5000);
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_signed_call_is_answered);
    TEST(&tests, a_wrong_signature_is_refused);
    TEST_ROWS(&tests, faults_look_like_a_network, fault_rows);
    TEST_ROWS(&tests, a_dead_process_calls_nobody, death_rows);
    TEST(&tests, a_poll_ends_empty_when_its_time_is_over);
    TEST(&tests, a_poll_ends_when_the_world_brings_a_message);
    TEST(&tests, a_poll_ends_when_a_call_brings_a_message);
    TEST(&tests, the_end_of_the_process_ends_its_poll);
    return tests_run(&tests, "sim_transport");
}
