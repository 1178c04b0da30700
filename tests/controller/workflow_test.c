/* Whatever a spec may hold, every row of its run is written and read back. */
#include "controller/rows.h"
#include "controller/runner.h"
#include "pkg/refresh/fields.h"
#include "tests/testing/assertions.h"

struct limit {
    const char *path;
    size_t max;
};

static void find_limit(void *arg, const char *path, const struct field *field)
{
    struct limit *limit = arg;

    if (field->kind == FIELD_LIST && text_equal(path, limit->path))
        limit->max = (size_t)field->max;
}

/* As many zeroed entries as the spec may have there. */
static void *fill(const char *path, size_t size, size_t *ret_count)
{
    struct limit limit = {.path = path};

    fields_walk(&spec_part, "", find_limit, &limit);
    assert_true(limit.max > 0);
    *ret_count = limit.max;
    return xcalloc(limit.max, size);
}

#define FILL(path, items, count)                            \
    do {                                                    \
        (items) = fill((path), sizeof(*(items)), &(count)); \
        for (size_t i_ = 0; i_ < (count); i_++)             \
            (items)[i_].name = xasprintf("n%zu-" LONG, i_); \
    } while (0)
#define LONG "abcdefghijklmnopqrstuvwxyz"

/* Each database is a cluster with a generated password and no proxy: most rows. */
static struct refresh_spec *largest_spec(void)
{
    struct refresh_spec *spec = xcalloc(1, sizeof(*spec));

    FILL("databases[]", spec->databases, spec->database_count);
    FILL("hooks.beforeSwitchover[]", spec->before_hooks, spec->before_hook_count);
    FILL("hooks.afterSwitchover[]", spec->after_hooks, spec->after_hook_count);
    FILL("switchover.proxies[]", spec->proxies, spec->proxy_count);
    FILL("switchover.parameters[]", spec->parameters, spec->parameter_count);
    FILL("switchover.applications[]", spec->applications, spec->application_count);
    for (size_t i = 0; i < spec->database_count; i++) {
        spec->databases[i].kind = DATABASE_AURORA;
        spec->databases[i].aurora.password.kind = PASSWORD_GENERATE;
    }
    return spec;
}

static void the_largest_spec_loses_no_row(void **state UNUSED)
{
    struct refresh_spec *spec = largest_spec();
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();
    AUTO_REFRESH_STATUS struct refresh_status *read = NULL;
    AUTO_JSON struct json *written = NULL;

    status->run.id = xstrdup("r1");
    runner_lay_out(status, spec);
    assert_text_equal(status->switchover_steps[status->switchover_step_count - 1].name, "Retention");
    written = refresh_status_to_json(status);
    assert_no_err(refresh_status_parse(written, &read));
    assert_number(read->switchover_step_count, status->switchover_step_count);
    assert_number(read->database_count, status->database_count);
    for (size_t i = 0; i < read->database_count; i++)
        assert_number(read->databases[i].step_count, status->databases[i].step_count);
    assert_true(status->switchover_step_count <= STAGES_MAX);
    refresh_spec_free(spec);
}

/* What each of them held before, and how long each took. */
static void the_largest_run_is_remembered(void **state UNUSED)
{
    struct refresh_spec *spec = largest_spec();
    AUTO_REFRESH_STATUS struct refresh_status *status = refresh_status_new();
    AUTO_REFRESH_STATUS struct refresh_status *read = NULL;
    AUTO_JSON struct json *written = NULL;
    size_t rows = 0;

    runner_lay_out(status, spec);
    rows = status->switchover_step_count;
    for (size_t i = 0; i < status->database_count; i++)
        rows += status->databases[i].step_count;
    for (size_t i = 0; i < spec->proxy_count; i++)
        (void)status_set_previous(status, "Proxy", spec->proxies[i].name);
    for (size_t i = 0; i < spec->parameter_count; i++)
        (void)status_set_previous(status, "SSM", spec->parameters[i].name);
    status_add_history(status, "r1", "Succeeded", NULL);
    for (size_t i = 0; i < rows; i++)
        history_add_step(&status->history[0])->name = xasprintf("row-%zu", i);
    written = refresh_status_to_json(status);
    assert_no_err(refresh_status_parse(written, &read));
    assert_number(read->previous_count, spec->proxy_count + spec->parameter_count);
    assert_number(read->history[0].step_count, rows);
    refresh_spec_free(spec);
}

int main(void)
{
    struct tests tests = {0};

    TEST(&tests, the_largest_spec_loses_no_row);
    TEST(&tests, the_largest_run_is_remembered);
    return tests_run(&tests, "workflow");
}
