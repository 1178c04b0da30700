#include "pkg/aws/limiter.h"

#include "pkg/base/times.h"

#include "tests/testing/assertions.h"

/* How many calls go out at once at `now_ms`. */
static int64_t burst_at(struct limiter *limiter, int64_t now_ms)
{
    int64_t count = 0, wait_ms;

    while (limiter_take(limiter, AWS_BACKUP, now_ms, 0, &wait_ms))
        count++;
    return count;
}

/* How many calls fit into the ten seconds from `from_ms` on, asked for every 10 ms. */
static int64_t calls_in_10s(struct limiter *limiter, int64_t from_ms)
{
    int64_t count = 0;

    for (int64_t now_ms = from_ms; now_ms < from_ms + SECONDS(10); now_ms += 10)
        count += burst_at(limiter, now_ms);
    return count;
}

static void lets_a_burst_through_and_then_a_rate(void **state UNUSED)
{
    struct limiter limiter = LIMITER_INIT;

    assert_number(burst_at(&limiter, 0), 120);
    assert_number(calls_in_10s(&limiter, 1000), 20 + 9980 * 20 / 1000);
}

static void keeps_services_apart(void **state UNUSED)
{
    struct limiter limiter = LIMITER_INIT;
    int64_t wait_ms = -1;

    burst_at(&limiter, 0);
    assert_true(limiter_take(&limiter, AWS_RDS, 0, 0, &wait_ms));
    assert_number(wait_ms, 0);
}

static void says_how_long_to_wait(void **state UNUSED)
{
    struct limiter limiter = LIMITER_INIT;
    int64_t wait_ms = -1;

    burst_at(&limiter, 0);
    assert_false(limiter_take(&limiter, AWS_BACKUP, 0, 10, &wait_ms));
    assert_number(wait_ms, 50);
    /* Promised ones queue up behind one another; what was refused did not. */
    assert_true(limiter_take(&limiter, AWS_BACKUP, 0, 1000, &wait_ms));
    assert_number(wait_ms, 50);
    assert_true(limiter_take(&limiter, AWS_BACKUP, 0, 1000, &wait_ms));
    assert_number(wait_ms, 100);
}

static void slows_down_and_recovers(void **state UNUSED)
{
    struct limiter limiter = LIMITER_INIT;
    int64_t slow, later;

    for (int64_t second = 0; second < 30; second++)
        limiter_slow_down(&limiter, AWS_BACKUP, SECONDS(second));
    /* One piece of news a second. */
    for (int i = 0; i < 100; i++)
        limiter_slow_down(&limiter, AWS_BACKUP, SECONDS(29) + i);
    slow = calls_in_10s(&limiter, SECONDS(30));
    later = calls_in_10s(&limiter, MINUTES(2));
    assert_true(slow >= 10 && slow <= 100);
    assert_true(later >= 200);
}

static void never_stops(void **state UNUSED)
{
    struct limiter limiter = LIMITER_INIT;
    int64_t wait_ms;

    for (int64_t second = 0; second < 1000; second++)
        limiter_slow_down(&limiter, AWS_BACKUP, SECONDS(second));
    burst_at(&limiter, SECONDS(1000));
    assert_false(limiter_take(&limiter, AWS_BACKUP, SECONDS(1000), 0, &wait_ms));
    assert_true(wait_ms <= 1000);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, lets_a_burst_through_and_then_a_rate);
    TEST(&tests, keeps_services_apart);
    TEST(&tests, says_how_long_to_wait);
    TEST(&tests, slows_down_and_recovers);
    TEST(&tests, never_stops);
    return tests_run(&tests, "limiter");
}
