#include "controller/removal.h"

#include "controller/names.h"
#include "controller/users.h"
#include "pkg/aws/arn.h"
#include "pkg/aws/backup.h"
#include "pkg/aws/dynamodb.h"
#include "pkg/aws/rds.h"

#define CLUSTER_LOOK_MS SECONDS(30)
#define TABLE_LOOK_MS SECONDS(15)
#define POINT_LOOK_MS SECONDS(15)
#define JOB_LOOK_MS MINUTES(1)
/* What was made later than that after the end of a restore job was not made by it. */
#define MADE_WITHIN_MS MINUTES(15)

void removal_reset(struct removal *removal)
{
    xfree(removal->message);
    *removal = (struct removal){0};
}

/* One look at one thing. */
struct look {
    const struct remover *by;
    const struct aws_client *aws;
    const struct removal_copy *copy;
    struct removal *out;
};

/* Takes the message. */
static void conclude(struct removal *out, enum removal_state state, int64_t after_ms, char *message)
{
    removal_reset(out);
    *out = (struct removal){.state = state, .after_ms = after_ms, .message = message};
}

struct err *removal_check_run(const void *arg)
{
    return pass_check_live(arg);
}

struct removal_copy removal_copy_of(const struct copy_status *copy)
{
    return (struct removal_copy){
        .kind = copy->kind,
        .identifier = copy->identifier,
        .arn = copy->arn,
        .restore_job_id = copy->restore_job_id,
        .run_id = copy->run_id,
        .database = copy->database,
        .places = copy->places,
        .place_count = copy->place_count,
        .may_unprotect = copy->protected_by_settings,
    };
}

/* A change that AWS does not take now may be taken later; one that it refuses is for a person. */
static struct err *after_change(const struct look *look, struct err *err, int64_t after_ms, const char *doing)
{
    const char *id = look->copy->identifier;

    if (!err) {
        conclude(look->out, REMOVAL_RUNNING, after_ms, xasprintf("%s %s", doing, id));
        return NULL;
    }
    if (err_kind(err) != ERR_RETRY || !err_remote(err)->http_status)
        return err_wrap(err, "%s %s", doing, id);
    conclude(look->out, REMOVAL_RUNNING, after_ms, xasprintf("%s %s: %s", doing, id, err_text(err)));
    err_ignore(err, "it is busy: said in the message, and tried again");
    return NULL;
}

/* --- whose it is --- */

/* What the service says of the thing. */
struct found {
    const char *arn;
    const struct aws_tags *tags;
    int64_t created_ms;
    struct err *(*tag)(const struct aws_client *aws, const char *arn, const struct aws_pair *tags,
                       size_t count);
};

static bool is_tagged(const struct remover *by, const struct aws_tags *tags, const char *identifier)
{
    return text_equal(aws_tags_get(tags, TAG_SELF), identifier) &&
           text_equal(aws_tags_get(tags, TAG_SERIES), by->series);
}

static bool is_in_account(const struct aws_client *aws, const char *text)
{
    struct arn arn = {0};
    struct err *err = arn_parse(text, &arn);

    if (err) {
        err_ignore(err, "what has no ARN is in no account");
        return false;
    }
    return str_is(arn.account, aws_account_id(aws->account));
}

/* The restore job that the status names; *ret_known stays false when there is none, or AWS has forgotten it.
 */
static struct err *find_job(const struct look *look, struct backup_job *ret, bool *ret_known)
{
    struct err *err;

    *ret_known = false;
    if (!look->copy->restore_job_id)
        return NULL;
    err = backup_describe_restore(look->aws, look->copy->restore_job_id, ret);
    if (err && (err_kind(err) == ERR_NOT_FOUND || err_is_code(err, "InvalidParameterValueException"))) {
        err_ignore(err, "a job that AWS has forgotten proves nothing");
        return NULL;
    }
    *ret_known = !err;
    return err_wrap(err, "look at restore job %s", look->copy->restore_job_id);
}

static void say_restoring(const struct look *look, const struct backup_job *job)
{
    conclude(look->out, REMOVAL_RUNNING, JOB_LOOK_MS,
             xasprintf("%s is still being restored by job %s, which AWS cannot stop", look->copy->identifier,
                       job->id));
}

/* It made this very thing. */
static bool has_made(const struct backup_job *job, const struct found *found)
{
    return text_equal(job->created_resource_arn, found->arn) &&
           (!job->completed_ms || found->created_ms <= job->completed_ms + MADE_WITHIN_MS);
}

/* There is no such thing; but a restore that goes on will still make it. */
static struct err *say_gone(const struct look *look, struct err *not_found, const char *noun)
{
    AUTO_BACKUP_JOB struct backup_job job = {0};
    bool known;

    err_ignore(not_found, "that is what is wanted");
    TRY(find_job(look, &job, &known));
    if (known && !backup_state_is_final(job.state))
        say_restoring(look, &job);
    else
        conclude(look->out, REMOVAL_GONE, 0, xasprintf("%s %s is gone", noun, look->copy->identifier));
    return NULL;
}

static struct err *tag(const struct look *look, const struct found *found)
{
    const struct aws_pair tags[] = {
        {TAG_SELF, look->copy->identifier},
        {TAG_SERIES, look->by->series},
        {TAG_RUN, look->copy->run_id ? look->copy->run_id : "unknown"},
        {TAG_DATABASE, look->copy->database ? look->copy->database : "unknown"},
    };

    TRY(look->by->may_change(look->by->arg));
    return after_change(look, found->tag(look->aws, found->arn, tags, COUNT_OF(tags)), SECONDS(5),
                        "marking as ours, by its restore job, what has no tags:");
}

/* False: it is not ours, or it is only known to be from the next look on; this has been said. */
static struct err *judge_owner(const struct look *look, const struct found *found, bool *ret_ours)
{
    AUTO_BACKUP_JOB struct backup_job job = {0};
    bool known;

    *ret_ours = false;
    if (!is_in_account(look->aws, found->arn) ||
        (look->copy->arn && !text_equal(look->copy->arn, found->arn))) {
        conclude(look->out, REMOVAL_FOREIGN, 0,
                 xasprintf("%s is another one than the copy that was made: %s", look->copy->identifier,
                           found->arn ? found->arn : "it has no ARN"));
        return NULL;
    }
    *ret_ours = is_tagged(look->by, found->tags, look->copy->identifier);
    if (*ret_ours)
        return NULL;
    TRY(find_job(look, &job, &known));
    if (known && !backup_state_is_final(job.state)) {
        say_restoring(look, &job);
        return NULL;
    }
    if (known && has_made(&job, found))
        return tag(look, found);
    conclude(look->out, REMOVAL_FOREIGN, 0,
             xasprintf("%s is not known to be ours: its tags " TAG_SELF " and " TAG_SERIES
                       " do not name it and this series, and no restore job of ours has made it",
                       look->copy->identifier));
    return NULL;
}

/* --- who uses it --- */

/* True: somebody does, and this has been said. */
static struct err *judge_use(const struct look *look, bool *ret_used)
{
    AUTO_FREE char *user = NULL;

    TRY(users_find(look->by, look->copy, &user));
    *ret_used = user != NULL;
    if (user)
        conclude(look->out, REMOVAL_IN_USE, 0, xasprintf("%s is in use: %s", look->copy->identifier, user));
    return NULL;
}

static void say_protected(const struct look *look)
{
    conclude(
        look->out, REMOVAL_IN_USE, 0,
        xasprintf("%s has deletion protection that this controller has not turned on: somebody wants to keep "
                  "it. Turn it off and the copy goes",
                  look->copy->identifier));
}

/* Ours, and nobody's who uses it? False: the look is over. */
static struct err *judge(const struct look *look, const struct found *found, bool *ret_go)
{
    bool ours, used;

    *ret_go = false;
    TRY(judge_owner(look, found, &ours));
    if (!ours)
        return NULL;
    TRY(judge_use(look, &used));
    *ret_go = !used;
    return NULL;
}

/* --- clusters --- */

static struct err *unprotect_cluster(const struct look *look)
{
    const struct rds_modify_opts opts = {.cluster_id = look->copy->identifier,
                                         .deletion_protection = RDS_OFF};

    if (!look->copy->may_unprotect) {
        say_protected(look);
        return NULL;
    }
    TRY(look->by->may_change(look->by->arg));
    return after_change(look, rds_modify_cluster(look->aws, &opts, NULL), CLUSTER_LOOK_MS,
                        "lifting the deletion protection of cluster");
}

static bool is_leaving(const struct rds_instance *instance)
{
    return text_equal(instance->status, "deleting") || text_equal(instance->status, "delete-precheck");
}

static bool is_writer(const struct rds_cluster *cluster, const char *instance_id)
{
    for (size_t i = 0; i < cluster->member_count; i++) {
        if (text_equal(cluster->members[i].instance_id, instance_id))
            return cluster->members[i].is_writer;
    }
    return false;
}

static struct err *delete_instance(const struct look *look, const char *id)
{
    struct err *err;

    TRY(look->by->may_change(look->by->arg));
    err = rds_delete_instance(look->aws, id);
    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "it has gone meanwhile");
        err = NULL;
    }
    return after_change(look, err, CLUSTER_LOOK_MS, "deleting the instances of cluster");
}

/* Readers first, the writer last. */
static struct err *delete_instances(const struct look *look, const struct rds_cluster *cluster,
                                    const struct rds_instances *there)
{
    for (int writers = 0; writers <= 1; writers++) {
        for (size_t i = 0; i < there->count; i++) {
            const struct rds_instance *instance = &there->items[i];

            if (!is_leaving(instance) && is_writer(cluster, instance->id) == (writers == 1))
                TRY(delete_instance(look, instance->id));
        }
    }
    return NULL;
}

/* *ret_staying: members that nobody has told to go yet. False in *ret_ours: one of them is not ours. */
static void judge_instances(const struct look *look, const struct rds_instances *there, size_t *ret_staying,
                            bool *ret_ours)
{
    *ret_staying = 0;
    *ret_ours = true;
    for (size_t i = 0; i < there->count && *ret_ours; i++) {
        const struct rds_instance *instance = &there->items[i];

        *ret_staying += !is_leaving(instance);
        *ret_ours = is_leaving(instance) || is_tagged(look->by, &instance->tags, instance->id);
        if (!*ret_ours)
            conclude(look->out, REMOVAL_FOREIGN, 0,
                     xasprintf("instance %s in cluster %s was put there by somebody else", instance->id,
                               look->copy->identifier));
    }
}

static struct err *delete_cluster(const struct look *look, const struct rds_cluster *cluster)
{
    AUTO_RDS_INSTANCES struct rds_instances there = {0};
    size_t staying;
    bool ours;

    TRY(err_wrap(rds_list_instances(look->aws, cluster->id, &there), "list the instances of cluster %s",
                 cluster->id));
    judge_instances(look, &there, &staying, &ours);
    if (!ours)
        return NULL;
    if (staying)
        return delete_instances(look, cluster, &there);
    TRY(look->by->may_change(look->by->arg));
    return after_change(look, rds_delete_cluster(look->aws, cluster->id), CLUSTER_LOOK_MS,
                        "deleting cluster");
}

static struct err *look_at_cluster(const struct look *look)
{
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    const char *id = look->copy->identifier;
    struct err *err = rds_describe_cluster(look->aws, id, &cluster);
    bool go;

    if (err && err_kind(err) == ERR_NOT_FOUND)
        return say_gone(look, err, "cluster");
    TRY(err_wrap(err, "look at cluster %s", id));
    if (text_equal(cluster.status, "deleting")) {
        conclude(look->out, REMOVAL_RUNNING, CLUSTER_LOOK_MS, xasprintf("cluster %s is being deleted", id));
        look->out->is_asked = true;
        return NULL;
    }
    TRY(judge(
        look,
        &(struct found){
            .arn = cluster.arn, .tags = &cluster.tags, .created_ms = cluster.created_ms, .tag = rds_add_tags},
        &go));
    if (!go)
        return NULL;
    return cluster.deletion_protection ? unprotect_cluster(look) : delete_cluster(look, &cluster);
}

/* --- tables --- */

static struct err *unprotect_table(const struct look *look)
{
    const struct dynamodb_update_opts opts = {.table = look->copy->identifier,
                                              .change = DYNAMODB_DELETION_PROTECTION};

    if (!look->copy->may_unprotect) {
        say_protected(look);
        return NULL;
    }
    TRY(look->by->may_change(look->by->arg));
    return after_change(look, dynamodb_update_table(look->aws, &opts), TABLE_LOOK_MS,
                        "lifting the deletion protection of table");
}

static struct err *look_at_table(const struct look *look)
{
    AUTO_DYNAMODB_TABLE struct dynamodb_table table = {0};
    AUTO_TAGS struct aws_tags tags = {0};
    const char *name = look->copy->identifier;
    struct err *err = dynamodb_describe_table(look->aws, name, &table);
    bool go;

    if (err && err_kind(err) == ERR_NOT_FOUND)
        return say_gone(look, err, "table");
    TRY(err_wrap(err, "look at table %s", name));
    if (text_equal(table.status, "DELETING")) {
        conclude(look->out, REMOVAL_RUNNING, TABLE_LOOK_MS, xasprintf("table %s is being deleted", name));
        look->out->is_asked = true;
        return NULL;
    }
    TRY(err_wrap(dynamodb_list_tags(look->aws, table.arn, &tags), "read the tags of table %s", name));
    TRY(judge(
        look,
        &(struct found){.arn = table.arn, .tags = &tags, .created_ms = table.created_ms, .tag = dynamodb_tag},
        &go));
    if (!go)
        return NULL;
    if (table.deletion_protection)
        return unprotect_table(look);
    TRY(look->by->may_change(look->by->arg));
    return after_change(look, dynamodb_delete_table(look->aws, name), TABLE_LOOK_MS, "deleting table");
}

/* --- */

/* A refusal that lies in AWS is what was found out, not an error. */
static struct err *say_refusal(struct err *err, struct removal *out)
{
    enum err_kind kind = err ? err_kind(err) : ERR_RETRY;

    if (!err || !err_remote(err)->http_status || (kind != ERR_DENIED && kind != ERR_INVALID))
        return err;
    conclude(out, REMOVAL_BLOCKED, 0, xstrdup(err_text(err)));
    err_ignore(err, "said in the message");
    return NULL;
}

struct err *removal_of_copy(const struct remover *by, const struct removal_copy *what, struct removal *ret)
{
    static struct err *(*const looks[])(const struct look *look) = {
        [DATABASE_AURORA] = look_at_cluster,
        [DATABASE_DYNAMODB] = look_at_table,
    };
    AUTO_REMOVAL struct removal out = {0};
    const struct look look = {.by = by, .aws = &by->aws, .copy = what, .out = &out};

    TRY(say_refusal(looks[what->kind](&look), &out));
    *ret = out;
    out = (struct removal){0};
    return NULL;
}

/* --- recovery points --- */

static struct err *judge_point(const struct remover *by, const struct recovery_point *point,
                               struct removal *out, bool *ret_go)
{
    AUTO_TAGS struct aws_tags tags = {0};

    *ret_go = false;
    if (text_equal(point->status, "DELETING") || text_equal(point->status, "CREATING")) {
        conclude(out, REMOVAL_RUNNING, POINT_LOOK_MS,
                 xasprintf("recovery point %s is %s", point->arn, point->status));
        out->is_asked = text_equal(point->status, "DELETING");
        return NULL;
    }
    TRY(err_wrap(backup_list_point_tags(&by->aws, point->arn, &tags), "read the tags of recovery point %s",
                 point->arn));
    *ret_go = !point->plan_id && is_in_account(&by->aws, point->arn) &&
              text_equal(aws_tags_get(&tags, TAG_POINT_SERIES), by->series);
    if (!*ret_go)
        conclude(out, REMOVAL_FOREIGN, 0,
                 xasprintf("recovery point %s is not ours: its tag " TAG_POINT_SERIES
                           " does not name this series, or a backup plan made it",
                           point->arn));
    return NULL;
}

static struct err *delete_point(const struct remover *by, const char *vault_name,
                                const struct recovery_point *point, struct removal *out)
{
    bool failed_before = text_equal(point->status, "EXPIRED");
    struct err *err;

    TRY(by->may_change(by->arg));
    err = backup_delete_recovery_point(&by->aws, vault_name, point->arn);
    if (err && err_kind(err) == ERR_RETRY && err_remote(err)->http_status == 400) {
        conclude(out, REMOVAL_IN_USE, 0,
                 xasprintf("recovery point %s is in use: %s", point->arn, err_text(err)));
        err_ignore(err, "said in the message");
        return NULL;
    }
    TRY(err_wrap(err, "delete recovery point %s", point->arn));
    if (failed_before) /* the answer to another try is the same 200: only time shows */
        conclude(
            out, REMOVAL_BLOCKED, 0,
            xasprintf(
                "AWS Backup could not delete recovery point %s (EXPIRED: %s); allow it to the role that made "
                "it, and iam:CreateServiceLinkedRole to the one that asks. It was asked again",
                point->arn, point->status_message ? point->status_message : "no reason given"));
    else
        conclude(out, REMOVAL_RUNNING, POINT_LOOK_MS, xasprintf("deleting recovery point %s", point->arn));
    return NULL;
}

static struct err *look_at_point(const struct remover *by, const char *vault_name, const char *arn,
                                 struct removal *out)
{
    AUTO_RECOVERY_POINT struct recovery_point point = {0};
    struct err *err = backup_describe_recovery_point(&by->aws, vault_name, arn, &point);
    bool go;

    if (err && err_kind(err) == ERR_NOT_FOUND) {
        err_ignore(err, "that is what is wanted");
        conclude(out, REMOVAL_GONE, 0, xasprintf("recovery point %s is gone", arn));
        return NULL;
    }
    TRY(err_wrap(err, "look at recovery point %s", arn));
    TRY(judge_point(by, &point, out, &go));
    return go ? delete_point(by, vault_name, &point, out) : NULL;
}

struct err *removal_of_recovery_point(const struct remover *by, const char *vault_name, const char *arn,
                                      struct removal *ret)
{
    AUTO_REMOVAL struct removal out = {0};

    TRY(say_refusal(look_at_point(by, vault_name, arn, &out), &out));
    *ret = out;
    out = (struct removal){0};
    return NULL;
}
