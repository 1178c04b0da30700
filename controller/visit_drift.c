/* Between runs: has somebody else changed what the last switchover set. A later run of the series is not
 * somebody else, whichever object it belongs to: it sets the same things to copies of its own. */
#include "controller/drift.h"
#include "controller/succession.h"
#include "controller/visit.h"

static void say_drift(struct visit *visit, const struct buf *drift)
{
    AUTO_FREE char *message = NULL;

    if (!drift->len) {
        status_remove_condition(visit->status, "Drifted");
        return;
    }
    message = xasprintf("Changed by somebody else since the switchover: %s. Nothing is put right by itself; "
                        "kubectl stagingrefresh switch-to %s %s -n %s sets it again",
                        buf_text(drift), visit->name, status_copies_run(visit->status), visit->namespace);
    status_set_condition(visit->status, "Drifted", CONDITION_TRUE, "ChangedByOthers", message,
                         visit->summary.generation, visit->summary.now_ms);
}

static bool is_changing(const struct visit *visit)
{
    return succession_is_changing(visit->objects, visit->object);
}

static struct err *look_for_drift(struct visit *visit)
{
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    AUTO_ACCOUNTS struct accounts accounts = {0};
    AUTO_REFUSAL struct refusal refusal = {0};
    AUTO_AWS_ACCOUNT struct aws_account *target = NULL;
    AUTO_BUF struct buf drift = BUF_MAX(700);
    struct pass pass;

    TRY(err_wrap(refresh_spec_parse(visit->status->run.spec, visit->name, &spec), "status.run"));
    TRY(admit_accounts(visit->objects, visit->env, spec, &accounts, &refusal));
    if (refusal.message)
        return NULL;
    pass = visit_pass(visit, spec, &accounts);
    TRY(visit_client(visit, accounts.target, &target, &pass.target));
    TRY(drift_look(&pass, &drift));
    /* What has been seen may be the work of one that began meanwhile. */
    if (!is_changing(visit) && !visit_is_superseded(visit))
        say_drift(visit, &drift);
    return NULL;
}

/* Once an hour. The first look after a start falls anywhere in the hour, so that thousands of objects do not
 * look together. Trouble only means: next time. */
void visit_watch_drift(struct visit *visit, struct requeue *ret)
{
    struct looks *looks = engine_looks(visit->engine);
    int64_t now_ms = sched_now_ms(visit->env->sched), due_ms = looks_due_ms(looks, visit->uid, "drift");

    if (visit_is_superseded(visit) || !visit_has_succeeded(visit))
        return;
    if (due_ms && due_ms <= now_ms) {
        AUTO_ERR struct err *err = is_changing(visit) ? NULL : look_for_drift(visit);

        if (err)
            LOG_DEBUG(visit->log, "cannot look for drift", KV("error", err_text(err)));
        due_ms = now_ms + DRIFT_LOOK_MS;
    } else if (!due_ms) {
        due_ms = now_ms + 1 + (int64_t)random_below(visit->env->random, DRIFT_LOOK_MS);
    }
    looks_set(looks, visit->uid, "drift", due_ms);
    ret->after_ms = due_ms - now_ms;
}
