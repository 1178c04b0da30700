/* A run that failed goes on. Time has passed since: what it was granted, what is required of it, and the
 * copies that it made are looked at again. */
#include "controller/requests.h"
#include "controller/visit.h"
#include "pkg/aws/dynamodb.h"
#include "pkg/aws/rds.h"

#define ACCOUNT_LOOK_MS SECONDS(30)

/* As for a run that begins; but what it does was frozen then, while the policy and whom it tells are what
 * they are now. */
static struct err *admit(struct visit *visit, const struct refresh_spec *spec, struct accounts *ret,
                         struct refusal *refusal)
{
    struct refresh_spec now = *spec;

    now.live = visit->live->live;
    admit_fields(visit->objects, &now, refusal);
    if (refusal->message)
        return NULL;
    TRY(admit_accounts(visit->objects, visit->env, spec, ret, refusal));
    if (!refusal->message && visit->objects->grants_apply)
        admit_grants(visit->objects, ret, &now, visit->namespace, visit->status->run.id, refusal);
    return NULL;
}

/* --- its copies --- */

enum presence { IS_THERE, IS_GOING, IS_GONE };

static struct err *look_at_cluster(const struct aws_client *aws, const char *identifier, enum presence *ret)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};

    TRY(rds_describe_cluster(aws, identifier, &cluster));
    *ret = text_equal(cluster.status, "deleting") ? IS_GOING : IS_THERE;
    return NULL;
}

static struct err *look_at_table(const struct aws_client *aws, const char *name, enum presence *ret)
{
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};

    TRY(dynamodb_describe_table(aws, name, &table));
    *ret = text_equal(table.status, "DELETING") ? IS_GOING : IS_THERE;
    return NULL;
}

static struct err *look_at_copy(const struct aws_client *aws, const struct copy_status *copy,
                                enum presence *ret)
{
    struct err *err = copy->kind == DATABASE_AURORA ? look_at_cluster(aws, copy->identifier, ret)
                                                    : look_at_table(aws, copy->identifier, ret);

    if (!err || err_kind(err) != ERR_NOT_FOUND)
        return err_wrap(err, "look at the copy %s", copy->identifier);
    err_ignore(err, "another object of the series, or somebody, has deleted it");
    *ret = IS_GONE;
    return NULL;
}

static bool is_needed(const struct refresh_status *status, const struct copy_status *copy)
{
    for (size_t i = 0; i < status->database_count; i++) {
        if (text_equal(status->databases[i].copy_arn, copy->arn))
            return copy->role != COPY_REMOVING;
    }
    return false;
}

/* Copies that are not there any more are not kept. *ret_gone names the first; it stays NULL when there is
 * none.
 */
static struct err *forget_gone(struct visit *visit, const struct account *target, char **ret_gone)
{
    AUTO_AWS_ACCOUNT struct aws_account *account = NULL;
    struct refresh_status *status = visit->status;
    struct aws_client aws = {0};

    TRY(visit_client(visit, target, &account, &aws));
    for (size_t i = status->copy_count; i-- > 0;) {
        struct copy_status *copy = &status->copies[i];
        enum presence presence = IS_THERE;

        if (!copy->identifier || !is_needed(status, copy))
            continue;
        TRY(look_at_copy(&aws, copy, &presence));
        if (presence != IS_THERE)
            text_replace(ret_gone, copy->identifier);
        if (presence == IS_GOING)
            copy->role = COPY_REMOVING;
        else if (presence == IS_GONE)
            status_remove_copy(status, i);
    }
    return NULL;
}

/* --- */

static struct err *go_on(struct visit *visit, const struct refresh_spec *spec, const char *gone,
                         struct requeue *ret)
{
    AUTO_FREE char *note = NULL;

    request_retry(visit->status, spec);
    visit_look_back(visit, spec);
    visit->summary.spec = spec;
    note = gone ? xasprintf(
                      "Run %s goes on, attempt %lld: its copy %s is not there any more and is restored anew",
                      visit->status->run.id, (long long)visit->status->run.attempt, gone)
                : xasprintf("Run %s goes on, attempt %lld", visit->status->run.id,
                            (long long)visit->status->run.attempt);
    return visit_write_request(visit, "RunRetried", note, ret);
}

static struct err *retry_in_series(struct visit *visit, const struct refresh_spec *spec,
                                   const struct account *target, struct requeue *ret, bool *ret_going)
{
    AUTO_FREE char *gone = NULL;

    TRY(forget_gone(visit, target, &gone));
    if (gone && visit->status->run.copies_of) { /* it makes none */
        visit_say_once(
            visit, "RequestRefused",
            xasprintf("retry of run %s: the copy %s that it puts staging onto is not there any more",
                      visit->status->run.id, gone));
        return visit_idle(visit, ret);
    }
    TRY(go_on(visit, spec, gone, ret));
    *ret_going = true;
    return NULL;
}

struct err *visit_retry(struct visit *visit, struct requeue *ret)
{
    AUTO_REFRESH_SPEC struct refresh_spec *spec = NULL;
    AUTO_ACCOUNTS struct accounts accounts = {0};
    AUTO_REFUSAL struct refusal refusal = {0};
    bool taken, going = false;
    struct err *err;

    TRY(err_wrap(refresh_spec_parse(visit->status->run.spec, visit->name, &spec), "status.run"));
    TRY(admit(visit, spec, &accounts, &refusal));
    if (refusal.message)
        return visit_stall(visit, refusal.reason, refusal.message, ACCOUNT_LOOK_MS, ret);
    TRY(visit_take_series(visit, ret, &taken));
    if (!taken)
        return NULL;
    err = retry_in_series(visit, spec, accounts.target, ret, &going);
    if (!going) /* another object must not wait for what does not go on */
        engine_release_series(visit->engine, visit->holder);
    return err;
}
