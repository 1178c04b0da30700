/* Password: the copy carries production's master password until it is reset: to the one that staging uses
 * already, to a new one, or to one that RDS keeps itself. What the wait goes by: password_judge.h. */
#include "controller/steps/password.h"

#include "controller/steps/password_judge.h"
#include "controller/steps/steps.h"
#include "pkg/aws/observer.h"
#include "pkg/base/secret.h"

#define EVENT_SLACK_MS SECONDS(5)

/* What RDS accepts: 8 to 41 printable ASCII characters without / " @ and space. */
static const char *password_fault(struct str password)
{
    if (password.len < 8 || password.len > 41)
        return "must have 8 to 41 characters";
    for (size_t i = 0; i < password.len; i++) {
        char c = password.ptr[i];

        if (c <= ' ' || c > '~' || c == '/' || c == '"' || c == '@')
            return "must be printable ASCII without space, slash, double quote and @";
    }
    return NULL;
}

/* Fills in the password of our own; *ret stays NULL when it cannot be one, and *out says why. */
static struct err *choose(struct stage *stage, struct secret **ret, struct outcome *out)
{
    const struct password_spec *spec = &stage->database->aurora.password;
    AUTO_SECRET struct secret *password = NULL;
    const char *fault;

    if (spec->kind == PASSWORD_GENERATE)
        TRY(password_generated(stage->pass, stage->database, &password));
    else
        TRY(secret_ref_read(stage->pass, &spec->from, &password));
    fault = password_fault(secret_reveal(password));
    if (!fault)
        *ret = TAKE(password);
    else
        *out = outcome_failed(
            "PasswordNotAllowed", "the password in %s %s: change it there and start a new run",
            spec->from.secrets_manager_id ? spec->from.secrets_manager_id : spec->from.secret_name, fault);
    return NULL;
}

static struct err *ask(struct stage *stage, struct rds_modify_opts *opts, struct outcome *out)
{
    int64_t server_ms = 0;

    opts->cluster_id = stage->copy->copy_identifier;
    TRY(err_wrap(rds_modify_cluster(&stage->pass->target, opts, &server_ms),
                 "reset the master password of cluster %s", stage->copy->copy_identifier));
    stage_started(stage, stage->copy->copy_identifier);
    step_set_evidence_ms(stage->row, "asked", stage->pass->now_ms);
    step_set_evidence_ms(stage->row, "askedServer", server_ms ? server_ms : stage->pass->now_ms);
    *out = outcome_wait(PASSWORD_LOOK_MS, "the reset was asked for");
    return NULL;
}

static struct err *reset(struct stage *stage, struct outcome *out)
{
    const struct password_spec *spec = &stage->database->aurora.password;
    AUTO_SECRET struct secret *password = NULL;
    struct rds_modify_opts opts = {0};

    if (spec->kind == PASSWORD_RDS_MANAGED) {
        opts.manage_password = RDS_ON;
        opts.password_kms_key_id = spec->rds_managed_kms_key;
    } else {
        TRY(choose(stage, &password, out));
        if (!password)
            return NULL;
        opts.master_password = password;
    }
    return ask(stage, &opts, out);
}

static struct err *look_for_event(struct stage *stage)
{
    int64_t since_ms = step_evidence_ms(stage->row, "askedServer", 0) - EVENT_SLACK_MS;
    AUTO_RDS_EVENTS struct rds_events events = {0};
    struct err *err;

    if (step_evidence(stage->row, "event"))
        return NULL;
    err = rds_list_cluster_events(&stage->pass->target, stage->copy->copy_identifier, since_ms, &events);
    if (err && (err_kind(err) == ERR_DENIED || err_kind(err) == ERR_NOT_FOUND)) {
        err_ignore(err, "events only shorten the wait");
        return NULL;
    }
    TRY(err);
    for (size_t i = 0; i < events.count; i++) {
        if (events.items[i].date_ms >= since_ms &&
            str_contains_nocase(str_of(events.items[i].message), "reset master credentials"))
            step_set_evidence_ms(stage->row, "event", stage->pass->now_ms);
    }
    return NULL;
}

/* How long ago this piece of evidence was written down; NEVER_MS when it was not. */
static int64_t age_of(const struct stage *stage, const char *name)
{
    int64_t at_ms = step_evidence_ms(stage->row, name, 0);

    return at_ms ? sched_elapsed_ms(stage->pass->env->sched, at_ms) : NEVER_MS;
}

/* Milliseconds of scaled time from a look that counted to this one: two answers out of one list are one look.
 */
static int64_t since_quiet_look(const struct stage *stage, int64_t taken_ms)
{
    int64_t age_ms = age_of(stage, "quietLook");

    return age_ms == NEVER_MS ? NEVER_MS : age_ms - sched_elapsed_ms(stage->pass->env->sched, taken_ms);
}

static struct outcome judge(struct stage *stage, bool idle, int64_t taken_ms)
{
    const struct password_signs signs = {
        .asked_age_ms = age_of(stage, "asked"),
        .busy_age_ms = idle ? age_of(stage, "busy") : 0,
        .event = step_evidence(stage->row, "event") != NULL,
        .quiet_looks = step_evidence_ms(stage->row, "quietLooks", 0),
        .quiet_look_age_ms = since_quiet_look(stage, taken_ms),
    };
    int64_t quiet_looks;
    enum password_stage found = password_judge(&signs, &quiet_looks);

    if (quiet_looks > signs.quiet_looks)
        step_set_evidence_ms(stage->row, "quietLook", taken_ms);
    step_set_evidence_ms(stage->row, "quietLooks", quiet_looks);
    switch (found) {
    case PASSWORD_NOT_BEGUN:
        return outcome_wait(PASSWORD_LOOK_MS, "waiting for the reset to begin");
    case PASSWORD_UNDER_WAY:
        return outcome_wait(PASSWORD_LOOK_MS, "the reset is under way");
    case PASSWORD_MAKING_SURE:
        return outcome_wait(PASSWORD_LOOK_MS, "making sure that the reset has ended");
    case PASSWORD_IN_FORCE:
        break;
    }
    return outcome_done("the new password is in force");
}

/* RDS's own secret must be usable, too, before a proxy is told of it. */
static void judge_managed(struct stage *stage, const struct rds_cluster *cluster, struct outcome *out)
{
    bool active = cluster->master_secret_arn && text_equal(cluster->master_secret_status, "active");

    if (active)
        step_set_evidence(stage->row, "managedSecret", cluster->master_secret_arn);
    if (active || out->verdict != VERDICT_DONE)
        return;
    outcome_reset(out);
    *out = outcome_wait(PASSWORD_LOOK_MS, "the secret that RDS keeps for cluster %s is %s", cluster->id,
                        cluster->master_secret_status ? cluster->master_secret_status : "not there yet");
}

static struct err *observe(struct stage *stage, struct outcome *out)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    const struct observer_rds_query query = {
        .cluster_id = stage->copy->copy_identifier,
        .max_age_ms = PASSWORD_LOOK_MS,
        .not_before_ms = step_evidence_ms(stage->row, "asked", 0),
    };
    struct observation seen;
    bool idle;

    TRY(observer_cluster(&stage->pass->target, &query, &cluster, &seen));
    /* "backing-up" goes on for hours after a restore and says nothing about the password. */
    idle = !cluster.password_pending && rds_status_is_usable(cluster.status);
    if (!idle)
        step_set_evidence_ms(stage->row, "busy", stage->pass->now_ms);
    TRY(look_for_event(stage));
    *out = judge(stage, idle, seen.taken_ms);
    if (out->verdict == VERDICT_WAIT)
        out->after_ms = seen.expires_ms;
    if (stage->database->aurora.password.kind == PASSWORD_RDS_MANAGED)
        judge_managed(stage, &cluster, out);
    return NULL;
}

struct err *password_act(struct stage *stage, struct outcome *out)
{
    return stage->row->state == STEP_INTENDED ? reset(stage, out) : observe(stage, out);
}
