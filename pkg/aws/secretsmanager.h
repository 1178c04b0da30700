/* Secrets Manager. */
#ifndef AWS_SECRETSMANAGER_H
#define AWS_SECRETSMANAGER_H

#include "pkg/aws/client.h"

struct secret_value {
    char *arn;
    char *version_id;
    struct secret *text; /* SecretString, or the bytes of SecretBinary */
    bool is_binary;
    struct aws_texts stages;
};
void secret_value_done(struct secret_value *value);
#define AUTO_SECRET_VALUE CLEANUP(secret_value_done)

/* `version_id` wins over `stage`; both NULL: AWSCURRENT. */
struct err *secretsmanager_get_value(const struct aws_client *aws, const char *secret_id,
                                     const char *version_id, const char *stage,
                                     struct secret_value *ret) MUST_USE;
/* `token` (32-64 characters) becomes the version id: the same token and text again changes nothing; with
 * another text it is ERR_CONFLICT. AWSCURRENT moves here and AWSPREVIOUS to the one before. */
struct err *secretsmanager_put_value(const struct aws_client *aws, const char *secret_id, const char *token,
                                     const struct secret *text, char **ret_version_id) MUST_USE;

struct secretsmanager_put_opts {
    const char *secret_id;
    const char *token;
    const struct secret *text;
    const char *stage; /* the label that the version gets (and another one loses) */
};
/* As above, but AWSCURRENT stays where it is. */
struct err *secretsmanager_stage_value(const struct aws_client *aws,
                                       const struct secretsmanager_put_opts *opts) MUST_USE;

struct secret_version {
    char *id;
    struct aws_texts stages;
};
struct secret_description {
    char *arn;
    char *name;
    char *kms_key_id;
    char *owning_service; /* "rds": its values are not ours to write */
    bool rotation_enabled;
    bool is_deleted; /* scheduled for deletion */
    struct secret_version *versions;
    size_t version_count;
};
void secret_description_done(struct secret_description *description);
#define AUTO_SECRET_DESCRIPTION CLEANUP(secret_description_done)
/* The version that holds the stage, or NULL; borrowed. */
const char *secret_description_version(const struct secret_description *description, const char *stage);

struct err *secretsmanager_describe(const struct aws_client *aws, const char *secret_id,
                                    struct secret_description *ret) MUST_USE;
/* Moves a stage label: how a write is taken back. */
struct err *secretsmanager_move_stage(const struct aws_client *aws, const char *secret_id, const char *stage,
                                      const char *to_version_id, const char *from_version_id) MUST_USE;

#endif
