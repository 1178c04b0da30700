#include "pkg/aws/client.h"

#include "pkg/aws/backup.h"
#include "pkg/aws/dynamodb.h"
#include "pkg/aws/ecs.h"
#include "pkg/aws/kms.h"
#include "pkg/aws/rds.h"
#include "pkg/aws/ssm.h"
#include "pkg/aws/sts.h"
#include "pkg/aws/traffic.h"
#include "tests/pkg/aws/fixture.h"

#define TABLE_REPLY "{\"Table\":{\"TableName\":\"orders\",\"TableStatus\":\"ACTIVE\"}}"
/* One letter is another one: it would have been believed. */
#define DAMAGED_REPLY "{\"Table\":{\"TableName\":\"orderz\",\"TableStatus\":\"ACTIVE\"}}"
#define TABLE_CRC "143984435"
#define DESCRIBE_TABLE                                                         \
    .method = "POST", .url = "https://dynamodb.ap-northeast-1.amazonaws.com/", \
    .body_json = "{\"TableName\":\"orders\"}"

static struct err *describe(struct fixture *f)
{
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};

    return dynamodb_describe_table(&f->aws, "orders", &table);
}

/* --- one call --- */

static void signs_and_sends(void **state)
{
    static const struct exchange rows[] = {
        {DESCRIBE_TABLE,
         .headers = {"host: dynamodb.ap-northeast-1.amazonaws.com",
                     "content-type: application/x-amz-json-1.0",
                     "x-amz-target: DynamoDB_20120810.DescribeTable", "x-amz-date: 20261122T160000Z",
                     "authorization: AWS4-HMAC-SHA256 "
                     "Credential=AKIAEXAMPLE/20261122/ap-northeast-1/dynamodb/aws4_request, "
                     "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="},
         .absent = {"x-amz-security-token"}, .reply = TABLE_REPLY},
    };
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(describe(&f));
    fixture_done(&f);
}

static void keeps_the_path_of_an_override(void **state)
{
    static const struct exchange rows[] = {
        {.url = "http://127.0.0.1:4566/base/backup-jobs/j%2F1",
         .headers = {"host: 127.0.0.1:4566"},
         .reply = "{\"State\":\"RUNNING\"}"},
    };
    struct fixture f;
    AUTO_BACKUP_JOB struct backup_job job = {0};

    (void)state;
    FIXTURE(f, rows);
    f.config.service_endpoint_urls[AWS_BACKUP] = xstrdup("http://127.0.0.1:4566/base/");
    assert_no_err(backup_describe_backup(&f.aws, "j/1", &job));
    fixture_done(&f);
}

/* --- whose credentials --- */

static void refuses_another_account(void **state)
{
    static const struct exchange rows[] = {WHOAMI("333333333333")};
    struct fixture f;
    struct err *err;

    (void)state;
    fixture_init_bare(&f, AWS_TARGET, rows, COUNT_OF(rows));
    err = describe(&f);
    assert_err_kind(err, ERR_DENIED);
    assert_err_contains(err, "the credentials belong to account 333333333333");
    assert_err_contains(err, "account 222222222222 is configured");
    err_free(err);
    fixture_done(&f);
}

static void asks_who_it_is_once(void **state)
{
    static const struct exchange rows[] = {{DESCRIBE_TABLE, .reply = TABLE_REPLY, .times = 3}};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    for (int i = 0; i < 3; i++)
        assert_no_err(describe(&f));
    assert_number((int64_t)script_sent_count(f.t.script), 4);
    fixture_done(&f);
}

struct opts_row {
    const char *name;
    struct aws_account_opts opts;
    const char *fails;
};

static const struct opts_row opts_rows[] = {
    {"no account id", {.region = "r"}, "12 digits"},
    {"short account id", {.account_id = "123", .region = "r"}, "12 digits"},
    {"letters", {.account_id = "12345678901a", .region = "r"}, "12 digits"},
    {"no Region", {.account_id = "123456789012"}, "no AWS Region"},
    {"role of another account",
     {.account_id = "123456789012", .region = "r", .role_arn = "arn:aws:iam::210987654321:role/r"},
     "is of another account"},
    {"a user",
     {.account_id = "123456789012", .region = "r", .role_arn = "arn:aws:iam::123456789012:user/r"},
     "is not a role"},
    {"no ARN", {.account_id = "123456789012", .region = "r", .role_arn = "r"}, "not an ARN"},
};

static void checks_its_options(void **state)
{
    const struct opts_row *row = *state;
    struct aws_account *account = NULL;

    assert_fails(aws_account_new(&row->opts, &account), ERR_INVALID, row->fails);
}

/* --- once more --- */

#define THROTTLED                                                                                 \
    .status = 400, .reply = "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}", \
    .reply_headers = {"x-amzn-requestid: t-1"}
#define BROKEN .status = 500, .reply = "{\"__type\":\"InternalServerError\"}"

struct retry_row {
    const char *name;
    struct exchange rows[5];
    size_t count;
    int64_t max_attempts; /* 0: not said */
    bool works;
    enum err_kind kind;
    const char *fails;
};

static const struct retry_row retry_rows[] = {
    {.name = "throttled once",
     .rows = {{DESCRIBE_TABLE, THROTTLED}, {DESCRIBE_TABLE, .reply = TABLE_REPLY}},
     .count = 2,
     .works = true},
    {.name = "broken once",
     .rows = {{DESCRIBE_TABLE, BROKEN}, {DESCRIBE_TABLE, .reply = TABLE_REPLY}},
     .count = 2,
     .works = true},
    {.name = "connection lost once",
     .rows = {{DESCRIBE_TABLE, .fail = "connection reset"}, {DESCRIBE_TABLE, .reply = TABLE_REPLY}},
     .count = 2,
     .works = true},
    {.name = "half an answer once",
     .rows = {{DESCRIBE_TABLE, .reply = "{\"Table\":"}, {DESCRIBE_TABLE, .reply = TABLE_REPLY}},
     .count = 2,
     .works = true},
    {.name = "an answer with its checksum",
     .rows = {{DESCRIBE_TABLE, .reply = TABLE_REPLY, .reply_headers = {"x-amz-crc32: " TABLE_CRC}}},
     .count = 1,
     .works = true},
    {.name = "a damaged answer once",
     .rows = {{DESCRIBE_TABLE, .reply = DAMAGED_REPLY, .reply_headers = {"x-amz-crc32: " TABLE_CRC}},
              {DESCRIBE_TABLE, .reply = TABLE_REPLY, .reply_headers = {"x-amz-crc32: " TABLE_CRC}}},
     .count = 2,
     .works = true},
    {.name = "a damaged refusal once",
     .rows = {{DESCRIBE_TABLE, .status = 400, .reply = "{\"__type\":\"AccessDeniedException\"}",
               .reply_headers = {"x-amz-crc32: 1"}},
              {DESCRIBE_TABLE, .reply = TABLE_REPLY}},
     .count = 2,
     .works = true},
    {.name = "a checksum that is no number",
     .rows = {{DESCRIBE_TABLE, .reply = TABLE_REPLY, .reply_headers = {"x-amz-crc32: x"}},
              {DESCRIBE_TABLE, .reply = TABLE_REPLY}},
     .count = 2,
     .works = true},
    {.name = "a checksum of compressed bytes",
     .rows = {{DESCRIBE_TABLE, .reply = TABLE_REPLY,
               .reply_headers = {"x-amz-crc32: 1", "content-encoding: gzip"}}},
     .count = 1,
     .works = true},
    {.name = "a damaged answer three times",
     .rows = {{DESCRIBE_TABLE, .reply = DAMAGED_REPLY, .reply_headers = {"x-amz-crc32: " TABLE_CRC},
               .times = 3}},
     .count = 1,
     .kind = ERR_RETRY,
     .fails = "dynamodb DescribeTable (account 222222222222): the answer with HTTP status 200 was damaged"},
    {.name = "throttled three times",
     .rows = {{DESCRIBE_TABLE, THROTTLED, .times = 3}},
     .count = 1,
     .kind = ERR_RETRY,
     .fails =
         "dynamodb DescribeTable: ThrottlingException: Rate exceeded (request t-1, account 222222222222)"},
    {.name = "told to ask once",
     .rows = {{DESCRIBE_TABLE, THROTTLED}},
     .count = 1,
     .max_attempts = 1,
     .kind = ERR_RETRY,
     .fails = "ThrottlingException"},
    {.name = "told to ask twice",
     .rows = {{DESCRIBE_TABLE, .fail = "connection reset", .times = 2}},
     .count = 1,
     .max_attempts = 2,
     .kind = ERR_RETRY,
     .fails = "connection reset"},
    {.name = "connection lost three times",
     .rows = {{DESCRIBE_TABLE, .fail = "connection reset", .times = 3}},
     .count = 1,
     .kind = ERR_RETRY,
     .fails = "dynamodb DescribeTable (account 222222222222): connection reset"},
    {.name = "a hint longer than the budget",
     .rows = {{DESCRIBE_TABLE, .status = 429, .reply = "{}", .reply_headers = {"retry-after: 5"}}},
     .count = 1,
     .kind = ERR_RETRY,
     .fails = "HTTP status 429"},
    {.name = "refused",
     .rows = {{DESCRIBE_TABLE, .status = 400,
               .reply = "{\"__type\":\"AccessDeniedException\",\"message\":\"no\"}"}},
     .count = 1,
     .kind = ERR_DENIED,
     .fails = "AccessDeniedException: no"},
    {.name = "a certificate that does not hold",
     .rows = {{DESCRIBE_TABLE, .fail = "bad certificate", .fail_kind = ERR_INVALID}},
     .count = 1,
     .kind = ERR_INVALID,
     .fails = "bad certificate"},
    {.name = "busy is not for the call to wait out",
     .rows = {{DESCRIBE_TABLE, .status = 400, .reply = "{\"__type\":\"ResourceInUseException\"}"}},
     .count = 1,
     .kind = ERR_RETRY,
     .fails = "ResourceInUseException"},
};

static void retries(void **state)
{
    const struct retry_row *row = *state;
    struct fixture f;
    struct err *err;
    int64_t start_ms;

    fixture_init(&f, AWS_TARGET, row->rows, row->count);
    f.config.max_attempts = row->max_attempts;
    start_ms = sched_now_ms(f.t.env.sched);
    err = describe(&f);
    /* Not a measurement: time stands still but for the waits. */
    assert_true(sched_now_ms(f.t.env.sched) - start_ms <= 2000);
    if (row->works)
        assert_no_err(err);
    else
        assert_fails(err, row->kind, row->fails);
    fixture_done(&f);
}

/* More attempts than three, but no more waiting. */
static void asks_as_often_as_told_in_time(void **state)
{
    static const struct exchange rows[] = {{DESCRIBE_TABLE, .fail = "connection reset", .times = -1}};
    struct fixture f;
    size_t most = 0;

    (void)state;
    FIXTURE(f, rows);
    f.config.max_attempts = 100;
    for (int i = 0; i < 10; i++) {
        size_t before = script_sent_count(f.t.script);
        int64_t start_ms = sched_now_ms(f.t.env.sched);
        size_t sent;

        assert_fails(describe(&f), ERR_RETRY, "connection reset");
        assert_true(sched_now_ms(f.t.env.sched) - start_ms <= 2000);
        sent = script_sent_count(f.t.script) - before - (i == 0); /* who we are */
        assert_true(sent < 50);
        most = sent > most ? sent : most;
    }
    assert_true(most > 3);
    fixture_done(&f);
}

#define STS_THROTTLED                                                                        \
    .host = "sts.*", .status = 400, .reply_headers = {"x-amz-retry-after: 800"},             \
    .reply = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message>" \
             "</Error></ErrorResponse>"

/* What its credentials take is part of the call. */
static void waits_no_longer_for_credentials(void **state)
{
    static const struct exchange rows[] = {
        {STS_THROTTLED, .body_contains = {"Action=AssumeRole"}},
        {.host = "sts.*",
         .reply = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>"
                  "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
                  "<Expiration>2026-11-22T17:00:00Z</Expiration></Credentials></AssumeRoleResult>"
                  "</AssumeRoleResponse>"},
        {STS_THROTTLED, .body_contains = {"Action=GetCallerIdentity"}},
        WHOAMI(FIXTURE_ACCOUNT),
        {DESCRIBE_TABLE, .status = 400, .reply_headers = {"x-amz-retry-after: 800"},
         .reply = "{\"__type\":\"ThrottlingException\"}"},
    };
    AUTO_AWS_ACCOUNT struct aws_account *account = NULL;
    struct fixture f;
    int64_t start_ms;

    (void)state;
    fixture_init_bare(&f, AWS_TARGET, rows, COUNT_OF(rows));
    assert_no_err(
        aws_account_new(&(struct aws_account_opts){.account_id = FIXTURE_ACCOUNT,
                                                   .region = FIXTURE_REGION,
                                                   .usage = AWS_TARGET,
                                                   .config = &f.config,
                                                   .identity = f.identity,
                                                   .role_arn = "arn:aws:iam::" FIXTURE_ACCOUNT ":role/r"},
                        &account));
    f.aws.account = account;
    start_ms = sched_now_ms(f.t.env.sched);
    assert_fails(describe(&f), ERR_RETRY, "ThrottlingException");
    assert_number(sched_now_ms(f.t.env.sched) - start_ms, 1600);
    aws_account_unref(TAKE(account));
    fixture_done(&f);
}

static void hands_the_hint_on(void **state)
{
    static const struct exchange rows[] = {{DESCRIBE_TABLE, .status = 400,
                                            .reply = "{\"__type\":\"ThrottlingException\"}",
                                            .reply_headers = {"x-amz-retry-after: 9000"}}};
    struct fixture f;
    struct err *err;

    (void)state;
    FIXTURE(f, rows);
    err = describe(&f);
    assert_err_kind(err, ERR_RETRY);
    assert_number(err_remote(err)->retry_after_ms, 9000);
    assert_number(err_remote(err)->http_status, 400);
    err_free(err);
    fixture_done(&f);
}

#define FORCE                                                                                             \
    .host = "ecs.ap-northeast-1.amazonaws.com", .body_json = "{\"service\":\"s\",\"forceNewDeployment\":" \
                                                             "true}"

static struct err *force(struct fixture *f)
{
    AUTO_ECS_SERVICE struct ecs_service service = {0};

    return ecs_force_deployment(&f->aws, NULL, "s", &service);
}

/* Throttled means refused; anything else may have made a deployment already. */
static void does_not_repeat_what_has_no_token(void **state)
{
    static const struct exchange lost[] = {{FORCE, .fail = "timed out"}};
    static const struct exchange broken[] = {{FORCE, BROKEN}};
    static const struct exchange half[] = {{FORCE, .reply = "{\"service\":"}};
    static const struct exchange throttled[] = {{FORCE, THROTTLED},
                                                {FORCE, .reply = "{\"service\":{\"status\":\"ACTIVE\"}}"}};
    static const struct {
        const struct exchange *rows;
        size_t count;
        bool works;
    } cases[] = {{lost, 1, false}, {broken, 1, false}, {half, 1, false}, {throttled, 2, true}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;

        fixture_init(&f, AWS_TARGET, cases[i].rows, cases[i].count);
        if (cases[i].works)
            assert_no_err(force(&f));
        else
            assert_fails(force(&f), ERR_RETRY, "ecs UpdateService");
        fixture_done(&f);
    }
}

struct stopper {
    struct sched *sched;
    struct stop *stop;
};

static void stop_soon(void *arg)
{
    struct stopper *stopper = arg;

    sched_wait_until(stopper->sched, NULL, sched_now_ms(stopper->sched) + 100);
    stop_request(stopper->stop);
}

static void stops_while_waiting(void **state)
{
    static const struct exchange rows[] = {{DESCRIBE_TABLE, .status = 400,
                                            .reply = "{\"__type\":\"ThrottlingException\"}",
                                            .reply_headers = {"x-amz-retry-after: 1500"}}};
    struct fixture f;
    struct stopper stopper;
    struct task *task;
    struct env env;

    (void)state;
    FIXTURE(f, rows);
    stopper = (struct stopper){.sched = f.t.env.sched, .stop = stop_new()};
    env = f.t.env;
    env.stop = stopper.stop;
    f.aws.env = &env;
    task = sched_spawn(env.sched, "stopper", stop_soon, &stopper);
    assert_fails(describe(&f), ERR_CANCELED, "DescribeTable: stopped");
    sched_join(task);
    /* And is not begun again. */
    assert_fails(describe(&f), ERR_CANCELED, "DescribeTable: stopped");
    fixture_done(&f);
    stop_free(stopper.stop);
}

static void quota_ends_retries(void **state)
{
    static const struct exchange rows[] = {{DESCRIBE_TABLE, .fail = "connection refused", .times = -1}};
    struct fixture f;
    size_t before;

    (void)state;
    FIXTURE(f, rows);
    for (int i = 0; i < 30; i++)
        assert_fails(describe(&f), ERR_RETRY, NULL);
    before = script_sent_count(f.t.script);
    assert_fails(describe(&f), ERR_RETRY, NULL);
    assert_number((int64_t)(script_sent_count(f.t.script) - before), 1);
    fixture_done(&f);
}

#define DESCRIBE_SERVICE .host = "ecs.ap-northeast-1.amazonaws.com"

/* A service that is down takes no retries away from the others. */
static void a_service_has_a_quota_of_its_own(void **state)
{
    static const struct exchange rows[] = {
        {DESCRIBE_TABLE, .fail = "connection refused", .times = -1},
        {DESCRIBE_SERVICE, .fail = "connection refused"},
        {DESCRIBE_SERVICE,
         .reply = "{\"services\":[{\"serviceName\":\"s\",\"status\":\"ACTIVE\"}],\"failures\":[]}"},
    };
    AUTO_ECS_SERVICE struct ecs_service service = {0};
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    for (int i = 0; i < 60; i++)
        assert_fails(describe(&f), ERR_RETRY, NULL);
    assert_no_err(ecs_describe_service(&f.aws, NULL, "s", &service));
    fixture_done(&f);
}

/* --- how fast --- */

#define CROWD 8

struct caller {
    struct fixture *fixture;
    struct err *err;
};

static void call_once(void *arg)
{
    struct caller *caller = arg;

    caller->err = describe(caller->fixture);
}

/* A service that throttles everything is asked less and less; what would have to wait for long comes back. */
static void holds_back_after_throttling(void **state)
{
    static const struct exchange rows[] = {{DESCRIBE_TABLE, THROTTLED, .times = -1}};
    struct caller callers[CROWD] = {0};
    struct task *tasks[CROWD];
    struct fixture f;
    size_t held = 0;

    (void)state;
    FIXTURE(f, rows);
    for (int i = 0; i < 20; i++)
        assert_fails(describe(&f), ERR_RETRY, "ThrottlingException");
    for (size_t i = 0; i < CROWD; i++) {
        callers[i].fixture = &f;
        tasks[i] = sched_spawn(f.t.env.sched, "caller", call_once, &callers[i]);
    }
    for (size_t i = 0; i < CROWD; i++)
        sched_join(tasks[i]);
    for (size_t i = 0; i < CROWD; i++) {
        assert_err_kind(callers[i].err, ERR_RETRY);
        if (err_is_code(callers[i].err, "HeldBack")) {
            held++;
            assert_err_contains(callers[i].err, "dynamodb DescribeTable: held back for ");
            assert_err_contains(callers[i].err, "222222222222");
            assert_true(err_remote(callers[i].err)->retry_after_ms > 0);
        }
        err_free(callers[i].err);
    }
    assert_true(held > 0);
    fixture_done(&f);
}

struct learnt_row {
    const char *name;
    const char *id, *region;
    bool has_to_wait;
};

static const struct learnt_row learnt_rows[] = {
    {"the account was made anew", FIXTURE_ACCOUNT, FIXTURE_REGION, true},
    {"another Region", FIXTURE_ACCOUNT, "eu-central-1", false},
    {"another account", "333333333333", FIXTURE_REGION, false},
};

/* Not a measurement: time stands still but for the waits. */
static bool has_to_wait(struct fixture *f)
{
    int64_t start_ms = sched_now_ms(f->t.env.sched);

    assert_fails(describe(f), ERR_RETRY, "ThrottlingException");
    return sched_now_ms(f->t.env.sched) > start_ms;
}

/* What a service was found to bear is known of the account, whoever stands for it. */
static void keeps_what_it_learnt(void **state)
{
    static const struct exchange rows[] = {{.method = "POST",
                                            .host = "dynamodb.*",
                                            .status = 400,
                                            .reply = "{\"__type\":\"ThrottlingException\"}",
                                            .reply_headers = {"retry-after: 3"},
                                            .times = -1}};
    const struct learnt_row *row = *state;
    const struct exchange whoami[] = {{.method = "POST",
                                       .host = "sts.*",
                                       .times = -1,
                                       .reply = text_equal(row->id, FIXTURE_ACCOUNT)
                                                    ? WHOAMI_REPLY(FIXTURE_ACCOUNT)
                                                    : WHOAMI_REPLY("333333333333")}};
    AUTO_AWS_ACCOUNT struct aws_account *other = NULL;
    struct fixture f;

    FIXTURE(f, rows);
    f.config.traffic = aws_traffic_new(NULL);
    for (int i = 0; i < 20; i++)
        has_to_wait(&f);
    assert_true(has_to_wait(&f));
    script_add(f.t.script, whoami, 1);
    assert_no_err(aws_account_new(&(struct aws_account_opts){.account_id = row->id,
                                                             .region = row->region,
                                                             .usage = AWS_TARGET,
                                                             .config = &f.config,
                                                             .identity = f.identity},
                                  &other));
    f.aws.account = other;
    assert_int_equal(has_to_wait(&f), row->has_to_wait);
    aws_account_unref(TAKE(other));
    aws_traffic_free(f.config.traffic);
    fixture_done(&f);
}

/* --- clocks --- */

#define SKEWED                                                                                            \
    .status = 400, .reply = "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired: " \
                            "20261122T160000Z is now earlier\"}"

static void corrects_the_clock_once(void **state)
{
    static const struct exchange rows[] = {
        {DESCRIBE_TABLE, .headers = {"x-amz-date: 20261122T160000Z"}, SKEWED,
         .reply_headers = {"date: Sun, 22 Nov 2026 16:10:00 GMT"}},
        {DESCRIBE_TABLE, .headers = {"x-amz-date: 20261122T161000Z"}, .reply = TABLE_REPLY},
        {DESCRIBE_TABLE, .headers = {"x-amz-date: 20261122T161000Z"}, .reply = TABLE_REPLY},
    };
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    assert_no_err(describe(&f));
    assert_number(aws_account_clock_skew_ms(f.account), 600000);
    assert_no_err(describe(&f));
    fixture_done(&f);
}

/* Both were signed before either answer came. */
static void corrects_the_clock_of_all_callers(void **state)
{
    static const struct exchange rows[] = {
        {DESCRIBE_TABLE, .headers = {"x-amz-date: 20261122T160000Z"}, SKEWED, .delay_ms = 10, .times = 2,
         .reply_headers = {"date: Sun, 22 Nov 2026 16:10:00 GMT"}},
        {DESCRIBE_TABLE, .headers = {"x-amz-date: 20261122T1610"}, .reply = TABLE_REPLY, .times = 2},
    };
    struct fixture f;
    struct caller callers[2] = {0};
    struct task *tasks[COUNT_OF(callers)];

    (void)state;
    FIXTURE(f, rows);
    for (size_t i = 0; i < COUNT_OF(callers); i++) {
        callers[i].fixture = &f;
        tasks[i] = sched_spawn(f.t.env.sched, "caller", call_once, &callers[i]);
    }
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        sched_join(tasks[i]);
    for (size_t i = 0; i < COUNT_OF(callers); i++)
        assert_no_err(callers[i].err);
    fixture_done(&f);
}

static void does_not_loop_on_signatures(void **state)
{
    static const struct exchange with_equal_clocks[] = {
        {DESCRIBE_TABLE, SKEWED, .reply_headers = {"date: Sun, 22 Nov 2026 16:01:00 GMT"}}};
    static const struct exchange again[] = {
        {DESCRIBE_TABLE, SKEWED, .reply_headers = {"date: Sun, 22 Nov 2026 16:10:00 GMT"}},
        {DESCRIBE_TABLE, SKEWED, .reply_headers = {"date: Sun, 22 Nov 2026 17:10:00 GMT"}}};
    struct fixture f;

    (void)state;
    FIXTURE(f, with_equal_clocks);
    assert_fails(describe(&f), ERR_DENIED, "InvalidSignatureException");
    fixture_done(&f);
    FIXTURE(f, again);
    assert_fails(describe(&f), ERR_DENIED, "InvalidSignatureException");
    fixture_done(&f);
}

/* --- who listens --- */

static void write_down(void *arg, const struct aws_call_seen *seen)
{
    buf_addf(arg, "%s %s %s: %s%s%s %lld ms, skew %lld;", seen->service, seen->operation,
             seen->account_id ? seen->account_id : "identity", seen->code,
             seen->was_throttled ? " throttled" : "", seen->is_retry ? " again" : "",
             (long long)seen->took_ms, (long long)seen->skew_ms);
}

static void tells_of_every_request(void **state)
{
    static const struct exchange rows[] = {
        {DESCRIBE_TABLE, SKEWED, .delay_ms = 20, .reply_headers = {"date: Sun, 22 Nov 2026 16:10:00 GMT"}},
        {DESCRIBE_TABLE, THROTTLED, .delay_ms = 30},
        {DESCRIBE_TABLE, .reply = TABLE_REPLY, .delay_ms = 40},
        {DESCRIBE_TABLE, .fail = "no route", .fail_kind = ERR_INVALID},
    };
    AUTO_BUF struct buf heard = BUF_MAX(KIB);
    struct fixture f;

    (void)state;
    FIXTURE(f, rows);
    f.config.traffic = aws_traffic_new(&(struct aws_listener){.on_call = write_down, .arg = &heard});
    assert_no_err(describe(&f));
    assert_fails(describe(&f), ERR_INVALID, "no route");
    assert_text_equal(buf_text(&heard),
                      "sts GetCallerIdentity 222222222222: OK 0 ms, skew 0;"
                      "dynamodb DescribeTable 222222222222: InvalidSignatureException 20 ms, skew 0;"
                      "dynamodb DescribeTable 222222222222: ThrottlingException throttled again 30 ms, "
                      "skew 599980;"
                      "dynamodb DescribeTable 222222222222: OK again 40 ms, skew 599980;"
                      "dynamodb DescribeTable 222222222222: NoAnswer 0 ms, skew 599980;");
    aws_traffic_free(f.config.traffic);
    fixture_done(&f);
}

/* --- expired --- */

#define EXPIRED .status = 400, .reply = "{\"__type\":\"ExpiredTokenException\",\"message\":\"expired\"}"

static void renews_expired_credentials_once(void **state)
{
    static const struct exchange works[] = {
        {DESCRIBE_TABLE, EXPIRED}, WHOAMI(FIXTURE_ACCOUNT), {DESCRIBE_TABLE, .reply = TABLE_REPLY}};
    static const struct exchange fails[] = {
        {DESCRIBE_TABLE, EXPIRED}, WHOAMI(FIXTURE_ACCOUNT), {DESCRIBE_TABLE, EXPIRED}};
    struct fixture f;

    (void)state;
    FIXTURE(f, works);
    assert_no_err(describe(&f));
    fixture_done(&f);
    FIXTURE(f, fails);
    assert_fails(describe(&f), ERR_DENIED, "ExpiredTokenException");
    fixture_done(&f);
}

/* --- secrets --- */

static void says_no_secret(void **state)
{
    static const struct exchange rows[] = {
        {.host = "rds.ap-northeast-1.amazonaws.com",
         .body_contains = {"MasterUserPassword=hunter2-hunter2"},
         .status = 400,
         .reply = "<ErrorResponse><Error><Code>InvalidParameterValue</Code><Message>The password "
                  "hunter2-hunter2 is bad</Message>"
                  "</Error><RequestId>r</RequestId></ErrorResponse>"},
        {.host = "ssm.ap-northeast-1.amazonaws.com",
         .status = 400,
         .reply = "{\"__type\":\"ValidationException\",\"message\":\"1 validation error detected: Value "
                  "'hunt...' at 'value'\"}"},
    };
    AUTO_SECRET struct secret *password = secret_new(STR("hunter2-hunter2"));
    AUTO_FREE char *log = NULL;
    struct fixture f;
    struct err *err;

    (void)state;
    FIXTURE(f, rows);
    err = rds_modify_cluster(&f.aws,
                             &(struct rds_modify_opts){.cluster_id = "c", .master_password = password}, NULL);
    assert_err_kind(err, ERR_INVALID);
    assert_err_contains(err, "InvalidParameterValue: the message is withheld");
    assert_text_lacks(err_text(err), "hunter2");
    assert_text_lacks(err_remote(err)->message, "hunter2");
    err_free(err);
    err = ssm_put_parameter(&f.aws, &(struct ssm_put_opts){.name = "n", .value = password}, NULL);
    assert_text_lacks(err_text(err), "hunt.");
    err_free(err);
    assert_true(script_sent(f.t.script, 1)->sensitive);
    assert_true(script_sent(f.t.script, 2)->sensitive);
    log = testing_env_log(&f.t);
    assert_text_contains(log, "ModifyDBCluster");
    assert_text_lacks(log, "hunter2");
    assert_text_lacks(log, FIXTURE_SECRET);
    assert_text_lacks(log, "AWS4-HMAC");
    fixture_done(&f);
}

static void knows_tags_and_texts(void **state)
{
    struct aws_tag items[] = {{(char[]){"a"}, (char[]){"1"}}};
    const struct aws_tags tags = {items, 1};

    (void)state;
    assert_text_equal(aws_tags_get(&tags, "a"), "1");
    assert_null(aws_tags_get(&tags, "b"));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, signs_and_sends);
    TEST(&tests, keeps_the_path_of_an_override);
    TEST(&tests, refuses_another_account);
    TEST(&tests, asks_who_it_is_once);
    TEST_ROWS(&tests, checks_its_options, opts_rows);
    TEST_ROWS(&tests, retries, retry_rows);
    TEST(&tests, asks_as_often_as_told_in_time);
    TEST(&tests, waits_no_longer_for_credentials);
    TEST(&tests, hands_the_hint_on);
    TEST(&tests, does_not_repeat_what_has_no_token);
    TEST(&tests, stops_while_waiting);
    TEST(&tests, quota_ends_retries);
    TEST(&tests, a_service_has_a_quota_of_its_own);
    TEST(&tests, holds_back_after_throttling);
    TEST_ROWS(&tests, keeps_what_it_learnt, learnt_rows);
    TEST(&tests, corrects_the_clock_once);
    TEST(&tests, corrects_the_clock_of_all_callers);
    TEST(&tests, does_not_loop_on_signatures);
    TEST(&tests, tells_of_every_request);
    TEST(&tests, renews_expired_credentials_once);
    TEST(&tests, says_no_secret);
    TEST(&tests, knows_tags_and_texts);
    return tests_run(&tests, "client");
}
