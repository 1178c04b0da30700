#include "pkg/aws/credentials_priv.h"
#include "pkg/base/files.h"
#include "pkg/http/transport.h"
#include "pkg/http/url.h"

#define TOKEN_MAX 20000
#define TIMEOUT_MS SECONDS(2)
/* As the SDKs do: the agent may just be starting anew. */
#define ATTEMPTS 3
#define PAUSE_MS SECONDS(1)
#define ECS_ADDRESS "http://169.254.170.2"

struct container {
    struct credentials_source base;
    const struct aws_config *config;
};

/* The addresses on the link that ECS and EKS answer at; plain http is for them and for loopback only. */
static bool is_trusted(const struct url *url)
{
    static const char *const hosts[] = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};

    if (str_equal_nocase(url->scheme, STR("https")) || url_is_loopback(url))
        return true;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        if (str_equal_nocase(url->host, str_of(hosts[i])))
            return true;
    }
    return false;
}

static struct err *make_url(const struct aws_config *config, char **ret)
{
    AUTO_FREE char *text = config->container_relative_uri
                               ? xasprintf(ECS_ADDRESS "%s", config->container_relative_uri)
                               : xstrdup(config->container_full_uri);
    struct url url;

    TRY(err_wrap(url_parse(text, &url), "container endpoint"));
    if (!is_trusted(&url))
        return err_new(
            ERR_INVALID,
            "container endpoint: plain http is accepted on loopback and link-local addresses only");
    *ret = TAKE(text);
    return NULL;
}

/* The file wins, and is read each time as it rotates. Sent verbatim, without "Bearer". */
static struct err *read_token(const struct aws_config *config, struct buf *out)
{
    struct str token;

    if (config->container_token_file)
        TRY(err_wrap(file_read(config->container_token_file, out), "container authorization token"));
    else if (config->container_token)
        buf_add_str(out, secret_reveal(config->container_token));
    token = buf_str(out);
    if (memchr(token.ptr, '\r', token.len) || memchr(token.ptr, '\n', token.len))
        return err_new(ERR_INVALID, "container authorization token: must not contain line breaks");
    return NULL;
}

static struct err *ask_once(const struct env *env, const char *url, const struct buf *token,
                            struct http_reply *ret)
{
    TRY(err_wrap(http_call(env->transport,
                           &(struct http_request){
                               .method = "GET",
                               .url = url,
                               .headers = &(struct http_header){"authorization", buf_text(token)},
                               .header_count = token->len ? 1 : 0,
                               .timeout_ms = TIMEOUT_MS,
                               .proxy_url = "",
                               .sensitive = true,
                           },
                           env->stop, ret),
                 "container endpoint"));
    if (ret->status == 200)
        return NULL;
    return err_new(ret->status >= 500 || ret->status == 429 ? ERR_RETRY : ERR_DENIED,
                   "container endpoint: HTTP status %d", ret->status);
}

static struct err *ask(const struct env *env, const char *url, const struct buf *token,
                       struct http_reply *ret)
{
    for (int left = ATTEMPTS;;) {
        AUTO_REPLY struct http_reply reply = {0};
        struct err *err = ask_once(env, url, token, &reply);

        if (!err) {
            *ret = reply;
            reply = (struct http_reply){0};
            return NULL;
        }
        if (err_kind(err) != ERR_RETRY || --left <= 0)
            return err;
        err_ignore(err, "tried again");
        if (!sched_wait_until(env->sched, env->stop, sched_now_ms(env->sched) + PAUSE_MS))
            return err_new(ERR_CANCELED, "container endpoint: stopped");
    }
}

static struct err *container_fetch(struct credentials_source *self, const struct env *env,
                                   struct credentials **ret)
{
    const struct aws_config *config = ((struct container *)self)->config;
    AUTO_BUF struct buf token = BUF_SECRET(TOKEN_MAX);
    AUTO_REPLY struct http_reply reply = {0};
    AUTO_FREE char *url = NULL;

    *ret = NULL;
    if (!config->container_relative_uri && !config->container_full_uri)
        return NULL;
    TRY(make_url(config, &url));
    TRY(read_token(config, &token));
    TRY(ask(env, url, &token, &reply));
    /* Here the session token is called Token. */
    return credentials_read_json(&(struct credentials_json){.what = "container endpoint",
                                                            .text = buf_str(&reply.body),
                                                            .token_member = "Token",
                                                            .must_expire = true},
                                 ret);
}

static void container_free(struct credentials_source *self)
{
    xfree(self);
}

struct credentials_source *credentials_container_new(const struct aws_config *config)
{
    static const struct credentials_source_ops ops = {
        .name = "the container endpoint",
        .fetch = container_fetch,
        .free = container_free,
    };
    struct container *container = xcalloc(1, sizeof(*container));

    container->base.ops = &ops;
    container->config = config;
    return &container->base;
}
