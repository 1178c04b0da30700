#include "pkg/aws/session.h"
#include "pkg/base/files.h"

#define TOKEN_MAX 20000

struct web_identity {
    struct credentials_source base;
    const struct aws_config *config;
    struct aws_session session;
};

/* Rotated on disk by the kubelet: read for every call. */
static struct err *read_token(const char *path, struct buf *out)
{
    TRY(err_wrap(file_read(path, out), "web identity token"));
    if (!str_trim(buf_str(out)).len)
        return err_new(ERR_INVALID, "web identity token: %s is empty", path);
    return NULL;
}

static void make_form(const struct aws_config *config, const struct buf *token, struct buf *form)
{
    struct str text = str_trim(buf_str(token));

    query_begin(form, AWS_OP_ASSUME_ROLE_WITH_WEB_IDENTITY);
    query_add(form, "RoleArn", config->role_arn);
    query_add(form, "RoleSessionName",
              config->role_session_name ? config->role_session_name : "stagingrefresh");
    buf_adds(form, "&WebIdentityToken=");
    buf_add_uri(form, text);
}

static struct err *web_identity_fetch(struct credentials_source *self, const struct env *env,
                                      struct credentials **ret)
{
    struct web_identity *identity = (struct web_identity *)self;
    const struct aws_config *config = identity->config;
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf token = BUF_SECRET(TOKEN_MAX);
    AUTO_BUF struct buf form = {0};

    *ret = NULL;
    if (!config->web_identity_token_file)
        return NULL;
    if (!config->role_arn)
        return err_new(ERR_INVALID, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
    TRY(read_token(config->web_identity_token_file, &token));
    make_form(config, &token, &form);
    TRY(aws_session_call(&identity->session, env,
                         &(struct aws_request){
                             .op = AWS_OP_ASSUME_ROLE_WITH_WEB_IDENTITY,
                             .input = &(struct aws_input){.body = buf_str(&form)},
                         },
                         &reply));
    return sts_read_credentials(AWS_OP_ASSUME_ROLE_WITH_WEB_IDENTITY, reply.result, ret);
}

static void web_identity_free(struct credentials_source *self)
{
    xfree(self);
}

struct credentials_source *credentials_web_identity_new(const struct aws_config *config)
{
    static const struct credentials_source_ops ops = {
        .name = "the web identity",
        .fetch = web_identity_fetch,
        .free = web_identity_free,
    };
    struct web_identity *identity = xcalloc(1, sizeof(*identity));

    identity->base.ops = &ops;
    identity->config = config;
    aws_session_init(&identity->session, config, config->region);
    return &identity->base;
}
