#include "pkg/aws/credentials_priv.h"
#include "pkg/aws/traffic.h"

struct told {
    struct credentials_source base;
    const struct aws_config *config;
    struct credentials_source *inner;
};

static struct err *told_fetch(struct credentials_source *self, const struct env *env,
                              struct credentials **ret)
{
    struct told *told = (struct told *)self;

    TRY(told->inner->ops->fetch(told->inner, env, ret));
    if (*ret)
        aws_traffic_tell_credentials(told->config->traffic,
                                     &(struct aws_credentials_seen){.fetched_ms = sched_wall_ms(env->sched),
                                                                    .expires_ms = (*ret)->expires_ms});
    return NULL;
}

static void told_forget(struct credentials_source *self, const struct credentials *rejected)
{
    struct told *told = (struct told *)self;

    if (told->inner->ops->forget)
        told->inner->ops->forget(told->inner, rejected);
}

static void told_free(struct credentials_source *self)
{
    credentials_source_free(((struct told *)self)->inner);
    xfree(self);
}

struct credentials_source *credentials_told_new(const struct aws_config *config,
                                                struct credentials_source *inner)
{
    static const struct credentials_source_ops ops = {
        .name = "the controller's own identity",
        .fetch = told_fetch,
        .forget = told_forget,
        .free = told_free,
    };
    struct told *told = xcalloc(1, sizeof(*told));

    told->base.ops = &ops;
    told->config = config;
    told->inner = inner;
    return &told->base;
}
