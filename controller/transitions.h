/* What became otherwise between two versions of a status, told to people by an event and to the log by a
 * line, once each:
 *   - a condition whose status or reason changed, or that went. Conditions that change in one write and give
 *     the same reason are one transition, told by the message of the first; so is the end of a run, whatever
 *     it changes, by the message of Ready (RunSucceeded, RunFailed);
 *   - a step that began ("CopyStarted").
 * Of both kinds. What a step did and what people asked for is told by whoever does it. */
#ifndef CONTROLLER_TRANSITIONS_H
#define CONTROLLER_TRANSITIONS_H

#include "controller/objects.h"

/* Once it is written: `object` as it was, and the status that it has now. Lines go to env->log. */
void transitions_tell(struct objects *objects, const struct env *env, const struct json *object,
                      const struct json *status);

#endif
