/* Talks to the simulator's core as an AWS client would, without a socket: signs, sends, parses. The signer is
 * written apart from the one that checks. */
#ifndef TESTING_AWSSIM_CLIENT_H
#define TESTING_AWSSIM_CLIENT_H

#include "hack/awssim/awssim.h"
#include "tests/testing/assertions.h"

#define AWSSIM_WALL_MS INT64_C(1795363200000) /* Sunday 2026-11-22 16:00:00 UTC */

struct awssim_client {
    struct sim *sim;
    int64_t wall_ms, world_ms; /* the two clocks, the test's to move */
    const char *region;
    char *access_key_id, *secret, *session_token; /* who signs; session_token may be NULL */
    const char *invocation_type;                  /* Lambda's X-Amz-Invocation-Type, NULL: not said */
    /* What came back last. */
    struct sim_reply reply;
    struct json *json; /* the body, if it is JSON */
};

/* A world from text or from a file; both clocks at AWSSIM_WALL_MS, seed 1. A bad world fails the test. */
void awssim_client_init(struct awssim_client *client, const char *world_text);
void awssim_client_init_file(struct awssim_client *client, const char *path);
void awssim_client_done(struct awssim_client *client);

void awssim_client_use(struct awssim_client *client, const char *access_key_id, const char *secret,
                       const char *session_token);
/* Becomes a session of that role, as the caller it is now. */
void awssim_client_assume(struct awssim_client *client, const char *role_arn, const char *external_id);
void awssim_client_advance(struct awssim_client *client, int64_t ms); /* both clocks */

/* One call each; give the HTTP status. `form` goes behind Action and Version. */
int awssim_query(struct awssim_client *client, const char *service, const char *operation, const char *form);
int awssim_json(struct awssim_client *client, const char *service, const char *operation, const char *body);
int awssim_rest(struct awssim_client *client, const char *method, const char *target,
                const char *body); /* AWS Backup */
int awssim_rest_of(struct awssim_client *client, const char *service, const char *method, const char *target,
                   const char *body);
int awssim_control(struct awssim_client *client, const char *method, const char *target,
                   const char *body); /* /_sim/ */

/* Of the last answer. */
const char *awssim_text(const struct awssim_client *client,
                        const char *path); /* of the JSON; NULL when absent */
const char *awssim_header(const struct awssim_client *client, const char *name);
/* The content of the nth (from 0) <tag> of an XML body, entities decoded; yours, NULL when there is none. */
char *awssim_xml(const struct awssim_client *client, const char *tag, size_t index);
/* The error's name in any protocol, without suffix; yours, NULL: none. */
char *awssim_error(const struct awssim_client *client);
#define assert_awssim_error(client, name)              \
    do {                                               \
        AUTO_FREE char *error_ = awssim_error(client); \
        assert_text_equal(error_, name);               \
    } while (0)

#endif
