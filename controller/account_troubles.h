/* Since when it has not been possible to learn who we are in an AWSAccount, and what is to be said of it: one
 * late answer says nothing of the account, and a refusal that lies in AWS may pass by itself (fresh roles
 * take minutes to be known). Both calls a person only when it lasts. Kept in memory, for this process:
 * another one leaves what it finds said as it is until it has seen the same. Thread-safe. */
#ifndef CONTROLLER_ACCOUNT_TROUBLES_H
#define CONTROLLER_ACCOUNT_TROUBLES_H

#include "pkg/base/err.h"
#include "pkg/refresh/account.h"

/* Reasons of Ready=Unknown, besides the codes of refusals. */
#define ACCOUNT_STARTING "Starting"
#define ACCOUNT_UNREACHABLE "Unreachable"

enum account_verdict {
    ACCOUNT_AS_SAID, /* what was said of it still stands */
    ACCOUNT_UNKNOWN, /* it may become usable without anybody's help */
    ACCOUNT_STALLED, /* a person must do something */
};

/* What stands in its status about this generation; "": nothing. */
struct account_said {
    const char *ready; /* "True", "False", "Unknown" */
    const char *reason;
};

struct account_troubles;

struct account_troubles *account_troubles_new(void);
void account_troubles_free(struct account_troubles *troubles);
/* Another look at the account has failed with this error. `now_ms`: monotonic. */
enum account_verdict account_troubles_add(struct account_troubles *troubles, const struct account *account,
                                          const struct account_said *said, const struct err *err,
                                          int64_t now_ms);
/* The account has been looked at, is gone, or must not be looked at. */
void account_troubles_forget(struct account_troubles *troubles, const char *account_name);
/* The reason to be given for this error; yours. */
char *account_trouble_reason(const struct err *err);

#endif
