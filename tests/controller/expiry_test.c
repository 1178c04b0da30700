#include "controller/expiry.h"

#include "tests/testing/assertions.h"

#define NOW_MS INT64_C(1795363200000)

struct row {
    const char *name;
    const char *metadata;
    int64_t ttl_s;
    int64_t ended_before_s; /* 0: it has not */
    const char *never;      /* the reason of a run that never begins; NULL: it has begun */
    int64_t left_s;         /* -1: never */
    const char *manager;
};

/* clang-format off */
static const struct row rows[] = {
    {.name = "no field", .ttl_s = -1, .ended_before_s = 10, .left_s = -1},
    {.name = "nothing has ended", .ttl_s = 60, .left_s = -1},
    {.name = "some time is left", .ttl_s = 60, .ended_before_s = 10, .left_s = 50},
    {.name = "over", .ttl_s = 60, .ended_before_s = 61, .left_s = 0},
    {.name = "at once", .ttl_s = 0, .ended_before_s = 1, .left_s = 0},
    {.name = "a run that was refused has ended", .ttl_s = 60, .never = "RunForbidden", .ended_before_s = 20, .left_s = 40},
    {.name = "so has one that gave way", .ttl_s = 60, .never = "Superseded", .ended_before_s = 20, .left_s = 40},
    {.name = "one that is stalled has not", .ttl_s = 60, .never = "NotGranted", .ended_before_s = 20, .left_s = -1},
    {.name = "Argo CD's annotation", .ttl_s = 60, .ended_before_s = 61, .left_s = -1, .manager = "Argo CD",
     .metadata = "{\"annotations\": {\"argocd.argoproj.io/tracking-id\": \"a:b\"}}"},
    {.name = "Argo CD's label", .ttl_s = 60, .left_s = -1, .manager = "Argo CD",
     .metadata = "{\"labels\": {\"app.kubernetes.io/instance\": \"shop\"}}"},
    {.name = "Flux's label", .ttl_s = 60, .left_s = -1, .manager = "Flux",
     .metadata = "{\"labels\": {\"kustomize.toolkit.fluxcd.io/name\": \"shop\"}}"},
    {.name = "Flux's Helm label", .ttl_s = 60, .left_s = -1, .manager = "Flux",
     .metadata = "{\"labels\": {\"helm.toolkit.fluxcd.io/name\": \"shop\"}}"},
    {.name = "without the field a tool may manage it", .ttl_s = -1, .ended_before_s = 61, .left_s = -1,
     .metadata = "{\"labels\": {\"helm.toolkit.fluxcd.io/name\": \"shop\"}}"},
    {.name = "other labels", .ttl_s = 60, .ended_before_s = 10, .left_s = 50,
     .metadata = "{\"labels\": {\"app.kubernetes.io/created-by\": \"nightly\"}}"},
};
/* clang-format on */

static struct refresh_status *status_of(const struct row *row)
{
    struct refresh_status *status = refresh_status_new();
    int64_t at_ms = row->ended_before_s ? NOW_MS - SECONDS(row->ended_before_s) : 0;

    if (row->never)
        status_set_condition(status, "Stalled", CONDITION_TRUE, row->never, "refused", 1, at_ms);
    else
        status->run.completion_ms = at_ms;
    return status;
}

static void says_how_long(void **state)
{
    const struct row *row = *state;
    struct sched *sched = sched_seeded_new(1, NOW_MS);
    AUTO_REFRESH_STATUS struct refresh_status *status = status_of(row);
    const struct refresh_spec spec = {.live = {.ttl_seconds_after_finished = row->ttl_s}};
    AUTO_JSON struct json *object = json_new_object();
    AUTO_JSON struct json *metadata = NULL;
    struct expiry expiry;

    assert_no_err(json_parse(str_of(row->metadata ? row->metadata : "{}"), NULL, &metadata));
    json_set_copy(object, "metadata", metadata);
    expiry = expiry_of(object, status, &spec, sched);
    assert_number(expiry.left_ms == NEVER_MS ? -1 : expiry.left_ms / 1000, row->left_s);
    assert_text_equal(expiry.manager, row->manager);
    if (row->manager)
        assert_text_contains(expiry_refusal(&expiry), row->manager);
    sched_free(sched);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, says_how_long, rows);
    return tests_run(&tests, "expiry");
}
