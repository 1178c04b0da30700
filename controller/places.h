/* Places that parameters are written to, each once: a parameter of SSM, a key of a secret, a ConfigMap or a
 * Secret. What they hold is read to see whether somebody uses a copy. */
#ifndef CONTROLLER_PLACES_H
#define CONTROLLER_PLACES_H

#include "pkg/refresh/status.h"

/* Kind, target, key and `unwritten` count, and texts are borrowed from where they were taken. */
struct places {
    struct parameter_spec *items;
    size_t count;
};
void places_done(struct places *places);
#define AUTO_PLACES CLEANUP(places_done)

bool places_have(const struct places *places, const struct parameter_spec *parameter);
/* Unless it is there. */
void places_add(struct places *places, const struct parameter_spec *parameter);
void places_add_spec(struct places *places, const struct refresh_spec *spec); /* NULL: nothing */
/* What is remembered with the copy of the objects that it was taken over from. */
void places_add_remembered(struct places *places, const struct place_status *remembered, size_t count);

#endif
