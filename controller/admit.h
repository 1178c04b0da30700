/* Whether a run may start: accounts that exist and are what they are used for, grants that cover every name,
 * nothing that has no engine yet. No AWS call is made here. */
#ifndef CONTROLLER_ADMIT_H
#define CONTROLLER_ADMIT_H

#include "controller/objects.h"
#include "pkg/refresh/account.h"
#include "pkg/refresh/spec.h"

struct accounts {
    struct account *source; /* NULL when the spec names none */
    struct account *target;
};
void accounts_done(struct accounts *accounts);
#define AUTO_ACCOUNTS CLEANUP(accounts_done)

/* A refusal a person must see; NULL text: none. */
struct refusal {
    const char *reason; /* constant */
    char *message;      /* owned */
};
void refusal_done(struct refusal *refusal);
#define AUTO_REFUSAL CLEANUP(refusal_done)

/* Reads the accounts that the spec names and checks what they are used for. A refusal leaves *ret untouched.
 */
struct err *admit_accounts(struct objects *objects, const struct env *env, const struct refresh_spec *spec,
                           struct accounts *ret, struct refusal *ret_refusal) MUST_USE;
/* The roles must be of their Regions' partitions, and AWS Backup must copy from the one to the other; part of
 * the above. */
void admit_partitions(const struct accounts *accounts, const struct refresh_spec *spec,
                      struct refusal *ret_refusal);
/* Whether grants cover everything that this run of `namespace` would touch. Without a source any Source
 * AWSAccount may grant the data; which recovery point is of such a one is looked at when it is chosen. */
void admit_grants(struct objects *objects, const struct accounts *accounts, const struct refresh_spec *spec,
                  const char *namespace, const char *run_id, struct refusal *ret_refusal);
/* Whether the target's grants let the namespace send there. */
bool admit_notification(const struct account *target, const char *namespace,
                        const struct notification_spec *notification);
/* Fields that cannot be, or lack the cluster they need. */
void admit_fields(const struct objects *objects, const struct refresh_spec *spec,
                  struct refusal *ret_refusal);
/* Its roles must be of its Region's partition. Another account object claims the same account for the other
 * use: then neither is used. */
void admit_usage(struct objects *objects, const struct account *account, struct refusal *ret_refusal);

#endif
