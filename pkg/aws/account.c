#include "pkg/aws/account.h"

#include "pkg/aws/arn.h"

#define ACCOUNT_ID_LEN 12

struct aws_account {
    char *id;
    char *region;
    enum aws_usage usage;
    struct aws_session session;
    struct credentials_cache *cache;
    char *role_arn, *external_id; /* may be NULL */
    int session_duration_s;
    struct credentials_cache *identity; /* borrowed */
    struct actors *actors;              /* NULL: no role is assumed */
    struct observer *observer;
    unsigned refs; /* atomic */
};

/* In front of the account's real source: credentials of another account than the one named never get out. */
struct verified {
    struct credentials_source base;
    struct credentials_source *inner;
    struct aws_account *account;
    bool is_told; /* who listens hears of these */
};

/* ERR_DENIED: these will never do. Who holds them may have got others since, though. */
static struct err *verify(struct aws_account *account, const struct env *env, struct credentials *credentials)
{
    AUTO_FREE char *id = NULL;
    AUTO_FREE char *arn = NULL;

    TRY(aws_session_whoami(&account->session, env, credentials, &id, &arn));
    if (!text_equal(id, account->id))
        return err_new(ERR_DENIED,
                       "the credentials belong to account %s (%s), but account %s is configured: nothing was "
                       "done with them",
                       id, arn ? arn : "no ARN", account->id);
    return NULL;
}

/* What is in front of the source is dropped by our caller, but what the source itself keeps would stay for
 * ever: nobody else ever says that it is no good. `err` is why these were rejected. */
static struct err *fetch_others(struct verified *verified, const struct env *env,
                                struct credentials *rejected, struct err *err, struct credentials **ret)
{
    struct credentials_source *inner = verified->inner;
    AUTO_CREDENTIALS struct credentials *fetched = NULL;
    AUTO_ERR struct err *why = err;

    if (inner->ops->forget) {
        inner->ops->forget(inner, rejected);
        TRY(inner->ops->fetch(inner, env, &fetched));
    }
    if (!fetched || credentials_are_same(fetched, rejected))
        return TAKE(why);
    TRY(verify(verified->account, env, fetched));
    *ret = TAKE(fetched);
    return NULL;
}

static struct err *fetch_ours(struct verified *verified, const struct env *env, struct credentials **ret)
{
    AUTO_CREDENTIALS struct credentials *fetched = NULL;
    struct err *err;

    TRY(verified->inner->ops->fetch(verified->inner, env, &fetched));
    err = fetched ? verify(verified->account, env, fetched) : NULL;
    if (err && err_kind(err) == ERR_DENIED)
        return fetch_others(verified, env, fetched, err, ret);
    TRY(err);
    *ret = TAKE(fetched);
    return NULL;
}

static struct err *verified_fetch(struct credentials_source *self, const struct env *env,
                                  struct credentials **ret)
{
    struct verified *verified = (struct verified *)self;
    struct aws_account *account = verified->account;

    *ret = NULL;
    TRY(fetch_ours(verified, env, ret));
    if (*ret && verified->is_told)
        aws_traffic_tell_credentials(account->session.config->traffic,
                                     &(struct aws_credentials_seen){.account_id = account->id,
                                                                    .fetched_ms = sched_wall_ms(env->sched),
                                                                    .expires_ms = (*ret)->expires_ms});
    return NULL;
}

static void verified_forget(struct credentials_source *self, const struct credentials *rejected)
{
    struct verified *verified = (struct verified *)self;

    if (verified->inner->ops->forget)
        verified->inner->ops->forget(verified->inner, rejected);
}

static void verified_free(struct credentials_source *self)
{
    struct verified *verified = (struct verified *)self;

    credentials_source_free(verified->inner);
    xfree(verified);
}

static struct verified *verified_new(struct aws_account *account, struct credentials_source *inner)
{
    static const struct credentials_source_ops ops = {
        .name = "the account's role",
        .fetch = verified_fetch,
        .forget = verified_forget,
        .free = verified_free,
    };
    struct verified *verified = xcalloc(1, sizeof(*verified));

    verified->base.ops = &ops;
    verified->inner = inner;
    verified->account = account;
    return verified;
}

static bool is_account_id(const char *text)
{
    return text && strlen(text) == ACCOUNT_ID_LEN && strspn(text, "0123456789") == ACCOUNT_ID_LEN;
}

static struct err *check_opts(const struct aws_account_opts *opts)
{
    struct arn arn;

    if (!is_account_id(opts->account_id))
        return err_new(ERR_INVALID, "an AWS account id has 12 digits: \"%.40s\"",
                       opts->account_id ? opts->account_id : "");
    if (text_is_empty(opts->region))
        return err_new(ERR_INVALID, "account %s: no AWS Region is configured", opts->account_id);
    if (!opts->role_arn)
        return NULL;
    TRY(err_wrap(arn_parse(opts->role_arn, &arn), "account %s: role", opts->account_id));
    if (!str_is(arn.service, "iam") || !arn_name(&arn, "role").len)
        return err_new(ERR_INVALID, "account %s: %.200s is not a role", opts->account_id, opts->role_arn);
    if (!str_is(arn.account, opts->account_id))
        return err_new(ERR_INVALID, "account %s: the role %.200s is of another account", opts->account_id,
                       opts->role_arn);
    return NULL;
}

/* The account's role; what differs from session to session is in `opts`. */
static struct credentials_source *assume(const struct aws_account *account, struct assume_role_opts opts)
{
    opts.role_arn = account->role_arn;
    opts.external_id = account->external_id;
    opts.duration_s = account->session_duration_s;
    opts.region = account->region;
    return credentials_assume_role_new(account->session.config, account->identity, &opts);
}

static struct credentials_source *own_source(struct aws_account *account, const char *session_name)
{
    const struct assume_role_opts opts = {.session_name = session_name ? session_name : "stagingrefresh"};
    struct verified *verified = verified_new(
        account, account->role_arn ? assume(account, opts) : credentials_shared_new(account->identity));

    verified->is_told = true;
    return &verified->base;
}

static struct credentials_source *source_of_actor(void *owner, const struct aws_actor *actor,
                                                  int64_t *untagged_until_ms)
{
    struct aws_account *account = owner;
    const struct assume_role_opts opts = {.actor = actor, .untagged_until_ms = untagged_until_ms};

    return &verified_new(account, assume(account, opts))->base;
}

struct err *aws_account_new(const struct aws_account_opts *opts, struct aws_account **ret)
{
    struct aws_account *account;

    TRY(check_opts(opts));
    account = xcalloc(1, sizeof(*account));
    account->id = xstrdup(opts->account_id);
    account->region = xstrdup(opts->region);
    account->usage = opts->usage;
    account->refs = 1;
    account->role_arn = xstrdup_or_null(opts->role_arn);
    account->external_id = xstrdup_or_null(opts->external_id);
    account->session_duration_s = opts->session_duration_s;
    account->identity = opts->identity;
    aws_session_init(&account->session, opts->config, account->region);
    account->cache = credentials_cache_new(own_source(account, opts->session_name));
    if (opts->role_arn)
        account->actors = actors_new(source_of_actor, account);
    account->session.account_id = account->id;
    account->session.cache = account->cache;
    account->observer = observer_new();
    *ret = account;
    return NULL;
}

struct aws_account *aws_account_ref(struct aws_account *account)
{
    __atomic_add_fetch(&account->refs, 1, __ATOMIC_RELAXED);
    return account;
}

void aws_account_unref(struct aws_account *account)
{
    if (!account || __atomic_sub_fetch(&account->refs, 1, __ATOMIC_ACQ_REL))
        return;
    credentials_cache_free(account->cache);
    actors_free(account->actors);
    observer_free(account->observer);
    xfree(account->id);
    xfree(account->region);
    xfree(account->role_arn);
    xfree(account->external_id);
    xfree(account);
}

const char *aws_account_id(const struct aws_account *account)
{
    return account->id;
}

const char *aws_account_region(const struct aws_account *account)
{
    return account->region;
}

const char *aws_account_partition(const struct aws_account *account)
{
    return aws_partition_of(account->region)->id;
}

enum aws_usage aws_account_usage(const struct aws_account *account)
{
    return account->usage;
}

int64_t aws_account_clock_skew_ms(struct aws_account *account)
{
    return __atomic_load_n(&aws_session_lane(&account->session)->skew_ms, __ATOMIC_RELAXED);
}

struct aws_session *aws_account_session(struct aws_account *account)
{
    return &account->session;
}

struct actors *aws_account_actors(struct aws_account *account)
{
    return account->actors;
}

struct observer *aws_account_observer(struct aws_account *account)
{
    return account->observer;
}
