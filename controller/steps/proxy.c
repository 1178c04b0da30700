/* Proxies: an RDS Proxy has one target at a time, so the old cluster is taken out before the new one is put
 * in, and everything that putting in needs is checked before. While the proxy has no target, staging has no
 * database: the gap is kept as short as two calls. If the new cluster cannot be reached in time, the old one
 * goes back and the step has failed. */
#include "controller/rows.h"
#include "controller/steps/gate.h"
#include "controller/steps/password.h"
#include "controller/steps/steps.h"
#include "pkg/aws/rds.h"
#include "pkg/aws/rds_proxy.h"

/* While staging has no database every second counts; AWS takes some to let the old target go, and some more
 * to reach the new one. */
#define ENTER_MS SECONDS(1)
#define PROXY_LOOK_MS SECONDS(2)
#define REACHABLE_WITHIN_MS MINUTES(10)

/* Evidence of the row: since when the proxy may be without a target; for how many seconds it was, in all. */
#define GAP_OPENED "switched"
#define GAP_SECONDS "secondsWithoutTarget"
/* A target that was told to go shows for a while. */
#define LEAVING_MS SECONDS(30)

struct swap {
    struct stage *stage;
    const struct aws_client *aws;
    const char *proxy;
    const char *new_cluster;
    const char *old_cluster; /* NULL: it had none */
    struct rds_proxy_targets targets;
    const char *present; /* what it points at now; NULL: nothing */
};

static void swap_done(struct swap *swap)
{
    rds_proxy_targets_done(&swap->targets);
}

static const struct proxy_spec *proxy_of(const struct stage *stage)
{
    return &stage->pass->spec->proxies[stage->index];
}

static const struct database_spec *database_of(const struct stage *stage)
{
    return refresh_database(stage->pass->spec, proxy_of(stage)->database);
}

static const char *copy_of(const struct stage *stage)
{
    const struct database_status *copy = status_database(stage->pass->status, proxy_of(stage)->database);

    return copy ? copy->copy_identifier : NULL;
}

static struct err *swap_init(struct swap *swap, struct stage *stage)
{
    const struct previous_status *previous =
        status_previous(stage->pass->status, "Proxy", proxy_of(stage)->name);

    swap->stage = stage;
    swap->aws = &stage->pass->target;
    swap->proxy = proxy_of(stage)->name;
    swap->new_cluster = copy_of(stage);
    swap->old_cluster = previous ? previous->value : NULL;
    TRY(err_wrap(rds_proxy_list_targets(swap->aws, swap->proxy, &swap->targets),
                 "look at the targets of proxy %s", swap->proxy));
    swap->present = rds_proxy_targets_cluster(&swap->targets);
    return NULL;
}

/* Members that are still settling are refused by the proxy. *ret_busy names one, or stays NULL; yours. */
static struct err *find_busy_member(const struct aws_client *aws, const char *cluster_id, char **ret_busy)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    AUTO_RDS_INSTANCES struct rds_instances members = {0};

    TRY(rds_describe_cluster(aws, cluster_id, &cluster));
    if (!rds_status_is_usable(cluster.status)) {
        *ret_busy = xasprintf("cluster %s is %s", cluster.id, cluster.status);
        return NULL;
    }
    TRY(rds_list_instances(aws, cluster_id, &members));
    if (!members.count)
        *ret_busy = xasprintf("cluster %s has no instance", cluster.id);
    for (size_t i = 0; i < members.count && !*ret_busy; i++) {
        if (!rds_status_is_usable(members.items[i].status))
            *ret_busy = xasprintf("instance %s is %s", members.items[i].id, members.items[i].status);
    }
    return NULL;
}

/* The writer's row, or NULL. */
static const struct rds_proxy_target *writer_of(const struct rds_proxy_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        const struct rds_proxy_target *target = &targets->items[i];

        if (text_equal(target->type, "RDS_INSTANCE") && text_equal(target->role, "READ_WRITE"))
            return target;
    }
    return NULL;
}

/* What a reason means, for people. */
static const char *advice_for(const char *reason)
{
    static const struct {
        const char *reason, *advice;
    } rows[] = {
        {"AUTH_FAILURE",
         "the secret that the proxy uses does not open the database: compare its user name and password"},
        {"UNREACHABLE", "the proxy cannot reach the cluster: compare security groups and subnets"},
        {"CONNECTION_FAILED",
         "the proxy cannot connect: compare security groups, and the cluster's own events"},
        {"PENDING_PROXY_CAPACITY", "the proxy is still scaling"},
    };

    for (size_t i = 0; reason && i < COUNT_OF(rows); i++) {
        if (text_equal(rows[i].reason, reason))
            return rows[i].advice;
    }
    return "see the proxy's target group in the RDS console";
}

/* Before anything changes: what the proxy points at now is written down. */
struct err *proxy_intend(struct stage *stage)
{
    CLEANUP(swap_done) struct swap swap = {0};
    struct previous_status *previous;

    TRY(swap_init(&swap, stage));
    if (!swap.new_cluster)
        return err_new(ERR_INVALID, "there is no copy of database %s to point proxy %s at",
                       proxy_of(stage)->database, swap.proxy);
    if (text_equal(swap.present, swap.new_cluster))
        return NULL; /* somebody did it by hand: what was before is not known */
    previous = status_set_previous(stage->pass->status, "Proxy", swap.proxy);
    text_replace(&previous->value, swap.present);
    return password_switch_intend(stage, database_of(stage), swap.proxy);
}

static struct err *point_at(struct swap *swap, const char *cluster, struct outcome *out)
{
    struct err *err = rds_proxy_register(swap->aws, swap->proxy, cluster);

    if (err && (err_kind(err) == ERR_RETRY || err_kind(err) == ERR_CONFLICT)) {
        *out = outcome_wait(ENTER_MS, "proxy %s does not take cluster %s yet: %s", swap->proxy, cluster,
                            err_text(err));
        err_ignore(err, "said in the row's message; the next look decides");
        return NULL;
    }
    TRY(err_wrap(err, "register cluster %s with proxy %s", cluster, swap->proxy));
    *out = outcome_wait(PROXY_LOOK_MS, "cluster %s is registered with proxy %s", cluster, swap->proxy);
    return NULL;
}

static struct err *take_out(struct swap *swap, const char *cluster)
{
    struct err *err;

    TRY(pass_check_live(swap->stage->pass));
    err = rds_proxy_deregister(swap->aws, swap->proxy, cluster);
    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "it is out already");
        return NULL;
    }
    return err_wrap(err, "deregister cluster %s from proxy %s", cluster, swap->proxy);
}

/* --- seconds without a target --- */

/* The gap opens in the status before it opens in the world: a crash between the two must not hide it. */
static void open_gap(struct stage *stage)
{
    step_set_evidence_ms(stage->row, GAP_OPENED, stage->pass->now_ms);
}

static int64_t gap_ms(const struct stage *stage)
{
    int64_t at_ms = step_evidence_ms(stage->row, GAP_OPENED, 0);

    return at_ms ? sched_elapsed_ms(stage->pass->env->sched, at_ms) : 0;
}

/* The proxy reaches its target: what has gone by is added to what the row has seen before. */
static int64_t close_gap(struct stage *stage)
{
    int64_t total_s = step_evidence_ms(stage->row, GAP_SECONDS, 0);

    if (!step_evidence(stage->row, GAP_OPENED))
        return total_s;
    total_s += (gap_ms(stage) + 999) / 1000;
    step_set_evidence_ms(stage->row, GAP_SECONDS, total_s);
    step_set_evidence(stage->row, GAP_OPENED, NULL);
    return total_s;
}

/* Of the time since the first try, what this process has seen: after an outage the new cluster gets its whole
 * chance. */
static int64_t gap_watched_ms(const struct stage *stage)
{
    int64_t elapsed_ms = gap_ms(stage);

    return elapsed_ms < stage->watched_ms ? elapsed_ms : stage->watched_ms;
}

/* --- there --- */

/* Out with the old and in with the new, in one pass: every second between them is a second without a
 * database. */
static struct err *exchange(struct swap *swap, struct outcome *out)
{
    AUTO_FREE char *busy = NULL;
    bool is_out = !swap->present && step_evidence(swap->stage->row, GAP_OPENED);

    /* Once the old one is out RDS itself says whether it takes the new one: it takes more than we would. */
    if (!is_out)
        TRY(find_busy_member(swap->aws, swap->new_cluster, &busy));
    if (!busy && !step_evidence(swap->stage->row, GAP_OPENED)) {
        open_gap(swap->stage);
        *out = outcome_wait(0, "proxy %s is about to change to cluster %s", swap->proxy, swap->new_cluster);
        return NULL;
    }
    if (!busy)
        TRY(password_switch(swap->stage, database_of(swap->stage), swap->proxy, &busy));
    if (busy) {
        if (text_equal(swap->present, swap->old_cluster))
            step_set_evidence(swap->stage->row, GAP_OPENED, NULL); /* nothing is out yet */
        *out = outcome_wait(SECONDS(10), "%s", busy);
        return NULL;
    }
    if (swap->present)
        TRY(take_out(swap, swap->present));
    return point_at(swap, swap->new_cluster, out);
}

static struct err *judge_health(struct swap *swap, struct outcome *out)
{
    const struct rds_proxy_target *writer = writer_of(&swap->targets);
    const char *state = writer && writer->health_state ? writer->health_state : "not known yet";
    const char *reason = writer ? writer->health_reason : NULL;

    if (text_equal(state, "AVAILABLE"))
        *out = outcome_done("proxy %s reaches cluster %s, after %lld s without a target", swap->proxy,
                            swap->new_cluster, (long long)close_gap(swap->stage));
    else
        *out =
            outcome_wait(PROXY_LOOK_MS, "the writer of cluster %s is %s to proxy %s%s%s", swap->new_cluster,
                         state, swap->proxy, reason ? ": " : "", reason ? advice_for(reason) : "");
    return NULL;
}

/* Too long without a writer that can be reached: the switchover is given up, and what it has changed is put
 * back. */
static struct outcome give_up(const struct swap *swap)
{
    const struct rds_proxy_target *writer = writer_of(&swap->targets);
    const char *reason = writer && writer->health_reason ? writer->health_reason : "NOT_REGISTERED";

    return outcome_failed("ProxyTargetNotHealthy", "proxy %s could not use cluster %s (%s): %s", swap->proxy,
                          swap->new_cluster, reason, advice_for(reason));
}

struct err *proxy_act(struct stage *stage, struct outcome *out)
{
    CLEANUP(swap_done) struct swap swap = {0};
    AUTO_FREE char *why = NULL;
    bool held = false;

    TRY(swap_init(&swap, stage));
    if (text_equal(swap.present, swap.old_cluster)) {
        TRY(password_refusal(stage->pass, database_of(stage), &why));
        TRY(gate_hold(stage, out, &held));
    }
    if (why && !text_equal(swap.present, swap.new_cluster)) {
        outcome_reset(out);
        *out = outcome_failed(PASSWORD_NOT_KNOWN, "%s", why);
        return NULL;
    }
    if (held) {
        step_set_evidence(stage->row, GAP_OPENED, NULL); /* nothing is out yet */
        return NULL;
    }
    /* Until the old target may be out the window can still close. */
    if (stage->row->state == STEP_INTENDED &&
        (step_evidence(stage->row, GAP_OPENED) || !text_equal(swap.present, swap.old_cluster)))
        stage_started(stage, swap.new_cluster);
    if (text_equal(swap.present, swap.new_cluster))
        TRY(judge_health(&swap, out));
    if (out->verdict != VERDICT_WAIT)
        return NULL;
    if (gap_watched_ms(stage) > REACHABLE_WITHIN_MS) {
        outcome_reset(out);
        *out = give_up(&swap);
        return NULL;
    }
    return text_equal(swap.present, swap.new_cluster) ? NULL : exchange(&swap, out);
}

/* The old target is seen, but may have been told to go just before the switchover was given up. */
static bool may_be_leaving(const struct stage *stage)
{
    int64_t gap_opened_ms = step_evidence_ms(stage->row, GAP_OPENED, 0), ended_ms = stage->row->completion_ms;

    return gap_opened_ms &&
           sched_elapsed_ms(stage->pass->env->sched, ended_ms > gap_opened_ms ? ended_ms : gap_opened_ms) <
               LEAVING_MS;
}

/* So long staging waits, on the new cluster, for an old one that could not take its place. */
#define OLD_USABLE_WITHIN_MS HOURS(1)

/* What would come in for the only target that works. *ret_gone: nothing; *ret_busy, yours: not now. */
static struct err *look_at_old(const struct swap *swap, bool *ret_gone, char **ret_busy)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    struct err *err = rds_describe_cluster(swap->aws, swap->old_cluster, &cluster);

    *ret_gone = (err && err_kind(err) == ERR_NOT_FOUND) || text_equal(cluster.status, "deleting");
    if (*ret_gone) {
        err_ignore(err, "said in the outcome");
        return NULL;
    }
    TRY(err_wrap(err, "look at cluster %s", swap->old_cluster));
    return find_busy_member(swap->aws, swap->old_cluster, ret_busy);
}

/* There is nothing to go back to: the new cluster stays, or comes back, with its password. */
static struct err *keep_new(struct swap *swap, struct outcome *out)
{
    AUTO_FREE char *busy = NULL;

    if (swap->new_cluster)
        TRY(password_switch(swap->stage, database_of(swap->stage), swap->proxy, &busy));
    if (busy) {
        *out = outcome_wait(PROXY_LOOK_MS, "%s", busy);
        return NULL;
    }
    if (!swap->present && swap->new_cluster)
        return point_at(swap, swap->new_cluster, out);
    *out = outcome_failed("OldClusterGone",
                          "cluster %s, which proxy %s pointed at before, is not there any more: cluster %s "
                          "stays its target",
                          swap->old_cluster, swap->proxy, swap->present ? swap->present : "none");
    return NULL;
}

/* The same, until the old cluster can be used again. */
static struct outcome wait_on_new(const struct swap *swap, const char *busy)
{
    const struct stage *stage = swap->stage;
    int64_t since_ms = step_evidence_ms(stage->row, EVIDENCE_UNDO_SINCE, 0);
    int64_t tried_ms = since_ms ? sched_elapsed_ms(stage->pass->env->sched, since_ms) : 0;

    if (tried_ms > OLD_USABLE_WITHIN_MS && stage->watched_ms > REACHABLE_WITHIN_MS)
        return outcome_failed("OldClusterNotUsable", "%s, and so cluster %s stays the target of proxy %s",
                              busy, swap->present, swap->proxy);
    return outcome_wait(SECONDS(10), "%s; until then cluster %s stays the target of proxy %s", busy,
                        swap->present, swap->proxy);
}

/* The old one is in, or is told to come in again. */
static struct err *see_old(struct swap *swap, struct outcome *out)
{
    if (swap->present && may_be_leaving(swap->stage)) {
        *out = outcome_wait(PROXY_LOOK_MS, "whether proxy %s keeps cluster %s does not show yet", swap->proxy,
                            swap->present);
        return NULL;
    }
    swap->new_cluster = swap->old_cluster; /* the one whose health counts now */
    if (swap->old_cluster)
        return judge_health(swap, out);
    *out = outcome_done("proxy %s has no target, as before", swap->proxy);
    return NULL;
}

static struct err *bring_back(struct swap *swap, struct outcome *out)
{
    if (!step_evidence(swap->stage->row, GAP_OPENED)) {
        open_gap(swap->stage);
        *out = outcome_wait(0, "proxy %s is about to get its old target back", swap->proxy);
        return NULL;
    }
    if (swap->present)
        TRY(take_out(swap, swap->present));
    if (swap->old_cluster)
        return point_at(swap, swap->old_cluster, out);
    *out = outcome_wait(0, "proxy %s has no target again", swap->proxy);
    return NULL;
}

static struct err *put_back(struct swap *swap, struct outcome *out)
{
    bool is_back = text_equal(swap->present, swap->old_cluster), gone = false;
    AUTO_FREE char *busy = NULL;
    AUTO_FREE char *wait = NULL;

    if (!is_back && swap->old_cluster)
        TRY(look_at_old(swap, &gone, &busy));
    if (gone)
        return keep_new(swap, out);
    if (busy && swap->present) { /* once it is out RDS itself says whether it takes the old one */
        *out = wait_on_new(swap, busy);
        return NULL;
    }
    TRY(password_switch_back(swap->stage, database_of(swap->stage), swap->proxy, &wait));
    if (wait) {
        *out = outcome_wait(PROXY_LOOK_MS, "%s", wait);
        return NULL;
    }
    return is_back ? see_old(swap, out) : bring_back(swap, out);
}

/* The old target goes back; done when its writer can be reached again. A third cluster that somebody has put
 * in is left alone, and so is the new one when there is nothing to go back to. */
struct err *proxy_undo(struct stage *stage, struct outcome *out)
{
    CLEANUP(swap_done) struct swap swap = {0};
    struct err *err = swap_init(&swap, stage);

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        *out = outcome_done("proxy %s is not there any more: %s", swap.proxy, err_text(err));
        err_ignore(err, "said in the row's message");
        return NULL;
    }
    TRY(err);
    if (!status_previous(stage->pass->status, "Proxy", swap.proxy)) {
        *out = outcome_done("proxy %s was not changed", swap.proxy);
        return NULL;
    }
    if (swap.present && !text_equal(swap.present, swap.new_cluster) &&
        !text_equal(swap.present, swap.old_cluster)) {
        *out = outcome_done("proxy %s points at %s by somebody else's hand and is left so", swap.proxy,
                            swap.present);
        return NULL;
    }
    return put_back(&swap, out);
}
