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
    const char *edits[9];
    int64_t settle_ms;
    /* At each version of the object: says what comes next when its time has come. */
    void (*script)(struct play *play, const struct json *object);
    void (*check)(struct play *play, const struct json *object);
};

struct play {
    const struct story *story;
    struct scenario *scenario;
    int scene;
    bool is_speaking;
    char *runs[RUNS_MAX]; /* in order, by their ends */
    size_t run_count;
    char *fault; /* the first; scripts run on the engine's threads, where nothing can be asserted */
};

/* The account of staging. */
extern const struct object_id story_target;

/* A fault, unless it holds. */
void want(struct play *play, bool holds);
void want_text(struct play *play, const char *got, const char *wanted);
void want_part(struct play *play, const char *got, const char *part);
void want_number(struct play *play, int64_t got, int64_t wanted);

/* Each is the next scene: an annotation of ours, a merge patch of the refresh, one of the target account. */
void speak(struct play *play, const char *name, const char *value);
void edit(struct play *play, const char *patch);
void edit_target(struct play *play, const char *patch);
void say_nothing(struct play *play, const struct json *object);

bool phase_is(const struct json *object, const char *phase);
bool has_ended(const struct json *object);
/* The entry of a list whose member `key` is `name`; NULL: none. */
const struct json *named(const struct json *list, const char *key, const char *name);
/* "" when there is none: of a row of the switchover, of a condition; "none": of the copy of a run. */
const char *row_text(const struct json *object, const char *row, const char *member);
const char *condition_text(const struct json *object, const char *type, const char *member);
const char *role_of(const struct json *object, const char *run);
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

#define MANUAL "policy: Automatic", "policy: Manual"

#endif
