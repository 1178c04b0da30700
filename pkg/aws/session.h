/* One party that calls AWS: whose credentials, in which Region. Accounts and credential sources are built on
 * it; nothing outside of pkg/aws is. */
#ifndef AWS_SESSION_H
#define AWS_SESSION_H

#include "pkg/aws/client.h"
#include "pkg/aws/protocol.h"
#include "pkg/aws/traffic.h"

/* A worker's pass is short: a call waits no longer than that in all, for its own repeats, for those of the
 * calls that its credentials take, and for somebody else who fetches them. What needs longer goes through the
 * queue. */
#define AWS_WAIT_MAX_MS SECONDS(2)
static inline int64_t aws_wait_left_ms(const struct env *env)
{
    int64_t waited_ms = env->waited_ms ? *env->waited_ms : 0;

    return waited_ms < AWS_WAIT_MAX_MS ? AWS_WAIT_MAX_MS - waited_ms : 0;
}

struct aws_session {
    const struct aws_config *config; /* immutable, as all but the last; borrowed */
    const char *region;              /* borrowed */
    const char *account_id;          /* for error texts; NULL: not known yet; borrowed */
    struct credentials_cache *cache; /* NULL: only unsigned operations; borrowed */
    struct aws_lane own;             /* counts when the configuration has no traffic */
};

void aws_session_init(struct aws_session *session, const struct aws_config *config, const char *region);

/* What was learnt of the services that this session calls. */
struct aws_lane *aws_session_lane(struct aws_session *session);

struct aws_request {
    enum aws_op op;
    const struct aws_input *input;
    struct credentials *as;          /* NULL: from the cache, with one renewal when they are refused */
    struct credentials_cache *cache; /* NULL: the session's */
};

/* Signs, sends, retries and reads. Knows nothing of Source accounts. */
struct err *aws_session_call(struct aws_session *session, const struct env *env,
                             const struct aws_request *request, struct aws_reply *ret) MUST_USE;

/* GetCallerIdentity with given credentials. *ret_arn is yours too. */
struct err *aws_session_whoami(struct aws_session *session, const struct env *env, struct credentials *as,
                               char **ret_account, char **ret_arn) MUST_USE;

/* The <Credentials> of an STS answer; when they expire is told by our clock, however wrong it is. ERR_RETRY
 * when they are not complete. */
struct err *sts_read_credentials(enum aws_op op, const struct env *env, const struct aws_reply *reply,
                                 struct credentials **ret) MUST_USE;

#endif
