/* Keys of Secrets of the object's namespace, and one Secret of ours that keeps what must survive a crash and
 * may be in no status: passwords that are not in force yet, contents that a switchover replaces. It is called
 * stagingrefresh-SERIES, so that a Role can grant it by name, holds what belongs to runs that an object of
 * the series names or whose copies are kept, and goes with the last StagingRefresh that has written to it. */
#ifndef CONTROLLER_STEPS_KUBE_SECRET_H
#define CONTROLLER_STEPS_KUBE_SECRET_H

#include "controller/pass.h"
#include "pkg/base/secret.h"

/* ERR_NOT_FOUND: no such Secret. *ret stays NULL when the Secret has no such key. */
struct err *kube_secret_get(const struct pass *pass, const char *name, const char *key,
                            struct secret **ret) MUST_USE;
/* value NULL: the key goes. The Secret must be there. */
struct err *kube_secret_set(const struct pass *pass, const char *name, const char *key,
                            const struct secret *value) MUST_USE;

/* What this run, or another one of the object, has kept under that key; *ret stays NULL when nothing. */
struct err *kube_secret_kept(const struct pass *pass, const char *key, struct secret **ret) MUST_USE;
struct err *kube_secret_kept_by(const struct pass *pass, const char *run_id, const char *key,
                                struct secret **ret) MUST_USE;
/* The key for what this attempt of the run replaces: `what`, from the second attempt on with the attempt
 * behind it ("main.password-before.2"). It is to be written down: `run.attempt` moves on when a hook is tried
 * again. Yours. */
char *kube_secret_attempt_key(const struct pass *pass, const char *what);
/* Keeps it, and forgets what earlier attempts have kept there. ERR_CONFLICT when another pass has been
 * faster: read what it kept. */
struct err *kube_secret_keep(const struct pass *pass, const char *key, const struct secret *value) MUST_USE;

#endif
