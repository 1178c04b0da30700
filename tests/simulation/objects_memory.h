/* The API server of a simulation, and the controller's side of it.
 *
 * `struct memory` survives crashes: it keeps every version of every object. `struct memory_client` is what
 * one process sees of it: reads come from a cache that lags behind what others wrote (the former life of the
 * process included) but never behind the client's own writes, and never goes back; writes are conditional on
 * resourceVersion; somebody may edit the object's metadata just before a write; the answer of a write may get
 * lost, and is then recovered by reading: what is there is what was to be written (it was done), or the
 * version that was at hand (ERR_RETRY), or something else (ERR_CONFLICT). A status that the CRD does not
 * allow is refused (ERR_INVALID). */
#ifndef SIMULATION_OBJECTS_MEMORY_H
#define SIMULATION_OBJECTS_MEMORY_H

#include "controller/objects.h"
#include "tests/simulation/lifetime.h"

struct memory_opts {
    struct sched *sched;           /* borrowed; seeded */
    int64_t lag_max_ms;            /* how long others' writes may stay unseen; 0: never */
    int64_t meddle_per_mille;      /* of writes that somebody's edit of metadata comes before */
    int64_t lost_answer_per_mille; /* of writes that get no answer; half of these are not done either */
    int64_t own_events_per_mille;  /* of own writes that come back as an event, as a watch would */
    int64_t trouble_per_mille; /* of calls, reads too, that meet a server in trouble: 429, 500 with or without
                                  the deed, or an answer that comes too late */
};

struct memory;
struct memory *memory_new(const struct memory_opts *opts);
void memory_free(struct memory *memory);

/* --- what people and tests do: at once, never lost --- */

/* Adds what a manifest holds; namespace defaults to "". */
void memory_create(struct memory *memory, const struct json *manifest);
/* RFC 7396. A changed spec is a new generation. False when there is no such object. */
bool memory_patch(struct memory *memory, const struct object_id *id, const char *patch);
/* With a finalizer the object only gets its deletionTimestamp. */
void memory_delete(struct memory *memory, const struct object_id *id);
/* The newest version, borrowed until the next write; NULL: there is none. */
const struct json *memory_get(const struct memory *memory, const struct object_id *id);
/* All versions there ever were, oldest first; NULL items are deletions. Borrowed. */
size_t memory_version_count(const struct memory *memory, const struct object_id *id);
const struct json *memory_version(const struct memory *memory, const struct object_id *id, size_t index);
/* Called after each write, by whomever, on the writer's thread. */
void memory_on_write(struct memory *memory, void (*fn)(void *arg, const struct object_id *id), void *arg);
/* All events for people so far, one per line. */
const char *memory_events(const struct memory *memory);

/* From now on the server takes no status any more, as after a change of the CRD that does not fit it. */
void memory_refuse_status(struct memory *memory);

/* The list of leftovers as it is; borrowed until the next write, NULL: there never was one. */
const struct json *memory_leftovers(const struct memory *memory);
size_t memory_leftover_count(const struct memory *memory);

/* --- what the process sees --- */

struct memory_client;
struct memory_client *memory_client_new(struct memory *memory, struct lifetime *life);
void memory_client_free(struct memory_client *client);
struct objects *memory_client_objects(struct memory_client *client);
/* Waits for the next object that has changed in the client's cache; all objects come once at first. Borrowed
 * until the next call. False: the process has ended. One caller. */
bool memory_client_watch(struct memory_client *client, struct object_id *ret_id);

#endif
