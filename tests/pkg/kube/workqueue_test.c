/* The promises of workqueue.h, one test each. */
#include "pkg/kube/workqueue.h"

#include "tests/testing/assertions.h"

struct world {
    struct sched *sched;
    struct workqueue *queue;
};

static int set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof(*world));

    world->sched = sched_seeded_new(7, 0);
    world->queue = workqueue_new(world->sched, NULL);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    workqueue_free(world->queue);
    sched_free(world->sched);
    xfree(world);
    return 0;
}

/* Takes what is ready until the queue would have to wait; "a b c". */
static char *take_ready(struct world *world)
{
    AUTO_BUF struct buf taken = BUF_MAX(4096);

    while (workqueue_stats(world->queue).depth) {
        AUTO_FREE char *key = NULL;

        assert_true(workqueue_get(world->queue, &key));
        buf_addf(&taken, "%s%s", taken.len ? " " : "", key);
        workqueue_done(world->queue, key);
    }
    return buf_take(&taken);
}

static void assert_ready(struct world *world, const char *want)
{
    AUTO_FREE char *got = take_ready(world);

    assert_text_equal(got ? got : "", want);
}

static void adds_before_hand_out_are_one(void **state)
{
    struct world *world = *state;

    workqueue_add(world->queue, "a", WORK_URGENT);
    workqueue_add(world->queue, "b", WORK_URGENT);
    workqueue_add(world->queue, "a", WORK_URGENT);
    assert_ready(world, "a b");
    assert_number(workqueue_stats(world->queue).adds, 2);
}

static void added_meanwhile_comes_again_after_done(void **state)
{
    struct world *world = *state;
    AUTO_FREE char *key = NULL, *again = NULL;

    workqueue_add(world->queue, "a", WORK_URGENT);
    assert_true(workqueue_get(world->queue, &key));
    workqueue_add(world->queue, "a", WORK_URGENT);
    workqueue_add(world->queue, "a", WORK_URGENT);
    assert_number(workqueue_stats(world->queue).depth, 0);
    workqueue_done(world->queue, "a");
    assert_number(workqueue_stats(world->queue).depth, 1);
    assert_true(workqueue_get(world->queue, &again));
    workqueue_done(world->queue, "a");
    assert_number(workqueue_stats(world->queue).depth, 0);
}

static void urgent_never_waits_behind_routine(void **state)
{
    struct world *world = *state;

    workqueue_add(world->queue, "r1", WORK_ROUTINE);
    workqueue_add(world->queue, "r2", WORK_ROUTINE);
    workqueue_add(world->queue, "u1", WORK_URGENT);
    workqueue_add(world->queue, "r2", WORK_URGENT);
    workqueue_add(world->queue, "u1", WORK_ROUTINE);
    assert_number(workqueue_stats(world->queue).depth_routine, 1);
    assert_ready(world, "u1 r2 r1");
}

static void priority_is_kept_while_with_a_worker(void **state)
{
    struct world *world = *state;
    AUTO_FREE char *key = NULL;

    workqueue_add(world->queue, "a", WORK_URGENT);
    assert_true(workqueue_get(world->queue, &key));
    workqueue_add(world->queue, "a", WORK_ROUTINE);
    workqueue_add(world->queue, "b", WORK_ROUTINE);
    workqueue_add(world->queue, "a", WORK_URGENT);
    workqueue_done(world->queue, "a");
    assert_ready(world, "a b");
}

/* Waits for one key and says when it came. */
static int64_t next_at(struct world *world, const char *want)
{
    AUTO_FREE char *key = NULL;

    assert_true(workqueue_get(world->queue, &key));
    assert_text_equal(key, want);
    workqueue_done(world->queue, key);
    return sched_now_ms(world->sched);
}

static void delayed_keeps_the_earliest_time(void **state)
{
    struct world *world = *state;

    workqueue_add_after(world->queue, "a", 500, WORK_URGENT);
    workqueue_add_after(world->queue, "a", 200, WORK_ROUTINE);
    workqueue_add_after(world->queue, "a", 900, WORK_URGENT);
    workqueue_add_after(world->queue, "b", 300, WORK_URGENT);
    assert_number(workqueue_stats(world->queue).waiting, 2);
    assert_number(next_at(world, "a"), 200);
    assert_number(next_at(world, "b"), 300);
    assert_number(workqueue_stats(world->queue).waiting, 0);
}

static void delay_does_not_hold_back_an_immediate_add(void **state)
{
    struct world *world = *state;

    workqueue_add_after(world->queue, "a", 500, WORK_URGENT);
    workqueue_add(world->queue, "a", WORK_URGENT);
    assert_number(next_at(world, "a"), 0);
    assert_number(next_at(world, "a"), 500);
}

static void no_delay_is_an_immediate_add(void **state)
{
    struct world *world = *state;

    workqueue_add_after(world->queue, "a", 0, WORK_URGENT);
    workqueue_add_after(world->queue, "b", -5, WORK_URGENT);
    assert_ready(world, "a b");
}

static void many_delays_come_in_order(void **state)
{
    struct world *world = *state;
    int64_t last = 0, latest = 0;

    for (int i = 0; i < 200; i++) {
        AUTO_FREE char *key = xasprintf("k%d", i);

        int64_t after_ms = 1 + i * 7919 % 1000;

        latest = after_ms > latest ? after_ms : latest;
        workqueue_add_after(world->queue, key, after_ms, WORK_URGENT);
    }
    for (int i = 0; i < 200; i++) {
        AUTO_FREE char *key = NULL;

        assert_true(workqueue_get(world->queue, &key));
        workqueue_done(world->queue, key);
        assert_true(sched_now_ms(world->sched) >= last);
        last = sched_now_ms(world->sched);
    }
    assert_number(last, latest);
}

static void failures_double_the_delay_until_forgotten(void **state)
{
    struct world *world = *state;
    const int64_t want[] = {5, 10, 20, 40};

    for (size_t i = 0; i < COUNT_OF(want); i++)
        assert_number(workqueue_add_rate_limited(world->queue, "a", 0, WORK_URGENT), want[i]);
    assert_number(workqueue_failures(world->queue, "a"), 4);
    assert_number(workqueue_add_rate_limited(world->queue, "b", 0, WORK_URGENT), 5);
    workqueue_forget(world->queue, "a");
    assert_number(workqueue_failures(world->queue, "a"), 0);
    assert_number(workqueue_add_rate_limited(world->queue, "a", 0, WORK_URGENT), 5);
    for (int i = 0; i < 100; i++)
        (void)workqueue_add_rate_limited(world->queue, "c", 0, WORK_URGENT);
    assert_number(workqueue_add_rate_limited(world->queue, "c", 0, WORK_URGENT), SECONDS(1000));
    assert_number(workqueue_add_rate_limited(world->queue, "d", 7000, WORK_URGENT), 7000);
    assert_number(workqueue_add_rate_limited(world->queue, "c", 7000, WORK_URGENT), SECONDS(1000));
}

static void shut_down_drains_what_is_ready(void **state)
{
    struct world *world = *state;
    AUTO_FREE char *key = NULL, *none = NULL;

    workqueue_add(world->queue, "a", WORK_URGENT);
    workqueue_add_after(world->queue, "late", 100, WORK_URGENT);
    workqueue_shut_down(world->queue);
    workqueue_add(world->queue, "b", WORK_URGENT);
    assert_true(workqueue_get(world->queue, &key));
    assert_text_equal(key, "a");
    workqueue_done(world->queue, key);
    assert_false(workqueue_get(world->queue, &none));
    assert_null(none);
}

static void shut_down_now_drops_what_is_ready(void **state)
{
    struct world *world = *state;
    AUTO_FREE char *key = NULL, *none = NULL;

    workqueue_add(world->queue, "held", WORK_URGENT);
    assert_true(workqueue_get(world->queue, &key));
    workqueue_add(world->queue, "held", WORK_URGENT);
    workqueue_add(world->queue, "a", WORK_URGENT);
    workqueue_shut_down_now(world->queue);
    workqueue_done(world->queue, "held");
    assert_false(workqueue_get(world->queue, &none));
}

static void further_keys_are_dropped_and_counted(void **state)
{
    struct world *world = *state;
    struct workqueue *small = workqueue_new(world->sched, &(struct workqueue_opts){.max_keys = 2});

    workqueue_add(small, "a", WORK_URGENT);
    workqueue_add(small, "b", WORK_URGENT);
    workqueue_add(small, "c", WORK_URGENT);
    assert_number(workqueue_stats(small).dropped, 1);
    assert_number(workqueue_stats(small).depth, 2);
    workqueue_free(small);
}

static void counters_tell_where_time_went(void **state)
{
    struct world *world = *state;
    AUTO_FREE char *key = NULL;
    struct workqueue_stats stats;

    workqueue_add(world->queue, "a", WORK_URGENT);
    assert_true(sched_wait_until(world->sched, NULL, 30));
    assert_true(workqueue_get(world->queue, &key));
    assert_true(sched_wait_until(world->sched, NULL, 100));
    stats = workqueue_stats(world->queue);
    assert_number(stats.queued_ms, 30);
    assert_number(stats.processing, 1);
    assert_number(stats.longest_ms, 70);
    assert_number(stats.unfinished_ms, 70);
    workqueue_done(world->queue, key);
    assert_number(workqueue_stats(world->queue).work_ms, 70);
    assert_number(workqueue_stats(world->queue).unfinished_ms, 0);
}

static void add_ms(void *arg, int64_t for_ms)
{
    buf_addf(arg, "%lld ", (long long)for_ms);
}

static void tells_how_long_each_key_took(void **state)
{
    struct world *world = *state;
    AUTO_BUF struct buf told = BUF_MAX(100);
    struct workqueue *queue = workqueue_new(
        world->sched, &(struct workqueue_opts){.queued = add_ms, .worked = add_ms, .arg = &told});
    AUTO_FREE char *key = NULL;

    workqueue_add(queue, "a", WORK_URGENT);
    assert_true(sched_wait_until(world->sched, NULL, 30));
    assert_true(workqueue_get(queue, &key));
    assert_true(sched_wait_until(world->sched, NULL, 100));
    workqueue_done(queue, key);
    workqueue_done(queue, key);
    workqueue_shut_down(queue);
    assert_false(workqueue_get(queue, &key));
    workqueue_free(queue);
    assert_text_equal(buf_text(&told), "30 70 ");
}

static void races_are_tried_again_soon(void **state)
{
    struct world *world = *state;
    struct workqueue *queue =
        workqueue_new(world->sched, &(struct workqueue_opts){.base_delay_ms = SECONDS(1)});
    const int64_t want[] = {5, 10, 20, 40, 1000, 2000};

    for (size_t i = 0; i < COUNT_OF(want); i++)
        assert_number(workqueue_add_soon(queue, "a", WORK_URGENT), want[i]);
    assert_number(workqueue_failures(queue, "a"), 6);
    workqueue_forget(queue, "a");
    assert_number(workqueue_add_soon(queue, "a", WORK_URGENT), 5);
    workqueue_free(queue);
}

static void says_how_urgent_a_key_was(void **state)
{
    struct world *world = *state;
    AUTO_FREE char *urgent = NULL, *routine = NULL;

    workqueue_add(world->queue, "r", WORK_ROUTINE);
    workqueue_add_after(world->queue, "u", 10, WORK_URGENT);
    workqueue_add_after(world->queue, "u", 5, WORK_ROUTINE); /* a delayed key is as urgent, too */
    assert_true(workqueue_get(world->queue, &routine));
    workqueue_add(world->queue, "r", WORK_URGENT);
    assert_number(workqueue_taken_as(world->queue, "r"), WORK_ROUTINE);
    assert_true(workqueue_get(world->queue, &urgent));
    assert_text_equal(urgent, "u");
    assert_number(workqueue_taken_as(world->queue, "u"), WORK_URGENT);
    assert_number(sched_now_ms(world->sched), 5);
    workqueue_done(world->queue, "u");
    workqueue_done(world->queue, "r");
    assert_number(workqueue_taken_as(world->queue, "unknown"), WORK_ROUTINE);
}

/* --- workers --- */

#define KEYS 5

struct crew {
    struct world *world;
    int with_worker[KEYS]; /* how many workers hold the key */
    int handed_out[KEYS];
    int overlaps;
};

static void work(void *arg)
{
    struct crew *crew = arg;
    struct sched *sched = crew->world->sched;
    char *key;

    while (workqueue_get(crew->world->queue, &key)) {
        int k = key[0] - '0';

        crew->overlaps += crew->with_worker[k]++ > 0;
        crew->handed_out[k]++;
        (void)sched_wait_until(sched, NULL, sched_now_ms(sched) + 1 + k);
        crew->with_worker[k]--;
        workqueue_done(crew->world->queue, key);
        xfree(key);
    }
}

static void a_key_is_with_one_worker_at_a_time(void **state)
{
    struct world *world = *state;

    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct crew crew = {.world = world};
        struct task *tasks[3];

        workqueue_free(world->queue);
        sched_free(world->sched);
        world->sched = sched_seeded_new(seed, 0);
        world->queue = workqueue_new(world->sched, NULL);
        for (size_t i = 0; i < COUNT_OF(tasks); i++)
            tasks[i] = sched_spawn(world->sched, "worker", work, &crew);
        for (int i = 0; i < 200; i++) {
            char key[2] = {(char)('0' + i * 3 % KEYS), '\0'};

            if (i % 3)
                workqueue_add(world->queue, key, i % 2 ? WORK_URGENT : WORK_ROUTINE);
            else
                workqueue_add_after(world->queue, key, i % 7, WORK_URGENT);
            if (i % 4 == 0)
                sched_yield_now(world->sched);
        }
        assert_true(sched_wait_until(world->sched, NULL, sched_now_ms(world->sched) + 10));
        assert_true(workqueue_drain(world->queue, NEVER_MS));
        workqueue_shut_down(world->queue);
        for (size_t i = 0; i < COUNT_OF(tasks); i++)
            sched_join(tasks[i]);
        assert_number(crew.overlaps, 0);
        for (int k = 0; k < KEYS; k++)
            assert_true(crew.handed_out[k] > 0);
    }
}

/* An earlier delay must reach workers that already wait for a later one. */
static void an_earlier_delay_wakes_who_waits(void **state)
{
    struct world *world = *state;
    struct crew crew = {.world = world};
    struct task *task;

    workqueue_add_after(world->queue, "1", 10000, WORK_URGENT);
    task = sched_spawn(world->sched, "worker", work, &crew);
    sched_yield_now(world->sched);
    workqueue_add_after(world->queue, "2", 50, WORK_URGENT);
    assert_true(sched_wait_until(world->sched, NULL, 60));
    assert_number(crew.handed_out[2], 1);
    assert_number(crew.handed_out[1], 0);
    workqueue_shut_down(world->queue);
    sched_join(task);
}

/* One worker for urgent keys alone, and one for all. */
struct pair {
    struct world *world;
    struct buf told;
};

static void take_one(struct pair *pair, enum work_priority least, const char *who)
{
    AUTO_FREE char *key = NULL;

    while (workqueue_get_at_least(pair->world->queue, least, &key)) {
        buf_addf(&pair->told, "%s:%s@%lld ", who, key, (long long)sched_now_ms(pair->world->sched));
        /* Routine work hangs, as it does when nobody answers. */
        (void)sched_wait_until(pair->world->sched, NULL,
                               sched_now_ms(pair->world->sched) + (key[0] == 'r' ? 30000 : 10));
        workqueue_done(pair->world->queue, key);
        xfree(TAKE(key));
    }
}

static void work_urgent(void *arg)
{
    take_one(arg, WORK_URGENT, "urgent");
}

static void work_all(void *arg)
{
    take_one(arg, WORK_ROUTINE, "all");
}

enum add_how { ADD_URGENT, ADD_ROUTINE, ADD_URGENT_LATER, ADD_ROUTINE_LATER };

static const struct reserve_row {
    const char *name;
    struct {
        const char *key;
        enum add_how how;
    } adds[5];
    const char *want;
} reserve_rows[] = {
    {.name = "an urgent key is taken at once while routine keys hang",
     .adds = {{"r1", ADD_ROUTINE}, {"r2", ADD_ROUTINE}, {"u1", ADD_URGENT}},
     .want = "all:r1@1 urgent:u1@1 all:r2@30001 "},
    {.name = "also when it was routine before",
     .adds = {{"r1", ADD_ROUTINE}, {"u1", ADD_ROUTINE}, {"u1", ADD_URGENT}},
     .want = "all:r1@1 urgent:u1@1 "},
    {.name = "and when it was delayed",
     .adds = {{"r1", ADD_ROUTINE}, {"r2", ADD_ROUTINE}, {"u1", ADD_URGENT_LATER}},
     .want = "all:r1@1 urgent:u1@101 all:r2@30001 "},
    {.name = "a delayed routine key finds the one who takes it",
     .adds = {{"u1", ADD_URGENT}, {"r1", ADD_ROUTINE_LATER}},
     .want = "urgent:u1@1 all:r1@101 "},
};

static void urgent_keys_have_a_worker_of_their_own(void **state)
{
    struct world *world = *state;

    for (size_t r = 0; r < COUNT_OF(reserve_rows); r++) {
        const struct reserve_row *row = &reserve_rows[r];
        struct pair pair = {.world = world, .told = BUF_MAX(1000)};
        struct task *tasks[2];

        workqueue_free(world->queue);
        sched_free(world->sched);
        world->sched = sched_seeded_new(r + 1, 0);
        world->queue = workqueue_new(world->sched, NULL);
        tasks[0] = sched_spawn(world->sched, "urgent", work_urgent, &pair);
        tasks[1] = sched_spawn(world->sched, "all", work_all, &pair);
        assert_true(sched_wait_until(world->sched, NULL, 1)); /* both wait */
        for (size_t i = 0; i < COUNT_OF(row->adds) && row->adds[i].key; i++) {
            enum add_how how = row->adds[i].how;
            bool urgent = how == ADD_URGENT || how == ADD_URGENT_LATER, later = how >= ADD_URGENT_LATER;

            workqueue_add_after(world->queue, row->adds[i].key, later ? 100 : 0,
                                urgent ? WORK_URGENT : WORK_ROUTINE);
            sched_yield_now(world->sched);
        }
        assert_true(sched_wait_until(world->sched, NULL, 100000));
        assert_text_equal(buf_text(&pair.told), row->want);
        workqueue_shut_down(world->queue);
        sched_join(tasks[0]);
        sched_join(tasks[1]);
        buf_done(&pair.told);
    }
}

/* Whoever is woken for one key may take another: the first must not be left lying while somebody is idle. */
static void no_key_lies_while_a_worker_is_idle(void **state)
{
    struct world *world = *state;

    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct pair pair = {.world = world, .told = BUF_MAX(1000)};
        struct task *tasks[3];

        workqueue_free(world->queue);
        sched_free(world->sched);
        world->sched = sched_seeded_new(seed, 0);
        world->queue = workqueue_new(world->sched, NULL);
        tasks[0] = sched_spawn(world->sched, "urgent", work_urgent, &pair);
        tasks[1] = sched_spawn(world->sched, "all-1", work_all, &pair);
        tasks[2] = sched_spawn(world->sched, "all-2", work_all, &pair);
        assert_true(sched_wait_until(world->sched, NULL, 5));
        workqueue_add(world->queue, "r1", WORK_ROUTINE);
        workqueue_add(world->queue, "u1", WORK_URGENT);
        assert_true(sched_wait_until(world->sched, NULL, 6));
        assert_number(workqueue_stats(world->queue).depth, 0);
        workqueue_shut_down_now(world->queue);
        for (size_t i = 0; i < COUNT_OF(tasks); i++)
            sched_join(tasks[i]);
        buf_done(&pair.told);
    }
}

static void drain_gives_up_at_its_deadline(void **state)
{
    struct world *world = *state;
    AUTO_FREE char *key = NULL;

    workqueue_add(world->queue, "a", WORK_URGENT);
    assert_true(workqueue_get(world->queue, &key));
    assert_false(workqueue_drain(world->queue, 500));
    assert_number(sched_now_ms(world->sched), 500);
    workqueue_done(world->queue, key);
    assert_true(workqueue_drain(world->queue, 500));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define QUEUE_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
        QUEUE_TEST(adds_before_hand_out_are_one),
        QUEUE_TEST(added_meanwhile_comes_again_after_done),
        QUEUE_TEST(urgent_never_waits_behind_routine),
        QUEUE_TEST(priority_is_kept_while_with_a_worker),
        QUEUE_TEST(delayed_keeps_the_earliest_time),
        QUEUE_TEST(delay_does_not_hold_back_an_immediate_add),
        QUEUE_TEST(no_delay_is_an_immediate_add),
        QUEUE_TEST(many_delays_come_in_order),
        QUEUE_TEST(failures_double_the_delay_until_forgotten),
        QUEUE_TEST(shut_down_drains_what_is_ready),
        QUEUE_TEST(shut_down_now_drops_what_is_ready),
        QUEUE_TEST(further_keys_are_dropped_and_counted),
        QUEUE_TEST(counters_tell_where_time_went),
        QUEUE_TEST(tells_how_long_each_key_took),
        QUEUE_TEST(races_are_tried_again_soon),
        QUEUE_TEST(says_how_urgent_a_key_was),
        QUEUE_TEST(a_key_is_with_one_worker_at_a_time),
        QUEUE_TEST(an_earlier_delay_wakes_who_waits),
        QUEUE_TEST(urgent_keys_have_a_worker_of_their_own),
        QUEUE_TEST(no_key_lies_while_a_worker_is_idle),
        QUEUE_TEST(drain_gives_up_at_its_deadline),
    };

    return cmocka_run_group_tests_name("pkg/kube/workqueue", tests, NULL, NULL);
}
