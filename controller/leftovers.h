/* What a deleted object leaves behind in AWS: jobs that cannot be stopped, what is not gone yet, and copies
 * that are kept. One entry per thing, in one document per installation (a ConfigMap of the controller's
 * namespace, a file of the state directory), so that it survives the object, the process and the leader. An
 * entry says all that is needed to find the thing, to know that it is ours, and to see whether somebody uses
 * it. Copies that are kept are never removed from here: the next object of their series takes them over. */
#ifndef CONTROLLER_LEFTOVERS_H
#define CONTROLLER_LEFTOVERS_H

#include "controller/objects.h"
#include "controller/pass.h"

enum leftover_kind {
    LEFTOVER_BACKUP_JOB,
    LEFTOVER_COPY_JOB,
    LEFTOVER_RESTORE_JOB,
    LEFTOVER_RECOVERY_POINT,
    LEFTOVER_COPY,
    LEFTOVER_KEPT_COPY, /* InUse or Previous when its object went */
};
const char *leftover_kind_name(enum leftover_kind kind); /* "BackupJob", ... */

/* Texts are owned; NULL: not known. */
struct leftover {
    enum leftover_kind kind;
    enum database_kind database_kind;
    char *namespace, *name, *uid, *series, *run_id, *database; /* whose it was */
    char *account;     /* the AWSAccount that the job or the thing is in */
    char *account_id;  /* what its account was then */
    char *vault;       /* backup jobs and recovery points */
    char *destination; /* copy jobs: the AWSAccount that is copied into */
    char *destination_id;
    char *job_id;   /* jobs: NULL: it may have been started, and is searched for; copies: the restore job */
    char *role_arn; /* backup jobs, for the search; as is the token */
    char *token;
    char *source_arn; /* jobs: what is backed up, copied or restored */
    char *arn;        /* recovery points and copies: themselves */
    char *identifier; /* restore jobs and copies: the cluster or table */
    char *resource;   /* copies: the cluster or table that it is a copy of; NULL: not in the spec any more */
    char *prefix;     /* copies: what its identifier begins with */
    bool may_unprotect; /* its deletion protection was our doing */
    bool point_is_ours; /* copy jobs: of a recovery point that nobody else copies */
    int64_t since_ms;   /* jobs: the intent */
    int64_t created_ms; /* copies */
    int64_t left_ms;    /* when it was written down */
    struct parameter_spec
        *parameters; /* restore jobs and copies: what must not name it; kind, target and key */
    size_t parameter_count;
    char *message; /* what was last seen, for people */
};
void leftover_done(struct leftover *item);
#define AUTO_LEFTOVER CLEANUP(leftover_done)

struct leftovers {
    struct leftover *items;
    size_t count;
};
void leftovers_done(struct leftovers *list);
#define AUTO_LEFTOVERS CLEANUP(leftovers_done)
struct leftover *leftovers_append(struct leftovers *list); /* zeroed; until the next one */

struct json *leftover_to_json(const struct leftover *item);
/* ERR_INVALID: not an entry of ours. */
struct err *leftover_parse(const struct json *value, struct leftover *ret) MUST_USE;
/* The entry's name in the document: the same for the same thing whenever it is asked; yours. */
char *leftover_key(const struct leftover *item);
/* "restore job 1234 of main in account 222222222222", yours. */
char *leftover_subject(const struct leftover *item);

#define LEFTOVERS_MAX 400 /* entries: together they stay below what a ConfigMap may hold */
#define LEFTOVERS_BYTES_MAX (900 * KIB)
#define LEFTOVERS_KEPT_PART \
    2 /* one of so many is for copies that are kept, lest there be no room for the rest */

/* Writes them into the document; one that is there already is left as it is. ERR_INVALID: the document is
 * full, and none of them was written. Copies that are kept go by themselves, not together with others. */
struct err *leftovers_write(struct objects *objects, const struct env *env,
                            const struct leftovers *list) MUST_USE;
/* Takes them out of the document, whatever it says of them. */
struct err *leftovers_drop(struct objects *objects, const struct env *env,
                           const struct leftovers *list) MUST_USE;
/* The copies of a series that are kept and that no object knew of. */
struct err *leftovers_read_kept(struct objects *objects, const struct env *env, const char *namespace,
                                const char *series, struct leftovers *ret) MUST_USE;

/* Entries of the document that have changed since it was read. */
struct leftover_change {
    const char *key;
    const char
        *before;       /* the entry as it was read: else somebody else has been at it, and it is left alone */
    const char *after; /* NULL: it goes */
};
struct err *leftovers_change(struct objects *objects, const struct env *env,
                             const struct leftover_change *changes, size_t count) MUST_USE;

/* What the object's runs have made, by its status alone. Everything of a run that has not succeeded goes with
 * it; with `everything` what the last run has put into the vaults and the kept copies go, too, else the
 * latter are LEFTOVER_KEPT_COPY. The accounts of the pass may be NULL. */
void leftovers_of_object(struct pass *pass, bool everything, struct leftovers *ret);

#endif
