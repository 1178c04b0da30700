#include "pkg/aws/credentials.h"

#include "tests/testing/testing_env.h"

/* A source that parks while it fetches, so that others come late. */
struct slow {
    struct credentials_source base;
    struct sched *sched;
    int64_t takes_ms;
    int64_t lifetime_ms; /* 0: for ever */
    int fetches;
    int forgotten; /* atomic */
    bool fails;
    bool has_none;
    bool has_token;
    const struct stop *canceled_by;
};

static struct err *slow_fetch(struct credentials_source *self, const struct env *env,
                              struct credentials **ret)
{
    struct slow *slow = (struct slow *)self;
    char key[40];

    slow->fetches++;
    *ret = NULL;
    if (slow->takes_ms)
        sched_wait_until(slow->sched, env->stop, sched_now_ms(slow->sched) + slow->takes_ms);
    if (slow->canceled_by && stop_requested(env->stop))
        return err_new(ERR_CANCELED, "stopped");
    if (slow->has_none)
        return NULL;
    if (slow->fails)
        return err_set_remote(err_new(ERR_DENIED, "sts says no"),
                              &(struct err_remote){.code = "AccessDenied", .http_status = 403});
    snprintf(key, sizeof(key), "KEY%d", slow->fetches);
    *ret = credentials_new(str_of(key), secret_new(STR("s")), slow->has_token ? secret_new(STR("t")) : NULL,
                           slow->lifetime_ms ? sched_wall_ms(slow->sched) + slow->lifetime_ms : NEVER_MS);
    return NULL;
}

static void slow_forget(struct credentials_source *self, const struct credentials *rejected)
{
    (void)rejected;
    __atomic_add_fetch(&((struct slow *)self)->forgotten, 1, __ATOMIC_RELAXED);
}

static void slow_free(struct credentials_source *self)
{
    (void)self;
}

static const struct credentials_source_ops slow_ops = {
    .name = "slow", .fetch = slow_fetch, .forget = slow_forget, .free = slow_free};

struct scene {
    struct testing_env t;
    struct slow slow;
    struct credentials_cache *cache;
};

static void scene_init(struct scene *scene, uint64_t seed)
{
    *scene = (struct scene){0};
    testing_env_init(&scene->t, seed, NULL, 0, NULL);
    scene->slow = (struct slow){.base.ops = &slow_ops, .sched = scene->t.env.sched};
    scene->cache = credentials_cache_new(&scene->slow.base);
}

static void scene_done(struct scene *scene)
{
    credentials_cache_free(scene->cache);
    testing_env_done(&scene->t);
}

static void pass_time(struct scene *scene, int64_t ms)
{
    assert_true(sched_wait_until(scene->t.env.sched, NULL, sched_now_ms(scene->t.env.sched) + ms));
}

/* Expects credentials of that fetch. */
static void expect_key(struct scene *scene, const char *key)
{
    AUTO_CREDENTIALS struct credentials *got = NULL;

    assert_no_err(credentials_get(scene->cache, &scene->t.env, &got));
    assert_text_equal(got->access_key_id, key);
}

/* --- many threads --- */

#define WORKERS 8

struct worker {
    struct scene *scene;
    struct env env;
    struct credentials *got;
    struct err *err;
};

static void work(void *arg)
{
    struct worker *worker = arg;

    worker->err = credentials_get(worker->scene->cache, &worker->env, &worker->got);
}

static void run_workers(struct scene *scene, struct worker *workers)
{
    struct task *tasks[WORKERS];

    for (size_t i = 0; i < WORKERS; i++) {
        workers[i].scene = scene;
        if (!workers[i].env.sched)
            workers[i].env = scene->t.env;
        tasks[i] = sched_spawn(scene->t.env.sched, "worker", work, &workers[i]);
    }
    for (size_t i = 0; i < WORKERS; i++)
        sched_join(tasks[i]);
}

static void one_fetch_serves_all(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct worker workers[WORKERS] = {0};
        struct scene scene;

        scene_init(&scene, seed);
        scene.slow.takes_ms = 100;
        run_workers(&scene, workers);
        assert_number(scene.slow.fetches, 1);
        for (size_t i = 0; i < WORKERS; i++) {
            assert_no_err(workers[i].err);
            assert_text_equal(workers[i].got->access_key_id, "KEY1");
            credentials_unref(workers[i].got);
        }
        scene_done(&scene);
    }
}

static void one_failure_is_told_to_all(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct worker workers[WORKERS] = {0};
        struct scene scene;

        scene_init(&scene, seed);
        scene.slow.takes_ms = 100;
        scene.slow.fails = true;
        run_workers(&scene, workers);
        /* Whoever comes after the flight has ended makes one of his own; nobody fetches beside another. */
        assert_number(scene.slow.fetches, 1);
        for (size_t i = 0; i < WORKERS; i++) {
            assert_true(err_is_code(workers[i].err, "AccessDenied"));
            assert_fails(workers[i].err, ERR_DENIED, "sts says no");
        }
        scene_done(&scene);
    }
}

/* Whoever waits for somebody else's fetch goes back to the queue when it takes long, and finds its result
 * then. */
static void a_long_fetch_is_not_waited_for(void **state)
{
    struct worker workers[WORKERS] = {0};
    struct scene scene;
    size_t late = 0;

    (void)state;
    scene_init(&scene, 1);
    scene.slow.takes_ms = SECONDS(5);
    run_workers(&scene, workers);
    assert_number(scene.slow.fetches, 1);
    for (size_t i = 0; i < WORKERS; i++) {
        late += workers[i].err != NULL;
        if (workers[i].err)
            assert_fails(workers[i].err, ERR_RETRY, "still being fetched");
        credentials_unref(workers[i].got);
    }
    assert_number((int64_t)late, WORKERS - 1);
    expect_key(&scene, "KEY1");
    scene_done(&scene);
}

struct stopper {
    struct scene *scene;
    struct stop *stop;
    int64_t after_ms;
};

static void stop_later(void *arg)
{
    struct stopper *stopper = arg;

    pass_time(stopper->scene, stopper->after_ms);
    stop_request(stopper->stop);
}

/* The thread that fetches is told to stop: the others are not, so one of them fetches in its place. */
static void a_stop_is_its_own(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct worker workers[WORKERS] = {0};
        struct stopper stopper = {.after_ms = 50};
        struct scene scene;
        struct task *task;
        size_t stopped = 0;

        scene_init(&scene, seed);
        stopper.scene = &scene;
        stopper.stop = stop_new();
        scene.slow.takes_ms = 100;
        scene.slow.canceled_by = stopper.stop;
        for (size_t i = 0; i < WORKERS / 2; i++) {
            workers[i].env = scene.t.env;
            workers[i].env.stop = stopper.stop;
        }
        task = sched_spawn(scene.t.env.sched, "stopper", stop_later, &stopper);
        run_workers(&scene, workers);
        sched_join(task);
        for (size_t i = 0; i < WORKERS; i++) {
            if (i < WORKERS / 2) {
                assert_fails(workers[i].err, ERR_CANCELED, "stopped");
                stopped++;
                continue;
            }
            assert_no_err(workers[i].err);
            credentials_unref(workers[i].got);
        }
        assert_number((int64_t)stopped, WORKERS / 2);
        assert_true(scene.slow.fetches <= 2);
        stop_free(stopper.stop);
        scene_done(&scene);
    }
}

/* The same on plain threads, for the thread sanitizer: short-lived credentials, refused again and again. */
static void hammer(void *arg)
{
    struct worker *worker = arg;

    for (int i = 0; i < 200 && !worker->err; i++) {
        struct credentials *got = NULL;

        worker->err = credentials_get(worker->scene->cache, &worker->env, &got);
        if (got && i % 10 == 0)
            credentials_invalidate(worker->scene->cache, got);
        credentials_unref(got);
    }
}

static void holds_on_plain_threads(void **state)
{
    struct worker workers[WORKERS] = {0};
    struct task *tasks[WORKERS];
    struct sched *sched = sched_threads_new(1);
    struct scene scene = {
        .slow = {.base.ops = &slow_ops, .sched = sched, .takes_ms = 1, .lifetime_ms = HOURS(1)}};

    (void)state;
    scene.cache = credentials_cache_new(&scene.slow.base);
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.scene = &scene, .env = {.sched = sched}};
        tasks[i] = sched_spawn(sched, "worker", hammer, &workers[i]);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        sched_join(tasks[i]);
        assert_no_err(workers[i].err);
    }
    credentials_cache_free(scene.cache);
    sched_free(sched);
}

/* --- time --- */

static void fetches_anew_before_the_end(void **state)
{
    struct scene scene;

    (void)state;
    scene_init(&scene, 1);
    scene.slow.lifetime_ms = HOURS(1);
    expect_key(&scene, "KEY1");
    pass_time(&scene, MINUTES(44));
    expect_key(&scene, "KEY1");
    pass_time(&scene, MINUTES(2));
    expect_key(&scene, "KEY2");
    assert_number(scene.slow.fetches, 2);
    scene_done(&scene);
}

/* Between 15 and 10 minutes before the end a failure is tolerated, and not repeated by everybody; after that
 * it is the caller's. */
static void tolerates_failures_for_a_while(void **state)
{
    struct scene scene;
    struct credentials *got = NULL;

    (void)state;
    scene_init(&scene, 1);
    scene.slow.lifetime_ms = HOURS(1);
    expect_key(&scene, "KEY1");
    scene.slow.fails = true;
    pass_time(&scene, MINUTES(46));
    expect_key(&scene, "KEY1");
    assert_number(scene.slow.fetches, 2);
    expect_key(&scene, "KEY1");
    assert_number(scene.slow.fetches, 2);
    pass_time(&scene, SECONDS(31));
    expect_key(&scene, "KEY1");
    assert_number(scene.slow.fetches, 3);
    pass_time(&scene, MINUTES(4));
    assert_fails(credentials_get(scene.cache, &scene.t.env, &got), ERR_DENIED, "sts says no");
    scene.slow.fails = false;
    expect_key(&scene, "KEY5");
    scene_done(&scene);
}

static void others_use_what_is_good_meanwhile(void **state)
{
    struct worker workers[WORKERS] = {0};
    struct scene scene;

    (void)state;
    scene_init(&scene, 7);
    scene.slow.lifetime_ms = HOURS(1);
    expect_key(&scene, "KEY1");
    pass_time(&scene, MINUTES(46));
    scene.slow.takes_ms = 1000;
    run_workers(&scene, workers);
    assert_number(scene.slow.fetches, 2);
    for (size_t i = 0; i < WORKERS; i++) {
        assert_no_err(workers[i].err);
        credentials_unref(workers[i].got);
    }
    scene_done(&scene);
}

static void short_sessions_are_kept_too(void **state)
{
    struct scene scene;

    (void)state;
    scene_init(&scene, 1);
    scene.slow.lifetime_ms = MINUTES(8);
    expect_key(&scene, "KEY1");
    pass_time(&scene, MINUTES(5));
    expect_key(&scene, "KEY1");
    pass_time(&scene, MINUTES(2));
    expect_key(&scene, "KEY2");
    scene_done(&scene);
}

static void refuses_what_has_expired(void **state)
{
    struct scene scene;
    struct credentials *got = NULL;

    (void)state;
    scene_init(&scene, 1);
    scene.slow.lifetime_ms = -1000;
    assert_fails(credentials_get(scene.cache, &scene.t.env, &got), ERR_DENIED,
                 "expired at 2026-11-22T15:59:59Z already, while our clock says 2026-11-22T16:00:00Z");
    scene_done(&scene);
}

static void says_when_there_are_none(void **state)
{
    struct scene scene;
    struct credentials *got = NULL;

    (void)state;
    scene_init(&scene, 1);
    scene.slow.has_none = true;
    assert_fails(credentials_get(scene.cache, &scene.t.env, &got), ERR_DENIED,
                 "no AWS credentials were found");
    scene_done(&scene);
}

static void drops_what_was_refused(void **state)
{
    struct scene scene;
    struct credentials *first = NULL;

    (void)state;
    scene_init(&scene, 1);
    assert_no_err(credentials_get(scene.cache, &scene.t.env, &first));
    credentials_invalidate(scene.cache, first);
    expect_key(&scene, "KEY2");
    assert_number(scene.slow.forgotten, 1);
    /* Somebody else's news about the old ones comes too late. */
    credentials_invalidate(scene.cache, first);
    expect_key(&scene, "KEY2");
    credentials_unref(first);
    scene_done(&scene);
}

/* --- doubts: maybe the session was revoked --- */

struct doubt_row {
    const char *name;
    int64_t at_ms[3]; /* after they came: the server refuses what is held; 0: no more */
    bool want[3];     /* is there reason to try others? */
    int fetches;
    bool for_ever;
};

static const struct doubt_row doubt_rows[] = {
    {.name = "an old session", .at_ms = {MINUTES(2)}, .want = {true}, .fetches = 2},
    {.name = "a young one", .at_ms = {SECONDS(59)}, .fetches = 1},
    {.name = "keys for ever", .at_ms = {MINUTES(2)}, .fetches = 1, .for_ever = true},
    {.name = "soon again", .at_ms = {MINUTES(2), MINUTES(6)}, .want = {true, false}, .fetches = 2},
    {.name = "and later again",
     .at_ms = {MINUTES(2), MINUTES(6), MINUTES(7)},
     .want = {true, false, true},
     .fetches = 3},
};

static void doubts_a_session_now_and_then(void **state)
{
    const struct doubt_row *row = *state;
    struct scene scene;
    int64_t began_ms;

    scene_init(&scene, 1);
    scene.slow.lifetime_ms = HOURS(1);
    scene.slow.has_token = !row->for_ever;
    began_ms = sched_now_ms(scene.t.env.sched);
    for (size_t i = 0; i < COUNT_OF(row->at_ms) && row->at_ms[i]; i++) {
        AUTO_CREDENTIALS struct credentials *held = NULL;

        assert_no_err(credentials_get(scene.cache, &scene.t.env, &held));
        pass_time(&scene, began_ms + row->at_ms[i] - sched_now_ms(scene.t.env.sched));
        assert_int_equal(credentials_doubt(scene.cache, &scene.t.env, held), row->want[i]);
        /* Others whom the same ones were refused are told the same, or take what is new. */
        if (row->want[i])
            assert_true(credentials_doubt(scene.cache, &scene.t.env, held));
    }
    {
        AUTO_CREDENTIALS struct credentials *last = NULL;

        assert_no_err(credentials_get(scene.cache, &scene.t.env, &last));
    }
    assert_number(scene.slow.fetches, row->fetches);
    scene_done(&scene);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, one_fetch_serves_all);
    TEST(&tests, one_failure_is_told_to_all);
    TEST(&tests, a_long_fetch_is_not_waited_for);
    TEST(&tests, a_stop_is_its_own);
    TEST(&tests, holds_on_plain_threads);
    TEST(&tests, fetches_anew_before_the_end);
    TEST(&tests, tolerates_failures_for_a_while);
    TEST(&tests, others_use_what_is_good_meanwhile);
    TEST(&tests, short_sessions_are_kept_too);
    TEST(&tests, refuses_what_has_expired);
    TEST(&tests, says_when_there_are_none);
    TEST(&tests, drops_what_was_refused);
    TEST_ROWS(&tests, doubts_a_session_now_and_then, doubt_rows);
    return tests_run(&tests, "credentials_cache");
}
