/* Stories in a simulation: at each version of the refresh a script may say something, as people do with
 * kubectl, and look at what has come of it. */
#ifndef SIMULATION_STORY_H
#define SIMULATION_STORY_H

#include "tests/simulation/invariants.h"
#include "tests/simulation/scenario.h"

#define OLD_CLUSTER "shop-stg-20261022-030000-p3c8d"
#define RUNS_MAX 8

struct play;
struct story {
    const char *name;
    const char *edits[9], *world_edits[3], *faults[2]; /* as in struct scenario_opts */
    int64_t settle_ms, deadline_ms;                    /* 0: as for all stories of the test */
    const char *arg;                                   /* a text for script and check */
    /* At each version of any of the refreshes, NULL for one that is gone: says what comes next when its time
     * has come. NULL: nobody says anything. */
    void (*script)(struct play *play, const struct json *object);
    /* At the end, with the refresh of the sample; NULL: it is gone. */
    void (*check)(struct play *play, const struct json *object);
};

struct play {
    const struct story *story;
    struct scenario *scenario;
    int scene;
    bool is_speaking;
    struct json *model;   /* the first refresh, as it was made */
    char *runs[RUNS_MAX]; /* in order, by their ends */
    size_t run_count;
    void *notes;       /* the test's own */
    struct buf faults; /* scripts run on the engine's threads, where nothing can be asserted */
};

void add_fault(struct play *play, const char *format, ...) PRINTF_LIKE(2, 3);
/* A fault, unless it is so; what was looked at is named as the test writes it. */
#define want(play, holds) want_named((play), #holds, (holds))
#define want_text(play, got, wanted) want_text_named((play), #got, (got), (wanted))
#define want_part(play, got, part) want_part_named((play), #got, (got), (part))
#define want_number(play, got, wanted) want_number_named((play), #got, (int64_t)(got), (int64_t)(wanted))
void want_named(struct play *play, const char *what, bool holds);
void want_text_named(struct play *play, const char *what, const char *got, const char *wanted);
void want_part_named(struct play *play, const char *what, const char *got, const char *part);
void want_number_named(struct play *play, const char *what, int64_t got, int64_t wanted);

/* The account of staging. */
extern const struct object_id story_target;
struct object_id refresh_id(const char *name);
struct memory *memory_of(struct play *play);

/* Each is the next scene: an annotation of ours, a merge patch of the refresh, one of the target account. */
void speak(struct play *play, const char *name, const char *value);
void edit(struct play *play, const char *patch);
void edit_target(struct play *play, const char *patch);
/* The next scene, too: another refresh, like the first but for its name and the merge patch, or none any
 * more. */
void create_refresh(struct play *play, const char *name, const char *patch);
void delete_refresh(struct play *play, const char *name);

/* The refresh of that name as it is now; NULL: none, or none any more. */
const struct json *refresh_of(struct play *play, const char *name);
/* Of all its versions, the first of which that holds, and the last that is no deletion; NULL: none. */
const struct json *first_version(struct play *play, const char *name,
                                 bool (*holds)(const struct json *version));
const struct json *last_version(struct play *play, const struct object_id *id);

bool phase_is(const struct json *object, const char *phase);
bool has_run(const struct json *object); /* or runs */
bool has_ended(const struct json *object);
/* The entry of a list whose member `key` is `name`; NULL: none. */
const struct json *named(const struct json *list, const char *key, const char *name);
/* "" when there is none: of a row of the switchover, of a condition; "none": of the copy of a run. */
const char *row_text(const struct json *object, const char *row, const char *member);
const char *condition_text(const struct json *object, const char *type, const char *member);
const char *role_of(const struct json *object, const char *run);
/* The account in the world as it is now; the next look at the world ends it. */
const struct json *staging_of(struct play *play);
/* "none" when there is none: what a parameter of SSM holds in staging now. */
const char *parameter(struct play *play, const char *name);
const char *proxy_target(struct play *play);
/* Rows of the journal; effect NULL: any. */
int64_t count(struct play *play, const char *operation, const char *effect);
const char *events(struct play *play);

void expect_staging_as_before(struct play *play);
void expect_staging_on(struct play *play, const char *run);
void check_succeeded(struct play *play, const struct json *object);

/* Plays *state, a story, as a test. */
void story_plays(void **state);

/* Plays it with those options, but for what the story says itself. What is wrong, yours; NULL: nothing. */
char *story_play(const struct story *story, const struct scenario_opts *opts, void *notes);

/* Many seeds: each story so many times, with a process that dies in every second round. */
struct stories {
    const char *name; /* of the test */
    const struct story *items;
    size_t count, rounds;
    int64_t crash_calls; /* the process dies at one of so many; 0: 300 */
    int64_t settle_ms, deadline_ms;
    size_t notes_size; /* of play->notes, zeroed for each play */
};
/* True when all is well. */
bool stories_play(const struct stories *stories);

#define MANUAL "policy: Automatic", "policy: Manual"

#endif
