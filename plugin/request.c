#include "plugin/request.h"

#define ANNOTATION(name) "stagingrefresh.dev/" name
#define TRIES 20

static void annotate(struct request_plan *plan, const char *name, const char *value)
{
    if (!plan->annotations)
        plan->annotations = json_new_object();
    json_set_text(plan->annotations, name, value);
}

/* --- one function per kind --- */

static void plan_run(const struct request *request, const struct refresh_status *status,
                     const char *user UNUSED, struct request_plan *plan)
{
    annotate(plan, ANNOTATION("run-requested"), request->unique);
    plan->said = facts_is_active(status) ? xasprintf("a run of %s is asked for; it begins after run %s",
                                                     request->name, status->run.id)
                                         : xasprintf("a run of %s is asked for", request->name);
}

static void plan_approve(const struct request *request, const struct refresh_status *status, const char *user,
                         struct request_plan *plan)
{
    AUTO_FREE char *value = NULL;

    if (!facts_is_active(status)) {
        plan->refusal = xasprintf("nothing waits for approval: no run of %s is under way", request->name);
    } else if (!facts_awaits_approval(status)) {
        plan->refusal = xasprintf("nothing waits for approval: run %s is %s%s%s", status->run.id,
                                  status->phase ? status->phase : "beginning",
                                  status->run.approved_by ? ", and was approved by " : "",
                                  status->run.approved_by ? status->run.approved_by : "");
    } else {
        value = status_approval(status);
        annotate(plan, ANNOTATION("approve"), value);
        annotate(plan, ANNOTATION("approved-by"), user);
        plan->said = xasprintf("run %s of %s is approved by %s: staging goes onto its copies", status->run.id,
                               request->name, user);
    }
}

static char *with_attempt(const struct refresh_status *status)
{
    return xasprintf("%s/%lld", status->run.id, (long long)status->run.attempt);
}

static void plan_retry(const struct request *request, const struct refresh_status *status,
                       const char *user UNUSED, struct request_plan *plan)
{
    AUTO_FREE char *value = NULL;

    if (facts_is_active(status)) {
        plan->refusal =
            xasprintf("run %s is under way: only one that has failed can be retried", status->run.id);
    } else if (!facts_can_retry(status)) {
        plan->refusal =
            xasprintf("the last run of %s has not failed: kubectl stagingrefresh run %s -n %s begins "
                      "another one",
                      request->name, request->name, request->namespace);
    } else {
        value = with_attempt(status);
        annotate(plan, ANNOTATION("retry"), value);
        plan->said = xasprintf("attempt %lld of run %s is asked for: what has failed is done again",
                               (long long)status->run.attempt + 1, status->run.id);
    }
}

static void plan_cancel(const struct request *request, const struct refresh_status *status,
                        const char *user UNUSED, struct request_plan *plan)
{
    AUTO_FREE char *value = NULL;

    if (!facts_is_active(status)) {
        plan->refusal = xasprintf("nothing to cancel: no run of %s is under way", request->name);
        return;
    }
    value = with_attempt(status);
    annotate(plan, ANNOTATION("cancel"), value);
    plan->said =
        xasprintf("run %s is to be cancelled: nothing more begins, and a switchover under way is put back",
                  status->run.id);
}

/* "20261122-... (in use), 20261022-..."; yours. */
static char *kept_text(const struct refresh_status *status)
{
    struct kept_run runs[KEPT_RUNS_MAX];
    size_t count = facts_kept_runs(status, runs);
    AUTO_BUF struct buf text = BUF_MAX(4 * KIB);

    for (size_t i = 0; i < count; i++)
        buf_addf(&text, "%s%s%s", text.len ? ", " : "", runs[i].id, runs[i].is_used ? " (in use)" : "");
    return text.len ? buf_take(&text) : xstrdup("none");
}

/* The run by its id, for "previous" may mean another one by the time it is read; and told apart from the same
 * request made before. */
static void plan_switch(const struct request *request, const struct refresh_status *status,
                        const char *user UNUSED, struct request_plan *plan)
{
    bool previous = text_equal(request->run, "previous");
    const char *run = previous ? facts_previous_run(status) : request->run;
    AUTO_FREE char *kept = kept_text(status);
    AUTO_FREE char *value = NULL;

    if (facts_is_active(status)) {
        plan->refusal =
            xasprintf("run %s is under way: wait for its end, or cancel it first", status->run.id);
    } else if (!run || !facts_is_kept(status, run)) {
        plan->refusal =
            xasprintf("no copies of %s are kept for every database; runs of which copies are kept: %s",
                      run ? run : "a previous run", kept);
    } else {
        value = xasprintf("%s/%s", run, request->unique);
        annotate(plan, ANNOTATION("switch-to"), value);
        plan->said = xasprintf("staging is to go onto the copies of run %s", run);
    }
}

static void (*const planners[])(const struct request *request, const struct refresh_status *status,
                                const char *user, struct request_plan *plan) = {
    [REQUEST_RUN] = plan_run,       [REQUEST_APPROVE] = plan_approve, [REQUEST_RETRY] = plan_retry,
    [REQUEST_CANCEL] = plan_cancel, [REQUEST_SWITCH] = plan_switch,
};

struct request_plan request_plan(const struct request *request, const struct refresh_status *status,
                                 const char *user)
{
    struct request_plan plan = {0};

    planners[request->kind](request, status, user, &plan);
    return plan;
}

void request_plan_done(struct request_plan *plan)
{
    xfree(plan->refusal);
    xfree(plan->said);
    json_free(plan->annotations);
}

/* --- sending --- */

static struct err *read_refresh(const struct cluster *cluster, const struct request *request,
                                struct json **ret_object, struct refresh_status **ret_status)
{
    TRY(cluster_get(cluster, request->namespace, request->name, ret_object));
    if (json_at(*ret_object, "metadata.deletionTimestamp"))
        return err_new(ERR_INVALID, "StagingRefresh %s is being deleted", request->name);
    return err_wrap(refresh_status_parse(json_member(*ret_object, "status"), ret_status), "status of %s",
                    request->name);
}

/* The same attempt of the same run of the same object as at the first look. */
static struct err *check_same(const struct json *before, const struct json *now)
{
    static const char *const paths[] = {"metadata.uid", "status.run.id"};

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        if (!text_equal(json_get_text(before, paths[i], ""), json_get_text(now, paths[i], "")))
            return err_new(ERR_CONFLICT, "another run has begun meanwhile: look at it, then ask again");
    }
    if (json_get_int(before, "status.run.attempt", 0) != json_get_int(now, "status.run.attempt", 0))
        return err_new(ERR_CONFLICT, "another attempt has begun meanwhile: look at it, then ask again");
    return NULL;
}

struct err *request_send(const struct cluster *cluster, const struct request *request, char **ret_said,
                         struct json **ret_before)
{
    AUTO_JSON struct json *first = NULL;
    AUTO_FREE char *user = NULL;

    for (int i = 0;; i++) {
        AUTO_JSON struct json *object = NULL;
        AUTO_REFRESH_STATUS struct refresh_status *status = NULL;
        AUTO_REQUEST_PLAN struct request_plan plan = {0};
        struct err *err;

        TRY(read_refresh(cluster, request, &object, &status));
        if (first)
            TRY(check_same(first, object));
        if (request->kind == REQUEST_APPROVE && !user && facts_awaits_approval(status))
            TRY(cluster_whoami(cluster, &user));
        plan = request_plan(request, status, user);
        if (plan.refusal)
            return err_new(ERR_INVALID, "%s", plan.refusal);
        err = cluster_annotate(cluster, object, plan.annotations);
        if (!err) {
            *ret_said = TAKE(plan.said);
            *ret_before = TAKE(object);
            return NULL;
        }
        if (err_kind(err) != ERR_CONFLICT || i == TRIES)
            return err;
        err_ignore(err, "the controller has written its progress in between");
        if (!first)
            first = TAKE(object);
    }
}
