#include "controller/courier.h"

#include "controller/metrics.h"
#include "tests/pkg/aws/credentials_fixture.h"
#include "tests/pkg/aws/fixture.h"

#define URL "https://hooks.example.com/T1/very-secret"
#define HOOK .method = "POST", .url = URL, .headers = {"content-type: application/cloudevents+json"}
#define BUS .host = "events.ap-northeast-1.amazonaws.com", .headers = {"x-amz-target: AWSEvents.PutEvents"}

struct trial {
    struct fixture f;
    struct courier *courier;
    struct stop *stop;
    struct json *event;
    int changes;
};

static struct transport *new_transport(void *arg)
{
    struct trial *trial = arg;

    return script_transport(trial->f.t.script);
}

static void changed(void *arg, const struct object_id *id)
{
    struct trial *trial = arg;

    assert_text_equal(id->name, "shop");
    trial->changes++;
}

/* GetCallerIdentity is asked for a bus alone. */
static void trial_init(struct trial *trial, const struct exchange *rows, size_t count)
{
    memset(trial, 0, sizeof(*trial));
    fixture_init_bare(&trial->f, AWS_TARGET, rows, count);
    trial->stop = stop_new();
    trial->event = json_new_object();
    json_set_text(trial->event, "id", "e1");
    trial->courier = courier_new(&(struct courier_opts){.sched = trial->f.t.env.sched,
                                                        .random = trial->f.t.env.random,
                                                        .log = trial->f.t.env.log,
                                                        .stop = trial->stop,
                                                        .new_transport = new_transport,
                                                        .new_transport_arg = trial,
                                                        .changed = changed,
                                                        .arg = trial});
}

static void send_of(struct trial *trial, const char *key, enum notification_kind kind, const char *run_id)
{
    courier_send(trial->courier,
                 &(struct errand){.key = key,
                                  .object = {.kind = OBJECT_REFRESH, .namespace = "staging", .name = "shop"},
                                  .kind = kind,
                                  .target = kind == NOTIFY_WEBHOOK ? URL : "default",
                                  .account = trial->f.account,
                                  .run_id = run_id,
                                  .transition = "RunStarted",
                                  .event = trial->event,
                                  .since_ms = TESTING_WALL_MS});
}

static void send(struct trial *trial, const char *key, enum notification_kind kind)
{
    send_of(trial, key, kind, "r1");
}

static void pass_time(struct trial *trial, int64_t ms)
{
    struct sched *sched = trial->f.t.env.sched;

    sched_wait_until(sched, NULL, sched_now_ms(sched) + ms);
}

static void assert_state(struct trial *trial, const char *key, enum errand_state want, const char *fault)
{
    AUTO_FREE char *got = NULL;

    assert_number(courier_look(trial->courier, key, &got), want);
    assert_text_equal(got, fault);
}

static void trial_done(struct trial *trial)
{
    stop_request(trial->stop);
    courier_stop(trial->courier);
    courier_free(trial->courier);
    stop_free(trial->stop);
    json_free(trial->event);
    fixture_done(&trial->f);
}

#define TRIAL(trial, rows) trial_init(&(trial), (rows), COUNT_OF(rows))

static void posts_once(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {HOOK, .body = "{\"id\":\"e1\"}", .status = 202, .absent = {"authorization", "x-amz"}}};
    struct trial trial;

    TRIAL(trial, rows);
    send(&trial, "k1", NOTIFY_WEBHOOK);
    send(&trial, "k1", NOTIFY_WEBHOOK);
    pass_time(&trial, MINUTES(1));
    assert_state(&trial, "k1", ERRAND_DELIVERED, NULL);
    assert_number(trial.changes, 1);
    send(&trial, "k1", NOTIFY_WEBHOOK); /* its end was not written down yet */
    pass_time(&trial, MINUTES(1));
    courier_forget(trial.courier, "k1");
    assert_state(&trial, "k1", ERRAND_UNKNOWN, NULL);
    trial_done(&trial);
}

static void puts_on_a_bus(void **state UNUSED)
{
    static const struct exchange rows[] = {
        WHOAMI(FIXTURE_ACCOUNT),
        {BUS, .reply = "{\"FailedEntryCount\":1,\"Entries\":[{\"ErrorCode\":\"InternalFailure\"}]}"},
        {BUS,
         .body_contains = {"\"DetailType\":\"StagingRefresh RunStarted\"", "\"EventBusName\":\"default\""},
         .reply = "{\"FailedEntryCount\":0,\"Entries\":[{\"EventId\":\"x\"}]}"},
    };
    struct trial trial;

    TRIAL(trial, rows);
    send(&trial, "k1", NOTIFY_EVENT_BRIDGE);
    pass_time(&trial, MINUTES(1));
    assert_state(&trial, "k1", ERRAND_DELIVERED,
                 "events PutEvents: InternalFailure: the event was not taken "
                 "(account 222222222222)");
    trial_done(&trial);
}

struct name_row {
    const char *name;
    const char *run_id;
    struct exchange assume;
};

#define ASSUMED .method = "POST", .reply = STS_CREDENTIALS("AssumeRole", "AKIAROLE")

static const struct name_row name_rows[] = {
    {"an event of a run",
     "r1",
     {ASSUMED, .body_contains = {"RoleSessionName=staging.shop.r1&",
                                 "Tags.member.2.Key=stagingrefresh.dev%2Fname&Tags.member.2.Value=shop&"}}},
    {"an event of no run", NULL, {ASSUMED, .body_contains = {"RoleSessionName=stagingrefresh&"}}},
};

/* As all that a run changes. */
static void puts_in_the_name_of(void **state)
{
    const struct name_row *row = *state;
    const struct exchange rows[] = {
        row->assume,
        {.reply = WHOAMI_REPLY(FIXTURE_ACCOUNT)},
        {BUS, .reply = "{\"FailedEntryCount\":0,\"Entries\":[{\"EventId\":\"x\"}]}"},
    };
    struct trial trial;

    TRIAL(trial, rows);
    aws_account_unref(trial.f.account);
    assert_no_err(
        aws_account_new(&(struct aws_account_opts){.account_id = FIXTURE_ACCOUNT,
                                                   .region = FIXTURE_REGION,
                                                   .usage = AWS_TARGET,
                                                   .config = &trial.f.config,
                                                   .identity = trial.f.identity,
                                                   .role_arn = "arn:aws:iam::" FIXTURE_ACCOUNT ":role/r"},
                        &trial.f.account));
    send_of(&trial, "k1", NOTIFY_EVENT_BRIDGE, row->run_id);
    pass_time(&trial, MINUTES(1));
    assert_state(&trial, "k1", ERRAND_DELIVERED, NULL);
    trial_done(&trial);
}

/* Later and later, an hour long; what came back is a number and nothing else, and no redirect is followed. */
static void gives_up_after_an_hour(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {HOOK, .status = 302, .reply_headers = {"location: http://169.254.169.254/latest/meta-data/"},
         .reply = "very-secret answer", .times = -1}};
    struct trial trial;
    AUTO_FREE char *log = NULL;

    TRIAL(trial, rows);
    send(&trial, "k1", NOTIFY_WEBHOOK);
    pass_time(&trial, SECONDS(1));
    assert_state(&trial, "k1", ERRAND_UNDER_WAY, "hooks.example.com answered with HTTP status 302");
    pass_time(&trial, MINUTES(1));
    assert_state(&trial, "k1", ERRAND_FAILING, "hooks.example.com answered with HTTP status 302");
    pass_time(&trial, MINUTES(70));
    assert_state(&trial, "k1", ERRAND_GIVEN_UP, "hooks.example.com answered with HTTP status 302");
    assert_number(trial.changes, 2);
    assert_in_range(script_sent_count(trial.f.t.script), 10, 40);
    log = testing_env_log(&trial.f.t);
    assert_null(strstr(log, "very-secret"));
    trial_done(&trial);
}

/* Two threads: a server that hangs does not keep everybody waiting. */
static void one_that_hangs_does_not_hold_up_another(void **state UNUSED)
{
    static const struct exchange rows[] = {{HOOK, .delay_ms = SECONDS(60)}, {HOOK, .status = 200}};
    struct trial trial;

    TRIAL(trial, rows);
    send(&trial, "k1", NOTIFY_WEBHOOK);
    pass_time(&trial, 10);
    send(&trial, "k2", NOTIFY_WEBHOOK);
    pass_time(&trial, SECONDS(2));
    assert_state(&trial, "k1", ERRAND_UNDER_WAY, NULL);
    assert_state(&trial, "k2", ERRAND_DELIVERED, NULL);
    courier_forget(trial.courier, "k1"); /* while it is out: it is not tried again */
    pass_time(&trial, MINUTES(5));
    assert_state(&trial, "k1", ERRAND_UNKNOWN, NULL);
    trial_done(&trial);
}

static void ends_when_told(void **state UNUSED)
{
    static const struct exchange rows[] = {{HOOK, .delay_ms = SECONDS(9)}};
    struct trial trial;
    int64_t before_ms;

    TRIAL(trial, rows);
    send(&trial, "k1", NOTIFY_WEBHOOK);
    pass_time(&trial, 10);
    before_ms = sched_now_ms(trial.f.t.env.sched);
    stop_request(trial.stop);
    courier_stop(trial.courier);
    assert_in_range(sched_now_ms(trial.f.t.env.sched) - before_ms, 0, 999);
    trial_done(&trial);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, posts_once);
    TEST(&tests, puts_on_a_bus);
    TEST_ROWS(&tests, puts_in_the_name_of, name_rows);
    TEST(&tests, gives_up_after_an_hour);
    TEST(&tests, one_that_hangs_does_not_hold_up_another);
    TEST(&tests, ends_when_told);
    return tests_run(&tests, "courier");
}
