/* What a resource policy (of a vault, of a key) says about one principal, as far as its text shows. A hint,
 * not a verdict: conditions, grants and the organization's own policies are not evaluated. */
#ifndef AWS_POLICY_H
#define AWS_POLICY_H

#include "pkg/base/err.h"

enum policy_verdict {
    POLICY_SILENT, /* no statement is about this */
    POLICY_ALLOWS,
    POLICY_PERHAPS, /* under a condition that is not evaluated here */
    POLICY_DENIES,
};

struct policy_question {
    const char *action;     /* "backup:CopyIntoBackupVault" */
    const char *account_id; /* the account as a whole counts */
    const char *role_arn;   /* and this role of it; NULL: any principal of the account */
};

/* ERR_INVALID: the text is no policy. */
struct err *policy_ask(const char *policy, const struct policy_question *question,
                       enum policy_verdict *ret) MUST_USE;

#endif
