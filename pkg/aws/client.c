#include "pkg/aws/client.h"

#include "pkg/aws/account.h"
#include "pkg/aws/protocol.h"

void aws_tags_done(struct aws_tags *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        xfree(tags->items[i].key);
        xfree(tags->items[i].value);
    }
    xfree(tags->items);
    *tags = (struct aws_tags){0};
}

const char *aws_tags_get(const struct aws_tags *tags, const char *key)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (text_equal(tags->items[i].key, key))
            return tags->items[i].value;
    }
    return NULL;
}

void aws_tags_add(struct aws_tags *tags, const char *key, const char *value)
{
    tags->items = xgrow(tags->items, tags->count, sizeof(*tags->items));
    tags->items[tags->count++] = (struct aws_tag){.key = xstrdup(key), .value = xstrdup(value)};
}

void aws_tags_copy(const struct aws_tags *tags, struct aws_tags *ret)
{
    *ret = (struct aws_tags){0};
    for (size_t i = 0; i < tags->count; i++)
        aws_tags_add(ret, tags->items[i].key, tags->items[i].value);
}

void aws_texts_done(struct aws_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        xfree(texts->items[i]);
    xfree(texts->items);
    *texts = (struct aws_texts){0};
}

bool aws_texts_have(const struct aws_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (text_equal(texts->items[i], text))
            return true;
    }
    return false;
}

void aws_texts_add(struct aws_texts *texts, const char *text)
{
    texts->items = xgrow(texts->items, texts->count, sizeof(*texts->items));
    texts->items[texts->count++] = xstrdup(text);
}

void aws_texts_copy(const struct aws_texts *texts, struct aws_texts *ret)
{
    *ret = (struct aws_texts){0};
    for (size_t i = 0; i < texts->count; i++)
        aws_texts_add(ret, texts->items[i]);
}

static struct err *refuse(const struct aws_client *aws, enum aws_op op)
{
    const struct aws_operation *operation = aws_operation(op);
    const char *service = aws_service_info(operation->service)->name;

    return err_set_remote(
        err_new(
            ERR_DENIED,
            "%s %s: account %s has usage Source, and a Source is never changed: refused before it was sent",
            service, operation->name, aws_account_id(aws->account)),
        &(struct err_remote){.service = service, .operation = operation->name, .code = "RefusedOnSource"});
}

static struct err *call_as_actor(const struct aws_client *aws, enum aws_op op, const struct aws_input *input,
                                 struct aws_reply *ret)
{
    struct actors *actors = aws_account_actors(aws->account);
    struct sched *sched = aws->env->sched;
    struct actor_session *session = actors_borrow(actors, aws->actor, sched_now_ms(sched));
    struct err *err = aws_session_call(
        aws_account_session(aws->account), aws->env,
        &(struct aws_request){.op = op, .input = input, .cache = actor_session_cache(session)}, ret);

    actors_return(actors, session, sched_now_ms(sched));
    return err;
}

struct err *aws_call(const struct aws_client *aws, enum aws_op op, const struct aws_input *input,
                     struct aws_reply *ret)
{
    if (aws_account_usage(aws->account) == AWS_SOURCE && !aws_operation_on_source(op))
        return refuse(aws, op);
    if (aws->actor && aws_account_actors(aws->account) && !aws_operation_looks(op))
        return call_as_actor(aws, op, input, ret);
    return aws_session_call(aws_account_session(aws->account), aws->env,
                            &(struct aws_request){.op = op, .input = input}, ret);
}

struct err *aws_call_query(const struct aws_client *aws, enum aws_op op, const struct buf *form,
                           struct aws_reply *ret)
{
    if (form->overflow)
        return err_new(ERR_INVALID, "%s: the request is too large", aws_operation(op)->name);
    return aws_call(aws, op, &(struct aws_input){.body = buf_str(form)}, ret);
}

/* What the JSON protocols share: a body is printed into a buffer that is wiped. */
struct json_call {
    enum aws_op op;
    const struct buf *path;
    const struct json *body;
    const struct secret *secret;
};

static struct err *call_with_json(const struct aws_client *aws, const struct json_call *call,
                                  struct aws_reply *ret)
{
    AUTO_BUF struct buf text = BUF_SECRET(AWS_BODY_MAX);

    if (call->path && call->path->overflow)
        return err_new(ERR_INVALID, "%s: a name is too long", aws_operation(call->op)->name);
    if (call->body)
        json_print(call->body, &text);
    if (text.overflow)
        return err_new(ERR_INVALID, "%s: the request is too large", aws_operation(call->op)->name);
    return aws_call(aws, call->op,
                    &(struct aws_input){
                        .path = call->path ? buf_text(call->path) : NULL,
                        .body = buf_str(&text),
                        .secret = call->secret,
                    },
                    ret);
}

struct err *aws_call_json(const struct aws_client *aws, enum aws_op op, const struct json *body,
                          struct aws_reply *ret)
{
    return aws_call_json_secret(aws, op, body, NULL, ret);
}

struct err *aws_call_json_secret(const struct aws_client *aws, enum aws_op op, const struct json *body,
                                 const struct secret *secret, struct aws_reply *ret)
{
    AUTO_JSON struct json *empty = body ? NULL : json_new_object();

    /* JSON text was made of it up to there: a part of a secret must not be stored for the whole. */
    if (secret && strlen(secret_reveal(secret).ptr) != secret_reveal(secret).len)
        return err_new(ERR_INVALID, "%s: the value contains a NUL byte", aws_operation(op)->name);
    return call_with_json(aws, &(struct json_call){.op = op, .body = body ? body : empty, .secret = secret},
                          ret);
}

struct err *aws_call_rest(const struct aws_client *aws, enum aws_op op, const struct buf *path,
                          const struct json *body, struct aws_reply *ret)
{
    return call_with_json(aws, &(struct json_call){.op = op, .path = path, .body = body}, ret);
}

struct err *aws_require(enum aws_op op, const char *path, const void *found)
{
    const struct aws_operation *operation = aws_operation(op);

    if (found)
        return NULL;
    return err_new(ERR_RETRY, "%s %s: the answer lacks %s", aws_service_info(operation->service)->name,
                   operation->name, path);
}
