/* Restarts of workloads of Kubernetes: the step alone runs, on objects in memory. */
#include "tests/simulation/kube_bench.h"

static void begin(struct kube_bench *bench, enum application_kind kind)
{
    kube_bench_init(bench, "Applications/web");
    bench->spec.application_count = 1;
    bench->application = (struct application_spec){.name = TEXT("web"), .kind = kind, .target = TEXT("web")};
}

/* --- one attempt --- */

struct workload_row {
    const char *name;
    enum application_kind kind;
    const char *spec, *status; /* after the restart; generation 2 */
    enum verdict verdict;
    const char *message;
};

static const struct workload_row workloads[] = {
    {"a Deployment has rolled out", APPLICATION_DEPLOYMENT, "\"replicas\":2",
     "\"observedGeneration\":2,\"replicas\":2,\"updatedReplicas\":2,\"availableReplicas\":2", VERDICT_DONE,
     "Deployment web has rolled out"},
    {"a Deployment has old pods still", APPLICATION_DEPLOYMENT, "\"replicas\":2",
     "\"observedGeneration\":2,\"replicas\":3,\"updatedReplicas\":2,\"availableReplicas\":3", VERDICT_WAIT,
     "Deployment web: 2 of 2 pods are new, 3 available"},
    {"nobody has looked at the Deployment yet", APPLICATION_DEPLOYMENT, "\"replicas\":2",
     "\"observedGeneration\":1,\"replicas\":2,\"updatedReplicas\":2,\"availableReplicas\":2", VERDICT_WAIT,
     "Deployment web: 2 of 2"},
    {"a Deployment past its deadline", APPLICATION_DEPLOYMENT, "\"replicas\":2",
     "\"observedGeneration\":2,\"replicas\":2,\"updatedReplicas\":1,\"conditions\":[{\"type\":"
     "\"Progressing\","
     "\"reason\":\"ProgressDeadlineExceeded\"}]",
     VERDICT_FAILED, "did not come up within its progress deadline"},
    {"a StatefulSet has rolled out", APPLICATION_STATEFUL_SET, "\"replicas\":3",
     "\"observedGeneration\":2,\"replicas\":3,\"updatedReplicas\":3,\"availableReplicas\":3", VERDICT_DONE,
     "StatefulSet web has rolled out"},
    {"a StatefulSet rolls", APPLICATION_STATEFUL_SET, "\"replicas\":3",
     "\"observedGeneration\":2,\"replicas\":3,\"updatedReplicas\":1,\"availableReplicas\":2", VERDICT_WAIT,
     "StatefulSet web: 1 of 3 pods are new, 2 available"},
    {"a StatefulSet without pods", APPLICATION_STATEFUL_SET, "\"replicas\":0", "\"observedGeneration\":2",
     VERDICT_DONE, "has rolled out"},
    {"a StatefulSet that nothing restarts", APPLICATION_STATEFUL_SET,
     "\"replicas\":1,\"updateStrategy\":{\"type\":\"OnDelete\"}",
     "\"observedGeneration\":2,\"replicas\":1,\"availableReplicas\":1", VERDICT_FAILED,
     "has the update strategy OnDelete"},
    {"a StatefulSet with a partition", APPLICATION_STATEFUL_SET,
     "\"replicas\":3,\"updateStrategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"partition\":2}}",
     "\"observedGeneration\":2,\"replicas\":3,\"updatedReplicas\":1,\"availableReplicas\":3", VERDICT_FAILED,
     "has the partition 2: its pods below that number are not restarted"},
    {"a DaemonSet has rolled out", APPLICATION_DAEMON_SET, "\"x\":1",
     "\"observedGeneration\":2,\"desiredNumberScheduled\":2,\"currentNumberScheduled\":2,"
     "\"updatedNumberScheduled\":2,\"numberAvailable\":2",
     VERDICT_DONE, "DaemonSet web has rolled out"},
    {"a DaemonSet rolls", APPLICATION_DAEMON_SET, "\"x\":1",
     "\"observedGeneration\":2,\"desiredNumberScheduled\":2,\"currentNumberScheduled\":2,"
     "\"updatedNumberScheduled\":1,\"numberAvailable\":1",
     VERDICT_WAIT, "DaemonSet web: 1 of 2 pods are new, 1 available"},
    {"a DaemonSet on no node", APPLICATION_DAEMON_SET, "\"x\":1", "\"observedGeneration\":2", VERDICT_DONE,
     "has rolled out"},
    {"a DaemonSet that nothing restarts", APPLICATION_DAEMON_SET,
     "\"updateStrategy\":{\"type\":\"OnDelete\"}",
     "\"observedGeneration\":2,\"desiredNumberScheduled\":2,\"currentNumberScheduled\":2,"
     "\"numberAvailable\":2",
     VERDICT_FAILED, "has the update strategy OnDelete"},
};

static const char *const plurals[] = {"deployments", "statefulsets", "daemonsets"};

static const char *mark_of(const struct kube_bench *bench, const char *path)
{
    return json_get_text(
        json_member(json_at(kube_memory_get(&bench->memory, path), "spec.template.metadata.annotations"),
                    "stagingrefresh.dev/run"),
        NULL, NULL);
}

static void rolls(void **state)
{
    const struct workload_row *row = *state;
    AUTO_FREE char *path = xasprintf("/apis/apps/v1/namespaces/staging/%s/web", plurals[row->kind]);
    AUTO_FREE char *text =
        xasprintf("{\"metadata\":{\"generation\":2},\"spec\":{%s},\"status\":{%s}}", row->spec, row->status);
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    begin(&bench, row->kind);
    kube_memory_put(&bench.memory, path, text);
    assert_no_err(application_intend(&bench.stage));
    assert_no_err(application_act(&bench.stage, &out));
    assert_number(out.verdict, VERDICT_WAIT);
    assert_text_equal(mark_of(&bench, path), RUN);
    outcome_reset(&out);
    assert_no_err(application_act(&bench.stage, &out));
    assert_number(out.verdict, row->verdict);
    assert_text_contains(out.message, row->message);
    assert_number(bench.memory.writes, 1); /* restarted once */
    outcome_reset(&out);
    assert_no_err(application_undo(&bench.stage, &out));
    assert_text_equal(mark_of(&bench, path), RUN "-undone");
    outcome_reset(&out);
    assert_no_err(application_undo(&bench.stage, &out));
    assert_number(bench.memory.writes, 2);
    kube_bench_done(&bench);
}

/* --- looked at before anything is switched --- */

struct rehearsal_row {
    const char *name;
    enum application_kind kind;
    const char *spec; /* NULL: it is not there */
    enum err_kind kind_of_error;
    const char *error; /* NULL: none */
};

static const struct rehearsal_row rehearsals[] = {
    {.name = "a Deployment", .kind = APPLICATION_DEPLOYMENT, .spec = "\"replicas\":2"},
    {.name = "no Deployment",
     .kind = APPLICATION_DEPLOYMENT,
     .kind_of_error = ERR_NOT_FOUND,
     .error = "look at Deployment web"},
    {.name = "a StatefulSet that nothing restarts",
     .kind = APPLICATION_STATEFUL_SET,
     .spec = "\"updateStrategy\":{\"type\":\"OnDelete\"}",
     .kind_of_error = ERR_INVALID,
     .error = "has the update strategy OnDelete"},
    {.name = "a StatefulSet that nothing restarts, without pods",
     .kind = APPLICATION_STATEFUL_SET,
     .spec = "\"replicas\":0,\"updateStrategy\":{\"type\":\"OnDelete\"}"},
    {.name = "a StatefulSet with a partition",
     .kind = APPLICATION_STATEFUL_SET,
     .spec = "\"updateStrategy\":{\"rollingUpdate\":{\"partition\":1}}",
     .kind_of_error = ERR_INVALID,
     .error = "has the partition 1"},
};

static void is_rehearsed(void **state)
{
    const struct rehearsal_row *row = *state;
    AUTO_FREE char *path = xasprintf("/apis/apps/v1/namespaces/staging/%s/web", plurals[row->kind]);
    AUTO_FREE char *text = xasprintf("{\"spec\":{%s}}", row->spec ? row->spec : "");
    struct kube_bench bench;

    begin(&bench, row->kind);
    if (row->spec)
        kube_memory_put(&bench.memory, path, text);
    if (row->error)
        assert_fails(application_rehearse(&bench.stage), row->kind_of_error, row->error);
    else
        assert_no_err(application_rehearse(&bench.stage));
    assert_number(bench.memory.writes, 0);
    kube_bench_done(&bench);
}

/* --- marks of attempts --- */

struct mark_row {
    const char *name;
    int64_t attempt;
    bool is_undo;
    bool is_intended;           /* by this version of the controller */
    const char *undone_since;   /* an earlier look of the way back, by an earlier version */
    const char *before, *after; /* the mark in the template */
};

static const struct mark_row mark_rows[] = {
    {"the first attempt", 1, false, true, NULL, "", RUN},
    {"the first attempt is put back", 1, true, true, NULL, RUN, RUN "-undone"},
    {"the second attempt", 2, false, true, NULL, RUN "-undone", RUN "-2"},
    {"the second attempt, somebody has put the first one's template back", 2, false, true, NULL, RUN,
     RUN "-2"},
    {"the second attempt is put back", 2, true, true, NULL, RUN "-2", RUN "-2-undone"},
    {"the second attempt is put back before its row began", 2, true, false, NULL, RUN "-undone",
     RUN "-2-undone"},
    {"an earlier version has restarted it", 2, false, false, NULL, RUN, RUN},
    {"an earlier version has restarted it, and it is put back", 2, true, false, NULL, RUN, RUN "-2-undone"},
    {"an earlier version has begun to put it back", 2, true, false, "1795363200000", RUN "-undone",
     RUN "-undone"},
};

#define WEB "/apis/apps/v1/namespaces/staging/deployments/web"

static void mark_init(struct kube_bench *bench, const struct mark_row *row)
{
    AUTO_FREE char *text = xasprintf("{\"spec\":{\"replicas\":0,\"template\":{\"metadata\":{\"annotations\":"
                                     "{\"stagingrefresh.dev/run\":\"%s\"}}}},\"status\":{}}",
                                     row->before);

    begin(bench, APPLICATION_DEPLOYMENT);
    bench->stage.row->attempt = row->attempt;
    kube_memory_put(&bench->memory, WEB, text);
    if (row->is_intended)
        assert_no_err(application_intend(&bench->stage));
    step_set_evidence(bench->stage.row, "undoSince", row->undone_since);
}

static void an_attempt_has_its_mark(void **state)
{
    const struct mark_row *row = *state;
    AUTO_OUTCOME struct outcome out = {0};
    struct kube_bench bench;

    mark_init(&bench, row);
    for (int i = 0; i < 3; i++) {
        outcome_reset(&out);
        assert_no_err(row->is_undo ? application_undo(&bench.stage, &out)
                                   : application_act(&bench.stage, &out));
        step_set_evidence(bench.stage.row, "undoSince", "1795363200000"); /* as after every look */
    }
    assert_number(out.verdict, VERDICT_DONE);
    assert_text_equal(mark_of(&bench, WEB), row->after);
    assert_number(bench.memory.writes, text_equal(row->before, row->after) ? 0 : 1);
    kube_bench_done(&bench);
}

int main(void)
{
    struct tests tests = {0};

    TEST_ROWS(&tests, rolls, workloads);
    TEST_ROWS(&tests, is_rehearsed, rehearsals);
    TEST_ROWS(&tests, an_attempt_has_its_mark, mark_rows);
    return tests_run(&tests, "workload_step");
}
