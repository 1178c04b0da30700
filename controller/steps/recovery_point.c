/* A recovery point that is there already, instead of a backup of our own: the newest usable one of the
 * resource that is not older than the spec allows. The step is skipped; nothing is started. */
#include "controller/steps/recovery_point.h"

#include "controller/source_grants.h"
#include "pkg/aws/arn.h"
#include "pkg/aws/backup.h"
#include "pkg/aws/rds.h"

struct vault {
    const struct aws_client *aws;
    const struct account *account;
    bool is_target;
};

static struct vault vault_of(const struct stage *stage)
{
    if (stage->database->from == FROM_TARGET_VAULT)
        return (struct vault){&stage->pass->target, stage->pass->target_account, true};
    return (struct vault){&stage->pass->source, stage->pass->source_account, false};
}

/* --- whose it is --- */

/* Of which databases a recovery point may be: a copy in the target's vault keeps the ARN of its source. */
struct origin {
    struct source_grants known; /* any of them */
    char *end; /* nobody says whose it must be: ":cluster:shop", ":table/sessions"; else NULL */
};

static void origin_done(struct origin *origin)
{
    source_grants_done(&origin->known);
    xfree(origin->end);
}

static char *resource_end(const struct database_spec *database)
{
    return database->kind == DATABASE_AURORA ? xasprintf(":cluster:%s", database->aurora.cluster_identifier)
                                             : xasprintf(":table/%s", database->dynamodb.table_name);
}

static struct carriage carriage_of(const struct stage *stage)
{
    return (struct carriage){.namespace = stage->pass->namespace,
                             .target = stage->pass->spec->target,
                             .database = stage->database};
}

/* Without a source, and where grants apply, it is whoever grants it, as of now. */
static void find_origin(const struct stage *stage, struct origin *ret)
{
    const struct pass *pass = stage->pass;
    const struct carriage carriage = carriage_of(stage);

    *ret = (struct origin){0};
    if (pass->source_account) {
        ret->known.arns = xgrow(NULL, 0, sizeof(*ret->known.arns));
        ret->known.arns[ret->known.count++] = source_database_arn(pass->source_account, stage->database);
    } else if (pass->objects->grants_apply) {
        source_grants_find(pass->objects, &carriage, &ret->known);
    } else {
        ret->end = resource_end(stage->database);
    }
}

static bool is_of(const struct recovery_point *point, const struct origin *origin)
{
    bool found = point->resource_arn && origin->end && str_ends(str_of(point->resource_arn), origin->end);

    for (size_t i = 0; i < origin->known.count; i++)
        found = found || text_equal(point->resource_arn, origin->known.arns[i]);
    return found;
}

/* --- which one --- */

bool recovery_point_is_whole(const struct recovery_point *point)
{
    return text_equal(point->status, "COMPLETED") || text_equal(point->status, "AVAILABLE");
}

/* A table's recovery point of DynamoDB's own kind never leaves its account. */
static bool is_usable(const struct vault *vault, const struct recovery_point *point)
{
    struct arn arn = {0};
    struct err *err = arn_parse(point->arn, &arn);

    if (err) {
        err_ignore(err, "what has no ARN cannot be restored");
        return false;
    }
    return recovery_point_is_whole(point) && (vault->is_target || !str_is(arn.service, "dynamodb"));
}

static const struct recovery_point *newest(const struct stage *stage, const struct vault *vault,
                                           const struct recovery_points *points, const struct origin *origin)
{
    int64_t since_ms = stage->pass->now_ms - stage->database->max_age_ms;
    const struct recovery_point *best = NULL;

    for (size_t i = 0; i < points->count; i++) {
        const struct recovery_point *point = &points->items[i];

        if (point->created_ms >= since_ms && is_of(point, origin) && is_usable(vault, point) &&
            (!best || point->created_ms > best->created_ms))
            best = point;
    }
    return best;
}

/* What could be used if it was granted: whose that is, and who can grant it. NULL: nothing. Yours. */
static char *lacking_grant(const struct stage *stage, const struct vault *vault,
                           const struct recovery_points *points)
{
    CLEANUP(origin_done) struct origin any = {.end = resource_end(stage->database)};
    const struct recovery_point *point = newest(stage, vault, points, &any);
    struct arn arn = {0};
    struct err *err = point ? arn_parse(point->resource_arn, &arn) : NULL;

    if (err)
        err_ignore(err, "nobody can be named");
    if (!point || err)
        return NULL;
    return xasprintf(
        "the newest is of account %.*s in %.*s: ask your platform team for a grant of %s %s to "
        "namespace %s with target %s in the AWSAccount (usage Source) of that account and Region",
        (int)arn.account.len, arn.account.ptr, (int)arn.region.len, arn.region.ptr,
        source_database_type(stage->database), source_database_name(stage->database), stage->pass->namespace,
        stage->pass->spec->target);
}

static struct err *say_none(const struct stage *stage, const struct vault *vault,
                            const struct recovery_points *points)
{
    bool needs_grant = !stage->pass->source_account && stage->pass->objects->grants_apply;
    AUTO_FREE char *lacking = needs_grant ? lacking_grant(stage, vault, points) : NULL;
    char age[TIME_TEXT_MAX];

    duration_text(stage->database->max_age_ms, age);
    return err_new(
        ERR_INVALID, "vault %s in account %s has no usable recovery point of %s that was made within %s%s%s",
        vault->account->vault_name, vault->account->account_id, source_database_name(stage->database), age,
        lacking ? " and is granted; " : "", lacking ? lacking : "");
}

/* A restore without a version may come up as another one. The recovery point says what it holds; the source,
 * where there is one, says what it is now. */
static struct err *learn_engine(struct stage *stage, const struct vault *vault, const char *arn)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    AUTO_TAGS struct aws_tags metadata = {0};
    const char *port;

    if (!vault->is_target) {
        TRY(err_wrap(rds_describe_cluster(vault->aws, stage->database->aurora.cluster_identifier, &cluster),
                     "look at source cluster %s", stage->database->aurora.cluster_identifier));
        text_replace(&stage->copy->engine, cluster.engine);
        text_replace(&stage->copy->engine_version, cluster.engine_version);
        text_replace(&stage->copy->master_username, cluster.master_username);
        stage->copy->port = cluster.port;
        return NULL;
    }
    TRY(err_wrap(backup_get_restore_metadata(vault->aws, vault->account->vault_name, arn, &metadata),
                 "read what recovery point %s holds", arn));
    text_replace(&stage->copy->engine, aws_tags_get(&metadata, "Engine"));
    text_replace(&stage->copy->engine_version, aws_tags_get(&metadata, "EngineVersion"));
    text_replace(&stage->copy->master_username, aws_tags_get(&metadata, "MasterUsername"));
    port = aws_tags_get(&metadata, "Port");
    stage->copy->port = port ? strtoll(port, NULL, 10) : 0;
    return NULL;
}

static void take(struct stage *stage, const struct vault *vault, const struct recovery_point *point)
{
    char age[TIME_TEXT_MAX];
    AUTO_FREE char *message = NULL;
    int64_t age_ms = stage->pass->now_ms - point->created_ms;

    duration_text(age_ms > 0 ? age_ms : 0, age);
    message = xasprintf("recovery point %s of vault %s is %s old and is used as it is", point->arn,
                        vault->account->vault_name, age);
    text_replace(vault->is_target ? &stage->copy->copy_recovery_point_arn : &stage->copy->recovery_point_arn,
                 point->arn);
    text_replace(&stage->row->message, message);
    stage->row->state = STEP_SKIPPED;
    stage->row->completion_ms = stage->pass->now_ms;
    stage->row->percent = 100;
}

struct err *recovery_point_pick(struct stage *stage)
{
    const struct vault vault = vault_of(stage);
    CLEANUP(origin_done) struct origin origin = {0};
    AUTO_RECOVERY_POINTS struct recovery_points points = {0};
    const struct recovery_point *point;

    TRY(err_wrap(backup_list_recovery_points(vault.aws, vault.account->vault_name, NULL, &points),
                 "list recovery points of vault %s in account %s", vault.account->vault_name,
                 vault.account->account_id));
    find_origin(stage, &origin);
    point = newest(stage, &vault, &points, &origin);
    if (!point)
        return say_none(stage, &vault, &points);
    if (stage->database->kind == DATABASE_AURORA)
        TRY(learn_engine(stage, &vault, point->arn));
    take(stage, &vault, point);
    return NULL;
}
