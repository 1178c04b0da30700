/* What must hold of every refresh, whatever happened on the way. Each check appends a sentence per violation,
 * nothing when all is well. */
#ifndef SIMULATION_INVARIANTS_H
#define SIMULATION_INVARIANTS_H

#include "pkg/base/buf.h"
#include "tests/simulation/scenario.h"

/* The run has succeeded, and staging uses the new copies: proxies, parameters, secrets, one previous copy
 * kept. */
void check_success(struct scenario *scenario, struct buf *faults);
/* The run has failed for that reason in its switchover, and staging uses what it used before. */
void check_put_back(struct scenario *scenario, const char *reason, struct buf *faults);
/* Seen from AWS: one backup, copy and restore per database, started under a token of its own; the
 * switchover's changes made once; nothing in production but backups and copies. */
void check_exactly_once(struct scenario *scenario, struct buf *faults);
void check_production(struct scenario *scenario, struct buf *faults);
/* Every version of the status there ever was: percent and steps never go back, conditions are by the rules of
 * kstatus, no secret shows. */
void check_history(struct scenario *scenario, struct buf *faults);
/* The proxy got the new cluster only after the reset password was in force. */
void check_password(struct scenario *scenario, struct buf *faults);

/* The status says for how many seconds the proxy had no target: at least what AWS saw, and no guess far
 * beyond. */
void check_gap(struct scenario *scenario, struct buf *faults);
/* From taking the old target out until the new one was put in, as AWS saw it; -1: that did not happen. */
int64_t gap_seen_ms(const struct json *journal);
/* What the status says of it, in seconds; -1: nothing. */
int64_t gap_said_s(const struct json *object);

/* No secret of the world is in the text; `where` says what it is. */
void check_no_secret(const char *text, const char *where, struct buf *faults);

/* All of them but the last. NULL: all is well; else the faults, yours. */
char *check_all(struct scenario *scenario);

/* How many rows the journal has for the operation with that effect; either may be NULL. */
int64_t journal_count(const struct json *journal, const char *operation, const char *effect);

#endif
