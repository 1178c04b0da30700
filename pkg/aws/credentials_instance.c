#include "pkg/aws/credentials_priv.h"
#include "pkg/http/transport.h"

/* https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html */
#define ADDRESS_V4 "http://169.254.169.254"
#define ADDRESS_V6 "http://[fd00:ec2::254]"
#define TOKEN_PATH "/latest/api/token"
#define ROLE_PATH "/latest/meta-data/iam/security-credentials/"
#define TIMEOUT_S 1
#define ATTEMPTS 1
#define NAME_MAX_LEN 256
/* The service may be down for a while and still hand out what has expired: AWS goes on accepting it. */
#define EXTENSION_MS MINUTES(15)

struct instance {
    struct credentials_source base;
    const struct aws_config *config;
    bool has_answered; /* there is such a service here: silence is trouble, not absence */
};

static struct err *ask_once(struct instance *instance, const struct env *env, const char *path,
                            const struct http_header *header, struct http_reply *ret)
{
    const struct aws_config *config = instance->config;
    const char *base = config->metadata_endpoint ? config->metadata_endpoint
                       : config->metadata_ipv6   ? ADDRESS_V6
                                                 : ADDRESS_V4;
    int64_t timeout_ms = SECONDS(config->metadata_timeout_s ? config->metadata_timeout_s : TIMEOUT_S);
    bool is_token = text_equal(path, TOKEN_PATH);
    size_t len = strlen(base);
    AUTO_FREE char *url = NULL;

    while (len && base[len - 1] == '/')
        len--;
    url = xasprintf("%.*s%s", (int)len, base, path);
    return err_wrap(http_call(env->transport,
                              &(struct http_request){
                                  .method = is_token ? "PUT" : "GET",
                                  .url = url,
                                  .headers = header,
                                  .header_count = 1,
                                  .timeout_ms = timeout_ms,
                                  .connect_timeout_ms = timeout_ms,
                                  .proxy_url = "",
                                  .sensitive = true,
                              },
                              env->stop, ret),
                    "instance metadata service");
}

static bool may_pass(int status)
{
    return status >= 500 || status == 429;
}

/* At once again, as the SDKs do: the service is on the same machine. */
static struct err *ask(struct instance *instance, const struct env *env, const char *path,
                       const struct http_header *header, struct http_reply *ret)
{
    int64_t left = instance->config->metadata_attempts ? instance->config->metadata_attempts : ATTEMPTS;

    for (;;) {
        AUTO_REPLY struct http_reply reply = {0};
        struct err *err = ask_once(instance, env, path, header, &reply);
        bool is_worth_more = err ? err_kind(err) == ERR_RETRY : may_pass(reply.status);

        if (!is_worth_more || --left <= 0) {
            if (err)
                return err;
            *ret = reply;
            reply = (struct http_reply){0};
            return NULL;
        }
        if (err)
            err_ignore(err, "tried again");
    }
}

static struct err *refuse(const struct http_reply *reply, const char *what)
{
    return err_new(may_pass(reply->status) ? ERR_RETRY : ERR_DENIED,
                   "instance metadata service: HTTP status %d for %s", reply->status, what);
}

/* *ret_found stays false where there is no such service. */
static struct err *get_token(struct instance *instance, const struct env *env, struct buf *token,
                             bool *ret_found)
{
    static const struct http_header ttl = {"x-aws-ec2-metadata-token-ttl-seconds", "21600"};
    AUTO_REPLY struct http_reply reply = {0};
    struct err *err = ask(instance, env, TOKEN_PATH, &ttl, &reply);

    *ret_found = false;
    if (err && err_kind(err) == ERR_RETRY && !instance->has_answered) {
        LOG_DEBUG(env->log, "no instance metadata", KV("error", err_text(err)));
        err_ignore(err, "not on an instance, or out of a pod's reach");
        return NULL;
    }
    TRY(err);
    /* Something else may listen there; only what offers IMDSv2 counts. */
    if (reply.status == 404)
        return NULL;
    if (reply.status != 200)
        return refuse(&reply, "a session token (IMDSv2)");
    buf_add_str(token, str_trim(buf_str(&reply.body)));
    if (token->overflow || !token->len || memchr(buf_text(token), '\n', token->len) ||
        memchr(buf_text(token), '\r', token->len))
        return err_new(ERR_RETRY, "instance metadata service: what came is not a session token");
    instance->has_answered = true;
    *ret_found = true;
    return NULL;
}

/* *ret NULL: the instance has no role. */
static struct err *get_role(struct instance *instance, const struct env *env, const struct http_header *token,
                            char **ret)
{
    AUTO_REPLY struct http_reply reply = {0};
    struct str role;

    *ret = NULL;
    TRY(ask(instance, env, ROLE_PATH, token, &reply));
    if (reply.status == 404)
        return NULL;
    if (reply.status != 200)
        return refuse(&reply, "the instance's role");
    str_cut(&(struct str){.ptr = buf_text(&reply.body), .len = reply.body.len}, '\n', &role);
    role = str_trim(role);
    if (!role.len)
        return NULL;
    if (role.len > NAME_MAX_LEN || str_contains(role, "/") || str_contains(role, " "))
        return err_new(ERR_RETRY, "instance metadata service: what came is not the name of a role");
    *ret = str_dup(role);
    return NULL;
}

static struct err *get_credentials(struct instance *instance, const struct env *env,
                                   const struct http_header *token, const char *role,
                                   struct credentials **ret)
{
    AUTO_FREE char *path = xasprintf(ROLE_PATH "%s", role);
    AUTO_REPLY struct http_reply reply = {0};
    int64_t now_ms = sched_wall_ms(env->sched);

    TRY(ask(instance, env, path, token, &reply));
    if (reply.status != 200)
        return refuse(&reply, "the role's credentials");
    TRY(credentials_read_json(&(struct credentials_json){.what = "instance metadata service",
                                                         .text = buf_str(&reply.body),
                                                         .token_member = "Token",
                                                         .code_member = "Code",
                                                         .must_expire = true},
                              ret));
    if ((*ret)->expires_ms <= now_ms) {
        LOG_WARN(env->log, "the instance's credentials have expired, going on with them", KV("role", role));
        (*ret)->expires_ms = now_ms + EXTENSION_MS;
    }
    return NULL;
}

static struct err *instance_fetch(struct credentials_source *self, const struct env *env,
                                  struct credentials **ret)
{
    struct instance *instance = (struct instance *)self;
    AUTO_BUF struct buf token = BUF_SECRET(4 * KIB);
    struct http_header header = {"x-aws-ec2-metadata-token", NULL};
    AUTO_FREE char *role = NULL;
    bool is_found;

    *ret = NULL;
    if (instance->config->metadata_disabled)
        return NULL;
    TRY(get_token(instance, env, &token, &is_found));
    if (!is_found)
        return NULL;
    header.value = buf_text(&token);
    TRY(get_role(instance, env, &header, &role));
    return role ? get_credentials(instance, env, &header, role, ret) : NULL;
}

static void instance_free(struct credentials_source *self)
{
    xfree(self);
}

struct credentials_source *credentials_instance_new(const struct aws_config *config)
{
    static const struct credentials_source_ops ops = {
        .name = "the instance metadata service",
        .fetch = instance_fetch,
        .free = instance_free,
    };
    struct instance *instance = xcalloc(1, sizeof(*instance));

    instance->base.ops = &ops;
    instance->config = config;
    return &instance->base;
}
