/* A whole refresh, undisturbed: it succeeds, a seed fixes it, and it takes no longer than its slowest
 * database. */
#include "tests/simulation/invariants.h"
#include "tests/testing/assertions.h"

static void assert_no_faults(char *faults)
{
    AUTO_FREE char *owned = faults;

    assert_text_equal(owned, NULL);
}

static struct scenario *run(const struct scenario_opts *opts)
{
    struct scenario *scenario = scenario_new(opts);

    scenario_run(scenario);
    return scenario;
}

static void a_refresh_succeeds(void **state UNUSED)
{
    struct sched *clock = sched_threads_new(1);
    int64_t began_ms = sched_now_ms(clock);
    AUTO_SCENARIO struct scenario *scenario = run(&(struct scenario_opts){.seed = 1});
    char took[TIME_TEXT_MAX];

    duration_text(scenario_duration_ms(scenario), took);
    printf("a refresh of %s in %lld ms: %lld calls, %zu versions of the status\n", took,
           (long long)(sched_now_ms(clock) - began_ms), (long long)scenario_call_count(scenario),
           memory_version_count(scenario_memory(scenario), &scenario_refresh));
    sched_free(clock);
    assert_no_faults(check_all(scenario));
}

static char *journal_text(uint64_t seed)
{
    AUTO_SCENARIO struct scenario *scenario =
        run(&(struct scenario_opts){.seed = seed,
                                    .api = {.lag_max_ms = 2000,
                                            .meddle_per_mille = 20,
                                            .lost_answer_per_mille = 20,
                                            .own_events_per_mille = 200}});

    return json_to_text(scenario_journal(scenario));
}

static void a_seed_fixes_everything(void **state UNUSED)
{
    AUTO_FREE char *first = journal_text(7), *again = journal_text(7), *other = journal_text(8);

    assert_text_equal(first, again);
    assert_string_not_equal(first, other);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, a_refresh_succeeds);
    TEST(&tests, a_seed_fixes_everything);
    return tests_run(&tests, "refresh");
}
