#include "pkg/aws/session.h"

#define DURATION_DEFAULT_S 3600

struct assume_role {
    struct credentials_source base;
    struct aws_session session; /* signs with the other source's credentials */
    char *region;
    char *role_arn;
    char *external_id;
    char *session_name;
    int duration_s;
    struct aws_tags tags;
    int64_t *untagged_until_ms;
};

/* A trust policy is not changed every minute. */
#define UNTAGGED_MS HOURS(1)

static void add_tags(struct buf *form, const struct aws_tags *tags)
{
    struct aws_pair *pairs = xcalloc(tags->count + 1, sizeof(*pairs));

    for (size_t i = 0; i < tags->count; i++)
        pairs[i] = (struct aws_pair){.name = tags->items[i].key, .value = tags->items[i].value};
    query_add_pairs(form, "Tags.member", pairs, tags->count);
    xfree(pairs);
}

static bool is_denied(const struct err *err)
{
    return err_kind(err) == ERR_DENIED && text_equal(err_remote(err)->code, "AccessDenied");
}

/* STS does not say which of them is missing. */
static struct err *explain(const struct assume_role *role, struct err *err)
{
    if (!is_denied(err))
        return err_wrap(err, "assume role %s", role->role_arn);
    return err_wrap(
        err,
        "assume role %s (its trust policy and the caller's own policies must allow sts:AssumeRole, "
        "and sts:TagSession where the caller's session has tags, as with EKS Pod Identity)",
        role->role_arn);
}

static struct err *assume(struct assume_role *role, const struct env *env, bool with_tags,
                          struct credentials **ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};
    struct err *err;

    query_begin(&form, AWS_OP_ASSUME_ROLE);
    query_add(&form, "RoleArn", role->role_arn);
    query_add(&form, "RoleSessionName", role->session_name);
    query_add(&form, "ExternalId", role->external_id);
    query_add_int(&form, "DurationSeconds", role->duration_s);
    if (with_tags)
        add_tags(&form, &role->tags);
    err = aws_session_call(&role->session, env,
                           &(struct aws_request){
                               .op = AWS_OP_ASSUME_ROLE,
                               .input = &(struct aws_input){.body = buf_str(&form)},
                           },
                           &reply);
    if (err)
        return explain(role, err);
    return sts_read_credentials(AWS_OP_ASSUME_ROLE, env, &reply, ret);
}

static struct err *assume_role_fetch(struct credentials_source *self, const struct env *env,
                                     struct credentials **ret)
{
    struct assume_role *role = (struct assume_role *)self;
    int64_t now_ms = sched_now_ms(env->sched);
    struct err *err;

    if (!role->tags.count || now_ms < __atomic_load_n(role->untagged_until_ms, __ATOMIC_RELAXED))
        return assume(role, env, false, ret);
    err = assume(role, env, true, ret);
    if (!err || !is_denied(err))
        return err;
    /* Tags are for people who read CloudTrail: where sts:TagSession is missing, it goes without. */
    err_ignore(err, "without tags instead");
    TRY(assume(role, env, false, ret));
    LOG_WARN(env->log,
             "the role may not be assumed with tags (sts:TagSession): CloudTrail will not show them",
             KV("role", role->role_arn));
    __atomic_store_n(role->untagged_until_ms, now_ms + UNTAGGED_MS, __ATOMIC_RELAXED);
    return NULL;
}

static void assume_role_free(struct credentials_source *self)
{
    struct assume_role *role = (struct assume_role *)self;

    xfree(role->region);
    xfree(role->role_arn);
    xfree(role->external_id);
    xfree(role->session_name);
    aws_tags_done(&role->tags);
    xfree(role);
}

struct credentials_source *credentials_assume_role_new(const struct aws_config *config,
                                                       struct credentials_cache *base,
                                                       const struct assume_role_opts *opts)
{
    static const struct credentials_source_ops ops = {
        .name = "AssumeRole",
        .fetch = assume_role_fetch,
        .free = assume_role_free,
    };
    struct assume_role *role = xcalloc(1, sizeof(*role));

    role->base.ops = &ops;
    role->region = xstrdup(opts->region);
    role->role_arn = xstrdup(opts->role_arn);
    role->external_id = xstrdup_or_null(opts->external_id);
    role->session_name = xstrdup(opts->actor ? opts->actor->session_name : opts->session_name);
    for (size_t i = 0; opts->actor && i < opts->actor->tag_count; i++)
        aws_tags_add(&role->tags, opts->actor->tags[i].name, opts->actor->tags[i].value);
    role->untagged_until_ms = opts->untagged_until_ms;
    role->duration_s = opts->duration_s ? opts->duration_s : DURATION_DEFAULT_S;
    aws_session_init(&role->session, config, role->region);
    role->session.cache = base;
    return &role->base;
}
