/* What a server's refusal means: one table from error codes to kinds.
 * https://docs.aws.amazon.com/general/latest/gr/api-retries.html and the error lists of each service. */
#ifndef AWS_REFUSAL_H
#define AWS_REFUSAL_H

#include "pkg/aws/operation.h"
#include "pkg/base/err.h"
#include "pkg/base/str.h"

/* What the client does about it inside the call. */
enum aws_reaction {
    AWS_GIVE_UP,
    AWS_THROTTLED,  /* refused, nothing has happened: wait and repeat anything */
    AWS_TRANSIENT,  /* something may have happened: wait and repeat what is repeatable */
    AWS_RENEW,      /* the credentials are no good any more: fetch new ones, once */
    AWS_REVOKED,    /* maybe these credentials only: fetch new ones, once, and not often */
    AWS_CLOCK_SKEW, /* maybe our clock: compare with theirs, once */
};

struct aws_verdict {
    enum err_kind kind;
    enum aws_reaction reaction;
};

/* `code` as it stands on the wire, with or without its "Exception" or "Fault"; NULL when the answer held
 * none: then it is never ERR_NOT_FOUND. */
struct aws_verdict aws_verdict_of(enum aws_service service, const char *code, int http_status);

/* True for a refusal because of an explicit deny. That is how IAM's "Revoke active sessions" shows: it denies
 * everything to the sessions of a role that began before, and new ones work.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html */
bool aws_refusal_is_explicit(const char *code, const char *message);

struct aws_refusal {
    enum aws_op op;
    const char *code;    /* NULL: none was found */
    const char *message; /* NULL: none */
    const char *request_id;
    const char *account_id;
    int http_status;
    int64_t retry_after_ms;
};
/* "backup StartCopyJob: AccessDeniedException: <message> (request 7f3c..., account 111111111111)", remote
 * facts set. Control characters of the message become blanks, what repeats the request's headers is cut off,
 * and so is everything beyond 1 KiB. */
struct err *aws_refusal_err(const struct aws_refusal *refusal) MUST_USE;

#endif
