/* The objects interface on a directory, for one refresh without a cluster: one JSON file per object, a lock
 * that keeps a second run out, and an id that names this installation in tags. A crash leaves each file old
 * or new, never half.
 *
 *   lock              held with flock() while somebody uses the directory
 *   installation      random, made once
 *   leftovers.json    what is still to be removed from AWS, once there is something
 *   stagingrefresh_<namespace>_<name>.json, awsaccount_<name>.json */
#ifndef CONTROLLER_OBJECTS_FILE_H
#define CONTROLLER_OBJECTS_FILE_H

#include "controller/objects.h"

/* Makes the directory when it is not there and takes its lock. ERR_CONFLICT: another process has it;
 * ERR_INVALID: it cannot be used. `env` is borrowed for its randomness. */
struct err *objects_file_open(const char *dir, const struct env *env, struct objects **ret) MUST_USE;
/* The lock is given back. NULL is fine. */
void objects_file_close(struct objects *objects);

/* Brings in a document as a person wrote it. What an earlier run knew of this object (uid, status,
 * finalizers, annotations that were put here) stays; the generation grows when the spec has changed. Before
 * the engine starts. ERR_INVALID: a field that can never change has changed, or the name cannot be one. */
struct err *objects_file_put(struct objects *objects, const struct env *env,
                             const struct json *document) MUST_USE;
/* Sets one annotation, as `kubectl annotate --overwrite` would; at any time. ERR_CONFLICT: the engine is
 * writing the object at this moment, try again. */
struct err *objects_file_annotate(struct objects *objects, const struct object_id *id, const char *name,
                                  const char *value) MUST_USE;

/* Where the object of that name lies when no directory is given: below $XDG_STATE_HOME, else ~/.local/state.
 * NULL when neither is known; yours. */
char *objects_file_default_dir(const char *xdg_state_home, const char *home, const char *namespace,
                               const char *name);

#endif
