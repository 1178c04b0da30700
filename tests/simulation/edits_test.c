/* People and other controllers edit the objects, and take accounts away, while a run is under way. */
#include "tests/simulation/invariants.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/variant.h"
#include "tests/testing/assertions.h"

/* --- an edit at every version of the status --- */

struct edit {
    const char *name;
    struct object_id id;
    const char *patch;
};

static const struct edit edits[] = {
    {.name = "nothing to switch over any more",
     .id = {.kind = OBJECT_REFRESH, .namespace = "staging", .name = "shop"},
     .patch = "{\"spec\": {\"switchover\": {\"proxies\": [], \"parameters\": [], \"applications\": []}}}"},
    {.name = "an annotation of somebody else's",
     .id = {.kind = OBJECT_REFRESH, .namespace = "staging", .name = "shop"},
     .patch = "{\"metadata\": {\"annotations\": {\"example.com/note\": \"hello\"}}}"},
    {.name = "fewer grants",
     .id = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "staging"},
     .patch = "{\"spec\": {\"grants\": []}}"},
    {.name = "a new role session",
     .id = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "production"},
     .patch = "{\"metadata\": {\"labels\": {\"touched\": \"yes\"}}}"},
};

struct editor {
    const struct edit *edit;
    size_t at_version; /* of the refresh */
    bool done;
};

static void edit_once(void *arg, struct scenario *scenario, const struct json *object)
{
    struct editor *editor = arg;

    if (editor->done || !json_at(object, "status.run.id") ||
        memory_version_count(scenario_memory(scenario), &scenario_refresh) < editor->at_version)
        return;
    editor->done = true;
    memory_patch(scenario_memory(scenario), &editor->edit->id, editor->edit->patch);
}

/* What the run does was frozen when it began: everything as without the edit, and no second run. */
static char *check_edit(uint64_t seed, void *arg UNUSED)
{
    struct editor editor = {.edit = &edits[seed % COUNT_OF(edits)],
                            .at_version = seed / COUNT_OF(edits) * 3 + 3};
    AUTO_VARIANT struct variant variant = {0};
    AUTO_SCENARIO struct scenario *scenario = NULL;
    char *faults;

    variant_init(&variant, seed);
    variant.opts.on_write = edit_once;
    variant.opts.on_write_arg = &editor;
    scenario = scenario_new(&variant.opts);
    scenario_run(scenario);
    faults = editor.done ? check_all(scenario) : NULL;
    if (!faults)
        return NULL;
    AUTO_FREE char *told = faults;
    return xasprintf("%s, at version %zu: %s", editor.edit->name, editor.at_version, told);
}

static void an_edit_does_not_change_the_run_under_way(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){.name = "edit",
                                          .first = 0,
                                          .count = 40 * COUNT_OF(edits),
                                          .kind = SEEDS_SWEEP,
                                          .check = check_edit}));
}

/* --- an account goes and comes back --- */

struct absence {
    struct json *account; /* as it was; NULL: still there */
    size_t at_version;
};

static const struct object_id staging = {.kind = OBJECT_ACCOUNT, .namespace = "", .name = "staging"};

static void restore_account(void *arg, struct scenario *scenario)
{
    struct absence *absence = arg;

    json_remove(absence->account, "status");
    memory_create(scenario_memory(scenario), absence->account);
}

static void remove_account(void *arg, struct scenario *scenario, const struct json *object UNUSED)
{
    struct absence *absence = arg;
    struct memory *memory = scenario_memory(scenario);

    if (absence->account || memory_version_count(memory, &scenario_refresh) < absence->at_version)
        return;
    absence->account = json_copy(memory_get(memory, &staging));
    memory_delete(memory, &staging);
    scenario_later(scenario, MINUTES(10), restore_account, absence);
}

static char *check_absence(uint64_t seed, void *arg UNUSED)
{
    struct absence absence = {.at_version = 2 + seed};
    struct memory_opts quirks = {.lag_max_ms = 500};
    AUTO_SCENARIO struct scenario *scenario =
        scenario_new(&(struct scenario_opts){.seed = seed,
                                             .world_edits = scenario_quick_world,
                                             .api = quirks,
                                             .on_write = remove_account,
                                             .on_write_arg = &absence});
    AUTO_BUF struct buf faults = BUF_MAX(64 * KIB);

    scenario_run(scenario);
    json_free(absence.account);
    check_success(scenario, &faults);
    check_exactly_once(scenario, &faults);
    check_production(scenario, &faults);
    check_password(scenario, &faults);
    return faults.len ? buf_take(&faults) : NULL;
}

static void an_account_may_go_and_come_back(void **state UNUSED)
{
    assert_true(seeds_run(&(struct seeds){
        .name = "absence", .first = 1, .count = 80, .kind = SEEDS_SWEEP, .check = check_absence}));
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, an_edit_does_not_change_the_run_under_way);
    TEST(&tests, an_account_may_go_and_come_back);
    return tests_run(&tests, "edits");
}
