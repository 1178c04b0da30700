#include "pkg/aws/credentials_priv.h"
#include "pkg/aws/profile.h"
#include "pkg/aws/session.h"
#include "pkg/base/files.h"

#define TOKEN_MAX 20000

struct web_identity_source {
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

/* Whose, and where the token is. Borrowed. */
struct web_identity {
    const char *role_arn;
    const char *session_name; /* NULL: "stagingrefresh" */
    const char *token_file;
};

static void make_form(const struct web_identity *identity, const struct buf *token, struct buf *form)
{
    struct str text = str_trim(buf_str(token));

    query_begin(form, AWS_OP_ASSUME_ROLE_WITH_WEB_IDENTITY);
    query_add(form, "RoleArn", identity->role_arn);
    query_add(form, "RoleSessionName", identity->session_name ? identity->session_name : "stagingrefresh");
    buf_adds(form, "&WebIdentityToken=");
    buf_add_uri(form, text);
}

static struct err *assume(struct aws_session *session, const struct env *env,
                          const struct web_identity *identity, struct credentials **ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf token = BUF_SECRET(TOKEN_MAX);
    AUTO_BUF struct buf form = {0};

    TRY(read_token(identity->token_file, &token));
    make_form(identity, &token, &form);
    TRY(aws_session_call(session, env,
                         &(struct aws_request){
                             .op = AWS_OP_ASSUME_ROLE_WITH_WEB_IDENTITY,
                             .input = &(struct aws_input){.body = buf_str(&form)},
                         },
                         &reply));
    return sts_read_credentials(AWS_OP_ASSUME_ROLE_WITH_WEB_IDENTITY, env, &reply, ret);
}

static const char *either(const char *variable, const struct profiles *profiles, const char *profile,
                          const char *key)
{
    return variable ? variable : profiles_get(profiles, profile, key);
}

struct err *credentials_find_web_identity(struct aws_session *session, const struct env *env,
                                          const struct profiles *profiles, const char *profile,
                                          const struct aws_config *variables, struct credentials **ret)
{
    static const struct aws_config none = {0};
    const struct aws_config *said = variables ? variables : &none;
    const struct web_identity identity = {
        .role_arn = either(said->role_arn, profiles, profile, "role_arn"),
        .session_name = either(said->role_session_name, profiles, profile, "role_session_name"),
        .token_file = either(said->web_identity_token_file, profiles, profile, "web_identity_token_file"),
    };

    *ret = NULL;
    if (!identity.token_file)
        return NULL;
    if (said->web_identity_token_file) {
        if (!identity.role_arn)
            return err_new(ERR_INVALID, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
        return assume(session, env, &identity, ret);
    }
    if (!identity.role_arn)
        return err_new(ERR_INVALID, "profile \"%.100s\": web_identity_token_file needs a role_arn", profile);
    return err_wrap(assume(session, env, &identity, ret), "profile \"%.100s\"", profile);
}

static struct err *web_identity_fetch(struct credentials_source *self, const struct env *env,
                                      struct credentials **ret)
{
    struct web_identity_source *source = (struct web_identity_source *)self;
    const struct aws_config *config = source->config;
    AUTO_PROFILES struct profiles profiles = {0};

    *ret = NULL;
    TRY(profiles_read(config, &profiles));
    return credentials_find_web_identity(&source->session, env, &profiles,
                                         config->profile ? config->profile : "default", config, ret);
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
    struct web_identity_source *source = xcalloc(1, sizeof(*source));

    source->base.ops = &ops;
    source->config = config;
    aws_session_init(&source->session, config, config->region);
    return &source->base;
}
