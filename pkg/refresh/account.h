/* AWSAccount: one AWS account and Region, what it may be used for and by whom. Parsed from the object as the
 * API server (or a file) gives it, and validated again here: through GitOps tools an unknown field is pruned,
 * not refused. Immutable after parsing. */
#ifndef REFRESH_ACCOUNT_H
#define REFRESH_ACCOUNT_H

#include "pkg/base/err.h"
#include "pkg/base/json.h"

enum account_usage { USAGE_SOURCE, USAGE_TARGET };

struct grant_resource {
    char *type;   /* AuroraCluster, DynamoDBTable, DBProxy, SSMParameter, Secret, ECSService, LambdaFunction,
                     StateMachine, EventBus, Webhook */
    char **names; /* patterns: "*" stands for any characters, "/" too */
    size_t name_count;
};

struct grant {
    char *name;
    char **namespaces;
    size_t namespace_count;
    char **targets; /* Source only: AWSAccount names where this data may go */
    size_t target_count;
    bool require_approval;
    struct grant_resource *resources;
    size_t resource_count;
};

struct account {
    char *name;
    char *uid;
    int64_t generation;
    char *account_id;
    char *region;
    enum account_usage usage;
    char *role_arn;    /* NULL: the controller's own identity */
    char *external_id; /* NULL: none */
    char *vault_name;
    char *service_role_arn;
    char *events_queue_url; /* NULL: none */
    struct grant *grants;
    size_t grant_count;
};

/* ERR_INVALID with the field's path: "spec.accountID: must be twelve digits". */
struct err *account_parse(const struct json *object, struct account **ret) MUST_USE;
void account_free(struct account *account);

/* Whether a grant of this account lets `namespace` use the resource; `target` is the AWSAccount the data goes
 * to (asked of a Source; NULL when asking a Target). */
bool account_grants(const struct account *account, const char *namespace, const char *target,
                    const char *type, const char *name);
/* Whether any grant that covers the namespace demands approval. */
bool account_requires_approval(const struct account *account, const char *namespace);
const char *account_usage_name(enum account_usage usage);

static inline void auto_account(struct account **account)
{
    account_free(*account);
}
#define AUTO_ACCOUNT CLEANUP(auto_account)

#endif
