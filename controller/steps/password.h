/* The master password of a copy, in its three kinds, and what the switchover changes because of it.
 *
 * A generated one is kept beside the present one (a version of the secret under a label of ours; a Secret of
 * ours) before the copy is told of it, and is read back from there ever after: made once per run, whatever
 * crashes. The switchover makes it the present one together with the proxy's target. A password that RDS
 * keeps is in a secret of its own: then the switchover changes the proxy's list. */
#ifndef CONTROLLER_STEPS_PASSWORD_H
#define CONTROLLER_STEPS_PASSWORD_H

#include "controller/pass.h"
#include "controller/steps/secret_version.h"
#include "pkg/base/secret.h"

/* password_generate.c: the staged password of the stage's database; made when there is none yet. */
struct err *password_generated(const struct pass *pass, const struct database_spec *database,
                               struct secret **ret) MUST_USE;
/* What opens the copies that this run puts staging onto: what it has staged, or, when they are those of an
 * earlier run, what that run has. Never made here: the copy knows nothing of a new one. *ret stays NULL when
 * nothing is staged: the run took what the secret held then, or somebody has deleted it. */
struct err *password_of_copies(const struct pass *pass, const struct database_spec *database,
                               struct secret **ret) MUST_USE;
/* The id of the version that holds it, and of a version that merges it into what `base` says. */
void password_version(const struct pass *pass, const struct database_spec *database, const char *base,
                      char ret[SECRET_VERSION_MAX]);

/* password_refusal.c: why staging cannot be put onto the copy, as its password is not known; yours. *ret_why
 * stays NULL when nothing speaks against it. */
#define PASSWORD_NOT_KNOWN "PasswordNotKnown"
struct err *password_refusal(const struct pass *pass, const struct database_spec *database,
                             char **ret_why) MUST_USE;

/* password_switch.c; for a row of the switchover. `proxy` NULL: the database has none. What was there before
 * is remembered in the row. */
struct err *password_switch_intend(struct stage *stage, const struct database_spec *database,
                                   const char *proxy) MUST_USE;
/* Look and act until *ret_wait stays NULL; else it says what is waited for, yours. */
struct err *password_switch(struct stage *stage, const struct database_spec *database, const char *proxy,
                            char **ret_wait) MUST_USE;
struct err *password_switch_back(struct stage *stage, const struct database_spec *database, const char *proxy,
                                 char **ret_wait) MUST_USE;

/* password_entry.c: rows of their own for databases whose generated password no proxy takes along. */
size_t password_entry_count(const struct refresh_spec *spec);
const char *password_entry_name(const struct refresh_spec *spec, size_t index);
struct err *password_entry_intend(struct stage *stage) MUST_USE;
struct err *password_entry_act(struct stage *stage, struct outcome *out) MUST_USE;
struct err *password_entry_undo(struct stage *stage, struct outcome *out) MUST_USE;

#endif
