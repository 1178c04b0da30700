#include "pkg/aws/sts.h"

#include "pkg/aws/session.h"

void sts_identity_done(struct sts_identity *identity)
{
    xfree(identity->account);
    xfree(identity->arn);
    xfree(identity->user_id);
    *identity = (struct sts_identity){0};
}

struct err *sts_get_caller_identity(const struct aws_client *aws, struct sts_identity *ret)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};

    query_begin(&form, AWS_OP_GET_CALLER_IDENTITY);
    TRY(aws_call_query(aws, AWS_OP_GET_CALLER_IDENTITY, &form, &reply));
    TRY(aws_require(AWS_OP_GET_CALLER_IDENTITY, "Account", xml_at(reply.result, "Account")));
    ret->account = xml_take_text(reply.result, "Account");
    ret->arn = xml_take_text(reply.result, "Arn");
    ret->user_id = xml_take_text(reply.result, "UserId");
    return NULL;
}

struct err *aws_session_whoami(struct aws_session *session, const struct env *env, struct credentials *as,
                               char **ret_account, char **ret_arn)
{
    AUTO_AWS_REPLY struct aws_reply reply = {0};
    AUTO_BUF struct buf form = {0};

    query_begin(&form, AWS_OP_GET_CALLER_IDENTITY);
    TRY(aws_session_call(session, env,
                         &(struct aws_request){
                             .op = AWS_OP_GET_CALLER_IDENTITY,
                             .input = &(struct aws_input){.body = buf_str(&form)},
                             .as = as,
                         },
                         &reply));
    TRY(aws_require(AWS_OP_GET_CALLER_IDENTITY, "Account", xml_at(reply.result, "Account")));
    *ret_account = xstrdup(xml_get_text(reply.result, "Account", ""));
    *ret_arn = xml_take_text(reply.result, "Arn");
    return NULL;
}

/* An answer may have been on its way for a while, and says no more than seconds. */
#define SKEW_MIN_MS MINUTES(2)

/* An end by their clock, read off ours. */
static int64_t by_our_clock(const struct env *env, const struct aws_reply *reply, int64_t theirs_ms)
{
    int64_t ahead_ms = reply->server_ms ? reply->server_ms - sched_wall_ms(env->sched) : 0;

    return ahead_ms > -SKEW_MIN_MS && ahead_ms < SKEW_MIN_MS ? theirs_ms : theirs_ms - ahead_ms;
}

struct err *sts_read_credentials(enum aws_op op, const struct env *env, const struct aws_reply *reply,
                                 struct credentials **ret)
{
    const struct xml *found = xml_at(reply->result, "Credentials");
    const char *key = xml_get_text(found, "AccessKeyId", ""),
               *secret = xml_get_text(found, "SecretAccessKey", "");
    const char *token = xml_get_text(found, "SessionToken", "");
    int64_t expires_ms = xml_take_time(found, "Expiration");

    if (text_is_empty(key) || text_is_empty(secret) || text_is_empty(token) || !expires_ms)
        return aws_require(op, "complete Credentials", NULL);
    *ret = credentials_new(str_of(key), secret_new(str_of(secret)), secret_new(str_of(token)),
                           by_our_clock(env, reply, expires_ms));
    return NULL;
}
