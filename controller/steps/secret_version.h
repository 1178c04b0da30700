/* A secret in Secrets Manager of which keys go back to what they held in an earlier version. AWSCURRENT goes
 * back to that version only when nothing else would change with it: what somebody has written since, under
 * other keys, stays. */
#ifndef CONTROLLER_STEPS_SECRET_VERSION_H
#define CONTROLLER_STEPS_SECRET_VERSION_H

#include "pkg/aws/secretsmanager.h"

#define SECRET_VERSION_MAX 51 /* a version's id has 32 to 64 characters */
/* The id of the version that is made of `identity`: the same again is the same version. */
void secret_version_id(struct str identity, char ret[SECRET_VERSION_MAX]);

struct secret_way_back {
    const struct aws_client *aws;
    const char *secret_id;
    const struct secret_value *present; /* AWSCURRENT */
    const struct secret_value *before;
    const struct secret *content; /* the present one with our keys as they were */
    const char *version;          /* id of a version that has to be made */
};
/* Changes nothing when the content is the present one already. */
struct err *secret_version_put_back(const struct secret_way_back *way) MUST_USE;

#endif
