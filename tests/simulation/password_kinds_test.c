/* A password that is made anew, and one that RDS keeps: a whole refresh with each, whatever crashes, and the
 * way back when the new cluster cannot be used. That the password works is what the proxy's health says: the
 * simulated one logs in. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

#define STAGING "222222222222"

struct kind {
    const char *name;
    const char *edits[3];
    int64_t secret_writes; /* of the secret that staging uses */
    int64_t stage_moves;
    int64_t proxy_changes;
};

static const struct kind kinds[] = {
    {.name = "generate",
     .edits = {"fromSecret:\n          secretsManager: {secretID: shop/stg/db, key: password}",
               "generate:\n          secretsManager: {secretID: shop/stg/db, key: password}"},
     .secret_writes = 1,
     .stage_moves = 1},
    {.name = "rdsManaged",
     .edits = {"fromSecret:\n          secretsManager: {secretID: shop/stg/db, key: password}",
               "rdsManaged: {}"},
     .proxy_changes = 1},
};

static const struct kind *kind_of(uint64_t seed)
{
    return &kinds[seed % COUNT_OF(kinds)];
}

static int64_t count_of(const struct json *journal, const char *operation, const char *resource)
{
    int64_t count = 0;

    json_each (row, journal) {
        const char *effect = json_get_text(row, "effect", "");

        count += text_equal(json_get_text(row, "operation", ""), operation) &&
                 strstr(json_get_text(row, "resource", ""), resource) && text_equal(effect, "changed");
    }
    return count;
}

static void expect(struct buf *faults, const char *what, int64_t got, int64_t want)
{
    if (got != want)
        buf_addf(faults, "%s: %lld times instead of %lld\n", what, (long long)got, (long long)want);
}

/* Once per run, whatever crashed. */
static void check_writes(struct scenario *scenario, const struct kind *kind, struct buf *faults)
{
    const struct json *journal = scenario_journal(scenario);

    expect(faults, "PutSecretValue", count_of(journal, "PutSecretValue", "shop/stg/db"), kind->secret_writes);
    expect(faults, "UpdateSecretVersionStage", count_of(journal, "UpdateSecretVersionStage", "shop/stg/db"),
           kind->stage_moves);
    expect(faults, "ModifyDBProxy", count_of(journal, "ModifyDBProxy", ""), kind->proxy_changes);
}

static char *check_seed(uint64_t seed, void *arg UNUSED)
{
    const struct kind *kind = kind_of(seed);
    AUTO_VARIANT struct variant variant = {0};
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);

    variant_init(&variant, seed);
    variant.opts.manifest_edits = kind->edits;
    if (seed % 4 >= 2)
        variant_add_crashes(&variant, 260);
    AUTO_SCENARIO struct scenario *scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    AUTO_FREE char *common = check_all(scenario);
    if (common)
        buf_adds(&faults, common);
    check_writes(scenario, kind, &faults);
    return faults.len ? buf_take(&faults) : NULL;
}

static void any_kind_succeeds(void **state UNUSED)
{
    assert_true(seeds_run(
        &(struct seeds){.name = "any_kind_succeeds", .first = 1, .count = 24, .check = check_seed}));
}

/* --- and back: the proxy never reaches the new cluster --- */

static char *check_put_back_of(uint64_t seed, void *arg UNUSED)
{
    const struct kind *kind = kind_of(seed);
    const char *edits[] = {kind->edits[0], kind->edits[1], "sg-0123456789abcdef0", "sg-00000000000000001",
                           NULL};
    AUTO_VARIANT struct variant variant = {0};
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);

    variant_init(&variant, seed);
    variant.opts.manifest_edits = edits;
    if (seed % 4 >= 2)
        variant_add_crashes(&variant, 350);
    AUTO_SCENARIO struct scenario *scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    check_put_back(scenario, "ProxyTargetNotHealthy", &faults);
    check_production(scenario, &faults);
    check_history(scenario, &faults);
    expect(&faults, "PutSecretValue", count_of(scenario_journal(scenario), "PutSecretValue", "shop/stg/db"),
           kind->secret_writes);
    return faults.len ? buf_take(&faults) : NULL;
}

static void any_kind_is_put_back(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){
        .name = "any_kind_is_put_back", .first = 1, .count = 12, .check = check_put_back_of}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, any_kind_succeeds);
    TEST(&tests, any_kind_is_put_back);
    return tests_run(&tests, "password_kinds");
}
