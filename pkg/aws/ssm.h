/* SSM Parameter Store. A value may be a secret whatever its type: it is one here. */
#ifndef AWS_SSM_H
#define AWS_SSM_H

#include "pkg/aws/client.h"

struct ssm_parameter {
    char *name;
    char *arn;
    char *type; /* String, StringList, SecureString */
    struct secret *value;
    int64_t version;
};
void ssm_parameter_done(struct ssm_parameter *parameter);
#define AUTO_SSM_PARAMETER CLEANUP(ssm_parameter_done)

/* Decrypted. ERR_NOT_FOUND when there is none. */
struct err *ssm_get_parameter(const struct aws_client *aws, const char *name,
                              struct ssm_parameter *ret) MUST_USE;

/* What a value does not say and an overwrite must repeat. */
struct ssm_description {
    char *type;
    char *kms_key_id; /* SecureString */
    char *tier;       /* Standard, Advanced, Intelligent-Tiering */
};
void ssm_description_done(struct ssm_description *description);
#define AUTO_SSM_DESCRIPTION CLEANUP(ssm_description_done)

/* ERR_NOT_FOUND when there is none. */
struct err *ssm_describe_parameter(const struct aws_client *aws, const char *name,
                                   struct ssm_description *ret) MUST_USE;

struct ssm_put_opts {
    const char *name;
    const char *type; /* NULL: as it is (there must be one) */
    const char
        *kms_key_id;  /* SecureString: without it the account's default key is used, also on an overwrite */
    const char *tier; /* NULL: the service's own */
    const struct secret *value;
    bool overwrite; /* false: ERR_CONFLICT when it exists */
};
/* Each write makes a version, at most 100 are kept: read, compare, write. */
struct err *ssm_put_parameter(const struct aws_client *aws, const struct ssm_put_opts *opts,
                              int64_t *ret_version) MUST_USE;

#endif
