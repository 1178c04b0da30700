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
};

static struct err *assume_role_fetch(struct credentials_source *self, const struct env *env,
                                     struct credentials **ret)
{
    struct assume_role *role = (struct assume_role *)self;
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};

    query_begin(&form, AWS_OP_ASSUME_ROLE);
    query_add(&form, "RoleArn", role->role_arn);
    query_add(&form, "RoleSessionName", role->session_name);
    query_add(&form, "ExternalId", role->external_id);
    query_add_int(&form, "DurationSeconds", role->duration_s);
    TRY(err_wrap(aws_session_call(&role->session, env,
                                  &(struct aws_request){
                                      .op = AWS_OP_ASSUME_ROLE,
                                      .input = &(struct aws_input){.body = buf_str(&form)},
                                  },
                                  &reply),
                 "assume role %s", role->role_arn));
    return sts_read_credentials(AWS_OP_ASSUME_ROLE, reply.result, ret);
}

static void assume_role_free(struct credentials_source *self)
{
    struct assume_role *role = (struct assume_role *)self;

    xfree(role->region);
    xfree(role->role_arn);
    xfree(role->external_id);
    xfree(role->session_name);
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
    role->session_name = xstrdup(opts->session_name);
    role->duration_s = opts->duration_s ? opts->duration_s : DURATION_DEFAULT_S;
    aws_session_init(&role->session, config, role->region);
    role->session.cache = base;
    return &role->base;
}
