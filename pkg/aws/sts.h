/* Security Token Service. */
#ifndef AWS_STS_H
#define AWS_STS_H

#include "pkg/aws/client.h"

struct sts_identity {
    char *account;
    char *arn; /* arn:aws:sts::A:assumed-role/R/S */
    char *user_id;
};
void sts_identity_done(struct sts_identity *identity);
#define AUTO_STS_IDENTITY CLEANUP(sts_identity_done)

/* Who the account's credentials are. Needs no permission. */
struct err *sts_get_caller_identity(const struct aws_client *aws, struct sts_identity *ret) MUST_USE;

#endif
