/* Amazon Resource Names: arn:partition:service:region:account:resource. */
#ifndef AWS_ARN_H
#define AWS_ARN_H

#include "pkg/base/err.h"
#include "pkg/base/str.h"

struct arn { /* views into the text */
    struct str partition;
    struct str service;
    struct str region;   /* empty for global services */
    struct str account;  /* empty for a few */
    struct str resource; /* all the rest, colons and slashes included */
};

/* ERR_INVALID: not six parts, or an empty partition, service or resource. */
struct err *arn_parse(const char *text, struct arn *ret) MUST_USE;
/* The part of the resource after `type` and its ':' or '/': arn_name(arn, "cluster") of "...:cluster:shop" is
 * "shop". Empty when it is of another type. */
struct str arn_name(const struct arn *arn, const char *type);
/* "arn:<partition of region>:<service>:<region>:<account>:<resource>", yours. */
char *arn_build(const char *service, const char *region, const char *account, const char *resource);

/* Everything that our two kinds of database need. Yours. */
char *arn_of_db_cluster(const char *region, const char *account, const char *cluster_id);
char *arn_of_table(const char *region, const char *account, const char *table);
char *arn_of_backup_vault(const char *region, const char *account, const char *vault);

#endif
