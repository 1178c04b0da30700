#include "pkg/aws/credentials.h"

#include "pkg/aws/credentials_priv.h"

struct credentials *credentials_new(struct str access_key_id, struct secret *secret_key,
                                    struct secret *session_token, int64_t expires_ms)
{
    struct credentials *credentials = xcalloc(1, sizeof(*credentials));

    credentials->access_key_id = str_dup(access_key_id);
    credentials->secret_key = secret_key;
    credentials->session_token = session_token;
    credentials->expires_ms = expires_ms;
    credentials->refs = 1;
    return credentials;
}

struct credentials *credentials_ref(struct credentials *credentials)
{
    __atomic_add_fetch(&credentials->refs, 1, __ATOMIC_RELAXED);
    return credentials;
}

void credentials_unref(struct credentials *credentials)
{
    if (!credentials || __atomic_sub_fetch(&credentials->refs, 1, __ATOMIC_ACQ_REL))
        return;
    xfree(credentials->access_key_id);
    secret_free(credentials->secret_key);
    secret_free(credentials->session_token);
    xfree(credentials);
}

bool credentials_are_same(const struct credentials *a, const struct credentials *b)
{
    return text_equal(a->access_key_id, b->access_key_id) && secret_equal(a->secret_key, b->secret_key) &&
           secret_equal(a->session_token, b->session_token);
}

void credentials_source_free(struct credentials_source *source)
{
    if (source)
        source->ops->free(source);
}

struct chain {
    struct credentials_source base;
    struct credentials_source **sources;
    size_t count;
};

static struct err *chain_fetch(struct credentials_source *self, const struct env *env,
                               struct credentials **ret)
{
    struct chain *chain = (struct chain *)self;

    *ret = NULL;
    for (size_t i = 0; i < chain->count && !*ret; i++) {
        struct credentials_source *source = chain->sources[i];

        TRY(err_wrap(source->ops->fetch(source, env, ret), "credentials from %s", source->ops->name));
    }
    return NULL;
}

static void chain_forget(struct credentials_source *self, const struct credentials *rejected)
{
    struct chain *chain = (struct chain *)self;

    for (size_t i = 0; i < chain->count; i++) {
        if (chain->sources[i]->ops->forget)
            chain->sources[i]->ops->forget(chain->sources[i], rejected);
    }
}

static void chain_free(struct credentials_source *self)
{
    struct chain *chain = (struct chain *)self;

    for (size_t i = 0; i < chain->count; i++)
        credentials_source_free(chain->sources[i]);
    xfree(chain->sources);
    xfree(chain);
}

struct credentials_source *credentials_chain_new(struct credentials_source **sources, size_t count)
{
    static const struct credentials_source_ops ops = {
        .name = "the chain",
        .fetch = chain_fetch,
        .forget = chain_forget,
        .free = chain_free,
    };
    struct chain *chain = xcalloc(1, sizeof(*chain));

    chain->base.ops = &ops;
    chain->sources = xcalloc(count, sizeof(struct credentials_source *));
    chain->count = count;
    for (size_t i = 0; i < count; i++)
        chain->sources[i] = sources[i];
    return &chain->base;
}

struct shared {
    struct credentials_source base;
    struct credentials_cache *cache;
};

static struct err *shared_fetch(struct credentials_source *self, const struct env *env,
                                struct credentials **ret)
{
    return credentials_get(((struct shared *)self)->cache, env, ret);
}

static void shared_forget(struct credentials_source *self, const struct credentials *rejected)
{
    credentials_invalidate(((struct shared *)self)->cache, rejected);
}

static void shared_free(struct credentials_source *self)
{
    xfree(self);
}

struct credentials_source *credentials_shared_new(struct credentials_cache *cache)
{
    static const struct credentials_source_ops ops = {
        .name = "the controller's own identity",
        .fetch = shared_fetch,
        .forget = shared_forget,
        .free = shared_free,
    };
    struct shared *shared = xcalloc(1, sizeof(*shared));

    shared->base.ops = &ops;
    shared->cache = cache;
    return &shared->base;
}

struct credentials_cache *credentials_default_new(const struct aws_config *config)
{
    /* botocore's order, so that "aws sts get-caller-identity" tells people who we are. */
    struct credentials_source *sources[] = {
        credentials_environment_new(config),  credentials_profile_role_new(config),
        credentials_web_identity_new(config), credentials_profile_new(config),
        credentials_container_new(config),    credentials_instance_new(config),
    };

    return credentials_cache_new(
        credentials_told_new(config, credentials_chain_new(sources, COUNT_OF(sources))));
}
