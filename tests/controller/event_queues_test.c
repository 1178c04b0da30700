#include "controller/event_queues.h"

#include "controller/metrics.h"
#include "pkg/base/lock.h"
#include "tests/pkg/aws/fixture.h"
#include "tests/testing/exposition.h"

#define QUEUE "https://sqs.ap-northeast-1.amazonaws.com/222222222222/staging-refresh"
#define RECEIVE .headers = {"x-amz-target: AmazonSQS.ReceiveMessage"}
#define DELETE .headers = {"x-amz-target: AmazonSQS.DeleteMessageBatch"}
#define NOTHING_MORE                                                 \
    {                                                                \
        RECEIVE, .reply = "{}", .delay_ms = SECONDS(20), .times = -1 \
    }

#define EVENT(account, id, state)                                                            \
    "{\\\"detail-type\\\":\\\"Backup Job State Change\\\",\\\"account\\\":\\\"" account      \
    "\\\",\\\"region\\\":\\\"ap-northeast-1\\\",\\\"detail\\\":{\\\"backupJobId\\\":\\\"" id \
    "\\\",\\\"state\\\":\\\"" state "\\\"}}"
#define MESSAGE(receipt, body) "{\"ReceiptHandle\":\"" receipt "\",\"Body\":\"" body "\"}"
#define MESSAGES(list) "{\"Messages\":[" list "]}"

static char staging[] = "staging", queue_url[] = QUEUE, second_url[] = QUEUE "-2";

/* --- objects: the two accounts --- */

static void each(struct objects *self UNUSED, enum object_kind kind, const char *group, objects_see_fn *see,
                 void *arg)
{
    static const char *const accounts[] = {
        "{\"spec\":{\"accountID\":\"111111111111\",\"region\":\"ap-northeast-1\"}}",
        "{\"spec\":{\"accountID\":\"222222222222\",\"region\":\"ap-northeast-1\"}}",
    };

    assert_number(kind, OBJECT_ACCOUNT);
    for (size_t i = 0; i < COUNT_OF(accounts); i++) {
        AUTO_JSON struct json *account = NULL;

        assert_no_err(json_parse(str_of(accounts[i]), NULL, &account));
        if (objects_is_in_group(kind, account, group) && !see(arg, account))
            return;
    }
}

struct trial {
    struct fixture f;
    struct objects objects;
    struct metrics *metrics;
    struct stop *stop;
    struct event_queues *queues;
    struct account account;
    struct buf heard, changes;
};

static struct transport *new_transport(void *arg)
{
    struct trial *trial = arg;

    return script_transport(trial->f.t.script);
}

static size_t hear(void *arg, const struct aws_event *event)
{
    struct trial *trial = arg;

    buf_addf(&trial->heard, "%s%s ", event->subject, event->is_over ? "" : "(goes on)");
    return str_starts(str_of(event->subject), "nobody") ? 0 : 1;
}

static void changed(void *arg, const char *account_name)
{
    static const char *const names[] = {[EVENT_QUEUE_NONE] = "none",
                                        [EVENT_QUEUE_STARTING] = "starting",
                                        [EVENT_QUEUE_WORKS] = "works",
                                        [EVENT_QUEUE_SILENT] = "silent",
                                        [EVENT_QUEUE_FAILS] = "fails"};
    struct trial *trial = arg;
    AUTO_EVENT_QUEUE_VIEW struct event_queue_view view = {0};

    event_queues_look(trial->queues, account_name, &view);
    buf_addf(&trial->changes, "%s%s%s ", names[view.state], view.reason ? ":" : "",
             view.reason ? view.reason : "");
}

static void trial_init(struct trial *trial, const struct exchange *rows, size_t count)
{
    static const struct objects_ops ops = {.each = each};

    memset(trial, 0, sizeof(*trial));
    fixture_init(&trial->f, AWS_TARGET, rows, count);
    trial->objects.ops = &ops;
    trial->metrics = controller_metrics_new();
    trial->stop = stop_new();
    trial->heard = trial->changes = BUF_MAX(4096);
    trial->account = (struct account){.name = staging, .events_queue_url = queue_url};
    trial->queues = event_queues_new(&(struct event_queues_opts){.objects = &trial->objects,
                                                                 .sched = trial->f.t.env.sched,
                                                                 .random = trial->f.t.env.random,
                                                                 .log = trial->f.t.env.log,
                                                                 .stop = trial->stop,
                                                                 .metrics = trial->metrics,
                                                                 .new_transport = new_transport,
                                                                 .new_transport_arg = trial,
                                                                 .hear = hear,
                                                                 .changed = changed,
                                                                 .arg = trial});
}

static void follow(struct trial *trial)
{
    event_queues_follow(trial->queues, &trial->account, trial->f.account);
}

static void pass_time(struct trial *trial, int64_t ms)
{
    struct sched *sched = trial->f.t.env.sched;

    sched_wait_until(sched, NULL, sched_now_ms(sched) + ms);
}

static void assert_sample(struct trial *trial, const char *sample, const char *want)
{
    AUTO_BUF struct buf page = BUF_MAX(MIB);
    AUTO_FREE char *got = NULL;

    metrics_render(trial->metrics, METRICS_CLASSIC, &page);
    got = exposition_value(buf_text(&page), sample);
    assert_text_equal(got, want);
}

static void trial_done(struct trial *trial)
{
    event_queues_stop(trial->queues);
    event_queues_free(trial->queues);
    stop_free(trial->stop);
    metrics_free(trial->metrics);
    buf_done(&trial->heard);
    buf_done(&trial->changes);
    fixture_done(&trial->f);
}

#define TRIAL(trial, rows) trial_init(&(trial), (rows), COUNT_OF(rows))
#define RECEIVED "stagingrefresh_events_received_total{account=\"222222222222\",kind="
#define IGNORED "stagingrefresh_events_ignored_total{account=\"222222222222\",reason="

/* --- */

static void passes_on_what_is_of_use_and_deletes_all(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RECEIVE,
         .body_json = "{\"QueueUrl\":\"" QUEUE "\",\"MaxNumberOfMessages\":10,\"WaitTimeSeconds\":20}",
         .reply = MESSAGES(MESSAGE("r1", EVENT("111111111111", "B1", "COMPLETED")) "," MESSAGE(
             "r2",
             EVENT(
                 "111111111111", "B2",
                 "RUNNING")) "," MESSAGE("r3",
                                         EVENT(
                                             "999999999999", "B3",
                                             "COMPLETED")) "," MESSAGE("r4",
                                                                       "hello") "," MESSAGE("r5",
                                                                                            EVENT(
                                                                                                "11111111111"
                                                                                                "1",
                                                                                                "nobody-1",
                                                                                                "FAILED")))},
        {DELETE, .body_contains = {"\"r1\"", "\"r2\"", "\"r3\"", "\"r4\"", "\"r5\""},
         .reply = "{\"Successful\":[],\"Failed\":[{\"Id\":\"0\"}]}"},
        NOTHING_MORE,
    };
    struct trial trial;

    TRIAL(trial, rows);
    follow(&trial);
    pass_time(&trial, SECONDS(5));
    assert_text_equal(buf_text(&trial.heard), "B1 B2(goes on) nobody-1 ");
    assert_text_equal(buf_text(&trial.changes), "works ");
    assert_true(event_queues_work(trial.queues, "staging"));
    assert_false(event_queues_work(trial.queues, "other"));
    assert_sample(&trial, RECEIVED "\"backup_job\"}", "4");
    assert_sample(&trial, RECEIVED "\"other\"}", "1");
    assert_sample(&trial, IGNORED "\"no_news\"}", "1");
    assert_sample(&trial, IGNORED "\"foreign\"}", "1");
    assert_sample(&trial, IGNORED "\"malformed\"}", "1");
    assert_sample(&trial, IGNORED "\"nobody_waits\"}", "1");
    assert_sample(&trial, "stagingrefresh_event_queue_up{account=\"222222222222\"}", "1");
    trial_done(&trial);
}

/* A refusal is said at once, a blip is not; and what fails is tried again, later and later. */
static void says_that_it_fails_and_that_it_works_again(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RECEIVE, .status = 400, .reply = "{\"__type\":\"x#AccessDeniedException\",\"message\":\"no\"}",
         .times = 2},
        {RECEIVE, .status = 400,
         .reply = "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"gone\"}"},
        NOTHING_MORE,
    };
    struct trial trial;

    TRIAL(trial, rows);
    follow(&trial);
    pass_time(&trial, MINUTES(3));
    assert_text_equal(buf_text(&trial.changes), "fails:AccessDeniedException fails:QueueDoesNotExist works ");
    trial_done(&trial);
}

struct blip_row {
    const char *name;
    struct exchange blip; /* one call with its repeats */
};

static const struct blip_row blip_rows[] = {
    {"the connection is lost", {RECEIVE, .fail = "connection reset", .times = 3}},
    {"the queue's key is asked too often",
     {RECEIVE, .status = 400, .reply = "{\"__type\":\"com.amazonaws.sqs#KmsThrottled\"}", .times = 3}},
};

static void a_blip_is_not_worth_a_word(void **state)
{
    const struct blip_row *row = *state;
    const struct exchange rows[] = {
        {RECEIVE, .reply = "{}", .delay_ms = SECONDS(20)},
        row->blip,
        NOTHING_MORE,
    };
    struct trial trial;

    TRIAL(trial, rows);
    follow(&trial);
    pass_time(&trial, MINUTES(3));
    assert_text_equal(buf_text(&trial.changes), "works ");
    trial_done(&trial);
}

static void says_how_long_it_has_been_silent(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RECEIVE, .reply = "{}", .delay_ms = SECONDS(20)},
        {RECEIVE, .reply = "{}", .delay_ms = SECONDS(15)},
        NOTHING_MORE,
    };
    struct trial trial;

    TRIAL(trial, rows);
    assert_number(event_queues_silent_ms(trial.queues), 0);
    follow(&trial);
    pass_time(&trial, SECONDS(12));
    assert_number(event_queues_silent_ms(trial.queues), SECONDS(12));
    pass_time(&trial, SECONDS(12));
    assert_in_range(event_queues_silent_ms(trial.queues), SECONDS(3), SECONDS(4));
    event_queues_leave(trial.queues, "staging");
    assert_number(event_queues_silent_ms(trial.queues), 0);
    trial_done(&trial);
}

/* An answer over the cap would come again for ever. */
static void takes_huge_messages_one_by_one(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RECEIVE, .body_contains = {"\"MaxNumberOfMessages\":10"},
         .fail = "the answer is larger than 8388608 bytes", .fail_kind = ERR_INVALID},
        {RECEIVE, .body_contains = {"\"MaxNumberOfMessages\":1,"}, .reply = MESSAGES(MESSAGE("r1", "x"))},
        {DELETE, .reply = "{}"},
        {RECEIVE, .body_contains = {"\"MaxNumberOfMessages\":10"}, .reply = "{}", .delay_ms = SECONDS(20),
         .times = -1},
    };
    struct trial trial;

    TRIAL(trial, rows);
    follow(&trial);
    pass_time(&trial, MINUTES(1));
    assert_sample(&trial, IGNORED "\"malformed\"}", "1");
    assert_true(event_queues_work(trial.queues, "staging"));
    trial_done(&trial);
}

#define TEN(kind)                                                                                                  \
    MESSAGES(MESSAGE(kind "0", "x") "," MESSAGE(kind "1", "x") "," MESSAGE(kind "2", "x") "," MESSAGE(             \
        kind "3",                                                                                                  \
        "x") "," MESSAGE(kind "4",                                                                                 \
                         "x") "," MESSAGE(kind "5",                                                                \
                                          "x") "," MESSAGE(kind "6",                                               \
                                                           "x") "," MESSAGE(kind "7",                              \
                                                                            "x") "," MESSAGE(kind "8",             \
                                                                                             "x") "," MESSAGE(kind \
                                                                                                              "9", \
                                                                                                              "x"))

/* What others have to say does not wait until what was heard is deleted. */
static void hears_a_burst_to_its_end_first(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RECEIVE, .body_contains = {"\"WaitTimeSeconds\":20"}, .reply = TEN("a")},
        {RECEIVE, .body_contains = {"\"WaitTimeSeconds\":0"}, .reply = TEN("b")},
        {RECEIVE, .body_contains = {"\"WaitTimeSeconds\":0"},
         .reply = MESSAGES(MESSAGE("c", EVENT("111111111111", "B1", "COMPLETED")))},
        {DELETE, .body_contains = {"\"a0\"", "\"a9\""}, .reply = "{}"},
        {DELETE, .body_contains = {"\"b0\"", "\"b9\""}, .reply = "{}"},
        {DELETE, .body_contains = {"\"c\""}, .reply = "{}"},
        NOTHING_MORE,
    };
    struct trial trial;

    TRIAL(trial, rows);
    follow(&trial);
    pass_time(&trial, SECONDS(5));
    assert_text_equal(buf_text(&trial.heard), "B1 ");
    trial_done(&trial);
}

/* ... and what was heard is deleted, though the next cannot be received. */
static void deletes_what_came_before_a_failure(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RECEIVE, .reply = TEN("a")},
        {RECEIVE, .status = 400, .reply = "{\"__type\":\"x#AccessDeniedException\",\"message\":\"no\"}"},
        {DELETE, .body_contains = {"\"a0\"", "\"a9\""}, .reply = "{}"},
        NOTHING_MORE,
    };
    struct trial trial;

    TRIAL(trial, rows);
    follow(&trial);
    pass_time(&trial, MINUTES(1));
    assert_text_equal(buf_text(&trial.changes), "fails:AccessDeniedException works ");
    trial_done(&trial);
}

/* A queue that does not wait as it was asked is not asked all the time. */
static void an_impatient_queue_is_not_hammered(void **state UNUSED)
{
    static const struct exchange rows[] = {{RECEIVE, .reply = "{}", .times = -1}};
    struct trial trial;

    TRIAL(trial, rows);
    follow(&trial);
    pass_time(&trial, SECONDS(10));
    assert_in_range(script_sent_count(trial.f.t.script), 5, 13);
    trial_done(&trial);
}

static void ends_within_a_second(void **state UNUSED)
{
    static const struct exchange rows[] = {NOTHING_MORE};
    struct trial trial;
    int64_t before_ms;

    TRIAL(trial, rows);
    follow(&trial);
    pass_time(&trial, SECONDS(5));
    before_ms = sched_now_ms(trial.f.t.env.sched);
    stop_request(trial.stop);
    event_queues_stop(trial.queues);
    assert_in_range(sched_now_ms(trial.f.t.env.sched) - before_ms, 0, 999);
    trial_done(&trial);
}

static void follows_what_the_account_says(void **state UNUSED)
{
    static const struct exchange rows[] = {
        {RECEIVE, .body_contains = {"staging-refresh\""}, .reply = "{}", .delay_ms = SECONDS(20), .times = 1},
        {RECEIVE, .body_contains = {"staging-refresh-2\""}, .reply = "{}", .delay_ms = SECONDS(20),
         .times = 1},
    };
    struct trial trial;
    AUTO_EVENT_QUEUE_VIEW struct event_queue_view view = {0};

    TRIAL(trial, rows);
    follow(&trial);
    follow(&trial); /* nothing new */
    pass_time(&trial, SECONDS(5));
    trial.account.events_queue_url = second_url;
    follow(&trial);
    pass_time(&trial, SECONDS(5));
    trial.account.events_queue_url = NULL;
    follow(&trial);
    pass_time(&trial, SECONDS(30));
    event_queues_look(trial.queues, "staging", &view);
    assert_number(view.state, EVENT_QUEUE_NONE);
    trial_done(&trial);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, passes_on_what_is_of_use_and_deletes_all);
    TEST(&tests, says_that_it_fails_and_that_it_works_again);
    TEST_ROWS(&tests, a_blip_is_not_worth_a_word, blip_rows);
    TEST(&tests, says_how_long_it_has_been_silent);
    TEST(&tests, takes_huge_messages_one_by_one);
    TEST(&tests, hears_a_burst_to_its_end_first);
    TEST(&tests, deletes_what_came_before_a_failure);
    TEST(&tests, an_impatient_queue_is_not_hammered);
    TEST(&tests, ends_within_a_second);
    TEST(&tests, follows_what_the_account_says);
    return tests_run(&tests, "event_queues");
}
