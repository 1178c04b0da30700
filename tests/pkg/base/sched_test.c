/* Both schedulers keep the same promises; the seeded one some more. */
#include "pkg/base/sched_priv.h"

#include <pthread.h>
#include <stdatomic.h>

#include "pkg/base/buf.h"
#include "pkg/base/lock.h"
#include "tests/testing/assertions.h"

#define WALL_MS INT64_C(1795363200000)

static const struct kind {
    const char *name;
    bool seeded;
    int64_t scale;
} kinds[] = {
    {.name = "threads", .scale = 1},
    {.name = "threads, a thousand times faster", .scale = 1000},
    {.name = "seeded", .seeded = true},
};

static struct sched *new_sched(const struct kind *kind)
{
    return kind->seeded ? sched_seeded_new(7, WALL_MS) : sched_threads_new(kind->scale);
}

/* --- promises of both --- */

static void wake_before_park_is_kept(void **state)
{
    struct sched *sched = new_sched(*state);
    struct spot *spot = sched_spot_new(sched);

    sched_wake(spot);
    sched_wake(spot);
    assert_int_equal(sched_park(spot, NEVER_MS), PARK_WOKEN);
    /* Two wakes are one. */
    assert_int_equal(sched_park(spot, sched_now_ms(sched) + 5), PARK_TIMEOUT);
    sched_spot_free(spot);
    sched_free(sched);
}

static void deadline_is_never_early(void **state)
{
    struct sched *sched = new_sched(*state);
    struct spot *spot = sched_spot_new(sched);

    for (int64_t wait_ms = 0; wait_ms < 20; wait_ms += 5) {
        int64_t deadline_ms = sched_now_ms(sched) + wait_ms;

        assert_int_equal(sched_park(spot, deadline_ms), PARK_TIMEOUT);
        assert_true(sched_now_ms(sched) >= deadline_ms);
    }
    assert_int_equal(sched_park(spot, 0), PARK_TIMEOUT);
    assert_int_equal(sched_park(spot, INT64_MIN), PARK_TIMEOUT);
    sched_spot_free(spot);
    sched_free(sched);
}

struct pair {
    struct sched *sched;
    struct spot *here, *there;
    int rounds;
};

static void answer_rounds(void *arg)
{
    struct pair *pair = arg;

    for (int i = 0; i < 200; i++) {
        sched_park(pair->there, NEVER_MS);
        pair->rounds++;
        sched_wake(pair->here);
    }
}

static void two_tasks_take_turns(void **state)
{
    struct pair pair = {.sched = new_sched(*state)};
    struct task *task;

    pair.here = sched_spot_new(pair.sched);
    pair.there = sched_spot_new(pair.sched);
    task = sched_spawn(pair.sched, "a-name-longer-than-the-kernel-likes", answer_rounds, &pair);
    for (int i = 1; i <= 200; i++) {
        sched_wake(pair.there);
        assert_int_equal(sched_park(pair.here, NEVER_MS), PARK_WOKEN);
        assert_number(pair.rounds, i);
    }
    sched_join(task);
    sched_spot_free(pair.here);
    sched_spot_free(pair.there);
    sched_free(pair.sched);
}

struct counter {
    struct sched *sched;
    pthread_mutex_t lock;
    int value;
};

static void count_up(void *arg)
{
    struct counter *counter = arg;

    for (int i = 0; i < 100; i++) {
        {
            LOCK_SCOPE(&counter->lock);
            counter->value++;
        }
        sched_yield_now(counter->sched);
    }
}

static void tasks_run_and_are_joined(void **state)
{
    struct counter counter = {.sched = new_sched(*state), .lock = PTHREAD_MUTEX_INITIALIZER};
    struct task *tasks[8];

    for (size_t i = 0; i < COUNT_OF(tasks); i++)
        tasks[i] = sched_spawn(counter.sched, "counter", count_up, &counter);
    for (size_t i = 0; i < COUNT_OF(tasks); i++)
        sched_join(tasks[i]);
    assert_number(counter.value, 800);
    sched_join(NULL);
    sched_free(counter.sched);
}

static void waits_until_deadline_or_stop(void **state)
{
    struct sched *sched = new_sched(*state);
    struct stop *stop = stop_new();

    assert_true(sched_wait_until(sched, stop, sched_now_ms(sched) + 3));
    assert_true(sched_wait_until(sched, NULL, sched_now_ms(sched) + 3));
    stop_request(stop);
    assert_false(sched_wait_until(sched, stop, NEVER_MS));
    stop_free(stop);
    sched_free(sched);
}

static void ask_to_stop(void *arg)
{
    stop_request(arg);
}

static void stop_ends_wait(void **state)
{
    struct sched *sched = new_sched(*state);
    struct stop *stop = stop_new();
    struct task *task = sched_spawn(sched, "stopper", ask_to_stop, stop);

    assert_false(sched_wait_until(sched, stop, NEVER_MS));
    sched_join(task);
    stop_free(stop);
    sched_free(sched);
}

static void elapsed_is_never_negative(void **state)
{
    struct sched *sched = new_sched(*state);

    assert_number(sched_elapsed_ms(sched, sched_wall_ms(sched) + HOURS(1)), 0);
    assert_true(sched_elapsed_ms(sched, 0) > 0);
    assert_true(sched_elapsed_ms(sched, INT64_MIN / 2) > 0);
    sched_free(sched);
}

/* --- plain threads --- */

static void scale_multiplies_elapsed_time(void **state)
{
    struct sched *sched = sched_threads_new(1000);
    int64_t elapsed_ms = sched_elapsed_ms(sched, sched_wall_ms(sched) - SECONDS(5));

    (void)state;
    assert_true(elapsed_ms >= SECONDS(5000));
    sched_free(sched);
}

static void scale_divides_waits(void **state)
{
    struct sched *plain = sched_threads_new(1), *fast = sched_threads_new(3600);

    (void)state;
    assert_number(sched_real_ms(plain, 1500), 1500);
    assert_number(sched_real_ms(fast, HOURS(1)), 1000);
    assert_number(sched_real_ms(fast, 1), 1);
    assert_number(sched_real_ms(fast, 0), 0);
    assert_number(sched_real_ms(fast, -5), 0);
    sched_free(plain);
    sched_free(fast);
}

/* How long the machine was suspended: only the clock that goes on meanwhile shows it. */
static _Atomic int64_t suspended_ms;

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + (id == CLOCK_BOOTTIME ? suspended_ms : 0);
}

static const struct suspension {
    const char *name;
    int64_t scale, lasts_ms;
} suspensions[] = {
    {.name = "suspended for a minute", .scale = 1, .lasts_ms = MINUTES(1)},
    {.name = "suspended for months", .scale = 1, .lasts_ms = DAYS(100)},
    {.name = "suspended, at another pace", .scale = 60, .lasts_ms = HOURS(1)},
};

static void time_passes_while_suspended(void **state)
{
    const struct suspension *row = *state;
    struct sched *sched = sched_threads_new_by(row->scale, read_clock);
    struct spot *spot = sched_spot_new(sched);
    int64_t before_ms = sched_now_ms(sched), passed_ms = row->lasts_ms * row->scale;

    suspended_ms += row->lasts_ms;
    assert_true(sched_now_ms(sched) - before_ms >= passed_ms);
    assert_int_equal(sched_park(spot, before_ms + passed_ms), PARK_TIMEOUT);
    assert_int_equal(sched_park(spot, sched_now_ms(sched) + 5), PARK_TIMEOUT);
    sched_wake(spot);
    assert_int_equal(sched_park(spot, NEVER_MS), PARK_WOKEN);
    sched_spot_free(spot);
    sched_free(sched);
}

/* --- the seed --- */

struct race {
    struct sched *sched;
    struct buf log;
};

struct racer {
    struct race *race;
    char name;
};

static void run_race(void *arg)
{
    struct racer *racer = arg;

    for (int i = 0; i < 5; i++) {
        buf_addc(&racer->race->log, racer->name);
        sched_yield_now(racer->race->sched);
    }
}

static char *order_of(uint64_t seed)
{
    struct race race = {.sched = sched_seeded_new(seed, WALL_MS), .log = BUF_MAX(100)};
    struct racer racers[4];
    struct task *tasks[4];

    for (size_t i = 0; i < COUNT_OF(tasks); i++) {
        racers[i] = (struct racer){.race = &race, .name = (char)('a' + i)};
        tasks[i] = sched_spawn(race.sched, "racer", run_race, &racers[i]);
    }
    for (size_t i = 0; i < COUNT_OF(tasks); i++)
        sched_join(tasks[i]);
    sched_free(race.sched);
    return buf_take(&race.log);
}

static void seed_fixes_order(void **state)
{
    AUTO_FREE char *first = order_of(1);
    bool differs = false;

    (void)state;
    assert_number((int64_t)strlen(first), 20);
    for (int i = 0; i < 5; i++) {
        AUTO_FREE char *again = order_of(1), *other = order_of(100 + (uint64_t)i);

        assert_text_equal(again, first);
        differs |= !text_equal(other, first);
    }
    assert_true(differs);
}

static void time_stands_still_while_someone_runs(void **state)
{
    struct sched *sched = sched_seeded_new(1, WALL_MS);
    int64_t before_ms = sched_now_ms(sched);

    (void)state;
    for (int i = 0; i < 100; i++)
        sched_yield_now(sched);
    assert_number(sched_now_ms(sched), before_ms);
    assert_number(sched_wall_ms(sched), WALL_MS + before_ms);
    sched_free(sched);
}

static void time_jumps_to_the_deadline(void **state)
{
    struct sched *sched = sched_seeded_new(1, WALL_MS);
    int64_t before_ms = sched_now_ms(sched);

    (void)state;
    assert_true(sched_wait_until(sched, NULL, before_ms + HOURS(8)));
    assert_number(sched_now_ms(sched), before_ms + HOURS(8));
    assert_number(sched_elapsed_ms(sched, WALL_MS), sched_wall_ms(sched) - WALL_MS);
    sched_free(sched);
}

struct sleeper {
    struct race *race;
    int64_t at_ms;
    char name;
};

static void sleep_and_write(void *arg)
{
    struct sleeper *sleeper = arg;

    sched_wait_until(sleeper->race->sched, NULL, sleeper->at_ms);
    buf_addc(&sleeper->race->log, sleeper->name);
}

static void earliest_deadline_first(void **state)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct race race = {.sched = sched_seeded_new(seed, WALL_MS), .log = BUF_MAX(100)};
        struct sleeper sleepers[] = {{.race = &race, .at_ms = 3000, .name = 'c'},
                                     {.race = &race, .at_ms = 1000, .name = 'a'},
                                     {.race = &race, .at_ms = 2000, .name = 'b'}};
        struct task *tasks[COUNT_OF(sleepers)];

        (void)state;
        for (size_t i = 0; i < COUNT_OF(tasks); i++)
            tasks[i] = sched_spawn(race.sched, "sleeper", sleep_and_write, &sleepers[i]);
        for (size_t i = 0; i < COUNT_OF(tasks); i++)
            sched_join(tasks[i]);
        assert_text_equal(buf_text(&race.log), "abc");
        assert_number(sched_now_ms(race.sched), 3000);
        buf_done(&race.log);
        sched_free(race.sched);
    }
}

static void random_stream_is_the_seeds(void **state)
{
    struct sched *a = sched_seeded_new(5, 0);
    uint64_t first = sched_seeded_random(a), second = sched_seeded_random(a);
    struct sched *b;

    (void)state;
    sched_free(a);
    b = sched_seeded_new(5, 0);
    assert_true(sched_seeded_random(b) == first);
    assert_true(sched_seeded_random(b) == second);
    assert_true(first != second);
    sched_free(b);
}

/* --- stop --- */

static void bump(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void stop_tells_everybody_once(void **state)
{
    struct stop *stop = stop_new();
    atomic_int a = 0, b = 0, late = 0;
    struct stop_subscription *sa = stop_subscribe(stop, bump, &a), *sb = stop_subscribe(stop, bump, &b);
    struct stop_subscription *sl;

    (void)state;
    assert_false(stop_requested(stop));
    stop_unsubscribe(sb);
    stop_request(stop);
    stop_request(stop);
    assert_true(stop_requested(stop));
    assert_number(a, 1);
    assert_number(b, 0);
    sl = stop_subscribe(stop, bump, &late);
    assert_number(late, 1);
    stop_unsubscribe(sa);
    stop_unsubscribe(sl);
    stop_free(stop);
}

static void no_stop_is_never(void **state)
{
    (void)state;
    assert_false(stop_requested(NULL));
    assert_null(stop_subscribe(NULL, bump, NULL));
    stop_unsubscribe(NULL);
    stop_free(NULL);
}

struct subscriber {
    struct stop *stop;
    atomic_int calls;
};

static void subscribe_often(void *arg)
{
    struct subscriber *subscriber = arg;

    for (int i = 0; i < 2000; i++)
        stop_unsubscribe(stop_subscribe(subscriber->stop, bump, &subscriber->calls));
}

/* Subscribers come and go while the stop comes: for the thread sanitizer. */
static void stop_races_with_subscribers(void **state)
{
    struct sched *sched = sched_threads_new(1);
    struct subscriber subscriber = {.stop = stop_new()};
    struct task *tasks[3];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(tasks); i++)
        tasks[i] = sched_spawn(sched, "subscriber", subscribe_often, &subscriber);
    stop_request(subscriber.stop);
    for (size_t i = 0; i < COUNT_OF(tasks); i++)
        sched_join(tasks[i]);
    stop_free(subscriber.stop);
    sched_free(sched);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, wake_before_park_is_kept, kinds);
    TEST_ROWS(&tests, deadline_is_never_early, kinds);
    TEST_ROWS(&tests, two_tasks_take_turns, kinds);
    TEST_ROWS(&tests, tasks_run_and_are_joined, kinds);
    TEST_ROWS(&tests, waits_until_deadline_or_stop, kinds);
    TEST_ROWS(&tests, stop_ends_wait, kinds);
    TEST_ROWS(&tests, elapsed_is_never_negative, kinds);
    TEST(&tests, scale_multiplies_elapsed_time);
    TEST(&tests, scale_divides_waits);
    TEST_ROWS(&tests, time_passes_while_suspended, suspensions);
    TEST(&tests, seed_fixes_order);
    TEST(&tests, time_stands_still_while_someone_runs);
    TEST(&tests, time_jumps_to_the_deadline);
    TEST(&tests, earliest_deadline_first);
    TEST(&tests, random_stream_is_the_seeds);
    TEST(&tests, stop_tells_everybody_once);
    TEST(&tests, no_stop_is_never);
    TEST(&tests, stop_races_with_subscribers);
    return tests_run(&tests, "sched");
}
