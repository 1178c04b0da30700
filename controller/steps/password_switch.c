/* What the switchover changes because of the password: the secret's present value, or the proxy's list.
 * Looked at first, changed only where it differs, and put back only over what we have written. */
#include "controller/steps/kube_secret.h"
#include "controller/steps/password.h"
#include "controller/steps/secret_text.h"
#include "controller/steps/secret_version.h"
#include "pkg/aws/rds.h"
#include "pkg/aws/rds_proxy.h"

#define CURRENT "AWSCURRENT"

/* One row's view. */
struct switching {
    struct stage *stage;
    const struct database_spec *database;
    const struct secret_ref *ref;
    const char *proxy;
};

/* --- generated, in Secrets Manager --- */

static struct err *read_current(const struct switching *s, struct secret_value *ret)
{
    return err_wrap(
        secretsmanager_get_value(&s->stage->pass->target, s->ref->secrets_manager_id, NULL, NULL, ret),
        "read secret %s", s->ref->secrets_manager_id);
}

/* The present text with the staged password in it, NULL when it is there already, or none was staged. */
static struct err *merge(const struct switching *s, const struct secret_value *present, struct secret **ret)
{
    AUTO_SECRET struct secret *password = NULL;

    TRY(password_of_copies(s->stage->pass, s->database, &password));
    if (!password)
        return NULL;
    return secret_text_with(present->text, s->ref->secrets_manager_id, s->ref->secrets_manager_key, password,
                            ret);
}

static struct err *version_intend(const struct switching *s)
{
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET struct secret *merged = NULL;

    TRY(read_current(s, &present));
    TRY(merge(s, &present, &merged));
    if (merged) /* else it is in use already: by another proxy's row, which remembers what was before */
        step_set_evidence(s->stage->row, "secretBefore", present.version_id);
    return NULL;
}

/* The staged version as it is, unless somebody has changed another key since: then a version with both. */
static struct err *version_switch(const struct switching *s, char **ret_wait)
{
    const struct aws_client *aws = &s->stage->pass->target;
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET_VALUE struct secret_value staged = {0};
    AUTO_SECRET struct secret *merged = NULL;
    char version[SECRET_VERSION_MAX];

    (void)ret_wait;
    TRY(read_current(s, &present));
    TRY(merge(s, &present, &merged));
    if (!merged)
        return NULL;
    password_version(s->stage->pass, s->database, NULL, version);
    TRY(err_wrap(secretsmanager_get_value(aws, s->ref->secrets_manager_id, version, NULL, &staged),
                 "read the staged version of secret %s", s->ref->secrets_manager_id));
    if (secret_equal(staged.text, merged))
        return err_wrap(
            secretsmanager_move_stage(aws, s->ref->secrets_manager_id, CURRENT, version, present.version_id),
            "put the new password of secret %s into use", s->ref->secrets_manager_id);
    password_version(s->stage->pass, s->database, present.version_id, version);
    return err_wrap(secretsmanager_put_value(aws, s->ref->secrets_manager_id, version, merged, NULL),
                    "put the new password into secret %s", s->ref->secrets_manager_id);
}

/* The key alone goes back: what others have written beside it since stays. */
static struct err *put_version_back(const struct switching *s, const struct secret_value *present,
                                    const struct secret_value *before)
{
    const char *id = s->ref->secrets_manager_id;
    AUTO_FREE char *base = xasprintf("back from %s", present->version_id);
    AUTO_SECRET struct secret *content = NULL;
    char version[SECRET_VERSION_MAX];

    TRY(secret_text_back(present->text, before->text, id, s->ref->secrets_manager_key, &content));
    password_version(s->stage->pass, s->database, base, version);
    return err_wrap(secret_version_put_back(&(struct secret_way_back){.aws = &s->stage->pass->target,
                                                                      .secret_id = id,
                                                                      .present = present,
                                                                      .before = before,
                                                                      .content = content,
                                                                      .version = version}),
                    "put the old password of secret %s back", id);
}

static struct err *version_back(const struct switching *s, char **ret_wait)
{
    const char *version = step_evidence(s->stage->row, "secretBefore");
    AUTO_SECRET_VALUE struct secret_value present = {0};
    AUTO_SECRET_VALUE struct secret_value before = {0};
    AUTO_SECRET struct secret *differs = NULL;

    (void)ret_wait;
    if (!version)
        return NULL;
    TRY(read_current(s, &present));
    TRY(merge(s, &present, &differs));
    if (differs || text_equal(present.version_id, version))
        return NULL;
    TRY(err_wrap(
        secretsmanager_get_value(&s->stage->pass->target, s->ref->secrets_manager_id, version, NULL, &before),
        "read what secret %s held before", s->ref->secrets_manager_id));
    return put_version_back(s, &present, &before);
}

/* --- generated, in a Secret --- */

/* Evidence of the row: under which key the attempt keeps it, whichever row of the database has kept it. */
#define KEPT_AS "passwordBefore"

static char *key_before(const struct switching *s)
{
    return xasprintf("%s.password-before", s->database->name);
}

/* *ret_is: the Secret holds the new password, or there is none for it. */
static struct err *holds_new(const struct switching *s, bool *ret_is, struct secret **ret_new,
                             struct secret **ret_present)
{
    TRY(password_of_copies(s->stage->pass, s->database, ret_new));
    TRY(kube_secret_get(s->stage->pass, s->ref->secret_name, s->ref->secret_key, ret_present));
    *ret_is = !*ret_new || (*ret_present && secret_equal(*ret_present, *ret_new));
    return NULL;
}

static struct err *key_intend(const struct switching *s)
{
    AUTO_SECRET struct secret *password = NULL;
    AUTO_SECRET struct secret *present = NULL;
    AUTO_SECRET struct secret *kept = NULL;
    AUTO_FREE char *what = key_before(s);
    AUTO_FREE char *key = kube_secret_attempt_key(s->stage->pass, what);
    bool is_new;

    TRY(holds_new(s, &is_new, &password, &present));
    TRY(kube_secret_kept(s->stage->pass, key, &kept));
    step_set_evidence(s->stage->row, KEPT_AS, key);
    return is_new || kept || !present ? NULL : kube_secret_keep(s->stage->pass, key, present);
}

static struct err *key_switch(const struct switching *s, char **ret_wait)
{
    AUTO_SECRET struct secret *password = NULL;
    AUTO_SECRET struct secret *present = NULL;
    bool is_new;

    (void)ret_wait;
    TRY(holds_new(s, &is_new, &password, &present));
    return is_new ? NULL : kube_secret_set(s->stage->pass, s->ref->secret_name, s->ref->secret_key, password);
}

static struct err *key_back(const struct switching *s, char **ret_wait)
{
    AUTO_SECRET struct secret *password = NULL;
    AUTO_SECRET struct secret *present = NULL;
    AUTO_SECRET struct secret *before = NULL;
    AUTO_FREE char *what = key_before(s); /* as earlier versions of the controller have kept it */
    const char *key = step_evidence(s->stage->row, KEPT_AS);
    bool is_new;

    (void)ret_wait;
    TRY(holds_new(s, &is_new, &password, &present));
    TRY(kube_secret_kept(s->stage->pass, key ? key : what, &before));
    return is_new && before ? kube_secret_set(s->stage->pass, s->ref->secret_name, s->ref->secret_key, before)
                            : NULL;
}

/* --- kept by RDS: the proxy's list is read, changed in one entry, and written as a whole --- */

static const char *managed_by_step(const struct database_status *copy)
{
    for (size_t i = 0; i < copy->step_count; i++) {
        if (text_equal(copy->steps[i].name, "Password"))
            return step_evidence(&copy->steps[i], "managedSecret");
    }
    return NULL;
}

/* As this run's step has seen it become usable; of a copy of an earlier run, as it is. Yours. */
static struct err *managed_secret(const struct switching *s, char **ret)
{
    const struct database_status *copy = status_database(s->stage->pass->status, s->database->name);
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};

    if (!s->stage->pass->status->run.copies_of) {
        *ret = xstrdup_or_null(managed_by_step(copy));
        return NULL;
    }
    TRY(rds_describe_cluster(&s->stage->pass->target, copy->copy_identifier, &cluster));
    *ret = xstrdup_or_null(cluster.master_secret_arn);
    return NULL;
}

static struct rds_proxy_auth *find_auth(struct rds_proxy *proxy, const char *secret_arn)
{
    for (size_t i = 0; secret_arn && i < proxy->auth_count; i++) {
        if (text_equal(proxy->auth[i].secret_arn, secret_arn))
            return &proxy->auth[i];
    }
    return NULL;
}

/* The secret that RDS keeps for what the proxy points at now; NULL: none. Yours. */
static struct err *secret_of_target(const struct switching *s, char **ret)
{
    AUTO_RDS_PROXY_TARGETS struct rds_proxy_targets targets = {0};
    AUTO_RDS_CLUSTER struct rds_cluster cluster = {0};
    const char *id;

    TRY(rds_proxy_list_targets(&s->stage->pass->target, s->proxy, &targets));
    id = rds_proxy_targets_cluster(&targets);
    if (!id)
        return NULL;
    TRY(rds_describe_cluster(&s->stage->pass->target, id, &cluster));
    *ret = xstrdup_or_null(cluster.master_secret_arn);
    return NULL;
}

/* Which entry is the master user's: the old cluster's own secret; else the one that names the user; else the
 * only one there is. */
static struct err *find_entry(const struct switching *s, struct rds_proxy *proxy, struct rds_proxy_auth **ret)
{
    const struct database_status *copy = status_database(s->stage->pass->status, s->database->name);
    AUTO_FREE char *of_target = NULL;

    TRY(secret_of_target(s, &of_target));
    *ret = find_auth(proxy, of_target);
    for (size_t i = 0; !*ret && copy && copy->master_username && i < proxy->auth_count; i++) {
        if (text_equal(proxy->auth[i].user_name, copy->master_username))
            *ret = &proxy->auth[i];
    }
    if (!*ret && proxy->auth_count == 1)
        *ret = &proxy->auth[0];
    if (*ret)
        return NULL;
    return err_new(
        ERR_INVALID,
        "which of its %zu secrets proxy %s uses for the master user cannot be told: name the user in "
        "that entry's UserName",
        proxy->auth_count, s->proxy);
}

static struct err *list_intend(const struct switching *s)
{
    AUTO_RDS_PROXY struct rds_proxy proxy = {0};
    AUTO_FREE char *managed = NULL;
    struct rds_proxy_auth *entry;

    if (!s->proxy)
        return NULL;
    TRY(err_wrap(rds_proxy_describe(&s->stage->pass->target, s->proxy, &proxy), "look at proxy %s",
                 s->proxy));
    TRY(managed_secret(s, &managed));
    if (!managed || find_auth(&proxy, managed))
        return NULL;
    TRY(find_entry(s, &proxy, &entry));
    step_set_evidence(s->stage->row, "secretBefore", entry->secret_arn);
    return NULL;
}

/* One entry goes from one secret to another; nothing is done when it does not hold the first. */
static struct err *exchange(const struct switching *s, const char *from, const char *to, char **ret_wait)
{
    AUTO_RDS_PROXY struct rds_proxy proxy = {0};
    struct rds_proxy_auth *entry;

    TRY(err_wrap(rds_proxy_describe(&s->stage->pass->target, s->proxy, &proxy), "look at proxy %s",
                 s->proxy));
    if (!text_equal(proxy.status, "available")) {
        *ret_wait = xasprintf("proxy %s is %s", s->proxy, proxy.status ? proxy.status : "not known yet");
        return NULL;
    }
    entry = find_auth(&proxy, from);
    if (!entry || find_auth(&proxy, to))
        return NULL;
    xfree(entry->secret_arn);
    entry->secret_arn = xstrdup(to);
    TRY(err_wrap(rds_proxy_set_auth(&s->stage->pass->target, s->proxy, proxy.auth, proxy.auth_count),
                 "change the secrets of proxy %s", s->proxy));
    *ret_wait = xasprintf("proxy %s takes another secret", s->proxy);
    return NULL;
}

static struct err *list_switch(const struct switching *s, char **ret_wait)
{
    const char *before = step_evidence(s->stage->row, "secretBefore");
    AUTO_FREE char *managed = NULL;

    if (!s->proxy || !before)
        return NULL;
    TRY(managed_secret(s, &managed));
    return managed ? exchange(s, before, managed, ret_wait) : NULL;
}

static struct err *list_back(const struct switching *s, char **ret_wait)
{
    const char *before = step_evidence(s->stage->row, "secretBefore");
    AUTO_FREE char *managed = NULL;

    if (!s->proxy || !before)
        return NULL;
    TRY(managed_secret(s, &managed));
    return managed ? exchange(s, managed, before, ret_wait) : NULL;
}

/* --- */

struct switch_ops {
    struct err *(*intend)(const struct switching *s);
    struct err *(*to)(const struct switching *s, char **ret_wait);
    struct err *(*back)(const struct switching *s, char **ret_wait);
};

static const struct switch_ops version_ops = {version_intend, version_switch, version_back};
static const struct switch_ops key_ops = {key_intend, key_switch, key_back};
static const struct switch_ops list_ops = {list_intend, list_switch, list_back};

/* NULL: the copy has got the password that staging uses already. */
static const struct switch_ops *ops_of(const struct stage *stage, const struct database_spec *database)
{
    const struct password_spec *password = &database->aurora.password;

    switch (password->kind) {
    case PASSWORD_FROM_SECRET:
        /* An earlier run may have generated one, when the spec still said so. */
        if (!stage->pass->status->run.copies_of)
            return NULL;
        return password->from.secrets_manager_id ? &version_ops : &key_ops;
    case PASSWORD_GENERATE:
        return password->from.secrets_manager_id ? &version_ops : &key_ops;
    case PASSWORD_RDS_MANAGED:
        return &list_ops;
    case PASSWORD_NONE:
        break;
    }
    return NULL;
}

static struct switching switching_of(struct stage *stage, const struct database_spec *database,
                                     const char *proxy)
{
    return (struct switching){
        .stage = stage, .database = database, .ref = &database->aurora.password.from, .proxy = proxy};
}

struct err *password_switch_intend(struct stage *stage, const struct database_spec *database,
                                   const char *proxy)
{
    const struct switching s = switching_of(stage, database, proxy);

    return ops_of(stage, database) ? ops_of(stage, database)->intend(&s) : NULL;
}

struct err *password_switch(struct stage *stage, const struct database_spec *database, const char *proxy,
                            char **ret_wait)
{
    const struct switching s = switching_of(stage, database, proxy);

    return ops_of(stage, database) ? ops_of(stage, database)->to(&s, ret_wait) : NULL;
}

struct err *password_switch_back(struct stage *stage, const struct database_spec *database, const char *proxy,
                                 char **ret_wait)
{
    const struct switching s = switching_of(stage, database, proxy);

    return ops_of(stage, database) ? ops_of(stage, database)->back(&s, ret_wait) : NULL;
}
