/* A whole refresh in one process: the engine, the AWS clients, the simulator's core and the API server in
 * memory, under one seeded scheduler. The engine may be killed at given calls; it then starts anew on the
 * same objects and the same world. */
#ifndef SIMULATION_SCENARIO_H
#define SIMULATION_SCENARIO_H

#include "tests/simulation/objects_memory.h"

struct scenario;

struct crash {
    int64_t at_call; /* of that life: 1 is the first */
    bool after_deed; /* the call is done and its answer lost; else it never leaves */
    int64_t down_ms; /* until the next process starts */
};

#define CRASHES_MAX 8

struct scenario_opts {
    uint64_t seed;
    const char *manifest_path; /* below the source; NULL: manifests/samples/shop.yaml */
    const char *world_path;    /* below the source; NULL: hack/awssim/worlds/shop.yaml */
    /* Texts put in place of others in the world file or the manifest, for variants: from, to, from, to, ...,
     * NULL. Each `from` must be there. */
    const char *const *world_edits, *const *manifest_edits;
    const char *const *faults; /* bodies for POST /_sim/faults, up to NULL */
    struct crash crashes[CRASHES_MAX];
    size_t crash_count;
    struct memory_opts api; /* .sched is ignored; zero is an API server without quirks */
    int64_t
        password_ms; /* how long the world takes for a reset, from the call until it is in force; 0: 28 s */
    int workers;     /* 0: 4 */
    int64_t deadline_ms; /* virtual time in which it must end; 0: 48 h */
    int64_t settle_ms;   /* how long the engine goes on after the end; 0: 10 min */
    int log_fd;          /* where debug lines go; 0: nowhere (SR_LOG in the environment: stderr) */
    /* After every write of the refresh, by whomever; may edit objects. */
    void (*on_write)(void *arg, struct scenario *scenario, const struct json *object);
    void *on_write_arg;
};

/* The refresh of the manifests. */
extern const struct object_id scenario_refresh;

/* Edits of worlds/shop.yaml: jobs that take a few minutes. */
extern const char *const scenario_quick_world[];

struct scenario *scenario_new(const struct scenario_opts *opts);
/* Until the run has ended and things have settled, or the deadline. Once. */
void scenario_run(struct scenario *scenario);
void scenario_free(struct scenario *scenario);

/* Calls fn once that much virtual time has passed, at the latest when the scenario ends; from on_write, say.
 * Up to eight. */
void scenario_later(struct scenario *scenario, int64_t after_ms,
                    void (*fn)(void *arg, struct scenario *scenario), void *arg);

/* Asks the simulator for something, as /_sim/ does: faults that begin later, say. */
void scenario_control(struct scenario *scenario, const char *method, const char *path, const char *body);

struct sim;
struct sim *scenario_sim(struct scenario *scenario);
struct memory *scenario_memory(struct scenario *scenario);
struct sched *scenario_sched(struct scenario *scenario);
/* Answers of /_sim/journal, /_sim/calls, /_sim/world as of the end (or of now, before); borrowed. */
const struct json *scenario_journal(struct scenario *scenario);
const struct json *scenario_calls(struct scenario *scenario);
const struct json *scenario_world(struct scenario *scenario);
/* The refresh as it is now; NULL: gone. */
const struct json *scenario_object(struct scenario *scenario);
bool scenario_has_ended(const struct scenario *scenario);
/* From the creation of the objects to the end of the run, in virtual time. */
int64_t scenario_duration_ms(const struct scenario *scenario);
int64_t scenario_password_ms(const struct scenario *scenario);
/* Calls to the outside that one life (0: the first), or all lives, began. */
int64_t scenario_calls_of(const struct scenario *scenario, size_t life);
int64_t scenario_call_count(const struct scenario *scenario);
size_t scenario_life_count(const struct scenario *scenario);

static inline void auto_scenario(struct scenario **scenario)
{
    scenario_free(*scenario);
}
#define AUTO_SCENARIO CLEANUP(auto_scenario)

#endif
