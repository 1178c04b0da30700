/* KMS keys, to look at only. */
#ifndef AWS_KMS_H
#define AWS_KMS_H

#include "pkg/aws/client.h"

struct kms_key {
    char *arn;
    char *account;
    char *state;   /* usable: Enabled */
    char *manager; /* AWS (cannot be shared) or CUSTOMER */
    char *usage;   /* usable: ENCRYPT_DECRYPT */
    char *spec;    /* usable: SYMMETRIC_DEFAULT */
};
void kms_key_done(struct kms_key *key);
#define AUTO_KMS_KEY CLEANUP(kms_key_done)

/* `key_id`: id, alias or ARN; a key of another account by ARN. */
struct err *kms_describe_key(const struct aws_client *aws, const char *key_id, struct kms_key *ret) MUST_USE;
/* The key's policy as JSON text, yours. Keys of the same account only; no aliases. */
struct err *kms_get_key_policy(const struct aws_client *aws, const char *key_id, char **ret_policy) MUST_USE;

#endif
