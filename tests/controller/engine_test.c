/* Who gets a worker, and when a key comes again. The objects are made up here: reading one may take long, or
 * fail. */
#include "controller/engine.h"

#include "tests/testing/testing_env.h"

#define HANGS_MS SECONDS(30)

struct trial {
    struct objects objects; /* first */
    struct testing_env t;
    struct aws_config config;
    struct engine *engine;
    struct buf told; /* which object was read when */
    int failures;    /* of reads yet to come */
    enum err_kind failure;
};

static struct json *account_of(const char *name, const char *usage)
{
    AUTO_FREE char *text = xasprintf(
        "{\"apiVersion\":\"" API_VERSION "\",\"kind\":\"AWSAccount\",\"metadata\":{\"name\":\"%s\"},"
        "\"spec\":{\"accountID\":\"222222222222\",\"region\":\"ap-northeast-1\",\"usage\":\"%s\","
        "\"credentials\":{\"assumeRole\":{\"roleARN\":\"arn:aws:iam::222222222222:role/refresh\"}},"
        "\"backup\":{\"vaultName\":\"staging-refresh\",\"serviceRoleARN\":\"arn:aws:iam::222222222222:role/"
        "backup\"}}}",
        name, usage);
    struct json *account = NULL;

    assert_no_err(json_parse(str_of(text), NULL, &account));
    return account;
}

/* Another AWSAccount says that the account is a source: each is refused, and looked at again every minute. */
static void each_object(struct objects *self UNUSED, enum object_kind kind UNUSED, const char *group UNUSED,
                        objects_see_fn *see, void *arg)
{
    AUTO_JSON struct json *account = account_of("source", "Source");

    (void)see(arg, account);
}

static struct err *write_status(struct objects *self UNUSED, const struct env *env UNUSED,
                                const struct json *object, const struct json *status UNUSED,
                                struct json **ret)
{
    *ret = json_copy(object);
    return NULL;
}

/* "hang" stands for an AWS that does not answer. */
static struct err *read_object(struct objects *self, const struct env *env, const struct object_id *id,
                               struct json **ret)
{
    struct trial *trial = (struct trial *)self;

    buf_addf(&trial->told, "%s@%lld ", id->name, (long long)sched_now_ms(env->sched));
    if (id->kind == OBJECT_ACCOUNT) {
        *ret = account_of(id->name, "Target");
        return NULL;
    }
    if (str_starts(str_of(id->name), "hang"))
        (void)sched_wait_until(env->sched, NULL, sched_now_ms(env->sched) + HANGS_MS);
    *ret = NULL;
    if (!str_starts(str_of(id->name), "fail") || !trial->failures)
        return NULL;
    trial->failures--;
    return err_new(trial->failure, "made up");
}

static struct err *read_leftovers(struct objects *self UNUSED, const struct env *env UNUSED,
                                  struct json **ret)
{
    *ret = NULL;
    return NULL;
}

static void emit(struct objects *self UNUSED, const struct env *env UNUSED, const struct json *object UNUSED,
                 enum event_severity severity UNUSED, const char *reason UNUSED, const char *note UNUSED)
{
}

static struct transport *no_transport(void *arg UNUSED)
{
    return NULL;
}

static void init(struct trial *trial, int workers)
{
    static const struct objects_ops ops = {.read = read_object,
                                           .each = each_object,
                                           .write_status = write_status,
                                           .read_leftovers = read_leftovers,
                                           .emit = emit};

    memset(trial, 0, sizeof(*trial));
    trial->objects.ops = &ops;
    testing_env_init(&trial->t, 1, NULL, 0, NULL);
    trial->told = BUF_MAX(64 * KIB);
    trial->engine = engine_new(&(struct engine_opts){.objects = &trial->objects,
                                                     .config = &trial->config,
                                                     .sched = trial->t.env.sched,
                                                     .random = trial->t.env.random,
                                                     .log = trial->t.env.log,
                                                     .stop = trial->t.env.stop,
                                                     .workers = workers,
                                                     .new_transport = no_transport});
    engine_start(trial->engine);
    assert_true(sched_wait_until(trial->t.env.sched, NULL, 1)); /* all wait */
}

static void done(struct trial *trial)
{
    engine_stop(trial->engine);
    engine_free(trial->engine);
    buf_done(&trial->told);
    testing_env_done(&trial->t);
}

static void notify(struct trial *trial, const char *name, enum work_priority priority)
{
    const struct object_id id = {.kind = OBJECT_REFRESH, .namespace = "staging", .name = name};

    engine_notify(trial->engine, &id, priority);
}

static void new_objects_do_not_wait_for_calls_that_hang(void **state UNUSED)
{
    struct trial trial;

    init(&trial, 4);
    for (int i = 0; i < 8; i++) {
        AUTO_FREE char *name = xasprintf("hang-%d", i);

        notify(&trial, name, WORK_ROUTINE);
    }
    assert_true(sched_wait_until(trial.t.env.sched, NULL, 10));
    buf_reset(&trial.told);
    notify(&trial, "new", WORK_URGENT);
    assert_true(sched_wait_until(trial.t.env.sched, NULL, 11));
    assert_text_equal(buf_text(&trial.told), "new@10 ");
    done(&trial);
}

static const struct again_row {
    const char *name;
    enum err_kind failure;
    enum work_priority priority;
    int failures;
    const char *want;
} again_rows[] = {
    {.name = "a race that was lost is tried again within moments",
     .failure = ERR_CONFLICT,
     .priority = WORK_URGENT,
     .failures = 3,
     .want = "fail@1 fail@6 fail@16 fail@36 "},
    {.name = "other failures are given time",
     .failure = ERR_RETRY,
     .priority = WORK_URGENT,
     .failures = 2,
     .want = "fail@1 fail@1001 fail@3001 "},
};

static void comes_again(void **state)
{
    const struct again_row *row = *state;
    struct trial trial;

    init(&trial, 4);
    trial.failure = row->failure;
    trial.failures = row->failures;
    notify(&trial, "fail", row->priority);
    assert_true(sched_wait_until(trial.t.env.sched, NULL, MINUTES(1)));
    assert_text_equal(buf_text(&trial.told), row->want);
    done(&trial);
}

/* Behind a hundred re-checks nobody would see it for minutes. */
static void what_was_urgent_stays_urgent(void **state UNUSED)
{
    struct trial trial;

    init(&trial, 4);
    trial.failure = ERR_RETRY;
    trial.failures = 1;
    notify(&trial, "fail", WORK_URGENT);
    assert_true(sched_wait_until(trial.t.env.sched, NULL, 10));
    for (int i = 0; i < 8; i++) {
        AUTO_FREE char *name = xasprintf("hang-%d", i);

        notify(&trial, name, WORK_ROUTINE);
    }
    assert_true(sched_wait_until(trial.t.env.sched, NULL, 900));
    buf_reset(&trial.told);
    assert_true(sched_wait_until(trial.t.env.sched, NULL, 1100));
    assert_text_equal(buf_text(&trial.told), "fail@1001 ");
    done(&trial);
}

/* All at once after a start, and not together for ever. */
static void what_comes_regularly_spreads(void **state UNUSED)
{
    struct trial trial;
    int64_t now_ms = 1;
    size_t most = 0;

    init(&trial, 4);
    for (int i = 0; i < 100; i++) {
        AUTO_FREE char *name = xasprintf("account-%d", i);
        const struct object_id id = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = name};

        engine_notify(trial.engine, &id, WORK_ROUTINE);
    }
    assert_true(sched_wait_until(trial.t.env.sched, NULL, MINUTES(1) - 1));
    for (; now_ms <= SECONDS(6); now_ms += 100) {
        buf_reset(&trial.told);
        assert_true(sched_wait_until(trial.t.env.sched, NULL, MINUTES(1) + now_ms));
        if (trial.told.len > most)
            most = trial.told.len;
    }
    assert_in_range(most, strlen("account-10@60000 "), 10 * strlen("account-10@60000 "));
    done(&trial);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, new_objects_do_not_wait_for_calls_that_hang);
    TEST_ROWS(&tests, comes_again, again_rows);
    TEST(&tests, what_was_urgent_stays_urgent);
    TEST(&tests, what_comes_regularly_spreads);
    return tests_run(&tests, "engine");
}
