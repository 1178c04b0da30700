/* What people want to know of a refresh, answered from its status alone. Pure functions; texts that are given
 * live as long as the status. */
#ifndef PLUGIN_FACTS_H
#define PLUGIN_FACTS_H

#include "pkg/refresh/status.h"

bool facts_has_run(const struct refresh_status *status);
/* A run is under way. */
bool facts_is_active(const struct refresh_status *status);
/* Somebody has cancelled the last run. */
bool facts_is_cancelled(const struct refresh_status *status);
/* ... and waits for somebody to approve its switchover. */
bool facts_awaits_approval(const struct refresh_status *status);
/* The last attempt has failed, so that it can be retried. */
bool facts_can_retry(const struct refresh_status *status);
/* NULL: it has none of that type. */
const struct condition *facts_condition(const struct refresh_status *status, const char *type);
bool facts_is_true(const struct refresh_status *status, const char *type);

/* A run of another object of the series has switched staging over since: what is kept is that one's to know.
 */
bool facts_is_superseded(const struct refresh_status *status);

struct kept_run {
    const char *id;
    int64_t creation_ms; /* of its oldest copy */
    size_t copies;
    bool is_used; /* staging is on it */
};
#define KEPT_RUNS_MAX 32
/* Runs with copies that staging can be switched to, the newest first. Gives how many. */
size_t facts_kept_runs(const struct refresh_status *status, struct kept_run ret[KEPT_RUNS_MAX]);
/* Copies of that run are kept, of every database of the last run. */
bool facts_is_kept(const struct refresh_status *status, const char *run_id);
/* The newest run that is kept whole and that staging does not use; NULL: none. */
const char *facts_previous_run(const struct refresh_status *status);
/* The run whose copies staging uses; NULL: none of ours. */
const char *facts_used_run(const struct refresh_status *status);

#endif
