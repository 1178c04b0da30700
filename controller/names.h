/* Names, tokens and tags: everything that must come out the same after a crash. */
#ifndef CONTROLLER_NAMES_H
#define CONTROLLER_NAMES_H

#include "controller/pass.h"

#define TAG_SELF                                                                                             \
    "stagingrefresh.dev/self" /* the object's own identifier: a point-in-time restore of it carries our tags \
                                 too */
#define TAG_SERIES "stagingrefresh.dev/series" /* installation/namespace/series */
#define TAG_RUN "stagingrefresh.dev/run"
#define TAG_DATABASE "stagingrefresh.dev/database"
/* Recovery points carry other keys, so that no copy restored with its tags is taken for one of them. */
#define TAG_POINT_SERIES "stagingrefresh.dev/recovery-point-series"
#define TAG_POINT_RUN "stagingrefresh.dev/recovery-point-run"
#define TAG_POINT_TOKEN "stagingrefresh.dev/recovery-point-token"

#define ANNOTATION(name) "stagingrefresh.dev/" name

#define RUN_ID_MAX 32
/* 20261122-030002-k7x4q: sorts by time, unique by the random tail, fits into cluster names. */
void name_run_id(int64_t wall_ms, struct random *random, char ret[RUN_ID_MAX]);

#define TOKEN_MAX 51
/* hex(sha256(uid, run, database, step, attempt)) cut to 50: the service's token for this intent. */
void name_token(const struct stage *stage, char ret[TOKEN_MAX]);

/* "<prefix>-<run id>[-<attempt>]", yours. */
char *name_copy(const char *prefix, const char *run_id, int64_t attempt);
char *name_series(const struct pass *pass); /* installation/namespace/series, yours */

/* The text names the thing: `identifier` stands in it (whatever the case), and not as a part of a longer
 * name.
 * "-2" behind it makes it the name of another attempt. In doubt: true. */
bool name_is_mentioned(struct str text, const char *identifier);

/* The four ownership tags of a copy; texts live as long as `self` and `series`. */
#define COPY_TAG_COUNT 4
void name_copy_tags(const struct stage *stage, const char *self, const char *series,
                    struct aws_pair ret[COPY_TAG_COUNT]);

/* Values for templates of this run; free with names_free_templates(). */
struct template_values {
    struct template_value *items;
    char **owned;
    size_t count;
};
struct template_values names_templates(const struct pass *pass);
void names_free_templates(struct template_values *values);
#define AUTO_TEMPLATES CLEANUP(names_free_templates)

#endif
