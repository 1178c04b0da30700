/* AWS answers badly: not at all, late, with an error after the deed, twice, or with throttling and errors all
 * over. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

static char *run_and_check(const struct scenario_opts *opts)
{
    AUTO_SCENARIO struct scenario *scenario = scenario_new(opts);

    scenario_run(scenario);
    return check_all(scenario);
}

/* --- every call that changes something, in every way --- */

static const char *const troubles[] = {
    "\"action\": \"drop-request\"",
    "\"action\": \"drop-reply\"",
    "\"action\": \"error\", \"after\": true", /* 500, and it was done */
    "\"action\": \"error\"",
    "\"action\": \"throttle\"",
    "\"action\": \"delay\", \"delaySeconds\": 45", /* longer than we wait */
    "\"action\": \"twice\"",
};

struct mutation { /* the nth call of an operation */
    char *service, *operation;
    int64_t nth;
};

struct mutations {
    struct mutation *items;
    size_t count;
};

static struct scenario_opts sweep_opts(void)
{
    return (struct scenario_opts){.seed = 11, .workers = 2, .world_edits = scenario_quick_world};
}

static void add_mutation(struct mutations *all, const struct json *row)
{
    const char *operation = json_get_text(row, "operation", "");
    int64_t nth = 1;

    for (size_t i = 0; i < all->count; i++)
        nth += text_equal(all->items[i].operation, operation);
    all->items = xgrow(all->items, all->count, sizeof(*all->items));
    all->items[all->count++] = (struct mutation){
        .service = xstrdup(json_get_text(row, "service", "")), .operation = xstrdup(operation), .nth = nth};
}

static void mutations_done(struct mutations *all)
{
    for (size_t i = 0; i < all->count; i++) {
        xfree(all->items[i].service);
        xfree(all->items[i].operation);
    }
    xfree(all->items);
}

/* These have neither a token nor a name of ours: when the network doubles one, two is what AWS sees. */
static bool cannot_be_told_apart(const struct mutation *mutation, const char *trouble)
{
    return strstr(trouble, "twice") && (text_equal(mutation->operation, "PutParameter") ||
                                        text_equal(mutation->operation, "UpdateService"));
}

static char *check_trouble(uint64_t seed, void *arg)
{
    const struct mutations *all = arg;
    const struct mutation *mutation = &all->items[seed / COUNT_OF(troubles) % all->count];
    AUTO_FREE char *fault = xasprintf(
        "{\"match\": {\"service\": \"%s\", \"operation\": \"%s\", \"nth\": %lld}, %s}", mutation->service,
        mutation->operation, (long long)mutation->nth, troubles[seed % COUNT_OF(troubles)]);
    const char *const faults[] = {fault, NULL};
    struct scenario_opts opts = sweep_opts();
    char *found;

    if (cannot_be_told_apart(mutation, troubles[seed % COUNT_OF(troubles)]))
        return NULL;
    opts.faults = faults;
    found = run_and_check(&opts);
    if (!found)
        return NULL;
    AUTO_FREE char *told = found;
    return xasprintf("%s: %s", fault, told);
}

static void an_answer_lost_anywhere_does_no_harm(void **state UNUSED)
{
    const struct scenario_opts opts = sweep_opts();
    AUTO_SCENARIO struct scenario *reference = scenario_new(&opts);
    CLEANUP(mutations_done) struct mutations all = {0};

    scenario_run(reference);
    json_each (row, scenario_journal(reference))
        add_mutation(&all, row);
    scenario_free(TAKE(reference));
    assert_true(all.count > 10);
    assert_true(seeds_run(&(struct seeds){.name = "trouble_at_mutation",
                                          .first = 0,
                                          .count = all.count * COUNT_OF(troubles),
                                          .kind = SEEDS_SWEEP,
                                          .check = check_trouble,
                                          .arg = &all}));
}

/* --- a bad day of AWS --- */

static char *check_bad_day(uint64_t seed, void *arg UNUSED)
{
    static const char *const faults[] = {
        "{\"match\": {\"probability\": 0.15}, \"action\": \"throttle\"}",
        "{\"match\": {\"probability\": 0.1}, \"action\": \"error\"}",
        "{\"match\": {\"probability\": 0.03}, \"action\": \"error\", \"after\": true}",
        "{\"match\": {\"probability\": 0.03}, \"action\": \"drop-reply\"}",
        NULL,
    };
    AUTO_VARIANT struct variant variant = {0};

    variant_init(&variant, seed);
    variant.opts.faults = faults;
    return run_and_check(&variant.opts);
}

static void a_bad_day_of_aws_is_survived(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){
        .name = "bad_day", .first = 1, .count = 100, .kind = SEEDS_SWEEP, .check = check_bad_day}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, an_answer_lost_anywhere_does_no_harm);
    TEST(&tests, a_bad_day_of_aws_is_survived);
    return tests_run(&tests, "answers");
}
