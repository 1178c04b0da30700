/* What other services of the simulator do with secrets. */
#ifndef AWSSIM_SECRETSMANAGER_H
#define AWSSIM_SECRETSMANAGER_H

#include "hack/awssim/service.h"

extern const struct service secretsmanager_service;

/* The text of the current version, by name or ARN; NULL when there is none (missing, binary, about to be
 * deleted). Borrowed. */
const char *sim_secret_current(const struct account *account, const char *id);

char *sim_secret_arn(const struct account *account, const char *id); /* yours; NULL when there is none */

/* A secret that belongs to another service, which refuses writes of users. Gives its ARN, yours. `kms_key`
 * NULL: aws/secretsmanager. */
char *sim_secret_create_owned(struct account *account, const char *owner, const char *name, const char *value,
                              const char *kms_key);
/* A new version, not current yet, and what makes it current. */
void sim_secret_stage(struct account *account, const char *arn, const char *value);
void sim_secret_promote(struct account *account, const char *arn);
void sim_secret_remove(struct account *account, const char *arn);

/* ---- between the files of the service ---- */

struct secret_version {
    char *id;
    char *value;         /* text, or base64 of bytes */
    struct json *stages; /* {stage: true}, none: deprecated */
    int64_t created_ms;
    bool binary;
};

struct stored_secret {
    char *name, *arn, *description;
    char *kms_key;        /* as it was given; NULL: aws/secretsmanager */
    char *owning_service; /* NULL: the account's own */
    struct json *tags;    /* {key: value} */
    struct secret_version **versions;
    size_t version_count;
    int64_t created_ms, changed_ms, deleted_ms;
    bool rotates;
};

struct secret_state {
    struct account *account;
    struct stored_secret **secrets;
    size_t count;
};

/* By name, ARN, or ARN without the six random characters; NULL when there is none. */
struct stored_secret *sim_secret_find(const struct secret_state *state, const char *id);
/* The secret of the input's SecretId; NULL: refused. A secret that is about to be deleted is refused, too. */
struct stored_secret *sim_secret_or_refuse(struct call *call);
struct stored_secret *sim_secret_add(struct secret_state *state, const char *name);
struct secret_version *sim_secret_add_version(struct stored_secret *secret, const char *id, const char *value,
                                              int64_t now_ms);
struct secret_version *sim_secret_version(const struct stored_secret *secret, const char *id);
struct secret_version *sim_secret_with_stage(const struct stored_secret *secret, const char *stage);
/* Takes the stage from whoever has it. AWSCURRENT leaves AWSPREVIOUS behind. */
void sim_secret_move_stage(struct stored_secret *secret, const char *stage, struct secret_version *to);
struct json *sim_secret_stages(const struct secret_version *version); /* an array of text */

struct err *sim_secret_load(const struct loader *loader, struct account *account,
                            const struct json *section) MUST_USE;
struct json *sim_secret_dump(struct account *account);
bool sim_secret_put_value(struct call *call);
bool sim_secret_update(struct call *call);
bool sim_secret_update_stage(struct call *call);

#endif
