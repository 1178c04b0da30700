/* What people and tools read at a glance: phase, percent, text and conditions, all derived from the rows in
 * one place, by the rules of kstatus (Reconciling and Stalled are there only while true; Ready says whether
 * staging has the copies). */
#ifndef CONTROLLER_SUMMARY_H
#define CONTROLLER_SUMMARY_H

#include "controller/pass.h"

/* Why a run that was asked for never begins; of one that has succeeded: that a later one took its place. */
#define REASON_FORBIDDEN "RunForbidden"
#define REASON_SUPERSEDED "Superseded"
bool summary_never_begins(const char *reason);

struct summary_input {
    struct refresh_status *status;
    const struct refresh_spec *spec; /* of the run; may be NULL outside of one */
    int64_t generation;
    int64_t now_ms;
    struct sched *sched;
};

void summary_running(const struct summary_input *in, const char *blocked_reason, const char *blocked_message,
                     bool suspended);
void summary_succeeded(const struct summary_input *in);
/* The run has succeeded, and another object's run has switched staging over since. This is said until the
 * object has another run. */
void summary_superseded(const struct summary_input *in, const char *message);
bool summary_is_superseded(const struct summary_input *in);
void summary_failed(const struct summary_input *in, const char *reason, const char *message);
/* No run can start: a person must change something (reason, message), or another object must finish first
 * (queued). */
void summary_stalled(const struct summary_input *in, const char *reason, const char *message);
/* Nothing is known yet of whether it can. */
void summary_pending(const struct summary_input *in, const char *message);
void summary_queued(const struct summary_input *in, const char *message);
/* `wanted`: a run that does not begin for that; else the last one's end holds still. */
void summary_suspended(const struct summary_input *in, bool wanted);
/* The object is going away: what is still waited for. */
void summary_deleting(const struct summary_input *in, const char *message);

#endif
