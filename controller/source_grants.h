/* What a namespace may carry over when its spec names no source. The vault of a target holds what has come
 * from many accounts and of many teams: only a grant of a Source AWSAccount says whose it is to have. */
#ifndef CONTROLLER_SOURCE_GRANTS_H
#define CONTROLLER_SOURCE_GRANTS_H

#include "controller/objects.h"
#include "pkg/refresh/account.h"
#include "pkg/refresh/spec.h"

/* A database of that name, on its way into the AWSAccount `target` by an object of `namespace`. */
struct carriage {
    const char *namespace, *target;
    const struct database_spec *database;
};

/* The databases that may be taken, by ARN: one per AWSAccount that grants it. */
struct source_grants {
    char **arns;
    size_t count;
};
void source_grants_done(struct source_grants *grants);
#define AUTO_SOURCE_GRANTS CLEANUP(source_grants_done)

/* Asks all AWSAccounts there are; one that cannot be read grants nothing. */
void source_grants_find(struct objects *objects, const struct carriage *carriage, struct source_grants *ret);
/* This one alone. */
bool source_grants_of(const struct account *source, const struct carriage *carriage);

/* As grants call it, and by which name. */
const char *source_database_type(const struct database_spec *database);
const char *source_database_name(const struct database_spec *database);
/* Of the database in that account and Region; yours. */
char *source_database_arn(const struct account *source, const struct database_spec *database);

#endif
