/* In whose name a refresh changes things: what CloudTrail, and everybody who reads it, will know it by. */
#ifndef CONTROLLER_ACTOR_H
#define CONTROLLER_ACTOR_H

#include "pkg/aws/client.h"

#define ACTOR_NAME_MAX 64 /* of AssumeRole */
#define ACTOR_TAGS 3

struct actor {
    char session_name[ACTOR_NAME_MAX + 1]; /* "staging.shop.20261122-030002-k7x4q"; the run is always whole */
    struct aws_pair tags[ACTOR_TAGS];      /* stagingrefresh.dev/namespace, /name, /run */
    struct aws_actor aws;                  /* borrows all of this: an actor is not copied */
};

/* Borrows the three texts. */
void actor_init(struct actor *actor, const char *namespace, const char *name, const char *run_id);

/* Makes of a text one that AssumeRole takes: characters it does not know become '-'. */
void actor_clean_name(char *name);

#endif
