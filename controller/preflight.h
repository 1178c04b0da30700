/* Is all in place? One table of read-only checks, for the command that asks and for every run before it
 * starts: what would fail after hours is said at once, with what a person should do. Nothing is ever changed,
 * and no secret is read. */
#ifndef CONTROLLER_PREFLIGHT_H
#define CONTROLLER_PREFLIGHT_H

#include "controller/admit.h"
#include "controller/preflight_memo.h"
#include "pkg/aws/client.h"

struct kube_client;

enum finding_state {
    FINDING_OK,
    FINDING_UNKNOWN, /* could not be told from here; nothing is stopped by it */
    FINDING_FAIL,
};

struct finding {
    const char *check;   /* of the table: "TargetVault" */
    const char *account; /* name of the AWSAccount; borrowed */
    char *subject;       /* "vault staging-refresh" */
    enum finding_state state;
    char *message; /* what is so, or what is wrong and what to do */
};
struct preflight_findings {
    struct finding *items;
    size_t count;
};
void preflight_findings_done(struct preflight_findings *findings);
#define AUTO_PREFLIGHT_FINDINGS CLEANUP(preflight_findings_done)
const struct finding *preflight_first_failure(const struct preflight_findings *findings); /* NULL: none */
const char *finding_state_name(enum finding_state state); /* "ok", "unknown", "FAIL" */

struct preflight {
    const struct env *env;
    const struct refresh_spec *spec;
    const struct accounts *accounts;
    struct aws_client source; /* account NULL when the spec names no source */
    struct aws_client target;
    struct kube_client *kube;    /* NULL: there is no cluster, or it is not known */
    const char *namespace;       /* of the refresh */
    struct preflight_memo *memo; /* NULL: everything is asked */
    bool switch_only;            /* onto copies that are there: what makes copies is not looked at */
};

/* Everything in the table that is about this spec. What the memo knows to be well is left out. An answer that
 * does not come (throttled, unreachable) is ERR_RETRY when there is a memo, else a failure that says so;
 * ERR_CANCELED: stopped. */
struct err *preflight_look(const struct preflight *preflight, struct preflight_findings *ret) MUST_USE;

/* --- for the files of the table --- */

/* What one check looks at. */
struct inspection {
    const struct preflight *preflight;
    const struct preflight_check *check;
    const struct aws_client *aws;         /* of the check's side */
    const struct account *account;        /* the same */
    const struct database_spec *database; /* per database */
    size_t index;                         /* per instance, proxy, parameter, application */
    char *subject;
    struct preflight_findings *findings;
};

enum check_side { SIDE_SOURCE, SIDE_TARGET };

struct preflight_check {
    const char *name;
    enum check_side side;
    bool of_switchover; /* also when only the switchover is done */
    bool is_optional;   /* no permission to look: unknown, as the run itself does not need it */
    /* How many things of this kind the spec has (per database when `per_database`); NULL: one. */
    size_t (*count)(const struct refresh_spec *spec, const struct database_spec *database);
    bool per_database;
    /* Whether it is about this spec (database) at all; NULL: yes. */
    bool (*applies)(const struct refresh_spec *spec, const struct database_spec *database);
    /* For people, and for the memo; yours. */
    char *(*subject)(const struct inspection *in);
    /* Says what it found (once or more). An error is turned into a finding by its kind. */
    struct err *(*look)(const struct inspection *in);
    const char *missing; /* what to do when AWS does not know it */
};
/* The table: what it says of accounts and recovery points (preflight_backup.c), of what a restore needs
 * (preflight_restore.c), of hooks (preflight_hooks.c), and of what the switchover touches
 * (preflight_switchover.c). */
struct preflight_table {
    const struct preflight_check *checks;
    size_t count;
};
extern const struct preflight_table preflight_backup, preflight_restore, preflight_hooks,
    preflight_switchover;

void preflight_ok(const struct inspection *in, const char *fmt, ...) PRINTF_LIKE(2, 3);
void preflight_unknown(const struct inspection *in, const char *fmt, ...) PRINTF_LIKE(2, 3);
void preflight_fail(const struct inspection *in, const char *fmt, ...) PRINTF_LIKE(2, 3);
const struct account *preflight_source(const struct inspection *in); /* NULL: none */
const struct account *preflight_target(const struct inspection *in);

#endif
