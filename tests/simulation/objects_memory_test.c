/* The objects interface in memory keeps the promises of controller/objects.h under everything the seed may
 * do. */
#include "tests/simulation/objects_memory.h"

#include "pkg/refresh/status.h"
#include "tests/simulation/chance.h"
#include "tests/testing/assertions.h"

#define WALL_MS INT64_C(1795363200000) /* 2026-11-22T16:00:00Z */

static const struct object_id shop = {.kind = OBJECT_REFRESH, .namespace = "staging", .name = "shop"};

struct fixture {
    struct sched *sched;
    struct memory *memory;
    struct lifetime *life;
    struct memory_client *client;
    struct objects *objects;
    struct env env;
};

static void begin_life(struct fixture *f)
{
    f->life =
        lifetime_new(&(struct lifetime_opts){.sched = f->sched, .latency_min_ms = 5, .latency_max_ms = 5});
    f->client = memory_client_new(f->memory, f->life);
    f->objects = memory_client_objects(f->client);
    f->env = (struct env){.sched = f->sched, .stop = lifetime_stop(f->life)};
}

static void end_life(struct fixture *f)
{
    memory_client_free(f->client);
    lifetime_free(f->life);
}

static void fixture_init(struct fixture *f, uint64_t seed, const struct memory_opts *opts)
{
    AUTO_JSON struct json *manifest = NULL;
    struct memory_opts used = *opts;

    *f = (struct fixture){.sched = sched_seeded_new(seed, WALL_MS)};
    used.sched = f->sched;
    f->memory = memory_new(&used);
    assert_no_err(json_parse(
        STR("{\"kind\":\"StagingRefresh\",\"metadata\":{\"namespace\":\"staging\",\"name\":\"shop\"},"
            "\"spec\":{\"a\":1}}"),
        NULL, &manifest));
    memory_create(f->memory, manifest);
    begin_life(f);
}

static void fixture_done(struct fixture *f)
{
    end_life(f);
    memory_free(f->memory);
    sched_free(f->sched);
}

static void pass_time(struct fixture *f, int64_t ms)
{
    sched_wait_until(f->sched, NULL, sched_now_ms(f->sched) + ms);
}

static struct err *write_number(struct fixture *f, const struct json *object, int64_t number)
{
    AUTO_JSON struct json *status = json_new_object();
    AUTO_JSON struct json *written = NULL;

    json_set_int(status, "observedGeneration", number);
    return objects_write_status(f->objects, &f->env, object, status, &written);
}

static struct json *read_now(struct fixture *f)
{
    struct json *object = NULL;

    assert_no_err(objects_read(f->objects, &f->env, &shop, &object));
    return object;
}

/* With a server in trouble a live read may fail; it is done again. */
static struct json *read_at_last(struct fixture *f)
{
    struct json *object = NULL;
    struct err *err;

    while ((err = objects_read(f->objects, &f->env, &shop, &object))) {
        assert_err_kind(err, ERR_RETRY);
        err_free(err);
        pass_time(f, 100);
    }
    return object;
}

static int64_t stored_number(struct fixture *f)
{
    return json_get_int(memory_get(f->memory, &shop), "status.observedGeneration", 0);
}

static void a_write_is_read_back(void **state UNUSED)
{
    struct fixture f;

    fixture_init(&f, 1, &(struct memory_opts){0});
    AUTO_JSON struct json *before = read_now(&f);
    assert_no_err(write_number(&f, before, 7));
    AUTO_JSON struct json *after = read_now(&f);
    assert_number(json_get_int(after, "status.observedGeneration", 0), 7);
    assert_number(json_get_int(after, "spec.a", 0), 1);
    assert_number(json_get_int(after, "metadata.generation", 0), 1);
    fixture_done(&f);
}

static void an_old_version_is_refused(void **state UNUSED)
{
    struct fixture f;

    fixture_init(&f, 1, &(struct memory_opts){0});
    AUTO_JSON struct json *before = read_now(&f);
    assert_true(memory_patch(f.memory, &shop, "{\"status\":{\"observedGeneration\":3}}"));
    assert_fails(write_number(&f, before, 7), ERR_CONFLICT, "changed by somebody else");
    assert_number(stored_number(&f), 3);
    fixture_done(&f);
}

static struct err *write_condition(struct fixture *f, const char *reason, const char *message)
{
    AUTO_JSON struct json *before = read_now(f);
    AUTO_JSON struct json *written = NULL;
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();

    status_set_condition(status, "Ready", CONDITION_TRUE, "Fine", message, 1, WALL_MS);
    text_replace(&status->conditions[0].reason, reason);
    AUTO_JSON struct json *value = refresh_status_to_json(status);
    return objects_write_status(f->objects, &f->env, before, value, &written);
}

static void what_the_crd_refuses_is_refused(void **state UNUSED)
{
    struct fixture f;

    fixture_init(&f, 1, &(struct memory_opts){0});
    AUTO_ERR struct err *spaced = write_condition(&f, "not found", "");
    assert_err_kind(spaced, ERR_INVALID);
    assert_non_null(strstr(err_text(spaced), "conditions[0].reason: does not match the pattern: not found"));
    AUTO_ERR struct err *empty = write_condition(&f, "", "");
    assert_err_kind(empty, ERR_INVALID);
    AUTO_JSON struct json *before = read_now(&f);
    AUTO_ERR struct err *negative = write_number(&f, before, -1);
    assert_err_kind(negative, ERR_INVALID);
    assert_null(json_at(memory_get(f.memory, &shop), "status"));
    assert_no_err(write_condition(&f, "NotFound", "no"));
    fixture_done(&f);
}

static void an_edit_beside_the_status_does_not_void_a_write(void **state UNUSED)
{
    struct fixture f;

    fixture_init(&f, 1, &(struct memory_opts){0});
    AUTO_JSON struct json *before = read_now(&f);
    assert_true(memory_patch(f.memory, &shop, "{\"spec\":{\"a\":2}}"));
    assert_no_err(write_number(&f, before, 7));
    assert_number(stored_number(&f), 7);
    assert_number(json_get_int(memory_get(f.memory, &shop), "spec.a", 0), 2);
    assert_number(json_get_int(memory_get(f.memory, &shop), "metadata.generation", 0), 2);
    fixture_done(&f);
}

static void the_cache_lags_behind_others(void **state UNUSED)
{
    struct fixture f;
    bool lagged = false;

    fixture_init(&f, 3, &(struct memory_opts){.lag_max_ms = 1000});
    pass_time(&f, 2000);
    for (int i = 2; i < 20; i++) {
        AUTO_FREE char *patch = xasprintf("{\"spec\":{\"a\":%d}}", i);

        memory_patch(f.memory, &shop, patch);
        AUTO_JSON struct json *early = read_now(&f);
        lagged = lagged || json_get_int(early, "spec.a", 0) < i;
        AUTO_JSON struct json *live = NULL;
        assert_no_err(objects_read_live(f.objects, &f.env, &shop, &live));
        assert_number(json_get_int(live, "spec.a", 0), i);
    }
    assert_true(lagged);
    fixture_done(&f);
}

static void a_new_process_may_see_an_old_version_at_first(void **state UNUSED)
{
    struct fixture f;

    fixture_init(&f, 3, &(struct memory_opts){.lag_max_ms = 60000});
    pass_time(&f, 60000);
    AUTO_JSON struct json *before = read_now(&f);
    assert_no_err(write_number(&f, before, 7));
    end_life(&f);
    begin_life(&f);
    AUTO_JSON struct json *stale = read_now(&f);
    assert_number(json_get_int(stale, "status.observedGeneration", 0), 0);
    assert_fails(write_number(&f, stale, 8), ERR_CONFLICT, NULL);
    pass_time(&f, 60000);
    AUTO_JSON struct json *fresh = read_now(&f);
    assert_number(json_get_int(fresh, "status.observedGeneration", 0), 7);
    fixture_done(&f);
}

/* Whatever gets lost: success means that it is there, a failure that a fresh read decides, and never that an
 * older one is shown. */
static void no_answer_is_worked_out_by_reading(void **state UNUSED)
{
    int lost = 0;

    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct fixture f;

        fixture_init(&f, seed,
                     &(struct memory_opts){.lag_max_ms = 500,
                                           .lost_answer_per_mille = 400,
                                           .meddle_per_mille = 200,
                                           .trouble_per_mille = seed % 2 ? 300 : 0});
        pass_time(&f, 500);
        for (int64_t number = 1; number <= 20;) {
            AUTO_JSON struct json *object = read_at_last(&f);

            assert_true(json_get_int(object, "status.observedGeneration", 0) >= stored_number(&f) - 1);
            AUTO_ERR struct err *err = write_number(&f, object, number);
            if (!err) {
                assert_number(stored_number(&f), number);
                number++;
                continue;
            }
            lost++;
            assert_true(err_kind(err) == ERR_CONFLICT || err_kind(err) == ERR_RETRY);
            pass_time(&f, 600);
        }
        fixture_done(&f);
    }
    assert_true(lost > 100);
}

static void a_deleted_object_waits_for_its_finalizer(void **state UNUSED)
{
    struct fixture f;
    AUTO_JSON struct json *with = NULL, *without = NULL;

    fixture_init(&f, 1, &(struct memory_opts){0});
    AUTO_JSON struct json *object = read_now(&f);
    assert_no_err(objects_set_finalizer(f.objects, &f.env, object, true, &with));
    memory_delete(f.memory, &shop);
    AUTO_JSON struct json *going = read_now(&f);
    assert_non_null(json_at(going, "metadata.deletionTimestamp"));
    assert_no_err(objects_set_finalizer(f.objects, &f.env, going, false, &without));
    assert_null(memory_get(f.memory, &shop));
    fixture_done(&f);
}

static void stop_later(void *arg)
{
    struct fixture *f = arg;

    pass_time(f, 5000);
    stop_request(lifetime_stop(f->life));
}

static void the_watch_tells_what_others_did(void **state UNUSED)
{
    struct fixture f;
    struct object_id id = {0};

    fixture_init(&f, 1, &(struct memory_opts){.lag_max_ms = 1000});
    assert_true(memory_client_watch(f.client, &id));
    assert_text_equal(id.name, "shop");
    AUTO_JSON struct json *object = read_now(&f);
    assert_no_err(write_number(&f, object, 7)); /* our own: no news */
    struct task *task = sched_spawn(f.sched, "stopper", stop_later, &f);
    memory_patch(f.memory, &shop, "{\"spec\":{\"a\":2}}");
    assert_true(memory_client_watch(f.client, &id));
    AUTO_JSON struct json *after = read_now(&f);
    assert_number(json_get_int(after, "spec.a", 0), 2);
    assert_false(memory_client_watch(f.client, &id));
    sched_join(task);
    fixture_done(&f);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_write_is_read_back);
    TEST(&tests, an_old_version_is_refused);
    TEST(&tests, what_the_crd_refuses_is_refused);
    TEST(&tests, an_edit_beside_the_status_does_not_void_a_write);
    TEST(&tests, the_cache_lags_behind_others);
    TEST(&tests, a_new_process_may_see_an_old_version_at_first);
    TEST(&tests, no_answer_is_worked_out_by_reading);
    TEST(&tests, a_deleted_object_waits_for_its_finalizer);
    TEST(&tests, the_watch_tells_what_others_did);
    return tests_run(&tests, "objects_memory");
}
