/* What the two sides of the API server in memory share. */
#ifndef SIMULATION_OBJECTS_MEMORY_PRIV_H
#define SIMULATION_OBJECTS_MEMORY_PRIV_H

#include "pkg/base/buf.h"
#include "tests/simulation/objects_memory.h"

/* No locks: the scheduler's baton makes everything here single-threaded. */

struct version {
    struct json *object;                /* NULL: deleted */
    int64_t visible_ms;                 /* when caches see it */
    bool shown;                         /* no event, if it is the client's own */
    const struct memory_client *author; /* NULL: somebody else */
};

struct record {
    enum object_kind kind;
    char *namespace, *name;
    struct version *versions;
    size_t count;
};

struct memory {
    struct memory_opts opts;
    struct record **records;
    size_t count;
    int64_t revision, uids;
    struct buf events;
    struct json *leftovers; /* NULL: there is no list yet */
    bool refuses_status;
    struct memory_client *client; /* of the process that lives now */
    void (*on_write)(void *arg, const struct object_id *id);
    void *on_write_arg;
};

size_t memory_find_index(const struct memory *memory,
                         const struct object_id *id); /* SIZE_MAX: there never was one */
struct record *memory_find(const struct memory *memory, const struct object_id *id);
struct object_id memory_id_of(const struct record *record);
struct json *memory_newest(const struct record *record); /* NULL: deleted, or no record */
const char *memory_version_text(const struct json *object);
/* Takes over `object`; NULL: a deletion. `author` NULL: people. */
void memory_store(struct memory *memory, struct record *record, struct json *object,
                  const struct memory_client *author);
/* Somebody has written: wakes the one who watches. */
void memory_client_wake(struct memory_client *client);
struct memory *memory_client_memory(struct objects *objects);
struct lifetime *memory_client_life(struct objects *objects);

/* objects_memory_leftovers.c */
struct err *memory_client_read_leftovers(struct objects *objects, const struct env *env,
                                         struct json **ret) MUST_USE;
struct err *memory_client_write_leftovers(struct objects *objects, const struct env *env,
                                          const struct json *document) MUST_USE;
struct err *memory_client_remove(struct objects *objects, const struct env *env,
                                 const struct json *object) MUST_USE;

#endif
