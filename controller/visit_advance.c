/* A run that is under way: one pass of the runner, and its end. */
#include "controller/copies.h"
#include "controller/event_queues.h"
#include "controller/pace.h"
#include "controller/requests.h"
#include "controller/visit.h"

#define ACCOUNT_LOOK_MS SECONDS(30)

/* --- the end --- */

void visit_end_run(struct visit *visit, const struct report *report)
{
    struct refresh_status *status = visit->status;
    bool succeeded = report->end == RUN_SUCCEEDED;

    status->run.completion_ms = visit->summary.now_ms;
    copies_book(status, succeeded);
    status_add_history(status, status->run.id, succeeded ? "Succeeded" : "Failed",
                       succeeded ? NULL : report->fail_message);
    if (succeeded)
        pace_remember(status, visit->env->sched);
    if (succeeded)
        summary_succeeded(&visit->summary);
    else
        summary_failed(&visit->summary, report->fail_reason, report->fail_message);
}

/* What steps have done. */
static void announce(struct visit *visit, const struct report *report)
{
    for (size_t i = 0; i < report->happening_count; i++) {
        const struct happening *happening = &report->happenings[i];

        visit_announce(visit, happening->severity, happening->reason, happening->note);
    }
}

/* --- going on --- */

static bool hears_events_of(const struct visit *visit, const struct account *target)
{
    struct event_queues *events = engine_event_queues(visit->engine);

    return events && event_queues_work(events, target->name);
}

static void note_end(const struct visit *visit, const struct accounts *accounts,
                     const struct step_status *row)
{
    static const struct {
        const char *step;
        bool on_target;
    } jobs[] = {{"Backup", false}, {"Copy", false}, {"Restore", true}};

    if (row->state != STEP_DONE || row->completion_ms != visit->summary.now_ms)
        return;
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        const struct account *account = jobs[i].on_target ? accounts->target : accounts->source;

        if (account && text_equal(row->name, jobs[i].step))
            event_queues_job_ended(engine_event_queues(visit->engine), accounts->target->name,
                                   account->account_id, sched_elapsed_ms(visit->env->sched, row->start_ms));
    }
}

/* Of jobs that have ended in this pass there should have been events. */
static void note_ends(const struct visit *visit, const struct accounts *accounts)
{
    for (size_t i = 0; engine_event_queues(visit->engine) && i < visit->status->database_count; i++) {
        const struct database_status *database = &visit->status->databases[i];

        for (size_t k = 0; k < database->step_count; k++)
            note_end(visit, accounts, &database->steps[k]);
    }
}

struct err *visit_go_on(struct visit *visit, struct refresh_spec *spec, const struct accounts *accounts,
                        struct requeue *ret)
{
    AUTO_AWS_ACCOUNT struct aws_account *source = NULL;
    AUTO_AWS_ACCOUNT struct aws_account *target = NULL;
    AUTO_REPORT struct report report = {0};
    struct looks *looks = engine_looks(visit->engine);
    struct pass pass = visit_pass(visit, spec, accounts);

    TRY(visit_client(visit, accounts->source, &source, &pass.source));
    TRY(visit_client(visit, accounts->target, &target, &pass.target));
    pass.hears_events = hears_events_of(visit, accounts->target);
    TRY(runner_advance(&pass, looks, &report));
    note_ends(visit, accounts);
    visit->summary.spec = spec;
    if (report.end == RUN_GOES_ON)
        summary_running(&visit->summary, report.blocked_reason, report.blocked_message,
                        visit->live && visit->live->live.suspend);
    else
        visit_end_run(visit, &report);
    TRY(visit_write(visit));
    announce(visit, &report);
    if (report.end != RUN_GOES_ON) {
        looks_forget(looks, visit->uid);
        report.after_ms = 0; /* a trigger may have come meanwhile */
    }
    if (report.end == RUN_SUCCEEDED)
        visit_tell_earlier(visit);
    ret->after_ms = report.after_ms;
    return NULL;
}

struct err *visit_advance(struct visit *visit, struct requeue *ret)
{
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    AUTO_ACCOUNTS struct accounts accounts = {0};
    AUTO_REFUSAL struct refusal refusal = {0};
    AUTO_FREE char *series = NULL;
    bool replaced;

    TRY(err_wrap(refresh_spec_parse(visit->status->run.spec, visit->name, &spec), "status.run"));
    if (request_cancels(visit->status, visit->object))
        return visit_cancel(visit, spec, ret);
    if (visit_is_forbidden(visit))
        return visit_forbid(visit, ret);
    TRY(visit_replace(visit, spec, ret, &replaced));
    if (replaced)
        return NULL;
    series = visit_series_key(visit, spec);
    engine_claim_series(visit->engine, series,
                        visit->holder); /* after a restart; a run in status holds it anyway */
    TRY(admit_accounts(visit->objects, visit->env, spec, &accounts, &refusal));
    if (!refusal.message)
        return visit_go_on(visit, spec, &accounts, ret);
    visit->summary.spec = spec;
    summary_running(&visit->summary, refusal.reason, refusal.message, false);
    ret->after_ms = ACCOUNT_LOOK_MS;
    return visit_write(visit);
}
