/* How a run starts: wanted, admitted, alone in its series, and recorded with the trigger it answers. */
#include "controller/expiry.h"
#include "controller/names.h"
#include "controller/preflight.h"
#include "controller/requests.h"
#include "controller/visit.h"
#include "pkg/aws/dynamodb.h"
#include "pkg/aws/rds.h"

#define ACCOUNT_LOOK_MS SECONDS(30)

bool visit_is_wanted(const struct visit *visit)
{
    const struct refresh_status *status = visit->status;

    if (!status_is_answered(status->last_handled_trigger, visit->live->live.trigger))
        return true;
    return *visit->request && !status_is_answered(status->last_handled_request, visit->request);
}

/* --- recording --- */

void visit_mark_handled(struct visit *visit)
{
    struct refresh_status *status = visit->status;

    xfree(status->last_handled_trigger);
    xfree(status->last_handled_request);
    status->last_handled_trigger = status_answered(visit->live->live.trigger);
    status->last_handled_request = status_answered(visit->request);
}

/* The trigger that is answered is written in the same patch as the run's id: neither is ever there without
 * the other. */
static void lay_out_run(struct visit *visit, const char *run_id)
{
    struct refresh_status *status = visit->status;
    AUTO_FREE char *answered = requests_take_answered(status);

    status_reset_run(status);
    json_free(status->run.spec);
    text_replace(&status->run.id, run_id);
    visit_mark_handled(visit);
    text_replace(&status->run.trigger, status->last_handled_trigger);
    text_replace(&status->run.request, *visit->request ? status->last_handled_request : NULL);
    text_replace(&status->run.controller_version, SR_VERSION);
    text_replace(&status->run.approved_by, NULL);
    status->run.approval_ms = 0;
    status->run.attempt = 1;
    status->run.start_ms = visit->summary.now_ms;
    status->run.completion_ms = 0;
    status->run.spec = json_copy(json_member(visit->object, "spec"));
    status->percent = 0;
    runner_lay_out(status, visit->live);
    requests_put_answered(status, visit->switch_to ? request_value(visit->object, "switch-to") : answered);
    if (visit->switch_to)
        request_lay_out_switch(status, visit->switch_to);
    visit_look_back(visit, visit->live);
    status_remove_condition(status, "Drifted"); /* of what the last run had set */
    summary_running(&visit->summary, NULL, NULL, false);
}

static struct err *describe_cluster(const struct aws_client *aws, struct database_status *database)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};

    TRY(rds_describe_cluster(aws, database->copy_identifier, &cluster));
    text_replace(&database->endpoint, cluster.endpoint);
    text_replace(&database->reader_endpoint, cluster.reader_endpoint);
    text_replace(&database->engine, cluster.engine);
    text_replace(&database->engine_version, cluster.engine_version);
    text_replace(&database->master_username, cluster.master_username);
    database->port = cluster.port;
    return NULL;
}

static struct err *describe_table(const struct aws_client *aws, struct database_status *database)
{
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};

    TRY(dynamodb_describe_table(aws, database->copy_identifier, &table));
    text_replace(&database->stream_arn, table.stream_arn);
    return NULL;
}

/* What the switchover needs to know of kept copies, as they are now. *ret_gone names one that is not there
 * any more, or stays NULL. */
static struct err *describe_copies(struct visit *visit, const struct account *target, const char **ret_gone)
{
    AUTO_AWS_ACCOUNT struct aws_account *account = NULL;
    struct aws_client aws = {0};

    TRY(visit_client(visit, target, &account, &aws));
    for (size_t i = 0; i < visit->status->database_count; i++) {
        struct database_status *database = &visit->status->databases[i];
        bool aurora = refresh_database(visit->live, database->name)->kind == DATABASE_AURORA;

        struct err *err = aurora ? describe_cluster(&aws, database) : describe_table(&aws, database);

        if (err && err_kind(err) == ERR_NOT_FOUND) {
            err_ignore(err, "the request is refused instead");
            *ret_gone = database->copy_arn;
            return NULL;
        }
        TRY(err_wrap(err, "look at the kept copy %s", database->copy_identifier));
    }
    return NULL;
}

/* The object as it was, but for a copy that somebody has deleted: it is not kept, and the next pass says so.
 */
static struct err *forget_copy(struct visit *visit, const char *gone, struct requeue *ret)
{
    AUTO_FREE char *arn = xstrdup(gone); /* it is of the status that goes */

    visit_say_once(visit, "RequestRefused",
                   xasprintf("switch-to run %s: its copy %s is not there any more", visit->switch_to, arn));
    TRY(visit_read_again(visit));
    for (size_t i = 0; i < visit->status->copy_count; i++) {
        if (text_equal(visit->status->copies[i].arn, arn)) {
            status_remove_copy(visit->status, i);
            break;
        }
    }
    engine_release_series(visit->engine, visit->holder);
    ret->after_ms = 0;
    return visit_write(visit);
}

static struct err *record_run(struct visit *visit, const char *run_id, const struct account *target,
                              struct requeue *ret)
{
    AUTO_FREE char *note =
        visit->switch_to ? xasprintf("Run %s has begun: staging goes onto the copies of run %s, on request",
                                     run_id, visit->switch_to)
                         : xasprintf("Run %s has begun", run_id);

    const char *gone = NULL;

    lay_out_run(visit, run_id);
    if (visit->switch_to)
        TRY(visit_say_trouble(visit, describe_copies(visit, target, &gone)));
    if (gone)
        return forget_copy(visit, gone, ret);
    visit_name_run(visit, run_id, visit->status->run.attempt);
    TRY(visit_write(visit));
    visit_announce(visit, EVENT_NORMAL, "RunStarted", note);
    ret->after_ms = 0;
    return NULL;
}

#define PREFLIGHT_LOOK_MS MINUTES(5)
#define FAILURES_MAX (3 * KIB)

/* All that failed, in one text; NULL: nothing did. Yours. */
static char *failures_text(const struct preflight_findings *findings)
{
    AUTO_BUF struct buf text = BUF_MAX(FAILURES_MAX);
    const struct finding *first = preflight_first_failure(findings);

    for (const struct finding *finding = first; first && finding < findings->items + findings->count;
         finding++) {
        AUTO_FREE char *line = xasprintf("%s%s: %s: %s", finding == first ? "" : "; ", finding->account,
                                         finding->subject, finding->message);

        if (finding->state == FINDING_FAIL && text.len + strlen(line) < FAILURES_MAX)
            buf_adds(&text, line);
    }
    return first ? buf_take(&text) : NULL;
}

/* Whether all is in place. What is not starts nothing; it is looked at again, and at once when the object
 * changes. */
static struct err *preflight(struct visit *visit, const struct accounts *accounts, char **ret_failures)
{
    AUTO_AWS_ACCOUNT struct aws_account *source = NULL;
    AUTO_AWS_ACCOUNT struct aws_account *target = NULL;
    AUTO_PREFLIGHT_FINDINGS struct preflight_findings findings = {0};
    struct preflight preflight = {.env = visit->env,
                                  .spec = visit->live,
                                  .accounts = accounts,
                                  .kube = visit->objects->kube,
                                  .namespace = visit->namespace,
                                  .memo = engine_preflight_memo(visit->engine),
                                  .switch_only = visit->switch_to != NULL};

    TRY(visit_client(visit, accounts->source, &source, &preflight.source));
    TRY(visit_client(visit, accounts->target, &target, &preflight.target));
    TRY(preflight_look(&preflight, &findings));
    *ret_failures = failures_text(&findings);
    status_set_condition(visit->status, "PreflightPassed", *ret_failures ? CONDITION_FALSE : CONDITION_TRUE,
                         *ret_failures ? "PreflightFailed" : "AllInPlace",
                         *ret_failures ? *ret_failures : "All that could be looked at is in place",
                         visit->summary.generation, visit->summary.now_ms);
    return NULL;
}

static struct err *begin_checked(struct visit *visit, const char *run_id, const struct accounts *accounts,
                                 struct requeue *ret, bool *ret_begun)
{
    AUTO_FREE char *failures = NULL;

    TRY(visit_pend(visit, ret, ret_begun));
    if (!*ret_begun)
        TRY(visit_hold(visit, ret, ret_begun));
    if (*ret_begun) /* the next pass goes on from here */
        return NULL;
    TRY(visit_say_trouble(visit, preflight(visit, accounts, &failures)));
    if (failures)
        return visit_fail_preflight(visit, failures, PREFLIGHT_LOOK_MS, ret);
    TRY(record_run(visit, run_id, accounts->target, ret));
    *ret_begun = true;
    return NULL;
}

static struct err *begin_in_series(struct visit *visit, const char *run_id, const struct accounts *accounts,
                                   struct requeue *ret)
{
    bool taken, begun = false;
    struct err *err;

    TRY(visit_take_series(visit, ret, &taken));
    if (!taken)
        return NULL;
    err = begin_checked(visit, run_id, accounts, ret, &begun);
    visit->is_beginning = begun && !err;
    if (!begun) /* another object must not wait for what has not begun */
        engine_release_series(visit->engine, visit->holder);
    return err;
}

struct err *visit_begin(struct visit *visit, struct requeue *ret)
{
    AUTO_ACCOUNTS struct accounts accounts = {0};
    AUTO_REFUSAL struct refusal refusal = {0};
    struct expiry expiry = expiry_of(visit->object, visit->status, visit->live, visit->env->sched);
    char run_id[RUN_ID_MAX];
    bool given;

    visit_name_run(visit, NULL, 0); /* the last one has nothing to do with it */
    if (expiry.manager)
        return visit_stall(visit, REASON_NOT_EXPIRED, expiry_refusal(&expiry), NEVER_MS, ret);
    TRY(visit_give_way(visit, ret, &given));
    if (given)
        return NULL;
    name_run_id(visit->summary.now_ms, visit->env->random, run_id);
    admit_fields(visit->objects, visit->live, &refusal);
    if (refusal.message)
        return visit_stall(visit, refusal.reason, refusal.message, NEVER_MS, ret);
    TRY(admit_accounts(visit->objects, visit->env, visit->live, &accounts, &refusal));
    if (!refusal.message && visit->objects->grants_apply)
        admit_grants(visit->objects, &accounts, visit->live, visit->namespace, run_id, &refusal);
    if (refusal.message)
        return visit_stall(visit, refusal.reason, refusal.message, ACCOUNT_LOOK_MS, ret);
    return begin_in_series(visit, run_id, &accounts, ret);
}
