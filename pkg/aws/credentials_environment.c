#include "pkg/aws/credentials.h"

struct environment {
    struct credentials_source base;
    const struct aws_config *config;
};

static struct err *environment_fetch(struct credentials_source *self, const struct env *env,
                                     struct credentials **ret)
{
    const struct aws_config *config = ((struct environment *)self)->config;
    int64_t expires_ms = config->credential_expiration_ms ? config->credential_expiration_ms : NEVER_MS;

    (void)env;
    *ret = NULL;
    if (!config->access_key_id && !config->secret_access_key)
        return NULL;
    if (!config->access_key_id || !config->secret_access_key)
        return err_new(ERR_INVALID, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together");
    *ret = credentials_new(str_of(config->access_key_id), secret_copy(config->secret_access_key),
                           config->session_token ? secret_copy(config->session_token) : NULL, expires_ms);
    return NULL;
}

static void environment_free(struct credentials_source *self)
{
    xfree(self);
}

struct credentials_source *credentials_environment_new(const struct aws_config *config)
{
    static const struct credentials_source_ops ops = {
        .name = "the environment",
        .fetch = environment_fetch,
        .free = environment_free,
    };
    struct environment *environment = xcalloc(1, sizeof(*environment));

    environment->base.ops = &ops;
    environment->config = config;
    return &environment->base;
}
