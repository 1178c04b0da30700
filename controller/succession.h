/* Which run of a series came last, whichever objects the runs belong to: a CronJob makes an object for each.
 * Everything follows from what the objects of the series say of themselves, those of the same target alone:
 * another target is another staging. `object` is one of them, as it was read; it counts among them. */
#ifndef CONTROLLER_SUCCESSION_H
#define CONTROLLER_SUCCESSION_H

#include "controller/objects.h"
#include "pkg/refresh/spec.h"

/* The last run that has switched staging over, when it came after all that `object` has done and is another
 * object's. */
struct successor {
    char *run_id;        /* NULL: there is none */
    struct json *object; /* whose run it is */
};
void successor_done(struct successor *successor);
#define AUTO_SUCCESSOR CLEANUP(successor_done)

void succession_find_later(struct objects *objects, const struct json *object, struct successor *ret);
/* Another object's run has begun to switch staging over, or to put it back, and has not ended. */
bool succession_is_changing(struct objects *objects, const struct json *object);
/* Names of the others without a run under way that have copies in use, by their own word: an array, yours. */
struct json *succession_others_in_use(struct objects *objects, const struct json *object);

/* The identifier of the copy of a database that staging uses, by the latest run that has put one to use;
 * yours, NULL: none has. */
char *succession_copy_in_use(struct objects *objects, const struct json *object, const char *database,
                             enum database_kind kind);
/* How long it took the last time that it succeeded, 0: it never has. A run, by real clocks; going back onto
 * kept copies takes minutes, and says nothing about a refresh. A step of a run ("main/Copy"), by the scaled
 * one.
 */
int64_t succession_run_ms(struct objects *objects, const struct json *object, bool goes_back);
int64_t succession_step_ms(struct objects *objects, const struct json *object, const char *step);

#endif
