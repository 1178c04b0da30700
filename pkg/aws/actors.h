/* The sessions of an account's role that were begun in somebody's name (struct aws_actor): one for each name,
 * for all threads, begun when it is first needed and forgotten when nobody has used it for an hour. */
#ifndef AWS_ACTORS_H
#define AWS_ACTORS_H

#include "pkg/aws/credentials.h"

struct actors;
struct actor_session;

/* Makes what the credentials of a new name come from; `owner` is the one given to actors_new(). */
typedef struct credentials_source *actor_source_fn(void *owner, const struct aws_actor *actor,
                                                   int64_t *untagged_until_ms);

struct actors *actors_new(actor_source_fn *source_of, void *owner);
void actors_free(struct actors *actors); /* nobody has a session any more; NULL is fine */

/* now_ms: monotonic. To be handed back with actors_return(). */
struct actor_session *actors_borrow(struct actors *actors, const struct aws_actor *actor, int64_t now_ms);
void actors_return(struct actors *actors, struct actor_session *session, int64_t now_ms);
struct credentials_cache *actor_session_cache(struct actor_session *session); /* good until it is returned */

#endif
