/* The safe removal of one thing that this installation has made: a copy in the target account, or a recovery
 * point in a vault.
 *
 * Each call is one look, and at most one change (the instances of a cluster go together); call again until
 * the state is not RUNNING. Nothing is changed that is not ours by the rules below, nor anything that
 * somebody uses (controller/users.h); `may_change` is asked right before every change.
 *
 *   A copy is ours when its tag `self` equals its own identifier and its tag `series` is ours: a
 * point-in-time restore of it carries our tags, too, but not its own name. One without our tags is ours when
 * the restore job that the status names has made it: it is tagged, and removed by the next look. An instance
 * that somebody else has put into our cluster makes the cluster theirs as well. A recovery point is ours when
 * its tag says so and no backup plan made it.
 *
 * Errors: ERR_CONFLICT and ERR_CANCELED come from may_change and end the pass; ERR_RETRY is trouble of the
 * moment, nothing is known. What AWS refuses for good is no error but BLOCKED. */
#ifndef CONTROLLER_REMOVAL_H
#define CONTROLLER_REMOVAL_H

#include "controller/pass.h"

enum removal_state {
    REMOVAL_GONE,    /* it is not there, or not any more */
    REMOVAL_RUNNING, /* on its way, or not in a state yet that allows it: look again after after_ms */
    REMOVAL_IN_USE,  /* nothing was changed: something points at it */
    REMOVAL_FOREIGN, /* nothing was changed: it is not ours */
    REMOVAL_BLOCKED, /* AWS refuses: a person must do something */
};

struct removal {
    enum removal_state state;
    int64_t after_ms; /* RUNNING */
    bool is_asked;    /* RUNNING: AWS does the rest by itself */
    char *message;    /* a sentence: what is there, by whom it is used, why it is not ours, what AWS said */
};
void removal_reset(struct removal *removal);
#define AUTO_REMOVAL CLEANUP(removal_reset)

/* Who removes. Borrowed. */
struct remover {
    struct aws_client aws; /* of the account that the thing is in */
    const char *series;    /* as in the tags: name_series() */
    /* Whose parameters (of spec and live, where they are not NULL) must not name the copy, nor those of the
     * other objects of the spec's series; needs its target. NULL: there is no spec any more. */
    const struct pass *pass;
    /* Refuses with ERR_CONFLICT or ERR_CANCELED when the world has moved on: reads the object live. Required.
     */
    struct err *(*may_change)(const void *arg);
    const void *arg;
};
/* For runs: pass_check_live() of `arg`, a struct pass. */
struct err *removal_check_run(const void *arg) MUST_USE;

struct removal_copy {
    enum database_kind kind;
    const char *identifier;     /* cluster or table */
    const char *arn;            /* NULL: not known */
    const char *restore_job_id; /* of status.copies or of the Restore step; NULL: not known */
    const char *run_id, *database;
    const struct place_status *places; /* must not name it either */
    size_t place_count;
    bool may_unprotect; /* its deletion protection is our doing, and is lifted. Else somebody has turned it on
                           to keep the copy, which then counts as in use */
};
/* Of status.copies; borrows from it. */
struct removal_copy removal_copy_of(const struct copy_status *copy);

struct err *removal_of_copy(const struct remover *by, const struct removal_copy *what,
                            struct removal *ret) MUST_USE;
struct err *removal_of_recovery_point(const struct remover *by, const char *vault_name, const char *arn,
                                      struct removal *ret) MUST_USE;

#endif
